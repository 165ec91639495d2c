// SPDX-License-Identifier: GPL-2.0
/*
 * The way of an object: out of a cache and back.
 *
 * Objects come and go far more often than slabs do, on every CPU at once. If each of these
 * took a lock, or wrote to a line that another CPU writes to, that would be most of what it
 * costs. So a CPU takes them from magazines of its own, and asks others only when these are
 * used up.
 *
 * Model
 *
 *	alloc	loaded magazine -> previous -> depot -> slabs -> [grow here, if that is cheap]
 *		-> slabs of other nodes -> [grow]
 *	free	loaded magazine -> previous -> depot -> slabs
 *
 *	The first step is the fast path, in the client (quarry/cache_fast.h). The second
 *	is ours alone as well; from the third on the node's lock is taken, once for a
 *	magazine or a batch. Where the magazines are busy (an interrupt has landed in
 *	the middle of one of the steps) or have not been made, one object is taken
 *	from or put into its slab.
 *
 * Which objects may be in a magazine
 *	Those with the tag of this CPU's node: that is what the fast path asks for.
 *	Objects of other nodes go into a magazine apart (remote.c), or straight to their
 *	slab. So do those of lent slabs, which are not for everybody (slabs.c). Guarded ones
 *	go there too, unless the magazines are disabled for safety modes, which
 *	then hold nothing else.
 *	While they are disabled, magazines stay away from the depot.
 *
 * Contexts: as include/linux/quarry_cache.h says for each call.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/string.h>

#include "../base/inject.h"
#include "cache.h"

/* Most objects from slabs to a magazine under one hold of the lock. */
#define REFILL	64U

/* For so long a node that had no memory is not asked while others have objects. */
#define BARREN		(HZ / 10)

/* The node of this CPU, or the nearest one that the cache may use. */
struct quarry_cache_node *quarry_cache_local_node(struct quarry_cache *cache)
{
	return quarry_cpu_cache_node(raw_cpu_ptr(cache->cpu_cache));
}

static bool is_guarded_now(const struct quarry_cpu_cache *m)
{
	return m->disabled & QUARRY_DISABLED_MODES;
}

/* Objects were taken by address; the lowest is to go out first. */
static void turn_round(void **objects, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr / 2; i++)
		swap(objects[i], objects[nr - 1 - i]);
}

/**
 * quarry_cpu_cache_refill() - get objects into the loaded magazine
 * @cache:	the cache
 * @m:		entered; its loaded magazine has none
 * @try:	do not wait for locks
 *
 * Context: any; preemption off. Return: false if there are none, or no magazine.
 */
bool quarry_cpu_cache_refill(struct quarry_cache *cache, struct quarry_cpu_cache *m, bool try)
{
	struct quarry_cache_node *n = quarry_cpu_cache_node(m);
	struct quarry_magazine *mag;
	unsigned long flags;
	u32 nr = 0;

	if (quarry_cpu_cache_swap_full(m))
		return true;
	if (!quarry_node_lock(n, &flags, try))
		return false;
	if (!m->disabled && quarry_cpu_cache_take_full(m, &n->depot)) {
		quarry_cache_count(cache, QUARRY_CPU_CACHE_EXCHANGES);
		nr = m->loaded->n;
	} else if (quarry_cpu_cache_fit(m, &n->depot)) {
		mag = m->loaded;
		nr = quarry_slab_list_take(is_guarded_now(m) ? &n->guarded : &n->plain,
					   min(mag->cap, REFILL), mag->slot);
		mag->n = nr;
		quarry_cache_count_add(cache, QUARRY_CPU_CACHE_REFILLS, !!nr);
		turn_round(mag->slot, nr);
	} else {
		m->wants |= QUARRY_WANTS_MAGAZINE;
	}
	quarry_node_unlock(n, flags);
	quarry_cpu_cache_event(cache, m);
	return nr;
}

/* One object past the magazines, or NULL. Preemption off. */
static void *take_direct(struct quarry_cache *cache, struct quarry_cache_node *n,
			 bool guarded, bool try)
{
	unsigned long flags;
	void *object;

	if (!quarry_node_lock(n, &flags, try))
		return NULL;
	if (!quarry_slab_list_take(guarded ? &n->guarded : &n->plain, 1, &object))
		object = guarded ? NULL : quarry_depot_pop(&n->depot);
	quarry_node_unlock(n, flags);
	if (object) {
		quarry_cache_count(cache, QUARRY_CPU_CACHE_SLOW_ALLOCS);
		quarry_cache_count(cache, QUARRY_CPU_CACHE_DIRECT_ALLOCS);
	}
	return object;
}

/* From this CPU's magazines or its node. @guarded: says what kind of object it is. */
static void *object_take_local(struct quarry_cache *cache, bool *guarded, bool try)
{
	void *object = NULL;
	struct quarry_cpu_cache *m;

	preempt_disable();
	m = this_cpu_ptr(cache->cpu_cache);
	if (quarry_cpu_cache_enter(m)) {
		bool at_hand = m->loaded && m->loaded->n;

		*guarded = is_guarded_now(m);
		if (at_hand || quarry_cpu_cache_refill(cache, m, try)) {
			if (!at_hand)
				quarry_cache_count(cache, QUARRY_CPU_CACHE_SLOW_ALLOCS);
			if (READ_ONCE(cache->modes) & QUARRY_MODE_RANDOM)
				quarry_guard_pick(m->loaded);
			object = m->loaded->slot[--m->loaded->n];
			m->allocs++;
		}
		quarry_cpu_cache_leave(m);
	} else {
		*guarded = READ_ONCE(cache->modes);
	}
	if (!object)
		object = take_direct(cache, quarry_cpu_cache_node(m), *guarded, try);
	preempt_enable();
	return object;
}

static void *take_from(struct quarry_cache *cache, struct quarry_cache_node *n, bool guarded)
{
	void *object;

	preempt_disable();
	object = take_direct(cache, n, guarded, false);
	/* What was freed here has not come to the node yet. */
	if (!object && !guarded)
		object = quarry_remote_take(cache, n);
	preempt_enable();
	return object;
}

/* Of a slab that is not for everybody, if it is for this caller. @here: looked at first. */
static void *take_lent(struct quarry_cache *cache, gfp_t gfp, struct quarry_cache_node *here,
		       bool guarded)
{
	struct quarry_cache_node *n = here, *at = NULL;
	struct quarry_slab_list *slabs;
	unsigned long flags;
	void *object = NULL;

	if (!quarry_node_may_borrow(cache, gfp))
		return NULL;
	while (n) {
		slabs = guarded ? &n->guarded : &n->plain;
		if (!list_empty(&slabs->lent) || !list_empty(&slabs->spent)) {
			quarry_node_lock(n, &flags, false);
			object = quarry_slab_list_take_lent(slabs);
			quarry_node_unlock(n, flags);
		}
		if (object || gfp & __GFP_THISNODE)
			break;
		at = quarry_cache_node_next(cache, at);
		n = at;
	}
	if (object) {
		quarry_cache_count(cache, QUARRY_CPU_CACHE_SLOW_ALLOCS);
		quarry_cache_count(cache, QUARRY_CPU_CACHE_DIRECT_ALLOCS);
	}
	return object;
}

/* Have other nodes an object? */
static bool is_elsewhere(struct quarry_cache *cache, const struct quarry_cache_node *here,
			 bool guarded)
{
	struct quarry_cache_node *n = NULL;

	while ((n = quarry_cache_node_next(cache, n)))
		if (n != here && (READ_ONCE((guarded ? &n->guarded : &n->plain)->nr_free) ||
				  (!guarded && READ_ONCE(n->depot.nr_full))))
			return true;
	return false;
}

/* From any node. */
static void *object_take_elsewhere(struct quarry_cache *cache, bool guarded)
{
	struct quarry_cache_node *n = NULL;
	void *object = NULL;

	preempt_disable();
	if (!guarded)
		object = quarry_remote_take(cache, NULL);
	preempt_enable();
	if (object)
		return object;
	while ((n = quarry_cache_node_next(cache, n))) {
		object = take_from(cache, n, guarded);
		if (object)
			return object;
	}
	return NULL;
}

/*
 * A slab more on the node @here, if that is cheap; and for a while not again if it is not:
 * each object would ask a node for memory that has none.
 */
static struct quarry_cache_node *grow_cheaply(struct quarry_cache *cache, gfp_t gfp,
					      struct quarry_cache_node *here, bool guarded)
{
	struct quarry_cache_node *n;

	if (!quarry_may_kmalloc() || time_before(jiffies, READ_ONCE(here->barren)))
		return NULL;
	n = quarry_node_grow(cache, (gfp & ~__GFP_NOFAIL) | __GFP_THISNODE | __GFP_NORETRY |
				    __GFP_NOWARN, here->node, guarded);
	if (!n)
		WRITE_ONCE(here->barren, jiffies + BARREN);
	return n;
}

/*
 * With all that may take. @node: where, or NUMA_NO_NODE. What other nodes have in their slabs
 * comes before memory that has to be worked for. A new slab may land elsewhere, and others
 * may be quicker to take its objects: so it is tried until growing fails.
 */
static void *object_take(struct quarry_cache *cache, gfp_t gfp, int node, bool *guarded)
{
	struct quarry_cache_node *n, *here, *wish = NULL;
	bool drained = false;
	int looked = -1;
	void *object;

	*guarded = READ_ONCE(cache->modes);
	if (node != NUMA_NO_NODE && node < cache->nr_nodes)
		wish = cache->nodes[node];
	if (node != NUMA_NO_NODE && !wish && gfp & __GFP_THISNODE)
		return NULL;
	/* "This" is the node nearest to this CPU, which the pool may not be on. */
	if (node == NUMA_NO_NODE && gfp & __GFP_THISNODE &&
	    quarry_cache_local_node(cache)->node != numa_mem_id())
		return NULL;
	if (wish && wish == quarry_cache_local_node(cache) && !(gfp & __GFP_THISNODE))
		wish = NULL;
	for (;;) {
		object = wish ? take_from(cache, wish, *guarded) :
				object_take_local(cache, guarded, false);
		if (object)
			return object;
		here = wish ?: quarry_cache_local_node(cache);
		/* The reserve is touched already: not another slab of it for each object. */
		if (quarry_node_is_lending(cache, gfp)) {
			object = take_lent(cache, gfp, here, *guarded);
			if (object)
				return object;
		}
		n = NULL;
		if (!(gfp & __GFP_THISNODE) && is_elsewhere(cache, here, *guarded)) {
			n = grow_cheaply(cache, gfp, here, *guarded);
			object = n ? NULL : object_take_elsewhere(cache, *guarded);
			if (object)
				return object;
		}
		if (!n && quarry_may_kmalloc())
			n = quarry_node_grow(cache, gfp, wish ? wish->node : NUMA_NO_NODE,
					     *guarded);
		if (n && n != here) {
			object = take_from(cache, n, *guarded);
			if (object)
				return object;
		}
		if (n)
			continue;
		object = take_lent(cache, gfp, here, *guarded);
		if (object)
			return object;
		if (!(gfp & __GFP_THISNODE)) {
			object = object_take_elsewhere(cache, *guarded);
			if (object)
				return object;
		}
		if (*guarded && quarry_guard_relent(cache, gfp & __GFP_THISNODE ? here : NULL))
			continue;
		if (!gfpflags_allow_blocking(gfp) ||
		    (gfp & (__GFP_NORETRY | __GFP_NOFAIL)) == __GFP_NORETRY)
			return NULL;
		if (drained && !quarry_node_wait(cache, gfp, wish ? wish->node : NUMA_NO_NODE,
						 *guarded, &looked))
			return NULL;
		/*
		 * What other CPUs have of it, which the pool does not ask for unless it makes
		 * a slab complete; and then once more.
		 */
		quarry_cpu_cache_drain_cpus(&cache, 1, QUARRY_PATIENT);
		drained = true;
	}
}

/**
 * quarry_cache_gfp_ok() - can we do what the flags say?
 * @cache:	the cache
 * @gfp:	as given
 *
 * Objects lie in the zone of their pool and have addresses. Context: any.
 *
 * Return: false if not: that is counted and reported.
 */
bool quarry_cache_gfp_ok(struct quarry_cache *cache, gfp_t gfp)
{
	gfp_t zone = gfp & (__GFP_DMA | __GFP_DMA32);

	if (likely(!(gfp & __GFP_HIGHMEM) && (!zone || zone == cache->pool->zone_gfp)))
		return true;
	quarry_cache_misuse(cache, QUARRY_CACHE_ERR_BAD_ARGUMENT, NULL);
	return false;
}

/**
 * quarry_object_wipe() - init_on_alloc of an object
 * @cache:	the cache
 * @object:	one of its objects, fresh from it
 *
 * What a constructor made is never touched, and of a typesafe cache nothing that
 * readers may still look at. Context: any.
 */
void quarry_object_wipe(struct quarry_cache *cache, void *object)
{
	if (!cache->ctor && !(cache->flags & SLAB_TYPESAFE_BY_RCU))
		memset(object, 0, cache->shape[0].size);
}
EXPORT_SYMBOL_NS_GPL(quarry_object_wipe, QUARRY_NS);

/**
 * quarry_object_clear() - zeros, where they are asked for
 * @cache:	the cache
 * @object:	one of its objects, fresh from it
 * @gfp:	__GFP_ZERO: the caller wants them, else init_on_alloc may
 *
 * A cache with a constructor cannot be asked for zeros, which is counted and reported.
 * Context: any but NMI.
 *
 * Return: @object; NULL if it was given back, because zeros cannot be had.
 */
void *quarry_object_clear(struct quarry_cache *cache, void *object, gfp_t gfp)
{
	if (likely(!(gfp & __GFP_ZERO))) {
		if (want_init_on_alloc(gfp))
			quarry_object_wipe(cache, object);
		return object;
	}
	if (likely(!cache->ctor))
		return memset(object, 0, cache->shape[0].size);
	quarry_cache_misuse(cache, QUARRY_CACHE_ERR_BAD_ARGUMENT, NULL);
	quarry_cache_free(cache, object);
	return NULL;
}

static bool object_fails(struct quarry_cache *cache, gfp_t gfp)
{
	if (likely(!quarry_injection_armed(&cache->injection)) || gfp & __GFP_NOFAIL ||
	    !quarry_injection_fires(&cache->injection))
		return false;
	quarry_cache_count(cache, QUARRY_CPU_CACHE_FAIL_INJECTED);
	quarry_cache_count(cache, QUARRY_CPU_CACHE_FAILURES);
	return true;
}

/**
 * quarry_cache_alloc_slow() - take an object with all that may take
 * @cache:	the cache
 * @gfp:	as for kmem_cache_alloc()
 * @node:	preferred node, or NUMA_NO_NODE; with __GFP_THISNODE the only one
 *
 * Context: any but NMI; sleeps only if @gfp allows it. Return: an object, or NULL.
 */
noinline void *quarry_cache_alloc_slow(struct quarry_cache *cache, gfp_t gfp, int node)
{
	bool guarded;
	void *object;

	if (!quarry_cache_gfp_ok(cache, gfp))
		return NULL;
	might_alloc(gfp);
	if (unlikely(READ_ONCE(cache->kind) == QUARRY_CACHE_DEAD)) {
		quarry_cache_misuse(cache, QUARRY_CACHE_ERR_DEAD, NULL);
		return NULL;
	}
	if (object_fails(cache, gfp))
		return NULL;
	quarry_magazine_refill(cache);
	do {
		object = object_take(cache, gfp, node, &guarded);
		if (object)
			quarry_shadow_open(object, quarry_cache_shadowed(cache));
		/* One that was written to while it was free is not handed out. */
	} while (object && guarded && !quarry_guard_out(object, false));
	if (unlikely(!object)) {
		quarry_cache_count(cache, QUARRY_CPU_CACHE_FAILURES);
		return NULL;
	}
	return quarry_object_clear(cache, object, gfp);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_alloc_slow, QUARRY_NS);

/* quarry_cache_alloc() with __GFP_ZERO. */
void *quarry_cache_alloc_zero(struct quarry_cache *cache, gfp_t gfp)
{
	void *object = NULL;

	if (likely(!(gfp & QUARRY_GFP_OBJECT_SLOW)))
		object = quarry_object_pop(cache);
	return likely(object) ? quarry_object_clear(cache, object, gfp) :
				quarry_cache_alloc_slow(cache, gfp, NUMA_NO_NODE);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_alloc_zero, QUARRY_NS);

/**
 * quarry_cache_alloc_node() - take an object of a node
 * @cache:	the cache
 * @gfp:	as for kmem_cache_alloc()
 * @node:	preferred node, or NUMA_NO_NODE for this CPU's; with __GFP_THISNODE
 *		the only one
 *
 * Context: as quarry_cache_alloc(). Return: an object, or NULL.
 */
void *quarry_cache_alloc_node(struct quarry_cache *cache, gfp_t gfp, int node)
{
	if (node == NUMA_NO_NODE)
		return quarry_cache_alloc(cache, gfp);
	if (node < 0 || node >= nr_node_ids) {
		quarry_cache_misuse(cache, QUARRY_CACHE_ERR_BAD_ARGUMENT, NULL);
		return NULL;
	}
	return quarry_cache_alloc_slow(cache, gfp, node);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_alloc_node, QUARRY_NS);

/**
 * quarry_cache_alloc_nolock() - take an object if one is at hand
 * @cache:	the cache
 * @gfp:	__GFP_ZERO or 0
 *
 * Never waits for a lock, never grows the cache. Context: any, NMI included, and under
 * any lock.
 *
 * Return: an object, or NULL even if there is memory.
 */
void *quarry_cache_alloc_nolock(struct quarry_cache *cache, gfp_t gfp)
{
	bool guarded;
	void *object;

	if (!quarry_cache_gfp_ok(cache, gfp) || READ_ONCE(cache->kind) == QUARRY_CACHE_DEAD)
		return NULL;
	if (!in_nmi() && object_fails(cache, gfp))
		return NULL;
	/* Before there is an object, which quarry_object_clear() would give back with a lock. */
	if (gfp & __GFP_ZERO && cache->ctor) {
		quarry_cache_misuse(cache, QUARRY_CACHE_ERR_BAD_ARGUMENT, NULL);
		return NULL;
	}
	object = object_take_local(cache, &guarded, true);
	if (object)
		quarry_shadow_open(object, quarry_cache_shadowed(cache));
	if (object && guarded && !quarry_guard_out(object, true))
		object = NULL;
	if (object)
		object = quarry_object_clear(cache, object, gfp);
	if (!object)
		quarry_cache_count(cache, QUARRY_CPU_CACHE_FAILURES);
	return object;
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_alloc_nolock, QUARRY_NS);

/**
 * quarry_cpu_cache_make_room() - get the loaded magazine room for an object
 * @cache:	the cache
 * @m:		entered
 * @try:	do not wait for locks
 *
 * Context: any; preemption off. Return: false if there is no magazine.
 */
bool quarry_cpu_cache_make_room(struct quarry_cache *cache, struct quarry_cpu_cache *m, bool try)
{
	struct quarry_cache_node *n = quarry_cpu_cache_node(m);
	unsigned long flags;
	bool done = false;

	if (m->loaded && m->loaded->n < m->loaded->cap)
		return true;
	if (quarry_cpu_cache_swap_room(m))
		return true;
	quarry_cpu_cache_event(cache, m);
	if (!m->disabled && quarry_node_lock(n, &flags, try)) {
		/* Who takes slabs away has looked for magazines here, see reap.c. */
		done = !n->depot.disabled && quarry_cpu_cache_put_full(m, &n->depot);
		quarry_node_unlock(n, flags);
	}
	if (done) {
		quarry_cache_count(cache, QUARRY_CPU_CACHE_EXCHANGES);
		return true;
	}
	if (!m->disabled || !m->loaded)
		m->wants |= QUARRY_WANTS_MAGAZINE;
	if (!m->loaded)
		return false;
	quarry_cache_count(cache, QUARRY_CPU_CACHE_FLUSHES);
	quarry_magazine_flush(n, m->loaded, (m->loaded->cap + 1) / 2, try);
	return true;
}

/* Into this CPU's loaded magazine, if the object may be there. Preemption off. */
static bool object_push(struct quarry_cache_node *n, void *object, bool guarded, bool try)
{
	struct quarry_cpu_cache *m = this_cpu_ptr(n->cache->cpu_cache);
	struct quarry_magazine *mag;
	bool room, done = false;

	if (m->tag != n->tag[0] || guarded != is_guarded_now(m) ||
	    m->disabled & QUARRY_DISABLED_DEAD || !quarry_cpu_cache_enter(m))
		return false;
	room = m->loaded && m->loaded->n < m->loaded->cap;
	if (quarry_cpu_cache_make_room(n->cache, m, try)) {
		if (!room)
			quarry_cache_count(n->cache, QUARRY_CPU_CACHE_SLOW_FREES);
		mag = m->loaded;
		mag->slot[mag->n++] = object;
		m->frees++;
		done = true;
	}
	quarry_cpu_cache_leave(m);
	return done;
}

static void count_direct_frees(struct quarry_cache *cache, unsigned int nr)
{
	quarry_cache_count_add(cache, QUARRY_CPU_CACHE_SLOW_FREES, nr);
	quarry_cache_count_add(cache, QUARRY_CPU_CACHE_DIRECT_FREES, nr);
}

/* Is this the object that was freed last on this CPU? */
static bool is_last(struct quarry_cache *cache, const void *object)
{
	struct quarry_cpu_cache *m = this_cpu_ptr(cache->cpu_cache);

	if (quarry_cpu_cache_is_busy(m))
		return false;
	if (quarry_remote_is_last_here(cache, object))
		return true;
	if (m->top[-1])
		return m->top[-1] == object;
	return m->loaded && m->loaded->n && m->loaded->slot[m->loaded->n - 1] == object &&
	       m->end == &m->stub[1];
}

/* What is wrong with a free of an address in a slab, if that can be told now? Preemption off. */
static enum quarry_slab_verdict object_look(struct quarry_cache *cache,
					    const struct quarry_page_slab *s, const void *object)
{
	enum quarry_slab_verdict verdict;
	u32 i;

	verdict = quarry_slab_look(&s->slab, object, &i);
	return !verdict && is_last(cache, object) ? QUARRY_SLAB_FREE : verdict;
}

/**
 * quarry_object_is_free() - would a free of this be the second one?
 * @cache:	the cache
 * @object:	any address
 *
 * Context: any. Return: true if its slab has it, or if it was freed last on this CPU.
 */
bool quarry_object_is_free(struct quarry_cache *cache, const void *object)
{
	struct quarry_page_slab *s;
	bool is_free;

	preempt_disable();
	s = quarry_page_slab_of(object);
	is_free = s && s->node->cache == cache && object_look(cache, s, object) == QUARRY_SLAB_FREE;
	preempt_enable();
	return is_free;
}

/*
 * Give back what has a tag: @n is the node that it names, @object any address in the tagged
 * frame, @stack who calls. Preemption off.
 */
static void free_tagged(struct quarry_cache_node *n, void *object, depot_stack_handle_t stack,
			bool try)
{
	struct quarry_cache *cache = n->cache;
	struct quarry_page_slab *s = quarry_page_slab_of(object);
	enum quarry_slab_verdict verdict;
	bool guarded;

	if (!s || s->node != n) {
		quarry_cache_misuse(cache, QUARRY_CACHE_ERR_FOREIGN, object);
		return;
	}
	verdict = object_look(cache, s, object);
	if (verdict) {
		quarry_cache_misuse(cache, quarry_cache_verdict_kind(verdict), object);
		return;
	}
	guarded = s->records;
	if (guarded) {
		if (!quarry_guard_in(s, object, stack))
			return;
		quarry_shadow_free(object, quarry_cache_shadowed(cache));
		/* What is lent does not wait: others do, for the pool's reserve. */
		if (!s->slab.is_lent)
			object = quarry_guard_quarantine(n, object, try);
		if (!object) {
			/* It is taken back now, and not counted when it comes out. */
			count_direct_frees(cache, 1);
			return;
		}
	} else {
		if (want_init_on_free() && !cache->ctor &&
		    !(cache->flags & SLAB_TYPESAFE_BY_RCU)) {
			/* Malloc's callers were given less than all of it. */
			quarry_shadow_open(object, cache->shape[0].size);
			memset(object, 0, cache->shape[0].size);
		}
		quarry_shadow_free(object, quarry_cache_shadowed(cache));
	}
	/* From magazines anybody takes. */
	if (!s->slab.is_lent && object_push(n, object, guarded, try))
		return;
	count_direct_frees(cache, quarry_node_put(n, &object, 1, try));
}

/* Not inlined: see quarry_stack_here(). */
static noinline void free_any(struct quarry_cache *cache, void *object, bool try)
{
	depot_stack_handle_t stack = 0;
	struct quarry_cache_node *n;

	if (unlikely(READ_ONCE(cache->modes) & QUARRY_MODE_OWNER))
		/* Who called us may have jumped here, and left no frame. */
		stack = quarry_stack_here(2, try);
	preempt_disable();
	if (quarry_remote_put(cache, 1, &object, try))
		goto out;
	n = quarry_tag_node(quarry_object_pfn(object));
	if (unlikely(!n || n->cache != cache))
		quarry_cache_misuse(cache, n ? QUARRY_CACHE_ERR_WRONG_CACHE :
					       QUARRY_CACHE_ERR_FOREIGN, object);
	else
		free_tagged(n, object, stack, try);
out:
	preempt_enable();
}

/**
 * quarry_cache_free_slow() - give an object back with all that may be wrong
 * @cache:	the cache the caller named
 * @object:	any pointer; NULL does nothing
 *
 * Context: any but NMI.
 */
noinline void quarry_cache_free_slow(struct quarry_cache *cache, void *object)
{
	if (!object)
		return;
	/* The fast path has not looked, and an object of any cache stops there: an oops. */
	if (unlikely(!cache)) {
		quarry_free_to_no_cache(object);
		return;
	}
	quarry_magazine_refill(cache);
	free_any(cache, object, false);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_free_slow, QUARRY_NS);

/**
 * quarry_cache_free_nolock() - give an object back from anywhere
 * @cache:	the cache
 * @object:	the object; NULL does nothing
 *
 * Waits for no lock and cannot fail: where a lock is not to be had, the object is
 * noted beside its slab. Context: any, NMI included, and under any lock.
 */
void quarry_cache_free_nolock(struct quarry_cache *cache, void *object)
{
	if (object && !quarry_object_push(cache, object))
		free_any(cache, object, true);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_free_nolock, QUARRY_NS);
