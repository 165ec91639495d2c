// SPDX-License-Identifier: GPL-2.0
/*
 * The one function that drivers/misc/lkdtm wants and the kernel does not export. It is called to
 * switch a protection of the CPU off, by a trigger of lkdtm that no test here pulls; so it does
 * nothing.
 */
#include <linux/module.h>

void native_write_cr4(unsigned long val);

void native_write_cr4(unsigned long val)
{
}
EXPORT_SYMBOL_GPL(native_write_cr4);

MODULE_DESCRIPTION("a symbol for lkdtm, as a client of quarry");
MODULE_AUTHOR("The quarry developers");
MODULE_LICENSE("GPL");
