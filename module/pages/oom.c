// SPDX-License-Identifier: GPL-2.0
/*
 * The machine is out of memory: before anybody is killed for it, pools give what they can.
 *
 * Pressure comes first, by the shrinkers; but these try a lock and go on, and leave objects
 * in the magazines of CPUs where they are. Here all of that goes, of every pool: slabs that no
 * object is out of, lists, empty arenas. Not the floor, nor what the low watermark keeps: the
 * background would take that back, and the kernel would call again for the same pages for
 * ever, each time told that there was something. A pool that is just taking its floor gets none
 * (floor.c).
 *
 * What the kernel has got is added to its sum. It kills nobody if that is more than 0. A line
 * a pool says what that has given and what it keeps, so that a log of such an hour tells
 * how much of the machine's memory was in pools. Of those that have given nothing it is said
 * some times a minute and no more.
 *
 * Not called when a memory cgroup is at its limit, for which pools are not charged.
 *
 * Contexts: in the midst of anybody's allocation, under the kernel's oom_lock: sleeps, but
 * allocates nothing, and waits for nobody for longer than a second a pool.
 */
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/ratelimit.h>

#include "../base/inject.h"
#include "pcp.h"

static int out_of_memory_here(struct notifier_block *nb, unsigned long unused, void *data)
{
	static DEFINE_RATELIMIT_STATE(rate, 60 * HZ, 3);
	unsigned long *freed = data;
	struct quarry_pool *pool = NULL;
	bool all = __ratelimit(&rate);
	u64 given;

	*freed += quarry_floors_give_up();
	while ((pool = quarry_pool_look_next(pool))) {
		given = quarry_pool_yield_all(pool);
		*freed += given;
		if (!given && (!all || !atomic64_read(&pool->managed)))
			continue;
		pr_info("pool %s: the machine is out of memory: %llu KiB given back, %llu KiB kept, of which %llu KiB are free\n",
			pool->name, quarry_kib(given), quarry_kib(atomic64_read(&pool->managed)),
			quarry_kib(quarry_pool_nfree(pool)));
	}
	return NOTIFY_OK;
}

static struct notifier_block oom_notifier = { .notifier_call = out_of_memory_here };

int __init quarry_oom_init(void)
{
	return quarry_inject() ? -ENOMEM : register_oom_notifier(&oom_notifier);
}

void quarry_oom_exit(void)
{
	unregister_oom_notifier(&oom_notifier);
}
