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
 * Whoever makes something to do wakes the chore. It is done once, PERIOD later, and not again
 * unless it is woken again; so on a machine where nothing happens nothing is done.
 *
 *	wake --interrupt to itself--> timer --PERIOD--> keeper
 *	 `--nothing, while it is due anyway
 *
 * The wake-up may come under any lock, that of a timer's CPU among them: hence the interrupt. The
 * timer wakes an idle CPU. If it did not, a CPU that woke it and went to sleep for an hour would
 * keep the chore from all others. It is not on an isolated CPU while another is awake.
 *
 * Contexts: chores sleep. They are woken from any context.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "../base/inject.h"
#include "keeper.h"

/* From the first wake-up to the work, in ticks. */
#define PERIOD	(2 * HZ)

/* Ticks between two rests. */
#define BUSY	2

static struct kthread_worker *keeper;

/* When it rested last. Of the keeper alone. */
static unsigned long rested;

/* An interrupt: see quarry_chore_wake(). */
void quarry_chore_set_timer(struct irq_work *wake)
{
	struct quarry_chore *chore = container_of(wake, struct quarry_chore, wake);

	kthread_queue_delayed_work(keeper, &chore->work, PERIOD);
}

/**
 * quarry_chore_begin() - have a chore done from now on, when it is woken
 * @chore:	made by QUARRY_CHORE_INIT(); ended, if it was begun before
 */
void quarry_chore_begin(struct quarry_chore *chore)
{
	WRITE_ONCE(chore->due, false);
}

/**
 * quarry_chore_wake() - there is something for a chore to do
 * @chore:	which; nothing happens if it has not begun, or has ended
 *
 * Context: any.
 */
void quarry_chore_wake(struct quarry_chore *chore)
{
	/* Either we see that it is not due any more, or it sees what there is to do. */
	smp_mb();
	if (likely(READ_ONCE(chore->due)))
		return;
	WRITE_ONCE(chore->due, true);
	irq_work_queue(&chore->wake);
}

/**
 * quarry_chore_at_work() - what a chore begins with
 * @chore:	itself
 *
 * From here on a wake-up is for the next time.
 */
void quarry_chore_at_work(struct quarry_chore *chore)
{
	WRITE_ONCE(chore->due, false);
	/* See quarry_chore_wake(). */
	smp_mb();
}

/**
 * quarry_chore_end() - have a chore done no more
 * @chore:	which; it is not at work when this returns
 *
 * Context: sleeps.
 */
void quarry_chore_end(struct quarry_chore *chore)
{
	unsigned int i;

	/* Twice, for it may have been at work, or woken, after it was said to be due. */
	for (i = 0; i < 2; i++) {
		WRITE_ONCE(chore->due, true);
		irq_work_sync(&chore->wake);
		kthread_cancel_delayed_work_sync(&chore->work);
	}
}

/*
 * Between the steps of a chore: let others run if it has been long. By a high-resolution timer,
 * whose interrupt wakes a real-time task: the timers of the tick are seen to by a thread on
 * PREEMPT_RT, which a real-time task on this CPU may keep from running for ever, while we are
 * waited for. Context: sleeps.
 */
void quarry_keeper_rest(void)
{
	if (time_in_range(jiffies, rested, rested + BUSY))
		return;
	usleep_range(jiffies_to_usecs(1), 2 * jiffies_to_usecs(1));
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

/* All chores have ended. */
void quarry_keeper_exit(void)
{
	kthread_destroy_worker(keeper);
}
