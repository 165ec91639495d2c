/* SPDX-License-Identifier: GPL-2.0 */
/* Per-CPU lists of blocks. See pcp.c. */
#ifndef QUARRY_PCP_H
#define QUARRY_PCP_H

#include <linux/percpu.h>

#include "pool.h"

/* Most blocks that are moved to a list, and from one, under one hold of the zone's lock. */
#define QUARRY_REFILL	12U
#define QUARRY_FLUSH	4U

/* Frees that a list takes before somebody looks, at most and at least. */
#define QUARRY_LOOK		512U
#define QUARRY_LOOK_LEAST	16U

/* Where a block goes that is freed. */
enum quarry_goes { QUARRY_TO_LIST, QUARRY_TO_STRAYS, QUARRY_TO_ZONE };

/* An order that nothing has. */
#define QUARRY_DRAIN_ALL	UINT_MAX

static inline bool quarry_pcp_enter(struct quarry_pcp *pcp)
{
	return quarry_lists_enter(&pcp->lists);
}

static inline void quarry_pcp_leave(struct quarry_pcp *pcp)
{
	quarry_lists_leave(&pcp->lists);
}

/* Most blocks of an order. */
static inline u32 quarry_list_max(unsigned int order)
{
	return order <= QUARRY_PCP_SMALL ? QUARRY_PCP_SINGLES : QUARRY_PCP_LEAST;
}

/* Where the blocks of a list begin. */
static inline struct quarry_slot *quarry_list_slots(struct quarry_cold *cold,
						    unsigned int order)
{
	unsigned int small = min_t(unsigned int, order, QUARRY_PCP_SMALL + 1);

	/* A slot stands before each. */
	return cold->slots + small * QUARRY_PCP_SINGLES +
	       (order - small) * QUARRY_PCP_LEAST + order + 1;
}

/* What a CPU's lists have beside their tops, or NULL while they are closed. Any CPU's. */
static inline struct quarry_cold *quarry_pcp_cold(const struct quarry_pcp *pcp)
{
	/* Whoever sees it sees the tops that lead into it. */
	return smp_load_acquire(&pcp->cold);
}

/* Blocks of an order that wait to go to the zone; of another CPU a moment old. */
static inline u32 quarry_pcp_strays(const struct quarry_pcp *pcp, unsigned int order)
{
	struct quarry_cold *cold = quarry_pcp_cold(pcp);
	unsigned int i, nr = cold ? READ_ONCE(cold->nr_strays) : 0;
	u32 n = 0;

	for (i = 0; i < nr; i++)
		n += READ_ONCE(cold->stray_order[i]) == order;
	return n;
}

/* Blocks on a list; of another CPU a moment old. */
static inline u32 quarry_list_n(const struct quarry_pcp *pcp, unsigned int order)
{
	struct quarry_cold *cold = quarry_pcp_cold(pcp);

	if (!cold)
		return 0;
	return READ_ONCE(pcp->lists.list[order].top) - quarry_list_slots(cold, order);
}

/* Blocks that a list has room for, beyond those on it. Its CPU's. */
static inline u32 quarry_list_room(const struct quarry_list *list)
{
	return (list->end - quarry_list_at(list->top)) / sizeof(struct quarry_slot);
}

/* Do the lists hold more than they may, since the limit was larger? Of another CPU as well. */
static inline bool quarry_pcp_is_over(const struct quarry_pool *pool,
				      const struct quarry_pcp *pcp)
{
	return READ_ONCE(pcp->cold->capacity) > READ_ONCE(pool->list_limit);
}

/*
 * Does the decay look after a CPU's lists? While it does not, their key is that of no zone, so
 * that the next free comes by the slow path and says so. Any CPU's.
 */
static inline bool quarry_pcp_is_watched(const struct quarry_pcp *pcp)
{
	return READ_ONCE(pcp->lists.key) == pcp->buddy->key;
}

static inline void quarry_pcp_unwatch(struct quarry_pcp *pcp)
{
	WRITE_ONCE(pcp->lists.key, ~pcp->buddy->key);
}

void quarry_pcp_open(struct quarry_pcp *pcp, struct quarry_cold *cold);
void quarry_pcp_init(struct quarry_pcp *pcp, struct quarry_buddy *buddy, u8 home);
unsigned int quarry_pcp_refill(struct quarry_pool *pool, struct quarry_pcp *pcp,
			       unsigned int order, bool *asked);
bool quarry_pcp_regrant(struct quarry_pool *pool, const struct page *page,
			unsigned int order);
enum quarry_goes quarry_pcp_look(struct quarry_pool *pool, struct quarry_pcp *pcp,
				 unsigned int order, u8 place);
void quarry_pcp_add_stray(struct quarry_pool *pool, struct quarry_pcp *pcp,
			  struct quarry_slot slot, unsigned int order);
unsigned int quarry_pcp_flush_strays(struct quarry_pool *pool, struct quarry_pcp *pcp);
void quarry_list_calls(const struct quarry_pcp *pcp, unsigned int order, u64 *allocs,
		       u64 *frees);
unsigned int quarry_pcp_flush_list(struct quarry_pool *pool, struct quarry_pcp *pcp,
				   unsigned int order, unsigned int nr);
void quarry_pcp_drop(struct quarry_pool *pool, struct quarry_pcp *pcp, unsigned int order);
bool quarry_pcp_fit(struct quarry_pool *pool, struct quarry_pcp *pcp);
u64 quarry_pcp_check(struct quarry_pcp *pcp);

/* open.c: the lists of a CPU come on first use */
void quarry_lists_open(struct quarry_pool *pool, bool may_sleep);
void quarry_lists_limit(struct quarry_pool *pool);
void quarry_lists_away(struct quarry_pool *pool, int cpu);
void quarry_lists_back(struct quarry_pool *pool, struct quarry_pcp *pcp);

/* drain.c: the lists of any CPU */
u64 quarry_pcp_frames(const struct quarry_pcp *pcp);
u64 quarry_pcp_drain_bite(struct quarry_pool *pool, struct quarry_pcp *pcp);
u64 quarry_pcp_drain_this(struct quarry_pool *pool, unsigned int order);
u64 quarry_pcp_drain_all(struct quarry_pool *pool, enum quarry_patience patience);
void quarry_pcp_drain_cpu(struct quarry_pool *pool, int cpu);
u64 quarry_pcp_check_all(struct quarry_pool *pool);
void quarry_decay_wake(void);

/* zone.c: the zone's lock, from any context */
bool quarry_zone_lock(struct quarry_zone *z, unsigned long *flags);
void quarry_zone_unlock(struct quarry_zone *z, unsigned long flags);
bool quarry_zone_defer(struct quarry_zone *z, struct page *page, u8 *state, u8 was);
u64 quarry_pool_nfree(struct quarry_pool *pool);
bool quarry_zone_is_low(const struct quarry_zone *z, unsigned int nr);
bool quarry_zone_may_take(const struct quarry_zone *z, unsigned int nr, u64 keep);

#endif /* QUARRY_PCP_H */
