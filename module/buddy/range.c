// SPDX-License-Identifier: GPL-2.0
/*
 * Claims that say where, and runs that are no power of two.
 *
 * Model
 *	A run of n frames is kept as the aligned blocks that it is made of, so
 *	that the buddy arithmetic never sees anything else:
 *
 *	  frames   3   4 5 6 7   8 9
 *	  state  RUN|0 MORE|2    MORE|1
 *
 *	RUN stands at its first frame and RUN_MORE at each further piece; the
 *	run ends where the next frame is not RUN_MORE. Its length is therefore
 *	known, and a free with another length is told from the right one.
 *
 * Searching
 *	First fit from either end of a window. From the top it is the same search in a
 *	mirror: positions count from the end of the arena down, and words are read
 *	backwards.
 *
 *	A search goes along keeping where the free stretch that it is in began. What it
 *	steps over at once, from large to small:
 *
 *	  an areagroup		whose bound says that no such run begins in it (runs.c)
 *	  areas			some, by their bounds
 *	  whole areas		up to 64, by their areagroup's bits
 *	  areas that are not	the same, if the run must hold a whole area
 *	  a full area
 *	  an area without a free block as large as the largest that any such run has in
 *	  it: but for its two ends
 *	  a word		with all runs that begin and end in it
 *
 *	So it takes a step a GiB to a step a word, and most often one for some areas. An area
 *	whose bound does not tell is counted, which is some steps, so that it does from then
 *	on: whoever comes after a search that was in vain is through soon.
 *
 *	Who has no window does not go by address, but where areagroups have such runs by their
 *	bounds.
 *
 *	Steps are counted, so that nobody need hold a lock for longer than he wants: a
 *	search stops when they are used up and leaves in its window what it has not
 *	done with, beginning at the stretch that it was in. It can then be called again.
 *	A run that becomes free behind it meanwhile is missed; nothing else can happen,
 *	for every call looks at what is there.
 *
 * Contexts: as buddy.c. Every search ends before the first change.
 */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/swab.h>

#include "place.h"

/* While more than one of so many areas is whole, no large block is in danger. */
#define PLENTY		3

/* Steps to look for areas of one's own life before all do. */
#define ALIKE_STEPS	(QUARRY_BITE_STEPS / 4)

/**
 * struct path - the frames of an arena, in the order in which a search meets them
 * @b:		the allocator
 * @a:		the arena
 * @mirror:	from the top
 * @from:	first position of the window
 * @end:	position after it
 * @nr:		frames wanted
 * @align:	alignment
 * @phase:	position where a run may begin, modulo @align
 * @order:	of a block that every such run has in it
 * @unit:	position of the first area among the bits of the areagroups
 * @least:	bound that an area has at least if such a run begins in it
 * @life:	the only one of areas that are broken; or QUARRY_LIVES: any
 * @only:	the bound of no areagroup but this one is the search's to lower; or NULL: of any
 */
struct path {
	struct quarry_buddy *b;
	struct quarry_arena *a;
	bool mirror;
	u64 from;
	u64 end;
	u32 nr;
	u32 align;
	u64 phase;
	unsigned int order;
	u64 unit;
	unsigned int least;
	u8 life;
	const struct quarry_areagroup *only;
};

static u64 mirrored(u64 w)
{
	w = swab64(w);
	w = (w >> 4 & 0x0f0f0f0f0f0f0f0fULL) | (w & 0x0f0f0f0f0f0f0f0fULL) << 4;
	w = (w >> 2 & 0x3333333333333333ULL) | (w & 0x3333333333333333ULL) << 2;
	return (w >> 1 & 0x5555555555555555ULL) | (w & 0x5555555555555555ULL) << 1;
}

static u64 arena_frames(const struct quarry_arena *a)
{
	return (u64)a->nr_areas * QUARRY_AREA_FRAMES;
}

/* The position of a frame's lower border, or of the upper one in a mirror; and back. */
static u64 position(const struct path *p, u64 f)
{
	return p->mirror ? arena_frames(p->a) - f : f;
}

static struct quarry_area *range_area_at(const struct path *p, u64 at)
{
	u64 i = at / QUARRY_AREA_FRAMES;

	return &p->a->areas[p->mirror ? p->a->nr_areas - 1 - i : i];
}

static const struct quarry_bitfield *area_line(const struct path *p, u64 at)
{
	return &range_area_at(p, at)->bits;
}

/* The word of frames that begins at a position. */
static u64 frames_word(const struct path *p, u64 at)
{
	const struct quarry_bitfield *l = area_line(p, at);
	unsigned int w = (at / 64) % QUARRY_BITFIELD_WORDS;

	return p->mirror ? mirrored(l->free[QUARRY_BITFIELD_WORDS - 1 - w]) : l->free[w];
}

/* The same, without what is outside the window. */
static u64 window_word(const struct path *p, u64 at)
{
	u64 w = frames_word(p, at);

	if (at < p->from)
		w &= ~0ULL << (p->from - at);
	if (p->end - at < 64)
		w &= ~(~0ULL << (p->end - at));
	return w;
}

/* The word of areas around a unit of the areagroups. */
static u64 areas_word(const struct path *p, u64 unit)
{
	u64 nr = (u64)p->a->nr_groups * QUARRY_BITFIELD_UNITS;
	u64 at = p->mirror ? nr - 1 - unit : unit;
	const struct quarry_bitfield *l = &p->a->groups[at / QUARRY_BITFIELD_UNITS].bits;
	u64 w = l->free[(at / 64) % QUARRY_BITFIELD_WORDS];

	return p->mirror ? mirrored(w) : w;
}

/* From a position at an area's border: how many areas are whole, or are not? 1 to 64. */
static unsigned int areas_alike(const struct path *p, u64 at, bool *whole)
{
	u64 unit = p->unit + at / QUARRY_AREA_FRAMES;
	u64 w = areas_word(p, unit) >> (unit % 64), differ;
	unsigned int nr = 64 - unit % 64;

	*whole = w & 1;
	differ = *whole ? ~w : w;
	if (differ)
		nr = min_t(unsigned int, nr, __ffs64(differ));
	return min_t(u64, nr, (p->end - at) / QUARRY_AREA_FRAMES);
}

/* Free frames at the beginning of an area that is not whole. */
static unsigned int area_head(const struct path *p, u64 at)
{
	unsigned int n = 0;

	while (!~frames_word(p, at + n))
		n += 64;
	return n + __ffs64(~frames_word(p, at + n));
}

/* Free frames at its end. */
static unsigned int area_tail(const struct path *p, u64 at)
{
	unsigned int n = QUARRY_AREA_FRAMES;

	while (!~frames_word(p, at + n - 64))
		n -= 64;
	return QUARRY_AREA_FRAMES - n + 64 - fls64(~frames_word(p, at + n - 64));
}

/* Does the run fit into a free stretch? Then *@at is where. */
static bool range_fits(const struct path *p, u64 start, u64 end, u64 *at)
{
	*at = start + ((p->phase - start) & (p->align - 1));
	return *at + p->nr <= end;
}

/* Where in a word runs begin that end in it, too. */
static u64 runs_inside(const struct path *p, u64 at, u64 w)
{
	u64 skip = (p->phase - at) & (p->align - 1);
	u32 have, more;

	if (p->nr > 64 || skip >= 64)
		return 0;
	for (have = 1; have < p->nr && w; have += more) {
		more = min(have, p->nr - have);
		w &= w >> more;
	}
	return w & quarry_bitfield_starts(min_t(unsigned int, ilog2(p->align),
						QUARRY_WORD_ORDER)) << skip;
}

/**
 * struct walk - a search under way
 * @at:		position that it has come to
 * @start:	beginning of the free stretch before @at; @at if there is none
 * @barren:	from the beginning of an areagroup to there no run begins by the areas' bounds
 * @steps:	that may still be taken
 */
struct walk {
	u64 at;
	u64 start;
	u64 barren;
	u32 steps;
};

/* Parts of an areagroup that are stepped over by their bounds for what a step takes. */
#define PARTS_A_STEP	4

/* What it takes to count an area, in steps. */
#define COUNT_STEPS	5

/* Where runs begin that have a frame in this area: there, or in the one below as well. */
static bool bounds_allow(const struct path *p, const struct quarry_area *area)
{
	if (area->most >= p->least)
		return true;
	return p->mirror && area > p->a->areas && area[-1].most >= p->least;
}

/* The same of the areagroup around the area. */
static bool groups_allow(const struct path *p, const struct quarry_area *area)
{
	const struct quarry_areagroup *group = quarry_areagroup_of(area);

	if (group->most >= p->least)
		return true;
	return p->mirror && group > p->a->groups && group[-1].most >= p->least;
}

/* Areas of its areagroup from this one on, in the order of the path. */
static u32 rest_of_group(const struct path *p, const struct quarry_area *area)
{
	u32 pos = quarry_areagroup_position(area);

	return p->mirror ? pos + 1 : QUARRY_BITFIELD_UNITS - pos;
}

/* Is an area broken, and by a life whose areas do not serve? */
static bool is_for_others(const struct path *p, const struct quarry_area *area)
{
	return p->life < QUARRY_LIVES && area->life != p->life &&
	       area->bits.nfree < QUARRY_AREA_FRAMES;
}

/* Have the bound of an area tell, if it is not whole. Returns the steps that it took. */
static u32 range_count(const struct path *p, struct quarry_area *area)
{
	if (area->bits.nfree == QUARRY_AREA_FRAMES || is_for_others(p, area))
		return 0;
	quarry_runs_count(area);
	return area->bits.nfree ? COUNT_STEPS : 1;
}

/* Is an area the first of a part of its areagroup that the path meets? */
static bool begins_part(const struct path *p, const struct quarry_area *area)
{
	unsigned int pos = quarry_areagroup_position(area) % QUARRY_PART_AREAS;

	return pos == (p->mirror ? QUARRY_PART_AREAS - 1 : 0);
}

/* The same as below, of whole parts of an areagroup by their bounds. */
static u32 parts_barren(const struct path *p, struct walk *k, struct quarry_area *area, u32 left)
{
	struct quarry_areagroup *group = quarry_areagroup_of(area);
	unsigned int i = quarry_areagroup_part(area);
	u32 n = 0;

	if (!begins_part(p, area))
		return 0;
	while (left - n >= QUARRY_PART_AREAS && group->most_of[i] < p->least) {
		/* From the top, a run may begin in the area below as well. */
		if (p->mirror && i && group->most_of[i - 1] >= p->least)
			break;
		if (p->mirror && !i && group > p->a->groups && group[-1].most >= p->least)
			break;
		n += QUARRY_PART_AREAS;
		i += p->mirror ? -1 : 1;
	}
	k->steps -= min(k->steps, n / QUARRY_PART_AREAS / PARTS_A_STEP);
	return n;
}

/* From a position at an area's border, so many areas have no frame of a run by their bounds. */
static u32 areas_barren(const struct path *p, struct walk *k)
{
	struct quarry_area *area = range_area_at(p, k->at), *first = area;
	u32 left = (p->end - k->at) / QUARRY_AREA_FRAMES, n;
	unsigned int most = 0;

	left = min(left, rest_of_group(p, area));
	if (!groups_allow(p, area))
		return left;
	n = parts_barren(p, k, area, left);
	if (n)
		return n;
	if (bounds_allow(p, area)) {
		n = range_count(p, area);
		if (p->mirror && area > p->a->areas && area->most < p->least)
			n += range_count(p, area - 1);
		k->steps -= min(k->steps, n);
	}
	left = min(left, QUARRY_PART_AREAS);
	for (n = 0; n < left && !bounds_allow(p, area); n++) {
		most = max_t(unsigned int, most, area->most);
		area += p->mirror ? -1 : 1;
	}
	if (n == QUARRY_PART_AREAS && begins_part(p, first))
		quarry_runs_bound_part(quarry_areagroup_of(first), quarry_areagroup_part(first),
				       most);
	k->steps -= min(k->steps, n / 4);
	return n;
}

/* One step by words: true if it ends the search, at *@found. */
static bool step_word(const struct path *p, struct walk *k, u64 *found)
{
	u64 at = k->at & ~63ULL, w = window_word(p, at), inside;

	k->at = min(at + 64, p->end);
	if (!~w)
		return range_fits(p, k->start, k->at, found);
	if (range_fits(p, k->start, max(at + __ffs64(~w), k->start), found))
		return true;
	inside = runs_inside(p, at, w);
	*found = inside ? at + __ffs64(inside) : 0;
	k->start = min(at + fls64(~w), k->at);
	return inside;
}

/* Step over areas that have no frame of such a run. False if this one may. */
static bool step_barren(const struct path *p, struct walk *k)
{
	struct quarry_areagroup *group = quarry_areagroup_of(range_area_at(p, k->at));
	u32 nr = areas_barren(p, k), rest = rest_of_group(p, range_area_at(p, k->at));
	bool known = rest == QUARRY_BITFIELD_UNITS || k->barren == k->at;

	k->at += (u64)nr * QUARRY_AREA_FRAMES;
	k->start = k->at;
	if (nr && known)
		k->barren = k->at;
	/* All of the areagroup is, so that this can be known at once. */
	if (nr == rest && known && group->most >= p->least && (!p->only || p->only == group))
		quarry_runs_bound(p->b, group, p->least - 1);
	return nr;
}

/* One step from the border of an area that is all in the window. */
static bool step_area(const struct path *p, struct walk *k, u64 *found)
{
	const struct quarry_bitfield *l;
	bool whole, fit;
	unsigned int nr;

	if (k->start == k->at && step_barren(p, k))
		return false;
	nr = areas_alike(p, k->at, &whole);
	if (whole) {
		k->at += nr * QUARRY_AREA_FRAMES;
		return range_fits(p, k->start, k->at, found);
	}
	/* The last of them may end with the beginning of a run. */
	if (p->order >= QUARRY_AREA_ORDER && k->start == k->at && nr > 1) {
		k->at += (nr - 1) * QUARRY_AREA_FRAMES;
		k->start = k->at;
		return false;
	}
	if (is_for_others(p, range_area_at(p, k->at))) {
		k->at += QUARRY_AREA_FRAMES;
		k->start = k->at;
		return false;
	}
	l = area_line(p, k->at);
	if (l->nfree && l->orders >> p->order)
		return step_word(p, k, found);
	fit = l->nfree && range_fits(p, k->start, k->at + area_head(p, k->at), found);
	k->start = k->at + QUARRY_AREA_FRAMES - (l->nfree ? area_tail(p, k->at) : 0);
	k->at += QUARRY_AREA_FRAMES;
	return fit;
}

/*
 * The first place for the run along the path. Returns 0, -ENOSPC, or -EAGAIN if @steps
 * are used up: then *@found is where to go on.
 */
static int range_find(const struct path *p, u32 *steps, u64 *found)
{
	struct walk k = {
		.at = p->from, .start = p->from, .barren = ~0ULL, .steps = *steps,
	};
	bool fit = false;

	while (k.at < p->end && !fit) {
		if (!k.steps) {
			*steps = 0;
			*found = k.start;
			return -EAGAIN;
		}
		k.steps--;
		if (k.at % QUARRY_AREA_FRAMES || p->end - k.at < QUARRY_AREA_FRAMES)
			fit = step_word(p, &k, found);
		else
			fit = step_area(p, &k, found);
	}
	*steps = k.steps;
	return fit ? 0 : -ENOSPC;
}

/* The order of a block that every run has in it, for its length or its alignment. */
static unsigned int run_order(u32 nr, u32 align)
{
	return max_t(unsigned int, ilog2(nr + 1) - 1, min(ilog2(nr), ilog2(align)));
}

/**
 * quarry_buddy_may_have_run() - is it worth looking for a run?
 * @b:		the allocator
 * @nr:		frames wanted, 1 to QUARRY_MAX_RUN
 * @align:	alignment of the first in frames, a power of two
 *
 * Cost: constant. Context: under the caller's lock.
 *
 * Return: false if no free block is as large as one that every such run has in it, or no
 * areagroup's bound is as high as it must be.
 */
bool quarry_buddy_may_have_run(const struct quarry_buddy *b, u32 nr, u32 align)
{
	unsigned int place = 0, order;

	if (nr > b->nfree)
		return false;
	while (place < QUARRY_PLACES &&
	       !quarry_runs_next(b, place, min(nr, QUARRY_AREA_FRAMES)))
		place++;
	if (place == QUARRY_PLACES)
		return false;
	for (order = run_order(nr, align); order <= QUARRY_MAX_ORDER; order++)
		if (b->blocks[order])
			return true;
	return false;
}

/* Write the states of a run over [f, end). Returns its pieces. */
static unsigned int write_run(struct quarry_arena *a, u32 f, u32 end)
{
	u8 kind = QUARRY_STATE_RUN;
	unsigned int order, pieces = 0;

	for (; f < end; f += 1U << order) {
		order = quarry_arena_part(a, f, end);
		WRITE_ONCE(a->state[f], kind | order);
		kind = QUARRY_STATE_RUN_MORE;
		pieces++;
	}
	return pieces;
}

/**
 * quarry_buddy_claim_at() - claim one certain block
 * @b:		the allocator
 * @a:		an arena of it
 * @f:		first frame of the block
 * @order:	0 to QUARRY_MAX_ORDER
 * @kind:	QUARRY_STATE_* to write at its head
 * @zero:	set to whether it is known to be zero
 *
 * Context: under the caller's lock.
 *
 * Return: 0; -EINVAL if the block is not aligned or not inside the arena;
 * -EBUSY if a frame of it is out.
 */
int quarry_buddy_claim_at(struct quarry_buddy *b, struct quarry_arena *a,
			  struct quarry_frame f, unsigned int order, u8 kind,
			  bool *zero)
{
	if (order > QUARRY_MAX_ORDER || f.i < a->lo ||
	    (u64)f.i + (1U << order) > a->hi ||
	    (a->base + f.i) & ((1U << order) - 1))
		return -EINVAL;
	if (!quarry_arena_is_free(a, f, order))
		return -EBUSY;
	quarry_buddy_take(b, a, f, order, QUARRY_LIFE_PAGE, zero);
	WRITE_ONCE(a->state[f.i], kind | order);
	return 0;
}

/* The path of a search through [lo, hi). */
static struct path path_of(struct quarry_buddy *b, struct quarry_arena *a,
			   const struct quarry_search *s, u64 lo, u64 hi)
{
	struct path p = {
		.b = b, .a = a, .mirror = s->top_down, .nr = s->nr, .align = s->align,
		.order = run_order(s->nr, s->align),
		.least = min(s->nr, QUARRY_AREA_FRAMES),
		.life = s->alike ? quarry_area_life(s->life) : QUARRY_LIVES,
	};

	p.from = position(&p, p.mirror ? hi : lo);
	p.end = position(&p, p.mirror ? lo : hi);
	if (p.mirror) {
		p.phase = a->base + arena_frames(a) - s->nr;
		p.unit = (u64)a->nr_groups * QUARRY_BITFIELD_UNITS - a->shift - a->nr_areas;
	} else {
		p.phase = -a->base;
		p.unit = a->shift;
	}
	return p;
}

/* Claim frames that are free, as a run. Were they all known to be zero? */
static bool take_run(struct quarry_buddy *b, struct quarry_arena *a, u32 at,
		     const struct quarry_search *s)
{
	bool zero = true, part;
	unsigned int order;
	u32 i;

	for (i = at; i < at + s->nr; i += 1U << order) {
		order = quarry_arena_part(a, i, at + s->nr);
		quarry_buddy_take(b, a, (struct quarry_frame){ i }, order, s->life, &part);
		zero &= part;
	}
	write_run(a, at, at + s->nr);
	return zero;
}

/**
 * quarry_buddy_claim_run() - claim contiguous frames inside a window
 * @b:		the allocator
 * @a:		an arena of it
 * @s:		what is wanted; its window and steps are counted down
 * @f:		set to the first frame
 * @zero:	set to whether all frames are known to be zero
 *
 * Cost: @s->steps of some ten nanoseconds at most, and what the claim of the pieces
 * costs. With QUARRY_SEARCH_LEAST steps or more every call gets on.
 *
 * Context: under the caller's lock.
 *
 * Return: 0; -EINVAL for a length or alignment out of range; -ENOSPC if the window has
 * no such place; -EAGAIN if the steps are used up: there is no such place in what
 * has gone from the window.
 */
int quarry_buddy_claim_run(struct quarry_buddy *b, struct quarry_arena *a,
			   struct quarry_search *s, struct quarry_frame *f, bool *zero)
{
	u64 lo = max(s->lo.i, a->lo), hi = min(s->hi.i, a->hi), at;
	struct path p;
	int err;

	if (!s->nr || s->nr > QUARRY_MAX_RUN || !is_power_of_2(s->align))
		return -EINVAL;
	if (s->nr > a->nfree || lo + s->nr > hi)
		return -ENOSPC;
	p = path_of(b, a, s, lo, hi);
	err = range_find(&p, &s->steps, &at);
	if (err == -EAGAIN && p.mirror)
		s->hi.i = position(&p, at);
	else if (err == -EAGAIN)
		s->lo.i = at;
	if (err)
		return err;
	f->i = p.mirror ? position(&p, at + s->nr) : at;
	*zero = take_run(b, a, f->i, s);
	return 0;
}

/**
 * struct part - an areagroup that is searched
 * @group:	it
 * @from:	its first area in the arena
 * @to:		the one behind its last
 */
struct part {
	struct quarry_areagroup *group;
	u32 from;
	u32 to;
};

/*
 * An areagroup was searched in vain: from now on its bound says so, as far as alignment and lives
 * let it. Areas that are in the middle of a stretch were not counted yet.
 */
static void bound_part(struct quarry_buddy *b, const struct part *part, const struct path *p,
		       u32 *steps)
{
	struct quarry_area *areas = part->group->arena->areas;
	unsigned int most = 0, most_of = 0, k;
	u32 i, n = 0;

	for (i = part->from; i < part->to; i++) {
		k = quarry_areagroup_part(&areas[i]);
		if (part->group->most_of[k] < p->least) {
			/* Of these nobody need know more. */
			most_of = part->group->most_of[k];
			i += QUARRY_PART_AREAS - 1 -
			     quarry_areagroup_position(&areas[i]) % QUARRY_PART_AREAS;
		} else {
			if (areas[i].most >= p->least)
				n += range_count(p, &areas[i]);
			most_of = max_t(unsigned int, most_of, areas[i].most);
			if (i + 1 < part->to && quarry_areagroup_part(&areas[i + 1]) == k)
				continue;
			quarry_runs_bound_part(part->group, k, most_of);
			n += QUARRY_PART_AREAS / 4;
		}
		most = max(most, most_of);
		most_of = 0;
	}
	quarry_runs_bound(b, part->group, most);
	*steps -= min(*steps, n);
}

/* No run is longer than all that is free in the arena. */
static void bound_by_nfree(struct quarry_buddy *b, const struct part *part, u32 *steps)
{
	struct quarry_arena *a = part->group->arena;
	u32 i;

	if (part->group->most <= a->nfree)
		return;
	for (i = part->from; i < part->to; i++)
		a->areas[i].most = min_t(u32, a->areas[i].most, a->nfree);
	quarry_runs_bound(b, part->group, a->nfree);
	*steps -= min(*steps, (part->to - part->from) / 4);
}

/*
 * Is there a block that every such run has in it? What begins in an areagroup ends in the next
 * one.
 */
static bool has_block(const struct quarry_areagroup *group, const struct quarry_search *s)
{
	unsigned int order = run_order(s->nr, s->align);
	const struct quarry_arena *a = group->arena;

	if (order < QUARRY_AREA_ORDER || group->bits.orders >> (order - QUARRY_AREA_ORDER))
		return true;
	return group + 1 < a->groups + a->nr_groups &&
	       group[1].bits.orders >> (order - QUARRY_AREA_ORDER);
}

/* The lowest place in an areagroup, as range_find(). */
static int find_in_group(struct quarry_buddy *b, struct quarry_areagroup *group,
			 struct quarry_search *s, u64 *at)
{
	struct quarry_arena *a = group->arena;
	u64 before = (u64)(group - a->groups) * QUARRY_BITFIELD_UNITS;
	u64 end = (u64)a->nr_areas * QUARRY_AREA_FRAMES;
	struct part part = {
		.group = group, .from = before > a->shift ? before - a->shift : 0,
		.to = min_t(u64, a->nr_areas, before + QUARRY_BITFIELD_UNITS - a->shift),
	};
	struct path p;
	int err;

	if (s->nr > a->nfree) {
		bound_by_nfree(b, &part, &s->steps);
		return -ENOSPC;
	}
	if (!has_block(group, s))
		return -ENOSPC;
	/* What begins in the areagroup ends so many areas behind it at most. */
	end = min(end, (part.to + s->nr / QUARRY_AREA_FRAMES + 1ULL) * QUARRY_AREA_FRAMES);
	p = path_of(b, a, s, (u64)part.from * QUARRY_AREA_FRAMES, end);
	p.only = group;
	err = range_find(&p, &s->steps, at);
	if (err == -ENOSPC)
		bound_part(b, &part, &p, &s->steps);
	return err;
}

/* In one areagroup, and the claim. */
static int claim_in_group(struct quarry_buddy *b, struct quarry_areagroup *group,
			  struct quarry_search *s, struct quarry_block *block)
{
	u64 at;
	int err;

	if (!s->steps)
		return -EAGAIN;
	s->steps--;
	err = find_in_group(b, group, s, &at);
	if (err)
		return err;
	block->arena = group->arena;
	block->frame.i = at;
	block->zero = take_run(b, group->arena, at, s);
	return 0;
}

/*
 * In the areagroups of one place and bound, the first one last: it is what the others hang on. What
 * was searched in vain may leave, and nothing else does: see struct path.
 */
static int claim_among(struct quarry_buddy *b, struct quarry_areagroup *first,
		       struct quarry_search *s, struct quarry_block *block)
{
	struct quarry_areagroup *group, *next;
	int err;

	list_for_each_entry_safe(group, next, &first->run_peers, run_peers) {
		err = claim_in_group(b, group, s, block);
		if (err != -ENOSPC)
			return err;
	}
	return claim_in_group(b, first, s, block);
}

/**
 * quarry_buddy_claim_lowest() - claim contiguous frames in the first place that has them
 * @b:		the allocator
 * @s:		what is wanted, 1 to QUARRY_MAX_RUN frames; its steps are counted down, its
 *		window is of no matter
 * @block:	set
 *
 * First fit by places. Cost: @s->steps of some ten nanoseconds at most, the sum over a
 * GiB of areas, and what the claim of the pieces costs.
 *
 * Context: under the caller's lock.
 *
 * Return: 0; -ENOSPC if there are no such frames in areas that may serve; -EAGAIN if the
 * steps are used up.
 */
int quarry_buddy_claim_lowest(struct quarry_buddy *b, struct quarry_search *s,
			      struct quarry_block *block)
{
	unsigned int least = min(s->nr, QUARRY_AREA_FRAMES), place, most;
	int err;

	for (place = 0; place < QUARRY_PLACES; place++) {
		most = quarry_runs_next(b, place, least);
		while (most) {
			err = claim_among(b, quarry_runs_first(b, place, most), s, block);
			if (err != -ENOSPC)
				return err;
			most = most < QUARRY_AREA_FRAMES ? quarry_runs_next(b, place, most + 1) :
							   0;
		}
	}
	return -ENOSPC;
}

/* A block of the next power of two with its tail cut off. */
static bool claim_trimmed(struct quarry_buddy *b, const struct quarry_want *want, u32 nr,
			  u32 align, struct quarry_block *block)
{
	struct quarry_want whole = *want;

	whole.order = max(order_base_2(nr), ilog2(align));
	if (whole.order > QUARRY_MAX_ORDER || quarry_buddy_claim(b, &whole, block))
		return false;
	quarry_buddy_trim(b, block->arena, block->frame, 1U << whole.order, nr);
	return true;
}

/*
 * Is a block the best place for a run? While there is plenty of whole areas it is: else a
 * hole is, aligned or not.
 */
static bool is_exact(const struct quarry_buddy *b, u32 nr, u32 align)
{
	return is_power_of_2(nr) && align <= nr && b->nr_whole > b->nr_areas / PLENTY;
}

/**
 * quarry_buddy_claim_anywhere() - claim contiguous frames, wherever they are best had
 * @b:		the allocator
 * @want:	its kind is QUARRY_STATE_RUN; its order is of no matter
 * @nr:		frames wanted, 1 to QUARRY_MAX_RUN
 * @align:	alignment of the first in frames, a power of two to QUARRY_MAX_RUN
 * @block:	set
 *
 * What a block serves without a rest is a block. All else goes to the lowest place that
 * fits, for the tails that are cut off blocks of the next power of two serve nobody who
 * wants as much: first into areas of its life; then a block is cut after all; then anywhere.
 *
 * Cost: 640 steps of a search at most, and a claim. Context: under the caller's lock.
 *
 * Return: 0; -ENOSPC if there are no such frames; -EAGAIN if there may be, and it takes
 * quarry_buddy_claim_run() to find them.
 */
int quarry_buddy_claim_anywhere(struct quarry_buddy *b, const struct quarry_want *want,
				u32 nr, u32 align, struct quarry_block *block)
{
	bool exact = is_exact(b, nr, align);
	struct quarry_search s = {
		.nr = nr, .align = align, .life = want->life,
		.alike = quarry_lives_are_apart(b),
	};
	bool apart = s.alike;
	int err;

	s.steps = apart ? ALIKE_STEPS : QUARRY_BITE_STEPS;

	if (exact && claim_trimmed(b, want, nr, align, block))
		return 0;
	if (!quarry_buddy_may_have_run(b, nr, align))
		return -ENOSPC;
	err = quarry_buddy_claim_lowest(b, &s, block);
	if (err == -EAGAIN && apart) {
		/* There are too many areas of other lives to look past them. */
		apart = false;
		s.alike = false;
		s.steps = QUARRY_BITE_STEPS;
		err = quarry_buddy_claim_lowest(b, &s, block);
	}
	if (!err || (!exact && claim_trimmed(b, want, nr, align, block)))
		return 0;
	if (err == -EAGAIN || !apart)
		return err;
	s.alike = false;
	s.steps = QUARRY_BITE_STEPS;
	return quarry_buddy_claim_lowest(b, &s, block);
}

/**
 * quarry_arena_check_run() - is this a run of exactly that length?
 * @a:	the arena
 * @f:	its first frame
 * @nr:	its length in frames
 *
 * Context: under the lock of the arena's allocator.
 *
 * Return: 0; -EINVAL if no run begins at @f; -EMSGSIZE if it is longer or
 * shorter.
 */
int quarry_arena_check_run(const struct quarry_arena *a, struct quarry_frame f, u32 nr)
{
	u8 kind = QUARRY_STATE_RUN, state;
	u64 i = f.i, end = i + nr;

	if (i < a->lo || i >= a->hi ||
	    (a->state[i] & QUARRY_STATE_KIND) != QUARRY_STATE_RUN)
		return -EINVAL;
	while (i < end && i < a->hi) {
		state = a->state[i];
		if ((state & QUARRY_STATE_KIND) != kind)
			return -EMSGSIZE;
		i += 1U << (state & QUARRY_STATE_ORDER);
		kind = QUARRY_STATE_RUN_MORE;
	}
	if (!nr || i != end)
		return -EMSGSIZE;
	if (i < a->hi && (a->state[i] & QUARRY_STATE_KIND) == QUARRY_STATE_RUN_MORE)
		return -EMSGSIZE;
	return 0;
}

/**
 * quarry_buddy_free_run() - take a run back
 * @b:		the allocator
 * @a:		the arena
 * @f:		its first frame
 * @nr:		its length, as quarry_arena_check_run() has confirmed
 * @zero:	every frame of it is known to hold zeros
 *
 * Context: under the caller's lock.
 */
void quarry_buddy_free_run(struct quarry_buddy *b, struct quarry_arena *a,
			   struct quarry_frame f, u32 nr, bool zero)
{
	u32 i = f.i, end = f.i + nr;
	unsigned int order;

	for (; i < end; i += 1U << order) {
		order = a->state[i] & QUARRY_STATE_ORDER;
		quarry_buddy_free(b, a, (struct quarry_frame){ i }, order, zero);
	}
}

/**
 * quarry_arena_take_run() - a run is no client's any more
 * @a:		the arena
 * @f:		its first frame
 * @nr:		its length, as quarry_arena_check_run() has confirmed
 *
 * Its parts are marked as on a list, which is what they are to all who look until
 * quarry_buddy_free_run() takes them back. Context: under the caller's lock.
 */
void quarry_arena_take_run(struct quarry_arena *a, struct quarry_frame f, u32 nr)
{
	u32 i, end = f.i + nr;
	unsigned int order;

	for (i = f.i; i < end; i += 1U << order) {
		order = a->state[i] & QUARRY_STATE_ORDER;
		WRITE_ONCE(a->state[i], QUARRY_STATE_PCP | order);
	}
}

/**
 * quarry_buddy_split_run() - make two runs of a block or run
 * @b:		the allocator
 * @a:		the arena
 * @f:		its first frame
 * @nr:		its length, which the caller has checked
 * @keep:	frames of the first one, 1 to @nr - 1
 *
 * Context: under the caller's lock.
 */
void quarry_buddy_split_run(struct quarry_buddy *b, struct quarry_arena *a,
			    struct quarry_frame f, u32 nr, u32 keep)
{
	u32 i, end = f.i + nr, cut = f.i + keep;
	unsigned int order, before = 0, after;

	for (i = f.i; i < end; i += 1U << order, before++) {
		order = quarry_state_order(a->state[i]);
		WRITE_ONCE(a->state[i], QUARRY_STATE_FREE);
	}
	after = write_run(a, f.i, cut) + write_run(a, cut, end);
	b->splits += after - before;
}

/**
 * quarry_buddy_trim() - give back the tail of a block or run
 * @b:		the allocator
 * @a:		the arena
 * @f:		its first frame
 * @nr:		its length, which the caller has checked
 * @keep:	frames to keep at the front, 1 to @nr
 *
 * What is left is a run of @keep frames, unless nothing was given back.
 * Context: under the caller's lock.
 *
 * Return: 0, or -EINVAL if @keep is out of range.
 */
int quarry_buddy_trim(struct quarry_buddy *b, struct quarry_arena *a,
		      struct quarry_frame f, u32 nr, u32 keep)
{
	if (!keep || keep > nr)
		return -EINVAL;
	if (keep == nr)
		return 0;
	quarry_buddy_split_run(b, a, f, nr, keep);
	quarry_buddy_free_run(b, a, (struct quarry_frame){ f.i + keep }, nr - keep, false);
	return 0;
}
