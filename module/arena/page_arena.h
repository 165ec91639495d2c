/* SPDX-License-Identifier: GPL-2.0 */
/* An arena with the memory behind it. See page_arena.c. */
#ifndef QUARRY_PAGE_ARENA_H
#define QUARRY_PAGE_ARENA_H

#include <linux/gfp.h>
#include <linux/mm_types.h>
#include <linux/quarry.h>
#include <linux/rbtree.h>

#include "../buddy/buddy.h"

/* References of a page that rests in a pool: the kernel's one and ours. */
#define QUARRY_PAGE_REFS	((int)QUARRY_PAGE_OURS + 1)

/* Smallest block worth the cost of describing it. */
#define QUARRY_ARENA_MIN_ORDER	3

enum quarry_page_arena_kind {
	QUARRY_ARENA_KERNEL,	/* a block of the kernel's page allocator */
	QUARRY_ARENA_PAGES,	/* a range the caller owns, with struct pages */
	QUARRY_ARENA_DEVICE,	/* a range the caller owns, without */
};

struct quarry_page_table;

/**
 * struct quarry_page_arena - an arena with its memory
 * @page:	its first struct page; NULL for device memory
 * @span:	struct pages; 0 for device memory
 * @state:	arena.state + arena.lo, so that a page's number leads to its state
 * @buddy:	whose its frames are, for those who look without a lock; NULL while they
 *		are nobody's
 * @next:	the next arena in the directory's entry
 * @node:	in the tree of its zone
 * @arena:	the description
 * @pfn:	first frame
 * @nr:		frames
 * @id:		its number in the pool, for people
 * @kind:	where the memory came from
 * @order:	of the kernel's block
 * @zero:	the memory arrived as zeros
 * @torn:	retired: references are missing of a page of it
 * @metadata_bytes: what the description costs
 * @rcu:	to let readers of the directory go
 * @table:	of the layer above: what it knows of each frame; or NULL. Goes with the arena
 */
struct quarry_page_arena {
	struct page *page;
	unsigned long span;
	u8 *state;
	struct quarry_buddy *buddy;
	struct quarry_page_arena *next;
	struct rb_node node;
	struct quarry_arena arena;
	unsigned long pfn;
	u32 nr;
	u32 id;
	u8 kind;
	u8 order;
	bool zero;
	bool torn;
	size_t metadata_bytes;
	struct rcu_head rcu;
	struct quarry_page_table *table;
};

static inline struct quarry_page_arena *quarry_page_arena(const struct quarry_arena *a)
{
	return container_of(a, struct quarry_page_arena, arena);
}

static inline struct page *quarry_page_arena_page(const struct quarry_page_arena *c,
						  struct quarry_frame f)
{
	return c->page + (f.i - c->arena.lo);
}

int quarry_page_arenas_init(void);
void quarry_page_arenas_exit(void);
struct quarry_page_arena *quarry_page_arena_take(int node, gfp_t gfp, gfp_t meta,
						 unsigned int order);
struct quarry_page_arena *quarry_page_arena_wrap(unsigned long pfn, u32 nr,
						 enum quarry_page_arena_kind kind, bool zero);
int quarry_page_arena_node(const struct quarry_page_arena *c);
bool quarry_page_arena_page_sound(const struct quarry_page_arena *c, const struct page *page);
int quarry_page_missing(const struct page *page);
int quarry_page_mend(struct page *page);
bool quarry_page_arena_is_torn(const struct quarry_page_arena *c);
int quarry_page_arena_release(struct quarry_page_arena *c);
void quarry_page_arena_undo(struct quarry_page_arena *c);
u32 quarry_page_arena_release_free(struct quarry_page_arena *c);
void quarry_page_arena_leak(struct quarry_page_arena *c);

#endif /* QUARRY_PAGE_ARENA_H */
