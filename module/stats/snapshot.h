/* SPDX-License-Identifier: GPL-2.0 */
/* What there is to know of a pool, for every interface. See snapshot.c. */
#ifndef QUARRY_SNAPSHOT_H
#define QUARRY_SNAPSHOT_H

#include "../pages/pool.h"
#include "figures.h"

/* Of struct quarry_pool_stats. */
extern const struct quarry_figure quarry_pool_figures[];
extern const unsigned int quarry_nr_pool_figures;

void quarry_pool_orders_snapshot(struct quarry_pool *pool, int node,
				 struct quarry_pool_orders *orders);
unsigned int quarry_pool_map_snapshot(struct quarry_pool *pool, u64 start,
				      struct quarry_map_area *areas, unsigned int room,
				      u64 *total);

/**
 * struct quarry_arena_stats - one arena
 * @id:		its number in the pool
 * @node:	NUMA node, or NUMA_NO_NODE for device memory
 * @kind:	enum quarry_page_arena_kind
 * @frames:	its frames
 * @free:	of these, free in the buddy
 * @largest:	largest free order inside an area or group, -1 if none
 * @metadata_bytes: what describing it costs
 */
struct quarry_arena_stats {
	u32 id;
	int node;
	u8 kind;
	u32 frames;
	u32 free;
	int largest;
	u64 metadata_bytes;
};

unsigned int quarry_pool_arenas_snapshot(struct quarry_pool *pool, u64 start,
					 struct quarry_arena_stats *arenas,
					 unsigned int room);

/**
 * struct quarry_cpu_stats - one order on one CPU
 * @n:		blocks on the list
 * @cap:	most it may hold now
 * @strays:	blocks that wait to go to the zone with others
 * @allocs:	blocks handed out from it
 * @frees:	blocks taken back to it
 */
struct quarry_cpu_stats {
	u32 n;
	u32 cap;
	u32 strays;
	u64 allocs;
	u64 frees;
};

void quarry_pool_cpu_snapshot(struct quarry_pool *pool, int cpu, unsigned int order,
			      struct quarry_cpu_stats *stats);

#endif /* QUARRY_SNAPSHOT_H */
