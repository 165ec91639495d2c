/* SPDX-License-Identifier: GPL-2.0 */
/* A machine for the object layer in user space. See machine.c. */
#ifndef OBJECTS_MACHINE_H
#define OBJECTS_MACHINE_H

#include "../lists/machine.h"

struct quarry_pool *machine_objects_init(u32 mib);
void machine_objects_exit(void);
void machine_grace_period(void);
void machine_interrupts(void);
void machine_reap(void);

/* What was reported, and how many objects were out of caches that were destroyed. */
extern u64 machine_reports;
extern u64 machine_leaks;

#endif
