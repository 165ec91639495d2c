/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of malloc share. See malloc.c. */
#ifndef QUARRY_MALLOC_H
#define QUARRY_MALLOC_H

#include <linux/quarry_cache.h>

int quarry_malloc_init(void);

/* large.c: blocks and runs of pages */
void *quarry_large_alloc(size_t size, gfp_t gfp, int node);
bool quarry_large_free(const void *object);
size_t quarry_large_size(const void *object);
size_t quarry_large_roundup(size_t size);

/* kv.c: mapped pages */
void quarry_kv_settle(void);
void quarry_kv_exit(void);

#endif /* QUARRY_MALLOC_H */
