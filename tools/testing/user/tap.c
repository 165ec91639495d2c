// SPDX-License-Identifier: GPL-2.0
/*
 * KTAP, version 1: see Documentation/dev-tools/ktap.rst of the kernel.
 *
 * A test prints what it likes in lines that begin with "#" and fails by abort(),
 * by a signal, or by a status other than 0. TIMEOUT= sets the seconds of CPU
 * one test may take; BAIL=1 ends with the first failure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static unsigned int nr_run;
static unsigned int nr_failed;

/**
 * env_number() - a number from the environment
 * @name:	variable
 * @otherwise:	when it is not set
 */
u64 env_number(const char *name, u64 otherwise)
{
	const char *value = getenv(name);
	char *end;
	u64 n;

	if (!value || !*value)
		return otherwise;
	n = strtoull(value, &end, 0);
	if (*end) {
		fprintf(stderr, "%s=%s: not a number\n", name, value);
		exit(2);
	}
	return n;
}

/* By the CPU, as the machine may be busy; by the clock for what waits for ever. */
static void limit_time(u64 seconds)
{
	struct rlimit limit = { seconds, seconds };

	setrlimit(RLIMIT_CPU, &limit);
	alarm(20 * seconds);
}

/**
 * tap_plan() - begin
 * @nr:	tests to come
 */
void tap_plan(unsigned int nr)
{
	printf("KTAP version 1\n1..%u\n", nr);
}

/**
 * tap_run() - run a test
 * @name:	its name
 * @test:	function that fails by not returning
 * @arg:	its argument
 */
void tap_run(const char *name, void (*test)(const void *arg), const void *arg)
{
	int status = -1;
	pid_t pid;

	if (nr_failed && env_number("BAIL", 0)) {
		printf("not ok %u %s # SKIP after a failure\n", ++nr_run, name);
		return;
	}
	fflush(stdout);
	pid = fork();
	if (!pid) {
		limit_time(env_number("TIMEOUT", 600));
		test(arg);
		exit(0);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	nr_run++;
	if (status) {
		nr_failed++;
		if (status != -1 && WIFSIGNALED(status))
			printf("# signal %d\n", WTERMSIG(status));
	}
	printf("%s %u %s\n", status ? "not ok" : "ok", nr_run, name);
	fflush(stdout);
}

/* In a test: it has failed if this does not hold. */
void tap_require(bool holds, const char *what)
{
	if (holds)
		return;
	printf("# %s\n", what);
	fflush(stdout);
	abort();
}

/**
 * tap_end() - sum up
 *
 * Return: exit status.
 */
int tap_end(void)
{
	printf("# %u passed, %u failed\n", nr_run - nr_failed, nr_failed);
	return nr_failed ? 1 : 0;
}
