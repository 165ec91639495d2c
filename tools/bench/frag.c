// SPDX-License-Identifier: GPL-2.0
/*
 * page.frag: how much of the free memory is whole after a long life.
 *
 * Fill nine tenths of the memory with single pages, shuffle them (seed 42), free
 * half. Then a hundred rounds: free a tenth of what is out, at random, and
 * allocate as much again. At the end
 *
 *	           2 MiB areas with no page out
 *	value = -----------------------------------------
 *	        areas that could be so, were it packed
 *
 * Memory that lies on per-CPU lists is drained first and counts as free only when
 * it is. quarry tells from its own snapshot, and the bench counts the areas of the
 * pages that are out, which must agree.
 *
 * The page allocator cannot be confined to some areas. For it, the areas are those
 * that it ever gave a page of during the drive, and pages that others hold in them
 * are overlooked, which flatters it.
 */
#include <linux/bitmap.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "bench.h"

#define BYTES		SZ_128M
#define FRAMES		(BYTES / PAGE_SIZE)
#define AREA_FRAMES	(SZ_2M / PAGE_SIZE)
#define AREAS_MAX	SZ_64K		/* 128 GiB of physical memory */
#define ROUNDS		100

struct drive {
	const struct bench_arm *arm;
	struct rnd_state dice;
	unsigned long *touched;
	unsigned long *live;
	void **slots;
	unsigned int n;
};

static unsigned int area_of(const struct drive *d, const void *block)
{
	return min(d->arm->frame(block) / AREA_FRAMES, AREAS_MAX - 1UL);
}

static int take(struct drive *d, unsigned int n)
{
	while (n--) {
		void *block = d->arm->get(0, GFP_KERNEL);

		if (!block)
			return -ENOMEM;
		d->slots[d->n++] = block;
		__set_bit(area_of(d, block), d->touched);
	}
	return 0;
}

/* Free @n of them at random. */
static void drop(struct drive *d, unsigned int n)
{
	unsigned int at;

	while (n-- && d->n) {
		at = prandom_u32_state(&d->dice) % d->n--;
		swap(d->slots[at], d->slots[d->n]);
		d->arm->put(d->slots[d->n], 0);
	}
}

static int churn(struct drive *d)
{
	unsigned int round, tenth;
	int err;

	err = take(d, FRAMES * 9 / 10);
	if (err)
		return err;
	drop(d, d->n / 2);
	tenth = d->n / 10;
	for (round = 0; round < ROUNDS && !err; round++) {
		drop(d, tenth);
		err = take(d, tenth);
		cond_resched();
	}
	return err;
}

static void judge(struct drive *d)
{
	const struct bench_arm *arm = d->arm;
	unsigned int areas, whole, best, i;
	u64 own_areas, own_whole;

	for (i = 0; i < d->n; i++)
		__set_bit(area_of(d, d->slots[i]), d->live);
	areas = arm->shared ? bitmap_weight(d->touched, AREAS_MAX) : BYTES / SZ_2M;
	whole = areas - bitmap_weight(d->live, AREAS_MAX);
	best = areas - DIV_ROUND_UP(d->n, AREA_FRAMES);
	bench_say("note page.frag %s: %u pages out, %u of %u areas have none, %u could\n",
		  arm->name, d->n, whole, areas, best);
	if (arm->areas) {
		arm->areas(&own_areas, &own_whole);
		bench_say("note page.frag %s: by its own account %llu of %llu\n",
			  arm->name, own_whole, own_areas);
		whole = own_whole;
	}
	bench_value("page.frag", "fraction", arm->name, div_u64((u64)whole * 1000, best));
}

static int drive(struct drive *d)
{
	int err;

	bitmap_zero(d->touched, AREAS_MAX);
	bitmap_zero(d->live, AREAS_MAX);
	prandom_seed_state(&d->dice, 42);
	err = d->arm->open(BYTES, 0);
	if (err)
		return err;
	err = churn(d);
	if (err)
		bench_say("note page.frag %s: out of memory with %u pages out\n",
			  d->arm->name, d->n);
	else
		judge(d);
	drop(d, d->n);
	d->arm->close();
	return 0;
}

int bench_frag(void)
{
	struct drive d = {};
	unsigned int i;
	int err = 0;

	if (!bench_wanted("page.frag"))
		return 0;
	d.touched = bitmap_zalloc(AREAS_MAX, GFP_KERNEL);
	d.live = bitmap_zalloc(AREAS_MAX, GFP_KERNEL);
	d.slots = kvmalloc_array(FRAMES, sizeof(*d.slots), GFP_KERNEL);
	if (!d.touched || !d.live || !d.slots)
		err = -ENOMEM;
	for (i = 0; bench_arms[i] && !err; i++) {
		d.arm = bench_arms[i];
		err = drive(&d);
	}
	kvfree(d.slots);
	bitmap_free(d.live);
	bitmap_free(d.touched);
	return err;
}
