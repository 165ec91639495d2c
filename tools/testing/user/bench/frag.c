// SPDX-License-Identifier: GPL-2.0
/*
 * An arm of this folder as tools/bench/frag wants it. An arm that gives the wrong account
 * ends the program: what it said before is worth nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "frag.h"

static const struct arm *driven;

static unsigned long get(unsigned int order, enum frag_life life)
{
	return life == FRAG_SHORT ? driven->claim_short(order) : driven->claim(order);
}

static void put(unsigned long block, unsigned int order)
{
	driven->release(block, order);
}

static u64 frame(unsigned long block)
{
	return driven->frame(block);
}

static u64 whole(void)
{
	return driven->large();
}

/**
 * drive_arm() - run a workload on an arm
 * @w:		which
 * @arm:	with whom
 * @frames:	that it gets
 * @seed:	of what is drawn
 * @effort:	percent of a whole run's steps
 * @r:		filled with the result
 */
void drive_arm(const struct frag_workload *w, const struct arm *arm, u32 frames, u64 seed,
	       u32 effort, struct frag_result *r)
{
	const struct frag_arm as = { .name = arm->name, .get = get, .put = put,
				     .frame = frame, .whole = whole,
				     .settle = arm->settle };
	struct frag_memory m = { .frames = frames, .nr_areas = frames / FRAG_AREA_FRAMES };

	m.blocks = calloc(frames, sizeof(*m.blocks));
	m.areas = calloc(m.nr_areas, sizeof(*m.areas));
	if (!m.blocks || !m.areas)
		abort();
	driven = arm;
	arm->init(frames);
	frag_run(w, &as, &m, seed, effort, r);
	if (r->violations) {
		fprintf(stderr, "page.frag.%s %s: %llu violations\n", w->name, arm->name,
			r->violations);
		abort();
	}
	arm->fini();
	free(m.blocks);
	free(m.areas);
}
