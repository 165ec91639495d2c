// SPDX-License-Identifier: GPL-2.0
/*
 * The compiler knows how large what is allocated is, redirected or not: it must warn of a write
 * beyond it where the kernel has FORTIFY_SOURCE. Built with MISTAKES=m alone, by
 * tools/testing/stage redirected, which looks for the name of each function.
 */
#include <linux/slab.h>
#include <linux/string.h>

#define WRITE_BEYOND(what, call)					\
void *beyond_##what(void);						\
void *beyond_##what(void)						\
{									\
	char *object = call;						\
									\
	if (object)							\
		memset(object, 1, 17);					\
	return object;							\
}

WRITE_BEYOND(kmalloc, kmalloc(16, GFP_KERNEL))
WRITE_BEYOND(kzalloc, kzalloc(16, GFP_KERNEL))
WRITE_BEYOND(kcalloc, kcalloc(4, 4, GFP_KERNEL))
WRITE_BEYOND(kmalloc_node, kmalloc_node(16, GFP_KERNEL, 0))
WRITE_BEYOND(kvmalloc, kvmalloc(16, GFP_KERNEL))
WRITE_BEYOND(krealloc, krealloc(NULL, 16, GFP_KERNEL))
