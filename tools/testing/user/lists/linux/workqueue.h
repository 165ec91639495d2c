/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: as for irq_work. */
#ifndef _LISTS_LINUX_WORKQUEUE_H
#define _LISTS_LINUX_WORKQUEUE_H

#include <linux/types.h>

struct work_struct {
	void (*func)(struct work_struct *work);
};

struct delayed_work {
	struct work_struct work;
};

#define HZ	250
#define system_unbound_wq	NULL
#define DECLARE_WORK(name, fn)	struct work_struct name = { fn }
#define queue_work(wq, work)	((void)(work))
#define cancel_work_sync(work)	((void)(work))

#endif
