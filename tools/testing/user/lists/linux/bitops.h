/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_BITOPS_H
#define _LISTS_LINUX_BITOPS_H

#include_next <linux/bitops.h>

static inline u64 ror64(u64 word, unsigned int shift)
{
	return word >> (shift & 63) | word << (-shift & 63);
}

#endif
