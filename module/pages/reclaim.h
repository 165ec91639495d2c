/* SPDX-License-Identifier: GPL-2.0 */
/* Questions to the layers above. See reclaim.c. */
#ifndef QUARRY_RECLAIM_H
#define QUARRY_RECLAIM_H

#include <linux/list.h>
#include <linux/types.h>

struct quarry_pool;

/**
 * struct quarry_reclaim - asks the layer above about pages that it has
 * @block:	for a block of @order, from an allocation: for a bounded time, and no more
 *		than it takes; with QUARRY_DRAIN_ALL for all that could be of use
 * @all:	of a pool (NULL: of all pools), by request; may wait for who may allocate
 * @guests:	have those who keep objects in a pool that is full give up some; what was freed is
 *		for @block to find. Returns how many
 * @strays:	references of pages are missing: to say whose they are
 * @dead:	how many caches in a pool were destroyed with objects out; -EBUSY: others are there
 * @large:	does a block that is marked as a slab hold one allocation, of malloc? Under the lock
 *		of its zone
 * @leak:	nobody gets anything back of these any more; what no object lies in comes now
 * @link:	in the list of them (reclaim.c)
 *
 * All but @large sleep. The first two return bytes given back; for @block some may be on their
 * way still, if it has waited in vain. It has looked everywhere if that is 0.
 */
struct quarry_reclaim {
	u64 (*block)(struct quarry_pool *pool, unsigned int order);
	u64 (*all)(struct quarry_pool *pool);
	u64 (*guests)(struct quarry_pool *pool);
	void (*strays)(struct quarry_pool *pool);
	int (*dead)(struct quarry_pool *pool);
	bool (*large)(unsigned long pfn);
	void (*leak)(struct quarry_pool *pool);
	struct list_head link;
};

void quarry_reclaim_add(struct quarry_reclaim *r);
void quarry_reclaim_remove(struct quarry_reclaim *r);
u64 quarry_pool_reclaim_block(struct quarry_pool *pool, unsigned int order);
u64 quarry_pool_reclaim_all(struct quarry_pool *pool);
u64 quarry_pool_reclaim_guests(struct quarry_pool *pool);
void quarry_pool_tell_strays(struct quarry_pool *pool);
int quarry_pool_dead_caches(struct quarry_pool *pool);
bool quarry_block_is_large(unsigned long pfn);
void quarry_pool_leak_caches(struct quarry_pool *pool);

#endif /* QUARRY_RECLAIM_H */
