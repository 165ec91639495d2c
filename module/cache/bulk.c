// SPDX-License-Identifier: GPL-2.0
/*
 * Many objects at a time.
 *
 * Whoever takes or gives sixteen objects at a time should not pay for sixteen entries into a
 * magazine, nor have a wrong pointer among them do what it could not do alone.
 *
 * Magazines are entered once, and objects copied a magazine at a time; what is more
 * than they hold comes from and goes to the slabs, in order of address.
 *
 * Objects that come together mostly lie together. So the label is looked up for each slab
 * here, not for each object: what comes after an object is compared with it. Where the stride
 * is a power of two, the bits which all objects of a slab have in common tell them from
 * anything else, and eight are compared at once. Nothing is ever compared with an address that
 * was not itself found to be an object.
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
static __always_inline size_t nr_loaded(const struct quarry_cpu_cache *m)
{
	return m->end == &m->stub[1] ? 0 : m->top - m->loaded->slot;
}

/*
 * The newest @nr; there are as many. Not by memcpy(): for this few words its call costs
 * more than it saves.
 */
static __always_inline void copy_out(struct quarry_cpu_cache *m, size_t nr, void **p)
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
static bool next_full(struct quarry_cache *cache, struct quarry_cpu_cache *m)
{
	struct quarry_cache_node *n = quarry_cpu_cache_node(m);
	unsigned long flags;
	bool done = quarry_cpu_cache_swap_full(m);

	/* A magazine that is too small for one call is a miss. */
	quarry_cpu_cache_event(cache, m);
	if (!done) {
		quarry_node_lock(n, &flags, false);
		done = quarry_cpu_cache_take_full(m, &n->depot);
		quarry_node_unlock(n, flags);
		quarry_cache_count_add(cache, QUARRY_CPU_CACHE_EXCHANGES, done);
	}
	if (done)
		quarry_cache_count(cache, QUARRY_CPU_CACHE_SLOW_ALLOCS);
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
		some = quarry_slab_list_take(&n->plain, min_t(size_t, nr - got, BATCH), p + got);
		quarry_node_unlock(n, flags);
		got += some;
	} while (some == BATCH);
	quarry_cache_count_add(cache, QUARRY_CPU_CACHE_SLOW_ALLOCS, got);
	quarry_cache_count_add(cache, QUARRY_CPU_CACHE_DIRECT_ALLOCS, got);
	return got;
}

/* From as many magazines, and then slabs, as it takes. */
static size_t take_many(struct quarry_cache *cache, size_t nr, void **p)
{
	struct quarry_cpu_cache *m;
	size_t got = 0, some;

	preempt_disable();
	m = this_cpu_ptr(cache->cpu_cache);
	if (!quarry_cpu_cache_is_busy(m) && !m->disabled) {
		quarry_cpu_cache_set_busy(m);
		for (;;) {
			some = min(nr - got, nr_loaded(m));
			copy_out(m, some, p + got);
			got += some;
			quarry_cpu_cache_close(m);
			if (got == nr || !next_full(cache, m))
				break;
			quarry_cpu_cache_open(m);
		}
		if (got < nr)
			got += take_slabs(cache, quarry_cpu_cache_node(m), nr - got, p + got);
		if (!m->loaded)
			m->wants |= QUARRY_WANTS_MAGAZINE;
		quarry_cpu_cache_open(m);
		quarry_cpu_cache_clear_busy(m);
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
		quarry_magazine_refill(cache);
		if (!(gfp & QUARRY_GFP_OBJECT_SLOW))
			some = take_many(cache, want, p + got);
		quarry_objects_out(cache, p + got, some);
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
	struct quarry_cpu_cache *m;

	quarry_might_alloc(gfp);
	if (unlikely(gfp & QUARRY_GFP_OBJECT_SLOW || want_init_on_alloc(gfp)))
		return alloc_bulk_slow(cache, gfp, nr, p);
	preempt_disable();
	m = this_cpu_ptr(cache->cpu_cache);
	if (likely(quarry_cpu_cache_try_busy(m))) {
		if (likely(nr_loaded(m) >= nr)) {
			copy_out(m, nr, p);
			quarry_cpu_cache_clear_busy(m);
			preempt_enable();
			quarry_objects_out(cache, p, nr);
			return nr;
		}
		quarry_cpu_cache_clear_busy(m);
	}
	preempt_enable();
	return alloc_bulk_slow(cache, gfp, nr, p);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_alloc_bulk, QUARRY_NS);

/*
 * Is this an object that belongs in these magazines? Then *@label is that of its slab, and
 * *@same the bits that its objects have in common.
 */
static __always_inline bool belongs(struct quarry_cache *cache, const struct quarry_cpu_cache *m,
				    void *object, u64 *label, u64 *same)
{
	if (unlikely(!quarry_label_look(quarry_object_pfn(object), label)) ||
	    (u32)*label != m->tag || !quarry_starts_at(&m->starts, *label, object))
		return false;
	/* Not before: that its slab is a least one may have been counted just now. */
	smp_rmb();
	*same = quarry_cache_same(cache);
	return true;
}

/* Copy one, and add to @far the bits in which it differs from @first. */
static __always_inline void copy_one(void **to, void **from, unsigned long first,
				     unsigned long *far)
{
	void *object = *from;

	*to = object;
	*far |= (unsigned long)object ^ first;
	/* One after the other: gcc would run out of registers for all of them at once. */
	OPTIMIZER_HIDE_VAR(*far);
}

/* Copy eight. Returns the bits in which any of them differs from @first. */
static __always_inline unsigned long copy_eight(void **to, void **from, unsigned long first)
{
	unsigned long far = 0;

	copy_one(to + 0, from + 0, first, &far);
	copy_one(to + 1, from + 1, first, &far);
	copy_one(to + 2, from + 2, first, &far);
	copy_one(to + 3, from + 3, first, &far);
	copy_one(to + 4, from + 4, first, &far);
	copy_one(to + 5, from + 5, first, &far);
	copy_one(to + 6, from + 6, first, &far);
	copy_one(to + 7, from + 7, first, &far);
	return far;
}

/*
 * Into the loaded magazine, up to one that does not belong there; there is room. The first of
 * each slab is looked up, and those after it are compared with it.
 */
static __always_inline size_t copy_in(struct quarry_cache *cache, struct quarry_cpu_cache *m,
				      size_t nr, void **p)
{
	void **start = p, **end = p + nr, **to = m->top, **eights;
	unsigned long first;
	u64 label, same;

	while (p != end && belongs(cache, m, *p, &label, &same)) {
		first = (unsigned long)*p;
		/* Of an even stride the bits in common say all. */
		eights = same & 1 ? p + ((end - p) & ~7UL) : p;
		for (; p != eights; p += 8, to += 8) {
			/* A slab mostly ends between two eights, for it was taken by eights. */
			if (((unsigned long)*p ^ first) & same)
				break;
			if (likely(!(copy_eight(to, p, first) & same)))
				continue;
			/* One of them is the first of another slab, or nothing of ours. */
			for (; !(((unsigned long)*p ^ first) & same); p++)
				to++;
			break;
		}
		for (; p != end && !(((unsigned long)*p ^ first) & same); *to++ = *p++)
			if (!(same & 1) && !quarry_starts_at(&m->starts, label, *p))
				break;
	}
	nr = p - start;
	quarry_objects_in(cache, start, nr);
	m->top += nr;
	m->frees += nr;
	return nr;
}

/* The loaded magazine is full: another one, from this CPU or the depot. Closed. */
static bool next_room(struct quarry_cache *cache, struct quarry_cpu_cache *m)
{
	struct quarry_cache_node *n = quarry_cpu_cache_node(m);
	unsigned long flags;
	bool done = quarry_cpu_cache_swap_room(m);

	quarry_cpu_cache_event(cache, m);
	if (!done) {
		quarry_node_lock(n, &flags, false);
		done = quarry_cpu_cache_put_full(m, &n->depot);
		quarry_node_unlock(n, flags);
		quarry_cache_count_add(cache, QUARRY_CPU_CACHE_EXCHANGES, done);
	}
	if (done)
		quarry_cache_count(cache, QUARRY_CPU_CACHE_SLOW_FREES);
	return done;
}

/* Past the magazines, up to one object that does not belong to this node. Preemption off. */
static size_t put_slabs(struct quarry_cache *cache, struct quarry_cpu_cache *m, size_t nr, void **p)
{
	struct quarry_cache_node *n = quarry_cpu_cache_node(m);
	size_t i, start, taken = 0;
	u64 label, same;

	for (i = 0; i < nr && belongs(cache, m, p[i], &label, &same); i++)
		;
	nr = i;
	quarry_objects_in(cache, p, nr);
	for (start = 0; start < nr; start += i) {
		i = min_t(size_t, nr - start, BATCH);
		quarry_objects_sort(p + start, i);
		taken += quarry_node_put(n, p + start, i, false);
	}
	quarry_cache_count_add(cache, QUARRY_CPU_CACHE_SLOW_FREES, taken);
	quarry_cache_count_add(cache, QUARRY_CPU_CACHE_DIRECT_FREES, taken);
	return nr;
}

/* Into magazines and then slabs, up to one object that does not belong there. */
static size_t put_many(struct quarry_cache *cache, size_t nr, void **p)
{
	struct quarry_cpu_cache *m;
	size_t done = 0;
	bool full;

	preempt_disable();
	m = this_cpu_ptr(cache->cpu_cache);
	if (!quarry_cpu_cache_is_busy(m) && !m->disabled) {
		quarry_cpu_cache_set_busy(m);
		for (;;) {
			done += copy_in(cache, m, min_t(size_t, nr - done, m->end - m->top),
					p + done);
			full = m->top == m->end;
			quarry_cpu_cache_close(m);
			if (done == nr || !full || !next_room(cache, m))
				break;
			quarry_cpu_cache_open(m);
		}
		if (done < nr && full)
			done += put_slabs(cache, m, nr - done, p + done);
		if (!m->loaded)
			m->wants |= QUARRY_WANTS_MAGAZINE;
		quarry_cpu_cache_open(m);
		quarry_cpu_cache_clear_busy(m);
	}
	preempt_enable();
	return done;
}

static noinline void free_bulk_slow(struct quarry_cache *cache, size_t nr, void **p)
{
	size_t done = 0, some, put, remote;

	while (done < nr) {
		quarry_magazine_refill(cache);
		/*
		 * The same object twice running: there may be a magazine now where the first
		 * free found none, or none with room.
		 */
		if (unlikely(quarry_object_is_free(cache, p[done]))) {
			quarry_cache_free_slow(cache, p[done++]);
			continue;
		}
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
	struct quarry_cpu_cache *m;
	size_t done = 0;

	if (unlikely(!cache)) {
		quarry_free_bulk(nr, p);
		return;
	}
	preempt_disable();
	m = this_cpu_ptr(cache->cpu_cache);
	if (likely(quarry_cpu_cache_try_busy(m))) {
		if (likely((size_t)(m->end - m->top) >= nr && nr && m->top[-1] != *p))
			done = copy_in(cache, m, nr, p);
		quarry_cpu_cache_clear_busy(m);
	}
	preempt_enable();
	if (unlikely(done < nr))
		free_bulk_slow(cache, nr - done, p + done);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_free_bulk, QUARRY_NS);
