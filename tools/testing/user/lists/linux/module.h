/* SPDX-License-Identifier: GPL-2.0 */
/* Stub. */
#ifndef _LISTS_LINUX_MODULE_H
#define _LISTS_LINUX_MODULE_H

#define EXPORT_SYMBOL_NS_GPL(symbol, ns)

#endif
