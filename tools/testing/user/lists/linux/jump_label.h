/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: keys that are off. */
#ifndef _LISTS_LINUX_JUMP_LABEL_H
#define _LISTS_LINUX_JUMP_LABEL_H

#define DECLARE_STATIC_KEY_FALSE(name)		extern char name
#define static_branch_unlikely(key)		false

#endif
