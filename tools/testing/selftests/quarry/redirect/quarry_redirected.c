// SPDX-License-Identifier: GPL-2.0
/*
 * A module as if it were written for the kernel's allocators: each call that
 * linux/quarry_redirect.h and linux/quarry_redirect_slab.h replace, by name, once. Only what
 * looks at where memory comes from knows of quarry. Documentation/redirect.md has the table.
 *
 * Loading it is the test: what does not hold is in the log, and loading fails. When it has
 * gone nothing of the default pool may be out.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/mempool.h>
#include <linux/module.h>
#include <linux/parser.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

struct thing {
	struct rcu_head rcu;
	char name[48];
	u64 more[20];
};

static unsigned int failures;

#define EXPECT(condition)						\
do {									\
	if (!(condition)) {						\
		pr_err("line %d: %s\n", __LINE__, #condition);		\
		failures++;						\
	}								\
} while (0)

/* Is memory quarry's? It is freed then, by whatever frees such. */
#define OURS(expression, free)						\
do {									\
	void *__p = (void *)(expression);				\
									\
	if (!__p || !quarry_redirect_owns(__p)) {			\
		pr_err("line %d: %s is not quarry's\n", __LINE__, #expression); \
		failures++;						\
	}								\
	free(__p);							\
} while (0)

static void construct(void *object)
{
	memset(object, 0, sizeof(struct thing));
}

static void use_cache(struct kmem_cache *cache)
{
	struct super_block *sb = NULL;
	mempool_t pool = {};
	mempool_t *made;
	void *p[4];

	EXPECT(cache);
	if (!cache)
		return;
	EXPECT(kmem_cache_size(cache) == sizeof(struct thing));
	OURS(p[0] = kmem_cache_alloc(cache, GFP_KERNEL), (void));
	kmem_cache_free(cache, p[0]);
	OURS(p[0] = kmem_cache_alloc_lru(cache, NULL, GFP_KERNEL), (void));
	kmem_cache_free(cache, p[0]);
	OURS(p[0] = kmem_cache_alloc_node(cache, GFP_KERNEL, NUMA_NO_NODE), (void));
	kmem_cache_free(cache, p[0]);
	OURS(p[0] = alloc_inode_sb(sb, cache, GFP_KERNEL), (void));
	kmem_cache_free(cache, p[0]);
	EXPECT(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 4, p) == 4);
	kmem_cache_free_bulk(cache, 4, p);
	EXPECT(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 4, p) == 4);
	kmem_cache_free_bulk(NULL, 4, p);
	/* The core calls back for these. */
	made = mempool_create_slab_pool(2, cache);
	EXPECT(made);
	if (made) {
		OURS(p[0] = mempool_alloc(made, GFP_KERNEL), (void));
		mempool_free(p[0], made);
		mempool_destroy(made);
	}
	EXPECT(!mempool_init_slab_pool(&pool, 2, cache));
	OURS(p[0] = mempool_alloc(&pool, GFP_KERNEL), (void));
	mempool_free(p[0], &pool);
	mempool_exit(&pool);
	EXPECT(!mempool_init(&pool, 2, mempool_alloc_slab, mempool_free_slab, cache));
	mempool_exit(&pool);
	kmem_cache_shrink(cache);
	kmem_cache_destroy(cache);
}

static void caches(void)
{
	struct kmem_cache *twin;

	use_cache(kmem_cache_create("redirected", sizeof(struct thing), 0, 0, NULL));
	use_cache(kmem_cache_create("redirected", sizeof(struct thing), 64,
				    SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT, construct));
	use_cache(kmem_cache_create_usercopy("redirected", sizeof(struct thing), 0, 0, 16, 48,
					     NULL));
	use_cache(KMEM_CACHE(thing, SLAB_PANIC));
	use_cache(KMEM_CACHE_USERCOPY(thing, 0, name));
#ifdef REDIRECT_CACHE_ARGS
	{
		struct kmem_cache_args args = { .align = 128, .ctor = construct };

		use_cache(kmem_cache_create("redirected", sizeof(struct thing), &args, 0));
		use_cache(kmem_cache_create("redirected", sizeof(struct thing), NULL, 0));
	}
#endif
	/* A name that is in use, and one that quarry would not take. */
	twin = kmem_cache_create("re (directed): 2", 8, 0, 0, NULL);
	use_cache(kmem_cache_create("re (directed): 2", sizeof(struct thing), 0, 0, NULL));
	EXPECT(twin);
	kmem_cache_destroy(twin);
	EXPECT(!kmem_cache_create("redirected-dma", 64, 0, SLAB_CACHE_DMA, NULL));
}

static __printf(1, 2) void *with(const char *fmt, ...)
{
	va_list args;
	char *p;

	va_start(args, fmt);
	p = kvasprintf(GFP_KERNEL, fmt, args);
	va_end(args);
	return p;
}

static void sizes(void)
{
	void (*by_pointer)(const void *p) = kfree;
	void *p, *many[3];
	size_t size;

	OURS(kmalloc(40, GFP_KERNEL), kfree);
	OURS(kmalloc(40, GFP_KERNEL), by_pointer);
	OURS(kmalloc_node(40, GFP_KERNEL, NUMA_NO_NODE), kfree);
	OURS(kmalloc_track_caller(40, GFP_KERNEL), kfree);
	OURS(kmalloc_node_track_caller(40, GFP_KERNEL, NUMA_NO_NODE), kfree);
	OURS(kzalloc(40, GFP_KERNEL), kfree_sensitive);
	OURS(kzalloc_node(40, GFP_KERNEL, NUMA_NO_NODE), kfree_const);
	OURS(kcalloc(4, 40, GFP_KERNEL), kvfree);
	OURS(kcalloc_node(4, 40, GFP_KERNEL, NUMA_NO_NODE), kfree);
	OURS(kmalloc_array(4, 40, GFP_KERNEL), kfree);
	OURS(kmalloc_array_node(4, 40, GFP_KERNEL, NUMA_NO_NODE), kfree);
	OURS(krealloc(NULL, 40, GFP_KERNEL), kfree);
	OURS(krealloc(kmalloc(40, GFP_KERNEL), 400, GFP_KERNEL), kfree);
	OURS(krealloc_array(kmalloc(40, GFP_KERNEL), 40, 10, GFP_KERNEL), kfree);
	OURS(kmemdup("abc", 4, GFP_KERNEL), kfree);
	OURS(p = kmemdup_nul("abcdef", 3, GFP_KERNEL), (void));
	EXPECT(!strcmp(p, "abc"));
	kfree(p);
	OURS(kstrdup("abc", GFP_KERNEL), kfree);
	OURS(kstrndup("abc", 2, GFP_KERNEL), kfree_link);
	OURS(kasprintf(GFP_KERNEL, "%d", 7), kfree);
	OURS(with("%d", 7), kfree);
	for (size = 0; size < ARRAY_SIZE(many); size++)
		many[size] = kmalloc(40, GFP_KERNEL);
	kfree_bulk(ARRAY_SIZE(many), many);
	p = kmalloc(384, GFP_KERNEL);
	EXPECT(IS_ALIGNED((unsigned long)p, 128));
	EXPECT(ksize(p) >= 384 && kmalloc_size_roundup(384) == ksize(p));
	kfree(p);
	EXPECT(!kmalloc_array(SIZE_MAX / 2, 3, GFP_KERNEL));
}

static void mapped(void)
{
	const size_t large = 5 << 20;
	char *p;

	OURS(kvmalloc(large, GFP_KERNEL), kvfree);
	OURS(kvmalloc_node(large, GFP_KERNEL, NUMA_NO_NODE), kvfree);
	OURS(kvzalloc(large, GFP_KERNEL), kvfree);
	OURS(kvzalloc_node(large, GFP_KERNEL, NUMA_NO_NODE), kvfree);
	OURS(kvmalloc_array(5, 1 << 20, GFP_KERNEL), kvfree);
	OURS(kvcalloc(5, 1 << 20, GFP_KERNEL), kvfree);
#ifdef kvcalloc_node
	OURS(kvmalloc_array_node(5, 1 << 20, GFP_KERNEL, NUMA_NO_NODE), kvfree);
	OURS(kvcalloc_node(5, 1 << 20, GFP_KERNEL, NUMA_NO_NODE), kvfree);
#endif
	p = kvmalloc(large, GFP_KERNEL);
	EXPECT(p);
	if (!p)
		return;
	strscpy(p, "kept", 5);
#ifdef REDIRECT_KVREALLOC_IS_TOLD
	p = kvrealloc(p, large, large + 1, GFP_KERNEL);
#else
	p = kvrealloc(p, large + 1, GFP_KERNEL);
#endif
	EXPECT(p && !strcmp(p, "kept"));
	kvfree_sensitive(p, 5);
}

/* The kernel's memory, which core functions have allocated, goes back to the kernel. */
static void foreign(void)
{
	char letters[] = "abc";

	kvfree(vmalloc(5 << 20));
	kfree(match_strdup(&(substring_t){ letters, letters + sizeof(letters) - 1 }));
	kfree(NULL);
	kvfree(NULL);
	kfree(ZERO_SIZE_PTR);
	kfree_const(kstrdup_const("abc", GFP_KERNEL));
}

static void after_a_grace_period(void)
{
	struct thing *t[6];
	unsigned int i;

	for (i = 0; i < 5; i++)
		t[i] = kmalloc(sizeof(*t[0]), GFP_KERNEL);
	t[5] = kvmalloc(5 << 20, GFP_KERNEL);
	kfree_rcu(t[0], rcu);
	kvfree_rcu(t[1], rcu);
	kfree_rcu_mightsleep(t[2]);
	kvfree_rcu_mightsleep(t[3]);
#ifdef REDIRECT_KVFREE_RCU_TAKES_ONE
	kvfree_rcu(t[4]);
#else
	kfree(t[4]);
#endif
	kvfree_rcu(t[5], rcu);
	t[0] = NULL;
	kfree_rcu(t[0], rcu);
}

#ifdef PAGE_MAPPING_MOVABLE
static void tell_movable(struct page *page)
{
	static const struct movable_operations ops;

	lock_page(page);
	__SetPageMovable(page, &ops);
	/* That is where it is told. */
	EXPECT(!page->mapping);
	__ClearPageMovable(page);
	unlock_page(page);
}
#else
static void tell_movable(struct page *page)
{
	SetPageMovableOps(page);
	EXPECT(!PageMovableOps(page));
}
#endif

/* Names of the kernel that this is built for. */
#ifdef REDIRECT_BULK_IS_ARRAYS
#define BULK		alloc_pages_bulk
#define BULK_NODE	alloc_pages_bulk_node
#else
#define BULK		alloc_pages_bulk_array
#define BULK_NODE	alloc_pages_bulk_array_node
#endif

static void pages(void)
{
	void (*by_pointer)(struct page *page, unsigned int order) = __free_pages;
	struct page *page, *many[8] = {};
	unsigned int i;
	void *virt;

#define PAGES(expression, ...)						\
do {									\
	page = (expression);						\
	EXPECT(page && quarry_owns_page(page));				\
	__VA_ARGS__;							\
} while (0)

	PAGES(alloc_page(GFP_KERNEL), __free_page(page));
	PAGES(alloc_pages(GFP_KERNEL, 2), __free_pages(page, 2));
	PAGES(alloc_pages(GFP_KERNEL, 2), by_pointer(page, 2));
	PAGES(alloc_pages_node(NUMA_NO_NODE, GFP_KERNEL, 0), put_page(page));
	PAGES(virt_to_page((void *)__get_free_page(GFP_KERNEL)),
	      free_page((unsigned long)page_address(page)));
	PAGES(virt_to_page((void *)__get_free_pages(GFP_KERNEL, 1)),
	      free_pages((unsigned long)page_address(page), 1));
	PAGES(virt_to_page((void *)get_zeroed_page(GFP_KERNEL)), __free_page(page));
	virt = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL);
	PAGES(virt_to_page(virt), free_pages_exact(virt, 3 * PAGE_SIZE));
	EXPECT(BULK(GFP_KERNEL, 8, many) == 8);
	for (i = 0; i < 8; i++)
		PAGES(many[i], __free_page(page));
	memset(many, 0, sizeof(many));
	EXPECT(BULK_NODE(GFP_KERNEL, numa_mem_id(), 8, many) == 8);
	for (i = 0; i < 8; i++)
		PAGES(many[i], __free_page(page));

	/* References of the module's own, as it counts them. */
	PAGES(alloc_page(GFP_KERNEL));
	EXPECT(page_count(page) == 1);
	get_page(page);
	EXPECT(page_count(page) == 2);
	__free_page(page);
	EXPECT(page_count(page) == 1 && quarry_owns_page(page));
	put_page(page);

	/* The kernel is told of no page of ours that it may be moved. */
	page = alloc_page(GFP_KERNEL);
	EXPECT(page && quarry_owns_page(page));
	tell_movable(page);
	__free_page(page);

	/* A compound block is the kernel's. */
	page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	EXPECT(page && !quarry_owns_page(page) && PageHead(page));
	__free_pages(page, 2);
	page = folio_page(folio_alloc(GFP_KERNEL, 0), 0);
	put_page(page);
}

static int __init redirected_init(void)
{
	caches();
	sizes();
	mapped();
	foreign();
	after_a_grace_period();
	pages();
	return failures ? -EIO : 0;
}
module_init(redirected_init);

/* Who frees by kfree_rcu() alone has nothing to wait for: whose it is does so. */
static void __exit redirected_exit(void)
{
	struct thing *large = kvmalloc(5 << 20, GFP_KERNEL);
	struct thing *small = kmalloc(sizeof(*small), GFP_KERNEL);

	if (large)
		kvfree_rcu(large, rcu);
	if (small)
		kfree_rcu(small, rcu);
}
module_exit(redirected_exit);

MODULE_DESCRIPTION("each call that quarry's redirect replaces");
MODULE_AUTHOR("The quarry developers");
MODULE_LICENSE("GPL");
