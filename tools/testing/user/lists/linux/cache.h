/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_CACHE_H
#define _LISTS_LINUX_CACHE_H

#include <linux/compiler.h>

#endif
