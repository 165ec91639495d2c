// SPDX-License-Identifier: GPL-2.0
/*
 * Where a claim lands: which area serves it, and which block there.
 *
 * Model
 *	A small order takes, among the broken areas that can serve it, one whose
 *	largest free block is of least use to anybody else: no order that was asked
 *	for lately fits into it that does not fit into a smaller one. Of these it takes
 *	one in the first place: memory is divided into 32 places, and what is in the
 *	first is filled first, as a first-fit allocator does it. So the last places
 *	empty by themselves, and whole areas, arenas and blocks of 16 MiB with them.
 *	Inside the area it is the smallest block that fits. While a third of all areas
 *	is whole, nobody has to fear for large blocks, and the place alone counts.
 *	Only when no broken area serves is a whole one broken, out of the shortest run, and
 *	of these in the first place; but not for the rest of a batch that has something.
 *
 *	  [life][largest order 0..8][place 0..31] -> broken areas
 *	  [zeros][largest order 9..18][place]     -> areagroups
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
 * What a list of a CPU keeps (pages/pcp.c)
 *	Blocks up to a rank, and those behind it go to the zone:
 *
 *	   place   0    1    2    3    4    5    6 ...
 *	           |-- to the list --|----- to the zone ---------->
 *	                            ^rank         ^mean
 *	                             |<-- twice ->|
 *	                             | spread-1/2 |
 *
 *	Mean and spread are of the places of blocks that come back to the list. So where
 *	blocks lie wide only the first of them stay on the list: what it has is out of the
 *	buddy's hands, and fills holes that the next refill would choose better. A client that
 *	uses the same few blocks over and over keeps them, wherever they are, if that is in one
 *	place or in two neighbours.
 *
 * Cost
 *	All is found by bit searches and bounded tries, so the steps of a claim depend
 *	on neither the number of arenas nor their size. design.md has the policies that
 *	were tried and what each kept whole.
 *
 * Nothing is taken here: buddy.c does that, and says which areas and areagroups have changed.
 * That is all there is of the policy: another one is another file in the place of this. What it
 * keeps in struct quarry_buddy, and check.c looks at, is in buddy.h.
 *
 * Contexts: as buddy.c.
 */
#include <linux/bitops.h>
#include <linux/minmax.h>

#include "place.h"

/* Homes of others that a claim passes by before it shares one. */
#define HOMES_PASSED	8

/* Areagroups that are looked at for a better one, and of these such as are zero in part. */
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

/* How bad it is for whole areas to be in an arena of another life: worse than wrong zeros, 1. */
#define OTHER_LIFE	2

/* Areas that are in one place at least: 4 MiB, which is a slot of the directory. */
#define PLACE_AREAS_LEAST	2

/* Of the blocks that come back to a list: how many make a mean; and the mean of none. */
#define MEAN_OVER	4
#define MEAN_OF_NONE	(-1)

/* Blocks lie wide from this spread on: an eighth of a place. */
#define WIDE		(256 / 8)

/* Half a place: the same few blocks may lie on both sides of where two places meet. */
#define NEAR		(256 / 2)

/* A sample that is further off than so many spreads counts as if it were not. */
#define FAR		4

#define ALL_LIVES	((1U << QUARRY_AREA_LIVES) - 1)
#define ALL_ZEROS	((1U << QUARRY_ZEROS) - 1)

/**
 * struct whole - whole areas that are looked for
 * @claim:	for whom
 * @order:	how many, as order
 * @tries:	areagroups that may still be looked at
 * @choices:	of these that are zero in part
 * @bad:	how much is against @best
 * @best:	first of the best so far, or NULL
 */
struct whole {
	struct quarry_claim *claim;
	unsigned int order;
	unsigned int tries;
	unsigned int choices;
	unsigned int bad;
	struct quarry_area *best;
};

/* The area at a position of an areagroup. */
static struct quarry_area *place_area_at(const struct quarry_areagroup *group, unsigned int pos)
{
	const struct quarry_arena *a = group->arena;
	u64 before = (u64)(group - a->groups) * QUARRY_BITFIELD_UNITS;

	return &a->areas[before + pos - a->shift];
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

/**
 * quarry_choice_freed() - frames came back to an area of short lives
 * @b:		the allocator
 * @nr:		how many
 * @whole:	the area is whole now
 *
 * Context: under the caller's lock.
 */
void quarry_choice_freed(struct quarry_buddy *b, u32 nr, bool whole)
{
	/* The longer it was in vain the longer it takes until it counts as worth it. */
	b->vain = min(b->vain + nr, 2 * APART_TURNS * b->nr_frames);
	if (whole)
		b->vain -= min_t(u64, b->vain, APART_GAIN * QUARRY_AREA_FRAMES);
}

/* Does it pay to keep lives apart? */
bool quarry_lives_are_apart(struct quarry_buddy *b)
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

/* Orders of the largest runs of whole areas in areagroups, as bits. */
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
				     const struct quarry_claim *claim, struct quarry_area **others)
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

/**
 * quarry_choose_block() - choose a block of a broken area
 * @area:	the area
 * @order:	of the maximal free block, of which the area has one
 * @claim:	who wants it
 *
 * The first that is zero or not as it is wanted, else the first. Context: under the caller's
 * lock.
 *
 * Return: its first frame in the area.
 */
unsigned int quarry_choose_block(const struct quarry_area *area, unsigned int order,
				 const struct quarry_claim *claim)
{
	const struct quarry_want *want = claim->want;
	unsigned int pos = QUARRY_BITFIELD_UNITS;

	if (claim->zeros)
		pos = quarry_bitfield_find_as(&area->bits, order, area->zero, want->order,
					      want->zero);
	return pos < QUARRY_BITFIELD_UNITS ? pos : quarry_bitfield_find(&area->bits, order);
}

/*
 * Has a small arena blocks of another life? Of a large one it is not asked, nor where there
 * are few: there an arena is dearer.
 */
static bool has_other_life(const struct quarry_arena *a, const struct quarry_claim *claim)
{
	u32 i;

	if (!claim->apart || a->nr_areas > QUARRY_PLACE_AREAS ||
	    a->buddy->nr_areas < APART_AREAS)
		return false;
	for (i = 0; i < a->nr_areas; i++)
		if (!quarry_area_is_whole(&a->areas[i]) && a->areas[i].life != claim->life)
			return true;
	return false;
}

/* Are some of the whole areas of an areagroup zero, some not, and it matters which? */
static bool has_choice(const struct quarry_areagroup *group, const struct whole *w)
{
	return w->claim->zeros && quarry_areagroup_zeros(group) == QUARRY_ZEROS_SOME;
}

/*
 * 2^order whole areas of an areagroup whose zeros are as they are wanted, or NULL: of the shortest
 * runs, or for who wants zeros of any.
 */
static struct quarry_area *find_choice(const struct quarry_areagroup *group, struct whole *w)
{
	unsigned int from = w->order + __ffs(group->bits.orders >> w->order), pos;
	bool zero = w->claim->want->zero;

	if (!w->choices || (zero && group->nr_zero < 1U << w->order))
		return NULL;
	w->choices--;
	pos = quarry_bitfield_find_as(&group->bits, from, group->zero, w->order, zero);
	if (zero && pos == QUARRY_BITFIELD_UNITS)
		pos = quarry_bitfield_find_set(group->zero, w->order);
	return pos < QUARRY_BITFIELD_UNITS ? place_area_at(group, pos) : NULL;
}

/* The first area of one of the shortest runs of at least 2^order whole ones in an areagroup. */
static struct quarry_area *shortest_run(const struct quarry_areagroup *group, unsigned int order)
{
	unsigned int from = order + __ffs(group->bits.orders >> order);

	return place_area_at(group, quarry_bitfield_find(&group->bits, from));
}

/* Is an areagroup better than the best so far? Returns whether that was enough. */
static bool place_look_at(const struct quarry_areagroup *group, struct whole *w)
{
	unsigned int bad = has_other_life(group->arena, w->claim) ? OTHER_LIFE : 0;
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
 * Look at areagroups of which the zeros are one of @zeros and the largest run of whole areas is one
 * of @orders: of the shortest runs, and of runs of one length those in the first place.
 */
static bool look_among(const struct quarry_buddy *b, unsigned int zeros, unsigned int orders,
		       struct whole *w)
{
	const struct quarry_areagroup *group;
	unsigned int k, any, some;

	for (; orders; orders &= orders - 1) {
		k = __ffs(orders);
		for (any = group_places(b, zeros, k); any; any &= any - 1)
			for (some = zeros; some; some &= some - 1)
				hlist_for_each_entry(group,
						     &b->groups[__ffs(some)][k][__ffs(any)],
						     link)
					if (place_look_at(group, w))
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

/**
 * quarry_choose_whole() - choose whole areas
 * @b:		the allocator
 * @order:	how many, as order
 * @claim:	who wants them
 *
 * Of an arena that has no blocks of another life, as far as GROUPS_TRIED tell. Who wants zeros
 * takes them wherever they are; to leave them is a reason to go to another place, though not
 * to break a longer run. Context: under the caller's lock.
 *
 * Return: the first of 2^order whole areas, or NULL if there are none.
 */
struct quarry_area *quarry_choose_whole(const struct quarry_buddy *b, unsigned int order,
					struct quarry_claim *claim)
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
	if (w.best && quarry_area_is_zero(w.best) != claim->want->zero)
		claim->zeros = false;
	if (w.best && w.bad >= OTHER_LIFE)
		claim->apart = false;
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

/**
 * quarry_forget_home() - an area leaves, and is nobody's home
 * @b:		the allocator
 * @area:	the area
 *
 * Context: under the caller's lock.
 */
void quarry_forget_home(struct quarry_buddy *b, struct quarry_area *area)
{
	if (area->home)
		b->home[area->home] = NULL;
	area->home = 0;
}

/* A broken area of any life, or NULL. */
static struct quarry_area *pick_any_life(const struct quarry_buddy *b,
					 const struct quarry_claim *claim)
{
	struct quarry_area *others, *area = pick_area(b, ALL_LIVES, claim, &others);

	return area ?: others;
}

/* Is a block of a small order free at all? Whoever finds nothing asks again and again. */
static bool has_small(const struct quarry_buddy *b, unsigned int order)
{
	return group_orders(b) || area_orders(b, ALL_LIVES) >> order;
}

/**
 * quarry_choose_area() - choose an area for a small order
 * @b:		the allocator
 * @claim:	who wants it
 *
 * Context: under the caller's lock.
 *
 * Return: an area, broken or whole, with a free block of the order; NULL if there is none, or
 * none for the rest of a batch.
 */
struct quarry_area *quarry_choose_area(struct quarry_buddy *b, struct quarry_claim *claim)
{
	struct quarry_area *others, *area;

	if (!has_small(b, claim->want->order))
		return NULL;
	area = pick_area(b, claim->lives, claim, &others);
	/* Large blocks are dearer than cache lines. */
	if (!area && others && b->nr_whole <= b->nr_areas / 2)
		area = others;
	if (!area && claim->begun)
		return NULL;
	/* When there are few of them left, dearer than to keep lives apart. */
	if (!area && !others && b->nr_whole <= b->nr_areas / WHOLE_MIN)
		area = pick_any_life(b, claim);
	if (!area)
		area = quarry_choose_whole(b, 0, claim);
	if (!area)
		area = pick_any_life(b, claim);
	if (area && claim->want->home)
		set_home(b, area, claim->want->home);
	return area;
}

/**
 * quarry_choice_begin() - begin a claim
 * @b:		the allocator
 * @want:	what is claimed
 *
 * That its order was asked for is noted. Context: under the caller's lock.
 *
 * Return: what the choices that follow go by.
 */
struct quarry_claim quarry_choice_begin(struct quarry_buddy *b, const struct quarry_want *want)
{
	u8 life = quarry_area_life(want->life);
	bool apart = quarry_lives_are_apart(b);

	return (struct quarry_claim){
		.want = want,
		.asked = note_asked(b, want->order),
		.life = life,
		.lives = apart ? 1U << life : ALL_LIVES,
		.apart = apart,
		.zeros = b->nr_zero && want->order >= ZERO_ORDER,
	};
}

/*
 * What the choices above are made from, kept up as areas and areagroups change.
 */

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

/**
 * quarry_place_area() - move an area to the bucket where its bitfield says that it belongs
 * @b:		the allocator
 * @area:	the area, after a change
 *
 * Context: under the caller's lock.
 */
void quarry_place_area(struct quarry_buddy *b, struct quarry_area *area)
{
	const struct quarry_bitfield *l = &area->bits;
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

/* The same of an areagroup. */
static void group_move(struct quarry_buddy *b, struct quarry_areagroup *group, bool in)
{
	unsigned int c = group->bucket % QUARRY_PLACES;
	unsigned int k = group->bucket / QUARRY_PLACES % QUARRY_AREAGROUP_ORDERS;
	unsigned int zeros = group->bucket / QUARRY_PLACES / QUARRY_AREAGROUP_ORDERS;
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

/**
 * quarry_place_group() - move an areagroup to the bucket where its bitfield says that it belongs
 * @b:		the allocator
 * @group:	the areagroup, after a change
 *
 * Context: under the caller's lock.
 */
void quarry_place_group(struct quarry_buddy *b, struct quarry_areagroup *group)
{
	u16 bucket = QUARRY_NO_BUCKET;

	if (group->bits.nfree)
		bucket = quarry_whole_bucket(quarry_areagroup_zeros(group),
					     __fls(group->bits.orders), group->place);
	if (bucket == group->bucket)
		return;
	if (group->bucket != QUARRY_NO_BUCKET)
		group_move(b, group, false);
	group->bucket = bucket;
	if (bucket != QUARRY_NO_BUCKET)
		group_move(b, group, true);
}

static u32 all_areas(const struct quarry_arena *a)
{
	return ((u64)a->end + QUARRY_AREA_FRAMES - 1) / QUARRY_AREA_FRAMES;
}

/* Areas that go to a place together, of so many in all: 4 MiB to 16 MiB, as places suffice. */
static u32 areas_together(u32 areas)
{
	u32 nr = PLACE_AREAS_LEAST;

	while (nr < QUARRY_PLACE_AREAS && nr * QUARRY_PLACES < areas)
		nr *= 2;
	return nr;
}

/**
 * quarry_buddy_choose_place() - say where an arena's areas will be
 * @b:		the allocator
 * @a:		an arena fresh from quarry_arena_init(), which will join @b
 *
 * Small arenas are in places by their addresses, so that neighbours empty together: one
 * place for each 4 MiB while there are enough, else for 8 or 16 MiB. Addresses that are far
 * apart share places as chance has it: an arena goes where there is least if that is less by
 * two such parts than its own place has. Joining does it, for who need not know before.
 * Context: under the caller's lock.
 */
void quarry_buddy_choose_place(struct quarry_buddy *b, struct quarry_arena *a)
{
	u32 areas = all_areas(a), together;
	unsigned int c, least = 0;

	a->placed = true;
	a->place = 0;
	if (all_areas(a) > QUARRY_PLACE_AREAS)
		return;
	for (c = 0; c < QUARRY_PLACES; c++) {
		areas += b->small_areas[c];
		if (b->small_areas[c] < b->small_areas[least])
			least = c;
	}
	together = areas_together(max(areas, b->expected));
	a->place = a->base / (together * QUARRY_AREA_FRAMES) % QUARRY_PLACES;
	if (b->small_areas[a->place] >= b->small_areas[least] + 2 * together)
		a->place = least;
}

/**
 * quarry_note_place() - an arena joins, in the place that was chosen
 * @b:	the allocator
 * @a:	the arena
 *
 * Not before, for in between the lock is let go of, and whoever checks @b counts the arenas that
 * it has. Context: under the caller's lock.
 */
void quarry_note_place(struct quarry_buddy *b, const struct quarry_arena *a)
{
	if (all_areas(a) <= QUARRY_PLACE_AREAS)
		b->small_areas[a->place] += all_areas(a);
}

/**
 * quarry_forget_place() - all of an arena has left
 * @b:	the allocator
 * @a:	the arena
 *
 * Context: under the caller's lock.
 */
void quarry_forget_place(struct quarry_buddy *b, struct quarry_arena *a)
{
	if (all_areas(a) <= QUARRY_PLACE_AREAS)
		b->small_areas[a->place] -= all_areas(a);
	a->placed = false;
}

/**
 * quarry_area_place() - the place that an area is in
 * @a:	an arena for which that was chosen
 * @i:	which of its areas
 *
 * A large arena has all places, from its beginning to its end. Context: any.
 */
u8 quarry_area_place(const struct quarry_arena *a, u32 i)
{
	u32 together = areas_together(all_areas(a));
	u32 before = a->base / QUARRY_AREA_FRAMES % together;
	u32 parts = (before + all_areas(a) + together - 1) / together;

	if (all_areas(a) <= QUARRY_PLACE_AREAS)
		return a->place;
	return (before + i) / together * QUARRY_PLACES / parts;
}

/**
 * quarry_place_new() - an area joins, in its place and in no bucket yet
 * @area:	the area; its arena knows where that is
 *
 * Context: under the caller's lock.
 */
void quarry_place_new(struct quarry_area *area)
{
	struct quarry_arena *a = area->arena;
	u32 i = area - a->areas;

	area->bucket = QUARRY_NO_BUCKET;
	area->place = quarry_area_place(a, i);
	area->life = QUARRY_LIFE_PAGE;
	if (!i || quarry_arena_position(a, area) % QUARRY_BITFIELD_UNITS == 0)
		quarry_areagroup_of(area)->place = area->place;
}

/*
 * What the lists of a CPU ask, which know places alone.
 */

/* Nothing is known of where blocks lie that come back to a list. */
void quarry_tally_init(struct quarry_tally *t)
{
	t->mean = MEAN_OF_NONE;
	t->spread = 0;
}

/**
 * quarry_tally_note() - a block that came back to a list lies in a place
 * @t:		of the list
 * @place:	the place
 *
 * Context: any; the list is the caller's.
 *
 * Return: the rank of the list: the last place whose blocks it keeps.
 */
unsigned int quarry_tally_note(struct quarry_tally *t, u8 place)
{
	int off, far, wide;

	/* The first one is the mean: not a way that somebody went. */
	if (t->mean == MEAN_OF_NONE)
		t->mean = place * 256;
	off = place * 256 - t->mean;
	far = FAR * max_t(int, t->spread, WIDE);
	off = clamp_t(int, off, -far, far);
	t->mean += off / MEAN_OVER;
	t->spread += (max(off, -off) - t->spread) / MEAN_OVER;
	wide = max_t(int, t->spread - NEAR, 0);
	return clamp_t(int, (t->mean + 128 - 2 * wide) / 256, 0, QUARRY_PLACES - 1);
}

/* Do blocks that come back to a list lie wide? It holds no more than a refill then. */
bool quarry_tally_is_wide(const struct quarry_tally *t)
{
	return t->spread > WIDE;
}

/**
 * quarry_choose_turn() - choose which blocks of a list go back
 * @turn:	behind those that went last, counted from the bottom
 * @nr:		how many go, at most @n
 * @n:		blocks on the list
 *
 * What has been longest on the list, about. Context: any.
 *
 * Return: the first of those that go.
 */
unsigned int quarry_choose_turn(unsigned int turn, unsigned int nr, unsigned int n)
{
	return turn + nr <= n ? turn : 0;
}
