// SPDX-License-Identifier: GPL-2.0
/*
 * Per-CPU lists of blocks, for every order.
 *
 * Model
 *	Each CPU has a stack of blocks for each order. Allocating pops, freeing
 *	pushes; the buddy and its lock are seen once a batch:
 *
 *	   zone --refill, up to 16--> [ oldest ... newest ] <-- push, pop
 *	        <--flush, up to 5----
 *
 *	A slot holds the page and the address of its state byte. A block on a
 *	list is CACHED there; pop turns that into ALLOC and refuses anything else,
 *	so that a block that got onto two lists by a racing double free is still
 *	handed out once.
 *
 * Capacity
 *	What the lists of one CPU may hold is bounded in frames (limit). A list
 *	starts with no capacity. When it is found empty by an allocation or full by
 *	a free, the way there since the last batch tells what to do:
 *
 *	  straight	as many calls as steps: a batch of the client. Double it.
 *	  wandering	more than four times as many: calls that cancel out, which a
 *			short list serves about as well. Halve it.
 *
 *	A long list under wandering calls is worse than useless: blocks go from
 *	hand to hand wherever they lie, past the buddy that would put them
 *	together, until no large block is left anywhere (page.longest of the
 *	benchmark). For the same reason a full list gives up, of two old blocks each,
 *	the one with more free memory around it. When the budget is used up a list
 *	takes from the one that was least used since capacity last moved. So the
 *	memory held follows the orders in use, and idle orders hold nothing for long.
 *
 * Invariants
 *	base <= slots <= top <= end <= base + room; end - slots <= max, or a quarter
 *	more while the zone is in use by others
 *	sum of (end - slots) << order = capacity <= limit
 *	every block on a list is of the zone of pcp->lists.buddy
 *
 * Exclusion is by preemption off and the mark @busy: no lock and no
 * interrupts off. An interrupt or NMI that lands in a marked section goes to the
 * zone instead. Other CPUs never touch the lists of a CPU that is online: they have it
 * done by an interrupt there (drain.c, visit.c).
 *
 * Cost: no call moves more than a batch, so that the longest is under 3,000
 * instructions, the buddy's work included (page.longest of the benchmark).
 */
#include "../arena/directory.h"
#include "misuse.h"
#include "pcp.h"

/* Blocks that an idle list gives up at a time, where another wants its capacity. */
#define IDLE_FLUSH	1U

/* Blocks that a full list takes beyond, at a time, rather than wait for the zone. */
#define STRETCH		4U

/* What the slot before a list's first points to. */
static u8 no_state = QUARRY_STATE_FREE;

/*
 * Most blocks of an order: 1 MiB of them, and two at least. Of single pages less: they
 * come from all over the pool, and handing them out again in no order is
 * what keeps areas from emptying (page.frag of the benchmark).
 */
static u32 list_max(unsigned int order)
{
	return order ? max(256U >> order, 2U) : QUARRY_PCP_SINGLES;
}

/* Length of a list's memory: more than it may hold, so that it need not be shifted often. */
static u32 room_of(const struct quarry_list *list)
{
	return list->max + list->max / 2 + 2;
}

/**
 * quarry_pcp_init() - set up one CPU's lists
 * @pool:	the pool
 * @pcp:	zeroed
 * @buddy:	where its blocks come from
 * @home:	its number there, see quarry_buddy_claim_many()
 * @limit:	most frames they may hold
 *
 * Context: before the pool is used.
 */
void quarry_pcp_init(struct quarry_pool *pool, struct quarry_pcp *pcp,
		     struct quarry_buddy *buddy, u8 home, u64 limit)
{
	struct quarry_slot *slots = pcp->slots;
	unsigned int k;

	pcp->home = home;
	pcp->lists.buddy = buddy;
	pcp->lists.limit = limit;
	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		struct quarry_list *list = &pcp->lists.list[k];

		slots->state = &no_state;
		list->base = ++slots;
		list->slots = slots;
		list->top = slots;
		list->end = slots;
		list->max = list_max(k);
		slots += room_of(list);
	}
}

/* Calls that this list served, modulo 2^32. */
static u32 calls(const struct quarry_list *list)
{
	return list->allocs + list->frees;
}

/* How much a list was used since capacity last moved. */
static u32 unseen(const struct quarry_list *list)
{
	return calls(list) - list->seen;
}

/* How a list came to be empty or full. */
enum way { STRAIGHT, NEITHER, WANDERING };

static enum way way_of(const struct quarry_list *list)
{
	u32 n = quarry_list_n(list), nr = calls(list) - list->mark;
	u32 steps = n > list->level ? n - list->level : list->level - n;

	if (nr > 4 * steps + 4)
		return WANDERING;
	/* One or two steps may be straight by chance. */
	if (nr <= steps && steps >= min(quarry_list_cap(list) / 2, QUARRY_FLUSH))
		return STRAIGHT;
	return NEITHER;
}

/* Blocks were moved between list and zone. */
static void set_mark(struct quarry_list *list)
{
	list->mark = calls(list);
	list->level = quarry_list_n(list);
}

/* The list that was used least since capacity last moved, other than @order. */
static unsigned int idlest(struct quarry_pcp *pcp, unsigned int order)
{
	unsigned int k, found = order;
	u32 least = U32_MAX, used;

	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		struct quarry_list *list = &pcp->lists.list[k];

		used = unseen(list);
		if (k != order && quarry_list_cap(list) && used <= least) {
			least = used;
			found = k;
		}
	}
	return found;
}

/* A block of @c from a list to the buddy. Under the zone's lock. */
static void give(struct quarry_pool *pool, struct quarry_zone *z, struct quarry_chunk *c,
		 const struct quarry_slot *slot, unsigned int order)
{
	u8 state = READ_ONCE(*slot->state);
	struct quarry_frame f;

	if (!c || (state & ~QUARRY_STATE_ZERO) != (QUARRY_STATE_CACHED | order)) {
		quarry_misuse_late(pool);
		return;
	}
	f.i = slot->state - c->arena.state;
	quarry_buddy_free(&z->buddy, &c->arena, f, order, state & QUARRY_STATE_ZERO);
}

/* Move a list's blocks to the beginning of its memory. */
static void slide(struct quarry_list *list)
{
	u32 n = quarry_list_n(list), cap = quarry_list_cap(list), i;

	for (i = 0; i < n; i++) {
		list->base[i].page = READ_ONCE(list->slots[i].page);
		list->base[i].state = READ_ONCE(list->slots[i].state);
	}
	list->slots = list->base;
	list->top = list->base + n;
	list->end = list->base + cap;
}

/* How much it helps the buddy to have a block back; a moment old. */
static u32 worth_of(const struct quarry_chunk *c, const struct quarry_slot *slot)
{
	u32 f = slot->state - c->arena.state;

	return quarry_area_worth(&c->arena.areas[f / QUARRY_AREA_FRAMES]);
}

/*
 * Look up the chunks of the oldest @nr blocks. @choose: of the @nr after them, put
 * those first that the buddy can do more with.
 */
static void look_up(struct quarry_list *list, unsigned int nr, bool choose,
		    struct quarry_chunk *chunks[QUARRY_FLUSH])
{
	unsigned int i, pairs = choose ? min(nr, quarry_list_n(list) - nr) : 0;

	for (i = 0; i < nr; i++) {
		struct quarry_slot *a = &list->slots[i], *b = a + nr;
		struct quarry_chunk *other;

		chunks[i] = quarry_directory_find(a->page);
		if (i >= pairs || !chunks[i])
			continue;
		other = quarry_directory_find(b->page);
		if (other && worth_of(other, b) > worth_of(chunks[i], a)) {
			swap(*a, *b);
			chunks[i] = other;
		}
	}
}

/*
 * Give @nr old blocks of a list to the buddy, or a third as many if the rest has to be
 * moved as well: no call shall be long. @choose: which ones, as there will be some
 * left. Returns how many went.
 */
static unsigned int flush(struct quarry_pool *pool, struct quarry_pcp *pcp,
			  unsigned int order, unsigned int nr, bool choose)
{
	struct quarry_list *list = &pcp->lists.list[order];
	struct quarry_zone *z = quarry_buddy_zone(pcp->lists.buddy);
	bool sliding = list->end + nr > list->base + room_of(list);
	struct quarry_chunk *chunks[QUARRY_FLUSH];
	unsigned long flags;
	unsigned int i;

	nr = min(sliding ? DIV_ROUND_UP(nr, 3) : nr, quarry_list_n(list));
	/* What can be done without the lock is. */
	look_up(list, nr, choose && order < QUARRY_AREA_ORDER, chunks);
	if (!nr || !quarry_zone_lock(z, &flags))
		return 0;
	for (i = 0; i < nr; i++)
		give(pool, z, chunks[i], &list->slots[i], order);
	quarry_zone_unlock(z, flags);
	list->slots += nr;
	list->end += nr;
	list->slots[-1].state = &no_state;
	if (sliding)
		slide(list);
	set_mark(list);
	quarry_count(pool, QUARRY_COUNT_FLUSHES);
	return nr;
}

/* Give capacity up, down to @cap or what the list holds. */
static void narrow(struct quarry_pcp *pcp, unsigned int order, u32 cap)
{
	struct quarry_list *list = &pcp->lists.list[order];
	u32 old = quarry_list_cap(list);

	list->end = list->slots + min(old, max(cap, quarry_list_n(list)));
	pcp->lists.capacity -= (old - quarry_list_cap(list)) << order;
}

/* Take capacity from the list that was least used, if it was used less than @order's. */
static void narrow_idlest(struct quarry_pool *pool, struct quarry_pcp *pcp,
			  unsigned int order)
{
	unsigned int k, from = idlest(pcp, order);
	struct quarry_list *list = &pcp->lists.list[from];
	u32 cap = quarry_list_cap(list);

	if (from == order || unseen(list) > unseen(&pcp->lists.list[order]))
		return;
	if (quarry_list_n(list) > cap / 2)
		flush(pool, pcp, from, min(quarry_list_n(list) - cap / 2, IDLE_FLUSH), false);
	narrow(pcp, from, cap / 2);
	for (k = 0; k < QUARRY_PCP_ORDERS; k++)
		pcp->lists.list[k].seen = calls(&pcp->lists.list[k]);
}

/* Double a list's capacity, or as much of that as there is. False if nothing. */
static bool widen(struct quarry_pool *pool, struct quarry_pcp *pcp, unsigned int order)
{
	struct quarry_list *list = &pcp->lists.list[order];
	u32 cap = quarry_list_cap(list);
	u32 more = cap < list->max ? clamp_t(u32, cap * 2, 1, list->max) - cap : 0;

	if (!more || 1U << order > pcp->lists.limit)
		return false;
	if (pcp->lists.capacity + (more << order) > pcp->lists.limit)
		narrow_idlest(pool, pcp, order);
	more = min(more, (pcp->lists.limit - pcp->lists.capacity) >> order);
	list->end += more;
	if (list->end > list->base + room_of(list))
		slide(list);
	pcp->lists.capacity += more << order;
	return more;
}

/* Most blocks of a list that had to wait for the zone. */
static u32 stretched_max(const struct quarry_list *list)
{
	return list->max + list->max / 4;
}

/* Room for a few blocks more than there should be, or false. */
static bool stretch(struct quarry_pcp *pcp, unsigned int order)
{
	struct quarry_list *list = &pcp->lists.list[order];
	u32 cap = quarry_list_cap(list), more = min(STRETCH, stretched_max(list) - cap);

	if (cap < list->max)
		return false;
	more = min(more, (pcp->lists.limit - pcp->lists.capacity) >> order);
	list->end += more;
	if (list->end > list->base + room_of(list))
		slide(list);
	pcp->lists.capacity += more << order;
	return more;
}

/**
 * quarry_pcp_refill() - fill an empty list from the zone
 * @pool:	the pool
 * @pcp:	this CPU's, entered
 * @order:	which list; it is empty
 *
 * Context: any; preemption off.
 *
 * Return: true if there is a block on the list now. It may be one more than the
 * list's capacity when that is 0; the caller takes it off at once.
 */
bool quarry_pcp_refill(struct quarry_pool *pool, struct quarry_pcp *pcp,
		       unsigned int order)
{
	struct quarry_list *list = &pcp->lists.list[order];
	struct quarry_zone *z = quarry_buddy_zone(pcp->lists.buddy);
	const struct quarry_want w = {
		.order = order, .kind = QUARRY_STATE_CACHED, .home = pcp->home,
	};
	struct quarry_block blocks[QUARRY_REFILL];
	enum way way = way_of(list);
	unsigned int i, nr, want;
	unsigned long flags;

	if (way == STRAIGHT)
		widen(pool, pcp, order);
	else if (way == WANDERING)
		narrow(pcp, order, max(quarry_list_cap(list) / 2, 1U));
	/* It is empty: all of its memory is there for what comes. */
	slide(list);
	want = clamp(quarry_list_cap(list) / 2, 1U, max(QUARRY_REFILL >> order, 2U));
	if (!quarry_zone_lock(z, &flags))
		return false;
	/* The reserve is not for lists: what is on them is anybody's. */
	if (!quarry_zone_may_take(z, want << order, pool->reserve))
		want = quarry_zone_may_take(z, 1U << order, pool->reserve);
	nr = want ? quarry_buddy_claim_many(&z->buddy, &w, want, blocks) : 0;
	quarry_zone_unlock(z, flags);
	/* They are ours now. The buddy lists its best fits first; pop takes the last. */
	for (i = 0; i < nr; i++) {
		struct quarry_block *block = &blocks[nr - 1 - i];
		struct quarry_chunk *c = quarry_arena_chunk(block->arena);
		u8 *state = &block->arena->state[block->frame.i];

		if (block->zero)
			WRITE_ONCE(*state, QUARRY_STATE_CACHED_ZERO | order);
		list->slots[i].page = quarry_chunk_page(c, block->frame);
		list->slots[i].state = state;
	}
	list->top = list->slots + nr;
	set_mark(list);
	if (nr)
		quarry_count(pool, QUARRY_COUNT_REFILLS);
	quarry_pool_kick(pool, z);
	quarry_decay_kick();
	return nr;
}

/**
 * quarry_pcp_room() - make room on a full list
 * @pool:	the pool
 * @pcp:	this CPU's, entered
 * @order:	which list
 *
 * Afterwards n < cap, unless the list has no capacity or (in NMI) the zone was
 * locked. Context: any; preemption off.
 */
void quarry_pcp_room(struct quarry_pool *pool, struct quarry_pcp *pcp,
		     unsigned int order)
{
	struct quarry_list *list = &pcp->lists.list[order];
	enum way way = way_of(list);

	quarry_decay_kick();
	if ((way == STRAIGHT || !quarry_list_cap(list)) && widen(pool, pcp, order))
		return;
	if (raw_spin_is_locked(&quarry_buddy_zone(pcp->lists.buddy)->lock) &&
	    stretch(pcp, order))
		return;
	flush(pool, pcp, order, clamp(quarry_list_cap(list) / 2, 1U, QUARRY_FLUSH), true);
	narrow(pcp, order, max(way == WANDERING ? quarry_list_cap(list) / 2 : list->max,
			       quarry_list_n(list) + 1));
}

/**
 * quarry_pcp_give() - give old blocks of a list to the buddy
 * @pool:	the pool
 * @pcp:	this CPU's, entered, or that of a CPU that has stopped
 * @order:	which list
 *
 * Context: any; preemption off. Return: blocks given, at most QUARRY_FLUSH; 0 also in NMI if
 * the zone is locked.
 */
unsigned int quarry_pcp_give(struct quarry_pool *pool, struct quarry_pcp *pcp,
			     unsigned int order)
{
	return flush(pool, pcp, order, QUARRY_FLUSH, false);
}

/**
 * quarry_pcp_check() - check every invariant of a CPU's lists
 * @pcp:	this CPU's, entered, or that of a CPU that has stopped
 *
 * Return: broken invariants found.
 */
u64 quarry_pcp_check(struct quarry_pcp *pcp)
{
	u64 capacity = 0, faults = 0;
	unsigned int k, i;

	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		const struct quarry_list *list = &pcp->lists.list[k];

		capacity += (u64)quarry_list_cap(list) << k;
		faults += list->top > list->end || list->slots < list->base ||
			  list->end > list->base + room_of(list) ||
			  quarry_list_cap(list) > stretched_max(list) ||
			  list->slots[-1].state != &no_state;
		for (i = 0; i < quarry_list_n(list); i++) {
			const struct quarry_slot *slot = &list->slots[i];
			struct quarry_chunk *c = quarry_directory_find(slot->page);

			faults += !c || c->buddy != pcp->lists.buddy ||
				  &c->state[quarry_chunk_index(c, slot->page)] != slot->state ||
				  (READ_ONCE(*slot->state) & ~QUARRY_STATE_ZERO) !=
				  (QUARRY_STATE_CACHED | k);
		}
	}
	return faults + (capacity != pcp->lists.capacity || capacity > pcp->lists.limit);
}
