/* SPDX-License-Identifier: GPL-2.0 */
/* A machine for the page layer in user space, and pools on it. See machine.c. */
#ifndef LISTS_MACHINE_H
#define LISTS_MACHINE_H

#include "../../../../module/pages/pcp.h"

#ifdef __x86_64__
#define MACHINE_STEPS	1
#define MACHINE_TF	0x100UL
#else
#define MACHINE_STEPS	0
#endif

/* The linker: where the program lies. */
extern const char __executable_start[];

void machine_init(u32 mib);
void machine_cpu(unsigned int cpu);
void machine_nmi(bool inside);
struct quarry_pool *machine_pool(u32 mib, u32 arena_mib, u64 reserve);
void machine_pool_free(struct quarry_pool *pool);
u64 machine_settle(struct quarry_pool *pool);
void machine_rest(bool at_rest);
bool machine_chore(struct quarry_pool *pool);
struct quarry_chore *machine_last_chore(void);
u64 machine_count(struct quarry_pool *pool, unsigned int which);
u64 machine_on_lists(struct quarry_pool *pool);
u64 machine_misuses(struct quarry_pool *pool);
void machine_calls(struct quarry_pool *pool, unsigned int order, u64 *allocs, u64 *frees);

/*
 * Every instruction from here on ends in a SIGTRAP, or no longer; where the machine can do that.
 * Returns what was so before. What the compiler keeps below the stack stays.
 */
static __always_inline bool machine_step(bool on)
{
#if MACHINE_STEPS
	unsigned long flags;

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "pushfq\n\t"
			 "popq %0\n\t"
			 "lea 128(%%rsp), %%rsp" : "=r" (flags) : : "memory");
	if (on != !!(flags & MACHINE_TF))
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
				 "pushq %0\n\t"
				 "popfq\n\t"
				 "lea 128(%%rsp), %%rsp"
				 : : "r" (flags ^ MACHINE_TF) : "memory", "cc");
	return flags & MACHINE_TF;
#else
	return false;
#endif
}

/* The zone of a pool; there is one node. */
static inline struct quarry_zone *machine_zone(struct quarry_pool *pool)
{
	return pool->zone[0];
}

/* The number of a block in its pool, and the block of a number. */
static inline u64 machine_frame(struct quarry_pool *pool, const struct page *page)
{
	return page_to_pfn(page) - pool->registered.id;
}

static inline struct page *machine_page(struct quarry_pool *pool, u64 frame)
{
	return pfn_to_page(pool->registered.id + frame);
}

#endif
