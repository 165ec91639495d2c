// SPDX-License-Identifier: GPL-2.0
/* quarryctl caches: a line for each cache. */
#include "quarryctl.h"

enum {
	NAME, ID, KIND, POOL, SIZE, STRIDE, OUT, SLABS, MEMORY, OBJECTS, MAGAZINE, PARTIAL, WASTE,
	METADATA, ALLOCS, FREES, MODES
};

static const struct column columns[] = {
	[NAME]		= { .name = "NAME" },
	[ID]		= { .name = "ID", .kind = K_NUMBER, .extra = true },
	[KIND]		= { .name = "KIND", .extra = true },
	[POOL]		= { .name = "POOL" },
	[SIZE]		= { .name = "SIZE", .kind = K_SIZE },
	[STRIDE]	= { .name = "STRIDE", .kind = K_SIZE, .extra = true },
	[OUT]		= { .name = "OUT", .kind = K_COUNT },
	[SLABS]		= { .name = "SLABS", .kind = K_COUNT },
	[MEMORY]	= { .name = "MEMORY", .kind = K_SIZE },
	[OBJECTS]	= { .name = "OBJECTS", .kind = K_SIZE },
	[MAGAZINE]	= { .name = "MAGAZINE", .kind = K_SIZE },
	[PARTIAL]	= { .name = "PARTIAL", .kind = K_SIZE },
	[WASTE]		= { .name = "WASTE", .kind = K_SIZE, .extra = true },
	[METADATA]	= { .name = "METADATA", .kind = K_SIZE, .extra = true },
	[ALLOCS]	= { .name = "ALLOCS", .kind = K_COUNT, .extra = true },
	[FREES]		= { .name = "FREES", .kind = K_COUNT, .extra = true },
	[MODES]		= { .name = "MODES" },
};

static void fill(struct table *t, const struct quarry_cache_stats *s)
{
	char text[96];

	table_row(t);
	table_text(t, NAME, s->name);
	table_count(t, ID, s->id);
	table_text(t, KIND, cache_kind(s->kind));
	table_text(t, POOL, s->pool);
	table_count(t, SIZE, s->object_size);
	table_count(t, STRIDE, s->stride);
	table_count(t, OUT, s->objects_out);
	table_count(t, SLABS, s->slabs);
	table_count(t, MEMORY, s->slab_bytes);
	table_count(t, OBJECTS, s->object_bytes);
	table_count(t, MAGAZINE, s->magazine_bytes);
	table_count(t, PARTIAL, s->partial_bytes);
	table_count(t, WASTE, s->waste_bytes);
	table_count(t, METADATA, s->metadata_bytes + s->percpu_bytes);
	table_count(t, ALLOCS, s->allocs);
	table_count(t, FREES, s->frees);
	modes_format(text, sizeof(text), s->modes);
	table_text(t, MODES, text);
}

/* It has no name that could be asked for any more: what it has is not known. */
static void fill_dead(struct table *t, const struct quarry_cache_entry *e)
{
	size_t i;

	table_row(t);
	table_text(t, NAME, e->name);
	table_count(t, ID, e->id);
	table_text(t, KIND, cache_kind(e->kind));
	for (i = POOL; i < MODES; i++)
		table_none(t, i, NULL);
	table_none(t, MODES, "destroyed, objects out");
}

static int run(void)
{
	struct table *t = table_new("caches", columns, ARRAY_SIZE(columns));
	struct quarry_cache_stats stats;
	struct caches caches;
	size_t i, shown = 0;

	device_open(false);
	caches_list(&caches);
	for (i = 0; i < caches.nr; i++) {
		if (caches.entry[i].kind == QUARRY_CACHE_CLASS && !req.all)
			continue;
		if (caches.entry[i].kind == QUARRY_CACHE_DEAD)
			fill_dead(t, &caches.entry[i]);
		else if (cache_stats(caches.entry[i].name, &stats, false))
			fill(t, &stats);
		else
			continue;
		shown++;
	}
	table_print(t, stdout);
	table_free(t);
	caches_free(&caches);
	if (!shown)
		complain(EXIT_OK,
			 "there are no caches but those of malloc; show these with: quarryctl caches --all");
	return EXIT_OK;
}

static const struct argp_option options[] = {
	{ "all", OPT_ALL, NULL, 0, "The size classes of malloc too", 1 },
	{ 0 }
};

const struct command cmd_caches = {
	.name = "caches",
	.doc = "Show a line for each cache: its objects, and where its memory is.\n"
	       "\vMEMORY is what the cache has from its pool; of it OBJECTS is with clients,\n"
	       "MAGAZINE in magazines, PARTIAL free in slabs, and WASTE what no object covers.\n"
	       "OUT counts the objects with clients. ID, KIND, STRIDE, WASTE, METADATA,\n"
	       "ALLOCS and FREES are shown by -o and --json.\n",
	.options = options,
	.run = run,
};
