// SPDX-License-Identifier: GPL-2.0
/*
 * Strays: objects that the kernel has freed by its own functions.
 *
 * The kernel's kfree() knows no memory but its own. It takes our object for a large block,
 * warns once for as long as the machine runs, and drops a reference of the object's page.
 * kfree_rcu(), kfree_bulk() and whatever of the kernel's frees for a module come to the same. The
 * page has many (arena/page_arena.c), so nothing is freed: the object stays out, and a reference
 * is missing of a page that nobody else refers to. That is looked for, and counted once:
 *
 *	when a pool is validated that has such pages		quarry_strays_find()
 *	when a cache is destroyed with objects out		the same
 *	when the slab goes, where they are put back		quarry_strays_mend()
 *
 * Which object it was, and who freed it, is not known by then. With the parameter
 * watch_kfree the kernel's tracepoint in kfree() tells, at once and with a stack. That is a
 * look into the directory for every kfree() of the machine, so it is off otherwise; and
 * kfree_bulk(), by which kfree_rcu() frees most, has no such tracepoint.
 *
 * Contexts: as each function says.
 */
#include <linux/mm.h>
#include <trace/events/kmem.h>

#include "../arena/directory.h"
#include "../base/report.h"
#include "cache.h"

/**
 * struct finding - references that are missing of a cache's pages
 * @missing:	of all
 * @fresh:	of these, not counted before
 * @page:	the last with one of the latter
 */
struct finding {
	u64 missing;
	u64 fresh;
	struct page *page;
};

static unsigned int nr_pages(const struct quarry_page_slab *s)
{
	return 1U << quarry_slab_shape(&s->slab)->order;
}

static void stray_count(struct quarry_cache *cache, const struct finding *f)
{
	const struct quarry_page_arena *c;

	if (!f->fresh ||
	    atomic64_fetch_add(f->fresh, &cache->errors[QUARRY_CACHE_ERR_KFREE]))
		return;
	preempt_disable();
	c = quarry_directory_find(f->page);
	if (c)
		quarry_report_message(false,
				      "cache %s: %llu times the kernel's kfree() was given an object, which it cannot free: arena %u, frame %lu; the page stays",
				      cache->name, f->fresh, c->id,
				      page_to_pfn(f->page) - c->pfn);
	preempt_enable();
}

/* One of many. Under the lock. */
static void stray_look(struct quarry_page_slab *s, void *data)
{
	struct finding *f = data;
	unsigned int i, missing = 0;

	for (i = 0; i < nr_pages(s); i++)
		missing += quarry_page_missing(s->page + i);
	f->missing += missing;
	if (missing <= s->strays)
		return;
	f->fresh += missing - s->strays;
	s->strays = missing;
	for (i = 0; !quarry_page_missing(s->page + i) && i < nr_pages(s) - 1; i++)
		;
	f->page = s->page + i;
}

/**
 * quarry_strays_find() - look for objects that the kernel has freed
 * @cache:	whose
 *
 * What is new is counted, and the first of a cache reported. Context: sleeps; the cache
 * is looked at, or stays. Return: references that are missing.
 */
u64 quarry_strays_find(struct quarry_cache *cache)
{
	struct quarry_cache_node *n = NULL;
	struct finding f = {};

	while ((n = quarry_cache_node_next(cache, n)))
		quarry_node_walk(n, false, stray_look, &f);
	stray_count(cache, &f);
	return f.missing;
}

/**
 * quarry_strays_mend() - a slab goes: put back the references that are missing
 * @s:	it is in no list, and has no labels
 *
 * Context: any but NMI.
 */
void quarry_strays_mend(struct quarry_page_slab *s)
{
	struct finding f = {};
	unsigned int i, missing;

	for (i = 0; i < nr_pages(s); i++) {
		missing = quarry_page_mend(s->page + i);
		if (unlikely(missing))
			f.page = s->page + i;
		f.missing += missing;
	}
	if (likely(f.missing <= s->strays))
		return;
	f.fresh = f.missing - s->strays;
	stray_count(s->node->cache, &f);
}

/* See struct quarry_reclaim. */
void quarry_strays_find_in(struct quarry_pool *pool)
{
	struct quarry_cache *cache = NULL;

	while ((cache = quarry_cache_look_next(cache)))
		if (cache->pool == pool)
			quarry_strays_find(cache);
}

/* The kernel's kfree() was called with @object. Preemption is off. */
static void see_kfree(void *data, unsigned long call_site, const void *object)
{
	struct quarry_cache *cache = NULL;
	struct quarry_report *r;
	struct quarry_page_slab *s;

	if (likely(!quarry_owns(object)) || in_nmi())
		return;
	s = quarry_page_slab_of(object);
	if (s)
		cache = s->node->cache;
	if (cache) {
		quarry_cache_tell(cache, QUARRY_CACHE_ERR_KFREE, object);
	} else {
		r = quarry_report_begin(QUARRY_NR_ERRORS + QUARRY_CACHE_ERR_KFREE);
		quarry_report_say(r,
				  "the kernel's kfree() was given pages of a pool, which it cannot free");
		quarry_report_end(r);
	}
}

static bool watches;

/* Have each kfree() of the machine looked at. Context: module load. Return: 0 or an error. */
int quarry_strays_watch(void)
{
	int err = register_trace_kfree(see_kfree, NULL);

	watches = !err;
	return err;
}

/* No more, if it was begun. Context: sleeps. */
void quarry_strays_unwatch(void)
{
	if (!watches)
		return;
	unregister_trace_kfree(see_kfree, NULL);
	tracepoint_synchronize_unregister();
	watches = false;
}
