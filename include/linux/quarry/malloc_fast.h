/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The class of a size, compiled into the modules that use quarry: with a constant size it is a
 * constant, and malloc no more than the fast path of the class's cache (cache_fast.h).
 *
 * Private, as pages_fast.h. Theory: module/malloc/malloc.c.
 */
#ifndef _LINUX_QUARRY_MALLOC_FAST_H
#define _LINUX_QUARRY_MALLOC_FAST_H

#include <linux/quarry_cache.h>

/* Sizes that malloc serves from caches: four classes to a doubling. */
#define QUARRY_CLASS_MAX	32768U
#define QUARRY_CLASSES		44U

extern struct quarry_cache *quarry_classes[QUARRY_CLASSES];

/*
 * What malloc's objects are multiples of, and aligned to, at least. Where devices do not see
 * the CPU's caches none may share a line with another: the kernel asks ARCH_DMA_MINALIGN
 * bytes for it, or copies each small buffer, by how large kmalloc would have made it. That is
 * not how large we do, so it must never come to it.
 */
#ifdef ARCH_DMA_MINALIGN
#define QUARRY_MALLOC_MINALIGN	(ARCH_DMA_MINALIGN > ARCH_KMALLOC_MINALIGN ? \
				 ARCH_DMA_MINALIGN : ARCH_KMALLOC_MINALIGN)
#else
#define QUARRY_MALLOC_MINALIGN	ARCH_KMALLOC_MINALIGN
#endif

/* A size that is a multiple of @align, a power of two. Up to 8 the classes see to it. */
static __always_inline size_t quarry_class_fit(size_t size, size_t align)
{
	return align > 8 ? ALIGN(size, align) : size;
}

/*
 * The class of a size, 1 to QUARRY_CLASS_MAX: 8, 16, 24 ... 64, then 80, 96, 112,
 * 128, 160 ... A constant for a constant size.
 */
static __always_inline unsigned int quarry_class(size_t size)
{
	unsigned int shift;

	size = quarry_class_fit(size, QUARRY_MALLOC_MINALIGN);
	if (size <= 64)
		return size ? (size - 1) >> 3 : 0;
	shift = ilog2(size - 1) - 2;
	return 8 + 4 * (shift - 4) + (((size - 1) >> shift) - 4);
}

/* Bytes of a class. */
static __always_inline size_t quarry_class_size(unsigned int class)
{
	if (class < 8)
		return (class + 1) * 8;
	return (size_t)(5 + (class - 8) % 4) << (4 + (class - 8) / 4);
}

/* An object of the class of @size, which is 1 to QUARRY_CLASS_MAX. */
static __always_inline void *quarry_class_alloc(size_t size, gfp_t gfp)
{
	void *object = quarry_cache_alloc(quarry_classes[quarry_class(size)], gfp);

#ifdef CONFIG_KASAN_GENERIC
	if (object)
		quarry_shadow_narrow(object, size, quarry_class_size(quarry_class(size)));
#endif
	return object;
}

#endif /* _LINUX_QUARRY_MALLOC_FAST_H */
