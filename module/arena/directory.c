// SPDX-License-Identifier: GPL-2.0
/*
 * The directory: from a page to its arena in a fixed number of steps.
 *
 * Model
 *	An array with an entry for every 4 MiB of physical memory. An entry points to the
 *	lowest arena in these 4 MiB; arenas that share an entry are chained by address:
 *
 *	  entry   0     1     2     3     4
 *	        [ ]   [A]   [B]   [B]   [B]
 *	               |     `-----`-----`--> B --next--> C   (C begins in entry 4)
 *	               A
 *
 *	Full-sized arenas fill an entry each, and so do the inner parts of long
 *	ranges. Such an entry leads to the state byte of a frame by itself, without a
 *	look at the arena: that is what the fast path of a free uses. In entries that
 *	are shared or partly filled, frees take the slow way.
 *
 * Where there is no memory
 *	Physical addresses may reach far and have holes. The array is a table with holes
 *	(table.c), of which a page is as much as 512 MiB of memory. The pages of the
 *	memory that is there come at load; where memory is added later, with its first
 *	arena. A layer above that keeps a table for the same memory has left a function
 *	here, and is asked first: no arena lies where that has no entries.
 *
 * Locks: changes are made under one spinlock, IRQs off, some hundred entries at a time;
 * what grows the array has a mutex of its own. Readers hold RCU (preemption off is enough)
 * and see a chain that is at all times sorted and whole.
 *
 * Cost: 32 bytes per 4 MiB of the memory that there is, 0.0008%, and 8 bytes of page
 * tables per 512 MiB up to its highest address.
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "../buddy/place.h"
#include "../compat.h"
#include "directory.h"
#include "table.h"

/* Entries that are written under the lock at once. */
#define BITE	512UL

static_assert(sizeof(struct quarry_directory) == sizeof(struct quarry_directory_entry));
static_assert(sizeof(struct quarry_directory_entry) == 1 << 5);
static_assert(QUARRY_DIRECTORY_SHIFT + PAGE_SHIFT - 5 == QUARRY_TABLE_PAGE_SHIFT);

struct quarry_directory_entry *quarry_directory_entries;
EXPORT_SYMBOL_NS_GPL(quarry_directory_entries, QUARRY_NS);
static DEFINE_SPINLOCK(directory_lock);

/* Their memory, and who is asked first; changed under the mutex. */
static struct quarry_table table;
static quarry_directory_reach_fn *reach_first;
static DEFINE_MUTEX(table_mutex);

static void directory_publish(const struct quarry_table *t)
{
	struct quarry_directory *head = (struct quarry_directory *)t->base - 1;

	head->bytes = t->pages * PAGE_SIZE;
	/* Readers must find the head written. */
	smp_store_release(&quarry_directory_entries, t->base);
}

/**
 * quarry_directory_init() - make the directory
 *
 * Context: module load. Return: 0 or -ENOMEM.
 */
int quarry_directory_init(void)
{
	int err = quarry_table_init(&table, 0, directory_publish);

	if (err)
		quarry_directory_exit();
	return err;
}

void quarry_directory_exit(void)
{
	quarry_table_exit(&table);
}

/**
 * quarry_directory_ask_first() - have a layer above asked before there is room for frames
 * @reach:	called with the first frame and their number, one call at a time; sleeps,
 *		without I/O; returns 0 or -ENOMEM
 *
 * Once, before there are arenas, at load. No list as that of reclaim.c: there is one such table,
 * always, and a second would need its share given back where a later one has no memory.
 */
void quarry_directory_ask_first(quarry_directory_reach_fn *reach)
{
	reach_first = reach;
}

/**
 * quarry_directory_reach() - have room for frames
 * @pfn:	the first frame
 * @nr:		frames
 *
 * Context: sleeps, without I/O. Return: 0 or -ENOMEM.
 */
int quarry_directory_reach(unsigned long pfn, unsigned long nr)
{
	int err;

	mutex_lock(&table_mutex);
	err = reach_first(pfn, nr) ?: quarry_table_reach(&table, pfn, nr);
	mutex_unlock(&table_mutex);
	return err;
}

/* Bytes of the array. Context: any. */
u64 quarry_directory_bytes(void)
{
	return quarry_table_bytes(&table);
}

static unsigned long first_entry(const struct quarry_page_arena *c)
{
	return c->pfn >> QUARRY_DIRECTORY_SHIFT;
}

static unsigned long last_entry(const struct quarry_page_arena *c)
{
	return (c->pfn + c->nr - 1) >> QUARRY_DIRECTORY_SHIFT;
}

/* The last arena in the entry that lies below @c, or NULL. */
static struct quarry_page_arena *predecessor(struct quarry_directory_entry *d,
					     const struct quarry_page_arena *c)
{
	struct quarry_page_arena *p = d[first_entry(c)].arena, *before = NULL;

	for (; p && p->pfn < c->pfn; p = p->next)
		before = p;
	return before;
}

static bool overlaps(const struct quarry_page_arena *c, const struct quarry_page_arena *d)
{
	return c->pfn < d->pfn + d->nr && d->pfn < c->pfn + c->nr;
}

/*
 * The entries between its first and its last one, which an arena fills, from @from to @to.
 * False, and no further, where one is not @from.
 */
static bool fill_inner(struct quarry_page_arena *c, struct quarry_page_arena *from,
		       struct quarry_page_arena *to)
{
	unsigned long i = first_entry(c) + 1, end = last_entry(c), stop, flags;
	bool was = true;

	while (i < end && was) {
		spin_lock_irqsave(&directory_lock, flags);
		for (stop = min(end, i + BITE); i < stop; i++) {
			was = quarry_directory_entries[i].arena == from;
			if (!was)
				break;
			/* Readers must find the arena written. */
			smp_store_release(&quarry_directory_entries[i].arena, to);
		}
		spin_unlock_irqrestore(&directory_lock, flags);
		if (end - first_entry(c) > BITE)
			cond_resched();
	}
	return was;
}

/* The first and the last entry, with their chains. Returns false if others are there. */
static bool insert_ends(struct quarry_page_arena *c)
{
	struct quarry_page_arena *before, *after, **link;
	struct quarry_directory_entry *d;
	unsigned long flags;
	bool free = true;

	spin_lock_irqsave(&directory_lock, flags);
	d = quarry_directory_entries;
	for (after = d[first_entry(c)].arena; after; after = after->next)
		free &= !overlaps(c, after);
	for (after = d[last_entry(c)].arena; after; after = after->next)
		free &= !overlaps(c, after);
	if (free) {
		before = predecessor(d, c);
		if (before && first_entry(c) == last_entry(c))
			c->next = before->next;
		else
			c->next = d[last_entry(c)].arena;
		link = before ? &before->next : &d[first_entry(c)].arena;
		/* Readers must find the arena and its next written. */
		smp_store_release(link, c);
		if (first_entry(c) != last_entry(c))
			/* As above. */
			smp_store_release(&d[last_entry(c)].arena, c);
	}
	spin_unlock_irqrestore(&directory_lock, flags);
	return free;
}

static void remove_ends(struct quarry_page_arena *c)
{
	bool one = first_entry(c) == last_entry(c);
	struct quarry_page_arena *before, **link;
	struct quarry_directory_entry *d;
	unsigned long flags;

	spin_lock_irqsave(&directory_lock, flags);
	d = quarry_directory_entries;
	before = predecessor(d, c);
	link = before ? &before->next : &d[first_entry(c)].arena;
	WRITE_ONCE(*link, one ? c->next : NULL);
	if (!one)
		WRITE_ONCE(d[last_entry(c)].arena, c->next);
	spin_unlock_irqrestore(&directory_lock, flags);
}

/**
 * quarry_directory_insert() - make an arena known
 * @c:	an arena whose frames have struct pages
 *
 * Context: sleeps.
 *
 * Return: 0; -EEXIST if a frame is known already; -ENOMEM.
 */
int quarry_directory_insert(struct quarry_page_arena *c)
{
	int err = quarry_directory_reach(c->pfn, c->nr);

	if (err)
		return err;
	if (!insert_ends(c))
		return -EEXIST;
	if (fill_inner(c, NULL, c))
		return 0;
	fill_inner(c, c, NULL);
	remove_ends(c);
	return -EEXIST;
}

/* What an entry that an arena fills says of its frames. A place is never less than 4 MiB. */
static u64 directory_key_of(const struct quarry_page_arena *c, const struct quarry_buddy *buddy,
			    unsigned long entry)
{
	const struct quarry_arena *a = &c->arena;

	return buddy->key + quarry_area_place(a, ((entry << QUARRY_DIRECTORY_SHIFT) - a->base) /
						 QUARRY_AREA_FRAMES);
}

/**
 * quarry_directory_publish() - say whose an arena's frames are
 * @c:		an arena that was inserted
 * @buddy:	where its blocks are free, or NULL while they are nobody's
 *
 * From here on the fast path of a free knows the entries that @c fills, and the place that
 * each is in, or no longer.
 * Context: any but interrupts; sleeps for a range longer than a block of the kernel's.
 */
void quarry_directory_publish(struct quarry_page_arena *c, struct quarry_buddy *buddy)
{
	unsigned long i = first_entry(c), end = last_entry(c) + 1, stop, flags;
	struct quarry_directory_entry *entry;

	WRITE_ONCE(c->buddy, buddy);
	while (c->span && i < end) {
		spin_lock_irqsave(&directory_lock, flags);
		for (stop = min(end, i + BITE); i < stop; i++) {
			if (c->pfn > i << QUARRY_DIRECTORY_SHIFT ||
			    c->pfn + c->nr < (i + 1) << QUARRY_DIRECTORY_SHIFT)
				continue;
			entry = &quarry_directory_entries[i];
			entry->state = c->state - c->pfn;
			/* Readers that see the key must see the state. */
			smp_store_release(&entry->key, buddy ? directory_key_of(c, buddy, i) : 0);
		}
		spin_unlock_irqrestore(&directory_lock, flags);
		if (end - first_entry(c) > BITE)
			cond_resched();
	}
}

/**
 * quarry_directory_remove() - forget an arena
 * @c:	an arena that was inserted, or one of device memory, which never is; free it
 *	only after a grace period
 *
 * Context: as quarry_directory_publish().
 */
void quarry_directory_remove(struct quarry_page_arena *c)
{
	if (!c->span)
		return;
	fill_inner(c, c, NULL);
	remove_ends(c);
}
