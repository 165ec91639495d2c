// SPDX-License-Identifier: GPL-2.0
/*
 * page.*: what a page costs, in pairs, in batches, in bulk and in no order at all.
 *
 * Every workload starts with fresh memory of the same size for each arm, so that
 * one can be run alone and gives the same figures.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "count.h"

#define POOL_BYTES	SZ_128M
#define GROUP		128		/* of batch128 and bulk128 */
#define RAND_BYTES	SZ_32M		/* of rand: filled to the last page */
#define RAND_PAGES	(RAND_BYTES / PAGE_SIZE)

static void **slots;
static struct rnd_state dice;

static u64 run_pair(const struct bench_workload *w, const struct bench_arm *arm,
		    unsigned int n)
{
	return arm->pair(w->order, n);
}

static u64 run_batch(const struct bench_workload *w, const struct bench_arm *arm,
		     unsigned int n)
{
	return arm->batch(w->order, slots, w->group, n);
}

static u64 run_bulk(const struct bench_workload *w, const struct bench_arm *arm,
		    unsigned int n)
{
	return arm->bulk ? arm->bulk(w->order, slots, w->group, n) : BENCH_FAILED;
}

static int prepare_rand(const struct bench_workload *w, const struct bench_arm *arm)
{
	prandom_seed_state(&dice, 42);
	return 0;
}

static u64 run_rand(const struct bench_workload *w, const struct bench_arm *arm,
		    unsigned int n)
{
	unsigned int i, j;
	u64 time, sum = 0;

	while (n--) {
		time = arm->fill(w->order, slots, RAND_PAGES);
		if (time == BENCH_FAILED)
			return time;
		for (i = RAND_PAGES - 1; i; i--) {
			j = prandom_u32_state(&dice) % (i + 1);
			swap(slots[i], slots[j]);
		}
		sum += time + arm->empty(w->order, slots, RAND_PAGES);
	}
	return sum;
}

#define PAIR(k)									\
	{ .name = "page.pair.o" #k, .arms = bench_arms, .run = run_pair,	\
	  .bytes = POOL_BYTES, .order = k, .per_unit = 1, .units_max = 10000 }

static const struct bench_workload workloads[] = {
	PAIR(0), PAIR(1), PAIR(2), PAIR(3), PAIR(4), PAIR(5),
	PAIR(6), PAIR(7), PAIR(8), PAIR(9), PAIR(10),
	{ .name = "page.batch128.o0", .arms = bench_arms, .run = run_batch,
	  .bytes = POOL_BYTES, .group = GROUP, .per_unit = GROUP, .units_max = 100 },
	{ .name = "page.bulk128.o0", .arms = bench_arms, .run = run_bulk,
	  .bytes = POOL_BYTES, .group = GROUP, .per_unit = GROUP, .units_max = 300 },
	{ .name = "page.rand.o0", .arms = bench_arms, .run = run_rand,
	  .prepare = prepare_rand, .bytes = RAND_BYTES, .per_unit = RAND_PAGES,
	  .units_max = 1 },
};

int bench_pages(void)
{
	int err;

	slots = kvmalloc_array(RAND_PAGES, sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return -ENOMEM;
	err = bench_count(workloads, ARRAY_SIZE(workloads));
	kvfree(slots);
	return err;
}
