// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing waits for the scheduler of a CPU that a real-time task keeps for itself, nor for
 * somebody who was reading there when it came.
 *
 * On CPU 1 blocks are left on the lists of a pool, and objects in the magazines of a cache
 * in it. Then a SCHED_FIFO thread runs there, with the kernel's throttle of such threads
 * off, and lets nobody else run. What must empty those lists is called on CPU 0.
 *
 * No clock decides: the call must have returned while the thread still runs and, unless a
 * module goes with it, has never been switched out. Who waits for CPU 1 to schedule waits
 * until the thread gives up, after LIMIT seconds, and is found out by the order of events; the
 * thread then says where in the kernel everybody stands.
 *
 * Unloading a module is the kernel's work, and that waits for a CPU now and then: when it gives
 * back the module's memory, behind a worker that was at that on CPU 1. So where a module goes
 * the one who waits must not stand in a function of quarry's.
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
 * @in_quarry:	by then a function of quarry's was waited for
 */
static struct hog {
	pthread_t thread;
	pid_t tid;
	bool running;
	bool stop;
	bool over;
	bool in_quarry;
} hog;

static long seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void tell_stack(const char *task)
{
	char path[300], comm[32], stack[4096], *line, *at;

	snprintf(path, sizeof(path), "%s/comm", task);
	if (qt_read_file(path, comm, sizeof(comm)) <= 0)
		return;
	comm[strcspn(comm, "\n")] = 0;
	snprintf(path, sizeof(path), "%s/stack", task);
	if (qt_read_file(path, stack, sizeof(stack)) <= 0)
		return;
	if (atoi(strrchr(task, '/') + 1) == getpid() && strstr(stack, "[quarry]"))
		hog.in_quarry = true;
	for (line = strtok_r(stack, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
		ktap_note("%s %s: %s", comm, task, line);
}

/* Where in the kernel each thread of the program is, and each of the kernel's. */
static void tell_stacks(void)
{
	static const char *const dirs[] = { "/proc/self/task", "/proc" };
	struct dirent *entry;
	char path[300];
	unsigned int i;
	DIR *dir;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		dir = opendir(dirs[i]);
		while (dir && (entry = readdir(dir))) {
			snprintf(path, sizeof(path), "%s/%s", dirs[i], entry->d_name);
			if (atoi(entry->d_name))
				tell_stack(path);
		}
		if (dir)
			closedir(dir);
	}
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
	if (!__atomic_load_n(&h->stop, __ATOMIC_RELAXED))
		tell_stacks();
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
		if (s.pcp_bytes && c.magazine_bytes)
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
 * at work; where a module goes the kernel's stopper may take any CPU for a moment, and the
 * kernel may wait.
 */
static int beside_hog(int (*call)(void), bool alone)
{
	unsigned long before = switches();
	int ret = call();

	REQUIRE(!__atomic_load_n(&hog.over, __ATOMIC_ACQUIRE) || (!alone && !hog.in_quarry),
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
		qt_check_sums(fd, &s);
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

/**
 * struct reader - the thread that reads on CPU 1 over and over, until the hog takes that
 * @thread:	it
 * @read:	what it does, with @file
 * @file:	open
 * @rounds:	how often it has
 * @stop:	it is to end
 */
static struct reader {
	pthread_t thread;
	void (*read)(int file);
	int file;
	unsigned long rounds;
	bool stop;
} reader;

static void *run_reader(void *arg)
{
	struct reader *r = arg;

	qt_pin(1);
	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		r->read(r->file);
		__atomic_add_fetch(&r->rounds, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* As far as there is a walk, the CPU is lost in its midst: nearly all of its time is there. */
static void start_reader(void (*read)(int file), int file)
{
	reader = (struct reader){ .read = read, .file = file };
	REQUIRE(!pthread_create(&reader.thread, NULL, run_reader, &reader), "no thread");
	while (__atomic_load_n(&reader.rounds, __ATOMIC_ACQUIRE) < 3)
		usleep(1000);
}

static void stop_reader(void)
{
	__atomic_store_n(&reader.stop, true, __ATOMIC_RELAXED);
	pthread_join(reader.thread, NULL);
}

static void read_map(int file)
{
	struct quarry_map_area area;
	__u64 total;
	__u32 nr;

	/* All areas are counted, none is written. */
	qt_map(file, POOL, 1U << 30, &area, 1, &nr, &total);
}

static void read_stats(int file)
{
	struct quarry_pool_stats s;

	qt_stats(file, POOL, &s);
}

static void read_orders(int file)
{
	struct quarry_pool_orders o;

	qt_orders(file, POOL, QUARRY_ANY_NODE, &o);
}

static void read_validate(int file)
{
	struct quarry_pool_validate v;

	qt_validate(file, POOL, &v);
}

static void read_cache_stats(int file)
{
	struct quarry_cache_stats s;

	qt_cache_stats(file, CACHE, &s);
}

static void read_cache_traces(int file)
{
	struct quarry_cache_traces t;

	qt_cache_traces(file, CACHE, 0, NULL, 0, &t);
}

static void read_file(int file)
{
	static char buf[65536];

	while (read(file, buf, sizeof(buf)) > 0)
		;
	lseek(file, 0, SEEK_SET);
}

static int change_pools(void)
{
	return qt_create(fd, POOL "2", MIB(4), MIB(8), NULL) ?: qt_destroy(fd, POOL "2") ?:
	       qt_destroy(fd, POOL);
}

/* A pool large enough for a walk over it to take nearly all of the time of a call. */
static void make_pool(void)
{
	qt_pin(0);
	REQUIRE(!qt_create(fd, POOL, MIB(128), MIB(256), NULL), "create failed");
}

/* Some times, for once the CPU may be lost where nothing is held. */
static void nobody_waits_for(void (*read)(int file), const char *name)
{
	char path[128];
	int i, file;

	for (i = 0; i < TRIES; i++) {
		make_pool();
		snprintf(path, sizeof(path), QT_DEBUGFS "/%s", name ?: "");
		file = name ? open(path, O_RDONLY | O_CLOEXEC) : fd;
		REQUIRE(file >= 0, "%s: %s", path, strerror(errno));
		start_reader(read, file);
		start_hog();
		CHECK(!beside_hog(change_pools, false), "pools did not come and go");
		stop_hog();
		stop_reader();
		if (file != fd)
			close(file);
	}
}

static void two_cpus(void)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		ktap_skip("no second CPU");
	REQUIRE(!qt_write_file(THROTTLE, "-1"), "%s cannot be written", THROTTLE);
	fd = qt_open(O_RDWR);
}

static void who_reads_a_pool_is_not_waited_for(void)
{
	static const char *const files[] = {
		"buddyinfo", "pools/" POOL "/map", "pools/" POOL "/arenas",
		"pools/" POOL "/accounting", "pools/" POOL "/percpu",
	};
	unsigned int i;

	two_cpus();
	nobody_waits_for(read_map, NULL);
	nobody_waits_for(read_stats, NULL);
	nobody_waits_for(read_orders, NULL);
	nobody_waits_for(read_validate, NULL);
	for (i = 0; i < sizeof(files) / sizeof(*files); i++)
		nobody_waits_for(read_file, files[i]);
}

static void nobody_waits_for_cache(void (*read)(int file), const char *name)
{
	char path[128];
	int i, file;

	for (i = 0; i < TRIES / 2; i++) {
		make_pool();
		qt_objects_load("pool=" POOL);
		REQUIRE(!qt_objects_write("take", "2000") && !qt_objects_write("give", "2000"),
			"no objects");
		snprintf(path, sizeof(path), QT_DEBUGFS "/%s", name ?: "");
		file = name ? open(path, O_RDONLY | O_CLOEXEC) : fd;
		REQUIRE(file >= 0, "%s: %s", path, strerror(errno));
		start_reader(read, file);
		start_hog();
		CHECK(!beside_hog(destroy_cache, false), "the cache was not destroyed");
		stop_hog();
		stop_reader();
		if (file != fd)
			close(file);
		qt_objects_unload();
		CHECK(!qt_destroy(fd, POOL), "destroy failed");
	}
}

static void who_reads_a_cache_is_not_waited_for(void)
{
	static const char *const files[] = {
		"slabinfo", "pools/" POOL "/accounting", "caches/" CACHE "/stats",
		"caches/" CACHE "/slabs", "caches/" CACHE "/magazines",
		"caches/" CACHE "/alloc_traces",
	};
	unsigned int i;

	two_cpus();
	nobody_waits_for_cache(read_cache_stats, NULL);
	nobody_waits_for_cache(read_cache_traces, NULL);
	for (i = 0; i < sizeof(files) / sizeof(*files); i++)
		nobody_waits_for_cache(read_file, files[i]);
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
	{ "who_reads_a_pool_is_not_waited_for", who_reads_a_pool_is_not_waited_for },
	{ "who_reads_a_cache_is_not_waited_for", who_reads_a_cache_is_not_waited_for },
};

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = before,
	.after = after,
};
