// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs: quarry/, for people and scripts. The caches are in debugfs_caches.c.
 *
 *	quarry/version
 *	quarry/buddyinfo		as /proc/buddyinfo, a line a pool and node
 *	quarry/visits			interrupts sent to each CPU
 *	quarry/forgotten		pools that were forgotten, and memory lost with them
 *	quarry/pools/NAME/stats		everything in numbers
 *	quarry/pools/NAME/orders	free, on per-CPU lists, handed out, taken back by order
 *	quarry/pools/NAME/arenas	the blocks taken from the kernel
 *	quarry/pools/NAME/fragmentation	indices by order
 *	quarry/pools/NAME/map		a character for every 2 MiB area
 *	quarry/pools/NAME/percpu	the lists of each CPU
 *	quarry/pools/NAME/errors	misuse by kind
 *	quarry/pools/NAME/accounting	every byte of the pool, and that they add up
 *
 * All is read-only and shows no address, so it can be read under kernel lockdown.
 * The first line of each file but buddyinfo is "# quarry FILE FORMAT": a change of
 * format changes the number. Figures come from stats/snapshot.c alone.
 *
 * A file has the number of its pool, and looks at that (pages/pools.c) from open to close. So a
 * pool's folder goes, and its pool, while files are being read: nobody waits for a reader that
 * the scheduler lets wait. Whoever goes on reading then gets -EIO.
 *
 * Contexts: process context of the reader; module load and unload.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "../arena/directory.h"
#include "../cache/labels.h"
#include "../pages/misuse.h"
#include "../pages/visit.h"
#include "../stats/accounting.h"
#include "../stats/snapshot.h"
#include "interfaces.h"

/* Entries fetched at a time. */
#define BATCH	64

static struct dentry *root, *pools_dir;

static int version_show(struct seq_file *m, void *v)
{
	seq_puts(m, "# quarry version 1\n");
	seq_printf(m, "version %s\nabi %d\n", QUARRY_VERSION, QUARRY_ABI_VERSION);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(version);

static int visits_show(struct seq_file *m, void *v)
{
	int cpu;

	seq_puts(m, "# quarry visits 1\n# cpu interrupts\n");
	for_each_possible_cpu(cpu)
		seq_printf(m, "%d %llu\n", cpu, quarry_visits_made(cpu));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(visits);

static int forgotten_show(struct seq_file *m, void *v)
{
	seq_printf(m, "# quarry forgotten 1\npools %u\nlost_bytes %llu\n",
		   quarry_pools_forgotten(), quarry_pools_lost());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(forgotten);

static void buddyinfo_line(struct seq_file *m, struct quarry_pool *pool, int node,
			   struct quarry_pool_orders *orders)
{
	unsigned int k, max = quarry_max_order();

	quarry_pool_orders_snapshot(pool, node, orders);
	/* Parsers expect the kernel's orders: larger blocks count as several. */
	for (k = max + 1; k < QUARRY_NR_ORDERS; k++)
		orders->orders[max].free_blocks += orders->orders[k].free_blocks << (k - max);
	seq_printf(m, "Node %d, zone %8s ", node, pool->name);
	for (k = 0; k <= max; k++)
		seq_printf(m, "%6llu ", orders->orders[k].free_blocks);
	seq_putc(m, '\n');
}

static int buddyinfo_show(struct seq_file *m, void *v)
{
	struct quarry_pool_orders *orders = kzalloc(sizeof(*orders), GFP_KERNEL);
	struct quarry_pool *pool = NULL;
	unsigned int i;

	if (!orders)
		return -ENOMEM;
	while ((pool = quarry_pool_look_next(pool)))
		for (i = 0; i < pool->nr_zones - 1; i++)
			if (pool->zone[i])
				buddyinfo_line(m, pool, i, orders);
	kfree(orders);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(buddyinfo);

static int pool_open(struct inode *inode, struct file *file,
		     int (*show)(struct seq_file *m, void *v))
{
	struct quarry_pool *pool = quarry_pool_look_id((unsigned long)inode->i_private);
	int err = pool ? single_open(file, show, pool) : -ENOENT;

	if (err)
		quarry_pool_look_away(pool);
	return err;
}

static ssize_t pool_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	struct seq_file *m = file->private_data;

	return quarry_pool_has_gone(m->private) ? -EIO : seq_read(file, to, size, at);
}

static int pool_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	quarry_pool_look_away(m->private);
	return single_release(inode, file);
}

/* Operations of a pool's file, whose name_show() is shown. */
#define DEFINE_POOL_FILE(name)	\
	QUARRY_DEFINE_LOOK_FILE(name, pool_open, pool_read, pool_release)

void quarry_show_figures(struct seq_file *m, const struct quarry_figure *figures,
			 unsigned int nr, const void *from)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (quarry_figure_is_plain(&figures[i]))
			seq_printf(m, "%s %llu\n", figures[i].name,
				   quarry_figure_value(&figures[i], from));
}

static int stats_show(struct seq_file *m, void *v)
{
	struct quarry_pool *pool = m->private;
	struct quarry_pool_stats *st = kzalloc(sizeof(*st), GFP_KERNEL);

	if (!st)
		return -ENOMEM;
	quarry_pool_snapshot(pool, st);
	seq_puts(m, "# quarry stats 1\n");
	seq_printf(m, "name %s\nid %u\nnode %d\nlargest_order %d\n", st->name, st->id,
		   st->node, st->largest_order);
	quarry_show_figures(m, quarry_pool_figures, quarry_nr_pool_figures, st);
	kfree(st);
	return 0;
}

DEFINE_POOL_FILE(stats);

static int errors_show(struct seq_file *m, void *v)
{
	struct quarry_pool *pool = m->private;
	struct quarry_pool_stats *st = kzalloc(sizeof(*st), GFP_KERNEL);
	unsigned int k;

	if (!st)
		return -ENOMEM;
	quarry_pool_snapshot(pool, st);
	seq_puts(m, "# quarry errors 1\n");
	for (k = 0; k < QUARRY_NR_ERRORS; k++)
		seq_printf(m, "%s %llu\n", quarry_error_name(k), st->errors[k]);
	kfree(st);
	return 0;
}

DEFINE_POOL_FILE(errors);

/* A table with a line for each order. */
static int show_orders(struct seq_file *m, const char *head,
		       void (*line)(struct seq_file *m, const struct quarry_order_stats *o))
{
	struct quarry_pool_orders *o = kzalloc(sizeof(*o), GFP_KERNEL);
	unsigned int k;

	if (!o)
		return -ENOMEM;
	quarry_pool_orders_snapshot(m->private, QUARRY_ANY_NODE, o);
	seq_puts(m, head);
	for (k = 0; k < o->nr_orders; k++) {
		seq_printf(m, "%u", k);
		line(m, &o->orders[k]);
		seq_putc(m, '\n');
	}
	kfree(o);
	return 0;
}

static void orders_line(struct seq_file *m, const struct quarry_order_stats *o)
{
	seq_printf(m, " %llu %llu %llu %llu", o->free_blocks, o->pcp_blocks, o->allocs,
		   o->frees);
}

static int orders_show(struct seq_file *m, void *v)
{
	return show_orders(m, "# quarry orders 1\n# order free pcp allocs frees\n",
			   orders_line);
}

DEFINE_POOL_FILE(orders);

static void show_milli(struct seq_file *m, int milli)
{
	seq_printf(m, " %s%d.%03d", milli < 0 ? "-" : "", abs(milli) / 1000,
		   abs(milli) % 1000);
}

static void fragmentation_line(struct seq_file *m, const struct quarry_order_stats *o)
{
	show_milli(m, o->unusable_milli);
	show_milli(m, o->extfrag_milli);
}

static int fragmentation_show(struct seq_file *m, void *v)
{
	return show_orders(m, "# quarry fragmentation 1\n# order unusable extfrag\n",
			   fragmentation_line);
}

DEFINE_POOL_FILE(fragmentation);

static int arenas_show(struct seq_file *m, void *v)
{
	static const char * const kinds[] = { "kernel", "pages", "device" };
	struct quarry_pool *pool = m->private;
	struct quarry_arena_stats *a;
	unsigned int n, i;
	u64 at = 0;

	a = kmalloc_array(BATCH, sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	seq_puts(m, "# quarry arenas 1\n# arena node kind frames free largest metadata_bytes\n");
	do {
		n = quarry_pool_arenas_snapshot(pool, at, a, BATCH);
		for (i = 0; i < n; i++)
			seq_printf(m, "%u %d %s %u %u %d %llu\n", a[i].id, a[i].node,
				   kinds[a[i].kind], a[i].frames, a[i].free, a[i].largest,
				   a[i].metadata_bytes);
		at += n;
	} while (n == BATCH);
	kfree(a);
	return 0;
}

DEFINE_POOL_FILE(arenas);

/* '.' all free, '#' none, else the tenths that are in use, rounded down. */
static char map_char(const struct quarry_map_area *a)
{
	if (a->state == QUARRY_AREA_FREE)
		return '.';
	if (a->state == QUARRY_AREA_FULL)
		return '#';
	return '0' + (a->frames - a->free) * 10 / a->frames;
}

static int map_show(struct seq_file *m, void *v)
{
	struct quarry_pool *pool = m->private;
	struct quarry_map_area *a;
	unsigned int n, i;
	u64 at = 0, total;

	a = kmalloc_array(BATCH, sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	seq_puts(m, "# quarry map 1\n# one character for 2 MiB: . free, 0-9 tenths used, # full\n");
	do {
		n = quarry_pool_map_snapshot(pool, at, a, BATCH, &total);
		if (n)
			seq_printf(m, "%llu ", at);
		for (i = 0; i < n; i++)
			seq_putc(m, map_char(&a[i]));
		if (n)
			seq_putc(m, '\n');
		at += n;
	} while (n == BATCH);
	kfree(a);
	return 0;
}

DEFINE_POOL_FILE(map);

static int percpu_show(struct seq_file *m, void *v)
{
	struct quarry_pool *pool = m->private;
	struct quarry_cpu_stats st;
	unsigned int k;
	int cpu;

	seq_puts(m, "# quarry percpu 1\n# cpu order pcp capacity allocs frees strays\n");
	for_each_possible_cpu(cpu)
		for (k = 0; k <= quarry_max_order(); k++) {
			quarry_pool_cpu_snapshot(pool, cpu, k, &st);
			seq_printf(m, "%d %u %u %u %llu %llu %u\n", cpu, k, st.n, st.cap,
				   st.allocs, st.frees, st.strays);
		}
	return 0;
}

DEFINE_POOL_FILE(percpu);

#define FIELD(name)	\
	{ __stringify(name), offsetof(struct quarry_accounting, name), QUARRY_FIGURE_BYTES }
static const struct quarry_figure accounting_fields[] = {
	FIELD(taken_bytes),
	FIELD(object_bytes),
	FIELD(magazine_bytes),
	FIELD(partial_bytes),
	FIELD(waste_bytes),
	FIELD(pages_bytes),
	FIELD(pcp_bytes),
	FIELD(free_bytes),
	FIELD(retired_bytes),
	FIELD(metadata_bytes),
};

#undef FIELD

static int accounting_show(struct seq_file *m, void *v)
{
	struct quarry_accounting a;
	int err = quarry_pool_accounting(m->private, &a);

	if (err)
		return err;
	seq_puts(m, "# quarry accounting 1\n");
	quarry_show_figures(m, accounting_fields, ARRAY_SIZE(accounting_fields), &a);
	seq_printf(m, "unaccounted_bytes %lld\n", a.unaccounted_bytes);
	seq_printf(m,
		   "# %llu taken = %llu in objects + %llu in magazines + %llu in partial slabs + %llu waste of slabs + %llu in pages with clients + %llu on per-CPU lists + %llu free + %llu retired + %llu metadata, off by %lld\n",
		   a.taken_bytes, a.object_bytes, a.magazine_bytes, a.partial_bytes,
		   a.waste_bytes, a.pages_bytes, a.pcp_bytes, a.free_bytes,
		   a.retired_bytes, a.metadata_bytes, a.unaccounted_bytes);
	seq_printf(m,
		   "# of all pools together, and in none of the above\nlabel_bytes %llu\ndirectory_bytes %llu\n",
		   quarry_label_bytes(),
		   quarry_directory_bytes() + quarry_labels_table_bytes());
	return 0;
}

DEFINE_POOL_FILE(accounting);

static const struct quarry_file pool_files[] = {
	{ "stats", &stats_fops },
	{ "orders", &orders_fops },
	{ "arenas", &arenas_fops },
	{ "fragmentation", &fragmentation_fops },
	{ "map", &map_fops },
	{ "percpu", &percpu_fops },
	{ "errors", &errors_fops },
	{ "accounting", &accounting_fops },
};

void quarry_debugfs_files(struct dentry *folder, const struct quarry_file *files,
			  unsigned int nr, u32 id)
{
	unsigned int i;

	/* debugfs calls it unsafe that files are read when their folder goes; these may be. */
	for (i = 0; i < nr; i++)
		debugfs_create_file_unsafe(files[i].name, 0444, folder,
					   (void *)(unsigned long)id, files[i].fops);
}

static void pool_created(struct quarry_pool *pool)
{
	pool->debugfs = debugfs_create_dir(pool->name, pools_dir);
	quarry_debugfs_files(pool->debugfs, pool_files, ARRAY_SIZE(pool_files),
			     pool->registered.id);
}

static void pool_destroyed(struct quarry_pool *pool)
{
	debugfs_remove(pool->debugfs);
}

static struct quarry_pool_watcher watcher = {
	.created = pool_created,
	.destroyed = pool_destroyed,
};

/**
 * quarry_debugfs_init() - put up the tree
 *
 * As everywhere in the kernel, a debugfs that cannot be had is no error: quarry
 * works without. Context: module load. Return: 0.
 */
int __init quarry_debugfs_init(void)
{
	root = debugfs_create_dir("quarry", NULL);
	pools_dir = debugfs_create_dir("pools", root);
	debugfs_create_file("version", 0444, root, NULL, &version_fops);
	debugfs_create_file("buddyinfo", 0444, root, NULL, &buddyinfo_fops);
	debugfs_create_file("visits", 0444, root, NULL, &visits_fops);
	debugfs_create_file("forgotten", 0444, root, NULL, &forgotten_fops);
	quarry_pool_watch(&watcher);
	quarry_debugfs_caches_init(root);
	return 0;
}

void quarry_debugfs_exit(void)
{
	quarry_debugfs_caches_exit();
	quarry_pool_unwatch(&watcher);
	debugfs_remove(root);
}
