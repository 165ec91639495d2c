// SPDX-License-Identifier: GPL-2.0
/*
 * Frees by address alone.
 *
 * Who gives memory back need not know where it came from: the label of its frame says which
 * cache's slab that is, or that a large block begins there (tags.c, large.c).
 *
 *	label of a slab		pushed to this CPU's magazine of that cache
 *	LARGE			its pages go back
 *	anything else		refused, and counted with the default pool's errors
 *
 * Contexts: any but NMI. Cost: the look at the label, and that of the cache's own free.
 */
#include <linux/mm.h>

#include "../arena/directory.h"
#include "../pages/misuse.h"
#include "cache.h"

static noinline void free_slow(void *object)
{
	struct quarry_cache_node *n;

	/* An object that is out keeps its cache, but this may be one that is not. */
	rcu_read_lock();
	preempt_disable();
	n = quarry_tag_node(quarry_object_pfn(object));
	preempt_enable();
	if (n)
		quarry_cache_free_slow(n->cache, object);
	else if (!quarry_large_free(object))
		quarry_misuse_address(quarry_pool_default(), object);
	rcu_read_unlock();
}

/**
 * quarry_free() - free memory
 * @object:	of quarry_malloc() and its relatives, or of any cache; NULL and
 *		ZERO_SIZE_PTR do nothing
 *
 * What is neither is refused, counted and reported. Context: any but NMI.
 */
void quarry_free(const void *object)
{
	unsigned long pfn = quarry_object_pfn(object);
	struct quarry_cache_node *n;
	u64 label;

	if (unlikely(ZERO_OR_NULL_PTR(object)))
		return;
	preempt_disable();
	if (likely(quarry_label_look(pfn, &label))) {
		n = quarry_tag_get_node(label);
		if (likely(n && quarry_cpu_cache_push(this_cpu_ptr(n->cache->cpu_cache), label,
						      (void *)object))) {
			preempt_enable();
			return;
		}
	}
	preempt_enable();
	free_slow((void *)object);
}
EXPORT_SYMBOL_NS_GPL(quarry_free, QUARRY_NS);

/**
 * quarry_free_bulk() - free many
 * @nr:		how many
 * @p:		of quarry_malloc(), or of any caches
 *
 * Context: any but NMI.
 */
void quarry_free_bulk(size_t nr, void **p)
{
	size_t i;

	for (i = 0; i < nr; i++)
		quarry_free(p[i]);
}
EXPORT_SYMBOL_NS_GPL(quarry_free_bulk, QUARRY_NS);
