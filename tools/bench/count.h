/* SPDX-License-Identifier: GPL-2.0 */
/* Counting what an operation costs; see count.c. */
#ifndef QUARRY_BENCH_COUNT_H
#define QUARRY_BENCH_COUNT_H

#include "bench.h"

/**
 * struct bench_workload - what is asked of each of some arms
 * @name:	how results call it
 * @arms:	the arms, quarry first; ends with NULL
 * @run:	do @n units of work, tell how long that took or BENCH_FAILED
 * @prepare:	called after an arm was opened, or NULL; an error skips the arm
 * @finish:	called before it is closed, if @prepare went well; or NULL
 * @bytes:	of the memory that the arms have
 * @size:	of objects
 * @order:	of blocks
 * @group:	out at a time, where several are
 * @modes:	for @prepare
 * @per_unit:	pairs in a unit
 * @units_max:	most units in a batch
 */
struct bench_workload {
	const char *name;
	const struct bench_arm *const *arms;
	u64 (*run)(const struct bench_workload *w, const struct bench_arm *arm,
		   unsigned int n);
	int (*prepare)(const struct bench_workload *w, const struct bench_arm *arm);
	void (*finish)(const struct bench_workload *w, const struct bench_arm *arm);
	u64 bytes;
	unsigned int size;
	unsigned int order;
	unsigned int group;
	unsigned int modes;
	unsigned int per_unit;
	unsigned int units_max;
};

int bench_count(const struct bench_workload *workloads, unsigned int n);

#endif /* QUARRY_BENCH_COUNT_H */
