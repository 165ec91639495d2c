/* SPDX-License-Identifier: GPL-2.0 */
/* Who may not be refused waits until something comes back. See wait.c. */
#ifndef QUARRY_WAIT_H
#define QUARRY_WAIT_H

#include <linux/irq_work.h>

#include "pool.h"

void quarry_wait_init(struct quarry_pool *pool);
bool quarry_wait_for_free(struct quarry_pool *pool);

/**
 * quarry_wake_waiters() - something has come back: have those look who wait for it
 * @pool:	whose
 *
 * Context: any, under any lock. Cost: a load, where nobody waits.
 */
static __always_inline void quarry_wake_waiters(struct quarry_pool *pool)
{
	if (unlikely(atomic_read(&pool->waiters)))
		irq_work_queue(&pool->wake_irq);
}

#endif /* QUARRY_WAIT_H */
