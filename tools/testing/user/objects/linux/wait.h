/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: see kernel.h. */
#ifndef _OBJECTS_LINUX_WAIT_H
#define _OBJECTS_LINUX_WAIT_H

#include_next <linux/wait.h>
#include "../kernel.h"

#undef schedule_timeout
#define schedule_timeout(jiffies_)	objects_sleep(jiffies_)

#endif
