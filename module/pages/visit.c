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
 *	   leaves a request at the CPU's post
 *	   and sends  ---------interrupt----->  takes the request
 *	      |                                    visit(): a bite, if not inside
 *	   goes on    <-----------------------  answers it
 *	      |
 *	   MORE: again    INSIDE: again, a moment later    DONE: the next CPU
 *
 *	Nothing here waits for another CPU's scheduler: a CPU that runs a real-time task for
 *	ever takes interrupts. How long one may be waited for that does not even do that, or
 *	whose host lets another run instead, the caller says (enum quarry_patience). A CPU
 *	that holds nothing of what is asked for is never touched, and whoever comes while
 *	another visitor is at work finds nothing left to do.
 *
 *	A request stays at the post until the interrupt comes, however late, or the visitor
 *	takes it back, and then the interrupt finds nothing to do. Who takes it, by xchg(),
 *	knows that the other will not. Were it sent anew after each short wait instead, two
 *	CPUs that take turns on one of the host's might never meet. A visitor that waits
 *	sleeps, and may find the answer late, but only a CPU that does not answer keeps its
 *	post: nobody waits for a visitor. Each CPU has one post; who finds it taken counts
 *	that as having landed inside.
 *
 *	A second is what a CPU has from when an interrupt was sent that it has not taken, whoever
 *	sent it. An allocation that is about to fail makes several visits, and many may fail at the
 *	same time: each would wait a second of its own for the same CPU. When that takes the
 *	interrupt, it has a second again.
 *
 * CPUs that are off line
 *	Nobody is inside the lists of a CPU that has stopped: it left the last section when
 *	the stopper took it. From then until it is brought up again a visitor works in its
 *	place, one at a time, under @stopped. Bringing up waits for that lock (going_up()).
 *	While a CPU rises nobody can work for it, and who cannot do without waits. If it fails to
 *	come up, what then empties its lists would wait for ever, and with it those behind the
 *	locks that it takes; so whoever finds out first says that the CPU has stopped, before he
 *	takes any lock (quarry_visits_stopped()).
 *
 * Contexts: visits sleep, for a bounded time unless the caller cannot do without. Interrupts
 * are off on the CPU visited for a bite of some ten microseconds.
 */
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "../base/inject.h"
#include "visit.h"

/*
 * How long a CPU may leave an interrupt unanswered, or be found inside, in ns. What is
 * longer than BRIEF is slept, not spun.
 */
#define BRIEF		(200 * NSEC_PER_USEC)
#define SOME		(20 * NSEC_PER_MSEC)
#define LONG		NSEC_PER_SEC

/* Most answers of one CPU in a visit that may end early. */
#define BITES		256U

/**
 * struct request - what one CPU is asked; on the visitor's stack
 * @visitor:	the question
 * @data:	the same
 * @sum:	what visit() added
 * @answer:	what it returned
 * @answered:	the two above are there, and the CPU is through with this
 */
struct request {
	const struct quarry_visitor *visitor;
	void *data;
	u64 sum;
	enum quarry_answer answer;
	bool answered;
};

/**
 * struct post - where a CPU is asked
 * @csd:	the interrupt
 * @sent:	it is on its way: whatever lies here before it takes this back, it will find
 * @since:	when it was sent, while @sent
 * @request:	that it is to take, or NULL
 * @made:	interrupts that were sent, ever
 */
struct post {
	call_single_data_t csd;
	atomic_t sent;
	u64 since;
	struct request *request;
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

static void visit_answer(void *info)
{
	struct post *p = info;
	struct request *r;

	/* In this order: who finds @sent set has left a request that we see. */
	atomic_xchg(&p->sent, false);
	r = xchg(&p->request, NULL);
	if (!r)
		return;
	if (!cpu_online(smp_processor_id()) ||
	    (r->visitor->between && !between_sections()))
		r->answer = QUARRY_VISIT_INSIDE;
	else
		r->answer = r->visitor->visit(r->data, smp_processor_id(), &r->sum);
	/* Who sees it sees the answer, and may be gone with @r the next moment. */
	smp_store_release(&r->answered, true);
}

/* When was the interrupt sent that is on its way? 0 if none is. */
static u64 sent_since(const struct post *p)
{
	/* Pairs with the exchange in visit_leave(). */
	return atomic_read_acquire(&p->sent) ? READ_ONCE(p->since) : 0;
}

/* Take a request back. False: the interrupt has come for it. */
static bool visit_take_back(struct post *p, struct request *r)
{
	return cmpxchg(&p->request, r, NULL) == r;
}

/* Leave a request and send the interrupt, if it is not on its way. Preemption is off. */
static bool visit_leave(struct post *p, struct request *r, int cpu)
{
	if (cmpxchg(&p->request, NULL, r))
		return false;
	/* Before: who finds @sent set must not see when an earlier one was sent. */
	if (!atomic_read(&p->sent))
		WRITE_ONCE(p->since, ktime_get_mono_fast_ns());
	if (atomic_xchg(&p->sent, true))
		return true;
	if (smp_call_function_single_async(cpu, &p->csd)) {
		atomic_set(&p->sent, false);
		return !visit_take_back(p, r);
	}
	atomic64_inc(&p->made);
	return true;
}

/* Until the answer is there, or it is @until and nobody has begun with it. */
static enum quarry_answer visit_await(struct post *p, struct request *r, u64 until)
{
	u64 spin = ktime_get_mono_fast_ns() + BRIEF, since = sent_since(p), now;

	if (until != U64_MAX && since)
		until = max(spin, min(until, since + LONG));
	/* Pairs with that of visit_answer(). */
	while (!smp_load_acquire(&r->answered)) {
		now = ktime_get_mono_fast_ns();
		if (now > until && visit_take_back(p, r))
			return QUARRY_VISIT_INSIDE;
		if (now > spin)
			usleep_range(20, 100);
		else
			cpu_relax();
	}
	return r->answer;
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

/* One bite. Gives up at @until. */
static enum quarry_answer visit_ask(const struct quarry_visitor *v, void *data, int cpu, u64 until,
				    u64 *sum)
{
	struct request r = { .visitor = v, .data = data };
	struct post *p = per_cpu_ptr(&posts, cpu);
	enum quarry_answer got = QUARRY_VISIT_INSIDE;
	unsigned long flags;
	bool left = false;

	preempt_disable();
	if (cpu == smp_processor_id()) {
		local_irq_save(flags);
		got = v->visit(data, cpu, sum);
		local_irq_restore(flags);
	} else if (cpu_online(cpu)) {
		left = visit_leave(p, &r, cpu);
	} else {
		got = stand_in(v, data, cpu, sum);
	}
	preempt_enable();
	if (left) {
		got = visit_await(p, &r, until);
		*sum += r.sum;
	}
	return got;
}

/* Until when the visit goes on without an answer; a patient one has @end for all CPUs. */
static u64 deadline(enum quarry_patience patience, u64 end)
{
	if (patience == QUARRY_FOREVER)
		return U64_MAX;
	return max(end, ktime_get_mono_fast_ns() + BRIEF);
}

static u64 visit_end_of(enum quarry_patience patience)
{
	switch (patience) {
	case QUARRY_A_WHILE:
		return ktime_get_mono_fast_ns() + SOME;
	case QUARRY_PATIENT:
		return ktime_get_mono_fast_ns() + LONG;
	default:
		return 0;
	}
}

/* How long has a CPU not taken an interrupt? In ns; 0 if none is on its way. */
static u64 deaf_for(int cpu, u64 now)
{
	u64 since = sent_since(per_cpu_ptr(&posts, cpu));

	return since && now > since ? now - since : 0;
}

/**
 * quarry_visits_until() - how long is it worth to come again and again?
 *
 * For who is patient, but in several visits. Context: any. Return: the time at which all CPUs
 * have had their second that take no interrupts now.
 */
u64 quarry_visits_until(void)
{
	u64 now = ktime_get_mono_fast_ns(), deaf, least = U64_MAX;
	int cpu;

	for_each_possible_cpu(cpu) {
		deaf = deaf_for(cpu, now);
		/* What is on its way for no longer than that says nothing. */
		if (deaf > BRIEF)
			least = min(least, deaf);
	}
	if (least == U64_MAX)
		return now + LONG;
	return least < LONG ? now + LONG - least : now;
}

static bool visit_cpu(const struct quarry_visitor *v, void *data, int cpu,
		      enum quarry_patience patience, u64 end, u64 *sum)
{
	u64 spin = ktime_get_mono_fast_ns() + BRIEF, until = deadline(patience, end), now;
	enum quarry_answer got = QUARRY_VISIT_MORE;
	unsigned int bites = 0;

	while (got != QUARRY_VISIT_DONE && v->wanted(data, cpu)) {
		got = visit_ask(v, data, cpu, until, sum);
		if (got == QUARRY_VISIT_MORE) {
			until = deadline(patience, end);
			if (++bites > BITES && patience != QUARRY_FOREVER)
				return false;
		}
		if (got == QUARRY_VISIT_INSIDE) {
			now = ktime_get_mono_fast_ns();
			if (now > until || (patience != QUARRY_FOREVER && now > spin &&
					    deaf_for(cpu, now) > LONG))
				return false;
			if (now > spin)
				usleep_range(20, 100);
			else
				udelay(1);
		}
		cond_resched();
	}
	return true;
}

/* quarry_visit() of one CPU. */
bool quarry_visit_cpu(const struct quarry_visitor *v, void *data, int cpu,
		      enum quarry_patience patience, u64 *sum)
{
	return visit_cpu(v, data, cpu, patience, visit_end_of(patience), sum);
}

/**
 * quarry_visit() - do something on every CPU that it concerns
 * @v:		what
 * @data:	for its functions
 * @patience:	with CPUs that do not answer
 * @sum:	what visit() has added is added to this
 *
 * Context: sleeps; unless for ever, for a bounded time, and from reclaim too. Return:
 * false if a CPU was given up.
 */
bool quarry_visit(const struct quarry_visitor *v, void *data, enum quarry_patience patience,
		  u64 *sum)
{
	u64 end = visit_end_of(patience);
	bool all = true;
	int cpu;

	for_each_possible_cpu(cpu)
		all &= visit_cpu(v, data, cpu, patience, end, sum);
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

static int visit_is_up(unsigned int cpu)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&stopped, flags);
	cpumask_clear_cpu(cpu, &rising);
	raw_spin_unlock_irqrestore(&stopped, flags);
	return 0;
}

/**
 * quarry_visits_stopped() - a CPU has stopped, or it never came up
 * @cpu:	the CPU
 *
 * Each callback for dead CPUs says so first of all, for their order is not ours alone to
 * choose: they run from the highest state down, and a state is the lowest that was vacant.
 * Context: any.
 */
void quarry_visits_stopped(unsigned int cpu)
{
	visit_is_up(cpu);
}

/* Where no callback of the lists or the magazines is registered. */
static int is_dead(unsigned int cpu)
{
	return visit_is_up(cpu);
}

int __init quarry_visits_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct post *p = per_cpu_ptr(&posts, cpu);

		INIT_CSD(&p->csd, visit_answer, p);
	}
	if (quarry_inject())
		return -ENOMEM;
	up_state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "mm/quarry:visits", going_up,
					     is_dead);
	if (up_state < 0)
		return up_state;
	online_state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "mm/quarry:visits:online",
						 visit_is_up, NULL);
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
		while (atomic_read(&per_cpu_ptr(&posts, cpu)->sent))
			usleep_range(20, 100);
	/* One that has just said so has yet to return. */
	synchronize_rcu();
}
