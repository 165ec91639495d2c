/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core and the model, side by side. See twin.c.
 */
#ifndef TWIN_H
#define TWIN_H

#include "../../../module/buddy/buddy.h"
#include "model.h"

/**
 * struct twin - one allocator twice
 * @b:		the core
 * @m:		the model
 * @arena:	the core's arenas, by the model's slots
 * @metadata:	their metadata
 * @policy:	compare where claims land every so many claims; 0 is never
 * @full:	compare everything every so many steps; 0 is never
 * @steps:	operations so far
 * @claims:	claims so far
 * @asks:	calls of claims so far
 * @asked:	orders that these were for, as bits: in this period, and the one before
 * @lives:	not 0 if ever another life than the first was named
 * @life:	by arena and area, who broke it
 * @vain:	frames that came back to areas of short lives in vain
 * @apart:	lives were apart at the last claim
 * @seed:	for the report of a failure
 * @searching:	a search is under way
 * @search_slot: in this arena
 * @search:	how far it has come
 * @search_lo:	its window at the beginning
 * @search_hi:	and the end of that
 */
struct twin {
	struct quarry_buddy b;
	struct model m;
	struct quarry_arena arena[MODEL_ARENAS];
	void *metadata[MODEL_ARENAS];
	unsigned int policy;
	unsigned int full;
	u64 steps;
	u64 claims;
	u64 asks;
	u32 asked[2];
	u8 lives;
	u8 *life[MODEL_ARENAS];
	u64 vain;
	bool apart;
	u64 seed;
	bool searching;
	unsigned int search_slot;
	struct quarry_search search;
	u32 search_lo;
	u32 search_hi;
};

void twin_init(struct twin *t);
void twin_fini(struct twin *t);
void twin_full(struct twin *t);
__noreturn __printf(2, 3) void twin_fail(struct twin *t, const char *what, ...);

void twin_add(struct twin *t, unsigned int slot, u64 first, u32 nr, bool zero);
bool twin_remove(struct twin *t, unsigned int slot);
bool twin_claim(struct twin *t, const struct quarry_want *want);
unsigned int twin_claim_many(struct twin *t, const struct quarry_want *want,
			     unsigned int nr);
int twin_claim_at(struct twin *t, unsigned int slot, s64 at, unsigned int order,
		  u8 kind);
int twin_claim_run(struct twin *t, unsigned int slot, u64 lo, u64 hi, u32 nr,
		   u32 align, bool top_down);
int twin_claim_lowest(struct twin *t, u32 nr, u32 align, u8 life, bool alike, u32 steps);
void twin_search_begin(struct twin *t, unsigned int slot,
		       const struct quarry_search *search);
void twin_search_go(struct twin *t, u32 steps);
void twin_free(struct twin *t, size_t i, bool zero);
void twin_trim(struct twin *t, size_t i, u32 keep);
void twin_check_run(struct twin *t, unsigned int slot, u64 at, u32 nr);
void twin_drain(struct twin *t);

#endif
