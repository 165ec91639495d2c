// SPDX-License-Identifier: GPL-2.0
/*
 * The arm under test: a quarry pool whose floor is its cap, so that it has all
 * its memory from the start and growth from the kernel is apart. Misuse checks
 * and counters are on, as they always are.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/quarry.h>
#include <linux/quarry_cache.h>
#include <linux/ktime.h>

#include "bench.h"

static struct quarry_pool *bench_pool;

/* Caches in the same pool; see bench_caches_open(). */
static struct quarry_cache **caches;
static void **kept;
static unsigned int nr_caches;

static int arm_open(u64 bytes, unsigned int size)
{
	struct quarry_pool_config config = QUARRY_POOL_CONFIG;

	config.min_bytes = bytes;
	config.max_bytes = bytes;
	bench_pool = quarry_pool_create("bench", &config);
	return PTR_ERR_OR_ZERO(bench_pool);
}

static void arm_close(void)
{
	WARN_ON(quarry_pool_destroy(bench_pool));
}

static __always_inline void *get(unsigned int order, gfp_t gfp)
{
	return quarry_alloc_pages(bench_pool, gfp, order);
}

static __always_inline void put(void *block, unsigned int order)
{
	quarry_free_pages(bench_pool, block, order);
}

#include "loops.h"

static u64 arm_bulk(unsigned int order, void **slots, unsigned int n, unsigned int rounds)
{
	struct page **pages = (struct page **)slots;
	u64 start = ktime_get_ns();
	unsigned int got;

	while (rounds--) {
		got = quarry_alloc_pages_bulk(bench_pool, GFP_KERNEL, order, n, pages);
		quarry_free_pages_bulk(bench_pool, order, got, pages);
		if (unlikely(got != n))
			return BENCH_FAILED;
	}
	return ktime_get_ns() - start;
}

static unsigned long arm_frame(const void *block)
{
	return page_to_pfn((const struct page *)block);
}

static void arm_settle(void)
{
	quarry_pool_drain(bench_pool);
}

static u64 arm_whole(void)
{
	struct quarry_pool_stats stats = { .size = sizeof(stats) };

	quarry_pool_snapshot(bench_pool, &stats);
	return stats.areas_free;
}

/* The magazine of each cache gets an object. */
void bench_caches_use(void)
{
	unsigned int i;
	void *object;

	for (i = 0; i < nr_caches; i++) {
		object = quarry_cache_alloc(caches[i], GFP_NOWAIT | __GFP_NOWARN);
		if (object)
			quarry_cache_free(caches[i], object);
	}
}

void bench_caches_close(void)
{
	while (nr_caches) {
		nr_caches--;
		quarry_cache_free(caches[nr_caches], kept[nr_caches]);
		WARN_ON(quarry_cache_destroy(caches[nr_caches]));
	}
	kvfree(caches);
	kvfree(kept);
	caches = NULL;
	kept = NULL;
}

/* Make caches in the pool of bench_quarry, which is open; an object of each stays out. */
int bench_caches_open(unsigned int nr)
{
	char name[20];
	int err = 0;

	caches = kvcalloc(nr, sizeof(*caches), GFP_KERNEL);
	kept = kvcalloc(nr, sizeof(*kept), GFP_KERNEL);
	if (nr && (!caches || !kept))
		err = -ENOMEM;
	while (!err && nr_caches < nr) {
		struct quarry_cache *cache;

		snprintf(name, sizeof(name), "bench.%u", nr_caches);
		cache = quarry_cache_create_in(bench_pool, name, 256, 0, 0, NULL);
		if (IS_ERR(cache)) {
			err = PTR_ERR(cache);
			break;
		}
		caches[nr_caches] = cache;
		kept[nr_caches] = quarry_cache_alloc(cache, GFP_KERNEL);
		if (kept[nr_caches]) {
			nr_caches++;
			continue;
		}
		WARN_ON(quarry_cache_destroy(cache));
		err = -ENOMEM;
	}
	if (err)
		bench_caches_close();
	return err;
}

const struct bench_arm bench_quarry = {
	.name = "quarry",
	.open = arm_open,
	.close = arm_close,
	.bulk = arm_bulk,
	.frame = arm_frame,
	.settle = arm_settle,
	.whole = arm_whole,
	BENCH_ARM_LOOPS,
};
