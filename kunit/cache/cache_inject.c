// SPDX-License-Identifier: GPL-2.0
/*
 * Faults that a client asks for: quarry_cache_inject(), and quarry_pool_inject() below a
 * cache.
 *
 * The n-th allocation fails, once, by whichever call it comes; or so many of a million;
 * and when it is over the cache is as quick as before. (Quarry's own steps are
 * failed in base/inject.c.)
 */
#include <linux/mm.h>

#include "../cache_kunit.h"

static void *by_alloc(struct quarry_cache *c)
{
	return quarry_cache_alloc(c, GFP_KERNEL);
}

static void *by_zalloc(struct quarry_cache *c)
{
	return quarry_cache_zalloc(c, GFP_KERNEL);
}

static void *by_bulk(struct quarry_cache *c)
{
	void *p;

	return quarry_cache_alloc_bulk(c, GFP_KERNEL, 1, &p) ? p : NULL;
}

static void *by_node(struct quarry_cache *c)
{
	return quarry_cache_alloc_node(c, GFP_KERNEL, numa_mem_id());
}

static void *by_nolock(struct quarry_cache *c)
{
	return quarry_cache_alloc_nolock(c, 0);
}

static void *by_reserve(struct quarry_cache *c)
{
	struct quarry_magazine *mag = quarry_cache_prefill(c, GFP_KERNEL, 1);
	void *p = mag ? quarry_cache_alloc_prefilled(c, 0, mag) : NULL;

	quarry_cache_release(c, mag);
	return p;
}

static const struct way {
	const char *name;
	void *(*take)(struct quarry_cache *c);
} ways[] = {
	{ "alloc", by_alloc }, { "zalloc", by_zalloc }, { "bulk", by_bulk },
	{ "node", by_node }, { "nolock", by_nolock }, { "reserve", by_reserve },
};

static void way_name(const struct way *w, char *text)
{
	strscpy(text, w->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(way, ways, way_name);

static void the_nth_fails_once(struct kunit *test)
{
	const struct way *w = test->param_value;
	struct quarry_cache *c = quarry_test_near_cache(test, 80);
	unsigned int modes, nth, i, failed;
	struct quarry_cache_stats *before, *after;
	void *p[10];

	for (modes = 0; modes <= QUARRY_MODES; modes += QUARRY_MODES) {
		KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, modes));
		/* Something for those that do not grow. */
		quarry_test_take_objects(test, c, p, 10);
		quarry_test_give_objects(c, p, 10);
		for (nth = 1; nth <= 4; nth++) {
			before = quarry_test_cache_stats(test, c);
			KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, nth, 0));
			for (i = failed = 0; i < 8; i++) {
				p[i] = w->take(c);
				if (!p[i])
					failed |= 1U << i;
			}
			KUNIT_EXPECT_EQ(test, failed, 1U << (nth - 1));
			after = quarry_test_cache_stats(test, c);
			KUNIT_EXPECT_EQ(test, after->fail_injected - before->fail_injected, 1);
			KUNIT_EXPECT_EQ(test, after->failures - before->failures, 1);
			for (i = 0; i < 8; i++)
				quarry_cache_free(c, p[i]);
			quarry_test_cache_sound(test, c);
		}
		KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 0, 0));
	}
}

static void so_many_of_a_million(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 80);
	struct quarry_cache_stats *st;
	unsigned int i, failed = 0;
	void *p;

	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 0, 1000000));
	for (i = 0; i < 50; i++)
		KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_KERNEL));
	/* Who must not fail does not. */
	p = quarry_cache_alloc(c, GFP_KERNEL | __GFP_NOFAIL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_cache_free(c, p);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->fail_injected, 50);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 0, 500000));
	for (i = 0; i < 1000; i++) {
		p = quarry_cache_alloc(c, GFP_KERNEL);
		failed += !p;
		quarry_cache_free(c, p);
	}
	/* Off by more than ten standard deviations, it is no half. */
	KUNIT_EXPECT_GT(test, failed, 340);
	KUNIT_EXPECT_LT(test, failed, 660);
	st = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, st->fail_injected, 50 + failed);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 0, 0));
	for (i = 0; i < 100; i++) {
		p = quarry_cache_alloc(c, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, p);
		quarry_cache_free(c, p);
	}
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->fail_injected, 50 + failed);
}

static void arguments(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 80);
	void *p;

	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_cache_inject(c, 0, 1000001));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_cache_inject(c, (u64)S64_MAX + 1, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, ~0ULL, ~0U));
	p = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_cache_free(c, p);
	/* One is kept while the other is set. */
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 3, ~0U));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, ~0ULL, 1000000));
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, ~0ULL, 0));
	p = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_KERNEL));
	quarry_cache_free(c, p);
	/* What is refused has changed nothing. */
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 1, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_cache_inject(c, 0, 1000001));
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 0, 0));
}

/* Disarmed, the magazines are open again, and what modes disabled stays disabled. */
static void it_is_over_when_it_is(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_near_cache(test, 80);
	struct quarry_cache_stats *before, *after;
	unsigned int i;
	void *p[4];

	quarry_test_take_objects(test, c, p, 4);
	quarry_test_give_objects(c, p, 4);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 100, 0));
	KUNIT_EXPECT_EQ(test, quarry_test_cpu_cache(c)->disabled, QUARRY_DISABLED_INJECT);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_CHECK));
	KUNIT_EXPECT_EQ(test, quarry_test_cpu_cache(c)->disabled, QUARRY_DISABLED_INJECT |
			QUARRY_DISABLED_MODES);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 0, 0));
	KUNIT_EXPECT_EQ(test, quarry_test_cpu_cache(c)->disabled, QUARRY_DISABLED_MODES);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, 0));
	KUNIT_EXPECT_EQ(test, quarry_test_cpu_cache(c)->disabled, 0);
	quarry_test_take_objects(test, c, p, 4);
	quarry_test_give_objects(c, p, 4);
	before = quarry_test_cache_stats(test, c);
	for (i = 0; i < 100; i++) {
		p[0] = quarry_cache_alloc(c, GFP_KERNEL);
		quarry_cache_free(c, p[0]);
	}
	after = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, after->allocs - before->allocs, 100);
	KUNIT_EXPECT_EQ(test, after->slow_allocs - before->slow_allocs, 0);
	KUNIT_EXPECT_EQ(test, after->slow_frees - before->slow_frees, 0);
}

/* The pool below refuses a slab: the cache has no object, and says so as its own. */
static void a_pool_that_fails(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	/* Of 32 bytes a slab is a page: there is none smaller to fall back to. */
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 32, 0);
	struct quarry_cache *large = quarry_test_cache_in(test, pool, 512, 0);
	struct quarry_cache_stats *st;
	void *p;

	KUNIT_EXPECT_EQ(test, 0, quarry_pool_inject(pool, 0, 1000000));
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_KERNEL | __GFP_NOWARN));
	st = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, st->failures, 1);
	KUNIT_EXPECT_EQ(test, st->fail_injected, 0);
	KUNIT_EXPECT_GE(test, quarry_test_stats(test, pool)->fail_injected, 1);
	/* Once, it is tried again after what other caches have to spare was taken. */
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_inject(pool, 1, 0));
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_NOWAIT | __GFP_NOWARN));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_inject(pool, 1, 0));
	p = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_cache_free(c, p);
	/* Where there is, that is tried next. */
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_inject(pool, 1, 0));
	p = quarry_cache_alloc(large, GFP_NOWAIT | __GFP_NOWARN);
	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, large)->slab_bytes, PAGE_SIZE);
	quarry_cache_free(large, p);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_inject(pool, 0, 0));
}

/* malloc's classes are caches; an error path is reached by the size it asks for. */
static void malloc_fails_by_class(struct kunit *test)
{
	struct quarry_cache *c = quarry_classes[quarry_class(7000)];
	void *p;

	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 0, 1000000));
	KUNIT_EXPECT_NULL(test, quarry_malloc(7000, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_zalloc(7000, GFP_KERNEL));
	/* Mapped instead, where that is allowed. */
	p = quarry_kvmalloc(7000, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
	quarry_kvfree(p);
	p = quarry_malloc(8193, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_free(p);
	p = quarry_malloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 4, 100);
	KUNIT_EXPECT_NULL(test, quarry_realloc(p, 7000, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 4, 100));
	quarry_free(p);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 0, 0));
}

static struct kunit_case cache_inject_cases[] = {
	KUNIT_CASE_PARAM(the_nth_fails_once, way_gen_params),
	KUNIT_CASE(so_many_of_a_million),
	KUNIT_CASE(arguments),
	KUNIT_CASE(it_is_over_when_it_is),
	KUNIT_CASE(a_pool_that_fails),
	KUNIT_CASE(malloc_fails_by_class),
	{}
};

static struct kunit_suite cache_inject_suite = {
	.name = "quarry-cache-inject",
	.suite_init = quarry_test_parameters,
	.test_cases = cache_inject_cases,
};

kunit_test_suite(cache_inject_suite);
