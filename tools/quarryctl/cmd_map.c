// SPDX-License-Identifier: GPL-2.0
/* quarryctl map: every 2 MiB area of a pool, as a picture or as a table. */
#include "quarryctl.h"

enum { POOL, AREA, ARENA, NODE, STATE, FRAMES, FREE, LARGEST };

static const struct column columns[] = {
	[POOL]		= { .name = "POOL", .help = "its name" },
	[AREA]		= { .name = "AREA", .kind = K_NUMBER, .help = "its place, from 0" },
	[ARENA]		= { .name = "ARENA", .kind = K_NUMBER,
			    .help = "the arena that it is part of" },
	[NODE]		= { .name = "NODE", .kind = K_NUMBER,
			    .help = "the NUMA node of its memory" },
	[STATE]		= { .name = "STATE", .help = "free, partial or full" },
	[FRAMES]	= { .name = "FRAMES", .kind = K_NUMBER,
			    .help = "pages of it that the pool has" },
	[FREE]		= { .name = "FREE", .kind = K_NUMBER,
			    .help = "of these, free in the buddy" },
	[LARGEST]	= { .name = "LARGEST", .kind = K_SIZE,
			    .help = "the largest block that is free in it" },
};

static const char *state_name(unsigned int state)
{
	static const char *const names[] = { "free", "partial", "full" };

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

static void fill(struct table *t, const char *pool, const struct map *map)
{
	const struct quarry_map_area *a;
	size_t i;

	for (i = 0; i < map->nr; i++) {
		a = &map->area[i];
		table_row(t);
		if (a->state == QUARRY_AREA_FREE)
			table_row_is_empty(t);
		table_text(t, POOL, pool);
		table_count(t, AREA, i);
		table_count(t, ARENA, a->arena);
		/* what a node of -1 becomes in 16 bits: ranges that lie on none */
		if (a->node == 65535)
			table_none(t, NODE, NULL);
		else
			table_count(t, NODE, a->node);
		table_text(t, STATE, state_name(a->state));
		table_count(t, FRAMES, a->frames);
		table_count(t, FREE, a->free);
		table_order(t, LARGEST, a->largest == 255 ? -1 : a->largest);
	}
}

static void tables(bool append, bool first)
{
	struct table *t = table_new("map", columns, ARRAY_SIZE(columns));
	struct pools pools;
	struct map map;
	size_t i;

	pools_select(&pools, req.args[0]);
	for (i = 0; i < pools.nr; i++) {
		if (!map_read(pools.entry[i].name, &map))
			continue;
		fill(t, pools.entry[i].name, &map);
		map_free(&map);
	}
	if (append)
		table_append(t, stdout, first);
	else
		table_print(t, stdout);
	table_free(t);
	pools_free(&pools);
}

/* @rows: lines that the screen has, or 0 for one area per cell */
static void pictures(FILE *out, int rows)
{
	int width = screen_width(), each = 0;
	struct pools pools;
	struct map map;
	size_t i;

	pools_select(&pools, req.args[0]);
	if (rows && pools.nr) {
		each = (rows - 1) / (int)pools.nr - 3;
		if (each < 1)
			each = 1;
	}
	for (i = 0; i < pools.nr; i++) {
		if (!map_read(pools.entry[i].name, &map))
			continue;
		picture_title(out, pools.entry[i].name, &map);
		picture_draw(out, &map, width, each);
		if (i + 1 < pools.nr)
			fputc('\n', out);
		map_free(&map);
	}
	if (pools.nr)
		picture_legend(out);
	pools_free(&pools);
}

/* Areas are read when they are shown: a sample has nothing to be kept. */
static void *take(void)
{
	static char nothing;

	return &nothing;
}

static void drop(void *sample)
{
	(void)sample;
}

static void draw(FILE *out, const void *old, const void *now, const struct order *order)
{
	(void)old;
	(void)now;
	(void)order;
	pictures(out, screen_height() - 1);
}

static void append(const void *old, const void *now, u64 line)
{
	(void)old;
	(void)now;
	if (table_wanted()) {
		tables(true, !line);
		return;
	}
	if (line)
		fputc('\n', stdout);
	pictures(stdout, 0);
}

static int run(void)
{
	static const struct live live = {
		.take = take,
		.drop = drop,
		.draw = draw,
		.append = append,
		.at_once = true,
	};

	device_open(false);
	if (req.live)
		return live_run(&live);
	if (table_wanted())
		tables(false, true);
	else
		pictures(stdout, 0);
	return EXIT_OK;
}

static const struct argp_option options[] = {
	OPTION_DELAY,
	OPTION_COUNT,
	{ 0 }
};

const struct command cmd_map = {
	.name = "map",
	.args_doc = "[POOL]",
	.summary = "a picture of every 2 MiB area; -d 1 live",
	.doc = "Draw a pool: a cell for every area of 2 MiB, the fuller the higher.\n"
	       "\vThe number at the left of a row is that of its first area. Frames on per-CPU\n"
	       "lists count as used here. --json, --raw and -o give a table of the areas.\n",
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl map default\n"
	"default: 40 areas in 20 arenas: 4 free, 31 partly used, 5 full (1 short)\n"
	"   0 █▇▆▅▄▃▂▁·█▇▆▅▄▃▂▁·█▇▆▅▄▃▂▁·█▇▆▅▄▃▂▁·█▇▆▅\n"
	"· free  ▁ to ▇ used in part  █ full   a cell is an area of 2M\n",
	.options = options,
	.max_args = 1,
	.run = run,
};
