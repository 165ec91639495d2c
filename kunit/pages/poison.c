// SPDX-License-Identifier: GPL-2.0
/*
 * Frames whose hardware has failed (module/pages/poison.c): wherever one is when it is told, no
 * client gets it from then on, the pool's figures say so, and destroying the pool gives all of
 * it back. What the kernel makes of a real failure is tested on kernels that know of these:
 * see test_modules/quarry_poison.c.
 */
#include <linux/slab.h>
#include <trace/events/kmem.h>

#include "../../module/cache/cache.h"
#include "../../module/pages/pool.h"
#include "../quarry_kunit.h"

#define ALL	FRAMES(SZ_4M)

static void fail(struct page *page)
{
	quarry_frame_failed(page_to_pfn(page));
	quarry_poison_settle();
}

/* Everything that the pool, 4 MiB, has to give, and nothing of it is @bad. */
static void nobody_gets(struct kunit *test, struct quarry_pool *pool, struct page *bad, u64 kept)
{
	struct page **all = kunit_kcalloc(test, ALL, sizeof(*all), GFP_KERNEL);
	struct quarry_pool_stats *st;
	unsigned int order, nr = 0, i;
	u64 got = 0;

	KUNIT_ASSERT_NOT_NULL(test, all);
	quarry_pool_drain(pool);
	/* Large ones first: a frame that is handed out as a part of one is handed out. */
	for (order = 10; order <= 10; order--) {
		struct page *page;

		while ((page = quarry_alloc_pages(pool, GFP_NOWAIT | __GFP_NOWARN, order))) {
			KUNIT_EXPECT_FALSE(test, bad >= page && bad < page + (1 << order));
			KUNIT_ASSERT_LT(test, nr, ALL);
			set_page_private(page, order);
			all[nr++] = page;
			got += 1 << order;
		}
	}
	st = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, st->retired_bytes, kept << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, st->allocated_bytes, got << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, got + kept, ALL);
	for (i = 0; i < nr; i++)
		quarry_free_pages(pool, all[i], page_private(all[i]));
	quarry_pool_drain(pool);
	st = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, st->allocated_bytes, 0);
	quarry_test_sound(test, pool);
}

static struct page *one(struct kunit *test, struct quarry_pool *pool, unsigned int order)
{
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, order);

	KUNIT_ASSERT_NOT_NULL(test, page);
	return page;
}

static void a_free_frame(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *page = one(test, pool, 5);

	quarry_free_pages(pool, page, 5);
	quarry_pool_drain(pool);
	fail(page + 17);
	nobody_gets(test, pool, page + 17, 1);
	/* Once more of the same changes nothing. */
	fail(page + 17);
	nobody_gets(test, pool, page + 17, 1);
	fail(page + 18);
	nobody_gets(test, pool, page + 18, 2);
}

static void a_frame_on_a_list(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *page = one(test, pool, 0), *next;

	quarry_free_pages(pool, page, 0);
	fail(page);
	next = one(test, pool, 0);
	KUNIT_EXPECT_PTR_NE(test, next, page);
	quarry_free_pages(pool, next, 0);
	nobody_gets(test, pool, page, 1);
}

/* Its client goes on with it; the one after him does not get it. */
static void a_frame_in_use(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	unsigned int order;

	for (order = 0; order <= 3; order += 3) {
		struct page *page = one(test, pool, order);
		struct page *bad = page + (1 << order) - 1, *next;
		u64 kept = order ? 2 : 1;

		fail(bad);
		KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->retired_bytes,
				(kept - 1) << PAGE_SHIFT);
		quarry_free_pages(pool, page, order);
		next = one(test, pool, order);
		KUNIT_EXPECT_FALSE(test, bad >= next && bad < next + (1 << order));
		quarry_free_pages(pool, next, order);
		nobody_gets(test, pool, bad, kept);
	}
}

/* Told of one after the other, before any is seen to. */
static void many_at_once(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *page = one(test, pool, 5);
	unsigned int i;

	for (i = 0; i < 32; i++)
		quarry_frame_failed(page_to_pfn(page + i));
	quarry_poison_settle();
	quarry_free_pages(pool, page, 5);
	nobody_gets(test, pool, page, 32);
}

static void a_frame_of_a_run(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	void *run = quarry_alloc_pages_exact(pool, 5 * PAGE_SIZE, GFP_KERNEL);
	struct page *bad;

	KUNIT_ASSERT_NOT_NULL(test, run);
	bad = virt_to_page(run) + 4;
	fail(bad);
	quarry_free_pages_exact(pool, run, 5 * PAGE_SIZE);
	nobody_gets(test, pool, bad, 1);
}

static void a_frame_of_a_slab(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *cache = quarry_cache_create_in(pool, "poison", 512, 0, 0, NULL);
	struct page *bad;
	void *object;

	KUNIT_ASSERT_FALSE(test, IS_ERR(cache));
	object = quarry_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, object);
	bad = virt_to_page(object);
	fail(bad);
	quarry_cache_free(cache, object);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(cache));
	nobody_gets(test, pool, bad, 1);
}

/* A block of a reserve that failed while it lay in stock: the stock has one less. */
static void a_block_in_stock(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_mempool *r = quarry_mempool_create(pool, 0, 2);
	struct page *bad, *rest, *page;
	LIST_HEAD(all);

	KUNIT_ASSERT_FALSE(test, IS_ERR(r));
	/* All that is not in stock, so that the stock is what is left. */
	while ((page = quarry_alloc_pages(pool, GFP_NOWAIT | __GFP_NOWARN, 0)))
		list_add(&page->lru, &all);
	bad = quarry_mempool_alloc(r, GFP_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, bad);
	quarry_mempool_free(r, bad);
	fail(bad);
	rest = quarry_mempool_alloc(r, GFP_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, rest);
	KUNIT_EXPECT_PTR_NE(test, rest, bad);
	KUNIT_EXPECT_NULL(test, quarry_mempool_alloc(r, GFP_NOWAIT | __GFP_NOWARN));
	quarry_mempool_free(r, rest);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(r));
	while ((page = list_first_entry_or_null(&all, struct page, lru))) {
		list_del(&page->lru);
		quarry_free_pages(pool, page, 0);
	}
	nobody_gets(test, pool, bad, 1);
}

/* The same when the reserve goes: who comes after it does not get the block either. */
static void a_reserve_that_goes(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page **all = quarry_test_pages(test, ALL), *bad, *next;
	struct quarry_mempool *r;
	unsigned int order, nr;

	quarry_test_pin(test, 0);
	for (order = 0; order <= 3; order += 3) {
		r = quarry_mempool_create(pool, order, 1);
		KUNIT_ASSERT_FALSE(test, IS_ERR(r));
		/* All that is not in stock, so that the stock is what is left. */
		nr = quarry_test_take_all(test, pool, GFP_NOWAIT, order, all, ALL);
		bad = quarry_mempool_alloc(r, GFP_NOWAIT);
		KUNIT_EXPECT_NOT_NULL(test, bad);
		quarry_mempool_free(r, bad);
		quarry_test_give_all(pool, order, all, nr);
		quarry_pool_drain(pool);
		fail(bad);
		KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(r));
		next = one(test, pool, order);
		KUNIT_EXPECT_PTR_NE(test, next, bad);
		quarry_free_pages(pool, next, order);
		nobody_gets(test, pool, bad, order ? 2 : 1);
	}
}

/* What was seen of the kernel's allocator, by the task that looks. */
struct watch {
	struct task_struct *task;
	struct quarry_zone *z;
	unsigned int under_lock;
	unsigned int atomic;
};

static void see_kfree(void *data, unsigned long call_site, const void *object)
{
	struct watch *w = data;

	/*
	 * The test is alone with its pool: who holds the lock is this CPU. An interrupt may be
	 * the one that frees the pool after a grace period.
	 */
	w->under_lock += in_task() && current == w->task && w->z &&
			 raw_spin_is_locked(&w->z->lock);
}

static void see_kmalloc(void *data, unsigned long call_site, const void *object, size_t asked,
			size_t got, gfp_t gfp, int node)
{
	struct watch *w = data;

	/* The tracepoint itself has preemption off once. */
	w->atomic += current == w->task && preempt_count() > 1;
}

/*
 * On PREEMPT_RT the kernel's allocator takes locks that sleep: it is not called under a zone's
 * lock, nor by who is told with preemption off, as a tracepoint's probes are.
 */
static void nothing_that_sleeps_is_called(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct watch w = { .task = current };
	struct quarry_pool *pool;
	struct page *page;

	cfg.max_bytes = SZ_4M;
	pool = quarry_pool_create("poisoned", &cfg);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	KUNIT_EXPECT_NOT_NULL(test, page);
	w.z = pool->zone[page_to_nid(page)];
	KUNIT_ASSERT_EQ(test, 0, register_trace_kfree(see_kfree, &w));
	KUNIT_ASSERT_EQ(test, 0, register_trace_kmalloc(see_kmalloc, &w));
	preempt_disable();
	quarry_frame_failed(page_to_pfn(page));
	preempt_enable();
	quarry_poison_settle();
	quarry_free_pages(pool, page, 0);
	quarry_pool_drain(pool);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->retired_bytes, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
	unregister_trace_kmalloc(see_kmalloc, &w);
	unregister_trace_kfree(see_kfree, &w);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, w.atomic, 0);
	KUNIT_EXPECT_EQ(test, w.under_lock, 0);
}

/* What is not a pool's is nothing to us; nor what was one's. */
static void a_frame_of_somebody_else(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_4M);
	struct page *page = alloc_page(GFP_KERNEL), *ours;

	KUNIT_ASSERT_NOT_NULL(test, page);
	fail(page);
	__free_page(page);
	ours = one(test, pool, 4);
	quarry_free_pages(pool, ours, 4);
	quarry_pool_drain(pool);
	KUNIT_EXPECT_GT(test, quarry_pool_shrink(pool, ~0ULL), 0);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, 0);
	fail(ours);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->retired_bytes, 0);
}

/* Pool, frame and all: nothing is lost, and nothing of it is in use. */
static void a_pool_goes_with_what_it_keeps(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	u64 lost = quarry_pools_lost();
	unsigned int way;

	cfg.max_bytes = SZ_4M;
	for (way = 0; way < 2; way++) {
		struct quarry_pool *pool = quarry_pool_create("poisoned", &cfg);
		struct page *page;

		KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
		page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
		KUNIT_EXPECT_NOT_NULL(test, page);
		fail(page);
		quarry_free_pages(pool, page, 0);
		quarry_pool_drain(pool);
		KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->retired_bytes,
				PAGE_SIZE);
		if (way) {
			u64 bytes = 1;

			KUNIT_EXPECT_EQ(test, 0, quarry_pool_forget(pool, &bytes));
			KUNIT_EXPECT_EQ(test, bytes, 0);
		} else {
			KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
		}
		KUNIT_EXPECT_EQ(test, quarry_pools_lost(), lost);
	}
}

static struct kunit_case poison_cases[] = {
	KUNIT_CASE(a_free_frame),
	KUNIT_CASE(a_frame_on_a_list),
	KUNIT_CASE(a_frame_in_use),
	KUNIT_CASE(many_at_once),
	KUNIT_CASE(a_frame_of_a_run),
	KUNIT_CASE(a_frame_of_a_slab),
	KUNIT_CASE(a_block_in_stock),
	KUNIT_CASE(a_reserve_that_goes),
	KUNIT_CASE(nothing_that_sleeps_is_called),
	KUNIT_CASE(a_frame_of_somebody_else),
	KUNIT_CASE(a_pool_goes_with_what_it_keeps),
	{}
};

static struct kunit_suite poison_suite = {
	.name = "quarry-poison",
	.suite_init = quarry_test_parameters,
	.test_cases = poison_cases,
};

kunit_test_suite(poison_suite);
