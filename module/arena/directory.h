/* SPDX-License-Identifier: GPL-2.0 */
/* From a page to the chunk it lies in. See directory.c. */
#ifndef QUARRY_DIRECTORY_H
#define QUARRY_DIRECTORY_H

#include <linux/quarry.h>

#include "chunk.h"

int quarry_directory_init(void);
void quarry_directory_exit(void);
int quarry_directory_insert(struct quarry_chunk *c);
void quarry_directory_serve(struct quarry_chunk *c, struct quarry_buddy *buddy);
void quarry_directory_remove(struct quarry_chunk *c);
bool quarry_directory_label(unsigned long pfn, unsigned long nr, u64 label, gfp_t gfp);
bool quarry_directory_unlabel(unsigned long pfn, u64 label);
u64 quarry_directory_label_bytes(void);
struct quarry_chunk *quarry_directory_next(unsigned long pfn, unsigned long end);
struct quarry_chunk *quarry_directory_last(unsigned long pfn, unsigned long end);

/* The number of a page in its chunk; at least span if the chunk does not have it. */
static __always_inline unsigned long quarry_chunk_index(const struct quarry_chunk *c,
							const struct page *page)
{
	return quarry_page_pfn(page) - c->pfn;
}

/* The chunk of a page, or NULL. Context: preemption off, or under RCU. */
static inline struct quarry_chunk *quarry_directory_find(const struct page *page)
{
	struct quarry_slot4m *slot = quarry_directory_slot(quarry_page_pfn(page));
	struct quarry_chunk *c = slot ? READ_ONCE(slot->chunk) : NULL;

	while (c && quarry_chunk_index(c, page) >= c->span)
		c = READ_ONCE(c->next);
	return c;
}

#endif /* QUARRY_DIRECTORY_H */
