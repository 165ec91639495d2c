// SPDX-License-Identifier: GPL-2.0
/*
 * quarry_bench: what pages and objects cost, from quarry and from its peers, in one boot.
 *
 * Loading runs the workloads whose names begin with a word of the parameter run,
 * all of them without it; insmod returns when they are done. The results are then
 * in debugfs quarry_bench/results, and go with the module:
 *
 *	insmod quarry_bench.ko run=page.pair.o0,page.bulk
 *	cat /sys/kernel/debug/quarry_bench/results
 *	rmmod quarry_bench
 *
 * tools/bench/run does that in the VM that counts instructions.
 */
#include <linux/module.h>
#include <linux/string.h>

#include "bench.h"
#include "results.h"

static char *run = "page.";
module_param(run, charp, 0444);
MODULE_PARM_DESC(run, "workloads to run: beginnings of their names, with commas between");

const struct bench_arm *const bench_arms[] = {
	&bench_quarry,
	&bench_kernel,
#ifdef CONFIG_GENERIC_ALLOCATOR
	&bench_genpool,
#endif
	NULL
};

const struct bench_arm *const bench_whole_arms[] = {
	&bench_quarry,
	&bench_kernel,
	&bench_list,
#ifdef CONFIG_GENERIC_ALLOCATOR
	&bench_genpool,
#endif
	NULL
};

const struct bench_arm *const bench_cache_arms[] = {
	&bench_cache,
	&bench_kmem,
#ifdef BENCH_SHEAVES
	&bench_sheaves,
#endif
	NULL
};

const struct bench_arm *const bench_malloc_arms[] = { &bench_malloc, &bench_kmalloc, NULL };

bool bench_wanted(const char *workload)
{
	const char *word = run;
	size_t length;

	for (; *word; word += length + (word[length] == ',')) {
		length = strcspn(word, ",");
		if (length && !strncmp(workload, word, length))
			return true;
	}
	return false;
}

static int __init quarry_bench_init(void)
{
	int err;

	err = bench_results_open();
	if (err)
		return err;
	bench_harness();
	err = bench_pages() ?: bench_objects() ?: bench_density() ?: bench_waste() ?:
	      bench_remote() ?: bench_frag() ?: bench_fail() ?: bench_fifo() ?:
	      bench_longest() ?: bench_smp();
	if (err) {
		bench_results_close();
		return err;
	}
	bench_results_show();
	return 0;
}

static void __exit quarry_bench_exit(void)
{
	bench_results_close();
}

module_init(quarry_bench_init);
module_exit(quarry_bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What pages and objects cost, from quarry and from its peers");
MODULE_INFO(import_ns, "QUARRY");
