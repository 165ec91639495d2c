// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a pool.
 *
 * Model
 *	create: check, allocate, a zone a node, lists a CPU, take the floor, publish
 *	use:    alloc.c and its neighbours; nothing here
 *	destroy: hide, drain, refuse if a page is out, give everything back
 *	forget:	 hide, drain, give back what is free; the rest is lost (forget.c)
 *
 * A pool is found by name in the list of all pools (pools.c) and kept by a reference;
 * destroying one that somebody else refers to, or whose pages are out, is -EBUSY and
 * leaves it as it was. What was taken in creation is returned in reverse.
 *
 * Contexts: everything here sleeps, but quarry_pool_default().
 */
#include <linux/ctype.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../arena/directory.h"
#include "../base/inject.h"
#include "misuse.h"
#include "pcp.h"
#include "wait.h"

static_assert(offsetof(struct quarry_pool, pcp) ==
	      offsetof(struct quarry_pool_head, lists));
static_assert(!offsetof(struct quarry_pcp, lists));

static struct quarry_pool *default_pool;

/* Keys of zones are so far apart, and the first is not 0: see struct quarry_buddy. */
#define ZONE_KEYS	256

static_assert(ZONE_KEYS >= QUARRY_PLACES);

static atomic64_t zone_keys;

/* Has any zone a free block of this order? A moment old. Context: any. */
bool quarry_pool_has_block(struct quarry_pool *pool, unsigned int order)
{
	struct quarry_zone *z = NULL;

	while ((z = quarry_zone_next(pool, z)))
		if (z->node != NUMA_NO_NODE && quarry_buddy_has(&z->buddy, order))
			return true;
	return false;
}

/**
 * quarry_max_order() - the largest order that kernel memory can serve
 *
 * Context: any.
 */
unsigned int quarry_max_order(void)
{
	return QUARRY_KERNEL_ORDER;
}
EXPORT_SYMBOL_NS_GPL(quarry_max_order, QUARRY_NS);

/**
 * quarry_pool_check_name() - may a pool be called so?
 * @name:	the name
 *
 * Return: 0; -EINVAL if it is empty, longer than QUARRY_NAME_MAX - 1, has a
 * character that is not of [A-Za-z0-9_.-], or is made of dots alone.
 */
int quarry_pool_check_name(const char *name)
{
	size_t i, len = strnlen(name, QUARRY_NAME_MAX);
	bool dots = true;

	if (!len || len == QUARRY_NAME_MAX)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		if (!isascii(name[i]) || (!isalnum(name[i]) && !strchr("_.-", name[i])))
			return -EINVAL;
		dots &= name[i] == '.';
	}
	return dots ? -EINVAL : 0;
}

static struct quarry_zone *zone_create(struct quarry_pool *pool, unsigned int index,
				       int node)
{
	struct quarry_zone *z = NULL;

	z = quarry_inject() ? NULL :
	    kzalloc_node(sizeof(*z), GFP_KERNEL,
			 node != NUMA_NO_NODE && node_online(node) ? node : NUMA_NO_NODE);
	if (!z)
		return NULL;
	raw_spin_lock_init(&z->lock);
	quarry_buddy_init(&z->buddy);
	z->arenas = RB_ROOT;
	init_llist_head(&z->deferred);
	INIT_LIST_HEAD(&z->retired);
	INIT_LIST_HEAD(&z->poisoned);
	z->buddy.key = atomic64_add_return(ZONE_KEYS, &zone_keys);
	z->buddy.expected = pool->min / QUARRY_AREA_FRAMES;
	z->pool = pool;
	z->index = index;
	z->node = node;
	return z;
}

static int zones_create(struct quarry_pool *pool)
{
	unsigned int i;

	pool->nr_zones = nr_node_ids + 1;
	pool->zone = quarry_inject() ? NULL :
		     kcalloc(pool->nr_zones, sizeof(*pool->zone), GFP_KERNEL);
	if (!pool->zone)
		return -ENOMEM;
	for (i = 0; i < pool->nr_zones; i++) {
		bool device = i == pool->nr_zones - 1;

		if (!device && (!node_possible(i) ||
				(pool->node != NUMA_NO_NODE && pool->node != i)))
			continue;
		pool->zone[i] = zone_create(pool, i, device ? NUMA_NO_NODE : i);
		if (!pool->zone[i])
			return -ENOMEM;
	}
	return 0;
}

static int pcps_create(struct quarry_pool *pool)
{
	int cpu, node;

	pool->pcp = quarry_inject() ? NULL : alloc_percpu(struct quarry_pcp);
	if (!pool->pcp)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		node = pool->node != NUMA_NO_NODE ? pool->node : cpu_to_mem(cpu);
		quarry_pcp_init(per_cpu_ptr(pool->pcp, cpu), &pool->zone[node]->buddy,
				1 + cpu % (QUARRY_HOMES - 1));
	}
	quarry_lists_limit(pool);
	return 0;
}

/* Readers of the directory may have looked at a zone through an arena: no longer. */
static void pool_free_rcu(struct rcu_head *rcu)
{
	struct quarry_pool *pool = container_of(rcu, struct quarry_pool, rcu);
	unsigned int i;
	int cpu;

	for (i = 0; pool->zone && i < pool->nr_zones; i++)
		kfree(pool->zone[i]);
	kfree(pool->zone);
	for_each_possible_cpu(cpu) {
		if (!pool->pcp)
			break;
		kfree(per_cpu_ptr(pool->pcp, cpu)->cold);
		kfree(per_cpu_ptr(pool->pcp, cpu)->gift);
	}
	free_percpu(pool->pcp);
	kfree(pool);
}

/**
 * quarry_pool_look_away() - whoever looked at a pool does so no longer
 * @pool:	the pool, or NULL
 *
 * What describes it goes with the last one, after a grace period, for which
 * quarry_page_arenas_exit() waits at unload. Context: any.
 */
void quarry_pool_look_away(struct quarry_pool *pool)
{
	if (pool && refcount_dec_and_test(&pool->looks))
		call_rcu(&pool->rcu, pool_free_rcu);
}

/**
 * quarry_pool_begin_giving() - give memory of a pool back to the kernel
 * @pool:	a pool that is looked at
 * @wait:	wait for who takes the pool away
 *
 * Context: sleeps, if @wait. Return: false if the pool goes or, without @wait, may be going;
 * else quarry_pool_end_giving() is to be called.
 */
bool quarry_pool_begin_giving(struct quarry_pool *pool, bool wait)
{
	if (wait)
		down_read(&pool->giving);
	else if (!down_read_trylock(&pool->giving))
		return false;
	if (!pool->dying)
		return true;
	up_read(&pool->giving);
	return false;
}

void quarry_pool_end_giving(struct quarry_pool *pool)
{
	up_read(&pool->giving);
}

/**
 * quarry_pool_stop() - a pool grows and shrinks no more
 * @pool:	the pool, which nobody finds
 *
 * Context: sleeps.
 */
void quarry_pool_stop(struct quarry_pool *pool)
{
	down_write(&pool->giving);
	WRITE_ONCE(pool->dying, true);
	up_write(&pool->giving);
	irq_work_sync(&pool->grow_irq);
	irq_work_sync(&pool->wake_irq);
	cancel_delayed_work_sync(&pool->grow_work);
}

/*
 * Give back everything a pool has; no page is out and nobody finds it. Whoever looks at it
 * sees it become empty.
 */
static void pool_free(struct quarry_pool *pool)
{
	struct quarry_page_arena *c, *next;
	struct quarry_arena *a;
	struct quarry_zone *z = NULL;
	unsigned long flags;
	unsigned int i;

	quarry_pool_stop(pool);
	for (i = 0; pool->zone && i < pool->nr_zones; i++) {
		z = pool->zone[i];
		if (!z)
			continue;
		while ((a = list_first_entry_or_null(&z->buddy.arenas,
						     struct quarry_arena, link))) {
			c = quarry_page_arena(a);
			if (!quarry_zone_take_out(z, c)) {
				quarry_zone_discard(z, c);
			} else {
				quarry_directory_publish(c, NULL);
				quarry_directory_remove(c);
				list_move(&a->link, &z->retired);
			}
		}
		quarry_zone_lock(z, &flags);
		quarry_zone_drop_poisoned(z, NULL);
		quarry_zone_unlock(z, flags);
		/* The kernel must not have these pages, so nobody has. */
		list_for_each_entry_safe(c, next, &z->retired, arena.link) {
			list_del(&c->arena.link);
			/* Whoever referred to its pages may have let go. */
			if (!c->arena.buddy && !quarry_page_arena_release(c))
				continue;
			pr_err("pool %s: arena %u, %llu KiB, is lost: pages of it are in use\n",
			       pool->name, c->id, quarry_kib(c->nr));
			quarry_pools_count_lost(c->nr);
			quarry_page_arena_leak(c);
		}
	}
	quarry_poison_tidy();
	quarry_pool_look_away(pool);
}

static int check_config(const char *name, const struct quarry_pool_config *cfg)
{
	u64 max = cfg->max_bytes ?: U64_MAX & PAGE_MASK;

	if (quarry_pool_check_name(name))
		return -EINVAL;
	if ((cfg->min_bytes | cfg->max_bytes | cfg->reserve_bytes | cfg->low_bytes) &
	    ~PAGE_MASK)
		return -EINVAL;
	if (cfg->min_bytes > max || cfg->reserve_bytes > max || cfg->low_bytes > max)
		return -EINVAL;
	if (cfg->zone & ~(__GFP_DMA | __GFP_DMA32))
		return -EINVAL;
	if (cfg->node != NUMA_NO_NODE &&
	    (cfg->node < 0 || cfg->node >= nr_node_ids || !node_state(cfg->node, N_MEMORY)))
		return -ENODEV;
	/* Do not even try what cannot be: it would only drive others out. */
	if (max3(cfg->min_bytes, cfg->low_bytes, cfg->reserve_bytes) >> PAGE_SHIFT >
	    totalram_pages())
		return -ENOMEM;
	return 0;
}

static struct quarry_pool *pool_alloc(const char *name,
				      const struct quarry_pool_config *cfg)
{
	struct quarry_pool *pool;
	int err;

	pool = quarry_inject() ? NULL : kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	strscpy(pool->name, name, sizeof(pool->name));
	pool->max = cfg->max_bytes ? cfg->max_bytes >> PAGE_SHIFT : totalram_pages();
	pool->min = cfg->min_bytes >> PAGE_SHIFT;
	pool->low = cfg->low_bytes >> PAGE_SHIFT;
	pool->reserve = cfg->reserve_bytes >> PAGE_SHIFT;
	pool->node = cfg->node;
	pool->zone_gfp = cfg->zone;
	refcount_set(&pool->refs, 1);
	refcount_set(&pool->looks, 1);
	INIT_LIST_HEAD(&pool->forgotten);
	init_rwsem(&pool->giving);
	INIT_LIST_HEAD(&pool->holders);
	/* On PREEMPT_RT others run in a thread, which a real-time task keeps from its CPU. */
	pool->grow_irq = IRQ_WORK_INIT_HARD(quarry_grow_irq);
	INIT_DELAYED_WORK(&pool->grow_work, quarry_grow_work);
	quarry_wait_init(pool);
	init_waitqueue_head(&pool->grown);
	err = zones_create(pool);
	if (!err)
		err = pcps_create(pool);
	if (!err)
		err = quarry_pool_fill(pool);
	if (err) {
		pool_free(pool);
		return ERR_PTR(err);
	}
	return pool;
}

/*
 * quarry_pool_create(), and the pool's number while it is known to be this pool's.
 * @owner: the module that has it, so that it cannot be destroyed by name; or NULL.
 */
struct quarry_pool *quarry_pool_make(const char *name,
				     const struct quarry_pool_config *config,
				     struct module *owner, u32 *id)
{
	struct quarry_pool *pool;
	int err;

	err = check_config(name, config);
	if (err)
		return ERR_PTR(err);
	quarry_pools_lock();
	err = quarry_pool_lookup(name) ? -EEXIST : 0;
	quarry_pools_unlock();
	if (err)
		return ERR_PTR(err);

	pool = pool_alloc(name, config);
	if (IS_ERR(pool))
		return pool;

	/* Somebody may have taken the name while we took the memory. */
	quarry_pools_lock();
	pool->owner = owner;
	err = quarry_pools_add(pool);
	if (err) {
		quarry_pools_unlock();
		pool_free(pool);
		return ERR_PTR(err);
	}
	*id = pool->registered.id;
	/* Before anybody can destroy it by name. */
	pool->woken = pool->low;
	if (pool->low)
		irq_work_queue(&pool->grow_irq);
	quarry_pools_unlock();
	return pool;
}

/* quarry_pool_create() of a module. */
struct quarry_pool *__quarry_pool_create(const char *name,
					 const struct quarry_pool_config *config,
					 struct module *owner)
{
	u32 id;

	return quarry_pool_make(name, config, owner, &id);
}
EXPORT_SYMBOL_NS_GPL(__quarry_pool_create, QUARRY_NS);

/**
 * quarry_pool_frames_out() - frames that are not free in a zone
 * @pool:	the pool
 *
 * Those on per-CPU lists count as out: drain first for the clients' alone. Those that are kept
 * for their hardware do not.
 */
u64 quarry_pool_frames_out(struct quarry_pool *pool)
{
	struct quarry_zone *z = NULL;
	unsigned long flags;
	u64 out = 0;

	while ((z = quarry_zone_next(pool, z))) {
		quarry_zone_settle(z);
		quarry_zone_lock(z, &flags);
		out += z->buddy.nr_frames - z->buddy.nfree - z->nr_kept;
		quarry_zone_unlock(z, flags);
	}
	return out;
}

/* Take a pool off the list if nobody needs it. Under pools_mutex. */
static int pool_retire(struct quarry_pool *pool)
{
	unsigned int tries = 3;
	u64 out;

	/* Whoever had found it may have left blocks on a list just after that was drained. */
	do {
		if (refcount_read(&pool->refs) != 1)
			return -EBUSY;
		quarry_pcp_drain_all(pool, QUARRY_FOREVER);
		if (!quarry_pools_remove(pool, &out))
			return 0;
	} while (--tries);
	if (out)
		quarry_misuse(pool, QUARRY_ERR_DESTROY_BUSY, NULL,
			      (struct quarry_frame){}, out);
	return -EBUSY;
}

/**
 * quarry_pool_destroy() - give a pool's memory back and forget it
 * @pool:	a pool of quarry_pool_create(); NULL and error pointers do nothing
 *
 * Nobody may be allocating from it any more. Context: sleeps.
 *
 * Return: 0; -EBUSY if a page is out, if somebody else holds the pool by
 * quarry_pool_find(), or for the default pool: then it is as it was.
 */
int quarry_pool_destroy(struct quarry_pool *pool)
{
	int err;

	if (IS_ERR_OR_NULL(pool))
		return 0;
	quarry_pools_lock();
	err = pool == default_pool ? -EBUSY : pool_retire(pool);
	quarry_pools_unlock();
	if (!err)
		pool_free(pool);
	return err;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_destroy, QUARRY_NS);

/**
 * quarry_pool_destroy_named() - destroy a pool by its name
 * @name:	the name
 * @id:		its number, or -1 for any
 *
 * For pools that were made by name, or whose module has gone without destroying them: one
 * that a module has made, and that is loaded, is -EBUSY, whoever else has found it.
 *
 * Context: sleeps. Return: as quarry_pool_destroy(), or -ENOENT.
 */
int quarry_pool_destroy_named(const char *name, s64 id)
{
	struct quarry_pool *pool;
	int err;

	quarry_pools_lock();
	pool = quarry_pool_lookup(name);
	if (!pool || (id >= 0 && pool->registered.id != id))
		err = -ENOENT;
	else
		err = READ_ONCE(pool->owner) ? -EBUSY : pool_retire(pool);
	quarry_pools_unlock();
	if (!err)
		pool_free(pool);
	return err;
}

/*
 * A module has gone: who else may destroy what it has left does so by name. Any module that goes
 * comes by here, so nobody is waited for who makes or destroys a pool. Context: sleeps.
 */
void quarry_pools_disown(const struct module *mod)
{
	struct quarry_pool *pool = NULL;

	while ((pool = quarry_pool_look_next(pool)))
		if (READ_ONCE(pool->owner) == mod)
			WRITE_ONCE(pool->owner, NULL);
}

bool quarry_pool_is_default(const struct quarry_pool *pool)
{
	return pool == default_pool;
}

/**
 * quarry_pool_default() - the pool made at load from the module's parameters
 *
 * Context: any.
 */
struct quarry_pool *quarry_pool_default(void)
{
	return default_pool;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_default, QUARRY_NS);

int quarry_default_pool_init(const struct quarry_pool_config *config)
{
	struct quarry_pool *pool = quarry_pool_create("default", config);

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	default_pool = pool;
	return 0;
}

/**
 * quarry_pool_drain() - move what per-CPU lists hold to the buddy
 * @pool:	the pool
 *
 * Caches in the pool give up what they do not use first. Retired arenas go to the kernel if
 * nobody refers to their pages any more.
 *
 * Context: sleeps. Return: bytes moved.
 */
u64 quarry_pool_drain(struct quarry_pool *pool)
{
	struct quarry_zone *z = NULL;

	quarry_pool_reclaim_all(pool);
	if (quarry_pool_begin_giving(pool, true)) {
		while ((z = quarry_zone_next(pool, z)))
			quarry_zone_retry_retired(z, U64_MAX);
		quarry_pool_end_giving(pool);
	}
	return quarry_pcp_drain_all(pool, QUARRY_FOREVER) << PAGE_SHIFT;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_drain, QUARRY_NS);

/**
 * quarry_pool_shrink() - give memory back to the kernel
 * @pool:	the pool
 * @bytes:	at most so much; never below the floor
 *
 * Context: sleeps. Return: bytes given back, in whole arenas.
 */
u64 quarry_pool_shrink(struct quarry_pool *pool, u64 bytes)
{
	u64 frames = bytes >> PAGE_SHIFT;
	struct quarry_zone *z = NULL;
	u64 given = 0;

	quarry_pool_reclaim_all(pool);
	quarry_pcp_drain_all(pool, QUARRY_FOREVER);
	if (!quarry_pool_begin_giving(pool, true))
		return 0;
	while ((z = quarry_zone_next(pool, z)))
		if (given < frames)
			given += quarry_zone_shrink(z, frames - given, false);
	quarry_pool_end_giving(pool);
	return given << PAGE_SHIFT;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_shrink, QUARRY_NS);

/* Give back all pools, at unload. Pages that are out stay what they are: lost. */
void quarry_pools_exit(void)
{
	struct quarry_pool *pool;

	default_pool = NULL;
	/* The shrinker and CPU hotplug still walk the list. */
	while ((pool = quarry_pools_remove_first())) {
		quarry_pcp_drain_all(pool, QUARRY_FOREVER);
		pool_free(pool);
	}
	quarry_forgotten_exit();
	quarry_lists_exit();
}
