// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the mistakes that KASAN is for, on a kernel that has it: each once, in a function whose
 * name says what its report should.
 */
#include <linux/kasan-checks.h>
#include <linux/module.h>
#include <linux/quarry_malloc.h>
#include <linux/sizes.h>

/* Where the compiler does not see that it is beyond; the report names the caller. */
static __always_inline void write_at(u8 *p, size_t at)
{
	OPTIMIZER_HIDE_VAR(at);
	OPTIMIZER_HIDE_VAR(p);
	if (p)
		WRITE_ONCE(p[at], 1);
}

static noinline void read_after_free(struct quarry_cache *cache)
{
	u8 *p = quarry_cache_alloc(cache, GFP_KERNEL);

	if (!p)
		return;
	quarry_cache_free(cache, p);
	OPTIMIZER_HIDE_VAR(p);
	READ_ONCE(p[5]);
}

static noinline void write_beyond_object(struct quarry_cache *cache)
{
	u8 *p = quarry_cache_alloc(cache, GFP_KERNEL);

	if (!p)
		return;
	write_at(p, 100);
	quarry_cache_free(cache, p);
}

static noinline void write_beyond_malloc(void)
{
	size_t at = 101;
	u8 *p = quarry_malloc(at, GFP_KERNEL);

	write_at(p, at);
	quarry_free(p);
}

static noinline void read_after_free_of_page(void)
{
	struct page *page = quarry_alloc_pages(quarry_pool_default(), GFP_KERNEL, 0);
	u8 *p;

	if (!page)
		return;
	p = page_address(page);
	quarry_free_pages(quarry_pool_default(), page, 0);
	OPTIMIZER_HIDE_VAR(p);
	READ_ONCE(p[1000]);
}

static noinline void read_after_free_of_block(void)
{
	u8 *p = quarry_malloc(SZ_64K, GFP_KERNEL);

	if (!p)
		return;
	quarry_free(p);
	OPTIMIZER_HIDE_VAR(p);
	READ_ONCE(p[SZ_32K]);
}

static noinline void write_beyond_block(void)
{
	size_t at = 65001;
	u8 *p = quarry_malloc(at, GFP_KERNEL);

	write_at(p, at);
	quarry_free(p);
}

static noinline void write_beyond_mapped(void)
{
	size_t at = SZ_4M + 10;
	u8 *p = quarry_kvmalloc(at, GFP_KERNEL);

	write_at(p, at);
	quarry_kvfree(p);
}

/* It is mapped no more, so that a real one would be a fault as well. */
static noinline void check_after_free_of_mapped(void)
{
	u8 *p = quarry_kvmalloc(SZ_4M + 1, GFP_KERNEL);

	if (!p)
		return;
	quarry_kvfree(p);
	OPTIMIZER_HIDE_VAR(p);
	kasan_check_read(p + SZ_1M, 1);
}

static int __init quarry_kasan_init(void)
{
	struct quarry_cache *cache = quarry_cache_create("kasan", 100, 0, 0, NULL);

	if (IS_ERR(cache))
		return PTR_ERR(cache);
	read_after_free(cache);
	write_beyond_object(cache);
	write_beyond_malloc();
	read_after_free_of_page();
	read_after_free_of_block();
	write_beyond_block();
	write_beyond_mapped();
	check_after_free_of_mapped();
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
