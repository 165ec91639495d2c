// SPDX-License-Identifier: GPL-2.0
/* The kernel's part: memory that may fail, and a sorted list for an xarray. */
#include <errno.h>
#include <stdlib.h>

#include <linux/slab.h>
#include <linux/xarray.h>

#include "machine.h"

unsigned int heaps_fail_in;
long heaps_out;

void *heaps_zalloc(size_t bytes)
{
	if (heaps_fail_in && !--heaps_fail_in)
		return NULL;
	__atomic_fetch_add(&heaps_out, 1, __ATOMIC_RELAXED);
	return calloc(1, bytes);
}

void kfree(void *p)
{
	if (p)
		__atomic_fetch_sub(&heaps_out, 1, __ATOMIC_RELAXED);
	free(p);
}

void xa_init(struct xarray *xa)
{
	*xa = (struct xarray){ 0 };
}

void xa_destroy(struct xarray *xa)
{
	struct xa_node *n, *next;

	for (n = xa->first; n; n = next) {
		next = n->next;
		free(n);
	}
	xa->first = NULL;
}

/* The link to the first node that is not below @index. */
static struct xa_node **xa_at(struct xarray *xa, unsigned long index)
{
	struct xa_node **link = &xa->first, *n;

	while ((n = __atomic_load_n(link, __ATOMIC_ACQUIRE)) && n->index < index)
		link = &n->next;
	return link;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	struct xa_node *n = __atomic_load_n(xa_at(xa, index), __ATOMIC_ACQUIRE);

	return n && n->index == index ? n->entry : NULL;
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, unsigned int filter)
{
	struct xa_node *n = __atomic_load_n(xa_at(xa, *index), __ATOMIC_ACQUIRE);

	(void)filter;
	if (!n || n->index > max)
		return NULL;
	*index = n->index;
	return n->entry;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
		    unsigned int filter)
{
	if (*index == max)
		return NULL;
	++*index;
	return xa_find(xa, index, max, filter);
}

static void xa_lock(struct xarray *xa)
{
	while (__atomic_exchange_n(&xa->locked, 1, __ATOMIC_ACQUIRE))
		;
}

static void xa_unlock(struct xarray *xa)
{
	__atomic_store_n(&xa->locked, 0, __ATOMIC_RELEASE);
}

int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	struct xa_node **link, *n;
	int ret = -EBUSY;

	(void)gfp;
	if (heaps_fail_in && !--heaps_fail_in)
		return -ENOMEM;
	xa_lock(xa);
	link = xa_at(xa, index);
	if (!*link || (*link)->index != index) {
		n = malloc(sizeof(*n));
		n->next = *link;
		n->index = index;
		n->entry = entry;
		__atomic_store_n(link, n, __ATOMIC_RELEASE);
		ret = 0;
	}
	xa_unlock(xa);
	return ret;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	struct xa_node **link = xa_at(xa, index), *n = *link;
	void *entry;

	if (!n || n->index != index)
		return NULL;
	entry = n->entry;
	*link = n->next;
	free(n);
	return entry;
}
