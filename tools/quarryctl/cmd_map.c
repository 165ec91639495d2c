// SPDX-License-Identifier: GPL-2.0
/* quarryctl map: every 2 MiB area of a pool, as a picture or as a table. */
#include <stdlib.h>

#include "quarryctl.h"

enum { POOL, AREA, ARENA, NODE, STATE, FRAMES, FREE, LARGEST };

static const struct column columns[] = {
	[POOL]		= { .name = "POOL" },
	[AREA]		= { .name = "AREA", .kind = K_NUMBER },
	[ARENA]		= { .name = "ARENA", .kind = K_NUMBER },
	[NODE]		= { .name = "NODE", .kind = K_NUMBER },
	[STATE]		= { .name = "STATE" },
	[FRAMES]	= { .name = "FRAMES", .kind = K_NUMBER },
	[FREE]		= { .name = "FREE", .kind = K_NUMBER },
	[LARGEST]	= { .name = "LARGEST", .kind = K_NUMBER },
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
		if (a->largest == 255)
			table_none(t, LARGEST, NULL);
		else
			table_count(t, LARGEST, a->largest);
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

static void redraw(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		die(EXIT_FAILED, "out of memory");
	pictures(out, screen_height() - 1);
	fclose(out);
	live_draw(text);
	free(text);
}

static int run(void)
{
	bool as_table = req.json || req.raw || req.columns;
	bool in_place = !as_table && req.live && screen_is_terminal();
	u64 n = 0;

	device_open(false);
	if (!req.live) {
		if (as_table)
			tables(false, true);
		else
			pictures(stdout, 0);
		return EXIT_OK;
	}
	live_begin();
	do {
		if (in_place) {
			redraw();
		} else if (as_table) {
			tables(true, !n);
		} else {
			if (n)
				fputc('\n', stdout);
			pictures(stdout, 0);
		}
		if (!flush())
			break;
		n++;
	} while ((!req.count || n < req.count) && live_wait());
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
	.doc = "Draw a pool: a cell for every area of 2 MiB, the fuller the higher.\n"
	       "\vThe number at the left of a row is that of its first area. Frames on per-CPU\n"
	       "lists count as used here. --json, --raw and -o give a table of the areas.\n",
	.options = options,
	.max_args = 1,
	.run = run,
};
