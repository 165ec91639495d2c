// SPDX-License-Identifier: GPL-2.0
/*
 * Native nanoseconds of the core, beside a classic buddy with lists.
 *
 * The workloads are those of `make bench`, which counts guest instructions;
 * instructions see no cache misses and no atomics, nanoseconds do. A pool has
 * POOL_MIB in arenas of 4 MiB. Arms take turns; each figure is the median of RUNS
 * runs. Figures are nanoseconds of CPU time (others may share the machine) per
 * claim and free together, page.frag apart, which is a fraction:
 *
 *	page.pair.oN		claim, free, repeat
 *	page.batch128.o0	128 out, then 128 back, newest first
 *	page.bulk128.o0		128 out by calls for 128, then back in one call
 *	page.rand.o0		fill, shuffle, free in that order
 *	page.frag		fill 90%, shuffle with seed 42, free half; 100 rounds of
 *				freeing 10% of what is out at random and claiming
 *				as many; 2 MiB areas that are free, over those that
 *				could be
 *
 * Usage: bench [FILE]	FILE gets the figures as JSON, one object a line
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../dice.h"
#include "../tap.h"
#include "arm.h"

#define MAX_RUNS 31

static const struct arm *const arms[] = { &arm_quarry, &arm_list };

static u32 pool_frames;
static u64 *handles;

static u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static double pair(const struct arm *arm, unsigned int order)
{
	const u32 rounds = 200000;
	u64 begin;
	u32 i;

	arm->init(pool_frames);
	begin = now();
	for (i = 0; i < rounds; i++)
		arm->release(arm->claim(order), order);
	begin = now() - begin;
	arm->fini();
	return (double)begin / rounds;
}

static double batch(const struct arm *arm, unsigned int order)
{
	const u32 rounds = 2000, nr = 128;
	u64 begin;
	u32 i, j;

	arm->init(pool_frames);
	begin = now();
	for (i = 0; i < rounds; i++) {
		for (j = 0; j < nr; j++)
			handles[j] = arm->claim(order);
		while (j--)
			arm->release(handles[j], order);
	}
	begin = now() - begin;
	arm->fini();
	return (double)begin / (rounds * nr);
}

static double bulk(const struct arm *arm, unsigned int order)
{
	const u32 rounds = 2000, nr = 128;
	u64 begin;
	u32 i, got;

	(void)order;
	arm->init(pool_frames);
	begin = now();
	for (i = 0; i < rounds; i++) {
		for (got = 0; got < nr; )
			got += arm->claim_bulk(handles + got, nr - got);
		arm->release_bulk(handles, nr);
	}
	begin = now() - begin;
	arm->fini();
	return (double)begin / (rounds * nr);
}

static void shuffle(struct dice *d, u32 nr)
{
	while (nr > 1) {
		u32 j = dice(d, nr--);
		u64 h = handles[j];

		handles[j] = handles[nr];
		handles[nr] = h;
	}
}

static double rand_order(const struct arm *arm, unsigned int order)
{
	u64 begin, spent;
	struct dice d;
	u32 nr = 0, i;

	dice_seed(&d, 42);
	arm->init(pool_frames);
	begin = now();
	while ((handles[nr] = arm->claim(order)) != ~0ull)
		nr++;
	spent = now() - begin;
	shuffle(&d, nr);
	begin = now();
	for (i = 0; i < nr; i++)
		arm->release(handles[i], order);
	spent += now() - begin;
	arm->fini();
	return (double)spent / nr;
}

static double frag(const struct arm *arm, unsigned int order)
{
	u32 nr = pool_frames / 10 * 9, i, some;
	unsigned int round;
	double share;
	struct dice d;

	(void)order;
	dice_seed(&d, 42);
	arm->init(pool_frames);
	for (i = 0; i < nr; i++)
		handles[i] = arm->claim(0);
	shuffle(&d, nr);
	for (i = nr / 2; i < nr; i++)
		arm->release(handles[i], 0);
	nr /= 2;
	some = nr / 10;
	for (round = 0; round < 100; round++) {
		for (i = 0; i < some; i++) {
			u32 j = dice(&d, nr - i);
			u64 h = handles[j];

			/* What goes is moved behind those that stay. */
			handles[j] = handles[nr - i - 1];
			handles[nr - i - 1] = h;
			arm->release(h, 0);
		}
		for (i = nr - some; i < nr; i++)
			handles[i] = arm->claim(0);
	}
	share = (double)arm->large() / ((pool_frames - nr) / 512);
	for (i = 0; i < nr; i++)
		arm->release(handles[i], 0);
	arm->fini();
	return share;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *figures, unsigned int nr)
{
	qsort(figures, nr, sizeof(*figures), compare);
	return figures[nr / 2];
}

static void write_json(FILE *json, const char *name, const char *unit, double quarry,
		       double list)
{
	fprintf(json, "{\"workload\": \"%s\", \"unit\": \"%s\", ", name, unit);
	fprintf(json, "\"quarry\": %.4f, \"peers\": {\"list\": %.4f}}\n", quarry, list);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		double (*run)(const struct arm *arm, unsigned int order);
		unsigned int order;
		bool once;
	} workloads[] = {
		{ "page.pair.o0", pair, 0, false },
		{ "page.pair.o1", pair, 1, false },
		{ "page.pair.o2", pair, 2, false },
		{ "page.pair.o3", pair, 3, false },
		{ "page.pair.o4", pair, 4, false },
		{ "page.pair.o5", pair, 5, false },
		{ "page.pair.o6", pair, 6, false },
		{ "page.pair.o7", pair, 7, false },
		{ "page.pair.o8", pair, 8, false },
		{ "page.pair.o9", pair, 9, false },
		{ "page.pair.o10", pair, 10, false },
		{ "page.batch128.o0", batch, 0, false },
		{ "page.bulk128.o0", bulk, 0, false },
		{ "page.rand.o0", rand_order, 0, false },
		{ "page.frag", frag, 0, true },
	};
	u64 runs = env_number("RUNS", 7), mib = env_number("POOL_MIB", 1024);
	double figures[ARRAY_SIZE(arms)][MAX_RUNS], q, l;
	FILE *json = NULL;
	unsigned int w, r, a;
	int err = 0;

	if (!runs || runs > MAX_RUNS || mib < 64 || mib > 65536 || mib % 4) {
		fprintf(stderr, "RUNS: 1 to %u; POOL_MIB: 64 to 65536, by 4\n", MAX_RUNS);
		return 2;
	}
	if (argc > 1) {
		json = fopen(argv[1], "w");
		if (!json) {
			perror(argv[1]);
			return 2;
		}
	}
	pool_frames = mib * 256;
	handles = malloc((pool_frames + 1ull) * sizeof(*handles));
	if (!handles)
		return 2;
	printf("core in user space, %llu MiB, median of %llu\n\n", mib, runs);
	printf("%-18s %-9s %10s %10s %8s\n", "workload", "unit", "quarry", "list", "ratio");
	for (w = 0; w < ARRAY_SIZE(workloads); w++) {
		const char *unit = workloads[w].once ? "fraction" : "ns";
		u64 n = workloads[w].once ? 1 : runs;

		for (r = 0; r < n; r++)
			for (a = 0; a < ARRAY_SIZE(arms); a++)
				figures[a][r] = workloads[w].run(arms[a],
								 workloads[w].order);
		q = median(figures[0], n);
		l = median(figures[1], n);
		printf("%-18s %-9s %10.*f %10.*f %8.2f\n", workloads[w].name, unit,
		       workloads[w].once ? 4 : 1, q, workloads[w].once ? 4 : 1, l, q / l);
		fflush(stdout);
		if (json)
			write_json(json, workloads[w].name, unit, q, l);
		if (workloads[w].once && q < 0.95) {
			fprintf(stderr, "%s: %.4f is below 0.95\n", workloads[w].name, q);
			err = 1;
		}
	}
	if (json && fclose(json)) {
		perror(argv[1]);
		err = 2;
	}
	free(handles);
	return err;
}
