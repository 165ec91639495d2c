// SPDX-License-Identifier: GPL-2.0
/*
 * Holds pages, objects of a cache and blocks of malloc that are full of what is known of each by
 * its address, while something happens to the machine; then finds out whether all of it is whole.
 *
 * At load it has a pool of its own, named "keep", with a floor, pages of several orders, objects,
 * and, freed again, @spare MiB more. Who writes to @check has all of it looked at; and each CPU
 * that is online allocate, mark, look and free in the pool by itself, with what lies on its lists
 * and in its magazines. The write fails if anything is not as it was, and the log says what.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/quarry.h>
#include <linux/quarry_malloc.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#define NAME		"keep"
#define FLOOR		SZ_8M
#define NR_BLOCKS	4000U		/* of orders 0 to 4, 97 MiB in all */
#define NR_OBJECTS	50000U
#define OBJECT_SIZE	208U
#define NR_MALLOC	4000U		/* 8 bytes to 12 KiB */
#define NR_EACH		300U		/* by each CPU, of each kind */

static unsigned int spare = 64;
module_param(spare, uint, 0444);
MODULE_PARM_DESC(spare, "MiB to be free in the pool after load");

static struct quarry_pool *pool;
static struct quarry_cache *cache;

/* Something that is held: where, and how long. */
struct kept {
	u64 *at;
	size_t bytes;
};

enum { BLOCKS, OBJECTS, MALLOC, KINDS };

static const char * const kind_name[KINDS] = { "page", "object", "block of malloc" };
static const unsigned int kind_nr[KINDS] = { NR_BLOCKS, NR_OBJECTS, NR_MALLOC };
static struct kept *all[KINDS];

static u64 mark_of(const u64 *word)
{
	return hash_64((unsigned long)word, 64) ^ 0x716b656570ULL;
}

static void mark(const struct kept *k)
{
	size_t i;

	for (i = 0; i < k->bytes / sizeof(u64); i++)
		k->at[i] = mark_of(k->at + i);
}

static bool is_whole(const struct kept *k)
{
	size_t i;

	for (i = 0; i < k->bytes / sizeof(u64); i++)
		if (k->at[i] != mark_of(k->at + i))
			return false;
	return true;
}

static unsigned int order_of(unsigned int i)
{
	return i % 5;
}

/* The @i-th thing of a kind, marked. */
static bool take(struct kept *k, unsigned int kind, unsigned int i)
{
	struct page *page;

	switch (kind) {
	case BLOCKS:
		page = quarry_alloc_pages(pool, GFP_KERNEL, order_of(i));
		k->at = page ? page_address(page) : NULL;
		k->bytes = PAGE_SIZE << order_of(i);
		break;
	case OBJECTS:
		k->at = quarry_cache_alloc(cache, GFP_KERNEL);
		k->bytes = OBJECT_SIZE;
		break;
	default:
		k->bytes = i * 3 % (SZ_8K + SZ_4K) + 8;
		k->at = quarry_malloc(k->bytes, GFP_KERNEL);
	}
	if (k->at)
		mark(k);
	return k->at;
}

static void put(const struct kept *k, unsigned int kind, unsigned int i)
{
	if (!k->at)
		return;
	if (kind == BLOCKS)
		quarry_free_pages(pool, virt_to_page(k->at), order_of(i));
	else
		quarry_free(k->at);
}

/* On one CPU, without leaving it. */
static long use_cpu(void *unused)
{
	struct kept *own = kvcalloc(NR_EACH, sizeof(*own), GFP_KERNEL);
	unsigned int kind, i, round;
	long err = own ? 0 : -ENOMEM;

	for (round = 0; !err && round < 2 * KINDS; round++) {
		kind = round % KINDS;
		for (i = 0; !err && i < NR_EACH; i++)
			if (!take(own + i, kind, i))
				err = -ENOMEM;
		for (i = 0; i < NR_EACH; i++) {
			if (own[i].at && !is_whole(own + i)) {
				pr_err("CPU %u: a new %s has changed\n", raw_smp_processor_id(),
				       kind_name[kind]);
				err = -EIO;
			}
			put(own + i, kind, i);
			own[i].at = NULL;
		}
	}
	kvfree(own);
	return err;
}

static long look(void)
{
	unsigned int kind, i, broken;
	long err = 0;

	for (kind = 0; kind < KINDS; kind++) {
		broken = 0;
		for (i = 0; i < kind_nr[kind]; i++)
			broken += !is_whole(all[kind] + i);
		if (!broken)
			continue;
		pr_err("%u of %u are not whole: %s\n", broken, kind_nr[kind], kind_name[kind]);
		err = -EIO;
	}
	return err;
}

static int set_check(const char *val, const struct kernel_param *kp)
{
	long err = look();
	unsigned int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		err = err ?: work_on_cpu(cpu, use_cpu, NULL);
	cpus_read_unlock();
	/* What is new was nobody's. */
	return err ?: look();
}

static const struct kernel_param_ops check_ops = { .set = set_check };

module_param_cb(check, &check_ops, NULL, 0200);
MODULE_PARM_DESC(check, "written to: is everything whole?");

/* Memory that is free in the pool afterwards. */
static int make_spare(void)
{
	unsigned int nr = spare / 4, i;
	struct page **pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL);
	int err = pages ? 0 : -ENOMEM;

	for (i = 0; !err && i < nr; i++) {
		pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, 10);
		if (!pages[i])
			err = -ENOMEM;
		else
			memset(page_address(pages[i]), 0x5a, SZ_4M);
	}
	for (i = 0; pages && i < nr && pages[i]; i++)
		quarry_free_pages(pool, pages[i], 10);
	kvfree(pages);
	return err;
}

static void put_all(void)
{
	unsigned int kind, i;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; all[kind] && i < kind_nr[kind]; i++)
			put(all[kind] + i, kind, i);
		kvfree(all[kind]);
	}
}

static int take_all(void)
{
	unsigned int kind, i;

	for (kind = 0; kind < KINDS; kind++) {
		all[kind] = kvcalloc(kind_nr[kind], sizeof(struct kept), GFP_KERNEL);
		for (i = 0; all[kind] && i < kind_nr[kind]; i++)
			if (!take(all[kind] + i, kind, i))
				return -ENOMEM;
		if (!all[kind])
			return -ENOMEM;
	}
	return 0;
}

static int __init quarry_keep_init(void)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	int err;

	cfg.min_bytes = FLOOR;
	pool = quarry_pool_create(NAME, &cfg);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	cache = quarry_cache_create_in(pool, NAME, OBJECT_SIZE, 0, 0, NULL);
	if (IS_ERR(cache)) {
		err = PTR_ERR(cache);
		goto destroy_pool;
	}
	err = take_all() ?: make_spare();
	if (!err)
		return 0;
	put_all();
	quarry_cache_destroy(cache);
destroy_pool:
	quarry_pool_destroy(pool);
	return err;
}
module_init(quarry_keep_init);

static void __exit quarry_keep_exit(void)
{
	put_all();
	quarry_cache_destroy(cache);
	quarry_pool_destroy(pool);
}
module_exit(quarry_keep_exit);

MODULE_DESCRIPTION("a client of quarry that holds memory and knows what is in it");
MODULE_AUTHOR("The quarry developers");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "QUARRY");
