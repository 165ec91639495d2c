// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading: nothing stays behind, nonsense in a parameter is
 * refused in words, and a module in use is not taken away.
 *
 * The module is found by QUARRY_KO, QT_KO if not set. It is
 * loaded at the beginning of each case, and in the end as it was found.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "quarry_test.h"

#define ROUNDS		200
#define WARM_UP		20	/* caches of the kernel fill in the first rounds */
#define SYSFS		"/sys/module/quarry"
#define POOL		QT_PREFIX "mod"

static const char *ko;
static char found_with[1024];

static int load(const char *params)
{
	int fd = open(ko, O_RDONLY | O_CLOEXEC), ret = 0;

	REQUIRE(fd >= 0, "%s: %s", ko, strerror(errno));
	if (syscall(SYS_finit_module, fd, params, 0))
		ret = -errno;
	close(fd);
	return ret;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "quarry", O_NONBLOCK) ? -errno : 0;
}

static bool loaded(void)
{
	return !access(SYSFS "/refcnt", F_OK);
}

static void must_load(const char *params)
{
	int ret = load(params);

	REQUIRE(!ret, "load with \"%s\": %s", params, strerror(-ret));
}

static void must_unload(void)
{
	int ret = unload();

	REQUIRE(!ret, "unload: %s", strerror(-ret));
}

/* Does /proc/@file mention the module? */
static bool mentioned(const char *file, const char *word)
{
	static char line[4096];
	bool found = false;
	FILE *f = fopen(file, "r");

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (strstr(line, word))
			found = true;
	fclose(f);
	return found;
}

static void check_gone(const char *when)
{
	CHECK(!loaded(), "%s: %s is there", when, SYSFS);
	CHECK(access(QT_DEBUGFS, F_OK), "%s: %s is there", when, QT_DEBUGFS);
	CHECK(access("/sys/class/quarry", F_OK), "%s: the device is there", when);
	CHECK(open(QT_DEVICE, O_RDONLY) < 0, "%s: %s opens", when, QT_DEVICE);
	CHECK(!mentioned("/proc/devices", "quarry"), "%s: /proc/devices has it", when);
	CHECK(!mentioned("/proc/modules", "quarry "), "%s: /proc/modules has it", when);
	CHECK(!mentioned("/proc/vmallocinfo", "[quarry]"), "%s: vmalloc memory is left", when);
	CHECK(!mentioned("/proc/slabinfo", "quarry"), "%s: a slab cache is left", when);
}

static void comes_and_goes(void)
{
	must_unload();
	check_gone("unloaded");
	CHECK(unload() == -ENOENT, "unloaded twice");
	must_load("");
	CHECK(loaded(), "no " SYSFS);
	CHECK(!access(QT_DEVICE, F_OK), "no " QT_DEVICE);
	CHECK(!access(QT_DEBUGFS "/version", F_OK), "no " QT_DEBUGFS "/version");
	CHECK(load("") == -EEXIST, "loaded twice");
	qt_check_valid(qt_open(O_RDONLY), QT_DEFAULT_POOL);
}

/* A page lost in each round is twice the bound. */
static void check_no_drift(__u64 before, unsigned int rounds, const char *what)
{
	__u64 after = qt_free_memory(), bound = rounds * sysconf(_SC_PAGESIZE) / 2;

	ktap_note("%s: %lld bytes fewer, %llu allowed", what, (long long)(before - after), bound);
	CHECK(after + bound >= before, "%s: %llu bytes are missing", what, before - after);
}

static void two_hundred_rounds(void)
{
	__u64 before = 0;
	unsigned int i;

	must_unload();
	for (i = 0; i < WARM_UP + ROUNDS; i++) {
		if (i == WARM_UP)
			before = qt_free_memory();
		must_load("");
		must_unload();
	}
	check_no_drift(before, ROUNDS, "loaded and unloaded");
	check_gone("after the rounds");
	must_load("");
}

/* Pools that nobody destroyed, half read files: unloading cleans up. */
static void rounds_with_use(void)
{
	struct quarry_pool_stats s;
	__u64 before = 0, given;
	unsigned int i, j;

	must_unload();
	for (i = 0; i < WARM_UP + ROUNDS / 2; i++) {
		int fd;

		if (i == WARM_UP)
			before = qt_free_memory();
		must_load("");
		fd = qt_open(O_RDWR);
		for (j = 0; j < 4; j++) {
			char name[QUARRY_NAME_MAX];

			snprintf(name, sizeof(name), POOL ".%u", j);
			CHECK(!qt_create(fd, name, MIB(j), MIB(8), NULL), "create failed");
			CHECK(!qt_shrink(fd, name, ALL_BYTES, &given), "shrink failed");
			CHECK(!qt_drain(fd, name, &given), "drain failed");
			CHECK(!qt_stats(fd, name, &s), "stats failed");
		}
		close(fd);
		must_unload();
	}
	check_no_drift(before, ROUNDS / 2, "loaded, used and unloaded");
	check_gone("after the rounds");
	must_load("");
}

/* What empty arenas made available is not, when they have gone with their pools. */
static void nothing_stays_available(void)
{
	long before;
	int fd;

	must_unload();
	before = qt_vmstat("nr_kernel_misc_reclaimable");
	must_load("");
	qt_load_module("hold=8192");
	qt_unload_module();
	fd = qt_open(O_RDWR);
	CHECK(!qt_drain(fd, QT_DEFAULT_POOL, NULL), "drain failed");
	close(fd);
	CHECK(qt_vmstat("nr_kernel_misc_reclaimable") >= before + 4096,
	      "%ld pages are available, were %ld without quarry",
	      qt_vmstat("nr_kernel_misc_reclaimable"), before);
	must_unload();
	CHECK(qt_vmstat("nr_kernel_misc_reclaimable") == before, "%ld pages, were %ld",
	      qt_vmstat("nr_kernel_misc_reclaimable"), before);
	must_load("");
}

static void open_device_holds_it(void)
{
	struct quarry_version v;
	int fd = qt_open(O_RDONLY), ret;

	ret = unload();
	CHECK(ret == -EWOULDBLOCK || ret == -EBUSY, "unload: %s", strerror(-ret));
	REQUIRE(ret, "it was unloaded under an open file");
	CHECK(!qt_version(fd, &v), "the open file is dead");
	close(fd);
	must_unload();
	check_gone("unloaded");
	must_load("");
}

/* Text that was there is read or refused, but nothing is touched that went. */
static void open_debugfs_file_does_no_harm(void)
{
	char text[64];
	int fd = open(QT_DEBUGFS "/buddyinfo", O_RDONLY | O_CLOEXEC), ret;

	REQUIRE(fd >= 0, "open: %s", strerror(errno));
	CHECK(read(fd, text, 1) == 1, "read: %s", strerror(errno));
	ret = unload();
	if (ret) {
		CHECK(ret == -EWOULDBLOCK || ret == -EBUSY, "unload: %s", strerror(-ret));
		CHECK(read(fd, text, sizeof(text)) >= 0, "read: %s", strerror(errno));
		close(fd);
		must_unload();
	} else {
		if (read(fd, text, sizeof(text)) < 0)
			CHECK(errno == EIO || errno == ENOENT, "read: %s", strerror(errno));
		lseek(fd, 0, SEEK_SET);
		close(fd);
	}
	check_gone("unloaded");
	must_load("");
}

static void check_default(__u64 min, __u64 max, const char *params)
{
	struct quarry_pool_stats s;
	int fd;

	must_unload();
	must_load(params);
	fd = qt_open(O_RDONLY);
	REQUIRE(!qt_stats(fd, QT_DEFAULT_POOL, &s), "no default pool");
	CHECK(s.min_bytes == min, "%s: min is %llu", params, s.min_bytes);
	CHECK(!max || s.max_bytes == max, "%s: max is %llu", params, s.max_bytes);
	CHECK(s.managed_bytes >= min, "%s: managed is %llu", params, s.managed_bytes);
	qt_check_sums(fd, &s);
	qt_check_valid(fd, QT_DEFAULT_POOL);
	close(fd);
}

static void parameters_are_honoured(void)
{
	check_default(MIB(8), MIB(24), "pool_min_mb=8 pool_max_mb=24");
	check_default(MIB(1), MIB(1), "pool_min_mb=1 pool_max_mb=1");
	check_default(0, MIB(16), "pool_min_mb=0 pool_max_mb=16");
	check_default(MIB(16), 0, "pool_min_mb=16");
	check_default(MIB(4), MIB(8), "pool_max_mb=8 pool_reserve_kb=512 pool_low_mb=2");
	check_default(MIB(4), MIB(8), "pool_max_mb=8 pool_node=0");
}

/* 64 MiB in bursts of one, by a client who cannot wait; how much it got. */
static __u64 had_in_bursts(const char *params)
{
	struct quarry_pool_stats s;
	int fd;

	must_unload();
	must_load(params);
	qt_load_module("hold=16384 burst=256");
	fd = qt_open(O_RDONLY);
	REQUIRE(!qt_stats(fd, QT_DEFAULT_POOL, &s), "no default pool");
	close(fd);
	qt_unload_module();
	return s.allocated_bytes;
}

/* Whoever cannot wait finds memory where the machine has some, unless root wants none ahead. */
static void grows_ahead_of_who_cannot_wait(void)
{
	__u64 had = had_in_bursts("pool_max_mb=80");

	CHECK(had == MIB(64), "%llu bytes were had of 64 MiB", had);
	had = had_in_bursts("pool_max_mb=80 pool_low_mb=0");
	CHECK(had < MIB(5), "%llu bytes were had of a pool that must not grow ahead", had);
}

static void check_node(const char *params, unsigned int mode, gid_t gid)
{
	struct stat st;

	must_unload();
	must_load(params);
	REQUIRE(!stat(QT_DEVICE, &st), "%s: %s", QT_DEVICE, strerror(errno));
	CHECK((st.st_mode & 07777) == mode && !st.st_uid && st.st_gid == gid,
	      "\"%s\": mode %o, user %u, group %u", params, st.st_mode & 07777, st.st_uid,
	      st.st_gid);
}

/* What others allocate is nobody's business, unless root says whose. */
static void device_is_for_whom_root_says(void)
{
	check_node("device_gid=4242", 0660, 4242);
	check_node("device_gid=0", 0660, 0);
	check_node("device_gid=-1", 0600, 0);
	check_node("", 0600, 0);
}

/*
 * What a user may type by mistake, what the log has to name then, and whether
 * it has to name the range: values that the kernel itself refuses and those
 * that only this machine cannot serve have none. Some are wrong only beside others
 * or on this machine, which the module's init finds out, with half of it up.
 */
static const struct nonsense {
	const char *params;
	const char *named;
	bool range;
	int want;
	bool init;
} nonsense[] = {
	{ "pool_min_mb=-1", "pool_min_mb", true, -EINVAL, false },
	{ "pool_min_mb=abc", "pool_min_mb", true, -EINVAL, false },
	{ "pool_min_mb=", "pool_min_mb", true, -EINVAL, false },
	{ "pool_min_mb", "pool_min_mb", false, -EINVAL, false },
	{ "pool_min_mb=1.5", "pool_min_mb", true, -EINVAL, false },
	{ "pool_min_mb=4M", "pool_min_mb", true, -EINVAL, false },
	{ "pool_min_mb=0x10", "pool_min_mb", true, -EINVAL, false },
	{ "pool_min_mb=4294967295", "pool_min_mb", true, -EINVAL, false },
	{ "pool_min_mb=18446744073709551615", "pool_min_mb", true, -EINVAL, false },
	{ "pool_min_mb=99999999999999999999999", "pool_min_mb", true, -EINVAL, false },
	{ "pool_min_mb=64 pool_max_mb=32", "pool_min_mb", true, -EINVAL, true },
	{ "pool_min_mb=16777216", "pool_min_mb", false, -ENOMEM, true },
	{ "pool_max_mb=-1", "pool_max_mb", true, -EINVAL, false },
	{ "pool_max_mb=abc", "pool_max_mb", true, -EINVAL, false },
	{ "pool_max_mb=18446744073709551615", "pool_max_mb", true, -EINVAL, false },
	{ "pool_max_mb=2 pool_min_mb=4", "pool_min_mb", true, -EINVAL, true },
	{ "pool_reserve_kb=-1", "pool_reserve_kb", true, -EINVAL, false },
	{ "pool_reserve_kb=8193 pool_max_mb=8", "pool_reserve_kb", true, -EINVAL, true },
	{ "pool_low_mb=x", "pool_low_mb", true, -EINVAL, false },
	{ "pool_low_mb=9 pool_max_mb=8", "pool_low_mb", true, -EINVAL, true },
	{ "device_gid=-2", "device_gid", true, -EINVAL, false },
	{ "device_gid=4294967295", "device_gid", true, -EINVAL, false },
	{ "pool_max_mb=33554432 pool_low_mb=16777216", "pool_low_mb", false, -ENOMEM, true },
	{ "pool_max_mb=33554432 pool_reserve_kb=1073741824", "pool_reserve_kb", false, -ENOMEM,
	  true },
	{ "magazine_mb=-1", "magazine_mb", true, -EINVAL, false },
	{ "pool_node=-2", "pool_node", true, -EINVAL, false },
	{ "pool_node=99999", "pool_node", true, -EINVAL, false },
	{ "pool_node=63", "pool_node", false, -ENODEV, true },
};

static void check_refused(const struct nonsense *n)
{
	int ret;

	qt_log_begin();
	ret = load(n->params);
	CHECK(ret == n->want, "\"%s\": %s", n->params, strerror(-ret));
	if (!ret) {
		must_unload();
		return;
	}
	CHECK(qt_log_has(n->range ? ": must be " : "quarry: ", n->named),
	      "\"%s\": the log does not say what %s may be", n->params, n->named);
	check_gone(n->params);
}

static void nonsense_is_refused(void)
{
	unsigned int i, r, loads = 0;
	__u64 before;

	must_unload();
	for (i = 0; i < ARRAY_SIZE(nonsense); i++)
		check_refused(&nonsense[i]);
	/* And costs nothing. What ends before the module's init has nothing to lose. */
	before = qt_free_memory();
	for (r = 0; r < ROUNDS / 40; r++)
		for (i = 0; i < ARRAY_SIZE(nonsense); i++) {
			if (!nonsense[i].init)
				continue;
			CHECK(load(nonsense[i].params), "\"%s\" was taken", nonsense[i].params);
			loads++;
		}
	check_no_drift(before, loads, "refused");
	must_load("");
}

/* The kernel itself passes over what no parameter is called, in words. */
static void unknown_parameter_is_told(void)
{
	must_unload();
	qt_log_begin();
	must_load("no_such_thing=1");
	CHECK(qt_log_has("quarry: unknown parameter", "no_such_thing"), "the log is silent");
}

/* What is there afterwards cannot be changed under the module. */
static void parameters_are_read_only(void)
{
	char path[300];
	struct dirent *d;
	unsigned int nr = 0;
	DIR *dir = opendir(SYSFS "/parameters");

	REQUIRE(dir, "no " SYSFS "/parameters");
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), SYSFS "/parameters/%s", d->d_name);
		/* A parameter that may be written checks what is written. */
		CHECK(qt_write_file(path, "nonsense") < 0, "%s takes nonsense", d->d_name);
		nr++;
	}
	closedir(dir);
	CHECK(nr >= 2, "%u parameters", nr);
	qt_check_valid(qt_open(O_RDONLY), QT_DEFAULT_POOL);
}

/* As parameters for load(), what the module was found with. */
static void remember(void)
{
	char path[300], value[256];
	size_t len = 0;
	struct dirent *d;
	DIR *dir = opendir(SYSFS "/parameters");

	while (dir && (d = readdir(dir))) {
		ssize_t n;

		snprintf(path, sizeof(path), SYSFS "/parameters/%s", d->d_name);
		n = d->d_name[0] == '.' ? -1 : qt_read_file(path, value, sizeof(value));
		if (n <= 0)
			continue;
		value[strcspn(value, "\n")] = 0;
		if (value[0] && !strchr(value, ' ') && len + n + sizeof(path) < sizeof(found_with))
			len += snprintf(found_with + len, sizeof(found_with) - len, "%s=%s ",
					d->d_name, value);
	}
	if (dir)
		closedir(dir);
}

static void before(void)
{
	char users[64];

	if (loaded() && (qt_read_file(SYSFS "/refcnt", users, sizeof(users)) <= 0 ||
			 strtol(users, NULL, 10)))
		ktap_note("the module is in use: %s", users);
	if (!loaded() && load(""))
		ktap_note("%s does not load: %s", ko, strerror(errno));
	qt_before();
}

static const struct ktap_case cases[] = {
	{ "comes_and_goes", comes_and_goes },
	{ "two_hundred_rounds", two_hundred_rounds },
	{ "rounds_with_use", rounds_with_use },
	{ "nothing_stays_available", nothing_stays_available },
	{ "open_device_holds_it", open_device_holds_it },
	{ "open_debugfs_file_does_no_harm", open_debugfs_file_does_no_harm },
	{ "parameters_are_honoured", parameters_are_honoured },
	{ "grows_ahead_of_who_cannot_wait", grows_ahead_of_who_cannot_wait },
	{ "device_is_for_whom_root_says", device_is_for_whom_root_says },
	{ "nonsense_is_refused", nonsense_is_refused },
	{ "unknown_parameter_is_told", unknown_parameter_is_told },
	{ "parameters_are_read_only", parameters_are_read_only },
};

static void begin(void)
{
	ko = getenv("QUARRY_KO") ?: QT_KO;
	remember();
}

static void end(void)
{
	if (loaded())
		unload();
	if (load(found_with) && load(""))
		ktap_note("the module could not be loaded again");
}

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = before,
	.after = qt_after,
	.begin = begin,
	.end = end,
};
