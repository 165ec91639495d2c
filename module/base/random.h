/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers. See random.c. */
#ifndef QUARRY_RANDOM_H
#define QUARRY_RANDOM_H

#include <linux/types.h>

void quarry_random_init(void);
u32 quarry_random_below(u32 limit);

#endif /* QUARRY_RANDOM_H */
