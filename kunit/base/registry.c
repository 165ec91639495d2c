// SPDX-License-Identifier: GPL-2.0
/*
 * Registries (module/base/registry.c) beside a naive reference, an array: what comes, goes and
 * comes again is found by number and by name, in order, and by a walk through all of it. Seeds
 * are fixed.
 */
#include <linux/prandom.h>

#include "../../module/base/registry.h"
#include "../quarry_kunit.h"

#define THINGS	48U

struct thing {
	struct quarry_registered registered;
	char name[8];
	u32 looks;
	bool here, named;
};

static struct thing things[THINGS];

static u32 below(struct rnd_state *rnd, u32 limit)
{
	return prandom_u32_state(rnd) % limit;
}

static struct thing *thing_of(struct quarry_registered *e)
{
	return e ? container_of(e, struct thing, registered) : NULL;
}

static void look(struct quarry_registered *e)
{
	thing_of(e)->looks++;
}

/* The one that is there with the least number from @id on. */
static struct thing *reference_from(u64 id)
{
	struct thing *found = NULL, *t;

	for (t = things; t < things + THINGS; t++)
		if (t->here && t->registered.id >= id &&
		    (!found || t->registered.id < found->registered.id))
			found = t;
	return found;
}

static struct thing *reference_named(const char *name)
{
	struct thing *t;

	for (t = things; t < things + THINGS; t++)
		if (t->here && t->named && !strcmp(t->name, name))
			return t;
	return NULL;
}

/* A step: one that is away comes, with one of few names or as it was; or one that is here goes. */
static void step(struct kunit *test, struct quarry_registry *reg, struct rnd_state *rnd)
{
	struct thing *t = &things[below(rnd, THINGS)];

	if (t->here) {
		raw_spin_lock(&reg->lock);
		quarry_registry_remove(reg, &t->registered);
		raw_spin_unlock(&reg->lock);
		t->here = false;
		t->named = false;
	} else if (t->looks && below(rnd, 3) == 0) {
		/* It has had a number. */
		quarry_registry_add_again(reg, &t->registered);
		t->here = true;
	} else {
		int expected;

		snprintf(t->name, sizeof(t->name), "n%u", below(rnd, THINGS));
		expected = reference_named(t->name) ? -EEXIST : 0;
		KUNIT_EXPECT_EQ(test, expected,
				quarry_registry_add(reg, &t->registered, t->name));
		t->here = !expected;
		t->named = !expected;
		t->looks += !expected;
	}
}

static void compare(struct kunit *test, struct quarry_registry *reg, struct rnd_state *rnd)
{
	u32 id = below(rnd, reg->next_id + 2), looks;
	struct quarry_registered *e = NULL;
	struct thing *t, *r;
	unsigned int nr = 0;
	char name[8];

	raw_spin_lock(&reg->lock);
	t = thing_of(quarry_registry_from(reg, id));
	raw_spin_unlock(&reg->lock);
	r = reference_from(id);
	KUNIT_EXPECT_PTR_EQ(test, t, r);
	looks = r ? r->looks : 0;
	t = thing_of(quarry_registry_look_id(reg, id));
	if (!r || r->registered.id != id) {
		KUNIT_EXPECT_NULL(test, t);
	} else {
		KUNIT_EXPECT_PTR_EQ(test, t, r);
		KUNIT_EXPECT_EQ(test, looks + 1, r->looks);
	}
	snprintf(name, sizeof(name), "n%u", below(rnd, THINGS));
	KUNIT_EXPECT_PTR_EQ(test, thing_of(quarry_registry_look(reg, name)),
			    reference_named(name));
	r = reference_from(0);
	while ((e = quarry_registry_look_next(reg, e))) {
		KUNIT_EXPECT_PTR_EQ(test, thing_of(e), r);
		KUNIT_EXPECT_TRUE(test, quarry_is_registered(e));
		r = reference_from(e->id + 1ULL);
		nr++;
	}
	KUNIT_EXPECT_NULL(test, r);
	KUNIT_EXPECT_EQ(test, nr, quarry_registry_number(reg));
}

static void registry_beside_an_array(struct kunit *test)
{
	struct quarry_registry reg = QUARRY_REGISTRY(reg, look);
	struct rnd_state rnd;
	unsigned int i;

	raw_spin_lock_init(&reg.lock);
	memset(things, 0, sizeof(things));
	prandom_seed_state(&rnd, 11);
	for (i = 0; i < 4000; i++) {
		step(test, &reg, &rnd);
		compare(test, &reg, &rnd);
	}
}

/* Who stands at one that goes, and comes again or not, goes on behind it. */
static void a_walk_goes_on_where_one_has_gone(struct kunit *test)
{
	struct quarry_registry reg = QUARRY_REGISTRY(reg, look);
	static const char * const names[] = { "d", "b", "c", "a" };
	struct quarry_registered *e;
	unsigned int i;

	raw_spin_lock_init(&reg.lock);
	memset(things, 0, sizeof(things));
	for (i = 0; i < 4; i++)
		KUNIT_ASSERT_EQ(test, 0, quarry_registry_add(&reg, &things[i].registered,
							     names[i]));
	e = quarry_registry_look_next(&reg, NULL);
	KUNIT_EXPECT_PTR_EQ(test, thing_of(e), &things[0]);
	raw_spin_lock(&reg.lock);
	quarry_registry_remove(&reg, &things[0].registered);
	raw_spin_unlock(&reg.lock);
	e = quarry_registry_look_next(&reg, e);
	KUNIT_EXPECT_PTR_EQ(test, thing_of(e), &things[1]);
	raw_spin_lock(&reg.lock);
	quarry_registry_remove(&reg, &things[1].registered);
	raw_spin_unlock(&reg.lock);
	e = quarry_registry_look_next(&reg, e);
	KUNIT_EXPECT_PTR_EQ(test, thing_of(e), &things[2]);
	raw_spin_lock(&reg.lock);
	quarry_registry_remove(&reg, &things[2].registered);
	raw_spin_unlock(&reg.lock);
	quarry_registry_add_again(&reg, &things[2].registered);
	KUNIT_EXPECT_NULL(test, quarry_registry_look(&reg, "c"));
	e = quarry_registry_look_next(&reg, e);
	KUNIT_EXPECT_PTR_EQ(test, thing_of(e), &things[3]);
	KUNIT_EXPECT_NULL(test, quarry_registry_look_next(&reg, e));
}

/* After 2^32 numbers the first ones come again, but not those that somebody has. */
static void numbers_that_somebody_has_are_left_out(struct kunit *test)
{
	struct quarry_registry reg = QUARRY_REGISTRY(reg, look);

	raw_spin_lock_init(&reg.lock);
	memset(things, 0, sizeof(things));
	KUNIT_ASSERT_EQ(test, 0, quarry_registry_add(&reg, &things[0].registered, "a"));
	KUNIT_ASSERT_EQ(test, 0, quarry_registry_add(&reg, &things[1].registered, "b"));
	reg.next_id = U32_MAX;
	KUNIT_ASSERT_EQ(test, 0, quarry_registry_add(&reg, &things[2].registered, "c"));
	KUNIT_ASSERT_EQ(test, 0, quarry_registry_add(&reg, &things[3].registered, "d"));
	KUNIT_EXPECT_EQ(test, things[2].registered.id, U32_MAX);
	KUNIT_EXPECT_EQ(test, things[3].registered.id, 2);
}

static void show(const struct quarry_registered *e, void *to)
{
	*(u32 *)to = e->id;
}

/* What is written down in two parts is what there is, each once. */
static void a_list_in_parts(struct kunit *test)
{
	struct quarry_registry reg = QUARRY_REGISTRY(reg, look);
	u32 ids[3] = {};
	u64 from = 0;

	raw_spin_lock_init(&reg.lock);
	memset(things, 0, sizeof(things));
	KUNIT_ASSERT_EQ(test, 0, quarry_registry_add(&reg, &things[0].registered, "a"));
	KUNIT_ASSERT_EQ(test, 0, quarry_registry_add(&reg, &things[1].registered, "b"));
	KUNIT_ASSERT_EQ(test, 0, quarry_registry_add(&reg, &things[2].registered, "c"));
	KUNIT_EXPECT_EQ(test, 2, quarry_registry_list(&reg, &from, ids, sizeof(*ids), 2, show));
	KUNIT_EXPECT_EQ(test, 1, quarry_registry_list(&reg, &from, ids + 2, sizeof(*ids), 2, show));
	KUNIT_EXPECT_EQ(test, ids[0], 0);
	KUNIT_EXPECT_EQ(test, ids[1], 1);
	KUNIT_EXPECT_EQ(test, ids[2], 2);
	KUNIT_EXPECT_EQ(test, 0, quarry_registry_list(&reg, &from, ids, sizeof(*ids), 2, show));
}

static struct kunit_case registry_cases[] = {
	KUNIT_CASE(registry_beside_an_array),
	KUNIT_CASE(a_walk_goes_on_where_one_has_gone),
	KUNIT_CASE(numbers_that_somebody_has_are_left_out),
	KUNIT_CASE(a_list_in_parts),
	{}
};

static struct kunit_suite registry_suite = {
	.name = "quarry-registry",
	.test_cases = registry_cases,
};

kunit_test_suite(registry_suite);
