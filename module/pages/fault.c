// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection for the clients of a pool.
 *
 * The fast path knows nothing of it. While a pool is armed, the lists of all CPUs are
 * empty and marked busy for good, so that every call comes by the slow functions,
 * past the lists; those look.
 *
 * Contexts: sleeps.
 */
#include "pcp.h"
#include "visit.h"

/**
 * struct barring - what is to be done on every CPU
 * @pool:	whose lists
 * @bar:	keep everybody out, or let them in again
 */
struct barring {
	struct quarry_pool *pool;
	bool bar;
};

static void bar(struct quarry_pcp *pcp, bool on)
{
	pcp->barred = on;
	pcp->lists.busy = on;
}

static bool not_as_wished(void *data, int cpu)
{
	const struct barring *b = data;

	return per_cpu_ptr(b->pool->pcp, cpu)->barred != b->bar;
}

static enum quarry_answer bar_there(void *data, int cpu, u64 *sum)
{
	struct barring *b = data;
	struct quarry_pcp *pcp = per_cpu_ptr(b->pool->pcp, cpu);

	if (!b->bar) {
		if (pcp->barred)
			bar(pcp, false);
		return QUARRY_VISIT_DONE;
	}
	if (!quarry_pcp_enter(pcp))
		return pcp->barred ? QUARRY_VISIT_DONE : QUARRY_VISIT_INSIDE;
	quarry_pcp_drain_bite(b->pool, pcp);
	if (quarry_pcp_frames(pcp)) {
		quarry_pcp_leave(pcp);
		return QUARRY_VISIT_MORE;
	}
	bar(pcp, true);
	return QUARRY_VISIT_DONE;
}

/* The mark outlasts the interrupt, so it must not come between a look at it and setting it. */
static const struct quarry_visitor bar_visitor = {
	.wanted = not_as_wished,
	.visit = bar_there,
	.between = true,
};

/**
 * quarry_pool_inject() - let allocations from a pool fail
 * @pool:	the pool
 * @nth:	the n-th from now, once; 0: none, ~0: as it was
 * @per_million: so many of a million, at random; ~0: as it was
 *
 * Allocations with __GFP_NOFAIL, and those in NMI, do not fail. Slabs of caches are
 * allocations as any. Context: sleeps. Return: 0 or -EINVAL.
 */
int quarry_pool_inject(struct quarry_pool *pool, u64 nth, u32 per_million)
{
	struct barring b = { .pool = pool };
	int err = quarry_fault_set(&pool->fault, nth, per_million);
	u64 unused = 0;

	if (err)
		return err;
	b.bar = quarry_fault_armed(&pool->fault);
	quarry_visit(&bar_visitor, &b, QUARRY_FOREVER, &unused);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_inject, QUARRY_NS);
