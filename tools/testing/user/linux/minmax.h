/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. As in the kernel, min() and max() of two types do not compile. */
#ifndef _LINUX_MINMAX_H
#define _LINUX_MINMAX_H

#define __minmax(a, b, op) __extension__ ({				\
	__typeof__(a) _a = (a);						\
	__typeof__(b) _b = (b);						\
	(void)(&_a == &_b);						\
	_a op _b ? _a : _b; })

#define min(a, b)	__minmax(a, b, <)
#define max(a, b)	__minmax(a, b, >)

#define __minmax_t(type, a, b, op) __extension__ ({			\
	type _a = (a);							\
	type _b = (b);							\
	_a op _b ? _a : _b; })

#define min_t(type, a, b)	__minmax_t(type, a, b, <)
#define max_t(type, a, b)	__minmax_t(type, a, b, >)
#define clamp_t(type, v, lo, hi)	min_t(type, max_t(type, v, lo), hi)

#endif
