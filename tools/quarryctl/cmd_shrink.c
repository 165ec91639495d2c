// SPDX-License-Identifier: GPL-2.0
/* quarryctl shrink: give empty arenas back to the kernel. */
#include "quarryctl.h"

static const struct column columns[] = {
	[OPS_POOL]	= { .name = "POOL", .help = "its name" },
	[OPS_BYTES]	= { .name = "RETURNED", .kind = K_SIZE,
			    .help = "what the kernel has got back" },
};

/* "shrink 64M" names a pool; was it meant to? */
static void hint(int status)
{
	char why[128];
	u64 ignored;

	if (status == EXIT_NO_POOL && req.nr_args == 1 &&
	    size_parse(req.args[0], &ignored, why, sizeof(why)))
		complain(status, "a size comes after the name of a pool: shrink POOL %s",
			 req.args[0]);
}

static int run(void)
{
	u64 most = U64_MAX;
	char why[128];

	if (req.nr_args > 1 && !size_parse(req.args[1], &most, why, sizeof(why)))
		die(EXIT_USAGE, "shrink: the size \"%s\" %s", req.args[1], why);
	return pool_ops(QUARRY_IOC_POOL_SHRINK, "shrink", columns, most,
			"given back to the kernel, in whole arenas", hint);
}

const struct command cmd_shrink = {
	.name = "shrink",
	.args_doc = "[POOL [SIZE]]",
	.summary = "give empty arenas back to the kernel",
	.doc = "Give empty arenas above the pool's minimum back to the kernel.\n"
	       "\vAt most SIZE is given back, or all there is. Whole arenas go, of up to 4M\n"
	       "and as large as the kernel has given them: where SIZE is less than the\n"
	       "smallest that is empty, none does. The per-CPU lists are drained before.\n",
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl shrink default 4M\n"
	"pool \"default\": 4M given back to the kernel, in whole arenas\n",
	.max_args = 2,
	.run = run,
};
