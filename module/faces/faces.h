/* SPDX-License-Identifier: GPL-2.0 */
/* The faces: what people and programs see of quarry. */
#ifndef QUARRY_FACES_H
#define QUARRY_FACES_H

#include <linux/types.h>

struct dentry;
struct seq_file;

int quarry_debugfs_init(void);
void quarry_debugfs_exit(void);
int quarry_chardev_init(void);
void quarry_chardev_exit(void);

/**
 * struct quarry_figure - a u64 of a struct that is shown under its name
 * @name:	of the field
 * @offset:	in the struct
 */
struct quarry_figure {
	const char *name;
	size_t offset;
};

#define QUARRY_FIGURE(type, field) { __stringify(field), offsetof(struct type, field) }

/* debugfs.c: lines of "name value" */
void quarry_show_figures(struct seq_file *m, const struct quarry_figure *figures,
			 unsigned int nr, const void *from);

/* debugfs_caches.c */
void quarry_debugfs_caches_init(struct dentry *root);
void quarry_debugfs_caches_exit(void);

#endif /* QUARRY_FACES_H */
