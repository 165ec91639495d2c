// SPDX-License-Identifier: GPL-2.0
/*
 * The directory: from a page to its chunk in a fixed number of steps.
 *
 * Model
 *	A flat array with a slot for every 4 MiB of physical memory. A slot points
 *	to the lowest chunk in these 4 MiB; chunks that share a slot are chained by
 *	address:
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
 * Locks: changes are made under one spinlock, IRQs off; readers hold RCU (preemption off
 * is enough) and see a chain that is at all times sorted and whole.
 *
 * Labels
 *	A second flat array leads to the labels of frames: 64 bits each, for the layer of
 *	caches, which says by them whose a frame's objects are and where they begin
 *	(cache/tags.c). Where no frame ever had one, an array of zeros is shared, so that a
 *	look needs no question. A label is written by who owns the frame, without a lock;
 *	an array comes with the first label in its 4 MiB and stays until unload (8 KiB, 0.2%
 *	of them).
 *
 * Cost: 40 bytes per 4 MiB of the machine's memory, 0.001%. Memory hot-added
 * beyond the end makes the arrays grow when a chunk of it arrives.
 */
#include <linux/kmemleak.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include "../compat.h"
#include "../debug/inject.h"
#include "directory.h"

struct quarry_slot4m *quarry_slots;
EXPORT_SYMBOL_NS_GPL(quarry_slots, QUARRY_NS);
static DEFINE_SPINLOCK(directory_lock);

static u64 no_labels[1 << QUARRY_SLOT_SHIFT];
static atomic64_t label_bytes;

u64 **quarry_labels;
EXPORT_SYMBOL_NS_GPL(quarry_labels, QUARRY_NS);

/* Where the labels of 4 MiB begin, from where its frames' numbers lead into them, and back. */
static u64 *lead_in(u64 *labels, unsigned long i)
{
	return labels - (i << QUARRY_SLOT_SHIFT);
}

static u64 *lead_out(u64 *labels, unsigned long i)
{
	return labels + (i << QUARRY_SLOT_SHIFT);
}

static_assert(sizeof(struct quarry_directory) == sizeof(struct quarry_slot4m));
static_assert(sizeof(struct quarry_slot4m) == 32);

static struct quarry_directory *head_of(struct quarry_slot4m *slots)
{
	return (struct quarry_directory *)slots - 1;
}

static struct quarry_labels_head *labels_head(u64 **labels)
{
	return (struct quarry_labels_head *)labels - 1;
}

static struct quarry_slot4m *slots_alloc(unsigned long nr)
{
	struct quarry_slot4m *slots;

	slots = quarry_inject() ? NULL : kvcalloc(1 + nr, sizeof(*slots), GFP_NOIO);
	if (!slots)
		return NULL;
	slots++;
	head_of(slots)->nr = nr;
	head_of(slots)->bytes = nr * sizeof(*slots);
	return slots;
}

static u64 **labels_alloc(unsigned long nr)
{
	struct quarry_labels_head *head;
	u64 **labels;
	unsigned long i;

	head = quarry_inject() ? NULL : kvmalloc(sizeof(*head) + nr * sizeof(*labels), GFP_NOIO);
	if (!head)
		return NULL;
	head->nr = nr;
	labels = (u64 **)(head + 1);
	for (i = 0; i < nr; i++)
		labels[i] = lead_in(no_labels, i);
	return labels;
}

/**
 * quarry_directory_init() - make the directory
 *
 * Context: module load. Return: 0 or -ENOMEM.
 */
int quarry_directory_init(void)
{
	unsigned long end = 0, nr;
	int node;

	for_each_online_node(node)
		end = max(end, node_end_pfn(node));
	nr = (end >> QUARRY_SLOT_SHIFT) + 1;
	quarry_slots = slots_alloc(nr);
	if (!quarry_slots)
		return -ENOMEM;
	quarry_labels = labels_alloc(nr);
	if (quarry_labels)
		return 0;
	kvfree(head_of(quarry_slots));
	return -ENOMEM;
}

void quarry_directory_exit(void)
{
	unsigned long i;
	u64 *labels;

	for (i = 0; i < labels_head(quarry_labels)->nr; i++) {
		labels = lead_out(quarry_labels[i], i);
		if (labels != no_labels)
			kfree(labels);
	}
	kvfree(labels_head(quarry_labels));
	kvfree(head_of(quarry_slots));
}

/* Make room for slots below @nr. The labels first: no chunk lies beyond them. */
static int directory_grow(unsigned long nr)
{
	struct quarry_slot4m *slots, *old_slots;
	u64 **labels, **old_labels;
	unsigned long flags;

	labels = labels_alloc(nr);
	if (!labels)
		return -ENOMEM;
	slots = slots_alloc(nr);
	if (!slots) {
		kvfree(labels_head(labels));
		return -ENOMEM;
	}
	spin_lock_irqsave(&directory_lock, flags);
	old_slots = quarry_slots;
	old_labels = quarry_labels;
	if (quarry_nr_slots(old_slots) < nr) {
		memcpy(labels, old_labels, labels_head(old_labels)->nr * sizeof(*labels));
		/* Readers must find the entries copied. */
		smp_store_release(&quarry_labels, labels);
		memcpy(slots, old_slots, quarry_nr_slots(old_slots) * sizeof(*slots));
		/* As above. */
		smp_store_release(&quarry_slots, slots);
		labels = old_labels;
		slots = old_slots;
	}
	spin_unlock_irqrestore(&directory_lock, flags);
	kvfree_rcu(labels_head(labels), rcu);
	kvfree_rcu(head_of(slots), rcu);
	return 0;
}

/* Give 4 MiB labels of their own, if they have none. Context: as @gfp says; not NMI. */
static bool add_labels(unsigned long i, gfp_t gfp)
{
	u64 *none = lead_in(no_labels, i), *mine;
	unsigned long flags;
	bool has;

	rcu_read_lock();
	has = READ_ONCE(READ_ONCE(quarry_labels)[i]) != none;
	rcu_read_unlock();
	if (has)
		return true;
	mine = quarry_inject() ? NULL :
	       kcalloc(1 << QUARRY_SLOT_SHIFT, sizeof(*mine), gfp);
	if (!mine)
		return false;
	/* What points to it points elsewhere: see lead_in(). */
	kmemleak_ignore(mine);
	spin_lock_irqsave(&directory_lock, flags);
	if (quarry_labels[i] == none) {
		WRITE_ONCE(quarry_labels[i], lead_in(mine, i));
		mine = NULL;
	}
	spin_unlock_irqrestore(&directory_lock, flags);
	if (!mine)
		atomic64_add(sizeof(*mine) << QUARRY_SLOT_SHIFT, &label_bytes);
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

	for (i = pfn >> QUARRY_SLOT_SHIFT; label && i <= (pfn + nr - 1) >> QUARRY_SLOT_SHIFT;
	     i++)
		if (!add_labels(i, gfp))
			return false;
	preempt_disable();
	for (i = pfn; i < pfn + nr; i++)
		WRITE_ONCE(READ_ONCE(READ_ONCE(quarry_labels)[i >> QUARRY_SLOT_SHIFT])[i],
			   label);
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
	unsigned long i = pfn >> QUARRY_SLOT_SHIFT;

	return i < labels_head(labels)->nr &&
	       cmpxchg(&READ_ONCE(labels[i])[pfn], label, 0) == label;
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
	struct quarry_slot4m *d;
	struct quarry_chunk *before, *after;
	unsigned long i, flags;

	if (last_slot(c) >= quarry_nr_slots(READ_ONCE(quarry_slots)) &&
	    directory_grow(last_slot(c) + 1))
		return -ENOMEM;

	spin_lock_irqsave(&directory_lock, flags);
	d = quarry_slots;
	before = predecessor(d, c);
	for (i = first_slot(c); i <= last_slot(c); i++) {
		for (after = d[i].chunk; after; after = after->next)
			if (overlaps(c, after)) {
				spin_unlock_irqrestore(&directory_lock, flags);
				return -EEXIST;
			}
	}
	if (before && first_slot(c) == last_slot(c))
		after = before->next;
	else
		after = d[last_slot(c)].chunk;
	c->next = after;
	i = first_slot(c);
	if (before) {
		/* Readers must find the chunk and its next written. */
		smp_store_release(&before->next, c);
		i++;
	}
	for (; i <= last_slot(c); i++)
		/* As above. */
		smp_store_release(&d[i].chunk, c);
	spin_unlock_irqrestore(&directory_lock, flags);
	return 0;
}

/**
 * quarry_directory_serve() - say whose a chunk's frames are
 * @c:		a chunk that was inserted
 * @buddy:	where its blocks are free, or NULL while they are nobody's
 *
 * From here on the fast path of a free knows the slots that @c fills, or no longer.
 * Context: any but interrupts.
 */
void quarry_directory_serve(struct quarry_chunk *c, struct quarry_buddy *buddy)
{
	struct quarry_slot4m *slot;
	unsigned long i, flags;

	spin_lock_irqsave(&directory_lock, flags);
	WRITE_ONCE(c->buddy, buddy);
	for (i = first_slot(c); c->span && i <= last_slot(c); i++) {
		if (c->pfn > i << QUARRY_SLOT_SHIFT ||
		    c->pfn + c->nr < (i + 1) << QUARRY_SLOT_SHIFT)
			continue;
		slot = &quarry_slots[i];
		slot->state = c->state - c->pfn;
		/* Readers that see the buddy must see the state. */
		smp_store_release(&slot->buddy, buddy);
	}
	spin_unlock_irqrestore(&directory_lock, flags);
}

/**
 * quarry_directory_remove() - forget a chunk
 * @c:	a chunk that was inserted, or one of device memory, which never is; free it
 *	only after a grace period
 *
 * Context: any but interrupts.
 */
void quarry_directory_remove(struct quarry_chunk *c)
{
	struct quarry_chunk *before, *after = c->next;
	struct quarry_slot4m *d;
	unsigned long i, flags;

	if (!c->span)
		return;
	spin_lock_irqsave(&directory_lock, flags);
	d = quarry_slots;
	before = predecessor(d, c);
	i = first_slot(c);
	if (before) {
		WRITE_ONCE(before->next, i == last_slot(c) ? after : NULL);
		i++;
	}
	for (; i <= last_slot(c); i++)
		WRITE_ONCE(d[i].chunk, i == last_slot(c) ? after : NULL);
	spin_unlock_irqrestore(&directory_lock, flags);
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
	struct quarry_slot4m *d = READ_ONCE(quarry_slots);
	unsigned long i, stop = min(end, quarry_nr_slots(d) << QUARRY_SLOT_SHIFT);
	struct quarry_chunk *c;

	for (i = pfn; i < stop; i = ((i >> QUARRY_SLOT_SHIFT) + 1) << QUARRY_SLOT_SHIFT)
		for (c = READ_ONCE(d[i >> QUARRY_SLOT_SHIFT].chunk); c;
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
	struct quarry_slot4m *d = READ_ONCE(quarry_slots);
	unsigned long i, stop = min(end, quarry_nr_slots(d) << QUARRY_SLOT_SHIFT);
	struct quarry_chunk *c, *last = NULL;

	if (pfn >= stop)
		return NULL;
	for (i = ((stop - 1) >> QUARRY_SLOT_SHIFT) + 1; i-- > pfn >> QUARRY_SLOT_SHIFT;) {
		for (c = READ_ONCE(d[i].chunk); c; c = READ_ONCE(c->next))
			if (c->pfn < end && c->pfn + c->nr > pfn)
				last = c;
		if (last)
			break;
	}
	return last;
}
