/* SPDX-License-Identifier: GPL-2.0 */
/* The faces: what people and programs see of quarry. */
#ifndef QUARRY_FACES_H
#define QUARRY_FACES_H

int quarry_debugfs_init(void);
void quarry_debugfs_exit(void);
int quarry_chardev_init(void);
void quarry_chardev_exit(void);

#endif /* QUARRY_FACES_H */
