// SPDX-License-Identifier: GPL-2.0
/*
 * One call on the pool that was named, or on every pool: a line each for the bytes it moved, in
 * words, or as a table for programs. A pool that goes away while all are visited is left out;
 * one that was named must be there.
 */
#include <stdlib.h>

#include "quarryctl.h"

/*
 * @request takes a struct quarry_pool_op with @bytes in it. @sentence says what became of a
 * pool and of how much. @hint, if any, may say more
 * about a failure before the program ends. Returns EXIT_OK.
 */
int pool_ops(unsigned long request, const char *name,
	     const struct column columns[OPS_NR_COLUMNS], u64 bytes, const char *sentence,
	     void (*hint)(int status))
{
	struct table *t = table_new(name, columns, OPS_NR_COLUMNS);
	struct quarry_pool_op op;
	struct pools pools;
	char text[32];
	int status;
	size_t i;

	device_open(true);
	pools_select(&pools, req.args[0]);
	for (i = 0; i < pools.nr; i++) {
		op = (struct quarry_pool_op){ .size = sizeof(op), .bytes = bytes };
		name_set(op.name, pools.entry[i].name);
		if (req.nr_args)
			status = device_call(request, &op, req.args[0]);
		else
			status = device_call_quiet(request, &op, pools.entry[i].name);
		if (status > 0) {
			if (hint)
				hint(status);
			exit(status);
		}
		if (status)
			continue;
		if (req.noempty && !op.bytes)
			continue;
		if (!table_wanted() && !req.sort) {
			if (req.bytes)
				snprintf(text, sizeof(text), "%llu bytes", op.bytes);
			else
				size_format(text, sizeof(text), op.bytes);
			printf("pool \"%s\": %s %s\n", pools.entry[i].name, text, sentence);
			continue;
		}
		table_row(t);
		table_text(t, OPS_POOL, pools.entry[i].name);
		table_count(t, OPS_BYTES, op.bytes);
	}
	table_print(t, stdout);
	table_free(t);
	pools_free(&pools);
	return EXIT_OK;
}
