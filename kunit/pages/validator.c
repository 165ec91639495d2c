// SPDX-License-Identifier: GPL-2.0
/*
 * The validator can fail: everything it looks at, broken on purpose.
 *
 * Each case damages one thing in a pool of its own (a bit, a count, a state byte, a
 * bucket, a slot of a list), asks the validator, and mends it again. It must say so
 * while the damage is there, and be content before and after. Flips of every single
 * bit of the metadata are tried in user space (tools/testing/user).
 */
#include <linux/mm.h>

#include "../quarry_kunit.h"

/* A pool with some blocks out, some on lists, one area broken and one whole. */
struct patient {
	struct quarry_pool *pool;
	struct quarry_zone *z;
	struct quarry_page_arena *c;
	struct quarry_area *area;
	struct page *page;
	struct quarry_list *list;
	struct quarry_pcp *pcp;
};

static struct patient set_up(struct kunit *test)
{
	struct patient p = {};
	struct page *other;

	p.pool = quarry_test_near_pool(test, SZ_4M, SZ_4M);
	other = quarry_alloc_pages(p.pool, GFP_KERNEL, 1);
	p.page = quarry_alloc_pages(p.pool, GFP_KERNEL, 2);
	KUNIT_ASSERT_TRUE(test, p.page && other);
	quarry_free_pages(p.pool, other, 1);
	p.z = p.pool->zone[p.pool->node];
	p.c = quarry_test_arena(p.page);
	p.area = &p.c->arena.areas[(page_to_pfn(p.page) - p.c->arena.base) / QUARRY_AREA_FRAMES];
	p.pcp = per_cpu_ptr(p.pool->pcp, raw_smp_processor_id());
	p.list = &p.pcp->lists.list[1];
	return p;
}

static u32 frame_of(const struct patient *p, const struct page *page)
{
	return page_to_pfn(page) - p->c->arena.base;
}

/* Damages; each is called twice, to break and to mend. */
static void flip_a_free_bit(struct patient *p)
{
	u32 f = frame_of(p, p->page);

	p->area->bits.free[f / 64 % QUARRY_BITFIELD_WORDS] ^= 1ULL << (f % 64);
}

static void flip_a_zero_bit(struct patient *p)
{
	u32 f = frame_of(p, p->page);

	p->area->zero[f / 64 % QUARRY_BITFIELD_WORDS] ^= 1ULL << (f % 64);
}

static void count_of_an_order(struct patient *p)
{
	p->area->bits.nr[0] ^= 1;
}

static void mask_of_orders(struct patient *p)
{
	p->area->bits.orders ^= 1;
}

static void count_of_an_area(struct patient *p)
{
	p->area->bits.nfree ^= 1;
}

static void count_of_an_arena(struct patient *p)
{
	p->c->arena.nfree ^= 1;
}

static void count_of_a_zone(struct patient *p)
{
	p->z->buddy.nfree ^= 1;
}

static void blocks_of_a_zone(struct patient *p)
{
	p->z->buddy.blocks[5] ^= 1;
}

static void zero_frames_of_a_zone(struct patient *p)
{
	p->z->buddy.nr_zero ^= 1;
}

static void whole_areas_of_a_zone(struct patient *p)
{
	p->z->buddy.nr_whole ^= 1;
}

static void frames_of_a_zone(struct patient *p)
{
	p->z->buddy.nr_frames ^= 1;
}

static void arenas_of_a_zone(struct patient *p)
{
	p->z->buddy.nr_arenas ^= 1;
}

static void bucket_of_an_area(struct patient *p)
{
	p->area->bucket ^= 1;
}

static void mask_of_buckets(struct patient *p)
{
	p->z->buddy.area_places[0][0] ^= 1;
}

static void whole_bit_of_a_group(struct patient *p)
{
	struct quarry_areagroup *g = quarry_areagroup_of(p->area);
	u64 pos = quarry_arena_position(&p->c->arena, p->area) % QUARRY_BITFIELD_UNITS;

	g->bits.free[pos / 64] ^= 1ULL << (pos % 64);
}

static void arena_of_an_area(struct patient *p)
{
	p->area->arena = (void *)((unsigned long)p->area->arena ^ 8);
}

static void state_that_is_lost(struct patient *p)
{
	*quarry_test_state(p->page) ^= QUARRY_STATE_ALLOC | 2;
}

static void state_of_a_larger_block(struct patient *p)
{
	*quarry_test_state(p->page) ^= 1;
}

static void state_inside_a_block(struct patient *p)
{
	*quarry_test_state(p->page + 1) ^= QUARRY_STATE_ALLOC;
}

static void state_of_a_free_frame(struct patient *p)
{
	struct quarry_arena *a = &p->c->arena;
	u32 f = a->lo;

	while (!quarry_arena_is_free(a, (struct quarry_frame){ f }, 0))
		f++;
	a->state[f] ^= QUARRY_STATE_ALLOC;
}

static void state_of_a_block_on_a_list(struct patient *p)
{
	*p->list->top[-1].state ^= QUARRY_STATE_PCP ^ QUARRY_STATE_ALLOC;
}

static void page_of_a_slot(struct patient *p)
{
	p->list->top[-1].page = (void *)((unsigned long)p->list->top[-1].page ^
					 (8 * sizeof(struct page)));
}

static void state_address_of_a_slot(struct patient *p)
{
	p->list->top[-1].state = (void *)((unsigned long)p->list->top[-1].state ^ 1);
}

static void capacity_of_a_cpu(struct patient *p)
{
	p->pcp->cold->capacity ^= 1;
}

static void end_of_a_list(struct patient *p)
{
	p->list->end ^= sizeof(struct quarry_slot);
}

static void rank_of_a_list(struct patient *p)
{
	p->list->rank ^= 1U << 15;
}

static void key_of_a_cpu(struct patient *p)
{
	p->pcp->lists.key ^= 1U << 20;
}

static void reference_of_a_free_page(struct patient *p)
{
	struct quarry_arena *a = &p->c->arena;
	u32 f = a->hi - 1;
	struct page *page;

	while (!quarry_arena_is_free(a, (struct quarry_frame){ f }, 0))
		f--;
	page = quarry_page_arena_page(p->c, (struct quarry_frame){ f });
	set_page_count(page, page_count(page) ^ 1);
}

static void mapping_of_a_free_page(struct patient *p)
{
	struct quarry_arena *a = &p->c->arena;
	u32 f = a->hi - 1;
	struct page *page;

	while (!quarry_arena_is_free(a, (struct quarry_frame){ f }, 0))
		f--;
	page = quarry_page_arena_page(p->c, (struct quarry_frame){ f });
	page->mapping = (void *)((unsigned long)page->mapping ^ 0x100);
}

static const struct damage {
	const char *name;
	void (*fn)(struct patient *p);
} damages[] = {
#define DAMAGE(fn)	{ #fn, fn }
	DAMAGE(flip_a_free_bit), DAMAGE(flip_a_zero_bit), DAMAGE(count_of_an_order),
	DAMAGE(mask_of_orders), DAMAGE(count_of_an_area), DAMAGE(count_of_an_arena),
	DAMAGE(count_of_a_zone), DAMAGE(blocks_of_a_zone), DAMAGE(zero_frames_of_a_zone),
	DAMAGE(whole_areas_of_a_zone), DAMAGE(frames_of_a_zone), DAMAGE(arenas_of_a_zone),
	DAMAGE(bucket_of_an_area), DAMAGE(mask_of_buckets), DAMAGE(whole_bit_of_a_group),
	DAMAGE(arena_of_an_area), DAMAGE(state_that_is_lost),
	DAMAGE(state_of_a_larger_block), DAMAGE(state_inside_a_block),
	DAMAGE(state_of_a_free_frame), DAMAGE(state_of_a_block_on_a_list),
	DAMAGE(page_of_a_slot), DAMAGE(state_address_of_a_slot), DAMAGE(capacity_of_a_cpu),
	DAMAGE(end_of_a_list), DAMAGE(rank_of_a_list), DAMAGE(key_of_a_cpu),
	DAMAGE(reference_of_a_free_page), DAMAGE(mapping_of_a_free_page),
#undef DAMAGE
};

static void damage_name(const struct damage *d, char *text)
{
	strscpy(text, d->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(damage, damages, damage_name);

static void damage_is_found(struct kunit *test)
{
	const struct damage *d = test->param_value;
	struct patient p = set_up(test);
	struct quarry_pool_stats *before = quarry_test_stats(test, p.pool), *after;
	u64 violations, counted;

	KUNIT_EXPECT_EQ(test, 0, quarry_test_violations(test, p.pool, ""));
	d->fn(&p);
	violations = quarry_test_violations(test, p.pool, NULL);
	d->fn(&p);
	KUNIT_EXPECT_GT(test, violations, 0);
	after = quarry_test_stats(test, p.pool);
	counted = after->errors[QUARRY_ERR_CORRUPT] - before->errors[QUARRY_ERR_CORRUPT] +
		  after->errors[QUARRY_ERR_STRAY_REF] - before->errors[QUARRY_ERR_STRAY_REF];
	KUNIT_EXPECT_EQ(test, counted, violations);
	KUNIT_EXPECT_EQ(test, 0, quarry_test_violations(test, p.pool, ""));
	quarry_free_pages(p.pool, p.page, 2);
}

static void every_frame_is_looked_at(struct kunit *test)
{
	struct quarry_pool_validate *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	struct quarry_pool *pool = quarry_test_pool(test, SZ_8M, SZ_8M);

	KUNIT_ASSERT_NOT_NULL(test, v);
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_validate(pool, v));
	KUNIT_EXPECT_EQ(test, v->frames, FRAMES(SZ_8M));
	KUNIT_ASSERT_EQ(test, 0, quarry_pool_add_range(pool, 1ULL << 44, SZ_2M + SZ_4K, 0));
	KUNIT_EXPECT_EQ(test, 0, quarry_pool_validate(pool, v));
	KUNIT_EXPECT_EQ(test, v->frames, FRAMES(SZ_8M + SZ_2M + SZ_4K));
}

static struct kunit_case validator_cases[] = {
	KUNIT_CASE_PARAM(damage_is_found, damage_gen_params),
	KUNIT_CASE(every_frame_is_looked_at),
	{}
};

static struct kunit_suite validator_suite = {
	.name = "quarry-validator",
	.test_cases = validator_cases,
};

kunit_test_suite(validator_suite);
