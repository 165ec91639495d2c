// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the mistakes that KASAN is for, on a kernel that has it: each once, in a function whose
 * name says what its report should.
 */
#include <linux/module.h>
#include <linux/quarry_cache.h>

static noinline u8 read_after_free(struct quarry_cache *cache)
{
	u8 *p = quarry_cache_alloc(cache, GFP_KERNEL);

	if (!p)
		return 0;
	quarry_cache_free(cache, p);
	OPTIMIZER_HIDE_VAR(p);
	return READ_ONCE(p[5]);
}

static noinline void write_beyond_object(struct quarry_cache *cache)
{
	u8 *p = quarry_cache_alloc(cache, GFP_KERNEL);
	size_t at = 100;

	if (!p)
		return;
	OPTIMIZER_HIDE_VAR(at);
	WRITE_ONCE(p[at], 1);
	quarry_cache_free(cache, p);
}

static noinline void write_beyond_malloc(void)
{
	size_t at = 101;
	u8 *p = quarry_malloc(at, GFP_KERNEL);

	if (!p)
		return;
	OPTIMIZER_HIDE_VAR(at);
	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(p[at], 1);
	quarry_free(p);
}

static int __init quarry_kasan_init(void)
{
	struct quarry_cache *cache = quarry_cache_create("kasan", 100, 0, 0, NULL);

	if (IS_ERR(cache))
		return PTR_ERR(cache);
	read_after_free(cache);
	write_beyond_object(cache);
	write_beyond_malloc();
	return quarry_cache_destroy(cache);
}
module_init(quarry_kasan_init);

static void __exit quarry_kasan_exit(void)
{
}
module_exit(quarry_kasan_exit);

MODULE_DESCRIPTION("a test of quarry: mistakes that KASAN tells of");
MODULE_AUTHOR("The quarry developers");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "QUARRY");
