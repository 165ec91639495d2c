// SPDX-License-Identifier: GPL-2.0
/*
 * Frames whose hardware has failed are not handed out again, as long as their range stays whole:
 * while a range of more than 128 MiB leaves, in bites, one that was kept is free for a moment.
 *
 * The kernel finds out (a machine check, a patrol scrubber, hard_offline_page), marks the page
 * and tells by its tracepoint memory_failure_event; of a page that is quarry's it can do no more.
 * What is to be done depends on where the frame is, and it may be on its way:
 *
 *	free in the buddy	it is claimed, as a run of one frame, and kept
 *	on a CPU's list		the lists are drained; then it is free, or somebody has it
 *	part of a block		the block is marked direct: its free goes past the lists to the
 *				zone. The frame is sought
 *	part of a run		the same, without a mark
 *
 *	sought --the zone's lock is taken after it was freed--> kept
 *
 * A block that is direct comes to the zone in one hold of its lock, and is looked for at the
 * beginning of the next, so nobody can claim it in between: see quarry_zone_lock(), which pays
 * nothing for this while nothing is sought.
 *
 * Kept frames count as retired, not as out. When their arena goes they go with it, page by
 * page, and the kernel, whose mark they have, gives them to nobody. Until then the arena
 * stays with the pool.
 *
 * While any is sought each hold of the zone's lock begins with a look at all of the zone's: there
 * are as many as the hardware has lost.
 *
 * Slabs are blocks in use: objects of a slab are handed out until its cache gives it back.
 *
 * Contexts: the kernel tells us with preemption off, where on PREEMPT_RT nothing can be allocated,
 * and an arena leaves under its zone's lock, where nothing can be freed. So what we are told of is
 * noted in places that are there, a work does the rest, and what is not needed any more waits for
 * somebody without the lock (quarry_poison_tidy()).
 */
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "../arena/directory.h"
#include "guard.h"
#include "pcp.h"

/* So often a frame is looked for that moves from one place to another all the while. */
#define TRIES	16

/* So many frames can be told of before one is seen to. */
#define TOLD	64

/**
 * struct quarry_poisoned - a frame that is sought or kept
 * @link:	in its zone
 * @spent:	its arena has left: it can go
 * @pfn:	which
 * @c:		its arena, which stays while the frame is not free
 * @kept:	nobody can get it
 */
struct quarry_poisoned {
	struct list_head link;
	struct llist_node spent;
	unsigned long pfn;
	struct quarry_page_arena *c;
	bool kept;
};

/* Where a frame was found. */
enum found {
	NOWHERE,	/* not, or not any more: it is no pool's */
	KEPT,
	SOUGHT,
	LISTED,		/* on a CPU's list, in a mempool's stock, or freed in NMI */
};

/* Frames that we were told of, each 1 more than its number; 0: a place that is free. */
static unsigned long told[TOLD];

static LLIST_HEAD(spent);

/* Under the zone's lock, as all that has to do with it. */
static void set_seeks(struct quarry_zone *z, bool seeks)
{
	WRITE_ONCE(z->seeks, seeks);
	z->todo |= seeks;
}

static struct quarry_frame frame_of(const struct quarry_poisoned *p)
{
	return (struct quarry_frame){ p->pfn - p->c->arena.base };
}

/* Keep one that is free. Under the zone's lock. */
static bool try_keep(struct quarry_zone *z, struct quarry_poisoned *p)
{
	struct quarry_page_table *t = READ_ONCE(p->c->table);
	bool zero;

	if (p->kept || quarry_buddy_claim_at(&z->buddy, &p->c->arena, frame_of(p), 0,
					     QUARRY_STATE_RUN, &zero))
		return p->kept;
	/* It is nobody's: its last owner is not to be blamed for it. */
	if (t)
		t->record[quarry_page_arena_number(p->c, frame_of(p))].stack[QUARRY_PAGE_ALLOC] = 0;
	p->kept = true;
	z->nr_kept++;
	return true;
}

/* Those that have become free are kept. Under the zone's lock. */
void quarry_zone_keep_poisoned(struct quarry_zone *z)
{
	struct quarry_poisoned *p;
	bool sought = false;

	list_for_each_entry(p, &z->poisoned, link)
		sought |= !try_keep(z, p);
	set_seeks(z, sought);
}

/**
 * quarry_zone_free_poisoned() - what is kept of an arena is free, and goes with it
 * @z:	the zone
 * @c:	the arena; nothing happens if anything else of it is out
 *
 * Context: under the zone's lock. The arena leaves before somebody else has that, or
 * quarry_zone_seek_again() is called: a range that leaves in bites can lose a frame between two.
 */
void quarry_zone_free_poisoned(struct quarry_zone *z, struct quarry_page_arena *c)
{
	struct quarry_poisoned *p;
	u32 kept = 0;

	list_for_each_entry(p, &z->poisoned, link)
		kept += p->c == c && p->kept;
	if (!kept || c->arena.nfree + kept != c->nr)
		return;
	set_seeks(z, false);
	list_for_each_entry(p, &z->poisoned, link) {
		if (p->c != c || !p->kept)
			continue;
		quarry_buddy_free_run(&z->buddy, &c->arena, frame_of(p), 1, false);
		p->kept = false;
		z->nr_kept--;
	}
}

/* What is known of a zone is looked for again, if there is anything. Under the zone's lock. */
void quarry_zone_seek_again(struct quarry_zone *z)
{
	set_seeks(z, !list_empty(&z->poisoned));
}

/**
 * quarry_zone_drop_poisoned() - an arena has left
 * @z:	its zone
 * @c:	the arena, or NULL: all of them have
 *
 * Context: under the zone's lock; quarry_poison_tidy() is to be called without it.
 */
void quarry_zone_drop_poisoned(struct quarry_zone *z, const struct quarry_page_arena *c)
{
	struct quarry_poisoned *p, *next;

	list_for_each_entry_safe(p, next, &z->poisoned, link) {
		if (c && p->c != c)
			continue;
		z->nr_kept -= p->kept;
		list_del(&p->link);
		llist_add(&p->spent, &spent);
	}
	quarry_zone_seek_again(z);
}

/**
 * quarry_poison_tidy() - free what quarry_zone_drop_poisoned() has left
 *
 * Context: any that may free memory.
 */
void quarry_poison_tidy(void)
{
	struct quarry_poisoned *p, *next;

	if (likely(llist_empty(&spent)))
		return;
	llist_for_each_entry_safe(p, next, llist_del_all(&spent), spent)
		kfree(p);
}

/* Under the zone's lock: the frame is part of what begins at @state. Returns where it is. */
static enum found poison_mark(u8 *state)
{
	u8 was = READ_ONCE(*state), kind;
	unsigned int order;

	do {
		kind = was & QUARRY_STATE_KIND;
		order = quarry_state_order(was);
		if (kind == QUARRY_STATE_RUN || kind == QUARRY_STATE_RUN_MORE)
			return SOUGHT;
		if (kind != QUARRY_STATE_ALLOC && kind != QUARRY_STATE_SLAB)
			return LISTED;
	} while (!try_cmpxchg(state, &was, quarry_state(kind, order, true)));
	return SOUGHT;
}

static struct quarry_poisoned *poison_known(struct quarry_zone *z, unsigned long pfn)
{
	struct quarry_poisoned *p;

	list_for_each_entry(p, &z->poisoned, link)
		if (p->pfn == pfn)
			return p;
	return NULL;
}

/*
 * Look where a frame is. If it is not known yet, *@fresh is what its zone knows of it from then
 * on, and NULL. @p: what is known, or is to be.
 */
static enum found poison_look(struct quarry_zone *z, struct quarry_page_arena *c,
			      struct quarry_poisoned *p)
{
	struct quarry_frame head;

	if (try_keep(z, p))
		return KEPT;
	set_seeks(z, true);
	if (!quarry_arena_head(&c->arena, frame_of(p), &head))
		return LISTED;
	return poison_mark(&c->arena.state[head.i]);
}

static enum found look_in(struct quarry_pool *pool, unsigned long pfn,
			  struct quarry_poisoned **fresh)
{
	enum found found = NOWHERE;
	struct quarry_poisoned *p;
	struct quarry_page_arena *c;
	struct quarry_zone *z;
	unsigned long flags;

	c = quarry_pool_arena(pool, false, pfn, &z, &flags);
	if (!c)
		return NOWHERE;
	if (c->pfn <= pfn && pfn - c->pfn < c->nr) {
		p = poison_known(z, pfn);
		if (!p && *fresh) {
			p = *fresh;
			*fresh = NULL;
			p->c = c;
			list_add(&p->link, &z->poisoned);
		}
		if (p)
			found = poison_look(z, c, p);
	}
	quarry_zone_unlock(z, flags);
	return found;
}

/*
 * Have a frame kept or sought. Whoever was about to mark its block otherwise is through after a
 * grace period, so a block that is direct then stays so.
 */
static void poison_seek(struct quarry_pool *pool, struct quarry_poisoned **fresh)
{
	unsigned long pfn = (*fresh)->pfn;
	unsigned int tries = TRIES;
	bool sure = false;
	enum found found;

	/* The arena may go meanwhile, and what is known of the frame with it. */
	while (tries--) {
		found = look_in(pool, pfn, fresh);
		if (found == NOWHERE || found == KEPT || (found == SOUGHT && sure))
			return;
		sure = found == SOUGHT;
		if (sure)
			synchronize_rcu();
		else
			quarry_pcp_drain_all(pool, QUARRY_FOREVER);
	}
}

static void see_to_frame(unsigned long pfn)
{
	struct quarry_poisoned *p = kzalloc(sizeof(*p), GFP_KERNEL);
	struct quarry_pool *pool = NULL;

	if (!p) {
		pr_err("no memory to note that the hardware of a frame has failed\n");
		return;
	}
	p->pfn = pfn;
	while (p && (pool = quarry_pool_look_next(pool))) {
		poison_seek(pool, &p);
		if (!p)
			pr_err("pool %s: the hardware of a frame has failed: nobody gets it again\n",
			       pool->name);
	}
	if (!p)
		quarry_pool_look_away(pool);
	kfree(p);
}

static void poison_see_to(struct work_struct *work)
{
	unsigned long pfn;
	unsigned int i;

	for (i = 0; i < TOLD; i++) {
		pfn = xchg(&told[i], 0);
		if (pfn)
			see_to_frame(pfn - 1);
	}
}

static DECLARE_WORK(work, poison_see_to);

/**
 * quarry_frame_failed() - the hardware of a frame has failed
 * @pfn:	the frame, anybody's
 *
 * Context: any but NMI. quarry_poison_settle() waits until it is seen to.
 */
void quarry_frame_failed(unsigned long pfn)
{
	unsigned int i;

	if (!pfn_valid(pfn) || !quarry_owns_page(pfn_to_page(pfn)))
		return;
	for (i = 0; i < TOLD; i++)
		if (!cmpxchg(&told[i], 0, pfn + 1)) {
			queue_work(quarry_any_cpu_wq, &work);
			return;
		}
	pr_err("too many frames have failed at once: one is not noted\n");
}

/* Context: sleeps. */
void quarry_poison_settle(void)
{
	flush_work(&work);
}

/**
 * quarry_block_is_poisoned() - has a block a frame that is sought?
 * @pool:	its pool
 * @page:	its first page; it is in the caller's hands
 * @nr:		its pages
 *
 * If so it is direct from now on, and kept when it is freed. Context: any but NMI. Costs a look a
 * zone if nothing is sought.
 */
bool quarry_block_is_poisoned(struct quarry_pool *pool, struct page *page, unsigned long nr)
{
	unsigned long pfn = page_to_pfn(page), flags;
	struct quarry_zone *z = NULL;
	struct quarry_poisoned *p;
	bool is = false;

	while (!is && (z = quarry_zone_next(pool, z))) {
		if (likely(!READ_ONCE(z->seeks)))
			continue;
		quarry_zone_lock(z, &flags);
		list_for_each_entry(p, &z->poisoned, link)
			if (p->pfn - pfn < nr)
				is = poison_look(z, p->c, p) == SOUGHT;
		quarry_zone_unlock(z, flags);
	}
	return is;
}

/* The kernel has given up a page, or tried to. Preemption may be off. */
static void see_failure(void *data, unsigned long pfn, int type, int result)
{
	quarry_frame_failed(pfn);
}

static struct tracepoint *tells;

static void poison_find(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "memory_failure_event"))
		tells = tp;
}

/*
 * Be told. A kernel without that tracepoint does not find out either, or it has no
 * CONFIG_RAS. Context: module load. Return: 0 or an error.
 */
int quarry_poison_init(void)
{
	for_each_kernel_tracepoint(poison_find, NULL);
	return tells ? tracepoint_probe_register(tells, (void *)see_failure, NULL) : 0;
}

/* Context: sleeps; before the pools go. */
void quarry_poison_exit(void)
{
	if (tells) {
		tracepoint_probe_unregister(tells, (void *)see_failure, NULL);
		tracepoint_synchronize_unregister();
	}
	flush_work(&work);
}
