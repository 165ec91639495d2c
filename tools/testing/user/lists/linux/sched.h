/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_SCHED_H
#define _LISTS_LINUX_SCHED_H

#include <linux/compiler.h>

#define PF_MEMALLOC	0x800u

struct task_struct {
	unsigned int flags;
};

extern __thread struct task_struct lists_task;

#define current		(&lists_task)
#define cond_resched()	((void)0)

#endif
