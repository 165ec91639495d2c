/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The timed loop of a mix of sizes, for arms of malloc: included after put() and
 * get_size(), as loops.h is. Reading the draw and the slot is in the figure.
 */
#ifndef QUARRY_BENCH_MIXED_H
#define QUARRY_BENCH_MIXED_H

static u64 arm_mixed(const struct bench_draw *draws, void **slots, unsigned int n)
{
	u64 start = ktime_get_ns();
	unsigned int i;

	for (i = 0; i < n; i++) {
		void **slot = &slots[draws[i].slot];

		put(*slot, 0);
		*slot = get_size(draws[i].size);
		if (unlikely(!*slot))
			return BENCH_FAILED;
	}
	return ktime_get_ns() - start;
}

#endif /* QUARRY_BENCH_MIXED_H */
