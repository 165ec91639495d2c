// SPDX-License-Identifier: GPL-2.0
/*
 * The control for several CPUs: a stack of numbers for each, in memory of its own,
 * with some arithmetic beside, so that a pair costs about what it costs in quarry.
 * CPUs that run it share nothing, so whatever two of them lose against one is lost
 * by the machine. It must be run on a thread that is bound.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "bench.h"

#define STACK	16384
#define STEPS	12

struct control {
	unsigned long *stack;
	unsigned int n;
	unsigned long sum;
};

static DEFINE_PER_CPU_ALIGNED(struct control, controls);

static void arm_close(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kvfree(per_cpu(controls, cpu).stack);
		per_cpu(controls, cpu).stack = NULL;
	}
}

static int arm_open(u64 bytes, unsigned int size)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct control *c = per_cpu_ptr(&controls, cpu);

		c->stack = kvmalloc_node(STACK * sizeof(*c->stack), GFP_KERNEL,
					 cpu_to_node(cpu));
		if (!c->stack) {
			arm_close();
			return -ENOMEM;
		}
		for (c->n = 0, i = 1; i <= STACK; i++)
			c->stack[c->n++] = i;
	}
	return 0;
}

/* Instructions that wait for each other, as those of an allocator do. */
static __always_inline void spend(struct control *c)
{
	unsigned int i;

	for (i = 0; i < STEPS; i++) {
		c->sum = c->sum * 5 + 1;
		barrier();
	}
}

static __always_inline void *get(unsigned int order, gfp_t gfp)
{
	struct control *c = raw_cpu_ptr(&controls);

	spend(c);
	return c->n ? (void *)c->stack[--c->n] : NULL;
}

static __always_inline void put(void *block, unsigned int order)
{
	struct control *c = raw_cpu_ptr(&controls);

	spend(c);
	if (c->n < STACK)
		c->stack[c->n++] = (unsigned long)block;
}

#include "loops.h"

const struct bench_arm bench_control = {
	.name = "control",
	.open = arm_open,
	.close = arm_close,
	BENCH_ARM_LOOPS,
};
