/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast path of objects, compiled into the modules that use quarry.
 *
 * An object is popped from and pushed to this CPU's loaded magazine: no lock, no
 * atomic, interrupts on. A free looks at one thing: the label of the object's frame,
 * which says of which cache and node the frame's slab is, and where its objects
 * begin. So an object of another cache, of the kernel's or of nobody never gets into a
 * magazine, nor does a pointer into one. Everything else is left to
 * quarry_cache_alloc_slow() and quarry_cache_free_slow().
 *
 * Private, as quarry/pages_fast.h. Theory: module/slab/magazine.c for the magazines,
 * module/cache/tags.c for the tags.
 */
#ifndef _LINUX_QUARRY_CACHE_FAST_H
#define _LINUX_QUARRY_CACHE_FAST_H

#include <linux/quarry/cpu_cache.h>

/* Flags that ask for more than the fast path does. */
#define QUARRY_GFP_OBJECT_SLOW	(__GFP_THISNODE | __GFP_DMA | __GFP_DMA32 | \
				 __GFP_HIGHMEM)

/* What stands before the first entry of quarry_labels. */
struct quarry_labels_head {
	unsigned long nr;
};

/* By MiB of physical memory: the labels of its frames; 0 in frames of no slab. Never NULL. */
extern u64 **quarry_labels;

#define QUARRY_LABELS_SHIFT	8

static __always_inline unsigned long quarry_nr_labels(u64 * const *labels)
{
	return ((const struct quarry_labels_head *)labels)[-1].nr;
}

/* The label of a frame that has one. */
static __always_inline u64 *quarry_label(u64 **labels, unsigned long pfn)
{
	return &labels[pfn >> QUARRY_LABELS_SHIFT][(u8)pfn];
}

/* The label of a frame; false if there is no such memory. Preemption off, or under RCU. */
static __always_inline bool quarry_label_look(unsigned long pfn, u64 *label)
{
	u64 **labels = READ_ONCE(quarry_labels);
	unsigned long at;

	/* First the byte, then the shift: gcc's own order is a copy of the number more. */
	OPTIMIZER_HIDE_VAR(pfn);
	at = (u8)pfn;
	OPTIMIZER_HIDE_VAR(at);
	pfn >>= QUARRY_LABELS_SHIFT;
	if (unlikely(pfn >= quarry_nr_labels(labels)))
		return false;
	*label = labels[pfn][at];
	/* As READ_ONCE(), which gcc gives two instructions more. */
	OPTIMIZER_HIDE_VAR(*label);
	return true;
}

/* How every struct quarry_cache begins. */
struct quarry_cache_head {
	struct quarry_cpu_cache __percpu *cpu_cache;
};

void *quarry_cache_alloc_slow(struct quarry_cache *cache, gfp_t gfp, int node);
void *quarry_cache_alloc_zero(struct quarry_cache *cache, gfp_t gfp);
void quarry_object_wipe(struct quarry_cache *cache, void *object);
void quarry_cache_free_slow(struct quarry_cache *cache, void *object);

/* The frame of an address in the linear map; a huge number for any other. */
static __always_inline unsigned long quarry_object_pfn(const void *object)
{
#ifdef CONFIG_X86_64
	return ((unsigned long)object - PAGE_OFFSET) >> PAGE_SHIFT;
#else
	return virt_addr_valid(object) ? virt_to_pfn(object) : ULONG_MAX;
#endif
}

/* Pop an object if that is all there is to do, else NULL. */
static __always_inline void *quarry_object_pop(struct quarry_cache *cache)
{
	void *object;

	preempt_disable();
	object = quarry_cpu_cache_pop(this_cpu_ptr(((struct quarry_cache_head *)cache)->cpu_cache));
	if (likely(object)) {
		preempt_enable();
		return object;
	}
	preempt_enable();
	return NULL;
}

/* Push an object if that is all there is to do, else false. Any @object. */
static __always_inline bool quarry_object_push(struct quarry_cache *cache, void *object)
{
	unsigned long pfn = quarry_object_pfn(object);
	struct quarry_cpu_cache *m;
	u64 label;

	preempt_disable();
	if (likely(quarry_label_look(pfn, &label))) {
		m = this_cpu_ptr(((struct quarry_cache_head *)cache)->cpu_cache);
		if (likely(quarry_cpu_cache_push(m, label, object))) {
			preempt_enable();
			return true;
		}
	}
	preempt_enable();
	return false;
}

#endif /* _LINUX_QUARRY_CACHE_FAST_H */
