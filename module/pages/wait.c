// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting: who may not be refused (__GFP_NOFAIL) sleeps until a block was freed.
 *
 * A free may come from under any lock, the scheduler's included, where nobody can be woken. So it
 * asks for an interrupt of its own, which wakes:
 *
 *	wait	count itself, sleep ----------.		[at most MOMENT]
 *	free	anybody counted? -> irq_work -> wake WOKEN at most
 *
 * Who is not woken looks by himself soon, for a free by another way than quarry's lists, or one
 * that was seen before he was counted, wakes nobody.
 *
 * Contexts: waiting sleeps, with no lock that a free needs; waking, any. Cost: of a free, a load.
 */
#include <linux/sched.h>
#include <linux/swait.h>

#include "wait.h"

/* As long as somebody sleeps whom nobody wakes. */
#define MOMENT	(HZ / 50)

/* Most that are woken with interrupts off. */
#define WOKEN	16

/* Context: hard interrupt. */
static void wait_wake(struct irq_work *irq)
{
	struct quarry_pool *pool = container_of(irq, struct quarry_pool, wake_irq);
	int nr = min(atomic_read(&pool->waiters), WOKEN);

	while (nr-- > 0)
		swake_up_one(&pool->freed);
}

/**
 * quarry_wait_init() - a pool that somebody can wait for
 * @pool:	just being made
 *
 * Context: any.
 */
void quarry_wait_init(struct quarry_pool *pool)
{
	/* On PREEMPT_RT others run in a thread, which a real-time task keeps from its CPU. */
	pool->wake_irq = IRQ_WORK_INIT_HARD(wait_wake);
	init_swait_queue_head(&pool->freed);
}

/**
 * quarry_wait_for_free() - sleep until something was freed, or for a moment
 * @pool:	in which
 *
 * Context: sleeps. Return: always true, so that it can stand in the condition of a loop.
 */
bool quarry_wait_for_free(struct quarry_pool *pool)
{
	DECLARE_SWAITQUEUE(wait);

	atomic_inc(&pool->waiters);
	prepare_to_swait_exclusive(&pool->freed, &wait, TASK_UNINTERRUPTIBLE);
	schedule_timeout(MOMENT);
	finish_swait(&pool->freed, &wait);
	atomic_dec(&pool->waiters);
	return true;
}
