/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a cache is made of. See cache.c for its life, alloc.c for the way of an object.
 *
 *	struct quarry_cache
 *	  |-- cpu_cache		loaded and previous magazine (slab/magazine.c)
 *	  `-- node[], one a node
 *	        |-- depot	magazines that no CPU has
 *	        |-- plain	slabs, objects one beside the other
 *	        `-- guarded	slabs with room for redzones and owners (guard.c)
 *
 * Lock order, outermost first; see pages/pool.h for the layer below:
 *
 *	1. watching (cache.c)		caches come and go one by one, and are told of. Not to
 *					be waited for in reclaim: folders are made under it
 *	   modes_mutex (modes.c)	one switch of modes at a time
 *	   parting (reap.c)		one at a time takes slabs off. May be waited for in
 *					reclaim
 *	   labels_lock (labels.c)	a MiB gets its labels; nothing inside
 *	2. busy of a CPU cache		this CPU's magazines: a mark, not a lock
 *	3. node->lock			slabs and depot of one node; raw, IRQs off. No two
 *					at once, and nothing of the pool's inside
 *	   caches.lock (cache.c)		the registry of caches, for a few steps; raw
 */
#ifndef QUARRY_CACHE_H
#define QUARRY_CACHE_H

#include <linux/llist.h>
#include <linux/quarry_cache.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <asm/local.h>

#include "../base/injection.h"
#include "../base/stacks.h"
#include "../compat.h"
#include "../pages/pool.h"
#include "../slab/magazine.h"
#include "../slab/slab.h"

struct quarry_cache_node;
struct quarry_report;
struct quarry_stack_text;

/* Reasons why a CPU's magazines are disabled. */
#define QUARRY_DISABLED_MODES	1	/* they hold guarded objects alone, no plain ones */
#define QUARRY_DISABLED_INJECT	2
#define QUARRY_DISABLED_DEAD	4
#define QUARRY_DISABLED_WIPE	8	/* init_on_free: for as long as the machine runs */

/**
 * struct quarry_record - what a guarded slab knows of each object
 * @flags:	QUARRY_RECORD_*; OUT is changed atomically, the rest by who has the object
 * @pid:	of the last allocation and free
 * @stack:	the same
 * @when:	the same, in jiffies
 */
struct quarry_record {
	unsigned long flags;
	u32 pid[2];
	depot_stack_handle_t stack[2];
	unsigned long when[2];
};

#define QUARRY_RECORD_OUT	0	/* in a client's hands */
#define QUARRY_RECORD_POISONED	1	/* filled when it was freed */
#define QUARRY_RECORD_RED	2	/* its redzones are filled */
#define QUARRY_RECORD_LOST	3	/* written to while free: not to be reused */
#define QUARRY_RECORD_LISTED	4	/* of a slab's first one: it is on the list of these */
#define QUARRY_RECORD_ALLOC	0	/* index of @pid, @stack, @when */
#define QUARRY_RECORD_FREE	1

/**
 * struct quarry_page_slab - a slab with the pages behind it
 * @rcu:	to let those go who looked at it through a page
 * @all:	among all slabs of its node; who walks over them puts a mark there
 * @deferred_link:	in the node's list of slabs with objects freed without the lock
 * @lost_link:	in the node's list of slabs with objects that were written to while free
 * @deferred:	such objects, a bit each
 * @page:	its first page
 * @node:	whose; NULL in a mark
 * @records:	of a guarded slab, else NULL
 * @bytes:	what describing it costs
 * @strays:	references missing of its pages that were counted (strays.c)
 * @lacking:	objects that have not been found in magazines yet, when these were last
 *		gone through (spare.c)
 * @tallied:	which time that was, in full: what an earlier one left is true no more
 * @slab:	the slab; last, for its bits
 */
struct quarry_page_slab {
	struct rcu_head rcu;
	struct list_head all;
	struct llist_node deferred_link;
	struct llist_node lost_link;
	unsigned long *deferred;
	struct page *page;
	struct quarry_cache_node *node;
	struct quarry_record *records;
	u32 bytes;
	u32 strays;
	u16 lacking;
	u64 tallied;
	struct quarry_slab slab;
};

static inline struct quarry_page_slab *quarry_page_slab(struct quarry_slab *slab)
{
	return container_of(slab, struct quarry_page_slab, slab);
}

/* Most objects in quarantine on one node. */
#define QUARRY_QUARANTINE	64

/**
 * struct quarry_cache_node - a cache's memory on one node
 * @cache:	whose
 * @node:	NUMA node
 * @tag:	of frames of @plain and of @guarded; the latter 0 until it is needed
 * @lock:	guards what follows but @deferred, @lost and @barren; on a line apart from what
 *		frees on every CPU read
 * @plain:	slabs
 * @guarded:	slabs for safety modes
 * @depot:	magazines
 * @slabs:	all of them, plain and guarded
 * @deferred:	slabs with objects that were freed without the lock
 * @coming:	of these, those that are being put back
 * @nr_wrong:	objects that were freed so and had been returned already; told of with the lock let
 *		go
 * @wrong:	one of them
 * @lost_slabs:	slabs with lost objects
 * @holds:	how often the lock was held, ever, and how often objects were returned then that
 *		were freed without it
 * @quarantine:	guarded objects that wait, a ring; NULL until that mode is first on
 * @quarantine_at: where the oldest is
 * @quarantine_n: how many there are
 * @lost:	guarded objects that were written to while they were free
 * @barren:	jiffies until which it is not asked again for memory that may be elsewhere
 * @spent:	a lent slab has got its last object back
 * @sweeping:	those that have are about to be given back
 * @sweep_link:	in the list of nodes with such slabs
 * @low_empty:	least number of empty slabs since they were last reaped
 * @grows:	slabs taken from the pool, ever
 * @shrinks:	slabs given back, ever
 * @constructed: objects constructed, ever
 * @metadata:	bytes of the slabs' descriptions
 */
struct quarry_cache_node {
	struct quarry_cache *cache;
	int node;
	u16 tag[2];
	raw_spinlock_t lock ____cacheline_aligned_in_smp;
	struct quarry_slab_list plain;
	struct quarry_slab_list guarded;
	struct quarry_depot depot;
	struct list_head slabs;
	struct llist_head deferred;
	struct llist_node *coming;
	u32 nr_wrong;
	void *wrong;
	struct llist_head lost_slabs;
	u64 holds;
	void **quarantine;
	u32 quarantine_at;
	u32 quarantine_n;
	atomic_t lost;
	unsigned long barren;
	bool spent;
	bool sweeping;
	struct llist_node sweep_link;
	u64 low_empty;
	u64 grows;
	u64 shrinks;
	u64 constructed;
	u64 metadata;
};

/**
 * struct quarry_cpu_cache_cold - the part of a CPU's magazines that only the slow paths need
 * @count:	enum quarry_cpu_cache_count; moved by this CPU alone, but in any context
 * @remote:	objects of other nodes; of whoever has marked the magazines
 */
struct quarry_cpu_cache_cold {
	local_t count[QUARRY_CPU_CACHE_COUNTS];
	struct quarry_remote remote;
};

/**
 * struct quarry_cache - see include/linux/quarry_cache.h
 * @cpu_cache:	per-CPU magazines; first, as struct quarry_cache_head says
 * @pool:	where slabs come from
 * @shape:	of slabs: plain and guarded
 * @least:	of slabs that found no larger block; nr is 0 where there is no smaller one
 * @nr_least:	plain slabs of that shape
 * @red:	bytes of the redzone before a guarded object
 * @flags:	as given at creation
 * @modes:	QUARRY_MODE_* that are on
 * @ctor:	makes objects when their slab is made, or NULL
 * @user_offset: where bytes that may be copied to user space begin in an object
 * @user_size:	how many they are
 * @cap_min:	of magazines, when a cache is new; 0: none at all
 * @cap_max:	of magazines, when it is busy
 * @count:	of CPUs that have no cold part (yet)
 * @nr_cold:	CPUs that have one
 * @errors:	misuse, by kind
 * @magazines:	magazines there are
 * @magazine_bytes: what they cost, without their objects
 * @nodes:	by node; NULL for nodes that the pool may not use
 * @nr_nodes:	length of @nodes
 * @injection:	fault injection
 * @name:	its name
 * @kind:	QUARRY_CACHE_TYPED, _CLASS or _DEAD
 * @registered: in the registry of caches: its number, and its name unless it is dead
 * @link:	in a list of those that go at unload
 * @changing:	shared: somebody changes it on request; exclusive: nobody does any more
 * @holding:	in the pool's list of those that may have slabs (spare.c)
 * @parting:	in a list of those that slabs are taken from (reap.c)
 * @gone:	those of its slabs that are off the lists, and not with the pool yet; as @parting
 * @leaked:	its pool was forgotten: nothing of it changes any more (leak_pool.c)
 * @texts:	of a dead one, stacks in words; or NULL (leaks.c)
 * @nr_texts:	how many
 * @debugfs:	its folder
 * @refs:	slabs on their way to the kernel, who looks at it, and one until nobody finds it
 *		by a tag
 * @rcu:	for the latter
 */
struct quarry_cache {
	struct quarry_cpu_cache __percpu *cpu_cache;
	struct quarry_pool *pool;
	struct quarry_shape shape[2];
	struct quarry_shape least[2];
	atomic_t nr_least;
	u32 red;
	slab_flags_t flags;
	u32 modes;
	void (*ctor)(void *object);
	u32 user_offset;
	u32 user_size;
	u32 cap_min;
	u32 cap_max;
	atomic64_t count[QUARRY_CPU_CACHE_COUNTS];
	atomic_t nr_cold;
	atomic64_t errors[QUARRY_NR_CACHE_ERRORS];
	atomic_t magazines;
	atomic64_t magazine_bytes;
	struct quarry_cache_node **nodes;
	unsigned int nr_nodes;
	struct quarry_injection injection;
	char name[QUARRY_NAME_MAX];
	u32 kind;
	struct quarry_registered registered;
	struct list_head link;
	struct rw_semaphore changing;
	struct list_head holding;
	struct list_head parting;
	struct list_head gone;
	bool leaked;
	struct quarry_stack_text *texts;
	unsigned int nr_texts;
	struct dentry *debugfs;
	refcount_t refs;
	struct rcu_head rcu;
};

/* Bytes of an object that KASAN is told of: 0 where a free one may be looked at. */
static inline u32 quarry_cache_shadowed(const struct quarry_cache *cache)
{
	return cache->flags & SLAB_TYPESAFE_BY_RCU ? 0 : cache->shape[0].size;
}

/* KASAN is told that objects go to a client. */
static inline void quarry_objects_out(const struct quarry_cache *cache, void **objects,
				      size_t nr)
{
	size_t i;

	for (i = 0; IS_ENABLED(CONFIG_KASAN_GENERIC) && i < nr; i++)
		quarry_shadow_open(objects[i], quarry_cache_shadowed(cache));
}

/* The same of those that come back; nobody else can have them yet. */
static inline void quarry_objects_in(const struct quarry_cache *cache, void **objects,
				     size_t nr)
{
	size_t i;

	for (i = 0; IS_ENABLED(CONFIG_KASAN_GENERIC) && i < nr; i++)
		quarry_shadow_free(objects[i], quarry_cache_shadowed(cache));
}

/* Count for this CPU. Context: any. */
static inline void quarry_cache_count_add(struct quarry_cache *cache,
					  enum quarry_cpu_cache_count which, long nr)
{
	struct quarry_cpu_cache_cold *cold;

	preempt_disable();
	cold = READ_ONCE(this_cpu_ptr(cache->cpu_cache)->cold);
	if (likely(cold))
		local_add(nr, &cold->count[which]);
	else
		atomic64_add(nr, &cache->count[which]);
	preempt_enable();
}

static inline void quarry_cache_count(struct quarry_cache *cache, enum quarry_cpu_cache_count which)
{
	quarry_cache_count_add(cache, which, 1);
}

static inline bool quarry_cpu_cache_enter(struct quarry_cpu_cache *m)
{
	if (unlikely(quarry_cpu_cache_is_busy(m)))
		return false;
	quarry_cpu_cache_set_busy(m);
	quarry_cpu_cache_close(m);
	return true;
}

static inline void quarry_cpu_cache_leave(struct quarry_cpu_cache *m)
{
	quarry_cpu_cache_open(m);
	quarry_cpu_cache_clear_busy(m);
}

/*
 * The bits that objects of a plain slab have in common, whichever shape it has. Who has an
 * object of a least slab was given it after that was counted.
 */
static inline u64 quarry_cache_same(const struct quarry_cache *cache)
{
	return unlikely(atomic_read(&cache->nr_least)) ? cache->least[0].same :
							 cache->shape[0].same;
}

/* The node after @n, or the first; NULL at the end. */
static inline struct quarry_cache_node *
quarry_cache_node_next(struct quarry_cache *cache, const struct quarry_cache_node *n)
{
	unsigned int i;

	for (i = n ? n->node + 1 : 0; i < cache->nr_nodes; i++)
		if (cache->nodes[i])
			return cache->nodes[i];
	return NULL;
}

/* tags.c; the last tag is that of malloc's large blocks, which are in no slab */
#define QUARRY_TAG_LARGE	U16_MAX

/* In the private word of its page: it is a run, not a block. The rest says how many pages. */
#define QUARRY_LARGE_RUN	BIT(31)
void quarry_tags_exit(void);
int quarry_tag_get(struct quarry_cache_node *n, unsigned int which);
void quarry_tag_hide(struct quarry_cache_node *n);
void quarry_tag_put(struct quarry_cache_node *n);
u16 quarry_tag_of(unsigned long pfn);
bool quarry_tag_is_large(unsigned long pfn);
struct quarry_cache_node *quarry_tag_node(unsigned long pfn);
struct quarry_cache_node *quarry_tag_get_node(u16 tag);
struct quarry_page_slab *quarry_page_slab_of(const void *object);

/* The node whose objects a CPU's magazines hold. */
static inline struct quarry_cache_node *quarry_cpu_cache_node(const struct quarry_cpu_cache *m)
{
	return quarry_tag_get_node(m->tag);
}

/* slabs.c: slabs of a node */
bool quarry_node_lock(struct quarry_cache_node *n, unsigned long *flags, bool try);
void quarry_node_unlock(struct quarry_cache_node *n, unsigned long flags);
void quarry_node_settle(struct quarry_cache_node *n);

/* Are there objects that were freed without the lock? A moment old. */
static inline bool quarry_node_has_deferred(const struct quarry_cache_node *n)
{
	return READ_ONCE(n->coming) || !llist_empty(&n->deferred);
}

bool quarry_node_walk(struct quarry_cache_node *n, bool records,
		      void (*fn)(struct quarry_page_slab *s, void *data), void *data);
struct quarry_cache_node *quarry_node_grow(struct quarry_cache *cache, gfp_t gfp, int node,
					   bool guarded);
bool quarry_node_wait(struct quarry_cache *cache, gfp_t gfp, int node, bool guarded,
		      int *looked);
bool quarry_node_is_lending(struct quarry_cache *cache, gfp_t gfp);
bool quarry_node_may_borrow(struct quarry_cache *cache, gfp_t gfp);
void quarry_slab_list_settle(void);
u64 quarry_node_isolate(struct quarry_cache_node *n, u64 keep, struct list_head *gone);
u64 quarry_page_slabs_discard(struct list_head *gone);
void quarry_node_lose(struct quarry_cache_node *n);
unsigned int quarry_node_put(struct quarry_cache_node *n, void **objects, unsigned int nr,
			     bool try);

/* What a CPU has missed: bits of struct quarry_cpu_cache.wants. */
#define QUARRY_WANTS_MAGAZINE	1
#define QUARRY_WANTS_REMOTE	2

/* magazines.c: magazines of a cache */
void quarry_magazine_refill_slow(struct quarry_cache *cache);

/* Bring this CPU a magazine if it missed one. Context: any. */
static inline void quarry_magazine_refill(struct quarry_cache *cache)
{
	if (unlikely(READ_ONCE(raw_cpu_ptr(cache->cpu_cache)->wants)))
		quarry_magazine_refill_slow(cache);
}

struct quarry_magazine *quarry_magazine_make(struct quarry_cache *cache, u32 cap, gfp_t gfp,
					     int node);
void quarry_magazine_free(struct quarry_cache *cache, struct quarry_magazine *mag);
void quarry_magazines_limit(struct quarry_cache *cache);
u64 quarry_cpu_cache_drain(struct quarry_cache *cache, struct quarry_cpu_cache *m);
void quarry_magazine_flush(struct quarry_cache_node *n, struct quarry_magazine *mag, u32 nr,
			   bool try);
u64 quarry_depot_drain(struct quarry_cache_node *n, u32 keep);
void quarry_cpu_cache_event(struct quarry_cache *cache, struct quarry_cpu_cache *m);
void quarry_cpu_cache_shrink(struct quarry_cache *cache, struct quarry_cpu_cache *m);
extern atomic64_t quarry_magazine_budget_used;
u64 quarry_magazine_budget(void);
void quarry_magazine_set_budget(u64 bytes);

/* remote.c: objects of other nodes */
const struct quarry_magazine *quarry_remote_magazine(const struct quarry_cpu_cache *m);
bool quarry_remote_has_any(const struct quarry_cpu_cache *m);
bool quarry_remote_is_last_here(struct quarry_cache *cache, const void *object);
bool quarry_remote_beside_disabled(const struct quarry_cpu_cache *m);
size_t quarry_remote_put(struct quarry_cache *cache, size_t nr, void **p, bool try);
void *quarry_remote_take(struct quarry_cache *cache, const struct quarry_cache_node *n);
void quarry_remote_flush(struct quarry_cache *cache, struct quarry_remote *r, bool try);

/* alloc.c */
bool quarry_cache_gfp_ok(struct quarry_cache *cache, gfp_t gfp);
struct quarry_cache_node *quarry_cache_local_node(struct quarry_cache *cache);
void *quarry_object_clear(struct quarry_cache *cache, void *object, gfp_t gfp);
bool quarry_object_is_free(struct quarry_cache *cache, const void *object);
bool quarry_cpu_cache_refill(struct quarry_cache *cache, struct quarry_cpu_cache *m, bool try);
bool quarry_cpu_cache_make_room(struct quarry_cache *cache, struct quarry_cpu_cache *m, bool try);

/* guard.c: safety modes of one object */
bool quarry_guard_out(void *object, bool try);
bool quarry_guard_in(struct quarry_page_slab *s, void *object, depot_stack_handle_t stack);
void *quarry_guard_quarantine(struct quarry_cache_node *n, void *object, bool try);
void quarry_guard_pick(struct quarry_magazine *mag);
unsigned int quarry_guard_release(struct quarry_cache_node *n);
bool quarry_guard_relent(struct quarry_cache *cache, struct quarry_cache_node *only);
void quarry_guard_free_poisoned(struct quarry_cache_node *n);
struct quarry_record *quarry_guard_record(struct quarry_page_slab *s, const void *object);

/* strays.c: what the kernel has freed */
u64 quarry_strays_find(struct quarry_cache *cache);
void quarry_strays_find_in(struct quarry_pool *pool);
void quarry_strays_mend(struct quarry_page_slab *s);
int quarry_strays_watch(void);
void quarry_strays_unwatch(void);

/* leak_pool.c: dead caches of a pool that is forgotten */
int quarry_caches_dead(struct quarry_pool *pool);
void quarry_caches_leak(struct quarry_pool *pool);

/* large.c: blocks and runs of pages */
void *quarry_large_alloc(size_t size, gfp_t gfp, int node);
bool quarry_large_free(const void *object);
size_t quarry_large_size(const void *object);
size_t quarry_large_roundup(size_t size);
void *quarry_large_start(const void *address);

/* guests.c */
u64 quarry_guests_shrink(struct quarry_pool *pool);
void quarry_guests_exit(void);

/* misuse.c */
void quarry_free_to_no_cache(const void *object);
void quarry_cache_tell(const struct quarry_cache *cache, enum quarry_cache_error kind,
		       const void *object);
struct quarry_report *quarry_cache_misuse_begin(struct quarry_cache *cache,
						enum quarry_cache_error kind, const void *object);
void quarry_cache_misuse(struct quarry_cache *cache, enum quarry_cache_error kind,
			 const void *object);
const char *quarry_cache_error_name(enum quarry_cache_error kind);
enum quarry_cache_error quarry_cache_verdict_kind(enum quarry_slab_verdict verdict);

/* cache.c */
struct quarry_cache *quarry_cache_make(struct quarry_pool *pool, const char *name,
				       unsigned int size, unsigned int align,
				       slab_flags_t flags, unsigned int useroffset,
				       unsigned int usersize, void (*ctor)(void *),
				       u32 kind);

void quarry_caches_exit(void);

/* Caches that are seen to together: one interrupt serves them all. */
#define QUARRY_ROUND	32U

/**
 * struct quarry_cache_round - some caches that are looked at
 * @cache:	which
 * @nr:		how many
 */
struct quarry_cache_round {
	struct quarry_cache *cache[QUARRY_ROUND];
	unsigned int nr;
};

bool quarry_caches_look_round(struct quarry_cache_round *round, const struct quarry_pool *pool);
bool quarry_cache_is_listed(const struct quarry_cache *cache);
struct quarry_cache *quarry_cache_look(const char *name);
struct quarry_cache *quarry_cache_look_id(u32 id);
struct quarry_cache *quarry_cache_look_next(struct quarry_cache *cache);
void quarry_cache_look_away(struct quarry_cache *cache);
bool quarry_cache_has_gone(const struct quarry_cache *cache);
bool quarry_cache_begin_change(struct quarry_cache *cache);
void quarry_cache_end_change(struct quarry_cache *cache);
unsigned int quarry_caches_list(u64 *from, void *entries, unsigned int room);
unsigned int quarry_caches_number(void);
u64 quarry_cache_objects_out(struct quarry_cache *cache);

/**
 * struct quarry_cache_watcher - told when a cache comes and goes; of a layer above
 * @created:	it has come, or was there
 * @destroyed:	it has gone
 * @link:	in the list of them
 */
struct quarry_cache_watcher {
	void (*created)(struct quarry_cache *cache);
	void (*destroyed)(struct quarry_cache *cache);
	struct list_head link;
};

void quarry_cache_watch(struct quarry_cache_watcher *w);
void quarry_cache_unwatch(struct quarry_cache_watcher *w);

void quarry_cache_destroy_deferred(struct quarry_cache *cache);
void quarry_cache_put(struct quarry_cache *cache);

/* visits.c: magazines of all CPUs */
bool quarry_cpu_cache_has_any(const struct quarry_cpu_cache *m);
u64 quarry_cpu_cache_drain_cpus(struct quarry_cache *const *caches, unsigned int nr_caches,
				enum quarry_patience patience);
void quarry_cpu_cache_drain_cpu(struct quarry_cache *const *caches, unsigned int nr_caches,
				int cpu);
void quarry_cpu_cache_drain_idle(struct quarry_cache *const *caches, unsigned int nr_caches);
bool quarry_cpu_cache_drain_parting(struct list_head *caches, enum quarry_patience patience);
bool quarry_cpu_cache_drain_disabled(struct list_head *caches, enum quarry_patience patience);
bool quarry_cpu_cache_is_disabled(struct quarry_cache *cache);

/* spare.c: what could go */
bool quarry_node_has_spare(const struct quarry_cache_node *n);
void quarry_cache_note_slabs(struct quarry_cache *cache);
void quarry_cache_clear_holding(struct quarry_cache *cache);
struct quarry_cache *quarry_cache_next_holder(struct quarry_pool *pool, struct quarry_cache *at);
bool quarry_cache_is_reclaimable(struct quarry_cache *cache);

/* reap.c */
int quarry_reaper_init(void);
void quarry_reaper_exit(void);
void quarry_reaper_wake(void);
u64 quarry_cache_reap(struct quarry_cache *cache, bool wholly);
void quarry_cache_leave(struct quarry_cache *cache);
bool quarry_cache_try_leave(struct quarry_cache *cache);

/* rcu.c */
void quarry_free_rcu_wait(void);
void *quarry_object_start(const void *address);

/* modes.c */
void quarry_cache_disable_dead(struct quarry_cache *cache);
void quarry_cache_disable_all(struct quarry_cache *cache);
void quarry_cache_disable(struct quarry_cache *cache, u8 set, u8 clear);

/* check.c */
u64 quarry_cache_validate(struct quarry_cache *cache, char *what, size_t room);

/* prefill.c */
u64 quarry_cache_most(struct quarry_cache *cache, gfp_t gfp);

/* leaks.c */
int quarry_cache_owners(struct quarry_cache *cache, bool frees, struct quarry_trace *traces,
			unsigned int room, unsigned int *nr, u64 *traced);
void quarry_cache_report_leaks(struct quarry_cache *cache, u64 out);
void quarry_cache_free_texts(struct quarry_cache *cache);

#endif /* QUARRY_CACHE_H */
