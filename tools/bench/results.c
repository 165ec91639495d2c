// SPDX-License-Identifier: GPL-2.0
/*
 * Results: lines of text, kept until the module goes.
 *
 *	quarry_bench 1				format and version
 *	value WORKLOAD UNIT ARM NUMBER		NUMBER with three decimals
 *	batches WORKLOAD ARM OPS FIRST MEDIAN LAST	thousandths for each operation
 *	against WORKLOAD ARM CONTROL QUARTILE MEDIAN QUARTILE	thousandths
 *	wrong ...				a figure that must not be believed
 *	note ...				for people
 *
 * They are read from debugfs quarry_bench/results. Written by one thread.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "bench.h"
#include "results.h"

static struct debugfs_blob_wrapper results;
static struct dentry *folder;

__printf(1, 2) void bench_say(const char *format, ...)
{
	size_t room = SZ_64K - results.size;
	va_list args;

	va_start(args, format);
	results.size += vscnprintf(results.data + results.size, room, format, args);
	va_end(args);
}

void bench_value(const char *workload, const char *unit, const char *arm, u64 milli)
{
	u32 rest;
	u64 whole = div_u64_rem(milli, 1000, &rest);

	bench_say("value %s %s %s %llu.%03u\n", workload, unit, arm, whole, rest);
}

int bench_results_open(void)
{
	results.data = kvzalloc(SZ_64K, GFP_KERNEL);
	if (!results.data)
		return -ENOMEM;
	results.size = 0;
	bench_say("quarry_bench 1\n");
	return 0;
}

void bench_results_show(void)
{
	folder = debugfs_create_dir("quarry_bench", NULL);
	debugfs_create_blob("results", 0444, folder, &results);
}

void bench_results_close(void)
{
	debugfs_remove(folder);
	kvfree(results.data);
}
