// SPDX-License-Identifier: GPL-2.0
/*
 * The classic buddy, for comparison: free lists per order, first in last out, a
 * link and an order in a descriptor of 64 bytes a frame, orders 0 to 10, as
 * mm/page_alloc.c keeps them (without migrate types, zones and per-CPU lists).
 */
#include <stdlib.h>

#include <linux/build_bug.h>
#include <linux/list.h>

#include "arm.h"

#define ORDERS	11
#define FREE	0x80

/* As large as a struct page: what a merge has to touch. */
struct descriptor {
	struct list_head link;
	u8 state;
	u8 pad[47];
};

static struct list_head lists[ORDERS];
static u64 nr_free[ORDERS];
static struct descriptor *frames;
static u32 nr_frames;
static u32 lock;

static_assert(sizeof(struct descriptor) == 64, "a descriptor is a cache line");

static void put(u32 f, unsigned int order)
{
	frames[f].state = FREE | order;
	list_add(&frames[f].link, &lists[order]);
	nr_free[order]++;
}

static void take(u32 f, unsigned int order)
{
	frames[f].state = 0;
	list_del(&frames[f].link);
	nr_free[order]--;
}

static void init(u32 nr)
{
	unsigned int k;
	u32 f;

	nr_frames = nr;
	frames = calloc(nr, sizeof(*frames));
	if (!frames)
		abort();
	for (k = 0; k < ORDERS; k++) {
		INIT_LIST_HEAD(&lists[k]);
		nr_free[k] = 0;
	}
	for (f = 0; f < nr; f += 1u << (ORDERS - 1))
		put(f, ORDERS - 1);
}

static void fini(void)
{
	free(frames);
}

static u64 claim(unsigned int order)
{
	unsigned int k = order;
	u64 f = ~0ull;

	arm_lock(&lock);
	while (k < ORDERS && list_empty(&lists[k]))
		k++;
	if (k < ORDERS) {
		f = list_first_entry(&lists[k], struct descriptor, link) - frames;
		take(f, k);
		while (k > order) {
			k--;
			put(f + (1u << k), k);
		}
		frames[f].state = order;
	}
	arm_unlock(&lock);
	return f;
}

static void release(u64 handle, unsigned int order)
{
	u32 f = handle, buddy;

	arm_lock(&lock);
	if (frames[f].state != order)
		abort();
	while (order < ORDERS - 1) {
		buddy = f ^ (1u << order);
		if (buddy >= nr_frames || frames[buddy].state != (FREE | order))
			break;
		take(buddy, order);
		f &= ~(1u << order);
		order++;
	}
	put(f, order);
	arm_unlock(&lock);
}

static u64 large(void)
{
	return nr_free[9] + 2 * nr_free[10];
}

const struct arm arm_list = { "list", init, fini, claim, release, large };
