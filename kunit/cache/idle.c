// SPDX-License-Identifier: GPL-2.0
/*
 * What comes after a long time: when nothing lies idle anywhere, the decay of lists and the
 * reaper of caches do not come by any more. What is freed then must bring them back, however
 * little it is, or it stays for ever.
 */
#include <linux/delay.h>

#include "../cache_kunit.h"

#define OBJECTS	2000

/* More often than not they come by every two seconds; a busy host may take its time. */
#define LOOKS	400
#define LOOK_MS	100

/* Longer than from the last thing that is found to the last time that nothing is. */
#define QUIET_MS	7000

static bool is_watched(struct quarry_pool *pool)
{
	return quarry_pcp_is_watched(raw_cpu_ptr(pool->pcp));
}

static u64 left_here(struct quarry_pool *pool)
{
	return quarry_pcp_frames(raw_cpu_ptr(pool->pcp));
}

static void a_few_frees_are_found(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct page **pages = quarry_test_pages(test, 100);
	unsigned int nr, i, round;

	nr = quarry_alloc_pages_bulk(pool, GFP_KERNEL, 0, 100, pages);
	KUNIT_ASSERT_EQ(test, nr, 100);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < LOOKS && (is_watched(pool) || left_here(pool)); i++)
			msleep(LOOK_MS);
		KUNIT_ASSERT_FALSE(test, is_watched(pool));
		KUNIT_ASSERT_EQ(test, left_here(pool), 0);
		nr -= 3;
		quarry_test_give_all(pool, 0, pages + nr, 3);
		KUNIT_EXPECT_TRUE(test, is_watched(pool));
		KUNIT_EXPECT_EQ(test, left_here(pool), 3);
	}
	for (i = 0; i < LOOKS && left_here(pool); i++)
		msleep(LOOK_MS);
	KUNIT_EXPECT_EQ(test, left_here(pool), 0);
	quarry_test_give_all(pool, 0, pages, nr);
}

static u64 slabs_of(struct quarry_cache *c, bool empty)
{
	struct quarry_cache_node *n = NULL;
	u64 nr = 0;

	while ((n = quarry_cache_node_next(c, n)))
		nr += empty ? n->plain.nr_empty + n->guarded.nr_empty :
			      n->plain.nr_slabs + n->guarded.nr_slabs;
	return nr;
}

static bool has_idle(struct quarry_cache *c)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (quarry_cpu_cache_has_any(per_cpu_ptr(c->cpu_cache, cpu)))
			return true;
	return slabs_of(c, true);
}

/* Through magazines, and, where a mode has them disabled, at once. */
static void slabs_that_become_empty_are_found(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_16M);
	struct quarry_cache *c[2];
	void **objects[2];
	unsigned int i, k;

	for (k = 0; k < 2; k++) {
		c[k] = quarry_test_cache_in(test, pool, 512, 0);
		objects[k] = quarry_test_objects(test, OBJECTS);
	}
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c[1], QUARRY_MODE_POISON));
	for (k = 0; k < 2; k++)
		quarry_test_take_objects(test, c[k], objects[k], OBJECTS);
	for (i = 0; i < LOOKS && (has_idle(c[0]) || has_idle(c[1])); i++)
		msleep(LOOK_MS);
	msleep(QUIET_MS);
	for (k = 0; k < 2; k++) {
		KUNIT_ASSERT_FALSE(test, has_idle(c[k]));
		quarry_test_give_objects(c[k], objects[k], OBJECTS);
		for (i = 0; i < LOOKS && slabs_of(c[k], false); i++)
			msleep(LOOK_MS);
		KUNIT_EXPECT_EQ(test, slabs_of(c[k], false), 0);
		msleep(QUIET_MS);
	}
}

static struct kunit_case idle_cases[] = {
	KUNIT_CASE(a_few_frees_are_found),
	KUNIT_CASE(slabs_that_become_empty_are_found),
	{}
};

static struct kunit_suite idle_suite = {
	.name = "quarry-idle",
	.suite_init = quarry_test_parameters,
	.test_cases = idle_cases,
};

kunit_test_suite(idle_suite);
