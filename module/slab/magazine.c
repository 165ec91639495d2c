// SPDX-License-Identifier: GPL-2.0
/*
 * Magazines: objects that are ready to go out, and the depot where CPUs exchange them.
 *
 * A node's slabs have one lock. CPUs that free what others have allocated would go through it
 * for each object; so objects travel in packs, and the lock is taken once a pack.
 *
 * Model (Bonwick and Adams 2001)
 *
 *	    CPU 0                CPU 1
 *	  loaded previous      loaded previous
 *	   [oo.]   [ooo]        [o..]   [...]
 *	      |      ^
 *	      v      |  a whole magazine at a time, under the node's lock
 *	  depot: full [ooo] [ooo]    spare [...]
 *	                 ^
 *	                 |  refill, flush (module/cache)
 *	               slabs
 *
 *	A CPU pops from and pushes to the loaded magazine. When that is empty (or full)
 *	and the previous one is not, the two change places; so a CPU must get through a
 *	whole magazine before it has to go to the depot, and can never run
 *	back and forth between two of its calls.
 *
 *	The life of a magazine: spare -> loaded -> full, in the depot -> loaded on any
 *	CPU of the node -> spare. It is made when one was missed, and freed when the
 *	depot is trimmed or when it is smaller than what a CPU asks for by now.
 *
 * Objects of other nodes
 *	What a CPU frees of another node's is nothing that it may hand out. It goes into a
 *	magazine apart (struct quarry_remote), and when that is full, the whole of it goes
 *	to the depot of the node whose objects it has, for an empty one: one lock a
 *	magazine, as between CPUs of one node. One with objects of several nodes is emptied
 *	into their slabs (module/cache/remote.c).
 *
 * Open and closed
 *	While it is open, top and end point into the loaded magazine, and the fast path
 *	works. While it is closed they point behind a stub that looks
 *	empty to a pop and full to a push, and the magazine's own n counts. The slow
 *	paths work on a closed one. A CPU whose CPU cache is disabled stays closed: that is
 *	how safety modes get to see every call without giving the magazines up.
 *
 * Invariants, checked by quarry_cpu_cache_check() and quarry_depot_check()
 *	n <= cap; below the first slot is NULL; full magazines have objects, spare ones
 *	have none, and the largest is first; the counts are those of the lists
 *
 * Contexts: no lock, no allocation. A struct quarry_cpu_cache belongs to whoever has
 * set its busy mark; a depot has the lock of its node.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "magazine.h"

/**
 * quarry_cpu_cache_init() - a CPU without magazines
 * @m:		filled
 * @tag:	of the slabs of its node
 * @starts:	of the same
 * @cap:	of magazines to come
 */
void quarry_cpu_cache_init(struct quarry_cpu_cache *m, u16 tag, const struct quarry_starts *starts,
			   u32 cap)
{
	memset(m, 0, sizeof(*m));
	m->idle_tag = tag;
	m->tag = tag;
	m->starts = *starts;
	m->cap = cap;
	m->top = &m->stub[1];
	m->end = &m->stub[1];
}

static bool is_open(const struct quarry_cpu_cache *m)
{
	return m->end != &m->stub[1];
}

/**
 * quarry_cpu_cache_open() - let the fast path in
 * @m:	open or closed; stays closed if it has no magazine or is disabled
 */
void quarry_cpu_cache_open(struct quarry_cpu_cache *m)
{
	if (is_open(m) || m->disabled || !m->loaded)
		return;
	m->top = m->loaded->slot + m->loaded->n;
	m->end = m->loaded->slot + m->loaded->cap;
}

/**
 * quarry_cpu_cache_close() - keep the fast path out
 * @m:	open or closed
 */
void quarry_cpu_cache_close(struct quarry_cpu_cache *m)
{
	if (!is_open(m))
		return;
	m->loaded->n = m->top - m->loaded->slot;
	m->top = &m->stub[1];
	m->end = &m->stub[1];
}

/**
 * quarry_cpu_cache_loaded_n() - objects in a CPU's loaded magazine
 * @m:		open or closed, of any CPU
 * @loaded:	its loaded magazine, as was just seen
 *
 * Context: any; the magazine must stay meanwhile. Another CPU's answer may be a moment old.
 */
u32 quarry_cpu_cache_loaded_n(const struct quarry_cpu_cache *m,
			      const struct quarry_magazine *loaded)
{
	unsigned long at = READ_ONCE(m->top) - loaded->slot;

	/* While it is open, top says; while it is not, top is nowhere near. */
	return at <= loaded->cap ? at : READ_ONCE(loaded->n);
}

/**
 * quarry_cpu_cache_n() - objects in a CPU's magazines
 * @m:	open or closed, of any CPU
 *
 * Context: any; the magazines must stay meanwhile. Another CPU's answer may be a moment
 * old.
 */
u32 quarry_cpu_cache_n(const struct quarry_cpu_cache *m)
{
	const struct quarry_magazine *loaded = READ_ONCE(m->loaded);
	const struct quarry_magazine *previous = READ_ONCE(m->previous);
	u32 n = previous ? READ_ONCE(previous->n) : 0;

	return loaded ? n + quarry_cpu_cache_loaded_n(m, loaded) : n;
}

/**
 * quarry_magazine_init() - an empty magazine
 * @mag:	memory for it and @cap slots
 * @cap:	objects that fit
 */
void quarry_magazine_init(struct quarry_magazine *mag, u32 cap)
{
	INIT_LIST_HEAD(&mag->link);
	mag->n = 0;
	mag->cap = cap;
	mag->guard = NULL;
}

/**
 * quarry_objects_sort() - put objects in the order of their addresses
 * @objects:	which
 * @nr:		how many
 *
 * Those with low addresses are to go out first, so they come last. Shell sort with
 * Ciura's steps: no recursion, no memory, and magazines are small.
 */
void quarry_objects_sort(void **objects, u32 nr)
{
	static const u32 steps[] = { 301, 132, 57, 23, 10, 4, 1 };
	u32 s, i, j, step;
	void *object;

	for (s = 0; s < ARRAY_SIZE(steps); s++) {
		step = steps[s];
		for (i = step; i < nr; i++) {
			object = objects[i];
			for (j = i; j >= step && objects[j - step] < object; j -= step)
				objects[j] = objects[j - step];
			objects[j] = object;
		}
	}
}

static void swap_two(struct quarry_cpu_cache *m)
{
	struct quarry_magazine *loaded = m->loaded;

	m->loaded = m->previous;
	m->previous = loaded;
}

/* The loaded magazine is empty: has the previous one an object? @m is closed. */
bool quarry_cpu_cache_swap_full(struct quarry_cpu_cache *m)
{
	if (!m->previous || !m->previous->n)
		return false;
	swap_two(m);
	return true;
}

/* The loaded magazine is full: has the previous one room? @m is closed. */
bool quarry_cpu_cache_swap_room(struct quarry_cpu_cache *m)
{
	if (!m->previous || m->previous->n == m->previous->cap)
		return false;
	swap_two(m);
	return true;
}

/* Move the objects of small full magazines into a larger one, while they fit. */
static void magazine_gather(struct quarry_magazine *mag, struct quarry_depot *d)
{
	struct quarry_magazine *full;

	while (!list_empty(&d->full)) {
		full = list_first_entry(&d->full, struct quarry_magazine, link);
		if (full->cap >= mag->cap || full->n > mag->cap - mag->n)
			return;
		quarry_depot_get_full(d);
		memcpy(mag->slot + mag->n, full->slot, full->n * sizeof(full->slot[0]));
		mag->n += full->n;
		full->n = 0;
		quarry_depot_put(d, full);
	}
}

/**
 * quarry_cpu_cache_take_full() - exchange an empty magazine for a full one
 * @m:	closed, with no object
 * @d:	the node's depot
 *
 * A magazine that is larger than those of the depot is kept, and filled from them: so the
 * small ones come to be spare, and are freed.
 *
 * Return: false if the depot has none, or is disabled.
 */
bool quarry_cpu_cache_take_full(struct quarry_cpu_cache *m, struct quarry_depot *d)
{
	struct quarry_magazine *mag;

	if (d->disabled)
		return false;
	if (m->previous && (!m->loaded || m->previous->cap > m->loaded->cap))
		swap_two(m);
	if (m->loaded)
		magazine_gather(m->loaded, d);
	if (m->loaded && m->loaded->n)
		return true;
	mag = quarry_depot_get_full(d);
	if (!mag)
		return false;
	if (m->previous)
		quarry_depot_put(d, m->previous);
	m->previous = m->loaded;
	m->loaded = mag;
	return true;
}

/**
 * quarry_cpu_cache_put_full() - exchange a full magazine for an empty one
 * @m:	closed, with no room
 * @d:	the node's depot
 *
 * Return: false if the depot has no spare one.
 */
bool quarry_cpu_cache_put_full(struct quarry_cpu_cache *m, struct quarry_depot *d)
{
	struct quarry_magazine *mag = quarry_depot_get_spare(d);

	if (!mag)
		return false;
	if (m->previous)
		quarry_depot_put(d, m->previous);
	m->previous = m->loaded;
	m->loaded = mag;
	return true;
}

/**
 * quarry_cpu_cache_install() - put a new magazine in the place of a smaller one
 * @m:		closed
 * @mag:	empty
 *
 * Return: the magazine that is left over, empty; @mag if neither is smaller; NULL if @m had
 * none.
 */
struct quarry_magazine *quarry_cpu_cache_install(struct quarry_cpu_cache *m,
						 struct quarry_magazine *mag)
{
	struct quarry_magazine **place = &m->loaded, *old;

	if (m->loaded && (!m->previous || m->previous->cap < m->loaded->cap))
		place = &m->previous;
	old = *place;
	if (old && old->cap >= mag->cap)
		return mag;
	if (old) {
		memcpy(mag->slot, old->slot, old->n * sizeof(old->slot[0]));
		mag->n = old->n;
		WRITE_ONCE(old->n, 0);
		/*
		 * They came in small lots from here and there. The newest stays the newest, for
		 * it is what a second free is compared with.
		 */
		quarry_objects_sort(mag->slot, mag->n - !!mag->n);
	}
	*place = mag;
	return old;
}

/**
 * quarry_cpu_cache_fit() - load a spare magazine if it is larger, or if none is loaded
 * @m:	closed, with no object
 * @d:	the node's depot; while it is disabled nobody gets his first one
 *
 * Return: has @m a magazine loaded?
 */
bool quarry_cpu_cache_fit(struct quarry_cpu_cache *m, struct quarry_depot *d)
{
	struct quarry_magazine *mag;

	if (list_empty(&d->spare) || (d->disabled && !m->loaded))
		return m->loaded;
	mag = list_first_entry(&d->spare, struct quarry_magazine, link);
	if (m->loaded && mag->cap <= m->loaded->cap)
		return true;
	mag = quarry_depot_get_spare(d);
	if (m->loaded)
		quarry_depot_put(d, m->loaded);
	m->loaded = mag;
	return true;
}

/**
 * quarry_remote_push() - take an object of another node
 * @r:		a CPU's
 * @tag:	of the object's slab
 * @object:	the object
 *
 * Return: false if there is no magazine, or no room.
 */
bool quarry_remote_push(struct quarry_remote *r, u32 tag, void *object)
{
	struct quarry_magazine *mag = r->mag;

	if (!mag || mag->n == mag->cap)
		return false;
	if (!mag->n)
		r->tag = tag;
	else if (r->tag != tag)
		r->tag = 0;
	mag->slot[mag->n] = object;
	WRITE_ONCE(mag->n, mag->n + 1);
	return true;
}

/* The last one taken, or NULL. */
void *quarry_remote_pop(struct quarry_remote *r)
{
	struct quarry_magazine *mag = r->mag;

	if (!mag || !mag->n)
		return NULL;
	WRITE_ONCE(mag->n, mag->n - 1);
	return mag->slot[mag->n];
}

/**
 * quarry_remote_put_full() - exchange a magazine of another node's objects for an empty one
 * @r:	a CPU's, with a magazine; its objects are all of one node
 * @d:	the depot of that node
 *
 * Return: false if the depot has no spare one, or is disabled.
 */
bool quarry_remote_put_full(struct quarry_remote *r, struct quarry_depot *d)
{
	struct quarry_magazine *mag = d->disabled ? NULL : quarry_depot_get_spare(d);

	if (!mag)
		return false;
	quarry_depot_put(d, r->mag);
	WRITE_ONCE(r->mag, mag);
	return true;
}

/**
 * quarry_remote_install() - put a new magazine in the place of a smaller one
 * @r:		a CPU's
 * @mag:	empty
 *
 * Return: the magazine that is left over, empty: the old one, or @mag if that is as large;
 * NULL if there was none.
 */
struct quarry_magazine *quarry_remote_install(struct quarry_remote *r,
					      struct quarry_magazine *mag)
{
	struct quarry_magazine *old = r->mag;

	if (old && old->cap >= mag->cap)
		return mag;
	if (old) {
		memcpy(mag->slot, old->slot, old->n * sizeof(old->slot[0]));
		mag->n = old->n;
		WRITE_ONCE(old->n, 0);
	}
	WRITE_ONCE(r->mag, mag);
	return old;
}

/**
 * quarry_remote_n() - objects of other nodes that a CPU has
 * @r:	of any CPU
 *
 * Context: any; the magazine must stay meanwhile. Another CPU's answer may be a moment
 * old.
 */
u32 quarry_remote_n(const struct quarry_remote *r)
{
	const struct quarry_magazine *mag = READ_ONCE(r->mag);

	return mag ? READ_ONCE(mag->n) : 0;
}

void quarry_depot_init(struct quarry_depot *d)
{
	memset(d, 0, sizeof(*d));
	INIT_LIST_HEAD(&d->full);
	INIT_LIST_HEAD(&d->spare);
}

static u32 magazine_cap_of(const struct list_head *link)
{
	return list_entry(link, struct quarry_magazine, link)->cap;
}

/**
 * quarry_depot_put() - leave a magazine
 * @d:		the depot
 * @mag:	with objects or without
 *
 * Cost: one step for one with objects, and for the largest; else one for each spare one
 * that is smaller, and those are freed before long.
 */
void quarry_depot_put(struct quarry_depot *d, struct quarry_magazine *mag)
{
	struct list_head *at = &d->spare;

	if (mag->n) {
		list_add(&mag->link, &d->full);
		d->nr_full++;
		d->nr_objects += mag->n;
		return;
	}
	/* The large ones are taken first, so that small ones are left to be freed. */
	if (!list_empty(at) && magazine_cap_of(at->next) > mag->cap)
		do {
			at = at->prev;
		} while (magazine_cap_of(at) < mag->cap);
	list_add(&mag->link, at);
	d->nr_spare++;
}

/* A magazine with objects, the last one left; or NULL. */
struct quarry_magazine *quarry_depot_get_full(struct quarry_depot *d)
{
	struct quarry_magazine *mag;

	if (list_empty(&d->full))
		return NULL;
	mag = list_first_entry(&d->full, struct quarry_magazine, link);
	list_del(&mag->link);
	d->nr_full--;
	d->nr_objects -= mag->n;
	d->low_full = min(d->low_full, d->nr_full);
	return mag;
}

/* The largest empty magazine, or NULL. */
struct quarry_magazine *quarry_depot_get_spare(struct quarry_depot *d)
{
	struct quarry_magazine *mag;

	if (list_empty(&d->spare))
		return NULL;
	mag = list_first_entry(&d->spare, struct quarry_magazine, link);
	list_del(&mag->link);
	d->nr_spare--;
	return mag;
}

/* The smallest empty magazine, if it has fewer than @cap slots, to be freed; or NULL. */
struct quarry_magazine *quarry_depot_get_small(struct quarry_depot *d, u32 cap)
{
	struct quarry_magazine *mag;

	if (list_empty(&d->spare))
		return NULL;
	mag = list_last_entry(&d->spare, struct quarry_magazine, link);
	if (mag->cap >= cap)
		return NULL;
	list_del(&mag->link);
	d->nr_spare--;
	return mag;
}

/* An object for who takes no magazine; NULL if there is none, or if the depot is disabled. */
void *quarry_depot_pop(struct quarry_depot *d)
{
	struct quarry_magazine *mag;
	void *object;

	if (d->disabled || list_empty(&d->full))
		return NULL;
	mag = quarry_depot_get_full(d);
	object = mag->slot[--mag->n];
	quarry_depot_put(d, mag);
	return object;
}

/* What is wrong with a magazine that nobody has open, in words; or NULL. */
const char *quarry_magazine_check(const struct quarry_magazine *mag)
{
	u32 i;

	if (mag->guard)
		return "something stands below a magazine's first object";
	if (mag->n > mag->cap)
		return "a magazine holds more than it can";
	for (i = 0; i < mag->n; i++)
		if (!mag->slot[i])
			return "a magazine holds nothing where an object should be";
	return NULL;
}

/**
 * quarry_depot_check() - check every invariant
 * @d:	the depot
 *
 * Return: NULL, or what is wrong, in words.
 */
const char *quarry_depot_check(const struct quarry_depot *d)
{
	const struct quarry_magazine *mag;
	u32 full = 0, spare = 0, most = ~0U;
	u64 objects = 0;
	const char *what;

	list_for_each_entry(mag, &d->full, link) {
		what = quarry_magazine_check(mag);
		if (what)
			return what;
		if (!mag->n)
			return "an empty magazine is among the full ones";
		objects += mag->n;
		full++;
	}
	list_for_each_entry(mag, &d->spare, link) {
		what = quarry_magazine_check(mag);
		if (what)
			return what;
		if (mag->n)
			return "a magazine with objects is among the spare ones";
		if (mag->cap > most)
			return "a spare magazine comes before a larger one";
		most = mag->cap;
		spare++;
	}
	if (full != d->nr_full || spare != d->nr_spare || objects != d->nr_objects)
		return "the sums of a depot are wrong";
	if (d->low_full > d->nr_full)
		return "a depot never had so few magazines";
	return NULL;
}

/**
 * quarry_cpu_cache_check() - check every invariant
 * @m:	closed
 *
 * Return: NULL, or what is wrong, in words.
 */
const char *quarry_cpu_cache_check(const struct quarry_cpu_cache *m)
{
	const char *what = NULL;

	if (m->stub[0])
		return "something stands in the stub";
	if (is_open(m))
		return "magazines are open that should be closed";
	if (m->previous && !m->loaded)
		return "there is a previous magazine, but none is loaded";
	if (m->loaded)
		what = quarry_magazine_check(m->loaded);
	if (!what && m->previous)
		what = quarry_magazine_check(m->previous);
	return what;
}

/**
 * quarry_remote_check() - check every invariant
 * @r:	a CPU's, while nobody changes it
 *
 * Return: NULL, or what is wrong, in words.
 */
const char *quarry_remote_check(const struct quarry_remote *r)
{
	return r->mag ? quarry_magazine_check(r->mag) : NULL;
}
