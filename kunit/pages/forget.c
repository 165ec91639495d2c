// SPDX-License-Identifier: GPL-2.0
/*
 * Pools that are forgotten with memory out: what was out is lost, to the byte, and nothing else.
 *
 * A test remembers the frames that it loses. When it has seen that nobody got them it gives
 * them back by hand, as misuse.c does.
 */
#include <linux/io.h>
#include <linux/kmemleak.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/page_ref.h>

#include "../cache_kunit.h"

#define POOL	SZ_8M
#define LOST	3U

static struct quarry_pool *make(struct kunit *test, const char *name)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;

	cfg.min_bytes = POOL;
	cfg.max_bytes = POOL;
	return quarry_pool_create(name, &cfg);
}

/* A pool that the test destroys or forgets itself. */
static struct quarry_pool *leaky(struct kunit *test)
{
	struct quarry_pool *pool = make(test, "qk-forget");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	return pool;
}

/* Nobody has got a page that was lost; give it back. */
static void expect_kept(struct kunit *test, struct page *page, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_EQ(test, page_count(page + i), QUARRY_PAGE_REFS);
		KUNIT_EXPECT_FALSE(test, quarry_owns_page(page + i));
		set_page_count(page + i, 1);
		__free_page(page + i);
	}
}

/* The name is anybody's. */
static void expect_name_free(struct kunit *test)
{
	struct quarry_pool *pool = leaky(test);

	quarry_test_at_rest(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
}

static void pages_out_are_lost_and_no_others(struct kunit *test)
{
	u64 before = quarry_pools_lost(), lost = ~0ULL;
	unsigned int pools = quarry_pools_forgotten(), i, ours = 0;
	struct page **page = quarry_test_pages(test, 1024);
	struct quarry_pool *pool = leaky(test);
	struct page *first;

	/* A whole arena, of which three frames stay out. */
	KUNIT_ASSERT_EQ(test, 1024, quarry_alloc_pages_bulk(pool, GFP_KERNEL, 0, 1024, page));
	first = page[100];
	quarry_test_fill(page[100], 0, 1);
	for (i = 0; i < 1024; i++)
		if (i != 100 && i != 500 && i != 900)
			quarry_free_pages(pool, page[i], 0);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_destroy(pool));
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_forget(pool, &lost));
	KUNIT_EXPECT_EQ(test, lost, LOST * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, quarry_pools_lost() - before, LOST * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, quarry_pools_forgotten(), pools + 1);
	/* All else is the kernel's, or whose who got it from there. */
	for (i = 0; i < 1024; i++)
		ours += page_count(page[i]) == QUARRY_PAGE_REFS;
	KUNIT_EXPECT_EQ(test, ours, LOST);
	KUNIT_EXPECT_TRUE(test, quarry_test_filled(first, 0, 1));
	expect_name_free(test);
	expect_kept(test, page[100], 1);
	expect_kept(test, page[500], 1);
	expect_kept(test, page[900], 1);
}

/* By each way, and to each pool: it is told as misuse, and nothing else happens. */
static void a_late_free_is_refused(struct kunit *test)
{
	struct quarry_pool *pool = leaky(test), *other = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_pool_stats *before;
	struct page *page;
	u64 lost;

	page = quarry_alloc_pages(pool, GFP_KERNEL, 2);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_forget(pool, &lost));
	KUNIT_EXPECT_EQ(test, lost, 4 * PAGE_SIZE);
	before = quarry_test_stats(test, other);
	quarry_free_pages(other, page, 2);
	quarry_test_only_error(test, other, before, QUARRY_ERR_FOREIGN, 1);
	/* What describes it is there still, for who has kept the pointer. */
	before = quarry_test_stats(test, pool);
	quarry_free_pages(pool, page, 2);
	quarry_free_pages_bulk(pool, 2, 1, &page);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(pool, page_to_phys(page), 4 * PAGE_SIZE));
	quarry_test_only_error(test, pool, before, QUARRY_ERR_FOREIGN, 3);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 0));
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, 0);
	quarry_test_sound(test, other);
	expect_kept(test, page, 4);
}

/* What is on lists, and what an armed pool keeps from them, is not out. */
static void nothing_out_is_nothing_lost(struct kunit *test)
{
	struct quarry_pool *pool = leaky(test);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	u64 lost = ~0ULL;

	quarry_free_pages(pool, page, 0);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_forget(pool, &lost));
	KUNIT_EXPECT_EQ(test, lost, 0);
	pool = leaky(test);
	page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_inject(pool, 1000000, 0));
	quarry_free_pages(pool, page, 0);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_forget(pool, &lost));
	KUNIT_EXPECT_EQ(test, lost, 0);
	expect_name_free(test);
}

static struct quarry_cache *cache_in(struct kunit *test, struct quarry_pool *pool)
{
	struct quarry_cache *c = quarry_cache_create_in(pool, "qk-forget-objects", 256, 0,
							SLAB_STORE_USER, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	return c;
}

/* Who has a dead cache's objects, by its number. */
static u64 traced(struct kunit *test, u32 id, struct quarry_trace *trace, u64 *untraced)
{
	struct quarry_cache *cache = quarry_cache_look_id(id);
	unsigned int nr;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_traces(cache, false, trace, 1, &nr, untraced));
	quarry_cache_look_away(cache);
	return nr ? trace->objects : 0;
}

static void objects_of_a_dead_cache_are_lost(struct kunit *test)
{
	struct quarry_pool *pool = leaky(test), *other = quarry_test_pool(test, SZ_4M, SZ_4M);
	u64 before, lost, untraced, slab;
	struct quarry_trace *trace;
	struct quarry_cache *c;
	void *object[LOST];
	unsigned int i;
	struct page *page;
	u32 id;

	trace = kunit_kzalloc(test, sizeof(*trace), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, trace);
	c = cache_in(test, pool);
	id = c->registered.id;
	quarry_test_pin(test, 0);
	for (i = 0; i < LOST; i++) {
		object[i] = quarry_cache_alloc(c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, object[i]);
		memset(object[i], 0x11 + i, 256);
	}
	slab = PAGE_SIZE << c->shape[1].order;
	preempt_disable();
	page = quarry_page_slab_of(object[0])->page;
	preempt_enable();
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_forget(pool, &lost));
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_cache_destroy(c));
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_destroy(pool));
	KUNIT_EXPECT_EQ(test, traced(test, id, trace, &untraced), LOST);
	KUNIT_EXPECT_NOT_NULL(test, strstr(trace->text, "objects_of_a_dead_cache"));
	before = quarry_pools_lost();
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_forget(pool, &lost));
	KUNIT_EXPECT_EQ(test, lost, slab);
	KUNIT_EXPECT_EQ(test, quarry_pools_lost() - before, slab);
	/* What is known of them stays. */
	KUNIT_EXPECT_EQ(test, traced(test, id, trace, &untraced), LOST);
	KUNIT_EXPECT_EQ(test, untraced, 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(trace->text, "objects_of_a_dead_cache"));
	/* A free finds nothing, and says so. */
	before = quarry_test_stats(test, quarry_pool_default())->errors[QUARRY_ERR_FOREIGN];
	quarry_free(object[0]);
	KUNIT_EXPECT_EQ(test, before + 1,
			quarry_test_stats(test, quarry_pool_default())->errors[QUARRY_ERR_FOREIGN]);
	for (i = 0; i < LOST; i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(object[i], 0x11 + i, 256));
	/* Both names are anybody's. */
	expect_name_free(test);
	c = cache_in(test, other);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(c));
	kmemleak_free(page_address(page));
	expect_kept(test, page, slab >> PAGE_SHIFT);
}

/* Objects that are returned before are not lost, and the cache goes. */
static void a_dead_cache_with_nothing_out_goes(struct kunit *test)
{
	struct quarry_pool *pool = leaky(test);
	struct quarry_cache *c = cache_in(test, pool);
	void *object = quarry_cache_alloc(c, GFP_KERNEL);
	u64 lost = ~0ULL;

	KUNIT_ASSERT_NOT_NULL(test, object);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_cache_destroy(c));
	quarry_free(object);
	/* If the reaper has destroyed it meanwhile, that is well too. */
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_forget(pool, &lost));
	KUNIT_EXPECT_EQ(test, lost, 0);
	expect_name_free(test);
}

static void what_somebody_has_is_not_forgotten(struct kunit *test)
{
	struct quarry_pool *pool = leaky(test), *found;
	unsigned int pools = quarry_pools_forgotten();
	struct quarry_cache *c;
	u64 lost = 0;

	found = quarry_pool_find("qk-forget");
	KUNIT_EXPECT_PTR_EQ(test, found, pool);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_forget(pool, &lost));
	quarry_pool_put(found);
	c = cache_in(test, pool);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_forget(pool, &lost));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(c));
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_forget(quarry_pool_default(), &lost));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_forget(NULL, &lost));
	KUNIT_EXPECT_EQ(test, -ENOENT, quarry_pool_forget_named("qk-no-such", &lost));
	/* This module is loaded, and has not been asked. */
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_forget_named("qk-forget", &lost));
	KUNIT_EXPECT_EQ(test, quarry_pools_forgotten(), pools);
	quarry_test_at_rest(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
}

/* Somebody else's memory is not ours to lose. */
static void a_range_of_its_owners_is_not_forgotten(struct kunit *test)
{
	struct page *memory = quarry_test_memory(test, 3, false);
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool *pool;
	struct page *page;
	u64 lost = 1;

	cfg.max_bytes = 8 * PAGE_SIZE;
	pool = quarry_pool_create("qk-forget", &cfg);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, page_to_phys(memory),
						       8 * PAGE_SIZE, QUARRY_ADD_PAGES));
	page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, quarry_pool_forget(pool, &lost));
	quarry_free_pages(pool, page, 0);
	/* All of it is here, so it goes back to its owner. */
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_forget(pool, &lost));
	KUNIT_EXPECT_EQ(test, lost, 0);
	KUNIT_EXPECT_EQ(test, page_count(memory), 1);
}

/* The module that made it has gone: then anybody who may can do it by name. */
static void an_orphan_is_forgotten_by_name(struct kunit *test)
{
	struct quarry_pool *pool = leaky(test);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	u64 lost = 0;

	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_pools_disown(THIS_MODULE);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_forget_named("qk-forget", &lost));
	KUNIT_EXPECT_EQ(test, lost, PAGE_SIZE);
	expect_name_free(test);
	expect_kept(test, page, 1);
}

/* A page of which the kernel may have got others: none of its arena goes back. */
static void an_arena_that_was_torn_is_lost_whole(struct kunit *test)
{
	struct quarry_pool *pool = leaky(test);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 10), *head;
	unsigned int i, ours = 0;
	u64 lost = 0;

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, 0, quarry_trim(pool, page_to_phys(page), SZ_4M, PAGE_SIZE));
	head = page;
	__free_page(page + 9);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_forget(pool, &lost));
	KUNIT_EXPECT_EQ(test, lost, SZ_4M);
	for (i = 0; i < 1024; i++)
		ours += page_count(head + i) >= QUARRY_PAGE_REFS - 1;
	KUNIT_EXPECT_EQ(test, ours, 1024);
	for (i = 0; i < 1024 && ours == 1024; i++) {
		set_page_count(head + i, 1);
		__free_page(head + i);
	}
}

/* Who checks a pool while it is forgotten. */
struct checker {
	struct quarry_pool *pool;
	u64 rounds;
	struct quarry_check check;
};

static int check_on(void *data)
{
	struct checker *k = data;
	struct quarry_zone *z = NULL;
	unsigned long flags;

	while (!kthread_should_stop()) {
		while ((z = quarry_zone_next(k->pool, z))) {
			quarry_zone_lock(z, &flags);
			quarry_buddy_check_sums(&z->buddy, &k->check);
			quarry_zone_unlock(z, flags);
		}
		WRITE_ONCE(k->rounds, k->rounds + 1);
		cond_resched();
	}
	return 0;
}

/* Of each arena a half is out. Whoever looks meanwhile sees the pool as it was, or empty. */
static void check_while_it_goes(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct checker k = {};
	struct task_struct *task;
	struct page *page[16];
	unsigned int i;
	u64 lost = 0;

	cfg.min_bytes = SZ_32M;
	cfg.max_bytes = SZ_32M;
	cfg.node = numa_mem_id();
	k.pool = quarry_pool_create("qk-forget", &cfg);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, k.pool);
	KUNIT_ASSERT_EQ(test, 16, quarry_alloc_pages_bulk(k.pool, GFP_KERNEL, 9, 16, page));
	for (i = 0; i < 16; i++)
		if (page_to_pfn(page[i]) & 512)
			quarry_free_pages(k.pool, page[i], 9);
	task = kthread_create(check_on, &k, "quarry-checker");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	kthread_bind(task, quarry_test_other_cpu(test));
	wake_up_process(task);
	while (!READ_ONCE(k.rounds))
		cond_resched();
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_forget(k.pool, &lost));
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, lost, SZ_16M);
	KUNIT_EXPECT_EQ_MSG(test, k.check.violations, 0, "%s", k.check.what);
	for (i = 0; i < 16; i++)
		if (!(page_to_pfn(page[i]) & 512))
			expect_kept(test, page[i], 512);
}

static void who_checks_meanwhile_finds_no_violation(struct kunit *test)
{
	unsigned int round;

	quarry_test_pin(test, 0);
	for (round = 0; round < 20; round++)
		check_while_it_goes(test);
}

static struct kunit_case forget_cases[] = {
	KUNIT_CASE(pages_out_are_lost_and_no_others),
	KUNIT_CASE(a_late_free_is_refused),
	KUNIT_CASE(nothing_out_is_nothing_lost),
	KUNIT_CASE(objects_of_a_dead_cache_are_lost),
	KUNIT_CASE(a_dead_cache_with_nothing_out_goes),
	KUNIT_CASE(what_somebody_has_is_not_forgotten),
	KUNIT_CASE(a_range_of_its_owners_is_not_forgotten),
	KUNIT_CASE(an_orphan_is_forgotten_by_name),
	KUNIT_CASE(an_arena_that_was_torn_is_lost_whole),
	KUNIT_CASE(who_checks_meanwhile_finds_no_violation),
	{}
};

static struct kunit_suite forget_suite = {
	.name = "quarry-forget",
	.suite_init = quarry_test_parameters,
	.test_cases = forget_cases,
};

kunit_test_suite(forget_suite);
