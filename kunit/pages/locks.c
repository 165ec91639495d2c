// SPDX-License-Identifier: GPL-2.0
/*
 * Under which locks one may allocate: those that the kernel's reclaim might take need NOFS or
 * NOIO, in the flags or as a scope, and whoever forgets it is told, on the fast path as well.
 *
 * What lockdep has seen is read from its own lists: a lock that was held over an allocation
 * which might reclaim is known there as one that is taken before fs_reclaim.
 */
#include <linux/io.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/quarry_malloc.h>
#include <linux/sched/mm.h>

#include "../../module/cache/labels.h"
#include "../cache_kunit.h"

#ifdef CONFIG_PROVE_LOCKING

/**
 * struct held - what a file system holds while it allocates; one for each case
 * @lock:	it
 * @key:	its class
 */
static struct held {
	struct mutex lock;	/* guards nothing: it is only held */
	struct lock_class_key key;
} all_held[24];
static unsigned int used;

static struct held *hold(struct kunit *test)
{
	struct held *h = &all_held[used];

	KUNIT_ASSERT_LT(test, used, ARRAY_SIZE(all_held));
	KUNIT_ASSERT_TRUE(test, debug_locks);
	__mutex_init(&h->lock, "quarry-test-fs", &h->key);
	used++;
	mutex_lock(&h->lock);
	return h;
}

/* Has it been held where the kernel might have reclaimed through file systems? */
static bool release(struct held *h)
{
	struct lock_class *class = h->lock.dep_map.class_cache[0];
	struct lock_list *after;
	bool found = false;

	mutex_unlock(&h->lock);
	list_for_each_entry(after, &class->locks_after, entry)
		found |= after->class->name && !strcmp(after->class->name, "fs_reclaim");
	return found;
}

/* With a list that has pages, or a magazine with objects, nothing else tells. */
static void the_fast_path_says_what_it_might_do(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *cache;
	struct page *page[2];
	struct held *h;
	void *object;

	quarry_test_pin(test, 0);
	cache = quarry_cache_create_in(pool, quarry_test_name(test), 64, 0, 0, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	quarry_free_pages(pool, quarry_alloc_pages(pool, GFP_KERNEL, 0), 0);
	quarry_cache_free(cache, quarry_cache_alloc(cache, GFP_KERNEL));

	h = hold(test);
	page[0] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	KUNIT_EXPECT_TRUE_MSG(test, release(h), "page");
	quarry_free_pages(pool, page[0], 0);
	h = hold(test);
	KUNIT_EXPECT_EQ(test, 1, quarry_alloc_pages_bulk(pool, GFP_KERNEL, 0, 1, page));
	KUNIT_EXPECT_TRUE_MSG(test, release(h), "bulk");
	quarry_free_pages(pool, page[0], 0);
	h = hold(test);
	object = quarry_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_TRUE_MSG(test, release(h), "object");
	quarry_cache_free(cache, object);
	h = hold(test);
	KUNIT_EXPECT_EQ(test, 1, quarry_cache_alloc_bulk(cache, GFP_KERNEL, 1, &object));
	KUNIT_EXPECT_TRUE_MSG(test, release(h), "objects");
	quarry_cache_free(cache, object);
	/* And no more than that. */
	h = hold(test);
	page[0] = quarry_alloc_pages(pool, GFP_NOFS, 0);
	object = quarry_cache_alloc(cache, GFP_NOFS);
	KUNIT_EXPECT_FALSE_MSG(test, release(h), "GFP_NOFS");
	quarry_cache_free(cache, object);
	quarry_free_pages(pool, page[0], 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(cache));
}

/* Everything that is allocated on the way: arenas, labels, slabs, arrays, page tables. */
static void all_ways(struct kunit *test, gfp_t gfp)
{
	struct quarry_range range = { .bytes = 3 * PAGE_SIZE, .gfp = gfp };
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_16M);
	struct quarry_cache *cache;
	struct page *page;
	phys_addr_t at;
	struct held *h;
	unsigned int i;
	void *p;

	cache = quarry_cache_create_in(pool, quarry_test_name(test), 64, 0, 0, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	h = hold(test);
	page = quarry_alloc_pages(pool, gfp, 10);
	KUNIT_EXPECT_NOT_NULL(test, page);
	if (page)
		quarry_free_pages(pool, page, 10);
	KUNIT_EXPECT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, at, range.bytes));
	p = quarry_cache_alloc(cache, gfp);
	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_cache_free(cache, p);
	for (i = 0; i < 3; i++) {
		p = quarry_malloc(SZ_64K << (2 * i), gfp);
		KUNIT_EXPECT_NOT_NULL(test, p);
		quarry_free(p);
	}
	/* Too large for any block. */
	p = quarry_kvmalloc_node(SZ_8M, gfp, NUMA_NO_NODE);
	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_kvfree(p);
	KUNIT_EXPECT_FALSE(test, release(h));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(cache));
}

static void a_file_system_may_allocate_under_its_locks(struct kunit *test)
{
	all_ways(test, GFP_NOFS);
	all_ways(test, GFP_NOIO);
}

static void a_scope_is_as_good_as_flags(struct kunit *test)
{
	unsigned int scope = memalloc_nofs_save();

	all_ways(test, GFP_KERNEL);
	memalloc_nofs_restore(scope);
	scope = memalloc_noio_save();
	all_ways(test, GFP_KERNEL);
	memalloc_noio_restore(scope);
}

/* The probe sees what it is meant to see. */
static void what_may_reclaim_is_seen(struct kunit *test)
{
	struct held *h = hold(test);
	void *p = quarry_kvmalloc_node(SZ_8M, GFP_KERNEL, NUMA_NO_NODE);

	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_kvfree(p);
	KUNIT_EXPECT_TRUE(test, release(h));
}

/* What a page needs besides is allocated as the page is. */
static void labels_are_made_with_the_callers_flags(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_64M);
	struct page *pages[17];
	struct held *h;
	unsigned long pfn = 0;
	unsigned int nr;
	u64 before;

	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 10, pages, 17);
	while (nr) {
		quarry_free_pages(pool, pages[--nr], 10);
		pfn = page_to_pfn(pages[nr]);
		before = quarry_label_bytes();
		h = hold(test);
		quarry_label_frames(pfn, 1, 1, GFP_NOFS);
		KUNIT_EXPECT_FALSE(test, release(h));
		quarry_label_frames(pfn, 1, 0, 0);
		if (quarry_label_bytes() != before)
			break;
	}
	quarry_test_give_all(pool, 10, pages, nr);
}

static struct kunit_case locks_cases[] = {
	KUNIT_CASE(the_fast_path_says_what_it_might_do),
	KUNIT_CASE(a_file_system_may_allocate_under_its_locks),
	KUNIT_CASE(a_scope_is_as_good_as_flags),
	KUNIT_CASE(what_may_reclaim_is_seen),
	KUNIT_CASE(labels_are_made_with_the_callers_flags),
	{}
};

#else

static void no_lockdep(struct kunit *test)
{
	kunit_skip(test, "no lockdep");
}

static struct kunit_case locks_cases[] = {
	KUNIT_CASE(no_lockdep),
	{}
};

#endif /* CONFIG_PROVE_LOCKING */

static struct kunit_suite locks_suite = {
	.name = "quarry-locks",
	.test_cases = locks_cases,
};

kunit_test_suite(locks_suite);
