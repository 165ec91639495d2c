// SPDX-License-Identifier: GPL-2.0
/*
 * What a redirected module cannot have: this must not compile, and each function is named where
 * it does not. Built with MISTAKES=m alone, by tools/testing/stage redirected.
 */
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/dst_ops.h>

void *not_for_a_client(struct page *page, struct list_head *list, struct dst_ops *ops);

void *not_for_a_client(struct page *page, struct list_head *list, struct dst_ops *ops)
{
	split_page(page, 2);
	init_page_count(page);
	set_page_count(page, 1);
	page_ref_freeze(page, 1);
	alloc_pages_bulk_list(GFP_KERNEL, 1, list);
	/* The core would allocate from it. */
	ops->kmem_cachep = kmem_cache_create("mine", 64, 0, 0, NULL);
	return slab_build_skb(page);
}
