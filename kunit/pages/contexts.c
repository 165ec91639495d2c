// SPDX-License-Identifier: GPL-2.0
/*
 * Where pages may be taken and given back: everywhere.
 *
 * The same round trip (every order out, filled, checked, back) is made in each
 * context: process, interrupts off, under a raw spinlock, softirq, hard interrupt,
 * NMI. Then the two things that only interrupts can meet are provoked:
 *
 *	- an interrupt inside a marked section finds the lists busy and goes to the
 *	  zone: the mark is set by hand around the call
 *	- an NMI while the zone is locked defers its frees and may get nothing: the
 *	  lock is taken by hand, and a real NMI is sent to this CPU
 *
 * Threads on two CPUs and a CPU that comes and goes under load end the suite.
 */
#include <linux/io.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/mm.h>

#include "../quarry_kunit.h"

/* What one round trip found; it may run where KUnit cannot be called. */
struct trip {
	struct quarry_pool *pool;
	gfp_t gfp;
	unsigned int blocks;
	unsigned int none;
	unsigned int broken;
	bool in_context;
};

#define ORDERS_OF_TRIP	5

static void go(struct trip *t)
{
	struct page *pages[ORDERS_OF_TRIP][3];
	unsigned int order, i;

	for (order = 0; order < ORDERS_OF_TRIP; order++)
		for (i = 0; i < 3; i++) {
			pages[order][i] = quarry_alloc_pages(t->pool, t->gfp, order);
			if (pages[order][i])
				quarry_test_fill(pages[order][i], order, i);
			else
				t->none++;
		}
	for (order = 0; order < ORDERS_OF_TRIP; order++)
		for (i = 0; i < 3; i++) {
			if (!pages[order][i])
				continue;
			t->blocks++;
			t->broken += !quarry_test_filled(pages[order][i], order, i);
			quarry_free_pages(t->pool, pages[order][i], order);
		}
}

static void expect_trip(struct kunit *test, struct trip *t, unsigned int trips)
{
	KUNIT_EXPECT_TRUE(test, t->in_context);
	KUNIT_EXPECT_EQ(test, t->blocks, trips * ORDERS_OF_TRIP * 3);
	KUNIT_EXPECT_EQ(test, t->none, 0);
	KUNIT_EXPECT_EQ(test, t->broken, 0);
	quarry_test_at_rest(test, t->pool);
}

static void process_context(struct kunit *test)
{
	struct trip t = { .pool = quarry_test_pool(test, SZ_4M, SZ_4M), .gfp = GFP_KERNEL };

	t.in_context = in_task();
	go(&t);
	expect_trip(test, &t, 1);
}

static void interrupts_off(struct kunit *test)
{
	struct trip t = { .pool = quarry_test_pool(test, SZ_4M, SZ_4M), .gfp = GFP_NOWAIT };
	unsigned long flags;

	local_irq_save(flags);
	t.in_context = irqs_disabled();
	go(&t);
	KUNIT_EXPECT_TRUE(test, irqs_disabled());
	local_irq_restore(flags);
	expect_trip(test, &t, 1);
}

static void under_a_raw_spinlock(struct kunit *test)
{
	struct trip t = { .pool = quarry_test_pool(test, SZ_4M, SZ_4M), .gfp = GFP_ATOMIC };
	static DEFINE_RAW_SPINLOCK(lock);

	raw_spin_lock(&lock);
	t.in_context = !preemptible();
	go(&t);
	raw_spin_unlock(&lock);
	expect_trip(test, &t, 1);
}

struct in_tasklet {
	struct tasklet_struct tasklet;
	struct trip trip;
	struct completion done;
};

static void tasklet_trip(struct tasklet_struct *tasklet)
{
	struct in_tasklet *s = container_of(tasklet, struct in_tasklet, tasklet);

	s->trip.in_context = in_serving_softirq();
	go(&s->trip);
	complete(&s->done);
}

static void softirq(struct kunit *test)
{
	struct in_tasklet s = {
		.trip = { .pool = quarry_test_pool(test, SZ_4M, SZ_4M), .gfp = GFP_ATOMIC },
	};

	init_completion(&s.done);
	tasklet_setup(&s.tasklet, tasklet_trip);
	tasklet_schedule(&s.tasklet);
	wait_for_completion(&s.done);
	tasklet_kill(&s.tasklet);
	expect_trip(test, &s.trip, 1);
}

struct in_irq {
	struct irq_work work;
	struct trip trip;
};

static void irq_trip(struct irq_work *work)
{
	struct in_irq *s = container_of(work, struct in_irq, work);

	s->trip.in_context = in_hardirq();
	go(&s->trip);
}

static void hard_interrupt(struct kunit *test)
{
	struct in_irq s = {
		.work = IRQ_WORK_INIT_HARD(irq_trip),
		.trip = { .pool = quarry_test_pool(test, SZ_4M, SZ_4M), .gfp = GFP_ATOMIC },
	};
	unsigned int i;

	for (i = 0; i < 20; i++) {
		irq_work_queue(&s.work);
		irq_work_sync(&s.work);
	}
	expect_trip(test, &s.trip, 20);
}

/* What an interrupt sees that lands between mark and unmark. */
static void interrupt_inside_a_marked_section(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct trip t = { .pool = pool, .gfp = GFP_ATOMIC, .in_context = true };
	struct quarry_pool_stats *before, *after;
	struct quarry_pcp *pcp;
	struct page *mine;

	/* Something on the lists, to be left alone. */
	mine = quarry_alloc_pages(pool, GFP_KERNEL, 2);
	KUNIT_ASSERT_NOT_NULL(test, mine);
	quarry_free_pages(pool, mine, 2);
	before = quarry_test_stats(test, pool);
	KUNIT_EXPECT_GT(test, before->pcp_bytes, 0);

	preempt_disable();
	pcp = this_cpu_ptr(pool->pcp);
	KUNIT_EXPECT_TRUE(test, quarry_pcp_enter(pcp));
	KUNIT_EXPECT_FALSE(test, quarry_pcp_enter(pcp));
	go(&t);
	quarry_pcp_leave(pcp);
	preempt_enable();

	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->pcp_bytes, before->pcp_bytes);
	KUNIT_EXPECT_EQ(test, after->refills, before->refills);
	KUNIT_EXPECT_EQ(test, after->flushes, before->flushes);
	KUNIT_EXPECT_EQ(test, after->allocs - before->allocs, ORDERS_OF_TRIP * 3);
	KUNIT_EXPECT_EQ(test, after->frees - before->frees, ORDERS_OF_TRIP * 3);
	KUNIT_EXPECT_EQ(test, after->slow_allocs - before->slow_allocs, ORDERS_OF_TRIP * 3);
	KUNIT_EXPECT_EQ(test, after->slow_frees - before->slow_frees, ORDERS_OF_TRIP * 3);
	expect_trip(test, &t, 1);
}

/* The same with bulk calls, which have a marked section of their own. */
static void bulk_inside_a_marked_section(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct page **pages = quarry_test_pages(test, 64);
	unsigned int got;

	preempt_disable();
	KUNIT_EXPECT_TRUE(test, quarry_pcp_enter(this_cpu_ptr(pool->pcp)));
	got = quarry_alloc_pages_bulk(pool, GFP_ATOMIC, 1, 64, pages);
	quarry_free_pages_bulk(pool, 1, got, pages);
	quarry_pcp_leave(this_cpu_ptr(pool->pcp));
	preempt_enable();
	KUNIT_EXPECT_EQ(test, got, 64);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->pcp_bytes, 0);
}

#ifdef CONFIG_X86_LOCAL_APIC
static void nmi_trip(void *arg)
{
	struct trip *t = arg;

	t->in_context = in_nmi();
	go(t);
}

static void in_nmi_while_nobody_is_inside(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct trip t = { .pool = pool, .gfp = GFP_NOWAIT | __GFP_NOWARN };
	unsigned int i, ran = 0;

	for (i = 0; i < 10; i++) {
		preempt_disable();
		ran += quarry_test_in_nmi(nmi_trip, &t);
		preempt_enable();
	}
	KUNIT_EXPECT_EQ(test, ran, 10);
	expect_trip(test, &t, 10);
}

struct deferred {
	struct quarry_pool *pool;
	struct page *out[8];
	struct page *got;
	bool in_context;
};

static void nmi_late(void *arg)
{
	struct deferred *l = arg;
	unsigned int i;

	l->in_context = in_nmi();
	/* The order is on no list: this must give up, not wait. */
	l->got = quarry_alloc_pages(l->pool, GFP_NOWAIT | __GFP_NOWARN, 7);
	for (i = 0; i < ARRAY_SIZE(l->out); i++)
		quarry_free_pages(l->pool, l->out[i], i & 3);
}

/* Lists busy and zone locked: whoever was interrupted holds both. */
static void in_nmi_while_the_zone_is_locked(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct quarry_zone *z = pool->zone[pool->node];
	struct quarry_pool_stats *before, *after;
	struct deferred l = { .pool = pool };
	unsigned long flags, frames = 0;
	unsigned int i;
	long deferred;
	bool ran;

	for (i = 0; i < ARRAY_SIZE(l.out); i++) {
		l.out[i] = quarry_alloc_pages(pool, GFP_KERNEL, i & 3);
		KUNIT_ASSERT_NOT_NULL(test, l.out[i]);
		frames += 1UL << (i & 3);
	}
	quarry_pool_drain(pool);
	before = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, before->allocated_bytes, frames * PAGE_SIZE);

	preempt_disable();
	KUNIT_EXPECT_TRUE(test, quarry_pcp_enter(this_cpu_ptr(pool->pcp)));
	quarry_zone_lock(z, &flags);
	ran = quarry_test_in_nmi(nmi_late, &l);
	deferred = atomic_long_read(&z->nr_deferred);
	quarry_zone_unlock(z, flags);
	quarry_pcp_leave(this_cpu_ptr(pool->pcp));
	preempt_enable();

	KUNIT_EXPECT_TRUE(test, ran);
	KUNIT_EXPECT_TRUE(test, l.in_context);
	KUNIT_EXPECT_NULL(test, l.got);
	KUNIT_EXPECT_EQ(test, deferred, (long)frames);
	/* A deferred block is free already for whoever frees it again. */
	KUNIT_EXPECT_EQ(test, *quarry_test_state(l.out[3]), QUARRY_STATE_DEFERRED | 3);
	quarry_free_pages(pool, l.out[3], 3);
	quarry_test_only_error(test, pool, before, QUARRY_ERR_DOUBLE_FREE, 1);
	/* Whoever takes the lock next puts them into the buddy. */
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&z->nr_deferred), 0);
	KUNIT_EXPECT_EQ(test, after->allocated_bytes, 0);
	KUNIT_EXPECT_EQ(test, after->frees - before->frees, ARRAY_SIZE(l.out));
	KUNIT_EXPECT_EQ(test, after->free_bytes, SZ_4M);
}

/* More than one hold of the lock puts back. */
#define MANY	600

struct many {
	struct quarry_pool *pool;
	struct page **pages;
};

static void nmi_many(void *arg)
{
	struct many *m = arg;

	quarry_test_give_all(m->pool, 0, m->pages, MANY);
}

/* Single pages that are free, and of which the zone does not know. */
static void free_many_in_nmi(struct kunit *test, struct quarry_pool *pool,
			     struct quarry_zone *z)
{
	struct many m = { .pool = pool, .pages = quarry_test_pages(test, MANY) };
	unsigned long flags;
	unsigned int nr;
	bool ran;

	for (nr = 0; nr < MANY; nr++) {
		m.pages[nr] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
		KUNIT_ASSERT_NOT_NULL(test, m.pages[nr]);
	}
	quarry_pool_drain(pool);
	preempt_disable();
	KUNIT_EXPECT_TRUE(test, quarry_pcp_enter(this_cpu_ptr(pool->pcp)));
	quarry_zone_lock(z, &flags);
	ran = quarry_test_in_nmi(nmi_many, &m);
	quarry_zone_unlock(z, flags);
	quarry_pcp_leave(this_cpu_ptr(pool->pcp));
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, ran);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&z->nr_deferred), MANY);
}

static void runs_after_frees_in_nmi(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct quarry_range range = { .bytes = SZ_4M };
	static const gfp_t gfp[] = { GFP_NOWAIT, GFP_KERNEL };
	unsigned int i;
	phys_addr_t at;

	for (i = 0; i < ARRAY_SIZE(gfp); i++) {
		free_many_in_nmi(test, pool, pool->zone[pool->node]);
		range.gfp = gfp[i];
		KUNIT_ASSERT_EQ(test, 0, quarry_alloc_range(pool, &range, &at));
		KUNIT_EXPECT_EQ(test, 0, quarry_free_range(pool, at, range.bytes));
	}
}

static void a_range_after_frees_in_nmi(struct kunit *test)
{
	struct page *memory = quarry_test_memory(test, 10, true);
	/* The cap leaves no room for more than that memory. */
	struct quarry_pool *pool = quarry_test_pool(test, 0, PAGE_SIZE);

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, page_to_phys(memory), SZ_4M,
						       QUARRY_ADD_PAGES));
	free_many_in_nmi(test, pool, pool->zone[page_to_nid(memory)]);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_remove_range(pool, page_to_phys(memory)));
}

static int contexts_init(struct kunit *test)
{
	return quarry_test_nmi_init();
}

static void contexts_exit(struct kunit *test)
{
	quarry_test_nmi_exit();
}
#endif

/* Taken on one CPU, given back on the other, with a pattern all the way. */
struct belt {
	struct quarry_pool *pool;
	struct page *ring[64];
	unsigned int order[64];
	unsigned int head;
	unsigned int tail;
	unsigned int nr;
	unsigned int broken;
	unsigned int none;
	struct completion done;
};

static int producer(void *arg)
{
	u64 seed = quarry_test_seed;
	struct belt *b = arg;
	unsigned int i;

	for (i = 0; i < b->nr; i++) {
		struct page *page;
		unsigned int order = quarry_test_random(&seed, 5);

		while (b->head - READ_ONCE(b->tail) == ARRAY_SIZE(b->ring))
			cond_resched();
		page = quarry_alloc_pages(b->pool, GFP_KERNEL, order);
		if (page)
			quarry_test_fill(page, order, i);
		else
			b->none++;
		b->ring[i % ARRAY_SIZE(b->ring)] = page;
		b->order[i % ARRAY_SIZE(b->ring)] = order;
		/* The consumer sees the block before the number. */
		smp_store_release(&b->head, i + 1);
	}
	return 0;
}

static int consumer(void *arg)
{
	struct belt *b = arg;
	unsigned int i, k;

	for (i = 0; i < b->nr; i++) {
		/* The number first, then the block: pairs with producer(). */
		while (smp_load_acquire(&b->head) == i)
			cond_resched();
		k = i % ARRAY_SIZE(b->ring);
		if (b->ring[k]) {
			b->broken += !quarry_test_filled(b->ring[k], b->order[k], i);
			quarry_free_pages(b->pool, b->ring[k], b->order[k]);
		}
		WRITE_ONCE(b->tail, i + 1);
	}
	complete(&b->done);
	return 0;
}

static void taken_here_given_back_there(struct kunit *test)
{
	int other = quarry_test_other_cpu(test);
	struct belt *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	struct task_struct *from, *to;

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->pool = quarry_test_pool(test, SZ_8M, SZ_16M);
	b->nr = 6000;
	init_completion(&b->done);
	from = kthread_create(producer, b, "quarry-from");
	to = kthread_create(consumer, b, "quarry-to");
	KUNIT_ASSERT_FALSE(test, IS_ERR(from) || IS_ERR(to));
	kthread_bind(from, 0);
	kthread_bind(to, other);
	wake_up_process(from);
	wake_up_process(to);
	wait_for_completion(&b->done);
	KUNIT_EXPECT_EQ(test, b->none, 0);
	KUNIT_EXPECT_EQ(test, b->broken, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, b->pool)->allocs, b->nr);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, b->pool)->frees, b->nr);
}

/* A thread that takes, fills, checks and gives back, until told to stop. */
struct hammer {
	struct quarry_pool *pool;
	struct page *held[32];
	unsigned int order[32];
	u64 salt[32];
	u64 seed;
	u64 steps;
	u64 broken;
	u64 none;
	struct task_struct *task;
};

static int hammer(void *arg)
{
	struct hammer *h = arg;
	u64 i;

	while (!kthread_should_stop()) {
		i = quarry_test_random(&h->seed, ARRAY_SIZE(h->held));
		h->steps++;
		if (h->held[i]) {
			h->broken += !quarry_test_filled(h->held[i], h->order[i], h->salt[i]);
			quarry_free_pages(h->pool, h->held[i], h->order[i]);
			h->held[i] = NULL;
		} else {
			h->order[i] = quarry_test_random(&h->seed, 6);
			h->salt[i] = h->seed;
			h->held[i] = quarry_alloc_pages(h->pool, GFP_KERNEL | __GFP_NOWARN,
							h->order[i]);
			if (h->held[i])
				quarry_test_fill(h->held[i], h->order[i], h->salt[i]);
			else
				h->none++;
		}
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(h->held); i++)
		if (h->held[i]) {
			h->broken += !quarry_test_filled(h->held[i], h->order[i], h->salt[i]);
			quarry_free_pages(h->pool, h->held[i], h->order[i]);
		}
	return 0;
}

static struct hammer *start_hammer(struct kunit *test, struct quarry_pool *pool, int cpu)
{
	struct hammer *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	h->pool = pool;
	h->seed = quarry_test_seed + cpu + 1;
	h->task = kthread_create(hammer, h, "quarry-hammer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(h->task));
	if (cpu >= 0)
		kthread_bind(h->task, cpu);
	wake_up_process(h->task);
	return h;
}

static void stop_hammer(struct kunit *test, struct hammer *h, u64 steps)
{
	while (READ_ONCE(h->steps) < steps)
		msleep(20);
	kthread_stop(h->task);
	KUNIT_EXPECT_EQ(test, h->broken, 0);
}

static void two_cpus_on_one_pool(struct kunit *test)
{
	int other = quarry_test_other_cpu(test);
	/* So small that they run into each other all the time. */
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct hammer *a = start_hammer(test, pool, 0), *b = start_hammer(test, pool, other);
	unsigned int i;

	/* Looking at it and draining it meanwhile does no harm. */
	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_EQ(test, 0, quarry_test_violations(test, pool, ""));
		quarry_pool_drain(pool);
		quarry_pool_shrink(pool, ~0ULL);
	}
	stop_hammer(test, a, 4000);
	stop_hammer(test, b, 4000);
	kunit_info(test, "%llu and %llu steps, seed %lu\n", a->steps, b->steps,
		   quarry_test_seed);
}

struct freer {
	struct quarry_pool *pool;
	struct page *page;
};

static void free_page_of(void *arg)
{
	struct freer *f = arg;

	quarry_free_pages(f->pool, f->page, 0);
}

/* Both CPUs free the same block at the same time: it is free once. */
static void a_racing_double_free_is_contained(struct kunit *test)
{
	struct quarry_pool_stats *before, *after;
	struct quarry_pool *pool;
	unsigned int i, nr;
	struct page **pages = quarry_test_pages(test, 1025);
	struct freer f = {};

	quarry_test_other_cpu(test);
	pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	before = quarry_test_stats(test, pool);
	f.pool = pool;
	for (i = 0; i < 200; i++) {
		f.page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
		KUNIT_ASSERT_NOT_NULL(test, f.page);
		quarry_test_at_once(test, free_page_of, &f);
		quarry_pool_drain(pool);
	}
	/* Nothing is there twice, nothing is lost. */
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, pages, 1025);
	KUNIT_EXPECT_EQ(test, nr, 1024);
	for (i = 0; i < nr; i++)
		set_page_private(pages[i], i);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, page_private(pages[i]), i);
	after = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, after->errors[QUARRY_ERR_DOUBLE_FREE] -
			before->errors[QUARRY_ERR_DOUBLE_FREE], 200);
	KUNIT_EXPECT_EQ(test, 0, quarry_test_violations(test, pool, ""));
	quarry_test_give_all(pool, 0, pages, nr);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->allocated_bytes, 0);
}

static void fill_lists(void *arg)
{
	struct quarry_pool *pool = arg;
	struct page *pages[16];
	unsigned int order, i, nr;

	for (order = 0; order < 6; order++) {
		nr = quarry_alloc_pages_bulk(pool, GFP_KERNEL, order, 16, pages);
		for (i = 0; i < nr; i++)
			quarry_free_pages(pool, pages[i], order);
	}
}

static void a_dead_cpu_keeps_nothing(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	int other = quarry_test_other_cpu(test), round;
	struct quarry_cpu_stats cs;
	struct quarry_pool *pool;
	struct hammer *h;
	unsigned int k, users;
	u64 kept, limit;

	cfg.max_bytes = SZ_32M;
	cfg.node = cpu_to_mem(other);
	pool = quarry_test_pool_of(test, &cfg);
	h = start_hammer(test, pool, -1);
	for (round = 0; round < 3; round++) {
		quarry_test_on_cpu(test, other, fill_lists, pool);
		KUNIT_ASSERT_EQ(test, 0, remove_cpu(other));
		for (k = 0, kept = 0; k <= quarry_max_order(); k++) {
			quarry_pool_cpu_snapshot(pool, other, k, &cs);
			kept += cs.n;
		}
		KUNIT_EXPECT_EQ(test, kept, 0);
		/* It is none of those that share the limit, until it is back. */
		users = cpumask_weight(cpu_online_mask);
		limit = quarry_test_stats(test, pool)->cache_limit_bytes;
		KUNIT_EXPECT_GE(test, limit, SZ_32M / (32 * users));
		KUNIT_EXPECT_EQ(test, 0, quarry_test_violations(test, pool, ""));
		quarry_pool_drain(pool);
		KUNIT_ASSERT_EQ(test, 0, add_cpu(other));
		quarry_test_on_cpu(test, other, fill_lists, pool);
		KUNIT_EXPECT_LT(test, quarry_test_stats(test, pool)->cache_limit_bytes, limit);
		quarry_pool_drain(pool);
	}
	stop_hammer(test, h, 1000);
}

static struct kunit_case contexts_cases[] = {
	KUNIT_CASE(process_context),
	KUNIT_CASE(interrupts_off),
	KUNIT_CASE(under_a_raw_spinlock),
	KUNIT_CASE(softirq),
	KUNIT_CASE(hard_interrupt),
	KUNIT_CASE(interrupt_inside_a_marked_section),
	KUNIT_CASE(bulk_inside_a_marked_section),
#ifdef CONFIG_X86_LOCAL_APIC
	KUNIT_CASE(in_nmi_while_nobody_is_inside),
	KUNIT_CASE(runs_after_frees_in_nmi),
	KUNIT_CASE(a_range_after_frees_in_nmi),
	KUNIT_CASE(in_nmi_while_the_zone_is_locked),
#endif
	KUNIT_CASE(taken_here_given_back_there),
	KUNIT_CASE(two_cpus_on_one_pool),
	KUNIT_CASE(a_racing_double_free_is_contained),
	KUNIT_CASE(a_dead_cpu_keeps_nothing),
	{}
};

static struct kunit_suite contexts_suite = {
	.name = "quarry-contexts",
	.suite_init = quarry_test_parameters,
#ifdef CONFIG_X86_LOCAL_APIC
	.init = contexts_init,
	.exit = contexts_exit,
#endif
	.test_cases = contexts_cases,
};

kunit_test_suite(contexts_suite);
