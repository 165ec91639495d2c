// SPDX-License-Identifier: GPL-2.0
/* quarryctl sizes: the size classes of malloc. */
#include "quarryctl.h"

enum {
	CLASS, SIZE, OUT, SLABS, MEMORY, OBJECTS, MAGAZINE, PARTIAL, WASTE, ALLOCS, FREES, FAILURES
};

static const struct column columns[] = {
	[CLASS]		= { .name = "CLASS" },
	[SIZE]		= { .name = "SIZE", .kind = K_NUMBER },
	[OUT]		= { .name = "OUT", .kind = K_COUNT },
	[SLABS]		= { .name = "SLABS", .kind = K_COUNT },
	[MEMORY]	= { .name = "MEMORY", .kind = K_SIZE },
	[OBJECTS]	= { .name = "OBJECTS", .kind = K_SIZE },
	[MAGAZINE]	= { .name = "MAGAZINE", .kind = K_SIZE },
	[PARTIAL]	= { .name = "PARTIAL", .kind = K_SIZE },
	[WASTE]		= { .name = "WASTE", .kind = K_SIZE },
	[ALLOCS]	= { .name = "ALLOCS", .kind = K_COUNT },
	[FREES]		= { .name = "FREES", .kind = K_COUNT },
	[FAILURES]	= { .name = "FAILURES", .kind = K_COUNT, .extra = true },
};

static void fill(struct table *t, const struct quarry_cache_stats *s, const char *name)
{
	table_row(t);
	table_text(t, CLASS, name);
	if (s->object_size)
		table_count(t, SIZE, s->object_size);
	else
		table_none(t, SIZE, NULL);
	table_count(t, OUT, s->objects_out);
	table_count(t, SLABS, s->slabs);
	table_count(t, MEMORY, s->slab_bytes);
	table_count(t, OBJECTS, s->object_bytes);
	table_count(t, MAGAZINE, s->magazine_bytes);
	table_count(t, PARTIAL, s->partial_bytes);
	table_count(t, WASTE, s->waste_bytes);
	table_count(t, ALLOCS, s->allocs);
	table_count(t, FREES, s->frees);
	table_count(t, FAILURES, s->failures);
}

static void add(struct quarry_cache_stats *sum, const struct quarry_cache_stats *s)
{
	sum->objects_out += s->objects_out;
	sum->slabs += s->slabs;
	sum->slab_bytes += s->slab_bytes;
	sum->object_bytes += s->object_bytes;
	sum->magazine_bytes += s->magazine_bytes;
	sum->partial_bytes += s->partial_bytes;
	sum->waste_bytes += s->waste_bytes;
	sum->allocs += s->allocs;
	sum->frees += s->frees;
	sum->failures += s->failures;
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
		fill(t, &stats, stats.name);
		add(&sum, &stats);
	}
	/* For programs each record is a class, so that they can add up by themselves. */
	if (!req.json && !req.raw)
		fill(t, &sum, "total");
	table_print(t, stdout);
	table_free(t);
	caches_free(&caches);
	return EXIT_OK;
}

const struct command cmd_sizes = {
	.name = "sizes",
	.doc = "Show a line for each size class of malloc, and their total.\n"
	       "\vAn allocation takes an object of the smallest class that holds it. Larger\n"
	       "allocations than the last class has take pages, which \"stat\" counts as\n"
	       "ALLOCATED. --json and --raw have no total. FAILURES is shown by -o and --json.\n",
	.run = run,
};
