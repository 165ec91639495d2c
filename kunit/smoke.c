// SPDX-License-Identifier: GPL-2.0
#include <linux/quarry_cache.h>
#include "quarry_kunit.h"
#include "../module/cache/cache.h"

static void check(struct kunit *test, struct quarry_cache *c)
{
	char what[64];

	KUNIT_EXPECT_EQ_MSG(test, quarry_cache_validate(c, what, sizeof(what)), 0ULL, "mode %x", quarry_cache_modes(c));
	KUNIT_EXPECT_STREQ(test, what, "");
}

static void basic(struct kunit *test)
{
	struct quarry_cache *c = quarry_cache_create("smoke", 256, 0, 0, NULL);
	static void *p[3000];
	int i, r;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	for (r = 0; r < 5; r++) {
		for (i = 0; i < 3000; i++) {
			p[i] = quarry_cache_alloc(c, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			memset(p[i], i, 256);
		}
		check(test, c);
		for (i = 0; i < 3000; i++) {
			KUNIT_EXPECT_NULL(test, memchr_inv(p[i], i, 256));
			quarry_cache_free(c, p[i]);
		}
		check(test, c);
	}
	KUNIT_EXPECT_EQ(test, quarry_cache_alloc_bulk(c, GFP_KERNEL, 777, p), 777);
	quarry_cache_free_bulk(c, 777, p);
	check(test, c);
	KUNIT_EXPECT_EQ(test, quarry_cache_shrink(c), 0);
	for (r = 0; r < 64; r++) {
		KUNIT_EXPECT_EQ(test, quarry_cache_set_modes(c, r), 0); pr_err("round %d\n", r);
		for (i = 0; i < 300; i++)
			p[i] = quarry_cache_alloc(c, GFP_KERNEL);
		check(test, c);
		for (i = 0; i < 300; i++)
			quarry_cache_free(c, p[i]);
		check(test, c);
	}
	KUNIT_EXPECT_EQ(test, quarry_cache_destroy(c), 0);
}

static void mallocs(struct kunit *test)
{
	size_t s;

	for (s = 1; s <= 4 << 20; s += s / 17 + 1) {
		void *p = quarry_malloc(s, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 1, s);
		KUNIT_EXPECT_GE(test, quarry_usable_size(p), s);
		KUNIT_EXPECT_EQ(test, quarry_usable_size(p), quarry_size_roundup(s));
		quarry_free(p);
	}
	for (s = 1; s <= 64 << 20; s *= 4) {
		void *p = quarry_kvmalloc(s, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 1, s);
		quarry_kvfree(p);
	}
}

static void misuse(struct kunit *test)
{
	struct quarry_cache *c = quarry_cache_create("smoke", 100, 0, 0, NULL);
	void *p = quarry_cache_alloc(c, GFP_KERNEL), *k = kmalloc(100, GFP_KERNEL);

	quarry_cache_free(c, k);
	quarry_cache_free(c, p + 1);
	quarry_cache_free(c, p);
	quarry_cache_free(c, p);
	quarry_free(k);
	kfree(k);
	p = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, quarry_cache_destroy(c), -EBUSY);
	quarry_free(p);
}

static struct kunit_case cases[] = { KUNIT_CASE(basic), KUNIT_CASE(mallocs), KUNIT_CASE(misuse), {} };
static struct kunit_suite suite = { .name = "quarry-smoke", .test_cases = cases };
kunit_test_suite(suite);
