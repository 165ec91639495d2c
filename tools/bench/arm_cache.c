// SPDX-License-Identifier: GPL-2.0
/*
 * The arm under test for objects: a quarry cache in a pool of its own whose floor is
 * its cap, so that growth from the kernel is apart. Counters and what a free is
 * always checked for are on; safety modes are off until bench_cache_modes().
 */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/quarry_cache.h>

#include "bench.h"

static struct quarry_pool *pool;
static struct quarry_cache *cache;

static int arm_open(u64 bytes, unsigned int size)
{
	struct quarry_pool_config config = QUARRY_POOL_CONFIG;
	int err;

	config.min_bytes = bytes;
	config.max_bytes = bytes;
	pool = quarry_pool_create("bench-cache", &config);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	cache = quarry_cache_create_in(pool, "bench", size, 0, 0, NULL);
	if (IS_ERR(cache)) {
		err = PTR_ERR(cache);
		WARN_ON(quarry_pool_destroy(pool));
		return err;
	}
	return 0;
}

static void arm_close(void)
{
	WARN_ON(quarry_cache_destroy(cache));
	WARN_ON(quarry_pool_destroy(pool));
}

static __always_inline void *get(unsigned int order, gfp_t gfp)
{
	return quarry_cache_alloc(cache, gfp);
}

static __always_inline void put(void *object, unsigned int order)
{
	quarry_cache_free(cache, object);
}

#define BENCH_NO_ORDERS
#include "loops.h"

static u64 arm_bulk(unsigned int order, void **slots, unsigned int n, unsigned int rounds)
{
	u64 start = ktime_get_ns();

	while (rounds--) {
		if (unlikely(quarry_cache_alloc_bulk(cache, GFP_KERNEL, n, slots) != n))
			return BENCH_FAILED;
		quarry_cache_free_bulk(cache, n, slots);
	}
	return ktime_get_ns() - start;
}

/* Switch safety modes of the open cache on. */
int bench_cache_modes(unsigned int modes)
{
	return quarry_cache_set_modes(cache, modes);
}

/* What the open cache takes. */
void bench_cache_stats(struct quarry_cache_stats *stats)
{
	stats->size = sizeof(*stats);
	stats->flags = 0;
	quarry_cache_snapshot(cache, stats);
}

const struct bench_arm bench_cache = {
	.name = "quarry",
	.open = arm_open,
	.close = arm_close,
	.bulk = arm_bulk,
	BENCH_ARM_LOOPS,
};
