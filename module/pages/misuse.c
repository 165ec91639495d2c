// SPDX-License-Identifier: GPL-2.0
/*
 * Misuse by clients: told apart, counted, reported.
 *
 * What is wrong with a free is read from the state bytes: nothing is guessed
 * from the contents of memory. The call is refused, so the pool stays as it was;
 * the kind is counted always, and reported with a stack once for each place that
 * it comes from (base/report.c). Frames are named by pool, arena and number: no
 * address is shown.
 *
 * Contexts: any.
 */
#include "../arena/directory.h"
#include "../base/report.h"
#include "misuse.h"

static const char * const names[QUARRY_NR_ERRORS] = {
	[QUARRY_ERR_DOUBLE_FREE]	= "double_free",
	[QUARRY_ERR_WRONG_ORDER]	= "wrong_order",
	[QUARRY_ERR_INTERIOR]		= "interior",
	[QUARRY_ERR_FOREIGN]		= "foreign",
	[QUARRY_ERR_WRONG_POOL]		= "wrong_pool",
	[QUARRY_ERR_BAD_ARGUMENT]	= "bad_argument",
	[QUARRY_ERR_DESTROY_BUSY]	= "destroy_busy",
	[QUARRY_ERR_STRAY_REF]		= "stray_ref",
	[QUARRY_ERR_CORRUPT]		= "corrupt",
	[QUARRY_ERR_USE_AFTER_FREE]	= "use_after_free",
};

static const char * const texts[QUARRY_NR_ERRORS] = {
	[QUARRY_ERR_DOUBLE_FREE]	= "double free",
	[QUARRY_ERR_WRONG_ORDER]	= "free with the wrong call, order or length",
	[QUARRY_ERR_INTERIOR]		= "free of the inside of a block",
	[QUARRY_ERR_FOREIGN]		= "free of memory that is in no pool",
	[QUARRY_ERR_WRONG_POOL]		= "free to the wrong pool",
	[QUARRY_ERR_BAD_ARGUMENT]	= "order, length or gfp flags out of range",
	[QUARRY_ERR_DESTROY_BUSY]	= "destroy with pages out",
	[QUARRY_ERR_STRAY_REF]		= "pages at rest with strange references",
	[QUARRY_ERR_CORRUPT]		= "broken invariants",
	[QUARRY_ERR_USE_AFTER_FREE]	= "write to a free page",
};

/* The stable name of a kind, as debugfs and quarryctl show it. */
const char *quarry_error_name(enum quarry_error kind)
{
	return names[kind];
}

/* The same for people. */
const char *quarry_error_text(enum quarry_error kind)
{
	return texts[kind];
}

/**
 * quarry_misuse() - a client did what it must not
 * @pool:	whose call it was
 * @kind:	what it did
 * @c:		the arena concerned, or NULL
 * @f:		the frame in it
 * @length:	frames the caller spoke of, 0 if none
 *
 * Context: any.
 */
void quarry_misuse(struct quarry_pool *pool, enum quarry_error kind,
		   const struct quarry_page_arena *c, struct quarry_frame f, u64 length)
{
	char at[48] = "", how_long[32] = "";
	struct quarry_report *r;

	quarry_count(pool, QUARRY_COUNT_ERRORS + kind);
	r = quarry_report_begin(kind);
	if (!r)
		return;
	if (c)
		snprintf(at, sizeof(at), ": arena %u, frame %u", c->id, f.i - c->arena.lo);
	if (length)
		snprintf(how_long, sizeof(how_long), "%s length %llu", c ? "," : ":", length);
	quarry_report_say(r, "pool %s: %s%s%s; refused", pool->name, texts[kind], at, how_long);
	quarry_report_end(r);
}

/*
 * A block on a per-CPU list is not what it was when it was put there, which no
 * sequence of calls should bring about. The list has dropped it. Context: any.
 */
void quarry_misuse_deferred(struct quarry_pool *pool)
{
	quarry_misuse(pool, QUARRY_ERR_DOUBLE_FREE, NULL, (struct quarry_frame){}, 0);
}

/**
 * quarry_misuse_kind() - why is this frame not the head of a block that is out?
 * @c:	its arena
 * @f:	the frame; its state is not what the caller said
 *
 * Context: any; without the zone's lock the answer may be a moment old.
 */
enum quarry_error quarry_misuse_kind(const struct quarry_page_arena *c,
				     struct quarry_frame f)
{
	struct quarry_frame head;

	if (!quarry_arena_head(&c->arena, f, &head))
		return QUARRY_ERR_DOUBLE_FREE;
	switch (READ_ONCE(c->arena.state[head.i]) & QUARRY_STATE_KIND) {
	case QUARRY_STATE_ALLOC:
	case QUARRY_STATE_RUN:
		return head.i == f.i ? QUARRY_ERR_WRONG_ORDER : QUARRY_ERR_INTERIOR;
	case QUARRY_STATE_RUN_MORE:
	case QUARRY_STATE_SLAB:
		return QUARRY_ERR_INTERIOR;
	default:
		return QUARRY_ERR_DOUBLE_FREE;
	}
}

/**
 * quarry_misuse_address() - an address was freed that no layer above knows
 * @pool:	whose call it was
 * @addr:	any value
 *
 * Context: any.
 */
void quarry_misuse_address(struct quarry_pool *pool, const void *addr)
{
	enum quarry_error kind = QUARRY_ERR_FOREIGN;
	struct quarry_frame f = {}, head;
	struct quarry_page_arena *c = NULL;

	preempt_disable();
	if (virt_addr_valid(addr))
		c = quarry_directory_find(virt_to_page(addr));
	if (c && !READ_ONCE(c->buddy))
		c = NULL;
	if (c) {
		f.i = c->arena.lo + quarry_page_arena_index(c, virt_to_page(addr));
		kind = quarry_misuse_kind(c, f);
		if (kind == QUARRY_ERR_WRONG_ORDER && !PAGE_ALIGNED(addr))
			kind = QUARRY_ERR_INTERIOR;
		/* The block of a layer above that has just been freed, and is on its way. */
		if (kind == QUARRY_ERR_INTERIOR && PAGE_ALIGNED(addr) &&
		    quarry_arena_head(&c->arena, f, &head) && head.i == f.i)
			kind = QUARRY_ERR_DOUBLE_FREE;
	}
	quarry_misuse(pool, kind, c, f, 0);
	preempt_enable();
}
