// SPDX-License-Identifier: GPL-2.0
/*
 * How arenas come to an allocator and go.
 *
 * Model
 *	An arena joins from its beginning to its end, and leaves from its end to its
 *	beginning, in bites of 128 MiB:
 *
 *	  lo                hi                       end
 *	   |  has joined     |  nobody knows of it    |
 *	   `-- nr_areas -----'
 *
 *	What has joined serves at once. Between two bites all invariants hold, so the
 *	lock may be let go there, however long an arena is. Bites end at multiples of
 *	their length, so that no more than the first and the last one are odd.
 *
 *	Only an arena without a frame out may begin to leave. If somebody claims from
 *	what is left of it between two bites, it stays; what has left joins again.
 *
 * Neither is a split or a merge: these count what claims and frees do.
 *
 * Contexts: as buddy.c. Cost: some thousand steps a bite.
 */
#include <linux/errno.h>
#include <linux/minmax.h>

#include "place.h"

#define BITE_FRAMES	(QUARRY_BITE_AREAS * QUARRY_AREA_FRAMES)

static void set_areas(struct quarry_buddy *b, struct quarry_arena *a)
{
	u32 nr = ((u64)a->hi + QUARRY_AREA_FRAMES - 1) / QUARRY_AREA_FRAMES, i;
	u32 before = a->nr_areas;

	if (a->hi == a->lo)
		nr = 0;
	for (i = before; i < nr; i++) {
		struct quarry_area *area = &a->areas[i];

		area->arena = a;
		quarry_place_new(area);
	}
	b->nr_areas += nr;
	b->nr_areas -= before;
	a->nr_areas = nr;
	if (nr > before)
		quarry_runs_come(b, a, before);
	else if (nr < before)
		quarry_runs_gone(b, a, before);
}

/**
 * quarry_buddy_join() - bring an arena under an allocator, by one bite
 * @b:		the allocator
 * @a:		an arena fresh from quarry_arena_init(), or one of @b
 * @zero:	the frames are known to hold zeros
 *
 * Cost: that of a bite. Context: under the caller's lock.
 *
 * Return: true if all of it has joined.
 */
bool quarry_buddy_join(struct quarry_buddy *b, struct quarry_arena *a, bool zero)
{
	u64 bite = (a->base + a->hi) / BITE_FRAMES, merges = b->merges;
	u64 stop = (bite + 1) * BITE_FRAMES - a->base;
	u32 f = a->hi, end = stop < a->end ? stop : a->end;
	unsigned int order;

	if (f == a->end)
		return true;
	if (!a->buddy) {
		a->buddy = b;
		if (!a->placed)
			quarry_buddy_choose_place(b, a);
		quarry_note_place(b, a);
		list_add_tail(&a->link, &b->arenas);
		b->nr_arenas++;
	}
	if (!list_empty(&a->empty))
		quarry_arena_used(b, a);
	a->hi = end;
	b->nr_frames += end - f;
	set_areas(b, a);
	for (; f < end; f += 1U << order) {
		order = quarry_arena_part(a, f, end);
		quarry_buddy_free(b, a, (struct quarry_frame){ f }, order, zero);
	}
	b->merges = merges;
	return end == a->end;
}

/**
 * quarry_buddy_leave() - take an arena away again, by one bite
 * @b:	the allocator
 * @a:	the arena
 *
 * Cost: that of a bite. Context: under the caller's lock.
 *
 * Return: 0 if it has gone; -EAGAIN if there is more of it; -EBUSY if a frame of it is
 * out: then nothing has happened.
 */
int quarry_buddy_leave(struct quarry_buddy *b, struct quarry_arena *a)
{
	u64 from = (a->base + a->hi - 1) / BITE_FRAMES * BITE_FRAMES, splits = b->splits;
	u32 lo = from > a->base + a->lo ? from - a->base : a->lo, f;
	unsigned int order;
	bool zero;

	if (a->nfree != a->hi - a->lo)
		return -EBUSY;
	for (f = lo; f < a->hi; f += 1U << order) {
		order = quarry_arena_part(a, f, a->hi);
		quarry_buddy_take(b, a, (struct quarry_frame){ f }, order,
				  QUARRY_LIFE_PAGE, &zero);
	}
	b->splits = splits;
	for (f = lo / QUARRY_AREA_FRAMES; f < a->nr_areas; f++)
		quarry_forget_home(b, &a->areas[f]);
	b->nr_frames -= a->hi - lo;
	a->hi = lo;
	set_areas(b, a);
	if (lo > a->lo) {
		quarry_arena_emptied(b, a);
		return -EAGAIN;
	}
	list_del_init(&a->link);
	quarry_forget_place(b, a);
	b->nr_arenas--;
	a->buddy = NULL;
	return 0;
}

/**
 * quarry_buddy_add() - bring an arena under an allocator, in one go
 * @b:		the allocator
 * @a:		an arena fresh from quarry_arena_init()
 * @zero:	all its frames are known to hold zeros
 *
 * Cost: a step an area. Context: under the caller's lock.
 */
void quarry_buddy_add(struct quarry_buddy *b, struct quarry_arena *a, bool zero)
{
	while (!quarry_buddy_join(b, a, zero))
		;
}

/**
 * quarry_buddy_remove() - take an arena away again, in one go
 * @b:	the allocator
 * @a:	the arena
 *
 * Cost: a step an area. Context: under the caller's lock.
 *
 * Return: 0, or -EBUSY if a frame of it is out.
 */
int quarry_buddy_remove(struct quarry_buddy *b, struct quarry_arena *a)
{
	int err;

	do {
		err = quarry_buddy_leave(b, a);
	} while (err == -EAGAIN);
	return err;
}
