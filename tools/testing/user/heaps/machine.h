/* SPDX-License-Identifier: GPL-2.0 */
/* What the stubs in linux/ do, and what tests ask of it. */
#ifndef HEAPS_MACHINE_H
#define HEAPS_MACHINE_H

/* So many allocations until one fails; 0: none does. */
extern unsigned int heaps_fail_in;
/* Allocations that nobody has freed. */
extern long heaps_out;

#endif
