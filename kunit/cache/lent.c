// SPDX-License-Identifier: GPL-2.0
/*
 * What caches take of a pool's reserve: it is for those who must not fail, and comes back.
 *
 * The pool has a reserve, and callers who may have none of it take all else as objects. Then
 * others borrow: whatever they take, and however and wherever they give it back, the reserve
 * is whole again when it has come back, and none of it is had by anybody else meanwhile.
 */
#include <linux/mm.h>

#include "../cache_kunit.h"

#define POOL		SZ_4M
#define RESERVE		SZ_1M
#define RESERVED	(RESERVE / PAGE_SIZE)
#define SIZE		512U
#define ALL		(POOL / SIZE + 1)
#define ROUNDS		100

/* What is borrowed at a time: several slabs, with safety modes as well. */
#define BORROWED	300U

static const gfp_t plainly[] = { GFP_KERNEL, GFP_NOWAIT, GFP_KERNEL | __GFP_NORETRY };

/**
 * struct lender - a pool with a reserve, and a cache in it
 * @pool:	the pool
 * @c:		the cache
 * @held:	objects that are out and not borrowed
 * @nr:		how many they are
 * @p:		objects that are borrowed
 * @pages:	room for all of the reserve
 */
struct lender {
	struct quarry_pool *pool;
	struct quarry_cache *c;
	void **held;
	unsigned int nr;
	void **p;
	struct page **pages;
};

static const unsigned int with_and_without[] = { 0, QUARRY_MODES };

static void modes_name(const unsigned int *modes, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "modes %x", *modes);
}

KUNIT_ARRAY_PARAM(modes, with_and_without, modes_name);

/* All but the reserve is out. */
static struct lender *start(struct kunit *test)
{
	struct lender *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	int cpu = cpumask_last(cpu_online_mask);
	unsigned int modes = 0;

	KUNIT_ASSERT_NOT_NULL(test, l);
	quarry_test_pin(test, cpu);
	cfg.min_bytes = POOL;
	cfg.max_bytes = POOL;
	cfg.reserve_bytes = RESERVE;
	cfg.node = cpu_to_mem(cpu);
	l->pool = quarry_test_pool_of(test, &cfg);
	l->c = quarry_test_cache_in(test, l->pool, SIZE, 0);
	if (test->param_value)
		modes = *(const unsigned int *)test->param_value;
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(l->c, modes));
	l->held = quarry_test_objects(test, ALL);
	l->p = quarry_test_objects(test, BORROWED);
	l->pages = quarry_test_pages(test, POOL / PAGE_SIZE + 1);
	l->nr = quarry_test_exhaust(test, l->c, GFP_KERNEL, l->held, ALL);
	KUNIT_ASSERT_GT(test, l->nr, BORROWED);
	return l;
}

/* Nobody who may have none of it gets any. */
static void expect_refused(struct kunit *test, struct lender *l)
{
	unsigned int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(plainly); i++) {
		p = quarry_cache_alloc(l->c, plainly[i] | __GFP_NOWARN);
		KUNIT_EXPECT_NULL_MSG(test, p, "way %u", i);
		quarry_cache_free(l->c, p);
	}
}

/* All of the reserve is there, at this moment, and nothing else. */
static void expect_whole(struct kunit *test, struct lender *l)
{
	unsigned int nr = quarry_test_take_all(test, l->pool, GFP_ATOMIC, 0, l->pages,
					       POOL / PAGE_SIZE + 1);

	KUNIT_EXPECT_EQ(test, nr, RESERVED);
	quarry_test_give_all(l->pool, 0, l->pages, nr);
}

static void finish(struct kunit *test, struct lender *l)
{
	expect_refused(test, l);
	quarry_test_cache_sound(test, l->c);
	quarry_test_give_objects(l->c, l->held, l->nr);
}

static void borrow(struct kunit *test, struct lender *l)
{
	unsigned int i;

	for (i = 0; i < BORROWED; i++) {
		l->p[i] = quarry_cache_alloc(l->c, GFP_ATOMIC | __GFP_NOWARN);
		KUNIT_ASSERT_NOT_NULL(test, l->p[i]);
		quarry_test_object_fill(l->p[i], SIZE, i);
	}
}

/* One object at a time, whose slab has room for more: each time others come by. */
static void it_does_not_drain_away(struct kunit *test)
{
	struct lender *l = start(test);
	unsigned int round;
	void *p, *q;

	for (round = 0; round < ROUNDS; round++) {
		p = quarry_cache_alloc(l->c, GFP_ATOMIC | __GFP_NOWARN);
		KUNIT_ASSERT_NOT_NULL(test, p);
		q = quarry_cache_alloc(l->c, GFP_NOWAIT | __GFP_NOWARN);
		KUNIT_ASSERT_NULL(test, q);
		if (round % 10 == 0)
			expect_refused(test, l);
		quarry_cache_free(l->c, p);
		q = quarry_cache_alloc(l->c, GFP_NOWAIT | __GFP_NOWARN);
		KUNIT_ASSERT_NULL(test, q);
	}
	expect_whole(test, l);
	finish(test, l);
}

static void one_by_one(void *arg)
{
	struct lender *l = arg;

	quarry_test_give_objects(l->c, l->p, BORROWED);
}

static void in_bulk(void *arg)
{
	struct lender *l = arg;

	quarry_cache_free_bulk(l->c, BORROWED, l->p);
}

static void as_malloc(void *arg)
{
	struct lender *l = arg;

	quarry_free_bulk(BORROWED, l->p);
}

static void without_a_lock(void *arg)
{
	struct lender *l = arg;
	unsigned int i;

	for (i = 0; i < BORROWED; i++)
		quarry_cache_free_nolock(l->c, l->p[i]);
}

/* While somebody has the node's lock, so that the objects are returned later. */
static void while_it_is_locked(void *arg)
{
	struct lender *l = arg;
	struct quarry_cache_node *n = quarry_cpu_cache_node(quarry_test_cpu_cache(l->c));
	unsigned long flags;

	quarry_node_lock(n, &flags, false);
	without_a_lock(l);
	quarry_node_unlock(n, flags);
	quarry_node_settle(n);
}

static void it_comes_back_at_once(struct kunit *test)
{
	static void (*const give[])(void *) = {
		one_by_one, in_bulk, as_malloc, without_a_lock, while_it_is_locked,
	};
	struct lender *l = start(test);
	int other = cpumask_first(cpu_online_mask), here = raw_smp_processor_id();
	unsigned int i, k, broken = 0;

	for (i = 0; i < 2 * ARRAY_SIZE(give); i++) {
		borrow(test, l);
		for (k = 0; k < BORROWED; k++)
			broken += !quarry_test_object_filled(l->p[k], SIZE, k);
		quarry_test_on_cpu(test, i & 1 ? other : here, give[i / 2], l);
		expect_whole(test, l);
		expect_refused(test, l);
	}
	KUNIT_EXPECT_EQ(test, broken, 0);
	finish(test, l);
}

/* Half of it is for those who may sleep and say that it is urgent. */
static void half_of_it_for_the_urgent(struct kunit *test)
{
	struct lender *l = start(test);
	void **p = quarry_test_objects(test, ALL);
	unsigned int nr, more;

	nr = quarry_test_exhaust(test, l->c, GFP_KERNEL | __GFP_HIGH, p, ALL);
	KUNIT_EXPECT_GT(test, nr, 0);
	KUNIT_EXPECT_LE(test, nr, RESERVE / SIZE / 2);
	expect_refused(test, l);
	/* The other half is whole, and for those who may not sleep. */
	more = quarry_test_take_all(test, l->pool, GFP_ATOMIC, 0, l->pages,
				    POOL / PAGE_SIZE + 1);
	KUNIT_EXPECT_EQ(test, more, RESERVED / 2);
	quarry_test_give_all(l->pool, 0, l->pages, more);
	quarry_test_give_objects(l->c, p, nr);
	expect_whole(test, l);
	finish(test, l);
}

/* All of it goes to those who may have all, as objects, and nothing is wasted. */
static void all_of_it_for_those_who_may_not_fail(struct kunit *test)
{
	struct lender *l = start(test);
	void **p = quarry_test_objects(test, ALL);
	unsigned int nr;

	nr = quarry_test_exhaust(test, l->c, GFP_ATOMIC, p, ALL);
	KUNIT_EXPECT_EQ(test, nr, l->nr / (POOL / RESERVE - 1));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(l->pool, GFP_ATOMIC | __GFP_NOWARN, 0));
	expect_refused(test, l);
	quarry_test_give_objects(l->c, p, nr);
	expect_whole(test, l);
	finish(test, l);
}

/* Once enough is free besides, anybody may have what is left of a slab that is lent. */
static void when_there_is_enough_anybody_may(struct kunit *test)
{
	struct lender *l = start(test);
	struct quarry_cache *c = quarry_test_cache_in(test, l->pool, SIZE, 0);
	void *p, *q;

	p = quarry_cache_alloc(c, GFP_ATOMIC);
	KUNIT_ASSERT_NOT_NULL(test, p);
	quarry_test_give_objects(l->c, l->held, l->nr);
	l->nr = 0;
	quarry_cache_shrink(l->c);
	q = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, q);
	quarry_cache_free(c, q);
	quarry_cache_free(c, p);
	quarry_test_cache_sound(test, c);
}

static void wrong_frees_are_told(struct kunit *test)
{
	struct lender *l = start(test);
	struct quarry_cache_stats *before;
	unsigned int i;

	borrow(test, l);
	before = quarry_test_cache_stats(test, l->c);
	quarry_cache_free(l->c, l->p[1] + 8);
	quarry_test_only_cache_error(test, l->c, before, QUARRY_CACHE_ERR_INTERIOR, 1);
	quarry_cache_free(l->c, l->p[0]);
	before = quarry_test_cache_stats(test, l->c);
	quarry_cache_free(l->c, l->p[0]);
	quarry_test_only_cache_error(test, l->c, before, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	for (i = 1; i < BORROWED; i++)
		quarry_cache_free(l->c, l->p[i]);
	/* Its slab is no more. */
	before = quarry_test_cache_stats(test, l->c);
	quarry_cache_free(l->c, l->p[BORROWED - 1]);
	quarry_test_only_cache_error(test, l->c, before, QUARRY_CACHE_ERR_FOREIGN, 1);
	expect_whole(test, l);
	finish(test, l);
}

static struct kunit_case lent_cases[] = {
	KUNIT_CASE_PARAM(it_does_not_drain_away, modes_gen_params),
	KUNIT_CASE_PARAM(it_comes_back_at_once, modes_gen_params),
	KUNIT_CASE_PARAM(half_of_it_for_the_urgent, modes_gen_params),
	KUNIT_CASE_PARAM(all_of_it_for_those_who_may_not_fail, modes_gen_params),
	KUNIT_CASE(when_there_is_enough_anybody_may),
	KUNIT_CASE(wrong_frees_are_told),
	{}
};

static struct kunit_suite lent_suite = {
	.name = "quarry-lent",
	.suite_init = quarry_test_parameters,
	.test_cases = lent_cases,
};

kunit_test_suite(lent_suite);
