/* SPDX-License-Identifier: GPL-2.0 */
/* The policy of placement: where a claim lands. See place.c. */
#ifndef QUARRY_PLACE_H
#define QUARRY_PLACE_H

#include "buddy.h"

/**
 * struct quarry_claim - a claim under way
 * @want:	what is claimed
 * @asked:	orders that were asked for lately, as bits
 * @life:	of areas that are broken for it
 * @lives:	of areas that serve, as bits
 * @apart:	lives are kept apart
 * @begun:	the batch has blocks already: no whole area is broken for the rest of it
 * @zeros:	some frames are zero, it matters which, and it is not in vain to look for them
 */
struct quarry_claim {
	const struct quarry_want *want;
	u16 asked;
	u8 life;
	u8 lives;
	bool apart;
	bool begun;
	bool zeros;
};

/**
 * struct quarry_tally - where blocks lie that come back to a list
 * @mean:	of their places, in 256ths
 * @spread:	mean distance from that, likewise
 */
struct quarry_tally {
	s16 mean;
	s16 spread;
};

void quarry_tally_init(struct quarry_tally *t);
unsigned int quarry_tally_note(struct quarry_tally *t, u8 place);
bool quarry_tally_is_wide(const struct quarry_tally *t);
unsigned int quarry_choose_turn(unsigned int turn, unsigned int nr, unsigned int n);
struct quarry_claim quarry_choice_begin(struct quarry_buddy *b, const struct quarry_want *want);
struct quarry_area *quarry_choose_area(struct quarry_buddy *b, struct quarry_claim *claim);
struct quarry_area *quarry_choose_whole(const struct quarry_buddy *b, unsigned int order,
					struct quarry_claim *claim);
unsigned int quarry_choose_block(const struct quarry_area *area, unsigned int order,
				 const struct quarry_claim *claim);
void quarry_choice_freed(struct quarry_buddy *b, u32 nr, bool whole);
bool quarry_lives_are_apart(struct quarry_buddy *b);
void quarry_buddy_choose_place(struct quarry_buddy *b, struct quarry_arena *a);
u8 quarry_area_place(const struct quarry_arena *a, u32 i);
void quarry_note_place(struct quarry_buddy *b, const struct quarry_arena *a);
void quarry_forget_place(struct quarry_buddy *b, struct quarry_arena *a);
void quarry_forget_home(struct quarry_buddy *b, struct quarry_area *area);
void quarry_place_new(struct quarry_area *area);
void quarry_place_area(struct quarry_buddy *b, struct quarry_area *area);
void quarry_place_group(struct quarry_buddy *b, struct quarry_areagroup *group);

static inline bool quarry_area_is_whole(const struct quarry_area *area)
{
	return area->bits.nfree == QUARRY_AREA_FRAMES;
}

static inline bool quarry_area_is_zero(const struct quarry_area *area)
{
	return quarry_bitfield_are_set(area->zero, 0, QUARRY_AREA_ORDER);
}

#endif /* QUARRY_PLACE_H */
