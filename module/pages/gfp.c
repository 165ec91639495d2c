// SPDX-License-Identifier: GPL-2.0
/*
 * What gfp flags mean: the one place where they are understood.
 *
 * Whoever allocates has the flags parsed into a struct quarry_wish first, and asks that
 * from then on: single blocks and bulk (alloc.c), runs and windows (range.c), mempools
 * (mempool.c), growing (grow.c). What is allocated to describe memory, labels and
 * arenas and page arrays, is allocated with the caller's own abilities
 * (quarry_gfp_meta()): what may sleep for a page may sleep for what the page needs.
 *
 * May it sleep, and what of the pool's reserve may it use?
 *
 *	flags			sleeps, grows	reserve
 *	GFP_KERNEL		yes		none
 *	GFP_NOFS, GFP_NOIO	yes		half: who has them, or is in such a scope, is
 *						in the midst of writing back
 *	... | __GFP_HIGH	yes		half
 *	GFP_NOWAIT		no		none
 *	GFP_ATOMIC		no		all (it has __GFP_HIGH)
 *	__GFP_MEMALLOC		as without it	all; also in a task that frees memory
 *						(PF_MEMALLOC), outside of interrupts
 *	__GFP_NOMEMALLOC	as without it	the last line is void, and that of NOFS and NOIO
 *
 *	What the kernel keeps for those who free memory is for the same callers alone, when the
 *	pool has nothing and grows: swap on zram, whose pages come from here, writes when the
 *	kernel has nothing else left. By as little at a time as will do.
 *
 *	"Sleeps" is __GFP_DIRECT_RECLAIM. What was the reserve's comes back to it: see alloc.c.
 *
 * What else they say
 *	__GFP_IO, __GFP_FS	what the kernel may do to give us memory; scopes
 *				(memalloc_nofs_save() and its kind) count as the flags
 *	__GFP_NORETRY		the kernel is asked once and lightly, and other CPUs are not
 *				asked for what they hold, nor are others waited for. Void
 *				with __GFP_NOFAIL
 *	__GFP_NOFAIL		with sleeping: waits until there is something; without:
 *				nothing. A request that the pool could not serve if all of
 *				it were free, and all that may go back to the kernel had
 *				gone, fails all the same; one for many blocks or objects
 *				too, if that is true of all of them together
 *	__GFP_THISNODE		of the node asked for, which is the nearest to this CPU
 *				where none is named; or nothing. A pool that is bound to
 *				another node has nothing. Who may sleep has empty arenas of
 *				others make room below the cap
 *	__GFP_ZERO		zeros
 *	__GFP_NOWARN		no message on failure
 *	__GFP_MOVABLE, __GFP_RECLAIMABLE	lives short, or can be given up: kept apart from
 *				other blocks as long as there is room, so that memory is
 *				whole when all of these have gone. Served by the zone, past
 *				the lists, which know no lives
 *	__GFP_HIGHMEM		allowed, without effect
 *	__GFP_ACCOUNT		counted as ignored: no module can charge a cgroup
 *	__GFP_COMP with an order, zone flags that are not the pool's: refused
 *
 * Contexts: any.
 */
#include <linux/sched/mm.h>

#include "gfp.h"
#include "misuse.h"

/* What is passed on when the kernel is asked for an arena. */
#define PASSED	(__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_NORETRY)

/* What is not for things that describe memory: it speaks of the memory itself. */
#define NOT_FOR_META	(GFP_ZONEMASK | __GFP_THISNODE | __GFP_RECLAIMABLE | \
			 __GFP_COMP | __GFP_ACCOUNT | __GFP_ZERO)

/* Flags for what describes memory that is allocated with @gfp. Context: any. */
gfp_t quarry_gfp_meta(gfp_t gfp)
{
	/* To us that says nothing; the kernel takes it for a mistake. */
	if (!gfpflags_allow_blocking(gfp))
		gfp &= ~__GFP_NOFAIL;
	return (gfp & ~NOT_FOR_META) | __GFP_NOWARN;
}

/**
 * quarry_gfp_scope() - let what is called keep to flags that it is not told
 * @gfp:	if they allow no file system or no I/O, nothing will use them that the
 *		task calls: page tables of a mapping, for example
 *
 * Context: process. Return: for quarry_gfp_unscope(), with the same @gfp.
 */
unsigned int quarry_gfp_scope(gfp_t gfp)
{
	if (!(gfp & __GFP_IO))
		return memalloc_noio_save();
	return gfp & __GFP_FS ? 0 : memalloc_nofs_save();
}

void quarry_gfp_unscope(gfp_t gfp, unsigned int flags)
{
	if (!(gfp & __GFP_IO))
		memalloc_noio_restore(flags);
	else if (!(gfp & __GFP_FS))
		memalloc_nofs_restore(flags);
}

/* Does this caller's work free memory, so that it must not lack any? */
static bool frees_memory(gfp_t gfp)
{
	if (gfp & __GFP_NOMEMALLOC)
		return false;
	return gfp & __GFP_MEMALLOC || (!in_interrupt() && current->flags & PF_MEMALLOC);
}

/*
 * Is this caller in the midst of what frees memory in the end? Who may wait, but not for a file
 * system, holds what it needs to write things back; so does who may not wait for I/O.
 */
static bool writes_back(gfp_t gfp)
{
	return gfpflags_allow_blocking(gfp) && !(gfp & __GFP_NOMEMALLOC) &&
	       !(current_gfp_context(gfp) & __GFP_FS);
}

/* Of the flags to ask the kernel with: are its reserves for this caller? */
static gfp_t reserves_of_kernel(gfp_t gfp)
{
	return frees_memory(gfp) ? gfp & __GFP_MEMALLOC : __GFP_NOMEMALLOC;
}

/* Frames of the reserve that are not for this caller. */
static u64 gfp_kept_from(const struct quarry_pool *pool, gfp_t gfp)
{
	if (likely(!pool->reserve) || frees_memory(gfp))
		return 0;
	if (gfp & __GFP_HIGH)
		return gfpflags_allow_blocking(gfp) ? pool->reserve / 2 : 0;
	return writes_back(gfp) ? pool->reserve / 2 : pool->reserve;
}

/**
 * quarry_gfp_frames() - the most that callers with these flags could ever have of a pool
 * @pool:	the pool
 * @gfp:	the flags
 *
 * Context: any. Return: frames.
 */
u64 quarry_gfp_frames(struct quarry_pool *pool, gfp_t gfp)
{
	u64 all = max_t(u64, pool->max, atomic64_read(&pool->managed));

	return all - min(all, gfp_kept_from(pool, gfp));
}

static void gfp_fill(struct quarry_pool *pool, gfp_t gfp, int node, struct quarry_wish *w)
{
	gfp_t scoped = current_gfp_context(gfp);

	*w = (struct quarry_wish){
		.gfp = gfp,
		.grow = (scoped & PASSED) | pool->zone_gfp | __GFP_NOWARN | reserves_of_kernel(gfp),
		.meta = quarry_gfp_meta(scoped),
		.keep = gfp_kept_from(pool, gfp),
		.life = gfp & (__GFP_MOVABLE | __GFP_RECLAIMABLE) ? QUARRY_LIFE_SHORT :
								    QUARRY_LIFE_PAGE,
		.node = node,
		.strict = gfp & __GFP_THISNODE,
		.may_sleep = gfpflags_allow_blocking(gfp),
		.light = gfp & __GFP_NORETRY,
		.nofail = gfpflags_allow_blocking(gfp) && gfp & __GFP_NOFAIL,
	};
}

/**
 * quarry_wish_parse() - understand the flags of a call
 * @pool:	the pool
 * @gfp:	as given
 * @node:	as given; NUMA_NO_NODE: none
 * @nr:		frames asked for
 * @w:		set
 *
 * Context: any.
 *
 * Return: false if nobody could do what they say: that is counted and reported.
 */
bool quarry_wish_parse(struct quarry_pool *pool, gfp_t gfp, int node, u64 nr,
		       struct quarry_wish *w)
{
	gfp_t zone = gfp & (__GFP_DMA | __GFP_DMA32);

	if ((nr > 1 && gfp & __GFP_COMP) || (zone && zone != pool->zone_gfp) ||
	    (node != NUMA_NO_NODE && (node < 0 || node >= nr_node_ids))) {
		quarry_misuse(pool, QUARRY_ERR_BAD_ARGUMENT, NULL,
			      (struct quarry_frame){}, nr);
		return false;
	}
	if (unlikely(gfp & __GFP_ACCOUNT))
		quarry_count(pool, QUARRY_COUNT_ACCOUNT_IGNORED);
	gfp_fill(pool, gfp, node, w);
	if (w->nofail && nr > quarry_gfp_frames(pool, gfp))
		w->nofail = false;
	/* Who waits for ever does not ask lightly. */
	if (w->nofail) {
		w->light = false;
		w->grow &= ~__GFP_NORETRY;
	}
	if (w->strict && node == NUMA_NO_NODE)
		w->node = numa_mem_id();
	/* A node that the pool or the machine has no memory on is only a wish. */
	if (w->node != NUMA_NO_NODE &&
	    (!pool->zone[w->node] || !node_state(w->node, N_MEMORY))) {
		w->nowhere = w->strict;
		if (!w->strict)
			w->node = NUMA_NO_NODE;
	}
	return true;
}

/*
 * A wish of the pool's own, to grow by itself: whoever frees memory may have woken it, but what
 * the kernel keeps for that is not for growing ahead. Context: sleeps.
 */
void quarry_wish_own(struct quarry_pool *pool, int node, struct quarry_wish *w)
{
	gfp_fill(pool, GFP_KERNEL | __GFP_NOMEMALLOC, node, w);
}
