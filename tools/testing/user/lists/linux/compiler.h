/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: annotations that only sparse reads, and hints. */
#ifndef _LISTS_LINUX_COMPILER_H
#define _LISTS_LINUX_COMPILER_H

#include_next <linux/compiler.h>

#define __percpu
#define __init
#define __release(x)
#define __acquire(x)
#define ____cacheline_aligned_in_smp	__attribute__((__aligned__(64)))
/* They are 0 or 1 here. */
#define IS_ENABLED(CONFIG_option)	(CONFIG_option)
#define OPTIMIZER_HIDE_VAR(var)	__asm__("" : "=r" (var) : "0" (var))

/*
 * A look from outside that is meant to be a moment old: READ_ONCE() beside a plain write under
 * a lock or on another CPU. As KCSAN does by default, an aligned plain write is taken as
 * atomic, so such a look races with nobody. Where both sides are plain it is a race.
 */
#ifdef __SANITIZE_THREAD__
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);

#undef READ_ONCE
#define READ_ONCE(x) __extension__ ({						\
	AnnotateIgnoreReadsBegin(__FILE__, __LINE__);				\
	__typeof__(x) _seen = __atomic_load_n(&(x), __ATOMIC_RELAXED);		\
	AnnotateIgnoreReadsEnd(__FILE__, __LINE__);				\
	_seen; })
#endif

#endif
