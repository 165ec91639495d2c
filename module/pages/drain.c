// SPDX-License-Identifier: GPL-2.0
/*
 * Draining: blocks on per-CPU lists go back to the buddy.
 *
 * Three occasions
 *	need		an allocation that finds nothing: this CPU's lists first, then those
 *			of the others, by visits (visit.c) that end after a bounded time
 *	request		quarry_pool_drain(), shrinking, destroying, a CPU that dies
 *	idleness	lists that nobody has used for a while are emptied; of others goes what
 *			was there all the time, but for a batch, and what is above a limit
 *			that has become smaller. A block on a list
 *			keeps its arena from going back to the kernel, and half a megabyte
 *			of them, freed in random order, keeps all of a pool of 64 MiB
 *
 * The decay of idle lists is a chore (keeper.c) that comes by every two seconds while any list
 * is used or holds anything. It compares how often the lists of each CPU were called with what
 * it saw the last time, from outside; only a CPU with blocks that nobody asks for is
 * interrupted. How few blocks a list had meanwhile is known from the looks at it (pcp.c).
 *
 *	watched --nothing called, nothing held: the decay--> unwatched
 *	   ^------the next slow call wakes the decay------------'
 *
 * A CPU at rest is watched no longer, which is said from outside as well: the key of its lists
 * becomes that of no zone, so that its next free is a slow call. A machine at rest is left
 * alone, and nothing is forgotten on a list.
 *
 * Contexts: visits sleep; draining this CPU any.
 * Cost: at most BITE blocks with interrupts off.
 */
#include "keeper.h"
#include "pcp.h"
#include "visit.h"

/* Most blocks that go in one interrupt. */
#define BITE	128U

/* Frames on a CPU's lists. Context: any; of another CPU a moment old. */
u64 quarry_pcp_frames(const struct quarry_pcp *pcp)
{
	unsigned int k;
	u64 frames = 0;

	for (k = 0; k < QUARRY_PCP_ORDERS; k++)
		frames += (u64)(quarry_list_n(pcp, k) + quarry_pcp_strays(pcp, k)) << k;
	return frames;
}

/*
 * Strays, then large blocks first, at most @most and those. Entered, or of a CPU that has
 * stopped.
 */
static u64 drain_pcp(struct quarry_pool *pool, struct quarry_pcp *pcp, unsigned int order,
		     unsigned int most)
{
	u64 frames = quarry_pcp_flush_strays(pool, pcp);
	unsigned int k, nr, all = 0;

	for (k = QUARRY_PCP_ORDERS; k--;)
		do {
			if (all >= most || quarry_buddy_has(pcp->buddy, order))
				goto out;
			nr = quarry_pcp_flush_list(pool, pcp, k, QUARRY_FLUSH);
			frames += (u64)nr << k;
			all += nr;
		} while (nr);
out:
	if (frames)
		quarry_count(pool, QUARRY_COUNT_DRAINS);
	return frames;
}

/**
 * quarry_pcp_drain_this() - empty this CPU's lists
 * @pool:	the pool
 * @order:	stop when the buddy has a free block of it; QUARRY_DRAIN_ALL: of none
 *
 * Context: any. Return: frames given to the buddy; 0 inside a marked section.
 */
u64 quarry_pcp_drain_this(struct quarry_pool *pool, unsigned int order)
{
	struct quarry_pcp *pcp;
	u64 frames = 0;

	preempt_disable();
	pcp = this_cpu_ptr(pool->pcp);
	if (quarry_pcp_enter(pcp)) {
		frames = drain_pcp(pool, pcp, order, U32_MAX);
		quarry_pcp_leave(pcp);
	}
	preempt_enable();
	return frames;
}

/*
 * Give a bite of a CPU's blocks to the buddy. Entered, or of a CPU that has stopped; see
 * quarry_pcp_frames() for what is left. Context: any; preemption off.
 */
u64 quarry_pcp_drain_bite(struct quarry_pool *pool, struct quarry_pcp *pcp)
{
	return drain_pcp(pool, pcp, QUARRY_DRAIN_ALL, BITE);
}

static bool holds_blocks(void *data, int cpu)
{
	struct quarry_pool *pool = data;

	return quarry_pcp_frames(per_cpu_ptr(pool->pcp, cpu));
}

static enum quarry_answer drain_there(void *data, int cpu, u64 *sum)
{
	struct quarry_pool *pool = data;
	struct quarry_pcp *pcp = per_cpu_ptr(pool->pcp, cpu);

	if (!quarry_pcp_enter(pcp))
		return pcp->blocked ? QUARRY_VISIT_DONE : QUARRY_VISIT_INSIDE;
	*sum += quarry_pcp_drain_bite(pool, pcp);
	quarry_pcp_leave(pcp);
	return quarry_pcp_frames(pcp) ? QUARRY_VISIT_MORE : QUARRY_VISIT_DONE;
}

static const struct quarry_visitor drain_visitor = {
	.wanted = holds_blocks,
	.visit = drain_there,
};

/**
 * quarry_pcp_drain_all() - empty the lists of all CPUs
 * @pool:	the pool
 * @patience:	with CPUs that take no interrupts
 *
 * Context: sleeps; from reclaim, no more than briefly.
 *
 * Return: frames given to the buddy.
 */
u64 quarry_pcp_drain_all(struct quarry_pool *pool, enum quarry_patience patience)
{
	u64 frames = 0;

	quarry_visit(&drain_visitor, pool, patience, &frames);
	return frames;
}

/* Empty the lists of one CPU. Context: sleeps. */
void quarry_pcp_drain_cpu(struct quarry_pool *pool, int cpu)
{
	u64 frames = 0;

	quarry_visit_cpu(&drain_visitor, pool, cpu, QUARRY_FOREVER, &frames);
}

static enum quarry_answer drain_check_there(void *data, int cpu, u64 *sum)
{
	struct quarry_pool *pool = data;
	struct quarry_pcp *pcp = per_cpu_ptr(pool->pcp, cpu);

	if (!quarry_pcp_enter(pcp))
		return pcp->blocked ? QUARRY_VISIT_DONE : QUARRY_VISIT_INSIDE;
	*sum += quarry_pcp_check(pcp);
	quarry_pcp_leave(pcp);
	return QUARRY_VISIT_DONE;
}

/* An empty list can be broken as well: all of them. */
static bool drain_always(void *data, int cpu)
{
	return true;
}

static const struct quarry_visitor check_visitor = {
	.wanted = drain_always,
	.visit = drain_check_there,
};

/**
 * quarry_pcp_check_all() - check the lists of all CPUs
 * @pool:	the pool
 *
 * Context: sleeps. Return: broken invariants found.
 */
u64 quarry_pcp_check_all(struct quarry_pool *pool)
{
	u64 violations = 0;

	quarry_visit(&check_visitor, pool, QUARRY_FOREVER, &violations);
	return violations;
}

/* Calls that a CPU's lists have served. */
static u64 drain_calls(const struct quarry_pcp *pcp)
{
	u64 allocs, frees, nr = 0;
	unsigned int k;

	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		quarry_list_calls(pcp, k, &allocs, &frees);
		nr += allocs + frees;
	}
	return nr;
}

/* Blocks of a list that were there all the time, but for a batch; all if @idle. */
static u32 drain_spare(const struct quarry_pcp *pcp, unsigned int order, bool idle)
{
	u32 n = quarry_list_n(pcp, order);
	u32 low = min_t(u32, n, READ_ONCE(pcp->cold->part[order].low));

	return idle ? n : low - min(low, QUARRY_REFILL);
}

/* Is anything spare? Of lists that are closed nothing is. */
static bool has_spare(const struct quarry_pool *pool, const struct quarry_pcp *pcp)
{
	struct quarry_cold *cold = quarry_pcp_cold(pcp);
	unsigned int k;
	bool idle;
	u32 nr;

	if (!cold)
		return false;
	idle = drain_calls(pcp) == READ_ONCE(cold->seen_calls);
	/* Whoever uses the lists may send nothing to the zone, so that strays wait alone. */
	nr = READ_ONCE(cold->nr_strays) || quarry_pcp_is_over(pool, pcp);
	for (k = 0; k < QUARRY_PCP_ORDERS; k++)
		nr += drain_spare(pcp, k, idle);
	return nr;
}

static bool holds_spare(void *data, int cpu)
{
	struct quarry_pool *pool = data;

	return has_spare(pool, per_cpu_ptr(pool->pcp, cpu));
}

/* Give a bite of what is spare. */
static void give_spare(struct quarry_pool *pool, struct quarry_pcp *pcp)
{
	bool idle = drain_calls(pcp) == pcp->cold->seen_calls;
	unsigned int k, nr, all;

	all = quarry_pcp_flush_strays(pool, pcp) ? QUARRY_PCP_STRAYS : 0;
	while (all < BITE && !quarry_pcp_fit(pool, pcp))
		all += QUARRY_FLUSH;
	for (k = QUARRY_PCP_ORDERS; k-- && all < BITE;)
		do {
			nr = quarry_pcp_flush_list(pool, pcp, k, drain_spare(pcp, k, idle));
			pcp->cold->part[k].low -= min_t(u32, nr, pcp->cold->part[k].low);
			all += nr;
		} while (nr && all < BITE);
	if (all)
		quarry_count(pool, QUARRY_COUNT_DRAINS);
}

static enum quarry_answer give_spare_there(void *data, int cpu, u64 *sum)
{
	struct quarry_pool *pool = data;
	struct quarry_pcp *pcp = per_cpu_ptr(pool->pcp, cpu);

	if (!quarry_pcp_enter(pcp))
		return pcp->blocked ? QUARRY_VISIT_DONE : QUARRY_VISIT_INSIDE;
	if (pcp->cold)
		give_spare(pool, pcp);
	quarry_pcp_leave(pcp);
	return has_spare(pool, pcp) ? QUARRY_VISIT_MORE : QUARRY_VISIT_DONE;
}

static const struct quarry_visitor spare_visitor = {
	.wanted = holds_spare,
	.visit = give_spare_there,
};

/* Has a CPU nothing on its lists, and asks for nothing? What was called is remembered. */
static bool is_at_rest(struct quarry_pcp *pcp)
{
	u64 was = READ_ONCE(pcp->cold->seen_calls), now = drain_calls(pcp);
	unsigned int k;

	WRITE_ONCE(pcp->cold->seen_calls, now);
	/* A hint, which the CPU may write to as well. */
	for (k = 0; k < QUARRY_PCP_ORDERS; k++)
		WRITE_ONCE(pcp->cold->part[k].low, quarry_list_n(pcp, k));
	return now == was && !quarry_pcp_frames(pcp);
}

/* Returns whether it has to come by again for a pool. */
static bool drain_decay(struct quarry_pool *pool)
{
	struct quarry_pcp *pcp;
	bool again = false;
	u64 sum = 0;
	int cpu;

	quarry_visit(&spare_visitor, pool, QUARRY_BRIEF, &sum);
	for_each_possible_cpu(cpu) {
		pcp = per_cpu_ptr(pool->pcp, cpu);
		if (!quarry_pcp_cold(pcp))
			continue;
		if (!is_at_rest(pcp)) {
			again |= !pcp->blocked;
		} else if (quarry_pcp_is_watched(pcp)) {
			/* Once more all the same: a free may just be under way. */
			quarry_pcp_unwatch(pcp);
			again = true;
		}
	}
	return again;
}

static void decay_all(struct kthread_work *work);

static struct quarry_chore decay_chore = QUARRY_CHORE_INIT(decay_chore, decay_all);

static void decay_all(struct kthread_work *work)
{
	struct quarry_pool *pool = NULL;
	bool again = false;

	quarry_chore_at_work(&decay_chore);
	while ((pool = quarry_pool_look_next(pool))) {
		again |= drain_decay(pool);
		quarry_keeper_rest();
	}
	if (again)
		quarry_decay_wake();
}

/* A CPU's lists are used, and were not watched. Context: any. */
void quarry_decay_wake(void)
{
	quarry_chore_wake(&decay_chore);
}

void quarry_decay_begin(void)
{
	quarry_chore_begin(&decay_chore);
}

/* Before the pools go. */
void quarry_decay_end(void)
{
	quarry_chore_end(&decay_chore);
}
