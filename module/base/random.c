// SPDX-License-Identifier: GPL-2.0
/*
 * Random numbers for safety modes and fault injection, anywhere.
 *
 * get_random_u32() takes locks: not in NMI, nor under a raw spinlock with PREEMPT_RT.
 * What chooses an object or a failure need not be unpredictable, so each CPU has
 * a generator of its own (Tausworthe, L'Ecuyer 1999), seeded once. An interrupt in the
 * middle of a step spoils nothing but the sequence.
 *
 * Contexts: any.
 */
#include <linux/percpu.h>
#include <linux/prandom.h>

#include "random.h"

static DEFINE_PER_CPU(struct rnd_state, states);

/* Context: module load. */
void quarry_random_init(void)
{
	prandom_seed_full_state(&states);
}

/* One of 0 to @limit - 1; @limit is not 0. Context: any. */
u32 quarry_random_below(u32 limit)
{
	u32 r = prandom_u32_state(get_cpu_ptr(&states));

	put_cpu_ptr(&states);
	return (u64)r * limit >> 32;
}
