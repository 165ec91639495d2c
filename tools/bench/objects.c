// SPDX-License-Identifier: GPL-2.0
/*
 * cache.* and malloc.*: what an object costs, in pairs, in batches, in bulk, freed in
 * another order than it came.
 *
 * Every workload starts with a fresh cache in fresh memory, so that one can be run
 * alone and gives the same figures. malloc has the same caches all along, on either
 * side.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "count.h"

#define POOL_BYTES	SZ_64M
#define GROUP_MAX	1000

static void **slots, **shuffled;
static u16 order_of_free[GROUP_MAX];

static u64 run_pair(const struct bench_workload *w, const struct bench_arm *arm,
		    unsigned int n)
{
	return arm->pair(0, n);
}

static u64 run_batch(const struct bench_workload *w, const struct bench_arm *arm,
		     unsigned int n)
{
	return arm->batch(0, slots, w->group, n);
}

static u64 run_bulk(const struct bench_workload *w, const struct bench_arm *arm,
		    unsigned int n)
{
	return arm->bulk(0, slots, w->group, n);
}

static u64 run_shuffle(const struct bench_workload *w, const struct bench_arm *arm,
		       unsigned int n)
{
	u64 time, sum = 0;
	unsigned int i;

	while (n--) {
		time = arm->fill(0, slots, w->group);
		if (time == BENCH_FAILED)
			return time;
		for (i = 0; i < w->group; i++)
			shuffled[i] = slots[order_of_free[i]];
		sum += time + arm->empty(0, shuffled, w->group);
	}
	return sum;
}

#define CACHE .arms = bench_cache_arms, .bytes = POOL_BYTES

#define PAIR(bytes_of)								\
	{ .name = "cache.pair." #bytes_of, CACHE, .run = run_pair,		\
	  .size = bytes_of, .per_unit = 1, .units_max = 10000 }

#define GROUP(kind, n)								\
	{ .name = "cache." #kind #n ".256", CACHE, .run = run_ ## kind,		\
	  .size = 256, .group = n, .per_unit = n, .units_max = 20000 / n }

static const struct bench_workload workloads[] = {
	PAIR(32), PAIR(256), PAIR(1024), PAIR(4096),
	GROUP(batch, 100), GROUP(batch, 1000), GROUP(shuffle, 1000),
	GROUP(bulk, 16), GROUP(bulk, 250),
	{ .name = "malloc.pair.64", .arms = bench_malloc_arms, .run = run_pair,
	  .size = BENCH_MALLOC, .per_unit = 1, .units_max = 10000 },
};

/* The order is drawn once, for all arms and all batches. */
static void draw_order(void)
{
	struct rnd_state dice;
	unsigned int i, j;

	prandom_seed_state(&dice, 42);
	for (i = 0; i < GROUP_MAX; i++) {
		j = prandom_u32_state(&dice) % (i + 1);
		order_of_free[i] = order_of_free[j];
		order_of_free[j] = i;
	}
}

int bench_objects(void)
{
	int err = -ENOMEM;

	draw_order();
	slots = kvmalloc_array(GROUP_MAX, sizeof(*slots), GFP_KERNEL);
	shuffled = kvmalloc_array(GROUP_MAX, sizeof(*shuffled), GFP_KERNEL);
	if (slots && shuffled)
		err = bench_count(workloads, ARRAY_SIZE(workloads));
	kvfree(shuffled);
	kvfree(slots);
	return err;
}
