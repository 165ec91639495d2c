/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_BITS_H
#define _LISTS_LINUX_BITS_H

#include <linux/bitops.h>

#endif
