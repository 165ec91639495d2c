/* SPDX-License-Identifier: GPL-2.0 */
/* What there is to know of a cache, for every interface. See caches.c. */
#ifndef QUARRY_STATS_CACHES_H
#define QUARRY_STATS_CACHES_H

#include "../cache/cache.h"
#include "figures.h"

/* Of struct quarry_cache_stats. */
extern const struct quarry_figure quarry_cache_figures[];
extern const unsigned int quarry_nr_cache_figures;

/**
 * struct quarry_cache_cpu - one CPU's part of a cache
 * @n:		objects in its magazines
 * @remote:	objects of other nodes in one apart
 * @loaded:	slots of the loaded magazine, 0 if there is none
 * @previous:	the same of the previous one
 * @cap:	slots of magazines to come
 * @allocs:	objects handed out from them
 * @frees:	objects taken back to them
 */
struct quarry_cache_cpu {
	u32 n;
	u32 remote;
	u32 loaded;
	u32 previous;
	u32 cap;
	u64 allocs;
	u64 frees;
};

int quarry_cache_traces(struct quarry_cache *cache, bool frees, struct quarry_trace *traces,
			unsigned int room, unsigned int *nr, u64 *untraced);
void quarry_cache_cpu_snapshot(struct quarry_cache *cache, int cpu,
			       struct quarry_cache_cpu *stats);

/**
 * struct quarry_cache_fill - the slabs of one node by how much of them is out
 * @node:	NUMA node
 * @full:	slabs with all out
 * @partial:	slabs by eighths that are out
 * @empty:	slabs with nothing out
 * @depot_full:	magazines with objects in the depot
 * @depot_spare: magazines without
 * @depot_objects: objects in the former
 * @quarantine:	objects in quarantine
 * @guarded:	slabs with room for safety modes, of all of these
 */
struct quarry_cache_fill {
	int node;
	u64 full;
	u64 partial[QUARRY_SLAB_BUCKETS];
	u64 empty;
	u32 depot_full;
	u32 depot_spare;
	u64 depot_objects;
	u32 quarantine;
	u64 guarded;
};

void quarry_cache_fill_snapshot(struct quarry_cache_node *n, struct quarry_cache_fill *fill);

/**
 * struct quarry_cache_sums - what /proc/slabinfo has and struct quarry_cache_stats has not
 * @objects:	objects in all slabs, out or not
 * @depot:	of these, in depots
 */
struct quarry_cache_sums {
	u64 objects;
	u64 depot;
};

void quarry_cache_sums_snapshot(struct quarry_cache *cache, struct quarry_cache_sums *sums);

#endif /* QUARRY_STATS_CACHES_H */
