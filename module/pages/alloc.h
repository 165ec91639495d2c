/* SPDX-License-Identifier: GPL-2.0 */
/* What alloc.c shares with the other ways to get pages. */
#ifndef QUARRY_ALLOC_H
#define QUARRY_ALLOC_H

#include "pcp.h"

/*
 * Flags that ask for more than the fast path does. __GFP_HIGHMEM and
 * __GFP_MOVABLE only allow what we do not do, so they cost nothing.
 */
#define QUARRY_GFP_SLOW	(__GFP_ZERO | __GFP_THISNODE | __GFP_COMP | \
			 __GFP_ACCOUNT | __GFP_DMA | __GFP_DMA32)

bool quarry_gfp_ok(struct quarry_pool *pool, gfp_t gfp, unsigned int order);
void quarry_prepare(struct quarry_pool *pool, struct page *page, unsigned int nr,
		    gfp_t gfp, bool zero);
void quarry_refuse(struct quarry_pool *pool, gfp_t gfp, unsigned int order,
		   bool kernel_refused);
struct quarry_zone *quarry_home_zone(struct quarry_pool *pool, int node);
bool quarry_wait_for_free(struct quarry_pool *pool);
void quarry_wake_waiters(struct quarry_pool *pool);
struct page *quarry_alloc_slow(struct quarry_pool *pool, int node, gfp_t gfp,
			       unsigned int order);
bool quarry_block_mark(struct quarry_pool *pool, struct page *page,
		       unsigned int order, u8 from, u8 to);
void quarry_free_slow(struct quarry_pool *pool, struct page *page, unsigned int order);

#endif /* QUARRY_ALLOC_H */
