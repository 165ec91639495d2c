// SPDX-License-Identifier: GPL-2.0
/*
 * Magazines and the depot, beside what they should be.
 *
 * walk		Random operations of a few CPUs on one depot and slabs: see stock.c.
 *		SEED= STEPS=
 * stub		A CPU without magazines, and one that is disabled.
 * swaps	The two magazines of a CPU, however much is in the previous one.
 * sorted	Objects in the order of their addresses, low ones last, beside qsort().
 * installed	A new magazine among two of any size, with any content.
 * gathered	What small full magazines of the depot hold, into a larger one.
 * remote	Objects of other nodes: in and out, exchanged, gathered in a larger magazine.
 * disabled		From a depot that is disabled nothing comes, and anything can be left there.
 * distance	What magazines promise: between two visits to the depot there is a
 *		magazine's worth of calls, in whatever order they come.
 * trimmed	The least number of full magazines since the last trim.
 * smallest	Of spare magazines the smallest is freed and the largest used, in whatever
 *		order they came.
 * damage	What the checks are there to see, each by its own words.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../module/slab/magazine.h"
#include "stock.h"
#include "tap.h"

#define CAP	7u
#define OBJECTS	256u
#define TAG	7
#define DIGITS	4u

/* More than the longest step of the sort, and than the largest magazine holds. */
#define LONGEST	640u

static char objects[OBJECTS];

/* Where slabs do not matter: anything is the start of an object. */
static const struct quarry_starts any = { 0, ~0ULL };

__noreturn __printf(1, 2) static void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
	abort();
}

static void walk(const void *arg)
{
	static const struct stock_kind kinds[] = {
		{ 64, 0, 0 }, { 192, 64, 0 }, { 200, 8, 8 }, { 320, 64, 64 }, { 1024, 0, 0 },
		{ 4096, 4096, 0 }, { 24, 0, 0 },
	};
	u64 seed = env_number("SEED", 1), steps = env_number("STEPS", 30000), step;
	unsigned int i;
	struct stock *t;
	struct dice d;

	(void)arg;
	printf("# seed %llu, %llu steps for each of %zu kinds\n", seed, steps, ARRAY_SIZE(kinds));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		dice_seed(&d, seed + i);
		t = stock_new(&kinds[i], seed);
		for (step = 0; step < steps; step++)
			stock_step(t, &d);
		stock_end(t);
	}
}

static struct quarry_magazine *new_magazine(u32 cap, u32 n)
{
	struct quarry_magazine *mag = malloc(sizeof(*mag) + cap * sizeof(mag->slot[0]));

	if (!mag)
		fail("no memory");
	memset(mag, 0x5a, sizeof(*mag) + cap * sizeof(mag->slot[0]));
	quarry_magazine_init(mag, cap);
	if (mag->n || mag->cap != cap || mag->guard)
		fail("a new magazine is not empty");
	for (; mag->n < n; mag->n++)
		mag->slot[mag->n] = &objects[mag->n];
	return mag;
}

static void stub(const void *arg)
{
	struct quarry_magazine *mag = new_magazine(2, 1);
	struct quarry_cpu_cache m;
	u32 disabled;

	(void)arg;
	memset(&m, 0x5a, sizeof(m));
	quarry_cpu_cache_init(&m, TAG, &any, 28);
	if (m.idle_tag != TAG || m.tag != TAG || m.starts.scale || m.starts.bound != ~0ULL ||
	    m.cap != 28 || m.disabled || m.wants || m.loaded || m.previous)
		fail("not as it should begin");
	for (disabled = 0; disabled < 2; disabled++) {
		m.disabled = disabled;
		quarry_cpu_cache_open(&m);
		if (quarry_cpu_cache_pop(&m) || quarry_cpu_cache_push(&m, TAG, objects) ||
		    quarry_cpu_cache_n(&m) != disabled)
			fail("the fast path works without a magazine, or disabled");
		quarry_cpu_cache_close(&m);
		m.loaded = mag;
	}
	m.disabled = 0;
	quarry_cpu_cache_open(&m);
	if (!quarry_cpu_cache_push(&m, TAG, &objects[1]))
		fail("a magazine of two does not take the second object");
	/* Twice running is once. */
	quarry_cpu_cache_open(&m);
	if (quarry_cpu_cache_push(&m, TAG, &objects[2]) || quarry_cpu_cache_n(&m) != 2)
		fail("a magazine of two does not hold two");
	quarry_cpu_cache_set_busy(&m);
	if (quarry_cpu_cache_pop(&m) || quarry_cpu_cache_n(&m) != 2)
		fail("the fast path works where magazines are busy");
	quarry_cpu_cache_clear_busy(&m);
	m.disabled = 1;
	quarry_cpu_cache_open(&m);
	if (quarry_cpu_cache_pop(&m) != &objects[1])
		fail("not the last in is the first out");
	quarry_cpu_cache_close(&m);
	quarry_cpu_cache_close(&m);
	if (mag->n != 1 || quarry_cpu_cache_n(&m) != 1 || quarry_cpu_cache_pop(&m) ||
	    m.allocs != 1 ||
	    m.frees != 1)
		fail("closed with the wrong number of objects");
	free(mag);
}

static void swaps(const void *arg)
{
	struct quarry_magazine *one = new_magazine(CAP, 0), *two = new_magazine(CAP - 1, 0);
	struct quarry_cpu_cache m;
	u32 full, n;

	(void)arg;
	quarry_cpu_cache_init(&m, TAG, &any, CAP);
	if (quarry_cpu_cache_swap_full(&m) || quarry_cpu_cache_swap_room(&m) || m.loaded ||
	    m.previous)
		fail("nothing was swapped for nothing");
	m.loaded = one;
	if (quarry_cpu_cache_swap_full(&m) || quarry_cpu_cache_swap_room(&m) || m.loaded != one)
		fail("a magazine was swapped for none");
	for (full = 0; full < 2; full++)
		for (n = 0; n <= two->cap; n++) {
			bool want = full ? n > 0 : n < two->cap;

			m.loaded = one;
			m.previous = two;
			two->n = n;
			if ((full ?
			     quarry_cpu_cache_swap_full(&m) : quarry_cpu_cache_swap_room(&m)) !=
			    want || m.loaded != (want ? two : one) ||
			    m.previous != (want ? one : two))
				fail("swap for %s with %u of %u objects: not %u",
				     full ? "an object" : "room", n, two->cap, want);
		}
	free(one);
	free(two);
}

/* Low addresses last. */
static int compare(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return (x < y) - (x > y);
}

/* In order, in reverse, any, and few of them different. */
static void sorted(const void *arg)
{
	u64 seed = env_number("SEED", 1);
	void **real, **want;
	struct dice d;
	u32 nr, i, how;

	(void)arg;
	dice_seed(&d, seed);
	for (nr = 0; nr <= LONGEST; nr++)
		for (how = 0; how < 4; how++) {
			/* Of that size exactly: AddressSanitizer sees one too many. */
			real = malloc(nr * sizeof(*real) + !nr);
			want = malloc(nr * sizeof(*want) + !nr);
			if (!real || !want)
				fail("no memory");
			for (i = 0; i < nr; i++) {
				u64 at = how == 0 ? i : how == 1 ? nr - i :
					 dice(&d, how == 2 ? ~0ULL : 5);

				real[i] = (void *)(unsigned long)at;
			}
			memcpy(want, real, nr * sizeof(*real));
			qsort(want, nr, sizeof(*want), compare);
			quarry_objects_sort(real, nr);
			if (memcmp(want, real, nr * sizeof(*real)))
				fail("seed %llu: %u objects, way %u: not in order", seed, nr, how);
			free(real);
			free(want);
		}
}

/* In no order. */
static void fill(struct quarry_magazine *mag, u32 n, u32 first)
{
	for (mag->n = 0; mag->n < n; mag->n++)
		mag->slot[mag->n] = &objects[first + mag->n * 5 % 8];
}

/* That they were @n from @first; the newest is still that, of the others low ones come last. */
static void must_have(const struct quarry_magazine *mag, u32 n, u32 first, const char *whose)
{
	void *want[8];
	u32 i;

	if (mag->n != n)
		fail("%s: %u objects, not %u", whose, mag->n, n);
	for (i = 0; i < n; i++)
		want[i] = &objects[first + i * 5 % 8];
	if (n)
		qsort(want, n - 1, sizeof(want[0]), compare);
	if (memcmp(want, mag->slot, n * sizeof(want[0])))
		fail("%s: other objects, or not in order", whose);
}

/* Capacities, 0 for none; as many objects. */
static void install(u32 cap, u32 loaded, u32 n, u32 previous, u32 k)
{
	struct quarry_magazine *mag = new_magazine(cap, 0), *old, *left;
	struct quarry_magazine *one = loaded ? new_magazine(loaded, 0) : NULL;
	struct quarry_magazine *two = previous ? new_magazine(previous, 0) : NULL;
	struct quarry_cpu_cache m;
	bool second;

	quarry_cpu_cache_init(&m, TAG, &any, cap);
	m.loaded = one;
	m.previous = two;
	if (one)
		fill(one, n, 0);
	if (two)
		fill(two, k, 8);
	/* The smaller one goes, and none is the smallest; of equals the loaded one. */
	second = one && previous < loaded;
	old = second ? two : one;
	left = quarry_cpu_cache_install(&m, mag);
	if (quarry_cpu_cache_check(&m))
		fail("%s", quarry_cpu_cache_check(&m));
	if (old && old->cap >= cap) {
		if (left != mag || mag->n || m.loaded != one || m.previous != two ||
		    one->n != n || (two && two->n != k))
			fail("%u into %u, %u: in the place of one as large", cap, loaded,
			     previous);
	} else {
		if (left != old || m.loaded != (second ? one : mag) ||
		    m.previous != (second ? mag : two))
			fail("%u into %u, %u: the wrong place", cap, loaded, previous);
		if (left && left->n)
			fail("%u into %u, %u: objects are left over", cap, loaded, previous);
		must_have(mag, second ? k : n, second ? 8 : 0, "installed");
		if (second ? one->n != n : two && two->n != k)
			fail("%u into %u, %u: the other one changed", cap, loaded, previous);
	}
	free(mag);
	free(one);
	free(two);
}

static void installed(const void *arg)
{
	u32 cap, loaded, previous, n, k;

	(void)arg;
	for (cap = 1; cap <= 8; cap++)
		for (loaded = 0; loaded <= 8; loaded++)
			for (previous = 0; previous <= (loaded ? 8 : 0); previous++)
				for (n = 0; n <= loaded; n++)
					for (k = 0; k <= previous; k++)
						install(cap, loaded, n, previous, k);
}

/* A loaded one of @cap or none, a previous one of @two or none, and full ones. */
static void gather(u32 cap, u32 two, const u32 *full, u32 nr, u32 want, u32 left)
{
	struct quarry_magazine *mag;
	struct quarry_depot depot;
	struct quarry_cpu_cache m;
	u32 i, nr_objects = 0;

	quarry_cpu_cache_init(&m, TAG, &any, cap);
	quarry_depot_init(&depot);
	m.loaded = cap ? new_magazine(cap, 0) : NULL;
	m.previous = two ? new_magazine(two, 0) : NULL;
	/* What is put last comes first: in the order of @full, numbered through. */
	for (i = 0; i < nr; i++)
		nr_objects += full[i];
	for (i = nr; i--;) {
		mag = new_magazine(full[i], 0);
		nr_objects -= mag->cap;
		for (; mag->n < mag->cap; mag->n++)
			mag->slot[mag->n] = &objects[nr_objects + mag->n];
		quarry_depot_put(&depot, mag);
	}
	if (quarry_cpu_cache_take_full(&m, &depot) != !!want)
		fail("%u, %u: not %u", cap, two, !!want);
	if (quarry_depot_check(&depot) || quarry_cpu_cache_check(&m))
		fail("%s", quarry_depot_check(&depot) ?: quarry_cpu_cache_check(&m));
	if ((m.loaded ? m.loaded->n : 0) != want || depot.nr_full != left)
		fail("%u, %u: %u objects, not %u; %u magazines left, not %u", cap, two,
		     m.loaded ? m.loaded->n : 0, want, depot.nr_full, left);
	for (i = 0; i < want; i++)
		if (m.loaded->slot[i] != &objects[i])
			fail("%u, %u: another object in slot %u", cap, two, i);
	if (m.previous && m.previous->n)
		fail("%u, %u: the previous one has objects", cap, two);
	free(m.loaded);
	free(m.previous);
	while ((mag = quarry_depot_get_full(&depot) ?: quarry_depot_get_spare(&depot)))
		free(mag);
}

static void gathered(const void *arg)
{
	static const u32 small[] = { 2, 3, 1, 2, 5 };
	static const u32 mixed[] = { 2, 7, 1 };
	static const u32 large[] = { 8, 2 };

	(void)arg;
	/* While they fit, and the larger magazine of the two, whichever it is. */
	gather(5, 0, small, 5, 5, 3);
	gather(6, 0, small, 5, 6, 2);
	gather(7, 0, small, 5, 6, 2);
	gather(13, 0, small, 5, 13, 0);
	gather(20, 0, small, 5, 13, 0);
	gather(3, 8, small, 5, 8, 1);
	gather(8, 3, small, 5, 8, 1);
	gather(0, 8, small, 5, 8, 1);
	/* Not from one as large, and never past one that does not fit. */
	gather(7, 0, mixed, 3, 2, 2);
	gather(8, 0, mixed, 3, 2, 2);
	gather(10, 1, mixed, 3, 10, 0);
	/* Nothing is smaller: an exchange. */
	gather(2, 0, small, 5, 2, 4);
	gather(2, 1, small, 5, 2, 4);
	gather(1, 2, small, 5, 2, 4);
	gather(0, 0, small, 5, 2, 4);
	gather(8, 4, large, 2, 8, 1);
	gather(8, 8, NULL, 0, 0, 0);
	gather(0, 8, NULL, 0, 0, 0);
	gather(0, 0, NULL, 0, 0, 0);
}

/* @words: of what must be said. */
static void must_say(const char *what, const char *words)
{
	if (!what || !strstr(what, words))
		fail("not \"%s\" but \"%s\"", words, what ?: "all is well");
}

/* @want: objects from @objects, in the order they were pushed. */
static void must_hold(const struct quarry_remote *r, u32 want, u32 tag, const char *what)
{
	u32 i;

	if (quarry_remote_check(r))
		fail("%s: %s", what, quarry_remote_check(r));
	if (quarry_remote_n(r) != want || (want && r->tag != tag))
		fail("%s: %u objects of tag %u, not %u of %u", what, quarry_remote_n(r), r->tag,
		     want, tag);
	for (i = 0; i < want; i++)
		if (r->mag->slot[i] != &objects[i])
			fail("%s: another object in slot %u", what, i);
	if (want && (!quarry_remote_is_last(r, &objects[want - 1]) ||
		     quarry_remote_is_last(r, &objects[want])))
		fail("%s: another object is the last", what);
}

/* A magazine of @cap that has @n of tag 3, the last of them of tag 4 if they are @mixed. */
static struct quarry_remote remote_of(u32 cap, u32 n, bool mixed)
{
	struct quarry_remote r = { .mag = new_magazine(cap, 0), .tag = 9 };
	u32 i, tag;

	for (i = 0; i < n; i++) {
		tag = mixed && i == n - 1 ? 4 : 3;
		if (!quarry_remote_push(&r, tag, &objects[i]))
			fail("%u of %u: no room", i, cap);
		must_hold(&r, i + 1, !i || tag == 3 ? tag : 0, "pushed");
	}
	return r;
}

static void remote_ways(u32 cap, u32 n, bool mixed)
{
	struct quarry_remote r = remote_of(cap, n, mixed);
	struct quarry_magazine *mag = r.mag, *left, *other;
	u32 tag = r.tag, larger;

	if (n == cap && quarry_remote_push(&r, 3, &objects[n]))
		fail("%u in a magazine of %u", n + 1, cap);
	must_hold(&r, n, tag, "full");
	for (larger = 0; larger < 2; larger++) {
		other = new_magazine(cap + larger, 0);
		left = quarry_remote_install(&r, other);
		if (left != (larger ? mag : other) || left->n || r.mag != (larger ? other : mag))
			fail("%u beside %u: the wrong one is left over", cap + larger, cap);
		must_hold(&r, n, tag, "installed");
		free(left);
	}
	while (n--) {
		if (quarry_remote_pop(&r) != &objects[n])
			fail("not the last in is the first out");
		must_hold(&r, n, tag, "popped");
	}
	if (quarry_remote_pop(&r))
		fail("something of nothing");
	free(r.mag);
}

/* The whole magazine for an empty one. */
static void remote_given(bool disabled, u32 nr_spare)
{
	struct quarry_remote r = remote_of(CAP, CAP, false);
	bool will = !disabled && nr_spare;
	struct quarry_magazine *mag = r.mag;
	struct quarry_depot depot;
	u32 i;

	quarry_depot_init(&depot);
	for (i = 0; i < nr_spare; i++)
		quarry_depot_put(&depot, new_magazine(CAP, 0));
	depot.disabled = disabled;
	if (quarry_remote_put_full(&r, &depot) != will || depot.nr_full != will ||
	    depot.nr_spare != nr_spare - will || (will ? r.mag == mag : r.mag != mag))
		fail("given to a depot with %u spare ones: not %u", nr_spare, will);
	must_hold(&r, will ? 0 : CAP, 3, "given");
	for (i = CAP; will && i--;)
		if (quarry_depot_pop(&depot) != &objects[i])
			fail("another object out of the depot");
	if (quarry_depot_check(&depot) || quarry_depot_pop(&depot) || depot.nr_full)
		fail("a depot is not as it should be");
	depot.disabled = false;
	while ((mag = quarry_depot_get_spare(&depot)))
		free(mag);
	free(r.mag);
}

static void remote(const void *arg)
{
	struct quarry_remote none = {};
	struct quarry_depot depot;
	u32 cap, n, mixed;

	(void)arg;
	if (quarry_remote_push(&none, 3, objects) || quarry_remote_pop(&none) ||
	    quarry_remote_is_last(&none, NULL) || quarry_remote_n(&none) ||
	    quarry_remote_check(&none))
		fail("objects without a magazine");
	for (cap = 1; cap <= 5; cap++)
		for (n = 0; n <= cap; n++)
			for (mixed = 0; mixed < 2; mixed++)
				remote_ways(cap, n, mixed);
	none.mag = new_magazine(2, 0);
	if (quarry_remote_is_last(&none, objects))
		fail("an empty magazine has a last object");
	none.mag->n = 3;
	must_say(quarry_remote_check(&none), "more than it can");
	free(none.mag);
	none.mag = NULL;
	if (quarry_remote_install(&none, new_magazine(2, 0)) || !none.mag)
		fail("the first one is not installed");
	free(none.mag);
	for (n = 0; n < 3; n++) {
		remote_given(false, n);
		remote_given(true, n);
	}
	/* From a depot that is disabled nothing comes, one by one either. */
	quarry_depot_init(&depot);
	quarry_depot_put(&depot, new_magazine(2, 2));
	depot.disabled = true;
	if (quarry_depot_pop(&depot))
		fail("a depot that is disabled gives an object");
	free(quarry_depot_get_full(&depot));
}

static void disabled_depot(const void *arg)
{
	struct quarry_magazine *mag;
	struct quarry_depot depot;
	struct quarry_cpu_cache m;

	(void)arg;
	quarry_cpu_cache_init(&m, TAG, &any, CAP);
	quarry_depot_init(&depot);
	m.loaded = new_magazine(CAP, 0);
	m.previous = new_magazine(CAP, 0);
	quarry_depot_put(&depot, new_magazine(CAP, CAP));
	quarry_depot_put(&depot, new_magazine(2, 2));
	depot.disabled = true;
	if (quarry_cpu_cache_take_full(&m, &depot) || m.loaded->n || m.previous->n ||
	    depot.nr_full != 2 || depot.nr_objects != CAP + 2)
		fail("a depot that is disabled gives");
	/* A full one for an empty one, which it still has. */
	quarry_depot_put(&depot, new_magazine(CAP, 0));
	free(m.loaded);
	free(m.previous);
	m.loaded = new_magazine(CAP, CAP);
	m.previous = new_magazine(CAP, CAP);
	if (!quarry_cpu_cache_put_full(&m, &depot) || depot.nr_full != 3 || m.loaded->n)
		fail("nothing can be left in a depot that is disabled");
	depot.disabled = false;
	if (!quarry_cpu_cache_take_full(&m, &depot) || m.loaded->n != CAP)
		fail("a depot that is open again gives nothing");
	free(m.loaded);
	free(m.previous);
	while ((mag = quarry_depot_get_full(&depot) ?: quarry_depot_get_spare(&depot)))
		free(mag);
}

static void distance(const void *arg)
{
	u64 seed = env_number("SEED", 1);
	unsigned int i, nr_out = OBJECTS / 2, since = CAP, visits = 0, run = 0;
	void *out[OBJECTS];
	struct quarry_depot depot;
	struct quarry_cpu_cache m;
	bool taking = false;
	struct dice d;

	(void)arg;
	printf("# seed %llu\n", seed);
	dice_seed(&d, seed);
	quarry_depot_init(&depot);
	quarry_cpu_cache_init(&m, TAG, &any, CAP);
	for (i = 0; i < OBJECTS / CAP + 3; i++)
		quarry_depot_put(&depot, new_magazine(CAP, 0));
	for (i = 0; i < nr_out; i++)
		out[i] = &objects[i];
	for (i = 0; i < 200000; i++) {
		if (!run) {
			taking = dice(&d, 2);
			run = 1 + dice(&d, dice(&d, 2) ? 3 : 3 * CAP);
		}
		run--;
		if (taking ? nr_out == OBJECTS / 2 : !nr_out)
			continue;
		while (taking ? !(out[nr_out] = quarry_cpu_cache_pop(&m)) :
				!quarry_cpu_cache_push(&m, TAG, out[nr_out - 1])) {
			quarry_cpu_cache_close(&m);
			if (!(taking ?
			      quarry_cpu_cache_swap_full(&m) : quarry_cpu_cache_swap_room(&m))) {
				if (since < CAP)
					fail("back at the depot after %u calls", since);
				since = 0;
				visits++;
				if (!(taking ? quarry_cpu_cache_take_full(&m, &depot) :
					       quarry_cpu_cache_put_full(&m, &depot)))
					fail("the depot should have had one");
			}
			quarry_cpu_cache_open(&m);
		}
		nr_out += taking ? 1 : -1;
		since++;
	}
	if (visits < 1000)
		fail("%u visits tell nothing", visits);
	printf("# %u visits\n", visits);
	quarry_cpu_cache_close(&m);
	free(m.loaded);
	free(m.previous);
	while ((m.loaded = quarry_depot_get_full(&depot) ?: quarry_depot_get_spare(&depot)))
		free(m.loaded);
}

static void trimmed(const void *arg)
{
	struct quarry_magazine *mag[3];
	struct quarry_depot depot;
	unsigned int i;

	(void)arg;
	memset(&depot, 0x5a, sizeof(depot));
	quarry_depot_init(&depot);
	for (i = 0; i < 3; i++) {
		mag[i] = new_magazine(CAP, i + 1);
		quarry_depot_put(&depot, mag[i]);
	}
	if (depot.low_full || depot.nr_full != 3 || depot.nr_objects != 6)
		fail("full magazines are counted wrongly");
	depot.low_full = 3;
	if (quarry_depot_get_full(&depot) != mag[2] || quarry_depot_get_full(&depot) != mag[1])
		fail("not the last in is the first out");
	quarry_depot_put(&depot, mag[1]);
	quarry_depot_put(&depot, mag[2]);
	if (depot.low_full != 1)
		fail("%u were always there, not 1", depot.low_full);
	for (i = 0; i < 3; i++)
		free(quarry_depot_get_full(&depot));
	if (depot.low_full || depot.nr_full || depot.nr_objects || quarry_depot_get_full(&depot))
		fail("an empty depot is not empty");
}

/* Of @nr with the digits of @code for capacities, the smallest first, or the largest. */
static void out_of_depot(u32 code, u32 nr, bool small)
{
	struct quarry_magazine *mag;
	struct quarry_depot depot;
	u32 i, cap, count[DIGITS + 1] = {};

	quarry_depot_init(&depot);
	for (i = 0; i < nr; i++, code /= DIGITS) {
		cap = 1 + code % DIGITS;
		count[cap]++;
		quarry_depot_put(&depot, new_magazine(cap, 0));
		if (quarry_depot_check(&depot))
			fail("%s", quarry_depot_check(&depot));
	}
	for (i = 0; i < DIGITS; i++)
		for (cap = small ? 1 + i : DIGITS - i; count[cap]; count[cap]--) {
			if (small && quarry_depot_get_small(&depot, cap))
				fail("one of fewer than %u slots, but there is none", cap);
			mag = small ? quarry_depot_get_small(&depot, cap + 1) :
				      quarry_depot_get_spare(&depot);
			if (!mag || mag->cap != cap)
				fail("not one of %u slots but of %u", cap, mag ? mag->cap : 0);
			free(mag);
		}
	if (depot.nr_spare || quarry_depot_get_small(&depot, ~0u))
		fail("an empty depot is not empty");
}

static void smallest(const void *arg)
{
	u32 nr, codes, code;

	(void)arg;
	for (nr = 0, codes = 1; nr <= 6; nr++, codes *= DIGITS)
		for (code = 0; code < codes; code++) {
			out_of_depot(code, nr, true);
			out_of_depot(code, nr, false);
		}
}

static void damage_depot(struct quarry_magazine *full, struct quarry_magazine *spare,
			 struct quarry_magazine *small)
{
	struct quarry_depot depot;

	quarry_depot_init(&depot);
	quarry_depot_put(&depot, full);
	quarry_depot_put(&depot, spare);
	if (quarry_depot_check(&depot))
		fail("%s", quarry_depot_check(&depot));
	full->guard = objects;
	must_say(quarry_depot_check(&depot), "below a magazine's first");
	full->guard = NULL;
	spare->guard = objects;
	must_say(quarry_depot_check(&depot), "below a magazine's first");
	spare->guard = NULL;
	full->n = 0;
	must_say(quarry_depot_check(&depot), "among the full");
	full->n = 2;
	must_say(quarry_depot_check(&depot), "sums");
	full->n = 3;
	spare->n = 1;
	spare->slot[0] = objects;
	must_say(quarry_depot_check(&depot), "among the spare");
	spare->n = 0;
	quarry_depot_put(&depot, small);
	spare->cap = small->cap - 1;
	must_say(quarry_depot_check(&depot), "before a larger one");
	spare->cap = small->cap;
	if (quarry_depot_check(&depot))
		fail("%s", quarry_depot_check(&depot));
	spare->cap = small->cap + 1;
	if (quarry_depot_get_small(&depot, ~0u) != small)
		fail("not the smallest one");
	depot.nr_full++;
	must_say(quarry_depot_check(&depot), "sums");
	depot.nr_full--;
	depot.nr_spare--;
	must_say(quarry_depot_check(&depot), "sums");
	depot.nr_spare++;
	depot.nr_objects++;
	must_say(quarry_depot_check(&depot), "sums");
	depot.nr_objects--;
	depot.low_full = 2;
	must_say(quarry_depot_check(&depot), "never had so few");
	depot.low_full = 1;
	if (quarry_depot_check(&depot))
		fail("%s", quarry_depot_check(&depot));
}

static void damage_magazine(const struct quarry_cpu_cache *m, struct quarry_magazine *mag)
{
	void *object = mag->slot[0];
	u32 n = mag->n;

	mag->guard = objects;
	must_say(quarry_cpu_cache_check(m), "below a magazine's first");
	mag->guard = NULL;
	mag->n = mag->cap + 1;
	must_say(quarry_cpu_cache_check(m), "more than it can");
	mag->n = n;
	mag->slot[0] = NULL;
	must_say(quarry_cpu_cache_check(m), "holds nothing");
	mag->slot[0] = object;
	object = mag->slot[n - 1];
	mag->slot[n - 1] = NULL;
	must_say(quarry_cpu_cache_check(m), "holds nothing");
	mag->slot[n - 1] = object;
	if (quarry_cpu_cache_check(m))
		fail("%s", quarry_cpu_cache_check(m));
}

static void damage(const void *arg)
{
	struct quarry_magazine *one = new_magazine(CAP, 3), *two = new_magazine(4, 4);
	struct quarry_magazine *spare = new_magazine(CAP, 0), *small = new_magazine(CAP - 1, 0);
	struct quarry_cpu_cache m;

	(void)arg;
	quarry_cpu_cache_init(&m, TAG, &any, CAP);
	m.loaded = one;
	m.previous = two;
	if (quarry_cpu_cache_check(&m))
		fail("%s", quarry_cpu_cache_check(&m));
	damage_magazine(&m, one);
	damage_magazine(&m, two);
	m.stub[0] = objects;
	must_say(quarry_cpu_cache_check(&m), "in the stub");
	m.stub[0] = NULL;
	quarry_cpu_cache_open(&m);
	must_say(quarry_cpu_cache_check(&m), "open that should be closed");
	quarry_cpu_cache_close(&m);
	m.loaded = NULL;
	must_say(quarry_cpu_cache_check(&m), "none is loaded");
	damage_depot(one, spare, small);
	free(small);
	free(one);
	free(two);
	free(spare);
}

int main(void)
{
	tap_plan(12);
	tap_run("walk", walk, NULL);
	tap_run("stub", stub, NULL);
	tap_run("swaps", swaps, NULL);
	tap_run("sorted", sorted, NULL);
	tap_run("installed", installed, NULL);
	tap_run("gathered", gathered, NULL);
	tap_run("remote", remote, NULL);
	tap_run("disabled", disabled_depot, NULL);
	tap_run("distance", distance, NULL);
	tap_run("trimmed", trimmed, NULL);
	tap_run("smallest", smallest, NULL);
	tap_run("damage", damage, NULL);
	return tap_end();
}
