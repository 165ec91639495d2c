// SPDX-License-Identifier: GPL-2.0
/*
 * The low watermark: below it the pool grows in the background, whatever took the memory; the
 * shrinker leaves what it needs; and where the kernel has none, the waits between tries double.
 *
 * The background is waited for by flushing its work, so nothing depends on how fast it is.
 */
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/mm.h>

#include "../quarry_kunit.h"

#define PAGES_TAKEN	800U

static struct quarry_pool *pool_with_mark(struct kunit *test, u64 low, u64 max, int node)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool *pool;

	cfg.low_bytes = low;
	cfg.max_bytes = max;
	cfg.node = node;
	pool = quarry_test_pool_of(test, &cfg);
	quarry_test_settle(pool);
	return pool;
}

/* What it gave back the background would take again, for ever. */
static void the_shrinker_leaves_what_the_mark_needs(struct kunit *test)
{
	struct quarry_pool *pool = pool_with_mark(test, SZ_8M, SZ_32M, first_memory_node);
	struct quarry_pool_stats *before = quarry_test_stats(test, pool), *after;
	struct page *page;
	unsigned int i;

	KUNIT_EXPECT_GE(test, before->free_bytes, SZ_8M);
	for (i = 0; i < 20; i++) {
		quarry_zone_shrink(pool->zone[first_memory_node], ~0ULL, true);
		page = quarry_alloc_pages(pool, GFP_ATOMIC | __GFP_ZERO, 0);
		KUNIT_ASSERT_NOT_NULL(test, page);
		quarry_free_pages(pool, page, 0);
		quarry_test_settle(pool);
	}
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_GE(test, after->free_bytes + after->pcp_bytes, SZ_8M);
	/* One arena more may have come for the page that was out. */
	KUNIT_EXPECT_LE(test, after->grows - before->grows, 1);
	KUNIT_EXPECT_LE(test, after->shrinks - before->shrinks, 1);
	/* Who asks for it means it. */
	KUNIT_EXPECT_GE(test, quarry_pool_shrink(pool, ~0ULL), SZ_8M);
}

static void the_background_backs_off(struct kunit *test)
{
	unsigned int room = FRAMES((u64)SZ_1G) >> QUARRY_ARENA_MIN_ORDER, nr, small, i;
	int node = quarry_test_other_node(test);
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct page **pages = quarry_test_pages(test, room);
	struct page **rest = quarry_test_pages(test, room);
	struct quarry_pool_stats *before, *after;
	struct quarry_pool *hog, *pool;
	bool failed = false;

	cfg.node = node;
	hog = quarry_test_pool_of(test, &cfg);
	pool = pool_with_mark(test, SZ_4M, SZ_64M, node);
	nr = quarry_test_take_all(test, hog, GFP_KERNEL | __GFP_NORETRY, 10, pages, room);
	KUNIT_ASSERT_GT(test, nr, 10);
	/* A node in small pieces would meet the mark, too. */
	small = quarry_test_take_all(test, hog, GFP_KERNEL | __GFP_NORETRY,
				     QUARRY_ARENA_MIN_ORDER, rest, room);
	before = quarry_test_stats(test, pool);
	pool->low = FRAMES(SZ_64M);
	/* Each of these is below the mark. */
	for (i = 0; i < 500; i++) {
		struct page *page = quarry_alloc_pages(pool, GFP_NOWAIT | __GFP_ZERO |
						       __GFP_NOWARN, 10);

		if (page)
			quarry_free_pages(pool, page, 10);
		usleep_range(1000, 1200);
		/* Not for ever: others may give memory back meanwhile. */
		failed |= READ_ONCE(pool->failures);
	}
	after = quarry_test_stats(test, pool);
	/* Some seconds are ten waits at most, that double; a success begins them anew. */
	KUNIT_EXPECT_LE(test, after->grow_failures - before->grow_failures,
			10 * (1 + after->grows_background - before->grows_background));
	KUNIT_EXPECT_LT(test, after->grow_failures - before->grow_failures, 250);
	KUNIT_EXPECT_TRUE(test, failed);
	/* Memory is there again: whoever grows ends the wait. */
	quarry_test_give_all(hog, 10, pages, nr);
	quarry_test_give_all(hog, QUARRY_ARENA_MIN_ORDER, rest, small);
	quarry_pool_shrink(hog, ~0ULL);
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 10, pages, room);
	quarry_test_settle(pool);
	KUNIT_EXPECT_EQ(test, READ_ONCE(pool->failures), 0);
	quarry_test_give_all(pool, 10, pages, nr);
	pool->low = 0;
	quarry_pool_shrink(pool, ~0ULL);
}

static void runs_wake_the_background(struct kunit *test)
{
	struct quarry_pool *pool = pool_with_mark(test, SZ_4M, SZ_32M, first_memory_node);
	struct quarry_range range = { .bytes = SZ_2M + PAGE_SIZE, .gfp = GFP_ATOMIC };
	struct quarry_pool_stats *before = quarry_test_stats(test, pool);
	phys_addr_t at;

	KUNIT_ASSERT_EQ(test, before->free_bytes, SZ_4M);
	KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
	quarry_test_settle(pool);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->grows_background,
			before->grows_background + 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, at, range.bytes));
}

/* One zone is below the pool's mark, and the pool is not: nobody is woken, ever. */
static void the_mark_is_the_pools(struct kunit *test)
{
	int other = quarry_test_other_node(test), here = first_memory_node;
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_64M);
	struct page **more = quarry_test_pages(test, PAGES_TAKEN);
	struct quarry_pool_stats *before, *after;
	unsigned int i, woken = 0;
	struct page *page[2];
	unsigned long flags;

	quarry_test_pin(test, cpumask_first(cpumask_of_node(here)));
	page[0] = quarry_alloc_pages_node(pool, here, GFP_KERNEL, 10);
	page[1] = quarry_alloc_pages_node(pool, other, GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, page[0]);
	KUNIT_ASSERT_NOT_NULL(test, page[1]);
	quarry_free_pages(pool, page[0], 10);
	quarry_free_pages(pool, page[1], 10);
	quarry_pool_drain(pool);
	pool->low = FRAMES(SZ_4M) + 1;
	before = quarry_test_stats(test, pool);
	for (i = 0; i < PAGES_TAKEN; i++) {
		/* What is queued stays so until interrupts are on. */
		local_irq_save(flags);
		more[i] = quarry_alloc_pages(pool, GFP_ATOMIC, 0);
		woken += READ_ONCE(pool->woken) || irq_work_is_busy(&pool->grow_irq);
		local_irq_restore(flags);
		KUNIT_EXPECT_NOT_NULL(test, more[i]);
	}
	after = quarry_test_stats(test, pool);
	kunit_info(test, "woken %u times by %llu refills", woken, after->refills - before->refills);
	KUNIT_EXPECT_EQ(test, woken, 0);
	KUNIT_EXPECT_GT(test, after->refills - before->refills, 10);
	quarry_test_give_all(pool, 0, more, PAGES_TAKEN);
	pool->low = 0;
}

static struct kunit_case watermark_cases[] = {
	KUNIT_CASE(the_shrinker_leaves_what_the_mark_needs),
	KUNIT_CASE(the_background_backs_off),
	KUNIT_CASE(runs_wake_the_background),
	KUNIT_CASE(the_mark_is_the_pools),
	{}
};

static struct kunit_suite watermark_suite = {
	.name = "quarry-watermark",
	.test_cases = watermark_cases,
};

kunit_test_suite(watermark_suite);
