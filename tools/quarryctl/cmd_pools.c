// SPDX-License-Identifier: GPL-2.0
/* quarryctl pools: a line for each pool. */
#include "quarryctl.h"

enum {
	POOL, ID, NODE, MIN, MAX, RESERVE, LOW, MANAGED, ALLOCATED, USE, PCP, FREE, RETIRED,
	ZERO, METADATA, ARENAS, LARGEST, MODES
};

#define FIELD(field)	FIGURE(struct quarry_pool_stats, field)

static const struct column columns[] = {
	[POOL]		= { .name = "POOL", .help = "its name" },
	[ID]		= { .name = "ID", .kind = K_NUMBER, .rank = 8, FIELD(id),
			    .help = "its number, never used again" },
	[NODE]		= { .name = "NODE", .kind = K_NUMBER, .rank = 7,
			    .help = "the NUMA node of its memory" },
	[MIN]		= { .name = "MIN", .kind = K_SIZE, .rank = 5, FIELD(min_bytes),
			    .help = "the floor: never given back" },
	[MAX]		= { .name = "MAX", .kind = K_SIZE, .rank = 1,
			    .help = "the cap" },
	[RESERVE]	= { .name = "RESERVE", .kind = K_SIZE, .extra = true, FIELD(reserve_bytes),
			    .help = "kept for callers that must not fail" },
	[LOW]		= { .name = "LOW", .kind = K_SIZE, .extra = true, FIELD(low_bytes),
			    .help = "grows in the background when less is free" },
	[MANAGED]	= { .name = "MANAGED", .kind = K_SIZE, FIELD(managed_bytes),
			    .help = "what it has from the kernel" },
	[ALLOCATED]	= { .name = "ALLOCATED", .kind = K_SIZE, FIELD(allocated_bytes),
			    .help = "of that, with clients" },
	[USE]		= { .name = "USE%", .kind = K_SHARE, .rank = 2,
			    .help = "ALLOCATED of MAX" },
	[PCP]	= { .name = "PCP", .kind = K_SIZE, .rank = 3, FIELD(pcp_bytes),
			    .help = "of MANAGED, on per-CPU lists" },
	[FREE]		= { .name = "FREE", .kind = K_SIZE, FIELD(free_bytes),
			    .help = "of MANAGED, in the buddy" },
	[RETIRED]	= { .name = "RETIRED", .kind = K_SIZE, .extra = true,
			    FIELD(retired_bytes),
			    .help = "of MANAGED: damaged, failed, or referred to by others" },
	[ZERO]		= { .name = "ZERO", .kind = K_SIZE, .extra = true, FIELD(zero_bytes),
			    .help = "of FREE, known to be zero" },
	[METADATA]	= { .name = "METADATA", .kind = K_SIZE, .extra = true,
			    FIELD(metadata_bytes), .help = "beside MANAGED, what describes it" },
	[ARENAS]	= { .name = "ARENAS", .kind = K_COUNT, .rank = 6, FIELD(arenas),
			    .help = "blocks that it has from the kernel" },
	[LARGEST]	= { .name = "LARGEST", .kind = K_SIZE, .rank = 4,
			    .help = "the largest block that is free" },
	[MODES]		= { .name = "MODES", .extra = true,
			    .help = "that are on: see quarryctl pool modes" },
};

struct table *pools_table(void)
{
	return table_new("pools", columns, ARRAY_SIZE(columns));
}

/* Orders that no machine has are a device's lie. */
void table_order(struct table *t, size_t col, int order)
{
	if (order < 0 || order >= QUARRY_NR_ORDERS)
		table_none(t, col, NULL);
	else
		table_count(t, col, (u64)module.page_size << order);
}

void pools_table_row(struct table *t, const struct quarry_pool_stats *s)
{
	char text[96];

	table_row(t);
	if (!s->managed_bytes)
		table_row_is_empty(t);
	table_text(t, POOL, s->name);
	table_figures(t, s);
	if (s->node == QUARRY_ANY_NODE)
		table_none(t, NODE, "any");
	else
		table_number(t, NODE, s->node);
	if (s->max_bytes)
		table_count(t, MAX, s->max_bytes);
	else
		table_none(t, MAX, NULL);
	table_share(t, USE, s->allocated_bytes, s->max_bytes);
	table_order(t, LARGEST, s->largest_order);
	modes_format(text, sizeof(text), s->modes);
	table_text(t, MODES, text);
}

static void add(struct quarry_pool_stats *sum, const struct quarry_pool_stats *s)
{
	sum->min_bytes += s->min_bytes;
	sum->reserve_bytes += s->reserve_bytes;
	sum->low_bytes += s->low_bytes;
	sum->managed_bytes += s->managed_bytes;
	sum->allocated_bytes += s->allocated_bytes;
	sum->pcp_bytes += s->pcp_bytes;
	sum->free_bytes += s->free_bytes;
	sum->retired_bytes += s->retired_bytes;
	sum->zero_bytes += s->zero_bytes;
	sum->metadata_bytes += s->metadata_bytes;
	sum->arenas += s->arenas;
	if (s->largest_order > sum->largest_order)
		sum->largest_order = s->largest_order;
}

static void fill_total(struct table *t, const struct quarry_pool_stats *sum)
{
	static const int of_one[] = { ID, NODE, MAX, USE, MODES };
	size_t i;

	pools_table_row(t, sum);
	table_row_is_total(t);
	table_text(t, POOL, "total");
	/* No sum of what says how one pool is, nor of caps: they are not kept for it. */
	for (i = 0; i < ARRAY_SIZE(of_one); i++)
		table_none(t, of_one[i], NULL);
}

static void tell_lost(void)
{
	struct quarry_forgotten lost;
	char text[32];

	forgotten_read(&lost);
	if (!lost.lost_bytes)
		return;
	size_format(text, sizeof(text), lost.lost_bytes);
	complain(EXIT_OK,
		 "%s more are lost until the next boot: they were out of pools that are no more",
		 text);
}

static int run(void)
{
	struct quarry_pool_stats stats, sum = { .largest_order = -1 };
	struct table *t = pools_table();
	struct pools pools;
	size_t i;

	device_open(false);
	pools_select(&pools, req.args[0]);
	for (i = 0; i < pools.nr; i++) {
		if (!pool_stats(pools.entry[i].name, &stats))
			continue;
		pools_table_row(t, &stats);
		add(&sum, &stats);
	}
	if (!req.nr_args && pools.nr)
		fill_total(t, &sum);
	table_print(t, stdout);
	table_free(t);
	pools_free(&pools);
	tell_lost();
	return EXIT_OK;
}

const struct command cmd_pools = {
	.name = "pools",
	.args_doc = "[POOL]",
	.summary = "a line for each pool, and their total",
	.doc = "Show a line for each pool: its limits, and where its memory is.",
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl pools --sort managed\n"
	"POOL    ID NODE MIN  MAX MANAGED ALLOCATED USE%  PCP   FREE ARENAS LARGEST\n"
	"default  1  any 16M 256M     80M         0   0% 1.1M  78.9M     20      4M\n"
	"brd      2    0 16M    -     80M       12M    - 1.1M  66.9M     20       -\n"
	"total    -    - 32M    -    160M       12M    - 2.2M 145.8M     40      4M\n",
	.max_args = 1,
	.run = run,
};
