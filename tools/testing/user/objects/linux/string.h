/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: that of the page layer, and see kernel.h. */
#ifndef _OBJECTS_LINUX_STRING_H
#define _OBJECTS_LINUX_STRING_H

#include_next <linux/string.h>

#endif
