/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: what is compiled takes none. */
#ifndef _LISTS_LINUX_RWSEM_H
#define _LISTS_LINUX_RWSEM_H

struct rw_semaphore {
	int nothing;
};

#endif
