// SPDX-License-Identifier: GPL-2.0
/*
 * cache.remote.256: objects that are allocated on one CPU and freed on another; and
 * cache.remote-node.256, the same where these are of two nodes.
 *
 * CPU 0 allocates a batch, CPU 1 frees it, over and over. Only one of them is at work
 * at a time, and each times its part itself, so that handing over is not in it: the
 * sum of both parts is the cost of so many pairs. It can be counted where CPUs take
 * turns (quarry-vm --icount --smp 2), and is skipped where there is one CPU. The
 * smallest of twenty batches counts, as in count.c, after some that warm up.
 */
#include <linux/cpumask.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/topology.h>
#include <linux/workqueue.h>

#include <linux/quarry_cache.h>

#include "bench.h"

#define GROUP		1000
#define PER_BATCH	10	/* times that many are handed over */
#define WARM		10
#define BATCHES		20
#define POOL_BYTES	SZ_64M
#define ARMS_MAX	3

struct part {
	const struct bench_arm *arm;
	void **slots;
	u64 time;
};

static long take(void *data)
{
	struct part *p = data;

	p->time = p->arm->fill(0, p->slots, GROUP);
	return p->time == BENCH_FAILED ? -ENOMEM : 0;
}

static long give(void *data)
{
	struct part *p = data;

	p->time = p->arm->empty(0, p->slots, GROUP);
	return 0;
}

/* Hand over once, add to both times. */
static long hand_over(const struct bench_arm *arm, void **slots, u64 *out, u64 *back)
{
	struct part p = { .arm = arm, .slots = slots };
	long err;

	err = work_on_cpu(0, take, &p);
	if (err)
		return err;
	*out += p.time;
	err = work_on_cpu(1, give, &p);
	*back += p.time;
	return err;
}

static long batches(const struct bench_arm *const *arms, void **slots, const char *name)
{
	u64 least[ARMS_MAX], least_out[ARMS_MAX] = {};
	unsigned int i, a, k;
	long err = 0;

	memset64(least, BENCH_FAILED, ARMS_MAX);
	for (i = 0; i < WARM + BATCHES; i++) {
		for (a = 0; arms[a]; a++) {
			u64 out = 0, back = 0;

			for (k = 0; k < PER_BATCH && !err; k++)
				err = hand_over(arms[a], slots, &out, &back);
			if (err)
				return err;
			if (i >= WARM && out + back < least[a]) {
				least[a] = out + back;
				least_out[a] = out;
			}
		}
	}
	for (a = 0; arms[a]; a++) {
		u64 pair = div_u64(least[a] * 1000, GROUP * PER_BATCH);
		u64 out = div_u64(least_out[a] * 1000, GROUP * PER_BATCH);

		bench_value(name, "instructions", arms[a]->name, pair);
		bench_say("note %s %s: of this %llu.%03llu for allocating\n", name,
			  arms[a]->name, out / 1000, out % 1000);
	}
	return 0;
}

/* What was done one by one is a lock of a node for each object. */
static void say_batches(const char *name)
{
	static struct quarry_cache_stats st;

	bench_cache_stats(&st);
	bench_say("note %s quarry: %llu frees, %llu one by one, %llu exchanges, %llu flushes\n",
		  name, st.frees, st.direct_frees, st.exchanges, st.flushes);
}

/* On CPU 0, so that memory is of its node. */
static long open_arm(void *arm)
{
	return ((const struct bench_arm *)arm)->open(POOL_BYTES, 256);
}

int bench_remote(void)
{
	bool nodes = cpu_to_node(0) != cpu_to_node(1);
	const char *name = nodes ? "cache.remote-node.256" : "cache.remote.256";
	unsigned int open = 0;
	void **slots;
	long err = 0;

	if (!bench_wanted(name) || !cpu_online(0) || !cpu_online(1))
		return 0;
	slots = kvmalloc_array(GROUP, sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return -ENOMEM;
	while (!err && bench_cache_arms[open]) {
		err = work_on_cpu(0, open_arm, (void *)bench_cache_arms[open]);
		open += !err;
	}
	if (!err)
		err = batches(bench_cache_arms, slots, name);
	if (!err)
		say_batches(name);
	while (open--)
		bench_cache_arms[open]->close();
	kvfree(slots);
	return err;
}
