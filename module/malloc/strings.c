// SPDX-License-Identifier: GPL-2.0
/*
 * Copies and strings, as the kernel's kmemdup() and its relatives.
 *
 * Contexts: as @gfp says; not NMI. Each returns NULL if there is no memory.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "../compat.h"
#include "malloc.h"

/**
 * quarry_memdup() - copy memory
 * @src:	what
 * @len:	bytes
 * @gfp:	as for kmalloc()
 *
 * Return: the copy, to be freed with quarry_free(), or NULL.
 */
void *quarry_memdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = __quarry_malloc(len, gfp);

	/* A copy of nothing is ZERO_SIZE_PTR, which must not be written to. */
	if (p && len)
		memcpy(p, src, len);
	return p;
}
EXPORT_SYMBOL_NS_GPL(quarry_memdup, QUARRY_NS);

/**
 * quarry_strndup() - copy the beginning of a string
 * @s:		the string, or NULL
 * @max:	most characters
 * @gfp:	as for kmalloc()
 *
 * Return: the copy, which ends with a zero byte; NULL, also for NULL.
 */
char *quarry_strndup(const char *s, size_t max, gfp_t gfp)
{
	return s ? quarry_memdup_nul(s, strnlen(s, max), gfp) : NULL;
}
EXPORT_SYMBOL_NS_GPL(quarry_strndup, QUARRY_NS);

/**
 * quarry_memdup_nul() - copy bytes, and end them with a NUL
 * @s:		the bytes, or NULL
 * @len:	how many
 * @gfp:	as for kmalloc()
 *
 * Return: the string; NULL, also for NULL.
 */
char *quarry_memdup_nul(const char *s, size_t len, gfp_t gfp)
{
	char *p = s ? __quarry_malloc(len + 1, gfp) : NULL;

	if (p) {
		memcpy(p, s, len);
		p[len] = '\0';
	}
	return p;
}
EXPORT_SYMBOL_NS_GPL(quarry_memdup_nul, QUARRY_NS);

/**
 * quarry_strdup() - copy a string
 * @s:		the string, or NULL
 * @gfp:	as for kmalloc()
 *
 * Return: the copy; NULL, also for NULL.
 */
char *quarry_strdup(const char *s, gfp_t gfp)
{
	return quarry_strndup(s, INT_MAX, gfp);
}
EXPORT_SYMBOL_NS_GPL(quarry_strdup, QUARRY_NS);

/**
 * quarry_vasprintf() - print to memory
 * @gfp:	as for kmalloc()
 * @fmt:	as for printf
 * @args:	as for vprintf
 *
 * Return: the text, or NULL.
 */
char *quarry_vasprintf(gfp_t gfp, const char *fmt, va_list args)
{
	va_list again;
	char *p;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	p = __quarry_malloc(len + 1, gfp);
	if (p)
		vsnprintf(p, len + 1, fmt, args);
	return p;
}
EXPORT_SYMBOL_NS_GPL(quarry_vasprintf, QUARRY_NS);

/**
 * quarry_asprintf() - print to memory
 * @gfp:	as for kmalloc()
 * @fmt:	as for printf
 *
 * Return: the text, or NULL.
 */
char *quarry_asprintf(gfp_t gfp, const char *fmt, ...)
{
	va_list args;
	char *p;

	va_start(args, fmt);
	p = quarry_vasprintf(gfp, fmt, args);
	va_end(args);
	return p;
}
EXPORT_SYMBOL_NS_GPL(quarry_asprintf, QUARRY_NS);
