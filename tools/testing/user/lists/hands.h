/* SPDX-License-Identifier: GPL-2.0 */
/* Who has which blocks of a pool, and what must hold of both at rest. See hands.c. */
#ifndef LISTS_HANDS_H
#define LISTS_HANDS_H

#include "machine.h"
#include "../dice.h"

#define HELD		256u

/**
 * struct held - a block that is out
 * @page:	its first page
 * @order:	its order
 */
struct held {
	struct page *page;
	unsigned int order;
};

/**
 * struct hand - who has blocks: a thread, or its interrupts
 * @held:	the blocks
 * @nr:		how many
 * @dice:	where its decisions come from
 * @allocs:	blocks that it got, by order
 * @frees:	blocks that it gave back
 */
struct hand {
	struct held held[HELD];
	unsigned int nr;
	struct dice dice;
	u64 allocs[QUARRY_PCP_ORDERS];
	u64 frees[QUARRY_PCP_ORDERS];
};

/**
 * struct tally - what all have together
 * @frames:	that are out
 * @out:	blocks that are, by order
 * @allocs:	blocks that somebody got, ever
 * @frees:	blocks that somebody gave back
 * @misuses:	wrong frees
 */
struct tally {
	u64 frames;
	u64 out[QUARRY_PCP_ORDERS];
	u64 allocs[QUARRY_PCP_ORDERS];
	u64 frees[QUARRY_PCP_ORDERS];
	u64 misuses;
};

void hands_begin(struct quarry_pool *pool);
void hands_end(void);
void own(struct hand *hand, const struct held *h);
void disown(struct hand *hand, const struct held *h);
void drop(struct hand *hand, unsigned int i);
void tally_blocks(struct tally *t, const struct held *h, unsigned int nr);
void tally_hand(struct tally *t, const struct hand *hand);
void check_sound(void);
void check_figures(const struct tally *t);
void check_whole(void);

#endif
