// SPDX-License-Identifier: GPL-2.0
/*
 * What a page costs: the smallest of twenty batches.
 *
 * A batch is as long as it can be (the two clock readings, some 60 instructions,
 * are shared by all of it) without being sure to catch a timer tick, which comes
 * every 4 ms: about one million instructions, by a trial. Twenty batches of each
 * arm in turn; the smallest one had no tick in it. The median is told beside it:
 * the two are far apart when what an allocator does changes as it goes.
 *
 * Every workload starts with fresh memory of the same size for each arm, so that
 * one can be run alone and gives the same figures.
 *
 * Two rows show what the harness itself adds: an empty loop, which is two
 * instructions, and an empty pair of clock readings.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/sort.h>

#include "bench.h"

#define BATCHES		20
#define BATCH_NS	1000000
#define POOL_BYTES	SZ_128M
#define GROUP		128		/* of batch128 and bulk128 */
#define RAND_BYTES	SZ_32M		/* of rand: filled to the last page */
#define RAND_PAGES	(RAND_BYTES / PAGE_SIZE)
#define ARMS_MAX	4

/* One workload: @run does @n units of work and tells how long that took. */
struct workload {
	const char *name;
	u64 (*run)(const struct bench_arm *arm, unsigned int order, unsigned int n);
	u64 bytes;
	unsigned int order;
	unsigned int per_unit;	/* pairs in a unit */
	unsigned int units_max;
};

static void **slots;
static struct rnd_state dice;

static u64 run_pair(const struct bench_arm *arm, unsigned int order, unsigned int n)
{
	return arm->pair(order, n);
}

static u64 run_batch(const struct bench_arm *arm, unsigned int order, unsigned int n)
{
	return arm->batch(order, slots, GROUP, n);
}

static u64 run_bulk(const struct bench_arm *arm, unsigned int order, unsigned int n)
{
	return arm->bulk ? arm->bulk(order, slots, GROUP, n) : BENCH_FAILED;
}

static u64 run_rand(const struct bench_arm *arm, unsigned int order, unsigned int n)
{
	unsigned int i, j;
	u64 time, sum = 0;

	while (n--) {
		time = arm->fill(order, slots, RAND_PAGES);
		if (time == BENCH_FAILED)
			return time;
		for (i = RAND_PAGES - 1; i; i--) {
			j = prandom_u32_state(&dice) % (i + 1);
			swap(slots[i], slots[j]);
		}
		sum += time + arm->empty(order, slots, RAND_PAGES);
	}
	return sum;
}

#define PAIR(k)									\
	{ .name = "page.pair.o" #k, .run = run_pair, .bytes = POOL_BYTES,	\
	  .order = k, .per_unit = 1, .units_max = 10000 }

static const struct workload workloads[] = {
	PAIR(0), PAIR(1), PAIR(2), PAIR(3), PAIR(4), PAIR(5),
	PAIR(6), PAIR(7), PAIR(8), PAIR(9), PAIR(10),
	{ .name = "page.batch128.o0", .run = run_batch, .bytes = POOL_BYTES,
	  .per_unit = GROUP, .units_max = 100 },
	{ .name = "page.bulk128.o0", .run = run_bulk, .bytes = POOL_BYTES,
	  .per_unit = GROUP, .units_max = 300 },
	{ .name = "page.rand.o0", .run = run_rand, .bytes = RAND_BYTES,
	  .per_unit = RAND_PAGES, .units_max = 1 },
};

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Units that fill a batch, or 0 if the arm cannot do this work. */
static unsigned int batch_length(const struct workload *w, const struct bench_arm *arm)
{
	unsigned int trial = min(w->units_max, 16U);
	u64 time;

	/* The first one warms up. */
	if (w->run(arm, w->order, trial) == BENCH_FAILED)
		return 0;
	time = max(w->run(arm, w->order, trial), 1ULL);
	return clamp_t(u64, div64_u64((u64)BATCH_NS * trial, time), 1, w->units_max);
}

static void report(const struct workload *w, const struct bench_arm *arm, u64 *times,
		   unsigned int n)
{
	u64 ops = (u64)n * w->per_unit;
	u64 first = times[0], last = times[BATCHES - 1];

	sort(times, BATCHES, sizeof(times[0]), compare, NULL);
	bench_value(w->name, "instructions", arm->name, div64_u64(times[0] * 1000, ops));
	bench_say("batches %s %s %llu %llu %llu %llu\n", w->name, arm->name, ops,
		  div64_u64(first * 1000, ops), div64_u64(times[BATCHES / 2] * 1000, ops),
		  div64_u64(last * 1000, ops));
}

static int count(const struct workload *w)
{
	static u64 times[ARMS_MAX][BATCHES];
	unsigned int n[ARMS_MAX] = {}, arms = 0, a, b;
	int err = 0;

	prandom_seed_state(&dice, 42);
	for (; bench_arms[arms]; arms++) {
		err = bench_arms[arms]->open(w->bytes);
		if (err)
			goto close;
		n[arms] = batch_length(w, bench_arms[arms]);
	}
	for (b = 0; b < BATCHES; b++) {
		for (a = 0; a < arms; a++) {
			if (n[a])
				times[a][b] = w->run(bench_arms[a], w->order, n[a]);
			if (n[a] && times[a][b] == BENCH_FAILED) {
				bench_say("note %s %s failed in batch %u\n", w->name,
					  bench_arms[a]->name, b);
				n[a] = 0;
			}
			cond_resched();
		}
	}
	for (a = 0; a < arms; a++)
		if (n[a])
			report(w, bench_arms[a], times[a], n[a]);
close:
	while (arms--)
		bench_arms[arms]->close();
	return err;
}

/* What the harness itself costs. */
static void count_harness(void)
{
	u64 loop = BENCH_FAILED, clock = BENCH_FAILED, start, mid;
	unsigned int b, i;

	for (b = 0; b < BATCHES; b++) {
		start = ktime_get_ns();
		for (i = 0; i < 100000; i++)
			asm volatile("" ::: "memory");
		mid = ktime_get_ns();
		loop = min(loop, mid - start);
		clock = min(clock, ktime_get_ns() - mid);
		start = ktime_get_ns();
		clock = min(clock, ktime_get_ns() - start);
	}
	bench_value("harness.loop", "instructions", "harness", div_u64(loop, 100));
	bench_value("harness.clock", "instructions", "harness", clock * 1000);
}

int bench_count(void)
{
	unsigned int i;
	int err = 0;

	slots = kvmalloc_array(RAND_PAGES, sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return -ENOMEM;
	count_harness();
	for (i = 0; i < ARRAY_SIZE(workloads) && !err; i++)
		if (bench_wanted(workloads[i].name))
			err = count(&workloads[i]);
	kvfree(slots);
	return err;
}
