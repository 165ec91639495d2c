// SPDX-License-Identifier: GPL-2.0
/*
 * The shape of a slab: its order, and where objects lie in it.
 *
 * Objects of 704 bytes leave 576 bytes of a page over, one of 3,000 more than a quarter.
 * Larger slabs waste less, but need blocks of pages that are harder to have, and stay for one
 * object.
 *
 * Model
 *	A slab is a block of pages, cut into equal strides. What is left over is
 *	put before the first object, a different part of it in each slab:
 *
 *	  |colour|object  |object  |object  | ... |object  |rest|
 *	         <-stride->
 *
 *	so that objects of the same place in different slabs do not compete for the
 *	same cache lines (Bonwick 1994: colouring). Nothing else is in the slab: its
 *	description is elsewhere (slab.c).
 *
 * Choosing the order
 *	Of the orders that cost the page layer nothing extra (0 to 3) the one that
 *	holds most objects a page; of equals the lowest that holds 64, so that a
 *	description is shared by some, else the highest. If that wastes more than an
 *	eighth, the first larger order that does not; if there is none, the
 *	one that wastes least. No order up to 3 holds more
 *	objects a page than the one chosen.
 *
 *	Where no such block is to be had, the lowest order that holds an object at all will
 *	do: the same strides in a shorter slab (quarry_shape_least()).
 *
 * Dividing by the stride
 *	Which object an offset lies in is offset / stride. With inverse =
 *	ceil(2^64 / stride) it is the upper half of offset * inverse: the
 *	error, offset * stride / 2^64, is below one part in 2^20 of a unit for slabs of
 *	2^22 bytes (Granlund and Montgomery 1994).
 *
 * Telling a start from an inside
 *	The fast path of a free has no time to divide. Let
 *
 *		scale * stride = 2^64 + e
 *
 *	Then the q'th object after the first, at first + q * stride, has
 *
 *		address * scale - first * scale = q * e		(modulo 2^64)
 *
 *	and r bytes further there is r * scale more. So with (nr + 2) * e < scale only
 *	starts are below scale, and of these only the slab's own are at most
 *	(nr - 1) * e: not the one that would come after the last, though it may
 *	begin in the rest. One multiplication, one subtraction, one comparison; the test is
 *	exact for every address of the slab (Granlund and Montgomery 1994, section 9, for
 *	e below one unit; here e is large on purpose).
 *
 *	e is taken so large that the lowest bits of first * scale do not matter, and the
 *	slab's tag can stand in their place: both together are the slab's label.
 *
 *	A shorter slab with the same strides is told by the same numbers, as if its objects
 *	were the last ones of a longer slab, which begins before it: its label is that
 *	slab's. What it does not have lies before its pages, since the colours in front of the
 *	first object are less than a stride.
 *
 * Contexts: pure arithmetic; any.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/types.h>

#include "shape.h"

/* Orders that are as good as any: the kernel's own limit for cheap blocks. */
#define CHEAP_ORDER	3U

/* Objects that a slab should hold, if that costs nothing. */
#define ENOUGH		64U

/* The share of a slab that may be wasted where that can be helped: an eighth. */
#define WASTE_SHIFT	3U

/* Objects in a slab; the last one needs its size, not its stride. */
static u32 shape_nr_of(u32 size, u32 stride, unsigned int order)
{
	u32 bytes = 1U << (QUARRY_SLAB_SHIFT + order);

	return size > bytes ? 0 : 1 + (bytes - size) / stride;
}

static bool is_wasteful(u32 size, u32 stride, unsigned int order)
{
	u64 bytes = 1U << (QUARRY_SLAB_SHIFT + order);

	return (u64)shape_nr_of(size, stride, order) * stride < bytes - (bytes >> WASTE_SHIFT);
}

static unsigned int choose_order(u32 size, u32 stride, unsigned int lowest)
{
	unsigned int order, best = QUARRY_SLAB_MAX_ORDER;
	u32 nr, most = 0;

	for (order = lowest; order <= QUARRY_SLAB_MAX_ORDER; order++) {
		if (order > CHEAP_ORDER && most && !is_wasteful(size, stride, best))
			break;
		/* In the largest slab's terms, so that they compare. */
		nr = shape_nr_of(size, stride, order) << (QUARRY_SLAB_MAX_ORDER - order);
		if (nr > most || (nr == most && order <= CHEAP_ORDER &&
				  shape_nr_of(size, stride, best) < ENOUGH)) {
			most = nr;
			best = order;
		}
	}
	return best;
}

/* What the low bits of a label may add, above what is exact. */
#define SLACK		(2ULL << QUARRY_TAG_BITS)

/*
 * e is some stride * extra, about half of what it may be. With strides and slabs up to
 * 2^22 bytes that is 2^39 or more: far above SLACK.
 */
static void starts_init(struct quarry_shape *shape)
{
	u64 extra = div64_u64(shape->inverse / (2 * (shape->nr + 2)), shape->stride);
	u64 e;

	shape->starts.scale = shape->inverse + extra;
	e = shape->starts.scale * shape->stride;
	shape->starts.bound = (shape->nr - 1) * e + SLACK;
}

/* A stride that is a power of two leaves no rest, so the first is at the start. */
static void same_init(struct quarry_shape *shape)
{
	shape->same = -(u64)quarry_shape_bytes(shape);
	if (!(shape->stride & (shape->stride - 1)))
		shape->same |= shape->stride - 1;
}

/**
 * quarry_shape_label() - what the frames of a slab are labelled with
 * @shape:	of the slab
 * @first:	address of its first object
 * @tag:	whose it is, not 0
 *
 * Context: any. Return: the label, for quarry_starts_at().
 */
u64 quarry_shape_label(const struct quarry_shape *shape, unsigned long first, u16 tag)
{
	unsigned long start = first - (unsigned long)shape->skipped * shape->stride;
	u64 key = start * shape->starts.scale - (1ULL << QUARRY_TAG_BITS);

	return (key >> QUARRY_TAG_BITS << QUARRY_TAG_BITS) | tag;
}

/* Everything that follows from the stride and the order. */
static void shape_cut(struct quarry_shape *shape, u32 line)
{
	u32 spare;

	shape->nr = shape_nr_of(shape->size, shape->stride, shape->order);
	spare = quarry_shape_bytes(shape) - shape->size - (shape->nr - 1) * shape->stride;
	shape->step = max(shape->align, line);
	shape->colours = 1 + spare / shape->step;
}

/* The order that an alignment needs: a slab is aligned to its length, and no further. */
static unsigned int lowest_order(u32 align)
{
	return align >> QUARRY_SLAB_SHIFT ? fls(align >> QUARRY_SLAB_SHIFT) - 1 : 0;
}

/**
 * quarry_shape_least() - the same objects in the smallest slab that holds one
 * @least:	filled; its nr is 0 if @shape has that order already
 * @shape:	of quarry_shape_init()
 *
 * Both have one struct quarry_starts. Context: any.
 */
void quarry_shape_least(struct quarry_shape *least, const struct quarry_shape *shape)
{
	*least = *shape;
	least->order = lowest_order(shape->align);
	while (!shape_nr_of(shape->size, shape->stride, least->order))
		least->order++;
	if (least->order == shape->order) {
		least->nr = 0;
		return;
	}
	shape_cut(least, shape->step);
	least->skipped = shape->nr - least->nr;
	same_init(least);
}

/**
 * quarry_shape_line_align() - the alignment of objects that are to lie in few cache lines
 * @size:	bytes of an object, any number
 * @align:	what it must be aligned to in any case
 * @line:	bytes of a cache line, a power of two
 *
 * Small objects share a line, but none lies in two. Context: any. Return: bytes.
 */
u32 quarry_shape_line_align(u32 size, u32 align, u32 line)
{
	/* No further than to a byte: there is no alignment below, and a size of 0 fits any. */
	while (line > 1 && size <= line / 2)
		line /= 2;
	return max(align, line);
}

/**
 * quarry_shape_init() - work out a shape
 * @shape:	filled
 * @size:	bytes of an object, 1 to QUARRY_OBJECT_MAX
 * @align:	of its address: a power of two up to QUARRY_ALIGN_MAX, or 0; at least that
 *		of a pointer is given
 * @line:	bytes of a cache line, a power of two
 *
 * Context: any. Return: 0; -EINVAL for a bad @align or a @size of 0; -E2BIG for a @size
 * that no block holds.
 */
int quarry_shape_init(struct quarry_shape *shape, u32 size, u32 align, u32 line)
{
	if (!size || (align & (align - 1)) || align > QUARRY_ALIGN_MAX)
		return -EINVAL;
	if (size > QUARRY_OBJECT_MAX)
		return -E2BIG;
	align = max_t(u32, align, sizeof(void *));
	shape->size = size;
	shape->align = align;
	shape->stride = (size + align - 1) & ~(align - 1);
	shape->skipped = 0;
	shape->order = choose_order(size, shape->stride, lowest_order(align));
	shape->inverse = div64_u64(~0ULL, shape->stride) + 1;
	shape_cut(shape, line);
	starts_init(shape);
	same_init(shape);
	return 0;
}
