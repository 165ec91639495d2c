// SPDX-License-Identifier: GPL-2.0
/* The classic buddy of tools/bench/frag/list.h under a lock. */
#include <stdlib.h>

#include "../../../bench/frag/list.h"
#include "arm.h"

static struct list_buddy buddy;
static u32 lock;

static void init(u32 nr)
{
	struct list_frame *frames = calloc(nr, sizeof(*frames));

	if (!frames)
		abort();
	list_buddy_init(&buddy, frames, nr);
}

static void fini(void)
{
	free(buddy.frames);
}

static void release_locked(u64 handle, unsigned int order)
{
	if (!list_buddy_release(&buddy, handle, order))
		abort();
}

static u64 claim(unsigned int order)
{
	u64 f;

	arm_lock(&lock);
	f = list_buddy_claim(&buddy, order);
	arm_unlock(&lock);
	return f;
}

static void release(u64 handle, unsigned int order)
{
	arm_lock(&lock);
	release_locked(handle, order);
	arm_unlock(&lock);
}

static u32 claim_bulk(u64 *handles, u32 nr)
{
	u32 got = 0;

	arm_lock(&lock);
	while (got < nr && (handles[got] = list_buddy_claim(&buddy, 0)) != LIST_NONE)
		got++;
	arm_unlock(&lock);
	return got;
}

static void release_bulk(const u64 *handles, u32 nr)
{
	arm_lock(&lock);
	while (nr--)
		release_locked(handles[nr], 0);
	arm_unlock(&lock);
}

static u64 frame(u64 handle)
{
	return handle;
}

static u64 large(void)
{
	return list_buddy_areas(&buddy);
}

const struct arm arm_list = {
	.name = "list",
	.init = init,
	.fini = fini,
	.claim = claim,
	.claim_short = claim,
	.release = release,
	.claim_bulk = claim_bulk,
	.release_bulk = release_bulk,
	.frame = frame,
	.large = large,
};
