// SPDX-License-Identifier: GPL-2.0
/*
 * quarryctl leaks: who has objects and pages, by the stack that allocated them.
 *
 * People get the whole stack below a line of figures; programs a record for each, with
 * the frames in one string.
 */
#include <stdlib.h>
#include <string.h>

#include "quarryctl.h"

enum { CACHE, POOL, OBJECTS, YOUNGEST_MS, OLDEST_MS, PID, STACK };

static const struct column columns[] = {
	[CACHE]		= { .name = "CACHE", .help = "whose objects; none for pages" },
	[POOL]		= { .name = "POOL", .help = "whose pages; none for objects" },
	[OBJECTS]	= { .name = "OBJECTS", .kind = K_COUNT, .help = "objects or pages" },
	[YOUNGEST_MS]	= { .name = "YOUNGEST_MS", .kind = K_NUMBER,
			    .help = "since the last of them was allocated" },
	[OLDEST_MS]	= { .name = "OLDEST_MS", .kind = K_NUMBER,
			    .help = "since the first of them was" },
	[PID]		= { .name = "PID", .kind = K_NUMBER, .help = "by whom the last one was" },
	[STACK]		= { .name = "STACK", .help = "from where, a line for each function" },
};

/* A cache as people see it: NAME, or NAME:dead-ID as in slabinfo; or pool:NAME. */
#define POOL_PREFIX	"pool:"
#define CACHE_TEXT	(QUARRY_NAME_MAX + sizeof(":dead-4294967295"))

/* Objects with one stack; or, without a stack, those whose owner is not known. */
struct holder {
	char cache[CACHE_TEXT];
	struct quarry_trace trace;
	bool traced;
	bool pages;
};

struct holders {
	size_t nr;
	struct holder *at;
};

/* The module sets its lines in, and ends the last one: a line break parts them here. */
static void trim(char *text)
{
	char *to = text;

	for (; *text; text += *text == '\n') {
		text += strspn(text, " ");
		while (*text && *text != '\n')
			*to++ = *text++;
		if (*text && text[1])
			*to++ = '\n';
	}
	*to = '\0';
}

static void add(struct holders *h, const char *cache, const struct quarry_trace *trace,
		u64 untraced)
{
	struct holder *new;

	h->at = reallocarray(h->at, h->nr + 1, sizeof(*h->at));
	if (!h->at)
		die(EXIT_FAILED, "out of memory");
	new = &h->at[h->nr++];
	memset(new, 0, sizeof(*new));
	snprintf(new->cache, sizeof(new->cache), "%s", cache);
	new->traced = trace;
	if (trace)
		new->trace = *trace;
	else
		new->trace.objects = untraced;
	text_clean(new->trace.text, sizeof(new->trace.text));
	trim(new->trace.text);
}

/* @dead: one that was destroyed, which is known by its number alone; or NULL. */
static void ask(struct holders *h, const char *cache, const struct quarry_cache_entry *dead)
{
	struct quarry_cache_traces t = {
		.size = sizeof(t),
		.flags = dead ? QUARRY_TRACES_ID : 0,
	};
	struct quarry_trace *traces = NULL;
	char text[CACHE_TEXT];
	size_t room = 64, i;
	int status;

	name_set(t.name, cache);
	if (dead)
		snprintf(text, sizeof(text), "%s:dead-%u", cache, dead->id);
	else
		snprintf(text, sizeof(text), "%s", cache);
	/* Stacks may appear between two calls: ask until all of them fit. */
	for (;;) {
		free(traces);
		traces = calloc(room, sizeof(*traces));
		if (!traces)
			die(EXIT_FAILED, "out of memory");
		t.capacity = room;
		t.count = dead ? dead->id : 0;
		t.untraced = 0;
		t.traces = (uintptr_t)traces;
		if (req.nr_args)
			status = device_call(QUARRY_IOC_CACHE_TRACES, &t, cache);
		else
			status = device_call_quiet(QUARRY_IOC_CACHE_TRACES, &t, cache);
		if (status > 0)
			exit(status);
		if (status || t.count <= room)
			break;
		room = (size_t)t.count + 16;
	}
	for (i = 0; !status && i < t.count; i++)
		add(h, text, &traces[i], 0);
	if (!status && t.untraced)
		add(h, text, NULL, t.untraced);
	free(traces);
}

/* Pages of a pool, if it keeps their owners: else nothing is said of it. */
static void ask_pool(struct holders *h, const char *pool)
{
	struct quarry_pool_traces t = { .size = sizeof(t), .capacity = 1024 };
	struct quarry_trace *traces = calloc(t.capacity, sizeof(*traces));
	size_t first = h->nr, i;
	char text[CACHE_TEXT];
	int status;

	if (!traces)
		die(EXIT_FAILED, "out of memory");
	name_set(t.name, pool);
	snprintf(text, sizeof(text), POOL_PREFIX "%s", pool);
	t.traces = (uintptr_t)traces;
	status = device_call_quiet(QUARRY_IOC_POOL_TRACES, &t, pool);
	if (status > 0)
		exit(status);
	for (i = 0; !status && i < t.count && i < t.capacity; i++)
		add(h, text, &traces[i], 0);
	if (!status && t.untraced)
		add(h, text, NULL, t.untraced);
	for (i = first; i < h->nr; i++)
		h->at[i].pages = true;
	free(traces);
}

/* Most objects first; what nobody knows of comes last. */
static int compare(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->traced != y->traced)
		return x->traced ? -1 : 1;
	if (x->trace.objects != y->trace.objects)
		return x->trace.objects < y->trace.objects ? 1 : -1;
	return strcmp(x->cache, y->cache);
}

static void fill(struct table *t, const struct holder *h)
{
	table_row(t);
	if (h->pages) {
		table_none(t, CACHE, NULL);
		table_text(t, POOL, h->cache + strlen(POOL_PREFIX));
	} else {
		table_text(t, CACHE, h->cache);
		table_none(t, POOL, NULL);
	}
	table_count(t, OBJECTS, h->trace.objects);
	if (!h->traced) {
		table_none(t, YOUNGEST_MS, NULL);
		table_none(t, OLDEST_MS, NULL);
		table_none(t, PID, NULL);
		table_none(t, STACK, NULL);
		return;
	}
	table_count(t, YOUNGEST_MS, h->trace.age_min_ms);
	table_count(t, OLDEST_MS, h->trace.age_max_ms);
	table_count(t, PID, h->trace.pid);
	table_text(t, STACK, h->trace.text);
}

static void tell(const struct holder *h)
{
	const char *line = h->trace.text, *what = h->pages ? "page" : "object";
	const char *plural = h->trace.objects == 1 ? "" : "s";
	size_t len;

	if (!h->traced) {
		printf("%s: %llu %s%s of unknown owners\n", h->cache, h->trace.objects, what,
		       plural);
		return;
	}
	printf("%s: %llu %s%s, %.1f to %.1f seconds old, the youngest by pid %u\n", h->cache,
	       h->trace.objects, what, plural,
	       h->trace.age_min_ms / 1000.0, h->trace.age_max_ms / 1000.0, h->trace.pid);
	for (; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		printf("    %.*s\n", (int)len, line);
	}
}

static void show(const struct holders *h)
{
	bool table = table_wanted() || req.sort;
	struct table *t = table_new("leaks", columns, ARRAY_SIZE(columns));
	size_t i;

	for (i = 0; i < h->nr; i++) {
		if (table)
			fill(t, &h->at[i]);
		else
			tell(&h->at[i]);
	}
	if (table)
		table_print(t, stdout);
	table_free(t);
}

/* What has to be done for there to be something to see. */
static void hint(const struct holders *h)
{
	const char *untraced = req.args[0];
	size_t i;

	for (i = 0; i < h->nr; i++) {
		if (h->at[i].traced)
			return;
		/* a dead one has no name to be switched by */
		if (!untraced && !strchr(h->at[i].cache, ':'))
			untraced = h->at[i].cache;
	}
	complain(EXIT_OK,
		 "%s; to have the owners of later allocations kept: quarryctl cache %s --modes +owner",
		 h->nr ? "nobody knows whose these objects are" : "no object is out",
		 untraced ? untraced : "NAME");
}

static void ask_all(struct holders *h)
{
	struct caches caches;
	struct pools pools;
	size_t i;

	caches_list(&caches);
	for (i = 0; i < caches.nr; i++)
		ask(h, caches.entry[i].name,
		    caches.entry[i].kind == QUARRY_CACHE_DEAD ? &caches.entry[i] : NULL);
	caches_free(&caches);
	pools_list(&pools);
	for (i = 0; i < pools.nr; i++)
		ask_pool(h, pools.entry[i].name);
	pools_free(&pools);
}

static int run(void)
{
	struct holders holders = { 0 };

	if (req.nr_args)
		name_check("cache", req.args[0]);
	device_open(false);
	if (req.nr_args)
		ask(&holders, req.args[0], NULL);
	else
		ask_all(&holders);
	if (holders.nr)
		qsort(holders.at, holders.nr, sizeof(*holders.at), compare);
	show(&holders);
	hint(&holders);
	free(holders.at);
	return EXIT_OK;
}

const struct command cmd_leaks = {
	.name = "leaks",
	.args_doc = "[CACHE]",
	.summary = "who has objects and pages, by stack",
	.doc = "Show who has objects of a cache, or of all, by the stack that took them.\n"
	       "\vMost objects first. Owners are kept while the mode \"owner\" is on, for what\n"
	       "is allocated from then on: quarryctl cache NAME --modes +owner. Objects\n"
	       "without a known owner are counted. malloc's size classes are caches too. A\n"
	       "cache that was destroyed with objects out is NAME:dead-ID, with the stacks\n"
	       "of that time. Pages of a pool are shown, as pool:NAME, if it has the mode\n"
	       "\"owner\": quarryctl pool modes NAME --modes +owner. --json, --raw, -o and\n"
	       "--sort give a table.\n",
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl leaks reqs\n"
	"reqs: 2 objects, 1.5 to 61.0 seconds old, the youngest by pid 100\n"
	"    taker_0+0x12/0x40 [mod]\n"
	"    do_one_initcall+0x56/0x230\n"
	"reqs: 1 object, 1.5 to 61.0 seconds old, the youngest by pid 101\n"
	"    taker_1+0x12/0x40 [mod]\n"
	"    do_one_initcall+0x56/0x230\n",
	.max_args = 1,
	.run = run,
};
