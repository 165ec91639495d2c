// SPDX-License-Identifier: GPL-2.0
/*
 * Where runs can be: how long the longest one is that begins in an area, and the lowest
 * place for a run in all memory.
 *
 * Model
 *	Each area has a bound, as has each areagroup: no longer run begins in it. Runs that go
 *	on into the next areas count where they begin, and 512 stands for all from there on.
 *
 *	  area     ..##.###|##......|..#.#.##
 *	  bound       3       8 + 2    1 ...
 *
 *	64 areas have a bound together as well, so that who goes through an areagroup of 512 looks
 *	at one bitfield of these.
 *
 *	A claim leaves bounds as they are: they may be too high then. A free makes them as
 *	high as the stretch that it joins. Whoever searches and comes to an area that may have
 *	his run counts its bits, and from then on its bound is what it has. So each claim costs
 *	some search at most one count, and who never asks for a run pays a look at a flag.
 *
 *	Areagroups are found by their exact bounds and places: an areagroup that has not quite what
 *	is asked for must cost nothing, for where all runs are as long each full arena is one.
 *
 *	  [place 0..31] -> a bit for each bound 1 to 512 -> hash -> first areagroup <-> its peers
 *
 *	There are 16,384 such pairs whatever the memory, so no more than 32 first areagroups under a
 *	head of the hash; in practice two or three.
 *
 *	A run goes into the first place that has an areagroup for it, there to the areagroup with
 *	the least bound that serves, and there to the first frames that fit: that is first fit, as
 *	far as places tell (place.c).
 *
 * Invariants, checked by check.c
 *	no run that begins in an area is longer than its bound
 *	no area's bound is above its areagroup's, nor above that of its 64
 *	an areagroup is listed under its bound and place, or not at all if that is 0; the bit of
 *	these is set if and only if there is one
 *	while an arena was not searched all its bounds are 512
 *
 * Contexts: as buddy.c.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "buddy.h"

/**
 * quarry_runs_next() - the least bound that some areagroup of a place may have
 * @b:		the allocator
 * @place:	the place
 * @least:	not below that; 1 to QUARRY_AREA_FRAMES
 *
 * Context: under the caller's lock. Return: the bound, or 0 if there is none.
 */
unsigned int quarry_runs_next(const struct quarry_buddy *b, unsigned int place, unsigned int least)
{
	unsigned int w = (least - 1) / 64, more;
	u64 bits = b->run_bounds[place][w] & ~0ULL << (least - 1) % 64;

	if (!bits) {
		more = b->run_words[place] & ~1U << w;
		if (!more)
			return 0;
		w = __ffs(more);
		bits = b->run_bounds[place][w];
	}
	return w * 64 + __ffs64(bits) + 1;
}

static struct hlist_head *run_head(struct quarry_buddy *b, unsigned int place, unsigned int most)
{
	return &b->runs[quarry_runs_head(most, place)];
}

/**
 * quarry_runs_first() - the first of all areagroups of a place that have a bound
 * @b:		the allocator
 * @place:	the place
 * @most:	the bound
 *
 * Context: under the caller's lock. Return: the areagroup, or NULL; the others are its peers.
 */
struct quarry_areagroup *quarry_runs_first(struct quarry_buddy *b, unsigned int place,
					   unsigned int most)
{
	struct quarry_areagroup *group;

	hlist_for_each_entry(group, run_head(b, place, most), run_link)
		if (group->most == most && group->place == place)
			return group;
	return NULL;
}

static void run_list(struct quarry_buddy *b, struct quarry_areagroup *group)
{
	struct quarry_areagroup *first = quarry_runs_first(b, group->place, group->most);
	unsigned int w = (group->most - 1) / 64;

	group->run_first = !first;
	if (first) {
		list_add(&group->run_peers, &first->run_peers);
		return;
	}
	INIT_LIST_HEAD(&group->run_peers);
	hlist_add_head(&group->run_link, run_head(b, group->place, group->most));
	b->run_bounds[group->place][w] |= 1ULL << (group->most - 1) % 64;
	b->run_words[group->place] |= 1U << w;
}

static void run_unlist(struct quarry_buddy *b, struct quarry_areagroup *group)
{
	unsigned int w = (group->most - 1) / 64;
	struct quarry_areagroup *peer;

	if (!group->run_first) {
		list_del(&group->run_peers);
		return;
	}
	hlist_del(&group->run_link);
	if (!list_empty(&group->run_peers)) {
		peer = list_first_entry(&group->run_peers, struct quarry_areagroup, run_peers);
		list_del(&group->run_peers);
		hlist_add_head(&peer->run_link, run_head(b, group->place, group->most));
		peer->run_first = true;
		return;
	}
	b->run_bounds[group->place][w] &= ~(1ULL << (group->most - 1) % 64);
	if (!b->run_bounds[group->place][w])
		b->run_words[group->place] &= ~(1U << w);
}

/**
 * quarry_runs_bound() - set the bound of an areagroup
 * @b:		the allocator
 * @group:	the areagroup
 * @most:	no longer run begins in it; 0 to QUARRY_AREA_FRAMES
 *
 * Context: under the caller's lock.
 */
void quarry_runs_bound(struct quarry_buddy *b, struct quarry_areagroup *group, unsigned int most)
{
	if (most < QUARRY_AREA_FRAMES)
		group->arena->searched = true;
	if (most == group->most)
		return;
	if (group->most)
		run_unlist(b, group);
	group->most = most;
	if (most)
		run_list(b, group);
}

static void run_raise(struct quarry_buddy *b, struct quarry_area *area, unsigned int most)
{
	struct quarry_areagroup *group = quarry_areagroup_of(area);
	u16 *part = &group->most_of[quarry_areagroup_part(area)];

	most = min(most, QUARRY_AREA_FRAMES);
	if (area->most < most)
		area->most = most;
	if (*part < most)
		*part = most;
	if (group->most < most)
		quarry_runs_bound(b, group, most);
}

/* Free frames at an area's beginning, or at its end. */
static unsigned int head_of(const struct quarry_area *area)
{
	const u64 *words = area->bits.free;
	unsigned int n = 0;

	while (n < QUARRY_BITFIELD_WORDS && !~words[n])
		n++;
	return n * 64 + (n < QUARRY_BITFIELD_WORDS ? __ffs64(~words[n]) : 0);
}

static unsigned int tail_of(const struct quarry_area *area)
{
	const u64 *words = area->bits.free;
	unsigned int n = QUARRY_BITFIELD_WORDS;

	while (n && !~words[n - 1])
		n--;
	return (QUARRY_BITFIELD_WORDS - n) * 64 + (n ? 64 - fls64(~words[n - 1]) : 0);
}

/* The ends of the free stretch around a free frame of an area. */
static unsigned int stretch_begin(const struct quarry_area *area, unsigned int pos)
{
	const u64 *words = area->bits.free;
	unsigned int w = pos / 64;
	u64 out = ~words[w] & (pos % 64 ? ~0ULL >> (64 - pos % 64) : 0);

	while (!out && w)
		out = ~words[--w];
	return w * 64 + fls64(out);
}

static unsigned int stretch_end(const struct quarry_area *area, unsigned int pos)
{
	const u64 *words = area->bits.free;
	unsigned int w = pos / 64;
	u64 out = ~words[w] & ~0ULL << pos % 64;

	while (!out && ++w < QUARRY_BITFIELD_WORDS)
		out = ~words[w];
	return out ? w * 64 + __ffs64(out) : QUARRY_AREA_FRAMES;
}

/**
 * quarry_runs_freed() - a block has come free
 * @b:		the allocator
 * @a:		its arena, in which somebody has searched
 * @f:		its first frame
 * @order:	its order
 *
 * Context: under the caller's lock.
 */
void quarry_runs_freed(struct quarry_buddy *b, struct quarry_arena *a, struct quarry_frame f,
		       unsigned int order)
{
	struct quarry_area *area = &a->areas[f.i / QUARRY_AREA_FRAMES];
	struct quarry_area *last = &a->areas[(f.i + (1U << order) - 1) / QUARRY_AREA_FRAMES];
	unsigned int begin = stretch_begin(area, f.i % QUARRY_AREA_FRAMES), len;
	struct quarry_area *p;

	for (p = area; p < last; p++)
		run_raise(b, p, QUARRY_AREA_FRAMES);
	len = stretch_end(last, (f.i + (1U << order) - 1) % QUARRY_AREA_FRAMES);
	if (len == QUARRY_AREA_FRAMES && last + 1 < a->areas + a->nr_areas)
		len += head_of(last + 1);
	if (last == area)
		len -= begin;
	run_raise(b, last, len);
	if (!begin && area > a->areas && tail_of(area - 1))
		run_raise(b, area - 1,
			  tail_of(area - 1) + (last == area ? len : QUARRY_AREA_FRAMES));
}

/* Where in a word stretches longer than @len frames begin. */
static u64 run_longer(u64 word, unsigned int len)
{
	unsigned int have, more;

	if (len >= 64)
		return 0;
	for (have = 1; have <= len && word; have += more) {
		more = min(have, len + 1 - have);
		word &= word >> more;
	}
	return word;
}

/* How long is the longest run that begins in the area? */
static unsigned int longest(const struct quarry_arena *a, const struct quarry_area *area)
{
	unsigned int best = 0, now = 0, w;

	if (!area->bits.nfree)
		return 0;
	for (w = 0; w < QUARRY_BITFIELD_WORDS; w++) {
		u64 word = area->bits.free[w], in;

		if (!~word) {
			now += 64;
			continue;
		}
		best = max_t(unsigned int, best, now + __ffs64(~word));
		for (in = run_longer(word, best); in; in &= in >> 1)
			best++;
		now = 64 - fls64(~word);
	}
	if (now && area + 1 < a->areas + a->nr_areas)
		now += head_of(area + 1);
	return min(max(best, now), QUARRY_AREA_FRAMES);
}

/**
 * quarry_runs_count() - have an area's bound be what it has
 * @area:	the area
 *
 * Its areagroup's bound stays. Cost: some hundred steps. Context: under the caller's lock.
 */
void quarry_runs_count(struct quarry_area *area)
{
	area->most = longest(area->arena, area);
	area->arena->searched = true;
}

/**
 * quarry_runs_bound_part() - set the bound of some areas of an areagroup together
 * @group:	the areagroup
 * @part:	which QUARRY_PART_AREAS
 * @most:	no longer run begins in any of them
 *
 * Context: under the caller's lock.
 */
void quarry_runs_bound_part(struct quarry_areagroup *group, unsigned int part, unsigned int most)
{
	group->most_of[part] = most;
	if (most < QUARRY_AREA_FRAMES)
		group->arena->searched = true;
}

/**
 * quarry_runs_come() - areas have joined, which have no frames yet
 * @b:		the allocator
 * @a:		the arena
 * @from:	number of the first of them; they go to the end
 *
 * Context: under the caller's lock.
 */
void quarry_runs_come(struct quarry_buddy *b, struct quarry_arena *a, u32 from)
{
	for (; from < a->nr_areas; from++) {
		a->areas[from].most = 0;
		run_raise(b, &a->areas[from], QUARRY_AREA_FRAMES);
	}
}

/**
 * quarry_runs_gone() - areas have left
 * @b:		the allocator
 * @a:		the arena
 * @to:		how many areas there were
 *
 * Context: under the caller's lock.
 */
void quarry_runs_gone(struct quarry_buddy *b, struct quarry_arena *a, u32 to)
{
	u32 i = a->nr_areas ? (a->shift + a->nr_areas - 1) / QUARRY_BITFIELD_UNITS + 1 : 0;

	for (; i <= (a->shift + to - 1) / QUARRY_BITFIELD_UNITS; i++) {
		if (a->groups[i].most)
			run_unlist(b, &a->groups[i]);
		a->groups[i].most = 0;
		memset(a->groups[i].most_of, 0, sizeof(a->groups[i].most_of));
	}
}
