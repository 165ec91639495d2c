// SPDX-License-Identifier: GPL-2.0
/*
 * Modes of pools: writes to free pages are seen, and told of nothing else; who has a page is
 * known; modes are switched while others allocate, and a switch that fails has done nothing.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/poison.h>

#include "../../module/pages/guard.h"
#include "../quarry_kunit.h"

#define POOL	SZ_4M
#define ALL	FRAMES(POOL)

/* More steps than a switch has. */
#define STEPS_MAX	50

static struct quarry_pool *pool_with(struct kunit *test, unsigned int modes)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, POOL, POOL);

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, modes));
	KUNIT_ASSERT_EQ(test, quarry_pool_modes(pool), modes);
	return pool;
}

static u64 seen(struct kunit *test, struct quarry_pool *pool)
{
	return quarry_test_stats(test, pool)->errors[QUARRY_ERR_USE_AFTER_FREE];
}

/* Is a page, which is free, as CHECK leaves it? */
static bool is_filled(const struct page *page)
{
	return !quarry_test_unseen(memchr_inv(page_address(page), POISON_FREE, PAGE_SIZE));
}

/* All there is but @out goes out once, and comes back: whatever was written to is seen. */
static void take_and_give_rest(struct kunit *test, struct quarry_pool *pool, unsigned int out)
{
	struct page **page = quarry_test_pages(test, ALL + 1);
	unsigned int nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, page, ALL + 1), i;

	KUNIT_EXPECT_EQ(test, nr, ALL - out);
	/* What its owner writes is no matter. */
	for (i = 0; i < nr; i++)
		quarry_test_fill(page[i], 0, 1);
	quarry_test_give_all(pool, 0, page, nr);
}

static void take_and_give_all(struct kunit *test, struct quarry_pool *pool)
{
	take_and_give_rest(test, pool, 0);
}

static void a_write_after_free_is_seen_once(struct kunit *test)
{
	struct quarry_pool *pool = pool_with(test, QUARRY_MODE_CHECK);
	struct quarry_pool_stats *before;
	struct page *page;
	unsigned int order;

	for (order = 0; order <= quarry_max_order(); order += 5) {
		page = quarry_alloc_pages(pool, GFP_KERNEL, order);
		KUNIT_ASSERT_NOT_NULL(test, page);
		quarry_test_fill(page, order, 7);
		quarry_free_pages(pool, page, order);
		page += (1UL << order) - 1;
		KUNIT_EXPECT_TRUE(test, is_filled(page));
		before = quarry_test_stats(test, pool);
		quarry_test_unseen(*((u8 *)page_address(page) + 77) = 1);
		take_and_give_all(test, pool);
		quarry_test_only_error(test, pool, before, QUARRY_ERR_USE_AFTER_FREE, 1);
		/* It was filled anew. */
		take_and_give_all(test, pool);
		quarry_test_only_error(test, pool, before, QUARRY_ERR_USE_AFTER_FREE, 1);
	}
	quarry_test_at_rest(test, pool);
}

/* By whichever way it was freed, and is taken. */
static void every_way_of_a_page_is_watched(struct kunit *test)
{
	struct quarry_pool *pool = pool_with(test, QUARRY_MODE_CHECK);
	struct quarry_range run = { .bytes = 100 * PAGE_SIZE, .gfp = GFP_KERNEL };
	struct page *pages[8], *page;
	struct quarry_mempool *r;
	phys_addr_t at;
	u64 was;

	/* A run, its tail, and the whole pool as one. */
	KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &run, &at));
	KUNIT_ASSERT_EQ(test, 0, quarry_trim(pool, at, run.bytes, 50 * PAGE_SIZE));
	quarry_test_unseen(*((u8 *)phys_to_virt(at) + 60 * PAGE_SIZE) = 1);
	take_and_give_rest(test, pool, 50);
	KUNIT_EXPECT_EQ(test, seen(test, pool), 1);
	KUNIT_ASSERT_EQ(test, 0, quarry_free_range(pool, at, 50 * PAGE_SIZE));
	quarry_test_unseen(*(u8 *)phys_to_virt(at) = 1);
	page = quarry_alloc_pages(pool, GFP_KERNEL, 10);
	quarry_free_pages(pool, page, 10);
	take_and_give_all(test, pool);
	was = seen(test, pool);
	KUNIT_EXPECT_EQ(test, was, 2);
	/* Many at once, and those set aside. */
	KUNIT_ASSERT_EQ(test, 8, quarry_alloc_pages_bulk(pool, GFP_KERNEL, 0, 8, pages));
	page = pages[5];
	quarry_free_pages_bulk(pool, 0, 8, pages);
	quarry_test_unseen(*(u8 *)page_address(page) = 1);
	take_and_give_all(test, pool);
	KUNIT_EXPECT_EQ(test, seen(test, pool), was + 1);
	r = quarry_mempool_create(pool, 0, 8);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, r);
	page = quarry_mempool_alloc(r, GFP_KERNEL);
	quarry_test_fill(page, 0, 3);
	quarry_mempool_free(r, page);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(r));
	take_and_give_all(test, pool);
	KUNIT_EXPECT_EQ(test, seen(test, pool), was + 1);
	/* Zeros are zeros. */
	page = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_ZERO, 3);
	KUNIT_EXPECT_TRUE(test, quarry_test_zeroed(page, 3));
	quarry_free_pages(pool, page, 3);
	quarry_test_at_rest(test, pool);
}

/* A function of its own, to be looked for. */
static noinline struct page *the_owner(struct quarry_pool *pool, unsigned int order)
{
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, order);

	barrier();
	return page;
}

static u64 owned(struct kunit *test, struct quarry_pool *pool, u64 *untraced)
{
	struct quarry_trace *t = kunit_kcalloc(test, 16, sizeof(*t), GFP_KERNEL);
	unsigned int nr, i;
	u64 pages = 0;

	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_traces(pool, t, 16, &nr, untraced));
	for (i = 0; i < min(nr, 16U); i++) {
		KUNIT_EXPECT_EQ(test, t[i].pid, task_pid_nr(current));
		if (strstr(t[i].text, "the_owner"))
			pages += t[i].objects;
	}
	return pages;
}

static void who_has_a_page_is_known(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, POOL, POOL);
	struct quarry_range run = { .bytes = 600 * PAGE_SIZE, .gfp = GFP_KERNEL };
	struct page *before, *one, *many;
	phys_addr_t at;
	u64 untraced;

	before = the_owner(pool, 2);
	KUNIT_EXPECT_EQ(test, owned(test, pool, &untraced), 0);
	KUNIT_EXPECT_EQ(test, untraced, 0);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_MODE_OWNER));
	/* What was taken before has no owner, and says so. */
	KUNIT_EXPECT_EQ(test, owned(test, pool, &untraced), 0);
	KUNIT_EXPECT_EQ(test, untraced, 4);
	one = the_owner(pool, 0);
	many = the_owner(pool, 6);
	KUNIT_EXPECT_EQ(test, owned(test, pool, &untraced), 65);
	KUNIT_EXPECT_EQ(test, untraced, 4);
	/* A run of odd length, over the borders of areas, is counted once. */
	KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &run, &at));
	KUNIT_EXPECT_EQ(test, owned(test, pool, &untraced), 65);
	KUNIT_EXPECT_EQ(test, untraced, 4);
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, at, run.bytes));
	quarry_free_pages(pool, before, 2);
	quarry_free_pages(pool, many, 6);
	KUNIT_EXPECT_EQ(test, owned(test, pool, &untraced), 1);
	KUNIT_EXPECT_EQ(test, untraced, 0);
	quarry_free_pages(pool, one, 0);
	KUNIT_EXPECT_EQ(test, owned(test, pool, &untraced), 0);
}

static bool is_blocked(struct quarry_pool *pool)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (per_cpu_ptr(pool->pcp, cpu)->blocked)
			return true;
	return false;
}

/* With the last mode all is as it was: no table, and the fast path. */
static void off_is_as_before(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, POOL, POOL);
	u64 bytes = quarry_test_stats(test, pool)->metadata_bytes, slow;
	struct page *page;

	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_set_modes(pool, QUARRY_MODE_REDZONE));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_set_modes(pool, ~0U));
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_POOL_MODES));
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->modes, QUARRY_POOL_MODES);
	KUNIT_EXPECT_GE(test, quarry_test_stats(test, pool)->metadata_bytes,
			bytes + ALL * sizeof(struct quarry_page_record));
	KUNIT_EXPECT_TRUE(test, is_blocked(pool));
	/* What fails on request does so in between, and neither ends the other. */
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_inject(pool, 1, 0));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_inject(pool, 0, 0));
	KUNIT_EXPECT_TRUE(test, is_blocked(pool));
	take_and_give_all(test, pool);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_MODE_OWNER));
	take_and_give_all(test, pool);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, 0));
	KUNIT_EXPECT_FALSE(test, is_blocked(pool));
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->metadata_bytes, bytes);
	/* The first is slow: a list has to be filled. Another is not. */
	page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	quarry_free_pages(pool, page, 0);
	slow = quarry_test_stats(test, pool)->slow_allocs;
	page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	quarry_free_pages(pool, page, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->slow_allocs, slow);
	/* What was written meanwhile is nobody's concern. */
	quarry_test_unseen(*(u8 *)page_address(page) = 1);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_MODE_CHECK));
	take_and_give_all(test, pool);
	KUNIT_EXPECT_EQ(test, seen(test, pool), 0);
	quarry_test_at_rest(test, pool);
}

static void a_switch_that_fails_is_undone(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, POOL, POOL);
	u64 bytes = quarry_test_stats(test, pool)->metadata_bytes;
	unsigned int nth, fired;
	int err;

	for (nth = 1; nth < STEPS_MAX; nth++) {
		quarry_inject_set(nth);
		err = quarry_pool_set_modes(pool, QUARRY_POOL_MODES);
		fired = quarry_inject_fired();
		quarry_inject_set(0);
		KUNIT_EXPECT_EQ(test, err, fired ? -ENOMEM : 0);
		KUNIT_EXPECT_EQ(test, quarry_pool_modes(pool), fired ? 0 : QUARRY_POOL_MODES);
		KUNIT_EXPECT_EQ(test, is_blocked(pool), !fired);
		if (!fired)
			break;
		KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->metadata_bytes, bytes);
		take_and_give_all(test, pool);
	}
	/* The depot, and a table for the arena. */
	KUNIT_EXPECT_GE(test, nth, 3);
	KUNIT_EXPECT_LT(test, nth, STEPS_MAX);
	take_and_give_all(test, pool);
	KUNIT_EXPECT_EQ(test, seen(test, pool), 0);
}

/* Arenas that come bring a table, and take it with them. */
static void a_pool_that_grows_is_watched(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, POOL);
	struct page *page;
	u64 untraced;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_POOL_MODES));
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->metadata_bytes, 0);
	page = the_owner(pool, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, owned(test, pool, &untraced), 1);
	KUNIT_EXPECT_EQ(test, untraced, 0);
	quarry_free_pages(pool, page, 0);
	quarry_pool_shrink(pool, ~0ULL);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->metadata_bytes, 0);
}

struct visit {
	struct quarry_pool *pool;
	struct page *page;
	struct page *freed;
};

static void trip(void *data)
{
	struct visit *v = data;

	v->page = quarry_alloc_pages(v->pool, GFP_NOWAIT, 0);
	quarry_free_pages(v->pool, v->freed, 0);
}

/* In NMI the depot is not asked: its page has no owner, and all else is as anywhere. */
static void nothing_waits_in_nmi(struct kunit *test)
{
	struct quarry_pool *pool = pool_with(test, QUARRY_POOL_MODES);
	struct visit v = { .pool = pool, .freed = the_owner(pool, 0) };
	u64 untraced;
	bool ran;

	KUNIT_ASSERT_EQ(test, 0, quarry_test_nmi_init());
	preempt_disable();
	ran = quarry_test_in_nmi(trip, &v);
	preempt_enable();
	quarry_test_nmi_exit();
	if (!ran) {
		quarry_free_pages(pool, v.freed, 0);
		kunit_skip(test, "no NMI");
	}
	KUNIT_ASSERT_NOT_NULL(test, v.page);
	KUNIT_EXPECT_EQ(test, owned(test, pool, &untraced), 0);
	KUNIT_EXPECT_EQ(test, untraced, 1);
	KUNIT_EXPECT_TRUE(test, is_filled(v.freed));
	quarry_free_pages(pool, v.page, 0);
	take_and_give_all(test, pool);
	KUNIT_EXPECT_EQ(test, seen(test, pool), 0);
}

static struct kunit_case page_modes_cases[] = {
	KUNIT_CASE(a_write_after_free_is_seen_once),
	KUNIT_CASE(every_way_of_a_page_is_watched),
	KUNIT_CASE(who_has_a_page_is_known),
	KUNIT_CASE(off_is_as_before),
	KUNIT_CASE(a_switch_that_fails_is_undone),
	KUNIT_CASE(a_pool_that_grows_is_watched),
	KUNIT_CASE(nothing_waits_in_nmi),
	{}
};

static struct kunit_suite page_modes_suite = {
	.name = "quarry-page-modes",
	.suite_init = quarry_test_parameters,
	.test_cases = page_modes_cases,
};

kunit_test_suite(page_modes_suite);
