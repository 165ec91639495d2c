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
 * Searching is first fit through the bits, from either end, a word a step. Its
 * cost is that of the window searched: callers that name no window are served
 * by quarry_buddy_claim() and quarry_buddy_trim(), which do not search.
 *
 * Contexts: as buddy.c. Every search ends before the first change.
 */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>

#include "buddy.h"

static u64 word_at(const struct quarry_arena *a, u32 f)
{
	return a->areas[f / QUARRY_AREA_FRAMES].line.free[(f / 64) % QUARRY_LINE_WORDS];
}

/* The first frame in [f, end) whose free bit is @free, or @end. */
static u32 next_frame(const struct quarry_arena *a, u32 f, u32 end, bool free)
{
	while (f < end) {
		u64 w = free ? word_at(a, f) : ~word_at(a, f);

		w >>= f % 64;
		if (w)
			return min_t(u64, (u64)f + __ffs64(w), end);
		f = (f | 63) + 1;
	}
	return end;
}

/* One past the last frame in [start, f) whose free bit is @free, or @start. */
static u32 last_frame(const struct quarry_arena *a, u32 start, u32 f, bool free)
{
	while (f > start) {
		u64 w = free ? word_at(a, f - 1) : ~word_at(a, f - 1);

		w <<= 63 - (f - 1) % 64;
		if (w)
			return max_t(u32, f - (63 - (fls64(w) - 1)), start);
		f = (f - 1) & ~63U;
	}
	return start;
}

static s64 align_up(const struct quarry_arena *a, s64 f, u32 align)
{
	return (s64)((a->base + f + align - 1) & ~(u64)(align - 1)) - (s64)a->base;
}

static s64 align_down(const struct quarry_arena *a, s64 f, u32 align)
{
	return (s64)((a->base + f) & ~(u64)(align - 1)) - (s64)a->base;
}

/* The lowest place for the run in [lo, hi), or -1. */
static s64 find_up(const struct quarry_arena *a, s64 lo, s64 hi, u32 nr, u32 align)
{
	s64 f = align_up(a, lo, align);
	u32 used;

	while (f + nr <= hi) {
		used = next_frame(a, f, f + nr, false);
		if (used == f + nr)
			return f;
		f = align_up(a, next_frame(a, used, hi, true), align);
	}
	return -1;
}

/* The highest place for the run in [lo, hi), or -1. */
static s64 find_down(const struct quarry_arena *a, s64 lo, s64 hi, u32 nr, u32 align)
{
	u32 used;
	s64 f;

	while (hi - nr >= lo) {
		f = align_down(a, hi - nr, align);
		if (f < lo)
			break;
		used = last_frame(a, f, f + nr, false);
		if (used == f)
			return f;
		hi = last_frame(a, lo, used, true);
	}
	return -1;
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
 * @lo:		first frame of the window
 * @hi:		first frame after the window
 * @nr:		frames wanted, 1 to QUARRY_MAX_RUN
 * @align:	alignment of the first in frames, a power of two
 * @top_down:	take the highest place that fits, not the lowest
 * @f:		set to the first frame
 * @zero:	set to whether all frames are known to be zero
 *
 * Cost: a step a word of the window. Context: under the caller's lock.
 *
 * Return: 0; -EINVAL for a length or alignment out of range; -ENOSPC if the
 * window has no such place.
 */
int quarry_buddy_claim_run(struct quarry_buddy *b, struct quarry_arena *a,
			   struct quarry_frame lo, struct quarry_frame hi,
			   u32 nr, u32 align, bool top_down,
			   struct quarry_frame *f, bool *zero)
{
	s64 start = max(lo.i, a->lo), end = min(hi.i, a->hi), at;
	bool part;
	u32 i;

	if (!nr || nr > QUARRY_MAX_RUN || !is_power_of_2(align))
		return -EINVAL;
	if (nr > a->nfree)
		return -ENOSPC;
	at = top_down ? find_down(a, start, end, nr, align) :
			find_up(a, start, end, nr, align);
	if (at < 0)
		return -ENOSPC;

	*zero = true;
	for (i = at; i < at + nr; ) {
		unsigned int order = quarry_arena_piece(a, i, at + nr);

		quarry_buddy_take(b, a, (struct quarry_frame){ i }, order, &part);
		*zero &= part;
		i += 1U << order;
	}
	write_run(a, at, at + nr);
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
		order = a->state[i] & QUARRY_STATE_ORDER;
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
