// SPDX-License-Identifier: GPL-2.0
/*
 * Caches as user space sees and changes them: each number moves by what was done, all
 * interfaces say the same, what adds up does so, modes can be switched while objects are out,
 * and whoever has objects can be found.
 *
 * quarry_objects.ko does what user space cannot: it makes a cache and has objects.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quarry_test.h"

#define CACHE	QT_PREFIX "objects"
#define POOL	QT_PREFIX "caches"
#define ABSENT	QT_PREFIX "absent"
/* Looks at what happens by itself; a bound, not a wait. */
#define LOOKS	200000

static int fd;
static char text[1 << 20];

static void setup(const char *params)
{
	/* What a CPU frees goes to its own magazines. */
	qt_pin(0);
	fd = qt_open(O_RDWR);
	REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(32), NULL), "create failed");
	qt_objects_load(params);
}

static void finish(void)
{
	struct quarry_cache_stats s;

	qt_objects_unload();
	CHECK(qt_cache_stats(fd, CACHE, &s) == -ENOENT, "the cache outlived its module");
	CHECK(access(QT_DEBUGFS "/caches/" CACHE, F_OK), "the folder outlived the cache");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void take(unsigned int nr)
{
	char number[16];
	int ret;

	snprintf(number, sizeof(number), "%u", nr);
	ret = qt_objects_write("take", number);
	REQUIRE(!ret, "%u were not to be had: %s", nr, strerror(-ret));
}

static void give(unsigned int nr)
{
	char number[16];
	int ret;

	snprintf(number, sizeof(number), "%u", nr);
	ret = qt_objects_write("give", number);
	REQUIRE(!ret, "%u were not taken back: %s", nr, strerror(-ret));
}

/* What holds at rest of any cache. */
static void check_sums(const struct quarry_cache_stats *s)
{
	CHECK(s->slab_bytes == s->object_bytes + s->magazine_bytes + s->partial_bytes +
	      s->waste_bytes, "%s: %llu bytes of slabs, but %llu + %llu + %llu + %llu", s->name,
	      s->slab_bytes, s->object_bytes, s->magazine_bytes, s->partial_bytes,
	      s->waste_bytes);
	CHECK(s->allocs - s->frees == s->objects_out, "%s: %llu out, %llu back, %llu are out",
	      s->name, s->allocs, s->frees, s->objects_out);
	CHECK(s->grows - s->shrinks == s->slabs, "%s: %llu slabs came, %llu went, %llu are there",
	      s->name, s->grows, s->shrinks, s->slabs);
	CHECK(s->slabs_empty <= s->slabs, "%s: %llu of %llu slabs are empty", s->name,
	      s->slabs_empty, s->slabs);
	CHECK(s->fail_injected <= s->failures, "%s: %llu of %llu failures", s->name,
	      s->fail_injected, s->failures);
	CHECK(s->object_size && s->stride >= s->object_size && s->objects_per_slab, "%s: %u of %u",
	      s->name, s->object_size, s->stride);
	CHECK(!s->pad, "%s: pad is %u", s->name, s->pad);
}

static void get(const char *name, struct quarry_cache_stats *s)
{
	int ret = qt_cache_stats(fd, name, s);

	REQUIRE(!ret, "%s: stats: %s", name, strerror(-ret));
	check_sums(s);
}

static void check_valid(const char *name)
{
	char what[64];
	__u64 violations;
	int ret = qt_cache_validate(fd, name, &violations, what);

	CHECK(!ret && !violations && !what[0], "%s: %s, %llu violations: %.64s", name,
	      strerror(-ret),
	      violations, what);
}

static const char *read_cache_file(const char *file)
{
	char path[256];
	ssize_t n;

	snprintf(path, sizeof(path), QT_DEBUGFS "/caches/" CACHE "/%s", file);
	n = qt_read_file(path, text, sizeof(text));
	REQUIRE(n > 0, "%s: %s", path, n ? strerror(-n) : "empty");
	return text;
}

/* The number behind @name at the beginning of a line of @where. */
static long long number_of(const char *where, const char *name)
{
	size_t len = strlen(name);
	const char *at;
	char *end;

	for (at = where; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (strncmp(at, name, len) || at[len] != ' ')
			continue;
		long long value = strtoll(at + len, &end, 10);

		CHECK(end > at + len && *end == '\n', "%s is no number", name);
		return value;
	}
	CHECK(false, "there is no %s", name);
	return -1;
}

static void classes_are_listed(void)
{
	struct quarry_cache_entry e[QT_MAX_CACHES];
	struct quarry_cache_stats s;
	unsigned int classes = 0, last = 0;
	__u32 nr, i, j;

	fd = qt_open(O_RDONLY);
	REQUIRE(!qt_cache_list(fd, e, QT_MAX_CACHES, &nr) && nr < QT_MAX_CACHES, "list failed");
	for (i = 0; i < nr; i++) {
		/* What others leaked has no figures, and may have anybody's name. */
		if (e[i].kind == QUARRY_CACHE_DEAD)
			continue;
		get(e[i].name, &s);
		CHECK(s.id == e[i].id && s.kind == e[i].kind, "%s: id %u kind %u, %u %u listed",
		      s.name, s.id, s.kind, e[i].id, e[i].kind);
		for (j = 0; j < i; j++)
			CHECK(e[i].id != e[j].id && strcmp(e[i].name, e[j].name),
			      "%s is there twice", e[i].name);
		if (e[i].kind != QUARRY_CACHE_CLASS)
			continue;
		classes++;
		CHECK(s.object_size > last && !strcmp(s.pool, QT_DEFAULT_POOL) && !s.modes,
		      "%s: %u bytes after %u, in %s, modes %#x", s.name, s.object_size, last,
		      s.pool, s.modes);
		last = s.object_size;
	}
	CHECK(classes == 44 && last == 32768, "%u classes up to %u", classes, last);
	CHECK(!qt_cache_list(fd, e, 1, &i) && i == nr, "capacity 1: count %u of %u", i, nr);
}

static void objects_out_are_counted(void)
{
	struct quarry_cache_stats s;
	struct quarry_pool_stats p;
	__u64 given;

	setup("pool=" POOL);
	get(CACHE, &s);
	CHECK(!strcmp(s.pool, POOL) && s.kind == QUARRY_CACHE_TYPED && s.object_size == 200,
	      "%u bytes of kind %u in %s", s.object_size, s.kind, s.pool);
	CHECK(!s.slabs && !s.allocs && !s.slab_bytes && !s.magazines, "it is not new");
	take(100);
	get(CACHE, &s);
	CHECK(s.objects_out == 100 && s.object_bytes == 100ULL * s.stride && s.allocs == 100 &&
	      !s.frees, "%llu are out, %llu bytes, %llu out, %llu back", s.objects_out,
	      s.object_bytes, s.allocs, s.frees);
	CHECK(s.slabs * s.objects_per_slab >= 100 && s.refills && !s.flushes && !s.failures,
	      "%llu slabs, %llu refills, %llu flushes", s.slabs, s.refills, s.flushes);
	CHECK(!qt_stats(fd, POOL, &p) && p.allocated_bytes == s.slab_bytes,
	      "%llu bytes of the pool are out, %llu in slabs", p.allocated_bytes, s.slab_bytes);
	check_valid(CACHE);
	give(40);
	get(CACHE, &s);
	CHECK(s.objects_out == 60 && s.frees == 40 && s.magazine_bytes >= s.stride,
	      "%llu are out, %llu back, %llu bytes in magazines", s.objects_out, s.frees,
	      s.magazine_bytes);
	check_valid(CACHE);
	give(60);
	get(CACHE, &s);
	CHECK(!s.objects_out && !s.object_bytes && s.allocs == 100 && s.frees == 100,
	      "%llu are out", s.objects_out);
	CHECK(!qt_cache_shrink(fd, CACHE, &given) && given == s.slab_bytes,
	      "shrink gave %llu of %llu", given, s.slab_bytes);
	get(CACHE, &s);
	CHECK(!s.slabs && !s.slab_bytes && !s.magazine_bytes && s.grows == s.shrinks && s.flushes,
	      "%llu slabs and %llu bytes of magazines are left", s.slabs, s.magazine_bytes);
	check_valid(CACHE);
	finish();
}

static void constructors_are_counted(void)
{
	struct quarry_cache_stats s;

	setup("pool=" POOL " ctor=1");
	take(50);
	give(50);
	take(50);
	get(CACHE, &s);
	CHECK(s.constructed == s.grows * s.objects_per_slab,
	      "%llu objects made in %llu slabs of %u", s.constructed, s.grows, s.objects_per_slab);
	CHECK(s.allocs == 100 && s.frees == 50, "%llu out, %llu back", s.allocs, s.frees);
	finish();
}

#define FIGURE(kind, field, NAME, text)	\
	{ #field, offsetof(struct quarry_cache_stats, field), QUARRY_FIGURE_##kind },

static void files_say_what_the_ioctls_say(void)
{
	static const struct qt_figure figures[] = QUARRY_CACHE_FIGURES(FIGURE);
	struct quarry_cache_stats s, after;
	unsigned int i, tries = 0;
	__u64 want;

	setup("pool=" POOL);
	take(123);
	give(23);
	/* The reaper may have come by in between. */
	do {
		get(CACHE, &s);
		read_cache_file("stats");
		get(CACHE, &after);
	} while (memcmp(&s, &after, sizeof(s)) && tries++ < 100);
	for (i = 0; i < ARRAY_SIZE(figures); i++) {
		/* Kinds of misuse have a file of their own. */
		if (figures[i].kind == QUARRY_FIGURE_ERROR)
			continue;
		want = figures[i].kind == QUARRY_FIGURE_SHORT ? s.magazine_capacity :
		       qt_figure(&figures[i], &s);
		CHECK(number_of(text, figures[i].name) == (long long)want,
		      "%s is %lld, the ioctl says %llu", figures[i].name,
		      number_of(text, figures[i].name), want);
	}
	CHECK(number_of(text, "stride") == s.stride && number_of(text, "order") == s.order &&
	      number_of(text, "objects_per_slab") == s.objects_per_slab &&
	      number_of(text, "object_size") == s.object_size, "the shape is another");
	CHECK(strstr(text, "\nname " CACHE "\npool " POOL "\n") && strstr(text, "\nkind typed\n") &&
	      strstr(text, "\nmodes none\n"), "names and modes: %.100s", text);
	finish();
}

/* A line of numbers behind @word, if there is one. */
static int row_of(const char **at, const char *word, long long *row, int room)
{
	int n = 0, m;

	while (**at == '#')
		*at += strcspn(*at, "\n") + 1;
	if (!**at || strncmp(*at, word, strlen(word)))
		return 0;
	*at += strlen(word);
	while (n < room && sscanf(*at, "%lld%n", &row[n], &m) == 1) {
		*at += m;
		n++;
		if (**at == '\n')
			break;
	}
	CHECK(**at == '\n', "more numbers than %d", room);
	(*at)++;
	return n;
}

static void slabs_and_magazines_add_up(void)
{
	__u64 slabs = 0, empty = 0, held = 0, allocs = 0, frees = 0;
	struct quarry_cache_stats s;
	unsigned int cpus = 0;
	long long row[16];
	const char *at;
	int n, i;

	setup("pool=" POOL);
	take(300);
	give(200);
	get(CACHE, &s);
	for (at = read_cache_file("slabs"); (n = row_of(&at, "", row, 16)); ) {
		REQUIRE(n == 12, "%d numbers in a line of slabs", n);
		for (i = 1; i < 11; i++)
			slabs += row[i];
		empty += row[10];
		CHECK(!row[11], "%lld guarded slabs", row[11]);
	}
	CHECK(slabs == s.slabs && empty == s.slabs_empty,
	      "%llu slabs, %llu empty; the ioctl: %llu %llu", slabs, empty, s.slabs, s.slabs_empty);
	for (at = read_cache_file("magazines"); (n = row_of(&at, "cpu", row, 16)); cpus++) {
		REQUIRE(n == 8, "%d numbers in a line of a CPU", n);
		CHECK(row[1] <= row[2] + row[3], "CPU %lld: %lld of %lld + %lld", row[0], row[1],
		      row[2], row[3]);
		held += row[1] + row[7];
		allocs += row[5];
		frees += row[6];
	}
	CHECK(cpus >= sysconf(_SC_NPROCESSORS_CONF), "%u CPUs", cpus);
	while ((n = row_of(&at, "node", row, 16))) {
		REQUIRE(n == 5, "%d numbers in a line of a node", n);
		held += row[1];
	}
	CHECK(!*at, "more lines: %.40s", at);
	CHECK(held * s.stride == s.magazine_bytes, "%llu objects in magazines, %llu bytes", held,
	      s.magazine_bytes);
	CHECK(allocs + s.direct_allocs == s.allocs && frees + s.direct_frees == s.frees,
	      "%llu out and %llu back by magazines", allocs, frees);
	finish();
}

/* As strict as parsers of version 2.1 are: mm/slab_common.c's own formats, read back. */
static const char *parse_slabinfo(const char *line, char *name, __u64 *v)
{
	char again[512];
	int n = 0;

	if (!CHECK(sscanf(line, "%63s %llu %llu %llu %llu %llu : tunables %llu %llu %llu"
			  " : slabdata %llu %llu %llu%n",
			  name, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8],
			  &v[9], &v[10], &n) == 12 && line[n] == '\n', "bad line: %.100s", line))
		return NULL;
	snprintf(again, sizeof(again),
		 "%-17s %6llu %6llu %6llu %4llu %4llu : tunables %4llu %4llu %4llu"
		 " : slabdata %6llu %6llu %6llu",
		 name, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10]);
	CHECK(strlen(again) == (size_t)n && !memcmp(again, line, n),
	      "columns are set otherwise: %.*s", n, line);
	CHECK(v[0] <= v[1] && v[8] <= v[9], "%s: %llu of %llu objects, %llu of %llu slabs", name,
	      v[0], v[1], v[8], v[9]);
	return line + n + 1;
}

static const char *skip_head(const char *at)
{
	static const char head[] =
		"slabinfo - version: 2.1\n"
		"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
		" : tunables <limit> <batchcount> <sharedfactor>"
		" : slabdata <active_slabs> <num_slabs> <sharedavail>\n";

	REQUIRE(!strncmp(at, head, strlen(head)), "another head: %.100s", at);
	return at + strlen(head);
}

static void slabinfo_is_the_kernels_format(void)
{
	struct quarry_cache_entry e[QT_MAX_CACHES];
	struct quarry_cache_stats s;
	__u32 nr, lines = 0, mine = 0;
	const char *at;
	char name[64];
	__u64 v[11];

	setup("pool=" POOL);
	take(70);
	get(CACHE, &s);
	REQUIRE(!qt_cache_list(fd, e, QT_MAX_CACHES, &nr), "list failed");
	REQUIRE(qt_read_file(QT_DEBUGFS "/slabinfo", text, sizeof(text)) > 0, "cannot read");
	for (at = skip_head(text); at && *at; lines++) {
		at = parse_slabinfo(at, name, v);
		if (!at || strcmp(name, CACHE))
			continue;
		mine++;
		CHECK(v[0] == 70 && v[1] == s.slabs * s.objects_per_slab && v[2] == s.stride &&
		      v[3] == s.objects_per_slab && v[4] == 1ULL << s.order &&
		      v[8] == s.slabs - s.slabs_empty && v[9] == s.slabs,
		      "%llu %llu %llu %llu %llu, slabs %llu %llu", v[0], v[1], v[2], v[3], v[4],
		      v[8], v[9]);
	}
	CHECK(lines == nr && mine == 1, "%u lines for %u caches, %u of the test's",
	      lines, nr, mine);
	finish();
}

/* The kernel's own file passes by the same parser: so it is as strict as it says. */
static void the_kernels_slabinfo_passes(void)
{
	const char *at;
	int lines = 0;
	char name[64];
	__u64 v[11];

	REQUIRE(qt_read_file("/proc/slabinfo", text, sizeof(text)) > 0, "cannot read");
	for (at = skip_head(text); at && *at; lines++)
		at = parse_slabinfo(at, name, v);
	CHECK(lines, "it is empty");
}

/* Every byte of @pool stands in one place, and nothing is left over. */
static void check_accounting(const char *pool, __u64 objects, __u64 pages)
{
	static const char * const parts[] = {
		"object_bytes", "magazine_bytes", "partial_bytes", "waste_bytes", "pages_bytes",
		"pcp_bytes", "free_bytes", "retired_bytes", "metadata_bytes",
	};
	struct quarry_pool_stats s;
	char path[256], line[100];
	long long sum = 0;
	unsigned int i;

	snprintf(path, sizeof(path), QT_DEBUGFS "/pools/%s/accounting", pool);
	REQUIRE(qt_read_file(path, text, sizeof(text)) > 0, "cannot read %s", path);
	REQUIRE(!qt_stats(fd, pool, &s), "%s: no statistics", pool);
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		sum += number_of(text, parts[i]);
	CHECK(number_of(text, "taken_bytes") == sum && !number_of(text, "unaccounted_bytes"),
	      "%s: %lld taken, %lld found, %lld not", pool, number_of(text, "taken_bytes"), sum,
	      number_of(text, "unaccounted_bytes"));
	CHECK(number_of(text, "taken_bytes") - number_of(text, "metadata_bytes") ==
	      (long long)s.managed_bytes, "%s: %llu bytes managed", pool, s.managed_bytes);
	CHECK(number_of(text, "object_bytes") == (long long)objects &&
	      number_of(text, "pages_bytes") == (long long)pages,
	      "%s: %lld bytes of objects, %lld of pages, not %llu, %llu", pool,
	      number_of(text, "object_bytes"), number_of(text, "pages_bytes"), objects, pages);
	number_of(text, "label_bytes");
	/* The same in one line, for people. */
	snprintf(line, sizeof(line), "\n# %lld taken = %llu in objects + ",
		 number_of(text, "taken_bytes"), objects);
	CHECK(strstr(text, line) && strstr(text, " metadata, off by 0\n"), "no line reconciles");
}

static void every_byte_is_accounted_for(void)
{
	__u64 page = sysconf(_SC_PAGESIZE), given;
	struct quarry_cache_stats s;

	setup("pool=" POOL);
	check_accounting(POOL, 0, 0);
	check_accounting(QT_DEFAULT_POOL, 0, 0);
	take(1000);
	get(CACHE, &s);
	check_accounting(POOL, s.object_bytes, 0);
	qt_load_module("pool=" POOL " hold=20 order=1");
	check_accounting(POOL, s.object_bytes, 40 * page);
	give(700);
	qt_unload_module();
	get(CACHE, &s);
	check_accounting(POOL, 300ULL * s.stride, 0);
	/* With two kinds of slabs. */
	CHECK(!qt_cache_modes(fd, CACHE, QUARRY_MODE_REDZONE | QUARRY_MODE_QUARANTINE, 0, NULL),
	      "modes failed");
	take(200);
	give(100);
	CHECK(!qt_cache_stats(fd, CACHE, &s), "no statistics");
	check_accounting(POOL, s.object_bytes, 0);
	give(400);
	CHECK(!qt_cache_modes(fd, CACHE, 0, QUARRY_MODES, NULL), "modes failed");
	CHECK(!qt_cache_shrink(fd, CACHE, &given) && given, "shrink failed");
	check_accounting(POOL, 0, 0);
	finish();
}

static void malloc_is_accounted_for(void)
{
	__u64 page = sysconf(_SC_PAGESIZE);
	struct quarry_cache_stats s;

	setup("pool=" POOL " blocks=50 block_size=1000");
	get("malloc-1024", &s);
	CHECK(s.objects_out == 50 && s.object_bytes == 50 * 1024, "%llu are out, %llu bytes",
	      s.objects_out, s.object_bytes);
	check_accounting(QT_DEFAULT_POOL, 50 * 1024, 0);
	qt_objects_unload();
	/* Too large for a class: pages with clients. 13 pages of 16 would waste a fifth. */
	qt_objects_load("pool=" POOL " blocks=3 block_size=40000");
	check_accounting(QT_DEFAULT_POOL, 0, 3 * 10 * page);
	qt_objects_unload();
	get("malloc-1024", &s);
	CHECK(!s.objects_out, "%llu are still out", s.objects_out);
	CHECK(!qt_cache_shrink(fd, "malloc-1024", NULL), "shrink failed");
	check_accounting(QT_DEFAULT_POOL, 0, 0);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void modes_are_switched_with_objects_out(void)
{
	struct quarry_cache_stats s;
	unsigned int nr = 0;
	__u32 modes, bit;

	setup("pool=" POOL);
	take(50);
	for (bit = 1; bit; bit <<= 1) {
		if (!(QUARRY_MODES & bit))
			continue;
		nr++;
		CHECK(!qt_cache_modes(fd, CACHE, bit, 0, &modes) && modes == bit, "on: %#x is %#x",
		      bit, modes);
		/* Asking changes nothing. */
		CHECK(!qt_cache_modes(fd, CACHE, 0, 0, &modes) && modes == bit, "%#x became %#x",
		      bit, modes);
		take(30);
		get(CACHE, &s);
		CHECK(s.modes == bit && s.objects_out == 80, "modes are %#x, %llu are out", s.modes,
		      s.objects_out);
		check_valid(CACHE);
		CHECK(!qt_cache_modes(fd, CACHE, 0, bit, &modes) && !modes, "off: %#x is %#x", bit,
		      modes);
		give(30);
		get(CACHE, &s);
		CHECK(!s.modes && s.objects_out == 50, "modes are %#x, %llu are out", s.modes,
		      s.objects_out);
		check_valid(CACHE);
	}
	CHECK(!qt_cache_modes(fd, CACHE, QUARRY_MODES, 0, &modes) && modes == QUARRY_MODES,
	      "all: %#x", modes);
	take(200);
	/* Poison that was written stays to be looked at when others go off. */
	CHECK(!qt_cache_modes(fd, CACHE, 0, QUARRY_MODE_OWNER | QUARRY_MODE_QUARANTINE, &modes) &&
	      modes == (QUARRY_MODES & ~(QUARRY_MODE_OWNER | QUARRY_MODE_QUARANTINE)),
	      "%#x", modes);
	give(250);
	CHECK(!qt_cache_modes(fd, CACHE, 0, QUARRY_MODES, &modes) && !modes, "none: %#x", modes);
	get(CACHE, &s);
	CHECK(!s.objects_out && s.allocs == 50 + nr * 30 + 200, "%llu are out of %llu",
	      s.objects_out, s.allocs);
	for (bit = 0; bit < QUARRY_NR_CACHE_ERRORS; bit++)
		CHECK(!s.errors[bit], "error %u was counted %llu times", bit, s.errors[bit]);
	check_valid(CACHE);
	finish();
}

static void modes_refuse_what_cannot_be(void)
{
	static const struct {
		__u32 set;
		__u32 clear;
	} bad[] = {
		{ ~QUARRY_MODES, 0 }, { 0, ~QUARRY_MODES }, { 1U << 31, 0 }, { ~0U, 0 },
		{ QUARRY_MODE_OWNER, QUARRY_MODE_OWNER }, { 0, ~0U },
		{ QUARRY_MODE_POISON | QUARRY_MODE_CHECK, QUARRY_MODE_CHECK },
	};
	struct quarry_cache_stats s;
	unsigned int i;
	__u32 modes;
	int ret;

	setup("pool=" POOL " ctor=1");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ret = qt_cache_modes(fd, CACHE, bad[i].set, bad[i].clear, NULL);
		CHECK(ret == -EINVAL, "set %#x clear %#x: %s", bad[i].set, bad[i].clear,
		      strerror(-ret));
	}
	/* What a constructor made must not be filled. */
	ret = qt_cache_modes(fd, CACHE, QUARRY_MODE_POISON | QUARRY_MODE_OWNER, 0, NULL);
	CHECK(ret == -EINVAL, "poison with a constructor: %s", strerror(-ret));
	CHECK(qt_cache_inject(fd, CACHE, ~0ULL, 1000001) == -EINVAL, "more than a million");
	CHECK(qt_cache_inject(fd, CACHE, 1ULL << 63, ~0U) == -EINVAL, "a negative number");
	CHECK(qt_cache_modes(fd, ABSENT, 0, 0, NULL) == -ENOENT, "no such cache");
	get(CACHE, &s);
	CHECK(!s.modes && !s.failures, "modes are %#x, %llu failures", s.modes, s.failures);
	qt_objects_unload();
	/* The largest block holds such an object, but nothing beside it. */
	qt_objects_load("pool=" POOL " size=4194304");
	ret = qt_cache_modes(fd, CACHE, QUARRY_MODE_REDZONE, 0, &modes);
	CHECK(ret == -E2BIG, "no room for redzones: %s", strerror(-ret));
	finish();
}

static void failures_are_injected(void)
{
	struct quarry_cache_stats s;

	setup("pool=" POOL);
	CHECK(!qt_cache_inject(fd, CACHE, 3, ~0U), "inject failed");
	CHECK(qt_objects_write("take", "5") == -ENOMEM && qt_objects_value("has") == 2,
	      "%lu were had", qt_objects_value("has"));
	get(CACHE, &s);
	CHECK(s.failures == 1 && s.fail_injected == 1 && s.objects_out == 2,
	      "%llu failures, %llu injected", s.failures, s.fail_injected);
	/* Once only. */
	take(100);
	CHECK(!qt_cache_inject(fd, CACHE, ~0ULL, 1000000), "inject failed");
	CHECK(qt_objects_write("take", "1") == -ENOMEM, "all were to fail");
	/* Asking leaves it as it is. */
	CHECK(!qt_cache_modes(fd, CACHE, 0, 0, NULL), "modes failed");
	CHECK(qt_objects_write("take", "1") == -ENOMEM, "all were to fail still");
	CHECK(!qt_cache_inject(fd, CACHE, 0, 0), "inject failed");
	take(100);
	get(CACHE, &s);
	CHECK(s.failures == 3 && s.fail_injected == 3 && s.objects_out == 202,
	      "%llu failures, %llu injected, %llu out", s.failures, s.fail_injected,
	      s.objects_out);
	finish();
}

static void misuse_is_counted_by_kind(void)
{
	static const struct {
		const char *what;
		enum quarry_cache_error kind;
	} misuse[] = {
		{ "double_free", QUARRY_CACHE_ERR_DOUBLE_FREE },
		{ "interior", QUARRY_CACHE_ERR_INTERIOR },
		{ "foreign", QUARRY_CACHE_ERR_FOREIGN },
		{ "wrong_cache", QUARRY_CACHE_ERR_WRONG_CACHE },
		{ "overflow", QUARRY_CACHE_ERR_OVERFLOW },
	};
	struct quarry_cache_stats s;
	unsigned int i, k;
	__u64 sum;

	setup("pool=" POOL);
	CHECK(!qt_cache_modes(fd, CACHE, QUARRY_MODE_REDZONE | QUARRY_MODE_CHECK, 0, NULL),
	      "modes failed");
	for (i = 0; i < ARRAY_SIZE(misuse); i++) {
		CHECK(!qt_objects_write("misuse", misuse[i].what), "cannot do %s", misuse[i].what);
		REQUIRE(!qt_cache_stats(fd, CACHE, &s), "no statistics");
		for (k = 0, sum = 0; k < QUARRY_ERRORS_MAX; k++)
			sum += s.errors[k];
		CHECK(s.errors[misuse[i].kind] == 1 && sum == i + 1,
		      "%s: counted %llu times, %llu in all", misuse[i].what,
		      s.errors[misuse[i].kind], sum);
		CHECK(number_of(read_cache_file("errors"), misuse[i].what) == 1,
		      "%s: not in the file", misuse[i].what);
		check_valid(CACHE);
	}
	REQUIRE(!qt_cache_stats(fd, CACHE, &s), "no statistics");
	CHECK(!s.objects_out, "%llu are out", s.objects_out);
	CHECK(!qt_cache_shrink(fd, "malloc-224", NULL), "shrink failed");
	finish();
}

/* Each place is reported once: by this case, or by one before it. */
static void reports_tell_no_addresses(void)
{
	setup("pool=" POOL);
	CHECK(!qt_objects_write("misuse", "double_free"), "cannot free twice");
	finish();
	qt_log_rewind();
	CHECK(qt_log_has("Comm: caches", "called from:"), "nobody was told who it was");
	qt_log_rewind();
	CHECK(!qt_log_has("RIP: ", ""), "the registers of a process were told");
	qt_log_begin();
}

static void check_trace(const struct quarry_trace *t, __u64 objects, const char *function)
{
	unsigned int lines = 0;
	const char *at;

	CHECK(t->objects == objects && t->pid == (__u32)getpid(),
	      "%llu objects of pid %u", t->objects, t->pid);
	CHECK(t->age_min_ms <= t->age_max_ms && t->age_max_ms < 600000, "%llu to %llu ms",
	      t->age_min_ms, t->age_max_ms);
	REQUIRE(memchr(t->text, 0, sizeof(t->text)), "the text has no end");
	for (at = t->text; *at; at++)
		lines += *at == '\n';
	CHECK(t->depth == lines && lines >= 2 && strstr(t->text, function) &&
	      strstr(t->text, "[quarry_objects]"), "%u lines, %u: %.200s", t->depth, lines,
	      t->text);
	CHECK(!strstr(t->text, "ffff") && !strstr(t->text, " 0x"), "an address: %.200s", t->text);
}

static void whoever_has_objects_is_found(void)
{
	static struct quarry_trace traces[16];
	struct quarry_cache_traces t;
	const char *at;
	__u64 was;

	setup("pool=" POOL);
	take(5);
	CHECK(!qt_cache_traces(fd, CACHE, 0, traces, 16, &t) && !t.count && t.untraced == 5,
	      "%u stacks, %llu untraced", t.count, t.untraced);
	CHECK(strstr(read_cache_file("alloc_traces"), "\nuntraced 5\n"), "not in the file");
	CHECK(!qt_cache_modes(fd, CACHE, QUARRY_MODE_OWNER, 0, NULL), "modes failed");
	take(12);
	memset(traces, 0xa5, sizeof(traces));
	CHECK(!qt_cache_traces(fd, CACHE, 0, traces, 16, &t) && t.count == 1 && t.untraced == 5,
	      "%u stacks, %llu untraced", t.count, t.untraced);
	check_trace(&traces[0], 12, "quarry_objects_take");
	memcpy(&was, &traces[1], sizeof(was));
	CHECK(was == 0xa5a5a5a5a5a5a5a5, "written behind the end");
	/* Without room, to count; and where nothing can be written. */
	CHECK(!qt_cache_traces(fd, CACHE, 0, NULL, 0, &t) && t.count == 1, "%u stacks", t.count);
	CHECK(qt_cache_traces(fd, CACHE, 0, (void *)8, 1, &t) == -EFAULT, "a bad array");
	CHECK(qt_cache_traces(fd, ABSENT, 0, traces, 16, &t) == -ENOENT, "no such cache");
	at = strstr(read_cache_file("alloc_traces"), "     12 age=");
	CHECK(at && strstr(at, "quarry_objects_take+"), "not in the file: %.200s", text);
	CHECK(!strstr(text, "0xffff"), "an address: %.200s", text);
	/* Those who gave them back, by the free. */
	give(12);
	CHECK(!qt_cache_traces(fd, CACHE, 0, traces, 16, &t) && !t.count && t.untraced == 5,
	      "%u stacks, %llu untraced", t.count, t.untraced);
	CHECK(!qt_cache_traces(fd, CACHE, QUARRY_TRACES_FREES, traces, 16, &t) && t.count == 1 &&
	      !t.untraced, "%u stacks, %llu untraced", t.count, t.untraced);
	check_trace(&traces[0], 12, "quarry_objects_free");
	at = strstr(read_cache_file("free_traces"), "     12 age=");
	CHECK(at && strstr(at, "quarry_objects_free+"), "not in the file: %.200s", text);
	finish();
}

/* Its symbols have gone, so that nothing but addresses is known of its frames. */
static void a_module_that_is_gone_shows_no_address(void)
{
	static struct quarry_trace traces[4];
	struct quarry_cache_traces t;

	fd = qt_open(O_RDWR);
	CHECK(!qt_cache_modes(fd, "malloc-1024", QUARRY_MODE_OWNER, 0, NULL), "modes failed");
	/* When a module goes caches are emptied; one block keeps the slab of the others. */
	qt_load_module("block=1000");
	qt_objects_load("blocks=7 block_size=1000");
	qt_objects_unload();
	CHECK(!qt_cache_traces(fd, "malloc-1024", QUARRY_TRACES_FREES, traces, 4, &t) &&
	      t.count == 1 && traces[0].objects == 7, "%u stacks, the first of %llu", t.count,
	      traces[0].objects);
	CHECK(strstr(traces[0].text, " 0x????????????????\n") && !strstr(traces[0].text, "ffff"),
	      "an address: %.200s", traces[0].text);
	qt_unload_module();
	CHECK(!qt_cache_modes(fd, "malloc-1024", 0, QUARRY_MODES, NULL), "modes failed");
	CHECK(!qt_cache_shrink(fd, "malloc-1024", NULL), "shrink failed");
}

static unsigned int entries_named(const char *name, unsigned int kind)
{
	struct quarry_cache_entry e[QT_MAX_CACHES];
	unsigned int found = 0;
	__u32 nr, i;

	REQUIRE(!qt_cache_list(fd, e, QT_MAX_CACHES, &nr), "list failed");
	for (i = 0; i < nr; i++)
		found += !strcmp(e[i].name, name) && e[i].kind == kind;
	return found;
}

static bool slabinfo_has(const char *start)
{
	FILE *f = fopen(QT_DEBUGFS "/slabinfo", "r");
	char line[512];
	bool found = false;

	REQUIRE(f, "no slabinfo");
	while (fgets(line, sizeof(line), f))
		found |= !strncmp(line, start, strlen(start));
	fclose(f);
	return found;
}

static void destroyed_with_objects_out_is_dead(void)
{
	struct quarry_cache_stats s;
	unsigned int i;

	setup("pool=" POOL);
	take(3);
	CHECK(entries_named(CACHE, QUARRY_CACHE_TYPED) == 1, "it is not in the list");
	CHECK(!qt_objects_write("destroy", "1"), "destroy failed");
	/* It is listed, for its memory is gone; but its name can be had again. */
	CHECK(entries_named(CACHE, QUARRY_CACHE_DEAD) == 1 &&
	      !entries_named(CACHE, QUARRY_CACHE_TYPED), "it is not dead");
	CHECK(qt_cache_stats(fd, CACHE, &s) == -ENOENT, "it answers");
	CHECK(qt_cache_shrink(fd, CACHE, NULL) == -ENOENT, "it shrinks");
	CHECK(access(QT_DEBUGFS "/caches/" CACHE, F_OK), "it has a folder");
	CHECK(qt_destroy(fd, POOL) == -EBUSY, "its pool was destroyed");
	/* Nor is it to be confused with another of that name, by who reads slabinfo. */
	CHECK(!slabinfo_has(CACHE " ") && slabinfo_has(CACHE ":dead-"), "slabinfo is ambiguous");
	give(3);
	/* The reaper comes by every two seconds. */
	for (i = 0; i < LOOKS && entries_named(CACHE, QUARRY_CACHE_DEAD); i++)
		usleep(1000);
	CHECK(!entries_named(CACHE, QUARRY_CACHE_DEAD), "it was not buried");
	finish();
}

/*
 * A cache that has nothing grows where nothing may sleep. With PREEMPT_RT it cannot, for
 * the kernel's allocator cannot be called there; what it has is to be had.
 */
static void where_nothing_may_sleep(void)
{
	bool rt = !access("/sys/kernel/realtime", F_OK);
	struct quarry_cache_stats s;
	int ret;

	setup("pool=" POOL);
	CHECK(qt_objects_write("swap", "300") == (rt ? -ENOMEM : 0), "an empty cache");
	REQUIRE(!qt_cache_stats(fd, CACHE, &s), "stats failed");
	CHECK(s.failures == (rt ? 300 : 0), "%llu failures", s.failures);
	take(300);
	give(300);
	CHECK(!qt_objects_write("swap", "300"), "a cache that has them");
	/* In modes all goes another way. */
	CHECK(!qt_cache_modes(fd, CACHE, QUARRY_MODE_OWNER | QUARRY_MODE_POISON |
			      QUARRY_MODE_RANDOM, 0, NULL), "modes failed");
	take(300);
	/* What the last slab has left, at most. */
	ret = qt_objects_write("swap", "300");
	CHECK(rt ? ret == -EAGAIN || ret == -ENOMEM : !ret, "in modes, all out: %d", ret);
	give(300);
	CHECK(!qt_objects_write("swap", "300"), "in modes");
	REQUIRE(!qt_cache_stats(fd, CACHE, &s), "stats failed");
	CHECK(!s.objects_out && s.allocs == s.frees, "%llu out", s.objects_out);
	CHECK(rt ? s.failures > 300 : !s.failures, "%llu failures", s.failures);
	finish();
}

/* To user memory and back, both ways: what may be copied, and one byte too many. */
static void only_the_window_is_copied(void)
{
	static const struct {
		unsigned int at, n;
		bool good;
	} tries[] = {
		{ 16, 64, true }, { 16, 1, true }, { 79, 1, true }, { 40, 8, true },
		{ 15, 1, false }, { 15, 65, false }, { 16, 65, false }, { 79, 2, false },
		{ 80, 1, false }, { 0, 200, false }, { 199, 1, false },
		/* The next object, and what lies in two. */
		{ 200, 1, false }, { 190, 40, false },
	};
	/* Else the compiler sees through it. */
	void *nowhere = (void *)strtoul("8", NULL, 0);
	char in[256], out[256];
	unsigned int i;
	int f;

	setup("size=200 user_offset=16 user_size=64");
	take(3);
	f = open("/sys/kernel/debug/quarry_objects", O_RDWR | O_CLOEXEC);
	REQUIRE(f >= 0, "no file: %s", strerror(errno));
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		ssize_t want = tries[i].good ? (ssize_t)tries[i].n : -1;

		memset(out, 'a' + i, sizeof(out));
		memset(in, 0, sizeof(in));
		CHECK(pwrite(f, out, tries[i].n, tries[i].at) == want &&
		      (want > 0 || errno == EFAULT), "in %u: %s", i, strerror(errno));
		CHECK(pread(f, in, tries[i].n, tries[i].at) == want &&
		      (want > 0 || errno == EFAULT), "out %u: %s", i, strerror(errno));
		CHECK(!memcmp(in, out, want > 0 ? want : 0) && !in[want > 0 ? want : 0],
		      "%u: other bytes", i);
	}
	CHECK(pread(f, nowhere, 8, 16) < 0 && errno == EFAULT, "to nowhere");
	CHECK(pwrite(f, nowhere, 8, 16) < 0 && errno == EFAULT, "from nowhere");
	close(f);
	finish();
}

/* As the kernel was told at boot; Debian's wipes what it hands out unless it is told. */
static void wiped_as_the_kernel_was_told(void)
{
	unsigned long clears;
	int ret, want;

	setup("pool=" POOL);
	clears = qt_objects_value("clears");
	want = !clears ? -EEXIST : clears == 1 ? -EBUSY : 0;
	ret = qt_objects_write("wipe", "1");
	CHECK(ret == want, "%d, not %d", ret, want);
	/* Where an object's magazine is not at hand. */
	take(100);
	give(100);
	ret = qt_objects_write("wipe", "1");
	CHECK(ret == want, "%d, not %d", ret, want);
	finish();
}

static void folders_are_the_list(void)
{
	struct quarry_cache_entry e[QT_MAX_CACHES];
	unsigned int dirs = 0, dead = 0;
	struct dirent *d;
	__u32 nr, i;
	DIR *dir;

	setup("pool=" POOL);
	REQUIRE(!qt_cache_list(fd, e, QT_MAX_CACHES, &nr), "list failed");
	dir = opendir(QT_DEBUGFS "/caches");
	REQUIRE(dir, "no folder of caches");
	while ((d = readdir(dir))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		for (i = 0; i < nr && strcmp(d->d_name, e[i].name); i++)
			;
		CHECK(i < nr, "%s is in no list", d->d_name);
		dirs++;
	}
	closedir(dir);
	for (i = 0; i < nr; i++)
		dead += e[i].kind == QUARRY_CACHE_DEAD;
	CHECK(dirs == nr - dead, "%u folders, %u caches, %u dead", dirs, nr, dead);
	finish();
}

static void files_outlive_their_cache(void)
{
	static const char * const files[] = {
		"stats", "slabs", "magazines", "errors", "alloc_traces", "free_traces",
	};
	int f[ARRAY_SIZE(files)];
	char path[256], buf[64];
	unsigned int i, round;

	for (round = 0; round < 4; round++) {
		setup("pool=" POOL);
		take(10);
		for (i = 0; i < ARRAY_SIZE(files); i++) {
			snprintf(path, sizeof(path), QT_DEBUGFS "/caches/" CACHE "/%s", files[i]);
			f[i] = open(path, O_RDONLY | O_CLOEXEC);
			REQUIRE(f[i] >= 0, "%s: %s", path, strerror(errno));
			/* Some are half read, the others not at all. */
			if (round % 2)
				CHECK(read(f[i], buf, 8) == 8, "%s: cannot read", path);
		}
		finish();
		for (i = 0; i < ARRAY_SIZE(files); i++) {
			CHECK(read(f[i], buf, sizeof(buf)) < 0 && errno == EIO, "%s: %s", files[i],
			      strerror(errno));
			close(f[i]);
		}
		close(fd);
	}
}

static bool after(void)
{
	qt_objects_unload();
	qt_unload_module();
	return qt_after();
}

static const struct ktap_case cases[] = {
	{ "classes_are_listed", classes_are_listed },
	{ "objects_out_are_counted", objects_out_are_counted },
	{ "constructors_are_counted", constructors_are_counted },
	{ "files_say_what_the_ioctls_say", files_say_what_the_ioctls_say },
	{ "slabs_and_magazines_add_up", slabs_and_magazines_add_up },
	{ "the_kernels_slabinfo_passes", the_kernels_slabinfo_passes },
	{ "slabinfo_is_the_kernels_format", slabinfo_is_the_kernels_format },
	{ "every_byte_is_accounted_for", every_byte_is_accounted_for },
	{ "malloc_is_accounted_for", malloc_is_accounted_for },
	{ "modes_are_switched_with_objects_out", modes_are_switched_with_objects_out },
	{ "modes_refuse_what_cannot_be", modes_refuse_what_cannot_be },
	{ "failures_are_injected", failures_are_injected },
	{ "misuse_is_counted_by_kind", misuse_is_counted_by_kind },
	{ "reports_tell_no_addresses", reports_tell_no_addresses },
	{ "whoever_has_objects_is_found", whoever_has_objects_is_found },
	{ "a_module_that_is_gone_shows_no_address", a_module_that_is_gone_shows_no_address },
	{ "destroyed_with_objects_out_is_dead", destroyed_with_objects_out_is_dead },
	{ "folders_are_the_list", folders_are_the_list },
	{ "where_nothing_may_sleep", where_nothing_may_sleep },
	{ "only_the_window_is_copied", only_the_window_is_copied },
	{ "wiped_as_the_kernel_was_told", wiped_as_the_kernel_was_told },
	{ "files_outlive_their_cache", files_outlive_their_cache },
};

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = qt_before,
	.after = after,
};
