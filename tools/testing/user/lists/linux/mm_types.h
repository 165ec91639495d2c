/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: a struct page as large as the kernel's. */
#ifndef _LISTS_LINUX_MM_TYPES_H
#define _LISTS_LINUX_MM_TYPES_H

#include <linux/types.h>

struct page {
	unsigned long flags;
	struct list_head lru;
	unsigned long rest[5];
};

#endif
