/* SPDX-License-Identifier: GPL-2.0 */
/* The interfaces: what people and programs see of quarry. */
#ifndef QUARRY_INTERFACES_H
#define QUARRY_INTERFACES_H

#include <linux/fs.h>
#include <linux/types.h>
#include <uapi/linux/quarry.h>

struct dentry;
struct quarry_figure;
struct quarry_trace;
struct seq_file;

/* debugfs.c: module load and unload */
int quarry_debugfs_init(void);
void quarry_debugfs_exit(void);

/* chardev.c: the same */
int quarry_chardev_init(s64 gid);
void quarry_chardev_exit(void);

/**
 * struct quarry_file - a file in the folder of a pool or a cache
 * @name:	its name
 * @fops:	what it can do
 */
struct quarry_file {
	const char *name;
	const struct file_operations *fops;
};

/*
 * Operations of a file whose name_show() is shown. @open looks at the pool or cache whose number
 * the inode has, and @release looks away; @read is seq_read() as long as it has not gone.
 */
#define QUARRY_DEFINE_LOOK_FILE(name, open_look, read_look, release_look)	\
static int name##_open(struct inode *inode, struct file *file)			\
{										\
	return open_look(inode, file, name##_show);				\
}										\
										\
static const struct file_operations name##_fops = {				\
	.owner = THIS_MODULE,							\
	.open = name##_open,							\
	.read = read_look,							\
	.llseek = seq_lseek,							\
	.release = release_look,						\
}

/* debugfs.c: these files in a folder, of the pool or cache with that number */
void quarry_debugfs_files(struct dentry *folder, const struct quarry_file *files,
			  unsigned int nr, u32 id);

/* debugfs.c: lines of "name value" for those that are plain */
void quarry_show_figures(struct seq_file *m, const struct quarry_figure *figures,
			 unsigned int nr, const void *from);

/**
 * struct quarry_call - one ioctl
 * @number:	its number
 * @size:	of the struct, as this module knows it
 * @first:	its size as it was published first: no program has a shorter one
 * @right:	who may
 * @flags:	those that it knows
 * @fn:		does it: @arg is the copied struct
 */
struct quarry_call {
	u8 number;
	u16 size;
	u16 first;
	enum quarry_call_right right;
	u32 flags;
	int (*fn)(void *arg);
};

/* Of a line of QUARRY_POOL_CALLS or QUARRY_CACHE_CALLS: the functions are do_...() here. */
#define QUARRY_CALL(NAME, function, type, first, right, flags, text)		\
	{ _IOC_NR(QUARRY_IOC_##NAME), sizeof(struct type), first,		\
	  QUARRY_CALL_##right, flags, do_##function },

/* chardev_caches.c: the call with a number, or NULL */
const struct quarry_call *quarry_chardev_cache_call(unsigned int number);

/* node.c */
int quarry_node_init(const struct file_operations *fops, s64 gid);
void quarry_node_exit(void);

/* chardev.c: the name that a struct has, -EINVAL if it is none */
int quarry_chardev_check_name(const char *name);

/* chardev.c: answer with the entries that list() writes, and with the stacks of get() */
int quarry_chardev_list(unsigned int (*list)(u64 *from, void *entries, unsigned int room),
			unsigned int (*number)(void), size_t size, u64 to, u32 capacity,
			u32 *count);
int quarry_chardev_traces(int (*get)(void *arg, struct quarry_trace *traces, u32 room), void *arg,
			  u64 to, u32 capacity, const u32 *count);

/* debugfs_caches.c */
void quarry_debugfs_caches_init(struct dentry *root);
void quarry_debugfs_caches_exit(void);

#endif /* QUARRY_INTERFACES_H */
