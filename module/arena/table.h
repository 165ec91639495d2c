/* SPDX-License-Identifier: GPL-2.0 */
/* An array by physical address, of which only some pages are there. See table.c. */
#ifndef QUARRY_TABLE_H
#define QUARRY_TABLE_H

#include <linux/mm_types.h>
#include <linux/types.h>

/* A page of a table is for 512 MiB of memory, whatever its entries are. In frames: */
#define QUARRY_TABLE_PAGE_SHIFT	(29 - PAGE_SHIFT)

/**
 * struct quarry_table - a table with holes
 * @base:	its first entry; NULL before there is a mapping
 * @hole:	the page of all that is not there
 * @publish:	sends readers to a mapping
 * @pages:	virtual length
 * @own:	pages that are there
 */
struct quarry_table {
	void *base;
	struct page *hole;
	void (*publish)(const struct quarry_table *t);
	unsigned long pages;
	unsigned long own;
};

int quarry_table_init(struct quarry_table *t, unsigned long entry,
		      void (*publish)(const struct quarry_table *t));
void quarry_table_exit(struct quarry_table *t);
int quarry_table_reach(struct quarry_table *t, unsigned long pfn, unsigned long nr);
void *quarry_table_page(const struct quarry_table *t, unsigned long i);
u64 quarry_table_bytes(const struct quarry_table *t);

#endif /* QUARRY_TABLE_H */
