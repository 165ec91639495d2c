// SPDX-License-Identifier: GPL-2.0
/*
 * First fit, for comparison: a bit a frame, and of the aligned places that are free the
 * lowest, whatever the order. It packs well and asks for no order of lists; what it costs
 * is the search, which here begins for each order where the last one of it ended, or lower
 * if something was freed there since.
 *
 *	below @from[k] no aligned block of order k is free
 */
#include <stdlib.h>
#include <string.h>

#include <linux/bitops.h>
#include <linux/minmax.h>

#include "arm.h"

#define ORDERS	11
#define BITS	64u

static u64 *taken;
static u8 *orders;
static u32 nr_frames;
static u32 from[ORDERS];
static u32 lock;

static void init(u32 nr)
{
	nr_frames = nr;
	taken = calloc(nr / BITS, sizeof(*taken));
	orders = calloc(nr, 1);
	if (!taken || !orders)
		abort();
	memset(from, 0, sizeof(from));
}

static void fini(void)
{
	free(taken);
	free(orders);
}

static u64 mask_of(u32 nr)
{
	return nr < BITS ? (1ull << nr) - 1 : ~0ull;
}

static bool is_free(u32 f, u32 nr)
{
	u32 i;

	if (nr <= BITS)
		return !(taken[f / BITS] >> f % BITS & mask_of(nr));
	for (i = 0; i < nr; i += BITS)
		if (taken[(f + i) / BITS])
			return false;
	return true;
}

static void set(u32 f, u32 nr, bool out)
{
	u64 mask = mask_of(nr) << f % BITS;
	u32 i;

	for (i = 0; i < nr; i += BITS) {
		if (out)
			taken[(f + i) / BITS] |= mask;
		else
			taken[(f + i) / BITS] &= ~mask;
	}
}

static u64 claim_locked(unsigned int order)
{
	u32 nr = 1u << order, f;

	for (f = from[order]; f < nr_frames; f += nr) {
		/* A full word has room for nothing. */
		if (nr < BITS && f % BITS == 0 && taken[f / BITS] == ~0ull) {
			f += BITS - nr;
			continue;
		}
		if (is_free(f, nr))
			break;
	}
	from[order] = f;
	if (f >= nr_frames)
		return ~0ull;
	set(f, nr, true);
	orders[f] = order + 1;
	from[order] = f + nr;
	return f;
}

static void release_locked(u64 handle, unsigned int order)
{
	u32 f = handle;
	unsigned int k;

	if (orders[f] != order + 1)
		abort();
	orders[f] = 0;
	set(f, 1u << order, false);
	for (k = 0; k < ORDERS; k++)
		from[k] = min(from[k], f & ~((1u << k) - 1));
}

static u64 claim(unsigned int order)
{
	u64 f;

	arm_lock(&lock);
	f = claim_locked(order);
	arm_unlock(&lock);
	return f;
}

static void release(u64 handle, unsigned int order)
{
	arm_lock(&lock);
	release_locked(handle, order);
	arm_unlock(&lock);
}

static u32 claim_bulk(u64 *handles, u32 nr)
{
	u32 got = 0;

	arm_lock(&lock);
	while (got < nr && (handles[got] = claim_locked(0)) != ~0ull)
		got++;
	arm_unlock(&lock);
	return got;
}

static void release_bulk(const u64 *handles, u32 nr)
{
	arm_lock(&lock);
	while (nr--)
		release_locked(handles[nr], 0);
	arm_unlock(&lock);
}

static u64 frame(u64 handle)
{
	return handle;
}

static u64 large(void)
{
	u64 n = 0;
	u32 f;

	for (f = 0; f < nr_frames; f += 512)
		n += is_free(f, 512);
	return n;
}

const struct arm arm_first = {
	.name = "first",
	.init = init,
	.fini = fini,
	.claim = claim,
	.claim_short = claim,
	.release = release,
	.claim_bulk = claim_bulk,
	.release_bulk = release_bulk,
	.frame = frame,
	.large = large,
};
