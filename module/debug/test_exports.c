// SPDX-License-Identifier: GPL-2.0
/*
 * What the KUnit suite sees beyond the public API.
 *
 * Compiled only for kernels with KUnit, and in a namespace of its own, so that no
 * other module comes to depend on it by accident. Context: none, there is no code.
 */
#include "../arena/directory.h"
#include "../compat.h"
#include "../pages/alloc.h"
#include "../pages/misuse.h"
#include "../stats/snapshot.h"
#include "inject.h"

EXPORT_SYMBOL_NS_GPL(quarry_inject_key, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_inject_set, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_inject_fired, QUARRY_TEST_NS);

EXPORT_SYMBOL_NS_GPL(quarry_arena_metadata_bytes, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_arena_init, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_buddy_init, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_buddy_add, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_buddy_remove, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_buddy_claim, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_buddy_claim_many, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_buddy_free, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_arena_is_free, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_buddy_claim_at, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_buddy_claim_run, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_arena_check_run, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_buddy_free_run, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_buddy_trim, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_buddy_check, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_arena_head, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_unusable_milli, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_extfrag_milli, QUARRY_TEST_NS);

EXPORT_SYMBOL_NS_GPL(quarry_directory, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_no_chunk, QUARRY_TEST_NS);

EXPORT_SYMBOL_NS_GPL(quarry_zone_lock, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_zone_unlock, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_error_name, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_pool_check_name, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_pool_orders_snapshot, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_pool_map_snapshot, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_pool_arenas_snapshot, QUARRY_TEST_NS);
EXPORT_SYMBOL_NS_GPL(quarry_pool_cpu_snapshot, QUARRY_TEST_NS);
