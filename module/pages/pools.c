// SPDX-License-Identifier: GPL-2.0
/*
 * The list of all pools.
 *
 * One lock. Shared: pools stay. Exclusive: they come and go (pool.c). A pool is found by
 * name, and kept after the lock by a reference.
 *
 * Whoever shows pools (faces/) has left two functions here and is told of each that comes
 * and goes, under the lock.
 *
 * Contexts: everything here sleeps, but quarry_pools_trylock_shared() and quarry_pool_put().
 */
#include <linux/list.h>
#include <linux/rwsem.h>

#include "pool.h"

static DECLARE_RWSEM(pools_sem);
static LIST_HEAD(pools);
static u32 next_id;
static const struct quarry_pool_watcher *watcher;

void quarry_pools_lock_shared(void)
{
	down_read(&pools_sem);
}

bool quarry_pools_trylock_shared(void)
{
	return down_read_trylock(&pools_sem);
}

void quarry_pools_unlock_shared(void)
{
	up_read(&pools_sem);
}

void quarry_pools_lock(void)
{
	down_write(&pools_sem);
}

void quarry_pools_unlock(void)
{
	up_write(&pools_sem);
}

/* The pool after @pool, or the first; NULL at the end. Under the lock, shared. */
struct quarry_pool *quarry_pool_next(struct quarry_pool *pool)
{
	struct list_head *next = pool ? pool->link.next : pools.next;

	return next == &pools ? NULL : list_entry(next, struct quarry_pool, link);
}

/* Tell @w of every pool, those that exist included. Once, at load; NULL: no more. */
void quarry_pool_watch(const struct quarry_pool_watcher *w)
{
	struct quarry_pool *pool = NULL;

	down_write(&pools_sem);
	watcher = w;
	while (w && (pool = quarry_pool_next(pool)))
		w->created(pool);
	up_write(&pools_sem);
}

/* A pool comes, and gets its number; its name is nobody's. Under the lock, exclusive. */
void quarry_pools_add(struct quarry_pool *pool)
{
	pool->id = next_id++;
	list_add_tail(&pool->link, &pools);
	if (watcher)
		watcher->created(pool);
}

/* A pool goes. Under the lock, exclusive. */
void quarry_pools_remove(struct quarry_pool *pool)
{
	list_del(&pool->link);
	if (watcher)
		watcher->destroyed(pool);
}

/* The pool of that name, or NULL. Under the lock, shared. */
struct quarry_pool *quarry_pool_lookup(const char *name)
{
	struct quarry_pool *pool = NULL;

	while ((pool = quarry_pool_next(pool)))
		if (!strcmp(pool->name, name))
			return pool;
	return NULL;
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

	quarry_pools_lock_shared();
	pool = quarry_pool_lookup(name);
	if (pool)
		refcount_inc(&pool->refs);
	quarry_pools_unlock_shared();
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
 * quarry_pools_list() - names and numbers of the pools
 * @entries:	where to, zeroed
 * @room:	entries that fit
 *
 * Context: sleeps. Return: pools that exist, which may be more than @room.
 */
unsigned int quarry_pools_list(struct quarry_pool_entry *entries, unsigned int room)
{
	struct quarry_pool *pool = NULL;
	unsigned int nr = 0;

	quarry_pools_lock_shared();
	while ((pool = quarry_pool_next(pool))) {
		if (nr < room) {
			entries[nr].id = pool->id;
			strscpy(entries[nr].name, pool->name, sizeof(entries[nr].name));
		}
		nr++;
	}
	quarry_pools_unlock_shared();
	return nr;
}
