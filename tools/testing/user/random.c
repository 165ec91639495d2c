// SPDX-License-Identifier: GPL-2.0
/*
 * Random walks of core and model, side by side.
 *
 * A walk is a number of rounds; a round builds arenas, takes some thousand
 * steps, frees everything, looks whether all is one again, and removes the
 * arenas. Rounds take turns between four loads:
 *
 *	tiny	arenas of up to 64 frames, everything compared at each step
 *	small	up to 3 arenas, everything compared every 256 steps
 *	medium	up to 12 arenas that come and go, every 8192 steps
 *	large	one arena of 1 to 1.5 GiB, orders to 18, every 4096 steps
 *
 * The seed of each round follows from SEED and the round's number, and is
 * printed when a round fails: SEED=that ROUNDS=1 repeats it alone.
 */
#include <stdio.h>
#include <stdlib.h>

#include "steps.h"
#include "tap.h"

struct kind {
	const char *name;
	struct load load;
	unsigned int policy;
	unsigned int full;
	u64 steps;
};

static const struct kind kinds[] = {
	{ "tiny", { .arenas = 3, .tiny = true, .churn = true }, 1, 1, 4000 },
	{ "small", { .arenas = 3, .churn = true }, 16, 256, 40000 },
	{ "medium", { .arenas = 12, .churn = true }, 256, 8192, 400000 },
	{ "large", { .arenas = 1, .large = true }, 1024, 4096, 8000 },
};

static u64 nr_steps;
static u64 nr_rounds;
static u64 seed;

static u64 one_round(const struct kind *k, u64 round_seed, u64 steps)
{
	struct load load = k->load;
	struct dice d;
	struct twin t;
	u64 done;
	int i;

	dice_seed(&d, round_seed);
	twin_init(&t);
	t.seed = round_seed;
	t.policy = k->policy;
	t.full = k->full;
	for (i = 1 + dice(&d, load.arenas); i; i--)
		steps_add_arena(&t, &d, &load);
	while (t.steps < steps)
		steps_one(&t, &d, &load);
	twin_drain(&t);
	for (i = 0; i < MODEL_ARENAS; i++)
		if (t.m.arena[i].present && !twin_remove(&t, i))
			twin_fail(&t, "an empty arena stays");
	twin_full(&t);
	done = t.steps;
	twin_fini(&t);
	return done;
}

static void walk(const void *arg)
{
	const struct kind *k = arg;
	u64 round, done = 0;

	for (round = 0; nr_rounds ? round < nr_rounds : done < nr_steps; round++)
		done += one_round(k, seed + round, k->steps < nr_steps - done || nr_rounds ?
				  k->steps : nr_steps - done);
	printf("# %llu steps in %llu rounds\n", done, round);
}

int main(void)
{
	/* Shares of the steps, in thousandths. */
	static const unsigned int share[] = { 20, 250, 720, 10 };
	u64 steps = env_number("STEPS", 4000000);
	unsigned int i;

	seed = env_number("SEED", 1);
	nr_rounds = env_number("ROUNDS", 0);
	tap_plan(ARRAY_SIZE(kinds));
	printf("# seed %llu\n# steps %llu\n", seed, steps);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		nr_steps = steps * share[i] / 1000;
		tap_run(kinds[i].name, walk, &kinds[i]);
	}
	return tap_end();
}
