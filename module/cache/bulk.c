// SPDX-License-Identifier: GPL-2.0
/*
 * Many objects at a time.
 *
 * Magazines are entered once, and objects copied a magazine at a time; what is more
 * than they hold comes from and goes to the slabs, in order of address.
 *
 * Objects that come together mostly lie together. So the tag is looked up for each slab
 * here, not for each object; and where the stride is a power of two, so that the bits which
 * all objects of a slab have in common tell its objects from anything else, eight
 * are compared at once.
 *
 * Contexts: any but NMI. Preemption is off for STRETCH objects at a time, or for a magazine's.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include "cache.h"

/* Most objects to or from slabs under one hold of the lock. */
#define BATCH	64U

/* Most objects while preemption is off, however long the array is. */
#define STRETCH	256U

/* Objects in the loaded magazine; none while nothing is open. */
static __always_inline size_t nr_loaded(const struct quarry_mags *m)
{
	return m->end == &m->stub[1] ? 0 : m->top - m->loaded->slot;
}

/*
 * The newest @nr; there are as many. Not by memcpy(): for this few words its call costs
 * more than it saves.
 */
static __always_inline void copy_out(struct quarry_mags *m, size_t nr, void **p)
{
	void **from = m->top - nr, **end = m->top, **last;

	m->top = from;
	m->allocs += nr;
	for (last = from + (nr & ~15UL); from != last; from += 16, p += 16) {
		p[0] = from[0];
		p[1] = from[1];
		p[2] = from[2];
		p[3] = from[3];
		p[4] = from[4];
		p[5] = from[5];
		p[6] = from[6];
		p[7] = from[7];
		p[8] = from[8];
		p[9] = from[9];
		p[10] = from[10];
		p[11] = from[11];
		p[12] = from[12];
		p[13] = from[13];
		p[14] = from[14];
		p[15] = from[15];
	}
	while (from != end)
		*p++ = *from++;
}

/* The loaded magazine is empty: another one, from this CPU or the depot. Closed. */
static bool next_full(struct quarry_cache *cache, struct quarry_mags *m)
{
	struct quarry_cache_node *n = quarry_mags_node(m);
	unsigned long flags;
	bool done = quarry_mags_swap_full(m);

	/* A magazine that is too small for one call is a miss. */
	quarry_mags_event(cache, m);
	if (!done) {
		quarry_node_lock(n, &flags, false);
		done = quarry_mags_take_full(m, &n->depot);
		quarry_node_unlock(n, flags);
		quarry_cache_count_add(cache, QUARRY_MAGS_EXCHANGES, done);
	}
	if (done)
		quarry_cache_count(cache, QUARRY_MAGS_SLOW_ALLOCS);
	return done;
}

/* Past the magazines, by address. Preemption off. */
static size_t take_slabs(struct quarry_cache *cache, struct quarry_cache_node *n, size_t nr,
			 void **p)
{
	unsigned long flags;
	size_t got = 0, some;

	do {
		quarry_node_lock(n, &flags, false);
		some = quarry_slabs_take(&n->plain, min_t(size_t, nr - got, BATCH), p + got);
		quarry_node_unlock(n, flags);
		got += some;
	} while (some == BATCH);
	quarry_cache_count_add(cache, QUARRY_MAGS_SLOW_ALLOCS, got);
	quarry_cache_count_add(cache, QUARRY_MAGS_DIRECT_ALLOCS, got);
	return got;
}

/* From as many magazines, and then slabs, as it takes. */
static size_t take_many(struct quarry_cache *cache, size_t nr, void **p)
{
	struct quarry_mags *m;
	size_t got = 0, some;

	preempt_disable();
	m = this_cpu_ptr(cache->mags);
	if (!quarry_mags_is_busy(m) && !m->shut) {
		quarry_mags_mark(m);
		for (;;) {
			some = min(nr - got, nr_loaded(m));
			copy_out(m, some, p + got);
			got += some;
			quarry_mags_close(m);
			if (got == nr || !next_full(cache, m))
				break;
			quarry_mags_open(m);
		}
		if (got < nr)
			got += take_slabs(cache, quarry_mags_node(m), nr - got, p + got);
		if (!m->loaded)
			m->wants |= QUARRY_WANTS_MAGAZINE;
		quarry_mags_open(m);
		quarry_mags_unmark(m);
	}
	preempt_enable();
	return got;
}

static noinline int alloc_bulk_slow(struct quarry_cache *cache, gfp_t gfp, size_t nr,
				    void **p)
{
	size_t got = 0, want, some, i;

	if (nr > INT_MAX)
		return 0;
	if (gfp & __GFP_ZERO && cache->ctor) {
		quarry_cache_misuse(cache, QUARRY_CACHE_ERR_BAD_ARGUMENT, NULL);
		return 0;
	}
	/* Who has the first ones waits in vain for the last. */
	if (gfp & __GFP_NOFAIL && nr > quarry_cache_most(cache, gfp))
		gfp &= ~__GFP_NOFAIL;
	while (got < nr) {
		want = min_t(size_t, nr - got, STRETCH);
		some = 0;
		quarry_magazine_supply(cache);
		if (!(gfp & QUARRY_GFP_OBJECT_SLOW))
			some = take_many(cache, want, p + got);
		for (i = 0; want_init_on_alloc(gfp) && i < some; i++)
			quarry_object_clear(cache, p[got + i], gfp);
		got += some;
		if (some == want)
			continue;
		/* One that grows the cache, or whatever else it takes. */
		p[got] = quarry_cache_alloc_slow(cache, gfp, NUMA_NO_NODE);
		if (!p[got]) {
			quarry_cache_free_bulk(cache, got, p);
			return 0;
		}
		got++;
	}
	return nr;
}

/**
 * quarry_cache_alloc_bulk() - take many objects
 * @cache:	the cache
 * @gfp:	as for kmem_cache_alloc()
 * @nr:		how many
 * @p:		room for them
 *
 * Context: any but NMI; sleeps only if @gfp allows it.
 *
 * Return: @nr, or 0 if they were not all to be had: then none is taken.
 */
int quarry_cache_alloc_bulk(struct quarry_cache *cache, gfp_t gfp, size_t nr, void **p)
{
	struct quarry_mags *m;

	quarry_might_alloc(gfp);
	if (unlikely(gfp & QUARRY_GFP_OBJECT_SLOW || want_init_on_alloc(gfp)))
		return alloc_bulk_slow(cache, gfp, nr, p);
	preempt_disable();
	m = this_cpu_ptr(cache->mags);
	if (likely(quarry_mags_try_mark(m))) {
		if (likely(nr_loaded(m) >= nr)) {
			copy_out(m, nr, p);
			quarry_mags_unmark(m);
			preempt_enable();
			return nr;
		}
		quarry_mags_unmark(m);
	}
	preempt_enable();
	return alloc_bulk_slow(cache, gfp, nr, p);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_alloc_bulk, QUARRY_NS);

/**
 * struct place - a slab whose objects belong in the magazines
 * @object:	one of them, 0 while there is none
 * @same:	the bits that they have in common; see struct quarry_shape
 * @label:	the slab's
 */
struct place {
	unsigned long object;
	unsigned long same;
	u64 label;
};

/* Does what the bits in common say suffice? */
static __always_inline bool is_even(const struct place *at)
{
	return at->same & 1;
}

static __always_inline bool is_in(const struct quarry_mags *m, void *object,
				  const struct place *at)
{
	return !(((unsigned long)object ^ at->object) & at->same) &&
	       (is_even(at) || quarry_starts_at(&m->starts, at->label, object));
}

/* Is this an object that belongs in these magazines? Then @at is its slab. */
static __always_inline bool belongs(const struct quarry_mags *m, void *object,
				    struct place *at)
{
	at->object = (unsigned long)object;
	return likely(quarry_label_look(quarry_object_pfn(object), &at->label)) &&
	       (u32)at->label == m->tag && quarry_starts_at(&m->starts, at->label, object);
}

/* Four objects that are not all in @at, which mostly means in two slabs. */
static __always_inline bool four_belong(const struct quarry_mags *m, void **p,
					struct place *at)
{
	struct place first = *at;

	if (!is_in(m, p[0], &first) && !belongs(m, p[0], &first))
		return false;
	if (is_in(m, p[3], &first))
		*at = first;
	else if (!belongs(m, p[3], at))
		return false;
	return (is_in(m, p[1], &first) || is_in(m, p[1], at)) &&
	       (is_in(m, p[2], &first) || is_in(m, p[2], at));
}

/* Into the loaded magazine, up to one that does not belong there; there is room. */
static __always_inline size_t copy_in(struct quarry_mags *m, size_t nr, void **p,
				      u64 same)
{
	void **start = m->top, **top = start, **last;
	struct place at = { .same = same };
	unsigned long far;

	if (!nr || !belongs(m, *p, &at))
		return 0;
	for (last = top + (is_even(&at) ? nr & ~7UL : 0); top != last; top += 8, p += 8) {
		far = (unsigned long)(top[0] = p[0]) ^ at.object;
		far |= (unsigned long)(top[1] = p[1]) ^ at.object;
		far |= (unsigned long)(top[2] = p[2]) ^ at.object;
		far |= (unsigned long)(top[3] = p[3]) ^ at.object;
		far |= (unsigned long)(top[4] = p[4]) ^ at.object;
		far |= (unsigned long)(top[5] = p[5]) ^ at.object;
		far |= (unsigned long)(top[6] = p[6]) ^ at.object;
		far |= (unsigned long)(top[7] = p[7]) ^ at.object;
		if (unlikely(far & at.same) &&
		    !(four_belong(m, p, &at) && four_belong(m, p + 4, &at))) {
			at.object = 0;
			break;
		}
	}
	/* What is left of eight, or eight that did not all belong, or lie in many slabs. */
	for (last = start + nr; top != last; top++, p++) {
		if (!is_in(m, *p, &at) && !belongs(m, *p, &at))
			break;
		*top = *p;
	}
	nr = top - start;
	m->top = top;
	m->frees += nr;
	return nr;
}

/* The loaded magazine is full: another one, from this CPU or the depot. Closed. */
static bool next_room(struct quarry_cache *cache, struct quarry_mags *m)
{
	struct quarry_cache_node *n = quarry_mags_node(m);
	unsigned long flags;
	bool done = quarry_mags_swap_room(m);

	quarry_mags_event(cache, m);
	if (!done) {
		quarry_node_lock(n, &flags, false);
		done = quarry_mags_give_full(m, &n->depot);
		quarry_node_unlock(n, flags);
		quarry_cache_count_add(cache, QUARRY_MAGS_EXCHANGES, done);
	}
	if (done)
		quarry_cache_count(cache, QUARRY_MAGS_SLOW_FREES);
	return done;
}

/* Past the magazines, up to one object that does not belong to this node. Preemption off. */
static size_t put_slabs(struct quarry_cache *cache, struct quarry_mags *m, size_t nr, void **p)
{
	struct quarry_cache_node *n = quarry_mags_node(m);
	struct place at = { .same = quarry_cache_same(cache) };
	size_t i, start, taken = 0;

	for (i = 0; i < nr && (is_in(m, p[i], &at) || belongs(m, p[i], &at)); i++)
		;
	nr = i;
	for (start = 0; start < nr; start += i) {
		i = min_t(size_t, nr - start, BATCH);
		quarry_objects_sort(p + start, i);
		taken += quarry_node_put(n, p + start, i, false);
	}
	quarry_cache_count_add(cache, QUARRY_MAGS_SLOW_FREES, taken);
	quarry_cache_count_add(cache, QUARRY_MAGS_DIRECT_FREES, taken);
	return nr;
}

/* Into magazines and then slabs, up to one object that does not belong there. */
static size_t put_many(struct quarry_cache *cache, size_t nr, void **p)
{
	struct quarry_mags *m;
	size_t done = 0;
	bool full;

	preempt_disable();
	m = this_cpu_ptr(cache->mags);
	if (!quarry_mags_is_busy(m) && !m->shut) {
		quarry_mags_mark(m);
		for (;;) {
			done += copy_in(m, min_t(size_t, nr - done, m->end - m->top), p + done,
					quarry_cache_same(cache));
			full = m->top == m->end;
			quarry_mags_close(m);
			if (done == nr || !full || !next_room(cache, m))
				break;
			quarry_mags_open(m);
		}
		if (done < nr && full)
			done += put_slabs(cache, m, nr - done, p + done);
		if (!m->loaded)
			m->wants |= QUARRY_WANTS_MAGAZINE;
		quarry_mags_open(m);
		quarry_mags_unmark(m);
	}
	preempt_enable();
	return done;
}

static noinline void free_bulk_slow(struct quarry_cache *cache, size_t nr, void **p)
{
	size_t done = 0, some, put, remote;

	while (done < nr) {
		quarry_magazine_supply(cache);
		some = min_t(size_t, nr - done, STRETCH);
		put = put_many(cache, some, p + done);
		done += put;
		if (put == some)
			continue;
		preempt_disable();
		remote = quarry_remote_put(cache, some - put, p + done, false);
		preempt_enable();
		done += remote;
		/* One that belongs in no magazine, or that found none. */
		if (!remote && done < nr)
			quarry_cache_free_slow(cache, p[done++]);
	}
}

/**
 * quarry_cache_free_bulk() - give many objects back
 * @cache:	the cache they came from; NULL if they are of several, or of quarry_malloc()
 * @nr:		how many
 * @p:		the objects; their order there may change
 *
 * Each is looked at as by quarry_cache_free(). Context: any but NMI.
 */
void quarry_cache_free_bulk(struct quarry_cache *cache, size_t nr, void **p)
{
	struct quarry_mags *m;
	size_t done = 0;

	if (unlikely(!cache)) {
		quarry_free_bulk(nr, p);
		return;
	}
	preempt_disable();
	m = this_cpu_ptr(cache->mags);
	if (likely(quarry_mags_try_mark(m))) {
		if (likely((size_t)(m->end - m->top) >= nr))
			done = copy_in(m, nr, p, quarry_cache_same(cache));
		quarry_mags_unmark(m);
	}
	preempt_enable();
	if (unlikely(done < nr))
		free_bulk_slow(cache, nr - done, p + done);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_free_bulk, QUARRY_NS);
