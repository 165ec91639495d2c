/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: one node. */
#ifndef _LISTS_LINUX_NODEMASK_H
#define _LISTS_LINUX_NODEMASK_H

#define N_MEMORY		0
#define nr_node_ids		1
#define node_state(node, state)	((node) == 0)
#define num_online_nodes()	1
#define numa_mem_id()		0
#define cpu_to_mem(cpu)		((void)(cpu), 0)

#endif
