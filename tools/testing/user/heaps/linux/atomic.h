/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: as strong as the kernel's, and no stronger. */
#ifndef _HEAPS_LINUX_ATOMIC_H
#define _HEAPS_LINUX_ATOMIC_H

#include <linux/types.h>

typedef struct { s64 counter; } atomic64_t;

#define atomic64_read(v)	READ_ONCE((v)->counter)
#define atomic64_set(v, n)	WRITE_ONCE((v)->counter, (n))
#define atomic64_add(n, v)	((void)__atomic_fetch_add(&(v)->counter, (n), __ATOMIC_RELAXED))
#define atomic64_sub(n, v)	atomic64_add(-(s64)(n), v)
#define atomic64_inc(v)		atomic64_add(1, v)
#define atomic64_dec(v)		atomic64_sub(1, v)

/* What they pair with is said where they are used. */
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
/* As above. */
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)

#define cmpxchg(p, old, new) __extension__ ({				\
	__typeof__(*(p)) _was = (old);					\
	__atomic_compare_exchange_n((p), &_was, (new), false,		\
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);	\
	_was; })

#endif
