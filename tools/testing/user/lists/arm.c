// SPDX-License-Identifier: GPL-2.0
/* The page layer, per-CPU lists and all, as one CPU uses it. */
#include <stdio.h>

#include "machine.h"
#include "../bench/arm.h"
#include "../tap.h"

static struct quarry_pool *pool;

static void init(u32 frames)
{
	if (!lists_frames)
		machine_init(frames / 256);
	pool = machine_pool(frames / 256, env_number("ARENA_MIB", 4), 0);
}

static void fini(void)
{
	struct quarry_check c = {};
	u64 violations;

	machine_rest(true);
	violations = quarry_pcp_check_all(pool) + machine_misuses(pool);
	machine_rest(false);
	quarry_buddy_check(&machine_zone(pool)->buddy, &c);
	if (violations || c.violations) {
		fprintf(stderr, "lists: %llu violations; validator: %s\n", violations, c.what);
		abort();
	}
	machine_pool_free(pool);
}

static u64 claim_gfp(unsigned int order, gfp_t gfp)
{
	struct page *page = quarry_alloc_pages(pool, gfp, order);

	return page ? machine_frame(pool, page) : ~0ull;
}

static u64 claim(unsigned int order)
{
	return claim_gfp(order, GFP_NOWAIT | __GFP_NOWARN);
}

static u64 claim_short(unsigned int order)
{
	return claim_gfp(order, GFP_NOWAIT | __GFP_NOWARN | __GFP_MOVABLE);
}

static void release(u64 handle, unsigned int order)
{
	quarry_free_pages(pool, machine_page(pool, handle), order);
}

static u32 claim_bulk(u64 *handles, u32 nr)
{
	struct page *pages[128];
	u32 i;

	nr = quarry_alloc_pages_bulk(pool, GFP_NOWAIT, 0, nr < 128 ? nr : 128, pages);
	for (i = 0; i < nr; i++)
		handles[i] = machine_frame(pool, pages[i]);
	return nr;
}

static void release_bulk(const u64 *handles, u32 nr)
{
	struct page *pages[128];
	u32 i;

	for (i = 0; i < nr; i++)
		pages[i] = machine_page(pool, handles[i]);
	quarry_free_pages_bulk(pool, 0, nr, pages);
}

static u64 frame(u64 handle)
{
	return handle;
}

static void settle(void)
{
	machine_settle(pool);
}

static u64 large(void)
{
	return machine_zone(pool)->buddy.nr_whole;
}

const struct arm arm_lists = {
	.name = "lists",
	.init = init,
	.fini = fini,
	.claim = claim,
	.claim_short = claim_short,
	.release = release,
	.claim_bulk = claim_bulk,
	.release_bulk = release_bulk,
	.frame = frame,
	.settle = settle,
	.large = large,
};
