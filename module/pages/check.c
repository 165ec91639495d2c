// SPDX-License-Identifier: GPL-2.0
/*
 * The pool's validator: buddy, struct pages and per-CPU lists.
 *
 * Goes through the pool's arenas by address, an area at a time under the zone's
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
static u64 check_pages(const struct quarry_page_arena *c, u32 area)
{
	const struct quarry_arena *a = &c->arena;
	u32 f = max(area * QUARRY_AREA_FRAMES, a->lo);
	u32 end = min((area + 1) * QUARRY_AREA_FRAMES, a->hi);
	u64 strays = 0;

	for (; f < end; f++) {
		struct quarry_frame frame = { f };
		struct page *page = quarry_page_arena_page(c, frame);

		if (quarry_arena_is_free(a, frame, 0))
			strays += !quarry_page_arena_page_sound(c, page);
		else
			strays += page_count(page) < QUARRY_PAGE_REFS || PageBuddy(page);
	}
	return strays;
}

/*
 * The next area from *@pfn on, which is moved behind it. Areas may be missed or seen twice
 * while arenas come and go. False if there is none.
 */
static bool check_next(struct quarry_pool *pool, bool device, unsigned long *pfn,
		       struct quarry_check *check, u64 *strays)
{
	struct quarry_page_arena *c;
	struct quarry_zone *z;
	unsigned long flags;
	u32 i;

	c = quarry_pool_arena(pool, device, *pfn, &z, &flags);
	if (!c)
		return false;
	i = (max(*pfn, c->pfn) - c->arena.base) / QUARRY_AREA_FRAMES;
	if (i < c->arena.nr_areas) {
		quarry_buddy_check_area(&z->buddy, &c->arena, i, check);
		if (c->span)
			*strays += check_pages(c, i);
		/* The next arena may begin in the same 2 MiB. */
		*pfn = min(c->arena.base + (i + 1) * (u64)QUARRY_AREA_FRAMES,
			   (u64)c->pfn + c->nr);
	} else {
		/* The rest of it has not joined yet. */
		*pfn = c->pfn + c->nr;
	}
	quarry_zone_unlock(z, flags);
	return true;
}

/**
 * quarry_pool_validate() - check every invariant of a pool
 * @pool:	the pool, which may be in use
 * @result:	frames, violations, stray_refs and what are filled in
 *
 * Violations are counted in the pool's errors as well. Context: sleeps.
 *
 * Return: 0, or -EUCLEAN if there are violations.
 */
int quarry_pool_validate(struct quarry_pool *pool, struct quarry_pool_validate *result)
{
	struct quarry_check check = {};
	unsigned long pfn, flags;
	struct quarry_zone *z = NULL;
	u64 strays = 0, cpus;
	unsigned int device;

	for (device = 0; device < 2; device++)
		for (pfn = 0; check_next(pool, device, &pfn, &check, &strays);)
			cond_resched();
	while ((z = quarry_zone_next(pool, z))) {
		quarry_zone_lock(z, &flags);
		quarry_buddy_check_sums(&z->buddy, &check);
		quarry_zone_unlock(z, flags);
	}
	cpus = quarry_pcp_check_all(pool);
	if (cpus && !check.violations)
		strscpy(check.what, "a per-CPU list is damaged", sizeof(check.what));
	check.violations += cpus;
	if (check.violations)
		quarry_count_add(pool, QUARRY_COUNT_ERRORS + QUARRY_ERR_CORRUPT,
				 check.violations);
	if (strays) {
		quarry_count_add(pool, QUARRY_COUNT_ERRORS + QUARRY_ERR_STRAY_REF, strays);
		quarry_pool_tell_strays(pool);
	}
	if (strays && !check.violations)
		strscpy(check.what, "pages have references that nobody may hold",
			sizeof(check.what));
	result->frames = check.frames;
	result->violations = check.violations + strays;
	result->stray_refs = strays;
	strscpy(result->what, check.what, sizeof(result->what));
	return result->violations ? -EUCLEAN : 0;
}
EXPORT_SYMBOL_NS_GPL(quarry_pool_validate, QUARRY_NS);
