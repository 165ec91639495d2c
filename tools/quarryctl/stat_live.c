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

/* Headings come again after so many samples, as the first ones scroll away. */
#define HEADINGS_EVERY	20
/* A terminal so wide has room for all columns. */
#define WIDE		112

struct sample {
	struct quarry_pool_stats stats;
	struct timespec at;
};

struct samples {
	size_t nr;
	struct sample *sample;
};

enum {
	TIME, POOL, MANAGED, ALLOCATED, CACHED, FREE, ALLOCS_S, FREES_S, SPLITS_S, MERGES_S,
	FAILS_S, SLOW_S, GROWS_S, SHRINKS_S
};

/* Widths keep the lines of one run below each other. */
static const struct column columns[] = {
	[TIME]		= { .name = "TIME", .kind = K_NUMBER, .extra = true, .width = 10 },
	[POOL]		= { .name = "POOL", .width = 7 },
	[MANAGED]	= { .name = "MANAGED", .kind = K_SIZE, .width = 7 },
	[ALLOCATED]	= { .name = "ALLOCATED", .kind = K_SIZE, .width = 9 },
	[CACHED]	= { .name = "CACHED", .kind = K_SIZE, .width = 7 },
	[FREE]		= { .name = "FREE", .kind = K_SIZE, .width = 7 },
	[ALLOCS_S]	= { .name = "ALLOCS_S", .kind = K_COUNT, .width = 8 },
	[FREES_S]	= { .name = "FREES_S", .kind = K_COUNT, .width = 7 },
	[SPLITS_S]	= { .name = "SPLITS_S", .kind = K_COUNT, .width = 8 },
	[MERGES_S]	= { .name = "MERGES_S", .kind = K_COUNT, .width = 8 },
	[FAILS_S]	= { .name = "FAILS_S", .kind = K_COUNT, .extra = true, .width = 7 },
	[SLOW_S]	= { .name = "SLOW_S", .kind = K_COUNT, .extra = true, .width = 6 },
	[GROWS_S]	= { .name = "GROWS_S", .kind = K_COUNT, .extra = true, .width = 7 },
	[SHRINKS_S]	= { .name = "SHRINKS_S", .kind = K_COUNT, .extra = true, .width = 9 },
};

static void take(struct samples *s)
{
	struct pools pools;
	size_t i;

	pools_select(&pools, req.args[0]);
	s->nr = 0;
	s->sample = calloc(pools.nr + 1, sizeof(*s->sample));
	if (!s->sample)
		die(EXIT_FAILED, "out of memory");
	for (i = 0; i < pools.nr; i++) {
		if (!pool_stats(pools.entry[i].name, &s->sample[s->nr].stats))
			continue;
		clock_gettime(CLOCK_MONOTONIC, &s->sample[s->nr].at);
		s->nr++;
	}
	pools_free(&pools);
}

/* By number, not name: a pool made anew under an old name has no past. */
static const struct sample *before(const struct samples *old, const struct sample *now)
{
	size_t i;

	for (i = 0; i < old->nr; i++)
		if (old->sample[i].stats.id == now->stats.id)
			return &old->sample[i];
	return NULL;
}

static double seconds_between(const struct timespec *a, const struct timespec *b)
{
	return (b->tv_sec - a->tv_sec) + (b->tv_nsec - a->tv_nsec) / 1e9;
}

static void rate(struct table *t, size_t col, const struct sample *old, const struct sample *now,
		 u64 was, u64 is)
{
	double seconds;

	if (!old) {
		table_none(t, col, NULL);
		return;
	}
	seconds = seconds_between(&old->at, &now->at);
	/* per-CPU counters are summed without a lock: a step back is none */
	table_count(t, col, is > was && seconds > 0 ? (is - was) / seconds + 0.5 : 0);
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
	static const struct quarry_pool_stats none;
	const struct quarry_pool_stats *s, *w;
	const struct sample *n, *o;
	size_t i;

	for (i = 0; i < now->nr; i++) {
		n = &now->sample[i];
		o = before(old, n);
		s = &n->stats;
		w = o ? &o->stats : &none;
		table_row(t);
		table_count(t, TIME, time(NULL));
		table_text(t, POOL, s->name);
		table_count(t, MANAGED, s->managed_bytes);
		table_count(t, ALLOCATED, s->allocated_bytes);
		table_count(t, CACHED, s->cached_bytes);
		table_count(t, FREE, s->free_bytes);
		rate(t, ALLOCS_S, o, n, w->allocs, s->allocs);
		rate(t, FREES_S, o, n, w->frees, s->frees);
		rate(t, SPLITS_S, o, n, w->splits, s->splits);
		rate(t, MERGES_S, o, n, w->merges, s->merges);
		rate(t, FAILS_S, o, n, fails(w), fails(s));
		rate(t, SLOW_S, o, n, slow(w), slow(s));
		rate(t, GROWS_S, o, n, w->grows, s->grows);
		rate(t, SHRINKS_S, o, n, w->shrinks, s->shrinks);
	}
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
	const char *chosen = req.columns;
	struct quarry_pool_orders *all;
	struct table *t;
	size_t i, got = 0;

	all = calloc(now->nr, sizeof(*all));
	if (!all)
		die(EXIT_FAILED, "out of memory");
	for (i = 0; i < now->nr; i++) {
		if (!read_orders(&all[got], now->sample[i].stats.name))
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
			.name = names[order], .kind = K_COUNT, .width = 4
		};
	req.columns = NULL;
	t = table_new("orders", order_columns, nr + 1);
	req.columns = chosen;
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
		if (!map_read(now->sample[i].stats.name, &map))
			continue;
		picture_title(out, now->sample[i].stats.name, &map);
		picture_draw(out, &map, screen_width(), each > 2 ? each - 1 : each);
		map_free(&map);
	}
	picture_legend(out);
}

static void draw(const struct samples *old, const struct samples *now)
{
	struct column wide[ARRAY_SIZE(columns)];
	struct table *t;
	char clock[16];
	char *text = NULL;
	time_t seconds = time(NULL);
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		die(EXIT_FAILED, "out of memory");
	memcpy(wide, columns, sizeof(wide));
	if (screen_width() >= WIDE) {
		wide[FAILS_S].extra = false;
		wide[SLOW_S].extra = false;
		wide[GROWS_S].extra = false;
		wide[SHRINKS_S].extra = false;
	}
	t = table_new("samples", wide, ARRAY_SIZE(wide));
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&seconds));
	fprintf(out, "quarry %s   %u pool%s   every %gs   %s   ^C ends\n\n", module.version,
		(unsigned int)now->nr, now->nr == 1 ? "" : "s", req.delay, clock);
	fill(t, old, now);
	table_print(t, out);
	fputc('\n', out);
	if (now->nr) {
		draw_orders(out, now);
		fputc('\n', out);
		draw_maps(out, now, screen_height() - 8 - 2 * (int)now->nr);
	}
	fclose(out);
	live_draw(text);
	free(text);
	table_free(t);
}

static void append(const struct samples *old, const struct samples *now, u64 line)
{
	struct table *t = table_new("samples", columns, ARRAY_SIZE(columns));

	fill(t, old, now);
	table_append(t, stdout, req.raw ? !line : line % HEADINGS_EVERY == 0);
	table_free(t);
}

/* The first sample is only where rates start from: nothing has been seen yet. */
int stat_live(void)
{
	bool in_place = !req.json && !req.raw && !req.columns && screen_is_terminal();
	struct samples old = { 0 }, now;
	u64 line = 0;

	live_begin();
	take(&now);
	if (in_place)
		draw(&old, &now);
	while (live_wait()) {
		free(old.sample);
		old = now;
		take(&now);
		if (in_place)
			draw(&old, &now);
		else
			append(&old, &now, line);
		line++;
		if (!flush() || line == req.count)
			break;
	}
	free(old.sample);
	free(now.sample);
	return EXIT_OK;
}
