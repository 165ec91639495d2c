// SPDX-License-Identifier: GPL-2.0
/*
 * What stays whole: the workloads of tools/bench/frag on the core, on the core through
 * per-CPU lists (lists/), a list buddy and first fit, as a table.
 *
 *	whole [WORKLOAD...]
 *
 *	POOL_MIB=	memory (1024)
 *	ARENA_MIB=	the core's arenas (4); the others know of none
 *	EFFORT=		percent of 6 million steps a GiB (100)
 *	SEEDS=		so many (2), from SEED= (1)
 *
 * A cell is the share of the 2 MiB areas that could be whole, and behind it how many
 * blocks were refused; the last columns are of 4 and 16 MiB, of the core and of the lists.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/frag.h"
#include "tap.h"

static const struct arm *const arms[] = { &arm_quarry, &arm_lists, &arm_list, &arm_first };

static bool is_wanted(const char *name, char **words, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(words[i], *name ? name : "frag"))
			return true;
	return !nr;
}

static void show(const struct frag_workload *w, u64 seed, u32 frames, u32 effort)
{
	struct frag_result r[ARRAY_SIZE(arms)];
	enum frag_size size;
	unsigned int a;

	printf("%-10s %5llu", *w->name ? w->name : "frag", seed);
	for (a = 0; a < ARRAY_SIZE(arms); a++) {
		drive_arm(w, arms[a], frames, seed, effort, &r[a]);
		printf("   %5.3f %7llu", frag_share_milli(&r[a], FRAG_2M) / 1000.0,
		       r[a].refused);
		fflush(stdout);
	}
	for (a = 0; a < 2; a++)
		for (size = FRAG_4M; size < FRAG_SIZES; size++)
			if (r[a].best[size])
				printf("   %6.3f", frag_share_milli(&r[a], size) / 1000.0);
	printf("\n");
}

int main(int argc, char **argv)
{
	u64 mib = env_number("POOL_MIB", 1024), effort = env_number("EFFORT", 100);
	u64 first = env_number("SEED", 1), seeds = env_number("SEEDS", 2), s;
	unsigned int a, w;

	if (mib < 64 || mib > 65536 || mib % 16 || !effort || effort > 1000) {
		fprintf(stderr, "POOL_MIB: 64 to 65536, by 16; EFFORT: 1 to 1000\n");
		return 2;
	}
	printf("%-10s %5s", "", "seed");
	for (a = 0; a < ARRAY_SIZE(arms); a++)
		printf("   %5s %7s", arms[a]->name, "refused");
	printf("   %6s   %6s   %6s   %6s\n", "4 MiB", "16 MiB", "lists", "lists");
	for (w = 0; w < frag_nr_workloads; w++)
		for (s = first; s < first + seeds; s++)
			if (is_wanted(frag_workloads[w].name, argv + 1, argc - 1))
				show(&frag_workloads[w], s, mib * 256, effort);
	return 0;
}
