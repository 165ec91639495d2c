// SPDX-License-Identifier: GPL-2.0
/*
 * Blocking the fast path: the lists of all CPUs are empty and marked busy for good.
 *
 * So every call comes by the slow functions, past the lists, and those look: whether it is to
 * fail (inject.c), and what is to be done with a block (guard.c). The fast path knows nothing of
 * either.
 *
 * Contexts: sleeps.
 */
#include <linux/mutex.h>

#include "pcp.h"
#include "visit.h"

/* One at a time says how it is to be. */
static DEFINE_MUTEX(fastpath_mutex);

/**
 * struct blocking - what is to be done on every CPU
 * @pool:	whose lists
 * @block:	keep everybody out, or let them in again
 */
struct blocking {
	struct quarry_pool *pool;
	bool block;
};

static void fastpath_block(struct quarry_pcp *pcp, bool on)
{
	pcp->blocked = on;
	pcp->lists.busy = on;
}

static bool fastpath_not_as_wished(void *data, int cpu)
{
	const struct blocking *b = data;

	return per_cpu_ptr(b->pool->pcp, cpu)->blocked != b->block;
}

static enum quarry_answer block_there(void *data, int cpu, u64 *sum)
{
	struct blocking *b = data;
	struct quarry_pcp *pcp = per_cpu_ptr(b->pool->pcp, cpu);

	if (!b->block) {
		if (pcp->blocked)
			fastpath_block(pcp, false);
		return QUARRY_VISIT_DONE;
	}
	if (!quarry_pcp_enter(pcp))
		return pcp->blocked ? QUARRY_VISIT_DONE : QUARRY_VISIT_INSIDE;
	quarry_pcp_drain_bite(b->pool, pcp);
	if (quarry_pcp_frames(pcp)) {
		quarry_pcp_leave(pcp);
		return QUARRY_VISIT_MORE;
	}
	fastpath_block(pcp, true);
	return QUARRY_VISIT_DONE;
}

/* The mark outlasts the interrupt, so it must not come between a look at it and setting it. */
static const struct quarry_visitor block_visitor = {
	.wanted = fastpath_not_as_wished,
	.visit = block_there,
	.between = true,
};

/**
 * quarry_pool_block_fastpath() - keep everybody out of a pool's lists, or let them in again
 * @pool:	the pool; what it is armed with, and @guarded, say which
 *
 * Context: sleeps, until every CPU has done so.
 */
void quarry_pool_block_fastpath(struct quarry_pool *pool)
{
	struct blocking b = { .pool = pool };
	u64 unused = 0;

	mutex_lock(&fastpath_mutex);
	b.block = quarry_injection_armed(&pool->injection) || READ_ONCE(pool->guarded);
	quarry_visit(&block_visitor, &b, QUARRY_FOREVER, &unused);
	mutex_unlock(&fastpath_mutex);
}
