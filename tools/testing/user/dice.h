/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decisions, from a seeded generator (xoshiro256**, Blackman and Vigna 2018) or
 * from the bytes of a fuzzer. What draws from a struct dice does not know which.
 */
#ifndef DICE_H
#define DICE_H

#include <linux/types.h>

/**
 * struct dice - where decisions come from
 * @s:		state of the generator
 * @byte:	next byte, or NULL for the generator
 * @end:	after the last byte
 */
struct dice {
	u64 s[4];
	const u8 *byte;
	const u8 *end;
};

static inline u64 dice_rotl(u64 x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static inline void dice_seed(struct dice *d, u64 seed)
{
	int i;

	/* splitmix64 */
	for (i = 0; i < 4; i++) {
		u64 z = (seed += 0x9e3779b97f4a7c15ULL);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
		d->s[i] = z ^ (z >> 31);
	}
	d->byte = NULL;
	d->end = NULL;
}

static inline void dice_bytes(struct dice *d, const u8 *bytes, size_t nr)
{
	d->byte = bytes;
	d->end = bytes + nr;
}

static inline bool dice_ended(const struct dice *d)
{
	return d->byte && d->byte == d->end;
}

/* Below @n, which is not 0. A fuzzer's decisions cost it as few bytes as will do. */
static inline u64 dice(struct dice *d, u64 n)
{
	u64 x, t;

	if (d->byte) {
		u64 range = n - 1;

		for (x = 0; range && d->byte < d->end; range >>= 8)
			x = x << 8 | *d->byte++;
		return x % n;
	}
	x = dice_rotl(d->s[1] * 5, 7) * 9;
	t = d->s[1] << 17;
	d->s[2] ^= d->s[0];
	d->s[3] ^= d->s[1];
	d->s[1] ^= d->s[2];
	d->s[0] ^= d->s[3];
	d->s[2] ^= t;
	d->s[3] = dice_rotl(d->s[3], 45);
	return ((__uint128_t)x * n) >> 64;
}

#endif
