// SPDX-License-Identifier: GPL-2.0
/* quarryctl caches -d: rates of caches, from pairs of samples. */
#include <stdlib.h>
#include <string.h>

#include "quarryctl.h"

enum { TIME, CACHE, POOL, SIZE, OUT, USE, MEMORY, ALLOCS_S, FREES_S, FAILS_S, SLOW_S };

#define FIELD(field)	FIGURE(struct quarry_cache_stats, field)

/* Widths keep the lines of one run below each other. */
static const struct column columns[] = {
	[TIME]		= { .name = "TIME", .kind = K_NUMBER, .extra = true, .width = 10 },
	[CACHE]		= { .name = "CACHE", .width = 12 },
	[POOL]		= { .name = "POOL", .rank = 5, .width = 7 },
	[SIZE]		= { .name = "SIZE", .kind = K_NUMBER, .width = 5, .rank = 2,
			    FIELD(object_size) },
	[OUT]		= { .name = "OUT", .kind = K_COUNT, .width = 6, .rank = 1,
			    FIELD(objects_out) },
	[USE]		= { .name = "USE%", .kind = K_SHARE, .width = 4, .rank = 3 },
	[MEMORY]	= { .name = "MEMORY", .kind = K_SIZE, .width = 6, FIELD(slab_bytes) },
	[ALLOCS_S]	= { .name = "ALLOCS_S", .kind = K_COUNT, .width = 8 },
	[FREES_S]	= { .name = "FREES_S", .kind = K_COUNT, .width = 7, .rank = 4 },
	[FAILS_S]	= { .name = "FAILS_S", .kind = K_COUNT, .width = 7, .bad = "" },
	[SLOW_S]	= { .name = "SLOW_S", .kind = K_COUNT, .extra = true, .width = 6 },
};

static void *take(void)
{
	struct quarry_cache_stats *stats;
	struct caches caches;
	struct samples *s;
	size_t i;

	caches_list(&caches);
	s = samples_new(caches.nr, sizeof(*stats), offsetof(struct quarry_cache_stats, id));
	for (i = 0; i < caches.nr; i++) {
		stats = samples_next(s);
		if (cache_is_wanted(&caches.entry[i]) &&
		    caches.entry[i].kind != QUARRY_CACHE_DEAD &&
		    cache_stats(caches.entry[i].name, stats, false) &&
		    (!req.nr_args || !strcmp(req.args[0], stats->pool)))
			samples_keep(s);
	}
	caches_free(&caches);
	return s;
}

static void fill(struct table *t, const struct samples *old, const struct samples *now)
{
	const struct quarry_cache_stats *s, *w;
	double seconds;
	size_t i;

	for (i = 0; i < now->nr; i++) {
		s = samples_get(now, i);
		w = samples_before(old, now, i, &seconds);
		table_row(t);
		if (!s->slabs)
			table_row_is_empty(t);
		table_count(t, TIME, time(NULL));
		table_text(t, CACHE, s->name);
		table_text(t, POOL, s->pool);
		table_figures(t, s);
		table_share(t, USE, s->object_bytes, s->slab_bytes);
		table_rate(t, ALLOCS_S, seconds, w->allocs, s->allocs);
		table_rate(t, FREES_S, seconds, w->frees, s->frees);
		table_rate(t, FAILS_S, seconds, w->failures, s->failures);
		table_rate(t, SLOW_S, seconds, w->slow_allocs + w->slow_frees,
			   s->slow_allocs + s->slow_frees);
	}
}

static void draw(FILE *out, const void *old, const void *sample, const struct order *order)
{
	struct table *t = table_new("samples", columns, ARRAY_SIZE(columns));
	const struct samples *now = sample;
	char what[32];

	if (order->chosen || !req.sort)
		table_sort(t, order->chosen ? order->key : MEMORY, order->reverse);
	snprintf(what, sizeof(what), "%zu cache%s", now->nr, now->nr == 1 ? "" : "s");
	live_title(out, what);
	fill(t, old, now);
	table_print(t, out);
	table_free(t);
}

static void append(const void *old, const void *now, u64 line)
{
	struct table *t = table_new("samples", columns, ARRAY_SIZE(columns));

	fill(t, old, now);
	table_append(t, stdout, req.raw ? !line : line % HEADINGS_EVERY == 0);
	table_free(t);
}

int caches_live(void)
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
