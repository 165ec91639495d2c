/* SPDX-License-Identifier: GPL-2.0 */
/* Fault injection for users. See injection.c. */
#ifndef QUARRY_INJECTION_H
#define QUARRY_INJECTION_H

#include <linux/atomic.h>
#include <linux/types.h>

/**
 * struct quarry_injection - which allocations are to fail
 * @nth:	the n-th question from now, once; 0: none
 * @per_million: so many of a million, at random
 */
struct quarry_injection {
	atomic64_t nth;
	u32 per_million;
};

/* Leave it as it was. */
#define QUARRY_INJECT_KEEP	(~0ULL)
#define QUARRY_INJECT_KEEP32	(~0U)

bool quarry_injection_fires(struct quarry_injection *injection);
int quarry_injection_set(struct quarry_injection *injection, u64 nth, u32 per_million);

static inline bool quarry_injection_armed(const struct quarry_injection *injection)
{
	return READ_ONCE(injection->per_million) || atomic64_read(&injection->nth);
}

#endif /* QUARRY_INJECTION_H */
