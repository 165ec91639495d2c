/* SPDX-License-Identifier: GPL-2.0 */
/* As much of stdlib.h as tools/testing/user/ needs, for a kernel. */
#ifndef QUARRY_KUNIT_STDLIB_H
#define QUARRY_KUNIT_STDLIB_H

#include <kunit/test.h>
#include <linux/mm.h>

/* The test that runs; abort() ends it. */
extern struct kunit *quarry_test_now;

static inline void *calloc(size_t nr, size_t size)
{
	return kvcalloc(nr, size, GFP_KERNEL);
}

static inline void free(void *p)
{
	kvfree(p);
}

/* Arrays only grow, by doubling: what was there is at most half of @size. */
static inline void *realloc(void *p, size_t size)
{
	void *new = kvzalloc(size, GFP_KERNEL);

	if (new && p) {
		memcpy(new, p, size / 2);
		kvfree(p);
	}
	return new;
}

static inline void __noreturn abort(void)
{
	kunit_set_failure(quarry_test_now);
	kunit_try_catch_throw(&quarry_test_now->try_catch);
}

#endif
