// SPDX-License-Identifier: GPL-2.0
/*
 * Where a pool ends: exhaustion, its reasons, and those who may not fail.
 *
 * A pool whose floor is its cap has a known number of frames; so many, and not one
 * fewer, must come out of it wherever they lie, lists of other CPUs included. Each
 * reason to refuse is provoked once and must be counted once, and no other with it.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/task.h>

#include "../quarry_kunit.h"

/* The counters of refusals, in the order of struct quarry_pool_stats. */
enum reason { LIMIT, FRAGMENTED, NOWAIT, KERNEL, INJECTED, REASONS };

static u64 refusals(const struct quarry_pool_stats *st, enum reason r)
{
	const u64 counts[REASONS] = {
		[LIMIT] = st->fail_limit, [FRAGMENTED] = st->fail_fragmented,
		[NOWAIT] = st->fail_nowait, [KERNEL] = st->fail_kernel,
		[INJECTED] = st->fail_injected,
	};

	return counts[r];
}

static void expect_refused(struct kunit *test, struct quarry_pool *pool,
			   const struct quarry_pool_stats *before, int reason, u64 nr)
{
	struct quarry_pool_stats *now = quarry_test_stats(test, pool);
	int r;

	for (r = 0; r < REASONS; r++)
		KUNIT_EXPECT_EQ_MSG(test, refusals(now, r) - refusals(before, r),
				    r == reason ? nr : 0, "reason %d", r);
	quarry_test_only_error(test, pool, before, -1, 0);
}

struct scatter {
	struct quarry_pool *pool;
	struct page *pages[64];
};

/* Take some of each small order, and leave them on this CPU's lists. */
static void leave_on_lists(void *arg)
{
	struct scatter *s = arg;
	unsigned int order, i;

	for (order = 0; order < 4; order++) {
		for (i = 0; i < ARRAY_SIZE(s->pages); i++)
			s->pages[i] = quarry_alloc_pages(s->pool, GFP_KERNEL | __GFP_NOWARN,
							 order);
		for (i = 0; i < ARRAY_SIZE(s->pages); i++)
			if (s->pages[i])
				quarry_free_pages(s->pool, s->pages[i], order);
	}
}

static void the_last_frame_comes_out(struct kunit *test)
{
	int other = quarry_test_other_cpu(test);
	struct quarry_pool *pool = quarry_test_pool(test, SZ_16M, SZ_16M);
	struct scatter *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_16M) + 1);
	unsigned int nr, order;

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->pool = pool;
	for (order = 0; order <= quarry_max_order(); order += 5) {
		quarry_test_on_cpu(test, 0, leave_on_lists, s);
		quarry_test_on_cpu(test, other, leave_on_lists, s);
		KUNIT_EXPECT_GT(test, quarry_test_stats(test, pool)->pcp_bytes, 0);
		nr = quarry_test_take_all(test, pool, GFP_KERNEL, order, pages,
					  FRAMES(SZ_16M) + 1);
		KUNIT_EXPECT_EQ(test, nr, FRAMES(SZ_16M) >> order);
		KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->free_bytes, 0);
		KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->pcp_bytes, 0);
		quarry_test_sound(test, pool);
		quarry_test_give_all(pool, order, pages, nr);
	}
}

/* What an atomic caller can get: all but what lies on another CPU's lists. */
static void atomic_callers_get_what_can_be_reached(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page **pages = quarry_test_pages(test, 1025);
	unsigned int nr;

	quarry_test_pin(test, 0);
	nr = quarry_test_take_all(test, pool, GFP_ATOMIC, 0, pages, 1025);
	KUNIT_EXPECT_EQ(test, nr, 1024);
	quarry_test_give_all(pool, 0, pages, nr);
}

static void refused_at_the_limit(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *all = quarry_alloc_pages(pool, GFP_KERNEL, 10);
	struct quarry_pool_stats *before = quarry_test_stats(test, pool);
	unsigned int order;

	KUNIT_ASSERT_NOT_NULL(test, all);
	for (order = 0; order <= quarry_max_order(); order++)
		KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN,
							   order));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_ATOMIC | __GFP_NOWARN, 0));
	expect_refused(test, pool, before, LIMIT, quarry_max_order() + 2);
	quarry_free_pages(pool, all, 10);
}

static void refused_for_fragmentation(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page **pages = quarry_test_pages(test, 1025);
	struct quarry_pool_stats *before;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 1024, quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages,
							 1025));
	/* Free every frame with an even number. */
	for (i = 0; i < 1024; i++)
		if (!(page_to_pfn(pages[i]) & 1))
			quarry_free_pages(pool, pages[i], 0);
	before = quarry_test_stats(test, pool);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 1));
	expect_refused(test, pool, before, FRAGMENTED, 1);
	quarry_pool_drain(pool);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->largest_order, 0);
	for (i = 0; i < 1024; i++)
		if (page_to_pfn(pages[i]) & 1)
			quarry_free_pages(pool, pages[i], 0);
	quarry_pool_drain(pool);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->largest_order, 10);
}

static void refused_because_it_may_not_wait(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_8M);
	struct quarry_pool_stats *before = quarry_test_stats(test, pool);

	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_NOWAIT | __GFP_NOWARN, 0));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_ATOMIC | __GFP_NOWARN, 10));
	expect_refused(test, pool, before, NOWAIT, 2);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, 0);
}

/* Until the node is out of blocks: real pressure, and a growth that fails. */
static void refused_by_the_kernel(struct kunit *test)
{
	unsigned int room = FRAMES((u64)SZ_1G) >> 10, nr, tries;
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct page **pages = quarry_test_pages(test, room);
	struct quarry_pool_stats *before;
	struct quarry_pool *pool;

	cfg.node = quarry_test_other_node(test);
	pool = quarry_test_pool_of(test, &cfg);
	before = quarry_test_stats(test, pool);
	nr = quarry_test_take_all(test, pool, GFP_KERNEL | __GFP_NORETRY, 10, pages, room);
	KUNIT_EXPECT_GT(test, nr, 10);
	expect_refused(test, pool, before, KERNEL, 1);
	KUNIT_EXPECT_GT(test, quarry_test_stats(test, pool)->grow_failures,
			before->grow_failures);
	quarry_test_give_all(pool, 10, pages, nr);
	/* The kernel may have taken some by itself, and be at it: until it has them they count. */
	quarry_pool_shrink(pool, ~0ULL);
	for (tries = 0; atomic64_read(&pool->managed) && tries < 100; tries++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, 0);
}

static void refused_by_injection(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct quarry_range range = { .bytes = PAGE_SIZE, .gfp = GFP_KERNEL };
	struct quarry_pool_stats *before = quarry_test_stats(test, pool);
	phys_addr_t at;

	/* The first call opens the lists, which may fail without harm. */
	quarry_inject_set(1);
	quarry_free_pages(pool, quarry_alloc_pages(pool, GFP_KERNEL, 0), 0);
	KUNIT_EXPECT_EQ(test, quarry_inject_fired(), 1);
	quarry_inject_set(0);
	quarry_free_pages(pool, quarry_alloc_pages(pool, GFP_KERNEL, 0), 0);
	quarry_pool_drain(pool);
	quarry_inject_set(1);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL, 0));
	KUNIT_EXPECT_EQ(test, quarry_inject_fired(), 1);
	quarry_inject_set(1);
	KUNIT_EXPECT_EQ(test, -ENOMEM, quarry_alloc_range(pool, &range, &at));
	quarry_inject_set(0);
	expect_refused(test, pool, before, INJECTED, 2);
}

/* The cap holds whatever is asked for. */
static void never_above_the_cap(struct kunit *test)
{
	static const u64 caps[] = { PAGE_SIZE, 7 * PAGE_SIZE, SZ_1M, SZ_4M + SZ_64K, SZ_8M };
	unsigned int i, nr, room = FRAMES(SZ_8M) + 1;
	struct page **pages = quarry_test_pages(test, room);
	struct quarry_pool *pool;

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		pool = quarry_test_pool(test, 0, caps[i]);
		nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, room);
		/* To the frame. */
		KUNIT_EXPECT_EQ(test, nr, FRAMES(caps[i]));
		KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, caps[i]);
		quarry_test_give_all(pool, 0, pages, nr);
	}
}

static struct quarry_pool *pool_with_reserve(struct kunit *test, u64 reserve)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;

	cfg.min_bytes = SZ_4M;
	cfg.max_bytes = SZ_4M;
	cfg.reserve_bytes = reserve;
	/* On one node: the reserve is not spread. */
	cfg.node = first_memory_node;
	return quarry_test_pool_of(test, &cfg);
}

static void the_reserve_is_for_those_who_must_not_fail(struct kunit *test)
{
	struct quarry_pool *pool = pool_with_reserve(test, SZ_1M);
	struct page **pages = quarry_test_pages(test, 1025), *page;
	struct quarry_pool_stats *before;
	unsigned int nr, more;

	quarry_test_pin(test, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->reserve_bytes, SZ_1M);
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, 1025);
	KUNIT_EXPECT_EQ(test, nr, 768);
	before = quarry_test_stats(test, pool);
	page = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 0);
	KUNIT_EXPECT_NULL(test, page);
	expect_refused(test, pool, before, LIMIT, 1);
	more = quarry_test_take_all(test, pool, GFP_ATOMIC, 0, pages + nr, 1025 - nr);
	KUNIT_EXPECT_EQ(test, more, 256);
	quarry_test_give_all(pool, 0, pages, nr + more);
	/* Who only cannot wait is none of them; and it holds for large blocks as well. */
	quarry_pool_drain(pool);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 10));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_NOWAIT | __GFP_NOWARN, 10));
	page = quarry_alloc_pages(pool, GFP_ATOMIC, 10);
	KUNIT_EXPECT_NOT_NULL(test, page);
	if (page)
		quarry_free_pages(pool, page, 10);
}

static void the_reserve_holds_for_runs(struct kunit *test)
{
	struct quarry_pool *pool = pool_with_reserve(test, SZ_1M);
	struct quarry_range range = { .bytes = SZ_1M * 3 + PAGE_SIZE,
				      .gfp = GFP_KERNEL | __GFP_NOWARN };
	phys_addr_t at;

	KUNIT_EXPECT_EQ(test, -ENOMEM, quarry_alloc_range(pool, &range, &at));
	range.bytes -= PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, at, range.bytes));
	range.bytes = SZ_4M;
	range.gfp = GFP_ATOMIC;
	KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, at, range.bytes));
}

#define PROMISED	16

static void a_promise_is_kept_under_exhaustion(struct kunit *test)
{
	unsigned int order = *(const unsigned int *)test->param_value, nr, i, round;
	struct quarry_pool *pool = quarry_test_pool(test, SZ_16M, SZ_16M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_16M) + 1);
	struct page *mine[PROMISED + 1];
	struct quarry_mempool *reserve;

	reserve = quarry_mempool_create(pool, order, PROMISED);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reserve);
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, order, pages, FRAMES(SZ_16M) + 1);
	KUNIT_EXPECT_EQ(test, nr, (FRAMES(SZ_16M) >> order) - PROMISED);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < PROMISED; i++) {
			mine[i] = quarry_mempool_alloc(reserve, GFP_ATOMIC | __GFP_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, mine[i]);
			KUNIT_EXPECT_TRUE(test, quarry_test_zeroed(mine[i], order));
			quarry_test_fill(mine[i], order, i);
		}
		KUNIT_EXPECT_NULL(test, quarry_mempool_alloc(reserve, GFP_ATOMIC));
		KUNIT_EXPECT_EQ(test, -EBUSY, quarry_mempool_destroy(reserve));
		for (i = 0; i < PROMISED; i++) {
			KUNIT_EXPECT_TRUE(test, quarry_test_filled(mine[i], order, i));
			quarry_mempool_free(reserve, mine[i]);
		}
		/* It went to the promise, not to whoever asks. */
		KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN,
							   order));
		quarry_test_sound(test, pool);
	}
	quarry_test_give_all(pool, order, pages, nr);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(reserve));
}

static const unsigned int some_orders[] = { 0, 1, 4, 7 };

static void order_name(const unsigned int *order, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "order %u", *order);
}

KUNIT_ARRAY_PARAM(some_order, some_orders, order_name);

static void a_promise_that_cannot_be_kept_is_not_made(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_mempool *reserve;

	KUNIT_EXPECT_EQ(test, -ENOMEM, PTR_ERR(quarry_mempool_create(pool, 0, 1025)));
	KUNIT_EXPECT_EQ(test, -ENOMEM, PTR_ERR(quarry_mempool_create(pool, 10, 2)));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(quarry_mempool_create(pool, 0, 0)));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(quarry_mempool_create(pool, 11, 1)));
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(NULL));
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(ERR_PTR(-ENOMEM)));
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->allocated_bytes, 0);
	/* All there is can be promised. */
	reserve = quarry_mempool_create(pool, 10, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reserve);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(reserve));
}

struct waiter {
	struct quarry_pool *pool;
	struct page *page;
	struct completion done;
};

static int must_not_fail(void *data)
{
	struct waiter *w = data;

	w->page = quarry_alloc_pages(w->pool, GFP_KERNEL | __GFP_NOFAIL, 2);
	complete(&w->done);
	return 0;
}

static DEFINE_RAW_SPINLOCK(lock);

static void nofail_waits_for_a_free(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *all = quarry_alloc_pages(pool, GFP_KERNEL, 10);
	struct waiter w = { .pool = pool };
	struct task_struct *task;
	unsigned long flags;

	KUNIT_ASSERT_NOT_NULL(test, all);
	init_completion(&w.done);
	task = kthread_run(must_not_fail, &w, "quarry-nofail");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	while (!atomic_read(&pool->waiters))
		cond_resched();
	KUNIT_EXPECT_FALSE(test, completion_done(&w.done));
	KUNIT_EXPECT_FALSE(test, wait_for_completion_timeout(&w.done, HZ / 10));
	/* As a caller may who holds the innermost of locks. */
	raw_spin_lock_irqsave(&lock, flags);
	quarry_free_pages(pool, all, 10);
	raw_spin_unlock_irqrestore(&lock, flags);
	wait_for_completion(&w.done);
	KUNIT_EXPECT_NOT_NULL(test, w.page);
	quarry_free_pages(pool, w.page, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&pool->waiters), 0);
}

static struct kunit_case limits_cases[] = {
	KUNIT_CASE(the_last_frame_comes_out),
	KUNIT_CASE(atomic_callers_get_what_can_be_reached),
	KUNIT_CASE(refused_at_the_limit),
	KUNIT_CASE(refused_for_fragmentation),
	KUNIT_CASE(refused_because_it_may_not_wait),
	KUNIT_CASE(refused_by_the_kernel),
	KUNIT_CASE(refused_by_injection),
	KUNIT_CASE(never_above_the_cap),
	KUNIT_CASE(the_reserve_is_for_those_who_must_not_fail),
	KUNIT_CASE(the_reserve_holds_for_runs),
	KUNIT_CASE_PARAM(a_promise_is_kept_under_exhaustion, some_order_gen_params),
	KUNIT_CASE(a_promise_that_cannot_be_kept_is_not_made),
	KUNIT_CASE(nofail_waits_for_a_free),
	{}
};

/* A failing test must not leave injection armed for the next. */
static void limits_exit(struct kunit *test)
{
	quarry_inject_set(0);
}

static struct kunit_suite limits_suite = {
	.name = "quarry-limits",
	.exit = limits_exit,
	.test_cases = limits_cases,
};

kunit_test_suite(limits_suite);
