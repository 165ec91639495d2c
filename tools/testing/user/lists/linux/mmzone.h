/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_MMZONE_H
#define _LISTS_LINUX_MMZONE_H

#define PAGE_ALLOC_COSTLY_ORDER	3

#include <linux/bits.h>
#include <linux/nodemask.h>
#include <linux/numa.h>

#define MAX_ORDER_NR_PAGES	BIT(10)

#endif
