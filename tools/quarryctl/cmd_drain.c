// SPDX-License-Identifier: GPL-2.0
/* quarryctl drain: empty the per-CPU lists into the buddy. */
#include <stdlib.h>

#include "quarryctl.h"

enum { POOL, DRAINED };

static const struct column columns[] = {
	[POOL]		= { .name = "POOL" },
	[DRAINED]	= { .name = "DRAINED", .kind = K_SIZE },
};

static int run(void)
{
	struct table *t = table_new("drain", columns, ARRAY_SIZE(columns));
	struct quarry_pool_op op;
	struct pools pools;
	int status;
	size_t i;

	device_open(true);
	pools_select(&pools, req.args[0]);
	for (i = 0; i < pools.nr; i++) {
		op = (struct quarry_pool_op){ .size = sizeof(op) };
		name_set(op.name, pools.entry[i].name);
		if (req.args[0])
			status = device_call(QUARRY_IOC_POOL_DRAIN, &op, req.args[0]);
		else
			status = device_call_quiet(QUARRY_IOC_POOL_DRAIN, &op,
						   pools.entry[i].name);
		if (status > 0)
			exit(status);
		if (status)
			continue;
		table_row(t);
		table_text(t, POOL, op.name);
		table_count(t, DRAINED, op.bytes);
	}
	table_print(t, stdout);
	table_free(t);
	pools_free(&pools);
	return EXIT_OK;
}

const struct command cmd_drain = {
	.name = "drain",
	.args_doc = "[POOL]",
	.doc = "Move what the per-CPU lists hold back to the buddy, where it merges.",
	.max_args = 1,
	.run = run,
};
