// SPDX-License-Identifier: GPL-2.0
/*
 * page.frag.*: how much of the free memory is whole after a long life.
 *
 * The workloads and the count are those of the folder frag, which say what they are; the
 * programs in tools/testing/user run the same ones natively on the bare core. Here they go
 * through all of the allocator: a pool at its cap, with its lists, which are emptied
 * before the count. quarry tells from its own snapshot as well, and it must agree.
 *
 *	page.frag.NAME		share of the 2 MiB areas that could be whole
 *	page.frag.NAME.refused	allocations that failed, where others do not
 *	page.frag		the workload that has no name; beside it its
 *	page.frag.arenas	4 MiB blocks, which can go back to the kernel, and its
 *	page.frag.areas16m	blocks of 16 MiB
 *
 * Each workload is run with two seeds. The figure is the worse of the two, the notes have
 * both.
 *
 * The page allocator cannot be confined to some areas. For it, the areas are those that it
 * ever gave a page of during the drive, and pages that others hold in them are overlooked,
 * which flatters it. It is left out where the share is of what was asked for.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "bench.h"
#include "frag/frag.h"

#define BYTES		SZ_128M
#define FRAMES		(BYTES / PAGE_SIZE)
#define AREAS		SZ_64K		/* 128 GiB of physical memory */
#define EFFORT		25		/* percent: instructions are counted, which takes long */
#define SEEDS		2
#define NAME_ROOM	48

static const struct bench_arm *driven;

static unsigned long get(unsigned int order, enum frag_life life)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	void *block = driven->get(order, life == FRAG_SHORT ? gfp | __GFP_MOVABLE : gfp);

	return block ? (unsigned long)block : FRAG_NONE;
}

static void put(unsigned long block, unsigned int order)
{
	driven->put((void *)block, order);
}

static u64 frame(unsigned long block)
{
	return driven->frame((void *)block);
}

static void pause(void)
{
	cond_resched();
}

static const char *name_of(char *name, size_t room, const struct frag_workload *w,
			   const char *what)
{
	scnprintf(name, room, "page.frag%s%s%s", *w->name ? "." : "", w->name, what);
	return name;
}

static int drive(const struct frag_workload *w, const struct frag_memory *m, u64 seed,
		 struct frag_result *r)
{
	const struct frag_arm arm = { .name = driven->name, .get = get, .put = put,
				      .frame = frame, .pause = pause,
				      .settle = driven->settle,
				      .whole = driven->whole,
				      .shared = driven->shared };
	char name[NAME_ROOM];
	int err;

	err = driven->open(BYTES, 0);
	if (err)
		return err;
	frag_run(w, &arm, m, seed, EFFORT, r);
	driven->close();
	name_of(name, sizeof(name), w, "");
	bench_say("note %s %s: seed %llu: %llu of %llu %s, %llu of %llu refused\n", name,
		  driven->name, seed, r->whole[FRAG_2M], r->best[FRAG_2M],
		  w->of_served ? "served" : "areas whole", r->refused, r->asked);
	if (r->violations)
		bench_say("wrong %s %s: %llu violations of the count\n", name, driven->name,
			  r->violations);
	return 0;
}

static bool is_wanted(const struct frag_workload *w)
{
	char name[NAME_ROOM];

	if (*w->name)
		return bench_wanted(name_of(name, sizeof(name), w, ""));
	return bench_wanted("page.frag") || bench_wanted("page.frag.arenas") ||
	       bench_wanted("page.frag.areas16m");
}

static void tell(const struct frag_workload *w, const char *what, enum frag_size size,
		 const struct frag_result *r)
{
	u32 milli = 1000;
	unsigned int i;
	char name[NAME_ROOM];

	for (i = 0; i < SEEDS; i++)
		milli = min(milli, frag_share_milli(&r[i], size));
	bench_value(name_of(name, sizeof(name), w, what), "fraction", driven->name, milli);
}

static int measure(const struct frag_workload *w, const struct frag_memory *m)
{
	struct frag_result r[SEEDS];
	u64 refused = 0;
	unsigned int i;
	char name[NAME_ROOM];
	int err;

	for (i = 0; i < SEEDS; i++) {
		err = drive(w, m, 1 + i, &r[i]);
		if (err)
			return err;
		refused = max(refused, r[i].refused);
	}
	tell(w, "", FRAG_2M, r);
	bench_value(name_of(name, sizeof(name), w, ".refused"), "blocks", driven->name,
		    refused * 1000);
	if (!*w->name) {
		tell(w, ".arenas", FRAG_4M, r);
		tell(w, ".areas16m", FRAG_16M, r);
	}
	return 0;
}

int bench_frag(void)
{
	struct frag_memory m = { .frames = FRAMES, .nr_areas = AREAS };
	unsigned int i, a;
	int err = 0;

	m.blocks = kvmalloc_array(FRAMES, sizeof(*m.blocks), GFP_KERNEL);
	m.areas = kvmalloc_array(AREAS, sizeof(*m.areas), GFP_KERNEL);
	if (!m.blocks || !m.areas)
		err = -ENOMEM;
	for (i = 0; i < frag_nr_workloads && !err; i++) {
		for (a = 0; bench_whole_arms[a] && is_wanted(&frag_workloads[i]) && !err; a++) {
			driven = bench_whole_arms[a];
			if (driven->shared && frag_workloads[i].of_served)
				continue;
			err = measure(&frag_workloads[i], &m);
		}
	}
	kvfree(m.areas);
	kvfree(m.blocks);
	return err;
}
