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
 * get_page(), put_page() and page_count() of the module's own code mean what they mean for
 * the kernel's pages: the last reference of a client gives the page back to its pool, and
 * quarry's own are not counted. Documentation/redirect.md says by call what becomes of it.
 *
 * Not for modules whose pages the core frees for them (by put_page(), through
 * a page cache, a bio or an skb): such a page never comes back to the pool. It
 * is not lost to the kernel either, because quarry holds references of its
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
#include <linux/migrate.h>
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

/* A compound block is the kernel's, and given back to it. */
static __always_inline bool quarry_redirect_is_compound(gfp_t gfp, unsigned int order)
{
	return gfp & __GFP_COMP && order;
}

static __always_inline struct page *
quarry_redirect_alloc_pages(gfp_t gfp, unsigned int order)
{
	if (quarry_redirect_is_compound(gfp, order))
		return alloc_pages(gfp, order);
	gfp &= ~__GFP_COMP;
	return quarry_redirect_fresh(quarry_alloc_pages(QUARRY_REDIRECT_POOL, gfp, order));
}

static __always_inline struct page *
quarry_redirect_alloc_pages_node(int node, gfp_t gfp, unsigned int order)
{
	if (quarry_redirect_is_compound(gfp, order))
		return alloc_pages_node(node, gfp, order);
	gfp &= ~__GFP_COMP;
	return quarry_redirect_fresh(quarry_alloc_pages_node(QUARRY_REDIRECT_POOL, node,
							     gfp, order));
}

static __always_inline unsigned long
quarry_redirect_get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = quarry_redirect_alloc_pages(gfp & ~__GFP_HIGHMEM, order);

	return page ? (unsigned long)page_address(page) : 0;
}

static __always_inline void *
quarry_redirect_alloc_pages_exact(size_t size, gfp_t gfp)
{
	void *virt = quarry_alloc_pages_exact(QUARRY_REDIRECT_POOL, size, gfp);

	if (virt)
		quarry_redirect_fresh(virt_to_page(virt));
	return virt;
}

/* The kernel's way: who has a slot that is NULL gets a page there. */
static inline unsigned long
quarry_redirect_alloc_bulk_node(gfp_t gfp, int node, unsigned long nr, struct page **pages)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		if (!pages[i])
			pages[i] = quarry_redirect_alloc_pages_node(node, gfp, 0);
		if (!pages[i])
			break;
	}
	return i;
}

static inline unsigned long
quarry_redirect_alloc_bulk(gfp_t gfp, unsigned long nr, struct page **pages)
{
	return quarry_redirect_alloc_bulk_node(gfp, NUMA_NO_NODE, nr, pages);
}

/* Drop a client's reference; with the last one the page goes back to its pool. */
static inline void quarry_redirect_put_page(struct page *page)
{
	if (!quarry_owns_page(page)) {
		put_page(page);
		return;
	}
	/* Who has the only reference need not be told from others. */
	if (page_count(page) != QUARRY_PAGE_OURS + 1) {
		if (page_ref_dec_return(page) != QUARRY_PAGE_OURS)
			return;
		page_ref_inc(page);
	}
	/* As the kernel does, of what its flags for movable pages leave there. */
	if (page->mapping)
		page->mapping = NULL;
	quarry_free_pages(quarry_page_pool(page), page, 0);
}

/*
 * The kernel would move what is in a page to one of its own, and free ours: a page of quarry's
 * is not to be moved.
 */
#ifdef PAGE_MAPPING_MOVABLE
static inline void quarry_redirect_set_page_movable(struct page *page,
						    const struct movable_operations *ops)
{
	if (!quarry_owns_page(page))
		__SetPageMovable(page, ops);
}

static inline void quarry_redirect_clear_page_movable(struct page *page)
{
	if (!quarry_owns_page(page))
		__ClearPageMovable(page);
}
#else
static inline void quarry_redirect_set_page_movable(struct page *page)
{
	if (!quarry_owns_page(page))
		SetPageMovableOps(page);
}
#endif

static inline int quarry_redirect_page_count(struct page *page)
{
	return page_count(page) - (quarry_owns_page(page) ? QUARRY_PAGE_OURS : 0);
}

/* A single page goes when nobody has a reference any more, whoever had the last one. */
static inline void
quarry_redirect_free_pages(struct page *page, unsigned int order)
{
	if (!order)
		quarry_redirect_put_page(page);
	else if (quarry_owns_page(page))
		quarry_free_pages(quarry_page_pool(page), page, order);
	else
		__free_pages(page, order);
}

static inline void quarry_redirect_free_page(struct page *page)
{
	quarry_redirect_free_pages(page, 0);
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

static inline void quarry_redirect_put_free_page(unsigned long addr)
{
	quarry_redirect_put_free_pages(addr, 0);
}

static __always_inline struct page *quarry_redirect_alloc_page(gfp_t gfp)
{
	return quarry_redirect_alloc_pages(gfp, 0);
}

static __always_inline unsigned long quarry_redirect_get_free_page(gfp_t gfp)
{
	return quarry_redirect_get_free_pages(gfp, 0);
}

static __always_inline unsigned long quarry_redirect_get_zeroed_page(gfp_t gfp)
{
	return quarry_redirect_get_free_pages(gfp | __GFP_ZERO, 0);
}

static __always_inline unsigned long
quarry_redirect_get_dma_pages(gfp_t gfp, unsigned int order)
{
	return quarry_redirect_get_free_pages(gfp | GFP_DMA, order);
}

/* Functions in one kernel, macros in the next: forget either. */
#undef alloc_page
#undef alloc_pages
#undef alloc_pages_node
#undef __alloc_pages_node
#undef alloc_pages_bulk
#undef alloc_pages_bulk_node
#undef alloc_pages_bulk_array
#undef alloc_pages_bulk_array_node
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
#undef put_page
#undef page_count
#undef page_ref_count
#undef alloc_pages_bulk_list
#undef split_page

/* Names, not calls, so that they may be passed as functions as well. */
#define alloc_pages			quarry_redirect_alloc_pages
#define alloc_page			quarry_redirect_alloc_page
#define alloc_pages_node		quarry_redirect_alloc_pages_node
#define __alloc_pages_node		quarry_redirect_alloc_pages_node
/* 6.14 took "array" from the names, since no list is left. */
#define alloc_pages_bulk		quarry_redirect_alloc_bulk
#define alloc_pages_bulk_node		quarry_redirect_alloc_bulk_node
#define alloc_pages_bulk_array		quarry_redirect_alloc_bulk
#define alloc_pages_bulk_array_node	quarry_redirect_alloc_bulk_node
#define __get_free_pages		quarry_redirect_get_free_pages
#define __get_free_page			quarry_redirect_get_free_page
#define __get_dma_pages			quarry_redirect_get_dma_pages
#define get_zeroed_page			quarry_redirect_get_zeroed_page
#define alloc_pages_exact		quarry_redirect_alloc_pages_exact

#define __free_pages			quarry_redirect_free_pages
#define __free_page			quarry_redirect_free_page
#define free_pages			quarry_redirect_put_free_pages
#define free_page(addr)			quarry_redirect_put_free_page((unsigned long)(addr))
#define free_pages_exact		quarry_redirect_free_pages_exact
#define put_page			quarry_redirect_put_page
#define page_count			quarry_redirect_page_count
#define page_ref_count			quarry_redirect_page_count
#ifdef PAGE_MAPPING_MOVABLE
#define __SetPageMovable		quarry_redirect_set_page_movable
#define __ClearPageMovable		quarry_redirect_clear_page_movable
#else
#define SetPageMovableOps		quarry_redirect_set_page_movable
#endif

/*
 * What cannot be: these set the count of a page, of which nearly all is quarry's, or find
 * their pages in a list that quarry makes none of.
 */
#define split_page			quarry_cannot_redirect_split_page
#define init_page_count			quarry_cannot_redirect_init_page_count
#define set_page_count			quarry_cannot_redirect_set_page_count
#define page_ref_freeze			quarry_cannot_redirect_page_ref_freeze
#define alloc_pages_bulk_list		quarry_cannot_redirect_alloc_pages_bulk_list

#endif /* _LINUX_QUARRY_REDIRECT_H */
