// SPDX-License-Identifier: GPL-2.0
/* Which caches there are, and what each of them says of itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quarryctl.h"

void caches_list(struct caches *caches)
{
	struct quarry_cache_list list = { .size = sizeof(list) };
	size_t room = 64, i;
	int status;

	caches->entry = NULL;
	/* Caches may appear between two calls: ask until all of them fit. */
	for (;;) {
		free(caches->entry);
		caches->entry = calloc(room, sizeof(*caches->entry));
		if (!caches->entry)
			die(EXIT_FAILED, "out of memory");
		list.capacity = room;
		list.count = 0;
		list.entries = (uintptr_t)caches->entry;
		status = device_call(QUARRY_IOC_CACHE_LIST, &list, NULL);
		if (status)
			exit(status);
		if (list.count <= room)
			break;
		room = (size_t)list.count + 16;
	}
	caches->nr = list.count;
	for (i = 0; i < caches->nr; i++)
		text_clean(caches->entry[i].name, QUARRY_NAME_MAX);
}

void caches_free(struct caches *caches)
{
	free(caches->entry);
	caches->entry = NULL;
	caches->nr = 0;
}

/* False when the cache is gone; that is an error only where the user @named it. */
bool cache_stats(const char *name, struct quarry_cache_stats *stats, bool named)
{
	int status;

	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	name_set(stats->name, name);
	if (named)
		status = device_call(QUARRY_IOC_CACHE_STATS, stats, name);
	else
		status = device_call_quiet(QUARRY_IOC_CACHE_STATS, stats, name);
	if (status > 0)
		exit(status);
	text_clean(stats->name, QUARRY_NAME_MAX);
	text_clean(stats->pool, QUARRY_NAME_MAX);
	return !status;
}

void cache_stats_add(struct quarry_cache_stats *sum, const struct quarry_cache_stats *s)
{
	sum->objects_out += s->objects_out;
	sum->slabs += s->slabs;
	sum->slab_bytes += s->slab_bytes;
	sum->object_bytes += s->object_bytes;
	sum->magazine_bytes += s->magazine_bytes;
	sum->partial_bytes += s->partial_bytes;
	sum->waste_bytes += s->waste_bytes;
	sum->metadata_bytes += s->metadata_bytes;
	sum->percpu_bytes += s->percpu_bytes;
	sum->allocs += s->allocs;
	sum->frees += s->frees;
	sum->failures += s->failures;
}

bool cache_is_wanted(const struct quarry_cache_entry *entry)
{
	return entry->kind != QUARRY_CACHE_CLASS || req.all;
}

const char *cache_kind(unsigned int kind)
{
	switch (kind) {
	case QUARRY_CACHE_TYPED:
		return "typed";
	case QUARRY_CACHE_CLASS:
		return "class";
	case QUARRY_CACHE_DEAD:
		return "dead";
	}
	return "unknown";
}
