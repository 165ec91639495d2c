/* SPDX-License-Identifier: GPL-2.0 */
/* A machine for the page layer in user space, and pools on it. See machine.c. */
#ifndef LISTS_MACHINE_H
#define LISTS_MACHINE_H

#include "../../../../module/pages/pcp.h"

void machine_init(u32 mib);
void machine_cpu(unsigned int cpu);
void machine_nmi(bool inside);
struct quarry_pool *machine_pool(u32 mib, u32 arena_mib, u64 reserve);
void machine_pool_free(struct quarry_pool *pool);
u64 machine_settle(struct quarry_pool *pool);
void machine_rest(bool at_rest);
bool machine_chore(struct quarry_pool *pool);
u64 machine_count(struct quarry_pool *pool, unsigned int which);
u64 machine_misuses(struct quarry_pool *pool);
void machine_calls(struct quarry_pool *pool, unsigned int order, u64 *allocs, u64 *frees);

/* The zone of a pool; there is one node. */
static inline struct quarry_zone *machine_zone(struct quarry_pool *pool)
{
	return pool->zone[0];
}

/* The number of a block in its pool, and the block of a number. */
static inline u64 machine_frame(struct quarry_pool *pool, const struct page *page)
{
	return page_to_pfn(page) - pool->id;
}

static inline struct page *machine_page(struct quarry_pool *pool, u64 frame)
{
	return pfn_to_page(pool->id + frame);
}

#endif
