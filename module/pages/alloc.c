// SPDX-License-Identifier: GPL-2.0
/*
 * The way of a page: out of a pool and back.
 *
 * Model
 *
 *	alloc   list of this CPU -> its zone -> [drain this CPU] -> grow
 *	        -> other zones -> [drain caches and all CPUs] -> wait (__GFP_NOFAIL) or NULL
 *	free    list of this CPU, or the block's own zone
 *
 *	The first step is the fast path: preemption off, the mark, a pop or push,
 *	the mark off. It has no lock and no interrupts off, one atomic (of a free, on
 *	the state byte, so that of two that free a block one is told), and it
 *	checks what it is given: the state byte must say that the block is what
 *	the caller says it is. Whatever is out of the ordinary leaves it for the
 *	slow half, which sorts out why.
 *
 * What gfp flags mean is said in gfp.c. A call is parsed there once; the steps above ask
 * struct quarry_wish what they may do.
 *
 * A block that is taken while the pool's reserve is touched is the reserve's: it is
 * direct (buddy.h), and goes back to its zone. On a list it would be anybody's, and the
 * reserve would drain away through those who allocate and free.
 *
 * Invariants: a block is in one place: a client's hands (ALLOC), one list
 * (PCP), a zone's deferred list, or free in the buddy.
 *
 * Contexts: any, NMI included; see include/linux/quarry.h.
 */
#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/sched/mm.h>

#include "../arena/directory.h"
#include "../base/inject.h"
#include "../base/report.h"
#include "alloc.h"
#include "guard.h"
#include "misuse.h"

/* Every block that pages are handed out in can be direct. */
static_assert(QUARRY_PCP_ORDERS - 1 <= QUARRY_DIRECT_MAX);

/*
 * So often guests are asked for what they can do without, while something comes of it; once more
 * after each wait of who may not fail.
 */
#define GUESTS	2U

/* quarry_alloc_pages() where the order or the flags are not constant. */
struct page *__quarry_alloc_pages(struct quarry_pool *pool, gfp_t gfp,
				  unsigned int order)
{
	struct page *page;

	if (likely(order < QUARRY_PCP_ORDERS && !(gfp & QUARRY_GFP_SLOW)) &&
	    !want_init_on_alloc(0)) {
		page = quarry_pop_fast(pool, order);
		if (likely(page))
			return page;
	}
	return quarry_alloc_slow(pool, gfp, order, NUMA_NO_NODE);
}
EXPORT_SYMBOL_NS_GPL(__quarry_alloc_pages, QUARRY_NS);

/**
 * quarry_alloc_pages_node() - allocate pages of a node
 * @pool:	the pool
 * @node:	preferred node, or NUMA_NO_NODE for this CPU's; with __GFP_THISNODE
 *		the only one
 * @gfp:	as for alloc_pages()
 * @order:	0 to quarry_max_order()
 *
 * Context: as quarry_alloc_pages(). Return: the first page, or NULL.
 */
struct page *quarry_alloc_pages_node(struct quarry_pool *pool, int node, gfp_t gfp,
				     unsigned int order)
{
	if (node == NUMA_NO_NODE)
		return quarry_alloc_pages(pool, gfp, order);
	return quarry_alloc_slow(pool, gfp, order, node);
}
EXPORT_SYMBOL_NS_GPL(quarry_alloc_pages_node, QUARRY_NS);

/* Shall this allocation fail, for a client that tests its error paths? */
bool quarry_pool_fails(struct quarry_pool *pool, gfp_t gfp)
{
	return unlikely(quarry_injection_armed(&pool->injection)) && !in_nmi() &&
	       !(gfp & __GFP_NOFAIL) && quarry_injection_fires(&pool->injection);
}

/* Make pages fit to hand out. @zero: they are known to be zero. */
void quarry_prepare(struct quarry_pool *pool, struct page *page, unsigned int nr,
		    gfp_t gfp, bool zero)
{
	unsigned int i;

	if (want_init_on_alloc(gfp)) {
		for (i = 0; !zero && i < nr; i++) {
			clear_page(page_address(page + i));
			/* Runs may be of a GiB. */
			if (i % 1024 == 1023 && gfpflags_allow_blocking(gfp))
				cond_resched();
		}
		quarry_count_add(pool, zero ? QUARRY_COUNT_ZERO_SKIPPED_FRAMES :
					      QUARRY_COUNT_ZEROED_FRAMES, nr);
	}
}

/* The zone of a node, or the nearest one that the pool may use. */
struct quarry_zone *quarry_local_zone(struct quarry_pool *pool, int node)
{
	if (node == NUMA_NO_NODE)
		return quarry_buddy_zone(raw_cpu_ptr(pool->pcp)->buddy);
	if (node >= 0 && node < pool->nr_zones - 1 && pool->zone[node])
		return pool->zone[node];
	return NULL;
}

static DEFINE_RATELIMIT_STATE(refusals, 5 * HZ, 5);

/**
 * quarry_refuse() - count a failure under its reason, and say it unless the caller minds
 * @pool:	the pool
 * @w:		what was wanted
 * @order:	of which order, at least
 * @grown:	the kernel was asked for more
 *
 * Context: any.
 */
void quarry_refuse(struct quarry_pool *pool, const struct quarry_wish *w,
		   unsigned int order, bool grown)
{
	bool may_grow = atomic64_read(&pool->managed) < pool->max && !w->nowhere;
	u64 nfree;
	const char *why;

	nfree = quarry_pool_nfree(pool);
	if (may_grow && !w->may_sleep) {
		why = "the pool might have grown, but the caller may not wait";
		quarry_count(pool, QUARRY_COUNT_FAIL_NOWAIT);
	} else if (may_grow && grown) {
		why = "the kernel had no memory to grow the pool with";
		quarry_count(pool, QUARRY_COUNT_FAIL_KERNEL);
	} else if (nfree >= w->keep + (1ULL << order)) {
		why = "enough is free, but fragmented";
		quarry_count(pool, QUARRY_COUNT_FAIL_FRAGMENTED);
	} else {
		why = "the pool is at its limit, and too little is free";
		quarry_count(pool, QUARRY_COUNT_FAIL_LIMIT);
	}
	if (!(w->gfp & __GFP_NOWARN) && __ratelimit(&refusals))
		quarry_report_message(true,
				      "pool %s: no block of order %u (mode %pGg): %s; %llu KiB free of %llu KiB, cap %llu KiB",
				      pool->name, order, &w->gfp, why, quarry_kib(nfree),
				      quarry_kib(atomic64_read(&pool->managed)),
				      quarry_kib(pool->max));
}

/* Claim one block from a zone, past the lists. */
static struct page *take_from_zone(struct quarry_pool *pool, struct quarry_zone *z,
				   unsigned int order, const struct quarry_wish *w,
				   bool *zero)
{
	struct quarry_want want = {
		.order = order, .kind = QUARRY_STATE_ALLOC, .life = w->life,
		.zero = want_init_on_alloc(w->gfp),
	};
	struct page *page = NULL;
	struct quarry_block block;
	unsigned long flags;

	do {
		if (!quarry_zone_lock(z, &flags))
			return NULL;
		want.direct = quarry_zone_is_low(z, 1U << order) ||
			      w->life != QUARRY_LIFE_PAGE;
		if (quarry_zone_may_take(z, 1U << order, w->keep) &&
		    !quarry_buddy_claim(&z->buddy, &want, &block)) {
			page = quarry_page_arena_page(quarry_page_arena(block.arena), block.frame);
			*zero = block.zero;
			quarry_count(pool, QUARRY_COUNT_DIRECT_ALLOCS + order);
		}
		quarry_zone_unlock(z, flags);
		/* What was freed without the lock comes back some blocks a hold. */
	} while (!page && quarry_zone_has_deferred(z));
	quarry_pool_wake(pool, z);
	return page;
}

/* Pop a block that is still what it was; drop any that is not. */
static struct page *alloc_pop(struct quarry_pool *pool, struct quarry_pcp *pcp,
			      unsigned int order, bool *zero)
{
	struct quarry_list *list = &pcp->lists.list[order];

	while (quarry_list_n(pcp, order)) {
		struct quarry_slot *slot = quarry_list_newest(list->top);
		u8 state = READ_ONCE(*slot->state);

		quarry_list_set_top(list, slot);
		if ((state & ~QUARRY_STATE_ZERO) != (QUARRY_STATE_PCP | order)) {
			quarry_pcp_drop(pool, pcp, order);
			continue;
		}
		*zero = state & QUARRY_STATE_ZERO;
		WRITE_ONCE(*slot->state, QUARRY_STATE_ALLOC | order);
		return slot->page;
	}
	return NULL;
}

/* From this CPU's list; @asked as for quarry_pcp_refill(). Preemption off. */
static struct page *take_from_list(struct quarry_pool *pool, unsigned int order,
				   bool *zero, bool *asked)
{
	struct quarry_pcp *pcp = this_cpu_ptr(pool->pcp);
	struct page *page;

	if (!pcp->cold || !quarry_pcp_enter(pcp))
		return NULL;
	page = alloc_pop(pool, pcp, order, zero);
	if (!page && quarry_pcp_refill(pool, pcp, order, asked))
		page = alloc_pop(pool, pcp, order, zero);
	quarry_pcp_leave(pcp);
	return page;
}

/*
 * Is the list of no use? It has blocks of one life, and seldom zeros: from this order on it
 * is cheaper to ask the zone for them than to clear a block.
 */
#define ZERO_ORDER	5

static bool past_lists(unsigned int order, const struct quarry_wish *w)
{
	return w->life != QUARRY_LIFE_PAGE ||
	       (order >= ZERO_ORDER && want_init_on_alloc(w->gfp));
}

/* From this CPU's list or its zone, or from the zone of the node that is wanted. */
static struct page *alloc_take_local(struct quarry_pool *pool, unsigned int order,
				     const struct quarry_wish *w, bool *zero)
{
	struct quarry_zone *z = quarry_local_zone(pool, w->node);
	bool asked = past_lists(order, w);
	struct page *page = NULL;

	if (!z)
		return NULL;
	preempt_disable();
	if (asked)
		page = take_from_zone(pool, z, order, w, zero);
	/* The lists have blocks of one life and one node. */
	if (!page && w->life == QUARRY_LIFE_PAGE &&
	    (w->node == NUMA_NO_NODE || this_cpu_ptr(pool->pcp)->buddy == &z->buddy))
		page = take_from_list(pool, order, zero, &asked);
	if (!page || asked)
		quarry_count(pool, QUARRY_COUNT_SLOW_ALLOCS);
	if (!page && (!asked || w->keep < pool->reserve))
		page = take_from_zone(pool, z, order, w, zero);
	preempt_enable();
	return page;
}

/* From any zone with pages. */
static struct page *alloc_take_elsewhere(struct quarry_pool *pool, unsigned int order,
					 const struct quarry_wish *w, bool *zero)
{
	struct quarry_zone *z = NULL;
	struct page *page;

	while ((z = quarry_zone_next(pool, z))) {
		if (z->node == NUMA_NO_NODE)
			continue;
		page = take_from_zone(pool, z, order, w, zero);
		if (page)
			return page;
	}
	return NULL;
}

/* From where it may come from and is free. */
static struct page *take_now(struct quarry_pool *pool, unsigned int order,
			     const struct quarry_wish *w, bool *zero)
{
	struct page *page = alloc_take_local(pool, order, w, zero);

	return page || w->strict ? page : alloc_take_elsewhere(pool, order, w, zero);
}

/*
 * Drain this CPU's lists: first as far as it seems to need, then wholly, for another
 * CPU may have had what was seen, and the reserve is not for all. False if nothing
 * came of it.
 */
static bool drain_here(struct quarry_pool *pool, unsigned int order, unsigned int *stage)
{
	while (*stage < 2)
		if (quarry_pcp_drain_this(pool, (*stage)++ ? QUARRY_DRAIN_ALL : order))
			return true;
	return false;
}

/**
 * quarry_wish_take() - a block, without waiting and without taking it from others
 * @pool:	the pool
 * @order:	of it
 * @w:		what is wanted
 *
 * Context: any. Return: the first page, made ready; or NULL, which is counted as a failure
 * only if it was injected.
 */
struct page *quarry_wish_take(struct quarry_pool *pool, unsigned int order,
			      const struct quarry_wish *w)
{
	bool zero = false;
	struct page *page;

	if (quarry_inject() || quarry_pool_fails(pool, w->gfp)) {
		quarry_count(pool, QUARRY_COUNT_FAIL_INJECTED);
		return NULL;
	}
	page = take_now(pool, order, w, &zero);
	if (page) {
		quarry_pages_out(pool, page, 1U << order, w->gfp);
		quarry_prepare(pool, page, 1U << order, w->gfp, zero);
	}
	return page;
}

/*
 * One round after another of what is dearer and dearer. Growing on the node that was
 * asked for comes before going elsewhere.
 */
static struct page *alloc_take(struct quarry_pool *pool, unsigned int order,
			       const struct quarry_wish *w, bool *zero)
{
	bool all = w->may_sleep && !w->light, enough = true, waited = false;
	unsigned int drains = 0, guests = GUESTS;
	int seen, looked = -1;
	struct page *page;
	u64 got;

	for (;;) {
		seen = atomic_read(&pool->arrivals);
		page = alloc_take_local(pool, order, w, zero);
		if (page)
			return page;
		if (drain_here(pool, order, &drains))
			continue;
		if (w->may_sleep && quarry_pool_grow(pool, w, true, order))
			continue;
		if (!w->strict) {
			page = alloc_take_elsewhere(pool, order, w, zero);
			if (page)
				return page;
			if (w->may_sleep && num_online_nodes() > 1 &&
			    quarry_pool_grow(pool, w, false, order))
				continue;
		}
		if (all) {
			/* As in drain_here(): what seems to be enough, then all. */
			got = quarry_pool_reclaim_block(pool, enough ? order : QUARRY_DRAIN_ALL);
			if (got && enough) {
				enough = false;
				continue;
			}
			all = false;
			if (got + quarry_pcp_drain_all(pool, QUARRY_PATIENT))
				continue;
			/* Another visitor may have brought it meanwhile. */
			page = take_now(pool, order, w, zero);
			if (page)
				return page;
		}
		if (quarry_pool_make_room(pool, w, order) ||
		    quarry_pool_await_growth(pool, w, seen, &waited))
			continue;
		/* What comes of that lies with caches: they are asked again. */
		if (w->may_sleep && !w->light && guests && quarry_pool_reclaim_guests(pool)) {
			guests--;
			all = true;
			enough = true;
			continue;
		}
		if (!w->nofail || !quarry_range_could_serve(pool, w, order, &looked))
			return NULL;
		all = quarry_wait_for_free(pool);
		enough = true;
		/* What they could not do without, they may now. */
		guests = GUESTS;
	}
}

static struct page *alloc_block(struct quarry_pool *pool, const struct quarry_wish *w,
				unsigned int order)
{
	struct page *page;
	bool zero = false;

	might_alloc(w->gfp);
	quarry_lists_open(pool, w->may_sleep);
	if (quarry_inject() || quarry_pool_fails(pool, w->gfp)) {
		quarry_count(pool, QUARRY_COUNT_FAIL_INJECTED);
		return NULL;
	}
	page = w->nowhere ? NULL : alloc_take(pool, order, w, &zero);
	if (page) {
		quarry_pages_out(pool, page, 1U << order, w->gfp);
		quarry_prepare(pool, page, 1U << order, w->gfp, zero);
	} else {
		quarry_refuse(pool, w, order, w->may_sleep);
	}
	return page;
}

/**
 * quarry_alloc_slow() - allocate with all that may take
 * @pool:	the pool
 * @gfp:	as for alloc_pages()
 * @order:	any; checked here
 * @node:	preferred node, or NUMA_NO_NODE
 *
 * Context: as @gfp says. Return: the first page, or NULL.
 */
noinline struct page *quarry_alloc_slow(struct quarry_pool *pool, gfp_t gfp,
					unsigned int order, int node)
{
	struct quarry_wish w;

	if (order >= QUARRY_PCP_ORDERS) {
		quarry_misuse(pool, QUARRY_ERR_BAD_ARGUMENT, NULL,
			      (struct quarry_frame){}, 0);
		return NULL;
	}
	if (!quarry_wish_parse(pool, gfp, node, 1ULL << order, &w))
		return NULL;
	return alloc_block(pool, &w, order);
}
EXPORT_SYMBOL_NS_GPL(quarry_alloc_slow, QUARRY_NS);

/* With all that may take, but nobody waits for ever here, whatever the flags say. */
static struct page *alloc_once(struct quarry_pool *pool, gfp_t gfp, unsigned int order,
			       int node, bool slab)
{
	struct quarry_wish w;

	if (gfp & __GFP_NOFAIL)
		gfp |= __GFP_NOWARN;
	if (!quarry_wish_parse(pool, gfp, node, 1ULL << order, &w))
		return NULL;
	w.nofail = false;
	if (slab && w.life == QUARRY_LIFE_PAGE)
		w.life = QUARRY_LIFE_SLAB;
	return alloc_block(pool, &w, order);
}

/**
 * quarry_alloc_once() - allocate pages, for one who does the waiting himself
 * @pool:	the pool
 * @gfp:	as for alloc_pages()
 * @order:	below QUARRY_PCP_ORDERS
 * @node:	preferred node, or NUMA_NO_NODE
 *
 * Where there is something to be done, or given back, before one waits for ever. What is
 * injected is not for __GFP_NOFAIL here, either.
 * Context: as @gfp says. Return: the first page, or NULL.
 */
struct page *quarry_alloc_once(struct quarry_pool *pool, gfp_t gfp, unsigned int order,
			       int node)
{
	return alloc_once(pool, gfp, order, node, false);
}

/**
 * quarry_alloc_slab() - the pages of a slab
 * @pool:	the pool
 * @gfp:	as for alloc_pages(); with __GFP_RECLAIMABLE its objects can be given up
 * @order:	below QUARRY_PCP_ORDERS
 * @node:	preferred node, or NUMA_NO_NODE
 *
 * Slabs stay as long as one object does: they are kept apart from other blocks. Who wants
 * one must not wait here, not even with __GFP_NOFAIL, for an object may be freed that
 * does as well: see quarry_wait_for_slab().
 * Context: as @gfp says. Return: the first page, or NULL.
 */
struct page *quarry_alloc_slab(struct quarry_pool *pool, gfp_t gfp, unsigned int order,
			       int node)
{
	return alloc_once(pool, gfp, order, node, true);
}

/**
 * quarry_wait_for_slab() - wait for a moment, after quarry_alloc_slab() had none
 * @pool:	the pool
 * @gfp:	as there
 * @order:	the same
 * @node:	the same
 * @looked:	less than nothing before the first call of a wait, then as it was left
 *
 * Context: as @gfp says.
 *
 * Return: false if @gfp does not say that it must not fail; or to wait for it, were all of
 * the pool free, would be to wait for ever.
 */
bool quarry_wait_for_slab(struct quarry_pool *pool, gfp_t gfp, unsigned int order, int node,
			  int *looked)
{
	struct quarry_wish w;

	if (!(gfp & __GFP_NOFAIL) || !quarry_wish_parse(pool, gfp, node, 1ULL << order, &w))
		return false;
	if (!w.nofail || w.nowhere || !quarry_range_could_serve(pool, &w, order, looked))
		return false;
	return quarry_wait_for_free(pool);
}

/* quarry_free_pages() where the order is not constant. */
void __quarry_free_pages(struct quarry_pool *pool, struct page *page,
			 unsigned int order)
{
	if (!quarry_push_fast(pool, page, order))
		quarry_free_slow(pool, page, order);
}
EXPORT_SYMBOL_NS_GPL(__quarry_free_pages, QUARRY_NS);

/*
 * To the block's own zone, past the lists. False if another CPU has freed it since it
 * was seen to be in the state @was.
 */
static bool free_to_zone(struct quarry_pool *pool, struct quarry_zone *z,
			 struct quarry_page_arena *c, struct page *page, u8 *state, u8 was,
			 bool zero)
{
	struct quarry_frame f = { state - c->arena.state };
	unsigned int order = quarry_state_order(was);
	unsigned long flags;
	bool done;

	if (quarry_zone_lock(z, &flags)) {
		done = cmpxchg(state, was, QUARRY_STATE_PCP | order) == was;
		if (done) {
			quarry_shadow_pages_free(page, 1UL << order);
			quarry_buddy_free(&z->buddy, &c->arena, f, order, zero);
		}
		quarry_zone_unlock(z, flags);
	} else {
		done = quarry_zone_defer(z, page, state, was);
	}
	if (done)
		quarry_count(pool, QUARRY_COUNT_DIRECT_FREES + order);
	return done;
}

/*
 * Of a pool with modes: it is ours, marked as on a list, before anything is done to it, for of
 * two who free it one is told. False as above.
 */
static bool free_guarded(struct quarry_pool *pool, struct quarry_zone *z,
			 struct quarry_page_arena *c, struct page *page, u8 *state, u8 was)
{
	struct quarry_frame f = { state - c->arena.state };
	unsigned int order = quarry_state_order(was), i;
	bool zero = want_init_on_free();
	u8 ours = QUARRY_STATE_PCP | order;

	quarry_count(pool, QUARRY_COUNT_SLOW_FREES);
	if (cmpxchg(state, was, ours) != was)
		return false;
	for (i = 0; zero && i < 1U << order; i++)
		clear_page(page_address(page + i));
	/* What is filled is wiped, but not zero. */
	if (quarry_guard_pages_in(pool, c, f, 1U << order, 0))
		zero = false;
	return free_to_zone(pool, z, c, page, state, ours, zero);
}

/**
 * quarry_block_release() - free a block that is ours, and marked as on a list
 * @pool:	the pool
 * @page:	its first page, whose mark nobody else changes
 *
 * It goes to its zone. Context: any but NMI.
 */
void quarry_block_release(struct quarry_pool *pool, struct page *page)
{
	struct quarry_page_arena *c;
	struct quarry_frame f;
	unsigned int order;
	u8 *state, was;

	preempt_disable();
	c = quarry_directory_find(page);
	f.i = c->arena.lo + quarry_page_arena_index(c, page);
	state = &c->arena.state[f.i];
	was = READ_ONCE(*state);
	order = quarry_state_order(was);
	quarry_count(pool, QUARRY_COUNT_SLOW_FREES);
	if (unlikely(READ_ONCE(pool->modes)))
		quarry_guard_pages_in(pool, c, f, 1U << order, 0);
	free_to_zone(pool, quarry_buddy_zone(c->buddy), c, page, state, was, false);
	preempt_enable();
	quarry_wake_waiters(pool);
}

/* To a list, to the strays or to a zone. False as above. */
static bool free_block(struct quarry_pool *pool, struct quarry_zone *z,
		       struct quarry_page_arena *c, struct page *page, u8 *state, u8 was)
{
	unsigned int order = quarry_state_order(was), i;
	struct quarry_pcp *pcp = this_cpu_ptr(pool->pcp);
	struct quarry_list *list = &pcp->lists.list[order];
	u8 place = c->arena.areas[(state - c->arena.state) / QUARRY_AREA_FRAMES].place;
	bool zero = want_init_on_free(), direct = quarry_state_is_direct(was), done;
	enum quarry_goes goes;

	if (unlikely(READ_ONCE(pool->modes)))
		return free_guarded(pool, z, c, page, state, was);
	if (zero) {
		/* As there, ours before it is written to. */
		if (cmpxchg(state, was, QUARRY_STATE_PCP | order) != was)
			return false;
		was = QUARRY_STATE_PCP | order;
		for (i = 0; i < 1U << order; i++)
			clear_page(page_address(page + i));
	}
	/* While it was being cleared nobody could say of it that it has failed (poison.c). */
	direct |= zero && READ_ONCE(z->seeks);
	if (&z->buddy != pcp->buddy || direct || !pcp->cold || !quarry_pcp_enter(pcp)) {
		quarry_count(pool, QUARRY_COUNT_SLOW_FREES);
		return free_to_zone(pool, z, c, page, state, was, zero);
	}
	/* All else is only that its 4 MiB are not known as a whole. */
	if (!list->left || place > list->rank || quarry_list_is_full(list))
		quarry_count(pool, QUARRY_COUNT_SLOW_FREES);
	goes = quarry_pcp_look(pool, pcp, order, place);
	if (goes == QUARRY_TO_ZONE) {
		done = free_to_zone(pool, z, c, page, state, was, zero);
		quarry_pcp_leave(pcp);
		return done;
	}
	done = zero || quarry_state_put(state, order);
	if (done)
		quarry_shadow_pages_free(page, 1UL << order);
	if (done && zero)
		WRITE_ONCE(*state, QUARRY_STATE_PCP_ZERO | order);
	if (done && goes == QUARRY_TO_LIST) {
		quarry_list_set_top(list, quarry_list_put(list->top, page, state));
		list->left--;
	} else if (done) {
		quarry_pcp_add_stray(pool, pcp, (struct quarry_slot){ page, state }, order);
		quarry_count(pool, QUARRY_COUNT_DIRECT_FREES + order);
	}
	quarry_pcp_leave(pcp);
	return done;
}

/**
 * quarry_free_slow() - free with all that may be wrong
 * @pool:	the pool the caller named
 * @page:	any pointer
 * @order:	any
 *
 * Context: any.
 */
noinline void quarry_free_slow(struct quarry_pool *pool, struct page *page,
			       unsigned int order)
{
	struct quarry_buddy *buddy;
	struct quarry_frame f = {};
	struct quarry_page_arena *c;
	enum quarry_error kind;
	u8 *state, was;

	quarry_lists_open(pool, false);
	preempt_disable();
	if (order < QUARRY_PCP_ORDERS && quarry_pcp_regrant(pool, page, order) &&
	    quarry_push_fast(pool, page, order)) {
		quarry_count(pool, QUARRY_COUNT_SLOW_FREES);
		preempt_enable();
		return;
	}
	c = quarry_directory_find(page);
	buddy = c ? READ_ONCE(c->buddy) : NULL;
	if (!buddy) {
		c = NULL;
		kind = QUARRY_ERR_FOREIGN;
		goto misuse;
	}
	f.i = c->arena.lo + quarry_page_arena_index(c, page);
	if (quarry_buddy_zone(buddy)->pool != pool) {
		kind = QUARRY_ERR_WRONG_POOL;
		goto misuse;
	}
	state = &c->arena.state[f.i];
	if (order >= QUARRY_PCP_ORDERS) {
		kind = QUARRY_ERR_BAD_ARGUMENT;
		goto misuse;
	}
	was = READ_ONCE(*state);
	if ((was & QUARRY_STATE_KIND) != QUARRY_STATE_ALLOC || quarry_state_order(was) != order) {
		kind = quarry_misuse_kind(c, f);
		goto misuse;
	}
	while (!free_block(pool, quarry_buddy_zone(buddy), c, page, state, was)) {
		kind = QUARRY_ERR_DOUBLE_FREE;
		/* It is still out: it was made direct just now (poison.c). */
		if (quarry_state_is_direct(was) ||
		    READ_ONCE(*state) != quarry_state(QUARRY_STATE_ALLOC, order, true))
			goto misuse;
		was = quarry_state(QUARRY_STATE_ALLOC, order, true);
	}
	preempt_enable();
	quarry_wake_waiters(pool);
	return;

misuse:
	quarry_misuse(pool, kind, c, f, order < QUARRY_PCP_ORDERS ? 1ULL << order : 0);
	preempt_enable();
}
EXPORT_SYMBOL_NS_GPL(quarry_free_slow, QUARRY_NS);

/**
 * quarry_block_change() - change what a block is marked as
 * @pool:	the pool
 * @page:	its first page, or any pointer
 * @order:	its order
 * @from:	the QUARRY_STATE_* it must have
 * @to:		the one to give it
 *
 * A direct block stays one. Context: any; the caller sees to it that nobody else marks
 * the block.
 *
 * Return: false if it was not a block of @pool with that mark: nothing has changed.
 */
bool quarry_block_change(struct quarry_pool *pool, struct page *page,
			 unsigned int order, u8 from, u8 to)
{
	struct quarry_buddy *buddy;
	struct quarry_page_arena *c;
	bool marked = false, direct;
	u8 *state, was;

	preempt_disable();
	c = quarry_directory_find(page);
	buddy = c ? READ_ONCE(c->buddy) : NULL;
	if (buddy && quarry_buddy_zone(buddy)->pool == pool) {
		state = &c->state[quarry_page_arena_index(c, page)];
		was = READ_ONCE(*state);
		/* Again if it was made direct just now (poison.c). */
		do {
			direct = quarry_state_is_direct(was);
			marked = was == quarry_state(from, order, direct);
		} while (marked && !try_cmpxchg(state, &was, quarry_state(to, order, direct)));
	}
	preempt_enable();
	return marked;
}

/**
 * quarry_get_free_pages() - allocate 2^order pages by address
 * @pool:	the pool
 * @gfp:	as for alloc_pages()
 * @order:	0 to quarry_max_order()
 *
 * Context: as quarry_alloc_pages().
 *
 * Return: the virtual address of the first page, or 0.
 */
unsigned long quarry_get_free_pages(struct quarry_pool *pool, gfp_t gfp,
				    unsigned int order)
{
	struct page *page = quarry_alloc_pages(pool, gfp, order);

	return page ? (unsigned long)page_address(page) : 0;
}
EXPORT_SYMBOL_NS_GPL(quarry_get_free_pages, QUARRY_NS);

/**
 * quarry_put_free_pages() - give 2^order pages back by address
 * @pool:	the pool
 * @addr:	what quarry_get_free_pages() returned; 0 does nothing
 * @order:	the order they were allocated with
 *
 * Context: any.
 */
void quarry_put_free_pages(struct quarry_pool *pool, unsigned long addr,
			   unsigned int order)
{
	if (!addr)
		return;
	if (!virt_addr_valid((void *)addr) || !PAGE_ALIGNED(addr))
		quarry_misuse(pool, PAGE_ALIGNED(addr) ? QUARRY_ERR_FOREIGN :
							 QUARRY_ERR_INTERIOR,
			      NULL, (struct quarry_frame){}, 1ULL << (order & 31));
	else
		quarry_free_pages(pool, virt_to_page((void *)addr), order);
}
EXPORT_SYMBOL_NS_GPL(quarry_put_free_pages, QUARRY_NS);
