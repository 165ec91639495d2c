// SPDX-License-Identifier: GPL-2.0
/*
 * malloc.waste: bytes asked for over bytes that came, on the sizes of draws.c.
 *
 * What came is what the allocator says may be used: quarry_usable_size() and
 * ksize(). So rounding up is measured. malloc.held is for quarry alone, what it
 * asked for over all that its slabs then took from the pool, with what lies
 * unused in them: of the kernel's slabs others have objects as well.
 */
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/quarry_malloc.h>

#include "bench.h"
#include "draws.h"

#define OBJECTS		50000

/* Pages in the slabs of all classes. */
static u64 class_bytes(void)
{
	struct quarry_cache_stats stats = { .size = sizeof(stats) };
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < QUARRY_CLASSES; i++) {
		quarry_cache_snapshot(quarry_classes[i], &stats);
		sum += stats.slab_bytes;
	}
	return sum;
}

static void shrink_classes(void)
{
	unsigned int i;

	for (i = 0; i < QUARRY_CLASSES; i++)
		quarry_cache_shrink(quarry_classes[i]);
}

static int measure(const struct bench_arm *arm, const struct bench_draw *draws,
		   void **objects)
{
	bool ours = arm == &bench_malloc;
	u64 asked = 0, usable = 0, held;
	unsigned int n;
	int err = 0;

	if (ours)
		shrink_classes();
	held = class_bytes();
	for (n = 0; n < OBJECTS; n++) {
		objects[n] = arm->get_size(draws[n].size);
		if (!objects[n]) {
			err = -ENOMEM;
			break;
		}
		asked += draws[n].size;
		usable += arm->usable(objects[n]);
	}
	held = class_bytes() - held;
	if (!err)
		bench_value("malloc.waste", "fraction", arm->name,
			    div64_u64(asked * 1000, usable));
	if (!err && ours)
		bench_value("malloc.held", "fraction", arm->name,
			    div64_u64(asked * 1000, held));
	while (n--)
		arm->put(objects[n], 0);
	return err;
}

int bench_waste(void)
{
	struct bench_draw *draws;
	unsigned int a;
	void **objects;
	int err = 0;

	if (!bench_wanted("malloc.waste"))
		return 0;
	objects = kvmalloc_array(OBJECTS, sizeof(*objects), GFP_KERNEL);
	draws = kvmalloc_array(OBJECTS, sizeof(*draws), GFP_KERNEL);
	if (!objects || !draws)
		err = -ENOMEM;
	else
		bench_draw_sizes(draws, OBJECTS, 1);
	for (a = 0; bench_malloc_arms[a] && !err; a++)
		err = measure(bench_malloc_arms[a], draws, objects);
	kvfree(draws);
	kvfree(objects);
	return err;
}
