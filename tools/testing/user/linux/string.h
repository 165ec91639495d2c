/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LINUX_STRING_H
#define _LINUX_STRING_H

#include <errno.h>
#include <string.h>

#include <linux/types.h>

static inline ssize_t strscpy(char *to, const char *from, size_t size)
{
	size_t n = strlen(from);

	if (!size)
		return -E2BIG;
	if (n < size) {
		memcpy(to, from, n + 1);
		return n;
	}
	memcpy(to, from, size - 1);
	to[size - 1] = '\0';
	return -E2BIG;
}

#endif
