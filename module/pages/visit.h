/* SPDX-License-Identifier: GPL-2.0 */
/* Do something on every CPU. See visit.c. */
#ifndef QUARRY_VISIT_H
#define QUARRY_VISIT_H

#include <linux/types.h>

u64 quarry_visit_cpus(u64 (*fn)(void *data), void *data);

#endif /* QUARRY_VISIT_H */
