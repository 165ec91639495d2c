// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks: whose call it is, and what has been taken by whom.
 *
 * Stacks are kept by the kernel's stack depot, which gives each a handle. What is out is
 * gathered by these in a table of a fixed size, so that a walk under a lock allocates nothing;
 * what finds no place there counts as not traced.
 *
 * Contexts: as each function says.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sort.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include "inject.h"
#include "stacks.h"

/* Different stacks that are told apart, about; the rest counts as not traced. */
#define STACKS	1024

/* Places that a stack may be in. */
#define PROBES	32

/**
 * quarry_stack_here() - whose call is this?
 * @skip:	innermost functions to leave out, this one included; none may be inlined
 * @try:	do not wait for locks: then nobody knows
 *
 * Context: any; with PREEMPT_RT it must be preemptible to know, for the kernel's depot of
 * stacks allocates. Return: the stack, or 0.
 */
noinline depot_stack_handle_t quarry_stack_here(unsigned int skip, bool try)
{
	unsigned long stack[QUARRY_TRACE_DEPTH];
	unsigned int nr;

	if (try || !quarry_may_kmalloc())
		return 0;
	nr = stack_trace_save(stack, ARRAY_SIZE(stack), skip);
	return stack_depot_save(stack, nr, GFP_NOWAIT | __GFP_NOWARN);
}

/* Begin with nothing. Context: sleeps. Return: 0 or -ENOMEM. */
int quarry_gather_begin(struct quarry_gathering *g)
{
	*g = (struct quarry_gathering){};
	g->at = quarry_inject() ? NULL : kvcalloc(STACKS, sizeof(*g->at), GFP_KERNEL);
	return g->at ? 0 : -ENOMEM;
}

/**
 * quarry_gather_add() - something that has a stack
 * @g:		the others
 * @stack:	its handle
 * @pid:	whose call that was
 * @when:	in jiffies
 * @objects:	how many of it there are
 *
 * Context: any.
 */
void quarry_gather_add(struct quarry_gathering *g, depot_stack_handle_t stack, u32 pid,
		       unsigned long when, u64 objects)
{
	struct quarry_gathered *e;
	unsigned int i;

	for (i = 0; i < PROBES; i++) {
		/* Open addressing; handles are spread well enough. */
		e = &g->at[(stack * 0x9e3779b1U + i) % STACKS];
		if (e->objects && e->stack != stack)
			continue;
		if (!e->objects) {
			e->stack = stack;
			e->youngest = when;
			e->oldest = when;
			e->pid = pid;
			g->nr++;
		}
		e->objects += objects;
		if (time_after(when, e->youngest)) {
			e->youngest = when;
			e->pid = pid;
		}
		if (time_before(when, e->oldest))
			e->oldest = when;
		g->traced += objects;
		return;
	}
}

/* Most objects first; empty places last. */
static int compare(const void *a, const void *b)
{
	const struct quarry_gathered *x = a, *y = b;

	return x->objects < y->objects ? 1 : -(x->objects > y->objects);
}

/* Nothing is added from here on. Context: sleeps. */
void quarry_gather_sort(struct quarry_gathering *g)
{
	sort(g->at, STACKS, sizeof(*g->at), compare, NULL);
}

void quarry_gather_end(struct quarry_gathering *g)
{
	kvfree(g->at);
}

/* Where nobody knows the function, the module is gone, and its address stands there. */
static void hide_addresses(char *text)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		text += strspn(text, " ");
		if (!strncmp(text, "0x", 2))
			memset(text + 2, '?', strcspn(text + 2, "\n"));
	}
}

/* A stack in words, without addresses. Context: any. */
void quarry_stack_write(depot_stack_handle_t stack, char *text, size_t room)
{
	stack_depot_snprint(stack, text, room, 0);
	hide_addresses(text);
}

/* All of a trace but its words. Context: any. */
void quarry_stack_tell(const struct quarry_gathered *e, struct quarry_trace *t)
{
	memset(t, 0, sizeof(*t));
	t->objects = e->objects;
	t->pid = e->pid;
	t->age_min_ms = jiffies_to_msecs(jiffies - e->youngest);
	t->age_max_ms = jiffies_to_msecs(jiffies - e->oldest);
}
