/* SPDX-License-Identifier: GPL-2.0 */
/* What the module's parameters come to. See params.c. */
#ifndef QUARRY_PARAMS_H
#define QUARRY_PARAMS_H

#include <linux/types.h>

int quarry_params_default_pool(void);
u64 quarry_params_magazine_bytes(void);
bool quarry_params_watch_kfree(void);
s64 quarry_params_device_gid(void);

#endif /* QUARRY_PARAMS_H */
