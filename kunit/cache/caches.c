// SPDX-License-Identifier: GPL-2.0
/*
 * Making and destroying caches: what is accepted, what is refused and with which error,
 * where objects lie, and what a cache keeps alive.
 *
 * Every argument is tried at both of its ends and one step beyond. What is refused must
 * leave nothing: the name can be used at once, and the pool is as it was.
 */
#include <linux/mm.h>

#include "../cache_kunit.h"

static void no_ctor(void *object)
{
}

static const struct arguments {
	const char *what;
	unsigned int size;
	unsigned int align;
	slab_flags_t flags;
	void (*ctor)(void *object);
	unsigned int user_offset;
	unsigned int user_size;
	int err;
} arguments[] = {
	{ "a size of 0", 0, .err = -EINVAL },
	{ "a size of 1", 1 },
	{ "the largest size", QUARRY_CACHE_SIZE_MAX },
	{ "a byte more", QUARRY_CACHE_SIZE_MAX + 1, .err = -E2BIG },
	{ "no size at all", UINT_MAX, .err = -E2BIG },
	{ "alignment to a byte", 100, 1 },
	{ "the largest alignment", 1, QUARRY_CACHE_ALIGN_MAX },
	{ "twice that", 1, 2 * QUARRY_CACHE_ALIGN_MAX, .err = -EINVAL },
	{ "alignment to 3", 64, 3, .err = -EINVAL },
	{ "alignment to 24", 64, 24, .err = -EINVAL },
	{ "alignment to 3 and to a line", 64, 3, SLAB_HWCACHE_ALIGN, .err = -EINVAL },
	{ "alignment to all bits", 64, UINT_MAX, .err = -EINVAL },
	{ "a line", 64, 0, SLAB_HWCACHE_ALIGN },
	{ "panic", 64, 0, SLAB_PANIC },
	{ "typesafe", 64, 0, SLAB_TYPESAFE_BY_RCU },
	{ "reclaimable", 64, 0, SLAB_RECLAIM_ACCOUNT },
	{ "poison", 64, 0, SLAB_POISON },
	{ "redzones", 64, 0, SLAB_RED_ZONE },
	{ "owners", 64, 0, SLAB_STORE_USER },
	{ "checks", 64, 0, SLAB_CONSISTENCY_CHECKS },
	{ "all but typesafe", 64, 0, QUARRY_CACHE_FLAGS & ~SLAB_TYPESAFE_BY_RCU },
	{ "all but poison", 64, 0, QUARRY_CACHE_FLAGS & ~SLAB_POISON, no_ctor },
	{ "all", 64, 0, QUARRY_CACHE_FLAGS & ~SLAB_PANIC, .err = -EINVAL },
	{ "poison and a constructor", 64, 0, SLAB_POISON, no_ctor, .err = -EINVAL },
	{ "poison and typesafe", 64, 0, SLAB_POISON | SLAB_TYPESAFE_BY_RCU, .err = -EINVAL },
	{ "a flag that is not ours", 64, 0, SLAB_CACHE_DMA, .err = -EINVAL },
	{ "another", 64, 0, SLAB_NOLEAKTRACE, .err = -EINVAL },
	{ "redzones of the largest", QUARRY_CACHE_SIZE_MAX, 0, SLAB_RED_ZONE, .err = -E2BIG },
	{ "all of it for users", 64, .user_size = 64 },
	{ "none at the end", 64, .user_offset = 64 },
	{ "one after the end", 64, .user_offset = 65, .err = -EINVAL },
	{ "one too many", 64, .user_offset = 8, .user_size = 57, .err = -EINVAL },
	{ "a sum that overflows", 64, .user_offset = 8, .user_size = UINT_MAX - 4,
	  .err = -EINVAL },
};

static void arguments_name(const struct arguments *a, char *text)
{
	strscpy(text, a->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(arguments, arguments, arguments_name);

static void each_argument(struct kunit *test)
{
	const struct arguments *a = test->param_value;
	const char *name = quarry_test_name(test);
	struct quarry_cache *c;
	void *p;

	c = quarry_cache_create_usercopy(name, a->size, a->align, a->flags, a->user_offset,
					 a->user_size, a->ctor);
	KUNIT_ASSERT_EQ(test, PTR_ERR_OR_ZERO(c), a->err);
	if (a->err) {
		/* The name was not taken. */
		quarry_test_keep_cache(test, quarry_cache_create(name, 8, 0, 0, NULL));
		return;
	}
	quarry_test_keep_cache(test, c);
	KUNIT_EXPECT_EQ(test, quarry_cache_size(c), a->size);
	KUNIT_EXPECT_STREQ(test, quarry_cache_name(c), name);
	quarry_test_take_objects(test, c, &p, 1);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p,
					   max_t(unsigned int, a->align, sizeof(void *))));
	memset(p, 0xa7, a->size);
	quarry_cache_free(c, p);
}

static void names(struct kunit *test)
{
	static const char * const bad[] = {
		"", ".", "..", "...", "a b", "a/b", "\xc3\xbc", "a\n", "a,b",
		"name-of-thirty-two-characters---",
	};
	static const char * const good[] = {
		"A-z_0.9", "..x", "name-of-thirty-one-characters--",
	};
	struct quarry_cache *c;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    PTR_ERR_OR_ZERO(quarry_cache_create(bad[i], 8, 0, 0, NULL)),
				    "%s", bad[i]);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(quarry_cache_create(NULL, 8, 0, 0, NULL)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(quarry_cache_create_in(NULL, "none", 8, 0, 0, NULL)));
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		c = quarry_cache_create(good[i], 8, 0, 0, NULL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
		KUNIT_EXPECT_STREQ(test, quarry_cache_name(c), good[i]);
		KUNIT_EXPECT_EQ(test, -EEXIST,
				PTR_ERR_OR_ZERO(quarry_cache_create(good[i], 9, 0, 0, NULL)));
		KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(c));
		/* And is free again. */
		c = quarry_cache_create(good[i], 8, 0, 0, NULL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
		KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(c));
	}
	/* malloc's own are names like any other. */
	KUNIT_EXPECT_EQ(test, -EEXIST,
			PTR_ERR_OR_ZERO(quarry_cache_create("malloc-64", 8, 0, 0, NULL)));
}

static void destroying_nothing(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(NULL));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(ERR_PTR(-ENOMEM)));
}

/* A slab's worth and one of each size: apart, aligned, kept; and its shape is sane. */
static void try_shape(struct kunit *test, unsigned int size, unsigned int align,
		      slab_flags_t flags, unsigned int expect)
{
	struct quarry_test_map *map = quarry_test_map(test);
	struct quarry_cache_stats *st;
	unsigned int i, nr, broken = 0;
	struct quarry_cache *c;
	void **p;

	c = quarry_cache_create(quarry_test_name(test), size, align, flags, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	st = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, st->object_size, size);
	KUNIT_EXPECT_EQ(test, st->align, expect);
	KUNIT_EXPECT_EQ(test, st->stride, ALIGN(size, expect));
	KUNIT_EXPECT_GE(test, st->objects_per_slab, 1);
	KUNIT_EXPECT_LE(test, (u64)st->objects_per_slab * st->stride, PAGE_SIZE << st->order);
	nr = min(st->objects_per_slab + 1, 150U);
	p = quarry_test_objects(test, nr);
	quarry_test_take_objects(test, c, p, nr);
	for (i = 0; i < nr; i++) {
		quarry_test_map_add(map, p[i], size);
		quarry_test_object_fill(p[i], size, i);
		broken += !IS_ALIGNED((unsigned long)p[i], expect);
	}
	for (i = 0; i < nr; i++)
		broken += !quarry_test_object_filled(p[i], size, i);
	KUNIT_EXPECT_EQ_MSG(test, broken, 0, "size %u align %u", size, align);
	KUNIT_EXPECT_EQ_MSG(test, map->overlaps, 0, "size %u align %u", size, align);
	quarry_test_give_objects(c, p, nr);
	quarry_test_cache_sound(test, c);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(c));
	kunit_kfree(test, p);
}

/* Another set of them for each seed; malloc.c goes through every single one. */
static void sizes(struct kunit *test)
{
	unsigned int size;

	for (size = 1; size <= 64; size += 3)
		try_shape(test, size, 0, 0, 8);
	for (size += quarry_test_seed % 64; size <= 8192; size += 331)
		try_shape(test, size, 0, 0, 8);
	for (size = 12000; size <= QUARRY_CACHE_SIZE_MAX; size = size * 5 / 2)
		try_shape(test, size, 0, 0, 8);
}

static void alignments(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 24, 100, 4097 };
	unsigned int i, align;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (align = 1; align <= QUARRY_CACHE_ALIGN_MAX; align *= i & 1 ? 16 : 4)
			try_shape(test, sizes[i], align, 0, max(align, 8U));
}

/* As the kernel's: no object lies in two lines that could lie in one. */
static void aligned_to_lines(struct kunit *test)
{
	unsigned int line = cache_line_size();

	try_shape(test, 3, 0, SLAB_HWCACHE_ALIGN, 8);
	try_shape(test, line / 4, 0, SLAB_HWCACHE_ALIGN, line / 4);
	try_shape(test, line / 4 + 1, 0, SLAB_HWCACHE_ALIGN, line / 2);
	try_shape(test, line / 2 + 1, 0, SLAB_HWCACHE_ALIGN, line);
	try_shape(test, line + 1, 0, SLAB_HWCACHE_ALIGN, line);
	try_shape(test, line, 4096, SLAB_HWCACHE_ALIGN, 4096);
}

/* Colour: slabs do not all begin at the same place where there is room for others. */
static void slabs_begin_in_different_places(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 1000);
	struct quarry_cache_stats *st = quarry_test_cache_stats(test, c);
	unsigned int i, nr = st->objects_per_slab * 8;
	void **p = quarry_test_objects(test, nr);
	unsigned long offsets = 0, mask = (PAGE_SIZE << st->order) - 1;

	quarry_test_take_objects(test, c, p, nr);
	for (i = 0; i < nr; i++) {
		unsigned long at = (unsigned long)p[i] & mask;

		if (at < st->stride)
			offsets |= 1UL << (at / 64);
	}
	KUNIT_EXPECT_GT(test, hweight_long(offsets), 1);
	quarry_test_give_objects(c, p, nr);
}

static void a_pool_with_caches_stays(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_8M);
	struct quarry_cache *c = quarry_cache_create_in(pool, quarry_test_name(test), 64, 0, 0,
							NULL);
	struct page *page;
	void *p;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	KUNIT_EXPECT_STREQ(test, quarry_test_cache_stats(test, c)->pool, pool->name);
	/* With nothing out, and with something. */
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_destroy(pool));
	p = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	page = virt_to_page(p);
	KUNIT_EXPECT_PTR_EQ(test, quarry_page_pool(page), pool);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_pool_destroy(pool));
	quarry_cache_free(c, p);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(c));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
	quarry_test_forget_pool(test, pool);
}

/* Of one kind at a time: nodes, tags, lists all come and go with it. */
static void many_caches_at_once(struct kunit *test)
{
	enum { NR = 60 };
	struct quarry_cache **c = kunit_kcalloc(test, NR, sizeof(*c), GFP_KERNEL);
	void **p = quarry_test_objects(test, NR);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	for (i = 0; i < NR; i++) {
		c[i] = quarry_cache_create(quarry_test_name(test), 16 + 8 * i, 0, 0, NULL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c[i]);
		p[i] = quarry_cache_alloc(c[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		quarry_test_object_fill(p[i], quarry_cache_size(c[i]), i);
	}
	for (i = 1; i < NR; i++)
		KUNIT_EXPECT_GT(test, c[i]->registered.id, c[i - 1]->registered.id);
	for (i = 0; i < NR; i += 2)
		KUNIT_EXPECT_TRUE(test, quarry_test_object_filled(p[i], 16 + 8 * i, i));
	for (i = 0; i < NR; i++) {
		quarry_cache_free(c[i], p[i]);
		KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(c[i]));
	}
}

static struct kunit_case caches_cases[] = {
	KUNIT_CASE_PARAM(each_argument, arguments_gen_params),
	KUNIT_CASE(names),
	KUNIT_CASE(destroying_nothing),
	KUNIT_CASE(sizes),
	KUNIT_CASE(alignments),
	KUNIT_CASE(aligned_to_lines),
	KUNIT_CASE(slabs_begin_in_different_places),
	KUNIT_CASE(a_pool_with_caches_stays),
	KUNIT_CASE(many_caches_at_once),
	{}
};

static struct kunit_suite caches_suite = {
	.name = "quarry-caches",
	.suite_init = quarry_test_parameters,
	.test_cases = caches_cases,
};

kunit_test_suite(caches_suite);
