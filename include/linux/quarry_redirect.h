/* SPDX-License-Identifier: GPL-2.0 */
/*
 * quarry_redirect: give an unmodified module pages from a quarry pool.
 *
 * Compile the module with "-include linux/quarry_redirect.h". Its calls of
 * alloc_pages() and relatives then go to a pool, by default the default one;
 * -DQUARRY_REDIRECT_POOL=expression names another.
 *
 * The core headers come first, so that their inline functions stay on the
 * kernel's allocator on both sides. What follows renames, in the module's own
 * code alone, the functions that take and give pages.
 *
 * A module may also free pages that the core allocated for it. So a page that
 * is not quarry's is passed on to the kernel, and which it is costs a look-up
 * in the arena directory.
 *
 * Not for modules whose pages the core frees for them (by put_page(), through
 * a page cache, a bio or an skb): such a page never comes back to the pool. It
 * is not lost to the kernel either, because quarry holds a reference of its
 * own, and quarry.ko cannot be unloaded while it is out.
 */
#ifndef _LINUX_QUARRY_REDIRECT_H
#define _LINUX_QUARRY_REDIRECT_H

#include <linux/backing-dev.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <linux/quarry.h>

#ifndef QUARRY_REDIRECT_POOL
#define QUARRY_REDIRECT_POOL	quarry_pool_default()
#endif

/* What MODULE_IMPORT_NS() makes, whose argument became a string in 6.13. */
MODULE_INFO(import_ns, "QUARRY");

/* The kernel's pages come with a private field of 0, quarry's as they are. */
static __always_inline struct page *quarry_redirect_fresh(struct page *page)
{
	if (page)
		set_page_private(page, 0);
	return page;
}

static __always_inline struct page *
quarry_redirect_alloc_pages(gfp_t gfp, unsigned int order)
{
	return quarry_redirect_fresh(quarry_alloc_pages(QUARRY_REDIRECT_POOL, gfp, order));
}

static __always_inline struct page *
quarry_redirect_alloc_pages_node(int node, gfp_t gfp, unsigned int order)
{
	return quarry_redirect_fresh(quarry_alloc_pages_node(QUARRY_REDIRECT_POOL, node,
							     gfp, order));
}

static __always_inline unsigned long
quarry_redirect_get_free_pages(gfp_t gfp, unsigned int order)
{
	unsigned long addr = quarry_get_free_pages(QUARRY_REDIRECT_POOL, gfp, order);

	if (addr)
		quarry_redirect_fresh(virt_to_page((void *)addr));
	return addr;
}

static __always_inline void *
quarry_redirect_alloc_pages_exact(size_t size, gfp_t gfp)
{
	void *virt = quarry_alloc_pages_exact(QUARRY_REDIRECT_POOL, size, gfp);

	if (virt)
		quarry_redirect_fresh(virt_to_page(virt));
	return virt;
}

static inline void
quarry_redirect_free_pages(struct page *page, unsigned int order)
{
	if (quarry_owns_page(page))
		quarry_free_pages(quarry_page_pool(page), page, order);
	else
		__free_pages(page, order);
}

static inline void
quarry_redirect_put_free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		quarry_redirect_free_pages(virt_to_page((void *)addr), order);
}

static inline void quarry_redirect_free_pages_exact(void *virt, size_t size)
{
	if (quarry_owns(virt))
		quarry_free_pages_exact(quarry_page_pool(virt_to_page(virt)), virt, size);
	else
		free_pages_exact(virt, size);
}

/* Functions in one kernel, macros in the next: forget either. */
#undef alloc_page
#undef alloc_pages
#undef alloc_pages_node
#undef __alloc_pages_node
#undef __get_free_page
#undef __get_free_pages
#undef __get_dma_pages
#undef get_zeroed_page
#undef alloc_pages_exact
#undef __free_page
#undef __free_pages
#undef free_page
#undef free_pages
#undef free_pages_exact

#define alloc_pages(gfp, order)		quarry_redirect_alloc_pages(gfp, order)
#define alloc_page(gfp)			quarry_redirect_alloc_pages(gfp, 0)
#define alloc_pages_node(node, gfp, order) \
	quarry_redirect_alloc_pages_node(node, gfp, order)
#define __alloc_pages_node(node, gfp, order) \
	quarry_redirect_alloc_pages_node(node, gfp, order)
#define __get_free_pages(gfp, order)	quarry_redirect_get_free_pages(gfp, order)
#define __get_free_page(gfp)		quarry_redirect_get_free_pages(gfp, 0)
#define __get_dma_pages(gfp, order) \
	quarry_redirect_get_free_pages((gfp) | GFP_DMA, order)
#define get_zeroed_page(gfp) \
	quarry_redirect_get_free_pages((gfp) | __GFP_ZERO, 0)
#define alloc_pages_exact(size, gfp)	quarry_redirect_alloc_pages_exact(size, gfp)

#define __free_pages(page, order)	quarry_redirect_free_pages(page, order)
#define __free_page(page)		quarry_redirect_free_pages(page, 0)
#define free_pages(addr, order)		quarry_redirect_put_free_pages(addr, order)
#define free_page(addr)			quarry_redirect_put_free_pages(addr, 0)
#define free_pages_exact(virt, size)	quarry_redirect_free_pages_exact(virt, size)

#endif /* _LINUX_QUARRY_REDIRECT_H */
