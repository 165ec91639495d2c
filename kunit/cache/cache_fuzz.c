// SPDX-License-Identifier: GPL-2.0
/*
 * Wrong pointers of every kind, by every call that frees, among good ones.
 *
 * A walk allocates and frees objects of several caches, alone and in bulk of every length, and
 * between good objects it frees what is none. Each wrong pointer must be counted once; what is
 * out keeps its content, and can be freed; at the end nothing is out, and the caches are sound.
 *
 *	alone	also what has just been freed, again, which is refused at once
 *	racing	while a thread on another CPU grows and shrinks the caches and switches modes
 *
 * Parameters of the module: seed=, steps= (a tenth of them).
 */
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/vmalloc.h>

#include "../cache_kunit.h"

#define HELD	300U
#define BULK	70U

static const unsigned int sizes[] = { 8, 64, 96, 256, 1000, 4096, SZ_64K };

#define CACHES	ARRAY_SIZE(sizes)

/**
 * struct held - an object that is out
 * @p:		the object
 * @of:		the number of its cache
 * @salt:	what it is filled with
 */
struct held {
	void *p;
	unsigned int of;
	u64 salt;
};

/**
 * struct fuzz - a walk
 * @seed:	of what comes next
 * @c:		caches, by size
 * @held:	objects that are out
 * @nr:		how many
 * @page:	a page of another pool
 * @k:		memory of the kernel's
 * @v:		the same, mapped
 * @large:	of malloc, in no cache
 * @wrong:	pointers that must have been counted
 * @broken:	objects whose content has changed
 */
struct fuzz {
	u64 seed;
	struct quarry_cache *c[CACHES];
	struct held held[HELD];
	unsigned int nr;
	struct page *page;
	void *k;
	void *v;
	void *large;
	u64 wrong;
	u64 broken;
};

static u64 dice(struct fuzz *f, u64 below)
{
	return quarry_test_random(&f->seed, below);
}

/* What has been refused so far, of these caches and of what no cache is asked for. */
static u64 refused(struct kunit *test, struct fuzz *f)
{
	static const int kinds[] = {
		QUARRY_CACHE_ERR_DOUBLE_FREE, QUARRY_CACHE_ERR_WRONG_CACHE,
		QUARRY_CACHE_ERR_INTERIOR, QUARRY_CACHE_ERR_FOREIGN,
	};
	struct quarry_pool_stats *st = quarry_test_stats(test, quarry_pool_default());
	unsigned int i, k;
	u64 nr = 0;

	for (i = 0; i < QUARRY_NR_ERRORS; i++)
		nr += st->errors[i];
	for (i = 0; i < CACHES; i++)
		for (k = 0; k < ARRAY_SIZE(kinds); k++)
			nr += atomic64_read(&f->c[i]->errors[kinds[k]]);
	return nr;
}

static void hold(struct fuzz *f, unsigned int of, void *p)
{
	struct held *h = &f->held[f->nr++];

	h->p = p;
	h->of = of;
	h->salt = f->seed;
	quarry_test_object_fill(p, sizes[of], h->salt);
}

/* One that is out no more, with what was in it. */
static void *fuzz_take(struct fuzz *f, unsigned int i)
{
	struct held h = f->held[i];

	f->broken += !quarry_test_object_filled(h.p, sizes[h.of], h.salt);
	f->held[i] = f->held[--f->nr];
	return h.p;
}

/* Any that is out of a cache, or HELD. */
static unsigned int any_of(struct fuzz *f, unsigned int of)
{
	unsigned int i, at = f->nr ? dice(f, f->nr) : 0;

	for (i = 0; i < f->nr; i++)
		if (f->held[(at + i) % f->nr].of == of)
			return (at + i) % f->nr;
	return HELD;
}

static void take_some(struct fuzz *f)
{
	unsigned int of = dice(f, CACHES), i, nr;
	void *p[BULK];

	switch (dice(f, 4)) {
	case 0:
		p[0] = quarry_cache_alloc(f->c[of], GFP_KERNEL | __GFP_NOWARN);
		nr = !!p[0];
		break;
	case 1:
		p[0] = quarry_cache_alloc_nolock(f->c[of], 0);
		nr = !!p[0];
		break;
	case 2:
		p[0] = quarry_cache_alloc_node(f->c[of], GFP_NOWAIT | __GFP_NOWARN, 0);
		nr = !!p[0];
		break;
	default:
		nr = min_t(unsigned int, 1 + dice(f, sizes[of] > 4096 ? 4 : BULK), HELD - f->nr);
		if (!quarry_cache_alloc_bulk(f->c[of], GFP_KERNEL | __GFP_NOWARN, nr, p))
			nr = 0;
		break;
	}
	for (i = 0; i < nr; i++)
		hold(f, of, p[i]);
}

/* The last byte of the slab that an object lies in. */
static void *last_byte(const void *object)
{
	struct quarry_slab *slab;
	unsigned long end;

	preempt_disable();
	slab = &quarry_page_slab_of(object)->slab;
	end = quarry_slab_start(slab) + quarry_shape_bytes(quarry_slab_shape(slab));
	preempt_enable();
	return (void *)(end - 1);
}

/*
 * A pointer that is no object of the cache @of; if @by_address not even of another, for a call
 * that finds the cache itself.
 */
static void *wrong_pointer(struct fuzz *f, unsigned int of, bool by_address)
{
	unsigned int i = f->nr ? dice(f, f->nr) : 0;
	struct held *h = f->nr ? &f->held[i] : NULL;

	switch (dice(f, 16)) {
	case 0:
		return NULL;
	case 1:
		return (void *)(17 + dice(f, SZ_64K));
	case 2:
		return (void *)((3 + dice(f, 60)) * sizes[of]);
	case 3:
		return ERR_PTR(-1 - (long)dice(f, MAX_ERRNO));
	case 4:
		return task_stack_page(current) + dice(f, THREAD_SIZE);
	case 5:
		return f->v + dice(f, PAGE_SIZE);
	case 6:
		return (void *)wrong_pointer + dice(f, 64);
	case 7:
		return page_address(f->page) + dice(f, PAGE_SIZE);
	case 8:
		return f->k + dice(f, 64);
	case 9:
		return (void *)(SZ_64K + dice(f, TASK_SIZE_MAX - SZ_64K));
	case 10:
		return (void *)(f->seed | 1);
	case 11:
		return f->large + (by_address || dice(f, 2) ? 1 + dice(f, SZ_64K) : 0);
	case 12:
		if (h && h->of != of && !by_address)
			return h->p;
		return (void *)(2 * sizes[of] + 16UL);
	case 13:
		return h ? last_byte(h->p) : NULL;
	default:
		return h ? h->p + 1 + dice(f, sizes[h->of] - 1) : NULL;
	}
}

static void *next_wrong(struct fuzz *f, unsigned int of, bool by_address)
{
	void *p = wrong_pointer(f, of, by_address);

	f->wrong += !!p;
	return p;
}

static void free_one(struct fuzz *f, unsigned int of, unsigned int way, void *p)
{
	switch (way) {
	case 0:
		quarry_cache_free(f->c[of], p);
		break;
	case 1:
		quarry_cache_free_nolock(f->c[of], p);
		break;
	case 2:
		quarry_cache_free_bulk(f->c[of], 1, &p);
		break;
	case 3:
		quarry_free(p);
		break;
	default:
		quarry_free_bulk(1, &p);
		break;
	}
}

/* Ways of free_one(), of which the last ones find the cache themselves. */
#define WAYS		5U
#define BY_ADDRESS	3U

/* Wrong ones and good ones in one call. */
static void free_mixed(struct fuzz *f)
{
	unsigned int of = dice(f, CACHES), nr = 1 + dice(f, BULK), rate = dice(f, 8), i, at;
	bool by_address = !dice(f, 4);
	void *p[BULK];

	for (i = 0; i < nr; i++) {
		at = any_of(f, of);
		if (at == HELD || dice(f, 8) < rate)
			p[i] = next_wrong(f, of, by_address);
		else
			p[i] = fuzz_take(f, at);
	}
	quarry_cache_free_bulk(by_address ? NULL : f->c[of], nr, p);
}

/* A good one, and again before anybody comes between. */
static void free_twice(struct fuzz *f)
{
	unsigned int at = f->nr ? dice(f, f->nr) : HELD, of;
	unsigned long flags;
	void *p;

	if (at == HELD)
		return;
	of = f->held[at].of;
	p = fuzz_take(f, at);
	local_irq_save(flags);
	free_one(f, of, dice(f, WAYS), p);
	free_one(f, of, dice(f, WAYS), p);
	local_irq_restore(flags);
	f->wrong++;
}

static void step(struct fuzz *f, bool alone)
{
	unsigned int at, of, way;

	switch (dice(f, 16)) {
	case 0 ... 4:
		if (f->nr < HELD)
			take_some(f);
		break;
	case 5 ... 6:
		free_mixed(f);
		break;
	case 7 ... 9:
		at = f->nr ? dice(f, f->nr) : HELD;
		if (at == HELD)
			break;
		of = f->held[at].of;
		free_one(f, of, dice(f, WAYS), fuzz_take(f, at));
		break;
	case 10:
		if (alone)
			free_twice(f);
		break;
	case 11:
		if (!dice(f, 50))
			quarry_cache_shrink(f->c[dice(f, CACHES)]);
		break;
	default:
		of = dice(f, CACHES);
		way = dice(f, WAYS);
		free_one(f, of, way, next_wrong(f, of, way >= BY_ADDRESS));
		break;
	}
}

static struct fuzz *set_up(struct kunit *test)
{
	struct fuzz *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_64M);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->seed = quarry_test_seed;
	for (i = 0; i < CACHES; i++)
		f->c[i] = quarry_test_cache_in(test, pool, sizes[i], 0);
	pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	f->page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	f->k = kmalloc(64, GFP_KERNEL);
	f->v = vmalloc(PAGE_SIZE);
	f->large = quarry_malloc(SZ_128K, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, f->page && f->k && f->v && f->large);
	return f;
}

static void walk(struct kunit *test, struct fuzz *f, u64 steps, bool alone)
{
	struct quarry_pool *pool = quarry_page_pool(f->page);
	u64 before = refused(test, f), i;

	for (i = 0; i < steps; i++) {
		step(f, alone);
		if (!(i % 64))
			cond_resched();
		if (alone && !(i % 2048))
			KUNIT_EXPECT_EQ_MSG(test, refused(test, f) - before, f->wrong,
					    "seed %lu, step %llu", quarry_test_seed, i);
	}
	while (f->nr) {
		unsigned int of = f->held[f->nr - 1].of;

		quarry_cache_free(f->c[of], fuzz_take(f, f->nr - 1));
	}
	KUNIT_EXPECT_EQ_MSG(test, refused(test, f) - before, f->wrong, "seed %lu",
			    quarry_test_seed);
	KUNIT_EXPECT_EQ_MSG(test, 0, f->broken, "seed %lu", quarry_test_seed);
	kunit_info(test, "seed %lu, %llu steps, %llu wrong pointers\n", quarry_test_seed, steps,
		   f->wrong);
	quarry_free_pages(pool, f->page, 0);
	quarry_free(f->large);
	vfree(f->v);
	kfree(f->k);
}

static void alone(struct kunit *test)
{
	walk(test, set_up(test), div_u64(quarry_test_steps, 10), true);
}

struct disturber {
	struct fuzz *f;
	u64 seed;
	u64 rounds;
};

static int disturb(void *arg)
{
	struct disturber *d = arg;
	unsigned int of, nr, modes;
	void *p[BULK];

	while (!kthread_should_stop()) {
		of = quarry_test_random(&d->seed, CACHES);
		nr = 1 + quarry_test_random(&d->seed, sizes[of] > 4096 ? 4 : BULK);
		if (quarry_cache_alloc_bulk(d->f->c[of], GFP_KERNEL | __GFP_NOWARN, nr, p))
			quarry_cache_free_bulk(d->f->c[of], nr, p);
		if (!quarry_test_random(&d->seed, 8))
			quarry_cache_shrink(d->f->c[of]);
		if (!quarry_test_random(&d->seed, 16)) {
			modes = quarry_test_random(&d->seed, 2) ?
				quarry_test_random(&d->seed, QUARRY_MODES + 1) : 0;
			quarry_cache_set_modes(d->f->c[of], modes);
		}
		d->rounds++;
		cond_resched();
	}
	return 0;
}

static void racing(struct kunit *test)
{
	struct disturber *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);
	int other = quarry_test_other_cpu(test);
	struct task_struct *t;

	KUNIT_ASSERT_NOT_NULL(test, d);
	d->f = set_up(test);
	d->seed = quarry_test_seed + 1;
	t = kthread_create(disturb, d, "quarry-disturb");
	KUNIT_ASSERT_FALSE(test, IS_ERR(t));
	kthread_bind(t, raw_smp_processor_id() == other ? 0 : other);
	wake_up_process(t);
	walk(test, d->f, div_u64(quarry_test_steps, 20), false);
	kthread_stop(t);
	kunit_info(test, "%llu rounds beside it\n", d->rounds);
}

static struct kunit_case fuzz_cases[] = {
	KUNIT_CASE(alone),
	KUNIT_CASE(racing),
	{}
};

static struct kunit_suite fuzz_suite = {
	.name = "quarry-cache-fuzz",
	.suite_init = quarry_test_parameters,
	.test_cases = fuzz_cases,
};

kunit_test_suite(fuzz_suite);
