/* SPDX-License-Identifier: GPL-2.0 */
/* What comes by now and then, under locks that others wait for. See keeper.c. */
#ifndef QUARRY_KEEPER_H
#define QUARRY_KEEPER_H

#include <linux/irq_work.h>
#include <linux/kthread.h>

/**
 * struct quarry_chore - something that is done now and then
 * @work:	does it, after a timer
 * @wake:	sets that
 * @due:	it will be done, or may not be begun
 */
struct quarry_chore {
	struct kthread_delayed_work work;
	struct irq_work wake;
	bool due;
};

/* One that is not begun yet. @fn gets its work, see quarry_chore_at_work(). */
#define QUARRY_CHORE_INIT(chore, fn) {					\
	.work = KTHREAD_DELAYED_WORK_INIT((chore).work, fn),		\
	.wake = IRQ_WORK_INIT_HARD(quarry_chore_set_timer),		\
	.due = true,							\
}

void quarry_chore_set_timer(struct irq_work *wake);
void quarry_chore_begin(struct quarry_chore *chore);
void quarry_chore_wake(struct quarry_chore *chore);
void quarry_chore_at_work(struct quarry_chore *chore);
void quarry_chore_end(struct quarry_chore *chore);
void quarry_keeper_rest(void);
int quarry_keeper_init(void);
void quarry_keeper_exit(void);

#endif /* QUARRY_KEEPER_H */
