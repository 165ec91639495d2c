// SPDX-License-Identifier: GPL-2.0
/*
 * KASAN's shadow of quarry's memory, so that a use after free is reported where it happens.
 *
 * Model
 *	Generic KASAN has a byte of shadow for each granule of 8 bytes, and looks at it before
 *	each access that the compiler has instrumented:
 *
 *		00	all 8 bytes may be used
 *		01..07	so many of them, from the first on
 *		f8	no: mapped memory that was not asked for
 *		fb	no: an object that is free
 *		fc	no: a redzone, or an object that has never been out
 *		ff	no: a page that is free
 *
 *	The values are those of mm/kasan/kasan.h, which modules cannot include. By them KASAN
 *	says "use-after-free", "slab-out-of-bounds" or "vmalloc-out-of-bounds". It looks for the
 *	object in a slab of the kernel's only if the page is one, and ours is not: so a report
 *	tells the page.
 *
 *	kernel --ff--> pool --0--> page, block, run: 0 --.
 *	   ^           | ^ ^            |                |
 *	   `-----0-----' | `-----ff-----'                | slab: fc --out--> object: 0,
 *	                 |                               |       |      rest of the stride: fc
 *	                 `---------------ff--------------'      in --> object: fb
 *
 *	Whoever takes a page or an object opens it, when nobody else can have it any more;
 *	whoever gives it back closes it, while nobody else can have it yet. Pages are closed
 *	wherever they are free: on the list of a CPU, in a mempool's stock and in the buddy.
 *	They are opened before they go to the kernel, or to whoever has lent them. Objects of a
 *	cache of type SLAB_TYPESAFE_BY_RCU may be read while they are free: their slabs are left
 *	alone.
 *
 *	Large blocks of malloc and mapped memory are open as far as they were asked for. What is
 *	mapped is told of by the address that the client has; its pages are open by their own.
 *
 * The kernel does not export what it writes its shadow with, in all versions; writing it is
 * one memset() of the uninstrumented kind.
 *
 * Memory that is not in the linear map may share a shadow that must not be written: that of
 * reserved pages, a device's among them, is left alone, and where the kernel does not watch
 * mapped memory (CONFIG_KASAN_VMALLOC) that of such is.
 *
 * Contexts: any, NMI included. What is started at is aligned to a granule.
 * Cost: 512 bytes a page. Of a run that is freed they are written under its zone's lock: until then
 * nobody knows that it is one.
 */
#include <linux/bits.h>
#include <linux/export.h>
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/quarry/shadow.h>
#include <linux/string.h>

#include "../compat.h"

#ifdef CONFIG_KASAN_GENERIC

#define GRANULE		BIT(KASAN_SHADOW_SCALE_SHIFT)

#define MAPPED_REDZONE	0xf8
#define SLAB_FREE	0xfb
#define SLAB_REDZONE	0xfc
#define PAGE_FREE	0xff

static bool is_watched(const void *at)
{
	return IS_ENABLED(CONFIG_KASAN_VMALLOC) || !is_vmalloc_addr(at);
}

static void shadow_fill(const void *at, size_t size, u8 value)
{
	__memset(kasan_mem_to_shadow(at), value, DIV_ROUND_UP(size, GRANULE));
}

static void fill_pages(const struct page *page, unsigned long nr, u8 value)
{
	const struct page *end = page + nr;

	for (; page < end; page++)
		if (!(quarry_page_flags(page) & BIT(PG_reserved)))
			shadow_fill(page_address(page), PAGE_SIZE, value);
}

/**
 * quarry_shadow_pages_open() - pages may be used
 * @page:	the first
 * @nr:		how many
 *
 * Context: any.
 */
void quarry_shadow_pages_open(const struct page *page, unsigned long nr)
{
	fill_pages(page, nr, 0);
}
EXPORT_SYMBOL_NS_GPL(quarry_shadow_pages_open, QUARRY_NS);

/**
 * quarry_shadow_pages_free() - pages are free
 * @page:	the first
 * @nr:		how many
 *
 * Context: any.
 */
void quarry_shadow_pages_free(const struct page *page, unsigned long nr)
{
	fill_pages(page, nr, PAGE_FREE);
}
EXPORT_SYMBOL_NS_GPL(quarry_shadow_pages_free, QUARRY_NS);

/**
 * quarry_shadow_open() - memory may be used
 * @at:		where it begins
 * @size:	bytes; exactly these
 *
 * Context: any.
 */
void quarry_shadow_open(const void *at, size_t size)
{
	u8 *shadow = kasan_mem_to_shadow(at);

	shadow_fill(at, round_down(size, GRANULE), 0);
	if (size % GRANULE)
		shadow[size / GRANULE] = size % GRANULE;
}
EXPORT_SYMBOL_NS_GPL(quarry_shadow_open, QUARRY_NS);

/**
 * quarry_shadow_free() - an object is free
 * @at:		where it begins
 * @size:	its bytes
 *
 * Context: any.
 */
void quarry_shadow_free(const void *at, size_t size)
{
	shadow_fill(at, size, SLAB_FREE);
}
EXPORT_SYMBOL_NS_GPL(quarry_shadow_free, QUARRY_NS);

/**
 * quarry_shadow_redzone() - memory is no part of any object that is out
 * @at:		where it begins
 * @size:	bytes
 *
 * Context: any.
 */
void quarry_shadow_redzone(const void *at, size_t size)
{
	shadow_fill(at, size, is_vmalloc_addr(at) ? MAPPED_REDZONE : SLAB_REDZONE);
}

/**
 * quarry_shadow_narrow() - less than all of an object may be used
 * @at:		where it begins
 * @size:	bytes that were asked for
 * @whole:	bytes it has
 *
 * Context: any.
 */
void quarry_shadow_narrow(const void *at, size_t size, size_t whole)
{
	size_t open = round_up(size, GRANULE);

	if (!is_watched(at))
		return;
	quarry_shadow_open(at, size);
	if (whole > open)
		quarry_shadow_redzone(at + open, whole - open);
}
EXPORT_SYMBOL_NS_GPL(quarry_shadow_narrow, QUARRY_NS);

/**
 * quarry_shadow_resize() - another part of an object may be used, if any of it may be
 * @at:		where it begins
 * @size:	bytes that may be from here on
 * @whole:	bytes it has
 *
 * One that is in a magazine looks to its slab as if it were out. Context: any.
 */
void quarry_shadow_resize(const void *at, size_t size, size_t whole)
{
	if (is_watched(at) && *(s8 *)kasan_mem_to_shadow(at) >= 0)
		quarry_shadow_narrow(at, size, whole);
}

#endif
