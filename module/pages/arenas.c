// SPDX-License-Identifier: GPL-2.0
/*
 * The arenas of a zone: by address, and how they come and go.
 *
 * Model
 *	A zone has a tree of its arenas, ordered by their first frame, under its lock.
 *	Whoever looks for memory at some place, or for an arena without struct pages,
 *	which the directory does not know, finds the next one from there in a
 *	logarithm of steps; whoever goes along may let go of the lock, for an address is
 *	where he goes on.
 *
 *	An arena comes in three steps, and goes in the same ones backwards:
 *
 *	  directory	a page leads to it
 *	  serve		to its zone, too: a free may come as soon as a block is claimed
 *	  join		bite by bite its frames are free (buddy/arena.c); from the first
 *			one on it is in the tree
 *
 * Contexts: coming and going sleeps, whatever is not said to be under the lock.
 *
 * Cost: with interrupts off that of one bite, some ten microseconds, and for an arena of
 * the kernel's it is the only one.
 */
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/sched.h>

#include "../arena/directory.h"
#include "../base/inject.h"
#include "../buddy/place.h"
#include "guard.h"
#include "misuse.h"
#include "pcp.h"

static struct quarry_page_arena *arena_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct quarry_page_arena, node) : NULL;
}

/**
 * quarry_zone_arena() - the first arena that has a frame in a window
 * @z:		the zone
 * @pfn:	first frame of the window
 * @end:	first frame after it
 * @top_down:	the last such arena
 *
 * Context: under the zone's lock. Return: the arena, or NULL.
 */
struct quarry_page_arena *quarry_zone_arena(struct quarry_zone *z, unsigned long pfn,
					    unsigned long end, bool top_down)
{
	struct rb_node *node = z->arenas.rb_node;
	struct quarry_page_arena *c, *best = NULL;

	while (node) {
		c = arena_of(node);
		if (c->pfn >= end) {
			node = node->rb_left;
		} else if (c->pfn + c->nr <= pfn) {
			node = node->rb_right;
		} else {
			best = c;
			node = top_down ? node->rb_right : node->rb_left;
		}
	}
	return best;
}

/* The number of the first arena's first frame from @pfn on, or ULONG_MAX. */
static unsigned long first_from(struct quarry_zone *z, unsigned long pfn)
{
	unsigned long at = ULONG_MAX, flags;
	struct quarry_page_arena *c;

	if (quarry_zone_lock(z, &flags)) {
		c = quarry_zone_arena(z, pfn, ULONG_MAX, false);
		at = c ? c->pfn : ULONG_MAX;
		quarry_zone_unlock(z, flags);
	}
	return at;
}

/**
 * quarry_pool_arena() - a pool's first arena from a frame on
 * @pool:	the pool
 * @device:	of the memory without struct pages, or of that with
 * @pfn:	the frame
 * @zone:	set to its zone, which is locked
 * @flags:	for quarry_zone_unlock()
 *
 * For those who go through a pool by address: a bite of an arena, unlock, and from there
 * again. Context: any but NMI. Return: the arena, or NULL, and then nothing is locked.
 */
struct quarry_page_arena *quarry_pool_arena(struct quarry_pool *pool, bool device,
					    unsigned long pfn, struct quarry_zone **zone,
					    unsigned long *flags)
{
	unsigned long at, first;
	struct quarry_zone *z;
	struct quarry_page_arena *c;

	for (;;) {
		*zone = NULL;
		first = ULONG_MAX;
		for (z = quarry_zone_next(pool, NULL); z; z = quarry_zone_next(pool, z)) {
			if (z->node == NUMA_NO_NODE ? !device : device)
				continue;
			at = first_from(z, pfn);
			if (at < first) {
				first = at;
				*zone = z;
			}
		}
		if (!*zone || !quarry_zone_lock(*zone, flags))
			return NULL;
		c = quarry_zone_arena(*zone, pfn, ULONG_MAX, false);
		if (c)
			return c;
		/* It has gone since; there may be others. */
		quarry_zone_unlock(*zone, *flags);
	}
}

/* The arena after this one, or before it. Under the zone's lock. */
struct quarry_page_arena *quarry_zone_beside(struct quarry_page_arena *c, bool top_down)
{
	return arena_of(top_down ? rb_prev(&c->node) : rb_next(&c->node));
}

static void tree_insert(struct quarry_zone *z, struct quarry_page_arena *c)
{
	struct rb_node **at = &z->arenas.rb_node, *parent = NULL;

	while (*at) {
		parent = *at;
		at = c->pfn < arena_of(parent)->pfn ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&c->node, parent, at);
	rb_insert_color(&c->node, &z->arenas);
}

/* Join by a bite: true if that was the last one. */
static bool arenas_join(struct quarry_zone *z, struct quarry_page_arena *c, bool zero)
{
	unsigned long flags;
	bool joined;

	quarry_zone_lock(z, &flags);
	joined = quarry_buddy_join(&z->buddy, &c->arena, zero);
	quarry_zone_unlock(z, flags);
	return joined;
}

/**
 * quarry_zone_enter() - an arena comes into its zone's tree, with the first bite of its frames
 * @z:		the zone
 * @c:		an arena that serves it already
 * @tabled:	what it was made to fit, see quarry_page_arena_fit_table()
 * @joined:	set if that bite was the last one
 *
 * Context: any but NMI. Return: false, and nothing has happened, if the pool's modes have been
 * switched since.
 */
bool quarry_zone_enter(struct quarry_zone *z, struct quarry_page_arena *c, bool tabled,
		       bool *joined)
{
	unsigned long flags;
	bool fits;

	quarry_zone_lock(z, &flags);
	fits = READ_ONCE(z->pool->tabled) == tabled;
	if (fits) {
		tree_insert(z, c);
		atomic_inc(&z->pool->arena_changes);
		*joined = quarry_buddy_join(&z->buddy, &c->arena, c->zero);
	}
	quarry_zone_unlock(z, flags);
	return fits;
}

/**
 * quarry_zone_add() - put an arena into service
 * @z:	the zone
 * @c:	an arena that belongs to nobody; its frames are counted as managed already
 *
 * Context: sleeps. Return: 0, or what quarry_directory_insert() says.
 */
int quarry_zone_add(struct quarry_zone *z, struct quarry_page_arena *c)
{
	bool tabled, joined;
	unsigned long flags;
	int err = 0;

	c->id = atomic_inc_return(&z->pool->next_arena) - 1;
	if (c->kind != QUARRY_ARENA_DEVICE)
		err = quarry_inject() ? -ENOMEM : quarry_directory_insert(c);
	if (err)
		return err;
	atomic64_add(c->metadata_bytes, &z->pool->metadata);
	if (c->kind == QUARRY_ARENA_KERNEL)
		atomic64_add(c->nr, &z->pool->held);
	quarry_zone_lock(z, &flags);
	quarry_buddy_choose_place(&z->buddy, &c->arena);
	quarry_zone_unlock(z, flags);
	/* Known before it is used: a block may be freed as soon as it is claimed. */
	quarry_directory_publish(c, &z->buddy);
	do {
		tabled = quarry_page_arena_fit_table(z->pool, c);
	} while (!quarry_zone_enter(z, c, tabled, &joined));
	while (!joined) {
		cond_resched();
		joined = arenas_join(z, c, c->zero);
	}
	return 0;
}

/**
 * quarry_zone_leave() - a bite of an arena leaves its zone
 * @z:	the zone
 * @c:	the arena
 *
 * Context: under the zone's lock. Return: as quarry_buddy_leave(); an arena of the
 * kernel's is one bite.
 */
int quarry_zone_leave(struct quarry_zone *z, struct quarry_page_arena *c)
{
	int err;

	quarry_zone_free_poisoned(z, c);
	err = quarry_buddy_leave(&z->buddy, &c->arena);
	if (!err) {
		quarry_zone_drop_poisoned(z, c);
		rb_erase(&c->node, &z->arenas);
		atomic_inc(&z->pool->arena_changes);
	}
	return err;
}

/**
 * quarry_zone_take_out() - take an arena out of its zone
 * @z:	the zone
 * @c:	the arena, which nobody else takes out
 *
 * It is in the directory still, and has to go to quarry_zone_discard(). Context: sleeps.
 *
 * Return: 0; -EBUSY if a frame of it is out, or is claimed meanwhile: then it stays, but
 * that it holds zeros may be forgotten.
 */
int quarry_zone_take_out(struct quarry_zone *z, struct quarry_page_arena *c)
{
	unsigned long flags;
	int err;

	for (;;) {
		quarry_zone_lock(z, &flags);
		err = quarry_zone_leave(z, c);
		quarry_zone_unlock(z, flags);
		if (err != -EAGAIN)
			break;
		cond_resched();
	}
	while (err && !arenas_join(z, c, false))
		cond_resched();
	if (err) {
		quarry_zone_lock(z, &flags);
		quarry_zone_seek_again(z);
		quarry_zone_unlock(z, flags);
	}
	quarry_poison_tidy();
	return err;
}

/**
 * quarry_zone_discard() - take an arena out of service and give it back
 * @z:	its zone
 * @c:	the arena, out of the buddy already
 *
 * Context: any that may free pages; sleeps for an arena that is not the kernel's.
 *
 * Return: 0, or -EUCLEAN if it had to be retired.
 */
int quarry_zone_discard(struct quarry_zone *z, struct quarry_page_arena *c)
{
	struct quarry_pool *pool = z->pool;
	size_t meta = c->metadata_bytes;
	unsigned long flags;
	u32 nr = c->nr;

	quarry_directory_publish(c, NULL);
	quarry_directory_remove(c);
	if (!quarry_page_arena_release(c)) {
		atomic64_sub(meta, &pool->metadata);
		atomic64_sub(nr, &pool->managed);
		return 0;
	}
	c->torn = quarry_page_arena_is_torn(c);
	raw_spin_lock_irqsave(&z->lock, flags);
	list_add(&c->arena.link, &z->retired);
	z->nr_retired += nr;
	raw_spin_unlock_irqrestore(&z->lock, flags);
	quarry_misuse(pool, QUARRY_ERR_STRAY_REF, c, (struct quarry_frame){ c->arena.lo },
		      nr);
	return -EUCLEAN;
}

/**
 * quarry_zone_retry_retired() - give back arenas that somebody referred to who has let go
 * @z:	the zone
 * @most:	frames, in whole arenas: no more than so many are given back
 *
 * Of those retired that are the kernel's, and of which no reference was dropped that should
 * not have been. Context: any that may free pages, between quarry_pool_begin_giving() and
 * quarry_pool_end_giving(). Return: frames given back.
 */
u64 quarry_zone_retry_retired(struct quarry_zone *z, u64 most)
{
	struct quarry_pool *pool = z->pool;
	struct quarry_page_arena *c, *next;
	unsigned long flags;
	u64 given = 0;
	LIST_HEAD(again);
	size_t meta;
	u32 nr;

	if (!READ_ONCE(z->nr_retired))
		return 0;
	raw_spin_lock_irqsave(&z->lock, flags);
	list_splice_init(&z->retired, &again);
	raw_spin_unlock_irqrestore(&z->lock, flags);
	list_for_each_entry_safe(c, next, &again, arena.link) {
		meta = c->metadata_bytes;
		nr = c->nr;
		if (c->kind != QUARRY_ARENA_KERNEL || c->torn || nr > most - given)
			continue;
		list_del(&c->arena.link);
		if (quarry_page_arena_release(c)) {
			list_add(&c->arena.link, &again);
			continue;
		}
		atomic64_sub(meta, &pool->metadata);
		atomic64_sub(nr, &pool->managed);
		quarry_count(pool, QUARRY_COUNT_SHRINKS);
		given += nr;
	}
	raw_spin_lock_irqsave(&z->lock, flags);
	list_splice(&again, &z->retired);
	z->nr_retired -= given;
	raw_spin_unlock_irqrestore(&z->lock, flags);
	return given;
}
