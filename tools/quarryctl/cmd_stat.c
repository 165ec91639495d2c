// SPDX-License-Identifier: GPL-2.0
/* quarryctl stat: every gauge and counter of a pool, once. */
#include "stat.h"

enum { POOL, ID, NODE, LARGEST, MIN, MAX };

/* Columns are named as the fields of struct quarry_pool_stats are. */
#define FIELD(field)	FIGURE(struct quarry_pool_stats, field)
#define ERROR(what, text) \
	{ .name = "ERR_" #what, .kind = K_COUNT, .bad = "", FIELD(errors[QUARRY_ERR_##what]), \
	  .help = text }

static const struct column columns[] = {
	[POOL]		= { .name = "POOL", .help = "its name" },
	[ID]		= { .name = "ID", .kind = K_NUMBER, FIELD(id),
			    .help = "its number, never used again" },
	[NODE]		= { .name = "NODE", .kind = K_NUMBER,
			    .help = "the NUMA node of its memory" },
	[LARGEST]	= { .name = "LARGEST", .kind = K_SIZE,
			    .help = "the largest block that is free" },
	{ .name = "MIN", .kind = K_SIZE, FIELD(min_bytes),
	  .help = "the floor: never given back" },
	{ .name = "MAX", .kind = K_SIZE, FIELD(max_bytes),
	  .help = "the cap" },
	{ .name = "RESERVE", .kind = K_SIZE, FIELD(reserve_bytes),
	  .help = "kept for callers that must not fail" },
	{ .name = "LOW", .kind = K_SIZE, FIELD(low_bytes),
	  .help = "grows in the background when less is free" },
	{ .name = "MANAGED", .kind = K_SIZE, FIELD(managed_bytes),
	  .help = "what it has from the kernel" },
	{ .name = "ALLOCATED", .kind = K_SIZE, FIELD(allocated_bytes),
	  .help = "of that, with clients" },
	{ .name = "CACHED", .kind = K_SIZE, FIELD(cached_bytes),
	  .help = "of MANAGED, on per-CPU lists" },
	{ .name = "FREE", .kind = K_SIZE, FIELD(free_bytes),
	  .help = "of MANAGED, in the buddy" },
	{ .name = "QUARANTINED", .kind = K_SIZE, FIELD(quarantined_bytes),
	  .help = "of MANAGED: damaged, failed, or referred to by others" },
	{ .name = "ZERO", .kind = K_SIZE, FIELD(zero_bytes),
	  .help = "of FREE, known to be zero" },
	{ .name = "METADATA", .kind = K_SIZE, FIELD(metadata_bytes),
	  .help = "beside MANAGED, what describes it" },
	{ .name = "PERCPU", .kind = K_SIZE, FIELD(percpu_bytes),
	  .help = "what the lists of all CPUs cost" },
	{ .name = "CACHE_LIMIT", .kind = K_SIZE, FIELD(cache_limit_bytes),
	  .help = "most that one CPU's lists may hold" },
	{ .name = "ARENAS", .kind = K_COUNT, FIELD(arenas),
	  .help = "blocks that it has from the kernel" },
	{ .name = "ARENAS_EMPTY", .kind = K_COUNT, FIELD(arenas_empty),
	  .help = "of these, with no page out" },
	{ .name = "AREAS", .kind = K_COUNT, FIELD(areas),
	  .help = "parts of 2 MiB" },
	{ .name = "AREAS_FREE", .kind = K_COUNT, FIELD(areas_free),
	  .help = "of these, wholly free" },
	{ .name = "ALLOCS", .kind = K_COUNT, FIELD(allocs),
	  .help = "blocks handed out" },
	{ .name = "FREES", .kind = K_COUNT, FIELD(frees),
	  .help = "blocks taken back" },
	{ .name = "ALLOC_FRAMES", .kind = K_COUNT, FIELD(alloc_frames),
	  .help = "frames handed out" },
	{ .name = "FREE_FRAMES", .kind = K_COUNT, FIELD(free_frames),
	  .help = "frames taken back" },
	{ .name = "SLOW_ALLOCS", .kind = K_COUNT, FIELD(slow_allocs),
	  .help = "allocations that the lists could not serve" },
	{ .name = "SLOW_FREES", .kind = K_COUNT, FIELD(slow_frees),
	  .help = "frees that the lists could not take" },
	{ .name = "REFILLS", .kind = K_COUNT, FIELD(refills),
	  .help = "batches from the buddy to a list" },
	{ .name = "FLUSHES", .kind = K_COUNT, FIELD(flushes),
	  .help = "batches from a list to the buddy" },
	{ .name = "DRAINS", .kind = K_COUNT, FIELD(drains),
	  .help = "lists emptied" },
	{ .name = "SPLITS", .kind = K_COUNT, FIELD(splits),
	  .help = "blocks halved" },
	{ .name = "MERGES", .kind = K_COUNT, FIELD(merges),
	  .help = "blocks joined" },
	{ .name = "GROWS", .kind = K_COUNT, FIELD(grows),
	  .help = "arenas taken from the kernel" },
	{ .name = "GROWS_BACKGROUND", .kind = K_COUNT, FIELD(grows_background),
	  .help = "of these, by the low watermark" },
	{ .name = "GROW_FAILURES", .kind = K_COUNT, .bad = "", FIELD(grow_failures),
	  .help = "times that the kernel refused" },
	{ .name = "SHRINKS", .kind = K_COUNT, FIELD(shrinks),
	  .help = "arenas given back" },
	{ .name = "FAIL_LIMIT", .kind = K_COUNT, .bad = "", FIELD(fail_limit),
	  .help = "refused: the cap is reached" },
	{ .name = "FAIL_FRAGMENTED", .kind = K_COUNT, .bad = "", FIELD(fail_fragmented),
	  .help = "refused: enough free, but no block so large" },
	{ .name = "FAIL_NOWAIT", .kind = K_COUNT, .bad = "", FIELD(fail_nowait),
	  .help = "refused: the caller may not wait for more" },
	{ .name = "FAIL_KERNEL", .kind = K_COUNT, .bad = "", FIELD(fail_kernel),
	  .help = "refused: the kernel has no memory" },
	{ .name = "FAIL_INJECTED", .kind = K_COUNT, .bad = "", FIELD(fail_injected),
	  .help = "refused by fault injection" },
	{ .name = "ZEROED_FRAMES", .kind = K_COUNT, FIELD(zeroed_frames),
	  .help = "frames cleared for the caller" },
	{ .name = "ZERO_SKIPPED_FRAMES", .kind = K_COUNT, FIELD(zero_skipped_frames),
	  .help = "frames that were known to be zero" },
	{ .name = "ACCOUNT_IGNORED", .kind = K_COUNT, FIELD(account_ignored),
	  .help = "asked for __GFP_ACCOUNT, which is not done" },
	ERROR(DOUBLE_FREE, "a block was freed twice"),
	ERROR(WRONG_ORDER, "freed with another order"),
	ERROR(INTERIOR, "the inside of a block was freed"),
	ERROR(FOREIGN, "no memory of quarry's"),
	ERROR(WRONG_POOL, "freed to another pool"),
	ERROR(BAD_ARGUMENT, "what no call can be asked for"),
	ERROR(DESTROY_BUSY, "pools destroyed with memory out"),
	ERROR(STRAY_REF, "references that nobody may have"),
	ERROR(CORRUPT, "what describes memory is damaged"),
	ERROR(USE_AFTER_FREE, "writes to free pages (mode check)"),
};

static void fill(struct table *t, const struct quarry_pool_stats *s)
{
	table_row(t);
	if (!s->managed_bytes)
		table_row_is_empty(t);
	table_text(t, POOL, s->name);
	table_figures(t, s);
	if (s->node == QUARRY_ANY_NODE)
		table_none(t, NODE, "any");
	else
		table_number(t, NODE, s->node);
	table_order(t, LARGEST, s->largest_order);
	if (!s->max_bytes)
		table_none(t, MAX, NULL);
}

static int once(void)
{
	struct table *t = table_new("stat", columns, ARRAY_SIZE(columns));
	struct quarry_pool_stats stats;
	struct pools pools;
	size_t i;

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
	OPTION_NONZERO,
	{ 0 }
};

const struct command cmd_stat = {
	.name = "stat",
	.args_doc = "[POOL]",
	.summary = "gauges and counters of pools; -d live, with rates",
	.doc = "Show every gauge and counter, a column for each pool.\n"
	       "\vWith -d a live view: rates, free blocks by order and a small map. Keys: q\n"
	       "ends it, h helps. Off a terminal, and with --json, --raw or -o, each pool\n"
	       "adds a line after every SECONDS.\n",
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl stat --nonzero -o pool,managed,allocated,err_corrupt\n"
	"FIELD       default brd\n"
	"MANAGED         80M 80M\n"
	"ALLOCATED         0 12M\n"
	"ERR_CORRUPT       7   7\n",
	.options = options,
	.max_args = 1,
	.run = run,
};
