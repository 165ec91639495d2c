/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _HEAPS_LINUX_BITOPS_H
#define _HEAPS_LINUX_BITOPS_H

#include_next <linux/bitops.h>

#define hweight_long(w)	hweight64(w)

static inline bool test_bit(unsigned long nr, const unsigned long *words)
{
	return READ_ONCE(words[nr / BITS_PER_LONG]) >> nr % BITS_PER_LONG & 1;
}

static inline void set_bit(unsigned long nr, unsigned long *words)
{
	__atomic_fetch_or(&words[nr / BITS_PER_LONG], BIT(nr % BITS_PER_LONG), __ATOMIC_RELAXED);
}

#endif
