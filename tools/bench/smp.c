// SPDX-License-Identifier: GPL-2.0
/*
 * smp2.*: what two CPUs get done, over twice what one does.
 *
 * Threads are bound and start together at a barrier. A sample is the longer time of
 * the two for a fixed number of operations, some two milliseconds by a trial on one
 * CPU. Forty samples are taken in a row and the shortest counts, of those in which
 * the two worked at the same time for nine tenths of it: the machine that runs the
 * VM has other work too, and takes a virtual CPU away for longer than a sample. A
 * round does that with every arm on one CPU and on two; the CPU that works alone
 * alternates.
 *
 * Virtual CPUs slow each other, so the ratio means little by itself: the control
 * shares nothing, and what it loses is the machine's. Reported are the median of
 * each arm's ratio and, against the control, the median over the rounds of one
 * ratio by the other, with its quartiles.
 *
 * For a VM with two CPUs and real time; pointless under -icount.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/sort.h>

#include "bench.h"

#define CPUS		2
#define ROUNDS		7
#define SAMPLES		40
#define ARMS		3
#define POOL_BYTES	SZ_128M
#define GROUP		128
#define RAND_PAGES	1024
#define SAMPLE_NS	(2 * NSEC_PER_MSEC)

static const struct bench_arm *const arms[ARMS] = {
	&bench_quarry, &bench_kernel, &bench_control,
};

/* One thread's part. */
struct part {
	const struct bench_arm *arm;
	int (*work)(struct part *part);
	unsigned int units;
	void **slots;
	void **shuffled;
	u64 start[SAMPLES];
	u64 end[SAMPLES];
	int err;
	struct completion done;
};

static struct part parts[CPUS];
static atomic_t arrived;
static unsigned int expected;
static u16 permutation[RAND_PAGES];

/* One unit of each work is some hundred pairs or more. */
static int work_pair(struct part *p)
{
	return p->arm->pair(0, p->units * GROUP) == BENCH_FAILED ? -ENOMEM : 0;
}

static int work_batch(struct part *p)
{
	return p->arm->batch(0, p->slots, GROUP, p->units) == BENCH_FAILED ? -ENOMEM : 0;
}

static int work_rand(struct part *p)
{
	unsigned int unit, i;

	for (unit = 0; unit < p->units; unit++) {
		if (p->arm->fill(0, p->slots, RAND_PAGES) == BENCH_FAILED)
			return -ENOMEM;
		for (i = 0; i < RAND_PAGES; i++)
			p->shuffled[i] = p->slots[permutation[i]];
		p->arm->empty(0, p->shuffled, RAND_PAGES);
	}
	return 0;
}

static const struct {
	const char *name;
	int (*work)(struct part *part);
} works[] = {
	{ "smp2.page.pair.o0", work_pair },
	{ "smp2.page.batch128.o0", work_batch },
	{ "smp2.page.rand.o0", work_rand },
};

/* All of them go through every barrier, so that one that fails keeps no other. */
static int part_thread(void *data)
{
	struct part *p = data;
	unsigned int i;

	for (i = 0; i < SAMPLES; i++) {
		atomic_inc(&arrived);
		while (atomic_read(&arrived) < expected * (i + 1))
			cpu_relax();
		p->start[i] = ktime_get_ns();
		p->err = p->err ?: p->work(p);
		p->end[i] = ktime_get_ns();
		cond_resched();
	}
	complete(&p->done);
	return 0;
}

static int start_parts(unsigned int n, unsigned int cpu)
{
	struct task_struct *threads[CPUS];
	unsigned int i;

	atomic_set(&arrived, 0);
	expected = n;
	for (i = 0; i < n; i++) {
		init_completion(&parts[i].done);
		parts[i].err = 0;
		threads[i] = kthread_create(part_thread, &parts[i], "quarry_bench/%u", i);
		if (IS_ERR(threads[i])) {
			while (i--)
				kthread_stop(threads[i]);
			return -ENOMEM;
		}
		kthread_bind(threads[i], cpu + i);
	}
	for (i = 0; i < n; i++)
		wake_up_process(threads[i]);
	return 0;
}

/* Time of sample @k of @n parts, if they worked at the same time. */
static u64 sample(unsigned int n, unsigned int k)
{
	u64 longest = 0, last_start = 0, first_end = U64_MAX;
	unsigned int i;

	for (i = 0; i < n; i++) {
		longest = max(longest, parts[i].end[k] - parts[i].start[k]);
		last_start = max(last_start, parts[i].start[k]);
		first_end = min(first_end, parts[i].end[k]);
	}
	if (first_end < last_start || first_end - last_start < longest / 10 * 9)
		return BENCH_FAILED;
	return longest;
}

/*
 * The shortest time of @n parts of @units on the CPUs from @cpu on. BENCH_FAILED if
 * they never worked together.
 */
static u64 together(const struct bench_arm *arm, int (*work)(struct part *part),
		    unsigned int units, unsigned int n, unsigned int cpu)
{
	u64 least = BENCH_FAILED;
	unsigned int i, k;
	int err;

	for (i = 0; i < n; i++) {
		parts[i].arm = arm;
		parts[i].work = work;
		parts[i].units = units;
	}
	err = start_parts(n, cpu);
	if (err)
		return BENCH_FAILED;
	for (i = 0; i < n; i++) {
		wait_for_completion(&parts[i].done);
		err = err ?: parts[i].err;
	}
	if (err)
		return BENCH_FAILED;
	for (k = 0; k < SAMPLES; k++)
		least = min(least, sample(n, k));
	return least;
}

/* Units that make a sample of the length wanted, or 0. */
static unsigned int trial(const struct bench_arm *arm, int (*work)(struct part *part))
{
	unsigned int units = 1;
	u64 time;

	for (;;) {
		time = together(arm, work, units, 1, 0);
		if (time == BENCH_FAILED)
			return 0;
		if (time > SAMPLE_NS / 4 || units > SZ_64K)
			break;
		units *= 4;
	}
	return max_t(u64, div64_u64(units * (u64)SAMPLE_NS, time), 1);
}

/* Thousandths: work of two CPUs over twice that of one; 0 if it cannot be told. */
static u64 ratio(const struct bench_arm *arm, int (*work)(struct part *part),
		 unsigned int units, unsigned int round)
{
	u64 one = together(arm, work, units, 1, round % CPUS);
	u64 two = together(arm, work, units, CPUS, 0);

	if (one == BENCH_FAILED || two == BENCH_FAILED)
		return 0;
	return div64_u64(one * 1000, max(two, 1ULL));
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static int measure(const char *name, int (*work)(struct part *part))
{
	static u64 ratios[ARMS][ROUNDS], against[ARMS - 1][ROUNDS];
	unsigned int units[ARMS], a, round = 0, tries;

	for (a = 0; a < ARMS; a++) {
		units[a] = trial(arms[a], work);
		if (!units[a])
			return -ENOMEM;
	}
	/* A round counts when all of it could be told. */
	for (tries = 0; round < ROUNDS && tries < 3 * ROUNDS; tries++) {
		for (a = 0; a < ARMS; a++) {
			ratios[a][round] = ratio(arms[a], work, units[a], tries);
			if (!ratios[a][round])
				break;
		}
		if (a < ARMS)
			continue;
		for (a = 0; a < ARMS - 1; a++)
			against[a][round] = div64_u64(ratios[a][round] * 1000,
						      ratios[ARMS - 1][round]);
		round++;
	}
	bench_say("note %s: %u rounds of %u tried count\n", name, round, tries);
	if (!round)
		return 0;
	for (a = 0; a < ARMS; a++) {
		sort(ratios[a], round, sizeof(u64), compare, NULL);
		bench_value(name, "ratio", arms[a]->name, ratios[a][round / 2]);
	}
	for (a = 0; a < ARMS - 1; a++) {
		sort(against[a], round, sizeof(u64), compare, NULL);
		bench_say("against %s %s %s %llu %llu %llu\n", name, arms[a]->name,
			  arms[ARMS - 1]->name, against[a][round / 4],
			  against[a][round / 2], against[a][round * 3 / 4]);
	}
	return 0;
}

static int prepare(void)
{
	struct rnd_state dice;
	unsigned int i;

	prandom_seed_state(&dice, 42);
	for (i = 0; i < RAND_PAGES; i++) {
		unsigned int j = prandom_u32_state(&dice) % (i + 1);

		permutation[i] = permutation[j];
		permutation[j] = i;
	}
	for (i = 0; i < CPUS; i++) {
		parts[i].slots = kvmalloc_array(RAND_PAGES, sizeof(void *), GFP_KERNEL);
		parts[i].shuffled = kvmalloc_array(RAND_PAGES, sizeof(void *), GFP_KERNEL);
		if (!parts[i].slots || !parts[i].shuffled)
			return -ENOMEM;
	}
	return 0;
}

int bench_smp(void)
{
	unsigned int i, open = 0;
	int err = 0;

	if (!bench_wanted("smp2."))
		return 0;
	if (!cpu_online(0) || !cpu_online(1)) {
		bench_say("note smp2: needs two CPUs\n");
		return 0;
	}
	err = prepare();
	while (!err && open < ARMS) {
		err = arms[open]->open(POOL_BYTES);
		open += !err;
	}
	for (i = 0; i < ARRAY_SIZE(works) && !err; i++)
		err = measure(works[i].name, works[i].work);
	while (open--)
		arms[open]->close();
	for (i = 0; i < CPUS; i++) {
		kvfree(parts[i].slots);
		kvfree(parts[i].shuffled);
	}
	return err;
}
