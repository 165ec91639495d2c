// SPDX-License-Identifier: GPL-2.0
/*
 * The core, as the kernel side calls it: under a lock, with a look at the state
 * byte before a free.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../../../module/buddy/buddy.h"
#include "arm.h"
#include "tap.h"

static struct quarry_buddy buddy;
static struct quarry_arena *arenas;
static u8 *metadata;
static u32 arena_frames;
static u32 lock;

static void init(u32 frames)
{
	size_t bytes;
	u32 i, nr;

	/* As from the kernel, or as of a device. */
	arena_frames = env_number("ARENA_MIB", 4) * 256;
	if (!arena_frames || frames % arena_frames)
		abort();
	bytes = quarry_arena_metadata_bytes(0, arena_frames);
	nr = frames / arena_frames;
	arenas = calloc(nr, sizeof(*arenas));
	metadata = calloc(nr, bytes);
	if (!arenas || !metadata)
		abort();
	quarry_buddy_init(&buddy);
	buddy.expected = frames / QUARRY_AREA_FRAMES;
	for (i = 0; i < nr; i++) {
		quarry_arena_init(&arenas[i], metadata + i * bytes, i * arena_frames,
				  arena_frames);
		quarry_buddy_add(&buddy, &arenas[i], false);
	}
}

static void fini(void)
{
	struct quarry_check c = {};

	quarry_buddy_check(&buddy, &c);
	if (c.violations) {
		fprintf(stderr, "validator: %s\n", c.what);
		abort();
	}
	free(arenas);
	free(metadata);
}

static u64 claim_life(unsigned int order, enum quarry_life life)
{
	const struct quarry_want want = {
		.order = order, .kind = QUARRY_STATE_ALLOC, .life = life,
	};
	struct quarry_block block;
	int err;

	arm_lock(&lock);
	err = quarry_buddy_claim(&buddy, &want, &block);
	arm_unlock(&lock);
	return err ? ~0ull : (u64)(block.arena - arenas) * arena_frames + block.frame.i;
}

static u64 claim(unsigned int order)
{
	return claim_life(order, QUARRY_LIFE_PAGE);
}

static u64 claim_short(unsigned int order)
{
	return claim_life(order, QUARRY_LIFE_SHORT);
}

static void release_locked(u64 handle, unsigned int order)
{
	struct quarry_arena *a = &arenas[handle / arena_frames];
	struct quarry_frame f = { handle % arena_frames };

	if (READ_ONCE(a->state[f.i]) != (QUARRY_STATE_ALLOC | order))
		abort();
	quarry_buddy_free(&buddy, a, f, order, false);
}

static void release(u64 handle, unsigned int order)
{
	arm_lock(&lock);
	release_locked(handle, order);
	arm_unlock(&lock);
}

static u32 claim_bulk(u64 *handles, u32 nr)
{
	const struct quarry_want want = { .kind = QUARRY_STATE_ALLOC };
	struct quarry_block blocks[128];
	u32 i, got;

	arm_lock(&lock);
	got = quarry_buddy_claim_many(&buddy, &want, nr, blocks);
	arm_unlock(&lock);
	for (i = 0; i < got; i++)
		handles[i] = (u64)(blocks[i].arena - arenas) * arena_frames +
			     blocks[i].frame.i;
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
	return buddy.nr_whole;
}

const struct arm arm_quarry = {
	.name = "quarry",
	.init = init,
	.fini = fini,
	.claim = claim,
	.claim_short = claim_short,
	.release = release,
	.claim_bulk = claim_bulk,
	.release_bulk = release_bulk,
	.frame = frame,
	.large = large,
};
