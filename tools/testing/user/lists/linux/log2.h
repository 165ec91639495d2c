/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_LOG2_H
#define _LISTS_LINUX_LOG2_H

#include_next <linux/log2.h>

/* A constant expression to the compilers that we build with. */
#define const_ilog2(n)	(63 - __builtin_clzll(n))

#endif
