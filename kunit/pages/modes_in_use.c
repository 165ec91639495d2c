// SPDX-License-Identifier: GPL-2.0
/*
 * Modes of pools under all that takes pages: malloc and caches, runs, bulk calls, a full pool,
 * arenas that come and go, and CPUs that do.
 *
 * Nothing is written to while it is free, but where a case does so on purpose: so nothing may be
 * told, whenever modes are switched, and what is out keeps its content.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/poison.h>

#include "../../module/pages/guard.h"
#include "../cache_kunit.h"

#define POOL	SZ_4M
#define MODES	QUARRY_POOL_MODES

/* Switches beside one who grows and shrinks a pool, and beside clients. */
#define GROWTHS		60U
#define SWITCHES	80U

static u64 seen(struct kunit *test, struct quarry_pool *pool)
{
	return quarry_test_stats(test, pool)->errors[QUARRY_ERR_USE_AFTER_FREE];
}

/* Of a pool's arenas, those that have a table, and those that have none. */
static void count_tables(struct quarry_pool *pool, unsigned int *with, unsigned int *without)
{
	unsigned long pfn = 0, flags;
	struct quarry_page_arena *c;
	struct quarry_zone *z;

	*with = 0;
	*without = 0;
	while ((c = quarry_pool_arena(pool, false, pfn, &z, &flags))) {
		*(c->table ? with : without) += 1;
		pfn = c->pfn + c->nr;
		quarry_zone_unlock(z, flags);
	}
}

struct grower {
	struct quarry_pool *pool;
	unsigned long rounds;
};

static int grow_and_shrink(void *data)
{
	struct grower *g = data;
	struct page *page[8];
	unsigned int i;

	while (!kthread_should_stop()) {
		for (i = 0; i < ARRAY_SIZE(page); i++)
			page[i] = quarry_alloc_pages(g->pool, GFP_KERNEL | __GFP_NOWARN, 4);
		for (i = 0; i < ARRAY_SIZE(page); i++)
			if (page[i])
				quarry_free_pages(g->pool, page[i], 4);
		quarry_pool_shrink(g->pool, ~0ULL);
		WRITE_ONCE(g->rounds, g->rounds + 1);
		cond_resched();
	}
	return 0;
}

/* Whatever they find on their way, they have a table if and only if the pool wants one. */
static void arenas_that_come_during_a_switch(struct kunit *test)
{
	struct grower g = { .pool = quarry_test_pool(test, 0, SZ_512K) };
	unsigned int i, with, without, wrong = 0, arenas = 0;
	u64 bytes = quarry_test_stats(test, g.pool)->metadata_bytes;
	struct task_struct *t;

	t = kthread_run(grow_and_shrink, &g, "quarry-grower");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	for (i = 0; i < 2 * GROWTHS; i++) {
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(g.pool, i % 2 ? 0 : MODES));
		count_tables(g.pool, &with, &without);
		wrong += i % 2 ? with : without;
		arenas += with + without;
	}
	kthread_stop(t);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	kunit_info(test, "%u arenas met, %lu rounds beside it\n", arenas, g.rounds);
	quarry_pool_shrink(g.pool, ~0ULL);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, g.pool)->metadata_bytes, bytes);
	KUNIT_EXPECT_EQ(test, seen(test, g.pool), 0);
}

/* The moment that the other case seldom hits: it was fitted to what the pool no longer wants. */
static void an_arena_that_was_overtaken_by_a_switch(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_4M);
	struct quarry_zone *z = quarry_zone_next(pool, NULL);
	struct quarry_page_arena *c = quarry_page_arena_take(z->node, GFP_KERNEL, GFP_KERNEL, 3);
	unsigned int with, without;
	bool joined;

	KUNIT_ASSERT_NOT_NULL(test, c);
	KUNIT_ASSERT_FALSE(test, quarry_zone_enter(z, c, true, &joined));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, MODES));
	KUNIT_ASSERT_FALSE(test, quarry_zone_enter(z, c, false, &joined));
	count_tables(pool, &with, &without);
	KUNIT_EXPECT_EQ(test, with + without, 0);
	KUNIT_EXPECT_EQ(test, z->buddy.nr_frames, 0);
	quarry_page_arena_undo(c);
}

/* A function of its own, to be looked for. */
static noinline void *the_owner_of_malloc(size_t size)
{
	void *p = quarry_malloc(size, GFP_KERNEL);

	barrier();
	return p;
}

static u64 pages_of_the_owner(struct kunit *test)
{
	struct quarry_trace *t = kunit_kcalloc(test, 16, sizeof(*t), GFP_KERNEL);
	unsigned int nr, i;
	u64 untraced, pages = 0;

	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_traces(quarry_pool_default(), t, 16, &nr,
						    &untraced));
	for (i = 0; i < min(nr, 16U); i++)
		if (strstr(t[i].text, "the_owner_of_malloc"))
			pages += t[i].objects;
	return pages;
}

/* Take blocks of a size until that one comes, which has just been freed. */
static bool comes_again(struct kunit *test, size_t size, const void *wanted)
{
	void **p = kunit_kcalloc(test, 500, sizeof(*p), GFP_KERNEL);
	unsigned int nr;
	bool came = false;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (nr = 0; nr < 500 && !came; nr++) {
		p[nr] = quarry_malloc(size, GFP_KERNEL | __GFP_NOWARN);
		if (!p[nr])
			break;
		came = p[nr] == wanted;
	}
	while (nr--)
		quarry_free(p[nr]);
	return came;
}

static const size_t sizes[] = { 8, 100, 1000, 4096, 32768, 40000, SZ_64K, 200000, SZ_512K };

static void malloc_in_a_pool_with_modes(struct kunit *test)
{
	struct quarry_pool *pool = quarry_pool_default();
	struct quarry_pool_stats *before;
	void *p[ARRAY_SIZE(sizes)];
	unsigned int i;
	u8 *large;

	/* What was there before has no records, and is no matter. */
	for (i = 0; i < ARRAY_SIZE(sizes); i += 2) {
		p[i] = quarry_malloc(sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		quarry_test_object_fill(p[i], sizes[i], i);
	}
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, MODES));
	before = quarry_test_stats(test, pool);
	for (i = 1; i < ARRAY_SIZE(sizes); i += 2) {
		p[i] = quarry_malloc(sizes[i], GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, p[i]);
		if (p[i])
			quarry_test_object_fill(p[i], sizes[i], i);
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_TRUE(test, p[i] && quarry_test_object_filled(p[i], sizes[i], i));
		KUNIT_EXPECT_GE(test, quarry_usable_size(p[i]), sizes[i]);
		quarry_free(p[i]);
	}
	quarry_test_only_error(test, pool, before, -1, 0);
	/* Whose a large block is; and an object is nobody's page. */
	large = the_owner_of_malloc(SZ_64K);
	p[0] = the_owner_of_malloc(32);
	KUNIT_EXPECT_TRUE(test, large && p[0]);
	KUNIT_EXPECT_EQ(test, pages_of_the_owner(test), 16);
	quarry_free(p[0]);
	quarry_free(large);
	KUNIT_EXPECT_EQ(test, pages_of_the_owner(test), 0);
	quarry_test_only_error(test, pool, before, -1, 0);
	/* Written to while it is free, and freed twice. */
	KUNIT_EXPECT_NULL(test, quarry_test_unseen(memchr_inv(large, POISON_FREE, SZ_64K)));
	quarry_test_unseen(large[5 * PAGE_SIZE + 9] = 1);
	KUNIT_EXPECT_TRUE(test, comes_again(test, SZ_64K, large));
	quarry_test_only_error(test, pool, before, QUARRY_ERR_USE_AFTER_FREE, 1);
	before = quarry_test_stats(test, pool);
	quarry_free(large);
	quarry_test_only_error(test, pool, before, QUARRY_ERR_DOUBLE_FREE, 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_test_violations(test, pool, ""));
}

/* The pages of a slab that has gone are filled as any, and looked at. */
static void slabs_in_a_pool_with_modes(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_near_pool(test, POOL, POOL);
	struct quarry_cache *c = quarry_test_cache_in(test, pool, 256, 0);
	struct page **page = quarry_test_pages(test, FRAMES(POOL) + 1);
	unsigned int nr;
	void *p[100];
	u8 *first;

	KUNIT_ASSERT_EQ(test, 0, quarry_pool_set_modes(pool, MODES));
	quarry_test_take_objects(test, c, p, ARRAY_SIZE(p));
	first = p[0];
	quarry_test_give_objects(c, p, ARRAY_SIZE(p));
	KUNIT_EXPECT_EQ(test, 0, quarry_cache_shrink(c));
	KUNIT_EXPECT_EQ(test, quarry_test_cache_stats(test, c)->slabs, 0);
	KUNIT_EXPECT_EQ(test, quarry_test_unseen(first[3]), POISON_FREE);
	quarry_test_unseen(first[3] = 0);
	nr = quarry_test_take_all(test, pool, GFP_KERNEL, 0, page, FRAMES(POOL) + 1);
	KUNIT_EXPECT_EQ(test, nr, FRAMES(POOL));
	quarry_test_give_all(pool, 0, page, nr);
	KUNIT_EXPECT_EQ(test, seen(test, pool), 1);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, 0));
}

enum kind { BLOCK, RUN, BULK, OBJECT, MALLOC, KINDS };

#define BULKED	8U
#define HELD	40U

/**
 * struct held - what a client has
 * @kind:	of what
 * @nr:		its pages, order or bytes
 * @at:		its address
 * @page:	of BULK
 */
struct held {
	enum kind kind;
	size_t nr;
	void *at;
	struct page *page[BULKED];
};

struct client {
	struct quarry_pool *pool;
	struct quarry_cache *cache;
	u64 seed;
	unsigned long rounds;
	unsigned long refused;
	unsigned long spoilt;
	struct held held[HELD];
};

static size_t bytes_of(const struct held *h)
{
	switch (h->kind) {
	case BLOCK:
		return PAGE_SIZE << h->nr;
	case RUN:
		return h->nr * PAGE_SIZE;
	default:
		return h->nr;
	}
}

static void take(struct client *c, struct held *h, u64 salt)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY;
	struct quarry_range run = { .gfp = gfp };
	struct page *page;
	phys_addr_t at;
	unsigned int i;

	h->kind = quarry_test_random(&c->seed, KINDS);
	h->at = NULL;
	switch (h->kind) {
	case BLOCK:
		h->nr = quarry_test_random(&c->seed, 6);
		page = quarry_alloc_pages(c->pool, gfp, h->nr);
		h->at = page ? page_address(page) : NULL;
		break;
	case RUN:
		h->nr = 1 + quarry_test_random(&c->seed, 60);
		run.bytes = h->nr * PAGE_SIZE;
		if (!quarry_alloc_range(c->pool, &run, &at))
			h->at = phys_to_virt(at);
		break;
	case BULK:
		h->nr = quarry_alloc_pages_bulk(c->pool, gfp, 0, BULKED, h->page);
		h->at = h->nr ? h : NULL;
		for (i = 0; i < h->nr; i++)
			quarry_test_fill(h->page[i], 0, salt + i);
		return;
	case OBJECT:
		h->nr = quarry_cache_size(c->cache);
		h->at = quarry_cache_alloc(c->cache, gfp);
		break;
	default:
		h->nr = 1 + quarry_test_random(&c->seed, 100000);
		h->at = quarry_malloc(h->nr, gfp);
	}
	if (h->at)
		quarry_test_object_fill(h->at, bytes_of(h), salt);
	else
		c->refused++;
}

static void give(struct client *c, struct held *h, u64 salt)
{
	unsigned int i;

	if (h->kind != BULK)
		c->spoilt += !quarry_test_object_filled(h->at, bytes_of(h), salt);
	switch (h->kind) {
	case BLOCK:
		quarry_free_pages(c->pool, virt_to_page(h->at), h->nr);
		break;
	case RUN:
		c->spoilt += !!quarry_free_range(c->pool, virt_to_phys(h->at), bytes_of(h));
		break;
	case BULK:
		for (i = 0; i < h->nr; i++)
			c->spoilt += !quarry_test_filled(h->page[i], 0, salt + i);
		quarry_free_pages_bulk(c->pool, 0, h->nr, h->page);
		break;
	case OBJECT:
		quarry_cache_free(c->cache, h->at);
		break;
	default:
		quarry_free(h->at);
	}
	h->at = NULL;
}

static int client(void *data)
{
	struct client *c = data;
	unsigned int i;

	while (!kthread_should_stop()) {
		i = quarry_test_random(&c->seed, HELD);
		if (c->held[i].at)
			give(c, &c->held[i], i);
		else
			take(c, &c->held[i], i);
		WRITE_ONCE(c->rounds, c->rounds + 1);
		cond_resched();
	}
	for (i = 0; i < HELD; i++)
		if (c->held[i].at)
			give(c, &c->held[i], i);
	return 0;
}

/* Modes, shrinking, and, if @cpus go, one that goes and comes, while clients are at work. */
static void switch_beside_clients(struct kunit *test, u64 min, u64 max, bool cpus)
{
	static const unsigned int modes[] = {
		MODES, QUARRY_MODE_OWNER, 0, QUARRY_MODE_CHECK, MODES, QUARRY_MODE_CHECK, 0
	};
	struct quarry_pool *all = quarry_pool_default(), *pool = quarry_test_pool(test, min, max);
	struct quarry_cache *cache = quarry_test_cache_in(test, pool, 200, 0);
	struct client *c = kunit_kcalloc(test, 2, sizeof(*c), GFP_KERNEL);
	struct quarry_pool_stats *before = quarry_test_stats(test, all);
	unsigned int i, k, switches = cpus ? SWITCHES / 4 : SWITCHES;
	int other = cpus ? quarry_test_other_cpu(test) : -1;
	struct task_struct *task[2];
	unsigned long until;

	KUNIT_ASSERT_NOT_NULL(test, c);
	for (i = 0; i < ARRAY_SIZE(task); i++) {
		c[i].pool = pool;
		c[i].cache = cache;
		c[i].seed = quarry_test_seed + i;
		task[i] = kthread_run(client, &c[i], "quarry-client");
		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, task[i]);
	}
	for (k = 0; k < switches; k++) {
		if (cpus)
			KUNIT_EXPECT_EQ(test, 0, k % 2 ? add_cpu(other) : remove_cpu(other));
		i = k % ARRAY_SIZE(modes);
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, modes[i]));
		i = (k + 1) % ARRAY_SIZE(modes);
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(all, modes[i]));
		if (k % 3 == 0)
			quarry_pool_shrink(pool, ~0ULL);
		until = READ_ONCE(c[k % 2].rounds) + 20;
		while (READ_ONCE(c[k % 2].rounds) < until)
			usleep_range(50, 200);
	}
	for (i = 0; i < ARRAY_SIZE(task); i++) {
		kthread_stop(task[i]);
		KUNIT_EXPECT_EQ(test, c[i].spoilt, 0);
	}
	kunit_info(test, "seed %lu: %lu and %lu rounds, %lu refused\n", quarry_test_seed,
		   c[0].rounds, c[1].rounds, c[0].refused + c[1].refused);
	quarry_test_only_error(test, all, before, -1, 0);
	KUNIT_EXPECT_EQ(test, seen(test, pool), 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(all, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, 0));
	quarry_cache_shrink(cache);
	KUNIT_EXPECT_EQ(test, quarry_test_stats(test, pool)->allocated_bytes, 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_test_violations(test, pool, ""));
	KUNIT_EXPECT_EQ(test, 0, quarry_test_violations(test, all, ""));
	/* What was filled says so no longer, and another switch finds nothing. */
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_MODE_CHECK));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, 0));
}

static void switched_under_all_calls(struct kunit *test)
{
	switch_beside_clients(test, 0, SZ_16M, false);
}

/* Two clients want more than there is. */
static void switched_where_the_pool_is_full(struct kunit *test)
{
	switch_beside_clients(test, SZ_2M, SZ_2M, false);
}

static void switched_while_cpus_go(struct kunit *test)
{
	switch_beside_clients(test, 0, SZ_8M, true);
}

static struct kunit_case modes_in_use_cases[] = {
	KUNIT_CASE(arenas_that_come_during_a_switch),
	KUNIT_CASE(an_arena_that_was_overtaken_by_a_switch),
	KUNIT_CASE(malloc_in_a_pool_with_modes),
	KUNIT_CASE(slabs_in_a_pool_with_modes),
	KUNIT_CASE(switched_under_all_calls),
	KUNIT_CASE(switched_where_the_pool_is_full),
	KUNIT_CASE(switched_while_cpus_go),
	{}
};

static struct kunit_suite modes_in_use_suite = {
	.name = "quarry-modes-in-use",
	.suite_init = quarry_test_parameters,
	.test_cases = modes_in_use_cases,
};

kunit_test_suite(modes_in_use_suite);
