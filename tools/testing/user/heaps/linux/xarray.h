/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stub: a sorted list. What is found in it is as visible as what an xarray has: what was
 * written before it was put there. It is looked at without a lock while others insert.
 */
#ifndef _HEAPS_LINUX_XARRAY_H
#define _HEAPS_LINUX_XARRAY_H

#include <linux/gfp.h>
#include <linux/types.h>

#define XA_PRESENT	8u

struct xa_node {
	struct xa_node *next;
	unsigned long index;
	void *entry;
};

struct xarray {
	struct xa_node *first;
	int locked;
};

void xa_init(struct xarray *xa);
void xa_destroy(struct xarray *xa);
void *xa_load(struct xarray *xa, unsigned long index);
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, unsigned int filter);
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
		    unsigned int filter);
int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);

#define xa_for_each(xa, index, entry)					\
	for ((index) = 0, (entry) = xa_find((xa), &(index), ~0UL, XA_PRESENT); (entry);	\
	     (entry) = xa_find_after((xa), &(index), ~0UL, XA_PRESENT))

#endif
