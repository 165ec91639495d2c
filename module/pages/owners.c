// SPDX-License-Identifier: GPL-2.0
/*
 * Owners: who has a pool's pages, by the stack that allocated them.
 *
 * The records of guard.c are gathered for all blocks and runs that are out. Slabs are left
 * out: what is in them has owners of its own (cache/leaks.c). A large block of malloc is marked
 * as one, and is not: it has an owner.
 *
 * Contexts: sleeps. A zone's lock is held for an area at a time: who frees a block meanwhile
 * and takes another may be counted twice or not at all.
 */
#include <linux/sched.h>

#include "guard.h"
#include "pcp.h"

/**
 * struct survey - what is out of a pool
 * @g:		by stack
 * @untraced:	frames without one
 * @head:	record of the run that was met last, for the pieces after its first
 */
struct survey {
	struct quarry_gathering g;
	u64 untraced;
	struct quarry_page_record head;
};

/* Frames of what begins at a frame, and whether that is with a client. */
static u32 owners_look_at(const struct quarry_arena *a, u32 f, bool *out, bool *more)
{
	u8 state = READ_ONCE(a->state[f]);

	*out = false;
	*more = false;
	switch (state & QUARRY_STATE_KIND) {
	case QUARRY_STATE_RUN_MORE:
		*more = true;
		fallthrough;
	case QUARRY_STATE_ALLOC:
	case QUARRY_STATE_RUN:
		*out = true;
		fallthrough;
	case QUARRY_STATE_SLAB:
		*out |= quarry_block_is_large(a->base + f);
		return 1U << quarry_state_order(state);
	default:
		/* On a list, free, or on its way: nobody's, whatever it is long. */
		return 1;
	}
}

/* Frames from *@f on, up to the end of its area. Under the zone's lock. */
static void survey_area(const struct quarry_page_arena *c, u32 *f, struct survey *s)
{
	const struct quarry_page_record *r = &s->head;
	const struct quarry_arena *a = &c->arena;
	u32 end = min(a->hi, (*f / QUARRY_AREA_FRAMES + 1) * QUARRY_AREA_FRAMES), nr;
	bool out, more;

	for (; *f < end; *f += nr) {
		nr = owners_look_at(a, *f, &out, &more);
		if (!out)
			continue;
		/* The pieces of a run after its first have no record of their own. */
		if (!more)
			s->head = c->table ? c->table->record[*f - a->lo] :
					     (struct quarry_page_record){};
		if (r->stack[QUARRY_PAGE_ALLOC])
			quarry_gather_add(&s->g, r->stack[QUARRY_PAGE_ALLOC],
					  r->pid[QUARRY_PAGE_ALLOC],
					  r->when[QUARRY_PAGE_ALLOC], nr);
		else
			s->untraced += nr;
	}
}

static void owners_survey(struct quarry_pool *pool, struct survey *s)
{
	unsigned long pfn = 0, flags;
	struct quarry_page_arena *c;
	struct quarry_zone *z;
	u32 f;

	while ((c = quarry_pool_arena(pool, false, pfn, &z, &flags))) {
		f = max(pfn, c->pfn) - c->arena.base;
		if (f < c->arena.hi)
			survey_area(c, &f, s);
		else
			f = c->pfn + c->nr - c->arena.base;
		pfn = c->arena.base + f;
		quarry_zone_unlock(z, flags);
		cond_resched();
	}
}

/**
 * quarry_pool_traces() - who has a pool's pages
 * @pool:	the pool
 * @traces:	where to; what is counted there are pages
 * @room:	entries that fit
 * @nr:		set to the stacks there are
 * @untraced:	set to the pages out whose owner is not known
 *
 * Both are 0 while the mode OWNER is off. Context: sleeps. Return: 0 or -ENOMEM.
 */
int quarry_pool_traces(struct quarry_pool *pool, struct quarry_trace *traces,
		       unsigned int room, unsigned int *nr, u64 *untraced)
{
	struct quarry_zone *z = NULL;
	struct survey s = {};
	unsigned int i;
	u64 kept = 0;
	const char *c;
	int err;

	*nr = 0;
	*untraced = 0;
	if (!(READ_ONCE(pool->modes) & QUARRY_MODE_OWNER))
		return 0;
	err = quarry_gather_begin(&s.g);
	if (err)
		return err;
	owners_survey(pool, &s);
	quarry_gather_sort(&s.g);
	for (i = 0; i < min(room, s.g.nr); i++) {
		quarry_stack_tell(&s.g.at[i], &traces[i]);
		quarry_stack_write(s.g.at[i].stack, traces[i].text, sizeof(traces[i].text));
		for (c = traces[i].text; *c; c++)
			traces[i].depth += *c == '\n';
	}
	*nr = s.g.nr;
	/* Nobody has what is kept for its hardware (poison.c). */
	while ((z = quarry_zone_next(pool, z)))
		kept += READ_ONCE(z->nr_kept);
	*untraced = s.untraced - min(s.untraced, kept);
	quarry_gather_end(&s.g);
	return 0;
}
