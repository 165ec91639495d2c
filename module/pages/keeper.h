/* SPDX-License-Identifier: GPL-2.0 */
/* What comes by now and then, under locks that others wait for. See keeper.c. */
#ifndef QUARRY_KEEPER_H
#define QUARRY_KEEPER_H

#include <linux/kthread.h>

void quarry_chore_init(struct kthread_delayed_work *chore, kthread_work_func_t fn);
void quarry_chore_start(struct kthread_delayed_work *chore, unsigned long delay);
void quarry_chore_stop(struct kthread_delayed_work *chore);
void quarry_keeper_rest(void);
int quarry_keeper_init(void);
void quarry_keeper_exit(void);

/* Will it be done? Context: any. */
static inline bool quarry_chore_is_due(const struct kthread_delayed_work *chore)
{
	return timer_pending(&chore->timer);
}

#endif /* QUARRY_KEEPER_H */
