/* SPDX-License-Identifier: GPL-2.0 */
/* Per-CPU lists of blocks. See pcp.c. */
#ifndef QUARRY_PCP_H
#define QUARRY_PCP_H

#include <linux/percpu.h>

#include "pool.h"

/*
 * Most that is moved under one hold of the zone's lock: pages to a list (but two
 * blocks at least), and blocks from one.
 */
#define QUARRY_REFILL	16U
#define QUARRY_FLUSH	5U

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

void quarry_pcp_init(struct quarry_pool *pool, struct quarry_pcp *pcp,
		     struct quarry_buddy *buddy, u8 home, u64 limit);
bool quarry_pcp_refill(struct quarry_pool *pool, struct quarry_pcp *pcp,
		       unsigned int order);
void quarry_pcp_room(struct quarry_pool *pool, struct quarry_pcp *pcp,
		     unsigned int order);
unsigned int quarry_pcp_give(struct quarry_pool *pool, struct quarry_pcp *pcp,
			     unsigned int order);
u64 quarry_pcp_check(struct quarry_pcp *pcp);

/* drain.c: the lists of any CPU */
u64 quarry_pcp_frames(const struct quarry_pcp *pcp);
u64 quarry_pcp_drain_bite(struct quarry_pool *pool, struct quarry_pcp *pcp);
u64 quarry_pcp_drain_this(struct quarry_pool *pool, unsigned int order);
u64 quarry_pcp_drain_all(struct quarry_pool *pool, enum quarry_patience patience);
void quarry_pcp_drain_cpu(struct quarry_pool *pool, int cpu);
u64 quarry_pcp_check_all(struct quarry_pool *pool);
void quarry_decay_kick(void);

/* zone.c: the zone's lock, from any context */
bool quarry_zone_lock(struct quarry_zone *z, unsigned long *flags);
void quarry_zone_unlock(struct quarry_zone *z, unsigned long flags);
bool quarry_zone_defer(struct quarry_zone *z, struct page *page, u8 *state, u8 was);
u64 quarry_pool_nfree(struct quarry_pool *pool);
bool quarry_zone_is_low(const struct quarry_zone *z, unsigned int nr);
bool quarry_zone_may_take(const struct quarry_zone *z, unsigned int nr, u64 keep);

#endif /* QUARRY_PCP_H */
