// SPDX-License-Identifier: GPL-2.0
/*
 * The module stays loaded while pages are out, even if no module that uses it is left: when
 * another module goes, the pools are looked at, and pages that it leaked pin us until they
 * are freed.
 *
 * Contexts: everything here sleeps. The lock of the list of pools, exclusive, guards it all.
 */
#include <linux/module.h>

#include "pcp.h"

static bool pinned;

/**
 * quarry_pools_pin() - keep the module while a page is out, and no longer
 *
 * Called when another module has gone. Context: sleeps.
 */
void quarry_pools_pin(void)
{
	struct quarry_pool *pool = NULL;
	u64 out = 0;

	/* What caches only keep at hand is nobody's. */
	quarry_pool_reclaim_all(NULL);
	quarry_pools_lock();
	while ((pool = quarry_pool_next(pool))) {
		quarry_pcp_drain_all(pool, QUARRY_FOREVER);
		out += quarry_pool_frames_out(pool);
	}
	if (out && !pinned) {
		pinned = try_module_get(THIS_MODULE);
		if (pinned)
			pr_err("%llu pages are out and no module is left to free them: staying loaded\n",
			       out);
	} else if (!out && pinned) {
		module_put(THIS_MODULE);
		pinned = false;
	}
	quarry_pools_unlock();
}

/* Look again, if we stay for pages that were out. Context: sleeps. */
void quarry_pools_unpin(void)
{
	if (READ_ONCE(pinned))
		quarry_pools_pin();
}
