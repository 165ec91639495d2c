// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters of the module: what they are, what they may be, and what is chosen for those that
 * are not given.
 *
 * Each is a whole number with a range, and a value outside it is refused by name when the
 * module is loaded, as is one that does not go with the others or with the machine. None can be
 * changed later. The values are seen here alone; main.c asks for what they come to.
 *
 * Contexts: module load.
 */
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>

#include "pages/pool.h"
#include "params.h"

/**
 * struct quarry_param - a whole number with a range, told by name when it is not
 * @name:	of the parameter
 * @unit:	what it counts
 * @value:	its value
 * @min:	least
 * @max:	most
 */
struct quarry_param {
	const char *name;
	const char *unit;
	long long value;
	long long min;
	long long max;
};

static int param_set(const char *text, const struct kernel_param *kp)
{
	struct quarry_param *p = kp->arg;
	long long value;

	if (!text || kstrtoll(text, 10, &value) || value < p->min || value > p->max) {
		pr_err("%s=%s: must be a whole number%s%s from %lld to %lld\n", p->name,
		       text ?: "", *p->unit ? " of " : "", p->unit, p->min, p->max);
		return -EINVAL;
	}
	p->value = value;
	return 0;
}

static int param_get(char *text, const struct kernel_param *kp)
{
	const struct quarry_param *p = kp->arg;

	return sysfs_emit(text, "%lld\n", p->value);
}

static const struct kernel_param_ops param_ops = {
	.set = param_set,
	.get = param_get,
};

#define MB_MAX	0x40000000LL		/* 1 PiB */

/* A parameter whose default depends on others. */
#define NOT_GIVEN	-1

static struct quarry_param pool_min_mb = {
	.name = "pool_min_mb", .unit = "MiB", .value = 4, .min = 0, .max = MB_MAX,
};
module_param_cb(pool_min_mb, &param_ops, &pool_min_mb, 0444);
MODULE_PARM_DESC(pool_min_mb,
		 "MiB that the default pool takes at load and never gives back (4)");

static struct quarry_param pool_max_mb = {
	.name = "pool_max_mb", .unit = "MiB", .value = 0, .min = 0, .max = MB_MAX,
};
module_param_cb(pool_max_mb, &param_ops, &pool_max_mb, 0444);
MODULE_PARM_DESC(pool_max_mb,
		 "most MiB of the default pool; 0: a quarter of the machine's memory (0)");

static struct quarry_param pool_reserve_kb = {
	.name = "pool_reserve_kb", .unit = "KiB", .value = NOT_GIVEN, .min = 0, .max = MB_MAX,
};
module_param_cb(pool_reserve_kb, &param_ops, &pool_reserve_kb, 0444);
MODULE_PARM_DESC(pool_reserve_kb,
		 "KiB of the default pool for callers that must not fail, GFP_ATOMIC, and for those who write back, GFP_NOFS (a sixteenth of pool_max_mb, at most 1024)");

static struct quarry_param pool_low_mb = {
	.name = "pool_low_mb", .unit = "MiB", .value = NOT_GIVEN, .min = 0, .max = MB_MAX,
};
module_param_cb(pool_low_mb, &param_ops, &pool_low_mb, 0444);
MODULE_PARM_DESC(pool_low_mb,
		 "the default pool grows in the background when less MiB are free; 0: never (by the cap as the kernel's min_free_kbytes by its memory: 2 for 64 MiB, 9 for 4 GiB)");

static struct quarry_param pool_node = {
	.name = "pool_node", .unit = "", .value = NUMA_NO_NODE,
	.min = NUMA_NO_NODE, .max = MAX_NUMNODES - 1,
};
module_param_cb(pool_node, &param_ops, &pool_node, 0444);
MODULE_PARM_DESC(pool_node,
		 "NUMA node of the default pool; -1: any (-1)");

static struct quarry_param magazine_mb = {
	.name = "magazine_mb", .unit = "MiB", .value = 0, .min = 0, .max = MB_MAX,
};
module_param_cb(magazine_mb, &param_ops, &magazine_mb, 0444);
MODULE_PARM_DESC(magazine_mb,
		 "most MiB of objects in magazines of all caches; 0: a 32nd of the machine's memory (0)");

static struct quarry_param watch_kfree = {
	.name = "watch_kfree", .unit = "", .value = 0, .min = 0, .max = 1,
};
module_param_cb(watch_kfree, &param_ops, &watch_kfree, 0444);
MODULE_PARM_DESC(watch_kfree,
		 "1: each kfree() of the kernel's is looked at, and one of our memory told with a stack (0)");

static struct quarry_param device_gid = {
	.name = "device_gid", .unit = "", .value = -1, .min = -1, .max = U32_MAX - 1LL,
};
module_param_cb(device_gid, &param_ops, &device_gid, 0444);
MODULE_PARM_DESC(device_gid,
		 "number of the group that may open /dev/quarry beside root; -1: none (-1)");

static int check_against_max(const struct quarry_param *p, u64 bytes, u64 max)
{
	if (bytes <= max)
		return 0;
	pr_err("%s=%lld: must be from 0 to %llu, the most of the default pool\n", p->name,
	       p->value, p == &pool_reserve_kb ? max >> 10 : max >> 20);
	return -EINVAL;
}

static int check_against_machine(const struct quarry_param *p, u64 bytes)
{
	if (bytes >> PAGE_SHIFT <= totalram_pages())
		return 0;
	pr_err("%s=%lld: the machine has not that much memory to give\n", p->name, p->value);
	return -ENOMEM;
}

/*
 * What the default pool has free before somebody asks who cannot wait. The kernel has the
 * same question of its own memory, so this is its answer (init_per_zone_wmark_min() in
 * mm/page_alloc.c): the root of sixteen times the memory, in KiB. It is beside the reserve,
 * and no more than a quarter of what there is, the rest of which is for use.
 */
static long long __init default_low_mb(u64 max_bytes)
{
	u64 bytes = min(max_bytes, (u64)totalram_pages() << PAGE_SHIFT);
	u64 kb = pool_reserve_kb.value + int_sqrt64((bytes >> 10) * 16);

	return min(DIV_ROUND_UP_ULL(kb, 1024), bytes / SZ_4M);
}

/**
 * quarry_params_default_pool() - make the default pool as the parameters say
 *
 * What is not given is chosen here, and what cannot be is told by the parameter's name.
 *
 * Context: module load. Return: 0, or a negative error.
 */
int __init quarry_params_default_pool(void)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	int err;

	cfg.max_bytes = pool_max_mb.value << 20;
	if (!cfg.max_bytes)
		cfg.max_bytes = max(PAGE_ALIGN((u64)totalram_pages() * PAGE_SIZE / 4),
				    (u64)pool_min_mb.value << 20);
	cfg.min_bytes = pool_min_mb.value << 20;
	/* A guest that writes back what it has needs some memory for that. */
	if (pool_reserve_kb.value == NOT_GIVEN)
		pool_reserve_kb.value = min_t(u64, cfg.max_bytes / 16, SZ_1M) >> 10;
	cfg.reserve_bytes = PAGE_ALIGN(pool_reserve_kb.value << 10);
	if (pool_low_mb.value == NOT_GIVEN)
		pool_low_mb.value = default_low_mb(cfg.max_bytes);
	cfg.low_bytes = pool_low_mb.value << 20;
	cfg.node = pool_node.value;
	err = check_against_max(&pool_min_mb, cfg.min_bytes, cfg.max_bytes) ?:
	      check_against_max(&pool_reserve_kb, cfg.reserve_bytes, cfg.max_bytes) ?:
	      check_against_max(&pool_low_mb, cfg.low_bytes, cfg.max_bytes) ?:
	      check_against_machine(&pool_reserve_kb, cfg.reserve_bytes) ?:
	      check_against_machine(&pool_low_mb, cfg.low_bytes);
	if (err)
		return err;
	err = quarry_default_pool_init(&cfg);
	if (err == -ENODEV)
		pr_err("pool_node=%lld: there is no such node with memory\n",
		       pool_node.value);
	else if (err == -ENOMEM)
		pr_err("pool_min_mb=%lld: the machine has not that much memory to give\n",
		       pool_min_mb.value);
	return err;
}

/* Most bytes of objects in magazines of all caches; 0: as the machine's memory says. */
u64 __init quarry_params_magazine_bytes(void)
{
	return (u64)magazine_mb.value << 20;
}

/* Is each kfree() of the kernel's to be looked at? */
bool __init quarry_params_watch_kfree(void)
{
	return watch_kfree.value;
}

/* The group that may open the device beside root, or -1. */
s64 __init quarry_params_device_gid(void)
{
	return device_gid.value;
}
