// SPDX-License-Identifier: GPL-2.0
/*
 * The arm under test for malloc: quarry_malloc() from the default pool, of a constant
 * size in all loops but the mix.
 */
#include <linux/ktime.h>
#include <linux/quarry_malloc.h>

#include "bench.h"

static int arm_open(u64 bytes, unsigned int size)
{
	return 0;
}

static void arm_close(void)
{
}

static __always_inline void *get(unsigned int order, gfp_t gfp)
{
	return quarry_malloc(BENCH_MALLOC, gfp);
}

static __always_inline void put(void *object, unsigned int order)
{
	quarry_free(object);
}

static __always_inline void *get_size(size_t size)
{
	return quarry_malloc(size, GFP_KERNEL);
}

#define BENCH_NO_ORDERS
#include "loops.h"
#include "mixed.h"

const struct bench_arm bench_malloc = {
	.name = "quarry",
	.open = arm_open,
	.close = arm_close,
	.mixed = arm_mixed,
	.get_size = get_size,
	.usable = quarry_usable_size,
	.shared = true,
	BENCH_ARM_LOOPS,
};
