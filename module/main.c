// SPDX-License-Identifier: GPL-2.0
/*
 * The module: the order in which things come and go. Its parameters are those of params.c.
 *
 * init is a ladder, exit its mirror: arenas, directory, labels, visits, keeper, CPU hotplug,
 * shrinker, the notifiers of being out of memory and of hibernation, the default pool, malloc's
 * caches, the reaper, who listens to failed frames and to kfree(), then the interfaces, and
 * last the notifier of modules that come and go.
 * Nothing can reach a layer before the layers below it are up. What layers leave to RCU when
 * they go, the arenas' exit waits for, once for all.
 *
 * Contexts: module load and unload.
 */
#include <linux/module.h>
#include <linux/notifier.h>

#include "arena/directory.h"
#include "base/random.h"
#include "base/report.h"
#include "cache/cache.h"
#include "cache/labels.h"
#include "interfaces/interfaces.h"
#include "malloc/malloc.h"
#include "pages/keeper.h"
#include "pages/pool.h"
#include "params.h"

/* Pages that modules leaked when they went keep us loaded: see pages/pin.c. */
static int module_changes(struct notifier_block *nb, unsigned long state, void *data)
{
	if (state == MODULE_STATE_COMING)
		quarry_pin_module_came(data);
	if (state == MODULE_STATE_GOING)
		quarry_pools_disown(data);
	if (state == MODULE_STATE_GOING && quarry_pin_module_went(data)) {
		quarry_kv_settle();
		quarry_pools_pin();
	}
	return NOTIFY_OK;
}

static struct notifier_block module_notifier = { .notifier_call = module_changes };

static int __init quarry_init(void)
{
	int err;

	quarry_random_init();
	err = quarry_page_arenas_init();
	if (err)
		return err;
	err = quarry_directory_init();
	if (err)
		goto arenas;
	err = quarry_labels_init();
	if (err)
		goto directory;
	err = quarry_visits_init();
	if (err)
		goto labels;
	err = quarry_keeper_init();
	if (err)
		goto visits;
	quarry_decay_begin();
	err = quarry_hotplug_init();
	if (err)
		goto decay;
	err = quarry_shrinker_init();
	if (err)
		goto hotplug;
	err = quarry_oom_init();
	if (err)
		goto shrinker;
	err = quarry_hibernate_init();
	if (err)
		goto oom;
	err = quarry_params_default_pool();
	if (err)
		goto hibernate;
	quarry_magazine_set_budget(quarry_params_magazine_bytes());
	err = quarry_malloc_init();
	if (err)
		goto caches;
	err = quarry_reaper_init();
	if (err)
		goto caches;
	err = quarry_poison_init();
	if (err)
		goto reaper;
	if (quarry_params_watch_kfree()) {
		err = quarry_strays_watch();
		if (err)
			goto poison;
	}
	err = register_module_notifier(&module_notifier);
	if (err)
		goto watch;
	err = quarry_debugfs_init();
	if (err)
		goto notifier;
	err = quarry_chardev_init(quarry_params_device_gid());
	if (err)
		goto debugfs;
	return 0;

debugfs:
	quarry_debugfs_exit();
notifier:
	unregister_module_notifier(&module_notifier);
watch:
	quarry_strays_unwatch();
poison:
	quarry_poison_exit();
reaper:
	quarry_reaper_exit();
caches:
	quarry_caches_exit();
	quarry_pools_exit();
hibernate:
	quarry_hibernate_exit();
oom:
	quarry_oom_exit();
shrinker:
	quarry_shrinker_exit();
hotplug:
	quarry_hotplug_exit();
decay:
	quarry_decay_end();
	quarry_keeper_exit();
visits:
	quarry_visits_exit();
labels:
	quarry_labels_exit();
directory:
	quarry_directory_exit();
arenas:
	quarry_page_arenas_exit();
	quarry_tags_exit();
	quarry_reports_exit();
	return err;
}
module_init(quarry_init);

static void __exit quarry_exit(void)
{
	quarry_chardev_exit();
	quarry_debugfs_exit();
	unregister_module_notifier(&module_notifier);
	quarry_strays_unwatch();
	quarry_poison_exit();
	quarry_kv_exit();
	quarry_reaper_exit();
	quarry_caches_exit();
	quarry_pools_exit();
	quarry_hibernate_exit();
	quarry_oom_exit();
	quarry_shrinker_exit();
	quarry_hotplug_exit();
	quarry_decay_end();
	quarry_keeper_exit();
	quarry_visits_exit();
	quarry_labels_exit();
	quarry_directory_exit();
	quarry_page_arenas_exit();
	quarry_tags_exit();
	quarry_reports_exit();
}
module_exit(quarry_exit);

MODULE_DESCRIPTION("quarry: pools of pages, caches of objects and malloc of one's own");
MODULE_AUTHOR("The quarry developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(QUARRY_VERSION);
