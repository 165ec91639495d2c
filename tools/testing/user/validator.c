// SPDX-License-Identifier: GPL-2.0
/*
 * Does the core's validator see what is broken?
 *
 * A pool in a rich state (whole, broken and full areas, runs, zero frames, an
 * empty arena) is damaged in one place, validated, and mended again:
 *
 * bits		each bit of each area's and areagroup's bitfield, zeros and bucket, of each
 *		state byte and of each counter, flipped alone. Some flips make another
 *		state that is valid (what kind of block begins at a frame, which only
 *		its owner knows): those are the only ones that may pass.
 * lists	entries that are missing, doubled or in a wrong bucket
 * bounds	of runs, too low
 * owners	areas, areagroups and arenas that point elsewhere
 * coming	nothing is broken while an arena is on its way
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "twin.h"

#include "../../../module/buddy/place.h"

#define FIRST	700u	/* not the first frame of its area */
#define FRAMES	1500u

static struct twin t;
static u64 nr_damages;
static unsigned int stride = 1;

static void build(void)
{
	u32 s = FIRST % 512;
	u64 f;

	twin_init(&t);
	t.full = 1;
	twin_add(&t, 0, FIRST, FRAMES, false);
	twin_add(&t, 1, 10240, 1024, true);
	twin_add(&t, 2, 20480, 512, true);
	/* A full area, a broken one, whole ones, and a run over a border. */
	twin_claim_at(&t, 0, 1024 - FIRST, 9, QUARRY_STATE_ALLOC);
	for (f = 1536 - FIRST; f < 1900 - FIRST; f += 7)
		twin_claim_at(&t, 0, f, 0, QUARRY_STATE_PCP);
	twin_claim_run(&t, 0, s, ~0u, 301, 1, true);
	twin_claim_run(&t, 0, s, ~0u, 77, 1, false);
	twin_claim_at(&t, 1, 64, 5, QUARRY_STATE_ALLOC);
	twin_claim_at(&t, 1, 256, 0, QUARRY_STATE_ALLOC);
	twin_free(&t, t.m.nr_live - 1, false);
}

static u64 violations(void)
{
	struct quarry_check c = {};

	nr_damages++;
	quarry_buddy_check(&t.b, &c);
	if (c.violations && !c.what[0])
		twin_fail(&t, "a fault without a word");
	return c.violations;
}

static void must_be_seen(const char *what, u64 where, unsigned int bit)
{
	if (!violations())
		twin_fail(&t, "damage not seen: %s %llu, bit %u", what, where, bit);
}

static void must_be_mended(void)
{
	if (violations())
		twin_fail(&t, "violations after all was mended");
}

/* Flip each bit of @size bytes, alone. */
static void flip(const char *what, u64 where, void *memory, size_t size)
{
	u8 *p = memory;
	size_t i;

	for (i = 0; i < 8 * size; i += stride) {
		p[i / 8] ^= 1 << (i % 8);
		must_be_seen(what, where, i);
		p[i / 8] ^= 1 << (i % 8);
	}
}

static void flip_bitfield(const char *what, u64 where, struct quarry_bitfield *l)
{
	flip(what, where, l->free, sizeof(l->free));
	flip(what, where, l->nr, sizeof(l->nr));
	flip(what, where, &l->orders, sizeof(l->orders));
	flip(what, where, &l->nfree, sizeof(l->nfree));
}

static void bits(const void *arg)
{
	struct quarry_buddy *b = &t.b;
	unsigned int slot;
	u32 i;

	(void)arg;
	build();
	for (slot = 0; slot < 3; slot++) {
		struct quarry_arena *a = &t.arena[slot];

		for (i = 0; i < a->nr_areas; i++) {
			flip_bitfield("bitfield of area", i, &a->areas[i].bits);
			flip("zeros of area", i, a->areas[i].zero, sizeof(a->areas[i].zero));
			flip("bucket of area", i, &a->areas[i].bucket, sizeof(a->areas[i].bucket));
			flip("home of area", i, &a->areas[i].home, 1);
			flip("place of area", i, &a->areas[i].place, 1);
			/* Of one that is full or whole nobody can tell. */
			if (a->areas[i].bucket != QUARRY_NO_BUCKET)
				flip("life of area", i, &a->areas[i].life, 1);
		}
		for (i = 0; i < a->nr_groups; i++) {
			flip_bitfield("bitfield of areagroup", i, &a->groups[i].bits);
			flip("zeros of areagroup", i, a->groups[i].zero,
			     sizeof(a->groups[i].zero));
			flip("zero areas of areagroup", i, &a->groups[i].nr_zero,
			     sizeof(a->groups[i].nr_zero));
			flip("bucket of areagroup", i, &a->groups[i].bucket,
			     sizeof(a->groups[i].bucket));
			flip("place of areagroup", i, &a->groups[i].place, 1);
			flip("bound for runs of areagroup", i, &a->groups[i].most,
			     sizeof(a->groups[i].most));
		}
		flip("free frames of arena", slot, &a->nfree, sizeof(a->nfree));
		flip("place of arena", slot, &a->place, sizeof(a->place));
	}
	flip("frames", 0, &b->nr_frames, sizeof(b->nr_frames));
	flip("free frames", 0, &b->nfree, sizeof(b->nfree));
	flip("zero frames", 0, &b->nr_zero, sizeof(b->nr_zero));
	flip("free blocks", 0, b->blocks, sizeof(b->blocks));
	flip("arenas", 0, &b->nr_arenas, sizeof(b->nr_arenas));
	flip("empty arenas", 0, &b->nr_empty, sizeof(b->nr_empty));
	flip("frames of lent empty arenas", 0, &b->nr_spare, sizeof(b->nr_spare));
	flip("areas", 0, &b->nr_areas, sizeof(b->nr_areas));
	flip("whole areas", 0, &b->nr_whole, sizeof(b->nr_whole));
	must_be_mended();
	twin_full(&t);
	printf("# %llu damages\n", nr_damages);
}

static void masks(const void *arg)
{
	struct quarry_buddy *b = &t.b;
	unsigned int c, k;

	(void)arg;
	build();
	for (k = 0; k <= QUARRY_BITFIELD_ORDER; k++) {
		b->group_orders[k % QUARRY_ZEROS] ^= 1u << k;
		must_be_seen("mask of orders of areagroups", 0, k);
		b->group_orders[k % QUARRY_ZEROS] ^= 1u << k;
	}
	for (k = 0; k < 3; k++)
		for (c = 0; c < t.arena[k].nr_groups; c++) {
			t.arena[k].groups[c].run_first ^= true;
			must_be_seen("first of its bound, of areagroup", k, c);
			t.arena[k].groups[c].run_first ^= true;
		}
	for (k = 0; k < QUARRY_BITFIELD_WORDS; k++)
		for (c = 0; c < QUARRY_PLACES; c++) {
			b->run_words[c] ^= 1u << k;
			must_be_seen("mask of bounds for runs", c, k);
			b->run_words[c] ^= 1u << k;
		}
	for (k = 0; k < QUARRY_ZEROS * QUARRY_AREAGROUP_ORDERS; k++)
		for (c = 0; c < QUARRY_PLACES; c++) {
			(&b->group_places[0][0])[k] ^= 1u << c;
			must_be_seen("mask of areagroups", c, k);
			(&b->group_places[0][0])[k] ^= 1u << c;
		}
	for (k = 0; k < QUARRY_AREA_LIVES * QUARRY_AREA_ORDER; k++)
		for (c = 0; c < QUARRY_PLACES; c++) {
			(&b->area_places[0][0])[k] ^= 1u << c;
			must_be_seen("mask of areas", c, k);
			(&b->area_places[0][0])[k] ^= 1u << c;
		}
	must_be_mended();
}

/* May a state change so, and nobody but the block's owner know? */
static bool may_pass(u8 was, u8 is)
{
	u8 was_kind = was & QUARRY_STATE_KIND, is_kind = is & QUARRY_STATE_KIND;

	/* Another kind of block; but no run goes on that did not begin. */
	return was_kind && is_kind && !((was ^ is) & QUARRY_STATE_ORDER) &&
	       !(was_kind == QUARRY_STATE_RUN && is_kind == QUARRY_STATE_RUN_MORE);
}

static bool flip_state(struct quarry_arena *a, u32 f, u8 bit)
{
	u8 was = a->state[f];
	bool passed;

	a->state[f] ^= bit;
	passed = !violations();
	if (passed && !may_pass(was, a->state[f]))
		twin_fail(&t, "state of frame %u: %#x for %#x not seen", f, a->state[f],
			  was);
	a->state[f] = was;
	return passed;
}

static void states(const void *arg)
{
	unsigned int slot, bit;
	u64 passed = 0;
	u32 f;

	(void)arg;
	build();
	for (slot = 0; slot < 3; slot++) {
		struct quarry_arena *a = &t.arena[slot];

		for (f = a->lo; f < a->hi; f++)
			for (bit = 0; bit < 8; bit += stride)
				passed += flip_state(a, f, 1 << bit);
	}
	must_be_mended();
	printf("# %llu damages, %llu of them valid otherwise\n", nr_damages, passed);
}

static void lists(const void *arg)
{
	struct quarry_buddy *b = &t.b;
	struct quarry_arena *a = &t.arena[0];
	struct quarry_area *area = NULL;
	struct quarry_areagroup *group;
	u32 i;

	(void)arg;
	build();
	for (i = 0; i < a->nr_areas; i++)
		if (a->areas[i].bucket != QUARRY_NO_BUCKET)
			area = &a->areas[i];
	if (!area)
		twin_fail(&t, "no broken area");

	/* Missing, and in another bucket. */
	hlist_del(&area->link);
	must_be_seen("area missing from its bucket", 0, 0);
	hlist_add_head(&area->link, &b->areas[QUARRY_LIFE_SHORT][8][QUARRY_PLACES - 1]);
	must_be_seen("area in another bucket", 0, 0);
	hlist_del(&area->link);
	hlist_add_head(&area->link,
		       &b->areas[area->life][__fls(area->bits.orders)][area->place]);
	must_be_mended();

	group = &t.arena[2].groups[0];
	hlist_del(&group->link);
	must_be_seen("areagroup missing from its bucket", 0, 0);
	hlist_add_head(&group->link, &b->groups[quarry_areagroup_zeros(group)][7][group->place]);
	must_be_seen("areagroup in another bucket", 0, 0);
	hlist_del(&group->link);
	hlist_add_head(&group->link,
		       &b->groups[quarry_areagroup_zeros(group)][__fls(group->bits.orders)]
				 [group->place]);
	must_be_mended();

	list_del_init(&t.arena[2].empty);
	must_be_seen("empty arena not listed", 0, 0);
	list_add(&t.arena[2].empty, &b->empty);
	must_be_mended();
	list_add(&t.arena[0].empty, &b->empty);
	must_be_seen("arena in use listed as empty", 0, 0);
	list_del_init(&t.arena[0].empty);
	must_be_mended();

	list_del(&t.arena[2].link);
	must_be_seen("arena not listed", 0, 0);
	list_add_tail(&t.arena[2].link, &b->arenas);
	must_be_mended();
}

/* A bound may be too high, which costs a look. One that hides a run must be seen. */
static void bounds(const void *arg)
{
	struct quarry_arena *a = &t.arena[0];
	u16 was;
	u32 i;

	(void)arg;
	build();
	for (i = 0; i < a->nr_areas; i++) {
		was = a->areas[i].most;
		a->areas[i].most = 600;
		must_be_seen("bound of an area too high to be one", i, 0);
		if (a->areas[i].bits.nfree) {
			a->searched = true;
			a->areas[i].most = 0;
			must_be_seen("bound of an area hides a run", i, 0);
		}
		a->areas[i].most = was;
	}
	a->searched = false;
	a->areas[0].most = 511;
	must_be_seen("a bound of an arena that nobody searched", 0, 0);
	a->areas[0].most = QUARRY_AREA_FRAMES;
	for (i = 0; i < a->nr_groups; i++) {
		was = a->groups[i].most;
		a->groups[i].most = 511;
		must_be_seen("bound of an areagroup below its areas'", i, 0);
		a->groups[i].most = was;
	}
	must_be_mended();
}

static void owners(const void *arg)
{
	struct quarry_arena *a = &t.arena[0];

	(void)arg;
	build();
	a->areas[1].arena = &t.arena[1];
	must_be_seen("area of another arena", 1, 0);
	a->areas[1].arena = a;
	a->groups[0].arena = &t.arena[1];
	must_be_seen("areagroup of another arena", 0, 0);
	a->groups[0].arena = a;
	a->buddy = NULL;
	must_be_seen("arena of no allocator", 0, 0);
	a->buddy = &t.b;
	must_be_mended();
}

/* Whose place is chosen, and which has not joined: the lock is let go of in between. */
static void coming(const void *arg)
{
	const u64 first = 30720;
	const u32 nr = 1024;
	struct quarry_arena a;
	void *metadata = calloc(1, quarry_arena_metadata_bytes(first, nr));

	(void)arg;
	build();
	quarry_arena_init(&a, metadata, first, nr);
	quarry_buddy_choose_place(&t.b, &a);
	if (violations())
		twin_fail(&t, "violations while an arena is on its way");
	quarry_buddy_add(&t.b, &a, true);
	must_be_mended();
	t.b.small_areas[a.place]++;
	must_be_seen("areas in a place", a.place, 0);
	t.b.small_areas[a.place]--;
	if (quarry_buddy_remove(&t.b, &a))
		twin_fail(&t, "it does not go");
	must_be_mended();
	free(metadata);
}

int main(void)
{
	/* Under a sanitizer, QUICK=1 will do: every third bit. */
	if (env_number("QUICK", 0))
		stride = 3;
	tap_plan(7);
	tap_run("bits", bits, NULL);
	tap_run("masks", masks, NULL);
	tap_run("states", states, NULL);
	tap_run("lists", lists, NULL);
	tap_run("bounds", bounds, NULL);
	tap_run("owners", owners, NULL);
	tap_run("coming", coming, NULL);
	return tap_end();
}
