// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous memory of any length: runs, windows, and ranges the caller owns.
 *
 * Model
 *	A request without a window has the lowest place that fits, or a block of the
 *	next power of two whose tail goes back at once, as the buddy finds best
 *	(quarry_buddy_claim_anywhere()); only where it does not find out soon are runs
 *	searched for by address. A request with a window, or for device memory, is
 *	searched for so from the beginning: arena by arena, from the end asked for.
 *	Searches are taken in bites (buddy/range.c), the zone's lock let go in between:
 *	what comes free behind one may be missed. Runs are freed with the length they
 *	were allocated with; blocks of quarry_alloc_pages() can be trimmed and are runs
 *	from then on.
 *
 *	Ranges that the caller owns join the pool as arenas like any other, except
 *	that they are never given back by themselves. Those without struct pages
 *	live in the pool's device zone, which serves QUARRY_RANGE_DEVICE alone. A run
 *	lies in one arena: two ranges side by side do not serve one over their border,
 *	even if they have no gap.
 *
 * Contexts: allocating as gfp says, freeing and trimming any but NMI; adding and
 * removing ranges sleeps.
 *
 * Cost: without a window that of a block and of 640 steps of a search at most. By address: some
 * nanoseconds for areas of 2 MiB that are known not to have the run, and up to a hundred for those
 * of which that has to be found out. With interrupts off no more than a bite, of 512 steps; who
 * may not sleep has three of them, whatever there is to search, and then -ENOMEM. What they
 * found out stays known, so that the next one comes further, if it is no longer than an area
 * (a bound tells no more). That no zone has a block as large as
 * any such run has in it, or no group with a high enough bound, is known at once.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>

#include "../arena/directory.h"
#include "../base/inject.h"
#include "alloc.h"
#include "guard.h"
#include "misuse.h"

/* Ranges of the caller's come and go one at a time. */
static DEFINE_MUTEX(add_mutex);

/* Bites of searches for those who may not sleep, and one after their own lists are empty. */
#define QUICK_BITES	2

/**
 * struct request - a request in frames
 * @nr:		how many
 * @align:	alignment
 * @order:	of a block that serves it
 * @pieces:	so many frames instead, wherever they are
 * @start:	first frame of the window
 * @end:	first frame behind it
 * @anywhere:	there is no window
 * @top_down:	from the end
 * @device:	device memory, and no other
 * @bites:	of searches that may still be done
 * @wish:	what the flags say
 */
struct request {
	u32 nr;
	u32 align;
	unsigned int order;
	u64 pieces;
	unsigned long start;
	unsigned long end;
	bool anywhere;
	bool top_down;
	bool device;
	unsigned int bites;
	struct quarry_wish wish;
};

/* What going on to the next arena costs, in steps of a search. */
#define ARENA_STEPS	8

static int range_parse(const struct quarry_range *r, struct request *q)
{
	u64 align = r->align ?: PAGE_SIZE;

	if (!r->bytes || !PAGE_ALIGNED(r->bytes) || r->bytes >> PAGE_SHIFT > QUARRY_MAX_RUN)
		return -EINVAL;
	if (!is_power_of_2(align) || align < PAGE_SIZE || align >> PAGE_SHIFT > QUARRY_MAX_RUN)
		return -EINVAL;
	if (r->flags & ~(QUARRY_RANGE_TOP_DOWN | QUARRY_RANGE_DEVICE))
		return -EINVAL;
	if ((r->end && r->end <= r->start) || r->start > PHYS_ADDR_MAX - PAGE_SIZE)
		return -EINVAL;
	if (r->flags & QUARRY_RANGE_DEVICE && r->gfp & __GFP_ZERO)
		return -EINVAL;
	q->nr = r->bytes >> PAGE_SHIFT;
	q->align = align >> PAGE_SHIFT;
	q->order = max(order_base_2(q->nr), ilog2(q->align));
	q->start = PFN_UP(r->start);
	q->end = r->end ? PFN_DOWN(r->end) : ULONG_MAX;
	q->top_down = r->flags & QUARRY_RANGE_TOP_DOWN;
	q->device = r->flags & QUARRY_RANGE_DEVICE;
	q->anywhere = !r->start && !r->end && !q->top_down;
	q->bites = QUICK_BITES;
	return 0;
}

/* What is left of a window, in frames. */
struct window {
	unsigned long lo;
	unsigned long hi;
};

/*
 * A run inside one arena, which has a frame in the window. Under the zone's lock.
 * Returns 0, -ENOSPC, or -EAGAIN when the steps are used up; the window is what is left.
 */
static int claim_in(struct quarry_zone *z, struct quarry_page_arena *c, const struct request *q,
		    struct window *w, u32 *steps, unsigned long *pfn, bool *zero)
{
	unsigned long base = c->arena.base;
	struct quarry_search s = {
		.nr = q->nr, .align = q->align, .top_down = q->top_down, .life = q->wish.life,
		.lo = { max(w->lo, c->pfn) - base },
		.hi = { min(w->hi, c->pfn + c->nr) - base },
		.steps = *steps,
	};
	struct quarry_frame f;
	int err;

	err = quarry_buddy_claim_run(&z->buddy, &c->arena, &s, &f, zero);
	*steps = s.steps;
	if (!err)
		*pfn = base + f.i;
	else if (q->top_down)
		w->hi = err == -EAGAIN ? base + s.hi.i : c->pfn;
	else
		w->lo = err == -EAGAIN ? base + s.lo.i : c->pfn + c->nr;
	return err;
}

static bool zone_may_have(const struct quarry_zone *z, const struct request *q)
{
	return quarry_zone_may_take(z, q->nr, q->wish.keep) &&
	       quarry_buddy_may_have_run(&z->buddy, q->nr, q->align);
}

/* A bite of a search in a zone, arena by arena. Returns as claim_in(). */
static int claim_bite(struct quarry_zone *z, const struct request *q, struct window *w,
		      unsigned long *pfn, bool *zero)
{
	u32 steps = QUARRY_BITE_STEPS;
	struct quarry_page_arena *c = NULL;
	unsigned long flags;
	int err = -ENOSPC;

	if (!quarry_zone_lock(z, &flags))
		return -ENOSPC;
	if (zone_may_have(z, q))
		c = quarry_zone_arena(z, w->lo, w->hi, q->top_down);
	while (c) {
		err = claim_in(z, c, q, w, &steps, pfn, zero);
		if (err != -ENOSPC)
			break;
		c = quarry_zone_beside(c, q->top_down);
		if (c && (c->pfn >= w->hi || c->pfn + c->nr <= w->lo))
			c = NULL;
		if (c && steps < ARENA_STEPS + QUARRY_SEARCH_LEAST) {
			err = -EAGAIN;
			break;
		}
		steps -= c ? ARENA_STEPS : 0;
	}
	quarry_zone_unlock(z, flags);
	return err;
}

/* May the request be served from this zone? */
static bool is_asked(struct quarry_pool *pool, const struct quarry_zone *z,
		     const struct request *q)
{
	if (q->device || z == quarry_device_zone(pool))
		return q->device && z == quarry_device_zone(pool);
	return !q->wish.strict || z->node == q->wish.node;
}

/*
 * Of the zones that may serve, the one whose memory is first met; @w is cut where another
 * one's begins, for nodes may take turns. NULL if the window is empty.
 */
static struct quarry_zone *nearest_zone(struct quarry_pool *pool, struct quarry_zone *only,
					const struct request *q, struct window *w)
{
	unsigned long first = q->top_down ? w->lo : w->hi, next = first, at, flags;
	struct quarry_zone *z = NULL, *nearest = NULL;
	struct quarry_page_arena *c;

	while ((z = quarry_zone_next(pool, z))) {
		if ((only && z != only) || !is_asked(pool, z, q) || !quarry_zone_lock(z, &flags))
			continue;
		c = zone_may_have(z, q) ? quarry_zone_arena(z, w->lo, w->hi, q->top_down) :
					  NULL;
		at = !c ? first : q->top_down ? min(w->hi, c->pfn + c->nr) :
						max(w->lo, c->pfn);
		quarry_zone_unlock(z, flags);
		if (!c)
			continue;
		if (!nearest || (q->top_down ? at > first : at < first)) {
			next = nearest ? first : next;
			first = at;
			nearest = z;
		} else {
			next = q->top_down ? max(next, at) : min(next, at);
		}
	}
	if (q->top_down)
		w->lo = next;
	else
		w->hi = next;
	return nearest;
}

/* May there be one more bite of a search? */
static bool may_bite(struct request *q)
{
	if (q->wish.may_sleep)
		return true;
	if (q->bites)
		q->bites--;
	return q->bites;
}

/*
 * By address from the end asked for, in one zone or in all that there are. In bites, so
 * that no lock is held for long and whoever may sleep rests in between.
 */
static bool claim_by_address(struct quarry_pool *pool, struct quarry_zone *only,
			     struct request *q, unsigned long *pfn, bool *zero)
{
	struct window left = { q->start, q->end }, part = left;
	struct quarry_zone *z;
	int err;

	while (left.lo < left.hi && q->bites && (z = nearest_zone(pool, only, q, &part))) {
		struct window whole = part;

		err = claim_bite(z, q, &part, pfn, zero);
		if (!err)
			return true;
		if (err == -EAGAIN && !may_bite(q))
			return false;
		if (q->top_down)
			left.hi = err == -EAGAIN ? part.hi : whole.lo;
		else
			left.lo = err == -EAGAIN ? part.lo : whole.hi;
		part = left;
		if (q->wish.may_sleep)
			cond_resched();
	}
	return false;
}

/* Anywhere in a zone, as the buddy finds best; what it does not find soon by address. */
static bool claim_from_zone(struct quarry_pool *pool, struct quarry_zone *z,
			    struct request *q, unsigned long *pfn, bool *zero)
{
	const struct quarry_want want = {
		.kind = QUARRY_STATE_RUN, .life = q->wish.life,
		.zero = want_init_on_alloc(q->wish.gfp),
	};
	struct quarry_block block;
	unsigned long flags;
	int err = -ENOSPC;

	if (!q->bites || !quarry_zone_lock(z, &flags))
		return false;
	if (quarry_zone_may_take(z, q->nr, q->wish.keep))
		err = quarry_buddy_claim_anywhere(&z->buddy, &want, q->nr, q->align, &block);
	quarry_zone_unlock(z, flags);
	if (!err) {
		*pfn = block.arena->base + block.frame.i;
		*zero = block.zero;
		return true;
	}
	return err == -EAGAIN && may_bite(q) && claim_by_address(pool, z, q, pfn, zero);
}

/* Have put back what was freed without the locks. */
static void range_settle(struct quarry_pool *pool)
{
	struct quarry_zone *z = NULL;

	while ((z = quarry_zone_next(pool, z)))
		quarry_zone_settle(z);
}

/* Where it is to be first: without a window in the local zone, else by address. */
static bool claim_here(struct quarry_pool *pool, struct request *q, unsigned long *pfn,
		       bool *zero)
{
	range_settle(pool);
	if (q->device || !q->anywhere)
		return claim_by_address(pool, NULL, q, pfn, zero);
	return claim_from_zone(pool, quarry_local_zone(pool, q->wish.node), q, pfn, zero);
}

/* On other nodes, if that is no worse than nothing. */
static bool claim_elsewhere(struct quarry_pool *pool, struct request *q,
			    unsigned long *pfn, bool *zero)
{
	struct quarry_zone *z = NULL, *home;

	if (q->device || !q->anywhere || q->wish.strict)
		return false;
	home = quarry_local_zone(pool, q->wish.node);
	while ((z = quarry_zone_next(pool, z)))
		if (z != home && z->node != NUMA_NO_NODE &&
		    claim_from_zone(pool, z, q, pfn, zero))
			return true;
	return false;
}

/* Could the arena serve the request if all of it were free? */
static bool is_room(const struct quarry_page_arena *c, const struct request *q)
{
	u64 lo = round_up(max(q->start, c->pfn), (u64)q->align);

	return lo + q->nr <= min(q->end, c->pfn + c->nr);
}

/**
 * struct survey - what a look at the arenas of a pool finds
 * @room:	one that could serve the request
 * @owned:	frames in arenas that are not the kernel's: where the request may not be
 *		served from, and where it may
 * @given:	arenas that are, by order, likewise
 */
struct survey {
	bool room;
	u64 owned[2];
	u32 given[2][QUARRY_KERNEL_ORDER + 1];
};

/* Look at all arenas in the window, one by one; or until one has room. */
static void look_at_arenas(struct quarry_pool *pool, bool device, const struct request *q,
			   struct survey *s)
{
	unsigned long pfn = q->start, flags;
	struct quarry_page_arena *c;
	struct quarry_zone *z;
	bool asked;

	while (!s->room && pfn < q->end) {
		c = quarry_pool_arena(pool, device, pfn, &z, &flags);
		if (!c)
			break;
		asked = is_asked(pool, z, q);
		s->room = asked && !q->pieces && is_room(c, q);
		if (c->kind == QUARRY_ARENA_KERNEL)
			s->given[asked][c->order]++;
		else
			s->owned[asked] += c->nr;
		pfn = c->pfn + c->nr;
		quarry_zone_unlock(z, flags);
		cond_resched();
	}
}

/* Frames that go to the kernel if no more than @most may, the largest arenas first. */
static u64 range_may_go(u32 *given, u64 most)
{
	unsigned int k = QUARRY_KERNEL_ORDER + 1;
	u64 left = most;

	while (k-- > 0) {
		u32 nr = min_t(u64, given[k], left >> k);

		given[k] -= nr;
		left -= (u64)nr << k;
	}
	return most - left;
}

/*
 * If all that may go to the kernel had gone, would there be room under the cap for the arena
 * that is wanted? Or for all of the pieces: what comes for them lets others go.
 */
static bool may_grow_enough(struct quarry_pool *pool, const struct request *q,
			    struct survey *s)
{
	u64 fixed = s->owned[0] + s->owned[1], mine = 0, others = 0, room;
	struct quarry_zone *z = NULL;
	unsigned int k;

	while ((z = quarry_zone_next(pool, z)))
		fixed += READ_ONCE(z->nr_retired);
	for (k = 0; k <= QUARRY_KERNEL_ORDER; k++) {
		/* An arena that has no room for it is of no use wherever it lies. */
		if (!q->pieces) {
			s->given[0][k] += s->given[1][k];
			s->given[1][k] = 0;
		}
		mine += (u64)s->given[1][k] << k;
		others += (u64)s->given[0][k] << k;
	}
	for (;;) {
		others -= range_may_go(s->given[0], mine + others - min(mine + others, pool->min));
		room = pool->max - min(pool->max, fixed + mine + others);
		if (!q->pieces)
			return room >= 1ULL << q->order;
		if (s->owned[1] + mine + room >= q->pieces)
			return true;
		if (!room)
			return false;
		mine += room;
	}
}

/*
 * Could any arena of the pool serve it, or one that the kernel may be asked for (@grow)?
 * Whoever waits for what never comes is told now. Without a look where no arena has come or
 * gone since the last one. @looked: what there had been of that by then; less than nothing
 * before the first.
 */
static bool could_serve(struct quarry_pool *pool, const struct request *q, bool grow,
			int *looked)
{
	s64 managed = atomic64_read(&pool->managed), nr = q->pieces ?: 1ULL << q->order;
	int changes = atomic_read(&pool->arena_changes) & INT_MAX;
	struct survey s = {};

	if (*looked == changes || (grow && managed + nr <= (s64)pool->max))
		return true;
	look_at_arenas(pool, q->device, q, &s);
	if (grow && !s.room)
		look_at_arenas(pool, !q->device, q, &s);
	if (s.room || (grow && may_grow_enough(pool, q, &s))) {
		*looked = changes;
		return true;
	}
	/* What moved meanwhile may have been missed. */
	return (atomic_read(&pool->arena_changes) & INT_MAX) != changes;
}

/**
 * quarry_range_could_serve() - could a pool serve a block if all of it were free?
 * @pool:	the pool
 * @w:		what is wanted; may sleep
 * @order:	of the block
 * @looked:	less than nothing before the first call of a wait, then as it was left
 *
 * Context: sleeps. Return: false if to wait for it is to wait for ever.
 */
bool quarry_range_could_serve(struct quarry_pool *pool, const struct quarry_wish *w,
			      unsigned int order, int *looked)
{
	const struct request q = {
		.nr = 1U << order, .align = 1U << order, .order = order, .end = ULONG_MAX,
		.anywhere = true, .wish = *w,
	};

	return could_serve(pool, &q, order <= QUARRY_KERNEL_ORDER, looked);
}

/**
 * quarry_range_could_hold() - could a pool serve single pages if all of it were free?
 * @pool:	the pool
 * @w:		what is wanted; may sleep
 * @nr:		pages, wherever they are
 * @looked:	as for quarry_range_could_serve()
 *
 * Context: sleeps. Return: false if to wait for all of them is to wait for ever.
 */
bool quarry_range_could_hold(struct quarry_pool *pool, const struct quarry_wish *w, u64 nr,
			     int *looked)
{
	/* What must stay free may do so anywhere. */
	const struct request q = {
		.pieces = w->strict ? nr : nr + w->keep, .end = ULONG_MAX, .wish = *w,
	};

	return could_serve(pool, &q, true, looked);
}

/* May the kernel be asked for memory that would serve it? */
static bool may_grow(const struct quarry_range *r, const struct request *q)
{
	return q->anywhere && q->wish.may_sleep && !(r->flags & QUARRY_RANGE_DEVICE) &&
	       q->order <= QUARRY_KERNEL_ORDER;
}

/* More from the kernel on other nodes, when the local one has none. */
static bool grow_elsewhere(struct quarry_pool *pool, const struct request *q)
{
	return !q->wish.strict && num_online_nodes() > 1 &&
	       quarry_pool_grow(pool, &q->wish, false, q->order);
}

/* Empty what others hold. */
static bool take_from_others(struct quarry_pool *pool)
{
	return quarry_pool_reclaim_block(pool, QUARRY_DRAIN_ALL) +
	       quarry_pcp_drain_all(pool, QUARRY_PATIENT);
}

/*
 * Claim with all that may take, as in alloc.c. A window is searched where memory is, and
 * none is taken for it. Lists and caches hold nothing of a device's, so they are left alone.
 */
static bool claim_hard(struct quarry_pool *pool, const struct quarry_range *r,
		       struct request *q, unsigned long *pfn, bool *zero)
{
	const struct quarry_wish *w = &q->wish;
	bool grow = may_grow(r, q);
	bool here = !q->device, all = here && w->may_sleep && !w->light;
	bool waited = false;
	int seen, looked = -1;

	for (;;) {
		seen = atomic_read(&pool->arrivals);
		if (claim_here(pool, q, pfn, zero))
			return true;
		if (here) {
			here = false;
			q->bites = max(q->bites, 1U);
			if (quarry_pcp_drain_this(pool, QUARRY_DRAIN_ALL))
				continue;
		}
		if (grow && quarry_pool_grow(pool, w, true, q->order))
			continue;
		if (claim_elsewhere(pool, q, pfn, zero))
			return true;
		if (grow && grow_elsewhere(pool, q))
			continue;
		if (all) {
			all = false;
			if (take_from_others(pool))
				continue;
			/* Another visitor may have brought it meanwhile. */
			if (claim_here(pool, q, pfn, zero) || claim_elsewhere(pool, q, pfn, zero))
				return true;
		}
		if (grow && (quarry_pool_make_room(pool, w, q->order) ||
			     quarry_pool_await_growth(pool, w, seen, &waited)))
			continue;
		if (!w->nofail || !could_serve(pool, q, grow, &looked))
			return false;
		all = quarry_wait_for_free(pool) && !q->device;
	}
}

/**
 * quarry_alloc_range() - allocate contiguous memory of any length
 * @pool:	the pool
 * @range:	what is wanted
 * @at:		set to the physical address
 *
 * A claim at one certain place is a window of exactly that length. To be given
 * back with quarry_free_range() and the same length. Its address is a multiple of
 * @range->align and of nothing more, whatever the length. It lies in one block of the
 * kernel's or one range of quarry_pool_add_range(): not over the border of two, even if
 * they are side by side.
 *
 * Context: as @range->gfp says; not NMI.
 *
 * Return: 0; -EINVAL for a request that makes no sense; -ENOSPC if the window has no
 * such place; -ENOMEM, also if the caller may not sleep and it would take too long to find
 * out: three searches of some ten microseconds are done for him.
 */
int quarry_alloc_range(struct quarry_pool *pool, const struct quarry_range *range,
		       phys_addr_t *at)
{
	bool zero = false;
	struct request q;
	unsigned long pfn;
	int err;

	err = range_parse(range, &q);
	if (err || !quarry_wish_parse(pool, range->gfp, NUMA_NO_NODE, q.nr, &q.wish))
		return -EINVAL;
	might_alloc(range->gfp);
	if (quarry_inject() || quarry_pool_fails(pool, range->gfp)) {
		quarry_count(pool, QUARRY_COUNT_FAIL_INJECTED);
		return -ENOMEM;
	}
	/* Device memory is on no node. */
	if (range->flags & QUARRY_RANGE_DEVICE)
		q.wish.strict = false;
	if ((q.wish.strict && q.wish.nowhere) || !claim_hard(pool, range, &q, &pfn, &zero)) {
		quarry_refuse(pool, &q.wish, q.order, may_grow(range, &q));
		return q.anywhere || !q.bites ? -ENOMEM : -ENOSPC;
	}
	quarry_count(pool, QUARRY_COUNT_RUN_ALLOCS);
	quarry_count_add(pool, QUARRY_COUNT_RUN_ALLOC_FRAMES, q.nr);
	if (!(range->flags & QUARRY_RANGE_DEVICE)) {
		quarry_pages_out(pool, pfn_to_page(pfn), q.nr, range->gfp);
		quarry_prepare(pool, pfn_to_page(pfn), q.nr, range->gfp, zero);
		quarry_pool_wake(pool, quarry_local_zone(pool, page_to_nid(pfn_to_page(pfn))));
	}
	*at = PFN_PHYS(pfn);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(quarry_alloc_range, QUARRY_NS);

/* The pool's arena around a frame, with or without struct pages. Under RCU. */
static struct quarry_page_arena *find_arena(struct quarry_pool *pool, unsigned long pfn)
{
	struct quarry_page_arena *c = quarry_directory_find_pfn(pfn);
	struct quarry_zone *z = quarry_device_zone(pool);
	unsigned long flags;

	if (c)
		return c;
	raw_spin_lock_irqsave(&z->lock, flags);
	c = quarry_zone_arena(z, pfn, pfn + 1, false);
	raw_spin_unlock_irqrestore(&z->lock, flags);
	return c;
}

/* Is any frame of [pfn, end) in a pool? Under add_mutex. */
static bool is_known(unsigned long pfn, unsigned long end)
{
	struct quarry_pool *pool = NULL;
	struct quarry_zone *z = NULL;
	unsigned long flags;
	bool known = false;

	while (!known && (pool = quarry_pool_look_next(pool)))
		while (!known && (z = quarry_zone_next(pool, z))) {
			raw_spin_lock_irqsave(&z->lock, flags);
			known = quarry_zone_arena(z, pfn, end, false);
			raw_spin_unlock_irqrestore(&z->lock, flags);
		}
	quarry_pool_look_away(pool);
	return known;
}

/* To a zone's buddy, unless it overlaps what is in a pool already. */
static int add_arena(struct quarry_zone *z, struct quarry_page_arena *c)
{
	int err = -EEXIST;

	mutex_lock(&add_mutex);
	if (!is_known(c->pfn, c->pfn + c->nr))
		err = quarry_zone_add(z, c);
	mutex_unlock(&add_mutex);
	return err;
}

/*
 * Is this a block or run of exactly @nr frames in a client's hands? A block is a run from then
 * on, for it may be freed without the lock meanwhile. Under the zone's lock.
 */
static bool range_is_run(const struct quarry_arena *a, struct quarry_frame f, u64 nr,
			 bool block_too)
{
	u8 *state = &a->state[f.i], was = READ_ONCE(*state);
	unsigned int order = quarry_state_order(was);

	if (nr > QUARRY_MAX_RUN)
		return false;
	if (block_too && (was & QUARRY_STATE_KIND) == QUARRY_STATE_ALLOC)
		return nr == 1ULL << order &&
		       cmpxchg(state, was, QUARRY_STATE_RUN | order) == was;
	return !quarry_arena_check_run(a, f, nr);
}

/* The same of one of which all stays with its client, and that stays what it is. */
static bool range_is_out(const struct quarry_arena *a, struct quarry_frame f, u64 nr)
{
	u8 state = READ_ONCE(a->state[f.i]);

	if (nr > QUARRY_MAX_RUN)
		return false;
	if ((state & QUARRY_STATE_KIND) == QUARRY_STATE_ALLOC)
		return nr == 1ULL << quarry_state_order(state);
	return !quarry_arena_check_run(a, f, nr);
}

/*
 * What is done to the frames of a block or run, from @keep on, before they are free. They are
 * ours. Are they zeros then? Without the zone's lock.
 */
static bool range_treat(struct quarry_pool *pool, struct quarry_page_arena *c,
			struct quarry_frame f, u64 nr, u64 keep)
{
	bool zero = want_init_on_free();
	u64 i;

	for (i = keep; zero && i < nr; i++)
		clear_page(page_address(quarry_page_arena_page(c, f) + i));
	if (unlikely(READ_ONCE(pool->modes)) && quarry_guard_pages_in(pool, c, f, nr, keep))
		zero = false;
	return zero;
}

/*
 * Give a run back from @keep on. What goes is its client's no more before anything is done to
 * it, so of two who free it one is told. Under the zone's lock, which is let go meanwhile.
 */
static void give_tail(struct quarry_zone *z, struct quarry_page_arena *c, struct quarry_frame f,
		      u64 nr, u64 keep, unsigned long *flags)
{
	struct quarry_frame tail = { f.i + keep };
	bool zero = false;

	if (keep)
		quarry_buddy_split_run(&z->buddy, &c->arena, f, nr, keep);
	quarry_arena_take_run(&c->arena, tail, nr - keep);
	if (c->span && (want_init_on_free() || READ_ONCE(z->pool->modes))) {
		quarry_zone_unlock(z, *flags);
		zero = range_treat(z->pool, c, f, nr, keep);
		quarry_zone_lock(z, flags);
	}
	if (c->span)
		quarry_shadow_pages_free(quarry_page_arena_page(c, tail), nr - keep);
	quarry_buddy_free_run(&z->buddy, &c->arena, tail, nr - keep, zero);
}

/* Free the run from @keep on; everything if that is 0. */
static int range_give_back(struct quarry_pool *pool, phys_addr_t at, u64 bytes, u64 keep)
{
	struct quarry_buddy *buddy;
	u64 nr = bytes >> PAGE_SHIFT;
	enum quarry_error kind = QUARRY_ERR_FOREIGN;
	struct quarry_frame f = {};
	struct quarry_page_arena *c;
	struct quarry_zone *z = NULL;
	unsigned long flags;
	int err = -EINVAL;

	rcu_read_lock();
	c = find_arena(pool, PHYS_PFN(at));
	buddy = c ? READ_ONCE(c->buddy) : NULL;
	if (!buddy) {
		c = NULL;
		goto out;
	}
	f.i = PHYS_PFN(at) - c->arena.base;
	z = quarry_buddy_zone(buddy);
	kind = QUARRY_ERR_WRONG_POOL;
	if (z->pool != pool)
		goto out;
	kind = QUARRY_ERR_BAD_ARGUMENT;
	if (!PAGE_ALIGNED(at) || !PAGE_ALIGNED(bytes) || !nr)
		goto out;
	quarry_zone_lock(z, &flags);
	if (keep == nr ? !range_is_out(&c->arena, f, nr) : !range_is_run(&c->arena, f, nr, keep)) {
		kind = quarry_misuse_kind(c, f);
	} else {
		err = 0;
		if (keep != nr)
			give_tail(z, c, f, nr, keep, &flags);
	}
	quarry_zone_unlock(z, flags);
out:
	if (err)
		quarry_misuse(pool, kind, c, f, nr);
	rcu_read_unlock();
	if (err)
		return err;
	quarry_count_add(pool, QUARRY_COUNT_RUN_FREE_FRAMES, nr - keep);
	quarry_wake_waiters(pool);
	return 0;
}

/**
 * quarry_free_range() - give a run back
 * @pool:	the pool it came from
 * @at:		its physical address
 * @bytes:	its length, as allocated or as last trimmed
 *
 * Context: any but NMI.
 *
 * Return: 0, or -EINVAL for anything that is not such a run of @pool: it is counted
 * and reported, and nothing else happens.
 */
int quarry_free_range(struct quarry_pool *pool, phys_addr_t at, u64 bytes)
{
	int err = range_give_back(pool, at, bytes, 0);

	if (!err)
		quarry_count(pool, QUARRY_COUNT_RUN_FREES);
	return err;
}
EXPORT_SYMBOL_NS_GPL(quarry_free_range, QUARRY_NS);

/**
 * quarry_trim() - give back the tail of a block or run
 * @pool:	the pool it came from
 * @at:		its physical address
 * @bytes:	its length
 * @keep:	bytes to keep at its front, a multiple of PAGE_SIZE, 1 page to @bytes
 *
 * What is kept is to be given back with quarry_free_range(@pool, @at, @keep), also
 * if it was a block of quarry_alloc_pages() (unless @keep is all of it).
 *
 * Context: any but NMI. Return: 0 or -EINVAL, as quarry_free_range().
 */
int quarry_trim(struct quarry_pool *pool, phys_addr_t at, u64 bytes, u64 keep)
{
	if (!keep || keep > bytes || !PAGE_ALIGNED(keep)) {
		quarry_misuse(pool, QUARRY_ERR_BAD_ARGUMENT, NULL,
			      (struct quarry_frame){}, keep >> PAGE_SHIFT);
		return -EINVAL;
	}
	return range_give_back(pool, at, bytes, keep >> PAGE_SHIFT);
}
EXPORT_SYMBOL_NS_GPL(quarry_trim, QUARRY_NS);

/**
 * quarry_alloc_pages_exact() - allocate just enough pages for a size
 * @pool:	the pool
 * @size:	bytes, above 0; rounded up to whole pages
 * @gfp:	as for alloc_pages()
 *
 * Context: as @gfp says; not NMI. Return: the virtual address, or NULL.
 */
void *quarry_alloc_pages_exact(struct quarry_pool *pool, size_t size, gfp_t gfp)
{
	struct quarry_range r = { .bytes = PAGE_ALIGN(size), .gfp = gfp };
	phys_addr_t at;

	return quarry_alloc_range(pool, &r, &at) ? NULL : phys_to_virt(at);
}
EXPORT_SYMBOL_NS_GPL(quarry_alloc_pages_exact, QUARRY_NS);

/**
 * quarry_free_pages_exact() - give back what quarry_alloc_pages_exact() gave
 * @pool:	the pool
 * @virt:	its address; NULL does nothing
 * @size:	the size it was allocated with
 *
 * Context: any but NMI.
 */
void quarry_free_pages_exact(struct quarry_pool *pool, void *virt, size_t size)
{
	if (!virt)
		return;
	if (virt_addr_valid(virt))
		quarry_free_range(pool, virt_to_phys(virt), PAGE_ALIGN(size));
	else
		quarry_misuse(pool, QUARRY_ERR_FOREIGN, NULL, (struct quarry_frame){},
			      PFN_UP(size));
}
EXPORT_SYMBOL_NS_GPL(quarry_free_pages_exact, QUARRY_NS);

/**
 * quarry_pool_add_range() - let a pool manage memory that the caller owns
 * @pool:	the pool; the cap does not count this memory's arrival, but counts it
 * @start:	physical address, a multiple of PAGE_SIZE
 * @bytes:	length, a multiple of PAGE_SIZE
 * @flags:	QUARRY_ADD_PAGES if every frame has a struct page with one reference,
 *		held by the caller; else it is only ever handed out by
 *		quarry_alloc_range() with QUARRY_RANGE_DEVICE. QUARRY_ADD_ZERO if it
 *		holds zeros.
 *
 * The memory is the caller's again after quarry_pool_remove_range() or
 * quarry_pool_destroy(). Blocks of it are aligned in physical addresses and reach
 * order 18. It serves from its beginning on while the rest is still joining, 128 MiB at
 * a time. Two ranges side by side stay two: no block or run lies over their border, so what
 * is to serve such ones is to be added as one. Context: sleeps.
 *
 * Return: 0; -EINVAL for an empty or misaligned range, one of 16 TiB less 2 MiB or more
 * (add it in parts), unknown flags, or frames without struct page; -EBUSY for pages
 * somebody else refers to, or that are in use; -EEXIST if part of it is in this or another
 * pool already; -ENOMEM.
 */
int quarry_pool_add_range(struct quarry_pool *pool, phys_addr_t start, u64 bytes,
			  unsigned int flags)
{
	bool pages = flags & QUARRY_ADD_PAGES;
	u64 nr = bytes >> PAGE_SHIFT;
	struct quarry_page_arena *c;
	struct quarry_zone *z = NULL;
	int err;

	if (!nr || !PAGE_ALIGNED(start) || !PAGE_ALIGNED(bytes) || start + bytes < start ||
	    nr >= U32_MAX - QUARRY_AREA_FRAMES ||
	    flags & ~(QUARRY_ADD_PAGES | QUARRY_ADD_ZERO))
		return -EINVAL;
	c = quarry_page_arena_wrap(PHYS_PFN(start), nr,
				   pages ? QUARRY_ARENA_PAGES : QUARRY_ARENA_DEVICE,
				   flags & QUARRY_ADD_ZERO);
	if (IS_ERR(c))
		return PTR_ERR(c);
	z = pages ? pool->zone[quarry_page_arena_node(c)] : quarry_device_zone(pool);
	if (!z) {
		/* The pool is bound to another node. */
		quarry_page_arena_undo(c);
		return -EINVAL;
	}
	atomic64_add(nr, &pool->managed);
	err = add_arena(z, c);
	if (err) {
		atomic64_sub(nr, &pool->managed);
		quarry_page_arena_undo(c);
	}
	return err;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_add_range, QUARRY_NS);

/* The range that was added to a pool there, and its zone; or NULL. Under add_mutex. */
static struct quarry_page_arena *range_at(struct quarry_pool *pool, unsigned long pfn,
					  struct quarry_zone **zone)
{
	struct quarry_page_arena *c = NULL;
	struct quarry_zone *z = NULL;
	unsigned long flags;

	while (!c && (z = quarry_zone_next(pool, z))) {
		*zone = z;
		raw_spin_lock_irqsave(&z->lock, flags);
		c = quarry_zone_arena(z, pfn, pfn + 1, false);
		if (c && (c->pfn != pfn || c->kind == QUARRY_ARENA_KERNEL))
			c = NULL;
		raw_spin_unlock_irqrestore(&z->lock, flags);
	}
	return c;
}

/**
 * quarry_pool_remove_range() - take a range back from a pool
 * @pool:	the pool
 * @start:	where it begins, as it was added
 *
 * Context: sleeps.
 *
 * Return: 0; -ENOENT if no range was added there; -EBUSY if a frame of it is out;
 * -EUCLEAN if a page of it has references that nobody may hold: it stays out of
 * service.
 */
int quarry_pool_remove_range(struct quarry_pool *pool, phys_addr_t start)
{
	struct quarry_zone *z = NULL;
	struct quarry_page_arena *c;
	int err = -ENOENT;

	/* Neither lists nor caches keep what nobody uses. */
	quarry_pool_drain(pool);
	mutex_lock(&add_mutex);
	c = range_at(pool, PHYS_PFN(start), &z);
	if (c) {
		/* What was freed in NMI is in nobody's hands either. */
		quarry_zone_settle(z);
		err = quarry_zone_take_out(z, c);
	}
	if (!err)
		err = quarry_zone_discard(z, c);
	mutex_unlock(&add_mutex);
	return err;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_remove_range, QUARRY_NS);
