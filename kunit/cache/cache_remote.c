// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that are freed on a CPU of another node: gathered, looked at, emptied.
 *
 * The tests run on CPU 0, far away from the objects that they free. How often a node's
 * lock was taken for that is told by the counters: once for each object that went
 * by itself, once for each exchange of magazines, once for each 32 objects of a flush.
 */
#include <linux/delay.h>
#include <linux/mm.h>

#include "../cache_kunit.h"

#define SIZE	200
#define MANY	2000U

/* As module/cache/slabs.c has it: objects to slabs under one hold of the lock. */
#define HOLD	32U

/**
 * struct far - a cache, and objects of a node that this CPU is not of
 * @c:		the cache
 * @node:	theirs
 * @cpu:	one of that node, or -1
 * @p:		they
 * @nr:		how many
 */
struct far {
	struct quarry_cache *c;
	int node;
	int cpu;
	void **p;
	unsigned int nr;
};

static void take(struct kunit *test, struct far *f, unsigned int nr)
{
	for (f->nr = 0; f->nr < nr; f->nr++) {
		f->p[f->nr] = quarry_cache_alloc_node(f->c, GFP_KERNEL | __GFP_THISNODE, f->node);
		KUNIT_ASSERT_NOT_NULL(test, f->p[f->nr]);
	}
}

static struct far set_up(struct kunit *test, unsigned int nr)
{
	struct far f = {};

	f.node = quarry_test_other_node(test);
	quarry_test_pin(test, 0);
	KUNIT_ASSERT_NE(test, cpu_to_mem(0), f.node);
	f.cpu = cpumask_any_and(cpumask_of_node(f.node), cpu_online_mask);
	f.c = quarry_test_cache(test, SIZE);
	f.p = quarry_test_objects(test, MANY);
	take(test, &f, nr);
	return f;
}

static struct quarry_remote *remote(const struct far *f)
{
	struct quarry_cpu_cache_cold *cold = quarry_test_cpu_cache(f->c)->cold;

	return cold ? &cold->remote : NULL;
}

static u32 in_remote(const struct far *f)
{
	return remote(f) && remote(f)->mag ? remote(f)->mag->n : 0;
}

/* Objects that this CPU's magazine for them holds, of @nr and more that are freed. */
static void free_some(struct kunit *test, struct far *f, unsigned int nr)
{
	/* The first is missing a magazine, and goes to its slab. */
	quarry_cache_free(f->c, f->p[--f->nr]);
	KUNIT_ASSERT_EQ(test, in_remote(f), 0);
	while (nr--)
		quarry_cache_free(f->c, f->p[--f->nr]);
}

static u64 locks_for(struct kunit *test, const struct quarry_cache_stats *a,
		     const struct quarry_cache_stats *b)
{
	u64 in_flush = DIV_ROUND_UP((u64)b->magazine_capacity, HOLD);

	KUNIT_EXPECT_EQ(test, b->frees - a->frees, MANY);
	KUNIT_EXPECT_EQ(test, a->objects_out - b->objects_out, MANY);
	return b->direct_frees - a->direct_frees + b->exchanges - a->exchanges +
	       (b->flushes - a->flushes) * in_flush;
}

static void many_under_one_lock(struct kunit *test)
{
	struct far f = set_up(test, MANY);
	struct quarry_cache_stats *a = quarry_test_cache_stats(test, f.c), *b;
	u64 locks;

	quarry_test_give_objects(f.c, f.p, MANY);
	b = quarry_test_cache_stats(test, f.c);
	locks = locks_for(test, a, b);
	kunit_info(test, "%llu locks for %u objects one by one", locks, MANY);
	KUNIT_EXPECT_LE(test, locks, MANY / 20);
	KUNIT_EXPECT_EQ(test, b->slow_frees - a->slow_frees, MANY);
	quarry_test_cache_sound(test, f.c);

	take(test, &f, MANY);
	a = quarry_test_cache_stats(test, f.c);
	quarry_cache_free_bulk(f.c, MANY, f.p);
	b = quarry_test_cache_stats(test, f.c);
	locks = locks_for(test, a, b);
	kunit_info(test, "%llu locks for %u objects in bulk", locks, MANY);
	KUNIT_EXPECT_LE(test, locks, MANY / 20);
	quarry_test_cache_sound(test, f.c);
}

static void no_more_than_there_was_budget_for(struct kunit *test)
{
	struct far f = set_up(test, MANY);
	u64 budget = quarry_magazine_budget();
	struct quarry_cache_stats *st;

	atomic64_add(budget, &quarry_magazine_budget_used);
	quarry_test_give_objects(f.c, f.p, MANY);
	atomic64_sub(budget, &quarry_magazine_budget_used);
	st = quarry_test_cache_stats(test, f.c);
	KUNIT_EXPECT_EQ(test, st->direct_frees, MANY);
	KUNIT_EXPECT_EQ(test, st->magazine_bytes, 0);
	KUNIT_EXPECT_EQ(test, st->slabs_empty, st->slabs);
}

static void take_there(void *arg)
{
	struct far *f = arg;

	for (f->nr = 0; f->nr < MANY / 2; f->nr++) {
		f->p[f->nr] = quarry_cache_alloc(f->c, GFP_KERNEL);
		if (!f->p[f->nr])
			break;
	}
}

/* From the depot of their node they go out again, there: no slab is made for that. */
static void they_are_at_hand_on_their_node(struct kunit *test)
{
	struct far f = set_up(test, MANY);
	struct quarry_cache_stats *a, *b;
	unsigned int i;

	KUNIT_ASSERT_LT(test, f.cpu, nr_cpu_ids);
	quarry_test_give_objects(f.c, f.p, MANY);
	a = quarry_test_cache_stats(test, f.c);
	quarry_test_on_cpu(test, f.cpu, take_there, &f);
	b = quarry_test_cache_stats(test, f.c);
	KUNIT_ASSERT_EQ(test, f.nr, MANY / 2);
	KUNIT_EXPECT_EQ(test, b->grows, a->grows);
	for (i = 0; i < f.nr; i++)
		KUNIT_EXPECT_EQ(test, page_to_nid(virt_to_page(f.p[i])), f.node);
	KUNIT_EXPECT_EQ(test, b->objects_out, MANY / 2);
	quarry_test_give_objects(f.c, f.p, f.nr);
}

/* Every visit that empties magazines empties it as well. */
static void a_visit_empties_it(struct kunit *test)
{
	struct far f = set_up(test, 60);
	struct quarry_cache_stats *st;

	free_some(test, &f, 20);
	KUNIT_EXPECT_EQ(test, in_remote(&f), 20);
	KUNIT_EXPECT_TRUE(test, quarry_cpu_cache_has_any(quarry_test_cpu_cache(f.c)));
	st = quarry_test_cache_stats(test, f.c);
	KUNIT_EXPECT_EQ(test, st->magazine_bytes, 20 * st->stride);
	KUNIT_EXPECT_EQ(test, quarry_cpu_cache_drain_cpus(&f.c, 1, QUARRY_FOREVER), 20);
	KUNIT_EXPECT_NULL(test, remote(&f)->mag);
	/* As it is: what is in it is at hand there. */
	KUNIT_EXPECT_EQ(test, READ_ONCE(f.c->nodes[f.node]->depot.nr_objects), 20);
	quarry_cache_reap(f.c, false);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, f.c)->magazine_bytes, 0);

	/* As one for the objects of several nodes, of which this machine has two. */
	free_some(test, &f, 20);
	preempt_disable();
	remote(&f)->tag = 0;
	preempt_enable();
	KUNIT_EXPECT_EQ(test, in_remote(&f), 20);
	KUNIT_EXPECT_EQ(test, 0, quarry_test_cache_violations(test, f.c, ""));
	quarry_test_give_objects(f.c, f.p, f.nr);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(f.c));
	st = quarry_test_cache_stats(test, f.c);
	KUNIT_EXPECT_EQ(test, st->magazines, 0);
	KUNIT_EXPECT_EQ(test, st->slabs, 0);
	quarry_test_only_cache_error(test, f.c, kunit_kzalloc(test, sizeof(*st), GFP_KERNEL),
				     -1, 0);
}

static void modes_pass_it_by(struct kunit *test)
{
	struct far f = set_up(test, 60);
	struct quarry_cache_stats *a, *b;

	free_some(test, &f, 20);
	KUNIT_EXPECT_EQ(test, in_remote(&f), 20);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(f.c, QUARRY_MODE_CHECK));
	KUNIT_EXPECT_NULL(test, remote(&f)->mag);
	a = quarry_test_cache_stats(test, f.c);
	KUNIT_EXPECT_EQ(test, a->magazine_bytes, 0);
	/* The others are not guarded, and of the same node. */
	quarry_test_give_objects(f.c, f.p, f.nr);
	b = quarry_test_cache_stats(test, f.c);
	KUNIT_EXPECT_EQ(test, b->direct_frees - a->direct_frees, f.nr);
	/* And so it is with guarded ones. */
	take(test, &f, 40);
	a = quarry_test_cache_stats(test, f.c);
	quarry_cache_free_bulk(f.c, 40, f.p);
	b = quarry_test_cache_stats(test, f.c);
	KUNIT_EXPECT_EQ(test, b->direct_frees - a->direct_frees, 40);
	KUNIT_EXPECT_NULL(test, remote(&f)->mag);
}

/* What is no object never gets in, nor does the same twice running. */
static void what_is_wrong_is_seen_at_once(struct kunit *test)
{
	struct far f = set_up(test, 60), other = f;
	struct quarry_cache_stats *before;
	u32 n;

	other.c = quarry_test_cache(test, SIZE);
	other.p = quarry_test_objects(test, 1);
	take(test, &other, 1);
	free_some(test, &f, 20);
	n = in_remote(&f);

	before = quarry_test_cache_stats(test, f.c);
	quarry_cache_free(f.c, f.p[0] + 8);
	quarry_test_only_cache_error(test, f.c, before, QUARRY_CACHE_ERR_INTERIOR, 1);

	before = quarry_test_cache_stats(test, f.c);
	quarry_cache_free(f.c, other.p[0]);
	quarry_cache_free_bulk(f.c, 1, other.p);
	quarry_test_only_cache_error(test, f.c, before, QUARRY_CACHE_ERR_WRONG_CACHE, 2);

	before = quarry_test_cache_stats(test, f.c);
	quarry_cache_free(f.c, f.p[f.nr]);
	quarry_test_only_cache_error(test, f.c, before, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	/* The same where the magazine is full. */
	while (in_remote(&f) < remote(&f)->mag->cap)
		quarry_cache_free(f.c, f.p[--f.nr]);
	before = quarry_test_cache_stats(test, f.c);
	n = in_remote(&f);
	quarry_cache_free(f.c, f.p[f.nr]);
	quarry_test_only_cache_error(test, f.c, before, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	KUNIT_EXPECT_EQ(test, in_remote(&f), n);

	quarry_test_give_objects(f.c, f.p, f.nr);
	quarry_cache_free(other.c, other.p[0]);
}

/* Any other double free is seen when one of the two is returned. */
static void a_double_free_is_seen_when_it_is_returned(struct kunit *test)
{
	struct far f = set_up(test, 60);
	struct quarry_cache_stats *before;

	free_some(test, &f, 2);
	before = quarry_test_cache_stats(test, f.c);
	quarry_cache_free(f.c, f.p[f.nr + 1]);
	quarry_test_only_cache_error(test, f.c, before, -1, 0);
	quarry_cache_reap(f.c, true);
	quarry_test_only_cache_error(test, f.c, before, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	quarry_test_give_objects(f.c, f.p, f.nr);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(f.c));
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, f.c)->objects_out, 0);
}

static void free_there(void *arg)
{
	struct far *f = arg;

	quarry_test_give_objects(f->c, f->p, f->nr);
}

/* All objects of a slab have been returned, and one of them is in a magazine here as well. */
static void a_second_copy_keeps_no_slab(struct kunit *test)
{
	struct far f = set_up(test, 60);
	u64 budget = quarry_magazine_budget();
	struct quarry_cache_stats *before;

	KUNIT_ASSERT_LT(test, f.cpu, nr_cpu_ids);
	free_some(test, &f, 1);
	f.nr++;
	atomic64_add(budget, &quarry_magazine_budget_used);
	quarry_test_on_cpu(test, f.cpu, free_there, &f);
	atomic64_sub(budget, &quarry_magazine_budget_used);
	before = quarry_test_cache_stats(test, f.c);
	KUNIT_ASSERT_EQ(test, before->slabs_empty, before->slabs);
	KUNIT_ASSERT_EQ(test, in_remote(&f), 1);
	KUNIT_EXPECT_GT(test, quarry_cache_reap(f.c, false), 0);
	quarry_test_only_cache_error(test, f.c, before, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	KUNIT_EXPECT_EQ(test, in_remote(&f), 0);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, f.c)->slabs, 0);
}

static void the_validator_sees_what_is_in_it(struct kunit *test)
{
	struct far f = set_up(test, 60);
	struct quarry_magazine *mag;
	void *near, *was;
	const char *what;

	near = quarry_cache_alloc_node(f.c, GFP_KERNEL | __GFP_THISNODE, cpu_to_mem(0));
	KUNIT_ASSERT_NOT_NULL(test, near);
	free_some(test, &f, 20);
	mag = remote(&f)->mag;
	was = mag->slot[3];
	mag->slot[3] = near;
	what = "a magazine for other nodes has another object";
	KUNIT_EXPECT_EQ(test, 1, quarry_test_cache_violations(test, f.c, what));
	/* It went to its slab, for want of a magazine. */
	mag->slot[3] = f.p[f.nr + 20];
	what = "an object is in a magazine and in its slab";
	KUNIT_EXPECT_EQ(test, 1, quarry_test_cache_violations(test, f.c, what));
	mag->slot[3] = was;
	mag->guard = near;
	KUNIT_EXPECT_GT(test, quarry_test_cache_violations(test, f.c, NULL), 0);
	mag->guard = NULL;
	KUNIT_EXPECT_EQ(test, 0, quarry_test_cache_violations(test, f.c, ""));
	quarry_cache_free(f.c, near);
	quarry_test_give_objects(f.c, f.p, f.nr);
}

/* Where there is memory elsewhere alone, what waits here to go there is had again. */
static void a_node_without_memory_takes_them_again(struct kunit *test)
{
	int node = quarry_test_other_node(test);
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	unsigned int nr, i, round;
	struct quarry_pool *pool;
	struct quarry_cache *c;
	void **p;

	cfg.min_bytes = SZ_1M;
	cfg.max_bytes = SZ_1M;
	quarry_test_pin(test, cpumask_any_and(cpumask_of_node(node), cpu_online_mask));
	pool = quarry_test_pool_of(test, &cfg);
	c = quarry_test_cache_in(test, pool, SIZE, 0);
	quarry_test_pin(test, 0);
	p = quarry_test_objects(test, SZ_1M / SIZE);
	nr = quarry_test_exhaust(test, c, GFP_KERNEL, p, SZ_1M / SIZE);
	KUNIT_ASSERT_GT(test, nr, 2000);
	KUNIT_ASSERT_NE(test, page_to_nid(virt_to_page(p[0])), cpu_to_mem(0));
	for (round = 0; round < 6; round++) {
		for (i = 0; i < 700; i++)
			quarry_cache_free(c, p[--nr]);
		for (; i; i--, nr++) {
			p[nr] = quarry_cache_alloc(c, GFP_NOWAIT | __GFP_NOWARN);
			if (!p[nr])
				break;
		}
		KUNIT_ASSERT_EQ(test, i, 0);
	}
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_NOWAIT | __GFP_NOWARN));
	quarry_test_cache_sound(test, c);
	quarry_test_give_objects(c, p, nr);
}

struct fill {
	struct quarry_cache *c;
	void **p;
	unsigned int nr;
	unsigned int want;
	u64 seed;
	u64 broken;
};

static void go_to(void *arg)
{
	struct fill *f = arg;
	unsigned int i;

	while (f->nr < f->want) {
		f->p[f->nr] = quarry_cache_alloc(f->c, GFP_KERNEL);
		if (!f->p[f->nr])
			return;
		quarry_test_object_fill(f->p[f->nr], SIZE, f->seed);
		f->nr++;
	}
	while (f->nr > f->want) {
		i = quarry_test_random(&f->seed, f->nr);
		swap(f->p[i], f->p[f->nr - 1]);
		f->nr--;
		f->broken += *(unsigned long *)f->p[f->nr] == 0;
		quarry_cache_free(f->c, f->p[f->nr]);
	}
}

/* What the reaper has in its hands at this moment is counted as out. */
static void snapshot_at_rest(const struct fill *f, struct quarry_cache_stats *st)
{
	unsigned int tries;

	for (tries = 0; tries < 100; tries++) {
		quarry_cache_snapshot(f->c, st);
		if (st->objects_out == f->nr)
			break;
		msleep(20);
	}
}

/* From node to node, on and on: exact at every step, and nothing is lost. */
static void to_and_fro(struct kunit *test)
{
	struct far far = set_up(test, 0);
	struct fill f = { .c = far.c, .p = far.p, .seed = quarry_test_seed };
	struct quarry_cache_stats *st = quarry_test_cache_stats(test, f.c);
	unsigned int step;

	KUNIT_ASSERT_LT(test, far.cpu, nr_cpu_ids);
	for (step = 0; step < 60 && !test->status; step++) {
		f.want = quarry_test_random(&f.seed, MANY);
		quarry_test_on_cpu(test, step & 1 ? far.cpu : 0, go_to, &f);
		KUNIT_ASSERT_EQ(test, f.nr, f.want);
		snapshot_at_rest(&f, st);
		KUNIT_EXPECT_EQ(test, st->objects_out, f.nr);
		KUNIT_EXPECT_EQ(test, st->allocs - st->frees, f.nr);
		if (!(step % 10))
			quarry_test_cache_sound(test, f.c);
	}
	KUNIT_EXPECT_EQ(test, f.broken, 0);
	quarry_test_give_objects(f.c, f.p, f.nr);
}

/* Who gives back the last object of a dead cache leaves no magazine behind. */
static void a_dead_cache_goes_wholly(struct kunit *test)
{
	struct far f = set_up(test, 60);
	u64 used = atomic64_read(&quarry_magazine_budget_used);
	u32 id = f.c->registered.id;
	unsigned int i;

	quarry_test_cpu_cache(f.c)->wants = QUARRY_WANTS_MAGAZINE | QUARRY_WANTS_REMOTE;
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_cache_destroy(f.c));
	quarry_test_forget_cache(test, f.c);
	quarry_test_cpu_cache(f.c)->wants = QUARRY_WANTS_MAGAZINE | QUARRY_WANTS_REMOTE;
	quarry_test_give_objects(f.c, f.p, f.nr);
	for (i = 0; i < 200 && quarry_test_cache_exists(test, id); i++)
		msleep(100);
	KUNIT_EXPECT_FALSE(test, quarry_test_cache_exists(test, id));
	rcu_barrier();
	KUNIT_EXPECT_LE(test, atomic64_read(&quarry_magazine_budget_used), (s64)used);
}

/* Whoever asks for a node's objects has those of it that were freed here. */
static void they_are_had_by_who_asks_for_their_node(struct kunit *test)
{
	gfp_t strict = GFP_ATOMIC | __GFP_THISNODE | __GFP_NOWARN;
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct far f = {};
	unsigned int i;
	void *object;

	f.node = quarry_test_other_node(test);
	cfg.min_bytes = SZ_256K;
	cfg.max_bytes = SZ_256K;
	cfg.node = NUMA_NO_NODE;
	f.p = quarry_test_objects(test, MANY);
	/* All memory of that node. */
	quarry_test_pin(test, cpumask_any_and(cpumask_of_node(f.node), cpu_online_mask));
	f.c = quarry_test_cache_in(test, quarry_test_pool_of(test, &cfg), SIZE, 0);
	quarry_test_pin(test, 0);
	f.nr = quarry_test_exhaust(test, f.c, GFP_KERNEL, f.p, MANY);
	KUNIT_ASSERT_GT(test, f.nr, 100);
	KUNIT_ASSERT_EQ(test, page_to_nid(virt_to_page(f.p[0])), f.node);
	for (i = 0; i < 50; i++)
		quarry_cache_free(f.c, f.p[--f.nr]);
	for (i = 0; i < 50; i++) {
		object = quarry_cache_alloc_node(f.c, strict, f.node);
		KUNIT_ASSERT_NOT_NULL(test, object);
		f.p[f.nr++] = object;
	}
	/* Not by who asks for this CPU's own, though its magazines may have them. */
	quarry_cache_free(f.c, f.p[--f.nr]);
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc_node(f.c, strict, cpu_to_mem(0)));
	quarry_test_give_objects(f.c, f.p, f.nr);
}

/* Of a pool that is bound to another node there is nothing of this one, at any time. */
static void this_node_is_this_cpus(struct kunit *test)
{
	gfp_t strict = GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN;
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_cache *c;
	unsigned int i;
	void *object;

	cfg.min_bytes = SZ_1M;
	cfg.max_bytes = SZ_1M;
	cfg.node = quarry_test_other_node(test);
	quarry_test_pin(test, 0);
	KUNIT_ASSERT_NE(test, cpu_to_mem(0), cfg.node);
	c = quarry_test_cache_in(test, quarry_test_pool_of(test, &cfg), SIZE, 0);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, strict));
		object = quarry_cache_alloc(c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, object);
		quarry_cache_free(c, object);
	}
}

static struct kunit_case cache_remote_cases[] = {
	KUNIT_CASE(many_under_one_lock),
	KUNIT_CASE(no_more_than_there_was_budget_for),
	KUNIT_CASE(they_are_at_hand_on_their_node),
	KUNIT_CASE(a_visit_empties_it),
	KUNIT_CASE(modes_pass_it_by),
	KUNIT_CASE(what_is_wrong_is_seen_at_once),
	KUNIT_CASE(a_double_free_is_seen_when_it_is_returned),
	KUNIT_CASE(a_second_copy_keeps_no_slab),
	KUNIT_CASE(the_validator_sees_what_is_in_it),
	KUNIT_CASE(a_node_without_memory_takes_them_again),
	KUNIT_CASE(to_and_fro),
	KUNIT_CASE(a_dead_cache_goes_wholly),
	KUNIT_CASE(they_are_had_by_who_asks_for_their_node),
	KUNIT_CASE(this_node_is_this_cpus),
	{}
};

static struct kunit_suite cache_remote_suite = {
	.name = "quarry-cache-remote",
	.suite_init = quarry_test_parameters,
	.test_cases = cache_remote_cases,
};

kunit_test_suite(cache_remote_suite);
