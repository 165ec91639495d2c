/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: what the API needs beyond the core. */
#ifndef _LISTS_LINUX_TYPES_H
#define _LISTS_LINUX_TYPES_H

#include <asm/types.h>
#include_next <linux/types.h>

#include <limits.h>

#include <linux/build_bug.h>

typedef unsigned int gfp_t;
typedef u64 phys_addr_t;

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

typedef atomic64_t atomic_long_t;

#define S16_MAX		INT16_MAX
#define U32_MAX		UINT32_MAX

#endif
