// SPDX-License-Identifier: GPL-2.0
/*
 * Arenas: memory taken from the kernel in big blocks, and given back.
 *
 * Model
 *	An arena is one block of the kernel's page allocator, or a range that the
 *	caller owns. What describes it to the core (struct quarry_arena), and where its
 *	pages are, lies in one piece of metadata:
 *
 *	  struct quarry_page_arena | areas | areagroups | state bytes
 *
 * References
 *	The block is split into single pages, so that clients may take and drop
 *	references on any of them. Each page then has the kernel's reference and
 *	2^28 more: a stray put_page(), __free_page() or kfree() takes one away and
 *	cannot free the page, nor can the next ones. One more would do for the first; but the
 *	kernel's kfree() of an object drops a reference too, and a page may have 512 objects.
 *
 *	A page at rest whose count is not QUARRY_PAGE_REFS has been tampered with; the
 *	validator says so, and an arena that holds such a page is never given back. What is
 *	missing of the pages of a slab or a large block is put back when that goes
 *	(quarry_page_mend()): who dropped it meant an object, and has no page. What is there
 *	too much is somebody's who may still look at the page.
 *
 *	What this cannot stop: __free_pages(page, order) with order > 0 frees the
 *	pages behind the first whatever their counts are (mm/page_alloc.c). The
 *	validator sees those as well.
 *
 * Contexts: taking sleeps if the gfp flags allow it; giving back may be called
 * from the shrinker. Never under a zone's lock.
 *
 * Cost: a store a page when an arena comes, a free a page when it goes; where that may be
 * many, with a look now and then whether somebody else wants the CPU.
 */
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/quarry/shadow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../base/inject.h"
#include "../compat.h"
#include "page_arena.h"

static struct kmem_cache *full_arenas;

static size_t arena_bytes(unsigned long pfn, u32 nr)
{
	return sizeof(struct quarry_page_arena) + quarry_arena_metadata_bytes(pfn, nr);
}

/* Metadata of full-sized arenas has a cache of its own: kmalloc would round it up. */
int __init quarry_page_arenas_init(void)
{
	full_arenas = kmem_cache_create("quarry_page_arena",
					arena_bytes(0, 1U << QUARRY_KERNEL_ORDER),
					0, SLAB_HWCACHE_ALIGN, NULL);
	return full_arenas ? 0 : -ENOMEM;
}

/* The last of what init made: whatever any layer left to RCU is over afterwards. */
void quarry_page_arenas_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(full_arenas);
}

static bool is_full(const struct quarry_page_arena *c)
{
	return c->kind == QUARRY_ARENA_KERNEL && c->order == QUARRY_KERNEL_ORDER;
}

static void free_metadata(struct rcu_head *rcu)
{
	struct quarry_page_arena *c = container_of(rcu, struct quarry_page_arena, rcu);

	kvfree(c->table);
	if (is_full(c))
		kmem_cache_free(full_arenas, c);
	else
		kvfree(c);
}

static void describe(struct quarry_page_arena *c, unsigned long pfn, u32 nr,
		     enum quarry_page_arena_kind kind)
{
	quarry_arena_init(&c->arena, c + 1, pfn, nr);
	c->pfn = pfn;
	c->nr = nr;
	c->kind = kind;
	c->state = c->arena.state + c->arena.lo;
	c->arena.lent = kind == QUARRY_ARENA_KERNEL;
	c->metadata_bytes = arena_bytes(pfn, nr);
	if (kind == QUARRY_ARENA_DEVICE)
		return;
	c->page = pfn_to_page(pfn);
	c->span = nr;
}

/* A page comes to rest in an arena: it has our references, and nobody may use it. */
static void take_page(struct page *page)
{
	page_ref_add(page, QUARRY_PAGE_OURS);
	quarry_shadow_pages_free(page, 1);
}

/* A page that is at rest goes to where it came from. */
static void release_page(struct page *page)
{
	quarry_shadow_pages_open(page, 1);
	page_ref_sub(page, QUARRY_PAGE_OURS);
}

/**
 * quarry_page_arena_take() - take a block from the kernel
 * @node:	NUMA node, or NUMA_NO_NODE
 * @gfp:	as for alloc_pages(), zone flags included
 * @meta:	the same for the description, which is no reason to fail
 * @order:	of the block, QUARRY_ARENA_MIN_ORDER to QUARRY_KERNEL_ORDER
 *
 * The arena belongs to nobody and is in no directory yet. Context: as @gfp says.
 *
 * Return: the arena, or NULL.
 */
struct quarry_page_arena *quarry_page_arena_take(int node, gfp_t gfp, gfp_t meta,
						 unsigned int order)
{
	struct quarry_page_arena *c;
	struct page *page;
	unsigned int i;

	page = quarry_inject() ? NULL : alloc_pages_node(node, gfp, order);
	if (!page)
		return NULL;
	if (quarry_inject())
		c = NULL;
	else if (order == QUARRY_KERNEL_ORDER)
		c = kmem_cache_alloc_node(full_arenas, meta | __GFP_ZERO, page_to_nid(page));
	else
		c = kzalloc_node(arena_bytes(page_to_pfn(page), 1U << order),
				 meta, page_to_nid(page));
	if (!c) {
		__free_pages(page, order);
		return NULL;
	}
	split_page(page, order);
	for (i = 0; i < 1U << order; i++)
		take_page(page + i);
	c->order = order;
	c->zero = want_init_on_alloc(gfp);
	describe(c, page_to_pfn(page), 1U << order, QUARRY_ARENA_KERNEL);
	return c;
}

/* Ranges of the caller's may be long, and come and go where one may sleep. */
static void may_rest(unsigned long i)
{
	if (i % 1024 == 0)
		cond_resched();
}

/* Zeroed; kvmalloc() warns of what is above 2 GiB. The OOM killer is no answer to it. */
static void *long_metadata(size_t bytes)
{
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;

	return bytes > INT_MAX ? __vmalloc(bytes, gfp) : kvmalloc(bytes, gfp);
}

/*
 * Is a page with so many references at rest? What mm/page_alloc.c checks of a page that is
 * freed, and the references.
 */
static bool is_sound(enum quarry_page_arena_kind kind, const struct page *page, int refs)
{
	unsigned long bad = PAGE_FLAGS_CHECK_AT_FREE;

	/* Ranges that were reserved at boot keep that mark. */
	if (kind == QUARRY_ARENA_PAGES)
		bad &= ~(1UL << PG_reserved);
#ifdef CONFIG_MEMCG
	if (page->memcg_data)
		return false;
#endif
	return page_count((struct page *)page) == refs && !page->mapping &&
	       !(quarry_page_flags(page) & bad) && atomic_read(&page->_mapcount) == -1;
}

/**
 * quarry_page_arena_wrap() - describe a range that the caller owns
 * @pfn:	its first frame
 * @nr:		its frames
 * @kind:	QUARRY_ARENA_PAGES or QUARRY_ARENA_DEVICE
 * @zero:	it holds zeros
 *
 * Context: sleeps.
 *
 * Return: the arena; ERR_PTR(-EINVAL) if a frame should have a struct page and
 * has none, -EBUSY if somebody else refers to a page or it is in use, -ENOMEM.
 */
struct quarry_page_arena *quarry_page_arena_wrap(unsigned long pfn, u32 nr,
						 enum quarry_page_arena_kind kind, bool zero)
{
	struct quarry_page_arena *c;
	unsigned long i;

	for (i = pfn; kind == QUARRY_ARENA_PAGES && i < pfn + nr; i++) {
		if (!pfn_valid(i))
			return ERR_PTR(-EINVAL);
		/* What could not be given back is not taken. */
		if (!is_sound(kind, pfn_to_page(i), 1))
			return ERR_PTR(-EBUSY);
		may_rest(i);
	}
	c = quarry_inject() ? NULL : long_metadata(arena_bytes(pfn, nr));
	if (!c)
		return ERR_PTR(-ENOMEM);
	for (i = pfn; kind == QUARRY_ARENA_PAGES && i < pfn + nr; i++) {
		take_page(pfn_to_page(i));
		may_rest(i);
	}
	c->zero = zero;
	describe(c, pfn, nr, kind);
	return c;
}

/* The node of an arena's memory, or NUMA_NO_NODE for device memory. */
int quarry_page_arena_node(const struct quarry_page_arena *c)
{
	if (c->kind == QUARRY_ARENA_DEVICE)
		return NUMA_NO_NODE;
	return page_to_nid(pfn_to_page(c->pfn));
}

/**
 * quarry_page_arena_page_sound() - is a page at rest as we left it?
 * @c:		its arena
 * @page:	a page that is in no client's hands
 *
 * Return: false if somebody still refers to it, maps it, or has freed it.
 */
bool quarry_page_arena_page_sound(const struct quarry_page_arena *c, const struct page *page)
{
	return is_sound(c->kind, page, QUARRY_PAGE_REFS);
}

/**
 * quarry_page_missing() - references that were dropped by somebody who had none
 * @page:	a page of an arena, at rest or in use by ourselves
 *
 * Context: any. Return: how many; 0 as well if as many others refer to it.
 */
int quarry_page_missing(const struct page *page)
{
	return max(QUARRY_PAGE_REFS - page_count((struct page *)page), 0);
}

/**
 * quarry_page_mend() - put back references that are missing
 * @page:	as for quarry_page_missing()
 *
 * Context: any. Return: how many they were.
 */
int quarry_page_mend(struct page *page)
{
	int missing = quarry_page_missing(page);

	if (unlikely(missing))
		page_ref_add(page, missing);
	return missing;
}

/**
 * quarry_page_arena_undo() - give an arena's memory back that nobody of ours has had
 * @c:	the arena; out of every zone and directory
 *
 * Whoever refers to one of its pages does so by himself: it is free when he lets go.
 *
 * Context: as quarry_page_arena_release().
 */
void quarry_page_arena_undo(struct quarry_page_arena *c)
{
	struct page *page = c->kind == QUARRY_ARENA_DEVICE ? NULL : pfn_to_page(c->pfn);
	u32 i;

	for (i = 0; page && i < c->nr; i++) {
		release_page(page + i);
		if (c->kind == QUARRY_ARENA_KERNEL)
			__free_page(page + i);
		else
			may_rest(i);
	}
	call_rcu(&c->rcu, free_metadata);
}

/**
 * quarry_page_arena_is_torn() - have references been dropped by somebody who had none?
 * @c:	an arena with struct pages, of which nothing is out
 *
 * Then the kernel may have got pages of it, for good; of those that are only referred to
 * somebody will let go. Context: any.
 */
bool quarry_page_arena_is_torn(const struct quarry_page_arena *c)
{
	u32 i;

	for (i = 0; i < c->nr; i++)
		if (quarry_page_missing(c->page + i))
			return true;
	return false;
}

/**
 * quarry_page_arena_release() - give an arena's memory back to where it came from
 * @c:	the arena; out of every zone and directory
 *
 * Context: any that may free pages, but not NMI; sleeps for a range of the caller's.
 *
 * Return: 0, or -EUCLEAN if a page is not sound: then nothing has happened.
 */
int quarry_page_arena_release(struct quarry_page_arena *c)
{
	struct page *page = c->kind == QUARRY_ARENA_DEVICE ? NULL : pfn_to_page(c->pfn);
	u32 i;

	for (i = 0; page && i < c->nr; i++) {
		if (!quarry_page_arena_page_sound(c, page + i))
			return -EUCLEAN;
		if (c->kind == QUARRY_ARENA_PAGES)
			may_rest(i);
	}
	quarry_page_arena_undo(c);
	return 0;
}

/* Has somebody freed a page of an arena's that lies in nobody's hands? */
static bool is_torn(const struct quarry_page_arena *c)
{
	struct quarry_frame f;

	for (f.i = c->arena.lo; f.i < c->arena.hi; f.i++)
		if (quarry_arena_is_free(&c->arena, f, 0) &&
		    quarry_page_missing(quarry_page_arena_page(c, f)))
			return true;
	return false;
}

/**
 * quarry_page_arena_release_free() - give back what is free of an arena of which frames are out
 * @c:	an arena of the kernel's; out of every directory, and nobody claims or frees in it
 *
 * Page by page, each if it is sound. If a reference is missing of any, none of them is: who
 * has freed one may have freed others, and what the kernel has already it must not get again.
 *
 * Context: sleeps. Return: frames that are lost.
 */
u32 quarry_page_arena_release_free(struct quarry_page_arena *c)
{
	struct quarry_frame f;
	struct page *page;
	u32 lost = c->nr;

	if (c->kind != QUARRY_ARENA_KERNEL || is_torn(c))
		return lost;
	for (f.i = c->arena.lo; f.i < c->arena.hi; f.i++) {
		page = quarry_page_arena_page(c, f);
		if (!quarry_arena_is_free(&c->arena, f, 0) ||
		    !quarry_page_arena_page_sound(c, page))
			continue;
		release_page(page);
		__free_page(page);
		lost--;
	}
	return lost;
}

/**
 * quarry_page_arena_leak() - forget an arena whose memory cannot be given back
 * @c:	the arena; out of every zone and directory
 *
 * The pages keep their references and are lost until the next boot. Context: any.
 */
void quarry_page_arena_leak(struct quarry_page_arena *c)
{
	call_rcu(&c->rcu, free_metadata);
}
