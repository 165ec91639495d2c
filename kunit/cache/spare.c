// SPDX-License-Identifier: GPL-2.0
/*
 * What a pool that is out of memory gets from its caches: all that lies in magazines and
 * depots if slabs can go for it, and no more than it takes; nothing of other pools'; and
 * magazines that would be emptied for nothing stay as they are.
 *
 * The reaper may be quicker with what a test has left, but not each time.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "../../module/pages/visit.h"
#include "../cache_kunit.h"

#define TRIES	10
#define LEFT	20
#define CACHES	100
#define SIZE	512
#define LOOPS	100

/* The most caches that give up slabs together. */
#define ROUND	32

/* On this CPU: a magazine, and objects in it. The first time there is none to come by. */
static void leave_objects(void *arg)
{
	void *object[LEFT];
	unsigned int i, k;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < LEFT; i++)
			object[i] = quarry_cache_alloc(arg, GFP_KERNEL);
		for (i = 0; i < LEFT; i++)
			quarry_cache_free(arg, object[i]);
	}
}

/* A pool of its own memory, of the last CPU's node; the test runs on the first. */
static struct quarry_pool *pool_of(struct kunit *test, u64 bytes)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, bytes, bytes);

	quarry_test_pin(test, 0);
	return pool;
}

static bool has_any(struct quarry_cache *c, int cpu)
{
	return quarry_cpu_cache_has_any(per_cpu_ptr(c->cpu_cache, cpu));
}

static u64 slabs_of(struct quarry_cache *c)
{
	struct quarry_cache_node *n = NULL;
	u64 nr = 0;

	while ((n = quarry_cache_node_next(c, n)))
		nr += n->plain.nr_slabs;
	return nr;
}

static void what_lies_in_magazines_is_had(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 64, 0);
	int other = quarry_test_other_cpu(test);
	unsigned int nr;

	/* Objects of one slab lie with both CPUs: neither has them all. */
	leave_objects(c);
	quarry_test_on_cpu(test, other, leave_objects, c);
	nr = quarry_test_take_all(test, pool, GFP_NOWAIT, 0, pages, FRAMES(SZ_4M) + 1);
	nr += quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages + nr,
				   FRAMES(SZ_4M) + 1 - nr);
	KUNIT_EXPECT_EQ(test, nr, FRAMES(SZ_4M));
	quarry_test_give_all(pool, 0, pages, nr);
}

static void what_lies_in_depots_is_had(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 64, 0);
	void **objects = quarry_test_objects(test, 1000);
	unsigned int nr, i;

	for (i = 0; i < 2; i++) {
		quarry_test_take_objects(test, c, objects, 1000);
		quarry_test_give_objects(c, objects, 1000);
	}
	nr = quarry_test_take_all(test, pool, GFP_NOWAIT, 0, pages, FRAMES(SZ_4M) + 1);
	nr += quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages + nr,
				   FRAMES(SZ_4M) + 1 - nr);
	KUNIT_EXPECT_EQ(test, nr, FRAMES(SZ_4M));
	KUNIT_EXPECT_EQ(test, slabs_of(c), 0);
	quarry_test_give_all(pool, 0, pages, nr);
}

/* Of each page that has an object of these, the first stays out. Returns how many. */
static unsigned int keep_one_a_page(struct quarry_cache *c, void **objects, unsigned int nr)
{
	unsigned int i, k, kept = 0;

	for (i = 0; i < nr; i++) {
		for (k = 0; k < kept; k++)
			if (!(((unsigned long)objects[i] ^ (unsigned long)objects[k]) & PAGE_MASK))
				break;
		if (k < kept)
			continue;
		swap(objects[kept], objects[i]);
		kept++;
	}
	for (i = kept; i < nr; i++)
		quarry_cache_free(c, objects[i]);
	return kept;
}

/* Are the magazines of both CPUs as they were after an allocation that fails? */
static bool fails_for_nothing(struct kunit *test, struct quarry_pool *pool,
			      struct quarry_cache *c, int other)
{
	u64 made;
	bool had;

	leave_objects(c);
	quarry_test_on_cpu(test, other, leave_objects, c);
	had = has_any(c, 0) && has_any(c, other);
	made = quarry_visits_made(other);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 9));
	return had && has_any(c, 0) && has_any(c, other) && quarry_visits_made(other) == made;
}

static void what_brings_nothing_stays(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 64, 0);
	void **objects = quarry_test_objects(test, 300);
	int other = quarry_test_other_cpu(test);
	unsigned int tries, nr, kept;

	quarry_test_take_objects(test, c, objects, 300);
	kept = keep_one_a_page(c, objects, 300);
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, FRAMES(SZ_4M) + 1);
	for (tries = 0; tries < TRIES; tries++)
		if (fails_for_nothing(test, pool, c, other))
			break;
	KUNIT_EXPECT_LT(test, tries, TRIES);
	quarry_test_give_all(pool, 0, pages, nr);
	quarry_test_give_objects(c, objects, kept);
}

static void caches_of_other_pools_keep_theirs(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M), *another = pool_of(test, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct quarry_cache *c = quarry_test_cache_in(test, another, 64, 0);
	int other = quarry_test_other_cpu(test);
	unsigned int tries, nr;

	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, FRAMES(SZ_4M) + 1);
	for (tries = 0; tries < TRIES; tries++)
		if (fails_for_nothing(test, pool, c, other))
			break;
	KUNIT_EXPECT_LT(test, tries, TRIES);
	quarry_test_give_all(pool, 0, pages, nr);
}

static void no_more_than_it_takes(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct quarry_cache **c = kunit_kcalloc(test, CACHES, sizeof(*c), GFP_KERNEL);
	unsigned int tries, nr, i, left = 0, more;

	KUNIT_ASSERT_NOT_NULL(test, c);
	for (i = 0; i < CACHES; i++)
		c[i] = quarry_test_cache_in(test, pool, 64, 0);
	for (tries = 0; tries < TRIES; tries++) {
		for (i = 0; i < CACHES; i++)
			leave_objects(c[i]);
		nr = quarry_test_take_all(test, pool, GFP_NOWAIT, 0, pages,
					  FRAMES(SZ_4M) + 1);
		pages[nr] = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 0);
		more = !!pages[nr];
		for (i = 0, left = 0; i < CACHES; i++)
			left += !!slabs_of(c[i]);
		quarry_test_give_all(pool, 0, pages, nr + more);
		if (more && left >= CACHES / 2)
			break;
	}
	KUNIT_EXPECT_LT_MSG(test, tries, TRIES, "%u of %u caches have kept theirs", left, CACHES);
}

/* Objects of a cache until there is no more. Returns how many there are then. */
static unsigned int take_the_rest(struct quarry_cache *c, void **objects, unsigned int nr,
				  unsigned int most)
{
	while (nr < most) {
		objects[nr] = quarry_cache_alloc(c, GFP_KERNEL | __GFP_NOWARN);
		if (!objects[nr])
			break;
		nr++;
	}
	return nr;
}

/* No object is refused while another CPU has some, though no slab would be complete. */
static void what_other_cpus_have_of_a_cache_is_had(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 64, 0);
	void **objects = quarry_test_objects(test, 2000);
	int other = quarry_test_other_cpu(test);
	unsigned int tries, nr, kept, lacks = 1;
	struct quarry_cache_stats *st;

	quarry_test_take_objects(test, c, objects, 300);
	kept = keep_one_a_page(c, objects, 300);
	quarry_test_on_cpu(test, other, leave_objects, c);
	nr = quarry_test_take_all(test, pool, GFP_NOWAIT, 0, pages, FRAMES(SZ_4M) + 1);
	/* The reaper may have some in its hands at a moment. */
	for (tries = 0; tries < TRIES && lacks; tries++) {
		kept = take_the_rest(c, objects, kept, 2000);
		st = quarry_test_cache_stats(test, c);
		lacks = st->magazine_bytes + st->partial_bytes;
	}
	KUNIT_EXPECT_EQ(test, lacks, 0);
	KUNIT_EXPECT_LT(test, kept, 2000);
	quarry_test_give_all(pool, 0, pages, nr);
	quarry_test_give_objects(c, objects, kept);
}

static u32 in_depots(struct quarry_cache *c)
{
	struct quarry_cache_node *n = NULL;
	u32 nr = 0;

	while ((n = quarry_cache_node_next(c, n)))
		nr += READ_ONCE(n->depot.nr_full);
	return nr;
}

/* Fill the depot of @c, which keeps all its slabs, and have an object of another refused. */
static bool refused_for_nothing(struct kunit *test, struct quarry_cache *c,
				struct quarry_cache *another, void **objects, unsigned int most)
{
	unsigned int nr;
	u32 before;

	for (nr = 0; nr < most; nr++) {
		objects[nr] = quarry_cache_alloc(c, GFP_NOWAIT | __GFP_NOWARN);
		if (!objects[nr])
			break;
	}
	quarry_test_give_objects(c, objects, nr);
	before = in_depots(c);
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(another, GFP_KERNEL | __GFP_NOWARN));
	return before && in_depots(c) == before;
}

static void depots_that_bring_nothing_stay(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 64, 0);
	struct quarry_cache *another = quarry_test_cache_in(test, pool, 64, 0);
	void **objects = quarry_test_objects(test, 400);
	unsigned int tries, nr, kept;

	quarry_test_take_objects(test, c, objects, 400);
	kept = keep_one_a_page(c, objects, 400);
	nr = quarry_test_take_all(test, pool, GFP_NOWAIT, 0, pages, FRAMES(SZ_4M) + 1);
	for (tries = 0; tries < TRIES; tries++)
		if (refused_for_nothing(test, c, another, objects + kept, 400 - kept))
			break;
	KUNIT_EXPECT_LT(test, tries, TRIES);
	quarry_test_give_all(pool, 0, pages, nr);
	quarry_test_give_objects(c, objects, kept);
}

/* Is an object refused that only the other CPU has, without a visit there? */
static bool asks_nobody(struct kunit *test, struct quarry_cache *c, int other, void **objects,
			unsigned int room)
{
	unsigned int nr;
	void *object;
	bool nobody;
	u64 made;

	quarry_test_on_cpu(test, other, leave_objects, c);
	nr = quarry_test_exhaust(test, c, GFP_NOWAIT, objects, room);
	made = quarry_visits_made(other);
	object = quarry_cache_alloc(c, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	nobody = !object && has_any(c, other) && quarry_visits_made(other) == made;
	quarry_cache_free(c, object);
	quarry_test_give_objects(c, objects, nr);
	return nobody;
}

static void who_tries_lightly_asks_no_other_cpu(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 64, 0);
	void **objects = quarry_test_objects(test, 2001);
	int other = quarry_test_other_cpu(test);
	unsigned int tries, nr;

	quarry_test_on_cpu(test, other, leave_objects, c);
	nr = quarry_test_take_all(test, pool, GFP_NOWAIT, 0, pages, FRAMES(SZ_4M) + 1);
	for (tries = 0; tries < TRIES; tries++)
		if (asks_nobody(test, c, other, objects, 2001))
			break;
	KUNIT_EXPECT_LT(test, tries, TRIES);
	quarry_test_give_all(pool, 0, pages, nr);
}

/* All memory of @pool lies in empty slabs of @c, and in magazines. */
static void fill_with_objects(struct kunit *test, struct quarry_cache *c, void **objects,
			      unsigned int room)
{
	unsigned int nr = quarry_test_exhaust(test, c, GFP_NOWAIT, objects, room);

	quarry_test_give_objects(c, objects, nr);
}

/* Those whose pages come after a grace period are waited for. */
static void typesafe_slabs_are_had(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_1M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_1M) + 1);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, SIZE, SLAB_TYPESAFE_BY_RCU);
	void **objects = quarry_test_objects(test, SZ_1M / SIZE + 1);
	unsigned int nr;

	fill_with_objects(test, c, objects, SZ_1M / SIZE + 1);
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, FRAMES(SZ_1M) + 1);
	KUNIT_EXPECT_EQ(test, nr, FRAMES(SZ_1M));
	quarry_test_give_all(pool, 0, pages, nr);
	/* They are on their way already, and an object is asked for. */
	fill_with_objects(test, c, objects, SZ_1M / SIZE + 1);
	quarry_cache_reap(c, false);
	objects[0] = quarry_cache_alloc(c, GFP_KERNEL | __GFP_NOWARN);
	KUNIT_EXPECT_NOT_NULL(test, objects[0]);
	quarry_cache_free(c, objects[0]);
}

struct maker {
	struct completion made;
	struct completion done;
	bool stop;
};

static int make_and_unmake(void *data)
{
	struct maker *m = data;
	struct quarry_cache *c;

	do {
		c = quarry_cache_create("kunit-spare-maker", 64, 0, 0, NULL);
		if (!IS_ERR(c))
			quarry_cache_destroy(c);
		complete(&m->made);
		cond_resched();
	} while (!READ_ONCE(m->stop));
	complete(&m->done);
	return 0;
}

static void start_making(struct kunit *test, struct maker *m)
{
	struct task_struct *task = kthread_create(make_and_unmake, m, "quarry-maker");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	init_completion(&m->made);
	init_completion(&m->done);
	kthread_bind(task, quarry_test_other_cpu(test));
	wake_up_process(task);
	wait_for_completion(&m->made);
}

static bool has_a_block(struct quarry_pool *pool)
{
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 3);

	if (page)
		quarry_free_pages(pool, page, 3);
	return page;
}

/* Somebody makes caches while another goes over them; and while memory is asked for. */
static void who_makes_caches_keeps_no_memory_from_others(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_256K);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, SIZE, 0);
	void **objects = quarry_test_objects(test, SZ_256K / SIZE + 1);
	unsigned int i, refused = 0;
	struct quarry_cache_round round = {};
	struct maker m = {};

	fill_with_objects(test, c, objects, SZ_256K / SIZE + 1);
	KUNIT_EXPECT_TRUE(test, quarry_caches_look_round(&round, NULL));
	start_making(test, &m);
	KUNIT_EXPECT_TRUE(test, has_a_block(pool));
	while (quarry_caches_look_round(&round, NULL))
		;
	for (i = 0; i < LOOPS; i++) {
		fill_with_objects(test, c, objects, SZ_256K / SIZE + 1);
		refused += !has_a_block(pool);
	}
	KUNIT_EXPECT_EQ(test, refused, 0);
	WRITE_ONCE(m.stop, true);
	wait_for_completion(&m.done);
}

struct customer {
	struct quarry_cache **c;
	struct completion done;
	bool stop;
};

/* A CPU whose magazines are in use: each time that slabs go they are emptied. */
static int use_all(void *data)
{
	struct customer *u = data;
	unsigned int i;

	while (!READ_ONCE(u->stop)) {
		for (i = 0; i < CACHES; i++)
			quarry_cache_free(u->c[i], quarry_cache_alloc(u->c[i], GFP_NOWAIT));
		usleep_range(100, 200);
	}
	complete(&u->done);
	return 0;
}

/* Several slabs of each cache that are empty, until the reaper comes by. */
static void leave_slabs(struct kunit *test, struct quarry_cache **c)
{
	void **objects = quarry_test_objects(test, 200);
	unsigned int i;

	for (i = 0; i < CACHES; i++) {
		quarry_test_take_objects(test, c[i], objects, 200);
		quarry_test_give_objects(c[i], objects, 200);
	}
	quarry_cpu_cache_drain_cpus(c, CACHES, QUARRY_FOREVER);
}

/* How many depots are disabled; *@left: caches that have not given up a slab. */
static unsigned int look_at_depots(struct quarry_cache **c, unsigned int *left)
{
	struct quarry_cache_node *n;
	unsigned int i, disabled = 0;
	u64 gone;

	*left = 0;
	for (i = 0; i < CACHES; i++) {
		gone = 0;
		for (n = NULL; (n = quarry_cache_node_next(c[i], n));) {
			disabled += READ_ONCE(n->depot.disabled);
			gone += READ_ONCE(n->shrinks);
		}
		*left += !gone;
	}
	return disabled;
}

/* Depots that are disabled keep CPUs from their magazines. */
static void few_depots_are_disabled_at_a_time(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M);
	struct quarry_cache **c = kunit_kcalloc(test, CACHES, sizeof(*c), GFP_KERNEL);
	unsigned long until = jiffies + 60 * HZ;
	unsigned int i, most = 0, left = 1;
	struct customer u = { .c = c };
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, c);
	for (i = 0; i < CACHES; i++)
		c[i] = quarry_test_cache_in(test, pool, 64, 0);
	leave_slabs(test, c);
	init_completion(&u.done);
	task = kthread_create(use_all, &u, "quarry-user");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	kthread_bind(task, quarry_test_other_cpu(test));
	wake_up_process(task);
	while (left && time_before(jiffies, until)) {
		most = max(most, look_at_depots(c, &left));
		usleep_range(50, 100);
	}
	WRITE_ONCE(u.stop, true);
	wait_for_completion(&u.done);
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_LE(test, most, ROUND);
	kunit_info(test, "%u depots were disabled at once", most);
}

/* Is it among those that are asked? */
static bool is_asked(const struct quarry_cache *c)
{
	return !list_empty(&c->holding);
}

static void caches_without_slabs_are_not_asked(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct quarry_cache *c[3];
	unsigned int nr, i;
	void *one, *other;

	for (i = 0; i < ARRAY_SIZE(c); i++)
		c[i] = quarry_test_cache_in(test, pool, 64, 0);
	one = quarry_cache_alloc(c[1], GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, one);
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, FRAMES(SZ_4M) + 1);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 0));
	KUNIT_EXPECT_FALSE(test, is_asked(c[0]));
	KUNIT_EXPECT_TRUE(test, is_asked(c[1]));
	KUNIT_EXPECT_FALSE(test, is_asked(c[2]));
	quarry_test_give_all(pool, 0, pages, nr);
	/* With its first slab it is. */
	other = quarry_cache_alloc(c[2], GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, other);
	KUNIT_EXPECT_FALSE(test, is_asked(c[0]));
	KUNIT_EXPECT_TRUE(test, is_asked(c[2]));
	quarry_cache_free(c[1], one);
	quarry_cache_free(c[2], other);
}

static u32 in_quarantine(struct quarry_cache *c)
{
	struct quarry_cache_node *n = NULL;
	u32 nr = 0;

	while ((n = quarry_cache_node_next(c, n)))
		nr += READ_ONCE(n->quarantine_n);
	return nr;
}

/* Nothing is out, so nothing may be refused: not an object, however light, nor a page. */
static void what_waits_in_quarantine_is_had(struct kunit *test)
{
	static const gfp_t how[] = { GFP_NOWAIT, GFP_KERNEL | __GFP_NORETRY, GFP_KERNEL };
	struct quarry_pool *pool = pool_of(test, SZ_1M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_1M) + 1);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, SZ_16K, 0);
	void **objects = quarry_test_objects(test, SZ_1M / SZ_16K + 1);
	unsigned int nr, i, again;

	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_QUARANTINE));
	nr = quarry_test_exhaust(test, c, GFP_KERNEL, objects, SZ_1M / SZ_16K + 1);
	KUNIT_ASSERT_GT(test, nr, 0);
	quarry_test_give_objects(c, objects, nr);
	KUNIT_EXPECT_EQ(test, in_quarantine(c), nr);
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		again = quarry_test_exhaust(test, c, how[i], objects, SZ_1M / SZ_16K + 1);
		/* The pool may have got slabs back, and smaller ones hold a few fewer. */
		KUNIT_EXPECT_GE_MSG(test, again, nr - nr / 8, "way %u", i);
		quarry_test_give_objects(c, objects, again);
	}
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, FRAMES(SZ_1M) + 1);
	KUNIT_EXPECT_EQ(test, nr, FRAMES(SZ_1M));
	KUNIT_EXPECT_EQ(test, in_quarantine(c), 0);
	quarry_test_give_all(pool, 0, pages, nr);
	/* And on request. */
	objects[0] = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, objects[0]);
	quarry_cache_free(c, objects[0]);
	KUNIT_EXPECT_EQ(test, in_quarantine(c), 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(c));
}

/* It is not given up for nothing: no slab would be complete. */
static void quarantine_that_brings_nothing_stays(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 64, 0);
	void **objects = quarry_test_objects(test, 300);
	unsigned int nr, kept;

	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_QUARANTINE));
	quarry_test_take_objects(test, c, objects, 300);
	kept = keep_one_a_page(c, objects, 300);
	KUNIT_EXPECT_EQ(test, in_quarantine(c), QUARRY_QUARANTINE);
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, FRAMES(SZ_4M) + 1);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 9));
	KUNIT_EXPECT_EQ(test, in_quarantine(c), QUARRY_QUARANTINE);
	quarry_test_give_all(pool, 0, pages, nr);
	quarry_test_give_objects(c, objects, kept);
}

/* Times that slabs are counted in, until 16 bits have had them all. */
#define TIMES		65536U

/*
 * What a slab lacked when it was last counted is true of that time alone, however long ago it
 * was: here one object of each slab is out at first, and then ten more are.
 */
static void old_counts_are_forgotten(struct kunit *test)
{
	struct quarry_pool *pool = pool_of(test, SZ_4M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 64, 0);
	struct quarry_cache *another = quarry_test_cache_in(test, pool, 64, 0);
	void **objects = quarry_test_objects(test, 300), **more = quarry_test_objects(test, 10);
	unsigned int kept, i;

	quarry_test_take_objects(test, c, objects, 300);
	kept = keep_one_a_page(c, objects, 300);
	KUNIT_EXPECT_FALSE(test, quarry_cache_is_reclaimable(c));
	leave_objects(another);
	for (i = 1; i < TIMES; i++) {
		/* So that the reaper does not find the magazines idle. */
		if (!(i % 256)) {
			quarry_cache_free(c, quarry_cache_alloc(c, GFP_NOWAIT));
			leave_objects(another);
			cond_resched();
		}
		quarry_cache_is_reclaimable(another);
	}
	quarry_test_take_objects(test, c, more, 10);
	KUNIT_EXPECT_FALSE(test, quarry_cache_is_reclaimable(c));
	quarry_test_give_objects(c, more, 10);
	quarry_test_give_objects(c, objects, kept);
}

static struct kunit_case spare_cases[] = {
	KUNIT_CASE(what_lies_in_magazines_is_had),
	KUNIT_CASE(what_lies_in_depots_is_had),
	KUNIT_CASE(what_brings_nothing_stays),
	KUNIT_CASE(caches_of_other_pools_keep_theirs),
	KUNIT_CASE(no_more_than_it_takes),
	KUNIT_CASE(what_other_cpus_have_of_a_cache_is_had),
	KUNIT_CASE(depots_that_bring_nothing_stay),
	KUNIT_CASE(who_tries_lightly_asks_no_other_cpu),
	KUNIT_CASE(typesafe_slabs_are_had),
	KUNIT_CASE(who_makes_caches_keeps_no_memory_from_others),
	KUNIT_CASE(few_depots_are_disabled_at_a_time),
	KUNIT_CASE(caches_without_slabs_are_not_asked),
	KUNIT_CASE(what_waits_in_quarantine_is_had),
	KUNIT_CASE(quarantine_that_brings_nothing_stays),
	KUNIT_CASE(old_counts_are_forgotten),
	{}
};

static struct kunit_suite spare_suite = {
	.name = "quarry-spare",
	.suite_init = quarry_test_parameters,
	.test_cases = spare_cases,
};

kunit_test_suite(spare_suite);
