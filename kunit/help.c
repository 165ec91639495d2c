// SPDX-License-Identifier: GPL-2.0
/*
 * What the suites share: pools that go with their test, pages with a pattern in
 * them, and what "nothing is lost" means.
 *
 * Model
 *	Every test works on pools of its own, made by quarry_test_pool(). When the
 *	test ends, passed or not, its pools are held to the same words: at rest they
 *	validate, nothing is out, and the kernel gets all of it back. So each test
 *	checks for leaks and damage without saying so.
 *
 * Parameters: seed= of everything random (printed by the tests that use it),
 * steps= of the random walks, and warn=1 to run also what makes the kernel itself
 * print a warning.
 */
#include <linux/cpu.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "quarry_kunit.h"

ulong quarry_test_seed = 1;
module_param_named(seed, quarry_test_seed, ulong, 0444);
MODULE_PARM_DESC(seed, "seed of the random tests (1)");

ulong quarry_test_steps = 300000;
module_param_named(steps, quarry_test_steps, ulong, 0444);
MODULE_PARM_DESC(steps, "steps of the random tests together (300000)");

bool quarry_test_warn;
module_param_named(warn, quarry_test_warn, bool, 0444);
MODULE_PARM_DESC(warn, "run also what makes the kernel print a warning (0)");

/*
 * Some kernels (6.1.y among them) run the tests of a module before its parameters
 * are set: so they are looked for in what it was loaded with. For suite_init.
 */
int quarry_test_parameters(struct kunit_suite *suite)
{
	char *args = kstrdup(THIS_MODULE->args ?: "", GFP_KERNEL), *at = args, *word;
	int err = args ? 0 : -ENOMEM;

	while (!err && (word = strsep(&at, "\n "))) {
		if (str_has_prefix(word, "seed="))
			err = kstrtoul(word + strlen("seed="), 0, &quarry_test_seed);
		else if (str_has_prefix(word, "steps="))
			err = kstrtoul(word + strlen("steps="), 0, &quarry_test_steps);
		else if (str_has_prefix(word, "warn="))
			err = kstrtobool(word + strlen("warn="), &quarry_test_warn);
	}
	kfree(args);
	return err;
}

static atomic_t names;

/* A name that no pool has had. */
const char *quarry_test_name(struct kunit *test)
{
	char *name = kunit_kzalloc(test, QUARRY_NAME_MAX, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, name);
	snprintf(name, QUARRY_NAME_MAX, "kunit-%d", atomic_inc_return(&names));
	return name;
}

/* Ask the kernel to put its free memory together. */
void quarry_test_compact(void)
{
	struct file *file = filp_open("/proc/sys/vm/compact_memory", O_WRONLY, 0);
	loff_t pos = 0;

	if (IS_ERR(file))
		return;
	kernel_write(file, "1\n", 2, &pos);
	filp_close(file, NULL);
}

/* So many blocks of the largest order a node should have free before a test begins. */
#define LARGE_BLOCKS	16

static bool has_large_blocks(int node)
{
	unsigned long nr = 0;
	int zone;

	for (zone = 0; zone < MAX_NR_ZONES; zone++)
		nr += NODE_DATA(node)->node_zones[zone].free_area[QUARRY_KERNEL_ORDER].nr_free;
	return nr >= LARGE_BLOCKS;
}

/*
 * What a test expects of a pool must not hang on what the machine's memory looks like
 * just then: where a node is short of blocks of 4 MiB, the kernel puts its free memory
 * together first.
 */
void quarry_test_large_blocks(void)
{
	int node;

	for_each_node_state(node, N_MEMORY)
		if (!has_large_blocks(node)) {
			quarry_test_compact();
			return;
		}
}

/*
 * Blocks of that order which nobody else gets: what a test needs in blocks that large is at hand
 * also when the kernel cannot put its memory together any more, since what tests made of it lies
 * everywhere. They are lent to the kernel while a floor is taken that finds none.
 */
#define KEPT		4

static struct page *kept[MAX_NUMNODES][KEPT];

static void keep_large_blocks(void)
{
	int node, i;

	for_each_node_state(node, N_MEMORY)
		for (i = 0; i < KEPT; i++)
			if (!kept[node][i])
				kept[node][i] = alloc_pages_node(node, GFP_KERNEL | __GFP_THISNODE |
								       __GFP_NORETRY | __GFP_NOWARN,
								 QUARRY_KERNEL_ORDER);
}

static void lend_large_blocks(void)
{
	int node, i;

	for_each_node_state(node, N_MEMORY)
		for (i = 0; i < KEPT; i++) {
			if (kept[node][i])
				__free_pages(kept[node][i], QUARRY_KERNEL_ORDER);
			kept[node][i] = NULL;
		}
}

struct pool_context {
	struct quarry_pool *pool;
	struct kunit *test;
};

static int pool_init(struct kunit_resource *res, void *context)
{
	struct pool_context *copy = kmemdup(context, sizeof(*copy), GFP_KERNEL);

	res->data = copy;
	return copy ? 0 : -ENOMEM;
}

/* The end of a pool: at rest it is sound, and nothing of it is out. */
static void pool_exit(struct kunit_resource *res)
{
	struct pool_context *context = res->data;
	struct kunit *test = context->test;

	if (context->pool) {
		quarry_test_at_rest(test, context->pool);
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_destroy(context->pool));
		keep_large_blocks();
	}
	kfree(context);
}

/* Wait until the background has done what it was woken for. */
void quarry_test_settle(struct quarry_pool *pool)
{
	irq_work_sync(&pool->grow_irq);
	flush_delayed_work(&pool->grow_work);
}

/* Was the floor to be had in blocks of the largest order, as tests expect it? */
static bool is_whole(struct kunit *test, struct quarry_pool *pool,
		     const struct quarry_pool_config *cfg)
{
	return cfg->min_bytes % (PAGE_SIZE << QUARRY_KERNEL_ORDER) ||
	       quarry_test_stats(test, pool)->arenas ==
	       cfg->min_bytes >> (PAGE_SHIFT + QUARRY_KERNEL_ORDER);
}

/* A pool that is checked and destroyed when the test ends. */
struct quarry_pool *quarry_test_pool_of(struct kunit *test,
					const struct quarry_pool_config *cfg)
{
	struct pool_context context = { .test = test };
	unsigned int tries = 4;

	keep_large_blocks();
	quarry_test_large_blocks();
	context.pool = quarry_pool_create(quarry_test_name(test), cfg);
	for (; !IS_ERR(context.pool) && !is_whole(test, context.pool, cfg) && tries; tries--) {
		quarry_pool_destroy(context.pool);
		quarry_test_compact();
		lend_large_blocks();
		context.pool = quarry_pool_create(quarry_test_name(test), cfg);
		keep_large_blocks();
	}
	if (!IS_ERR(context.pool) && !is_whole(test, context.pool, cfg))
		kunit_info(test, "the kernel has no blocks of 4 MiB for a pool's floor");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, context.pool);
	if (!kunit_alloc_resource(test, pool_init, pool_exit, GFP_KERNEL, &context)) {
		quarry_pool_destroy(context.pool);
		KUNIT_ASSERT_TRUE_MSG(test, false, "no memory");
	}
	return context.pool;
}

struct quarry_pool *quarry_test_pool(struct kunit *test, u64 min, u64 max)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;

	cfg.min_bytes = min;
	cfg.max_bytes = max;
	return quarry_test_pool_of(test, &cfg);
}

/*
 * The test runs on the last CPU from here on, and the pool's memory is its node's:
 * so all of it goes through the lists of that CPU. (The kernel itself is on the
 * first node, where large blocks are rarer.)
 */
struct quarry_pool *quarry_test_near_pool(struct kunit *test, u64 min, u64 max)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;

	int cpu = cpumask_last(cpu_online_mask);

	quarry_test_pin(test, cpu);
	cfg.min_bytes = min;
	cfg.max_bytes = max;
	cfg.node = cpu_to_mem(cpu);
	return quarry_test_pool_of(test, &cfg);
}

static bool is_of_pool(struct kunit *test, struct kunit_resource *res, void *pool)
{
	return res->free == pool_exit && ((struct pool_context *)res->data)->pool == pool;
}

/* The test has destroyed this pool itself. */
void quarry_test_forget_pool(struct kunit *test, struct quarry_pool *pool)
{
	struct kunit_resource *res = kunit_find_resource(test, is_of_pool, pool);

	if (res) {
		((struct pool_context *)res->data)->pool = NULL;
		kunit_put_resource(res);
	}
}

struct memory_context {
	struct page *page;
	unsigned int order;
};

static int memory_init(struct kunit_resource *res, void *context)
{
	res->data = kmemdup(context, sizeof(struct memory_context), GFP_KERNEL);
	return res->data ? 0 : -ENOMEM;
}

static void memory_exit(struct kunit_resource *res)
{
	struct memory_context *m = res->data;
	unsigned long i;

	for (i = 0; i < 1UL << m->order; i++)
		__free_page(m->page + i);
	kfree(m);
}

/*
 * 2^order pages of the kernel's, each with one reference, that outlive the pools
 * made after them. @zero: all zeros.
 */
struct page *quarry_test_memory(struct kunit *test, unsigned int order, bool zero)
{
	struct memory_context m = { .order = order };

	m.page = alloc_pages(GFP_KERNEL | (zero ? __GFP_ZERO : 0), order);
	KUNIT_ASSERT_NOT_NULL(test, m.page);
	split_page(m.page, order);
	if (!kunit_alloc_resource(test, memory_init, memory_exit, GFP_KERNEL, &m)) {
		unsigned long i;

		for (i = 0; i < 1UL << order; i++)
			__free_page(m.page + i);
		KUNIT_ASSERT_TRUE_MSG(test, false, "no memory");
	}
	return m.page;
}

/* A snapshot that lives as long as the test. */
struct quarry_pool_stats *quarry_test_stats(struct kunit *test, struct quarry_pool *pool)
{
	struct quarry_pool_stats *st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, st);
	quarry_pool_snapshot(pool, st);
	return st;
}

/* Violations that the validator finds; @what is the text it must give, or NULL. */
u64 quarry_test_violations(struct kunit *test, struct quarry_pool *pool, const char *what)
{
	struct quarry_pool_validate *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, v);
	err = quarry_pool_validate(pool, v);
	KUNIT_EXPECT_EQ(test, err, v->violations ? -EUCLEAN : 0);
	KUNIT_EXPECT_EQ(test, !v->violations, !v->what[0]);
	KUNIT_EXPECT_GE(test, v->violations, v->stray_refs);
	if (what)
		KUNIT_EXPECT_STREQ(test, v->what, what);
	return v->violations;
}

/* True of any pool at any time that nobody is inside it. */
void quarry_test_sound(struct kunit *test, struct quarry_pool *pool)
{
	struct quarry_pool_stats *st;

	KUNIT_EXPECT_EQ(test, 0, quarry_test_violations(test, pool, ""));
	st = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, st->managed_bytes,
			st->allocated_bytes + st->pcp_bytes + st->free_bytes +
			st->retired_bytes);
	KUNIT_EXPECT_EQ(test, st->allocated_bytes,
			(st->alloc_frames - st->free_frames) << PAGE_SHIFT);
	KUNIT_EXPECT_GE(test, st->managed_bytes, st->min_bytes);
	KUNIT_EXPECT_EQ(test, (s64)(st->managed_bytes >> PAGE_SHIFT),
			(s64)atomic64_read(&pool->managed));
	KUNIT_EXPECT_LE(test, st->zero_bytes, st->free_bytes);
}

/* Sound, and nothing is out; lists are drained on the way. */
void quarry_test_at_rest(struct kunit *test, struct quarry_pool *pool)
{
	struct quarry_pool_stats *st;

	quarry_test_sound(test, pool);
	quarry_pool_drain(pool);
	quarry_test_sound(test, pool);
	st = quarry_test_stats(test, pool);
	KUNIT_EXPECT_EQ(test, st->allocated_bytes, 0);
	KUNIT_EXPECT_EQ(test, st->pcp_bytes, 0);
	/* An arena with a frame that has failed is in use by that (poison.c). */
	if (!st->retired_bytes)
		KUNIT_EXPECT_EQ(test, st->arenas, st->arenas_empty);
}

/* Since @before, misuse of one kind was counted @nr times and of no other. */
void quarry_test_only_error(struct kunit *test, struct quarry_pool *pool,
			    const struct quarry_pool_stats *before, int kind, u64 nr)
{
	struct quarry_pool_stats *now = quarry_test_stats(test, pool);
	int k;

	for (k = 0; k < QUARRY_NR_ERRORS; k++)
		KUNIT_EXPECT_EQ_MSG(test, now->errors[k] - before->errors[k],
				    k == kind ? nr : 0, "%s", quarry_error_name(k));
}

struct page **quarry_test_pages(struct kunit *test, unsigned int nr)
{
	struct page **pages = kunit_kcalloc(test, nr, sizeof(*pages), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pages);
	return pages;
}

/* Blocks one by one until there is no more. */
unsigned int quarry_test_take_all(struct kunit *test, struct quarry_pool *pool, gfp_t gfp,
				  unsigned int order, struct page **pages,
				  unsigned int room)
{
	unsigned int nr;

	for (nr = 0; nr < room; nr++) {
		pages[nr] = quarry_alloc_pages(pool, gfp | __GFP_NOWARN, order);
		if (!pages[nr])
			break;
	}
	KUNIT_EXPECT_LT_MSG(test, nr, room, "there is no end to the pool");
	return nr;
}

void quarry_test_give_all(struct quarry_pool *pool, unsigned int order,
			  struct page **pages, unsigned int nr)
{
	while (nr)
		quarry_free_pages(pool, pages[--nr], order);
}

static int pattern(struct page *page, u64 salt)
{
	return (page_to_pfn(page) * 0x9e3779b97f4a7c15ULL + salt) >> 56 | 1;
}

/* Write what is nowhere else into every page of a block. */
void quarry_test_fill(struct page *page, unsigned int order, u64 salt)
{
	struct page *end = page + (1UL << order);

	for (; page < end; page++) {
		memset(page_address(page), pattern(page, salt), PAGE_SIZE);
		*(u64 *)page_address(page) = page_to_pfn(page) ^ salt;
	}
}

/* Is it still there? */
bool quarry_test_filled(struct page *page, unsigned int order, u64 salt)
{
	struct page *end = page + (1UL << order);

	for (; page < end; page++) {
		u64 *words = page_address(page);

		if (words[0] != (page_to_pfn(page) ^ salt) ||
		    memchr_inv(words + 1, pattern(page, salt), PAGE_SIZE - sizeof(u64)))
			return false;
	}
	return true;
}

bool quarry_test_zeroed(struct page *page, unsigned int order)
{
	return !memchr_inv(page_address(page), 0, PAGE_SIZE << order);
}

/* The rest of the test runs on one CPU. */
void quarry_test_pin(struct kunit *test, int cpu)
{
	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of(cpu)));
}

struct call {
	void (*fn)(void *arg);
	void *arg;
};

static long call(void *data)
{
	struct call *c = data;

	c->fn(c->arg);
	return 0;
}

/* Process context on that CPU; back when it is done. */
void quarry_test_on_cpu(struct kunit *test, int cpu, void (*fn)(void *), void *arg)
{
	struct call c = { fn, arg };

	KUNIT_ASSERT_EQ(test, 0, work_on_cpu(cpu, call, &c));
}

/* An online CPU that is not CPU 0; the test is skipped without one. */
int quarry_test_other_cpu(struct kunit *test)
{
	int cpu = cpumask_next(0, cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "one CPU");
	return cpu;
}

struct twice {
	void (*fn)(void *arg);
	void *arg;
	atomic_t ready;
	atomic_t through;
};

static void once_of_two(void *arg)
{
	struct twice *t = arg;

	atomic_inc(&t->ready);
	while (atomic_read(&t->ready) < 2)
		cpu_relax();
	t->fn(t->arg);
	atomic_inc_return(&t->through);
}

/*
 * Run @fn(@arg) here and in an interrupt of another CPU, at the same time, where there is
 * one: quarry_test_other_cpu(). Returns when both are through, not before: a CPU that its
 * host does not let run is still inside when this one has long gone on.
 */
void quarry_test_at_once(struct kunit *test, void (*fn)(void *), void *arg)
{
	struct twice t = { .fn = fn, .arg = arg };
	int err;

	preempt_disable();
	err = smp_call_function_single(smp_processor_id() ? 0 : 1, once_of_two, &t, false);
	if (!err)
		once_of_two(&t);
	while (!err && atomic_read_acquire(&t.through) < 2)
		cpu_relax();
	preempt_enable();
	KUNIT_ASSERT_EQ(test, err, 0);
}

/*
 * The kernel's own reclaim: every shrinker, for every node. False if it cannot be asked.
 * A shrinker that finds another at work goes away, and one that waits for a CPU whose host
 * lets another run gives up soon: what must be gone in the end has to be asked for again.
 */
bool quarry_test_reclaim(void)
{
	struct file *file = filp_open("/proc/sys/vm/drop_caches", O_WRONLY, 0);
	loff_t pos = 0;
	ssize_t got;

	if (IS_ERR(file))
		return false;
	got = kernel_write(file, "2\n", 2, &pos);
	filp_close(file, NULL);
	return got == 2;
}

/* A node with memory that is not the first; the test is skipped without one. */
int quarry_test_other_node(struct kunit *test)
{
	int node = next_node(first_memory_node, node_states[N_MEMORY]);

	if (node >= MAX_NUMNODES)
		kunit_skip(test, "one node");
	return node;
}

/* Pages on the kernel's per-CPU lists, which it does not count as free. */
static u64 listed_pages(void)
{
	struct zone *z;
	int node, cpu;
	u64 nr = 0;

	for_each_online_node(node)
		for (z = NODE_DATA(node)->node_zones;
		     z < NODE_DATA(node)->node_zones + MAX_NR_ZONES; z++)
			for_each_possible_cpu(cpu)
				if (populated_zone(z))
					nr += READ_ONCE(per_cpu_ptr(z->per_cpu_pageset,
								    cpu)->count);
	return nr;
}

/* Bytes that the kernel has free, when what is on its way has arrived. */
u64 quarry_test_memfree(void)
{
	struct sysinfo info;

	/* Mappings that are gone keep their tables, and KASAN's shadow, for a while. */
	vm_unmap_aliases();
	rcu_barrier();
	si_meminfo(&info);
	return (u64)info.freeram * info.mem_unit + listed_pages() * PAGE_SIZE;
}

struct quarry_page_arena *quarry_test_arena(struct page *page)
{
	struct quarry_page_arena *c;

	preempt_disable();
	c = quarry_directory_find(page);
	preempt_enable();
	return c;
}

/* The state byte of a page that is in a pool. */
u8 *quarry_test_state(struct page *page)
{
	struct quarry_page_arena *c = quarry_test_arena(page);

	return &c->state[quarry_page_arena_index(c, page)];
}

/* splitmix64: small, and the same everywhere. */
u64 quarry_test_random(u64 *state, u64 below)
{
	u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) % below;
}

/* After the last test: what is kept goes back. */
static void __exit help_exit(void)
{
	lend_large_blocks();
}

module_exit(help_exit);

MODULE_DESCRIPTION("quarry: tests");
MODULE_AUTHOR("The quarry developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(QUARRY_NS);
MODULE_IMPORT_NS(QUARRY_TEST_NS);
