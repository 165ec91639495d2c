/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The classic buddy, for comparison: free lists per order, first in last out, a link and
 * an order in a descriptor of 64 bytes a frame, orders 0 to 10, as mm/page_alloc.c keeps
 * them (without migrate types, zones and per-CPU lists).
 *
 * Inline, so that the programs that time it pay for no call. Callers serialise.
 */
#ifndef QUARRY_FRAG_LIST_H
#define QUARRY_FRAG_LIST_H

#include <linux/build_bug.h>
#include <linux/list.h>
#include <linux/types.h>

#define LIST_ORDERS	11
#define LIST_FREE	0x80
#define LIST_NONE	(~0ULL)

/**
 * struct list_frame - as large as a struct page: what a merge has to touch
 * @link:	in a list, where a free block begins here
 * @state:	LIST_FREE and the order of the block that begins here, or the order alone
 * @pad:	what else a struct page has
 */
struct list_frame {
	struct list_head link;
	u8 state;
	u8 pad[47];
};

static_assert(sizeof(struct list_frame) == 64, "a descriptor is a cache line");

/**
 * struct list_buddy - some frames
 * @lists:	free blocks of each order
 * @nr_free:	how many
 * @frames:	one descriptor each, zeroed by who brought them
 * @nr_frames:	a multiple of the largest block
 */
struct list_buddy {
	struct list_head lists[LIST_ORDERS];
	u64 nr_free[LIST_ORDERS];
	struct list_frame *frames;
	u32 nr_frames;
};

static inline void list_buddy_put(struct list_buddy *b, u32 f, unsigned int order)
{
	b->frames[f].state = LIST_FREE | order;
	list_add(&b->frames[f].link, &b->lists[order]);
	b->nr_free[order]++;
}

static inline void list_buddy_take(struct list_buddy *b, u32 f, unsigned int order)
{
	b->frames[f].state = 0;
	list_del(&b->frames[f].link);
	b->nr_free[order]--;
}

static inline void list_buddy_init(struct list_buddy *b, struct list_frame *frames, u32 nr)
{
	unsigned int k;
	u32 f;

	b->frames = frames;
	b->nr_frames = nr;
	for (k = 0; k < LIST_ORDERS; k++) {
		INIT_LIST_HEAD(&b->lists[k]);
		b->nr_free[k] = 0;
	}
	for (f = 0; f < nr; f += 1u << (LIST_ORDERS - 1))
		list_buddy_put(b, f, LIST_ORDERS - 1);
}

/* The first frame of a block, or LIST_NONE. */
static inline u64 list_buddy_claim(struct list_buddy *b, unsigned int order)
{
	unsigned int k = order;
	u32 f;

	while (k < LIST_ORDERS && list_empty(&b->lists[k]))
		k++;
	if (k == LIST_ORDERS)
		return LIST_NONE;
	f = list_first_entry(&b->lists[k], struct list_frame, link) - b->frames;
	list_buddy_take(b, f, k);
	while (k > order) {
		k--;
		list_buddy_put(b, f + (1u << k), k);
	}
	b->frames[f].state = order;
	return f;
}

/* false, and nothing done, if no block of that order that is out begins there. */
static inline bool list_buddy_release(struct list_buddy *b, u32 f, unsigned int order)
{
	u32 buddy;

	if (b->frames[f].state != order)
		return false;
	while (order < LIST_ORDERS - 1) {
		buddy = f ^ (1u << order);
		if (buddy >= b->nr_frames || b->frames[buddy].state != (LIST_FREE | order))
			break;
		list_buddy_take(b, buddy, order);
		f &= ~(1u << order);
		order++;
	}
	list_buddy_put(b, f, order);
	return true;
}

/* Aligned 2 MiB that are wholly free. */
static inline u64 list_buddy_areas(const struct list_buddy *b)
{
	return b->nr_free[9] + 2 * b->nr_free[10];
}

#endif /* QUARRY_FRAG_LIST_H */
