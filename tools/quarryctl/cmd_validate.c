// SPDX-License-Identifier: GPL-2.0
/*
 * quarryctl validate: have the module check every invariant of a pool, and of the caches
 * that live in it: their slabs, and what lies in magazines.
 */
#include <stdlib.h>
#include <string.h>

#include "quarryctl.h"

enum { POOL, RESULT, FRAMES, CACHES, VIOLATIONS, STRAY_REFS, WHAT };

static const struct column columns[] = {
	[POOL]		= { .name = "POOL", .help = "its name" },
	[RESULT]	= { .name = "RESULT", .bad = "ok", .help = "ok or violations" },
	[FRAMES]	= { .name = "FRAMES", .kind = K_COUNT, .rank = 2,
			    .help = "pages looked at" },
	[CACHES]	= { .name = "CACHES", .kind = K_COUNT, .rank = 1,
			    .help = "caches in it that were walked, with their magazines" },
	[VIOLATIONS]	= { .name = "VIOLATIONS", .kind = K_COUNT, .bad = "",
			    .help = "broken invariants, of the pool and these caches" },
	[STRAY_REFS]	= { .name = "STRAY_REFS", .kind = K_COUNT, .bad = "", .rank = 3,
			    .help = "pages with references that nobody may hold" },
	[WHAT]		= { .name = "WHAT", .help = "the first violation in words" },
};

/* A cache, and the pool that it lives in. */
struct tenant {
	char cache[QUARRY_NAME_MAX];
	char pool[QUARRY_NAME_MAX];
};

struct tenants {
	size_t nr;
	struct tenant *at;
};

/* What was found in one pool; cache: the first that is damaged. */
struct finding {
	u64 caches;
	u64 violations;
	char cache[QUARRY_NAME_MAX];
	char what[64 + QUARRY_NAME_MAX + 16];
};

static void read_tenants(struct tenants *tenants)
{
	struct quarry_cache_stats stats;
	struct caches caches;
	struct tenant *t;
	size_t i;

	caches_list(&caches);
	tenants->nr = 0;
	tenants->at = calloc(caches.nr + 1, sizeof(*tenants->at));
	if (!tenants->at)
		die(EXIT_FAILED, "out of memory");
	for (i = 0; i < caches.nr; i++) {
		/* What was destroyed with objects out has no name to be asked by. */
		if (caches.entry[i].kind == QUARRY_CACHE_DEAD ||
		    !cache_stats(caches.entry[i].name, &stats, false))
			continue;
		t = &tenants->at[tenants->nr++];
		name_set(t->cache, stats.name);
		name_set(t->pool, stats.pool);
	}
	caches_free(&caches);
}

static void check_cache(struct finding *f, const char *cache)
{
	struct quarry_cache_op op = { .size = sizeof(op) };
	int status;

	name_set(op.name, cache);
	status = device_call_quiet(QUARRY_IOC_CACHE_VALIDATE, &op, cache);
	if (status > 0)
		exit(status);
	if (status)
		return;
	f->caches++;
	f->violations += op.bytes;
	if (!op.bytes || f->cache[0])
		return;
	text_clean(op.what, sizeof(op.what));
	name_set(f->cache, cache);
	snprintf(f->what, sizeof(f->what), "cache %s: %s", cache, op.what);
}

static void check_caches(struct finding *f, const struct tenants *tenants, const char *pool)
{
	size_t i;

	for (i = 0; i < tenants->nr; i++)
		if (!strcmp(tenants->at[i].pool, pool))
			check_cache(f, tenants->at[i].cache);
}

static int say_damage(const char *pool, bool pages, const struct finding *f)
{
	if (pages || !f->cache[0])
		return complain(EXIT_VIOLATIONS,
				"pool \"%s\" is damaged; see dmesg, and quarry/pools/%s/errors in debugfs",
				pool, pool);
	return complain(EXIT_VIOLATIONS,
			"cache \"%s\" in pool \"%s\" is damaged; see dmesg, and quarry/caches/%s/errors in debugfs",
			f->cache, pool, f->cache);
}

/* Adds a line to @t. Is the pool sound? What there is to say of it is left in @f. */
static bool check(struct table *t, const char *pool, const struct tenants *tenants,
		  struct finding *f, bool *pages)
{
	struct quarry_pool_validate v = { .size = sizeof(v) };
	int status;

	memset(f, 0, sizeof(*f));
	name_set(v.name, pool);
	if (req.args[0])
		status = device_call(QUARRY_IOC_POOL_VALIDATE, &v, pool);
	else
		status = device_call_quiet(QUARRY_IOC_POOL_VALIDATE, &v, pool);
	if (status > 0)
		exit(status);
	if (status)
		return true;
	text_clean(v.what, sizeof(v.what));
	check_caches(f, tenants, pool);
	*pages = v.violations;
	f->violations += v.violations;
	if (v.what[0])
		snprintf(f->what, sizeof(f->what), "%s", v.what);
	table_row(t);
	table_text(t, POOL, pool);
	table_text(t, RESULT, f->violations ? "violations" : "ok");
	table_count(t, FRAMES, v.frames);
	table_count(t, CACHES, f->caches);
	table_count(t, VIOLATIONS, f->violations);
	table_count(t, STRAY_REFS, v.stray_refs);
	if (f->what[0])
		table_text(t, WHAT, f->what);
	else
		table_none(t, WHAT, NULL);
	return !f->violations;
}

static int run(void)
{
	struct table *t = table_new("validate", columns, ARRAY_SIZE(columns));
	bool pages = false, first_pages = false;
	struct finding finding, first;
	const char *bad = NULL;
	struct tenants tenants;
	struct pools pools;
	size_t i;

	device_open(false);
	pools_select(&pools, req.args[0]);
	read_tenants(&tenants);
	for (i = 0; i < pools.nr; i++) {
		if (check(t, pools.entry[i].name, &tenants, &finding, &pages) || bad)
			continue;
		bad = pools.entry[i].name;
		first = finding;
		first_pages = pages;
	}
	table_print(t, stdout);
	table_free(t);
	if (bad)
		say_damage(bad, first_pages, &first);
	free(tenants.at);
	pools_free(&pools);
	return bad ? EXIT_VIOLATIONS : EXIT_OK;
}

const struct command cmd_validate = {
	.name = "validate",
	.args_doc = "[POOL]",
	.summary = "check every invariant; exit status 6 if one is broken",
	.doc = "Check every invariant of a pool and of the caches in it; the exit status is\n"
	       "6 if one is broken.\n",
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl validate brd\n"
	"POOL RESULT FRAMES CACHES VIOLATIONS STRAY_REFS WHAT\n"
	"brd  ok      20480      2          0          0 -\n",
	.max_args = 1,
	.run = run,
};
