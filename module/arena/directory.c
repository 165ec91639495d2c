// SPDX-License-Identifier: GPL-2.0
/*
 * The directory: from a page to its chunk in a fixed number of steps.
 *
 * Model
 *	A flat array with a slot for every 4 MiB of physical memory. A slot
 *	points to the lowest chunk in these 4 MiB; chunks that share a slot are
 *	chained by address:
 *
 *	  slot   0     1     2     3     4
 *	        [ ]   [A]   [B]   [B]   [B]
 *	               |     `-----`-----`--> B --next--> C   (C begins in slot 4)
 *	               A
 *
 *	Full-sized chunks fill a slot each, so the chain is one long wherever the
 *	kernel had whole blocks. Empty slots point to quarry_no_chunk, which
 *	spans nothing: the fast path need not test for NULL.
 *
 * Locks: changes are made under one spinlock; readers hold RCU (preemption off
 * is enough) and see a chain that is at all times sorted and whole.
 *
 * Cost: 8 bytes per 4 MiB of the machine's memory, 0.0002%. Memory hot-added
 * beyond the end makes the array grow when a chunk of it arrives.
 */
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include "../debug/inject.h"
#include "directory.h"

struct quarry_chunk quarry_no_chunk;
struct quarry_directory *quarry_directory;
static DEFINE_SPINLOCK(directory_lock);

static struct quarry_directory *directory_alloc(unsigned long nr)
{
	struct quarry_directory *d;
	unsigned long i;

	d = quarry_inject() ? NULL : kvmalloc(struct_size(d, slot, nr), GFP_NOIO);
	if (!d)
		return NULL;
	d->nr = nr;
	for (i = 0; i < nr; i++)
		d->slot[i] = &quarry_no_chunk;
	return d;
}

/**
 * quarry_directory_init() - make the directory
 *
 * Context: module load. Return: 0 or -ENOMEM.
 */
int quarry_directory_init(void)
{
	unsigned long end = 0;
	int node;

	for_each_online_node(node)
		end = max(end, node_end_pfn(node));
	quarry_directory = directory_alloc((end >> QUARRY_SLOT_SHIFT) + 1);
	return quarry_directory ? 0 : -ENOMEM;
}

void quarry_directory_exit(void)
{
	rcu_barrier();
	kvfree(quarry_directory);
}

unsigned long quarry_directory_bytes(void)
{
	return struct_size(quarry_directory, slot, quarry_directory->nr);
}

/* Make room for slots below @nr. */
static int directory_grow(unsigned long nr)
{
	struct quarry_directory *new, *old;

	new = directory_alloc(nr);
	if (!new)
		return -ENOMEM;
	spin_lock(&directory_lock);
	old = quarry_directory;
	if (old->nr < nr) {
		memcpy(new->slot, old->slot, old->nr * sizeof(old->slot[0]));
		/* Readers must find the slots copied. */
		smp_store_release(&quarry_directory, new);
		new = old;
	}
	spin_unlock(&directory_lock);
	kvfree_rcu(new, rcu);
	return 0;
}

static unsigned long first_slot(const struct quarry_chunk *c)
{
	return c->pfn >> QUARRY_SLOT_SHIFT;
}

static unsigned long last_slot(const struct quarry_chunk *c)
{
	return (c->pfn + c->nr - 1) >> QUARRY_SLOT_SHIFT;
}

/* The last chunk in the slot that lies below @c, or NULL. */
static struct quarry_chunk *predecessor(struct quarry_directory *d,
					const struct quarry_chunk *c)
{
	struct quarry_chunk *p = d->slot[first_slot(c)], *before = NULL;

	for (; p && p != &quarry_no_chunk && p->pfn < c->pfn; p = p->next)
		before = p;
	return before;
}

static bool overlaps(const struct quarry_chunk *c, const struct quarry_chunk *d)
{
	return d && d != &quarry_no_chunk && c->pfn < d->pfn + d->nr &&
	       d->pfn < c->pfn + c->nr;
}

/**
 * quarry_directory_insert() - make a chunk known
 * @c:	a chunk whose frames have struct pages
 *
 * Context: sleeps only when memory was hot-added since load.
 *
 * Return: 0; -EEXIST if a frame is known already; -ENOMEM.
 */
int quarry_directory_insert(struct quarry_chunk *c)
{
	struct quarry_directory *d;
	struct quarry_chunk *before, *after;
	unsigned long i;

	if (last_slot(c) >= READ_ONCE(quarry_directory)->nr &&
	    directory_grow(last_slot(c) + 1))
		return -ENOMEM;

	spin_lock(&directory_lock);
	d = quarry_directory;
	before = predecessor(d, c);
	for (i = first_slot(c); i <= last_slot(c); i++) {
		for (after = d->slot[i]; after; after = after->next)
			if (overlaps(c, after)) {
				spin_unlock(&directory_lock);
				return -EEXIST;
			}
	}
	if (before && first_slot(c) == last_slot(c))
		after = before->next;
	else
		after = d->slot[last_slot(c)];
	c->next = after == &quarry_no_chunk ? NULL : after;
	i = first_slot(c);
	if (before) {
		/* Readers must find the chunk and its next written. */
		smp_store_release(&before->next, c);
		i++;
	}
	for (; i <= last_slot(c); i++)
		/* As above. */
		smp_store_release(&d->slot[i], c);
	spin_unlock(&directory_lock);
	return 0;
}

/**
 * quarry_directory_remove() - forget a chunk
 * @c:	a chunk that was inserted; free it only after a grace period
 *
 * Context: any but interrupts.
 */
void quarry_directory_remove(struct quarry_chunk *c)
{
	struct quarry_chunk *before, *after = c->next;
	struct quarry_directory *d;
	unsigned long i;

	spin_lock(&directory_lock);
	d = quarry_directory;
	before = predecessor(d, c);
	i = first_slot(c);
	if (before) {
		WRITE_ONCE(before->next, i == last_slot(c) ? after : NULL);
		i++;
	}
	for (; i <= last_slot(c); i++)
		WRITE_ONCE(d->slot[i], i == last_slot(c) && after ? after :
				       &quarry_no_chunk);
	spin_unlock(&directory_lock);
}

/**
 * quarry_directory_next() - the first chunk that has a frame in a window
 * @pfn:	first frame of the window
 * @end:	first frame after it
 *
 * Context: under RCU. Return: the lowest such chunk, or NULL.
 */
struct quarry_chunk *quarry_directory_next(unsigned long pfn, unsigned long end)
{
	struct quarry_directory *d = READ_ONCE(quarry_directory);
	unsigned long i, stop = min(end, d->nr << QUARRY_SLOT_SHIFT);
	struct quarry_chunk *c;

	for (i = pfn; i < stop; i = ((i >> QUARRY_SLOT_SHIFT) + 1) << QUARRY_SLOT_SHIFT)
		for (c = READ_ONCE(d->slot[i >> QUARRY_SLOT_SHIFT]); c;
		     c = READ_ONCE(c->next))
			if (c->pfn < end && c->pfn + c->nr > pfn)
				return c;
	return NULL;
}

/**
 * quarry_directory_last() - the last chunk that has a frame in a window
 * @pfn:	first frame of the window
 * @end:	first frame after it
 *
 * Context: under RCU. Return: the highest such chunk, or NULL.
 */
struct quarry_chunk *quarry_directory_last(unsigned long pfn, unsigned long end)
{
	struct quarry_directory *d = READ_ONCE(quarry_directory);
	unsigned long i, stop = min(end, d->nr << QUARRY_SLOT_SHIFT);
	struct quarry_chunk *c, *last = NULL;

	if (pfn >= stop)
		return NULL;
	for (i = ((stop - 1) >> QUARRY_SLOT_SHIFT) + 1; i-- > pfn >> QUARRY_SLOT_SHIFT;) {
		for (c = READ_ONCE(d->slot[i]); c; c = READ_ONCE(c->next))
			if (c->pfn < end && c->pfn + c->nr > pfn)
				last = c;
		if (last)
			break;
	}
	return last;
}
