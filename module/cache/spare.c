// SPDX-License-Identifier: GPL-2.0
/*
 * What could a cache give up? Told from outside, without taking a lock for nothing.
 *
 * A pool that is out of memory asks all its caches, and most have nothing: no slabs; or
 * objects in magazines that share their slabs with what clients have. To empty such
 * magazines costs some thousands of instructions a cache, brings nothing, and
 * they fill again with the next call. So it is counted first:
 *
 *	magazines of all CPUs   [a a a b b]   [b c]        depot [a b], and quarantine
 *	                           \ \ \  \ \ /  /            / /
 *	tally of their slabs      a: 4    b: 4   c: 1
 *	out of them               a: 4    b: 9   c: 7      a would be complete
 *
 * A slab whose objects are all here, lie in magazines or wait in quarantine, could go. Nothing
 * that could is missed, unless it moves while we count. Before the tally of each slab comes a
 * sum: if all of these have less than is out of the slab that lacks the least, no slab is
 * looked at.
 *
 * A cache that has no slab is not asked at all. Those of a pool that may have one are in a
 * list: a cache comes on it with its first slab, and is taken off when it is come across
 * without any.
 *
 * Contexts: process, preemption on; under @parting (reap.c), for one counts at a time.
 * Cost of a cache: a look at each node, and at each CPU up to the last with magazines; if that does
 * not tell, some thirty instructions an object, for the slab of a page is looked up once where MEMO
 * pages are enough. With interrupts off no more than a magazine or a quarantine is counted.
 */
#include <linux/rculist.h>

#include "cache.h"

/* The lists of caches that may have slabs, one a pool, change under it. */
static DEFINE_RAW_SPINLOCK(holders_lock);

/* Most magazines of a depot that are counted; if there are more, it is time to empty it. */
#define LOOKS	8U

/* Tells a tally of this time, and what is remembered, from those before. */
static u64 this_time;

/* Whose slabs' pages are remembered, a page by its number's last bits: a power of two. */
#define MEMO	512U

/*
 * The slabs of pages that were come across this time. While @parting is held none goes; of
 * another time nothing here is true.
 */
static struct {
	unsigned long page;
	struct quarry_page_slab *slab;
	u64 time;
} memo[MEMO];

/* Has a node anything that could go, without a look into the magazines of CPUs? */
bool quarry_node_has_spare(const struct quarry_cache_node *n)
{
	return READ_ONCE(n->depot.nr_full) || READ_ONCE(n->depot.nr_spare) ||
	       READ_ONCE(n->quarantine_n) ||
	       READ_ONCE(n->plain.nr_empty) || READ_ONCE(n->guarded.nr_empty) ||
	       quarry_node_has_deferred(n);
}

/**
 * quarry_cache_note_slabs() - a cache has slabs, or may have
 * @cache:	the cache
 *
 * Context: any but NMI.
 */
void quarry_cache_note_slabs(struct quarry_cache *cache)
{
	unsigned long flags;

	/* After the slab was counted. Pairs with that of quarry_cache_next_holder(). */
	smp_mb();
	if (likely(!list_empty_careful(&cache->holding)))
		return;
	raw_spin_lock_irqsave(&holders_lock, flags);
	if (list_empty(&cache->holding))
		list_add_tail_rcu(&cache->holding, &cache->pool->holders);
	raw_spin_unlock_irqrestore(&holders_lock, flags);
}

/* It has none, or goes. Context: under @parting, for who has that looks at the list. */
void quarry_cache_clear_holding(struct quarry_cache *cache)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&holders_lock, flags);
	list_del_init(&cache->holding);
	raw_spin_unlock_irqrestore(&holders_lock, flags);
}

static bool has_slabs(struct quarry_cache *cache)
{
	struct quarry_cache_node *n = NULL;

	while ((n = quarry_cache_node_next(cache, n)))
		if (READ_ONCE(n->plain.nr_slabs) || READ_ONCE(n->guarded.nr_slabs))
			return true;
	return false;
}

/**
 * quarry_cache_next_holder() - the next cache of a pool that has slabs
 * @pool:	the pool
 * @at:		the one before, or NULL
 *
 * It stays as long as @parting is held (quarry_cache_leave()). Context: under @parting.
 * Return: NULL at the end.
 */
struct quarry_cache *quarry_cache_next_holder(struct quarry_pool *pool, struct quarry_cache *at)
{
	struct list_head *link = at ? &at->holding : &pool->holders, *next;
	struct quarry_cache *cache;

	while ((next = READ_ONCE(link->next)) != &pool->holders) {
		cache = list_entry(next, struct quarry_cache, holding);
		if (has_slabs(cache))
			return cache;
		quarry_cache_clear_holding(cache);
		/* It may have got one before it was off the list, and seen that it was on it. */
		smp_mb();
		if (has_slabs(cache))
			quarry_cache_note_slabs(cache);
	}
	return NULL;
}

/* The slab of an object, or NULL. Preemption off. */
static struct quarry_page_slab *slab_of(unsigned long at)
{
	unsigned long page = at >> PAGE_SHIFT;
	unsigned int i = page % MEMO;

	if (memo[i].page != page || memo[i].time != this_time) {
		memo[i].page = page;
		memo[i].slab = quarry_page_slab_of((void *)at);
		memo[i].time = this_time;
	}
	return memo[i].slab;
}

/* An object of a slab more is in a magazine: is that all of it that is out? */
static bool completes(struct quarry_page_slab *s)
{
	if (s->tallied != this_time) {
		s->tallied = this_time;
		s->lacking = min_t(u32, U16_MAX, quarry_slab_shape(&s->slab)->nr -
						 READ_ONCE(s->slab.nfree));
	}
	return s->lacking <= 1 || !--s->lacking;
}

/* Count an object. Preemption off. True: a slab could be complete. */
static bool count_one(const void *object)
{
	struct quarry_page_slab *s = slab_of((unsigned long)object);

	return s && completes(s);
}

/* The same of a magazine of @n objects. */
static bool spare_count(const struct quarry_magazine *mag, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (count_one(READ_ONCE(mag->slot[i])))
			return true;
	return false;
}

/* Of one CPU. Preemption off. True: a slab could be complete. */
static bool count_cpu(const struct quarry_cpu_cache *m)
{
	const struct quarry_magazine *loaded = READ_ONCE(m->loaded);
	const struct quarry_magazine *previous = READ_ONCE(m->previous);
	const struct quarry_magazine *remote = quarry_remote_magazine(m);

	return (loaded && spare_count(loaded, quarry_cpu_cache_loaded_n(m, loaded))) ||
	       (previous && spare_count(previous, READ_ONCE(previous->n))) ||
	       (remote && spare_count(remote, READ_ONCE(remote->n)));
}

/* Of the full magazine of a depot that @i others lie before; *@more: there was one. */
static bool count_in_depot(struct quarry_cache_node *n, unsigned int i, bool *more)
{
	struct quarry_magazine *mag;
	unsigned long flags;
	bool found = false;

	*more = false;
	quarry_node_lock(n, &flags, false);
	list_for_each_entry(mag, &n->depot.full, link)
		if (!i--) {
			*more = true;
			found = spare_count(mag, mag->n);
			break;
		}
	quarry_node_unlock(n, flags);
	return found;
}

/* Of those that wait. */
static bool count_quarantine(struct quarry_cache_node *n)
{
	unsigned long flags;
	bool found = false;
	u32 i;

	quarry_node_lock(n, &flags, false);
	for (i = 0; i < n->quarantine_n && !found; i++)
		found = count_one(n->quarantine[(n->quarantine_at + i) % QUARRY_QUARANTINE]);
	quarry_node_unlock(n, flags);
	return found;
}

/* Of a depot that has full magazines. */
static bool count_depot(struct quarry_cache_node *n)
{
	bool found = READ_ONCE(n->depot.nr_full) > LOOKS, more = true;
	unsigned int i;

	for (i = 0; i < LOOKS && more && !found; i++)
		found = count_in_depot(n, i, &more);
	return found;
}

/**
 * struct sight - what is seen of a cache without counting slab by slab
 * @magazines:	there are, that have not been come across yet
 * @objects:	in those that have
 * @least:	so many must come back before a slab is complete
 * @empty:	one is, or may be
 */
struct sight {
	u32 magazines;
	u64 objects;
	u32 least;
	bool empty;
};

static void look_at_slabs(const struct quarry_slab_list *s, struct sight *sight)
{
	if (!READ_ONCE(s->nr_slabs))
		return;
	sight->empty |= READ_ONCE(s->nr_empty);
	sight->least = min(sight->least, quarry_slab_list_least_out(s));
}

static void look_at_nodes(struct quarry_cache *cache, struct sight *sight)
{
	struct quarry_cache_node *n = NULL;

	while ((n = quarry_cache_node_next(cache, n))) {
		look_at_slabs(&n->plain, sight);
		look_at_slabs(&n->guarded, sight);
		sight->empty |= quarry_node_has_deferred(n);
		sight->magazines -= min(sight->magazines, READ_ONCE(n->depot.nr_full) +
							  READ_ONCE(n->depot.nr_spare));
		sight->objects += READ_ONCE(n->depot.nr_objects) + READ_ONCE(n->quarantine_n);
	}
}

/* Those that have magazines. Returns the last one, for there is no need to go further. */
static int look_at_cpus(struct quarry_cache *cache, struct sight *sight)
{
	const struct quarry_magazine *remote;
	const struct quarry_cpu_cache *m;
	int cpu, last = -1;

	for_each_possible_cpu(cpu) {
		if (!sight->magazines)
			break;
		m = per_cpu_ptr(cache->cpu_cache, cpu);
		if (!quarry_cpu_cache_has_any(m))
			continue;
		last = cpu;
		/* Magazines and slabs that are seen now stay so long. */
		preempt_disable();
		remote = quarry_remote_magazine(m);
		sight->magazines -= min(sight->magazines, (u32)!!READ_ONCE(m->loaded) +
							  !!READ_ONCE(m->previous) + !!remote);
		sight->objects += quarry_cpu_cache_n(m) + (remote ? READ_ONCE(remote->n) : 0);
		preempt_enable();
	}
	return last;
}

/**
 * quarry_cache_is_reclaimable() - could a slab go, if the magazines were emptied?
 * @cache:	the cache
 *
 * Return: false if none could.
 */
bool quarry_cache_is_reclaimable(struct quarry_cache *cache)
{
	struct sight sight = { .magazines = atomic_read(&cache->magazines), .least = ~0U };
	struct quarry_cache_node *n = NULL;
	bool found = false;
	int cpu, last;

	look_at_nodes(cache, &sight);
	if (sight.empty || sight.least == ~0U)
		return sight.empty;
	last = look_at_cpus(cache, &sight);
	if (sight.objects < sight.least)
		return false;
	this_time++;
	while (!found && (n = quarry_cache_node_next(cache, n)))
		found = (READ_ONCE(n->quarantine_n) && count_quarantine(n)) ||
			(READ_ONCE(n->depot.nr_full) && count_depot(n));
	for_each_possible_cpu(cpu) {
		if (found || cpu > last)
			break;
		preempt_disable();
		found = count_cpu(per_cpu_ptr(cache->cpu_cache, cpu));
		preempt_enable();
	}
	return found;
}
