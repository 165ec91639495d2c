// SPDX-License-Identifier: GPL-2.0
/*
 * What the KUnit suite sees beyond the public API.
 *
 * Compiled only for kernels with KUnit, and in a namespace of its own, so that no
 * other module comes to depend on it by accident. Context: none, there is no code.
 */
#include "arena/directory.h"
#include "base/inject.h"
#include "base/registry.h"
#include "base/report.h"
#include "cache/cache.h"
#include "cache/labels.h"
#include "compat.h"
#include "pages/alloc.h"
#include "pages/gfp.h"
#include "pages/guard.h"
#include "pages/keeper.h"
#include "pages/misuse.h"
#include "pages/visit.h"
#include "stats/caches.h"
#include "stats/snapshot.h"

#define TEST_EXPORT(sym)		\
	EXPORT_SYMBOL_NS_GPL(sym,	\
			     QUARRY_TEST_NS)

TEST_EXPORT(quarry_inject_key);
TEST_EXPORT(quarry_inject_set);
TEST_EXPORT(quarry_inject_fired);

TEST_EXPORT(quarry_report_begin);
TEST_EXPORT(quarry_report_say);
TEST_EXPORT(quarry_report_who);
TEST_EXPORT(quarry_reports_forget);
TEST_EXPORT(quarry_report_end);

TEST_EXPORT(quarry_page_arena_take);
TEST_EXPORT(quarry_page_arena_undo);
TEST_EXPORT(quarry_directory_bytes);
TEST_EXPORT(quarry_directory_insert);
TEST_EXPORT(quarry_directory_reach);
TEST_EXPORT(quarry_directory_remove);
TEST_EXPORT(quarry_directory_publish);

TEST_EXPORT(quarry_arena_metadata_bytes);
TEST_EXPORT(quarry_arena_init);
TEST_EXPORT(quarry_buddy_init);
TEST_EXPORT(quarry_buddy_join);
TEST_EXPORT(quarry_buddy_leave);
TEST_EXPORT(quarry_buddy_add);
TEST_EXPORT(quarry_buddy_remove);
TEST_EXPORT(quarry_buddy_claim);
TEST_EXPORT(quarry_buddy_claim_many);
TEST_EXPORT(quarry_buddy_free);
TEST_EXPORT(quarry_arena_is_free);
TEST_EXPORT(quarry_buddy_claim_at);
TEST_EXPORT(quarry_buddy_may_have_run);
TEST_EXPORT(quarry_buddy_claim_run);
TEST_EXPORT(quarry_buddy_claim_lowest);
TEST_EXPORT(quarry_arena_check_run);
TEST_EXPORT(quarry_buddy_free_run);
TEST_EXPORT(quarry_buddy_trim);
TEST_EXPORT(quarry_buddy_check);
TEST_EXPORT(quarry_buddy_check_sums);
TEST_EXPORT(quarry_arena_head);
TEST_EXPORT(quarry_unusable_milli);
TEST_EXPORT(quarry_extfrag_milli);

TEST_EXPORT(quarry_registry_add);
TEST_EXPORT(quarry_registry_add_again);
TEST_EXPORT(quarry_registry_remove);
TEST_EXPORT(quarry_registry_from);
TEST_EXPORT(quarry_registry_look);
TEST_EXPORT(quarry_registry_look_id);
TEST_EXPORT(quarry_registry_look_next);
TEST_EXPORT(quarry_registry_list);

TEST_EXPORT(quarry_label_frames);
TEST_EXPORT(quarry_label_bytes);
TEST_EXPORT(quarry_labels_table_bytes);
TEST_EXPORT(quarry_grow_gfp);
TEST_EXPORT(quarry_wish_parse);
TEST_EXPORT(quarry_zone_lock);
TEST_EXPORT(quarry_zone_unlock);
TEST_EXPORT(quarry_zone_enter);
TEST_EXPORT(quarry_zone_shrink);
TEST_EXPORT(quarry_pool_traces);
TEST_EXPORT(quarry_pool_arena);
TEST_EXPORT(quarry_pools_disown);
TEST_EXPORT(quarry_pool_watch);
TEST_EXPORT(quarry_pool_unwatch);
TEST_EXPORT(quarry_reclaim_add);
TEST_EXPORT(quarry_reclaim_remove);
TEST_EXPORT(quarry_pool_reclaim_all);
TEST_EXPORT(quarry_pool_dead_caches);
TEST_EXPORT(quarry_block_is_large);
TEST_EXPORT(quarry_cache_watch);
TEST_EXPORT(quarry_cache_unwatch);
TEST_EXPORT(quarry_frame_failed);
TEST_EXPORT(quarry_poison_settle);
TEST_EXPORT(quarry_pools_lost);
TEST_EXPORT(quarry_pools_forgotten);
TEST_EXPORT(quarry_pool_forget_named);
TEST_EXPORT(quarry_pools_pin);
TEST_EXPORT(quarry_lists_limit);
TEST_EXPORT(quarry_pcp_frames);
TEST_EXPORT(quarry_pcp_drain_all);
TEST_EXPORT(quarry_chore_set_timer);
TEST_EXPORT(quarry_chore_begin);
TEST_EXPORT(quarry_chore_wake);
TEST_EXPORT(quarry_chore_at_work);
TEST_EXPORT(quarry_chore_end);
TEST_EXPORT(quarry_visit);
TEST_EXPORT(quarry_visits_made);
TEST_EXPORT(quarry_cpu_cache_has_any);
TEST_EXPORT(quarry_cpu_cache_drain_cpus);
TEST_EXPORT(quarry_error_name);
TEST_EXPORT(quarry_pool_check_name);
TEST_EXPORT(quarry_pool_orders_snapshot);
TEST_EXPORT(quarry_pool_map_snapshot);
TEST_EXPORT(quarry_pool_arenas_snapshot);
TEST_EXPORT(quarry_pool_cpu_snapshot);

TEST_EXPORT(quarry_cache_error_name);
TEST_EXPORT(quarry_cache_fill_snapshot);
TEST_EXPORT(quarry_cache_is_reclaimable);
TEST_EXPORT(quarry_cache_reap);
TEST_EXPORT(quarry_cache_traces);
TEST_EXPORT(quarry_cache_look_id);
TEST_EXPORT(quarry_cache_look_away);
TEST_EXPORT(quarry_cache_validate);
TEST_EXPORT(quarry_caches_list);
TEST_EXPORT(quarry_caches_look_round);
TEST_EXPORT(quarry_caches_number);
TEST_EXPORT(quarry_depot_get_spare);
TEST_EXPORT(quarry_depot_put);
TEST_EXPORT(quarry_guard_record);
TEST_EXPORT(quarry_guests_shrink);
TEST_EXPORT(quarry_magazine_budget);
TEST_EXPORT(quarry_magazine_budget_used);
TEST_EXPORT(quarry_cpu_cache_shrink);
TEST_EXPORT(quarry_cpu_cache_close);
TEST_EXPORT(quarry_cpu_cache_n);
TEST_EXPORT(quarry_cpu_cache_open);
TEST_EXPORT(quarry_node_isolate);
TEST_EXPORT(quarry_node_lock);
TEST_EXPORT(quarry_node_settle);
TEST_EXPORT(quarry_node_unlock);
TEST_EXPORT(quarry_page_slab_of);
TEST_EXPORT(quarry_slab_look);
TEST_EXPORT(quarry_slab_put);
TEST_EXPORT(quarry_page_slabs_discard);
TEST_EXPORT(quarry_tag_get_node);
