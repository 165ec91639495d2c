// SPDX-License-Identifier: GPL-2.0
/*
 * Growing: arenas from the kernel into a pool's zones.
 *
 * A pool grows by one arena of the kernel's largest order at a time, or of the
 * largest that the kernel still has and the cap leaves room for. It grows on
 * demand, in an allocation that may sleep, and in the background, when a refill
 * has left less free than the low watermark.
 *
 * How hard the kernel tries
 *	Only the least order that will do is worth reclaim and compaction to whoever waits
 *	for it; a larger one is taken if it lies there. So a page from fragmented memory
 *	costs no compaction for each order above. Where nobody waits, for the floor and the
 *	watermark, the largest order is tried for as well: it is what the pool is good for.
 *
 * The background
 *	One work item a pool is woken when free memory falls below the mark, once, until it
 *	has met it or given up:
 *
 *	  wake --> [woken] --> grow until the mark is met --> [asleep]
 *	              ^            | the kernel has none
 *	              `-- wait ----'   0.1 s, 0.2 s ... 51 s
 *
 *	Any growth that succeeds ends the wait, for there is memory again. The shrinker
 *	leaves what the mark needs (shrink.c), or the two would go round for ever.
 *
 * The room is taken from the cap before the kernel is asked and returned if it
 * refuses: the cap holds at all times, without a lock over the request, which may
 * reclaim and come back to us through the shrinker.
 *
 * Contexts: growing sleeps; waking the background is for any, NMI included.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../arena/directory.h"
#include "../base/inject.h"
#include "alloc.h"
#include "gfp.h"
#include "pcp.h"

/* Failures after which the background waits no longer than before: 51 seconds. */
#define BACKOFF_MAX	10U

/* Take @nr frames of room below @limit, or none. */
static bool take_room(struct quarry_pool *pool, u64 nr, u64 limit)
{
	s64 managed = atomic64_read(&pool->managed);

	do {
		if (managed + nr > limit)
			return false;
	} while (!atomic64_try_cmpxchg(&pool->managed, &managed, managed + nr));
	return true;
}

/* There is memory again: whoever waits for that need not. */
static void end_of_wait(struct quarry_pool *pool)
{
	if (READ_ONCE(pool->failures)) {
		WRITE_ONCE(pool->failures, 0);
		mod_delayed_work(quarry_any_cpu_wq, &pool->grow_work, 0);
	}
}

static bool grow_by(struct quarry_pool *pool, int node, gfp_t gfp, gfp_t meta,
		    unsigned int order, u64 limit)
{
	struct quarry_page_arena *c;
	bool grown = false;

	atomic_inc(&pool->growing);
	if (take_room(pool, 1ULL << order, limit)) {
		c = quarry_page_arena_take(node, gfp, meta, order);
		grown = c && !quarry_zone_add(pool->zone[quarry_page_arena_node(c)], c);
		if (grown) {
			atomic_inc(&pool->arrivals);
			quarry_count(pool, QUARRY_COUNT_GROWS);
		} else {
			atomic64_sub(1ULL << order, &pool->managed);
		}
		if (c && !grown)
			quarry_page_arena_undo(c);
	}
	if (atomic_dec_and_test(&pool->growing)) {
		wake_up_all(&pool->grown);
		quarry_wake_waiters(pool);
	}
	return grown;
}

/**
 * quarry_pool_await_growth() - let others finish taking arenas
 * @pool:	the pool
 * @w:		what is wanted
 * @seen:	@pool's arrivals before the caller last looked for a block
 * @waited:	false the first time of a call, then as it was left
 *
 * An arena on its way has taken its room under the cap, but has no block to claim
 * yet. Whoever may sleep waits for it before saying that there is nothing; but not
 * for long, for who takes it may need what the caller holds, and once a call: where the
 * kernel has nothing, those who ask for it would wait for each other in turn. With
 * __GFP_NORETRY not at all.
 *
 * Context: any; sleeps up to a second, if @w may. Return: true if it is worth looking again.
 */
bool quarry_pool_await_growth(struct quarry_pool *pool, const struct quarry_wish *w, int seen,
			      bool *waited)
{
	if (!w->may_sleep)
		return false;
	if (atomic_read(&pool->arrivals) != seen)
		return true;
	if (w->light || *waited || !atomic_read(&pool->growing))
		return false;
	*waited = true;
	return wait_event_timeout(pool->grown, !atomic_read(&pool->growing), HZ) ||
	       atomic_read(&pool->arrivals) != seen;
}

/*
 * Could there be room under the cap for an arena, as far as that can be said at once? If all
 * that the pool need not keep went back to the kernel: it keeps its floor, and what others
 * own.
 */
static bool could_grow(struct quarry_pool *pool, unsigned int order)
{
	s64 kept = atomic64_read(&pool->managed) - atomic64_read(&pool->held) + pool->min;

	return order <= QUARRY_KERNEL_ORDER && kept + (1LL << order) <= (s64)pool->max;
}

/**
 * quarry_pool_make_room() - give arenas that are of no use back, so that another may come
 * @pool:	the pool
 * @w:		what is wanted
 * @order:	of the arena
 *
 * Where the kernel had nothing large a pool has grown by small arenas to its cap, and even if
 * all of it is free there is no large block in it. And to whoever wants memory of one node
 * those of others are of no use, however large they are.
 *
 * The largest go first: so the floor keeps as little as there can be above it, which is what
 * could_serve() counts on (range.c).
 *
 * Context: any; does nothing unless @w may sleep. Return: true if there is room that was not.
 */
bool quarry_pool_make_room(struct quarry_pool *pool, const struct quarry_wish *w,
			   unsigned int order)
{
	unsigned int k = QUARRY_KERNEL_ORDER + 1;
	u64 nr = 1ULL << order;
	struct quarry_zone *z;

	if (!w->may_sleep || w->light || atomic64_read(&pool->managed) + nr <= pool->max ||
	    !could_grow(pool, order))
		return false;
	while (k-- > 0)
		for (z = quarry_zone_next(pool, NULL); z; z = quarry_zone_next(pool, z)) {
			if (k >= order && (!w->strict || z->node == w->node))
				continue;
			while (quarry_zone_release_one(z, k))
				if (atomic64_read(&pool->managed) + nr <= pool->max)
					return true;
		}
	return false;
}

/**
 * struct effort - how an arena is asked for
 * @node:	where
 * @gfp:	for the order that has to be
 * @meta:	for what describes it
 * @least:	that order
 * @order:	what is asked for, which is less where an arena would be too small
 * @limit:	do not have more frames than so many afterwards
 * @large:	the largest order is worth work, too
 */
struct effort {
	int node;
	gfp_t gfp;
	gfp_t meta;
	unsigned int least;
	unsigned int order;
	u64 limit;
	bool large;
};

/**
 * quarry_grow_gfp() - flags to ask for an arena with that is larger than it has to be
 * @gfp:	for the order that has to be
 * @order:	of the arena
 * @large:	the largest order is worth work
 *
 * Context: any.
 */
gfp_t quarry_grow_gfp(gfp_t gfp, unsigned int order, bool large)
{
	/* The kernel's reserves are not for comfort. */
	gfp = (gfp & ~(__GFP_RETRY_MAYFAIL | __GFP_MEMALLOC)) | __GFP_NORETRY | __GFP_NOMEMALLOC;
	return large && order == QUARRY_KERNEL_ORDER ? gfp : gfp & ~__GFP_RECLAIM;
}

static bool grow_now(struct quarry_pool *pool, struct effort *e)
{
	u64 managed = atomic64_read(&pool->managed), room;
	unsigned int k;

	if (READ_ONCE(pool->dying) || managed >= e->limit)
		return false;
	if (pool->node != NUMA_NO_NODE) {
		e->node = pool->node;
		e->gfp |= __GFP_THISNODE;
	}
	room = e->limit - managed;
	/* Below the least order, only to fill a remainder that is smaller. */
	e->least = max(e->least, min_t(unsigned int, QUARRY_ARENA_MIN_ORDER, ilog2(room)));
	for (k = QUARRY_KERNEL_ORDER; k > e->least; k--) {
		gfp_t gfp = quarry_grow_gfp(e->gfp, k, e->large);

		if (1ULL << k <= room && grow_by(pool, e->node, gfp, e->meta, k, e->limit))
			return true;
	}
	if (1ULL << e->least > room)
		return false;
	if (grow_by(pool, e->node, e->gfp, e->meta, e->least, e->limit))
		return true;
	/* Where the kernel has its reserves left, and these in pieces, one will do. */
	if (!(e->gfp & __GFP_NOMEMALLOC) && e->order < e->least &&
	    grow_by(pool, e->node, e->gfp, e->meta, e->order, e->limit))
		return true;
	quarry_count(pool, QUARRY_COUNT_GROW_FAILURES);
	return false;
}

/**
 * quarry_pool_grow() - take one more arena from the kernel, for a caller
 * @pool:	the pool
 * @w:		what is wanted
 * @near:	of the node that is preferred, or not at all
 * @order:	the least that will do
 *
 * Context: sleeps; @w must allow it. Return: true if the pool has grown.
 */
bool quarry_pool_grow(struct quarry_pool *pool, const struct quarry_wish *w, bool near,
		      unsigned int order)
{
	struct effort e = {
		.node = w->node,
		.gfp = w->grow | (near ? __GFP_THISNODE : 0) |
		       (w->light ? 0 : __GFP_RETRY_MAYFAIL),
		.meta = w->meta & ~__GFP_NOFAIL,
		.least = order,
		.order = order,
		.limit = pool->max,
	};

	if (!grow_now(pool, &e))
		return false;
	end_of_wait(pool);
	return true;
}

/* One more arena for the pool's own sake, up to @limit frames. Context: sleeps. */
static bool grow_own(struct quarry_pool *pool, int node, u64 limit, gfp_t how)
{
	struct quarry_wish w;
	struct effort e;

	quarry_wish_own(pool, node, &w);
	e = (struct effort){
		.node = node,
		.gfp = w.grow | how,
		.meta = w.meta,
		.order = QUARRY_ARENA_MIN_ORDER,
		.limit = limit,
		.large = true,
	};
	return grow_now(pool, &e);
}

/* An arena for the floor (floor.c). Context: sleeps. Returns false if the kernel has none. */
bool quarry_pool_grow_floor(struct quarry_pool *pool)
{
	return grow_own(pool, NUMA_NO_NODE, READ_ONCE(pool->min), __GFP_RETRY_MAYFAIL);
}

/**
 * quarry_pool_wake() - wake the background if the pool is below its watermark
 * @pool:	the pool
 * @z:		the zone that memory was just taken from
 *
 * A zone that has as much as the mark asks of the whole pool answers at once; and while
 * the background is awake, or waits for memory, nobody asks further.
 *
 * Context: any, NMI and marked sections included.
 */
void quarry_pool_wake(struct quarry_pool *pool, const struct quarry_zone *z)
{
	if (READ_ONCE(z->buddy.nfree) >= pool->low || READ_ONCE(pool->woken) ||
	    READ_ONCE(pool->dying) || atomic64_read(&pool->managed) >= pool->max)
		return;
	if (quarry_pool_nfree(pool) >= pool->low || xchg(&pool->woken, true))
		return;
	irq_work_queue(&pool->grow_irq);
}

void quarry_grow_irq(struct irq_work *irq)
{
	struct quarry_pool *pool = container_of(irq, struct quarry_pool, grow_irq);

	/* Not ours: growing may reclaim, and reclaim may wait for our queue. */
	queue_delayed_work(quarry_any_cpu_wq, &pool->grow_work, 0);
}

/* The node that memory is to come from: where the least is free. False if none has any. */
static bool poorest_node(struct quarry_pool *pool, int *node)
{
	struct quarry_zone *z = NULL, *poorest = NULL;

	while ((z = quarry_zone_next(pool, z)))
		if (z->node != NUMA_NO_NODE && node_state(z->node, N_MEMORY) &&
		    (!poorest || z->buddy.nfree < poorest->buddy.nfree))
			poorest = z;
	if (poorest)
		*node = poorest->node;
	return poorest;
}

/* Does the mark ask for memory that the cap allows? */
static bool wants_more(struct quarry_pool *pool)
{
	return quarry_pool_nfree(pool) < pool->low &&
	       atomic64_read(&pool->managed) < pool->max;
}

/*
 * Grow until the low watermark is met, where the least is free; or sleep for twice as
 * long as the last time.
 */
void quarry_grow_work(struct work_struct *work)
{
	struct quarry_pool *pool = container_of(to_delayed_work(work), struct quarry_pool,
						grow_work);
	unsigned int failures;
	int node;

	while (wants_more(pool)) {
		if (poorest_node(pool, &node) &&
		    grow_own(pool, node, pool->max, __GFP_NORETRY)) {
			WRITE_ONCE(pool->failures, 0);
			quarry_count(pool, QUARRY_COUNT_GROWS_BACKGROUND);
			cond_resched();
			continue;
		}
		failures = min(READ_ONCE(pool->failures) + 1U, BACKOFF_MAX);
		WRITE_ONCE(pool->failures, failures);
		if (!READ_ONCE(pool->dying))
			queue_delayed_work(quarry_any_cpu_wq, &pool->grow_work,
					   (HZ / 20) << failures);
		return;
	}
	WRITE_ONCE(pool->failures, 0);
	/* Who takes from here on finds us asleep, who took before may have found us awake. */
	smp_store_mb(pool->woken, false);
	if (wants_more(pool) && !xchg(&pool->woken, true))
		queue_delayed_work(quarry_any_cpu_wq, &pool->grow_work, 0);
}
