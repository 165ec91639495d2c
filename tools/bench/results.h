/* SPDX-License-Identifier: GPL-2.0 */
/* Where results are kept; see results.c. */
#ifndef QUARRY_BENCH_RESULTS_H
#define QUARRY_BENCH_RESULTS_H

int bench_results_open(void);
void bench_results_show(void);
void bench_results_close(void);

#endif /* QUARRY_BENCH_RESULTS_H */
