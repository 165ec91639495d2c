// SPDX-License-Identifier: GPL-2.0
/* quarryctl pools: a line for each pool. */
#include "quarryctl.h"

enum {
	NAME, ID, NODE, MIN, MAX, RESERVE, LOW, MANAGED, ALLOCATED, CACHED, FREE, QUARANTINED, ZERO,
	METADATA, ARENAS, LARGEST, MODES
};

static const struct column columns[] = {
	[NAME]		= { .name = "NAME" },
	[ID]		= { .name = "ID", .kind = K_NUMBER },
	[NODE]		= { .name = "NODE", .kind = K_NUMBER },
	[MIN]		= { .name = "MIN", .kind = K_SIZE },
	[MAX]		= { .name = "MAX", .kind = K_SIZE },
	[RESERVE]	= { .name = "RESERVE", .kind = K_SIZE, .extra = true },
	[LOW]		= { .name = "LOW", .kind = K_SIZE, .extra = true },
	[MANAGED]	= { .name = "MANAGED", .kind = K_SIZE },
	[ALLOCATED]	= { .name = "ALLOCATED", .kind = K_SIZE },
	[CACHED]	= { .name = "CACHED", .kind = K_SIZE },
	[FREE]		= { .name = "FREE", .kind = K_SIZE },
	[QUARANTINED]	= { .name = "QUARANTINED", .kind = K_SIZE, .extra = true },
	[ZERO]		= { .name = "ZERO", .kind = K_SIZE, .extra = true },
	[METADATA]	= { .name = "METADATA", .kind = K_SIZE, .extra = true },
	[ARENAS]	= { .name = "ARENAS", .kind = K_COUNT },
	[LARGEST]	= { .name = "LARGEST", .kind = K_NUMBER },
	[MODES]		= { .name = "MODES", .extra = true },
};

struct table *pools_table(void)
{
	return table_new("pools", columns, ARRAY_SIZE(columns));
}

void pools_table_row(struct table *t, const struct quarry_pool_stats *s)
{
	char text[96];

	table_row(t);
	table_text(t, NAME, s->name);
	table_count(t, ID, s->id);
	if (s->node == QUARRY_ANY_NODE)
		table_none(t, NODE, "any");
	else
		table_number(t, NODE, s->node);
	table_count(t, MIN, s->min_bytes);
	if (s->max_bytes)
		table_count(t, MAX, s->max_bytes);
	else
		table_none(t, MAX, NULL);
	table_count(t, RESERVE, s->reserve_bytes);
	table_count(t, LOW, s->low_bytes);
	table_count(t, MANAGED, s->managed_bytes);
	table_count(t, ALLOCATED, s->allocated_bytes);
	table_count(t, CACHED, s->cached_bytes);
	table_count(t, FREE, s->free_bytes);
	table_count(t, QUARANTINED, s->quarantined_bytes);
	table_count(t, ZERO, s->zero_bytes);
	table_count(t, METADATA, s->metadata_bytes);
	table_count(t, ARENAS, s->arenas);
	if (s->largest_order < 0)
		table_none(t, LARGEST, NULL);
	else
		table_number(t, LARGEST, s->largest_order);
	modes_format(text, sizeof(text), s->modes);
	table_text(t, MODES, text);
}

static int run(void)
{
	struct quarry_pool_stats stats;
	struct table *t = pools_table();
	struct quarry_forgotten lost;
	struct pools pools;
	char text[32];
	size_t i;

	device_open(false);
	pools_select(&pools, NULL);
	for (i = 0; i < pools.nr; i++)
		if (pool_stats(pools.entry[i].name, &stats))
			pools_table_row(t, &stats);
	table_print(t, stdout);
	table_free(t);
	pools_free(&pools);
	forgotten_read(&lost);
	if (lost.lost_bytes) {
		size_format(text, sizeof(text), lost.lost_bytes);
		complain(EXIT_OK,
			 "%s more are lost until the next boot: they were out of pools that are no more",
			 text);
	}
	return EXIT_OK;
}

const struct command cmd_pools = {
	.name = "pools",
	.doc = "Show a line for each pool: its limits, and where its memory is.\n"
	       "\vMANAGED is what the pool has from the kernel; of it ALLOCATED is with\n"
	       "clients, CACHED on per-CPU lists and FREE in the buddy. LARGEST is the\n"
	       "largest order that is free. RESERVE, LOW, QUARANTINED, ZERO, METADATA\n"
	       "and MODES are shown by -o and --json.\n",
	.run = run,
};
