/* SPDX-License-Identifier: GPL-2.0 */
/* What gfp flags ask of a pool. See gfp.c. */
#ifndef QUARRY_GFP_H
#define QUARRY_GFP_H

#include "pool.h"

/**
 * struct quarry_wish - what a caller wants, and what may be done for it
 * @gfp:	the flags as given
 * @grow:	flags to ask the kernel for an arena with
 * @meta:	flags to allocate with what describes memory
 * @keep:	frames that must stay free: the part of the reserve that is not for it
 * @life:	which blocks it is likely to go with (buddy.h)
 * @node:	preferred node, or NUMA_NO_NODE for this CPU's
 * @strict:	of @node or nothing
 * @nowhere:	@strict, and the pool has no memory there: nothing can come of it
 * @may_sleep:	may sleep, and so grow the pool and empty what others hold
 * @light:	does not ask other CPUs for what they hold
 * @nofail:	waits for ever; only with @may_sleep
 */
struct quarry_wish {
	gfp_t gfp;
	gfp_t grow;
	gfp_t meta;
	u64 keep;
	enum quarry_life life;
	int node;
	bool strict;
	bool nowhere;
	bool may_sleep;
	bool light;
	bool nofail;
};

bool quarry_wish_parse(struct quarry_pool *pool, gfp_t gfp, int node, u64 nr,
		       struct quarry_wish *w);
void quarry_wish_own(struct quarry_pool *pool, int node, struct quarry_wish *w);
u64 quarry_gfp_frames(struct quarry_pool *pool, gfp_t gfp);
gfp_t quarry_gfp_meta(gfp_t gfp);
unsigned int quarry_gfp_scope(gfp_t gfp);
void quarry_gfp_unscope(gfp_t gfp, unsigned int flags);

#endif /* QUARRY_GFP_H */
