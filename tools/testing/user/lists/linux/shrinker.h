/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: there is no memory pressure; compat.h wants the words. */
#ifndef _LISTS_LINUX_SHRINKER_H
#define _LISTS_LINUX_SHRINKER_H

#include <linux/sched.h>
#include <linux/types.h>

#define QUARRY_HAVE_ACCOUNT_RECLAIMED
#define DEFAULT_SEEKS		2
#define SHRINKER_NUMA_AWARE	1
#define register_shrinker(s, name)		((void)(s), 0)
#define unregister_shrinker(s)			((void)(s))
#define mm_account_reclaimed_pages(pages)	((void)(pages))

struct shrink_control;

struct shrinker {
	unsigned long (*count_objects)(struct shrinker *s, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *s, struct shrink_control *sc);
	int seeks;
	unsigned int flags;
};

#endif
