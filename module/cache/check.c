// SPDX-License-Identifier: GPL-2.0
/*
 * The validator of caches: every slab, every magazine, every object in one.
 *
 * A magazine that holds an object twice, or a slab that counts one too many, does harm long
 * after the call that did it. This looks for such things on request, in a cache that goes on
 * being used.
 *
 * An object in a magazine must lie in a slab of its node, at the beginning of an
 * object, and be out as far as the slab knows.
 *
 * A node with few slabs is looked at under one hold of its lock, larger ones some slabs or a
 * magazine at a time. Then sums can be compared only if nobody else has had the lock
 * meanwhile; it is tried again, some times.
 *
 * Contexts: sleeps.
 */
#include <linux/mm.h>

#include "../pages/visit.h"
#include "cache.h"

/* Slabs and magazines, and objects in the latter, that are looked at under one hold of the lock. */
#define FEW		64U
#define FEW_OBJECTS	512U

/* How often a moment is looked for when nobody else uses a node. */
#define TRIES		5U

/**
 * struct checking - a walk over a cache
 * @cache:	which
 * @violations:	broken invariants so far
 * @what:	the first in words
 * @slabs:	those that were met of a node
 * @nfree:	objects that are in them
 * @sum_slabs:	how many there should be
 * @sum_nfree:	the same
 * @silent:	sums alone
 */
struct checking {
	struct quarry_cache *cache;
	atomic64_t violations;
	const char *what;
	u64 slabs;
	u64 nfree;
	u64 sum_slabs;
	u64 sum_nfree;
	bool silent;
};

static void cache_violation(struct checking *c, const char *what)
{
	if (!what)
		return;
	atomic64_inc(&c->violations);
	cmpxchg(&c->what, NULL, what);
}

static void check_objects(struct checking *c, const struct quarry_cache_node *n,
			  const struct quarry_magazine *mag)
{
	struct quarry_page_slab *s;
	u32 i, k;

	/* What it says of itself may be what is wrong. */
	for (k = 0; mag && k < min(mag->n, mag->cap); k++) {
		s = quarry_page_slab_of(mag->slot[k]);
		if (!s || s->node != n)
			cache_violation(c, "a magazine has an object of another node");
		else if (quarry_slab_look(&s->slab, mag->slot[k], &i))
			cache_violation(c, "an object is in a magazine and in its slab");
		else if (s->slab.is_lent)
			cache_violation(c, "a magazine has an object that is lent");
	}
}

/* Those of other nodes, each under the lock of its own. */
static void check_remote(struct checking *c, const struct quarry_cpu_cache *m)
{
	const struct quarry_magazine *mag = m->cold ? m->cold->remote.mag : NULL;
	struct quarry_page_slab *s;
	unsigned long flags;
	u32 i, k;

	if (!mag)
		return;
	cache_violation(c, quarry_remote_check(&m->cold->remote));
	for (k = 0; k < min(mag->n, mag->cap); k++) {
		s = quarry_page_slab_of(mag->slot[k]);
		if (!s || s->node->cache != c->cache || s->node == quarry_cpu_cache_node(m)) {
			cache_violation(c, "a magazine for other nodes has another object");
			continue;
		}
		quarry_node_lock(s->node, &flags, false);
		if (quarry_slab_look(&s->slab, mag->slot[k], &i))
			cache_violation(c, "an object is in a magazine and in its slab");
		quarry_node_unlock(s->node, flags);
	}
}

static bool has_magazines(void *data, int cpu)
{
	const struct checking *c = data;

	return quarry_cpu_cache_has_any(per_cpu_ptr(c->cache->cpu_cache, cpu));
}

static enum quarry_answer cache_check_there(void *data, int cpu, u64 *sum)
{
	struct checking *c = data;
	struct quarry_cpu_cache *m = per_cpu_ptr(c->cache->cpu_cache, cpu);
	struct quarry_cache_node *n = quarry_cpu_cache_node(m);
	unsigned long flags;

	if (!quarry_cpu_cache_enter(m))
		return QUARRY_VISIT_INSIDE;
	cache_violation(c, quarry_cpu_cache_check(m));
	quarry_node_lock(n, &flags, false);
	check_objects(c, n, m->loaded);
	check_objects(c, n, m->previous);
	quarry_node_unlock(n, flags);
	check_remote(c, m);
	quarry_cpu_cache_leave(m);
	return QUARRY_VISIT_DONE;
}

static const struct quarry_visitor checker = {
	.wanted = has_magazines,
	.visit = cache_check_there,
};

/* One of many. Under the lock. */
static void check_slab(struct quarry_page_slab *s, void *data)
{
	const struct quarry_cache_node *n = s->node;
	struct checking *c = data;

	c->slabs++;
	c->nfree += s->slab.nfree;
	/* If nobody else has the lock meanwhile, these are the same each time. */
	c->sum_slabs = n->plain.nr_slabs + n->guarded.nr_slabs;
	c->sum_nfree = n->plain.nr_free + n->guarded.nr_free;
	if (!c->silent)
		cache_violation(c, quarry_slab_check(s->records ? &n->guarded : &n->plain,
						     &s->slab));
}

/* Many slabs, and what they should add up to. */
static void check_slabs(struct checking *c, struct quarry_cache_node *n)
{
	unsigned int try;

	for (try = 0; try < TRIES; try++) {
		c->silent = try;
		c->slabs = 0;
		c->nfree = 0;
		c->sum_slabs = 0;
		c->sum_nfree = 0;
		if (!quarry_node_walk(n, false, check_slab, c))
			continue;
		if (c->slabs != c->sum_slabs || c->nfree != c->sum_nfree)
			cache_violation(c, "the sums are wrong");
		return;
	}
}

/* Many magazines: each with objects once, if nobody takes any meanwhile. */
static void check_depot(struct checking *c, struct quarry_cache_node *n)
{
	struct quarry_magazine *mag;
	unsigned long flags;
	u32 nr;

	for (nr = READ_ONCE(n->depot.nr_full); nr; nr--) {
		quarry_node_lock(n, &flags, false);
		mag = list_first_entry_or_null(&n->depot.full, struct quarry_magazine, link);
		if (mag) {
			cache_violation(c, quarry_magazine_check(mag));
			check_objects(c, n, mag);
			list_move_tail(&mag->link, &n->depot.full);
		}
		quarry_node_unlock(n, flags);
		cond_resched();
	}
}

/* All that few slabs and few magazines are, at once. False if they are many. */
static bool check_at_once(struct checking *c, struct quarry_cache_node *n)
{
	const struct quarry_magazine *mag;
	unsigned long flags;
	bool few;

	quarry_node_lock(n, &flags, false);
	few = n->plain.nr_slabs + n->guarded.nr_slabs + n->depot.nr_full +
	      n->depot.nr_spare <= FEW && n->depot.nr_objects <= FEW_OBJECTS;
	if (few) {
		cache_violation(c, quarry_slab_list_check(&n->plain));
		cache_violation(c, quarry_slab_list_check(&n->guarded));
		cache_violation(c, quarry_depot_check(&n->depot));
		list_for_each_entry(mag, &n->depot.full, link)
			check_objects(c, n, mag);
	}
	quarry_node_unlock(n, flags);
	return few;
}

static void check_node(struct checking *c, struct quarry_cache_node *n)
{
	unsigned long flags;
	u32 i;

	if (!check_at_once(c, n)) {
		check_slabs(c, n);
		check_depot(c, n);
	}
	quarry_node_lock(n, &flags, false);
	for (i = 0; i < n->quarantine_n; i++) {
		void *object = n->quarantine[(n->quarantine_at + i) % QUARRY_QUARANTINE];
		struct quarry_page_slab *s = quarry_page_slab_of(object);

		if (!s || !s->records)
			cache_violation(c, "something in quarantine is no guarded object");
		else if (test_bit(QUARRY_RECORD_OUT, &quarry_guard_record(s, object)->flags))
			cache_violation(c, "an object in quarantine is with a client");
	}
	quarry_node_unlock(n, flags);
}

/**
 * quarry_cache_validate() - check every invariant of a cache
 * @cache:	the cache
 * @what:	filled with the first violation in words, or ""
 * @room:	bytes at @what
 *
 * Context: sleeps. Return: violations.
 */
u64 quarry_cache_validate(struct quarry_cache *cache, char *what, size_t room)
{
	struct checking c = { .cache = cache };
	struct quarry_cache_node *n = NULL;
	u64 violations, unused = 0;

	while ((n = quarry_cache_node_next(cache, n)))
		check_node(&c, n);
	quarry_visit(&checker, &c, QUARRY_FOREVER, &unused);
	violations = atomic64_read(&c.violations);
	strscpy(what, c.what ?: "", room);
	atomic64_add(violations, &cache->errors[QUARRY_CACHE_ERR_CORRUPT]);
	return violations;
}
