/* SPDX-License-Identifier: GPL-2.0 */
/* From a page to the arena it lies in. See directory.c. */
#ifndef QUARRY_DIRECTORY_H
#define QUARRY_DIRECTORY_H

#include <linux/quarry.h>

#include "page_arena.h"

typedef int quarry_directory_reach_fn(unsigned long pfn, unsigned long nr);

int quarry_directory_init(void);
void quarry_directory_exit(void);
void quarry_directory_ask_first(quarry_directory_reach_fn *reach);
int quarry_directory_reach(unsigned long pfn, unsigned long nr);
u64 quarry_directory_bytes(void);
int quarry_directory_insert(struct quarry_page_arena *c);
void quarry_directory_publish(struct quarry_page_arena *c, struct quarry_buddy *buddy);
void quarry_directory_remove(struct quarry_page_arena *c);

/* The number of a page in its arena; at least span if the arena does not have it. */
static __always_inline unsigned long quarry_page_arena_index(const struct quarry_page_arena *c,
							     const struct page *page)
{
	return quarry_page_pfn(page) - c->pfn;
}

/* The arena of a frame that has a struct page, or NULL. Context: as below. */
static inline struct quarry_page_arena *quarry_directory_find_pfn(unsigned long pfn)
{
	struct quarry_directory_entry *entry = quarry_directory_entry_of(pfn);
	struct quarry_page_arena *c = entry ? READ_ONCE(entry->arena) : NULL;

	while (c && pfn - c->pfn >= c->span)
		c = READ_ONCE(c->next);
	return c;
}

/* The arena of a page, or NULL. Context: preemption off, or under RCU. */
static inline struct quarry_page_arena *quarry_directory_find(const struct page *page)
{
	return quarry_directory_find_pfn(quarry_page_pfn(page));
}

#endif /* QUARRY_DIRECTORY_H */
