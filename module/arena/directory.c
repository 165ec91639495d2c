// SPDX-License-Identifier: GPL-2.0
/*
 * The directory: from a page to its chunk in a fixed number of steps.
 *
 * Model
 *	An array with a slot for every 4 MiB of physical memory. A slot points to the
 *	lowest chunk in these 4 MiB; chunks that share a slot are chained by address:
 *
 *	  slot   0     1     2     3     4
 *	        [ ]   [A]   [B]   [B]   [B]
 *	               |     `-----`-----`--> B --next--> C   (C begins in slot 4)
 *	               A
 *
 *	Full-sized chunks fill a slot each, and so do the inner parts of long
 *	ranges. Such a slot leads to the state byte of a frame by itself, without a
 *	look at the chunk: that is what the fast path of a free uses. In slots that
 *	are shared or partly filled, frees take the slow way.
 *
 * Labels
 *	A second array, with an entry for every MiB, leads to the labels of frames: 64 bits
 *	each, for the layer of caches, which says by them whose a frame's objects are and
 *	where they begin (cache/tags.c). Where no frame ever had one, an array of zeros is
 *	shared, so that a look needs no question. A label is written by who owns the frame,
 *	without a lock; an array comes with the first label in its MiB and stays until
 *	unload (2 KiB, 0.2% of it).
 *
 *	An entry for a MiB and not for 4, as 256 frames are numbered by a byte: taking that
 *	from a frame's number is the same instruction that would copy the number.
 *
 * Where there is no memory
 *	Physical addresses may reach far and have holes. Both arrays are tables with holes
 *	(table.c), of which a page is as much as 512 MiB of memory. The pages of the
 *	memory that is there come at load; where memory is added later, with its first
 *	chunk.
 *
 * Locks: changes are made under one spinlock, IRQs off, some hundred slots at a time;
 * what grows the arrays has a mutex of its own. Readers hold RCU (preemption off is enough)
 * and see a chain that is at all times sorted and whole.
 *
 * Cost: 64 bytes per 4 MiB of the memory that there is, 0.0015%, and 16 bytes of page
 * tables per 512 MiB up to its highest address.
 */
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "../compat.h"
#include "../debug/inject.h"
#include "directory.h"
#include "table.h"

/* Slots that are written under the lock at once. */
#define BITE	512UL

/* What a page of either array is for, in frames. */
#define PAGE_FRAMES_SHIFT	(PAGE_SHIFT - 5 + QUARRY_SLOT_SHIFT)

static_assert(sizeof(struct quarry_directory) == sizeof(struct quarry_slot4m));
static_assert(sizeof(struct quarry_slot4m) == 1 << 5);
static_assert(QUARRY_LABELS_SHIFT + PAGE_SHIFT - 3 == PAGE_FRAMES_SHIFT);

struct quarry_slot4m *quarry_slots;
EXPORT_SYMBOL_NS_GPL(quarry_slots, QUARRY_NS);
static DEFINE_SPINLOCK(directory_lock);

static u64 no_labels[1 << QUARRY_LABELS_SHIFT];
static atomic64_t label_bytes;

u64 **quarry_labels;
EXPORT_SYMBOL_NS_GPL(quarry_labels, QUARRY_NS);

/* The memory of both; changed under the mutex. */
static struct quarry_table slots_table;
static struct quarry_table labels_table;
static DEFINE_MUTEX(tables_mutex);

static void publish_slots(const struct quarry_table *t)
{
	struct quarry_directory *head = (struct quarry_directory *)t->base - 1;

	head->bytes = t->pages * PAGE_SIZE;
	/* Readers must find the head written. */
	smp_store_release(&quarry_slots, t->base);
}

static void publish_labels(const struct quarry_table *t)
{
	struct quarry_labels_head *head = (struct quarry_labels_head *)t->base - 1;

	head->nr = t->pages * (PAGE_SIZE / sizeof(*quarry_labels));
	/* As above. */
	smp_store_release(&quarry_labels, t->base);
}

/* Is there memory in the 512 MiB of a page? What is not seen here comes with its chunk. */
static bool has_memory(unsigned long page, const void *unused)
{
	unsigned long pfn = page << PAGE_FRAMES_SHIFT, end = (page + 1) << PAGE_FRAMES_SHIFT;

	for (; pfn < end; pfn += 1UL << QUARRY_SLOT_SHIFT)
		if (pfn_valid(pfn))
			return true;
	return false;
}

/* First and last page of what a chunk needs. */
struct span {
	unsigned long first;
	unsigned long last;
};

static bool in_span(unsigned long page, const void *arg)
{
	const struct span *span = arg;

	return page >= span->first && page <= span->last;
}

static int extend(struct quarry_table *t, void (*publish)(const struct quarry_table *t),
		  unsigned long nr, quarry_table_want *want, const void *arg)
{
	struct quarry_table next;
	int err = quarry_table_extend(t, nr, want, arg, &next);

	if (err)
		return err;
	publish(&next);
	quarry_table_switch(t, &next);
	return 0;
}

/**
 * quarry_directory_init() - make the directory
 *
 * Context: module load. Return: 0 or -ENOMEM.
 */
int quarry_directory_init(void)
{
	unsigned long end = 0, nr;
	int node, err;

	for_each_online_node(node)
		end = max(end, node_end_pfn(node));
	nr = (end >> PAGE_FRAMES_SHIFT) + 1;
	err = quarry_table_init(&slots_table, 0);
	if (!err)
		err = quarry_table_init(&labels_table, (unsigned long)no_labels);
	if (!err)
		err = extend(&labels_table, publish_labels, nr, has_memory, NULL);
	if (!err)
		err = extend(&slots_table, publish_slots, nr, has_memory, NULL);
	if (err)
		quarry_directory_exit();
	return err;
}

void quarry_directory_exit(void)
{
	unsigned long i, k;
	u64 **labels;

	for (i = 0; i < labels_table.pages; i++) {
		labels = quarry_table_page(&labels_table, i);
		for (k = 0; labels && k < PAGE_SIZE / sizeof(*labels); k++)
			if (labels[k] != no_labels)
				kfree(labels[k]);
	}
	quarry_table_exit(&labels_table);
	quarry_table_exit(&slots_table);
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
	struct span span = {
		.first = pfn >> PAGE_FRAMES_SHIFT,
		.last = (pfn + nr - 1) >> PAGE_FRAMES_SHIFT,
	};
	int err = 0;

	mutex_lock(&tables_mutex);
	/* The labels first: no chunk lies beyond them. */
	if (!quarry_table_has(&labels_table, span.first, span.last))
		err = extend(&labels_table, publish_labels, span.last + 1, in_span, &span);
	if (!err && !quarry_table_has(&slots_table, span.first, span.last))
		err = extend(&slots_table, publish_slots, span.last + 1, in_span, &span);
	mutex_unlock(&tables_mutex);
	return err;
}

/* Bytes of the arrays, labels not among them. Context: any. */
u64 quarry_directory_bytes(void)
{
	return quarry_table_bytes(&slots_table) + quarry_table_bytes(&labels_table);
}

/* Give a MiB labels of its own, if it has none. Context: as @gfp says; not NMI. */
static bool add_labels(unsigned long i, gfp_t gfp)
{
	unsigned long flags;
	u64 *mine;
	bool has;

	rcu_read_lock();
	has = READ_ONCE(READ_ONCE(quarry_labels)[i]) != no_labels;
	rcu_read_unlock();
	if (has)
		return true;
	mine = quarry_inject() ? NULL :
	       kcalloc(1 << QUARRY_LABELS_SHIFT, sizeof(*mine), gfp);
	if (!mine)
		return false;
	/* What points to it is in a page that is not looked at. */
	kmemleak_ignore(mine);
	spin_lock_irqsave(&directory_lock, flags);
	if (quarry_labels[i] == no_labels) {
		WRITE_ONCE(quarry_labels[i], mine);
		mine = NULL;
	}
	spin_unlock_irqrestore(&directory_lock, flags);
	if (!mine)
		atomic64_add(sizeof(*mine) << QUARRY_LABELS_SHIFT, &label_bytes);
	kfree(mine);
	return true;
}

/**
 * quarry_directory_label() - label the frames of a block
 * @pfn:	first frame; all of them lie in one chunk
 * @nr:		frames
 * @label:	0 takes a label away, which cannot fail
 * @gfp:	for the memory of labels
 *
 * Context: as @gfp says, but not NMI; the caller owns the frames.
 *
 * Return: false if there is no memory for labels: no frame has one then.
 */
bool quarry_directory_label(unsigned long pfn, unsigned long nr, u64 label, gfp_t gfp)
{
	unsigned long i;

	for (i = pfn >> QUARRY_LABELS_SHIFT;
	     label && i <= (pfn + nr - 1) >> QUARRY_LABELS_SHIFT; i++)
		if (!add_labels(i, gfp))
			return false;
	preempt_disable();
	for (i = pfn; i < pfn + nr; i++)
		WRITE_ONCE(*quarry_label(READ_ONCE(quarry_labels), i), label);
	preempt_enable();
	return true;
}

/**
 * quarry_directory_unlabel() - take a label away, if it is there
 * @pfn:	the frame
 * @label:	the label that it should have
 *
 * Context: any; preemption off. Return: true for one of those that do so at once.
 */
bool quarry_directory_unlabel(unsigned long pfn, u64 label)
{
	u64 **labels = READ_ONCE(quarry_labels);

	return pfn >> QUARRY_LABELS_SHIFT < quarry_nr_labels(labels) &&
	       cmpxchg(quarry_label(labels, pfn), label, 0) == label;
}

/* Bytes of all labels. */
u64 quarry_directory_label_bytes(void)
{
	return atomic64_read(&label_bytes);
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
static struct quarry_chunk *predecessor(struct quarry_slot4m *d,
					const struct quarry_chunk *c)
{
	struct quarry_chunk *p = d[first_slot(c)].chunk, *before = NULL;

	for (; p && p->pfn < c->pfn; p = p->next)
		before = p;
	return before;
}

static bool overlaps(const struct quarry_chunk *c, const struct quarry_chunk *d)
{
	return c->pfn < d->pfn + d->nr && d->pfn < c->pfn + c->nr;
}

/*
 * The slots between its first and its last one, which a chunk fills, from @from to @to.
 * False, and no further, where one is not @from.
 */
static bool fill_inner(struct quarry_chunk *c, struct quarry_chunk *from,
		       struct quarry_chunk *to)
{
	unsigned long i = first_slot(c) + 1, end = last_slot(c), stop, flags;
	bool was = true;

	while (i < end && was) {
		spin_lock_irqsave(&directory_lock, flags);
		for (stop = min(end, i + BITE); i < stop; i++) {
			was = quarry_slots[i].chunk == from;
			if (!was)
				break;
			/* Readers must find the chunk written. */
			smp_store_release(&quarry_slots[i].chunk, to);
		}
		spin_unlock_irqrestore(&directory_lock, flags);
		if (end - first_slot(c) > BITE)
			cond_resched();
	}
	return was;
}

/* The first and the last slot, with their chains. Returns false if others are there. */
static bool insert_ends(struct quarry_chunk *c)
{
	struct quarry_chunk *before, *after, **link;
	struct quarry_slot4m *d;
	unsigned long flags;
	bool free = true;

	spin_lock_irqsave(&directory_lock, flags);
	d = quarry_slots;
	for (after = d[first_slot(c)].chunk; after; after = after->next)
		free &= !overlaps(c, after);
	for (after = d[last_slot(c)].chunk; after; after = after->next)
		free &= !overlaps(c, after);
	if (free) {
		before = predecessor(d, c);
		if (before && first_slot(c) == last_slot(c))
			c->next = before->next;
		else
			c->next = d[last_slot(c)].chunk;
		link = before ? &before->next : &d[first_slot(c)].chunk;
		/* Readers must find the chunk and its next written. */
		smp_store_release(link, c);
		if (first_slot(c) != last_slot(c))
			/* As above. */
			smp_store_release(&d[last_slot(c)].chunk, c);
	}
	spin_unlock_irqrestore(&directory_lock, flags);
	return free;
}

static void remove_ends(struct quarry_chunk *c)
{
	bool one = first_slot(c) == last_slot(c);
	struct quarry_chunk *before, **link;
	struct quarry_slot4m *d;
	unsigned long flags;

	spin_lock_irqsave(&directory_lock, flags);
	d = quarry_slots;
	before = predecessor(d, c);
	link = before ? &before->next : &d[first_slot(c)].chunk;
	WRITE_ONCE(*link, one ? c->next : NULL);
	if (!one)
		WRITE_ONCE(d[last_slot(c)].chunk, c->next);
	spin_unlock_irqrestore(&directory_lock, flags);
}

/**
 * quarry_directory_insert() - make a chunk known
 * @c:	a chunk whose frames have struct pages
 *
 * Context: sleeps.
 *
 * Return: 0; -EEXIST if a frame is known already; -ENOMEM.
 */
int quarry_directory_insert(struct quarry_chunk *c)
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

/* What a slot that a chunk fills says of its frames. A place is never less than 4 MiB. */
static u64 key_of(const struct quarry_chunk *c, const struct quarry_buddy *buddy,
		  unsigned long slot)
{
	const struct quarry_arena *a = &c->arena;

	return buddy->key + quarry_area_place(a, ((slot << QUARRY_SLOT_SHIFT) - a->base) /
						 QUARRY_AREA_FRAMES);
}

/**
 * quarry_directory_serve() - say whose a chunk's frames are
 * @c:		a chunk that was inserted
 * @buddy:	where its blocks are free, or NULL while they are nobody's
 *
 * From here on the fast path of a free knows the slots that @c fills, and the place that
 * each is in, or no longer.
 * Context: any but interrupts; sleeps for a range longer than a block of the kernel's.
 */
void quarry_directory_serve(struct quarry_chunk *c, struct quarry_buddy *buddy)
{
	unsigned long i = first_slot(c), end = last_slot(c) + 1, stop, flags;
	struct quarry_slot4m *slot;

	WRITE_ONCE(c->buddy, buddy);
	while (c->span && i < end) {
		spin_lock_irqsave(&directory_lock, flags);
		for (stop = min(end, i + BITE); i < stop; i++) {
			if (c->pfn > i << QUARRY_SLOT_SHIFT ||
			    c->pfn + c->nr < (i + 1) << QUARRY_SLOT_SHIFT)
				continue;
			slot = &quarry_slots[i];
			slot->state = c->state - c->pfn;
			/* Readers that see the key must see the state. */
			smp_store_release(&slot->key, buddy ? key_of(c, buddy, i) : 0);
		}
		spin_unlock_irqrestore(&directory_lock, flags);
		if (end - first_slot(c) > BITE)
			cond_resched();
	}
}

/**
 * quarry_directory_remove() - forget a chunk
 * @c:	a chunk that was inserted, or one of device memory, which never is; free it
 *	only after a grace period
 *
 * Context: as quarry_directory_serve().
 */
void quarry_directory_remove(struct quarry_chunk *c)
{
	if (!c->span)
		return;
	fill_inner(c, c, NULL);
	remove_ends(c);
}
