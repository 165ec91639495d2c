// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing waits for the scheduler of a CPU that a real-time task keeps for itself.
 *
 * On CPU 1 blocks are left on the lists of a pool, and objects in the magazines of a cache
 * in it. Then a SCHED_FIFO thread runs there, with the kernel's throttle of such threads
 * off, and lets nobody else run. What must empty those lists is called on CPU 0.
 *
 * No clock decides: the call must have returned while the thread still runs and, unless a
 * module goes with it, has never been switched out. Who waits for CPU 1 to schedule waits
 * until the thread gives up, after LIMIT seconds, and is found out by the order of events.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "quarry_test.h"

#define POOL	QT_PREFIX "rt"
#define CACHE	QT_PREFIX "objects"
#define THROTTLE "/proc/sys/kernel/sched_rt_runtime_us"
#define LIMIT	60
#define TRIES	10

/* Priorities of the thread that keeps the CPU, and of the kernel's where it must not wait. */
#define HOG_PRIORITY	50
#define ABOVE_HOG	60

static int fd;
static char throttle[32];

/**
 * struct hog - the thread that keeps CPU 1
 * @thread:	it
 * @tid:	its number
 * @running:	it keeps the CPU
 * @stop:	it is to end
 * @over:	it has let go, told or not
 */
static struct hog {
	pthread_t thread;
	pid_t tid;
	bool running;
	bool stop;
	bool over;
} hog;

static long seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void *run_hog(void *arg)
{
	struct sched_param param = { .sched_priority = HOG_PRIORITY };
	long end = seconds() + LIMIT;
	struct hog *h = arg;

	qt_pin(1);
	h->tid = gettid();
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		return NULL;
	__atomic_store_n(&h->running, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&h->stop, __ATOMIC_RELAXED) && seconds() < end)
		;
	__atomic_store_n(&h->over, true, __ATOMIC_RELEASE);
	return NULL;
}

/*
 * A module goes after grace periods, and the kernel does the work for these in threads that are
 * not real-time: on CPU 1 they would wait for ever, and with them whoever unloads a module, of
 * whatever kind. What quarry waits for is to be seen, so these threads come before the hog. On
 * a busy host, where interrupts come late, they are used often.
 */
static void kernel_first(int policy)
{
	static const char *const names[] = { "ksoftirqd/1\n", "rcu_preempt\n", "rcu_sched\n" };
	struct sched_param param = { .sched_priority = policy == SCHED_FIFO ? ABOVE_HOG : 0 };
	DIR *proc = opendir("/proc");
	char path[300], comm[32];
	struct dirent *entry;
	unsigned int i;

	REQUIRE(proc, "no /proc");
	while ((entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (atoi(entry->d_name) <= 0 || qt_read_file(path, comm, sizeof(comm)) <= 0)
			continue;
		for (i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (!strcmp(comm, names[i]))
				CHECK(!sched_setscheduler(atoi(entry->d_name), policy, &param),
				      "%s: %s", path, strerror(errno));
	}
	closedir(proc);
}

/* How often the thread has been switched out. */
static unsigned long switches(void)
{
	unsigned long nr = 0, n;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", hog.tid);
	f = fopen(path, "r");
	REQUIRE(f, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %lu", &n) == 1)
			nr += n;
	fclose(f);
	return nr;
}

static void start_hog(void)
{
	hog = (struct hog){};
	REQUIRE(!pthread_create(&hog.thread, NULL, run_hog, &hog), "no thread");
	while (!__atomic_load_n(&hog.running, __ATOMIC_ACQUIRE))
		usleep(1000);
}

static void stop_hog(void)
{
	__atomic_store_n(&hog.stop, true, __ATOMIC_RELAXED);
	pthread_join(hog.thread, NULL);
}

/* Leave blocks and objects on this CPU. */
static void leave(void)
{
	qt_load_module("pool=" POOL " hold=64");
	qt_load_drop();
	REQUIRE(!qt_objects_write("take", "200") && !qt_objects_write("give", "200") &&
		!qt_objects_write("take", "20") && !qt_objects_write("give", "20"), "no objects");
}

static void setup(void)
{
	unsigned int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		ktap_skip("no second CPU");
	REQUIRE(!qt_write_file(THROTTLE, "-1"), "%s cannot be written", THROTTLE);
	fd = qt_open(O_RDWR);
	/* First of all, since memory comes from the node of who asks for it. */
	qt_pin(1);
	REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(8), NULL), "create failed");
	qt_objects_load("pool=" POOL);
	for (i = 0; i < TRIES; i++) {
		struct quarry_cache_stats c;
		struct quarry_pool_stats s;

		qt_pin(1);
		leave();
		qt_pin(0);
		start_hog();
		REQUIRE(!qt_stats(fd, POOL, &s) && !qt_cache_stats(fd, CACHE, &c), "no stats");
		if (s.cached_bytes && c.magazine_bytes)
			return;
		/* What is idle goes back by itself: that was too slow. */
		stop_hog();
		qt_pin(1);
		qt_unload_module();
	}
	REQUIRE(i < TRIES, "nothing stays on CPU 1");
}

/*
 * What @call does must not wait for CPU 1. Returns what it returned. @alone: quarry alone is
 * at work; where a module goes the kernel's stopper may take any CPU for a moment.
 */
static int beside_hog(int (*call)(void), bool alone)
{
	unsigned long before = switches();
	int ret = call();

	REQUIRE(!__atomic_load_n(&hog.over, __ATOMIC_ACQUIRE),
		"it has waited until CPU 1 was let go");
	CHECK(!alone || switches() == before, "CPU 1 was taken from the thread %lu times",
	      switches() - before);
	return ret;
}

static int drain_pool(void)
{
	__u64 moved;

	return qt_drain(fd, POOL, &moved) ?: !moved;
}

static int shrink_pool(void)
{
	return qt_shrink(fd, POOL, ALL_BYTES, NULL);
}

static int shrink_cache(void)
{
	__u64 given;

	return qt_cache_shrink(fd, CACHE, &given) ?: !given;
}

static int switch_modes(void)
{
	__u32 modes;

	return qt_cache_modes(fd, CACHE, QUARRY_MODE_CHECK, 0, &modes) ?:
	       qt_cache_modes(fd, CACHE, 0, QUARRY_MODE_CHECK, &modes);
}

static int validate(void)
{
	qt_check_valid(fd, POOL);
	return 0;
}

static int destroy_cache(void)
{
	return qt_objects_write("destroy", "1");
}

/*
 * There the kernel itself waits: unloading any module takes a grace period, whose threads
 * are real-time tasks of lower priority.
 */
static void skip_on_preempt_rt(void)
{
	if (!access("/sys/kernel/realtime", F_OK))
		ktap_skip("unloading a module waits on PREEMPT_RT");
}

static int unload_load(void)
{
	qt_unload_module();
	return 0;
}

static int destroy_all(void)
{
	qt_unload_module();
	qt_objects_unload();
	return qt_destroy(fd, POOL);
}

static void must_not_wait(int (*call)(void), bool alone)
{
	struct quarry_pool_stats s;
	int ret;

	setup();
	if (!alone)
		kernel_first(SCHED_FIFO);
	ret = beside_hog(call, alone);
	CHECK(!ret, "returned %d", ret);
	if (!qt_stats(fd, POOL, &s))
		qt_check_sums(&s);
	stop_hog();
	if (!alone)
		kernel_first(SCHED_OTHER);
}

static void drain_does_not_wait(void)
{
	must_not_wait(drain_pool, true);
}

static void shrink_does_not_wait(void)
{
	must_not_wait(shrink_pool, true);
}

static void shrink_of_a_cache_does_not_wait(void)
{
	must_not_wait(shrink_cache, true);
}

static void switching_modes_does_not_wait(void)
{
	must_not_wait(switch_modes, true);
}

static void validate_does_not_wait(void)
{
	must_not_wait(validate, true);
}

static void destroy_of_a_cache_does_not_wait(void)
{
	must_not_wait(destroy_cache, true);
}

/* When any module goes, all pools are looked at. */
static void unloading_a_client_does_not_wait(void)
{
	skip_on_preempt_rt();
	must_not_wait(unload_load, false);
}

static void destroy_does_not_wait(void)
{
	skip_on_preempt_rt();
	must_not_wait(destroy_all, false);
}

static void before(void)
{
	CHECK(qt_read_file(THROTTLE, throttle, sizeof(throttle)) > 0, "no %s", THROTTLE);
	qt_before();
}

static bool after(void)
{
	qt_write_file(THROTTLE, throttle);
	qt_unload_module();
	qt_objects_unload();
	fd = qt_open(O_RDWR);
	qt_destroy(fd, POOL);
	close(fd);
	return qt_after();
}

static const struct ktap_case cases[] = {
	{ "drain_does_not_wait", drain_does_not_wait },
	{ "shrink_does_not_wait", shrink_does_not_wait },
	{ "shrink_of_a_cache_does_not_wait", shrink_of_a_cache_does_not_wait },
	{ "switching_modes_does_not_wait", switching_modes_does_not_wait },
	{ "validate_does_not_wait", validate_does_not_wait },
	{ "destroy_of_a_cache_does_not_wait", destroy_of_a_cache_does_not_wait },
	{ "unloading_a_client_does_not_wait", unloading_a_client_does_not_wait },
	{ "destroy_does_not_wait", destroy_does_not_wait },
};

int main(int argc, char **argv)
{
	static const struct ktap_suite suite = {
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
		.before = before,
		.after = after,
	};

	return ktap_main(&suite, argc, argv);
}
