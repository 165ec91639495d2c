// SPDX-License-Identifier: GPL-2.0
/*
 * The capacity of the per-CPU lists: long where a client works in batches, short where
 * its calls cancel out; and drains that go no further than they must.
 */
#include "quarry_kunit.h"

#define LIVE	512

static struct quarry_cpu_stats list_here(struct kunit *test, struct quarry_pool *pool,
					 unsigned int order)
{
	struct quarry_cpu_stats cs;

	quarry_pool_cpu_snapshot(pool, raw_smp_processor_id(), order, &cs);
	return cs;
}

/* Batches of 128 singles, out and back. */
static void batches(struct kunit *test, struct quarry_pool *pool, struct page **pages,
		    unsigned int rounds)
{
	unsigned int i;

	while (rounds--) {
		for (i = 0; i < QUARRY_PCP_SINGLES; i++) {
			pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
			KUNIT_ASSERT_NOT_NULL(test, pages[i]);
		}
		quarry_test_give_all(pool, 0, pages, QUARRY_PCP_SINGLES);
	}
}

static void batches_make_a_list_long(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_16M, SZ_16M);
	struct page **pages = quarry_test_pages(test, LIVE);
	struct quarry_pool_stats *before, *after;

	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).cap, 0);
	batches(test, pool, pages, 2);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).cap, QUARRY_PCP_SINGLES);
	/* Long enough: the zone is not seen again. */
	before = quarry_test_stats(test, pool);
	batches(test, pool, pages, 3);
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->slow_allocs, before->slow_allocs);
	KUNIT_EXPECT_EQ(test, after->slow_frees, before->slow_frees);
	KUNIT_EXPECT_EQ(test, after->allocs - before->allocs, 3 * QUARRY_PCP_SINGLES);
}

static void calls_that_cancel_out_make_it_short(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_16M, SZ_16M);
	struct page **pages = quarry_test_pages(test, LIVE);
	unsigned int i, at, longest = 0, nr = 0;
	u64 dice = quarry_test_seed;

	batches(test, pool, pages, 2);
	for (i = 0; i < 40000; i++) {
		if (nr < LIVE && (!nr || quarry_test_random(&dice, 2))) {
			pages[nr] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
			KUNIT_ASSERT_NOT_NULL(test, pages[nr]);
			nr++;
		} else {
			at = quarry_test_random(&dice, nr);
			quarry_free_pages(pool, pages[at], 0);
			pages[at] = pages[--nr];
		}
		/* It settles well below what batches get, and stays there. */
		if (i >= 30000)
			longest = max_t(unsigned int, longest,
					list_here(test, pool, 0).cap);
	}
	kunit_info(test, "capacity at most %u in the last 10000 calls", longest);
	KUNIT_EXPECT_GT(test, longest, 0);
	KUNIT_EXPECT_LE(test, longest, QUARRY_PCP_SINGLES / 2);
	quarry_test_give_all(pool, 0, pages, nr);
	/* And is long again when batches come back. */
	batches(test, pool, pages, 3);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).cap, QUARRY_PCP_SINGLES);
}

/* The list of order 10 has an arena; that of order 0 pages out of the other one. */
static void a_drain_goes_no_further_than_it_must(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_8M, SZ_64M);
	struct page *arena, *area, *singles[4];
	struct quarry_pool_stats *before;
	unsigned int i, cached;

	arena = quarry_alloc_pages(pool, GFP_ATOMIC, 10);
	KUNIT_ASSERT_NOT_NULL(test, arena);
	for (i = 0; i < ARRAY_SIZE(singles); i++) {
		singles[i] = quarry_alloc_pages(pool, GFP_ATOMIC, 0);
		KUNIT_ASSERT_NOT_NULL(test, singles[i]);
	}
	quarry_test_give_all(pool, 0, singles, ARRAY_SIZE(singles));
	area = quarry_alloc_pages(pool, GFP_ATOMIC, 9);
	KUNIT_ASSERT_NOT_NULL(test, area);
	quarry_free_pages(pool, arena, 10);
	cached = list_here(test, pool, 0).n;
	KUNIT_ASSERT_GT(test, cached, 0);
	KUNIT_ASSERT_EQ(test, list_here(test, pool, 10).n, 1);
	before = quarry_test_stats(test, pool);

	singles[0] = quarry_alloc_pages(pool, GFP_ATOMIC, 9);
	KUNIT_ASSERT_NOT_NULL(test, singles[0]);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->drains, before->drains + 1);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 10).n, 0);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).n, cached);
	quarry_free_pages(pool, singles[0], 9);
	quarry_free_pages(pool, area, 9);
	quarry_test_sound(test, pool);
}

/* A full list takes a quarter more rather than wait for the zone's lock. */
static void nobody_waits_for_the_zone_to_free(struct kunit *test)
{
	const unsigned int most = QUARRY_PCP_SINGLES + QUARRY_PCP_SINGLES / 4;
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_16M, SZ_16M);
	struct page **pages = quarry_test_pages(test, LIVE);
	struct quarry_zone *z;
	unsigned long flags;
	unsigned int i, nr;

	batches(test, pool, pages, 2);
	nr = quarry_alloc_pages_bulk(pool, GFP_KERNEL, 0, LIVE, pages);
	KUNIT_ASSERT_EQ(test, nr, LIVE);
	quarry_pool_drain(pool);
	z = quarry_buddy_zone(quarry_test_chunk(pages[0])->buddy);
	while (list_here(test, pool, 0).n < QUARRY_PCP_SINGLES)
		quarry_free_pages(pool, pages[--nr], 0);
	KUNIT_ASSERT_EQ(test, list_here(test, pool, 0).cap, QUARRY_PCP_SINGLES);
	/* With our own lock held, waiting for it would be the end of the test. */
	raw_spin_lock_irqsave(&z->lock, flags);
	for (i = QUARRY_PCP_SINGLES; i < most; i++)
		quarry_free_pages(pool, pages[--nr], 0);
	raw_spin_unlock_irqrestore(&z->lock, flags);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).n, most);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).cap, most);
	KUNIT_EXPECT_EQ(test, 0, quarry_test_faults(test, pool, ""));
	/* And is as long as it should be again after a few. */
	quarry_test_give_all(pool, 0, pages, nr);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).cap, QUARRY_PCP_SINGLES);
	quarry_test_sound(test, pool);
}

static struct kunit_case lists_cases[] = {
	KUNIT_CASE(batches_make_a_list_long),
	KUNIT_CASE(calls_that_cancel_out_make_it_short),
	KUNIT_CASE(a_drain_goes_no_further_than_it_must),
	KUNIT_CASE(nobody_waits_for_the_zone_to_free),
	{}
};

static struct kunit_suite lists_suite = {
	.name = "quarry-lists",
	.suite_init = quarry_test_parameters,
	.test_cases = lists_cases,
};

kunit_test_suite(lists_suite);
