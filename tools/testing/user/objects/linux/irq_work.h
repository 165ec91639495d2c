/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: one waits at a time, and comes when interrupts are on. */
#ifndef _OBJECTS_LINUX_IRQ_WORK_H
#define _OBJECTS_LINUX_IRQ_WORK_H

#include_next <linux/irq_work.h>

#undef irq_work_queue
void objects_irq_work(struct irq_work *work);
void machine_interrupts(void);
#define irq_work_queue(work)	objects_irq_work(work)
#undef irq_work_sync
#define irq_work_sync(work)	((void)(work), machine_interrupts())

#endif
