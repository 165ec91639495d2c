// SPDX-License-Identifier: GPL-2.0
/*
 * Visits (module/pages/visit.c) among threads that stand for CPUs: see machine.c.
 *
 * Each CPU has a stock, plain memory with a mark, as its lists are. It adds to it in
 * marked sections, in which interrupts come, and visits the others, who take away from
 * theirs for it. CPU 1 stops now and then and comes back; CPU 2 takes no interrupts now and
 * then, so that visitors give it up and take their requests back; CPU 3 has nothing, and
 * is never to be interrupted. All that is added has been taken away in the end, once.
 *
 * Some visits must find a CPU between two sections with preemption off: each of them
 * changes a number that must not change in such a section.
 *
 * Built with ThreadSanitizer, a stock that two touch at once is a race, and so is an answer
 * that is read before it is there, or written when who asked has gone.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dice.h"
#include "machine.h"
#include "tap.h"

#include <visit.h>

#define EMPTY	3		/* the CPU that has nothing */
#define BITE	8U
#define FULL	40U

/**
 * struct cpu - one, and its thread
 * @handle:	of the thread
 * @d:		its decisions
 * @busy:	somebody is inside
 * @stock:	what it has
 * @shown:	the same, for others to look at
 * @epoch:	visits between sections
 * @added:	to the stock, ever
 * @taken:	from any, by its visits
 */
struct cpu {
	pthread_t handle;
	struct dice d;
	bool busy;
	u64 stock;
	u64 shown;
	u64 epoch;
	u64 added;
	u64 taken;
} __attribute__((__aligned__(128)));

static struct cpu cpus[MACHINE_CPUS];
static u64 nr_steps;
static unsigned int nr_through;
static bool over;

static void fail(const char *what)
{
	printf("# %s\n", what);
	fflush(stdout);
	abort();
}

/* --- visitors --------------------------------------------------------------- */

/**
 * struct errand - of one visit
 * @between:	must find the CPU between sections
 * @done:	nothing is left at the CPU that was asked last
 */
struct errand {
	bool between;
	bool done;
};

static bool has_stock(void *data, int cpu)
{
	struct errand *e = data;

	e->done = !READ_ONCE(cpus[cpu].shown);
	return !e->done;
}

static enum quarry_answer take_some(void *data, int cpu, u64 *sum)
{
	struct errand *e = data;
	struct cpu *c = &cpus[cpu];
	u64 nr;

	if (machine_cpu != cpu && machine_online(cpu))
		fail("a visit to a CPU that runs, from another");
	if (!machine_irqs_off && !machine_in_irq)
		fail("a visit with interrupts on");
	if (c->busy)
		return QUARRY_VISIT_INSIDE;
	nr = min_t(u64, c->stock, BITE);
	c->stock -= nr;
	WRITE_ONCE(c->shown, c->stock);
	*sum += nr;
	if (e->between)
		c->epoch++;
	e->done = !c->stock;
	return c->stock ? QUARRY_VISIT_MORE : QUARRY_VISIT_DONE;
}

static const struct quarry_visitor taker = { .wanted = has_stock, .visit = take_some };
static const struct quarry_visitor finisher = {
	.wanted = has_stock, .visit = take_some, .between = true,
};

/* All CPUs, or @cpu alone. Returns what was taken. */
static u64 take_from(int cpu, bool between, enum quarry_patience patience)
{
	const struct quarry_visitor *v = between ? &finisher : &taker;
	struct errand e = { .between = between };
	u64 sum = 0;
	bool all;

	all = cpu < 0 ? quarry_visit(v, &e, patience, &sum) :
			quarry_visit_cpu(v, &e, cpu, patience, &sum);
	if (patience == QUARRY_FOREVER && (!all || !e.done))
		fail("a CPU was given up by who waits for ever");
	return sum;
}

static void visit(struct cpu *c)
{
	static const enum quarry_patience patience[] = {
		QUARRY_BRIEF, QUARRY_BRIEF, QUARRY_PATIENT, QUARRY_FOREVER,
	};
	int cpu = dice(&c->d, 2) ? -1 : (int)dice(&c->d, MACHINE_CPUS);
	bool between = dice(&c->d, 2);

	c->taken += take_from(cpu, between, patience[dice(&c->d, ARRAY_SIZE(patience))]);
}

/* --- CPUs ------------------------------------------------------------------- */

/* Add to the stock, where interrupts land inside. */
static void add(void *arg)
{
	struct cpu *c = arg;
	unsigned int nr = 1 + dice(&c->d, 8);
	u64 before;

	preempt_disable();
	if (c->busy)
		fail("inside already");
	c->busy = true;
	if (machine_online(machine_cpu))
		machine_poll();
	before = c->stock;
	if (machine_online(machine_cpu))
		machine_poll();
	if (before < FULL) {
		c->stock = before + nr;
		c->added += nr;
	}
	WRITE_ONCE(c->shown, c->stock);
	c->busy = false;
	preempt_enable();
}

/* Nothing is marked, but who comes between sections must not come here. */
static void be_in_section(struct cpu *c)
{
	unsigned int i;
	u64 before;

	preempt_disable();
	before = c->epoch;
	for (i = 0; i < 3; i++)
		machine_poll();
	if (c->epoch != before)
		fail("a visit in the middle of a section");
	preempt_enable();
}

static void take_no_interrupts(void)
{
	unsigned long flags;

	local_irq_save(flags);
	usleep(500);
	local_irq_restore(flags);
}

static void step(struct cpu *c)
{
	unsigned int what = dice(&c->d, 64);

	machine_poll();
	if (what < 24) {
		if (machine_cpu != EMPTY)
			add(c);
	} else if (what < 40) {
		be_in_section(c);
	} else if (what < 60) {
		visit(c);
	} else if (what == 60 && machine_cpu == 1) {
		machine_goes_down();
		usleep(dice(&c->d, 200));
		machine_comes_up(add, c);
	} else if (what == 61 && machine_cpu == 2) {
		take_no_interrupts();
	}
}

static void *run(void *arg)
{
	struct cpu *c = arg;
	u64 i;

	machine_cpu = c - cpus;
	for (i = 0; i < nr_steps; i++)
		step(c);
	__atomic_fetch_add(&nr_through, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
		machine_sleep(10);
	return NULL;
}

/* What is left when all have added for the last time. Each thread answers still. */
static void finish(void)
{
	u64 added = 0, taken, made = 0, i;

	taken = take_from(-1, false, QUARRY_FOREVER);
	quarry_visits_exit();
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	for (i = 1; i < MACHINE_CPUS; i++)
		pthread_join(cpus[i].handle, NULL);
	for (i = 0; i < MACHINE_CPUS; i++) {
		added += cpus[i].added;
		taken += cpus[i].taken;
		made += quarry_visits_made(i);
		if (cpus[i].stock || cpus[i].shown)
			fail("a stock is not empty");
	}
	if (added != taken)
		fail("what was taken is not what was added");
	if (quarry_visits_made(EMPTY))
		fail("a CPU that has nothing was interrupted");
	printf("# %llu steps each, %llu added, %llu interrupts\n", nr_steps, added, made);
}

/* One thread, which is what it says in turn: a CPU that stops is emptied in its place. */
static void in_its_place(const void *arg)
{
	unsigned int i;
	u64 sum;

	(void)arg;
	for (i = 0; i < 4; i++) {
		machine_cpu = 1;
		while (cpus[1].stock < FULL)
			add(&cpus[1]);
		machine_goes_down();
		machine_cpu = 0;
		sum = cpus[1].stock;
		if (take_from(1, i % 2, QUARRY_BRIEF) != sum || cpus[1].stock)
			fail("something is left where nobody runs");
		machine_cpu = 1;
		machine_comes_up(add, &cpus[1]);
	}
	if (quarry_visits_made(1))
		fail("a CPU that has stopped was interrupted");
}

static void *stays_in_a_section(void *arg)
{
	struct cpu *c = &cpus[1];

	(void)arg;
	machine_cpu = 1;
	while (c->stock < FULL)
		add(c);
	preempt_disable();
	__atomic_store_n(&nr_through, 1, __ATOMIC_RELEASE);
	while (!machine_interrupts)
		machine_poll();
	if (c->epoch)
		fail("a visit in the middle of a section");
	preempt_enable();
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
		machine_sleep(10);
	return NULL;
}

/* Two threads: the one does not leave its section before the interrupt has come. */
static void between_sections(const void *arg)
{
	(void)arg;
	if (pthread_create(&cpus[1].handle, NULL, stays_in_a_section, NULL))
		fail("no thread");
	machine_cpu = 0;
	while (!__atomic_load_n(&nr_through, __ATOMIC_ACQUIRE))
		machine_sleep(10);
	if (take_from(1, true, QUARRY_FOREVER) < FULL)
		fail("something is left");
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	pthread_join(cpus[1].handle, NULL);
}

static void threads(const void *arg)
{
	u64 seed = env_number("SEED", 1), i;

	(void)arg;
	nr_steps = env_number("STEPS", 20000);
	printf("# seed %llu\n", seed);
	for (i = 0; i < MACHINE_CPUS; i++)
		dice_seed(&cpus[i].d, seed + i);
	/* The first is this thread. */
	for (i = 1; i < MACHINE_CPUS; i++)
		if (pthread_create(&cpus[i].handle, NULL, run, &cpus[i]))
			fail("no thread");
	machine_cpu = 0;
	for (i = 0; i < nr_steps; i++)
		step(&cpus[0]);
	while (__atomic_load_n(&nr_through, __ATOMIC_ACQUIRE) < MACHINE_CPUS - 1)
		machine_sleep(10);
	finish();
}

int main(void)
{
	/* Each test has a machine of its own, for it runs in a child. */
	if (quarry_visits_init() < 0)
		return 1;
	tap_plan(3);
	tap_run("stopped", in_its_place, NULL);
	tap_run("between sections", between_sections, NULL);
	tap_run("threads", threads, NULL);
	return tap_end();
}
