/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: nobody asks for a stack. */
#ifndef _LISTS_LINUX_STACKDEPOT_H
#define _LISTS_LINUX_STACKDEPOT_H

#include <linux/types.h>

typedef u32 depot_stack_handle_t;

#endif
