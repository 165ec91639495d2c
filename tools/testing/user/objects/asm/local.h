/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: as local64_t, for longs. */
#ifndef _OBJECTS_ASM_LOCAL_H
#define _OBJECTS_ASM_LOCAL_H

#include <asm/local64.h>

typedef local64_t local_t;

#define local_read(v)	local64_read(v)
#define local_add(n, v)	local64_add(n, v)

#endif
