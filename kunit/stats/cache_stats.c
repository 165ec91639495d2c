// SPDX-License-Identifier: GPL-2.0
/*
 * The figures of a cache are true.
 *
 * A random sequence of calls is made on one CPU; before each, the state of its
 * magazines, of the depot and of the slabs is looked at, and it is said which counter
 * will move by how much. All of them are then compared. So each counter of the
 * ways of an object (module/cache/alloc.c) is moved by a known amount, thousands of
 * times, and nothing else moves with it. The gauges, and counters of rarer events, are
 * moved one by one. The counters are those of the list in linux/quarry.h: the last case fails
 * if one has not been moved by what was foretold.
 */
#include <linux/mm.h>

#include "../cache_kunit.h"

/*
 * All figures. By how much counters move is said in the same struct; it is large, so these are
 * static: cases run one after the other.
 */
#define FIGURE(kind, field, NAME, text)	QUARRY_FIGURE(quarry_cache_stats, kind, field)
static const struct quarry_figure figures[] = QUARRY_CACHE_FIGURES(FIGURE);

/* By how much each was moved, as foretold. */
static u64 seen[ARRAY_SIZE(figures)];

static void expect_moved(struct kunit *test, const struct quarry_cache_stats *before,
			 const struct quarry_cache_stats *after,
			 const struct quarry_cache_stats *by, const char *what)
{
	unsigned int i;
	u64 moved, want;

	for (i = 0; i < ARRAY_SIZE(figures); i++) {
		if (!quarry_figure_is_counter(&figures[i]))
			continue;
		moved = quarry_figure_value(&figures[i], after) -
			quarry_figure_value(&figures[i], before);
		want = quarry_figure_value(&figures[i], by);
		if (moved == want)
			seen[i] += want;
		else
			KUNIT_FAIL(test, "%s: %s moved by %llu, not %llu", what, figures[i].name,
				   moved, want);
	}
}

static u64 seen_of(size_t offset)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(figures); i++)
		if (figures[i].offset == offset)
			return seen[i];
	return 0;
}

#define SEEN(field)	seen_of(offsetof(struct quarry_cache_stats, field))

/* What this CPU has at hand. */
struct at_hand {
	bool loaded;
	bool spare;
	u32 n;
	u32 room;
	u32 previous;
	u32 previous_room;
	u32 full;
	u64 in_slabs;
};

/* A magazine that was missed comes first thing, in the place of the smaller one. */
static void bring(struct at_hand *h, const struct quarry_cpu_cache *m)
{
	const struct quarry_magazine *loaded = m->loaded, *previous = m->previous;

	if (!loaded) {
		h->loaded = true;
		h->room = m->cap;
	} else if (!previous) {
		h->previous_room = m->cap;
	} else if (previous->cap < loaded->cap) {
		h->previous_room = m->cap - h->previous;
	} else if (loaded->cap < m->cap) {
		h->room = m->cap - h->n;
	} else {
		h->spare = true;
	}
}

static struct at_hand look(struct quarry_cache *c)
{
	struct quarry_cpu_cache *m = quarry_test_cpu_cache(c);
	struct quarry_cache_node *n = quarry_cpu_cache_node(m);
	struct at_hand h = {};
	unsigned long flags;

	h.loaded = m->loaded;
	h.previous = m->previous ? m->previous->n : 0;
	h.previous_room = m->previous ? m->previous->cap - m->previous->n : 0;
	h.n = quarry_cpu_cache_n(m) - h.previous;
	h.room = m->loaded ? m->loaded->cap - h.n : 0;
	quarry_node_lock(n, &flags, false);
	h.spare = n->depot.nr_spare;
	h.full = n->depot.nr_full;
	h.in_slabs = n->plain.nr_free;
	quarry_node_unlock(n, flags);
	if (m->wants && m->cap)
		bring(&h, m);
	return h;
}

static const struct quarry_cache_stats *foretell_alloc(struct quarry_cache *c)
{
	static struct quarry_cache_stats f;
	struct at_hand h = look(c);

	f = (struct quarry_cache_stats){ .allocs = 1 };
	if (h.n)
		return &f;
	f.slow_allocs = 1;
	if (h.previous)
		return &f;
	if (h.full) {
		f.exchanges = 1;
		return &f;
	}
	f.grows = !h.in_slabs;
	if (h.loaded || h.spare)
		f.refills = 1;
	else
		f.direct_allocs = 1;
	return &f;
}

static const struct quarry_cache_stats *foretell_free(struct quarry_cache *c)
{
	static struct quarry_cache_stats f;
	struct at_hand h = look(c);

	f = (struct quarry_cache_stats){ .frees = 1 };
	if (h.room)
		return &f;
	f.slow_frees = 1;
	if (h.previous_room)
		return &f;
	if (h.spare)
		f.exchanges = 1;
	else if (h.loaded)
		f.flushes = 1;
	else
		f.direct_frees = 1;
	return &f;
}

static void every_way_of_an_object(struct kunit *test)
{
	struct quarry_cache_stats *a = quarry_test_cache_stats(test, quarry_classes[0]);
	struct quarry_cache_stats *b = quarry_test_cache_stats(test, quarry_classes[0]);
	u64 seed = quarry_test_seed, i, goal = 0;
	const struct quarry_cache_stats *f;
	void **p = quarry_test_objects(test, 1200);
	struct quarry_cache *c;
	unsigned int nr = 0;

	memset(seen, 0, sizeof(seen));
	c = quarry_test_near_cache(test, 64);
	for (i = 0; i < 12000 && !test->status; i++) {
		/* To a goal and back, with steps to the side, so that all of it is met. */
		if (!(i % 600))
			goal = quarry_test_random(&seed, 1200);
		quarry_cache_snapshot(c, a);
		if (nr < goal ? nr < 1200 && quarry_test_random(&seed, 8) :
		    !nr || !quarry_test_random(&seed, 8)) {
			f = foretell_alloc(c);
			p[nr] = quarry_cache_alloc(c, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p[nr]);
			nr++;
			quarry_cache_snapshot(c, b);
			expect_moved(test, a, b, f, "alloc");
		} else {
			f = foretell_free(c);
			quarry_cache_free(c, p[--nr]);
			quarry_cache_snapshot(c, b);
			expect_moved(test, a, b, f, "free");
		}
		KUNIT_EXPECT_EQ(test, b->objects_out, nr);
		KUNIT_EXPECT_EQ(test, b->object_bytes, nr * 64);
	}
	quarry_test_give_objects(c, p, nr);
	KUNIT_EXPECT_GT(test, SEEN(slow_allocs), 10);
	KUNIT_EXPECT_GT(test, SEEN(slow_frees), 10);
	KUNIT_EXPECT_GT(test, SEEN(exchanges), 10);
	KUNIT_EXPECT_GT(test, SEEN(refills), 10);
	KUNIT_EXPECT_GT(test, SEEN(flushes), 1);
	KUNIT_EXPECT_GT(test, SEEN(grows), 1);
	KUNIT_EXPECT_GT(test, SEEN(direct_allocs), 0);
}

static void what_does_not_change(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_8M);
	struct quarry_cache *c;
	struct quarry_cache_stats *st;

	c = quarry_cache_create_in(pool, "kunit-figures", 100, 16, 0, NULL);
	quarry_test_keep_cache(test, c);
	st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, st);
	memset(st, 0xff, sizeof(*st));
	st->size = 7;
	st->flags = 8;
	quarry_cache_snapshot(c, st);
	KUNIT_EXPECT_EQ(test, st->size, 7);
	KUNIT_EXPECT_EQ(test, st->flags, 8);
	KUNIT_EXPECT_STREQ(test, st->name, "kunit-figures");
	KUNIT_EXPECT_STREQ(test, st->pool, pool->name);
	KUNIT_EXPECT_EQ(test, st->id, c->registered.id);
	KUNIT_EXPECT_EQ(test, st->kind, QUARRY_CACHE_TYPED);
	KUNIT_EXPECT_EQ(test, st->modes, 0);
	KUNIT_EXPECT_EQ(test, st->object_size, 100);
	KUNIT_EXPECT_EQ(test, st->stride, 112);
	KUNIT_EXPECT_EQ(test, st->align, 16);
	KUNIT_EXPECT_EQ(test, st->objects_per_slab, (PAGE_SIZE << st->order) / 112);
	KUNIT_EXPECT_EQ(test, st->percpu_bytes,
			num_possible_cpus() * sizeof(struct quarry_cpu_cache));
	/* Nobody has used it: it costs little, however many CPUs there are. */
	KUNIT_EXPECT_LE(test, st->percpu_bytes, num_possible_cpus() * 128ULL);
	KUNIT_EXPECT_EQ(test, st->pad, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(st->errors, 0, sizeof(st->errors)));
	KUNIT_EXPECT_EQ(test, st->slab_bytes + st->object_bytes + st->magazine_bytes +
			st->partial_bytes + st->waste_bytes + st->metadata_bytes + st->slabs +
			st->slabs_empty + st->objects_out + st->magazines + st->allocs +
			st->frees + st->grows, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, quarry_classes[3])->kind,
			QUARRY_CACHE_CLASS);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_RANDOM));
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->modes, QUARRY_MODE_RANDOM);
}

/* The sums, by hand: a slab of 64 objects with nothing over, and one with. */
static void gauges(struct kunit *test)
{
	struct quarry_cache *c, *w;
	struct quarry_cache_stats *st;
	void *p[3], *q;

	c = quarry_test_near_cache(test, 64);
	p[0] = quarry_cache_alloc(c, GFP_KERNEL);
	st = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, st->slabs, 1);
	KUNIT_EXPECT_EQ(test, st->slabs_empty, 0);
	KUNIT_EXPECT_EQ(test, st->slab_bytes, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st->objects_out, 1);
	KUNIT_EXPECT_EQ(test, st->object_bytes, 64);
	KUNIT_EXPECT_EQ(test, st->partial_bytes, 63 * 64);
	KUNIT_EXPECT_EQ(test, st->magazine_bytes, 0);
	KUNIT_EXPECT_EQ(test, st->waste_bytes, 0);
	KUNIT_EXPECT_EQ(test, st->magazines, 0);
	KUNIT_EXPECT_GT(test, st->metadata_bytes, 0);
	/* The second call brings the magazine that the first one missed. */
	p[1] = quarry_cache_alloc(c, GFP_KERNEL);
	st = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, st->magazines, 1);
	/* And a place of this CPU's to count in, from now on. */
	KUNIT_EXPECT_EQ(test, st->percpu_bytes,
			num_possible_cpus() * sizeof(struct quarry_cpu_cache) +
			sizeof(struct quarry_cpu_cache_cold));
	KUNIT_EXPECT_EQ(test, st->slow_allocs, 2);
	KUNIT_EXPECT_EQ(test, st->magazine_capacity, 28);
	KUNIT_EXPECT_EQ(test, st->magazine_bytes, 27 * 64);
	KUNIT_EXPECT_EQ(test, st->partial_bytes, (63 - 28) * 64);
	KUNIT_EXPECT_EQ(test, st->object_bytes, 2 * 64);
	quarry_cache_free(c, p[0]);
	quarry_cache_free(c, p[1]);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->objects_out, 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(c));
	st = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_EQ(test, st->slabs + st->slab_bytes + st->magazines + st->magazine_bytes +
			st->metadata_bytes + st->partial_bytes, 0);
	KUNIT_EXPECT_EQ(test, st->grows, 1);
	KUNIT_EXPECT_EQ(test, st->shrinks, 1);
	/* A half for the second, which found it full, and the rest now. */
	KUNIT_EXPECT_EQ(test, st->flushes, 2);

	w = quarry_test_cache(test, 1000);
	q = quarry_cache_alloc(w, GFP_KERNEL);
	st = quarry_test_cache_stats(test, w);
	KUNIT_EXPECT_EQ(test, st->waste_bytes,
			(PAGE_SIZE << st->order) - st->objects_per_slab * 1000ULL);
	/* An empty slab: shrinking with something out of another one keeps that. */
	KUNIT_EXPECT_EQ(test, 1, quarry_cache_shrink(w));
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, w)->slabs_empty, 0);
	quarry_cache_free(w, q);
	st = quarry_test_cache_stats(test, w);
	KUNIT_EXPECT_EQ(test, st->slabs_empty, st->magazines ? 0 : 1);
}

static void no_ctor(void *object)
{
}

static void rarer_events(struct kunit *test)
{
	struct quarry_cache_stats *a, *b;
	struct quarry_cache *c = quarry_test_cache_of(test, 128, 0, 0, no_ctor);
	static struct quarry_cache_stats f;
	void *p, *q;

	quarry_test_pin(test, 0);
	a = quarry_test_cache_stats(test, c);
	p = quarry_cache_alloc(c, GFP_KERNEL);
	b = quarry_test_cache_stats(test, c);
	f = (struct quarry_cache_stats){
		.allocs = 1, .slow_allocs = 1, .direct_allocs = 1, .grows = 1,
		.constructed = b->objects_per_slab,
	};
	expect_moved(test, a, b, &f, "constructed");

	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 1, 0));
	a = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_NULL(test, quarry_cache_alloc(c, GFP_KERNEL));
	b = quarry_test_cache_stats(test, c);
	f = (struct quarry_cache_stats){ .failures = 1, .fail_injected = 1 };
	expect_moved(test, a, b, &f, "injected");
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_inject(c, 0, 0));

	/* A free on a CPU of another node goes to its slab. */
	q = quarry_cache_alloc_node(c, GFP_KERNEL | __GFP_THISNODE,
				    quarry_test_other_node(test));
	KUNIT_ASSERT_NOT_NULL(test, q);
	a = quarry_test_cache_stats(test, c);
	quarry_cache_free(c, q);
	b = quarry_test_cache_stats(test, c);
	f = (struct quarry_cache_stats){ .frees = 1, .slow_frees = 1, .direct_frees = 1 };
	expect_moved(test, a, b, &f, "of another node");
	KUNIT_EXPECT_EQ(test, b->slabs_empty - a->slabs_empty, 1);
	/* That slab is empty, and no magazine has anything of it. */
	a = b;
	quarry_cache_shrink(c);
	b = quarry_test_cache_stats(test, c);
	f = (struct quarry_cache_stats){ .shrinks = 1 };
	expect_moved(test, a, b, &f, "shrunk");
	quarry_cache_free(c, p);
}

/* Is the capacity larger when a CPU misses often, and small again when it does not? */
static void capacity_follows_the_misses(struct kunit *test)
{
	void **p = quarry_test_objects(test, 2000);
	struct quarry_cache *c;
	struct quarry_cpu_cache *m;
	unsigned int i;
	u32 most, before;

	c = quarry_test_near_cache(test, 64);
	m = quarry_test_cpu_cache(c);
	KUNIT_EXPECT_EQ(test, m->cap, c->cap_min);
	KUNIT_EXPECT_GT(test, c->cap_max, c->cap_min);
	for (i = 0; i < 200 && m->cap < c->cap_max; i++) {
		quarry_test_take_objects(test, c, p, 2000);
		quarry_test_give_objects(c, p, 2000);
	}
	most = m->cap;
	KUNIT_EXPECT_EQ(test, most, c->cap_max);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->magazine_capacity, most);
	/* They are larger, not only to be so. */
	quarry_test_take_objects(test, c, p, 2000);
	quarry_test_give_objects(c, p, 2000);
	KUNIT_EXPECT_GT(test, m->loaded->cap, 28);
	quarry_test_cache_sound(test, c);
	/* Each calm visit of the reaper halves it, down to where it began. */
	preempt_disable();
	m->seen = 0;
	for (i = 0; m->cap > c->cap_min && i < 10; i++) {
		before = m->cap;
		quarry_cpu_cache_shrink(c, m);
		if (m->cap >= before)
			break;
	}
	quarry_cpu_cache_shrink(c, m);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, m->cap, c->cap_min);
	/* One with many misses since the last does not. */
	preempt_disable();
	m->seen = 31;
	m->cap = 60;
	quarry_cpu_cache_shrink(c, m);
	KUNIT_EXPECT_EQ(test, m->cap, 60);
	KUNIT_EXPECT_EQ(test, m->seen, 0);
	m->cap = c->cap_min;
	preempt_enable();
}

/* Without budget there are no magazines, and everything works. */
static void the_budget_is_kept(struct kunit *test)
{
	void **p = quarry_test_objects(test, 300);
	u64 budget = quarry_magazine_budget(), used;
	struct quarry_cache *c = quarry_test_near_cache(test, 64);
	struct quarry_cache_stats *st;

	atomic64_add(budget, &quarry_magazine_budget_used);
	quarry_test_take_objects(test, c, p, 300);
	quarry_test_give_objects(c, p, 300);
	st = quarry_test_cache_stats(test, c);
	atomic64_sub(budget, &quarry_magazine_budget_used);
	KUNIT_EXPECT_EQ(test, st->magazines, 0);
	KUNIT_EXPECT_EQ(test, st->direct_allocs, 300);
	KUNIT_EXPECT_EQ(test, st->direct_frees, 300);
	KUNIT_EXPECT_EQ(test, st->magazine_bytes, 0);
	quarry_test_cache_sound(test, c);
	/* With it, what they may hold is charged, and given back with them. */
	used = atomic64_read(&quarry_magazine_budget_used);
	quarry_test_take_objects(test, c, p, 300);
	quarry_test_give_objects(c, p, 300);
	st = quarry_test_cache_stats(test, c);
	KUNIT_EXPECT_GT(test, st->magazines, 0);
	KUNIT_EXPECT_GE(test, atomic64_read(&quarry_magazine_budget_used) - used,
			28 * 64 * st->magazines);
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(c));
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->magazines, 0);
	KUNIT_EXPECT_LE(test, atomic64_read(&quarry_magazine_budget_used), (s64)used);
}

/* Objects so large that a magazine of them would hold too much have none. */
static void large_objects_have_small_magazines(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, 60000);
	struct quarry_cache *d = quarry_test_cache(test, SZ_1M);
	void *p[20];
	unsigned int round;

	KUNIT_EXPECT_LE(test, c->cap_max, 4);
	KUNIT_EXPECT_EQ(test, d->cap_max, 0);
	for (round = 0; round < 4; round++) {
		quarry_test_take_objects(test, d, p, 4);
		quarry_test_give_objects(d, p, 4);
	}
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, d)->magazines, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, d)->direct_frees, 16);
}

/* After all others: a counter that is new is in the list, so it needs one that moves it. */
static void every_counter_was_moved(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(figures); i++)
		if (quarry_figure_is_counter(&figures[i]) && !seen[i])
			KUNIT_FAIL(test, "nothing has moved %s", figures[i].name);
}

static struct kunit_case cache_stats_cases[] = {
	KUNIT_CASE(every_way_of_an_object),
	KUNIT_CASE(what_does_not_change),
	KUNIT_CASE(gauges),
	KUNIT_CASE(rarer_events),
	KUNIT_CASE(capacity_follows_the_misses),
	KUNIT_CASE(the_budget_is_kept),
	KUNIT_CASE(large_objects_have_small_magazines),
	KUNIT_CASE(every_counter_was_moved),
	{}
};

static struct kunit_suite cache_stats_suite = {
	.name = "quarry-cache-stats",
	.suite_init = quarry_test_parameters,
	.test_cases = cache_stats_cases,
};

kunit_test_suite(cache_stats_suite);
