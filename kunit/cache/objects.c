// SPDX-License-Identifier: GPL-2.0
/*
 * Objects: a random walk beside a reference, and what is promised of each.
 *
 * The walk takes and gives back objects of caches of every kind (sizes, constructors,
 * typesafe, safety modes) one by one and in bulk, shrinks and validates now and
 * then. The reference knows the range of each object that is out and what was written
 * to it; so an object that is handed out twice, that overlaps another, that was
 * touched while it was out, or that a constructor's work was lost of, is seen.
 *
 * Then bulk calls of every length, zeros, constructors, frees after a grace period,
 * reserves, nodes, usercopy windows, and the end of memory.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "../cache_kunit.h"

#define MARK	0x5eedf00dc0ffee11ULL

/* The first word is the constructor's; who has the object keeps it. */
static void mark(void *object)
{
	*(u64 *)object = MARK;
}

static const struct walk {
	const char *name;
	unsigned int size;
	unsigned int align;
	slab_flags_t flags;
	void (*ctor)(void *object);
	unsigned int modes;
} walks[] = {
	{ "8 bytes", 8 },
	{ "40 bytes", 40 },
	{ "256 bytes in lines", 256, 0, SLAB_HWCACHE_ALIGN },
	{ "100 bytes aligned to 1024", 100, 1024 },
	{ "3000 bytes", 3000 },
	{ "constructed", 72, 0, 0, mark },
	{ "typesafe", 200, 0, SLAB_TYPESAFE_BY_RCU },
	{ "typesafe and constructed", 200, 0, SLAB_TYPESAFE_BY_RCU, mark },
	{ "all modes", 120, 0, 0, NULL, QUARRY_MODES },
	{ "all modes but poison, constructed", 120, 0, 0, mark,
	  QUARRY_MODES & ~QUARRY_MODE_POISON },
	{ "random order", 64, 0, 0, NULL, QUARRY_MODE_RANDOM },
};

static void walk_name(const struct walk *w, char *text)
{
	strscpy(text, w->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(walk, walks, walk_name);

#define OBJECTS	400

struct reference {
	const struct walk *w;
	struct quarry_cache *c;
	struct quarry_test_map *map;
	void *out[OBJECTS];
	unsigned int nr;
	u64 broken;
	u64 lost_marks;
	u64 not_zero;
};

static void note(struct reference *r, void *p, bool zero)
{
	unsigned int head = r->w->ctor ? sizeof(u64) : 0;

	quarry_test_map_add(r->map, p, r->w->size);
	if (r->w->ctor)
		r->lost_marks += *(u64 *)p != MARK;
	if (zero)
		r->not_zero += !!memchr_inv(p, 0, r->w->size);
	quarry_test_object_fill(p + head, r->w->size - head, MARK);
	r->out[r->nr++] = p;
}

/* Any of those that are out, checked and struck off. */
static void *strike(struct reference *r, u64 *seed)
{
	unsigned int i = quarry_test_random(seed, r->nr), head = r->w->ctor ? sizeof(u64) : 0;
	void *p = r->out[i];

	r->out[i] = r->out[--r->nr];
	if (r->w->ctor)
		r->lost_marks += *(u64 *)p != MARK;
	r->broken += !quarry_test_object_filled(p + head, r->w->size - head, MARK);
	quarry_test_map_remove(r->map, p);
	return p;
}

static void step(struct kunit *test, struct reference *r, u64 *seed)
{
	unsigned int i, nr = 1 + quarry_test_random(seed, 40);
	bool zero = !r->w->ctor && !quarry_test_random(seed, 4);
	gfp_t gfp = GFP_KERNEL | (zero ? __GFP_ZERO : 0);
	void *p[40];

	switch (quarry_test_random(seed, 16)) {
	case 0:
		if (r->nr + nr > OBJECTS)
			break;
		KUNIT_ASSERT_EQ(test, (int)nr, quarry_cache_alloc_bulk(r->c, gfp, nr, p));
		for (i = 0; i < nr; i++)
			note(r, p[i], zero);
		break;
	case 1:
		nr = min(nr, r->nr);
		for (i = 0; i < nr; i++)
			p[i] = strike(r, seed);
		quarry_cache_free_bulk(r->c, nr, p);
		break;
	case 2:
		if (!quarry_test_random(seed, 20))
			quarry_cache_shrink(r->c);
		break;
	default:
		/* Up and down between nothing out and all. */
		if (quarry_test_random(seed, OBJECTS) >= r->nr) {
			p[0] = quarry_cache_alloc(r->c, gfp);
			KUNIT_ASSERT_NOT_NULL(test, p[0]);
			note(r, p[0], zero);
		} else if (r->nr) {
			p[0] = strike(r, seed);
			if (quarry_test_random(seed, 3))
				quarry_cache_free(r->c, p[0]);
			else
				quarry_free(p[0]);
		}
	}
}

static void random_walk(struct kunit *test)
{
	const struct walk *w = test->param_value;
	struct reference *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	u64 seed = quarry_test_seed, i, steps = div_u64(quarry_test_steps, 400);
	struct quarry_cache_stats *before;

	KUNIT_ASSERT_NOT_NULL(test, r);
	r->w = w;
	r->c = quarry_test_cache_of(test, w->size, w->align, w->flags, w->ctor);
	r->map = quarry_test_map(test);
	before = quarry_test_cache_stats(test, r->c);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(r->c, w->modes));
	for (i = 0; i < steps; i++) {
		step(test, r, &seed);
		if (!(i & 255)) {
			quarry_test_cache_sound(test, r->c);
			KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, r->c)->objects_out,
					r->nr);
		}
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, r->map->nr, r->nr);
	while (r->nr)
		quarry_cache_free(r->c, strike(r, &seed));
	KUNIT_EXPECT_EQ(test, r->map->overlaps, 0);
	KUNIT_EXPECT_EQ(test, r->broken, 0);
	KUNIT_EXPECT_EQ(test, r->lost_marks, 0);
	KUNIT_EXPECT_EQ(test, r->not_zero, 0);
	quarry_test_only_cache_error(test, r->c, before, -1, 0);
	kunit_info(test, "%llu steps from seed %lu\n", steps, quarry_test_seed);
}

static void bulk_of_every_length(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 48);
	struct quarry_test_map *map = quarry_test_map(test);
	void **p = quarry_test_objects(test, 700);
	unsigned int nr, i, broken = 0;

	KUNIT_EXPECT_EQ(test, 0, quarry_cache_alloc_bulk(c, GFP_KERNEL, 0, p));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_alloc_bulk(c, GFP_KERNEL, (size_t)INT_MAX + 1, p));
	quarry_cache_free_bulk(c, 0, p);
	for (nr = 1; nr <= 700; nr += 1 + (nr > 62) * 57) {
		gfp_t gfp = nr & 1 ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO;

		KUNIT_ASSERT_EQ(test, (int)nr, quarry_cache_alloc_bulk(c, gfp, nr, p));
		for (i = 0; i < nr; i++) {
			broken += !(nr & 1) && memchr_inv(p[i], 0, 48);
			quarry_test_map_add(map, p[i], 48);
			quarry_test_object_fill(p[i], 48, nr);
		}
		for (i = 0; i < nr; i++) {
			broken += !quarry_test_object_filled(p[i], 48, nr);
			quarry_test_map_remove(map, p[i]);
		}
		if (nr & 2)
			quarry_cache_free_bulk(c, nr, p);
		else
			quarry_cache_free_bulk(NULL, nr, p);
		KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
	}
	KUNIT_EXPECT_EQ(test, broken, 0);
	KUNIT_EXPECT_EQ(test, map->overlaps, 0);
}

/* Objects of two caches and of malloc in one call. */
/* Objects of one call, and how many of them at most may keep others from the CPU. */
#define MANY	60000U
#define FEW	40000U

struct impatient {
	struct quarry_cache *c;
	struct completion done;
	u64 seen;
	u64 most;
	bool stop;
};

/* Objects that came and went on this CPU, to and from magazines and slabs. */
static u64 moved_here(struct quarry_cache *c)
{
	struct quarry_cpu_cache *m = quarry_test_cpu_cache(c);
	u64 nr = m->allocs + m->frees;

	if (m->cold)
		nr += local_read(&m->cold->count[QUARRY_CPU_CACHE_DIRECT_ALLOCS]) +
		      local_read(&m->cold->count[QUARRY_CPU_CACHE_DIRECT_FREES]);
	return nr;
}

/* How far has the call come since we looked last? */
static void look(struct impatient *t)
{
	u64 now = moved_here(t->c);

	t->most = max(t->most, now - t->seen);
	t->seen = now;
}

/* Of higher priority than the test on the same CPU: it looks whenever it can. */
static int look_often(void *data)
{
	struct impatient *t = data;

	sched_set_fifo(current);
	while (!READ_ONCE(t->stop)) {
		look(t);
		usleep_range(20, 30);
	}
	complete(&t->done);
	return 0;
}

/* The most objects of one call that kept another from the CPU. */
static u64 most_at_a_time(struct kunit *test, struct impatient *t, void **p, bool frees)
{
	preempt_disable();
	t->seen = moved_here(t->c);
	t->most = 0;
	preempt_enable();
	if (frees)
		quarry_cache_free_bulk(t->c, MANY, p);
	else
		KUNIT_EXPECT_EQ(test, (int)MANY,
				quarry_cache_alloc_bulk(t->c, GFP_KERNEL, MANY, p));
	preempt_disable();
	look(t);
	preempt_enable();
	return t->most;
}

/* A call for many objects lets others run meanwhile, where it may be preempted. */
static void bulk_lets_others_run(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct impatient t = { .c = quarry_test_cache_in(test, pool, 64, 0) };
	void **p = kvmalloc_array(MANY, sizeof(*p), GFP_KERNEL);
	u64 giving = MANY, taking = MANY;
	struct task_struct *task;
	unsigned int tries;

	KUNIT_ASSERT_NOT_NULL(test, p);
	init_completion(&t.done);
	task = kthread_create(look_often, &t, "quarry-impatient");
	if (IS_ERR(task)) {
		kvfree(p);
		KUNIT_FAIL(test, "no thread");
		return;
	}
	kthread_bind(task, raw_smp_processor_id());
	wake_up_process(task);
	KUNIT_EXPECT_EQ(test, (int)MANY, quarry_cache_alloc_bulk(t.c, GFP_KERNEL, MANY, p));
	/* On a host that is busy elsewhere the timer may come late. */
	for (tries = 0; tries < 5 && (giving > FEW || taking > FEW); tries++) {
		giving = min(giving, most_at_a_time(test, &t, p, true));
		taking = min(taking, most_at_a_time(test, &t, p, false));
	}
	quarry_cache_free_bulk(t.c, MANY, p);
	WRITE_ONCE(t.stop, true);
	wait_for_completion(&t.done);
	kvfree(p);
	KUNIT_EXPECT_LE(test, giving, FEW);
	KUNIT_EXPECT_LE(test, taking, FEW);
	kunit_info(test, "%llu and %llu objects at a time\n", giving, taking);
}

static void bulk_of_several_caches(struct kunit *test)
{
	struct quarry_cache *a = quarry_test_cache(test, 48), *b = quarry_test_cache(test, 480);
	struct quarry_cache_stats *before;
	void **p = quarry_test_objects(test, 60);
	unsigned int i;

	for (i = 0; i < 60; i += 3) {
		p[i] = quarry_cache_alloc(a, GFP_KERNEL);
		p[i + 1] = quarry_cache_alloc(b, GFP_KERNEL);
		p[i + 2] = quarry_malloc(100, GFP_KERNEL);
		KUNIT_ASSERT_TRUE(test, p[i] && p[i + 1] && p[i + 2]);
	}
	/* With one of the caches named, the others' are refused one by one. */
	before = quarry_test_cache_stats(test, a);
	quarry_cache_free_bulk(a, 60, p);
	quarry_test_only_cache_error(test, a, before, QUARRY_CACHE_ERR_WRONG_CACHE, 40);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, a)->objects_out, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, b)->objects_out, 20);
	for (i = 0; i < 60; i += 3)
		p[i] = NULL;
	quarry_cache_free_bulk(NULL, 60, p);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, b)->objects_out, 0);
}

static void zeros_where_they_are_asked_for(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 520);
	unsigned int round, i, k, dirty = 0;
	void **p = quarry_test_objects(test, 80);

	for (round = 0; round < 6; round++) {
		for (i = 0; i < 80; i++) {
			p[i] = round & 1 ? quarry_cache_alloc(c, GFP_KERNEL | __GFP_ZERO) :
					   quarry_cache_zalloc(c, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			dirty += !!memchr_inv(p[i], 0, 520);
		}
		for (k = 0; k < 80; k++) {
			memset(p[k], 0xee, 520);
			quarry_cache_free(c, p[k]);
		}
		if (round == 3)
			KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODES));
	}
	KUNIT_EXPECT_EQ(test, dirty, 0);
}

static void what_a_constructor_made_stays(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache_of(test, 64, 0, 0, mark);
	struct quarry_cache_stats *st;
	void **p = quarry_test_objects(test, 300);
	unsigned int round, i, lost = 0;

	for (round = 0; round < 4; round++) {
		quarry_test_take_objects(test, c, p, 300);
		for (i = 0; i < 300; i++)
			lost += *(u64 *)p[i] != MARK;
		quarry_test_give_objects(c, p, 300);
		if (round == 1)
			KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(c));
	}
	KUNIT_EXPECT_EQ(test, lost, 0);
	st = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, st->constructed, st->grows * st->objects_per_slab);
	/* Zeros would undo it. */
	KUNIT_EXPECT_NULL(test, quarry_cache_zalloc(c, GFP_KERNEL));
	quarry_test_only_cache_error(test, c, st, QUARRY_CACHE_ERR_BAD_ARGUMENT, 1);
}

struct late {
	u64 salt;
	struct rcu_head rcu;
	u64 more[4];
};

static void free_after_a_grace_period(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, sizeof(struct late));
	struct late **p = (struct late **)quarry_test_objects(test, 200), *none = NULL;
	unsigned int i, broken = 0;

	quarry_test_take_objects(test, c, (void **)p, 200);
	for (i = 0; i < 200; i++)
		p[i]->salt = (unsigned long)p[i] ^ MARK;
	rcu_read_lock();
	for (i = 0; i < 200; i++)
		quarry_free_rcu(p[i], rcu);
	/* We still read: nothing of it may be anybody else's yet. */
	for (i = 0; i < 200; i++)
		broken += p[i]->salt != ((unsigned long)p[i] ^ MARK);
	rcu_read_unlock();
	quarry_free_rcu(none, rcu);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, broken, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
	/* One of malloc's, and a large one, whose head is not where the object begins. */
	p[0] = quarry_malloc(sizeof(struct late), GFP_KERNEL);
	p[1] = quarry_malloc(SZ_128K, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, p[0] && p[1]);
	quarry_free_rcu(p[0], rcu);
	quarry_free_rcu(p[1], rcu);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, quarry_usable_size(p[1]), 0);
	p[2] = quarry_cache_alloc(c, GFP_KERNEL);
	quarry_free_rcu_mightsleep(p[2]);
	quarry_free_rcu_mightsleep(none);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
}

static void destroying_waits_for_what_is_pending(struct kunit *test)
{
	struct quarry_cache *c;
	struct late *p;
	unsigned int i;

	c = quarry_cache_create(quarry_test_name(test), sizeof(struct late), 0, 0, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	for (i = 0; i < 500; i++) {
		p = quarry_cache_alloc(c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		quarry_free_rcu(p, rcu);
	}
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_destroy(c));
}

static void prefilled_cannot_fail(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 2048, 0);
	void **all = quarry_test_objects(test, 2100), *p[9];
	struct quarry_magazine *mag, *none;
	unsigned int nr, i;

	KUNIT_EXPECT_NULL(test, quarry_cache_prefill(c, GFP_KERNEL, 0));
	mag = quarry_cache_prefill(c, GFP_KERNEL, 9);
	KUNIT_ASSERT_NOT_NULL(test, mag);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 9);
	nr = quarry_test_exhaust(test, c, GFP_KERNEL, all, 2100);
	KUNIT_EXPECT_NULL(test, quarry_cache_prefill(c, GFP_KERNEL | __GFP_NOWARN, 1));
	for (i = 0; i < 6; i++) {
		p[i] = quarry_cache_alloc_prefilled(c, i & 1 ? __GFP_ZERO : 0, mag);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		if (i & 1)
			KUNIT_EXPECT_NULL(test, memchr_inv(p[i], 0, 2048));
		quarry_test_object_fill(p[i], 2048, i);
	}
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_TRUE(test, quarry_test_object_filled(p[i], 2048, i));
		quarry_cache_free(c, p[i]);
	}
	/* The three that were not used go back with it. */
	quarry_cache_release(c, mag);
	quarry_cache_release(c, NULL);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, nr);
	quarry_test_give_objects(c, all, nr);
	mag = quarry_cache_prefill(c, GFP_KERNEL, 2);
	KUNIT_ASSERT_NOT_NULL(test, mag);
	none = mag;
	p[0] = quarry_cache_alloc_prefilled(c, 0, none);
	p[1] = quarry_cache_alloc_prefilled(c, 0, none);
	KUNIT_EXPECT_TRUE(test, p[0] && p[1] && p[0] != p[1]);
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc_prefilled(c, 0, none));
	quarry_cache_free(c, p[0]);
	quarry_cache_free(c, p[1]);
	quarry_cache_release(c, mag);
}

static void the_end_of_memory(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 1024, 0);
	struct quarry_cache *other = quarry_test_cache_in(test, pool, 512, 0);
	void **p = quarry_test_objects(test, 4200), *q;
	struct quarry_cache_stats *st;
	unsigned int nr, round;

	for (round = 0; round < 3; round++) {
		nr = quarry_test_exhaust(test, c, GFP_KERNEL, p, 4200);
		/* All of it, whatever was in magazines and other caches before. */
		KUNIT_EXPECT_EQ(test, nr, 4096);
		st = quarry_test_cache_stats(test, c);
		KUNIT_EXPECT_EQ(test, st->failures, 2 * round + 1);
		KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_ATOMIC | __GFP_NOWARN));
		KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->failures, 2 * round + 2);
		KUNIT_EXPECT_NULL(test, quarry_cache_alloc(other, GFP_KERNEL | __GFP_NOWARN));
		/* One comes back, and can be had again. */
		quarry_cache_free(c, p[nr - 1]);
		p[nr - 1] = quarry_cache_alloc(c, GFP_ATOMIC);
		KUNIT_ASSERT_NOT_NULL(test, p[nr - 1]);
		quarry_test_give_objects(c, p, nr);
		/* What one cache does not need is the other's. */
		q = quarry_cache_alloc(other, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, q);
		quarry_cache_free(other, q);
	}
	KUNIT_EXPECT_EQ(test, quarry_cache_alloc_bulk(c, GFP_KERNEL | __GFP_NOWARN, 4200, p), 0);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(c));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(other));
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->allocated_bytes, 0);
}

/* Sizes whose slabs are of order 3 where that is to be had. */
static const unsigned int fragmented_sizes[] = { 96, 512, 700, 2048 };

static void fragmented_name(const unsigned int *size, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%u bytes", *size);
}

KUNIT_ARRAY_PARAM(fragmented, fragmented_sizes, fragmented_name);

/* The pool is full but for every second page. */
static unsigned int fragment(struct kunit *test, struct quarry_pool *pool,
			     struct page **pages, unsigned int room)
{
	unsigned int i, nr, kept = 0;

	nr = quarry_test_take_all(test, pool, GFP_KERNEL | __GFP_NOWARN, 0, pages, room);
	for (i = 0; i < nr; i++)
		if (page_to_pfn(pages[i]) & 1)
			pages[kept++] = pages[i];
		else
			quarry_free_pages(pool, pages[i], 0);
	return kept;
}

/* A slab is of the smallest order that holds an object, where there is nothing better. */
static void objects_in_what_is_left(struct kunit *test)
{
	unsigned int size = *(const unsigned int *)test->param_value, nr, kept, i;
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_8M, SZ_8M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, size, 0);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_8M) + 1);
	unsigned int room = FRAMES(SZ_4M) * (PAGE_SIZE / size) + 1;
	void **p = kvmalloc_array(room, sizeof(*p), GFP_KERNEL);
	struct quarry_cache_stats *st, *before;

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->order, 3);
	kept = fragment(test, pool, pages, FRAMES(SZ_8M) + 1);
	KUNIT_EXPECT_EQ(test, kept, FRAMES(SZ_4M));
	nr = quarry_test_exhaust(test, c, GFP_KERNEL, p, room);
	/* All that there is. */
	KUNIT_EXPECT_EQ(test, nr, FRAMES(SZ_4M) * (PAGE_SIZE / size));
	st = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, st->slabs, FRAMES(SZ_4M));
	KUNIT_EXPECT_EQ(test, st->slab_bytes, SZ_4M);
	KUNIT_EXPECT_EQ(test, st->objects_out, nr);
	for (i = 0; i < nr; i++)
		quarry_test_object_fill(p[i], size, 1);
	for (i = 0; i < nr; i++)
		if (!quarry_test_object_filled(p[i], size, 1))
			break;
	KUNIT_EXPECT_EQ(test, i, nr);
	/* What is wrong is seen at once, one by one and in bulk; the rest goes in bulk. */
	quarry_cache_free(c, p[--nr]);
	before = quarry_test_cache_stats(test, c);
	quarry_cache_free(c, p[0] + 8);
	quarry_cache_free(c, (void *)((unsigned long)p[0] | ~PAGE_MASK) - 7);
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_INTERIOR, 2);
	quarry_cache_free_bulk(c, nr, p);
	quarry_test_cache_sound(test, c);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(c));
	quarry_test_give_all(pool, 0, pages, kept);
	/* And the next is of the better kind again. */
	KUNIT_EXPECT_TRUE(test, quarry_cache_alloc_bulk(c, GFP_KERNEL, 10, p));
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->slab_bytes, PAGE_SIZE << 3);
	KUNIT_EXPECT_EQ(test, quarry_cache_same(c), c->shape[0].same);
	quarry_cache_free_bulk(c, 10, p);
	kvfree(p);
}

/*
 * Where slabs are of two orders, what is freed in bulk with an object of one is looked at
 * for itself: a neighbour of the slab is no object of it.
 */
static void bulk_looks_at_each_least_slab(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_8M, SZ_8M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 512, 0);
	struct page **pages = quarry_test_pages(test, FRAMES(SZ_8M) + 1);
	struct quarry_cache_stats *before;
	unsigned int kept, i;
	void *p[16];

	kept = fragment(test, pool, pages, FRAMES(SZ_8M) + 1);
	KUNIT_ASSERT_TRUE(test, quarry_cache_alloc_bulk(c, GFP_KERNEL, 16, p));
	/* A magazine with room for all, as those who free many have. */
	quarry_cache_free_bulk(c, 16, p);
	KUNIT_ASSERT_TRUE(test, quarry_cache_alloc_bulk(c, GFP_KERNEL, 16, p));
	before = quarry_test_cache_stats(test, c);
	for (i = 8; i < 16; i++)
		quarry_cache_free(c, p[i]);
	/* The page behind is the test's own. */
	p[8] = (void *)(((unsigned long)p[0] & PAGE_MASK) ^ PAGE_SIZE);
	for (i = 9; i < 16; i++)
		p[i] = p[8] + 512 * (i - 8);
	quarry_cache_free_bulk(c, 16, p);
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_FOREIGN, 8);
	quarry_test_give_all(pool, 0, pages, kept);
}

/* A node without memory is given the objects of others, not a slab of others for each. */
static void others_objects_come_before_others_slabs(struct kunit *test)
{
	int node = quarry_test_other_node(test);
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 512, 0);
	void **p = quarry_test_objects(test, 1000);
	struct quarry_cache_stats *st;
	unsigned int i;

	p[0] = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p[0]);
	/* All memory is of one node: wish for the other. */
	if (page_to_nid(virt_to_page(p[0])) == node)
		node = first_memory_node;
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc_node(c, GFP_KERNEL | __GFP_THISNODE |
							__GFP_NOWARN, node));
	for (i = 1; i < 1000; i++) {
		p[i] = quarry_cache_alloc_node(c, i & 1 ? GFP_KERNEL : GFP_NOWAIT, node);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	st = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_LE(test, st->slabs, 1000 / st->objects_per_slab + 2);
	quarry_test_give_objects(c, p, 1000);
}

static void objects_of_a_node(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 300);
	struct quarry_cache_stats *before;
	void **p = quarry_test_objects(test, 100);
	unsigned int i, elsewhere = 0;
	int node;

	quarry_test_other_node(test);
	for_each_node_state(node, N_MEMORY) {
		for (i = 0; i < 100; i++) {
			p[i] = quarry_cache_alloc_node(c, GFP_KERNEL |
						       (i & 1 ? __GFP_THISNODE : 0), node);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			elsewhere += page_to_nid(virt_to_page(p[i])) != node;
			quarry_test_object_fill(p[i], 300, node);
		}
		quarry_test_cache_sound(test, c);
		for (i = 0; i < 100; i++)
			elsewhere += !quarry_test_object_filled(p[i], 300, node);
		/* Half of these frees are of the other node's, whichever CPU this is. */
		quarry_test_give_objects(c, p, 100);
	}
	KUNIT_EXPECT_EQ(test, elsewhere, 0);
	p[0] = quarry_cache_alloc_node(c, GFP_KERNEL, NUMA_NO_NODE);
	KUNIT_EXPECT_NOT_NULL(test, p[0]);
	quarry_cache_free(c, p[0]);
	before = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc_node(c, GFP_KERNEL, nr_node_ids));
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc_node(c, GFP_KERNEL, -2));
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_BAD_ARGUMENT, 2);
}

static void a_pool_of_one_node(struct kunit *test)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	int other = quarry_test_other_node(test);
	struct quarry_cache *c;
	unsigned int i;
	void *p[50];

	cfg.max_bytes = SZ_16M;
	cfg.node = other;
	c = quarry_test_cache_in(test, quarry_test_pool_of(test, &cfg), 700, 0);
	quarry_test_pin(test, 0);
	for (i = 0; i < 50; i++) {
		/* Wherever it is wished for. */
		p[i] = i & 1 ? quarry_cache_alloc_node(c, GFP_KERNEL, first_memory_node) :
			       quarry_cache_alloc(c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		KUNIT_EXPECT_EQ(test, page_to_nid(virt_to_page(p[i])), other);
	}
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc_node(c, GFP_KERNEL | __GFP_THISNODE,
							first_memory_node));
	/* They fit the magazines of a CPU of the other node. */
	for (i = 0; i < 50; i++)
		quarry_cache_free(c, p[i]);
	KUNIT_EXPECT_GT(test, quarry_test_cache_stats(test, c)->magazine_bytes, 0);
}

/* Large allocations, block or run, from any page of theirs to their end and no further. */
static void usercopy_of_large(struct kunit *test)
{
	static const size_t sizes[] = { SZ_64K, 100000, SZ_1M - 3, SZ_2M + 5 };
	unsigned int k;
	size_t at, end;
	char *p;

	for (k = 0; k < ARRAY_SIZE(sizes); k++) {
		p = quarry_malloc(sizes[k], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		end = quarry_usable_size(p);
		for (at = 0; at < end; at += 7 * PAGE_SIZE + 1) {
			KUNIT_EXPECT_EQ(test, 0, quarry_usercopy_check(p + at, end - at));
			KUNIT_EXPECT_EQ(test, 0, quarry_usercopy_check(p + at, 1));
			KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(p + at, end - at + 1));
			KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(p + at, SIZE_MAX));
		}
		quarry_free(p);
	}
}

/* The window, and every way out of it. */
static void usercopy(struct kunit *test)
{
	struct quarry_cache *plain = quarry_test_cache(test, 64), *window;
	u8 *p, *q, *m;
	unsigned int guarded;

	window = quarry_cache_create_usercopy(quarry_test_name(test), 64, 0, 0, 16, 24, NULL);
	quarry_test_keep_cache(test, window);
	q = quarry_cache_alloc(plain, GFP_KERNEL);
	m = quarry_malloc(64, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, q && m);
	for (guarded = 0; guarded < 2; guarded++) {
		KUNIT_ASSERT_EQ(test, 0,
				quarry_cache_set_modes(window, guarded ? QUARRY_MODES : 0));
		p = quarry_cache_alloc(window, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, 0, quarry_usercopy_check(p + 16, 24));
		KUNIT_EXPECT_EQ(test, 0, quarry_usercopy_check(p + 16, 1));
		KUNIT_EXPECT_EQ(test, 0, quarry_usercopy_check(p + 39, 1));
		KUNIT_EXPECT_EQ(test, 0, quarry_usercopy_check(p, 0));
		KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(p + 15, 1));
		KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(p + 40, 1));
		KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(p + 15, 25));
		KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(p + 16, 25));
		KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(p + 17, 24));
		KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(p, 64));
		KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(p + 16, SIZE_MAX));
		KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(p + 20, SIZE_MAX - 4));
		/* A copy that fails fills up with zeros, one that is refused does not. */
		memset(p, 0x77, 64);
		KUNIT_EXPECT_EQ(test, 24, quarry_copy_from_user(p + 16, NULL, 24));
		KUNIT_EXPECT_NULL(test, memchr_inv(p + 16, 0, 24));
		KUNIT_EXPECT_EQ(test, 25, quarry_copy_from_user(p + 40, NULL, 25));
		KUNIT_EXPECT_NULL(test, memchr_inv(p + 40, 0x77, 24));
		KUNIT_EXPECT_EQ(test, 24, quarry_copy_to_user(NULL, p + 16, 24));
		KUNIT_EXPECT_EQ(test, 25, quarry_copy_to_user(NULL, p + 16, 25));
		quarry_cache_free(window, p);
	}
	/* Of any other cache nothing, of malloc's all, of what is not ours whatever. */
	KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(q, 1));
	KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(q, 64));
	KUNIT_EXPECT_EQ(test, 0, quarry_usercopy_check(m, 64));
	KUNIT_EXPECT_EQ(test, 0, quarry_usercopy_check(m + 63, 1));
	KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(m, 65));
	KUNIT_EXPECT_EQ(test, -EFAULT, quarry_usercopy_check(m + 63, 2));
	KUNIT_EXPECT_EQ(test, 0, quarry_usercopy_check(test, sizeof(*test)));
	quarry_cache_free(plain, q);
	quarry_free(m);
}

static void flags_that_cannot_be_honoured(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 64);
	struct quarry_cache_stats *before = quarry_test_cache_stats(test, c);
	void *p[2];

	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_KERNEL | __GFP_HIGHMEM));
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_KERNEL | __GFP_DMA));
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_KERNEL | __GFP_DMA32));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_alloc_bulk(c, GFP_KERNEL | __GFP_DMA, 2, p));
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc_nolock(c, __GFP_HIGHMEM));
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_BAD_ARGUMENT, 5);
	/* Those that change nothing are taken. */
	p[0] = quarry_cache_alloc(c, GFP_KERNEL_ACCOUNT | __GFP_COMP | __GFP_RECLAIMABLE |
				  __GFP_NORETRY);
	KUNIT_EXPECT_NOT_NULL(test, p[0]);
	quarry_cache_free(c, p[0]);
}

static struct kunit_case objects_cases[] = {
	KUNIT_CASE_PARAM(random_walk, walk_gen_params),
	KUNIT_CASE(bulk_of_every_length),
	KUNIT_CASE(bulk_of_several_caches),
	KUNIT_CASE(bulk_lets_others_run),
	KUNIT_CASE(zeros_where_they_are_asked_for),
	KUNIT_CASE(what_a_constructor_made_stays),
	KUNIT_CASE(free_after_a_grace_period),
	KUNIT_CASE(destroying_waits_for_what_is_pending),
	KUNIT_CASE(prefilled_cannot_fail),
	KUNIT_CASE(the_end_of_memory),
	KUNIT_CASE_PARAM(objects_in_what_is_left, fragmented_gen_params),
	KUNIT_CASE(bulk_looks_at_each_least_slab),
	KUNIT_CASE(others_objects_come_before_others_slabs),
	KUNIT_CASE(objects_of_a_node),
	KUNIT_CASE(a_pool_of_one_node),
	KUNIT_CASE(usercopy),
	KUNIT_CASE(usercopy_of_large),
	KUNIT_CASE(flags_that_cannot_be_honoured),
	{}
};

static struct kunit_suite objects_suite = {
	.name = "quarry-objects",
	.suite_init = quarry_test_parameters,
	.test_cases = objects_cases,
};

kunit_test_suite(objects_suite);
