/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random operations on twins. See steps.c.
 */
#ifndef STEPS_H
#define STEPS_H

#include "dice.h"
#include "twin.h"

/**
 * struct load - what operations to draw
 * @arenas:	arenas at once, at most
 * @large:	one arena above 1 GiB, and orders up to 18
 * @tiny:	arenas of no more than 64 frames
 * @churn:	whether arenas come and go
 * @filling:	claims are more likely than frees at present
 */
struct load {
	unsigned int arenas;
	bool large;
	bool tiny;
	bool churn;
	bool filling;
};

void steps_add_arena(struct twin *t, struct dice *d, const struct load *l);
void steps_one(struct twin *t, struct dice *d, struct load *l);

#endif
