// SPDX-License-Identifier: GPL-2.0
/* quarryctl shrink: give empty arenas back to the kernel. */
#include <stdlib.h>

#include "quarryctl.h"

enum { POOL, RETURNED };

static const struct column columns[] = {
	[POOL]		= { .name = "POOL" },
	[RETURNED]	= { .name = "RETURNED", .kind = K_SIZE },
};

static int run(void)
{
	struct table *t = table_new("shrink", columns, ARRAY_SIZE(columns));
	u64 most = U64_MAX, ignored;
	struct quarry_pool_op op;
	struct pools pools;
	char why[128];
	int status;
	size_t i;

	if (req.nr_args > 1 && !size_parse(req.args[1], &most, why, sizeof(why)))
		die(EXIT_USAGE, "shrink: the size \"%s\" %s", req.args[1], why);
	device_open(true);
	pools_select(&pools, req.args[0]);
	for (i = 0; i < pools.nr; i++) {
		op = (struct quarry_pool_op){ .size = sizeof(op), .bytes = most };
		name_set(op.name, pools.entry[i].name);
		if (req.nr_args)
			status = device_call(QUARRY_IOC_POOL_SHRINK, &op, req.args[0]);
		else
			status = device_call_quiet(QUARRY_IOC_POOL_SHRINK, &op,
						   pools.entry[i].name);
		if (status == EXIT_NO_POOL && req.nr_args == 1 &&
		    size_parse(req.args[0], &ignored, why, sizeof(why)))
			complain(status, "a size comes after the name of a pool: shrink POOL %s",
				 req.args[0]);
		if (status > 0)
			exit(status);
		if (status)
			continue;
		table_row(t);
		table_text(t, POOL, op.name);
		table_count(t, RETURNED, op.bytes);
	}
	table_print(t, stdout);
	table_free(t);
	pools_free(&pools);
	return EXIT_OK;
}

const struct command cmd_shrink = {
	.name = "shrink",
	.args_doc = "[POOL [SIZE]]",
	.doc = "Give empty arenas above the pool's minimum back to the kernel.\n"
	       "\vAt most SIZE is given back, or all there is. Drain first, to find more\n"
	       "arenas empty.\n",
	.max_args = 2,
	.run = run,
};
