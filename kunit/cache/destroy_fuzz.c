// SPDX-License-Identifier: GPL-2.0
/*
 * Wrong pointers of every kind while what they point into is made, shrunk, switched and destroyed.
 *
 *	this CPU	another one
 *
 *	wrong calls     a pool, caches in it, blocks and objects --> [board] addresses
 *	  ^             modes, shrinking, destroy that is refused
 *	  `- [board]    destroy, with objects out or without, and from the beginning
 *
 * An address on the board was once of an object or of a block; by now it may be of anything of
 * the pool that comes and goes, or of the kernel. What is called with it is wrong whichever:
 *
 *	a pool and a cache that stay, which none of it is ever of
 *	calls that find the owner themselves, with an address at which no object can begin
 *	the pool itself, held by quarry_pool_find(), with lengths and places that it has none of
 *
 * Nothing but an error may come of it: those that name who stays are counted there, each once;
 * what is out keeps its content, also of a cache that was destroyed meanwhile; and in the end all
 * can be destroyed. Parameters of the module: seed=, steps= (a tenth of them).
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>

#include "../cache_kunit.h"

#define NAME	"kunit.comes-and-goes"
#define BOARD	64U
#define OUT	24U

/* The shortest object, so that an odd address is never where one begins. */
static const unsigned int sizes[] = { 16, 200, 1024, 4096 };

#define CACHES	ARRAY_SIZE(sizes)

/* Blocks of that pool have at least this order, and it has no runs. */
#define LEAST	3U

static void *board[BOARD];
static unsigned long posts;

static void post(void *address)
{
	WRITE_ONCE(board[posts++ % BOARD], address);
}

/**
 * struct life - those that come and go
 * @seed:	of what comes next
 * @lives:	how often all of it was destroyed
 * @refused:	destroys that were
 * @broken:	what was out and has changed
 * @odd:	results that cannot be
 */
struct life {
	u64 seed;
	unsigned long lives;
	unsigned long refused;
	unsigned long broken;
	unsigned long odd;
};

static u64 dice(struct life *l, u64 below)
{
	return quarry_test_random(&l->seed, below);
}

/* A cache, a few objects, and destroyed with or without them. */
static void live_a_cache(struct life *l, struct quarry_pool *pool)
{
	unsigned int size = sizes[dice(l, CACHES)], nr = 0, i;
	bool leave = dice(l, 2);
	struct quarry_cache *c;
	void *p[OUT];

	c = quarry_cache_create_in(pool, "kunit.comes-and-goes", size, 0, 0, NULL);
	if (IS_ERR(c)) {
		l->odd += PTR_ERR(c) != -ENOMEM;
		return;
	}
	if (dice(l, 2))
		quarry_cache_set_modes(c, dice(l, QUARRY_MODES + 1));
	while (nr < OUT) {
		p[nr] = quarry_cache_alloc(c, GFP_KERNEL | __GFP_NOWARN);
		if (!p[nr])
			break;
		post(p[nr]);
		quarry_test_object_fill(p[nr], size, nr);
		nr++;
	}
	/* Its own inside, and one that it has not. */
	if (nr) {
		quarry_cache_free(c, p[0] + 1);
		quarry_cache_free_bulk(c, 1, (void *[]){ p[nr - 1] + size / 2 + 1 });
	}
	if (dice(l, 2))
		quarry_cache_shrink(c);
	for (i = leave ? nr / 2 : 0; i < nr; i++) {
		l->broken += !quarry_test_object_filled(p[i], size, i);
		quarry_cache_free(c, p[i]);
	}
	nr = leave ? nr / 2 : 0;
	l->odd += quarry_cache_destroy(c) != (nr ? -EBUSY : 0);
	if (!nr)
		return;
	/* It is dead, and there until its last object has come. */
	l->refused++;
	for (i = 0; i < nr; i++) {
		l->odd += !!quarry_cache_alloc(c, GFP_KERNEL | __GFP_NOWARN);
		l->odd += quarry_cache_destroy(c) != -EBUSY;
		quarry_cache_free(c, p[i] + 3);
		quarry_free(p[i] + 5);
		l->broken += !quarry_test_object_filled(p[i], size, i);
		if (i % 2 && i + 1 < nr)
			quarry_cache_free(c, p[i]);
		else
			quarry_free(p[i]);
	}
}

/* Blocks come and go; with one out the pool cannot be destroyed. */
static void live_blocks(struct life *l, struct quarry_pool *pool)
{
	unsigned int order[OUT / 2], nr, i;
	struct page *page[OUT / 2];

	for (nr = 0; nr < OUT / 2; nr++) {
		order[nr] = LEAST + dice(l, 3);
		page[nr] = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, order[nr]);
		if (!page[nr])
			break;
		post(page_address(page[nr]));
		quarry_test_fill(page[nr], order[nr], nr);
	}
	if (nr) {
		l->odd += quarry_pool_destroy(pool) != -EBUSY;
		l->refused++;
	}
	if (dice(l, 2))
		quarry_pool_shrink(pool, ~0ULL);
	for (i = 0; i < nr; i++) {
		l->broken += !quarry_test_filled(page[i], order[i], i);
		quarry_free_pages(pool, page[i], order[i]);
	}
}

static void live_once(struct life *l)
{
	static const unsigned int modes[] = {
		0, QUARRY_MODE_CHECK, QUARRY_MODE_OWNER, QUARRY_MODE_CHECK | QUARRY_MODE_OWNER,
	};
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	unsigned int i, turns = 1 + dice(l, 3), tries = 0;
	struct quarry_pool *pool;

	cfg.max_bytes = SZ_4M;
	cfg.min_bytes = dice(l, 2) ? SZ_1M : 0;
	pool = quarry_pool_create(NAME, &cfg);
	if (IS_ERR(pool)) {
		l->odd += PTR_ERR(pool) != -ENOMEM;
		return;
	}
	for (i = 0; i < turns; i++) {
		quarry_pool_set_modes(pool, modes[dice(l, 4)]);
		if (dice(l, 3))
			live_a_cache(l, pool);
		else
			live_blocks(l, pool);
		l->odd += quarry_pool_destroy(quarry_pool_default()) != -EBUSY;
		l->odd += quarry_cache_destroy(quarry_classes[i]) != -EBUSY;
	}
	/* Refused while a dead cache has not gone yet, or while the other one holds it. */
	while (quarry_pool_destroy(pool)) {
		l->refused++;
		usleep_range(100, 1000);
		if (++tries == 30000) {
			l->odd++;
			return;
		}
	}
	l->lives++;
}

static int live(void *data)
{
	while (!kthread_should_stop()) {
		live_once(data);
		cond_resched();
	}
	return 0;
}

/**
 * struct fuzz - who calls wrongly
 * @seed:	of what comes next
 * @pool:	one that stays, with a fixed size
 * @cache:	in it
 * @reserve:	of it
 * @page:	a block of it
 * @of_pool:	calls that @pool must have refused
 * @of_cache:	calls that @cache must have refused
 * @held:	how often the other pool was held
 */
struct fuzz {
	u64 seed;
	struct quarry_pool *pool;
	struct quarry_cache *cache;
	struct quarry_mempool *reserve;
	struct page *page;
	u64 of_pool;
	u64 of_cache;
	u64 held;
};

static u64 roll(struct fuzz *f, u64 below)
{
	return quarry_test_random(&f->seed, below);
}

static void *wrong(struct fuzz *f)
{
	return READ_ONCE(board[roll(f, BOARD)]);
}

/* Where no object of malloc or of a cache can begin, nor a large block. */
static void *crooked(struct fuzz *f)
{
	return wrong(f) + 1 + 2 * roll(f, PAGE_SIZE / 2);
}

static void call_the_cache(struct fuzz *f)
{
	unsigned int nr = 1 + roll(f, 16), i;
	void *p[16];

	switch (roll(f, 3)) {
	case 0:
		quarry_cache_free(f->cache, wrong(f));
		f->of_cache++;
		break;
	case 1:
		quarry_cache_free_nolock(f->cache, crooked(f));
		f->of_cache++;
		break;
	default:
		for (i = 0; i < nr; i++)
			p[i] = i % 2 ? wrong(f) : crooked(f);
		quarry_cache_free_bulk(f->cache, nr, p);
		f->of_cache += nr;
	}
}

static void call_the_pool(struct kunit *test, struct fuzz *f)
{
	void *at = (void *)((unsigned long)wrong(f) & PAGE_MASK);
	struct page *page = virt_to_page(at), *pages[4] = { page, page, page, page };
	unsigned int order = roll(f, quarry_max_order() + 1);

	f->of_pool++;
	switch (roll(f, 7)) {
	case 0:
		quarry_free_pages(f->pool, page, order);
		break;
	case 1:
		quarry_put_free_pages(f->pool, (unsigned long)at, order);
		break;
	case 2:
		quarry_free_pages_exact(f->pool, at, (1 + roll(f, 20)) * PAGE_SIZE);
		break;
	case 3:
		KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(f->pool, virt_to_phys(at),
								 (1 + roll(f, 20)) * PAGE_SIZE));
		break;
	case 4:
		KUNIT_EXPECT_EQ(test, -EINVAL, quarry_trim(f->pool, virt_to_phys(at), 2 * PAGE_SIZE,
							   PAGE_SIZE));
		break;
	case 5:
		quarry_mempool_free(f->reserve, page);
		break;
	default:
		quarry_free_pages_bulk(f->pool, 0, ARRAY_SIZE(pages), pages);
		f->of_pool += ARRAY_SIZE(pages) - 1;
	}
}

/* Calls that find the owner by the address, if there is one: it may be going. */
static void call_whoever_it_is(struct fuzz *f)
{
	void *p[4] = { crooked(f), crooked(f), crooked(f), crooked(f) };

	switch (roll(f, 7)) {
	case 0:
		quarry_free(p[0]);
		break;
	case 1:
		quarry_free_bulk(ARRAY_SIZE(p), p);
		break;
	case 2:
		quarry_kvfree(p[0]);
		break;
	case 3:
		quarry_cache_free_bulk(NULL, ARRAY_SIZE(p), p);
		break;
	case 4:
		quarry_cache_free_slow(NULL, p[0]);
		break;
	case 5:
		quarry_owns(p[0]);
		quarry_page_pool(virt_to_page(p[0]));
		break;
	default:
		quarry_usercopy_check(p[0], 1 + roll(f, 100));
	}
}

/* The pool itself, if it can be held: it is destroyed when nobody does, and not before. */
static void call_who_goes(struct kunit *test, struct fuzz *f)
{
	void *at = (void *)((unsigned long)wrong(f) & PAGE_MASK);
	struct quarry_pool *pool = quarry_pool_find(NAME);
	struct page *page = virt_to_page(at);
	struct quarry_pool_validate v;

	if (!pool)
		return;
	f->held++;
	switch (roll(f, 8)) {
	case 0:
		quarry_free_pages(pool, page + 1, 0);
		break;
	case 1:
		quarry_free_pages(pool, page, LEAST - 1);
		break;
	case 2:
		quarry_free_pages(pool, f->page, 0);
		break;
	case 3:
		KUNIT_EXPECT_EQ(test, -EINVAL, quarry_free_range(pool, virt_to_phys(at),
								 3 * PAGE_SIZE));
		break;
	case 4:
		quarry_pool_shrink(pool, roll(f, SZ_4M));
		break;
	case 5:
		quarry_pool_drain(pool);
		break;
	case 6:
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_validate(pool, &v));
		KUNIT_EXPECT_EQ_MSG(test, v.violations, 0, "%s", v.what);
		break;
	default:
		KUNIT_EXPECT_EQ(test, 0, quarry_pool_set_modes(pool, QUARRY_MODE_CHECK));
	}
	quarry_pool_put(pool);
}

static void set_up(struct kunit *test, struct fuzz *f)
{
	unsigned int i;

	f->seed = quarry_test_seed;
	f->pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	f->cache = quarry_test_cache_in(test, f->pool, 64, 0);
	f->reserve = quarry_mempool_create(f->pool, 0, 8);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->reserve);
	f->page = quarry_alloc_pages(f->pool, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, f->page);
	/* Until there is something, the kernel's. */
	for (i = 0; i < BOARD; i++)
		board[i] = kunit_kmalloc(test, 8, GFP_KERNEL);
	posts = 0;
}

static u64 all_errors(struct kunit *test, struct quarry_pool *pool)
{
	struct quarry_pool_stats *s = quarry_test_stats(test, pool);
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < QUARRY_NR_ERRORS; i++)
		sum += s->errors[i];
	return sum;
}

static u64 all_cache_errors(struct quarry_cache *c)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < QUARRY_NR_CACHE_ERRORS; i++)
		sum += atomic64_read(&c->errors[i]);
	return sum;
}

static void while_they_come_and_go(struct kunit *test)
{
	struct life *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	u64 steps = div_u64(quarry_test_steps, 10), i;
	int other = quarry_test_other_cpu(test);
	struct fuzz f = {};
	struct task_struct *t;

	KUNIT_ASSERT_NOT_NULL(test, l);
	set_up(test, &f);
	l->seed = quarry_test_seed + 1;
	t = kthread_create(live, l, "quarry-life");
	KUNIT_ASSERT_FALSE(test, IS_ERR(t));
	kthread_bind(t, raw_smp_processor_id() == other ? 0 : other);
	wake_up_process(t);
	for (i = 0; i < steps; i++) {
		switch (roll(&f, 4)) {
		case 0:
			call_the_cache(&f);
			break;
		case 1:
			call_the_pool(test, &f);
			break;
		case 2:
			call_whoever_it_is(&f);
			break;
		default:
			/* Most of the time nobody holds it, or it would never go. */
			if (!roll(&f, 16))
				call_who_goes(test, &f);
		}
		if (!(i % 64))
			cond_resched();
	}
	kthread_stop(t);
	kunit_info(test, "seed %lu, %llu steps, %lu lives, %lu destroys refused, held %llu times\n",
		   quarry_test_seed, steps, l->lives, l->refused, f.held);
	KUNIT_EXPECT_EQ_MSG(test, all_errors(test, f.pool), f.of_pool, "seed %lu",
			    quarry_test_seed);
	KUNIT_EXPECT_EQ_MSG(test, all_cache_errors(f.cache), f.of_cache, "seed %lu",
			    quarry_test_seed);
	KUNIT_EXPECT_EQ_MSG(test, l->broken, 0, "seed %lu", quarry_test_seed);
	KUNIT_EXPECT_EQ_MSG(test, l->odd, 0, "seed %lu", quarry_test_seed);
	KUNIT_EXPECT_GT(test, l->lives, 0);
	KUNIT_EXPECT_GT(test, f.held, 0);
	KUNIT_EXPECT_NULL(test, quarry_pool_find(NAME));
	quarry_free_pages(f.pool, f.page, 0);
	KUNIT_EXPECT_EQ(test, 0, quarry_mempool_destroy(f.reserve));
	KUNIT_EXPECT_EQ(test, 0, quarry_test_violations(test, quarry_pool_default(), ""));
}

static struct kunit_case destroy_fuzz_cases[] = {
	KUNIT_CASE(while_they_come_and_go),
	{}
};

static struct kunit_suite destroy_fuzz_suite = {
	.name = "quarry-destroy-fuzz",
	.suite_init = quarry_test_parameters,
	.test_cases = destroy_fuzz_cases,
};

kunit_test_suite(destroy_fuzz_suite);
