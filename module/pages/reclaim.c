// SPDX-License-Identifier: GPL-2.0
/*
 * Questions to the layers above, about pages that they have.
 *
 * Model
 *	Whoever keeps pages of pools for others (caches do, and whatever else comes to) leaves
 *	a struct quarry_reclaim in a list here. A question goes to all of them, in the order in
 *	which they came, and what they give up is added:
 *
 *	  alloc.c, shrink.c, ... --quarry_pool_reclaim_block()--> [caches] -> [...]
 *
 *	A pool does not know who they are, and need not: nothing here calls a layer above by
 *	its name.
 *
 * Exclusion: entries come and go under a mutex. Those that sleep are asked under SRCU, for one
 * may allocate and so ask again; what is asked under a zone's lock, under RCU. Whoever goes
 * waits for both.
 *
 * Contexts: as each says. Cost: a step for each entry, of which there are a few, and only
 * where memory is short or somebody has asked for it.
 */
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/srcu.h>

#include "reclaim.h"

static DEFINE_MUTEX(askers_mutex);
DEFINE_STATIC_SRCU(asking);
static LIST_HEAD(reclaims);

#define for_each_reclaim(r)						\
	list_for_each_entry_srcu(r, &reclaims, link, srcu_read_lock_held(&asking))

/**
 * quarry_reclaim_add() - ask a layer above from here on
 * @r:	its answers, all of them; kept by the caller
 *
 * Context: sleeps.
 */
void quarry_reclaim_add(struct quarry_reclaim *r)
{
	mutex_lock(&askers_mutex);
	list_add_tail_rcu(&r->link, &reclaims);
	mutex_unlock(&askers_mutex);
}

/**
 * quarry_reclaim_remove() - ask no more
 * @r:	what was added; nobody is at it when this returns
 *
 * Context: sleeps; not from an answer.
 */
void quarry_reclaim_remove(struct quarry_reclaim *r)
{
	mutex_lock(&askers_mutex);
	list_del_rcu(&r->link);
	mutex_unlock(&askers_mutex);
	synchronize_srcu(&asking);
	synchronize_rcu();
}

/* See struct quarry_reclaim. */
u64 quarry_pool_reclaim_block(struct quarry_pool *pool, unsigned int order)
{
	struct quarry_reclaim *r;
	u64 bytes = 0;
	int idx;

	idx = srcu_read_lock(&asking);
	for_each_reclaim(r)
		bytes += r->block(pool, order);
	srcu_read_unlock(&asking, idx);
	return bytes;
}

u64 quarry_pool_reclaim_all(struct quarry_pool *pool)
{
	struct quarry_reclaim *r;
	u64 bytes = 0;
	int idx;

	idx = srcu_read_lock(&asking);
	for_each_reclaim(r)
		bytes += r->all(pool);
	srcu_read_unlock(&asking, idx);
	return bytes;
}

u64 quarry_pool_reclaim_guests(struct quarry_pool *pool)
{
	struct quarry_reclaim *r;
	u64 freed = 0;
	int idx;

	idx = srcu_read_lock(&asking);
	for_each_reclaim(r)
		freed += r->guests(pool);
	srcu_read_unlock(&asking, idx);
	return freed;
}

void quarry_pool_tell_strays(struct quarry_pool *pool)
{
	struct quarry_reclaim *r;
	int idx;

	idx = srcu_read_lock(&asking);
	for_each_reclaim(r)
		r->strays(pool);
	srcu_read_unlock(&asking, idx);
}

int quarry_pool_dead_caches(struct quarry_pool *pool)
{
	struct quarry_reclaim *r;
	int dead = 0, idx, nr;

	idx = srcu_read_lock(&asking);
	for_each_reclaim(r) {
		nr = r->dead(pool);
		/* Whoever says that others are there is right, whatever the rest know. */
		dead = nr < 0 || dead < 0 ? min(nr, dead) : dead + nr;
	}
	srcu_read_unlock(&asking, idx);
	return dead;
}

bool quarry_block_is_large(unsigned long pfn)
{
	struct quarry_reclaim *r;
	bool large = false;

	rcu_read_lock();
	list_for_each_entry_rcu(r, &reclaims, link)
		large |= r->large(pfn);
	rcu_read_unlock();
	return large;
}

void quarry_pool_leak_caches(struct quarry_pool *pool)
{
	struct quarry_reclaim *r;
	int idx;

	idx = srcu_read_lock(&asking);
	for_each_reclaim(r)
		r->leak(pool);
	srcu_read_unlock(&asking, idx);
}
