/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The timed loops. An arm includes them after its own get() and put(), and so gets
 * a copy of each that is compiled around these two.
 *
 * The loops are always inlined with constant functions, so the calls in them are
 * direct: a call through a pointer would cost a retpoline that no user of the
 * allocator pays. What a loop itself takes (counter, branch, arguments, the check
 * for NULL, storing the handle) is in the figures; nothing is subtracted.
 */
#ifndef QUARRY_BENCH_LOOPS_H
#define QUARRY_BENCH_LOOPS_H

#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/timekeeping.h>

#include "bench.h"

typedef void *(*bench_get_fn)(unsigned int order, gfp_t gfp);
typedef void (*bench_put_fn)(void *block, unsigned int order);

static __always_inline u64 bench_loop_pair(bench_get_fn get, bench_put_fn put,
					   unsigned int order, unsigned int n)
{
	u64 start = ktime_get_ns();
	unsigned int i;

	for (i = 0; i < n; i++) {
		void *block = get(order, GFP_KERNEL);

		if (unlikely(!block))
			return BENCH_FAILED;
		put(block, order);
	}
	return ktime_get_ns() - start;
}

static __always_inline u64 bench_loop_batch(bench_get_fn get, bench_put_fn put,
					    unsigned int order, void **slots,
					    unsigned int n, unsigned int rounds)
{
	u64 start = ktime_get_ns();
	unsigned int i;

	while (rounds--) {
		for (i = 0; i < n; i++) {
			slots[i] = get(order, GFP_KERNEL);
			if (unlikely(!slots[i])) {
				while (i--)
					put(slots[i], order);
				return BENCH_FAILED;
			}
		}
		for (i = 0; i < n; i++)
			put(slots[i], order);
	}
	return ktime_get_ns() - start;
}

static __always_inline u64 bench_loop_fill(bench_get_fn get, bench_put_fn put,
					   unsigned int order, void **slots,
					   unsigned int n)
{
	u64 start = ktime_get_ns();
	unsigned int i;

	for (i = 0; i < n; i++) {
		slots[i] = get(order, GFP_KERNEL);
		if (unlikely(!slots[i])) {
			while (i--)
				put(slots[i], order);
			return BENCH_FAILED;
		}
	}
	return ktime_get_ns() - start;
}

static __always_inline u64 bench_loop_empty(bench_put_fn put, unsigned int order,
					    void **slots, unsigned int n)
{
	u64 start = ktime_get_ns();
	unsigned int i;

	for (i = 0; i < n; i++)
		put(slots[i], order);
	return ktime_get_ns() - start;
}

/* Interrupts are off around the call, so that what they do is not its time. */
static __always_inline void *bench_once_get(bench_get_fn get, unsigned int order,
					    gfp_t gfp, u64 *time)
{
	unsigned long flags;
	void *block;
	u64 start;

	local_irq_save(flags);
	start = ktime_get_ns();
	block = get(order, gfp);
	*time = ktime_get_ns() - start;
	local_irq_restore(flags);
	return block;
}

static __always_inline void bench_once_put(bench_put_fn put, void *block,
					   unsigned int order, u64 *time)
{
	unsigned long flags;
	u64 start;

	local_irq_save(flags);
	start = ktime_get_ns();
	put(block, order);
	*time = ktime_get_ns() - start;
	local_irq_restore(flags);
}

/*
 * A copy of a loop for every order, in all arms alike: drivers ask for an order that
 * the compiler knows, and allocators may make use of that. Arms of objects have no
 * orders and define BENCH_NO_ORDERS first.
 */
#ifdef BENCH_NO_ORDERS
#define BENCH_EACH_ORDER(loop, ...)	loop(__VA_ARGS__, 0)
#else
#define BENCH_EACH_ORDER(loop, ...)					\
	(order == 0 ? loop(__VA_ARGS__, 0) :				\
	 order == 1 ? loop(__VA_ARGS__, 1) :				\
	 order == 2 ? loop(__VA_ARGS__, 2) :				\
	 order == 3 ? loop(__VA_ARGS__, 3) :				\
	 order == 4 ? loop(__VA_ARGS__, 4) :				\
	 order == 5 ? loop(__VA_ARGS__, 5) :				\
	 order == 6 ? loop(__VA_ARGS__, 6) :				\
	 order == 7 ? loop(__VA_ARGS__, 7) :				\
	 order == 8 ? loop(__VA_ARGS__, 8) :				\
	 order == 9 ? loop(__VA_ARGS__, 9) :				\
	 order == 10 ? loop(__VA_ARGS__, 10) :				\
	 BENCH_FAILED)
#endif

static __always_inline u64 pair_of(unsigned int n, unsigned int order)
{
	return bench_loop_pair(get, put, order, n);
}

static u64 arm_pair(unsigned int order, unsigned int n)
{
	return BENCH_EACH_ORDER(pair_of, n);
}

static __always_inline u64 batch_of(void **slots, unsigned int n,
				    unsigned int rounds, unsigned int order)
{
	return bench_loop_batch(get, put, order, slots, n, rounds);
}

static u64 arm_batch(unsigned int order, void **slots, unsigned int n,
		     unsigned int rounds)
{
	return BENCH_EACH_ORDER(batch_of, slots, n, rounds);
}

static __always_inline u64 fill_of(void **slots, unsigned int n, unsigned int order)
{
	return bench_loop_fill(get, put, order, slots, n);
}

static u64 arm_fill(unsigned int order, void **slots, unsigned int n)
{
	return BENCH_EACH_ORDER(fill_of, slots, n);
}

static __always_inline u64 empty_of(void **slots, unsigned int n, unsigned int order)
{
	return bench_loop_empty(put, order, slots, n);
}

static u64 arm_empty(unsigned int order, void **slots, unsigned int n)
{
	return BENCH_EACH_ORDER(empty_of, slots, n);
}

static void *arm_timed_get(unsigned int order, gfp_t gfp, u64 *time)
{
	return bench_once_get(get, order, gfp, time);
}

static void arm_timed_put(void *block, unsigned int order, u64 *time)
{
	bench_once_put(put, block, order, time);
}

/* Where they go in struct bench_arm. */
#define BENCH_ARM_LOOPS	\
	.get = get, .put = put, .pair = arm_pair, .batch = arm_batch,	\
	.fill = arm_fill, .empty = arm_empty,				\
	.timed_get = arm_timed_get, .timed_put = arm_timed_put

#endif /* QUARRY_BENCH_LOOPS_H */
