/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the object layer wants of the kernel beyond the page layer: stand-ins, included by each
 * of the headers in linux/ that have none of their own. Who sleeps lets time go on, and a grace
 * period end: one thread at a time does such things (machine.h).
 */
#ifndef OBJECTS_KERNEL_H
#define OBJECTS_KERNEL_H

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/nodemask.h>
#include <linux/numa.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stackdepot.h>
#include <linux/llist.h>
#include <linux/string.h>
#include <linux/types.h>

#define U16_MAX			UINT16_MAX
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define __alloc_size(...)
#define __realloc_size(...)
#define ARCH_KMALLOC_MINALIGN	8
#define __malloc
#define __user
#define noinline		__attribute__((__noinline__))
#define swap(a, b)							\
	do {								\
		__typeof__(a) _tmp = (a);				\
									\
		(a) = (b);						\
		(b) = _tmp;						\
	} while (0)
#define IS_ALIGNED(x, a)	(!((x) & ((a) - 1)))
#ifndef max_t
#define max_t(type, a, b)	max((type)(a), (type)(b))
#endif
#ifndef min_t
#define min_t(type, a, b)	min((type)(a), (type)(b))
#endif
#define div_u64(n, d)		((n) / (d))
#define SZ_64K			0x10000
#define SZ_128K			0x20000
#define struct_size(p, slots, n)	(sizeof(*(p)) + (n) * sizeof(*(p)->slots))

/* err.h */
#define MAX_ERRNO		4095
#define ERR_PTR(error)		((void *)(long)(error))
#define PTR_ERR(p)		((long)(p))
#define IS_ERR(p)		((unsigned long)(p) >= (unsigned long)-MAX_ERRNO)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))

/* Nobody is told of memory that is in use, or not. */
#define kmemleak_ignore(p)		((void)(p))
#define kmemleak_alloc(p, size, n, gfp)	((void)(p))
#define kmemleak_free(p)		((void)(p))
#define kmemleak_not_leak(p)		((void)(p))
#define kasan_disable_current()		((void)0)
#define kasan_enable_current()		((void)0)
#define might_sleep()			((void)0)

/* jiffies.h; time goes on when the machine is told so. */
#define HZ			250
extern unsigned long objects_jiffies;
#define jiffies			READ_ONCE(objects_jiffies)
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)
#define jiffies_to_msecs(j)	((unsigned int)((j) * (1000 / HZ)))
#define ktime_get_mono_fast_ns()	((u64)jiffies * (1000000000ULL / HZ))
void objects_sleep(unsigned long jiffies_);
#define usleep_range(least, most)	((void)(least), (void)(most), objects_sleep(1))

#define panic(...)		(fprintf(stderr, __VA_ARGS__), abort())
#define pr_err(...)		((void)0)
#define WARN_ON_ONCE(condition)	unlikely(condition)

/* poison.h */
#define POISON_FREE		0x6b
#define POISON_END		0xa5
#define SLUB_RED_ACTIVE		0xcc

/* mutex.h, rwsem.h */
struct mutex {
	raw_spinlock_t lock;
};

#define DEFINE_MUTEX(name)	struct mutex name
#define mutex_lock(m)		raw_spin_lock(&(m)->lock)
#define mutex_trylock(m)	raw_spin_trylock(&(m)->lock)
#define mutex_unlock(m)		raw_spin_unlock(&(m)->lock)
#define init_rwsem(sem)		((void)(sem))
#define down_read(sem)		((void)(sem))
#define up_read(sem)		((void)(sem))
#define down_write(sem)		((void)(sem))
#define up_write(sem)		((void)(sem))

/* spinlock.h */
#define DEFINE_RAW_SPINLOCK(name)	raw_spinlock_t name
#define raw_spin_lock_init(lock)	((void)((lock)->locked = 0))
#define spinlock_t			raw_spinlock_t
#define DEFINE_SPINLOCK(name)		raw_spinlock_t name
#define spin_lock_irqsave(lock, flags)	raw_spin_lock_irqsave(lock, flags)
#define spin_unlock_irqrestore(lock, flags)	raw_spin_unlock_irqrestore(lock, flags)
#define irqs_disabled()			lists_irqs_off

#define __RAW_SPIN_LOCK_UNLOCKED(name)	{ 0 }
#define raw_spin_is_locked(lock)	READ_ONCE((lock)->locked)

/* llist.h */
#define LLIST_HEAD(name)		struct llist_head name
#define init_llist_head(list)		((list)->first = NULL)
#define llist_entry(node, type, member)	container_of(node, type, member)
#define llist_for_each_entry_safe(pos, n, node, member)			\
	for ((pos) = llist_entry(node, __typeof__(*(pos)), member);	\
	     (uintptr_t)(pos) + offsetof(__typeof__(*(pos)), member) &&	\
	     ((n) = llist_entry((pos)->member.next, __typeof__(*(n)), member), true);	\
	     (pos) = (n))

/* sched.h, stackdepot.h: nobody is told of, and nothing traced */
#define task_pid_nr(task)		((void)(task), 1)
#define stack_depot_init()		0

/* shrinker.h */
struct shrink_control {
	int nid;
	unsigned long nr_to_scan;
	unsigned long nr_scanned;
};

#define SHRINK_STOP			(~0UL)
#define SHRINK_EMPTY			(~0UL - 1)

/* wait.h: who waits has it, or will never have it */
#define DECLARE_WAIT_QUEUE_HEAD(name)	wait_queue_head_t name
#define wq_has_sleeper(q)		((void)(q), false)
#define wake_up(q)			((void)(q))
#define wait_event_timeout(q, condition, timeout) ((void)(q), (condition))
#define wait_event(q, condition)	((void)(q), (void)(condition))

/* atomic.h */
#define atomic_set(v, n)	__atomic_store_n(&(v)->counter, (n), __ATOMIC_RELAXED)
#define atomic_add(n, v)	((void)__atomic_fetch_add(&(v)->counter, (n), __ATOMIC_SEQ_CST))
#define atomic_sub(n, v)	((void)__atomic_fetch_sub(&(v)->counter, (n), __ATOMIC_SEQ_CST))
#define atomic_inc_return(v)	__atomic_add_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST)
#define atomic_dec_return(v)	__atomic_sub_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST)
#define atomic_dec_and_test(v)	(!atomic_dec_return(v))
#define atomic64_inc(v)		atomic_inc(v)
#define atomic64_dec(v)		atomic_dec(v)
#define atomic64_sub(n, v)	atomic_sub(n, v)
#define atomic64_add_return(n, v)	__atomic_add_fetch(&(v)->counter, (n), __ATOMIC_SEQ_CST)
#define atomic64_fetch_add(n, v)	__atomic_fetch_add(&(v)->counter, (n), __ATOMIC_SEQ_CST)
#define atomic64_try_cmpxchg(v, old, new)	try_cmpxchg(&(v)->counter, old, new)
#ifdef __SANITIZE_THREAD__
/* ThreadSanitizer knows of no fences: a word that everybody writes orders as much, and more. */
extern int objects_fence;
#undef smp_mb
#define objects_mb()		((void)__atomic_fetch_add(&objects_fence, 0, __ATOMIC_SEQ_CST))
#define smp_mb()		objects_mb() /* as the kernel's */
#define smp_rmb()		objects_mb() /* as the kernel's */
#define smp_wmb()		objects_mb() /* as the kernel's */
#else
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE) /* as the kernel's */
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE) /* as the kernel's */
#endif
#define smp_mb__after_atomic()	smp_mb() /* as the kernel's */
#define smp_mb__before_atomic()	smp_mb() /* as the kernel's */
#define smp_store_mb(v, n)	__atomic_store_n(&(v), (n), __ATOMIC_SEQ_CST) /* the same */

/* refcount.h */
#define refcount_set(r, n)	atomic_set(r, n)
#define refcount_read(r)	atomic_read(r)
#define refcount_inc(r)		atomic_inc(r)
#define refcount_dec_and_test(r)	atomic_dec_and_test(r)

/* bitops.h */
static inline unsigned long *objects_word(unsigned long nr, const unsigned long *addr)
{
	return (unsigned long *)addr + nr / 64;
}

#define objects_bit(nr)		(1UL << ((nr) % 64))
#define BITS_TO_LONGS(nr)	(((nr) + 63) / 64)
#define test_bit(nr, addr)	(!!(READ_ONCE(*objects_word(nr, addr)) & objects_bit(nr)))
#define set_bit(nr, addr)						\
	((void)__atomic_fetch_or(objects_word(nr, addr), objects_bit(nr), __ATOMIC_SEQ_CST))
#define clear_bit(nr, addr)						\
	((void)__atomic_fetch_and(objects_word(nr, addr), ~objects_bit(nr), __ATOMIC_SEQ_CST))
#define objects_unused(value) __extension__ ({ __typeof__(value) _v = (value); _v; })
#define objects_fetch(op, nr, addr, bits)				\
	objects_unused(!!(__atomic_fetch_##op(objects_word(nr, addr), bits,	\
					      __ATOMIC_SEQ_CST) & objects_bit(nr)))
#define test_and_set_bit(nr, addr)	objects_fetch(or, nr, addr, objects_bit(nr))
#define test_and_clear_bit(nr, addr)	objects_fetch(and, nr, addr, ~objects_bit(nr))
#define assign_bit(nr, addr, value)					\
	do {								\
		if (value)						\
			set_bit(nr, addr);				\
		else							\
			clear_bit(nr, addr);				\
	} while (0)
#define for_each_set_bit(bit, addr, size)				\
	for ((bit) = 0; (bit) < (size); (bit)++)			\
		if (test_bit(bit, addr))

/* string.h */
static inline void *memchr_inv(const void *start, int c, size_t bytes)
{
	const u8 *p = start;
	size_t i;

	for (i = 0; i < bytes; i++)
		if (p[i] != (u8)c)
			return (void *)(p + i);
	return NULL;
}

/* slab.h */
typedef unsigned int slab_flags_t;
#define SLAB_CONSISTENCY_CHECKS	0x100u
#define SLAB_RED_ZONE		0x400u
#define SLAB_POISON		0x800u
#define SLAB_HWCACHE_ALIGN	0x2000u
#define SLAB_STORE_USER		0x10000u
#define SLAB_RECLAIM_ACCOUNT	0x20000u
#define SLAB_PANIC		0x40000u
#define SLAB_TYPESAFE_BY_RCU	0x80000u
#define SLAB_MEM_SPREAD		0x100000u
#define SLAB_TRACE		0x200000u
#define SLAB_NOLEAKTRACE	0x800000u
#define SLAB_ACCOUNT		0x4000000u
#define SLAB_NO_MERGE		0x1000000u
#define kcalloc(n, size, gfp)			kzalloc((n) * (size), gfp)
#define kcalloc_node(n, size, gfp, node)	kzalloc_node((n) * (size), gfp, node)
#define kmalloc(size, gfp)			kzalloc(size, gfp)
#define kmalloc_node(size, gfp, node)		kzalloc_node(size, gfp, node)
#define kvcalloc(n, size, gfp)			kcalloc(n, size, gfp)
#define kvmalloc(size, gfp)			kzalloc(size, gfp)
#define kvfree(p)				kfree(p)
#define __GFP_RETRY_MAYFAIL			0x4000u

/* rcupdate.h: what is due after a grace period waits for objects_grace_period(). */
void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head));
void objects_free_rcu(struct rcu_head *head, size_t offset);
void rcu_barrier(void);
#define kfree_rcu(p, field)							\
	objects_free_rcu(&(p)->field, offsetof(__typeof__(*(p)), field))
#define rcu_read_lock()		preempt_disable()
#define rcu_read_unlock()	preempt_enable()
#define synchronize_rcu()	rcu_barrier()
#define list_add_tail_rcu(entry, list)	list_add_tail(entry, list)

static inline bool list_empty_careful(const struct list_head *l)
{
	return READ_ONCE(l->next) == l;
}

static inline void list_splice_init(struct list_head *list, struct list_head *head)
{
	if (list_empty(list))
		return;
	list->next->prev = head;
	list->prev->next = head->next;
	head->next->prev = list->prev;
	head->next = list->next;
	INIT_LIST_HEAD(list);
}

#define list_splice(list, head)		list_splice_init(list, head)
#define list_next_entry(pos, member)	list_entry((pos)->member.next, __typeof__(*(pos)), member)

/* percpu.h */
void *objects_percpu(void);
void objects_percpu_free(void *p);
#define alloc_percpu(type)	((type *)objects_percpu())
#define free_percpu(p)		objects_percpu_free(p)

/* idr.h */
struct ida {
	u64 given[1024];
};

#define DEFINE_IDA(name)	struct ida name
int ida_alloc_range(struct ida *ida, unsigned int min, unsigned int max, gfp_t gfp);
void ida_free(struct ida *ida, unsigned int id);
#define ida_destroy(ida)	((void)(ida))

/* nodemask.h */
#define node_online(node)	((node) == 0)
#define num_possible_cpus()	LISTS_CPUS
#define num_online_cpus()	LISTS_CPUS
#define totalram_pages()	(256UL << 8)
#define cache_line_size()	64

/* mm.h */
#define PAGE_OFFSET		((unsigned long)lists_memory)
#define CONFIG_X86_64		1
#define page_to_nid(page)	((void)(page), 0)
#define set_page_private(page, v)	((page)->private = (v))
#define page_private(page)	((page)->private)

/* cpuhotplug.h */
#define CPUHP_BP_PREPARE_DYN	0
#define cpuhp_setup_state_nocalls(state, name, up, down)	((void)(down), 0)
#define cpuhp_remove_state_nocalls(state)	((void)(state))

#endif
