// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's own tests check of its slab allocator holds of ours.
 *
 *	lib/test_meminit.c	what is allocated is zeros when the kernel was booted with
 *				init_on_alloc or init_on_free, but what a constructor made
 *				and what is typesafe is never touched
 *	lib/slub_kunit.c	writes beside and after, in cases of the modes that see them
 *	lkdtm, heap		overflow, write and read after free, double free, free by
 *				another cache, free of a page; here those that are not
 *				done in every mode by cache_misuse.c
 *
 * init_on_alloc is a static key, which is switched here, and back. init_on_free must be
 * as the machine was booted: with it the kernel trusts all free pages to be zeros, those
 * included that were freed before. Where it is on, what is freed is looked at.
 */
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/poison.h>

#include "../cache_kunit.h"

#define GARBAGE		0x09
#define CTOR_BYTES	sizeof(u32)
#define CTOR_PATTERN	0x41414141
#define BULK		100

static bool booted;

static void init_allocations(bool on)
{
	if (on)
		static_branch_enable(&init_on_alloc);
	else
		static_branch_disable(&init_on_alloc);
}

static void setting_name(const bool *on, char *text)
{
	strscpy(text, *on ? "init_on_alloc" : "off", KUNIT_PARAM_DESC_SIZE);
}

static const bool settings[] = { false, true };

KUNIT_ARRAY_PARAM(setting, settings, setting_name);

static void set_up(struct kunit *test)
{
	init_allocations(*(const bool *)test->param_value);
}

static void make(void *object)
{
	*(u32 *)object = CTOR_PATTERN;
}

/* Is an object what it must be when it is handed out? */
static bool good(const void *object, size_t size, bool ctor, bool rcu, bool zeros)
{
	if (ctor)
		return *(u32 *)object == CTOR_PATTERN;
	return !zeros || !memchr_inv(object, 0, size);
}

static void one_cache(struct kunit *test, size_t size, bool ctor, bool rcu, bool zero,
		      unsigned int modes)
{
	gfp_t gfp = GFP_KERNEL | (zero ? __GFP_ZERO : 0);
	bool zeros = zero || (!rcu && want_init_on_alloc(0));
	size_t skip = ctor ? CTOR_BYTES : 0;
	unsigned int round, i, bad = 0;
	struct quarry_cache *c;
	void *p[BULK];
	u8 *q;

	c = quarry_cache_create(quarry_test_name(test), size, 1,
				rcu ? SLAB_TYPESAFE_BY_RCU : 0, ctor ? make : NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, modes));
	for (round = 0; round < 4; round++) {
		KUNIT_ASSERT_EQ(test, BULK, quarry_cache_alloc_bulk(c, gfp, BULK, p));
		for (i = 0; i < BULK; i++) {
			bad += !good(p[i], size, ctor, rcu, zeros);
			memset(p[i] + skip, GARBAGE, size - skip);
		}
		quarry_cache_free_bulk(c, BULK, p);
		for (i = 0; want_init_on_free() && !ctor && !rcu && !modes && i < BULK; i++)
			bad += !!quarry_test_unseen(memchr_inv(p[i], 0, size));
		q = quarry_cache_alloc(c, gfp);
		KUNIT_ASSERT_NOT_NULL(test, q);
		bad += !good(q, size, ctor, rcu, zeros);
		memset(q + skip, GARBAGE, size - skip);
		rcu_read_lock();
		quarry_cache_free(c, q);
		/* A free touches neither what was constructed nor what is read under RCU. */
		if (ctor)
			bad += quarry_test_unseen(*(u32 *)q) != CTOR_PATTERN;
		if (rcu)
			bad += !!memchr_inv(q + skip, GARBAGE, size - skip);
		else if (want_init_on_free() && !ctor && !modes)
			bad += !!quarry_test_unseen(memchr_inv(q, 0, size));
		rcu_read_unlock();
	}
	KUNIT_EXPECT_EQ_MSG(test, bad, 0, "size %zu ctor %d rcu %d zero %d modes %x", size, ctor,
			    rcu, zero, modes);
	quarry_test_cache_sound(test, c);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(c));
}

static void caches(struct kunit *test)
{
	unsigned int kind;
	size_t size;

	set_up(test);
	for (size = 8; size <= 4096; size *= 8)
		for (kind = 0; kind < 8; kind++) {
			bool ctor = kind & 1, rcu = kind & 2, zero = kind & 4;

			if (!(ctor && zero))
				one_cache(test, size, ctor, rcu, zero, 0);
		}
	one_cache(test, 100, false, false, false, QUARRY_MODES);
	one_cache(test, 100, false, false, true, QUARRY_MODES);
	one_cache(test, 100, true, true, false, QUARRY_MODES & ~QUARRY_MODE_POISON);
	one_cache(test, 100, false, true, false, QUARRY_MODE_QUARANTINE | QUARRY_MODE_REDZONE);
}

/* By every call and every way of freeing. */
static void mallocs(struct kunit *test)
{
	unsigned int dirty = 0, i;
	bool zeros;
	size_t size;
	u8 *p, *was;

	set_up(test);
	zeros = want_init_on_alloc(0);
	for (size = 1; size <= SZ_1M; size = size * 3 + 1)
		for (i = 0; i < 4; i++) {
			p = i == 3 ? quarry_kvmalloc(size, GFP_KERNEL) :
				     quarry_malloc(size, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			dirty += zeros && memchr_inv(p, 0, size);
			memset(p, GARBAGE, size);
			was = is_vmalloc_addr(p) ? NULL : p;
			if (i == 1)
				quarry_free_bulk(1, (void **)&p);
			else
				quarry_kvfree(p);
			dirty += was && want_init_on_free() &&
				 quarry_test_unseen(memchr_inv(was, 0, size));
		}
	p = quarry_kvmalloc(SZ_4M + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	dirty += zeros && memchr_inv(p, 0, SZ_4M + 1);
	quarry_kvfree(p);
	KUNIT_EXPECT_EQ(test, dirty, 0);
}

/* What is freed before the switch and taken after it is zeros, too. */
static void switched_on_late(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 200);
	void *p[BULK];
	unsigned int i, dirty = 0;

	init_allocations(false);
	KUNIT_ASSERT_EQ(test, BULK, quarry_cache_alloc_bulk(c, GFP_KERNEL, BULK, p));
	for (i = 0; i < BULK; i++)
		memset(p[i], GARBAGE, 200);
	quarry_cache_free_bulk(c, BULK, p);
	init_allocations(true);
	KUNIT_ASSERT_EQ(test, BULK, quarry_cache_alloc_bulk(c, GFP_KERNEL, BULK, p));
	for (i = 0; i < BULK; i++)
		dirty += !!memchr_inv(p[i], 0, 200);
	quarry_cache_free_bulk(c, BULK, p);
	KUNIT_EXPECT_EQ(test, dirty, 0);
}

/* What was written to a typesafe object is there when it is handed out again. */
static void typesafe_is_kept(struct kunit *test)
{
	void **all = quarry_test_objects(test, 1024);
	unsigned int i, found;
	struct quarry_cache *c;
	size_t size;
	u8 *p;

	set_up(test);
	quarry_test_pin(test, 0);
	for (size = 8; size <= 4096; size *= 8) {
		c = quarry_test_cache_of(test, size, size, SLAB_TYPESAFE_BY_RCU, NULL);
		p = quarry_cache_alloc(c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		quarry_test_object_fill(p, size, 1);
		quarry_cache_free(c, p);
		for (i = 0, found = 0; i < 1024 && !found; i++) {
			all[i] = quarry_cache_alloc(c, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, all[i]);
			if (all[i] == p)
				found = quarry_test_object_filled(p, size, 1);
		}
		KUNIT_EXPECT_TRUE_MSG(test, found, "size %zu", size);
		quarry_test_give_objects(c, all, i);
	}
}

/* slub_kunit: test_clobber_redzone_free. A redzone is its owner's while it is out. */
static void clobber_redzone_free(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache_of(test, 64, 0, SLAB_RED_ZONE, NULL);
	struct quarry_cache_stats *before = quarry_test_cache_stats(test, c);
	u8 *p = quarry_cache_alloc(c, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	quarry_cache_free(c, p);
	quarry_test_unseen(p[64] = 0xab);
	/* Nobody's bytes: the next owner gets them whole. */
	p = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, quarry_test_unseen(p[64]), SLUB_RED_ACTIVE);
	quarry_cache_free(c, p);
	quarry_test_only_cache_error(test, c, before, -1, 0);
}

/* slub_kunit: test_next_pointer. There is none: what is written to a free object is lost. */
static void next_pointer(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 64);
	struct quarry_test_map *map = quarry_test_map(test);
	void **p = quarry_test_objects(test, 500);
	unsigned int i;

	quarry_test_take_objects(test, c, p, 500);
	quarry_test_give_objects(c, p, 500);
	for (i = 0; i < 500; i++)
		quarry_test_unseen(memset(p[i], 0xff, 64));
	quarry_test_cache_sound(test, c);
	quarry_test_take_objects(test, c, p, 500);
	for (i = 0; i < 500; i++)
		quarry_test_map_add(map, p[i], 64);
	KUNIT_EXPECT_EQ(test, map->overlaps, 0);
	quarry_test_give_objects(c, p, 500);
}

/* lkdtm: SLAB_LINEAR_OVERFLOW, WRITE_AFTER_FREE, READ_AFTER_FREE, of malloc. */
static void malloc_with_modes(struct kunit *test)
{
	struct quarry_cache *c = quarry_classes[quarry_class(1020)];
	struct quarry_cache_stats *before;
	u32 *p;

	quarry_test_pin(test, 0);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_POISON |
							QUARRY_MODE_REDZONE));
	p = quarry_malloc(1020, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	before = quarry_test_cache_stats(test, c);
	quarry_test_unseen(p[1024 / sizeof(u32)] = 0x12345678);
	quarry_free(p);
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_OVERFLOW, 1);
	/* What was in it is not there to be read. */
	KUNIT_EXPECT_EQ(test, quarry_test_unseen(p[1]), 0x6b6b6b6bU);
	before = quarry_test_cache_stats(test, c);
	quarry_test_unseen(p[512 / sizeof(u32)] = 0x0abcdef0);
	quarry_free(quarry_malloc(1020, GFP_KERNEL));
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_USE_AFTER_FREE, 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, 0));
	quarry_test_cache_sound(test, c);
}

/* lkdtm: SLAB_FREE_DOUBLE, _CROSS, _PAGE with constructors, as there. */
static void wrong_frees(struct kunit *test)
{
	struct quarry_cache *a = quarry_test_cache_of(test, 64, 0, 0, make);
	struct quarry_cache *b = quarry_test_cache_of(test, 64, 0, 0, make);
	struct quarry_cache_stats *of_a, *of_b;
	unsigned long page = __get_free_page(GFP_KERNEL);
	void *p = quarry_cache_alloc(a, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, p && page);
	of_a = quarry_test_cache_stats(test, a);
	of_b = quarry_test_cache_stats(test, b);
	quarry_cache_free(b, p);
	quarry_test_only_cache_error(test, b, of_b, QUARRY_CACHE_ERR_WRONG_CACHE, 1);
	quarry_cache_free(a, p);
	quarry_cache_free(a, p);
	quarry_test_only_cache_error(test, a, of_a, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	of_a = quarry_test_cache_stats(test, a);
	quarry_cache_free(a, (void *)page);
	quarry_test_only_cache_error(test, a, of_a, QUARRY_CACHE_ERR_FOREIGN, 1);
	free_page(page);
}

static int meminit_init(struct kunit *test)
{
	booted = want_init_on_alloc(0);
	return 0;
}

static void meminit_exit(struct kunit *test)
{
	init_allocations(booted);
}

static struct kunit_case meminit_cases[] = {
	KUNIT_CASE_PARAM(caches, setting_gen_params),
	KUNIT_CASE_PARAM(mallocs, setting_gen_params),
	KUNIT_CASE(switched_on_late),
	KUNIT_CASE_PARAM(typesafe_is_kept, setting_gen_params),
	KUNIT_CASE(clobber_redzone_free),
	KUNIT_CASE(next_pointer),
	KUNIT_CASE(malloc_with_modes),
	KUNIT_CASE(wrong_frees),
	{}
};

static struct kunit_suite meminit_suite = {
	.name = "quarry-meminit",
	.suite_init = quarry_test_parameters,
	.init = meminit_init,
	.exit = meminit_exit,
	.test_cases = meminit_cases,
};

kunit_test_suite(meminit_suite);
