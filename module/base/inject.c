// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection of our own, for kernels built without any.
 *
 * Every step that can fail asks quarry_inject() first. A test arms it with n:
 * the n-th question from then on is answered with "fail", once. Running an
 * operation with n = 1, 2, 3 ... until nothing fires has then failed it at
 * each of its steps.
 *
 * Contexts: asking, any; arming sleeps. Cost when off: one no-op instruction.
 */
#include <linux/atomic.h>

#include "inject.h"

DEFINE_STATIC_KEY_FALSE(quarry_inject_key);
static atomic_t countdown;
static atomic_t fired;

/* The slow half of quarry_inject(). Context: any. */
bool quarry_inject_fires(void)
{
	if (!atomic_add_unless(&countdown, -1, 0) || atomic_read(&countdown))
		return false;
	atomic_inc(&fired);
	return true;
}

/**
 * quarry_inject_set() - arm or disarm
 * @nth:	fail the @nth step from now, once; 0 disarms
 *
 * Context: may sleep; one test at a time.
 */
void quarry_inject_set(unsigned int nth)
{
	atomic_set(&fired, 0);
	atomic_set(&countdown, nth);
	if (nth)
		static_branch_enable(&quarry_inject_key);
	else
		static_branch_disable(&quarry_inject_key);
}

/**
 * quarry_inject_fired() - has the armed failure happened?
 *
 * Context: any. Return: failures since quarry_inject_set(), 0 or 1.
 */
unsigned int quarry_inject_fired(void)
{
	return atomic_read(&fired);
}
