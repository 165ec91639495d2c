// SPDX-License-Identifier: GPL-2.0
/*
 * Visits to other CPUs: who is interrupted and who is not, what happens when the interrupt
 * lands inside, when the CPU takes none, when it never schedules, and when it has stopped.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "../../module/pages/visit.h"
#include "../cache_kunit.h"

/* Blocks that are left on the lists of another CPU. */
#define LEFT	4

static void leave_blocks(void *arg)
{
	struct page *page[LEFT];
	unsigned int i;

	for (i = 0; i < LEFT; i++)
		page[i] = quarry_alloc_pages(arg, GFP_KERNEL, 0);
	for (i = 0; i < LEFT; i++)
		if (page[i])
			quarry_free_pages(arg, page[i], 0);
}

static void leave_objects(void *arg)
{
	void *object[LEFT];
	unsigned int i;

	for (i = 0; i < LEFT; i++)
		object[i] = quarry_cache_alloc(arg, GFP_KERNEL);
	for (i = 0; i < LEFT; i++)
		quarry_cache_free(arg, object[i]);
}

/* With memory of the last CPU's node; the test runs on the first. */
static struct quarry_pool *far_pool(struct kunit *test, u64 min, u64 max)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, min, max);

	quarry_test_pin(test, 0);
	return pool;
}

static u64 left_on(struct quarry_pool *pool, int cpu)
{
	return quarry_pcp_frames(per_cpu_ptr(pool->pcp, cpu));
}

/* What keeps a CPU for itself. */
enum hogging { SCHEDULER, INTERRUPTS, MARK };

/**
 * struct hog - a thread that does not let go of its CPU
 * @how:	of what it does not let go
 * @pool:	whose lists it has marked
 * @running:	it has begun
 * @stop:	it is to end
 * @ms:		it ends by itself after so long, if this is not 0
 * @late:	it ended by itself, because nobody said stop for a long time
 */
struct hog {
	enum hogging how;
	struct quarry_pool *pool;
	unsigned int ms;
	bool running;
	bool stop;
	bool late;
};

static int hog(void *arg)
{
	struct hog *h = arg;
	u64 until = ktime_get_ns() + (h->ms ?: 20000ULL) * NSEC_PER_MSEC;
	struct quarry_pcp *pcp = NULL;

	if (h->how != SCHEDULER)
		preempt_disable();
	if (h->how == INTERRUPTS)
		local_irq_disable();
	if (h->how == MARK) {
		pcp = this_cpu_ptr(h->pool->pcp);
		if (!quarry_pcp_enter(pcp))
			pcp = NULL;
	}
	WRITE_ONCE(h->running, true);
	while (!READ_ONCE(h->stop)) {
		if (ktime_get_ns() > until) {
			h->late = true;
			break;
		}
		cpu_relax();
	}
	if (pcp)
		quarry_pcp_leave(pcp);
	if (h->how == INTERRUPTS)
		local_irq_enable();
	if (h->how != SCHEDULER)
		preempt_enable();
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static struct task_struct *start_hog(struct kunit *test, struct hog *h, int cpu)
{
	struct task_struct *task = kthread_create_on_cpu(hog, h, cpu, "quarry-hog/%u");

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	if (h->how == SCHEDULER)
		sched_set_fifo(task);
	wake_up_process(task);
	while (!READ_ONCE(h->running))
		usleep_range(100, 200);
	return task;
}

/* Returns whether it hogged to the end. */
static bool stop_hog(struct hog *h, struct task_struct *task)
{
	WRITE_ONCE(h->stop, true);
	kthread_stop(task);
	return !h->late;
}

/*
 * One that lets nobody drain its CPU, with blocks on the lists there. On a host that is
 * busy they may have gone, as idle, before it began.
 */
static struct task_struct *start_beside_blocks(struct kunit *test, struct hog *h, int cpu,
					       struct quarry_pool *pool)
{
	struct task_struct *task;
	unsigned int tries;

	for (tries = 0; tries < 10; tries++) {
		quarry_test_on_cpu(test, cpu, leave_blocks, pool);
		task = start_hog(test, h, cpu);
		if (left_on(pool, cpu) >= LEFT)
			return task;
		stop_hog(h, task);
		h->running = false;
		h->stop = false;
		h->late = false;
	}
	KUNIT_ASSERT_LT(test, tries, 10);
	return NULL;
}

/* All of a pool but what is left on the lists of a CPU. Returns how many. */
static unsigned int take_but_left(struct kunit *test, struct quarry_pool *pool, int cpu,
				  struct page **pages)
{
	unsigned int tries, nr, all;

	for (tries = 0; tries < 10; tries++) {
		quarry_test_on_cpu(test, cpu, leave_blocks, pool);
		all = quarry_test_stats(test, pool)->managed_bytes >> PAGE_SHIFT;
		nr = quarry_test_take_all(test, pool, GFP_NOWAIT, 0, pages, all + 1);
		if (nr + LEFT <= all)
			return nr;
		/* They had gone, as idle. */
		quarry_test_give_all(pool, 0, pages, nr);
	}
	KUNIT_ASSERT_LT(test, tries, 10);
	return 0;
}

/**
 * struct round - a visitor of the test's own, whom nobody else's visits disturb
 * @bites:	that each CPU asks for
 * @visited:	how often each was visited
 * @elsewhere:	visits that ran on another CPU than they were for
 */
struct round {
	unsigned int bites[2];
	unsigned int visited[2];
	unsigned int elsewhere;
};

static bool has_bites(void *data, int cpu)
{
	struct round *r = data;

	return cpu < ARRAY_SIZE(r->bites) && r->bites[cpu];
}

static enum quarry_answer bite(void *data, int cpu, u64 *sum)
{
	struct round *r = data;

	r->elsewhere += cpu != raw_smp_processor_id() || !irqs_disabled();
	r->visited[cpu]++;
	r->bites[cpu]--;
	*sum += 10;
	return r->bites[cpu] ? QUARRY_VISIT_MORE : QUARRY_VISIT_DONE;
}

static const struct quarry_visitor biter = { .wanted = has_bites, .visit = bite };

static void who_holds_nothing_is_left_alone(struct kunit *test)
{
	struct quarry_pool *pool = far_pool(test, SZ_4M, SZ_4M);
	int other = quarry_test_other_cpu(test);
	struct round r = { .bites = { 0, 3 } };
	u64 made = quarry_visits_made(other), sum = 1;

	KUNIT_ASSERT_EQ(test, other, 1);
	KUNIT_EXPECT_TRUE(test, quarry_visit(&biter, &r, QUARRY_FOREVER, &sum));
	KUNIT_EXPECT_EQ(test, r.visited[0], 0);
	KUNIT_EXPECT_EQ(test, r.visited[1], 3);
	KUNIT_EXPECT_EQ(test, sum, 31);
	KUNIT_EXPECT_GE(test, quarry_visits_made(other), made + 3);
	r.bites[0] = 1;
	KUNIT_EXPECT_TRUE(test, quarry_visit(&biter, &r, QUARRY_BRIEF, &sum));
	KUNIT_EXPECT_EQ(test, r.visited[0], 1);
	KUNIT_EXPECT_EQ(test, r.visited[1], 3);
	KUNIT_EXPECT_EQ(test, r.elsewhere, 0);

	quarry_test_on_cpu(test, other, leave_blocks, pool);
	KUNIT_ASSERT_GE(test, left_on(pool, other), LEFT);
	KUNIT_EXPECT_GE(test, quarry_pcp_drain_all(pool, QUARRY_FOREVER), LEFT);
	KUNIT_EXPECT_EQ(test, left_on(pool, other), 0);
	KUNIT_EXPECT_EQ(test, quarry_pcp_drain_all(pool, QUARRY_FOREVER), 0);
}

/* Objects that are given back from magazines of @cpu, by how many interrupts. */
static u64 drain_caches(struct kunit *test, struct quarry_cache **c, unsigned int nr_caches,
			int cpu, u64 *made)
{
	unsigned int i;
	u64 nr;

	for (i = 0; i < nr_caches; i++)
		quarry_test_on_cpu(test, cpu, leave_objects, c[i]);
	*made = quarry_visits_made(cpu);
	nr = quarry_cpu_cache_drain_cpus(c, nr_caches, QUARRY_FOREVER);
	*made = quarry_visits_made(cpu) - *made;
	for (i = 0; i < nr_caches; i++)
		KUNIT_EXPECT_FALSE(test,
				   quarry_cpu_cache_has_any(per_cpu_ptr(c[i]->cpu_cache, cpu)));
	return nr;
}

static void one_interrupt_for_many_caches(struct kunit *test)
{
	struct quarry_pool *pool = far_pool(test, SZ_16M, SZ_16M);
	int other = quarry_test_other_cpu(test);
	struct quarry_cache *c[16];
	unsigned int i, tries;
	u64 made, nr;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		c[i] = quarry_test_cache_in(test, pool, 256, 0);
		/* The second time there are magazines. */
		quarry_test_on_cpu(test, other, leave_objects, c[i]);
	}
	/*
	 * One, but for bites: a full batch is asked once more, and 256 objects are one. The
	 * reaper may be quicker, or send some of its own; not each time.
	 */
	for (tries = 0; tries < 10; tries++) {
		nr = drain_caches(test, c, ARRAY_SIZE(c), other, &made);
		if (nr >= ARRAY_SIZE(c) * LEFT && made <= 1 + nr / 256)
			break;
	}
	KUNIT_EXPECT_LT_MSG(test, tries, 10, "%llu interrupts for %llu objects", made, nr);
}

static void inside_a_section_it_comes_again(struct kunit *test)
{
	struct quarry_pool *pool = far_pool(test, SZ_4M, SZ_4M);
	int other = quarry_test_other_cpu(test);
	struct hog h = { .how = MARK, .pool = pool };
	struct task_struct *task;
	u64 left;

	task = start_beside_blocks(test, &h, other, pool);
	left = left_on(pool, other);
	KUNIT_EXPECT_EQ(test, quarry_pcp_drain_all(pool, QUARRY_BRIEF), 0);
	KUNIT_EXPECT_EQ(test, left_on(pool, other), left);
	KUNIT_EXPECT_TRUE(test, stop_hog(&h, task));
	KUNIT_EXPECT_LE(test, quarry_pcp_drain_all(pool, QUARRY_FOREVER), left);
	KUNIT_EXPECT_EQ(test, left_on(pool, other), 0);
}

static void who_takes_no_interrupt_is_given_up(struct kunit *test)
{
	struct quarry_pool *pool = far_pool(test, SZ_4M, SZ_4M);
	int other = quarry_test_other_cpu(test);
	struct hog h = { .how = INTERRUPTS };
	struct task_struct *task;
	u64 left;

	task = start_beside_blocks(test, &h, other, pool);
	left = left_on(pool, other);
	KUNIT_EXPECT_EQ(test, quarry_pcp_drain_all(pool, QUARRY_BRIEF), 0);
	/* The interrupt is still on its way: the next visitor does not wait for it either. */
	KUNIT_EXPECT_EQ(test, quarry_pcp_drain_all(pool, QUARRY_BRIEF), 0);
	KUNIT_EXPECT_EQ(test, left_on(pool, other), left);
	KUNIT_EXPECT_TRUE(test, stop_hog(&h, task));
	/* When it comes it does nothing, and the way is free again. */
	KUNIT_EXPECT_LE(test, quarry_pcp_drain_all(pool, QUARRY_FOREVER), left);
	KUNIT_EXPECT_EQ(test, left_on(pool, other), 0);
}

/* Are the last blocks of a pool had by who may sleep, while they lie where @h is? */
static bool all_are_had(struct kunit *test, struct hog *h, int cpu)
{
	struct quarry_pool *pool = far_pool(test, SZ_4M, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct task_struct *task;
	unsigned int nr, left;

	nr = take_but_left(test, pool, cpu, pages);
	left = FRAMES(SZ_4M) - nr;
	h->pool = pool;
	task = start_hog(test, h, cpu);
	nr += quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages + nr,
				   FRAMES(SZ_4M) + 1 - nr);
	stop_hog(h, task);
	quarry_test_give_all(pool, 0, pages, nr);
	KUNIT_EXPECT_TRUE(test, nr == FRAMES(SZ_4M) || nr == FRAMES(SZ_4M) - left);
	return nr == FRAMES(SZ_4M);
}

static void who_would_fail_is_patient(struct kunit *test)
{
	int other = quarry_test_other_cpu(test);
	struct hog off = { .how = INTERRUPTS, .ms = 50 }, inside = { .how = MARK, .ms = 50 };
	unsigned int tries;

	KUNIT_EXPECT_TRUE(test, all_are_had(test, &off, other));
	KUNIT_EXPECT_TRUE(test, all_are_had(test, &inside, other));
	/*
	 * But not for ever. Somebody else may happen to send that CPU an interrupt, and
	 * keep ours till it is answered; not thrice.
	 */
	for (tries = 0; tries < 3; tries++) {
		struct hog dead = { .how = INTERRUPTS };

		if (!all_are_had(test, &dead, other))
			break;
	}
	KUNIT_EXPECT_LT(test, tries, 3);
}

/* What caches have there cannot be had: that is found out, and not tried for ever. */
static void who_asks_caches_gives_up(struct kunit *test)
{
	struct quarry_pool *pool = far_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 64, 0);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	int other = quarry_test_other_cpu(test);
	struct hog h = { .how = INTERRUPTS };
	struct task_struct *task;
	unsigned int nr;

	quarry_test_on_cpu(test, other, leave_objects, c);
	nr = quarry_test_take_all(test, pool, GFP_NOWAIT, 0, pages, FRAMES(SZ_4M) + 1);
	quarry_test_on_cpu(test, other, leave_objects, c);
	task = start_hog(test, &h, other);
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 9));
	KUNIT_EXPECT_TRUE(test, stop_hog(&h, task));
	quarry_test_give_all(pool, 0, pages, nr);
}

/* Slabs of a cache that are empty, and then all the rest of its pool. Returns how many pages. */
static unsigned int fill_beside_slabs(struct kunit *test, struct quarry_cache *c,
				      struct page **pages)
{
	void **objects = quarry_test_objects(test, 512);

	quarry_test_take_objects(test, c, objects, 512);
	quarry_test_give_objects(c, objects, 512);
	return quarry_test_take_all(test, c->pool, GFP_NOWAIT, 0, pages, FRAMES(SZ_4M) + 1);
}

/* In ms, how long a page takes that is refused, or, with @had, is not. */
static u64 page_of(struct kunit *test, struct quarry_pool *pool, bool had)
{
	u64 begun = ktime_get_mono_fast_ns();
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, 0);

	begun = (ktime_get_mono_fast_ns() - begun) / NSEC_PER_MSEC;
	KUNIT_EXPECT_EQ(test, !!page, had);
	if (page)
		quarry_free_pages(pool, page, 0);
	return begun;
}

/*
 * A CPU that takes no interrupts has a magazine of one cache, and is waited for before a page
 * of its pool is refused, but not again and again. Another pool goes on as ever.
 */
static void one_cpu_holds_up_one_cache(struct kunit *test)
{
	struct quarry_pool *a = far_pool(test, SZ_4M, SZ_4M), *b = far_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *x = quarry_test_cache_in(test, a, 256, 0);
	struct quarry_cache *y = quarry_test_cache_in(test, b, 256, 0);
	struct page **of_a = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	struct page **of_b = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	int other = quarry_test_other_cpu(test);
	u64 first = 0, second = 0, third = 0;
	unsigned int tries, nr_a, nr_b;
	bool ready = false;

	/* The reaper may be quicker; not each time. */
	for (tries = 0; tries < 10 && !ready; tries++) {
		struct hog h = { .how = INTERRUPTS };
		struct task_struct *task;

		quarry_test_on_cpu(test, other, leave_objects, x);
		quarry_test_on_cpu(test, other, leave_objects, x);
		nr_a = fill_beside_slabs(test, x, of_a);
		nr_b = fill_beside_slabs(test, y, of_b);
		task = start_hog(test, &h, other);
		ready = quarry_cpu_cache_has_any(per_cpu_ptr(x->cpu_cache, other)) &&
			nr_a < FRAMES(SZ_4M) && nr_b < FRAMES(SZ_4M);
		if (ready) {
			first = page_of(test, a, false);
			second = page_of(test, b, true);
			third = page_of(test, a, false);
		}
		KUNIT_EXPECT_TRUE(test, stop_hog(&h, task));
		quarry_test_give_all(a, 0, of_a, nr_a);
		quarry_test_give_all(b, 0, of_b, nr_b);
	}
	KUNIT_EXPECT_TRUE(test, ready);
	kunit_info(test, "refused after %llu ms, another pool's had after %llu, refused after %llu",
		   first, second, third);
	/* One second, of the first; on a host that is busy somewhat more. */
	KUNIT_EXPECT_LT(test, first, 1700);
	KUNIT_EXPECT_LT(test, second, 500);
	KUNIT_EXPECT_LT(test, third, 500);
}

/* Everything that used to wait for the other CPU's scheduler, while there is none. */
static void a_real_time_task_holds_nobody_up(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool *pool, *full = far_pool(test, SZ_4M, SZ_4M);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_4M) + 1);
	int other = quarry_test_other_cpu(test);
	struct hog h = { .how = SCHEDULER };
	struct task_struct *task;
	struct quarry_cache *c;
	unsigned int nr;

	cfg.max_bytes = SZ_4M;
	cfg.node = full->node;
	pool = quarry_pool_create(quarry_test_name(test), &cfg);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	c = quarry_cache_create_in(pool, "kunit.hogged", 256, 0, 0, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(c));
	quarry_test_on_cpu(test, other, leave_blocks, pool);
	quarry_test_on_cpu(test, other, leave_objects, c);
	quarry_test_on_cpu(test, other, leave_objects, c);
	nr = take_but_left(test, full, other, pages);

	task = start_hog(test, &h, other);
	/* What lies on the lists there is had by who may sleep. */
	nr += quarry_test_take_all(test, full, GFP_KERNEL | __GFP_NOWARN, 0, pages + nr,
				   FRAMES(SZ_4M) + 1 - nr);
	KUNIT_EXPECT_EQ(test, nr, FRAMES(SZ_4M));
	KUNIT_EXPECT_NULL(test, quarry_alloc_pages(full, GFP_KERNEL | __GFP_NOWARN, 0));
	quarry_test_violations(test, pool, "");
	quarry_test_cache_violations(test, c, "");
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_CHECK));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_inject(pool, ~0ULL, 1000000));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_inject(pool, 0, 0));
	quarry_pool_drain(pool);
	quarry_cache_shrink(c);
	KUNIT_EXPECT_GT(test, quarry_pool_shrink(pool, ~0ULL), 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(c));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
	quarry_pools_pin();
	quarry_test_give_all(full, 0, pages, nr);
	/* All of that was while nobody else ran there. */
	KUNIT_EXPECT_TRUE(test, stop_hog(&h, task));
}

/* Does what lies idle on lists go back, and with it the memory that it pins? */
static void idle_lists_decay(struct kunit *test)
{
	struct quarry_pool *pool = far_pool(test, 0, SZ_16M);
	int other = quarry_test_other_cpu(test);
	unsigned int i;

	quarry_test_on_cpu(test, other, leave_blocks, pool);
	KUNIT_ASSERT_GT(test, left_on(pool, other), 0);
	for (i = 0; i < 200 && left_on(pool, other); i++)
		msleep(100);
	KUNIT_EXPECT_EQ(test, left_on(pool, other), 0);
}

/* The shrinker's side: it must not be put off by a few blocks on lists. */
static void the_shrinker_empties_lists(struct kunit *test)
{
	struct quarry_pool *pool = far_pool(test, 0, SZ_16M);
	int other = quarry_test_other_cpu(test);
	unsigned int i;

	quarry_test_on_cpu(test, other, leave_blocks, pool);
	for (i = 0; i < 200 && quarry_test_stats(test, pool)->managed_bytes; i++) {
		if (!quarry_test_reclaim())
			kunit_skip(test, "no drop_caches");
		usleep_range(1000, 2000);
	}
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->managed_bytes, 0);
}

/* A CPU goes, and a pool whose blocks lie there with it, in either order. */
static void offline_and_destroy(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	int other = quarry_test_other_cpu(test);
	struct quarry_pool *pool;
	unsigned int i;

	quarry_test_pin(test, 0);
	cfg.max_bytes = SZ_4M;
	cfg.node = cpu_to_mem(other);
	for (i = 0; i < 6; i++) {
		pool = quarry_pool_create(quarry_test_name(test), &cfg);
		KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
		quarry_test_on_cpu(test, other, leave_blocks, pool);
		if (i % 2)
			KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
		KUNIT_EXPECT_EQ(test, 0, remove_cpu(other));
		if (!(i % 2)) {
			KUNIT_EXPECT_EQ(test, left_on(pool, other), 0);
			KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(pool));
		}
		KUNIT_EXPECT_EQ(test, 0, add_cpu(other));
	}
}

static struct kunit_case visits_cases[] = {
	KUNIT_CASE(who_holds_nothing_is_left_alone),
	KUNIT_CASE(one_interrupt_for_many_caches),
	KUNIT_CASE(inside_a_section_it_comes_again),
	KUNIT_CASE(who_takes_no_interrupt_is_given_up),
	KUNIT_CASE(who_would_fail_is_patient),
	KUNIT_CASE(who_asks_caches_gives_up),
	KUNIT_CASE(one_cpu_holds_up_one_cache),
	KUNIT_CASE(a_real_time_task_holds_nobody_up),
	KUNIT_CASE(idle_lists_decay),
	KUNIT_CASE(the_shrinker_empties_lists),
	KUNIT_CASE(offline_and_destroy),
	{}
};

static struct kunit_suite visits_suite = {
	.name = "quarry-visits",
	.suite_init = quarry_test_parameters,
	.test_cases = visits_cases,
};

kunit_test_suite(visits_suite);
