// SPDX-License-Identifier: GPL-2.0
/*
 * A table with holes: an array by address, of which only some pages are there.
 *
 * Model
 *	The table is long in virtual space, so that an entry is found by its number
 *	alone. Where nothing was ever put, all pages are one and the same, the hole:
 *
 *	  virtual   |head| 0  | 1  | 2  | 3  | 4  | 5  |
 *	               |   |    |    |    |    |    |
 *	  pages        H   A    o    o    o    B    o        o: the hole
 *
 *	The head is the page before the first entry. What stands at its end can be
 *	reached from the first entry, with no address of its own to load.
 *
 *	A page that comes later, or a longer table, is another mapping of the same pages:
 *	nothing is copied, and whoever writes through the old one meanwhile writes the
 *	same memory. The old mapping goes when nobody can read through it any more.
 *
 * The hole is never written to: an entry belongs to somebody only after its page has come.
 *
 * Contexts: all of it sleeps, and has to be kept from itself by the caller; readers hold
 * RCU.
 *
 * Cost: a page table entry for each page of the virtual length, and the pages that are there.
 * Growing takes some ten nanoseconds for each page, with interrupts on.
 */
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../debug/inject.h"
#include "table.h"

static struct page *page_of(const struct quarry_table *t, unsigned long i)
{
	return i < t->pages ? vmalloc_to_page((char *)t->base + i * PAGE_SIZE) : t->hole;
}

/**
 * quarry_table_page() - a page of the table, if it is there
 * @t:	the table
 * @i:	its number
 *
 * Context: the table stays what it is. Return: the page by its address, or NULL.
 */
void *quarry_table_page(const struct quarry_table *t, unsigned long i)
{
	struct page *page = page_of(t, i);

	return page == t->hole ? NULL : page_address(page);
}

/**
 * quarry_table_has() - are all these pages there?
 * @t:		the table
 * @first:	number of the first one
 * @last:	and of the last one
 *
 * Context: the table stays what it is; sleeps.
 */
bool quarry_table_has(const struct quarry_table *t, unsigned long first, unsigned long last)
{
	for (; first <= last; first++) {
		if (page_of(t, first) == t->hole)
			return false;
		cond_resched();
	}
	return true;
}

static struct page *new_page(void)
{
	return quarry_inject() ? NULL : alloc_page(GFP_NOIO | __GFP_ZERO);
}

static void unmap(void *base)
{
	void *map = (char *)base - PAGE_SIZE;
	struct page *head = vmalloc_to_page(map);

	vunmap(map);
	__free_page(head);
}

/*
 * List the pages of a mapping: the head, then those of @t, with new ones for holes that are
 * asked for. Returns how many are new, or -1 if there is no memory.
 */
static long list_pages(const struct quarry_table *t, struct page **pages, unsigned long nr,
		       quarry_table_want *want, const void *arg)
{
	unsigned long i;
	long came = 0;

	pages[0] = new_page();
	if (!pages[0])
		return -1;
	for (i = 0; i < nr; i++) {
		pages[1 + i] = page_of(t, i);
		cond_resched();
		if (pages[1 + i] != t->hole || !want(i, arg))
			continue;
		pages[1 + i] = new_page();
		if (!pages[1 + i])
			break;
		copy_page(page_address(pages[1 + i]), page_address(t->hole));
		came++;
	}
	if (i == nr)
		return came;
	while (i--)
		if (pages[1 + i] != page_of(t, i))
			__free_page(pages[1 + i]);
	__free_page(pages[0]);
	return -1;
}

/**
 * quarry_table_extend() - make another mapping of a table, in which pages are there
 * @t:		the table
 * @nr:		pages of virtual length, at least
 * @want:	says of a page that is not there whether it has to be
 * @arg:	for @want
 * @next:	filled; to be given to quarry_table_switch()
 *
 * Context: sleeps, without I/O. Return: 0 or -ENOMEM.
 */
int quarry_table_extend(const struct quarry_table *t, unsigned long nr,
			quarry_table_want *want, const void *arg, struct quarry_table *next)
{
	unsigned int noio = memalloc_noio_save();
	struct page **pages;
	void *map = NULL;
	unsigned long i;
	long came = -1;

	nr = max(nr, t->pages);
	pages = quarry_inject() ? NULL : kvmalloc_array(1 + nr, sizeof(*pages), GFP_NOIO);
	if (pages)
		came = list_pages(t, pages, nr, want, arg);
	if (came >= 0) {
		map = quarry_inject() ? NULL : vmap(pages, 1 + nr, VM_MAP, PAGE_KERNEL);
		for (i = 0; !map && i <= nr; i++)
			if (!i || pages[i] != page_of(t, i - 1))
				__free_page(pages[i]);
	}
	kvfree(pages);
	memalloc_noio_restore(noio);
	if (!map)
		return -ENOMEM;
	*next = (struct quarry_table){
		.base = (char *)map + PAGE_SIZE,
		.hole = t->hole,
		.pages = nr,
		.own = t->own + came,
	};
	return 0;
}

/**
 * quarry_table_switch() - go over to another mapping
 * @t:		the table
 * @next:	what quarry_table_extend() has made; readers have been sent there
 *
 * Context: sleeps, until nobody reads through the old one.
 */
void quarry_table_switch(struct quarry_table *t, const struct quarry_table *next)
{
	void *old = t->base;

	*t = *next;
	if (!old)
		return;
	synchronize_rcu();
	unmap(old);
}

/**
 * quarry_table_init() - a table without a page
 * @t:		the table
 * @entry:	what all entries are that nobody has set, as one word
 *
 * It has no mapping before quarry_table_extend(). Context: sleeps. Return: 0 or -ENOMEM.
 */
int quarry_table_init(struct quarry_table *t, unsigned long entry)
{
	unsigned long *word;
	unsigned int i;

	*t = (struct quarry_table){ .hole = new_page() };
	if (!t->hole)
		return -ENOMEM;
	word = page_address(t->hole);
	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		word[i] = entry;
	return 0;
}

/* Give a table back; nobody reads it any more. Context: sleeps. */
void quarry_table_exit(struct quarry_table *t)
{
	unsigned long i;

	for (i = 0; i < t->pages; i++)
		if (page_of(t, i) != t->hole)
			__free_page(page_of(t, i));
	if (t->base)
		unmap(t->base);
	if (t->hole)
		__free_page(t->hole);
	*t = (struct quarry_table){};
}

/**
 * quarry_table_bytes() - what a table costs
 * @t:	the table
 *
 * Its pages, and the page tables of its mapping. Context: any.
 */
u64 quarry_table_bytes(const struct quarry_table *t)
{
	return (READ_ONCE(t->own) + 2) * PAGE_SIZE + READ_ONCE(t->pages) * sizeof(pte_t);
}
