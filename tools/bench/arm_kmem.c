// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own caches. A cache is made fresh each time and shares its slabs with no
 * other: SLAB_NOLEAKTRACE is a flag that changes nothing about the objects but keeps
 * a cache from being merged, in all kernels.
 */
#include <linux/ktime.h>
#include <linux/slab.h>

#include "bench.h"

static struct kmem_cache *cache;

static int arm_open(u64 bytes, unsigned int size)
{
	cache = kmem_cache_create("quarry_bench", size, 0, SLAB_NOLEAKTRACE, NULL);
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
		if (unlikely(kmem_cache_alloc_bulk(cache, GFP_KERNEL, n, slots) != n))
			return BENCH_FAILED;
		kmem_cache_free_bulk(cache, n, slots);
	}
	return ktime_get_ns() - start;
}

const struct bench_arm bench_kmem = {
	.name = "kmem_cache",
	.open = arm_open,
	.close = arm_close,
	.bulk = arm_bulk,
	.shared = true,
	BENCH_ARM_LOOPS,
};
