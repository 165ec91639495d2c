// SPDX-License-Identifier: GPL-2.0
/*
 * A zone's lock, from any context, and the frees that could not wait for it.
 *
 * In NMI the lock can only be tried. An allocation then gives up; a free must
 * not, so the block is marked DEFERRED and pushed on a lock-less list through
 * its struct page, which is ours from that moment. Whoever takes the lock next
 * puts the deferred blocks into the buddy, up to BITE of them, so that nobody waits for
 * long; the next one goes on.
 *
 * Whoever lets go of the lock after an arena has become empty, or is not any more, has the
 * kernel told (available.c).
 */
#include <linux/mm.h>

#include "../arena/directory.h"
#include "pcp.h"

/* Most deferred blocks that are put back under one hold of the lock. */
#define BITE	128U

static void zone_take_deferred(struct quarry_zone *z)
{
	struct llist_node *node;
	struct quarry_page_arena *c;
	struct quarry_frame f;
	unsigned int nr, order;
	struct page *page;

	for (nr = 0; nr < BITE; nr++) {
		if (!z->coming)
			WRITE_ONCE(z->coming, llist_del_all(&z->deferred));
		node = z->coming;
		if (!node)
			break;
		page = container_of((struct list_head *)node, struct page, lru);
		c = quarry_directory_find(page);
		f.i = c->arena.lo + quarry_page_arena_index(c, page);
		order = c->arena.state[f.i] & QUARRY_STATE_ORDER;
		WRITE_ONCE(z->coming, node->next);
		quarry_buddy_free(&z->buddy, &c->arena, f, order, false);
		atomic_long_sub(1L << order, &z->nr_deferred);
	}
}

/* What is done before anything else, at the beginning of a hold. */
static noinline void zone_see_to(struct quarry_zone *z)
{
	zone_take_deferred(z);
	/* What was freed in the last hold, or just now. */
	if (z->seeks)
		quarry_zone_keep_poisoned(z);
	z->todo = z->coming || z->seeks;
}

/**
 * quarry_zone_lock() - take a zone's lock
 * @z:		the zone
 * @flags:	for quarry_zone_unlock()
 *
 * Context: any. Return: false in NMI if somebody holds the lock; else true.
 */
bool quarry_zone_lock(struct quarry_zone *z, unsigned long *flags)
{
	if (unlikely(in_nmi())) {
		if (!raw_spin_trylock_irqsave(&z->lock, *flags))
			return false;
	} else {
		raw_spin_lock_irqsave(&z->lock, *flags);
	}
	if (unlikely(z->todo || !llist_empty(&z->deferred)))
		zone_see_to(z);
	/* Sparse cannot follow a lock that is taken on a condition. */
	__release(&z->lock);
	return true;
}

void quarry_zone_unlock(struct quarry_zone *z, unsigned long flags)
{
	__acquire(&z->lock);
	if (unlikely(z->nr_spare != z->buddy.nr_spare) && !in_nmi()) {
		WRITE_ONCE(z->nr_spare, z->buddy.nr_spare);
		quarry_pool_tell_available(z->pool);
	}
	raw_spin_unlock_irqrestore(&z->lock, flags);
}

/* Have put back all that was deferred before. Context: any but NMI. */
void quarry_zone_settle(struct quarry_zone *z)
{
	unsigned long flags;

	while (quarry_zone_has_deferred(z)) {
		quarry_zone_lock(z, &flags);
		quarry_zone_unlock(z, flags);
	}
}

/**
 * quarry_zone_defer() - free a block without the lock
 * @z:		its zone
 * @page:	its first page
 * @state:	its state byte
 * @was:	what that is
 *
 * Context: any, meant for NMI. Return: false if it is no such block any more.
 */
bool quarry_zone_defer(struct quarry_zone *z, struct page *page, u8 *state, u8 was)
{
	unsigned int order = quarry_state_order(was);

	if (!try_cmpxchg(state, &was, QUARRY_STATE_DEFERRED | order))
		return false;
	quarry_shadow_pages_free(page, 1UL << order);
	atomic_long_add(1L << order, &z->nr_deferred);
	llist_add((struct llist_node *)&page->lru, &z->deferred);
	return true;
}

/**
 * quarry_pool_nfree() - free frames with struct pages
 * @pool:	the pool
 *
 * Context: any; a moment old without the zones' locks.
 */
u64 quarry_pool_nfree(struct quarry_pool *pool)
{
	struct quarry_zone *z = NULL;
	u64 nfree = 0;

	while ((z = quarry_zone_next(pool, z)))
		if (z->node != NUMA_NO_NODE)
			nfree += READ_ONCE(z->buddy.nfree);
	return nfree;
}

/* Would a claim of @nr frames touch the pool's reserve? Under the zone's lock. */
bool quarry_zone_is_low(const struct quarry_zone *z, unsigned int nr)
{
	return z->pool->reserve && z->node != NUMA_NO_NODE &&
	       quarry_pool_nfree(z->pool) < nr + z->pool->reserve;
}

/* May a caller have @nr of the zone's free frames, of which @keep must stay in the pool? */
bool quarry_zone_may_take(const struct quarry_zone *z, unsigned int nr, u64 keep)
{
	if (z->buddy.nfree < nr)
		return false;
	return !keep || z->node == NUMA_NO_NODE ||
	       quarry_pool_nfree(z->pool) >= nr + keep;
}
