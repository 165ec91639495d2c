// SPDX-License-Identifier: GPL-2.0
/*
 * What cannot be is refused at once, whoever insists on it; what could be is served; and what
 * was refused leaves nothing behind.
 */
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/quarry_cache.h>
#include <linux/sched.h>

#include "../quarry_kunit.h"

#define INSIST	(GFP_KERNEL | __GFP_NOFAIL | __GFP_NOWARN)
#define DEVICE	BIT_ULL(44)

/**
 * struct insistent - who takes no refusal
 * @pool:	of which pool
 * @reserve:	or of which reserve
 * @cache:	or of which cache
 * @ask:	how, if it is neither of these: gives back at once what it gets, and
 *		sets @err
 * @bytes:	a run of so much, or 0: a block
 * @order:	of this order
 * @gfp:	with these flags
 * @cpu:	on this CPU, or -1
 * @page:	what came of it
 * @at:		or where
 * @err:	or why not
 * @done:	there was an answer
 */
struct insistent {
	struct quarry_pool *pool;
	struct quarry_mempool *reserve;
	struct quarry_cache *cache;
	void (*ask)(struct insistent *w);
	u64 bytes;
	unsigned int order;
	gfp_t gfp;
	int cpu;
	struct page *page;
	phys_addr_t at;
	int err;
	struct completion done;
};

static int insist(void *data)
{
	struct insistent *w = data;
	struct quarry_range range = { .bytes = w->bytes, .gfp = w->gfp };

	if (w->ask)
		w->ask(w);
	else if (w->reserve)
		w->page = quarry_mempool_alloc(w->reserve, w->gfp);
	else if (w->bytes)
		w->err = quarry_alloc_range(w->pool, &range, &w->at);
	else
		w->page = quarry_alloc_pages(w->pool, w->gfp, w->order);
	complete(&w->done);
	return 0;
}

/* Must have an answer. If it waits instead, the cap is raised for it, so that the test ends. */
static void expect_answer(struct kunit *test, struct insistent *w, int err)
{
	struct task_struct *task = kthread_create(insist, w, "quarry-insist");
	u64 max = w->pool->max;

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	if (w->cpu >= 0)
		kthread_bind(task, w->cpu);
	init_completion(&w->done);
	w->page = NULL;
	w->err = -ENOMEM;
	wake_up_process(task);
	if (!wait_for_completion_timeout(&w->done, 20 * HZ)) {
		KUNIT_EXPECT_TRUE(test, false);
		w->pool->max += FRAMES(SZ_64M);
		wait_for_completion(&w->done);
		w->pool->max = max;
	}
	if (w->page)
		w->err = 0;
	KUNIT_EXPECT_EQ(test, w->err, err);
	if (w->page && w->reserve)
		quarry_mempool_free(w->reserve, w->page);
	else if (w->page)
		quarry_free_pages(w->pool, w->page, w->order);
	else if (!w->err && !w->ask)
		quarry_free_range(w->pool, w->at, w->bytes);
}

static void expect_refusal(struct kunit *test, struct insistent *w)
{
	expect_answer(test, w, -ENOMEM);
}

/* All of the pool is its floor, in arenas of 2 MiB and 1 MiB. */
static void what_no_arena_has_room_for(struct kunit *test)
{
	struct insistent w = { .gfp = INSIST, .cpu = -1 };

	w.pool = quarry_test_pool(test, SZ_2M + SZ_1M, SZ_4M);
	w.order = 10;
	expect_refusal(test, &w);
	w.bytes = SZ_4M;
	expect_refusal(test, &w);
}

static void a_page_of_memory_without_pages(struct kunit *test)
{
	struct insistent w = { .gfp = INSIST, .cpu = -1 };

	w.pool = quarry_test_pool(test, 0, SZ_1M);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(w.pool, DEVICE, SZ_64M, 0));
	expect_refusal(test, &w);
	w.pool->max += FRAMES(SZ_64M);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(w.pool, DEVICE));
}

static void a_stock_knows_flags(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct insistent w = { .pool = pool, .gfp = INSIST | __GFP_COMP, .cpu = -1 };
	struct quarry_pool_stats *before, *after;

	w.reserve = quarry_mempool_create(pool, 1, 2);
	KUNIT_ASSERT_FALSE(test, IS_ERR(w.reserve));
	before = quarry_test_stats(test, pool);
	expect_refusal(test, &w);
	w.gfp = GFP_KERNEL | __GFP_DMA;
	expect_refusal(test, &w);
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->errors[QUARRY_ERR_BAD_ARGUMENT],
			before->errors[QUARRY_ERR_BAD_ARGUMENT] + 2);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(w.reserve));
}

static void a_stock_knows_nodes(struct kunit *test)
{
	int other = quarry_test_other_node(test), here = first_memory_node;
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_mempool *r;
	struct quarry_pool *pool;
	struct page *page;

	cfg.min_bytes = SZ_4M;
	cfg.max_bytes = SZ_4M;
	cfg.node = other;
	pool = quarry_test_pool_of(test, &cfg);
	r = quarry_mempool_create(pool, 0, 1);
	KUNIT_ASSERT_FALSE(test, IS_ERR(r));
	quarry_test_pin(test, cpumask_first(cpumask_of_node(here)));
	KUNIT_EXPECT_NULL(test, quarry_mempool_alloc(r, GFP_KERNEL | __GFP_THISNODE |
						     __GFP_NOWARN));
	page = quarry_mempool_alloc(r, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, page);
	quarry_mempool_free(r, page);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(r));
}

/* More than the pool may have is not even listed, let alone asked for. */
static void a_reserve_of_the_impossible(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_pool_stats *before = quarry_test_stats(test, pool), *after;

	KUNIT_EXPECT_EQ(test, -ENOMEM, PTR_ERR(quarry_mempool_create(pool, 0, UINT_MAX)));
	KUNIT_EXPECT_EQ(test, -ENOMEM, PTR_ERR(quarry_mempool_create(pool, 10, 2)));
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->fail_limit, before->fail_limit);
	KUNIT_EXPECT_EQ(test, after->allocs, before->allocs);
}

/* The cap is reached by empty arenas of a node that is not wanted. */
static struct quarry_pool *full_of_the_other(struct kunit *test, int node)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_8M);
	struct page *page[2];
	unsigned int i;

	for (i = 0; i < 2; i++)
		page[i] = quarry_alloc_pages_node(pool, node, GFP_KERNEL | __GFP_THISNODE, 10);
	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_TRUE(test, page[i]);
		quarry_free_pages(pool, page[i], 10);
	}
	quarry_pool_drain(pool);
	return pool;
}

static void ask_for_a_pair(struct insistent *w)
{
	struct page *pages[2];
	unsigned int nr = quarry_alloc_pages_bulk(w->pool, w->gfp, 10, 2, pages);

	w->err = nr == 2 && page_to_nid(pages[1]) == cpu_to_node(w->cpu) ? 0 : -ENOMEM;
	quarry_free_pages_bulk(w->pool, 10, nr, pages);
}

static void ask_for_an_object(struct insistent *w)
{
	void *object = quarry_cache_alloc(w->cache, w->gfp);

	w->err = object && page_to_nid(virt_to_page(object)) == cpu_to_node(w->cpu) ? 0 : -ENOMEM;
	quarry_cache_free(w->cache, object);
}

/* Arenas of other nodes make room for one of the node that it must be. */
static void other_nodes_make_room(struct kunit *test)
{
	int other = quarry_test_other_node(test), here = first_memory_node;
	static const gfp_t how[] = { 0, __GFP_NOFAIL, __GFP_NOFAIL | __GFP_NORETRY };
	struct insistent w = { .cpu = cpumask_first(cpumask_of_node(other)) };
	struct page *page;
	unsigned int i;

	if (w.cpu >= nr_cpu_ids)
		kunit_skip(test, "a node without a CPU");
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		w.gfp = GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN | how[i];
		w.order = 0;
		w.pool = full_of_the_other(test, here);
		expect_answer(test, &w, 0);
		w.pool = full_of_the_other(test, here);
		w.bytes = SZ_64K;
		expect_answer(test, &w, 0);
		w.bytes = 0;
		w.pool = full_of_the_other(test, here);
		w.ask = ask_for_a_pair;
		expect_answer(test, &w, 0);
		w.pool = full_of_the_other(test, here);
		w.cache = quarry_cache_create_in(w.pool, quarry_test_name(test), 256, 0, 0, NULL);
		KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(w.cache));
		w.ask = ask_for_an_object;
		expect_answer(test, &w, 0);
		KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(w.cache));
		w.ask = NULL;
		/* The stock is of here, and what it is to give is not. */
		w.pool = quarry_test_pool(test, 0, SZ_8M);
		quarry_test_pin(test, cpumask_first(cpumask_of_node(here)));
		w.reserve = quarry_mempool_create(w.pool, 4, 2);
		KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(w.reserve));
		page = quarry_alloc_pages_node(w.pool, here, GFP_KERNEL | __GFP_THISNODE, 10);
		KUNIT_ASSERT_TRUE(test, page);
		quarry_free_pages(w.pool, page, 10);
		w.order = 4;
		expect_answer(test, &w, 0);
		KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(w.reserve));
		w.reserve = NULL;
	}
}

/* All that there can be is a floor, and that is elsewhere. */
static void a_floor_of_another_node(struct kunit *test)
{
	struct insistent w = { .gfp = INSIST | __GFP_THISNODE };
	struct page *page;
	int node;

	quarry_test_other_node(test);
	w.pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	page = quarry_alloc_pages(w.pool, GFP_KERNEL, 0);
	KUNIT_ASSERT_TRUE(test, page);
	node = page_to_nid(page);
	quarry_free_pages(w.pool, page, 0);
	for_each_online_cpu(w.cpu)
		if (cpu_to_node(w.cpu) != node)
			break;
	if (w.cpu >= nr_cpu_ids)
		kunit_skip(test, "a node without a CPU");
	expect_refusal(test, &w);
	w.bytes = SZ_64K;
	expect_refusal(test, &w);
	w.bytes = 0;
	w.reserve = quarry_mempool_create(w.pool, 0, 4);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(w.reserve));
	expect_refusal(test, &w);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(w.reserve));
	w.reserve = NULL;
	/* Half of it would do as a floor, but an arena goes as a whole. */
	quarry_pool_drain(w.pool);
	w.pool->min = FRAMES(SZ_2M);
	expect_refusal(test, &w);
	w.pool->min = FRAMES(SZ_4M);
}

#define MANY	1100U

static void ask_for_blocks(struct insistent *w)
{
	struct page **pages = kvcalloc(MANY, sizeof(*pages), GFP_KERNEL | __GFP_NOFAIL);
	unsigned int nr = quarry_alloc_pages_bulk(w->pool, w->gfp, 0, MANY, pages);

	w->err = nr == MANY ? 0 : -ENOMEM;
	quarry_free_pages_bulk(w->pool, 0, nr, pages);
	kvfree(pages);
}

static void ask_for_objects(struct insistent *w)
{
	void **objects = kvcalloc(MANY, sizeof(*objects), GFP_KERNEL | __GFP_NOFAIL);
	int nr = quarry_cache_alloc_bulk(w->cache, w->gfp, MANY, objects);

	w->err = nr ? 0 : -ENOMEM;
	quarry_cache_free_bulk(w->cache, nr, objects);
	kvfree(objects);
}

static void ask_for_a_magazine(struct insistent *w)
{
	struct quarry_magazine *mag = quarry_cache_prefill(w->cache, w->gfp, MANY);

	w->err = mag ? 0 : -ENOMEM;
	quarry_cache_release(w->cache, mag);
}

/* Who has the first of them would wait for the last, which he cannot have. */
static void more_at_once_than_there_can_be(struct kunit *test)
{
	struct insistent w = { .gfp = INSIST, .cpu = -1 };
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool_stats *before, *after;

	/* There are 1024 frames, and of these the reserve is not for all. */
	cfg.min_bytes = SZ_4M;
	cfg.max_bytes = SZ_4M;
	cfg.reserve_bytes = SZ_64K;
	cfg.node = first_memory_node;
	w.pool = quarry_test_pool_of(test, &cfg);
	w.cache = quarry_cache_create_in(w.pool, quarry_test_name(test), PAGE_SIZE, 0, 0, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(w.cache));
	w.ask = ask_for_blocks;
	expect_refusal(test, &w);
	w.ask = ask_for_objects;
	expect_refusal(test, &w);
	before = quarry_test_stats(test, w.pool);
	w.ask = ask_for_a_magazine;
	expect_refusal(test, &w);
	KUNIT_EXPECT_NULL(test, quarry_cache_prefill(w.cache, GFP_KERNEL, 300000000));
	/* A magazine as long as that is not even begun. */
	after = quarry_test_stats(test, w.pool);
	KUNIT_EXPECT_EQ(test, after->allocs, before->allocs);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(w.cache));
}

/* Where a growth of somebody else's never ends: __GFP_NORETRY does not sleep for it. */
static void who_asks_lightly_waits_for_nobody(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	unsigned long switches;
	struct page *page;

	atomic_inc(&pool->growing);
	switches = current->nvcsw;
	page = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, 10);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NORETRY |
						   __GFP_NOWARN, 10));
	KUNIT_EXPECT_EQ(test, current->nvcsw, switches);
	atomic_dec(&pool->growing);
	quarry_free_pages(pool, page, 10);
}

/* A pool that has grown by small arenas to its cap, and all of it is free. */
static void small_arenas_make_room(struct kunit *test)
{
	struct quarry_range range = { .bytes = SZ_4M, .gfp = GFP_KERNEL | __GFP_NOWARN };
	struct insistent w = { .gfp = INSIST | __GFP_NORETRY, .order = 10, .cpu = -1 };
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_2M);
	struct page *page;
	phys_addr_t at;
	unsigned int i;

	w.pool = pool;
	for (i = 0; i < 3; i++) {
		pool->max = FRAMES(SZ_2M);
		page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
		KUNIT_ASSERT_NOT_NULL(test, page);
		/* As if the kernel had no 4 MiB left then. */
		pool->max = FRAMES(SZ_4M);
		/* While one page of it is out there is no room to make. */
		KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 10));
		quarry_free_pages(pool, page, 0);
		/* Not for whoever asks lightly. */
		KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN |
							   __GFP_NORETRY, 10));
		if (i == 2) {
			/* But who waits for ever does not ask lightly. */
			expect_answer(test, &w, 0);
		} else if (i) {
			KUNIT_EXPECT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
			KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, at, SZ_4M));
		} else {
			page = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 10);
			KUNIT_EXPECT_NOT_NULL(test, page);
			quarry_free_pages(pool, page, 10);
		}
		KUNIT_EXPECT_EQ(test, SZ_4M, quarry_pool_shrink(pool, ~0ULL));
	}
}

/* What could not be given back is not taken, and of what is not taken no page is touched. */
static void a_range_with_a_page_in_use(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_1M);
	struct page *pages = quarry_test_memory(test, 8, true);
	unsigned int i, touched = 0;

	SetPageActive(pages + 5);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_add_range(pool, page_to_phys(pages), SZ_1M,
							    QUARRY_ADD_PAGES));
	ClearPageActive(pages + 5);
	for (i = 0; i < FRAMES(SZ_1M); i++)
		touched += page_count(pages + i) != 1;
	KUNIT_EXPECT_EQ(test, touched, 0);
}

/* Of a node that the pool has nothing to do with. */
static void a_range_that_is_refused(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	unsigned int i, touched = 0;
	struct quarry_pool *pool;
	struct page *pages;

	pages = quarry_test_memory(test, 8, true);
	cfg.max_bytes = SZ_4M;
	cfg.node = quarry_test_other_node(test);
	if (cfg.node == page_to_nid(pages))
		cfg.node = first_memory_node;
	KUNIT_ASSERT_NE(test, cfg.node, page_to_nid(pages));
	pool = quarry_test_pool_of(test, &cfg);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_add_range(pool, page_to_phys(pages), SZ_1M,
							     QUARRY_ADD_PAGES));
	for (i = 0; i < FRAMES(SZ_1M); i++)
		touched += page_count(pages + i) != 1;
	KUNIT_EXPECT_EQ(test, touched, 0);
}

/* A cache has nothing of it but what it keeps at hand. */
static void a_range_comes_back_from_caches(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, PAGE_SIZE);
	struct page *pages = quarry_test_memory(test, 10, true);
	struct quarry_cache *cache;
	void *object;

	quarry_test_pin(test, cpumask_first(cpumask_of_node(page_to_nid(pages))));
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, page_to_phys(pages), SZ_4M,
						       QUARRY_ADD_PAGES));
	cache = quarry_cache_create_in(pool, quarry_test_name(test), 256, 0, 0, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(cache));
	object = quarry_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, object);
	quarry_cache_free(cache, object);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, page_to_phys(pages)));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(cache));
}

static struct kunit_case refusals_cases[] = {
	KUNIT_CASE(what_no_arena_has_room_for),
	KUNIT_CASE(a_page_of_memory_without_pages),
	KUNIT_CASE(a_stock_knows_flags),
	KUNIT_CASE(a_stock_knows_nodes),
	KUNIT_CASE(a_reserve_of_the_impossible),
	KUNIT_CASE(other_nodes_make_room),
	KUNIT_CASE(a_floor_of_another_node),
	KUNIT_CASE(more_at_once_than_there_can_be),
	KUNIT_CASE(who_asks_lightly_waits_for_nobody),
	KUNIT_CASE(small_arenas_make_room),
	KUNIT_CASE(a_range_with_a_page_in_use),
	KUNIT_CASE(a_range_that_is_refused),
	KUNIT_CASE(a_range_comes_back_from_caches),
	{}
};

static struct kunit_suite refusals_suite = {
	.name = "quarry-refusals",
	.suite_init = quarry_test_parameters,
	.test_cases = refusals_cases,
};

kunit_test_suite(refusals_suite);
