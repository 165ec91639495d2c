/* SPDX-License-Identifier: GPL-2.0 */
/* As much of stdio.h as tools/testing/user/ needs, for a kernel. */
#ifndef QUARRY_KUNIT_STDIO_H
#define QUARRY_KUNIT_STDIO_H

#include <linux/printk.h>

#define vprintf(fmt, args)	vprintk(fmt, args)
#define fflush(file)		do { } while (0)

static inline __printf(1, 2) int printf(const char *fmt, ...)
{
	va_list args;
	int nr;

	va_start(args, fmt);
	nr = vprintk(fmt, args);
	va_end(args);
	return nr;
}

#endif
