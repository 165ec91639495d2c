// SPDX-License-Identifier: GPL-2.0
/*
 * The buddy allocator: claim and free blocks of 2^order frames.
 *
 * Model
 *	An arena is a run of frames; its description is two layers of bitfields
 *	(bitfield.h) and a byte of state a frame:
 *
 *	  areagroup   |........|  a bit an area, set when the area is wholly free
 *	             |
 *	  area    |0110....|  a bit a frame, set when the frame is free
 *	             |
 *	  state   [C][.][.]   a byte a frame: what begins here (buddy.h)
 *
 *	Orders 0 to 8 live inside an area, orders 9 to 18 inside an areagroup. An
 *	area whose frames are all free is whole: it is one unit of its areagroup
 *	and in no bucket. Claiming a small block from a whole area breaks it;
 *	freeing the last block of a broken area makes it whole again. There is
 *	nothing to coalesce later and no list through free memory: a free frame
 *	is never read or written here.
 *
 *	Which area serves a claim is chosen in place.c.
 *
 * Invariants, checked by check.c
 *	nfree of an arena = sum over its areas = set bits in their bitfields
 *	an areagroup's bit is set if and only if its area is whole
 *	an area is in a bucket if and only if it is neither full nor whole; which one
 *	follows from its life, largest free order and place
 *	blocks[k] = sum of nr[k] of the areas (k < 9), of the areagroups (k >= 9)
 *	every frame that is not free is covered by exactly one head in @state
 *
 * Contexts: no lock, no allocation, no sleep; the caller holds one lock for one
 * struct quarry_buddy. All claims look before they change anything, so there is
 * no path that has to be undone.
 *
 * Cost: metadata is two bits and a byte a frame, under 200 bytes an area and some for
 * an areagroup, and 19 KiB of list heads for a struct quarry_buddy.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "place.h"

static_assert(QUARRY_BITFIELD_UNITS == 1U << QUARRY_BITFIELD_ORDER);
static_assert(QUARRY_MAX_RUN == 1U << QUARRY_MAX_ORDER);

/* A batch takes no more pieces out of areas than this, to bound its length. */
#define PIECES_A_BATCH	2

static u32 quarry_nr_areas(u64 first, u32 nr)
{
	return ((first % QUARRY_AREA_FRAMES) + nr + QUARRY_AREA_FRAMES - 1) /
	       QUARRY_AREA_FRAMES;
}

static u32 quarry_nr_areagroups(u64 first, u32 nr)
{
	u32 shift = (first / QUARRY_AREA_FRAMES) % QUARRY_BITFIELD_UNITS;

	return (shift + quarry_nr_areas(first, nr) + QUARRY_BITFIELD_UNITS - 1) /
	       QUARRY_BITFIELD_UNITS;
}

/**
 * quarry_arena_metadata_bytes() - what describing a range costs
 * @first:	absolute number of the first frame
 * @nr:		frames
 *
 * Return: bytes that quarry_arena_init() wants, beside the struct itself.
 */
size_t quarry_arena_metadata_bytes(u64 first, u32 nr)
{
	size_t areas = quarry_nr_areas(first, nr);

	return areas * sizeof(struct quarry_area) +
	       quarry_nr_areagroups(first, nr) * sizeof(struct quarry_areagroup) +
	       areas * QUARRY_AREA_FRAMES;
}

/**
 * quarry_arena_init() - describe a range of frames
 * @a:		the arena
 * @metadata:	quarry_arena_metadata_bytes() bytes, all zero
 * @first:	absolute number of the first frame; blocks are aligned in these
 *		numbers
 * @nr:		frames, at least 1
 *
 * Nothing is free, and no area is known, until they join (arena.c). Cost: a step a GiB.
 * Context: any.
 */
void quarry_arena_init(struct quarry_arena *a, void *metadata, u64 first, u32 nr)
{
	u32 i;

	a->base = first - first % QUARRY_AREA_FRAMES;
	a->lo = first - a->base;
	a->hi = a->lo;
	a->end = a->lo + nr;
	a->nfree = 0;
	a->buddy = NULL;
	a->nr_areas = 0;
	a->nr_groups = quarry_nr_areagroups(first, nr);
	a->placed = false;
	a->lent = false;
	a->searched = false;
	a->shift = (a->base / QUARRY_AREA_FRAMES) % QUARRY_BITFIELD_UNITS;
	a->areas = metadata;
	a->groups = (void *)(a->areas + quarry_nr_areas(first, nr));
	a->state = (void *)(a->groups + a->nr_groups);
	INIT_LIST_HEAD(&a->link);
	INIT_LIST_HEAD(&a->empty);
	for (i = 0; i < a->nr_groups; i++) {
		a->groups[i].arena = a;
		a->groups[i].bucket = QUARRY_NO_BUCKET;
	}
}

/**
 * quarry_buddy_init() - an allocator with no memory
 * @b:	the allocator
 *
 * Context: any.
 */
void quarry_buddy_init(struct quarry_buddy *b)
{
	/* All heads of buckets are empty then. */
	memset(b, 0, sizeof(*b));
	INIT_LIST_HEAD(&b->arenas);
	INIT_LIST_HEAD(&b->empty);
}

/* Forget what is known of the zeros in a block; was every frame of it zero? */
static bool zero_take(struct quarry_buddy *b, struct quarry_area *area,
		      unsigned int pos, unsigned int order)
{
	unsigned int known;

	if (!b->nr_zero)
		return false;
	known = quarry_bitfield_clear(area->zero, pos, order);
	b->nr_zero -= known;
	return known == 1U << order;
}

/* An arena has no frame out any more; youngest first. */
void quarry_arena_emptied(struct quarry_buddy *b, struct quarry_arena *a)
{
	list_add(&a->empty, &b->empty);
	b->nr_empty++;
	if (a->lent)
		b->nr_spare += a->hi - a->lo;
}

/* An arena that had none is used, or changes its length. */
void quarry_arena_used(struct quarry_buddy *b, struct quarry_arena *a)
{
	list_del_init(&a->empty);
	b->nr_empty--;
	if (a->lent)
		b->nr_spare -= a->hi - a->lo;
}

static void frames_taken(struct quarry_buddy *b, struct quarry_arena *a, u32 nr)
{
	if (a->nfree == a->hi - a->lo)
		quarry_arena_used(b, a);
	a->nfree -= nr;
	b->nfree -= nr;
}

static void frames_put(struct quarry_buddy *b, struct quarry_arena *a, u32 nr)
{
	a->nfree += nr;
	b->nfree += nr;
	if (a->nfree == a->hi - a->lo)
		quarry_arena_emptied(b, a);
}

/* Take 2^order whole areas out of their areagroup. */
static void group_take(struct quarry_buddy *b, struct quarry_area *area,
		       unsigned int order)
{
	struct quarry_areagroup *group = quarry_areagroup_of(area);
	unsigned int pos = quarry_areagroup_position(area);

	b->splits += quarry_bitfield_take(&group->bits, b->blocks + QUARRY_AREA_ORDER,
					  pos, order,
					  quarry_bitfield_maximal(&group->bits, pos, order));
	b->nr_whole -= 1U << order;
	if (group->nr_zero)
		group->nr_zero -= quarry_bitfield_clear(group->zero, pos, order);
	quarry_place_group(b, group);
}

static void group_put(struct quarry_buddy *b, struct quarry_area *area,
		      unsigned int order, bool zero)
{
	struct quarry_areagroup *group = quarry_areagroup_of(area);
	unsigned int pos = quarry_areagroup_position(area);

	b->merges += quarry_bitfield_put(&group->bits, b->blocks + QUARRY_AREA_ORDER,
					 pos, order);
	if (zero) {
		quarry_bitfield_fill(group->zero, pos, order, true);
		group->nr_zero += 1U << order;
	}
	b->nr_whole += 1U << order;
	quarry_place_group(b, group);
}

/*
 * Take a block below order 9 out of its area, @from being the order of the
 * maximal free block around it and @life that of who takes it. The caller places the area.
 */
static void area_take(struct quarry_buddy *b, struct quarry_area *area,
		      unsigned int pos, unsigned int order, unsigned int from, u8 life)
{
	if (from == QUARRY_AREA_ORDER) {
		area->life = life;
		group_take(b, area, 0);
		/* What the areagroup gave up is the area's until it is split. */
		b->blocks[QUARRY_AREA_ORDER]++;
	}
	b->splits += quarry_bitfield_take(&area->bits, b->blocks, pos, order, from);
	frames_taken(b, area->arena, 1U << order);
}

static bool areas_take(struct quarry_buddy *b, struct quarry_area *area,
		       unsigned int order, u8 life)
{
	struct quarry_area *end = area + (1U << (order - QUARRY_AREA_ORDER));
	struct quarry_arena *a = area->arena;
	bool zero = true;

	group_take(b, area, order - QUARRY_AREA_ORDER);
	for (; area < end; area++) {
		memset(&area->bits, 0, sizeof(area->bits));
		area->life = life;
		zero &= zero_take(b, area, 0, QUARRY_AREA_ORDER);
	}
	frames_taken(b, a, 1U << order);
	return zero;
}

/**
 * quarry_buddy_take() - take a block that is known to be free
 * @b:		the allocator
 * @a:		the arena
 * @f:		first frame, aligned to the block in absolute numbers
 * @order:	0 to QUARRY_MAX_ORDER
 * @life:	enum quarry_life that areas get which are whole
 * @zero:	set to whether the block is known to be zero
 *
 * The state byte is the caller's to write. Context: under the caller's lock.
 *
 * Return: splits made.
 */
unsigned int quarry_buddy_take(struct quarry_buddy *b, struct quarry_arena *a,
			       struct quarry_frame f, unsigned int order, u8 life,
			       bool *zero)
{
	struct quarry_area *area = &a->areas[f.i / QUARRY_AREA_FRAMES];
	unsigned int pos = f.i % QUARRY_AREA_FRAMES;
	u64 splits = b->splits;

	life = quarry_area_life(life);
	if (order >= QUARRY_AREA_ORDER) {
		*zero = areas_take(b, area, order, life);
	} else {
		area_take(b, area, pos, order,
			  quarry_bitfield_maximal(&area->bits, pos, order), life);
		*zero = zero_take(b, area, pos, order);
		quarry_place_area(b, area);
	}
	return b->splits - splits;
}

static u32 area_frame(const struct quarry_area *area, unsigned int pos)
{
	return (area - area->arena->areas) * QUARRY_AREA_FRAMES + pos;
}

static u8 state_of(const struct quarry_want *want)
{
	return quarry_state(want->kind, want->order, want->direct);
}

/*
 * Claim up to @nr blocks from one area, in up to *@pieces pieces, which are counted
 * down. Returns how many.
 */
static unsigned int area_claim(struct quarry_buddy *b, struct quarry_area *area,
			       const struct quarry_claim *claim, unsigned int nr,
			       struct quarry_block *blocks, unsigned int *pieces)
{
	const struct quarry_want *want = claim->want;
	struct quarry_arena *a = area->arena;
	unsigned int order = want->order, got = 0, from, piece, pos, end;
	u8 state = state_of(want);

	for (; got < nr && *pieces && area->bits.orders >> order; --*pieces) {
		from = order + __ffs(area->bits.orders >> order);
		piece = min_t(unsigned int, order + __fls(nr - got), from);
		/* A whole area is broken here, so never taken in one piece. */
		piece = min_t(unsigned int, piece, QUARRY_AREA_ORDER - 1);
		pos = quarry_choose_block(area, from, claim);
		area_take(b, area, pos, piece, from, claim->life);
		b->splits += (1U << (piece - order)) - 1;
		for (end = pos + (1U << piece); pos < end; pos += 1U << order) {
			struct quarry_block *block = &blocks[got++];

			block->arena = a;
			block->frame.i = area_frame(area, pos);
			block->zero = zero_take(b, area, pos, order);
			WRITE_ONCE(a->state[block->frame.i], state);
		}
	}
	quarry_place_area(b, area);
	return got;
}

/**
 * quarry_buddy_claim_many() - claim blocks of one order
 * @b:		the allocator
 * @want:	which
 * @nr:		how many are wanted, at least 1
 * @blocks:	room for @nr
 *
 * A batch may stop early to stay short, though never with nothing when there
 * was something. Context: under the caller's lock.
 *
 * Return: blocks claimed; 0 if no block of the order is free.
 */
unsigned int quarry_buddy_claim_many(struct quarry_buddy *b, const struct quarry_want *want,
				     unsigned int nr, struct quarry_block *blocks)
{
	unsigned int order = want->order, got = 0, pieces = PIECES_A_BATCH;
	struct quarry_claim claim = quarry_choice_begin(b, want);
	struct quarry_area *area;

	if (order < QUARRY_AREA_ORDER) {
		while (got < nr && pieces) {
			area = quarry_choose_area(b, &claim);
			if (!area)
				break;
			got += area_claim(b, area, &claim, nr - got, blocks + got, &pieces);
			claim.begun = true;
		}
		return got;
	}
	while (got < nr) {
		struct quarry_block *block = &blocks[got];

		area = quarry_choose_whole(b, order - QUARRY_AREA_ORDER, &claim);
		if (!area)
			break;
		block->arena = area->arena;
		block->frame.i = area_frame(area, 0);
		block->zero = areas_take(b, area, order, claim.life);
		WRITE_ONCE(block->arena->state[block->frame.i], state_of(want));
		got++;
	}
	return got;
}

/**
 * quarry_buddy_claim() - claim a block
 * @b:		the allocator
 * @want:	which
 * @block:	filled on success
 *
 * Context: under the caller's lock. Return: 0 or -ENOMEM.
 */
int quarry_buddy_claim(struct quarry_buddy *b, const struct quarry_want *want,
		       struct quarry_block *block)
{
	return quarry_buddy_claim_many(b, want, 1, block) ? 0 : -ENOMEM;
}

/**
 * quarry_buddy_free() - take a block back
 * @b:		the allocator
 * @a:		the arena
 * @f:		first frame
 * @order:	its order
 * @zero:	every frame of it is known to hold zeros
 *
 * The caller has looked at the state byte and knows that the block is out.
 * Context: under the caller's lock.
 */
void quarry_buddy_free(struct quarry_buddy *b, struct quarry_arena *a,
		       struct quarry_frame f, unsigned int order, bool zero)
{
	struct quarry_area *area = &a->areas[f.i / QUARRY_AREA_FRAMES];
	unsigned int pos = f.i % QUARRY_AREA_FRAMES;

	WRITE_ONCE(a->state[f.i], QUARRY_STATE_FREE);
	if (order < QUARRY_AREA_ORDER) {
		if (zero)
			quarry_bitfield_fill(area->zero, pos, order, true);
		b->merges += quarry_bitfield_put(&area->bits, b->blocks, pos, order);
		if (area->life == QUARRY_LIFE_SHORT)
			quarry_choice_freed(b, 1U << order, quarry_area_is_whole(area));
		if (quarry_area_is_whole(area)) {
			b->blocks[QUARRY_AREA_ORDER]--;
			group_put(b, area, 0, quarry_area_is_zero(area));
		}
		quarry_place_area(b, area);
	} else {
		struct quarry_area *p = area;

		for (; p < area + (1U << (order - QUARRY_AREA_ORDER)); p++) {
			struct quarry_bitfield *l = &p->bits;

			memset(l->free, 0xff, sizeof(l->free));
			memset(p->zero, zero ? 0xff : 0, sizeof(p->zero));
			l->nr[QUARRY_BITFIELD_ORDER] = 1;
			l->orders = 1U << QUARRY_BITFIELD_ORDER;
			l->nfree = QUARRY_AREA_FRAMES;
		}
		group_put(b, area, order - QUARRY_AREA_ORDER, zero);
	}
	if (unlikely(a->searched))
		quarry_runs_freed(b, a, f, order);
	if (zero)
		b->nr_zero += 1U << order;
	frames_put(b, a, 1U << order);
}

/**
 * quarry_arena_is_free() - is every frame of a block free?
 * @a:		the arena
 * @f:		first frame
 * @order:	0 to QUARRY_MAX_ORDER; the block must be aligned and inside the arena
 *
 * Context: under the caller's lock.
 */
bool quarry_arena_is_free(const struct quarry_arena *a, struct quarry_frame f,
			  unsigned int order)
{
	const struct quarry_area *area = &a->areas[f.i / QUARRY_AREA_FRAMES];

	if (order >= QUARRY_AREA_ORDER)
		return quarry_bitfield_is_free(&quarry_areagroup_of(area)->bits,
					       quarry_areagroup_position(area),
					       order - QUARRY_AREA_ORDER);
	return quarry_bitfield_is_free(&area->bits, f.i % QUARRY_AREA_FRAMES, order);
}
