// SPDX-License-Identifier: GPL-2.0
/*
 * The workloads. A mixture is a line in the table at the end.
 *
 *	(frag)		fill nine tenths with single pages, free half of them at random; a
 *			hundred rounds of freeing a tenth of what is out and taking as many
 *	one		begins so; then 600 rounds of a tenth, in which one page is freed and
 *			one taken each time: the lists of a CPU could do it by themselves
 *	mixed50, mixed80, mixed90
 *			orders 0 to 6, of which most are 0; random replacement, one block
 *			in twenty of a set that is replaced as slowly
 *	equal50, wide50	as many bytes in each of orders 0 to 8 and 0 to 9
 *	low70		orders 0 to 3, as many blocks of each
 *			These are judged several times.
 *	o9at95		mixed to 95 percent; then what is asked for are blocks of 2 MiB
 *	bursts		mixed orders up to nine tenths and back, with a trickle of blocks
 *			that stay; that burst blocks are of short life is said, and the
 *			troughs are judged
 *	quiet		the same, where nobody says what lives for long
 *	lives50, lives80, lives90
 *			as mixed, but every other block is of each set and it is said of one
 *			that it is short, though both live alike: what a hint costs that tells
 *			nothing
 *	slow80		the same, where one block in twenty is of the set that stays: the hint
 *			is true
 *	sweep90, sweep97
 *			as mixed, but the oldest block goes next, roughly
 *	lifo		what came last goes first, between all levels
 *	immortal	one block in a hundred is never freed, up to a tenth of memory
 *	demand9		single pages are replaced at a level of 60 percent, beside them blocks
 *			of 2 MiB up to 20; the share is of the latter: served of asked
 *	trace		sizes and lives as a machine at work has them: see trace.c
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "trace.h"

#define FILL	90	/* percent, of those that begin or peak there */

#define LOOKS	8	/* of the second half of a walk, so that chance is less */

/* Fill with single pages, and free some of them at random. */
static void spread(struct frag_drive *d, u32 level)
{
	u32 turn;

	for (turn = frag_percent(d, FILL); turn; turn--)
		frag_take(d, FRAG_SET, 0, FRAG_PLAIN);
	while (d->out[FRAG_SET] > level)
		frag_drop_any(d, FRAG_SET);
}

static void run_frag(struct frag_drive *d, const struct frag_workload *w)
{
	u32 round, i, tenth;

	spread(d, frag_percent(d, w->level));
	tenth = d->n[FRAG_SET] / 10;
	for (round = 0; round < w->rounds; round++) {
		for (i = 0; i < tenth; i++)
			frag_drop_any(d, FRAG_SET);
		for (i = 0; i < tenth; i++)
			frag_take(d, FRAG_SET, 0, FRAG_PLAIN);
		frag_pause(d, 0);
	}
	frag_judge(d);
}

static void run_one(struct frag_drive *d, const struct frag_workload *w)
{
	u32 i, tenth;

	spread(d, frag_percent(d, w->level));
	tenth = d->n[FRAG_SET] / 10;
	for (i = 0; i < w->rounds * tenth; i++) {
		frag_drop_any(d, FRAG_SET);
		frag_take(d, FRAG_SET, 0, FRAG_PLAIN);
		frag_pause(d, i);
	}
	frag_judge(d);
}

/* One in some belongs to those that stay. */
static unsigned int draw_set(struct frag_drive *d, const struct frag_workload *w)
{
	return w->one_long_in && !frag_draw(d, w->one_long_in) ? FRAG_SET_LONG : FRAG_SET;
}

/* Of blocks that do not stay it may be said. */
static enum frag_life life_of(const struct frag_workload *w, unsigned int set)
{
	return w->said && set == FRAG_SET ? FRAG_SHORT : FRAG_PLAIN;
}

/* A block comes, and blocks of its set go until that is at its level. */
static void mix_some(struct frag_drive *d, const struct frag_workload *w,
		     u32 steps)
{
	const u32 level[FRAG_SETS] = { frag_percent(d, w->level),
				       frag_percent(d, w->level_long) };
	u32 turn;

	for (turn = 0; turn < steps; turn++) {
		unsigned int set = draw_set(d, w);

		frag_take(d, set, frag_draw_order(d, w), life_of(w, set));
		while (d->out[set] > level[set])
			frag_drop_any(d, set);
		frag_pause(d, turn);
	}
}

static void run_mixed(struct frag_drive *d, const struct frag_workload *w)
{
	u32 i;

	mix_some(d, w, d->steps / 2);
	for (i = 0; i < LOOKS; i++) {
		mix_some(d, w, d->steps / 2 / LOOKS);
		frag_judge(d);
	}
}

/* Of the frames that are left, how many come as blocks of 2 MiB? */
static void run_demand_at_end(struct frag_drive *d, const struct frag_workload *w)
{
	u32 served = 0, best;
	u64 refused;

	mix_some(d, w, d->steps);
	if (d->arm->settle)
		d->arm->settle();
	best = (d->m->frames - d->out[0] - d->out[1]) / FRAG_AREA_FRAMES;
	refused = d->r->refused;
	while (served < best && frag_take(d, FRAG_SET, 9, FRAG_PLAIN))
		served++;
	frag_judge_served(d, served, best);
	d->r->refused = refused;
}

static void burst(struct frag_drive *d, const struct frag_workload *w)
{
	u32 top = frag_percent(d, FILL), level = frag_percent(d, w->level_long), turn;

	/* An arm that refuses is not asked for ever. */
	for (turn = 0; turn < d->m->frames && d->out[0] + d->out[1] < top; turn++) {
		unsigned int set = draw_set(d, w);

		frag_take(d, set, frag_draw_order(d, w), life_of(w, set));
		while (d->out[FRAG_SET_LONG] > level)
			frag_drop_any(d, FRAG_SET_LONG);
		frag_pause(d, turn);
	}
	for (turn = 0; d->n[FRAG_SET]; turn++) {
		frag_drop_any(d, FRAG_SET);
		frag_pause(d, turn);
	}
}

/* The first half is there to forget how memory was at the start. */
static void run_bursts(struct frag_drive *d, const struct frag_workload *w)
{
	u32 i;

	for (i = 0; i < w->rounds; i++) {
		burst(d, w);
		if (i >= w->rounds / 2)
			frag_judge(d);
	}
}

static void run_lifo(struct frag_drive *d, const struct frag_workload *w)
{
	u32 long_level = frag_percent(d, w->level_long), target, turn = 0;
	bool last;

	do {
		last = turn >= d->steps;
		target = frag_percent(d, last ? w->level : 5 + frag_draw(d, 80));
		for (; d->out[FRAG_SET] < target && turn < 2 * d->steps; turn++) {
			unsigned int set = draw_set(d, w);

			frag_take(d, set, frag_draw_order(d, w), FRAG_PLAIN);
			while (d->out[FRAG_SET_LONG] > long_level)
				frag_drop_any(d, FRAG_SET_LONG);
			frag_pause(d, turn);
		}
		while (d->out[FRAG_SET] > target)
			frag_drop(d, FRAG_SET, d->n[FRAG_SET] - 1);
	} while (!last);
	frag_judge(d);
}

static void run_immortal(struct frag_drive *d, const struct frag_workload *w)
{
	u32 level = frag_percent(d, w->level), most = frag_percent(d, w->level_long);
	u32 turn;

	for (turn = 1; turn <= d->steps; turn++) {
		unsigned int set = draw_set(d, w);

		if (d->out[FRAG_SET_LONG] >= most)
			set = FRAG_SET;
		frag_take(d, set, frag_draw_order(d, w), FRAG_PLAIN);
		while (d->out[FRAG_SET] > level)
			frag_drop_any(d, FRAG_SET);
		if (turn > d->steps / 2 && turn % (d->steps / 2 / LOOKS) == 0)
			frag_judge(d);
		frag_pause(d, turn);
	}
}

static void run_demand_beside(struct frag_drive *d, const struct frag_workload *w)
{
	u32 most = frag_percent(d, w->level_long), turn, asked = 0, served = 0;

	spread(d, frag_percent(d, w->level));
	for (turn = 0; turn < d->steps; turn++) {
		frag_drop_any(d, FRAG_SET);
		frag_take(d, FRAG_SET, 0, FRAG_PLAIN);
		if (turn % w->one_long_in == 0) {
			asked++;
			served += !!frag_take(d, FRAG_SET_LONG, 9, FRAG_PLAIN);
			while (d->out[FRAG_SET_LONG] > most)
				frag_drop_any(d, FRAG_SET_LONG);
		}
		frag_pause(d, turn);
	}
	frag_judge_served(d, served, asked);
}

/* As mixed, but what goes is the next in turn: all that are there once before any twice. */
static void run_sweep(struct frag_drive *d, const struct frag_workload *w)
{
	u32 level = frag_percent(d, w->level), turn, next = 0;

	for (turn = 1; turn <= d->steps; turn++) {
		frag_take(d, FRAG_SET, frag_draw_order(d, w), FRAG_PLAIN);
		while (d->out[FRAG_SET] > level) {
			if (next >= d->n[FRAG_SET])
				next = 0;
			frag_drop(d, FRAG_SET, next++);
		}
		if (turn > d->steps / 2 && turn % (d->steps / 2 / LOOKS) == 0)
			frag_judge(d);
		frag_pause(d, turn);
	}
}

#define ORDERS_0_TO_6	{ 70, 10, 8, 6, 4, 0, 2 }

const struct frag_workload frag_workloads[] = {
	{ .name = "", .run = run_frag, .level = 45, .rounds = 100 },
	{ .name = "one", .run = run_one, .level = 45, .rounds = 600 },
	{ .name = "mixed50", .run = run_mixed, .weights = ORDERS_0_TO_6,
	  .level = 30, .level_long = 20, .one_long_in = 20 },
	{ .name = "mixed80", .run = run_mixed, .weights = ORDERS_0_TO_6,
	  .level = 60, .level_long = 20, .one_long_in = 20 },
	{ .name = "mixed90", .run = run_mixed, .weights = ORDERS_0_TO_6,
	  .level = 70, .level_long = 20, .one_long_in = 20 },
	{ .name = "equal50", .run = run_mixed,
	  .weights = { 256, 128, 64, 32, 16, 8, 4, 2, 1 },
	  .level = 30, .level_long = 20, .one_long_in = 20 },
	{ .name = "wide50", .run = run_mixed,
	  .weights = { 512, 256, 128, 64, 32, 16, 8, 4, 2, 1 },
	  .level = 30, .level_long = 20, .one_long_in = 20 },
	{ .name = "low70", .run = run_mixed, .weights = { 1, 1, 1, 1 },
	  .level = 50, .level_long = 20, .one_long_in = 20 },
	{ .name = "o9at95", .run = run_demand_at_end, .of_served = true,
	  .weights = ORDERS_0_TO_6,
	  .level = 75, .level_long = 20, .one_long_in = 20 },
	{ .name = "bursts", .run = run_bursts, .weights = ORDERS_0_TO_6, .said = true,
	  .level_long = 5, .one_long_in = 20, .rounds = 20 },
	{ .name = "quiet", .run = run_bursts, .weights = ORDERS_0_TO_6,
	  .level_long = 5, .one_long_in = 20, .rounds = 20 },
	{ .name = "lives50", .run = run_mixed, .weights = ORDERS_0_TO_6, .said = true,
	  .level = 30, .level_long = 20, .one_long_in = 2 },
	{ .name = "lives80", .run = run_mixed, .weights = ORDERS_0_TO_6, .said = true,
	  .level = 50, .level_long = 30, .one_long_in = 2 },
	{ .name = "lives90", .run = run_mixed, .weights = ORDERS_0_TO_6, .said = true,
	  .level = 60, .level_long = 30, .one_long_in = 2 },
	{ .name = "slow80", .run = run_mixed, .weights = ORDERS_0_TO_6, .said = true,
	  .level = 50, .level_long = 30, .one_long_in = 20 },
	{ .name = "lifo", .run = run_lifo, .weights = ORDERS_0_TO_6,
	  .level = 40, .level_long = 10, .one_long_in = 20 },
	{ .name = "immortal", .run = run_immortal, .weights = ORDERS_0_TO_6,
	  .level = 40, .level_long = 10, .one_long_in = 100 },
	{ .name = "demand9", .run = run_demand_beside, .of_served = true, .level = 60,
	  .level_long = 20, .one_long_in = 1000 },
	{ .name = "sweep90", .run = run_sweep, .weights = ORDERS_0_TO_6, .level = 90 },
	{ .name = "sweep97", .run = run_sweep, .weights = ORDERS_0_TO_6, .level = 97 },
	{ .name = "trace", .run = frag_run_trace, .level = 60 },
};

const unsigned int frag_nr_workloads = ARRAY_SIZE(frag_workloads);

const struct frag_workload *frag_workload(const char *name)
{
	unsigned int i;

	for (i = 0; i < frag_nr_workloads; i++)
		if (!strcmp(frag_workloads[i].name, name))
			return &frag_workloads[i];
	return NULL;
}
