/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: there is no thread for what comes later. */
#ifndef _LISTS_LINUX_KTHREAD_H
#define _LISTS_LINUX_KTHREAD_H

#include <linux/types.h>

struct kthread_work;

typedef void (*kthread_work_func_t)(struct kthread_work *work);

struct kthread_delayed_work {
	kthread_work_func_t func;
};

#define KTHREAD_DELAYED_WORK_INIT(work, fn)	{ .func = (fn) }

#endif
