/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: see shrinker.h. */
#ifndef _LISTS_LINUX_SWAP_H
#define _LISTS_LINUX_SWAP_H

#endif
