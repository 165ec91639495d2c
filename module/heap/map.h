/* SPDX-License-Identifier: GPL-2.0 */
/* What a heap knows of each of its pages. See map.c. */
#ifndef QUARRY_HEAP_MAP_H
#define QUARRY_HEAP_MAP_H

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/types.h>
#include <linux/xarray.h>

#define QUARRY_HEAP_LEAF_PAGES	512U

/* More pages than that no file has: the last byte's offset fits loff_t. */
#define QUARRY_HEAP_MAX_PAGES	(1ULL << (63 - 12))

/**
 * enum quarry_heap_has - what a page may have, beside others
 * @QUARRY_HEAP_PRESENT:	a frame
 * @QUARRY_HEAP_RESERVED:	a promise that it gets one
 * @QUARRY_HEAP_GUARD:		nobody may touch it
 * @QUARRY_NR_HEAP_HAS:	how many there are
 */
enum quarry_heap_has {
	QUARRY_HEAP_PRESENT,
	QUARRY_HEAP_RESERVED,
	QUARRY_HEAP_GUARD,
	QUARRY_NR_HEAP_HAS
};

/**
 * struct quarry_heap_map - the pages of a heap
 * @leaves:	struct quarry_heap_leaf by index of a page / %QUARRY_HEAP_LEAF_PAGES
 * @size:	pages; none lies behind
 * @count:	pages that have each of enum quarry_heap_has
 * @aside:	pages with a promise and neither a frame nor a claim: so many frames must
 *		be set aside for them
 * @nr_leaves:	leaves
 */
struct quarry_heap_map {
	struct xarray leaves;
	u64 size;
	atomic64_t count[QUARRY_NR_HEAP_HAS];
	atomic64_t aside;
	atomic64_t nr_leaves;
};

void quarry_heap_map_init(struct quarry_heap_map *m, u64 size);
void quarry_heap_map_destroy(struct quarry_heap_map *m);
int quarry_heap_map_resize(struct quarry_heap_map *m, u64 size);
int quarry_heap_map_prepare(struct quarry_heap_map *m, u64 first, u64 nr, bool frames, gfp_t gfp);
void quarry_heap_map_trim(struct quarry_heap_map *m);

unsigned long quarry_heap_map_frame(struct quarry_heap_map *m, u64 index);
bool quarry_heap_map_has(struct quarry_heap_map *m, u64 index, enum quarry_heap_has what);
u64 quarry_heap_map_next(struct quarry_heap_map *m, u64 from, u64 end,
			 enum quarry_heap_has what, bool has);

int quarry_heap_map_claim(struct quarry_heap_map *m, u64 index);
void quarry_heap_map_fill(struct quarry_heap_map *m, u64 index, unsigned long frame);
void quarry_heap_map_unclaim(struct quarry_heap_map *m, u64 index);

u64 quarry_heap_map_missing(struct quarry_heap_map *m, u64 first, u64 nr);
int quarry_heap_map_reserve(struct quarry_heap_map *m, u64 first, u64 nr, u64 *aside);
u64 quarry_heap_map_unreserve(struct quarry_heap_map *m, u64 first, u64 nr);
u32 quarry_heap_map_take(struct quarry_heap_map *m, u64 *first, u64 end, unsigned long *frames,
			 u32 most, u32 *promised);
int quarry_heap_map_guard(struct quarry_heap_map *m, u64 first, u64 nr, bool guard);

const char *quarry_heap_map_check(struct quarry_heap_map *m);

#endif /* QUARRY_HEAP_MAP_H */
