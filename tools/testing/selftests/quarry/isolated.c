// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU that is isolated, idle, and holds nothing of quarry's is never interrupted by it.
 *
 * Wants a kernel with isolcpus=1 nohz_full=1, and is skipped on others. The others work,
 * drain, shrink and reclaim meanwhile, and the reaper and the decay of lists come by
 * several times; how often each CPU was interrupted is in debugfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quarry_test.h"

#define POOL	QT_PREFIX "alone"
#define CACHE	QT_PREFIX "objects"
/* The reaper and the decay come by every two seconds. */
#define PERIODS	7

static int fd;

/* Interrupts that a CPU was sent. */
static unsigned long long sent_to(unsigned int cpu)
{
	static char text[1 << 16];
	unsigned long long nr;
	unsigned int n;
	char *line;

	REQUIRE(qt_read_file(QT_DEBUGFS "/visits", text, sizeof(text)) > 0, "no visits");
	for (line = strchr(text, '\n'); line; line = strchr(line + 1, '\n'))
		if (sscanf(line + 1, "%u %llu", &n, &nr) == 2 && n == cpu)
			return nr;
	REQUIRE(false, "no line of CPU %u", cpu);
	return 0;
}

static void setup(void)
{
	char text[64] = "";

	qt_read_file("/sys/devices/system/cpu/isolated", text, sizeof(text));
	if (strcmp(text, "1\n"))
		ktap_skip("CPU 1 is not isolated");
	fd = qt_open(O_RDWR);
	REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(32), NULL), "create failed");
	qt_objects_load("pool=" POOL);
}

/* All that visits CPUs which hold something, with work under way. */
static void do_everything(void)
{
	__u64 nr;

	qt_load_module("pool=" POOL " threads=2 hold=64");
	REQUIRE(!qt_objects_write("take", "500") && !qt_objects_write("give", "400"), "no objects");
	CHECK(!qt_drain(fd, POOL, &nr), "drain failed");
	CHECK(!qt_shrink(fd, POOL, ALL_BYTES, NULL), "shrink failed");
	CHECK(!qt_cache_shrink(fd, CACHE, &nr), "shrink of the cache failed");
	CHECK(!qt_write_file("/proc/sys/vm/drop_caches", "2"), "no reclaim");
	sleep(PERIODS);
	qt_load_drop();
	CHECK(!qt_objects_write("give", "500"), "no objects");
	sleep(PERIODS);
	CHECK(!qt_write_file("/proc/sys/vm/drop_caches", "2"), "no reclaim");
	qt_unload_module();
	CHECK(!qt_create(fd, POOL "2", MIB(4), MIB(8), NULL), "create failed");
	CHECK(!qt_destroy(fd, POOL "2"), "destroy failed");
}

static void leave_on_1(void)
{
	qt_pin(1);
	qt_load_module("pool=" POOL " hold=64");
	qt_load_drop();
	REQUIRE(!qt_objects_write("take", "100") && !qt_objects_write("give", "100") &&
		!qt_objects_write("take", "20") && !qt_objects_write("give", "20"), "no objects");
	qt_pin(0);
}

static void an_idle_cpu_is_left_alone(void)
{
	unsigned long long before;

	setup();
	before = sent_to(1);
	do_everything();
	CHECK(sent_to(1) == before, "%llu interrupts", sent_to(1) - before);
	qt_objects_unload();
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
	CHECK(sent_to(1) == before, "%llu interrupts", sent_to(1) - before);
}

/* Once it is empty again. That it can be seen at all is shown here as well. */
static void what_was_left_there_is_fetched_once(void)
{
	unsigned long long before, after;
	unsigned int i;

	setup();
	before = sent_to(1);
	leave_on_1();
	for (i = 0; i < 10 && sent_to(1) == before; i++)
		sleep(PERIODS);
	CHECK(sent_to(1) > before, "nobody came for what was left");
	/* The lists and the magazines go by different works. */
	sleep(PERIODS);
	after = sent_to(1);
	ktap_note("%llu interrupts", after - before);
	qt_unload_module();
	do_everything();
	CHECK(sent_to(1) == after, "%llu interrupts more", sent_to(1) - after);
	qt_objects_unload();
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static bool after_case(void)
{
	qt_unload_module();
	qt_objects_unload();
	return qt_after();
}

static const struct ktap_case cases[] = {
	{ "an_idle_cpu_is_left_alone", an_idle_cpu_is_left_alone },
	{ "what_was_left_there_is_fetched_once", what_was_left_there_is_fetched_once },
};

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = qt_before,
	.after = after_case,
};
