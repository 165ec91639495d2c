// SPDX-License-Identifier: GPL-2.0
/*
 * Mempools: their stock is the blocks that were taken beforehand. It is what comes after the
 * pool's memory at hand and before what is slow, it is of nodes, and no mempool ends while a
 * block of it is out. Who waits for one is seen in waiting.c.
 */
#include <linux/mm.h>

#include "../quarry_kunit.h"

/* What a stock has of a node is found whatever lies on top of it. */
static void a_stock_has_nodes(struct kunit *test)
{
	int other = quarry_test_other_node(test), here = first_memory_node;
	const gfp_t strict = GFP_NOWAIT | __GFP_THISNODE | __GFP_NOWARN;
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_16M);
	unsigned int cpu = cpumask_first(cpumask_of_node(other));
	struct page *far, *page[3], *rest[8];
	struct quarry_mempool *reserve;
	unsigned int i, nr;

	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "a node without a CPU");
	quarry_test_pin(test, cpumask_first(cpumask_of_node(here)));
	far = quarry_alloc_pages_node(pool, other, GFP_KERNEL | __GFP_THISNODE, 10);
	KUNIT_ASSERT_NOT_NULL(test, far);
	reserve = quarry_mempool_create(pool, 10, 2);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reserve);
	/* Now all else is out, and what is had is of the stock: of here, twice. */
	for (nr = 0; nr < ARRAY_SIZE(rest); nr++) {
		rest[nr] = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 10);
		if (!rest[nr])
			break;
	}
	page[0] = quarry_mempool_alloc(reserve, strict);
	KUNIT_ASSERT_NOT_NULL(test, page[0]);
	KUNIT_EXPECT_EQ(test, page_to_nid(page[0]), here);
	/* One of there comes in its stead, and lies on top. */
	quarry_mempool_free(reserve, far);
	page[1] = quarry_mempool_alloc(reserve, strict);
	KUNIT_ASSERT_NOT_NULL(test, page[1]);
	KUNIT_EXPECT_EQ(test, page_to_nid(page[1]), here);
	KUNIT_EXPECT_NULL(test, quarry_mempool_alloc(reserve, strict));
	quarry_test_pin(test, cpu);
	page[2] = quarry_mempool_alloc(reserve, strict);
	KUNIT_ASSERT_NOT_NULL(test, page[2]);
	KUNIT_EXPECT_PTR_EQ(test, page[2], far);
	KUNIT_EXPECT_NULL(test, quarry_mempool_alloc(reserve, GFP_NOWAIT | __GFP_NOWARN));
	/* Without a node to keep to, any will do. */
	quarry_mempool_free(reserve, page[0]);
	page[0] = quarry_mempool_alloc(reserve, GFP_NOWAIT);
	KUNIT_ASSERT_NOT_NULL(test, page[0]);
	KUNIT_EXPECT_EQ(test, page_to_nid(page[0]), here);
	for (i = 0; i < 3; i++)
		quarry_mempool_free(reserve, page[i]);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(reserve));
	while (nr--)
		quarry_free_pages(pool, rest[nr], 10);
}

static void the_stock_comes_before_what_is_slow(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_16M);
	struct quarry_pool_stats *before, *after;
	struct quarry_mempool *reserve;
	struct page *all, *page[3];
	unsigned int i;

	reserve = quarry_mempool_create(pool, 9, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reserve);
	all = quarry_alloc_pages(pool, GFP_KERNEL, 9);
	KUNIT_ASSERT_NOT_NULL(test, all);
	before = quarry_test_stats(test, pool);
	KUNIT_ASSERT_EQ(test, before->managed_bytes, SZ_4M);
	/* Nothing is at hand: the stock, and only then the kernel. */
	page[0] = quarry_mempool_alloc(reserve, GFP_KERNEL);
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_NOT_NULL(test, page[0]);
	KUNIT_EXPECT_EQ(test, after->grows, before->grows);
	page[1] = quarry_mempool_alloc(reserve, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, page[1]);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->grows, before->grows + 1);
	/* Looking for what is at hand is no failure. */
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->fail_nowait, 0);
	quarry_free_pages(pool, all, 9);
	for (i = 0; i < 2; i++)
		quarry_mempool_free(reserve, page[i]);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(reserve));
}

static void no_reserve_ends_while_a_block_is_out(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_mempool *reserve = quarry_mempool_create(pool, 0, 2);
	struct quarry_pool_stats *before;
	struct page *page;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reserve);
	/* From the pool, not from the stock, which is full. */
	page = quarry_mempool_alloc(reserve, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_mempool_destroy(reserve));
	quarry_mempool_free(reserve, page);
	/* A second free is none, and makes up for no block that is out. */
	page = quarry_mempool_alloc(reserve, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	before = quarry_test_stats(test, pool);
	quarry_mempool_free(reserve, page + 1);
	quarry_test_only_error(test, pool, before, QUARRY_ERR_DOUBLE_FREE, 1);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_mempool_destroy(reserve));
	quarry_mempool_free(reserve, page);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(reserve));
}

static struct kunit_case mempool_cases[] = {
	KUNIT_CASE(a_stock_has_nodes),
	KUNIT_CASE(the_stock_comes_before_what_is_slow),
	KUNIT_CASE(no_reserve_ends_while_a_block_is_out),
	{}
};

static struct kunit_suite mempool_suite = {
	.name = "quarry-mempool",
	.test_cases = mempool_cases,
};

kunit_test_suite(mempool_suite);
