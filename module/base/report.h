/* SPDX-License-Identifier: GPL-2.0 */
/* Reports of what clients did wrong, from any context. See report.c. */
#ifndef QUARRY_REPORT_H
#define QUARRY_REPORT_H

#include <linux/stackdepot.h>
#include <linux/types.h>

struct quarry_report;

struct quarry_report *quarry_report_begin(u32 kind);
__printf(2, 3)
void quarry_report_say(struct quarry_report *r, const char *fmt, ...);
void quarry_report_who(struct quarry_report *r, const char *what, depot_stack_handle_t stack,
		       u32 pid, unsigned long when);
void quarry_report_end(struct quarry_report *r);
__printf(2, 3)
void quarry_report_message(bool warning, const char *fmt, ...);
#if IS_ENABLED(CONFIG_KUNIT)
void quarry_reports_forget(void);
#endif
void quarry_reports_exit(void);

#endif /* QUARRY_REPORT_H */
