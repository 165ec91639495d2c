/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small KTAP producer.
 *
 * Each case runs in a process of its own, so that a crash or an early exit is
 * one failed case and not the end of the program. CHECK() records a failure
 * and goes on; REQUIRE() ends the case, from any of its threads.
 *
 * Exit status of a program: 0 all passed, 1 some failed, 4 all skipped.
 */
#ifndef QUARRY_SELFTEST_KTAP_H
#define QUARRY_SELFTEST_KTAP_H

#include <stdbool.h>

#define KTAP_PASS	0
#define KTAP_FAIL	1
#define KTAP_SKIP	4

/* Names that the kernel has; the C library defines some of them as well. */
#define __attr(x)	__attribute__((x))
#ifndef __printf
#define __printf(a, b)	__attr(__format__(printf, a, b))
#endif
#ifndef __noreturn
#define __noreturn	__attr(__noreturn__)
#endif
#ifndef __aligned
#define __aligned(n)	__attr(__aligned__(n))
#endif

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/**
 * struct ktap_case - one line of the plan
 * @name:	what must hold, in words joined by underscores
 * @run:	checks it
 */
struct ktap_case {
	const char *name;
	void (*run)(void);
};

/**
 * struct ktap_suite - a program
 * @cases:	what it runs, in order
 * @nr_cases:	length of @cases
 * @before:	called ahead of each case, may be NULL
 * @after:	called behind each case, may be NULL; false fails the case
 */
struct ktap_suite {
	const struct ktap_case *cases;
	unsigned int nr_cases;
	void (*before)(void);
	bool (*after)(void);
};

/* With arguments, runs the cases they name; with -l lists them. */
int ktap_main(const struct ktap_suite *suite, int argc, char **argv);

/* The main() of a program that does nothing else. */
#define KTAP_MAIN(the_cases, the_before, the_after)			\
int main(int argc, char **argv)						\
{									\
	static const struct ktap_suite suite = {			\
		.cases = the_cases,					\
		.nr_cases = ARRAY_SIZE(the_cases),			\
		.before = the_before,					\
		.after = the_after,					\
	};								\
									\
	return ktap_main(&suite, argc, argv);				\
}

__printf(1, 2) void ktap_note(const char *fmt, ...);
__printf(3, 4) void ktap_fail(const char *file, int line, const char *fmt, ...);
__printf(1, 2) __noreturn void ktap_skip(const char *fmt, ...);
__noreturn void ktap_stop(void);

#define CHECK(cond, ...)						\
	({								\
		bool __ok = (cond);					\
									\
		if (!__ok)						\
			ktap_fail(__FILE__, __LINE__, __VA_ARGS__);	\
		__ok;							\
	})

#define REQUIRE(cond, ...)						\
	do {								\
		if (!CHECK(cond, __VA_ARGS__))				\
			ktap_stop();					\
	} while (0)

#endif /* QUARRY_SELFTEST_KTAP_H */
