/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: see kernel.h. */
#include "../kernel.h"
