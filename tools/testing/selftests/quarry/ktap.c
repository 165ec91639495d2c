// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

/* A broken loop must not bury the log under a million equal lines. */
#define MAX_MESSAGES	20

/* Shared with the process of the case: an exit status has no room for words. */
static struct {
	unsigned int failures;
	char skip[160];
} *shared;

void ktap_note(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	printf("# %s\n", line);
}

void ktap_fail(const char *file, int line, const char *fmt, ...)
{
	unsigned int nr = __atomic_add_fetch(&shared->failures, 1, __ATOMIC_RELAXED);
	char text[512];
	va_list ap;

	if (nr > MAX_MESSAGES)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("# %s:%d: %s\n", file, line, text);
	if (nr == MAX_MESSAGES)
		printf("# further failures of this case are not shown\n");
}

void ktap_stop(void)
{
	fflush(stdout);
	_exit(KTAP_FAIL);
}

void ktap_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(shared->skip, sizeof(shared->skip), fmt, ap);
	va_end(ap);
	fflush(stdout);
	_exit(KTAP_SKIP);
}

static int run_case(const struct ktap_suite *suite, const struct ktap_case *c)
{
	int status, result = KTAP_FAIL;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	if (suite->before)
		suite->before();
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		printf("# fork: %s\n", strerror(errno));
		return KTAP_FAIL;
	}
	if (!pid) {
		c->run();
		fflush(stdout);
		_exit(KTAP_PASS);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		result = WEXITSTATUS(status);
	else
		printf("# %s: killed by signal %d\n", c->name, WTERMSIG(status));
	if (suite->after && !suite->after())
		result = KTAP_FAIL;
	if (shared->failures)
		result = KTAP_FAIL;
	return result;
}

static bool wanted(const struct ktap_case *c, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], c->name))
			return true;
	return argc < 2;
}

/* With arguments, runs the cases they name; with -l lists them. */
static int run(const struct ktap_suite *suite, int argc, char **argv)
{
	unsigned int i, nr = 0, planned = 0, passed = 0, failed = 0, skipped = 0;

	if (argc == 2 && !strcmp(argv[1], "-l")) {
		for (i = 0; i < suite->nr_cases; i++)
			puts(suite->cases[i].name);
		return KTAP_PASS;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		puts("Bail out! no memory");
		return KTAP_FAIL;
	}
	for (i = 0; i < suite->nr_cases; i++)
		planned += wanted(&suite->cases[i], argc, argv);
	if (!planned) {
		puts("Bail out! no such case, -l lists them");
		return KTAP_FAIL;
	}
	printf("KTAP version 1\n1..%u\n", planned);
	for (i = 0; i < suite->nr_cases; i++) {
		const struct ktap_case *c = &suite->cases[i];

		if (!wanted(c, argc, argv))
			continue;
		nr++;
		switch (run_case(suite, c)) {
		case KTAP_PASS:
			passed++;
			printf("ok %u %s\n", nr, c->name);
			break;
		case KTAP_SKIP:
			skipped++;
			printf("ok %u %s # SKIP %s\n", nr, c->name, shared->skip);
			break;
		default:
			failed++;
			printf("not ok %u %s\n", nr, c->name);
		}
	}
	printf("# pass:%u fail:%u skip:%u total:%u\n", passed, failed, skipped, planned);
	fflush(stdout);
	if (failed)
		return KTAP_FAIL;
	return passed ? KTAP_PASS : KTAP_SKIP;
}

int main(int argc, char **argv)
{
	int ret;

	if (ktap_suite.begin)
		ktap_suite.begin();
	ret = run(&ktap_suite, argc, argv);
	if (ktap_suite.end)
		ktap_suite.end();
	return ret;
}
