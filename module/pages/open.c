// SPDX-License-Identifier: GPL-2.0
/*
 * Per-CPU lists come on first use.
 *
 * A pool has room for the tops of each possible CPU's lists and no more. What is needed
 * beside them (struct quarry_cold) comes when a call of a CPU was not satisfied by its
 * lists, which are closed until then: their tops stand on a slot that holds no block, and
 * have no room behind them, so that the fast paths need not ask.
 *
 *	closed --a slow call that may be preempted------------------> open
 *	   `-----one that may not: wanting --a work--> gift --the next-->
 *
 *	A call that may not be preempted may be made under any lock, those of the kernel's own
 *	allocator included, so it must not call that. A work brings the memory, and the CPU
 *	takes it with its next slow call. Until then its calls go to the zones.
 *
 * How much the lists of one CPU may hold follows from how many are open: a pool that two of
 * 256 CPUs use is not cut into 256 parts.
 *
 * Contexts: any.
 */
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "../base/inject.h"
#include "pcp.h"

/*
 * All lists together are to hold no more than one part in so many of the pool. Where CPUs come
 * one after another, the first have what they had got under a larger limit until the decay
 * comes by, or they want more (drain.c, pcp.c).
 */
#define POOL_PART	32

/* Most that one CPU's lists may hold of a pool, whatever its cap: 128 MiB. */
#define LIMIT		(32U << QUARRY_KERNEL_ORDER)

/* Divide among the CPUs that use the pool, one at least. Context: any. */
void quarry_lists_limit(struct quarry_pool *pool)
{
	int users;

	/* Of two CPUs that come at once the last one to write has seen both. */
	do {
		users = max(atomic_read(&pool->nr_open), 1);
		xchg(&pool->list_limit,
		     (u32)clamp_t(u64, pool->max / (POOL_PART * users), 1, LIMIT));
	} while (users != max(atomic_read(&pool->nr_open), 1));
}

static struct quarry_cold *open_make(gfp_t gfp, int cpu)
{
	return quarry_inject() ? NULL :
	       kzalloc_node(sizeof(struct quarry_cold), gfp | __GFP_NOWARN, cpu_to_mem(cpu));
}

/* Leave @cold with a CPU of the pool that wants it. Returns false if none does. */
static bool leave_in(struct quarry_pool *pool, struct quarry_cold *cold)
{
	struct quarry_pcp *pcp;
	bool left;
	int cpu;

	for_each_possible_cpu(cpu) {
		pcp = per_cpu_ptr(pool->pcp, cpu);
		if (!READ_ONCE(pcp->wanting))
			continue;
		left = !READ_ONCE(pcp->gift) && !READ_ONCE(pcp->cold);
		if (left) {
			/* Nobody else leaves one, and who takes it finds it zeroed. */
			smp_store_release(&pcp->gift, cold);
		}
		WRITE_ONCE(pcp->wanting, false);
		if (left)
			return true;
	}
	return false;
}

/*
 * The same for the next pool with a CPU that does, where *@cold becomes NULL if it was taken.
 * Returns false if there is none.
 */
static bool leave_gift(struct quarry_cold **cold)
{
	struct quarry_pool *pool = NULL;

	while ((pool = quarry_pool_look_next(pool)))
		/* Who wants one from here on says so again, and others of its CPUs may. */
		if (READ_ONCE(pool->wanting) && xchg(&pool->wanting, false)) {
			if (leave_in(pool, *cold)) {
				*cold = NULL;
				WRITE_ONCE(pool->wanting, true);
			}
			quarry_pool_look_away(pool);
			return true;
		}
	return false;
}

/* For all CPUs that could not do it themselves. What is not brought is asked for again. */
static void bring_gifts(struct work_struct *work)
{
	struct quarry_cold *cold = NULL;

	do
		cold = cold ?: open_make(GFP_KERNEL | __GFP_NORETRY, raw_smp_processor_id());
	while (cold && leave_gift(&cold));
	kfree(cold);
}

static DECLARE_WORK(gifts_work, bring_gifts);

static void start_gifts(struct irq_work *irq)
{
	queue_work(quarry_any_cpu_wq, &gifts_work);
}

static struct irq_work gifts_irq = IRQ_WORK_INIT_HARD(start_gifts);

/*
 * Open this CPU's lists, which are closed, with *@cold or what was brought; if there is neither,
 * ask for it. Entered.
 */
static void open_here(struct quarry_pool *pool, struct quarry_pcp *pcp,
		      struct quarry_cold **cold)
{
	*cold = *cold ?: xchg(&pcp->gift, NULL);
	if (*cold) {
		quarry_pcp_open(pcp, *cold);
		*cold = NULL;
		atomic_inc(&pool->nr_open);
		quarry_lists_limit(pool);
	} else {
		WRITE_ONCE(pcp->wanting, true);
		/* After that: whoever takes it back looks at the CPUs then. */
		smp_store_release(&pool->wanting, true);
		irq_work_queue(&gifts_irq);
	}
}

/**
 * quarry_lists_open() - see to it that this CPU has lists
 * @pool:	the pool
 * @may_sleep:	the caller may
 *
 * Context: any. They may still be closed afterwards: a call goes to the zones then, and the
 * next one tries again.
 */
void quarry_lists_open(struct quarry_pool *pool, bool may_sleep)
{
	bool may_call = may_sleep || preemptible();
	struct quarry_cold *cold = NULL;
	struct quarry_pcp *pcp;

	if (likely(READ_ONCE(raw_cpu_ptr(pool->pcp)->cold)))
		return;
	if (may_call)
		cold = open_make(GFP_NOWAIT, raw_smp_processor_id());
	preempt_disable();
	pcp = this_cpu_ptr(pool->pcp);
	/* We may have moved to another CPU, or an interrupt was quicker: not once we are inside. */
	if (quarry_pcp_enter(pcp)) {
		if (!pcp->cold)
			open_here(pool, pcp, &cold);
		quarry_pcp_leave(pcp);
	}
	preempt_enable();
	/* Left only with who may call the kernel's allocator. */
	kfree(cold);
}

/* A CPU has stopped: its lists, which are empty, have no part of the limit. */
void quarry_lists_away(struct quarry_pool *pool, int cpu)
{
	struct quarry_pcp *pcp = per_cpu_ptr(pool->pcp, cpu);

	if (!quarry_pcp_cold(pcp) || pcp->away)
		return;
	pcp->away = true;
	/* So that it comes by. */
	quarry_pcp_unwatch(pcp);
	atomic_dec(&pool->nr_open);
	quarry_lists_limit(pool);
}

/* It is back. Entered. */
void quarry_lists_back(struct quarry_pool *pool, struct quarry_pcp *pcp)
{
	pcp->away = false;
	atomic_inc(&pool->nr_open);
	quarry_lists_limit(pool);
}

/* Context: when there are no pools any more. */
void quarry_lists_exit(void)
{
	irq_work_sync(&gifts_irq);
	cancel_work_sync(&gifts_work);
}

/**
 * quarry_count_add() - count what a slow path did
 * @pool:	the pool
 * @which:	enum quarry_count
 * @nr:		by so many
 *
 * Context: any.
 */
void quarry_count_add(struct quarry_pool *pool, unsigned int which, u64 nr)
{
	struct quarry_cold *cold;

	preempt_disable();
	cold = this_cpu_ptr(pool->pcp)->cold;
	if (likely(cold))
		local64_add(nr, &cold->count[which]);
	else
		atomic64_add(nr, &pool->stray[which]);
	preempt_enable();
}
