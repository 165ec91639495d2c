// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection for users of pools and caches, on a kernel built without any.
 *
 * A client that wants to see its error paths run arms a pool or a cache: the n-th
 * allocation from now fails once, or so many of a million at random. With n = 1, 2,
 * 3 ... until nothing fires, every allocation of an operation has failed once.
 *
 * Quarry's own steps are failed by inject.c, which is for its tests.
 *
 * Contexts: any. Cost when off: none; the fast path is only left while armed.
 */
#include <linux/errno.h>
#include <linux/limits.h>

#include "injection.h"
#include "random.h"

#define MILLION	1000000U

/**
 * quarry_injection_fires() - shall this allocation fail?
 * @injection:	armed or not
 *
 * Context: any.
 */
bool quarry_injection_fires(struct quarry_injection *injection)
{
	u32 per_million = READ_ONCE(injection->per_million);

	if (atomic64_read(&injection->nth) && !atomic64_dec_if_positive(&injection->nth))
		return true;
	return per_million && quarry_random_below(MILLION) < per_million;
}

/**
 * quarry_injection_set() - arm or disarm
 * @injection:	what
 * @nth:	fail the n-th from now; 0: none, QUARRY_INJECT_KEEP: as it was
 * @per_million: fail so many of a million; QUARRY_INJECT_KEEP32: as it was
 *
 * Context: any. Return: 0, or -EINVAL.
 */
int quarry_injection_set(struct quarry_injection *injection, u64 nth, u32 per_million)
{
	if ((nth != QUARRY_INJECT_KEEP && nth > S64_MAX) ||
	    (per_million != QUARRY_INJECT_KEEP32 && per_million > MILLION))
		return -EINVAL;
	if (nth != QUARRY_INJECT_KEEP)
		atomic64_set(&injection->nth, nth);
	if (per_million != QUARRY_INJECT_KEEP32)
		WRITE_ONCE(injection->per_million, per_million);
	return 0;
}
