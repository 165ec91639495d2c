/* SPDX-License-Identifier: GPL-2.0 */
/* Stacks: whose call it is, and what has been taken by whom. See stacks.c. */
#ifndef QUARRY_STACKS_H
#define QUARRY_STACKS_H

#include <linux/preempt.h>
#include <linux/stackdepot.h>
#include <linux/types.h>
#include <uapi/linux/quarry.h>

/* Where lockdep is to prove what PREEMPT_RT asks, we do as there. */
#define QUARRY_RT_RULES							\
	(IS_ENABLED(CONFIG_PREEMPT_RT) || IS_ENABLED(CONFIG_PROVE_RAW_LOCK_NESTING))

/* May this context call the kernel's allocator at all? */
static inline bool quarry_may_kmalloc(void)
{
	return !in_nmi() && (!QUARRY_RT_RULES || preemptible());
}

depot_stack_handle_t quarry_stack_here(unsigned int skip, bool try);

/**
 * struct quarry_gathered - what has one stack
 * @stack:	its handle
 * @pid:	of the youngest
 * @objects:	how many
 * @youngest:	when, in jiffies
 * @oldest:	the same
 */
struct quarry_gathered {
	depot_stack_handle_t stack;
	u32 pid;
	u64 objects;
	unsigned long youngest;
	unsigned long oldest;
};

/**
 * struct quarry_gathering - stacks that are told apart
 * @at:		by their handles; sorted, most objects first
 * @nr:		how many there are
 * @traced:	objects of all of them
 */
struct quarry_gathering {
	struct quarry_gathered *at;
	unsigned int nr;
	u64 traced;
};

int quarry_gather_begin(struct quarry_gathering *g);
void quarry_gather_add(struct quarry_gathering *g, depot_stack_handle_t stack, u32 pid,
		       unsigned long when, u64 objects);
void quarry_gather_sort(struct quarry_gathering *g);
void quarry_gather_end(struct quarry_gathering *g);
void quarry_stack_write(depot_stack_handle_t stack, char *text, size_t room);
void quarry_stack_tell(const struct quarry_gathered *e, struct quarry_trace *t);

#endif /* QUARRY_STACKS_H */
