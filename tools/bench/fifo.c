// SPDX-License-Identifier: GPL-2.0
/*
 * page.fifo.*, cache.fifo.*: what it takes to need something of a CPU that a real-time task
 * keeps for itself.
 *
 * On CPU 1 a thread leaves blocks on the lists of a pool and objects in the magazines of
 * a cache in it, and then runs for ever under SCHED_FIFO. Meanwhile, on CPU 0:
 *
 *	page.fifo.fail		a GFP_KERNEL allocation that fails
 *	page.fifo.drain		quarry_pool_drain()
 *	page.fifo.destroy	quarry_pool_destroy()
 *	cache.fifo.destroy	quarry_cache_destroy()
 *
 * The figure is the longest of ROUNDS single calls, in guest time: waiting counts. Who
 * waits for CPU 1 to schedule waits until the kernel's throttle of real-time tasks, a
 * second. The notes have the same where CPU 1 is idle. It can be counted where CPUs take
 * turns (quarry-vm --icount --smp 2), and is skipped where there is one CPU.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/quarry.h>
#include <linux/quarry_cache.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "bench.h"

#define ROUNDS		5
#define BYTES		SZ_4M
#define PAGES		(BYTES / PAGE_SIZE)
#define LEFT		8

/**
 * struct scene - a pool, a cache in it, and who has used both last
 * @pool:	at its cap
 * @cache:	in it
 * @hogs:	the thread does not let go of its CPU
 * @ready:	it has left what it is to leave
 * @stop:	it is to end
 * @page:	what CPU 0 has
 * @nr:		of these
 */
struct scene {
	struct quarry_pool *pool;
	struct quarry_cache *cache;
	bool hogs;
	bool ready;
	bool stop;
	struct page *page[PAGES];
	unsigned int nr;
};

static void leave(struct scene *s)
{
	struct page *page[LEFT];
	void *object[LEFT];
	unsigned int i, k;

	/* The first time there is no magazine. */
	for (k = 0; k < 2; k++) {
		for (i = 0; i < LEFT; i++)
			object[i] = quarry_cache_alloc(s->cache, GFP_KERNEL);
		for (i = 0; i < LEFT; i++)
			quarry_cache_free(s->cache, object[i]);
	}
	for (i = 0; i < LEFT; i++)
		page[i] = quarry_alloc_pages(s->pool, GFP_KERNEL, 0);
	for (i = 0; i < LEFT; i++)
		if (page[i])
			quarry_free_pages(s->pool, page[i], 0);
}

static int hog(void *arg)
{
	struct scene *s = arg;

	leave(s);
	if (s->hogs)
		sched_set_fifo(current);
	WRITE_ONCE(s->ready, true);
	while (s->hogs && !READ_ONCE(s->stop))
		cpu_relax();
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static struct task_struct *start(struct scene *s)
{
	struct task_struct *task = kthread_create_on_cpu(hog, s, 1, "bench-hog/%u");

	if (IS_ERR(task))
		return task;
	wake_up_process(task);
	while (!READ_ONCE(s->ready))
		usleep_range(100, 200);
	return task;
}

static void take_all(struct scene *s)
{
	while (s->nr < PAGES) {
		s->page[s->nr] = quarry_alloc_pages(s->pool, GFP_NOWAIT | __GFP_NOWARN, 0);
		if (!s->page[s->nr])
			break;
		s->nr++;
	}
}

static bool fail(struct scene *s)
{
	return !quarry_alloc_pages(s->pool, GFP_KERNEL | __GFP_NOWARN, 9);
}

static bool drain(struct scene *s)
{
	return quarry_pool_drain(s->pool);
}

static bool destroy(struct scene *s)
{
	struct quarry_pool *pool = s->pool;

	s->pool = NULL;
	return !quarry_pool_destroy(pool);
}

static bool cache_destroy(struct scene *s)
{
	struct quarry_cache *cache = s->cache;

	s->cache = NULL;
	return !quarry_cache_destroy(cache);
}

static void without_cache(struct scene *s)
{
	WARN_ON(!cache_destroy(s));
}

/* What is timed, and what comes before it while CPU 1 is kept. */
static const struct {
	const char *name;
	void (*before)(struct scene *s);
	bool (*call)(struct scene *s);
} calls[] = {
	{ "page.fifo.fail", take_all, fail },
	{ "page.fifo.drain", NULL, drain },
	{ "page.fifo.destroy", without_cache, destroy },
	{ "cache.fifo.destroy", NULL, cache_destroy },
};

static int open(struct scene *s)
{
	struct quarry_pool_config config = QUARRY_POOL_CONFIG;

	config.min_bytes = BYTES;
	config.max_bytes = BYTES;
	s->pool = quarry_pool_create("bench.fifo", &config);
	if (IS_ERR(s->pool))
		return PTR_ERR(s->pool);
	s->cache = quarry_cache_create_in(s->pool, "bench.fifo", 256, 0, 0, NULL);
	if (!IS_ERR(s->cache))
		return 0;
	quarry_pool_destroy(s->pool);
	return PTR_ERR(s->cache);
}

static void close(struct scene *s)
{
	while (s->nr)
		quarry_free_pages(s->pool, s->page[--s->nr], 0);
	WARN_ON(quarry_cache_destroy(s->cache));
	WARN_ON(quarry_pool_destroy(s->pool));
}

/* Time of one call, or an error. */
static s64 once(struct scene *s, unsigned int which, bool hogs)
{
	struct task_struct *task;
	bool worked;
	s64 time;

	memset(s, 0, sizeof(*s));
	s->hogs = hogs;
	time = open(s);
	if (time)
		return time;
	task = start(s);
	if (IS_ERR(task)) {
		close(s);
		return PTR_ERR(task);
	}
	if (calls[which].before)
		calls[which].before(s);
	time = ktime_get_ns();
	worked = calls[which].call(s);
	time = ktime_get_ns() - time;
	WRITE_ONCE(s->stop, true);
	kthread_stop(task);
	close(s);
	return worked ? time : -EIO;
}

static s64 longest(struct scene *s, unsigned int which, bool hogs)
{
	s64 time, most = 0;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		time = once(s, which, hogs);
		if (time < 0)
			return time;
		most = max(most, time);
	}
	return most;
}

int bench_fifo(void)
{
	struct scene *s;
	s64 with, without;
	unsigned int i;
	int err = 0;

	if (!cpu_online(0) || !cpu_online(1))
		return 0;
	s = kvzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	set_cpus_allowed_ptr(current, cpumask_of(0));
	for (i = 0; i < ARRAY_SIZE(calls) && !err; i++) {
		if (!bench_wanted(calls[i].name))
			continue;
		without = longest(s, i, false);
		with = longest(s, i, true);
		err = min3(without, with, 0LL);
		if (err)
			break;
		bench_value(calls[i].name, "instructions", "quarry", with * 1000);
		bench_say("note %s: %lld beside an idle CPU\n", calls[i].name, without);
	}
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	kvfree(s);
	return err;
}
