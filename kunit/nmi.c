// SPDX-License-Identifier: GPL-2.0
/*
 * Real NMIs, sent by a CPU to itself.
 *
 * One at a time; the suite that sends them registers the handler for as long as a test
 * runs. Where the machine cannot send any, nothing runs and the caller is told.
 */
#include <linux/nmi.h>
#include <linux/smp.h>

#include "quarry_kunit.h"

#ifdef CONFIG_X86_LOCAL_APIC
#include <asm/apic.h>
#include <asm/nmi.h>

static void (*nmi_fn)(void *arg);
static void *nmi_arg;
static bool nmi_done;

static int nmi_handler(unsigned int type, struct pt_regs *regs)
{
	if (!nmi_fn)
		return NMI_DONE;
	nmi_fn(nmi_arg);
	nmi_fn = NULL;
	WRITE_ONCE(nmi_done, true);
	return NMI_HANDLED;
}

/* Run @fn in a real NMI on this CPU; preemption is off. */
bool quarry_test_in_nmi(void (*fn)(void *), void *arg)
{
	unsigned long tries = 100000000;

	nmi_arg = arg;
	nmi_done = false;
	barrier();
	nmi_fn = fn;
	apic->send_IPI_mask(cpumask_of(smp_processor_id()), NMI_VECTOR);
	while (!READ_ONCE(nmi_done) && --tries)
		cpu_relax();
	nmi_fn = NULL;
	return nmi_done;
}

int quarry_test_nmi_init(void)
{
	return register_nmi_handler(NMI_LOCAL, nmi_handler, 0, "quarry_kunit");
}

void quarry_test_nmi_exit(void)
{
	unregister_nmi_handler(NMI_LOCAL, "quarry_kunit");
}
#else
bool quarry_test_in_nmi(void (*fn)(void *), void *arg)
{
	return false;
}

int quarry_test_nmi_init(void)
{
	return 0;
}

void quarry_test_nmi_exit(void)
{
}
#endif
