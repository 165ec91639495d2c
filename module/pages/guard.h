/* SPDX-License-Identifier: GPL-2.0 */
/* What a pool with modes does to a block on its way. See guard.c. */
#ifndef QUARRY_GUARD_H
#define QUARRY_GUARD_H

#include "../base/stacks.h"
#include "pool.h"

#define QUARRY_PAGE_FILLED	1	/* it was filled when it was freed, and is free */

#define QUARRY_PAGE_ALLOC	0	/* index of @pid, @stack, @when */
#define QUARRY_PAGE_FREE	1

/**
 * struct quarry_page_record - what is known of a frame, while its pool has modes
 * @stack:	of the last allocation, in the first frame of a block; and of the last free
 * @pid:	the same
 * @flags:	QUARRY_PAGE_*; of whoever has the block
 * @when:	as @stack, in jiffies
 */
struct quarry_page_record {
	depot_stack_handle_t stack[2];
	u32 pid[2];
	u32 flags;
	unsigned long when[2];
};

/**
 * struct quarry_page_table - the records of an arena
 * @rcu:	to let those go who look at it
 * @record:	by number of the frame in the arena
 */
struct quarry_page_table {
	struct rcu_head rcu;
	struct quarry_page_record record[];
};

/* Number of a frame in its arena. */
static inline u32 quarry_page_arena_number(const struct quarry_page_arena *c, struct quarry_frame f)
{
	return f.i - c->arena.lo;
}

/* guard.c */
void quarry_guard_pages_out(struct quarry_pool *pool, struct page *page, unsigned long nr,
			    gfp_t gfp);
bool quarry_guard_pages_in(struct quarry_pool *pool, struct quarry_page_arena *c,
			   struct quarry_frame f, unsigned long nr, unsigned long keep);

/*
 * Blocks on their way to a client, who may use them from here on; costs a look if the pool has
 * no modes.
 */
static inline void quarry_pages_out(struct quarry_pool *pool, struct page *page,
				    unsigned long nr, gfp_t gfp)
{
	quarry_shadow_pages_open(page, nr);
	if (unlikely(READ_ONCE(pool->modes)))
		quarry_guard_pages_out(pool, page, nr, gfp);
}

/* modes.c */
bool quarry_page_arena_fit_table(struct quarry_pool *pool, struct quarry_page_arena *c);

/* owners.c */
int quarry_pool_traces(struct quarry_pool *pool, struct quarry_trace *traces,
		       unsigned int room, unsigned int *nr, u64 *untraced);

#endif /* QUARRY_GUARD_H */
