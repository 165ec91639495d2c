// SPDX-License-Identifier: GPL-2.0
/*
 * The machine hibernates: pools give what they can, or it would be written to the disk.
 *
 * The image has every page in it that the kernel has given away, and what lies free in a pool is
 * one of these. So before the image is made all of that goes, as when the machine is out of memory
 * (oom.c), and comes back as it is asked for. What stays is in the image like anybody's memory:
 * pages, objects, lists, and what describes them. CPUs go and come as by hand (hotplug.c).
 *
 * The kernel would call the shrinkers itself, but only for what is above /sys/power/image_size.
 *
 * Contexts: of whoever asks for hibernation, before anything is frozen: sleeps.
 */
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/suspend.h>

#include "../base/inject.h"
#include "pcp.h"

static int hibernate_prepare(struct notifier_block *nb, unsigned long action, void *unused)
{
	struct quarry_pool *pool = NULL;
	u64 given;

	if (action != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	while ((pool = quarry_pool_look_next(pool))) {
		given = quarry_pool_yield_all(pool);
		if (given)
			pr_info("pool %s: the machine hibernates: %llu KiB given back\n",
				pool->name, quarry_kib(given));
	}
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = hibernate_prepare };

int __init quarry_hibernate_init(void)
{
	return quarry_inject() ? -ENOMEM : register_pm_notifier(&notifier);
}

void quarry_hibernate_exit(void)
{
	unregister_pm_notifier(&notifier);
}
