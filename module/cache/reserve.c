// SPDX-License-Identifier: GPL-2.0
/*
 * Prefilled magazines, for callers that must not fail.
 *
 * Where an error cannot be handled any more (in the middle of a transaction, under a
 * lock that forbids sleeping), objects are taken out beforehand: a magazine of them,
 * which belongs to the caller alone. What was not used goes back with it.
 *
 *	mag = quarry_cache_reserve(cache, GFP_KERNEL, 8);
 *	if (!mag)
 *		return -ENOMEM;
 *	spin_lock(...);
 *	obj = quarry_cache_alloc_reserved(cache, GFP_NOWAIT, mag);	up to 8 times
 *	spin_unlock(...);
 *	quarry_cache_release(cache, mag);
 *
 * Contexts: taking from a magazine, any; one caller at a time.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include "../debug/inject.h"
#include "cache.h"

/**
 * quarry_cache_reserve() - take a magazine of objects
 * @cache:	the cache
 * @gfp:	as for kmem_cache_alloc()
 * @nr:		objects, at least 1
 *
 * It is the caller's own, and not of the budget of magazines. Context: any but NMI;
 * sleeps only if @gfp allows it.
 *
 * Return: the magazine with @nr objects; NULL if there is no memory or @nr is 0.
 */
struct quarry_magazine *quarry_cache_reserve(struct quarry_cache *cache, gfp_t gfp,
					     unsigned int nr)
{
	struct quarry_magazine *mag;

	if (!nr)
		return NULL;
	mag = quarry_inject() ? NULL :
	      kvmalloc(struct_size(mag, slot, nr), gfp & ~(__GFP_ZERO | __GFP_ACCOUNT));
	if (!mag)
		return NULL;
	quarry_magazine_init(mag, nr);
	if (!quarry_cache_alloc_bulk(cache, gfp, nr, mag->slot)) {
		kvfree(mag);
		return NULL;
	}
	mag->n = nr;
	return mag;
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_reserve, QUARRY_NS);

/**
 * quarry_cache_alloc_reserved() - an object that is there
 * @cache:	the cache
 * @gfp:	__GFP_ZERO, or whatever: nothing is allocated
 * @magazine:	of quarry_cache_reserve()
 *
 * Context: any. Return: an object; NULL when all of them have been taken.
 */
void *quarry_cache_alloc_reserved(struct quarry_cache *cache, gfp_t gfp,
				  struct quarry_magazine *magazine)
{
	void *object;

	if (!magazine->n)
		return NULL;
	object = magazine->slot[--magazine->n];
	if (gfp & __GFP_ZERO && !cache->ctor)
		memset(object, 0, cache->shape[0].size);
	return object;
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_alloc_reserved, QUARRY_NS);

/**
 * quarry_cache_release() - give a magazine back with what is left in it
 * @cache:	the cache
 * @magazine:	of quarry_cache_reserve(), or NULL
 *
 * Context: any but NMI; in atomic context only if @nr was at most 500.
 */
void quarry_cache_release(struct quarry_cache *cache, struct quarry_magazine *magazine)
{
	if (!magazine)
		return;
	quarry_cache_free_bulk(cache, magazine->n, magazine->slot);
	kvfree(magazine);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_release, QUARRY_NS);
