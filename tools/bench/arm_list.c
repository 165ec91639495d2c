// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that is shown for how whole it keeps memory, not for what it costs: the classic
 * buddy of frag/list.h, which unlike the page allocator can be confined to some memory. It
 * manages numbers, as arm_genpool.c does. One thread drives it, so there is no lock.
 */
#include <linux/mm.h>

#include "bench.h"
#include "frag/list.h"

static struct list_buddy buddy;

static int arm_open(u64 bytes, unsigned int size)
{
	u32 nr = bytes >> PAGE_SHIFT;
	struct list_frame *frames = kvcalloc(nr, sizeof(*frames), GFP_KERNEL);

	if (!frames)
		return -ENOMEM;
	list_buddy_init(&buddy, frames, nr);
	return 0;
}

static void arm_close(void)
{
	kvfree(buddy.frames);
}

/* A handle is one more than the frame, since that may be 0. */
static void *arm_get(unsigned int order, gfp_t gfp)
{
	u64 f = list_buddy_claim(&buddy, order);

	return f == LIST_NONE ? NULL : (void *)(unsigned long)(f + 1);
}

static unsigned long arm_frame(const void *block)
{
	return (unsigned long)block - 1;
}

static void arm_put(void *block, unsigned int order)
{
	WARN_ON_ONCE(!list_buddy_release(&buddy, arm_frame(block), order));
}

static u64 arm_whole(void)
{
	return list_buddy_areas(&buddy);
}

const struct bench_arm bench_list = {
	.name = "list",
	.open = arm_open,
	.close = arm_close,
	.get = arm_get,
	.put = arm_put,
	.frame = arm_frame,
	.whole = arm_whole,
};
