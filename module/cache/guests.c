// SPDX-License-Identifier: GPL-2.0
/*
 * Guests: what others keep in the default pool, and can do without.
 *
 * A file system that was not written for quarry keeps inodes for as long as the kernel has
 * memory, and gives them up when the kernel has none, by shrinkers. A pool at its cap is no
 * matter to the kernel: its guests would be refused for ever what they themselves could free.
 * So their shrinkers are known here, and a pool that is full calls them:
 *
 *	allocation, refused otherwise --wake--> work: every shrinker, once --free--> caches
 *	        `---- waits for a round, a while ----'
 *
 *	shrinker	that a guest has registered (extents of ext4, buffers of xfs)
 *	file system	a type; of each of its mounts the shrinker of dentries and inodes, and the
 *			clean pages of files that nobody has open, for with them an inode stays
 *
 * An inode that is dirty stays too, be it by a read that has moved its time, and the kernel writes
 * such only when they are old. Where there are idle ones, all of that mount are written:
 *
 *	round: ask --dirty--> work: write, mount by mount        (waits for disks and transactions)
 *	          `---------- wait a little --> ask again
 *
 * The round does not wait for it longer: a transaction may be open whose owner waits for the round.
 * A round in which little goes asks again, for what was used lately goes at the second asking.
 *
 * The kernel lists dentries, and whatever else is charged to a memory cgroup, by group. Each group
 * is asked for its own, or what services use would stay, and the inodes below it.
 *
 * The work has PF_MEMALLOC, as whoever reclaims in the kernel: what it allocates itself comes
 * from the pool's reserve and calls no shrinker. Inodes go after a grace period, for which it
 * waits. Whoever waits for it may hold what a shrinker needs, so he waits for a bounded time.
 *
 * The kernel shows a type's mounts with the lock of each held, in its own order, and waits for
 * it. A mount that comes, goes or is remounted has it: as long as that takes the round stands
 * there, and no mount after it is asked. Who waits is refused then, each after A_WHILE.
 *
 * Contexts: coming, going and waiting sleep. Cost: a call a shrinker, a mount, a node and a memory
 * cgroup, and a look at each inode, in each pass, when an allocation fails otherwise.
 */
#include <linux/cgroup.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/memcontrol.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/writeback.h>

#include "../base/inject.h"
#include "cache.h"

/*
 * Objects that a shrinker is asked for at a time, and that a round is content with: the kernel's
 * own SHRINK_BATCH.
 */
#define BATCH	128L

/* How long somebody waits who may hold a lock that a shrinker wants. */
#define A_WHILE	(HZ / 5)

/* How long a round waits for writers: who waits for the round is to see what comes of it. */
#define A_LITTLE	(A_WHILE / 2)

/* How often a round asks for a quarter: all that a shrinker has, and once more what was used. */
#define PASSES	8

/**
 * struct guest - whom to ask
 * @link:	in the list of all
 * @what:	the struct shrinker or struct file_system_type
 * @mounts:	it is a file system
 */
struct guest {
	struct list_head link;
	void *what;
	bool mounts;
};

/*
 * The list, and who is being asked, or written: he does not go before that has ended. All others
 * come and go meanwhile, since a mount that goes takes its shrinker away under a lock that who
 * goes over mounts waits for.
 */
static DEFINE_MUTEX(guests_mutex);
static LIST_HEAD(guests);
static unsigned int nr_guests;
static struct guest *asked, *written;
static DECLARE_WAIT_QUEUE_HEAD(answered);

/* Rounds that have ended, and objects that have gone in all of them. */
static atomic_t rounds;
static atomic_long_t gone;
/* Times that mounts were written. */
static atomic_t writes;
static DECLARE_WAIT_QUEUE_HEAD(ended);

/* Call @f with each guest. The one of now stands in @at. */
static void call_guests(struct guest **at, void (*f)(struct guest *g, void *arg), void *arg)
{
	struct guest *g;

	mutex_lock(&guests_mutex);
	list_for_each_entry(g, &guests, link) {
		WRITE_ONCE(*at, g);
		mutex_unlock(&guests_mutex);
		f(g, arg);
		mutex_lock(&guests_mutex);
		/* It is on the list still: who takes it off has waited. */
		WRITE_ONCE(*at, NULL);
		wake_up_all(&answered);
	}
	mutex_unlock(&guests_mutex);
}

/*
 * Ask one shrinker on one node for a quarter of what it has of a group: as the kernel does when it
 * is low.
 */
static void guests_ask_on(struct shrinker *s, int nid, struct mem_cgroup *group)
{
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL, .nid = nid, .memcg = group };
	unsigned long nr = s->count_objects(s, &sc), freed, at;

	if (!nr || nr == SHRINK_EMPTY)
		return;
	for (at = 0; at <= nr / 4; at += BATCH) {
		sc.nr_to_scan = BATCH;
		sc.nr_scanned = BATCH;
		freed = s->scan_objects(s, &sc);
		if (freed == SHRINK_STOP)
			return;
		atomic_long_add(freed, &gone);
		cond_resched();
	}
}

#ifdef CONFIG_MEMCG
/* The memory cgroup after @at, which is let go of; the first one for NULL, which ends it too. */
static struct mem_cgroup *next_group(struct mem_cgroup *at)
{
	struct cgroup_subsys_state *was = at ? &at->css : NULL, *css = was, *root;

	rcu_read_lock();
	for (root = task_css(current, memory_cgrp_id); root->parent;)
		root = root->parent;
	do {
		css = css_next_descendant_pre(css, root);
	} while (css && !css_tryget(css));
	rcu_read_unlock();
	if (was)
		css_put(was);
	return mem_cgroup_from_css(css);
}
#else
static struct mem_cgroup *next_group(struct mem_cgroup *at)
{
	return NULL;
}
#endif

static void guests_ask(struct shrinker *s)
{
	bool by_group = s->flags & SHRINKER_MEMCG_AWARE && !mem_cgroup_disabled();
	struct mem_cgroup *group = NULL;
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		if (!by_group)
			guests_ask_on(s, nid, NULL);
		while (by_group && (group = next_group(group)))
			guests_ask_on(s, nid, group);
		/* One that does not know nodes has answered for all of them. */
		if (!(s->flags & SHRINKER_NUMA_AWARE))
			break;
	}
}

/*
 * Inodes that nobody uses, but that have pages of a file: the kernel does not list them with those
 * that can go before it needs the pages, which here it does not. What is clean of them goes.
 * Returns whether there are some that nobody uses and that are dirty.
 */
static bool drop_pages(struct super_block *sb)
{
	struct inode *inode, *held = NULL;
	bool idle, dirty = false;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		idle = !atomic_read(&inode->i_count);
		dirty |= idle && quarry_inode_state(inode) & I_DIRTY_ALL;
		idle &= !mapping_empty(inode->i_mapping);
		/* Nobody waits for the lock while many are passed by. */
		if (!idle && !need_resched())
			continue;
		/* Not if it is going. */
		if (!igrab(inode))
			continue;
		/* It stays on the list, and with it our place there. */
		spin_unlock(&sb->s_inode_list_lock);
		if (idle)
			invalidate_mapping_pages(inode->i_mapping, 0, -1);
		iput(held);
		held = inode;
		cond_resched();
		spin_lock(&sb->s_inode_list_lock);
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(held);
	return dirty;
}

static void ask_mount(struct super_block *sb, void *dirty)
{
	struct shrinker *s = quarry_super_shrinker(sb);

	/* Dentries, so that nobody uses the inodes; then these. */
	guests_ask(s);
	if (drop_pages(sb))
		*(bool *)dirty = true;
	guests_ask(s);
}

static void ask_guest(struct guest *g, void *dirty)
{
	if (g->mounts)
		iterate_supers_type(g->what, ask_mount, dirty);
	else
		guests_ask(g->what);
}

static void write_mount(struct super_block *sb, void *unused)
{
	if (!sb_rdonly(sb))
		writeback_inodes_sb(sb, WB_REASON_VMSCAN);
}

static void write_guest(struct guest *g, void *unused)
{
	if (g->mounts)
		iterate_supers_type(g->what, write_mount, NULL);
}

static void write_all(struct work_struct *work)
{
	call_guests(&written, write_guest, NULL);
	atomic_inc(&writes);
	wake_up_all(&ended);
}

static DECLARE_WORK(write_work, write_all);

/* Where inodes are dirty they are clean, or about to be, when this returns. */
static void write_a_little(void)
{
	int before = atomic_read(&writes);

	queue_work(quarry_any_cpu_wq, &write_work);
	wait_event_timeout(ended, atomic_read(&writes) - before > 0, A_LITTLE);
}

static void guests_round(struct work_struct *work)
{
	unsigned int flags = memalloc_noreclaim_save(), passes = PASSES;
	long before = atomic_long_read(&gone);
	bool dirty = false;

	call_guests(&asked, ask_guest, &dirty);
	if (dirty) {
		write_a_little();
		call_guests(&asked, ask_guest, &dirty);
	}
	while (atomic_long_read(&gone) - before < BATCH && --passes)
		call_guests(&asked, ask_guest, &dirty);
	memalloc_noreclaim_restore(flags);
	/* Inodes come back by call_rcu(). */
	rcu_barrier();
	atomic_inc(&rounds);
	wake_up_all(&ended);
}

static DECLARE_WORK(work, guests_round);

/**
 * quarry_guests_shrink() - have guests of the default pool give up what they can
 * @pool:	the pool that is full
 *
 * Context: sleeps, for a while. Return: objects that went meanwhile, by anybody's asking; 0
 * also if there are no guests, or if the caller is himself asked by a shrinker.
 */
u64 quarry_guests_shrink(struct quarry_pool *pool)
{
	long before = atomic_long_read(&gone);
	int round;

	if (likely(!READ_ONCE(nr_guests)) || pool != quarry_pool_default() ||
	    current->flags & PF_MEMALLOC)
		return 0;
	/* One that is under way will do: what it frees is as good. */
	round = atomic_read(&rounds);
	queue_work(quarry_any_cpu_wq, &work);
	wait_event_timeout(ended, atomic_read(&rounds) - round > 0, A_WHILE);
	return atomic_long_read(&gone) - before;
}

static int guests_add(void *what, bool mounts)
{
	struct guest *g = quarry_inject() ? NULL : kmalloc(sizeof(*g), GFP_KERNEL);

	if (!g)
		return -ENOMEM;
	g->what = what;
	g->mounts = mounts;
	mutex_lock(&guests_mutex);
	/* Mounts come last: one that keeps the round waiting keeps no shrinker from being asked. */
	if (mounts)
		list_add_tail(&g->link, &guests);
	else
		list_add(&g->link, &guests);
	WRITE_ONCE(nr_guests, nr_guests + 1);
	mutex_unlock(&guests_mutex);
	return 0;
}

/* Takes guests_mutex. */
static struct guest *guests_find(const void *what)
{
	struct guest *g;

	mutex_lock(&guests_mutex);
	list_for_each_entry(g, &guests, link)
		if (g->what == what)
			return g;
	return NULL;
}

static bool guests_is_busy(const struct guest *g)
{
	return READ_ONCE(asked) == g || READ_ONCE(written) == g;
}

/**
 * quarry_guest_remove() - a shrinker or file system is not called any more
 * @what:	it, added or not
 *
 * Context: sleeps, until it has answered if it is being asked. Not under a lock that it waits for.
 */
void quarry_guest_remove(void *what)
{
	struct guest *g = guests_find(what);

	while (g && guests_is_busy(g)) {
		mutex_unlock(&guests_mutex);
		wait_event(answered, !guests_is_busy(g));
		g = guests_find(what);
	}
	if (g) {
		list_del(&g->link);
		WRITE_ONCE(nr_guests, nr_guests - 1);
		kfree(g);
	}
	mutex_unlock(&guests_mutex);
}
EXPORT_SYMBOL_NS_GPL(quarry_guest_remove, QUARRY_NS);

/**
 * quarry_guest_add_shrinker() - call a shrinker when the default pool is full
 * @s:	registered with the kernel, or about to be
 *
 * For who has objects in the pool that it frees. Context: sleeps. Return: 0 or -ENOMEM: then
 * the kernel alone calls it.
 */
int quarry_guest_add_shrinker(struct shrinker *s)
{
	return guests_add(s, false);
}
EXPORT_SYMBOL_NS_GPL(quarry_guest_add_shrinker, QUARRY_NS);

/**
 * quarry_guest_add_filesystem() - have a full pool take inodes from a file system's mounts
 * @type:	whose inodes are objects of the default pool
 *
 * Context: sleeps. Return: 0 or -ENOMEM, as quarry_guest_add_shrinker().
 */
int quarry_guest_add_filesystem(struct file_system_type *type)
{
	return guests_add(type, true);
}
EXPORT_SYMBOL_NS_GPL(quarry_guest_add_filesystem, QUARRY_NS);

/* Nobody is left who could be asked. Context: sleeps. */
void quarry_guests_exit(void)
{
	flush_work(&work);
	/* Which a round has begun. */
	flush_work(&write_work);
}
