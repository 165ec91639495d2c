// SPDX-License-Identifier: GPL-2.0
/*
 * What a heap knows of each of its pages: the map.
 *
 * Problem
 *	A heap may be of terabytes of which some pages are there. Each of them must be found
 *	in a fault, thousands must be promised, punched or counted in one call, and what a heap
 *	was promised must be known to the page at any moment.
 *
 *	Nothing calls this yet: it is the core of the layer that heaps will be, and is tested in
 *	user space (tools/testing/user/heaps/). Kbuild does not have it.
 *
 * Model
 *	A page is an index. What it may have, each by itself but for one rule:
 *
 *	  present	a frame, which is a number here that is not 0
 *	  reserved	a promise: the frame it lacks is set aside for it
 *	  guard		nobody may touch it; such a page is never present
 *
 *	  absent --claim--> claimed --fill--> present --take--> absent
 *	             ^          |
 *	             +-unclaim--+
 *
 *	A claim says that one of those who fault on the page at once has gone for its frame; so no
 *	two of them bring one. Whoever claims a reserved page is entitled to a frame of those that
 *	are set aside. A promise stays when a frame comes, and when it is taken; it ends with
 *	unreserve alone.
 *
 *	512 pages, 2 MiB, are a leaf: three bitmaps, and an array of frames that a leaf gets when
 *	the first of its pages is to be filled. So a promise of a whole leaf costs 300 bytes, and
 *	so do a hundred guards. Leaves hang in an xarray.
 *
 *	  xarray: index / 512 --> leaf: [present|reserved|guard] x 512 bits
 *				    frame[512] --> number, claimed, or 0
 *
 * Invariants
 *	count[w] = set bits of w in all leaves
 *	aside = pages that are reserved, and neither present nor claimed
 *	a page is present if and only if its frame is neither 0 nor claimed
 *	no guarded page is present or claimed; none that has anything lies behind size
 *
 * Contexts
 *	The caller has a lock that may be shared and sleeps, as a mapping's invalidate_lock.
 *	Shared, by many at a time: prepare, claim, fill, unclaim, and whatever only looks.
 *	Alone: all else. Who claims keeps the lock until he has filled or unclaimed, so whoever
 *	has it alone meets no claim.
 *
 * Cost
 *	A page is found in an xarray's depth and two loads. What goes over ranges looks at 64 pages
 *	at a time, at nothing where there is no leaf, and at each page only where it has
 *	a frame to take.
 *
 * The states are those of shmem's pages and of fallocate's extents; guards are Linux 6.13's
 * MADV_GUARD_INSTALL.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "map.h"

#define LEAF_WORDS	(QUARRY_HEAP_LEAF_PAGES / BITS_PER_LONG)

/* In place of a frame: somebody has gone for one. No frame, for a page's lowest bit is 0. */
#define CLAIMED		1UL

/**
 * struct quarry_heap_leaf - 512 pages
 * @has:	a bitmap for each of enum quarry_heap_has
 * @frame:	by page: a frame, %CLAIMED or 0; NULL: all are 0
 */
struct quarry_heap_leaf {
	unsigned long has[QUARRY_NR_HEAP_HAS][LEAF_WORDS];
	unsigned long *frame;
};

/* Some pages of one word of a leaf. */
struct map_word {
	struct quarry_heap_leaf *leaf;
	unsigned int w;
	unsigned long mask;
	u64 base;		/* index of the word's first page */
};

/* A place that goes through [at, end) word by word, where there are leaves. */
struct map_walk {
	struct quarry_heap_map *m;
	struct quarry_heap_leaf *leaf;
	u64 at;
	u64 end;
};

static struct quarry_heap_leaf *map_leaf(struct quarry_heap_map *m, u64 index)
{
	return xa_load(&m->leaves, index / QUARRY_HEAP_LEAF_PAGES);
}

static bool map_has(const struct quarry_heap_leaf *leaf, u64 index, enum quarry_heap_has what)
{
	return test_bit(index % QUARRY_HEAP_LEAF_PAGES, leaf->has[what]);
}

/* The next word with pages of the walk; false behind the last leaf. */
static bool map_step(struct map_walk *k, struct map_word *word)
{
	unsigned long nr = k->at / QUARRY_HEAP_LEAF_PAGES;
	unsigned int bit, bits;

	if (k->at >= k->end)
		return false;
	if (!k->leaf) {
		k->leaf = xa_find(&k->m->leaves, &nr, (k->end - 1) / QUARRY_HEAP_LEAF_PAGES,
				  XA_PRESENT);
		if (!k->leaf) {
			k->at = k->end;
			return false;
		}
		k->at = max_t(u64, k->at, (u64)nr * QUARRY_HEAP_LEAF_PAGES);
	}
	bit = k->at % BITS_PER_LONG;
	bits = min_t(u64, BITS_PER_LONG - bit, k->end - k->at);
	word->leaf = k->leaf;
	word->w = k->at % QUARRY_HEAP_LEAF_PAGES / BITS_PER_LONG;
	word->mask = (~0UL >> (BITS_PER_LONG - bits)) << bit;
	word->base = k->at - bit;
	k->at += bits;
	if (!(k->at % QUARRY_HEAP_LEAF_PAGES))
		k->leaf = NULL;
	return true;
}

static struct map_walk map_walk(struct quarry_heap_map *m, u64 first, u64 end)
{
	return (struct map_walk){ .m = m, .at = first, .end = end };
}

/**
 * quarry_heap_map_init() - a map of pages that have nothing
 * @m:		the map
 * @size:	pages, %QUARRY_HEAP_MAX_PAGES at most
 *
 * Context: any.
 */
void quarry_heap_map_init(struct quarry_heap_map *m, u64 size)
{
	unsigned int k;

	xa_init(&m->leaves);
	m->size = size;
	for (k = 0; k < QUARRY_NR_HEAP_HAS; k++)
		atomic64_set(&m->count[k], 0);
	atomic64_set(&m->aside, 0);
	atomic64_set(&m->nr_leaves, 0);
}

static void leaf_free(struct quarry_heap_map *m, struct quarry_heap_leaf *leaf)
{
	kfree(leaf->frame);
	kfree(leaf);
	atomic64_dec(&m->nr_leaves);
}

/**
 * quarry_heap_map_destroy() - give back what a map is made of
 * @m:		the map, of which all frames have been taken
 *
 * Context: may sleep, alone; promises end here.
 */
void quarry_heap_map_destroy(struct quarry_heap_map *m)
{
	struct quarry_heap_leaf *leaf;
	unsigned long nr = 0;

	xa_for_each(&m->leaves, nr, leaf)
		leaf_free(m, leaf);
	xa_destroy(&m->leaves);
}

/**
 * quarry_heap_map_resize() - let a map end somewhere else
 * @m:		the map
 * @size:	pages
 *
 * Context: alone. Return: 0; -EFBIG: more than there may be; -EBUSY: a page behind @size has
 * something, which the caller takes, unreserves and unguards first.
 */
int quarry_heap_map_resize(struct quarry_heap_map *m, u64 size)
{
	unsigned int k;

	if (size > QUARRY_HEAP_MAX_PAGES)
		return -EFBIG;
	for (k = 0; k < QUARRY_NR_HEAP_HAS; k++)
		if (quarry_heap_map_next(m, size, m->size, k, true) < m->size)
			return -EBUSY;
	m->size = size;
	return 0;
}

/* The leaf @nr, made if need be. */
static int map_make_leaf(struct quarry_heap_map *m, unsigned long nr,
			 struct quarry_heap_leaf **leaf, gfp_t gfp)
{
	struct quarry_heap_leaf *made;
	int ret;

	*leaf = xa_load(&m->leaves, nr);
	if (*leaf)
		return 0;
	made = kzalloc(sizeof(*made), gfp);
	if (!made)
		return -ENOMEM;
	ret = xa_insert(&m->leaves, nr, made, gfp);
	if (ret) {
		kfree(made);
		/* -EBUSY: somebody else was first, and nobody takes leaves away meanwhile. */
		*leaf = xa_load(&m->leaves, nr);
		return ret == -EBUSY ? 0 : ret;
	}
	atomic64_inc(&m->nr_leaves);
	*leaf = made;
	return 0;
}

/**
 * quarry_heap_map_prepare() - have what a map needs to note things of pages
 * @m:		the map
 * @first:	first page
 * @nr:		pages, at least one
 * @frames:	for frames too: whoever claims needs that, who reserves or guards does not
 * @gfp:	how memory is allocated: of the kernel's, a leaf has some 200 bytes and 4 KiB
 *
 * Context: as @gfp says, shared. Return: 0; -ENXIO: pages behind the end; -ENOMEM: what was made
 * until then stays, and is trimmed.
 */
int quarry_heap_map_prepare(struct quarry_heap_map *m, u64 first, u64 nr, bool frames, gfp_t gfp)
{
	struct quarry_heap_leaf *leaf;
	unsigned long at, *frame;
	int ret;

	if (first >= m->size || nr > m->size - first)
		return -ENXIO;
	for (at = first / QUARRY_HEAP_LEAF_PAGES;
	     at <= (first + nr - 1) / QUARRY_HEAP_LEAF_PAGES; at++) {
		ret = map_make_leaf(m, at, &leaf, gfp);
		if (ret)
			return ret;
		if (!frames || READ_ONCE(leaf->frame))
			continue;
		frame = kcalloc(QUARRY_HEAP_LEAF_PAGES, sizeof(*frame), gfp);
		if (!frame)
			return -ENOMEM;
		if (cmpxchg(&leaf->frame, NULL, frame))
			kfree(frame);
	}
	return 0;
}

/* Has a leaf nothing to tell? */
static bool leaf_is_empty(const struct quarry_heap_leaf *leaf)
{
	unsigned long some = 0;
	unsigned int k, w;

	for (k = 0; k < QUARRY_NR_HEAP_HAS; k++)
		for (w = 0; w < LEAF_WORDS; w++)
			some |= leaf->has[k][w];
	return !some;
}

/**
 * quarry_heap_map_trim() - give back leaves that have nothing to tell
 * @m:		the map
 *
 * Context: may sleep, alone.
 */
void quarry_heap_map_trim(struct quarry_heap_map *m)
{
	struct quarry_heap_leaf *leaf;
	unsigned long nr = 0;

	xa_for_each(&m->leaves, nr, leaf) {
		if (!leaf_is_empty(leaf))
			continue;
		xa_erase(&m->leaves, nr);
		leaf_free(m, leaf);
	}
}

/**
 * quarry_heap_map_frame() - the frame of a page
 * @m:		the map
 * @index:	the page
 *
 * Context: any, shared. Return: the frame, whose words are visible as they were when it was
 * filled in; 0 if the page is not present.
 */
unsigned long quarry_heap_map_frame(struct quarry_heap_map *m, u64 index)
{
	struct quarry_heap_leaf *leaf = map_leaf(m, index);
	/* With the zeros that the cmpxchg() of prepare hung up with it. */
	unsigned long *array = leaf ? smp_load_acquire(&leaf->frame) : NULL;
	unsigned long frame;

	if (!array)
		return 0;
	/* With what the frame had when fill put it there. */
	frame = smp_load_acquire(&array[index % QUARRY_HEAP_LEAF_PAGES]);
	return frame == CLAIMED ? 0 : frame;
}

/**
 * quarry_heap_map_has() - has a page that?
 * @m:		the map
 * @index:	the page
 * @what:	what
 *
 * Context: any, shared. Return: true if it has; whether it is present may be a moment old.
 */
bool quarry_heap_map_has(struct quarry_heap_map *m, u64 index, enum quarry_heap_has what)
{
	struct quarry_heap_leaf *leaf = map_leaf(m, index);

	return leaf && map_has(leaf, index, what);
}

/**
 * quarry_heap_map_next() - the first page of a range that has something, or has it not
 * @m:		the map
 * @from:	first page to look at
 * @end:	page to stop before
 * @what:	what
 * @has:	true: one that has it
 *
 * Context: any, shared. Return: its index, or @end.
 */
u64 quarry_heap_map_next(struct quarry_heap_map *m, u64 from, u64 end,
			 enum quarry_heap_has what, bool has)
{
	struct map_walk k = map_walk(m, from, end);
	struct map_word word;
	unsigned long bits;
	u64 at = from;

	while (map_step(&k, &word)) {
		/* Pages without a leaf have nothing. */
		if (!has && word.base + __ffs(word.mask) > at)
			return at;
		bits = READ_ONCE(word.leaf->has[what][word.w]);
		bits = (has ? bits : ~bits) & word.mask;
		if (bits)
			return word.base + __ffs(bits);
		at = k.at;
	}
	return has ? end : min(at, end);
}

/**
 * quarry_heap_map_claim() - go for the frame of a page, alone
 * @m:		the map
 * @index:	the page, which was prepared with frames
 *
 * Context: any, shared, and so until quarry_heap_map_fill() or quarry_heap_map_unclaim().
 * Return: 0: it is the caller's, without a promise; 1: with one, so a frame that was set aside
 * is his;
 * -ENXIO: behind the end; -EACCES: guarded; -EEXIST: present; -EALREADY: somebody else has
 * claimed it; -ENOENT: it was not prepared.
 */
int quarry_heap_map_claim(struct quarry_heap_map *m, u64 index)
{
	struct quarry_heap_leaf *leaf;
	unsigned long *array, was;

	if (index >= m->size)
		return -ENXIO;
	leaf = map_leaf(m, index);
	/* With the zeros that the cmpxchg() of prepare hung up with it. */
	array = leaf ? smp_load_acquire(&leaf->frame) : NULL;
	if (!array)
		return -ENOENT;
	if (map_has(leaf, index, QUARRY_HEAP_GUARD))
		return -EACCES;
	was = cmpxchg(&array[index % QUARRY_HEAP_LEAF_PAGES], 0, CLAIMED);
	if (was)
		return was == CLAIMED ? -EALREADY : -EEXIST;
	if (!map_has(leaf, index, QUARRY_HEAP_RESERVED))
		return 0;
	atomic64_dec(&m->aside);
	return 1;
}

/**
 * quarry_heap_map_fill() - give a page its frame
 * @m:		the map
 * @index:	a page that the caller has claimed
 * @frame:	a frame: not 0, and even. Whoever finds it sees what it has now.
 *
 * Context: any, shared.
 */
void quarry_heap_map_fill(struct quarry_heap_map *m, u64 index, unsigned long frame)
{
	struct quarry_heap_leaf *leaf = map_leaf(m, index);
	unsigned int at = index % QUARRY_HEAP_LEAF_PAGES;

	set_bit(at, leaf->has[QUARRY_HEAP_PRESENT]);
	atomic64_inc(&m->count[QUARRY_HEAP_PRESENT]);
	/* For the acquire of quarry_heap_map_frame(). */
	smp_store_release(&READ_ONCE(leaf->frame)[at], frame);
}

/**
 * quarry_heap_map_unclaim() - leave a page without a frame after all
 * @m:		the map
 * @index:	a page that the caller has claimed; a frame that was set aside for it is again
 *
 * Context: any, shared.
 */
void quarry_heap_map_unclaim(struct quarry_heap_map *m, u64 index)
{
	struct quarry_heap_leaf *leaf = map_leaf(m, index);

	if (map_has(leaf, index, QUARRY_HEAP_RESERVED))
		atomic64_inc(&m->aside);
	/* After the promise is counted again, for whoever claims next. */
	smp_store_release(&READ_ONCE(leaf->frame)[index % QUARRY_HEAP_LEAF_PAGES], 0);
}

/**
 * quarry_heap_map_missing() - how many frames must be set aside to promise a range
 * @m:		the map
 * @first:	first page
 * @nr:		pages, all inside the map
 *
 * Context: any, alone. Return: the range's pages that have neither a promise nor a frame.
 */
u64 quarry_heap_map_missing(struct quarry_heap_map *m, u64 first, u64 nr)
{
	struct map_walk k = map_walk(m, first, first + nr);
	struct map_word word;
	u64 missing = nr;

	while (map_step(&k, &word))
		missing -= hweight_long((word.leaf->has[QUARRY_HEAP_PRESENT][word.w] |
					 word.leaf->has[QUARRY_HEAP_RESERVED][word.w]) & word.mask);
	return missing;
}

/* Is there a leaf for each page of a range inside the map? */
static int map_is_prepared(struct quarry_heap_map *m, u64 first, u64 nr)
{
	struct map_walk k = map_walk(m, first, first + nr);
	struct map_word word;
	u64 pages = 0;

	if (first > m->size || nr > m->size - first)
		return -ENXIO;
	while (map_step(&k, &word))
		pages += hweight_long(word.mask);
	return pages == nr ? 0 : -ENOENT;
}

/**
 * quarry_heap_map_reserve() - promise each page of a range a frame
 * @m:		the map
 * @first:	first page
 * @nr:		pages, prepared
 * @aside:	how many frames the caller must have set aside: what
 *		quarry_heap_map_missing() says
 *
 * Context: any, alone. Return: 0; -ENXIO: pages behind the end; -ENOENT: they were not prepared.
 * Then nothing has changed.
 */
int quarry_heap_map_reserve(struct quarry_heap_map *m, u64 first, u64 nr, u64 *aside)
{
	struct map_walk k = map_walk(m, first, first + nr);
	int ret = map_is_prepared(m, first, nr);
	struct map_word word;
	unsigned long *bits, added;

	*aside = 0;
	if (ret)
		return ret;
	while (map_step(&k, &word)) {
		bits = &word.leaf->has[QUARRY_HEAP_RESERVED][word.w];
		added = word.mask & ~*bits;
		*bits |= added;
		atomic64_add(hweight_long(added), &m->count[QUARRY_HEAP_RESERVED]);
		*aside += hweight_long(added & ~word.leaf->has[QUARRY_HEAP_PRESENT][word.w]);
	}
	atomic64_add(*aside, &m->aside);
	return 0;
}

/**
 * quarry_heap_map_unreserve() - take promises back
 * @m:		the map
 * @first:	first page
 * @nr:		pages, all inside the map
 *
 * Context: any, alone. Return: how many frames need be set aside no more.
 */
u64 quarry_heap_map_unreserve(struct quarry_heap_map *m, u64 first, u64 nr)
{
	struct map_walk k = map_walk(m, first, first + nr);
	unsigned long *bits, gone;
	struct map_word word;
	u64 freed = 0;

	while (map_step(&k, &word)) {
		bits = &word.leaf->has[QUARRY_HEAP_RESERVED][word.w];
		gone = word.mask & *bits;
		*bits &= ~gone;
		atomic64_sub(hweight_long(gone), &m->count[QUARRY_HEAP_RESERVED]);
		freed += hweight_long(gone & ~word.leaf->has[QUARRY_HEAP_PRESENT][word.w]);
	}
	atomic64_sub(freed, &m->aside);
	return freed;
}

/**
 * quarry_heap_map_take() - take frames out of a range
 * @m:		the map
 * @first:	first page; set to where to go on
 * @end:	page to stop before
 * @frames:	filled with what was taken, in order
 * @most:	room in @frames
 * @promised:	how many of their pages are promised a frame, which must be set aside again;
 *		first of all those just taken, which the caller keeps, or others in their place
 *
 * Context: any, alone. Return: how many were taken; with fewer than @most, *@first is @end.
 */
u32 quarry_heap_map_take(struct quarry_heap_map *m, u64 *first, u64 end, unsigned long *frames,
			 u32 most, u32 *promised)
{
	struct map_walk k = map_walk(m, *first, end);
	unsigned long *present, *frame, left;
	struct map_word word;
	unsigned int bit;
	u32 nr = 0;

	*promised = 0;
	while (nr < most && map_step(&k, &word)) {
		present = &word.leaf->has[QUARRY_HEAP_PRESENT][word.w];
		for (left = *present & word.mask; left && nr < most; left &= left - 1) {
			bit = __ffs(left);
			frame = &word.leaf->frame[word.w * BITS_PER_LONG + bit];
			frames[nr++] = *frame;
			*frame = 0;
			*present &= ~(1UL << bit);
			*promised += word.leaf->has[QUARRY_HEAP_RESERVED][word.w] >> bit & 1;
		}
		if (left) {
			k.at = word.base + __ffs(left);
			break;
		}
	}
	*first = max(k.at, *first);
	atomic64_sub(nr, &m->count[QUARRY_HEAP_PRESENT]);
	atomic64_add(*promised, &m->aside);
	return nr;
}

/**
 * quarry_heap_map_guard() - forbid to touch a range, or allow it again
 * @m:		the map
 * @first:	first page
 * @nr:		pages; to be guarded they are prepared, and none is present
 * @guard:	true: nobody may touch them
 *
 * What was promised stays promised.
 *
 * Context: any, alone. Return: 0; -ENXIO: pages behind the end; -ENOENT: they were not prepared;
 * -EBUSY: one is present, whose frame the caller takes first; then nothing has changed.
 */
int quarry_heap_map_guard(struct quarry_heap_map *m, u64 first, u64 nr, bool guard)
{
	struct map_walk k = map_walk(m, first, first + nr);
	unsigned long *bits, changed;
	struct map_word word;
	int ret;

	if (guard) {
		ret = map_is_prepared(m, first, nr);
		if (ret)
			return ret;
		if (quarry_heap_map_next(m, first, first + nr, QUARRY_HEAP_PRESENT, true) <
		    first + nr)
			return -EBUSY;
	} else if (first > m->size || nr > m->size - first) {
		return -ENXIO;
	}
	while (map_step(&k, &word)) {
		bits = &word.leaf->has[QUARRY_HEAP_GUARD][word.w];
		changed = word.mask & (guard ? ~*bits : *bits);
		*bits ^= changed;
		if (guard)
			atomic64_add(hweight_long(changed), &m->count[QUARRY_HEAP_GUARD]);
		else
			atomic64_sub(hweight_long(changed), &m->count[QUARRY_HEAP_GUARD]);
	}
	return 0;
}

/**
 * quarry_heap_map_check() - look whether a map is in order
 * @m:		the map
 *
 * Context: any, alone. Return: NULL, or which invariant is violated.
 */
const char *quarry_heap_map_check(struct quarry_heap_map *m)
{
	u64 count[QUARRY_NR_HEAP_HAS] = { 0 }, aside = 0, leaves = 0, at;
	unsigned long nr = 0, frame;
	struct quarry_heap_leaf *leaf;
	unsigned int k, i;

	xa_for_each(&m->leaves, nr, leaf) {
		leaves++;
		for (i = 0; i < QUARRY_HEAP_LEAF_PAGES; i++) {
			at = (u64)nr * QUARRY_HEAP_LEAF_PAGES + i;
			frame = leaf->frame ? leaf->frame[i] : 0;
			if (frame == CLAIMED)
				return "a page is claimed by nobody";
			if (map_has(leaf, at, QUARRY_HEAP_PRESENT) != !!frame)
				return "present without a frame, or a frame of a page that is not";
			if (frame && map_has(leaf, at, QUARRY_HEAP_GUARD))
				return "a guarded page is present";
			aside += !frame && map_has(leaf, at, QUARRY_HEAP_RESERVED);
			for (k = 0; k < QUARRY_NR_HEAP_HAS; k++) {
				if (!map_has(leaf, at, k))
					continue;
				if (at >= m->size)
					return "a page behind the end has something";
				count[k]++;
			}
		}
	}
	for (k = 0; k < QUARRY_NR_HEAP_HAS; k++)
		if (count[k] != (u64)atomic64_read(&m->count[k]))
			return "a count is not what the leaves have";
	if (aside != (u64)atomic64_read(&m->aside))
		return "what is set aside is not what is promised and lacks a frame";
	if (leaves != (u64)atomic64_read(&m->nr_leaves))
		return "the number of leaves is wrong";
	return NULL;
}
