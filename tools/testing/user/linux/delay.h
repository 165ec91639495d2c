/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: see machine.h. */
#include "../machine.h"
