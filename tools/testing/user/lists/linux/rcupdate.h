/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: who looks has preemption off, and nothing goes meanwhile. */
#ifndef _LISTS_LINUX_RCUPDATE_H
#define _LISTS_LINUX_RCUPDATE_H

#include <linux/preempt.h>

#endif
