// SPDX-License-Identifier: GPL-2.0
/*
 * Large allocations: pages, found again by their address.
 *
 * What is larger than a slab holds takes pages of its own, but is freed by its address like
 * any other; so how many they are has to be found there, and no more of them should be kept
 * than are needed.
 *
 * The first frame has the tag LARGE, and its page's private word says how many pages
 * there are and in what form:
 *
 *	block	2^order pages, while no more than a fifth of them is not asked for
 *	run	as many pages as are needed: the rest of a block has been trimmed off
 *
 * kmemleak knows of each, so that what only they point to is in use, and that one which nobody
 * points to any more is reported with the stack of who took it; but with PREEMPT_RT not of what is
 * taken with preemption off.
 *
 * A free takes the tag away first, and atomically, so of two frees one is told.
 *
 * The head of quarry_free_rcu() must lie in the first page of a large allocation.
 *
 * Contexts: as @gfp says; freeing any but NMI. With PREEMPT_RT and preemption off only where
 * the first MiB of it has labels already, else it is refused (cache/labels.c).
 */
#include <linux/io.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>

#include "../arena/directory.h"
#include "../base/stacks.h"
#include "../pages/alloc.h"
#include "cache.h"
#include "labels.h"

/* Would more than a fifth of a block of @order not be asked for? */
static bool large_wastes(size_t size, unsigned int order)
{
	return size * 5 < 4 * (PAGE_SIZE << order);
}

/**
 * quarry_large_roundup() - what a large allocation takes
 * @size:	bytes, more than QUARRY_CLASS_MAX
 */
size_t quarry_large_roundup(size_t size)
{
	unsigned long nr = PFN_UP(size);
	unsigned int order = get_order(size);

	return (large_wastes(size, order) ? nr : 1UL << order) << PAGE_SHIFT;
}

/* The pages of an allocation that has no tag any more. */
static void large_give(struct page *page)
{
	struct quarry_pool *pool = quarry_pool_default();
	unsigned long private = page_private(page), nr = private & ~QUARRY_LARGE_RUN;
	unsigned int order = ilog2(nr);

	/* The kernel's kfree() was called with it, too: see cache/strays.c. */
	quarry_count_add(pool, QUARRY_COUNT_ERRORS + QUARRY_ERR_STRAY_REF,
			 quarry_page_mend(page));
	set_page_private(page, 0);
	if (private & QUARRY_LARGE_RUN) {
		quarry_free_range(pool, page_to_phys(page), nr << PAGE_SHIFT);
		return;
	}
	quarry_block_change(pool, page, order, QUARRY_STATE_SLAB, QUARRY_STATE_ALLOC);
	__quarry_free_pages(pool, page, order);
}

/**
 * quarry_large_alloc() - allocate pages for malloc
 * @size:	bytes, more than QUARRY_CLASS_MAX
 * @gfp:	as for kmalloc()
 * @node:	preferred node, or NUMA_NO_NODE
 *
 * Context: as @gfp says. Return: the memory; NULL if there is none, or if no block is
 * as large.
 */
void *quarry_large_alloc(size_t size, gfp_t gfp, int node)
{
	struct quarry_pool *pool = quarry_pool_default();
	unsigned int order = get_order(size);
	unsigned long nr = PFN_UP(size), private;
	struct page *page;

	if (size > PAGE_SIZE << quarry_max_order())
		return NULL;
	page = quarry_alloc_pages_node(pool, node, gfp & ~__GFP_COMP, order);
	if (!page)
		return NULL;
	if (!large_wastes(size, order))
		nr = 1UL << order;
	private = nr;
	if (nr < 1UL << order) {
		quarry_trim(pool, page_to_phys(page), PAGE_SIZE << order, nr << PAGE_SHIFT);
		private |= QUARRY_LARGE_RUN;
	} else {
		quarry_block_change(pool, page, order, QUARRY_STATE_ALLOC, QUARRY_STATE_SLAB);
	}
	set_page_private(page, private);
	/* Who finds the tag must find the private word. Pairs with that in large_page(). */
	smp_wmb();
	if (!quarry_label_frames(page_to_pfn(page), 1, QUARRY_TAG_LARGE, quarry_gfp_meta(gfp))) {
		large_give(page);
		return NULL;
	}
	quarry_shadow_narrow(page_address(page), size, nr << PAGE_SHIFT);
	/* All of it: quarry_realloc() may have more of it used. */
	if (quarry_may_kmalloc())
		kmemleak_alloc(page_address(page), nr << PAGE_SHIFT, 1, gfp);
	return page_address(page);
}

static struct page *large_page(const void *object)
{
	unsigned long pfn = quarry_object_pfn(object);

	if (!PAGE_ALIGNED(object) || quarry_tag_of(pfn) != QUARRY_TAG_LARGE)
		return NULL;
	/* The private word was written before the tag. Pairs with that in quarry_large_alloc(). */
	smp_rmb();
	return pfn_to_page(pfn);
}

/* Free a large allocation. False if @object is none. Context: any but NMI. */
bool quarry_large_free(const void *object)
{
	struct page *page;
	bool mine;

	preempt_disable();
	page = large_page(object);
	mine = page && quarry_unlabel_frame(page_to_pfn(page), QUARRY_TAG_LARGE);
	preempt_enable();
	if (mine) {
		kmemleak_free(object);
		large_give(page);
	}
	return mine;
}

/* Bytes of a large allocation, 0 if @object is none. Context: preemption off. */
size_t quarry_large_size(const void *object)
{
	struct page *page = large_page(object);

	return page ? (page_private(page) & ~QUARRY_LARGE_RUN) << PAGE_SHIFT : 0;
}

/* The large allocation that an address's page begins, or NULL. For heads of RCU. */
void *quarry_large_start(const void *address)
{
	void *start = (void *)((unsigned long)address & PAGE_MASK);
	struct page *page;

	preempt_disable();
	page = large_page(start);
	preempt_enable();
	return page ? start : NULL;
}
