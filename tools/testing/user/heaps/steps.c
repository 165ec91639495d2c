// SPDX-License-Identifier: GPL-2.0
/*
 * Steps on windows that are far apart, with ranges from one page to all that there may be; the
 * random walk and the fuzzer take them.
 */
#include <linux/bitops.h>

#include "steps.h"

#define WINDOW	64
/* More pages than lie between a leaf that windows touch and the next one that none does. */
#define FAR	BIT(20)

/* A range that begins in a window, or anywhere. */
static void some_range(struct twin *t, struct dice *d, struct twin_op *op)
{
	u64 at = t->at[dice(d, t->windows)] + dice(d, t->window);

	op->first = at;
	switch (dice(d, 8)) {
	case 0:
		op->first = 0;
		op->nr = t->size;
		break;
	case 1:
		op->nr = dice(d, QUARRY_HEAP_MAX_PAGES);
		break;
	default:
		op->nr = 1 + dice(d, t->window - at % t->window);
	}
}

static void some_op(struct twin *t, struct dice *d)
{
	struct twin_op op = { .does = dice(d, NR_DOES) };

	some_range(t, d, &op);
	switch (op.does) {
	case PREPARE:
	case PREPARE_FRAMES:
		/* Leaves where no window is are not the twin's business. */
		op.first = t->at[dice(d, t->windows)] + dice(d, t->window);
		op.nr = 1 + dice(d, t->window - op.first % t->window);
		op.most = dice(d, 8);
		break;
	case CLAIM:
	case FILL:
	case UNCLAIM:
		op.first = t->at[dice(d, t->windows)] + dice(d, t->window);
		op.nr = 1;
		break;
	case UNRESERVE:
	case TAKE:
		if (op.first > t->size)
			op.first = t->size;
		if (op.nr > t->size - op.first)
			op.nr = t->size - op.first;
		op.most = dice(d, 17);
		break;
	case RESIZE:
		op.nr = dice(d, 4) ? QUARRY_HEAP_MAX_PAGES - dice(d, 3) + 1 :
			t->at[dice(d, t->windows)] + dice(d, t->window);
		break;
	default:
		break;
	}
	/*
	 * What is noted of pages is of a window's, for the twin has no others: a range behind a
	 * window goes so far that leaves are missing.
	 */
	if ((op.does == RESERVE || op.does == GUARD) &&
	    (op.nr < FAR || t->size < QUARRY_HEAP_MAX_PAGES / 2))
		op.nr = 1 + dice(d, t->window - op.first % t->window);
	if (twin_allows(t, &op))
		twin_do(t, &op);
}

/* Whoever waits for the lock alone gets it once claims have ended. */
static void end_claims(struct twin *t, struct dice *d)
{
	u32 i;

	for (i = 0; i < t->windows * t->window; i++)
		if (t->page[i].claimed)
			twin_do(t, &(struct twin_op){ dice(d, 4) ? FILL : UNCLAIM,
				t->at[i / t->window] + i % t->window, 1, 0 });
}

/* A heap as large as there may be. */
void steps_init(struct twin *t)
{
	/* Borders of words, leaves and nodes of an xarray, and the very end. */
	static const u64 at[] = {
		0, 448, 960, 512 * 63 + 448, 512 * 64, 1ULL << 30, (1ULL << 40) - WINDOW,
		QUARRY_HEAP_MAX_PAGES - WINDOW,
	};

	twin_init(t, QUARRY_HEAP_MAX_PAGES, at, sizeof(at) / sizeof(*at), WINDOW);
}

void steps_one(struct twin *t, struct dice *d)
{
	some_op(t, d);
	if (!dice(d, 8))
		end_claims(t, d);
	if (!dice(d, 64))
		twin_compare(t);
}

void steps_fini(struct twin *t, struct dice *d)
{
	end_claims(t, d);
	twin_compare(t);
	twin_fini(t);
}
