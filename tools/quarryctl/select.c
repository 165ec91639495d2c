// SPDX-License-Identifier: GPL-2.0
/* Which pools a command is about: the one that was named, or all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quarryctl.h"

void pools_list(struct pools *pools)
{
	struct quarry_pool_list list = { .size = sizeof(list) };
	size_t room = 16, i;
	int status;

	pools->entry = NULL;
	/* Pools may appear between two calls: ask until all of them fit. */
	for (;;) {
		free(pools->entry);
		pools->entry = calloc(room, sizeof(*pools->entry));
		if (!pools->entry)
			die(EXIT_FAILED, "out of memory");
		list.capacity = room;
		list.count = 0;
		list.entries = (uintptr_t)pools->entry;
		status = device_call(QUARRY_IOC_POOL_LIST, &list, NULL);
		if (status)
			exit(status);
		if (list.count <= room)
			break;
		room = (size_t)list.count + 16;
	}
	pools->nr = list.count;
	for (i = 0; i < pools->nr; i++)
		text_clean(pools->entry[i].name, QUARRY_NAME_MAX);
}

void pools_select(struct pools *pools, const char *name)
{
	if (!name) {
		pools_list(pools);
		if (!pools->nr)
			complain(EXIT_OK,
				 "there are no pools; make one with: quarryctl pool create NAME");
		return;
	}
	name_check("pool", name);
	pools->nr = 1;
	pools->entry = calloc(1, sizeof(*pools->entry));
	if (!pools->entry)
		die(EXIT_FAILED, "out of memory");
	name_set(pools->entry[0].name, name);
}

void pools_free(struct pools *pools)
{
	free(pools->entry);
	pools->entry = NULL;
	pools->nr = 0;
}

/* False when the pool is gone; that is an error only where it was named. */
bool pool_stats(const char *name, struct quarry_pool_stats *stats)
{
	int status;

	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	name_set(stats->name, name);
	if (req.nr_args && !strcmp(req.args[0], name))
		status = device_call(QUARRY_IOC_POOL_STATS, stats, name);
	else
		status = device_call_quiet(QUARRY_IOC_POOL_STATS, stats, name);
	if (status > 0)
		exit(status);
	text_clean(stats->name, QUARRY_NAME_MAX);
	return !status;
}
