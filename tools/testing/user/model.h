/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A naive reference allocator, see model.c.
 */
#ifndef MODEL_H
#define MODEL_H

#include <linux/types.h>

#define MODEL_ORDERS	19	/* 0 to 18: one frame to 1 GiB */
#define MODEL_ARENAS	16

/**
 * struct model_arena - contiguous frames
 * @present:	the slot is in use
 * @first:	absolute number of the first frame
 * @nr:		frames
 * @nfree:	of them, free
 * @out:	a byte a frame: 1 when it is out
 * @zero:	a byte a frame: 1 when it is free and known to be zero
 */
struct model_arena {
	bool present;
	u64 first;
	u64 nr;
	u64 nfree;
	u8 *out;
	u8 *zero;
};

/**
 * struct model_block - frames that are out
 * @arena:	slot of the arena
 * @at:		first frame, counted from the arena's first
 * @nr:		frames
 * @run:	a run, made of pieces; else one block
 * @kind:	what its owner calls it
 */
struct model_block {
	unsigned int arena;
	u64 at;
	u64 nr;
	bool run;
	unsigned int kind;
};

/**
 * struct model - the reference
 * @arena:	slots
 * @live:	blocks that are out, in no order
 * @nr_live:	length of @live
 * @room:	length of the memory behind @live
 * @nfree:	free frames
 * @nr_zero:	free frames known to be zero
 * @blocks:	free blocks by order, as a buddy allocator with lists holds them
 * @splits:	blocks halved, ever
 * @merges:	blocks joined, ever
 */
struct model {
	struct model_arena arena[MODEL_ARENAS];
	struct model_block *live;
	size_t nr_live;
	size_t room;
	u64 nfree;
	u64 nr_zero;
	u64 blocks[MODEL_ORDERS];
	u64 splits;
	u64 merges;
};

void model_add(struct model *m, unsigned int slot, u64 first, u64 nr,
	       bool zero);
void model_remove(struct model *m, unsigned int slot);
void model_fini(struct model *m);

bool model_is_free(const struct model_arena *a, u64 at, u64 nr);
bool model_fits(const struct model_arena *a, u64 at, unsigned int order);
bool model_has(const struct model *m, unsigned int order);
unsigned int model_around(const struct model_arena *a, u64 at,
			  unsigned int order);
unsigned int model_part(const struct model_arena *a, u64 at, u64 end);
void model_count(const struct model_arena *a, u64 *blocks);

bool model_take(struct model *m, unsigned int slot, u64 at, unsigned int order);
void model_put(struct model *m, unsigned int slot, u64 at, unsigned int order,
	       bool zero);
struct model_block *model_out(struct model *m, unsigned int slot, u64 at,
			      u64 nr, bool run, unsigned int kind);
void model_in(struct model *m, size_t i);

#endif
