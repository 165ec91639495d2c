// SPDX-License-Identifier: GPL-2.0
/*
 * The arm under test: a quarry pool whose floor is its cap, so that it has all
 * its memory from the start and growth from the kernel is apart. Misuse checks
 * and counters are on, as they always are.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/quarry.h>
#include <linux/ktime.h>

#include "bench.h"

static struct quarry_pool *bench_pool;

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

static void arm_areas(u64 *all, u64 *whole)
{
	struct quarry_pool_stats stats = { .size = sizeof(stats) };

	quarry_pool_drain(bench_pool);
	quarry_pool_snapshot(bench_pool, &stats);
	*all = stats.areas;
	*whole = stats.areas_free;
}

const struct bench_arm bench_quarry = {
	.name = "quarry",
	.open = arm_open,
	.close = arm_close,
	.bulk = arm_bulk,
	.frame = arm_frame,
	.areas = arm_areas,
	BENCH_ARM_LOOPS,
};
