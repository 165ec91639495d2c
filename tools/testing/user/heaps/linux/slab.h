/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: memory that is counted, and fails when a test wants it to. */
#ifndef _HEAPS_LINUX_SLAB_H
#define _HEAPS_LINUX_SLAB_H

#include <linux/gfp.h>
#include <linux/types.h>

void *heaps_zalloc(size_t bytes);
void kfree(void *p);

#define kzalloc(size, gfp)	((void)(gfp), heaps_zalloc(size))
#define kcalloc(nr, size, gfp)	kzalloc((nr) * (size), gfp)

#endif
