/* SPDX-License-Identifier: GPL-2.0 */
/* Sizes and lives as a machine at work has them; see trace.c. */
#ifndef QUARRY_FRAG_TRACE_H
#define QUARRY_FRAG_TRACE_H

#include "drive.h"

void frag_run_trace(struct frag_drive *d, const struct frag_workload *w);

#endif /* QUARRY_FRAG_TRACE_H */
