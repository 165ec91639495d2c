// SPDX-License-Identifier: GPL-2.0
/*
 * The slab arithmetic and the slabs of a cache, beside what they should be.
 *
 * shapes	Every size up to 8192 at many an alignment, and larger ones: where objects
 *		lie, what is wasted against every other order counted out, and the
 *		division by the stride around every border. Of each, the least shape: the
 *		lowest order that holds an object, with the same strides.
 * starts	Of the same shapes, which addresses the fast path takes for the start of an
 *		object: around every border and in the middle of every object of slabs at
 *		random places, with the first and the last colour; of some, every
 *		address of the slab. So too of slabs of the least shape, by the numbers of
 *		the other.
 * arguments	Every alignment with sizes from 0 to the largest number: refused or not, and what
 *		is aligned to a part of a cache line. A size of 0 has an end.
 * refusals	Sizes and alignments that make no sense.
 * colours	Where the first object of each slab is to lie, with and without a lead:
 *		all colours in turn, and from the lead of the first object to the end of
 *		the last nothing outside.
 * looks	Every address of a slab and around it: outside, interior, free or out.
 * walk		Random taking and putting back, from slabs of both shapes, over memory
 *		that is really there, beside a byte for each object; one put in eight is one
 *		that must be refused. What is in the objects must stay, free or not. What
 *		is said to be out of each slab at least is so.
 *		SEED= STEPS=
 * damage	What the check is there to see, each by its own words.
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

static const u32 aligns[] = { 0, 8, 16, 64, 256, 1024, 4096, 8192, 16384, 32768 };

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
	bool wasteful;

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
	wasteful = (u64)shape->nr * shape->stride * 8 < (u64)mine * 7;
	for (order = lowest; order <= QUARRY_SLAB_MAX_ORDER; order++) {
		bytes = 1u << (QUARRY_SLAB_SHIFT + order);
		nr = count_out(shape->size, shape->stride, bytes);
		/* If each wastes more than an eighth, the one that wastes least. */
		if (wasteful && (u64)nr * mine > (u64)shape->nr * bytes)
			fail("size %u: order %u wastes more than %u", shape->size, shape->order,
			     order);
		if ((u64)nr * shape->stride * 8 < (u64)bytes * 7)
			continue;
		/* Else one that does not, and a large one only if all smaller ones do. */
		if (wasteful || (shape->order > 3 && order < shape->order))
			fail("size %u: order %u wastes more than an eighth, or is too large: %u",
			     shape->size, shape->order, order);
	}
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

static void check_room(const struct quarry_shape *shape)
{
	u32 size = shape->size, align = shape->align;
	u64 end;

	if (shape->nr != count_out(size, shape->stride, quarry_shape_bytes(shape)))
		fail("size %u align %u: %u objects", size, align, shape->nr);
	end = (u64)(shape->colours - 1) * shape->step + (u64)(shape->nr - 1) * shape->stride +
	      size;
	if (!shape->colours || shape->step % align || end > quarry_shape_bytes(shape))
		fail("size %u align %u: the last colour does not fit", size, align);
	if (end + shape->step <= quarry_shape_bytes(shape))
		fail("size %u align %u: there is room for a colour more", size, align);
}

static void check_least(const struct quarry_shape *shape)
{
	struct quarry_shape least;
	bool wanted;
	u32 order;

	for (order = 0; 4096u << order < shape->align || 4096u << order < shape->size; order++)
		;
	quarry_shape_least(&least, shape);
	wanted = order < shape->order;
	if (!least.nr == wanted)
		fail("size %u: order %u, and none below: %u", shape->size, shape->order, order);
	if (!least.nr)
		return;
	if (least.order != order || least.stride != shape->stride ||
	    least.size != shape->size || least.align != shape->align)
		fail("size %u align %u: the least order is %u, not %u", shape->size,
		     shape->align, order, least.order);
	check_room(&least);
}

static void check_shape(u32 size, u32 align)
{
	struct quarry_shape shape;

	if (quarry_shape_init(&shape, size, align, LINE))
		fail("size %u align %u was refused", size, align);
	if (shape.size != size || shape.align < align || shape.stride < size ||
	    shape.stride % shape.align || shape.stride - size >= shape.align)
		fail("size %u align %u: stride %u", size, align, shape.stride);
	check_room(&shape);
	check_order(&shape);
	check_division(&shape);
	check_least(&shape);
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

/* Is @address the start of an object, by counting? */
static bool starts_truly(const struct quarry_shape *shape, u64 first, u64 address)
{
	return address >= first && (address - first) % shape->stride == 0 &&
	       (address - first) / shape->stride < shape->nr;
}

static void check_start(const struct quarry_starts *by, const struct quarry_shape *shape,
			u64 first, u64 label, u64 address)
{
	bool want = starts_truly(shape, first, address);

	if (quarry_starts_at(by, label, (void *)(unsigned long)address) != want)
		fail("size %u align %u: byte %lld from the first is %s start", shape->size,
		     shape->align, (long long)(address - first), want ? "no" : "a");
}

static void check_starts_of(struct dice *d, const struct quarry_starts *by,
			    const struct quarry_shape *of, bool all)
{
	u64 bytes, start, first, label, i, at;
	struct quarry_shape shape = *of;
	u32 colour, k, size = of->size;
	u16 tag;

	bytes = quarry_shape_bytes(&shape);
	for (k = 0; k < 2; k++) {
		colour = k ? shape.colours - 1 : 0;
		start = (0xffff888000000000ULL + ((u64)dice(d, ~0u) << 12)) & -bytes;
		first = start + (u64)colour * shape.step;
		tag = k ? 1 + dice(d, 0xffff) : (size & 1 ? 1 : 0xffff);
		label = quarry_shape_label(&shape, first, tag);
		if ((u32)label != tag)
			fail("size %u: a label has forgotten its tag", size);
		for (i = 0; all && i < bytes; i++)
			check_start(by, &shape, first, label, start + i);
		/* One more than there are: what would come after the last. */
		for (i = 0; i <= shape.nr; i++) {
			at = first + i * shape.stride;
			if (at - start >= bytes)
				break;
			check_start(by, &shape, first, label, at);
			check_start(by, &shape, first, label, at + 1);
			check_start(by, &shape, first, label, at + shape.stride / 2);
			check_start(by, &shape, first, label, at + shape.stride - 1);
			if ((first & shape.same) != (at & shape.same) && i < shape.nr)
				fail("size %u: the bits in common are not", size);
			if ((shape.same & 1) && i < shape.nr &&
			    ((at + 1 + dice(d, shape.stride - 1)) & shape.same) ==
			    (first & shape.same))
				fail("size %u: an inside has the bits in common", size);
		}
		if ((first & shape.same) == ((first + bytes) & shape.same))
			fail("size %u: the neighbour of a slab has its bits in common", size);
		check_start(by, &shape, first, label, start);
		check_start(by, &shape, first, label, start + bytes - 1);
	}
	if ((shape.same & 1) != ((shape.stride & (shape.stride - 1)) == 0))
		fail("size %u: the bits in common tell too much or too little", size);
}

static void check_starts(struct dice *d, u32 size, u32 align, bool all)
{
	struct quarry_shape shape, least;

	if (quarry_shape_init(&shape, size, align, LINE))
		fail("size %u align %u was refused", size, align);
	check_starts_of(d, &shape.starts, &shape, all);
	quarry_shape_least(&least, &shape);
	if (least.nr)
		check_starts_of(d, &shape.starts, &least, all);
}

static void starts(const void *arg)
{
	u64 seed = env_number("SEED", 1);
	struct dice d;
	unsigned int i;
	u32 size;

	(void)arg;
	dice_seed(&d, seed);
	for (i = 0; i < ARRAY_SIZE(aligns); i++) {
		for (size = 1; size <= 8192; size++)
			check_starts(&d, size, aligns[i], !(size % 509));
		for (; size <= QUARRY_OBJECT_MAX; size += size / 97 + 1)
			check_starts(&d, size, aligns[i], false);
		check_starts(&d, QUARRY_OBJECT_MAX, aligns[i], true);
	}
}

/* The half of a line, or of a half, and so on, that an object fills more than half. */
static void check_line_align(u32 size, u32 align, u32 line)
{
	u32 got = quarry_shape_line_align(size, align, line), want = line;

	while (want > 1 && want / 2 >= size)
		want /= 2;
	if (got != (want > align ? want : align) || got & (got - 1))
		fail("size %u align %u line %u: %u", size, align, line, got);
}

/* All sizes there are, or some of each magnitude, with all alignments that could be asked for. */
static void arguments(const void *arg)
{
	struct quarry_shape shape, least;
	u32 align, line, bits, want, odd;
	u64 size;
	int err;

	(void)arg;
	for (bits = 0; bits <= 34; bits++) {
		align = bits < 32 ? 1u << bits : (bits - 32) * 3;
		odd = align & (align - 1);
		for (size = 0; size <= ~0u; size += 1 + (size >> 12) * 5) {
			for (line = 1; line <= 256 && size < 1024; line *= 2)
				if (!odd && align <= QUARRY_ALIGN_MAX)
					check_line_align(size, align, line);
			want = !size || odd || align > QUARRY_ALIGN_MAX ? EINVAL :
			       size > QUARRY_OBJECT_MAX ? E2BIG : 0;
			err = quarry_shape_init(&shape, size, align, LINE);
			if (err != -(int)want)
				fail("size %llu align %u: %d", (unsigned long long)size, align,
				     err);
			if (!err)
				quarry_shape_least(&least, &shape);
		}
		check_line_align(~0u, odd || align > QUARRY_ALIGN_MAX ? 0 : align, LINE);
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

static void colours(const void *arg)
{
	static const u32 leads[] = { 0, 8, 64, 128 };
	unsigned long start = 1ul << 30, first, end;
	struct quarry_shape shape, least;
	struct quarry_slab_list slabs;
	unsigned int i, k;
	u32 size;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(leads); i++)
		for (size = leads[i] + 1; size < 6000; size += 37) {
			if (quarry_shape_init(&shape, size, leads[i], LINE))
				fail("size %u lead %u was refused", size, leads[i]);
			memset(&slabs, 0x5a, sizeof(slabs));
			quarry_shape_least(&least, &shape);
			quarry_slab_list_init(&slabs, &shape, &least, leads[i]);
			for (k = 0; k < 2 * shape.colours + 1; k++) {
				/* Those of the other shape have colours of their own. */
				if (least.nr && k % 3 == 1)
					quarry_slab_list_first(&slabs, true, start);
				first = quarry_slab_list_first(&slabs, false, start);
				if (first != start + leads[i] +
					     (u64)(k % shape.colours) * shape.step)
					fail("size %u lead %u: call %u gives %lu", size,
					     leads[i], k, first - start);
				end = first - leads[i] + (u64)(shape.nr - 1) * shape.stride +
				      size;
				if (first % shape.align ||
				    end > start + quarry_shape_bytes(&shape))
					fail("size %u lead %u: colour %u does not fit", size,
					     leads[i], k);
			}
		}
}

/* Every third object is here. */
static void look_at(const struct quarry_slab *slab, unsigned long at)
{
	const struct quarry_shape *shape = quarry_slab_shape(slab);
	enum quarry_slab_verdict want, got;
	u64 offset = at - slab->first, k = offset / shape->stride;
	u32 number;

	want = k % 3 ? QUARRY_SLAB_OK : QUARRY_SLAB_FREE;
	if (k >= shape->nr)
		want = QUARRY_SLAB_OUTSIDE;
	else if (offset % shape->stride)
		want = QUARRY_SLAB_INTERIOR;
	got = quarry_slab_look(slab, (void *)at, &number);
	if (got != want || (want != QUARRY_SLAB_OUTSIDE && number != k))
		fail("size %u lead %u: %lld is %d of %u, not %d of %llu", shape->size,
		     slab->owner->lead, (long long)offset, got, number, want, k);
}

/* On no list yet, it takes nothing: all of it is here. */
static void refuses_all(struct quarry_slab *slab)
{
	const struct quarry_shape *shape = quarry_slab_shape(slab);
	u64 nr_free = slab->owner->nr_free;
	u32 i;

	for (i = 0; i < shape->nr; i++)
		if (quarry_slab_put(slab, (void *)(slab->first + (u64)i * shape->stride)) !=
		    QUARRY_SLAB_FREE)
			fail("size %u: a slab that is being made took object %u", shape->size,
			     i);
	if (slab->nfree != shape->nr || slab->owner->nr_free != nr_free)
		fail("size %u: a refused object was counted", shape->size);
}

static void look_at_all(u32 size, u32 align, u32 lead, bool is_least)
{
	struct quarry_shape shape, least, both[2];
	struct quarry_slab_list slabs;
	struct quarry_slab *slab;
	unsigned long at, start;
	u32 bytes, i;
	void *object;

	if (quarry_shape_init(&shape, size, align, LINE))
		fail("size %u was refused", size);
	quarry_shape_least(&least, &shape);
	both[0] = shape;
	both[1] = least;
	if (is_least && !least.nr)
		return;
	shape = both[is_least];
	bytes = quarry_shape_bytes(&shape);
	start = 16ul * bytes;
	slab = malloc(quarry_slab_metadata_bytes(&shape));
	if (!slab)
		fail("no memory");
	quarry_slab_list_init(&slabs, &both[0], &both[1], lead);
	/* The last colour. */
	for (i = 1; i < shape.colours; i++)
		quarry_slab_list_first(&slabs, is_least, start);
	quarry_slab_init(slab, &slabs, is_least, false,
			 quarry_slab_list_first(&slabs, is_least, start));
	refuses_all(slab);
	quarry_slab_list_add(slab);
	for (i = 0; i < shape.nr; i++)
		if (quarry_slab_list_take(&slabs, 1, &object) != 1)
			fail("size %u: no object %u", size, i);
	for (i = 0; i < shape.nr; i += 3)
		quarry_slab_put(slab, (void *)(slab->first + (u64)i * shape.stride));
	/* Of large slabs an address in 64. */
	for (at = slab->first - bytes; at < start + 2ul * bytes; at += bytes > 65536 ? 64 : 1)
		look_at(slab, at);
	/* So far off that the number of the object does not fit any more. */
	for (i = 0; i < 44; i++) {
		look_at(slab, slab->first + ((u64)shape.stride << i));
		look_at(slab, slab->first - ((u64)shape.stride << i));
	}
	free(slab);
}

static void looks(const void *arg)
{
	static const u32 sizes[] = { 8, 24, 100, 136, 504, 700, 1365, 4096, 9000, 3 << 20 };
	unsigned int i, least;

	(void)arg;
	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		least = i % 2;
		look_at_all(sizes[i / 2], 0, 0, least);
		look_at_all(sizes[i / 2] + 8, 8, 8, least);
		look_at_all(sizes[i / 2] + 64, 64, 64, least);
		look_at_all(sizes[i / 2], 32768, 0, least);
	}
}

/* The reference: memory, and the objects that are out. */
struct twin {
	struct quarry_shape shape;
	struct quarry_shape least;
	const struct quarry_shape *of[SLABS];
	struct quarry_slab_list slabs;
	struct quarry_slab *slab[SLABS];
	char *memory[SLABS];
	u8 *is_out[SLABS];
	void *out[OUT];
	unsigned int nr_out;
	u64 nr_slabs;
	u64 nr_lent;
	u64 nr_objects;
	u64 lent_objects;
	u64 lent_out;
	u64 added[2];
};

static unsigned int slab_of(const struct twin *t, const void *object)
{
	unsigned int i;

	for (i = 0; i < SLABS; i++)
		if (t->slab[i] && (char *)object >= t->memory[i] &&
		    (char *)object < t->memory[i] + quarry_shape_bytes(t->of[i]))
			return i;
	fail("an object of no slab");
	return 0;
}

static u32 number_of(const struct twin *t, unsigned int i, const void *object)
{
	return ((unsigned long)object - t->slab[i]->first) / t->shape.stride;
}

static void add_slab(struct twin *t, bool least, bool lent)
{
	const struct quarry_shape *shape = least ? &t->least : &t->shape;
	u32 bytes = quarry_shape_bytes(shape);
	unsigned int i;

	for (i = 0; i < SLABS && t->slab[i]; i++)
		;
	if (i == SLABS || !shape->nr)
		return;
	t->of[i] = shape;
	t->memory[i] = aligned_alloc(bytes, bytes);
	t->slab[i] = malloc(quarry_slab_metadata_bytes(shape));
	t->is_out[i] = calloc(shape->nr, 1);
	if (!t->memory[i] || !t->slab[i] || !t->is_out[i])
		fail("no memory");
	memset(t->memory[i], 0x11 + i, bytes);
	quarry_slab_init(t->slab[i], &t->slabs, least, lent,
			 quarry_slab_list_first(&t->slabs, least, (unsigned long)t->memory[i]));
	quarry_slab_list_add(t->slab[i]);
	if (quarry_slab_start(t->slab[i]) != (unsigned long)t->memory[i])
		fail("a slab does not know where it begins");
	if (t->slab[i]->first - (unsigned long)t->memory[i] !=
	    (unsigned long)(t->added[least]++ % shape->colours) * shape->step + t->slabs.lead)
		fail("a slab has the wrong colour");
	t->nr_slabs++;
	t->nr_lent += lent;
	t->nr_objects += shape->nr;
	t->lent_objects += lent * shape->nr;
}

/* One with nothing out; @spent: one that is lent. */
static void remove_slab(struct twin *t, bool spent)
{
	struct quarry_slab *slab = spent ? quarry_slab_list_remove_spent(&t->slabs) :
					   quarry_slab_list_remove_empty(&t->slabs);
	bool has = false, has_lent = false;
	unsigned int i, k;

	if (spent && slab && !slab->is_lent)
		fail("a slab was given up that is not lent");
	for (i = 0; i < SLABS; i++) {
		bool empty = t->slab[i] && (!spent || t->slab[i]->is_lent);

		for (k = 0; empty && k < t->of[i]->nr; k++)
			empty = !t->is_out[i][k];
		has |= empty;
		has_lent |= empty && t->slab[i]->is_lent;
	}
	if (has_lent && (!slab || !slab->is_lent))
		fail("not the lent slab first");
	for (i = 0; i < SLABS; i++) {
		bool empty = true;

		if (!slab || t->slab[i] != slab)
			continue;
		for (k = 0; empty && k < t->of[i]->nr; k++)
			empty = !t->is_out[i][k];
		if (!empty)
			fail("a slab with objects out was given up");
		for (k = 0; k < quarry_shape_bytes(t->of[i]); k++)
			if (t->memory[i][k] != (char)(0x11 + i))
				fail("the slab's memory was written to");
		t->nr_slabs--;
		t->nr_lent -= slab->is_lent;
		t->nr_objects -= t->of[i]->nr;
		t->lent_objects -= slab->is_lent * t->of[i]->nr;
		free(t->memory[i]);
		free(t->is_out[i]);
		free(slab);
		t->slab[i] = NULL;
		return;
	}
	if (slab || has)
		fail("an empty slab was not found");
}

static u32 out_of(const struct twin *t, unsigned int i)
{
	u32 k, nr = 0;

	for (k = 0; k < t->of[i]->nr; k++)
		nr += t->is_out[i][k];
	return nr;
}

/* Before anything is taken: from how full a slab must the first object come? */
static u32 fullest(const struct twin *t)
{
	u32 best = 0, nr, i;

	for (i = 0; i < SLABS; i++) {
		if (!t->slab[i] || t->slab[i]->is_lent)
			continue;
		nr = out_of(t, i);
		if (nr < t->of[i]->nr && nr * QUARRY_SLAB_BUCKETS / t->of[i]->nr > best)
			best = nr * QUARRY_SLAB_BUCKETS / t->of[i]->nr;
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
	got = quarry_slab_list_take(&t->slabs, nr, objects);
	if (got != min_t(u64, nr, t->nr_objects - t->lent_objects - (t->nr_out - t->lent_out)))
		fail("took %u of %u", got, nr);
	for (i = 0; i < got; i++) {
		s = slab_of(t, objects[i]);
		k = number_of(t, s, objects[i]);
		if ((unsigned long)objects[i] % t->shape.align ||
		    (unsigned long)objects[i] != t->slab[s]->first + k * t->shape.stride)
			fail("an object lies askew");
		if (!i && out_of(t, s) * QUARRY_SLAB_BUCKETS / t->of[s]->nr != bucket)
			fail("not from the fullest slab");
		if (t->is_out[s][k]++)
			fail("handed out twice");
		if (t->slab[s]->is_lent)
			fail("an object that is lent");
		for (below = 0; below < k; below++)
			if (!t->is_out[s][below])
				fail("not the lowest address");
		t->out[t->nr_out++] = objects[i];
	}
}

/* One of a lent slab, in use before one that is not. */
static void take_lent(struct twin *t)
{
	bool in_use = false, any;
	unsigned int i, s;
	void *object;
	u32 k, out;

	if (t->nr_out == OUT)
		return;
	for (i = 0; i < SLABS; i++) {
		out = t->slab[i] && t->slab[i]->is_lent ? out_of(t, i) : 0;
		in_use |= out && out < t->of[i]->nr;
	}
	object = quarry_slab_list_take_lent(&t->slabs);
	any = t->lent_out < t->lent_objects;
	if (!!object != any)
		fail("%llu of %llu lent objects out, got %p", t->lent_out, t->lent_objects,
		     object);
	if (!object)
		return;
	s = slab_of(t, object);
	k = number_of(t, s, object);
	if (!t->slab[s]->is_lent || t->is_out[s][k])
		fail("not one that is lent and here");
	if (in_use && !out_of(t, s))
		fail("from a spent slab while another is in use");
	t->is_out[s][k] = 1;
	t->out[t->nr_out++] = object;
	t->lent_out++;
}

static void expect(struct quarry_slab *slab, void *object, enum quarry_slab_verdict verdict)
{
	enum quarry_slab_verdict got = quarry_slab_put(slab, object);

	if (got != verdict)
		fail("put: %d, not %d", got, verdict);
}

static void put(struct twin *t, struct dice *d)
{
	unsigned int at = dice(d, t->nr_out), i = slab_of(t, t->out[at]), k;
	char *object = t->out[at];

	switch (dice(d, 24)) {
	case 0:
		object += 1 + dice(d, t->shape.stride - 1);
		expect(t->slab[i], object,
		       (unsigned long)object - t->slab[i]->first <
		       quarry_shape_bytes(t->of[i]) ? QUARRY_SLAB_INTERIOR :
						      QUARRY_SLAB_OUTSIDE);
		return;
	case 1:
		expect(t->slab[i], (char *)t->slab[i]->first - 1, QUARRY_SLAB_OUTSIDE);
		expect(t->slab[i], (char *)t->slab[i]->first +
				   (u64)t->of[i]->nr * t->shape.stride, QUARRY_SLAB_OUTSIDE);
		expect(t->slab[i], NULL, QUARRY_SLAB_OUTSIDE);
		return;
	case 2:
		k = dice(d, t->of[i]->nr);
		if (!t->is_out[i][k])
			expect(t->slab[i], (char *)t->slab[i]->first + k * t->shape.stride,
			       QUARRY_SLAB_FREE);
		return;
	}
	expect(t->slab[i], object, QUARRY_SLAB_OK);
	t->is_out[i][number_of(t, i, object)] = 0;
	t->lent_out -= t->slab[i]->is_lent;
	t->out[at] = t->out[--t->nr_out];
}

/* Each slab is in one list, and that is the one its objects say. */
static void check_lists(struct twin *t)
{
	const struct quarry_slab *slab;
	u32 list, want, out, nr;
	unsigned int i;
	u64 listed = 0;

	for (list = 0; list <= QUARRY_SLAB_SPENT; list++)
		list_for_each_entry(slab, quarry_slab_list_head(&t->slabs, list), link) {
			i = slab_of(t, (void *)slab->first);
			out = out_of(t, i);
			nr = t->of[i]->nr;
			want = !out ? QUARRY_SLAB_EMPTY : out == nr ? QUARRY_SLAB_FULL :
			       out * QUARRY_SLAB_BUCKETS / nr;
			if (slab != t->slab[i] || slab->place != want)
				fail("%u of %u out: place %u, not %u", out, nr, slab->place, want);
			if (slab->is_lent && out < nr)
				want = out ? QUARRY_SLAB_LENT : QUARRY_SLAB_SPENT;
			if (list != want)
				fail("%u of %u out: in list %u, not %u", out, nr, list, want);
			listed++;
		}
	if (listed != t->nr_slabs)
		fail("%llu slabs are listed, not %llu", listed, t->nr_slabs);
}

/* What must come back before a slab is empty: an eighth too little at most, never too much. */
static void check_least_out(struct twin *t)
{
	u32 told = quarry_slab_list_least_out(&t->slabs), least = ~0U, out, i;

	for (i = 0; i < SLABS; i++) {
		if (!t->slab[i])
			continue;
		out = out_of(t, i);
		if (!out)
			return;
		if (!t->slab[i]->is_lent || t->nr_slabs == 1)
			least = min(least, out);
	}
	if (told > least || (t->nr_slabs <= 1 && told != least))
		fail("%u are said to lack at least, not %u", told, least);
	if (!t->slabs.nr_least && !t->nr_lent && least - told > t->shape.nr / QUARRY_SLAB_BUCKETS)
		fail("only %u are said to lack, not %u", told, least);
}

static void check(struct twin *t)
{
	const char *what = quarry_slab_list_check(&t->slabs);

	if (what)
		fail("%s", what);
	check_lists(t);
	check_least_out(t);
	if (t->slabs.nr_free != t->nr_objects - t->nr_out ||
	    quarry_slab_list_objects(&t->slabs) != t->nr_objects)
		fail("%u objects out, %llu free", t->nr_out, t->slabs.nr_free);
}

static void leave(struct twin *t, struct dice *d)
{
	while (t->nr_out)
		put(t, d);
	while (t->nr_lent)
		remove_slab(t, true);
	while (t->nr_slabs)
		remove_slab(t, false);
	check(t);
	free(t);
}

static void walk_of(u64 seed, u32 size, u32 align, u32 lead, u64 steps)
{
	struct twin *t = calloc(1, sizeof(*t));
	struct dice d;
	u64 step;

	dice_seed(&d, seed);
	if (!t || quarry_shape_init(&t->shape, size, align, LINE))
		fail("no twin");
	quarry_shape_least(&t->least, &t->shape);
	quarry_slab_list_init(&t->slabs, &t->shape, &t->least, lead);
	for (step = 0; step < steps; step++) {
		bool filling = step / 700 % 2;
		unsigned int what = dice(&d, 100);

		if (what < 3)
			add_slab(t, !dice(&d, 3), !dice(&d, 4));
		else if (what < 5)
			remove_slab(t, dice(&d, 2));
		else if (what < 10)
			take_lent(t);
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
	static const u32 sizes[] = { 8, 24, 32, 100, 192, 256, 504, 700, 1024, 2100, 4096,
				     5000 };
	u64 seed = env_number("SEED", 1), steps = env_number("STEPS", 20000);
	unsigned int i;

	(void)arg;
	printf("# seed %llu, %llu steps for each of %u sizes\n", seed, steps,
	       (unsigned int)(3 * ARRAY_SIZE(sizes) + 6));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		walk_of(seed + i, sizes[i], 0, 0, steps);
		walk_of(seed + i, sizes[i], 64, 0, steps);
		walk_of(seed + i, sizes[i] + 16, 8, 16, steps);
	}
	/* Slabs that are as long as an object is aligned, and longer; few objects in each. */
	for (i = 4096; i <= QUARRY_ALIGN_MAX; i *= 2)
		walk_of(seed + i, i / 3, i, 0, steps);
	walk_of(seed, 40000, QUARRY_ALIGN_MAX, 0, steps);
	walk_of(seed, 3 * QUARRY_ALIGN_MAX, QUARRY_ALIGN_MAX, 0, steps);
}

/* @words: of what must be said. */
static void must_say(struct twin *t, const char *words)
{
	const char *what = quarry_slab_list_check(&t->slabs);

	if (!what || !strstr(what, words))
		fail("not \"%s\" but \"%s\"", words, what ?: "all is well");
}

static void damage_slab(struct twin *t, unsigned int i)
{
	const struct quarry_shape *shape = t->of[i];
	struct quarry_slab *slab = t->slab[i];
	struct quarry_slab_list other = t->slabs;

	slab->free[0] ^= 1;
	must_say(t, "differ from its bits");
	slab->free[0] ^= 1;
	/* A bit that stands for no object. */
	slab->free[shape->nr / 64] ^= 1ULL << (shape->nr % 64);
	must_say(t, "that is none");
	slab->free[shape->nr / 64] ^= 1ULL << (shape->nr % 64);
	slab->nfree++;
	must_say(t, "differ from its bits");
	slab->nfree--;
	slab->place ^= 1;
	must_say(t, "in the wrong list");
	slab->place ^= 1;
	slab->first += t->shape.align;
	must_say(t, "at no colour");
	slab->first -= t->shape.align;
	slab->first += shape->colours * shape->step;
	must_say(t, "at no colour");
	slab->first -= shape->colours * shape->step;
	slab->owner = &other;
	must_say(t, "is another's");
	slab->owner = &t->slabs;
	check(t);
}

static void damage(const void *arg)
{
	struct twin *t = calloc(1, sizeof(*t));
	struct quarry_slab *slab;
	struct dice d;
	u32 place;

	(void)arg;
	if (!t || quarry_shape_init(&t->shape, 104, 0, LINE))
		fail("no twin");
	quarry_shape_least(&t->least, &t->shape);
	quarry_slab_list_init(&t->slabs, &t->shape, &t->least, 8);
	add_slab(t, false, false);
	add_slab(t, true, false);
	take(t, 5);
	check(t);
	damage_slab(t, 0);
	damage_slab(t, 1);
	/* In the list of another place, which it believes in. */
	slab = t->slab[slab_of(t, t->out[0])];
	place = slab->place;
	list_move(&slab->link, quarry_slab_list_head(&t->slabs, QUARRY_SLAB_FULL));
	slab->place = QUARRY_SLAB_FULL;
	t->slabs.buckets = 0;
	t->slabs.nr_partial[place]--;
	must_say(t, "in the wrong list");
	list_move(&slab->link, quarry_slab_list_head(&t->slabs, place));
	slab->place = place;
	t->slabs.buckets = 1u << place;
	t->slabs.nr_partial[place]++;
	check(t);
	/* And where it does not. */
	list_move(&slab->link, quarry_slab_list_head(&t->slabs, QUARRY_SLAB_FULL));
	t->slabs.buckets = 0;
	t->slabs.nr_partial[place]--;
	must_say(t, "in the wrong list");
	list_move(&slab->link, quarry_slab_list_head(&t->slabs, place));
	t->slabs.buckets = 1u << place;
	t->slabs.nr_partial[place]++;
	check(t);
	/* One that believes it is lent. */
	slab->is_lent = 1;
	must_say(t, "in the wrong list");
	slab->is_lent = 0;
	check(t);
	for (place = 0; place < QUARRY_SLAB_BUCKETS; place++) {
		t->slabs.buckets ^= 1u << place;
		must_say(t, "mask of buckets");
		t->slabs.buckets ^= 1u << place;
	}
	t->slabs.lead ^= 64;
	must_say(t, "at no colour");
	t->slabs.lead ^= 64;
	t->slabs.nr_free++;
	must_say(t, "sums");
	t->slabs.nr_free--;
	t->slabs.nr_slabs++;
	must_say(t, "sums");
	t->slabs.nr_slabs--;
	t->slabs.nr_partial[0]++;
	must_say(t, "sums");
	t->slabs.nr_partial[0]--;
	t->slabs.nr_empty++;
	must_say(t, "sums");
	t->slabs.nr_empty--;
	t->slabs.empty_pages++;
	must_say(t, "sums");
	t->slabs.empty_pages--;
	t->slabs.nr_least++;
	must_say(t, "sums");
	t->slabs.nr_least--;
	dice_seed(&d, 1);
	leave(t, &d);
}

int main(void)
{
	tap_plan(8);
	tap_run("shapes", shapes, NULL);
	tap_run("starts", starts, NULL);
	tap_run("arguments", arguments, NULL);
	tap_run("refusals", refusals, NULL);
	tap_run("colours", colours, NULL);
	tap_run("looks", looks, NULL);
	tap_run("walk", walk, NULL);
	tap_run("damage", damage, NULL);
	return tap_end();
}
