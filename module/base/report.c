// SPDX-License-Identifier: GPL-2.0
/*
 * Reports: written where something is found, printed where that may be.
 *
 * Misuse is found in any context: in NMI, under the caller's locks, in an interrupt. What
 * prints takes locks as well, those of the log, of the consoles and of the scheduler, and
 * whoever finds it may hold one of them. But printk() may be called from interrupts. So each
 * of its locks is held with interrupts off, and with them on nobody here holds one:
 *
 *	interrupts on		print at once
 *	off, or in NMI		note it --> irq_work, when they are on again --> print
 *
 *	begin	the stack; is it the first report of its kind from there?
 *	say	a line, as text: who it speaks of may be gone when it is printed
 *	who	a stack that was kept before, and is looked up when it is printed
 *	end	print, or have it printed
 *
 * Each stack is reported once, so that a loop cannot flood the log. As many as SITES are known;
 * of those that come after them some are reported each minute, in the place of the oldest, and
 * all are counted, by whoever found them. A report has one of a few fixed places meanwhile, since
 * nothing may be allocated. Where all are in use nothing is reported, nor is it noted that it
 * was: the next time it is told. A message is a line without a stack, on the same way; how often
 * there is one is its caller's business.
 *
 * No address is shown: not dump_stack(), which prints the registers of the process as well; and
 * of functions of a module that has gone since, which kept stacks may have, no name is known.
 *
 * Contexts: any, NMI included; with PREEMPT_RT what is noted is printed by a thread.
 * Cost: that of a walk up the stack. What is noted is printed with interrupts off, one report at
 * a time, of some 60 lines.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/hardirq.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/llist.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/stacktrace.h>

#include "report.h"
#include "stacks.h"

/* Stacks that are known to have been reported, and so many functions tell them apart. */
#define SITES	64
#define DEPTH	8

/* Functions, lines and kept stacks that are printed of a report. */
#define SHOWN	24
#define LINES	2
#define WHO	2

/* Reports a minute, where all sites are in use. */
#define AGAIN	32

/* Reports that are being written or wait. */
#define PLACES	8

/**
 * struct kept - whose call it was once
 * @what:	he did
 * @stack:	by which way
 * @pid:	who
 * @ms:		so long ago
 */
struct kept {
	const char *what;
	depot_stack_handle_t stack;
	u32 pid;
	unsigned int ms;
};

/**
 * struct quarry_report - what is to be printed
 * @link:	in the list of those that wait
 * @warning:	it is no error
 * @line:	text
 * @nr_lines:	how many there are
 * @who:	whose it was before
 * @nr_who:	how many are known
 * @cpu:	where it was found
 * @pid:	by whose call
 * @comm:	his name
 * @nr:		functions of the stack; 0: there is none to be shown
 * @stack:	by which way he came
 * @text:	of a stack that was kept, to be printed
 */
struct quarry_report {
	struct llist_node link;
	bool warning;
	char line[LINES][256];
	unsigned int nr_lines;
	struct kept who[WHO];
	unsigned int nr_who;
	int cpu;
	int pid;
	char comm[TASK_COMM_LEN];
	unsigned int nr;
	unsigned long stack[SHOWN];
	char text[1024];
};

/* Stacks that have been reported, by hash; 0 is an empty place. */
static atomic_t sites[SITES];

static atomic_t oldest_site = ATOMIC_INIT(-1);
static struct ratelimit_state again = RATELIMIT_STATE_INIT_FLAGS(again, 60 * HZ, AGAIN,
								 RATELIMIT_MSG_ON_RELEASE);

static struct quarry_report places[PLACES];
static unsigned long in_use;
static LLIST_HEAD(noted);

/* Bit 0: somebody prints what was noted. */
static unsigned long printing;

static void report_print(struct quarry_report *r)
{
	unsigned int i;
	char *rest;

	for (i = 0; i < r->nr_lines; i++)
		if (r->warning)
			pr_warn("%s\n", r->line[i]);
		else
			pr_err("%s\n", r->line[i]);
	if (!r->nr)
		return;
	pr_err("CPU: %d PID: %d Comm: %s; called from:\n", r->cpu, r->pid, r->comm);
	stack_trace_print(r->stack, r->nr, 1);
	for (i = 0; i < r->nr_who; i++) {
		pr_err("%s by pid %u, %u ms ago:\n", r->who[i].what, r->who[i].pid,
		       r->who[i].ms);
		quarry_stack_write(r->who[i].stack, r->text, sizeof(r->text));
		for (rest = r->text; rest && *rest;)
			pr_err("%s\n", strsep(&rest, "\n"));
	}
}

static struct quarry_report *get_place(void)
{
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		if (!test_and_set_bit(i, &in_use))
			return &places[i];
	return NULL;
}

static void put_place(struct quarry_report *r)
{
	/* Whoever gets it next writes to it after we have read. */
	smp_mb__before_atomic();
	clear_bit(r - places, &in_use);
}

/* The oldest one; the others wait for the next interrupt, which may be on another CPU. */
static struct quarry_report *take_noted(void)
{
	struct llist_node *oldest = llist_reverse_order(llist_del_all(&noted)), *rest;

	if (!oldest)
		return NULL;
	rest = oldest->next;
	if (rest)
		llist_add_batch(llist_reverse_order(rest), rest, &noted);
	return llist_entry(oldest, struct quarry_report, link);
}

/*
 * With PREEMPT_RT it is a thread, which may be preempted while another CPU runs the same work:
 * one at a time prints, and quarry_reports_exit() waits for him as for a reader of RCU.
 */
static void print_noted(struct irq_work *work)
{
	struct quarry_report *r;

	rcu_read_lock();
	if (!test_and_set_bit(0, &printing)) {
		r = take_noted();
		if (r) {
			report_print(r);
			put_place(r);
		}
		clear_bit(0, &printing);
		/* Who found it set has gone; pairs with llist_add(), which is a barrier. */
		smp_mb__after_atomic();
		if (!llist_empty(&noted))
			irq_work_queue(work);
	}
	rcu_read_unlock();
}

static DEFINE_IRQ_WORK(printer, print_noted);

/* Is this the first one from there? */
static bool is_first(u32 kind, const unsigned long *stack, unsigned int nr)
{
	u32 hash = jhash2((u32 *)stack, nr * sizeof(long) / sizeof(u32), kind) | 1;
	unsigned int i;
	int old;

	for (i = 0; i < SITES; i++) {
		atomic_t *site = &sites[(hash + i) % SITES];

		old = atomic_cmpxchg(site, 0, hash);
		if (!old)
			return true;
		if (old == (int)hash)
			return false;
	}
	/* What it leaves out it does not say: printing may not be possible here. */
	if (!__ratelimit(&again))
		return false;
	i = atomic_inc_return(&oldest_site);
	atomic_set(&sites[i % SITES], hash);
	return true;
}

/**
 * quarry_report_begin() - something was found
 * @kind:	a number of the caller's for what it is
 *
 * The stack begins with who called the caller.
 *
 * Context: any. Return: a report, for quarry_report_end(); NULL if there is to be none.
 */
noinline struct quarry_report *quarry_report_begin(u32 kind)
{
	struct quarry_report *r = get_place();

	if (!r)
		return NULL;
	r->nr = stack_trace_save(r->stack, SHOWN, 2);
	if (!is_first(kind, r->stack, min(r->nr, DEPTH + 0U))) {
		put_place(r);
		return NULL;
	}
	r->warning = false;
	r->nr_lines = 0;
	r->nr_who = 0;
	r->cpu = raw_smp_processor_id();
	r->pid = current->pid;
	strscpy(r->comm, current->comm, sizeof(r->comm));
	return r;
}

/* A line, without its end. Of NULL nothing is said, here and below. Context: any. */
void quarry_report_say(struct quarry_report *r, const char *fmt, ...)
{
	va_list args;

	if (!r || r->nr_lines == LINES)
		return;
	va_start(args, fmt);
	vscnprintf(r->line[r->nr_lines++], sizeof(r->line[0]), fmt, args);
	va_end(args);
}

/**
 * quarry_report_who() - whose it was
 * @r:		a report, or NULL
 * @what:	he did; a constant
 * @stack:	his; if it is 0 nobody knows
 * @pid:	his
 * @when:	in jiffies
 *
 * Context: any.
 */
void quarry_report_who(struct quarry_report *r, const char *what, depot_stack_handle_t stack,
		       u32 pid, unsigned long when)
{
	if (!r || !stack || r->nr_who == WHO)
		return;
	r->who[r->nr_who++] = (struct kept){
		.what = what,
		.stack = stack,
		.pid = pid,
		.ms = jiffies_to_msecs(jiffies - when),
	};
}

/* It is complete. Context: any. */
void quarry_report_end(struct quarry_report *r)
{
	if (!r)
		return;
	if (in_nmi() || irqs_disabled()) {
		llist_add(&r->link, &noted);
		irq_work_queue(&printer);
		return;
	}
	report_print(r);
	put_place(r);
}

/**
 * quarry_report_message() - a line for the log
 * @warning:	it is no error
 * @fmt:	the line, without its end
 *
 * Context: any. It may be lost where many are found at once with interrupts off.
 */
void quarry_report_message(bool warning, const char *fmt, ...)
{
	struct quarry_report *r = get_place();
	va_list args;

	if (!r)
		return;
	r->warning = warning;
	r->nr = 0;
	r->nr_lines = 1;
	r->nr_who = 0;
	va_start(args, fmt);
	vscnprintf(r->line[0], sizeof(r->line[0]), fmt, args);
	va_end(args);
	quarry_report_end(r);
}

#if IS_ENABLED(CONFIG_KUNIT)
/* For tests: all may be told once more, whatever was before them. Context: any but NMI. */
void quarry_reports_forget(void)
{
	unsigned int i;

	for (i = 0; i < SITES; i++)
		atomic_set(&sites[i], 0);
	ratelimit_state_init(&again, 60 * HZ, AGAIN);
	ratelimit_set_flags(&again, RATELIMIT_MSG_ON_RELEASE);
}
#endif

/* What was noted is printed. Context: sleeps; nobody calls us any more. */
void quarry_reports_exit(void)
{
	do {
		irq_work_sync(&printer);
		synchronize_rcu();
	} while (!llist_empty(&noted));
	/* The last one may have queued it once more, with nothing to do. */
	irq_work_sync(&printer);
}
