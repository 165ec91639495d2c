/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: nothing comes later here. */
#ifndef _LISTS_LINUX_IRQ_WORK_H
#define _LISTS_LINUX_IRQ_WORK_H

#include <linux/types.h>

struct irq_work {
	void (*func)(struct irq_work *work);
};

#define IRQ_WORK_INIT_HARD(fn)	((struct irq_work){ .func = (fn) })
#define irq_work_queue(work)	((void)(work))
#define irq_work_sync(work)	((void)(work))

#endif
