// SPDX-License-Identifier: GPL-2.0
/*
 * Threads over one map of a heap, as those who fault and those who punch.
 *
 * The contract is a lock that is shared by who looks, prepares, claims and fills, and had alone
 * by who takes, promises and guards. Frames are structs of a fixed stock: each is in the map at one
 * place or in the stock, and says where it is; a page that is filled twice at once, or a frame
 * found before it says so, is seen. What is promised has its frame in a stock of its own. Built
 * with ThreadSanitizer, an access that is not ordered is a failure.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "../dice.h"
#include "../tap.h"
#include "machine.h"
#include "../../../../module/heap/map.h"

#define PAGES	1024
#define FRAMES	900
/* Where half of the touches go, so that they meet. */
#define HOT	4
#define MAX_THREADS 64

struct frame {
	u64 index;
	struct frame *next;
};

struct stock {
	pthread_mutex_t lock;
	struct frame *first;
	u64 nr;
};

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct stock plain = { .lock = PTHREAD_MUTEX_INITIALIZER };
static struct stock aside = { .lock = PTHREAD_MUTEX_INITIALIZER };
static struct quarry_heap_map map;
static struct frame frames[FRAMES];
static u64 nr_steps, seed, filled, met;

static struct frame *stock_pop(struct stock *s)
{
	struct frame *f;

	pthread_mutex_lock(&s->lock);
	f = s->first;
	if (f) {
		s->first = f->next;
		s->nr--;
	}
	pthread_mutex_unlock(&s->lock);
	return f;
}

static void stock_push(struct stock *s, struct frame *f)
{
	pthread_mutex_lock(&s->lock);
	f->next = s->first;
	s->first = f;
	s->nr++;
	pthread_mutex_unlock(&s->lock);
}

static void look(u64 index)
{
	struct frame *f = (void *)quarry_heap_map_frame(&map, index);

	if (f)
		tap_require(f->index == index, "a frame is found that is not the page's");
}

/* As a fault does it, with the lock shared. */
static void touch(u64 index, struct dice *d)
{
	struct frame *f;
	int ret = quarry_heap_map_claim(&map, index);

	if (ret == -ENOENT) {
		tap_require(!quarry_heap_map_prepare(&map, index, 1, true, GFP_KERNEL),
			    "prepare failed");
		ret = quarry_heap_map_claim(&map, index);
		tap_require(ret != -ENOENT, "what was prepared is not");
	}
	if (ret < 0) {
		tap_require(ret == -EEXIST || ret == -EALREADY || ret == -EACCES, "claim failed");
		if (ret == -EEXIST)
			tap_require(quarry_heap_map_frame(&map, index), "present without a frame");
		__atomic_fetch_add(&met, 1, __ATOMIC_RELAXED);
		return;
	}
	f = stock_pop(ret ? &aside : &plain);
	tap_require(f || !ret, "a page was promised a frame, and there is none");
	if (!f || !dice(d, 8)) {
		if (f)
			stock_push(ret ? &aside : &plain, f);
		quarry_heap_map_unclaim(&map, index);
		return;
	}
	f->index = index;
	quarry_heap_map_fill(&map, index, (unsigned long)f);
	__atomic_fetch_add(&filled, 1, __ATOMIC_RELAXED);
}

static void punch(u64 first, u64 end, bool promises)
{
	unsigned long got[8];
	u32 nr, promised, i;
	u64 freed;

	do {
		nr = quarry_heap_map_take(&map, &first, end, got, 8, &promised);
		for (i = 0; i < nr; i++)
			stock_push(i < promised ? &aside : &plain, (struct frame *)got[i]);
	} while (nr == 8);
	tap_require(first == end, "punched in part");
	if (!promises)
		return;
	freed = quarry_heap_map_unreserve(&map, 0, end);
	while (freed--)
		stock_push(&plain, stock_pop(&aside));
}

static void promise(u64 first, u64 nr)
{
	u64 missing = quarry_heap_map_missing(&map, first, nr), got;

	/* None of it, if not all can be set aside. */
	if (plain.nr < missing)
		return;
	tap_require(!quarry_heap_map_prepare(&map, first, nr, false, GFP_KERNEL), "prepare failed");
	tap_require(!quarry_heap_map_reserve(&map, first, nr, &got), "reserve failed");
	tap_require(got == missing, "not what was missing is set aside");
	while (got--)
		stock_push(&aside, stock_pop(&plain));
}

static void forbid(u64 first, u64 nr, bool on)
{
	int ret;

	tap_require(!quarry_heap_map_prepare(&map, first, nr, false, GFP_KERNEL), "prepare failed");
	ret = quarry_heap_map_guard(&map, first, nr, on);
	tap_require(!ret || (on && ret == -EBUSY), "guard failed");
}

/* With the lock alone. */
static void alone(struct dice *d)
{
	u64 first = dice(d, PAGES), nr = 1 + dice(d, PAGES - first);
	const char *wrong;

	switch (dice(d, 6)) {
	case 0:
		punch(first, first + nr, false);
		break;
	case 1:
		punch(0, first + nr, true);
		break;
	case 2:
		promise(first, nr);
		break;
	case 3:
		forbid(first, 1 + nr / 8, dice(d, 2));
		break;
	case 4:
		/* All begins anew, and who faults next meets others who do. */
		punch(0, PAGES, true);
		forbid(0, PAGES, false);
		quarry_heap_map_trim(&map);
		tap_require(!atomic64_read(&map.nr_leaves), "leaves without anything stay");
		break;
	default:
		wrong = quarry_heap_map_check(&map);
		tap_require(!wrong, wrong ?: "");
		tap_require(aside.nr == (u64)atomic64_read(&map.aside), "another number is aside");
		tap_require(plain.nr + aside.nr +
			    atomic64_read(&map.count[QUARRY_HEAP_PRESENT]) == FRAMES,
			    "a frame is lost");
	}
}

static void *worker(void *arg)
{
	struct dice d;
	u64 step, i;

	dice_seed(&d, seed + 1 + (uintptr_t)arg);
	for (step = 0; step < nr_steps; step++) {
		if (!dice(&d, 64)) {
			pthread_rwlock_wrlock(&lock);
			alone(&d);
			pthread_rwlock_unlock(&lock);
			continue;
		}
		pthread_rwlock_rdlock(&lock);
		for (i = dice(&d, 16); i; i--) {
			touch(dice(&d, 2) ? dice(&d, PAGES) : dice(&d, HOT), &d);
			look(dice(&d, PAGES));
			look(dice(&d, HOT));
		}
		pthread_rwlock_unlock(&lock);
	}
	return NULL;
}

static void threads(const void *arg)
{
	u64 nr = env_number("THREADS", 4), i;
	pthread_t thread[MAX_THREADS];

	(void)arg;
	tap_require(nr && nr <= MAX_THREADS, "THREADS= is from 1 to 64");
	quarry_heap_map_init(&map, PAGES);
	for (i = 0; i < FRAMES; i++)
		stock_push(&plain, &frames[i]);
	for (i = 0; i < nr; i++)
		if (pthread_create(&thread[i], NULL, worker, (void *)(uintptr_t)i))
			abort();
	for (i = 0; i < nr; i++)
		pthread_join(thread[i], NULL);
	punch(0, PAGES, true);
	tap_require(plain.nr == FRAMES && !aside.nr, "a frame is lost");
	tap_require(filled && met, "nobody met anybody");
	quarry_heap_map_destroy(&map);
	tap_require(!heaps_out, "a map that is gone has memory");
	printf("# seed %llu, %llu pages filled, %llu touches of one that was\n", seed, filled, met);
}

int main(void)
{
	seed = env_number("SEED", 1);
	nr_steps = env_number("STEPS", 20000);
	tap_plan(1);
	tap_run("threads on one map", threads, NULL);
	return tap_end();
}
