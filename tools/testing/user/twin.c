// SPDX-License-Identifier: GPL-2.0
/*
 * Every operation, done to the core and to the model, and compared.
 *
 * After each step: the result; the state bytes it wrote; free frames, zero
 * frames, free blocks by order, splits and merges. Every @full steps: each state
 * byte, each bit, each head, the core's own validator, and the model's counts
 * made again from nothing.
 *
 * A claim is held to the core's promises as well: it fails if and only if the
 * model has no such block; it breaks no whole area while a broken one serves;
 * it takes no emptier area than it must, and inside the area the smallest block
 * that fits.
 *
 * The model counts frames from the arena's first, the core from the beginning
 * of the area that holds it; skew() is the difference.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "twin.h"

#define AREA		512u
#define PLENTY		3u	/* with one of so many areas whole, places alone count */
#define WHOLE_MIN	32u	/* of so many areas one is to be whole before lives mix */
#define APART_TURNS	2u	/* lives mix when so often as much as there is came back in vain */
#define APART_GAIN	8u	/* an area that becomes whole makes good for so many */
#define APART_AREAS	64u	/* from so many areas on lives have arenas of their own */
#define ZERO_ORDER	5u	/* smaller blocks are cleared and not looked for */
#define CHOICES_TRIED	2u	/* so many areagroups are looked at that have both */
#define PIECES_A_BATCH	2u	/* a batch may stop after so many pieces */
#define BATCH		512u
#define DIRECT		0x100u	/* beside the kind of a block in the model */

/**
 * twin_fail() - report a difference and die
 * @t:		the twins
 * @what:	printf format
 */
void twin_fail(struct twin *t, const char *what, ...)
{
	va_list args;

	printf("# seed %llu step %llu: ", t->seed, t->steps);
	va_start(args, what);
	vprintf(what, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	abort();
}

#define expect(t, cond, ...)						\
	do {								\
		if (unlikely(!(cond)))			\
			twin_fail(t, __VA_ARGS__);			\
	} while (0)

static u32 skew(const struct twin *t, unsigned int slot)
{
	return t->m.arena[slot].first % AREA;
}

static struct quarry_frame frame(const struct twin *t, unsigned int slot, u64 at)
{
	return (struct quarry_frame){ at + skew(t, slot) };
}

static u8 state(const struct twin *t, unsigned int slot, u64 at)
{
	return t->arena[slot].state[at + skew(t, slot)];
}

static unsigned int log2_of(u64 nr)
{
	unsigned int order = 0;

	while (nr >> (order + 1))
		order++;
	return order;
}

/* What any step may break, and cheap to compare. */
static void step(struct twin *t, const char *what)
{
	const struct quarry_buddy *b = &t->b;
	const struct model *m = &t->m;
	unsigned int k;

	t->steps++;
	expect(t, b->nfree == m->nfree, "%s: %llu free, model %llu", what, b->nfree,
	       m->nfree);
	expect(t, b->nr_zero == m->nr_zero, "%s: %llu zero, model %llu", what,
	       b->nr_zero, m->nr_zero);
	for (k = 0; k < MODEL_ORDERS; k++)
		expect(t, b->blocks[k] == m->blocks[k],
		       "%s: %llu free blocks of order %u, model %llu", what,
		       b->blocks[k], k, m->blocks[k]);
	expect(t, b->splits == m->splits, "%s: %llu splits, model %llu", what,
	       b->splits, m->splits);
	expect(t, b->merges == m->merges, "%s: %llu merges, model %llu", what,
	       b->merges, m->merges);
	expect(t, b->vain == t->vain, "%s: %llu in vain, model %llu", what, b->vain, t->vain);
	if (t->full && t->steps % t->full == 0)
		twin_full(t);
}

/* The state bytes of an arena, and of each frame the head of its block. */
static void expected_states(const struct twin *t, unsigned int slot, u8 *states,
			    u32 *heads)
{
	const struct model_arena *a = &t->m.arena[slot];
	size_t i;

	for (i = 0; i < t->m.nr_live; i++) {
		const struct model_block *p = &t->m.live[i];
		u64 at = p->at, end = p->at + p->nr, k;
		u8 kind = p->run ? QUARRY_STATE_RUN : p->kind;

		if (p->arena != slot)
			continue;
		while (at < end) {
			unsigned int order = model_part(a, at, end);

			states[at] = quarry_state(kind, order, !p->run && p->kind & DIRECT);
			for (k = 0; k < (1u << order); k++)
				heads[at + k] = at + 1;
			kind = QUARRY_STATE_RUN_MORE;
			at += 1u << order;
		}
	}
}

static void full_arena(struct twin *t, unsigned int slot)
{
	const struct quarry_arena *q = &t->arena[slot];
	const struct model_arena *a = &t->m.arena[slot];
	u8 *states = calloc(1, a->nr);
	u32 *heads = calloc(sizeof(*heads), a->nr);
	struct quarry_frame head;
	u64 at;

	if (!states || !heads)
		abort();
	expected_states(t, slot, states, heads);
	expect(t, q->nfree == a->nfree, "an arena has %u free, model %llu", q->nfree,
	       a->nfree);
	for (at = 0; at < a->nr; at++) {
		u32 f = at + skew(t, slot);
		const struct quarry_area *area = &q->areas[f / AREA];
		bool free = area->bits.free[f % AREA / 64] >> (f % 64) & 1;
		bool zero = area->zero[f % AREA / 64] >> (f % 64) & 1;
		bool covered;

		expect(t, free == !a->out[at], "frame %llu is %s", at,
		       free ? "free" : "out");
		expect(t, zero == a->zero[at], "frame %llu is %sknown to be zero", at,
		       zero ? "" : "not ");
		expect(t, area->bits.nfree == AREA || area->life == t->life[slot][f / AREA],
		       "an area is of life %u, not %u", area->life, t->life[slot][f / AREA]);
		expect(t, q->state[f] == states[at], "state of frame %llu is %#x, not %#x",
		       at, q->state[f], states[at]);
		covered = quarry_arena_head(q, (struct quarry_frame){ f }, &head);
		expect(t, covered == !!heads[at], "head of frame %llu: %d", at, covered);
		expect(t, !covered || head.i == heads[at] - 1 + skew(t, slot),
		       "head of frame %llu is %u", at, head.i);
	}
	/* Nothing may be free outside the arena. */
	for (at = 0; at < (u64)q->nr_areas * AREA; at++)
		if (at < skew(t, slot) || at >= skew(t, slot) + a->nr)
			expect(t, !(q->areas[at / AREA].bits.free[at % AREA / 64] >>
				    (at % 64) & 1) && !q->state[at],
			       "frame %lld is outside and free",
			       (s64)at - skew(t, slot));
	free(states);
	free(heads);
}

/**
 * twin_full() - compare everything
 * @t:	the twins
 */
void twin_full(struct twin *t)
{
	u64 arenas = 0, empty = 0, spare = 0, areas = 0, whole = 0, frames = 0;
	u64 blocks[MODEL_ORDERS] = { 0 };
	struct quarry_check c = { 0 };
	unsigned int i, k;
	u64 at;

	quarry_buddy_check(&t->b, &c);
	expect(t, !c.violations, "validator: %s (%llu violations)", c.what, c.violations);
	for (i = 0; i < MODEL_ARENAS; i++) {
		const struct model_arena *a = &t->m.arena[i];

		if (!a->present)
			continue;
		model_count(a, blocks);
		full_arena(t, i);
		arenas++;
		frames += a->nr;
		empty += a->nfree == a->nr;
		spare += i % 2 && a->nfree == a->nr ? a->nr : 0;
		areas += (a->first + a->nr - 1) / AREA - a->first / AREA + 1;
		for (at = (AREA - a->first % AREA) % AREA; at + AREA <= a->nr; at += AREA)
			whole += model_is_free(a, at, AREA);
	}
	for (k = 0; k < MODEL_ORDERS; k++)
		expect(t, blocks[k] == t->b.blocks[k],
		       "%llu free blocks of order %u, counted anew %llu",
		       t->b.blocks[k], k, blocks[k]);
	expect(t, c.frames == frames, "the validator saw %llu of %llu frames",
	       c.frames, frames);
	expect(t, t->b.nr_frames == frames, "%llu frames, not %llu", t->b.nr_frames,
	       frames);
	expect(t, t->b.nr_arenas == arenas, "%llu arenas, not %llu", t->b.nr_arenas,
	       arenas);
	expect(t, t->b.nr_empty == empty, "%llu empty arenas, not %llu",
	       t->b.nr_empty, empty);
	expect(t, t->b.nr_spare == spare, "%llu spare frames, not %llu", t->b.nr_spare, spare);
	expect(t, t->b.nr_areas == areas, "%llu areas, not %llu", t->b.nr_areas, areas);
	expect(t, t->b.nr_whole == whole, "%llu whole areas, not %llu", t->b.nr_whole,
	       whole);
}

/**
 * twin_init() - no memory yet
 * @t:	the twins; policy, full and seed are the caller's to set
 */
void twin_init(struct twin *t)
{
	memset(t, 0, sizeof(*t));
	quarry_buddy_init(&t->b);
}

/**
 * twin_fini() - free what the twins hold, whatever is out
 * @t:	the twins
 */
void twin_fini(struct twin *t)
{
	unsigned int i;

	model_fini(&t->m);
	for (i = 0; i < MODEL_ARENAS; i++) {
		free(t->metadata[i]);
		t->metadata[i] = NULL;
		free(t->life[i]);
		t->life[i] = NULL;
	}
}

/**
 * twin_add() - add an arena
 * @t:		the twins
 * @slot:	a free slot
 * @first:	absolute number of the first frame
 * @nr:		frames
 * @zero:	known to be zero
 */
void twin_add(struct twin *t, unsigned int slot, u64 first, u32 nr, bool zero)
{
	size_t bytes = quarry_arena_metadata_bytes(first, nr);

	/* Exactly so many bytes: ASan sees what lies behind. */
	t->metadata[slot] = calloc(1, bytes);
	t->life[slot] = calloc(1, nr / AREA + 2);
	if (!t->metadata[slot] || !t->life[slot])
		abort();
	quarry_arena_init(&t->arena[slot], t->metadata[slot], first, nr);
	t->arena[slot].lent = slot % 2;
	quarry_buddy_add(&t->b, &t->arena[slot], zero);
	model_add(&t->m, slot, first, nr, zero);
	step(t, "add");
}

/**
 * twin_remove() - remove an arena if nothing of it is out
 * @t:		the twins
 * @slot:	its slot
 *
 * Return: whether it went.
 */
bool twin_remove(struct twin *t, unsigned int slot)
{
	const struct model_arena *a = &t->m.arena[slot];
	bool empty = a->nfree == a->nr;
	int err;

	err = quarry_buddy_remove(&t->b, &t->arena[slot]);
	expect(t, err == (empty ? 0 : -EBUSY), "remove: %d with %llu out", err,
	       a->nr - a->nfree);
	if (empty) {
		t->searching &= t->search_slot != slot;
		model_remove(&t->m, slot);
		free(t->metadata[slot]);
		t->metadata[slot] = NULL;
		free(t->life[slot]);
		t->life[slot] = NULL;
	}
	step(t, "remove");
	return empty;
}

/* Free frames of the area of the arena that holds absolute frame @abs. */
static unsigned int area_free(const struct model_arena *a, u64 abs)
{
	u64 lo = abs / AREA * AREA, hi = lo + AREA;
	unsigned int nfree = 0;

	lo = lo < a->first ? a->first : lo;
	hi = hi > a->first + a->nr ? a->first + a->nr : hi;
	for (; lo < hi; lo++)
		nfree += !a->out[lo - a->first];
	return nfree;
}

/* The largest and the smallest fitting free block inside [lo, lo + size). */
static void area_orders(const struct model_arena *a, u64 lo, u64 size,
			unsigned int order, int *largest, int *fit)
{
	u64 hi = lo + size;

	*largest = -1;
	*fit = MODEL_ORDERS;
	lo = lo < a->first ? a->first : lo;
	hi = hi > a->first + a->nr ? a->first + a->nr : hi;
	while (lo < hi) {
		int k;

		if (a->out[lo - a->first]) {
			lo++;
			continue;
		}
		k = model_around(a, lo - a->first, 0);
		*largest = k > *largest ? k : *largest;
		if (k >= (int)order && k < *fit)
			*fit = k;
		lo += 1ull << k;
	}
}

/* The largest order that was asked for lately and is not above @largest. */
static void count_areas(const struct twin *t, u64 *areas, u64 *whole)
{
	unsigned int i;
	u64 abs;

	for (*areas = 0, *whole = 0, i = 0; i < MODEL_ARENAS; i++) {
		const struct model_arena *a = &t->m.arena[i];

		if (!a->present)
			continue;
		for (abs = a->first / AREA * AREA; abs < a->first + a->nr; abs += AREA) {
			++*areas;
			*whole += area_free(a, abs) == AREA;
		}
	}
}

static unsigned int useful(const struct twin *t, bool plenty, unsigned int order,
			   unsigned int largest)
{
	unsigned int k;

	if (plenty)
		return order;
	for (k = largest; k > order; k--)
		if (t->asked[0] >> k & 1 || t->asked[1] >> k & 1)
			return k;
	return order;
}

/* Are some frames known to be zero, and is it of interest which? */
static bool zeros_matter(const struct twin *t, const struct quarry_want *want)
{
	return t->m.nr_zero && want->order >= ZERO_ORDER;
}

static u8 *life_of(struct twin *t, const struct model_arena *a, u64 abs)
{
	return &t->life[a - t->m.arena][(abs - a->first / AREA * AREA) / AREA];
}

static bool is_zero(const struct model_arena *a, u64 at, u64 nr)
{
	return !memchr(a->zero + at, 0, nr);
}

/*
 * In [@lo, @lo + @size): does a maximal free block of an order from @from to @to begin with
 * 2^@order frames that are all zero, or are not?
 */
static bool has_start(const struct model_arena *a, u64 lo, u64 size, unsigned int from,
		      unsigned int to, unsigned int order, bool zero)
{
	u64 hi = lo + size;
	unsigned int k;

	lo = lo < a->first ? a->first : lo;
	hi = hi > a->first + a->nr ? a->first + a->nr : hi;
	for (; lo < hi; lo += 1ull << k) {
		k = a->out[lo - a->first] ? 0 : model_around(a, lo - a->first, 0);
		if (k >= from && k <= to && !a->out[lo - a->first] &&
		    is_zero(a, lo - a->first, 1ull << order) == zero)
			return true;
	}
	return false;
}

/* Is there an aligned block of an order that is free and zero? */
static bool has_zeros(const struct model_arena *a, u64 lo, u64 size, unsigned int order)
{
	u64 nr = 1ull << order, abs;

	for (abs = lo; abs < lo + size; abs += nr)
		if (abs >= a->first && abs + nr <= a->first + a->nr &&
		    model_is_free(a, abs - a->first, nr) && is_zero(a, abs - a->first, nr))
			return true;
	return false;
}

/* Of the whole areas of an areagroup: are none zero, some, or all? */
static unsigned int zeros_of(const struct model_arena *a, u64 lo, u64 size)
{
	bool zero = false, other = false;
	u64 abs = lo > a->first ? lo : (a->first + AREA - 1) / AREA * AREA;

	for (; abs < lo + size && abs + AREA <= a->first + a->nr; abs += AREA) {
		if (!model_is_free(a, abs - a->first, AREA))
			continue;
		if (is_zero(a, abs - a->first, AREA))
			zero = true;
		else
			other = true;
	}
	return zero ? 2 - other : 0;
}

/* What the life of a block makes of the area that is broken for it. */
static u8 area_life(u8 life)
{
	return life == QUARRY_LIFE_SHORT;
}

/* Is an area of a life that the claim keeps away from? */
static bool is_strange(const struct twin *t, u8 life, const struct quarry_want *want)
{
	return t->apart && life != area_life(want->life);
}

static unsigned int place_of(struct twin *t, const struct model_arena *a, u64 abs)
{
	return t->arena[a - t->m.arena].areas[(abs - a->first / AREA * AREA) / AREA].place;
}

/*
 * Small orders: of the broken areas of the same life, or of any while these are not apart, one
 * whose largest block is of least use, and of these one in the first place; then a whole one;
 * then another life's.
 */
static void policy_small(struct twin *t, const struct quarry_want *want,
			 const struct model_arena *of, u64 at)
{
	u64 mine = of->first + at, abs, whole, areas;
	unsigned int order = want->order, from = model_around(of, at, order), i, use;
	unsigned int my_use = 0, my_place = place_of(t, of, mine);
	bool own = false, other = false, strange = is_strange(t, *life_of(t, of, mine), want);
	int largest, my_largest, fit;
	bool plenty;

	count_areas(t, &areas, &whole);
	plenty = whole > areas / PLENTY;
	area_orders(of, mine / AREA * AREA, AREA, order, &my_largest, &fit);
	if (from < 9) {
		expect(t, from == (unsigned int)fit,
		       "claim %u took from order %u, %d would do", order, from, fit);
		my_use = useful(t, plenty, order, my_largest);
		expect(t, !zeros_matter(t, want) ||
		       is_zero(of, at, 1ull << order) == want->zero ||
		       !has_start(of, mine / AREA * AREA, AREA, fit, fit, order, want->zero),
		       "claim %u took what is %szero", order, want->zero ? "not " : "");
	}
	for (i = 0; i < MODEL_ARENAS; i++) {
		const struct model_arena *a = &t->m.arena[i];

		if (!a->present)
			continue;
		for (abs = a->first / AREA * AREA; abs < a->first + a->nr; abs += AREA) {
			unsigned int nfree = area_free(a, abs);

			if (!nfree || nfree == AREA)
				continue;
			area_orders(a, abs, AREA, order, &largest, &fit);
			if (largest < (int)order)
				continue;
			if (is_strange(t, *life_of(t, a, abs), want)) {
				other = true;
				continue;
			}
			own = true;
			if (from >= 9 || strange)
				continue;
			use = useful(t, plenty, order, largest);
			expect(t, use >= my_use,
			       "claim %u took an area good for %u, one good for %u would do",
			       order, my_use, use);
			expect(t, use > my_use || place_of(t, a, abs) >= my_place,
			       "claim %u took an area in place %u, one in %u would do",
			       order, my_place, place_of(t, a, abs));
		}
	}
	if (from >= 9) {
		expect(t, !own, "claim %u broke a whole area", order);
		expect(t, !other || whole > areas / WHOLE_MIN,
		       "claim %u broke one of the last whole areas", order);
	} else if (strange) {
		expect(t, !own, "claim %u went to another life", order);
		expect(t, whole <= areas / WHOLE_MIN,
		       "claim %u went to another life, with %llu areas whole", order, whole);
	}
}

/* The place of the first area that an arena has in an areagroup. */
static unsigned int place_of_group(struct twin *t, const struct model_arena *a, u64 group)
{
	return place_of(t, a, group > a->first ? group : a->first);
}

/*
 * Whole areas: of an areagroup whose largest run of them is smallest, and of these of one in the
 * first place. Zeros go to who wants them, wherever they are, and others leave them for what
 * is in another place. More areagroups of both kinds than are looked at may hide some.
 */
static void policy_whole(struct twin *t, unsigned int order,
			 const struct quarry_want *want, const struct model_arena *of, u64 at)
{
	const u64 group = 1ull << (MODEL_ORDERS - 1);
	u64 mine = (of->first + at) / group * group, abs;
	unsigned int from = model_around(of, at, order), i, place, mixed = 0;
	unsigned int my_place = place_of_group(t, of, mine), my_zeros, zeros;
	bool matter = zeros_matter(t, want), has = is_zero(of, at, 1ull << order);
	int largest, my_largest, fit;

	area_orders(of, mine, group, order, &my_largest, &fit);
	expect(t, from == (unsigned int)fit || (matter && want->zero),
	       "claim %u took from order %u, %d would do", order, from, fit);
	/* Lives may be a reason for another areagroup: small.c looks at that. */
	if (t->apart && t->b.nr_areas >= APART_AREAS && (t->lives || want->life))
		return;
	my_zeros = matter ? zeros_of(of, mine, group) : 0;
	for (i = 0; i < MODEL_ARENAS; i++) {
		const struct model_arena *a = &t->m.arena[i];

		for (abs = a->first / group * group; a->present && abs < a->first + a->nr;
		     abs += group)
			mixed += matter && zeros_of(a, abs, group) == 1;
	}
	for (i = 0; i < MODEL_ARENAS; i++) {
		const struct model_arena *a = &t->m.arena[i];

		if (!a->present)
			continue;
		for (abs = a->first / group * group; abs < a->first + a->nr;
		     abs += group) {
			area_orders(a, abs, group, order, &largest, &fit);
			if (largest < (int)order)
				continue;
			zeros = matter ? zeros_of(a, abs, group) : 0;
			if (matter && !has && want->zero && mixed <= CHOICES_TRIED)
				expect(t, !has_zeros(a, abs, group, order),
				       "claim %u took what is not zero", want->order);
			if (matter && has && !want->zero && mixed <= CHOICES_TRIED)
				expect(t, largest > my_largest ||
				       !has_start(a, abs, group, fit, fit, order, false),
				       "claim %u took zeros", want->order);
			if (matter && (want->zero || mixed))
				continue;
			expect(t, largest >= my_largest,
			       "claim %u took an areagroup of largest order %d, one of %d would do",
			       want->order, my_largest, largest);
			place = place_of_group(t, a, abs);
			expect(t, largest > my_largest || zeros != my_zeros ||
			       place >= my_place,
			       "claim %u took an areagroup in place %u, one in %u would do",
			       want->order, my_place, place);
		}
	}
}

static void policy(struct twin *t, const struct quarry_want *want, unsigned int slot, u64 at)
{
	const struct model_arena *a = &t->m.arena[slot];
	unsigned int order = want->order;

	if (!t->policy || t->claims++ % t->policy)
		return;
	if (order < 9)
		policy_small(t, want, a, at);
	if (order >= 9 || model_around(a, at, order) >= 9)
		policy_whole(t, order >= 9 ? order : 9, want, a,
			     (a->first + at) / AREA * AREA - a->first);
}

/* Frames are about to be taken: an area that is whole gets a life. */
static void give_life(struct twin *t, unsigned int slot, u64 at, u64 nr, u8 life)
{
	const struct model_arena *a = &t->m.arena[slot];
	u64 abs = (a->first + at) / AREA * AREA;

	t->lives |= life;
	for (; abs < a->first + at + nr; abs += AREA)
		if (area_free(a, abs) == AREA)
			*life_of(t, a, abs) = area_life(life);
}

static u64 all_frames(const struct twin *t)
{
	unsigned int i;
	u64 frames = 0;

	for (i = 0; i < MODEL_ARENAS; i++)
		if (t->m.arena[i].present)
			frames += t->m.arena[i].nr;
	return frames;
}

/* Do lives go apart? If more lies in holes than is out, the count of what was in vain ends. */
static bool go_apart(struct twin *t)
{
	u64 frames = all_frames(t), holes = t->m.nfree;
	unsigned int k;

	for (k = 9; k < MODEL_ORDERS; k++)
		holes -= t->m.blocks[k] << k;
	if (holes > frames - t->m.nfree)
		t->vain = 0;
	return t->vain <= APART_TURNS * frames;
}

/* A block goes back to the model. */
static void give_back(struct twin *t, unsigned int slot, u64 at, unsigned int order, bool zero)
{
	const struct model_arena *a = &t->m.arena[slot];
	u64 most = 2 * APART_TURNS * all_frames(t), good = APART_GAIN * AREA;

	model_put(&t->m, slot, at, order, zero);
	if (order >= 9 || *life_of(t, a, a->first + at) != area_life(QUARRY_LIFE_SHORT))
		return;
	t->vain += 1ull << order;
	if (t->vain > most)
		t->vain = most;
	if (area_free(a, a->first + at) == AREA)
		t->vain -= t->vain < good ? t->vain : good;
}

/* A claim of this order is about to come. */
static void note_claim(struct twin *t, unsigned int order)
{
	t->apart = go_apart(t);
	if (++t->asks % QUARRY_ASKED_CLAIMS == 0) {
		t->asked[1] = t->asked[0];
		t->asked[0] = 0;
	}
	t->asked[0] |= 1u << order;
}

static unsigned int slot_of(struct twin *t, const struct quarry_arena *a)
{
	expect(t, a >= t->arena && a < t->arena + MODEL_ARENAS &&
	       t->m.arena[a - t->arena].present, "a block of no arena");
	return a - t->arena;
}

/* The core says that it took this block: could it, and what does that mean? */
static void claimed(struct twin *t, const struct quarry_block *block,
		    const struct quarry_want *want, bool choice)
{
	unsigned int slot = slot_of(t, block->arena), order = want->order;
	u8 state_wanted = quarry_state(want->kind, order, want->direct);
	const struct model_arena *a = &t->m.arena[slot];
	u64 at = (u64)block->frame.i - skew(t, slot);
	bool zero;

	expect(t, model_fits(a, at, order), "claim %u gave frame %lld", order, (s64)at);
	expect(t, model_is_free(a, at, 1ull << order),
	       "claim %u gave frame %llu, which is out", order, at);
	if (choice)
		policy(t, want, slot, at);
	give_life(t, slot, at, 1ull << order, want->life);
	zero = model_take(&t->m, slot, at, order);
	expect(t, zero == block->zero, "claim %u at %llu: zero is %d", order, at,
	       block->zero);
	expect(t, state(t, slot, at) == state_wanted, "claim %u wrote state %#x, not %#x",
	       order, state(t, slot, at), state_wanted);
	model_out(&t->m, slot, at, 1ull << order, false,
		  want->kind | (want->direct ? DIRECT : 0));
}

/**
 * twin_claim() - claim a block
 * @t:		the twins
 * @want:	which
 *
 * Return: whether there was one.
 */
bool twin_claim(struct twin *t, const struct quarry_want *want)
{
	unsigned int order = want->order;
	struct quarry_block block;
	bool has = model_has(&t->m, order);
	int err;

	note_claim(t, order);
	err = quarry_buddy_claim(&t->b, want, &block);
	expect(t, err == (has ? 0 : -ENOMEM), "claim %u: %d", order, err);
	if (has)
		claimed(t, &block, want, true);
	step(t, "claim");
	return has;
}

/* Has a broken area that serves a small order a block for it? */
static bool has_broken(struct twin *t, const struct quarry_want *want)
{
	const struct model_arena *a;
	int largest, fit;
	u64 abs;

	for (a = t->m.arena; a < t->m.arena + MODEL_ARENAS; a++) {
		if (!a->present)
			continue;
		for (abs = a->first / AREA * AREA; abs < a->first + a->nr; abs += AREA) {
			if (!area_free(a, abs) || area_free(a, abs) == AREA ||
			    is_strange(t, *life_of(t, a, abs), want))
				continue;
			area_orders(a, abs, AREA, want->order, &largest, &fit);
			if (largest >= (int)want->order)
				return true;
		}
	}
	return false;
}

/* A block of a batch, but for the first: no whole area is broken for it. */
static void expect_broken(struct twin *t, const struct quarry_block *block, unsigned int order)
{
	unsigned int slot = slot_of(t, block->arena);
	u64 at = (u64)block->frame.i - skew(t, slot);

	expect(t, order >= 9 || model_around(&t->m.arena[slot], at, order) < 9,
	       "claim_many %u broke another whole area", order);
}

/**
 * twin_claim_many() - claim blocks
 * @t:		the twins
 * @want:	which; where blocks land is checked for home 0 alone
 * @nr:		how many; at most 512
 *
 * Return: how many there were.
 */
unsigned int twin_claim_many(struct twin *t, const struct quarry_want *want,
			     unsigned int nr)
{
	unsigned int order = want->order;
	struct quarry_block block[BATCH + 1];
	bool has = model_has(&t->m, order);
	unsigned int got, i;

	/* What lies behind the batch must not be written. */
	memset(&block[nr], 0x5a, sizeof(block[0]));
	note_claim(t, order);
	got = quarry_buddy_claim_many(&t->b, want, nr, block);
	expect(t, got <= nr && !got == !has, "claim_many %u of %u: got %u", order, nr,
	       got);
	expect(t, ((u8 *)&block[nr])[0] == 0x5a, "claim_many %u wrote behind", order);
	for (i = 0; i < got; i++) {
		if (i)
			expect_broken(t, &block[i], order);
		claimed(t, &block[i], want, !i && !want->home);
	}
	/* Each piece is a block at least. */
	if (got < nr && model_has(&t->m, order))
		expect(t, order < 9 && (got >= PIECES_A_BATCH || want->home ||
					!has_broken(t, want)),
		       "claim_many %u of %u stopped at %u", order, nr, got);
	step(t, "claim_many");
	return got;
}

/**
 * twin_claim_at() - claim one certain block
 * @t:		the twins
 * @slot:	its arena
 * @at:		first frame, any
 * @order:	any
 * @kind:	its state
 *
 * Return: what the core returned.
 */
int twin_claim_at(struct twin *t, unsigned int slot, s64 at, unsigned int order,
		  u8 kind)
{
	const struct model_arena *a = &t->m.arena[slot];
	bool zero = false, known;
	int err, want = 0;

	if (at + (s64)skew(t, slot) < 0)
		at = -(s64)skew(t, slot);
	if (at < 0 || !model_fits(a, at, order))
		want = -EINVAL;
	else if (!model_is_free(a, at, 1ull << order))
		want = -EBUSY;
	err = quarry_buddy_claim_at(&t->b, &t->arena[slot], frame(t, slot, at), order,
				    kind, &zero);
	expect(t, err == want, "claim_at %lld order %u: %d, not %d", at, order, err,
	       want);
	if (!err) {
		give_life(t, slot, at, 1ull << order, QUARRY_LIFE_PAGE);
		known = model_take(&t->m, slot, at, order);
		expect(t, zero == known, "claim_at %lld order %u: zero is %d", at, order,
		       zero);
		expect(t, state(t, slot, at) == (kind | order),
		       "claim_at wrote state %#x", state(t, slot, at));
		model_out(&t->m, slot, at, 1ull << order, false, kind);
	}
	step(t, "claim_at");
	return err;
}

/* Where the run belongs, found by trying every frame of the window. */
static s64 place_of_run(const struct model_arena *a, u64 lo, u64 hi, u64 nr,
			u64 align, bool top_down)
{
	u64 i, at;

	hi = hi > a->nr ? a->nr : hi;
	if (lo > hi || nr > hi - lo)
		return -1;
	for (i = 0; i <= hi - lo - nr; i++) {
		at = top_down ? hi - nr - i : lo + i;
		if ((a->first + at) % align)
			continue;
		if (model_is_free(a, at, nr))
			return at;
	}
	return -1;
}

/* The core says that it took this run; the model takes it, too. */
static void run_claimed(struct twin *t, unsigned int slot, u64 at, u32 nr, u8 life,
			bool zero)
{
	const struct model_arena *a = &t->m.arena[slot];
	u64 f = at, end = at + nr;
	bool known = true;

	while (f < end) {
		unsigned int order = model_part(a, f, end);

		give_life(t, slot, f, 1ull << order, life);
		known &= model_take(&t->m, slot, f, order);
		f += 1u << order;
	}
	expect(t, zero == known, "claim_run of %u at %llu: zero is %d", nr, at, zero);
	model_out(&t->m, slot, at, nr, true, 0);
	expect(t, !quarry_arena_check_run(&t->arena[slot], frame(t, slot, at), nr),
	       "a fresh run of %u is none", nr);
}

/* One bite of a search: it must get on, or end. */
static int bite(struct twin *t, unsigned int slot, struct quarry_search *s, u32 steps,
		struct quarry_frame *f, bool *zero)
{
	u64 lo = s->lo.i, hi = s->hi.i;
	int err;

	s->steps = steps;
	err = quarry_buddy_claim_run(&t->b, &t->arena[slot], s, f, zero);
	expect(t, s->steps < steps + !!err, "a search of %u steps has %u left", steps,
	       s->steps);
	if (err == -EAGAIN)
		expect(t, !s->steps && (s->top_down ? s->lo.i == lo && s->hi.i < hi :
						      s->hi.i == hi && s->lo.i > lo),
		       "a search of [%llu, %llu) goes on with [%u, %u)", lo, hi, s->lo.i,
		       s->hi.i);
	return err;
}

/**
 * twin_claim_run() - claim a run
 * @t:		the twins
 * @slot:	its arena
 * @lo:		first frame of the window, in frames of the core
 * @hi:		first after the window, in frames of the core
 * @nr:		any
 * @align:	any
 * @top_down:	highest place
 *
 * In bites of some length; nothing changes in between. Return: what the core returned.
 */
int twin_claim_run(struct twin *t, unsigned int slot, u64 lo, u64 hi, u32 nr,
		   u32 align, bool top_down)
{
	const struct model_arena *a = &t->m.arena[slot];
	struct quarry_search search = {
		.nr = nr, .align = align, .top_down = top_down, .lo = { lo }, .hi = { hi },
	};
	/* In a few areas no stretch is long. */
	u32 least = t->arena[slot].nr_areas <= 8 ? 24 : QUARRY_SEARCH_LEAST;
	u32 s = skew(t, slot), steps = least + t->steps % 50;
	struct quarry_frame f = { 0 };
	bool zero = false, may = true;
	int err, want = 0;
	s64 place = -1;

	if (!nr || nr > 1u << 18 || !align || (align & (align - 1))) {
		want = -EINVAL;
	} else {
		if (hi > s)
			place = place_of_run(a, lo > s ? lo - s : 0, hi - s, nr, align,
					     top_down);
		if (place < 0)
			want = -ENOSPC;
		may = quarry_buddy_may_have_run(&t->b, nr, align);
	}
	do {
		err = bite(t, slot, &search, steps, &f, &zero);
	} while (err == -EAGAIN);
	expect(t, err == want, "claim_run [%llu, %llu) of %u by %u%s: %d, not %d", lo, hi,
	       nr, align, top_down ? " down" : "", err, want);
	if (!err) {
		expect(t, may, "a run of %u by %u was not to be had", nr, align);
		expect(t, f.i == place + s, "claim_run [%llu, %llu) of %u by %u%s: at %u, not %llu",
		       lo, hi, nr, align, top_down ? " down" : "", f.i, place + s);
		run_claimed(t, slot, place, nr, QUARRY_LIFE_PAGE, zero);
	}
	step(t, "claim_run");
	return err;
}

/* Are the areas of a run, which are broken, of a life? */
static bool are_alike(struct twin *t, unsigned int slot, u64 at, u32 nr, u8 life)
{
	const struct model_arena *a = &t->m.arena[slot];
	u64 abs = (a->first + at) / AREA * AREA;

	for (; abs < a->first + at + nr; abs += AREA)
		if (area_free(a, abs) < AREA && *life_of(t, a, abs) != area_life(life))
			return false;
	return true;
}

/**
 * twin_claim_lowest() - claim a run, wherever it is lowest
 * @t:		the twins
 * @nr:		frames, 1 to QUARRY_MAX_RUN
 * @align:	a power of two
 * @life:	enum quarry_life
 * @alike:	not beside others
 * @steps:	how long to search
 *
 * Where there is one areagroup an arena, the place is the arena's lowest. Return: what the core
 * returned.
 */
int twin_claim_lowest(struct twin *t, u32 nr, u32 align, u8 life, bool alike, u32 steps)
{
	struct quarry_search s = {
		.nr = nr, .align = align, .life = life, .alike = alike, .steps = steps,
	};
	const struct model_arena *a;
	struct quarry_block block;
	unsigned int slot;
	s64 at, place;
	int err;

	err = quarry_buddy_claim_lowest(&t->b, &s, &block);
	expect(t, s.steps <= steps && (!err || err == -ENOSPC || (err == -EAGAIN && !s.steps)),
	       "claim_lowest of %u: %d, %u steps left", nr, err, s.steps);
	for (slot = 0; err == -ENOSPC && !alike && slot < MODEL_ARENAS; slot++) {
		a = &t->m.arena[slot];
		expect(t, !a->present || place_of_run(a, 0, a->nr, nr, align, false) < 0,
		       "claim_lowest of %u by %u: none, but there is", nr, align);
	}
	if (!err) {
		slot = slot_of(t, block.arena);
		a = &t->m.arena[slot];
		at = (s64)block.frame.i - skew(t, slot);
		expect(t, at >= 0 && model_is_free(a, at, nr) && !((a->first + at) % align),
		       "claim_lowest of %u by %u: at %lld", nr, align, at);
		expect(t, !alike || are_alike(t, slot, at, nr, life),
		       "claim_lowest of %u: at %lld, beside other lives", nr, at);
		place = alike || block.arena->nr_groups > 1 ? at :
			place_of_run(a, 0, a->nr, nr, align, false);
		expect(t, at == place, "claim_lowest of %u by %u: at %lld, not %lld", nr,
		       align, at, place);
		run_claimed(t, slot, at, nr, life, block.zero);
	}
	step(t, "claim_lowest");
	return err;
}

/**
 * twin_search_begin() - begin a search that others come in between
 * @t:		the twins, with no search under way
 * @slot:	its arena
 * @search:	what is wanted; must make sense
 */
void twin_search_begin(struct twin *t, unsigned int slot, const struct quarry_search *search)
{
	t->searching = true;
	t->search_slot = slot;
	t->search = *search;
	t->search_lo = search->lo.i;
	t->search_hi = search->hi.i;
}

/**
 * twin_search_go() - go on with it, by a bite
 * @t:		the twins, with a search under way
 * @steps:	its length, QUARRY_SEARCH_LEAST or more
 *
 * What has come free since may be found or missed; what is found must be free.
 */
void twin_search_go(struct twin *t, u32 steps)
{
	const struct model_arena *a = &t->m.arena[t->search_slot];
	struct quarry_search *s = &t->search;
	u32 skip = skew(t, t->search_slot);
	struct quarry_frame f;
	bool zero;
	int err;

	err = bite(t, t->search_slot, s, steps, &f, &zero);
	t->searching = err == -EAGAIN;
	expect(t, !err || err == -EAGAIN || err == -ENOSPC, "search: %d", err);
	if (!err) {
		expect(t, f.i >= t->search_lo && (u64)f.i + s->nr <= t->search_hi &&
		       !((a->first - skip + f.i) & (s->align - 1)),
		       "search [%u, %u) of %u by %u: at %u", t->search_lo, t->search_hi,
		       s->nr, s->align, f.i);
		expect(t, model_is_free(a, f.i - skip, s->nr), "search of %u: %u is out",
		       s->nr, f.i);
		run_claimed(t, t->search_slot, f.i - skip, s->nr, s->life, zero);
	}
	step(t, "search");
}

/**
 * twin_free() - free what is out
 * @t:		the twins
 * @i:		number of the note in the model
 * @zero:	known to be zero
 */
void twin_free(struct twin *t, size_t i, bool zero)
{
	struct model_block p = t->m.live[i];
	const struct model_arena *a = &t->m.arena[p.arena];
	struct quarry_arena *q = &t->arena[p.arena];
	struct quarry_frame f = frame(t, p.arena, p.at);
	u64 at, end = p.at + p.nr;
	int err;

	if (p.run) {
		err = quarry_arena_check_run(q, f, p.nr);
		expect(t, !err, "a run of %llu at %llu: %d", p.nr, p.at, err);
		quarry_buddy_free_run(&t->b, q, f, p.nr, zero);
	} else {
		quarry_buddy_free(&t->b, q, f, log2_of(p.nr), zero);
	}
	for (at = p.at; at < end; ) {
		unsigned int order = model_part(a, at, end);

		expect(t, !state(t, p.arena, at), "free left state %#x",
		       state(t, p.arena, at));
		give_back(t, p.arena, at, order, zero);
		at += 1u << order;
	}
	model_in(&t->m, i);
	step(t, "free");
}

/**
 * twin_trim() - give back the tail of what is out
 * @t:		the twins
 * @i:		number of the note in the model
 * @keep:	any
 */
void twin_trim(struct twin *t, size_t i, u32 keep)
{
	struct model_block p = t->m.live[i];
	const struct model_arena *a = &t->m.arena[p.arena];
	u64 at, end = p.at + p.nr, cut = p.at + keep, before = 0, after = 0;
	int err, want = keep && keep <= p.nr ? 0 : -EINVAL;
	unsigned int order;

	err = quarry_buddy_trim(&t->b, &t->arena[p.arena], frame(t, p.arena, p.at), p.nr,
				keep);
	expect(t, err == want, "trim %llu to %u: %d", p.nr, keep, err);
	if (!err && keep < p.nr) {
		for (at = p.at; at < cut; at += 1u << order) {
			order = model_part(a, at, cut);
			after++;
		}
		/* What stays allocated is cut at the pieces that it was made of. */
		for (at = p.at; at < end; at += 1u << order) {
			u64 back, part_end;
			unsigned int k;

			order = model_part(a, at, end);
			part_end = at + (1u << order);
			before++;
			for (back = at > cut ? at : cut; back < part_end;
			     back += 1u << k) {
				k = model_part(a, back, part_end);
				give_back(t, p.arena, back, k, false);
				after++;
			}
		}
		/* Every split makes one piece more. */
		t->m.splits += after - before;
		t->m.live[i].nr = keep;
		t->m.live[i].run = true;
		expect(t, !quarry_arena_check_run(&t->arena[p.arena],
						  frame(t, p.arena, p.at), keep),
		       "what trim left is no run of %u", keep);
	}
	step(t, "trim");
}

/**
 * twin_check_run() - ask whether a run of that length begins there
 * @t:		the twins
 * @slot:	its arena
 * @at:		frame, of the core
 * @nr:		length
 */
void twin_check_run(struct twin *t, unsigned int slot, u64 at, u32 nr)
{
	int err, want = -EINVAL;
	size_t i;

	for (i = 0; i < t->m.nr_live; i++) {
		const struct model_block *p = &t->m.live[i];

		if (p->arena == slot && p->run && p->at + skew(t, slot) == at)
			want = p->nr == nr ? 0 : -EMSGSIZE;
	}
	err = quarry_arena_check_run(&t->arena[slot], (struct quarry_frame){ at }, nr);
	expect(t, err == want, "check_run of %u at %llu: %d, not %d", nr, at, err, want);
	t->steps++;
}

/**
 * twin_drain() - free everything; all must be one again
 * @t:	the twins
 */
void twin_drain(struct twin *t)
{
	while (t->m.nr_live)
		twin_free(t, t->m.nr_live - 1, false);
	twin_full(t);
}
