// SPDX-License-Identifier: GPL-2.0
/* quarryctl drain: empty the per-CPU lists into the buddy. */
#include "quarryctl.h"

static const struct column columns[] = {
	[OPS_POOL]	= { .name = "POOL" },
	[OPS_BYTES]	= { .name = "DRAINED", .kind = K_SIZE },
};

static int run(void)
{
	return pool_ops(QUARRY_IOC_POOL_DRAIN, "drain", columns, 0, NULL);
}

const struct command cmd_drain = {
	.name = "drain",
	.args_doc = "[POOL]",
	.doc = "Move what the per-CPU lists hold back to the buddy, where it merges.",
	.max_args = 1,
	.run = run,
};
