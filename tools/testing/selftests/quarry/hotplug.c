// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs go and come while pools are in use. What a dead CPU's lists held is
 * drained, no page is lost or handed out twice, and the sums are right. So it is for one that
 * fails to come up.
 *
 * The load is quarry_load.ko where it is found (QUARRY_LOAD_KO), which takes
 * pages, and threads that make, reshape and destroy pools in any case.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quarry_test.h"

#define POOL	QT_PREFIX "hot"
#define THREADS	3
#define ROUNDS	30
#define MAX_CPU	64

static int fd;
static bool stop;

static int set_online(unsigned int cpu, bool online)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	return qt_write_file(path, online ? "1" : "0");
}

static bool can_go(unsigned int cpu)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	return !access(path, W_OK);
}

static void *reshape(void *arg)
{
	unsigned long me = (unsigned long)arg;
	char name[QUARRY_NAME_MAX];
	struct quarry_pool_stats s;
	unsigned long i;
	int ret;

	snprintf(name, sizeof(name), POOL ".%lu", me);
	for (i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		qt_pin((me + i) % 2);
		ret = qt_create(fd, name, MIB(1), MIB(4), NULL);
		CHECK(!ret, "create: %s", strerror(-ret));
		CHECK(!qt_drain(fd, POOL, NULL), "drain failed");
		CHECK(!qt_shrink(fd, POOL, ALL_BYTES, NULL), "shrink failed");
		CHECK(!qt_stats(fd, name, &s), "stats failed");
		qt_check_sums(fd, &s);
		qt_check_valid(fd, name);
		CHECK(!qt_destroy(fd, name), "destroy failed");
	}
	return NULL;
}

static void rounds_of(unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		int ret = set_online(cpu, false);

		REQUIRE(!ret, "CPU %u does not go: %s", cpu, strerror(-ret));
		ret = set_online(cpu, true);
		REQUIRE(!ret, "CPU %u does not come back: %s", cpu, strerror(-ret));
	}
}

static void setup(void)
{
	fd = qt_open(O_RDWR);
	if (!can_go(1))
		ktap_skip("no second CPU that can go");
	REQUIRE(!qt_create(fd, POOL, MIB(8), MIB(24), NULL), "create failed");
}

/* All at rest: the pool is whole and nothing of it is out. */
static void finish(void)
{
	struct quarry_pool_stats s;
	__u64 moved;

	REQUIRE(!qt_stats(fd, POOL, &s), "stats failed");
	qt_check_sums(fd, &s);
	qt_check_valid(fd, POOL);
	CHECK(!s.allocated_bytes && s.allocs == s.frees, "%llu bytes are out, %llu out, %llu back",
	      s.allocated_bytes, s.allocs, s.frees);
	CHECK(!qt_drain(fd, POOL, &moved) && moved == s.pcp_bytes, "drained %llu of %llu",
	      moved, s.pcp_bytes);
	REQUIRE(!qt_stats(fd, POOL, &s), "stats failed");
	CHECK(!s.pcp_bytes && s.free_bytes == s.managed_bytes, "%llu of %llu are free",
	      s.free_bytes, s.managed_bytes);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void cpu_goes_while_pools_change(void)
{
	pthread_t t[THREADS];
	unsigned long i;

	setup();
	for (i = 0; i < THREADS; i++)
		REQUIRE(!pthread_create(&t[i], NULL, reshape, (void *)i), "no thread");
	rounds_of(1);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	finish();
}

static void cpu_goes_while_pages_move(void)
{
	unsigned long first, last;

	setup();
	qt_load_module("pool=" POOL " threads=4 hold=64 order=1");
	first = qt_load_value("steps");
	rounds_of(1);
	last = qt_load_value("steps");
	ktap_note("%lu allocations during %u rounds", last - first, ROUNDS);
	CHECK(last > first, "the load stood still");
	CHECK(!qt_load_value("damage"), "%lu pages were damaged", qt_load_value("damage"));
	qt_unload_module();
	finish();
}

/* What lies on a CPU's lists when it goes, lies in the buddy afterwards. */
static void lists_of_a_dead_cpu_are_drained(void)
{
	struct quarry_pool_stats was, is;
	__u64 moved;

	/* First of all, since memory comes from the node of who asks for it. */
	qt_pin(1);
	setup();
	/* Freed here, on CPU 1, onto its lists. */
	qt_load_module("pool=" POOL " hold=64");
	qt_load_drop();
	REQUIRE(!qt_stats(fd, POOL, &was), "stats failed");
	CHECK(was.pcp_bytes, "nothing is on a list");
	REQUIRE(!set_online(1, false), "CPU 1 does not go");
	REQUIRE(!qt_stats(fd, POOL, &is), "stats failed");
	CHECK(!is.pcp_bytes, "%llu of %llu bytes are still on lists", is.pcp_bytes,
	      was.pcp_bytes);
	qt_check_sums(fd, &is);
	qt_check_valid(fd, POOL);
	CHECK(!qt_drain(fd, POOL, &moved) && !moved, "drained %llu more", moved);
	REQUIRE(!set_online(1, true), "CPU 1 does not come back");
	qt_unload_module();
	finish();
}

static void pools_are_made_while_a_cpu_is_away(void)
{
	struct quarry_pool_stats s;
	unsigned int i;

	setup();
	for (i = 0; i < 4; i++) {
		REQUIRE(!set_online(1, i % 2), "CPU 1 does not move");
		REQUIRE(!qt_create(fd, POOL ".away", MIB(4), MIB(8), NULL), "create failed");
		REQUIRE(!set_online(1, !(i % 2)), "CPU 1 does not move");
		CHECK(!qt_stats(fd, POOL ".away", &s), "stats failed");
		qt_check_sums(fd, &s);
		qt_check_valid(fd, POOL ".away");
		CHECK(!qt_destroy(fd, POOL ".away"), "destroy failed");
	}
	REQUIRE(!set_online(1, true), "CPU 1 does not come back");
	finish();
}

/* The number of a state that a CPU passes, by its name; 0 if there is none. */
static unsigned int state_of(const char *name)
{
	FILE *f = fopen("/sys/devices/system/cpu/hotplug/states", "r");
	unsigned int found = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		line[strcspn(line, "\n")] = 0;
		if (colon && !strcmp(colon + 2, name))
			found = strtoul(line, NULL, 10);
	}
	if (f)
		fclose(f);
	return found;
}

static int fail_cpu_1_at(const char *state)
{
	return qt_write_file("/sys/devices/system/cpu/cpu1/hotplug/fail", state);
}

/* In a process of its own, for one that hangs in there cannot be ended. */
static void must_not_come_up(unsigned int cpu)
{
	pid_t pid = fork();
	unsigned int i;
	int status;

	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (!pid)
		_exit(!set_online(cpu, true));
	for (i = 0; i < 300; i++) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		REQUIRE(got >= 0, "waitpid: %s", strerror(errno));
		if (got) {
			CHECK(!WEXITSTATUS(status), "CPU %u has come up", cpu);
			return;
		}
		usleep(100000);
	}
	REQUIRE(false, "CPU %u neither comes up nor fails to", cpu);
}

/*
 * Interrupts of a CPU half way up have left blocks on its lists, and magazines, when the last
 * step that is ours fails. Meanwhile others visit it, and change the list of pools.
 */
static void cpu_that_fails_to_come_up_is_drained(void)
{
	unsigned int state = state_of("mm/quarry:visits:online"), i;
	struct quarry_pool_stats s;
	unsigned long before, all = 0;
	char text[16];
	pthread_t t;

	setup();
	REQUIRE(state, "no such state");
	snprintf(text, sizeof(text), "%u", state);
	qt_load_module("pool=" POOL " pester=1");
	REQUIRE(!pthread_create(&t, NULL, reshape, NULL), "no thread");
	for (i = 0; i < ROUNDS / 3; i++) {
		REQUIRE(!set_online(1, false), "CPU 1 does not go");
		REQUIRE(!fail_cpu_1_at(text), "CPU 1 cannot be made to fail");
		before = qt_load_value("interrupts");
		must_not_come_up(1);
		CHECK(!qt_stats(fd, POOL, &s), "stats failed");
		CHECK(!s.pcp_bytes, "%llu bytes are still on lists", s.pcp_bytes);
		all += qt_load_value("interrupts") - before;
		REQUIRE(!set_online(1, true), "CPU 1 does not come back");
	}
	ktap_note("%lu interrupts half way up in %u rounds", all, i);
	CHECK(all, "no interrupt came half way up");
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	qt_unload_module();
	finish();
}

static bool after(void)
{
	unsigned int cpu;

	/* A case that failed half way may have left some away. */
	for (cpu = 1; cpu < MAX_CPU; cpu++)
		if (can_go(cpu))
			set_online(cpu, true);
	qt_unload_module();
	return qt_after();
}

static const struct ktap_case cases[] = {
	{ "cpu_goes_while_pools_change", cpu_goes_while_pools_change },
	{ "cpu_goes_while_pages_move", cpu_goes_while_pages_move },
	{ "lists_of_a_dead_cpu_are_drained", lists_of_a_dead_cpu_are_drained },
	{ "pools_are_made_while_a_cpu_is_away", pools_are_made_while_a_cpu_is_away },
	{ "cpu_that_fails_to_come_up_is_drained", cpu_that_fails_to_come_up_is_drained },
};

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = qt_before,
	.after = after,
};
