// SPDX-License-Identifier: GPL-2.0
/*
 * Reaping: what caches do not need goes back to their pools.
 *
 * Three occasions, for all caches
 *	the reaper	a chore (pages/keeper.c) that comes by every two seconds while there
 *			is anything to do. It has magazines emptied that were not used since, and
 *			adapts the capacity of the others. Of a depot it takes the
 *			magazines that were never needed since, of a node the slabs
 *			that were empty all the time: the working set stays.
 *	pressure	the kernel's shrinker: depots and empty slabs of all caches
 *	on request	everything, the magazines of all CPUs included
 *
 * and a fourth for a pool that is out of memory: of its caches those that could give up a
 * slab (spare.c), with the magazines of all CPUs, a round at a time, until there is a block
 * as large as was asked for.
 *
 * A slab goes in three steps
 *	isolate		off the lists, and its labels away: nothing of it can get into a
 *			magazine any more (quarry_node_isolate())
 *	emptied		the magazines that might hold an object of it: those of each
 *			CPU that has any, by a visit that comes when nothing is under way
 *			there; then the depot, which is disabled meanwhile, so that no CPU
 *			gets back what another has left, or its first magazine
 *	let go		to the pool (quarry_page_slabs_discard())
 *
 *	A CPU that does not answer keeps what it has a magazine of, and no other cache's: those go
 *	without it. Who cannot do without waits for it, but comes again and again, so that others
 *	have their turn: nobody waits for a CPU with @parting for longer than a moment.
 *
 *	A slab that has all its objects is in no magazine, unless one was freed twice:
 *	the first one is in its slab again, the second is still in a magazine. It is found
 *	when the magazines are emptied. So what quarry hands out is never memory that it has
 *	given away. Magazines fill again at once; it costs a CPU some ten
 *	thousands of instructions each time that its cache gives up a slab.
 *
 * A CPU that goes off line loses its magazines to the slabs.
 *
 * Contexts: the reaper and requests sleep; pressure and a pool that is out of memory may come
 * from reclaim.
 */
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/wait.h>

#include "../base/inject.h"
#include "../pages/alloc.h"
#include "../pages/keeper.h"
#include "../pages/pool.h"
#include "../pages/visit.h"
#include "cache.h"

static void reap_work(struct kthread_work *work);

static struct quarry_chore reaper_chore = QUARRY_CHORE_INIT(reaper_chore, reap_work);

/*
 * One at a time takes slabs off: @disabled of depots is his. Who has it keeps the caches that are
 * on the list then, or that he finds in a pool's list of holders: see quarry_cache_leave().
 */
static DEFINE_MUTEX(parting);

/* Here waits for it who must not wait for ever. */
static DECLARE_WAIT_QUEUE_HEAD(parted);

/* Caches that have slabs after the first step. Under @parting. */
static LIST_HEAD(bereft);

static struct shrinker *shrinker;
static int hotplug = -1;

static void lock_parting(void)
{
	mutex_lock(&parting);
}

static void unlock_parting(void)
{
	mutex_unlock(&parting);
	if (wq_has_sleeper(&parted))
		wake_up(&parted);
}

/* There may be something to do. Context: any. */
void quarry_reaper_wake(void)
{
	quarry_chore_wake(&reaper_chore);
}

/*
 * Adapt to what was used since the last time, from outside: what a CPU counts at the same
 * time may be lost, and is no more than a hint. Returns whether a CPU has magazines.
 */
static bool reap_shrink_magazines(struct quarry_cache *cache)
{
	struct quarry_cpu_cache *m;
	bool more = false;
	int cpu;

	for_each_possible_cpu(cpu) {
		m = per_cpu_ptr(cache->cpu_cache, cpu);
		quarry_cpu_cache_shrink(cache, m);
		m->last_ops = READ_ONCE(m->allocs) + READ_ONCE(m->frees);
		more |= quarry_cpu_cache_has_any(m);
	}
	return more;
}

static void set_disabled(struct quarry_cache_node *n, bool disabled)
{
	unsigned long flags;

	quarry_node_lock(n, &flags, false);
	n->depot.disabled = disabled;
	quarry_node_unlock(n, flags);
}

/* The first step, for the empty slabs of a node, of which @keep may stay. */
static void isolate(struct quarry_cache_node *n, u64 keep)
{
	bool disabled = n->depot.disabled;

	if (READ_ONCE(n->plain.nr_empty) + READ_ONCE(n->guarded.nr_empty) <= keep)
		return;
	/* Before, so that no CPU has taken a magazine by the time it is visited. */
	set_disabled(n, true);
	if (!quarry_node_isolate(n, keep, &n->cache->gone))
		set_disabled(n, disabled);
	else if (list_empty(&n->cache->parting))
		list_add_tail(&n->cache->parting, &bereft);
}

/* Is it meant? @pool, @only: of this pool alone, and this cache, if not NULL. */
static bool is_meant(const struct quarry_cache *cache, const struct quarry_pool *pool,
		     const struct quarry_cache *only)
{
	return (!pool || cache->pool == pool) && (!only || cache == only);
}

/* The third step, for a cache whose magazines have been emptied. */
static u64 reap_discard(struct quarry_cache *cache)
{
	struct quarry_cache_node *n = NULL;
	LIST_HEAD(going);

	while ((n = quarry_cache_node_next(cache, n)))
		if (n->depot.disabled) {
			quarry_depot_drain(n, 0);
			set_disabled(n, false);
		}
	list_splice_init(&cache->gone, &going);
	return quarry_page_slabs_discard(&going);
}

/*
 * The second and the third step, for all slabs that are off the lists, of one pool or one
 * cache. Under @parting. A CPU that does not answer keeps those of caches it has magazines of
 * where they are, for the reaper to try again.
 */
static u64 reap_part(const struct quarry_pool *pool, const struct quarry_cache *only,
		     enum quarry_patience patience)
{
	struct quarry_cache *cache, *next;
	LIST_HEAD(meant);
	u64 bytes = 0;
	bool all;

	list_for_each_entry_safe(cache, next, &bereft, parting)
		if (is_meant(cache, pool, only))
			list_move_tail(&cache->parting, &meant);
	if (list_empty(&meant))
		return 0;
	all = quarry_cpu_cache_drain_disabled(&meant, patience);
	list_for_each_entry_safe(cache, next, &meant, parting)
		if (all || !quarry_cpu_cache_is_disabled(cache)) {
			list_del_init(&cache->parting);
			bytes += reap_discard(cache);
		}
	if (!list_empty(&meant)) {
		list_splice(&meant, &bereft);
		quarry_reaper_wake();
	}
	return bytes;
}

/* Does any wait for a CPU? Under @parting. */
static bool is_bereft(const struct quarry_pool *pool, const struct quarry_cache *only)
{
	struct quarry_cache *cache;

	list_for_each_entry(cache, &bereft, parting)
		if (is_meant(cache, pool, only))
			return true;
	return false;
}

/* Let others who take slabs off have their turn. */
static void pause_parting(void)
{
	unlock_parting();
	usleep_range(1000, 2000);
	lock_parting();
}

/* The same until every CPU has answered. Under @parting, which is let go of meanwhile. */
static u64 part_wholly(const struct quarry_pool *pool, const struct quarry_cache *only)
{
	u64 bytes = reap_part(pool, only, QUARRY_A_WHILE);

	while (is_bereft(pool, only)) {
		pause_parting();
		bytes += reap_part(pool, only, QUARRY_A_WHILE);
	}
	return bytes;
}

/* Find what was idle since the last time. Returns whether anything is left. */
static bool reap_trim(struct quarry_cache_node *n)
{
	unsigned long flags;
	u32 idle, full;
	u64 empty, low;

	quarry_node_lock(n, &flags, false);
	idle = n->depot.low_full;
	full = n->depot.nr_full;
	low = n->low_empty;
	empty = n->plain.nr_empty + n->guarded.nr_empty;
	quarry_node_unlock(n, flags);

	quarry_depot_drain(n, full - min(idle, full));
	if (low)
		isolate(n, empty - min(low, empty));

	quarry_node_lock(n, &flags, false);
	n->depot.low_full = n->depot.nr_full;
	n->low_empty = n->plain.nr_empty + n->guarded.nr_empty;
	empty = n->low_empty + n->depot.nr_full + n->depot.nr_spare;
	quarry_node_unlock(n, flags);
	return empty;
}

/*
 * Dead caches with nothing out, of which no slab waits for a CPU. Nobody but the reaper destroys
 * these, so one that is dead and listed stays until it does.
 */
static void destroy_all_deferred(void)
{
	struct quarry_cache *cache = NULL;

	while ((cache = quarry_cache_look_next(cache)))
		if (READ_ONCE(cache->kind) == QUARRY_CACHE_DEAD &&
		    quarry_cache_is_listed(cache) && list_empty(&cache->parting) &&
		    !quarry_cache_objects_out(cache))
			quarry_cache_destroy_deferred(cache);
}

/* Under @parting. Returns whether anything is left. */
static bool trim_listed(struct quarry_cache *cache)
{
	struct quarry_cache_node *n = NULL;
	bool more = cache->kind == QUARRY_CACHE_DEAD && !READ_ONCE(cache->leaked);

	if (!quarry_cache_is_listed(cache))
		return false;
	while ((n = quarry_cache_node_next(cache, n)))
		more |= reap_trim(n);
	return more;
}

/*
 * For no longer than a round takes depots are disabled, which sends every call to the slabs, and
 * others wait. @until: when a CPU that does not answer has held up enough of them; we come by
 * again. Returns whether anything is left.
 */
static bool trim_round(struct quarry_cache_round *round, u64 until)
{
	bool more = false;
	unsigned int i;

	lock_parting();
	for (i = 0; i < round->nr; i++)
		more |= trim_listed(round->cache[i]);
	reap_part(NULL, NULL, QUARRY_A_WHILE);
	while (is_bereft(NULL, NULL) && ktime_get_mono_fast_ns() < until) {
		pause_parting();
		reap_part(NULL, NULL, QUARRY_A_WHILE);
	}
	unlock_parting();
	return more;
}

static void reap_work(struct kthread_work *work)
{
	struct quarry_cache_round round = {};
	u64 until = quarry_visits_until();
	bool more = false;
	unsigned int i;

	quarry_chore_at_work(&reaper_chore);
	destroy_all_deferred();
	while (quarry_caches_look_round(&round, NULL)) {
		quarry_cpu_cache_drain_idle(round.cache, round.nr);
		for (i = 0; i < round.nr; i++)
			more |= reap_shrink_magazines(round.cache[i]);
		more |= trim_round(&round, until);
		quarry_keeper_rest();
	}
	if (more)
		quarry_reaper_wake();
}

/* The first step, for all that a cache can do without. Under @parting. */
static void isolate_all(struct quarry_cache *cache)
{
	struct quarry_cache_node *n = NULL;

	while ((n = quarry_cache_node_next(cache, n)))
		if (quarry_node_has_spare(n)) {
			quarry_guard_release(n);
			quarry_depot_drain(n, 0);
			isolate(n, 0);
		}
}

/**
 * quarry_cache_reap() - take from a cache what it can do without
 * @cache:	the cache
 * @wholly:	the magazines of all CPUs too
 *
 * Context: sleeps. Return: bytes given back to its pool.
 */
u64 quarry_cache_reap(struct quarry_cache *cache, bool wholly)
{
	u64 bytes;

	if (wholly)
		quarry_cpu_cache_drain_cpus(&cache, 1, QUARRY_FOREVER);
	lock_parting();
	isolate_all(cache);
	bytes = part_wholly(NULL, cache);
	unlock_parting();
	/* Where slabs go after a grace period, wait for it: the pages are wanted. */
	if (wholly && bytes && cache->flags & SLAB_TYPESAFE_BY_RCU)
		rcu_barrier();
	return bytes;
}

/* Let go of slabs that a CPU which did not answer has kept, when every CPU has. */
static void reap_settle(void)
{
	lock_parting();
	part_wholly(NULL, NULL);
	unlock_parting();
}

/**
 * quarry_cache_leave() - nobody takes slabs of a cache any more
 * @cache:	it is off the list of caches
 *
 * Until then a pool that is out of memory finds it. Context: sleeps, until every CPU has
 * answered that may have what slabs of it have lost.
 */
void quarry_cache_leave(struct quarry_cache *cache)
{
	lock_parting();
	quarry_cache_clear_holding(cache);
	part_wholly(NULL, cache);
	unlock_parting();
}

/* The same for who can do without, for a moment. Returns whether it has left. */
bool quarry_cache_try_leave(struct quarry_cache *cache)
{
	bool left;

	lock_parting();
	quarry_cache_clear_holding(cache);
	reap_part(NULL, cache, QUARRY_A_WHILE);
	left = list_empty(&cache->parting);
	unlock_parting();
	return left;
}

/* See struct quarry_reclaim: by request, so it waits for whatever it takes. */
static u64 reclaim_all(struct quarry_pool *pool)
{
	struct quarry_cache_round round = {};
	bool typesafe = false;
	u64 bytes = 0;
	unsigned int i;

	while (quarry_caches_look_round(&round, pool)) {
		quarry_cpu_cache_drain_cpus(round.cache, round.nr, QUARRY_FOREVER);
		lock_parting();
		for (i = 0; i < round.nr; i++) {
			if (!quarry_cache_is_listed(round.cache[i]))
				continue;
			if (round.cache[i]->flags & SLAB_TYPESAFE_BY_RCU)
				typesafe = true;
			isolate_all(round.cache[i]);
		}
		bytes += part_wholly(pool, NULL);
		unlock_parting();
	}
	if (bytes && typesafe)
		rcu_barrier();
	return bytes;
}

/*
 * The next caches of a pool that could give up a slab, after @at, which is NULL when all
 * have been asked. Under @parting.
 */
static void reap_gather(struct quarry_pool *pool, struct quarry_cache **at, struct list_head *batch)
{
	unsigned int nr = 0, looks = 0;

	while (nr < QUARRY_ROUND && (*at = quarry_cache_next_holder(pool, *at))) {
		if (!(++looks % QUARRY_ROUND))
			cond_resched();
		/* One that waits for a CPU already has done what it can. */
		if (list_empty(&(*at)->parting) && quarry_cache_is_reclaimable(*at)) {
			list_add_tail(&(*at)->parting, batch);
			nr++;
		}
	}
}

/*
 * All that the caches of @batch can do without, to their pool. Under @parting. *@all: false if a
 * CPU was given up.
 */
static u64 reap_give(struct quarry_pool *pool, struct list_head *batch,
		     enum quarry_patience patience, bool *all)
{
	struct quarry_cache *cache, *next;

	*all &= quarry_cpu_cache_drain_parting(batch, patience);
	list_for_each_entry_safe(cache, next, batch, parting) {
		list_del_init(&cache->parting);
		isolate_all(cache);
	}
	return reap_part(pool, NULL, patience);
}

/*
 * Ask all caches of a pool, until there is a block as large as was asked for; each once, for one
 * may still have what a CPU does not give up. Under @parting. *@bytes: what has come is added.
 * Returns false if a CPU was given up.
 */
static bool reap_ask_all(struct quarry_pool *pool, unsigned int order, u64 *bytes)
{
	/* A CPU that does not answer holds up nothing after the first time. */
	enum quarry_patience patience = QUARRY_A_WHILE;
	struct quarry_cache *at = NULL;
	LIST_HEAD(batch);
	bool all = true;

	/* What others have begun. */
	*bytes += reap_part(pool, NULL, patience);
	while (!*bytes || !quarry_pool_has_block(pool, order)) {
		if (!all || is_bereft(pool, NULL))
			patience = QUARRY_BRIEF;
		reap_gather(pool, &at, &batch);
		if (!list_empty(&batch))
			*bytes += reap_give(pool, &batch, patience, &all);
		if (!at)
			break;
	}
	return all && !is_bereft(pool, NULL);
}

/*
 * For who may be asked for memory by anybody: under locks of the kernel's, with a cache just
 * being made, in reclaim. Nobody allocates under @parting, so it may be waited for; but its
 * holder may wait for a CPU that does not answer.
 */
static bool try_lock_parting(void)
{
	return mutex_trylock(&parting) ||
	       wait_event_timeout(parted, mutex_trylock(&parting), HZ);
}

/*
 * Pages of typesafe slabs come to the pool after a grace period: wait for those that are on
 * their way, whoever sent them, unless a block as large comes from elsewhere meanwhile.
 * Returns pages that have come, or fewer.
 */
static u64 await_arrivals(struct quarry_pool *pool, unsigned int order, unsigned long until)
{
	int left = atomic_read(&pool->slabs_left), had = atomic_read(&pool->slabs_came);

	while (atomic_read(&pool->slabs_came) - left < 0 && time_before(jiffies, until) &&
	       !quarry_pool_has_block(pool, order))
		quarry_wait_for_free(pool);
	return atomic_read(&pool->slabs_came) - had;
}

/* See struct quarry_reclaim: from an allocation, that fails otherwise. */
static u64 reclaim_block(struct quarry_pool *pool, unsigned int order)
{
	u64 bytes = 0, came, end = quarry_visits_until();
	unsigned long until = jiffies + HZ;

	if (!try_lock_parting())
		return 0;
	while (!reap_ask_all(pool, order, &bytes) &&
	       (!bytes || !quarry_pool_has_block(pool, order)) && ktime_get_mono_fast_ns() < end)
		pause_parting();
	unlock_parting();
	came = await_arrivals(pool, order, until);
	return bytes ?: came;
}

static u64 node_spare(struct quarry_cache_node *n)
{
	return READ_ONCE(n->plain.empty_pages) + READ_ONCE(n->guarded.empty_pages);
}

static unsigned long reap_count(struct shrinker *s, struct shrink_control *sc)
{
	struct quarry_cache *cache = NULL;
	unsigned long pages = 0;

	while ((cache = quarry_cache_look_next(cache)))
		if (sc->nid < cache->nr_nodes && cache->nodes[sc->nid])
			pages += node_spare(cache->nodes[sc->nid]) +
				 (READ_ONCE(cache->nodes[sc->nid]->depot.nr_objects) *
				  cache->shape[0].stride >> PAGE_SHIFT);
	return pages ?: SHRINK_EMPTY;
}

/*
 * To the pools, and of what these have then whole arenas to the kernel, which is what counts: 0
 * if slabs went and no arena is empty for it. A cache that is found on the list under @parting
 * has not left: see quarry_cache_leave().
 */
static unsigned long reap_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct quarry_cache *cache = NULL;
	unsigned long pages = 0, given;

	if (!mutex_trylock(&parting))
		return SHRINK_STOP;
	while (pages < sc->nr_to_scan && (cache = quarry_cache_look_next(cache)))
		if (sc->nid < cache->nr_nodes && cache->nodes[sc->nid]) {
			quarry_depot_drain(cache->nodes[sc->nid], 0);
			pages += node_spare(cache->nodes[sc->nid]);
			isolate(cache->nodes[sc->nid], 0);
		}
	quarry_cache_look_away(cache);
	pages = reap_part(NULL, NULL, QUARRY_BRIEF) >> PAGE_SHIFT;
	unlock_parting();
	if (!pages)
		return SHRINK_STOP;
	given = quarry_pools_yield(sc->nid, pages);
	sc->nr_scanned = max(pages, sc->nr_to_scan);
	return given;
}

static int reap_cpu_dead(unsigned int cpu)
{
	struct quarry_cache_round round = {};

	/* As in pages/hotplug.c. */
	quarry_visits_stopped(cpu);
	while (quarry_caches_look_round(&round, NULL))
		quarry_cpu_cache_drain_cpu(round.cache, round.nr, cpu);
	return 0;
}

static struct quarry_reclaim reclaim = {
	.block = reclaim_block,
	.all = reclaim_all,
	.guests = quarry_guests_shrink,
	.strays = quarry_strays_find_in,
	.dead = quarry_caches_dead,
	.large = quarry_tag_is_large,
	.leak = quarry_caches_leak,
};

int __init quarry_reaper_init(void)
{
	shrinker = quarry_inject() ? NULL :
		   quarry_shrinker_register(reap_count, reap_scan);
	if (!shrinker)
		return -ENOMEM;
	hotplug = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "mm/quarry-caches:dead", NULL,
					    reap_cpu_dead);
	if (hotplug < 0) {
		quarry_shrinker_unregister(shrinker);
		return hotplug;
	}
	quarry_reclaim_add(&reclaim);
	quarry_chore_begin(&reaper_chore);
	return 0;
}

/* No cache is left, or none will be used again. */
void quarry_reaper_exit(void)
{
	quarry_chore_end(&reaper_chore);
	reap_settle();
	quarry_reclaim_remove(&reclaim);
	quarry_guests_exit();
	cpuhp_remove_state_nocalls(hotplug);
	quarry_shrinker_unregister(shrinker);
}
