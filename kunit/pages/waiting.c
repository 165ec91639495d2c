// SPDX-License-Identifier: GPL-2.0
/*
 * Who must not fail (__GFP_NOFAIL) waits: not before, and no longer than until, something is
 * given back that serves him, be it a run, a block, an object or a block of a mempool. What
 * can never be served is refused at once.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/quarry_malloc.h>

#include "../cache_kunit.h"

struct waiter {
	struct quarry_pool *pool;
	struct quarry_range range;
	struct quarry_mempool *reserve;
	struct quarry_cache *cache;
	struct page *page;
	void *memory;
	phys_addr_t at;
	int err;
	struct completion done;
};

#define LARGE	SZ_128K

static int wait_for_range(void *data)
{
	struct waiter *w = data;

	w->err = quarry_alloc_range(w->pool, &w->range, &w->at);
	complete(&w->done);
	return 0;
}

static int wait_for_reserve(void *data)
{
	struct waiter *w = data;

	w->page = quarry_mempool_alloc(w->reserve, GFP_KERNEL | __GFP_NOFAIL);
	complete(&w->done);
	return 0;
}

/* Start @fn, which must not be over before something is freed. */
static void must_wait(struct kunit *test, struct waiter *w, int (*fn)(void *))
{
	init_completion(&w->done);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kthread_run(fn, w, "quarry-waiting"));
	msleep(200);
	KUNIT_EXPECT_FALSE(test, completion_done(&w->done));
}

static void a_run_that_must_not_fail_waits(struct kunit *test)
{
	struct waiter w = { .pool = quarry_test_pool(test, SZ_4M, SZ_4M) };
	struct page *all = quarry_alloc_pages(w.pool, GFP_KERNEL, 10);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!all)
			all = quarry_alloc_pages(w.pool, GFP_KERNEL, 10);
		KUNIT_ASSERT_NOT_NULL(test, all);
		w.range = (struct quarry_range){ .bytes = 3 * PAGE_SIZE,
						 .gfp = GFP_KERNEL | __GFP_NOFAIL };
		/* A run, and then a window. */
		if (i) {
			w.range.start = page_to_phys(all) + SZ_1M;
			w.range.end = w.range.start + SZ_64K;
		}
		must_wait(test, &w, wait_for_range);
		quarry_free_pages(w.pool, all, 10);
		all = NULL;
		wait_for_completion(&w.done);
		KUNIT_ASSERT_EQ(test, 0, w.err);
		KUNIT_EXPECT_EQ(test, 0, quarry_free_range(w.pool, w.at, w.range.bytes));
		quarry_pool_drain(w.pool);
	}
}

static int wait_for_memory(void *data)
{
	struct waiter *w = data;

	w->memory = quarry_malloc(LARGE, GFP_KERNEL | __GFP_NOFAIL);
	complete(&w->done);
	return 0;
}

/* Memory that is in no cache, for it is too large. */
static void large_memory_that_must_not_fail_waits(struct kunit *test)
{
	struct waiter w = { .pool = quarry_pool_default() };
	unsigned int room = FRAMES(SZ_256M) >> get_order(LARGE), nr;
	struct page **all = quarry_test_pages(test, room);
	u64 max = w.pool->max;

	/* At its limit, and nothing left of that size. */
	w.pool->max = max_t(u64, atomic64_read(&w.pool->managed), FRAMES(SZ_4M));
	nr = quarry_test_take_all(test, w.pool, GFP_KERNEL, get_order(LARGE), all, room);
	if (nr) {
		must_wait(test, &w, wait_for_memory);
		quarry_free_pages(w.pool, all[--nr], get_order(LARGE));
		wait_for_completion(&w.done);
	}
	w.pool->max = max;
	/* Lists that came meanwhile have their share of what was the limit then. */
	quarry_lists_limit(w.pool);
	quarry_test_give_all(w.pool, get_order(LARGE), all, nr);
	KUNIT_ASSERT_GT(test, nr, 0);
	KUNIT_EXPECT_NOT_NULL(test, w.memory);
	quarry_free(w.memory);
}

static int wait_for_object(void *data)
{
	struct waiter *w = data;

	w->memory = quarry_cache_alloc(w->cache, GFP_KERNEL | __GFP_NOFAIL);
	complete(&w->done);
	return 0;
}

#define OBJECT	512

/* Any object of the cache will do: no slab need become complete, and no page free. */
static void an_object_that_must_not_fail_waits(struct kunit *test)
{
	struct waiter w = { .pool = quarry_test_near_pool(test, SZ_1M, SZ_1M) };
	void **objects = quarry_test_objects(test, SZ_1M / OBJECT + 1);
	unsigned int nr, i;
	bool in_time;

	w.cache = quarry_test_cache_in(test, w.pool, OBJECT, 0);
	nr = quarry_test_exhaust(test, w.cache, GFP_KERNEL, objects, SZ_1M / OBJECT + 1);
	KUNIT_ASSERT_GT(test, nr, 100);
	must_wait(test, &w, wait_for_object);
	for (i = 0; i < 20; i++)
		quarry_cache_free(w.cache, objects[--nr]);
	in_time = wait_for_completion_timeout(&w.done, 10 * HZ);
	KUNIT_EXPECT_TRUE(test, in_time);
	quarry_test_give_objects(w.cache, objects, nr);
	if (!in_time)
		wait_for_completion(&w.done);
	KUNIT_EXPECT_NOT_NULL(test, w.memory);
	quarry_cache_free(w.cache, w.memory);
	/* What is injected into the pool is not for it. */
	quarry_cache_shrink(w.cache);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_inject(w.pool, 0, 1000000));
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(w.cache, GFP_KERNEL | __GFP_NOWARN));
	w.memory = quarry_cache_alloc(w.cache, GFP_KERNEL | __GFP_NOFAIL);
	KUNIT_EXPECT_NOT_NULL(test, w.memory);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_inject(w.pool, 0, 0));
	quarry_cache_free(w.cache, w.memory);
}

/* Where waiting is no use, the answer comes at once. */
static void nobody_waits_for_the_impossible(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	struct quarry_range range = { .bytes = SZ_64K, .end = PAGE_SIZE,
				      .gfp = GFP_KERNEL | __GFP_NOFAIL | __GFP_NOWARN };
	struct quarry_pool *small = quarry_test_pool(test, SZ_64K, SZ_64K);
	struct quarry_cache *large = quarry_test_cache_in(test, small, SZ_128K, 0);
	phys_addr_t at;

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, -ENOSPC, quarry_alloc_range(pool, &range, &at));
	/* More than any arena of the kernel's has. */
	range.end = 0;
	range.bytes = SZ_8M;
	KUNIT_EXPECT_EQ(test, -ENOMEM, quarry_alloc_range(pool, &range, &at));
	/* Part of a window is no window. */
	range.start = page_to_phys(page);
	range.end = range.start + SZ_32K;
	range.bytes = SZ_64K;
	KUNIT_EXPECT_EQ(test, -ENOSPC, quarry_alloc_range(pool, &range, &at));
	/* A slab that the pool has no room for. */
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(large, GFP_KERNEL | __GFP_NOFAIL));
	quarry_free_pages(pool, page, 0);
}

static void a_reserve_that_must_not_fail_waits(struct kunit *test)
{
	struct waiter w = { .pool = quarry_test_pool(test, SZ_8M, SZ_8M) };
	struct page *all, *first;

	w.reserve = quarry_mempool_create(w.pool, 10, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w.reserve);
	all = quarry_alloc_pages(w.pool, GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, all);
	w.page = quarry_mempool_alloc(w.reserve, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w.page);
	KUNIT_EXPECT_NULL(test, quarry_mempool_alloc(w.reserve, GFP_KERNEL));
	first = w.page;
	must_wait(test, &w, wait_for_reserve);
	/* To the stock, where it waits as well as for the pool. */
	quarry_mempool_free(w.reserve, first);
	wait_for_completion(&w.done);
	KUNIT_ASSERT_NOT_NULL(test, w.page);
	quarry_mempool_free(w.reserve, w.page);
	quarry_free_pages(w.pool, all, 10);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(w.reserve));
}

static struct kunit_case waiting_cases[] = {
	KUNIT_CASE(a_run_that_must_not_fail_waits),
	KUNIT_CASE(large_memory_that_must_not_fail_waits),
	KUNIT_CASE(an_object_that_must_not_fail_waits),
	KUNIT_CASE(nobody_waits_for_the_impossible),
	KUNIT_CASE(a_reserve_that_must_not_fail_waits),
	{}
};

static struct kunit_suite waiting_suite = {
	.name = "quarry-waiting",
	.test_cases = waiting_cases,
};

kunit_test_suite(waiting_suite);
