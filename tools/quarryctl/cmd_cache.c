// SPDX-License-Identifier: GPL-2.0
/* quarryctl cache: every figure of one cache; switch its modes, shrink it, let it fail. */
#include <string.h>

#include "quarryctl.h"

enum { CACHE, POOL, KIND, MODES, RETURNED, NR_SPECIAL };

/* Columns are named as the fields of struct quarry_cache_stats are. */
#define FIGURE(field, title, what) \
	{ { .name = title, .kind = what }, offsetof(struct quarry_cache_stats, field), \
	  sizeof(((struct quarry_cache_stats *)0)->field) }
#define SIZE(field, title)	FIGURE(field, title, K_SIZE)
#define COUNT(field, title)	FIGURE(field, title, K_COUNT)
#define ERROR(what)		FIGURE(errors[QUARRY_CACHE_ERR_##what], "ERR_" #what, K_COUNT)

static const struct {
	struct column column;
	size_t offset;
	size_t size;
} fields[] = {
	[CACHE]		= { { .name = "CACHE" }, 0, 0 },
	[POOL]		= { { .name = "POOL" }, 0, 0 },
	[KIND]		= { { .name = "KIND" }, 0, 0 },
	[MODES]		= { { .name = "MODES" }, 0, 0 },
	[RETURNED]	= { { .name = "RETURNED", .kind = K_SIZE }, 0, 0 },
	COUNT(id, "ID"),
	SIZE(object_size, "OBJECT_SIZE"),
	SIZE(stride, "STRIDE"),
	SIZE(align, "ALIGN"),
	COUNT(order, "ORDER"),
	COUNT(objects_per_slab, "OBJECTS_PER_SLAB"),
	SIZE(slab_bytes, "SLAB_MEMORY"),
	SIZE(object_bytes, "OBJECTS"),
	SIZE(magazine_bytes, "MAGAZINE"),
	SIZE(partial_bytes, "PARTIAL"),
	SIZE(waste_bytes, "WASTE"),
	SIZE(metadata_bytes, "METADATA"),
	SIZE(percpu_bytes, "PERCPU"),
	COUNT(slabs, "SLABS"),
	COUNT(slabs_empty, "SLABS_EMPTY"),
	COUNT(objects_out, "OBJECTS_OUT"),
	COUNT(magazines, "MAGAZINES"),
	COUNT(magazine_capacity, "MAGAZINE_CAPACITY"),
	COUNT(allocs, "ALLOCS"),
	COUNT(frees, "FREES"),
	COUNT(slow_allocs, "SLOW_ALLOCS"),
	COUNT(slow_frees, "SLOW_FREES"),
	COUNT(direct_allocs, "DIRECT_ALLOCS"),
	COUNT(direct_frees, "DIRECT_FREES"),
	COUNT(exchanges, "EXCHANGES"),
	COUNT(refills, "REFILLS"),
	COUNT(flushes, "FLUSHES"),
	COUNT(grows, "GROWS"),
	COUNT(shrinks, "SHRINKS"),
	COUNT(constructed, "CONSTRUCTED"),
	COUNT(failures, "FAILURES"),
	COUNT(fail_injected, "FAIL_INJECTED"),
	ERROR(DOUBLE_FREE),
	ERROR(WRONG_CACHE),
	ERROR(INTERIOR),
	ERROR(FOREIGN),
	ERROR(BAD_ARGUMENT),
	ERROR(OVERFLOW),
	ERROR(USE_AFTER_FREE),
	ERROR(LEAK),
	ERROR(DEAD),
	ERROR(CORRUPT),
	ERROR(KFREE),
};

static u64 field(const struct quarry_cache_stats *s, size_t i)
{
	__u32 narrow;
	u64 value;

	if (fields[i].size == sizeof(narrow)) {
		memcpy(&narrow, (const char *)s + fields[i].offset, sizeof(narrow));
		return narrow;
	}
	memcpy(&value, (const char *)s + fields[i].offset, sizeof(value));
	return value;
}

static void fill(struct table *t, const struct quarry_cache_stats *s, u64 returned)
{
	char text[96];
	size_t i;

	table_row(t);
	table_text(t, CACHE, s->name);
	table_text(t, POOL, s->pool);
	table_text(t, KIND, cache_kind(s->kind));
	modes_format(text, sizeof(text), s->modes);
	table_text(t, MODES, text);
	if (req.shrink)
		table_count(t, RETURNED, returned);
	else
		table_none(t, RETURNED, NULL);
	for (i = NR_SPECIAL; i < ARRAY_SIZE(fields); i++)
		table_count(t, i, field(s, i));
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
	struct column columns[ARRAY_SIZE(fields)];
	const char *name = req.args[0];
	struct quarry_cache_stats stats;
	u64 returned = 0;
	struct table *t;
	int status = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		columns[i] = fields[i].column;
	/* Only --shrink has given anything back. */
	columns[RETURNED].extra = !req.shrink;
	t = table_new("cache", columns, ARRAY_SIZE(columns));
	name_check("cache", name);
	device_open(req.switches || req.shrink);
	if (req.switches)
		status = change_modes(name);
	if (!status && req.shrink)
		status = shrink(name, &returned);
	if (!status && cache_stats(name, &stats, true))
		fill(t, &stats, returned);
	if (!status)
		table_print_upright(t, stdout);
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
	{ 0 }
};

const struct command cmd_cache = {
	.name = "cache",
	.args_doc = "NAME",
	.doc = "Show every figure of a cache; options change it before.\n"
	       "\vModes: poison fills free objects and looks at the filling, redzone guards the\n"
	       "bytes beside an object, owner keeps the stacks of the last allocation and free\n"
	       "(see quarryctl leaks), quarantine lets free objects wait, check sees a double\n"
	       "free at once, random hands objects out in no order. Objects that are out when\n"
	       "the first mode goes on are not guarded.\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
