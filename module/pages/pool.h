/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a pool is made of. See pool.c for its life, alloc.c for the way of a page.
 *
 *	struct quarry_pool
 *	  |-- pcp, one a CPU       lists of blocks by order (pcp.c)
 *	  `-- zone[], one a node   lock + buddy over that node's arenas
 *	        `-- the last one   device memory, without struct pages
 *
 * Lock order, outermost first:
 *
 *	1. pools_mutex (pools.c)	pools come and go one at a time
 *	   add_mutex (range.c)		what memory of others is in a pool
 *	   pool->giving (pool.c)	memory goes back to the kernel
 *	2. directory_lock (directory.c)	slots and chains of the directory
 *	3. busy of a pcp (pcp.h)	this CPU's lists: a mark, not a lock; whoever
 *					finds it set goes by another way
 *	4. pools.lock (pools.c)	the registry of pools, for a few steps; raw
 *	5. zone->lock			the buddy and arenas of one zone; raw, IRQs off.
 *					No two zones at once, nothing taken inside
 */
#ifndef QUARRY_POOL_H
#define QUARRY_POOL_H

#include <linux/irq_work.h>
#include <linux/llist.h>
#include <linux/quarry.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/swait.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <asm/local64.h>

#include "../arena/page_arena.h"
#include "../base/injection.h"
#include "../base/registry.h"
#include "../buddy/buddy.h"
#include "../buddy/place.h"
#include "../compat.h"
#include "../base/injection.h"
#include "reclaim.h"
#include "visit.h"

/*
 * Counters that only slow paths move: of each CPU whose lists are open, and of the pool for
 * all others. First come those that QUARRY_POOL_FIGURES has as counted where it happens.
 */
#define QUARRY_COUNT_OF(kind, field, NAME, text)	\
	QUARRY_IF_COUNTED(kind, QUARRY_COUNT_##NAME)
enum quarry_count QUARRY_POOL_FIGURES(QUARRY_COUNT_OF);

#define QUARRY_ZERO_OF(kind, field, NAME, text)	QUARRY_IF_COUNTED(kind, 0)
#define QUARRY_NR_COUNTED	sizeof((const u8 [])QUARRY_POOL_FIGURES(QUARRY_ZERO_OF))

/* Then what sums are made of: of runs, and blocks that go past the lists by order. */
enum {
	QUARRY_COUNT_RUN_ALLOCS = QUARRY_NR_COUNTED,
	QUARRY_COUNT_RUN_FREES,
	QUARRY_COUNT_RUN_ALLOC_FRAMES,
	QUARRY_COUNT_RUN_FREE_FRAMES,
	QUARRY_COUNT_ERRORS,	/* and QUARRY_NR_ERRORS from here */
	QUARRY_COUNT_DIRECT_ALLOCS = QUARRY_COUNT_ERRORS + QUARRY_NR_ERRORS,
	QUARRY_COUNT_DIRECT_FREES = QUARRY_COUNT_DIRECT_ALLOCS + QUARRY_PCP_ORDERS,
	QUARRY_NR_COUNTS = QUARRY_COUNT_DIRECT_FREES + QUARRY_PCP_ORDERS
};

/* Most blocks on a list: of small orders, which are used by the hundred, and of others. */
#define QUARRY_PCP_SMALL	PAGE_ALLOC_COSTLY_ORDER
#define QUARRY_PCP_SINGLES	128
#define QUARRY_PCP_LEAST	16

/* Blocks of places that are to empty which go to the zone together. */
#define QUARRY_PCP_STRAYS	4

/* Slots of the lists of one CPU, with one before each list; see quarry_list_max(). */
#define QUARRY_PCP_SLOTS	((QUARRY_PCP_SMALL + 1) * QUARRY_PCP_SINGLES + \
				 QUARRY_PCP_LEAST * (QUARRY_PCP_ORDERS - QUARRY_PCP_SMALL - 1) + \
				 QUARRY_PCP_ORDERS)

/**
 * struct quarry_list_part - what slow paths know of a list
 * @granted:	frees that were allowed before a look, ever
 * @moved:	blocks that came from the zone, less those that went there
 * @cap:	blocks that it may hold
 * @low:	fewest that were seen on it since it was last asked for spare ones
 * @strays:	blocks that were not taken for their place, modulo 2^16
 * @span:	frees that were allowed the last time
 * @turn:	number of the block that goes to the zone next
 * @tally:	where blocks lie that are freed
 */
struct quarry_list_part {
	u64 granted;
	s64 moved;
	u16 cap;
	u16 low;
	u16 strays;
	u16 span;
	u16 turn;
	struct quarry_tally tally;
};

/**
 * struct quarry_cold - what the lists of one CPU need beside their tops; comes on first use
 * @count:	enum quarry_count
 * @part:	by order
 * @capacity:	sum of the lists' capacities, and of the strays, in frames
 * @seen_calls:	calls of the lists when it was last looked whether they are idle (drain.c)
 * @nr_strays:	blocks that go to the zone when there are as many as go together
 * @stray_order: the order of each
 * @strays:	these
 * @slots:	memory of the lists
 */
struct quarry_cold {
	local64_t count[QUARRY_NR_COUNTS];
	struct quarry_list_part part[QUARRY_PCP_ORDERS];
	u32 capacity;
	u64 seen_calls;
	u8 nr_strays;
	u8 stray_order[QUARRY_PCP_STRAYS];
	struct quarry_slot strays[QUARRY_PCP_STRAYS];
	struct quarry_slot slots[QUARRY_PCP_SLOTS];
};

/**
 * struct quarry_pcp - one CPU's part of a pool
 * @lists:	blocks by order; first, for the fast path
 * @buddy:	of the zone whose blocks they are
 * @cold:	the rest of them, or NULL while they are closed
 * @gift:	what will be @cold with the next slow call, or NULL (open.c)
 * @home:	this CPU's number at the buddy
 * @blocked:	@lists are marked busy for good (inject.c)
 * @wanting:	a @gift is asked for; then so it is in the pool
 * @away:	the CPU has stopped, or not used its lists since: they do not count as open
 */
struct quarry_pcp {
	struct quarry_lists lists;
	struct quarry_buddy *buddy;
	struct quarry_cold *cold;
	struct quarry_cold *gift;
	u8 home;
	bool blocked;
	bool wanting;
	bool away;
};

/**
 * struct quarry_zone - a pool's memory on one node
 * @lock:	guards @buddy, @arenas and the state bytes and lists of its arenas; on a line
 *		of its own, for who waits for it writes there
 * @buddy:	the allocator
 * @arenas:	the memory of its arenas, by address
 * @nr_spare:	of @buddy, as it was when the kernel was told; under @lock
 * @told:	frames that the kernel counts as available, see available.c
 * @pool:	whose
 * @index:	in the pool's zone[]
 * @node:	NUMA node, or NUMA_NO_NODE for device memory
 * @deferred:	blocks freed where @lock could not be had, linked through page->lru
 * @coming:	of these, those that are being put back; under @lock
 * @todo:	the next hold of @lock begins with work: there are @coming, or it @seeks
 * @nr_deferred: frames on @deferred and @coming
 * @retired: arenas out of service, through arena.link
 * @nr_retired: frames of these
 * @poisoned:	frames whose hardware has failed (poison.c); under @lock
 * @nr_kept:	of these, frames that are kept
 * @seeks:	others are not free yet
 */
struct quarry_zone {
	raw_spinlock_t lock ____cacheline_aligned_in_smp;
	struct quarry_buddy buddy ____cacheline_aligned_in_smp;
	struct rb_root arenas;
	u64 nr_spare;
	u64 told;
	struct quarry_pool *pool;
	unsigned int index;
	int node;
	struct llist_head deferred;
	struct llist_node *coming;
	bool todo;
	bool seeks;
	atomic_long_t nr_deferred;
	struct list_head retired;
	u64 nr_retired;
	struct list_head poisoned;
	u64 nr_kept;
};

struct quarry_wish;

/**
 * struct quarry_pool - see include/linux/quarry.h
 * @pcp:	per-CPU lists and counters; first, as struct quarry_pool_head says
 * @stray:	enum quarry_count of CPUs whose lists are closed
 * @wanting:	a CPU has asked for lists (open.c)
 * @list_limit:	most frames that the lists of one CPU may hold
 * @nr_open:	CPUs whose lists are open, but those that have gone
 * @max:	cap in frames
 * @min:	floor in frames
 * @low:	low watermark in frames, 0 if none
 * @reserve:	frames kept for those whom gfp.c allows them
 * @zone_gfp:	zone flags for memory from the kernel
 * @node:	bound to this node, or NUMA_NO_NODE
 * @managed:	frames in arenas, and in arenas being taken
 * @held:	frames of the kernel's that are in service; the floor is kept on these
 * @telling:	callers for whom the kernel is being told what is available (available.c)
 * @metadata:	bytes of metadata of the arenas
 * @next_arena:	number of the next arena
 * @arena_changes: how often an arena has come or gone
 * @nr_zones:	length of @zone; the last is for device memory
 * @zone:	by node; NULL for nodes that the pool may not use
 * @name:	its name
 * @refs:	of quarry_pool_find(), and one of the list
 * @looks:	of those who look at it (pools.c), and one until it is freed
 * @registered: in the registry of pools: its number (pools.c)
 * @giving:	shared: memory is given back; exclusive: nobody does that any more
 * @holders:	and this one
 * @slabs_left:	slabs of caches whose pages come back after a grace period, ever
 * @slabs_came:	those of them whose pages have come
 * @debugfs:	its folder
 * @rcu:	to let those go who still look at it when it is freed
 * @grow_irq:	wakes @grow_work from any context
 * @wake_irq:	wakes who waits in @freed, likewise
 * @grow_work:	grows above the low watermark
 * @woken:	@grow_work is queued, at work, or waits for memory
 * @failures:	how often in a row it got none
 * @freed:	callers that must not fail wait here for a free
 * @waiters:	how many do
 * @grown:	others wait here for growth
 * @growing:	arenas on their way from the kernel
 * @arrivals:	arenas that have come
 * @injection:	fault injection
 * @modes:	QUARRY_MODE_* that are on (modes.c)
 * @tabled:	arenas bring a table when they come
 * @guarded:	the lists are blocked for modes
 * @owner:	module that made it and is still loaded; else NULL, and it is destroyed by name.
 *		Compared, never followed
 * @forgotten:	in the list of those whose memory was given up (forget.c)
 * @dying:	destroy has begun: no growing
 */
struct quarry_pool {
	struct quarry_pcp __percpu *pcp;
	atomic64_t stray[QUARRY_NR_COUNTS];
	bool wanting;
	u32 list_limit;
	atomic_t nr_open;
	u64 max;
	u64 min;
	u64 low;
	u64 reserve;
	gfp_t zone_gfp;
	int node;
	atomic64_t managed;
	atomic64_t held;
	atomic_t telling;
	atomic64_t metadata;
	atomic_t next_arena;
	atomic_t arena_changes;
	unsigned int nr_zones;
	struct quarry_zone **zone;
	char name[QUARRY_NAME_MAX];
	refcount_t refs;
	refcount_t looks;
	struct quarry_registered registered;
	struct rw_semaphore giving;
	struct list_head holders;
	atomic_t slabs_left;
	atomic_t slabs_came;
	struct dentry *debugfs;
	struct rcu_head rcu;
	struct irq_work grow_irq;
	struct irq_work wake_irq;
	struct delayed_work grow_work;
	unsigned int failures;
	bool woken;
	struct swait_queue_head freed;
	atomic_t waiters;
	wait_queue_head_t grown;
	atomic_t growing;
	atomic_t arrivals;
	struct quarry_injection injection;
	u32 modes;
	bool tabled;
	bool guarded;
	struct module *owner;
	struct list_head forgotten;
	bool dying;
};

/* open.c */
void quarry_count_add(struct quarry_pool *pool, unsigned int which, u64 nr);

static inline void quarry_count(struct quarry_pool *pool, unsigned int which)
{
	quarry_count_add(pool, which, 1);
}

static inline struct quarry_zone *quarry_buddy_zone(struct quarry_buddy *b)
{
	return container_of(b, struct quarry_zone, buddy);
}

static inline struct quarry_zone *quarry_device_zone(struct quarry_pool *pool)
{
	return pool->zone[pool->nr_zones - 1];
}

/* The zone after @z, or the first; NULL at the end. Device memory comes last. */
static inline struct quarry_zone *quarry_zone_next(struct quarry_pool *pool,
						   const struct quarry_zone *z)
{
	unsigned int i;

	for (i = z ? z->index + 1 : 0; i < pool->nr_zones; i++)
		if (pool->zone[i])
			return pool->zone[i];
	return NULL;
}

/* pool.c */
void quarry_pools_exit(void);
int quarry_default_pool_init(const struct quarry_pool_config *config);
struct quarry_pool *quarry_pool_make(const char *name,
				     const struct quarry_pool_config *config,
				     struct module *owner, u32 *id);
int quarry_pool_destroy_named(const char *name, s64 id);
bool quarry_pool_is_default(const struct quarry_pool *pool);
void quarry_pools_disown(const struct module *mod);
void quarry_pool_stop(struct quarry_pool *pool);
int quarry_pool_check_name(const char *name);
u64 quarry_pool_frames_out(struct quarry_pool *pool);
void quarry_pool_look_away(struct quarry_pool *pool);
bool quarry_pool_begin_giving(struct quarry_pool *pool, bool wait);
void quarry_pool_end_giving(struct quarry_pool *pool);

bool quarry_pool_has_block(struct quarry_pool *pool, unsigned int order);

/* forget.c */
int quarry_pool_forget_named(const char *name, u64 *lost);
void quarry_pools_count_lost(u64 frames);
u64 quarry_pools_lost(void);
unsigned int quarry_pools_forgotten(void);
void quarry_forgotten_exit(void);

/* fastpath.c */
void quarry_pool_block_fastpath(struct quarry_pool *pool);

/* zone.c */
void quarry_zone_settle(struct quarry_zone *z);

/* Are there blocks that were freed without the lock? A moment old. */
static inline bool quarry_zone_has_deferred(const struct quarry_zone *z)
{
	return READ_ONCE(z->coming) || !llist_empty(&z->deferred);
}

/* poison.c */
void quarry_zone_keep_poisoned(struct quarry_zone *z);
void quarry_zone_free_poisoned(struct quarry_zone *z, struct quarry_page_arena *c);
void quarry_zone_seek_again(struct quarry_zone *z);
void quarry_zone_drop_poisoned(struct quarry_zone *z, const struct quarry_page_arena *c);
void quarry_frame_failed(unsigned long pfn);
void quarry_poison_settle(void);
void quarry_poison_tidy(void);
bool quarry_block_is_poisoned(struct quarry_pool *pool, struct page *page, unsigned long nr);
int quarry_poison_init(void);
void quarry_poison_exit(void);

/* pools.c: the list of them */
struct quarry_pool *quarry_pool_look(const char *name);
struct quarry_pool *quarry_pool_look_id(u32 id);
struct quarry_pool *quarry_pool_look_next(struct quarry_pool *pool);
unsigned int quarry_pools_list(u64 *from, void *entries, unsigned int room);
unsigned int quarry_pools_number(void);
bool quarry_pool_has_gone(const struct quarry_pool *pool);
int quarry_pools_add(struct quarry_pool *pool);
int quarry_pools_remove(struct quarry_pool *pool, u64 *out);
int quarry_pools_hide(struct quarry_pool *pool, unsigned int refs);
struct quarry_pool *quarry_pools_remove_first(void);

/**
 * struct quarry_pool_watcher - told when a pool comes and goes; of a layer above
 * @created:	it has come, or was there
 * @destroyed:	it has gone
 * @link:	in the list of them
 */
struct quarry_pool_watcher {
	void (*created)(struct quarry_pool *pool);
	void (*destroyed)(struct quarry_pool *pool);
	struct list_head link;
};

/* While it is held no pool comes or goes. */
void quarry_pools_lock(void);
void quarry_pools_unlock(void);
struct quarry_pool *quarry_pool_lookup(const char *name);

void quarry_pool_watch(struct quarry_pool_watcher *w);
void quarry_pool_unwatch(struct quarry_pool_watcher *w);

/* pin.c */
void quarry_pin_module_came(struct module *mod);
bool quarry_pin_module_went(struct module *mod);
void quarry_pools_pin(void);
void quarry_pools_unpin(void);

/* arenas.c */
struct quarry_page_arena *quarry_zone_arena(struct quarry_zone *z, unsigned long pfn,
					    unsigned long end, bool top_down);
struct quarry_page_arena *quarry_pool_arena(struct quarry_pool *pool, bool device,
					    unsigned long pfn, struct quarry_zone **zone,
					    unsigned long *flags);
struct quarry_page_arena *quarry_zone_beside(struct quarry_page_arena *c, bool top_down);
bool quarry_zone_enter(struct quarry_zone *z, struct quarry_page_arena *c, bool tabled,
		       bool *joined);
int quarry_zone_add(struct quarry_zone *z, struct quarry_page_arena *c);
int quarry_zone_leave(struct quarry_zone *z, struct quarry_page_arena *c);
int quarry_zone_take_out(struct quarry_zone *z, struct quarry_page_arena *c);
int quarry_zone_discard(struct quarry_zone *z, struct quarry_page_arena *c);
u64 quarry_zone_retry_retired(struct quarry_zone *z, u64 most);

/* floor.c */
int quarry_pool_fill(struct quarry_pool *pool);
u64 quarry_floors_give_up(void);

/* grow.c */
bool quarry_pool_grow(struct quarry_pool *pool, const struct quarry_wish *w, bool near,
		      unsigned int order);
bool quarry_pool_grow_floor(struct quarry_pool *pool);
gfp_t quarry_grow_gfp(gfp_t gfp, unsigned int order, bool large);
bool quarry_pool_await_growth(struct quarry_pool *pool, const struct quarry_wish *w, int seen,
			      bool *waited);
bool quarry_pool_make_room(struct quarry_pool *pool, const struct quarry_wish *w,
			   unsigned int order);
void quarry_pool_wake(struct quarry_pool *pool, const struct quarry_zone *z);
void quarry_grow_work(struct work_struct *work);
void quarry_grow_irq(struct irq_work *irq);

/* range.c */
bool quarry_range_could_serve(struct quarry_pool *pool, const struct quarry_wish *w,
			      unsigned int order, int *looked);

/* available.c */
u64 quarry_pool_low_keeps(const struct quarry_pool *pool);
void quarry_pool_tell_available(struct quarry_pool *pool);

/* Of frames, for the log. */
static inline u64 quarry_kib(u64 frames)
{
	return frames << (PAGE_SHIFT - 10);
}

/* shrink.c */
u64 quarry_pool_yield(struct quarry_pool *pool, int node, u64 frames);
u64 quarry_pool_yield_all(struct quarry_pool *pool);
unsigned long quarry_pools_yield(int node, unsigned long frames);
u64 quarry_zone_shrink(struct quarry_zone *z, u64 frames, bool mark);
bool quarry_zone_release_one(struct quarry_zone *z, unsigned int order);
int quarry_shrinker_init(void);
void quarry_shrinker_exit(void);

/* oom.c */
int quarry_oom_init(void);
void quarry_oom_exit(void);

/* hibernate.c */
int quarry_hibernate_init(void);
void quarry_hibernate_exit(void);

/* open.c */
void quarry_lists_exit(void);

/* drain.c */
void quarry_decay_begin(void);
void quarry_decay_end(void);

/* hotplug.c */
int quarry_hotplug_init(void);
void quarry_hotplug_exit(void);

#endif /* QUARRY_POOL_H */
