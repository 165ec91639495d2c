// SPDX-License-Identifier: GPL-2.0
/*
 * Visits: what belongs to a CPU is changed on that CPU.
 *
 * Per-CPU lists and magazines have no lock, only a mark that their CPU sets while it
 * changes them. So another CPU cannot empty them, but an interrupt there can: when it finds
 * the mark set, it has landed inside and comes again.
 *
 *	   visitor                                 the CPU
 *	   wanted()?  no: the CPU is left alone
 *	      |  yes
 *	   IDLE -> SENT  -----interrupt----->  SENT -> RUNNING
 *	      |                                    visit(): a bite, if not inside
 *	   takes the answer  <---------------  RUNNING -> ANSWERED
 *	      |
 *	   MORE: again    INSIDE: again, a moment later    DONE: the next CPU
 *
 *	Nothing here waits for another CPU's scheduler: a CPU that runs a real-time task for
 *	ever takes interrupts. One that does not even do that is given up after PATIENCE
 *	(SENT -> GIVEN_UP, and the interrupt does nothing when it comes), unless the caller
 *	cannot do without. A CPU that holds nothing of what is asked for is never touched, and
 *	whoever comes while another visitor is at work finds nothing left to do.
 *
 * Each CPU has one post. A visitor who finds it taken counts that as having landed inside.
 * From SENT to taking the answer the visitor cannot be preempted, so a post is never held
 * by somebody who does not run.
 *
 * CPUs that are off line
 *	Nobody is inside the lists of a CPU that has stopped: it left the last section when
 *	the stopper took it. From then until it is brought up again a visitor works in its
 *	place, one at a time, under @stopped. Bringing up waits for that lock (going_up()).
 *
 * Contexts: visits sleep, with @wait for as long as it takes. Interrupts are off on the CPU
 * visited for a bite of some ten microseconds.
 */
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "../debug/inject.h"
#include "pool.h"
#include "visit.h"

/* How long a CPU may leave an interrupt unanswered, or be found inside, in ns. */
#define PATIENCE	(200 * NSEC_PER_USEC)

/* Most interrupts to one CPU in a visit that may end early. */
#define BITES		256U

enum post_state { IDLE, FILLING, SENT, RUNNING, ANSWERED, GIVEN_UP };

/**
 * struct post - how one CPU is asked
 * @csd:	the interrupt
 * @state:	enum post_state
 * @visitor:	from SENT to ANSWERED: what is asked
 * @data:	the same
 * @answer:	in ANSWERED
 * @sum:	in ANSWERED: what visit() added
 * @made:	interrupts that were sent, ever
 */
struct post {
	call_single_data_t csd;
	atomic_t state;
	const struct quarry_visitor *visitor;
	void *data;
	enum quarry_answer answer;
	u64 sum;
	atomic64_t made;
};

static DEFINE_PER_CPU_SHARED_ALIGNED(struct post, posts);

/* One at a time works in the place of CPUs that have stopped. */
static DEFINE_RAW_SPINLOCK(stopped);

/* CPUs that are being brought up; under @stopped. */
static struct cpumask rising;

static int up_state = -1;
static int online_state = -1;

/*
 * Has the interrupt hit code that could have been preempted? The idle task, which has
 * preemption off for good, calls nobody that allocates.
 */
static bool between_sections(void)
{
	unsigned int count = preempt_count() - (in_hardirq() ? HARDIRQ_OFFSET : 0);

	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT))
		return true;
	return !count || (is_idle_task(current) && count == PREEMPT_OFFSET);
}

static void answer(void *info)
{
	struct post *p = info;
	u64 sum = 0;

	if (atomic_cmpxchg(&p->state, SENT, RUNNING) != SENT) {
		atomic_set_release(&p->state, IDLE);
		return;
	}
	if (!cpu_online(smp_processor_id()) ||
	    (p->visitor->between && !between_sections()))
		p->answer = QUARRY_VISIT_INSIDE;
	else
		p->answer = p->visitor->visit(p->data, smp_processor_id(), &sum);
	p->sum = sum;
	atomic_set_release(&p->state, ANSWERED);
}

/* Send the interrupt and take the answer. Preemption is off. */
static enum quarry_answer call(struct post *p, const struct quarry_visitor *v, void *data,
			       int cpu, u64 *sum)
{
	enum quarry_answer got = QUARRY_VISIT_INSIDE;
	u64 until = ktime_get_mono_fast_ns() + PATIENCE;

	if (atomic_cmpxchg(&p->state, IDLE, FILLING) != IDLE)
		return got;
	p->visitor = v;
	p->data = data;
	atomic_set_release(&p->state, SENT);
	if (smp_call_function_single_async(cpu, &p->csd)) {
		atomic_set(&p->state, IDLE);
		return got;
	}
	atomic64_inc(&p->made);
	while (atomic_read_acquire(&p->state) != ANSWERED) {
		if (ktime_get_mono_fast_ns() > until &&
		    atomic_cmpxchg(&p->state, SENT, GIVEN_UP) == SENT)
			return got;
		cpu_relax();
	}
	got = p->answer;
	*sum += p->sum;
	atomic_set_release(&p->state, IDLE);
	return got;
}

/* In the place of a CPU that has stopped. Preemption is off. */
static enum quarry_answer stand_in(const struct quarry_visitor *v, void *data, int cpu,
				   u64 *sum)
{
	enum quarry_answer got = QUARRY_VISIT_INSIDE;
	unsigned long flags;

	raw_spin_lock_irqsave(&stopped, flags);
	if (!cpu_online(cpu) && !cpumask_test_cpu(cpu, &rising))
		got = v->visit(data, cpu, sum);
	raw_spin_unlock_irqrestore(&stopped, flags);
	return got;
}

static enum quarry_answer ask(const struct quarry_visitor *v, void *data, int cpu, u64 *sum)
{
	enum quarry_answer got;
	unsigned long flags;

	preempt_disable();
	if (cpu == smp_processor_id()) {
		local_irq_save(flags);
		got = v->visit(data, cpu, sum);
		local_irq_restore(flags);
	} else if (cpu_online(cpu)) {
		got = call(per_cpu_ptr(&posts, cpu), v, data, cpu, sum);
	} else {
		got = stand_in(v, data, cpu, sum);
	}
	preempt_enable();
	return got;
}

/* quarry_visit() of one CPU. */
bool quarry_visit_cpu(const struct quarry_visitor *v, void *data, int cpu, bool wait,
		      u64 *sum)
{
	u64 until = ktime_get_mono_fast_ns() + PATIENCE;
	enum quarry_answer got = QUARRY_VISIT_MORE;
	unsigned int bites = 0;

	while (got != QUARRY_VISIT_DONE && v->wanted(data, cpu)) {
		got = ask(v, data, cpu, sum);
		if (got == QUARRY_VISIT_MORE)
			until = ktime_get_mono_fast_ns() + PATIENCE;
		if (!wait && (++bites > BITES || ktime_get_mono_fast_ns() > until))
			return false;
		if (got == QUARRY_VISIT_INSIDE && wait)
			usleep_range(20, 100);
		else if (got == QUARRY_VISIT_INSIDE)
			udelay(1);
		cond_resched();
	}
	return true;
}

/**
 * quarry_visit() - do something on every CPU that it concerns
 * @v:		what
 * @data:	for its functions
 * @wait:	until every CPU has answered; else one that does not is given up
 * @sum:	what visit() has added is added to this
 *
 * Context: sleeps; without @wait for a bounded time, and from reclaim too. Return: false if
 * a CPU was given up.
 */
bool quarry_visit(const struct quarry_visitor *v, void *data, bool wait, u64 *sum)
{
	bool all = true;
	int cpu;

	for_each_possible_cpu(cpu)
		all &= quarry_visit_cpu(v, data, cpu, wait, sum);
	return all;
}

/* Interrupts that visits have sent to a CPU since the module was loaded. Context: any. */
u64 quarry_visits_made(int cpu)
{
	return atomic64_read(&per_cpu_ptr(&posts, cpu)->made);
}

/* Before it runs: nobody works in its place from here on. */
static int going_up(unsigned int cpu)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&stopped, flags);
	cpumask_set_cpu(cpu, &rising);
	raw_spin_unlock_irqrestore(&stopped, flags);
	return 0;
}

static int is_up(unsigned int cpu)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&stopped, flags);
	cpumask_clear_cpu(cpu, &rising);
	raw_spin_unlock_irqrestore(&stopped, flags);
	return 0;
}

/* It has stopped, or it never came up. */
static int is_dead(unsigned int cpu)
{
	return is_up(cpu);
}

int __init quarry_visits_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct post *p = per_cpu_ptr(&posts, cpu);

		INIT_CSD(&p->csd, answer, p);
	}
	if (quarry_inject())
		return -ENOMEM;
	up_state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "mm/quarry:visits", going_up,
					     is_dead);
	if (up_state < 0)
		return up_state;
	online_state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "mm/quarry:visits:online",
						 is_up, NULL);
	if (online_state < 0)
		cpuhp_remove_state_nocalls(up_state);
	return min(online_state, 0);
}

/* Nobody visits any more; interrupts that nobody waits for may still be on their way. */
void quarry_visits_exit(void)
{
	int cpu;

	cpuhp_remove_state_nocalls(online_state);
	cpuhp_remove_state_nocalls(up_state);
	for_each_possible_cpu(cpu)
		while (atomic_read_acquire(&per_cpu_ptr(&posts, cpu)->state) != IDLE)
			usleep_range(20, 100);
}
