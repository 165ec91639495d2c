// SPDX-License-Identifier: GPL-2.0
/*
 * The peer that everybody has: alloc_pages() and __free_pages(). It is one for
 * the whole machine, so there is nothing to open; what it costs depends on what
 * the rest of the machine does, which here is nothing.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/ktime.h>

#include "bench.h"

/* 6.14 took the word "array" from its name, with the list that it told apart. */
#ifdef alloc_pages_bulk
#define bulk_of_kernel	alloc_pages_bulk
#else
#define bulk_of_kernel	alloc_pages_bulk_array
#endif

static int arm_open(u64 bytes, unsigned int size)
{
	return 0;
}

static void arm_close(void)
{
}

static __always_inline void *get(unsigned int order, gfp_t gfp)
{
	return alloc_pages(gfp, order);
}

static __always_inline void put(void *block, unsigned int order)
{
	__free_pages(block, order);
}

#include "loops.h"

/*
 * The kernel has a bulk call for allocating order 0 only. It fills the entries
 * that are NULL, so the loop that frees clears them: one store a page.
 */
static u64 arm_bulk(unsigned int order, void **slots, unsigned int n, unsigned int rounds)
{
	struct page **pages = (struct page **)slots;
	u64 start;
	unsigned int i, got;

	if (order)
		return BENCH_FAILED;
	for (i = 0; i < n; i++)
		pages[i] = NULL;
	start = ktime_get_ns();
	while (rounds--) {
		got = bulk_of_kernel(GFP_KERNEL, n, pages);
		for (i = 0; i < got; i++) {
			__free_page(pages[i]);
			pages[i] = NULL;
		}
		if (unlikely(got != n))
			return BENCH_FAILED;
	}
	return ktime_get_ns() - start;
}

static unsigned long arm_frame(const void *block)
{
	return page_to_pfn((const struct page *)block);
}

const struct bench_arm bench_kernel = {
	.name = "alloc_pages",
	.open = arm_open,
	.close = arm_close,
	.bulk = arm_bulk,
	.frame = arm_frame,
	.shared = true,
	BENCH_ARM_LOOPS,
};
