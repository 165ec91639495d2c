// SPDX-License-Identifier: GPL-2.0
/*
 * What must stay whole: the workloads of tools/bench/frag on the core, judged.
 *
 * A test is a workload. What the core keeps whole must reach the goals of the table, or
 * what first fit keeps in the same drives, and it may refuse no more blocks than first fit
 * does. There is no clock in it and all is drawn from the seeds, so a test gives the same
 * figures each time: only a change of the policy changes them.
 *
 * Where blocks go in the order in which they came and nothing else is free (sweep97) first
 * fit refuses half as many, and there the core is held to a figure alone.
 *
 * A share is that of all seeds together, and it is in part a matter of chance, first fit's
 * as well. So one block may be missing each time that they are counted.
 *
 * Before that the count itself is tested: by an arm that gives a wrong account, one that
 * gives a block twice, one whose blocks are not aligned, one that has too little. Each
 * must be seen.
 *
 *	SEEDS=		so many (2), from SEED= (1)
 *	EFFORT=		percent of 6 million steps a GiB (50)
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../bench/frag/list.h"
#include "bench/frag.h"
#include "tap.h"

/* Of a thousand that first fit refuses, so many more: where a refusal is a matter of chance. */
#define MORE_REFUSED	40

/* --- the count ---------------------------------------------------------------------- */

#define SMALL	16384u		/* frames */

static struct list_buddy liar;
static u64 surplus;		/* areas that it says are whole, and are not */
static u64 shift;		/* of every frame number */
static u64 alias;		/* bit that no frame number has */

static unsigned long liar_get(unsigned int order, enum frag_life life)
{
	(void)life;
	return list_buddy_claim(&liar, order);
}

static void liar_put(unsigned long block, unsigned int order)
{
	if (!list_buddy_release(&liar, block, order))
		abort();
}

static u64 liar_frame(unsigned long block)
{
	return (block & ~alias) + shift;
}

static u64 liar_whole(void)
{
	return list_buddy_areas(&liar) + surplus;
}

/* Faults of a short drive of an arm over @frames of which it promises SMALL. */
static u64 violations(struct frag_arm arm, u32 frames)
{
	struct frag_memory m = { .frames = SMALL, .nr_areas = SMALL / FRAG_AREA_FRAMES };
	struct list_frame *descriptors = calloc(SMALL, sizeof(*descriptors));
	struct frag_result r;

	m.blocks = calloc(m.frames, sizeof(*m.blocks));
	m.areas = calloc(m.nr_areas, sizeof(*m.areas));
	if (!m.blocks || !m.areas || !descriptors)
		abort();
	arm.name = "liar";
	arm.put = liar_put;
	arm.frame = liar_frame;
	list_buddy_init(&liar, descriptors, frames);
	frag_run(frag_workload("mixed80"), &arm, &m, 1, 100, &r);
	free(m.blocks);
	free(m.areas);
	free(descriptors);
	return r.violations;
}

static void count_holds(const void *arg)
{
	(void)arg;
	tap_require(!violations((struct frag_arm){ .get = liar_get, .whole = liar_whole }, SMALL),
		    "an honest arm has violations");
}

static void count_sees_account(const void *arg)
{
	(void)arg;
	surplus = 1;
	tap_require(violations((struct frag_arm){ .get = liar_get, .whole = liar_whole }, SMALL),
		    "an area too many is not seen");
}

static void count_sees_twice(const void *arg)
{
	(void)arg;
	/* Every second area lies on the one before. */
	alias = FRAG_AREA_FRAMES;
	tap_require(violations((struct frag_arm){ .get = liar_get }, SMALL),
		    "a frame that is out twice is not seen");
}

static void count_sees_alignment(const void *arg)
{
	(void)arg;
	shift = 1;
	tap_require(violations((struct frag_arm){ .get = liar_get }, SMALL),
		    "blocks that are not aligned are not seen");
}

static void count_sees_shortage(const void *arg)
{
	(void)arg;
	tap_require(violations((struct frag_arm){ .get = liar_get }, SMALL / 2),
		    "half of the memory is not missed");
}

/* --- the floors --------------------------------------------------------------------- */

/**
 * struct floor - what a workload must reach
 * @name:	the workload
 * @mib:	the pool
 * @arena_mib:	its arenas
 * @goal:	thousandths, by size of block; 0: none
 * @first:	and what first fit does, in shares of 2 MiB and in what is refused
 * @refused:	of a million blocks at most so many; 0: no more than first fit
 */
static const struct floor {
	const char *name;
	u32 mib;
	u32 arena_mib;
	u32 goal[FRAG_SIZES];
	bool first;
	u32 refused;
} floors[] = {
	{ "", 1024, 4, { 990, 950, 900 }, false, 0 },
	{ "", 1024, 1024, { 990, 950, 900 }, false, 0 },
	{ "one", 1024, 4, { 990, 950, 900 }, false, 0 },
	{ "bursts", 1024, 4, { 990, 950, 800 }, false, 0 },
	{ "mixed50", 256, 4, { 940 }, .first = true },
	{ "mixed80", 256, 4, { 840 }, .first = true },
	{ "mixed90", 256, 4, { 650 }, .first = true },
	{ "equal50", 256, 4, { 910 }, .first = true },
	{ "wide50", 256, 4, { 900 }, .first = true },
	{ "low70", 256, 4, { 970 }, .first = true },
	{ "o9at95", 256, 4, .first = true, .refused = 200 },
	{ "quiet", 256, 4, .first = true },
	{ "lives50", 256, 4, .first = true },
	{ "lives80", 256, 4, .first = true },
	{ "lives90", 256, 4, .first = true },
	{ "slow80", 256, 4, .first = true },
	{ "lives80", 256, 256, .first = true },
	{ "sweep90", 256, 4, { 840 }, .first = true },
	{ "sweep97", 256, 4, .refused = 200 },
	{ "lifo", 256, 4, .first = true },
	{ "immortal", 256, 4, { 930 }, .first = true },
	{ "immortal", 256, 256, { 930 }, .first = true },
	{ "demand9", 256, 4, { 720 }, .first = true },
	{ "trace", 256, 4, { 960 }, .first = true },
};

/**
 * struct kept - by one arm, in all drives of a workload
 * @share:	mean, in thousandths, by size of block
 * @block:	what one block each time is of it
 * @asked:	blocks
 * @refused:	of these
 */
struct kept {
	u32 share[FRAG_SIZES];
	u32 block[FRAG_SIZES];
	u64 asked;
	u64 refused;
};

static struct kept drive_all(const struct floor *floor, const struct arm *arm)
{
	u64 first = env_number("SEED", 1), seeds = env_number("SEEDS", 2), s;
	struct frag_result all = {}, r;
	enum frag_size size;
	struct kept kept;

	for (s = first; s < first + seeds; s++) {
		drive_arm(frag_workload(floor->name), arm, floor->mib * 256, s,
			  env_number("EFFORT", 50), &r);
		printf("# %s seed %llu: 2 MiB %u, 4 MiB %u, 16 MiB %u; %llu refused\n",
		       arm->name, s, frag_share_milli(&r, FRAG_2M),
		       frag_share_milli(&r, FRAG_4M), frag_share_milli(&r, FRAG_16M),
		       r.refused);
		all.asked += r.asked;
		all.refused += r.refused;
		all.looks += r.looks;
		for (size = 0; size < FRAG_SIZES; size++) {
			all.whole[size] += r.whole[size];
			all.best[size] += r.best[size];
		}
	}
	kept.asked = all.asked;
	kept.refused = all.refused;
	for (size = 0; size < FRAG_SIZES; size++) {
		kept.share[size] = frag_share_milli(&all, size);
		kept.block[size] = all.best[size] ? all.looks * 1000 / all.best[size] : 0;
	}
	return kept;
}

static void judge(const void *arg)
{
	const struct floor *floor = arg;
	struct kept kept, first;
	enum frag_size size;
	char arena[16];

	snprintf(arena, sizeof(arena), "%u", floor->arena_mib);
	setenv("ARENA_MIB", arena, true);
	kept = drive_all(floor, &arm_quarry);
	for (size = 0; size < FRAG_SIZES; size++)
		tap_require(kept.share[size] + kept.block[size] >= floor->goal[size],
			    "less stays whole than must");
	tap_require(!floor->refused || kept.refused * 1000000 <= kept.asked * floor->refused,
		    "more is refused than must");
	if (!floor->first)
		return;
	first = drive_all(floor, &arm_first);
	tap_require(kept.share[FRAG_2M] + kept.block[FRAG_2M] >= first.share[FRAG_2M],
		    "less stays whole than with first fit");
	tap_require(kept.refused * 1000 <= first.refused * (1000 + MORE_REFUSED),
		    "more is refused than by first fit");
}

int main(void)
{
	char name[64];
	unsigned int i;

	tap_plan(5 + ARRAY_SIZE(floors));
	tap_run("the count agrees with an honest arm", count_holds, NULL);
	tap_run("the count sees a wrong account", count_sees_account, NULL);
	tap_run("the count sees a frame that is out twice", count_sees_twice, NULL);
	tap_run("the count sees blocks that are not aligned", count_sees_alignment, NULL);
	tap_run("the count misses memory", count_sees_shortage, NULL);
	for (i = 0; i < ARRAY_SIZE(floors); i++) {
		snprintf(name, sizeof(name), "page.frag%s%s, arenas of %u MiB",
			 *floors[i].name ? "." : "", floors[i].name, floors[i].arena_mib);
		tap_run(name, judge, &floors[i]);
	}
	return tap_end();
}
