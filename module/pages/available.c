// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel may have back counts as available.
 *
 * Whoever reads MemAvailable to learn how much a program can have would take empty arenas
 * for memory in use. The kernel has a counter for pages that it can reclaim and that are
 * neither page cache nor slab, NR_KERNEL_MISC_RECLAIMABLE, a node. Of a pool it has
 *
 *	empty arenas of the kernel's, but no more than is held above the floor, and without
 *	what the low watermark keeps of them
 *
 * which is what the shrinker would give (shrink.c), or less: where frames in arenas that are
 * in use meet the watermark as well. So it changes with arenas, not with pages.
 *
 *	arena empties, is used, comes, goes	at the end of that hold of the zone's lock
 *	   `-- telling++			the first one tells for all nodes of the pool, again
 *						until nobody has come meanwhile; others go on
 *
 * He who tells has interrupts off, so nobody comes between for long; and a figure that is
 * told is of a moment when no other was under way. In NMI nothing is told: the next one who
 * lets go of that lock does it.
 *
 * Contexts: any but NMI. Cost: a step a node, a change of an arena.
 */
#include <linux/mm.h>
#include <linux/vmstat.h>

#include "pool.h"

/* Frames that are to stay free for the low watermark: see shrink.c. */
u64 quarry_pool_low_keeps(const struct quarry_pool *pool)
{
	return pool->low + min_t(u64, pool->low, 1U << QUARRY_KERNEL_ORDER);
}

/* What may go of @spare frames in empty arenas. */
static u64 available_may_go(struct quarry_pool *pool, u64 spare)
{
	u64 keep = quarry_pool_low_keeps(pool), held = atomic64_read(&pool->held);

	if (spare <= keep || held <= pool->min)
		return 0;
	return min(spare - keep, held - pool->min);
}

/* Each node has its turn twice, with interrupts off: all but the last zone, that of devices. */
static void available_tell(struct quarry_pool *pool)
{
	struct quarry_zone *z;
	u64 left = 0, part;
	unsigned int node;

	for (node = 0; node + 1 < pool->nr_zones; node++) {
		z = pool->zone[node];
		if (z)
			left += READ_ONCE(z->nr_spare);
	}
	left = available_may_go(pool, left);
	for (node = 0; node + 1 < pool->nr_zones; node++) {
		z = pool->zone[node];
		if (!z)
			continue;
		part = min(left, READ_ONCE(z->nr_spare));
		left -= part;
		if (part != z->told)
			__mod_node_page_state(NODE_DATA(node), NR_KERNEL_MISC_RECLAIMABLE,
					      (long)part - (long)z->told);
		z->told = part;
	}
}

/**
 * quarry_pool_tell_available() - empty arenas of a pool have become more or fewer
 * @pool:	the pool
 *
 * Context: any but NMI, with interrupts off.
 */
void quarry_pool_tell_available(struct quarry_pool *pool)
{
	int nr = 1;

	/* Ordered: what we have written is seen by who tells, and what he told by the next. */
	if (atomic_inc_return(&pool->telling) != 1)
		return;
	do {
		available_tell(pool);
	} while (!atomic_try_cmpxchg(&pool->telling, &nr, 0));
}
