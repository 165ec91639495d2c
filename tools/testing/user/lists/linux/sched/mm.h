/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: no scopes. */
#ifndef _LISTS_LINUX_SCHED_MM_H
#define _LISTS_LINUX_SCHED_MM_H

#include <linux/gfp.h>
#include <linux/sched.h>

#define CONFIG_PROVE_LOCKING		0
#define CONFIG_DEBUG_ATOMIC_SLEEP	0
#define CONFIG_PROVE_RAW_LOCK_NESTING	0
#define CONFIG_PREEMPT_RT		0
#define might_alloc(gfp)		((void)(gfp))
#define current_gfp_context(gfp)	(gfp)
#define memalloc_noio_save()		0
#define memalloc_nofs_save()		0
#define memalloc_noio_restore(flags)	((void)(flags))
#define memalloc_nofs_restore(flags)	((void)(flags))

#endif
