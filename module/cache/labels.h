/* SPDX-License-Identifier: GPL-2.0 */
/* The labels of frames. See labels.c. */
#ifndef QUARRY_LABELS_H
#define QUARRY_LABELS_H

#include <linux/quarry_cache.h>

int quarry_labels_init(void);
void quarry_labels_exit(void);
bool quarry_label_frames(unsigned long pfn, unsigned long nr, u64 label, gfp_t gfp);
bool quarry_unlabel_frame(unsigned long pfn, u64 label);
u64 quarry_label_bytes(void);
u64 quarry_labels_table_bytes(void);

#endif /* QUARRY_LABELS_H */
