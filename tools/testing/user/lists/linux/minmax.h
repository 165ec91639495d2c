/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_MINMAX_H
#define _LISTS_LINUX_MINMAX_H

#include_next <linux/minmax.h>

#define min3(a, b, c)		min(min(a, b), c)
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define round_down(n, to)	((n) & ~((__typeof__(n))(to) - 1))

#endif
