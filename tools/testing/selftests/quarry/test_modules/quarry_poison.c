// SPDX-License-Identifier: GPL-2.0
/*
 * Has the kernel find that the hardware of pages of a pool has failed, as hard_offline_page does,
 * and checks that nobody gets them afterwards: of one that is free, one on this CPU's list, one
 * that is in use, and one of a run that is. All of the pool is taken once they are free.
 *
 * It loads if all is well, and says what is not. The pool is destroyed before that; that the
 * kernel gives these pages to nobody either shows in HardwareCorrupted of /proc/meminfo.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/quarry.h>
#include <linux/sizes.h>

#define BAD	4U

static struct page *bad[BAD];

static int fail(struct quarry_pool *pool, struct page *page, unsigned int i)
{
	bad[i] = page;
	/* Of a page that is not its own the kernel says that it can do nothing. */
	memory_failure(page_to_pfn(page), MF_SW_SIMULATED);
	if (PageHWPoison(page))
		return 0;
	pr_err("page %u is not marked\n", i);
	return -ENODEV;
}

/* Take all of it; is any of those among it? */
static int look(struct quarry_pool *pool)
{
	unsigned int i, nr = 0, seen = 0;
	struct page *page, *next;
	LIST_HEAD(all);

	while ((page = quarry_alloc_pages(pool, GFP_NOWAIT | __GFP_NOWARN, 0))) {
		for (i = 0; i < BAD; i++)
			seen += page == bad[i];
		list_add(&page->lru, &all);
		nr++;
	}
	list_for_each_entry_safe(page, next, &all, lru)
		quarry_free_pages(pool, page, 0);
	if (nr == (SZ_4M >> PAGE_SHIFT) - BAD && !seen)
		return 0;
	pr_err("%u pages to be had, and %u of these have failed\n", nr, seen);
	return -EIO;
}

static int check(struct quarry_pool *pool)
{
	struct page *used = quarry_alloc_pages(pool, GFP_KERNEL, 2);
	struct page *listed = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	char *run = quarry_alloc_pages_exact(pool, 3 * PAGE_SIZE, GFP_KERNEL);
	struct page *free = quarry_alloc_pages(pool, GFP_KERNEL, 7);
	int err = -ENOMEM;

	if (used && listed && run && free) {
		quarry_free_pages(pool, free, 7);
		quarry_pool_drain(pool);
		err = fail(pool, free + 5, 0);
		quarry_free_pages(pool, listed, 0);
		err = err ?: fail(pool, listed, 1);
		err = err ?: fail(pool, used + 3, 2);
		err = err ?: fail(pool, virt_to_page(run) + 1, 3);
		/* It is told at once, and seen to by a work. */
		msleep(500);
		quarry_free_pages(pool, used, 2);
		quarry_free_pages_exact(pool, run, 3 * PAGE_SIZE);
		return err ?: look(pool);
	}
	if (used)
		quarry_free_pages(pool, used, 2);
	if (listed)
		quarry_free_pages(pool, listed, 0);
	if (run)
		quarry_free_pages_exact(pool, run, 3 * PAGE_SIZE);
	if (free)
		quarry_free_pages(pool, free, 7);
	return err;
}

static int __init quarry_poison_init(void)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool *pool;
	int err, gone;

	cfg.min_bytes = SZ_4M;
	cfg.max_bytes = SZ_4M;
	pool = quarry_pool_create("poison", &cfg);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	err = check(pool);
	gone = quarry_pool_destroy(pool);
	if (gone)
		pr_err("the pool does not go: %d\n", gone);
	return err ?: gone;
}
module_init(quarry_poison_init);

static void __exit quarry_poison_exit(void)
{
}
module_exit(quarry_poison_exit);

MODULE_DESCRIPTION("a test of quarry: pages whose hardware fails");
MODULE_AUTHOR("The quarry developers");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "QUARRY");
