// SPDX-License-Identifier: GPL-2.0
/*
 * What gfp flags mean: a case for each row of the table in module/pages/gfp.c, by each of
 * the ways to allocate; whose the reserve is; which node; and how hard the kernel is asked
 * to try. What else flags ask for has suites of its own: memory that describes memory
 * (metadata.c), calls that must not fail (waiting.c), the locks of a caller (locks.c), the
 * zone of an address (zones.c).
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "../../module/pages/gfp.h"
#include "../cache_kunit.h"

/* --- the table --------------------------------------------------------------- */

/**
 * struct row - flags and what they give
 * @name:	of the flags
 * @gfp:	the flags
 * @frees:	the task frees memory (PF_MEMALLOC)
 * @sleeps:	it may sleep
 * @kept:	of four parts of the reserve, those that it cannot have
 */
struct row {
	const char *name;
	gfp_t gfp;
	bool frees;
	bool sleeps;
	unsigned int kept;
};

static const struct row rows[] = {
	{ "GFP_KERNEL", GFP_KERNEL, false, true, 4 },
	{ "GFP_NOFS", GFP_NOFS, false, true, 2 },
	{ "GFP_NOIO", GFP_NOIO, false, true, 2 },
	{ "GFP_NOFS, NOMEMALLOC", GFP_NOFS | __GFP_NOMEMALLOC, false, true, 4 },
	{ "GFP_KERNEL, HIGH", GFP_KERNEL | __GFP_HIGH, false, true, 2 },
	{ "GFP_NOWAIT", GFP_NOWAIT, false, false, 4 },
	{ "GFP_ATOMIC", GFP_ATOMIC, false, false, 0 },
	{ "GFP_KERNEL, MEMALLOC", GFP_KERNEL | __GFP_MEMALLOC, false, true, 0 },
	{ "GFP_NOWAIT, MEMALLOC", GFP_NOWAIT | __GFP_MEMALLOC, false, false, 0 },
	{ "GFP_ATOMIC, NOMEMALLOC", GFP_ATOMIC | __GFP_NOMEMALLOC, false, false, 0 },
	{ "GFP_NOWAIT, NOMEMALLOC", GFP_NOWAIT | __GFP_NOMEMALLOC, false, false, 4 },
	{ "GFP_NOWAIT of reclaim", GFP_NOWAIT, true, false, 0 },
	{ "GFP_NOWAIT, NOMEMALLOC of reclaim", GFP_NOWAIT | __GFP_NOMEMALLOC, true, false, 4 },
};

static void row_name(const struct row *row, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%s", row->name);
}

KUNIT_ARRAY_PARAM(row, rows, row_name);

#define POOL_FRAMES	1024U
#define PART		64U	/* a quarter of the reserve */

static unsigned int take_runs(struct quarry_pool *pool, gfp_t gfp, struct page **pages)
{
	struct quarry_range range = { .bytes = PAGE_SIZE, .gfp = gfp | __GFP_NOWARN };
	unsigned int nr = 0;
	phys_addr_t at;

	while (nr <= POOL_FRAMES && !quarry_alloc_range(pool, &range, &at))
		pages[nr++] = pfn_to_page(PHYS_PFN(at));
	return nr;
}

static void give_runs(struct kunit *test, struct quarry_pool *pool, struct page **pages,
		      unsigned int nr)
{
	while (nr--)
		KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, page_to_phys(pages[nr]),
							   PAGE_SIZE));
}

/* Every way of allocating gets the same, down to the frame. */
static void each_way_gets_the_same(struct kunit *test)
{
	const struct row *row = test->param_value;
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct page **pages = quarry_test_pages(test, POOL_FRAMES + 1);
	unsigned int nr, expected = POOL_FRAMES - row->kept * PART, scope = 0;
	struct quarry_pool *pool;

	cfg.min_bytes = POOL_FRAMES * PAGE_SIZE;
	cfg.max_bytes = cfg.min_bytes;
	cfg.reserve_bytes = 4 * PART * PAGE_SIZE;
	cfg.node = first_memory_node;
	pool = quarry_test_pool_of(test, &cfg);
	quarry_test_pin(test, 0);
	if (row->frees)
		scope = memalloc_noreclaim_save();
	nr = quarry_test_take_all(test, pool, row->gfp, 0, pages, POOL_FRAMES + 1);
	KUNIT_EXPECT_EQ_MSG(test, nr, expected, "single");
	quarry_test_give_all(pool, 0, pages, nr);
	quarry_pool_drain(pool);
	nr = quarry_alloc_pages_bulk(pool, row->gfp | __GFP_NOWARN, 0, POOL_FRAMES + 1, pages);
	KUNIT_EXPECT_EQ_MSG(test, nr, expected, "bulk");
	quarry_free_pages_bulk(pool, 0, nr, pages);
	quarry_pool_drain(pool);
	nr = take_runs(pool, row->gfp, pages);
	KUNIT_EXPECT_EQ_MSG(test, nr, expected, "runs");
	give_runs(test, pool, pages, nr);
	if (row->frees)
		memalloc_noreclaim_restore(scope);
	quarry_test_sound(test, pool);
}

/* Who may sleep has the pool grow, by whatever way; who may not does not. */
static void who_sleeps_grows(struct kunit *test)
{
	const struct row *row = test->param_value;
	struct quarry_range range = { .bytes = PAGE_SIZE, .gfp = row->gfp | __GFP_NOWARN };
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_16M);
	struct page *page;
	phys_addr_t at;

	page = quarry_alloc_pages(pool, row->gfp | __GFP_NOWARN, 0);
	KUNIT_EXPECT_EQ(test, !!page, row->sleeps);
	if (page)
		quarry_free_pages(pool, page, 0);
	quarry_pool_drain(pool);
	quarry_pool_shrink(pool, ~0ULL);
	KUNIT_EXPECT_EQ(test, quarry_alloc_range(pool, &range, &at), row->sleeps ? 0 : -ENOMEM);
	if (row->sleeps)
		quarry_free_range(pool, at, PAGE_SIZE);
	quarry_pool_shrink(pool, ~0ULL);
	quarry_test_at_rest(test, pool);
}

/* What the reserve gave comes back to it, and not to a list where anybody takes it. */
static void what_was_the_reserves_stays_so(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct page **pages = quarry_test_pages(test, POOL_FRAMES + 1);
	const gfp_t quiet = GFP_ATOMIC | __GFP_NOWARN;
	unsigned int nr, most, i, round;
	struct quarry_cache *cache;
	struct quarry_pool *pool;
	void *objects[8];

	cfg.min_bytes = POOL_FRAMES * PAGE_SIZE;
	cfg.max_bytes = cfg.min_bytes;
	cfg.reserve_bytes = 4 * PART * PAGE_SIZE;
	cfg.node = first_memory_node;
	pool = quarry_test_pool_of(test, &cfg);
	quarry_test_pin(test, 0);
	cache = quarry_cache_create_in(pool, quarry_test_name(test), 4096, 0, 0, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	most = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, POOL_FRAMES + 1);
	KUNIT_EXPECT_EQ(test, most, POOL_FRAMES - 4 * PART);
	for (round = 0; round < 2; round++) {
		nr = most + quarry_test_take_all(test, pool, GFP_ATOMIC, 0, pages + most,
						 POOL_FRAMES + 1 - most);
		KUNIT_EXPECT_EQ(test, nr, POOL_FRAMES);
		/* Half of it comes back, one by one or all at once. */
		if (round) {
			quarry_free_pages_bulk(pool, 0, 2 * PART, pages + nr - 2 * PART);
			nr -= 2 * PART;
		}
		while (nr > POOL_FRAMES - 2 * PART)
			quarry_free_pages(pool, pages[--nr], 0);
		KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 0));
		KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_NOWAIT | __GFP_NOWARN, 0));
		while (nr > most)
			quarry_free_pages(pool, pages[--nr], 0);
	}
	/* Slabs of the reserve as well, though they are marked otherwise meanwhile. */
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = quarry_cache_alloc(cache, quiet);
	KUNIT_EXPECT_NOT_NULL(test, objects[0]);
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		quarry_cache_free(cache, objects[i]);
	quarry_test_sound(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(cache));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 0));
	quarry_test_give_all(pool, 0, pages, most);
}

/* A block of the reserve is as well guarded as any. */
static void misuse_of_the_reserve_is_told(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool_stats *before;
	struct quarry_pool *pool;
	struct page *page;

	cfg.min_bytes = SZ_4M;
	cfg.max_bytes = SZ_4M;
	cfg.reserve_bytes = SZ_4M;
	cfg.node = first_memory_node;
	pool = quarry_test_pool_of(test, &cfg);
	page = quarry_alloc_pages(pool, GFP_ATOMIC, 2);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_TRUE(test, quarry_state_is_direct(*quarry_test_state(page)));
	quarry_test_sound(test, pool);
	before = quarry_test_stats(test, pool);
	quarry_free_pages(pool, page, 1);
	quarry_test_only_error(test, pool, before, QUARRY_ERR_WRONG_ORDER, 1);
	before = quarry_test_stats(test, pool);
	quarry_free_pages(pool, page + 1, 0);
	quarry_test_only_error(test, pool, before, QUARRY_ERR_INTERIOR, 1);
	quarry_free_pages(pool, page, 2);
	before = quarry_test_stats(test, pool);
	quarry_free_pages(pool, page, 2);
	quarry_test_only_error(test, pool, before, QUARRY_ERR_DOUBLE_FREE, 1);
	/* Its tail can be given back, and what is left is a run. */
	page = quarry_alloc_pages(pool, GFP_ATOMIC, 3);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, 0, quarry_trim(pool, page_to_phys(page), 8 * PAGE_SIZE,
					     3 * PAGE_SIZE));
	quarry_test_sound(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, page_to_phys(page), 3 * PAGE_SIZE));
	quarry_test_at_rest(test, pool);
}

/* --- nodes ------------------------------------------------------------------- */

static void this_node_is_this_node(struct kunit *test)
{
	int other = quarry_test_other_node(test), here = first_memory_node;
	struct quarry_range range = { .bytes = PAGE_SIZE };
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	const gfp_t strict = GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN;
	struct quarry_pool *pool;
	struct page *page;
	phys_addr_t at;

	cfg.min_bytes = SZ_4M;
	cfg.node = other;
	pool = quarry_test_pool_of(test, &cfg);
	quarry_test_pin(test, cpumask_first(cpumask_of_node(here)));
	/* Bound to another node, it has nothing here; however one says "here". */
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, strict, 0));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages_node(pool, here, strict, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_alloc_pages_bulk(pool, strict, 0, 1, &page));
	range.gfp = strict;
	KUNIT_EXPECT_EQ(test, -ENOMEM, quarry_alloc_range(pool, &range, &at));
	/* Not even waiting would help. */
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, strict | __GFP_NOFAIL, 0));
	/* As a wish it is served from where it has memory. */
	page = quarry_alloc_pages_node(pool, here, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, page_to_nid(page), other);
	quarry_free_pages(pool, page, 0);
	page = quarry_alloc_pages_node(pool, other, strict, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, page_to_nid(page), other);
	quarry_free_pages(pool, page, 0);
}

/* --- how hard the kernel tries ----------------------------------------------- */

/* Whatever is more than has to be is taken only if it lies there. */
static void what_need_not_be_is_cheap(struct kunit *test)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_RETRY_MAYFAIL;
	unsigned int order;

	for (order = 0; order <= QUARRY_KERNEL_ORDER; order++) {
		gfp_t asked = quarry_grow_gfp(gfp, order, false);
		gfp_t own = quarry_grow_gfp(gfp, order, true);

		KUNIT_EXPECT_FALSE(test, asked & (__GFP_RECLAIM | __GFP_RETRY_MAYFAIL));
		/* Where nobody waits, the largest order is worked for, once. */
		KUNIT_EXPECT_EQ(test, !!(own & __GFP_RECLAIM), order == QUARRY_KERNEL_ORDER);
		KUNIT_EXPECT_FALSE(test, own & __GFP_RETRY_MAYFAIL);
		KUNIT_EXPECT_TRUE(test, own & __GFP_NORETRY);
		KUNIT_EXPECT_TRUE(test, asked & own & __GFP_NOMEMALLOC);
	}
}

/* What the kernel keeps for who frees memory is for nobody else, and not for comfort. */
static void reserves_of_the_kernel(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_1M, SZ_1M);
	struct quarry_wish w;
	unsigned int flags;

	KUNIT_ASSERT_TRUE(test, quarry_wish_parse(pool, GFP_NOIO, NUMA_NO_NODE, 1, &w));
	KUNIT_EXPECT_TRUE(test, w.grow & __GFP_NOMEMALLOC);
	KUNIT_ASSERT_TRUE(test, quarry_wish_parse(pool, GFP_NOIO | __GFP_MEMALLOC, NUMA_NO_NODE,
						  1, &w));
	KUNIT_EXPECT_FALSE(test, w.grow & __GFP_NOMEMALLOC);
	KUNIT_EXPECT_TRUE(test, w.grow & __GFP_MEMALLOC);
	flags = memalloc_noreclaim_save();
	KUNIT_EXPECT_TRUE(test, quarry_wish_parse(pool, GFP_NOIO, NUMA_NO_NODE, 1, &w));
	KUNIT_EXPECT_FALSE(test, w.grow & __GFP_NOMEMALLOC);
	KUNIT_EXPECT_TRUE(test, quarry_wish_parse(pool, GFP_NOIO | __GFP_NOMEMALLOC, NUMA_NO_NODE,
						  1, &w));
	KUNIT_EXPECT_TRUE(test, w.grow & __GFP_NOMEMALLOC);
	memalloc_noreclaim_restore(flags);
	KUNIT_EXPECT_FALSE(test, quarry_grow_gfp(GFP_NOIO | __GFP_MEMALLOC, 5, false) &
			   __GFP_MEMALLOC);
}

static struct kunit_case gfp_cases[] = {
	KUNIT_CASE_PARAM(each_way_gets_the_same, row_gen_params),
	KUNIT_CASE_PARAM(who_sleeps_grows, row_gen_params),
	KUNIT_CASE(what_was_the_reserves_stays_so),
	KUNIT_CASE(misuse_of_the_reserve_is_told),
	KUNIT_CASE(this_node_is_this_node),
	KUNIT_CASE(what_need_not_be_is_cheap),
	KUNIT_CASE(reserves_of_the_kernel),
	{}
};

static struct kunit_suite gfp_suite = {
	.name = "quarry-gfp",
	.test_cases = gfp_cases,
};

kunit_test_suite(gfp_suite);
