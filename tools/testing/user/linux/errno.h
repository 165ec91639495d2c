/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: the C library reaches its error numbers through this very name. */
#ifndef _USER_ERRNO_H
#define _USER_ERRNO_H

#include_next <linux/errno.h>

#endif
