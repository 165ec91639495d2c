/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bench.c and frag.c measure: one allocator behind a few calls. A handle is whatever
 * the allocator needs to take a block back.
 */
#ifndef BENCH_ARM_H
#define BENCH_ARM_H

#include <linux/types.h>

/**
 * struct arm - an allocator
 * @name:	as it is printed
 * @init:	a pool of so many frames, in arenas of 4 MiB
 * @fini:	free it
 * @claim:	a block; ~0 if there is none
 * @claim_short: a block that is known to be of short life; the same
 * @release:	take it back
 * @claim_bulk:	@nr blocks of order 0 under one lock; how many it got
 * @release_bulk: take them back under one lock
 * @frame:	number of a block's first frame
 * @settle:	give what lists hold back to the whole; or NULL
 * @large:	2 MiB areas that are wholly free, by its own account
 */
struct arm {
	const char *name;
	void (*init)(u32 frames);
	void (*fini)(void);
	u64 (*claim)(unsigned int order);
	u64 (*claim_short)(unsigned int order);
	void (*release)(u64 handle, unsigned int order);
	u32 (*claim_bulk)(u64 *handles, u32 nr);
	void (*release_bulk)(const u64 *handles, u32 nr);
	u64 (*frame)(u64 handle);
	void (*settle)(void);
	u64 (*large)(void);
};

extern const struct arm arm_quarry;
extern const struct arm arm_list;
extern const struct arm arm_first;
extern const struct arm arm_lists;

/* A lock nobody else wants: an atomic exchange and a store, as a spinlock costs. */
static __always_inline void arm_lock(u32 *lock)
{
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		;
}

static __always_inline void arm_unlock(u32 *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

#endif
