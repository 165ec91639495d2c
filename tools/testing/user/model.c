// SPDX-License-Identifier: GPL-2.0
/*
 * A naive reference allocator: what a buddy allocator is, with nothing done to
 * make it fast.
 *
 * Model
 *	A frame is a byte that says whether it is out, and a byte that says
 *	whether it is known to be zero. A block of an order is free when it is
 *	aligned, inside its arena, and none of its bytes says out. It counts as
 *	a free block of its order when the block of twice its size around it is
 *	not free as well: these are the blocks that free lists would hold.
 *
 *	The model does not choose. The allocator under test says what it took;
 *	the model says whether that was there to be taken, how many blocks a
 *	buddy allocator with lists had to halve for it, and how many it joins
 *	when the block returns.
 *
 * Nothing here is shared with module/buddy/: no header of it, no constant, no
 * trick.
 * The counts by order are carried from step to step so that hundreds of millions
 * of steps are possible; model_count() makes them from nothing, and the twins
 * compare both.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/**
 * model_is_free() - are these frames inside the arena, and free?
 * @a:	the arena
 * @at:	first frame
 * @nr:	frames
 */
bool model_is_free(const struct model_arena *a, u64 at, u64 nr)
{
	if (at > a->nr || nr > a->nr - at)
		return false;
	return !memchr(a->out + at, 1, nr);
}

/**
 * model_fits() - is this an aligned block inside the arena?
 * @a:		the arena
 * @at:		first frame
 * @order:	any
 */
bool model_fits(const struct model_arena *a, u64 at, unsigned int order)
{
	u64 nr = 1ull << order;

	if (order >= MODEL_ORDERS || at > a->nr || nr > a->nr - at)
		return false;
	return (a->first + at) % nr == 0;
}

/**
 * model_around() - the order of the largest free block around a free block
 * @a:		the arena
 * @at:		first frame of the block
 * @order:	its order
 */
unsigned int model_around(const struct model_arena *a, u64 at,
			  unsigned int order)
{
	while (order + 1 < MODEL_ORDERS) {
		u64 nr = 2ull << order;
		u64 begin = (a->first + at) / nr * nr;

		if (begin < a->first || !model_is_free(a, begin - a->first, nr))
			break;
		order++;
	}
	return order;
}

/**
 * model_part() - the order of the largest block from here that ends in time
 * @a:		the arena
 * @at:		first frame
 * @end:	one past the last
 */
unsigned int model_part(const struct model_arena *a, u64 at, u64 end)
{
	unsigned int order = 0;

	while (order + 1 < MODEL_ORDERS &&
	       (a->first + at) % (2ull << order) == 0 &&
	       at + (2ull << order) <= end)
		order++;
	return order;
}

/**
 * model_count() - count the free blocks of an arena from nothing
 * @a:		the arena
 * @blocks:	MODEL_ORDERS counts; added to
 */
void model_count(const struct model_arena *a, u64 *blocks)
{
	u64 at = 0;

	while (at < a->nr) {
		unsigned int order;

		if (a->out[at]) {
			at++;
			continue;
		}
		/* No block around this frame begins before it. */
		order = model_around(a, at, 0);
		blocks[order]++;
		at += 1ull << order;
	}
}

/**
 * model_has() - is a block of this order or larger free?
 * @m:		the model
 * @order:	the order
 */
bool model_has(const struct model *m, unsigned int order)
{
	for (; order < MODEL_ORDERS; order++)
		if (m->blocks[order])
			return true;
	return false;
}

/**
 * model_add() - an arena, all free
 * @m:		the model
 * @slot:	where to keep it
 * @first:	absolute number of the first frame
 * @nr:		frames
 * @zero:	all known to be zero
 */
void model_add(struct model *m, unsigned int slot, u64 first, u64 nr,
	       bool zero)
{
	struct model_arena *a = &m->arena[slot];

	a->present = true;
	a->first = first;
	a->nr = nr;
	a->nfree = nr;
	a->out = calloc(1, nr);
	a->zero = calloc(1, nr);
	if (!a->out || !a->zero)
		abort();
	memset(a->zero, zero, nr);
	m->nfree += nr;
	m->nr_zero += zero ? nr : 0;
	model_count(a, m->blocks);
}

/**
 * model_remove() - take away an arena that is all free
 * @m:		the model
 * @slot:	where it is
 */
void model_remove(struct model *m, unsigned int slot)
{
	struct model_arena *a = &m->arena[slot];
	u64 blocks[MODEL_ORDERS] = { 0 };
	unsigned int k;
	u64 at;

	model_count(a, blocks);
	for (k = 0; k < MODEL_ORDERS; k++)
		m->blocks[k] -= blocks[k];
	for (at = 0; at < a->nr; at++)
		m->nr_zero -= a->zero[at];
	m->nfree -= a->nr;
	free(a->out);
	free(a->zero);
	memset(a, 0, sizeof(*a));
}

/**
 * model_fini() - free what the model holds
 * @m:	the model
 */
void model_fini(struct model *m)
{
	unsigned int i;

	for (i = 0; i < MODEL_ARENAS; i++) {
		free(m->arena[i].out);
		free(m->arena[i].zero);
	}
	free(m->live);
	memset(m, 0, sizeof(*m));
}

/**
 * model_take() - take a block that is free
 * @m:		the model
 * @slot:	its arena
 * @at:		first frame
 * @order:	its order
 *
 * Return: whether all of it was known to be zero.
 */
bool model_take(struct model *m, unsigned int slot, u64 at, unsigned int order)
{
	struct model_arena *a = &m->arena[slot];
	unsigned int from = model_around(a, at, order);
	u64 nr = 1ull << order, i, zero = 0;

	m->blocks[from]--;
	while (from > order) {
		from--;
		m->blocks[from]++;
		m->splits++;
	}
	for (i = at; i < at + nr; i++)
		zero += a->zero[i];
	memset(a->out + at, 1, nr);
	memset(a->zero + at, 0, nr);
	a->nfree -= nr;
	m->nfree -= nr;
	m->nr_zero -= zero;
	return zero == nr;
}

/**
 * model_put() - take a block back
 * @m:		the model
 * @slot:	its arena
 * @at:		first frame
 * @order:	its order
 * @zero:	known to be zero
 */
void model_put(struct model *m, unsigned int slot, u64 at, unsigned int order,
	       bool zero)
{
	struct model_arena *a = &m->arena[slot];
	u64 nr = 1ull << order;
	unsigned int to;

	memset(a->out + at, 0, nr);
	memset(a->zero + at, zero, nr);
	a->nfree += nr;
	m->nfree += nr;
	m->nr_zero += zero ? nr : 0;
	to = model_around(a, at, order);
	for (; order < to; order++) {
		m->blocks[order]--;
		m->merges++;
	}
	m->blocks[to]++;
}

/**
 * model_out() - note that frames are out
 * @m:		the model
 * @slot:	their arena
 * @at:		first frame
 * @nr:		frames
 * @run:	a run
 * @kind:	what the owner calls it
 *
 * Return: the note.
 */
struct model_block *model_out(struct model *m, unsigned int slot, u64 at,
			      u64 nr, bool run, unsigned int kind)
{
	struct model_block *p;

	if (m->nr_live == m->room) {
		m->room = m->room ? 2 * m->room : 256;
		m->live = realloc(m->live, m->room * sizeof(*m->live));
		if (!m->live)
			abort();
	}
	p = &m->live[m->nr_live++];
	p->arena = slot;
	p->at = at;
	p->nr = nr;
	p->run = run;
	p->kind = kind;
	return p;
}

/**
 * model_in() - forget a note
 * @m:	the model
 * @i:	its number; the last note takes that number
 */
void model_in(struct model *m, size_t i)
{
	m->live[i] = m->live[--m->nr_live];
}
