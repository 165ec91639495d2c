// SPDX-License-Identifier: GPL-2.0
/*
 * Random walks of the buddy and a naive reference, side by side.
 *
 * The reference, the comparison of every step and the choice of steps are those
 * of the user-space tests (tools/testing/user: model.c, twin.c, steps.c), as they
 * are: there they run for hundreds of millions of steps, here for hundreds of
 * thousands, with the kernel's bit operations and under KASAN.
 *
 * A walk is made of rounds. The seed of each follows from seed= and its number;
 * it is printed when a round fails.
 */
#include <linux/sched/task_stack.h>

#include "model.c"
#include "twin.c"
#include "steps.c"

#include "../quarry_kunit.h"

struct kunit *quarry_test_now;

/**
 * struct walk - a load, and how closely it is watched
 * @name:	of the test
 * @load:	what steps.c draws
 * @policy:	compare where claims land every so many claims
 * @full:	compare everything every so many steps
 * @round:	steps a round
 * @share:	of all steps, in thousandths
 */
struct walk {
	const char *name;
	struct load load;
	unsigned int policy;
	unsigned int full;
	u64 round;
	unsigned int share;
};

static const struct walk walks[] = {
	{ "arenas of up to 64 frames", { .arenas = 3, .tiny = true, .churn = true },
	  1, 8, 1500, 15 },
	{ "up to 3 arenas", { .arenas = 3, .churn = true }, 32, 1024, 40000, 280 },
	{ "up to 12 arenas that come and go", { .arenas = 12, .churn = true },
	  512, 16384, 200000, 700 },
	{ "an arena above 1 GiB", { .arenas = 1, .large = true }, 1024, 1024, 1500, 5 },
};

static void walk_name(const struct walk *w, char *text)
{
	strscpy(text, w->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(walk, walks, walk_name);

static void one_round(struct twin *t, const struct walk *w, u64 seed, u64 steps)
{
	struct load load = w->load;
	struct dice d;
	int i;

	dice_seed(&d, seed);
	twin_init(t);
	t->seed = seed;
	t->policy = w->policy;
	t->full = w->full;
	for (i = 1 + dice(&d, load.arenas); i; i--)
		steps_add_arena(t, &d, &load);
	while (t->steps < steps) {
		steps_one(t, &d, &load);
		cond_resched();
	}
	twin_drain(t);
	for (i = 0; i < MODEL_ARENAS; i++)
		if (t->m.arena[i].present && !twin_remove(t, i))
			twin_fail(t, "an empty arena stays");
	twin_full(t);
}

static void free_twin(struct kunit_resource *res)
{
	twin_fini(res->data);
	kvfree(res->data);
}

static int make_twin(struct kunit_resource *res, void *context)
{
	struct twin *t = kvzalloc(sizeof(*t), GFP_KERNEL);

	res->data = t;
	return t ? 0 : -ENOMEM;
}

static void random_walk(struct kunit *test)
{
	const struct walk *w = test->param_value;
	u64 steps = div_u64((u64)quarry_test_steps * w->share, 1000), done, round;
	struct twin *t;

	/* A batch of the comparison lies on the stack. */
	if (THREAD_SIZE < SZ_32K)
		kunit_skip(test, "needs the larger stacks of KASAN");
	t = kunit_alloc_resource(test, make_twin, free_twin, GFP_KERNEL, NULL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	quarry_test_now = test;
	for (round = done = 0; done < steps; round++) {
		one_round(t, w, quarry_test_seed + round, min(w->round, steps - done));
		done += t->steps;
		twin_fini(t);
	}
	kunit_info(test, "%llu steps in %llu rounds from seed %lu\n", done, round,
		   quarry_test_seed);
}

static struct kunit_case walk_cases[] = {
	KUNIT_CASE_PARAM(random_walk, walk_gen_params),
	{}
};

static struct kunit_suite walk_suite = {
	.name = "quarry-walk",
	.suite_init = quarry_test_parameters,
	.test_cases = walk_cases,
};

kunit_test_suite(walk_suite);
