// SPDX-License-Identifier: GPL-2.0
/*
 * What the suites of caches and malloc share.
 *
 * Model
 *	As in help.c: a test works on caches of its own, made by quarry_test_cache().
 *	When it ends, passed or not, they are held to the same words: valid, the sums
 *	right, nothing out, and destroyed without complaint.
 *
 *	The reference of what is out is a maple tree of address ranges: who adds a range
 *	that meets another is told. That, a pattern in each object that
 *	depends on its address, and a look at it before it is freed, is "unique, not
 *	overlapping, content kept".
 */
#include <linux/mm.h>

#include "cache_kunit.h"

struct cache_context {
	struct quarry_cache *cache;
	struct kunit *test;
};

static int cache_init(struct kunit_resource *res, void *context)
{
	res->data = kmemdup(context, sizeof(struct cache_context), GFP_KERNEL);
	return res->data ? 0 : -ENOMEM;
}

/* The end of a cache: it is sound, and nothing of it is out. */
static void cache_exit(struct kunit_resource *res)
{
	struct cache_context *context = res->data;
	struct kunit *test = context->test;

	if (context->cache) {
		quarry_test_cache_sound(test, context->cache);
		KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test,
							      context->cache)->objects_out, 0);
		KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(context->cache));
	}
	kfree(context);
}

/* A cache that is checked and destroyed when the test ends. */
void quarry_test_keep_cache(struct kunit *test, struct quarry_cache *cache)
{
	struct cache_context context = { cache, test };

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	if (!kunit_alloc_resource(test, cache_init, cache_exit, GFP_KERNEL, &context)) {
		quarry_cache_destroy(cache);
		KUNIT_ASSERT_TRUE_MSG(test, false, "no memory");
	}
}

struct quarry_cache *quarry_test_cache_of(struct kunit *test, unsigned int size,
					  unsigned int align, slab_flags_t flags,
					  void (*ctor)(void *))
{
	struct quarry_cache *cache = quarry_cache_create(quarry_test_name(test), size, align,
							 flags, ctor);

	quarry_test_keep_cache(test, cache);
	return cache;
}

struct quarry_cache *quarry_test_cache(struct kunit *test, unsigned int size)
{
	return quarry_test_cache_of(test, size, 0, 0, NULL);
}

struct quarry_cache *quarry_test_cache_in(struct kunit *test, struct quarry_pool *pool,
					  unsigned int size, slab_flags_t flags)
{
	struct quarry_cache *cache = quarry_cache_create_in(pool, quarry_test_name(test),
							    size, 0, flags, NULL);

	quarry_test_keep_cache(test, cache);
	return cache;
}

/*
 * The test runs on the last CPU from here on, and the cache has memory of its node: so
 * its objects go through the magazines of that CPU, without growing the pool.
 */
struct quarry_cache *quarry_test_near_cache(struct kunit *test, unsigned int size)
{
	return quarry_test_cache_in(test, quarry_test_near_pool(test, SZ_4M, SZ_8M), size, 0);
}

static bool is_of_cache(struct kunit *test, struct kunit_resource *res, void *cache)
{
	return res->free == cache_exit &&
	       ((struct cache_context *)res->data)->cache == cache;
}

/* The test has destroyed this cache itself. */
void quarry_test_forget_cache(struct kunit *test, struct quarry_cache *cache)
{
	struct kunit_resource *res = kunit_find_resource(test, is_of_cache, cache);

	if (res) {
		((struct cache_context *)res->data)->cache = NULL;
		kunit_put_resource(res);
	}
}

/* A snapshot that lives as long as the test. */
struct quarry_cache_stats *quarry_test_cache_stats(struct kunit *test,
						   struct quarry_cache *cache)
{
	struct quarry_cache_stats *st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, st);
	quarry_cache_snapshot(cache, st);
	return st;
}

/* Violations that the validator finds; @what is the text it must give, or NULL. */
u64 quarry_test_cache_violations(struct kunit *test, struct quarry_cache *cache, const char *what)
{
	char text[64] = "not set";
	u64 violations;

	violations = quarry_cache_validate(cache, text, sizeof(text));
	KUNIT_EXPECT_EQ(test, !violations, !text[0]);
	if (what)
		KUNIT_EXPECT_STREQ(test, text, what);
	return violations;
}

/* True of any cache at any time that nobody is inside it. */
void quarry_test_cache_sound(struct kunit *test, struct quarry_cache *cache)
{
	struct quarry_cache_stats *st;

	KUNIT_EXPECT_EQ(test, 0, quarry_test_cache_violations(test, cache, ""));
	st = quarry_test_cache_stats(test, cache);
	KUNIT_EXPECT_EQ(test, st->slab_bytes, st->object_bytes + st->magazine_bytes +
			st->partial_bytes + st->waste_bytes);
	KUNIT_EXPECT_EQ(test, st->slabs, st->grows - st->shrinks);
	KUNIT_EXPECT_LE(test, st->slabs_empty, st->slabs);
	KUNIT_EXPECT_LE(test, st->fail_injected, st->failures);
	/* A wrong free that a magazine took was counted before it was seen. */
	if (!st->errors[QUARRY_CACHE_ERR_DOUBLE_FREE])
		KUNIT_EXPECT_EQ(test, st->allocs - st->frees, st->objects_out);
}

/* Since @before, misuse of one kind was counted @nr times and of no other. */
void quarry_test_only_cache_error(struct kunit *test, struct quarry_cache *cache,
				  const struct quarry_cache_stats *before, int kind, u64 nr)
{
	struct quarry_cache_stats *now = quarry_test_cache_stats(test, cache);
	int k;

	for (k = 0; k < QUARRY_NR_CACHE_ERRORS; k++)
		KUNIT_EXPECT_EQ_MSG(test, now->errors[k] - before->errors[k],
				    k == kind ? nr : 0, "%s", quarry_cache_error_name(k));
}

/* Is there a cache of that number, dead or alive? */
bool quarry_test_cache_exists(struct kunit *test, u32 id)
{
	unsigned int i, nr = quarry_caches_number() + 16;
	struct quarry_cache_entry *e = kunit_kcalloc(test, nr, sizeof(*e), GFP_KERNEL);
	bool found = false;
	u64 from = 0;

	KUNIT_ASSERT_NOT_NULL(test, e);
	nr = quarry_caches_list(&from, e, nr);
	for (i = 0; i < nr; i++)
		found |= e[i].id == id;
	kunit_kfree(test, e);
	return found;
}

void **quarry_test_objects(struct kunit *test, unsigned int nr)
{
	void **objects = kunit_kcalloc(test, nr, sizeof(*objects), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, objects);
	return objects;
}

void quarry_test_take_objects(struct kunit *test, struct quarry_cache *cache, void **objects,
			      unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		objects[i] = quarry_cache_alloc(cache, GFP_KERNEL | __GFP_NOWARN);
		/* The kernel may have no block of the largest order left. */
		if (!objects[i] && cache->shape[0].order > 5) {
			quarry_test_compact();
			objects[i] = quarry_cache_alloc(cache, GFP_KERNEL);
		}
		KUNIT_ASSERT_NOT_NULL(test, objects[i]);
	}
}

void quarry_test_give_objects(struct quarry_cache *cache, void **objects, unsigned int nr)
{
	while (nr)
		quarry_cache_free(cache, objects[--nr]);
}

/* Objects one by one until there is no more. */
unsigned int quarry_test_exhaust(struct kunit *test, struct quarry_cache *cache, gfp_t gfp,
				 void **objects, unsigned int room)
{
	unsigned int nr;

	for (nr = 0; nr < room; nr++) {
		objects[nr] = quarry_cache_alloc(cache, gfp | __GFP_NOWARN);
		if (!objects[nr])
			break;
	}
	KUNIT_EXPECT_LT_MSG(test, nr, room, "there is no end to the cache");
	return nr;
}

static u8 pattern(const void *object, u64 salt)
{
	return (((unsigned long)object + salt) * 0x9e3779b97f4a7c15ULL) >> 56 | 1;
}

/* Write what is nowhere else into every byte of an object. */
void quarry_test_object_fill(void *object, size_t size, u64 salt)
{
	u64 word = (unsigned long)object ^ salt;

	memset(object, pattern(object, salt), size);
	memcpy(object, &word, min(size, sizeof(word)));
}

/* Is it still there? */
bool quarry_test_object_filled(const void *object, size_t size, u64 salt)
{
	u64 word = (unsigned long)object ^ salt;
	size_t head = min(size, sizeof(word));

	return !memcmp(object, &word, head) &&
	       !memchr_inv(object + head, pattern(object, salt), size - head);
}

static int map_init(struct kunit_resource *res, void *unused)
{
	struct quarry_test_map *map = kzalloc(sizeof(*map), GFP_KERNEL);

	if (!map)
		return -ENOMEM;
	mt_init(&map->tree);
	res->data = map;
	return 0;
}

static void map_exit(struct kunit_resource *res)
{
	struct quarry_test_map *map = res->data;

	mtree_destroy(&map->tree);
	kfree(map);
}

struct quarry_test_map *quarry_test_map(struct kunit *test)
{
	struct quarry_test_map *map;

	map = kunit_alloc_resource(test, map_init, map_exit, GFP_KERNEL, NULL);
	KUNIT_ASSERT_NOT_NULL(test, map);
	return map;
}

void quarry_test_map_add(struct quarry_test_map *map, const void *object, size_t size)
{
	unsigned long at = (unsigned long)object;

	map->overlaps += mtree_insert_range(&map->tree, at, at + size - 1, map, GFP_KERNEL) != 0;
	map->nr++;
}

void quarry_test_map_remove(struct quarry_test_map *map, const void *object)
{
	map->overlaps += mtree_erase(&map->tree, (unsigned long)object) != map;
	map->nr--;
}
