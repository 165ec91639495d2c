// SPDX-License-Identifier: GPL-2.0
/*
 * Chores of the keeper: done once for any number of wake-ups, once more for a wake-up that comes
 * while they are at work, and not at all before they begin and after they have ended.
 */
#include <linux/delay.h>

#include "../../module/pages/keeper.h"
#include "../quarry_kunit.h"

/* Longer than from a wake-up to the work, by so much that only a chore that comes not is missed. */
#define DUE_MS		60000
#define QUIET_MS	4000

static void work(struct kthread_work *work);

static struct quarry_chore chore = QUARRY_CHORE_INIT(chore, work);
static atomic_t began, done;
static int at_work_ms;

static void work(struct kthread_work *work)
{
	quarry_chore_at_work(&chore);
	atomic_inc(&began);
	msleep(at_work_ms);
	atomic_inc(&done);
}

static bool comes_to(atomic_t *what, int nr)
{
	unsigned int ms;

	for (ms = 0; ms < DUE_MS && atomic_read(what) != nr; ms += 20)
		msleep(20);
	return atomic_read(what) == nr;
}

static int start(struct kunit *test)
{
	atomic_set(&began, 0);
	atomic_set(&done, 0);
	at_work_ms = 0;
	return 0;
}

/* The code is this module's: nothing of it may be left, whatever failed. */
static void stop(struct kunit *test)
{
	quarry_chore_end(&chore);
}

static void many_kicks_are_one(struct kunit *test)
{
	unsigned long flags;
	unsigned int i;

	quarry_chore_begin(&chore);
	local_irq_save(flags);
	for (i = 0; i < 100; i++)
		quarry_chore_wake(&chore);
	local_irq_restore(flags);
	KUNIT_EXPECT_TRUE(test, comes_to(&done, 1));
	msleep(QUIET_MS);
	KUNIT_EXPECT_EQ(test, atomic_read(&done), 1);
}

static void a_wakeup_at_work_is_for_the_next_time(struct kunit *test)
{
	at_work_ms = 200;
	quarry_chore_begin(&chore);
	quarry_chore_wake(&chore);
	KUNIT_ASSERT_TRUE(test, comes_to(&began, 1));
	quarry_chore_wake(&chore);
	KUNIT_EXPECT_TRUE(test, comes_to(&done, 2));
}

static void what_is_not_begun_is_not_done(struct kunit *test)
{
	quarry_chore_wake(&chore);
	msleep(QUIET_MS);
	KUNIT_EXPECT_EQ(test, atomic_read(&began), 0);
	quarry_chore_begin(&chore);
	quarry_chore_wake(&chore);
	quarry_chore_end(&chore);
	quarry_chore_wake(&chore);
	msleep(QUIET_MS);
	KUNIT_EXPECT_EQ(test, atomic_read(&began), 0);
}

static void an_end_waits_and_is_the_end(struct kunit *test)
{
	at_work_ms = 500;
	quarry_chore_begin(&chore);
	quarry_chore_wake(&chore);
	KUNIT_ASSERT_TRUE(test, comes_to(&began, 1));
	quarry_chore_wake(&chore);
	quarry_chore_end(&chore);
	KUNIT_EXPECT_EQ(test, atomic_read(&done), 1);
	msleep(QUIET_MS);
	KUNIT_EXPECT_EQ(test, atomic_read(&began), 1);
	quarry_chore_begin(&chore);
	quarry_chore_wake(&chore);
	KUNIT_EXPECT_TRUE(test, comes_to(&done, 2));
}

static struct kunit_case chores_cases[] = {
	KUNIT_CASE(many_kicks_are_one),
	KUNIT_CASE(a_wakeup_at_work_is_for_the_next_time),
	KUNIT_CASE(what_is_not_begun_is_not_done),
	KUNIT_CASE(an_end_waits_and_is_the_end),
	{}
};

static struct kunit_suite chores_suite = {
	.name = "quarry-chores",
	.init = start,
	.exit = stop,
	.test_cases = chores_cases,
};

kunit_test_suite(chores_suite);
