// SPDX-License-Identifier: GPL-2.0
/*
 * A machine with many possible CPUs, of which some come while it runs: what pools and
 * caches cost a CPU, and that each of the CPUs can use them, be visited and go.
 *
 * For a kernel with many CPUs and maxcpus=2 (tools/testing/stage boots); the cases skip
 * where fewer than MANY may come. The clients are quarry_load.ko and quarry_objects.ko.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quarry_test.h"

#define POOL	QT_PREFIX "many"
#define CACHE	QT_PREFIX "objects"
#define MANY	16
#define MAX_CPU	64
/* So many come, as one CPU of the host runs them all. */
#define COMING	6

/* What a CPU that may come costs, at most; see Documentation/slab.md. */
#define CACHE_BYTES	128

static int fd;
static unsigned int online[MAX_CPU], nr_online, nr_possible;

static void path_of(char *path, size_t size, unsigned int cpu)
{
	snprintf(path, size, "/sys/devices/system/cpu/cpu%u/online", cpu);
}

static int set_online(unsigned int cpu, bool there)
{
	char path[64];

	path_of(path, sizeof(path), cpu);
	return qt_write_file(path, there ? "1" : "0");
}

static bool is_online(unsigned int cpu)
{
	char path[64], text[8] = "";

	path_of(path, sizeof(path), cpu);
	/* One that cannot go has no such file. */
	return access(path, F_OK) || (qt_read_file(path, text, sizeof(text)) > 0 && *text == '1');
}

static void count_cpus(void)
{
	char text[64];
	unsigned int cpu;
	char *dash;

	REQUIRE(qt_read_file("/sys/devices/system/cpu/possible", text, sizeof(text)) > 0,
		"nobody says which CPUs are possible");
	dash = strchr(text, '-');
	nr_possible = dash ? atoi(dash + 1) + 1 : 1;
	nr_online = 0;
	for (cpu = 0; cpu < nr_possible && cpu < MAX_CPU; cpu++)
		if (is_online(cpu))
			online[nr_online++] = cpu;
	if (nr_possible < MANY)
		ktap_skip("%u CPUs may come, not many", nr_possible);
}

static void setup(void)
{
	fd = qt_open(O_RDWR);
	count_cpus();
	REQUIRE(!qt_create(fd, POOL, MIB(8), MIB(256), NULL), "create failed");
}

static void pool_stats(struct quarry_pool_stats *s)
{
	REQUIRE(!qt_stats(fd, POOL, s), "stats failed");
	qt_check_sums(fd, s);
}

static void cache_stats(struct quarry_cache_stats *s)
{
	REQUIRE(!qt_cache_stats(fd, CACHE, s), "stats failed");
}

static void check_cache(void)
{
	char what[64];
	__u64 violations;

	CHECK(!qt_cache_validate(fd, CACHE, &violations, what) && !violations,
	      "%llu violations: %s", violations,
	      what);
}

/* Nothing is out and nothing waits on any CPU. */
static void finish(void)
{
	struct quarry_pool_stats s;

	qt_check_valid(fd, POOL);
	CHECK(!qt_drain(fd, POOL, NULL), "drain failed");
	pool_stats(&s);
	CHECK(!s.allocated_bytes && !s.pcp_bytes && s.allocs == s.frees,
	      "%llu bytes are out, %llu on lists", s.allocated_bytes, s.pcp_bytes);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void what_a_cpu_costs(void)
{
	struct quarry_cache_stats c;
	struct quarry_pool_stats p;

	setup();
	qt_objects_load("pool=" POOL);
	pool_stats(&p);
	cache_stats(&c);
	ktap_note("%u possible CPUs, %u of them on line", nr_possible, nr_online);
	ktap_note("a pool of 256 MiB that was not used: %llu bytes a possible CPU",
		  p.percpu_bytes / nr_possible);
	ktap_note("its lists may hold %llu KiB on each CPU", p.cache_limit_bytes >> 10);
	ktap_note("a cache that was not used: %llu bytes a possible CPU",
		  c.percpu_bytes / nr_possible);
	CHECK(c.percpu_bytes <= CACHE_BYTES * nr_possible, "%llu bytes", c.percpu_bytes);
	CHECK(!c.magazines && !c.metadata_bytes, "it has magazines already");
	qt_objects_unload();
	finish();
}

/* Allocate, free and leave something behind, on a CPU. */
static void use(unsigned int cpu)
{
	qt_pin(cpu);
	CHECK(!qt_objects_write("take", "200"), "CPU %u: take failed", cpu);
	CHECK(!qt_objects_write("give", "150"), "CPU %u: give failed", cpu);
	CHECK(!qt_objects_write("swap", "500"), "CPU %u: swap failed", cpu);
}

static void every_cpu_uses_them(void)
{
	struct quarry_pool_validate v;
	struct quarry_cache_stats c;
	struct quarry_pool_stats p;
	unsigned int i, was;
	char text[32];

	setup();
	was = nr_online;
	for (i = 0; i < nr_possible && i < MAX_CPU && nr_online < was + COMING; i++)
		if (!is_online(i)) {
			REQUIRE(!set_online(i, true), "CPU %u does not come", i);
			online[nr_online++] = i;
		}
	qt_objects_load("pool=" POOL);
	qt_load_module("pool=" POOL " threads=16 hold=256");
	for (i = 0; i < nr_online; i++)
		use(online[i]);
	check_cache();
	/* The load is at work, so that the pool may have grown since a look at it. */
	CHECK(!qt_validate(fd, POOL, &v) && !v.violations && !v.stray_refs, "%.64s", v.what);
	cache_stats(&c);
	/* For the same reason its sums are of no one moment; they are compared at the end. */
	REQUIRE(!qt_stats(fd, POOL, &p), "stats failed");
	CHECK(c.objects_out == 50 * nr_online, "%llu objects are out", c.objects_out);
	CHECK(c.magazine_bytes, "no CPU has any in magazines");
	ktap_note("after use on %u CPUs: a cache %llu bytes a possible CPU, a pool %llu",
		  nr_online, c.percpu_bytes / nr_possible, p.percpu_bytes / nr_possible);

	/* Each is visited: by a drain, by pressure, and as it goes. */
	CHECK(!qt_drain(fd, POOL, NULL), "drain failed");
	CHECK(!qt_write_file("/proc/sys/vm/drop_caches", "2"), "no pressure");
	for (i = was; i < nr_online; i++) {
		use(online[i]);
		REQUIRE(!set_online(online[i], false), "CPU %u does not go", online[i]);
	}
	qt_pin(0);
	CHECK(!qt_load_value("damage"), "%lu pages were damaged", qt_load_value("damage"));
	CHECK(qt_load_value("steps"), "the load stood still");
	qt_unload_module();
	snprintf(text, sizeof(text), "%lu", qt_objects_value("has"));
	CHECK(!qt_objects_write("give", text), "give failed");
	CHECK(!qt_cache_shrink(fd, CACHE, NULL), "shrink failed");
	cache_stats(&c);
	CHECK(!c.objects_out && !c.slabs && !c.magazines, "%llu out, %llu slabs, %llu magazines",
	      c.objects_out, c.slabs, (__u64)c.magazines);
	check_cache();
	qt_objects_unload();
	finish();
}

/* Made and unmade while CPUs come and go. */
static void many_come_and_go(void)
{
	unsigned int i, round;

	setup();
	for (round = 0; round < 3; round++)
		for (i = 2; i < 2 + COMING; i++) {
			REQUIRE(!set_online(i, !(round & 1)), "CPU %u does not move", i);
			REQUIRE(!qt_create(fd, POOL ".2", MIB(1), MIB(4), NULL), "create failed");
			qt_objects_load("pool=" POOL);
			use(round & 1 ? 1 : i);
			qt_objects_unload();
			CHECK(!qt_destroy(fd, POOL ".2"), "destroy failed");
		}
	qt_pin(0);
	finish();
}

static bool after(void)
{
	unsigned int cpu;

	/* As it was: two. */
	for (cpu = 2; cpu < MAX_CPU && nr_possible >= MANY; cpu++)
		if (is_online(cpu))
			set_online(cpu, false);
	qt_unload_module();
	qt_objects_unload();
	return qt_after();
}

static const struct ktap_case cases[] = {
	{ "what_a_cpu_costs", what_a_cpu_costs },
	{ "every_cpu_uses_them", every_cpu_uses_them },
	{ "many_come_and_go", many_come_and_go },
};

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = qt_before,
	.after = after,
};
