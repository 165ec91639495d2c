/* SPDX-License-Identifier: GPL-2.0 */
/* What workloads are made of; see drive.c. */
#ifndef QUARRY_FRAG_DRIVE_H
#define QUARRY_FRAG_DRIVE_H

#include "frag.h"

/* Two sets of blocks: what comes and goes, and what stays for long. */
enum { FRAG_SET, FRAG_SET_LONG, FRAG_SETS };

/**
 * struct frag_drive - one run of one workload
 * @arm:	who is driven
 * @m:		what the caller brought
 * @r:		what comes out
 * @dice:	state of the generator
 * @steps:	for those that go by steps
 * @n:		blocks in each set: of the first from the beginning of frag_memory.blocks
 *		up, of the other from its end down
 * @out:	frames in each set
 */
struct frag_drive {
	const struct frag_arm *arm;
	const struct frag_memory *m;
	struct frag_result *r;
	u64 dice;
	u32 steps;
	u32 n[FRAG_SETS];
	u32 out[FRAG_SETS];
};

u32 frag_draw(struct frag_drive *d, u32 below);
unsigned int frag_draw_order(struct frag_drive *d, const struct frag_workload *w);
struct frag_block *frag_at(const struct frag_drive *d, unsigned int set, u32 i);
struct frag_block *frag_take(struct frag_drive *d, unsigned int set, unsigned int order,
			     enum frag_life life);
void frag_drop(struct frag_drive *d, unsigned int set, u32 i);
void frag_drop_any(struct frag_drive *d, unsigned int set);
void frag_pause(struct frag_drive *d, u32 turn);
void frag_judge(struct frag_drive *d);
void frag_judge_served(struct frag_drive *d, u64 served, u64 best);

static inline u32 frag_percent(const struct frag_drive *d, u32 percent)
{
	return (u64)d->m->frames * percent / 100;
}

#endif /* QUARRY_FRAG_DRIVE_H */
