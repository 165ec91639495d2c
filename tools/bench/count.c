// SPDX-License-Identifier: GPL-2.0
/*
 * What an operation costs: the smallest of twenty batches.
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
#include <linux/sched.h>
#include <linux/sort.h>

#include "count.h"

#define BATCHES		20
#define BATCH_NS	1000000
#define ARMS_MAX	4

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Units that fill a batch, or 0 if the arm cannot do this work. */
static unsigned int batch_length(const struct bench_workload *w, const struct bench_arm *arm)
{
	unsigned int trial = min(w->units_max, 16U);
	u64 time;

	/* The first one warms up. */
	if (w->run(w, arm, trial) == BENCH_FAILED)
		return 0;
	time = max(w->run(w, arm, trial), 1ULL);
	return clamp_t(u64, div64_u64((u64)BATCH_NS * trial, time), 1, w->units_max);
}

static void report(const struct bench_workload *w, const struct bench_arm *arm, u64 *times,
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

/* Give an arm what the workload needs, and find how long its batches are. */
static int begin(const struct bench_workload *w, const struct bench_arm *arm, unsigned int *n)
{
	int err = arm->open(w->bytes, w->size);

	if (err)
		return err;
	err = w->prepare ? w->prepare(w, arm) : 0;
	if (err) {
		arm->close();
		return err;
	}
	*n = batch_length(w, arm);
	return 0;
}

static void end(const struct bench_workload *w, const struct bench_arm *arm)
{
	if (w->finish)
		w->finish(w, arm);
	arm->close();
}

static int count(const struct bench_workload *w)
{
	static u64 times[ARMS_MAX][BATCHES];
	unsigned int n[ARMS_MAX] = {}, arms = 0, a, b;
	int err = 0;

	for (; w->arms[arms]; arms++) {
		err = begin(w, w->arms[arms], &n[arms]);
		if (err)
			goto end;
	}
	for (b = 0; b < BATCHES; b++) {
		for (a = 0; a < arms; a++) {
			if (n[a])
				times[a][b] = w->run(w, w->arms[a], n[a]);
			if (n[a] && times[a][b] == BENCH_FAILED) {
				bench_say("note %s %s failed in batch %u\n", w->name,
					  w->arms[a]->name, b);
				n[a] = 0;
			}
			cond_resched();
		}
	}
	for (a = 0; a < arms; a++)
		if (n[a])
			report(w, w->arms[a], times[a], n[a]);
end:
	while (arms--)
		end(w, w->arms[arms]);
	return err;
}

/* Count those of @n workloads that are wanted. */
int bench_count(const struct bench_workload *workloads, unsigned int n)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < n && !err; i++)
		if (bench_wanted(workloads[i].name))
			err = count(&workloads[i]);
	return err;
}

/* What the harness itself costs. */
void bench_harness(void)
{
	u64 loop = BENCH_FAILED, clock = BENCH_FAILED, start, mid;
	unsigned int b, i;

	for (b = 0; b < BATCHES; b++) {
		start = ktime_get_ns();
		/* Newer compilers would do two rounds in one. */
#pragma GCC unroll 1
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
