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
#include <linux/cpu.h>

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

static u64 bar_this(void *data)
{
	struct barring *b = data;
	struct quarry_pcp *pcp;

	preempt_disable();
	pcp = this_cpu_ptr(b->pool->pcp);
	/* In process context, with preemption off: nobody is inside but us. */
	if (b->bar && quarry_pcp_enter(pcp)) {
		quarry_pcp_drain(b->pool, pcp, QUARRY_DRAIN_ALL);
		bar(pcp, true);
	} else if (!b->bar && pcp->barred) {
		bar(pcp, false);
	}
	preempt_enable();
	return 0;
}

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
	int cpu;

	if (err)
		return err;
	b.bar = quarry_fault_armed(&pool->fault);
	cpus_read_lock();
	for_each_possible_cpu(cpu)
		/* Its lists went when it did (hotplug.c). */
		if (!cpu_online(cpu))
			bar(per_cpu_ptr(pool->pcp, cpu), b.bar);
	quarry_visit_cpus(bar_this, &b);
	cpus_read_unlock();
	return 0;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_inject, QUARRY_NS);
