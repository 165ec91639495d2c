/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: that of the page layer, and see kernel.h. */
#ifndef _OBJECTS_LINUX_MM_H
#define _OBJECTS_LINUX_MM_H

#include_next <linux/mm.h>

#endif
