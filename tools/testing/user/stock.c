// SPDX-License-Identifier: GPL-2.0
/*
 * Where is each object? A few CPUs with magazines, one depot and one struct
 * quarry_slab_list, used as module/cache uses them, beside a model.
 *
 * Model
 *	A byte for each object says where it is: in its slab, in a magazine, or out with
 *	a client. A magazine is an array that is counted, a list of the depot an array
 *	whose entry 0 is the list's first. Every call of the core is made beside the
 *	same in the model, and must answer the same.
 *
 *	stock_check() compares all there is: each magazine slot by slot, each list of
 *	the depot entry by entry, each object's bit, and asks the core's own checks.
 *	An object that is in two places, or in none, is found there at the latest.
 *
 * Magazines, CPUs and descriptions of slabs are allocated one by one at their exact
 * size, so that AddressSanitizer sees a slot too far. One thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/minmax.h>

#include "../../../module/slab/magazine.h"
#include "../../../module/slab/slab.h"
#include "stock.h"

#define LINE	64u
#define CPUS	3u
#define SLABS	8u
#define MAGS	24u
#define CAP	28u
#define OUT	512u

/* As module/cache/alloc.c has it: most objects from slabs to a magazine at a time. */
#define REFILL	64u

static const u32 caps[] = { 1, 2, 3, 4, 12, CAP };

enum place { IN_SLAB, IN_MAGAZINE, IS_OUT };

struct mag {
	struct quarry_magazine *real;
	u32 cap;
	u32 n;
	void *object[CAP];
};

struct pile {
	struct mag *mag[MAGS];
	u32 n;
};

struct cpu {
	struct quarry_cpu_cache *m;
	struct mag *loaded;
	struct mag *previous;
	bool open;
};

/**
 * struct stock - the core's structures, and the model of each
 * @shape:	of slabs
 * @lead:	bytes of each stride before the object
 * @bytes:	of a slab
 * @slabs:	the core's
 * @depot:	the core's
 * @cpu:	both
 * @memory:	SLABS blocks that slabs are made of
 * @slab:	the core's, NULL where a block is none
 * @first:	where the model has its first object
 * @place:	of each object
 * @added:	slabs, ever
 * @nr_slabs:	slabs
 * @nr_in:	objects in their slab
 * @full:	the depot
 * @spare:	the depot
 * @low:	least full.n since the depot was trimmed
 * @nr_mags:	magazines, all told
 * @out:	objects with clients
 * @nr_out:	how many
 * @filling:	more is taken than given back
 * @seed:	for who reads a failure
 * @step:	likewise
 */
struct stock {
	struct quarry_shape shape;
	struct quarry_shape least;
	u32 lead;
	u32 bytes;
	struct quarry_slab_list slabs;
	struct quarry_depot depot;
	struct cpu cpu[CPUS];
	char *memory;
	struct quarry_slab *slab[SLABS];
	char *first[SLABS];
	u8 *place[SLABS];
	u64 added;
	u64 nr_slabs;
	u64 nr_in;
	struct pile full;
	struct pile spare;
	u32 low;
	u32 nr_mags;
	void *out[OUT];
	unsigned int nr_out;
	bool filling;
	u64 seed;
	u64 step;
};

__noreturn __printf(2, 3) static void fail(const struct stock *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# seed %llu step %llu: ", t->seed, t->step);
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
	abort();
}

/* --- objects ---------------------------------------------------------------- */

static unsigned int slab_of(const struct stock *t, const void *object)
{
	unsigned long i = ((char *)object - t->memory) / t->bytes;

	if ((char *)object < t->memory || i >= SLABS || !t->slab[i])
		fail(t, "an object of no slab");
	return i;
}

static u8 *place_of(const struct stock *t, const void *object)
{
	unsigned int i = slab_of(t, object);
	unsigned long offset = (char *)object - t->first[i];

	if (offset % t->shape.stride || offset / t->shape.stride >= t->shape.nr)
		fail(t, "an object lies askew");
	return &t->place[i][offset / t->shape.stride];
}

static void move(const struct stock *t, const void *object, enum place from, enum place to)
{
	u8 *place = place_of(t, object);

	if (*place != from)
		fail(t, "an object is in place %u, not %u", *place, from);
	*place = to;
}

/* --- slabs ------------------------------------------------------------------ */

static void add_slab(struct stock *t)
{
	struct quarry_slab *slab;
	char *start, *first;
	unsigned int i;

	for (i = 0; i < SLABS && t->slab[i]; i++)
		;
	if (i == SLABS)
		return;
	slab = malloc(quarry_slab_metadata_bytes(&t->shape));
	t->place[i] = calloc(t->shape.nr, 1);
	if (!slab || !t->place[i])
		fail(t, "no memory");
	start = t->memory + i * t->bytes;
	first = start + t->added++ % t->shape.colours * t->shape.step + t->lead;
	if (quarry_slab_list_first(&t->slabs, false, (unsigned long)start) != (unsigned long)first)
		fail(t, "the first object is to lie at the wrong place");
	quarry_slab_init(slab, &t->slabs, false, false, (unsigned long)first);
	quarry_slab_list_add(slab);
	if (quarry_slab_start(slab) != (unsigned long)start)
		fail(t, "a slab does not know where it begins");
	t->slab[i] = slab;
	t->first[i] = first;
	t->nr_slabs++;
	t->nr_in += t->shape.nr;
}

static bool is_empty(const struct stock *t, unsigned int i)
{
	u32 k;

	for (k = 0; t->slab[i] && k < t->shape.nr; k++)
		if (t->place[i][k] != IN_SLAB)
			return false;
	return t->slab[i];
}

static bool remove_slab(struct stock *t)
{
	struct quarry_slab *slab = quarry_slab_list_remove_empty(&t->slabs);
	unsigned int i;

	for (i = 0; !slab && i < SLABS; i++)
		if (is_empty(t, i))
			fail(t, "an empty slab was not found");
	if (!slab)
		return false;
	i = slab_of(t, (void *)slab->first);
	if (t->slab[i] != slab || !is_empty(t, i))
		fail(t, "a slab with objects elsewhere was given up");
	free(t->place[i]);
	free(slab);
	t->slab[i] = NULL;
	t->nr_slabs--;
	t->nr_in -= t->shape.nr;
	return true;
}

static u32 take_from_slabs(struct stock *t, u32 nr, void **objects, enum place to)
{
	u32 i, got = quarry_slab_list_take(&t->slabs, nr, objects);

	if (got != min_t(u64, nr, t->nr_in))
		fail(t, "%u of %u taken from slabs with %llu", got, nr, t->nr_in);
	for (i = 0; i < got; i++)
		move(t, objects[i], IN_SLAB, to);
	t->nr_in -= got;
	return got;
}

static void put_to_slab(struct stock *t, void *object, enum place from)
{
	move(t, object, from, IN_SLAB);
	if (quarry_slab_put(t->slab[slab_of(t, object)], object) != QUARRY_SLAB_OK)
		fail(t, "an object was refused");
	t->nr_in++;
}

/* What is no object that is out: nothing may change by it. */
static void put_wrongly(struct stock *t, struct dice *d)
{
	unsigned int i = dice(d, SLABS);
	u32 k = dice(d, t->shape.nr);
	char *object;

	if (!t->slab[i])
		return;
	object = t->first[i] + (u64)k * t->shape.stride;
	if (t->place[i][k] == IN_SLAB &&
	    quarry_slab_put(t->slab[i], object) != QUARRY_SLAB_FREE)
		fail(t, "an object that is here was taken");
	if (quarry_slab_put(t->slab[i], t->first[i] - 1 - dice(d, 64)) != QUARRY_SLAB_OUTSIDE)
		fail(t, "what lies before the first object was taken");
	if (k + 1 < t->shape.nr &&
	    quarry_slab_put(t->slab[i], object + 1 + dice(d, t->shape.stride - 1)) !=
	    QUARRY_SLAB_INTERIOR)
		fail(t, "the middle of an object was taken");
}

/* --- the depot -------------------------------------------------------------- */

static struct mag *pile_take(struct pile *p, u32 at)
{
	struct mag *mag = p->mag[at];

	p->n--;
	memmove(p->mag + at, p->mag + at + 1, (p->n - at) * sizeof(mag));
	return mag;
}

static void pile_add(struct pile *p, struct mag *mag, u32 at)
{
	memmove(p->mag + at + 1, p->mag + at, (p->n - at) * sizeof(mag));
	p->mag[at] = mag;
	p->n++;
}

static struct mag *mag_new(struct stock *t, u32 cap)
{
	struct mag *mag = calloc(1, sizeof(*mag));

	if (!mag)
		fail(t, "no memory");
	mag->cap = cap;
	mag->real = malloc(sizeof(*mag->real) + cap * sizeof(mag->real->slot[0]));
	if (!mag->real)
		fail(t, "no memory");
	/* What a slot holds that is not in use must not matter. */
	memset(mag->real, 0x5a, sizeof(*mag->real) + cap * sizeof(mag->real->slot[0]));
	quarry_magazine_init(mag->real, cap);
	t->nr_mags++;
	return mag;
}

static void mag_free(struct stock *t, struct mag *mag)
{
	if (mag->n)
		fail(t, "a magazine with objects is to be freed");
	t->nr_mags--;
	free(mag->real);
	free(mag);
}

static void model_put(struct stock *t, struct mag *mag)
{
	u32 at = 0;

	if (mag->n) {
		pile_add(&t->full, mag, 0);
		return;
	}
	/* The largest first; of the largest the one put last, of others that put first. */
	while (at < t->spare.n && t->spare.mag[0]->cap > mag->cap &&
	       t->spare.mag[at]->cap >= mag->cap)
		at++;
	pile_add(&t->spare, mag, at);
}

static struct mag *model_get_full(struct stock *t)
{
	if (!t->full.n)
		return NULL;
	t->low = min(t->low, t->full.n - 1);
	return pile_take(&t->full, 0);
}

static struct mag *model_get_spare(struct stock *t)
{
	return t->spare.n ? pile_take(&t->spare, 0) : NULL;
}

static void same(const struct stock *t, const struct mag *mag,
		 const struct quarry_magazine *real, const char *what)
{
	if (real != (mag ? mag->real : NULL))
		fail(t, "%s: another magazine, or none", what);
}

static void depot_put(struct stock *t, struct mag *mag)
{
	quarry_depot_put(&t->depot, mag->real);
	model_put(t, mag);
}

static struct mag *depot_get_full(struct stock *t)
{
	struct mag *mag = model_get_full(t);

	same(t, mag, quarry_depot_get_full(&t->depot), "get full");
	return mag;
}

static struct mag *depot_get_spare(struct stock *t)
{
	struct mag *mag = model_get_spare(t);

	same(t, mag, quarry_depot_get_spare(&t->depot), "get spare");
	return mag;
}

/* @mark: what it holds, so that an object that is in two slots is seen. */
static u64 check_mag(const struct stock *t, const struct mag *mag, const char *whose,
		     bool mark)
{
	u32 i;

	if (!mag)
		return 0;
	if (mag->real->n != mag->n || mag->real->cap != mag->cap)
		fail(t, "%s: %u of %u objects, model %u of %u", whose, mag->real->n,
		     mag->real->cap, mag->n, mag->cap);
	for (i = 0; i < mag->n; i++) {
		if (mag->real->slot[i] != mag->object[i])
			fail(t, "%s: another object in slot %u", whose, i);
		if (mark)
			move(t, mag->object[i], IN_MAGAZINE, IN_MAGAZINE | 0x80);
	}
	return mag->n;
}

static void drop_small(struct stock *t, u32 cap)
{
	struct mag *mag = NULL;

	if (t->spare.n && t->spare.mag[t->spare.n - 1]->cap < cap)
		mag = pile_take(&t->spare, t->spare.n - 1);
	same(t, mag, quarry_depot_get_small(&t->depot, cap), "get small");
	if (mag)
		mag_free(t, mag);
}

/* Low addresses last: qsort() wants to know who comes first. */
static int compare(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return (x < y) - (x > y);
}

/* The oldest objects of a magazine that is nobody else's. */
static void flush(struct stock *t, struct mag *mag, u32 nr)
{
	struct quarry_magazine *real = mag->real;
	u32 i;

	qsort(mag->object, nr, sizeof(mag->object[0]), compare);
	quarry_objects_sort(real->slot, nr);
	for (i = 0; i < nr; i++) {
		if (real->slot[i] != mag->object[i])
			fail(t, "another object in slot %u", i);
		put_to_slab(t, real->slot[i], IN_MAGAZINE);
	}
	real->n -= nr;
	mag->n -= nr;
	memmove(real->slot, real->slot + nr, real->n * sizeof(real->slot[0]));
	memmove(mag->object, mag->object + nr, mag->n * sizeof(mag->object[0]));
}

/* One object for who takes no magazine: the newest of the first full one. */
static void *depot_pop(struct stock *t)
{
	struct mag *mag = model_get_full(t);
	void *object = quarry_depot_pop(&t->depot);

	if (object != (mag ? mag->object[mag->n - 1] : NULL))
		fail(t, "out of the depot: another object, or none");
	if (mag) {
		mag->n--;
		model_put(t, mag);
	}
	return object;
}

/* At most @keep of each kind may stay. */
static void drain_depot(struct stock *t, u32 keep)
{
	struct mag *mag;

	for (;;) {
		if (t->full.n > keep)
			mag = depot_get_full(t);
		else if (t->spare.n > keep)
			mag = depot_get_spare(t);
		else
			return;
		flush(t, mag, mag->n);
		mag_free(t, mag);
	}
}

/* --- CPUs ------------------------------------------------------------------- */

/* What the frames of an object's slab would be labelled with. */
static u64 label_of(const struct stock *t, const void *object, u16 tag)
{
	return quarry_shape_label(&t->shape, (unsigned long)t->first[slab_of(t, object)], tag);
}

/* An interrupt finds the magazines busy, or not of the object's tag. */
static void fast_path_fails(const struct stock *t, struct cpu *c, u16 tag)
{
	u64 label = quarry_shape_label(&t->shape, (unsigned long)t->memory, tag);
	void **top = c->m->top;
	u64 calls = c->m->allocs + c->m->frees;

	if (quarry_cpu_cache_push(c->m, label, t->memory) ||
	    (c->m->idle_tag & QUARRY_CPU_CACHE_BUSY && quarry_cpu_cache_pop(c->m)))
		fail(t, "the fast path works where it must not");
	if (c->m->top != top || c->m->allocs + c->m->frees != calls)
		fail(t, "the fast path has left a trace");
}

static void enter(struct stock *t, struct cpu *c)
{
	u16 tag = c->m->tag;

	quarry_cpu_cache_set_busy(c->m);
	fast_path_fails(t, c, tag);
	quarry_cpu_cache_close(c->m);
	c->open = false;
	if (c->loaded && c->loaded->real->n != c->loaded->n)
		fail(t, "closed with %u objects, model %u", c->loaded->real->n, c->loaded->n);
	if (c->m->top[-1] || c->m->top != c->m->end)
		fail(t, "closed, but the fast path would work");
}

static void leave(struct cpu *c)
{
	quarry_cpu_cache_open(c->m);
	c->open = !c->m->disabled && c->loaded;
	quarry_cpu_cache_clear_busy(c->m);
}

static void same_two(const struct stock *t, const struct cpu *c, const char *what)
{
	same(t, c->loaded, c->m->loaded, what);
	same(t, c->previous, c->m->previous, what);
}

static bool swap_two(struct stock *t, struct cpu *c, bool full)
{
	struct mag *loaded = c->loaded;
	bool will = c->previous && (full ? c->previous->n > 0 :
					   c->previous->n < c->previous->cap);

	if (will) {
		c->loaded = c->previous;
		c->previous = loaded;
	}
	if ((full ? quarry_cpu_cache_swap_full(c->m) : quarry_cpu_cache_swap_room(c->m)) != will)
		fail(t, "swap for %s: not %u", full ? "an object" : "room", will);
	same_two(t, c, "swap");
	return will;
}

/* The larger one is loaded, and gets what the first full ones hold if they are smaller. */
static void model_gather(struct stock *t, struct cpu *c)
{
	struct mag *loaded = c->loaded, *mag;

	if (c->previous && (!loaded || c->previous->cap > loaded->cap)) {
		c->loaded = c->previous;
		c->previous = loaded;
		loaded = c->loaded;
	}
	while (loaded && t->full.n && t->full.mag[0]->cap < loaded->cap &&
	       t->full.mag[0]->n + loaded->n <= loaded->cap) {
		mag = model_get_full(t);
		memcpy(loaded->object + loaded->n, mag->object, mag->n * sizeof(void *));
		loaded->n += mag->n;
		mag->n = 0;
		model_put(t, mag);
	}
}

static bool trade(struct stock *t, struct cpu *c, bool full)
{
	struct mag *mag;
	bool will;

	if (full)
		model_gather(t, c);
	will = full && c->loaded && c->loaded->n;
	mag = will ? NULL : full ? model_get_full(t) : model_get_spare(t);
	if (mag) {
		if (c->previous)
			model_put(t, c->previous);
		c->previous = c->loaded;
		c->loaded = mag;
		will = true;
	}
	if ((full ? quarry_cpu_cache_take_full(c->m, &t->depot) :
		    quarry_cpu_cache_put_full(c->m, &t->depot)) != will)
		fail(t, "exchange for a %s one: not %u", full ? "full" : "spare", will);
	same_two(t, c, "exchange");
	check_mag(t, c->loaded, "exchanged", false);
	return will;
}

static bool load_larger(struct stock *t, struct cpu *c)
{
	u32 least = c->loaded ? c->loaded->cap + 1 : 0;
	struct mag *mag;

	if (t->spare.n && t->spare.mag[0]->cap >= least) {
		mag = model_get_spare(t);
		if (c->loaded)
			model_put(t, c->loaded);
		c->loaded = mag;
	}
	if (quarry_cpu_cache_fit(c->m, &t->depot) != !!c->loaded)
		fail(t, "fit: not %u", !!c->loaded);
	same_two(t, c, "fit");
	return c->loaded;
}

/* What quarry_cpu_cache_refill() does. */
static bool refill(struct stock *t, struct cpu *c)
{
	struct quarry_magazine *real;
	void *object;
	u32 i, nr;

	if (swap_two(t, c, true) || (!c->m->disabled && trade(t, c, true)))
		return true;
	if (!load_larger(t, c)) {
		c->m->wants = 1;
		return false;
	}
	real = c->loaded->real;
	nr = take_from_slabs(t, min(real->cap, REFILL), real->slot, IN_MAGAZINE);
	real->n = nr;
	for (i = 0; i < nr / 2; i++) {
		object = real->slot[i];
		real->slot[i] = real->slot[nr - 1 - i];
		real->slot[nr - 1 - i] = object;
	}
	memcpy(c->loaded->object, real->slot, nr * sizeof(object));
	c->loaded->n = nr;
	return nr;
}

/* What quarry_cpu_cache_make_room() does. */
static bool make_room(struct stock *t, struct cpu *c)
{
	if (c->loaded && c->loaded->n < c->loaded->cap)
		return true;
	if (swap_two(t, c, false) || (!c->m->disabled && trade(t, c, false)))
		return true;
	c->m->wants |= !c->m->disabled || !c->loaded;
	if (!c->loaded)
		return false;
	flush(t, c->loaded, (c->loaded->cap + 1) / 2);
	return true;
}

/* Into the place of a smaller one, or of none. Returns the one that is left over. */
static struct mag *install(struct stock *t, struct cpu *c, struct mag *mag)
{
	bool second = c->loaded && (!c->previous || c->previous->cap < c->loaded->cap);
	struct mag **place = second ? &c->previous : &c->loaded, *old = *place;

	if (old && old->cap >= mag->cap) {
		old = mag;
	} else {
		*place = mag;
		if (old) {
			mag->n = old->n;
			memcpy(mag->object, old->object, mag->n * sizeof(mag->object[0]));
			/* The newest stays the newest. */
			qsort(mag->object, mag->n - !!mag->n, sizeof(mag->object[0]),
			      compare);
			old->n = 0;
		}
	}
	same(t, old, quarry_cpu_cache_install(c->m, mag->real), "install");
	same_two(t, c, "install");
	check_mag(t, *place, "installed", false);
	check_mag(t, old, "left over", false);
	return old;
}

/* What quarry_magazine_refill_slow() does. */
static void supply(struct stock *t, struct cpu *c)
{
	u32 cap = c->m->cap;
	struct mag *mag;

	if (!c->m->wants)
		return;
	c->m->wants = 0;
	if (t->nr_mags == MAGS)
		return;
	enter(t, c);
	mag = install(t, c, mag_new(t, cap));
	c->m->wants = c->previous && c->previous->cap < cap;
	leave(c);
	if (mag && mag->cap < cap)
		mag_free(t, mag);
	else if (mag)
		depot_put(t, mag);
	drop_small(t, cap);
}

static void give_out(struct stock *t, void *object, enum place from)
{
	if (from != IS_OUT)
		move(t, object, from, IS_OUT);
	t->out[t->nr_out++] = object;
}

/* A client takes an object. */
static void take(struct stock *t, struct cpu *c)
{
	void *object, *want = NULL;

	if (t->nr_out == OUT)
		return;
	if (c->open && c->loaded->n)
		want = c->loaded->object[c->loaded->n - 1];
	object = quarry_cpu_cache_pop(c->m);
	if (object != want)
		fail(t, "pop: another object, or none");
	if (object) {
		c->loaded->n--;
		give_out(t, object, IN_MAGAZINE);
		return;
	}
	supply(t, c);
	enter(t, c);
	if ((c->loaded && c->loaded->n) || refill(t, c)) {
		object = c->loaded->real->slot[--c->loaded->real->n];
		if (object != c->loaded->object[--c->loaded->n])
			fail(t, "another object is the newest");
		give_out(t, object, IN_MAGAZINE);
	}
	leave(c);
	if (!object && take_from_slabs(t, 1, &object, IS_OUT))
		give_out(t, object, IS_OUT);
}

/* A client gives object number @at back. */
static void give(struct stock *t, struct cpu *c, unsigned int at)
{
	void *object = t->out[at];
	bool want = c->open && c->loaded->n < c->loaded->cap;
	u64 label;
	u32 k;

	t->out[at] = t->out[--t->nr_out];
	if (quarry_slab_look(t->slab[slab_of(t, object)], object, &k) != QUARRY_SLAB_OK)
		fail(t, "an object that is out is said to be free");
	label = label_of(t, object, c->m->tag);
	fast_path_fails(t, c, c->m->tag ^ 1);
	if (quarry_cpu_cache_push(c->m, label, object + 1 + k % (t->shape.stride - 1)))
		fail(t, "the inside of an object was pushed");
	if (quarry_cpu_cache_push(c->m, label, object) != want)
		fail(t, "push: not %u", want);
	if (want) {
		move(t, object, IS_OUT, IN_MAGAZINE);
		c->loaded->object[c->loaded->n++] = object;
		if (quarry_cpu_cache_push(c->m, label, object))
			fail(t, "the same object was pushed twice running");
		return;
	}
	supply(t, c);
	enter(t, c);
	if (make_room(t, c)) {
		move(t, object, IS_OUT, IN_MAGAZINE);
		c->loaded->real->slot[c->loaded->real->n++] = object;
		c->loaded->object[c->loaded->n++] = object;
	} else {
		put_to_slab(t, object, IS_OUT);
	}
	leave(c);
}

/* What quarry_cpu_cache_drain() does. */
static void drain_cpu(struct stock *t, struct cpu *c)
{
	struct mag *mag[2] = { c->loaded, c->previous };
	unsigned int i;

	enter(t, c);
	c->m->loaded = NULL;
	c->m->previous = NULL;
	c->loaded = NULL;
	c->previous = NULL;
	for (i = 0; i < 2; i++) {
		if (!mag[i])
			continue;
		flush(t, mag[i], mag[i]->n);
		depot_put(t, mag[i]);
	}
	leave(c);
}

/* --- all of it -------------------------------------------------------------- */

static u64 check_pile(const struct stock *t, const struct pile *p, const struct list_head *list)
{
	const struct quarry_magazine *real;
	u64 nr = 0;
	u32 i = 0;

	list_for_each_entry(real, list, link) {
		if (i == p->n)
			fail(t, "a list of the depot is too long");
		same(t, p->mag[i], real, "a list of the depot");
		nr += check_mag(t, p->mag[i++], "depot", true);
	}
	if (i != p->n)
		fail(t, "a list of the depot is too short");
	return nr;
}

/* Returns the objects in its magazines. */
static u64 check_cpu(struct stock *t, struct cpu *c)
{
	u32 n = (c->loaded ? c->loaded->n : 0) + (c->previous ? c->previous->n : 0);
	bool was_open = c->open;
	const char *what;

	if (quarry_cpu_cache_n(c->m) != n)
		fail(t, "%u objects in magazines, model %u", quarry_cpu_cache_n(c->m), n);
	if (was_open && !quarry_cpu_cache_check(c->m))
		fail(t, "open magazines were checked as if they were closed");
	enter(t, c);
	if (quarry_cpu_cache_n(c->m) != n)
		fail(t, "closed, %u objects in magazines, model %u", quarry_cpu_cache_n(c->m), n);
	what = quarry_cpu_cache_check(c->m);
	if (what)
		fail(t, "%s", what);
	same_two(t, c, "check");
	check_mag(t, c->loaded, "loaded", true);
	check_mag(t, c->previous, "previous", true);
	leave(c);
	if (c->open != was_open)
		fail(t, "open: %u, then %u", was_open, c->open);
	return n;
}

/* Each object's bit against its place; the marks of check_mag() go. */
static void check_places(struct stock *t, u64 in_magazines)
{
	u64 nr[3] = {};
	u32 i, k, number;
	u8 place;

	for (i = 0; i < SLABS; i++)
		for (k = 0; t->slab[i] && k < t->shape.nr; k++) {
			place = t->place[i][k];
			if (place == IN_MAGAZINE)
				fail(t, "an object is in no magazine that anybody has");
			place &= 0x7f;
			t->place[i][k] = place;
			nr[place]++;
			if (quarry_slab_look(t->slab[i],
					     t->first[i] + (u64)k * t->shape.stride, &number) !=
			    (place == IN_SLAB ? QUARRY_SLAB_FREE : QUARRY_SLAB_OK) ||
			    number != k)
				fail(t, "the bit of an object that is in place %u is wrong", place);
		}
	if (nr[IN_SLAB] != t->nr_in || nr[IN_MAGAZINE] != in_magazines || nr[IS_OUT] != t->nr_out)
		fail(t, "%llu, %llu, %llu objects; model %llu, %llu, %u", nr[0], nr[1], nr[2],
		     t->nr_in, in_magazines, t->nr_out);
}

/**
 * stock_check() - compare everything
 * @t:	the stock
 */
void stock_check(struct stock *t)
{
	const struct quarry_depot *depot = &t->depot;
	u64 in_depot, nr = 0;
	const char *what;
	u32 i;

	for (i = 0; i < CPUS; i++)
		nr += check_cpu(t, &t->cpu[i]);
	what = quarry_depot_check(depot);
	if (!what)
		what = quarry_slab_list_check(&t->slabs);
	if (what)
		fail(t, "%s", what);
	in_depot = check_pile(t, &t->full, &depot->full);
	if (check_pile(t, &t->spare, &depot->spare))
		fail(t, "a spare magazine has objects");
	if (depot->nr_full != t->full.n || depot->nr_spare != t->spare.n ||
	    depot->nr_objects != in_depot || depot->low_full != t->low)
		fail(t, "depot: %u full, %u spare, %llu objects, low %u; model %u, %u, %llu, %u",
		     depot->nr_full, depot->nr_spare, depot->nr_objects, depot->low_full,
		     t->full.n, t->spare.n, in_depot, t->low);
	if (t->slabs.nr_slabs != t->nr_slabs || t->slabs.nr_free != t->nr_in)
		fail(t, "%llu slabs, %llu free; model %llu, %llu", t->slabs.nr_slabs,
		     t->slabs.nr_free, t->nr_slabs, t->nr_in);
	check_places(t, nr + in_depot);
}

/**
 * stock_new() - CPUs without magazines, an empty depot, no slabs
 * @kind:	of objects
 * @seed:	to be printed when something is wrong
 */
struct stock *stock_new(const struct stock_kind *kind, u64 seed)
{
	struct stock *t = calloc(1, sizeof(*t));
	u32 i;

	if (!t)
		abort();
	t->seed = seed;
	if (quarry_shape_init(&t->shape, kind->size, kind->align, LINE))
		fail(t, "no shape");
	t->lead = kind->lead;
	t->bytes = quarry_shape_bytes(&t->shape);
	t->memory = aligned_alloc(t->bytes, SLABS * t->bytes);
	quarry_shape_least(&t->least, &t->shape);
	quarry_slab_list_init(&t->slabs, &t->shape, &t->least, t->lead);
	quarry_depot_init(&t->depot);
	for (i = 0; i < CPUS; i++) {
		t->cpu[i].m = malloc(sizeof(*t->cpu[i].m));
		if (!t->memory || !t->cpu[i].m)
			fail(t, "no memory");
		quarry_cpu_cache_init(t->cpu[i].m, i + 2, &t->shape.starts, caps[i]);
		if (t->cpu[i].m->idle_tag != i + 2 || t->cpu[i].m->tag != i + 2 ||
		    t->cpu[i].m->cap != caps[i])
			fail(t, "a CPU has forgotten its tag");
	}
	return t;
}

/**
 * stock_step() - one random operation, or a run of one kind
 * @t:	the stock
 * @d:	what decides
 */
void stock_step(struct stock *t, struct dice *d)
{
	struct cpu *c = &t->cpu[dice(d, CPUS)];
	unsigned int what = dice(d, 32), run;
	void *object;

	t->step++;
	switch (what) {
	case 0:
		add_slab(t);
		break;
	case 1:
		if (!dice(d, 4))
			remove_slab(t);
		break;
	case 2:
		c->m->cap = caps[dice(d, ARRAY_SIZE(caps))];
		c->m->wants |= dice(d, 2);
		break;
	case 3:
		if (t->nr_mags < MAGS)
			depot_put(t, mag_new(t, caps[dice(d, ARRAY_SIZE(caps))]));
		break;
	case 4:
		drop_small(t, caps[dice(d, ARRAY_SIZE(caps))]);
		break;
	case 5:
		enter(t, c);
		c->m->disabled = !c->m->disabled && !dice(d, 4);
		leave(c);
		break;
	case 6:
		if (!dice(d, 4))
			drain_cpu(t, c);
		break;
	case 7:
		drain_depot(t, 2 * dice(d, 4));
		break;
	case 8:
		t->depot.low_full = t->depot.nr_full;
		t->low = t->full.n;
		break;
	case 9:
		/* An interrupt that finds the magazines busy. */
		if (t->nr_out < OUT && take_from_slabs(t, 1, &object, IS_OUT))
			give_out(t, object, IS_OUT);
		break;
	case 10:
		if (t->nr_out)
			put_to_slab(t, t->out[--t->nr_out], IS_OUT);
		break;
	case 11:
		put_wrongly(t, d);
		break;
	case 12:
		t->filling = !dice(d, 2);
		break;
	case 13:
		stock_check(t);
		break;
	case 14:
		object = t->nr_out < OUT ? depot_pop(t) : NULL;
		if (object)
			give_out(t, object, IN_MAGAZINE);
		break;
	default:
		run = 1 + dice(d, dice(d, 3) ? 4 : 64);
		for (; (what & 7) < (t->filling ? 5 : 3) && run; run--)
			take(t, c);
		for (; run && t->nr_out; run--)
			give(t, c, t->nr_out - 1 - dice(d, min(t->nr_out, 16u)));
		break;
	}
}

/**
 * stock_end() - everything goes back to where it came from
 * @t:	freed
 */
void stock_end(struct stock *t)
{
	u32 i;

	stock_check(t);
	while (t->nr_out)
		give(t, &t->cpu[t->nr_out % CPUS], t->nr_out - 1);
	stock_check(t);
	for (i = 0; i < CPUS; i++)
		drain_cpu(t, &t->cpu[i]);
	drain_depot(t, 0);
	stock_check(t);
	if (t->nr_mags)
		fail(t, "%u magazines are left", t->nr_mags);
	while (remove_slab(t))
		;
	stock_check(t);
	if (t->nr_slabs)
		fail(t, "%llu slabs are left", t->nr_slabs);
	for (i = 0; i < CPUS; i++)
		free(t->cpu[i].m);
	free(t->memory);
	free(t);
}
