// SPDX-License-Identifier: GPL-2.0
/*
 * page.fail.*: what it costs to be told that there is nothing.
 *
 * An arm gives away all blocks of 2 MiB that it has, and is asked for another. quarry's
 * pool is at its cap; for the page allocator that is the machine's memory, of which small
 * blocks are left, so that nobody else starves.
 *
 *	page.fail.nowait	GFP_NOWAIT
 *	page.fail.noretry	GFP_KERNEL | __GFP_NORETRY
 *	page.fail.kernel	GFP_KERNEL
 *	page.fail.*.caches500	the same where 500 caches lie in the pool, each with an
 *				object out and one in a magazine, which are put there
 *				again before every call; beside what it costs the page
 *				allocator, which has no such caches
 *
 * The figure is the median of CALLS single calls, clock readings included, in guest time:
 * waiting counts. The notes have the longest.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/sort.h>

#include "bench.h"

#define BYTES		SZ_64M
#define ORDER		9
#define CALLS		15
#define TRIES		20
#define CACHES		500
#define HELD		8192

static const struct {
	const char *name;
	gfp_t gfp;
} wishes[] = {
	{ "nowait", GFP_NOWAIT | __GFP_NOWARN },
	{ "noretry", GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN },
	{ "kernel", GFP_KERNEL | __GFP_NOWARN },
};

static int compare(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Take what there is for such a wish, beside the @n blocks that are held. */
static unsigned int eat(const struct bench_arm *arm, gfp_t gfp, void **held, unsigned int n)
{
	while (n < HELD && (held[n] = arm->get(ORDER, gfp)))
		n++;
	return n;
}

/*
 * Sorted times of CALLS calls; false if one of them got something, which the page
 * allocator may after each time that it has reclaimed.
 */
static bool ask(const struct bench_arm *arm, gfp_t gfp, u64 *times)
{
	unsigned int i;
	void *block;

	for (i = 0; i < CALLS; i++) {
		bench_caches_use();
		times[i] = ktime_get_ns();
		block = arm->get(ORDER, gfp);
		times[i] = ktime_get_ns() - times[i];
		if (block) {
			arm->put(block, ORDER);
			return false;
		}
	}
	sort(times, CALLS, sizeof(*times), compare, NULL);
	return true;
}

static void tell(const char *wish, const char *beside, const struct bench_arm *arm,
		 const u64 *times)
{
	char name[48];

	snprintf(name, sizeof(name), "page.fail.%s%s", wish, beside);
	bench_value(name, "instructions", arm->name, times[CALLS / 2] * 1000);
	bench_say("note %s %s: a refusal takes %llu to %llu, %llu in the middle\n", name,
		  arm->name, times[0], times[CALLS - 1], times[CALLS / 2]);
}

static int measure(const struct bench_arm *arm, unsigned int caches, void **held)
{
	u64 times[CALLS];
	unsigned int i, tries, n = 0;
	bool refused;
	int err;

	err = arm->open(BYTES, 0);
	if (err)
		return err;
	err = bench_caches_open(caches);
	if (err)
		goto close;
	for (i = 0; i < ARRAY_SIZE(wishes); i++) {
		tries = 0;
		do {
			n = eat(arm, wishes[i].gfp, held, n);
			refused = ask(arm, wishes[i].gfp, times);
		} while (!refused && ++tries < TRIES);
		if (!refused) {
			bench_say("note page.fail.%s %s: it was not refused\n", wishes[i].name,
				  arm->name);
			continue;
		}
		if (!caches)
			tell(wishes[i].name, "", arm, times);
		if (caches || arm->shared)
			tell(wishes[i].name, ".caches500", arm, times);
	}
	while (n)
		arm->put(held[--n], ORDER);
	bench_caches_close();
close:
	arm->close();
	return err;
}

int bench_fail(void)
{
	void **held = kvmalloc_array(HELD, sizeof(*held), GFP_KERNEL);
	int err = held ? 0 : -ENOMEM;

	if (!err && bench_wanted("page.fail"))
		err = measure(&bench_quarry, 0, held) ?:
		      measure(&bench_quarry, CACHES, held) ?:
		      measure(&bench_kernel, 0, held);
	kvfree(held);
	return err;
}
