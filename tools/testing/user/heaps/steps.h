/* SPDX-License-Identifier: GPL-2.0 */
/* Steps of a walk over a map of a heap and its twin, decided by dice: see steps.c. */
#ifndef HEAPS_STEPS_H
#define HEAPS_STEPS_H

#include "../dice.h"
#include "twin.h"

void steps_init(struct twin *t);
void steps_one(struct twin *t, struct dice *d);
void steps_fini(struct twin *t, struct dice *d);

#endif
