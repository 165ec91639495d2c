// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection for the clients of a pool.
 *
 * The fast path knows nothing of it. While a pool is armed, its lists are blocked (fastpath.c), so
 * that every call comes by the slow functions, past the lists; those look.
 *
 * Contexts: sleeps.
 */
#include "pcp.h"

/**
 * quarry_pool_inject() - let allocations from a pool fail
 * @pool:	the pool
 * @nth:	the n-th from now, once; 0: none, ~0: as it was
 * @per_million: so many of a million, at random; ~0: as it was
 *
 * Allocations with __GFP_NOFAIL, and those in NMI, do not fail. Slabs of caches are
 * allocations as any. Context: sleeps. Return: 0 or -EINVAL.
 */
int quarry_pool_inject(struct quarry_pool *pool, u64 nth, u32 per_million)
{
	int err = quarry_injection_set(&pool->injection, nth, per_million);

	if (!err)
		quarry_pool_block_fastpath(pool);
	return err;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_inject, QUARRY_NS);
