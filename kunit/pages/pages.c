// SPDX-License-Identifier: GPL-2.0
/*
 * Pages as a client sees them: of every order, alone and in bulk, by struct page
 * and by address, with what is in them.
 *
 * A block must be aligned, ours alone (a pattern written to it is there until it
 * is freed), with the references and the private field that the API promises, and
 * zero when that was asked for. How zeros come about is counted, so the counts are
 * compared with what the kernel was booted with (init_on_alloc=, init_on_free=).
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "../quarry_kunit.h"

static const unsigned int orders[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

static void order_name(const unsigned int *order, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "order %u", *order);
}

KUNIT_ARRAY_PARAM(order, orders, order_name);

/* What holds for every block that was handed out. */
static void expect_block(struct kunit *test, struct quarry_pool *pool, struct page *page,
			 unsigned int order)
{
	unsigned long i, bad = 0;

	KUNIT_EXPECT_EQ(test, 0, page_to_pfn(page) & ((1UL << order) - 1));
	for (i = 0; i < 1UL << order; i++)
		bad += page_count(page + i) != QUARRY_PAGE_REFS ||
		       PageCompound(page + i) || quarry_page_pool(page + i) != pool;
	KUNIT_EXPECT_EQ(test, 0, bad);
}

static void order_comes_and_goes(struct kunit *test)
{
	unsigned int order = *(const unsigned int *)test->param_value, i;
	struct quarry_pool *pool = quarry_test_near_pool(test, 0, SZ_64M);
	struct quarry_pool_stats *before, *after;
	struct page *pages[4];

	before = quarry_test_stats(test, pool);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, order);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
		expect_block(test, pool, pages[i], order);
		quarry_test_fill(pages[i], order, i);
	}
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		KUNIT_EXPECT_TRUE(test, quarry_test_filled(pages[i], order, i));
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->allocated_bytes, (u64)ARRAY_SIZE(pages) * PAGE_SIZE << order);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		set_page_private(pages[i], 0xdead);
		quarry_free_pages(pool, pages[i], order);
	}
	pages[0] = quarry_alloc_pages(pool, GFP_KERNEL, order);
	KUNIT_ASSERT_NOT_NULL(test, pages[0]);
	expect_block(test, pool, pages[0], order);
	/* Handing a block out does not touch its struct page. */
	KUNIT_EXPECT_EQ(test, 0xdead, page_private(pages[0]));
	quarry_free_pages(pool, pages[0], order);
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->allocs - before->allocs, ARRAY_SIZE(pages) + 1);
	KUNIT_EXPECT_EQ(test, after->frees - before->frees, ARRAY_SIZE(pages) + 1);
	KUNIT_EXPECT_EQ(test, after->alloc_frames - before->alloc_frames,
			(ARRAY_SIZE(pages) + 1) << order);
	quarry_test_only_error(test, pool, before, -1, 0);
}

#define HELD	96

static void blocks_never_overlap(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_16M);
	struct page **held = quarry_test_pages(test, HELD);
	u64 seed = quarry_test_seed, salt[HELD], lost = 0;
	unsigned int order[HELD], steps = 4000, i, none = 0;

	while (steps--) {
		i = quarry_test_random(&seed, HELD);
		if (held[i]) {
			lost += !quarry_test_filled(held[i], order[i], salt[i]);
			quarry_free_pages(pool, held[i], order[i]);
			held[i] = NULL;
			continue;
		}
		order[i] = min(quarry_test_random(&seed, 8), quarry_test_random(&seed, 8));
		salt[i] = steps;
		held[i] = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, order[i]);
		if (held[i])
			quarry_test_fill(held[i], order[i], salt[i]);
		else
			none++;
	}
	for (i = 0; i < HELD; i++) {
		if (!held[i])
			continue;
		lost += !quarry_test_filled(held[i], order[i], salt[i]);
		quarry_free_pages(pool, held[i], order[i]);
	}
	KUNIT_EXPECT_EQ(test, 0, lost);
	KUNIT_EXPECT_EQ(test, 0, none);
	kunit_info(test, "seed %lu\n", quarry_test_seed);
}

static void zeros_are_zeros_after_dirt(struct kunit *test)
{
	unsigned int order = *(const unsigned int *)test->param_value;
	struct quarry_pool *pool = quarry_test_pool(test, SZ_8M, SZ_8M);
	struct quarry_pool_stats *before, *after;
	struct page *page;
	u64 frames;

	/* Dirt on everything there is. */
	page = quarry_alloc_pages(pool, GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_test_fill(page, 10, 1);
	quarry_free_pages(pool, page, 10);
	page = quarry_alloc_pages(pool, GFP_KERNEL, order);
	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_test_fill(page, order, 2);
	quarry_free_pages(pool, page, order);

	before = quarry_test_stats(test, pool);
	page = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_ZERO, order);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_TRUE(test, quarry_test_zeroed(page, order));
	after = quarry_test_stats(test, pool);
	frames = after->zeroed_frames - before->zeroed_frames +
		 after->zero_skipped_frames - before->zero_skipped_frames;
	KUNIT_EXPECT_EQ(test, frames, 1ULL << order);
	quarry_free_pages(pool, page, order);
}

/* Without __GFP_ZERO the boot parameter decides, and the counters say so. */
static void plain_pages_are_cleared_if_the_kernel_wants(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	u64 want = want_init_on_alloc(0) ? 16 : 0, frames;
	struct quarry_pool_stats *before, *after;
	struct page *page;

	page = quarry_alloc_pages(pool, GFP_KERNEL, 4);
	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_test_fill(page, 4, 3);
	quarry_free_pages(pool, page, 4);
	before = quarry_test_stats(test, pool);
	page = quarry_alloc_pages(pool, GFP_KERNEL, 4);
	KUNIT_ASSERT_NOT_NULL(test, page);
	if (want || want_init_on_free())
		KUNIT_EXPECT_TRUE(test, quarry_test_zeroed(page, 4));
	after = quarry_test_stats(test, pool);
	frames = after->zeroed_frames - before->zeroed_frames +
		 after->zero_skipped_frames - before->zero_skipped_frames;
	KUNIT_EXPECT_EQ(test, frames, want);
	quarry_free_pages(pool, page, 4);
}

/* Frames that arrive as zeros are handed out without clearing, once. */
static void known_zeros_are_not_cleared_again(struct kunit *test)
{
	struct page *memory = quarry_test_memory(test, 10, true);
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_4M);
	struct quarry_pool_stats *before, *after;
	struct page *page;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, page_to_phys(memory), SZ_4M,
						       QUARRY_ADD_PAGES | QUARRY_ADD_ZERO));
	before = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, before->zero_bytes, SZ_4M);
	page = quarry_alloc_pages_node(pool, page_to_nid(memory), GFP_KERNEL | __GFP_ZERO, 5);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_TRUE(test, quarry_test_zeroed(page, 5));
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->zero_skipped_frames - before->zero_skipped_frames, 32);
	KUNIT_EXPECT_EQ(test, after->zeroed_frames, before->zeroed_frames);
	quarry_test_fill(page, 5, 4);
	quarry_free_pages(pool, page, 5);
	quarry_pool_drain(pool);

	/* Everything, one piece dirty: that alone is cleared. */
	before = quarry_test_stats(test, pool);
	if (!want_init_on_free())
		KUNIT_EXPECT_EQ(test, before->zero_bytes, SZ_4M - SZ_128K);
	page = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_ZERO, 10);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_TRUE(test, quarry_test_zeroed(page, 10));
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->zeroed_frames - before->zeroed_frames +
			after->zero_skipped_frames - before->zero_skipped_frames, 1024);
	KUNIT_EXPECT_EQ(test, after->zero_bytes, 0);
	quarry_free_pages(pool, page, 10);
}

static void nodes_are_as_asked(struct kunit *test)
{
	int node, other = quarry_test_other_node(test), first = first_memory_node;
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_32M), *bound;
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct page *page;
	unsigned int order;

	for_each_node_state(node, N_MEMORY)
		for (order = 0; order <= quarry_max_order(); order += 5) {
			page = quarry_alloc_pages_node(pool, node, GFP_KERNEL, order);
			KUNIT_ASSERT_NOT_NULL(test, page);
			KUNIT_EXPECT_EQ(test, page_to_nid(page), node);
			expect_block(test, pool, page, order);
			quarry_free_pages(pool, page, order);
			page = quarry_alloc_pages_node(pool, node,
						       GFP_KERNEL | __GFP_THISNODE, order);
			KUNIT_ASSERT_NOT_NULL(test, page);
			KUNIT_EXPECT_EQ(test, page_to_nid(page), node);
			quarry_free_pages(pool, page, order);
		}

	cfg.max_bytes = SZ_8M;
	cfg.node = other;
	bound = quarry_test_pool_of(test, &cfg);
	page = quarry_alloc_pages(bound, GFP_KERNEL, 3);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, page_to_nid(page), other);
	quarry_free_pages(bound, page, 3);
	/* A preference gives way to the pool's own bond, a demand does not. */
	page = quarry_alloc_pages_node(bound, first, GFP_KERNEL, 3);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, page_to_nid(page), other);
	quarry_free_pages(bound, page, 3);
	page = quarry_alloc_pages_node(bound, first,
				       GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 3);
	KUNIT_EXPECT_NULL(test, page);
	quarry_free_pages(bound, page, page ? 3 : 0);
}

/* When one node's memory is out, the rest of the pool serves. */
static void another_node_helps_out(struct kunit *test)
{
	int other = quarry_test_other_node(test), nid;
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_8M);
	struct page **pages = quarry_test_pages(test, 2049);
	struct page *here, *there;
	unsigned int nr, seen = 0;

	/* Or a list of the CPU that the test comes from keeps some for itself. */
	quarry_test_pin(test, 0);
	here = quarry_alloc_pages_node(pool, first_memory_node, GFP_KERNEL, 10);
	there = quarry_alloc_pages_node(pool, other, GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, here);
	KUNIT_ASSERT_NOT_NULL(test, there);
	quarry_free_pages(pool, here, 10);
	quarry_free_pages(pool, there, 10);
	for (nr = 0; nr < 2049; nr++) {
		pages[nr] = quarry_alloc_pages_node(pool, other, GFP_KERNEL | __GFP_NOWARN, 0);
		if (!pages[nr])
			break;
		nid = page_to_nid(pages[nr]);
		KUNIT_EXPECT_EQ(test, nid, nr < 1024 ? other : first_memory_node);
		seen |= 1U << nid;
		if (nr == 1023) {
			/* Who may sleep has the other node's arena make room. */
			struct page *none = quarry_alloc_pages_node(pool, other,
					GFP_NOWAIT | __GFP_THISNODE | __GFP_NOWARN, 0);

			KUNIT_EXPECT_NULL(test, none);
			if (none)
				quarry_free_pages(pool, none, 0);
		}
	}
	KUNIT_EXPECT_EQ(test, nr, 2048);
	KUNIT_EXPECT_EQ(test, hweight32(seen), 2);
	quarry_test_give_all(pool, 0, pages, nr);
}

static void bulk_of_every_length(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_8M);
	struct page **pages = quarry_test_pages(test, 301);
	unsigned int nr, got, i, bad = 0;
	struct quarry_pool_stats *st;
	u64 total = 0;

	for (nr = 1; nr <= 300; nr++) {
		pages[nr] = ZERO_SIZE_PTR;
		got = quarry_alloc_pages_bulk(pool, GFP_KERNEL, 0, nr, pages);
		KUNIT_ASSERT_EQ(test, got, nr);
		KUNIT_ASSERT_PTR_EQ(test, pages[nr], (struct page *)ZERO_SIZE_PTR);
		/* Each is out, and marks itself: nobody is there twice. */
		for (i = 0; i < nr; i++) {
			bad += page_count(pages[i]) != QUARRY_PAGE_REFS;
			set_page_private(pages[i], i + 1);
		}
		for (i = 0; i < nr; i++)
			bad += page_private(pages[i]) != i + 1;
		quarry_free_pages_bulk(pool, 0, nr, pages);
		total += nr;
	}
	KUNIT_EXPECT_EQ(test, 0, bad);
	st = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, st->allocs, total);
	KUNIT_EXPECT_EQ(test, st->frees, total);
	KUNIT_EXPECT_EQ(test, 0, quarry_alloc_pages_bulk(pool, GFP_KERNEL, 0, 0, pages));
	quarry_free_pages_bulk(pool, 0, 0, pages);
}

static void bulk_stops_where_the_pool_ends(struct kunit *test)
{
	unsigned int order = *(const unsigned int *)test->param_value;
	struct quarry_pool *pool = quarry_test_pool(test, SZ_8M, SZ_8M);
	unsigned int all = 2048 >> order, got;
	struct page **pages = quarry_test_pages(test, all + 40);

	got = quarry_alloc_pages_bulk(pool, GFP_KERNEL | __GFP_NOWARN, order, all + 40, pages);
	KUNIT_EXPECT_EQ(test, got, all);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->free_bytes, 0);
	quarry_test_sound(test, pool);
	quarry_free_pages_bulk(pool, order, got, pages);
}

static void bulk_clears_what_is_asked(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page **pages = quarry_test_pages(test, 64);
	struct quarry_pool_stats *before, *after;
	unsigned int i, dirty = 0;

	KUNIT_ASSERT_EQ(test, 64, quarry_alloc_pages_bulk(pool, GFP_KERNEL, 1, 64, pages));
	for (i = 0; i < 64; i++)
		quarry_test_fill(pages[i], 1, i);
	quarry_free_pages_bulk(pool, 1, 64, pages);
	before = quarry_test_stats(test, pool);
	KUNIT_ASSERT_EQ(test, 64, quarry_alloc_pages_bulk(pool, GFP_KERNEL | __GFP_ZERO, 1, 64,
							  pages));
	for (i = 0; i < 64; i++)
		dirty += !quarry_test_zeroed(pages[i], 1);
	KUNIT_EXPECT_EQ(test, 0, dirty);
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->zeroed_frames - before->zeroed_frames +
			after->zero_skipped_frames - before->zero_skipped_frames, 128);
	quarry_free_pages_bulk(pool, 1, 64, pages);
}

static void pages_by_address(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	unsigned long addr;

	addr = quarry_get_free_pages(pool, GFP_KERNEL, 3);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(addr, PAGE_SIZE << 3));
	KUNIT_EXPECT_TRUE(test, quarry_owns((void *)addr));
	memset((void *)addr, 0x5a, PAGE_SIZE << 3);
	quarry_put_free_pages(pool, addr, 3);
	addr = quarry_get_zeroed_page(pool, GFP_KERNEL);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_EXPECT_TRUE(test, quarry_test_zeroed(virt_to_page((void *)addr), 0));
	quarry_put_free_pages(pool, addr, 0);
	quarry_put_free_pages(pool, 0, 0);
	quarry_test_only_error(test, pool, quarry_test_stats(test, pool), -1, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->errors[QUARRY_ERR_FOREIGN], 0);
}

static void exact_sizes(struct kunit *test)
{
	static const size_t sizes[] = { 1, 4096, 4097, 12288, 20480, 100000, SZ_1M + 1 };
	struct quarry_pool *pool = quarry_test_pool(test, SZ_8M, SZ_8M);
	unsigned int i;
	void *virt;
	u64 out;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		virt = quarry_alloc_pages_exact(pool, sizes[i], GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, virt);
		KUNIT_EXPECT_NULL(test, memchr_inv(virt, 0, PAGE_ALIGN(sizes[i])));
		memset(virt, 0x11, sizes[i]);
		out = quarry_test_stats(test, pool)->allocated_bytes;
		KUNIT_EXPECT_EQ(test, out, PAGE_ALIGN(sizes[i]));
		quarry_test_sound(test, pool);
		quarry_free_pages_exact(pool, virt, sizes[i]);
	}
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages_exact(pool, 0, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages_exact(pool, SIZE_MAX, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages_exact(pool, SZ_16M,
							 GFP_KERNEL | __GFP_NOWARN));
	quarry_free_pages_exact(pool, NULL, 5);
}

static void we_know_what_is_ours(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M), *second;
	struct page *page, *foreign, *other;
	void *far = vmalloc(PAGE_SIZE), *near = kmalloc(64, GFP_KERNEL);
	int on_stack;

	second = quarry_test_pool(test, SZ_4M, SZ_4M);
	page = quarry_alloc_pages(pool, GFP_KERNEL, 2);
	other = quarry_alloc_pages(second, GFP_KERNEL, 2);
	foreign = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, page && other && foreign && far && near);

	KUNIT_EXPECT_PTR_EQ(test, quarry_page_pool(page), pool);
	KUNIT_EXPECT_PTR_EQ(test, quarry_page_pool(other), second);
	KUNIT_EXPECT_TRUE(test, quarry_owns_page(page + 3));
	KUNIT_EXPECT_TRUE(test, quarry_owns(page_address(page) + 12345));
	quarry_free_pages(pool, page, 2);
	/* In use or not. */
	KUNIT_EXPECT_TRUE(test, quarry_owns_page(page));
	quarry_pool_drain(pool);
	KUNIT_EXPECT_TRUE(test, quarry_owns_page(page));

	KUNIT_EXPECT_FALSE(test, quarry_owns_page(foreign));
	KUNIT_EXPECT_NULL(test, quarry_page_pool(foreign));
	KUNIT_EXPECT_FALSE(test, quarry_owns(page_address(foreign)));
	KUNIT_EXPECT_FALSE(test, quarry_owns(far));
	KUNIT_EXPECT_FALSE(test, quarry_owns(near));
	KUNIT_EXPECT_FALSE(test, quarry_owns(&on_stack));
	KUNIT_EXPECT_FALSE(test, quarry_owns(NULL));
	KUNIT_EXPECT_FALSE(test, quarry_owns(we_know_what_is_ours));
	KUNIT_EXPECT_FALSE(test, quarry_owns(schedule));
	KUNIT_EXPECT_FALSE(test, quarry_owns((void *)0x400000));
	KUNIT_EXPECT_FALSE(test, quarry_owns((void *)~0UL));
	KUNIT_EXPECT_FALSE(test, quarry_owns(ERR_PTR(-ENOMEM)));
	KUNIT_EXPECT_FALSE(test, quarry_owns((void *)0x8000000000000000UL));
	KUNIT_EXPECT_FALSE(test, quarry_owns_page(NULL));
	KUNIT_EXPECT_FALSE(test, quarry_owns_page((void *)page + 8));
	KUNIT_EXPECT_FALSE(test, quarry_owns_page((void *)&on_stack));
	KUNIT_EXPECT_FALSE(test, quarry_owns_page((void *)~0UL));

	quarry_free_pages(second, other, 2);
	__free_page(foreign);
	vfree(far);
	kfree(near);
}

/* After a pool has gone, its pages are nobody's. */
static void what_was_ours_is_not_for_ever(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 0);

	KUNIT_ASSERT_NOT_NULL(test, page);
	quarry_free_pages(pool, page, 0);
	quarry_test_forget_pool(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
	KUNIT_EXPECT_FALSE(test, quarry_owns_page(page));
	KUNIT_EXPECT_NULL(test, quarry_page_pool(page));
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE_PARAM(order_comes_and_goes, order_gen_params),
	KUNIT_CASE(blocks_never_overlap),
	KUNIT_CASE_PARAM(zeros_are_zeros_after_dirt, order_gen_params),
	KUNIT_CASE(plain_pages_are_cleared_if_the_kernel_wants),
	KUNIT_CASE(known_zeros_are_not_cleared_again),
	KUNIT_CASE(nodes_are_as_asked),
	KUNIT_CASE(another_node_helps_out),
	KUNIT_CASE(bulk_of_every_length),
	KUNIT_CASE_PARAM(bulk_stops_where_the_pool_ends, order_gen_params),
	KUNIT_CASE(bulk_clears_what_is_asked),
	KUNIT_CASE(pages_by_address),
	KUNIT_CASE(exact_sizes),
	KUNIT_CASE(we_know_what_is_ours),
	KUNIT_CASE(what_was_ours_is_not_for_ever),
	{}
};

static struct kunit_suite pages_suite = {
	.name = "quarry-pages",
	.suite_init = quarry_test_parameters,
	.test_cases = pages_cases,
};

kunit_test_suite(pages_suite);
