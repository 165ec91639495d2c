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

/* chardev.c: the name that a struct has, -EINVAL if it is none */
int quarry_chardev_check_name(const char *name);

/* chardev_caches.c: calls, each with its copied struct */
int quarry_do_cache_list(void *arg);
int quarry_do_cache_stats(void *arg);
int quarry_do_cache_shrink(void *arg);
int quarry_do_cache_validate(void *arg);
int quarry_do_cache_modes(void *arg);
int quarry_do_cache_traces(void *arg);

/* debugfs_caches.c */
void quarry_debugfs_caches_init(struct dentry *root);
void quarry_debugfs_caches_exit(void);

#endif /* QUARRY_FACES_H */
