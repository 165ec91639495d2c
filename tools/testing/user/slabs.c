// SPDX-License-Identifier: GPL-2.0
/*
 * The slab arithmetic and the slabs of a cache, beside what they should be.
 *
 * shapes	Every size up to 8192 at every alignment, and larger ones: where objects
 *		lie, what is wasted against every other order counted out, and the
 *		division by the stride around every border.
 * refusals	Sizes and alignments that make no sense.
 * walk		Random taking and putting back over memory that is really there, beside
 *		a byte for each object; one put in eight is one that must be refused.
 *		What is in the objects must stay, free or not. SEED= STEPS=
 * damage	What the check is there to see.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/minmax.h>

#include "../../../module/slab/slab.h"
#include "dice.h"
#include "tap.h"

#define LINE	64u
#define SLABS	24u
#define OUT	4096u

static const u32 aligns[] = { 0, 8, 16, 64, 256, 1024, 4096, 32768 };

__printf(1, 2) static void fail(const char *fmt, ...)
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

/* How many fit, counted out. */
static u32 count_out(u32 size, u32 stride, u32 bytes)
{
	u32 nr, end;

	for (nr = 0, end = size; end <= bytes; end += stride)
		nr++;
	return nr;
}

static void check_order(const struct quarry_shape *shape)
{
	u32 order, lowest, bytes, nr, mine = quarry_shape_bytes(shape);
	bool better = false;

	/* A slab is aligned to its length: it must be as long as an object is aligned. */
	for (lowest = 0; 4096u << lowest < shape->align; lowest++)
		;
	if (shape->order < lowest)
		fail("size %u: a slab of order %u cannot align to %u", shape->size,
		     shape->order, shape->align);
	for (order = lowest; order <= QUARRY_SLAB_MAX_ORDER; order++) {
		bytes = 1u << (QUARRY_SLAB_SHIFT + order);
		nr = count_out(shape->size, shape->stride, bytes);
		/* No cheap order holds more objects a page. */
		if (order <= 3 && (u64)nr * mine > (u64)shape->nr * bytes)
			fail("size %u: order %u holds more a page than %u", shape->size,
			     order, shape->order);
		if ((u64)nr * mine != (u64)shape->nr * bytes || shape->order > 3)
			continue;
		/* Of equals the lowest with enough objects, else the highest. */
		if (order < shape->order ? nr >= 64 : order > shape->order && order <= 3 &&
		    shape->nr < 64)
			fail("size %u: order %u is better than %u", shape->size, order,
			     shape->order);
	}
	for (order = lowest; order <= QUARRY_SLAB_MAX_ORDER; order++) {
		bytes = 1u << (QUARRY_SLAB_SHIFT + order);
		better |= (u64)count_out(shape->size, shape->stride, bytes) * shape->stride * 8 >=
			  (u64)bytes * 7;
	}
	if (better && (u64)shape->nr * shape->stride * 8 < (u64)mine * 7)
		fail("size %u: order %u wastes more than an eighth, others do not",
		     shape->size, shape->order);
}

static void check_division(const struct quarry_shape *shape)
{
	u32 i, border;
	s32 d;

	for (i = 0; i <= shape->nr; i++) {
		border = i * shape->stride;
		for (d = -1; d <= 1; d++) {
			u32 offset = border + d;

			if (offset >= quarry_shape_bytes(shape))
				continue;
			if ((u32)((__uint128_t)offset * shape->inverse >> 64) !=
			    offset / shape->stride)
				fail("%u / %u is wrong", offset, shape->stride);
		}
	}
}

static void check_shape(u32 size, u32 align)
{
	struct quarry_shape shape;
	u64 end;

	if (quarry_shape_init(&shape, size, align, LINE))
		fail("size %u align %u was refused", size, align);
	if (shape.size != size || shape.align < align || shape.stride < size ||
	    shape.stride % shape.align || shape.stride - size >= shape.align)
		fail("size %u align %u: stride %u", size, align, shape.stride);
	if (shape.nr != count_out(size, shape.stride, quarry_shape_bytes(&shape)))
		fail("size %u align %u: %u objects", size, align, shape.nr);
	end = (u64)(shape.colours - 1) * shape.step + (u64)(shape.nr - 1) * shape.stride + size;
	if (!shape.colours || shape.step % shape.align || end > quarry_shape_bytes(&shape))
		fail("size %u align %u: the last colour does not fit", size, align);
	if (end + shape.step <= quarry_shape_bytes(&shape))
		fail("size %u align %u: there is room for a colour more", size, align);
	check_order(&shape);
	check_division(&shape);
}

static void shapes(const void *arg)
{
	u32 size, i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(aligns); i++) {
		for (size = 1; size <= 8192; size++)
			check_shape(size, aligns[i]);
		for (; size <= QUARRY_OBJECT_MAX; size += size / 97 + 1)
			check_shape(size, aligns[i]);
		check_shape(QUARRY_OBJECT_MAX, aligns[i]);
	}
}

static void refusals(const void *arg)
{
	struct quarry_shape shape;

	(void)arg;
	if (quarry_shape_init(&shape, 0, 8, LINE) != -EINVAL ||
	    quarry_shape_init(&shape, 8, 3, LINE) != -EINVAL ||
	    quarry_shape_init(&shape, 8, 2 * QUARRY_ALIGN_MAX, LINE) != -EINVAL ||
	    quarry_shape_init(&shape, QUARRY_OBJECT_MAX + 1, 8, LINE) != -E2BIG ||
	    quarry_shape_init(&shape, ~0u, 0, LINE) != -E2BIG)
		fail("nonsense was accepted");
}

/* The reference: memory, and the objects that are out. */
struct twin {
	struct quarry_shape shape;
	struct quarry_slabs slabs;
	struct quarry_slab *slab[SLABS];
	char *memory[SLABS];
	u8 *is_out[SLABS];
	void *out[OUT];
	unsigned int nr_out;
	u64 nr_slabs;
	u64 added;
};

static unsigned int slab_of(const struct twin *t, const void *object)
{
	unsigned int i;

	for (i = 0; i < SLABS; i++)
		if (t->slab[i] && (char *)object >= t->memory[i] &&
		    (char *)object < t->memory[i] + quarry_shape_bytes(&t->shape))
			return i;
	fail("an object of no slab");
	return 0;
}

static u32 number_of(const struct twin *t, unsigned int i, const void *object)
{
	return ((unsigned long)object - t->slab[i]->first) / t->shape.stride;
}

static void add_slab(struct twin *t)
{
	u32 bytes = quarry_shape_bytes(&t->shape);
	unsigned int i;

	for (i = 0; i < SLABS && t->slab[i]; i++)
		;
	if (i == SLABS)
		return;
	t->memory[i] = aligned_alloc(bytes, bytes);
	t->slab[i] = malloc(quarry_slab_metadata_bytes(&t->shape));
	t->is_out[i] = calloc(t->shape.nr, 1);
	if (!t->memory[i] || !t->slab[i] || !t->is_out[i])
		fail("no memory");
	memset(t->memory[i], 0x11 + i, bytes);
	quarry_slabs_add(&t->slabs, t->slab[i],
			 quarry_slabs_first(&t->slabs, (unsigned long)t->memory[i]));
	if (quarry_slab_start(t->slab[i]) != (unsigned long)t->memory[i])
		fail("a slab does not know where it begins");
	if (t->slab[i]->first - (unsigned long)t->memory[i] !=
	    (unsigned long)(t->added++ % t->shape.colours) * t->shape.step)
		fail("a slab has the wrong colour");
	t->nr_slabs++;
}

static void remove_slab(struct twin *t)
{
	struct quarry_slab *slab = quarry_slabs_remove_empty(&t->slabs);
	unsigned int i, k;
	bool has = false;

	for (i = 0; i < SLABS; i++) {
		bool empty = t->slab[i];

		for (k = 0; empty && k < t->shape.nr; k++)
			empty = !t->is_out[i][k];
		has |= empty;
		if (!slab || t->slab[i] != slab)
			continue;
		if (!empty)
			fail("a slab with objects out was given up");
		for (k = 0; k < quarry_shape_bytes(&t->shape); k++)
			if (t->memory[i][k] != (char)(0x11 + i))
				fail("the slab's memory was written to");
		free(t->memory[i]);
		free(t->is_out[i]);
		free(slab);
		t->slab[i] = NULL;
		t->nr_slabs--;
		return;
	}
	if (slab || has)
		fail("an empty slab was not found");
}

static u32 out_of(const struct twin *t, unsigned int i)
{
	u32 k, nr = 0;

	for (k = 0; k < t->shape.nr; k++)
		nr += t->is_out[i][k];
	return nr;
}

/* Before anything is taken: from how full a slab must the first object come? */
static u32 fullest(const struct twin *t)
{
	u32 best = 0, nr, i;

	for (i = 0; i < SLABS; i++) {
		nr = t->slab[i] ? out_of(t, i) : t->shape.nr;
		if (nr < t->shape.nr && nr * QUARRY_SLAB_BUCKETS / t->shape.nr > best)
			best = nr * QUARRY_SLAB_BUCKETS / t->shape.nr;
	}
	return best;
}

static void take(struct twin *t, unsigned int nr)
{
	u32 bucket = fullest(t), k, below;
	unsigned int got, i, s;
	void *objects[64];

	if (t->nr_out + nr > OUT)
		return;
	got = quarry_slabs_take(&t->slabs, nr, objects);
	if (got != min_t(u64, nr, t->nr_slabs * t->shape.nr - t->nr_out))
		fail("took %u of %u", got, nr);
	for (i = 0; i < got; i++) {
		s = slab_of(t, objects[i]);
		k = number_of(t, s, objects[i]);
		if ((unsigned long)objects[i] % t->shape.align ||
		    (unsigned long)objects[i] != t->slab[s]->first + k * t->shape.stride)
			fail("an object lies askew");
		if (!i && out_of(t, s) * QUARRY_SLAB_BUCKETS / t->shape.nr != bucket)
			fail("not from the fullest slab");
		if (t->is_out[s][k]++)
			fail("handed out twice");
		for (below = 0; below < k; below++)
			if (!t->is_out[s][below])
				fail("not the lowest address");
		t->out[t->nr_out++] = objects[i];
	}
}

static void expect(struct quarry_slab *slab, void *object, enum quarry_slab_fault fault)
{
	enum quarry_slab_fault got = quarry_slab_put(slab, object);

	if (got != fault)
		fail("put: %d, not %d", got, fault);
}

static void put(struct twin *t, struct dice *d)
{
	unsigned int at = dice(d, t->nr_out), i = slab_of(t, t->out[at]), k;
	char *object = t->out[at];

	switch (dice(d, 24)) {
	case 0:
		expect(t->slab[i], object + 1 + dice(d, t->shape.stride - 1),
		       object == (char *)t->slab[i]->first +
				 (u64)(t->shape.nr - 1) * t->shape.stride ?
		       quarry_slab_look(t->slab[i], object + 1, &k) : QUARRY_SLAB_INTERIOR);
		return;
	case 1:
		expect(t->slab[i], (char *)t->slab[i]->first - 1, QUARRY_SLAB_OUTSIDE);
		expect(t->slab[i], (char *)t->slab[i]->first +
				   (u64)t->shape.nr * t->shape.stride, QUARRY_SLAB_OUTSIDE);
		expect(t->slab[i], NULL, QUARRY_SLAB_OUTSIDE);
		return;
	case 2:
		k = dice(d, t->shape.nr);
		if (!t->is_out[i][k])
			expect(t->slab[i], (char *)t->slab[i]->first + k * t->shape.stride,
			       QUARRY_SLAB_FREE);
		return;
	}
	expect(t->slab[i], object, QUARRY_SLAB_OK);
	t->is_out[i][number_of(t, i, object)] = 0;
	t->out[at] = t->out[--t->nr_out];
}

static void check(const struct twin *t)
{
	const char *what = quarry_slabs_check(&t->slabs);

	if (what)
		fail("%s", what);
	if (t->slabs.nr_free != t->nr_slabs * t->shape.nr - t->nr_out)
		fail("%u objects out, %llu free", t->nr_out, t->slabs.nr_free);
}

static void leave(struct twin *t, struct dice *d)
{
	while (t->nr_out)
		put(t, d);
	while (t->nr_slabs)
		remove_slab(t);
	check(t);
	free(t);
}

static void walk_of(u64 seed, u32 size, u32 align, u64 steps)
{
	struct twin *t = calloc(1, sizeof(*t));
	struct dice d;
	u64 step;

	dice_seed(&d, seed);
	if (!t || quarry_shape_init(&t->shape, size, align, LINE))
		fail("no twin");
	quarry_slabs_init(&t->slabs, &t->shape, 0);
	for (step = 0; step < steps; step++) {
		bool filling = step / 700 % 2;
		unsigned int what = dice(&d, 100);

		if (what < 3)
			add_slab(t);
		else if (what < 5)
			remove_slab(t);
		else if (t->nr_out && what < (filling ? 45 : 80))
			put(t, &d);
		else
			take(t, 1 + dice(&d, dice(&d, 4) ? 3 : 64));
		if (step % 16 == 0)
			check(t);
	}
	leave(t, &d);
}

static void walk(const void *arg)
{
	static const u32 sizes[] = { 8, 24, 32, 100, 192, 256, 700, 1024, 2100, 4096, 5000 };
	u64 seed = env_number("SEED", 1), steps = env_number("STEPS", 20000);
	unsigned int i;

	(void)arg;
	printf("# seed %llu, %llu steps for each of %u sizes\n", seed, steps,
	       (unsigned int)(2 * ARRAY_SIZE(sizes)));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		walk_of(seed + i, sizes[i], 0, steps);
		walk_of(seed + i, sizes[i], 64, steps);
	}
}

static void must_be_seen(struct twin *t, const char *what)
{
	if (!quarry_slabs_check(&t->slabs))
		fail("not seen: %s", what);
}

static void damage(const void *arg)
{
	struct twin *t = calloc(1, sizeof(*t));
	struct quarry_slab *slab;
	struct dice d;

	(void)arg;
	if (!t || quarry_shape_init(&t->shape, 100, 0, LINE))
		fail("no twin");
	quarry_slabs_init(&t->slabs, &t->shape, 0);
	add_slab(t);
	add_slab(t);
	take(t, 5);
	check(t);
	slab = t->slab[slab_of(t, t->out[0])];
	slab->free[0] ^= 1;
	must_be_seen(t, "a bit");
	slab->free[0] ^= 1;
	slab->nfree++;
	must_be_seen(t, "free objects of a slab");
	slab->nfree--;
	slab->place ^= 1;
	must_be_seen(t, "its place");
	slab->place ^= 1;
	slab->first += 8;
	must_be_seen(t, "its colour");
	slab->first -= 8;
	t->slabs.buckets ^= 4;
	must_be_seen(t, "the mask");
	t->slabs.buckets ^= 4;
	t->slabs.nr_free++;
	must_be_seen(t, "the sum of free objects");
	t->slabs.nr_free--;
	t->slabs.nr_slabs++;
	must_be_seen(t, "the slabs");
	t->slabs.nr_slabs--;
	t->slabs.nr_empty++;
	must_be_seen(t, "the empty slabs");
	t->slabs.nr_empty--;
	dice_seed(&d, 1);
	leave(t, &d);
}

int main(void)
{
	tap_plan(4);
	tap_run("shapes", shapes, NULL);
	tap_run("refusals", refusals, NULL);
	tap_run("walk", walk, NULL);
	tap_run("damage", damage, NULL);
	return tap_end();
}
