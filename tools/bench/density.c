// SPDX-License-Identifier: GPL-2.0
/*
 * density.*: how many objects a MiB of slabs holds.
 *
 * A fresh cache is asked for objects, and the slab that holds most of them is full: a
 * slab is filled before the next one is begun. quarry says itself how large its slabs
 * are and how many objects they have, and the objects counted must agree. For the
 * kernel, objects are counted by the compound page that they lie in.
 *
 * density.meta.* is what quarry spends outside of its slabs on each object that is
 * out: descriptions of slabs, and magazines. Not in it are the parts of fixed size (a
 * CPU's, a node's), two bytes a frame for its tag, and what kmalloc() rounds the
 * descriptions up to. The kernel's are in struct page, which exists anyway.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/quarry_cache.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/sort.h>

#include "bench.h"

#define POOL_BYTES	SZ_128M
#define OBJECTS		20000
#define OBJECT_BYTES	SZ_64M		/* at most */

static const unsigned int sizes[] = {
	8, 16, 24, 32, 48, 64, 96, 100, 128, 192, 256, 320, 384, 500, 512, 576, 640, 700,
	768, 1000, 1024, 1280, 1536, 2000, 2048, 2560, 3000, 3072, 4000, 4096, 5000, 6144,
	8192,
};

static int by_address(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* Most objects in one slab of @bytes, or of a compound page if that is 0. */
static u64 fullest(void **objects, unsigned int n, u64 bytes, u64 *slab_bytes)
{
	unsigned long start = 0, slab;
	unsigned int i, run = 0;
	u64 most = 0;

	sort(objects, n, sizeof(*objects), by_address, NULL);
	for (i = 0; i < n; i++) {
		struct page *head = virt_to_head_page(objects[i]);

		slab = bytes ? (unsigned long)objects[i] & ~(bytes - 1) :
			       (unsigned long)page_address(head);
		run = slab == start ? run + 1 : 1;
		start = slab;
		if (run > most) {
			most = run;
			*slab_bytes = bytes ?: page_size(head);
		}
	}
	return most;
}

static void report(const struct bench_arm *arm, unsigned int size, void **objects,
		   unsigned int n)
{
	struct quarry_cache_stats stats;
	char name[32];
	u64 most, bytes = 0;

	if (arm == &bench_cache) {
		bench_cache_stats(&stats);
		bytes = PAGE_SIZE << stats.order;
	}
	most = fullest(objects, n, bytes, &bytes);
	snprintf(name, sizeof(name), "density.%u", size);
	bench_value(name, "objects/MiB", arm->name, div64_u64(most * SZ_1M * 1000, bytes));
	if (arm != &bench_cache)
		return;
	if (most != stats.objects_per_slab || stats.slab_bytes != stats.slabs * bytes ||
	    stats.objects_out != n)
		bench_say("note %s quarry says otherwise: %u in a slab, %llu out of %u\n", name,
			  stats.objects_per_slab, stats.objects_out, n);
	snprintf(name, sizeof(name), "density.meta.%u", size);
	bench_value(name, "bytes", arm->name, div_u64(stats.metadata_bytes * 1000, n));
}

static int measure(const struct bench_arm *arm, unsigned int size, void **objects)
{
	unsigned int n = min_t(u64, OBJECTS, OBJECT_BYTES / size), i;
	int err;

	err = arm->open(POOL_BYTES, size);
	if (err)
		return err;
	for (i = 0; i < n && !err; i++) {
		objects[i] = arm->get(0, GFP_KERNEL);
		if (!objects[i]) {
			err = -ENOMEM;
			break;
		}
	}
	n = i;
	if (!err)
		report(arm, size, objects, n);
	while (n--)
		arm->put(objects[n], 0);
	arm->close();
	cond_resched();
	return err;
}

int bench_density(void)
{
	unsigned int i, a;
	void **objects;
	char name[32];
	int err = 0;

	objects = kvmalloc_array(OBJECTS, sizeof(*objects), GFP_KERNEL);
	if (!objects)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(sizes) && !err; i++) {
		snprintf(name, sizeof(name), "density.%u", sizes[i]);
		for (a = 0; bench_cache_arms[a] && !err && bench_wanted(name); a++)
			err = measure(bench_cache_arms[a], sizes[i], objects);
	}
	kvfree(objects);
	return err;
}
