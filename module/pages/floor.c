// SPDX-License-Identifier: GPL-2.0
/*
 * The floor: what a pool takes from the kernel before anybody knows it.
 *
 * It may be most of the machine, or more than there is. Then the kernel's last pages are here
 * until it refuses and all goes back, and whoever else asks for one meanwhile finds none: for him
 * the kernel would kill programs, one after the other, for memory that is about to come back.
 *
 *	fill: grow ... grow ... refused ->  give all back     [not filling]
 *	         ^                 ^              ^
 *	         `-----------------+--------------`--- the machine is out of memory: no floor any
 *					more, and what is here goes back, by the hand of who says so
 *
 * He does not wait for the one that fills, who may wait for him: inside the kernel's allocator,
 * which tries again for as long as somebody looks for one to be killed; or for a CPU, of
 * which he has none as long as others of a higher priority try to reclaim.
 *
 * Contexts: sleeps. Cost: a list of those that fill, which are few. While a floor is given back for
 * want of memory, whoever makes a pool waits.
 */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "pool.h"

/**
 * struct fill - a pool that takes its floor
 * @link:	in @fills
 * @pool:	the pool
 * @stopped:	the machine is out of memory: it gets none
 */
struct fill {
	struct list_head link;
	struct quarry_pool *pool;
	bool stopped;
};

static DEFINE_MUTEX(fills_mutex);
static LIST_HEAD(fills);

/* Context: sleeps, but waits for nobody. Returns frames that the kernel has got. */
static u64 floor_give_up(struct quarry_pool *pool)
{
	WRITE_ONCE(pool->min, 0);
	WRITE_ONCE(pool->low, 0);
	return quarry_pool_yield(pool, NUMA_NO_NODE, U64_MAX >> PAGE_SHIFT);
}

/**
 * quarry_floors_give_up() - the machine is out of memory: no pool takes its floor
 *
 * Context: sleeps, but allocates nothing and waits for nobody who does. Return: frames that the
 * kernel has got.
 */
u64 quarry_floors_give_up(void)
{
	struct fill *f;
	u64 given = 0;

	mutex_lock(&fills_mutex);
	list_for_each_entry(f, &fills, link) {
		WRITE_ONCE(f->stopped, true);
		given += floor_give_up(f->pool);
	}
	mutex_unlock(&fills_mutex);
	return given;
}

static int floor_fill(struct fill *f)
{
	while (atomic64_read(&f->pool->managed) < READ_ONCE(f->pool->min)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!quarry_pool_grow_floor(f->pool))
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

/**
 * quarry_pool_fill() - take the floor from the kernel
 * @pool:	the pool, not known to anybody yet
 *
 * If there is not enough, or the machine runs out of memory over it, all goes back. Context:
 * sleeps.
 *
 * Return: 0, -ENOMEM, or -EINTR if the caller was killed meanwhile and the machine had memory.
 */
int quarry_pool_fill(struct quarry_pool *pool)
{
	struct fill f = { .pool = pool };
	int err;

	mutex_lock(&fills_mutex);
	list_add(&f.link, &fills);
	mutex_unlock(&fills_mutex);
	err = floor_fill(&f);
	/* Others may help with it, for as long as it is here. */
	if (err || READ_ONCE(f.stopped))
		floor_give_up(pool);
	mutex_lock(&fills_mutex);
	list_del(&f.link);
	mutex_unlock(&fills_mutex);
	return f.stopped ? -ENOMEM : err;
}
