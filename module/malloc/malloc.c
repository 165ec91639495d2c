// SPDX-License-Identifier: GPL-2.0
/*
 * malloc: memory by size, and back by address alone.
 *
 * Most code wants memory of some size, and gives it back without saying which. A cache for
 * each size would be exact and hold thousands of half-empty slabs; a few classes waste part of
 * each object. Four to a doubling waste about a tenth.
 *
 * Model
 *	up to 32 KiB	a cache for each size class, four classes to a doubling:
 *
 *			8 16 24 32 40 48 56 64 | 80 96 112 128 | 160 192 224 256 | ...
 *
 *			so above 32 bytes at most a fifth of an object is not asked for.
 *			Each is aligned to the largest power of two that divides it, as
 *			kmalloc's have been since 6.11; a size that is served from a class
 *			above it has no larger one.
 *	up to 4 MiB	pages of the default pool: a block, or a run where a block would
 *			waste more than a fifth (cache/large.c)
 *	beyond		quarry_kvmalloc() alone: pages that are mapped together (kv.c)
 *
 *	A free finds the class by the address alone (cache/free.c). With a
 *	constant size the class is a constant too, and the fast path of its cache is
 *	compiled into the client.
 *
 * A pointer that is not ours is refused, and counted with the default pool's errors: as
 * foreign, or as what the page layer knows of it if it is in a pool: freed already, the inside
 * of a block, or the start of one that was taken as pages (pages/misuse.c).
 *
 * Contexts: as include/linux/quarry_malloc.h says for each call.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "../arena/directory.h"
#include "../cache/cache.h"
#include "malloc.h"

struct quarry_cache *quarry_classes[QUARRY_CLASSES];
EXPORT_SYMBOL_NS_GPL(quarry_classes, QUARRY_NS);

/* Make the caches of all classes. Context: module load. Return: 0 or an error. */
int __init quarry_malloc_init(void)
{
	char name[QUARRY_NAME_MAX];
	struct quarry_cache *cache;
	unsigned int i, size;

	for (i = 0; i < QUARRY_CLASSES; i++) {
		size = quarry_class_size(i);
		snprintf(name, sizeof(name), "malloc-%u", size);
		cache = quarry_cache_make(quarry_pool_default(), name, size,
					  size & -size, 0, 0, 0, NULL,
					  QUARRY_CACHE_CLASS);
		if (IS_ERR(cache))
			return PTR_ERR(cache);
		quarry_classes[i] = cache;
	}
	return 0;
}

/* quarry_malloc() where the size is not constant. */
void *__quarry_malloc(size_t size, gfp_t gfp)
{
	if (likely(size - 1 < QUARRY_CLASS_MAX))
		return quarry_class_alloc(size, gfp);
	return size ? quarry_large_alloc(size, gfp, NUMA_NO_NODE) : ZERO_SIZE_PTR;
}
EXPORT_SYMBOL_NS_GPL(__quarry_malloc, QUARRY_NS);

/**
 * quarry_malloc_node() - allocate memory of a node
 * @size:	bytes
 * @gfp:	as for kmalloc()
 * @node:	preferred node, or NUMA_NO_NODE; with __GFP_THISNODE the only one
 *
 * Context: as quarry_malloc(). Return: as quarry_malloc().
 */
void *quarry_malloc_node(size_t size, gfp_t gfp, int node)
{
	void *object;

	if (!size)
		return ZERO_SIZE_PTR;
	if (size > QUARRY_CLASS_MAX)
		return quarry_large_alloc(size, gfp, node);
	object = quarry_cache_alloc_node(quarry_classes[quarry_class(size)], gfp, node);
	if (object)
		quarry_shadow_narrow(object, size, quarry_class_size(quarry_class(size)));
	return object;
}
EXPORT_SYMBOL_NS_GPL(quarry_malloc_node, QUARRY_NS);

/* The size of an object that is out, 0 of anything else. Preemption off. */
static size_t object_size(const void *object)
{
	struct quarry_page_slab *s = quarry_page_slab_of(object);
	u32 i;

	if (!s || quarry_slab_look(&s->slab, object, &i) ||
	    (s->records && !test_bit(QUARRY_RECORD_OUT, &s->records[i].flags)))
		return 0;
	return s->node->cache->shape[0].size;
}

/* Bytes of what is out, of a cache or large; 0 of anything else. KASAN is told nothing. */
size_t quarry_malloc_bytes(const void *object)
{
	size_t size;

	if (ZERO_OR_NULL_PTR(object))
		return 0;
	preempt_disable();
	size = object_size(object) ?: quarry_large_size(object);
	preempt_enable();
	return size;
}

#ifdef CONFIG_KASAN_GENERIC
/*
 * KASAN is told how much of an object that has @whole bytes may be used from here on; nothing if
 * that is 0.
 */
void quarry_malloc_resized(const void *object, size_t size, size_t whole)
{
	struct quarry_page_slab *s;

	if (!whole)
		return;
	preempt_disable();
	s = quarry_page_slab_of(object);
	/* Some objects may be looked at as long as their slab stays. */
	if (!s || quarry_cache_shadowed(s->node->cache))
		quarry_shadow_resize(object, size, whole);
	preempt_enable();
}
#endif

/**
 * quarry_usable_size() - bytes that may be used
 * @object:	of quarry_malloc() or a cache, or NULL
 *
 * Context: any. Return: at least what was asked for; 0 for NULL, ZERO_SIZE_PTR, the
 * inside of an object and what is not ours. Who asks may use all of it: KASAN, which knew only of
 * what was asked for, is told so.
 */
size_t quarry_usable_size(const void *object)
{
	size_t size = quarry_malloc_bytes(object);

	quarry_malloc_resized(object, size, size);
	return size;
}
EXPORT_SYMBOL_NS_GPL(quarry_usable_size, QUARRY_NS);

/**
 * quarry_size_roundup() - what quarry_usable_size() of an allocation would say
 * @size:	bytes
 *
 * Context: any. Return: bytes; 0 for 0, @size for what no block holds.
 */
size_t quarry_size_roundup(size_t size)
{
	if (!size || size > QUARRY_CACHE_SIZE_MAX)
		return size;
	return size <= QUARRY_CLASS_MAX ? quarry_class_size(quarry_class(size)) :
					  quarry_large_roundup(size);
}
EXPORT_SYMBOL_NS_GPL(quarry_size_roundup, QUARRY_NS);

/**
 * quarry_realloc() - change the size of an allocation
 * @object:	of quarry_malloc(), or NULL for a new one
 * @size:	bytes; 0 frees
 * @gfp:	as for kmalloc(); with __GFP_ZERO a new part is zeros only if the
 *		allocation moves
 *
 * As krealloc(): what fits stays where it is. Context: as @gfp says; not NMI.
 *
 * Return: the memory, with the old content as far as it goes; ZERO_SIZE_PTR for a @size
 * of 0; NULL if there is no memory: @object is as it was.
 */
void *quarry_realloc(const void *object, size_t size, gfp_t gfp)
{
	size_t old;
	void *new;

	if (!size) {
		quarry_free(object);
		return ZERO_SIZE_PTR;
	}
	old = quarry_malloc_bytes(object);
	if (!old && !ZERO_OR_NULL_PTR(object)) {
		/* Not ours: as a free of it. */
		quarry_free(object);
		return NULL;
	}
	if (old >= size) {
		quarry_malloc_resized(object, size, old);
		return (void *)object;
	}
	new = __quarry_malloc(size, gfp);
	if (new && old) {
		quarry_malloc_resized(object, old, old);
		memcpy(new, object, old);
		quarry_free(object);
	}
	return new;
}
EXPORT_SYMBOL_NS_GPL(quarry_realloc, QUARRY_NS);

/**
 * quarry_free_sensitive() - wipe memory and free it
 * @object:	as for quarry_free()
 *
 * Context: any but NMI.
 */
void quarry_free_sensitive(const void *object)
{
	size_t size = quarry_usable_size(object);

	if (size)
		memzero_explicit((void *)object, size);
	quarry_free(object);
}
EXPORT_SYMBOL_NS_GPL(quarry_free_sensitive, QUARRY_NS);
