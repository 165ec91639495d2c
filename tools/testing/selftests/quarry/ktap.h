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
 * @begin:	called once, ahead of everything, may be NULL
 * @end:	called once, behind everything, may be NULL
 */
struct ktap_suite {
	const struct ktap_case *cases;
	unsigned int nr_cases;
	void (*before)(void);
	bool (*after)(void);
	void (*begin)(void);
	void (*end)(void);
};

/* Each program has one. */
extern const struct ktap_suite ktap_suite;

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
