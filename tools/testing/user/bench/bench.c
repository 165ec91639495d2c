// SPDX-License-Identifier: GPL-2.0
/*
 * Native nanoseconds of the core, beside a classic buddy with lists and first fit.
 *
 * The workloads are those of `make bench`, which counts guest instructions;
 * instructions see no cache misses and no atomics, nanoseconds do. A pool has
 * POOL_MIB in arenas of 4 MiB. Arms take turns; each figure is the median of RUNS
 * runs. Figures are nanoseconds of CPU time (others may share the machine) per
 * claim and free together:
 *
 *	page.pair.oN		claim, free, repeat
 *	page.batch128.o0	128 out, then 128 back, newest first
 *	page.bulk128.o0		128 out by calls for 128, then back in one call
 *	page.rand.o0		fill, shuffle, free in that order
 *	page.frag, page.frag.*	what stays whole, in fractions, and how many blocks were
 *				refused: the workloads of tools/bench/frag, EFFORT percent of
 *				their steps; the worse of two seeds
 *
 * Usage: bench [FILE]	FILE gets the figures as JSON, one object a line
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <linux/minmax.h>

#include "../dice.h"
#include "../tap.h"
#include "frag.h"

#define MAX_RUNS 31
#define SEEDS	2

static const struct arm *const arms[] = { &arm_quarry, &arm_list, &arm_first };

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

/* One line of the table and of the JSON: the core, then the others. */
static void tell(FILE *json, const char *name, const char *unit, int digits,
		 const double *figures)
{
	unsigned int a;

	printf("%-26s %-9s", name, unit);
	for (a = 0; a < ARRAY_SIZE(arms); a++)
		printf(" %10.*f", digits, figures[a]);
	printf("\n");
	fflush(stdout);
	if (!json)
		return;
	fprintf(json, "{\"workload\": \"%s\", \"unit\": \"%s\", \"quarry\": %.4f, \"peers\": {",
		name, unit, figures[0]);
	for (a = 1; a < ARRAY_SIZE(arms); a++)
		fprintf(json, "%s\"%s\": %.4f", a > 1 ? ", " : "", arms[a]->name, figures[a]);
	fprintf(json, "}}\n");
}

static double worst_share(const struct frag_result *r, enum frag_size size)
{
	double share = 1;
	unsigned int s;

	for (s = 0; s < SEEDS; s++)
		share = min(share, frag_share_milli(&r[s], size) / 1000.0);
	return share;
}

static void frag_shares(FILE *json, const char *name, const char *what, enum frag_size size,
			const struct frag_result r[][SEEDS])
{
	double figures[ARRAY_SIZE(arms)];
	char full[64];
	unsigned int a;

	for (a = 0; a < ARRAY_SIZE(arms); a++)
		figures[a] = worst_share(r[a], size);
	snprintf(full, sizeof(full), "page.frag%s%s%s", *name ? "." : "", name, what);
	tell(json, full, "fraction", 3, figures);
}

static void drives(FILE *json, const struct frag_workload *w, u32 effort)
{
	struct frag_result r[ARRAY_SIZE(arms)][SEEDS];
	double refused[ARRAY_SIZE(arms)] = {};
	char full[64];
	unsigned int a, s;

	for (a = 0; a < ARRAY_SIZE(arms); a++) {
		for (s = 0; s < SEEDS; s++) {
			drive_arm(w, arms[a], pool_frames, 1 + s, effort, &r[a][s]);
			printf("note user.page.frag%s%s %s: seed %u: %llu of %llu, %llu refused\n",
			       *w->name ? "." : "", w->name, arms[a]->name, 1 + s,
			       r[a][s].whole[FRAG_2M], r[a][s].best[FRAG_2M],
			       r[a][s].refused);
			refused[a] = max_t(double, refused[a], r[a][s].refused);
		}
	}
	frag_shares(json, w->name, "", FRAG_2M, r);
	snprintf(full, sizeof(full), "page.frag%s%s.refused", *w->name ? "." : "", w->name);
	tell(json, full, "blocks", 0, refused);
	if (*w->name)
		return;
	frag_shares(json, w->name, ".arenas", FRAG_4M, r);
	frag_shares(json, w->name, ".areas16m", FRAG_16M, r);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		double (*run)(const struct arm *arm, unsigned int order);
		unsigned int order;
	} workloads[] = {
		{ "page.pair.o0", pair, 0 },
		{ "page.pair.o1", pair, 1 },
		{ "page.pair.o2", pair, 2 },
		{ "page.pair.o3", pair, 3 },
		{ "page.pair.o4", pair, 4 },
		{ "page.pair.o5", pair, 5 },
		{ "page.pair.o6", pair, 6 },
		{ "page.pair.o7", pair, 7 },
		{ "page.pair.o8", pair, 8 },
		{ "page.pair.o9", pair, 9 },
		{ "page.pair.o10", pair, 10 },
		{ "page.batch128.o0", batch, 0 },
		{ "page.bulk128.o0", bulk, 0 },
		{ "page.rand.o0", rand_order, 0 },
	};
	u64 runs = env_number("RUNS", 7), mib = env_number("POOL_MIB", 1024);
	u64 effort = env_number("EFFORT", 30);
	double figures[ARRAY_SIZE(arms)][MAX_RUNS], medians[ARRAY_SIZE(arms)];
	FILE *json = NULL;
	unsigned int w, r, a;
	int err = 0;

	if (!runs || runs > MAX_RUNS || mib < 64 || mib > 65536 || mib % 16 || !effort ||
	    effort > 1000) {
		fprintf(stderr,
			"RUNS: 1 to %u; POOL_MIB: 64 to 65536, by 16; EFFORT: 1 to 1000\n",
			MAX_RUNS);
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
	printf("%-26s %-9s %10s %10s %10s\n", "workload", "unit", arms[0]->name, arms[1]->name,
	       arms[2]->name);
	for (w = 0; w < ARRAY_SIZE(workloads); w++) {
		for (r = 0; r < runs; r++)
			for (a = 0; a < ARRAY_SIZE(arms); a++)
				figures[a][r] = workloads[w].run(arms[a],
								 workloads[w].order);
		for (a = 0; a < ARRAY_SIZE(arms); a++)
			medians[a] = median(figures[a], runs);
		tell(json, workloads[w].name, "ns", 1, medians);
	}
	for (w = 0; w < frag_nr_workloads; w++)
		drives(json, &frag_workloads[w], effort);
	if (json && fclose(json)) {
		perror(argv[1]);
		err = 2;
	}
	free(handles);
	return err;
}
