/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: test and set. Who waits for long lets others run: the holder may be among them. */
#ifndef _LISTS_LINUX_SPINLOCK_H
#define _LISTS_LINUX_SPINLOCK_H

#include <sched.h>

#include <linux/compiler.h>
#include <linux/types.h>

typedef struct {
	u8 locked;
} raw_spinlock_t;

static inline bool raw_spin_trylock(raw_spinlock_t *lock)
{
	return !__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE);
}

static inline void raw_spin_lock(raw_spinlock_t *lock)
{
	unsigned int spins = 0;

	while (unlikely(!raw_spin_trylock(lock))) {
		while (__atomic_load_n(&lock->locked, __ATOMIC_RELAXED)) {
			if (++spins % 1024)
				__builtin_ia32_pause();
			else
				sched_yield();
		}
	}
}

static inline void raw_spin_unlock(raw_spinlock_t *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

/* No interrupt comes to this thread: a signal handler looks and does nothing. */
extern __thread bool lists_irqs_off;

#define raw_spin_lock_irqsave(lock, flags)				\
	do {								\
		(flags) = lists_irqs_off;				\
		lists_irqs_off = true;					\
		barrier();						\
		raw_spin_lock(lock);					\
	} while (0)

#define raw_spin_unlock_irqrestore(lock, flags)				\
	do {								\
		raw_spin_unlock(lock);					\
		barrier();						\
		lists_irqs_off = (flags);				\
	} while (0)

#define raw_spin_trylock_irqsave(lock, flags) __extension__ ({		\
	bool _locked;							\
									\
	(flags) = lists_irqs_off;					\
	lists_irqs_off = true;						\
	barrier();							\
	_locked = raw_spin_trylock(lock);				\
	if (!_locked)							\
		lists_irqs_off = (flags);				\
	_locked; })

#endif
