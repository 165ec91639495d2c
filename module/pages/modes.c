// SPDX-License-Identifier: GPL-2.0
/*
 * Switching the modes of a pool that is in use. What they do is in guard.c.
 *
 *	on    each arena gets its table --> the lists are blocked --> [modes]
 *	off   [no modes] --> who is under way is through --> the tables go --> lists as before
 *
 * In this order, so that a frame which says that it is filled is taken by nobody who does not
 * look: see the invariant in guard.c. Arenas that come while a pool has tables bring
 * theirs; where there is no memory for one, its blocks have no owner and are not checked. One
 * that is on its way during a switch is made to fit what the pool wants when it enters its zone,
 * under whose lock both that and the walks here are: either it is seen here, or it sees what we
 * have said before. From one set of modes to another nothing is to be done.
 *
 * Contexts: everything here sleeps.
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../base/inject.h"
#include "guard.h"
#include "pcp.h"

static DEFINE_MUTEX(modes_mutex);

static size_t table_bytes(u32 nr)
{
	return sizeof(struct quarry_page_table) + nr * sizeof(struct quarry_page_record);
}

/* @may: what the caller may do to get the memory. */
static struct quarry_page_table *table_alloc(u32 nr, gfp_t may)
{
	if (quarry_inject() || table_bytes(nr) > INT_MAX)
		return NULL;
	return kvzalloc(table_bytes(nr), may | __GFP_NOWARN | __GFP_NORETRY);
}

/* Hang it up, or take it down. Under the zone's lock, or before a block of the arena is out. */
static void hang_up(struct quarry_pool *pool, struct quarry_page_arena *c,
		    struct quarry_page_table *t)
{
	WRITE_ONCE(c->table, t);
	c->metadata_bytes += table_bytes(c->nr);
	atomic64_add(table_bytes(c->nr), &pool->metadata);
}

static struct quarry_page_table *take_down(struct quarry_pool *pool, struct quarry_page_arena *c)
{
	struct quarry_page_table *t = c->table;

	WRITE_ONCE(c->table, NULL);
	if (t) {
		c->metadata_bytes -= table_bytes(c->nr);
		atomic64_sub(table_bytes(c->nr), &pool->metadata);
	}
	return t;
}

/**
 * quarry_page_arena_fit_table() - an arena comes to a pool
 * @pool:	the pool
 * @c:		an arena that is not in its zone's tree yet
 *
 * If its blocks are to be recorded it gets a table, if there is memory for it; else it has none.
 * Context: sleeps. The pool may be growing for a file system or a disk that is about to free
 * memory: nothing is asked of these, and none of what the kernel keeps for them is taken.
 *
 * Return: what it was fitted to; the pool may want something else by now.
 */
bool quarry_page_arena_fit_table(struct quarry_pool *pool, struct quarry_page_arena *c)
{
	bool tabled = READ_ONCE(pool->tabled);
	struct quarry_page_table *t;

	if (!tabled) {
		kvfree(take_down(pool, c));
	} else if (c->span && !c->table) {
		t = table_alloc(c->nr, GFP_NOIO | __GFP_NOMEMALLOC);
		if (t)
			hang_up(pool, c, t);
	}
	return tabled;
}

/* A table for each arena that has none. Returns 0 or -ENOMEM. */
static int make_tables(struct quarry_pool *pool)
{
	unsigned long pfn = 0, flags, first;
	struct quarry_page_table *t = NULL;
	struct quarry_page_arena *c;
	struct quarry_zone *z;
	u32 room = 0, nr;

	while ((c = quarry_pool_arena(pool, false, pfn, &z, &flags))) {
		first = c->pfn;
		nr = c->nr;
		if (!c->table && room == nr) {
			hang_up(pool, c, t);
			t = NULL;
			room = 0;
		}
		if (c->table) {
			pfn = first + nr;
			nr = 0;
		}
		quarry_zone_unlock(z, flags);
		if (nr) {
			/* It is looked up again when there is a table, for it may go meanwhile. */
			kvfree(t);
			room = nr;
			t = table_alloc(nr, GFP_KERNEL);
			if (!t)
				return -ENOMEM;
			pfn = first;
		}
		cond_resched();
	}
	kvfree(t);
	return 0;
}

/* The tables of all arenas go, when nobody looks at them any more. */
static void drop_tables(struct quarry_pool *pool)
{
	unsigned long pfn = 0, flags;
	struct quarry_page_table *t;
	struct quarry_page_arena *c;
	struct quarry_zone *z;

	while ((c = quarry_pool_arena(pool, false, pfn, &z, &flags))) {
		t = take_down(pool, c);
		pfn = c->pfn + c->nr;
		quarry_zone_unlock(z, flags);
		if (t)
			kvfree_rcu(t, rcu);
		cond_resched();
	}
}

/* There are no modes: it is as if there had never been any. */
static void leave_tables(struct quarry_pool *pool)
{
	WRITE_ONCE(pool->tabled, false);
	/* Who is under way with what he knows of the modes must be through. */
	synchronize_rcu();
	drop_tables(pool);
	WRITE_ONCE(pool->guarded, false);
	quarry_pool_block_fastpath(pool);
}

static int enter_tables(struct quarry_pool *pool)
{
	int err;

	WRITE_ONCE(pool->tabled, true);
	err = make_tables(pool);
	if (err) {
		leave_tables(pool);
		return err;
	}
	WRITE_ONCE(pool->guarded, true);
	quarry_pool_block_fastpath(pool);
	return 0;
}

/**
 * quarry_pool_set_modes() - switch the modes of a pool
 * @pool:	the pool, in use or not
 * @modes:	QUARRY_MODE_CHECK and QUARRY_MODE_OWNER are what there is; all others go off
 *
 * CHECK: pages are filled when they are freed, and looked at when they are allocated; a write
 * in between is counted and reported. OWNER: the stacks of the last allocation and free
 * are kept, for such a report and for who looks for a leak. Blocks that are out when the
 * first goes on have no owner. While any is on no call takes the fast path.
 *
 * Context: sleeps. Return: 0; -EINVAL for a mode that pools do not have; -ENOMEM. Then
 * nothing has changed.
 */
int quarry_pool_set_modes(struct quarry_pool *pool, unsigned int modes)
{
	int err = 0;
	u32 before;

	if (modes & ~QUARRY_POOL_MODES)
		return -EINVAL;
	mutex_lock(&modes_mutex);
	before = pool->modes;
	if (modes & ~before & QUARRY_MODE_OWNER)
		err = quarry_inject() ? -ENOMEM : stack_depot_init();
	if (!err && modes && !before)
		err = enter_tables(pool);
	if (!err)
		WRITE_ONCE(pool->modes, modes);
	if (!err && !modes && before)
		leave_tables(pool);
	mutex_unlock(&modes_mutex);
	return err;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_set_modes, QUARRY_NS);

/**
 * quarry_pool_modes() - the modes that are on
 * @pool:	the pool
 *
 * Context: any. Return: QUARRY_MODE_*.
 */
unsigned int quarry_pool_modes(const struct quarry_pool *pool)
{
	return READ_ONCE(pool->modes);
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_modes, QUARRY_NS);
