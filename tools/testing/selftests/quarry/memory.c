// SPDX-License-Identifier: GPL-2.0
/*
 * What the rest of the machine is told of memory in pools: how much of it counts as
 * available, and what shrinkers say that they gave.
 *
 * The kernel's counter of memory that it can have back is the machine's, but nothing else
 * in the test VM moves it; it is compared before and after, page by page. That nothing of
 * the default pool is spare is seen to first. What shrinkers say is in the kernel's trace.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quarry_test.h"

#define POOL	QT_PREFIX "memory"
#define TRACING	"/sys/kernel/tracing/"
#define EVENT	TRACING "events/vmscan/mm_shrink_slab_end/enable"

/* How often who wants memory asks for it. */
#define TRIES	50

static int fd;
static long before;

static void get(struct quarry_pool_stats *s)
{
	REQUIRE(!qt_stats(fd, POOL, s), "stats failed");
	qt_check_sums(fd, s);
}

static void setup(__u64 min, __u64 low)
{
	struct quarry_pool_create c = {
		.size = sizeof(c), .min_bytes = min, .max_bytes = MIB(64), .low_bytes = low,
		.node = QUARRY_ANY_NODE,
	};

	fd = qt_open(O_RDWR);
	CHECK(!qt_shrink(fd, QT_DEFAULT_POOL, ALL_BYTES, NULL), "shrink failed");
	before = qt_vmstat("nr_kernel_misc_reclaimable");
	qt_set_name(c.name, POOL);
	REQUIRE(!qt_ioctl(fd, QUARRY_IOC_POOL_CREATE, &c), "create failed");
}

static void check_available(__u64 bytes, const char *when)
{
	long now = qt_vmstat("nr_kernel_misc_reclaimable");

	CHECK(now - before == (long)(bytes / sysconf(_SC_PAGESIZE)),
	      "%s: %ld pages more are available, not those of %llu bytes", when, now - before,
	      bytes);
}

/* Everything that the pool has had is in empty arenas. */
static void use_and_leave(struct quarry_pool_stats *s)
{
	struct quarry_pool_stats out;
	long now;

	qt_load_module("pool=" POOL " hold=4096");
	get(&out);
	now = qt_vmstat("nr_kernel_misc_reclaimable");
	CHECK(now - before <= (long)((out.managed_bytes - out.allocated_bytes) /
				     sysconf(_SC_PAGESIZE)),
	      "%ld pages count as available, of %llu bytes %llu are out", now - before,
	      out.managed_bytes, out.allocated_bytes);
	qt_unload_module();
	CHECK(!qt_drain(fd, POOL, NULL), "drain failed");
	get(s);
	CHECK(s->managed_bytes >= MIB(16) && s->free_bytes == s->managed_bytes,
	      "of %llu bytes %llu are free", s->managed_bytes, s->free_bytes);
}

static void empty_arenas_above_the_floor_are_available(void)
{
	struct quarry_pool_stats s;
	__u64 given;

	setup(MIB(4), 0);
	check_available(0, "the floor");
	use_and_leave(&s);
	check_available(s.managed_bytes - MIB(4), "all empty");
	REQUIRE(!qt_shrink(fd, POOL, MIB(4), &given) && given, "shrink failed");
	check_available(s.managed_bytes - given - MIB(4), "shrunk by 4 MiB");
	CHECK(!qt_shrink(fd, POOL, ALL_BYTES, NULL), "shrink failed");
	check_available(0, "shrunk to the floor");
	use_and_leave(&s);
	check_available(s.managed_bytes - MIB(4), "all empty again");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
	check_available(0, "the pool has gone");
}

static void what_the_mark_keeps_is_not_available(void)
{
	struct quarry_pool_stats s;

	setup(0, MIB(2));
	use_and_leave(&s);
	/* As much as the mark, and as much again: see Documentation/design.md. */
	check_available(s.managed_bytes - MIB(4), "a low mark of 2 MiB");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
	check_available(0, "the pool has gone");
}

/* Frames of all pools, and how often one has grown. */
static __u64 managed(__u64 *grows)
{
	static struct quarry_pool_entry e[QT_MAX_POOLS];
	struct quarry_pool_stats s;
	__u64 bytes = 0;
	__u32 i, nr;

	*grows = 0;
	REQUIRE(!qt_list(fd, e, QT_MAX_POOLS, &nr), "the list does not answer");
	for (i = 0; i < nr && i < QT_MAX_POOLS; i++) {
		REQUIRE(!qt_stats(fd, e[i].name, &s), "stats failed");
		bytes += s.managed_bytes;
		*grows += s.grows;
	}
	return bytes / sysconf(_SC_PAGESIZE);
}

/* Opened to be written anew it is empty. */
static int truncate_trace(void)
{
	int trace = open(TRACING "trace", O_WRONLY | O_TRUNC);

	return trace < 0 ? -1 : close(trace);
}

/* Have everything shrunk; what quarry's shrinkers say to have given, in pages. */
static __u64 shrunk(void)
{
	static const char says[] = "last shrinker return val ";
	static char text[1 << 20];
	__u64 pages = 0;
	char *at, *end;

	if (access(EVENT, W_OK))
		ktap_skip("no " EVENT);
	REQUIRE(!truncate_trace() && !qt_write_file(EVENT, "1") &&
		!qt_write_file("/proc/sys/vm/drop_caches", "2") && !qt_write_file(EVENT, "0"),
		"no trace of drop_caches");
	REQUIRE(qt_read_file(TRACING "trace", text, sizeof(text)) > 0, "no trace");
	for (at = text; (at = strstr(at, "mm_shrink_slab_end: ")); at = end) {
		end = at + strcspn(at, "\n");
		*end = 0;
		if (strstr(at, "[quarry]") && strstr(at, says))
			pages += strtoull(strstr(at, says) + strlen(says), NULL, 10);
		*end = '\n';
	}
	return pages;
}

/*
 * A shrinker gives nothing while others give slabs away, or a CPU does not answer at once; who
 * wants @some asks again.
 */
static void check_shrunk(const char *what, bool some)
{
	__u64 grows, grew, was, said, gave = 0;
	unsigned int i;

	for (i = 0; i < (some ? TRIES : 1) && !gave; i++) {
		usleep(i * 1000);
		was = managed(&grows);
		said = shrunk();
		gave = was - managed(&grew);
		REQUIRE(grew == grows, "a pool has grown meanwhile");
		ktap_note("%s: %llu pages went to the kernel", what, gave);
		CHECK(said == gave, "%s: shrinkers say %llu pages, pools have %llu fewer", what,
		      said, gave);
	}
	CHECK(!gave == !some, "%s: %llu pages went", what, gave);
}

static void shrinkers_say_what_the_kernel_got(void)
{
	struct quarry_cache_stats c;

	setup(MIB(4), 0);
	shrunk();
	/* Some slabs in the floor, which stays: they are empty, and nobody gains from it. */
	qt_objects_load("pool=" POOL " size=1024 room=2000");
	CHECK(!qt_objects_write("take", "2000") && !qt_objects_write("give", "2000"), "objects");
	check_shrunk("slabs in the floor", false);
	REQUIRE(!qt_cache_stats(fd, QT_PREFIX "objects", &c), "stats failed");
	CHECK(c.shrinks, "no slab was given to the pool");
	/* And above it. */
	qt_objects_unload();
	qt_objects_load("pool=" POOL " size=1024 room=20000");
	CHECK(!qt_objects_write("take", "20000") && !qt_objects_write("give", "20000"),
	      "objects");
	check_shrunk("slabs above the floor", true);
	qt_objects_unload();
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static bool after(void)
{
	if (!access(EVENT, W_OK))
		qt_write_file(EVENT, "0");
	qt_unload_module();
	qt_objects_unload();
	return qt_after();
}

static const struct ktap_case cases[] = {
	{ "empty_arenas_above_the_floor_are_available",
	  empty_arenas_above_the_floor_are_available },
	{ "what_the_mark_keeps_is_not_available", what_the_mark_keeps_is_not_available },
	{ "shrinkers_say_what_the_kernel_got", shrinkers_say_what_the_kernel_got },
};

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = qt_before,
	.after = after,
};
