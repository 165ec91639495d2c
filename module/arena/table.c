// SPDX-License-Identifier: GPL-2.0
/*
 * A table with holes: an array by physical address, of which only some pages are there.
 *
 * Model
 *	The table is long in virtual space, so that an entry is found by its number
 *	alone. A page is for 512 MiB of memory. Where there is none, all pages are one and
 *	the same, the hole:
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
#include <linux/nodemask.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <linux/quarry.h>

#include "../base/inject.h"
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

/* Pages of a table that have to be there. */
struct span {
	unsigned long first;
	unsigned long last;
};

/* With no span, is there memory? What comes later is asked for by name. */
static bool is_wanted(const struct span *span, unsigned long i)
{
	unsigned long pfn = i << QUARRY_TABLE_PAGE_SHIFT;
	unsigned long end = (i + 1) << QUARRY_TABLE_PAGE_SHIFT;

	if (span)
		return i >= span->first && i <= span->last;
	for (; pfn < end; pfn += 1UL << QUARRY_DIRECTORY_SHIFT)
		if (pfn_valid(pfn))
			return true;
	return false;
}

static bool has_all(const struct quarry_table *t, const struct span *span)
{
	unsigned long i;

	for (i = span->first; i <= span->last; i++) {
		if (page_of(t, i) == t->hole)
			return false;
		cond_resched();
	}
	return true;
}

static struct page *new_page(void)
{
	return quarry_inject() ? NULL : alloc_page(GFP_NOIO | __GFP_ZERO);
}

static void table_unmap(void *base)
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
		       const struct span *span)
{
	unsigned long i;
	long came = 0;

	pages[0] = new_page();
	if (!pages[0])
		return -1;
	for (i = 0; i < nr; i++) {
		pages[1 + i] = page_of(t, i);
		cond_resched();
		if (pages[1 + i] != t->hole || !is_wanted(span, i))
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

/* Another mapping of at least @nr pages, of which those that are wanted are there. */
static int table_extend(const struct quarry_table *t, unsigned long nr, const struct span *span,
			struct quarry_table *next)
{
	unsigned int noio = memalloc_noio_save();
	struct page **pages;
	void *map = NULL;
	unsigned long i;
	long came = -1;

	nr = max(nr, t->pages);
	pages = quarry_inject() ? NULL : kvmalloc_array(1 + nr, sizeof(*pages), GFP_NOIO);
	if (pages)
		came = list_pages(t, pages, nr, span);
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
		.publish = t->publish,
		.pages = nr,
		.own = t->own + came,
	};
	return 0;
}

/* Go over to another mapping, and let the old one go when nobody reads through it. */
static int table_remap(struct quarry_table *t, unsigned long nr, const struct span *span)
{
	struct quarry_table next;
	void *old = t->base;
	int err = table_extend(t, nr, span, &next);

	if (err)
		return err;
	t->publish(&next);
	*t = next;
	if (!old)
		return 0;
	synchronize_rcu();
	table_unmap(old);
	return 0;
}

/**
 * quarry_table_reach() - have entries for frames
 * @t:		the table
 * @pfn:	the first frame
 * @nr:		frames
 *
 * Context: sleeps, without I/O. Return: 0 or -ENOMEM.
 */
int quarry_table_reach(struct quarry_table *t, unsigned long pfn, unsigned long nr)
{
	const struct span span = {
		.first = pfn >> QUARRY_TABLE_PAGE_SHIFT,
		.last = (pfn + nr - 1) >> QUARRY_TABLE_PAGE_SHIFT,
	};

	return has_all(t, &span) ? 0 : table_remap(t, span.last + 1, &span);
}

/**
 * quarry_table_init() - a table for the memory that there is
 * @t:		the table
 * @entry:	what all entries are that nobody has set, as one word
 * @publish:	sends readers to a mapping
 *
 * Context: sleeps. Return: 0 or -ENOMEM; quarry_table_exit() is needed then too.
 */
int quarry_table_init(struct quarry_table *t, unsigned long entry,
		      void (*publish)(const struct quarry_table *t))
{
	unsigned long end = 0, *word;
	unsigned int i;
	int node;

	*t = (struct quarry_table){ .hole = new_page(), .publish = publish };
	if (!t->hole)
		return -ENOMEM;
	word = page_address(t->hole);
	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		word[i] = entry;
	for_each_online_node(node)
		end = max(end, node_end_pfn(node));
	return table_remap(t, (end >> QUARRY_TABLE_PAGE_SHIFT) + 1, NULL);
}

/* Give a table back; nobody reads it any more. Context: sleeps. */
void quarry_table_exit(struct quarry_table *t)
{
	unsigned long i;

	for (i = 0; i < t->pages; i++)
		if (page_of(t, i) != t->hole)
			__free_page(page_of(t, i));
	if (t->base)
		table_unmap(t->base);
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
