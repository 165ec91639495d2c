// SPDX-License-Identifier: GPL-2.0
/*
 * Safety modes: each does what it says, alone and with all others, and can be switched
 * while objects are out and while others are at work.
 *
 * Writes beside and after are made on purpose, into memory that is a plain page to
 * KASAN. What a mode has seen must be counted once, and the object that it was seen
 * of must be treated as module/cache/guard.c says.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/poison.h>

#include "../cache_kunit.h"

#define BIT_OF(NAME, word, text)	QUARRY_MODE_##NAME,
static const unsigned int alone_and_together[] = QUARRY_CACHE_MODE_LIST(BIT_OF,
	QUARRY_MODES,
);

static void modes_name(const unsigned int *modes, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "modes %x", *modes);
}

KUNIT_ARRAY_PARAM(modes, alone_and_together, modes_name);

static void no_ctor(void *object)
{
}

static void what_is_refused(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 64);
	struct quarry_cache *made = quarry_test_cache_of(test, 64, 0, 0, no_ctor);
	struct quarry_cache *typesafe = quarry_test_cache_of(test, 64, 0,
							     SLAB_TYPESAFE_BY_RCU, NULL);
	struct quarry_cache *largest = quarry_test_cache(test, QUARRY_CACHE_SIZE_MAX);

	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_cache_set_modes(c, ~QUARRY_MODES));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_cache_set_modes(c, UINT_MAX));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_cache_set_modes(made, QUARRY_MODE_POISON));
	KUNIT_EXPECT_EQ(test, -EINVAL, quarry_cache_set_modes(typesafe, QUARRY_MODES));
	KUNIT_EXPECT_EQ(test, -E2BIG, quarry_cache_set_modes(largest, QUARRY_MODE_CHECK));
	KUNIT_EXPECT_EQ(test, quarry_cache_modes(c) | quarry_cache_modes(made) |
			quarry_cache_modes(typesafe) | quarry_cache_modes(largest), 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(largest, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(made, QUARRY_MODE_REDZONE));
	KUNIT_EXPECT_EQ(test, quarry_cache_modes(made), QUARRY_MODE_REDZONE);
}

static void flags_of_creation_are_modes(struct kunit *test)
{
	struct quarry_cache *c;

	c = quarry_test_cache_of(test, 64, 0, SLAB_POISON | SLAB_STORE_USER, NULL);
	KUNIT_EXPECT_EQ(test, quarry_cache_modes(c), QUARRY_MODE_POISON | QUARRY_MODE_OWNER);
	c = quarry_test_cache_of(test, 64, 0, SLAB_RED_ZONE | SLAB_CONSISTENCY_CHECKS, NULL);
	KUNIT_EXPECT_EQ(test, quarry_cache_modes(c), QUARRY_MODE_REDZONE | QUARRY_MODE_CHECK);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, 0));
}

/* On and off with objects of both kinds out, each given back under the other. */
static void switched_with_objects_out(struct kunit *test)
{
	unsigned int modes = *(const unsigned int *)test->param_value, i, broken = 0;
	struct quarry_cache *c = quarry_test_cache(test, 120);
	struct quarry_test_map *map = quarry_test_map(test);
	void **plain = quarry_test_objects(test, 150), **guarded = quarry_test_objects(test, 150);
	struct quarry_cache_stats *before = quarry_test_cache_stats(test, c);

	quarry_test_take_objects(test, c, plain, 150);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, modes));
	quarry_test_cache_sound(test, c);
	quarry_test_take_objects(test, c, guarded, 150);
	for (i = 0; i < 150; i++) {
		quarry_test_map_add(map, plain[i], 120);
		quarry_test_map_add(map, guarded[i], 120);
		quarry_test_object_fill(plain[i], 120, i);
		quarry_test_object_fill(guarded[i], 120, i);
	}
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 300);
	quarry_test_give_objects(c, plain, 75);
	quarry_test_give_objects(c, guarded, 75);
	quarry_test_cache_sound(test, c);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, 0));
	quarry_test_cache_sound(test, c);
	for (i = 75; i < 150; i++) {
		broken += !quarry_test_object_filled(plain[i], 120, i);
		broken += !quarry_test_object_filled(guarded[i], 120, i);
	}
	quarry_test_give_objects(c, plain + 75, 75);
	quarry_test_give_objects(c, guarded + 75, 75);
	quarry_test_cache_sound(test, c);
	quarry_test_take_objects(test, c, plain, 150);
	for (i = 0; i < 150; i++)
		broken += !!quarry_page_slab_of(plain[i])->records;
	quarry_test_give_objects(c, plain, 150);
	KUNIT_EXPECT_EQ(test, broken, 0);
	KUNIT_EXPECT_EQ(test, map->overlaps, 0);
	quarry_test_only_cache_error(test, c, before, -1, 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(c));
}

struct hammer {
	struct quarry_cache *c;
	struct task_struct *task;
	void *held[64];
	u64 seed;
	u64 steps;
	u64 broken;
	u64 none;
};

static int hammer(void *arg)
{
	struct hammer *h = arg;
	u64 i;

	while (!kthread_should_stop()) {
		i = quarry_test_random(&h->seed, ARRAY_SIZE(h->held));
		if (h->held[i]) {
			h->broken += !quarry_test_object_filled(h->held[i], 120, i);
			quarry_cache_free(h->c, h->held[i]);
			h->held[i] = NULL;
		} else {
			h->held[i] = quarry_cache_alloc(h->c, GFP_KERNEL);
			if (h->held[i])
				quarry_test_object_fill(h->held[i], 120, i);
			else
				h->none++;
		}
		WRITE_ONCE(h->steps, h->steps + 1);
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(h->held); i++)
		if (h->held[i]) {
			h->broken += !quarry_test_object_filled(h->held[i], 120, i);
			quarry_cache_free(h->c, h->held[i]);
		}
	return 0;
}

static void switched_under_load(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 120);
	struct quarry_cache_stats *before = quarry_test_cache_stats(test, c);
	struct hammer *h = kunit_kcalloc(test, 2, sizeof(*h), GFP_KERNEL);
	int cpus[2] = { 0, quarry_test_other_cpu(test) };
	u64 seed = quarry_test_seed;
	unsigned int i, modes;

	KUNIT_ASSERT_NOT_NULL(test, h);
	for (i = 0; i < 2; i++) {
		h[i].c = c;
		h[i].seed = seed + i;
		h[i].task = kthread_create(hammer, &h[i], "quarry-modes");
		KUNIT_ASSERT_FALSE(test, IS_ERR(h[i].task));
		kthread_bind(h[i].task, cpus[i]);
		wake_up_process(h[i].task);
	}
	for (i = 0; i < 40; i++) {
		u64 steps = READ_ONCE(h[i & 1].steps);

		modes = quarry_test_random(&seed, QUARRY_MODES + 1);
		KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, modes));
		KUNIT_EXPECT_EQ(test, 0, quarry_test_cache_violations(test, c, ""));
		if (!(i % 5))
			quarry_cache_shrink(c);
		if (!(i % 7))
			KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, 0));
		while (READ_ONCE(h[i & 1].steps) < steps + 200)
			msleep(20);
	}
	for (i = 0; i < 2; i++) {
		kthread_stop(h[i].task);
		KUNIT_EXPECT_EQ(test, h[i].broken, 0);
		KUNIT_EXPECT_EQ(test, h[i].none, 0);
	}
	quarry_test_only_cache_error(test, c, before, -1, 0);
}

static void poison_sees_a_write_after_free(struct kunit *test)
{
	static const unsigned int at[] = { 0, 1, 50, 62, 63 };
	struct quarry_cache *c = quarry_test_near_cache(test, 64);
	struct quarry_cache_stats *before;
	void **p = quarry_test_objects(test, 200);
	unsigned int i, k, again = 0;
	u8 *bad;

	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_POISON));
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		bad = quarry_cache_alloc(c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, bad);
		quarry_cache_free(c, bad);
		KUNIT_EXPECT_NULL(test, quarry_test_unseen(memchr_inv(bad, POISON_FREE, 63)));
		KUNIT_EXPECT_EQ(test, quarry_test_unseen(bad[63]), POISON_END);
		before = quarry_test_cache_stats(test, c);
		quarry_test_unseen(bad[at[i]] ^= 0x10);
		quarry_test_take_objects(test, c, p, 200);
		quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_USE_AFTER_FREE, 1);
		KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 200);
		for (k = 0; k < 200; k++)
			again += p[k] == bad;
		/* It stays for who looks for the writer. */
		KUNIT_EXPECT_EQ(test, quarry_test_unseen(bad[at[i]]),
				(at[i] == 63 ? POISON_END : POISON_FREE) ^ 0x10);
		quarry_test_give_objects(c, p, 200);
		KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
	}
	KUNIT_EXPECT_EQ(test, again, 0);
	/* Freed once more, it is refused; and the cache can go although it has kept them. */
	before = quarry_test_cache_stats(test, c);
	quarry_cache_free(c, bad);
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
}

static void poison_of_one_byte(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 1);
	struct quarry_cache_stats *before;
	u8 *p;

	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_POISON));
	p = quarry_cache_alloc(c, GFP_KERNEL);
	quarry_cache_free(c, p);
	KUNIT_EXPECT_EQ(test, quarry_test_unseen(*p), POISON_END);
	before = quarry_test_cache_stats(test, c);
	quarry_test_unseen(*p = POISON_FREE);
	p = quarry_cache_alloc(c, GFP_KERNEL);
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_USE_AFTER_FREE, 1);
	quarry_cache_free(c, p);
}

/* Every size of what is left of a stride, on both sides, first and last byte. */
static void redzones_see_both_sides(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 7, 8, 60, 61, 64, 100, 1000, 4096 };
	struct quarry_cache_stats *before;
	unsigned int i, k;
	u8 *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct quarry_cache *c = quarry_test_cache_of(test, sizes[i], 0, SLAB_RED_ZONE,
							      NULL);
		const int at[] = { -1, -(int)c->red, sizes[i], sizes[i] + 7 };

		for (k = 0; k < ARRAY_SIZE(at); k++) {
			p = quarry_cache_alloc(c, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p);
			memset(p, 0x11, sizes[i]);
			KUNIT_EXPECT_EQ(test, quarry_test_unseen(p[at[k]]), SLUB_RED_ACTIVE);
			before = quarry_test_cache_stats(test, c);
			quarry_test_unseen(p[at[k]] ^= 0x80);
			quarry_cache_free(c, p);
			quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_OVERFLOW, 1);
			/* It is taken back, and its redzones are whole when it goes out. */
			p = quarry_cache_alloc(c, GFP_KERNEL);
			KUNIT_EXPECT_EQ(test, quarry_test_unseen(p[at[k]]), SLUB_RED_ACTIVE);
			before = quarry_test_cache_stats(test, c);
			quarry_cache_free(c, p);
			quarry_test_only_cache_error(test, c, before, -1, 0);
		}
	}
}

/* What was taken without redzones is not looked at for any. */
static void redzones_are_looked_at_where_they_were_written(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache_of(test, 64, 0, SLAB_CONSISTENCY_CHECKS, NULL);
	struct quarry_cache_stats *before = quarry_test_cache_stats(test, c);
	u8 *p = quarry_cache_alloc(c, GFP_KERNEL), *q;

	KUNIT_ASSERT_NOT_NULL(test, p);
	quarry_test_unseen(p[64] = 1);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_REDZONE));
	q = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	quarry_test_unseen(q[64] ^= 1);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_CHECK));
	quarry_cache_free(c, p);
	quarry_test_only_cache_error(test, c, before, -1, 0);
	quarry_cache_free(c, q);
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_OVERFLOW, 1);
}

static noinline void *taken_here(struct quarry_cache *c)
{
	void *p = quarry_cache_alloc(c, GFP_KERNEL);

	barrier();
	return p;
}

/* Not the same call: the compiler makes one of two functions that are alike. */
static noinline void *taken_there(struct quarry_cache *c)
{
	void *p = quarry_cache_zalloc(c, GFP_KERNEL);

	barrier();
	return p;
}

static noinline void freed_here(struct quarry_cache *c, void *p)
{
	quarry_cache_free(c, p);
	barrier();
}

static const struct quarry_trace *trace_of(const struct quarry_trace *t, unsigned int nr,
					   const char *function)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (strstr(t[i].text, function))
			return &t[i];
	return NULL;
}

static void owners_by_stack(struct kunit *test)
{
	struct quarry_trace *t = kunit_kcalloc(test, 8, sizeof(*t), GFP_KERNEL);
	struct quarry_cache *c = quarry_test_cache(test, 64);
	const struct quarry_trace *here, *there;
	unsigned int i, nr;
	void *p[30], *q;
	u64 untraced;

	KUNIT_ASSERT_NOT_NULL(test, t);
	q = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_OWNER));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_traces(c, false, t, 8, &nr, &untraced));
	KUNIT_EXPECT_EQ(test, nr, 0);
	KUNIT_EXPECT_EQ(test, untraced, 1);
	for (i = 0; i < 20; i++)
		p[i] = taken_here(c);
	for (; i < 30; i++)
		p[i] = taken_there(c);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_traces(c, false, t, 8, &nr, &untraced));
	KUNIT_EXPECT_EQ(test, nr, 2);
	KUNIT_EXPECT_EQ(test, untraced, 1);
	here = trace_of(t, 2, "taken_here");
	there = trace_of(t, 2, "taken_there");
	KUNIT_ASSERT_TRUE(test, here && there);
	/* Those with most objects first. */
	KUNIT_EXPECT_PTR_EQ(test, here, (const struct quarry_trace *)&t[0]);
	KUNIT_EXPECT_EQ(test, here->objects, 20);
	KUNIT_EXPECT_EQ(test, there->objects, 10);
	KUNIT_EXPECT_EQ(test, here->pid, task_pid_nr(current));
	KUNIT_EXPECT_GT(test, here->depth, 1);
	KUNIT_EXPECT_LE(test, here->age_min_ms, here->age_max_ms);
	KUNIT_EXPECT_TRUE(test, strstr(here->text, "owners_by_stack"));
	/* A frame a line, and no address in any. */
	KUNIT_EXPECT_FALSE(test, strstr(here->text, "ffff"));
	for (i = 0; i < 12; i++)
		freed_here(c, p[i]);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_traces(c, false, t, 1, &nr, &untraced));
	KUNIT_EXPECT_EQ(test, nr, 2);
	KUNIT_EXPECT_EQ(test, t[0].objects, 10);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_traces(c, true, t, 8, &nr, &untraced));
	KUNIT_EXPECT_EQ(test, nr, 1);
	KUNIT_EXPECT_EQ(test, untraced, 0);
	here = trace_of(t, 1, "freed_here");
	KUNIT_ASSERT_NOT_NULL(test, here);
	KUNIT_EXPECT_EQ(test, here->objects, 12);
	for (i = 12; i < 30; i++)
		quarry_cache_free(c, p[i]);
	quarry_cache_free(c, q);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_traces(c, false, t, 8, &nr, &untraced));
	KUNIT_EXPECT_EQ(test, nr + untraced, 0);
}

/* The kernel's store of stacks has a lock, so who waits for none leaves no stack. */
static void no_owner_without_a_lock(struct kunit *test)
{
	struct quarry_trace *t = kunit_kcalloc(test, 8, sizeof(*t), GFP_KERNEL);
	struct quarry_cache *c = quarry_test_near_cache(test, 64);
	u64 untraced;
	unsigned int nr;
	void *p, *q;

	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_OWNER));
	/* What was noted of the object's last life says nothing of this one. */
	freed_here(c, taken_here(c));
	p = quarry_cache_alloc_nolock(c, 0);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_traces(c, false, t, 8, &nr, &untraced));
	KUNIT_EXPECT_EQ(test, nr, 0);
	KUNIT_EXPECT_EQ(test, untraced, 1);
	q = taken_here(c);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_traces(c, false, t, 8, &nr, &untraced));
	KUNIT_EXPECT_EQ(test, nr, 1);
	quarry_cache_free_nolock(c, p);
	quarry_cache_free_nolock(c, q);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_traces(c, true, t, 8, &nr, &untraced));
	KUNIT_EXPECT_EQ(test, nr, 0);
}

/* An object goes out again at the earliest when 64 others have been freed. */
static void quarantine_delays(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_near_cache(test, 64);
	void *first, *p, *q[QUARRY_QUARANTINE + 8];
	unsigned int i, early = 0;

	/* Without it, the last in is the first out. */
	first = quarry_cache_alloc(c, GFP_KERNEL);
	quarry_cache_free(c, first);
	p = quarry_cache_alloc(c, GFP_KERNEL);
	quarry_cache_free(c, p);
	p = quarry_cache_alloc(c, GFP_KERNEL);
	quarry_cache_free(c, p);
	KUNIT_EXPECT_PTR_EQ(test, p, quarry_cache_alloc(c, GFP_KERNEL));
	quarry_cache_free(c, p);
	/* Who never had the mode on does not pay for it. */
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODES & ~QUARRY_MODE_QUARANTINE));
	KUNIT_EXPECT_NULL(test, quarry_cache_node_next(c, NULL)->quarantine);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_QUARANTINE));
	KUNIT_EXPECT_NOT_NULL(test, quarry_cache_node_next(c, NULL)->quarantine);
	first = quarry_cache_alloc(c, GFP_KERNEL);
	quarry_cache_free(c, first);
	for (i = 0; i < QUARRY_QUARANTINE - 1; i++) {
		p = quarry_cache_alloc(c, GFP_KERNEL);
		early += p == first;
		quarry_cache_free(c, p);
	}
	KUNIT_EXPECT_EQ(test, early, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
	/* The 64th pushes it out, to where the next comes from. */
	p = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_EXPECT_PTR_NE(test, p, first);
	quarry_cache_free(c, p);
	for (i = 0; i < ARRAY_SIZE(q); i++) {
		q[i] = quarry_cache_alloc(c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q[i]);
		early += q[i] == first;
	}
	KUNIT_EXPECT_EQ(test, early, 1);
	for (i = 0; i < ARRAY_SIZE(q); i++)
		quarry_cache_free(c, q[i]);
	/* Switched off, nothing is left waiting. */
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_CHECK));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(c));
}

/* Neighbours in time that are neighbours in memory, of 400. */
static unsigned int in_order(struct kunit *test, unsigned int modes)
{
	void **p = quarry_test_objects(test, 400);
	struct quarry_cache *c = quarry_test_near_cache(test, 64);
	unsigned int i, nr = 0;

	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, modes));
	quarry_test_take_objects(test, c, p, 400);
	for (i = 1; i < 400; i++)
		nr += p[i] == p[i - 1] + c->shape[!!modes].stride;
	quarry_test_give_objects(c, p, 400);
	return nr;
}

static void random_order_is_none(struct kunit *test)
{
	KUNIT_EXPECT_GT(test, in_order(test, 0), 300);
	KUNIT_EXPECT_GT(test, in_order(test, QUARRY_MODE_CHECK), 300);
	KUNIT_EXPECT_LT(test, in_order(test, QUARRY_MODE_RANDOM), 150);
}

/* Two modes in turn, for every pair: what the one wrote the other must not trip over. */
static void from_any_to_any(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 40);
	struct quarry_cache_stats *before = quarry_test_cache_stats(test, c);
	void *p[8];
	unsigned int i, k, modes;

	for (i = 0; i <= QUARRY_MODES; i++) {
		for (k = 0; k < 8; k++) {
			p[k] = quarry_cache_alloc(c, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p[k]);
			memset(p[k], i, 40);
		}
		/* Gray code and its opposite: one mode changes, and all but one. */
		modes = i ^ i >> 1;
		if (i & 1)
			modes = ~modes & QUARRY_MODES;
		KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, modes));
		for (k = 0; k < 8; k++)
			quarry_cache_free(c, p[k]);
	}
	quarry_test_cache_sound(test, c);
	quarry_test_only_cache_error(test, c, before, -1, 0);
}

static struct kunit_case cache_modes_cases[] = {
	KUNIT_CASE(what_is_refused),
	KUNIT_CASE(flags_of_creation_are_modes),
	KUNIT_CASE_PARAM(switched_with_objects_out, modes_gen_params),
	KUNIT_CASE(switched_under_load),
	KUNIT_CASE(poison_sees_a_write_after_free),
	KUNIT_CASE(poison_of_one_byte),
	KUNIT_CASE(redzones_see_both_sides),
	KUNIT_CASE(redzones_are_looked_at_where_they_were_written),
	KUNIT_CASE(owners_by_stack),
	KUNIT_CASE(no_owner_without_a_lock),
	KUNIT_CASE(quarantine_delays),
	KUNIT_CASE(random_order_is_none),
	KUNIT_CASE(from_any_to_any),
	{}
};

static struct kunit_suite cache_modes_suite = {
	.name = "quarry-cache-modes",
	.suite_init = quarry_test_parameters,
	.test_cases = cache_modes_cases,
};

kunit_test_suite(cache_modes_suite);
