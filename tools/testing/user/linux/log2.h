/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LINUX_LOG2_H
#define _LINUX_LOG2_H

#include <linux/bitops.h>

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline int ilog2(u64 n)
{
	return fls64(n) - 1;
}

static inline int order_base_2(u64 n)
{
	return n > 1 ? fls64(n - 1) : 0;
}

#endif
