// SPDX-License-Identifier: GPL-2.0
/*
 * The module stays loaded while pages are out, even if no module that uses it is left: when
 * the last one goes, the pools are looked at, and pages that were leaked pin us until they
 * are freed. What such a module has given to quarry_free_rcu() or its kind is not leaked: as with
 * the kernel's kfree_rcu() it need not wait for that, so that is done here (malloc/kv.c). Modules
 * that do not use us are none of our business; but where the kernel tells who uses whom in a way
 * of its own, which is said once, each that goes is taken for the last one.
 *
 * Contexts: everything here sleeps.
 */
#include <linux/module.h>
#include <linux/mutex.h>

#include "../compat.h"
#include "pcp.h"

/* One at a time looks whether to stay. */
static DEFINE_MUTEX(pin_mutex);
static bool pinned;

/* Modules that use us. */
static atomic_t users = ATOMIC_INIT(0);

/* What the kernel says of who uses whom makes no sense to us. */
static bool blind;

static void __maybe_unused go_blind(void)
{
	if (!xchg(&blind, true))
		pr_warn("this kernel does not tell which module uses which: each that goes is taken for the last one\n");
}

/* Does a module that comes or goes use ours? What it uses does not change then. */
static bool uses_us(struct module *mod)
{
#ifdef CONFIG_MODULE_UNLOAD
	struct module_use *use;

	list_for_each_entry(use, &mod->target_list, target_list) {
		/* Whose list that is. */
		if (use->source != mod)
			go_blind();
		else if (use->target == THIS_MODULE)
			return true;
	}
#endif
	return false;
}

/* A module has come. Context: any. */
void quarry_pin_module_came(struct module *mod)
{
	if (uses_us(mod))
		atomic_inc(&users);
}

/* A module goes. Context: any. Return: true if it was the last one that uses us. */
bool quarry_pin_module_went(struct module *mod)
{
	bool last = uses_us(mod) && atomic_dec_and_test(&users);

	return READ_ONCE(blind) ? mod != THIS_MODULE : last;
}

/**
 * quarry_pools_pin() - keep the module while a page is out, and no longer
 *
 * Called when the last module that uses us has gone. Context: sleeps.
 */
void quarry_pools_pin(void)
{
	struct quarry_pool *pool = NULL;
	u64 out = 0;

	/* What caches only keep at hand is nobody's. */
	quarry_pool_reclaim_all(NULL);
	mutex_lock(&pin_mutex);
	while ((pool = quarry_pool_look_next(pool))) {
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
	mutex_unlock(&pin_mutex);
}

/* Look again, if we stay for pages that were out. Context: sleeps. */
void quarry_pools_unpin(void)
{
	if (READ_ONCE(pinned))
		quarry_pools_pin();
}
