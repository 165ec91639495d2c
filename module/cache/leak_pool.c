// SPDX-License-Identifier: GPL-2.0
/*
 * Abandoning: dead caches of a pool that is forgotten.
 *
 * A cache that was destroyed with objects out waits for these to be returned. When its pool is
 * forgotten (pages/forget.c) it waits no more: its pages are lost with the pool. What it
 * knows of its objects stays, for whoever looks for the leak.
 *
 *	slabs with nothing out	go to the pool, before that goes
 *	the others		lose their labels, so that a free of an object finds nothing, and
 *				is told as one of foreign memory
 *	who is under way	is waited for; what was returned meanwhile goes to the pool too
 *
 * From then on nothing of it changes. It stands in the list of caches as dead.
 *
 * Contexts: everything here sleeps.
 */
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "cache.h"
#include "labels.h"

/**
 * quarry_caches_dead() - how many caches in a pool are dead?
 * @pool:	the pool
 *
 * Return: that, or -EBUSY if others are in it.
 */
int quarry_caches_dead(struct quarry_pool *pool)
{
	struct quarry_cache *cache = NULL;
	int nr = 0;

	while ((cache = quarry_cache_look_next(cache))) {
		if (cache->pool != pool)
			continue;
		if (cache->kind != QUARRY_CACHE_DEAD) {
			quarry_cache_look_away(cache);
			return -EBUSY;
		}
		nr++;
	}
	return nr;
}

/* One of many. Under the lock. */
static void leak_disown(struct quarry_page_slab *s, void *data)
{
	unsigned int order = quarry_slab_shape(&s->slab)->order;

	quarry_label_frames(page_to_pfn(s->page), 1UL << order, 0, 0);
	/* It is known to be lost, and what its objects point to is not. */
	kmemleak_not_leak((void *)page_address(s->page));
}

/**
 * quarry_caches_leak() - see struct quarry_reclaim
 * @pool:	found by nobody; all caches in it are dead
 *
 * Slabs without an object out have gone to the pool before, and go once more afterwards.
 */
void quarry_caches_leak(struct quarry_pool *pool)
{
	struct quarry_cache *cache = NULL;
	struct quarry_cache_node *n;

	while ((cache = quarry_cache_look_next(cache)))
		for (n = NULL; cache->pool == pool && (n = quarry_cache_node_next(cache, n));)
			quarry_node_walk(n, false, leak_disown, NULL);
	/* Whoever has seen a label keeps preemption off until he has put the object back. */
	synchronize_rcu();
	quarry_slab_list_settle();
	while ((cache = quarry_cache_look_next(cache))) {
		if (cache->pool != pool)
			continue;
		for (n = NULL; (n = quarry_cache_node_next(cache, n));)
			quarry_node_settle(n);
		WRITE_ONCE(cache->leaked, true);
	}
	/* Of some all may have been returned. */
	quarry_reaper_wake();
}
