// SPDX-License-Identifier: GPL-2.0
/*
 * What KASAN knows of pages and objects, byte by byte.
 *
 * An access that it complains of would end the run, and it tells of the first one alone; so its
 * shadow is read. Of each object that is out exactly its own bytes may be used, of a page all,
 * of what is free none, whichever way it went out and came back.
 */
#include <linux/io.h>
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

#include "../cache_kunit.h"

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

/* Shadow of what may be used wholly, and of pages that are free. */
#define OPEN	0x00
#define FREE	0xff

/* Is the shadow of all bytes of pages that are side by side the same? */
static bool all_are(const struct page *page, unsigned long nr, u8 value)
{
	return !memchr_inv(kasan_mem_to_shadow(page_address(page)), value,
			   nr << (PAGE_SHIFT - KASAN_SHADOW_SCALE_SHIFT));
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
	struct quarry_magazine *mag = quarry_cache_prefill(c, GFP_KERNEL, 10);
	unsigned int i;
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, mag);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, wrong_in(c, mag->slot[i]), 0);
	p = quarry_cache_alloc_prefilled(c, __GFP_ZERO, mag);
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
static void slabs_go_back_as_pages(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 1000, 0);
	struct page *page;
	void *p = quarry_cache_alloc(c, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	quarry_cache_free(c, p);
	quarry_test_forget_cache(test, c);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_destroy(c));
	KUNIT_EXPECT_TRUE(test, all_are(virt_to_page(p), 1, FREE));
	page = quarry_alloc_pages(pool, GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_TRUE(test, all_are(page, 1024, OPEN));
	quarry_free_pages(pool, page, 10);
}

/* Each order by each call: through the lists, past them, and many at once. */
static void pages_each_way(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_16M, SZ_16M);
	struct page *page[2];
	unsigned int order, way, wrong = 0;

	for (order = 0; order <= quarry_max_order(); order++)
		for (way = 0; way < 20; way++) {
			unsigned int i, nr = way % 5 == 0 ? 2 : 1;

			if (way % 5 == 0)
				nr = quarry_alloc_pages_bulk(pool, GFP_KERNEL, order, 2, page);
			else if (way % 5 == 1)
				page[0] = quarry_alloc_pages_node(pool, pool->node, GFP_KERNEL,
								  order);
			else if (way % 5 == 2)
				page[0] = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_ZERO, order);
			else if (way % 5 == 3)
				page[0] = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_MOVABLE,
							     order);
			else
				page[0] = quarry_alloc_pages(pool, GFP_KERNEL, order);
			KUNIT_ASSERT_TRUE(test, nr && page[0]);
			for (i = 0; i < nr; i++)
				wrong += !all_are(page[i], 1UL << order, OPEN);
			if (way % 3 == 0)
				quarry_free_pages_bulk(pool, order, nr, page);
			else
				for (i = 0; i < nr; i++)
					quarry_free_pages(pool, page[i], order);
			for (i = 0; i < nr; i++)
				wrong += !all_are(page[i], 1UL << order, FREE);
		}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* What is compiled into clients. */
static void pages_of_constant_order(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_8M, SZ_8M);
	unsigned int i, wrong = 0;
	struct page *page;

	for (i = 0; i < 100; i++) {
		page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
		KUNIT_ASSERT_NOT_NULL(test, page);
		wrong += !all_are(page, 1, OPEN);
		quarry_free_pages(pool, page, 0);
		wrong += !all_are(page, 1, FREE);
		page = quarry_alloc_pages(pool, GFP_KERNEL, 3);
		KUNIT_ASSERT_NOT_NULL(test, page);
		wrong += !all_are(page, 8, OPEN);
		quarry_free_pages(pool, page, 3);
		wrong += !all_are(page, 8, FREE);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* On lists, as strays and in the buddy, and all of them when they come back. */
static void pages_wherever_they_are_free(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_8M, SZ_8M);
	struct page **page = quarry_test_pages(test, FRAMES(SZ_8M) + 1);
	unsigned int i, nr, round, wrong = 0;

	for (round = 0; round < 3; round++) {
		nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, page, FRAMES(SZ_8M) + 1);
		KUNIT_EXPECT_EQ(test, nr, FRAMES(SZ_8M));
		for (i = 0; i < nr; i++)
			wrong += !all_are(page[i], 1, OPEN);
		quarry_test_give_all(pool, 0, page, nr);
		for (i = 0; i < nr; i++)
			wrong += !all_are(page[i], 1, FREE);
		if (round)
			quarry_pool_drain(pool);
		for (i = 0; i < nr; i++)
			wrong += !all_are(page[i], 1, FREE);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void pages_of_runs(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_8M, SZ_8M);
	struct quarry_range r = { .bytes = 100 * PAGE_SIZE, .gfp = GFP_KERNEL };
	struct page *page;
	phys_addr_t at;
	void *exact;

	KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &r, &at));
	page = pfn_to_page(PHYS_PFN(at));
	KUNIT_EXPECT_TRUE(test, all_are(page, 100, OPEN));
	KUNIT_ASSERT_EQ(test, 0, quarry_trim(pool, at, r.bytes, 60 * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, all_are(page, 60, OPEN));
	KUNIT_EXPECT_TRUE(test, all_are(page + 60, 40, FREE));
	KUNIT_ASSERT_EQ(test, 0, quarry_free_range(pool, at, 60 * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, all_are(page, 100, FREE));
	/* What is refused changes nothing, neither of what is free nor of what is out. */
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(pool, at, 60 * PAGE_SIZE));
	page = quarry_alloc_pages(pool, GFP_KERNEL, 4);
	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_free_pages(pool, page, 3);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(pool, page_to_phys(page), SZ_8K));
	KUNIT_EXPECT_TRUE(test, all_are(page, 16, OPEN));
	KUNIT_ASSERT_EQ(test, 0, quarry_trim(pool, page_to_phys(page), SZ_64K, SZ_4K));
	KUNIT_EXPECT_TRUE(test, all_are(page, 1, OPEN));
	KUNIT_EXPECT_TRUE(test, all_are(page + 1, 15, FREE));
	KUNIT_ASSERT_EQ(test, 0, quarry_free_range(pool, page_to_phys(page), SZ_4K));
	exact = quarry_alloc_pages_exact(pool, 5 * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, exact);
	KUNIT_EXPECT_TRUE(test, all_are(virt_to_page(exact), 5, OPEN));
	quarry_free_pages_exact(pool, exact, 5 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, all_are(virt_to_page(exact), 5, FREE));
}

static void pages_in_stock(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct quarry_mempool *r = quarry_mempool_create(pool, 2, 3);
	unsigned int i, nr, wrong = 0;
	struct page **rest = quarry_test_pages(test, FRAMES(SZ_4M)), *page[3];

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, r);
	/* So that they come from the stock. */
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, rest, FRAMES(SZ_4M));
	for (i = 0; i < 3; i++) {
		page[i] = quarry_mempool_alloc(r, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, page[i]);
		wrong += !all_are(page[i], 4, OPEN);
	}
	for (i = 0; i < 3; i++) {
		quarry_mempool_free(r, page[i]);
		wrong += !all_are(page[i], 4, FREE);
	}
	quarry_test_give_all(pool, 0, rest, nr);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(r));
	for (i = 0; i < 3; i++)
		wrong += !all_are(page[i], 4, FREE);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* Modes fill pages, and look at them, while KASAN lets nobody use them. */
static void pages_of_pools_with_modes(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_8M, SZ_8M);
	struct quarry_range r = { .bytes = 33 * PAGE_SIZE, .gfp = GFP_KERNEL };
	struct page *page;
	phys_addr_t at;
	void *p;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_MODE_CHECK |
						       QUARRY_MODE_OWNER));
	page = quarry_alloc_pages(pool, GFP_KERNEL, 3);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_TRUE(test, all_are(page, 8, OPEN));
	/* As a layer above may leave it. */
	quarry_shadow_narrow(page_address(page), 100, PAGE_SIZE);
	quarry_free_pages(pool, page, 3);
	KUNIT_EXPECT_TRUE(test, all_are(page, 8, FREE));
	KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &r, &at));
	KUNIT_EXPECT_TRUE(test, all_are(pfn_to_page(PHYS_PFN(at)), 33, OPEN));
	p = phys_to_virt(at);
	KUNIT_ASSERT_EQ(test, 0, quarry_free_range(pool, at, r.bytes));
	KUNIT_EXPECT_TRUE(test, all_are(pfn_to_page(PHYS_PFN(at)), 33, FREE));
	/* What KASAN did not see is seen all the same. */
	quarry_test_unseen(*(u8 *)p = 1);
	page = quarry_alloc_pages(pool, GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_free_pages(pool, page, 10);
	page = quarry_alloc_pages(pool, GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_free_pages(pool, page, 10);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->errors[QUARRY_ERR_USE_AFTER_FREE], 1);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, 0));
}

/* The owner of a range finds it as it was, also if it did not join, or its pool goes. */
static void ranges_go_back_open(struct kunit *test)
{
	struct page *memory = quarry_test_memory(test, 8, false);
	phys_addr_t at = page_to_phys(memory);
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_8M);
	unsigned int nth, failed = 0;
	int err;

	for (nth = 1; nth < 20; nth++) {
		quarry_inject_set(nth);
		err = quarry_pool_add_range(pool, at, SZ_1M, QUARRY_ADD_PAGES);
		quarry_inject_set(0);
		if (!err)
			break;
		failed++;
		KUNIT_EXPECT_TRUE(test, all_are(memory, 256, OPEN));
	}
	KUNIT_EXPECT_GE(test, failed, 2);
	KUNIT_ASSERT_EQ(test, 0, err);
	KUNIT_EXPECT_TRUE(test, all_are(memory, 256, FREE));
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_remove_range(pool, at));
	KUNIT_EXPECT_TRUE(test, all_are(memory, 256, OPEN));
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, at, SZ_1M, QUARRY_ADD_PAGES));
	quarry_test_forget_pool(test, pool);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_destroy(pool));
	KUNIT_EXPECT_TRUE(test, all_are(memory, 256, OPEN));
}

/* A device's pages may have no shadow that may be written. */
static void reserved_pages_are_left_alone(struct kunit *test)
{
	struct page *memory = quarry_test_memory(test, 0, false), *page;
	struct quarry_pool *pool = quarry_test_pool(test, 0, PAGE_SIZE);
	phys_addr_t at = page_to_phys(memory);

	SetPageReserved(memory);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, at, PAGE_SIZE, QUARRY_ADD_PAGES));
	KUNIT_EXPECT_TRUE(test, all_are(memory, 1, OPEN));
	page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	KUNIT_EXPECT_PTR_EQ(test, page, memory);
	quarry_free_pages(pool, page, 0);
	KUNIT_EXPECT_TRUE(test, all_are(memory, 1, OPEN));
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_remove_range(pool, at));
	ClearPageReserved(memory);
}

/* What is out when its pool is forgotten may be used by who has it, for ever. */
static void lost_pages_stay_open(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 1);
	u64 lost;

	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_test_forget_pool(test, pool);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_forget(pool, &lost));
	KUNIT_EXPECT_EQ(test, lost, SZ_8K);
	KUNIT_EXPECT_TRUE(test, all_are(page, 2, OPEN));
	set_page_count(page, 1);
	set_page_count(page + 1, 1);
	__free_page(page);
	__free_page(page + 1);
}

#ifdef CONFIG_X86_LOCAL_APIC
struct deferred {
	struct quarry_pool *pool;
	struct page *page;
};

static void free_late(void *arg)
{
	struct deferred *l = arg;

	quarry_free_pages(l->pool, l->page, 3);
}

static void pages_freed_in_nmi(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct deferred l = { pool, quarry_alloc_pages(pool, GFP_KERNEL, 3) };
	struct quarry_zone *z = pool->zone[pool->node];
	unsigned long flags;
	bool ran, closed;

	KUNIT_ASSERT_NOT_NULL(test, l.page);
	KUNIT_ASSERT_EQ(test, 0, quarry_test_nmi_init());
	preempt_disable();
	KUNIT_EXPECT_TRUE(test, quarry_pcp_enter(this_cpu_ptr(pool->pcp)));
	quarry_zone_lock(z, &flags);
	ran = quarry_test_in_nmi(free_late, &l);
	closed = all_are(l.page, 8, FREE);
	quarry_zone_unlock(z, flags);
	quarry_pcp_leave(this_cpu_ptr(pool->pcp));
	preempt_enable();
	quarry_test_nmi_exit();
	KUNIT_EXPECT_TRUE(test, ran);
	KUNIT_EXPECT_TRUE(test, closed);
}
#endif

/* The rest of a large block is a redzone, as far as it goes; free it is as pages are. */
static void large_memory(struct kunit *test)
{
	static const size_t asked[] = { 32769, 40000, 65535, 65536, 70001, 130000, SZ_1M - 9 };
	unsigned int i, way;
	size_t whole;
	void *p, *q;

	for (i = 0; i < ARRAY_SIZE(asked); i++)
		for (way = 0; way < 4; way++) {
			whole = quarry_size_roundup(asked[i]);
			p = way == 0 ? quarry_malloc(asked[i], GFP_KERNEL) :
			    way == 1 ? quarry_zalloc(asked[i], GFP_KERNEL) :
			    way == 2 ? quarry_malloc_node(asked[i], GFP_KERNEL, 0) :
				       quarry_kvmalloc(asked[i], GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_EQ(test, wrong_bytes(p, asked[i], whole), 0);
			/* It stays where it is. */
			q = quarry_realloc(p, 20001, GFP_KERNEL);
			KUNIT_EXPECT_PTR_EQ(test, q, p);
			KUNIT_EXPECT_EQ(test, wrong_bytes(p, 20001, whole), 0);
			q = quarry_realloc(p, 32003, GFP_KERNEL);
			KUNIT_EXPECT_PTR_EQ(test, q, p);
			KUNIT_EXPECT_EQ(test, wrong_bytes(p, 32003, whole), 0);
			KUNIT_EXPECT_EQ(test, quarry_usable_size(p), whole);
			KUNIT_EXPECT_EQ(test, wrong_bytes(p, whole, whole), 0);
			quarry_realloc(p, 20001, GFP_KERNEL);
			if (way % 2)
				quarry_free(p);
			else
				quarry_free_sensitive(p);
			KUNIT_EXPECT_TRUE(test, all_are(virt_to_page(p), whole >> PAGE_SHIFT,
							FREE));
		}
}

/* What does not fit moves, with all that was asked for; if it cannot, all is as it was. */
static void memory_that_moves(struct kunit *test)
{
	static const size_t sizes[] = { 50, 5000, 40000 };
	unsigned int i;
	size_t whole;
	u8 *p, *q;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = quarry_malloc(sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 0x3a, sizes[i]);
		whole = quarry_size_roundup(sizes[i]);
		KUNIT_EXPECT_NULL(test, quarry_realloc(p, SZ_8M, GFP_KERNEL | __GFP_NOWARN));
		KUNIT_EXPECT_EQ(test, wrong_bytes(p, sizes[i], whole), 0);
		q = quarry_realloc(p, 3 * sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_PTR_NE(test, q, p);
		KUNIT_EXPECT_NULL(test, memchr_inv(q, 0x3a, sizes[i]));
		KUNIT_EXPECT_EQ(test, wrong_bytes(p, 0, whole), 0);
		KUNIT_EXPECT_EQ(test, wrong_bytes(q, 3 * sizes[i],
						  quarry_size_roundup(3 * sizes[i])), 0);
		/* Smaller and larger where it is. */
		KUNIT_EXPECT_PTR_EQ(test, q, quarry_realloc(q, sizes[i] + 1, GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, wrong_bytes(q, sizes[i] + 1,
						  quarry_size_roundup(3 * sizes[i])), 0);
		KUNIT_EXPECT_PTR_EQ(test, q, quarry_realloc(q, 2 * sizes[i], GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, wrong_bytes(q, 2 * sizes[i],
						  quarry_size_roundup(3 * sizes[i])), 0);
		quarry_free(q);
	}
}

/* Objects that may be looked at when they are free are left alone, whatever is asked. */
static void typesafe_ones_are_not_resized(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache_of(test, 104, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	void *p = quarry_cache_alloc(c, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_PTR_EQ(test, p, quarry_realloc(p, 50, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, wrong_bytes(p, 104, 104), 0);
	quarry_cache_free(c, p);
}

#ifdef CONFIG_KASAN_VMALLOC
static void mapped_memory(struct kunit *test)
{
	static const size_t asked[] = { SZ_4M + 1, SZ_4M + 5000, SZ_4M + SZ_8K };
	unsigned int i;
	size_t whole;
	u8 *p, *q;

	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		whole = PAGE_ALIGN(asked[i]);
		p = quarry_kvmalloc(asked[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_TRUE(test, quarry_owns_mapped(p));
		memset(p, 0x3a, asked[i]);
		KUNIT_EXPECT_EQ(test, wrong_bytes(p, asked[i], whole), 0);
		KUNIT_EXPECT_PTR_EQ(test, p, quarry_kvrealloc(p, 1001, GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, wrong_bytes(p, 1001, whole), 0);
		KUNIT_EXPECT_PTR_EQ(test, p, quarry_kvrealloc(p, SZ_1M + 3, GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, wrong_bytes(p, SZ_1M + 3, whole), 0);
		/* All of it is copied. */
		q = quarry_kvrealloc(p, whole + 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_PTR_NE(test, p, q);
		KUNIT_EXPECT_NULL(test, memchr_inv(q, 0x3a, asked[i]));
		KUNIT_EXPECT_EQ(test, wrong_bytes(q, whole + 1, PAGE_ALIGN(whole + 1)), 0);
		if (i % 2)
			quarry_kvfree(q);
		else
			quarry_kvfree_sensitive(q, ~0UL);
	}
	/* What is not mapped is resized as well. */
	p = quarry_kvmalloc(50000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	whole = quarry_size_roundup(50000);
	KUNIT_EXPECT_PTR_EQ(test, p, quarry_kvrealloc(p, 45001, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, wrong_bytes(p, 45001, whole), 0);
	quarry_kvfree(p);
}
#endif

static struct kunit_case shadow_cases[] = {
	KUNIT_CASE(each_way),
	KUNIT_CASE(under_the_lock),
	KUNIT_CASE(in_every_mode),
	KUNIT_CASE(of_other_nodes),
	KUNIT_CASE(in_a_reserve),
	KUNIT_CASE(typesafe_ones_may_be_read),
	KUNIT_CASE(what_malloc_was_not_asked_for),
	KUNIT_CASE(slabs_go_back_as_pages),
	KUNIT_CASE(pages_each_way),
	KUNIT_CASE(pages_of_constant_order),
	KUNIT_CASE(pages_wherever_they_are_free),
	KUNIT_CASE(pages_of_runs),
	KUNIT_CASE(pages_in_stock),
	KUNIT_CASE(pages_of_pools_with_modes),
	KUNIT_CASE(ranges_go_back_open),
	KUNIT_CASE(reserved_pages_are_left_alone),
	KUNIT_CASE(lost_pages_stay_open),
#ifdef CONFIG_X86_LOCAL_APIC
	KUNIT_CASE(pages_freed_in_nmi),
#endif
	KUNIT_CASE(large_memory),
	KUNIT_CASE(memory_that_moves),
	KUNIT_CASE(typesafe_ones_are_not_resized),
#ifdef CONFIG_KASAN_VMALLOC
	KUNIT_CASE(mapped_memory),
#endif
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
