/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _HEAPS_LINUX_GFP_H
#define _HEAPS_LINUX_GFP_H

#define GFP_KERNEL	0u

typedef unsigned int gfp_t;

#endif
