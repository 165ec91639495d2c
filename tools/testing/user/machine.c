// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs are threads, and interrupts are functions that such a thread calls by itself where
 * it says so: machine_poll(), which all that waits calls too. Thus an interrupt lands in
 * the middle of whatever the test has put such a call into, and what it does
 * there is the CPU's own doing, as on a real one: ThreadSanitizer sees a race wherever
 * something of a CPU's is touched from another, unless both have agreed on it.
 *
 * A CPU that goes down does so while no other has preemption off, as the kernel's stopper
 * sees to, and takes the interrupts that are on their way when it is no longer
 * online.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

__thread int machine_cpu = -1;
__thread unsigned int machine_preempt;
__thread bool machine_irqs_off;
__thread bool machine_in_irq;
__thread unsigned int machine_interrupts;

/* Read by who has preemption off, written by who goes down. */
static pthread_rwlock_t stop = PTHREAD_RWLOCK_INITIALIZER;

static bool online[MACHINE_CPUS] = { [0 ... MACHINE_CPUS - 1] = true };
static call_single_data_t *pending[MACHINE_CPUS];

static struct {
	int (*up)(unsigned int cpu);
	int (*down)(unsigned int cpu);
} callback[CPUHP_STATES];

bool machine_online(int cpu)
{
	return READ_ONCE(online[cpu]);
}

void preempt_disable(void)
{
	if (!machine_preempt++ && !machine_in_irq)
		pthread_rwlock_rdlock(&stop);
}

void preempt_enable(void)
{
	if (!--machine_preempt && !machine_in_irq)
		pthread_rwlock_unlock(&stop);
}

/* Take the interrupt that has been sent, if any. */
static void take(void)
{
	call_single_data_t *csd = __atomic_exchange_n(&pending[machine_cpu], NULL,
						      __ATOMIC_ACQUIRE);

	if (!csd)
		return;
	machine_in_irq = true;
	machine_interrupts++;
	/* As in the kernel: from here on it can be sent again. */
	__atomic_store_n(&csd->locked, 0, __ATOMIC_RELEASE);
	csd->func(csd->info);
	machine_in_irq = false;
}

/* An interrupt may come here. */
void machine_poll(void)
{
	if (!machine_irqs_off && !machine_in_irq)
		take();
}

void machine_sleep(unsigned int us)
{
	machine_poll();
	if (us)
		usleep(us);
	else
		sched_yield();
	machine_poll();
}

int smp_call_function_single_async(int cpu, call_single_data_t *csd)
{
	if (__atomic_exchange_n(&csd->locked, 1, __ATOMIC_ACQUIRE))
		return -EBUSY;
	if (!machine_online(cpu)) {
		__atomic_store_n(&csd->locked, 0, __ATOMIC_RELEASE);
		return -ENXIO;
	}
	__atomic_store_n(&pending[cpu], csd, __ATOMIC_RELEASE);
	return 0;
}

u64 ktime_get_mono_fast_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

int cpuhp_setup_state_nocalls(enum cpuhp_state state, const char *name,
			      int (*up)(unsigned int cpu), int (*down)(unsigned int cpu))
{
	(void)name;
	callback[state].up = up;
	callback[state].down = down;
	return state;
}

/* This CPU stops. What follows is done for it by others. */
void machine_goes_down(void)
{
	pthread_rwlock_wrlock(&stop);
	WRITE_ONCE(online[machine_cpu], false);
	take();
	pthread_rwlock_unlock(&stop);
	callback[CPUHP_BP_PREPARE_DYN].down(machine_cpu);
}

/* And starts again. @early: what it does before it is online. */
void machine_comes_up(void (*early)(void *arg), void *arg)
{
	callback[CPUHP_BP_PREPARE_DYN].up(machine_cpu);
	early(arg);
	usleep(50);
	early(arg);
	WRITE_ONCE(online[machine_cpu], true);
	early(arg);
	callback[CPUHP_AP_ONLINE_DYN].up(machine_cpu);
}
