// SPDX-License-Identifier: GPL-2.0
/*
 * page.longest: the longest of a million single calls.
 *
 * Allocations and frees in random order around half occupancy of memory of a fixed
 * size; order k with a share of 2^-(k+1), so that every order holds about as much
 * memory. Each call is timed by itself with interrupts off, so that no tick lands
 * in it, and with GFP_NOWAIT, as interrupts off want it. The cost of two clock
 * readings with nothing between them is subtracted: here alone, as it would be half
 * of the figure of most calls.
 */
#include <linux/bitops.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "bench.h"

#define BYTES		SZ_128M
#define FRAMES		(BYTES / PAGE_SIZE)
#define CALLS		1000000

struct walk {
	const struct bench_arm *arm;
	struct rnd_state dice;
	u64 clock;
	u64 longest[2][BENCH_ORDERS];	/* of allocating, of freeing */
	u64 sum;
	unsigned int failed;
	unsigned int frames;		/* out now */
	unsigned int n;
	void **blocks;
	u8 *orders;
};

static void note(struct walk *w, bool freeing, unsigned int order, u64 time)
{
	time -= min(time, w->clock);
	w->sum += time;
	w->longest[freeing][order] = max(w->longest[freeing][order], time);
}

static void take(struct walk *w, unsigned int order)
{
	void *block;
	u64 time;

	block = w->arm->timed_get(order, GFP_NOWAIT | __GFP_NOWARN, &time);
	note(w, false, order, time);
	if (!block) {
		w->failed++;
		return;
	}
	w->blocks[w->n] = block;
	w->orders[w->n++] = order;
	w->frames += 1U << order;
}

static void drop(struct walk *w, unsigned int at)
{
	unsigned int order = w->orders[at];
	u64 time;

	w->arm->timed_put(w->blocks[at], order, &time);
	note(w, true, order, time);
	w->n--;
	w->blocks[at] = w->blocks[w->n];
	w->orders[at] = w->orders[w->n];
	w->frames -= 1U << order;
}

static void walk(struct walk *w)
{
	unsigned int i, order;
	u32 dice;
	bool out;

	for (i = 0; i < CALLS; i++) {
		dice = prandom_u32_state(&w->dice);
		order = __ffs(dice | 1U << (BENCH_ORDERS - 1));
		out = dice >> 31;
		if (w->frames < FRAMES * 2 / 5)
			out = true;
		else if (w->frames + (1U << order) > FRAMES * 3 / 5)
			out = false;
		if (out)
			take(w, order);
		else
			drop(w, prandom_u32_state(&w->dice) % w->n);
		if (i % 1024 == 0)
			cond_resched();
	}
}

static void report(const struct walk *w)
{
	const char *name = w->arm->name;
	unsigned int call, k, at = 0;
	u64 most = 0;

	for (call = 0; call < 2; call++) {
		bench_say("note page.longest %s: %s o0..o10:", name, call ? "free" : "alloc");
		for (k = 0; k < BENCH_ORDERS; k++) {
			bench_say(" %llu", w->longest[call][k]);
			if (w->longest[call][k] > most) {
				most = w->longest[call][k];
				at = call * BENCH_ORDERS + k;
			}
		}
		bench_say("\n");
	}
	bench_value("page.longest", "instructions", name, most * 1000);
	bench_say("note page.longest %s: it was %s of order %u; mean %llu; %u of %u failed\n",
		  name, at < BENCH_ORDERS ? "an allocation" : "a free", at % BENCH_ORDERS,
		  div_u64(w->sum, CALLS), w->failed, CALLS);
}

static u64 clock_cost(void)
{
	u64 least = BENCH_FAILED, start;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		local_irq_save(flags);
		start = ktime_get_ns();
		barrier();
		least = min(least, ktime_get_ns() - start);
		local_irq_restore(flags);
	}
	return least;
}

/* What comes with the first call of a CPU comes once, and is told by itself. */
static void open_first(const struct walk *w)
{
	u64 alloc, free;
	void *block = w->arm->timed_get(0, GFP_KERNEL, &alloc);

	if (!block)
		return;
	w->arm->timed_put(block, 0, &free);
	bench_say("note page.longest %s: the first allocation %llu, the first free %llu\n",
		  w->arm->name, alloc - min(alloc, w->clock), free - min(free, w->clock));
}

static int run(struct walk *w)
{
	int err;

	w->clock = clock_cost();
	prandom_seed_state(&w->dice, 42);
	err = w->arm->open(BYTES, 0);
	if (err)
		return err;
	open_first(w);
	walk(w);
	report(w);
	while (w->n)
		drop(w, w->n - 1);
	w->arm->close();
	return 0;
}

int bench_longest(void)
{
	unsigned int i;
	void **blocks;
	int err = 0;
	u8 *orders;

	if (!bench_wanted("page.longest"))
		return 0;
	blocks = kvmalloc_array(FRAMES, sizeof(*blocks), GFP_KERNEL);
	orders = kvmalloc(FRAMES, GFP_KERNEL);
	if (!blocks || !orders)
		err = -ENOMEM;
	for (i = 0; bench_arms[i] && !err; i++) {
		struct walk w = { .arm = bench_arms[i], .blocks = blocks, .orders = orders };

		err = run(&w);
	}
	kvfree(orders);
	kvfree(blocks);
	return err;
}
