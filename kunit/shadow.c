// SPDX-License-Identifier: GPL-2.0
/*
 * What KASAN knows of objects, byte by byte.
 *
 * An access that it complains of would end the run, and it tells of the first one alone; so its
 * shadow is read. Of each object that is out exactly its own bytes may be used, of one that
 * is free none, whichever way it went out and came back.
 */
#include <linux/kasan.h>
#include <linux/mm.h>

#include "cache_kunit.h"

#ifdef CONFIG_KASAN_GENERIC

static const unsigned int sizes[] = { 1, 7, 8, 13, 60, 64, 100, 1000, 4096, 5000 };

/* Would KASAN let a byte be used? */
static bool may_use(const void *at)
{
	s8 shadow = *(s8 *)kasan_mem_to_shadow(at);

	return !shadow || (shadow > 0 && ((unsigned long)at & 7) < shadow);
}

/* Bytes of @length that may be used though they are not below @size, or the other way round. */
static unsigned int wrong_bytes(const void *p, size_t size, size_t length)
{
	unsigned int wrong = 0;
	size_t i;

	for (i = 0; i < length; i++)
		wrong += may_use(p + i) != (i < size);
	return wrong;
}

static unsigned int wrong_out(struct quarry_cache *c, void *p)
{
	return wrong_bytes(p, c->shape[0].size, c->shape[0].stride);
}

static unsigned int wrong_in(struct quarry_cache *c, void *p)
{
	return wrong_bytes(p, 0, c->shape[0].stride);
}

static void each_way(struct kunit *test)
{
	unsigned int i, k, wrong = 0;
	void *p[40];

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct quarry_cache *c = quarry_test_cache(test, sizes[i]);

		for (k = 0; k < 100; k++) {
			p[0] = k % 4 == 0 ? quarry_cache_alloc(c, GFP_KERNEL) :
			       k % 4 == 1 ? quarry_cache_zalloc(c, GFP_KERNEL) :
			       k % 4 == 2 ? quarry_cache_alloc_node(c, GFP_KERNEL, 0) :
					    quarry_cache_alloc_nolock(c, 0);
			if (!p[0] && k % 4 == 3)
				continue;
			KUNIT_ASSERT_NOT_NULL(test, p[0]);
			wrong += wrong_out(c, p[0]);
			if (k % 3 == 0)
				quarry_cache_free(c, p[0]);
			else if (k % 3 == 1)
				quarry_free(p[0]);
			else
				quarry_cache_free_nolock(c, p[0]);
			wrong += wrong_in(c, p[0]);
		}
		KUNIT_EXPECT_EQ(test, wrong, 0);
		for (k = 0; k < 10; k++) {
			unsigned int nr = k * 4 + 1, at;

			KUNIT_ASSERT_EQ(test, nr,
					quarry_cache_alloc_bulk(c, GFP_KERNEL, nr, p));
			for (at = 0; at < nr; at++)
				wrong += wrong_out(c, p[at]);
			quarry_cache_free_bulk(c, nr, p);
			for (at = 0; at < nr; at++)
				wrong += wrong_in(c, p[at]);
		}
		KUNIT_EXPECT_EQ(test, wrong, 0);
	}
}

static void under_the_lock(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_near_cache(test, 64);
	struct quarry_cache_node *n;
	unsigned long flags;
	void *p[300];
	unsigned int i, wrong = 0;

	quarry_test_take_objects(test, c, p, ARRAY_SIZE(p));
	n = c->nodes[page_to_nid(virt_to_page(p[0]))];
	quarry_node_lock(n, &flags, false);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		quarry_cache_free_nolock(c, p[i]);
	quarry_node_unlock(n, flags);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		wrong += wrong_in(c, p[i]);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void in_every_mode(struct kunit *test)
{
	unsigned int i, k, wrong;
	u32 mode;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct quarry_cache *c = quarry_test_cache(test, sizes[i]);

		for (mode = 1; mode & QUARRY_MODES; mode <<= 1) {
			KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, mode));
			for (k = 0, wrong = 0; k < 10; k++) {
				void *p = quarry_cache_alloc(c, GFP_KERNEL);

				KUNIT_ASSERT_NOT_NULL(test, p);
				wrong += wrong_out(c, p);
				wrong += wrong_bytes(p - c->red, 0, c->red);
				quarry_cache_free(c, p);
				wrong += wrong_in(c, p);
			}
			KUNIT_EXPECT_EQ(test, wrong, 0);
		}
	}
}

static void of_other_nodes(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 64);
	unsigned int i, node, wrong = 0;
	void *p;

	for (i = 0; i < 100; i++) {
		node = i % 2;
		if (!node_state(node, N_MEMORY))
			continue;
		p = quarry_cache_alloc_node(c, GFP_KERNEL, node);
		KUNIT_ASSERT_NOT_NULL(test, p);
		wrong += wrong_out(c, p);
		quarry_cache_free(c, p);
		wrong += wrong_in(c, p);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void in_a_reserve(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 100);
	struct quarry_magazine *mag = quarry_cache_reserve(c, GFP_KERNEL, 10);
	unsigned int i;
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, mag);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, wrong_in(c, mag->slot[i]), 0);
	p = quarry_cache_alloc_reserved(c, __GFP_ZERO, mag);
	KUNIT_EXPECT_EQ(test, wrong_out(c, p), 0);
	quarry_cache_free(c, p);
	KUNIT_EXPECT_EQ(test, wrong_in(c, p), 0);
	quarry_cache_release(c, mag);
}

static void typesafe_ones_may_be_read(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache_of(test, 100, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	void *p = quarry_cache_alloc(c, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, wrong_bytes(p, 104, 104), 0);
	quarry_cache_free(c, p);
	KUNIT_EXPECT_EQ(test, wrong_bytes(p, 104, 104), 0);
}

/* Of what malloc gives the rest is a redzone, until somebody asks how much there is. */
static void what_malloc_was_not_asked_for(struct kunit *test)
{
	static const unsigned int asked[] = { 1, 9, 65, 100, 777, 5000, 32767 };
	unsigned int i, way;
	size_t whole;
	void *p;

	for (i = 0; i < ARRAY_SIZE(asked); i++)
		for (way = 0; way < 2; way++) {
			whole = quarry_size_roundup(asked[i]);
			p = way ? quarry_malloc_node(asked[i], GFP_KERNEL, 0) :
				  quarry_malloc(asked[i], GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_EQ(test, wrong_bytes(p, asked[i], whole), 0);
			KUNIT_EXPECT_EQ(test, quarry_usable_size(p), whole);
			KUNIT_EXPECT_EQ(test, wrong_bytes(p, whole, whole), 0);
			quarry_free(p);
			KUNIT_EXPECT_EQ(test, wrong_bytes(p, 0, whole), 0);
			/* It has not gone farther than a magazine. */
			quarry_usable_size(p);
			KUNIT_EXPECT_EQ(test, wrong_bytes(p, 0, whole), 0);
		}
	p = quarry_malloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, wrong_bytes(p, 100, 112), 0);
	quarry_free(p);
}

/* A slab's pages are anybody's again. */
static void pages_go_back_open(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 1000, 0);
	struct page *page;
	void *p = quarry_cache_alloc(c, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	quarry_cache_free(c, p);
	quarry_test_forget_cache(test, c);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_destroy(c));
	page = quarry_alloc_pages(pool, GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, wrong_bytes(page_address(page), SZ_4M, SZ_4M), 0);
	quarry_free_pages(pool, page, 10);
}

static struct kunit_case shadow_cases[] = {
	KUNIT_CASE(each_way),
	KUNIT_CASE(under_the_lock),
	KUNIT_CASE(in_every_mode),
	KUNIT_CASE(of_other_nodes),
	KUNIT_CASE(in_a_reserve),
	KUNIT_CASE(typesafe_ones_may_be_read),
	KUNIT_CASE(what_malloc_was_not_asked_for),
	KUNIT_CASE(pages_go_back_open),
	{}
};

#else

static void no_kasan(struct kunit *test)
{
	kunit_skip(test, "no KASAN");
}

static struct kunit_case shadow_cases[] = {
	KUNIT_CASE(no_kasan),
	{}
};

#endif

static struct kunit_suite shadow_suite = {
	.name = "quarry-shadow",
	.suite_init = quarry_test_parameters,
	.test_cases = shadow_cases,
};

kunit_test_suite(shadow_suite);
