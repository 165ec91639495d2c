// SPDX-License-Identifier: GPL-2.0
/*
 * The buddy allocator: claim and free blocks of 2^order frames.
 *
 * Model
 *	An arena is a run of frames; its description is two layers of lines
 *	(line.h) and a byte of state a frame:
 *
 *	  group   |........|  a bit an area, set when the area is wholly free
 *	             |
 *	  area    |0110....|  a bit a frame, set when the frame is free
 *	             |
 *	  state   [C][.][.]   a byte a frame: what begins here (buddy.h)
 *
 *	Orders 0 to 8 live inside an area, orders 9 to 18 inside a group. An
 *	area whose frames are all free is whole: it is one unit of its group
 *	and in no bucket. Claiming a small block from a whole area breaks it;
 *	freeing the last block of a broken area makes it whole again. There is
 *	nothing to coalesce later and no list through free memory: a free frame
 *	is never read or written here.
 *
 * Where a claim lands
 *	A small order takes, among the broken areas that can serve it, one whose
 *	largest free block is of least use to anybody else: no order that was asked
 *	for lately fits into it that does not fit into a smaller one. Of these it takes
 *	one in the first place: memory is divided into 32 places, and what is in the
 *	first is filled first, as a first-fit allocator does it. So the last places
 *	empty by themselves, and whole areas, arenas and blocks of 16 MiB with them.
 *	Inside the area it is the smallest block that fits. While a third of all areas
 *	is whole, nobody has to fear for large blocks, and the place alone counts.
 *	Only when no broken area serves is a whole one broken, out of the shortest run, and
 *	of these in the first place.
 *
 *	  [life][largest order 0..8][place 0..31] -> broken areas
 *	  [largest order 9..18][place 0..31]      -> groups
 *
 *	Blocks that live differently (enum quarry_life) go to areas of different lives,
 *	and to arenas of different lives as far as a few tries tell: else one that stays
 *	keeps each area from becoming whole when the others go. When whole areas are few
 *	lives are mixed: a refusal is worse.
 *
 *	Claimers that name a home (the CPUs' lists do) pass by an area that another
 *	one claimed from last. Blocks of two CPUs would else lie side by side, with
 *	their state bytes in one cache line that both write: measured as a loss of
 *	8% for two CPUs that allocate and free at random. While most areas are whole
 *	another one is broken for that; later the home is shared.
 *
 *	Zeros are the least reason: of a few equally good blocks of 128 KiB or more one
 *	that is known to be zero goes to who wants zeros, and to nobody else.
 *
 *	All is found by bit searches and bounded tries, so the steps of a claim depend
 *	on neither the number of arenas nor their size. design.md has the policies that
 *	were tried and what each kept whole.
 *
 * Invariants, checked by check.c
 *	nfree of an arena = sum over its areas = set bits in their lines
 *	a group's bit is set if and only if its area is whole
 *	an area is in a bucket if and only if it is neither full nor whole; which one
 *	follows from its life, largest free order and place
 *	blocks[k] = sum of nr[k] of the areas (k < 9), of the groups (k >= 9)
 *	every frame that is not free is covered by exactly one head in @state
 *
 * Contexts: no lock, no allocation, no sleep; the caller holds one lock for one
 * struct quarry_buddy. All claims look before they change anything, so there is
 * no path that has to be undone.
 *
 * Cost: metadata is two bits and a byte a frame, under 200 bytes an area,
 * and 12 KiB of list heads for a struct quarry_buddy.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "buddy.h"

static_assert(QUARRY_LINE_UNITS == 1U << QUARRY_LINE_ORDER);
static_assert(QUARRY_MAX_RUN == 1U << QUARRY_MAX_ORDER);

/* Homes of others that a claim passes by before it shares one. */
#define HOMES_PASSED	8

/* Groups that are looked at for a better one, and free blocks for one that is zero or not. */
#define GROUPS_TRIED	8
#define BLOCKS_TRIED	8

/* Smaller blocks are cleared sooner than one that is zero is found. */
#define ZERO_ORDER	5

/* While more than one of so many areas is whole, no large block is in danger. */
#define PLENTY		3

/* Of so many areas one should be whole before lives are mixed. */
#define WHOLE_MIN	32

/* A batch takes no more pieces out of areas than this, to bound its length. */
#define PIECES_A_BATCH	2

static u32 quarry_nr_areas(u64 first, u32 nr)
{
	return ((first % QUARRY_AREA_FRAMES) + nr + QUARRY_AREA_FRAMES - 1) /
	       QUARRY_AREA_FRAMES;
}

static u32 quarry_nr_groups(u64 first, u32 nr)
{
	u32 shift = (first / QUARRY_AREA_FRAMES) % QUARRY_LINE_UNITS;

	return (shift + quarry_nr_areas(first, nr) + QUARRY_LINE_UNITS - 1) /
	       QUARRY_LINE_UNITS;
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
	       quarry_nr_groups(first, nr) * sizeof(struct quarry_group) +
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
	a->nr_groups = quarry_nr_groups(first, nr);
	a->placed = false;
	a->searched = false;
	a->shift = (a->base / QUARRY_AREA_FRAMES) % QUARRY_LINE_UNITS;
	a->areas = metadata;
	a->groups = (void *)(a->areas + quarry_nr_areas(first, nr));
	a->state = (void *)(a->groups + a->nr_groups);
	INIT_LIST_HEAD(&a->link);
	INIT_LIST_HEAD(&a->empty);
	for (i = 0; i < a->nr_groups; i++) {
		a->groups[i].arena = a;
		a->groups[i].bucket = QUARRY_NO_BUCKET;
		a->groups[i].run_bucket = QUARRY_NO_BUCKET;
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

/* Put an area into the bucket that it names, or take it out of there. */
static void area_move(struct quarry_buddy *b, struct quarry_area *area, bool in)
{
	unsigned int c = area->bucket % QUARRY_PLACES;
	unsigned int k = area->bucket / QUARRY_PLACES % QUARRY_AREA_ORDER;
	unsigned int life = area->bucket / QUARRY_PLACES / QUARRY_AREA_ORDER;
	struct hlist_head *list = &b->areas[life][k][c];

	if (in) {
		hlist_add_head(&area->link, list);
		b->area_places[life][k] |= 1U << c;
		b->area_orders[life] |= 1U << k;
		return;
	}
	hlist_del(&area->link);
	if (!hlist_empty(list))
		return;
	b->area_places[life][k] &= ~(1U << c);
	if (!b->area_places[life][k])
		b->area_orders[life] &= ~(1U << k);
}

/* Move an area to the bucket where its line says that it belongs. */
static void area_place(struct quarry_buddy *b, struct quarry_area *area)
{
	const struct quarry_line *l = &area->line;
	u16 bucket = QUARRY_NO_BUCKET;

	if (l->nfree && l->nfree < QUARRY_AREA_FRAMES)
		bucket = quarry_area_bucket(area->life, __fls(l->orders), area->place);
	if (bucket == area->bucket)
		return;
	if (area->bucket != QUARRY_NO_BUCKET)
		area_move(b, area, false);
	area->bucket = bucket;
	if (bucket != QUARRY_NO_BUCKET)
		area_move(b, area, true);
}

/* The same of a group. */
static void group_move(struct quarry_buddy *b, struct quarry_group *group, bool in)
{
	unsigned int c = group->bucket % QUARRY_PLACES, k = group->bucket / QUARRY_PLACES;

	if (in) {
		hlist_add_head(&group->link, &b->groups[k][c]);
		b->group_places[k] |= 1U << c;
		b->group_orders |= 1U << k;
		return;
	}
	hlist_del(&group->link);
	if (!hlist_empty(&b->groups[k][c]))
		return;
	b->group_places[k] &= ~(1U << c);
	if (!b->group_places[k])
		b->group_orders &= ~(1U << k);
}

static void group_place(struct quarry_buddy *b, struct quarry_group *group)
{
	u16 bucket = QUARRY_NO_BUCKET;

	if (group->line.nfree)
		bucket = quarry_group_bucket(__fls(group->line.orders), group->place);
	if (bucket == group->bucket)
		return;
	if (group->bucket != QUARRY_NO_BUCKET)
		group_move(b, group, false);
	group->bucket = bucket;
	if (bucket != QUARRY_NO_BUCKET)
		group_move(b, group, true);
}

/* Forget what is known of the zeros in a block; was every frame of it zero? */
static bool zero_take(struct quarry_buddy *b, struct quarry_area *area,
		      unsigned int pos, unsigned int order)
{
	unsigned int w, end, known = 0;
	u64 mask;

	if (!b->nr_zero)
		return false;
	if (order <= QUARRY_WORD_ORDER) {
		mask = quarry_line_mask(pos, order);
		known = hweight64(area->zero[pos / 64] & mask);
		area->zero[pos / 64] &= ~mask;
	} else {
		end = (pos + (1U << order)) / 64;
		for (w = pos / 64; w < end; w++) {
			known += hweight64(area->zero[w]);
			area->zero[w] = 0;
		}
	}
	b->nr_zero -= known;
	return known == 1U << order;
}

static void frames_taken(struct quarry_buddy *b, struct quarry_arena *a, u32 nr)
{
	if (a->nfree == a->hi - a->lo) {
		list_del_init(&a->empty);
		b->nr_empty--;
	}
	a->nfree -= nr;
	b->nfree -= nr;
}

static void frames_put(struct quarry_buddy *b, struct quarry_arena *a, u32 nr)
{
	a->nfree += nr;
	b->nfree += nr;
	if (a->nfree == a->hi - a->lo) {
		list_add(&a->empty, &b->empty);
		b->nr_empty++;
	}
}

static unsigned int group_position(const struct quarry_area *area)
{
	return quarry_arena_position(area->arena, area) % QUARRY_LINE_UNITS;
}

static bool area_is_whole(const struct quarry_area *area)
{
	return area->line.nfree == QUARRY_AREA_FRAMES;
}

/* Take 2^order whole areas out of their group. */
static void group_take(struct quarry_buddy *b, struct quarry_area *area,
		       unsigned int order)
{
	struct quarry_group *group = quarry_area_group(area);
	unsigned int pos = group_position(area);

	b->splits += quarry_line_take(&group->line, b->blocks + QUARRY_AREA_ORDER,
				      pos, order,
				      quarry_line_maximal(&group->line, pos, order));
	b->nr_whole -= 1U << order;
	group_place(b, group);
}

static void group_put(struct quarry_buddy *b, struct quarry_area *area,
		      unsigned int order)
{
	struct quarry_group *group = quarry_area_group(area);

	b->merges += quarry_line_put(&group->line, b->blocks + QUARRY_AREA_ORDER,
				     group_position(area), order);
	b->nr_whole += 1U << order;
	group_place(b, group);
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
		/* What the group gave up is the area's until it is split. */
		b->blocks[QUARRY_AREA_ORDER]++;
	}
	b->splits += quarry_line_take(&area->line, b->blocks, pos, order, from);
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
		memset(&area->line, 0, sizeof(area->line));
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

	if (order >= QUARRY_AREA_ORDER) {
		*zero = areas_take(b, area, order, life);
	} else {
		area_take(b, area, pos, order,
			  quarry_line_maximal(&area->line, pos, order), life);
		*zero = zero_take(b, area, pos, order);
		area_place(b, area);
	}
	return b->splits - splits;
}

/* Note that an order was asked for. Returns the orders that are, as bits. */
static u16 note_asked(struct quarry_buddy *b, unsigned int order)
{
	if (++b->claims == QUARRY_ASKED_CLAIMS) {
		b->claims = 0;
		b->asked_before = b->asked;
		b->asked = 0;
	}
	if (order < QUARRY_AREA_ORDER)
		b->asked |= 1U << order;
	return b->asked | b->asked_before;
}

/*
 * Of the broken areas of a life whose largest free block is of an order from @lo to
 * below @hi, one in the first place that is nobody else's home. Failing that *@others is
 * set to one that is, and after *@tries of these one is returned: better shared than to
 * look at them all.
 */
static struct quarry_area *pick_from(const struct quarry_buddy *b, u8 life, u8 home,
				     unsigned int lo, unsigned int hi,
				     struct quarry_area **others, unsigned int *tries)
{
	const u32 *places = b->area_places[life];
	struct quarry_area *area;
	unsigned int k, c, any;

	for (any = 0, k = lo; k < hi; k++)
		any |= places[k];
	for (; any; any &= any - 1) {
		c = __ffs(any);
		for (k = lo; k < hi; k++) {
			if (!(places[k] & 1U << c))
				continue;
			hlist_for_each_entry(area, &b->areas[life][k][c], link) {
				if (!home || !area->home || area->home == home)
					return area;
				*others = *others ?: area;
				if (!--*tries)
					return *others;
			}
		}
	}
	return NULL;
}

/* The first order above @order that was asked for, or QUARRY_AREA_ORDER. */
static unsigned int next_asked(u16 asked, unsigned int order)
{
	unsigned int more = (asked | 1U << QUARRY_AREA_ORDER) >> (order + 1);

	return order + 1 + __ffs(more);
}

/*
 * A broken area of a life that has a free block of the order: rather one whose largest free
 * block is of no use to who asks for more, and of these one in the first place. While there
 * is plenty of whole areas those who ask for more have these, and only the place counts.
 */
static struct quarry_area *pick_area(const struct quarry_buddy *b, u8 life,
				     const struct quarry_want *want, u16 asked,
				     struct quarry_area **others)
{
	unsigned int orders = b->area_orders[life] & ~0U << want->order;
	unsigned int lo, hi, tries = HOMES_PASSED;
	struct quarry_area *area = NULL;

	if (b->nr_whole > b->nr_areas / PLENTY)
		asked = 0;
	*others = NULL;
	for (; !area && orders; orders &= ~0U << hi) {
		lo = __ffs(orders);
		hi = next_asked(asked, lo);
		area = pick_from(b, life, want->home, lo, hi, others, &tries);
	}
	return area;
}

static bool area_is_zero(const struct quarry_area *area)
{
	return quarry_line_are_set(area->zero, 0, QUARRY_AREA_ORDER);
}

static bool zeros_matter(const struct quarry_buddy *b, const struct quarry_want *want)
{
	return b->nr_zero && want->order >= ZERO_ORDER;
}

/*
 * A maximal free block of exactly @order in a broken area: of the first BLOCKS_TRIED one
 * that is zero or not as it is wanted, else the first.
 */
static unsigned int find_block(const struct quarry_buddy *b, const struct quarry_area *area,
			       unsigned int order, const struct quarry_want *want)
{
	unsigned int first = quarry_line_find(&area->line, order), pos = first, tries;

	if (!zeros_matter(b, want))
		return first;
	for (tries = BLOCKS_TRIED; tries && pos < QUARRY_LINE_UNITS; tries--) {
		if (quarry_line_are_set(area->zero, pos, order) == want->zero)
			return pos;
		pos = quarry_line_next(&area->line, order, pos + (1U << order));
	}
	return first;
}

/* Has a small arena blocks of another life than @life? Of a large one it is not asked. */
static bool has_other_life(const struct quarry_arena *a, u8 life)
{
	u32 i;

	if (a->nr_areas > QUARRY_PLACE_AREAS)
		return false;
	for (i = 0; i < a->nr_areas; i++)
		if (!area_is_whole(&a->areas[i]) && a->areas[i].life != life)
			return true;
	return false;
}

/*
 * The first area of one of the shortest runs of at least 2^order whole ones in a group: as
 * for find_block(), one whose first area is zero or not as it is wanted.
 */
static struct quarry_area *shortest_run(const struct quarry_buddy *b,
					const struct quarry_group *group, unsigned int order,
					const struct quarry_want *want)
{
	const struct quarry_arena *a = group->arena;
	unsigned int from = order + __ffs(group->line.orders >> order);
	unsigned int pos = quarry_line_find(&group->line, from), tries;
	u64 before = (u64)(group - a->groups) * QUARRY_LINE_UNITS;
	struct quarry_area *first = &a->areas[before + pos - a->shift], *area;

	if (!zeros_matter(b, want))
		return first;
	for (tries = BLOCKS_TRIED; tries && pos < QUARRY_LINE_UNITS; tries--) {
		area = &a->areas[before + pos - a->shift];
		if (area_is_zero(area) == want->zero)
			return area;
		pos = quarry_line_next(&group->line, from, pos + (1U << from));
	}
	return first;
}

/* How much is against whole areas of a group? */
static unsigned int badness(const struct quarry_buddy *b, const struct quarry_group *group,
			    unsigned int order, const struct quarry_want *want)
{
	unsigned int bad = has_other_life(group->arena, want->life) ? 2 : 0;

	if (zeros_matter(b, want) &&
	    area_is_zero(shortest_run(b, group, order, want)) != want->zero)
		bad++;
	return bad;
}

/*
 * The first of 2^order whole areas, or NULL: of an arena that has no blocks of another life,
 * with zeros or not as they are wanted, as far as GROUPS_TRIED tell. These are of the shortest
 * runs, and of runs of one length those in the first place.
 */
static struct quarry_area *pick_whole(const struct quarry_buddy *b, unsigned int order,
				      const struct quarry_want *want)
{
	unsigned int fit, places, k, bad, least = ~0U, tries = GROUPS_TRIED;
	struct quarry_group *group, *best = NULL;

	for (fit = b->group_orders >> order; fit; fit &= fit - 1) {
		k = order + __ffs(fit);
		for (places = b->group_places[k]; places; places &= places - 1)
			hlist_for_each_entry(group, &b->groups[k][__ffs(places)], link) {
				bad = badness(b, group, order, want);
				if (bad < least) {
					best = group;
					least = bad;
				}
				if (!least || !--tries)
					goto found;
			}
	}
found:
	return best ? shortest_run(b, best, order, want) : NULL;
}

static void set_home(struct quarry_buddy *b, struct quarry_area *area, u8 home)
{
	if (area->home == home)
		return;
	if (area->home)
		b->home[area->home] = NULL;
	if (b->home[home])
		b->home[home]->home = 0;
	b->home[home] = area;
	area->home = home;
}

/* A broken area of another life, or NULL. */
static struct quarry_area *pick_other_life(const struct quarry_buddy *b,
					   const struct quarry_want *want, u16 asked)
{
	struct quarry_area *area = NULL, *others = NULL;
	u8 life;

	for (life = 0; !area && !others && life < QUARRY_LIVES; life++)
		if (life != want->life)
			area = pick_area(b, life, want, asked, &others);
	return area ?: others;
}

static struct quarry_area *pick(struct quarry_buddy *b, const struct quarry_want *want,
				u16 asked)
{
	struct quarry_area *others, *area = pick_area(b, want->life, want, asked, &others);

	/* Large blocks are dearer than cache lines. */
	if (!area && others && b->nr_whole <= b->nr_areas / 2)
		area = others;
	/* When there are few of them left, dearer than to keep lives apart. */
	if (!area && !others && b->nr_whole <= b->nr_areas / WHOLE_MIN)
		area = pick_other_life(b, want, asked);
	if (!area)
		area = pick_whole(b, 0, want);
	if (!area)
		area = pick_other_life(b, want, asked);
	if (area && want->home)
		set_home(b, area, want->home);
	return area;
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
			       const struct quarry_want *want, unsigned int nr,
			       struct quarry_block *blocks, unsigned int *pieces)
{
	struct quarry_arena *a = area->arena;
	unsigned int order = want->order, got = 0, from, piece, pos, end;
	u8 state = state_of(want);

	for (; got < nr && *pieces && area->line.orders >> order; --*pieces) {
		from = order + __ffs(area->line.orders >> order);
		piece = min_t(unsigned int, order + __fls(nr - got), from);
		/* A whole area is broken here, so never taken in one piece. */
		piece = min_t(unsigned int, piece, QUARRY_AREA_ORDER - 1);
		pos = find_block(b, area, from, want);
		area_take(b, area, pos, piece, from, want->life);
		b->splits += (1U << (piece - order)) - 1;
		for (end = pos + (1U << piece); pos < end; pos += 1U << order) {
			struct quarry_block *block = &blocks[got++];

			block->arena = a;
			block->frame.i = area_frame(area, pos);
			block->zero = zero_take(b, area, pos, order);
			WRITE_ONCE(a->state[block->frame.i], state);
		}
	}
	area_place(b, area);
	return got;
}

/* Is a block of a small order free at all? Whoever finds nothing asks again and again. */
static bool has_small(const struct quarry_buddy *b, unsigned int order)
{
	unsigned int life, orders = 0;

	for (life = 0; life < QUARRY_LIVES; life++)
		orders |= b->area_orders[life];
	return b->group_orders || orders >> order;
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
	u16 asked = note_asked(b, order);
	struct quarry_area *area;

	if (order < QUARRY_AREA_ORDER) {
		while (got < nr && pieces && has_small(b, order)) {
			area = pick(b, want, asked);
			if (!area)
				break;
			got += area_claim(b, area, want, nr - got, blocks + got, &pieces);
		}
		return got;
	}
	while (got < nr) {
		struct quarry_block *block = &blocks[got];

		area = pick_whole(b, order - QUARRY_AREA_ORDER, want);
		if (!area)
			break;
		block->arena = area->arena;
		block->frame.i = area_frame(area, 0);
		block->zero = areas_take(b, area, order, want->life);
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
			quarry_line_fill(area->zero, pos, order, true);
		b->merges += quarry_line_put(&area->line, b->blocks, pos, order);
		if (area_is_whole(area)) {
			b->blocks[QUARRY_AREA_ORDER]--;
			group_put(b, area, 0);
		}
		area_place(b, area);
	} else {
		struct quarry_area *p = area;

		for (; p < area + (1U << (order - QUARRY_AREA_ORDER)); p++) {
			struct quarry_line *l = &p->line;

			memset(l->free, 0xff, sizeof(l->free));
			memset(p->zero, zero ? 0xff : 0, sizeof(p->zero));
			l->nr[QUARRY_LINE_ORDER] = 1;
			l->orders = 1U << QUARRY_LINE_ORDER;
			l->nfree = QUARRY_AREA_FRAMES;
		}
		group_put(b, area, order - QUARRY_AREA_ORDER);
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
		return quarry_line_is_free(&quarry_area_group(area)->line,
					   group_position(area),
					   order - QUARRY_AREA_ORDER);
	return quarry_line_is_free(&area->line, f.i % QUARRY_AREA_FRAMES, order);
}
