// SPDX-License-Identifier: GPL-2.0
/*
 * Reports: with interrupts on at once; with interrupts off, under a lock and in NMI when that is
 * over, and whole: by the caller's stack of that time, once for each.
 *
 * What is printed is seen by the kernel's tracepoint in printk(), in the context of who prints;
 * in NMI, where there is none, by a console.
 */
#include <linux/console.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/tracepoint.h>

#include "../../module/base/report.h"
#include "../cache_kunit.h"

#define SIZE	64

/* More than wait at a time. */
#define MANY	12U

/**
 * struct seen - what was printed
 * @lines:	that have @what
 * @wrong:	of quarry's lines, those that were printed where none may be
 * @what:	text
 * @by:		a function that has to be in it, too
 * @stacks:	lines with that
 * @quiet:	nothing may be printed by @cpu now
 * @cpu:	who holds a lock
 */
static struct seen {
	unsigned int lines;
	unsigned int wrong;
	unsigned int stacks;
	const char *what;
	const char *by;
	bool quiet;
	int cpu;
} seen;

static struct tracepoint *console;

static void see_line(void *data, const char *text, size_t len)
{
	if (strnstr(text, seen.what, len)) {
		seen.lines++;
		/* Another CPU may be behind with what it prints. */
		seen.wrong += in_nmi() ||
			      (READ_ONCE(seen.quiet) && seen.cpu == raw_smp_processor_id());
	}
	if (seen.by && strnstr(text, seen.by, len))
		seen.stacks++;
}

static void find(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "console"))
		console = tp;
}

/* From here to the end of it this CPU has a lock. */
static void be_quiet(void)
{
	seen.cpu = raw_smp_processor_id();
	WRITE_ONCE(seen.quiet, true);
}

/* From here on lines with @what are counted, and such with the function @by. */
static void watch(struct kunit *test, const char *what, const char *by)
{
	seen = (struct seen){ .what = what, .by = by };
	for_each_kernel_tracepoint(find, NULL);
	KUNIT_ASSERT_NOT_NULL(test, console);
	KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(console, see_line, NULL));
}

static void watch_no_more(void)
{
	tracepoint_probe_unregister(console, see_line, NULL);
	tracepoint_synchronize_unregister();
}

static void write_line(struct console *c, const char *text, unsigned int len)
{
	see_line(NULL, text, len);
}

static struct console our_console = {
	.name = "quarry",
	.write = write_line,
	.flags = CON_ENABLED | CON_ANYTIME,
	.index = -1,
};

static DEFINE_RAW_SPINLOCK(callers_lock);

/* Functions of their own, to be looked for. Each is called once: of the second nothing is said. */
static noinline void free_wrongly_at_ease(struct quarry_cache *c, void *p)
{
	quarry_cache_free_nolock(c, p);
	barrier();
}

static noinline void free_wrongly_under_a_lock(struct quarry_cache *c, void *p)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&callers_lock, flags);
	be_quiet();
	quarry_cache_free_nolock(c, p);
	WRITE_ONCE(seen.quiet, false);
	raw_spin_unlock_irqrestore(&callers_lock, flags);
}

static noinline void free_page_wrongly_under_a_lock(struct quarry_pool *pool, struct page *page)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&callers_lock, flags);
	be_quiet();
	quarry_free_pages(pool, page, 3);
	WRITE_ONCE(seen.quiet, false);
	raw_spin_unlock_irqrestore(&callers_lock, flags);
}

static void at_ease_it_is_said_at_once(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, SIZE);
	struct quarry_cache *other = quarry_test_cache(test, SIZE);
	void *p = quarry_cache_alloc(other, GFP_KERNEL);
	unsigned int lines, again, times;

	KUNIT_ASSERT_NOT_NULL(test, p);
	/* The compiler is not to know, or there are as many places to call from. */
	times = 2 * (quarry_test_seed | 1) / (quarry_test_seed | 1);
	watch(test, quarry_cache_name(c), "free_wrongly_at_ease");
	for (again = 0; again < times; again++)
		free_wrongly_at_ease(c, p);
	lines = READ_ONCE(seen.lines);
	watch_no_more();
	KUNIT_EXPECT_EQ(test, lines, 1);
	KUNIT_EXPECT_EQ(test, seen.stacks, 1);
	quarry_cache_free(other, p);
}

/* The interrupt that the CPU sends itself has come when interrupts are on. */
static void under_a_lock_it_waits(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_cache(test, SIZE);
	struct quarry_cache *other = quarry_test_cache(test, SIZE);
	struct quarry_pool *pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	struct page *page = quarry_alloc_pages(pool, GFP_KERNEL, 1);
	void *p = quarry_cache_alloc(other, GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, p && page);
	watch(test, quarry_cache_name(c), "free_wrongly_under_a_lock");
	free_wrongly_under_a_lock(c, p);
	watch_no_more();
	KUNIT_EXPECT_EQ(test, seen.lines, 1);
	KUNIT_EXPECT_EQ(test, seen.wrong, 0);
	KUNIT_EXPECT_EQ(test, seen.stacks, 1);
	watch(test, "free with the wrong call, order or length", "free_page_wrongly_under_a_lock");
	free_page_wrongly_under_a_lock(pool, page);
	watch_no_more();
	KUNIT_EXPECT_EQ(test, seen.lines, 1);
	KUNIT_EXPECT_EQ(test, seen.wrong, 0);
	KUNIT_EXPECT_EQ(test, seen.stacks, 1);
	quarry_free_pages(pool, page, 1);
	quarry_cache_free(other, p);
}

/* Of refusals only some are told, so until one is. */
static void a_refusal_under_a_lock_waits(struct kunit *test)
{
	struct quarry_pool *pool = quarry_test_pool(test, SZ_512K, SZ_512K);
	unsigned int tries = 100;
	struct page *page;
	unsigned long flags;

	watch(test, "no block of order 9 (mode GFP_NOWAIT): the pool is at its limit", NULL);
	while (!READ_ONCE(seen.lines) && tries--) {
		raw_spin_lock_irqsave(&callers_lock, flags);
		be_quiet();
		page = quarry_alloc_pages(pool, __GFP_KSWAPD_RECLAIM, 9);
		WRITE_ONCE(seen.quiet, false);
		raw_spin_unlock_irqrestore(&callers_lock, flags);
		KUNIT_EXPECT_NULL(test, page);
		msleep(100);
	}
	watch_no_more();
	KUNIT_EXPECT_EQ(test, seen.lines, 1);
	KUNIT_EXPECT_EQ(test, seen.wrong, 0);
}

/* A report that has more than one line, and who had it. */
static void a_write_that_is_found_under_a_lock(struct kunit *test)
{
	struct quarry_cache *c = quarry_test_near_cache(test, SIZE);
	unsigned long flags;
	u8 *p, *q;

	KUNIT_ASSERT_EQ(test, 0, quarry_cache_set_modes(c, QUARRY_MODE_POISON |
							   QUARRY_MODE_OWNER));
	p = quarry_cache_alloc(c, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	quarry_cache_free(c, p);
	quarry_test_unseen(p[11] = 7);
	watch(test, "written after it was freed: byte 11 is 0x07, not 0x6b", "freed by pid");
	raw_spin_lock_irqsave(&callers_lock, flags);
	be_quiet();
	q = quarry_cache_alloc_nolock(c, 0);
	WRITE_ONCE(seen.quiet, false);
	raw_spin_unlock_irqrestore(&callers_lock, flags);
	watch_no_more();
	KUNIT_EXPECT_EQ(test, seen.lines, 1);
	KUNIT_EXPECT_EQ(test, seen.wrong, 0);
	KUNIT_EXPECT_EQ(test, seen.stacks, 1);
	KUNIT_EXPECT_PTR_NE(test, p, q);
	quarry_cache_free(c, q);
}

struct trip {
	struct quarry_cache *c;
	struct quarry_pool *pool;
	struct page *page;
	void *p;
};

static noinline void free_wrongly_in_nmi(void *data)
{
	struct trip *t = data;

	be_quiet();
	quarry_cache_free_nolock(t->c, t->p);
	quarry_free_pages(t->pool, t->page, 3);
	WRITE_ONCE(seen.quiet, false);
}

static void in_nmi_it_waits(struct kunit *test)
{
	struct quarry_cache *other = quarry_test_cache(test, SIZE);
	struct trip t = {
		.c = quarry_test_cache(test, SIZE),
		.pool = quarry_test_near_pool(test, SZ_4M, SZ_4M),
		.p = quarry_cache_alloc(other, GFP_KERNEL),
	};
	bool ran;

	t.page = quarry_alloc_pages(t.pool, GFP_KERNEL, 1);
	KUNIT_ASSERT_TRUE(test, t.p && t.page);
	KUNIT_ASSERT_EQ(test, 0, quarry_test_nmi_init());
	seen = (struct seen){ .what = "; refused", .by = "free_wrongly_in_nmi" };
	register_console(&our_console);
	preempt_disable();
	ran = quarry_test_in_nmi(free_wrongly_in_nmi, &t);
	preempt_enable();
	console_lock();
	console_unlock();
	unregister_console(&our_console);
	quarry_test_nmi_exit();
	if (ran) {
		KUNIT_EXPECT_EQ(test, seen.lines, 2);
		KUNIT_EXPECT_EQ(test, seen.wrong, 0);
		KUNIT_EXPECT_EQ(test, seen.stacks, 2);
	}
	quarry_free_pages(t.pool, t.page, 1);
	quarry_cache_free(other, t.p);
	if (!ran)
		kunit_skip(test, "no NMI");
}

/* So many kinds, by one way. */
static unsigned int report_many(unsigned int nr)
{
	struct quarry_report *r;
	unsigned int i, got = 0;

	for (i = 0; i < nr; i++) {
		r = quarry_report_begin(0x10000 + i);
		got += !!r;
		quarry_report_say(r, "a report of many");
		quarry_report_say(r, "whose second line is %0500u", i);
		quarry_report_say(r, "and a third, for which there is no room");
		quarry_report_end(r);
	}
	return got;
}

/* Nothing is lost for good: what finds no place is told the next time. */
static void more_than_can_wait(struct kunit *test)
{
	unsigned int first, turn, got = 0;
	unsigned long flags;

	watch(test, "a report of many", "and a third");
	/* The way is the same, turn for turn. */
	for (turn = 0, first = 0; turn < MANY && got < MANY; turn++) {
		raw_spin_lock_irqsave(&callers_lock, flags);
		be_quiet();
		got += report_many(MANY);
		WRITE_ONCE(seen.quiet, false);
		raw_spin_unlock_irqrestore(&callers_lock, flags);
		first = first ?: got;
	}
	watch_no_more();
	KUNIT_EXPECT_GT(test, first, 0);
	KUNIT_EXPECT_LT(test, first, MANY);
	KUNIT_EXPECT_EQ(test, got, MANY);
	KUNIT_EXPECT_EQ(test, seen.lines, MANY);
	KUNIT_EXPECT_EQ(test, seen.wrong, 0);
	KUNIT_EXPECT_EQ(test, seen.stacks, 0);
}

/* A stack that was kept, of a module that has gone since: nobody knows its functions. */
static void no_address_is_shown(struct kunit *test)
{
	unsigned long stack[] = { (unsigned long)no_address_is_shown, MODULES_END - 0x1234 };
	depot_stack_handle_t kept = stack_depot_save(stack, ARRAY_SIZE(stack), GFP_KERNEL);
	struct quarry_report *r;

	KUNIT_ASSERT_NE(test, kept, 0);
	watch(test, "address_is_shown+", "0xffffff");
	r = quarry_report_begin(0xadd);
	KUNIT_EXPECT_NOT_NULL(test, r);
	quarry_report_who(r, "taken", kept, 1, jiffies);
	quarry_report_end(r);
	watch_no_more();
	KUNIT_EXPECT_EQ(test, seen.lines, 1);
	KUNIT_EXPECT_EQ(test, seen.stacks, 0);
}

/* Of 64 sites each is told once; of others some, and the last of them not twice. */
static void sites_run_out_for_a_while(struct kunit *test)
{
	struct quarry_report *r;
	unsigned int i, told = 0;

	for (i = 0; i < 200; i++) {
		r = quarry_report_begin(0x51000 + i);
		told += !!r;
		quarry_report_end(r);
		if (r) {
			r = quarry_report_begin(0x51000 + i);
			KUNIT_EXPECT_NULL(test, r);
			quarry_report_end(r);
		}
	}
	KUNIT_EXPECT_EQ(test, told, 64 + 32);
}

static struct kunit_case reports_cases[] = {
	KUNIT_CASE(at_ease_it_is_said_at_once),
	KUNIT_CASE(under_a_lock_it_waits),
	KUNIT_CASE(a_refusal_under_a_lock_waits),
	KUNIT_CASE(a_write_that_is_found_under_a_lock),
	KUNIT_CASE(in_nmi_it_waits),
	KUNIT_CASE(more_than_can_wait),
	KUNIT_CASE(no_address_is_shown),
	KUNIT_CASE(sites_run_out_for_a_while),
	{}
};

/* Each case has all sites for itself. */
static int begin(struct kunit *test)
{
	quarry_reports_forget();
	return 0;
}

static struct kunit_suite reports_suite = {
	.name = "quarry-reports",
	.suite_init = quarry_test_parameters,
	.init = begin,
	.test_cases = reports_cases,
};

kunit_test_suite(reports_suite);
