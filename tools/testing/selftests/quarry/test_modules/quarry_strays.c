// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel frees what is quarry's, by each of its own functions, and more than once.
 *
 * It takes our memory for a large kmalloc(): it warns, once for as long as it runs, and drops
 * a reference of the page. Whatever it is told to free, no page of a pool may come to be the
 * kernel's: its other objects are in use. All is freed to quarry afterwards, so each reference
 * that is missing has to be found by then, and counted once.
 *
 * Loading it is the test: what does not hold is in the log, and loading fails.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/quarry_malloc.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#define OBJECTS	200
#define TIMES	4
#define TAKEN	2048

struct object {
	struct rcu_head rcu;
	u8 rest[80];
};

static unsigned int failures;
static struct object *objects[OBJECTS];
static struct page *taken[TAKEN];

static void expect(bool holds, const char *whose, const char *what)
{
	if (holds)
		return;
	pr_err("quarry_strays: %s: %s\n", whose, what);
	failures++;
}

static void by_kfree(void *p)
{
	kfree(p);
}

static void by_kvfree(void *p)
{
	kvfree(p);
}

static void by_pointer(void *p)
{
	void (*fn)(const void *p) = kfree;

	OPTIMIZER_HIDE_VAR(fn);
	fn(p);
}

static void by_bulk(void *p)
{
	kfree_bulk(1, &p);
}

static void by_rcu(void *p)
{
	struct object *object = p;

	kfree_rcu(object, rcu);
}

static void by_rcu_without_head(void *p)
{
#ifdef kvfree_rcu_mightsleep
	kvfree_rcu_mightsleep(p);
#else
	kvfree_rcu(p);
#endif
}

static void by_put_page(void *p)
{
	put_page(virt_to_page(p));
}

static void by_free_page(void *p)
{
	__free_page(virt_to_page(p));
}

/*
 * How, and how often the same object. That with a head once: RCU may keep it in a list by the head,
 * and twice in a list, which is then without an end, it is freed for ever.
 */
static const struct way {
	const char *name;
	void (*free)(void *p);
	unsigned int times;
} ways[] = {
	{ "kfree()", by_kfree, TIMES },
	{ "kvfree()", by_kvfree, TIMES },
	{ "kfree() by a pointer", by_pointer, TIMES },
	{ "kfree_bulk()", by_bulk, TIMES },
	{ "kfree_rcu()", by_rcu, 1 },
	{ "kvfree_rcu() without a head", by_rcu_without_head, TIMES },
	{ "put_page()", by_put_page, TIMES },
	{ "__free_page()", by_free_page, TIMES },
};

/* Wait for frees that RCU is to bring, up to @nr of them; it gathers them for 5 seconds. */
static void settle(const struct way *way, struct page *page, unsigned int nr)
{
	unsigned int ms;

	for (ms = 0; ms < 120000 && QUARRY_PAGE_OURS + 1 - page_count(page) < nr; ms += 50)
		msleep(50);
	expect(ms < 120000, way->name, "the frees have not come");
}

/* Does the kernel give any of the pages from @page on to somebody? What it gives is written to. */
static bool is_given_away(struct page *page, unsigned int nr)
{
	unsigned int i, k, same = 0;

	for (i = 0; i < TAKEN; i++) {
		taken[i] = alloc_page(GFP_KERNEL);
		if (!taken[i])
			break;
		clear_page(page_address(taken[i]));
		same += taken[i] >= page && taken[i] < page + nr;
	}
	for (k = 0; k < i; k++)
		__free_page(taken[k]);
	return same;
}

static void fill(void)
{
	unsigned int i;

	for (i = 0; i < OBJECTS; i++)
		memset(objects[i]->rest, i, sizeof(objects[i]->rest));
}

static bool is_whole(void)
{
	unsigned int i, bad = 0;

	for (i = 0; i < OBJECTS; i++)
		bad += !!memchr_inv(objects[i]->rest, i, sizeof(objects[i]->rest));
	return !bad;
}

static u64 strays_of(struct quarry_cache *cache)
{
	static struct quarry_cache_stats stats;

	quarry_cache_snapshot(cache, &stats);
	return stats.errors[QUARRY_CACHE_ERR_KFREE];
}

/* Objects of a cache, some of which the kernel frees. */
static void free_objects(struct quarry_pool *pool, const struct way *way)
{
	static struct quarry_pool_validate result;
	static struct quarry_pool_stats stats;
	struct quarry_cache *cache;
	unsigned int i;

	cache = quarry_cache_create_in(pool, "strays", sizeof(struct object), 0, 0, NULL);
	if (IS_ERR(cache)) {
		expect(false, way->name, "no cache");
		return;
	}
	/* Objects 70 and 71 are on one page. */
	for (i = 0; i < OBJECTS; i++) {
		objects[i] = quarry_cache_alloc(cache, GFP_KERNEL);
		if (!objects[i]) {
			expect(false, way->name, "no object");
			return;
		}
	}
	fill();
	for (i = 0; i < way->times; i++)
		way->free(objects[70]);
	way->free(objects[71]);
	settle(way, virt_to_page(objects[70]), way->times + 1);
	expect(!is_given_away(virt_to_page(objects[70]), 1), way->name,
	       "a page with objects is the kernel's");
	expect(is_whole(), way->name, "other objects have changed");
	expect(quarry_pool_validate(pool, &result) == -EUCLEAN && result.stray_refs,
	       way->name, "the validator sees nothing");
	for (i = 0; i < OBJECTS; i++)
		quarry_cache_free(cache, objects[i]);
	quarry_cache_shrink(cache);
	expect(strays_of(cache) == way->times + 1, way->name, "not each stray free was counted");
	expect(!quarry_cache_destroy(cache), way->name, "the cache stays");
	expect(!quarry_pool_validate(pool, &result), way->name, "the pool is not whole at the end");
	quarry_pool_shrink(pool, ~0ULL);
	quarry_pool_snapshot(pool, &stats);
	expect(!stats.managed_bytes && !stats.retired_bytes, way->name,
	       "the pages do not come back");
}

/* A large block of malloc. */
static void free_large(const struct way *way, size_t size)
{
	static struct quarry_pool_validate result;
	struct quarry_pool *pool = quarry_pool_default();
	u8 *p = quarry_malloc(size, GFP_KERNEL);
	unsigned int i;

	if (!p) {
		expect(false, way->name, "no large block");
		return;
	}
	memset(p, 0xa5, size);
	for (i = 0; i < way->times; i++)
		way->free(p);
	settle(way, virt_to_page(p), way->times);
	expect(!is_given_away(virt_to_page(p), size >> PAGE_SHIFT), way->name,
	       "a page of a large block is the kernel's");
	/* The head of RCU is in the object. */
	expect(!memchr_inv(p + sizeof(struct rcu_head), 0xa5, size - sizeof(struct rcu_head)),
	       way->name, "a large block has changed");
	expect(quarry_pool_validate(pool, &result) == -EUCLEAN && result.stray_refs,
	       way->name, "the validator does not see a large block");
	quarry_free(p);
	expect(!quarry_pool_validate(pool, &result), way->name,
	       "the default pool is not whole at the end");
}

static int __init quarry_strays_init(void)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool *pool;
	unsigned int i;

	pool = quarry_pool_create("strays", &cfg);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		free_objects(pool, &ways[i]);
		free_large(&ways[i], SZ_64K);
		free_large(&ways[i], SZ_64K + SZ_8K);
	}
	expect(!quarry_pool_destroy(pool), "pool", "it stays");
	return failures ? -EIO : 0;
}
module_init(quarry_strays_init);

static void __exit quarry_strays_exit(void)
{
}
module_exit(quarry_strays_exit);

MODULE_DESCRIPTION("the kernel frees what is quarry's");
MODULE_AUTHOR("The quarry developers");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "QUARRY");
