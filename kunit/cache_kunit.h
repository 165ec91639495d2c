/* SPDX-License-Identifier: GPL-2.0 */
/* What the suites of caches and malloc share. See cache_help.c. */
#ifndef QUARRY_CACHE_KUNIT_H
#define QUARRY_CACHE_KUNIT_H

#include <linux/maple_tree.h>
#include <linux/quarry_malloc.h>

#include "../module/cache/cache.h"
#include "../module/stats/caches.h"
#include "quarry_kunit.h"

struct quarry_cache *quarry_test_cache(struct kunit *test, unsigned int size);
struct quarry_cache *quarry_test_cache_of(struct kunit *test, unsigned int size,
					  unsigned int align, slab_flags_t flags,
					  void (*ctor)(void *));
struct quarry_cache *quarry_test_cache_in(struct kunit *test, struct quarry_pool *pool,
					  unsigned int size, slab_flags_t flags);
struct quarry_cache *quarry_test_near_cache(struct kunit *test, unsigned int size);
void quarry_test_keep_cache(struct kunit *test, struct quarry_cache *cache);
void quarry_test_forget_cache(struct kunit *test, struct quarry_cache *cache);

struct quarry_cache_stats *quarry_test_cache_stats(struct kunit *test,
						   struct quarry_cache *cache);
u64 quarry_test_cache_violations(struct kunit *test, struct quarry_cache *cache,
				 const char *what);
void quarry_test_cache_sound(struct kunit *test, struct quarry_cache *cache);
void quarry_test_only_cache_error(struct kunit *test, struct quarry_cache *cache,
				  const struct quarry_cache_stats *before, int kind, u64 nr);
bool quarry_test_cache_exists(struct kunit *test, u32 id);

void **quarry_test_objects(struct kunit *test, unsigned int nr);
void quarry_test_take_objects(struct kunit *test, struct quarry_cache *cache,
			      void **objects, unsigned int nr);
void quarry_test_give_objects(struct quarry_cache *cache, void **objects, unsigned int nr);
unsigned int quarry_test_exhaust(struct kunit *test, struct quarry_cache *cache, gfp_t gfp,
				 void **objects, unsigned int room);
void quarry_test_object_fill(void *object, size_t size, u64 salt);
bool quarry_test_object_filled(const void *object, size_t size, u64 salt);

/* This CPU's magazines; the test is pinned. */
static inline struct quarry_cpu_cache *quarry_test_cpu_cache(struct quarry_cache *cache)
{
	return raw_cpu_ptr(cache->cpu_cache);
}

/* The lowest and highest address of each object, so that no two share a byte. */
struct quarry_test_map {
	struct maple_tree tree;
	u64 overlaps;
	u64 nr;
};

struct quarry_test_map *quarry_test_map(struct kunit *test);
void quarry_test_map_add(struct quarry_test_map *map, const void *object, size_t size);
void quarry_test_map_remove(struct quarry_test_map *map, const void *object);

#endif /* QUARRY_CACHE_KUNIT_H */
