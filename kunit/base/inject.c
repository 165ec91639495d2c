// SPDX-License-Identifier: GPL-2.0
/*
 * Every step that can fail, failed.
 *
 * An operation is run with the first of its steps failing, then the second, and so
 * on until it runs through with nothing fired. Each time the error must be the one
 * the API names, nothing may be left behind, and the pools validate. The same is
 * done with the kernel's own fault injection (fail-nth of this task, so that nobody
 * else is hit), which reaches the allocations below ours.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/umh.h>

#include "../cache_kunit.h"

/* More steps than any operation here has. */
#define STEPS_MAX	200

/* Kernel memory that may come and go by itself: below one arena. */
#define NOISE	(SZ_4M - SZ_64K)

struct world {
	struct kunit *test;
	struct quarry_pool *pool;
	struct page *memory;
	struct quarry_cache *cache;
	struct quarry_cache *guarded;
	const char *name;
	/* What is left of fail-nth when the operation is over. */
	unsigned int left;
};

/* The operation is over: what the test itself allocates must not fail. */
static void disarm(struct world *w)
{
#ifdef CONFIG_FAULT_INJECTION
	w->left = current->fail_nth;
	current->fail_nth = 0;
#endif
}

/* Each returns 0, or the error it met; what it did it undoes. */
static int make_a_pool(struct world *w)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	struct quarry_pool *pool;

	cfg.min_bytes = SZ_8M;
	cfg.max_bytes = SZ_16M;
	pool = quarry_pool_create(w->name, &cfg);
	disarm(w);
	if (IS_ERR(pool)) {
		KUNIT_EXPECT_NULL(w->test, quarry_pool_find(w->name));
		return PTR_ERR(pool);
	}
	quarry_test_sound(w->test, pool);
	KUNIT_EXPECT_EQ(w->test, 0, quarry_pool_destroy(pool));
	return 0;
}

static int take_what_needs_growth(struct world *w)
{
	struct page *page = quarry_alloc_pages(w->pool, GFP_KERNEL | __GFP_NOWARN, 10);

	if (!page)
		return -ENOMEM;
	quarry_test_fill(page, 0, 1);
	quarry_free_pages(w->pool, page, 10);
	quarry_pool_shrink(w->pool, ~0ULL);
	return 0;
}

static int take_a_range(struct world *w)
{
	struct quarry_range r = { .bytes = 5 * PAGE_SIZE, .gfp = GFP_KERNEL | __GFP_NOWARN };
	phys_addr_t at;
	int err = quarry_alloc_range(w->pool, &r, &at);

	if (!err)
		KUNIT_EXPECT_EQ(w->test, 0, quarry_free_range(w->pool, at, r.bytes));
	quarry_pool_shrink(w->pool, ~0ULL);
	return err;
}

static int make_a_reserve(struct world *w)
{
	struct quarry_mempool *r = quarry_mempool_create(w->pool, 2, 20);
	int err = PTR_ERR_OR_ZERO(r);

	KUNIT_EXPECT_EQ(w->test, 0, quarry_mempool_destroy(r));
	quarry_pool_shrink(w->pool, ~0ULL);
	return err;
}

static int add_a_range(struct world *w)
{
	phys_addr_t at = page_to_phys(w->memory);
	int err = quarry_pool_add_range(w->pool, at, SZ_1M, QUARRY_ADD_PAGES);

	disarm(w);
	if (!err)
		KUNIT_EXPECT_EQ(w->test, 0, quarry_pool_remove_range(w->pool, at));
	KUNIT_EXPECT_EQ(w->test, page_count(w->memory), 1);
	return err;
}

static int add_device_memory(struct world *w)
{
	int err = quarry_pool_add_range(w->pool, 1ULL << 44, SZ_1G, 0);

	if (!err)
		KUNIT_EXPECT_EQ(w->test, 0, quarry_pool_remove_range(w->pool, 1ULL << 44));
	return err;
}

static int make_a_cache(struct world *w)
{
	struct quarry_cache *c = quarry_cache_create_in(w->pool, w->name, 100, 0,
							SLAB_RED_ZONE | SLAB_STORE_USER, NULL);

	disarm(w);
	if (IS_ERR(c))
		return PTR_ERR(c);
	quarry_test_cache_sound(w->test, c);
	KUNIT_EXPECT_EQ(w->test, 0, quarry_cache_destroy(c));
	return 0;
}

/* With magazines, and a slab or two. */
static int take_objects(struct world *w, struct quarry_cache *c)
{
	void *p[50];
	unsigned int i, nr;

	for (nr = 0; nr < ARRAY_SIZE(p); nr++) {
		p[nr] = quarry_cache_alloc(c, GFP_KERNEL | __GFP_NOWARN);
		if (!p[nr])
			break;
		quarry_test_object_fill(p[nr], 100, nr);
	}
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_TRUE(w->test, quarry_test_object_filled(p[i], 100, i));
		quarry_cache_free(c, p[i]);
	}
	quarry_test_cache_sound(w->test, c);
	KUNIT_EXPECT_EQ(w->test, quarry_test_cache_stats(w->test, c)->objects_out, 0);
	KUNIT_EXPECT_EQ(w->test, 0, quarry_cache_shrink(c));
	return nr == ARRAY_SIZE(p) ? 0 : -ENOMEM;
}

static int take_plain_objects(struct world *w)
{
	return take_objects(w, w->cache);
}

static int take_guarded_objects(struct world *w)
{
	return take_objects(w, w->guarded);
}

static int take_many_objects(struct world *w)
{
	void **p = quarry_test_objects(w->test, 500);
	int nr = quarry_cache_alloc_bulk(w->cache, GFP_KERNEL | __GFP_NOWARN, 500, p);

	quarry_cache_free_bulk(w->cache, nr, p);
	KUNIT_EXPECT_EQ(w->test, quarry_test_cache_stats(w->test, w->cache)->objects_out, 0);
	quarry_cache_shrink(w->cache);
	return nr == 500 ? 0 : -ENOMEM;
}

static int reserve_objects(struct world *w)
{
	struct quarry_magazine *mag = quarry_cache_prefill(w->cache, GFP_KERNEL | __GFP_NOWARN,
							   20);

	quarry_cache_release(w->cache, mag);
	quarry_cache_shrink(w->cache);
	return mag ? 0 : -ENOMEM;
}

/* Without what the reaper would take from caches there meanwhile. */
static u64 out_of_default_pool(struct world *w)
{
	quarry_pool_drain(quarry_pool_default());
	return quarry_test_stats(w->test, quarry_pool_default())->allocated_bytes;
}

static int take_large_memory(struct world *w)
{
	u64 before = out_of_default_pool(w);
	void *p = quarry_malloc(100000, GFP_KERNEL | __GFP_NOWARN);

	if (p)
		memset(p, 1, 100000);
	quarry_free(p);
	KUNIT_EXPECT_EQ(w->test, before, out_of_default_pool(w));
	return p ? 0 : -ENOMEM;
}

static int take_mapped_memory(struct world *w)
{
	u64 before = out_of_default_pool(w);
	void *p = quarry_kvmalloc(SZ_4M + 1, GFP_KERNEL | __GFP_NOWARN);

	if (p)
		memset(p, 1, SZ_4M + 1);
	quarry_kvfree(p);
	KUNIT_EXPECT_EQ(w->test, before, out_of_default_pool(w));
	/* On whatever node this ran, what it took of the kernel's goes back. */
	quarry_pool_shrink(quarry_pool_default(), ~0ULL);
	return p ? 0 : -ENOMEM;
}

static int look_at_owners(struct world *w)
{
	struct quarry_trace *t = kunit_kzalloc(w->test, sizeof(*t), GFP_KERNEL);
	unsigned int nr;
	u64 untraced;

	return quarry_cache_traces(w->guarded, false, t, 1, &nr, &untraced);
}

static const struct operation {
	const char *name;
	int (*fn)(struct world *w);
	/* Steps that this must have at least, and failures that must be seen. */
	unsigned int steps;
	unsigned int failures;
} operations[] = {
	{ "pool create", make_a_pool, 8, 5 },
	/* A smaller arena may do where a large one failed, so growth goes on. */
	{ "growth", take_what_needs_growth, 3, 1 },
	{ "range", take_a_range, 3, 1 },
	{ "reserve", make_a_reserve, 3, 2 },
	{ "add_range", add_a_range, 2, 2 },
	{ "add device memory", add_device_memory, 1, 1 },
	{ "cache create", make_a_cache, 5, 5 },
	/* A slab that could not be had is tried for again, a magazine done without. */
	{ "objects", take_plain_objects, 3, 0 },
	{ "guarded objects", take_guarded_objects, 4, 0 },
	{ "objects in bulk", take_many_objects, 3, 0 },
	{ "reserve of objects", reserve_objects, 3, 1 },
	{ "large memory", take_large_memory, 0, 0 },
	{ "mapped memory", take_mapped_memory, 3, 3 },
	{ "owners", look_at_owners, 2, 2 },
};

static void operation_name(const struct operation *o, char *text)
{
	strscpy(text, o->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(operation, operations, operation_name);

static struct world set_up(struct kunit *test)
{
	struct world w = { .test = test };

	w.memory = quarry_test_memory(test, 8, false);
	w.pool = quarry_test_pool(test, 0, SZ_16M);
	w.name = quarry_test_name(test);
	w.cache = quarry_test_cache_in(test, w.pool, 100, 0);
	w.guarded = quarry_test_cache_in(test, w.pool, 100, SLAB_POISON | SLAB_STORE_USER);
	return w;
}

/* With what the default pool has, for it grows in the background. */
static u64 memory_left(struct kunit *test)
{
	u64 memfree = quarry_test_memfree();

	return memfree + quarry_test_stats(test, quarry_pool_default())->managed_bytes;
}

/*
 * No arena is lost since @memfree was taken, which is taken anew: what KASAN keeps of small
 * things would add up to an arena in the end.
 */
static void expect_nothing_left(struct world *w, u64 *memfree)
{
	struct quarry_pool_stats *st = quarry_test_stats(w->test, w->pool);
	u64 now = memory_left(w->test);

	KUNIT_EXPECT_EQ(w->test, st->allocated_bytes, 0);
	KUNIT_EXPECT_EQ(w->test, st->retired_bytes, 0);
	quarry_test_sound(w->test, w->pool);
	KUNIT_EXPECT_GT(w->test, now + NOISE, *memfree);
	*memfree = now;
}

/* Fail each step of an operation once. Returns how often that failed the operation. */
static unsigned int walk(struct world *w, const struct operation *o, unsigned int *steps)
{
	unsigned int nth, fired, failures = 0;
	u64 memfree = memory_left(w->test);
	int err;

	for (nth = 1; nth < STEPS_MAX; nth++) {
		quarry_inject_set(nth);
		err = o->fn(w);
		fired = quarry_inject_fired();
		quarry_inject_set(0);
		if (err)
			KUNIT_EXPECT_EQ_MSG(w->test, err, -ENOMEM, "step %u", nth);
		failures += !!err;
		quarry_pool_shrink(w->pool, ~0ULL);
		if (!fired) {
			KUNIT_EXPECT_EQ(w->test, err, 0);
			break;
		}
		expect_nothing_left(w, &memfree);
	}
	expect_nothing_left(w, &memfree);
	*steps = nth - 1;
	return failures;
}

static void each_step_fails_once(struct kunit *test)
{
	const struct operation *o = test->param_value;
	unsigned int steps, failures, walks = 4;
	struct world w = set_up(test);

	/* Once through, so that caches of the kernel are warm. */
	KUNIT_ASSERT_EQ(test, 0, o->fn(&w));
	/* Now and then the default pool, which grows in the background, has the step that fails. */
	do {
		failures = walk(&w, o, &steps);
	} while (failures < o->failures && --walks);
	KUNIT_EXPECT_LT(test, steps + 1, STEPS_MAX);
	KUNIT_EXPECT_GE(test, steps, o->steps);
	KUNIT_EXPECT_GE(test, failures, o->failures);
	kunit_info(test, "%s: %u steps, %u of them fatal\n", o->name, steps, failures);
}

#if defined(CONFIG_FAILSLAB) || defined(CONFIG_FAIL_PAGE_ALLOC)
/* Let the kernel fail allocations that may reclaim, or no longer. */
static int kernel_injects(bool on)
{
	/* $1 the folder, $2 the file, $3 the value */
	static const char script[] = "echo $3 >/sys/kernel/debug/$1/$2";
	const struct {
		const char *folder, *file, *on, *off;
	} knobs[] = {
		{ "failslab", "ignore-gfp-wait", "N", "Y" },
		{ "failslab", "verbose", "0", "2" },
		{ "fail_page_alloc", "ignore-gfp-wait", "N", "Y" },
		{ "fail_page_alloc", "verbose", "0", "2" },
		{ "fail_page_alloc", "min-order", "0", "1" },
	};
	unsigned int i;
	int err = 0;

	/* debugfs files can be written from user space only. */
	for (i = 0; !err && i < ARRAY_SIZE(knobs); i++) {
		const char *argv[8] = {
			"/bin/sh", "-c", script, "sh", knobs[i].folder, knobs[i].file,
			on ? knobs[i].on : knobs[i].off, NULL
		};
		const char *envp[2] = { "PATH=/bin:/usr/bin", NULL };

		err = call_usermodehelper(argv[0], (char **)argv, (char **)envp,
					  UMH_WAIT_PROC);
	}
	return err;
}

static void each_allocation_of_the_kernel_fails_once(struct kunit *test)
{
	const struct operation *o = test->param_value;
	unsigned int nth, failures = 0;
	struct world w = set_up(test);
	u64 memfree;
	int err;

	if (kernel_injects(true))
		kunit_skip(test, "no debugfs of fault injection");
	KUNIT_EXPECT_EQ(test, 0, o->fn(&w));
	memfree = memory_left(test);
	for (nth = 1; nth < STEPS_MAX; nth++) {
		current->fail_nth = nth;
		err = o->fn(&w);
		if (err)
			KUNIT_EXPECT_EQ_MSG(test, err, -ENOMEM, "allocation %u", nth);
		failures += !!err;
		quarry_pool_shrink(w.pool, ~0ULL);
		if (w.left)
			break;
		expect_nothing_left(&w, &memfree);
	}
	KUNIT_EXPECT_EQ(test, 0, kernel_injects(false));
	KUNIT_EXPECT_GT(test, nth, 1);
	KUNIT_EXPECT_GE(test, failures, 1);
	expect_nothing_left(&w, &memfree);
	kunit_info(test, "%s: %u allocations, %u of them fatal\n", o->name, nth - 1, failures);
}

/* Operations whose only steps are the kernel's allocations for this task. */
static const struct operation kernel_operations[] = {
	{ "pool create", make_a_pool },
	{ "add_range", add_a_range },
	{ "cache create", make_a_cache },
};

KUNIT_ARRAY_PARAM(kernel_operation, kernel_operations, operation_name);
#endif

static void inject_exit(struct kunit *test)
{
	quarry_inject_set(0);
}

static struct kunit_case inject_cases[] = {
	KUNIT_CASE_PARAM(each_step_fails_once, operation_gen_params),
#if defined(CONFIG_FAILSLAB) || defined(CONFIG_FAIL_PAGE_ALLOC)
	KUNIT_CASE_PARAM(each_allocation_of_the_kernel_fails_once, kernel_operation_gen_params),
#endif
	{}
};

static struct kunit_suite inject_suite = {
	.name = "quarry-inject",
	.exit = inject_exit,
	.test_cases = inject_cases,
};

kunit_test_suite(inject_suite);
