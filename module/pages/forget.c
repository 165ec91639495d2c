// SPDX-License-Identifier: GPL-2.0
/*
 * Forgetting a pool of which memory is out, and nobody is left who would free it.
 *
 * Model
 *	A pool with a page out cannot be destroyed: who has the page may free it yet, or write to
 *	it. After a leak nobody will, and the pool would keep its name for as long as the
 *	machine runs. So it can be given up:
 *
 *	  refuse   the default pool; whatever somebody holds; a cache that was not destroyed;
 *		   a range of which frames are out, for that is its owner's memory
 *	  hide	   the name is free from here on
 *	  leak     dead caches: their objects lose their labels (cache/leak_pool.c)
 *	  blind    no page leads to the pool any more: a free of one is a free of foreign memory
 *	  give	   whole arenas, and of the others each page that is free, to the kernel
 *	  count	   what is left, for the whole machine: it is lost until the next boot
 *
 *	Nobody gets what is left: its pages keep their references, so not even the
 *	kernel's own put_page() frees one. What an old pointer leads to is there still.
 *
 *	So is what describes the pool. Whoever kept a pointer to it, and frees by that, is told of
 *	his mistake as by any other pool. It goes at unload.
 *
 * Nothing is allocated here, so nothing fails once the pool is hidden.
 *
 * Contexts: everything here sleeps, but what tells the sums.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "../arena/directory.h"
#include "misuse.h"
#include "pcp.h"

/* Those that were forgotten, through @forgotten; under pools_mutex. */
static LIST_HEAD(forgotten);
static atomic_t nr_forgotten;
static atomic64_t lost_frames;

/* Frames are lost until the next boot. Context: any. */
void quarry_pools_count_lost(u64 frames)
{
	atomic64_add(frames, &lost_frames);
}

/* Bytes that are, of all pools there have been. Context: any. */
u64 quarry_pools_lost(void)
{
	return (u64)atomic64_read(&lost_frames) << PAGE_SHIFT;
}

/* Pools that were forgotten. Context: any. */
unsigned int quarry_pools_forgotten(void)
{
	return atomic_read(&nr_forgotten);
}

/* Is a frame out of a range that is its owner's? */
static bool has_range_out(struct quarry_pool *pool)
{
	struct quarry_page_arena *c;
	unsigned long pfn, flags;
	struct quarry_zone *z;
	unsigned int device;
	bool out = false;

	for (device = 0; device < 2; device++)
		for (pfn = 0; !out; cond_resched()) {
			c = quarry_pool_arena(pool, device, pfn, &z, &flags);
			if (!c)
				break;
			quarry_zone_free_poisoned(z, c);
			out = c->kind != QUARRY_ARENA_KERNEL && c->arena.nfree != c->nr;
			quarry_zone_seek_again(z);
			pfn = c->pfn + c->nr;
			quarry_zone_unlock(z, flags);
		}
	return out;
}

/* Off the list, if nobody needs it. Under pools_mutex. */
static int forget_hide(struct quarry_pool *pool)
{
	unsigned int tries = 20;
	int dead;

	if (quarry_pool_is_default(pool))
		return -EBUSY;
	/* A dead cache may just be destroyed, and lets go of the pool then. */
	do {
		quarry_pcp_drain_all(pool, QUARRY_FOREVER);
		if (has_range_out(pool))
			return -EOPNOTSUPP;
		dead = quarry_pool_dead_caches(pool);
		if (dead < 0)
			return dead;
		if (!quarry_pools_hide(pool, 1 + dead))
			return 0;
		usleep_range(1000, 2000);
	} while (--tries);
	return -EBUSY;
}

/* No page leads to the pool any more, and nobody is under way who found it by one. */
static void forget_blind(struct quarry_pool *pool)
{
	struct quarry_zone *z = NULL;
	struct quarry_arena *a;

	while ((z = quarry_zone_next(pool, z)))
		list_for_each_entry(a, &z->buddy.arenas, link)
			quarry_directory_publish(quarry_page_arena(a), NULL);
	synchronize_rcu();
	/* What was returned until then. */
	quarry_pcp_drain_all(pool, QUARRY_FOREVER);
	for (z = quarry_zone_next(pool, NULL); z; z = quarry_zone_next(pool, z))
		quarry_zone_settle(z);
}

/*
 * Nothing is in a zone any more: all that was is in @left. At once, for whoever has looked at the
 * pool before it was hidden checks it still, and finds it as it was, or empty.
 */
static void clear_zone(struct quarry_zone *z, struct list_head *left)
{
	unsigned long flags;
	u64 key;

	quarry_zone_lock(z, &flags);
	list_splice_init(&z->buddy.arenas, left);
	list_splice_init(&z->retired, left);
	key = z->buddy.key;
	quarry_buddy_init(&z->buddy);
	z->buddy.key = key;
	z->arenas = RB_ROOT;
	z->nr_retired = 0;
	quarry_zone_drop_poisoned(z, NULL);
	quarry_zone_unlock(z, flags);
	quarry_poison_tidy();
}

/* Give back what can be given of a zone. Returns frames that are lost. */
static u64 give_zone(struct quarry_zone *z)
{
	struct quarry_arena *a, *after;
	struct quarry_page_arena *c, *next;
	LIST_HEAD(left);
	u64 lost = 0;

	/* Nobody else changes the list. */
	list_for_each_entry_safe(a, after, &z->buddy.arenas, link)
		if (!quarry_zone_take_out(z, quarry_page_arena(a)))
			quarry_zone_discard(z, quarry_page_arena(a));
	clear_zone(z, &left);
	list_for_each_entry_safe(c, next, &left, arena.link) {
		list_del(&c->arena.link);
		/*
		 * In what is retired nothing is free; whoever referred to a page may have let go.
		 */
		if (c->arena.buddy)
			quarry_directory_remove(c);
		else if (!quarry_page_arena_release(c))
			continue;
		lost += c->arena.buddy ? quarry_page_arena_release_free(c) : c->nr;
		quarry_page_arena_leak(c);
		cond_resched();
	}
	return lost;
}

/* It is hidden. Returns bytes that are lost. */
static u64 forget_give_up(struct quarry_pool *pool)
{
	struct quarry_zone *z = NULL;
	u64 lost = 0;

	/* What is only kept at hand is not out, nor what was returned while labels were taken. */
	quarry_pool_reclaim_all(pool);
	quarry_pool_leak_caches(pool);
	quarry_pool_reclaim_all(pool);
	/* Pages that come after a grace period. */
	rcu_barrier();
	/* Lists that are blocked would not be drained of what is freed now. */
	quarry_pool_set_modes(pool, 0);
	quarry_pool_inject(pool, 0, 0);
	quarry_pool_stop(pool);
	forget_blind(pool);
	while ((z = quarry_zone_next(pool, z)))
		lost += give_zone(z);
	atomic64_set(&pool->managed, 0);
	atomic64_set(&pool->held, 0);
	atomic64_set(&pool->metadata, 0);
	quarry_pools_count_lost(lost);
	atomic_inc(&nr_forgotten);
	pr_warn("pool %s: forgotten; %llu KiB of it were out, and are lost until the next boot\n",
		pool->name, quarry_kib(lost));
	quarry_pools_lock();
	list_add(&pool->forgotten, &forgotten);
	quarry_pools_unlock();
	return lost << PAGE_SHIFT;
}

/**
 * quarry_pool_forget() - destroy a pool even if memory of it is out
 * @pool:	a pool of quarry_pool_create(); NULL and error pointers do nothing
 * @lost:	set to the bytes that were out, or NULL
 *
 * What is free goes back to the kernel, and the name is free. What is out stays what it is, for
 * ever: nobody gets it, and a free of it is refused as one of foreign memory. Caches in the pool
 * must have been destroyed; what objects of theirs are out is lost as well. Nobody may be
 * allocating any more. Context: sleeps.
 *
 * Return: 0; -EBUSY if somebody else holds the pool by quarry_pool_find(), if a cache in it was
 * not destroyed, or for the default pool; -EOPNOTSUPP if a frame is out of a range of
 * quarry_pool_add_range(), which is not ours to lose. Then it is as it was.
 */
int quarry_pool_forget(struct quarry_pool *pool, u64 *lost)
{
	u64 bytes = 0;
	int err;

	if (IS_ERR_OR_NULL(pool))
		return 0;
	quarry_pools_lock();
	err = forget_hide(pool);
	quarry_pools_unlock();
	if (!err)
		bytes = forget_give_up(pool);
	if (lost)
		*lost = bytes;
	return err;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_forget, QUARRY_NS);

/**
 * quarry_pool_forget_named() - forget a pool by its name
 * @name:	the name
 * @lost:	set to the bytes that were out
 *
 * For pools that were made by name, or whose module has gone. Context: sleeps.
 *
 * Return: as quarry_pool_forget(); -ENOENT; -EBUSY also if its module is loaded.
 */
int quarry_pool_forget_named(const char *name, u64 *lost)
{
	struct quarry_pool *pool;
	int err;

	quarry_pools_lock();
	pool = quarry_pool_lookup(name);
	if (!pool)
		err = -ENOENT;
	else
		err = READ_ONCE(pool->owner) ? -EBUSY : forget_hide(pool);
	quarry_pools_unlock();
	if (!err)
		*lost = forget_give_up(pool);
	return err;
}

/* What describes them goes; nobody is left who could have kept a pointer. At unload. */
void quarry_forgotten_exit(void)
{
	struct quarry_pool *pool, *next;

	list_for_each_entry_safe(pool, next, &forgotten, forgotten) {
		list_del_init(&pool->forgotten);
		quarry_pool_look_away(pool);
	}
}
