/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: as strong as the kernel's where it costs an instruction, and no stronger. */
#ifndef _LISTS_LINUX_ATOMIC_H
#define _LISTS_LINUX_ATOMIC_H

#include <linux/compiler.h>
#include <linux/types.h>

#define atomic_read(v)		__atomic_load_n(&(v)->counter, __ATOMIC_RELAXED)
#define atomic_inc(v)		((void)__atomic_fetch_add(&(v)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic_dec(v)		((void)__atomic_fetch_sub(&(v)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic64_read(v)	atomic_read(v)
#define atomic64_set(v, n)	__atomic_store_n(&(v)->counter, (n), __ATOMIC_RELAXED)
#define atomic64_add(n, v)	((void)__atomic_fetch_add(&(v)->counter, (n), __ATOMIC_SEQ_CST))
#define atomic_long_read(v)	atomic_read(v)
#define atomic_long_add(n, v)	atomic64_add(n, v)
#define atomic_long_sub(n, v)	atomic64_add(-(s64)(n), v)

/* What they pair with is said where they are used. */
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
/* As the kernel's. */
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
/* As above. */
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)

#define xchg(p, v)		__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define try_cmpxchg(p, old, new)					\
	__atomic_compare_exchange_n((p), (old), (new), false,		\
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
#define cmpxchg(p, old, new) __extension__ ({				\
	__typeof__(*(p)) _was = (old);					\
	try_cmpxchg((p), &_was, (new));					\
	_was; })

#endif
