// SPDX-License-Identifier: GPL-2.0
/*
 * A client that leaks: it goes with objects and pages out.
 *
 * Has a pool of its own, a cache in it, and takes some of each at load. Unloading it destroys
 * both, as far as that goes, and frees nothing. To load it again is to make the same names.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/quarry.h>
#include <linux/quarry_cache.h>
#include <linux/sizes.h>

static char *name = "qt.leak";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "of the pool, and of the cache");

static unsigned int objects = 3;
module_param(objects, uint, 0444);
MODULE_PARM_DESC(objects, "objects to leak");

static unsigned int pages = 2;
module_param(pages, uint, 0444);
MODULE_PARM_DESC(pages, "pages to leak");

static struct quarry_pool *pool;
static struct quarry_cache *cache;

/* A function of its own, to be looked for in traces. */
static noinline int quarry_leak_take(void)
{
	unsigned int i;

	for (i = 0; i < objects; i++)
		if (!quarry_cache_alloc(cache, GFP_KERNEL))
			return -ENOMEM;
	for (i = 0; i < pages; i++)
		if (!quarry_alloc_pages(pool, GFP_KERNEL, 0))
			return -ENOMEM;
	return 0;
}

static int __init quarry_leak_init(void)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;

	cfg.max_bytes = SZ_8M;
	pool = quarry_pool_create(name, &cfg);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	cache = quarry_cache_create_in(pool, name, 200, 0, SLAB_STORE_USER, NULL);
	if (IS_ERR(cache)) {
		quarry_pool_destroy(pool);
		return PTR_ERR(cache);
	}
	return quarry_leak_take();
}
module_init(quarry_leak_init);

static void __exit quarry_leak_exit(void)
{
	quarry_cache_destroy(cache);
	quarry_pool_destroy(pool);
}
module_exit(quarry_leak_exit);

MODULE_DESCRIPTION("Client of quarry for the selftests that leaks");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "QUARRY");
