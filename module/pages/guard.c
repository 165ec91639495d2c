// SPDX-License-Identifier: GPL-2.0
/*
 * Modes of a pool, one block at a time: writes to free pages, and who has a page.
 *
 * Pages have no room for what finds mistakes. So while a pool has modes (modes.c) each arena has
 * a table beside it, with a record for each frame:
 *
 *	filled?   pid, stack and time of the last allocation (of a block's first frame)
 *		  and of the last free
 *
 *	        going out                        coming in
 *	CHECK   is the filling whole?            fill: 6b 6b 6b ...
 *	OWNER   note who                         note who
 *
 * What is noted says what is checked, not the modes of the moment: a frame is looked at if it
 * was filled when it was freed, so modes can be switched while others allocate. Blocks that
 * were taken before have no owner, and count as not traced.
 *
 * A block that was written to is handed out all the same, as by the kernel's page_poison:
 * whoever gets it writes to it anew, and zeros are written after the look. SLUB keeps an object
 * back, and so do our caches (cache/guard.c); but of pages a client may have counted on all that
 * his pool holds. The filling says where the first wrong byte is, and the record who had the
 * frame last.
 *
 * Invariant: a frame that is filled, and says so, is free. Who takes a block while the pool
 * has modes makes it say so no longer; and while it has modes nobody takes one in any other way,
 * for the lists of the CPUs are blocked (fastpath.c).
 *
 * Contexts: any. In NMI, and with PREEMPT_RT where nothing may be allocated, no stack is noted,
 * for the kernel's depot of stacks has a lock and may allocate.
 * Cost: that of writing and of reading the block, and of a walk up the stack.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/poison.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "../arena/directory.h"
#include "../base/report.h"
#include "guard.h"
#include "misuse.h"

/* Frames that are looked at before others may run. */
#define BITE	1024UL

static void guard_note(struct quarry_page_record *r, unsigned int which, depot_stack_handle_t stack)
{
	r->stack[which] = stack;
	r->pid[which] = task_pid_nr(current);
	r->when[which] = jiffies;
}

/* A frame that was filled is to go out. Returns whether it is whole. */
static void check_frame(struct quarry_pool *pool, const struct quarry_page_arena *c, u32 i,
			const struct quarry_page_record *r)
{
	const u8 *at = page_address(c->page + i);
	const u8 *bad = memchr_inv(at, POISON_FREE, PAGE_SIZE);
	struct quarry_report *report;

	if (likely(!bad))
		return;
	quarry_count(pool, QUARRY_COUNT_ERRORS + QUARRY_ERR_USE_AFTER_FREE);
	report = quarry_report_begin(QUARRY_ERR_USE_AFTER_FREE);
	quarry_report_say(report,
			  "pool %s: %s: arena %u, frame %u, byte %ld is 0x%02x, not 0x%02x",
			  pool->name, quarry_error_text(QUARRY_ERR_USE_AFTER_FREE), c->id, i,
			  (long)(bad - at), *bad, POISON_FREE);
	quarry_report_who(report, "last allocated", r->stack[QUARRY_PAGE_ALLOC],
			  r->pid[QUARRY_PAGE_ALLOC], r->when[QUARRY_PAGE_ALLOC]);
	quarry_report_who(report, "last freed", r->stack[QUARRY_PAGE_FREE],
			  r->pid[QUARRY_PAGE_FREE], r->when[QUARRY_PAGE_FREE]);
	quarry_report_end(report);
}

/* Frames @from to @to of an arena go out. Under RCU. */
static void guard_look_at(struct quarry_pool *pool, const struct quarry_page_arena *c,
			  struct quarry_page_table *t, u32 from, u32 to)
{
	struct quarry_page_record *r;
	u32 i;

	for (i = from; i < to; i++) {
		r = &t->record[i];
		if (!(r->flags & QUARRY_PAGE_FILLED))
			continue;
		r->flags = 0;
		if (READ_ONCE(pool->modes) & QUARRY_MODE_CHECK)
			check_frame(pool, c, i, r);
	}
}

/**
 * quarry_guard_pages_out() - a block or run goes to a client
 * @pool:	the pool, which has modes
 * @page:	its first page
 * @nr:		its pages
 * @gfp:	what its client has said
 *
 * Before it is made ready: what it holds is looked at. Context: any, as @gfp says.
 */
noinline void quarry_guard_pages_out(struct quarry_pool *pool, struct page *page,
				     unsigned long nr, gfp_t gfp)
{
	bool owner = READ_ONCE(pool->modes) & QUARRY_MODE_OWNER;
	depot_stack_handle_t stack = owner ? quarry_stack_here(2, false) : 0;
	struct quarry_page_table *t;
	struct quarry_page_arena *c;
	unsigned long at, end;
	u32 first;

	for (at = 0; at < nr; at = end) {
		end = min(nr, at + BITE);
		rcu_read_lock();
		c = quarry_directory_find(page);
		t = c ? READ_ONCE(c->table) : NULL;
		if (t) {
			first = quarry_page_arena_index(c, page);
			guard_look_at(pool, c, t, first + at, first + end);
			if (!at)
				guard_note(&t->record[first], QUARRY_PAGE_ALLOC, stack);
		}
		rcu_read_unlock();
		if (gfpflags_allow_blocking(gfp))
			cond_resched();
	}
}

/**
 * quarry_guard_pages_in() - a block or run comes back
 * @pool:	the pool, which has modes
 * @c:		its arena
 * @f:		its first frame
 * @nr:		its frames
 * @keep:	of these, so many stay with the client
 *
 * It is the caller's: nobody else frees it, and it is not free yet. Context: any; preemption
 * off, or under RCU.
 *
 * Return: were they filled, as the mode check wants it? Then they are not zero, whatever modes
 * there are by now.
 */
noinline bool quarry_guard_pages_in(struct quarry_pool *pool, struct quarry_page_arena *c,
				    struct quarry_frame f, unsigned long nr,
				    unsigned long keep)
{
	struct quarry_page_table *t = READ_ONCE(c->table);
	u32 first = quarry_page_arena_number(c, f), i;
	u32 modes = READ_ONCE(pool->modes);
	struct quarry_page_record *r;
	depot_stack_handle_t stack;

	/* One that has come while the modes were switched on may have none. */
	if (!t)
		return false;
	stack = modes & QUARRY_MODE_OWNER ? quarry_stack_here(2, false) : 0;
	for (i = first + keep; i < first + nr; i++) {
		r = &t->record[i];
		r->stack[QUARRY_PAGE_ALLOC] = t->record[first].stack[QUARRY_PAGE_ALLOC];
		r->pid[QUARRY_PAGE_ALLOC] = t->record[first].pid[QUARRY_PAGE_ALLOC];
		r->when[QUARRY_PAGE_ALLOC] = t->record[first].when[QUARRY_PAGE_ALLOC];
		guard_note(r, QUARRY_PAGE_FREE, stack);
		if (!(modes & QUARRY_MODE_CHECK))
			continue;
		/* Of what lay in it some may be a redzone. */
		quarry_shadow_pages_open(c->page + i, 1);
		memset(page_address(c->page + i), POISON_FREE, PAGE_SIZE);
		r->flags = QUARRY_PAGE_FILLED;
	}
	return modes & QUARRY_MODE_CHECK;
}
