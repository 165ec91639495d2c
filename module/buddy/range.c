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
 *	  whole areas		up to 64, by their group's bits
 *	  areas that are not	the same, if the run must hold a whole area
 *	  a full area
 *	  an area without a free block as large as the largest that any such run has in
 *	  it: but for its two ends
 *	  a word		with all runs that begin and end in it
 *
 *	So it takes a step for 64 areas to a step a word, and most often one an area.
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

#include "buddy.h"

/**
 * struct path - the frames of an arena, in the order in which a search meets them
 * @a:		the arena
 * @mirror:	from the top
 * @from:	first position of the window
 * @end:	position after it
 * @nr:		frames wanted
 * @align:	alignment
 * @phase:	position where a run may begin, modulo @align
 * @order:	of a block that every such run has in it
 * @unit:	position of the first area among the bits of the groups
 */
struct path {
	const struct quarry_arena *a;
	bool mirror;
	u64 from;
	u64 end;
	u32 nr;
	u32 align;
	u64 phase;
	unsigned int order;
	u64 unit;
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

static const struct quarry_line *area_line(const struct path *p, u64 at)
{
	u64 i = at / QUARRY_AREA_FRAMES;

	return &p->a->areas[p->mirror ? p->a->nr_areas - 1 - i : i].line;
}

/* The word of frames that begins at a position. */
static u64 frames_word(const struct path *p, u64 at)
{
	const struct quarry_line *l = area_line(p, at);
	unsigned int w = (at / 64) % QUARRY_LINE_WORDS;

	return p->mirror ? mirrored(l->free[QUARRY_LINE_WORDS - 1 - w]) : l->free[w];
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

/* The word of areas around a unit of the groups. */
static u64 areas_word(const struct path *p, u64 unit)
{
	u64 nr = (u64)p->a->nr_groups * QUARRY_LINE_UNITS;
	u64 at = p->mirror ? nr - 1 - unit : unit;
	u64 w = p->a->groups[at / QUARRY_LINE_UNITS].line.free[(at / 64) % QUARRY_LINE_WORDS];

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
static bool fits(const struct path *p, u64 start, u64 end, u64 *at)
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
	return w & quarry_line_starts(min_t(unsigned int, ilog2(p->align),
					    QUARRY_WORD_ORDER)) << skip;
}

/**
 * struct walk - a search under way
 * @at:		position that it has come to
 * @start:	beginning of the free stretch before @at; @at if there is none
 */
struct walk {
	u64 at;
	u64 start;
};

/* One step by words: true if it ends the search, at *@found. */
static bool step_word(const struct path *p, struct walk *k, u64 *found)
{
	u64 at = k->at & ~63ULL, w = window_word(p, at), inside;

	k->at = min(at + 64, p->end);
	if (!~w)
		return fits(p, k->start, k->at, found);
	if (fits(p, k->start, max(at + __ffs64(~w), k->start), found))
		return true;
	inside = runs_inside(p, at, w);
	*found = inside ? at + __ffs64(inside) : 0;
	k->start = min(at + fls64(~w), k->at);
	return inside;
}

/* One step from the border of an area that is all in the window. */
static bool step_area(const struct path *p, struct walk *k, u64 *found)
{
	const struct quarry_line *l;
	bool whole, fit;
	unsigned int nr = areas_alike(p, k->at, &whole);

	if (whole) {
		k->at += nr * QUARRY_AREA_FRAMES;
		return fits(p, k->start, k->at, found);
	}
	/* The last of them may end with the beginning of a run. */
	if (p->order >= QUARRY_AREA_ORDER && k->start == k->at && nr > 1) {
		k->at += (nr - 1) * QUARRY_AREA_FRAMES;
		k->start = k->at;
		return false;
	}
	l = area_line(p, k->at);
	if (l->nfree && l->orders >> p->order)
		return step_word(p, k, found);
	fit = l->nfree && fits(p, k->start, k->at + area_head(p, k->at), found);
	k->start = k->at + QUARRY_AREA_FRAMES - (l->nfree ? area_tail(p, k->at) : 0);
	k->at += QUARRY_AREA_FRAMES;
	return fit;
}

/*
 * The first place for the run along the path. Returns 0, -ENOSPC, or -EAGAIN if @steps
 * are used up: then *@found is where to go on.
 */
static int find(const struct path *p, u32 *steps, u64 *found)
{
	struct walk k = { .at = p->from, .start = p->from };
	bool fit;

	while (k.at < p->end) {
		if (!*steps) {
			*found = k.start;
			return -EAGAIN;
		}
		--*steps;
		if (k.at % QUARRY_AREA_FRAMES || p->end - k.at < QUARRY_AREA_FRAMES)
			fit = step_word(p, &k, found);
		else
			fit = step_area(p, &k, found);
		if (fit)
			return 0;
	}
	return -ENOSPC;
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
 * Return: false if no free block is as large as one that every such run has in it.
 */
bool quarry_buddy_may_have_run(const struct quarry_buddy *b, u32 nr, u32 align)
{
	unsigned int order;

	if (nr > b->nfree)
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
		order = quarry_arena_piece(a, f, end);
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
	quarry_buddy_take(b, a, f, order, zero);
	WRITE_ONCE(a->state[f.i], kind | order);
	return 0;
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
	struct path p = { .a = a, .mirror = s->top_down, .nr = s->nr, .align = s->align };
	bool part;
	int err;
	u32 i;

	if (!s->nr || s->nr > QUARRY_MAX_RUN || !is_power_of_2(s->align))
		return -EINVAL;
	if (s->nr > a->nfree || lo + s->nr > hi)
		return -ENOSPC;
	p.order = run_order(s->nr, s->align);
	p.from = position(&p, p.mirror ? hi : lo);
	p.end = position(&p, p.mirror ? lo : hi);
	if (p.mirror) {
		p.phase = a->base + arena_frames(a) - s->nr;
		p.unit = (u64)a->nr_groups * QUARRY_LINE_UNITS - a->shift - a->nr_areas;
	} else {
		p.phase = -a->base;
		p.unit = a->shift;
	}
	err = find(&p, &s->steps, &at);
	if (err == -EAGAIN && p.mirror)
		s->hi.i = position(&p, at);
	else if (err == -EAGAIN)
		s->lo.i = at;
	if (err)
		return err;
	at = p.mirror ? position(&p, at + s->nr) : at;

	*zero = true;
	for (i = at; i < at + s->nr; ) {
		unsigned int order = quarry_arena_piece(a, i, at + s->nr);

		quarry_buddy_take(b, a, (struct quarry_frame){ i }, order, &part);
		*zero &= part;
		i += 1U << order;
	}
	write_run(a, at, at + s->nr);
	f->i = at;
	return 0;
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
	u32 i, end = f.i + nr, cut = f.i + keep, piece_end;
	unsigned int order, before = 0, after;

	if (!keep || keep > nr)
		return -EINVAL;
	if (keep == nr)
		return 0;

	/* Whole pieces behind the cut go as they are. */
	for (i = f.i; i < end; i = piece_end) {
		order = quarry_state_order(a->state[i]);
		piece_end = i + (1U << order);
		if (i >= cut) {
			quarry_buddy_free(b, a, (struct quarry_frame){ i }, order,
					  false);
			continue;
		}
		before++;
		WRITE_ONCE(a->state[i], QUARRY_STATE_FREE);
		if (piece_end <= cut)
			continue;
		/* The piece across the cut is split, its tail goes in blocks. */
		for (i = cut, after = 0; i < piece_end; i += 1U << order, after++) {
			order = quarry_arena_piece(a, i, piece_end);
			quarry_buddy_free(b, a, (struct quarry_frame){ i }, order,
					  false);
		}
		b->splits += after;
	}
	b->splits += write_run(a, f.i, cut) - before;
	return 0;
}
