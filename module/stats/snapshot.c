// SPDX-License-Identifier: GPL-2.0
/*
 * The one place where a pool's figures are put together. debugfs, the ioctls and
 * the tests all read what is made here, so they cannot disagree.
 *
 * Counters live in the per-CPU structures and in the buddies; they only grow.
 * Gauges are read under each zone's lock, so a zone is consistent in itself; what
 * lies on per-CPU lists is read without stopping the CPUs and may be a moment old.
 * At rest managed = allocated + pcp + free + retired, because allocated is
 * what is left of managed.
 *
 * Context: any but interrupts, unless a function says that it sleeps.
 */
#include <linux/cpumask.h>
#include <linux/percpu.h>

#include "../arena/directory.h"
#include "../pages/pcp.h"
#include "snapshot.h"

/* What the ABI has room for. */
static_assert(QUARRY_NR_ERRORS <= QUARRY_ERRORS_MAX);
static_assert(QUARRY_MAX_ORDER + 1 == QUARRY_NR_ORDERS);

#define FIGURE(kind, field, NAME, text)	QUARRY_FIGURE(quarry_pool_stats, kind, field)
const struct quarry_figure quarry_pool_figures[] = QUARRY_POOL_FIGURES(FIGURE);

const unsigned int quarry_nr_pool_figures = ARRAY_SIZE(quarry_pool_figures);

/* The list has every figure: all that stands behind the head but largest_order and modes. */
static_assert(sizeof(struct quarry_pool_stats) ==
	      offsetof(struct quarry_pool_stats, min_bytes) + 2 * sizeof(u32) +
	      (ARRAY_SIZE(quarry_pool_figures) - QUARRY_NR_ERRORS + QUARRY_ERRORS_MAX) *
	      sizeof(u64));

/* Where in the struct stands what is counted where it happens: by enum quarry_count. */
#define COUNTED(kind, field, NAME, text)	\
	QUARRY_IF_COUNTED(kind, offsetof(struct quarry_pool_stats, field))
static const u16 counted[] = QUARRY_POOL_FIGURES(COUNTED);

/* Sums over all CPUs; of what goes past the lists among @allocs and @frees. */
struct sums {
	u64 count[QUARRY_COUNT_DIRECT_ALLOCS];
	u64 allocs[QUARRY_PCP_ORDERS];
	u64 frees[QUARRY_PCP_ORDERS];
	u64 on_lists[QUARRY_PCP_ORDERS];
	unsigned int open;	/* CPUs whose lists are open */
};

static void add_count(struct sums *s, unsigned int which, u64 nr)
{
	if (which >= QUARRY_COUNT_DIRECT_FREES)
		s->frees[which - QUARRY_COUNT_DIRECT_FREES] += nr;
	else if (which >= QUARRY_COUNT_DIRECT_ALLOCS)
		s->allocs[which - QUARRY_COUNT_DIRECT_ALLOCS] += nr;
	else
		s->count[which] += nr;
}

static void snapshot_sum_cpus(struct quarry_pool *pool, struct sums *s)
{
	struct quarry_cold *cold;
	u64 allocs, frees;
	unsigned int k;
	int cpu;

	memset(s, 0, sizeof(*s));
	for (k = 0; k < QUARRY_NR_COUNTS; k++)
		add_count(s, k, atomic64_read(&pool->stray[k]));
	for_each_possible_cpu(cpu) {
		const struct quarry_pcp *pcp = per_cpu_ptr(pool->pcp, cpu);

		cold = quarry_pcp_cold(pcp);
		if (!cold)
			continue;
		s->open++;
		for (k = 0; k < QUARRY_NR_COUNTS; k++)
			add_count(s, k, local64_read(&cold->count[k]));
		for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
			quarry_list_calls(pcp, k, &allocs, &frees);
			s->allocs[k] += allocs;
			s->frees[k] += frees;
			s->on_lists[k] += quarry_list_n(pcp, k) + quarry_pcp_strays(pcp, k);
		}
	}
}

static void add_zone(struct quarry_zone *z, struct quarry_pool_stats *st, u64 *frames)
{
	unsigned long flags;
	unsigned int k;

	quarry_zone_settle(z);
	quarry_zone_lock(z, &flags);
	*frames += z->buddy.nr_frames - z->nr_kept;
	st->free_bytes += z->buddy.nfree << PAGE_SHIFT;
	st->zero_bytes += z->buddy.nr_zero << PAGE_SHIFT;
	st->retired_bytes += (z->nr_retired + z->nr_kept) << PAGE_SHIFT;
	st->arenas += z->buddy.nr_arenas;
	st->arenas_empty += z->buddy.nr_empty;
	st->areas += z->buddy.nr_areas;
	st->areas_free += z->buddy.nr_whole;
	st->splits += z->buddy.splits;
	st->merges += z->buddy.merges;
	for (k = 0; k <= QUARRY_MAX_ORDER; k++)
		if (z->buddy.blocks[k])
			st->largest_order = max_t(int, st->largest_order, k);
	quarry_zone_unlock(z, flags);
}

/**
 * quarry_pool_snapshot() - all of a pool in numbers
 * @pool:	the pool
 * @st:		filled but for size and flags
 *
 * Context: any but interrupts.
 */
void quarry_pool_snapshot(struct quarry_pool *pool, struct quarry_pool_stats *st)
{
	u32 size = st->size, flags = st->flags;
	struct quarry_zone *z = NULL;
	u64 frames = 0, on_lists = 0;
	struct sums s;
	unsigned int k;

	memset(st, 0, sizeof(*st));
	st->size = size;
	st->flags = flags;
	strscpy(st->name, pool->name, sizeof(st->name));
	st->id = pool->registered.id;
	st->node = pool->node == NUMA_NO_NODE ? QUARRY_ANY_NODE : pool->node;
	st->largest_order = -1;
	st->modes = READ_ONCE(pool->modes);

	snapshot_sum_cpus(pool, &s);
	while ((z = quarry_zone_next(pool, z)))
		add_zone(z, st, &frames);
	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		st->allocs += s.allocs[k];
		st->frees += s.frees[k];
		st->alloc_frames += s.allocs[k] << k;
		st->free_frames += s.frees[k] << k;
		on_lists += s.on_lists[k] << k;
	}
	st->min_bytes = pool->min << PAGE_SHIFT;
	st->max_bytes = pool->max << PAGE_SHIFT;
	st->low_bytes = pool->low << PAGE_SHIFT;
	st->reserve_bytes = pool->reserve << PAGE_SHIFT;
	st->managed_bytes = (frames << PAGE_SHIFT) + st->retired_bytes;
	st->pcp_bytes = min(on_lists << PAGE_SHIFT, (frames << PAGE_SHIFT) - st->free_bytes);
	st->allocated_bytes = (frames << PAGE_SHIFT) - st->free_bytes - st->pcp_bytes;
	st->metadata_bytes = atomic64_read(&pool->metadata);
	st->percpu_bytes = (u64)num_possible_cpus() * sizeof(struct quarry_pcp) +
			   s.open * sizeof(struct quarry_cold);
	st->cache_limit_bytes = (u64)READ_ONCE(pool->list_limit) << PAGE_SHIFT;

	st->allocs += s.count[QUARRY_COUNT_RUN_ALLOCS];
	st->frees += s.count[QUARRY_COUNT_RUN_FREES];
	st->alloc_frames += s.count[QUARRY_COUNT_RUN_ALLOC_FRAMES];
	st->free_frames += s.count[QUARRY_COUNT_RUN_FREE_FRAMES];
	for (k = 0; k < ARRAY_SIZE(counted); k++)
		*(u64 *)((void *)st + counted[k]) = s.count[k];
	for (k = 0; k < QUARRY_NR_ERRORS; k++)
		st->errors[k] = s.count[QUARRY_COUNT_ERRORS + k];
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_snapshot, QUARRY_NS);

/**
 * quarry_pool_orders_snapshot() - a pool's memory by order
 * @pool:	the pool
 * @node:	one node's, or QUARRY_ANY_NODE for all there is
 * @orders:	nr_orders and orders are filled
 *
 * Context: any but interrupts.
 */
void quarry_pool_orders_snapshot(struct quarry_pool *pool, int node,
				 struct quarry_pool_orders *orders)
{
	u64 blocks[QUARRY_MAX_ORDER + 1] = {};
	struct quarry_zone *z = NULL;
	unsigned long flags;
	unsigned int k;
	struct sums s;

	while ((z = quarry_zone_next(pool, z))) {
		if (z->node != node && node != QUARRY_ANY_NODE)
			continue;
		quarry_zone_lock(z, &flags);
		for (k = 0; k <= QUARRY_MAX_ORDER; k++)
			blocks[k] += z->buddy.blocks[k];
		quarry_zone_unlock(z, flags);
	}
	snapshot_sum_cpus(pool, &s);
	orders->nr_orders = QUARRY_NR_ORDERS;
	for (k = 0; k < QUARRY_NR_ORDERS; k++) {
		struct quarry_order_stats *o = &orders->orders[k];

		memset(o, 0, sizeof(*o));
		o->free_blocks = blocks[k];
		o->unusable_milli = quarry_unusable_milli(blocks, k);
		o->extfrag_milli = quarry_extfrag_milli(blocks, k);
		if (k >= QUARRY_PCP_ORDERS)
			continue;
		o->pcp_blocks = s.on_lists[k];
		o->allocs = s.allocs[k];
		o->frees = s.frees[k];
	}
}

static void fill_area(const struct quarry_page_arena *c, u32 i, int node,
		      struct quarry_map_area *m)
{
	const struct quarry_arena *a = &c->arena;
	const struct quarry_bitfield *l = &a->areas[i].bits;
	u32 first = max(i * QUARRY_AREA_FRAMES, a->lo);

	m->arena = c->id;
	m->frames = min((i + 1) * QUARRY_AREA_FRAMES, a->hi) - first;
	m->free = l->nfree;
	m->state = !l->nfree ? QUARRY_AREA_FULL : l->nfree == m->frames ?
		   QUARRY_AREA_FREE : QUARRY_AREA_PARTIAL;
	m->largest = l->nfree ? __fls(l->orders) : 255;
	m->node = node == NUMA_NO_NODE ? 0xffff : node;
	m->flags = 0;
	m->pad = 0;
}

/* Where a walk over areas is, and what it has to fill. */
struct map_walk {
	u64 start;
	u64 at;
	struct quarry_map_area *areas;
	unsigned int room;
	unsigned int n;
};

/*
 * Fill what is wanted of the next arena from *@pfn on, no more than a bite of it; *@pfn is
 * moved behind that. False if there is no arena.
 */
static bool walk_arena(struct quarry_pool *pool, bool device, unsigned long *pfn,
		       struct map_walk *w)
{
	struct quarry_page_arena *c;
	struct quarry_zone *z;
	unsigned long flags;
	u32 i, end;

	c = quarry_pool_arena(pool, device, *pfn, &z, &flags);
	if (!c)
		return false;
	i = (max(*pfn, c->pfn) - c->arena.base) / QUARRY_AREA_FRAMES;
	end = c->arena.nr_areas;
	if (i < end && w->start > w->at) {
		/* What is not wanted is passed by without a look. */
		end = min_t(u64, end, i + (w->start - w->at));
		w->at += end - i;
		i = end;
	} else if (i < end && w->n == w->room) {
		w->at += end - i;
		i = end;
	} else if (i < end) {
		end = min_t(u32, end, i + QUARRY_BITE_AREAS);
		for (; i < end && w->n < w->room; i++, w->at++)
			fill_area(c, i, z->node, &w->areas[w->n++]);
	}
	*pfn = i < c->arena.nr_areas ? c->arena.base + i * (u64)QUARRY_AREA_FRAMES :
				       c->pfn + c->nr;
	quarry_zone_unlock(z, flags);
	return true;
}

/**
 * quarry_pool_map_snapshot() - the state of 2 MiB areas
 * @pool:	the pool
 * @start:	number of the first area wanted, counted through the pool
 * @areas:	where to
 * @room:	areas that fit
 * @total:	set to the areas there are
 *
 * The order is that of addresses, then come the areas of devices. A lock is held for
 * some areas at a time: anybody may ask for the map, as often as they like. Context: sleeps.
 *
 * Return: areas written.
 */
unsigned int quarry_pool_map_snapshot(struct quarry_pool *pool, u64 start,
				      struct quarry_map_area *areas, unsigned int room,
				      u64 *total)
{
	struct map_walk w = { .start = start, .areas = areas, .room = room };
	unsigned long pfn;
	unsigned int device;

	for (device = 0; device < 2; device++)
		for (pfn = 0; walk_arena(pool, device, &pfn, &w);)
			cond_resched();
	*total = w.at;
	return w.n;
}

/*
 * The largest free order of some areas from *@i on, and of a whole arena's groups if that
 * is where they are. Under the zone's lock.
 */
static int largest_of(const struct quarry_arena *a, u32 *i)
{
	u32 end = min_t(u32, a->nr_areas, *i + 8 * QUARRY_BITE_AREAS), k;
	int largest = -1;

	for (k = 0; !*i && k < a->nr_groups; k++)
		if (a->groups[k].bits.nfree)
			largest = max_t(int, largest, QUARRY_AREA_ORDER +
					__fls(a->groups[k].bits.orders));
	/* No area by itself has a larger one. */
	if (largest >= 0)
		*i = end = a->nr_areas;
	for (; *i < end; ++*i)
		if (a->areas[*i].bits.nfree)
			largest = max_t(int, largest, __fls(a->areas[*i].bits.orders));
	return largest;
}

/* The next arena from *@pfn on, in bites; *@pfn is moved behind it. False if there is none. */
static bool next_arena(struct quarry_pool *pool, bool device, unsigned long *pfn,
		       struct quarry_arena_stats *st)
{
	struct quarry_page_arena *c;
	struct quarry_zone *z;
	unsigned long flags;
	int largest = -1;
	u32 i = 0, nr;

	do {
		c = quarry_pool_arena(pool, device, *pfn, &z, &flags);
		if (!c)
			return false;
		if (!i || c->id != st->id) {
			i = 0;
			largest = -1;
		}
		largest = max(largest, largest_of(&c->arena, &i));
		*st = (struct quarry_arena_stats){
			.id = c->id,
			.node = z->node,
			.kind = c->kind,
			.frames = c->nr,
			.free = c->arena.nfree,
			.largest = largest,
			.metadata_bytes = c->metadata_bytes,
		};
		nr = c->arena.nr_areas;
		if (i >= nr)
			*pfn = c->pfn + c->nr;
		quarry_zone_unlock(z, flags);
		cond_resched();
	} while (i < nr);
	return true;
}

/**
 * quarry_pool_arenas_snapshot() - the arenas of a pool
 * @pool:	the pool
 * @start:	number of the first arena wanted, counted through the pool
 * @arenas:	where to
 * @room:	arenas that fit
 *
 * The order is that of addresses, then come those of devices. Context: sleeps.
 *
 * Return: arenas written.
 */
unsigned int quarry_pool_arenas_snapshot(struct quarry_pool *pool, u64 start,
					 struct quarry_arena_stats *arenas,
					 unsigned int room)
{
	struct quarry_arena_stats st;
	unsigned int n = 0, device;
	unsigned long pfn;
	u64 at = 0;

	for (device = 0; device < 2; device++)
		for (pfn = 0; n < room && next_arena(pool, device, &pfn, &st);)
			if (at++ >= start)
				arenas[n++] = st;
	return n;
}

/**
 * quarry_pool_cpu_snapshot() - one order on one CPU
 * @pool:	the pool
 * @cpu:	a possible CPU
 * @order:	0 to quarry_max_order()
 * @stats:	filled
 *
 * Context: any.
 */
void quarry_pool_cpu_snapshot(struct quarry_pool *pool, int cpu, unsigned int order,
			      struct quarry_cpu_stats *stats)
{
	const struct quarry_pcp *pcp = per_cpu_ptr(pool->pcp, cpu);
	struct quarry_cold *cold = quarry_pcp_cold(pcp);
	u64 allocs, frees;

	quarry_list_calls(pcp, order, &allocs, &frees);
	stats->n = quarry_list_n(pcp, order);
	stats->cap = cold ? READ_ONCE(cold->part[order].cap) : 0;
	stats->strays = quarry_pcp_strays(pcp, order);
	stats->allocs = allocs;
	stats->frees = frees;
}
