/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine of a few CPUs in user space, for module/pages/visit.c: what that calls of
 * the kernel. See machine.c.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <errno.h>
#include <pthread.h>

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define MACHINE_CPUS		4

#define CONFIG_PREEMPT_COUNT	1
#define IS_ENABLED(CONFIG_OPTION)	(CONFIG_OPTION)
#define __init
#define U64_MAX			(~0ULL)

/* What the thread that runs is: which CPU, and in which state. */
extern __thread int machine_cpu;
extern __thread unsigned int machine_preempt;
extern __thread bool machine_irqs_off;
extern __thread bool machine_in_irq;
extern __thread unsigned int machine_interrupts;	/* that it has taken */

void machine_poll(void);
void machine_sleep(unsigned int us);
bool machine_online(int cpu);
void machine_goes_down(void);
void machine_comes_up(void (*early)(void *arg), void *arg);

#define smp_processor_id()	machine_cpu
#define cpu_online(cpu)		machine_online(cpu)
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < MACHINE_CPUS; (cpu)++)

/* percpu.h: an array, and a pointer to all of it. */
#define DEFINE_PER_CPU_SHARED_ALIGNED(type, name)			\
	type name[MACHINE_CPUS] __attribute__((__aligned__(64)))
#define per_cpu_ptr(ptr, cpu)	(&(*(ptr))[cpu])

/* preempt.h, sched.h */
#define HARDIRQ_OFFSET		0x10000U
#define PREEMPT_OFFSET		1U
#define in_hardirq()		machine_in_irq
#define preempt_count()		(machine_preempt + (machine_in_irq ? HARDIRQ_OFFSET : 0))
#define is_idle_task(task)	false
#define cond_resched()		machine_poll()
void preempt_disable(void);
void preempt_enable(void);

/* smp.h */
struct machine_call {
	void (*func)(void *info);
	void *info;
	int locked;
};

#define call_single_data_t	struct machine_call

#define INIT_CSD(csd, f, i)	(*(csd) = (call_single_data_t){ .func = (f), .info = (i) })
int smp_call_function_single_async(int cpu, call_single_data_t *csd);

/* spinlock.h */
#define raw_spinlock_t			pthread_mutex_t
#define DEFINE_RAW_SPINLOCK(name)	raw_spinlock_t name = PTHREAD_MUTEX_INITIALIZER
#define local_irq_save(flags)		((flags) = machine_irqs_off, machine_irqs_off = true)
#define local_irq_restore(flags)	(machine_irqs_off = (flags))
#define raw_spin_lock_irqsave(lock, flags)				\
	do {								\
		local_irq_save(flags);					\
		pthread_mutex_lock(lock);				\
	} while (0)
#define raw_spin_unlock_irqrestore(lock, flags)				\
	do {								\
		pthread_mutex_unlock(lock);				\
		local_irq_restore(flags);				\
	} while (0)

/* cpumask.h; under a lock of the caller's */
struct cpumask {
	unsigned long bits;
};

#define cpumask_set_cpu(cpu, mask)	((void)((mask)->bits |= 1UL << (cpu)))
#define cpumask_clear_cpu(cpu, mask)	((void)((mask)->bits &= ~(1UL << (cpu))))
#define cpumask_test_cpu(cpu, mask)	((mask)->bits >> (cpu) & 1)

/* ktime.h, delay.h, rcupdate.h */
#define NSEC_PER_USEC		1000ULL
#define NSEC_PER_MSEC		1000000ULL
#define NSEC_PER_SEC		1000000000ULL
u64 ktime_get_mono_fast_ns(void);
#define cpu_relax()		machine_poll()
#define udelay(us)		machine_sleep(0)
#define usleep_range(least, most)	machine_sleep(least)
#define synchronize_rcu()	((void)0)

/* cpuhotplug.h */
enum cpuhp_state { CPUHP_BP_PREPARE_DYN, CPUHP_AP_ONLINE_DYN, CPUHP_STATES };

int cpuhp_setup_state_nocalls(enum cpuhp_state state, const char *name,
			      int (*up)(unsigned int cpu), int (*down)(unsigned int cpu));
#define cpuhp_remove_state_nocalls(state)	((void)(state))

#endif
