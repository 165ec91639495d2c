// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a pool: made, found, grown, shrunk, destroyed, and left alone by the
 * others.
 *
 * Growth in the background is waited for by flushing its work, shrinking is asked
 * for or comes from the kernel's own reclaim (drop_caches runs every shrinker), so
 * nothing here depends on time.
 */
#include <linux/mm.h>
#include <linux/quarry_cache.h>
#include <linux/workqueue.h>

#include "../quarry_kunit.h"

static void pool_is_found_by_name(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_4M), *found, *again;
	char name[QUARRY_NAME_MAX];

	strscpy(name, pool->name, sizeof(name));
	found = quarry_pool_find(name);
	KUNIT_EXPECT_PTR_EQ(test, found, pool);
	/* Not while somebody has it by name. */
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_destroy(pool));
	quarry_pool_put(found);
	quarry_pool_put(NULL);
	again = quarry_pool_create(name, &QUARRY_POOL_CONFIG);
	KUNIT_EXPECT_EQ(test, -EEXIST, PTR_ERR(again));
	quarry_test_forget_pool(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
	KUNIT_EXPECT_NULL(test, quarry_pool_find(name));
	/* The name is free again. */
	pool = quarry_pool_create(name, &QUARRY_POOL_CONFIG);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
}

static void destroying_nothing_is_fine(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(NULL));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(ERR_PTR(-ENOMEM)));
}

static void the_default_pool_is_there_and_stays(struct kunit *test)
{
	struct quarry_pool *pool = quarry_pool_default(), *found;

	KUNIT_ASSERT_NOT_NULL(test, pool);
	found = quarry_pool_find("default");
	KUNIT_EXPECT_PTR_EQ(test, found, pool);
	quarry_pool_put(found);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_destroy(pool));
	quarry_test_sound(test, pool);
}

static void names_are_checked(struct kunit *test)
{
	static const char * const bad[] = {
		"", ".", "..", "...", "a b", "a/b", "a\n", "\xc3\xa4", "a:b", "a*",
		"12345678901234567890123456789012",
	};
	static const char * const good[] = {
		"a", "-", "_", "a.b", "..a", "1234567890123456789012345678901",
	};
	struct quarry_pool *pool;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		pool = quarry_pool_create(bad[i], &QUARRY_POOL_CONFIG);
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, PTR_ERR(pool), "name %s", bad[i]);
		if (!IS_ERR(pool))
			quarry_pool_destroy(pool);
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		pool = quarry_pool_create(good[i], &QUARRY_POOL_CONFIG);
		KUNIT_EXPECT_FALSE_MSG(test, IS_ERR(pool), "name %s", good[i]);
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
	}
}

struct bad_config {
	struct quarry_pool_config cfg;
	int err;
	const char *name;
};

static const struct bad_config bad_configs[] = {
	{ { .node = -1, .min_bytes = 1 }, -EINVAL, "min odd" },
	{ { .node = -1, .max_bytes = 4097 }, -EINVAL, "max odd" },
	{ { .node = -1, .reserve_bytes = 100 }, -EINVAL, "reserve odd" },
	{ { .node = -1, .low_bytes = 100 }, -EINVAL, "low odd" },
	{ { .node = -1, .min_bytes = SZ_8M, .max_bytes = SZ_4M }, -EINVAL, "min above max" },
	{ { .node = -1, .reserve_bytes = SZ_8M, .max_bytes = SZ_4M }, -EINVAL,
	  "reserve above max" },
	{ { .node = -1, .low_bytes = SZ_8M, .max_bytes = SZ_4M }, -EINVAL, "low above max" },
	{ { .node = -1, .zone = __GFP_HIGHMEM }, -EINVAL, "highmem" },
	{ { .node = -1, .zone = GFP_KERNEL }, -EINVAL, "zone is no zone" },
	{ { .node = -2 }, -ENODEV, "node -2" },
	{ { .node = MAX_NUMNODES - 1 }, -ENODEV, "last node" },
	{ { .node = MAX_NUMNODES }, -ENODEV, "no node" },
	{ { .node = INT_MAX }, -ENODEV, "huge node" },
	{ { .node = -1, .min_bytes = 1ULL << 50 }, -ENOMEM, "min above memory" },
	{ { .node = -1, .min_bytes = ~0ULL & PAGE_MASK }, -ENOMEM, "min of all" },
	{ { .node = -1, .low_bytes = 1ULL << 50 }, -ENOMEM, "low above memory" },
	{ { .node = -1, .reserve_bytes = 1ULL << 50 }, -ENOMEM, "reserve above memory" },
};

static void bad_config_name(const struct bad_config *c, char *text)
{
	strscpy(text, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(bad_config, bad_configs, bad_config_name);

static void config_is_checked(struct kunit *test)
{
	const struct bad_config *c = test->param_value;
	const char *name = quarry_test_name(test);
	struct quarry_pool *pool = quarry_pool_create(name, &c->cfg);

	KUNIT_EXPECT_EQ(test, c->err, PTR_ERR(pool));
	if (!IS_ERR(pool))
		quarry_pool_destroy(pool);
	KUNIT_EXPECT_NULL(test, quarry_pool_find(name));
}

static void config_is_what_the_snapshot_says(struct kunit *test)
{
	struct quarry_pool_config cfg = {
		.min_bytes = SZ_8M, .max_bytes = SZ_32M, .reserve_bytes = SZ_1M,
		.low_bytes = SZ_2M, .node = first_memory_node,
	};
	struct quarry_pool *pool = quarry_test_pool_of(test, &cfg);
	struct quarry_pool_stats *st = quarry_test_stats(test, pool);

	KUNIT_EXPECT_STREQ(test, st->name, pool->name);
	KUNIT_EXPECT_EQ(test, st->min_bytes, SZ_8M);
	KUNIT_EXPECT_EQ(test, st->max_bytes, SZ_32M);
	KUNIT_EXPECT_EQ(test, st->reserve_bytes, SZ_1M);
	KUNIT_EXPECT_EQ(test, st->low_bytes, SZ_2M);
	KUNIT_EXPECT_EQ(test, st->node, first_memory_node);
	KUNIT_EXPECT_EQ(test, st->managed_bytes, SZ_8M);
	KUNIT_EXPECT_EQ(test, st->free_bytes, SZ_8M);
	KUNIT_EXPECT_EQ(test, st->modes, 0);
}

static void the_floor_is_never_given_back(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_8M, SZ_32M);
	struct page *pages[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, 10);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
	}
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, SZ_32M);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), 0);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		quarry_free_pages(pool, pages[i], 10);
	/* Whole arenas, and no more than asked for. */
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, 0), 0);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, SZ_4M - PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, SZ_4M), SZ_4M);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, SZ_8M - PAGE_SIZE), SZ_4M);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), SZ_16M);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), 0);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, SZ_8M);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->shrinks, 6);
}

/* A growth under way is room that is spoken for, not memory that could go. */
static void the_floor_survives_growth_in_flight(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_8M, SZ_32M);

	atomic64_add(FRAMES(SZ_4M), &pool->managed);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), 0);
	atomic64_sub(FRAMES(SZ_4M), &pool->managed);
}

static void memory_goes_back_to_the_kernel(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_64M);
	u64 before, during, after;
	struct page *pages[16];
	unsigned int i;

	before = quarry_test_memfree();
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, 10);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
	}
	during = quarry_test_memfree();
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		quarry_free_pages(pool, pages[i], 10);
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), SZ_64M);
	after = quarry_test_memfree();
	KUNIT_EXPECT_LT(test, during + SZ_32M + SZ_16M, before);
	KUNIT_EXPECT_GT(test, after + SZ_8M, before);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->metadata_bytes, 0);
}

/* Everything that can go wrong in one pool, and another that sees nothing of it. */
static void pools_leave_each_other_alone(struct kunit *test)
{
	struct quarry_pool *good = quarry_test_pool(test, SZ_8M, SZ_8M);
	struct quarry_pool *bad = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page **pages = quarry_test_pages(test, 1025), *page;
	struct quarry_pool_stats *before, *after;
	unsigned int nr, i;

	page = quarry_alloc_pages(good, GFP_KERNEL, 4);
	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_test_fill(page, 4, 7);
	before = quarry_test_stats(test, good);
	nr = quarry_test_take_all(test, bad, GFP_KERNEL, 0, pages, 1025);
	KUNIT_EXPECT_EQ(test, nr, 1024);
	for (i = 0; i < nr; i++)
		quarry_test_fill(pages[i], 0, i);
	for (i = 0; i < 100; i++) {
		quarry_alloc_pages(bad, GFP_KERNEL | __GFP_NOWARN, 10);
		quarry_free_pages(bad, pages[i], 0);
		quarry_free_pages(bad, pages[i], 0);
		quarry_free_pages(bad, pages[nr - 1], 2);
		quarry_free_pages(bad, page, 4);
	}
	after = quarry_test_stats(test, good);
	KUNIT_EXPECT_EQ(test, 0, memcmp(before, after, sizeof(*before)));
	KUNIT_EXPECT_TRUE(test, quarry_test_filled(page, 4, 7));
	quarry_test_sound(test, good);
	quarry_test_sound(test, bad);
	quarry_free_pages(good, page, 4);
	quarry_test_give_all(bad, 0, pages + 100, nr - 100);
}

static void the_low_watermark_grows_in_the_background(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool_stats *before, *after;
	struct page *pages[4];
	struct quarry_pool *pool;
	unsigned int i, nr = 0;

	cfg.min_bytes = SZ_8M;
	cfg.max_bytes = SZ_32M;
	cfg.low_bytes = SZ_4M + SZ_1M;
	cfg.node = first_memory_node;
	pool = quarry_test_pool_of(test, &cfg);
	quarry_test_settle(pool);
	before = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, before->managed_bytes, SZ_8M);
	/* Above the mark nothing happens. */
	pages[nr++] = quarry_alloc_pages(pool, GFP_ATOMIC, 9);
	quarry_test_settle(pool);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->grows, before->grows);
	/* Below it, the pool grows by itself, though the caller could not. */
	pages[nr++] = quarry_alloc_pages(pool, GFP_ATOMIC, 9);
	quarry_test_settle(pool);
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_GE(test, after->grows_background - before->grows_background, 1);
	KUNIT_EXPECT_EQ(test, after->grows - before->grows,
			after->grows_background - before->grows_background);
	KUNIT_EXPECT_GT(test, after->managed_bytes, SZ_8M);
	KUNIT_EXPECT_LE(test, after->managed_bytes, SZ_8M + SZ_4M);
	KUNIT_EXPECT_GE(test, after->free_bytes, SZ_4M + SZ_1M);
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_NOT_NULL(test, pages[i]);
		if (pages[i])
			quarry_free_pages(pool, pages[i], 9);
	}
}

static void the_watermark_does_not_break_the_cap(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct page **pages = quarry_test_pages(test, 17);
	struct quarry_pool *pool;
	unsigned int nr;

	cfg.max_bytes = SZ_16M;
	cfg.low_bytes = SZ_16M;
	pool = quarry_test_pool_of(test, &cfg);
	/* Growth that the background has begun is waited for before a refusal. */
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 8, pages, 17);
	quarry_test_settle(pool);
	KUNIT_EXPECT_EQ(test, nr, 16);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, SZ_16M);
	quarry_test_give_all(pool, 8, pages, nr);
}

static void reclaim_takes_what_is_empty(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_64M);
	struct page *pages[16];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, 10);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
		if (i % 4 == 0)
			quarry_test_fill(pages[i], 0, i);
	}
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		if (i % 4)
			quarry_free_pages(pool, pages[i], 10);
	quarry_pool_drain(pool);
	if (!quarry_test_reclaim())
		kunit_skip(test, "no drop_caches");
	/* Four arenas are in use, the floor among them. */
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, SZ_16M);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->shrinks, 12);
	for (i = 0; i < ARRAY_SIZE(pages); i += 4) {
		KUNIT_EXPECT_TRUE(test, quarry_test_filled(pages[i], 0, i));
		quarry_free_pages(pool, pages[i], 10);
	}
	quarry_pool_drain(pool);
	KUNIT_EXPECT_TRUE(test, quarry_test_reclaim());
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, SZ_4M);
}

static void drain_empties_the_lists(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_8M, SZ_8M);
	struct page *pages[32];
	u64 on_lists;

	KUNIT_ASSERT_EQ(test, 32, quarry_alloc_pages_bulk(pool, GFP_KERNEL, 1, 32, pages));
	quarry_free_pages_bulk(pool, 1, 32, pages);
	on_lists = quarry_test_stats(test, pool)->pcp_bytes;
	KUNIT_EXPECT_GT(test, on_lists, 0);
	KUNIT_EXPECT_EQ(test, quarry_pool_drain(pool), on_lists);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->pcp_bytes, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->free_bytes, SZ_8M);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->areas_free, 4);
	KUNIT_EXPECT_EQ(test, quarry_pool_drain(pool), 0);
}

/* What lies on one CPU's lists is bounded, whatever is freed there. */
static void lists_are_bounded(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_16M, SZ_16M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_16M));
	struct quarry_pool_stats *st;
	unsigned int order, nr, round;

	for (round = 0; round < 2; round++)
		for (order = 0; order <= quarry_max_order(); order++) {
			nr = FRAMES(SZ_16M) >> order;
			nr = quarry_alloc_pages_bulk(pool, GFP_KERNEL | __GFP_NOWARN, order,
						     nr, pages);
			KUNIT_EXPECT_GT(test, nr, 0);
			quarry_test_give_all(pool, order, pages, nr);
			st = quarry_test_stats(test, pool);
			KUNIT_EXPECT_LE(test, st->pcp_bytes, st->cache_limit_bytes);
		}
}

static unsigned long area_of(struct page *page)
{
	return page_to_pfn(page) / QUARRY_AREA_FRAMES;
}

/*
 * What can be moved or reclaimed lies in other areas than plain pages and slabs. And what
 * is not of the lists' life goes back to its zone at once.
 */
static void lives_are_kept_apart(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_16M, SZ_16M);
	struct page *plain = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	struct page *movable = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_MOVABLE, 0);
	struct page *other = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_RECLAIMABLE, 3);
	struct quarry_cache *cache = quarry_cache_create_in(pool, "kunit-lives", 64, 0, 0, NULL);
	u64 on_lists, nfree;
	void *object;

	KUNIT_ASSERT_NOT_NULL(test, plain);
	KUNIT_ASSERT_NOT_NULL(test, movable);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	object = quarry_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, object);
	KUNIT_EXPECT_NE(test, area_of(plain), area_of(movable));
	KUNIT_EXPECT_EQ(test, area_of(other), area_of(movable));
	KUNIT_EXPECT_EQ(test, area_of(virt_to_page(object)), area_of(plain));
	on_lists = quarry_test_stats(test, pool)->pcp_bytes;
	nfree = quarry_test_stats(test, pool)->free_bytes;
	quarry_free_pages(pool, movable, 0);
	quarry_free_pages(pool, other, 3);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->pcp_bytes, on_lists);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->free_bytes, nfree + 9 * PAGE_SIZE);
	quarry_free_pages(pool, plain, 0);
	quarry_cache_free(cache, object);
	quarry_cache_destroy(cache);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(pool_is_found_by_name),
	KUNIT_CASE(destroying_nothing_is_fine),
	KUNIT_CASE(the_default_pool_is_there_and_stays),
	KUNIT_CASE(names_are_checked),
	KUNIT_CASE_PARAM(config_is_checked, bad_config_gen_params),
	KUNIT_CASE(config_is_what_the_snapshot_says),
	KUNIT_CASE(the_floor_is_never_given_back),
	KUNIT_CASE(the_floor_survives_growth_in_flight),
	KUNIT_CASE(memory_goes_back_to_the_kernel),
	KUNIT_CASE(pools_leave_each_other_alone),
	KUNIT_CASE(the_low_watermark_grows_in_the_background),
	KUNIT_CASE(the_watermark_does_not_break_the_cap),
	KUNIT_CASE(reclaim_takes_what_is_empty),
	KUNIT_CASE(drain_empties_the_lists),
	KUNIT_CASE(lists_are_bounded),
	KUNIT_CASE(lives_are_kept_apart),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "quarry-pool",
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);
