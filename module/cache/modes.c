// SPDX-License-Identifier: GPL-2.0
/*
 * Switching: safety modes and fault injection of a cache that is in use.
 *
 * Whoever looks for a fault in production cannot load the module anew with other parameters:
 * then the fault is gone. So modes go on and off while objects are out and other CPUs take
 * more.
 *
 * The fast path knows nothing of modes. It is kept out by disabling the magazines of
 * every CPU, by an interrupt there; while they are disabled, all calls come by the slow
 * functions, which look. What goes into a magazine differs with the modes (alloc.c),
 * so they are emptied when the first mode goes on or the last goes off. Objects that
 * are out stay what they are: their slab says whether they are guarded.
 *
 * Contexts: sleeps.
 */
#include <linux/mutex.h>

#include "../base/inject.h"
#include "../pages/visit.h"
#include "cache.h"

static DEFINE_MUTEX(modes_mutex);

/**
 * struct disabling - what is to be done on every CPU
 * @cache:	whose magazines
 * @set:	QUARRY_DISABLED_* to add
 * @clear:	to take away
 */
struct disabling {
	struct quarry_cache *cache;
	u8 set;
	u8 clear;
};

static bool changes_content(const struct disabling *s)
{
	return (s->set | s->clear) & (QUARRY_DISABLED_MODES | QUARRY_DISABLED_DEAD);
}

/* Entered, or of a CPU that is off line. Preemption off. */
static void disable_one(const struct disabling *s, struct quarry_cpu_cache *m)
{
	if (changes_content(s))
		quarry_cpu_cache_drain(s->cache, m);
	m->disabled = (m->disabled | s->set) & ~s->clear;
}

/* Of a CPU where nobody can be inside. */
static void disable_other(const struct disabling *s, int cpu)
{
	struct quarry_cpu_cache *m = per_cpu_ptr(s->cache->cpu_cache, cpu);

	preempt_disable();
	quarry_cpu_cache_close(m);
	disable_one(s, m);
	quarry_cpu_cache_open(m);
	preempt_enable();
}

static bool modes_not_as_wished(void *data, int cpu)
{
	const struct disabling *s = data;
	u8 disabled = READ_ONCE(per_cpu_ptr(s->cache->cpu_cache, cpu)->disabled);

	return ((disabled | s->set) & ~s->clear) != disabled;
}

static enum quarry_answer disable_there(void *data, int cpu, u64 *sum)
{
	const struct disabling *s = data;
	struct quarry_cpu_cache *m = per_cpu_ptr(s->cache->cpu_cache, cpu);

	if (!quarry_cpu_cache_enter(m))
		return QUARRY_VISIT_INSIDE;
	disable_one(s, m);
	quarry_cpu_cache_leave(m);
	return QUARRY_VISIT_DONE;
}

/* Whoever is under way with what he knows of the modes must be through. */
static const struct quarry_visitor disabler = {
	.wanted = modes_not_as_wished,
	.visit = disable_there,
	.between = true,
};

/**
 * quarry_cache_disable() - keep the fast path out of a cache, or let it in again
 * @cache:	the cache
 * @set:	QUARRY_DISABLED_* to add
 * @clear:	QUARRY_DISABLED_* to take away
 *
 * Context: sleeps.
 */
void quarry_cache_disable(struct quarry_cache *cache, u8 set, u8 clear)
{
	struct disabling s = { cache, set, clear };
	u64 unused = 0;

	quarry_visit(&disabler, &s, QUARRY_FOREVER, &unused);
}

/**
 * quarry_cache_disable_dead() - the same for good: nobody uses the cache any more
 * @cache:	the cache
 *
 * Only CPUs that have magazines of it are visited. Others see the reason before they
 * open one: their next call sets theirs, then looks here; we set this, then look for
 * magazines there. Context: sleeps.
 */
void quarry_cache_disable_dead(struct quarry_cache *cache)
{
	struct quarry_cpu_cache *m;
	int cpu;

	for_each_possible_cpu(cpu) {
		m = per_cpu_ptr(cache->cpu_cache, cpu);
		WRITE_ONCE(m->disabled, m->disabled | QUARRY_DISABLED_DEAD);
	}
	/* Pairs with that of install(), magazines.c. */
	smp_mb();
	quarry_cpu_cache_drain_cpus(&cache, 1, QUARRY_FOREVER);
}

/* The same for good, at unload, when nobody is left who could be inside on any CPU. */
void quarry_cache_disable_all(struct quarry_cache *cache)
{
	struct disabling s = { cache, QUARRY_DISABLED_DEAD, 0 };
	int cpu;

	for_each_possible_cpu(cpu)
		disable_other(&s, cpu);
}

static int modes_check(const struct quarry_cache *cache, u32 modes)
{
	if (modes & ~QUARRY_MODES)
		return -EINVAL;
	if (modes & QUARRY_MODE_POISON &&
	    (cache->ctor || cache->flags & SLAB_TYPESAFE_BY_RCU))
		return -EINVAL;
	if (modes && !cache->shape[1].nr)
		return -E2BIG;
	return 0;
}

/* A ring for objects that wait, which stays. */
static int make_quarantine(struct quarry_cache_node *n)
{
	unsigned long flags;
	void **ring;

	if (n->quarantine)
		return 0;
	ring = quarry_inject() ? NULL :
	       kcalloc_node(QUARRY_QUARANTINE, sizeof(*ring), GFP_KERNEL,
			    node_online(n->node) ? n->node : NUMA_NO_NODE);
	if (!ring)
		return -ENOMEM;
	quarry_node_lock(n, &flags, false);
	n->quarantine = ring;
	quarry_node_unlock(n, flags);
	return 0;
}

/* What guarded slabs need before the first of them is made. */
static int modes_prepare(struct quarry_cache *cache, u32 modes)
{
	struct quarry_cache_node *n = NULL;
	int err = 0;

	if (modes & QUARRY_MODE_OWNER)
		err = stack_depot_init();
	while (!err && modes && (n = quarry_cache_node_next(cache, n))) {
		if (!n->tag[1])
			err = quarry_tag_get(n, 1);
		if (!err && modes & QUARRY_MODE_QUARANTINE)
			err = make_quarantine(n);
	}
	return err;
}

/**
 * quarry_cache_set_modes() - switch the safety modes of a cache
 * @cache:	the cache, in use or not
 * @modes:	the QUARRY_MODE_* that are to be on; all others go off
 *
 * Objects that are out when the first mode goes on are not guarded; the next ones are.
 * Context: sleeps.
 *
 * Return: 0; -EINVAL for an unknown mode, or for POISON where a constructor or
 * SLAB_TYPESAFE_BY_RCU forbids it; -E2BIG if no block holds an object and its
 * redzones; -ENOSPC or -ENOMEM. Then nothing has changed.
 */
int quarry_cache_set_modes(struct quarry_cache *cache, unsigned int modes)
{
	struct quarry_cache_node *n = NULL;
	u32 before;
	int err;

	err = modes_check(cache, modes);
	if (err)
		return err;
	mutex_lock(&modes_mutex);
	err = modes_prepare(cache, modes);
	if (err) {
		mutex_unlock(&modes_mutex);
		return err;
	}
	before = cache->modes;
	WRITE_ONCE(cache->modes, modes);
	if (!before != !modes) {
		quarry_cache_disable(cache, modes ? QUARRY_DISABLED_MODES : 0,
				     modes ? 0 : QUARRY_DISABLED_MODES);
		while ((n = quarry_cache_node_next(cache, n)))
			quarry_depot_drain(n, 0);
	}
	n = NULL;
	while (!(modes & QUARRY_MODE_QUARANTINE) && (n = quarry_cache_node_next(cache, n)))
		quarry_guard_release(n);
	mutex_unlock(&modes_mutex);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_set_modes, QUARRY_NS);

/**
 * quarry_cache_modes() - the safety modes that are on
 * @cache:	the cache
 *
 * Context: any. Return: QUARRY_MODE_*.
 */
unsigned int quarry_cache_modes(const struct quarry_cache *cache)
{
	return READ_ONCE(cache->modes);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_modes, QUARRY_NS);

/**
 * quarry_cache_inject() - let allocations from a cache fail
 * @cache:	the cache
 * @nth:	the n-th from now, once; 0: none, ~0: as it was
 * @per_million: so many of a million, at random; ~0: as it was
 *
 * Allocations with __GFP_NOFAIL do not fail. Context: sleeps. Return: 0 or -EINVAL.
 */
int quarry_cache_inject(struct quarry_cache *cache, u64 nth, u32 per_million)
{
	int err = quarry_injection_set(&cache->injection, nth, per_million);
	bool armed = quarry_injection_armed(&cache->injection);

	if (!err)
		quarry_cache_disable(cache, armed ? QUARRY_DISABLED_INJECT : 0,
				     armed ? 0 : QUARRY_DISABLED_INJECT);
	return err;
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_inject, QUARRY_NS);
