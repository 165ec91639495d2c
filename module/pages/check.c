// SPDX-License-Identifier: GPL-2.0
/*
 * The pool's validator: buddy, struct pages and per-CPU lists.
 *
 * Goes through the pool's chunks by address, an area at a time under the zone's
 * lock, so that a pool in use is held up by some ten thousand instructions at
 * most; the sums of a zone take its lock once for all its areas. What can only be
 * said at rest is not asked: a pool in full use validates as well.
 *
 * Context: sleeps.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "../arena/directory.h"
#include "misuse.h"
#include "pcp.h"

/* Struct pages of an area: at rest as we left them, in use with our reference. */
static u64 check_pages(const struct quarry_chunk *c, u32 area)
{
	const struct quarry_arena *a = &c->arena;
	u32 f = max(area * QUARRY_AREA_FRAMES, a->lo);
	u32 end = min((area + 1) * QUARRY_AREA_FRAMES, a->hi);
	u64 strays = 0;

	for (; f < end; f++) {
		struct quarry_frame frame = { f };
		struct page *page = quarry_chunk_page(c, frame);

		if (quarry_arena_is_free(a, frame, 0))
			strays += !quarry_chunk_page_sound(c, page);
		else
			strays += page_count(page) < QUARRY_PAGE_REFS || PageBuddy(page);
	}
	return strays;
}

static void check_chunk(struct quarry_pool *pool, struct quarry_chunk *c,
			struct quarry_check *check, u64 *strays)
{
	struct quarry_buddy *buddy;
	struct quarry_zone *z = NULL;
	unsigned long flags;
	u32 i;

	for (i = 0; i < c->arena.nr_areas; i++) {
		buddy = READ_ONCE(c->buddy);
		if (!buddy || quarry_buddy_zone(buddy)->pool != pool)
			return;
		z = quarry_buddy_zone(buddy);
		if (!quarry_zone_lock(z, &flags))
			return;
		if (c->arena.buddy == buddy) {
			quarry_buddy_check_area(buddy, &c->arena, i, check);
			if (c->span)
				*strays += check_pages(c, i);
		}
		quarry_zone_unlock(z, flags);
	}
}

/*
 * An area of the device zone by its number, which the directory does not know. Areas
 * may be missed or seen twice while ranges come and go. False if there is none.
 */
static bool check_device_area(struct quarry_pool *pool, u64 number,
			      struct quarry_check *check)
{
	struct quarry_zone *z = quarry_device_zone(pool);
	struct quarry_arena *a;
	unsigned long flags;
	bool found = false;

	quarry_zone_lock(z, &flags);
	list_for_each_entry(a, &z->buddy.arenas, link) {
		found = number < a->nr_areas;
		if (found) {
			quarry_buddy_check_area(&z->buddy, a, number, check);
			break;
		}
		number -= a->nr_areas;
	}
	quarry_zone_unlock(z, flags);
	return found;
}

/**
 * quarry_pool_validate() - check every invariant of a pool
 * @pool:	the pool, which may be in use
 * @result:	frames, faults, stray_refs and what are filled in
 *
 * Faults are counted in the pool's errors as well. Context: sleeps.
 *
 * Return: 0, or -EUCLEAN if there are faults.
 */
int quarry_pool_validate(struct quarry_pool *pool, struct quarry_pool_validate *result)
{
	struct quarry_check check = {};
	unsigned long pfn, flags;
	struct quarry_chunk *c;
	struct quarry_zone *z = NULL;
	u64 strays = 0, cpus, i;

	for (pfn = 0;; ) {
		rcu_read_lock();
		c = quarry_directory_next(pfn, ULONG_MAX);
		if (c) {
			pfn = c->pfn + c->nr;
			check_chunk(pool, c, &check, &strays);
		}
		rcu_read_unlock();
		if (!c)
			break;
		cond_resched();
	}
	for (i = 0; check_device_area(pool, i, &check); i++)
		cond_resched();
	while ((z = quarry_zone_next(pool, z))) {
		quarry_zone_lock(z, &flags);
		quarry_buddy_check_sums(&z->buddy, &check);
		quarry_zone_unlock(z, flags);
	}
	cpus = quarry_pcp_check_all(pool);
	if (cpus && !check.faults)
		strscpy(check.what, "a per-CPU list is damaged", sizeof(check.what));
	check.faults += cpus;
	if (check.faults)
		quarry_count_add(pool, QUARRY_COUNT_ERRORS + QUARRY_ERR_CORRUPT,
				 check.faults);
	if (strays)
		quarry_count_add(pool, QUARRY_COUNT_ERRORS + QUARRY_ERR_STRAY_REF, strays);
	if (strays && !check.faults)
		strscpy(check.what, "pages have references that nobody may hold",
			sizeof(check.what));
	result->frames = check.frames;
	result->faults = check.faults + strays;
	result->stray_refs = strays;
	strscpy(result->what, check.what, sizeof(result->what));
	return result->faults ? -EUCLEAN : 0;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_validate, QUARRY_NS);
