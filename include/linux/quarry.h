/* SPDX-License-Identifier: GPL-2.0 */
/*
 * quarry: pools of pages of one's own.
 *
 * A pool is a page allocator over memory that it takes from the kernel in big
 * blocks. Pools know nothing of each other: each has a floor, a cap, a node
 * and statistics, and one that is exhausted or abused leaves the rest alone.
 *
 *	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
 *	struct quarry_pool *pool;
 *	struct page *page;
 *
 *	cfg.min_bytes = SZ_16M;
 *	cfg.max_bytes = SZ_64M;
 *	pool = quarry_pool_create("mydrv", &cfg);
 *	if (IS_ERR(pool))
 *		return PTR_ERR(pool);
 *	page = quarry_alloc_pages(pool, GFP_KERNEL, 4);
 *	...
 *	quarry_free_pages(pool, page, 4);
 *	quarry_pool_destroy(pool);
 *
 * Contexts. Allocating and freeing work in any context, NMI included. What may
 * sleep is decided by the gfp flags alone, as for alloc_pages(). In NMI an
 * allocation may return NULL where it would have succeeded otherwise; a free
 * never fails. Creating, destroying and reshaping pools sleeps.
 *
 * Pages. Each page has references that are quarry's beside the client's, 2^28 of them, so
 * page_count() of a fresh page is QUARRY_PAGE_OURS + 1, and a stray put_page() or kfree()
 * cannot give it to the kernel, nor can many. Blocks are not compound: every page of a block can be
 * referenced by itself. page->private is as its last owner left it, and 0 in a page
 * that is fresh from the kernel: set it before you read it.
 *
 * Misuse is refused, counted, and reported once per call site with a stack;
 * see Documentation/using.md.
 *
 * Symbols are GPL, in the namespace QUARRY.
 */
#ifndef _LINUX_QUARRY_H
#define _LINUX_QUARRY_H

#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/mm_types.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/types.h>
#include <uapi/linux/quarry.h>

struct quarry_pool;

#include <linux/quarry/pages_fast.h>

struct quarry_mempool;

/**
 * struct quarry_pool_config - what a pool is made of
 * @min_bytes:	taken at creation and never given back; a multiple of PAGE_SIZE
 * @max_bytes:	hard cap, at least @min_bytes; 0 means all memory there is
 * @reserve_bytes: the last so many bytes go only to callers that must not fail:
 *		GFP_ATOMIC; see module/pages/gfp.c. Slabs and their objects, too
 * @low_bytes:	the pool grows in the background when less is free, and the shrinker
 *		leaves as much; 0: never
 * @node:	memory of this node only, or NUMA_NO_NODE
 * @zone:	0, GFP_DMA or GFP_DMA32: where the memory must lie
 */
struct quarry_pool_config {
	u64 min_bytes;
	u64 max_bytes;
	u64 reserve_bytes;
	u64 low_bytes;
	int node;
	gfp_t zone;
};

/* Grows from nothing without a cap, on any node. */
#define QUARRY_POOL_CONFIG	((struct quarry_pool_config){ .node = NUMA_NO_NODE })

/* Largest order that memory from the kernel can serve: 10, 4 MiB. */
unsigned int quarry_max_order(void);

struct quarry_pool *__quarry_pool_create(const char *name,
					 const struct quarry_pool_config *config,
					 struct module *owner);
int quarry_pool_destroy(struct quarry_pool *pool);
int quarry_pool_forget(struct quarry_pool *pool, u64 *lost);
struct quarry_pool *quarry_pool_default(void);
struct quarry_pool *quarry_pool_find(const char *name);
void quarry_pool_put(struct quarry_pool *pool);
u64 quarry_pool_shrink(struct quarry_pool *pool, u64 bytes);
u64 quarry_pool_drain(struct quarry_pool *pool);
int quarry_pool_validate(struct quarry_pool *pool,
			 struct quarry_pool_validate *result);
int quarry_pool_inject(struct quarry_pool *pool, u64 nth, u32 per_million);
int quarry_pool_set_modes(struct quarry_pool *pool, unsigned int modes);
unsigned int quarry_pool_modes(const struct quarry_pool *pool);
void quarry_pool_snapshot(struct quarry_pool *pool,
			  struct quarry_pool_stats *stats);

struct page *__quarry_alloc_pages(struct quarry_pool *pool, gfp_t gfp,
				  unsigned int order);
void __quarry_free_pages(struct quarry_pool *pool, struct page *page,
			 unsigned int order);
struct page *quarry_alloc_pages_node(struct quarry_pool *pool, int node,
				     gfp_t gfp, unsigned int order);
unsigned int quarry_alloc_pages_bulk(struct quarry_pool *pool, gfp_t gfp,
				     unsigned int order, unsigned int nr,
				     struct page **pages);
void quarry_free_pages_bulk(struct quarry_pool *pool, unsigned int order,
			    unsigned int nr, struct page **pages);
unsigned long quarry_get_free_pages(struct quarry_pool *pool, gfp_t gfp,
				    unsigned int order);
void quarry_put_free_pages(struct quarry_pool *pool, unsigned long addr,
			   unsigned int order);
void *quarry_alloc_pages_exact(struct quarry_pool *pool, size_t size, gfp_t gfp);
void quarry_free_pages_exact(struct quarry_pool *pool, void *virt, size_t size);

/**
 * quarry_pool_create() - make a pool
 * @name:	1 to QUARRY_NAME_MAX - 1 of [A-Za-z0-9_.-], not in use
 * @config:	its limits; start from QUARRY_POOL_CONFIG
 *
 * It is the calling module's: nobody else destroys it while that is loaded.
 *
 * Context: sleeps.
 *
 * Return: the pool; ERR_PTR(-EINVAL) for a bad name or limits that contradict each
 * other or are no multiple of PAGE_SIZE; -ENODEV for a node without memory; -EEXIST
 * for a name in use; -ENOMEM if the kernel cannot give the floor, or the machine has
 * less memory than the reserve or the low watermark; -EINTR if the caller was killed
 * meanwhile.
 */
static inline struct quarry_pool *
quarry_pool_create(const char *name, const struct quarry_pool_config *config)
{
	return __quarry_pool_create(name, config, THIS_MODULE);
}

/**
 * quarry_alloc_pages() - allocate 2^order pages
 * @pool:	the pool
 * @gfp:	as for alloc_pages(); what each flag means is said in
 *		module/pages/gfp.c and Documentation/using.md
 * @order:	0 to quarry_max_order()
 *
 * The block is physically contiguous and naturally aligned, and comes from the
 * CPU's own node where that has memory. Quickest with a constant order and flags.
 *
 * Context: any. Sleeps only if @gfp allows it. In NMI it may return NULL though
 * there is memory.
 *
 * Return: the first page, or NULL.
 */
static __always_inline struct page *quarry_alloc_pages(struct quarry_pool *pool,
						       gfp_t gfp, unsigned int order)
{
	struct page *page;

	quarry_might_alloc(gfp);
	if (!__builtin_constant_p(order) || order >= QUARRY_PCP_ORDERS ||
	    !__builtin_constant_p(gfp) || gfp & QUARRY_GFP_SLOW)
		return __quarry_alloc_pages(pool, gfp, order);
	if (!want_init_on_alloc(0)) {
		page = quarry_pop_fast(pool, order);
		if (likely(page))
			return page;
	}
	return quarry_alloc_slow(pool, gfp, order, NUMA_NO_NODE);
}

/**
 * quarry_free_pages() - give 2^order pages back
 * @pool:	the pool they came from
 * @page:	the first of them
 * @order:	the order they were allocated with
 *
 * What is not a block of @pool with that order, in a client's hands, is refused,
 * counted and reported, and nothing else happens.
 *
 * Context: any. Never sleeps, never fails.
 */
static __always_inline void quarry_free_pages(struct quarry_pool *pool,
					      struct page *page, unsigned int order)
{
	if (!__builtin_constant_p(order) || order >= QUARRY_PCP_ORDERS)
		__quarry_free_pages(pool, page, order);
	else if (!quarry_push_fast(pool, page, order))
		quarry_free_slow(pool, page, order);
}

/**
 * quarry_get_zeroed_page() - one page of zeros by address
 * @pool:	the pool
 * @gfp:	as for alloc_pages()
 *
 * Context: as @gfp says. Return: its address, or 0.
 */
static inline unsigned long quarry_get_zeroed_page(struct quarry_pool *pool, gfp_t gfp)
{
	return quarry_get_free_pages(pool, gfp | __GFP_ZERO, 0);
}

/* Flags of struct quarry_range. */
#define QUARRY_RANGE_TOP_DOWN	BIT(0)	/* the highest place that fits */
#define QUARRY_RANGE_DEVICE	BIT(1)	/* from ranges without struct page */

/**
 * struct quarry_range - contiguous memory that is wanted
 * @bytes:	length, a multiple of PAGE_SIZE, up to 1 GiB
 * @align:	alignment of its physical address, a power of two; 0: PAGE_SIZE
 * @start:	lowest physical address allowed
 * @end:	first physical address not allowed; 0: no limit
 * @gfp:	as for alloc_pages(); a window is never grown for
 * @flags:	QUARRY_RANGE_*
 */
struct quarry_range {
	u64 bytes;
	u64 align;
	phys_addr_t start;
	phys_addr_t end;
	gfp_t gfp;
	unsigned int flags;
};

int quarry_alloc_range(struct quarry_pool *pool, const struct quarry_range *range,
		       phys_addr_t *at);
int quarry_free_range(struct quarry_pool *pool, phys_addr_t at, u64 bytes);
int quarry_trim(struct quarry_pool *pool, phys_addr_t at, u64 bytes, u64 keep);

/* Flags of quarry_pool_add_range(). */
#define QUARRY_ADD_PAGES	BIT(0)	/* every frame has a struct page */
#define QUARRY_ADD_ZERO		BIT(1)	/* the memory holds zeros */

int quarry_pool_add_range(struct quarry_pool *pool, phys_addr_t start, u64 bytes,
			  unsigned int flags);
int quarry_pool_remove_range(struct quarry_pool *pool, phys_addr_t start);

struct quarry_mempool *quarry_mempool_create(struct quarry_pool *pool,
					     unsigned int order, unsigned int nr);
struct page *quarry_mempool_alloc(struct quarry_mempool *mempool, gfp_t gfp);
void quarry_mempool_free(struct quarry_mempool *mempool, struct page *page);
int quarry_mempool_destroy(struct quarry_mempool *mempool);

bool quarry_owns(const void *addr);
bool quarry_owns_page(const struct page *page);
struct quarry_pool *quarry_page_pool(const struct page *page);

#endif /* _LINUX_QUARRY_H */
