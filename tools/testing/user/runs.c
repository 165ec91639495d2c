// SPDX-License-Identifier: GPL-2.0
/*
 * Runs of any length: what of memory serves them, and what stays whole beside them.
 *
 * The core beside first fit, which is a plain array here that is looked through from its
 * beginning each time. Both get the same requests, without a window, in arenas of the
 * kernel's size and in one large one:
 *
 * full		runs of one length until none is to be had: no fewer than with first fit
 * mixtures	random replacement between levels: the core may refuse no more than first
 *		fit, and must keep as many areas of 2 MiB whole; one block may be missing each
 *		time that they are counted
 * large	the same in 4 GiB, where the index alone must find them; and replacement in one
 *		arena of 8 GiB
 * lives	and where each hole is in an area of another life
 * old way	the count itself: a block of the next power of two with its tail cut off, and
 *		a search only then, must be found to be worse
 *
 * All is drawn from seeds. The cost of a claim is in scale.c, the bits are in twin.c.
 *
 *	SEEDS=		so many (2), from SEED= (1)
 *	STEPS=		requests of a walk (60000)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../module/buddy/buddy.h"
#include "dice.h"
#include "tap.h"

#define FRAMES		65536u		/* 256 MiB */
#define LOOKS		8u

/* More arenas of 4 MiB than a search has steps: 4 GiB. */
#define LARGE		(1024u * 1024)

/* Frames in a row, of which an area has these alone. */
#define HOLE		100u

/* Of a thousand that first fit refuses, so many more: where a refusal is a matter of chance. */
#define MORE_REFUSED	40

struct run {
	struct quarry_arena *a;
	u32 at;		/* in its arena; with first fit in all memory */
	u32 nr;
};

/**
 * struct arm - who is asked
 * @name:	as it is printed
 * @claim:	a run; false if there is none
 * @release:	take it back
 * @whole:	areas that are wholly free
 */
struct arm {
	const char *name;
	bool (*claim)(u32 nr, struct run *run);
	void (*release)(const struct run *run);
	u64 (*whole)(void);
};

static u32 frames, arena_frames;
static struct quarry_buddy buddy;
static struct quarry_arena *arenas;
static u8 *metadata;
static u8 *out;			/* first fit's: a byte a frame */
static u32 lowest;		/* below it no frame is free */

static void memory_init(u32 all, u32 each)
{
	size_t bytes = quarry_arena_metadata_bytes(0, each);
	u32 i;

	frames = all;
	arena_frames = each;
	arenas = calloc(all / each, sizeof(*arenas));
	metadata = calloc(all / each, bytes);
	out = calloc(all, 1);
	if (!arenas || !metadata || !out)
		abort();
	lowest = 0;
	quarry_buddy_init(&buddy);
	buddy.expected = all / QUARRY_AREA_FRAMES;
	for (i = 0; i < all / each; i++) {
		quarry_arena_init(&arenas[i], metadata + i * bytes, (u64)i * each, each);
		quarry_buddy_add(&buddy, &arenas[i], false);
	}
}

static void memory_fini(void)
{
	struct quarry_check c = {};

	quarry_buddy_check(&buddy, &c);
	tap_require(!c.violations, c.what);
	free(arenas);
	free(metadata);
	free(out);
}

/* --- the core ----------------------------------------------------------------------- */

static bool search(u32 nr, struct run *run)
{
	struct quarry_frame f;
	bool zero;
	u32 i;

	for (i = 0; i < frames / arena_frames; i++) {
		struct quarry_search s = { .nr = nr, .align = 1, .hi = { ~0u }, .steps = ~0u };

		if (!quarry_buddy_claim_run(&buddy, &arenas[i], &s, &f, &zero)) {
			*run = (struct run){ &arenas[i], f.i, nr };
			return true;
		}
	}
	return false;
}

static bool quarry_claim(u32 nr, struct run *run)
{
	const struct quarry_want want = { .kind = QUARRY_STATE_RUN };
	struct quarry_block block;

	if (quarry_buddy_claim_anywhere(&buddy, &want, nr, 1, &block))
		return search(nr, run);
	*run = (struct run){ block.arena, block.frame.i, nr };
	return true;
}

static bool old_claim(u32 nr, struct run *run)
{
	const struct quarry_want want = { .order = order_base_2(nr), .kind = QUARRY_STATE_RUN };
	struct quarry_block block;

	if (quarry_buddy_claim(&buddy, &want, &block))
		return search(nr, run);
	quarry_buddy_trim(&buddy, block.arena, block.frame, 1u << want.order, nr);
	*run = (struct run){ block.arena, block.frame.i, nr };
	return true;
}

static void quarry_release(const struct run *run)
{
	struct quarry_frame f = { run->at };

	tap_require(!quarry_arena_check_run(run->a, f, run->nr), "a run is none");
	quarry_buddy_free_run(&buddy, run->a, f, run->nr, false);
}

static u64 quarry_whole(void)
{
	return buddy.nr_whole;
}

/* --- first fit ---------------------------------------------------------------------- */

/* The first frame from @f on that is out, or free; or @end. */
static u32 next_frame(u32 f, u32 end, u8 is)
{
	const u8 *p = memchr(out + f, is, end - f);

	return p ? (u32)(p - out) : end;
}

static bool first_claim(u32 nr, struct run *run)
{
	u32 f, end, border;

	lowest = next_frame(lowest, frames, 0);
	for (f = lowest; f < frames; f = next_frame(end, frames, 0)) {
		/* No run goes over the border of an arena. */
		border = (f / arena_frames + 1) * arena_frames;
		end = next_frame(f, border, 1);
		if (end - f >= nr) {
			memset(out + f, 1, nr);
			*run = (struct run){ NULL, f, nr };
			return true;
		}
	}
	return false;
}

static void first_release(const struct run *run)
{
	memset(out + run->at, 0, run->nr);
	lowest = min(lowest, run->at);
}

static u64 first_whole(void)
{
	u64 nr = 0;
	u32 f;

	for (f = 0; f < frames; f += QUARRY_AREA_FRAMES)
		nr += !memchr(out + f, 1, QUARRY_AREA_FRAMES);
	return nr;
}

static const struct arm quarry = { "quarry", quarry_claim, quarry_release, quarry_whole };
static const struct arm first = { "first fit", first_claim, first_release, first_whole };
static const struct arm old = { "old way", old_claim, quarry_release, quarry_whole };

/* --- what is asked for -------------------------------------------------------------- */

/* Lengths from a list, each as often. */
static const u32 uneven[] = { 3, 5, 9, 17, 33, 65, 129 };

/**
 * struct mixture - lengths that come
 * @name:	of it
 * @lo:		shortest
 * @hi:		longest; 0: of @uneven
 * @one_in:	one in so many is from 100 to 500; 0: none
 */
static const struct mixture {
	const char *name;
	u32 lo;
	u32 hi;
	u32 one_in;
} mixtures[] = {
	{ "65", 65, 65, 0 },
	{ "33 to 63", 33, 63, 0 },
	{ "1 to 100", 1, 100, 0 },
	{ "2^k + 1", 0, 0, 0 },
	{ "1 to 8, 100 to 500", 1, 8, 10 },
	{ "200 to 700", 200, 700, 0 },
};

static const u32 levels[] = { 60, 75, 90 };

static u32 draw(const struct mixture *m, struct dice *d)
{
	if (!m->hi)
		return uneven[dice(d, ARRAY_SIZE(uneven))];
	if (m->one_in && !dice(d, m->one_in))
		return 100 + dice(d, 401);
	return m->lo + dice(d, m->hi - m->lo + 1);
}

struct kept {
	u64 asked;
	u64 refused;
	u64 whole;
	u64 best;
	u64 looks;
};

static void walk(const struct arm *arm, const struct mixture *m, u32 level, u64 seed,
		 struct kept *kept)
{
	u64 steps = env_number("STEPS", 60000), step, held = 0;
	u64 most = (u64)frames * level / 100;
	struct run *runs = calloc(frames, sizeof(*runs));
	u32 nr = 0, i;
	struct dice d;

	if (!runs)
		abort();
	dice_seed(&d, seed);
	for (step = 1; step <= steps; step++) {
		u32 want = draw(m, &d);

		kept->asked++;
		if (arm->claim(want, &runs[nr]))
			held += runs[nr++].nr;
		else
			kept->refused++;
		while (held > most) {
			i = dice(&d, nr);
			arm->release(&runs[i]);
			held -= runs[i].nr;
			runs[i] = runs[--nr];
		}
		if (step > steps / 2 && step % (steps / 2 / LOOKS) == 0) {
			kept->whole += arm->whole();
			kept->best += (frames - held) / QUARRY_AREA_FRAMES;
			kept->looks++;
		}
	}
	while (nr)
		arm->release(&runs[--nr]);
	free(runs);
}

static struct kept walks(const struct arm *arm, const struct mixture *m, u32 level, u32 each)
{
	u64 from = env_number("SEED", 1), seeds = env_number("SEEDS", 2), s;
	struct kept kept = {};

	for (s = from; s < from + seeds; s++) {
		memory_init(FRAMES, each);
		walk(arm, m, level, s, &kept);
		memory_fini();
	}
	printf("# %-9s %-18s at %u %%, arenas of %3u MiB: 2 MiB %.3f, refused %llu of %llu\n",
	       arm->name, m->name, level, each / 256,
	       kept.best ? (double)kept.whole / kept.best : 1, kept.refused, kept.asked);
	fflush(stdout);
	return kept;
}

static bool is_worse(const struct kept *than, const struct kept *is)
{
	return is->refused * 1000 > than->refused * (1000 + MORE_REFUSED) ||
	       is->whole + is->looks < than->whole;
}

static void judge(const void *arg)
{
	const struct mixture *m = arg;
	struct kept is, should;
	u32 each, i;

	for (each = 1024; each <= FRAMES; each *= FRAMES / 1024)
		for (i = 0; i < ARRAY_SIZE(levels); i++) {
			is = walks(&quarry, m, levels[i], each);
			should = walks(&first, m, levels[i], each);
			tap_require(!is_worse(&should, &is), "worse than first fit");
		}
}

static void the_old_way_is_worse(const void *arg)
{
	const struct mixture *m = &mixtures[1];
	struct kept is = walks(&old, m, 75, 1024), should = walks(&first, m, 75, 1024);

	(void)arg;
	tap_require(is_worse(&should, &is), "it is not");
}

/* How many come until no more do. */
static u32 fill(const struct arm *arm, u32 nr, u32 each)
{
	struct run run;
	u32 got = 0;

	memory_init(4096, each);
	while (arm->claim(nr, &run))
		got++;
	memory_fini();
	return got;
}

static void full(const void *arg)
{
	u32 nr, each, is, should, worst_nr = 0;
	double worst = 1;

	(void)arg;
	for (each = 1024; each <= 4096; each *= 4)
		for (nr = 1; nr <= each; nr += nr < 140 ? 1 : 37) {
			is = fill(&quarry, nr, each);
			should = fill(&first, nr, each);
			if ((double)is / should < worst) {
				worst = (double)is / should;
				worst_nr = nr;
			}
		}
	printf("# of what first fit serves %.3f at least, of runs of %u\n", worst, worst_nr);
	tap_require(worst >= 1, "first fit serves more");
}

/* What the index alone finds, without a search by address. */
static u32 fill_by_index(u32 nr, enum quarry_life life)
{
	const struct quarry_want want = { .kind = QUARRY_STATE_RUN, .life = life };
	struct quarry_block block;
	u32 got = 0;

	while (!quarry_buddy_claim_anywhere(&buddy, &want, nr, 1, &block))
		got++;
	return got;
}

/*
 * So much memory that a search has not the steps to look at each arena: what is full, or has
 * room for a little less, must cost it none.
 */
static void large(const void *arg)
{
	static const u32 lengths[] = { 6, 11, 24, 65, 96, 300 };
	u32 i, got, nr;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		nr = lengths[i];
		memory_init(LARGE, 1024);
		got = fill_by_index(nr, QUARRY_LIFE_PAGE);
		printf("# runs of %u in arenas of 4 MiB: %u of %u\n", nr, got,
		       LARGE / 1024 * (1024 / nr));
		tap_require(got == LARGE / 1024 * (1024 / nr), "first fit serves more");
		memory_fini();
	}
}

/* One arena with many areagroups, which have each many areas to step over. */
static void one_arena(const void *arg)
{
	struct kept kept = {};

	(void)arg;
	memory_init(2 * LARGE, 2 * LARGE);
	walk(&quarry, &mixtures[0], 75, 1, &kept);
	memory_fini();
	printf("# 2 MiB %.3f, refused %llu\n", (double)kept.whole / kept.best, kept.refused);
	tap_require(!kept.refused && kept.whole * 100 >= kept.best * 95, "less stays whole");
}

/* Each area has single pages, and HOLE frames in a row free: nothing is left but to mix lives. */
static void holes_of_other_lives(const void *arg)
{
	const struct quarry_want page = { .kind = QUARRY_STATE_ALLOC };
	struct quarry_block block;
	u32 i, j, got;

	(void)arg;
	memory_init(FRAMES, 1024);
	while (!quarry_buddy_claim(&buddy, &page, &block))
		;
	for (i = 0; i < FRAMES / arena_frames; i++)
		for (j = 0; j < arena_frames; j++)
			if (j % QUARRY_AREA_FRAMES < HOLE)
				quarry_buddy_free(&buddy, &arenas[i], (struct quarry_frame){ j }, 0,
						  false);
	got = fill_by_index(HOLE - 1, QUARRY_LIFE_SHORT);
	printf("# %u of %u\n", got, FRAMES / QUARRY_AREA_FRAMES);
	tap_require(got == FRAMES / QUARRY_AREA_FRAMES, "a hole is not found");
	memory_fini();
}

int main(void)
{
	unsigned int i;
	char name[64];

	tap_plan(5 + ARRAY_SIZE(mixtures));
	tap_run("the old way is worse", the_old_way_is_worse, NULL);
	tap_run("full", full, NULL);
	tap_run("large", large, NULL);
	tap_run("one arena of 8 GiB", one_arena, NULL);
	tap_run("holes of other lives", holes_of_other_lives, NULL);
	for (i = 0; i < ARRAY_SIZE(mixtures); i++) {
		snprintf(name, sizeof(name), "runs of %s", mixtures[i].name);
		tap_run(name, judge, &mixtures[i]);
	}
	return tap_end();
}
