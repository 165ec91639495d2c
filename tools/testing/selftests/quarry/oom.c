// SPDX-License-Identifier: GPL-2.0
/*
 * A machine that runs out of memory: pools give theirs before anybody is killed.
 *
 * For a boot of its own (tools/testing/stage boots): a child eats all memory there is, and
 * is killed, as it has asked to be.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quarry_test.h"

#define POOL	QT_PREFIX "oom"
#define OTHER	QT_PREFIX "other"

static int fd;

static void get(const char *name, struct quarry_pool_stats *s)
{
	REQUIRE(!qt_stats(fd, name, s), "stats failed");
	qt_check_sums(fd, s);
}

/* A pool with all of 64 MiB free and a floor of 4 MiB; and one of which a page is out. */
static void setup(struct quarry_pool_stats *s)
{
	fd = qt_open(O_RDWR);
	REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(128), NULL), "create failed");
	qt_load_module("pool=" POOL " hold=16384");
	qt_unload_module();
	REQUIRE(!qt_create(fd, OTHER, 0, MIB(16), NULL), "create failed");
	qt_load_module("pool=" OTHER " hold=1");
	get(POOL, s);
	REQUIRE(!s->allocated_bytes && s->managed_bytes >= MIB(64), "it has %llu bytes",
		s->managed_bytes);
}

static void finish(void)
{
	qt_check_valid(fd, POOL);
	qt_check_valid(fd, OTHER);
	qt_unload_module();
	CHECK(!qt_destroy(fd, POOL) && !qt_destroy(fd, OTHER), "destroy failed");
}

/* The first to be killed. */
static pid_t victim(void (*what)(void))
{
	pid_t child = fork();

	REQUIRE(child >= 0, "fork: %s", strerror(errno));
	if (child)
		return child;
	if (qt_write_file("/proc/self/oom_score_adj", "1000"))
		_exit(1);
	what();
	_exit(2);
}

static void check_killed(pid_t child)
{
	int status;

	REQUIRE(waitpid(child, &status, 0) == child, "waitpid: %s", strerror(errno));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "its status is %#x", status);
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

static void eat(void)
{
	const size_t bite = 1 << 20;
	char *p;

	for (;;) {
		p = mmap(NULL, bite, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(3);
		memset(p, 1, bite);
	}
}

/* The kernel is told to act as if there were none, so that nothing has been reclaimed yet. */
static void each_pool_gives_all_and_says_so(void)
{
	struct quarry_pool_stats was, is, other;
	char says[100];
	pid_t child;

	setup(&was);
	child = victim(wait_for_ever);
	REQUIRE(!qt_write_file("/proc/sysrq-trigger", "f"), "no sysrq-trigger");
	check_killed(child);
	get(POOL, &is);
	get(OTHER, &other);
	CHECK(is.managed_bytes == MIB(4) && is.shrinks > was.shrinks, "it has %llu bytes still",
	      is.managed_bytes);
	CHECK(other.allocated_bytes && other.managed_bytes >= other.allocated_bytes,
	      "the other pool has lost its page");
	snprintf(says, sizeof(says), "out of memory: %llu KiB given back, 4096 KiB kept",
		 (was.managed_bytes - is.managed_bytes) >> 10);
	CHECK(qt_log_has("quarry: pool " POOL ":", says), "it does not say: %s", says);
	qt_log_begin();
	finish();
}

static void what_is_free_goes_before_somebody_is_killed(void)
{
	struct quarry_pool_stats is;

	setup(&is);
	check_killed(victim(eat));
	get(POOL, &is);
	CHECK(is.managed_bytes == MIB(4), "it has %llu bytes still", is.managed_bytes);
	finish();
}

static bool after(void)
{
	qt_unload_module();
	return qt_after();
}

static const struct ktap_case cases[] = {
	{ "each_pool_gives_all_and_says_so", each_pool_gives_all_and_says_so },
	{ "what_is_free_goes_before_somebody_is_killed",
	  what_is_free_goes_before_somebody_is_killed },
};

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = qt_before,
	.after = after,
};
