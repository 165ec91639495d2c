/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: a struct page with a private word. */
#ifndef _OBJECTS_LINUX_MM_TYPES_H
#define _OBJECTS_LINUX_MM_TYPES_H

#include <linux/types.h>

struct page {
	unsigned long flags;
	struct list_head lru;
	unsigned long rest[2];
	unsigned long private;
	unsigned long more[2];
};

#endif
