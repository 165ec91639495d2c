// SPDX-License-Identifier: GPL-2.0
/* quarryctl stat: every gauge and counter of a pool, once. */
#include "stat.h"

enum { POOL, ID, NODE, LARGEST, MAX = LARGEST + 2 };

/* First what is no figure; then all figures, under the names that the list gives them. */
#define FIELD(field)	FIGURE(struct quarry_pool_stats, field)
#define COLUMN(kind, field, NAME, text)	FIGURE_COLUMN(quarry_pool_stats, kind, field, NAME, text)
static const struct column columns[] = QUARRY_POOL_FIGURES(COLUMN,
	[POOL]		= { .name = "POOL", .help = "its name" },
	[ID]		= { .name = "ID", .kind = K_NUMBER, FIELD(id),
			    .help = "its number, never used again" },
	[NODE]		= { .name = "NODE", .kind = K_NUMBER,
			    .help = "the NUMA node of its memory" },
	[LARGEST]	= { .name = "LARGEST", .kind = K_SIZE,
			    .help = "the largest block that is free" },
);

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
	.summary = "gauges and counters of pools; -d 1 live, with rates",
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
