// SPDX-License-Identifier: GPL-2.0
/* quarryctl stat: every gauge and counter of a pool, once. */
#include <string.h>

#include "stat.h"

enum { POOL, ID, NODE, LARGEST_ORDER, NR_SPECIAL };

/* Columns are named as the fields of struct quarry_pool_stats are. */
#define SIZE(field, title) \
	{ { .name = title, .kind = K_SIZE }, offsetof(struct quarry_pool_stats, field) }
#define COUNT(field, title) \
	{ { .name = title, .kind = K_COUNT }, offsetof(struct quarry_pool_stats, field) }
#define ERROR(what) \
	{ { .name = "ERR_" #what, .kind = K_COUNT }, \
	  offsetof(struct quarry_pool_stats, errors) + \
	  QUARRY_ERR_##what * sizeof(__u64) }

static const struct {
	struct column column;
	size_t offset;
} fields[] = {
	[POOL]		= { { .name = "POOL" }, 0 },
	[ID]		= { { .name = "ID", .kind = K_NUMBER }, 0 },
	[NODE]		= { { .name = "NODE", .kind = K_NUMBER }, 0 },
	[LARGEST_ORDER]	= { { .name = "LARGEST_ORDER", .kind = K_NUMBER }, 0 },
	SIZE(min_bytes, "MIN"),
	SIZE(max_bytes, "MAX"),
	SIZE(reserve_bytes, "RESERVE"),
	SIZE(low_bytes, "LOW"),
	SIZE(managed_bytes, "MANAGED"),
	SIZE(allocated_bytes, "ALLOCATED"),
	SIZE(cached_bytes, "CACHED"),
	SIZE(free_bytes, "FREE"),
	SIZE(quarantined_bytes, "QUARANTINED"),
	SIZE(zero_bytes, "ZERO"),
	SIZE(metadata_bytes, "METADATA"),
	SIZE(percpu_bytes, "PERCPU"),
	SIZE(cache_limit_bytes, "CACHE_LIMIT"),
	COUNT(arenas, "ARENAS"),
	COUNT(arenas_empty, "ARENAS_EMPTY"),
	COUNT(areas, "AREAS"),
	COUNT(areas_free, "AREAS_FREE"),
	COUNT(allocs, "ALLOCS"),
	COUNT(frees, "FREES"),
	COUNT(alloc_frames, "ALLOC_FRAMES"),
	COUNT(free_frames, "FREE_FRAMES"),
	COUNT(slow_allocs, "SLOW_ALLOCS"),
	COUNT(slow_frees, "SLOW_FREES"),
	COUNT(refills, "REFILLS"),
	COUNT(flushes, "FLUSHES"),
	COUNT(drains, "DRAINS"),
	COUNT(splits, "SPLITS"),
	COUNT(merges, "MERGES"),
	COUNT(grows, "GROWS"),
	COUNT(grows_background, "GROWS_BACKGROUND"),
	COUNT(grow_failures, "GROW_FAILURES"),
	COUNT(shrinks, "SHRINKS"),
	COUNT(fail_limit, "FAIL_LIMIT"),
	COUNT(fail_fragmented, "FAIL_FRAGMENTED"),
	COUNT(fail_nowait, "FAIL_NOWAIT"),
	COUNT(fail_kernel, "FAIL_KERNEL"),
	COUNT(fail_injected, "FAIL_INJECTED"),
	COUNT(zeroed_frames, "ZEROED_FRAMES"),
	COUNT(zero_skipped_frames, "ZERO_SKIPPED_FRAMES"),
	COUNT(account_ignored, "ACCOUNT_IGNORED"),
	ERROR(DOUBLE_FREE),
	ERROR(WRONG_ORDER),
	ERROR(INTERIOR),
	ERROR(FOREIGN),
	ERROR(WRONG_POOL),
	ERROR(BAD_ARGUMENT),
	ERROR(DESTROY_BUSY),
	ERROR(STRAY_REF),
	ERROR(CORRUPT),
	ERROR(USE_AFTER_FREE),
};

static u64 field(const struct quarry_pool_stats *s, size_t i)
{
	u64 value;

	memcpy(&value, (const char *)s + fields[i].offset, sizeof(value));
	return value;
}

static void fill(struct table *t, const struct quarry_pool_stats *s)
{
	size_t i;

	table_row(t);
	table_text(t, POOL, s->name);
	table_count(t, ID, s->id);
	if (s->node == QUARRY_ANY_NODE)
		table_none(t, NODE, "any");
	else
		table_number(t, NODE, s->node);
	if (s->largest_order < 0)
		table_none(t, LARGEST_ORDER, NULL);
	else
		table_number(t, LARGEST_ORDER, s->largest_order);
	for (i = NR_SPECIAL; i < ARRAY_SIZE(fields); i++)
		table_count(t, i, field(s, i));
}

static int once(void)
{
	struct column columns[ARRAY_SIZE(fields)];
	struct quarry_pool_stats stats;
	struct pools pools;
	struct table *t;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		columns[i] = fields[i].column;
	t = table_new("stat", columns, ARRAY_SIZE(columns));
	pools_select(&pools, req.args[0]);
	for (i = 0; i < pools.nr; i++)
		if (pool_stats(pools.entry[i].name, &stats))
			fill(t, &stats);
	table_print_upright(t, stdout);
	table_free(t);
	pools_free(&pools);
	return EXIT_OK;
}

static int run(void)
{
	device_open(false);
	return req.live ? stat_live() : once();
}

static const struct argp_option options[] = {
	OPTION_DELAY,
	OPTION_COUNT,
	{ 0 }
};

const struct command cmd_stat = {
	.name = "stat",
	.args_doc = "[POOL]",
	.doc = "Show every gauge and counter, a column for each pool.\n"
	       "\vWith -d a live view: rates, free blocks by order and a small map. On a\n"
	       "terminal it is redrawn in place; elsewhere, and with --json, --raw or -o,\n"
	       "each pool adds a line after every SECONDS. Interrupt (^C) ends it.\n",
	.options = options,
	.max_args = 1,
	.run = run,
};
