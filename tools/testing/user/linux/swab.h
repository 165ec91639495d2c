/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LINUX_SWAB_H
#define _LINUX_SWAB_H

#define swab64(x)	__builtin_bswap64(x)

#endif
