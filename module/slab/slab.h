/* SPDX-License-Identifier: GPL-2.0 */
/* Slabs, and the slabs of one cache on one node. See slab.c. */
#ifndef QUARRY_SLAB_H
#define QUARRY_SLAB_H

#include <linux/list.h>
#include <linux/types.h>

#include "shape.h"

/* Slabs that are partly out, by how much of them is: the last bucket is the fullest. */
#define QUARRY_SLAB_BUCKETS	8U

/* Places of a slab that is not in a bucket. */
#define QUARRY_SLAB_EMPTY	QUARRY_SLAB_BUCKETS
#define QUARRY_SLAB_FULL	(QUARRY_SLAB_BUCKETS + 1)

/* Lists apart, of lent slabs that are partly out, and with nothing out. */
#define QUARRY_SLAB_LENT	(QUARRY_SLAB_BUCKETS + 2)
#define QUARRY_SLAB_SPENT	(QUARRY_SLAB_BUCKETS + 3)

/* What an address is to a slab. */
enum quarry_slab_verdict {
	QUARRY_SLAB_OK,
	QUARRY_SLAB_OUTSIDE,	/* before the first object, or after the last */
	QUARRY_SLAB_INTERIOR,	/* in the middle of one */
	QUARRY_SLAB_FREE,	/* of one that is here already: a double free */
};

/**
 * struct quarry_slab - a block of pages cut into objects
 * @link:	in a list of struct quarry_slab_list
 * @owner:	whose it is
 * @first:	address of the first object
 * @nfree:	objects that are here
 * @place:	bucket, QUARRY_SLAB_EMPTY or QUARRY_SLAB_FULL
 * @is_least:	of the owner's least shape
 * @is_lent:	its objects are not for everybody
 * @free:	a bit for each object, set when it is here
 */
struct quarry_slab {
	struct list_head link;
	struct quarry_slab_list *owner;
	unsigned long first;
	u32 nfree;
	u16 place;
	u8 is_least;
	u8 is_lent;
	u64 free[];
};

/**
 * struct quarry_slab_list - the slabs of one cache on one node
 * @shape:	of them all but a few
 * @least:	of those that found no larger block
 * @partial:	by how much is out
 * @nr_partial:	slabs of which so much is out, lent ones too
 * @buckets:	which of @partial have an entry, as bits
 * @lent:	lent ones that are partly out
 * @spent:	lent ones with all objects here
 * @full:	with no object here
 * @empty:	with all objects here
 * @nr_slabs:	slabs, all told
 * @nr_least:	of these, of shape @least
 * @nr_empty:	length of @empty and @spent
 * @empty_pages: pages of those
 * @nr_free:	objects that are here, all told
 * @colour:	of the next slab of @shape, and of @least
 * @lead:	bytes of each stride before the object
 */
struct quarry_slab_list {
	const struct quarry_shape *shape;
	const struct quarry_shape *least;
	struct list_head partial[QUARRY_SLAB_BUCKETS];
	u64 nr_partial[QUARRY_SLAB_BUCKETS];
	u32 buckets;
	struct list_head lent;
	struct list_head spent;
	struct list_head full;
	struct list_head empty;
	u64 nr_slabs;
	u64 nr_least;
	u64 nr_empty;
	u64 empty_pages;
	u64 nr_free;
	u32 colour[2];
	u32 lead;
};

size_t quarry_slab_metadata_bytes(const struct quarry_shape *shape);

void quarry_slab_list_init(struct quarry_slab_list *s, const struct quarry_shape *shape,
			   const struct quarry_shape *least, u32 lead);
unsigned long quarry_slab_list_first(struct quarry_slab_list *s, bool least, unsigned long start);
void quarry_slab_init(struct quarry_slab *slab, struct quarry_slab_list *s, bool least, bool lent,
		      unsigned long first);
void quarry_slab_list_add(struct quarry_slab *slab);
struct quarry_slab *quarry_slab_list_remove_empty(struct quarry_slab_list *s);
struct quarry_slab *quarry_slab_list_remove_spent(struct quarry_slab_list *s);
void *quarry_slab_list_take_lent(struct quarry_slab_list *s);
unsigned int quarry_slab_list_take(struct quarry_slab_list *s, unsigned int nr, void **objects);
u32 quarry_slab_list_least_out(const struct quarry_slab_list *s);
enum quarry_slab_verdict quarry_slab_look(const struct quarry_slab *slab,
					  const void *object, u32 *index);
enum quarry_slab_verdict quarry_slab_put(struct quarry_slab *slab, void *object);
struct list_head *quarry_slab_list_head(struct quarry_slab_list *s, u32 place);
const char *quarry_slab_check(const struct quarry_slab_list *s, const struct quarry_slab *slab);
const char *quarry_slab_list_check(const struct quarry_slab_list *s);

static inline const struct quarry_shape *quarry_slab_list_shape(const struct quarry_slab_list *s,
								bool least)
{
	return least ? s->least : s->shape;
}

static inline const struct quarry_shape *quarry_slab_shape(const struct quarry_slab *slab)
{
	return quarry_slab_list_shape(slab->owner, slab->is_least);
}

/* Where its pages begin. */
static inline unsigned long quarry_slab_start(const struct quarry_slab *slab)
{
	return slab->first & ~((unsigned long)quarry_shape_bytes(quarry_slab_shape(slab)) - 1);
}

/* Objects in all slabs, here or out. */
static inline u64 quarry_slab_list_objects(const struct quarry_slab_list *s)
{
	return (s->nr_slabs - s->nr_least) * s->shape->nr + s->nr_least * s->least->nr;
}

/* Bytes of all slabs. */
static inline u64 quarry_slab_list_bytes(const struct quarry_slab_list *s)
{
	return (s->nr_slabs - s->nr_least) * quarry_shape_bytes(s->shape) +
	       s->nr_least * quarry_shape_bytes(s->least);
}

#endif /* QUARRY_SLAB_H */
