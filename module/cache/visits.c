// SPDX-License-Identifier: GPL-2.0
/*
 * Visits to the magazines of all CPUs: emptying those that somebody else has a use for.
 *
 * A visit (pages/visit.h) looks from outside which of the caches concerned have magazines
 * on a CPU, and sends it one interrupt for up to BATCH of them. A CPU that has none of these
 * is left alone.
 *
 * Contexts: sleeps. The list of caches must stay.
 * Cost: with interrupts off, the objects of two magazines, or BITE objects.
 */
#include "../pages/visit.h"
#include "cache.h"

/* Caches to one interrupt, and objects after which it is over. */
#define BATCH	16U
#define BITE	256U

/**
 * struct errand - whose magazines are to be emptied
 * @pool:	those of caches in this pool, or NULL for all
 * @only:	that of one cache, or NULL
 * @due:	is it to be emptied?
 * @nr:		length of @cache
 * @cache:	those of the next interrupt
 */
struct errand {
	struct quarry_pool *pool;
	struct quarry_cache *only;
	bool (*due)(const struct quarry_mags *m);
	unsigned int nr;
	struct quarry_cache *cache[BATCH];
};

/* Has the CPU a magazine? Of another CPU a moment old. */
bool quarry_mags_has_any(const struct quarry_mags *m)
{
	return READ_ONCE(m->loaded) || READ_ONCE(m->previous) || quarry_remote_has_any(m);
}

static bool wanted(void *data, int cpu)
{
	struct errand *e = data;
	struct quarry_cache *cache = e->only;

	e->nr = 0;
	if (!cache)
		cache = quarry_cache_next(NULL);
	for (; cache && e->nr < BATCH; cache = e->only ? NULL : quarry_cache_next(cache))
		if ((!e->pool || cache->pool == e->pool) &&
		    e->due(per_cpu_ptr(cache->mags, cpu)))
			e->cache[e->nr++] = cache;
	return e->nr;
}

static enum quarry_answer empty_there(void *data, int cpu, u64 *sum)
{
	struct errand *e = data;
	bool inside = false;
	struct quarry_mags *m;
	u64 nr = 0;
	unsigned int i;

	for (i = 0; i < e->nr && nr < BITE; i++) {
		m = per_cpu_ptr(e->cache[i]->mags, cpu);
		if (quarry_mags_enter(m)) {
			nr += quarry_mags_drain(e->cache[i], m);
			quarry_mags_leave(m);
		} else {
			inside = true;
		}
	}
	*sum += nr;
	if (inside)
		return QUARRY_VISIT_INSIDE;
	return i < e->nr || e->nr == BATCH ? QUARRY_VISIT_MORE : QUARRY_VISIT_DONE;
}

static const struct quarry_visitor emptier = {
	.wanted = wanted,
	.visit = empty_there,
};

/**
 * quarry_mags_drain_cpus() - empty the magazines of all CPUs
 * @pool:	of the caches in this pool, or NULL
 * @only:	of this cache alone, or NULL
 * @patience:	with CPUs that take no interrupts
 *
 * Context: sleeps; unless for ever, for a bounded time. Return: objects given to slabs.
 */
u64 quarry_mags_drain_cpus(struct quarry_pool *pool, struct quarry_cache *only,
			   enum quarry_patience patience)
{
	struct errand e = { .pool = pool, .only = only, .due = quarry_mags_has_any };
	u64 nr = 0;

	quarry_visit(&emptier, &e, patience, &nr);
	return nr;
}

/* Empty the magazines of one CPU, which has stopped. Context: sleeps. */
void quarry_mags_drain_cpu(int cpu)
{
	struct errand e = { .due = quarry_mags_has_any };
	u64 nr = 0;

	quarry_visit_cpu(&emptier, &e, cpu, QUARRY_FOREVER, &nr);
}

static bool is_idle(const struct quarry_mags *m)
{
	return quarry_mags_has_any(m) &&
	       READ_ONCE(m->allocs) + READ_ONCE(m->frees) == m->last_ops;
}

/* Empty magazines that were not used since the reaper last came by. */
void quarry_mags_drain_idle(void)
{
	struct errand e = { .due = is_idle };
	u64 nr = 0;

	quarry_visit(&emptier, &e, QUARRY_BRIEF, &nr);
}

static bool is_shut_off(const struct quarry_mags *m)
{
	return quarry_mags_has_any(m) && (READ_ONCE(quarry_mags_node(m)->depot.shut) ||
					  quarry_remote_beside_shut(m));
}

/*
 * Whoever has looked at a label before it went, and has not acted on it yet, has
 * preemption off: he must be through before the slab goes.
 */
static const struct quarry_visitor finisher = {
	.wanted = wanted,
	.visit = empty_there,
	.between = true,
};

/**
 * quarry_mags_drain_shut() - empty the magazines beside depots that are shut
 * @only:	of this cache alone, or NULL
 * @patience:	with CPUs that take no interrupts
 *
 * For who takes slabs away, see reap.c. Context: sleeps; unless for ever, for a bounded time.
 *
 * Return: false if a CPU was given up.
 */
bool quarry_mags_drain_shut(struct quarry_cache *only, enum quarry_patience patience)
{
	struct errand e = { .only = only, .due = is_shut_off };
	u64 nr = 0;

	return quarry_visit(&finisher, &e, patience, &nr);
}
