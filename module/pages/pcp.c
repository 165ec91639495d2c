// SPDX-License-Identifier: GPL-2.0
/*
 * Per-CPU lists of blocks, for every order.
 *
 * Model
 *	Each CPU has a stack of blocks for each order. Allocating pops, freeing
 *	pushes; the buddy and its lock are seen once a batch:
 *
 *	   zone --refill, up to 12--> [ .... next ... newest ] <-- push, pop
 *	        <--flush, up to 4------------'^ turn
 *	        <--------- 4 together, blocks of places that are to empty (strays)
 *
 *	What goes to the zone is what has been longest on the list, about: each flush takes the
 *	blocks behind the last one, and the newest fill the gap. To close it at the bottom was to
 *	move all of a long list.
 *
 *	A slot holds the page and the address of its state byte. A block on a
 *	list is PCP there; pop turns that into ALLOC and refuses anything else,
 *	so that a block that got onto two lists by a racing double free is still
 *	handed out once.
 *
 * What keeps large blocks whole
 *	A list hands a block out again wherever it lies. Left to itself it would freeze
 *	what the buddy would pack: who frees one page and takes one, for ever, never
 *	meets the buddy at all. So a free looks at the place (buddy.h) of its block, which
 *	the directory has beside the state byte's address, for an instruction: what lies
 *	behind the rank of the list goes to the zone, which hands it out again last.
 *
 *	What the rank follows from is place.c's. One free of QUARRY_LOOK_LEAST is a sample, and
 *	fewer, down to one of QUARRY_LOOK, where all come from one place. Where blocks lie wide
 *	a list holds no more than a refill. design.md has what this costs and what else was tried.
 *
 * How much they may hold
 *	Two figures. A list has a capacity: it grows by itself, up to what its order
 *	allows (quarry_list_max()) and to a quarter of the CPU's limit, or, of whole areas, all
 *	of it. All capacities together are no more frames than the limit, the 32nd part of the
 *	pool's cap divided by the CPUs that use it. Where the limit leaves no room, the other
 *	lists lose what they do not use, and then the one that holds most frames gives blocks
 *	back. What was not needed for some seconds goes as well (drain.c).
 *
 * Statistics
 *	A push counts down the frees until the next look, and what comes from the zone is
 *	counted there, so neither a pop nor a push counts anything for its own sake:
 *
 *	  frees = granted - left	allocs = frees + moved - blocks on the list
 *
 * Invariants
 *	slots <= top <= end = slots + cap, cap <= quarry_list_max()
 *	sum of cap << order + frames of strays = capacity, which is raised only up to the limit
 *	every block on a list is of the zone of pcp->buddy
 *
 * Exclusion is by preemption off and the mark @busy: no lock and no
 * interrupts off. An interrupt or NMI that lands in a marked section goes to the
 * zone instead. Other CPUs never touch the lists of a CPU that is online: they have it
 * done by an interrupt there (drain.c, visit.c).
 *
 * Cost: a pool that a CPU never used has a quarter KiB for it, one that it did 10.8 KiB more
 * (open.c). No call takes more than a refill or gives more than a batch and its own block (see
 * page.longest of the benchmark).
 */
#include <linux/string.h>

#include "../arena/directory.h"
#include "misuse.h"
#include "pcp.h"

/* What gives blocks to the zone has room for either. */
static_assert(QUARRY_FLUSH <= QUARRY_PCP_STRAYS);

/* Blocks that a list gives up where another wants its capacity. */
#define STARVED		2U

/* A list takes no more than one part in so many of the limit, a refill of that. */
#define LIST_PART	4
#define REFILL_PART	16

/* What the slot before a list's first points to, and the top of lists that are closed. */
static u8 no_state = QUARRY_STATE_FREE;
static struct quarry_slot nothing = { .state = &no_state };

static_assert(QUARRY_LOOK <= S16_MAX && QUARRY_PLACES * 256 <= S16_MAX);

/*
 * The decay is to look after this CPU's lists from here on, if it does not yet; entered. Where
 * pages are to be cleared when they are freed the lists stay unwatched, so that every free
 * comes by the slow path.
 */
static void pcp_watch(struct quarry_pool *pool, struct quarry_pcp *pcp)
{
	if (likely(quarry_pcp_is_watched(pcp)))
		return;
	if (unlikely(pcp->away))
		quarry_lists_back(pool, pcp);
	if (!want_init_on_free())
		WRITE_ONCE(pcp->lists.key, pcp->buddy->key);
	quarry_decay_wake();
}

/**
 * quarry_pcp_init() - one CPU's lists, closed
 * @pcp:	zeroed
 * @buddy:	where its blocks come from
 * @home:	its number there, see quarry_buddy_claim_many()
 *
 * Context: before the pool is used.
 */
void quarry_pcp_init(struct quarry_pcp *pcp, struct quarry_buddy *buddy, u8 home)
{
	unsigned int k;

	pcp->home = home;
	pcp->buddy = buddy;
	quarry_pcp_unwatch(pcp);
	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		struct quarry_list *list = &pcp->lists.list[k];

		list->top = &nothing + 1;
		list->end = quarry_list_at(list->top);
		list->rank = QUARRY_PLACES - 1;
	}
}

/**
 * quarry_pcp_open() - give a CPU's lists their memory
 * @pcp:	this CPU's, entered; closed
 * @cold:	zeroed
 *
 * Context: any; preemption off.
 */
void quarry_pcp_open(struct quarry_pcp *pcp, struct quarry_cold *cold)
{
	unsigned int k;

	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		struct quarry_list *list = &pcp->lists.list[k];

		quarry_tally_init(&cold->part[k].tally);
		cold->part[k].span = QUARRY_LOOK_LEAST;
		cold->part[k].granted = QUARRY_LOOK_LEAST;
		list->left = QUARRY_LOOK_LEAST;
		list->top = quarry_list_slots(cold, k);
		list->top[-1] = nothing;
		list->end = quarry_list_at(list->top);
	}
	/* Whoever sees it sees the tops that lead into it. */
	smp_store_release(&pcp->cold, cold);
}

/**
 * quarry_list_calls() - calls that a list has served, ever
 * @pcp:	any CPU's; of another one a moment old
 * @order:	which list
 * @allocs:	set to the blocks it handed out
 * @frees:	set to those that it took back
 */
void quarry_list_calls(const struct quarry_pcp *pcp, unsigned int order, u64 *allocs,
		       u64 *frees)
{
	struct quarry_cold *cold = quarry_pcp_cold(pcp);

	*allocs = 0;
	*frees = 0;
	if (!cold)
		return;
	*frees = READ_ONCE(cold->part[order].granted) - READ_ONCE(pcp->lists.list[order].left);
	*allocs = *frees + READ_ONCE(cold->part[order].moved) - quarry_list_n(pcp, order);
}

static void set_cap(struct quarry_pcp *pcp, unsigned int order, u32 cap)
{
	struct quarry_cold *cold = pcp->cold;

	cold->capacity += cap << order;
	cold->capacity -= cold->part[order].cap << order;
	cold->part[order].cap = cap;
	pcp->lists.list[order].end = quarry_list_at(quarry_list_slots(cold, order) + cap);
}

static void pcp_see(struct quarry_pcp *pcp, unsigned int order)
{
	struct quarry_list_part *part = &pcp->cold->part[order];

	part->low = min_t(u32, part->low, quarry_list_n(pcp, order));
}

/**
 * quarry_pcp_drop() - a block that left a list is not what it should be
 * @pool:	the pool
 * @pcp:	this CPU's, entered, or that of a CPU that has stopped
 * @order:	which list
 *
 * What brought it there was no free, and is not one of the frees any more. Context: any.
 */
void quarry_pcp_drop(struct quarry_pool *pool, struct quarry_pcp *pcp, unsigned int order)
{
	pcp->cold->part[order].granted--;
	quarry_misuse_deferred(pool);
}

/* A block of @c from a list to the buddy. Under the zone's lock. False if it is none. */
static bool pcp_give(struct quarry_pcp *pcp, struct quarry_page_arena *c,
		     const struct quarry_slot *slot, unsigned int order)
{
	u8 state = READ_ONCE(*slot->state);
	struct quarry_frame f;

	if (!c || (state & ~QUARRY_STATE_ZERO) != (QUARRY_STATE_PCP | order))
		return false;
	f.i = slot->state - c->arena.state;
	quarry_buddy_free(pcp->buddy, &c->arena, f, order, state & QUARRY_STATE_ZERO);
	return true;
}

/* A stray is not what it should be: its free was none, see quarry_pcp_drop(). */
static void drop_stray(struct quarry_pool *pool, unsigned int order)
{
	quarry_count_add(pool, QUARRY_COUNT_DIRECT_FREES + order, -1);
	quarry_misuse_deferred(pool);
}

/*
 * Give @nr blocks to the buddy under one hold of its lock, no more than QUARRY_PCP_STRAYS:
 * of a list, whose order is @order, or strays, each of that in @strays. Returns how many were
 * given, for some may be dropped; negative in NMI if the zone is locked.
 */
static int give_all(struct quarry_pool *pool, struct quarry_pcp *pcp,
		    const struct quarry_slot *slots, unsigned int nr, unsigned int order,
		    const u8 *strays)
{
	struct quarry_zone *z = quarry_buddy_zone(pcp->buddy);
	struct quarry_page_arena *arenas[QUARRY_PCP_STRAYS];
	unsigned long flags;
	unsigned int i;
	int given = 0;

	/* What can be done without the lock is. */
	for (i = 0; i < nr; i++)
		arenas[i] = quarry_directory_find(slots[i].page);
	if (!quarry_zone_lock(z, &flags))
		return -EBUSY;
	for (i = 0; i < nr; i++) {
		if (pcp_give(pcp, arenas[i], &slots[i], strays ? strays[i] : order))
			given++;
		else if (strays)
			drop_stray(pool, strays[i]);
		else
			quarry_pcp_drop(pool, pcp, order);
	}
	quarry_zone_unlock(z, flags);
	quarry_count(pool, QUARRY_COUNT_FLUSHES);
	return given;
}

/**
 * quarry_pcp_flush_list() - give the blocks of a list whose turn it is to the buddy
 * @pool:	the pool
 * @pcp:	this CPU's, entered, or that of a CPU that has stopped
 * @order:	which list
 * @nr:		how many; QUARRY_FLUSH at most
 *
 * Context: any; preemption off. Return: blocks given; 0 also in NMI if the zone is locked.
 */
unsigned int quarry_pcp_flush_list(struct quarry_pool *pool, struct quarry_pcp *pcp,
				   unsigned int order, unsigned int nr)
{
	u32 n = quarry_list_n(pcp, order), at, above;
	struct quarry_list_part *part;
	struct quarry_slot *slots;
	int given;

	nr = min3(nr, n, QUARRY_FLUSH);
	if (!nr)
		return 0;
	part = &pcp->cold->part[order];
	at = quarry_choose_turn(part->turn, nr, n);
	slots = quarry_list_slots(pcp->cold, order);
	given = give_all(pool, pcp, slots + at, nr, order, NULL);
	if (given < 0)
		return 0;
	above = min(nr, n - at - nr);
	memcpy(slots + at, slots + n - above, above * sizeof(*slots));
	quarry_list_set_top(&pcp->lists.list[order], slots + n - nr);
	part->turn = at + nr;
	part->moved -= given;
	pcp_see(pcp, order);
	return nr;
}

static u32 stray_frames(const struct quarry_cold *cold)
{
	u32 frames = 0;
	unsigned int i;

	for (i = 0; i < cold->nr_strays; i++)
		frames += 1U << cold->stray_order[i];
	return frames;
}

/**
 * quarry_pcp_flush_strays() - give the strays to the buddy
 * @pool:	the pool
 * @pcp:	this CPU's, entered, or that of a CPU that has stopped
 *
 * Context: any; preemption off. Return: frames given; 0 also in NMI if the zone is locked.
 */
unsigned int quarry_pcp_flush_strays(struct quarry_pool *pool, struct quarry_pcp *pcp)
{
	struct quarry_cold *cold = pcp->cold;
	unsigned int frames;

	if (!cold || !cold->nr_strays ||
	    give_all(pool, pcp, cold->strays, cold->nr_strays, 0, cold->stray_order) < 0)
		return 0;
	frames = stray_frames(cold);
	cold->capacity -= frames;
	WRITE_ONCE(cold->nr_strays, 0);
	return frames;
}

/*
 * What others do not use of their capacity is free for who needs it. Returns which of them
 * has most frames; @order if none has any.
 */
static unsigned int narrow_others(struct quarry_pcp *pcp, unsigned int order)
{
	struct quarry_cold *cold = pcp->cold;
	unsigned int k, fattest = order;
	u32 room, most = 0;

	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		struct quarry_list *list = &pcp->lists.list[k];

		if (k == order)
			continue;
		room = quarry_list_room(list);
		cold->part[k].cap -= room;
		cold->capacity -= room << k;
		list->end = quarry_list_at(list->top);
		if (cold->part[k].cap << k > most) {
			most = cold->part[k].cap << k;
			fattest = k;
		}
	}
	return fattest;
}

/*
 * Take @nr blocks, and their capacity, from the list that narrow_others() has found, or all
 * strays if these have more frames.
 */
static void pcp_starve(struct quarry_pool *pool, struct quarry_pcp *pcp, unsigned int order,
		       unsigned int fattest, unsigned int nr)
{
	if (fattest == order ||
	    stray_frames(pcp->cold) >= pcp->cold->part[fattest].cap << fattest) {
		quarry_pcp_flush_strays(pool, pcp);
		return;
	}
	quarry_pcp_flush_list(pool, pcp, fattest, nr);
	set_cap(pcp, fattest, quarry_list_n(pcp, fattest));
}

/* Most blocks that a list may hold, of what the pool allows a CPU; 0 if not even one. */
static u32 cap_max(const struct quarry_pool *pool, const struct quarry_pcp *pcp,
		   unsigned int order)
{
	u32 limit = READ_ONCE(pool->list_limit) >> order, most = quarry_list_max(order);

	if (quarry_tally_is_wide(&pcp->cold->part[order].tally))
		most = min(most, QUARRY_REFILL);
	/* A whole area on a list is whole still: nothing is broken for it. */
	if (order >= QUARRY_AREA_ORDER)
		return min(limit, most);
	return min(max(limit / LIST_PART, min(limit, 1U)), most);
}

static bool is_too_large(const struct quarry_pool *pool, const struct quarry_pcp *pcp,
			 unsigned int order)
{
	return pcp->cold->part[order].cap > cap_max(pool, pcp, order);
}

/**
 * quarry_pcp_fit() - come nearer to the limit with lists that hold more
 * @pool:	the pool
 * @pcp:	this CPU's, entered and open, or that of a CPU that has stopped
 *
 * What the lists do not use of their capacity goes, and if that is not enough a batch of the
 * list that holds most. Context: any; preemption off.
 *
 * Return: true if they hold no more than they may.
 */
bool quarry_pcp_fit(struct quarry_pool *pool, struct quarry_pcp *pcp)
{
	unsigned int fattest;

	if (!quarry_pcp_is_over(pool, pcp))
		return true;
	fattest = narrow_others(pcp, QUARRY_DRAIN_ALL);
	if (quarry_pcp_is_over(pool, pcp))
		pcp_starve(pool, pcp, QUARRY_DRAIN_ALL, fattest, QUARRY_FLUSH);
	return !quarry_pcp_is_over(pool, pcp);
}

/* May a list hold one block more than it does? Raises its capacity for it if it is full. */
static bool has_place(struct quarry_pool *pool, struct quarry_pcp *pcp, unsigned int order)
{
	u32 limit = READ_ONCE(pool->list_limit), cap = pcp->cold->part[order].cap;
	struct quarry_list *list = &pcp->lists.list[order];

	if (!quarry_list_is_full(list))
		return true;
	if (cap >= cap_max(pool, pcp, order) || pcp->cold->capacity + (1U << order) > limit)
		return false;
	set_cap(pcp, order, cap + 1);
	return true;
}

/* A batch of a list that is too large goes, and as much of its capacity. */
static void shorten(struct quarry_pool *pool, struct quarry_pcp *pcp, unsigned int order)
{
	u32 cap = pcp->cold->part[order].cap, most = cap_max(pool, pcp, order), n;

	quarry_pcp_flush_list(pool, pcp, order, QUARRY_FLUSH);
	n = quarry_list_n(pcp, order);
	/* What is freed takes the room of one that went, but where not even one may stay. */
	set_cap(pcp, order, most ? clamp(n + 1, most, cap) : n);
}

/*
 * Raise a list's capacity to @cap, or as far as that goes; it is never lowered here. If that
 * is nowhere, there will be room the next time: a call does one thing that takes long. Returns
 * how many blocks more the list may hold than it does.
 */
static u32 pcp_widen(struct quarry_pool *pool, struct quarry_pcp *pcp, unsigned int order, u32 cap)
{
	struct quarry_cold *cold = pcp->cold;
	struct quarry_list_part *part = &cold->part[order];
	u32 limit = READ_ONCE(pool->list_limit), more;
	struct quarry_list *list = &pcp->lists.list[order];
	unsigned int fattest = order;

	cap = min(cap, cap_max(pool, pcp, order));
	/* A block that is most of the limit does not turn all others out: they would do so too. */
	if ((1U << order) > limit / LIST_PART && cold->capacity + (1U << order) > limit)
		return quarry_list_room(list);
	if (cap > part->cap) {
		more = cap - part->cap;
		if (cold->capacity + (more << order) > limit)
			fattest = narrow_others(pcp, order);
		if (cold->capacity + (1U << order) > limit) {
			pcp_starve(pool, pcp, order, fattest, STARVED);
			return 0;
		}
		set_cap(pcp, order, part->cap + min(more, (limit - cold->capacity) >> order));
	}
	return quarry_list_room(list);
}

/* A block that was freed lies in @place. */
static void note_place(struct quarry_pcp *pcp, unsigned int order, u8 place)
{
	pcp->lists.list[order].rank = quarry_tally_note(&pcp->cold->part[order].tally, place);
}

/* Allow a list the next frees: more and more while they come from one place. */
static void pcp_grant(struct quarry_pcp *pcp, unsigned int order, u8 place)
{
	struct quarry_list_part *part = &pcp->cold->part[order];

	note_place(pcp, order, place);
	part->span = quarry_tally_is_wide(&part->tally) ? QUARRY_LOOK_LEAST :
		     min(2U * part->span, QUARRY_LOOK);
	part->granted += part->span;
	pcp->lists.list[order].left = part->span;
	pcp_see(pcp, order);
}

/**
 * quarry_pcp_regrant() - see whether a free failed for nothing but a look that was due
 * @pool:	the pool
 * @page:	what is freed
 * @order:	its order, below QUARRY_PCP_ORDERS
 *
 * That is not worth the long way. Context: any; preemption off.
 *
 * Return: true if the look was taken: the fast path is worth another try.
 */
bool quarry_pcp_regrant(struct quarry_pool *pool, const struct page *page,
			unsigned int order)
{
	struct quarry_directory_entry *where = quarry_directory_entry_of(quarry_page_pfn(page));
	struct quarry_pcp *pcp = this_cpu_ptr(pool->pcp);
	struct quarry_list *list = &pcp->lists.list[order];
	bool granted = false;
	u64 place;

	if (!where || list->left || !pcp->cold || !quarry_pcp_enter(pcp))
		return false;
	/* Inside, for the decay may just have been here, and have the key changed. */
	place = where->key - pcp->lists.key;
	if (!list->left && place <= list->rank && !is_too_large(pool, pcp, order)) {
		pcp_grant(pcp, order, place);
		granted = true;
	}
	quarry_pcp_leave(pcp);
	return granted;
}

/*
 * May a block that is none for its list wait for others that go to the zone? Lists need not
 * give up what they have for it. Not if it is large for the pool, or the limit is used up, or
 * (in NMI) the zone was locked: it had better go by itself.
 */
static bool may_wait(struct quarry_pool *pool, struct quarry_pcp *pcp, unsigned int order)
{
	u32 limit = READ_ONCE(pool->list_limit), frames = 1U << order;
	struct quarry_cold *cold = pcp->cold;

	if (frames > limit / LIST_PART)
		return false;
	/* An NMI may have found the zone locked, and left them all. */
	if (cold->nr_strays == QUARRY_PCP_STRAYS && !quarry_pcp_flush_strays(pool, pcp))
		return false;
	return cold->capacity + frames <= limit;
}

/**
 * quarry_pcp_look() - look after a list that does not take a block just so
 * @pool:	the pool
 * @pcp:	this CPU's, entered and open
 * @order:	which list
 * @place:	where the block lies that is freed
 *
 * Context: any; preemption off.
 *
 * Return: where that block goes: to the list, which has room for it then; with the strays
 * if its place is to empty; or alone, where the list may hold nothing or has given others
 * without making room. So no free gives more than one batch and its own block.
 */
enum quarry_goes quarry_pcp_look(struct quarry_pool *pool, struct quarry_pcp *pcp,
				 unsigned int order, u8 place)
{
	struct quarry_list_part *part = &pcp->cold->part[order];
	struct quarry_list *list = &pcp->lists.list[order];

	pcp_watch(pool, pcp);
	if (!list->left)
		pcp_grant(pcp, order, place);
	if (place > list->rank) {
		if (part->strays++ % QUARRY_LOOK_LEAST == 0)
			note_place(pcp, order, place);
		return may_wait(pool, pcp, order) ? QUARRY_TO_STRAYS : QUARRY_TO_ZONE;
	}
	if (is_too_large(pool, pcp, order))
		shorten(pool, pcp, order);
	else if (!quarry_list_is_full(list))
		return QUARRY_TO_LIST;
	else if (part->cap < cap_max(pool, pcp, order))
		pcp_widen(pool, pcp, order, max(2U * part->cap, QUARRY_REFILL));
	else
		quarry_pcp_flush_list(pool, pcp, order, DIV_ROUND_UP(part->cap, 2));
	return has_place(pool, pcp, order) ? QUARRY_TO_LIST : QUARRY_TO_ZONE;
}

/**
 * quarry_pcp_add_stray() - let a block wait for others that go to the zone, or go with them
 * @pool:	the pool
 * @pcp:	this CPU's, entered and open; QUARRY_TO_STRAYS was said
 * @slot:	the block, marked as on a list
 * @order:	its order
 *
 * Context: any; preemption off.
 */
void quarry_pcp_add_stray(struct quarry_pool *pool, struct quarry_pcp *pcp,
			  struct quarry_slot slot, unsigned int order)
{
	struct quarry_cold *cold = pcp->cold;
	unsigned int n = cold->nr_strays;

	cold->strays[n] = slot;
	WRITE_ONCE(cold->stray_order[n], order);
	WRITE_ONCE(cold->nr_strays, n + 1);
	cold->capacity += 1U << order;
	if (n + 1 == QUARRY_PCP_STRAYS)
		quarry_pcp_flush_strays(pool, pcp);
}

/**
 * quarry_pcp_refill() - fill an empty list from the zone
 * @pool:	the pool
 * @pcp:	this CPU's, entered and open
 * @order:	which list; it is empty
 * @asked:	set if the zone was asked, which leaves the reserve alone, whoever wants it
 *
 * Context: any; preemption off. Return: blocks that are on the list now.
 */
unsigned int quarry_pcp_refill(struct quarry_pool *pool, struct quarry_pcp *pcp,
			       unsigned int order, bool *asked)
{
	struct quarry_list *list = &pcp->lists.list[order];
	struct quarry_zone *z = quarry_buddy_zone(pcp->buddy);
	const struct quarry_want w = {
		.order = order, .kind = QUARRY_STATE_PCP, .home = pcp->home,
	};
	struct quarry_block blocks[QUARRY_REFILL];
	struct quarry_slot *top;
	unsigned int i, nr, most, want;
	unsigned long flags;

	pcp_see(pcp, order);
	/* One the first time, then twice as many: who wants few blocks keeps few from others. */
	most = clamp((READ_ONCE(pool->list_limit) >> order) / REFILL_PART, 1U, QUARRY_REFILL);
	want = clamp(2U * pcp->cold->part[order].cap, 1U, most);
	want = min(want, pcp_widen(pool, pcp, order, want));
	if (!want || !quarry_zone_lock(z, &flags))
		return 0;
	*asked = true;
	/* The reserve is not for lists: what is on them is anybody's. */
	if (!quarry_zone_may_take(z, want << order, pool->reserve))
		want = quarry_zone_may_take(z, 1U << order, pool->reserve);
	nr = want ? quarry_buddy_claim_many(&z->buddy, &w, want, blocks) : 0;
	quarry_zone_unlock(z, flags);
	top = list->top;
	/* They are ours now. The buddy lists its best fits first; pop takes the last. */
	for (i = 0; i < nr; i++) {
		struct quarry_block *block = &blocks[nr - 1 - i];
		struct quarry_page_arena *c = quarry_page_arena(block->arena);
		u8 *state = &block->arena->state[block->frame.i];

		if (block->zero)
			WRITE_ONCE(*state, QUARRY_STATE_PCP_ZERO | order);
		top = quarry_list_put(top, quarry_page_arena_page(c, block->frame), state);
	}
	quarry_list_set_top(list, top);
	pcp->cold->part[order].moved += nr;
	if (nr)
		quarry_count(pool, QUARRY_COUNT_REFILLS);
	quarry_pool_wake(pool, z);
	pcp_watch(pool, pcp);
	return nr;
}

static u64 check_slot(const struct quarry_pcp *pcp, const struct quarry_slot *slot,
		      unsigned int order)
{
	struct quarry_page_arena *c = quarry_directory_find(slot->page);

	return !c || c->buddy != pcp->buddy ||
	       &c->state[quarry_page_arena_index(c, slot->page)] != slot->state ||
	       (READ_ONCE(*slot->state) & ~QUARRY_STATE_ZERO) != (QUARRY_STATE_PCP | order);
}

static u64 check_list(const struct quarry_pcp *pcp, unsigned int order)
{
	const struct quarry_list_part *part = &pcp->cold->part[order];
	const struct quarry_list *list = &pcp->lists.list[order];
	const struct quarry_slot *slot = quarry_list_slots(pcp->cold, order);
	u64 violations;

	violations = list->left < 0 || list->rank >= QUARRY_PLACES ||
		 slot[-1].state != &no_state || part->cap > quarry_list_max(order) ||
		 list->end != quarry_list_at(slot + part->cap);
	if (list->top < slot || list->top > slot + part->cap)
		return violations + 1;
	for (; slot < list->top; slot++)
		violations += check_slot(pcp, slot, order);
	return violations;
}

/**
 * quarry_pcp_check() - check every invariant of a CPU's lists
 * @pcp:	this CPU's, entered, or that of a CPU that has stopped
 *
 * Return: broken invariants found.
 */
u64 quarry_pcp_check(struct quarry_pcp *pcp)
{
	u64 capacity = 0, violations = 0;
	unsigned int k;

	/* Either is the key's whole; nothing else may be there. */
	if (pcp->lists.key != ~pcp->buddy->key &&
	    (pcp->lists.key != pcp->buddy->key || want_init_on_free()))
		violations++;
	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		if (!pcp->cold) {
			violations += pcp->lists.list[k].top != &nothing + 1;
			continue;
		}
		violations += check_list(pcp, k);
		capacity += (u64)pcp->cold->part[k].cap << k;
	}
	for (k = 0; pcp->cold && k < pcp->cold->nr_strays; k++) {
		violations += check_slot(pcp, &pcp->cold->strays[k], pcp->cold->stray_order[k]);
		capacity += 1ULL << pcp->cold->stray_order[k];
	}
	return violations + (pcp->cold && capacity != pcp->cold->capacity);
}
