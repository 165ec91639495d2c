/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_MODULE_H
#define _LISTS_LINUX_MODULE_H

#define EXPORT_SYMBOL_NS_GPL(symbol, ns)

struct module;
#define THIS_MODULE	((struct module *)0)

#endif
