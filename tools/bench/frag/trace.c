// SPDX-License-Identifier: GPL-2.0
/*
 * trace: sizes, hints and lives as a machine at work has them.
 *
 * The table is what the tracepoints kmem:mm_page_alloc and kmem:mm_page_free saw in a VM
 * of one CPU with the stock 6.1, for 50 seconds: seven C files compiled and compressed by
 * a real compiler (and at the end two at a time), a source tree unpacked, summed, packed,
 * unpacked again and removed, its words counted, a table of 30,000 rows made, indexed,
 * thinned and vacuumed in SQLite, five streams and eight requests over TCP, 4,000 files
 * made and half of them removed, twenty listings of it all. 71,377 blocks; 3,496 of them
 * were never freed, and are counted with the longest lives.
 *
 * A row is of one order and of one hint (what was not unmovable was movable or
 * reclaimable). Its numbers say how many blocks lived so long: in column c from 2^c to
 * 2^(c+1) - 1 allocations of others.
 *
 * A turn draws a block by these weights, and its life in its column evenly; what is due
 * goes first. All lives are scaled by one factor, so that on the average w->level percent
 * of memory is out. What the table does not have is who goes with whom: here each block
 * dies alone.
 *
 * The set is a binary heap by frag_block.due.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "trace.h"

#define LIVES	17
#define SCALE	1024		/* of the factor, which is a fraction */

static const struct row {
	u8 life;
	u8 order;
	u16 seen[LIVES];
} rows[] = {
	{ FRAG_PLAIN, 0, { 563, 191, 534, 442, 1127, 737, 564, 281, 52, 62, 170, 227, 69, 0, 36,
			  6, 49 } },
	{ FRAG_PLAIN, 1, { 0, 0, 0, 0, 87, 103, 67, 29, 1, 3, 9, 12, 3, 39, 390, 3, 56 } },
	{ FRAG_PLAIN, 2, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ FRAG_PLAIN, 3, { 0, 0, 3, 1, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 } },
	{ FRAG_SHORT, 0, { 72, 233, 631, 1201, 1486, 1845, 1800, 1966, 3553, 7700, 11865, 9986,
			  6775, 9079, 3827, 18, 3348 } },
	{ FRAG_SHORT, 1, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7, 41 } },
	{ FRAG_SHORT, 2, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ FRAG_SHORT, 9, { 0, 0, 0, 0, 0, 1, 0, 1, 2, 1, 1, 2, 0, 0, 0, 0, 0 } },
};

/**
 * struct draws - what is the same for all turns
 * @blocks:	in the table
 * @factor:	of all lives, in SCALE
 */
struct draws {
	u32 blocks;
	u64 factor;
};

static struct draws prepare(const struct frag_drive *d, const struct frag_workload *w)
{
	struct draws draws = {};
	u64 sum = 0;
	unsigned int i, c;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (c = 0; c < LIVES; c++) {
			draws.blocks += rows[i].seen[c];
			/* The mean of a column is at three quarters of its end. */
			sum += (u64)rows[i].seen[c] * 3 << rows[i].order << c;
		}
	}
	draws.factor = div64_u64((u64)frag_percent(d, w->level) * draws.blocks * 2 * SCALE, sum);
	return draws;
}

static const struct row *draw(struct frag_drive *d, const struct draws *draws, u32 *life)
{
	u32 at = frag_draw(d, draws->blocks), c;
	const struct row *row = rows;

	for (c = 0; at >= row->seen[c]; ) {
		at -= row->seen[c];
		if (++c == LIVES) {
			c = 0;
			row++;
		}
	}
	*life = ((1ULL << c) * SCALE + frag_draw(d, SCALE << c)) * draws->factor / SCALE / SCALE;
	return row;
}

static void exchange(struct frag_block *a, struct frag_block *b)
{
	struct frag_block was = *a;

	*a = *b;
	*b = was;
}

/* The last of the heap is new. */
static void sift_up(struct frag_drive *d)
{
	u32 i, up;

	for (i = d->n[FRAG_SET] - 1; i; i = up) {
		up = (i - 1) / 2;
		if (frag_at(d, FRAG_SET, up)->due <= frag_at(d, FRAG_SET, i)->due)
			return;
		exchange(frag_at(d, FRAG_SET, up), frag_at(d, FRAG_SET, i));
	}
}

/* The first of the heap was the last. */
static void sift_down(struct frag_drive *d)
{
	u32 i = 0, down;

	for (; (down = 2 * i + 1) < d->n[FRAG_SET]; i = down) {
		if (down + 1 < d->n[FRAG_SET] &&
		    frag_at(d, FRAG_SET, down + 1)->due < frag_at(d, FRAG_SET, down)->due)
			down++;
		if (frag_at(d, FRAG_SET, i)->due <= frag_at(d, FRAG_SET, down)->due)
			return;
		exchange(frag_at(d, FRAG_SET, i), frag_at(d, FRAG_SET, down));
	}
}

void frag_run_trace(struct frag_drive *d, const struct frag_workload *w)
{
	const struct draws draws = prepare(d, w);
	const struct row *row;
	struct frag_block *block;
	u32 turn, life;

	for (turn = 0; turn < d->steps; turn++) {
		while (d->n[FRAG_SET] && frag_at(d, FRAG_SET, 0)->due <= turn) {
			frag_drop(d, FRAG_SET, 0);
			sift_down(d);
		}
		row = draw(d, &draws, &life);
		block = frag_take(d, FRAG_SET, row->order, row->life);
		if (block) {
			block->due = turn + life;
			sift_up(d);
		}
		frag_pause(d, turn);
	}
	frag_judge(d);
}
