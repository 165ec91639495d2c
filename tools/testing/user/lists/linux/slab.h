/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_SLAB_H
#define _LISTS_LINUX_SLAB_H

#include <errno.h>
#include <stdlib.h>

#include <linux/gfp.h>

void *lists_zalloc(size_t bytes);
void lists_free(void *p);

#define kzalloc(size, gfp)		((void)(gfp), lists_zalloc(size))
#define kzalloc_node(size, gfp, node)	((void)(node), kzalloc(size, gfp))
#define kfree(p)			lists_free(p)

#endif
