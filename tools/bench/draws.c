// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes as kmalloc() is asked for them.
 *
 * The table is what the tracepoint kmem:kmalloc saw in a VM with the stock 6.1, from
 * early boot through a session of a shell: files made, copied, moved and read, an
 * archive packed and unpacked, a TCP connection, the file systems walked. Calls of up
 * to 32 KiB: 4710, of 1707810 bytes all told. A quiet machine: 24 bytes are nearly half of it.
 *
 * Draws are by these weights, with a fixed seed, and made before anything is timed.
 * A step of the mix frees what is in a slot and allocates into it; slots are drawn
 * evenly, so lifetimes are geometric, their mean the number of slots.
 */
#include <linux/kernel.h>
#include <linux/prandom.h>

#include "draws.h"

static const struct {
	u16 size;
	u16 calls;
} seen[] = {
	{ 1, 1 }, { 2, 66 }, { 5, 6 }, { 6, 22 }, { 7, 11 }, { 8, 72 }, { 9, 6 }, { 10, 1 },
	{ 11, 253 }, { 12, 11 }, { 13, 7 }, { 14, 9 }, { 15, 9 }, { 16, 318 }, { 17, 4 },
	{ 18, 4 }, { 19, 5 }, { 22, 2 }, { 23, 3 }, { 24, 2125 }, { 25, 80 }, { 26, 2 },
	{ 29, 1 }, { 30, 1 }, { 32, 213 }, { 40, 24 }, { 44, 2 }, { 48, 11 }, { 56, 3 },
	{ 64, 174 }, { 72, 217 }, { 112, 3 }, { 120, 2 }, { 124, 2 }, { 128, 5 },
	{ 136, 1 }, { 144, 8 }, { 152, 15 }, { 160, 1 }, { 168, 64 }, { 176, 1 },
	{ 216, 1 }, { 240, 5 }, { 248, 44 }, { 256, 161 }, { 264, 1 }, { 296, 86 },
	{ 304, 1 }, { 312, 2 }, { 320, 1 }, { 384, 1 }, { 400, 1 }, { 416, 90 }, { 448, 2 },
	{ 512, 7 }, { 560, 86 }, { 640, 64 }, { 720, 4 }, { 744, 1 }, { 1024, 16 },
	{ 1064, 44 }, { 1472, 7 }, { 2048, 2 }, { 2592, 2 }, { 2696, 1 }, { 2952, 2 },
	{ 4096, 312 }, { 8248, 1 },
};

static u16 draw_size(struct rnd_state *dice, u32 all)
{
	u32 at = prandom_u32_state(dice) % all, i;

	for (i = 0; at >= seen[i].calls; i++)
		at -= seen[i].calls;
	return seen[i].size;
}

/* Fill @draws. Context: any. */
void bench_draw_sizes(struct bench_draw *draws, unsigned int n, unsigned int slots)
{
	struct rnd_state dice;
	u32 all = 0, i;

	for (i = 0; i < ARRAY_SIZE(seen); i++)
		all += seen[i].calls;
	prandom_seed_state(&dice, 42);
	for (i = 0; i < n; i++) {
		draws[i].slot = prandom_u32_state(&dice) % slots;
		draws[i].size = draw_size(&dice, all);
	}
}
