// SPDX-License-Identifier: GPL-2.0
/* quarryctl pool create, pool destroy, pool modes. */
#include "quarryctl.h"

static void check_multiple(const char *option, u64 bytes)
{
	u64 rest = bytes % module.page_size;

	if (rest)
		die(EXIT_USAGE,
		    "pool create: --%s: %llu is not a multiple of the page size; %llu and %llu are",
		    option, bytes, bytes - rest, bytes - rest + module.page_size);
}

static void check_under_max(const char *option, u64 bytes)
{
	char has[32], max[32];

	if (!req.max || bytes <= req.max)
		return;
	size_format(has, sizeof(has), bytes);
	size_format(max, sizeof(max), req.max);
	die(EXIT_USAGE, "pool create: --%s %s is above --max %s", option, has, max);
}

static void tell_created(const struct quarry_pool_stats *s)
{
	char has[32], max[32];

	size_format(has, sizeof(has), s->managed_bytes);
	if (s->max_bytes)
		size_format(max, sizeof(max), s->max_bytes);
	else
		snprintf(max, sizeof(max), "what the machine has");
	printf("pool \"%s\": made, with %s of at most %s", s->name, has, max);
	if (s->node != QUARRY_ANY_NODE)
		printf(", of node %d", s->node);
	putchar('\n');
}

static int create(void)
{
	struct quarry_pool_create c = {
		.size = sizeof(c),
		.min_bytes = req.min,
		.max_bytes = req.max,
		.reserve_bytes = req.reserve,
		.low_bytes = req.low,
		.node = req.node,
	};
	struct quarry_pool_stats stats;
	struct table *t;
	int status;

	name_check("pool", req.args[0]);
	name_set(c.name, req.args[0]);
	t = pools_table();
	device_open(true);
	check_multiple("min", req.min);
	check_multiple("max", req.max);
	check_multiple("reserve", req.reserve);
	check_multiple("low", req.low);
	check_under_max("min", req.min);
	check_under_max("reserve", req.reserve);
	check_under_max("low", req.low);
	status = device_call(QUARRY_IOC_POOL_CREATE, &c, req.args[0]);
	if (!status && pool_stats(req.args[0], &stats)) {
		if (table_wanted()) {
			pools_table_row(t, &stats);
			table_print(t, stdout);
		} else {
			tell_created(&stats);
		}
	}
	table_free(t);
	return status;
}

static const struct argp_option create_options[] = {
	{ "min", OPT_MIN, "SIZE", 0, "Taken now and never given back (default 0)", 1 },
	{ "max", OPT_MAX, "SIZE", 0, "Never more than this (default: the machine's memory)", 1 },
	{ "reserve", OPT_RESERVE, "SIZE", 0,
	  "Kept for callers that must not fail (GFP_ATOMIC) (default 0)", 1 },
	{ "low", OPT_LOW, "SIZE", 0,
	  "Grow in the background when less is free (default: never)", 1 },
	{ "node", OPT_NODE, "NODE", 0, "Take memory of this NUMA node only (default: any)", 1 },
	{ 0 }
};

const struct command cmd_pool_create = {
	.name = "pool create",
	.args_doc = "NAME",
	.summary = "make a pool: --min --max --reserve --low --node",
	.doc = "Make a pool.\n"
	       "\vNAME has 1 to 31 of the characters A-Z a-z 0-9 _ . - but not dots alone.\n"
	       "With --json, --raw and -o it is shown as \"pools\" does.\n",
	.example =
	"$ quarryctl pool create scratch --min 80M --max 256M\n"
	"pool \"scratch\": made, with 80M of at most 256M\n",
	.options = create_options,
	.min_args = 1,
	.max_args = 1,
	.run = create,
};

static int destroy(void)
{
	struct quarry_pool_op op = {
		.size = sizeof(op),
		.flags = req.forget ? QUARRY_POOL_FORGET : 0,
	};
	struct quarry_pool_stats stats;
	char has[32], lost[32];
	int status;

	name_check("pool", req.args[0]);
	name_set(op.name, req.args[0]);
	device_open(true);
	if (!pool_stats(req.args[0], &stats))
		return EXIT_NO_POOL;
	status = device_call(QUARRY_IOC_POOL_DESTROY, &op, req.args[0]);
	if (!status && !table_wanted()) {
		size_format(has, sizeof(has), stats.managed_bytes - op.bytes);
		printf("pool \"%s\": destroyed, %s given back to the kernel\n", req.args[0], has);
	}
	if (!status && op.bytes) {
		size_format(lost, sizeof(lost), op.bytes);
		complain(EXIT_OK,
			 "pool \"%s\" is forgotten; %s that were out of it are lost until the next boot",
			 req.args[0], lost);
	}
	return status;
}

static const struct argp_option destroy_options[] = {
	{ "forget", OPT_FORGET, NULL, 0,
	  "Even if memory of it is out, which is lost then until the next boot", 1 },
	{ 0 }
};

const struct command cmd_pool_destroy = {
	.name = "pool destroy",
	.args_doc = "NAME",
	.summary = "give its memory back, and the pool is no more",
	.doc = "Give all memory of a pool back to the kernel and forget the pool.\n"
	       "\vRefused while a client has pages of it. With --forget these are given up,\n"
	       "for good: nobody gets them, and the name is free. It is for what a module\n"
	       "has leaked that is gone; refused while the module that made the pool is\n"
	       "loaded, or while a cache in it is in use.\n",
	.example =
	"$ quarryctl pool destroy brd\n"
	"pool \"brd\": destroyed, 80M given back to the kernel\n",
	.options = destroy_options,
	.min_args = 1,
	.max_args = 1,
	.run = destroy,
};

enum { POOL, MODES };

static const struct column modes_columns[] = {
	[POOL]	= { .name = "POOL", .help = "its name" },
	[MODES]	= { .name = "MODES", .help = "that are on now" },
};

static int show_modes(void)
{
	struct quarry_pool_modes m = { .size = sizeof(m) };
	const char *name = req.args[0];
	char text[96];
	struct table *t;
	int status;

	name_check("pool", name);
	if (req.switches) {
		modes_check("pool", QUARRY_POOL_MODES);
		m.set = req.modes_set;
		m.clear = req.modes_clear & QUARRY_POOL_MODES;
	}
	name_set(m.name, name);
	t = table_new("modes", modes_columns, ARRAY_SIZE(modes_columns));
	device_open(true);
	status = device_call(QUARRY_IOC_POOL_MODES, &m, name);
	modes_format(text, sizeof(text), m.modes);
	if (!status && req.switches && !table_wanted()) {
		printf("pool \"%s\": modes %s\n", name, text);
	} else if (!status) {
		table_row(t);
		table_text(t, POOL, name);
		table_text(t, MODES, text);
		table_print(t, stdout);
	}
	table_free(t);
	return status;
}

static const struct argp_option modes_options[] = {
	{ "modes", OPT_MODES, "MODES", 0,
	  "Switch modes: +check,-owner changes these, owner sets exactly this, none", 1 },
	{ 0 }
};

/* As an initializer in braces, which a list is, of an array of characters. */
static const char modes_doc[] = QUARRY_POOL_MODE_LIST(MODE_LINE,
	"Show the modes of a pool that are on; --modes switches them before.\n"
	"\vWrites that check sees are counted (quarryctl stat -o ERR_USE_AFTER_FREE)\n"
	"and told in the kernel log. What owner keeps is for that and for quarryctl\n"
	"leaks; pages that are out have none. While a mode is on no allocation of the\n"
	"pool is quick, and each arena has a table of 1 % of it. Modes:\n"
);

const struct command cmd_pool_modes = {
	.name = "pool modes",
	.args_doc = "NAME",
	.summary = "find writes to free pages, keep owners: --modes",
	.doc = modes_doc,
	.columns = modes_columns,
	.nr_columns = ARRAY_SIZE(modes_columns),
	.example =
	"$ quarryctl pool modes brd --modes +check\n"
	"pool \"brd\": modes owner,check\n",
	.options = modes_options,
	.min_args = 1,
	.max_args = 1,
	.run = show_modes,
};
