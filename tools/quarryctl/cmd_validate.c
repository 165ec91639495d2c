// SPDX-License-Identifier: GPL-2.0
/* quarryctl validate: have the module check every invariant of a pool. */
#include <stdlib.h>
#include <string.h>

#include "quarryctl.h"

enum { POOL, RESULT, FRAMES, FAULTS, STRAY_REFS, WHAT };

static const struct column columns[] = {
	[POOL]		= { .name = "POOL" },
	[RESULT]	= { .name = "RESULT" },
	[FRAMES]	= { .name = "FRAMES", .kind = K_COUNT },
	[FAULTS]	= { .name = "FAULTS", .kind = K_COUNT },
	[STRAY_REFS]	= { .name = "STRAY_REFS", .kind = K_COUNT },
	[WHAT]		= { .name = "WHAT" },
};

static bool check(struct table *t, const char *pool)
{
	struct quarry_pool_validate v = { .size = sizeof(v) };
	int status;

	name_set(v.name, pool);
	if (req.args[0])
		status = device_call(QUARRY_IOC_POOL_VALIDATE, &v, pool);
	else
		status = device_call_quiet(QUARRY_IOC_POOL_VALIDATE, &v, pool);
	if (status > 0)
		exit(status);
	if (status)
		return true;
	v.what[sizeof(v.what) - 1] = '\0';
	table_row(t);
	table_text(t, POOL, pool);
	table_text(t, RESULT, v.faults ? "faults" : "ok");
	table_count(t, FRAMES, v.frames);
	table_count(t, FAULTS, v.faults);
	table_count(t, STRAY_REFS, v.stray_refs);
	if (v.what[0])
		table_text(t, WHAT, v.what);
	else
		table_none(t, WHAT, NULL);
	return !v.faults;
}

static int run(void)
{
	struct table *t = table_new("validate", columns, ARRAY_SIZE(columns));
	const char *bad = NULL;
	struct pools pools;
	size_t i;

	device_open(false);
	pools_select(&pools, req.args[0]);
	for (i = 0; i < pools.nr; i++)
		if (!check(t, pools.entry[i].name) && !bad)
			bad = pools.entry[i].name;
	table_print(t, stdout);
	table_free(t);
	if (bad)
		complain(EXIT_FAULTS,
			 "pool \"%s\" is damaged; see dmesg, and quarry/pools/%s/errors in debugfs",
			 bad, bad);
	pools_free(&pools);
	return bad ? EXIT_FAULTS : EXIT_OK;
}

const struct command cmd_validate = {
	.name = "validate",
	.args_doc = "[POOL]",
	.doc = "Check every invariant of a pool; the exit status is 6 if one is broken.",
	.max_args = 1,
	.run = run,
};
