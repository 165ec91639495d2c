// SPDX-License-Identifier: GPL-2.0
/*
 * quarryctl stat -d: rates from pairs of samples. On a terminal they are
 * redrawn in place with free blocks by order and a small map; elsewhere each
 * sample is a line, as from vmstat.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stat.h"

enum {
	TIME, POOL, MANAGED, ALLOCATED, PCP, FREE, ALLOCS_S, FREES_S, FAILS_S, SLOW_S, SPLITS_S,
	MERGES_S, GROWS_S, SHRINKS_S
};

#define FIELD(field)	FIGURE(struct quarry_pool_stats, field)

/* Widths keep the lines of one run below each other; those that append have 80 columns. */
static const struct column columns[] = {
	[TIME]		= { .name = "TIME", .kind = K_NUMBER, .extra = true, .width = 10 },
	[POOL]		= { .name = "POOL", .width = 7 },
	[MANAGED]	= { .name = "MANAGED", .kind = K_SIZE, .width = 7, .rank = 3,
			    FIELD(managed_bytes) },
	[ALLOCATED]	= { .name = "ALLOCATED", .kind = K_SIZE, .width = 9,
			    FIELD(allocated_bytes) },
	[PCP]	= { .name = "PCP", .kind = K_SIZE, .width = 7, .rank = 5,
			    FIELD(pcp_bytes) },
	[FREE]		= { .name = "FREE", .kind = K_SIZE, .width = 7, .rank = 2,
			    FIELD(free_bytes) },
	[ALLOCS_S]	= { .name = "ALLOCS_S", .kind = K_COUNT, .width = 8 },
	[FREES_S]	= { .name = "FREES_S", .kind = K_COUNT, .width = 7, .rank = 4 },
	[FAILS_S]	= { .name = "FAILS_S", .kind = K_COUNT, .width = 7, .bad = "" },
	[SLOW_S]	= { .name = "SLOW_S", .kind = K_COUNT, .width = 6,
			    .extra = true, .rank = 6 },
	[SPLITS_S]	= { .name = "SPLITS_S", .kind = K_COUNT, .width = 8, .extra = true,
			    .rank = 10 },
	[MERGES_S]	= { .name = "MERGES_S", .kind = K_COUNT, .width = 8, .extra = true,
			    .rank = 9 },
	[GROWS_S]	= { .name = "GROWS_S", .kind = K_COUNT, .width = 7,
			    .extra = true, .rank = 7 },
	[SHRINKS_S]	= { .name = "SHRINKS_S", .kind = K_COUNT, .width = 9, .extra = true,
			    .rank = 8 },
};

static void *take(void)
{
	struct samples *s;
	struct pools pools;
	size_t i;

	pools_select(&pools, req.args[0]);
	s = samples_new(pools.nr, sizeof(struct quarry_pool_stats),
			offsetof(struct quarry_pool_stats, id));
	for (i = 0; i < pools.nr; i++)
		if (pool_stats(pools.entry[i].name, samples_next(s)))
			samples_keep(s);
	pools_free(&pools);
	return s;
}

static u64 fails(const struct quarry_pool_stats *s)
{
	return s->fail_limit + s->fail_fragmented + s->fail_nowait + s->fail_kernel +
	       s->fail_injected;
}

static u64 slow(const struct quarry_pool_stats *s)
{
	return s->slow_allocs + s->slow_frees;
}

static void fill(struct table *t, const struct samples *old, const struct samples *now)
{
	const struct quarry_pool_stats *s, *w;
	double seconds;
	size_t i;

	for (i = 0; i < now->nr; i++) {
		s = samples_get(now, i);
		w = samples_before(old, now, i, &seconds);
		table_row(t);
		if (!s->managed_bytes)
			table_row_is_empty(t);
		table_count(t, TIME, time(NULL));
		table_text(t, POOL, s->name);
		table_figures(t, s);
		table_rate(t, ALLOCS_S, seconds, w->allocs, s->allocs);
		table_rate(t, FREES_S, seconds, w->frees, s->frees);
		table_rate(t, FAILS_S, seconds, fails(w), fails(s));
		table_rate(t, SLOW_S, seconds, slow(w), slow(s));
		table_rate(t, SPLITS_S, seconds, w->splits, s->splits);
		table_rate(t, MERGES_S, seconds, w->merges, s->merges);
		table_rate(t, GROWS_S, seconds, w->grows, s->grows);
		table_rate(t, SHRINKS_S, seconds, w->shrinks, s->shrinks);
	}
}

static const char *name_of(const struct samples *s, size_t i)
{
	return ((const struct quarry_pool_stats *)samples_get(s, i))->name;
}

static bool read_orders(struct quarry_pool_orders *o, const char *pool)
{
	int status;

	memset(o, 0, sizeof(*o));
	o->size = sizeof(*o);
	o->node = QUARRY_ANY_NODE;
	name_set(o->name, pool);
	status = device_call_quiet(QUARRY_IOC_POOL_ORDERS, o, pool);
	if (status > 0)
		exit(status);
	return !status;
}

/* A row per pool and a column per order: the shape of /proc/buddyinfo. */
static void draw_orders(FILE *out, const struct samples *now)
{
	static const char *const names[QUARRY_NR_ORDERS] = {
		"0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
		"10", "11", "12", "13", "14", "15", "16", "17", "18"
	};
	struct column order_columns[QUARRY_NR_ORDERS + 1] = { { .name = "FREE BLOCKS" } };
	unsigned int order, nr = module.max_order + 1;
	const char *chosen = req.columns, *sort = req.sort;
	struct quarry_pool_orders *all;
	struct table *t;
	size_t i, got = 0;

	all = calloc(now->nr, sizeof(*all));
	if (!all)
		die(EXIT_FAILED, "out of memory");
	for (i = 0; i < now->nr; i++) {
		if (!read_orders(&all[got], name_of(now, i)))
			continue;
		for (order = nr; order < all[got].nr_orders && order < QUARRY_NR_ORDERS; order++)
			if (all[got].orders[order].free_blocks)
				nr = order + 1;
		got++;
	}
	if (nr > QUARRY_NR_ORDERS)
		nr = QUARRY_NR_ORDERS;
	for (order = 0; order < nr; order++)
		order_columns[order + 1] = (struct column){
			.name = names[order], .kind = K_COUNT, .width = 4, .rank = order + 1
		};
	req.columns = NULL;
	req.sort = NULL;
	t = table_new("orders", order_columns, nr + 1);
	req.columns = chosen;
	req.sort = sort;
	for (i = 0; i < got; i++) {
		table_row(t);
		table_text(t, 0, all[i].name);
		for (order = 0; order < nr; order++)
			table_count(t, order + 1, all[i].orders[order].free_blocks);
	}
	table_print(t, out);
	table_free(t);
	free(all);
}

static void draw_maps(FILE *out, const struct samples *now, int rows)
{
	int each = rows / (int)now->nr - 1;
	struct map map;
	size_t i;

	/* no room: the figures above matter more than a picture cut in half */
	if (each < 1)
		return;
	for (i = 0; i < now->nr; i++) {
		if (!map_read(name_of(now, i), &map))
			continue;
		picture_title(out, name_of(now, i), &map);
		picture_draw(out, &map, screen_width(), each > 2 ? each - 1 : each);
		map_free(&map);
	}
	picture_legend(out);
}

/* On a screen every column that there is room for is shown. */
static struct table *wide_table(const struct order *order)
{
	static struct column wide[ARRAY_SIZE(columns)];
	struct table *t;
	size_t i;

	memcpy(wide, columns, sizeof(wide));
	for (i = POOL; i < ARRAY_SIZE(wide); i++)
		wide[i].extra = false;
	t = table_new("samples", wide, ARRAY_SIZE(wide));
	if (order->chosen)
		table_sort(t, order->key, order->reverse);
	return t;
}

static void draw(FILE *out, const void *old, const void *sample, const struct order *order)
{
	struct table *t = wide_table(order);
	const struct samples *now = sample;
	char what[32];

	snprintf(what, sizeof(what), "%zu pool%s", now->nr, now->nr == 1 ? "" : "s");
	live_title(out, what);
	fill(t, old, now);
	table_print(t, out);
	table_free(t);
	fputc('\n', out);
	if (now->nr) {
		draw_orders(out, now);
		fputc('\n', out);
		draw_maps(out, now, screen_height() - 8 - 2 * (int)now->nr);
	}
}

static void append(const void *old, const void *now, u64 line)
{
	struct table *t = table_new("samples", columns, ARRAY_SIZE(columns));

	fill(t, old, now);
	table_append(t, stdout, req.raw ? !line : line % HEADINGS_EVERY == 0);
	table_free(t);
}

int stat_live(void)
{
	static const struct live live = {
		.take = take,
		.drop = samples_drop,
		.draw = draw,
		.append = append,
		.columns = columns,
		.nr_columns = ARRAY_SIZE(columns),
	};

	return live_run(&live);
}
