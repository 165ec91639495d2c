/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_REFCOUNT_H
#define _LISTS_LINUX_REFCOUNT_H

#include <linux/atomic.h>

typedef atomic_t refcount_t;

#endif
