// SPDX-License-Identifier: GPL-2.0
/*
 * Accounting: every byte that a pool has taken from the kernel, in one place each.
 *
 *	taken = managed + metadata
 *	managed = objects + magazines + partial slabs + waste	(the slabs)
 *		+ pages with clients + on per-CPU lists + free + retired
 *
 * The two sides are counted apart: managed is the length of the arenas; pages out are
 * what was handed out less what came back; slabs are what the caches count under their
 * nodes' locks. So a page that got lost on the way between them shows as unaccounted.
 * While clients work the parts are read one after the other, and the line is off by
 * what moved in between; at rest it is exact.
 *
 * Contexts: sleeps. Cost: a look at every CPU, zone and node of the pool and its caches.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "../cache/cache.h"
#include "accounting.h"

static void add_cache(struct quarry_cache *cache, struct quarry_cache_stats *st,
		      struct quarry_accounting *acc, u64 *slabs)
{
	quarry_cache_snapshot(cache, st);
	*slabs += st->slab_bytes;
	acc->object_bytes += st->object_bytes;
	acc->magazine_bytes += st->magazine_bytes;
	acc->partial_bytes += st->partial_bytes;
	acc->waste_bytes += st->waste_bytes;
	acc->metadata_bytes += st->metadata_bytes + st->percpu_bytes;
}

static int add_caches(struct quarry_pool *pool, struct quarry_accounting *acc, u64 *slabs)
{
	struct quarry_cache_stats *st = kzalloc(sizeof(*st), GFP_KERNEL);
	struct quarry_cache *cache = NULL;

	if (!st)
		return -ENOMEM;
	while ((cache = quarry_cache_look_next(cache)))
		if (cache->pool == pool)
			add_cache(cache, st, acc, slabs);
	kfree(st);
	return 0;
}

static int add_pool(struct quarry_pool *pool, struct quarry_accounting *acc, u64 *out)
{
	struct quarry_pool_stats *st = kzalloc(sizeof(*st), GFP_KERNEL);

	if (!st)
		return -ENOMEM;
	quarry_pool_snapshot(pool, st);
	acc->managed_bytes = st->managed_bytes;
	acc->pcp_bytes = st->pcp_bytes;
	acc->free_bytes = st->free_bytes;
	acc->retired_bytes = st->retired_bytes;
	acc->metadata_bytes += st->metadata_bytes + st->percpu_bytes;
	*out = (st->alloc_frames - st->free_frames) << PAGE_SHIFT;
	kfree(st);
	return 0;
}

/**
 * quarry_pool_accounting() - where the bytes of a pool are
 * @pool:	the pool
 * @acc:	filled
 *
 * Context: sleeps.
 *
 * Return: 0 or -ENOMEM.
 */
int quarry_pool_accounting(struct quarry_pool *pool, struct quarry_accounting *acc)
{
	u64 slabs = 0, out = 0;
	int err;

	memset(acc, 0, sizeof(*acc));
	err = add_caches(pool, acc, &slabs);
	if (!err)
		err = add_pool(pool, acc, &out);
	if (err)
		return err;
	/* A slab that came since the caches were read counts as pages. */
	acc->pages_bytes = out > slabs ? out - slabs : 0;
	acc->taken_bytes = acc->managed_bytes + acc->metadata_bytes;
	acc->unaccounted_bytes = acc->taken_bytes - acc->object_bytes - acc->magazine_bytes -
				 acc->partial_bytes - acc->waste_bytes - acc->pages_bytes -
				 acc->pcp_bytes - acc->free_bytes -
				 acc->retired_bytes - acc->metadata_bytes;
	return 0;
}
