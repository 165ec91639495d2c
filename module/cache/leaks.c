// SPDX-License-Identifier: GPL-2.0
/*
 * Owners: who has a cache's objects, or freed them last, by stack.
 *
 * A cache that cannot be destroyed says how many objects are out, not who has them.
 *
 * The records of guarded slabs (guard.c) are gathered by the handle of their stack.
 * Stacks are kept by the kernel's stack depot. Objects that were handed out while
 * owners were not kept have none: they are counted.
 *
 * Contexts: sleeps. A node's lock is held for some slabs at a time: who gives an object back
 * meanwhile, and takes another one of the cache, may be counted twice or not at all.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>

#include "../base/inject.h"
#include "cache.h"

/* Stacks that a leak report shows. */
#define REPORT	16

/**
 * struct survey - objects of a cache
 * @g:		by stack
 * @which:	QUARRY_RECORD_ALLOC: those that are out; QUARRY_RECORD_FREE: the others
 */
struct survey {
	struct quarry_gathering g;
	unsigned int which;
};

static void gather_slab(struct quarry_page_slab *s, void *data)
{
	struct survey *v = data;
	u32 i;

	for (i = 0; i < quarry_slab_shape(&s->slab)->nr; i++) {
		const struct quarry_record *r = &s->records[i];
		bool out = test_bit(QUARRY_RECORD_OUT, &r->flags);
		bool allocs = v->which == QUARRY_RECORD_ALLOC;

		if (out == allocs && r->stack[v->which])
			quarry_gather_add(&v->g, r->stack[v->which], r->pid[v->which],
					  r->when[v->which], 1);
	}
}

static int gather_sorted(struct quarry_cache *cache, bool frees, struct quarry_gathering *g)
{
	struct survey v = { .which = frees ? QUARRY_RECORD_FREE : QUARRY_RECORD_ALLOC };
	struct quarry_cache_node *n = NULL;
	int err = quarry_gather_begin(&v.g);

	if (err)
		return err;
	while ((n = quarry_cache_node_next(cache, n)))
		quarry_node_walk(n, true, gather_slab, &v);
	quarry_gather_sort(&v.g);
	*g = v.g;
	return 0;
}

/**
 * struct quarry_stack_text - a stack of a dead cache in words
 * @stack:	its handle
 * @text:	what it was when the cache was destroyed
 *
 * The module that leaks goes next, as a rule, and its names with it.
 */
struct quarry_stack_text {
	depot_stack_handle_t stack;
	char text[sizeof_field(struct quarry_trace, text)];
};

/* Keep the stacks of a report. Without memory for it they are written anew when they are read. */
static void keep_texts(struct quarry_cache *cache, const struct quarry_gathering *g)
{
	unsigned int i, nr = min_t(unsigned int, g->nr, REPORT);
	struct quarry_stack_text *texts;

	texts = quarry_inject() ? NULL : kvcalloc(nr, sizeof(*texts), GFP_KERNEL);
	if (!texts)
		return;
	for (i = 0; i < nr; i++) {
		texts[i].stack = g->at[i].stack;
		quarry_stack_write(texts[i].stack, texts[i].text, sizeof(texts[i].text));
	}
	cache->nr_texts = nr;
	/* Whoever sees them sees them whole. */
	smp_store_release(&cache->texts, texts);
}

/* Nobody looks at the cache any more. Context: any but NMI. */
void quarry_cache_free_texts(struct quarry_cache *cache)
{
	kvfree(cache->texts);
}

static void leaks_show_stack(struct quarry_cache *cache, depot_stack_handle_t stack, char *text,
			     size_t room)
{
	/* Pairs with that of keep_texts(). */
	const struct quarry_stack_text *texts = smp_load_acquire(&cache->texts);
	unsigned int i;

	for (i = 0; texts && i < cache->nr_texts; i++)
		if (texts[i].stack == stack) {
			strscpy(text, texts[i].text, room);
			return;
		}
	quarry_stack_write(stack, text, room);
}

/**
 * quarry_cache_owners() - who has a cache's objects, or freed them last
 * @cache:	the cache
 * @frees:	the latter
 * @traces:	where to
 * @room:	entries that fit
 * @nr:		set to the stacks there are
 * @traced:	set to the objects that these have
 *
 * Context: sleeps. Return: 0 or -ENOMEM.
 */
int quarry_cache_owners(struct quarry_cache *cache, bool frees, struct quarry_trace *traces,
			unsigned int room, unsigned int *nr, u64 *traced)
{
	struct quarry_gathering g;
	unsigned int i;
	int err;

	err = gather_sorted(cache, frees, &g);
	if (err)
		return err;
	for (i = 0; i < min(room, g.nr); i++) {
		struct quarry_trace *t = &traces[i];
		const char *c;

		quarry_stack_tell(&g.at[i], t);
		leaks_show_stack(cache, g.at[i].stack, t->text, sizeof(t->text));
		for (c = t->text; *c; c++)
			t->depth += *c == '\n';
	}
	*nr = g.nr;
	*traced = g.traced;
	quarry_gather_end(&g);
	return 0;
}

/**
 * quarry_cache_report_leaks() - a cache was destroyed, and objects are out
 * @cache:	the cache; its magazines are empty
 * @out:	how many
 *
 * Context: sleeps.
 */
void quarry_cache_report_leaks(struct quarry_cache *cache, u64 out)
{
	struct quarry_gathering g;
	unsigned int i;

	atomic64_inc(&cache->errors[QUARRY_CACHE_ERR_LEAK]);
	pr_err("cache %s: destroyed with %llu objects out; they stay what they are until they are freed\n",
	       cache->name, out);
	quarry_strays_find(cache);
	if (gather_sorted(cache, false, &g))
		return;
	if (g.nr)
		keep_texts(cache, &g);
	for (i = 0; i < min_t(unsigned int, g.nr, REPORT); i++) {
		pr_err("cache %s: %llu of them from pid %u, %u ms ago:\n", cache->name,
		       g.at[i].objects, g.at[i].pid,
		       jiffies_to_msecs(jiffies - g.at[i].youngest));
		stack_depot_print(g.at[i].stack);
	}
	if (out > g.traced)
		pr_err("cache %s: %llu of them from nobody knows where: owners were not kept\n",
		       cache->name, out - g.traced);
	quarry_gather_end(&g);
}
