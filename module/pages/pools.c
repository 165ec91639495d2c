// SPDX-License-Identifier: GPL-2.0
/*
 * All pools.
 *
 * Two locks, for nobody who only looks at a pool may keep it, or another, from coming or going
 *	pools_mutex	one at a time makes a pool or takes one away (pool.c)
 *	pools.lock	the registry (base/registry.c), for a few steps; with it a pool is found and
 *			referred to, or goes, if nobody has
 *
 * A look is a reference that keeps what describes a pool, and nothing else: the pool can be
 * destroyed meanwhile, and whoever looks sees it empty. So a task that the scheduler lets wait
 * for ever, in the midst of a walk over all areas, is waited for by nobody. A reference of
 * quarry_pool_find() keeps the pool itself.
 *
 * Those who show pools (interfaces/), or look after them otherwise, have left two functions each in
 * a list here and are told of each that comes and goes, under pools_mutex: of one that comes in
 * the order in which they came, of one that goes in reverse.
 *
 * Contexts: what takes pools_mutex sleeps; the rest may be called from any context but
 * interrupts.
 */
#include <linux/list.h>
#include <linux/mutex.h>

#include "pool.h"

static void pools_look(struct quarry_registered *e)
{
	refcount_inc(&container_of(e, struct quarry_pool, registered)->looks);
}

static DEFINE_MUTEX(pools_mutex);
static struct quarry_registry pools = QUARRY_REGISTRY(pools, pools_look);
static LIST_HEAD(watchers);

void quarry_pools_lock(void)
{
	mutex_lock(&pools_mutex);
}

void quarry_pools_unlock(void)
{
	mutex_unlock(&pools_mutex);
}

static struct quarry_pool *pool_of(struct quarry_registered *e)
{
	return e ? container_of(e, struct quarry_pool, registered) : NULL;
}

/**
 * quarry_pool_look() - look at a pool
 * @name:	its name
 *
 * Context: any but interrupts. Return: the pool, for quarry_pool_look_away(), or NULL.
 */
struct quarry_pool *quarry_pool_look(const char *name)
{
	return pool_of(quarry_registry_look(&pools, name));
}

/* The same by its number. */
struct quarry_pool *quarry_pool_look_id(u32 id)
{
	return pool_of(quarry_registry_look_id(&pools, id));
}

/**
 * quarry_pool_look_next() - look at one pool after the other
 * @pool:	the one before, which is looked away from; NULL for the first
 *
 * Pools that come or go meanwhile may be seen or not; all others are seen once. Context: any
 * but interrupts.
 *
 * Return: the pool, for this or quarry_pool_look_away(); NULL at the end.
 */
struct quarry_pool *quarry_pool_look_next(struct quarry_pool *pool)
{
	struct quarry_registered *next;

	next = quarry_registry_look_next(&pools, pool ? &pool->registered : NULL);
	quarry_pool_look_away(pool);
	return pool_of(next);
}

/* Has a pool that is looked at been destroyed? Context: any. */
bool quarry_pool_has_gone(const struct quarry_pool *pool)
{
	return !quarry_is_registered(&pool->registered);
}

/**
 * quarry_pool_watch() - be told of every pool, those that exist included
 * @w:	who is told; kept by the caller
 *
 * Context: sleeps.
 */
void quarry_pool_watch(struct quarry_pool_watcher *w)
{
	struct quarry_pool *pool = NULL;

	mutex_lock(&pools_mutex);
	list_add_tail(&w->link, &watchers);
	while ((pool = quarry_pool_look_next(pool)))
		w->created(pool);
	mutex_unlock(&pools_mutex);
}

/**
 * quarry_pool_unwatch() - be told no more
 * @w:	who was told
 *
 * Of pools that stay nothing is said. Context: sleeps.
 */
void quarry_pool_unwatch(struct quarry_pool_watcher *w)
{
	mutex_lock(&pools_mutex);
	list_del(&w->link);
	mutex_unlock(&pools_mutex);
}

static void tell_created(struct quarry_pool *pool)
{
	struct quarry_pool_watcher *w;

	list_for_each_entry(w, &watchers, link)
		w->created(pool);
}

static void tell_destroyed(struct quarry_pool *pool)
{
	struct quarry_pool_watcher *w;

	list_for_each_entry_reverse(w, &watchers, link)
		w->destroyed(pool);
}

/* A pool comes, and gets its number, if its name is nobody's. Under pools_mutex. */
int quarry_pools_add(struct quarry_pool *pool)
{
	int err = quarry_registry_add(&pools, &pool->registered, pool->name);

	if (!err)
		tell_created(pool);
	return err;
}

/**
 * quarry_pools_remove() - a pool goes, if nobody has it
 * @pool:	the pool
 * @out:	set to the frames that are out of it
 *
 * Whoever finds it before this keeps it, and nobody finds it after.
 *
 * Context: sleeps, under pools_mutex. Return: 0; -EBUSY if somebody has found it, or frames
 * are out.
 */
int quarry_pools_remove(struct quarry_pool *pool, u64 *out)
{
	bool busy;

	raw_spin_lock(&pools.lock);
	/* One reference is the list's. Whoever had one has put it after he last allocated. */
	busy = refcount_read(&pool->refs) != 1;
	*out = quarry_pool_frames_out(pool);
	busy |= *out > 0;
	if (!busy)
		quarry_registry_remove(&pools, &pool->registered);
	raw_spin_unlock(&pools.lock);
	if (!busy)
		tell_destroyed(pool);
	return busy ? -EBUSY : 0;
}

/**
 * quarry_pools_hide() - a pool goes, whatever is out of it
 * @pool:	the pool
 * @refs:	references that are known: that of the list among them
 *
 * Context: sleeps, under pools_mutex. Return: 0; -EBUSY if there are others.
 */
int quarry_pools_hide(struct quarry_pool *pool, unsigned int refs)
{
	bool busy;

	raw_spin_lock(&pools.lock);
	busy = refcount_read(&pool->refs) != refs;
	if (!busy)
		quarry_registry_remove(&pools, &pool->registered);
	raw_spin_unlock(&pools.lock);
	if (!busy)
		tell_destroyed(pool);
	return busy ? -EBUSY : 0;
}

/* A pool goes, whatever is out: at unload, when nobody watches. Returns NULL if there is none. */
struct quarry_pool *quarry_pools_remove_first(void)
{
	struct quarry_pool *pool;

	raw_spin_lock(&pools.lock);
	pool = pool_of(quarry_registry_from(&pools, 0));
	if (pool)
		quarry_registry_remove(&pools, &pool->registered);
	raw_spin_unlock(&pools.lock);
	return pool;
}

/* The pool of that name, or NULL. Under pools_mutex. */
struct quarry_pool *quarry_pool_lookup(const char *name)
{
	struct quarry_pool *pool;

	raw_spin_lock(&pools.lock);
	pool = pool_of(quarry_registry_named(&pools, name));
	raw_spin_unlock(&pools.lock);
	return pool;
}

/**
 * quarry_pool_find() - a pool by its name
 * @name:	the name
 *
 * Context: sleeps. Return: the pool, to be released with quarry_pool_put(), or NULL.
 */
struct quarry_pool *quarry_pool_find(const char *name)
{
	struct quarry_pool *pool;

	raw_spin_lock(&pools.lock);
	pool = pool_of(quarry_registry_named(&pools, name));
	if (pool)
		refcount_inc(&pool->refs);
	raw_spin_unlock(&pools.lock);
	return pool;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_find, QUARRY_NS);

/**
 * quarry_pool_put() - release a pool from quarry_pool_find()
 * @pool:	the pool, or NULL
 *
 * Context: any.
 */
void quarry_pool_put(struct quarry_pool *pool)
{
	if (pool)
		refcount_dec(&pool->refs);
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_put, QUARRY_NS);

static void pools_show(const struct quarry_registered *e, void *to)
{
	struct quarry_pool_entry *entry = to;

	entry->id = e->id;
	strscpy(entry->name, e->name, sizeof(entry->name));
}

/**
 * quarry_pools_list() - names and numbers of pools
 * @from:	the least number wanted; set to the first of those that are left
 * @entries:	where to, struct quarry_pool_entry, zeroed
 * @room:	entries that fit
 *
 * Context: any but interrupts. Return: entries written; fewer than @room at the end.
 */
unsigned int quarry_pools_list(u64 *from, void *entries, unsigned int room)
{
	return quarry_registry_list(&pools, from, entries, sizeof(struct quarry_pool_entry), room,
				    pools_show);
}

/* How many there are. Context: any. */
unsigned int quarry_pools_number(void)
{
	return quarry_registry_number(&pools);
}
