// SPDX-License-Identifier: GPL-2.0
/*
 * Guests (module/cache/guests.c): whom a full pool asks, how often, and that nobody is asked after
 * he has gone. What file systems make of it is tested with ext4: tools/client/guest/tight.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/nodemask.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>

#include "../cache_kunit.h"

/* Longer than anybody waits for a shrinker, and than one takes who is not held up. */
#define SOON	(10 * HZ)

/* One that counts how often it is asked, and whose objects go one a call. */
struct guest {
	struct shrinker shrinker;
	atomic_t counted;
	atomic_t scanned;
	bool held_up;
	struct completion inside;
	struct completion may_free;
};

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	struct guest *g = container_of(s, struct guest, shrinker);

	atomic_inc(&g->counted);
	return 1;
}

static unsigned long scan(struct shrinker *s, struct shrink_control *sc)
{
	struct guest *g = container_of(s, struct guest, shrinker);

	atomic_inc(&g->scanned);
	if (g->held_up) {
		complete(&g->inside);
		wait_for_completion(&g->may_free);
	}
	return 1;
}

static struct guest *guest(struct kunit *test, unsigned int flags)
{
	struct guest *g = kunit_kzalloc(test, sizeof(*g), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, g);
	g->shrinker.count_objects = count;
	g->shrinker.scan_objects = scan;
	g->shrinker.flags = flags;
	init_completion(&g->inside);
	init_completion(&g->may_free);
	KUNIT_ASSERT_EQ(test, 0, quarry_guest_add_shrinker(&g->shrinker));
	return g;
}

static void go(struct guest *g)
{
	quarry_guest_remove(&g->shrinker);
}

/* A round, however long it takes on a machine that has other things to do. */
static u64 ask(struct guest *g)
{
	unsigned long until = jiffies + SOON;
	int before = atomic_read(&g->scanned);
	u64 gone = 0;

	while (atomic_read(&g->scanned) == before && time_before(jiffies, until))
		gone += quarry_guests_shrink(quarry_pool_default());
	return gone;
}

static void each_is_asked_on_the_nodes_it_knows(struct kunit *test)
{
	struct guest *one = guest(test, 0), *each = guest(test, SHRINKER_NUMA_AWARE);
	unsigned int i;
	int rounds;

	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_GT(test, ask(each), 0);
	/* Who has gone has answered: rounds under way are whole for it. */
	go(one);
	go(each);
	rounds = atomic_read(&one->counted);
	KUNIT_EXPECT_GT(test, rounds, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&each->counted) % num_node_state(N_MEMORY), 0);
	KUNIT_EXPECT_LE(test, abs(atomic_read(&each->counted) / num_node_state(N_MEMORY) - rounds),
			1);
}

static void who_has_gone_is_not_asked(struct kunit *test)
{
	struct guest *gone = guest(test, 0), *other = guest(test, 0);
	int counted;

	ask(gone);
	go(gone);
	counted = atomic_read(&gone->counted);
	ask(other);
	KUNIT_EXPECT_EQ(test, atomic_read(&gone->counted), counted);
	go(other);
	/* Once more, and one that never came. */
	go(other);
}

static void who_frees_memory_asks_nobody(struct kunit *test)
{
	struct guest *g = guest(test, 0);
	unsigned int flags = memalloc_noreclaim_save();

	KUNIT_EXPECT_EQ(test, quarry_guests_shrink(quarry_pool_default()), 0);
	memalloc_noreclaim_restore(flags);
	go(g);
	KUNIT_EXPECT_EQ(test, atomic_read(&g->counted), 0);
}

static int remove_it(void *data)
{
	go(data);
	return 0;
}

/*
 * One that does not answer: who waits for memory goes on, others come and go, and it goes itself
 * when it has answered, not before.
 */
static void one_that_is_held_up(struct kunit *test)
{
	struct guest *g, *other;
	struct task_struct *task;
	unsigned long began;

	g = guest(test, 0);
	g->held_up = true;
	began = jiffies;
	quarry_guests_shrink(quarry_pool_default());
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, began + SOON));
	KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&g->inside, SOON));
	other = guest(test, 0);
	go(other);
	task = kthread_create(remove_it, g, "quarry-guest");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	msleep(100);
	KUNIT_EXPECT_EQ(test, READ_ONCE(task->exit_state), 0);
	g->held_up = false;
	complete_all(&g->may_free);
	for (began = jiffies; !READ_ONCE(task->exit_state) && time_before(jiffies, began + SOON);)
		msleep(20);
	KUNIT_EXPECT_NE(test, READ_ONCE(task->exit_state), 0);
	put_task_struct(task);
}

static struct kunit_case guests_cases[] = {
	KUNIT_CASE(each_is_asked_on_the_nodes_it_knows),
	KUNIT_CASE(who_has_gone_is_not_asked),
	KUNIT_CASE(who_frees_memory_asks_nobody),
	KUNIT_CASE(one_that_is_held_up),
	{}
};

static struct kunit_suite guests_suite = {
	.name = "quarry-guests",
	.suite_init = quarry_test_parameters,
	.test_cases = guests_cases,
};

kunit_test_suite(guests_suite);
