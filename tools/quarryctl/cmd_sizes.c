// SPDX-License-Identifier: GPL-2.0
/* quarryctl sizes: the size classes of malloc. */
#include "quarryctl.h"

enum {
	CACHE, SIZE, OUT, USE, SLABS, MEMORY, OBJECTS, MAGAZINE, PARTIAL, WASTE, ALLOCS, FREES,
	FAILURES
};

#define FIELD(field)	FIGURE(struct quarry_cache_stats, field)

static const struct column columns[] = {
	[CACHE]		= { .name = "CACHE", .help = "the cache of the class" },
	[SIZE]		= { .name = "SIZE", .kind = K_NUMBER, FIELD(object_size),
			    .help = "bytes of an object" },
	[OUT]		= { .name = "OUT", .kind = K_COUNT, FIELD(objects_out),
			    .help = "objects with clients" },
	[USE]		= { .name = "USE%", .kind = K_SHARE, .rank = 1,
			    .help = "OBJECTS of MEMORY" },
	[SLABS]		= { .name = "SLABS", .kind = K_COUNT, .rank = 2, FIELD(slabs),
			    .help = "blocks of pages that it has" },
	[MEMORY]	= { .name = "MEMORY", .kind = K_SIZE, FIELD(slab_bytes),
			    .help = "bytes in slabs" },
	[OBJECTS]	= { .name = "OBJECTS", .kind = K_SIZE, .rank = 3, FIELD(object_bytes),
			    .help = "of MEMORY, with clients" },
	[MAGAZINE]	= { .name = "MAGAZINE", .kind = K_SIZE, .rank = 4, FIELD(magazine_bytes),
			    .help = "of MEMORY, in magazines" },
	[PARTIAL]	= { .name = "PARTIAL", .kind = K_SIZE, .rank = 5, FIELD(partial_bytes),
			    .help = "of MEMORY, free in slabs" },
	[WASTE]		= { .name = "WASTE", .kind = K_SIZE, .rank = 6, FIELD(waste_bytes),
			    .help = "of MEMORY, what no object covers" },
	[ALLOCS]	= { .name = "ALLOCS", .kind = K_COUNT, .rank = 7, FIELD(allocs),
			    .help = "objects handed out, ever" },
	[FREES]		= { .name = "FREES", .kind = K_COUNT, .rank = 8, FIELD(frees),
			    .help = "objects taken back, ever" },
	[FAILURES]	= { .name = "FAILURES", .kind = K_COUNT, .extra = true, .bad = "",
			    FIELD(failures), .help = "allocations that were refused, ever" },
};

static void fill(struct table *t, const struct quarry_cache_stats *s)
{
	table_row(t);
	if (!s->slabs)
		table_row_is_empty(t);
	table_text(t, CACHE, s->name);
	table_figures(t, s);
	table_share(t, USE, s->object_bytes, s->slab_bytes);
}

static void fill_total(struct table *t, const struct quarry_cache_stats *sum)
{
	fill(t, sum);
	table_row_is_total(t);
	table_text(t, CACHE, "total");
	table_none(t, SIZE, NULL);
}

static int run(void)
{
	struct table *t = table_new("sizes", columns, ARRAY_SIZE(columns));
	struct quarry_cache_stats stats, sum = { 0 };
	struct caches caches;
	size_t i;

	device_open(false);
	caches_list(&caches);
	for (i = 0; i < caches.nr; i++) {
		if (caches.entry[i].kind != QUARRY_CACHE_CLASS ||
		    !cache_stats(caches.entry[i].name, &stats, false))
			continue;
		fill(t, &stats);
		cache_stats_add(&sum, &stats);
	}
	fill_total(t, &sum);
	table_print(t, stdout);
	table_free(t);
	caches_free(&caches);
	return EXIT_OK;
}

const struct command cmd_sizes = {
	.name = "sizes",
	.summary = "the size classes of malloc, and their total",
	.doc = "Show a line for each size class of malloc, and their total.\n"
	       "\vAn allocation takes an object of the smallest class that holds it. Larger\n"
	       "allocations than the last class has take pages: ALLOCATED in \"stat\".\n",
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl sizes --sort -size --output cache,size,out,use%,memory\n"
	"CACHE       SIZE OUT USE% MEMORY\n"
	"malloc-8       8   3  <1%    40K\n"
	"malloc-64     64   3  <1%    40K\n"
	"malloc-4096 4096   3  30%    40K\n"
	"total          -   9  10%   120K\n",
	.run = run,
};
