// SPDX-License-Identifier: GPL-2.0
/*
 * The per-CPU lists: how long they are, what they give back by itself, and drains that go
 * no further than they must.
 */
#include <linux/delay.h>

#include "../quarry_kunit.h"

#define LIVE	512

/*
 * Memory that is in four places at least, wherever the kernel has it: a place that has 8 MiB
 * gets no more while another has nothing.
 */
#define PLACED	SZ_32M

static struct quarry_cpu_stats list_here(struct kunit *test, struct quarry_pool *pool,
					 unsigned int order)
{
	struct quarry_cpu_stats cs;

	quarry_pool_cpu_snapshot(pool, raw_smp_processor_id(), order, &cs);
	return cs;
}

/* Blocks that this CPU's list has not taken for their place, modulo 2^16. */
static u16 strayed_here(struct quarry_pool *pool, unsigned int order)
{
	struct quarry_cold *cold = quarry_pcp_cold(per_cpu_ptr(pool->pcp, raw_smp_processor_id()));

	return cold ? READ_ONCE(cold->part[order].strays) : 0;
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
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_16M, SZ_64M);
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
	KUNIT_EXPECT_EQ(test, after->flushes, before->flushes);
	KUNIT_EXPECT_EQ(test, after->free_bytes, before->free_bytes);
	/* But for the looks. */
	KUNIT_EXPECT_LE(test, after->slow_frees - before->slow_frees,
			3 * QUARRY_PCP_SINGLES / QUARRY_LOOK_LEAST + 1);
	KUNIT_EXPECT_EQ(test, after->allocs - before->allocs, 3 * QUARRY_PCP_SINGLES);
}

static u8 place_of(struct page *page)
{
	struct quarry_page_arena *c = quarry_test_arena(page);

	return c->arena.areas[(page_to_pfn(page) - c->arena.base) / QUARRY_AREA_FRAMES].place;
}

/* Of @nr pages one in the first or the last of their places, taken out of the array. */
static struct page *take_from_place(struct page **pages, unsigned int *nr, bool last)
{
	unsigned int i, at = 0;
	struct page *page;

	for (i = 1; i < *nr; i++)
		if (last ? place_of(pages[i]) > place_of(pages[at]) :
			   place_of(pages[i]) < place_of(pages[at]))
			at = i;
	page = pages[at];
	pages[at] = pages[--*nr];
	return page;
}

/* Free and take, over and over, until a CPU knows where blocks are freed. */
static struct page *settle(struct quarry_pool *pool, struct page *page)
{
	unsigned int i;

	for (i = 0; i < 64 * QUARRY_LOOK; i++) {
		quarry_free_pages(pool, page, 0);
		page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	}
	return page;
}

static void pages_of_the_last_places_go_to_the_zone(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, PLACED, PLACED);
	struct page **pages = quarry_test_pages(test, FRAMES(PLACED));
	struct page *first, *last[QUARRY_PCP_STRAYS];
	struct quarry_pool_stats *before, *after;
	unsigned int nr, n, i;

	nr = quarry_alloc_pages_bulk(pool, GFP_KERNEL, 0, FRAMES(PLACED), pages);
	KUNIT_ASSERT_EQ(test, nr, FRAMES(PLACED));
	first = take_from_place(pages, &nr, false);
	for (i = 0; i < ARRAY_SIZE(last); i++) {
		last[i] = take_from_place(pages, &nr, true);
		KUNIT_ASSERT_GT(test, place_of(last[i]), place_of(first) + 1);
	}
	/* There is no other page, so that this one comes and goes. */
	KUNIT_ASSERT_PTR_EQ(test, first, settle(pool, first));
	n = list_here(test, pool, 0).n;
	before = quarry_test_stats(test, pool);
	/* They wait until there are some, which is no stay on the list. */
	quarry_test_give_all(pool, 0, last, ARRAY_SIZE(last) - 1);
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).n, n);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).strays, ARRAY_SIZE(last) - 1);
	KUNIT_EXPECT_EQ(test, after->free_bytes, before->free_bytes);
	KUNIT_EXPECT_EQ(test, after->pcp_bytes,
			before->pcp_bytes + (ARRAY_SIZE(last) - 1) * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, after->frees, before->frees + ARRAY_SIZE(last) - 1);
	KUNIT_EXPECT_EQ(test, after->flushes, before->flushes);
	quarry_free_pages(pool, last[ARRAY_SIZE(last) - 1], 0);
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).n, n);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).strays, 0);
	KUNIT_EXPECT_EQ(test, after->free_bytes,
			before->free_bytes + ARRAY_SIZE(last) * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, after->pcp_bytes, before->pcp_bytes);
	KUNIT_EXPECT_EQ(test, after->frees, before->frees + ARRAY_SIZE(last));
	KUNIT_EXPECT_EQ(test, after->flushes, before->flushes + 1);
	/* One that strays does not make the others stray. */
	quarry_free_pages(pool, first, 0);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).n, n + 1);
	quarry_test_give_all(pool, 0, pages, nr);
	quarry_test_sound(test, pool);
}

/* What is used over and over is on the list in the end, wherever it lies. */
static void who_uses_the_last_place_alone_has_a_list(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, PLACED, PLACED);
	struct page **pages = quarry_test_pages(test, FRAMES(PLACED));
	struct quarry_pool_stats *before, *after;
	struct page *first, *last;
	unsigned int nr, i;

	nr = quarry_alloc_pages_bulk(pool, GFP_KERNEL, 0, FRAMES(PLACED), pages);
	KUNIT_ASSERT_EQ(test, nr, FRAMES(PLACED));
	first = settle(pool, take_from_place(pages, &nr, false));
	last = settle(pool, take_from_place(pages, &nr, true));
	KUNIT_ASSERT_GT(test, place_of(last), place_of(first) + 1);
	before = quarry_test_stats(test, pool);
	for (i = 0; i < QUARRY_LOOK / 2; i++) {
		quarry_free_pages(pool, last, 0);
		last = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	}
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->refills, before->refills);
	KUNIT_EXPECT_LE(test, after->slow_frees, before->slow_frees + 1);
	pages[nr++] = first;
	pages[nr++] = last;
	quarry_test_give_all(pool, 0, pages, nr);
	quarry_test_sound(test, pool);
}

/* A free and an alloc in turn, of pages all over the pool, are what packs it. */
static void one_by_one_packs(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_32M, SZ_32M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_32M));
	unsigned int nr, at, i, whole;
	u64 dice = quarry_test_seed;

	nr = quarry_alloc_pages_bulk(pool, GFP_KERNEL, 0, FRAMES(SZ_32M), pages);
	KUNIT_ASSERT_EQ(test, nr, FRAMES(SZ_32M));
	while (nr > FRAMES(SZ_32M) / 4) {
		at = quarry_test_random(&dice, nr);
		quarry_free_pages(pool, pages[at], 0);
		pages[at] = pages[--nr];
	}
	quarry_pool_drain(pool);
	whole = quarry_test_stats(test, pool)->areas_free;
	KUNIT_EXPECT_EQ(test, whole, 0);
	for (i = 0; i < 20 * FRAMES(SZ_32M); i++) {
		at = quarry_test_random(&dice, nr);
		quarry_free_pages(pool, pages[at], 0);
		pages[at] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	}
	quarry_pool_drain(pool);
	whole = quarry_test_stats(test, pool)->areas_free;
	kunit_info(test, "%u of 16 areas whole, 12 could be", whole);
	KUNIT_EXPECT_GE(test, whole, 10);
	quarry_test_give_all(pool, 0, pages, nr);
}

/* Capacity goes to who needs it, and all of it together is never above the limit. */
static void orders_share_the_limit(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_16M, SZ_64M);
	u64 limit = quarry_test_stats(test, pool)->cache_limit_bytes, cap;
	struct page **pages = quarry_test_pages(test, LIVE);
	unsigned int k, j, round, nr;
	u16 strayed;

	for (round = 0; round < 3; round++)
		for (k = 0; k < 8; k++) {
			nr = quarry_alloc_pages_bulk(pool, GFP_KERNEL, k,
						     min(LIVE, FRAMES(SZ_8M) >> k), pages);
			strayed = strayed_here(pool, k);
			quarry_test_give_all(pool, k, pages, nr);
			/* But where all that it freed lies in a place that is to empty. */
			KUNIT_EXPECT_TRUE_MSG(test, list_here(test, pool, k).cap > 0 ||
					      (u16)(strayed_here(pool, k) - strayed) == nr,
					      "order %u, round %u, %u blocks, limit %llu", k, round,
					      nr, limit);
			for (j = 0, cap = 0; j < QUARRY_PCP_ORDERS; j++)
				cap += (u64)list_here(test, pool, j).cap << j << PAGE_SHIFT;
			KUNIT_EXPECT_LE(test, cap, limit);
			quarry_test_sound(test, pool);
		}
}

/* A pool is cut into as many parts as there are CPUs that use it. */
static void the_limit_is_shared_by_who_uses_the_pool(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, 0, SZ_16M);
	struct quarry_pool_stats *st = quarry_test_stats(test, pool);
	const u64 closed = st->percpu_bytes;
	struct page *page;

	/* Never used: a quarter KiB for each CPU that could be. */
	KUNIT_EXPECT_LE(test, closed, 256 * num_possible_cpus());
	page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	st = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, st->cache_limit_bytes, SZ_16M / 32);
	KUNIT_EXPECT_EQ(test, st->percpu_bytes, closed + sizeof(struct quarry_cold));
	quarry_test_pin(test, cpumask_first(cpu_online_mask));
	quarry_free_pages(pool, page, 0);
	st = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, st->cache_limit_bytes, SZ_16M / 64);
	KUNIT_EXPECT_EQ(test, st->percpu_bytes, closed + 2 * sizeof(struct quarry_cold));
}

/* Under a lock, say: the memory for lists must not be asked for there. */
static void call_without_sleeping(struct kunit *test, struct quarry_pool *pool)
{
	struct page *page;

	preempt_disable();
	page = quarry_alloc_pages(pool, GFP_ATOMIC, 0);
	quarry_free_pages(pool, page, 0);
	preempt_enable();
	KUNIT_EXPECT_NOT_NULL(test, page);
}

static void who_may_not_be_preempted_gets_lists_later(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	const u64 closed = quarry_test_stats(test, pool)->percpu_bytes;
	struct quarry_pool_stats *st;
	unsigned int i;

	call_without_sleeping(test, pool);
	/* It went to the zone, and is told of all the same. */
	st = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, st->allocs, 1);
	KUNIT_EXPECT_EQ(test, st->frees, 1);
	KUNIT_EXPECT_EQ(test, st->pcp_bytes, 0);
	for (i = 0; i < 2000 && quarry_test_stats(test, pool)->percpu_bytes == closed; i++) {
		msleep(20);
		call_without_sleeping(test, pool);
	}
	st = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, st->percpu_bytes, closed + sizeof(struct quarry_cold));
	KUNIT_EXPECT_EQ(test, st->allocs, i + 1);
	call_without_sleeping(test, pool);
	KUNIT_EXPECT_GT(test, list_here(test, pool, 0).n, 0);
}

/* The list of order 10 has an arena; that of order 0 pages out of the other one. */
static void a_drain_goes_no_further_than_it_must(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_8M, SZ_256M);
	struct page *arena, *area, *singles[4];
	struct quarry_pool_stats *before;
	unsigned int i, on_lists;

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
	on_lists = list_here(test, pool, 0).n;
	KUNIT_ASSERT_GT(test, on_lists, 0);
	KUNIT_ASSERT_EQ(test, list_here(test, pool, 10).n, 1);
	before = quarry_test_stats(test, pool);

	singles[0] = quarry_alloc_pages(pool, GFP_ATOMIC, 9);
	KUNIT_ASSERT_NOT_NULL(test, singles[0]);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->drains, before->drains + 1);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 10).n, 0);
	KUNIT_EXPECT_EQ(test, list_here(test, pool, 0).n, on_lists);
	quarry_free_pages(pool, singles[0], 9);
	quarry_free_pages(pool, area, 9);
	quarry_test_sound(test, pool);
}

static struct kunit_case lists_cases[] = {
	KUNIT_CASE(batches_make_a_list_long),
	KUNIT_CASE(pages_of_the_last_places_go_to_the_zone),
	KUNIT_CASE(who_uses_the_last_place_alone_has_a_list),
	KUNIT_CASE(one_by_one_packs),
	KUNIT_CASE(orders_share_the_limit),
	KUNIT_CASE(the_limit_is_shared_by_who_uses_the_pool),
	KUNIT_CASE(who_may_not_be_preempted_gets_lists_later),
	KUNIT_CASE(a_drain_goes_no_further_than_it_must),
	{}
};

static struct kunit_suite lists_suite = {
	.name = "quarry-lists",
	.suite_init = quarry_test_parameters,
	.test_cases = lists_cases,
};

kunit_test_suite(lists_suite);
