/* SPDX-License-Identifier: GPL-2.0 */
/* What alloc.c shares with the other ways to get pages. */
#ifndef QUARRY_ALLOC_H
#define QUARRY_ALLOC_H

#include "gfp.h"
#include "pcp.h"
#include "wait.h"

bool quarry_pool_fails(struct quarry_pool *pool, gfp_t gfp);
void quarry_prepare(struct quarry_pool *pool, struct page *page, unsigned int nr,
		    gfp_t gfp, bool zero);
void quarry_refuse(struct quarry_pool *pool, const struct quarry_wish *w,
		   unsigned int order, bool grown);
struct page *quarry_wish_take(struct quarry_pool *pool, unsigned int order,
			      const struct quarry_wish *w);
struct page *quarry_alloc_once(struct quarry_pool *pool, gfp_t gfp, unsigned int order,
			       int node);
struct page *quarry_alloc_slab(struct quarry_pool *pool, gfp_t gfp, unsigned int order,
			       int node);
bool quarry_wait_for_slab(struct quarry_pool *pool, gfp_t gfp, unsigned int order, int node,
			  int *looked);
struct quarry_zone *quarry_local_zone(struct quarry_pool *pool, int node);
void quarry_block_release(struct quarry_pool *pool, struct page *page);
bool quarry_block_change(struct quarry_pool *pool, struct page *page,
			 unsigned int order, u8 from, u8 to);

/* range.c */
bool quarry_range_could_hold(struct quarry_pool *pool, const struct quarry_wish *w, u64 nr,
			     int *looked);

#endif /* QUARRY_ALLOC_H */
