// SPDX-License-Identifier: GPL-2.0
/*
 * smp2.*: what two CPUs get done, over twice what one does.
 *
 * Threads are bound and start together. Each does the same piece of work again and
 * again, a fixed number of operations, and notes when each piece began and ended. A
 * piece of two threads counts when the other one was at work all the while. The
 * machine that runs the VM has other work too, and takes a virtual CPU away for
 * longer than a piece lasts: one that took twice the shortest was interrupted,
 * and neither it nor what the other CPU did meanwhile counts. The median of what is
 * left is the time of a piece. A round takes it for every arm on one CPU and on two;
 * the CPU that works alone alternates.
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
#define ROUNDS		9
#define PIECES		400	/* each thread does at least so many, */
#define PIECES_MAX	3000	/* and notes at most so many */
#define TRIES		5	/* to find the two at work at once */
#define ENOUGH		10	/* so many must count */
#define ARMS		3
#define PAGE_BYTES	SZ_128M
#define CACHE_BYTES	SZ_64M
#define OBJECT		256
#define GROUP		128
#define RAND_PAGES	384	/* more than a CPU's list of quarry holds */
#define PIECE_NS	(200 * NSEC_PER_USEC)

/* Quarry first, the control last. */
static const struct bench_arm *const page_arms[ARMS] = {
	&bench_quarry, &bench_kernel, &bench_control,
};

static const struct bench_arm *const cache_arms[ARMS] = {
	&bench_cache, &bench_kmem, &bench_control,
};

struct piece {
	u64 start;
	u64 end;
};

/* One thread's part. */
struct part {
	const struct bench_arm *arm;
	int (*work)(struct part *part);
	unsigned int units;
	void **slots;
	void **shuffled;
	struct piece *pieces;
	unsigned int n;
	int err;
	struct completion done;
};

static struct part parts[CPUS];
static atomic_t arrived, finished;
static unsigned int expected;
static u64 times[CPUS * PIECES_MAX];
static u16 permutation[RAND_PAGES];

/* One unit of each work is a hundred pairs or some more. */
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

static const struct smp_work {
	const char *name;
	int (*work)(struct part *part);
	const struct bench_arm *const *arms;
	u64 bytes;
} works[] = {
	{ "smp2.page.pair.o0", work_pair, page_arms, PAGE_BYTES },
	{ "smp2.page.batch128.o0", work_batch, page_arms, PAGE_BYTES },
	{ "smp2.page.rand.o0", work_rand, page_arms, PAGE_BYTES },
	{ "smp2.cache.pair.256", work_pair, cache_arms, CACHE_BYTES },
	{ "smp2.cache.batch128.256", work_batch, cache_arms, CACHE_BYTES },
};

/* Who is done goes on until all are, so that nobody works alone. */
static int part_thread(void *data)
{
	struct part *p = data;
	bool done = false;

	atomic_inc(&arrived);
	while (atomic_read(&arrived) < expected)
		cpu_relax();
	while (atomic_read(&finished) < expected) {
		u64 start = ktime_get_ns();

		p->err = p->err ?: p->work(p);
		if (p->n < PIECES_MAX)
			p->pieces[p->n++] = (struct piece){ start, ktime_get_ns() };
		if (!done && (p->n >= PIECES || p->err)) {
			atomic_inc(&finished);
			done = true;
		}
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
	atomic_set(&finished, 0);
	expected = n;
	for (i = 0; i < n; i++) {
		init_completion(&parts[i].done);
		parts[i].err = 0;
		parts[i].n = 0;
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

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static u64 length(const struct piece *piece)
{
	return piece->end - piece->start;
}

/*
 * Was the part at work, and not interrupted, from start to end of @piece? @from is
 * where to begin looking; pieces are asked for in order.
 */
static bool at_work(const struct part *p, const struct piece *piece, u64 limit,
		    unsigned int *from)
{
	unsigned int k;

	while (*from < p->n && p->pieces[*from].end < piece->start)
		(*from)++;
	if (*from == p->n || p->pieces[*from].start > piece->start + length(piece) / 20)
		return false;
	for (k = *from; k < p->n; k++) {
		if (length(&p->pieces[k]) > limit)
			return false;
		if (p->pieces[k].end >= piece->end)
			return true;
	}
	return false;
}

/* The median time of the pieces of @n parts that count, or BENCH_FAILED. */
static u64 median(unsigned int n)
{
	unsigned int i, j, k, from, count = 0;
	u64 limit = U64_MAX;

	for (i = 0; i < n; i++)
		for (k = 0; k < parts[i].n; k++)
			limit = min(limit, length(&parts[i].pieces[k]));
	limit *= 2;
	for (i = 0; i < n; i++) {
		j = n - 1 - i;
		for (k = 0, from = 0; k < parts[i].n; k++) {
			const struct piece *piece = &parts[i].pieces[k];

			if (length(piece) <= limit &&
			    (i == j || at_work(&parts[j], piece, limit, &from)))
				times[count++] = length(piece);
		}
	}
	if (count < ENOUGH)
		return BENCH_FAILED;
	sort(times, count, sizeof(u64), compare, NULL);
	return max(times[count / 2], 1ULL);
}

/* Time of a piece of @units on @n CPUs from @cpu on; BENCH_FAILED if none counts. */
static u64 together(const struct bench_arm *arm, int (*work)(struct part *part),
		    unsigned int units, unsigned int n, unsigned int cpu)
{
	unsigned int i;
	int err;

	for (i = 0; i < n; i++) {
		parts[i].arm = arm;
		parts[i].work = work;
		parts[i].units = units;
	}
	err = start_parts(n, cpu);
	if (err) {
		parts[0].err = err;
		return BENCH_FAILED;
	}
	for (i = 0; i < n; i++) {
		wait_for_completion(&parts[i].done);
		err = err ?: parts[i].err;
	}
	return err ? BENCH_FAILED : median(n);
}

/* Did a part fail, and not just find no time? */
static int failed(void)
{
	return parts[0].err;
}

/* Units that make a piece of the length wanted; 0 if that cannot be told. */
static int trial(const struct bench_arm *arm, int (*work)(struct part *part),
		 unsigned int *wanted)
{
	unsigned int units = 1, tries = 0;
	u64 time;

	*wanted = 0;
	for (;;) {
		time = together(arm, work, units, 1, 0);
		if (time == BENCH_FAILED) {
			if (failed() || ++tries == TRIES)
				return failed();
			continue;
		}
		if (time > PIECE_NS / 4 || units > SZ_64K)
			break;
		units *= 4;
	}
	*wanted = max_t(u64, div64_u64(units * (u64)PIECE_NS, time), 1);
	return 0;
}

/* Thousandths: work of two CPUs over twice that of one; 0 if it cannot be told. */
static u64 ratio(const struct bench_arm *arm, int (*work)(struct part *part),
		 unsigned int units, unsigned int round)
{
	u64 one = together(arm, work, units, 1, round % CPUS);
	u64 two = BENCH_FAILED;
	unsigned int tries;

	for (tries = 0; tries < TRIES && two == BENCH_FAILED; tries++)
		two = together(arm, work, units, CPUS, 0);
	if (one == BENCH_FAILED || two == BENCH_FAILED)
		return 0;
	return div64_u64(one * 1000, two);
}

static int measure(const char *name, int (*work)(struct part *part),
		   const struct bench_arm *const *arms)
{
	static u64 ratios[ARMS][ROUNDS], against[ARMS - 1][ROUNDS];
	unsigned int units[ARMS], a, round = 0, tries;

	for (a = 0; a < ARMS; a++) {
		int err = trial(arms[a], work, &units[a]);

		if (err)
			return err;
		if (!units[a]) {
			bench_say("note %s: 0 rounds of 0 tried count\n", name);
			return 0;
		}
	}
	/* A round counts when all of it could be told. */
	for (tries = 0; round < ROUNDS && tries < 2 * ROUNDS; tries++) {
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

static int measure_open(const struct smp_work *w)
{
	unsigned int open = 0;
	int err = 0;

	while (!err && open < ARMS) {
		err = w->arms[open]->open(w->bytes, OBJECT);
		open += !err;
	}
	if (!err)
		err = measure(w->name, w->work, w->arms);
	while (open--)
		w->arms[open]->close();
	return err;
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
		parts[i].pieces = kvmalloc_array(PIECES_MAX, sizeof(struct piece), GFP_KERNEL);
		if (!parts[i].slots || !parts[i].shuffled || !parts[i].pieces)
			return -ENOMEM;
	}
	return 0;
}

int bench_smp(void)
{
	bool wanted = false;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(works); i++)
		wanted |= bench_wanted(works[i].name);
	if (!wanted)
		return 0;
	if (!cpu_online(0) || !cpu_online(1)) {
		bench_say("note smp2: needs two CPUs\n");
		return 0;
	}
	err = prepare();
	for (i = 0; i < ARRAY_SIZE(works) && !err; i++)
		if (bench_wanted(works[i].name))
			err = measure_open(&works[i]);
	for (i = 0; i < CPUS; i++) {
		kvfree(parts[i].slots);
		kvfree(parts[i].shuffled);
		kvfree(parts[i].pieces);
	}
	return err;
}
