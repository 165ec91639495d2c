/* SPDX-License-Identifier: GPL-2.0 */
/* Misuse by clients: told apart, counted, reported. See misuse.c. */
#ifndef QUARRY_MISUSE_H
#define QUARRY_MISUSE_H

#include "pool.h"

void quarry_misuse(struct quarry_pool *pool, enum quarry_error kind,
		   const struct quarry_page_arena *c, struct quarry_frame f, u64 length);
void quarry_misuse_deferred(struct quarry_pool *pool);
void quarry_misuse_address(struct quarry_pool *pool, const void *addr);
enum quarry_error quarry_misuse_kind(const struct quarry_page_arena *c,
				     struct quarry_frame f);
const char *quarry_error_name(enum quarry_error kind);
const char *quarry_error_text(enum quarry_error kind);

#endif /* QUARRY_MISUSE_H */
