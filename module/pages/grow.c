// SPDX-License-Identifier: GPL-2.0
/*
 * Growing: chunks from the kernel into a pool's zones.
 *
 * A pool grows by one chunk of the kernel's largest order at a time, or of the
 * largest that the kernel still has and the cap leaves room for. It grows on
 * demand, in an allocation that may sleep, and in the background, when a refill
 * has left less free than the low watermark.
 *
 * The room is taken from the cap before the kernel is asked and returned if it
 * refuses: the cap holds at all times, without a lock over the request, which may
 * reclaim and come back to us through the shrinker.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "../arena/directory.h"
#include "../debug/inject.h"
#include "pcp.h"

struct workqueue_struct *quarry_workqueue;

int __init quarry_workqueue_init(void)
{
	quarry_workqueue = quarry_inject() ? NULL :
		alloc_workqueue("quarry", WQ_MEM_RECLAIM, 0);
	return quarry_workqueue ? 0 : -ENOMEM;
}

void quarry_workqueue_exit(void)
{
	destroy_workqueue(quarry_workqueue);
}

/* Take @nr frames of room below @limit, or none. */
static bool take_room(struct quarry_pool *pool, u64 nr, u64 limit)
{
	s64 managed = atomic64_read(&pool->managed);

	do {
		if (managed + nr > limit)
			return false;
	} while (!atomic64_try_cmpxchg(&pool->managed, &managed, managed + nr));
	return true;
}

/**
 * quarry_zone_add() - put a chunk into service
 * @z:	the zone
 * @c:	a chunk that belongs to nobody; its frames are counted as managed already
 *
 * Context: sleeps. Return: 0, or what quarry_directory_insert() says.
 */
int quarry_zone_add(struct quarry_zone *z, struct quarry_chunk *c)
{
	unsigned long flags;
	int err = 0;

	c->id = atomic_inc_return(&z->pool->next_chunk) - 1;
	if (c->kind != QUARRY_CHUNK_DEVICE)
		err = quarry_inject() ? -ENOMEM : quarry_directory_insert(c);
	if (err)
		return err;
	atomic64_add(c->metadata_bytes, &z->pool->metadata);
	if (c->kind == QUARRY_CHUNK_KERNEL)
		atomic64_add(c->nr, &z->pool->held);
	/* Known before it is used: a block may be freed as soon as it is claimed. */
	quarry_directory_serve(c, &z->buddy);
	raw_spin_lock_irqsave(&z->lock, flags);
	quarry_buddy_add(&z->buddy, &c->arena, c->zero);
	raw_spin_unlock_irqrestore(&z->lock, flags);
	return 0;
}

static bool grow_by(struct quarry_pool *pool, int node, gfp_t gfp, unsigned int order,
		    u64 limit)
{
	struct quarry_chunk *c;
	bool grown = false;

	atomic_inc(&pool->growing);
	if (take_room(pool, 1ULL << order, limit)) {
		c = quarry_chunk_take(node, gfp, order);
		grown = c && !quarry_zone_add(pool->zone[quarry_chunk_node(c)], c);
		if (grown) {
			atomic_inc(&pool->arrivals);
			quarry_count(pool, QUARRY_COUNT_GROWS);
		} else {
			atomic64_sub(1ULL << order, &pool->managed);
		}
		if (c && !grown)
			quarry_chunk_give(c);
	}
	if (atomic_dec_and_test(&pool->growing))
		wake_up_all(&pool->freed);
	return grown;
}

/**
 * quarry_pool_await_growth() - let others finish taking chunks
 * @pool:	the pool
 * @seen:	@pool's arrivals before the caller last looked for a block
 *
 * A chunk on its way has taken its room under the cap, but has no block to claim
 * yet. Whoever may sleep waits for it before saying that there is nothing.
 *
 * Context: sleeps. Return: true if it is worth looking again.
 */
bool quarry_pool_await_growth(struct quarry_pool *pool, int seen)
{
	bool coming = atomic_read(&pool->growing);

	if (coming)
		wait_event_timeout(pool->freed, !atomic_read(&pool->growing), HZ);
	return coming || atomic_read(&pool->arrivals) != seen;
}

/**
 * quarry_pool_grow() - take one more chunk from the kernel
 * @pool:	the pool
 * @node:	preferred node, or NUMA_NO_NODE
 * @gfp:	the allocation's flags, for what they say of waiting
 * @order:	the chunk must serve this order
 * @limit:	managed frames after growing; the cap holds besides
 *
 * Context: sleeps; may be called with __GFP_FS or __GFP_IO off.
 *
 * Return: true if the pool has grown.
 */
bool quarry_pool_grow(struct quarry_pool *pool, int node, gfp_t gfp,
		      unsigned int order, u64 limit)
{
	gfp_t take = (gfp & (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_THISNODE)) |
		     pool->zone_gfp | __GFP_NOWARN | __GFP_NOMEMALLOC;
	u64 managed = atomic64_read(&pool->managed), room;
	unsigned int least, k;

	limit = min(limit, pool->max);
	if (READ_ONCE(pool->dying) || managed >= limit)
		return false;
	if (pool->node != NUMA_NO_NODE) {
		node = pool->node;
		take |= __GFP_THISNODE;
	}
	room = limit - managed;
	/* Below the least order, only to fill a remainder that is smaller. */
	least = max(order, min_t(unsigned int, QUARRY_CHUNK_MIN_ORDER, ilog2(room)));
	for (k = QUARRY_KERNEL_ORDER; k > least; k--)
		if (1ULL << k <= room && grow_by(pool, node, take | __GFP_NORETRY, k, limit))
			return true;
	if (1ULL << least > room)
		return false;
	if (grow_by(pool, node, take | __GFP_RETRY_MAYFAIL, least, limit))
		return true;
	quarry_count(pool, QUARRY_COUNT_GROW_FAILURES);
	return false;
}

/**
 * quarry_pool_kick() - wake the background if the pool is below its watermark
 * @pool:	the pool
 * @z:		the zone that memory was just taken from
 *
 * Context: any, NMI and marked sections included.
 */
void quarry_pool_kick(struct quarry_pool *pool, const struct quarry_zone *z)
{
	if (READ_ONCE(z->buddy.nfree) < pool->low && !READ_ONCE(pool->dying) &&
	    atomic64_read(&pool->managed) < pool->max)
		irq_work_queue(&pool->grow_irq);
}

void quarry_grow_irq(struct irq_work *irq)
{
	struct quarry_pool *pool = container_of(irq, struct quarry_pool, grow_irq);

	/* Not ours: growing may reclaim, and reclaim may wait for our queue. */
	queue_work(system_unbound_wq, &pool->grow_work);
}

/* Grow until the low watermark is met, where the least is free. */
void quarry_grow_work(struct work_struct *work)
{
	struct quarry_pool *pool = container_of(work, struct quarry_pool, grow_work);
	struct quarry_zone *z = NULL, *poorest;

	while (quarry_pool_nfree(pool) < pool->low) {
		poorest = NULL;
		while ((z = quarry_zone_next(pool, z)))
			if (z->node != NUMA_NO_NODE && node_state(z->node, N_MEMORY) &&
			    (!poorest || z->buddy.nfree < poorest->buddy.nfree))
				poorest = z;
		if (!poorest || !quarry_pool_grow(pool, poorest->node, GFP_KERNEL, 0, U64_MAX))
			break;
		quarry_count(pool, QUARRY_COUNT_GROWS_BACKGROUND);
		cond_resched();
	}
}
