/* SPDX-License-Identifier: GPL-2.0 */
/* Fault injection for users. See fault.c. */
#ifndef QUARRY_FAULT_H
#define QUARRY_FAULT_H

#include <linux/atomic.h>
#include <linux/types.h>

/**
 * struct quarry_fault - which allocations are to fail
 * @nth:	the n-th question from now, once; 0: none
 * @per_million: so many of a million, at random
 */
struct quarry_fault {
	atomic64_t nth;
	u32 per_million;
};

/* Leave it as it was. */
#define QUARRY_FAULT_KEEP	(~0ULL)
#define QUARRY_FAULT_KEEP32	(~0U)

bool quarry_fault_fires(struct quarry_fault *fault);
int quarry_fault_set(struct quarry_fault *fault, u64 nth, u32 per_million);

static inline bool quarry_fault_armed(const struct quarry_fault *fault)
{
	return READ_ONCE(fault->per_million) || atomic64_read(&fault->nth);
}

#endif /* QUARRY_FAULT_H */
