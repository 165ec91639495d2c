// SPDX-License-Identifier: GPL-2.0
/*
 * What clients must not do, done on purpose.
 *
 * Each kind of misuse is done in each place where it looks different to the module:
 * a double free of a block on a list, in the buddy, inside a block that was joined
 * since, and so on. It must be refused, counted once under its kind and under no
 * other, and leave the pool as it was: valid, with every other figure unchanged.
 *
 * The module reports each site with a stack; those in the kernel's log are meant.
 *
 * Stray references of the kernel end with a retired arena by design: the arena must never
 * go back to the kernel. Such a test keeps the arena's number of pages and, when its
 * pool is gone, gives them back by hand, so that nothing is lost.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../quarry_kunit.h"

/* A pool with nothing out but a block of order 3. */
struct fixture {
	struct quarry_pool *pool;
	struct quarry_pool *other;
	struct page *page;
	struct quarry_pool_stats *before;
};

static struct fixture set_up(struct kunit *test)
{
	struct fixture f = {};

	f.pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	f.other = quarry_test_pool(test, SZ_4M, SZ_4M);
	f.page = quarry_alloc_pages(f.pool, GFP_KERNEL, 3);
	KUNIT_ASSERT_NOT_NULL(test, f.page);
	quarry_pool_drain(f.pool);
	f.before = quarry_test_stats(test, f.pool);
	return f;
}

/* Counted so often under that kind, and nothing else has changed. */
static void expect_refused(struct kunit *test, struct fixture *f, int kind, u64 nr)
{
	struct quarry_pool_stats *now = quarry_test_stats(test, f->pool);

	quarry_test_only_error(test, f->pool, f->before, kind, nr);
	KUNIT_EXPECT_EQ(test, now->allocated_bytes, f->before->allocated_bytes);
	KUNIT_EXPECT_EQ(test, now->frees, f->before->frees);
	KUNIT_EXPECT_EQ(test, now->free_frames, f->before->free_frames);
	KUNIT_EXPECT_EQ(test, now->managed_bytes, f->before->managed_bytes);
	quarry_test_sound(test, f->pool);
	quarry_test_only_error(test, f->other, quarry_test_stats(test, f->other), -1, 0);
	f->before = now;
}

static void tear_down(struct kunit *test, struct fixture *f)
{
	quarry_free_pages(f->pool, f->page, 3);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, f->pool)->allocated_bytes, 0);
}

static void double_free_of_a_block_on_a_list(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct page *page = quarry_alloc_pages(f.pool, GFP_KERNEL, 0);
	struct page *again;

	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_free_pages(f.pool, page, 0);
	KUNIT_EXPECT_EQ(test, *quarry_test_state(page) & QUARRY_STATE_KIND &
			~QUARRY_STATE_ZERO, QUARRY_STATE_PCP);
	f.before = quarry_test_stats(test, f.pool);
	quarry_free_pages(f.pool, page, 0);
	expect_refused(test, &f, QUARRY_ERR_DOUBLE_FREE, 1);
	quarry_free_pages_bulk(f.pool, 0, 1, &page);
	expect_refused(test, &f, QUARRY_ERR_DOUBLE_FREE, 1);
	quarry_put_free_pages(f.pool, (unsigned long)page_address(page), 0);
	expect_refused(test, &f, QUARRY_ERR_DOUBLE_FREE, 1);
	/* And it is handed out once. */
	page = quarry_alloc_pages(f.pool, GFP_KERNEL, 0);
	again = quarry_alloc_pages(f.pool, GFP_KERNEL, 0);
	KUNIT_EXPECT_PTR_NE(test, page, again);
	quarry_free_pages(f.pool, page, 0);
	quarry_free_pages(f.pool, again, 0);
	tear_down(test, &f);
}

/* What two CPUs that free one block in the same instant would do: it is on a list twice. */
static bool put_on_the_list_again(struct quarry_pool *pool, const struct page *page)
{
	struct quarry_pcp *pcp = this_cpu_ptr(pool->pcp);
	struct quarry_list *list = &pcp->lists.list[0];

	if (!pcp->cold || list->left <= 0 || quarry_list_at(list->top) == list->end ||
	    list->top[-1].page != page)
		return false;
	list->top[0] = list->top[-1];
	list->top++;
	list->left--;
	return true;
}

/* Until there is a list here, and room on it. */
static void warm_up(struct kunit *test, struct quarry_pool *pool)
{
	struct page *page[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(page); i++)
		page[i] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	for (i = 0; i < ARRAY_SIZE(page); i++)
		quarry_free_pages(pool, page[i], 0);
}

/* The second one is no free, and nothing is handed out for it: figures are of real calls. */
static void a_block_that_is_on_a_list_twice(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct page *page, *first, *second;
	bool twice;

	warm_up(test, f.pool);
	page = quarry_alloc_pages(f.pool, GFP_KERNEL, 0);
	f.before = quarry_test_stats(test, f.pool);
	preempt_disable();
	quarry_free_pages(f.pool, page, 0);
	twice = put_on_the_list_again(f.pool, page);
	first = quarry_alloc_pages(f.pool, GFP_NOWAIT, 0);
	second = quarry_alloc_pages(f.pool, GFP_NOWAIT, 0);
	preempt_enable();
	KUNIT_ASSERT_TRUE(test, twice);
	KUNIT_EXPECT_PTR_EQ(test, first, page);
	KUNIT_EXPECT_NOT_NULL(test, second);
	KUNIT_EXPECT_PTR_NE(test, second, first);
	quarry_test_only_error(test, f.pool, f.before, QUARRY_ERR_DOUBLE_FREE, 1);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, f.pool)->allocs, f.before->allocs + 2);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, f.pool)->frees, f.before->frees + 1);
	quarry_test_sound(test, f.pool);
	quarry_free_pages(f.pool, first, 0);
	quarry_free_pages(f.pool, second, 0);
	tear_down(test, &f);
}

static void a_block_that_is_on_a_list_twice_is_drained_once(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct page *page;
	bool twice;

	warm_up(test, f.pool);
	page = quarry_alloc_pages(f.pool, GFP_KERNEL, 0);
	f.before = quarry_test_stats(test, f.pool);
	preempt_disable();
	quarry_free_pages(f.pool, page, 0);
	twice = put_on_the_list_again(f.pool, page);
	preempt_enable();
	KUNIT_ASSERT_TRUE(test, twice);
	quarry_pool_drain(f.pool);
	quarry_test_only_error(test, f.pool, f.before, QUARRY_ERR_DOUBLE_FREE, 1);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, f.pool)->allocs, f.before->allocs);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, f.pool)->frees, f.before->frees + 1);
	quarry_test_sound(test, f.pool);
	tear_down(test, &f);
}

static void double_free_of_a_block_in_the_buddy(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct page *page = quarry_alloc_pages(f.pool, GFP_KERNEL, 2);

	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_free_pages(f.pool, page, 2);
	quarry_pool_drain(f.pool);
	f.before = quarry_test_stats(test, f.pool);
	quarry_free_pages(f.pool, page, 2);
	expect_refused(test, &f, QUARRY_ERR_DOUBLE_FREE, 1);
	tear_down(test, &f);
}

static void double_free_inside_a_joined_block(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct page *whole, *second;

	/* Two halves of a block of order 1. */
	whole = quarry_alloc_pages(f.pool, GFP_KERNEL, 1);
	KUNIT_ASSERT_NOT_NULL(test, whole);
	second = whole + 1;
	KUNIT_ASSERT_EQ(test, 0, quarry_trim(f.pool, page_to_phys(whole), 2 * PAGE_SIZE,
					     PAGE_SIZE));
	KUNIT_ASSERT_EQ(test, 0, quarry_free_range(f.pool, page_to_phys(whole), PAGE_SIZE));
	quarry_pool_drain(f.pool);
	f.before = quarry_test_stats(test, f.pool);
	quarry_free_pages(f.pool, second, 0);
	expect_refused(test, &f, QUARRY_ERR_DOUBLE_FREE, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.pool, page_to_phys(second),
							 PAGE_SIZE));
	expect_refused(test, &f, QUARRY_ERR_DOUBLE_FREE, 1);
	tear_down(test, &f);
}

static void free_with_another_order(struct kunit *test)
{
	struct fixture f = set_up(test);
	unsigned int order;

	for (order = 0; order <= quarry_max_order(); order++) {
		if (order == 3)
			continue;
		quarry_free_pages(f.pool, f.page, order);
		expect_refused(test, &f, QUARRY_ERR_WRONG_ORDER, 1);
	}
	tear_down(test, &f);
}

static void free_of_the_inside(struct kunit *test)
{
	struct fixture f = set_up(test);
	unsigned int i;

	for (i = 1; i < 8; i++) {
		quarry_free_pages(f.pool, f.page + i, i & 3);
		expect_refused(test, &f, QUARRY_ERR_INTERIOR, 1);
	}
	quarry_put_free_pages(f.pool, (unsigned long)page_address(f.page) + 8, 3);
	expect_refused(test, &f, QUARRY_ERR_INTERIOR, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			quarry_free_range(f.pool, page_to_phys(f.page + 2), PAGE_SIZE));
	expect_refused(test, &f, QUARRY_ERR_INTERIOR, 1);
	tear_down(test, &f);
}

static void free_of_foreign_memory(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct page *page = alloc_pages(GFP_KERNEL, 3);
	void *far = vmalloc(PAGE_SIZE);

	KUNIT_ASSERT_TRUE(test, page && far);
	quarry_free_pages(f.pool, page, 3);
	expect_refused(test, &f, QUARRY_ERR_FOREIGN, 1);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	quarry_put_free_pages(f.pool, (unsigned long)page_address(page), 3);
	expect_refused(test, &f, QUARRY_ERR_FOREIGN, 1);
	quarry_put_free_pages(f.pool, (unsigned long)far, 0);
	expect_refused(test, &f, QUARRY_ERR_FOREIGN, 1);
	quarry_free_pages_exact(f.pool, far, PAGE_SIZE);
	expect_refused(test, &f, QUARRY_ERR_FOREIGN, 1);
	quarry_free_pages_exact(f.pool, page_address(page), PAGE_SIZE);
	expect_refused(test, &f, QUARRY_ERR_FOREIGN, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.pool, page_to_phys(page), PAGE_SIZE));
	expect_refused(test, &f, QUARRY_ERR_FOREIGN, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.pool, 1ULL << 45, PAGE_SIZE));
	expect_refused(test, &f, QUARRY_ERR_FOREIGN, 1);
	quarry_free_pages(f.pool, NULL, 0);
	expect_refused(test, &f, QUARRY_ERR_FOREIGN, 1);
	/* No pointer to a struct page at all. */
	quarry_free_pages(f.pool, (void *)f.page + 8, 3);
	expect_refused(test, &f, QUARRY_ERR_FOREIGN, 1);
	quarry_free_pages(f.pool, (void *)f.page + 1, 3);
	expect_refused(test, &f, QUARRY_ERR_FOREIGN, 1);
	vfree(far);
	__free_pages(page, 3);
	tear_down(test, &f);
}

static void free_to_the_wrong_pool(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct quarry_pool_stats *before = quarry_test_stats(test, f.other);

	quarry_free_pages(f.other, f.page, 3);
	quarry_free_pages_bulk(f.other, 3, 1, &f.page);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.other, page_to_phys(f.page),
							 8 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_trim(f.other, page_to_phys(f.page),
						   8 * PAGE_SIZE, PAGE_SIZE));
	/* It is that pool's client who erred. */
	quarry_test_only_error(test, f.other, before, QUARRY_ERR_WRONG_POOL, 4);
	quarry_test_sound(test, f.other);
	expect_refused(test, &f, -1, 0);
	tear_down(test, &f);
}

static void orders_out_of_range(struct kunit *test)
{
	/* With 3, 128 and the like in a state byte: none must pass for another. */
	static const unsigned int orders[] = {
		11, 18, 31, 32, 35, 64, 67, 96, 99, 128, 131, 255, 256, 259, UINT_MAX
	};
	struct fixture f = set_up(test);
	struct page *page;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		quarry_free_pages(f.pool, f.page, orders[i]);
		expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
		KUNIT_EXPECT_NULL(test, quarry_alloc_pages(f.pool, GFP_KERNEL, orders[i]));
		expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
		KUNIT_EXPECT_NULL(test, quarry_alloc_pages_node(f.pool, 0, GFP_KERNEL, orders[i]));
		expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
		KUNIT_EXPECT_EQ(test, 0, quarry_alloc_pages_bulk(f.pool, GFP_KERNEL, orders[i],
								 1, &page));
		expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
		quarry_free_pages_bulk(f.pool, orders[i], 1, &f.page);
		expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
		KUNIT_EXPECT_EQ(test, 0, quarry_get_free_pages(f.pool, GFP_KERNEL, orders[i]));
		expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
	}
	/* Constants take another way. */
	quarry_free_pages(f.pool, f.page, 11);
	quarry_free_pages(f.pool, f.page, 67);
	quarry_free_pages(f.pool, f.page, 131);
	quarry_free_pages(f.pool, f.page, 0x80000003);
	expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 4);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(f.pool, GFP_KERNEL, 11));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(f.pool, GFP_KERNEL, 128));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(f.pool, GFP_KERNEL, UINT_MAX));
	expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 3);
	tear_down(test, &f);
}

static void gfp_flags_that_cannot_be(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct quarry_range range = { .bytes = PAGE_SIZE, .gfp = GFP_KERNEL | GFP_DMA32 };
	struct page *page;
	phys_addr_t at;

	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(f.pool, GFP_KERNEL | __GFP_COMP, 1));
	expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(f.pool, GFP_KERNEL | GFP_DMA32, 0));
	expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(f.pool, GFP_KERNEL | __GFP_DMA, 0));
	expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_alloc_range(f.pool, &range, &at));
	expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
	/* A single page is not compound anyway. */
	page = quarry_alloc_pages(f.pool, GFP_KERNEL | __GFP_COMP, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_free_pages(f.pool, page, 0);
	f.before = quarry_test_stats(test, f.pool);
	expect_refused(test, &f, -1, 0);
	tear_down(test, &f);
}

static void nodes_that_do_not_exist(struct kunit *test)
{
	static const int nodes[] = { -2, INT_MIN, MAX_NUMNODES, 1000, INT_MAX };
	struct fixture f = set_up(test);
	struct page *page;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		page = quarry_alloc_pages_node(f.pool, nodes[i], GFP_KERNEL, 0);
		KUNIT_EXPECT_NULL(test, page);
		expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
	}
	tear_down(test, &f);
}

static phys_addr_t take_run(struct kunit *test, struct quarry_pool *pool, u64 frames)
{
	struct quarry_range range = { .bytes = frames * PAGE_SIZE, .gfp = GFP_KERNEL };
	phys_addr_t at = 0;

	KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
	return at;
}

static void run_freed_as_a_block(struct kunit *test)
{
	static const u64 lengths[] = { 1, 3, 4, 7, 8, 100 };
	struct page **pages = quarry_test_pages(test, 512);
	struct fixture f = {};
	unsigned int i, order;
	phys_addr_t at;

	f.pool = quarry_test_near_pool(test, SZ_16M, SZ_16M);
	f.other = quarry_test_pool(test, SZ_4M, SZ_4M);
	f.page = quarry_alloc_pages(f.pool, GFP_KERNEL, 3);
	KUNIT_ASSERT_NOT_NULL(test, f.page);
	/* Lists that have been in use: what lies behind them is not zero. */
	KUNIT_ASSERT_EQ(test, 512, quarry_alloc_pages_bulk(f.pool, GFP_KERNEL, 0, 512, pages));
	quarry_free_pages_bulk(f.pool, 0, 512, pages);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		at = take_run(test, f.pool, lengths[i]);
		f.before = quarry_test_stats(test, f.pool);
		for (order = 0; order < 4; order++) {
			quarry_free_pages(f.pool, pfn_to_page(PHYS_PFN(at)), order);
			expect_refused(test, &f, QUARRY_ERR_WRONG_ORDER, 1);
		}
		/* Orders that make a run's state byte out of a block's. */
		for (order = 32; order < 256; order += 32) {
			quarry_free_pages(f.pool, pfn_to_page(PHYS_PFN(at)), order);
			quarry_free_pages(f.pool, pfn_to_page(PHYS_PFN(at)), order + 1);
			quarry_free_pages(f.pool, pfn_to_page(PHYS_PFN(at)), order + 2);
			expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 3);
		}
		KUNIT_EXPECT_EQ(test, 0, quarry_free_range(f.pool, at, lengths[i] * PAGE_SIZE));
	}
	tear_down(test, &f);
}

static void block_freed_as_a_run(struct kunit *test)
{
	struct fixture f = set_up(test);
	u64 frames;

	for (frames = 1; frames <= 16; frames++) {
		KUNIT_EXPECT_EQ(test, -EINVAL,
				quarry_free_range(f.pool, page_to_phys(f.page),
						  frames * PAGE_SIZE));
		expect_refused(test, &f, QUARRY_ERR_WRONG_ORDER, 1);
	}
	tear_down(test, &f);
}

static void run_freed_with_another_length(struct kunit *test)
{
	struct fixture f = set_up(test);
	phys_addr_t at = take_run(test, f.pool, 13), next = take_run(test, f.pool, 3);
	u64 frames;

	f.before = quarry_test_stats(test, f.pool);
	for (frames = 1; frames < 20; frames++) {
		if (frames == 13)
			continue;
		KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.pool, at, frames * PAGE_SIZE));
		expect_refused(test, &f, QUARRY_ERR_WRONG_ORDER, 1);
	}
	/* From its middle. */
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.pool, at + 8 * PAGE_SIZE,
							 5 * PAGE_SIZE));
	expect_refused(test, &f, QUARRY_ERR_INTERIOR, 1);
	/* Lengths and places that are none. */
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.pool, at, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.pool, at, 13 * PAGE_SIZE + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.pool, at + 1, 13 * PAGE_SIZE));
	expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 3);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.pool, at, PAGE_MASK));
	expect_refused(test, &f, QUARRY_ERR_WRONG_ORDER, 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(f.pool, at, 13 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.pool, at, 13 * PAGE_SIZE));
	f.before = quarry_test_stats(test, f.pool);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f.pool, at, 13 * PAGE_SIZE));
	expect_refused(test, &f, QUARRY_ERR_DOUBLE_FREE, 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(f.pool, next, 3 * PAGE_SIZE));
	tear_down(test, &f);
}

static void trim_that_makes_no_sense(struct kunit *test)
{
	struct fixture f = set_up(test);
	phys_addr_t at = page_to_phys(f.page);
	u64 bytes = 8 * PAGE_SIZE;

	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_trim(f.pool, at, bytes, 0));
	expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_trim(f.pool, at, bytes, bytes + PAGE_SIZE));
	expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_trim(f.pool, at, bytes, 100));
	expect_refused(test, &f, QUARRY_ERR_BAD_ARGUMENT, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_trim(f.pool, at, 7 * PAGE_SIZE, PAGE_SIZE));
	expect_refused(test, &f, QUARRY_ERR_WRONG_ORDER, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_trim(f.pool, at + PAGE_SIZE, bytes, PAGE_SIZE));
	expect_refused(test, &f, QUARRY_ERR_INTERIOR, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_trim(f.pool, 1ULL << 45, bytes, PAGE_SIZE));
	expect_refused(test, &f, QUARRY_ERR_FOREIGN, 1);
	/* All of it is no trim, and no mistake. */
	KUNIT_EXPECT_EQ(test, 0, quarry_trim(f.pool, at, bytes, bytes));
	expect_refused(test, &f, -1, 0);
	tear_down(test, &f);
}

static void destroy_with_pages_out(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct quarry_pool *found;

	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_destroy(f.pool));
	expect_refused(test, &f, QUARRY_ERR_DESTROY_BUSY, 1);
	/* It is as it was, to be found and used. */
	found = quarry_pool_find(f.pool->name);
	KUNIT_EXPECT_PTR_EQ(test, found, f.pool);
	quarry_pool_put(found);
	tear_down(test, &f);
	quarry_test_forget_pool(test, f.pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(f.pool));
}

static void reserve_freed_twice(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct quarry_mempool *reserve = quarry_mempool_create(f.pool, 1, 4);
	struct page *page;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reserve);
	page = quarry_mempool_alloc(reserve, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_mempool_free(reserve, page);
	f.before = quarry_test_stats(test, f.pool);
	quarry_mempool_free(reserve, page);
	expect_refused(test, &f, QUARRY_ERR_DOUBLE_FREE, 1);
	quarry_mempool_free(reserve, f.page);
	expect_refused(test, &f, QUARRY_ERR_WRONG_ORDER, 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(reserve));
	tear_down(test, &f);
}

/* One mistake in an array does not keep the rest from being freed. */
static void bulk_with_one_bad_page(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct page **pages = quarry_test_pages(test, 32);
	struct page *good;
	unsigned int i;

	for (i = 0; i < 32; i++) {
		KUNIT_ASSERT_EQ(test, 32, quarry_alloc_pages_bulk(f.pool, GFP_KERNEL, 0, 32,
								  pages));
		good = pages[i];
		pages[i] = f.page + (i & 7);
		f.before = quarry_test_stats(test, f.pool);
		quarry_free_pages_bulk(f.pool, 0, 32, pages);
		quarry_test_only_error(test, f.pool, f.before,
				       i & 7 ? QUARRY_ERR_INTERIOR : QUARRY_ERR_WRONG_ORDER, 1);
		quarry_free_pages(f.pool, good, 0);
		KUNIT_EXPECT_EQ(test, quarry_test_stats(test, f.pool)->allocated_bytes,
				8 * PAGE_SIZE);
	}
	quarry_test_sound(test, f.pool);
	tear_down(test, &f);
}

/* What the kernel does to a page of ours that is given to it, in its own words. */
static void stray_free_page(struct page *page)
{
	__free_page(page);
}

static void stray_put_page(struct page *page)
{
	put_page(page);
}

static void stray_free_pages_by_address(struct page *page)
{
	free_pages((unsigned long)page_address(page), 0);
}

static void stray_kfree(struct page *page)
{
	kfree(page_address(page));
}

static void extra_reference(struct page *page)
{
	get_page(page);
}

static void no_reference_at_all(struct page *page)
{
	set_page_count(page, 0);
}

static const struct stray {
	const char *name;
	void (*fn)(struct page *page);
	bool warns;
	/* A client may hold more references while the page is its own. */
	bool fine_while_out;
} strays[] = {
	{ "__free_page", stray_free_page },
	{ "put_page", stray_put_page },
	{ "free_pages", stray_free_pages_by_address },
	{ "kfree", stray_kfree, .warns = true },
	{ "get_page", extra_reference, .fine_while_out = true },
	{ "no reference", no_reference_at_all },
};

static void stray_name(const struct stray *s, char *text)
{
	strscpy(text, s->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(stray, strays, stray_name);

/* Seen while the page is out, seen at rest, and mended. */
static void stray_reference_is_reported(struct kunit *test)
{
	const struct stray *s = test->param_value;
	unsigned int i = 5;
	struct fixture f;
	u64 violations;

	if (s->warns && !quarry_test_warn)
		kunit_skip(test, "the kernel warns; warn=1 runs it");
	f = set_up(test);
	s->fn(f.page + i);
	KUNIT_EXPECT_FALSE(test, PageBuddy(f.page + i));
	KUNIT_EXPECT_EQ(test, quarry_test_violations(test, f.pool, NULL), !s->fine_while_out);
	quarry_test_only_error(test, f.pool, f.before, QUARRY_ERR_STRAY_REF,
			       !s->fine_while_out);
	quarry_free_pages(f.pool, f.page, 3);
	quarry_pool_drain(f.pool);
	violations = quarry_test_violations(test, f.pool,
					    "pages have references that nobody may hold");
	KUNIT_EXPECT_EQ(test, violations, 1);
	quarry_test_only_error(test, f.pool, f.before, QUARRY_ERR_STRAY_REF,
			       2 - s->fine_while_out);
	set_page_count(f.page + i, QUARRY_PAGE_REFS);
	quarry_test_sound(test, f.pool);
}

/* The kernel must never get an arena with a page that somebody refers to. */
static void arena_with_a_stray_reference_stays(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_4M), *other;
	struct quarry_pool_stats *before, *after;
	unsigned long i, nr, pfn, bad = 0;
	struct page *page;

	page = quarry_alloc_pages(pool, GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, page);
	pfn = page_to_pfn(page);
	nr = 1024;
	stray_free_page(page + 77);
	quarry_free_pages(pool, page, 10);
	quarry_pool_drain(pool);
	before = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), 0);
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->retired_bytes, SZ_4M);
	KUNIT_EXPECT_EQ(test, after->managed_bytes, SZ_4M);
	KUNIT_EXPECT_EQ(test, after->free_bytes, 0);
	KUNIT_EXPECT_EQ(test, after->shrinks, before->shrinks);
	quarry_test_only_error(test, pool, before, QUARRY_ERR_STRAY_REF, 1);
	/* Out of service: it counts against the cap, and nothing of it comes out. */
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 0));
	KUNIT_EXPECT_FALSE(test, quarry_owns_page(page));
	quarry_test_sound(test, pool);
	/* Another pool does not notice. */
	other = quarry_test_pool(test, SZ_4M, SZ_4M);
	quarry_test_sound(test, other);

	quarry_test_forget_pool(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
	for (i = 0; i < nr; i++)
		bad += page_count(pfn_to_page(pfn + i)) !=
		       (i == 77 ? QUARRY_PAGE_REFS - 1 : QUARRY_PAGE_REFS);
	KUNIT_EXPECT_EQ(test, 0, bad);
	for (i = 0; i < nr && !bad; i++) {
		set_page_count(pfn_to_page(pfn + i), 1);
		__free_page(pfn_to_page(pfn + i));
	}
}

/* Somebody looked at a page, no more: when he lets go its arena is as good as any. */
static void arena_that_was_only_looked_at_comes_back(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_4M);
	struct quarry_pool_stats *before, *after;
	struct page *page;
	unsigned int way;

	for (way = 0; way < 2; way++) {
		page = quarry_alloc_pages(pool, GFP_KERNEL, 10);
		KUNIT_ASSERT_NOT_NULL(test, page);
		get_page(page + 77);
		quarry_free_pages(pool, page, 10);
		quarry_pool_drain(pool);
		before = quarry_test_stats(test, pool);
		KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), 0);
		KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), 0);
		quarry_pool_drain(pool);
		after = quarry_test_stats(test, pool);
		KUNIT_EXPECT_EQ(test, after->retired_bytes, SZ_4M);
		KUNIT_EXPECT_EQ(test, after->managed_bytes, SZ_4M);
		KUNIT_EXPECT_EQ(test, page_count(page + 77), QUARRY_PAGE_REFS + 1);
		put_page(page + 77);
		if (way)
			quarry_pool_drain(pool);
		else
			KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), SZ_4M);
		after = quarry_test_stats(test, pool);
		KUNIT_EXPECT_EQ(test, after->retired_bytes, 0);
		KUNIT_EXPECT_EQ(test, after->managed_bytes, 0);
		KUNIT_EXPECT_EQ(test, after->metadata_bytes, 0);
		KUNIT_EXPECT_EQ(test, after->shrinks, before->shrinks + 1);
		quarry_test_sound(test, pool);
	}
}

/* A retired arena that comes back counts against what was asked for, as any arena does. */
static void what_was_retired_goes_no_further_than_asked(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_4M);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 10);

	KUNIT_ASSERT_NOT_NULL(test, page);
	get_page(page + 77);
	quarry_free_pages(pool, page, 10);
	quarry_pool_drain(pool);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), 0);
	put_page(page + 77);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), SZ_4M);
	quarry_test_sound(test, pool);
}

static struct kunit_case misuse_cases[] = {
	KUNIT_CASE(double_free_of_a_block_on_a_list),
	KUNIT_CASE(a_block_that_is_on_a_list_twice),
	KUNIT_CASE(a_block_that_is_on_a_list_twice_is_drained_once),
	KUNIT_CASE(double_free_of_a_block_in_the_buddy),
	KUNIT_CASE(double_free_inside_a_joined_block),
	KUNIT_CASE(free_with_another_order),
	KUNIT_CASE(free_of_the_inside),
	KUNIT_CASE(free_of_foreign_memory),
	KUNIT_CASE(free_to_the_wrong_pool),
	KUNIT_CASE(orders_out_of_range),
	KUNIT_CASE(gfp_flags_that_cannot_be),
	KUNIT_CASE(nodes_that_do_not_exist),
	KUNIT_CASE(run_freed_as_a_block),
	KUNIT_CASE(block_freed_as_a_run),
	KUNIT_CASE(run_freed_with_another_length),
	KUNIT_CASE(trim_that_makes_no_sense),
	KUNIT_CASE(destroy_with_pages_out),
	KUNIT_CASE(reserve_freed_twice),
	KUNIT_CASE(bulk_with_one_bad_page),
	KUNIT_CASE_PARAM(stray_reference_is_reported, stray_gen_params),
	KUNIT_CASE(arena_with_a_stray_reference_stays),
	KUNIT_CASE(arena_that_was_only_looked_at_comes_back),
	KUNIT_CASE(what_was_retired_goes_no_further_than_asked),
	{}
};

static struct kunit_suite misuse_suite = {
	.name = "quarry-misuse",
	.suite_init = quarry_test_parameters,
	.test_cases = misuse_cases,
};

kunit_test_suite(misuse_suite);
