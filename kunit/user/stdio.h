/* SPDX-License-Identifier: GPL-2.0 */
/* As much of stdio.h as tools/testing/user/ needs, for a kernel. */
#ifndef QUARRY_KUNIT_STDIO_H
#define QUARRY_KUNIT_STDIO_H

#include <linux/printk.h>

#define printf(...)		printk(KERN_CONT __VA_ARGS__)
#define vprintf(fmt, args)	vprintk(fmt, args)
#define fflush(file)		do { } while (0)

#endif
