// SPDX-License-Identifier: GPL-2.0
/*
 * Many blocks in one call.
 *
 * The lists are entered once for the whole array, and a run of pages of one arena
 * looks the arena up once. What the list cannot give or take goes the single way,
 * a block at a time, so that all rules of alloc.c hold.
 *
 * Contexts: as for single blocks. The marked section is as long as the array, at
 * most a list's 128 blocks; an interrupt in it goes to the zone.
 */
#include "../arena/directory.h"
#include "alloc.h"

/* Pop up to @nr blocks that need no second look. Returns how many. */
static unsigned int pop_many(struct quarry_pool *pool, unsigned int order,
			     unsigned int nr, struct page **pages)
{
	const u8 on_lists = QUARRY_STATE_PCP | order, out = QUARRY_STATE_ALLOC | order;
	struct quarry_slot *top, *end;
	struct quarry_list *list;
	struct quarry_pcp *pcp;

	preempt_disable();
	pcp = this_cpu_ptr(pool->pcp);
	if (unlikely(!quarry_pcp_enter(pcp))) {
		preempt_enable();
		return 0;
	}
	list = &pcp->lists.list[order];
	top = list->top;
	end = top - nr;
	/* The slot before the first is none of a block, so that it ends there. */
#pragma GCC unroll 4
	while (top != end) {
		u8 *state = quarry_list_newest(top)->state;

		if (unlikely(*state != on_lists))
			break;
		*state = out;
		top = quarry_list_newest(top);
		*pages++ = top->page;
		quarry_shadow_pages_open(top->page, 1UL << order);
	}
	nr = list->top - top;
	quarry_list_set_top(list, top);
	quarry_pcp_leave(pcp);
	preempt_enable();
	return nr;
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

	quarry_might_alloc(gfp);
	while (got < nr) {
		if (likely(order < QUARRY_PCP_ORDERS && !(gfp & QUARRY_GFP_SLOW) &&
			   !want_init_on_alloc(0)))
			got += pop_many(pool, order, nr - got, pages + got);
		if (got == nr)
			break;
		/* Who has the first ones waits in vain for the last. */
		if (gfp & __GFP_NOFAIL && (u64)nr << (order & 31) > quarry_gfp_frames(pool, gfp))
			gfp &= ~__GFP_NOFAIL;
		pages[got] = quarry_alloc_slow(pool, gfp, order, NUMA_NO_NODE);
		if (!pages[got])
			break;
		got++;
	}
	return got;
}
EXPORT_SYMBOL_NS_GPL(quarry_alloc_pages_bulk, QUARRY_NS);

/* Of the CPU's own zone, and of a place that is not to empty? */
static bool is_for_list(const struct quarry_directory_entry *where, const struct quarry_pcp *pcp,
			unsigned int order)
{
	return where->key - pcp->lists.key <= pcp->lists.list[order].rank;
}

/* Push up to @nr blocks that need no second look. Returns how many. */
static unsigned int push_many(struct quarry_pool *pool, unsigned int order,
			      unsigned int nr, struct page **pages)
{
	unsigned long pfn = quarry_page_pfn(*pages), from;
	struct quarry_slot *top, *end;
	struct quarry_directory_entry *where;
	struct quarry_list *list;
	struct quarry_pcp *pcp;
	u8 *state, *base;

	preempt_disable();
	pcp = this_cpu_ptr(pool->pcp);
	where = quarry_directory_entry_of(pfn);
	if (unlikely(!where || !is_for_list(where, pcp, order) || !quarry_pcp_enter(pcp))) {
		preempt_enable();
		return 0;
	}
	base = where->state;
	from = round_down(pfn, 1UL << QUARRY_DIRECTORY_SHIFT);
	list = &pcp->lists.list[order];
	top = list->top;
	end = top + min3(nr, quarry_list_room(list), (unsigned int)list->left);
#pragma GCC unroll 4
	while (top != end) {
		struct page *page = *pages++;

		pfn = quarry_page_pfn(page);
		if (unlikely(pfn - from >= 1UL << QUARRY_DIRECTORY_SHIFT)) {
			where = quarry_directory_entry_of(pfn);
			if (!where || !is_for_list(where, pcp, order))
				break;
			from = round_down(pfn, 1UL << QUARRY_DIRECTORY_SHIFT);
			base = where->state;
		}
		state = base + pfn;
		if (unlikely(!quarry_state_put(state, order)))
			break;
		quarry_shadow_pages_free(page, 1UL << order);
		top = quarry_list_put(top, page, state);
	}
	nr = top - list->top;
	quarry_list_set_top(list, top);
	list->left -= nr;
	quarry_pcp_leave(pcp);
	preempt_enable();
	return nr;
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
		if (likely(order < QUARRY_PCP_ORDERS))
			done += push_many(pool, order, nr - done, pages + done);
		if (done < nr)
			quarry_free_slow(pool, pages[done++], order);
	}
}
EXPORT_SYMBOL_NS_GPL(quarry_free_pages_bulk, QUARRY_NS);
