/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: as for wait.h. */
#ifndef _LISTS_LINUX_SWAIT_H
#define _LISTS_LINUX_SWAIT_H

struct swait_queue_head {
	char unused;
};

#define init_swait_queue_head(queue)			((void)(queue))
#define DECLARE_SWAITQUEUE(name)	int name
#define prepare_to_swait_exclusive(queue, wait, state)	((void)(wait))
#define finish_swait(queue, wait)			((void)(wait))
#define swake_up_one(queue)				((void)(queue))

#endif
