/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: a CPU is a thread. Its part of everything lies at the same distance. */
#ifndef _LISTS_LINUX_PERCPU_H
#define _LISTS_LINUX_PERCPU_H

#include <linux/compiler.h>
#include <linux/preempt.h>

/* Bytes between the parts of two CPUs, and most CPUs. */
#define LISTS_UNIT	0x10000UL
#define LISTS_CPUS	8

extern __thread unsigned long lists_cpu_offset;

#define per_cpu_ptr(p, cpu)	((__typeof__(p))((char *)(p) + (cpu) * LISTS_UNIT))
#define this_cpu_ptr(p)		((__typeof__(p))((char *)(p) + lists_cpu_offset))
#define raw_cpu_ptr(p)		this_cpu_ptr(p)
#define raw_smp_processor_id()	((int)(lists_cpu_offset / LISTS_UNIT))
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < LISTS_CPUS; (cpu)++)

#endif
