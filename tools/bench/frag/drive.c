// SPDX-License-Identifier: GPL-2.0
/*
 * Drive an allocator of pages, and count what stays whole.
 *
 * A drive keeps the blocks that are out in two sets. Workloads take blocks into a set and
 * drop them from it; all that is drawn comes from one seed, so a drive does the same with
 * every allocator that serves it, and again.
 *
 *	blocks  [ set, from below -->            <-- set of long lives, from above ]
 *
 * What is judged is where the blocks lie, by their own addresses: for blocks of 2, 4 and
 * 16 MiB
 *
 *	           blocks with no frame out
 *	share = ---------------------------------------
 *	        blocks that could be so, were it packed
 *
 * Packed means: the frames that are out fill first what is part of no whole aligned block
 * of that size, then one block after the other. What orders and alignment cost is
 * overlooked, so 1 cannot always be reached; first fit beside it tells what can.
 *
 * Which memory the arm has is found by taking all of it in blocks of 2 MiB. An arm that
 * shares its memory has the areas that it ever gave a block of, and what others hold in
 * them is overlooked, which flatters it.
 *
 * The count is checked. An area with more frames out than it has, a frame where no memory
 * is, less memory than was promised, a block that is not aligned, and an arm whose own
 * account of whole areas is another, are violations; a result with violations is worth nothing.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "drive.h"

#define AREA_ORDER	9

/* splitmix64 (Steele, Lea and Flood 2014); the upper half is scaled down. */
u32 frag_draw(struct frag_drive *d, u32 below)
{
	u64 z = (d->dice += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return (z >> 32) * below >> 32;
}

unsigned int frag_draw_order(struct frag_drive *d, const struct frag_workload *w)
{
	u32 all = 0, at;
	unsigned int k;

	for (k = 0; k < FRAG_ORDERS; k++)
		all += w->weights[k];
	at = frag_draw(d, all);
	for (k = 0; at >= w->weights[k]; k++)
		at -= w->weights[k];
	return k;
}

struct frag_block *frag_at(const struct frag_drive *d, unsigned int set, u32 i)
{
	return &d->m->blocks[set == FRAG_SET ? i : d->m->frames - 1 - i];
}

/* NULL if the frame is none that can be. */
static struct frag_area *area_of(struct frag_drive *d, u64 frame)
{
	u64 i = frame / FRAG_AREA_FRAMES;

	if (i < d->m->nr_areas)
		return &d->m->areas[i];
	d->r->violations++;
	return NULL;
}

/* A block of a shared arm shows that its areas exist. */
static void note_areas(struct frag_drive *d, const struct frag_block *block)
{
	u64 f = d->arm->frame(block->handle), end = f + (1ULL << block->order);
	struct frag_area *area;

	for (; f < end; f += FRAG_AREA_FRAMES) {
		area = area_of(d, f);
		if (area)
			area->exists = true;
	}
}

/* The new block is the last of its set; NULL if the arm has none. */
struct frag_block *frag_take(struct frag_drive *d, unsigned int set, unsigned int order,
			     enum frag_life life)
{
	struct frag_block *block;
	unsigned long handle;

	d->r->asked++;
	handle = d->n[0] + d->n[1] < d->m->frames ? d->arm->get(order, life) : FRAG_NONE;
	if (handle == FRAG_NONE) {
		d->r->refused++;
		return NULL;
	}
	block = frag_at(d, set, d->n[set]++);
	block->handle = handle;
	block->order = order;
	d->out[set] += 1U << order;
	if (d->arm->shared)
		note_areas(d, block);
	return block;
}

/* The last of the set takes its place. */
void frag_drop(struct frag_drive *d, unsigned int set, u32 i)
{
	struct frag_block *block = frag_at(d, set, i);

	d->arm->put(block->handle, block->order);
	d->out[set] -= 1U << block->order;
	*block = *frag_at(d, set, --d->n[set]);
}

void frag_drop_any(struct frag_drive *d, unsigned int set)
{
	frag_drop(d, set, frag_draw(d, d->n[set]));
}

void frag_pause(struct frag_drive *d, u32 turn)
{
	if (d->arm->pause && turn % 1024 == 0)
		d->arm->pause();
}

/* Mark the frames of a block as out. */
static void lay(struct frag_drive *d, const struct frag_block *block)
{
	u64 f = d->arm->frame(block->handle), end = f + (1ULL << block->order), to;
	struct frag_area *area;

	if (f & ((1ULL << block->order) - 1))
		d->r->violations++;
	for (; f < end; f = to) {
		to = min(end, (f | (FRAG_AREA_FRAMES - 1)) + 1);
		area = area_of(d, f);
		if (!area)
			continue;
		area->used += to - f;
		if (!area->exists || area->used > FRAG_AREA_FRAMES)
			d->r->violations++;
	}
}

static void lay_all(struct frag_drive *d)
{
	unsigned int set;
	u32 i;

	for (i = 0; i < d->m->nr_areas; i++)
		d->m->areas[i].used = 0;
	for (set = 0; set < FRAG_SETS; set++)
		for (i = 0; i < d->n[set]; i++)
			lay(d, frag_at(d, set, i));
}

/**
 * count() - blocks of a size
 * @d:		the drive, its blocks laid
 * @size:	how large
 * @whole:	set to the number of those that have no frame out
 * @best:	set to how many could have none
 */
static void count(const struct frag_drive *d, enum frag_size size, u64 *whole, u64 *best)
{
	static const u8 orders[FRAG_SIZES] = { 9, 10, 12 };
	u32 per = 1U << (orders[size] - AREA_ORDER), i, j, exist, used;
	u64 all = 0, rest = 0, out = d->out[0] + d->out[1], filled;

	*whole = 0;
	for (i = 0; i + per <= d->m->nr_areas; i += per) {
		for (j = i, exist = 0, used = 0; j < i + per; j++) {
			exist += d->m->areas[j].exists;
			used += d->m->areas[j].used;
		}
		if (exist < per) {
			rest += exist * FRAG_AREA_FRAMES;
			continue;
		}
		all++;
		*whole += !used;
	}
	out -= min(out, rest);
	filled = (out + (1U << orders[size]) - 1) >> orders[size];
	*best = all - min(all, filled);
}

/* Count once; a workload may do so several times, which are summed up. */
void frag_judge(struct frag_drive *d)
{
	enum frag_size size;
	u64 whole, best;

	if (d->arm->settle)
		d->arm->settle();
	lay_all(d);
	d->r->looks++;
	for (size = 0; size < FRAG_SIZES; size++) {
		count(d, size, &whole, &best);
		d->r->whole[size] += whole;
		d->r->best[size] += best;
		if (size == FRAG_2M && d->arm->whole && d->arm->whole() != whole)
			d->r->violations++;
	}
}

/* The share is of what was asked for and served, in blocks of 2 MiB. */
void frag_judge_served(struct frag_drive *d, u64 served, u64 best)
{
	d->r->looks++;
	d->r->whole[FRAG_2M] += served;
	d->r->best[FRAG_2M] += best;
}

/* Find what memory the arm has. */
static void survey(struct frag_drive *d)
{
	u32 i, whole = d->m->frames / FRAG_AREA_FRAMES;

	for (i = 0; i < d->m->nr_areas; i++)
		d->m->areas[i].exists = false;
	if (d->arm->shared)
		return;
	while (frag_take(d, FRAG_SET, AREA_ORDER, FRAG_PLAIN))
		note_areas(d, frag_at(d, FRAG_SET, d->n[FRAG_SET] - 1));
	if (d->n[FRAG_SET] != whole)
		d->r->violations++;
	while (d->n[FRAG_SET])
		frag_drop(d, FRAG_SET, d->n[FRAG_SET] - 1);
	d->r->asked = 0;
	d->r->refused = 0;
}

/**
 * frag_run() - run a workload
 * @w:		which
 * @arm:	with whom; all its memory is free, and is so again at the end
 * @m:		memory for the drive
 * @seed:	of all that is drawn
 * @effort:	percent of the steps that a whole run has: 6 million a GiB
 * @r:		filled with the result
 *
 * Context: any that the calls of @arm may be made from.
 */
void frag_run(const struct frag_workload *w, const struct frag_arm *arm,
	      const struct frag_memory *m, u64 seed, u32 effort, struct frag_result *r)
{
	struct frag_drive d = { .arm = arm, .m = m, .r = r, .dice = seed };
	unsigned int set;

	*r = (struct frag_result){};
	d.steps = (u64)m->frames * effort * 60000 / 262144;
	survey(&d);
	w->run(&d, w);
	for (set = 0; set < FRAG_SETS; set++)
		while (d.n[set])
			frag_drop(&d, set, d.n[set] - 1);
}

/* Thousandths of what could be whole; 1000 where nothing could. */
u32 frag_share_milli(const struct frag_result *r, enum frag_size size)
{
	if (!r->best[size])
		return 1000;
	return div64_u64(r->whole[size] * 1000, r->best[size]);
}
