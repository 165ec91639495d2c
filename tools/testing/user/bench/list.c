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

static u64 claim_locked(unsigned int order)
{
	unsigned int k = order;
	u64 f = ~0ull;

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
	return f;
}

static void release_locked(u64 handle, unsigned int order)
{
	u32 f = handle, buddy;

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
}

static u64 claim(unsigned int order)
{
	u64 f;

	arm_lock(&lock);
	f = claim_locked(order);
	arm_unlock(&lock);
	return f;
}

static void release(u64 handle, unsigned int order)
{
	arm_lock(&lock);
	release_locked(handle, order);
	arm_unlock(&lock);
}

static u32 claim_bulk(u64 *handles, u32 nr)
{
	u32 got = 0;

	arm_lock(&lock);
	while (got < nr && (handles[got] = claim_locked(0)) != ~0ull)
		got++;
	arm_unlock(&lock);
	return got;
}

static void release_bulk(const u64 *handles, u32 nr)
{
	arm_lock(&lock);
	while (nr--)
		release_locked(handles[nr], 0);
	arm_unlock(&lock);
}

static u64 frame(u64 handle)
{
	return handle;
}

static u64 large(void)
{
	return nr_free[9] + 2 * nr_free[10];
}

const struct arm arm_list = {
	.name = "list",
	.init = init,
	.fini = fini,
	.claim = claim,
	.claim_short = claim,
	.release = release,
	.claim_bulk = claim_bulk,
	.release_bulk = release_bulk,
	.frame = frame,
	.large = large,
};
