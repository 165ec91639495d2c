/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: nobody waits here, for no pool of ours grows. */
#ifndef _LISTS_LINUX_WAIT_H
#define _LISTS_LINUX_WAIT_H

#include <linux/types.h>

typedef struct {
	struct list_head head;
} wait_queue_head_t;

#define TASK_UNINTERRUPTIBLE	2
#define HZ			250
#define schedule_timeout(jiffies)		((void)(jiffies))

#endif
