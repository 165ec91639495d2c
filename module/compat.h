/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernels differ, and nothing else. Each entry says since when and why;
 * a probe of the headers is preferred to a version.
 */
#ifndef QUARRY_COMPAT_H
#define QUARRY_COMPAT_H

#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/version.h>

/*
 * The largest order of the page allocator, inclusive. Until 6.3 MAX_ORDER was
 * one more; 6.4 made it inclusive; 6.8 renamed it.
 */
#if defined(MAX_PAGE_ORDER)
#define QUARRY_KERNEL_ORDER	MAX_PAGE_ORDER
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define QUARRY_KERNEL_ORDER	MAX_ORDER
#else
#define QUARRY_KERNEL_ORDER	(MAX_ORDER - 1)
#endif

/* 6.13 wants the namespace as a string. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define QUARRY_NS		"QUARRY"
#define QUARRY_TEST_NS		"QUARRY_TEST"
#else
#define QUARRY_NS		QUARRY
#define QUARRY_TEST_NS		QUARRY_TEST
#endif
#define QUARRY_EXPORT(sym)	EXPORT_SYMBOL_NS_GPL(sym, QUARRY_NS)

/* 6.7 made shrinkers allocated, not embedded. */
static inline struct shrinker *
quarry_shrinker_register(unsigned long (*count)(struct shrinker *,
						struct shrink_control *),
			 unsigned long (*scan)(struct shrinker *,
					       struct shrink_control *))
{
	struct shrinker *s;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	s = shrinker_alloc(SHRINKER_NUMA_AWARE, "quarry");
	if (!s)
		return NULL;
#else
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return NULL;
	s->flags = SHRINKER_NUMA_AWARE;
#endif
	s->count_objects = count;
	s->scan_objects = scan;
	s->seeks = DEFAULT_SEEKS;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_register(s);
#else
	if (register_shrinker(s, "quarry")) {
		kfree(s);
		return NULL;
	}
#endif
	return s;
}

static inline void quarry_shrinker_unregister(struct shrinker *s)
{
	if (!s)
		return;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_free(s);
#else
	unregister_shrinker(s);
	kfree(s);
#endif
}

/* Pages that a shrinker gave back count as reclaimed; 6.4 made this a function. */
static inline void quarry_account_reclaimed(unsigned long pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	mm_account_reclaimed_pages(pages);
#else
	if (current->reclaim_state)
		current->reclaim_state->reclaimed_slab += pages;
#endif
}

#endif /* QUARRY_COMPAT_H */
