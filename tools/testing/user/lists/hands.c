// SPDX-License-Identifier: GPL-2.0
/*
 * Who has which blocks of a pool, and what must hold of both when all are at rest.
 *
 * Who owns a frame is kept in an array, by atomic exchange, so that a frame that was handed
 * out twice is seen by whoever gets it second. At rest
 *
 *	the validator of the buddy and the checks of all lists find nothing
 *	blocks handed out - taken back = blocks that are out, of each order, and each figure
 *	is that of the hands' own count
 *	frames of the pool = free + on lists + out
 *	the state byte of every block that is out says so, and misuse was counted as often as
 *	it was tried
 *	as many CPUs count as open as are
 *
 * There is one pool at a time. What does not hold ends the test (tap.h).
 */
#include <stdatomic.h>

#include "../tap.h"
#include "hands.h"

static struct quarry_pool *pool;
static _Atomic u8 *owners;

/* From here on it is blocks of @p that hands have. */
void hands_begin(struct quarry_pool *p)
{
	pool = p;
	owners = calloc(pool->max, 1);
}

/* They have none any more. */
void hands_end(void)
{
	free((void *)owners);
	owners = NULL;
}

/* A block was handed out to @hand. */
void own(struct hand *hand, const struct held *h)
{
	u64 f = machine_frame(pool, h->page), i;

	tap_require(f < pool->max && !(f & ((1UL << h->order) - 1)), "no block of the pool");
	for (i = f; i < f + (1UL << h->order); i++)
		if (atomic_exchange_explicit(&owners[i], 1, memory_order_relaxed))
			tap_require(false, "a frame was handed out twice");
	hand->allocs[h->order]++;
}

/* A block is about to be taken back from @hand. */
void disown(struct hand *hand, const struct held *h)
{
	u64 f = machine_frame(pool, h->page), i;

	for (i = f; i < f + (1UL << h->order); i++)
		if (!atomic_exchange_explicit(&owners[i], 0, memory_order_relaxed))
			tap_require(false, "a frame changed hands");
	hand->frees[h->order]++;
}

/* Give block number @i of a hand back. */
void drop(struct hand *hand, unsigned int i)
{
	struct held h = hand->held[i];

	hand->held[i] = hand->held[--hand->nr];
	disown(hand, &h);
	quarry_free_pages(pool, h.page, h.order);
}

static void check_block(const struct held *h)
{
	struct quarry_page_arena *c =
		quarry_directory_entries[page_to_pfn(h->page) >> QUARRY_DIRECTORY_SHIFT].arena;
	u8 state = c->state[page_to_pfn(h->page) - c->pfn];

	tap_require((state & QUARRY_STATE_KIND) == QUARRY_STATE_ALLOC &&
		    quarry_state_order(state) == h->order,
		    "a block that is out is not said to be");
}

/* So many blocks are out, and must be said to be. */
void tally_blocks(struct tally *t, const struct held *h, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		check_block(&h[i]);
		t->frames += 1UL << h[i].order;
		t->out[h[i].order]++;
	}
}

/* The same of all that a hand has; and what it got and gave back. */
void tally_hand(struct tally *t, const struct hand *hand)
{
	unsigned int k;

	tally_blocks(t, hand->held, hand->nr);
	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		t->allocs[k] += hand->allocs[k];
		t->frees[k] += hand->frees[k];
	}
}

static bool check_lists(const struct quarry_pcp *pcp)
{
	tap_require(!pcp->cold || pcp->cold->capacity <= pool->list_limit,
		    "lists may hold more than the limit");
	tap_require(!pcp->lists.busy, "lists were left marked");
	tap_require(quarry_pcp_frames(pcp) <= pool->list_limit, "lists hold more than the limit");
	return pcp->cold && !pcp->away;
}

/* All structures are whole. All CPUs are at rest, and nothing is deferred. */
void check_sound(void)
{
	struct quarry_check c = {};
	int cpu, nr_open = 0;
	u64 violations;

	machine_rest(true);
	violations = quarry_pcp_check_all(pool);
	machine_rest(false);
	tap_require(!violations, "a per-CPU list is damaged");
	quarry_buddy_check(&machine_zone(pool)->buddy, &c);
	tap_require(!c.violations, c.what);
	for_each_possible_cpu(cpu)
		nr_open += check_lists(per_cpu_ptr(pool->pcp, cpu));
	tap_require(atomic_read(&pool->nr_open) == nr_open, "CPUs with lists are miscounted");
}

/* All frames are accounted for, and the pool has counted what was done. Likewise at rest. */
void check_figures(const struct tally *t)
{
	u64 allocs, frees;
	unsigned int k;

	tap_require(quarry_pool_nfree(pool) + machine_on_lists(pool) + t->frames == pool->max,
		    "frames were lost");
	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		machine_calls(pool, k, &allocs, &frees);
		tap_require(allocs - frees == t->out[k],
			    "blocks handed out less those taken back");
		tap_require(allocs == t->allocs[k], "blocks handed out are miscounted");
		tap_require(frees == t->frees[k], "blocks taken back are miscounted");
	}
	tap_require(machine_misuses(pool) == t->misuses, "misuse is miscounted");
}

/* No block is out or on a list. */
void check_whole(void)
{
	struct quarry_buddy *b = &machine_zone(pool)->buddy;

	check_sound();
	tap_require(b->nfree == b->nr_frames && b->nr_frames == pool->max &&
		    b->nr_empty == b->nr_arenas, "the pool is not as it was");
}
