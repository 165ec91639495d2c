/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast path of objects: quarry_object_pop() and quarry_object_push() without what
 * makes them per CPU, as their header needs a kernel. To be kept as they are there.
 */
#ifndef FAST_H
#define FAST_H

#include <linux/compiler.h>
#include <linux/quarry_mags.h>

static inline void fast_mark(struct quarry_mags *m)
{
	m->idle_tag |= QUARRY_MAGS_BUSY;
	barrier();
}

static inline void fast_unmark(struct quarry_mags *m)
{
	barrier();
	m->idle_tag &= ~QUARRY_MAGS_BUSY;
}

/* Pop an object if that is all there is to do, else NULL. */
static inline void *fast_pop(struct quarry_mags *m)
{
	void *object;

	if (unlikely(m->idle_tag & QUARRY_MAGS_BUSY))
		return NULL;
	fast_mark(m);
	object = m->top[-1];
	if (likely(object)) {
		m->top--;
		m->allocs++;
	}
	fast_unmark(m);
	return object;
}

/* Push an object of @tag if that is all there is to do, else false. */
static inline bool fast_push(struct quarry_mags *m, u16 tag, void *object)
{
	bool done = false;
	void **top;

	if (unlikely(tag != m->idle_tag))
		return false;
	fast_mark(m);
	top = m->top;
	if (likely(top != m->end && top[-1] != object)) {
		*top = object;
		m->top = top + 1;
		m->frees++;
		done = true;
	}
	fast_unmark(m);
	return done;
}

#endif
