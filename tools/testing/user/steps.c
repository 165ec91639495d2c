// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on twins: which, where and how long, drawn from dice.
 *
 * Small orders are likelier than large ones; phases of filling and emptying take
 * turns, so that a long walk visits an empty pool, a full one, and all between.
 * About one operation in ten is one that must be refused.
 */
#include "steps.h"

#define AREA	512u
#define GROUP	(512u * 512u)

static const u8 kinds[] = {
	QUARRY_STATE_ALLOC, QUARRY_STATE_ALLOC, QUARRY_STATE_PCP,
	QUARRY_STATE_PCP_ZERO, QUARRY_STATE_DEFERRED,
};

static u8 any_kind(struct dice *d)
{
	return kinds[dice(d, ARRAY_SIZE(kinds))];
}

/* Nobody's, or one of a few: two that name the same home are one claimer. */
static u8 any_home(struct dice *d)
{
	return dice(d, 2) ? 0 : dice(d, dice(d, 4) ? 3 : QUARRY_HOMES);
}

static unsigned int any_order(struct dice *d, const struct load *l)
{
	unsigned int n = l->large ? 19 : l->tiny ? 8 : 12;
	unsigned int a = dice(d, n), b = dice(d, n);

	return a < b ? a : b;
}

/* A slot that holds an arena, or @none. */
static unsigned int any_slot(struct twin *t, struct dice *d)
{
	unsigned int i, nr = t->b.nr_arenas, skip;

	if (!nr)
		return MODEL_ARENAS;
	skip = dice(d, nr);
	for (i = 0; i < MODEL_ARENAS; i++)
		if (t->m.arena[i].present && !skip--)
			break;
	return i;
}

/**
 * steps_add_arena() - add an arena of an odd shape
 * @t:	twins with a free slot
 * @d:	dice
 * @l:	load
 */
void steps_add_arena(struct twin *t, struct dice *d, const struct load *l)
{
	unsigned int slot = 0;
	u64 first;
	u32 nr;

	while (t->m.arena[slot].present)
		slot++;
	if (l->large) {
		/* Over a border of areagroups, beginning and ending inside an area. */
		first = GROUP * (1 + dice(d, 3)) - dice(d, 3 * AREA);
		nr = GROUP + 3 * AREA + dice(d, GROUP / 2);
	} else if (l->tiny) {
		first = dice(d, 4096);
		nr = 1 + dice(d, 64);
	} else {
		switch (dice(d, 8)) {
		case 0:
			first = dice(d, 65536);
			nr = 1 + dice(d, 64);
			break;
		case 1:
			first = dice(d, 65536);
			nr = 1 + dice(d, AREA - 1);
			break;
		case 2:		/* what the kernel gives: 4 MiB */
		case 3:
			first = 2 * AREA * dice(d, 4096);
			nr = 2 * AREA;
			break;
		case 4:
			first = dice(d, 65536);
			nr = AREA + dice(d, 5 * AREA);
			break;
		case 5:
			first = AREA * dice(d, 4096);
			nr = AREA * (1 + dice(d, 8));
			break;
		case 6:		/* over a border of areagroups */
			first = GROUP * (1 + dice(d, 7)) - dice(d, 4 * AREA);
			nr = 1 + dice(d, 8 * AREA);
			break;
		default:	/* the lowest frame of all, and very high ones */
			first = dice(d, 2) ? 0 : (1ull << 40) - 1 - dice(d, AREA);
			nr = 1 + dice(d, 4 * AREA);
		}
	}
	twin_add(t, slot, first, nr, dice(d, 2));
}

static void any_claim_at(struct twin *t, struct dice *d, const struct load *l)
{
	unsigned int slot = any_slot(t, d), order = any_order(d, l);
	const struct model_arena *a = &t->m.arena[slot];
	s64 at = dice(d, a->nr + 64);

	/* Mostly aligned, now and then beside it or outside. */
	if (dice(d, 8)) {
		u64 size = 1ull << order;

		at = (s64)((a->first + at) / size * size) - (s64)a->first;
	}
	if (!dice(d, 64))
		order = 19 + dice(d, 10);
	twin_claim_at(t, slot, at, order, any_kind(d));
}

static void any_claim_run(struct twin *t, struct dice *d, const struct load *l)
{
	unsigned int slot = any_slot(t, d);
	u64 size = (u64)t->arena[slot].nr_areas * AREA, lo = 0, hi = size;
	u32 nr, align = 1u << any_order(d, l);

	nr = 1 + dice(d, 1u << (dice(d, l->large ? 14 : 10) + 1));
	if (dice(d, 4)) {
		lo = dice(d, size + 1);
		hi = lo + dice(d, size - lo + 1);
	}
	if (l->large) {
		/* The model tries every frame: keep windows or searches short. */
		hi = hi - lo > 8 * AREA ? lo + 8 * AREA : hi;
	}
	switch (dice(d, 64)) {
	case 0:
		nr = 0;
		break;
	case 1:
		nr = (1u << 18) + dice(d, 2);
		break;
	case 2:
		align = 3 * dice(d, 3);
		break;
	case 3:
		align = 1u << 31;
		break;
	case 4:
		hi = lo ? lo - 1 : 0;
		break;
	case 5:
		hi = ~0u;
		if (l->large)
			lo = size - dice(d, AREA);
		break;
	}
	twin_claim_run(t, slot, lo, hi, nr, align, dice(d, 2));
}

static void any_claim_lowest(struct twin *t, struct dice *d, const struct load *l)
{
	/* The model tries every frame for what is nowhere: of large memory it does not. */
	u32 nr = 1 + dice(d, 1u << (dice(d, l->large ? 6 : 10) + 1));
	u8 life = dice(d, QUARRY_LIVES);
	bool alike = l->large || dice(d, 2);

	twin_claim_lowest(t, nr, 1u << (dice(d, 2) ? 0 : any_order(d, l)), life, alike,
			  dice(d, 8) ? 4096 : dice(d, QUARRY_SEARCH_LEAST));
}

/* A search that the other operations come in between. */
static void any_search(struct twin *t, struct dice *d, const struct load *l)
{
	unsigned int slot = any_slot(t, d);
	u32 size = t->arena[slot].nr_areas * AREA, lo = dice(d, 4) ? 0 : dice(d, size);
	struct quarry_search s = {
		.nr = 1 + dice(d, 1u << (dice(d, l->large ? 14 : 10) + 1)),
		.align = 1u << any_order(d, l),
		.top_down = dice(d, 2),
		.lo = { lo },
		.hi = { dice(d, 4) ? size : lo + dice(d, size - lo + 1) },
	};

	if (!t->searching)
		twin_search_begin(t, slot, &s);
	twin_search_go(t, QUARRY_SEARCH_LEAST + dice(d, 16));
}

static void any_check_run(struct twin *t, struct dice *d)
{
	unsigned int slot;
	u64 at;
	u32 nr;

	if (t->m.nr_live && dice(d, 4)) {
		const struct model_block *p = &t->m.live[dice(d, t->m.nr_live)];

		slot = p->arena;
		at = p->at + t->m.arena[slot].first % AREA;
		nr = p->nr;
		switch (dice(d, 4)) {
		case 0:
			break;
		case 1:
			nr = dice(d, 2 * nr + 1);
			break;
		case 2:
			at += dice(d, nr);
			break;
		default:
			nr += dice(d, 3) - 1;
		}
	} else {
		slot = any_slot(t, d);
		at = dice(d, (u64)t->arena[slot].nr_areas * AREA + 2);
		nr = dice(d, AREA);
	}
	twin_check_run(t, slot, at, nr);
}

static void any_trim(struct twin *t, struct dice *d)
{
	size_t i = dice(d, t->m.nr_live);
	u32 nr = t->m.live[i].nr;
	u32 keep = dice(d, 16) ? 1 + dice(d, nr) : dice(d, 2) ? 0 : nr + dice(d, 3);

	twin_trim(t, i, keep);
}

static void any_churn(struct twin *t, struct dice *d, const struct load *l)
{
	if (!l->churn || (t->b.nr_arenas > 1 && dice(d, 2))) {
		unsigned int slot = any_slot(t, d);

		/* Without churn, only those that must be refused. */
		if (l->churn || t->m.arena[slot].nfree < t->m.arena[slot].nr)
			twin_remove(t, slot);
	} else if (t->b.nr_arenas < l->arenas) {
		steps_add_arena(t, d, l);
	}
}

static void any_claim(struct twin *t, struct dice *d, const struct load *l, bool many)
{
	struct quarry_want want = { .order = any_order(d, l), .kind = any_kind(d) };
	u8 how = dice(d, 64);

	want.life = how % QUARRY_LIVES;
	want.zero = how & 8;
	want.direct = how & 48 && want.order <= QUARRY_DIRECT_MAX &&
		      (want.kind == QUARRY_STATE_ALLOC || want.kind == QUARRY_STATE_PCP);
	if (!many) {
		twin_claim(t, &want);
		return;
	}
	want.home = any_home(d);
	twin_claim_many(t, &want, 1 + dice(d, dice(d, 8) ? 16 : 200));
}

static void any_free(struct twin *t, struct dice *d)
{
	twin_free(t, dice(d, t->m.nr_live), !dice(d, 3));
}

/**
 * steps_one() - do something
 * @t:	twins with an arena at least
 * @d:	dice
 * @l:	load
 */
void steps_one(struct twin *t, struct dice *d, struct load *l)
{
	unsigned int what = dice(d, 256);

	if (what < 8)
		l->filling = !dice(d, 2);
	else if (what < 12)
		any_churn(t, d, l);
	else if (what < 26)
		any_claim_at(t, d, l);
	else if (what < 33)
		any_claim_run(t, d, l);
	else if (what < 36)
		any_claim_lowest(t, d, l);
	else if (what < 40)
		any_search(t, d, l);
	else if (what < 46)
		any_check_run(t, d);
	else if (what < 58 && t->m.nr_live)
		any_trim(t, d);
	else if (what < (l->filling ? 90 : 160) && t->m.nr_live)
		any_free(t, d);
	else
		any_claim(t, d, l, what >= (l->filling ? 230 : 240));
}
