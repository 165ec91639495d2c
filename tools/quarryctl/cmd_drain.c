// SPDX-License-Identifier: GPL-2.0
/* quarryctl drain: empty the per-CPU lists into the buddy. */
#include "quarryctl.h"

static const struct column columns[] = {
	[OPS_POOL]	= { .name = "POOL", .help = "its name" },
	[OPS_BYTES]	= { .name = "DRAINED", .kind = K_SIZE,
			    .help = "what the lists have given back" },
};

static int run(void)
{
	return pool_ops(QUARRY_IOC_POOL_DRAIN, "drain", columns, 0,
			"moved from per-CPU lists to the buddy", NULL);
}

const struct command cmd_drain = {
	.name = "drain",
	.args_doc = "[POOL]",
	.summary = "move per-CPU lists back to the buddy",
	.doc = "Move what the per-CPU lists hold back to the buddy, where it merges.",
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl drain default\n"
	"pool \"default\": 1.5M moved from per-CPU lists to the buddy\n",
	.max_args = 1,
	.run = run,
};
