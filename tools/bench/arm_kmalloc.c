// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own kmalloc(), of a constant size in all loops but the mix.
 */
#include <linux/ktime.h>
#include <linux/slab.h>

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
	return kmalloc(BENCH_MALLOC, gfp);
}

static __always_inline void put(void *object, unsigned int order)
{
	kfree(object);
}

static __always_inline void *get_size(size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}

#define BENCH_NO_ORDERS
#include "loops.h"
#include "mixed.h"

const struct bench_arm bench_kmalloc = {
	.name = "kmalloc",
	.open = arm_open,
	.close = arm_close,
	.mixed = arm_mixed,
	.get_size = get_size,
	.usable = ksize,
	.shared = true,
	BENCH_ARM_LOOPS,
};
