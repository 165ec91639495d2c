// SPDX-License-Identifier: GPL-2.0
/*
 * The magazines of a cache: how large, how many, and how they are emptied.
 *
 * A large magazine spares a busy CPU the node's lock, and keeps memory from all others if the
 * CPU is not busy. And magazines have no lock, so only their own CPU can empty them.
 *
 * Size
 *	A new cache has magazines of 28 objects (fewer of large ones). Each time a CPU
 *	has had to go to the node's lock EVENTS times since the reaper last came by,
 *	the capacity of its magazines to come is doubled, up to 508; the reaper (reap.c)
 *	halves it where a CPU hardly came. So the size follows the rate of
 *	misses, CPU by CPU.
 *
 * Budget
 *	What magazines can hold, over all caches, is bounded: the capacity of each times
 *	the bytes of an object counts against one sum, a 32nd of the machine's memory
 *	(parameter magazine_mb). When it is used up, no magazine is made, and objects
 *	go back to their slabs instead.
 *
 * Making
 *	A CPU that misses a magazine says so and does without. The next slow call
 *	from a context that may allocate brings one. Nothing is ever allocated while
 *	magazines are marked busy.
 *
 * Emptying
 *	Objects go back in order of address, so that a slab is filled in one go.
 *
 * Contexts: any but NMI, unless a function says otherwise.
 */
#include <linux/mm.h>

#include "../base/inject.h"
#include "cache.h"

/* Misses between two visits of the reaper that double a capacity. */
#define EVENTS		32U

/* Largest magazine: a page. */
#define CAP_MAX		((4096 - sizeof(struct quarry_magazine)) / sizeof(void *))

/* Share of the machine's memory that magazines may hold without a parameter. */
#define BUDGET_SHIFT	5

atomic64_t quarry_magazine_budget_used;

static u64 budget;

/* Set at load, before there is a cache; 0: a 32nd of the machine's memory. */
void quarry_magazine_set_budget(u64 bytes)
{
	budget = bytes ?: (u64)totalram_pages() << (PAGE_SHIFT - BUDGET_SHIFT);
}

/* Bytes that all magazines together may hold. Context: any. */
u64 quarry_magazine_budget(void)
{
	return budget;
}

/* The next larger or smaller capacity: what doubles or halves the memory. */
static u32 magazines_larger(u32 cap)
{
	return 2 * cap + sizeof(struct quarry_magazine) / sizeof(void *);
}

static u32 smaller(u32 cap)
{
	return (cap - sizeof(struct quarry_magazine) / sizeof(void *)) / 2;
}

/**
 * quarry_magazines_limit() - set the capacities that a cache's magazines may have
 * @cache:	its shape is known
 *
 * What one CPU's two magazines can hold is kept below a sixteenth of its share of the
 * budget, and at 256 KiB in a new cache. Context: any.
 */
void quarry_magazines_limit(struct quarry_cache *cache)
{
	u64 most = div_u64(quarry_magazine_budget(), 32 * num_possible_cpus());
	u32 cap, stride = cache->shape[0].stride;

	cap = (64 - sizeof(struct quarry_magazine)) / sizeof(void *);
	cache->cap_min = 0;
	cache->cap_max = 0;
	for (; cap <= CAP_MAX && (u64)cap * stride <= max_t(u64, most, SZ_64K);
	     cap = magazines_larger(cap)) {
		if (cap * stride <= SZ_128K && cap <= 28)
			cache->cap_min = cap;
		if (cache->cap_min)
			cache->cap_max = cap;
	}
}

/**
 * quarry_magazine_make() - a new, empty magazine
 * @cache:	whose
 * @cap:	objects that it can hold
 * @gfp:	what may be done for it
 * @node:	where it should be
 *
 * Context: as @gfp says. Return: the magazine, or NULL if there is no memory for it or
 * no budget.
 */
struct quarry_magazine *quarry_magazine_make(struct quarry_cache *cache, u32 cap, gfp_t gfp,
					     int node)
{
	u64 holds = (u64)cap * cache->shape[0].stride;
	struct quarry_magazine *mag;

	if (atomic64_add_return(holds, &quarry_magazine_budget_used) > quarry_magazine_budget())
		goto over;
	mag = quarry_inject() ? NULL : kmalloc_node(struct_size(mag, slot, cap), gfp, node);
	if (!mag)
		goto over;
	quarry_magazine_init(mag, cap);
	/* Who finds it in another CPU's place goes through the pointer, and must find it empty. */
	smp_wmb();
	atomic_inc(&cache->magazines);
	atomic64_add(struct_size(mag, slot, cap), &cache->magazine_bytes);
	return mag;
over:
	atomic64_sub(holds, &quarry_magazine_budget_used);
	return NULL;
}

/* Free an empty magazine that is in no depot. */
void quarry_magazine_free(struct quarry_cache *cache, struct quarry_magazine *mag)
{
	atomic64_sub((u64)mag->cap * cache->shape[0].stride, &quarry_magazine_budget_used);
	atomic64_sub(struct_size(mag, slot, mag->cap), &cache->magazine_bytes);
	atomic_dec(&cache->magazines);
	kfree_rcu(mag, rcu);
}

/*
 * Into the place of this CPU's smaller magazine, with what that holds. Returns the one
 * that is left over, empty: the old one, or @mag if both are as large.
 */
static struct quarry_magazine *install(struct quarry_cache *cache, struct quarry_magazine *mag)
{
	struct quarry_cpu_cache *m;

	preempt_disable();
	m = this_cpu_ptr(cache->cpu_cache);
	if (quarry_cpu_cache_enter(m)) {
		mag = quarry_cpu_cache_install(m, mag);
		/* Whoever disables them looks for magazines then, and we for that (modes.c). */
		smp_mb();
		/* The other one is to be as large. */
		if (m->previous && m->previous->cap < m->cap)
			m->wants |= QUARRY_WANTS_MAGAZINE;
		quarry_cpu_cache_leave(m);
	}
	preempt_enable();
	return mag;
}

/* What this CPU's slow calls count in; until it is there, the cache counts for it. */
static void bring_cold(struct quarry_cache *cache, struct quarry_cpu_cache *m, int node)
{
	struct quarry_cpu_cache_cold *cold;

	cold = quarry_inject() ? NULL :
	       kzalloc_node(sizeof(*cold), GFP_NOWAIT | __GFP_NOWARN, node);
	if (!cold)
		return;
	/* An interrupt may have brought one, or another CPU, if we have moved. */
	if (cmpxchg(&m->cold, NULL, cold))
		kfree(cold);
	else
		atomic_inc(&cache->nr_cold);
}

/* The same for this CPU's magazine of objects of other nodes. @n: set to their node, if one. */
static struct quarry_magazine *install_remote(struct quarry_cache *cache,
					      struct quarry_magazine *mag,
					      struct quarry_cache_node **n)
{
	struct quarry_cpu_cache *m;

	preempt_disable();
	m = this_cpu_ptr(cache->cpu_cache);
	if (m->cold && quarry_cpu_cache_try_busy(m)) {
		if (m->cold->remote.tag)
			*n = quarry_tag_get_node(m->cold->remote.tag);
		mag = quarry_remote_install(&m->cold->remote, mag);
		/* As in install(). */
		smp_mb();
		quarry_cpu_cache_clear_busy(m);
	}
	preempt_enable();
	return mag;
}

/*
 * A magazine that was left over, or NULL, to a depot that missed one, unless it is smaller
 * than @cap; and one that is goes in its place.
 */
static void leave_over(struct quarry_cache_node *n, struct quarry_magazine *mag, u32 cap)
{
	struct quarry_magazine *small;
	unsigned long flags;

	if (mag && mag->cap < cap) {
		quarry_magazine_free(n->cache, mag);
		mag = NULL;
	}
	quarry_node_lock(n, &flags, false);
	if (mag)
		quarry_depot_put(&n->depot, mag);
	small = quarry_depot_get_small(&n->depot, cap);
	quarry_node_unlock(n, flags);
	if (small)
		quarry_magazine_free(n->cache, small);
}

/**
 * quarry_magazine_refill_slow() - bring this CPU the magazines that it missed
 * @cache:	the cache
 *
 * Context: any; does nothing where kmalloc() is not allowed.
 */
void quarry_magazine_refill_slow(struct quarry_cache *cache)
{
	struct quarry_cpu_cache *m = raw_cpu_ptr(cache->cpu_cache);
	struct quarry_cache_node *n = quarry_cache_local_node(cache);
	struct quarry_magazine *mag;
	u32 cap, wants, one;

	if (!quarry_may_kmalloc())
		return;
	if (!READ_ONCE(m->cold))
		bring_cold(cache, m, n->node);
	cap = READ_ONCE(m->cap);
	wants = cap ? READ_ONCE(m->wants) : 0;
	WRITE_ONCE(m->wants, 0);
	for (; wants; wants &= ~one) {
		one = wants & -wants;
		mag = quarry_magazine_make(cache, cap, GFP_NOWAIT | __GFP_NOWARN, n->node);
		if (!mag)
			return;
		mag = one == QUARRY_WANTS_REMOTE ? install_remote(cache, mag, &n) :
						   install(cache, mag);
		quarry_reaper_wake();
		leave_over(n, mag, cap);
	}
}

/**
 * quarry_cpu_cache_event() - a CPU had to go to its node
 * @cache:	the cache
 * @m:		entered
 *
 * Context: any.
 */
void quarry_cpu_cache_event(struct quarry_cache *cache, struct quarry_cpu_cache *m)
{
	if (++m->seen < EVENTS || m->cap >= cache->cap_max)
		return;
	m->seen = 0;
	m->cap = magazines_larger(m->cap);
	m->wants |= QUARRY_WANTS_MAGAZINE;
}

/**
 * quarry_cpu_cache_shrink() - the reaper has come by: was there any hurry since?
 * @cache:	the cache
 * @m:		of any CPU, from outside: what that counts at the same time may be lost
 *
 * Context: any.
 */
void quarry_cpu_cache_shrink(struct quarry_cache *cache, struct quarry_cpu_cache *m)
{
	if (m->seen < EVENTS / 8 && m->cap > cache->cap_min)
		m->cap = smaller(m->cap);
	m->seen = 0;
}

/**
 * quarry_magazine_flush() - objects of a magazine back to their slabs
 * @n:		the node whose they are
 * @mag:	in nobody else's hands
 * @nr:		how many; the oldest go
 * @try:	do not wait for the lock
 *
 * Context: any; preemption off.
 */
void quarry_magazine_flush(struct quarry_cache_node *n, struct quarry_magazine *mag, u32 nr,
			   bool try)
{
	quarry_objects_sort(mag->slot, nr);
	quarry_node_put(n, mag->slot, nr, try);
	mag->n -= nr;
	memmove(mag->slot, mag->slot + nr, mag->n * sizeof(mag->slot[0]));
}

/* To the depot of its node as it is, unless it has objects of several. @m: entered. */
static u64 drain_remote(struct quarry_cache *cache, struct quarry_cpu_cache *m)
{
	struct quarry_cache_node *n = quarry_cpu_cache_node(m);
	struct quarry_remote *r = &m->cold->remote;
	struct quarry_magazine *mag = r->mag;
	unsigned long flags;
	u64 nr = mag->n;

	if (nr && r->tag) {
		n = quarry_tag_get_node(r->tag);
	} else if (nr) {
		quarry_cache_count(cache, QUARRY_CPU_CACHE_FLUSHES);
		quarry_remote_flush(cache, r, false);
	}
	WRITE_ONCE(r->mag, NULL);
	quarry_node_lock(n, &flags, false);
	quarry_depot_put(&n->depot, mag);
	quarry_node_unlock(n, flags);
	return nr;
}

/**
 * quarry_cpu_cache_drain() - empty one CPU's magazines
 * @cache:	the cache
 * @m:		entered
 *
 * The magazines go to the depot of the CPU's node, empty; the one for other nodes to that
 * of its objects, which whoever wants them in their slabs has to empty as well. Context: any;
 * preemption off.
 *
 * Return: objects that have gone.
 */
u64 quarry_cpu_cache_drain(struct quarry_cache *cache, struct quarry_cpu_cache *m)
{
	struct quarry_cache_node *n = quarry_cpu_cache_node(m);
	struct quarry_magazine *mag[2] = { m->loaded, m->previous };
	unsigned long flags;
	unsigned int i;
	u64 nr = 0;

	m->loaded = NULL;
	m->previous = NULL;
	m->wants = 0;
	if (quarry_remote_has_any(m))
		nr += drain_remote(cache, m);
	for (i = 0; i < 2; i++) {
		if (!mag[i])
			continue;
		nr += mag[i]->n;
		if (mag[i]->n)
			quarry_cache_count(cache, QUARRY_CPU_CACHE_FLUSHES);
		quarry_magazine_flush(n, mag[i], mag[i]->n, false);
		quarry_node_lock(n, &flags, false);
		quarry_depot_put(&n->depot, mag[i]);
		quarry_node_unlock(n, flags);
	}
	return nr;
}

/**
 * quarry_depot_drain() - empty a depot
 * @n:		the node
 * @keep:	so many full magazines may stay
 *
 * Context: any but NMI. Return: objects given to slabs.
 */
u64 quarry_depot_drain(struct quarry_cache_node *n, u32 keep)
{
	struct quarry_magazine *mag;
	unsigned long flags;
	u64 nr = 0;

	for (;;) {
		mag = NULL;
		quarry_node_lock(n, &flags, false);
		if (n->depot.nr_full > keep)
			mag = quarry_depot_get_full(&n->depot);
		else if (n->depot.nr_spare > keep)
			mag = quarry_depot_get_spare(&n->depot);
		quarry_node_unlock(n, flags);
		if (!mag)
			return nr;
		nr += mag->n;
		preempt_disable();
		quarry_magazine_flush(n, mag, mag->n, false);
		preempt_enable();
		quarry_magazine_free(n->cache, mag);
	}
}
