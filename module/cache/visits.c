// SPDX-License-Identifier: GPL-2.0
/*
 * Visits to the magazines of all CPUs: emptying those that somebody else has a use for.
 *
 * A visit (pages/visit.h) looks from outside which of the caches concerned have magazines
 * on a CPU, and sends it one interrupt for up to QUARRY_ROUND of them. A CPU that has none of these
 * is left alone. It looks at each cache once a CPU; one that fills its magazines
 * again meanwhile has been emptied as well as can be.
 *
 * Contexts: sleeps. The caches are looked at, or stay, and are in the same list.
 * Cost: with interrupts off, BITE objects, or those of one cache's magazines.
 */
#include "../pages/visit.h"
#include "cache.h"

/* Objects after which an interrupt is over. */
#define BITE	256U

/**
 * struct errand - whose magazines are to be emptied
 * @caches:	of these caches
 * @nr_caches:	length of @caches
 * @list:	or of the caches in this list, through @parting
 * @due:	is it to be emptied?
 * @cpu:	where
 * @at:		of the list, caches up to this one have been looked at there
 * @next:	of @caches, the next to be looked at
 * @end:	all have
 * @nr:		length of @cache
 * @cache:	those of the next interrupt; it leaves what it has not done
 */
struct errand {
	struct quarry_cache *const *caches;
	unsigned int nr_caches;
	struct list_head *list;
	bool (*due)(const struct quarry_cpu_cache *m);
	int cpu;
	struct quarry_cache *at;
	unsigned int next;
	bool end;
	unsigned int nr;
	struct quarry_cache *cache[QUARRY_ROUND];
};

/* Has the CPU a magazine? Of another CPU a moment old. */
bool quarry_cpu_cache_has_any(const struct quarry_cpu_cache *m)
{
	return READ_ONCE(m->loaded) || READ_ONCE(m->previous) || quarry_remote_has_any(m);
}

/* The next cache of an errand; NULL at the end. */
static struct quarry_cache *next_of(struct errand *e)
{
	struct list_head *next;

	if (!e->list)
		return e->next < e->nr_caches ? e->caches[e->next++] : NULL;
	next = e->at ? e->at->parting.next : e->list->next;
	return next == e->list ? NULL : list_entry(next, struct quarry_cache, parting);
}

static bool visits_is_due(const struct errand *e, struct quarry_cache *cache)
{
	return e->due(per_cpu_ptr(cache->cpu_cache, e->cpu));
}

/* Each cache is looked at once a CPU, and those of the last interrupt again. */
static bool visits_wanted(void *data, int cpu)
{
	struct errand *e = data;
	unsigned int i, nr = 0;

	if (e->cpu != cpu) {
		e->cpu = cpu;
		e->at = NULL;
		e->next = 0;
		e->end = false;
		e->nr = 0;
	}
	for (i = 0; i < e->nr; i++)
		if (visits_is_due(e, e->cache[i]))
			e->cache[nr++] = e->cache[i];
	while (nr < QUARRY_ROUND && !e->end) {
		e->at = next_of(e);
		if (!e->at)
			e->end = true;
		else if (visits_is_due(e, e->at))
			e->cache[nr++] = e->at;
	}
	e->nr = nr;
	return nr;
}

static enum quarry_answer empty_there(void *data, int cpu, u64 *sum)
{
	struct errand *e = data;
	unsigned int i, left = 0;
	bool inside = false;
	struct quarry_cpu_cache *m;
	u64 nr = 0;

	for (i = 0; i < e->nr; i++) {
		m = per_cpu_ptr(e->cache[i]->cpu_cache, cpu);
		if (nr && nr + quarry_cpu_cache_n(m) > BITE) {
			e->cache[left++] = e->cache[i];
		} else if (quarry_cpu_cache_enter(m)) {
			nr += quarry_cpu_cache_drain(e->cache[i], m);
			quarry_cpu_cache_leave(m);
		} else {
			inside = true;
			e->cache[left++] = e->cache[i];
		}
	}
	e->nr = left;
	*sum += nr;
	if (inside)
		return QUARRY_VISIT_INSIDE;
	return left || !e->end ? QUARRY_VISIT_MORE : QUARRY_VISIT_DONE;
}

static const struct quarry_visitor emptier = {
	.wanted = visits_wanted,
	.visit = empty_there,
};

static struct errand errand_for(struct quarry_cache *const *caches, unsigned int nr_caches,
				bool (*due)(const struct quarry_cpu_cache *m))
{
	return (struct errand){ .caches = caches, .nr_caches = nr_caches, .due = due, .cpu = -1 };
}

/**
 * quarry_cpu_cache_drain_cpus() - empty the magazines of all CPUs
 * @caches:	of these caches
 * @nr_caches:	how many
 * @patience:	with CPUs that take no interrupts
 *
 * Context: sleeps; unless for ever, for a bounded time. Return: objects given to slabs.
 */
u64 quarry_cpu_cache_drain_cpus(struct quarry_cache *const *caches, unsigned int nr_caches,
				enum quarry_patience patience)
{
	struct errand e = errand_for(caches, nr_caches, quarry_cpu_cache_has_any);
	u64 nr = 0;

	quarry_visit(&emptier, &e, patience, &nr);
	return nr;
}

/* The same of one CPU, which has stopped. Context: sleeps. */
void quarry_cpu_cache_drain_cpu(struct quarry_cache *const *caches, unsigned int nr_caches, int cpu)
{
	struct errand e = errand_for(caches, nr_caches, quarry_cpu_cache_has_any);
	u64 nr = 0;

	quarry_visit_cpu(&emptier, &e, cpu, QUARRY_FOREVER, &nr);
}

static bool is_idle(const struct quarry_cpu_cache *m)
{
	return quarry_cpu_cache_has_any(m) &&
	       READ_ONCE(m->allocs) + READ_ONCE(m->frees) == m->last_ops;
}

/* Empty magazines that were not used since the reaper last came by. */
void quarry_cpu_cache_drain_idle(struct quarry_cache *const *caches, unsigned int nr_caches)
{
	struct errand e = errand_for(caches, nr_caches, is_idle);
	u64 nr = 0;

	quarry_visit(&emptier, &e, QUARRY_BRIEF, &nr);
}

/**
 * quarry_cpu_cache_drain_parting() - empty the magazines of some caches
 * @caches:	which, through @parting
 * @patience:	with CPUs that take no interrupts
 *
 * Context: sleeps; unless for ever, for a bounded time. Return: false if a CPU was given up.
 */
bool quarry_cpu_cache_drain_parting(struct list_head *caches, enum quarry_patience patience)
{
	struct errand e = { .list = caches, .due = quarry_cpu_cache_has_any, .cpu = -1 };
	u64 nr = 0;

	return quarry_visit(&emptier, &e, patience, &nr);
}

static bool is_beside_disabled(const struct quarry_cpu_cache *m)
{
	if (!quarry_cpu_cache_has_any(m))
		return false;
	return READ_ONCE(quarry_cpu_cache_node(m)->depot.disabled) ||
	       quarry_remote_beside_disabled(m);
}

/*
 * Whoever has looked at a label before it went, and has not acted on it yet, has
 * preemption off: he must be through before the slab goes.
 */
static const struct quarry_visitor finisher = {
	.wanted = visits_wanted,
	.visit = empty_there,
	.between = true,
};

/**
 * quarry_cpu_cache_drain_disabled() - empty the magazines beside depots that are disabled
 * @caches:	in which such depots are, through @parting
 * @patience:	with CPUs that take no interrupts
 *
 * For who takes slabs away, see reap.c. Context: sleeps; unless for ever, for a bounded time.
 *
 * Return: false if a CPU was given up.
 */
bool quarry_cpu_cache_drain_disabled(struct list_head *caches, enum quarry_patience patience)
{
	struct errand e = { .list = caches, .due = is_beside_disabled, .cpu = -1 };
	u64 nr = 0;

	return quarry_visit(&finisher, &e, patience, &nr);
}

/* Has a CPU of one cache what quarry_cpu_cache_drain_disabled() is after? As there. */
bool quarry_cpu_cache_is_disabled(struct quarry_cache *cache)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (is_beside_disabled(per_cpu_ptr(cache->cpu_cache, cpu)))
			return true;
	return false;
}
