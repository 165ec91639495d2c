// SPDX-License-Identifier: GPL-2.0
/*
 * What clients of caches must not do, done on purpose, and damage that the validator
 * must find.
 *
 * Each kind of misuse is done in each safety mode, alone and together. It must be
 * refused at once, counted under its kind and under no other. The one exception is a
 * second free where no mode is on and others came between: it must be told when its
 * magazine is emptied, which shrinking does, and before the slab's pages go. The
 * module reports each place with a stack; those in the kernel's log are meant.
 *
 * Nothing here touches an object that is free: KASAN would tell of it (shadow.c).
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../cache_kunit.h"

#define SIZE	96

#define MODE(NAME, word, text)	{ #word, QUARRY_MODE_##NAME },
static const struct mode {
	const char *name;
	unsigned int modes;
} modes[] = QUARRY_CACHE_MODE_LIST(MODE,
	{ "none", 0 },
	{ "all", QUARRY_MODES },
);

static void mode_name(const struct mode *m, char *text)
{
	strscpy(text, m->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(mode, modes, mode_name);

struct fixture {
	struct quarry_cache *c;
	struct quarry_cache *other;
	struct quarry_cache_stats *before;
	unsigned int modes;
	void *p[10];
};

static struct fixture set_up(struct kunit *test)
{
	struct fixture f = { .modes = ((const struct mode *)test->param_value)->modes };

	f.c = quarry_test_near_cache(test, SIZE);
	f.other = quarry_test_cache(test, SIZE);
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(f.c, f.modes));
	quarry_test_take_objects(test, f.c, f.p, 10);
	f.before = quarry_test_cache_stats(test, f.c);
	return f;
}

/* Counted so often under that kind, and nothing else has changed. */
static void expect_refused(struct kunit *test, struct fixture *f, int kind, u64 nr)
{
	struct quarry_cache_stats *now;

	/* Of all kinds this one alone may be seen late: when its magazine is emptied. */
	if (!f->modes && kind == QUARRY_CACHE_ERR_DOUBLE_FREE)
		quarry_cache_shrink(f->c);
	quarry_test_only_cache_error(test, f->c, f->before, kind, nr);
	quarry_test_only_cache_error(test, f->other, kunit_kzalloc(test, sizeof(*now),
								   GFP_KERNEL), -1, 0);
	now = quarry_test_cache_stats(test, f->c);
	KUNIT_EXPECT_EQ(test, now->objects_out, f->before->objects_out);
	quarry_test_cache_sound(test, f->c);
	f->before = now;
}

/* The one that was freed last, and one before that. */
static void double_free(struct kunit *test)
{
	struct fixture f = set_up(test);
	unsigned int i;
	void *q[10];

	quarry_cache_free(f.c, f.p[0]);
	f.before = quarry_test_cache_stats(test, f.c);
	quarry_cache_free(f.c, f.p[0]);
	quarry_test_only_cache_error(test, f.c, f.before, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	expect_refused(test, &f, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	quarry_free(f.p[0]);
	expect_refused(test, &f, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	quarry_cache_free_nolock(f.c, f.p[0]);
	expect_refused(test, &f, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	quarry_cache_free(f.c, f.p[1]);
	quarry_cache_free(f.c, f.p[2]);
	f.before = quarry_test_cache_stats(test, f.c);
	quarry_cache_free(f.c, f.p[1]);
	expect_refused(test, &f, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	/* In bulk, with good ones around it. */
	q[0] = f.p[3];
	q[1] = f.p[1];
	q[2] = f.p[4];
	f.before->objects_out -= 2;
	quarry_cache_free_bulk(f.c, 3, q);
	expect_refused(test, &f, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	/* And it is handed out once. */
	for (i = 0; i < 5; i++)
		f.p[i] = quarry_cache_alloc(f.c, GFP_KERNEL);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_PTR_NE(test, f.p[i], f.p[(i + 1) % 10]);
	for (i = 0; i < 10; i++)
		quarry_test_object_fill(f.p[i], SIZE, i);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_TRUE(test, quarry_test_object_filled(f.p[i], SIZE, i));
	quarry_test_give_objects(f.c, f.p, 10);
}

static void the_inside_of_an_object(struct kunit *test)
{
	struct fixture f = set_up(test);
	unsigned int i;

	for (i = 1; i < SIZE; i++)
		quarry_cache_free(f.c, f.p[i % 10] + i);
	expect_refused(test, &f, QUARRY_CACHE_ERR_INTERIOR, SIZE - 1);
	quarry_free(f.p[5] + 16);
	expect_refused(test, &f, QUARRY_CACHE_ERR_INTERIOR, 1);
	quarry_cache_free_nolock(f.c, f.p[5] + 16);
	expect_refused(test, &f, QUARRY_CACHE_ERR_INTERIOR, 1);
	quarry_test_give_objects(f.c, f.p, 10);
}

/* In bulk, among good ones, in each place; also of a size that is a power of two. */
static void insides_in_bulk(struct kunit *test)
{
	static const unsigned int sizes[] = { SIZE, 64 };
	unsigned int i, k, n;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct quarry_cache *c = quarry_test_near_cache(test, sizes[i]);
		struct quarry_cache_stats *before;
		void *p[20], *q[20];

		KUNIT_ASSERT_EQ(test, 0,
				quarry_cache_set_modes(c, ((const struct mode *)
							   test->param_value)->modes));
		quarry_test_take_objects(test, c, p, 20);
		for (n = 0; n < 20; n++) {
			before = quarry_test_cache_stats(test, c);
			memcpy(q, p, sizeof(q));
			q[n] += 8 * (1 + n % (sizes[i] / 8 - 1));
			quarry_cache_free_bulk(c, 20, q);
			quarry_test_only_cache_error(test, c, before,
						     QUARRY_CACHE_ERR_INTERIOR, 1);
			KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 1);
			quarry_cache_free(c, p[n]);
			quarry_test_take_objects(test, c, p, 20);
			for (k = 0; k < 20; k++)
				quarry_test_object_fill(p[k], sizes[i], k);
			for (k = 0; k < 20; k++)
				KUNIT_EXPECT_TRUE(test, quarry_test_object_filled(p[k], sizes[i],
										  k));
		}
		quarry_test_give_objects(c, p, 20);
		quarry_test_cache_sound(test, c);
	}
}

static void an_object_of_another_cache(struct kunit *test)
{
	struct fixture f = set_up(test);
	void *q = quarry_cache_alloc(f.other, GFP_KERNEL);
	void *m = quarry_malloc(SIZE, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, q && m);
	quarry_test_object_fill(q, SIZE, 1);
	quarry_cache_free(f.c, q);
	expect_refused(test, &f, QUARRY_CACHE_ERR_WRONG_CACHE, 1);
	quarry_cache_free(f.c, m);
	expect_refused(test, &f, QUARRY_CACHE_ERR_WRONG_CACHE, 1);
	quarry_cache_free_nolock(f.c, q);
	expect_refused(test, &f, QUARRY_CACHE_ERR_WRONG_CACHE, 1);
	/* Of a redirected module, whose pointer to a cache is looked at first. */
	quarry_cache_free_slow(NULL, f.p[0]);
	expect_refused(test, &f, QUARRY_CACHE_ERR_WRONG_CACHE, 1);
	quarry_cache_free_slow(NULL, &f);
	/* It is still what it was, where it was. */
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, f.other)->objects_out, 1);
	KUNIT_EXPECT_TRUE(test, quarry_test_object_filled(q, SIZE, 1));
	quarry_cache_free(f.other, q);
	quarry_free(m);
	quarry_test_give_objects(f.c, f.p, 10);
}

static void what_is_in_no_cache(struct kunit *test)
{
	struct fixture f = set_up(test);
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	void *k = kmalloc(SIZE, GFP_KERNEL), *v = vmalloc(PAGE_SIZE);
	void *large = quarry_malloc(SZ_64K, GFP_KERNEL);
	void *none[] = { k, v, page_address(page), large, &f, (void *)8UL, (void *)PAGE_SIZE,
			 (void *)-1UL, ERR_PTR(-ENOMEM), ZERO_SIZE_PTR, what_is_in_no_cache };
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, page && k && v && large);
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		quarry_cache_free(f.c, none[i]);
		expect_refused(test, &f, QUARRY_CACHE_ERR_FOREIGN, 1);
	}
	quarry_cache_free_bulk(f.c, 4, none);
	expect_refused(test, &f, QUARRY_CACHE_ERR_FOREIGN, 4);
	quarry_cache_free(f.c, NULL);
	quarry_cache_free_nolock(f.c, NULL);
	expect_refused(test, &f, QUARRY_CACHE_ERR_FOREIGN, 0);
	quarry_free_pages(pool, page, 0);
	quarry_free(large);
	vfree(v);
	kfree(k);
	quarry_test_give_objects(f.c, f.p, 10);
}

struct others {
	struct quarry_cache *c;
	void **p;
	unsigned int nr;
};

static void free_them(void *arg)
{
	struct others *o = arg;
	unsigned int i;

	for (i = 0; i < o->nr; i++)
		quarry_cache_free(o->c, o->p[i]);
}

/* All objects of a slab have been returned, and one of them is in a magazine as well. */
static void a_second_copy_keeps_no_slab(struct kunit *test)
{
	int cpu = quarry_test_other_cpu(test);
	struct quarry_cache *c = quarry_test_near_cache(test, SIZE);
	struct others o = { .c = c, .p = quarry_test_objects(test, 600) };
	u64 budget = quarry_magazine_budget();
	struct quarry_cache_stats *before;
	void *p[10];

	if (cpu == raw_smp_processor_id())
		cpu = 0;
	do {
		KUNIT_ASSERT_LT(test, o.nr, 600);
		o.p[o.nr] = quarry_cache_alloc(c, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, o.p[o.nr]);
		o.nr++;
	} while (!quarry_test_cpu_cache(c)->loaded || quarry_cpu_cache_n(quarry_test_cpu_cache(c)));
	quarry_cache_free(c, o.p[3]);
	/* There, without magazines, straight to the slabs. */
	atomic64_add(budget, &quarry_magazine_budget_used);
	quarry_test_on_cpu(test, cpu, free_them, &o);
	atomic64_sub(budget, &quarry_magazine_budget_used);
	before = quarry_test_cache_stats(test, c);
	KUNIT_ASSERT_EQ(test, before->slabs_empty, before->slabs);
	KUNIT_ASSERT_EQ(test, quarry_cpu_cache_n(quarry_test_cpu_cache(c)), 1);
	quarry_test_only_cache_error(test, c, kunit_kzalloc(test, sizeof(*before), GFP_KERNEL),
				     -1, 0);
	/* As pressure does it, which does not empty magazines first. */
	KUNIT_EXPECT_GT(test, quarry_cache_reap(c, false), 0);
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_DOUBLE_FREE, 1);
	KUNIT_EXPECT_EQ(test, quarry_cpu_cache_n(quarry_test_cpu_cache(c)), 0);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->slabs, 0);
	quarry_test_take_objects(test, c, p, 10);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 10);
	quarry_test_give_objects(c, p, 10);
	quarry_test_cache_sound(test, c);
}

/* One whose slab has gone back to the pool. */
static void an_object_of_a_slab_that_is_gone(struct kunit *test)
{
	struct fixture f = set_up(test);

	/* Not quarantine: a slab with something in it stays. */
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(f.c, f.modes & ~QUARRY_MODE_QUARANTINE));
	quarry_test_give_objects(f.c, f.p, 10);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(f.c));
	f.before = quarry_test_cache_stats(test, f.c);
	quarry_cache_free(f.c, f.p[3]);
	expect_refused(test, &f, QUARRY_CACHE_ERR_FOREIGN, 1);
}

/* Before the first object of a slab, and after the last. */
static void where_no_object_is(struct kunit *test)
{
	struct fixture f = set_up(test);
	const struct quarry_shape *shape = &f.c->shape[!!f.modes];
	unsigned long start, first, after;

	preempt_disable();
	start = quarry_slab_start(&quarry_page_slab_of(f.p[0])->slab);
	first = quarry_page_slab_of(f.p[0])->slab.first;
	preempt_enable();
	quarry_cache_free(f.c, (void *)(start + quarry_shape_bytes(shape) - 1));
	expect_refused(test, &f, QUARRY_CACHE_ERR_INTERIOR, 1);
	/* Where the next one would be: in the rest, where there is as much of it. */
	after = first + shape->nr * shape->stride;
	if (!f.modes)
		KUNIT_ASSERT_LT(test, after, start + quarry_shape_bytes(shape));
	if (after < start + quarry_shape_bytes(shape)) {
		quarry_cache_free(f.c, (void *)after);
		expect_refused(test, &f, QUARRY_CACHE_ERR_INTERIOR, 1);
	}
	quarry_test_give_objects(f.c, f.p, 10);
}

/* Until it has gone or a minute has; the reaper comes by every two seconds. */
static bool goes(struct kunit *test, u32 id)
{
	unsigned int i;

	for (i = 0; i < 600 && quarry_test_cache_exists(test, id); i++)
		msleep(100);
	return i < 600;
}

/* One that is dead when this returns, with all that it gave taken back; its number. */
static u32 die(struct kunit *test, unsigned int modes)
{
	const char *name = quarry_test_name(test);
	struct quarry_cache_stats *st;
	struct quarry_cache *c;
	unsigned int i;
	void *p[10];
	u32 id;

	c = quarry_cache_create(name, SIZE, 0, 0, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	id = c->registered.id;
	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, modes));
	quarry_test_take_objects(test, c, p, 10);
	quarry_cache_free(c, p[9]);
	for (i = 0; i < 9; i++)
		quarry_test_object_fill(p[i], SIZE, i);
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_cache_destroy(c));
	KUNIT_EXPECT_EQ(test, -EBUSY, quarry_cache_destroy(c));
	st = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, st->kind, QUARRY_CACHE_DEAD);
	KUNIT_EXPECT_EQ(test, st->errors[QUARRY_CACHE_ERR_LEAK], 1);
	KUNIT_EXPECT_EQ(test, st->objects_out, 9);
	KUNIT_EXPECT_TRUE(test, quarry_test_cache_exists(test, id));
	/* Nothing more comes out of it, by any way. */
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, quarry_cache_zalloc(c, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_alloc_bulk(c, GFP_KERNEL, 1, &p[9]));
	quarry_test_only_cache_error(test, c, st, QUARRY_CACHE_ERR_DEAD, 3);
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc_nolock(c, 0));
	/* Its name is free, and what is out is untouched. */
	quarry_test_keep_cache(test, quarry_cache_create(name, 16, 0, 0, NULL));
	for (i = 0; i < 9; i++)
		KUNIT_EXPECT_TRUE(test, quarry_test_object_filled(p[i], SIZE, i));
	for (i = 0; i < 4; i++)
		quarry_cache_free(c, p[i]);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 5);
	/* With the last of them the reaper may destroy it. */
	for (; i < 9; i++)
		quarry_free(p[i]);
	return id;
}

static void destroying_with_objects_out(struct kunit *test)
{
	u32 ids[ARRAY_SIZE(modes)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		ids[i] = die(test, modes[i].modes);
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		KUNIT_EXPECT_TRUE_MSG(test, goes(test, ids[i]), "a dead cache stays: %s",
				      modes[i].name);
}

/* A cache with something in magazines, a depot, quarantine and slabs. */
struct patient {
	struct quarry_cache *c;
	struct quarry_cpu_cache *m;
	struct quarry_cache_node *n;
	struct quarry_slab *slab;
	struct quarry_magazine *full;
	void *out;
};

/* Damages; each is called twice, to break and to mend. */
static void bit_of_a_slab(struct patient *p)
{
	p->slab->free[0] ^= 1ULL << 1;
}

static void bit_after_the_last(struct patient *p)
{
	p->slab->free[p->c->shape[0].nr / 64] ^= 1ULL << 63;
}

static void count_of_a_slab(struct patient *p)
{
	p->slab->nfree ^= 1;
}

static void place_of_a_slab(struct patient *p)
{
	p->slab->place ^= 1;
}

static void owner_of_a_slab(struct patient *p)
{
	p->slab->owner = p->slab->owner == &p->n->plain ? &p->n->guarded : &p->n->plain;
}

static void first_of_a_slab(struct patient *p)
{
	p->slab->first ^= 8;
}

static void mask_of_buckets(struct patient *p)
{
	p->n->plain.buckets ^= 1;
}

static void slabs_of_a_node(struct patient *p)
{
	p->n->plain.nr_slabs ^= 1;
}

static void empty_slabs_of_a_node(struct patient *p)
{
	p->n->plain.nr_empty ^= 1;
}

static void free_objects_of_a_node(struct patient *p)
{
	p->n->plain.nr_free ^= 1;
}

static void full_magazines_of_a_depot(struct patient *p)
{
	p->n->depot.nr_full ^= 1;
}

static void spare_magazines_of_a_depot(struct patient *p)
{
	p->n->depot.nr_spare ^= 1;
}

static void objects_of_a_depot(struct patient *p)
{
	p->n->depot.nr_objects ^= 1;
}

static void an_object_of_a_depot(struct patient *p)
{
	p->full->slot[0] = (void *)((unsigned long)p->full->slot[0] ^ 8);
}

static void nothing_in_a_depot(struct patient *p)
{
	static void *was;

	swap(p->full->slot[0], was);
}

static void guard_of_a_magazine(struct patient *p)
{
	p->full->guard = (void *)((unsigned long)p->full->guard ^ 8);
}

static void fill_of_a_magazine(struct patient *p)
{
	p->full->n ^= 1024;
}

static void stub_of_a_cpu(struct patient *p)
{
	p->m->stub[0] = (void *)((unsigned long)p->m->stub[0] ^ 8);
}

static void an_object_of_a_cpu(struct patient *p)
{
	p->m->top[-1] = (void *)((unsigned long)p->m->top[-1] ^ 8);
}

static void an_object_of_nobody(struct patient *p)
{
	static void *other = &other;

	swap(p->m->top[-1], other);
}

static const struct damage {
	const char *name;
	void (*fn)(struct patient *p);
} damages[] = {
#define DAMAGE(fn)	{ #fn, fn }
	DAMAGE(bit_of_a_slab), DAMAGE(bit_after_the_last), DAMAGE(count_of_a_slab),
	DAMAGE(place_of_a_slab), DAMAGE(owner_of_a_slab), DAMAGE(first_of_a_slab),
	DAMAGE(mask_of_buckets), DAMAGE(slabs_of_a_node), DAMAGE(empty_slabs_of_a_node),
	DAMAGE(free_objects_of_a_node), DAMAGE(full_magazines_of_a_depot),
	DAMAGE(spare_magazines_of_a_depot), DAMAGE(objects_of_a_depot),
	DAMAGE(an_object_of_a_depot), DAMAGE(nothing_in_a_depot),
	DAMAGE(guard_of_a_magazine), DAMAGE(fill_of_a_magazine), DAMAGE(stub_of_a_cpu),
	DAMAGE(an_object_of_a_cpu), DAMAGE(an_object_of_nobody),
#undef DAMAGE
};

static void damage_name(const struct damage *d, char *text)
{
	strscpy(text, d->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(damage, damages, damage_name);

static void damage_is_found(struct kunit *test)
{
	const struct damage *d = test->param_value;
	void **all = quarry_test_objects(test, 400);
	struct quarry_cache_stats *before, *after;
	struct patient p;
	u64 violations;

	p.c = quarry_test_near_cache(test, SIZE);
	quarry_test_take_objects(test, p.c, all, 400);
	quarry_test_give_objects(p.c, all + 1, 399);
	p.out = all[0];
	p.m = quarry_test_cpu_cache(p.c);
	p.n = quarry_cpu_cache_node(p.m);
	KUNIT_ASSERT_FALSE(test, list_empty(&p.n->depot.full));
	KUNIT_ASSERT_GT(test, quarry_cpu_cache_n(p.m), 0);
	p.full = list_first_entry(&p.n->depot.full, struct quarry_magazine, link);
	preempt_disable();
	p.slab = &quarry_page_slab_of(p.out)->slab;
	preempt_enable();
	KUNIT_ASSERT_LT(test, p.c->shape[0].nr % 64, 63);

	KUNIT_EXPECT_EQ(test, 0, quarry_test_cache_violations(test, p.c, ""));
	before = quarry_test_cache_stats(test, p.c);
	d->fn(&p);
	violations = quarry_test_cache_violations(test, p.c, NULL);
	d->fn(&p);
	KUNIT_EXPECT_GT(test, violations, 0);
	after = quarry_test_cache_stats(test, p.c);
	KUNIT_EXPECT_EQ(test, after->errors[QUARRY_CACHE_ERR_CORRUPT] -
			before->errors[QUARRY_CACHE_ERR_CORRUPT], violations);
	KUNIT_EXPECT_EQ(test, 0, quarry_test_cache_violations(test, p.c, ""));
	quarry_cache_free(p.c, p.out);
}

static void damage_of_quarantine_is_found(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, SIZE);
	struct quarry_record *r;
	unsigned int i;
	u64 violations;
	void *p[3];

	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_QUARANTINE));
	quarry_test_take_objects(test, c, p, 3);
	quarry_test_give_objects(c, p, 3);
	KUNIT_EXPECT_EQ(test, 0, quarry_test_cache_violations(test, c, ""));
	preempt_disable();
	r = quarry_guard_record(quarry_page_slab_of(p[1]), p[1]);
	preempt_enable();
	for (i = 0; i < 2; i++) {
		change_bit(QUARRY_RECORD_OUT, &r->flags);
		violations = quarry_test_cache_violations(test, c, NULL);
		KUNIT_EXPECT_EQ(test, violations, !i);
	}
}

/* What the kernel's kfree() does to an object's page, in words that make it say nothing. */
static void the_kernel_frees_objects(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_4M, SZ_4M);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, SIZE, 0);
	struct quarry_cache_stats *before = quarry_test_cache_stats(test, c);
	unsigned int i;
	u64 violations;
	void *p[10];

	quarry_test_take_objects(test, c, p, 10);
	for (i = 0; i < 5; i++)
		put_page(virt_to_page(p[3]));
	KUNIT_EXPECT_FALSE(test, PageBuddy(virt_to_page(p[3])));
	/* Told each time, counted once. */
	for (i = 0; i < 2; i++) {
		violations = quarry_test_violations(test, pool,
						    "pages have references that nobody may hold");
		KUNIT_EXPECT_EQ(test, violations, 1);
		quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_KFREE, 5);
	}
	put_page(virt_to_page(p[4]));
	quarry_test_give_objects(c, p, 10);
	quarry_cache_shrink(c);
	quarry_test_only_cache_error(test, c, before, QUARRY_CACHE_ERR_KFREE, 6);
	KUNIT_EXPECT_EQ(test, 0, quarry_test_violations(test, pool, ""));
}

static struct kunit_case cache_misuse_cases[] = {
	KUNIT_CASE_PARAM(double_free, mode_gen_params),
	KUNIT_CASE_PARAM(the_inside_of_an_object, mode_gen_params),
	KUNIT_CASE_PARAM(insides_in_bulk, mode_gen_params),
	KUNIT_CASE(a_second_copy_keeps_no_slab),
	KUNIT_CASE_PARAM(an_object_of_another_cache, mode_gen_params),
	KUNIT_CASE_PARAM(what_is_in_no_cache, mode_gen_params),
	KUNIT_CASE_PARAM(an_object_of_a_slab_that_is_gone, mode_gen_params),
	KUNIT_CASE_PARAM(where_no_object_is, mode_gen_params),
	KUNIT_CASE(destroying_with_objects_out),
	KUNIT_CASE(the_kernel_frees_objects),
	KUNIT_CASE_PARAM(damage_is_found, damage_gen_params),
	KUNIT_CASE(damage_of_quarantine_is_found),
	{}
};

static struct kunit_suite cache_misuse_suite = {
	.name = "quarry-cache-misuse",
	.suite_init = quarry_test_parameters,
	.test_cases = cache_misuse_cases,
};

kunit_test_suite(cache_misuse_suite);
