/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A map of a heap beside a naive one, which has an entry for each page of some windows. Every
 * operation is done to both, what they answer is compared, and then what they say of the pages.
 */
#ifndef HEAPS_TWIN_H
#define HEAPS_TWIN_H

#include "../../../../module/heap/map.h"

#define TWIN_PAGES	2048
#define TWIN_LEAVES	64

enum twin_does {
	PREPARE,	/* leaves */
	PREPARE_FRAMES,	/* and arrays */
	CLAIM,
	FILL,
	UNCLAIM,
	RESERVE,
	UNRESERVE,
	TAKE,		/* @most at a time */
	GUARD,
	UNGUARD,
	TRIM,
	RESIZE,		/* to @nr */
	NR_DOES
};

/**
 * struct twin_op - something to do
 * @does:	what
 * @first:	first page
 * @nr:		pages
 * @most:	of a take: room for frames; of a preparation: which allocation fails, or 0
 */
struct twin_op {
	enum twin_does does;
	u64 first;
	u64 nr;
	u32 most;
};

/**
 * struct twin_page - what is known of a page
 * @frame:	its frame, or 0
 * @claimed:	somebody has gone for one
 * @reserved:	it is promised one
 * @guard:	nobody may touch it
 */
struct twin_page {
	unsigned long frame;
	bool claimed;
	bool reserved;
	bool guard;
};

/**
 * struct twin_leaf - what memory the map should have
 * @index:	of the leaf
 * @there:	it is
 * @frames:	with an array
 */
struct twin_leaf {
	u64 index;
	bool there;
	bool frames;
};

/**
 * struct twin - both
 * @m:		the map
 * @page:	pages of windows of which each begins at a multiple of @window
 * @size:	of the heap
 * @at:		first pages of the windows, ascending
 * @windows:	how many there are
 * @window:	pages of each
 * @leaf:	leaves that windows touch
 * @leaves:	how many
 * @next_frame:	the next frame to fill in
 */
struct twin {
	struct quarry_heap_map m;
	struct twin_page page[TWIN_PAGES];
	u64 size;
	u64 at[TWIN_LEAVES];
	u32 windows;
	u32 window;
	struct twin_leaf leaf[TWIN_LEAVES];
	u32 leaves;
	unsigned long next_frame;
};

void twin_init(struct twin *t, u64 size, const u64 *at, u32 windows, u32 window);
void twin_fini(struct twin *t);
bool twin_is_claimed(const struct twin *t);
bool twin_allows(const struct twin *t, const struct twin_op *op);
void twin_do(struct twin *t, const struct twin_op *op);
void twin_compare(struct twin *t);
struct twin_page *twin_page(struct twin *t, u64 index);

#endif
