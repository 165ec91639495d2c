/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: no key is ever on. */
#ifndef _LINUX_JUMP_LABEL_H
#define _LINUX_JUMP_LABEL_H

#define DECLARE_STATIC_KEY_FALSE(name)	extern int name
#define static_branch_unlikely(key)	0

#endif
