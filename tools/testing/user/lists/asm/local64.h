/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: a counter of this CPU; others may look. */
#ifndef _LISTS_ASM_LOCAL64_H
#define _LISTS_ASM_LOCAL64_H

#include <linux/atomic.h>

typedef atomic64_t local64_t;

#define local64_read(v)		atomic64_read(v)

/* One instruction, so that an interrupt finds it done or not. */
static inline void local64_add(s64 n, local64_t *v)
{
	__asm__("addq %1, %0" : "+m" (v->counter) : "er" (n));
}

#endif
