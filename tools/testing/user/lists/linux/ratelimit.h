/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: messages are for the kernel's log, which is not here. */
#ifndef _LISTS_LINUX_RATELIMIT_H
#define _LISTS_LINUX_RATELIMIT_H

#define DEFINE_RATELIMIT_STATE(name, interval, burst)	int name = (interval) * 0
#define __ratelimit(state)	((void)(state), false)

#endif
