/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: a count of this thread's, as in kernels with CONFIG_PREEMPT_COUNT. */
#ifndef _LISTS_LINUX_PREEMPT_H
#define _LISTS_LINUX_PREEMPT_H

#include <linux/compiler.h>

extern __thread unsigned int lists_preempt_count;

#define NMI_MASK		0x100000U
#define preempt_count()		lists_preempt_count
#define in_nmi()		(preempt_count() & NMI_MASK)
#define in_interrupt()		in_nmi()
#define preemptible()		(!preempt_count())
#define preempt_disable()	do { lists_preempt_count++; barrier(); } while (0)
#define preempt_enable()	do { barrier(); lists_preempt_count--; } while (0)

#endif
