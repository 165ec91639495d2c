/* SPDX-License-Identifier: GPL-2.0 */
/* Where the bytes of a pool are. See accounting.c. */
#ifndef QUARRY_ACCOUNTING_H
#define QUARRY_ACCOUNTING_H

#include "../pages/pool.h"

/**
 * struct quarry_accounting - a pool's bytes, each of them once
 * @taken_bytes:	from the kernel: @managed_bytes and @metadata_bytes
 * @managed_bytes:	pages in arenas
 * @metadata_bytes:	what is not pages of the pool: descriptions of arenas and slabs,
 *			magazines, and the per-CPU parts of pool and caches
 * @object_bytes:	objects with clients, of all caches in the pool
 * @magazine_bytes:	objects in magazines, depots and quarantine
 * @partial_bytes:	objects in slabs
 * @waste_bytes:	of slabs, what no object covers
 * @pages_bytes:	pages with clients, large blocks of malloc among them
 * @pcp_bytes:	pages on per-CPU lists
 * @free_bytes:		pages free in the buddy
 * @retired_bytes:	pages out of service
 * @unaccounted_bytes:	@taken_bytes less all of the above from @metadata_bytes on: 0 at
 *			rest
 */
struct quarry_accounting {
	u64 taken_bytes;
	u64 managed_bytes;
	u64 metadata_bytes;
	u64 object_bytes;
	u64 magazine_bytes;
	u64 partial_bytes;
	u64 waste_bytes;
	u64 pages_bytes;
	u64 pcp_bytes;
	u64 free_bytes;
	u64 retired_bytes;
	s64 unaccounted_bytes;
};

int quarry_pool_accounting(struct quarry_pool *pool, struct quarry_accounting *acc);

#endif /* QUARRY_ACCOUNTING_H */
