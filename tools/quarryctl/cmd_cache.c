// SPDX-License-Identifier: GPL-2.0
/* quarryctl cache: every figure of one cache; switch its modes, shrink it, let it fail. */
#include <string.h>

#include "quarryctl.h"

enum { CACHE, POOL, KIND, MODES, RETURNED };

/* Columns are named as the fields of struct quarry_cache_stats are. */
#define FIELD(field)	FIGURE(struct quarry_cache_stats, field)
#define ERROR(what, text) \
	{ .name = "ERR_" #what, .kind = K_COUNT, .bad = "", \
	  FIELD(errors[QUARRY_CACHE_ERR_##what]), .help = text }

static const struct column columns[] = {
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
	{ .name = "SLAB_MEMORY", .kind = K_SIZE, FIELD(slab_bytes),
	  .help = "bytes in slabs" },
	{ .name = "OBJECTS", .kind = K_SIZE, FIELD(object_bytes),
	  .help = "of that, with clients" },
	{ .name = "MAGAZINE", .kind = K_SIZE, FIELD(magazine_bytes),
	  .help = "of SLAB_MEMORY, in magazines" },
	{ .name = "PARTIAL", .kind = K_SIZE, FIELD(partial_bytes),
	  .help = "of SLAB_MEMORY, free in slabs" },
	{ .name = "WASTE", .kind = K_SIZE, FIELD(waste_bytes),
	  .help = "of SLAB_MEMORY, what no object covers" },
	{ .name = "METADATA", .kind = K_SIZE, FIELD(metadata_bytes),
	  .help = "beside SLAB_MEMORY, what describes it" },
	{ .name = "PERCPU", .kind = K_SIZE, FIELD(percpu_bytes),
	  .help = "what its part of all CPUs costs" },
	{ .name = "SLABS", .kind = K_COUNT, FIELD(slabs),
	  .help = "blocks of pages that it has" },
	{ .name = "SLABS_EMPTY", .kind = K_COUNT, FIELD(slabs_empty),
	  .help = "of these, with no object out" },
	{ .name = "OBJECTS_OUT", .kind = K_COUNT, FIELD(objects_out),
	  .help = "objects with clients" },
	{ .name = "MAGAZINES", .kind = K_COUNT, FIELD(magazines),
	  .help = "magazines that there are" },
	{ .name = "MAGAZINE_CAPACITY", .kind = K_COUNT, FIELD(magazine_capacity),
	  .help = "objects in a full one" },
	{ .name = "ALLOCS", .kind = K_COUNT, FIELD(allocs),
	  .help = "objects handed out" },
	{ .name = "FREES", .kind = K_COUNT, FIELD(frees),
	  .help = "objects taken back" },
	{ .name = "SLOW_ALLOCS", .kind = K_COUNT, FIELD(slow_allocs),
	  .help = "allocations that no magazine could serve" },
	{ .name = "SLOW_FREES", .kind = K_COUNT, FIELD(slow_frees),
	  .help = "frees that no magazine could take" },
	{ .name = "DIRECT_ALLOCS", .kind = K_COUNT, FIELD(direct_allocs),
	  .help = "allocations from a slab itself" },
	{ .name = "DIRECT_FREES", .kind = K_COUNT, FIELD(direct_frees),
	  .help = "frees to a slab itself" },
	{ .name = "EXCHANGES", .kind = K_COUNT, FIELD(exchanges),
	  .help = "full magazines for empty ones, or back" },
	{ .name = "REFILLS", .kind = K_COUNT, FIELD(refills),
	  .help = "batches from slabs to a magazine" },
	{ .name = "FLUSHES", .kind = K_COUNT, FIELD(flushes),
	  .help = "batches from a magazine to slabs" },
	{ .name = "GROWS", .kind = K_COUNT, FIELD(grows),
	  .help = "slabs taken from the pool" },
	{ .name = "SHRINKS", .kind = K_COUNT, FIELD(shrinks),
	  .help = "slabs given back" },
	{ .name = "CONSTRUCTED", .kind = K_COUNT, FIELD(constructed),
	  .help = "objects that the constructor has made" },
	{ .name = "FAILURES", .kind = K_COUNT, .bad = "", FIELD(failures),
	  .help = "allocations that were refused" },
	{ .name = "FAIL_INJECTED", .kind = K_COUNT, .bad = "", FIELD(fail_injected),
	  .help = "of these, by fault injection" },
	ERROR(DOUBLE_FREE, "an object was freed twice"),
	ERROR(WRONG_CACHE, "freed to another cache"),
	ERROR(INTERIOR, "the inside of an object was freed"),
	ERROR(FOREIGN, "no object of quarry's"),
	ERROR(BAD_ARGUMENT, "what no call can be asked for"),
	ERROR(OVERFLOW, "bytes beside an object were written (mode redzone)"),
	ERROR(USE_AFTER_FREE, "free objects were written to (mode poison)"),
	ERROR(LEAK, "destroyed with objects out"),
	ERROR(DEAD, "used after it was destroyed"),
	ERROR(CORRUPT, "what describes objects is damaged"),
	ERROR(KFREE, "freed by the kernel's kfree()"),
};

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
		.clear = req.modes_clear,
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

const struct command cmd_cache = {
	.name = "cache",
	.args_doc = "NAME",
	.summary = "every figure of a cache; --modes --shrink --fail-nth",
	.doc = "Show every figure of a cache, or change it and say what was changed.\n"
	       "\vModes: poison fills free objects and looks at the filling, redzone guards\n"
	       "the bytes beside an object, owner keeps the stacks of the last allocation\n"
	       "and free (see quarryctl leaks), quarantine lets free objects wait, check\n"
	       "sees a double free at once, random hands objects out in no order. Objects\n"
	       "that are out when the first mode goes on are not guarded.\n",
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
