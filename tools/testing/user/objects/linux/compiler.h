/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: options may be undefined here, as in the kernel. */
#ifndef _OBJECTS_LINUX_COMPILER_H
#define _OBJECTS_LINUX_COMPILER_H

#include_next <linux/compiler.h>

#define __objects_arg_1			0,
#define __objects_second(ignored, value, ...)	value
#define __objects_defined3(arg1)	__objects_second(arg1 1, 0)
#define __objects_defined2(value)	__objects_defined3(__objects_arg_##value)
#define __objects_defined(x)		__objects_defined2(x)
#undef IS_ENABLED
#define IS_ENABLED(CONFIG_option)	__objects_defined(CONFIG_option)

#endif
