// SPDX-License-Identifier: GPL-2.0
/*
 * What describes memory (arenas, labels of frames, tables of modes) is asked of the kernel
 * as the caller's flags allow: it may wait for nothing that the caller must not wait for,
 * and what these say of the memory itself, its zone and node and who pays, is not meant for it.
 *
 * The flags are those that the kernel's own allocator is seen to be called with.
 */
#include <linux/mm.h>
#include <linux/quarry_malloc.h>
#include <trace/events/kmem.h>

#include "../../module/cache/labels.h"
#include "../cache_kunit.h"

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

static struct kunit_case metadata_cases[] = {
	KUNIT_CASE(what_describes_memory_is_of_no_zone),
	KUNIT_CASE(what_describes_memory_does_no_io),
	KUNIT_CASE(labels_are_not_made_where_nothing_can_be),
	{}
};

static struct kunit_suite metadata_suite = {
	.name = "quarry-metadata",
	.test_cases = metadata_cases,
};

kunit_test_suite(metadata_suite);
