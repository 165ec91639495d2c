// SPDX-License-Identifier: GPL-2.0
/*
 * Misuse of caches: told apart, counted, reported.
 *
 * As in the page layer (pages/misuse.c): refused, counted always, and reported with a
 * stack once for each place that it comes from. An object is named by its number in
 * its slab; no address is shown. Who allocated it and who freed it last is told if the
 * cache keeps owners.
 *
 * Contexts: any.
 */
#include <linux/mm.h>

#include "../base/report.h"
#include "cache.h"

static_assert(QUARRY_ERRORS_MAX >= QUARRY_NR_CACHE_ERRORS);

static const char * const names[QUARRY_NR_CACHE_ERRORS] = {
	[QUARRY_CACHE_ERR_DOUBLE_FREE]		= "double_free",
	[QUARRY_CACHE_ERR_WRONG_CACHE]		= "wrong_cache",
	[QUARRY_CACHE_ERR_INTERIOR]		= "interior",
	[QUARRY_CACHE_ERR_FOREIGN]		= "foreign",
	[QUARRY_CACHE_ERR_BAD_ARGUMENT]		= "bad_argument",
	[QUARRY_CACHE_ERR_OVERFLOW]		= "overflow",
	[QUARRY_CACHE_ERR_USE_AFTER_FREE]	= "use_after_free",
	[QUARRY_CACHE_ERR_LEAK]			= "leak",
	[QUARRY_CACHE_ERR_DEAD]			= "dead",
	[QUARRY_CACHE_ERR_CORRUPT]		= "corrupt",
	[QUARRY_CACHE_ERR_KFREE]		= "kfree",
};

static const char * const texts[QUARRY_NR_CACHE_ERRORS] = {
	[QUARRY_CACHE_ERR_DOUBLE_FREE]		= "double free",
	[QUARRY_CACHE_ERR_WRONG_CACHE]		= "free of an object of another cache",
	[QUARRY_CACHE_ERR_INTERIOR]		= "free of the inside of an object",
	[QUARRY_CACHE_ERR_FOREIGN]		= "free of memory that is in no cache",
	[QUARRY_CACHE_ERR_BAD_ARGUMENT]		= "gfp flags or node that it cannot honour",
	[QUARRY_CACHE_ERR_OVERFLOW]		= "write beside an object",
	[QUARRY_CACHE_ERR_USE_AFTER_FREE]	= "write to a free object",
	[QUARRY_CACHE_ERR_LEAK]			= "destroy with objects out",
	[QUARRY_CACHE_ERR_DEAD]			= "allocation after destroy",
	[QUARRY_CACHE_ERR_CORRUPT]		= "broken invariants",
	[QUARRY_CACHE_ERR_KFREE]		= "freed by the kernel's own kfree()",
};

/* The stable name of a kind, as debugfs and quarryctl show it. */
const char *quarry_cache_error_name(enum quarry_cache_error kind)
{
	return names[kind];
}

/* What a slab found wrong with an address, in a cache's terms. */
enum quarry_cache_error quarry_cache_verdict_kind(enum quarry_slab_verdict verdict)
{
	return verdict == QUARRY_SLAB_FREE ? QUARRY_CACHE_ERR_DOUBLE_FREE :
					   QUARRY_CACHE_ERR_INTERIOR;
}

/* What is known of the object's past. Preemption off. */
static void say_owners(struct quarry_report *report, const void *object)
{
	struct quarry_page_slab *s = quarry_page_slab_of(object);
	const struct quarry_record *r;
	u32 i;

	if (!s || !s->records || quarry_slab_look(&s->slab, object, &i) == QUARRY_SLAB_OUTSIDE)
		return;
	r = &s->records[i];
	quarry_report_who(report, "allocated", r->stack[QUARRY_RECORD_ALLOC],
			  r->pid[QUARRY_RECORD_ALLOC], r->when[QUARRY_RECORD_ALLOC]);
	quarry_report_who(report, "freed", r->stack[QUARRY_RECORD_FREE],
			  r->pid[QUARRY_RECORD_FREE], r->when[QUARRY_RECORD_FREE]);
}

static void misuse_say(struct quarry_report *r, const struct quarry_cache *cache,
		       enum quarry_cache_error kind, const void *object)
{
	struct quarry_page_slab *s;
	u32 i = 0, at = 0;
	bool known;

	preempt_disable();
	s = quarry_page_slab_of(object);
	known = s && quarry_slab_look(&s->slab, object, &i) != QUARRY_SLAB_OUTSIDE;
	if (known)
		at = (unsigned long)object - s->slab.first -
		     i * quarry_slab_shape(&s->slab)->stride;
	if (known && s->node->cache != cache)
		quarry_report_say(r, "cache %s: %s: it is of %s; refused", cache->name,
				  texts[kind], s->node->cache->name);
	else if (known)
		quarry_report_say(r, "cache %s: %s: object %u of its slab, byte %u; %s",
				  cache->name, texts[kind], i, at,
				  kind == QUARRY_CACHE_ERR_KFREE ? "it stays out" : "refused");
	else
		quarry_report_say(r, "cache %s: %s; refused", cache->name, texts[kind]);
	say_owners(r, object);
	preempt_enable();
}

/**
 * quarry_cache_tell() - report misuse that is counted elsewhere
 * @cache:	whose object it is, or whose call it was
 * @kind:	what was done
 * @object:	the address concerned, or NULL
 *
 * Context: any.
 */
void quarry_cache_tell(const struct quarry_cache *cache, enum quarry_cache_error kind,
		       const void *object)
{
	struct quarry_report *r = quarry_report_begin(QUARRY_NR_ERRORS + kind);

	if (!r)
		return;
	misuse_say(r, cache, kind, object);
	quarry_report_end(r);
}

/**
 * quarry_cache_misuse_begin() - a client did what it must not, and there is more to say of it
 * @cache:	whose call it was
 * @kind:	what it did
 * @object:	the address concerned, or NULL
 *
 * Context: any. Return: for quarry_report_end(); NULL if it is not reported, only counted.
 */
struct quarry_report *quarry_cache_misuse_begin(struct quarry_cache *cache,
						enum quarry_cache_error kind, const void *object)
{
	struct quarry_report *r;

	atomic64_inc(&cache->errors[kind]);
	r = quarry_report_begin(QUARRY_NR_ERRORS + kind);
	if (r)
		misuse_say(r, cache, kind, object);
	return r;
}

/**
 * quarry_cache_misuse() - a client did what it must not
 * @cache:	whose call it was
 * @kind:	what it did
 * @object:	the address concerned, or NULL
 *
 * Context: any.
 */
void quarry_cache_misuse(struct quarry_cache *cache, enum quarry_cache_error kind,
			 const void *object)
{
	atomic64_inc(&cache->errors[kind]);
	quarry_cache_tell(cache, kind, object);
}

/**
 * quarry_free_to_no_cache() - an object was to be given back to NULL
 * @object:	what was, whatever it is; it stays out
 *
 * Counted where the object is from, if it is one. Context: any.
 */
void quarry_free_to_no_cache(const void *object)
{
	struct quarry_report *r = quarry_report_begin(QUARRY_NR_ERRORS +
						      QUARRY_CACHE_ERR_WRONG_CACHE);
	struct quarry_page_slab *s;

	quarry_report_say(r, "free to a cache that is NULL; refused");
	preempt_disable();
	s = quarry_page_slab_of(object);
	if (s)
		atomic64_inc(&s->node->cache->errors[QUARRY_CACHE_ERR_WRONG_CACHE]);
	say_owners(r, object);
	preempt_enable();
	quarry_report_end(r);
}
