// SPDX-License-Identifier: GPL-2.0
/* quarryctl caches: a line for each cache. */
#include <string.h>

#include "quarryctl.h"

enum {
	CACHE, ID, KIND, POOL, SIZE, STRIDE, OUT, USE, SLABS, MEMORY, OBJECTS, MAGAZINE, PARTIAL,
	WASTE, METADATA, ALLOCS, FREES, FAILURES, MODES
};

#define FIELD(field)	FIGURE(struct quarry_cache_stats, field)

static const struct column columns[] = {
	[CACHE]		= { .name = "CACHE", .help = "its name" },
	[ID]		= { .name = "ID", .kind = K_NUMBER, .extra = true, FIELD(id),
			    .help = "its number, never used again" },
	[KIND]		= { .name = "KIND", .extra = true,
			    .help = "typed, class (of malloc), or dead" },
	[POOL]		= { .name = "POOL", .rank = 3, .help = "where its memory comes from" },
	[SIZE]		= { .name = "SIZE", .kind = K_NUMBER, FIELD(object_size),
			    .help = "bytes of an object" },
	[STRIDE]	= { .name = "STRIDE", .kind = K_NUMBER, .extra = true, FIELD(stride),
			    .help = "bytes from one object to the next" },
	[OUT]		= { .name = "OUT", .kind = K_COUNT, FIELD(objects_out),
			    .help = "objects with clients" },
	[USE]		= { .name = "USE%", .kind = K_SHARE, .rank = 1,
			    .help = "OBJECTS of MEMORY" },
	[SLABS]		= { .name = "SLABS", .kind = K_COUNT, .rank = 5, FIELD(slabs),
			    .help = "blocks of pages that it has" },
	[MEMORY]	= { .name = "MEMORY", .kind = K_SIZE, FIELD(slab_bytes),
			    .help = "bytes in slabs" },
	[OBJECTS]	= { .name = "OBJECTS", .kind = K_SIZE, .rank = 6, FIELD(object_bytes),
			    .help = "of MEMORY, with clients" },
	[MAGAZINE]	= { .name = "MAGAZINE", .kind = K_SIZE, .rank = 7, FIELD(magazine_bytes),
			    .help = "of MEMORY, in magazines" },
	[PARTIAL]	= { .name = "PARTIAL", .kind = K_SIZE, .rank = 8, FIELD(partial_bytes),
			    .help = "of MEMORY, free in slabs" },
	[WASTE]		= { .name = "WASTE", .kind = K_SIZE, .extra = true, FIELD(waste_bytes),
			    .help = "of MEMORY, what no object covers" },
	[METADATA]	= { .name = "METADATA", .kind = K_SIZE, .extra = true,
			    .help = "beside MEMORY, what describes it" },
	[ALLOCS]	= { .name = "ALLOCS", .kind = K_COUNT, .extra = true, FIELD(allocs),
			    .help = "objects handed out, ever" },
	[FREES]		= { .name = "FREES", .kind = K_COUNT, .extra = true, FIELD(frees),
			    .help = "objects taken back, ever" },
	[FAILURES]	= { .name = "FAILURES", .kind = K_COUNT, .extra = true, .bad = "",
			    FIELD(failures), .help = "allocations that were refused, ever" },
	[MODES]		= { .name = "MODES", .rank = 4,
			    .help = "that are on: see quarryctl cache" },
};

static void fill(struct table *t, const struct quarry_cache_stats *s)
{
	char text[96];

	table_row(t);
	if (!s->slabs)
		table_row_is_empty(t);
	table_text(t, CACHE, s->name);
	table_figures(t, s);
	table_text(t, KIND, cache_kind(s->kind));
	table_text(t, POOL, s->pool);
	table_share(t, USE, s->object_bytes, s->slab_bytes);
	table_count(t, METADATA, s->metadata_bytes + s->percpu_bytes);
	modes_format(text, sizeof(text), s->modes);
	table_text(t, MODES, text);
}

/* It has no name that could be asked for any more: what it has is not known. */
static void fill_dead(struct table *t, const struct quarry_cache_entry *e)
{
	size_t i;

	table_row(t);
	table_text(t, CACHE, e->name);
	table_count(t, ID, e->id);
	table_text(t, KIND, cache_kind(e->kind));
	for (i = POOL; i < MODES; i++)
		table_none(t, i, NULL);
	table_none(t, MODES, "dead");
}

static void fill_total(struct table *t, const struct quarry_cache_stats *sum)
{
	static const int of_one[] = { ID, KIND, POOL, SIZE, STRIDE, MODES };
	size_t i;

	fill(t, sum);
	table_row_is_total(t);
	table_text(t, CACHE, "total");
	for (i = 0; i < ARRAY_SIZE(of_one); i++)
		table_none(t, of_one[i], NULL);
}

static int once(void)
{
	struct table *t = table_new("caches", columns, ARRAY_SIZE(columns));
	struct quarry_cache_stats stats, sum = { 0 };
	const char *pool = req.args[0];
	struct caches caches;
	size_t i, shown = 0;

	caches_list(&caches);
	for (i = 0; i < caches.nr; i++) {
		if (!cache_is_wanted(&caches.entry[i]))
			continue;
		/* Of what is dead nobody knows the pool. */
		if (caches.entry[i].kind == QUARRY_CACHE_DEAD) {
			if (pool)
				continue;
			fill_dead(t, &caches.entry[i]);
		} else if (cache_stats(caches.entry[i].name, &stats, false)) {
			if (pool && strcmp(pool, stats.pool))
				continue;
			fill(t, &stats);
			cache_stats_add(&sum, &stats);
		} else {
			continue;
		}
		shown++;
	}
	if (shown)
		fill_total(t, &sum);
	table_print(t, stdout);
	table_free(t);
	caches_free(&caches);
	if (!shown)
		complain(EXIT_OK,
			 "there are no caches%s but those of malloc; show these with: quarryctl caches --all",
			 pool ? " in that pool" : "");
	return EXIT_OK;
}

static int run(void)
{
	struct quarry_pool_stats stats;

	device_open(false);
	/* A pool that is not there has no caches either, but that is another answer. */
	if (req.nr_args) {
		name_check("pool", req.args[0]);
		if (!pool_stats(req.args[0], &stats))
			return EXIT_NO_POOL;
	}
	return req.live ? caches_live() : once();
}

static const struct argp_option options[] = {
	{ "all", OPT_ALL, NULL, 0, "The size classes of malloc too", 1 },
	OPTION_DELAY,
	OPTION_COUNT,
	{ 0 }
};

const struct command cmd_caches = {
	.name = "caches",
	.args_doc = "[POOL]",
	.summary = "a line for each cache; -a malloc's too, -d 1 live",
	.doc = "Show a line for each cache: its objects, and where its memory is.\n"
	       "\vWith -d a live view with rates, the largest first; q ends it, h helps.\n",
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl caches --output cache,pool,size,out,use%,memory\n"
	"CACHE POOL SIZE OUT USE% MEMORY\n"
	"reqs  brd   200   3   2%    40K\n"
	"bios  brd   200   3   2%    40K\n"
	"total -       -   6   2%    80K\n",
	.options = options,
	.max_args = 1,
	.run = run,
};
