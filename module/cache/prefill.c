// SPDX-License-Identifier: GPL-2.0
/*
 * Prefilled magazines, for callers that must not fail.
 *
 * Where an error cannot be handled any more (in the middle of a transaction, under a
 * lock that forbids sleeping), objects are taken out beforehand: a magazine of them,
 * which belongs to the caller alone. What was not used goes back with it.
 *
 *	mag = quarry_cache_prefill(cache, GFP_KERNEL, 8);
 *	if (!mag)
 *		return -ENOMEM;
 *	spin_lock(...);
 *	obj = quarry_cache_alloc_prefilled(cache, GFP_NOWAIT, mag);	up to 8 times
 *	spin_unlock(...);
 *	quarry_cache_release(cache, mag);
 *
 * Contexts: taking from a magazine, any; one caller at a time.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include "../base/inject.h"
#include "../pages/gfp.h"
#include "cache.h"

/**
 * quarry_cache_most() - how many objects callers with these flags could ever have
 * @cache:	the cache
 * @gfp:	the flags
 *
 * No more than that, if all of the pool were slabs of those that hold objects best.
 * Context: any. Return: objects.
 */
u64 quarry_cache_most(struct quarry_cache *cache, gfp_t gfp)
{
	u64 frames = quarry_gfp_frames(cache->pool, gfp), most = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cache->shape); i++) {
		most = max(most, (frames * cache->shape[i].nr) >> cache->shape[i].order);
		most = max(most, (frames * cache->least[i].nr) >> cache->least[i].order);
	}
	return most;
}

/**
 * quarry_cache_prefill() - take a magazine of objects
 * @cache:	the cache
 * @gfp:	as for kmem_cache_alloc()
 * @nr:		objects, at least 1
 *
 * It is the caller's own, and not of the budget of magazines. Context: any but NMI;
 * sleeps only if @gfp allows it.
 *
 * Return: the magazine with @nr objects; NULL if there is no memory or @nr is 0, and at
 * once if @nr is more than the pool has room for.
 */
struct quarry_magazine *quarry_cache_prefill(struct quarry_cache *cache, gfp_t gfp,
					     unsigned int nr)
{
	gfp_t meta = quarry_gfp_meta(gfp);
	struct quarry_magazine *mag;

	if (!nr || nr > quarry_cache_most(cache, gfp))
		return NULL;
	/* It may be long, and the OOM killer is no answer to that. */
	if (!(meta & __GFP_NOFAIL))
		meta |= __GFP_RETRY_MAYFAIL;
	mag = quarry_inject() ? NULL : kvmalloc(struct_size(mag, slot, nr), meta);
	if (!mag)
		return NULL;
	quarry_magazine_init(mag, nr);
	if (!quarry_cache_alloc_bulk(cache, gfp, nr, mag->slot)) {
		kvfree(mag);
		return NULL;
	}
	mag->n = nr;
	quarry_objects_in(cache, mag->slot, nr);
	return mag;
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_prefill, QUARRY_NS);

/**
 * quarry_cache_alloc_prefilled() - an object that is there
 * @cache:	the cache
 * @gfp:	__GFP_ZERO, or whatever the cache takes: nothing is allocated
 * @magazine:	of quarry_cache_prefill()
 *
 * Context: any. Return: an object; NULL when all of them have been taken, and for a zone that
 * they are not of: that is counted and reported.
 */
void *quarry_cache_alloc_prefilled(struct quarry_cache *cache, gfp_t gfp,
				   struct quarry_magazine *magazine)
{
	void *object;

	if (!magazine->n || !quarry_cache_gfp_ok(cache, gfp))
		return NULL;
	object = magazine->slot[--magazine->n];
	quarry_shadow_open(object, quarry_cache_shadowed(cache));
	if (gfp & __GFP_ZERO && !cache->ctor)
		memset(object, 0, cache->shape[0].size);
	return object;
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_alloc_prefilled, QUARRY_NS);

/**
 * quarry_cache_release() - give a magazine back with what is left in it
 * @cache:	the cache
 * @magazine:	of quarry_cache_prefill(), or NULL
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
