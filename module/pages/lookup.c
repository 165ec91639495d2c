// SPDX-License-Identifier: GPL-2.0
/*
 * Whose page is this? Of any pointer, for who has no pool in his hands, only a page: a free that
 * does not name the pool, a redirected module that hands on what is not ours, a dump.
 *
 *	page -> pfn -> directory (arena/directory.h) -> arena -> buddy -> zone -> pool
 *
 * An arena that leaves has its buddy taken away first, and goes after all who look with preemption
 * off (RCU): so the pool that is found was the page's at some time of the call. Whether it still is
 * afterwards the caller knows, if the page is in his hands.
 *
 * Contexts: any, NMI included. Cost: constant, three loads that depend on each other.
 */
#include <linux/preempt.h>
#include <linux/quarry.h>

#include "../arena/directory.h"
#include "pool.h"

/**
 * quarry_page_pool() - the pool a page belongs to
 * @page:	any pointer, even not to a page
 *
 * Context: any. Cost: constant. Return: the pool, or NULL.
 */
struct quarry_pool *quarry_page_pool(const struct page *page)
{
	struct quarry_pool *pool = NULL;
	struct quarry_buddy *buddy;
	struct quarry_page_arena *c;

	preempt_disable();
	c = quarry_directory_find(page);
	buddy = c ? READ_ONCE(c->buddy) : NULL;
	if (buddy)
		pool = quarry_buddy_zone(buddy)->pool;
	preempt_enable();
	return pool;
}
EXPORT_SYMBOL_NS_GPL(quarry_page_pool, QUARRY_NS);

/**
 * quarry_owns_page() - is this a page of any pool, in use or not?
 * @page:	any pointer
 *
 * Context: any. Cost: constant.
 */
bool quarry_owns_page(const struct page *page)
{
	return quarry_page_pool(page);
}
EXPORT_SYMBOL_NS_GPL(quarry_owns_page, QUARRY_NS);

/**
 * quarry_owns() - does this address lie in a page of any pool?
 * @addr:	any value; addresses outside the linear map are not ours
 *
 * Context: any. Cost: constant.
 */
bool quarry_owns(const void *addr)
{
	return virt_addr_valid(addr) && quarry_owns_page(virt_to_page(addr));
}
EXPORT_SYMBOL_NS_GPL(quarry_owns, QUARRY_NS);
