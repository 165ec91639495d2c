// SPDX-License-Identifier: GPL-2.0
/*
 * Areas drawn as cells: the fuller a cell, the higher its bar. Colour repeats
 * what the shape says, so that nothing is lost without it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quarryctl.h"

/* Areas asked for in one call: 1 MiB of answers. */
#define MAP_CHUNK	65536
/* Columns that the legend takes. */
#define LEGEND		72
/* Above any node; memory of ranges that lie on none is node 65535. */
#define NODE_END		65536U
#define NODE_NONE	65535U

struct cell {
	u64 frames;
	u64 free;
};

struct palette {
	const char *free;
	const char *const *partial;
	size_t nr_partial;
	const char *full;
	const char *scale;
};

static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇" };
static const char *const digits[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9" };

static const struct palette utf8 = { "·", bars, ARRAY_SIZE(bars), "█", "▁ to ▇" };
static const struct palette ascii = { ".", digits, ARRAY_SIZE(digits), "#", "1 to 9" };

static const char color_free[] = "\033[32m";
static const char color_full[] = "\033[31m";
static const char color_off[] = "\033[0m";
static const char *const color_partial[] = { "\033[36m", "\033[33m", "\033[35m" };

static const struct palette *palette(void)
{
	return screen_utf8() ? &utf8 : &ascii;
}

/* No more is free than there is, whatever a device says: shares are taken of it. */
static void bound(struct quarry_map_area *area, unsigned int nr)
{
	for (; nr; nr--, area++)
		if (area->free > area->frames)
			area->free = area->frames;
}

bool map_read(const char *pool, struct map *map)
{
	struct quarry_pool_map ask;
	bool named = req.nr_args && !strcmp(req.args[0], pool);
	int status;

	map->nr = 0;
	map->area = NULL;
	do {
		map->area = reallocarray(map->area, map->nr + MAP_CHUNK, sizeof(*map->area));
		if (!map->area)
			die(EXIT_FAILED, "out of memory");
		memset(&ask, 0, sizeof(ask));
		ask.size = sizeof(ask);
		name_set(ask.name, pool);
		ask.start = map->nr;
		ask.capacity = MAP_CHUNK;
		ask.areas = (uintptr_t)(map->area + map->nr);
		if (named)
			status = device_call(QUARRY_IOC_POOL_MAP, &ask, pool);
		else
			status = device_call_quiet(QUARRY_IOC_POOL_MAP, &ask, pool);
		if (status > 0)
			exit(status);
		if (status) {
			map_free(map);
			return false;
		}
		if (ask.count > MAP_CHUNK)
			die(EXIT_SKEW,
			    "the module wrote %u areas where %u were asked for; " REMEDY_SKEW,
			    ask.count, MAP_CHUNK);
		bound(map->area + map->nr, ask.count);
		map->nr += ask.count;
	} while (ask.count && map->nr < ask.total);
	return true;
}

void map_free(struct map *map)
{
	free(map->area);
	map->area = NULL;
	map->nr = 0;
}

static void draw_cell(FILE *out, const struct cell *c, const char **color)
{
	const struct palette *p = palette();
	u64 used = c->frames - c->free;
	const char *glyph, *want;

	if (!used) {
		glyph = p->free;
		want = color_free;
	} else if (!c->free) {
		glyph = p->full;
		want = color_full;
	} else {
		glyph = p->partial[used * p->nr_partial / c->frames];
		want = color_partial[used * ARRAY_SIZE(color_partial) / c->frames];
	}
	if (screen_color() && *color != want) {
		fputs(want, out);
		*color = want;
	}
	fputs(glyph, out);
}

static void end_row(FILE *out, const char **color)
{
	if (*color)
		fputs(color_off, out);
	*color = NULL;
	fputc('\n', out);
}

static int decimals(size_t n)
{
	int width = 1;

	while (n >= 10) {
		n /= 10;
		width++;
	}
	return width;
}

/* The lowest node above @after that has areas; NODE_END if there is none. */
static unsigned int next_node(const struct map *map, int after)
{
	unsigned int node = NODE_END;
	size_t i;

	for (i = 0; i < map->nr; i++)
		if (map->area[i].node > after && map->area[i].node < node)
			node = map->area[i].node;
	return node;
}

static size_t count_node(const struct map *map, unsigned int node)
{
	size_t i, nr = 0;

	for (i = 0; i < map->nr; i++)
		nr += map->area[i].node == node;
	return nr;
}

/* Rows are 8 or 16 cells times n, so that the numbers at the left are round. */
static size_t cells_per_row(int width, int gutter)
{
	int room = width - gutter;

	if (room >= 16)
		return room / 16 * 16;
	return room >= 8 ? 8 : 4;
}

/* @per_cell areas to a cell; areas of other nodes are passed over */
static void draw_node(FILE *out, const struct map *map, unsigned int node, int gutter,
		      size_t per_row, size_t per_cell)
{
	struct cell c = { 0 };
	size_t i, in_cell = 0, in_row = 0, first = 0;
	const char *color = NULL;

	for (i = 0; i < map->nr; i++) {
		if (map->area[i].node != node)
			continue;
		if (!in_cell)
			first = i;
		c.frames += map->area[i].frames;
		c.free += map->area[i].free;
		if (++in_cell < per_cell)
			continue;
		if (!in_row)
			fprintf(out, "%*zu ", gutter - 1, first);
		draw_cell(out, &c, &color);
		memset(&c, 0, sizeof(c));
		in_cell = 0;
		if (++in_row == per_row) {
			end_row(out, &color);
			in_row = 0;
		}
	}
	if (in_cell) {
		if (!in_row)
			fprintf(out, "%*zu ", gutter - 1, first);
		draw_cell(out, &c, &color);
		in_row++;
	}
	if (in_row)
		end_row(out, &color);
}

/* @max_rows: 0 for one area per cell, whatever it takes */
void picture_draw(FILE *out, const struct map *map, int width, int max_rows)
{
	int gutter = decimals(map->nr ? map->nr - 1 : 0) + 3;
	size_t per_row = cells_per_row(width, gutter), per_cell = 1, rows;
	unsigned int first = next_node(map, -1), node;
	bool several = next_node(map, first) != NODE_END;
	char size[32];

	for (; max_rows > 0; per_cell *= 2) {
		rows = 0;
		for (node = first; node != NODE_END; node = next_node(map, node)) {
			rows += (count_node(map, node) - 1) / (per_row * per_cell) + 1;
			rows += several;
		}
		/* each node needs a row of its own, however coarse the cells */
		if (rows <= (size_t)max_rows || per_cell > map->nr)
			break;
	}
	for (node = first; node != NODE_END; node = next_node(map, node)) {
		if (node == NODE_NONE)
			fputs("  on no node\n", out);
		else if (several)
			fprintf(out, "  node %u\n", node);
		draw_node(out, map, node, gutter, per_row, per_cell);
	}
	if (per_cell > 1) {
		size_format(size, sizeof(size), per_cell << 21);
		fprintf(out, "  to fit, a cell here is %zu areas (%s)\n", per_cell, size);
	}
}

void picture_title(FILE *out, const char *pool, const struct map *map)
{
	size_t i, state[3] = { 0 }, arenas = 0, shorter = 0;
	char line[256], rest[32] = "";

	for (i = 0; i < map->nr; i++) {
		if (map->area[i].state < ARRAY_SIZE(state))
			state[map->area[i].state]++;
		arenas += !i || map->area[i].arena != map->area[i - 1].arena;
		shorter += map->area[i].frames < 512;
	}
	if (shorter)
		snprintf(rest, sizeof(rest), " (%zu short)", shorter);
	if (map->nr)
		snprintf(line, sizeof(line),
			 "%s: %zu area%s in %zu arena%s: %zu free, %zu partly used, %zu full%s",
			 pool, map->nr, map->nr == 1 ? "" : "s", arenas, arenas == 1 ? "" : "s",
			 state[QUARRY_AREA_FREE], state[QUARRY_AREA_PARTIAL],
			 state[QUARRY_AREA_FULL], rest);
	else
		snprintf(line, sizeof(line), "%s: no memory", pool);
	screen_line(out, line);
}

void picture_legend(FILE *out)
{
	const struct palette *p = palette();
	bool color = screen_color();

	/* Where there is no room for words the picture has to do. */
	if (screen_is_terminal() && screen_width() < LEGEND)
		return;
	if (color)
		fprintf(out, "%s%s%s free  %s%s%s to %s%s%s used in part  %s%s%s full",
			color_free, p->free, color_off, color_partial[0], p->partial[0], color_off,
			color_partial[2], p->partial[p->nr_partial - 1], color_off,
			color_full, p->full, color_off);
	else
		fprintf(out, "%s free  %s used in part  %s full", p->free, p->scale, p->full);
	fputs("   a cell is an area of 2M\n", out);
}
