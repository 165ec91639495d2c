/* SPDX-License-Identifier: GPL-2.0 */
/* From a page to the chunk it lies in. See directory.c. */
#ifndef QUARRY_DIRECTORY_H
#define QUARRY_DIRECTORY_H

#include <linux/bitops.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "chunk.h"

/* A slot for every 4 MiB of physical memory. */
#define QUARRY_SLOT_SHIFT	10

struct quarry_directory {
	struct rcu_head rcu;
	unsigned long nr;
	struct quarry_chunk *slot[];
};

extern struct quarry_directory *quarry_directory;
extern struct quarry_chunk quarry_no_chunk;

int quarry_directory_init(void);
void quarry_directory_exit(void);
int quarry_directory_insert(struct quarry_chunk *c);
void quarry_directory_remove(struct quarry_chunk *c);
struct quarry_chunk *quarry_directory_next(unsigned long pfn, unsigned long end);
struct quarry_chunk *quarry_directory_last(unsigned long pfn, unsigned long end);
unsigned long quarry_directory_bytes(void);

/*
 * The number of a page in a chunk; at least span if the chunk does not have it.
 * Rotating, not shifting, makes a pointer into the middle of a struct page a
 * huge number as well, at no cost.
 */
static __always_inline unsigned long quarry_chunk_index(const struct quarry_chunk *c,
							const struct page *page)
{
	unsigned long offset = (unsigned long)page - c->first;

	if (is_power_of_2(sizeof(struct page)))
		return ror64(offset, ilog2(sizeof(struct page)));
	return offset % sizeof(struct page) ? ULONG_MAX : offset / sizeof(struct page);
}

/*
 * The chunk that begins the chain of the page's slot: nearly always the page's
 * own. Never NULL. Context: preemption off, or under RCU.
 */
static __always_inline struct quarry_chunk *quarry_directory_guess(const struct page *page)
{
	struct quarry_directory *d = READ_ONCE(quarry_directory);
	unsigned long i = page_to_pfn(page) >> QUARRY_SLOT_SHIFT;

	return likely(i < d->nr) ? READ_ONCE(d->slot[i]) : &quarry_no_chunk;
}

/* The chunk of a page, or NULL. Context: preemption off, or under RCU. */
static inline struct quarry_chunk *quarry_directory_find(const struct page *page)
{
	struct quarry_chunk *c = quarry_directory_guess(page);

	while (c && quarry_chunk_index(c, page) >= c->span)
		c = READ_ONCE(c->next);
	return c;
}

#endif /* QUARRY_DIRECTORY_H */
