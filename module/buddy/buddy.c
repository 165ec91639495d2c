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
 *	  [zeros][largest order 9..18][place]     -> groups
 *
 *	Blocks of short life (enum quarry_life) go to areas of their own, and where there
 *	are many arenas to arenas of their own as far as a few tries tell: else one that
 *	stays keeps each area from becoming whole when the others go. But two kinds of areas
 *	have twice the holes, so that is done only while it pays. It pays when areas of short
 *	lives become whole; where blocks of both kinds come and go evenly hardly one does. So
 *	the frames are counted that come back to such areas (@vain), and for one that becomes
 *	whole eight times its frames are forgiven. When that has come to twice the memory, areas
 *	serve all lives alike. When more lies in holes than is out, many went together and
 *	that was a mistake: the count begins anew. When whole areas are few lives are mixed in
 *	any case: a refusal is worse.
 *
 *	Claimers that name a home (the CPUs' lists do) pass by an area that another
 *	one claimed from last. Blocks of two CPUs would else lie side by side, with
 *	their state bytes in one cache line that both write: measured as a loss of
 *	8% for two CPUs that allocate and free at random. While most areas are whole
 *	another one is broken for that; later the home is shared.
 *
 *	Who wants zeros in blocks of 128 KiB or more gets them where there are any: of
 *	equally good blocks of an area one that is known to be zero, of whole areas those that
 *	are zero, wherever they are. Others leave them as far as that breaks no longer run.
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
 * Cost: metadata is two bits and a byte a frame, under 200 bytes an area and some for
 * a group, and 15 KiB of list heads for a struct quarry_buddy.
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

/* Groups that are looked at for a better one, and of these such as are zero in part. */
#define GROUPS_TRIED	8
#define CHOICES_TRIED	2

/* Smaller blocks are cleared sooner than one that is zero is found. */
#define ZERO_ORDER	5

/* While more than one of so many areas is whole, no large block is in danger. */
#define PLENTY		3

/* Of so many areas one should be whole before lives are mixed. */
#define WHOLE_MIN	32

/* To keep lives apart pays if one in so many frames comes back with an area that becomes whole. */
#define APART_GAIN	8

/* So often may as much as there is come back in vain before it is given up. */
#define APART_TURNS	2

/* With fewer areas than this lives share their arenas. */
#define APART_AREAS	64

#define ALL_LIVES	((1U << QUARRY_AREA_LIVES) - 1)
#define ALL_ZEROS	((1U << QUARRY_ZEROS) - 1)

/* A batch takes no more pieces out of areas than this, to bound its length. */
#define PIECES_A_BATCH	2

/**
 * struct claim - a claim under way
 * @want:	what is claimed
 * @asked:	orders that were asked for lately, as bits
 * @life:	of areas that are broken for it
 * @lives:	of areas that serve, as bits
 * @apart:	lives are kept apart
 * @zeros:	some frames are zero, it matters which, and it is not in vain to look for them
 */
struct claim {
	const struct quarry_want *want;
	u16 asked;
	u8 life;
	u8 lives;
	bool apart;
	bool zeros;
};

/**
 * struct whole - whole areas that are looked for
 * @claim:	for whom
 * @order:	how many, as order
 * @tries:	groups that may still be looked at
 * @choices:	of these that are zero in part
 * @bad:	how much is against @best
 * @best:	first of the best so far, or NULL
 */
struct whole {
	struct claim *claim;
	unsigned int order;
	unsigned int tries;
	unsigned int choices;
	unsigned int bad;
	struct quarry_area *best;
};

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
	unsigned int c = group->bucket % QUARRY_PLACES;
	unsigned int k = group->bucket / QUARRY_PLACES % QUARRY_GROUP_ORDERS;
	unsigned int zeros = group->bucket / QUARRY_PLACES / QUARRY_GROUP_ORDERS;
	struct hlist_head *list = &b->groups[zeros][k][c];

	if (in) {
		hlist_add_head(&group->link, list);
		b->group_places[zeros][k] |= 1U << c;
		b->group_orders[zeros] |= 1U << k;
		return;
	}
	hlist_del(&group->link);
	if (!hlist_empty(list))
		return;
	b->group_places[zeros][k] &= ~(1U << c);
	if (!b->group_places[zeros][k])
		b->group_orders[zeros] &= ~(1U << k);
}

static void group_place(struct quarry_buddy *b, struct quarry_group *group)
{
	u16 bucket = QUARRY_NO_BUCKET;

	if (group->line.nfree)
		bucket = quarry_whole_bucket(quarry_group_zeros(group),
					     __fls(group->line.orders), group->place);
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
	unsigned int known;

	if (!b->nr_zero)
		return false;
	known = quarry_line_unmark(area->zero, pos, order);
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

static bool area_is_zero(const struct quarry_area *area)
{
	return quarry_line_are_set(area->zero, 0, QUARRY_AREA_ORDER);
}

/* The area at a position of a group. */
static struct quarry_area *area_at(const struct quarry_group *group, unsigned int pos)
{
	const struct quarry_arena *a = group->arena;
	u64 before = (u64)(group - a->groups) * QUARRY_LINE_UNITS;

	return &a->areas[before + pos - a->shift];
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
	if (group->nr_zero)
		group->nr_zero -= quarry_line_unmark(group->zero, pos, order);
	group_place(b, group);
}

static void group_put(struct quarry_buddy *b, struct quarry_area *area,
		      unsigned int order, bool zero)
{
	struct quarry_group *group = quarry_area_group(area);
	unsigned int pos = group_position(area);

	b->merges += quarry_line_put(&group->line, b->blocks + QUARRY_AREA_ORDER,
				     pos, order);
	if (zero) {
		quarry_line_fill(group->zero, pos, order, true);
		group->nr_zero += 1U << order;
	}
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

	life = quarry_area_life(life);
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

/* Frames came back to an area of short lives. Is it whole now? */
static void note_short(struct quarry_buddy *b, u32 nr, bool whole)
{
	/* The longer it was in vain the longer it takes until it counts as worth it. */
	b->vain = min(b->vain + nr, 2 * APART_TURNS * b->nr_frames);
	if (whole)
		b->vain -= min_t(u64, b->vain, APART_GAIN * QUARRY_AREA_FRAMES);
}

/* Does it pay to keep lives apart? */
static bool lives_are_apart(struct quarry_buddy *b)
{
	u64 holes = b->nfree - b->nr_whole * QUARRY_AREA_FRAMES;

	if (holes > b->nr_frames - b->nfree)
		b->vain = 0;
	return b->vain <= APART_TURNS * b->nr_frames;
}

/* An area of one of @lives in the buckets of an order and place that is not another's home. */
static struct quarry_area *pick_in(const struct quarry_buddy *b, unsigned int lives, u8 home,
				   unsigned int k, unsigned int c,
				   struct quarry_area **others, unsigned int *tries)
{
	struct quarry_area *area;

	for (; lives; lives &= lives - 1) {
		hlist_for_each_entry(area, &b->areas[__ffs(lives)][k][c], link) {
			if (!home || !area->home || area->home == home)
				return area;
			*others = *others ?: area;
			if (!--*tries)
				return *others;
		}
	}
	return NULL;
}

/* Of bits by life those of @lives, without a branch. */
static u32 of_lives(unsigned int lives, u32 page, u32 is_short)
{
	return (page & -(lives >> QUARRY_LIFE_PAGE & 1)) |
	       (is_short & -(lives >> QUARRY_LIFE_SHORT & 1));
}

/* The same of bits by zeros: all of them, or of one kind. */
static u32 group_places(const struct quarry_buddy *b, unsigned int zeros, unsigned int order)
{
	return (b->group_places[QUARRY_ZEROS_NONE][order] & -(zeros >> QUARRY_ZEROS_NONE & 1)) |
	       (b->group_places[QUARRY_ZEROS_SOME][order] & -(zeros >> QUARRY_ZEROS_SOME & 1)) |
	       (b->group_places[QUARRY_ZEROS_ALL][order] & -(zeros >> QUARRY_ZEROS_ALL & 1));
}

/* Orders of the largest runs of whole areas in groups, as bits. */
static unsigned int group_orders(const struct quarry_buddy *b)
{
	return b->group_orders[QUARRY_ZEROS_NONE] | b->group_orders[QUARRY_ZEROS_SOME] |
	       b->group_orders[QUARRY_ZEROS_ALL];
}

/* Places where an area of one of @lives has a largest free block of an order, as bits. */
static u32 area_places(const struct quarry_buddy *b, unsigned int lives, unsigned int order)
{
	return of_lives(lives, b->area_places[QUARRY_LIFE_PAGE][order],
			b->area_places[QUARRY_LIFE_SHORT][order]);
}

/*
 * Of the broken areas of some lives whose largest free block is of an order from @lo to
 * below @hi, one in the first place that is nobody else's home. Failing that *@others is
 * set to one that is, and after *@tries of these one is returned: better shared than to
 * look at them all.
 */
static struct quarry_area *pick_from(const struct quarry_buddy *b, unsigned int lives, u8 home,
				     unsigned int lo, unsigned int hi,
				     struct quarry_area **others, unsigned int *tries)
{
	struct quarry_area *area;
	unsigned int k, c, any;

	for (any = 0, k = lo; k < hi; k++)
		any |= area_places(b, lives, k);
	for (; any; any &= any - 1) {
		c = __ffs(any);
		for (k = lo; k < hi; k++) {
			if (!(area_places(b, lives, k) & 1U << c))
				continue;
			area = pick_in(b, lives, home, k, c, others, tries);
			if (area)
				return area;
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

/* Orders of largest free blocks in broken areas of some lives, as bits. */
static unsigned int area_orders(const struct quarry_buddy *b, unsigned int lives)
{
	return of_lives(lives, b->area_orders[QUARRY_LIFE_PAGE],
			b->area_orders[QUARRY_LIFE_SHORT]);
}

/*
 * A broken area of some lives that has a free block of the order: rather one whose largest
 * free block is of no use to who asks for more, and of these one in the first place. While
 * there is plenty of whole areas those who ask for more have these, and only the place counts.
 */
static struct quarry_area *pick_area(const struct quarry_buddy *b, unsigned int lives,
				     const struct claim *claim, struct quarry_area **others)
{
	unsigned int orders = area_orders(b, lives) & ~0U << claim->want->order;
	u16 asked = b->nr_whole > b->nr_areas / PLENTY ? 0 : claim->asked;
	unsigned int lo, hi, tries = HOMES_PASSED;
	struct quarry_area *area = NULL;

	*others = NULL;
	for (; !area && orders; orders &= ~0U << hi) {
		lo = __ffs(orders);
		hi = next_asked(asked, lo);
		area = pick_from(b, lives, claim->want->home, lo, hi, others, &tries);
	}
	return area;
}

/*
 * A maximal free block of exactly @order in a broken area: the first that is zero or not as it
 * is wanted, else the first.
 */
static unsigned int find_block(const struct quarry_area *area, unsigned int order,
			       const struct claim *claim)
{
	const struct quarry_want *want = claim->want;
	unsigned int pos = QUARRY_LINE_UNITS;

	if (claim->zeros)
		pos = quarry_line_find_as(&area->line, order, area->zero, want->order,
					  want->zero);
	return pos < QUARRY_LINE_UNITS ? pos : quarry_line_find(&area->line, order);
}

/*
 * Has a small arena blocks of another life? Of a large one it is not asked, nor where there
 * are few: there an arena is dearer.
 */
static bool has_other_life(const struct quarry_arena *a, const struct claim *claim)
{
	u32 i;

	if (!claim->apart || a->nr_areas > QUARRY_PLACE_AREAS ||
	    a->buddy->nr_areas < APART_AREAS)
		return false;
	for (i = 0; i < a->nr_areas; i++)
		if (!area_is_whole(&a->areas[i]) && a->areas[i].life != claim->life)
			return true;
	return false;
}

/* Are some of the whole areas of a group zero, some not, and it matters which? */
static bool has_choice(const struct quarry_group *group, const struct whole *w)
{
	return w->claim->zeros && quarry_group_zeros(group) == QUARRY_ZEROS_SOME;
}

/*
 * 2^order whole areas of a group whose zeros are as they are wanted, or NULL: of the shortest
 * runs, or for who wants zeros of any.
 */
static struct quarry_area *find_choice(const struct quarry_group *group, struct whole *w)
{
	unsigned int from = w->order + __ffs(group->line.orders >> w->order), pos;
	bool zero = w->claim->want->zero;

	if (!w->choices || (zero && group->nr_zero < 1U << w->order))
		return NULL;
	w->choices--;
	pos = quarry_line_find_as(&group->line, from, group->zero, w->order, zero);
	if (zero && pos == QUARRY_LINE_UNITS)
		pos = quarry_line_find_set(group->zero, w->order);
	return pos < QUARRY_LINE_UNITS ? area_at(group, pos) : NULL;
}

/* The first area of one of the shortest runs of at least 2^order whole ones in a group. */
static struct quarry_area *shortest_run(const struct quarry_group *group, unsigned int order)
{
	unsigned int from = order + __ffs(group->line.orders >> order);

	return area_at(group, quarry_line_find(&group->line, from));
}

/* Is a group better than the best so far? Returns whether that was enough. */
static bool look_at(const struct quarry_group *group, struct whole *w)
{
	unsigned int bad = has_other_life(group->arena, w->claim) ? 2 : 0;
	struct quarry_area *area = NULL;

	if (has_choice(group, w)) {
		area = find_choice(group, w);
		bad += !area;
	}
	if (bad < w->bad) {
		w->best = area ?: shortest_run(group, w->order);
		w->bad = bad;
	}
	return !w->bad || !--w->tries;
}

/*
 * Look at groups of which the zeros are one of @zeros and the largest run of whole areas is one
 * of @orders: of the shortest runs, and of runs of one length those in the first place.
 */
static bool look_among(const struct quarry_buddy *b, unsigned int zeros, unsigned int orders,
		       struct whole *w)
{
	const struct quarry_group *group;
	unsigned int k, any, some;

	for (; orders; orders &= orders - 1) {
		k = __ffs(orders);
		for (any = group_places(b, zeros, k); any; any &= any - 1)
			for (some = zeros; some; some &= some - 1)
				hlist_for_each_entry(group,
						     &b->groups[__ffs(some)][k][__ffs(any)],
						     link)
					if (look_at(group, w))
						return true;
	}
	return false;
}

static void look_for_zeros(const struct quarry_buddy *b, unsigned int orders, struct whole *w)
{
	int zeros;

	for (zeros = QUARRY_ZEROS_ALL; zeros >= QUARRY_ZEROS_NONE; zeros--)
		if (look_among(b, 1U << zeros, orders, w))
			return;
}

static void look_for_others(const struct quarry_buddy *b, unsigned int orders, struct whole *w)
{
	unsigned int zeros;

	for (; orders; orders &= orders - 1)
		for (zeros = QUARRY_ZEROS_NONE; zeros <= QUARRY_ZEROS_ALL; zeros++)
			if (look_among(b, 1U << zeros, orders & -orders, w))
				return;
}

/*
 * The first of 2^order whole areas, or NULL: of an arena that has no blocks of another life, as far
 * as GROUPS_TRIED tell. Who wants zeros takes them wherever they are; to leave them is a reason
 * to go to another place, though not to break a longer run.
 */
static struct quarry_area *pick_whole(const struct quarry_buddy *b, unsigned int order,
				      struct claim *claim)
{
	struct whole w = {
		.claim = claim, .order = order, .tries = GROUPS_TRIED,
		.choices = CHOICES_TRIED, .bad = ~0U,
	};
	unsigned int orders = group_orders(b) >> order << order;

	if (!claim->zeros)
		look_among(b, b->nr_zero ? ALL_ZEROS : 1U << QUARRY_ZEROS_NONE, orders, &w);
	else if (claim->want->zero)
		look_for_zeros(b, orders, &w);
	else
		look_for_others(b, orders, &w);
	/* The next block of a batch is not worth as much. */
	if (w.best && area_is_zero(w.best) != claim->want->zero)
		claim->zeros = false;
	return w.best;
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

/* A broken area of any life, or NULL. */
static struct quarry_area *pick_any_life(const struct quarry_buddy *b,
					 const struct claim *claim)
{
	struct quarry_area *others, *area = pick_area(b, ALL_LIVES, claim, &others);

	return area ?: others;
}

static struct quarry_area *pick(struct quarry_buddy *b, struct claim *claim)
{
	struct quarry_area *others, *area = pick_area(b, claim->lives, claim, &others);

	/* Large blocks are dearer than cache lines. */
	if (!area && others && b->nr_whole <= b->nr_areas / 2)
		area = others;
	/* When there are few of them left, dearer than to keep lives apart. */
	if (!area && !others && b->nr_whole <= b->nr_areas / WHOLE_MIN)
		area = pick_any_life(b, claim);
	if (!area)
		area = pick_whole(b, 0, claim);
	if (!area)
		area = pick_any_life(b, claim);
	if (area && claim->want->home)
		set_home(b, area, claim->want->home);
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
			       const struct claim *claim, unsigned int nr,
			       struct quarry_block *blocks, unsigned int *pieces)
{
	const struct quarry_want *want = claim->want;
	struct quarry_arena *a = area->arena;
	unsigned int order = want->order, got = 0, from, piece, pos, end;
	u8 state = state_of(want);

	for (; got < nr && *pieces && area->line.orders >> order; --*pieces) {
		from = order + __ffs(area->line.orders >> order);
		piece = min_t(unsigned int, order + __fls(nr - got), from);
		/* A whole area is broken here, so never taken in one piece. */
		piece = min_t(unsigned int, piece, QUARRY_AREA_ORDER - 1);
		pos = find_block(area, from, claim);
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
	area_place(b, area);
	return got;
}

/* Is a block of a small order free at all? Whoever finds nothing asks again and again. */
static bool has_small(const struct quarry_buddy *b, unsigned int order)
{
	return group_orders(b) || area_orders(b, ALL_LIVES) >> order;
}

static struct claim begin_claim(struct quarry_buddy *b, const struct quarry_want *want)
{
	u8 life = quarry_area_life(want->life);
	bool apart = lives_are_apart(b);

	return (struct claim){
		.want = want,
		.asked = note_asked(b, want->order),
		.life = life,
		.lives = apart ? 1U << life : ALL_LIVES,
		.apart = apart,
		.zeros = b->nr_zero && want->order >= ZERO_ORDER,
	};
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
	struct claim claim = begin_claim(b, want);
	struct quarry_area *area;

	if (order < QUARRY_AREA_ORDER) {
		while (got < nr && pieces && has_small(b, order)) {
			area = pick(b, &claim);
			if (!area)
				break;
			got += area_claim(b, area, &claim, nr - got, blocks + got, &pieces);
		}
		return got;
	}
	while (got < nr) {
		struct quarry_block *block = &blocks[got];

		area = pick_whole(b, order - QUARRY_AREA_ORDER, &claim);
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
			quarry_line_fill(area->zero, pos, order, true);
		b->merges += quarry_line_put(&area->line, b->blocks, pos, order);
		if (area->life == QUARRY_LIFE_SHORT)
			note_short(b, 1U << order, area_is_whole(area));
		if (area_is_whole(area)) {
			b->blocks[QUARRY_AREA_ORDER]--;
			group_put(b, area, 0, area_is_zero(area));
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
		return quarry_line_is_free(&quarry_area_group(area)->line,
					   group_position(area),
					   order - QUARRY_AREA_ORDER);
	return quarry_line_is_free(&area->line, f.i % QUARRY_AREA_FRAMES, order);
}
