// SPDX-License-Identifier: GPL-2.0
/*
 * The one place where a cache's figures are put together, as snapshot.c is for pools.
 *
 * What is in slabs is read under each node's lock; what is in magazines of CPUs is
 * read without stopping them and may be a moment old. slab = object + magazine +
 * partial + waste always holds, because objects with clients are what is left.
 *
 * Context: any but interrupts, unless a function says otherwise.
 */
#include <linux/mm.h>
#include <linux/percpu.h>

#include "../base/inject.h"
#include "caches.h"

#define FIGURE(kind, field, NAME, text)	QUARRY_FIGURE(quarry_cache_stats, kind, field)
const struct quarry_figure quarry_cache_figures[] = QUARRY_CACHE_FIGURES(FIGURE);

const unsigned int quarry_nr_cache_figures = ARRAY_SIZE(quarry_cache_figures);

/* The list has every figure: all from slab_bytes on; magazine_capacity stands with its pad. */
static_assert(sizeof(struct quarry_cache_stats) ==
	      offsetof(struct quarry_cache_stats, slab_bytes) +
	      (ARRAY_SIZE(quarry_cache_figures) - QUARRY_NR_CACHE_ERRORS + QUARRY_ERRORS_MAX) *
	      sizeof(u64));

/* Where in the struct stands what is counted where it happens: by enum quarry_cpu_cache_count. */
#define COUNTED(kind, field, NAME, text)	\
	QUARRY_IF_COUNTED(kind, offsetof(struct quarry_cache_stats, field))
static const u16 counted[] = QUARRY_CACHE_FIGURES(COUNTED);

struct sums {
	u64 count[QUARRY_CPU_CACHE_COUNTS];
	u64 allocs;
	u64 frees;
	u64 in_magazines;
	u32 cap;
};

static void caches_sum_cpus(struct quarry_cache *cache, struct sums *s)
{
	unsigned int k;
	int cpu;

	memset(s, 0, sizeof(*s));
	for (k = 0; k < QUARRY_CPU_CACHE_COUNTS; k++)
		s->count[k] = atomic64_read(&cache->count[k]);
	for_each_possible_cpu(cpu) {
		const struct quarry_cpu_cache *m = per_cpu_ptr(cache->cpu_cache, cpu);
		const struct quarry_cpu_cache_cold *cold = READ_ONCE(m->cold);

		for (k = 0; cold && k < QUARRY_CPU_CACHE_COUNTS; k++)
			s->count[k] += local_read(&cold->count[k]);
		s->allocs += READ_ONCE(m->allocs);
		s->frees += READ_ONCE(m->frees);
		rcu_read_lock();
		s->in_magazines += quarry_cpu_cache_n(m) +
				   (cold ? quarry_remote_n(&cold->remote) : 0);
		rcu_read_unlock();
		s->cap = max(s->cap, READ_ONCE(m->cap));
	}
}

/* Objects of one kind of slab: in all, and here. Under the lock. */
static void add_slabs(const struct quarry_slab_list *slabs, struct quarry_cache_stats *st,
		      u64 *nr, u64 *bytes)
{
	const struct quarry_shape *shape = slabs->shape;
	u64 objects = quarry_slab_list_objects(slabs);

	if (!slabs->nr_slabs)
		return;
	st->slabs += slabs->nr_slabs;
	st->slabs_empty += slabs->nr_empty;
	st->slab_bytes += quarry_slab_list_bytes(slabs);
	st->partial_bytes += slabs->nr_free * shape->stride;
	st->waste_bytes += quarry_slab_list_bytes(slabs) - objects * shape->stride;
	*nr += objects - slabs->nr_free;
	*bytes += (objects - slabs->nr_free) * shape->stride;
}

/**
 * quarry_cache_snapshot() - all of a cache in numbers
 * @cache:	the cache
 * @st:		filled but for size and flags
 *
 * Context: any but interrupts.
 */
void quarry_cache_snapshot(struct quarry_cache *cache, struct quarry_cache_stats *st)
{
	u32 size = st->size, flags = st->flags, k;
	struct quarry_cache_node *n = NULL;
	u64 nr = 0, bytes = 0, held;
	unsigned long irq;
	struct sums s;

	memset(st, 0, sizeof(*st));
	st->size = size;
	st->flags = flags;
	strscpy(st->name, cache->name, sizeof(st->name));
	strscpy(st->pool, cache->pool->name, sizeof(st->pool));
	st->id = cache->registered.id;
	st->kind = READ_ONCE(cache->kind);
	st->modes = READ_ONCE(cache->modes);
	st->object_size = cache->shape[0].size;
	st->stride = cache->shape[0].stride;
	st->align = cache->shape[0].align;
	st->order = cache->shape[0].order;
	st->objects_per_slab = cache->shape[0].nr;

	caches_sum_cpus(cache, &s);
	held = s.in_magazines;
	while ((n = quarry_cache_node_next(cache, n))) {
		quarry_node_settle(n);
		quarry_node_lock(n, &irq, false);
		add_slabs(&n->plain, st, &nr, &bytes);
		add_slabs(&n->guarded, st, &nr, &bytes);
		held += n->depot.nr_objects + n->quarantine_n + atomic_read(&n->lost);
		st->metadata_bytes += n->metadata;
		st->grows += n->grows;
		st->shrinks += n->shrinks;
		st->constructed += n->constructed;
		quarry_node_unlock(n, irq);
	}
	held = min(held, nr);
	st->objects_out = nr - held;
	/* Of two strides, in the proportion of the objects. */
	st->magazine_bytes = nr ? mul_u64_u64_div_u64(bytes, held, nr) : 0;
	st->object_bytes = bytes - st->magazine_bytes;
	st->metadata_bytes += atomic64_read(&cache->magazine_bytes);
	st->percpu_bytes = (u64)num_possible_cpus() * sizeof(struct quarry_cpu_cache) +
			   (u64)atomic_read(&cache->nr_cold) * sizeof(struct quarry_cpu_cache_cold);
	st->magazines = atomic_read(&cache->magazines);
	st->magazine_capacity = s.cap;

	for (k = 0; k < ARRAY_SIZE(counted); k++)
		*(u64 *)((void *)st + counted[k]) = s.count[k];
	st->allocs = s.allocs + st->direct_allocs;
	st->frees = s.frees + st->direct_frees;
	for (k = 0; k < QUARRY_NR_CACHE_ERRORS; k++)
		st->errors[k] = atomic64_read(&cache->errors[k]);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_snapshot, QUARRY_NS);

/**
 * quarry_cache_traces() - who has a cache's objects, or freed them last
 * @cache:	the cache
 * @frees:	the latter
 * @traces:	where to
 * @room:	entries that fit
 * @nr:		set to the stacks there are
 * @untraced:	set to the objects out whose owner is not known
 *
 * Context: sleeps. Return: 0 or -ENOMEM.
 */
int quarry_cache_traces(struct quarry_cache *cache, bool frees, struct quarry_trace *traces,
			unsigned int room, unsigned int *nr, u64 *untraced)
{
	struct quarry_cache_stats *st;
	u64 traced;
	int err;

	st = quarry_inject() ? NULL : kzalloc(sizeof(*st), GFP_KERNEL);
	if (!st)
		return -ENOMEM;
	err = quarry_cache_owners(cache, frees, traces, room, nr, &traced);
	if (!err) {
		quarry_cache_snapshot(cache, st);
		*untraced = !frees && st->objects_out > traced ? st->objects_out - traced : 0;
	}
	kfree(st);
	return err;
}

/* One CPU's part. Context: any. */
void quarry_cache_cpu_snapshot(struct quarry_cache *cache, int cpu,
			       struct quarry_cache_cpu *stats)
{
	const struct quarry_cpu_cache *m = per_cpu_ptr(cache->cpu_cache, cpu);
	const struct quarry_cpu_cache_cold *cold = READ_ONCE(m->cold);
	const struct quarry_magazine *loaded, *previous;

	memset(stats, 0, sizeof(*stats));
	/* Magazines are freed by whoever shrinks the cache: look while they stay. */
	rcu_read_lock();
	loaded = READ_ONCE(m->loaded);
	previous = READ_ONCE(m->previous);
	stats->loaded = loaded ? loaded->cap : 0;
	stats->previous = previous ? previous->cap : 0;
	stats->n = quarry_cpu_cache_n(m);
	stats->remote = cold ? quarry_remote_n(&cold->remote) : 0;
	rcu_read_unlock();
	stats->cap = READ_ONCE(m->cap);
	stats->allocs = READ_ONCE(m->allocs);
	stats->frees = READ_ONCE(m->frees);
}

/* One node's slabs. Context: any but interrupts. */
void quarry_cache_fill_snapshot(struct quarry_cache_node *n, struct quarry_cache_fill *fill)
{
	struct quarry_slab_list *kinds[] = { &n->plain, &n->guarded };
	unsigned long flags;
	unsigned int i, k;
	u64 partial;

	memset(fill, 0, sizeof(*fill));
	fill->node = n->node;
	quarry_node_lock(n, &flags, false);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (partial = 0, k = 0; k < QUARRY_SLAB_BUCKETS; k++) {
			fill->partial[k] += kinds[i]->nr_partial[k];
			partial += kinds[i]->nr_partial[k];
		}
		fill->full += kinds[i]->nr_slabs - kinds[i]->nr_empty - partial;
		fill->empty += kinds[i]->nr_empty;
	}
	fill->guarded = n->guarded.nr_slabs;
	fill->depot_full = n->depot.nr_full;
	fill->depot_spare = n->depot.nr_spare;
	fill->depot_objects = n->depot.nr_objects;
	fill->quarantine = n->quarantine_n;
	quarry_node_unlock(n, flags);
}

/* Without a walk over slabs. Context: any but interrupts. */
void quarry_cache_sums_snapshot(struct quarry_cache *cache, struct quarry_cache_sums *sums)
{
	struct quarry_cache_node *n = NULL;
	unsigned long flags;

	memset(sums, 0, sizeof(*sums));
	while ((n = quarry_cache_node_next(cache, n))) {
		quarry_node_lock(n, &flags, false);
		sums->objects += quarry_slab_list_objects(&n->plain) +
				 quarry_slab_list_objects(&n->guarded);
		sums->depot += n->depot.nr_objects;
		quarry_node_unlock(n, flags);
	}
}
