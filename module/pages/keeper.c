// SPDX-License-Identifier: GPL-2.0
/*
 * The keeper: a thread for what comes by now and then, under locks that others wait for.
 *
 * The decay of idle lists (drain.c) and the reaper of caches (cache/reap.c) go over all pools
 * and all caches, and hold the locks by which these stay. Whoever makes or destroys one waits
 * for them. A work on one of the kernel's queues is a task like any other: on its way it
 * may be preempted by a real-time task that never lets go of that CPU, or be moved to such a
 * CPU by the load balancer, and stay there with the locks.
 *
 *	CPU 0   destroy ... waits for the lock                destroy
 *	CPU 1   [work, has the lock] real-time task           real-time task, [keeper] -> CPU 0
 *
 * So the keeper has the least of all real-time priorities. Of tasks with such a priority the
 * scheduler moves the one that would have to wait to a CPU where it need not, at once; and
 * none that is a user's is kept waiting by this one. What is not real-time is, so a chore
 * rests for a tick after each two that it has run.
 *
 * Contexts: chores sleep. They are started from any context but NMI.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/timer.h>

#include "../debug/inject.h"
#include "keeper.h"

/* Ticks between two rests. */
#define BUSY	2

static struct kthread_worker *keeper;

/* When it rested last. Of the keeper alone. */
static unsigned long rested;

/**
 * quarry_chore_init() - prepare what the keeper is to do
 * @chore:	what
 * @fn:		how
 */
void quarry_chore_init(struct kthread_delayed_work *chore, kthread_work_func_t fn)
{
	kthread_init_work(&chore->work, fn);
	/* An idle CPU is not woken for it. */
	timer_setup(&chore->timer, kthread_delayed_work_timer_fn,
		    TIMER_IRQSAFE | TIMER_DEFERRABLE);
}

/**
 * quarry_chore_start() - have it done once, later
 * @chore:	what; nothing happens if it will be done anyway
 * @delay:	in ticks
 *
 * Context: any but NMI.
 */
void quarry_chore_start(struct kthread_delayed_work *chore, unsigned long delay)
{
	kthread_queue_delayed_work(keeper, chore, delay);
}

/* It is not done any more when this returns, unless somebody starts it again. Sleeps. */
void quarry_chore_stop(struct kthread_delayed_work *chore)
{
	kthread_cancel_delayed_work_sync(chore);
}

/* Between the steps of a chore: let others run if it has been long. Context: sleeps. */
void quarry_keeper_rest(void)
{
	if (time_in_range(jiffies, rested, rested + BUSY))
		return;
	schedule_timeout_uninterruptible(1);
	rested = jiffies;
}

int __init quarry_keeper_init(void)
{
	struct kthread_worker *worker;

	worker = quarry_inject() ? ERR_PTR(-ENOMEM) : kthread_create_worker(0, "quarry");
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	sched_set_fifo_low(worker->task);
	keeper = worker;
	return 0;
}

/* All chores have been stopped. */
void quarry_keeper_exit(void)
{
	kthread_destroy_worker(keeper);
}
