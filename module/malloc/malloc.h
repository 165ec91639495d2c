/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of malloc share. See malloc.c. */
#ifndef QUARRY_MALLOC_H
#define QUARRY_MALLOC_H

#include <linux/quarry_malloc.h>

int quarry_malloc_init(void);
size_t quarry_malloc_bytes(const void *object);

#ifdef CONFIG_KASAN_GENERIC
void quarry_malloc_resized(const void *object, size_t size, size_t whole);
#else
static inline void quarry_malloc_resized(const void *object, size_t size, size_t whole) { }
#endif

/* kv.c: mapped pages */
void quarry_kv_settle(void);
void quarry_kv_exit(void);

#endif /* QUARRY_MALLOC_H */
