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
 *		fb	no: an object that is free
 *		fc	no: a redzone, or an object that has never been out
 *
 *	The values are those of mm/kasan/kasan.h, which modules cannot include. By them KASAN
 *	says "use-after-free" or "slab-out-of-bounds". It looks for the object in a slab of the
 *	kernel's only if the page is one, and ours is not: so a report tells the page.
 *
 *	kernel --0--> pool --0--> slab: fc --out--> object: 0, rest of the stride: fc
 *	                 ^          |                 |   ^
 *	                 `----0-----'                 in  out
 *	                                              v   |
 *	                                             object: fb
 *
 *	Whoever takes an object opens it, when nobody else can have it any more; whoever gives
 *	it back closes it, while nobody else can have it yet. Objects of a cache of type
 *	SLAB_TYPESAFE_BY_RCU may be read while they are free: their slabs are left alone.
 *
 * The kernel does not export what it writes its shadow with, in all versions; writing it is
 * one memset() of the uninstrumented kind.
 *
 * Contexts: any, NMI included. Only memory of the linear map, which has shadow of its own.
 * What is started at is aligned to a granule.
 */
#include <linux/bits.h>
#include <linux/export.h>
#include <linux/kasan.h>
#include <linux/quarry_shadow.h>
#include <linux/string.h>

#include "../compat.h"

#ifdef CONFIG_KASAN_GENERIC

#define GRANULE		BIT(KASAN_SHADOW_SCALE_SHIFT)

#define SLAB_FREE	0xfb
#define SLAB_REDZONE	0xfc

static void fill(const void *at, size_t size, u8 value)
{
	__memset(kasan_mem_to_shadow(at), value, DIV_ROUND_UP(size, GRANULE));
}

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

	fill(at, round_down(size, GRANULE), 0);
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
	fill(at, size, SLAB_FREE);
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
	fill(at, size, SLAB_REDZONE);
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

	quarry_shadow_open(at, size);
	if (whole > open)
		quarry_shadow_redzone(at + open, whole - open);
}
EXPORT_SYMBOL_NS_GPL(quarry_shadow_narrow, QUARRY_NS);

/**
 * quarry_shadow_widen() - all of an object may be used, if any of it may be
 * @at:		where it begins
 * @whole:	bytes it has
 *
 * One that is in a magazine looks to its slab as if it were out. Context: any.
 */
void quarry_shadow_widen(const void *at, size_t whole)
{
	if (*(s8 *)kasan_mem_to_shadow(at) >= 0)
		quarry_shadow_open(at, whole);
}

#endif
