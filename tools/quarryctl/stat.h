/* SPDX-License-Identifier: GPL-2.0 */
/* The two halves of quarryctl stat: once (cmd_stat.c) and live (stat_live.c). */
#ifndef QUARRYCTL_STAT_H
#define QUARRYCTL_STAT_H

#include "quarryctl.h"

int stat_live(void);

#endif /* QUARRYCTL_STAT_H */
