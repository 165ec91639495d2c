/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arms of the kernel's own caches. Who includes this has said which arm it is
 * (KMEM_ARM), how it is called (KMEM_NAME), and by which flags its caches are made
 * (KMEM_FLAGS): they must keep a cache from being merged, so that it shares its slabs
 * with no other. A cache is made fresh each time.
 */
#include <linux/ktime.h>
#include <linux/slab.h>

#include "bench.h"

static struct kmem_cache *cache;

static int arm_open(u64 bytes, unsigned int size)
{
	cache = kmem_cache_create("quarry_bench_" KMEM_NAME, size, 0, KMEM_FLAGS, NULL);
	return cache ? 0 : -ENOMEM;
}

static void arm_close(void)
{
	kmem_cache_destroy(cache);
}

static __always_inline void *get(unsigned int order, gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp);
}

static __always_inline void put(void *object, unsigned int order)
{
	kmem_cache_free(cache, object);
}

#define BENCH_NO_ORDERS
#include "loops.h"

static u64 arm_bulk(unsigned int order, void **slots, unsigned int n, unsigned int rounds)
{
	u64 start = ktime_get_ns();

	while (rounds--) {
		/* All or none: 6.12 tells how many, 7.2 whether. */
		if (unlikely(!kmem_cache_alloc_bulk(cache, GFP_KERNEL, n, slots)))
			return BENCH_FAILED;
		kmem_cache_free_bulk(cache, n, slots);
	}
	return ktime_get_ns() - start;
}

const struct bench_arm KMEM_ARM = {
	.name = KMEM_NAME,
	.open = arm_open,
	.close = arm_close,
	.bulk = arm_bulk,
	.shared = true,
	BENCH_ARM_LOOPS,
};
