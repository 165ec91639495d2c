// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous memory of any length, windows, and memory that the caller brings.
 *
 * Memory with struct pages comes from the kernel and is split; to reach orders above
 * the kernel's own, neighbouring blocks of it are looked for. Device memory is a
 * physical address where this machine has nothing at all: it is handed out and taken
 * back, and a single access to it would be a fault.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sort.h>

#include "../../module/arena/directory.h"
#include "../../module/pages/guard.h"
#include "../quarry_kunit.h"

/* Where no memory is: 16 TiB up, on a border of 1 GiB. */
#define DEVICE	BIT_ULL(44)

static int take(struct quarry_pool *pool, u64 frames, u64 align, phys_addr_t start,
		phys_addr_t end, unsigned int flags, phys_addr_t *at)
{
	struct quarry_range range = {
		.bytes = frames * PAGE_SIZE, .align = align * PAGE_SIZE,
		.start = start, .end = end, .gfp = GFP_KERNEL | __GFP_NOWARN,
		.flags = flags,
	};

	*at = 0;
	return quarry_alloc_range(pool, &range, at);
}

static int give(struct quarry_pool *pool, phys_addr_t at, u64 frames)
{
	return quarry_free_range(pool, at, frames * PAGE_SIZE);
}

static struct quarry_pool *device_pool(struct kunit *test, phys_addr_t start, u64 bytes)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, 0);

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, start, bytes, 0));
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, bytes);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->free_bytes, bytes);
	return pool;
}

static void runs_of_every_length(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_8M, SZ_8M);
	phys_addr_t at;
	u64 frames;

	for (frames = 1; frames <= 1024; frames += frames < 70 ? 1 : 53) {
		KUNIT_ASSERT_EQ(test, 0, take(pool, frames, 1, 0, 0, 0, &at));
		KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->allocated_bytes,
				frames * PAGE_SIZE);
		KUNIT_EXPECT_PTR_EQ(test, quarry_page_pool(pfn_to_page(PHYS_PFN(at))), pool);
		memset(phys_to_virt(at), 0x33, frames * PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, 0, give(pool, at, frames));
	}
	/* Longer than an arena of the kernel's. */
	KUNIT_EXPECT_EQ(test, -ENOMEM, take(pool, 1025, 1, 0, 0, 0, &at));
}

static void runs_do_not_overlap(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_8M, SZ_8M);
	u64 seed = quarry_test_seed, frames[40] = {}, out = 0, i, k;
	unsigned int steps = 1500, lost = 0;
	phys_addr_t at[40];

	while (steps--) {
		i = quarry_test_random(&seed, 40);
		if (frames[i]) {
			for (k = 0; k < frames[i]; k++)
				lost += !quarry_test_filled(pfn_to_page(PHYS_PFN(at[i]) + k), 0, i);
			KUNIT_ASSERT_EQ(test, 0, give(pool, at[i], frames[i]));
			out -= frames[i];
			frames[i] = 0;
			continue;
		}
		frames[i] = 1 + quarry_test_random(&seed, 60);
		if (take(pool, frames[i], 1ULL << quarry_test_random(&seed, 5), 0, 0,
			 quarry_test_random(&seed, 2) ? QUARRY_RANGE_TOP_DOWN : 0, &at[i])) {
			frames[i] = 0;
			continue;
		}
		for (k = 0; k < frames[i]; k++)
			quarry_test_fill(pfn_to_page(PHYS_PFN(at[i]) + k), 0, i);
		out += frames[i];
		if (steps % 100 == 0) {
			KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->allocated_bytes,
					out * PAGE_SIZE);
			quarry_test_sound(test, pool);
		}
	}
	for (i = 0; i < 40; i++)
		if (frames[i])
			KUNIT_EXPECT_EQ(test, 0, give(pool, at[i], frames[i]));
	KUNIT_EXPECT_EQ(test, lost, 0);
	kunit_info(test, "seed %lu\n", quarry_test_seed);
}

static void alignment_above_the_size(struct kunit *test)
{
	struct quarry_pool *pool = device_pool(test, DEVICE + 5 * PAGE_SIZE, SZ_64M);
	phys_addr_t at;
	u64 align;

	for (align = 1; align <= 8192; align *= 2) {
		KUNIT_ASSERT_EQ(test, 0, take(pool, 3, align, 0, 0, QUARRY_RANGE_DEVICE, &at));
		KUNIT_EXPECT_EQ(test, 0, PHYS_PFN(at) & (align - 1));
		KUNIT_ASSERT_EQ(test, 0, give(pool, at, 3));
		KUNIT_ASSERT_EQ(test, 0, take(pool, 3, align, 0, 0,
					      QUARRY_RANGE_DEVICE | QUARRY_RANGE_TOP_DOWN, &at));
		KUNIT_EXPECT_EQ(test, 0, PHYS_PFN(at) & (align - 1));
		/* The highest such place. */
		KUNIT_EXPECT_EQ(test, at, round_down(DEVICE + 5 * PAGE_SIZE + SZ_64M -
						     3 * PAGE_SIZE, align * PAGE_SIZE));
		KUNIT_ASSERT_EQ(test, 0, give(pool, at, 3));
	}
	KUNIT_EXPECT_EQ(test, -ENOSPC, take(pool, 1, 1ULL << 18, DEVICE + SZ_4K, 0,
					    QUARRY_RANGE_DEVICE, &at));
}

static void windows_are_kept(struct kunit *test)
{
	struct page *memory = quarry_test_memory(test, 10, false);
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_8M);
	phys_addr_t base = page_to_phys(memory), at, other;
	struct quarry_range window;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, base, SZ_4M, QUARRY_ADD_PAGES));
	/* A claim at one certain place. */
	KUNIT_ASSERT_EQ(test, 0, take(pool, 7, 1, base + 33 * PAGE_SIZE, base + 40 * PAGE_SIZE,
				      0, &at));
	KUNIT_EXPECT_EQ(test, at, base + 33 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, -ENOSPC, take(pool, 7, 1, base + 33 * PAGE_SIZE,
					    base + 40 * PAGE_SIZE, 0, &other));
	KUNIT_EXPECT_EQ(test, -ENOSPC, take(pool, 1, 1, base + 35 * PAGE_SIZE,
					    base + 36 * PAGE_SIZE, 0, &other));
	/* Around it, from both ends. */
	KUNIT_ASSERT_EQ(test, 0, take(pool, 3, 1, base + 32 * PAGE_SIZE, base + 50 * PAGE_SIZE,
				      0, &other));
	KUNIT_EXPECT_EQ(test, other, base + 40 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, give(pool, other, 3));
	KUNIT_ASSERT_EQ(test, 0, take(pool, 3, 1, base, base + 42 * PAGE_SIZE,
				      QUARRY_RANGE_TOP_DOWN, &other));
	KUNIT_EXPECT_EQ(test, other, base + 30 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, give(pool, other, 3));
	/* Windows that have no room, or lie where no memory of ours is. */
	KUNIT_EXPECT_EQ(test, -ENOSPC, take(pool, 8, 1, base + 34 * PAGE_SIZE,
					    base + 40 * PAGE_SIZE, 0, &other));
	KUNIT_EXPECT_EQ(test, -ENOSPC, take(pool, 1, 1, DEVICE, DEVICE + SZ_4M, 0, &other));
	KUNIT_EXPECT_EQ(test, -ENOSPC, take(pool, 1, 1, base + 1, base + PAGE_SIZE + 1, 0,
					    &other));
	window = (struct quarry_range){ .bytes = PAGE_SIZE, .start = base + SZ_1M,
					.end = base + SZ_1M, .gfp = GFP_KERNEL };
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_alloc_range(pool, &window, &other));
	KUNIT_ASSERT_EQ(test, 0, give(pool, at, 7));
	/* What lies on this CPU's lists does not stand in the way. */
	KUNIT_ASSERT_EQ(test, 0, take(pool, 1024, 1, base, base + SZ_4M, 0, &at));
	KUNIT_EXPECT_EQ(test, at, base);
	KUNIT_ASSERT_EQ(test, 0, give(pool, at, 1024));
}

static void requests_that_make_no_sense(struct kunit *test)
{
	static const struct quarry_range bad[] = {
		{ .bytes = 0 },
		{ .bytes = PAGE_SIZE + 1 },
		{ .bytes = SZ_1G + PAGE_SIZE },
		{ .bytes = ~0ULL & PAGE_MASK },
		{ .bytes = PAGE_SIZE, .align = 3 * PAGE_SIZE },
		{ .bytes = PAGE_SIZE, .align = 512 },
		{ .bytes = PAGE_SIZE, .align = 1ULL << 40 },
		{ .bytes = PAGE_SIZE, .flags = 1U << 30 },
		{ .bytes = PAGE_SIZE, .start = SZ_2M, .end = SZ_1M },
		{ .bytes = PAGE_SIZE, .flags = QUARRY_RANGE_DEVICE, .gfp = __GFP_ZERO },
	};
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_range range;
	phys_addr_t at;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		range = bad[i];
		range.gfp |= GFP_KERNEL;
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, quarry_alloc_range(pool, &range, &at),
				    "request %u", i);
	}
}

static void trim_gives_back_the_tail(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *page;
	phys_addr_t at;
	u64 keep;

	for (keep = 1; keep < 64; keep++) {
		page = quarry_alloc_pages(pool, GFP_KERNEL, 6);
		KUNIT_ASSERT_NOT_NULL(test, page);
		at = page_to_phys(page);
		quarry_test_fill(page, 6, keep);
		KUNIT_ASSERT_EQ(test, 0, quarry_trim(pool, at, 64 * PAGE_SIZE, keep * PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->allocated_bytes,
				keep * PAGE_SIZE);
		/* And again, down to the first. */
		KUNIT_ASSERT_EQ(test, 0, quarry_trim(pool, at, keep * PAGE_SIZE,
						     DIV_ROUND_UP(keep, 2) * PAGE_SIZE));
		KUNIT_EXPECT_TRUE(test, quarry_test_filled(page, 0, keep));
		KUNIT_ASSERT_EQ(test, 0, give(pool, at, DIV_ROUND_UP(keep, 2)));
	}
	/* All of it: still a block. */
	page = quarry_alloc_pages(pool, GFP_KERNEL, 2);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, 0, quarry_trim(pool, page_to_phys(page), 4 * PAGE_SIZE,
					     4 * PAGE_SIZE));
	quarry_free_pages(pool, page, 2);
}

static void a_range_with_pages_serves_everybody(struct kunit *test)
{
	struct page *memory = quarry_test_memory(test, 9, false);
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	phys_addr_t base = page_to_phys(memory);
	struct page **pages = quarry_test_pages(test, 513);
	struct quarry_pool *pool, *other;
	unsigned int nr, i;

	/* Only that memory: the cap leaves no room for more. */
	cfg.max_bytes = PAGE_SIZE;
	pool = quarry_test_pool_of(test, &cfg);
	other = quarry_test_pool(test, 0, SZ_4M);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, base, SZ_2M, QUARRY_ADD_PAGES));
	/* Its pages have two references now. */
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_add_range(other, base, SZ_2M,
							    QUARRY_ADD_PAGES));
	KUNIT_EXPECT_EQ(test, -EEXIST, quarry_pool_add_range(other, base + SZ_1M, SZ_2M, 0));
	/* Nor the other way round: the second half of it is a device's to @other. */
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, base));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_add_range(other, base + SZ_1M, SZ_2M, 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, quarry_pool_add_range(pool, base, SZ_2M,
							     QUARRY_ADD_PAGES));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(other, base + SZ_1M));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_add_range(pool, base, SZ_2M, QUARRY_ADD_PAGES));
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, 513);
	KUNIT_EXPECT_EQ(test, nr, 512);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_TRUE(test, pages[i] >= memory && pages[i] < memory + 512);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_remove_range(pool, base));
	quarry_test_give_all(pool, 0, pages, nr);
	/* Never by itself. */
	KUNIT_EXPECT_EQ(test, quarry_pool_shrink(pool, ~0ULL), 0);
	KUNIT_EXPECT_EQ(test, -ENOENT, quarry_pool_remove_range(pool, base + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -ENOENT, quarry_pool_remove_range(other, base));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, base));
	KUNIT_EXPECT_EQ(test, -ENOENT, quarry_pool_remove_range(pool, base));
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, 0);
	for (i = 0; i < 512; i++)
		KUNIT_EXPECT_EQ(test, page_count(memory + i), 1);
}

/* Odd beginnings and lengths: every frame of them is there, and none beside. */
static void ranges_of_odd_shapes(struct kunit *test)
{
	static const struct { u32 skip, nr; } shapes[] = {
		{ 0, 1 }, { 1, 1 }, { 3, 5 }, { 511, 2 }, { 7, 1000 }, { 63, 65 }, { 0, 1023 },
	};
	struct page *memory = quarry_test_memory(test, 10, false);
	struct page **pages = quarry_test_pages(test, 1025);
	struct quarry_pool *pool;
	unsigned int i, nr;
	phys_addr_t at;
	u64 bytes;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		pool = quarry_test_pool(test, 0, PAGE_SIZE);
		at = page_to_phys(memory + shapes[i].skip);
		bytes = (u64)shapes[i].nr * PAGE_SIZE;
		KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, at, bytes,
							       QUARRY_ADD_PAGES));
		quarry_test_sound(test, pool);
		nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, 1025);
		KUNIT_EXPECT_EQ(test, nr, shapes[i].nr);
		while (nr--) {
			KUNIT_EXPECT_TRUE(test, pages[nr] >= memory + shapes[i].skip &&
					  pages[nr] < memory + shapes[i].skip + shapes[i].nr);
			quarry_free_pages(pool, pages[nr], 0);
		}
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, at));
	}
}

static void ranges_that_cannot_be_added(struct kunit *test)
{
	struct page *memory = quarry_test_memory(test, 3, false);
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_4M), *bound;
	phys_addr_t base = page_to_phys(memory);
	const unsigned int pages = QUARRY_ADD_PAGES;

	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_add_range(pool, base, 0, pages));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_add_range(pool, base + 1, PAGE_SIZE, pages));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_add_range(pool, base, 100, pages));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_add_range(pool, base, PAGE_SIZE, 1U << 31));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_add_range(pool, ~0ULL & PAGE_MASK,
							     SZ_4M, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_add_range(pool, DEVICE, 1ULL << 45, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_add_range(pool, DEVICE, PAGE_SIZE, pages));
	/* Somebody else has a hold on one of the pages. */
	get_page(memory + 5);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_add_range(pool, base, 8 * PAGE_SIZE, pages));
	put_page(memory + 5);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_add_range(pool, base, 4 * PAGE_SIZE, pages));
	KUNIT_EXPECT_NE(test, 0, quarry_pool_add_range(pool, base, 4 * PAGE_SIZE, pages));
	KUNIT_EXPECT_NE(test, 0, quarry_pool_add_range(pool, base + 3 * PAGE_SIZE,
						       4 * PAGE_SIZE, pages));
	KUNIT_EXPECT_EQ(test, page_count(memory + 4), 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, base));
	KUNIT_EXPECT_EQ(test, page_count(memory), 1);
	/* A pool that is bound to another node. */
	cfg.max_bytes = SZ_4M;
	cfg.node = quarry_test_other_node(test);
	if (page_to_nid(memory) == cfg.node)
		cfg.node = first_memory_node;
	bound = quarry_test_pool_of(test, &cfg);
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_add_range(bound, base, PAGE_SIZE, pages));
	KUNIT_EXPECT_EQ(test, page_count(memory), 1);
}

static void device_memory_is_for_those_who_ask(struct kunit *test)
{
	struct quarry_pool *pool = device_pool(test, DEVICE, SZ_16M);
	struct quarry_pool *other = quarry_test_pool(test, 0, 0);
	struct quarry_pool_stats *before;
	phys_addr_t at, second;

	before = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, -EEXIST, quarry_pool_add_range(pool, DEVICE, SZ_16M, 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, quarry_pool_add_range(pool, DEVICE + SZ_8M, SZ_16M, 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, quarry_pool_add_range(pool, DEVICE - SZ_8M, SZ_16M, 0));
	KUNIT_EXPECT_EQ(test, -EEXIST, quarry_pool_add_range(pool, DEVICE - SZ_8M, SZ_64M, 0));
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, SZ_16M);
	/* It is in one pool at a time. */
	KUNIT_EXPECT_EQ(test, -EEXIST, quarry_pool_add_range(other, DEVICE, SZ_16M, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_test_stats(test, other)->managed_bytes);
	/* Nobody gets it by accident. */
	KUNIT_EXPECT_EQ(test, -ENOSPC, take(pool, 1, 1, DEVICE, DEVICE + SZ_16M, 0, &at));
	KUNIT_EXPECT_EQ(test, 0, take(pool, 1, 1, 0, 0, 0, &at));
	KUNIT_EXPECT_LT(test, at, DEVICE);
	KUNIT_EXPECT_EQ(test, 0, give(pool, at, 1));
	/* From below and from above. */
	KUNIT_ASSERT_EQ(test, 0, take(pool, 100, 1, 0, 0, QUARRY_RANGE_DEVICE, &at));
	KUNIT_EXPECT_EQ(test, at, DEVICE);
	KUNIT_ASSERT_EQ(test, 0, take(pool, 100, 1, 0, 0,
				      QUARRY_RANGE_DEVICE | QUARRY_RANGE_TOP_DOWN, &second));
	KUNIT_EXPECT_EQ(test, second, DEVICE + SZ_16M - 100 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_remove_range(pool, DEVICE));
	KUNIT_EXPECT_EQ(test, 0, quarry_trim(pool, second, 100 * PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, give(pool, second, 1));
	KUNIT_EXPECT_EQ(test, 0, give(pool, at, 100));
	quarry_test_sound(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, DEVICE));
	quarry_test_only_error(test, pool, before, -1, 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_add_range(other, DEVICE, SZ_16M, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(other, DEVICE));
}

static void device_memory_in_several_pieces(struct kunit *test)
{
	static const u64 at[] = { SZ_64M, 0, SZ_128M, SZ_32M };
	struct quarry_pool *pool = quarry_test_pool(test, 0, 0);
	phys_addr_t got;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++)
		KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, DEVICE + at[i], SZ_4M, 0));
	/* By address, whatever came first. */
	KUNIT_ASSERT_EQ(test, 0, take(pool, 1024, 1, 0, 0, QUARRY_RANGE_DEVICE, &got));
	KUNIT_EXPECT_EQ(test, got, DEVICE);
	KUNIT_ASSERT_EQ(test, 0, take(pool, 1, 1, 0, 0, QUARRY_RANGE_DEVICE, &got));
	KUNIT_EXPECT_EQ(test, got, DEVICE + SZ_32M);
	KUNIT_ASSERT_EQ(test, 0, give(pool, got, 1));
	KUNIT_ASSERT_EQ(test, 0, take(pool, 1, 1, 0, DEVICE + SZ_128M,
				      QUARRY_RANGE_DEVICE | QUARRY_RANGE_TOP_DOWN, &got));
	KUNIT_EXPECT_EQ(test, got, DEVICE + SZ_64M + SZ_4M - PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, give(pool, got, 1));
	KUNIT_ASSERT_EQ(test, 0, give(pool, DEVICE, 1024));
	for (i = 0; i < ARRAY_SIZE(at); i++)
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, DEVICE + at[i]));
}

static void device_memory_of_every_order(struct kunit *test)
{
	struct quarry_pool *pool = device_pool(test, DEVICE, 3ULL * SZ_1G);
	phys_addr_t at;
	unsigned int k;

	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->largest_order, QUARRY_MAX_ORDER);
	for (k = 0; k <= QUARRY_MAX_ORDER; k++) {
		KUNIT_ASSERT_EQ(test, 0, take(pool, 1ULL << k, 1ULL << k, 0, 0,
					      QUARRY_RANGE_DEVICE, &at));
		KUNIT_EXPECT_EQ(test, 0, at & ((PAGE_SIZE << k) - 1));
		KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->allocated_bytes,
				PAGE_SIZE << k);
		KUNIT_ASSERT_EQ(test, 0, give(pool, at, 1ULL << k));
	}
	/* 1 GiB off the border, so over two groups. */
	KUNIT_ASSERT_EQ(test, 0, take(pool, 1ULL << 18, 1, DEVICE + SZ_4K, 0,
				      QUARRY_RANGE_DEVICE, &at));
	KUNIT_EXPECT_EQ(test, at, DEVICE + SZ_4K);
	KUNIT_ASSERT_EQ(test, 0, give(pool, at, 1ULL << 18));
}

/* A search of many bites: a frame is out in each area, so no run has 512 of them. */
static void searches_over_many_areas(struct kunit *test)
{
	struct quarry_pool *pool = device_pool(test, DEVICE, 2ULL * SZ_1G);
	const phys_addr_t hole = DEVICE + 700ULL * SZ_2M + 100 * PAGE_SIZE;
	phys_addr_t at, out;

	for (out = DEVICE + 100 * PAGE_SIZE; out < DEVICE + 2ULL * SZ_1G; out += SZ_2M)
		KUNIT_ASSERT_EQ(test, 0, take(pool, 1, 1, out, out + PAGE_SIZE,
					      QUARRY_RANGE_DEVICE, &at));
	KUNIT_EXPECT_EQ(test, -ENOMEM, take(pool, 512, 1, 0, 0, QUARRY_RANGE_DEVICE, &at));
	KUNIT_EXPECT_EQ(test, -ENOSPC, take(pool, 512, 1, 0, 0,
					    QUARRY_RANGE_DEVICE | QUARRY_RANGE_TOP_DOWN, &at));
	KUNIT_ASSERT_EQ(test, 0, take(pool, 511, 1, DEVICE + SZ_2M, 0, QUARRY_RANGE_DEVICE, &at));
	KUNIT_EXPECT_EQ(test, at, DEVICE + SZ_2M + 101 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, give(pool, at, 511));
	KUNIT_ASSERT_EQ(test, 0, give(pool, hole, 1));
	KUNIT_ASSERT_EQ(test, 0, take(pool, 512, 1, 0, 0, QUARRY_RANGE_DEVICE, &at));
	KUNIT_EXPECT_EQ(test, at, hole - 511 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, give(pool, at, 512));
	KUNIT_ASSERT_EQ(test, 0, take(pool, 512, 1, 0, 0,
				      QUARRY_RANGE_DEVICE | QUARRY_RANGE_TOP_DOWN, &at));
	KUNIT_EXPECT_EQ(test, at, hole);
	KUNIT_ASSERT_EQ(test, 0, give(pool, at, 512));
	quarry_test_sound(test, pool);
	for (out = DEVICE + 100 * PAGE_SIZE; out < DEVICE + 2ULL * SZ_1G; out += SZ_2M)
		if (out != hole)
			KUNIT_ASSERT_EQ(test, 0, give(pool, out, 1));
}

#define RANGES	2000

/* Two pools take turns, so that neighbours are not of one. */
static void many_ranges(struct kunit *test)
{
	struct quarry_pool *pool[] = {
		quarry_test_pool(test, 0, 0), quarry_test_pool(test, 0, 0),
	};
	const u64 pitch = 16 * PAGE_SIZE, length = 8 * PAGE_SIZE;
	unsigned int i, bad = 0;
	phys_addr_t at;

	/* From a place in the middle around, so that they do not come in order. */
	for (i = 0; i < RANGES; i++)
		bad += !!quarry_pool_add_range(pool[i & 1],
					       DEVICE + (i * 777ULL + 1000) % RANGES * pitch,
					       length, 0);
	KUNIT_ASSERT_EQ(test, 0, bad);
	for (i = 0; i < RANGES; i += 7) {
		phys_addr_t start = DEVICE + i * pitch;

		KUNIT_EXPECT_EQ(test, -EEXIST, quarry_pool_add_range(pool[0], start + PAGE_SIZE,
								     PAGE_SIZE, 0));
		KUNIT_EXPECT_EQ(test, -EEXIST, quarry_pool_add_range(pool[0], start + length -
								     PAGE_SIZE, pitch, 0));
		KUNIT_EXPECT_EQ(test, -ENOENT, quarry_pool_remove_range(pool[0], start +
								      PAGE_SIZE));
	}
	/* The lowest and the highest one of each pool. */
	KUNIT_EXPECT_EQ(test, -ENOMEM, take(pool[0], 9, 1, 0, 0, QUARRY_RANGE_DEVICE, &at));
	KUNIT_ASSERT_EQ(test, 0, take(pool[0], 8, 1, 0, 0, QUARRY_RANGE_DEVICE, &at));
	KUNIT_EXPECT_LT(test, at, DEVICE + 2 * pitch);
	KUNIT_ASSERT_EQ(test, 0, give(pool[0], at, 8));
	KUNIT_ASSERT_EQ(test, 0, take(pool[1], 8, 1, 0, 0,
				      QUARRY_RANGE_DEVICE | QUARRY_RANGE_TOP_DOWN, &at));
	KUNIT_EXPECT_GE(test, at, DEVICE + (RANGES - 2) * pitch);
	KUNIT_ASSERT_EQ(test, 0, give(pool[1], at, 8));
	quarry_test_sound(test, pool[0]);
	for (i = 0; i < RANGES; i++) {
		at = DEVICE + i * pitch;
		bad += quarry_pool_remove_range(pool[0], at) &&
		       quarry_pool_remove_range(pool[1], at);
	}
	KUNIT_EXPECT_EQ(test, 0, bad);
	KUNIT_EXPECT_EQ(test, 0, quarry_test_stats(test, pool[0])->managed_bytes);
	KUNIT_EXPECT_EQ(test, 0, quarry_test_stats(test, pool[1])->managed_bytes);
}

/* What describes it is more memory than there is; that is said, and nothing else. */
static void a_range_larger_than_its_description(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, 0);
	unsigned long bytes = totalram_pages() * PAGE_SIZE;

	if (bytes > 2ULL * SZ_1G)
		kunit_skip(test, "there is memory to describe 8 TiB");
	KUNIT_EXPECT_EQ(test, -ENOMEM, quarry_pool_add_range(pool, DEVICE, 1ULL << 43, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_pool_add_range(pool, DEVICE, 1ULL << 44, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_test_stats(test, pool)->managed_bytes);
}

static int by_address(const void *a, const void *b)
{
	const struct page *x = *(struct page **)a, *y = *(struct page **)b;

	return x < y ? -1 : x > y;
}

#define BLOCKS	40

/* Blocks above the kernel's own orders, in memory that lies side by side. */
static void orders_above_the_kernels(struct kunit *test)
{
	struct page **blocks = quarry_test_pages(test, BLOCKS);
	unsigned int i, nr, k, run = 0, from = 0, best = 0;
	struct quarry_pool *pool;
	phys_addr_t at;

	for (nr = 0; nr < BLOCKS; nr++) {
		blocks[nr] = alloc_pages_node(first_memory_node, GFP_KERNEL, 10);
		if (!blocks[nr])
			break;
		split_page(blocks[nr], 10);
	}
	sort(blocks, nr, sizeof(*blocks), by_address, NULL);
	for (i = 0; i < nr; i++) {
		run = i && blocks[i] == blocks[i - 1] + 1024 ? run + 1 : 1;
		if (run > best) {
			best = run;
			from = i + 1 - run;
		}
	}
	if (best >= 3) {
		pool = quarry_pool_create(quarry_test_name(test), &QUARRY_POOL_CONFIG);
		KUNIT_EXPECT_FALSE(test, IS_ERR(pool));
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_add_range(pool, page_to_phys(blocks[from]),
							       (u64)best * SZ_4M,
							       QUARRY_ADD_PAGES));
		/* The largest block that is aligned somewhere in there. */
		for (k = 11; (2U << (k - 10)) - 1 <= best && k <= QUARRY_MAX_ORDER; k++) {
			KUNIT_EXPECT_EQ(test, 0, take(pool, 1ULL << k, 1ULL << k, 0, 0, 0, &at));
			KUNIT_EXPECT_EQ(test, 0, at & ((PAGE_SIZE << k) - 1));
			KUNIT_EXPECT_EQ(test, page_count(pfn_to_page(PHYS_PFN(at))),
					QUARRY_PAGE_REFS);
			KUNIT_EXPECT_EQ(test, 0, give(pool, at, 1ULL << k));
		}
		kunit_info(test, "orders to %u in %u MiB\n", k - 1, best * 4);
		KUNIT_EXPECT_GT(test, k, 11);
		quarry_test_at_rest(test, pool);
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
	}
	for (i = 0; i < nr; i++)
		for (k = 0; k < 1024; k++)
			__free_page(blocks[i] + k);
	if (best < 3)
		kunit_skip(test, "no three neighbours");
}

static void a_pool_with_ranges_can_be_destroyed(struct kunit *test)
{
	struct page *memory = quarry_test_memory(test, 10, false);
	struct quarry_pool *pool = quarry_test_pool(test, 0, 0);
	unsigned int i, bad = 0;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, page_to_phys(memory), SZ_4M,
						       QUARRY_ADD_PAGES));
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, DEVICE, SZ_1G, 0));
	quarry_test_forget_pool(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
	/* The memory is ours again. */
	for (i = 0; i < 1024; i++)
		bad += page_count(memory + i) != 1;
	KUNIT_EXPECT_EQ(test, 0, bad);
}

/* Of lengths that are no power of two as many as fit side by side. */
static void runs_fill_memory(struct kunit *test)
{
	static const unsigned int lengths[] = { 33, 65, 100, 129, 257, 600 };
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_16M, SZ_16M);
	phys_addr_t *at = kunit_kcalloc(test, 128, sizeof(*at), GFP_KERNEL);
	unsigned int i, nr;

	KUNIT_ASSERT_NOT_NULL(test, at);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (nr = 0; nr < 128 && !take(pool, lengths[i], 1, 0, 0, 0, &at[nr]); nr++)
			;
		KUNIT_EXPECT_EQ_MSG(test, nr, 4 * (1024 / lengths[i]), "runs of %u", lengths[i]);
		quarry_test_sound(test, pool);
		while (nr--)
			KUNIT_EXPECT_EQ(test, 0, give(pool, at[nr], lengths[i]));
	}
}

#define HOLES_END	(DEVICE + 16ULL * SZ_1G)

/*
 * Who may not sleep gives up, says so, and others who ask the same get further: of 8192 areas
 * the last one alone has the run.
 */
static void searches_that_may_not_sleep(struct kunit *test)
{
	struct quarry_pool *pool = device_pool(test, DEVICE, 16ULL * SZ_1G);
	struct quarry_range range = { .bytes = 512 * PAGE_SIZE, .flags = QUARRY_RANGE_DEVICE,
				      .gfp = GFP_ATOMIC | __GFP_NOWARN };
	phys_addr_t at, out;
	unsigned int tries;

	for (out = DEVICE + SZ_1M; out < HOLES_END - SZ_2M; out += SZ_2M)
		KUNIT_ASSERT_EQ(test, 0, take(pool, 1, 1, out, out + PAGE_SIZE,
					      QUARRY_RANGE_DEVICE, &at));
	KUNIT_EXPECT_EQ(test, -ENOMEM, quarry_alloc_range(pool, &range, &at));
	/* What cannot be told in time is not said to be so. */
	range.start = DEVICE;
	KUNIT_EXPECT_EQ(test, -ENOMEM, quarry_alloc_range(pool, &range, &at));
	for (tries = 1; quarry_alloc_range(pool, &range, &at) && tries < 300; tries++)
		;
	kunit_info(test, "found at try %u\n", tries);
	KUNIT_ASSERT_LT(test, tries, 300);
	KUNIT_EXPECT_EQ(test, at, HOLES_END - SZ_2M - SZ_1M + PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, give(pool, at, 512));
	/* A place that is named is found at once, and so is what is near. */
	range.start = HOLES_END - SZ_4M;
	KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
	KUNIT_ASSERT_EQ(test, 0, give(pool, at, 512));
	KUNIT_ASSERT_EQ(test, 0, take(pool, 512, 1, 0, 0, QUARRY_RANGE_DEVICE, &at));
	KUNIT_ASSERT_EQ(test, 0, give(pool, at, 512));
	for (out = DEVICE + SZ_1M; out < HOLES_END - SZ_2M; out += SZ_2M)
		KUNIT_ASSERT_EQ(test, 0, give(pool, out, 1));
}

/* Lists and caches hold nothing of a device's. */
static void device_requests_leave_lists_alone(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_16M);
	struct page **pages = quarry_test_pages(test, 32);
	struct quarry_pool_stats *before, *after;
	unsigned int nr;
	phys_addr_t at;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, DEVICE, SZ_4M, 0));
	for (nr = 0; nr < 32; nr++)
		pages[nr] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	quarry_test_give_all(pool, 0, pages, nr);
	before = quarry_test_stats(test, pool);
	KUNIT_EXPECT_GT(test, before->pcp_bytes, 0);
	KUNIT_EXPECT_EQ(test, -ENOMEM, take(pool, 1025, 1, 0, 0, QUARRY_RANGE_DEVICE, &at));
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->pcp_bytes, before->pcp_bytes);
	KUNIT_EXPECT_EQ(test, after->drains, before->drains);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, DEVICE));
}

/* A neighbour is no help: so it is written. */
static void ranges_side_by_side_stay_two(struct kunit *test)
{
	struct quarry_pool *pool = device_pool(test, DEVICE, SZ_4M);
	phys_addr_t at;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, DEVICE + SZ_4M, SZ_4M, 0));
	KUNIT_EXPECT_EQ(test, -ENOMEM, take(pool, 1025, 1, 0, 0, QUARRY_RANGE_DEVICE, &at));
	KUNIT_EXPECT_EQ(test, -ENOSPC, take(pool, 2, 1, DEVICE + SZ_4M - PAGE_SIZE,
					    DEVICE + SZ_4M + PAGE_SIZE, QUARRY_RANGE_DEVICE, &at));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, DEVICE));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, DEVICE + SZ_4M));
}

/* Memory of this CPU's node. */
static struct page *near_memory(struct kunit *test)
{
	struct page *page = NULL;
	unsigned int tries;

	for (tries = 0; tries < 20; tries++) {
		page = quarry_test_memory(test, 10, true);
		if (page_to_nid(page) == numa_mem_id())
			return page;
	}
	kunit_skip(test, "no memory of this node");
	return NULL;
}

/* Zeros that lie first or last are for who wants zeros. */
static void runs_of_zeros(struct kunit *test)
{
	struct quarry_range range = { .bytes = SZ_2M, .gfp = GFP_KERNEL | __GFP_ZERO };
	struct page *page[2];
	struct quarry_pool *pool;
	phys_addr_t at;
	unsigned int i;
	u64 before;

	quarry_test_pin(test, cpumask_last(cpu_online_mask));
	page[0] = near_memory(test);
	page[1] = near_memory(test);
	for (i = 0; i < 2; i++) {
		pool = quarry_test_pool(test, 0, SZ_4M);
		KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, page_to_phys(page[i]), SZ_4M,
							       QUARRY_ADD_PAGES |
							       QUARRY_ADD_ZERO));
		KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, page_to_phys(page[!i]),
							       SZ_4M, QUARRY_ADD_PAGES));
		before = quarry_test_stats(test, pool)->zero_skipped_frames;
		KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
		KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->zero_skipped_frames - before,
				512);
		KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, at, SZ_2M));
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, page_to_phys(page[0])));
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, page_to_phys(page[1])));
	}
}

/* Movable ones not beside plain pages, and the other way round; whatever their length. */
static void runs_of_lives(struct kunit *test)
{
	static const gfp_t gfp[] = { GFP_KERNEL, GFP_KERNEL | __GFP_MOVABLE };
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_16M, SZ_16M);
	struct quarry_range range = {};
	struct page *page[2];
	unsigned int i, nr;
	phys_addr_t at;

	for (i = 0; i < 2; i++) {
		page[i] = quarry_alloc_pages(pool, gfp[i], 0);
		KUNIT_ASSERT_NOT_NULL(test, page[i]);
	}
	for (nr = 1; nr <= 9; nr++)
		for (i = 0; i < 2; i++) {
			range.bytes = nr * PAGE_SIZE;
			range.gfp = gfp[i];
			KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
			KUNIT_EXPECT_NE_MSG(test, PHYS_PFN(at) >> 9, page_to_pfn(page[!i]) >> 9,
					    "%u pages, life %u", nr, i);
			KUNIT_EXPECT_EQ(test, 0, give(pool, at, nr));
		}
	for (i = 0; i < 2; i++)
		quarry_free_pages(pool, page[i], 0);
}

/* As a block does: what is free on another node is not as good. */
static void runs_grow_on_the_local_node(struct kunit *test)
{
	int other = quarry_test_other_node(test);
	struct quarry_pool *pool;
	phys_addr_t at;

	quarry_test_pin(test, cpumask_first(cpumask_of_node(first_memory_node)));
	pool = quarry_test_pool(test, SZ_8M, SZ_32M);
	quarry_test_pin(test, cpumask_first(cpumask_of_node(other)));
	KUNIT_ASSERT_EQ(test, 0, take(pool, 300, 1, 0, 0, 0, &at));
	KUNIT_EXPECT_EQ(test, other, page_to_nid(pfn_to_page(PHYS_PFN(at))));
	KUNIT_EXPECT_EQ(test, 0, give(pool, at, 300));
}

/**
 * struct twice - a run that two free at the same time
 * @pool:	whose
 * @turn:	counts; odd: @at is to be freed
 * @at:		where it is
 * @refused:	frees of the other one
 */
struct twice {
	struct quarry_pool *pool;
	atomic_t turn;
	phys_addr_t at;
	unsigned int refused;
};

#define TWICE_FRAMES	200U
#define TWICE_ROUNDS	300U

static int free_it_too(void *data)
{
	struct twice *t = data;
	int turn = 1;

	for (; !kthread_should_stop(); turn += 2) {
		while (atomic_read(&t->turn) != turn && !kthread_should_stop())
			cond_resched();
		if (kthread_should_stop())
			break;
		t->refused += !!give(t->pool, t->at, TWICE_FRAMES);
		atomic_inc(&t->turn);
	}
	return 0;
}

/*
 * Of the two one has it, and what he does to it is done before it is free: what a third takes
 * then is his. Here the first one is the third as well, for his free has come back.
 */
static void freed_twice_at_once(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_pool_stats *before = quarry_test_stats(test, pool);
	struct twice t = { .pool = pool };
	unsigned int i, refused = 0, spoilt = 0;
	struct task_struct *other;
	phys_addr_t at;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_MODE_CHECK));
	other = kthread_run(free_it_too, &t, "quarry-twice");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	for (i = 0; i < TWICE_ROUNDS; i++) {
		KUNIT_EXPECT_EQ(test, 0, take(pool, TWICE_FRAMES, 1, 0, 0, 0, &t.at));
		at = t.at;
		atomic_inc(&t.turn);
		refused += !!give(pool, at, TWICE_FRAMES);
		/* Others are not told of what is taken beside a free of the same. */
		KUNIT_EXPECT_EQ(test, 0, take(pool, TWICE_FRAMES - 1, 1, 0, 0, 0, &at));
		memset(phys_to_virt(at), i, (TWICE_FRAMES - 1) * PAGE_SIZE);
		while (atomic_read(&t.turn) % 2)
			cond_resched();
		spoilt += !!memchr_inv(phys_to_virt(at), (u8)i, (TWICE_FRAMES - 1) * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, 0, give(pool, at, TWICE_FRAMES - 1));
	}
	kthread_stop(other);
	KUNIT_EXPECT_EQ(test, spoilt, 0);
	KUNIT_EXPECT_EQ(test, refused + t.refused, TWICE_ROUNDS);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->errors[QUARRY_ERR_USE_AFTER_FREE],
			before->errors[QUARRY_ERR_USE_AFTER_FREE]);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, 0));
	quarry_test_at_rest(test, pool);
}

struct looker {
	struct quarry_pool *pool;
	unsigned long rounds;
	u64 violations;
};

static int validate_on(void *data)
{
	struct looker *l = data;
	struct quarry_pool_validate v;

	while (!kthread_should_stop()) {
		quarry_pool_validate(l->pool, &v);
		l->violations += v.violations;
		WRITE_ONCE(l->rounds, l->rounds + 1);
		cond_resched();
	}
	return 0;
}

/* While they are filled, which is without the lock, their frames are as sound as any. */
static void validated_while_they_go(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_8M, SZ_8M);
	struct looker l = { .pool = pool };
	struct task_struct *other;
	unsigned int i;
	phys_addr_t at;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_MODE_CHECK));
	other = kthread_run(validate_on, &l, "quarry-looker");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	for (i = 0; i < 40 || READ_ONCE(l.rounds) < 10; i++) {
		KUNIT_EXPECT_EQ(test, 0, take(pool, 1000, 1, 0, 0, 0, &at));
		KUNIT_EXPECT_EQ(test, 0, quarry_trim(pool, at, 1000 * PAGE_SIZE, 77 * PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, 0, give(pool, at, 77));
		cond_resched();
	}
	kthread_stop(other);
	KUNIT_EXPECT_EQ(test, l.violations, 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, 0));
	quarry_test_at_rest(test, pool);
}

/* The owner of what is left is that of what goes. */
static noinline int the_owner_of_a_run(struct quarry_pool *pool, phys_addr_t *at)
{
	int err = take(pool, 9, 1, 0, 0, 0, at);

	barrier();
	return err;
}

static void tails_have_an_owner(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_1M, SZ_1M);
	struct quarry_page_table *table;
	struct quarry_page_arena *c;
	phys_addr_t at;
	u32 i;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_MODE_OWNER));
	KUNIT_ASSERT_EQ(test, 0, the_owner_of_a_run(pool, &at));
	KUNIT_EXPECT_EQ(test, 0, quarry_trim(pool, at, 9 * PAGE_SIZE, 4 * PAGE_SIZE));
	rcu_read_lock();
	c = quarry_directory_find_pfn(PHYS_PFN(at));
	table = c ? READ_ONCE(c->table) : NULL;
	rcu_read_unlock();
	KUNIT_ASSERT_NOT_NULL(test, table);
	i = PHYS_PFN(at) - c->pfn;
	KUNIT_EXPECT_NE(test, table->record[i].stack[QUARRY_PAGE_ALLOC], 0);
	KUNIT_EXPECT_EQ(test, table->record[i + 4].stack[QUARRY_PAGE_ALLOC],
			table->record[i].stack[QUARRY_PAGE_ALLOC]);
	KUNIT_EXPECT_NE(test, table->record[i + 8].stack[QUARRY_PAGE_FREE], 0);
	KUNIT_EXPECT_EQ(test, table->record[i].stack[QUARRY_PAGE_FREE], 0);
	KUNIT_EXPECT_EQ(test, 0, give(pool, at, 4));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, 0));
	quarry_test_at_rest(test, pool);
}

static struct kunit_case ranges_cases[] = {
	KUNIT_CASE(runs_of_every_length),
	KUNIT_CASE(runs_do_not_overlap),
	KUNIT_CASE(alignment_above_the_size),
	KUNIT_CASE(windows_are_kept),
	KUNIT_CASE(requests_that_make_no_sense),
	KUNIT_CASE(trim_gives_back_the_tail),
	KUNIT_CASE(a_range_with_pages_serves_everybody),
	KUNIT_CASE(ranges_of_odd_shapes),
	KUNIT_CASE(ranges_that_cannot_be_added),
	KUNIT_CASE(device_memory_is_for_those_who_ask),
	KUNIT_CASE(device_memory_in_several_pieces),
	KUNIT_CASE(device_memory_of_every_order),
	KUNIT_CASE(searches_over_many_areas),
	KUNIT_CASE(many_ranges),
	KUNIT_CASE(runs_fill_memory),
	KUNIT_CASE(searches_that_may_not_sleep),
	KUNIT_CASE(device_requests_leave_lists_alone),
	KUNIT_CASE(ranges_side_by_side_stay_two),
	KUNIT_CASE(runs_of_zeros),
	KUNIT_CASE(runs_of_lives),
	KUNIT_CASE(runs_grow_on_the_local_node),
	KUNIT_CASE(a_range_larger_than_its_description),
	KUNIT_CASE(orders_above_the_kernels),
	KUNIT_CASE(freed_twice_at_once),
	KUNIT_CASE(validated_while_they_go),
	KUNIT_CASE(tails_have_an_owner),
	KUNIT_CASE(a_pool_with_ranges_can_be_destroyed),
	{}
};

static struct kunit_suite ranges_suite = {
	.name = "quarry-ranges",
	.suite_init = quarry_test_parameters,
	.test_cases = ranges_cases,
};

kunit_test_suite(ranges_suite);
