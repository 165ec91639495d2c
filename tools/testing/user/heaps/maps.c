// SPDX-License-Identifier: GPL-2.0
/*
 * Maps of heaps beside naive ones.
 *
 * states	Every state that a heap of four pages can reach, and from each every
 *		operation with every argument, failing allocations included: sequences of any
 *		length. The four lie in one word, across two words, and across two leaves.
 *		What tells states apart is all that decides what comes next: of each page what it
 *		has, of each leaf whether it is there and has an array, and where the heap ends.
 * walk		Random operations on windows that are far apart, for STEPS=, ranges from one page
 *		to all that there may be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../dice.h"
#include "../tap.h"
#include "steps.h"

#define PAGES	4
#define OPS	256
#define DEPTH	24

/* Operations with all their arguments, on four pages from @base on. */
static u32 all_ops(struct twin_op *op, u64 base)
{
	static const enum twin_does of_ranges[] = {
		PREPARE, PREPARE_FRAMES, RESERVE, UNRESERVE, GUARD, UNGUARD,
	};
	u32 n = 0, i, k, nr, most;

	for (i = 0; i < PAGES; i++) {
		op[n++] = (struct twin_op){ CLAIM, base + i, 1, 0 };
		op[n++] = (struct twin_op){ FILL, base + i, 1, 0 };
		op[n++] = (struct twin_op){ UNCLAIM, base + i, 1, 0 };
		for (nr = 1; i + nr <= PAGES; nr++) {
			for (k = 0; k < sizeof(of_ranges) / sizeof(*of_ranges); k++)
				op[n++] = (struct twin_op){ of_ranges[k], base + i, nr, 0 };
			for (most = 1; most <= nr; most++)
				op[n++] = (struct twin_op){ TAKE, base + i, nr, most };
		}
	}
	/* Which allocation fails: a leaf, its place, its array, and those of a second one. */
	for (most = 1; most <= 6; most++)
		op[n++] = (struct twin_op){ PREPARE_FRAMES, base, PAGES, most };
	for (i = 0; i <= PAGES; i++)
		op[n++] = (struct twin_op){ RESIZE, 0, base + i, 0 };
	op[n++] = (struct twin_op){ TRIM, 0, 0, 0 };
	if (n > OPS)
		abort();
	return n;
}

/* All that decides what comes next. */
static u32 key_of(const struct twin *t, u64 base)
{
	u32 key = t->size - base, i;

	for (i = 0; i < PAGES; i++) {
		const struct twin_page *p = &t->page[i];

		key = key << 4 | !!p->frame << 3 | p->claimed << 2 | p->reserved << 1 | p->guard;
	}
	for (i = 0; i < t->leaves; i++)
		key = key << 2 | t->leaf[i].there << 1 | t->leaf[i].frames;
	return key;
}

struct states {
	struct twin_op op[OPS];
	u32 nr_ops;
	u64 base;
	u8 (*path)[DEPTH];	/* by state: the operations that lead there */
	u8 *depth;
	u32 *number;		/* by key: 1 + the state */
	u32 nr;
};

static void twin_along(struct twin *t, const struct states *s, u32 state)
{
	u64 at = s->base;
	u32 i;

	twin_init(t, s->base + PAGES, &at, 1, PAGES);
	for (i = 0; i < s->depth[state]; i++)
		twin_do(t, &s->op[s->path[state][i]]);
}

/* Claims end, and frames go, before the map may. */
static void twin_leave(struct twin *t)
{
	u64 index;

	for (index = t->at[0]; index < t->size; index++)
		if (twin_page(t, index)->claimed)
			twin_do(t, &(struct twin_op){ UNCLAIM, index, 1, 0 });
	twin_fini(t);
}

static void states_try(struct states *s, u32 state, u32 i)
{
	static struct twin t;
	u32 key;

	twin_along(&t, s, state);
	if (twin_allows(&t, &s->op[i])) {
		twin_do(&t, &s->op[i]);
		twin_compare(&t);
		key = key_of(&t, s->base);
		if (!s->number[key]) {
			tap_require(s->depth[state] < DEPTH, "a state is far away");
			memcpy(s->path[s->nr], s->path[state], DEPTH);
			s->path[s->nr][s->depth[state]] = i;
			s->depth[s->nr] = s->depth[state] + 1;
			s->number[key] = ++s->nr;
		}
	}
	twin_leave(&t);
}

static void all_states(const void *arg)
{
	const u64 *base = arg;
	struct states s = { .base = *base, .nr = 1 };
	static struct twin t;
	size_t room = 1 << 20;
	u32 state, i;

	s.nr_ops = all_ops(s.op, s.base);
	s.path = calloc(room, DEPTH);
	s.depth = calloc(room, 1);
	s.number = calloc(1 << 23, sizeof(*s.number));
	if (!s.path || !s.depth || !s.number)
		abort();
	twin_along(&t, &s, 0);
	s.number[key_of(&t, s.base)] = 1;
	twin_leave(&t);
	for (state = 0; state < s.nr; state++)
		for (i = 0; i < s.nr_ops; i++)
			states_try(&s, state, i);
	printf("# %u of them, %u operations from each\n", s.nr, s.nr_ops);
	free(s.path);
	free(s.depth);
	free(s.number);
}

static u64 nr_steps;
static u64 seed;

static void walk(const void *arg)
{
	static struct twin t;
	struct dice d;
	u64 step;

	(void)arg;
	dice_seed(&d, seed);
	steps_init(&t);
	for (step = 0; step < nr_steps; step++)
		steps_one(&t, &d);
	steps_fini(&t, &d);
	printf("# seed %llu, %llu steps\n", seed, nr_steps);
}

int main(void)
{
	static const u64 word = 8, words = 62, leaves = 510;

	seed = env_number("SEED", 1);
	nr_steps = env_number("STEPS", 1000000);
	tap_plan(4);
	tap_run("every state in one word", all_states, &word);
	tap_run("every state across words", all_states, &words);
	tap_run("every state across leaves", all_states, &leaves);
	tap_run("walk", walk, NULL);
	return tap_end();
}
