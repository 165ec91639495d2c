// SPDX-License-Identifier: GPL-2.0
/*
 * Shrinking: arenas with no page out go back to the kernel.
 *
 * On request and under memory pressure, the youngest-emptied arenas first, never
 * below the pool's floor; under pressure not near its low watermark either, for the
 * background would take it back with the next page that goes out. So as much as the
 * mark asks for stays, and as much again, up to an arena, for what comes and goes. Who
 * asks for it by quarry_pool_shrink() means it. The buddy keeps the empty
 * ones on a list, so nothing is searched for. An arena with a page that somebody still
 * refers to is taken out of service instead: it is of no use to us and would poison the
 * kernel. If it was only that somebody referred to it, it is looked at again with each later
 * request, and goes when he has let go.
 *
 * Shrinkers say what the machine has gained. What goes from a caller's list to a zone, or from
 * a cache to its pool, is nothing to the kernel: the shrinker of caches hands on to the pools
 * and reports what came out of these. Who is out of memory altogether comes by oom.c, who
 * hibernates by hibernate.c.
 *
 * Contexts: any that may free pages; of whole pools, those that may sleep, reclaim included, so
 * nobody here waits for long for who may allocate.
 */
#include <linux/mm.h>
#include <linux/mutex.h>

#include "../arena/directory.h"
#include "misuse.h"
#include "pcp.h"

/* Empty arenas that are looked at under the lock. */
#define LOOKS	32U

static struct shrinker *shrinker;

/* Free frames that the low watermark does not need. */
static u64 above_low(struct quarry_pool *pool)
{
	u64 nfree = quarry_pool_nfree(pool), keep = quarry_pool_low_keeps(pool);

	return nfree > keep ? nfree - keep : 0;
}

/*
 * Take @nr free frames off what is held of the kernel's, but not below the floor, nor, with
 * @mark, what the low watermark needs.
 */
static bool shrink_release_held(struct quarry_pool *pool, u64 nr, bool mark)
{
	s64 held = atomic64_read(&pool->held);

	if (mark && pool->low && above_low(pool) < nr)
		return false;
	do {
		if (held < nr + pool->min)
			return false;
	} while (!atomic64_try_cmpxchg(&pool->held, &held, held - nr));
	return true;
}

/*
 * Out of the buddy: an empty arena of the kernel's, of @least to @most frames, that neither
 * the floor nor, with @mark, the low watermark needs. Those that cannot go are put behind
 * the others, so that they are not looked at over and over; and of one call they are no
 * more than a few.
 */
static struct quarry_page_arena *pick_empty(struct quarry_zone *z, u64 least, u64 most, bool mark)
{
	struct quarry_page_arena *picked = NULL, *c;
	unsigned int looks = LOOKS;
	struct quarry_arena *a;
	unsigned long flags;

	quarry_zone_lock(z, &flags);
	while (looks-- && !picked) {
		a = list_first_entry_or_null(&z->buddy.empty, struct quarry_arena, empty);
		if (!a)
			break;
		c = quarry_page_arena(a);
		if (c->kind == QUARRY_ARENA_KERNEL && c->nr >= least && c->nr <= most &&
		    shrink_release_held(z->pool, c->nr, mark) && !quarry_zone_leave(z, c))
			picked = c;
		else
			list_move_tail(&a->empty, &z->buddy.empty);
	}
	quarry_zone_unlock(z, flags);
	return picked;
}

/* Give back empty arenas of @least frames and more, @frames in all at most; how many. */
static u64 shrink_give_back(struct quarry_zone *z, u64 least, u64 frames, bool mark)
{
	u64 tries = READ_ONCE(z->buddy.nr_empty) / LOOKS + 1;
	struct quarry_page_arena *c;
	u64 given = 0;
	u32 nr;

	while (given < frames && tries) {
		c = pick_empty(z, least, frames - given, mark);
		if (!c) {
			tries--;
			cond_resched();
			continue;
		}
		nr = c->nr;
		if (quarry_zone_discard(z, c))
			continue;
		quarry_count(z->pool, QUARRY_COUNT_SHRINKS);
		given += nr;
		cond_resched();
	}
	return given;
}

/**
 * quarry_zone_shrink() - give empty arenas back
 * @z:		the zone
 * @frames:	at most this many frames, in whole arenas
 * @mark:	leave what the low watermark needs
 *
 * Context: any that may free pages.
 *
 * Return: frames given back.
 */
u64 quarry_zone_shrink(struct quarry_zone *z, u64 frames, bool mark)
{
	u64 given = quarry_zone_retry_retired(z, frames);

	return given + shrink_give_back(z, 0, frames - given, mark);
}

/**
 * quarry_zone_release_one() - give an empty arena of one order back
 * @z:		the zone
 * @order:	of the arena
 *
 * Context: any that may free pages. Return: false if there is none that the floor does not
 * need.
 */
bool quarry_zone_release_one(struct quarry_zone *z, unsigned int order)
{
	return shrink_give_back(z, 1ULL << order, 1ULL << order, false);
}

static u64 zone_spare(const struct quarry_zone *z)
{
	u64 held = atomic64_read(&z->pool->held);
	u64 spare = READ_ONCE(z->buddy.nr_spare);

	if (z->pool->low)
		spare = min(spare, above_low(z->pool));
	return held > z->pool->min ? min(spare, held - z->pool->min) : 0;
}

/* Frames that draining the lists of CPUs might set free, for whole arenas to go. */
static u64 zone_listed(const struct quarry_zone *z)
{
	const struct quarry_pcp *pcp;
	u64 frames = 0;
	int cpu;

	/* The floor needs them. */
	if (atomic64_read(&z->pool->held) <= z->pool->min)
		return 0;
	for_each_possible_cpu(cpu) {
		pcp = per_cpu_ptr(z->pool->pcp, cpu);
		if (pcp->buddy == &z->buddy)
			frames += quarry_pcp_frames(pcp);
	}
	return frames;
}

/* Empty arenas of a pool on one node to the kernel, about so many frames; how many. */
static u64 yield_zone(struct quarry_zone *z, u64 frames)
{
	if (zone_listed(z))
		quarry_pcp_drain_all(z->pool, QUARRY_BRIEF);
	/* Arenas go whole: what is asked for is rounded up to one. */
	return quarry_zone_shrink(z, round_up(frames, 1UL << QUARRY_KERNEL_ORDER), true);
}

/**
 * quarry_pool_yield() - give the kernel what a pool can do without
 * @pool:	a pool that is looked at
 * @node:	of this node; NUMA_NO_NODE: of any
 * @frames:	about so many, in whole arenas
 *
 * Never below the floor, nor what the low watermark needs. Context: sleeps, but waits for
 * nobody for longer than a moment; may come from reclaim.
 *
 * Return: frames that the kernel has got.
 */
u64 quarry_pool_yield(struct quarry_pool *pool, int node, u64 frames)
{
	struct quarry_zone *z = NULL;
	u64 given = 0;

	if (!quarry_pool_begin_giving(pool, false))
		return 0;
	while (given < frames && (z = quarry_zone_next(pool, z)))
		if (z->node != NUMA_NO_NODE && (node == NUMA_NO_NODE || z->node == node))
			given += yield_zone(z, frames - given);
	quarry_pool_end_giving(pool);
	return given;
}

/**
 * quarry_pool_yield_all() - give the kernel all that a pool can do without
 * @pool:	a pool that is looked at
 *
 * What its caches and the lists of CPUs keep at hand goes as well. Context: as
 * quarry_pool_yield(), but waits up to a second.
 *
 * Return: frames that the kernel has got.
 */
u64 quarry_pool_yield_all(struct quarry_pool *pool)
{
	quarry_pool_reclaim_block(pool, QUARRY_DRAIN_ALL);
	return quarry_pool_yield(pool, NUMA_NO_NODE, U64_MAX >> PAGE_SHIFT);
}

/**
 * quarry_pools_yield() - give the kernel what all pools can do without, for a shrinker
 * @node:	the node
 * @frames:	about so many, in whole arenas
 *
 * Context: as quarry_pool_yield(). Return: frames that the kernel has got.
 */
unsigned long quarry_pools_yield(int node, unsigned long frames)
{
	struct quarry_pool *pool = NULL;
	unsigned long given = 0;

	while (given < frames && (pool = quarry_pool_look_next(pool)))
		given += quarry_pool_yield(pool, node, frames - given);
	quarry_pool_look_away(pool);
	quarry_account_reclaimed(given);
	return given;
}

static unsigned long shrink_count(struct shrinker *s, struct shrink_control *sc)
{
	struct quarry_pool *pool = NULL;
	unsigned long spare = 0;

	while ((pool = quarry_pool_look_next(pool)))
		if (sc->nid < pool->nr_zones - 1 && pool->zone[sc->nid])
			spare += zone_spare(pool->zone[sc->nid]) +
				 zone_listed(pool->zone[sc->nid]);
	return spare ?: SHRINK_EMPTY;
}

static unsigned long shrink_scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long given = quarry_pools_yield(sc->nid, sc->nr_to_scan);

	sc->nr_scanned = max(given, sc->nr_to_scan);
	return given ?: SHRINK_STOP;
}

int __init quarry_shrinker_init(void)
{
	shrinker = quarry_shrinker_register(shrink_count, shrink_scan);
	return shrinker ? 0 : -ENOMEM;
}

void quarry_shrinker_exit(void)
{
	quarry_shrinker_unregister(shrinker);
}
