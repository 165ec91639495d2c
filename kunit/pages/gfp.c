// SPDX-License-Identifier: GPL-2.0
/*
 * What gfp flags mean: a case for each row of the table in module/pages/gfp.c, by each of
 * the ways to allocate, and what follows from them: which locks an allocation may be
 * made under, who waits, and what is done for memory.
 *
 * What lockdep has seen is read from its own lists: a lock that was held over an
 * allocation which might reclaim is known there as one that is taken before fs_reclaim.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/quarry_malloc.h>
#include <linux/sched/mm.h>
#include <trace/events/kmem.h>

#include "../../module/cache/labels.h"
#include "../../module/malloc/malloc.h"
#include "../../module/pages/gfp.h"
#include "../cache_kunit.h"

/* --- the table --------------------------------------------------------------- */

/**
 * struct row - flags and what they give
 * @name:	of the flags
 * @gfp:	the flags
 * @frees:	the task frees memory (PF_MEMALLOC)
 * @sleeps:	it may sleep
 * @kept:	of four parts of the reserve, those that it cannot have
 */
struct row {
	const char *name;
	gfp_t gfp;
	bool frees;
	bool sleeps;
	unsigned int kept;
};

static const struct row rows[] = {
	{ "GFP_KERNEL", GFP_KERNEL, false, true, 4 },
	{ "GFP_NOFS", GFP_NOFS, false, true, 2 },
	{ "GFP_NOIO", GFP_NOIO, false, true, 2 },
	{ "GFP_NOFS, NOMEMALLOC", GFP_NOFS | __GFP_NOMEMALLOC, false, true, 4 },
	{ "GFP_KERNEL, HIGH", GFP_KERNEL | __GFP_HIGH, false, true, 2 },
	{ "GFP_NOWAIT", GFP_NOWAIT, false, false, 4 },
	{ "GFP_ATOMIC", GFP_ATOMIC, false, false, 0 },
	{ "GFP_KERNEL, MEMALLOC", GFP_KERNEL | __GFP_MEMALLOC, false, true, 0 },
	{ "GFP_NOWAIT, MEMALLOC", GFP_NOWAIT | __GFP_MEMALLOC, false, false, 0 },
	{ "GFP_ATOMIC, NOMEMALLOC", GFP_ATOMIC | __GFP_NOMEMALLOC, false, false, 0 },
	{ "GFP_NOWAIT, NOMEMALLOC", GFP_NOWAIT | __GFP_NOMEMALLOC, false, false, 4 },
	{ "GFP_NOWAIT of reclaim", GFP_NOWAIT, true, false, 0 },
	{ "GFP_NOWAIT, NOMEMALLOC of reclaim", GFP_NOWAIT | __GFP_NOMEMALLOC, true, false, 4 },
};

static void row_name(const struct row *row, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%s", row->name);
}

KUNIT_ARRAY_PARAM(row, rows, row_name);

#define POOL_FRAMES	1024U
#define PART		64U	/* a quarter of the reserve */

static unsigned int take_runs(struct quarry_pool *pool, gfp_t gfp, struct page **pages)
{
	struct quarry_range range = { .bytes = PAGE_SIZE, .gfp = gfp | __GFP_NOWARN };
	unsigned int nr = 0;
	phys_addr_t at;

	while (nr <= POOL_FRAMES && !quarry_alloc_range(pool, &range, &at))
		pages[nr++] = pfn_to_page(PHYS_PFN(at));
	return nr;
}

static void give_runs(struct kunit *test, struct quarry_pool *pool, struct page **pages,
		      unsigned int nr)
{
	while (nr--)
		KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, page_to_phys(pages[nr]),
							   PAGE_SIZE));
}

/* Every way of allocating gets the same, down to the frame. */
static void each_way_gets_the_same(struct kunit *test)
{
	const struct row *row = test->param_value;
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct page **pages = quarry_test_pages(test, POOL_FRAMES + 1);
	unsigned int nr, expected = POOL_FRAMES - row->kept * PART, scope = 0;
	struct quarry_pool *pool;

	cfg.min_bytes = POOL_FRAMES * PAGE_SIZE;
	cfg.max_bytes = cfg.min_bytes;
	cfg.reserve_bytes = 4 * PART * PAGE_SIZE;
	cfg.node = first_memory_node;
	pool = quarry_test_pool_of(test, &cfg);
	quarry_test_pin(test, 0);
	if (row->frees)
		scope = memalloc_noreclaim_save();
	nr = quarry_test_take_all(test, pool, row->gfp, 0, pages, POOL_FRAMES + 1);
	KUNIT_EXPECT_EQ_MSG(test, nr, expected, "single");
	quarry_test_give_all(pool, 0, pages, nr);
	quarry_pool_drain(pool);
	nr = quarry_alloc_pages_bulk(pool, row->gfp | __GFP_NOWARN, 0, POOL_FRAMES + 1, pages);
	KUNIT_EXPECT_EQ_MSG(test, nr, expected, "bulk");
	quarry_free_pages_bulk(pool, 0, nr, pages);
	quarry_pool_drain(pool);
	nr = take_runs(pool, row->gfp, pages);
	KUNIT_EXPECT_EQ_MSG(test, nr, expected, "runs");
	give_runs(test, pool, pages, nr);
	if (row->frees)
		memalloc_noreclaim_restore(scope);
	quarry_test_sound(test, pool);
}

/* Who may sleep has the pool grow, by whatever way; who may not does not. */
static void who_sleeps_grows(struct kunit *test)
{
	const struct row *row = test->param_value;
	struct quarry_range range = { .bytes = PAGE_SIZE, .gfp = row->gfp | __GFP_NOWARN };
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_16M);
	struct page *page;
	phys_addr_t at;

	page = quarry_alloc_pages(pool, row->gfp | __GFP_NOWARN, 0);
	KUNIT_EXPECT_EQ(test, !!page, row->sleeps);
	if (page)
		quarry_free_pages(pool, page, 0);
	quarry_pool_drain(pool);
	quarry_pool_shrink(pool, ~0ULL);
	KUNIT_EXPECT_EQ(test, quarry_alloc_range(pool, &range, &at), row->sleeps ? 0 : -ENOMEM);
	if (row->sleeps)
		quarry_free_range(pool, at, PAGE_SIZE);
	quarry_pool_shrink(pool, ~0ULL);
	quarry_test_at_rest(test, pool);
}

/* What the reserve gave comes back to it, and not to a list where anybody takes it. */
static void what_was_the_reserves_stays_so(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct page **pages = quarry_test_pages(test, POOL_FRAMES + 1);
	const gfp_t quiet = GFP_ATOMIC | __GFP_NOWARN;
	unsigned int nr, most, i, round;
	struct quarry_cache *cache;
	struct quarry_pool *pool;
	void *objects[8];

	cfg.min_bytes = POOL_FRAMES * PAGE_SIZE;
	cfg.max_bytes = cfg.min_bytes;
	cfg.reserve_bytes = 4 * PART * PAGE_SIZE;
	cfg.node = first_memory_node;
	pool = quarry_test_pool_of(test, &cfg);
	quarry_test_pin(test, 0);
	cache = quarry_cache_create_in(pool, quarry_test_name(test), 4096, 0, 0, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	most = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, POOL_FRAMES + 1);
	KUNIT_EXPECT_EQ(test, most, POOL_FRAMES - 4 * PART);
	for (round = 0; round < 2; round++) {
		nr = most + quarry_test_take_all(test, pool, GFP_ATOMIC, 0, pages + most,
						 POOL_FRAMES + 1 - most);
		KUNIT_EXPECT_EQ(test, nr, POOL_FRAMES);
		/* Half of it comes back, one by one or all at once. */
		if (round) {
			quarry_free_pages_bulk(pool, 0, 2 * PART, pages + nr - 2 * PART);
			nr -= 2 * PART;
		}
		while (nr > POOL_FRAMES - 2 * PART)
			quarry_free_pages(pool, pages[--nr], 0);
		KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 0));
		KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_NOWAIT | __GFP_NOWARN, 0));
		while (nr > most)
			quarry_free_pages(pool, pages[--nr], 0);
	}
	/* Slabs of the reserve as well, though they are marked otherwise meanwhile. */
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = quarry_cache_alloc(cache, quiet);
	KUNIT_EXPECT_NOT_NULL(test, objects[0]);
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		quarry_cache_free(cache, objects[i]);
	quarry_test_sound(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(cache));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 0));
	quarry_test_give_all(pool, 0, pages, most);
}

/* A block of the reserve is as well guarded as any. */
static void misuse_of_the_reserve_is_told(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool_stats *before;
	struct quarry_pool *pool;
	struct page *page;

	cfg.min_bytes = SZ_4M;
	cfg.max_bytes = SZ_4M;
	cfg.reserve_bytes = SZ_4M;
	cfg.node = first_memory_node;
	pool = quarry_test_pool_of(test, &cfg);
	page = quarry_alloc_pages(pool, GFP_ATOMIC, 2);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_TRUE(test, quarry_state_is_direct(*quarry_test_state(page)));
	quarry_test_sound(test, pool);
	before = quarry_test_stats(test, pool);
	quarry_free_pages(pool, page, 1);
	quarry_test_only_error(test, pool, before, QUARRY_ERR_WRONG_ORDER, 1);
	before = quarry_test_stats(test, pool);
	quarry_free_pages(pool, page + 1, 0);
	quarry_test_only_error(test, pool, before, QUARRY_ERR_INTERIOR, 1);
	quarry_free_pages(pool, page, 2);
	before = quarry_test_stats(test, pool);
	quarry_free_pages(pool, page, 2);
	quarry_test_only_error(test, pool, before, QUARRY_ERR_DOUBLE_FREE, 1);
	/* Its tail can be given back, and what is left is a run. */
	page = quarry_alloc_pages(pool, GFP_ATOMIC, 3);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, 0, quarry_trim(pool, page_to_phys(page), 8 * PAGE_SIZE,
					     3 * PAGE_SIZE));
	quarry_test_sound(test, pool);
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, page_to_phys(page), 3 * PAGE_SIZE));
	quarry_test_at_rest(test, pool);
}

/* --- what describes memory --------------------------------------------------- */

/* What says where memory is to be, or what its user is, is not for what describes it. */
#define OF_THE_MEMORY	(GFP_ZONEMASK | __GFP_THISNODE | __GFP_ACCOUNT)

/**
 * struct watch - flags that the kernel's allocator was called with
 * @task:	by whom
 * @never:	flags that may not be among them
 * @calls:	how often
 * @wrong:	the first that should not have been
 */
struct watch {
	struct task_struct *task;
	gfp_t never;
	unsigned int calls;
	unsigned int wrong;
};

static void note_kmalloc(void *data, unsigned long site, const void *at, size_t asked,
			 size_t got, gfp_t gfp, int node)
{
	struct watch *w = data;

	if (current != w->task || in_interrupt())
		return;
	w->calls++;
	if (gfp & (OF_THE_MEMORY | w->never) ||
	    (gfp & __GFP_NOFAIL && !gfpflags_allow_blocking(gfp)))
		w->wrong = w->wrong ?: (__force unsigned int)gfp;
}

static void take_and_give(struct kunit *test, struct quarry_pool *pool, gfp_t gfp)
{
	struct quarry_cache *cache = quarry_test_cache_in(test, pool, 64, 0);
	struct quarry_range range = { .bytes = 3 * PAGE_SIZE, .gfp = gfp };
	struct watch watch = { .task = current };
	struct quarry_magazine *mag;
	struct page *page;
	phys_addr_t at;
	void *p[100];

	KUNIT_ASSERT_EQ(test, 0, register_trace_kmalloc(note_kmalloc, &watch));
	page = quarry_alloc_pages(pool, gfp, 3);
	KUNIT_EXPECT_NOT_NULL(test, page);
	if (page)
		quarry_free_pages(pool, page, 3);
	KUNIT_EXPECT_EQ_MSG(test, watch.wrong, 0, "page");
	KUNIT_EXPECT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, at, range.bytes));
	KUNIT_EXPECT_EQ_MSG(test, watch.wrong, 0, "range");
	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(p), quarry_cache_alloc_bulk(cache, gfp, ARRAY_SIZE(p), p));
	quarry_cache_free_bulk(cache, ARRAY_SIZE(p), p);
	KUNIT_EXPECT_EQ_MSG(test, watch.wrong, 0, "objects");
	mag = quarry_cache_prefill(cache, gfp, 100);
	KUNIT_EXPECT_NOT_NULL(test, mag);
	quarry_cache_release(cache, mag);
	KUNIT_EXPECT_EQ_MSG(test, watch.wrong, 0, "magazine");
	/* Pages of the default pool are in the zone where they are. */
	gfp &= ~GFP_ZONEMASK;
	p[0] = quarry_malloc(SZ_64K, gfp);
	KUNIT_EXPECT_NOT_NULL(test, p[0]);
	quarry_free(p[0]);
	KUNIT_EXPECT_EQ_MSG(test, watch.wrong, 0, "memory");
	if (gfpflags_allow_blocking(gfp)) {
		p[0] = quarry_kvmalloc(SZ_8M, gfp);
		KUNIT_EXPECT_NOT_NULL(test, p[0]);
		quarry_kvfree(p[0]);
		KUNIT_EXPECT_EQ_MSG(test, watch.wrong, 0, "mapped memory");
	}
	unregister_trace_kmalloc(note_kmalloc, &watch);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_GT(test, watch.calls, 0);
}

static void what_describes_memory_is_of_no_zone(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool *pool;

	cfg.min_bytes = SZ_8M;
	cfg.max_bytes = SZ_16M;
	cfg.zone = GFP_DMA32;
	pool = quarry_test_pool_of(test, &cfg);
	quarry_test_pin(test, cpumask_first(cpumask_of_node(first_memory_node)));
	take_and_give(test, pool, GFP_KERNEL | GFP_DMA32 | __GFP_ACCOUNT);
	take_and_give(test, pool, GFP_ATOMIC | GFP_DMA32 | __GFP_NOFAIL);
	take_and_give(test, pool, GFP_KERNEL | GFP_DMA32 | __GFP_THISNODE);
}

/* Whoever writes what others wait for has the pool grow, and modes keep a table of each arena. */
static void what_describes_memory_does_no_io(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_8M);
	struct watch watch = { .task = current, .never = __GFP_IO | __GFP_FS };
	struct page *page;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_MODE_CHECK));
	KUNIT_ASSERT_EQ(test, 0, register_trace_kmalloc(note_kmalloc, &watch));
	page = quarry_alloc_pages(pool, GFP_NOIO, 0);
	unregister_trace_kmalloc(note_kmalloc, &watch);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, watch.wrong, 0);
	KUNIT_EXPECT_GT(test, watch.calls, 0);
	if (page)
		quarry_free_pages(pool, page, 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, 0));
}

/* --- nodes ------------------------------------------------------------------ */

static void this_node_is_this_node(struct kunit *test)
{
	int other = quarry_test_other_node(test), here = first_memory_node;
	struct quarry_range range = { .bytes = PAGE_SIZE };
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	const gfp_t strict = GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN;
	struct quarry_pool *pool;
	struct page *page;
	phys_addr_t at;

	cfg.min_bytes = SZ_4M;
	cfg.node = other;
	pool = quarry_test_pool_of(test, &cfg);
	quarry_test_pin(test, cpumask_first(cpumask_of_node(here)));
	/* Bound to another node, it has nothing here; however one says "here". */
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, strict, 0));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages_node(pool, here, strict, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_alloc_pages_bulk(pool, strict, 0, 1, &page));
	range.gfp = strict;
	KUNIT_EXPECT_EQ(test, -ENOMEM, quarry_alloc_range(pool, &range, &at));
	/* Not even waiting would help. */
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, strict | __GFP_NOFAIL, 0));
	/* As a wish it is served from where it has memory. */
	page = quarry_alloc_pages_node(pool, here, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, page_to_nid(page), other);
	quarry_free_pages(pool, page, 0);
	page = quarry_alloc_pages_node(pool, other, strict, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, page_to_nid(page), other);
	quarry_free_pages(pool, page, 0);
}

/* What a stock has of a node is found whatever lies on top of it. */
static void a_stock_has_nodes(struct kunit *test)
{
	int other = quarry_test_other_node(test), here = first_memory_node;
	const gfp_t strict = GFP_NOWAIT | __GFP_THISNODE | __GFP_NOWARN;
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_16M);
	unsigned int cpu = cpumask_first(cpumask_of_node(other));
	struct page *far, *page[3], *rest[8];
	struct quarry_mempool *reserve;
	unsigned int i, nr;

	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "a node without a CPU");
	quarry_test_pin(test, cpumask_first(cpumask_of_node(here)));
	far = quarry_alloc_pages_node(pool, other, GFP_KERNEL | __GFP_THISNODE, 10);
	KUNIT_ASSERT_NOT_NULL(test, far);
	reserve = quarry_mempool_create(pool, 10, 2);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reserve);
	/* Now all else is out, and what is had is of the stock: of here, twice. */
	for (nr = 0; nr < ARRAY_SIZE(rest); nr++) {
		rest[nr] = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 10);
		if (!rest[nr])
			break;
	}
	page[0] = quarry_mempool_alloc(reserve, strict);
	KUNIT_ASSERT_NOT_NULL(test, page[0]);
	KUNIT_EXPECT_EQ(test, page_to_nid(page[0]), here);
	/* One of there comes in its stead, and lies on top. */
	quarry_mempool_free(reserve, far);
	page[1] = quarry_mempool_alloc(reserve, strict);
	KUNIT_ASSERT_NOT_NULL(test, page[1]);
	KUNIT_EXPECT_EQ(test, page_to_nid(page[1]), here);
	KUNIT_EXPECT_NULL(test, quarry_mempool_alloc(reserve, strict));
	quarry_test_pin(test, cpu);
	page[2] = quarry_mempool_alloc(reserve, strict);
	KUNIT_ASSERT_NOT_NULL(test, page[2]);
	KUNIT_EXPECT_PTR_EQ(test, page[2], far);
	KUNIT_EXPECT_NULL(test, quarry_mempool_alloc(reserve, GFP_NOWAIT | __GFP_NOWARN));
	/* Without a node to keep to, any will do. */
	quarry_mempool_free(reserve, page[0]);
	page[0] = quarry_mempool_alloc(reserve, GFP_NOWAIT);
	KUNIT_ASSERT_NOT_NULL(test, page[0]);
	KUNIT_EXPECT_EQ(test, page_to_nid(page[0]), here);
	for (i = 0; i < 3; i++)
		quarry_mempool_free(reserve, page[i]);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(reserve));
	while (nr--)
		quarry_free_pages(pool, rest[nr], 10);
}

/* --- waiting ---------------------------------------------------------------- */

struct waiter {
	struct quarry_pool *pool;
	struct quarry_range range;
	struct quarry_mempool *reserve;
	struct quarry_cache *cache;
	struct page *page;
	void *memory;
	phys_addr_t at;
	int err;
	struct completion done;
};

#define LARGE	SZ_128K

static int wait_for_range(void *data)
{
	struct waiter *w = data;

	w->err = quarry_alloc_range(w->pool, &w->range, &w->at);
	complete(&w->done);
	return 0;
}

static int wait_for_reserve(void *data)
{
	struct waiter *w = data;

	w->page = quarry_mempool_alloc(w->reserve, GFP_KERNEL | __GFP_NOFAIL);
	complete(&w->done);
	return 0;
}

/* Start @fn, which must not be over before something is freed. */
static void must_wait(struct kunit *test, struct waiter *w, int (*fn)(void *))
{
	init_completion(&w->done);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kthread_run(fn, w, "quarry-gfp"));
	msleep(200);
	KUNIT_EXPECT_FALSE(test, completion_done(&w->done));
}

static void a_run_that_must_not_fail_waits(struct kunit *test)
{
	struct waiter w = { .pool = quarry_test_pool(test, SZ_4M, SZ_4M) };
	struct page *all = quarry_alloc_pages(w.pool, GFP_KERNEL, 10);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!all)
			all = quarry_alloc_pages(w.pool, GFP_KERNEL, 10);
		KUNIT_ASSERT_NOT_NULL(test, all);
		w.range = (struct quarry_range){ .bytes = 3 * PAGE_SIZE,
						 .gfp = GFP_KERNEL | __GFP_NOFAIL };
		/* A run, and then a window. */
		if (i) {
			w.range.start = page_to_phys(all) + SZ_1M;
			w.range.end = w.range.start + SZ_64K;
		}
		must_wait(test, &w, wait_for_range);
		quarry_free_pages(w.pool, all, 10);
		all = NULL;
		wait_for_completion(&w.done);
		KUNIT_ASSERT_EQ(test, 0, w.err);
		KUNIT_EXPECT_EQ(test, 0, quarry_free_range(w.pool, w.at, w.range.bytes));
		quarry_pool_drain(w.pool);
	}
}

static int wait_for_memory(void *data)
{
	struct waiter *w = data;

	w->memory = quarry_malloc(LARGE, GFP_KERNEL | __GFP_NOFAIL);
	complete(&w->done);
	return 0;
}

/* Memory that is in no cache, for it is too large. */
static void large_memory_that_must_not_fail_waits(struct kunit *test)
{
	struct waiter w = { .pool = quarry_pool_default() };
	unsigned int room = FRAMES(SZ_256M) >> get_order(LARGE), nr;
	struct page **all = quarry_test_pages(test, room);
	u64 max = w.pool->max;

	/* At its limit, and nothing left of that size. */
	w.pool->max = max_t(u64, atomic64_read(&w.pool->managed), FRAMES(SZ_4M));
	nr = quarry_test_take_all(test, w.pool, GFP_KERNEL, get_order(LARGE), all, room);
	if (nr) {
		must_wait(test, &w, wait_for_memory);
		quarry_free_pages(w.pool, all[--nr], get_order(LARGE));
		wait_for_completion(&w.done);
	}
	w.pool->max = max;
	/* Lists that came meanwhile have their share of what was the limit then. */
	quarry_lists_limit(w.pool);
	quarry_test_give_all(w.pool, get_order(LARGE), all, nr);
	KUNIT_ASSERT_GT(test, nr, 0);
	KUNIT_EXPECT_NOT_NULL(test, w.memory);
	quarry_free(w.memory);
}

static int wait_for_object(void *data)
{
	struct waiter *w = data;

	w->memory = quarry_cache_alloc(w->cache, GFP_KERNEL | __GFP_NOFAIL);
	complete(&w->done);
	return 0;
}

#define OBJECT	512

/* Any object of the cache will do: no slab need become complete, and no page free. */
static void an_object_that_must_not_fail_waits(struct kunit *test)
{
	struct waiter w = { .pool = quarry_test_near_pool(test, SZ_1M, SZ_1M) };
	void **objects = quarry_test_objects(test, SZ_1M / OBJECT + 1);
	unsigned int nr, i;
	bool in_time;

	w.cache = quarry_test_cache_in(test, w.pool, OBJECT, 0);
	nr = quarry_test_exhaust(test, w.cache, GFP_KERNEL, objects, SZ_1M / OBJECT + 1);
	KUNIT_ASSERT_GT(test, nr, 100);
	must_wait(test, &w, wait_for_object);
	for (i = 0; i < 20; i++)
		quarry_cache_free(w.cache, objects[--nr]);
	in_time = wait_for_completion_timeout(&w.done, 10 * HZ);
	KUNIT_EXPECT_TRUE(test, in_time);
	quarry_test_give_objects(w.cache, objects, nr);
	if (!in_time)
		wait_for_completion(&w.done);
	KUNIT_EXPECT_NOT_NULL(test, w.memory);
	quarry_cache_free(w.cache, w.memory);
	/* What is injected into the pool is not for it. */
	quarry_cache_shrink(w.cache);
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_inject(w.pool, 0, 1000000));
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(w.cache, GFP_KERNEL | __GFP_NOWARN));
	w.memory = quarry_cache_alloc(w.cache, GFP_KERNEL | __GFP_NOFAIL);
	KUNIT_EXPECT_NOT_NULL(test, w.memory);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_inject(w.pool, 0, 0));
	quarry_cache_free(w.cache, w.memory);
}

/* Where waiting is no use, the answer comes at once. */
static void nobody_waits_for_the_impossible(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	struct quarry_range range = { .bytes = SZ_64K, .end = PAGE_SIZE,
				      .gfp = GFP_KERNEL | __GFP_NOFAIL | __GFP_NOWARN };
	struct quarry_pool *small = quarry_test_pool(test, SZ_64K, SZ_64K);
	struct quarry_cache *large = quarry_test_cache_in(test, small, SZ_128K, 0);
	phys_addr_t at;

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, -ENOSPC, quarry_alloc_range(pool, &range, &at));
	/* More than any arena of the kernel's has. */
	range.end = 0;
	range.bytes = SZ_8M;
	KUNIT_EXPECT_EQ(test, -ENOMEM, quarry_alloc_range(pool, &range, &at));
	/* Part of a window is no window. */
	range.start = page_to_phys(page);
	range.end = range.start + SZ_32K;
	range.bytes = SZ_64K;
	KUNIT_EXPECT_EQ(test, -ENOSPC, quarry_alloc_range(pool, &range, &at));
	/* A slab that the pool has no room for. */
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(large, GFP_KERNEL | __GFP_NOFAIL));
	quarry_free_pages(pool, page, 0);
}

/* --- reserves --------------------------------------------------------------- */

static void the_stock_comes_before_what_is_slow(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_16M);
	struct quarry_pool_stats *before, *after;
	struct quarry_mempool *reserve;
	struct page *all, *page[3];
	unsigned int i;

	reserve = quarry_mempool_create(pool, 9, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reserve);
	all = quarry_alloc_pages(pool, GFP_KERNEL, 9);
	KUNIT_ASSERT_NOT_NULL(test, all);
	before = quarry_test_stats(test, pool);
	KUNIT_ASSERT_EQ(test, before->managed_bytes, SZ_4M);
	/* Nothing is at hand: the stock, and only then the kernel. */
	page[0] = quarry_mempool_alloc(reserve, GFP_KERNEL);
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_NOT_NULL(test, page[0]);
	KUNIT_EXPECT_EQ(test, after->grows, before->grows);
	page[1] = quarry_mempool_alloc(reserve, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, page[1]);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->grows, before->grows + 1);
	/* Looking for what is at hand is no failure. */
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->fail_nowait, 0);
	quarry_free_pages(pool, all, 9);
	for (i = 0; i < 2; i++)
		quarry_mempool_free(reserve, page[i]);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(reserve));
}

static void no_reserve_ends_while_a_block_is_out(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_mempool *reserve = quarry_mempool_create(pool, 0, 2);
	struct quarry_pool_stats *before;
	struct page *page;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reserve);
	/* From the pool, not from the stock, which is full. */
	page = quarry_mempool_alloc(reserve, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_mempool_destroy(reserve));
	quarry_mempool_free(reserve, page);
	/* A second free is none, and makes up for no block that is out. */
	page = quarry_mempool_alloc(reserve, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	before = quarry_test_stats(test, pool);
	quarry_mempool_free(reserve, page + 1);
	quarry_test_only_error(test, pool, before, QUARRY_ERR_DOUBLE_FREE, 1);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_mempool_destroy(reserve));
	quarry_mempool_free(reserve, page);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(reserve));
}

static void a_reserve_that_must_not_fail_waits(struct kunit *test)
{
	struct waiter w = { .pool = quarry_test_pool(test, SZ_8M, SZ_8M) };
	struct page *all, *first;

	w.reserve = quarry_mempool_create(w.pool, 10, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w.reserve);
	all = quarry_alloc_pages(w.pool, GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, all);
	w.page = quarry_mempool_alloc(w.reserve, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w.page);
	KUNIT_EXPECT_NULL(test, quarry_mempool_alloc(w.reserve, GFP_KERNEL));
	first = w.page;
	must_wait(test, &w, wait_for_reserve);
	/* To the stock, where it waits as well as for the pool. */
	quarry_mempool_free(w.reserve, first);
	wait_for_completion(&w.done);
	KUNIT_ASSERT_NOT_NULL(test, w.page);
	quarry_mempool_free(w.reserve, w.page);
	quarry_free_pages(w.pool, all, 10);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(w.reserve));
}

/* --- the watermark ---------------------------------------------------------- */

#define PAGES_TAKEN	800U

static void settle(struct quarry_pool *pool)
{
	irq_work_sync(&pool->grow_irq);
	flush_delayed_work(&pool->grow_work);
}

static struct quarry_pool *pool_with_mark(struct kunit *test, u64 low, u64 max, int node)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool *pool;

	cfg.low_bytes = low;
	cfg.max_bytes = max;
	cfg.node = node;
	pool = quarry_test_pool_of(test, &cfg);
	settle(pool);
	return pool;
}

/* What it gave back the background would take again, for ever. */
static void the_shrinker_leaves_what_the_mark_needs(struct kunit *test)
{
	struct quarry_pool *pool = pool_with_mark(test, SZ_8M, SZ_32M, first_memory_node);
	struct quarry_pool_stats *before = quarry_test_stats(test, pool), *after;
	struct page *page;
	unsigned int i;

	KUNIT_EXPECT_GE(test, before->free_bytes, SZ_8M);
	for (i = 0; i < 20; i++) {
		quarry_zone_shrink(pool->zone[first_memory_node], ~0ULL, true);
		page = quarry_alloc_pages(pool, GFP_ATOMIC | __GFP_ZERO, 0);
		KUNIT_ASSERT_NOT_NULL(test, page);
		quarry_free_pages(pool, page, 0);
		settle(pool);
	}
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_GE(test, after->free_bytes + after->pcp_bytes, SZ_8M);
	/* One arena more may have come for the page that was out. */
	KUNIT_EXPECT_LE(test, after->grows - before->grows, 1);
	KUNIT_EXPECT_LE(test, after->shrinks - before->shrinks, 1);
	/* Who asks for it means it. */
	KUNIT_EXPECT_GE(test, quarry_pool_shrink(pool, ~0ULL), SZ_8M);
}

static void the_background_backs_off(struct kunit *test)
{
	unsigned int room = FRAMES((u64)SZ_1G) >> QUARRY_ARENA_MIN_ORDER, nr, small, i;
	int node = quarry_test_other_node(test);
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct page **pages = quarry_test_pages(test, room);
	struct page **rest = quarry_test_pages(test, room);
	struct quarry_pool_stats *before, *after;
	struct quarry_pool *hog, *pool;
	bool failed = false;

	cfg.node = node;
	hog = quarry_test_pool_of(test, &cfg);
	pool = pool_with_mark(test, SZ_4M, SZ_64M, node);
	nr = quarry_test_take_all(test, hog, GFP_KERNEL | __GFP_NORETRY, 10, pages, room);
	KUNIT_ASSERT_GT(test, nr, 10);
	/* A node in small pieces would meet the mark, too. */
	small = quarry_test_take_all(test, hog, GFP_KERNEL | __GFP_NORETRY,
				     QUARRY_ARENA_MIN_ORDER, rest, room);
	before = quarry_test_stats(test, pool);
	pool->low = FRAMES(SZ_64M);
	/* Each of these is below the mark. */
	for (i = 0; i < 500; i++) {
		struct page *page = quarry_alloc_pages(pool, GFP_NOWAIT | __GFP_ZERO |
						       __GFP_NOWARN, 10);

		if (page)
			quarry_free_pages(pool, page, 10);
		usleep_range(1000, 1200);
		/* Not for ever: others may give memory back meanwhile. */
		failed |= READ_ONCE(pool->failures);
	}
	after = quarry_test_stats(test, pool);
	/* Some seconds are ten waits at most, that double; a success begins them anew. */
	KUNIT_EXPECT_LE(test, after->grow_failures - before->grow_failures,
			10 * (1 + after->grows_background - before->grows_background));
	KUNIT_EXPECT_LT(test, after->grow_failures - before->grow_failures, 250);
	KUNIT_EXPECT_TRUE(test, failed);
	/* Memory is there again: whoever grows ends the wait. */
	quarry_test_give_all(hog, 10, pages, nr);
	quarry_test_give_all(hog, QUARRY_ARENA_MIN_ORDER, rest, small);
	quarry_pool_shrink(hog, ~0ULL);
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 10, pages, room);
	settle(pool);
	KUNIT_EXPECT_EQ(test, READ_ONCE(pool->failures), 0);
	quarry_test_give_all(pool, 10, pages, nr);
	pool->low = 0;
	quarry_pool_shrink(pool, ~0ULL);
}

static void runs_wake_the_background(struct kunit *test)
{
	struct quarry_pool *pool = pool_with_mark(test, SZ_4M, SZ_32M, first_memory_node);
	struct quarry_range range = { .bytes = SZ_2M + PAGE_SIZE, .gfp = GFP_ATOMIC };
	struct quarry_pool_stats *before = quarry_test_stats(test, pool);
	phys_addr_t at;

	KUNIT_ASSERT_EQ(test, before->free_bytes, SZ_4M);
	KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
	settle(pool);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->grows_background,
			before->grows_background + 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, at, range.bytes));
}

/* One zone is below the pool's mark, and the pool is not: nobody is woken, ever. */
static void the_mark_is_the_pools(struct kunit *test)
{
	int other = quarry_test_other_node(test), here = first_memory_node;
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_64M);
	struct page **more = quarry_test_pages(test, PAGES_TAKEN);
	struct quarry_pool_stats *before, *after;
	unsigned int i, woken = 0;
	struct page *page[2];
	unsigned long flags;

	quarry_test_pin(test, cpumask_first(cpumask_of_node(here)));
	page[0] = quarry_alloc_pages_node(pool, here, GFP_KERNEL, 10);
	page[1] = quarry_alloc_pages_node(pool, other, GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, page[0]);
	KUNIT_ASSERT_NOT_NULL(test, page[1]);
	quarry_free_pages(pool, page[0], 10);
	quarry_free_pages(pool, page[1], 10);
	quarry_pool_drain(pool);
	pool->low = FRAMES(SZ_4M) + 1;
	before = quarry_test_stats(test, pool);
	for (i = 0; i < PAGES_TAKEN; i++) {
		/* What is queued stays so until interrupts are on. */
		local_irq_save(flags);
		more[i] = quarry_alloc_pages(pool, GFP_ATOMIC, 0);
		woken += READ_ONCE(pool->woken) || irq_work_is_busy(&pool->grow_irq);
		local_irq_restore(flags);
		KUNIT_EXPECT_NOT_NULL(test, more[i]);
	}
	after = quarry_test_stats(test, pool);
	kunit_info(test, "woken %u times by %llu refills", woken, after->refills - before->refills);
	KUNIT_EXPECT_EQ(test, woken, 0);
	KUNIT_EXPECT_GT(test, after->refills - before->refills, 10);
	quarry_test_give_all(pool, 0, more, PAGES_TAKEN);
	pool->low = 0;
}

/* --- under which locks ------------------------------------------------------ */

#ifdef CONFIG_PROVE_LOCKING

/**
 * struct held - what a file system holds while it allocates; one for each case
 * @lock:	it
 * @key:	its class
 */
static struct held {
	struct mutex lock;	/* guards nothing: it is only held */
	struct lock_class_key key;
} all_held[24];
static unsigned int used;

static struct held *hold(struct kunit *test)
{
	struct held *h = &all_held[used];

	KUNIT_ASSERT_LT(test, used, ARRAY_SIZE(all_held));
	KUNIT_ASSERT_TRUE(test, debug_locks);
	__mutex_init(&h->lock, "quarry-test-fs", &h->key);
	used++;
	mutex_lock(&h->lock);
	return h;
}

/* Has it been held where the kernel might have reclaimed through file systems? */
static bool release(struct held *h)
{
	struct lock_class *class = h->lock.dep_map.class_cache[0];
	struct lock_list *after;
	bool found = false;

	mutex_unlock(&h->lock);
	list_for_each_entry(after, &class->locks_after, entry)
		found |= after->class->name && !strcmp(after->class->name, "fs_reclaim");
	return found;
}

/* With a list that has pages, or a magazine with objects, nothing else tells. */
static void the_fast_path_says_what_it_might_do(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *cache;
	struct page *page[2];
	struct held *h;
	void *object;

	quarry_test_pin(test, 0);
	cache = quarry_cache_create_in(pool, quarry_test_name(test), 64, 0, 0, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	quarry_free_pages(pool, quarry_alloc_pages(pool, GFP_KERNEL, 0), 0);
	quarry_cache_free(cache, quarry_cache_alloc(cache, GFP_KERNEL));

	h = hold(test);
	page[0] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	KUNIT_EXPECT_TRUE_MSG(test, release(h), "page");
	quarry_free_pages(pool, page[0], 0);
	h = hold(test);
	KUNIT_EXPECT_EQ(test, 1, quarry_alloc_pages_bulk(pool, GFP_KERNEL, 0, 1, page));
	KUNIT_EXPECT_TRUE_MSG(test, release(h), "bulk");
	quarry_free_pages(pool, page[0], 0);
	h = hold(test);
	object = quarry_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_TRUE_MSG(test, release(h), "object");
	quarry_cache_free(cache, object);
	h = hold(test);
	KUNIT_EXPECT_EQ(test, 1, quarry_cache_alloc_bulk(cache, GFP_KERNEL, 1, &object));
	KUNIT_EXPECT_TRUE_MSG(test, release(h), "objects");
	quarry_cache_free(cache, object);
	/* And no more than that. */
	h = hold(test);
	page[0] = quarry_alloc_pages(pool, GFP_NOFS, 0);
	object = quarry_cache_alloc(cache, GFP_NOFS);
	KUNIT_EXPECT_FALSE_MSG(test, release(h), "GFP_NOFS");
	quarry_cache_free(cache, object);
	quarry_free_pages(pool, page[0], 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(cache));
}

/* Everything that is allocated on the way: arenas, labels, slabs, arrays, page tables. */
static void all_ways(struct kunit *test, gfp_t gfp)
{
	struct quarry_range range = { .bytes = 3 * PAGE_SIZE, .gfp = gfp };
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_16M);
	struct quarry_cache *cache;
	struct page *page;
	phys_addr_t at;
	struct held *h;
	unsigned int i;
	void *p;

	cache = quarry_cache_create_in(pool, quarry_test_name(test), 64, 0, 0, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	h = hold(test);
	page = quarry_alloc_pages(pool, gfp, 10);
	KUNIT_EXPECT_NOT_NULL(test, page);
	if (page)
		quarry_free_pages(pool, page, 10);
	KUNIT_EXPECT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
	KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, at, range.bytes));
	p = quarry_cache_alloc(cache, gfp);
	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_cache_free(cache, p);
	for (i = 0; i < 3; i++) {
		p = quarry_malloc(SZ_64K << (2 * i), gfp);
		KUNIT_EXPECT_NOT_NULL(test, p);
		quarry_free(p);
	}
	/* Too large for any block. */
	p = quarry_kvmalloc_node(SZ_8M, gfp, NUMA_NO_NODE);
	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_kvfree(p);
	KUNIT_EXPECT_FALSE(test, release(h));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(cache));
}

static void a_file_system_may_allocate_under_its_locks(struct kunit *test)
{
	all_ways(test, GFP_NOFS);
	all_ways(test, GFP_NOIO);
}

static void a_scope_is_as_good_as_flags(struct kunit *test)
{
	unsigned int scope = memalloc_nofs_save();

	all_ways(test, GFP_KERNEL);
	memalloc_nofs_restore(scope);
	scope = memalloc_noio_save();
	all_ways(test, GFP_KERNEL);
	memalloc_noio_restore(scope);
}

/* The probe sees what it is meant to see. */
static void what_may_reclaim_is_seen(struct kunit *test)
{
	struct held *h = hold(test);
	void *p = quarry_kvmalloc_node(SZ_8M, GFP_KERNEL, NUMA_NO_NODE);

	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_kvfree(p);
	KUNIT_EXPECT_TRUE(test, release(h));
}

/* What a page needs besides is allocated as the page is. */
static void labels_are_made_with_the_callers_flags(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_64M);
	struct page *pages[17];
	struct held *h;
	unsigned long pfn = 0;
	unsigned int nr;
	u64 before;

	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 10, pages, 17);
	while (nr) {
		quarry_free_pages(pool, pages[--nr], 10);
		pfn = page_to_pfn(pages[nr]);
		before = quarry_label_bytes();
		h = hold(test);
		quarry_label_frames(pfn, 1, 1, GFP_NOFS);
		KUNIT_EXPECT_FALSE(test, release(h));
		quarry_label_frames(pfn, 1, 0, 0);
		if (quarry_label_bytes() != before)
			break;
	}
	quarry_test_give_all(pool, 10, pages, nr);
}

#endif /* CONFIG_PROVE_LOCKING */

/**
 * struct label - a frame that is to have a label
 * @pfn:	the frame
 * @has:	it has
 */
struct label {
	unsigned long pfn;
	bool has;
};

static void label(void *data)
{
	struct label *l = data;

	l->has = quarry_label_frames(l->pfn, 1, 1, GFP_ATOMIC);
}

static bool label_in_nmi(struct label *l)
{
	bool ran;

	preempt_disable();
	ran = quarry_test_in_nmi(label, l);
	preempt_enable();
	return ran;
}

/* Where the kernel's allocator cannot be called: with PREEMPT_RT under a raw lock, too. */
static void labels_are_not_made_where_nothing_can_be(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_64M);
	struct page *pages[17];
	struct label l = {};
	unsigned int nr, i;
	u64 before = 0;

	KUNIT_ASSERT_EQ(test, 0, quarry_test_nmi_init());
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 10, pages, 17);
	/* One that has none: then those that are made count. */
	for (i = 0; i < nr; i++) {
		l.pfn = page_to_pfn(pages[i]);
		before = quarry_label_bytes();
		if (!label_in_nmi(&l) || !l.has)
			break;
		KUNIT_EXPECT_EQ(test, quarry_label_bytes(), before);
		quarry_label_frames(l.pfn, 1, 0, 0);
	}
	KUNIT_EXPECT_LT(test, i, nr);
	KUNIT_EXPECT_EQ(test, quarry_label_bytes(), before);
	if (!l.has) {
		KUNIT_EXPECT_TRUE(test, quarry_label_frames(l.pfn, 1, 1, GFP_KERNEL));
		KUNIT_EXPECT_GT(test, quarry_label_bytes(), before);
		KUNIT_EXPECT_TRUE(test, label_in_nmi(&l));
		KUNIT_EXPECT_TRUE(test, l.has);
		quarry_label_frames(l.pfn, 1, 0, 0);
	}
	quarry_test_nmi_exit();
	quarry_test_give_all(pool, 10, pages, nr);
}

/* --- how hard the kernel tries ---------------------------------------------- */

/* Whatever is more than has to be is taken only if it lies there. */
static void what_need_not_be_is_cheap(struct kunit *test)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_RETRY_MAYFAIL;
	unsigned int order;

	for (order = 0; order <= QUARRY_KERNEL_ORDER; order++) {
		gfp_t asked = quarry_grow_gfp(gfp, order, false);
		gfp_t own = quarry_grow_gfp(gfp, order, true);

		KUNIT_EXPECT_FALSE(test, asked & (__GFP_RECLAIM | __GFP_RETRY_MAYFAIL));
		/* Where nobody waits, the largest order is worked for, once. */
		KUNIT_EXPECT_EQ(test, !!(own & __GFP_RECLAIM), order == QUARRY_KERNEL_ORDER);
		KUNIT_EXPECT_FALSE(test, own & __GFP_RETRY_MAYFAIL);
		KUNIT_EXPECT_TRUE(test, own & __GFP_NORETRY);
		KUNIT_EXPECT_TRUE(test, asked & own & __GFP_NOMEMALLOC);
	}
}

/* What the kernel keeps for who frees memory is for nobody else, and not for comfort. */
static void reserves_of_the_kernel(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_1M, SZ_1M);
	struct quarry_wish w;
	unsigned int flags;

	KUNIT_ASSERT_TRUE(test, quarry_wish_parse(pool, GFP_NOIO, NUMA_NO_NODE, 1, &w));
	KUNIT_EXPECT_TRUE(test, w.grow & __GFP_NOMEMALLOC);
	KUNIT_ASSERT_TRUE(test, quarry_wish_parse(pool, GFP_NOIO | __GFP_MEMALLOC, NUMA_NO_NODE,
						  1, &w));
	KUNIT_EXPECT_FALSE(test, w.grow & __GFP_NOMEMALLOC);
	KUNIT_EXPECT_TRUE(test, w.grow & __GFP_MEMALLOC);
	flags = memalloc_noreclaim_save();
	KUNIT_EXPECT_TRUE(test, quarry_wish_parse(pool, GFP_NOIO, NUMA_NO_NODE, 1, &w));
	KUNIT_EXPECT_FALSE(test, w.grow & __GFP_NOMEMALLOC);
	KUNIT_EXPECT_TRUE(test, quarry_wish_parse(pool, GFP_NOIO | __GFP_NOMEMALLOC, NUMA_NO_NODE,
						  1, &w));
	KUNIT_EXPECT_TRUE(test, w.grow & __GFP_NOMEMALLOC);
	memalloc_noreclaim_restore(flags);
	KUNIT_EXPECT_FALSE(test, quarry_grow_gfp(GFP_NOIO | __GFP_MEMALLOC, 5, false) &
			   __GFP_MEMALLOC);
}

static struct kunit_case gfp_cases[] = {
	KUNIT_CASE_PARAM(each_way_gets_the_same, row_gen_params),
	KUNIT_CASE_PARAM(who_sleeps_grows, row_gen_params),
	KUNIT_CASE(what_was_the_reserves_stays_so),
	KUNIT_CASE(misuse_of_the_reserve_is_told),
	KUNIT_CASE(what_describes_memory_is_of_no_zone),
	KUNIT_CASE(what_describes_memory_does_no_io),
	KUNIT_CASE(this_node_is_this_node),
	KUNIT_CASE(a_stock_has_nodes),
	KUNIT_CASE(a_run_that_must_not_fail_waits),
	KUNIT_CASE(large_memory_that_must_not_fail_waits),
	KUNIT_CASE(an_object_that_must_not_fail_waits),
	KUNIT_CASE(nobody_waits_for_the_impossible),
	KUNIT_CASE(the_stock_comes_before_what_is_slow),
	KUNIT_CASE(no_reserve_ends_while_a_block_is_out),
	KUNIT_CASE(a_reserve_that_must_not_fail_waits),
	KUNIT_CASE(the_shrinker_leaves_what_the_mark_needs),
	KUNIT_CASE(the_background_backs_off),
	KUNIT_CASE(runs_wake_the_background),
	KUNIT_CASE(the_mark_is_the_pools),
#ifdef CONFIG_PROVE_LOCKING
	KUNIT_CASE(the_fast_path_says_what_it_might_do),
	KUNIT_CASE(a_file_system_may_allocate_under_its_locks),
	KUNIT_CASE(a_scope_is_as_good_as_flags),
	KUNIT_CASE(what_may_reclaim_is_seen),
	KUNIT_CASE(labels_are_made_with_the_callers_flags),
#endif
	KUNIT_CASE(labels_are_not_made_where_nothing_can_be),
	KUNIT_CASE(what_need_not_be_is_cheap),
	KUNIT_CASE(reserves_of_the_kernel),
	{}
};

static struct kunit_suite gfp_suite = {
	.name = "quarry-gfp",
	.test_cases = gfp_cases,
};

kunit_test_suite(gfp_suite);
