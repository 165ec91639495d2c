// SPDX-License-Identifier: GPL-2.0
/*
 * Every figure of struct quarry_pool_stats, moved on purpose.
 *
 * A table of counters and actions: an action must move the counters it names by
 * what it says, and leave alone the ones it does not. So a counter that nobody
 * counts, or that counts for another, is found here. The counters are those of the list in
 * linux/quarry.h: one that no action moves fails the test. Gauges are compared with a
 * count made from the state bytes.
 */
#include <linux/io.h>
#include <linux/mm.h>

#include "../quarry_kunit.h"

#define FIGURE(kind, field, NAME, text)	QUARRY_FIGURE(quarry_pool_stats, kind, field)
static const struct quarry_figure figures[] = QUARRY_POOL_FIGURES(FIGURE);

/* What an action works on, first a pool of 4 MiB, 2 of them its floor: an arena each. */
struct stage {
	struct kunit *test;
	struct quarry_pool *pool;
	struct page *page;
	struct page **all;
	phys_addr_t at;
	unsigned int nth;
};

static void open_a_pool_of_two_arenas(struct stage *s)
{
	s->pool = quarry_test_near_pool(s->test, SZ_2M, SZ_4M);
}

static void take_from_the_list(struct stage *s)
{
	s->page = quarry_alloc_pages(s->pool, GFP_KERNEL, 0);
}

static void give_to_the_list(struct stage *s)
{
	quarry_free_pages(s->pool, s->page, 0);
	s->page = NULL;
}

static void take_with_account(struct stage *s)
{
	s->page = quarry_alloc_pages(s->pool, GFP_KERNEL | __GFP_ACCOUNT, 0);
}

static void refill_a_list(struct stage *s)
{
	quarry_pool_drain(s->pool);
	s->page = quarry_alloc_pages(s->pool, GFP_KERNEL, 3);
}

static void give_order_three(struct stage *s)
{
	quarry_free_pages(s->pool, s->page, 3);
	s->page = NULL;
}

static void drain_lists(struct stage *s)
{
	quarry_pool_drain(s->pool);
}

static void take_a_run(struct stage *s)
{
	struct quarry_range r = { .bytes = 5 * PAGE_SIZE, .gfp = GFP_KERNEL };

	KUNIT_EXPECT_EQ(s->test, 0, quarry_alloc_range(s->pool, &r, &s->at));
}

static void trim_the_run(struct stage *s)
{
	KUNIT_EXPECT_EQ(s->test, 0, quarry_trim(s->pool, s->at, 5 * PAGE_SIZE, PAGE_SIZE));
}

static void give_the_run(struct stage *s)
{
	KUNIT_EXPECT_EQ(s->test, 0, quarry_free_range(s->pool, s->at, PAGE_SIZE));
}

static void take_a_whole_arena(struct stage *s)
{
	s->page = quarry_alloc_pages(s->pool, GFP_KERNEL, 9);
}

static struct page *second;

static void grow_by_one(struct stage *s)
{
	second = quarry_alloc_pages(s->pool, GFP_KERNEL, 9);
}

static void ask_at_the_limit(struct stage *s)
{
	KUNIT_EXPECT_NULL(s->test, quarry_alloc_pages(s->pool, GFP_KERNEL | __GFP_NOWARN, 0));
}

static void give_both(struct stage *s)
{
	quarry_free_pages(s->pool, second, 9);
	quarry_free_pages(s->pool, s->page, 9);
	s->page = NULL;
}

static void shrink_by_one(struct stage *s)
{
	KUNIT_EXPECT_EQ(s->test, quarry_pool_shrink(s->pool, ~0ULL), SZ_2M);
}

static void ask_without_waiting(struct stage *s)
{
	KUNIT_EXPECT_NULL(s->test, quarry_alloc_pages(s->pool, GFP_NOWAIT | __GFP_NOWARN, 0));
}

static void ask_with_injection(struct stage *s)
{
	quarry_pool_drain(s->pool);
	quarry_inject_set(1);
	KUNIT_EXPECT_NULL(s->test, quarry_alloc_pages(s->pool, GFP_KERNEL, 2));
	quarry_inject_set(0);
}

/* A pool of one page, which went back to the kernel. */
static void give_all_to_the_kernel(struct stage *s)
{
	if (s->page)
		quarry_free_pages(s->pool, s->page, 0);
	s->page = NULL;
	quarry_pool_shrink(s->pool, ~0ULL);
	KUNIT_EXPECT_EQ(s->test, quarry_test_stats(s->test, s->pool)->managed_bytes, 0);
}

/* For more than a page of one node it would be asked again, and that would not fail. */
static void ask_a_kernel_that_has_nothing(struct stage *s)
{
	quarry_inject_set(s->nth);
	s->page = quarry_alloc_pages_node(s->pool, numa_mem_id(),
					  GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 0);
	quarry_inject_set(0);
}

/* Which step that can fail is the kernel's is found by trying: the first is our own. */
static void open_a_pool_without_memory(struct stage *s)
{
	quarry_free_pages(s->pool, s->page, 9);
	s->pool = quarry_test_near_pool(s->test, 0, PAGE_SIZE);
	s->page = quarry_alloc_pages(s->pool, GFP_KERNEL, 0);
	give_all_to_the_kernel(s);
	for (s->nth = 2; s->nth < 10; s->nth++) {
		ask_a_kernel_that_has_nothing(s);
		give_all_to_the_kernel(s);
		if (quarry_test_stats(s->test, s->pool)->fail_kernel)
			break;
	}
}

/* Of each two frames one is out; and all were written to. */
static void open_a_pool_in_pieces(struct stage *s)
{
	unsigned int i, nr;

	s->pool = quarry_test_near_pool(s->test, SZ_2M, SZ_2M);
	s->all = quarry_test_pages(s->test, FRAMES(SZ_2M) + 1);
	nr = quarry_test_take_all(s->test, s->pool, GFP_KERNEL, 0, s->all, FRAMES(SZ_2M) + 1);
	KUNIT_ASSERT_EQ(s->test, nr, FRAMES(SZ_2M));
	for (i = 0; i < nr; i++) {
		quarry_test_fill(s->all[i], 0, i);
		if (page_to_pfn(s->all[i]) & 1)
			continue;
		quarry_free_pages(s->pool, s->all[i], 0);
		s->all[i] = NULL;
	}
	quarry_pool_drain(s->pool);
}

static void ask_for_what_is_whole(struct stage *s)
{
	KUNIT_EXPECT_NULL(s->test, quarry_alloc_pages(s->pool, GFP_KERNEL | __GFP_NOWARN, 1));
}

static void take_a_page_of_zeros(struct stage *s)
{
	s->page = quarry_alloc_pages(s->pool, GFP_KERNEL | __GFP_ZERO, 0);
}

static void open_a_pool_of_zeros(struct stage *s)
{
	struct page *memory = quarry_test_memory(s->test, 10, true);
	unsigned int i;

	for (i = 0; i < FRAMES(SZ_2M); i++)
		if (s->all[i])
			quarry_free_pages(s->pool, s->all[i], 0);
	s->pool = quarry_test_pool(s->test, 0, SZ_4M);
	KUNIT_ASSERT_EQ(s->test, 0, quarry_pool_add_range(s->pool, page_to_phys(memory), SZ_4M,
							  QUARRY_ADD_PAGES | QUARRY_ADD_ZERO));
	quarry_free_pages(s->pool, quarry_alloc_pages(s->pool, GFP_KERNEL, 3), 3);
	quarry_pool_drain(s->pool);
}

static void take_many_zeros(struct stage *s)
{
	s->page = quarry_alloc_pages(s->pool, GFP_KERNEL | __GFP_ZERO, 9);
}

static void open_a_pool_with_a_watermark(struct stage *s)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;

	quarry_free_pages(s->pool, s->page, 9);
	cfg.min_bytes = SZ_8M;
	cfg.max_bytes = SZ_32M;
	cfg.low_bytes = SZ_4M + SZ_2M + SZ_1M;
	cfg.node = first_memory_node;
	s->pool = quarry_test_pool_of(s->test, &cfg);
	quarry_test_settle(s->pool);
}

static void go_below_the_watermark(struct stage *s)
{
	s->page = quarry_alloc_pages(s->pool, GFP_ATOMIC, 9);
	quarry_test_settle(s->pool);
}

#define ANY	(-1)	/* by as much as happens, or not */
#define SOME	(-2)	/* by one at least */

/*
 * The steps follow one another, on the pool that the last without moves has made; a counter
 * left out must not move.
 */
static const struct step {
	const char *name;
	void (*fn)(struct stage *s);
	struct {
		size_t at;
		s64 by;
	} moves[14];
} steps[] = {
#define M(f, n)	{ offsetof(struct quarry_pool_stats, f), n }
	{ "two arenas", open_a_pool_of_two_arenas },
	{ "a page from an empty list", take_from_the_list,
	  { M(allocs, 1), M(alloc_frames, 1), M(slow_allocs, 1), M(refills, 1),
	    M(splits, SOME) } },
	{ "back to the list", give_to_the_list, { M(frees, 1), M(free_frames, 1) } },
	{ "from the list", take_from_the_list, { M(allocs, 1), M(alloc_frames, 1) } },
	{ "back again", give_to_the_list, { M(frees, 1), M(free_frames, 1) } },
	{ "with __GFP_ACCOUNT", take_with_account,
	  { M(allocs, 1), M(alloc_frames, 1), M(account_ignored, 1) } },
	{ "and back", give_to_the_list, { M(frees, 1), M(free_frames, 1) } },
	{ "the lists drained", drain_lists,
	  { M(drains, 1), M(flushes, SOME), M(merges, SOME) } },
	{ "a block of order 3", refill_a_list,
	  { M(allocs, 1), M(alloc_frames, 8), M(slow_allocs, 1), M(refills, 1),
	    M(splits, ANY) } },
	{ "back on its list", give_order_three, { M(frees, 1), M(free_frames, 8) } },
	{ "drained again", drain_lists, { M(drains, 1), M(flushes, ANY), M(merges, ANY) } },
	{ "a run of 5", take_a_run,
	  { M(allocs, 1), M(alloc_frames, 5), M(splits, ANY), M(merges, ANY) } },
	{ "trimmed to 1", trim_the_run,
	  { M(free_frames, 4), M(merges, ANY), M(splits, ANY) } },
	{ "given back", give_the_run, { M(frees, 1), M(free_frames, 1), M(merges, ANY) } },
	/* A block of this order is more than a list may hold here. */
	{ "the whole arena", take_a_whole_arena,
	  { M(allocs, 1), M(alloc_frames, 512), M(slow_allocs, 1) } },
	{ "growth by one arena", grow_by_one,
	  { M(allocs, 1), M(alloc_frames, 512), M(slow_allocs, ANY), M(grows, 1) } },
	{ "refused at the limit", ask_at_the_limit,
	  { M(slow_allocs, ANY), M(fail_limit, 1) } },
	{ "both arenas back", give_both,
	  { M(frees, 2), M(free_frames, 1024), M(slow_frees, SOME), M(flushes, ANY) } },
	{ "one given to the kernel", shrink_by_one,
	  { M(shrinks, 1), M(drains, ANY), M(flushes, ANY) } },
	{ "the whole arena again", take_a_whole_arena,
	  { M(allocs, 1), M(alloc_frames, 512), M(slow_allocs, 1) } },
	{ "refused: may not wait", ask_without_waiting,
	  { M(slow_allocs, ANY), M(fail_nowait, 1) } },
	{ "refused: injected", ask_with_injection, { M(fail_injected, 1) } },
	{ "no memory", open_a_pool_without_memory },
	{ "refused: the kernel has none", ask_a_kernel_that_has_nothing,
	  { M(slow_allocs, ANY), M(grow_failures, 1), M(fail_kernel, 1) } },
	{ "pieces", open_a_pool_in_pieces },
	{ "refused: in pieces", ask_for_what_is_whole,
	  { M(slow_allocs, ANY), M(drains, ANY), M(flushes, ANY), M(fail_fragmented, 1) } },
	{ "a page cleared", take_a_page_of_zeros,
	  { M(allocs, 1), M(alloc_frames, 1), M(slow_allocs, ANY), M(refills, ANY),
	    M(zeroed_frames, 1) } },
	{ "and back", give_to_the_list, { M(frees, 1), M(free_frames, 1) } },
	{ "zeros", open_a_pool_of_zeros },
	{ "pages that were zero", take_many_zeros,
	  { M(allocs, 1), M(alloc_frames, 512), M(slow_allocs, ANY), M(splits, ANY),
	    M(drains, ANY), M(zeroed_frames, ANY), M(zero_skipped_frames, SOME) } },
	{ "a watermark", open_a_pool_with_a_watermark },
	{ "below the watermark", go_below_the_watermark,
	  { M(allocs, 1), M(alloc_frames, 512), M(slow_allocs, ANY), M(splits, ANY),
	    M(grows, SOME), M(grows_background, SOME) } },
#undef M
};

static s64 wanted_of(const struct step *step, size_t at)
{
	unsigned int m;

	for (m = 0; m < ARRAY_SIZE(step->moves); m++)
		if (step->moves[m].at == at)
			return step->moves[m].by;
	return 0;
}

/* Did each counter move as the step says? */
static void compare(struct kunit *test, const struct step *step,
		    const struct quarry_pool_stats *before, const struct quarry_pool_stats *after)
{
	const struct quarry_figure *f = figures;
	s64 want, moved;

	for (; f < figures + ARRAY_SIZE(figures); f++) {
		if (!quarry_figure_is_counter(f))
			continue;
		want = wanted_of(step, f->offset);
		moved = quarry_figure_value(f, after) - quarry_figure_value(f, before);
		KUNIT_EXPECT_GE(test, moved, 0);
		if (want == SOME)
			KUNIT_EXPECT_GT_MSG(test, moved, 0, "%s: %s", step->name, f->name);
		else if (want != ANY)
			KUNIT_EXPECT_EQ_MSG(test, moved, want, "%s: %s", step->name, f->name);
	}
}

static void every_counter_moves_by_what_was_done(struct kunit *test)
{
	struct stage s = { .test = test };
	struct quarry_pool_stats *before;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		if (!steps[i].moves[0].at) {
			steps[i].fn(&s);
			continue;
		}
		before = quarry_test_stats(test, s.pool);
		steps[i].fn(&s);
		compare(test, &steps[i], before, quarry_test_stats(test, s.pool));
		quarry_test_only_error(test, s.pool, before, -1, 0);
	}
	quarry_free_pages(s.pool, s.page, 9);
}

/* A counter that is new is in the list, so it needs a step here. */
static void every_counter_has_a_step(struct kunit *test)
{
	const struct quarry_figure *f = figures;
	unsigned int i, nr;
	s64 want;

	for (; f < figures + ARRAY_SIZE(figures); f++) {
		for (i = 0, nr = 0; i < ARRAY_SIZE(steps); i++) {
			want = wanted_of(&steps[i], f->offset);
			nr += want && want != ANY;
		}
		if (quarry_figure_is_counter(f) && !nr)
			KUNIT_FAIL(test, "no step moves %s", f->name);
	}
}

/* Splits and merges of known blocks, past the lists. */
static void splits_and_merges_are_the_buddys(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_2M, SZ_2M);
	struct quarry_pool_stats *before, *after;
	struct page *page;
	unsigned int k;

	for (k = 0; k <= 9; k++) {
		before = quarry_test_stats(test, pool);
		preempt_disable();
		KUNIT_EXPECT_TRUE(test, quarry_pcp_enter(this_cpu_ptr(pool->pcp)));
		page = quarry_alloc_pages(pool, GFP_ATOMIC, k);
		if (page)
			quarry_free_pages(pool, page, k);
		quarry_pcp_leave(this_cpu_ptr(pool->pcp));
		preempt_enable();
		KUNIT_EXPECT_NOT_NULL(test, page);
		after = quarry_test_stats(test, pool);
		/* From one block of order 9 down to k, and up again. */
		KUNIT_EXPECT_EQ(test, after->splits - before->splits, 9 - k);
		KUNIT_EXPECT_EQ(test, after->merges - before->merges, 9 - k);
	}
}

/* Free blocks by order, counted from what is out, against the snapshot. */
static void orders_are_what_is_left(struct kunit *test)
{
	struct quarry_pool_orders *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_2M, SZ_2M);
	struct page *page[10];
	unsigned int k;
	u64 frames = 0;

	KUNIT_ASSERT_NOT_NULL(test, o);
	/* A block of each order below 9: one frame is left over. */
	for (k = 0; k < 9; k++) {
		page[k] = quarry_alloc_pages(pool, GFP_KERNEL, k);
		KUNIT_ASSERT_NOT_NULL(test, page[k]);
	}
	quarry_pool_drain(pool);
	quarry_pool_orders_snapshot(pool, QUARRY_ANY_NODE, o);
	KUNIT_EXPECT_EQ(test, o->nr_orders, QUARRY_NR_ORDERS);
	for (k = 0; k < QUARRY_NR_ORDERS; k++) {
		frames += o->orders[k].free_blocks << k;
		KUNIT_EXPECT_EQ(test, o->orders[k].allocs, k < 9);
		KUNIT_EXPECT_EQ(test, o->orders[k].frees, 0);
		KUNIT_EXPECT_EQ(test, o->orders[k].pcp_blocks, 0);
	}
	KUNIT_EXPECT_EQ(test, frames, 1);
	KUNIT_EXPECT_EQ(test, o->orders[0].free_blocks, 1);
	KUNIT_EXPECT_EQ(test, o->orders[0].extfrag_milli, -1000);
	KUNIT_EXPECT_EQ(test, o->orders[1].unusable_milli, 1000);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->largest_order, 0);
	for (k = 0; k < 9; k++)
		quarry_free_pages(pool, page[k], k);
	quarry_pool_drain(pool);
	quarry_pool_orders_snapshot(pool, QUARRY_ANY_NODE, o);
	for (k = 0; k < QUARRY_NR_ORDERS; k++)
		KUNIT_EXPECT_EQ(test, o->orders[k].free_blocks, k == 9);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->largest_order, 9);
}

static void snapshots_of_arenas_and_areas_agree(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_16M, SZ_16M);
	struct quarry_arena_stats arenas[8];
	struct quarry_pool_stats *st;
	struct quarry_map_area map[16];
	struct page *page;
	unsigned int n, i;
	u64 total, nfree = 0, frames = 0;

	page = quarry_alloc_pages(pool, GFP_KERNEL, 7);
	KUNIT_ASSERT_NOT_NULL(test, page);
	st = quarry_test_stats(test, pool);
	n = quarry_pool_map_snapshot(pool, 0, map, ARRAY_SIZE(map), &total);
	KUNIT_EXPECT_EQ(test, total, st->areas);
	KUNIT_EXPECT_EQ(test, n, total);
	for (i = 0; i < n; i++) {
		nfree += map[i].free;
		frames += map[i].frames;
		KUNIT_EXPECT_EQ(test, map[i].state, !map[i].free ? QUARRY_AREA_FULL :
				map[i].free == map[i].frames ? QUARRY_AREA_FREE :
				QUARRY_AREA_PARTIAL);
	}
	KUNIT_EXPECT_EQ(test, nfree * PAGE_SIZE, st->free_bytes);
	KUNIT_EXPECT_EQ(test, frames * PAGE_SIZE, st->managed_bytes);
	/* By parts, too. */
	for (i = 0; i < total; i++)
		KUNIT_EXPECT_EQ(test, 1, quarry_pool_map_snapshot(pool, i, map, 1, &total));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_map_snapshot(pool, total, map, 1, &total));
	n = quarry_pool_arenas_snapshot(pool, 0, arenas, ARRAY_SIZE(arenas));
	KUNIT_EXPECT_EQ(test, n, st->arenas);
	for (i = 0, nfree = 0, frames = 0; i < n; i++) {
		nfree += arenas[i].free;
		frames += arenas[i].frames;
	}
	KUNIT_EXPECT_EQ(test, nfree * PAGE_SIZE, st->free_bytes);
	KUNIT_EXPECT_EQ(test, frames * PAGE_SIZE, st->managed_bytes);
	/* 0.05% in full arenas. */
	KUNIT_EXPECT_LE(test, st->metadata_bytes * 2000, st->managed_bytes);
	quarry_free_pages(pool, page, 7);
}

static void stats_exit(struct kunit *test)
{
	quarry_inject_set(0);
}

static struct kunit_case stats_cases[] = {
	KUNIT_CASE(every_counter_moves_by_what_was_done),
	KUNIT_CASE(every_counter_has_a_step),
	KUNIT_CASE(splits_and_merges_are_the_buddys),
	KUNIT_CASE(orders_are_what_is_left),
	KUNIT_CASE(snapshots_of_arenas_and_areas_agree),
	{}
};

static struct kunit_suite stats_suite = {
	.name = "quarry-stats",
	.exit = stats_exit,
	.test_cases = stats_cases,
};

kunit_test_suite(stats_suite);
