/* SPDX-License-Identifier: GPL-2.0 */
/* What belongs to a CPU is changed on that CPU. See visit.c. */
#ifndef QUARRY_VISIT_H
#define QUARRY_VISIT_H

#include <linux/types.h>

/* What came of one interrupt. */
enum quarry_answer {
	QUARRY_VISIT_DONE,	/* nothing is left to do there */
	QUARRY_VISIT_MORE,	/* that was a bite: there is more */
	QUARRY_VISIT_INSIDE,	/* it has landed where nothing can be changed */
};

/*
 * How long a visitor waits for a CPU that does not answer. A CPU that takes interrupts
 * answers within some ten microseconds; a virtual one may not run for milliseconds.
 */
enum quarry_patience {
	QUARRY_BRIEF,		/* 200 us: reclaim, and who comes by again */
	QUARRY_A_WHILE,		/* 20 ms for all of them: who holds a lock, and comes again */
	QUARRY_PATIENT,		/* a second for all of them: who fails otherwise */
	QUARRY_FOREVER,		/* who cannot do without */
};

/**
 * struct quarry_visitor - what a visit is about
 * @wanted:	has this CPU anything to do with it? Asked from outside before each
 *		interrupt, so the answer may be a moment old; may note in @data what it saw
 * @visit:	on that CPU, interrupts off; or for a CPU that has stopped, from another.
 *		No more than a bite; adds to @sum
 * @between:	@visit must find the CPU between two sections with preemption off, so that
 *		whatever had begun in one of them before has ended
 */
struct quarry_visitor {
	bool (*wanted)(void *data, int cpu);
	enum quarry_answer (*visit)(void *data, int cpu, u64 *sum);
	bool between;
};

bool quarry_visit_cpu(const struct quarry_visitor *v, void *data, int cpu,
		      enum quarry_patience patience, u64 *sum);
bool quarry_visit(const struct quarry_visitor *v, void *data, enum quarry_patience patience,
		  u64 *sum);
u64 quarry_visits_made(int cpu);
u64 quarry_visits_until(void);
void quarry_visits_stopped(unsigned int cpu);
int quarry_visits_init(void);
void quarry_visits_exit(void);

#endif /* QUARRY_VISIT_H */
