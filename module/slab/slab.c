// SPDX-License-Identifier: GPL-2.0
/*
 * Slabs: which objects of a block of pages are here, and which slab to take from.
 *
 * Which objects of a slab are free is usually written into these themselves, where a write
 * after free changes it. And of many slabs that have some free, one has to be chosen such that
 * others become empty.
 *
 * Model
 *	A bit says of each object whether it is here or out; there is nothing of ours
 *	in the object, free or not. So a use after free cannot steer the allocator, and
 *	what a constructor made stays as it is.
 *
 *	  partial[0] -> slabs with little out
 *	     ...
 *	  partial[7] -> slabs with nearly all out
 *	  full       -> slabs with all out
 *	  empty      -> slabs with nothing out, which may go back to the pool
 *
 *	Slabs are of one shape, or of the least one of the same objects where there was no
 *	block for that (shape.c). They lie in the same lists: an eighth is an eighth.
 *
 *	Lent slabs are for few: who has them gives them back first, and who takes an object
 *	gets one of theirs only if he asks for that. They lie in two lists of their own,
 *
 *	  lent        -> lent slabs that are partly out
 *	  spent       -> lent slabs with nothing out
 *
 *	and in that of the full ones, from which nobody takes.
 *
 *	A new slab is empty; taking moves it down this table, putting back up. Before it is
 *	on a list at all it is whole already, with all its objects here: a wrong free that
 *	finds it early is refused as one of an object that is not out.
 *
 *	Taking goes to the fullest slab that has any, so that those with little out
 *	drain and can be given back; in a slab, to the lowest address, so that what
 *	is handed out together lies together. Putting back finds the object's bit and
 *	looks at it: that is where every wrong free is seen at the latest.
 *
 * Invariants, checked by quarry_slab_list_check()
 *	nfree of a slab = bits set; nr_free = sum of nfree
 *	a slab is in the list that its nfree says
 *	the lengths of the lists are those counted; a bit of @buckets is set if and only if
 *	that list has an entry
 *
 * Contexts: no lock, no allocation; the caller holds one lock for one struct
 * quarry_slab_list. Bits alone may be looked at without it: they are written with
 * WRITE_ONCE(), a word at a time.
 *
 * Cost: a search over at most 8 buckets by one bit scan, then a word for 64 objects.
 */
#include <linux/bitops.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "slab.h"

static u32 words_of(const struct quarry_shape *shape)
{
	return (shape->nr + 63) / 64;
}

/**
 * quarry_slab_metadata_bytes() - what describing a slab takes
 * @shape:	its shape
 *
 * Return: bytes, struct quarry_slab included.
 */
size_t quarry_slab_metadata_bytes(const struct quarry_shape *shape)
{
	return sizeof(struct quarry_slab) + words_of(shape) * sizeof(u64);
}

/**
 * quarry_slab_list_init() - no slabs yet
 * @s:		filled
 * @shape:	of those to come; kept
 * @least:	of those that find no block for @shape, of quarry_shape_least(); kept
 * @lead:	bytes of each stride before the object, a multiple of its alignment
 *
 * Context: any.
 */
void quarry_slab_list_init(struct quarry_slab_list *s, const struct quarry_shape *shape,
			   const struct quarry_shape *least, u32 lead)
{
	unsigned int k;

	memset(s, 0, sizeof(*s));
	s->shape = shape;
	s->least = least;
	s->lead = lead;
	for (k = 0; k < QUARRY_SLAB_BUCKETS; k++)
		INIT_LIST_HEAD(&s->partial[k]);
	INIT_LIST_HEAD(&s->lent);
	INIT_LIST_HEAD(&s->spent);
	INIT_LIST_HEAD(&s->full);
	INIT_LIST_HEAD(&s->empty);
}

static u32 place_of(const struct quarry_shape *shape, u32 nfree)
{
	if (nfree == shape->nr)
		return QUARRY_SLAB_EMPTY;
	if (!nfree)
		return QUARRY_SLAB_FULL;
	return (shape->nr - nfree) * QUARRY_SLAB_BUCKETS / shape->nr;
}

/* A list: of a place, a bucket or QUARRY_SLAB_EMPTY or _FULL; QUARRY_SLAB_LENT or _SPENT. */
struct list_head *quarry_slab_list_head(struct quarry_slab_list *s, u32 place)
{
	if (place == QUARRY_SLAB_EMPTY)
		return &s->empty;
	if (place == QUARRY_SLAB_LENT)
		return &s->lent;
	if (place == QUARRY_SLAB_SPENT)
		return &s->spent;
	return place == QUARRY_SLAB_FULL ? &s->full : &s->partial[place];
}

/* Which list a slab is in that has a place. */
static u32 list_of(bool lent, u32 place)
{
	if (!lent || place == QUARRY_SLAB_FULL)
		return place;
	return place == QUARRY_SLAB_EMPTY ? QUARRY_SLAB_SPENT : QUARRY_SLAB_LENT;
}

static void slab_enlist(struct quarry_slab_list *s, struct quarry_slab *slab, u32 place)
{
	slab->place = place;
	list_add(&slab->link, quarry_slab_list_head(s, list_of(slab->is_lent, place)));
	if (place < QUARRY_SLAB_BUCKETS) {
		if (!slab->is_lent)
			s->buckets |= 1U << place;
		s->nr_partial[place]++;
	}
	if (place == QUARRY_SLAB_EMPTY) {
		s->nr_empty++;
		s->empty_pages += 1U << quarry_slab_list_shape(s, slab->is_least)->order;
	}
}

static void slab_delist(struct quarry_slab_list *s, struct quarry_slab *slab)
{
	u32 place = slab->place;

	list_del(&slab->link);
	if (place < QUARRY_SLAB_BUCKETS) {
		s->nr_partial[place]--;
		if (list_empty(&s->partial[place]))
			s->buckets &= ~(1U << place);
	}
	if (place == QUARRY_SLAB_EMPTY) {
		s->nr_empty--;
		s->empty_pages -= 1U << quarry_slab_shape(slab)->order;
	}
}

/* Objects of a slab came or went. */
static void replace(struct quarry_slab_list *s, struct quarry_slab *slab)
{
	u32 place = place_of(quarry_slab_shape(slab), slab->nfree);

	if (place == slab->place)
		return;
	slab_delist(s, slab);
	slab_enlist(s, slab, place);
}

/**
 * quarry_slab_list_first() - where the first object of the next slab is to lie
 * @s:		whose
 * @least:	of which shape it is to be
 * @start:	address of the slab's pages, aligned to their length
 *
 * Each call gives the next colour. Context: under the caller's lock.
 */
unsigned long quarry_slab_list_first(struct quarry_slab_list *s, bool least, unsigned long start)
{
	const struct quarry_shape *shape = quarry_slab_list_shape(s, least);
	u32 *colour = &s->colour[least];
	unsigned long first = start + (unsigned long)*colour * shape->step + s->lead;

	*colour = *colour + 1 < shape->colours ? *colour + 1 : 0;
	return first;
}

/**
 * quarry_slab_init() - a block of pages becomes a slab with nothing out
 * @slab:	quarry_slab_metadata_bytes() bytes, any content
 * @s:		whose it is to be
 * @least:	of which shape it is
 * @lent:	its objects are for quarry_slab_list_take_lent() alone
 * @first:	of quarry_slab_list_first()
 *
 * Nothing can be taken from it before quarry_slab_list_add(). But from here on it can be looked
 * at, and whatever is put back is refused. Context: any.
 */
void quarry_slab_init(struct quarry_slab *slab, struct quarry_slab_list *s, bool least, bool lent,
		      unsigned long first)
{
	const struct quarry_shape *shape = quarry_slab_list_shape(s, least);
	u32 w, words = words_of(shape);

	slab->owner = s;
	slab->is_least = least;
	slab->is_lent = lent;
	slab->first = first;
	slab->nfree = shape->nr;
	for (w = 0; w < words; w++)
		slab->free[w] = ~0ULL;
	if (shape->nr % 64)
		slab->free[words - 1] >>= 64 - shape->nr % 64;
}

/**
 * quarry_slab_list_add() - let objects be taken from a slab
 * @slab:	of quarry_slab_init()
 *
 * Context: under the caller's lock.
 */
void quarry_slab_list_add(struct quarry_slab *slab)
{
	struct quarry_slab_list *s = slab->owner;

	slab_enlist(s, slab, QUARRY_SLAB_EMPTY);
	s->nr_slabs++;
	s->nr_least += slab->is_least;
	s->nr_free += slab->nfree;
}

static struct quarry_slab *remove_first(struct quarry_slab_list *s, struct list_head *list)
{
	struct quarry_slab *slab = list_first_entry(list, struct quarry_slab, link);

	slab_delist(s, slab);
	s->nr_slabs--;
	s->nr_least -= slab->is_least;
	s->nr_free -= slab->nfree;
	return slab;
}

/**
 * quarry_slab_list_remove_spent() - give up a lent slab with nothing out
 * @s:	the slabs
 *
 * Context: under the caller's lock. Return: the slab, no longer one of @s; or NULL.
 */
struct quarry_slab *quarry_slab_list_remove_spent(struct quarry_slab_list *s)
{
	return list_empty(&s->spent) ? NULL : remove_first(s, &s->spent);
}

/**
 * quarry_slab_list_remove_empty() - give up a slab with nothing out, lent ones first
 * @s:	the slabs
 *
 * Context: under the caller's lock. Return: the slab, no longer one of @s; or NULL.
 */
struct quarry_slab *quarry_slab_list_remove_empty(struct quarry_slab_list *s)
{
	if (!list_empty(&s->spent))
		return remove_first(s, &s->spent);
	if (list_empty(&s->empty))
		return NULL;
	return remove_first(s, &s->empty);
}

/* The fullest slab that has an object, or NULL. */
static struct quarry_slab *slab_pick(struct quarry_slab_list *s)
{
	if (s->buckets)
		return list_first_entry(&s->partial[__fls(s->buckets)],
					struct quarry_slab, link);
	if (!list_empty(&s->empty))
		return list_first_entry(&s->empty, struct quarry_slab, link);
	return NULL;
}

static unsigned int slab_take(struct quarry_slab *slab, unsigned int nr, void **objects)
{
	const struct quarry_shape *shape = quarry_slab_shape(slab);
	unsigned int got = 0, w, i;

	nr = min(nr, slab->nfree);
	for (w = 0; got < nr; w++) {
		u64 free = slab->free[w];

		for (; free && got < nr; free &= free - 1) {
			i = w * 64 + __ffs64(free);
			objects[got++] = (void *)(slab->first +
						  (unsigned long)i * shape->stride);
		}
		WRITE_ONCE(slab->free[w], free);
	}
	slab->nfree -= got;
	return got;
}

/**
 * quarry_slab_list_take() - take objects out
 * @s:		the slabs
 * @nr:		how many are wanted
 * @objects:	room for them; filled by address inside each slab
 *
 * Not of lent slabs. Context: under the caller's lock. Return: how many there were, up to
 * @nr.
 */
unsigned int quarry_slab_list_take(struct quarry_slab_list *s, unsigned int nr, void **objects)
{
	struct quarry_slab *slab;
	unsigned int got = 0;

	while (got < nr) {
		slab = slab_pick(s);
		if (!slab)
			break;
		got += slab_take(slab, nr - got, objects + got);
		replace(s, slab);
	}
	s->nr_free -= got;
	return got;
}

/**
 * quarry_slab_list_take_lent() - take an object of a lent slab out
 * @s:	the slabs
 *
 * Context: under the caller's lock. Return: the object, or NULL.
 */
void *quarry_slab_list_take_lent(struct quarry_slab_list *s)
{
	struct list_head *list = list_empty(&s->lent) ? &s->spent : &s->lent;
	struct quarry_slab *slab;
	void *object;

	if (list_empty(list))
		return NULL;
	slab = list_first_entry(list, struct quarry_slab, link);
	slab_take(slab, 1, &object);
	replace(s, slab);
	s->nr_free--;
	return object;
}

/**
 * quarry_slab_list_least_out() - how many objects must come back before a slab is empty
 * @s:	the slabs, of which none is
 *
 * Context: under the caller's lock, or a moment old. Return: not more than are out of any
 * slab that is not lent, and just as many if there is but one slab; ~0U if there is none.
 */
u32 quarry_slab_list_least_out(const struct quarry_slab_list *s)
{
	u64 slabs = READ_ONCE(s->nr_slabs), nfree = READ_ONCE(s->nr_free);
	u32 nr = READ_ONCE(s->nr_least) ? s->least->nr : s->shape->nr;
	u32 buckets = READ_ONCE(s->buckets);

	if (!slabs)
		return ~0U;
	if (slabs == 1)
		return nr - min_t(u64, nr, nfree);
	if (!buckets)
		return nr;
	return max(1U, (u32)(__ffs(buckets) * nr + QUARRY_SLAB_BUCKETS - 1) /
		       QUARRY_SLAB_BUCKETS);
}

/**
 * quarry_slab_look() - what is an address to a slab?
 * @slab:	the slab
 * @object:	any address
 * @index:	set to the object's number unless it is outside
 *
 * Context: under the caller's lock, or a moment old. Return: QUARRY_SLAB_OK for an object
 * that is out.
 */
enum quarry_slab_verdict quarry_slab_look(const struct quarry_slab *slab,
					  const void *object, u32 *index)
{
	const struct quarry_shape *shape = quarry_slab_shape(slab);
	u64 offset = (unsigned long)object - slab->first;

	if (offset >= quarry_shape_bytes(shape))
		return QUARRY_SLAB_OUTSIDE;
	*index = mul_u64_u64_shr(offset, shape->inverse, 64);
	if (*index >= shape->nr)
		return QUARRY_SLAB_OUTSIDE;
	if (*index * shape->stride != offset)
		return QUARRY_SLAB_INTERIOR;
	return READ_ONCE(slab->free[*index / 64]) >> (*index % 64) & 1 ? QUARRY_SLAB_FREE :
								 QUARRY_SLAB_OK;
}

/**
 * quarry_slab_put() - take an object back
 * @slab:	the slab its page belongs to
 * @object:	any address
 *
 * Context: under the caller's lock.
 *
 * Return: QUARRY_SLAB_OK; anything else means that nothing was changed.
 */
enum quarry_slab_verdict quarry_slab_put(struct quarry_slab *slab, void *object)
{
	enum quarry_slab_verdict verdict;
	u32 i;

	verdict = quarry_slab_look(slab, object, &i);
	if (verdict)
		return verdict;
	WRITE_ONCE(slab->free[i / 64], slab->free[i / 64] | 1ULL << (i % 64));
	slab->nfree++;
	slab->owner->nr_free++;
	replace(slab->owner, slab);
	return QUARRY_SLAB_OK;
}

/**
 * quarry_slab_check() - check a slab's invariants
 * @s:		whose it should be
 * @slab:	the slab
 *
 * Context: under the caller's lock. Return: NULL, or what is wrong, in words.
 */
const char *quarry_slab_check(const struct quarry_slab_list *s, const struct quarry_slab *slab)
{
	const struct quarry_shape *shape = quarry_slab_list_shape(s, slab->is_least);
	u32 w, nfree = 0, words = words_of(shape);
	unsigned long start = slab->first & ~((unsigned long)quarry_shape_bytes(shape) - 1);

	for (w = 0; w < words; w++)
		nfree += hweight64(slab->free[w]);
	if (shape->nr % 64 && slab->free[words - 1] >> (shape->nr % 64))
		return "an object that is none is free";
	if (slab->owner != s)
		return "a slab is another's";
	if (nfree != slab->nfree)
		return "free objects of a slab differ from its bits";
	if (place_of(shape, nfree) != slab->place)
		return "a slab is in the wrong list";
	if ((slab->first - s->lead - start) % shape->step ||
	    (slab->first - s->lead - start) / shape->step >= shape->colours)
		return "a slab begins at no colour";
	return NULL;
}

/**
 * quarry_slab_list_check() - check every invariant
 * @s:	the slabs
 *
 * Cost: a step a slab. Context: under the caller's lock.
 *
 * Return: NULL, or what is wrong, in words.
 */
const char *quarry_slab_list_check(const struct quarry_slab_list *s)
{
	u64 slabs = 0, least = 0, empty = 0, pages = 0, nfree = 0;
	u64 here[QUARRY_SLAB_FULL + 1] = {};
	const struct quarry_slab *slab;
	const char *what;
	u32 place;

	for (place = 0; place <= QUARRY_SLAB_SPENT; place++) {
		const struct list_head *list =
			quarry_slab_list_head((struct quarry_slab_list *)s, place);

		if (place < QUARRY_SLAB_BUCKETS &&
		    list_empty(list) == !!(s->buckets & 1U << place))
			return "the mask of buckets is wrong";
		list_for_each_entry(slab, list, link) {
			what = quarry_slab_check(s, slab);
			if (what)
				return what;
			if (list_of(slab->is_lent, slab->place) != place)
				return "a slab is in the wrong list";
			here[slab->place]++;
			slabs++;
			least += slab->is_least;
			nfree += slab->nfree;
			if (slab->place != QUARRY_SLAB_EMPTY)
				continue;
			empty++;
			pages += 1U << quarry_slab_list_shape(s, slab->is_least)->order;
		}
	}
	for (place = 0; place < QUARRY_SLAB_BUCKETS; place++)
		if (here[place] != s->nr_partial[place])
			return "the sums are wrong";
	if (slabs != s->nr_slabs || least != s->nr_least || empty != s->nr_empty ||
	    pages != s->empty_pages || nfree != s->nr_free)
		return "the sums are wrong";
	return NULL;
}
