// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzzer of slabs and magazines, for libFuzzer: bytes are the decisions that
 * stock.c draws, its model is the judge. The first byte chooses the kind of object.
 *
 * A failing input is written to crash-*; fuzz_objects.fuzz FILE runs it again.
 */
#include "stock.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t nr);

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t nr)
{
	static const struct stock_kind kinds[] = {
		{ 512, 0, 0 }, { 200, 8, 8 }, { 1024, 64, 64 }, { 4096, 4096, 0 },
	};
	struct stock *t;
	struct dice d;

	if (!nr)
		return 0;
	t = stock_new(&kinds[bytes[0] % ARRAY_SIZE(kinds)], 0);
	dice_bytes(&d, bytes + 1, nr - 1);
	while (!dice_ended(&d))
		stock_step(t, &d);
	stock_end(t);
	return 0;
}
