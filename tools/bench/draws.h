/* SPDX-License-Identifier: GPL-2.0 */
/* Sizes as kmalloc() is asked for them; see draws.c. */
#ifndef QUARRY_BENCH_DRAWS_H
#define QUARRY_BENCH_DRAWS_H

#include "bench.h"

void bench_draw_sizes(struct bench_draw *draws, unsigned int n, unsigned int slots);

#endif /* QUARRY_BENCH_DRAWS_H */
