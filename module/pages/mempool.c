// SPDX-License-Identifier: GPL-2.0
/*
 * Mempools: blocks set aside for callers that must not fail.
 *
 * A mempool owns @nr blocks of one order from the start. An allocation takes
 *
 *	what the pool has at hand -> the stock -> what can be had by growing the pool, or by
 *	emptying what others hold -> with __GFP_NOFAIL: what somebody frees
 *
 * so the stock comes before all that is slow or sleeps, and before the pool's own reserve.
 * What comes back fills the stock first. So @nr blocks can be out at any time, whatever
 * others do to the pool: the contract of mempool_t.
 *
 * The stock is a stack a node, so that who wants a block of one node (__GFP_THISNODE) need
 * not look at those of others, however many there are:
 *
 *	first[node] -> place -> place ->|	places of stock[], linked by next[]
 *	idle -> place ->|			those that hold no block
 *
 * Contexts: making and unmaking sleeps; allocating and freeing any but NMI, under one
 * raw spinlock that is never held over the pool, for some steps whatever @nr is. Cost:
 * 12 bytes a block.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "../base/inject.h"
#include "alloc.h"
#include "guard.h"

/* Behind the last place of a stack. */
#define NO_PLACE	U32_MAX

/**
 * struct quarry_mempool - blocks set aside
 * @pool:	whose
 * @lock:	guards all below but @order
 * @order:	of the blocks
 * @nr:		blocks promised: fewer when the hardware of one has failed
 * @have:	blocks in @stock
 * @out:	blocks handed out and not given back
 * @nodes:	that have blocks in @stock
 * @first:	by node, the place of its newest block
 * @next:	by place, the one below
 * @idle:	the first place without a block
 * @stock:	the blocks
 */
struct quarry_mempool {
	struct quarry_pool *pool;
	raw_spinlock_t lock;
	unsigned int order;
	unsigned int nr;
	unsigned int have;
	unsigned long out;
	nodemask_t nodes;
	u32 *first;
	u32 *next;
	u32 idle;
	struct page *stock[];
};

/*
 * Blocks in stock are marked PCP, as on a per-CPU list: a client that frees one
 * of them has freed it twice, and is told so.
 */
static bool into_stock(struct quarry_mempool *m, struct page *page)
{
	bool mine = quarry_block_change(m->pool, page, m->order, QUARRY_STATE_ALLOC,
					QUARRY_STATE_PCP);

	if (mine)
		quarry_shadow_pages_free(page, 1UL << m->order);
	return mine;
}

static void out_of_stock(struct quarry_mempool *m, struct page *page)
{
	quarry_shadow_pages_open(page, 1UL << m->order);
	quarry_block_change(m->pool, page, m->order, QUARRY_STATE_PCP,
			    QUARRY_STATE_ALLOC);
}

/* A place becomes the first of a stack. */
static void link_place(struct quarry_mempool *m, u32 *stack, u32 place)
{
	m->next[place] = *stack;
	*stack = place;
}

static u32 unlink_place(struct quarry_mempool *m, u32 *stack)
{
	u32 place = *stack;

	*stack = m->next[place];
	return place;
}

/* The block at a place is in stock. Under the lock, or before anybody else knows of @m. */
static void mempool_push(struct quarry_mempool *m, u32 place)
{
	int node = page_to_nid(m->stock[place]);

	link_place(m, &m->first[node], place);
	node_set(node, m->nodes);
}

/* The newest block of a node that has some. Under the lock. */
static struct page *mempool_pop(struct quarry_mempool *m, int node)
{
	u32 place = unlink_place(m, &m->first[node]);

	if (m->first[node] == NO_PLACE)
		node_clear(node, m->nodes);
	link_place(m, &m->idle, place);
	m->have--;
	return m->stock[place];
}

/*
 * Has a block that has left the stock failed while it lay there? Then it goes past the lists when
 * it is freed, and nobody gets it.
 */
static bool has_failed(struct quarry_mempool *m, struct page *page)
{
	return quarry_block_is_poisoned(m->pool, page, 1U << m->order);
}

/* All that is in stock, which has no idle place between, and the mempool. */
static void mempool_empty(struct quarry_mempool *m)
{
	unsigned int i;

	/* Ours all the way, as in quarry_mempool_free(); the zone keeps what has failed. */
	for (i = 0; i < m->have; i++) {
		quarry_block_release(m->pool, m->stock[i]);
		cond_resched();
	}
	kvfree(m);
}

/**
 * quarry_mempool_create() - set blocks aside
 * @pool:	the pool
 * @order:	0 to quarry_max_order()
 * @nr:		blocks that must always be available, at least 1
 *
 * Context: sleeps.
 *
 * Return: the mempool; ERR_PTR(-EINVAL); ERR_PTR(-ENOMEM), at once if it is more than the
 * pool may have.
 */
struct quarry_mempool *quarry_mempool_create(struct quarry_pool *pool,
					     unsigned int order, unsigned int nr)
{
	struct quarry_mempool *m;
	unsigned int i;

	if (!nr || order > quarry_max_order())
		return ERR_PTR(-EINVAL);
	if ((u64)nr << order > max_t(u64, pool->max, atomic64_read(&pool->managed)))
		return ERR_PTR(-ENOMEM);
	/* What is too long for kvmalloc() is not to be warned of, nor to kill for. */
	m = quarry_inject() ? NULL :
	    kvzalloc(struct_size(m, stock, nr) + ((size_t)nr + nr_node_ids) * sizeof(u32),
		     GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	if (!m)
		return ERR_PTR(-ENOMEM);
	raw_spin_lock_init(&m->lock);
	m->pool = pool;
	m->order = order;
	m->nr = nr;
	m->idle = NO_PLACE;
	m->next = (u32 *)&m->stock[nr];
	m->first = m->next + nr;
	memset32(m->first, NO_PLACE, nr_node_ids);
	m->have = quarry_alloc_pages_bulk(pool, GFP_KERNEL | __GFP_NOWARN, order, nr,
					  m->stock);
	for (i = 0; i < m->have; i++)
		into_stock(m, m->stock[i]);
	if (m->have < nr) {
		mempool_empty(m);
		return ERR_PTR(-ENOMEM);
	}
	for (i = 0; i < nr; i++)
		mempool_push(m, i);
	return m;
}
EXPORT_SYMBOL_NS_GPL(quarry_mempool_create, QUARRY_NS);

/* What the pool has at hand, without its reserve and without a wait. */
static struct page *take_at_hand(struct quarry_mempool *m, const struct quarry_wish *w)
{
	struct quarry_wish now = *w;

	now.may_sleep = false;
	now.nofail = false;
	now.keep = m->pool->reserve;
	return quarry_wish_take(m->pool, m->order, &now);
}

static struct page *pop_stock(struct quarry_mempool *m, const struct quarry_wish *w)
{
	struct page *page = NULL;
	int node = w->node;
	unsigned long flags;

	raw_spin_lock_irqsave(&m->lock, flags);
	if (w->node == NUMA_NO_NODE || !node_isset(w->node, m->nodes))
		node = w->strict ? MAX_NUMNODES : first_node(m->nodes);
	if (node < MAX_NUMNODES) {
		page = mempool_pop(m, node);
		out_of_stock(m, page);
	}
	raw_spin_unlock_irqrestore(&m->lock, flags);
	return page;
}

static struct page *take_stock(struct quarry_mempool *m, const struct quarry_wish *w)
{
	unsigned long flags;
	struct page *page;

	/* What has failed is nobody's any more: a block less is promised. */
	while ((page = pop_stock(m, w)) && unlikely(has_failed(m, page))) {
		quarry_free_pages(m->pool, page, m->order);
		raw_spin_lock_irqsave(&m->lock, flags);
		m->nr--;
		raw_spin_unlock_irqrestore(&m->lock, flags);
	}
	if (page) {
		quarry_pages_out(m->pool, page, 1U << m->order, w->gfp);
		quarry_prepare(m->pool, page, 1U << m->order, w->gfp, false);
	}
	return page;
}

/**
 * quarry_mempool_alloc() - a block that is there
 * @m:		the mempool
 * @gfp:	as for alloc_pages()
 *
 * Context: as @gfp says, but not NMI.
 *
 * Return: the first page; NULL only if the pool has none and all that was promised is
 * out, and never with __GFP_NOFAIL; but NULL for flags that quarry_alloc_pages() refuses,
 * and with __GFP_THISNODE if the pool has no memory on the node and can have none.
 */
struct page *quarry_mempool_alloc(struct quarry_mempool *m, gfp_t gfp)
{
	struct quarry_wish w;
	struct page *page;
	unsigned long flags;
	int looked = -1;

	might_alloc(gfp);
	if (!quarry_wish_parse(m->pool, gfp, NUMA_NO_NODE, 1ULL << m->order, &w) ||
	    w.nowhere)
		return NULL;
	/* Counted by now. */
	gfp = (gfp & ~__GFP_ACCOUNT) | __GFP_NOWARN;
	for (;;) {
		page = take_at_hand(m, &w) ?: take_stock(m, &w) ?:
		       quarry_alloc_once(m->pool, gfp, m->order, NUMA_NO_NODE);
		/* What is out of the stock lies in arenas of the pool, and these are looked at. */
		if (page || !w.nofail ||
		    !quarry_range_could_serve(m->pool, &w, m->order, &looked))
			break;
		quarry_wait_for_free(m->pool);
	}
	if (page) {
		raw_spin_lock_irqsave(&m->lock, flags);
		m->out++;
		raw_spin_unlock_irqrestore(&m->lock, flags);
	}
	return page;
}
EXPORT_SYMBOL_NS_GPL(quarry_mempool_alloc, QUARRY_NS);

/**
 * quarry_mempool_free() - give a block back to a mempool
 * @m:		the mempool
 * @page:	its first page
 *
 * What is not a block of that order in a client's hands is refused, counted and
 * reported. Context: any but NMI.
 */
void quarry_mempool_free(struct quarry_mempool *m, struct page *page)
{
	unsigned long flags;
	unsigned int i;
	bool kept;
	u32 place;

	/* From here on it is ours, and a second free of it is told. */
	if (!into_stock(m, page)) {
		quarry_free_pages(m->pool, page, m->order);
		return;
	}
	/* A block that stays in stock is as free as one that goes back. */
	if (want_init_on_free())
		for (i = 0; i < 1U << m->order; i++)
			clear_page(page_address(page + i));

	raw_spin_lock_irqsave(&m->lock, flags);
	m->out -= !!m->out;
	kept = m->have < m->nr;
	if (kept) {
		place = unlink_place(m, &m->idle);
		m->stock[place] = page;
		m->have++;
		mempool_push(m, place);
	}
	raw_spin_unlock_irqrestore(&m->lock, flags);
	if (kept) {
		quarry_wake_waiters(m->pool);
	} else {
		/* It stays ours all the way: a second free of it may be under way. */
		quarry_block_release(m->pool, page);
	}
}
EXPORT_SYMBOL_NS_GPL(quarry_mempool_free, QUARRY_NS);

/**
 * quarry_mempool_destroy() - give the blocks of a mempool back to the pool
 * @m:		the mempool; gone afterwards. NULL and error pointers do nothing
 *
 * Context: sleeps.
 *
 * Return: 0, or -EBUSY if fewer blocks have come back to it than were taken from it: then it
 * is as it was. A block of the pool that it did not hand out, but gets back, counts as one.
 */
int quarry_mempool_destroy(struct quarry_mempool *m)
{
	if (IS_ERR_OR_NULL(m))
		return 0;
	if (READ_ONCE(m->out) || READ_ONCE(m->have) < m->nr)
		return -EBUSY;
	mempool_empty(m);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(quarry_mempool_destroy, QUARRY_NS);
