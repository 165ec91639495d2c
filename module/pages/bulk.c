// SPDX-License-Identifier: GPL-2.0
/*
 * Many blocks in one call.
 *
 * The lists are entered once for the whole array, and a run of pages of one chunk
 * looks the chunk up once. What the list cannot give or take goes the single way,
 * a block at a time, so that all rules of alloc.c hold.
 *
 * Contexts: as for single blocks. The marked section is as long as the array, at
 * most a list's 256 blocks; an interrupt in it goes to the zone.
 */
#include "../arena/directory.h"
#include "alloc.h"

/* Pop up to @nr blocks that need no second look. Returns how many. */
static unsigned int pop_many(struct quarry_pool *pool, unsigned int order,
			     unsigned int nr, struct page **pages)
{
	const u8 cached = QUARRY_STATE_CACHED | order, out = QUARRY_STATE_ALLOC | order;
	struct quarry_list *list;
	struct quarry_pcp *pcp;
	unsigned int i = 0;

	preempt_disable();
	pcp = this_cpu_ptr(pool->pcp);
	if (quarry_pcp_enter(pcp)) {
		const struct quarry_slot *slot;

		list = &pcp->list[order];
		slot = list->slots + list->n;
		nr = min(nr, list->n);
#pragma GCC unroll 4
		for (; i < nr; i++) {
			struct page *page = (--slot)->page;
			u8 *state = slot->state;

			if (unlikely(READ_ONCE(*state) != cached))
				break;
			WRITE_ONCE(*state, out);
			set_page_private(page, 0);
			pages[i] = page;
		}
		list->n -= i;
		list->allocs += i;
		quarry_pcp_leave(pcp);
	}
	preempt_enable();
	return i;
}

/**
 * quarry_alloc_pages_bulk() - allocate many blocks of one order
 * @pool:	the pool
 * @gfp:	as for alloc_pages()
 * @order:	0 to quarry_max_order()
 * @nr:		blocks wanted
 * @pages:	room for @nr; filled from the front
 *
 * Context: as quarry_alloc_pages().
 *
 * Return: blocks allocated; fewer than @nr when the pool could give no more.
 */
unsigned int quarry_alloc_pages_bulk(struct quarry_pool *pool, gfp_t gfp,
				     unsigned int order, unsigned int nr,
				     struct page **pages)
{
	unsigned int got = 0;

	while (got < nr) {
		if (likely(order < QUARRY_PCP_ORDERS && !(gfp & QUARRY_GFP_SLOW) &&
			   !want_init_on_alloc(0)))
			got += pop_many(pool, order, nr - got, pages + got);
		if (got == nr)
			break;
		pages[got] = quarry_alloc_slow(pool, NUMA_NO_NODE, gfp, order);
		if (!pages[got])
			break;
		got++;
	}
	return got;
}
EXPORT_SYMBOL_NS_GPL(quarry_alloc_pages_bulk, QUARRY_NS);

/* Push up to @nr blocks that need no second look. Returns how many. */
static unsigned int push_many(struct quarry_pool *pool, unsigned int order,
			      unsigned int nr, struct page **pages)
{
	const u8 cached = QUARRY_STATE_CACHED | order, out = QUARRY_STATE_ALLOC | order;
	const struct quarry_chunk *c = &quarry_no_chunk;
	struct quarry_list *list;
	struct quarry_pcp *pcp;
	unsigned int i = 0;

	preempt_disable();
	pcp = this_cpu_ptr(pool->pcp);
	if (quarry_pcp_enter(pcp)) {
		struct quarry_slot *slot;

		list = &pcp->list[order];
		slot = list->slots + list->n;
		nr = min(nr, list->cap - list->n);
#pragma GCC unroll 4
		for (; i < nr; i++) {
			struct page *page = pages[i];
			unsigned long at = quarry_chunk_index(c, page);
			u8 *state;

			if (unlikely(at >= c->span)) {
				c = quarry_directory_guess(page);
				at = quarry_chunk_index(c, page);
				if (at >= c->span || c->buddy != pcp->buddy)
					break;
			}
			state = &c->state[at];
			if (unlikely(READ_ONCE(*state) != out))
				break;
			WRITE_ONCE(*state, cached);
			slot->page = page;
			slot->state = state;
			slot++;
		}
		list->n += i;
		list->frees += i;
		quarry_pcp_leave(pcp);
	}
	preempt_enable();
	return i;
}

/**
 * quarry_free_pages_bulk() - give many blocks of one order back
 * @pool:	the pool they came from
 * @order:	the order they were allocated with
 * @nr:		blocks
 * @pages:	their first pages
 *
 * Each block is checked as quarry_free_pages() does; a bad one does not keep the
 * rest from being freed. Context: any.
 */
void quarry_free_pages_bulk(struct quarry_pool *pool, unsigned int order,
			    unsigned int nr, struct page **pages)
{
	unsigned int done = 0;

	while (done < nr) {
		if (likely(order < QUARRY_PCP_ORDERS && !want_init_on_free()))
			done += push_many(pool, order, nr - done, pages + done);
		if (done < nr)
			quarry_free_slow(pool, pages[done++], order);
	}
}
EXPORT_SYMBOL_NS_GPL(quarry_free_pages_bulk, QUARRY_NS);
