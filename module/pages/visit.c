// SPDX-License-Identifier: GPL-2.0
/*
 * Visits: what belongs to a CPU is changed on that CPU.
 *
 * Per-CPU lists and magazines have no lock, so another CPU cannot empty them. A
 * work item on each does. One visit at a time; the items are static, so that a visit
 * needs no memory and can be made from reclaim.
 *
 * Contexts: sleeps.
 */
#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/workqueue.h>

#include "pool.h"
#include "visit.h"

static DEFINE_MUTEX(visit_mutex);

struct quarry_visit {
	struct work_struct work;
	u64 (*fn)(void *data);
	void *data;
	u64 sum;
};

static DEFINE_PER_CPU(struct quarry_visit, quarry_visits);

static void visit_work(struct work_struct *work)
{
	struct quarry_visit *v = container_of(work, struct quarry_visit, work);

	v->sum = v->fn(v->data);
}

/**
 * quarry_visit_cpus() - call a function on every CPU that is online
 * @fn:		called in process context
 * @data:	for @fn
 *
 * Context: sleeps. Return: the sum of what @fn returned.
 */
u64 quarry_visit_cpus(u64 (*fn)(void *data), void *data)
{
	u64 sum = 0;
	int cpu;

	mutex_lock(&visit_mutex);
	for_each_online_cpu(cpu) {
		struct quarry_visit *v = per_cpu_ptr(&quarry_visits, cpu);

		INIT_WORK(&v->work, visit_work);
		v->fn = fn;
		v->data = data;
		v->sum = 0;
		queue_work_on(cpu, quarry_workqueue, &v->work);
	}
	for_each_possible_cpu(cpu) {
		struct quarry_visit *v = per_cpu_ptr(&quarry_visits, cpu);

		if (!v->fn)
			continue;
		flush_work(&v->work);
		sum += v->sum;
		v->fn = NULL;
	}
	mutex_unlock(&visit_mutex);
	return sum;
}
