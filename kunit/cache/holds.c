// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody holds a raw lock for as long as there is of anything.
 *
 * What grows with slabs, with objects or with blocks that were freed where the lock could
 * not be had is done in parts. How many parts is told by a counter of a node's holds, or by
 * what is done after one hold of a zone.
 */
#include <linux/mm.h>

#include "../cache_kunit.h"

/* As module/cache/slabs.c and module/pages/zone.c have it: most frees in one hold. */
#define DEFERRED		128U

#define SIZE		1024
#define MANY		2600U
#define PAGES		300U

#ifdef CONFIG_X86_LOCAL_APIC

struct deferred {
	struct quarry_pool *pool;
	struct page **page;
	unsigned int nr;
};

static void free_in_nmi(void *arg)
{
	struct deferred *l = arg;
	unsigned int i;

	for (i = 0; i < l->nr; i++)
		quarry_free_pages(l->pool, l->page[i], 0);
}

/* Pages of a pool, freed while its zone is locked. */
static void defer_pages(struct kunit *test, struct deferred *l)
{
	struct quarry_zone *z = l->pool->zone[l->pool->node];
	unsigned long flags;
	unsigned int i;
	bool ran;
	long is;

	KUNIT_ASSERT_EQ(test, 0, quarry_test_nmi_init());
	for (i = 0; i < l->nr; i++) {
		l->page[i] = quarry_alloc_pages(l->pool, GFP_KERNEL, 0);
		KUNIT_EXPECT_NOT_NULL(test, l->page[i]);
	}
	quarry_pool_drain(l->pool);
	preempt_disable();
	KUNIT_EXPECT_TRUE(test, quarry_pcp_enter(this_cpu_ptr(l->pool->pcp)));
	quarry_zone_lock(z, &flags);
	ran = quarry_test_in_nmi(free_in_nmi, l);
	is = atomic_long_read(&z->nr_deferred);
	quarry_zone_unlock(z, flags);
	quarry_pcp_leave(this_cpu_ptr(l->pool->pcp));
	preempt_enable();
	quarry_test_nmi_exit();
	KUNIT_EXPECT_TRUE(test, ran);
	KUNIT_EXPECT_EQ(test, is, l->nr);
}

/* They are returned, some more with each hold of the lock. */
static void deferred_pages_come_in_parts(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct deferred l = { .pool = pool, .page = quarry_test_pages(test, PAGES), .nr = PAGES };
	struct quarry_zone *z = pool->zone[pool->node];
	unsigned int holds = 0;
	unsigned long flags;
	long was, is = PAGES;

	defer_pages(test, &l);
	while (is && holds < PAGES) {
		was = is;
		KUNIT_EXPECT_TRUE(test, quarry_zone_lock(z, &flags));
		is = atomic_long_read(&z->nr_deferred);
		quarry_zone_unlock(z, flags);
		KUNIT_EXPECT_LE(test, was - is, DEFERRED);
		holds++;
	}
	KUNIT_EXPECT_GE(test, holds, DIV_ROUND_UP(PAGES, DEFERRED));
	KUNIT_EXPECT_LE(test, holds, DIV_ROUND_UP(PAGES, DEFERRED) + 1);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->allocated_bytes, 0);
}

/* However many they are, who needs them all does not fail, and they are not counted as out. */
static void deferred_pages_are_free(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct deferred l = { .pool = pool, .nr = SZ_4M / PAGE_SIZE };
	/* The floor may have come in pieces. */
	unsigned int order = quarry_test_stats(test, pool)->largest_order;
	struct page *page;

	l.page = quarry_test_pages(test, l.nr);
	defer_pages(test, &l);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->allocated_bytes, 0);
	defer_pages(test, &l);
	page = quarry_alloc_pages(pool, GFP_NOWAIT, order);
	KUNIT_EXPECT_NOT_NULL(test, page);
	if (page)
		quarry_free_pages(pool, page, order);
}
#endif

/* Objects likewise, of many slabs and many of one. */
static void late_objects_come_in_parts(struct kunit *test)
{
	static const unsigned int sizes[] = { 8, SIZE };
	void **p = quarry_test_objects(test, PAGES);
	unsigned int i, k, holds;
	struct quarry_cache_node *n;
	struct quarry_cache *c;
	unsigned long flags;
	u64 was, is;

	for (k = 0; k < ARRAY_SIZE(sizes); k++) {
		c = quarry_test_near_cache(test, sizes[k]);
		quarry_test_take_objects(test, c, p, PAGES);
		quarry_cpu_cache_drain_cpus(&c, 1, QUARRY_FOREVER);
		n = quarry_cpu_cache_node(quarry_test_cpu_cache(c));
		preempt_disable();
		KUNIT_EXPECT_TRUE(test, quarry_cpu_cache_enter(quarry_test_cpu_cache(c)));
		quarry_node_lock(n, &flags, false);
		is = n->plain.nr_free;
		for (i = 0; i < PAGES; i++)
			quarry_cache_free_nolock(c, p[i]);
		KUNIT_EXPECT_EQ(test, n->plain.nr_free, is);
		quarry_node_unlock(n, flags);
		quarry_cpu_cache_leave(quarry_test_cpu_cache(c));
		preempt_enable();
		for (holds = 0, i = 0; i < PAGES && holds < PAGES; holds++) {
			was = is;
			quarry_node_lock(n, &flags, false);
			is = n->plain.nr_free;
			quarry_node_unlock(n, flags);
			KUNIT_EXPECT_LE(test, is - was, DEFERRED);
			i += is - was;
		}
		KUNIT_EXPECT_EQ(test, i, PAGES);
		KUNIT_EXPECT_GE(test, holds, DIV_ROUND_UP(PAGES, DEFERRED));
		KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
		KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(c));
	}
}

/* A cache whose objects are out, of many slabs. */
static struct quarry_cache *with_many_slabs(struct kunit *test, void **p, unsigned int modes)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_32M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, SIZE, 0);

	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, modes));
	quarry_test_take_objects(test, c, p, MANY);
	KUNIT_ASSERT_GT(test, quarry_test_cache_stats(test, c)->slabs, 64);
	return c;
}

static void the_validator_lets_others_in(struct kunit *test)
{
	void **p = quarry_test_objects(test, MANY);
	struct quarry_cache *c = with_many_slabs(test, p, 0);
	struct quarry_cache_node *n = quarry_cpu_cache_node(quarry_test_cpu_cache(c));
	struct quarry_slab *slab;
	u64 holds = READ_ONCE(n->holds);

	KUNIT_EXPECT_EQ(test, 0, quarry_test_cache_violations(test, c, ""));
	/* Of 512 objects each, and one or two for what is not in slabs. */
	KUNIT_EXPECT_GE(test, READ_ONCE(n->holds) - holds, MANY / 512 + 1);
	/* What is wrong with the last one, or with the sums, is found all the same. */
	preempt_disable();
	slab = &quarry_page_slab_of(p[0])->slab;
	preempt_enable();
	slab->nfree++;
	KUNIT_EXPECT_GT(test, quarry_test_cache_violations(test, c, NULL), 0);
	slab->nfree--;
	n->plain.nr_free++;
	KUNIT_EXPECT_EQ(test, 1, quarry_test_cache_violations(test, c, "the sums are wrong"));
	n->plain.nr_free--;
	n->plain.nr_slabs++;
	KUNIT_EXPECT_EQ(test, 1, quarry_test_cache_violations(test, c, "the sums are wrong"));
	n->plain.nr_slabs--;
	quarry_test_give_objects(c, p, MANY);
	/* With many magazines too: none is lost, and what is in them is looked at. */
	KUNIT_EXPECT_EQ(test, 0, quarry_test_cache_violations(test, c, ""));
}

static void busy_work(struct kunit *test, struct quarry_cache *c, u64 *seed, void **p,
		      unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < 200; i++) {
		unsigned int at = quarry_test_random(seed, nr);

		quarry_cache_free(c, p[at]);
		p[at] = quarry_cache_alloc(c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[at]);
	}
}

struct validating {
	struct work_struct work;
	struct quarry_cache *c;
	bool stop;
	u64 rounds;
	u64 violations;
};

static void validating(struct work_struct *work)
{
	struct validating *v = container_of(work, struct validating, work);
	char what[64];

	while (!READ_ONCE(v->stop)) {
		v->violations += quarry_cache_validate(v->c, what, sizeof(what));
		v->rounds++;
		cond_resched();
	}
}

/* Slabs that come, go and change places while it looks are no violations. */
static void the_validator_looks_at_what_is_in_use(struct kunit *test)
{
	void **p = quarry_test_objects(test, MANY);
	struct quarry_cache *c = with_many_slabs(test, p, 0);
	struct validating v = { .c = c };
	u64 seed = quarry_test_seed;
	unsigned int round;

	INIT_WORK_ONSTACK(&v.work, validating);
	queue_work(quarry_any_cpu_wq, &v.work);
	for (round = 0; round < 20; round++) {
		busy_work(test, c, &seed, p, MANY);
		quarry_cache_shrink(c);
	}
	WRITE_ONCE(v.stop, true);
	flush_work(&v.work);
	destroy_work_on_stack(&v.work);
	KUNIT_EXPECT_EQ(test, v.violations, 0);
	KUNIT_EXPECT_GT(test, v.rounds, 0);
	quarry_test_give_objects(c, p, MANY);
}

static void owners_are_gathered_in_parts(struct kunit *test)
{
	struct quarry_trace *t = kunit_kcalloc(test, 8, sizeof(*t), GFP_KERNEL);
	void **p = quarry_test_objects(test, MANY);
	struct quarry_cache *c = with_many_slabs(test, p, QUARRY_MODE_OWNER);
	struct quarry_cache_node *n = quarry_cpu_cache_node(quarry_test_cpu_cache(c));
	u64 holds = READ_ONCE(n->holds), untraced, all = 0;
	unsigned int nr, i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_traces(c, false, t, 8, &nr, &untraced));
	for (i = 0; i < min(nr, 8U); i++)
		all += t[i].objects;
	KUNIT_EXPECT_EQ(test, all, MANY);
	KUNIT_EXPECT_EQ(test, untraced, 0);
	KUNIT_EXPECT_GE(test, READ_ONCE(n->holds) - holds, MANY / 512 + 1);
	quarry_test_give_objects(c, p, MANY);
}

/* Objects that were written to while free, of many slabs, go back one slab at a time. */
static void lost_objects_come_back_in_parts(struct kunit *test)
{
	void **p = quarry_test_objects(test, MANY);
	struct quarry_cache *c = with_many_slabs(test, p, QUARRY_MODE_POISON);
	struct quarry_cache_node *n = quarry_cpu_cache_node(quarry_test_cpu_cache(c));
	unsigned int i, lost;

	for (i = 0; i < MANY; i++)
		quarry_cache_free(c, p[i]);
	/* One of each slab, or more. */
	for (i = 0; i < MANY; i += 3)
		quarry_test_unseen(*(u8 *)p[i] = 0);
	for (i = 0; i < MANY; i++) {
		p[i] = quarry_cache_alloc(c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	lost = atomic_read(&n->lost);
	KUNIT_EXPECT_GT(test, lost, 64);
	quarry_test_give_objects(c, p, MANY);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
	KUNIT_EXPECT_FALSE(test, llist_empty(&n->lost_slabs));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(c));
	quarry_test_forget_cache(test, c);
}

static u64 list_count(const struct list_head *list)
{
	const struct list_head *at;
	u64 nr = 0;

	list_for_each(at, list)
		nr++;
	return nr;
}

/* What the file of slabs shows is counted, and is what a walk would find. */
static void slabs_are_counted_by_place(struct kunit *test)
{
	void **p = quarry_test_objects(test, MANY);
	struct quarry_cache *c = with_many_slabs(test, p, 0);
	struct quarry_cache_node *n = quarry_cpu_cache_node(quarry_test_cpu_cache(c));
	struct quarry_cache_fill fill;
	u64 seed = quarry_test_seed;
	unsigned int i, k, at;
	unsigned long flags;
	u64 partial, found;

	for (i = 0; i < MANY / 2; i++) {
		at = quarry_test_random(&seed, MANY - i);
		quarry_cache_free(c, p[at]);
		p[at] = p[MANY - i - 1];
	}
	quarry_cpu_cache_drain_cpus(&c, 1, QUARRY_FOREVER);
	quarry_cache_fill_snapshot(n, &fill);
	for (partial = 0, k = 0; k < QUARRY_SLAB_BUCKETS; k++) {
		quarry_node_lock(n, &flags, false);
		found = list_count(&n->plain.partial[k]);
		quarry_node_unlock(n, flags);
		KUNIT_EXPECT_EQ(test, fill.partial[k], found);
		partial += found;
	}
	KUNIT_EXPECT_GT(test, partial, 64);
	KUNIT_EXPECT_EQ(test, fill.full, list_count(&n->plain.full));
	KUNIT_EXPECT_EQ(test, fill.empty, list_count(&n->plain.empty));
	quarry_test_give_objects(c, p, MANY - MANY / 2);
}

static struct kunit_case holds_cases[] = {
#ifdef CONFIG_X86_LOCAL_APIC
	KUNIT_CASE(deferred_pages_come_in_parts),
	KUNIT_CASE(deferred_pages_are_free),
#endif
	KUNIT_CASE(late_objects_come_in_parts),
	KUNIT_CASE(the_validator_lets_others_in),
	KUNIT_CASE(the_validator_looks_at_what_is_in_use),
	KUNIT_CASE(owners_are_gathered_in_parts),
	KUNIT_CASE(lost_objects_come_back_in_parts),
	KUNIT_CASE(slabs_are_counted_by_place),
	{}
};

static struct kunit_suite holds_suite = {
	.name = "quarry-holds",
	.suite_init = quarry_test_parameters,
	.test_cases = holds_cases,
};

kunit_test_suite(holds_suite);
