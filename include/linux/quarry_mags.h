/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Magazines: what stands in memory. Private; theory in module/slab/magazine.c.
 *
 * Apart from quarry_cache_fast.h because the core is compiled in user space too.
 */
#ifndef _LINUX_QUARRY_MAGS_H
#define _LINUX_QUARRY_MAGS_H

#include <linux/list.h>
#include <linux/types.h>

/**
 * struct quarry_magazine - objects that are ready to go out
 * @link:	in a depot
 * @rcu:	to let those go who count its objects from another CPU
 * @n:		objects in it, while nobody has it open
 * @cap:	objects that fit
 * @guard:	NULL: what is below the first object, so that a pop need not count
 * @slot:	the objects; the last in is the first out
 */
struct quarry_magazine {
	union {
		struct list_head link;
		struct rcu_head rcu;
	};
	u32 n;
	u32 cap;
	void *guard;
	void *slot[];
};

/* Counters of one CPU that only slow paths move. */
enum quarry_mags_count {
	QUARRY_MAGS_SLOW_ALLOCS,	/* allocations the loaded magazine could not serve */
	QUARRY_MAGS_SLOW_FREES,		/* frees it could not take */
	QUARRY_MAGS_DIRECT_ALLOCS,	/* of objects past the magazines */
	QUARRY_MAGS_DIRECT_FREES,
	QUARRY_MAGS_EXCHANGES,		/* magazines exchanged with the depot */
	QUARRY_MAGS_REFILLS,		/* batches from slabs */
	QUARRY_MAGS_FLUSHES,		/* batches to slabs */
	QUARRY_MAGS_FAILURES,		/* allocations that got NULL */
	QUARRY_MAGS_INJECTED,		/* of these, by fault injection */
	QUARRY_MAGS_ERRORS,		/* and as many as there are kinds from here */
	QUARRY_MAGS_COUNTS = QUARRY_MAGS_ERRORS + 16
};

/* Of struct quarry_mags.idle_tag: more than any tag. */
#define QUARRY_MAGS_BUSY_BIT	16
#define QUARRY_MAGS_BUSY	0x10000UL

/**
 * struct quarry_mags - one CPU's part of a cache
 * @top:	after the newest object of the loaded magazine, while it is open
 * @end:	where @top may go
 * @allocs:	objects handed out from magazines, ever
 * @frees:	objects taken back to magazines, ever
 * @idle_tag:	the tag of the slabs of this CPU's node; QUARRY_MAGS_BUSY is added while it is
 *		being changed, which guards all of this
 * @shut:	reasons to keep the fast path out: then @top is @end, below it NULL
 * @wants:	a magazine was missed
 * @cap:	of magazines to come
 * @seen:	exchanges since @cap was last looked at
 * @last_ops:	allocs and frees when the reaper last came by
 * @loaded:	the magazine that is open, or NULL
 * @previous:	the one before, or NULL
 * @stub:	what @top points behind while nothing is open
 * @count:	enum quarry_mags_count
 */
struct quarry_mags {
	void **top;
	void **end;
	u64 allocs;
	u64 frees;
	unsigned long idle_tag;
	u8 shut;
	u8 wants;
	u32 cap;
	u32 seen;
	u64 last_ops;
	struct quarry_magazine *loaded;
	struct quarry_magazine *previous;
	void *stub[1];
	u64 count[QUARRY_MAGS_COUNTS];
};

#endif /* _LINUX_QUARRY_MAGS_H */
