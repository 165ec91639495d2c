/* SPDX-License-Identifier: GPL-2.0 */
/* Have a step of ours fail, for tests. Of users' allocations see injection.h. See inject.c. */
#ifndef QUARRY_INJECT_H
#define QUARRY_INJECT_H

#include <linux/jump_label.h>
#include <linux/types.h>

DECLARE_STATIC_KEY_FALSE(quarry_inject_key);

bool quarry_inject_fires(void);
void quarry_inject_set(unsigned int nth);
unsigned int quarry_inject_fired(void);

/* Should the step that follows fail? A no-op instruction while off. */
static __always_inline bool quarry_inject(void)
{
	return static_branch_unlikely(&quarry_inject_key) && quarry_inject_fires();
}

#endif /* QUARRY_INJECT_H */
