/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How whole memory stays: workloads that an allocator of pages is driven with, and the
 * count of what is left. Pure C: the same files are part of quarry_bench.ko and of the
 * programs in tools/testing/user. See drive.c for the theory, workloads.c for the list.
 */
#ifndef QUARRY_FRAG_H
#define QUARRY_FRAG_H

#include <linux/types.h>

#define FRAG_ORDERS		11
#define FRAG_AREA_FRAMES	512U		/* 2 MiB */
#define FRAG_NONE		(~0UL)
#define FRAG_UNKNOWN		(~0ULL)

/* What a caller knows of how long a block will live. */
enum frag_life {
	FRAG_PLAIN,	/* nothing */
	FRAG_SHORT,	/* it can be given up: movable, reclaimable */
};

/* The blocks whose wholeness is counted. */
enum frag_size {
	FRAG_2M,
	FRAG_4M,
	FRAG_16M,
	FRAG_SIZES
};

/**
 * struct frag_arm - an allocator with memory of a fixed size
 * @name:	how results call it
 * @get:	a block of frames, or FRAG_NONE
 * @put:	take it back
 * @frame:	number of its first frame; blocks are aligned by these numbers
 * @settle:	give back to the whole what lists of CPUs hold; or NULL
 * @whole:	2 MiB areas that are wholly free by its own account; or NULL
 * @pause:	called now and then; or NULL
 * @shared:	its memory is not its own: it has what it ever gave a block of
 */
struct frag_arm {
	const char *name;
	unsigned long (*get)(unsigned int order, enum frag_life life);
	void (*put)(unsigned long block, unsigned int order);
	u64 (*frame)(unsigned long block);
	void (*settle)(void);
	u64 (*whole)(void);
	void (*pause)(void);
	bool shared;
};

/**
 * struct frag_block - a block that is out
 * @handle:	what frag_arm.get said
 * @due:	turn in which it goes, where that is known beforehand
 * @order:	its order
 */
struct frag_block {
	unsigned long handle;
	u32 due;
	u8 order;
};

/**
 * struct frag_area - 512 aligned frames
 * @used:	frames out
 * @exists:	the arm has them
 */
struct frag_area {
	u16 used;
	bool exists;
};

/**
 * struct frag_memory - what a drive needs, from its caller
 * @frames:	that the arm has
 * @blocks:	as many
 * @areas:	of all frame numbers that can come
 * @nr_areas:	length of @areas
 */
struct frag_memory {
	u32 frames;
	struct frag_block *blocks;
	struct frag_area *areas;
	u32 nr_areas;
};

/**
 * struct frag_result - how a drive ended
 * @whole:	blocks of that size that were whole, each time they were counted
 * @best:	how many of them could have been, were all packed
 * @looks:	how often they were counted
 * @asked:	blocks
 * @refused:	of these
 * @violations:	counts that disagree, frames that were out twice or do not exist
 */
struct frag_result {
	u64 whole[FRAG_SIZES];
	u64 best[FRAG_SIZES];
	u64 looks;
	u64 asked;
	u64 refused;
	u64 violations;
};

struct frag_drive;

/**
 * struct frag_workload - a way to use memory
 * @name:	what follows "page.frag."
 * @run:	do it
 * @weights:	how often blocks of an order are asked for, by number
 * @level:	percent of memory that is out
 * @level_long:	percent of memory that blocks of long life have beside
 * @one_long_in: one block in so many is of these; 0: none
 * @rounds:	of those that go by rounds
 * @said:	of blocks that do not belong to these it is said that they are short
 * @of_served:	the share is of what was asked for: an arm whose memory is not its own
 *		has more to serve from than it should
 */
struct frag_workload {
	const char *name;
	void (*run)(struct frag_drive *d, const struct frag_workload *w);
	u16 weights[FRAG_ORDERS];
	u8 level;
	u8 level_long;
	u16 one_long_in;
	u16 rounds;
	bool said;
	bool of_served;
};

extern const struct frag_workload frag_workloads[];
extern const unsigned int frag_nr_workloads;

const struct frag_workload *frag_workload(const char *name);

void frag_run(const struct frag_workload *w, const struct frag_arm *arm,
	      const struct frag_memory *m, u64 seed, u32 effort, struct frag_result *r);
u32 frag_share_milli(const struct frag_result *r, enum frag_size size);

#endif /* QUARRY_FRAG_H */
