/* SPDX-License-Identifier: GPL-2.0 */
/* The workloads of tools/bench/frag on the arms of this folder; see frag.c. */
#ifndef BENCH_FRAG_H
#define BENCH_FRAG_H

#include "../../../bench/frag/frag.h"
#include "arm.h"

void drive_arm(const struct frag_workload *w, const struct arm *arm, u32 frames, u64 seed,
	       u32 effort, struct frag_result *r);

#endif
