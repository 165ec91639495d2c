// SPDX-License-Identifier: GPL-2.0
/*
 * The buddy's validator, and the indices of fragmentation.
 *
 * Every figure that buddy.c keeps is counted again from the bits, by a slower
 * and plainer way, and compared. An area at a time, so that the caller can let
 * go of its lock in between; the sums want the lock for the whole pass.
 *
 * Contexts: under the caller's lock. Cost: some thousand steps an area.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "place.h"

static void check_violation(struct quarry_check *c, const char *what)
{
	if (!c->violations++)
		strscpy(c->what, what, sizeof(c->what));
}

/* Count a bitfield again, one block after the other. */
static void check_bitfield(const struct quarry_bitfield *l, struct quarry_check *c)
{
	unsigned int k, pos, nr, set = 0;

	for (k = 0; k < QUARRY_BITFIELD_WORDS; k++)
		set += hweight64(l->free[k]);
	if (set != l->nfree)
		check_violation(c, "free units differ from the bits");
	for (k = 0; k <= QUARRY_BITFIELD_ORDER; k++) {
		for (pos = 0, nr = 0; pos < QUARRY_BITFIELD_UNITS; pos += 1U << k)
			nr += quarry_bitfield_is_free(l, pos, k) &&
			      quarry_bitfield_maximal(l, pos, k) == k;
		if (nr != l->nr[k])
			check_violation(c, "free blocks of an order differ from the bits");
		if (!nr != !(l->orders & (1U << k)))
			check_violation(c, "the mask of free orders is wrong");
	}
	if (l->orders >> (QUARRY_BITFIELD_ORDER + 1))
		check_violation(c, "the mask of free orders is wrong");
}

/**
 * quarry_arena_head() - the head of the block around a frame
 * @a:	the arena
 * @f:	any frame that exists
 * @head: set to the first frame of the block
 *
 * Context: under the lock, or any where a guess will do.
 *
 * Return: false if nothing covers the frame, which is then free.
 */
bool quarry_arena_head(const struct quarry_arena *a, struct quarry_frame f,
		       struct quarry_frame *head)
{
	unsigned int k;
	u64 at;
	u8 state;

	for (k = 0; k <= QUARRY_MAX_ORDER; k++) {
		at = (a->base + f.i) & ~((1ULL << k) - 1);
		if (at < a->base + a->lo)
			return false;
		state = READ_ONCE(a->state[at - a->base]);
		if (state != QUARRY_STATE_FREE && quarry_state_order(state) >= k) {
			head->i = at - a->base;
			return true;
		}
	}
	return false;
}

/* Does a block that ends before @f belong to a run? */
static bool check_in_run(const struct quarry_arena *a, u32 f)
{
	struct quarry_frame head;

	return f > a->lo &&
	       quarry_arena_head(a, (struct quarry_frame){ f - 1 }, &head) &&
	       (a->state[head.i] & QUARRY_STATE_KIND) >= QUARRY_STATE_RUN;
}

/* Every frame that is not free has one head, and no free one has any. */
static void check_states(const struct quarry_arena *a, u32 i, struct quarry_check *c)
{
	const struct quarry_area *area = &a->areas[i];
	u32 f = max(i * QUARRY_AREA_FRAMES, a->lo);
	u32 end = min((i + 1) * QUARRY_AREA_FRAMES, a->hi);
	struct quarry_frame head;
	u32 covered = f;

	if (quarry_arena_head(a, (struct quarry_frame){ f }, &head) && head.i < f)
		covered = head.i + (1U << quarry_state_order(a->state[head.i]));
	for (; f < end; f++) {
		bool free = quarry_bitfield_is_free(&area->bits, f % QUARRY_AREA_FRAMES, 0);
		u8 state = READ_ONCE(a->state[f]);

		c->frames++;
		if (f < covered) {
			if (free)
				check_violation(c, "a frame of a block that is out is free");
			if (state != QUARRY_STATE_FREE)
				check_violation(c, "a block begins inside another");
		} else if (state != QUARRY_STATE_FREE) {
			covered = f + (1U << quarry_state_order(state));
			if (free)
				check_violation(c, "the head of a block that is out is free");
			if (covered > a->hi ||
			    ((a->base + f) & ((1U << quarry_state_order(state)) - 1)))
				check_violation(c, "a block is not aligned or leaves its arena");
			if (!(state & QUARRY_STATE_KIND))
				check_violation(c, "a state is of no kind");
			if ((state & QUARRY_STATE_KIND) == QUARRY_STATE_RUN_MORE &&
			    !check_in_run(a, f))
				check_violation(c, "a run goes on that did not begin");
		} else if (!free) {
			check_violation(c, "a frame is out and belongs to no block");
		}
		if (!free && (area->zero[(f / 64) % QUARRY_BITFIELD_WORDS] >> (f % 64)) & 1)
			check_violation(c, "a frame that is out counts as zero");
	}
}

static bool check_listed(const struct hlist_head *head, const struct hlist_node *link)
{
	return !hlist_empty(head) && link->pprev;
}

/* No run that begins in an area is longer than is said, as far as that goes. */
static void check_bound(const struct quarry_arena *a, u32 i, const struct quarry_areagroup *group,
			struct quarry_check *c)
{
	u64 f = (u64)i * QUARRY_AREA_FRAMES, end = f + QUARRY_AREA_FRAMES;
	u64 all = (u64)a->nr_areas * QUARRY_AREA_FRAMES;
	unsigned int most = a->areas[i].most, now = 0;

	if (most > QUARRY_AREA_FRAMES || most > group->most)
		check_violation(c, "a longer run begins in an area than in its areagroup");
	if (most > group->most_of[quarry_areagroup_part(&a->areas[i])])
		check_violation(c,
				"a longer run begins in an area than in its part of the areagroup");
	if (most != QUARRY_AREA_FRAMES && !a->searched)
		check_violation(c, "an arena was searched and does not know");
	for (; f < all && (f < end || now) && now <= most && now < QUARRY_AREA_FRAMES; f++)
		now = quarry_bitfield_is_free(&a->areas[f / QUARRY_AREA_FRAMES].bits,
					      f % QUARRY_AREA_FRAMES, 0) ? now + 1 : 0;
	if (now > most)
		check_violation(c, "a longer run begins in an area than is said");
}

/**
 * quarry_buddy_check_area() - check one area of an arena
 * @b:		the allocator
 * @a:		the arena
 * @area:	number of the area in the arena
 * @c:		violations are added here
 *
 * Context: under the caller's lock.
 */
void quarry_buddy_check_area(const struct quarry_buddy *b,
			     const struct quarry_arena *a, u32 area,
			     struct quarry_check *c)
{
	const struct quarry_area *p = &a->areas[area];
	const struct quarry_bitfield *l = &p->bits;
	bool whole = l->nfree == QUARRY_AREA_FRAMES;
	u64 pos = quarry_arena_position(a, p);
	const struct quarry_areagroup *group = &a->groups[pos / QUARRY_BITFIELD_UNITS];

	check_bitfield(l, c);
	check_states(a, area, c);
	check_bound(a, area, group, c);
	if (p->arena != a)
		check_violation(c, "an area points to another arena");
	if (p->home && (p->home >= QUARRY_HOMES || b->home[p->home] != p))
		check_violation(c, "an area is nobody's home and does not know");
	if (whole != quarry_bitfield_is_free(&group->bits, pos % QUARRY_BITFIELD_UNITS, 0))
		check_violation(c, "a whole area is not in its areagroup, or a broken one is");
	if ((whole && quarry_bitfield_are_set(p->zero, 0, QUARRY_AREA_ORDER)) !=
	    quarry_bitfield_are_set(group->zero, pos % QUARRY_BITFIELD_UNITS, 0))
		check_violation(c, "an areagroup takes an area for zero, or does not");
	if (p->life >= QUARRY_AREA_LIVES || p->place >= QUARRY_PLACES ||
	    p->place != quarry_area_place(a, area)) {
		check_violation(c, "an area has no such life, or is in another place");
		return;
	}
	if (whole || !l->nfree) {
		if (p->bucket != QUARRY_NO_BUCKET)
			check_violation(c, "a whole or full area is in a bucket");
		return;
	}
	if (p->bucket != quarry_area_bucket(p->life, __fls(l->orders | 1), p->place))
		check_violation(c, "an area is in the wrong bucket");
	else if (!check_listed(&b->areas[p->life][__fls(l->orders | 1)][p->place], &p->link))
		check_violation(c, "an area is missing from its bucket");
}

/* Returns how many areas of this life and largest order are in buckets. */
static u64 check_area_lists(const struct quarry_buddy *b, unsigned int life,
			    unsigned int order, struct quarry_check *c)
{
	const struct hlist_head *list = b->areas[life][order];
	const struct quarry_area *area;
	unsigned int place;
	u64 areas = 0;

	if (!b->area_places[life][order] == !!(b->area_orders[life] & (1U << order)))
		check_violation(c, "the mask of area orders is wrong");
	for (place = 0; place < QUARRY_PLACES; place++, list++) {
		if (hlist_empty(list) == !!(b->area_places[life][order] & (1U << place)))
			check_violation(c, "the mask of area buckets is wrong");
		hlist_for_each_entry(area, list, link) {
			if (area->bucket != quarry_area_bucket(life, order, place))
				check_violation(c, "a bucket holds a stray area");
			areas++;
		}
	}
	return areas;
}

/* The same of areagroups. */
static u64 check_group_lists(const struct quarry_buddy *b, unsigned int zeros,
			     unsigned int order, struct quarry_check *c)
{
	const struct hlist_head *list = b->groups[zeros][order];
	const struct quarry_areagroup *group;
	unsigned int place;
	u64 groups = 0;

	if (!b->group_places[zeros][order] == !!(b->group_orders[zeros] & (1U << order)))
		check_violation(c, "the mask of areagroup orders is wrong");
	for (place = 0; place < QUARRY_PLACES; place++, list++) {
		if (hlist_empty(list) == !!(b->group_places[zeros][order] & (1U << place)))
			check_violation(c, "the mask of areagroup buckets is wrong");
		hlist_for_each_entry(group, list, link) {
			if (group->bucket != quarry_whole_bucket(zeros, order, place))
				check_violation(c, "a bucket holds a stray areagroup");
			groups++;
		}
	}
	return groups;
}

/* Is a bound noted for a place? */
static bool run_is_noted(const struct quarry_buddy *b, unsigned int place, unsigned int most)
{
	return b->run_bounds[place][(most - 1) / 64] & 1ULL << (most - 1) % 64;
}

/* An areagroup of a bound and place and its peers. Returns how many they are. */
static u64 check_run_peers(const struct quarry_buddy *b, const struct quarry_areagroup *first,
			   unsigned int head, struct quarry_check *c)
{
	const struct quarry_areagroup *peer;
	u64 groups = 1;

	if (first->place >= QUARRY_PLACES || !first->most || first->most > QUARRY_AREA_FRAMES ||
	    quarry_runs_head(first->most, first->place) != head || !first->run_first)
		check_violation(c, "an areagroup is in the wrong list for runs");
	else if (!run_is_noted(b, first->place, first->most))
		check_violation(c, "the bound of an areagroup is not noted");
	list_for_each_entry(peer, &first->run_peers, run_peers) {
		if (peer->most != first->most || peer->place != first->place || peer->run_first)
			check_violation(c, "an areagroup has a peer with another bound");
		groups++;
	}
	return groups;
}

/* Returns how many areagroups are listed for runs. */
static u64 check_run_lists(const struct quarry_buddy *b, struct quarry_check *c)
{
	const struct quarry_areagroup *first;
	u64 groups = 0, noted = 0;
	unsigned int i, w;

	for (i = 0; i < QUARRY_PLACES; i++)
		for (w = 0; w < QUARRY_BITFIELD_WORDS; w++)
			if (!b->run_bounds[i][w] == !!(b->run_words[i] & 1U << w))
				check_violation(c, "the mask of bounds for runs is wrong");
			else
				noted += hweight64(b->run_bounds[i][w]);
	for (i = 0; i < QUARRY_RUN_HEADS; i++)
		hlist_for_each_entry(first, &b->runs[i], run_link) {
			groups += check_run_peers(b, first, i, c);
			noted--;
		}
	if (noted)
		check_violation(c,
				"a bound is noted that no areagroup has, or two areagroups are the first");
	return groups;
}

/* The buckets hold as many entries as there are areas and areagroups to hold. */
static void check_buckets(const struct quarry_buddy *b, u64 areas, u64 groups, u64 runs,
			  struct quarry_check *c)
{
	unsigned int i;

	for (i = 0; i < QUARRY_AREA_LIVES * QUARRY_AREA_ORDER; i++)
		areas -= check_area_lists(b, i / QUARRY_AREA_ORDER, i % QUARRY_AREA_ORDER, c);
	for (i = 0; i < QUARRY_ZEROS * QUARRY_AREAGROUP_ORDERS; i++)
		groups -= check_group_lists(b, i / QUARRY_AREAGROUP_ORDERS,
					    i % QUARRY_AREAGROUP_ORDERS, c);
	runs -= check_run_lists(b, c);
	if (areas || groups || runs)
		check_violation(c, "the buckets miss or repeat an area or areagroup");
}

static void check_group(const struct quarry_arena *a, u32 i, struct quarry_check *c)
{
	const struct quarry_areagroup *group = &a->groups[i];
	u32 first = i ? i * QUARRY_BITFIELD_UNITS - a->shift : 0;
	u16 bucket = QUARRY_NO_BUCKET, zero = 0;
	unsigned int w;

	check_bitfield(&group->bits, c);
	for (w = 0; w < QUARRY_BITFIELD_WORDS; w++)
		zero += hweight64(group->zero[w]);
	if (zero != group->nr_zero)
		check_violation(c, "the number of zero areas is wrong");
	if (group->arena != a)
		check_violation(c, "an areagroup points to another arena");
	if (first < a->nr_areas && group->place != a->areas[first].place)
		check_violation(c, "an areagroup is in another place than its first area");
	if (group->bits.nfree)
		bucket = quarry_whole_bucket(quarry_areagroup_zeros(group),
					     __fls(group->bits.orders | 1), group->place);
	if (group->bucket != bucket)
		check_violation(c, "an areagroup is in the wrong bucket");
	if (group->most > QUARRY_AREA_FRAMES)
		check_violation(c, "the bound of an areagroup is above all");
}

/**
 * quarry_buddy_check_sums() - check the totals against arenas and areas
 * @b:	the allocator
 * @c:	violations are added here
 *
 * Cost: a step an area, in one go. Context: under the caller's lock.
 */
void quarry_buddy_check_sums(const struct quarry_buddy *b, struct quarry_check *c)
{
	u64 blocks[QUARRY_MAX_ORDER + 1] = {};
	u64 arenas = 0, empty = 0, spare = 0, areas = 0, whole = 0, frames = 0, nfree = 0;
	u64 zero = 0, in_buckets = 0, groups = 0, homes = 0, runs = 0;
	u32 small[QUARRY_PLACES] = {};
	const struct quarry_arena *a;
	unsigned int k;
	u32 i;

	list_for_each_entry(a, &b->arenas, link) {
		u32 sum = 0;

		for (i = 0; i < a->nr_areas; i++) {
			const struct quarry_area *area = &a->areas[i];

			sum += area->bits.nfree;
			in_buckets += area->bits.nfree &&
				      area->bits.nfree < QUARRY_AREA_FRAMES;
			for (k = 0; k < QUARRY_AREA_ORDER; k++)
				blocks[k] += area->bits.nr[k];
			for (k = 0; k < QUARRY_BITFIELD_WORDS; k++)
				zero += hweight64(area->zero[k]);
			homes += area->home > 0;
		}
		for (i = 0; i < a->nr_groups; i++) {
			const struct quarry_bitfield *l = &a->groups[i].bits;

			check_group(a, i, c);
			whole += l->nfree;
			groups += !!l->nfree;
			runs += !!a->groups[i].most;
			for (k = 0; k <= QUARRY_BITFIELD_ORDER; k++)
				blocks[QUARRY_AREA_ORDER + k] += l->nr[k];
		}
		if (a->buddy != b)
			check_violation(c, "an arena points to another allocator");
		k = ((u64)a->end + QUARRY_AREA_FRAMES - 1) / QUARRY_AREA_FRAMES;
		if (a->place >= (k <= QUARRY_PLACE_AREAS ? QUARRY_PLACES : 1))
			check_violation(c, "an arena has no such place");
		else if (k <= QUARRY_PLACE_AREAS)
			small[a->place] += k;
		if (sum != a->nfree)
			check_violation(c, "free frames of an arena differ from its areas");
		if (list_empty(&a->empty) != (a->nfree != a->hi - a->lo))
			check_violation(c, "an arena is wrongly on the list of empty ones");
		arenas++;
		empty += a->nfree == a->hi - a->lo;
		spare += a->lent && a->nfree == a->hi - a->lo ? a->nfree : 0;
		areas += a->nr_areas;
		frames += a->hi - a->lo;
		nfree += a->nfree;
	}
	for (k = 0; k <= QUARRY_MAX_ORDER; k++)
		if (blocks[k] != b->blocks[k])
			check_violation(c, "free blocks of an order differ from the areas");
	if (arenas != b->nr_arenas || empty != b->nr_empty || areas != b->nr_areas)
		check_violation(c, "the number of arenas or areas is wrong");
	if (spare != b->nr_spare)
		check_violation(c, "the frames of empty arenas that are lent are wrong");
	if (whole != b->nr_whole)
		check_violation(c, "the number of whole areas is wrong");
	if (frames != b->nr_frames || nfree != b->nfree)
		check_violation(c, "the number of frames or free frames is wrong");
	if (zero != b->nr_zero)
		check_violation(c, "the number of zero frames is wrong");
	for (k = 0; k < QUARRY_HOMES; k++) {
		homes -= !!b->home[k];
		if (b->home[k] && (!k || b->home[k]->home != k))
			check_violation(c, "a home is not where it is said to be");
	}
	if (homes)
		check_violation(c, "an area is nobody's home and does not know");
	if (memcmp(small, b->small_areas, sizeof(small)))
		check_violation(c, "the areas of small arenas are miscounted");
	check_buckets(b, in_buckets, groups, runs, c);
}

/**
 * quarry_buddy_check() - check everything in one go
 * @b:	the allocator
 * @c:	violations are added here; zero it before
 *
 * Context: under the caller's lock. For pools whose lock must not be held so
 * long, use the two calls above.
 */
void quarry_buddy_check(const struct quarry_buddy *b, struct quarry_check *c)
{
	const struct quarry_arena *a;
	u32 i;

	list_for_each_entry(a, &b->arenas, link)
		for (i = 0; i < a->nr_areas; i++)
			quarry_buddy_check_area(b, a, i, c);
	quarry_buddy_check_sums(b, c);
}

/**
 * quarry_unusable_milli() - unusable free space index of an order
 * @blocks:	free blocks by order, QUARRY_MAX_ORDER + 1 of them
 * @order:	the order
 *
 * Of the free memory, the share in blocks too small for @order (Gorman and
 * Whitcroft, 2006). Context: any.
 *
 * Return: 0 to 1000; 1000 if nothing is free.
 */
int quarry_unusable_milli(const u64 *blocks, unsigned int order)
{
	u64 nfree = 0, usable = 0;
	unsigned int k;

	for (k = 0; k <= QUARRY_MAX_ORDER; k++) {
		nfree += blocks[k] << k;
		if (k >= order)
			usable += blocks[k] << k;
	}
	return nfree ? div64_u64((nfree - usable) * 1000, nfree) : 1000;
}

/**
 * quarry_extfrag_milli() - external fragmentation index of an order
 * @blocks:	free blocks by order, QUARRY_MAX_ORDER + 1 of them
 * @order:	the order
 *
 * Why a claim of @order would fail: towards 0 for lack of memory, towards 1000
 * because of fragmentation. The formula of mm/vmstat.c. Context: any.
 *
 * Return: -1000 if the claim would succeed, else 0 to 1000.
 */
int quarry_extfrag_milli(const u64 *blocks, unsigned int order)
{
	u64 nfree = 0, nr = 0, wanted = 1ULL << order;
	unsigned int k;

	for (k = 0; k <= QUARRY_MAX_ORDER; k++) {
		if (k >= order && blocks[k])
			return -1000;
		nfree += blocks[k] << k;
		nr += blocks[k];
	}
	if (!nr)
		return 0;
	/* Below 0 where a single block is nearly large enough: lack of memory, too. */
	return max(1000 - (int)div64_u64(1000 + div64_u64(nfree * 1000, wanted), nr), 0);
}
