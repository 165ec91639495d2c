// SPDX-License-Identifier: GPL-2.0
/*
 * What lower layers ask and tell higher ones: a second one is asked and told beside the first,
 * and no more when it has gone.
 */
#include <linux/mm.h>
#include <linux/quarry_cache.h>

#include "../../module/cache/cache.h"
#include "../quarry_kunit.h"

#define STRAY_BYTES	24680

static struct {
	unsigned int asked;
	struct quarry_pool *pool;
	struct quarry_cache *cache;
	int pools;
	int caches;
} seen;

static u64 answer_block(struct quarry_pool *pool, unsigned int order)
{
	return 0;
}

static u64 answer_all(struct quarry_pool *pool)
{
	if (pool != seen.pool)
		return 0;
	seen.asked++;
	return STRAY_BYTES;
}

/* Something goes each time, but a page of a full pool when guests are asked for the fifth time. */
static struct page **full;
static unsigned int nr_full;
static unsigned int guests_asked;

static u64 answer_guests(struct quarry_pool *pool)
{
	if (pool != seen.pool || !full)
		return 0;
	if (++guests_asked == 5)
		quarry_free_pages(pool, full[--nr_full], 0);
	return 1;
}

static void answer_strays(struct quarry_pool *pool)
{
}

static int dead;

static int answer_dead(struct quarry_pool *pool)
{
	return pool == seen.pool ? dead : 0;
}

static unsigned long large;

static bool answer_large(unsigned long pfn)
{
	return pfn == READ_ONCE(large);
}

static void answer_leak(struct quarry_pool *pool)
{
}

static struct quarry_reclaim second = {
	.block = answer_block,
	.all = answer_all,
	.guests = answer_guests,
	.strays = answer_strays,
	.dead = answer_dead,
	.large = answer_large,
	.leak = answer_leak,
};

static void a_second_layer_is_asked(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_4M);
	struct quarry_cache *cache = quarry_cache_create_in(pool, quarry_test_name(test), 256, 0,
							    0, NULL);
	void *object;
	u64 of_first;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	object = quarry_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, object);
	large = page_to_pfn(virt_to_page(object));
	quarry_cache_free(cache, object);
	seen.pool = pool;
	seen.asked = 0;
	KUNIT_EXPECT_FALSE(test, quarry_block_is_large(large));
	quarry_reclaim_add(&second);
	/* What the caches give up is counted as well. */
	of_first = quarry_pool_reclaim_all(pool);
	KUNIT_EXPECT_GT(test, of_first, STRAY_BYTES);
	KUNIT_EXPECT_EQ(test, 1, seen.asked);
	KUNIT_EXPECT_EQ(test, STRAY_BYTES, quarry_pool_reclaim_all(pool));
	KUNIT_EXPECT_TRUE(test, quarry_block_is_large(large));
	/* The caches say that one is there, and what others know does not outweigh it. */
	dead = 3;
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_dead_caches(pool));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(cache));
	KUNIT_EXPECT_EQ(test, 3, quarry_pool_dead_caches(pool));
	dead = -EBUSY;
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_dead_caches(pool));
	dead = 0;
	quarry_reclaim_remove(&second);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_reclaim_all(pool));
	KUNIT_EXPECT_EQ(test, 2, seen.asked);
	KUNIT_EXPECT_FALSE(test, quarry_block_is_large(large));
	seen.pool = NULL;
}

/* So that the test ends, if nobody asks. */
static void give_one(struct work_struct *work)
{
	quarry_free_pages(seen.pool, full[--nr_full], 0);
}

/* Who may not fail goes on asking: what guests need today they may do without tomorrow. */
static void who_may_not_fail_asks_guests_again(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_1M);
	struct delayed_work late;
	struct page *page;

	INIT_DELAYED_WORK_ONSTACK(&late, give_one);
	full = quarry_test_pages(test, FRAMES(SZ_1M) + 1);
	nr_full = quarry_test_take_all(test, pool, GFP_KERNEL, 0, full, FRAMES(SZ_1M) + 1);
	seen.pool = pool;
	guests_asked = 0;
	quarry_reclaim_add(&second);
	schedule_delayed_work(&late, 10 * HZ);
	page = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOFAIL, 0);
	cancel_delayed_work_sync(&late);
	quarry_reclaim_remove(&second);
	destroy_delayed_work_on_stack(&late);
	KUNIT_EXPECT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, guests_asked, 5);
	if (page)
		full[nr_full++] = page;
	quarry_test_give_all(pool, 0, full, nr_full);
	full = NULL;
	seen.pool = NULL;
}

static void pool_created(struct quarry_pool *pool)
{
	seen.pools += pool == seen.pool || !strcmp(pool->name, "hooks-second");
}

static void pool_destroyed(struct quarry_pool *pool)
{
	seen.pools -= pool == seen.pool || !strcmp(pool->name, "hooks-second");
}

static struct quarry_pool_watcher pools = {
	.created = pool_created,
	.destroyed = pool_destroyed,
};

static void a_second_watcher_of_pools_is_told(struct kunit *test)
{
	struct quarry_pool *pool;

	seen.pool = quarry_test_pool(test, 0, SZ_4M);
	seen.pools = 0;
	quarry_pool_watch(&pools);
	/* Of what is there it is told at once. */
	KUNIT_EXPECT_EQ(test, 1, seen.pools);
	pool = quarry_pool_create("hooks-second", &QUARRY_POOL_CONFIG);
	KUNIT_EXPECT_FALSE(test, IS_ERR(pool));
	KUNIT_EXPECT_EQ(test, 2, seen.pools);
	/* The first one, of debugfs, is told as well. */
	if (!IS_ERR(pool) && IS_ENABLED(CONFIG_DEBUG_FS))
		KUNIT_EXPECT_NOT_NULL(test, pool->debugfs);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
	KUNIT_EXPECT_EQ(test, 1, seen.pools);
	quarry_pool_unwatch(&pools);
	pool = quarry_pool_create("hooks-second", &QUARRY_POOL_CONFIG);
	KUNIT_EXPECT_EQ(test, 1, seen.pools);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
	seen.pool = NULL;
}

static void cache_created(struct quarry_cache *cache)
{
	seen.caches += !strcmp(cache->name, "hooks-first") || !strcmp(cache->name, "hooks-second");
}

static void cache_destroyed(struct quarry_cache *cache)
{
	seen.caches -= !strcmp(cache->name, "hooks-first") || !strcmp(cache->name, "hooks-second");
}

static struct quarry_cache_watcher caches = {
	.created = cache_created,
	.destroyed = cache_destroyed,
};

static void a_second_watcher_of_caches_is_told(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_4M);
	struct quarry_cache *first, *next;

	first = quarry_cache_create_in(pool, "hooks-first", 64, 0, 0, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, first);
	seen.caches = 0;
	quarry_cache_watch(&caches);
	KUNIT_EXPECT_EQ(test, 1, seen.caches);
	next = quarry_cache_create_in(pool, "hooks-second", 64, 0, 0, NULL);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, next);
	KUNIT_EXPECT_EQ(test, 2, seen.caches);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(next));
	KUNIT_EXPECT_EQ(test, 1, seen.caches);
	quarry_cache_unwatch(&caches);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(first));
	KUNIT_EXPECT_EQ(test, 1, seen.caches);
}

static struct kunit_case hooks_cases[] = {
	KUNIT_CASE(a_second_layer_is_asked),
	KUNIT_CASE(who_may_not_fail_asks_guests_again),
	KUNIT_CASE(a_second_watcher_of_pools_is_told),
	KUNIT_CASE(a_second_watcher_of_caches_is_told),
	{}
};

static struct kunit_suite hooks_suite = {
	.name = "quarry-hooks",
	.test_cases = hooks_cases,
};

kunit_test_suite(hooks_suite);
