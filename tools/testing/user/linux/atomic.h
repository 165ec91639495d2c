/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: what is ordered in the kernel is sequentially consistent here, and no more is. */
#ifndef _LINUX_ATOMIC_H
#define _LINUX_ATOMIC_H

#include <linux/types.h>

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;

#define atomic_read(v)		READ_ONCE((v)->counter)
#define atomic_read_acquire(v)	__atomic_load_n(&(v)->counter, __ATOMIC_ACQUIRE)
#define atomic_set(v, i)	WRITE_ONCE((v)->counter, (i))
#define atomic_xchg(v, i)	__atomic_exchange_n(&(v)->counter, (i), __ATOMIC_SEQ_CST)
#define atomic64_read(v)	READ_ONCE((v)->counter)
#define atomic64_inc(v)		((void)__atomic_fetch_add(&(v)->counter, 1, __ATOMIC_RELAXED))

#define xchg(ptr, v)		__atomic_exchange_n((ptr), (v), __ATOMIC_SEQ_CST)
#define cmpxchg(ptr, old, new)	__extension__ ({			\
	__typeof__(*(ptr)) _old = (old);				\
	__atomic_compare_exchange_n((ptr), &_old, (new), 0, __ATOMIC_SEQ_CST,	\
				    __ATOMIC_SEQ_CST);			\
	_old; })

/* As strong as in the kernel, no more. */
#define smp_store_release(ptr, v)	__atomic_store_n((ptr), (v), __ATOMIC_RELEASE)
/* The same. */
#define smp_load_acquire(ptr)		__atomic_load_n((ptr), __ATOMIC_ACQUIRE)

#endif
