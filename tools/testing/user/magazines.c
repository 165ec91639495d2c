// SPDX-License-Identifier: GPL-2.0
/*
 * Magazines and the depot, beside what they should be.
 *
 * walk		Random operations of a few CPUs on one depot and slabs: see stock.c.
 *		SEED= STEPS=
 * stub		A CPU without magazines, and one that is shut.
 * swaps	The two magazines of a CPU, however much is in the previous one.
 * distance	What magazines promise: between two visits to the depot there is a
 *		magazine's worth of calls, in whatever order they come.
 * trimmed	The least number of full magazines since the last trim.
 * damage	What the checks are there to see, each by its own words.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../module/slab/magazine.h"
#include "fast.h"
#include "stock.h"
#include "tap.h"

#define CAP	7u
#define OBJECTS	256u
#define TAG	7

static char objects[OBJECTS];

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
	struct quarry_mags m;
	u32 shut;

	(void)arg;
	memset(&m, 0x5a, sizeof(m));
	quarry_mags_init(&m, TAG, 28);
	if (m.idle_tag != TAG || m.cap != 28 || m.shut || m.wants || m.loaded || m.previous)
		fail("not as it should begin");
	for (shut = 0; shut < 2; shut++) {
		m.shut = shut;
		quarry_mags_open(&m);
		if (fast_pop(&m) || fast_push(&m, TAG, objects) || quarry_mags_n(&m) != shut)
			fail("the fast path works without a magazine, or shut");
		quarry_mags_close(&m);
		m.loaded = mag;
	}
	m.shut = 0;
	quarry_mags_open(&m);
	if (!fast_push(&m, TAG, &objects[1]))
		fail("a magazine of two does not take the second object");
	/* Twice running is once. */
	quarry_mags_open(&m);
	if (fast_push(&m, TAG, &objects[2]) || quarry_mags_n(&m) != 2)
		fail("a magazine of two does not hold two");
	fast_mark(&m);
	if (fast_pop(&m) || quarry_mags_n(&m) != 2)
		fail("the fast path works where magazines are busy");
	fast_unmark(&m);
	m.shut = 1;
	quarry_mags_open(&m);
	if (fast_pop(&m) != &objects[1])
		fail("not the last in is the first out");
	quarry_mags_close(&m);
	quarry_mags_close(&m);
	if (mag->n != 1 || quarry_mags_n(&m) != 1 || fast_pop(&m) || m.allocs != 1 || m.frees != 1)
		fail("closed with the wrong number of objects");
	free(mag);
}

static void swaps(const void *arg)
{
	struct quarry_magazine *one = new_magazine(CAP, 0), *two = new_magazine(CAP - 1, 0);
	struct quarry_mags m;
	u32 full, n;

	(void)arg;
	quarry_mags_init(&m, TAG, CAP);
	if (quarry_mags_swap_full(&m) || quarry_mags_swap_room(&m) || m.loaded || m.previous)
		fail("nothing was swapped for nothing");
	m.loaded = one;
	if (quarry_mags_swap_full(&m) || quarry_mags_swap_room(&m) || m.loaded != one)
		fail("a magazine was swapped for none");
	for (full = 0; full < 2; full++)
		for (n = 0; n <= two->cap; n++) {
			bool want = full ? n > 0 : n < two->cap;

			m.loaded = one;
			m.previous = two;
			two->n = n;
			if ((full ? quarry_mags_swap_full(&m) : quarry_mags_swap_room(&m)) !=
			    want || m.loaded != (want ? two : one) ||
			    m.previous != (want ? one : two))
				fail("swap for %s with %u of %u objects: not %u",
				     full ? "an object" : "room", n, two->cap, want);
		}
	free(one);
	free(two);
}

static void distance(const void *arg)
{
	u64 seed = env_number("SEED", 1);
	unsigned int i, nr_out = OBJECTS / 2, since = CAP, visits = 0, run = 0;
	void *out[OBJECTS];
	struct quarry_depot depot;
	struct quarry_mags m;
	bool taking = false;
	struct dice d;

	(void)arg;
	printf("# seed %llu\n", seed);
	dice_seed(&d, seed);
	quarry_depot_init(&depot);
	quarry_mags_init(&m, TAG, CAP);
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
		while (taking ? !(out[nr_out] = fast_pop(&m)) : !fast_push(&m, TAG, out[nr_out - 1])) {
			quarry_mags_close(&m);
			if (!(taking ? quarry_mags_swap_full(&m) : quarry_mags_swap_room(&m))) {
				if (since < CAP)
					fail("back at the depot after %u calls", since);
				since = 0;
				visits++;
				if (!(taking ? quarry_mags_take_full(&m, &depot) :
					       quarry_mags_give_full(&m, &depot)))
					fail("the depot should have had one");
			}
			quarry_mags_open(&m);
		}
		nr_out += taking ? 1 : -1;
		since++;
	}
	if (visits < 1000)
		fail("%u visits tell nothing", visits);
	printf("# %u visits\n", visits);
	quarry_mags_close(&m);
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

/* @words: of what must be said. */
static void must_say(const char *what, const char *words)
{
	if (!what || !strstr(what, words))
		fail("not \"%s\" but \"%s\"", words, what ?: "all is well");
}

static void damage_depot(struct quarry_magazine *full, struct quarry_magazine *spare)
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

static void damage_magazine(const struct quarry_mags *m, struct quarry_magazine *mag)
{
	void *object = mag->slot[0];
	u32 n = mag->n;

	mag->guard = objects;
	must_say(quarry_mags_check(m), "below a magazine's first");
	mag->guard = NULL;
	mag->n = mag->cap + 1;
	must_say(quarry_mags_check(m), "more than it can");
	mag->n = n;
	mag->slot[0] = NULL;
	must_say(quarry_mags_check(m), "holds nothing");
	mag->slot[0] = object;
	object = mag->slot[n - 1];
	mag->slot[n - 1] = NULL;
	must_say(quarry_mags_check(m), "holds nothing");
	mag->slot[n - 1] = object;
	if (quarry_mags_check(m))
		fail("%s", quarry_mags_check(m));
}

static void damage(const void *arg)
{
	struct quarry_magazine *one = new_magazine(CAP, 3), *two = new_magazine(4, 4);
	struct quarry_magazine *spare = new_magazine(CAP, 0);
	struct quarry_mags m;

	(void)arg;
	quarry_mags_init(&m, TAG, CAP);
	m.loaded = one;
	m.previous = two;
	if (quarry_mags_check(&m))
		fail("%s", quarry_mags_check(&m));
	damage_magazine(&m, one);
	damage_magazine(&m, two);
	m.stub[0] = objects;
	must_say(quarry_mags_check(&m), "in the stub");
	m.stub[0] = NULL;
	quarry_mags_open(&m);
	must_say(quarry_mags_check(&m), "open that should be closed");
	quarry_mags_close(&m);
	m.loaded = NULL;
	must_say(quarry_mags_check(&m), "none is loaded");
	damage_depot(one, spare);
	free(one);
	free(two);
	free(spare);
}

int main(void)
{
	tap_plan(6);
	tap_run("walk", walk, NULL);
	tap_run("stub", stub, NULL);
	tap_run("swaps", swaps, NULL);
	tap_run("distance", distance, NULL);
	tap_run("trimmed", trimmed, NULL);
	tap_run("damage", damage, NULL);
	return tap_end();
}
