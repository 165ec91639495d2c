// SPDX-License-Identifier: GPL-2.0
/*
 * Labels: 64 bits for each frame, which say whose its objects are and where they begin.
 *
 * A free by address has to find out whose an object is, and any pointer may be wrong. What is
 * asked for that must exist for each frame of the machine, cost one load, and not lie in
 * memory that clients write to.
 *
 * Model
 *	An array with an entry for every MiB of physical memory leads to the labels of its
 *	frames. Where no frame ever had one, an array of zeros is shared, so that a look
 *	needs no question:
 *
 *	  MiB    0     1     2     3
 *	        [o]   [A]   [o]   [B]		o: no_labels	A: 256 labels
 *
 *	What a label says is for tags.c and slab/shape.c. It is written by who owns the
 *	frame, without a lock; an array comes with the first label in its MiB and stays until
 *	unload (2 KiB, 0.2% of it).
 *
 *	An entry for a MiB and not for 4, as 256 frames are numbered by a byte: taking that
 *	from a frame's number is the same instruction that would copy the number.
 *
 *	The array is a table with holes (arena/table.c). The directory asks here before it
 *	knows of memory, so every frame of an arena has an entry.
 *
 * With PREEMPT_RT no array is made with preemption off: whoever asks has a label only in a MiB
 * that has some.
 *
 * Locks: an array is hung up under a spinlock, IRQs off. The table grows under the
 * directory's mutex. Readers hold RCU (preemption off is enough).
 *
 * Cost: 32 bytes per 4 MiB of the memory that there is, 0.0008%, and 8 bytes of page
 * tables per 512 MiB up to its highest address; and the labels.
 */
#include <linux/kmemleak.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "../arena/directory.h"
#include "../arena/table.h"
#include "../base/inject.h"
#include "../compat.h"
#include "cache.h"
#include "labels.h"

static_assert(QUARRY_LABELS_SHIFT + PAGE_SHIFT - 3 == QUARRY_TABLE_PAGE_SHIFT);

static u64 no_labels[1 << QUARRY_LABELS_SHIFT];
static atomic64_t label_bytes;

u64 **quarry_labels;
EXPORT_SYMBOL_NS_GPL(quarry_labels, QUARRY_NS);
static DEFINE_SPINLOCK(labels_lock);

static struct quarry_table table;

static void label_publish(const struct quarry_table *t)
{
	struct quarry_labels_head *head = (struct quarry_labels_head *)t->base - 1;

	head->nr = t->pages * (PAGE_SIZE / sizeof(*quarry_labels));
	/* Readers must find the head written. */
	smp_store_release(&quarry_labels, t->base);
}

static int label_reach(unsigned long pfn, unsigned long nr)
{
	return quarry_table_reach(&table, pfn, nr);
}

/**
 * quarry_labels_init() - have entries for the memory that there is, and for what comes
 *
 * Context: module load, after the directory and before there is an arena.
 *
 * Return: 0 or -ENOMEM.
 */
int quarry_labels_init(void)
{
	int err = quarry_table_init(&table, (unsigned long)no_labels, label_publish);

	if (err)
		quarry_labels_exit();
	else
		quarry_directory_ask_first(label_reach);
	return err;
}

void quarry_labels_exit(void)
{
	unsigned long i, k;
	u64 **labels;

	for (i = 0; i < table.pages; i++) {
		labels = quarry_table_page(&table, i);
		for (k = 0; labels && k < PAGE_SIZE / sizeof(*labels); k++)
			if (labels[k] != no_labels)
				kfree(labels[k]);
	}
	quarry_table_exit(&table);
}

/*
 * Give a MiB labels of its own, if it has none. Context: as @gfp says; where the kernel's
 * allocator cannot be called none are made.
 */
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
	if (!quarry_may_kmalloc())
		return false;
	mine = quarry_inject() ? NULL :
	       kcalloc(1 << QUARRY_LABELS_SHIFT, sizeof(*mine), gfp);
	if (!mine)
		return false;
	/* What points to it is in a page that is not looked at. */
	kmemleak_ignore(mine);
	spin_lock_irqsave(&labels_lock, flags);
	if (quarry_labels[i] == no_labels) {
		/* Readers, who go through the pointer, must find zeros there. */
		smp_store_release(&quarry_labels[i], mine);
		mine = NULL;
	}
	spin_unlock_irqrestore(&labels_lock, flags);
	if (!mine)
		atomic64_add(sizeof(*mine) << QUARRY_LABELS_SHIFT, &label_bytes);
	kfree(mine);
	return true;
}

/**
 * quarry_label_frames() - label the frames of a block
 * @pfn:	first frame; all of them lie in one arena
 * @nr:		frames
 * @label:	0 takes a label away, which cannot fail
 * @gfp:	for the memory of labels
 *
 * Context: as @gfp says; the caller owns the frames.
 *
 * Return: false if there is no memory for labels, or none to be had in this context: no
 * frame has one then.
 */
bool quarry_label_frames(unsigned long pfn, unsigned long nr, u64 label, gfp_t gfp)
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
 * quarry_unlabel_frame() - take a label away, if it is there
 * @pfn:	the frame
 * @label:	the label that it should have
 *
 * Context: any; preemption off. Return: true for one of those that do so at once.
 */
bool quarry_unlabel_frame(unsigned long pfn, u64 label)
{
	u64 **labels = READ_ONCE(quarry_labels);

	return pfn >> QUARRY_LABELS_SHIFT < quarry_nr_labels(labels) &&
	       cmpxchg(quarry_label(labels, pfn), label, 0) == label;
}

/* Bytes of all labels. */
u64 quarry_label_bytes(void)
{
	return atomic64_read(&label_bytes);
}

/* Bytes of what leads to them. Context: any. */
u64 quarry_labels_table_bytes(void)
{
	return quarry_table_bytes(&table);
}
