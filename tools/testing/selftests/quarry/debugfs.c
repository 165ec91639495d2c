// SPDX-License-Identifier: GPL-2.0
/*
 * The files below /sys/kernel/debug/quarry: there, for root only, only to be
 * read, in formats that can be relied on, with the numbers that the ioctls
 * give for the same pool.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quarry_test.h"

#define POOL	QT_PREFIX "dbg"
#define OTHER	QT_PREFIX "a-much-longer-name.for_it"

static const char * const root_files[] = {
	"version", "buddyinfo", "visits", "forgotten", "slabinfo"
};

static const char * const pool_files[] = {
	"stats", "orders", "arenas", "fragmentation", "map", "percpu", "errors", "accounting",
};

static const char * const cache_files[] = {
	"stats", "slabs", "magazines", "errors", "alloc_traces", "free_traces",
};

static int fd;
static char text[1 << 20], again[1 << 20];

static void setup(void)
{
	fd = qt_open(O_RDWR);
	if (access("/sys/kernel/debug/.", R_OK) || access(QT_DEBUGFS, F_OK))
		CHECK(false, "no " QT_DEBUGFS);
	/* Two kinds of memory, so that equal numbers are not both zero. */
	REQUIRE(!qt_create(fd, POOL, MIB(6), MIB(32), NULL), "create failed");
	REQUIRE(!qt_create(fd, OTHER, MIB(1), MIB(1), NULL), "create failed");
}

static void finish(void)
{
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
	CHECK(!qt_destroy(fd, OTHER), "destroy failed");
}

/* Calls @fn for each file there is to be, those of three pools and a cache included. */
static void each_file(void (*fn)(const char *path, const char *file))
{
	static const char * const pools[] = { QT_DEFAULT_POOL, POOL, OTHER };
	char path[256], file[64];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(root_files); i++) {
		snprintf(path, sizeof(path), QT_DEBUGFS "/%s", root_files[i]);
		fn(path, root_files[i]);
	}
	for (i = 0; i < ARRAY_SIZE(pools); i++)
		for (j = 0; j < ARRAY_SIZE(pool_files); j++) {
			snprintf(path, sizeof(path), QT_DEBUGFS "/pools/%s/%s", pools[i],
				 pool_files[j]);
			fn(path, pool_files[j]);
		}
	for (j = 0; j < ARRAY_SIZE(cache_files); j++) {
		snprintf(path, sizeof(path), QT_DEBUGFS "/caches/" QT_CLASS "/%s",
			 cache_files[j]);
		snprintf(file, sizeof(file), "cache-%s", cache_files[j]);
		fn(path, file);
	}
}

static const char *read_pool_file(const char *pool, const char *file)
{
	char path[256];
	ssize_t n;

	snprintf(path, sizeof(path), QT_DEBUGFS "/pools/%s/%s", pool, file);
	n = qt_read_file(path, text, sizeof(text));
	REQUIRE(n > 0, "%s: %s", path, n ? strerror(-n) : "empty");
	return text;
}

static void check_mode(const char *path, const char *file)
{
	struct stat st;

	(void)file;
	if (!CHECK(!stat(path, &st), "%s: %s", path, strerror(errno)))
		return;
	CHECK(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0444, "%s: mode is %o", path,
	      st.st_mode);
	CHECK(!st.st_uid && !st.st_gid, "%s: belongs to %u:%u", path, st.st_uid, st.st_gid);
}

/* Nothing in @path that is not in @known: what is new needs its test. */
static void check_known(const char *path, const char * const *known, unsigned int nr)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	unsigned int i;

	REQUIRE(dir, "%s: %s", path, strerror(errno));
	while ((d = readdir(dir))) {
		for (i = 0; i < nr && strcmp(d->d_name, known[i]); i++)
			;
		CHECK(i < nr || d->d_name[0] == '.', "%s/%s is not known here", path, d->d_name);
	}
	closedir(dir);
}

static void files_are_there(void)
{
	/* inject is there where the kernel can inject faults. */
	static const char * const root[] = {
		"version", "buddyinfo", "visits", "forgotten", "slabinfo", "pools", "caches",
		"inject",
	};

	setup();
	each_file(check_mode);
	check_known(QT_DEBUGFS, root, ARRAY_SIZE(root));
	check_known(QT_DEBUGFS "/pools/" POOL, pool_files, ARRAY_SIZE(pool_files));
	check_known(QT_DEBUGFS "/caches/" QT_CLASS, cache_files, ARRAY_SIZE(cache_files));
	finish();
}

static void folders_are_the_list(void)
{
	struct quarry_pool_entry e[QT_MAX_POOLS];
	unsigned int dirs = 0;
	struct dirent *d;
	__u32 nr, i;
	DIR *dir;

	setup();
	REQUIRE(!qt_list(fd, e, QT_MAX_POOLS, &nr), "list failed");
	dir = opendir(QT_DEBUGFS "/pools");
	REQUIRE(dir, "no folder of pools");
	while ((d = readdir(dir))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		for (i = 0; i < nr && strcmp(d->d_name, e[i].name); i++)
			;
		CHECK(i < nr, "%s is in no list", d->d_name);
		dirs++;
	}
	closedir(dir);
	CHECK(dirs == nr, "%u folders, %u pools", dirs, nr);
	finish();
	CHECK(access(QT_DEBUGFS "/pools/" POOL, F_OK), "the folder outlived its pool");
}

static void refuse_as_nobody(const char *path, const char *file)
{
	(void)file;
	CHECK(open(path, O_RDONLY) < 0 && errno == EACCES, "nobody may open %s", path);
}

static void only_root_may_look(void)
{
	int status;
	pid_t pid;

	setup();
	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		qt_drop_root();
		each_file(refuse_as_nobody);
		fflush(stdout);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && !status, "the child ended with %#x", status);
	finish();
}

static void refuse_writing(const char *path, const char *file)
{
	static const char * const what[] = { "1", "0\n", "" };
	unsigned int i;
	int f;

	(void)file;
	REQUIRE(qt_read_file(path, text, sizeof(text)) >= 0, "%s: cannot read", path);
	/* Root may open what nobody may write; then the write has to fail. */
	f = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (f < 0) {
		CHECK(errno == EACCES || errno == EPERM, "%s: %s", path, strerror(errno));
		return;
	}
	for (i = 0; i < 2; i++) {
		CHECK(write(f, what[i], strlen(what[i])) < 0, "%s: a write worked", path);
		CHECK(pwrite(f, what[i], strlen(what[i]), 3) < 0, "%s: pwrite worked", path);
	}
	close(f);
	REQUIRE(qt_read_file(path, again, sizeof(again)) >= 0, "%s: cannot read", path);
	CHECK(!strcmp(text, again), "%s: reads otherwise after a write", path);
}

static void writing_fails(void)
{
	setup();
	each_file(refuse_writing);
	finish();
}

static bool matches(const char *line, const char *pattern)
{
	regex_t re;
	bool ok;

	REQUIRE(!regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE), "bad pattern %s",
		pattern);
	ok = !regexec(&re, line, 0, NULL, 0);
	regfree(&re);
	return ok;
}

static void check_first_line(const char *path, const char *file)
{
	char pattern[100];

	REQUIRE(qt_read_file(path, text, sizeof(text)) > 0, "%s: cannot read", path);
	CHECK(text[strlen(text) - 1] == '\n', "%s: the last line has no end", path);
	/* Their formats are the kernel's: no line for a version, or one of its own. */
	if (!strcmp(file, "buddyinfo") || !strcmp(file, "slabinfo"))
		return;
	text[strcspn(text, "\n")] = 0;
	snprintf(pattern, sizeof(pattern), "^# quarry %s [0-9]+$", file);
	CHECK(matches(text, pattern), "%s: begins with \"%s\"", path, text);
}

static void first_line_has_a_version(void)
{
	setup();
	each_file(check_first_line);
	finish();
}

static void check_addresses(const char *path, const char *file)
{
	const char *at;
	size_t n;

	(void)file;
	REQUIRE(qt_read_file(path, text, sizeof(text)) > 0, "%s: cannot read", path);
	for (at = text; *at; at += n ?: 1) {
		for (n = 0; isxdigit((unsigned char)at[n]); n++)
			;
		/* Kernel addresses, hashed ones, and what %p prints for NULL. */
		CHECK(n != 16 || strncasecmp(at, "ffff", 4), "%s: %.16s", path, at);
		CHECK(n != 16 || strncmp(at, "00000000", 8), "%s: %.16s", path, at);
		CHECK(strncmp(at, "0x", 2) && strncmp(at, "(____ptrval", 11), "%s: %.20s", path,
		      at);
	}
	CHECK(!strstr(text, "(null)") && !strstr(text, "(efault)"), "%s: a bad %%p or %%s", path);
	for (at = text; *at; at++)
		if (!CHECK(isprint((unsigned char)*at) || strchr("\n\t", *at),
			   "%s: byte %#x", path, (unsigned char)*at))
			break;
}

static void no_addresses(void)
{
	setup();
	each_file(check_addresses);
	finish();
}

static void check_pieces(const char *path, const char *file)
{
	static const size_t piece[] = { 1, 3, 7, 61, 509, 4096, 5000 };
	ssize_t len = qt_read_file(path, text, sizeof(text)), n;
	size_t i, off;
	int f;

	(void)file;
	REQUIRE(len > 0, "%s: cannot read", path);
	f = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(f >= 0, "%s: %s", path, strerror(errno));
	for (i = 0; i < ARRAY_SIZE(piece); i++) {
		/* In a row, by read(). */
		memset(again, 0, len + 1);
		lseek(f, 0, SEEK_SET);
		for (off = 0; (n = read(f, again + off, piece[i])) > 0; off += n)
			;
		CHECK(!n && off == (size_t)len && !memcmp(text, again, len),
		      "%s: other text in pieces of %zu", path, piece[i]);
		/* Backwards and not aligned to anything, by pread(). */
		for (off = len; off;) {
			size_t step = off < 97 ? off : 97;
			char buf[4096 + 1000];
			size_t want = piece[i] < sizeof(buf) ? piece[i] : sizeof(buf);

			off -= step;
			n = pread(f, buf, want, off);
			if (!CHECK(n > 0 && !memcmp(text + off, buf, n),
				   "%s: other text at %zu in pieces of %zu", path, off, want))
				break;
		}
		CHECK(!pread(f, again, 1, len), "%s: text behind the end", path);
		CHECK(!pread(f, again, 1, len + 1000000), "%s: text far behind the end", path);
	}
	close(f);
}

static void pieces_make_the_whole(void)
{
	setup();
	each_file(check_pieces);
	finish();
}

/*
 * As strict as parsers of /proc/buddyinfo are, which has "Node %d, zone %8s "
 * and then "%6lu " for each order. Zones here are pools.
 */
static const char *parse_buddyinfo(const char *line, int *node, char *name, __u64 *blocks,
				   int *orders)
{
	char *end;
	int n = 0, width;

	if (!CHECK(sscanf(line, "Node %d, zone %n", node, &n) == 1 && n && *node >= 0,
		   "bad line: %.60s", line))
		return NULL;
	line += n;
	/* %n ate the blanks in front of the name: count back. */
	for (width = 0; line[-1 - width] == ' '; width++)
		;
	n = strcspn(line, "\n ");
	CHECK(width - 1 + n >= 8, "the name is not in a column of 8: %.40s", line - width);
	CHECK(width == 1 || width - 1 + n == 8, "the name's column is wider than 8");
	REQUIRE(n > 0 && n < QUARRY_NAME_MAX, "a name of %d bytes", n);
	memcpy(name, line, n);
	name[n] = 0;
	line += n;
	CHECK(*line++ == ' ', "no blank behind the name");
	for (*orders = 0; *line != '\n'; (*orders)++) {
		REQUIRE(*orders < QUARRY_NR_ORDERS, "too many orders");
		blocks[*orders] = strtoull(line, &end, 10);
		if (!CHECK(end > line && *end == ' ' &&
			   (end - line == 6 || blocks[*orders] > 99999),
			   "a number is not in a column of 6: %.20s", line))
			return NULL;
		line = end + 1;
	}
	return line + 1;
}

static void buddyinfo_is_the_kernels_format(void)
{
	unsigned int pools = 0;
	const char *at;

	setup();
	REQUIRE(qt_read_file(QT_DEBUGFS "/buddyinfo", text, sizeof(text)) > 0, "cannot read");
	for (at = text; at && *at;) {
		__u64 blocks[QUARRY_NR_ORDERS], bytes = 0;
		char name[QUARRY_NAME_MAX];
		struct quarry_pool_orders o;
		struct quarry_pool_stats s;
		int nr, i, node;

		at = parse_buddyinfo(at, &node, name, blocks, &nr);
		if (!at)
			break;
		CHECK(nr >= 11, "%s: %d orders", name, nr);
		if (!CHECK(!qt_orders(fd, name, node, &o), "%s: no such pool", name))
			continue;
		for (i = 0; i < nr; i++) {
			CHECK(blocks[i] == o.orders[i].free_blocks,
			      "%s: order %d: %llu blocks, the ioctl says %llu", name, i,
			      blocks[i], o.orders[i].free_blocks);
			bytes += (blocks[i] << i) * sysconf(_SC_PAGESIZE);
		}
		REQUIRE(!qt_stats(fd, name, &s), "%s: no statistics", name);
		if (access("/sys/devices/system/node/node1", F_OK))
			CHECK(bytes == s.free_bytes, "%s: %llu bytes here, %llu there", name,
			      bytes, s.free_bytes);
		pools += !strcmp(name, POOL) || !strcmp(name, OTHER) ||
			 !strcmp(name, QT_DEFAULT_POOL);
	}
	CHECK(pools >= 3, "%u of three pools are there", pools);
	finish();
}

/* The kernel's own file passes by the same parser: so it is as strict as it says. */
static void the_kernels_buddyinfo_passes(void)
{
	const char *at;
	int lines = 0;

	REQUIRE(qt_read_file("/proc/buddyinfo", text, sizeof(text)) > 0, "cannot read");
	for (at = text; at && *at; lines++) {
		__u64 blocks[QUARRY_NR_ORDERS];
		char name[QUARRY_NAME_MAX];
		int nr, node;

		at = parse_buddyinfo(at, &node, name, blocks, &nr);
	}
	CHECK(lines, "it is empty");
}

static void version_is_the_ioctls(void)
{
	struct quarry_version v;

	setup();
	REQUIRE(!qt_version(fd, &v), "version failed");
	REQUIRE(qt_read_file(QT_DEBUGFS "/version", text, sizeof(text)) > 0, "cannot read");
	CHECK(strstr(text, v.version), "\"%s\" is not in it", v.version);
	finish();
}

/* The number behind @name at the beginning of a line, in decimal. */
static bool number_of(const char *where, const char *name, long long *value)
{
	size_t len = strlen(name);
	const char *at;

	for (at = where; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		char *end;

		if (strncmp(at, name, len) || !strchr(" \t:", at[len]))
			continue;
		*value = strtoll(at + len + strspn(at + len, " \t:"), &end, 10);
		return end != at + len;
	}
	return false;
}

static void check_numbers(const char *pool)
{
	const struct qt_figure *f = qt_pool_figures;
	struct quarry_pool_stats s;
	long long v;

	REQUIRE(!qt_stats(fd, pool, &s), "stats failed");
	read_pool_file(pool, "stats");
	for (; f < qt_pool_figures + qt_nr_pool_figures; f++) {
		/* Kinds of misuse have a file of their own. */
		if (f->kind == QUARRY_FIGURE_ERROR)
			continue;
		if (CHECK(number_of(text, f->name, &v), "%s: no %s", pool, f->name))
			CHECK((__u64)v == qt_figure(f, &s), "%s: %s is %lld, the ioctl says %llu",
			      pool, f->name, v, qt_figure(f, &s));
	}
}

/* Lines of numbers: after those that begin with #, the next one at *@at. */
static int next_row(const char **at, double *row, int room)
{
	int n = 0;

	while (**at == '#')
		*at += strcspn(*at, "\n") + 1;
	while (**at && **at != '\n' && n < room) {
		char *end;

		row[n++] = strtod(*at, &end);
		REQUIRE(end > *at, "no number at %.20s", *at);
		*at = end + strspn(end, " ");
	}
	if (**at == '\n')
		(*at)++;
	return n;
}

static int near(double a, double b)
{
	return a - b < 0.0005 && b - a < 0.0005;
}

static void orders_are_the_ioctls(void)
{
	struct quarry_pool_orders o;
	const char *at;
	double row[8];
	unsigned int i;

	setup();
	REQUIRE(!qt_orders(fd, POOL, QUARRY_ANY_NODE, &o), "orders failed");
	at = read_pool_file(POOL, "orders");
	for (i = 0; i < o.nr_orders; i++)
		CHECK(next_row(&at, row, 8) == 5 && row[0] == i &&
		      row[1] == o.orders[i].free_blocks && row[2] == o.orders[i].pcp_blocks &&
		      row[3] == o.orders[i].allocs && row[4] == o.orders[i].frees,
		      "order %u reads otherwise", i);
	CHECK(!*at, "more lines than orders: %.40s", at);
	at = read_pool_file(POOL, "fragmentation");
	for (i = 0; i < o.nr_orders; i++)
		CHECK(next_row(&at, row, 8) == 3 && row[0] == i &&
		      near(row[1], o.orders[i].unusable_milli / 1000.0) &&
		      near(row[2], o.orders[i].extfrag_milli / 1000.0),
		      "order %u: %f and %f, the ioctl says %d and %d", i, row[1], row[2],
		      o.orders[i].unusable_milli, o.orders[i].extfrag_milli);
	CHECK(!*at, "more lines than orders: %.40s", at);
	finish();
}

static void map_is_the_ioctls(void)
{
	struct quarry_map_area a[64];
	const char *at;
	__u64 total;
	__u32 nr, i;

	setup();
	REQUIRE(!qt_map(fd, POOL, 0, a, ARRAY_SIZE(a), &nr, &total) && nr == total, "map failed");
	at = read_pool_file(POOL, "map");
	for (i = 0; i < nr; i++) {
		while (*at == '#' || *at == '\n')
			at += strcspn(at, "\n") + 1;
		/* Each line begins with the number of its first area. */
		if (!i)
			CHECK(strtoul(at, (char **)&at, 10) == i && *at++ == ' ', "bad line");
		CHECK(*at++ == (a[i].state == QUARRY_AREA_FREE ? '.' :
				a[i].state == QUARRY_AREA_FULL ? '#' :
				'0' + (a[i].frames - a[i].free) * 10 / a[i].frames),
		      "area %u is drawn as %c", i, at[-1]);
	}
	CHECK(!strcmp(at, "\n"), "more than %u areas are drawn", nr);
	finish();
}

static void arenas_add_up(void)
{
	struct quarry_pool_stats s;
	__u64 page = sysconf(_SC_PAGESIZE), frames = 0, nfree = 0, metadata = 0, nr = 0;
	const char *at;
	long long v[5];
	char kind[16];
	int n, m;

	setup();
	REQUIRE(!qt_stats(fd, POOL, &s), "stats failed");
	at = read_pool_file(POOL, "arenas");
	while (*at == '#')
		at += strcspn(at, "\n") + 1;
	for (; *at; at += n, nr++) {
		m = sscanf(at, "%*u %lld %15s %lld %lld %lld %lld\n%n", &v[0], kind, &v[1], &v[2],
			   &v[3], &v[4], &n);
		REQUIRE(m == 6, "bad line: %.60s", at);
		CHECK(!strcmp(kind, "kernel") && v[0] >= 0 && v[2] <= v[1],
		      "arena of kind %s on node %lld, %lld of %lld free", kind, v[0], v[2], v[1]);
		frames += v[1];
		nfree += v[2];
		metadata += v[4];
	}
	CHECK(nr == s.arenas && frames * page == s.managed_bytes && nfree * page == s.free_bytes &&
	      metadata == s.metadata_bytes, "%llu arenas, %llu frames, %llu free, %llu metadata",
	      nr, frames, nfree, metadata);
	finish();
}

static void percpu_adds_up(void)
{
	struct quarry_pool_orders o;
	struct quarry_pool_stats s;
	__u64 page = sysconf(_SC_PAGESIZE), on_lists = 0, rows = 0;
	const char *at;
	double row[8];

	/* A CPU's lists hold memory of its own node alone. */
	qt_pin(0);
	setup();
	/* With something on the lists, where there is a client to put it there. */
	if (!access(QT_LOAD_KO, R_OK)) {
		qt_load_module("pool=" POOL " hold=40 order=1");
		qt_load_drop();
	}
	REQUIRE(!qt_stats(fd, POOL, &s), "stats failed");
	REQUIRE(!qt_orders(fd, POOL, QUARRY_ANY_NODE, &o), "orders failed");
	for (at = read_pool_file(POOL, "percpu"); *at; rows++) {
		int n = next_row(&at, row, 8);

		REQUIRE(n == 7, "%d numbers in a line", n);
		CHECK(row[2] <= row[3], "CPU %g order %g: %g of %g", row[0], row[1], row[2],
		      row[3]);
		on_lists += ((__u64)(row[2] + row[6]) << (int)row[1]) * page;
	}
	CHECK(rows >= sysconf(_SC_NPROCESSORS_CONF) * 11ULL, "%llu lines", rows);
	CHECK(on_lists == s.pcp_bytes, "%llu bytes on lists, the ioctl says %llu", on_lists,
	      s.pcp_bytes);
	CHECK(on_lists || access(QT_LOAD_KO, R_OK), "nothing is on the lists");
	qt_unload_module();
	finish();
}

static void errors_are_the_ioctls(void)
{
	struct quarry_pool_stats s;
	unsigned int i;
	const char *at;

	setup();
	if (!access(QT_LOAD_KO, R_OK)) {
		qt_load_module("pool=" POOL " hold=1");
		CHECK(qt_destroy(fd, POOL) == -EBUSY, "destroyed with a page out");
		qt_unload_module();
	}
	REQUIRE(!qt_stats(fd, POOL, &s), "stats failed");
	at = read_pool_file(POOL, "errors");
	while (*at == '#')
		at += strcspn(at, "\n") + 1;
	for (i = 0; i < QUARRY_NR_ERRORS; i++) {
		size_t name = strcspn(at, "\n ");
		char *end;

		CHECK(name && at[name] == ' ' &&
		      strtoull(at + name + 1, &end, 10) == s.errors[i] && *end == '\n',
		      "error %u reads otherwise: %.30s", i, at);
		at += strcspn(at, "\n") + 1;
	}
	CHECK(!*at, "more lines than kinds: %.40s", at);
	finish();
}

static void stats_are_the_ioctls(void)
{
	setup();
	check_numbers(POOL);
	check_numbers(OTHER);
	check_numbers(QT_DEFAULT_POOL);
	finish();
}

static void files_outlive_their_pool(void)
{
	int f[ARRAY_SIZE(pool_files)], late[ARRAY_SIZE(pool_files)];
	char path[256], buf[64];
	unsigned int i, round;

	fd = qt_open(O_RDWR);
	for (round = 0; round < 8; round++) {
		REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(8), NULL), "create failed");
		for (i = 0; i < ARRAY_SIZE(pool_files); i++) {
			snprintf(path, sizeof(path), QT_DEBUGFS "/pools/" POOL "/%s",
				 pool_files[i]);
			f[i] = open(path, O_RDONLY | O_CLOEXEC);
			late[i] = open(path, O_RDONLY | O_CLOEXEC);
			REQUIRE(f[i] >= 0 && late[i] >= 0, "%s: %s", path, strerror(errno));
			/* One is half read, one not at all. */
			CHECK(read(f[i], buf, 8) == 8, "%s: cannot read", path);
		}
		CHECK(!qt_destroy(fd, POOL), "destroy with open files failed");
		/* And another pool of that name has nothing to do with them. */
		if (round % 2)
			REQUIRE(!qt_create(fd, POOL, 0, MIB(8), NULL), "create failed");
		for (i = 0; i < ARRAY_SIZE(pool_files); i++) {
			if (read(late[i], buf, sizeof(buf)) < 0)
				CHECK(errno == EIO || errno == ENOENT || errno == ENODEV,
				      "%s: %s", pool_files[i], strerror(errno));
			while (read(f[i], buf, sizeof(buf)) > 0)
				;
			pread(f[i], buf, sizeof(buf), 5);
			close(f[i]);
			close(late[i]);
		}
		if (round % 2)
			CHECK(!qt_destroy(fd, POOL), "destroy failed");
	}
}

static const struct ktap_case cases[] = {
	{ "files_are_there", files_are_there },
	{ "folders_are_the_list", folders_are_the_list },
	{ "only_root_may_look", only_root_may_look },
	{ "writing_fails", writing_fails },
	{ "first_line_has_a_version", first_line_has_a_version },
	{ "no_addresses", no_addresses },
	{ "pieces_make_the_whole", pieces_make_the_whole },
	{ "the_kernels_buddyinfo_passes", the_kernels_buddyinfo_passes },
	{ "buddyinfo_is_the_kernels_format", buddyinfo_is_the_kernels_format },
	{ "version_is_the_ioctls", version_is_the_ioctls },
	{ "stats_are_the_ioctls", stats_are_the_ioctls },
	{ "orders_are_the_ioctls", orders_are_the_ioctls },
	{ "map_is_the_ioctls", map_is_the_ioctls },
	{ "arenas_add_up", arenas_add_up },
	{ "percpu_adds_up", percpu_adds_up },
	{ "errors_are_the_ioctls", errors_are_the_ioctls },
	{ "files_outlive_their_pool", files_outlive_their_pool },
};

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = qt_before,
	.after = qt_after,
};
