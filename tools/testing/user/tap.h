/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KTAP, version 1, on stdout. Each test runs in a child: one that aborts, faults
 * or hangs fails alone.
 */
#ifndef TAP_H
#define TAP_H

#include <linux/types.h>

void tap_plan(unsigned int nr);
void tap_run(const char *name, void (*test)(const void *arg), const void *arg);
void tap_require(bool holds, const char *what);
int tap_end(void);

u64 env_number(const char *name, u64 otherwise);

#endif
