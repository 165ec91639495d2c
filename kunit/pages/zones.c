// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a zone: GFP_DMA and GFP_DMA32 are never ignored.
 *
 * A pool has memory of one zone (cfg.zone), and malloc is of the default pool, which has none.
 * So each call that takes flags either gives memory that lies where they say, or refuses them,
 * which is counted once. The table below is of all such calls; each is tried with flags of no
 * zone first, so that a refusal later is of the zone and of nothing else.
 */
#include <linux/io.h>

#include <asm/dma.h>

#include "../cache_kunit.h"

/**
 * struct place - what the calls take from
 * @pool:	a pool
 * @cache:	a cache in it
 * @stock:	a reserve of it
 * @mag:	objects of @cache that were taken ahead
 * @old:	an object of malloc
 */
struct place {
	struct quarry_pool *pool;
	struct quarry_cache *cache;
	struct quarry_mempool *stock;
	struct quarry_magazine *mag;
	void *old;
};

/* Of a pool: page or NULL, and how it goes back. */
static void *of_page(struct page *page)
{
	return page ? page_address(page) : NULL;
}

static void *try_pages(struct place *at, gfp_t gfp)
{
	return of_page(quarry_alloc_pages(at->pool, gfp, 0));
}

static void *try_pages_of_a_variable(struct place *at, gfp_t gfp)
{
	unsigned int order = 0;

	OPTIMIZER_HIDE_VAR(order);
	return of_page(quarry_alloc_pages(at->pool, gfp, order));
}

static void *try_pages_node(struct place *at, gfp_t gfp)
{
	return of_page(quarry_alloc_pages_node(at->pool, NUMA_NO_NODE, gfp, 0));
}

static void *try_pages_bulk(struct place *at, gfp_t gfp)
{
	struct page *page = NULL;

	return quarry_alloc_pages_bulk(at->pool, gfp, 0, 1, &page) ? page_address(page) : NULL;
}

static void *try_get(struct place *at, gfp_t gfp)
{
	return (void *)quarry_get_free_pages(at->pool, gfp, 0);
}

static void *try_zeroed(struct place *at, gfp_t gfp)
{
	return (void *)quarry_get_zeroed_page(at->pool, gfp);
}

static void put_page_of(struct place *at, void *p)
{
	quarry_free_pages(at->pool, virt_to_page(p), 0);
}

static void *try_exact(struct place *at, gfp_t gfp)
{
	return quarry_alloc_pages_exact(at->pool, PAGE_SIZE, gfp);
}

static void put_exact(struct place *at, void *p)
{
	quarry_free_pages_exact(at->pool, p, PAGE_SIZE);
}

static void *try_range(struct place *at, gfp_t gfp)
{
	struct quarry_range range = { .bytes = PAGE_SIZE, .gfp = gfp };
	phys_addr_t start;

	return quarry_alloc_range(at->pool, &range, &start) ? NULL : phys_to_virt(start);
}

static void put_range(struct place *at, void *p)
{
	quarry_free_range(at->pool, virt_to_phys(p), PAGE_SIZE);
}

static void *try_stock(struct place *at, gfp_t gfp)
{
	return of_page(quarry_mempool_alloc(at->stock, gfp));
}

static void put_stock(struct place *at, void *p)
{
	quarry_mempool_free(at->stock, virt_to_page(p));
}

/* Of a cache. */
static void *try_object(struct place *at, gfp_t gfp)
{
	return quarry_cache_alloc(at->cache, gfp);
}

static void *try_zeroed_object(struct place *at, gfp_t gfp)
{
	return quarry_cache_zalloc(at->cache, gfp);
}

static void *try_object_node(struct place *at, gfp_t gfp)
{
	return quarry_cache_alloc_node(at->cache, gfp, NUMA_NO_NODE);
}

static void *try_objects(struct place *at, gfp_t gfp)
{
	void *p = NULL;

	return quarry_cache_alloc_bulk(at->cache, gfp, 1, &p) ? p : NULL;
}

static void *try_object_nolock(struct place *at, gfp_t gfp)
{
	return quarry_cache_alloc_nolock(at->cache, gfp & ~__GFP_RECLAIM);
}

static void *try_object_ahead(struct place *at, gfp_t gfp)
{
	return quarry_cache_alloc_prefilled(at->cache, gfp, at->mag);
}

static void put_object(struct place *at, void *p)
{
	quarry_cache_free(at->cache, p);
}

static void *try_ahead(struct place *at, gfp_t gfp)
{
	struct quarry_magazine *mag = quarry_cache_prefill(at->cache, gfp, 1);
	void *p;

	if (!mag)
		return NULL;
	p = quarry_cache_alloc_prefilled(at->cache, 0, mag);
	quarry_cache_release(at->cache, mag);
	return p;
}

/* Of malloc. */
static const char some_text[] = "some text";

static void *try_malloc_of_a_constant(struct place *at, gfp_t gfp)
{
	return quarry_malloc(64, gfp);
}

static void *try_malloc(struct place *at, gfp_t gfp)
{
	size_t size = 64;

	OPTIMIZER_HIDE_VAR(size);
	return quarry_malloc(size, gfp);
}

static void *try_zalloc(struct place *at, gfp_t gfp)
{
	return quarry_zalloc(64, gfp);
}

static void *try_calloc(struct place *at, gfp_t gfp)
{
	return quarry_calloc(4, 16, gfp);
}

static void *try_malloc_node(struct place *at, gfp_t gfp)
{
	return quarry_malloc_node(64, gfp, NUMA_NO_NODE);
}

static void *try_block(struct place *at, gfp_t gfp)
{
	return quarry_malloc(SZ_64K, gfp);
}

static void *try_run(struct place *at, gfp_t gfp)
{
	return quarry_malloc(5 * SZ_8K, gfp);
}

static void *try_realloc_of_nothing(struct place *at, gfp_t gfp)
{
	return quarry_realloc(NULL, 64, gfp);
}

static void *try_realloc(struct place *at, gfp_t gfp)
{
	void *p = quarry_realloc(at->old, 2 * quarry_usable_size(at->old), gfp);

	/* The caller gives what has come of it back. */
	if (p)
		at->old = NULL;
	return p;
}

static void *try_memdup(struct place *at, gfp_t gfp)
{
	return quarry_memdup(some_text, 8, gfp);
}

static void *try_memdup_nul(struct place *at, gfp_t gfp)
{
	return quarry_memdup_nul(some_text, 8, gfp);
}

static void *try_strdup(struct place *at, gfp_t gfp)
{
	return quarry_strdup(some_text, gfp);
}

static void *try_strndup(struct place *at, gfp_t gfp)
{
	return quarry_strndup(some_text, 8, gfp);
}

static void *try_asprintf(struct place *at, gfp_t gfp)
{
	return quarry_asprintf(gfp, "%s", some_text);
}

static void put(struct place *at, void *p)
{
	quarry_free(p);
}

static void *try_kvmalloc(struct place *at, gfp_t gfp)
{
	return quarry_kvmalloc(64, gfp);
}

static void *try_kvmalloc_mapped(struct place *at, gfp_t gfp)
{
	return gfpflags_allow_blocking(gfp) ? quarry_kvmalloc(SZ_8M, gfp) : NULL;
}

static void *try_kvrealloc(struct place *at, gfp_t gfp)
{
	return quarry_kvrealloc(NULL, 64, gfp);
}

static void put_kv(struct place *at, void *p)
{
	quarry_kvfree(p);
}

static const struct {
	const char *name;
	void *(*take)(struct place *at, gfp_t gfp);
	void (*give)(struct place *at, void *p);
	enum { OF_POOL, OF_CACHE, OF_MALLOC } of;
} calls[] = {
	{ "alloc_pages", try_pages, put_page_of, OF_POOL },
	{ "alloc_pages, any order", try_pages_of_a_variable, put_page_of, OF_POOL },
	{ "alloc_pages_node", try_pages_node, put_page_of, OF_POOL },
	{ "alloc_pages_bulk", try_pages_bulk, put_page_of, OF_POOL },
	{ "get_free_pages", try_get, put_page_of, OF_POOL },
	{ "get_zeroed_page", try_zeroed, put_page_of, OF_POOL },
	{ "alloc_pages_exact", try_exact, put_exact, OF_POOL },
	{ "alloc_range", try_range, put_range, OF_POOL },
	{ "reserve_alloc", try_stock, put_stock, OF_POOL },
	{ "cache_alloc", try_object, put_object, OF_CACHE },
	{ "cache_zalloc", try_zeroed_object, put_object, OF_CACHE },
	{ "cache_alloc_node", try_object_node, put_object, OF_CACHE },
	{ "cache_alloc_bulk", try_objects, put_object, OF_CACHE },
	{ "cache_alloc_nolock", try_object_nolock, put_object, OF_CACHE },
	{ "cache_alloc_prefilled", try_object_ahead, put_object, OF_CACHE },
	{ "cache_reserve", try_ahead, put_object, OF_CACHE },
	{ "malloc, constant", try_malloc_of_a_constant, put, OF_MALLOC },
	{ "malloc", try_malloc, put, OF_MALLOC },
	{ "zalloc", try_zalloc, put, OF_MALLOC },
	{ "calloc", try_calloc, put, OF_MALLOC },
	{ "malloc_node", try_malloc_node, put, OF_MALLOC },
	{ "malloc of a block", try_block, put, OF_MALLOC },
	{ "malloc of a run", try_run, put, OF_MALLOC },
	{ "realloc of nothing", try_realloc_of_nothing, put, OF_MALLOC },
	{ "realloc", try_realloc, put, OF_MALLOC },
	{ "memdup", try_memdup, put, OF_MALLOC },
	{ "memdup_nul", try_memdup_nul, put, OF_MALLOC },
	{ "strdup", try_strdup, put, OF_MALLOC },
	{ "strndup", try_strndup, put, OF_MALLOC },
	{ "asprintf", try_asprintf, put, OF_MALLOC },
	{ "kvmalloc", try_kvmalloc, put_kv, OF_MALLOC },
	{ "kvmalloc, mapped", try_kvmalloc_mapped, put_kv, OF_MALLOC },
	{ "kvrealloc", try_kvrealloc, put_kv, OF_MALLOC },
};

static const gfp_t zones[] = { __GFP_DMA, __GFP_DMA32, __GFP_DMA | __GFP_DMA32 };

/* What the machine has of one zone ends here. */
static unsigned long ends(gfp_t zone)
{
	return zone == __GFP_DMA ? MAX_DMA_PFN : MAX_DMA32_PFN;
}

static struct place place_in(struct kunit *test, gfp_t zone)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct place at = {};

	cfg.max_bytes = SZ_4M;
	cfg.zone = zone;
	at.pool = quarry_test_pool_of(test, &cfg);
	at.cache = quarry_test_cache_in(test, at.pool, 64, 0);
	at.stock = quarry_mempool_create(at.pool, 0, 4);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(at.stock));
	at.mag = quarry_cache_prefill(at.cache, GFP_KERNEL | zone, 16);
	KUNIT_ASSERT_NOT_NULL(test, at.mag);
	return at;
}

static void leave(struct kunit *test, struct place *at)
{
	quarry_cache_release(at->cache, at->mag);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(at->stock));
}

/* Take by a call and give back. Returns whether it gave anything. */
static bool had(struct kunit *test, struct place *at, unsigned int i, gfp_t gfp, gfp_t zone)
{
	void *p;

	at->old = quarry_malloc(64, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, at->old);
	p = calls[i].take(at, gfp | __GFP_NOWARN);
	if (p && zone)
		KUNIT_EXPECT_LT_MSG(test, virt_to_phys(p) >> PAGE_SHIFT, ends(zone), "%s",
				    calls[i].name);
	if (p)
		calls[i].give(at, p);
	quarry_free(at->old);
	return p;
}

static u64 bad_arguments(struct kunit *test, struct place *at, unsigned int i)
{
	struct quarry_pool *pool = calls[i].of == OF_POOL ? at->pool : quarry_pool_default();
	u64 sum = quarry_test_stats(test, pool)->errors[QUARRY_ERR_BAD_ARGUMENT];
	const int kind = QUARRY_CACHE_ERR_BAD_ARGUMENT;
	unsigned int k;

	sum += quarry_test_cache_stats(test, at->cache)->errors[kind];
	for (k = 0; calls[i].of == OF_MALLOC && k < QUARRY_CLASSES; k++)
		sum += quarry_test_cache_stats(test, quarry_classes[k])->errors[kind];
	return sum;
}

/* Where memory is of no zone. */
static void refused_where_memory_is_of_none(struct kunit *test)
{
	struct place at = place_in(test, 0);
	unsigned int i, k;
	u64 before;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		KUNIT_EXPECT_TRUE_MSG(test, had(test, &at, i, GFP_KERNEL, 0), "%s",
				      calls[i].name);
		for (k = 0; k < ARRAY_SIZE(zones); k++) {
			before = bad_arguments(test, &at, i);
			KUNIT_EXPECT_FALSE_MSG(test,
					       had(test, &at, i, GFP_KERNEL | zones[k], 0),
					       "%s: zone %u is ignored", calls[i].name, k);
			KUNIT_EXPECT_EQ_MSG(test, before + 1, bad_arguments(test, &at, i),
					    "%s: zone %u", calls[i].name, k);
		}
		cond_resched();
	}
	leave(test, &at);
}

/* And where it is of one, with and without its name, but not with another's. */
static void of_its_zone_where_it_is_of_one(struct kunit *test)
{
	struct place at = place_in(test, __GFP_DMA32);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].of == OF_MALLOC)
			continue;
		KUNIT_EXPECT_TRUE_MSG(test, had(test, &at, i, GFP_KERNEL, __GFP_DMA32), "%s",
				      calls[i].name);
		KUNIT_EXPECT_TRUE_MSG(test, had(test, &at, i, GFP_KERNEL | __GFP_DMA32,
						__GFP_DMA32), "%s", calls[i].name);
		KUNIT_EXPECT_FALSE_MSG(test, had(test, &at, i, GFP_KERNEL | __GFP_DMA, 0), "%s",
				       calls[i].name);
	}
	leave(test, &at);
}

static struct kunit_case zones_cases[] = {
	KUNIT_CASE(refused_where_memory_is_of_none),
	KUNIT_CASE(of_its_zone_where_it_is_of_one),
	{}
};

static struct kunit_suite zones_suite = {
	.name = "quarry-zones",
	.suite_init = quarry_test_parameters,
	.test_cases = zones_cases,
};

kunit_test_suite(zones_suite);
