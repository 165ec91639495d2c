// SPDX-License-Identifier: GPL-2.0
/*
 * Where objects may be taken and given back: everywhere.
 *
 * The same round trip (of a cache, of malloc, in bulk, and by the calls that take no
 * lock) is made in each context: process, interrupts off, under a raw spinlock,
 * softirq, hard interrupt, NMI. Then what only interrupts can meet is provoked by
 * hand: magazines that are busy, and a node whose lock is held by who was
 * interrupted; an NMI is a real one. Threads on two CPUs end the suite: an assembly
 * line from one to the other, readers under RCU of what is freed and reused, a CPU that
 * comes and goes, and the kernel's shrinkers.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/mm.h>

#include "../cache_kunit.h"

#define SIZE	136
#define TRIP	40

/* What one round trip found; it may run where KUnit cannot be called. */
struct trip {
	struct quarry_cache *c;
	gfp_t gfp;
	unsigned int objects;
	unsigned int none;
	unsigned int broken;
	bool in_context;
	bool nolock;
	void *p[TRIP];
};

static void *take(struct trip *t, unsigned int i)
{
	if (t->nolock)
		return quarry_cache_alloc_nolock(t->c, i & 1 ? __GFP_ZERO : 0);
	switch (i % 4) {
	case 0:
		return quarry_cache_alloc(t->c, t->gfp);
	case 1:
		return quarry_cache_zalloc(t->c, t->gfp);
	case 2:
		return quarry_malloc(SIZE, t->gfp);
	default:
		return quarry_cache_alloc_bulk(t->c, t->gfp, 1, &t->p[i]) ? t->p[i] : NULL;
	}
}

static void give(struct trip *t, unsigned int i)
{
	if (t->nolock)
		quarry_cache_free_nolock(t->c, t->p[i]);
	else if (i % 4 == 2)
		quarry_free(t->p[i]);
	else if (i % 4 == 3)
		quarry_cache_free_bulk(t->c, 1, &t->p[i]);
	else
		quarry_cache_free(t->c, t->p[i]);
}

static void go(struct trip *t)
{
	unsigned int i;

	for (i = 0; i < TRIP; i++) {
		t->p[i] = take(t, i);
		if (!t->p[i]) {
			t->none++;
			continue;
		}
		if (i % 4 == 1)
			t->broken += !!memchr_inv(t->p[i], 0, SIZE);
		quarry_test_object_fill(t->p[i], SIZE, i);
	}
	for (i = 0; i < TRIP; i++)
		if (t->p[i]) {
			t->objects++;
			t->broken += !quarry_test_object_filled(t->p[i], SIZE, i);
			give(t, i);
		}
}

static struct trip *start(struct kunit *test, gfp_t gfp)
{
	struct trip *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->c = quarry_test_near_cache(test, SIZE);
	t->gfp = gfp;
	/* For malloc, whose pool may have to grow and cannot everywhere. */
	for (i = 0; i < TRIP; i++)
		t->p[i] = quarry_malloc(SIZE, GFP_KERNEL);
	quarry_free_bulk(TRIP, t->p);
	return t;
}

static void expect_trip(struct kunit *test, struct trip *t, unsigned int trips)
{
	KUNIT_EXPECT_TRUE(test, t->in_context);
	KUNIT_EXPECT_EQ(test, t->objects, trips * TRIP);
	KUNIT_EXPECT_EQ(test, t->none, 0);
	KUNIT_EXPECT_EQ(test, t->broken, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, t->c)->objects_out, 0);
}

static const unsigned int with_and_without[] = { 0, QUARRY_MODES };

static void modes_name(const unsigned int *modes, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "modes %x", *modes);
}

KUNIT_ARRAY_PARAM(modes, with_and_without, modes_name);

static struct trip *start_in_mode(struct kunit *test, gfp_t gfp)
{
	struct trip *t = start(test, gfp);

	KUNIT_ASSERT_EQ(test, 0,
			quarry_cache_set_modes(t->c, *(const unsigned int *)test->param_value));
	return t;
}

/* For contexts where, by the rules of PREEMPT_RT, the cache cannot grow. */
static struct trip *start_atomic(struct kunit *test, gfp_t gfp)
{
	struct trip *t = start_in_mode(test, gfp);

	if (QUARRY_RT_RULES) {
		quarry_test_take_objects(test, t->c, t->p, TRIP);
		quarry_test_give_objects(t->c, t->p, TRIP);
	}
	return t;
}

static void process_context(struct kunit *test)
{
	struct trip *t = start_in_mode(test, GFP_KERNEL);

	t->in_context = in_task();
	go(t);
	expect_trip(test, t, 1);
}

static void interrupts_off(struct kunit *test)
{
	struct trip *t = start_atomic(test, GFP_NOWAIT);
	unsigned long flags;

	local_irq_save(flags);
	t->in_context = irqs_disabled();
	go(t);
	KUNIT_EXPECT_TRUE(test, irqs_disabled());
	local_irq_restore(flags);
	expect_trip(test, t, 1);
}

static void under_a_raw_spinlock(struct kunit *test)
{
	struct trip *t = start_atomic(test, GFP_ATOMIC);
	static DEFINE_RAW_SPINLOCK(lock);

	raw_spin_lock(&lock);
	t->in_context = !preemptible();
	go(t);
	raw_spin_unlock(&lock);
	expect_trip(test, t, 1);
}

struct in_tasklet {
	struct tasklet_struct tasklet;
	struct trip *trip;
	struct completion done;
};

static void tasklet_trip(struct tasklet_struct *tasklet)
{
	struct in_tasklet *s = container_of(tasklet, struct in_tasklet, tasklet);

	s->trip->in_context = in_serving_softirq();
	go(s->trip);
	complete(&s->done);
}

static void softirq(struct kunit *test)
{
	struct in_tasklet s = { .trip = start_atomic(test, GFP_ATOMIC) };

	init_completion(&s.done);
	tasklet_setup(&s.tasklet, tasklet_trip);
	tasklet_schedule(&s.tasklet);
	wait_for_completion(&s.done);
	tasklet_kill(&s.tasklet);
	expect_trip(test, s.trip, 1);
}

struct in_irq {
	struct irq_work work;
	struct trip *trip;
};

static void irq_trip(struct irq_work *work)
{
	struct in_irq *s = container_of(work, struct in_irq, work);

	s->trip->in_context = in_hardirq();
	go(s->trip);
}

static void hard_interrupt(struct kunit *test)
{
	struct in_irq s = {
		.work = IRQ_WORK_INIT_HARD(irq_trip),
		.trip = start_atomic(test, GFP_ATOMIC),
	};
	unsigned int i;

	for (i = 0; i < 10; i++) {
		irq_work_queue(&s.work);
		irq_work_sync(&s.work);
	}
	expect_trip(test, s.trip, 10);
}

/* What an interrupt sees that lands between mark and unmark. */
static void busy_magazines(struct kunit *test)
{
	struct trip *t = start(test, GFP_ATOMIC);
	struct quarry_cache_stats *before, *after;

	go(t);
	before = quarry_test_cache_stats(test, t->c);
	KUNIT_EXPECT_GT(test, before->magazine_bytes, 0);
	preempt_disable();
	KUNIT_EXPECT_TRUE(test, quarry_cpu_cache_enter(quarry_test_cpu_cache(t->c)));
	KUNIT_EXPECT_FALSE(test, quarry_cpu_cache_enter(quarry_test_cpu_cache(t->c)));
	t->in_context = true;
	go(t);
	quarry_cpu_cache_leave(quarry_test_cpu_cache(t->c));
	preempt_enable();
	after = quarry_test_cache_stats(test, t->c);
	/* A quarter of a trip is malloc's. */
	KUNIT_EXPECT_EQ(test, after->direct_allocs - before->direct_allocs, TRIP * 3 / 4);
	KUNIT_EXPECT_EQ(test, after->direct_frees - before->direct_frees, TRIP * 3 / 4);
	KUNIT_EXPECT_EQ(test, after->slow_allocs - before->slow_allocs, TRIP * 3 / 4);
	KUNIT_EXPECT_EQ(test, after->slow_frees - before->slow_frees, TRIP * 3 / 4);
	KUNIT_EXPECT_EQ(test, after->magazine_bytes, before->magazine_bytes);
	expect_trip(test, t, 2);
}

static void without_a_lock(struct kunit *test)
{
	struct trip *t = start_in_mode(test, 0);
	struct quarry_cache_stats *st;
	void *p[TRIP];

	/* It does not grow: what it cannot find there is not to be had. */
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc_nolock(t->c, 0));
	st = quarry_test_cache_stats(test, t->c);
	KUNIT_EXPECT_EQ(test, st->failures, 1);
	KUNIT_EXPECT_EQ(test, st->grows, 0);
	quarry_test_take_objects(test, t->c, p, TRIP);
	quarry_test_give_objects(t->c, p, TRIP);
	t->nolock = true;
	t->in_context = true;
	go(t);
	expect_trip(test, t, 1);
}

static void constructed_once(void *object)
{
	memset(object, 0x5a, SIZE);
}

/* What cannot be had is refused before there is an object, which would have to go back. */
static void zeros_of_what_is_constructed_without_a_lock(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache_of(test, SIZE, 0, 0, constructed_once);
	struct quarry_cache_stats *before, *after;

	quarry_cache_free(c, quarry_cache_alloc(c, GFP_KERNEL));
	before = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc_nolock(c, __GFP_ZERO));
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_BAD_ARGUMENT, 1);
	after = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, after->allocs, before->allocs);
	KUNIT_EXPECT_EQ(test, after->frees, before->frees);
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
	struct trip *t = start_in_mode(test, 0);
	unsigned int i, ran = 0;
	void *p[TRIP * 2];

	quarry_test_take_objects(test, t->c, p, TRIP * 2);
	quarry_test_give_objects(t->c, p, TRIP * 2);
	t->nolock = true;
	for (i = 0; i < 10; i++) {
		preempt_disable();
		ran += quarry_test_in_nmi(nmi_trip, t);
		preempt_enable();
	}
	KUNIT_EXPECT_EQ(test, ran, 10);
	expect_trip(test, t, 10);
}

struct deferred {
	struct quarry_cache *c;
	void *out[10];
	void *got;
	bool in_context;
};

static void nmi_late(void *arg)
{
	struct deferred *l = arg;
	unsigned int i;

	l->in_context = in_nmi();
	l->got = quarry_cache_alloc_nolock(l->c, 0);
	for (i = 0; i < ARRAY_SIZE(l->out); i++)
		quarry_cache_free_nolock(l->c, l->out[i]);
	/* A deferred object is free already for whoever frees it again. */
	quarry_cache_free_nolock(l->c, l->out[3]);
}

/* Magazines busy and node locked: whoever was interrupted holds both. */
static void in_nmi_while_the_node_is_locked(struct kunit *test)
{
	struct quarry_cache_stats *before, *after;
	struct deferred l = {};
	struct quarry_cache_node *n;
	unsigned long flags;
	unsigned int i;
	bool ran, noted;

	l.c = quarry_test_near_cache(test, SIZE);
	KUNIT_ASSERT_EQ(test, 0,
			quarry_cache_set_modes(l.c, *(const unsigned int *)test->param_value));
	for (i = 0; i < ARRAY_SIZE(l.out); i++) {
		l.out[i] = quarry_cache_alloc(l.c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, l.out[i]);
	}
	n = quarry_cpu_cache_node(quarry_test_cpu_cache(l.c));
	before = quarry_test_cache_stats(test, l.c);
	preempt_disable();
	KUNIT_EXPECT_TRUE(test, quarry_cpu_cache_enter(quarry_test_cpu_cache(l.c)));
	quarry_node_lock(n, &flags, false);
	ran = quarry_test_in_nmi(nmi_late, &l);
	noted = !llist_empty(&n->deferred);
	quarry_node_unlock(n, flags);
	quarry_cpu_cache_leave(quarry_test_cpu_cache(l.c));
	preempt_enable();

	KUNIT_EXPECT_TRUE(test, ran);
	KUNIT_EXPECT_TRUE(test, l.in_context);
	KUNIT_EXPECT_TRUE(test, noted);
	KUNIT_EXPECT_NULL(test, l.got);
	quarry_test_only_cache_error(test, l.c, before, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	/* Whoever takes the lock next puts them into their slab. */
	after = quarry_test_cache_stats(test, l.c);
	KUNIT_EXPECT_TRUE(test, llist_empty(&n->deferred));
	KUNIT_EXPECT_EQ(test, after->objects_out, 0);
	KUNIT_EXPECT_EQ(test, after->frees - before->frees, ARRAY_SIZE(l.out));
	KUNIT_EXPECT_EQ(test, after->failures - before->failures, 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(l.c));
}
#endif

/* Taken on one CPU, given back on the other, with a pattern all the way. */
struct belt {
	struct quarry_cache *c;
	void *ring[64];
	unsigned int head;
	unsigned int tail;
	unsigned int nr;
	unsigned int broken;
	unsigned int none;
	struct completion done;
};

static int producer(void *arg)
{
	struct belt *b = arg;
	unsigned int i;

	for (i = 0; i < b->nr; i++) {
		void *p;

		while (b->head - READ_ONCE(b->tail) == ARRAY_SIZE(b->ring))
			cond_resched();
		p = quarry_cache_alloc(b->c, GFP_KERNEL);
		if (p)
			quarry_test_object_fill(p, SIZE, i);
		else
			b->none++;
		b->ring[i % ARRAY_SIZE(b->ring)] = p;
		/* The consumer sees the object before the number. */
		smp_store_release(&b->head, i + 1);
	}
	return 0;
}

static int consumer(void *arg)
{
	struct belt *b = arg;
	unsigned int i;

	for (i = 0; i < b->nr; i++) {
		void *p;

		/* The number first, then the object: pairs with producer(). */
		while (smp_load_acquire(&b->head) == i)
			cond_resched();
		p = b->ring[i % ARRAY_SIZE(b->ring)];
		if (p) {
			b->broken += !quarry_test_object_filled(p, SIZE, i);
			quarry_cache_free(b->c, p);
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
	struct quarry_cache_stats *st;

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->c = quarry_test_cache(test, SIZE);
	b->nr = 10000;
	init_completion(&b->done);
	from = kthread_create(producer, b, "quarry-from");
	to = kthread_create(consumer, b, "quarry-to");
	KUNIT_ASSERT_FALSE(test, IS_ERR(from) || IS_ERR(to));
	kthread_bind(from, 0);
	kthread_bind(to, other);
	wake_up_process(from);
	wake_up_process(to);
	wait_for_completion(&b->done);
	st = quarry_test_cache_stats(test, b->c);
	KUNIT_EXPECT_EQ(test, b->none, 0);
	KUNIT_EXPECT_EQ(test, b->broken, 0);
	KUNIT_EXPECT_EQ(test, st->allocs, b->nr);
	KUNIT_EXPECT_EQ(test, st->frees, b->nr);
	/* What comes back is used again: not a slab for each that went. */
	KUNIT_EXPECT_LT(test, st->grows, 40);
}

/*
 * Typesafe: who looks at an object under RCU may find it freed and reused, but never
 * anything that is not of this cache. The mark in it is made by the constructor; what
 * takes the pages meanwhile writes all over them.
 */
#define MARK	0x7a6b5c4d3e2f1a0bULL

struct marked {
	u64 mark;
	u64 more[127];
};

static void mark(void *object)
{
	((struct marked *)object)->mark = MARK;
}

struct theatre {
	struct quarry_cache *c;
	struct quarry_pool *pool;
	struct marked *shown[16];
	u64 looks;
	u64 lost;
	u64 none;
};

static int reader(void *arg)
{
	struct theatre *t = arg;
	u64 seed = quarry_test_seed;

	while (!kthread_should_stop()) {
		struct marked *p;
		unsigned int i;

		rcu_read_lock();
		p = READ_ONCE(t->shown[quarry_test_random(&seed, ARRAY_SIZE(t->shown))]);
		for (i = 0; p && i < 20; i++) {
			t->lost += READ_ONCE(p->mark) != MARK;
			cpu_relax();
		}
		rcu_read_unlock();
		WRITE_ONCE(t->looks, t->looks + 1);
		cond_resched();
	}
	return 0;
}

/* A hundred steps to and fro, and then a hundred that only take away: slabs get empty. */
static int writer(void *arg)
{
	struct theatre *t = arg;
	u64 seed = quarry_test_seed + 1, step = 0;

	while (!kthread_should_stop()) {
		unsigned int i = quarry_test_random(&seed, ARRAY_SIZE(t->shown));
		struct marked *old = t->shown[i], *new = NULL;

		if (!old && step++ / 100 % 2 == 0) {
			new = quarry_cache_alloc(t->c, GFP_KERNEL);
			t->none += !new;
			if (new)
				memset(new->more, i, sizeof(new->more));
		}
		WRITE_ONCE(t->shown[i], new);
		step += !!old;
		if (old)
			quarry_cache_free(t->c, old);
		cond_resched();
	}
	return 0;
}

static void typesafe_under_readers(struct kunit *test)
{
	struct theatre *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int other = quarry_test_other_cpu(test);
	struct task_struct *r, *w;
	struct page *page[16];
	struct quarry_cache_stats *st;
	unsigned int i, round;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	t->c = quarry_cache_create_in(t->pool, quarry_test_name(test), sizeof(struct marked), 0,
				      SLAB_TYPESAFE_BY_RCU, mark);
	quarry_test_keep_cache(test, t->c);
	st = quarry_test_cache_stats(test, t->c);
	r = kthread_create(reader, t, "quarry-reader");
	w = kthread_create(writer, t, "quarry-writer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(r) || IS_ERR(w));
	kthread_bind(r, 0);
	kthread_bind(w, other);
	wake_up_process(r);
	wake_up_process(w);
	/* Until enough was looked at, and enough has gone meanwhile. */
	for (round = 0; round < 2000 && (READ_ONCE(t->looks) < 1000 || st->shrinks < 5); round++) {
		quarry_cache_shrink(t->c);
		for (i = 0; i < ARRAY_SIZE(page); i++) {
			page[i] = quarry_alloc_pages(t->pool, GFP_KERNEL, 0);
			if (page[i])
				memset(page_address(page[i]), 0xdd, PAGE_SIZE);
		}
		for (i = 0; i < ARRAY_SIZE(page); i++)
			if (page[i])
				quarry_free_pages(t->pool, page[i], 0);
		msleep(20);
		quarry_cache_snapshot(t->c, st);
	}
	kthread_stop(w);
	kthread_stop(r);
	for (i = 0; i < ARRAY_SIZE(t->shown); i++)
		quarry_cache_free(t->c, t->shown[i]);
	KUNIT_EXPECT_EQ(test, t->lost, 0);
	KUNIT_EXPECT_EQ(test, t->none, 0);
	KUNIT_EXPECT_GE_MSG(test, st->shrinks, 5, "no slab went while it was looked at");
	kunit_info(test, "%llu looks, %llu slabs came and went\n", t->looks, st->shrinks);
}

/* A slab of a typesafe cache keeps its pages while anybody reads. */
static void typesafe_pages_wait(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 128, SLAB_TYPESAFE_BY_RCU);
	struct quarry_cache_node *n;
	u64 budget = quarry_magazine_budget();
	LIST_HEAD(gone);
	u8 *p, state;

	/* Without magazines the slab is empty when its object is free. */
	atomic64_add(budget, &quarry_magazine_budget_used);
	p = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	if (p)
		memset(p, 0x3c, 128);
	quarry_cache_free(c, p);
	atomic64_sub(budget, &quarry_magazine_budget_used);
	KUNIT_ASSERT_EQ(test, quarry_test_cache_stats(test, c)->slabs_empty, 1);
	preempt_disable();
	rcu_read_lock();
	n = quarry_page_slab_of(p)->node;
	/* What reaping does when it has waited for the CPUs. */
	quarry_node_isolate(n, 0, &gone);
	quarry_page_slabs_discard(&gone);
	state = *quarry_test_state(virt_to_page(p));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x3c, 128));
	rcu_read_unlock();
	preempt_enable();
	KUNIT_EXPECT_EQ(test, state & QUARRY_STATE_KIND, QUARRY_STATE_SLAB);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->slabs, 0);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->allocated_bytes, 0);
}

struct hammer {
	struct quarry_cache *c;
	struct task_struct *task;
	void *held[200];
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
			h->broken += !quarry_test_object_filled(h->held[i], SIZE, i);
			quarry_cache_free(h->c, h->held[i]);
			h->held[i] = NULL;
		} else {
			h->held[i] = quarry_cache_alloc(h->c, GFP_KERNEL);
			if (h->held[i])
				quarry_test_object_fill(h->held[i], SIZE, i);
			else
				h->none++;
		}
		WRITE_ONCE(h->steps, h->steps + 1);
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(h->held); i++)
		if (h->held[i]) {
			h->broken += !quarry_test_object_filled(h->held[i], SIZE, i);
			quarry_cache_free(h->c, h->held[i]);
		}
	return 0;
}

static struct hammer *start_hammer(struct kunit *test, struct quarry_cache *c, unsigned int nr)
{
	struct hammer *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	h->c = c;
	h->seed = quarry_test_seed + nr;
	h->task = kthread_run(hammer, h, "quarry-hammer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(h->task));
	return h;
}

static void stop_hammer(struct kunit *test, struct hammer *h, u64 steps)
{
	while (READ_ONCE(h->steps) < steps)
		msleep(20);
	kthread_stop(h->task);
	KUNIT_EXPECT_EQ(test, h->broken, 0);
	KUNIT_EXPECT_EQ(test, h->none, 0);
}

static void leave_some(void *arg)
{
	struct quarry_cache *c = arg;
	void *p[60];
	int nr = quarry_cache_alloc_bulk(c, GFP_KERNEL, ARRAY_SIZE(p), p);

	quarry_cache_free_bulk(c, nr, p);
	nr = quarry_cache_alloc_bulk(c, GFP_KERNEL, ARRAY_SIZE(p), p);
	quarry_cache_free_bulk(c, nr, p);
}

static void a_dead_cpu_keeps_nothing(struct kunit *test)
{
	int other = quarry_test_other_cpu(test), round;
	struct quarry_cache *c = quarry_test_cache(test, SIZE);
	struct quarry_cache *idle = quarry_test_cache(test, SIZE);
	struct hammer *h = start_hammer(test, c, 0);

	for (round = 0; round < 3; round++) {
		quarry_test_on_cpu(test, other, leave_some, idle);
		KUNIT_EXPECT_GT(test, quarry_cpu_cache_n(per_cpu_ptr(idle->cpu_cache, other)), 0);
		KUNIT_ASSERT_EQ(test, 0, remove_cpu(other));
		KUNIT_EXPECT_EQ(test, quarry_cpu_cache_n(per_cpu_ptr(c->cpu_cache, other)), 0);
		KUNIT_EXPECT_EQ(test, quarry_cpu_cache_n(per_cpu_ptr(idle->cpu_cache, other)), 0);
		KUNIT_EXPECT_NULL(test, per_cpu_ptr(idle->cpu_cache, other)->loaded);
		/* Modes that are switched meanwhile hold for it too, when it is back. */
		KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, round ? 0 : QUARRY_MODES));
		KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(idle));
		KUNIT_ASSERT_EQ(test, 0, add_cpu(other));
		quarry_test_on_cpu(test, other, leave_some, c);
		KUNIT_EXPECT_EQ(test, 0, quarry_test_cache_violations(test, c, ""));
		KUNIT_EXPECT_EQ(test, per_cpu_ptr(c->cpu_cache, other)->disabled,
				round ? 0 : QUARRY_DISABLED_MODES);
	}
	stop_hammer(test, h, 1000);
}

/*
 * Reclaim until nothing is left of a cache that it could do without, though some is in the
 * magazines of CPUs. There may be a moment for that only: the reaper has these emptied, and
 * leaves what it finds empty then to the next reclaim. Returns less than 0 if nothing can be
 * reclaimed here.
 */
static int reclaim_to_the_end(struct kunit *test, struct quarry_cache *c)
{
	u64 before = quarry_test_cache_stats(test, c)->slabs;
	struct quarry_cache_stats *st;
	unsigned int tries;

	for (tries = 0; tries < 200; tries++) {
		if (!quarry_test_reclaim())
			return -ENODEV;
		st = quarry_test_cache_stats(test, c);
		if (st->slabs < before && !st->slabs_empty)
			return true;
		usleep_range(1000, 2000);
	}
	return false;
}

static void the_shrinker_takes_what_is_spare(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, SIZE);
	struct quarry_cache *load = quarry_test_cache(test, SIZE);
	void **p = quarry_test_objects(test, 3000);
	struct hammer *a, *b;
	unsigned int i;
	int reached;

	a = start_hammer(test, load, 0);
	b = start_hammer(test, load, 1);
	for (i = 0; i < 5; i++) {
		quarry_test_take_objects(test, c, p, 3000);
		quarry_test_give_objects(c, p, 3000);
		reached = reclaim_to_the_end(test, c);
		if (reached < 0) {
			stop_hammer(test, a, 0);
			stop_hammer(test, b, 0);
			kunit_skip(test, "no drop_caches");
		}
		KUNIT_EXPECT_TRUE(test, reached);
		KUNIT_EXPECT_EQ(test, 0, quarry_test_cache_violations(test, load, ""));
	}
	stop_hammer(test, a, 2000);
	stop_hammer(test, b, 2000);
}

/* Both CPUs free the same object at the same time: it is free once. */
struct freer {
	struct quarry_cache *c;
	void *p;
};

static void free_object_of(void *arg)
{
	struct freer *f = arg;

	quarry_cache_free(f->c, f->p);
}

static void a_racing_double_free_is_contained(struct kunit *test)
{
	struct freer f = { .c = quarry_test_cache(test, SIZE) };
	struct quarry_test_map *map = quarry_test_map(test);
	struct quarry_cache_stats *before = quarry_test_cache_stats(test, f.c), *after;
	void **p = quarry_test_objects(test, 200);
	unsigned int i;

	quarry_test_other_cpu(test);
	KUNIT_ASSERT_EQ(test, 0,
			quarry_cache_set_modes(f.c, *(const unsigned int *)test->param_value));
	for (i = 0; i < 100; i++) {
		f.p = quarry_cache_alloc(f.c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, f.p);
		quarry_test_at_once(test, free_object_of, &f);
		quarry_cache_shrink(f.c);
	}
	after = quarry_test_cache_stats(test, f.c);
	KUNIT_EXPECT_EQ(test, after->errors[QUARRY_CACHE_ERR_DOUBLE_FREE] -
			before->errors[QUARRY_CACHE_ERR_DOUBLE_FREE], 100);
	/* Nothing is there twice, nothing is lost. */
	quarry_test_take_objects(test, f.c, p, 200);
	for (i = 0; i < 200; i++)
		quarry_test_map_add(map, p[i], SIZE);
	KUNIT_EXPECT_EQ(test, map->overlaps, 0);
	quarry_test_give_objects(f.c, p, 200);
}

static int contexts_init(struct kunit *test)
{
	return quarry_test_nmi_init();
}

static void contexts_exit(struct kunit *test)
{
	quarry_test_nmi_exit();
}

static struct kunit_case cache_contexts_cases[] = {
	KUNIT_CASE_PARAM(process_context, modes_gen_params),
	KUNIT_CASE_PARAM(interrupts_off, modes_gen_params),
	KUNIT_CASE_PARAM(under_a_raw_spinlock, modes_gen_params),
	KUNIT_CASE_PARAM(softirq, modes_gen_params),
	KUNIT_CASE_PARAM(hard_interrupt, modes_gen_params),
	KUNIT_CASE(busy_magazines),
	KUNIT_CASE_PARAM(without_a_lock, modes_gen_params),
	KUNIT_CASE(zeros_of_what_is_constructed_without_a_lock),
#ifdef CONFIG_X86_LOCAL_APIC
	KUNIT_CASE_PARAM(in_nmi_while_nobody_is_inside, modes_gen_params),
	KUNIT_CASE_PARAM(in_nmi_while_the_node_is_locked, modes_gen_params),
#endif
	KUNIT_CASE(taken_here_given_back_there),
	KUNIT_CASE(typesafe_under_readers),
	KUNIT_CASE(typesafe_pages_wait),
	KUNIT_CASE(a_dead_cpu_keeps_nothing),
	KUNIT_CASE(the_shrinker_takes_what_is_spare),
	KUNIT_CASE_PARAM(a_racing_double_free_is_contained, modes_gen_params),
	{}
};

static struct kunit_suite cache_contexts_suite = {
	.name = "quarry-cache-contexts",
	.suite_init = quarry_test_parameters,
	.init = contexts_init,
	.exit = contexts_exit,
	.test_cases = cache_contexts_cases,
};

kunit_test_suite(cache_contexts_suite);
