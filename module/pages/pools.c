// SPDX-License-Identifier: GPL-2.0
/*
 * The list of all pools.
 *
 * Two locks, for nobody who only looks at a pool may keep it, or another, from coming or going
 *	pools_mutex	one at a time makes a pool or takes one away (pool.c)
 *	list_lock	the list, for a few steps. Raw: its holder cannot lose the CPU
 *
 * A look is a reference that keeps what describes a pool, and nothing else: the pool can be
 * destroyed meanwhile, and whoever looks sees it empty. So a task that the scheduler lets wait
 * for ever, in the midst of a walk over all areas, is waited for by nobody. A reference of
 * quarry_pool_find() keeps the pool itself.
 *
 * Whoever shows pools (faces/) has left two functions here and is told of each that comes
 * and goes, under pools_mutex.
 *
 * Contexts: what takes pools_mutex sleeps; the rest may be called from any context but
 * interrupts.
 */
#include <linux/list.h>
#include <linux/mutex.h>

#include "pool.h"

static DEFINE_MUTEX(pools_mutex);
static DEFINE_RAW_SPINLOCK(list_lock);
static LIST_HEAD(pools);
static unsigned int nr_pools;
static u32 next_id;
static const struct quarry_pool_watcher *watcher;

void quarry_pools_lock(void)
{
	mutex_lock(&pools_mutex);
}

void quarry_pools_unlock(void)
{
	mutex_unlock(&pools_mutex);
}

/* The first pool with a number of at least @id, or NULL. Under list_lock. */
static struct quarry_pool *first_from(u64 id)
{
	struct quarry_pool *pool;

	/* They are in the order of their numbers. */
	list_for_each_entry(pool, &pools, link)
		if (pool->id >= id)
			return pool;
	return NULL;
}

/* The pool after @pool, which may have gone. Under list_lock. */
static struct quarry_pool *after(struct quarry_pool *pool)
{
	if (list_empty(&pool->link))
		return first_from(pool->id + 1ULL);
	return list_is_last(&pool->link, &pools) ? NULL : list_next_entry(pool, link);
}

/* The pool of that name, or NULL. Under list_lock. */
static struct quarry_pool *named(const char *name)
{
	struct quarry_pool *pool;

	list_for_each_entry(pool, &pools, link)
		if (!strcmp(pool->name, name))
			return pool;
	return NULL;
}

static struct quarry_pool *look_at(struct quarry_pool *pool)
{
	if (pool)
		refcount_inc(&pool->looks);
	return pool;
}

/**
 * quarry_pool_look() - look at a pool
 * @name:	its name
 *
 * Context: any but interrupts. Return: the pool, for quarry_pool_look_away(), or NULL.
 */
struct quarry_pool *quarry_pool_look(const char *name)
{
	struct quarry_pool *pool;

	raw_spin_lock(&list_lock);
	pool = look_at(named(name));
	raw_spin_unlock(&list_lock);
	return pool;
}

/* The same by its number. */
struct quarry_pool *quarry_pool_look_id(u32 id)
{
	struct quarry_pool *pool;

	raw_spin_lock(&list_lock);
	pool = first_from(id);
	pool = look_at(pool && pool->id == id ? pool : NULL);
	raw_spin_unlock(&list_lock);
	return pool;
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
	struct quarry_pool *next;

	raw_spin_lock(&list_lock);
	next = look_at(pool ? after(pool) : first_from(0));
	raw_spin_unlock(&list_lock);
	quarry_pool_look_away(pool);
	return next;
}

/* Has a pool that is looked at been destroyed? Context: any. */
bool quarry_pool_has_gone(const struct quarry_pool *pool)
{
	return list_empty_careful(&pool->link);
}

/* Tell @w of every pool, those that exist included. Once, at load; NULL: no more. */
void quarry_pool_watch(const struct quarry_pool_watcher *w)
{
	struct quarry_pool *pool = NULL;

	mutex_lock(&pools_mutex);
	watcher = w;
	while (w && (pool = quarry_pool_look_next(pool)))
		w->created(pool);
	mutex_unlock(&pools_mutex);
}

/* A pool comes, and gets its number, if its name is nobody's. Under pools_mutex. */
int quarry_pools_add(struct quarry_pool *pool)
{
	if (named(pool->name))
		return -EEXIST;
	raw_spin_lock(&list_lock);
	pool->id = next_id++;
	list_add_tail(&pool->link, &pools);
	WRITE_ONCE(nr_pools, nr_pools + 1);
	raw_spin_unlock(&list_lock);
	if (watcher)
		watcher->created(pool);
	return 0;
}

/* Off the list. Under list_lock. */
static void unlist(struct quarry_pool *pool)
{
	list_del_init(&pool->link);
	WRITE_ONCE(nr_pools, nr_pools - 1);
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

	raw_spin_lock(&list_lock);
	/* One reference is the list's. Whoever had one has put it after he last allocated. */
	busy = refcount_read(&pool->refs) != 1;
	*out = quarry_pool_frames_out(pool);
	busy |= *out > 0;
	if (!busy)
		unlist(pool);
	raw_spin_unlock(&list_lock);
	if (!busy && watcher)
		watcher->destroyed(pool);
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

	raw_spin_lock(&list_lock);
	busy = refcount_read(&pool->refs) != refs;
	if (!busy)
		unlist(pool);
	raw_spin_unlock(&list_lock);
	if (!busy && watcher)
		watcher->destroyed(pool);
	return busy ? -EBUSY : 0;
}

/* A pool goes, whatever is out: at unload, when nobody watches. Returns NULL if there is none. */
struct quarry_pool *quarry_pools_remove_first(void)
{
	struct quarry_pool *pool;

	raw_spin_lock(&list_lock);
	pool = first_from(0);
	if (pool)
		unlist(pool);
	raw_spin_unlock(&list_lock);
	return pool;
}

/* The pool of that name, or NULL. Under pools_mutex. */
struct quarry_pool *quarry_pool_lookup(const char *name)
{
	return named(name);
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

	raw_spin_lock(&list_lock);
	pool = named(name);
	if (pool)
		refcount_inc(&pool->refs);
	raw_spin_unlock(&list_lock);
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

/**
 * quarry_pools_list() - names and numbers of pools
 * @from:	the least number wanted; set to the first of those that are left
 * @entries:	where to, zeroed
 * @room:	entries that fit
 *
 * Context: any but interrupts. Return: entries written; fewer than @room at the end.
 */
unsigned int quarry_pools_list(u64 *from, struct quarry_pool_entry *entries, unsigned int room)
{
	struct quarry_pool *pool;
	unsigned int nr = 0;

	raw_spin_lock(&list_lock);
	pool = first_from(*from);
	for (; pool && nr < room; pool = after(pool), nr++) {
		entries[nr].id = pool->id;
		strscpy(entries[nr].name, pool->name, sizeof(entries[nr].name));
		*from = pool->id + 1ULL;
	}
	raw_spin_unlock(&list_lock);
	return nr;
}

/* How many there are. Context: any. */
unsigned int quarry_pools_number(void)
{
	return READ_ONCE(nr_pools);
}
