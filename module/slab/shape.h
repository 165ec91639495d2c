/* SPDX-License-Identifier: GPL-2.0 */
/* How a slab is cut into objects. See shape.c. */
#ifndef QUARRY_SHAPE_H
#define QUARRY_SHAPE_H

#include <linux/quarry/cpu_cache.h>
#include <linux/types.h>

/* Slabs are blocks of the page layer: 2^12 to 2^22 bytes. */
#define QUARRY_SLAB_SHIFT	12U
#define QUARRY_SLAB_MAX_ORDER	10U

/* Largest object: the largest block. */
#define QUARRY_OBJECT_MAX	(1U << (QUARRY_SLAB_SHIFT + QUARRY_SLAB_MAX_ORDER))

/* Largest alignment of an object. */
#define QUARRY_ALIGN_MAX	32768U

/**
 * struct quarry_shape - the geometry of a cache's slabs
 * @inverse:	2^64 over @stride, rounded up: dividing is a multiplication
 * @starts:	tells where objects begin
 * @same:	the bits that the addresses of a slab's objects have in common: those above
 *		its length; where @stride is a power of two, also those below that, and
 *		then nothing else has them
 * @size:	bytes of an object that its owner may use
 * @stride:	bytes from one object to the next
 * @align:	what the address of each is a multiple of
 * @nr:		objects in a slab
 * @order:	its pages, as a power of two
 * @colours:	places where the first object may begin
 * @step:	bytes from one such place to the next
 * @skipped:	objects fewer than in a slab of the shape that @starts is of
 */
struct quarry_shape {
	u64 inverse;
	struct quarry_starts starts;
	u64 same;
	u32 size;
	u32 stride;
	u32 align;
	u32 nr;
	u32 order;
	u32 colours;
	u32 step;
	u32 skipped;
};

u32 quarry_shape_line_align(u32 size, u32 align, u32 line);
int quarry_shape_init(struct quarry_shape *shape, u32 size, u32 align, u32 line);
void quarry_shape_least(struct quarry_shape *least, const struct quarry_shape *shape);
u64 quarry_shape_label(const struct quarry_shape *shape, unsigned long first, u16 tag);

static inline u32 quarry_shape_bytes(const struct quarry_shape *shape)
{
	return 1U << (QUARRY_SLAB_SHIFT + shape->order);
}

#endif /* QUARRY_SHAPE_H */
