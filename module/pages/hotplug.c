// SPDX-License-Identifier: GPL-2.0
/*
 * CPU hotplug: the lists of a CPU that is dead go to their zones.
 *
 * The callback runs on another CPU when the dead one has stopped for good, or has failed to
 * come up half way, so nobody can be inside its lists. A CPU that comes up finds its lists
 * empty, but open if they were. While it is away the others share what its lists could hold; it
 * says itself that it is back, with its first slow call (pcp.c).
 *
 * Contexts: the callback sleeps, one CPU at a time; the rest is module load and unload.
 */
#include <linux/cpuhotplug.h>
#include <linux/percpu.h>

#include "pcp.h"
#include "visit.h"

static int state = -1;

static int hotplug_cpu_dead(unsigned int cpu)
{
	struct quarry_pool *pool = NULL;

	quarry_visits_stopped(cpu);
	while ((pool = quarry_pool_look_next(pool))) {
		quarry_pcp_drain_cpu(pool, cpu);
		quarry_lists_away(pool, cpu);
	}
	return 0;
}

int __init quarry_hotplug_init(void)
{
	state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "mm/quarry:dead", NULL,
					  hotplug_cpu_dead);
	return min(state, 0);
}

void quarry_hotplug_exit(void)
{
	cpuhp_remove_state_nocalls(state);
}
