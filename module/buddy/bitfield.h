/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bitfield: 512 units as one bit each, and the buddy arithmetic on them.
 *
 * Model
 *	A unit is a frame (in an area of 2 MiB) or a whole area (in an areagroup of
 *	1 GiB); the arithmetic is the same. Bit set means free. Eight words are
 *	one cache line:
 *
 *	  word   0        1        2        3        4   ...           7
 *	       |64 units|        |        |        |        |   ...  |        |
 *	order  |0 .. 5 inside| 6 = a word | 7 = two | 8 = four | 9 = the bitfield
 *
 *	A buddy block is 2^order units, naturally aligned. A free block is
 *	maximal when the aligned block of twice its size around it is not free:
 *	these are the blocks that a buddy allocator with lists would hold, so
 *	@nr counts what /proc/buddyinfo would show. Joining is implicit in the
 *	bits; put and take count it, as splits and merges.
 *
 * Invariants
 *	nfree = number of set bits = sum of nr[k] << k
 *	bit k of orders is set if and only if nr[k] > 0
 *
 * Contexts: pure functions on memory the caller has locked. Any context.
 * Cost: take and put walk at most ten orders; find looks at eight words.
 *
 * The bit tricks are those of LLFree (Wrenger et al., USENIX ATC 2023), the
 * counting is the classic buddy's (Knuth, TAOCP 1, 2.5).
 */
#ifndef QUARRY_BITFIELD_H
#define QUARRY_BITFIELD_H

#include <linux/bitops.h>
#include <linux/types.h>

#define QUARRY_BITFIELD_ORDER	9
#define QUARRY_BITFIELD_UNITS	512U
#define QUARRY_BITFIELD_WORDS	(QUARRY_BITFIELD_UNITS / 64)
#define QUARRY_WORD_ORDER	6

/**
 * struct quarry_bitfield - 512 units
 * @free:	bit set: the unit is free
 * @nr:		maximal free blocks by order
 * @orders:	orders with @nr above zero, as bits
 * @nfree:	free units
 */
struct quarry_bitfield {
	u64 free[QUARRY_BITFIELD_WORDS];
	u16 nr[QUARRY_BITFIELD_ORDER + 1];
	u16 orders;
	u16 nfree;
};

/* Where aligned blocks of an order can begin inside a word. */
static inline u64 quarry_bitfield_starts(unsigned int order)
{
	static const u64 starts[QUARRY_WORD_ORDER + 1] = {
		~0ULL,
		0x5555555555555555ULL,
		0x1111111111111111ULL,
		0x0101010101010101ULL,
		0x0001000100010001ULL,
		0x0000000100000001ULL,
		1ULL,
	};

	return starts[order];
}

/* The bits of a block of an order below 6 (or of a whole word) at @pos. */
static inline u64 quarry_bitfield_mask(unsigned int pos, unsigned int order)
{
	return (~0ULL >> (64 - (1U << order))) << (pos & 63);
}

/* Are the bits of the aligned block all set? */
static inline bool quarry_bitfield_are_set(const u64 *words, unsigned int pos,
					   unsigned int order)
{
	unsigned int w = pos / 64, end;
	u64 mask;

	if (order <= QUARRY_WORD_ORDER) {
		mask = quarry_bitfield_mask(pos, order);
		return (words[w] & mask) == mask;
	}
	for (end = w + (1U << (order - QUARRY_WORD_ORDER)); w < end; w++)
		if (~words[w])
			return false;
	return true;
}

/* Is every unit of the aligned block free? */
static inline bool quarry_bitfield_is_free(const struct quarry_bitfield *l,
					   unsigned int pos, unsigned int order)
{
	return quarry_bitfield_are_set(l->free, pos, order);
}

static inline void quarry_bitfield_fill(u64 *words, unsigned int pos,
					unsigned int order, bool set)
{
	unsigned int w = pos / 64, end;

	if (order <= QUARRY_WORD_ORDER) {
		u64 mask = quarry_bitfield_mask(pos, order);

		words[w] = set ? words[w] | mask : words[w] & ~mask;
		return;
	}
	for (end = w + (1U << (order - QUARRY_WORD_ORDER)); w < end; w++)
		words[w] = set ? ~0ULL : 0;
}

static inline void quarry_bitfield_count(struct quarry_bitfield *l, u64 *blocks,
					 unsigned int order, int delta)
{
	l->nr[order] += delta;
	blocks[order] += delta;
	if (l->nr[order])
		l->orders |= 1U << order;
	else
		l->orders &= ~(1U << order);
}

/* The order of the maximal free block around a free block. */
static inline unsigned int quarry_bitfield_maximal(const struct quarry_bitfield *l,
						   unsigned int pos, unsigned int order)
{
	while (order < QUARRY_BITFIELD_ORDER &&
	       quarry_bitfield_is_free(l, pos & ~((2U << order) - 1), order + 1))
		order++;
	return order;
}

/*
 * Take the free block of @order at @pos out of the maximal free block of order
 * @from around it. @blocks is the owner's count of free blocks, indexed as the
 * bitfield's orders. Returns the splits this makes.
 */
static inline unsigned int quarry_bitfield_take(struct quarry_bitfield *l, u64 *blocks,
						unsigned int pos, unsigned int order,
						unsigned int from)
{
	unsigned int k;

	quarry_bitfield_fill(l->free, pos, order, false);
	quarry_bitfield_count(l, blocks, from, -1);
	for (k = order; k < from; k++)
		quarry_bitfield_count(l, blocks, k, 1);
	l->nfree -= 1U << order;
	return from - order;
}

/* Put a block back. Returns the merges this makes. */
static inline unsigned int quarry_bitfield_put(struct quarry_bitfield *l, u64 *blocks,
					       unsigned int pos, unsigned int order)
{
	unsigned int k = order;

	quarry_bitfield_fill(l->free, pos, order, true);
	l->nfree += 1U << order;
	/* A free buddy is maximal: its parent held our block until now. */
	while (k < QUARRY_BITFIELD_ORDER &&
	       quarry_bitfield_is_free(l, (pos ^ (1U << k)) & ~((1U << k) - 1), k)) {
		quarry_bitfield_count(l, blocks, k, -1);
		k++;
	}
	quarry_bitfield_count(l, blocks, k, 1);
	return k - order;
}

/* Of the words that are wholly free, a bit each. */
static inline u64 quarry_bitfield_full_words(const struct quarry_bitfield *l)
{
	unsigned int w, full = 0;

	for (w = 0; w < QUARRY_BITFIELD_WORDS; w++)
		full |= (unsigned int)(l->free[w] == ~0ULL) << w;
	return full;
}

/* Of @bits, one a unit, those from which on 2^@order of them are all set. */
static inline u64 quarry_bitfield_runs(u64 bits, unsigned int order)
{
	unsigned int step;

	for (step = 1; step < 1U << order; step *= 2)
		bits &= bits >> step;
	return bits;
}

/*
 * Of @bits, one a unit, the first units of maximal runs of 2^order: free and
 * aligned, and not half of a free aligned run of twice the length. @orders is
 * the order of the whole of @bits.
 */
static inline u64 quarry_bitfield_maximal_starts(u64 bits, unsigned int order,
						 unsigned int orders)
{
	unsigned int length = 1U << order;
	u64 twice;

	bits = quarry_bitfield_runs(bits, order) & quarry_bitfield_starts(order);
	if (!bits || order >= orders)
		return bits;
	twice = bits & (bits >> length) & quarry_bitfield_starts(order + 1);
	return bits & ~(twice | (twice << length));
}

/* Of the words, a bit each, where maximal free blocks of an order from 6 on begin. */
static inline u64 quarry_bitfield_word_starts(const struct quarry_bitfield *l, unsigned int order)
{
	return quarry_bitfield_maximal_starts(quarry_bitfield_full_words(l), order -
					      QUARRY_WORD_ORDER,
					      QUARRY_BITFIELD_ORDER - QUARRY_WORD_ORDER);
}

/* The lowest maximal free block of exactly @order. nr[order] must be above zero. */
static inline unsigned int quarry_bitfield_find(const struct quarry_bitfield *l,
						unsigned int order)
{
	unsigned int w;
	u64 starts;

	if (order >= QUARRY_WORD_ORDER)
		return __ffs64(quarry_bitfield_word_starts(l, order)) * 64;
	for (w = 0; w < QUARRY_BITFIELD_WORDS; w++) {
		if (!l->free[w])
			continue;
		starts = quarry_bitfield_maximal_starts(l->free[w], order,
							QUARRY_WORD_ORDER);
		if (starts)
			return w * 64 + __ffs64(starts);
	}
	return QUARRY_BITFIELD_UNITS;
}

/*
 * The lowest maximal free block of exactly @order whose first 2^@part units are all set in
 * @words, or are not, as @set says; QUARRY_BITFIELD_UNITS if there is none.
 */
static inline unsigned int quarry_bitfield_find_as(const struct quarry_bitfield *l,
						   unsigned int order,
						   const u64 *words, unsigned int part, bool set)
{
	unsigned int w, pos;
	u64 starts;

	if (order >= QUARRY_WORD_ORDER) {
		for (starts = quarry_bitfield_word_starts(l, order); starts; starts &= starts - 1) {
			pos = __ffs64(starts) * 64;
			if (quarry_bitfield_are_set(words, pos, part) == set)
				return pos;
		}
		return QUARRY_BITFIELD_UNITS;
	}
	for (w = 0; w < QUARRY_BITFIELD_WORDS; w++) {
		/* What has no free unit has none that is marked. */
		if (!(set ? words[w] : l->free[w]))
			continue;
		starts = quarry_bitfield_maximal_starts(l->free[w], order, QUARRY_WORD_ORDER);
		starts &= quarry_bitfield_runs(words[w], part) ^ (set ? 0 : ~0ULL);
		if (starts)
			return w * 64 + __ffs64(starts);
	}
	return QUARRY_BITFIELD_UNITS;
}

/* The lowest aligned 2^@order units that are all set in @words, or QUARRY_BITFIELD_UNITS. */
static inline unsigned int quarry_bitfield_find_set(const u64 *words, unsigned int order)
{
	unsigned int w, pos;
	u64 starts;

	for (w = 0; order < QUARRY_WORD_ORDER && w < QUARRY_BITFIELD_WORDS; w++) {
		starts = quarry_bitfield_runs(words[w], order) & quarry_bitfield_starts(order);
		if (starts)
			return w * 64 + __ffs64(starts);
	}
	for (pos = 0; order >= QUARRY_WORD_ORDER && pos < QUARRY_BITFIELD_UNITS; pos += 1U << order)
		if (quarry_bitfield_are_set(words, pos, order))
			return pos;
	return QUARRY_BITFIELD_UNITS;
}

/* Take the marks of a block out of @words. Returns how many there were. */
static inline unsigned int quarry_bitfield_clear(u64 *words, unsigned int pos, unsigned int order)
{
	unsigned int w, end, marks = 0;
	u64 mask;

	if (order <= QUARRY_WORD_ORDER) {
		mask = quarry_bitfield_mask(pos, order);
		marks = hweight64(words[pos / 64] & mask);
		words[pos / 64] &= ~mask;
		return marks;
	}
	end = (pos + (1U << order)) / 64;
	for (w = pos / 64; w < end; w++) {
		marks += hweight64(words[w]);
		words[w] = 0;
	}
	return marks;
}

#endif /* QUARRY_BITFIELD_H */
