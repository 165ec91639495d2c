/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What KASAN is told of memory. Private; theory in module/base/shadow.c.
 *
 * On kernels without CONFIG_KASAN_GENERIC each of these is nothing at all.
 */
#ifndef _LINUX_QUARRY_SHADOW_H
#define _LINUX_QUARRY_SHADOW_H

#include <linux/types.h>

struct page;

#ifdef CONFIG_KASAN_GENERIC

void quarry_shadow_pages_open(const struct page *page, unsigned long nr);
void quarry_shadow_pages_free(const struct page *page, unsigned long nr);
void quarry_shadow_open(const void *at, size_t size);
void quarry_shadow_free(const void *at, size_t size);
void quarry_shadow_redzone(const void *at, size_t size);
void quarry_shadow_narrow(const void *at, size_t size, size_t whole);
void quarry_shadow_resize(const void *at, size_t size, size_t whole);

#else

static inline void quarry_shadow_pages_open(const struct page *page, unsigned long nr) { }
static inline void quarry_shadow_pages_free(const struct page *page, unsigned long nr) { }
static inline void quarry_shadow_open(const void *at, size_t size) { }
static inline void quarry_shadow_free(const void *at, size_t size) { }
static inline void quarry_shadow_redzone(const void *at, size_t size) { }
static inline void quarry_shadow_narrow(const void *at, size_t size, size_t whole) { }
static inline void quarry_shadow_resize(const void *at, size_t size, size_t whole) { }

#endif

#endif /* _LINUX_QUARRY_SHADOW_H */
