// SPDX-License-Identifier: GPL-2.0
/*
 * cache.* and malloc.*: what an object costs, in pairs, in batches, in bulk, freed in
 * another order than it came; with safety modes; of mixed sizes and lifetimes.
 *
 * Every workload starts with a fresh cache in fresh memory, so that one can be run
 * alone and gives the same figures. malloc has the same caches all along, on either
 * side.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include <linux/quarry_cache.h>

#include "count.h"
#include "draws.h"

#define POOL_BYTES	SZ_64M
#define GROUP_MAX	1000
#define MIX_SLOTS	4096		/* of malloc.mixed: that many are out */
#define MIX_STEPS	8192

static void **slots, **shuffled;
static u16 order_of_free[GROUP_MAX];
static struct bench_draw *draws;

static u64 run_pair(const struct bench_workload *w, const struct bench_arm *arm,
		    unsigned int n)
{
	return arm->pair(0, n);
}

static u64 run_batch(const struct bench_workload *w, const struct bench_arm *arm,
		     unsigned int n)
{
	return arm->batch(0, slots, w->group, n);
}

static u64 run_bulk(const struct bench_workload *w, const struct bench_arm *arm,
		    unsigned int n)
{
	return arm->bulk(0, slots, w->group, n);
}

static u64 run_shuffle(const struct bench_workload *w, const struct bench_arm *arm,
		       unsigned int n)
{
	u64 time, sum = 0;
	unsigned int i;

	while (n--) {
		time = arm->fill(0, slots, w->group);
		if (time == BENCH_FAILED)
			return time;
		for (i = 0; i < w->group; i++)
			shuffled[i] = slots[order_of_free[i]];
		sum += time + arm->empty(0, shuffled, w->group);
	}
	return sum;
}

/* Slots of a mix, for each arm its own: they are full from batch to batch. */
static void **slots_of(const struct bench_arm *arm)
{
	return slots + (arm == &bench_malloc ? 0 : MIX_SLOTS);
}

static u64 run_mixed(const struct bench_workload *w, const struct bench_arm *arm,
		     unsigned int n)
{
	u64 time, sum = 0;

	while (n--) {
		time = arm->mixed(draws, slots_of(arm), MIX_STEPS);
		if (time == BENCH_FAILED)
			return time;
		sum += time;
	}
	return sum;
}

static int prepare_mixed(const struct bench_workload *w, const struct bench_arm *arm)
{
	memset(slots_of(arm), 0, MIX_SLOTS * sizeof(*slots));
	return 0;
}

static void finish_mixed(const struct bench_workload *w, const struct bench_arm *arm)
{
	unsigned int i;

	for (i = 0; i < MIX_SLOTS; i++)
		arm->put(slots_of(arm)[i], 0);
}

static int prepare_modes(const struct bench_workload *w, const struct bench_arm *arm)
{
	return bench_cache_modes(w->modes);
}

static const struct bench_arm *const quarry_alone[] = { &bench_cache, NULL };

#define CACHE .arms = bench_cache_arms, .bytes = POOL_BYTES

#define PAIR(bytes_of)								\
	{ .name = "cache.pair." #bytes_of, CACHE, .run = run_pair,		\
	  .size = bytes_of, .per_unit = 1, .units_max = 10000 }

#define GROUP(kind, n)								\
	{ .name = "cache." #kind #n ".256", CACHE, .run = run_ ## kind,		\
	  .size = 256, .group = n, .per_unit = n, .units_max = 20000 / n }

/* A pair of 256 bytes with safety modes on. */
#define MODES(kind, bits)							\
	{ .name = "cache.mode." #kind, .arms = quarry_alone, .run = run_pair,	\
	  .prepare = prepare_modes, .modes = bits, .bytes = POOL_BYTES,		\
	  .size = 256, .per_unit = 1, .units_max = 10000 }

static const struct bench_workload workloads[] = {
	PAIR(32), PAIR(256), PAIR(1024), PAIR(4096),
	GROUP(batch, 100), GROUP(batch, 1000), GROUP(shuffle, 1000),
	GROUP(bulk, 16), GROUP(bulk, 250),
	{ .name = "malloc.pair.64", .arms = bench_malloc_arms, .run = run_pair,
	  .size = BENCH_MALLOC, .per_unit = 1, .units_max = 10000 },
	{ .name = "malloc.mixed", .arms = bench_malloc_arms, .run = run_mixed,
	  .prepare = prepare_mixed, .finish = finish_mixed, .per_unit = MIX_STEPS,
	  .units_max = 1 },
};

/* Each alone, and all. */
#define MODE(NAME, word, text)	MODES(word, QUARRY_MODE_##NAME),
static const struct bench_workload of_modes[] = QUARRY_CACHE_MODE_LIST(MODE,
	MODES(all, QUARRY_MODES),
);

/* The order is drawn once, for all arms and all batches. */
static void draw_order(void)
{
	struct rnd_state dice;
	unsigned int i, j;

	prandom_seed_state(&dice, 42);
	for (i = 0; i < GROUP_MAX; i++) {
		j = prandom_u32_state(&dice) % (i + 1);
		order_of_free[i] = order_of_free[j];
		order_of_free[j] = i;
	}
}

int bench_objects(void)
{
	int err = -ENOMEM;

	draw_order();
	slots = kvmalloc_array(2 * MIX_SLOTS, sizeof(*slots), GFP_KERNEL);
	shuffled = kvmalloc_array(GROUP_MAX, sizeof(*shuffled), GFP_KERNEL);
	draws = kvmalloc_array(MIX_STEPS, sizeof(*draws), GFP_KERNEL);
	if (slots && shuffled && draws) {
		bench_draw_sizes(draws, MIX_STEPS, MIX_SLOTS);
		err = bench_count(workloads, ARRAY_SIZE(workloads)) ?:
		      bench_count(of_modes, ARRAY_SIZE(of_modes));
	}
	kvfree(draws);
	kvfree(shuffled);
	kvfree(slots);
	return err;
}
