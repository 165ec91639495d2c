// SPDX-License-Identifier: GPL-2.0
/*
 * Reserves: blocks set aside for callers that must not fail.
 *
 * A reserve owns @nr blocks of one order from the start. It allocates from the pool
 * while that works and from its own stock when not; what comes back fills the stock
 * first. So @nr blocks can be out at any time, whatever others do to the pool: the
 * contract of mempool_t.
 *
 * Contexts: making and unmaking sleeps; allocating and freeing any but NMI, under one
 * raw spinlock that is never held over the pool.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "../debug/inject.h"
#include "alloc.h"

/**
 * struct quarry_reserve - blocks set aside
 * @pool:	whose
 * @lock:	guards @have and @stock
 * @order:	of the blocks
 * @nr:		blocks promised
 * @have:	blocks in @stock
 * @stock:	the blocks
 */
struct quarry_reserve {
	struct quarry_pool *pool;
	raw_spinlock_t lock;
	unsigned int order;
	unsigned int nr;
	unsigned int have;
	struct page *stock[];
};

/*
 * Blocks in stock are marked CACHED, as on a per-CPU list: a client that frees one
 * of them has freed it twice, and is told so.
 */
static bool into_stock(struct quarry_reserve *r, struct page *page)
{
	return quarry_block_mark(r->pool, page, r->order, QUARRY_STATE_ALLOC,
				 QUARRY_STATE_CACHED);
}

static void out_of_stock(struct quarry_reserve *r, struct page *page)
{
	quarry_block_mark(r->pool, page, r->order, QUARRY_STATE_CACHED,
			  QUARRY_STATE_ALLOC);
}

static void empty(struct quarry_reserve *r)
{
	unsigned int i;

	for (i = 0; i < r->have; i++)
		out_of_stock(r, r->stock[i]);
	quarry_free_pages_bulk(r->pool, r->order, r->have, r->stock);
	kvfree(r);
}

/**
 * quarry_pool_reserve() - set blocks aside
 * @pool:	the pool
 * @order:	0 to quarry_max_order()
 * @nr:		blocks that must always be available, at least 1
 *
 * Context: sleeps.
 *
 * Return: the reserve; ERR_PTR(-EINVAL) or ERR_PTR(-ENOMEM).
 */
struct quarry_reserve *quarry_pool_reserve(struct quarry_pool *pool,
					   unsigned int order, unsigned int nr)
{
	struct quarry_reserve *r;
	unsigned int i;

	if (!nr || order > quarry_max_order())
		return ERR_PTR(-EINVAL);
	r = quarry_inject() ? NULL : kvzalloc(struct_size(r, stock, nr), GFP_KERNEL);
	if (!r)
		return ERR_PTR(-ENOMEM);
	raw_spin_lock_init(&r->lock);
	r->pool = pool;
	r->order = order;
	r->nr = nr;
	r->have = quarry_alloc_pages_bulk(pool, GFP_KERNEL | __GFP_NOWARN, order, nr,
					  r->stock);
	for (i = 0; i < r->have; i++)
		into_stock(r, r->stock[i]);
	if (r->have < nr) {
		empty(r);
		return ERR_PTR(-ENOMEM);
	}
	return r;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_reserve, QUARRY_NS);

/**
 * quarry_reserve_alloc() - a block that is there
 * @reserve:	the reserve
 * @gfp:	as for alloc_pages()
 *
 * Context: any but NMI.
 *
 * Return: the first page; NULL only if the pool has none and all that was promised is
 * out.
 */
struct page *quarry_reserve_alloc(struct quarry_reserve *reserve, gfp_t gfp)
{
	struct page *page;
	unsigned long flags;

	page = quarry_alloc_pages(reserve->pool, (gfp & ~__GFP_NOFAIL) | __GFP_NOWARN,
				  reserve->order);
	if (page)
		return page;
	raw_spin_lock_irqsave(&reserve->lock, flags);
	if (reserve->have) {
		page = reserve->stock[--reserve->have];
		out_of_stock(reserve, page);
	}
	raw_spin_unlock_irqrestore(&reserve->lock, flags);
	if (page)
		quarry_prepare(reserve->pool, page, 1U << reserve->order, gfp, false);
	return page;
}
EXPORT_SYMBOL_NS_GPL(quarry_reserve_alloc, QUARRY_NS);

/**
 * quarry_reserve_free() - give a block back to a reserve
 * @reserve:	the reserve
 * @page:	its first page
 *
 * Context: any but NMI.
 */
void quarry_reserve_free(struct quarry_reserve *reserve, struct page *page)
{
	unsigned long flags;
	bool kept = false;
	unsigned int i;

	/* A block that stays in stock is as free as one that goes back. */
	if (want_init_on_free() &&
	    quarry_block_mark(reserve->pool, page, reserve->order, QUARRY_STATE_ALLOC,
			      QUARRY_STATE_ALLOC))
		for (i = 0; i < 1U << reserve->order; i++)
			clear_page(page_address(page + i));

	raw_spin_lock_irqsave(&reserve->lock, flags);
	if (reserve->have < reserve->nr && into_stock(reserve, page)) {
		reserve->stock[reserve->have++] = page;
		kept = true;
	}
	raw_spin_unlock_irqrestore(&reserve->lock, flags);
	if (!kept)
		quarry_free_pages(reserve->pool, page, reserve->order);
}
EXPORT_SYMBOL_NS_GPL(quarry_reserve_free, QUARRY_NS);

/**
 * quarry_pool_unreserve() - give the blocks of a reserve back to the pool
 * @reserve:	the reserve; gone afterwards. NULL and error pointers do nothing
 *
 * Context: sleeps.
 *
 * Return: 0, or -EBUSY if blocks of it are out: then it is as it was.
 */
int quarry_pool_unreserve(struct quarry_reserve *reserve)
{
	if (IS_ERR_OR_NULL(reserve))
		return 0;
	if (READ_ONCE(reserve->have) < reserve->nr)
		return -EBUSY;
	empty(reserve);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_unreserve, QUARRY_NS);
