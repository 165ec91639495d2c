// SPDX-License-Identifier: GPL-2.0
/*
 * Misuse of caches at their edges.
 *
 * Wrong pointers that look like nothing (NULL and small numbers) among good ones of a bulk
 * call; the same object twice running, by each call that frees; objects of slabs that are
 * just being made; frees that are judged later than they were made; arguments without a
 * cache or a size.
 *
 * Each is refused, and counted once under its kind; what is out afterwards is what was.
 */
#include <linux/kthread.h>
#include <linux/mm.h>

#include "../cache_kunit.h"

#define MOST	40U

/* Of which size objects are, and which the wrong pointers are multiples of. */
static const unsigned int sizes[] = { 8, 64, 96, 256, 4096 };

/* A pointer that is refused, or NULL, which is left alone: @kind says which. */
static void *nothing(unsigned int kind, unsigned int size)
{
	switch (kind % 4) {
	case 0:
		return NULL;
	case 1:
		return (void *)(unsigned long)size;
	case 2:
		return (void *)(unsigned long)(size * (kind % 16));
	default:
		return ERR_PTR(-(long)size);
	}
}

/* @nr objects, of which the one at @at and some after it are nothing. */
static void free_with_nothing(struct kunit *test, struct quarry_cache *c, unsigned int size,
			      void **p, unsigned int nr, unsigned int at, unsigned int wrong)
{
	struct quarry_cache_stats before, after;
	unsigned int i, foreign = 0;
	void *q[MOST];

	quarry_cache_snapshot(c, &before);
	memcpy(q, p, sizeof(q));
	for (i = at; i < min(at + wrong, nr); i++) {
		q[i] = nothing(nr + i, size);
		foreign += !!q[i];
	}
	quarry_cache_free_bulk(c, nr, q);
	quarry_cache_snapshot(c, &after);
	KUNIT_EXPECT_EQ_MSG(test, foreign, after.errors[QUARRY_CACHE_ERR_FOREIGN] -
			    before.errors[QUARRY_CACHE_ERR_FOREIGN],
			    "size %u: %u of %u from %u", size, wrong, nr, at);
	KUNIT_EXPECT_EQ_MSG(test, after.objects_out,
			    before.objects_out - nr + min(at + wrong, nr) - at,
			    "size %u: %u of %u from %u", size, wrong, nr, at);
	for (i = 0; i < nr; i++)
		if (i < at || i >= at + wrong)
			p[i] = quarry_cache_alloc(c, GFP_KERNEL);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_TRUE_MSG(test, virt_addr_valid(p[i]),
				      "size %u: %u of %u from %u are handed out", size, wrong,
				      nr, at);
}

static void nothing_in_bulk(struct kunit *test)
{
	static const unsigned int lengths[] = { 1, 7, 8, 9, 15, 16, 17, 24, 25, 40 };
	unsigned int i, k, at;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct quarry_cache *c = quarry_test_near_cache(test, sizes[i]);
		void *p[MOST];

		quarry_test_take_objects(test, c, p, MOST);
		for (k = 0; k < ARRAY_SIZE(lengths); k++)
			for (at = 0; at < lengths[k]; at++) {
				free_with_nothing(test, c, sizes[i], p, lengths[k], at, 1);
				free_with_nothing(test, c, sizes[i], p, lengths[k], at, 5);
			}
		quarry_test_cache_sound(test, c);
		quarry_test_give_objects(c, p, MOST);
	}
}

/* Beyond what magazines hold. */
static void nothing_in_bulk_to_slabs(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_near_cache(test, 64);
	u64 budget = quarry_magazine_budget();
	struct quarry_cache_stats *before;
	void **p = quarry_test_objects(test, 300), **q = quarry_test_objects(test, 300);
	unsigned int at;

	quarry_test_take_objects(test, c, p, 300);
	for (at = 0; at < 300; at += 7) {
		atomic64_add(budget, &quarry_magazine_budget_used);
		memcpy(q, p, 300 * sizeof(*q));
		q[at] = (void *)(unsigned long)(at % 2 * 64);
		before = quarry_test_cache_stats(test, c);
		quarry_cache_free_bulk(c, 300, q);
		atomic64_sub(budget, &quarry_magazine_budget_used);
		quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_FOREIGN, at % 2);
		KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 1);
		quarry_cache_free(c, p[at]);
		KUNIT_EXPECT_EQ(test, 300, quarry_cache_alloc_bulk(c, GFP_KERNEL, 300, p));
	}
	quarry_test_cache_sound(test, c);
	quarry_cache_free_bulk(c, 300, p);
}

/* The ways to free one object. */
static void free_by(struct quarry_cache *c, unsigned int way, void *object)
{
	switch (way) {
	case 0:
		quarry_cache_free(c, object);
		break;
	case 1:
		quarry_cache_free_bulk(c, 1, &object);
		break;
	case 2:
		quarry_free(object);
		break;
	case 3:
		quarry_free_bulk(1, &object);
		break;
	default:
		quarry_cache_free_nolock(c, object);
		break;
	}
}

#define WAYS	5U

/* Whatever the first and the second way are; also where the first one filled a magazine. */
static void twice_running(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_near_cache(test, 96);
	void **p = quarry_test_objects(test, 600);
	struct quarry_cache_stats *before;
	unsigned int first, second, i, full;
	void *a, *b;

	for (full = 0; full < 2; full++)
		for (first = 0; first < WAYS; first++)
			for (second = 0; second < WAYS; second++) {
				quarry_test_take_objects(test, c, p, 600);
				for (i = 599; i && !(full && quarry_test_cpu_cache(c)->top + 1 ==
						     quarry_test_cpu_cache(c)->end &&
						     i < 500); i--)
					quarry_cache_free(c, p[i]);
				before = quarry_test_cache_stats(test, c);
				free_by(c, first, p[0]);
				free_by(c, second, p[0]);
				quarry_test_only_cache_error(test, c, before,
							     QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
				a = quarry_cache_alloc(c, GFP_KERNEL);
				b = quarry_cache_alloc(c, GFP_KERNEL);
				KUNIT_EXPECT_PTR_NE(test, a, b);
				quarry_cache_free(c, a);
				quarry_cache_free(c, b);
				quarry_test_give_objects(c, p + 1, i);
				quarry_test_cache_sound(test, c);
				KUNIT_EXPECT_EQ(test,
						quarry_test_cache_stats(test, c)->objects_out, 0);
			}
}

/* The first one goes to its slab, for there is no magazine; for the second there could be. */
static void twice_running_without_a_magazine(struct kunit *test)
{
	u64 budget = quarry_magazine_budget();
	struct quarry_cache_stats *before;
	unsigned int first, second;
	struct quarry_cache *c;
	void *p[2];

	for (first = 0; first < WAYS; first++)
		for (second = 0; second < WAYS; second++) {
			c = quarry_test_near_cache(test, 96);
			atomic64_add(budget, &quarry_magazine_budget_used);
			quarry_test_take_objects(test, c, p, 2);
			before = quarry_test_cache_stats(test, c);
			free_by(c, first, p[0]);
			atomic64_sub(budget, &quarry_magazine_budget_used);
			free_by(c, second, p[0]);
			quarry_test_only_cache_error(test, c, before,
						     QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
			quarry_cache_free(c, p[1]);
			quarry_test_cache_sound(test, c);
		}
}

/* The second free brings a larger magazine, into which the objects move in order. */
static void twice_running_while_magazines_grow(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_near_cache(test, 96);
	struct quarry_cpu_cache *m = quarry_test_cpu_cache(c);
	struct quarry_cache_stats *before;
	unsigned int second, i, high, cap;
	void *p[20];

	for (second = 0; second < WAYS; second++) {
		quarry_test_take_objects(test, c, p, 20);
		for (high = 0, i = 1; i < 20; i++)
			high = p[i] > p[high] ? i : high;
		swap(p[high], p[19]);
		quarry_test_give_objects(c, p, 10);
		before = quarry_test_cache_stats(test, c);
		quarry_cache_free(c, p[19]);
		preempt_disable();
		cap = m->cap;
		m->cap = 2 * m->loaded->cap + 4;
		m->wants |= QUARRY_WANTS_MAGAZINE;
		preempt_enable();
		free_by(c, second, p[19]);
		m->cap = cap;
		quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
		quarry_test_give_objects(c, p + 10, 9);
		quarry_test_cache_sound(test, c);
	}
}

/* One that is freed first of many, and again. */
static void first_of_a_bulk(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_near_cache(test, 256);
	struct quarry_cache_stats *before;
	unsigned int nr, i;
	void *p[MOST], *q[MOST];

	for (nr = 1; nr < MOST; nr++) {
		quarry_test_take_objects(test, c, p, MOST);
		before = quarry_test_cache_stats(test, c);
		memcpy(q, p, sizeof(q));
		quarry_cache_free(c, p[0]);
		quarry_cache_free_bulk(c, nr, q);
		quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
		for (i = nr; i < MOST; i++)
			quarry_cache_free(c, p[i]);
		KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
		quarry_test_cache_sound(test, c);
	}
}

/* Slabs of one object or of many come and go, and another frees what may lie in them. */
struct birth {
	struct quarry_cache *c;
	unsigned int size;
	void *last;
	u64 frees;
	u64 births;
};

static int free_the_last(void *arg)
{
	struct birth *b = arg;
	char *at;

	while (!kthread_should_stop()) {
		at = READ_ONCE(b->last);
		switch (b->frees % 3) {
		case 0:
			quarry_cache_free(b->c, at);
			break;
		case 1:
			quarry_free(at);
			break;
		default:
			quarry_cache_free_nolock(b->c, at);
			break;
		}
		b->frees++;
		if (!(b->frees % 256))
			cond_resched();
	}
	return 0;
}

static void while_a_slab_is_born(struct kunit *test)
{
	static const unsigned int of[] = { SZ_4M, SZ_32K, 256 };
	int other = quarry_test_other_cpu(test);
	struct birth b = {};
	struct task_struct *t;
	unsigned long end;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(of); i++) {
		b.size = of[i];
		b.c = quarry_test_near_cache(test, b.size);
		b.last = NULL;
		t = kthread_create(free_the_last, &b, "quarry-wrong");
		KUNIT_ASSERT_FALSE(test, IS_ERR(t));
		kthread_bind(t, raw_smp_processor_id() == other ? 0 : other);
		wake_up_process(t);
		for (end = jiffies + 4 * HZ; time_before(jiffies, end); b.births++) {
			void *p = quarry_cache_alloc(b.c, GFP_KERNEL | __GFP_NOWARN);

			if (p)
				WRITE_ONCE(b.last, p);
			quarry_cache_free(b.c, p);
			quarry_cache_shrink(b.c);
			cond_resched();
		}
		kthread_stop(t);
		quarry_cache_shrink(b.c);
		KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, b.c)->objects_out, 0);
		quarry_test_cache_sound(test, b.c);
	}
	kunit_info(test, "%llu slabs, %llu frees\n", b.births, b.frees);
}

/*
 * Freed without the lock, and by who had it: one of the two is wrong, and that is found when
 * the first one is returned.
 */
static void what_is_returned_late_is_judged(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_near_cache(test, 136);
	struct quarry_cache_stats *before;
	struct quarry_cache_node *n;
	unsigned long flags;
	unsigned int i;
	void *p[20];

	quarry_test_take_objects(test, c, p, 20);
	quarry_cpu_cache_drain_cpus(&c, 1, QUARRY_FOREVER);
	n = quarry_cpu_cache_node(quarry_test_cpu_cache(c));
	before = quarry_test_cache_stats(test, c);
	preempt_disable();
	KUNIT_EXPECT_TRUE(test, quarry_cpu_cache_enter(quarry_test_cpu_cache(c)));
	quarry_node_lock(n, &flags, false);
	for (i = 0; i < 20; i++)
		quarry_cache_free_nolock(c, p[i]);
	for (i = 0; i < 5; i++)
		quarry_slab_put(&quarry_page_slab_of(p[i])->slab, p[i]);
	quarry_node_unlock(n, flags);
	quarry_cpu_cache_leave(quarry_test_cpu_cache(c));
	preempt_enable();
	quarry_node_settle(n);
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_DOUBLE_FREE, 5);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->slabs_empty,
			quarry_test_cache_stats(test, c)->slabs);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(c));
}

/* Whatever else is asked for, it is refused at once. */
static void sizes_that_cannot_be(struct kunit *test)
{
	static const unsigned int size[] = { 0, SZ_4M + 1, INT_MAX, UINT_MAX - 7, UINT_MAX };
	static const unsigned int align[] = { 0, 1, 8, 64, 32768 };
	static const slab_flags_t flags[] = { 0, SLAB_HWCACHE_ALIGN,
					      SLAB_HWCACHE_ALIGN | SLAB_RED_ZONE,
					      SLAB_TYPESAFE_BY_RCU | SLAB_STORE_USER };
	unsigned int i, k, f;

	for (i = 0; i < ARRAY_SIZE(size); i++)
		for (k = 0; k < ARRAY_SIZE(align); k++)
			for (f = 0; f < ARRAY_SIZE(flags); f++)
				KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(size[i] ? -E2BIG : -EINVAL),
						    quarry_cache_create(quarry_test_name(test),
									size[i], align[k],
									flags[f], NULL));
}

/* Where there is no cache either, NULL is nothing; and many objects find theirs by themselves. */
static void no_cache_at_all(struct kunit *test)
{
	struct quarry_cache *a = quarry_test_near_cache(test, 64);
	struct quarry_cache *b = quarry_test_near_cache(test, 96);
	void *p[30];
	unsigned int i;

	quarry_cache_free(NULL, NULL);
	quarry_cache_free_nolock(NULL, NULL);
	quarry_cache_free_bulk(NULL, 0, NULL);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(NULL));
	for (i = 0; i < 30; i++)
		p[i] = i % 3 ? quarry_cache_alloc(i % 3 == 1 ? a : b, GFP_KERNEL) : NULL;
	quarry_cache_free_bulk(NULL, 30, p);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, a)->objects_out, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, b)->objects_out, 0);
}

static struct kunit_case edges_cases[] = {
	KUNIT_CASE(nothing_in_bulk),
	KUNIT_CASE(nothing_in_bulk_to_slabs),
	KUNIT_CASE(twice_running),
	KUNIT_CASE(twice_running_without_a_magazine),
	KUNIT_CASE(twice_running_while_magazines_grow),
	KUNIT_CASE(first_of_a_bulk),
	KUNIT_CASE(what_is_returned_late_is_judged),
	KUNIT_CASE(while_a_slab_is_born),
	KUNIT_CASE(sizes_that_cannot_be),
	KUNIT_CASE(no_cache_at_all),
	{}
};

static struct kunit_suite edges_suite = {
	.name = "quarry-cache-edges",
	.suite_init = quarry_test_parameters,
	.test_cases = edges_cases,
};

kunit_test_suite(edges_suite);
