// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzzer of the core, for libFuzzer: bytes are the decisions that steps.c
 * draws, the model is the judge. The first byte chooses a load.
 *
 * A failing input is written to crash-*; fuzz.fuzz FILE runs it again.
 */
#include "steps.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t nr);

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t nr)
{
	struct load load = {};
	struct dice d;
	struct twin t;
	u8 how;

	if (!nr)
		return 0;
	how = bytes[0];
	dice_bytes(&d, bytes + 1, nr - 1);
	load.tiny = how & 1;
	load.churn = how & 2;
	load.arenas = 1 + (how >> 2) % 4;
	twin_init(&t);
	t.policy = load.tiny ? 1 : 8;
	t.full = load.tiny ? 1 : 64;
	steps_add_arena(&t, &d, &load);
	while (!dice_ended(&d))
		steps_one(&t, &d, &load);
	twin_drain(&t);
	twin_fini(&t);
	return 0;
}
