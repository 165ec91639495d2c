// SPDX-License-Identifier: GPL-2.0
/*
 * Many objects at a time.
 *
 * Magazines are entered once, and objects copied a magazine at a time. What the
 * fast path asks of each object is asked of each page here: objects that come
 * together mostly lie together.
 *
 * Contexts: any but NMI.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include "../arena/directory.h"
#include "cache.h"

/* From the loaded magazine, newest first. */
static size_t copy_out(struct quarry_mags *m, size_t nr, void **p)
{
	void **top = m->top;
	size_t i;

	nr = min_t(size_t, nr, m->loaded ? top - m->loaded->slot : 0);
	for (i = 0; i + 4 <= nr; i += 4) {
		p[i] = top[-1];
		p[i + 1] = top[-2];
		p[i + 2] = top[-3];
		p[i + 3] = top[-4];
		top -= 4;
	}
	for (; i < nr; i++)
		p[i] = *--top;
	m->top = top;
	m->allocs += nr;
	return nr;
}

/* As many as magazines, the depot and slabs have. */
static size_t take_many(struct quarry_cache *cache, size_t nr, void **p)
{
	struct quarry_mags *m;
	size_t got = 0;

	preempt_disable();
	m = this_cpu_ptr(cache->mags);
	if (!quarry_mags_is_busy(m) && !m->shut) {
		quarry_mags_mark(m);
		for (;;) {
			if (m->end != &m->stub[1])
				got += copy_out(m, nr - got, p + got);
			if (got == nr)
				break;
			quarry_mags_close(m);
			m->count[QUARRY_MAGS_SLOW_ALLOCS]++;
			if (!quarry_mags_refill(cache, m, false))
				break;
			quarry_mags_open(m);
		}
		quarry_mags_open(m);
		quarry_mags_unmark(m);
	}
	preempt_enable();
	return got;
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
	bool plain = !want_init_on_alloc(gfp) && !(gfp & QUARRY_GFP_OBJECT_SLOW);
	size_t got = 0;

	if (nr > INT_MAX)
		return 0;
	while (got < nr) {
		if (plain)
			got += take_many(cache, nr - got, p + got);
		if (got == nr)
			break;
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
EXPORT_SYMBOL_NS_GPL(quarry_cache_alloc_bulk, QUARRY_NS);

/* Into the loaded magazine, up to one that does not belong there. */
static size_t copy_in(struct quarry_mags *m, size_t nr, void **p)
{
	unsigned long page = 0, pfn;
	struct quarry_slot4m *where;
	void **top = m->top;
	size_t i;

	nr = min_t(size_t, nr, m->end - top);
	for (i = 0; i < nr; i++) {
		if (((unsigned long)p[i] ^ page) >= PAGE_SIZE) {
			pfn = quarry_object_pfn(p[i]);
			if (unlikely(!quarry_directory_look(pfn, &where) ||
				     READ_ONCE(where->tags)[pfn] != quarry_mags_tag(m)))
				break;
			page = (unsigned long)p[i] & PAGE_MASK;
		}
		top[i] = p[i];
	}
	m->top = top + i;
	m->frees += i;
	return i;
}

static size_t put_many(struct quarry_cache *cache, size_t nr, void **p)
{
	struct quarry_mags *m;
	size_t done = 0;

	preempt_disable();
	m = this_cpu_ptr(cache->mags);
	if (!quarry_mags_is_busy(m) && !m->shut) {
		quarry_mags_mark(m);
		for (;;) {
			done += copy_in(m, nr - done, p + done);
			if (done == nr || m->top != m->end)
				break;
			quarry_mags_close(m);
			m->count[QUARRY_MAGS_SLOW_FREES]++;
			if (!quarry_mags_make_room(cache, m, false))
				break;
			quarry_mags_open(m);
		}
		quarry_mags_open(m);
		quarry_mags_unmark(m);
	}
	preempt_enable();
	return done;
}

/**
 * quarry_cache_free_bulk() - give many objects back
 * @cache:	the cache they came from; NULL if they are of several, or of quarry_malloc()
 * @nr:		how many
 * @p:		the objects
 *
 * Each is looked at as by quarry_cache_free(). Context: any but NMI.
 */
void quarry_cache_free_bulk(struct quarry_cache *cache, size_t nr, void **p)
{
	size_t done = 0;

	if (!cache) {
		quarry_free_bulk(nr, p);
		return;
	}
	while (done < nr) {
		if (!want_init_on_free())
			done += put_many(cache, nr - done, p + done);
		/* One that does not belong there, or that found no magazine. */
		if (done < nr)
			quarry_cache_free_slow(cache, p[done++]);
	}
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_free_bulk, QUARRY_NS);
