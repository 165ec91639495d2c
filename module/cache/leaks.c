// SPDX-License-Identifier: GPL-2.0
/*
 * Owners: who has a cache's objects, or freed them last, by stack.
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
#include <linux/sort.h>

#include "../debug/inject.h"
#include "cache.h"

/* Different stacks that are told apart, about; the rest counts as not traced. */
#define STACKS	1024

/* Places that a stack may be in. */
#define PROBES	32

/* Stacks that a leak report shows. */
#define REPORT	16

/**
 * struct gathered - objects with one stack
 * @stack:	its handle
 * @pid:	of the youngest
 * @objects:	how many
 * @youngest:	when, in jiffies
 * @oldest:	the same
 */
struct gathered {
	depot_stack_handle_t stack;
	u32 pid;
	u64 objects;
	unsigned long youngest;
	unsigned long oldest;
};

struct gathering {
	struct gathered *at;
	unsigned int nr;
	u64 traced;
	u64 out;
	unsigned int which;
};

static void add(struct gathering *g, const struct quarry_record *r)
{
	unsigned long when = r->when[g->which];
	unsigned int i, k;

	for (i = 0; i < PROBES; i++) {
		struct gathered *e;

		/* Open addressing; handles are spread well enough. */
		k = (r->stack[g->which] * 0x9e3779b1U + i) % STACKS;
		e = &g->at[k];
		if (e->objects && e->stack != r->stack[g->which])
			continue;
		if (!e->objects++) {
			e->stack = r->stack[g->which];
			e->youngest = when;
			e->oldest = when;
			e->pid = r->pid[g->which];
			g->nr++;
		}
		if (time_after(when, e->youngest)) {
			e->youngest = when;
			e->pid = r->pid[g->which];
		}
		if (time_before(when, e->oldest))
			e->oldest = when;
		g->traced++;
		return;
	}
}

static void gather_slab(struct quarry_pslab *s, void *data)
{
	struct gathering *g = data;
	u32 i;

	for (i = 0; i < quarry_slab_shape(&s->slab)->nr; i++) {
		const struct quarry_record *r = &s->records[i];
		bool out = test_bit(QUARRY_RECORD_OUT, &r->flags);
		bool allocs = g->which == QUARRY_RECORD_ALLOC;

		if (out == allocs && r->stack[g->which])
			add(g, r);
	}
}

static void gather(struct quarry_cache *cache, struct gathering *g)
{
	struct quarry_cache_node *n = NULL;

	while ((n = quarry_cache_node_next(cache, n)))
		quarry_node_walk(n, true, gather_slab, g);
}

/* Most objects first; empty places last. */
static int compare(const void *a, const void *b)
{
	const struct gathered *x = a, *y = b;

	return x->objects < y->objects ? 1 : -(x->objects > y->objects);
}

static int gather_sorted(struct quarry_cache *cache, bool frees, struct gathering *g)
{
	memset(g, 0, sizeof(*g));
	g->which = frees ? QUARRY_RECORD_FREE : QUARRY_RECORD_ALLOC;
	g->at = quarry_inject() ? NULL : kvcalloc(STACKS, sizeof(*g->at), GFP_KERNEL);
	if (!g->at)
		return -ENOMEM;
	gather(cache, g);
	sort(g->at, STACKS, sizeof(*g->at), compare, NULL);
	return 0;
}

/* Where nobody knows the function, the module is gone, and its address stands there. */
static void hide_addresses(char *text)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		text += strspn(text, " ");
		if (!strncmp(text, "0x", 2))
			memset(text + 2, '?', strcspn(text + 2, "\n"));
	}
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

static void write_stack(depot_stack_handle_t stack, char *text, size_t room)
{
	stack_depot_snprint(stack, text, room, 0);
	hide_addresses(text);
}

/* Keep the stacks of a report. Without memory for it they are written anew when they are read. */
static void keep_texts(struct quarry_cache *cache, const struct gathering *g)
{
	unsigned int i, nr = min_t(unsigned int, g->nr, REPORT);
	struct quarry_stack_text *texts;

	texts = quarry_inject() ? NULL : kvcalloc(nr, sizeof(*texts), GFP_KERNEL);
	if (!texts)
		return;
	for (i = 0; i < nr; i++) {
		texts[i].stack = g->at[i].stack;
		write_stack(texts[i].stack, texts[i].text, sizeof(texts[i].text));
	}
	cache->nr_texts = nr;
	/* Whoever sees them sees them whole. */
	smp_store_release(&cache->texts, texts);
}

/* Nobody looks at the cache any more. Context: any but NMI. */
void quarry_cache_forget_texts(struct quarry_cache *cache)
{
	kvfree(cache->texts);
}

static void show_stack_of(struct quarry_cache *cache, depot_stack_handle_t stack, char *text,
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
	write_stack(stack, text, room);
}

/**
 * quarry_cache_traces() - who has a cache's objects, or freed them last
 * @cache:	the cache
 * @frees:	the latter
 * @traces:	where to
 * @room:	entries that fit
 * @nr:		set to the stacks there are
 * @untraced:	set to the objects out whose owner is not known
 *
 * Context: sleeps. Return: 0 or -ENOMEM.
 */
int quarry_cache_traces(struct quarry_cache *cache, bool frees, struct quarry_trace *traces,
			unsigned int room, unsigned int *nr, u64 *untraced)
{
	struct quarry_cache_stats *st;
	struct gathering g;
	unsigned int i;
	int err;

	st = quarry_inject() ? NULL : kzalloc(sizeof(*st), GFP_KERNEL);
	if (!st)
		return -ENOMEM;
	err = gather_sorted(cache, frees, &g);
	if (err) {
		kfree(st);
		return err;
	}
	for (i = 0; i < min(room, g.nr); i++) {
		struct quarry_trace *t = &traces[i];
		const char *c;

		memset(t, 0, sizeof(*t));
		t->objects = g.at[i].objects;
		t->pid = g.at[i].pid;
		t->age_min_ms = jiffies_to_msecs(jiffies - g.at[i].youngest);
		t->age_max_ms = jiffies_to_msecs(jiffies - g.at[i].oldest);
		show_stack_of(cache, g.at[i].stack, t->text, sizeof(t->text));
		for (c = t->text; *c; c++)
			t->depth += *c == '\n';
	}
	*nr = g.nr;
	quarry_cache_snapshot(cache, st);
	*untraced = !frees && st->objects_out > g.traced ? st->objects_out - g.traced : 0;
	kvfree(g.at);
	kfree(st);
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
	struct gathering g;
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
	kvfree(g.at);
}
