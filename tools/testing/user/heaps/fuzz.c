// SPDX-License-Identifier: GPL-2.0
/* libFuzzer over the map of a heap: its bytes are the dice of steps.c. */
#include <stddef.h>
#include <stdlib.h>

#include "steps.h"

/* A fuzzer wants to see what fails where it happens. */
void tap_require(bool holds, const char *what)
{
	(void)what;
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t nr);

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t nr)
{
	static struct twin t;
	struct dice d;

	dice_bytes(&d, bytes, nr);
	steps_init(&t);
	while (!dice_ended(&d))
		steps_one(&t, &d);
	steps_fini(&t, &d);
	return 0;
}
