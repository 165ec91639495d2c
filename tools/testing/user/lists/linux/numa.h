/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_NUMA_H
#define _LISTS_LINUX_NUMA_H

#define NUMA_NO_NODE	(-1)

#endif
