// SPDX-License-Identifier: GPL-2.0
/*
 * malloc and its relatives, each held to what kmalloc's does.
 *
 * Every size from 1 to 8192 is taken, with what is beside it, and every class beyond.
 * What kmalloc() is documented to do is checked of ours (zero sizes, overflow, natural
 * alignment, what realloc keeps), and what only ours does: refusing what is not its own,
 * counted with the default pool.
 *
 * The default pool is everybody's, so its figures are compared, not expected.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "../cache_kunit.h"

static void every_size(struct kunit *test)
{
	struct quarry_test_map *map = quarry_test_map(test);
	unsigned int i, broken = 0, waste = 0, wrong = 0, crooked = 0;
	size_t size, usable;
	void *p[3];

	for (size = 1; size <= 8192; size++) {
		for (i = 0; i < 3; i++) {
			p[i] = quarry_malloc(size, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			quarry_test_object_fill(p[i], size, size);
			if (!(size % 16))
				quarry_test_map_add(map, p[i], size);
			crooked += !IS_ALIGNED((unsigned long)p[i],
					       max(size & -size, (size_t)8));
		}
		usable = quarry_usable_size(p[0]);
		wrong += usable < size || usable != quarry_size_roundup(size) ||
			 usable != quarry_class_size(quarry_class(size));
		waste += size > 32 && (usable - size) * 5 > usable;
		for (i = 0; i < 3; i++) {
			broken += !quarry_test_object_filled(p[i], size, size);
			if (!(size % 16))
				quarry_test_map_remove(map, p[i]);
			quarry_free(p[i]);
		}
	}
	KUNIT_EXPECT_EQ(test, broken, 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, waste, 0);
	KUNIT_EXPECT_EQ(test, crooked, 0);
	KUNIT_EXPECT_EQ(test, map->overlaps, 0);
}

/* All that may be asked of the arithmetic, without taking anything. */
static void classes(struct kunit *test)
{
	unsigned int i, waste = 0, wrong = 0;
	size_t size;

	for (i = 0; i < QUARRY_CLASSES; i++) {
		size = quarry_class_size(i);
		wrong += quarry_class(size) != i || quarry_class(size - 1) != i;
		KUNIT_EXPECT_EQ(test, quarry_cache_size(quarry_classes[i]), size);
	}
	KUNIT_EXPECT_EQ(test, quarry_class_size(QUARRY_CLASSES - 1), QUARRY_CLASS_MAX);
	for (size = 1; size <= QUARRY_CLASS_MAX; size++) {
		i = quarry_class(size);
		wrong += i >= QUARRY_CLASSES || quarry_class_size(i) < size ||
			 (i && quarry_class_size(i - 1) >= size);
		/* A fifth of what is taken. */
		waste += size > 32 && (quarry_class_size(i) - size) * 5 > quarry_class_size(i);
	}
	for (; size <= SZ_4M; size += 1 + size / 5000) {
		wrong += quarry_size_roundup(size) < size;
		waste += (quarry_size_roundup(size) - size) * 5 > quarry_size_roundup(size);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, waste, 0);
	KUNIT_EXPECT_EQ(test, quarry_size_roundup(0), 0);
	KUNIT_EXPECT_EQ(test, quarry_size_roundup(SZ_4M + 1), SZ_4M + 1);
	KUNIT_EXPECT_EQ(test, quarry_size_roundup(SIZE_MAX), SIZE_MAX);
}

/* Of machines where devices do not see the caches we have none, so by arithmetic alone. */
static void classes_share_no_line(struct kunit *test)
{
	unsigned int i, wrong = 0;
	size_t size, align, fit;

	for (align = 8; align <= 256; align *= 2)
		for (size = 1; size <= QUARRY_CLASS_MAX; size++) {
			fit = quarry_class_fit(size, align);
			i = quarry_class(fit);
			wrong += fit < size || fit > QUARRY_CLASS_MAX || i >= QUARRY_CLASSES ||
				 quarry_class_size(i) % align;
		}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	for (size = 1; size <= QUARRY_CLASS_MAX; size++)
		wrong += quarry_class_size(quarry_class(size)) % ARCH_KMALLOC_MINALIGN;
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* With a constant size the class is a constant; it must be the same one. */
static void constant_sizes(struct kunit *test)
{
#define CONSTANT(size)								\
	do {									\
		void *p = quarry_malloc(size, GFP_KERNEL);			\
										\
		KUNIT_EXPECT_NOT_NULL(test, p);					\
		KUNIT_EXPECT_EQ(test, quarry_usable_size(p), quarry_size_roundup(size));	\
		quarry_free(p);							\
	} while (0)
	CONSTANT(1);
	CONSTANT(64);
	CONSTANT(65);
	CONSTANT(1000);
	CONSTANT(32768);
	CONSTANT(32769);
	CONSTANT(SZ_1M);
#undef CONSTANT
}

/*
 * The kernel may have no block as large left, even after compaction; then, and only
 * then, NULL.
 */
static void *take_large(struct kunit *test, size_t size)
{
	void *p = quarry_malloc(size, GFP_KERNEL | __GFP_NOWARN);
	struct page *page;

	if (p)
		return p;
	quarry_test_compact();
	page = alloc_pages(GFP_KERNEL | __GFP_NOWARN, get_order(size));
	if (!page) {
		kunit_info(test, "the kernel has no block of %zu bytes", size);
		return NULL;
	}
	__free_pages(page, get_order(size));
	p = quarry_malloc(size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static void large_sizes(struct kunit *test)
{
	size_t size;

	for (size = QUARRY_CLASS_MAX + 1; size <= SZ_2M; size += size / 3) {
		u8 *p = take_large(test, size), *q;

		if (!p)
			break;
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(p));
		KUNIT_EXPECT_EQ(test, quarry_usable_size(p), quarry_size_roundup(size));
		quarry_test_object_fill(p, size, 1);
		q = take_large(test, size);
		if (!q) {
			quarry_free(p);
			break;
		}
		quarry_free(q);
		q = quarry_zalloc(size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_NULL(test, memchr_inv(q, 0, quarry_usable_size(q)));
		quarry_test_object_fill(q, size, 2);
		KUNIT_EXPECT_TRUE(test, quarry_test_object_filled(p, size, 1));
		KUNIT_EXPECT_TRUE(test, quarry_test_object_filled(q, size, 2));
		quarry_free(p);
		quarry_free(q);
		KUNIT_EXPECT_EQ(test, quarry_usable_size(p), 0);
	}
	for (size = SZ_64K; size <= SZ_4M; size *= 2) {
		void *p = take_large(test, size);

		if (!p)
			break;
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, size));
		KUNIT_EXPECT_EQ(test, quarry_usable_size(p), size);
		quarry_test_object_fill(p, size, 3);
		KUNIT_EXPECT_TRUE(test, quarry_test_object_filled(p, size, 3));
		quarry_free(p);
	}
	KUNIT_EXPECT_NULL(test, quarry_malloc(SZ_4M + 1, GFP_KERNEL | __GFP_NOWARN));
	/* Not constants, of which sparse works out the class. */
	size = SIZE_MAX;
	OPTIMIZER_HIDE_VAR(size);
	KUNIT_EXPECT_NULL(test, quarry_malloc(size, GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_NULL(test, quarry_zalloc(size - PAGE_SIZE, GFP_KERNEL | __GFP_NOWARN));
}

static void nothing_at_all(struct kunit *test)
{
	size_t none = 0;

	OPTIMIZER_HIDE_VAR(none);
	KUNIT_EXPECT_PTR_EQ(test, quarry_malloc(none, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, quarry_malloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, quarry_zalloc(none, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, quarry_malloc_node(none, GFP_KERNEL, 0), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, quarry_malloc_array(none, 8, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, quarry_calloc(8, none, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, quarry_memdup("", none, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, quarry_kvmalloc(none, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, quarry_realloc(NULL, none, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, quarry_kvrealloc(NULL, none, GFP_KERNEL), ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, quarry_usable_size(NULL), 0);
	KUNIT_EXPECT_EQ(test, quarry_usable_size(ZERO_SIZE_PTR), 0);
	quarry_free(NULL);
	quarry_free(ZERO_SIZE_PTR);
	quarry_free_sensitive(NULL);
	quarry_free_sensitive(ZERO_SIZE_PTR);
	quarry_kvfree(NULL);
	quarry_kvfree(ZERO_SIZE_PTR);
	quarry_kvfree_sensitive(NULL, 8);
	quarry_kvfree_sensitive(ZERO_SIZE_PTR, 8);
}

static void products_that_overflow(struct kunit *test)
{
	size_t n = SIZE_MAX / 8 + 1;
	u8 *p = quarry_malloc(16, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(n);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 3, 16);
	KUNIT_EXPECT_NULL(test, quarry_malloc_array(n, 8, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_calloc(8, n, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_kvmalloc_array(n, 8, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_kvcalloc(8, n, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_realloc_array(p, n, 8, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 3, 16));
	p = quarry_realloc_array(p, 10, 10, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, quarry_usable_size(p), 112);
	quarry_free(p);
	p = quarry_calloc(10, 10, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, quarry_usable_size(p)));
	quarry_free(p);
}

static const size_t sizes[] = {
	1, 8, 100, 2048, 5000, QUARRY_CLASS_MAX, QUARRY_CLASS_MAX + 1, SZ_128K, 300000, SZ_1M,
};

/* From each size to each other, of both families. */
static void realloc_keeps_what_fits(struct kunit *test)
{
	unsigned int i, k, kv, broken = 0;
	u8 *p, *q;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < ARRAY_SIZE(sizes); k++)
			for (kv = 0; kv < 2; kv++) {
				p = kv ? quarry_kvmalloc(sizes[i], GFP_KERNEL) :
					 quarry_malloc(sizes[i], GFP_KERNEL);
				KUNIT_ASSERT_NOT_NULL(test, p);
				memset(p, 0x5a, sizes[i]);
				q = kv ? quarry_kvrealloc(p, sizes[k], GFP_KERNEL) :
					 quarry_realloc(p, sizes[k], GFP_KERNEL);
				KUNIT_ASSERT_NOT_NULL(test, q);
				broken += !!memchr_inv(q, 0x5a, min(sizes[i], sizes[k]));
				/* What has room stays. */
				if (k <= i)
					broken += p != q;
				memset(q, 0xa5, sizes[k]);
				quarry_kvfree(q);
			}
	KUNIT_EXPECT_EQ(test, broken, 0);
	/* To the last byte of what is there, and one further. */
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t room = quarry_size_roundup(sizes[i]);

		p = quarry_malloc(sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_PTR_EQ(test, quarry_realloc(p, room, GFP_KERNEL), (void *)p);
		p = quarry_realloc(p, room + 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_GT(test, quarry_usable_size(p), room);
		p = quarry_kvrealloc(p, quarry_usable_size(p) + 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		quarry_kvfree(p);
	}
	p = quarry_malloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 7, 100);
	/* No memory: it is as it was. */
	KUNIT_EXPECT_NULL(test, quarry_realloc(p, SZ_4M + 1, GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 7, 100));
	KUNIT_EXPECT_PTR_EQ(test, quarry_realloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	p = quarry_realloc(NULL, 50, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_free(p);
	p = quarry_realloc(ZERO_SIZE_PTR, 50, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, 50));
	quarry_free(p);
}

static void copies_and_strings(struct kunit *test)
{
	char text[100], *p;

	memset(text, 'x', sizeof(text));
	text[99] = 0;
	p = quarry_memdup(text, 100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, memcmp(p, text, 100), 0);
	quarry_free(p);
	p = quarry_strdup(text, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_STREQ(test, p, text);
	quarry_free(p);
	p = quarry_strndup(text, 10, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_STREQ(test, p, "xxxxxxxxxx");
	quarry_free(p);
	p = quarry_strndup("ab", 10, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_STREQ(test, p, "ab");
	quarry_free(p);
	p = quarry_strdup("", GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_STREQ(test, p, "");
	quarry_free(p);
	KUNIT_EXPECT_NULL(test, quarry_strdup(NULL, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_strndup(NULL, 5, GFP_KERNEL));
	p = quarry_asprintf(GFP_KERNEL, "%s-%d-%s", "a", 42, text);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, str_has_prefix(p, "a-42-xxx"));
	KUNIT_EXPECT_EQ(test, strlen(p), 5 + 99);
	quarry_free(p);
	p = quarry_asprintf(GFP_KERNEL, "%s", "");
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_STREQ(test, p, "");
	quarry_free(p);
}

static void memory_of_a_node(struct kunit *test)
{
	unsigned int i;
	int node;

	quarry_test_other_node(test);
	for_each_node_state(node, N_MEMORY)
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			void *p = quarry_malloc_node(sizes[i], GFP_KERNEL | __GFP_THISNODE, node);

			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_EQ(test, page_to_nid(virt_to_page(p)), node);
			memset(p, node, sizes[i]);
			quarry_free(p);
			p = quarry_kvmalloc_node(sizes[i], GFP_KERNEL, node);
			KUNIT_ASSERT_NOT_NULL(test, p);
			quarry_kvfree(p);
		}
}

static void bulk(struct kunit *test)
{
	void **p = quarry_test_objects(test, 200);
	u64 before, after;
	unsigned int i;

	before = quarry_test_cache_stats(test, quarry_classes[quarry_class(72)])->objects_out;
	for (i = 0; i < 200; i++) {
		p[i] = i % 7 == 3 ? NULL : quarry_malloc(i % 50 == 49 ? SZ_64K : 72, GFP_KERNEL);
		KUNIT_ASSERT_TRUE(test, p[i] || i % 7 == 3);
	}
	quarry_free_bulk(200, p);
	quarry_free_bulk(0, NULL);
	after = quarry_test_cache_stats(test, quarry_classes[quarry_class(72)])->objects_out;
	KUNIT_EXPECT_EQ(test, after, before);
}

/* What was in it is not there any more when somebody else gets it. */
static void sensitive(struct kunit *test)
{
	unsigned int i;

	quarry_test_pin(test, 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *p = quarry_malloc(sizes[i], GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 0x5e, sizes[i]);
		/* It is in a magazine or in the pool: ours, and not in use. */
		quarry_free_sensitive(p);
		KUNIT_EXPECT_NULL(test, quarry_test_unseen(memchr_inv(p, 0, sizes[i])));
		p = quarry_kvmalloc(sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 0x5e, sizes[i]);
		quarry_kvfree_sensitive(p, sizes[i] / 2);
		if (sizes[i] <= QUARRY_CLASS_MAX) {
			KUNIT_EXPECT_NULL(test, quarry_test_unseen(memchr_inv(p, 0, sizes[i] / 2)));
			KUNIT_EXPECT_EQ(test, quarry_test_unseen(p[sizes[i] / 2]), 0x5e);
		}
	}
}

/* Objects of any cache go back by address alone. */
static void free_finds_the_cache(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 777);
	void *p = quarry_cache_alloc(c, GFP_KERNEL);

	KUNIT_EXPECT_EQ(test, quarry_usable_size(p), 777);
	quarry_free(p);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
	p = quarry_cache_alloc(c, GFP_KERNEL);
	p = quarry_realloc(p, 2000, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
	quarry_kvfree(p);
}

static void mapped_memory(struct kunit *test)
{
	static const size_t much[] = { SZ_4M + 1, 5000000, SZ_8M + PAGE_SIZE, SZ_16M };
	struct quarry_pool *pool = quarry_pool_default();
	struct quarry_pool_stats *before, *now;
	unsigned int i;
	u8 *p, *q;

	/* What the reaper would take from caches there meanwhile. */
	quarry_pool_drain(pool);
	before = quarry_test_stats(test, pool);
	for (i = 0; i < ARRAY_SIZE(much); i++) {
		p = quarry_kvmalloc(much[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
		now = quarry_test_stats(test, pool);
		KUNIT_EXPECT_GE(test, now->allocated_bytes, before->allocated_bytes + much[i]);
		memset(p, i + 1, much[i]);
		q = quarry_kvzalloc(much[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_NULL(test, memchr_inv(q, 0, much[i]));
		KUNIT_EXPECT_NULL(test, memchr_inv(p, i + 1, much[i]));
		quarry_kvfree_sensitive(q, much[i]);
		/* Smaller stays, larger moves, with all that was in it. */
		KUNIT_EXPECT_PTR_EQ(test, quarry_kvrealloc(p, much[i] - 1, GFP_KERNEL), (void *)p);
		p = quarry_kvrealloc(p, much[i] + SZ_1M, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, i + 1, much[i]));
		quarry_kvfree(p);
	}
	KUNIT_EXPECT_NULL(test, quarry_kvmalloc(SIZE_MAX, GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_NULL(test, quarry_kvmalloc(1UL << 46, GFP_KERNEL | __GFP_NOWARN));
	/* Nothing is mapped for who must not sleep. */
	KUNIT_EXPECT_NULL(test, quarry_kvmalloc(SZ_8M, GFP_ATOMIC | __GFP_NOWARN));
	p = quarry_kvmalloc(100, GFP_ATOMIC);
	KUNIT_EXPECT_NOT_NULL(test, p);
	quarry_kvfree(p);
	p = quarry_kvcalloc(1000, 1000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, 1000000));
	quarry_kvfree(p);
}

/* --- mapped memory that must not fail ----------------------------------------- */

#define INSIST	(GFP_KERNEL | __GFP_NOFAIL | __GFP_NOWARN)

/**
 * struct insistent - who takes no refusal
 * @size:	of so many bytes
 * @gfp:	with these flags
 * @node:	of which node
 * @rounds:	so often still; what came of it is kept only if that was once
 * @served:	and was so often
 * @p:		what came of it
 * @done:	there was an answer to each
 */
struct insistent {
	size_t size;
	gfp_t gfp;
	int node;
	unsigned int rounds;
	unsigned int served;
	void *p;
	struct completion done;
};

static int insist(void *data)
{
	struct insistent *w = data;

	bool keep = w->rounds == 1;

	for (; w->rounds; w->rounds--) {
		w->p = quarry_kvmalloc_node(w->size, w->gfp, w->node);
		w->served += !!w->p;
		if (!keep)
			quarry_kvfree(w->p);
		cond_resched();
	}
	if (!keep)
		w->p = NULL;
	complete(&w->done);
	return 0;
}

static struct insistent *begin(struct kunit *test, size_t size, gfp_t gfp, int node,
			       unsigned int rounds)
{
	/* Who never ends has it for ever. */
	struct insistent *w = kzalloc(sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	*w = (struct insistent){ .size = size, .gfp = gfp, .node = node, .rounds = rounds };
	init_completion(&w->done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(insist, w, "quarry-insist")));
	return w;
}

static bool has_ended(struct insistent *w, unsigned int seconds)
{
	return wait_for_completion_timeout(&w->done, seconds * HZ);
}

static void end(struct kunit *test, struct insistent *w, unsigned int served)
{
	if (!has_ended(w, 20)) {
		/* We cannot go while it is here. */
		__module_get(THIS_MODULE);
		KUNIT_FAIL(test, "%zu bytes are waited for", w->size);
		return;
	}
	KUNIT_EXPECT_EQ(test, served, w->served);
	quarry_kvfree(w->p);
	kfree(w);
}

/* The default pool at a limit of its own; all of its frames are taken and some given back. */
struct limited {
	struct quarry_pool *pool;
	u64 max;
	u64 min;
	u64 reserve;
	struct page **pages;
	unsigned int nr;
};

static void limit(struct kunit *test, struct limited *l)
{
	l->pool = quarry_pool_default();
	l->max = l->pool->max;
	l->min = l->pool->min;
	l->reserve = l->pool->reserve;
	l->pool->reserve = 0;
	quarry_pool_drain(l->pool);
	quarry_pool_shrink(l->pool, ~0ULL);
	quarry_test_large_blocks();
	l->pool->max = max_t(u64, atomic64_read(&l->pool->managed), FRAMES(SZ_16M));
	l->pages = quarry_test_pages(test, l->pool->max + 1);
}

static void unlimit(struct limited *l)
{
	unsigned int i;

	for (i = 0; i < l->nr; i++)
		if (l->pages[i])
			quarry_free_pages(l->pool, l->pages[i], 0);
	l->pool->max = l->max;
	l->pool->min = l->min;
	l->pool->reserve = l->reserve;
	quarry_lists_limit(l->pool);
	quarry_pool_drain(l->pool);
}

/* What can be pieced together is not waited for, of whatever size. */
static void pieces_come_before_waiting(struct kunit *test)
{
	static const size_t some[] = { 5000, SZ_16K, QUARRY_CLASS_MAX, SZ_64K };
	struct insistent *w[ARRAY_SIZE(some)];
	struct limited l = {};
	bool ended = true;
	unsigned int i;

	limit(test, &l);
	l.nr = quarry_test_take_all(test, l.pool, GFP_KERNEL, 0, l.pages, l.pool->max + 1);
	KUNIT_EXPECT_GE(test, l.nr, l.pool->max);
	for (i = 0; i < l.nr; i++)
		if (page_to_pfn(l.pages[i]) & 1) {
			quarry_free_pages(l.pool, l.pages[i], 0);
			l.pages[i] = NULL;
		}
	for (i = 0; i < ARRAY_SIZE(some); i++)
		w[i] = begin(test, some[i], INSIST, NUMA_NO_NODE, 1);
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		if (has_ended(w[i], 5)) {
			KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(w[i]->p));
			complete(&w[i]->done);
		} else {
			ended = false;
		}
	}
	KUNIT_EXPECT_TRUE(test, ended);
	unlimit(&l);
	for (i = 0; i < ARRAY_SIZE(some); i++)
		end(test, w[i], 1);
}

/* What he has found is there for others as long as it is not enough. */
static void who_waits_for_pieces_holds_none(struct kunit *test)
{
	unsigned int tries, got = 0;
	struct page *pages[50];
	struct limited l = {};
	struct insistent *w;

	limit(test, &l);
	l.nr = quarry_test_take_all(test, l.pool, GFP_KERNEL, 0, l.pages, l.pool->max + 1);
	quarry_test_give_all(l.pool, 0, l.pages + l.nr - 50, 50);
	l.nr -= 50;
	w = begin(test, 100 * PAGE_SIZE, INSIST, NUMA_NO_NODE, 1);
	msleep(100);
	for (tries = 0; got < 50 && tries < 50; tries++) {
		quarry_free_pages_bulk(l.pool, 0, got, pages);
		msleep(20);
		got = quarry_alloc_pages_bulk(l.pool, GFP_KERNEL | __GFP_NOWARN, 0, 50, pages);
	}
	KUNIT_EXPECT_EQ(test, got, 50);
	KUNIT_EXPECT_FALSE(test, has_ended(w, 1));
	quarry_free_pages_bulk(l.pool, 0, got, pages);
	unlimit(&l);
	end(test, w, 1);
}

#define ROUNDS	5

/* Two that cannot both have it at once, and others who want a page now and then. */
static void two_who_insist_take_turns(struct kunit *test)
{
	unsigned int i, got = 0, tries = 0;
	struct insistent *w[2];
	struct limited l = {};
	struct page *page;

	limit(test, &l);
	for (i = 0; i < 2; i++)
		w[i] = begin(test, (l.pool->max << PAGE_SHIFT) / 8 * 5, INSIST, NUMA_NO_NODE,
			     ROUNDS);
	for (i = 0; i < 2; i++)
		while (!try_wait_for_completion(&w[i]->done) && tries++ < 1000) {
			page = quarry_alloc_pages(l.pool, GFP_KERNEL | __GFP_NOWARN, 0);
			got += !!page;
			if (page)
				quarry_free_pages(l.pool, page, 0);
			msleep(20);
		}
	KUNIT_EXPECT_LT(test, tries, 1000);
	KUNIT_EXPECT_GT(test, got, 0);
	kunit_info(test, "%u of %u pages, %u and %u rounds left", got, tries, w[0]->rounds,
		   w[1]->rounds);
	for (i = 0; i < 2 && tries < 1000; i++)
		complete(&w[i]->done);
	unlimit(&l);
	for (i = 0; i < 2; i++)
		end(test, w[i], ROUNDS);
}

static void nobody_insists_on_the_impossible(struct kunit *test)
{
	struct limited l = {};
	struct page *page;

	limit(test, &l);
	end(test, begin(test, SIZE_MAX - 100, INSIST, NUMA_NO_NODE, 1), 0);
	end(test, begin(test, 1UL << 46, INSIST, NUMA_NO_NODE, 1), 0);
	/* A zone that is not the pool's. */
	end(test, begin(test, SZ_8K, INSIST | __GFP_DMA, NUMA_NO_NODE, 1), 0);
	/* There is nothing but the reserve. */
	l.pool->reserve = l.pool->max;
	end(test, begin(test, SZ_8K, INSIST, NUMA_NO_NODE, 1), 0);
	l.pool->reserve = 0;
	end(test, begin(test, SZ_8K, INSIST, NUMA_NO_NODE, 1), 1);
	/* All of the pool on one node, and a page of it is on another and has to stay. */
	if (nr_online_nodes > 1) {
		int other = quarry_test_other_node(test);

		page = quarry_alloc_pages_node(l.pool, first_memory_node,
					       GFP_KERNEL | __GFP_THISNODE, 0);
		KUNIT_EXPECT_NOT_NULL(test, page);
		l.pool->min = atomic64_read(&l.pool->managed);
		l.pool->max = l.pool->min;
		end(test, begin(test, l.pool->max << PAGE_SHIFT, INSIST | __GFP_THISNODE, other,
				1), 0);
		if (page)
			quarry_free_pages(l.pool, page, 0);
	}
	unlimit(&l);
}

/* So many of one kind with the default pool, and of no other. */
static void expect_counted(struct kunit *test, const struct quarry_pool_stats *before, int kind,
			   u64 nr)
{
	quarry_test_only_error(test, quarry_pool_default(), before, kind, nr);
}

static void what_is_not_ours(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	u8 *k = kmalloc(100, GFP_KERNEL), *v = vmalloc(PAGE_SIZE);
	struct quarry_pool_stats *before;
	void *foreign[] = { k, k + 8, v, &page, (void *)0x1000UL, (void *)-8UL,
			    what_is_not_ours };
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, page && k && v);
	memset(k, 0x4b, 100);
	before = quarry_test_stats(test, quarry_pool_default());
	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		quarry_free(foreign[i]);
		expect_counted(test, before, QUARRY_ERR_FOREIGN, 2 * i + 1);
		quarry_kvfree(foreign[i]);
		expect_counted(test, before, QUARRY_ERR_FOREIGN, 2 * i + 2);
		KUNIT_EXPECT_EQ(test, quarry_usable_size(foreign[i]), 0);
	}
	before = quarry_test_stats(test, quarry_pool_default());
	KUNIT_EXPECT_NULL(test, quarry_realloc(k, 200, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_kvrealloc(k, 200, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_kvrealloc(v, 20000, GFP_KERNEL));
	quarry_free_sensitive(k);
	quarry_kvfree_sensitive(k, 100);
	quarry_free_bulk(1, (void **)&k);
	expect_counted(test, before, QUARRY_ERR_FOREIGN, 6);
	KUNIT_EXPECT_NULL(test, memchr_inv(k, 0x4b, 100));
	/* A page of a pool that malloc did not take. */
	before = quarry_test_stats(test, quarry_pool_default());
	quarry_free(page_address(page));
	expect_counted(test, before, QUARRY_ERR_WRONG_ORDER, 1);
	before = quarry_test_stats(test, quarry_pool_default());
	quarry_free(page_address(page) + 8);
	expect_counted(test, before, QUARRY_ERR_INTERIOR, 1);
	/* And one that nobody has. */
	quarry_free_pages(pool, page, 0);
	before = quarry_test_stats(test, quarry_pool_default());
	quarry_free(page_address(page));
	quarry_free(page_address(page) + 8);
	expect_counted(test, before, QUARRY_ERR_DOUBLE_FREE, 2);
	vfree(v);
	kfree(k);
}

static void the_inside_of_large_memory(struct kunit *test)
{
	u8 *p = quarry_malloc(SZ_128K, GFP_KERNEL), *q = quarry_malloc(100000, GFP_KERNEL);
	u8 *m = quarry_kvmalloc(SZ_8M, GFP_KERNEL);
	struct quarry_pool_stats *before = quarry_test_stats(test, quarry_pool_default());

	KUNIT_ASSERT_TRUE(test, p && q && m);
	quarry_test_object_fill(p, SZ_128K, 1);
	quarry_free(p + 8);
	quarry_free(p + PAGE_SIZE);
	quarry_free(q + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, quarry_usable_size(p + PAGE_SIZE), 0);
	expect_counted(test, before, QUARRY_ERR_INTERIOR, 3);
	KUNIT_EXPECT_TRUE(test, quarry_test_object_filled(p, SZ_128K, 1));
	/* Twice: its pages are free, and the pool's. A run and a block. */
	quarry_free(q);
	quarry_free(p);
	before = quarry_test_stats(test, quarry_pool_default());
	quarry_free(q);
	quarry_free(q + 8);
	quarry_free(q + PAGE_SIZE);
	quarry_free(p);
	quarry_free_bulk(1, (void **)&p);
	quarry_kvfree(p);
	KUNIT_EXPECT_NULL(test, quarry_realloc(p, SZ_256K, GFP_KERNEL));
	expect_counted(test, before, QUARRY_ERR_DOUBLE_FREE, 7);
	before = quarry_test_stats(test, quarry_pool_default());
	quarry_kvfree(m + PAGE_SIZE);
	quarry_kvfree(m + 8);
	expect_counted(test, before, QUARRY_ERR_FOREIGN, 2);
	/* By the call that knows of no mappings. */
	quarry_free(m);
	expect_counted(test, before, QUARRY_ERR_FOREIGN, 3);
	quarry_kvfree(m);
	quarry_kvfree(m);
	expect_counted(test, before, QUARRY_ERR_FOREIGN, 4);
}

/* Calls that look at the content before they free must not touch a neighbour's. */
static void the_inside_of_an_object_is_left_alone(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 64);
	struct quarry_cache_stats *before;
	void *p[20];
	unsigned int i, broken = 0;

	quarry_test_take_objects(test, c, p, 20);
	for (i = 0; i < 20; i++)
		quarry_test_object_fill(p[i], 64, i);
	before = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, quarry_usable_size(p[3] + 8), 0);
	quarry_free_sensitive(p[3] + 8);
	quarry_kvfree_sensitive(p[4] + 8, 64);
	KUNIT_EXPECT_NULL(test, quarry_realloc(p[5] + 8, 100, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_kvrealloc(p[6] + 8, 100, GFP_KERNEL));
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_INTERIOR, 4);
	for (i = 0; i < 20; i++)
		broken += !quarry_test_object_filled(p[i], 64, i);
	KUNIT_EXPECT_EQ(test, broken, 0);
	quarry_test_give_objects(c, p, 20);
}

/* A class is a cache: its misuse is counted there, and modes work. */
static void classes_are_caches(struct kunit *test)
{
	struct quarry_cache *c = quarry_classes[quarry_class(640)];
	struct quarry_cache_stats *before, *now;
	u8 *p;

	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODES));
	p = quarry_malloc(640, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	before = quarry_test_cache_stats(test, c);
	quarry_test_unseen(p[640] ^= 1);
	quarry_free(p);
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_OVERFLOW, 1);
	quarry_free(p);
	now = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, now->errors[QUARRY_CACHE_ERR_DOUBLE_FREE] -
			before->errors[QUARRY_CACHE_ERR_DOUBLE_FREE], 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, 0));
	quarry_test_cache_sound(test, c);
}

static struct kunit_case malloc_cases[] = {
	KUNIT_CASE(every_size),
	KUNIT_CASE(classes),
	KUNIT_CASE(classes_share_no_line),
	KUNIT_CASE(constant_sizes),
	KUNIT_CASE(large_sizes),
	KUNIT_CASE(nothing_at_all),
	KUNIT_CASE(products_that_overflow),
	KUNIT_CASE(realloc_keeps_what_fits),
	KUNIT_CASE(copies_and_strings),
	KUNIT_CASE(memory_of_a_node),
	KUNIT_CASE(bulk),
	KUNIT_CASE(sensitive),
	KUNIT_CASE(free_finds_the_cache),
	KUNIT_CASE(mapped_memory),
	KUNIT_CASE(pieces_come_before_waiting),
	KUNIT_CASE(who_waits_for_pieces_holds_none),
	KUNIT_CASE(two_who_insist_take_turns),
	KUNIT_CASE(nobody_insists_on_the_impossible),
	KUNIT_CASE(what_is_not_ours),
	KUNIT_CASE(the_inside_of_large_memory),
	KUNIT_CASE(the_inside_of_an_object_is_left_alone),
	KUNIT_CASE(classes_are_caches),
	{}
};

static struct kunit_suite malloc_suite = {
	.name = "quarry-malloc",
	.suite_init = quarry_test_parameters,
	.test_cases = malloc_cases,
};

kunit_test_suite(malloc_suite);
