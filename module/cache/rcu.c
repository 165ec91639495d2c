// SPDX-License-Identifier: GPL-2.0
/*
 * Frees after a grace period.
 *
 * kfree_rcu() hides the offset of the head in the place of a function and gives the
 * object to kfree(), so it cannot take ours. Here the callback is a real function: it
 * finds the object that the head lies in, which any slab can tell of any address. So
 * nothing is allocated, and nothing is hidden.
 *
 * Who destroys a cache waits for its objects that are on their way. What has begun and
 * what is done is counted, so that nobody waits for a grace period for nothing.
 *
 * Contexts: any but NMI, unless a function says otherwise.
 */
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>

#include "cache.h"

/**
 * quarry_object_start() - the object that an address lies in
 * @address:	any
 *
 * Context: any. Return: where it begins, or NULL.
 */
void *quarry_object_start(const void *address)
{
	struct quarry_page_slab *s;
	void *start = NULL;
	u32 i;

	preempt_disable();
	s = quarry_page_slab_of(address);
	if (s && quarry_slab_look(&s->slab, address, &i) != QUARRY_SLAB_OUTSIDE)
		start = (void *)(s->slab.first +
				 (unsigned long)i * quarry_slab_shape(&s->slab)->stride);
	preempt_enable();
	return start;
}

/* Frees, ever. */
static DEFINE_PER_CPU(u64, begun);
static DEFINE_PER_CPU(u64, done);

static u64 rcu_sum(const u64 __percpu *count)
{
	u64 n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(*per_cpu_ptr(count, cpu));
	return n;
}

static void free_rcu(struct rcu_head *head)
{
	quarry_free(quarry_object_start(head) ?: quarry_large_start(head) ?: (void *)head);
	/* Pairs with that in quarry_free_rcu_wait(). */
	smp_wmb();
	this_cpu_inc(done);
}

/*
 * Wait for the objects whose free has begun; others may begin and end meanwhile.
 * Context: sleeps.
 */
void quarry_free_rcu_wait(void)
{
	u64 were_done = rcu_sum(&done);

	/* In this order one that is on its way is never taken for done. */
	smp_rmb();
	if (rcu_sum(&begun) != were_done)
		rcu_barrier();
}

/**
 * quarry_free_rcu_head() - free an object after a grace period
 * @head:	in the object, which is of a cache or of quarry_malloc()
 *
 * Use quarry_free_rcu(). Context: any but NMI.
 */
void quarry_free_rcu_head(struct rcu_head *head)
{
	this_cpu_inc(begun);
	call_rcu(head, free_rcu);
}
EXPORT_SYMBOL_NS_GPL(quarry_free_rcu_head, QUARRY_NS);

/**
 * quarry_free_mightsleep() - wait for a grace period and free an object
 * @object:	of a cache or of quarry_malloc(), or NULL
 *
 * Context: sleeps.
 */
void quarry_free_mightsleep(const void *object)
{
	if (!object)
		return;
	synchronize_rcu();
	quarry_free(object);
}
EXPORT_SYMBOL_NS_GPL(quarry_free_mightsleep, QUARRY_NS);
