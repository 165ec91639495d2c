// SPDX-License-Identifier: GPL-2.0
/*
 * The directory where memory is far apart, and where it is long.
 *
 * The addresses are those of memory that this machine does not have: arenas are made up of
 * numbers alone, and nobody looks at what they would describe.
 */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "../../module/cache/labels.h"
#include "../quarry_kunit.h"

/* 16 TiB up, and further. */
#define FAR		BIT(32)
#define ENTRY		BIT(QUARRY_DIRECTORY_SHIFT)

static struct quarry_page_arena *arena(struct kunit *test, unsigned long pfn, u32 nr)
{
	struct quarry_page_arena *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->pfn = pfn;
	c->nr = nr;
	c->span = nr;
	return c;
}

static struct quarry_page_arena *find(unsigned long pfn)
{
	struct quarry_page_arena *c;

	rcu_read_lock();
	c = quarry_directory_find_pfn(pfn);
	rcu_read_unlock();
	return c;
}

static bool is_unlabelled(unsigned long pfn)
{
	u64 label = 1;
	bool has;

	preempt_disable();
	has = quarry_label_look(pfn, &label);
	preempt_enable();
	return has && !label;
}

static u64 table_bytes(void)
{
	return quarry_directory_bytes() + quarry_labels_table_bytes();
}

static void memory_far_away_is_cheap(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, 0, SZ_4M);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	u64 before = table_bytes();
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, page);
	/* What this machine has, and little more. */
	KUNIT_EXPECT_LT(test, before, SZ_256K + totalram_pages() * PAGE_SIZE / 16384);
	KUNIT_ASSERT_EQ(test, 0, quarry_directory_reach(FAR, 1));
	/* Two pages for that, and two times 8 bytes for each 512 MiB up to there. */
	KUNIT_EXPECT_LE(test, table_bytes(), before + 2 * PAGE_SIZE + (FAR >> 17) * 16 +
							16);
	before = table_bytes();
	KUNIT_EXPECT_EQ(test, 0, quarry_directory_reach(FAR, ENTRY));
	KUNIT_EXPECT_EQ(test, table_bytes(), before);
	/* Nothing is in between, and what was there is. */
	for (pfn = 1UL << 28; pfn <= FAR; pfn += 12345677) {
		KUNIT_EXPECT_NULL(test, find(pfn));
		KUNIT_EXPECT_TRUE(test, is_unlabelled(pfn));
	}
	KUNIT_EXPECT_PTR_EQ(test, quarry_page_pool(page), pool);
	quarry_free_pages(pool, page, 0);
	quarry_test_at_rest(test, pool);
}

static void arenas_share_entries(struct kunit *test)
{
	struct quarry_page_arena *low = arena(test, FAR + 5, 3);
	struct quarry_page_arena *high = arena(test, FAR + 100, 900);
	struct quarry_page_arena *mid = arena(test, FAR + 8, 92);
	struct quarry_page_arena *over = arena(test, FAR + 900, 200);
	struct quarry_page_arena *next = arena(test, FAR + 1000, 3 * ENTRY);

	KUNIT_ASSERT_EQ(test, 0, quarry_directory_insert(high));
	KUNIT_ASSERT_EQ(test, 0, quarry_directory_insert(low));
	KUNIT_ASSERT_EQ(test, 0, quarry_directory_insert(next));
	KUNIT_ASSERT_EQ(test, 0, quarry_directory_insert(mid));
	KUNIT_EXPECT_EQ(test, -EEXIST, quarry_directory_insert(over));
	KUNIT_EXPECT_PTR_EQ(test, find(FAR + 7), low);
	KUNIT_EXPECT_PTR_EQ(test, find(FAR + 8), mid);
	KUNIT_EXPECT_PTR_EQ(test, find(FAR + 99), mid);
	KUNIT_EXPECT_PTR_EQ(test, find(FAR + 999), high);
	KUNIT_EXPECT_PTR_EQ(test, find(FAR + 1000 + 3 * ENTRY - 1), next);
	KUNIT_EXPECT_NULL(test, find(FAR + 4));
	KUNIT_EXPECT_NULL(test, find(FAR + 1000 + 3 * ENTRY));
	quarry_directory_remove(mid);
	KUNIT_EXPECT_NULL(test, find(FAR + 50));
	KUNIT_EXPECT_PTR_EQ(test, find(FAR + 100), high);
	quarry_directory_remove(low);
	quarry_directory_remove(high);
	KUNIT_EXPECT_PTR_EQ(test, find(FAR + 1000), next);
	quarry_directory_remove(next);
	KUNIT_EXPECT_NULL(test, find(FAR + 1000));
	KUNIT_EXPECT_NULL(test, find(FAR + 2 * ENTRY));
	/* They are freed with the test; nobody reads of them any more. */
	synchronize_rcu();
}

static void long_arenas_come_in_bites(struct kunit *test)
{
	const unsigned long nr = 1700 * ENTRY + 77;
	struct quarry_page_arena *c = arena(test, FAR + ENTRY - 3, nr);
	struct quarry_page_arena *in = arena(test, FAR + 1500 * ENTRY + 9, 2);
	struct quarry_buddy *buddy = kunit_kzalloc(test, sizeof(*buddy), GFP_KERNEL);
	unsigned long pfn, bad = 0;
	struct quarry_directory_entry *slot;

	KUNIT_ASSERT_NOT_NULL(test, buddy);
	/* Somebody is in the way, far behind the beginning. */
	KUNIT_ASSERT_EQ(test, 0, quarry_directory_insert(in));
	KUNIT_EXPECT_EQ(test, -EEXIST, quarry_directory_insert(c));
	for (pfn = c->pfn - 1; pfn < c->pfn + nr + 1; pfn += 61)
		bad += !!find(pfn);
	KUNIT_EXPECT_EQ(test, 0, bad);
	KUNIT_EXPECT_PTR_EQ(test, find(in->pfn + 1), in);
	quarry_directory_remove(in);

	KUNIT_ASSERT_EQ(test, 0, quarry_directory_insert(c));
	KUNIT_EXPECT_EQ(test, -EEXIST, quarry_directory_insert(in));
	for (pfn = c->pfn; pfn < c->pfn + nr; pfn += 61)
		bad += find(pfn) != c;
	KUNIT_EXPECT_EQ(test, 0, bad);
	KUNIT_EXPECT_NULL(test, find(c->pfn - 1));
	KUNIT_EXPECT_NULL(test, find(c->pfn + nr));
	/* Full slots lead to the buddy, the first and the last one do not. */
	buddy->key = 1ULL << 40;
	quarry_directory_publish(c, buddy);
	preempt_disable();
	for (pfn = FAR; pfn < c->pfn + nr; pfn += ENTRY) {
		slot = quarry_directory_entry_of(pfn);
		bad += (slot->key & ~0xffULL) !=
		       (pfn > c->pfn && pfn + ENTRY <= c->pfn + nr ? buddy->key : 0);
	}
	preempt_enable();
	KUNIT_EXPECT_EQ(test, 0, bad);
	quarry_directory_publish(c, NULL);
	quarry_directory_remove(c);
	for (pfn = FAR; pfn < c->pfn + nr; pfn += ENTRY)
		bad += find(pfn) || quarry_directory_entry_of(pfn)->key;
	KUNIT_EXPECT_EQ(test, 0, bad);
	synchronize_rcu();
}

struct reader {
	struct quarry_pool *pool;
	struct page *page;
	unsigned long looks;
	unsigned long wrong;
};

static int read_on(void *arg)
{
	struct reader *r = arg;

	while (!kthread_should_stop()) {
		r->wrong += quarry_page_pool(r->page) != r->pool || find(FAR + 9 * ENTRY) ||
			    !is_unlabelled(FAR);
		r->looks++;
		cond_resched();
	}
	return 0;
}

static void it_grows_under_its_readers(struct kunit *test)
{
	struct reader r = { .pool = quarry_test_pool(test, 0, SZ_4M) };
	struct task_struct *task;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, quarry_directory_reach(FAR, 1));
	r.page = quarry_alloc_pages(r.pool, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, r.page);
	task = kthread_run(read_on, &r, "quarry-reader");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	/* A page in a hole, and then one behind the end, and so on. */
	for (i = 1; i <= 6; i++) {
		KUNIT_EXPECT_EQ(test, 0, quarry_directory_reach(FAR / 2 + (i << 20), 1));
		KUNIT_EXPECT_EQ(test, 0, quarry_directory_reach(FAR + (i << 22), 1));
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, r.wrong, 0);
	KUNIT_EXPECT_GT(test, r.looks, 0);
	quarry_free_pages(r.pool, r.page, 0);
	quarry_test_at_rest(test, r.pool);
}

static struct kunit_case directory_cases[] = {
	KUNIT_CASE(memory_far_away_is_cheap),
	KUNIT_CASE(arenas_share_entries),
	KUNIT_CASE(long_arenas_come_in_bites),
	KUNIT_CASE(it_grows_under_its_readers),
	{}
};

static struct kunit_suite directory_suite = {
	.name = "quarry-directory",
	.suite_init = quarry_test_parameters,
	.test_cases = directory_cases,
};

kunit_test_suite(directory_suite);
