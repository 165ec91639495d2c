/* SPDX-License-Identifier: GPL-2.0 */
/* An array of which only some pages are there. See table.c. */
#ifndef QUARRY_TABLE_H
#define QUARRY_TABLE_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * struct quarry_table - a table with holes
 * @base:	its first entry; NULL before there is a mapping
 * @hole:	the page of all that is not there
 * @pages:	virtual length
 * @own:	pages that are there
 */
struct quarry_table {
	void *base;
	struct page *hole;
	unsigned long pages;
	unsigned long own;
};

typedef bool quarry_table_want(unsigned long page, const void *arg);

int quarry_table_init(struct quarry_table *t, unsigned long entry);
void quarry_table_exit(struct quarry_table *t);
int quarry_table_extend(const struct quarry_table *t, unsigned long nr,
			quarry_table_want *want, const void *arg, struct quarry_table *next);
void quarry_table_switch(struct quarry_table *t, const struct quarry_table *next);
bool quarry_table_has(const struct quarry_table *t, unsigned long first, unsigned long last);
void *quarry_table_page(const struct quarry_table *t, unsigned long i);
u64 quarry_table_bytes(const struct quarry_table *t);

#endif /* QUARRY_TABLE_H */
