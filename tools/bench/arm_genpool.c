// SPDX-License-Identifier: GPL-2.0
/*
 * The peer that drivers use for memory of their own: gen_pool with first fit, aligned
 * to the order as the blocks of the others are, over one chunk. It manages numbers and
 * never touches what they stand for, so the chunk needs no memory behind it; its base is
 * made up, aligned as an area is.
 */
#include <linux/genalloc.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "bench.h"

#define BASE	SZ_1G

static struct gen_pool *pool;

static int arm_open(u64 bytes, unsigned int size)
{
	int err;

	pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!pool)
		return -ENOMEM;
	gen_pool_set_algo(pool, gen_pool_first_fit_order_align, NULL);
	err = gen_pool_add(pool, BASE, bytes, NUMA_NO_NODE);
	if (err)
		gen_pool_destroy(pool);
	return err;
}

static void arm_close(void)
{
	gen_pool_destroy(pool);
}

static __always_inline void *get(unsigned int order, gfp_t gfp)
{
	return (void *)gen_pool_alloc(pool, PAGE_SIZE << order);
}

static __always_inline void put(void *block, unsigned int order)
{
	gen_pool_free(pool, (unsigned long)block, PAGE_SIZE << order);
}

#include "loops.h"

static unsigned long arm_frame(const void *block)
{
	return (unsigned long)block >> PAGE_SHIFT;
}

const struct bench_arm bench_genpool = {
	.name = "gen_pool",
	.open = arm_open,
	.close = arm_close,
	.frame = arm_frame,
	BENCH_ARM_LOOPS,
};
