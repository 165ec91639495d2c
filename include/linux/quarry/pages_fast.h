/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast path of pages, compiled into the modules that use quarry.
 *
 * With a constant order, taking a page from this CPU's list and putting one back
 * are some twenty and thirty instructions: less than half of that is the work, the
 * rest would be calls and looking up what the compiler knows already. So these two
 * are inline, as kmalloc() is for a constant size. Everything out of the ordinary
 * is left to quarry_alloc_slow() and quarry_free_slow().
 *
 * What stands here is private: include <linux/quarry.h> and use what is there. A
 * module built against other definitions than those of the quarry that is loaded is
 * refused by the kernel (CONFIG_MODVERSIONS).
 *
 * Theory: module/pages/pcp.c for the lists, module/arena/directory.c for the
 * directory, module/buddy/buddy.h for the state bytes.
 */
#ifndef _LINUX_QUARRY_PAGES_FAST_H
#define _LINUX_QUARRY_PAGES_FAST_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/quarry/shadow.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>

struct quarry_page_arena;

/* States of a block that is on a list and in a client's hands; | order. */
#define QUARRY_STATE_PCP	0x40
#define QUARRY_STATE_ALLOC	0x80

/* Orders that have lists: those of the kernel's page allocator. */
#define QUARRY_PCP_ORDERS	(const_ilog2(MAX_ORDER_NR_PAGES) + 1)

/*
 * References of each page that are quarry's beside the client's. Many, so that whoever drops
 * one that he does not have cannot free the page, however often he does
 * (module/arena/page_arena.c).
 */
#define QUARRY_PAGE_OURS	BIT(28)

/* An entry for every 4 MiB of physical memory. */
#define QUARRY_DIRECTORY_SHIFT	10

/*
 * Flags that ask for more than the fast path does. __GFP_HIGHMEM only allows what we do
 * not do, so it costs nothing.
 */
#define QUARRY_GFP_SLOW	(__GFP_ZERO | __GFP_THISNODE | __GFP_COMP | __GFP_ACCOUNT | \
			 __GFP_MOVABLE | __GFP_RECLAIMABLE | __GFP_DMA | __GFP_DMA32)

/**
 * struct quarry_slot - a block on a per-CPU list
 * @page:	its first page
 * @state:	its state byte, so that a pop need not look the page up
 */
struct quarry_slot {
	struct page *page;
	u8 *state;
};

/**
 * struct quarry_list - blocks of one order on one CPU; the last in is first out
 * @top:	after the newest block. Before the first stands a slot whose state is never that
 *		of a block, so that a pop need not ask whether there is one
 * @end:	where @top may go; its lower half, which tells it from all others
 * @left:	frees that may come before somebody looks; below 0 for a moment
 * @rank:	blocks from places above this go back to the zone
 */
struct quarry_list {
	struct quarry_slot *top;
	u32 end;
	s16 left;
	u16 rank;
};

/**
 * struct quarry_lists - the lists of one CPU
 * @key:	of the zone whose blocks they hold: the nearest one
 * @busy:	they are being changed; guards @list
 * @list:	by order
 */
struct quarry_lists {
	u64 key;
	u8 busy;
	struct quarry_list list[QUARRY_PCP_ORDERS];
};

/* How every struct quarry_pool begins. */
struct quarry_pool_head {
	struct quarry_lists __percpu *lists;
};

/**
 * struct quarry_directory_entry - what lies in 4 MiB of physical memory
 * @state:	if one arena fills it all: its state bytes, so placed that the
 *		number of a frame leads to its byte
 * @key:	of the zone that the same arena's frames belong to, plus the place that they
 *		are in (module/buddy/buddy.h); else 0, and @state means nothing
 * @arena:	the lowest arena that has a frame here, or NULL
 * @unused:	a power of two of bytes is found with a shift
 */
struct quarry_directory_entry {
	u8 *state;
	u64 key;
	struct quarry_page_arena *arena;
	void *unused;
};

/* What stands before the first entry of the directory; as large as an entry. */
struct quarry_directory {
	unsigned long unused[3];
	unsigned long bytes;	/* of the entries */
};

/* The entries; with nothing before them in the addressing, a look-up is two instructions less. */
extern struct quarry_directory_entry *quarry_directory_entries;

struct page *quarry_alloc_slow(struct quarry_pool *pool, gfp_t gfp,
			       unsigned int order, int node);
void quarry_free_slow(struct quarry_pool *pool, struct page *page, unsigned int order);

/*
 * might_alloc(), where somebody listens: lockdep, or whoever looks for sleeping in atomic
 * context. Elsewhere it would be a call to cond_resched() (PREEMPT_VOLUNTARY), which is
 * long for us.
 */
static __always_inline void quarry_might_alloc(gfp_t gfp)
{
	if (IS_ENABLED(CONFIG_PROVE_LOCKING) || IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		might_alloc(gfp);
}

/*
 * The number of a page's frame; a huge number for what cannot be a struct page.
 * Rotating, not shifting, makes a pointer into the middle of one huge as well, at
 * no cost.
 */
static __always_inline unsigned long quarry_page_pfn(const struct page *page)
{
#ifdef CONFIG_SPARSEMEM_VMEMMAP
	if (is_power_of_2(sizeof(struct page)))
		return ror64((unsigned long)page - (unsigned long)vmemmap,
			     ilog2(sizeof(struct page)));
#endif
	return page == pfn_to_page(page_to_pfn(page)) ? page_to_pfn(page) : ULONG_MAX;
}

/*
 * The directory's entry of a frame; false if there is no such memory. By bytes, not by number:
 * that is a shift and a copy less. Context: preemption off, or under RCU.
 */
static __always_inline bool quarry_directory_look(unsigned long pfn,
						  struct quarry_directory_entry **entry)
{
	struct quarry_directory_entry *entries = READ_ONCE(quarry_directory_entries);
	unsigned long at = (pfn >> QUARRY_DIRECTORY_SHIFT) * sizeof(*entries);

	if (unlikely(at >= ((const struct quarry_directory *)entries)[-1].bytes))
		return false;
	*entry = (struct quarry_directory_entry *)((char *)entries + at);
	return true;
}

/* The same, or NULL. */
static __always_inline struct quarry_directory_entry *quarry_directory_entry_of(unsigned long pfn)
{
	struct quarry_directory_entry *entry;

	return quarry_directory_look(pfn, &entry) ? entry : NULL;
}

/*
 * Make the lists of this CPU ours. Preemption is off; an interrupt that lands
 * between the look and the mark has set it back by the time we go on.
 *
 * Returns false in an interrupt that has landed inside a marked section.
 */
static __always_inline bool quarry_lists_enter(struct quarry_lists *lists)
{
	if (unlikely(lists->busy))
		return false;
	lists->busy = 1;
	barrier();
	return true;
}

static __always_inline void quarry_lists_leave(struct quarry_lists *lists)
{
	barrier();
	lists->busy = 0;
}

/*
 * From PCP to ALLOC, after a look that it is. A block is on one list at most, so
 * nobody else changes it meanwhile. The barrier keeps the compiler from doing both in
 * a register: in memory it is one instruction.
 */
static __always_inline void quarry_state_out(u8 *state)
{
	barrier();
	*state ^= QUARRY_STATE_PCP ^ QUARRY_STATE_ALLOC;
}

/*
 * From ALLOC to PCP; false if it was anything else. Atomic, so that of two CPUs
 * that free the same block one is told.
 */
static __always_inline bool quarry_state_put(u8 *state, unsigned int order)
{
	u8 was = QUARRY_STATE_ALLOC | (order & 0xff);

	return likely(try_cmpxchg(state, &was, QUARRY_STATE_PCP | (order & 0xff)));
}

/* A slot as struct quarry_list.end has it. */
static __always_inline u32 quarry_list_at(const struct quarry_slot *slot)
{
	return (u32)(unsigned long)slot;
}

/*
 * Push and pop. Whoever is inside a list works on a copy of its top, for as many blocks as
 * he likes, and sets the top at last: it is what other CPUs read.
 *
 *	pop	slot = quarry_list_newest(top), if its state is that of a block; then it is the top
 *	push	unless quarry_list_is_full(), top = quarry_list_put(top, page, state)
 */

/* The slot of the newest block below @top; where there is none, that before the first. */
static __always_inline struct quarry_slot *quarry_list_newest(struct quarry_slot *top)
{
	return top - 1;
}

/* Put a block on @top, where there is room. Returns the top after it. */
static __always_inline struct quarry_slot *quarry_list_put(struct quarry_slot *top,
							   struct page *page, u8 *state)
{
	top->page = page;
	top->state = state;
	return top + 1;
}

/* No WRITE_ONCE(): behind one the loops of bulk.c are up to 23 instructions longer. */
static __always_inline void quarry_list_set_top(struct quarry_list *list,
						struct quarry_slot *top)
{
	list->top = top;
}

static __always_inline bool quarry_list_is_full(const struct quarry_list *list)
{
	return quarry_list_at(list->top) == list->end;
}

/* Pop a block if that is all there is to do, else NULL. @order has a list. */
static __always_inline struct page *quarry_pop_fast(struct quarry_pool *pool,
						    unsigned int order)
{
	struct quarry_lists *lists;
	struct quarry_slot *slot;
	struct quarry_list *list;
	struct page *page;

	preempt_disable();
	lists = this_cpu_ptr(((struct quarry_pool_head *)pool)->lists);
	if (likely(quarry_lists_enter(lists))) {
		list = &lists->list[order];
		slot = quarry_list_newest(list->top);
		if (likely(*slot->state == (u8)(QUARRY_STATE_PCP | order))) {
			quarry_state_out(slot->state);
			page = slot->page;
			/* There is one; so who asks for it need not be asked whether. */
			if (!page)
				__builtin_unreachable();
			quarry_shadow_pages_open(page, 1UL << order);
			quarry_list_set_top(list, slot);
			quarry_lists_leave(lists);
			preempt_enable();
			return page;
		}
		quarry_lists_leave(lists);
	}
	preempt_enable();
	return NULL;
}

/* Push a block if that is all there is to do, else false. Any @page, any @order. */
static __always_inline bool quarry_push_fast(struct quarry_pool *pool,
					     struct page *page, unsigned int order)
{
	unsigned long pfn = quarry_page_pfn(page);
	struct quarry_directory_entry *where;
	struct quarry_lists *lists;
	struct quarry_slot *top;
	struct quarry_list *list;
	u8 *state;

	/* An order of 64 would pass for the state of a run; a constant costs nothing. */
	if (unlikely(order >= QUARRY_PCP_ORDERS))
		return false;
	preempt_disable();
	if (unlikely(!quarry_directory_look(pfn, &where)))
		goto slow;
	lists = this_cpu_ptr(((struct quarry_pool_head *)pool)->lists);
	list = &lists->list[order];
	/* Of another zone, or of a place that is to empty. */
	if (unlikely(where->key - lists->key > list->rank))
		goto slow;
	state = where->state + pfn;
	if (unlikely(!quarry_lists_enter(lists)))
		goto slow;
	top = list->top;
	if (unlikely(quarry_list_is_full(list)))
		goto full;
	if (likely(--list->left >= 0 && quarry_state_put(state, order))) {
		quarry_shadow_pages_free(page, 1UL << order);
		quarry_list_set_top(list, quarry_list_put(top, page, state));
		quarry_lists_leave(lists);
		preempt_enable();
		return true;
	}
	/* Read anew: else the compiler keeps it, and makes more of the line above. */
	WRITE_ONCE(list->left, READ_ONCE(list->left) + 1);
full:
	quarry_lists_leave(lists);
slow:
	preempt_enable();
	return false;
}

#endif /* _LINUX_QUARRY_PAGES_FAST_H */
