/* SPDX-License-Identifier: GPL-2.0 */
/* Included before everything else: whose messages these are, and the version. */
#ifndef QUARRY_PREFIX_H
#define QUARRY_PREFIX_H

#define pr_fmt(fmt)	"quarry: " fmt
#define QUARRY_VERSION	"0.1.0"

#endif /* QUARRY_PREFIX_H */
