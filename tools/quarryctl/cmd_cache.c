// SPDX-License-Identifier: GPL-2.0
/* quarryctl cache: every figure of one cache; switch its modes, shrink it, let it fail. */
#include <string.h>

#include "quarryctl.h"

enum { CACHE, POOL, KIND, MODES, RETURNED };

/* First what is no figure; then all figures, under the names that the list gives them. */
#define FIELD(field)	FIGURE(struct quarry_cache_stats, field)
#define COLUMN(kind, field, NAME, text)	FIGURE_COLUMN(quarry_cache_stats, kind, field, NAME, text)
static const struct column columns[] = QUARRY_CACHE_FIGURES(COLUMN,
	[CACHE]		= { .name = "CACHE", .help = "its name" },
	[POOL]		= { .name = "POOL", .help = "where its memory comes from" },
	[KIND]		= { .name = "KIND", .help = "typed, or class (of malloc)" },
	[MODES]		= { .name = "MODES", .help = "that are on" },
	[RETURNED]	= { .name = "RETURNED", .kind = K_SIZE, .extra = true,
			    .help = "what --shrink has given back" },
	{ .name = "ID", .kind = K_COUNT, FIELD(id),
	  .help = "its number, never used again" },
	{ .name = "OBJECT_SIZE", .kind = K_NUMBER, FIELD(object_size),
	  .help = "bytes of an object" },
	{ .name = "STRIDE", .kind = K_NUMBER, FIELD(stride),
	  .help = "bytes from one object to the next" },
	{ .name = "ALIGN", .kind = K_NUMBER, FIELD(align),
	  .help = "what objects are aligned to" },
	{ .name = "ORDER", .kind = K_COUNT, FIELD(order),
	  .help = "of a slab's pages" },
	{ .name = "OBJECTS_PER_SLAB", .kind = K_COUNT, FIELD(objects_per_slab),
	  .help = "how many a slab has" },
);

static void fill(struct table *t, const struct quarry_cache_stats *s, u64 returned)
{
	char text[96];

	table_row(t);
	table_text(t, CACHE, s->name);
	table_figures(t, s);
	table_text(t, POOL, s->pool);
	table_text(t, KIND, cache_kind(s->kind));
	modes_format(text, sizeof(text), s->modes);
	table_text(t, MODES, text);
	if (req.shrink)
		table_count(t, RETURNED, returned);
	else
		table_none(t, RETURNED, NULL);
}

/* What was changed, in a line. */
static void tell(const struct quarry_cache_stats *s, unsigned int before, u64 returned)
{
	char now[96], was[96], size[32];
	const char *comma = "";

	printf("cache \"%s\":", s->name);
	if (req.modes_set | req.modes_clear) {
		modes_format(now, sizeof(now), s->modes);
		modes_format(was, sizeof(was), before);
		printf(" modes %s (were %s)", now, was);
		comma = ",";
	}
	if (!req.fail_nth)
		printf("%s no n-th allocation fails", comma);
	else if (req.fail_nth != U64_MAX)
		printf("%s allocation %llu from now fails", comma, req.fail_nth);
	comma = req.fail_nth == U64_MAX ? comma : ",";
	if (req.fail_per_million != UINT32_MAX) {
		printf("%s %u of a million allocations fail", comma, req.fail_per_million);
		comma = ",";
	}
	if (req.shrink) {
		size_format(size, sizeof(size), returned);
		printf("%s %s given back to pool \"%s\", in whole slabs", comma, size, s->pool);
	}
	putchar('\n');
}

static int change_modes(const char *name)
{
	struct quarry_cache_modes m = {
		.size = sizeof(m),
		.set = req.modes_set,
		.clear = req.modes_clear & QUARRY_MODES,
		.fail_per_million = req.fail_per_million,
		.fail_nth = req.fail_nth,
	};

	name_set(m.name, name);
	return device_call(QUARRY_IOC_CACHE_MODES, &m, name);
}

static int shrink(const char *name, u64 *returned)
{
	struct quarry_cache_op op = { .size = sizeof(op) };
	int status;

	name_set(op.name, name);
	status = device_call(QUARRY_IOC_CACHE_SHRINK, &op, name);
	*returned = op.bytes;
	return status;
}

static int run(void)
{
	struct table *t = table_new("cache", columns, ARRAY_SIZE(columns));
	bool change = req.switches || req.shrink;
	const char *name = req.args[0];
	struct quarry_cache_stats stats;
	unsigned int before = 0;
	u64 returned = 0;
	int status = 0;

	name_check("cache", name);
	modes_check("cache", QUARRY_MODES);
	device_open(change);
	if (change && cache_stats(name, &stats, true))
		before = stats.modes;
	if (req.switches)
		status = change_modes(name);
	if (!status && req.shrink)
		status = shrink(name, &returned);
	if (!status && cache_stats(name, &stats, true)) {
		if (change && !table_wanted()) {
			tell(&stats, before, returned);
		} else {
			fill(t, &stats, returned);
			table_print_upright(t, stdout);
		}
	}
	table_free(t);
	return status;
}

static const struct argp_option options[] = {
	{ "modes", OPT_MODES, "MODES", 0,
	  "Switch safety modes: +poison,-owner changes these, poison,check sets exactly these, none",
	  1 },
	{ "shrink", OPT_SHRINK, NULL, 0, "Give back to the pool what is not in use", 1 },
	{ "fail-nth", OPT_FAIL_NTH, "N", 0,
	  "Fail the N-th allocation from now, once; 0: none", 1 },
	{ "fail-per-million", OPT_FAIL_PER_MILLION, "N", 0,
	  "Fail N allocations of a million, at random; 0: none", 1 },
	OPTION_NONZERO,
	{ 0 }
};

/* As an initializer in braces, which a list is, of an array of characters. */
static const char doc[] = QUARRY_CACHE_MODE_LIST(MODE_LINE,
	"Show every figure of a cache, or change it and say what was changed.\n"
	"\vObjects that are out when the first mode goes on are not guarded. Modes:\n"
);

const struct command cmd_cache = {
	.name = "cache",
	.args_doc = "NAME",
	.summary = "every figure of a cache; --modes --shrink --fail-nth",
	.doc = doc,
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl cache reqs --modes +owner\n"
	"cache \"reqs\": modes redzone,owner (were redzone)\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
