/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The buddy allocator's interface to the layers above. See buddy.c for the
 * theory. Nothing here knows struct page or takes a lock, and nothing
 * allocates: the caller brings the memory for the metadata and holds one lock
 * over all calls on one struct quarry_buddy.
 */
#ifndef QUARRY_BUDDY_H
#define QUARRY_BUDDY_H

#include <linux/list.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/types.h>

#include "bitfield.h"

#define QUARRY_AREA_ORDER	QUARRY_BITFIELD_ORDER		/* 2 MiB of 4 KiB frames */
#define QUARRY_AREA_FRAMES	QUARRY_BITFIELD_UNITS
#define QUARRY_AREAGROUP_ORDER	(2 * QUARRY_BITFIELD_ORDER)	/* 1 GiB */
#define QUARRY_MAX_ORDER	QUARRY_AREAGROUP_ORDER
#define QUARRY_MAX_RUN		0x40000U	/* 2^QUARRY_MAX_ORDER */

/* Orders that the whole areas of an areagroup can have, as QUARRY_AREA_ORDER and so on. */
#define QUARRY_AREAGROUP_ORDERS	(QUARRY_BITFIELD_ORDER + 1)

/*
 * Areas of an areagroup that have a bound for runs together: that of all of it is one cache line.
 */
#define QUARRY_PART_AREAS	64U

/* Heads of the lists of areagroups by their bounds for runs. */
#define QUARRY_RUN_HEADS	QUARRY_BITFIELD_UNITS

/* Areas are sorted by where they are, into so many places; the first is filled first. */
#define QUARRY_PLACES		32

/* Most areas that go to a place together: 16 MiB. A smaller arena is in one as a whole. */
#define QUARRY_PLACE_AREAS	8

/* Claims after which it is forgotten which orders were asked for before the last so many. */
#define QUARRY_ASKED_CLAIMS	4096

/* Numbers of those who keep to areas of their own; 0 is everybody else. */
#define QUARRY_HOMES		16
#define QUARRY_NO_BUCKET	0xffff

/**
 * struct quarry_frame - number of a frame, counted from its arena's first area
 * @i:	the number; a type of its own, so that it is never taken for an order
 */
struct quarry_frame {
	u32 i;
};

/*
 * The state of a frame, one byte. The top three bits say what begins at this
 * frame, the rest is the order of what begins.
 *
 *	FREE		nothing begins here: free, or inside a larger block
 *	DEFERRED	freed where no lock could be had, not yet in the buddy
 *	PCP		a block on a per-CPU list; PCP_ZERO: known to be zero
 *	ALLOC		a block in a client's hands
 *	SLAB		a block that the layer of caches has in use
 *	RUN, RUN_MORE	first and further pieces of a run that is no power of two
 *
 * A PCP, ALLOC or SLAB block may be *direct*: it goes back to where it came from, past
 * all lists. Its order is then counted down from 31, where no order is: so it is
 * another state to all who look for the plain one, the free that is compiled into
 * clients for one.
 */
#define QUARRY_STATE_ORDER	0x1f
#define QUARRY_STATE_KIND	0xe0
#define QUARRY_STATE_FREE	0x00
#define QUARRY_STATE_DEFERRED	0x20
#define QUARRY_STATE_PCP	0x40
#define QUARRY_STATE_ZERO	0x20	/* in PCP_ZERO */
#define QUARRY_STATE_PCP_ZERO (QUARRY_STATE_PCP | QUARRY_STATE_ZERO)
#define QUARRY_STATE_ALLOC	0x80
#define QUARRY_STATE_SLAB	0xa0
#define QUARRY_STATE_RUN	0xc0
#define QUARRY_STATE_RUN_MORE	0xe0

/* Largest order that a direct block can have. */
#define QUARRY_DIRECT_MAX	(QUARRY_STATE_ORDER - QUARRY_MAX_ORDER - 1)

/* The state of a block of @order, at most QUARRY_DIRECT_MAX if it is @direct. */
static inline u8 quarry_state(u8 kind, unsigned int order, bool direct)
{
	return kind | (direct ? QUARRY_STATE_ORDER - order : order);
}

/* Is it of a block that goes past the lists? */
static inline bool quarry_state_is_direct(u8 state)
{
	u8 kind = state & QUARRY_STATE_KIND;

	return (state & QUARRY_STATE_ORDER) > QUARRY_MAX_ORDER &&
	       (kind == QUARRY_STATE_PCP || kind == QUARRY_STATE_ALLOC ||
		kind == QUARRY_STATE_SLAB);
}

/* The order of what begins at a frame with this state. */
static inline unsigned int quarry_state_order(u8 state)
{
	unsigned int order = state & QUARRY_STATE_ORDER;

	return quarry_state_is_direct(state) ? QUARRY_STATE_ORDER - order : order;
}

/*
 * How long blocks live that are likely to go together. Short lives are kept apart from all
 * others while that pays, so that memory full of them comes back whole.
 */
enum quarry_life {
	QUARRY_LIFE_PAGE,	/* pages of which nothing is known */
	QUARRY_LIFE_SHORT,	/* movable or reclaimable: its owner can give it up */
	QUARRY_LIFE_SLAB,	/* slabs of objects that nobody gives up */
	QUARRY_LIVES
};

/* Of areas there are two kinds: of short lives, and of the rest, which count as pages. */
#define QUARRY_AREA_LIVES	2

static inline u8 quarry_area_life(u8 life)
{
	return life == QUARRY_LIFE_SHORT ? QUARRY_LIFE_SHORT : QUARRY_LIFE_PAGE;
}

struct quarry_arena;

/**
 * struct quarry_area - 512 frames
 * @bits:	which are free
 * @zero:	bit set: the frame is free and known to hold zeros
 * @link:	in its bucket of struct quarry_buddy.areas, when @bucket says so
 * @arena:	what it is part of
 * @bucket:	quarry_area_bucket() of what it has, or QUARRY_NO_BUCKET
 * @home:	whose home it is, or 0
 * @place:	which of QUARRY_PLACES it is in
 * @life:	quarry_area_life() of who has broken it, until it is whole again
 * @most:	no longer run begins in it (runs.c); QUARRY_AREA_FRAMES: any may
 */
struct quarry_area {
	struct quarry_bitfield bits;
	u64 zero[QUARRY_BITFIELD_WORDS];
	struct hlist_node link;
	struct quarry_arena *arena;
	u16 bucket;
	u8 home;
	u8 place;
	u8 life;
	u16 most;
};

/* Broken areas are found by life, largest free order, and place. */
static inline u16 quarry_area_bucket(unsigned int life, unsigned int order,
				     unsigned int place)
{
	return (life * QUARRY_AREA_ORDER + order) * QUARRY_PLACES + place;
}

/* Of the whole areas of an areagroup, how many are known to be zero. */
enum quarry_zeros {
	QUARRY_ZEROS_NONE,
	QUARRY_ZEROS_SOME,
	QUARRY_ZEROS_ALL,
	QUARRY_ZEROS
};

/**
 * struct quarry_areagroup - 512 areas
 * @bits:	which are wholly free
 * @zero:	bit set: the area is wholly free and known to hold zeros
 * @link:	in struct quarry_buddy.groups, when @bucket says so
 * @arena:	what it is part of
 * @bucket:	quarry_whole_bucket() of what it has, or QUARRY_NO_BUCKET
 * @nr_zero:	bits in @zero
 * @place:	that of its first area
 * @most:	no longer run begins in it, as for an area
 * @most_of:	nor, of each QUARRY_PART_AREAS areas, in one of these
 * @run_first:	in struct quarry_buddy.runs: the first of those with its place and bound
 * @run_link:	there, if @run_first
 * @run_peers:	all with its place and bound, unless @most is 0
 */
struct quarry_areagroup {
	struct quarry_bitfield bits;
	u64 zero[QUARRY_BITFIELD_WORDS];
	struct hlist_node link;
	struct quarry_arena *arena;
	u16 bucket;
	u16 nr_zero;
	u8 place;
	u16 most;
	u16 most_of[QUARRY_BITFIELD_UNITS / QUARRY_PART_AREAS];
	bool run_first;
	struct hlist_node run_link;
	struct list_head run_peers;
};

static inline enum quarry_zeros quarry_areagroup_zeros(const struct quarry_areagroup *group)
{
	if (!group->nr_zero)
		return QUARRY_ZEROS_NONE;
	return group->nr_zero < group->bits.nfree ? QUARRY_ZEROS_SOME : QUARRY_ZEROS_ALL;
}

/* Areagroups with whole areas by zeros, the largest order of these areas, and place. */
static inline u16 quarry_whole_bucket(enum quarry_zeros zeros, unsigned int order,
				      unsigned int place)
{
	return (zeros * QUARRY_AREAGROUP_ORDERS + order) * QUARRY_PLACES + place;
}

/**
 * struct quarry_arena - contiguous frames, described
 * @state:	a byte a frame, QUARRY_STATE_*
 * @buddy:	the allocator it was added to, or NULL
 * @base:	absolute number of frame 0; a multiple of QUARRY_AREA_FRAMES
 * @lo:		first frame that exists
 * @hi:		first frame after those that have joined
 * @end:	first frame after those that exist
 * @nfree:	free frames
 * @nr_areas:	of @areas, those that have joined
 * @nr_groups:	length of @groups
 * @shift:	areas of the first areagroup that lie before areas[0]
 * @place:	of all its areas, if they are no more than QUARRY_PLACE_AREAS
 * @placed:	@place was chosen
 * @lent:	the caller may take it away while no frame is out: it counts in nr_spare then
 * @searched:	not all bounds of its runs are QUARRY_AREA_FRAMES any more
 * @areas:	the areas
 * @groups:	the areagroups
 * @link:	in struct quarry_buddy.arenas, oldest first
 * @empty:	in struct quarry_buddy.empty while no frame is out
 */
struct quarry_arena {
	u8 *state;
	struct quarry_buddy *buddy;
	u64 base;
	u32 lo;
	u32 hi;
	u32 end;
	u32 nfree;
	u32 nr_areas;
	u32 nr_groups;
	u32 shift;
	u8 place;
	bool placed;
	bool lent;
	bool searched;
	struct quarry_area *areas;
	struct quarry_areagroup *groups;
	struct list_head link;
	struct list_head empty;
};

/**
 * struct quarry_buddy - the arenas of one zone and an index over them
 * @key:	a number of the caller's that no other has; the next QUARRY_PLACES are free
 * @expected:	areas that it will have, as far as the caller knows beforehand
 * @nr_frames:	frames managed
 * @nfree:	free frames
 * @nr_zero:	free frames known to be zero
 * @blocks:	maximal free blocks by order
 * @splits:	blocks halved, ever
 * @merges:	blocks joined, ever
 * @nr_arenas:	length of @arenas
 * @nr_empty:	length of @empty
 * @nr_spare:	frames of these arenas that are lent
 * @nr_areas:	areas of all arenas
 * @nr_whole:	areas that are wholly free
 * @group_orders: by zeros, orders for which @group_places has one, as bits
 * @group_places: by zeros and order, places for which @groups has an entry, as bits
 * @area_orders: by life, orders for which @area_places has one, as bits
 * @area_places: by life and order, places for which @areas has an entry, as bits
 * @small_areas: by place, areas of arenas that are in one place
 * @asked:	orders that were asked for lately, as bits
 * @asked_before: the same in the QUARRY_ASKED_CLAIMS claims before
 * @claims:	claims since @asked_before
 * @vain:	frames that came back to areas of short lives and did not pay, see place.c
 * @arenas:	all arenas, oldest first
 * @empty:	arenas with no frame out
 * @groups:	areagroups by zeros, the largest order free in them, from QUARRY_AREA_ORDER, and
 *		place
 * @areas:	broken areas by life, largest free order and place
 * @run_words:	by place, words of @run_bounds that are not 0, as bits
 * @run_bounds:	by place, bounds for which @runs has an areagroup, as bits; of 1 the first
 * @runs:	the first areagroups of each bound and place, by a hash of these
 * @home:	the area that each home claimed from last, or NULL
 */
struct quarry_buddy {
	u64 key;
	u32 expected;
	u64 nr_frames;
	u64 nfree;
	u64 nr_zero;
	u64 blocks[QUARRY_MAX_ORDER + 1];
	u64 splits;
	u64 merges;
	u64 nr_arenas;
	u64 nr_empty;
	u64 nr_spare;
	u64 nr_areas;
	u64 nr_whole;
	u16 group_orders[QUARRY_ZEROS];
	u16 area_orders[QUARRY_AREA_LIVES];
	u32 group_places[QUARRY_ZEROS][QUARRY_AREAGROUP_ORDERS];
	u32 area_places[QUARRY_AREA_LIVES][QUARRY_AREA_ORDER];
	u16 asked;
	u16 asked_before;
	u32 claims;
	u64 vain;
	u32 small_areas[QUARRY_PLACES];
	struct list_head arenas;
	struct list_head empty;
	struct hlist_head groups[QUARRY_ZEROS][QUARRY_AREAGROUP_ORDERS][QUARRY_PLACES];
	struct hlist_head areas[QUARRY_AREA_LIVES][QUARRY_AREA_ORDER][QUARRY_PLACES];
	u8 run_words[QUARRY_PLACES];
	u64 run_bounds[QUARRY_PLACES][QUARRY_BITFIELD_WORDS];
	struct hlist_head runs[QUARRY_RUN_HEADS];
	struct quarry_area *home[QUARRY_HOMES];
};

/**
 * struct quarry_want - what is claimed
 * @order:	0 to QUARRY_MAX_ORDER
 * @kind:	QUARRY_STATE_* to write at each head
 * @home:	1 to QUARRY_HOMES - 1: keep to areas of one's own; 0: no
 * @life:	enum quarry_life
 * @direct:	the blocks go back past all lists; only to QUARRY_DIRECT_MAX
 * @zero:	rather blocks that are known to be zero; else rather others
 */
struct quarry_want {
	u8 order;
	u8 kind;
	u8 home;
	u8 life;
	bool direct;
	bool zero;
};

/**
 * struct quarry_block - what a claim returns
 * @arena:	where
 * @frame:	first frame
 * @zero:	every frame of it is known to hold zeros
 */
struct quarry_block {
	struct quarry_arena *arena;
	struct quarry_frame frame;
	bool zero;
};

/**
 * struct quarry_search - a run that is looked for, and how far the search has come
 * @nr:		frames wanted, 1 to QUARRY_MAX_RUN
 * @align:	alignment of the first in frames, a power of two
 * @top_down:	take the highest place that fits, not the lowest
 * @life:	enum quarry_life that areas it breaks get
 * @alike:	in areas that are broken, only of this life
 * @lo:		first frame of the window
 * @hi:		first frame after the window
 * @steps:	steps that may still be taken
 */
struct quarry_search {
	u32 nr;
	u32 align;
	bool top_down;
	u8 life;
	bool alike;
	struct quarry_frame lo;
	struct quarry_frame hi;
	u32 steps;
};

/* How much is done under a lock at once: areas that come or go, and steps of a search. */
#define QUARRY_BITE_AREAS	64
#define QUARRY_BITE_STEPS	512

/* As many steps as the longest stretch that a search can be in has, and some. */
#define QUARRY_SEARCH_LEAST	64

/**
 * struct quarry_check - what a validator found
 * @frames:	frames looked at
 * @violations:	broken invariants
 * @what:	the first of them, in words
 */
struct quarry_check {
	u64 frames;
	u64 violations;
	char what[64];
};

/* buddy.c: blocks */
size_t quarry_arena_metadata_bytes(u64 first, u32 nr);
void quarry_arena_init(struct quarry_arena *a, void *metadata, u64 first, u32 nr);
void quarry_buddy_init(struct quarry_buddy *b);
int quarry_buddy_claim(struct quarry_buddy *b, const struct quarry_want *want,
		       struct quarry_block *block);
unsigned int quarry_buddy_claim_many(struct quarry_buddy *b, const struct quarry_want *want,
				     unsigned int nr, struct quarry_block *blocks);
void quarry_buddy_free(struct quarry_buddy *b, struct quarry_arena *a,
		       struct quarry_frame f, unsigned int order, bool zero);
bool quarry_arena_is_free(const struct quarry_arena *a, struct quarry_frame f,
			  unsigned int order);

/* arena.c: arenas come and go */
bool quarry_buddy_join(struct quarry_buddy *b, struct quarry_arena *a, bool zero);
int quarry_buddy_leave(struct quarry_buddy *b, struct quarry_arena *a);
void quarry_buddy_add(struct quarry_buddy *b, struct quarry_arena *a, bool zero);
int quarry_buddy_remove(struct quarry_buddy *b, struct quarry_arena *a);

/* range.c: claims that say where, and runs */
int quarry_buddy_claim_at(struct quarry_buddy *b, struct quarry_arena *a,
			  struct quarry_frame f, unsigned int order, u8 kind,
			  bool *zero);
bool quarry_buddy_may_have_run(const struct quarry_buddy *b, u32 nr, u32 align);
int quarry_buddy_claim_run(struct quarry_buddy *b, struct quarry_arena *a,
			   struct quarry_search *s, struct quarry_frame *f, bool *zero);
int quarry_buddy_claim_anywhere(struct quarry_buddy *b, const struct quarry_want *want,
				u32 nr, u32 align, struct quarry_block *block);
int quarry_buddy_claim_lowest(struct quarry_buddy *b, struct quarry_search *s,
			      struct quarry_block *block);
int quarry_arena_check_run(const struct quarry_arena *a, struct quarry_frame f,
			   u32 nr);
void quarry_buddy_free_run(struct quarry_buddy *b, struct quarry_arena *a,
			   struct quarry_frame f, u32 nr, bool zero);
void quarry_arena_take_run(struct quarry_arena *a, struct quarry_frame f, u32 nr);
void quarry_buddy_split_run(struct quarry_buddy *b, struct quarry_arena *a,
			    struct quarry_frame f, u32 nr, u32 keep);
int quarry_buddy_trim(struct quarry_buddy *b, struct quarry_arena *a,
		      struct quarry_frame f, u32 nr, u32 keep);

/* check.c: the validator and the indices of fragmentation */
void quarry_buddy_check_area(const struct quarry_buddy *b,
			     const struct quarry_arena *a, u32 area,
			     struct quarry_check *c);
void quarry_buddy_check_sums(const struct quarry_buddy *b, struct quarry_check *c);
void quarry_buddy_check(const struct quarry_buddy *b, struct quarry_check *c);
bool quarry_arena_head(const struct quarry_arena *a, struct quarry_frame f,
		       struct quarry_frame *head);
int quarry_unusable_milli(const u64 *blocks, unsigned int order);
int quarry_extfrag_milli(const u64 *blocks, unsigned int order);

/* buddy.c, for arena.c and range.c */
void quarry_arena_emptied(struct quarry_buddy *b, struct quarry_arena *a);
void quarry_arena_used(struct quarry_buddy *b, struct quarry_arena *a);
unsigned int quarry_buddy_take(struct quarry_buddy *b, struct quarry_arena *a,
			       struct quarry_frame f, unsigned int order, u8 life,
			       bool *zero);

/* runs.c, for the others */
unsigned int quarry_runs_next(const struct quarry_buddy *b, unsigned int place, unsigned int least);
struct quarry_areagroup *quarry_runs_first(struct quarry_buddy *b, unsigned int place,
					   unsigned int most);
void quarry_runs_bound(struct quarry_buddy *b, struct quarry_areagroup *group, unsigned int most);
void quarry_runs_freed(struct quarry_buddy *b, struct quarry_arena *a, struct quarry_frame f,
		       unsigned int order);
void quarry_runs_count(struct quarry_area *area);
void quarry_runs_bound_part(struct quarry_areagroup *group, unsigned int part, unsigned int most);
void quarry_runs_come(struct quarry_buddy *b, struct quarry_arena *a, u32 from);
void quarry_runs_gone(struct quarry_buddy *b, struct quarry_arena *a, u32 to);

/*
 * Where an areagroup with a bound and place is listed: each bound of a place has a head of its
 * own.
 */
static inline unsigned int quarry_runs_head(unsigned int most, unsigned int place)
{
	return (most ^ place * 17) % QUARRY_RUN_HEADS;
}

static inline u64 quarry_arena_position(const struct quarry_arena *a,
					const struct quarry_area *area)
{
	return a->shift + (area - a->areas);
}

/* Position of an area in its areagroup, and which part of that it is in. */
static inline unsigned int quarry_areagroup_position(const struct quarry_area *area)
{
	return quarry_arena_position(area->arena, area) % QUARRY_BITFIELD_UNITS;
}

static inline unsigned int quarry_areagroup_part(const struct quarry_area *area)
{
	return quarry_areagroup_position(area) / QUARRY_PART_AREAS;
}

/* Is a block of this order free? A moment old without the caller's lock. */
static inline bool quarry_buddy_has(const struct quarry_buddy *b, unsigned int order)
{
	unsigned int k;

	for (k = order; k <= QUARRY_MAX_ORDER; k++)
		if (READ_ONCE(b->blocks[k]))
			return true;
	return false;
}

static inline struct quarry_areagroup *quarry_areagroup_of(const struct quarry_area *area)
{
	const struct quarry_arena *a = area->arena;

	return &a->groups[quarry_arena_position(a, area) / QUARRY_BITFIELD_UNITS];
}

/* The order of the largest aligned block that begins at @f and ends by @end. */
static inline unsigned int quarry_arena_part(const struct quarry_arena *a,
					     u32 f, u32 end)
{
	unsigned int order = min_t(unsigned int, __fls(end - f), QUARRY_MAX_ORDER);
	u64 at = a->base + f;

	return at ? min_t(unsigned int, order, __ffs64(at)) : order;
}

#endif /* QUARRY_BUDDY_H */
