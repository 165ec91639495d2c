// SPDX-License-Identifier: GPL-2.0
/*
 * Threads over one allocator.
 *
 * The contract is that the caller holds one lock over all calls on one struct
 * quarry_buddy, and that state bytes may be read without it. So: THREADS threads
 * claim, free, batch and trim under a mutex; two more read state bytes and look for
 * heads without it, all the time. Who owns a frame is kept in an array of its
 * own, by atomic exchange and outside the lock, so that a frame handed out
 * twice is seen by whoever gets it second. Built with ThreadSanitizer, an access
 * of the core that neither the lock nor READ_ONCE() covers is a failure.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../../module/buddy/buddy.h"
#include "dice.h"
#include "tap.h"

#define ARENAS	6
#define HELD	512
#define MAX_THREADS 64

struct held {
	struct quarry_arena *a;
	struct quarry_frame f;
	u32 nr;
	unsigned int order;	/* 32: a run */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct quarry_buddy buddy;
static struct quarry_arena arenas[ARENAS];
static _Atomic u8 *owners[ARENAS];
static atomic_bool stop;
static u64 nr_steps;
static u64 seed;

static void fail(const char *what)
{
	printf("# %s\n", what);
	fflush(stdout);
	abort();
}

static void own(const struct held *h, u8 who)
{
	_Atomic u8 *owner = owners[h->a - arenas];
	u32 i;

	for (i = h->f.i; i < h->f.i + h->nr; i++)
		if (atomic_exchange_explicit(&owner[i], who, memory_order_relaxed))
			fail("a frame was handed out twice");
}

static void disown(const struct held *h, u8 who)
{
	_Atomic u8 *owner = owners[h->a - arenas];
	u32 i;

	for (i = h->f.i; i < h->f.i + h->nr; i++)
		if (atomic_exchange_explicit(&owner[i], 0, memory_order_relaxed) != who)
			fail("a frame changed hands");
}

static void give_back(struct held *h, u8 who, bool zero)
{
	disown(h, who);
	pthread_mutex_lock(&lock);
	if (h->order == 32)
		quarry_buddy_free_run(&buddy, h->a, h->f, h->nr, zero);
	else
		quarry_buddy_free(&buddy, h->a, h->f, h->order, zero);
	pthread_mutex_unlock(&lock);
}

static void *worker(void *arg)
{
	u8 who = 1 + (uintptr_t)arg;
	struct quarry_block block[16];
	struct held held[HELD];
	struct quarry_want want;
	unsigned int nr = 0, got, i, order;
	struct quarry_frame f;
	struct dice d;
	bool zero;
	u64 step;
	int err;

	dice_seed(&d, seed + who);
	for (step = 0; step < nr_steps; step++) {
		unsigned int what = dice(&d, 16);

		order = dice(&d, 11);
		order = order * dice(&d, 3) / 2;
		if (what < 4 && nr < HELD) {
			pthread_mutex_lock(&lock);
			want = (struct quarry_want){ .order = order,
						     .kind = QUARRY_STATE_ALLOC };
			err = quarry_buddy_claim(&buddy, &want, block);
			pthread_mutex_unlock(&lock);
			if (err)
				continue;
			held[nr] = (struct held){ block->arena, block->frame, 1u << order,
						  order };
			own(&held[nr++], who);
		} else if (what < 6 && nr + 16 <= HELD) {
			order /= 2;
			pthread_mutex_lock(&lock);
			want = (struct quarry_want){ .order = order, .home = who,
						     .kind = QUARRY_STATE_PCP };
			got = quarry_buddy_claim_many(&buddy, &want, 1 + dice(&d, 16),
						      block);
			pthread_mutex_unlock(&lock);
			for (i = 0; i < got; i++) {
				held[nr] = (struct held){ block[i].arena, block[i].frame,
							  1u << order, order };
				own(&held[nr++], who);
			}
		} else if (what < 8 && nr < HELD) {
			struct quarry_arena *a = &arenas[dice(&d, ARENAS)];
			u32 len = 1 + dice(&d, 300);
			struct quarry_search s = {
				.nr = len, .align = 1u << dice(&d, 6),
				.top_down = dice(&d, 2), .hi = { ~0u }, .steps = ~0u,
			};

			pthread_mutex_lock(&lock);
			err = quarry_buddy_claim_run(&buddy, a, &s, &f, &zero);
			pthread_mutex_unlock(&lock);
			if (err)
				continue;
			held[nr] = (struct held){ a, f, len, 32 };
			own(&held[nr++], who);
		} else if (what < 9 && nr) {
			struct held *h = &held[dice(&d, nr)], tail = *h;
			u32 keep = 1 + dice(&d, h->nr);

			tail.f.i += keep;
			tail.nr -= keep;
			disown(&tail, who);
			pthread_mutex_lock(&lock);
			quarry_buddy_trim(&buddy, h->a, h->f, h->nr, keep);
			pthread_mutex_unlock(&lock);
			if (keep < h->nr)
				h->order = 32;
			h->nr = keep;
		} else if (nr) {
			i = dice(&d, nr);
			give_back(&held[i], who, dice(&d, 2));
			held[i] = held[--nr];
		}
	}
	while (nr)
		give_back(&held[--nr], who, false);
	return NULL;
}

static void *reader(void *arg)
{
	u64 *seen = arg;
	struct dice d;

	dice_seed(&d, seed + 1000);
	while (!atomic_load(&stop)) {
		const struct quarry_arena *a = &arenas[dice(&d, ARENAS)];
		struct quarry_frame head, f = { a->lo + dice(&d, a->hi - a->lo) };
		u8 state = READ_ONCE(a->state[f.i]);

		*seen += state != QUARRY_STATE_FREE;
		if (quarry_arena_head(a, f, &head) && (head.i < a->lo || head.i > f.i))
			fail("a head outside");
	}
	return NULL;
}

static void threads(const void *arg)
{
	pthread_t thread[MAX_THREADS + 2];
	struct quarry_check c = {};
	u64 seen[2] = {};
	u64 nr = env_number("THREADS", 4), i;

	(void)arg;
	if (!nr || nr > MAX_THREADS)
		fail("THREADS: 1 to 64");
	quarry_buddy_init(&buddy);
	for (i = 0; i < ARENAS; i++) {
		u64 first = i * 8192 + (i & 1 ? 77 : 0);
		u32 frames = i & 1 ? 900 : 1024;

		quarry_arena_init(&arenas[i],
				  calloc(1, quarry_arena_metadata_bytes(first, frames)),
				  first, frames);
		quarry_buddy_add(&buddy, &arenas[i], i & 2);
		owners[i] = calloc(1, 2048);
	}
	for (i = 0; i < nr; i++)
		if (pthread_create(&thread[i], NULL, worker, (void *)(uintptr_t)i))
			fail("no thread");
	for (i = 0; i < 2; i++)
		if (pthread_create(&thread[nr + i], NULL, reader, &seen[i]))
			fail("no thread");
	for (i = 0; i < nr; i++)
		pthread_join(thread[i], NULL);
	atomic_store(&stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(thread[nr + i], NULL);
	quarry_buddy_check(&buddy, &c);
	if (c.violations)
		fail(c.what);
	if (buddy.nfree != buddy.nr_frames || buddy.nr_empty != ARENAS)
		fail("frames were lost");
	printf("# %llu at once, %llu steps each; %llu frames seen out\n", nr, nr_steps,
	       seen[0] + seen[1]);
	for (i = 0; i < ARENAS; i++) {
		free(arenas[i].areas);
		free((void *)owners[i]);
	}
}

int main(void)
{
	nr_steps = env_number("STEPS", 30000);
	seed = env_number("SEED", 1);
	tap_plan(1);
	printf("# seed %llu\n", seed);
	tap_run("threads", threads, NULL);
	return tap_end();
}
