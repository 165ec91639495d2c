// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs: the caches, malloc's size classes among them.
 *
 *	quarry/slabinfo				as /proc/slabinfo 2.1, a line a cache
 *	quarry/caches/NAME/stats		everything in numbers
 *	quarry/caches/NAME/slabs		slabs of each node by how full they are
 *	quarry/caches/NAME/magazines		those of each CPU, and each node's depot
 *	quarry/caches/NAME/errors		misuse by kind
 *	quarry/caches/NAME/alloc_traces		who has objects, by stack
 *	quarry/caches/NAME/free_traces		who freed those that nobody has
 *
 * As debugfs.c: read-only, no address, figures from stats/ alone. The first lines say
 * "# quarry cache-FILE FORMAT", since pools have files of the same names.
 *
 * As there, a file has the number of its cache and looks at that (cache/cache.c) from open to
 * close, so that nobody waits for a reader. A cache that was destroyed with objects out stands
 * in slabinfo as NAME:dead-ID, for its name may be another's by now.
 *
 * Contexts: process context of the reader; module load and unload.
 *
 * Cost: slabs and traces walk lists under a node's lock; the others only add up.
 */
#include <linux/bitops.h>
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "../stats/caches.h"
#include "interfaces.h"

/* Stacks that a file of traces shows. */
#define TRACES	1024

static struct dentry *caches_dir;

static void slabinfo_line(struct seq_file *m, struct quarry_cache *cache,
			  struct quarry_cache_stats *st)
{
	char name[sizeof(st->name) + sizeof(":dead-4294967295")];
	struct quarry_cache_sums sums;

	quarry_cache_snapshot(cache, st);
	quarry_cache_sums_snapshot(cache, &sums);
	if (st->kind == QUARRY_CACHE_DEAD)
		snprintf(name, sizeof(name), "%s:dead-%u", st->name, st->id);
	else
		strscpy(name, st->name, sizeof(name));
	seq_printf(m, "%-17s %6llu %6llu %6u %4u %4d", name, st->objects_out, sums.objects,
		   st->stride, st->objects_per_slab, 1 << st->order);
	/* What SLAB had: an array a CPU, moved in batches, and one that they share. */
	seq_printf(m, " : tunables %4u %4u %4u", st->magazine_capacity, st->magazine_capacity,
		   0);
	seq_printf(m, " : slabdata %6llu %6llu %6llu\n", st->slabs - st->slabs_empty, st->slabs,
		   sums.depot);
}

static int slabinfo_show(struct seq_file *m, void *v)
{
	struct quarry_cache_stats *st = kzalloc(sizeof(*st), GFP_KERNEL);
	struct quarry_cache *cache = NULL;

	if (!st)
		return -ENOMEM;
	/* To the letter what mm/slab_common.c prints: parsers compare. */
	seq_puts(m, "slabinfo - version: 2.1\n");
	seq_puts(m, "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>");
	seq_puts(m, " : tunables <limit> <batchcount> <sharedfactor>");
	seq_puts(m, " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	while ((cache = quarry_cache_look_next(cache)))
		slabinfo_line(m, cache, st);
	kfree(st);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(slabinfo);

static int cache_open(struct inode *inode, struct file *file,
		      int (*show)(struct seq_file *m, void *v))
{
	struct quarry_cache *cache = quarry_cache_look_id((unsigned long)inode->i_private);
	int err = cache ? single_open(file, show, cache) : -ENOENT;

	if (err)
		quarry_cache_look_away(cache);
	return err;
}

static ssize_t cache_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	struct seq_file *m = file->private_data;

	return quarry_cache_has_gone(m->private) ? -EIO : seq_read(file, to, size, at);
}

static int cache_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	quarry_cache_look_away(m->private);
	return single_release(inode, file);
}

/* Operations of a cache's file, whose name_show() is shown. */
#define DEFINE_CACHE_FILE(name)						\
	QUARRY_DEFINE_LOOK_FILE(name, cache_open, cache_read, cache_release)

static const char * const kinds[] = {
	[QUARRY_CACHE_TYPED] = "typed",
	[QUARRY_CACHE_CLASS] = "class",
	[QUARRY_CACHE_DEAD]  = "dead",
};

#define MODE(NAME, word, text)	{ #word, QUARRY_MODE_##NAME },
static const struct {
	const char *word;
	u32 bit;
} modes[] = QUARRY_CACHE_MODE_LIST(MODE);

static_assert(HWEIGHT32(QUARRY_MODES) == ARRAY_SIZE(modes));

static void show_modes(struct seq_file *m, u32 on)
{
	unsigned int i;

	seq_puts(m, "modes");
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (on & modes[i].bit)
			seq_printf(m, " %s", modes[i].word);
	seq_puts(m, on ? "\n" : " none\n");
}

static int stats_show(struct seq_file *m, void *v)
{
	struct quarry_cache_stats *st = kzalloc(sizeof(*st), GFP_KERNEL);

	if (!st)
		return -ENOMEM;
	quarry_cache_snapshot(m->private, st);
	seq_puts(m, "# quarry cache-stats 1\n");
	seq_printf(m, "name %s\npool %s\nid %u\nkind %s\n", st->name, st->pool, st->id,
		   kinds[st->kind]);
	show_modes(m, st->modes);
	seq_printf(m, "object_size %u\nstride %u\nalign %u\norder %u\nobjects_per_slab %u\n",
		   st->object_size, st->stride, st->align, st->order, st->objects_per_slab);
	seq_printf(m, "magazine_capacity %u\n", st->magazine_capacity);
	quarry_show_figures(m, quarry_cache_figures, quarry_nr_cache_figures, st);
	kfree(st);
	return 0;
}

DEFINE_CACHE_FILE(stats);

static int errors_show(struct seq_file *m, void *v)
{
	struct quarry_cache_stats *st = kzalloc(sizeof(*st), GFP_KERNEL);
	unsigned int k;

	if (!st)
		return -ENOMEM;
	quarry_cache_snapshot(m->private, st);
	seq_puts(m, "# quarry cache-errors 1\n");
	for (k = 0; k < QUARRY_NR_CACHE_ERRORS; k++)
		seq_printf(m, "%s %llu\n", quarry_cache_error_name(k), st->errors[k]);
	kfree(st);
	return 0;
}

DEFINE_CACHE_FILE(errors);

static int slabs_show(struct seq_file *m, void *v)
{
	struct quarry_cache *cache = m->private;
	struct quarry_cache_node *n = NULL;
	struct quarry_cache_fill fill;
	unsigned int k;

	seq_puts(m, "# quarry cache-slabs 1\n# node full");
	for (k = 0; k < QUARRY_SLAB_BUCKETS; k++)
		seq_printf(m, " partial%u", k);
	seq_puts(m, " empty guarded\n");
	while ((n = quarry_cache_node_next(cache, n))) {
		quarry_cache_fill_snapshot(n, &fill);
		seq_printf(m, "%d %llu", fill.node, fill.full);
		for (k = 0; k < QUARRY_SLAB_BUCKETS; k++)
			seq_printf(m, " %llu", fill.partial[k]);
		seq_printf(m, " %llu %llu\n", fill.empty, fill.guarded);
	}
	return 0;
}

DEFINE_CACHE_FILE(slabs);

static int magazines_show(struct seq_file *m, void *v)
{
	struct quarry_cache *cache = m->private;
	struct quarry_cache_node *n = NULL;
	struct quarry_cache_fill fill;
	struct quarry_cache_cpu st;
	int cpu;

	seq_puts(m, "# quarry cache-magazines 2\n");
	seq_puts(m, "# \"cpu\" cpu objects loaded previous capacity allocs frees remote\n");
	for_each_possible_cpu(cpu) {
		quarry_cache_cpu_snapshot(cache, cpu, &st);
		seq_printf(m, "cpu %d %u %u %u %u %llu %llu %u\n", cpu, st.n, st.loaded,
			   st.previous, st.cap, st.allocs, st.frees, st.remote);
	}
	seq_puts(m, "# \"node\" node objects full spare quarantine\n");
	while ((n = quarry_cache_node_next(cache, n))) {
		quarry_cache_fill_snapshot(n, &fill);
		seq_printf(m, "node %d %llu %u %u %u\n", fill.node, fill.depot_objects,
			   fill.depot_full, fill.depot_spare, fill.quarantine);
	}
	return 0;
}

DEFINE_CACHE_FILE(magazines);

/* The stack's lines, set in a little further than the stack trace has them. */
static void debugfs_show_stack(struct seq_file *m, const struct quarry_trace *t)
{
	const char *at = t->text;
	size_t len;

	for (; *at; at += len + (at[len] == '\n')) {
		at = skip_spaces(at);
		len = strcspn(at, "\n");
		seq_printf(m, "        %.*s\n", (int)len, at);
	}
}

static int show_traces(struct seq_file *m, bool frees)
{
	struct quarry_trace *traces = kvcalloc(TRACES, sizeof(*traces), GFP_KERNEL);
	unsigned int i, nr;
	u64 untraced;
	int err;

	if (!traces)
		return -ENOMEM;
	err = quarry_cache_traces(m->private, frees, traces, TRACES, &nr, &untraced);
	if (!err) {
		seq_printf(m, "# quarry cache-%s_traces 1\n", frees ? "free" : "alloc");
		seq_puts(m, "# objects age=youngest/oldest in ms, pid=of the youngest\n");
		for (i = 0; i < min_t(unsigned int, nr, TRACES); i++) {
			seq_printf(m, "%7llu age=%llu/%llu pid=%u\n", traces[i].objects,
				   traces[i].age_min_ms, traces[i].age_max_ms, traces[i].pid);
			debugfs_show_stack(m, &traces[i]);
		}
		if (!frees)
			seq_printf(m, "untraced %llu\n", untraced);
	}
	kvfree(traces);
	return err;
}

static int alloc_traces_show(struct seq_file *m, void *v)
{
	return show_traces(m, false);
}

DEFINE_CACHE_FILE(alloc_traces);

static int free_traces_show(struct seq_file *m, void *v)
{
	return show_traces(m, true);
}

DEFINE_CACHE_FILE(free_traces);

static const struct quarry_file cache_files[] = {
	{ "stats", &stats_fops },
	{ "slabs", &slabs_fops },
	{ "magazines", &magazines_fops },
	{ "errors", &errors_fops },
	{ "alloc_traces", &alloc_traces_fops },
	{ "free_traces", &free_traces_fops },
};

static void cache_created(struct quarry_cache *cache)
{
	cache->debugfs = debugfs_create_dir(cache->name, caches_dir);
	quarry_debugfs_files(cache->debugfs, cache_files, ARRAY_SIZE(cache_files),
			     cache->registered.id);
}

static void cache_destroyed(struct quarry_cache *cache)
{
	debugfs_remove(cache->debugfs);
}

static struct quarry_cache_watcher watcher = {
	.created = cache_created,
	.destroyed = cache_destroyed,
};

/* Put up the caches' part of the tree. Context: module load. */
void __init quarry_debugfs_caches_init(struct dentry *root)
{
	caches_dir = debugfs_create_dir("caches", root);
	debugfs_create_file("slabinfo", 0444, root, NULL, &slabinfo_fops);
	quarry_cache_watch(&watcher);
}

/* Whoever removes the root removes the files. */
void quarry_debugfs_caches_exit(void)
{
	quarry_cache_unwatch(&watcher);
}
