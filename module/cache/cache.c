// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a cache, and the registry of all caches.
 *
 * A cache may be destroyed while other CPUs have objects of it in magazines, while callbacks
 * of RCU are on their way to it, and while somebody reads its figures. None of these may find
 * it gone, and whoever destroys it should not wait for all of them.
 *
 *	create:  check, allocate, a node's part a node, magazines a CPU, publish
 *	use:     alloc.c and its neighbours; nothing here
 *	destroy: hide, wait for what is pending under RCU, disable and empty the magazines,
 *		 give the slabs back; what describes them, and the cache, goes after a
 *		 grace period, for which nobody waits
 *
 * A cache that is destroyed with objects out cannot go: it is said whose they are
 * (leaks.c), and the cache stays, dead: nothing can be allocated from it, what is
 * freed is taken back, and when the last object has come the reaper destroys it. So
 * the memory is never anybody else's while somebody may still use it.
 *
 * A cache keeps its pool: destroying that is -EBUSY meanwhile.
 *
 * Contexts: everything here sleeps, unless a function says otherwise.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/panic.h>
#include <linux/rwsem.h>

#include "../base/inject.h"
#include "cache.h"

static_assert(!offsetof(struct quarry_cache, cpu_cache));
/* What a cache costs that was never used, a CPU. */
static_assert(sizeof(struct quarry_cpu_cache) <= 128);
static_assert(offsetof(struct quarry_magazine, slot) ==
	      offsetof(struct quarry_magazine, guard) + sizeof(void *));
static_assert(QUARRY_CACHE_SIZE_MAX == QUARRY_OBJECT_MAX);
static_assert(QUARRY_CACHE_ALIGN_MAX == QUARRY_ALIGN_MAX);

/*
 * Nothing keeps caches from being destroyed while somebody goes over them, quarry's own reaper
 * neither: whoever does looks at one or at a round of them. A look is a reference that keeps what
 * describes a cache, as in pages/pools.c: the cache can be destroyed meanwhile, and is seen to
 * become empty.
 */
static void cache_look(struct quarry_registered *e);
static struct quarry_registry caches = QUARRY_REGISTRY(caches, cache_look);

/* One at a time makes a cache or takes it away, with its folder. */
static DEFINE_MUTEX(watching);
static LIST_HEAD(watchers);

static struct quarry_cache *cache_of(struct quarry_registered *e)
{
	return e ? container_of(e, struct quarry_cache, registered) : NULL;
}

static void cache_delist(struct quarry_cache *cache)
{
	raw_spin_lock(&caches.lock);
	quarry_registry_remove(&caches, &cache->registered);
	raw_spin_unlock(&caches.lock);
}

/* A dead cache stays: its name is free. Whoever finds it in the registry may free it at once. */
static void cache_stay(struct quarry_cache *cache)
{
	quarry_cache_note_slabs(cache);
	quarry_registry_add_again(&caches, &cache->registered);
}

/* Under the registry's lock, or looked at already. */
static struct quarry_cache *cache_look_at(struct quarry_cache *cache)
{
	if (cache) {
		refcount_inc(&cache->refs);
		/* Its name is read, and the pool that the cache keeps may go with it. */
		refcount_inc(&cache->pool->looks);
	}
	return cache;
}

static void cache_look(struct quarry_registered *e)
{
	cache_look_at(cache_of(e));
}

/**
 * quarry_cache_look() - look at a cache
 * @name:	its name; a dead one has none
 *
 * Context: any but interrupts. Return: the cache, for quarry_cache_look_away(), or NULL.
 */
struct quarry_cache *quarry_cache_look(const char *name)
{
	return cache_of(quarry_registry_look(&caches, name));
}

/* The same by its number. */
struct quarry_cache *quarry_cache_look_id(u32 id)
{
	return cache_of(quarry_registry_look_id(&caches, id));
}

/**
 * quarry_cache_look_next() - look at one cache after the other
 * @cache:	the one before, which is looked away from; NULL for the first
 *
 * Caches that come or go meanwhile may be seen or not; all others are seen once. Context: any
 * but interrupts.
 *
 * Return: the cache, for this or quarry_cache_look_away(); NULL at the end.
 */
struct quarry_cache *quarry_cache_look_next(struct quarry_cache *cache)
{
	struct quarry_registered *next;

	next = quarry_registry_look_next(&caches, cache ? &cache->registered : NULL);
	quarry_cache_look_away(cache);
	return cache_of(next);
}

/* Whoever looked at a cache, or at NULL, does so no longer. Context: any but NMI. */
void quarry_cache_look_away(struct quarry_cache *cache)
{
	struct quarry_pool *pool;

	if (!cache)
		return;
	pool = cache->pool;
	quarry_cache_put(cache);
	quarry_pool_look_away(pool);
}

/**
 * quarry_caches_look_round() - look at many caches at a time
 * @round:	the round before, which is looked away from; zeroed for the first
 * @pool:	at those in this pool alone, or NULL
 *
 * As quarry_cache_look_next(), QUARRY_ROUND at a time. Context: any but interrupts. Return: false
 * at the end, and nothing is looked at any more.
 */
bool quarry_caches_look_round(struct quarry_cache_round *round, const struct quarry_pool *pool)
{
	struct quarry_cache *cache = round->nr ? cache_look_at(round->cache[round->nr - 1]) : NULL;
	bool last = round->nr && round->nr < QUARRY_ROUND;

	while (round->nr)
		quarry_cache_look_away(round->cache[--round->nr]);
	if (last) {
		quarry_cache_look_away(cache);
		return false;
	}
	while (round->nr < QUARRY_ROUND && (cache = quarry_cache_look_next(cache)))
		if (!pool || cache->pool == pool)
			round->cache[round->nr++] = cache_look_at(cache);
	quarry_cache_look_away(cache);
	return round->nr;
}

/**
 * quarry_cache_is_listed() - is a cache that is looked at on the list?
 * @cache:	the cache
 *
 * Context: any. Who has @parting may take slabs of one that is: it has not left, see
 * quarry_cache_leave().
 */
bool quarry_cache_is_listed(const struct quarry_cache *cache)
{
	return quarry_is_registered(&cache->registered);
}

/* Has a cache that is looked at been destroyed, with objects out or not? Context: any. */
bool quarry_cache_has_gone(const struct quarry_cache *cache)
{
	return !quarry_cache_is_listed(cache) || READ_ONCE(cache->kind) == QUARRY_CACHE_DEAD;
}

/**
 * quarry_cache_begin_change() - change a cache that is looked at
 * @cache:	the cache
 *
 * Whoever destroys it waits. Context: sleeps. Return: false if it is destroyed already; else
 * quarry_cache_end_change() is to be called.
 */
bool quarry_cache_begin_change(struct quarry_cache *cache)
{
	down_read(&cache->changing);
	if (!quarry_cache_has_gone(cache))
		return true;
	up_read(&cache->changing);
	return false;
}

void quarry_cache_end_change(struct quarry_cache *cache)
{
	up_read(&cache->changing);
}

/**
 * quarry_cache_watch() - be told of every cache, those that exist included
 * @w:	who is told; kept by the caller
 *
 * As with pools (pages/pools.c). Context: sleeps.
 */
void quarry_cache_watch(struct quarry_cache_watcher *w)
{
	struct quarry_cache *cache = NULL;

	mutex_lock(&watching);
	list_add_tail(&w->link, &watchers);
	while ((cache = quarry_cache_look_next(cache)))
		w->created(cache);
	mutex_unlock(&watching);
}

/**
 * quarry_cache_unwatch() - be told no more
 * @w:	who was told
 *
 * Context: sleeps.
 */
void quarry_cache_unwatch(struct quarry_cache_watcher *w)
{
	mutex_lock(&watching);
	list_del(&w->link);
	mutex_unlock(&watching);
}

static void cache_show(const struct quarry_registered *e, void *to)
{
	struct quarry_cache_entry *entry = to;

	entry->id = e->id;
	entry->kind = container_of(e, struct quarry_cache, registered)->kind;
	strscpy(entry->name, e->name, sizeof(entry->name));
}

/**
 * quarry_caches_list() - names and numbers of caches
 * @from:	0, then as it was left
 * @entries:	where to, struct quarry_cache_entry, zeroed
 * @room:	entries that fit
 *
 * Context: any but interrupts. Return: entries written; fewer than @room at the end.
 */
unsigned int quarry_caches_list(u64 *from, void *entries, unsigned int room)
{
	return quarry_registry_list(&caches, from, entries, sizeof(struct quarry_cache_entry),
				    room, cache_show);
}

/* How many there are. Context: any. */
unsigned int quarry_caches_number(void)
{
	return quarry_registry_number(&caches);
}

static struct quarry_cache_node *node_create(struct quarry_cache *cache, int node)
{
	struct quarry_cache_node *n;

	n = quarry_inject() ? NULL :
	    kzalloc_node(sizeof(*n), GFP_KERNEL, node_online(node) ? node : NUMA_NO_NODE);
	if (!n)
		return NULL;
	raw_spin_lock_init(&n->lock);
	n->cache = cache;
	n->node = node;
	quarry_slab_list_init(&n->plain, &cache->shape[0], &cache->least[0], 0);
	quarry_slab_list_init(&n->guarded, &cache->shape[1], &cache->least[1], cache->red);
	quarry_depot_init(&n->depot);
	INIT_LIST_HEAD(&n->slabs);
	init_llist_head(&n->deferred);
	init_llist_head(&n->lost_slabs);
	return n;
}

static int nodes_create(struct quarry_cache *cache)
{
	unsigned int i;
	int err;

	cache->nr_nodes = nr_node_ids;
	cache->nodes = quarry_inject() ? NULL :
		       kcalloc(nr_node_ids, sizeof(*cache->nodes), GFP_KERNEL);
	if (!cache->nodes)
		return -ENOMEM;
	for (i = 0; i < nr_node_ids; i++) {
		if (!cache->pool->zone[i])
			continue;
		cache->nodes[i] = node_create(cache, i);
		if (!cache->nodes[i])
			return -ENOMEM;
		err = quarry_tag_get(cache->nodes[i], 0);
		if (err)
			return err;
	}
	return 0;
}

static int cpu_caches_create(struct quarry_cache *cache)
{
	int cpu, node;

	quarry_magazines_limit(cache);
	cache->cpu_cache = quarry_inject() ? NULL : alloc_percpu(struct quarry_cpu_cache);
	if (!cache->cpu_cache)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		node = cache->pool->node != NUMA_NO_NODE ? cache->pool->node : cpu_to_mem(cpu);
		quarry_cpu_cache_init(per_cpu_ptr(cache->cpu_cache, cpu),
				      cache->nodes[node]->tag[0],
				      &cache->shape[0].starts, cache->cap_min);
#ifdef CONFIG_KASAN_GENERIC
		per_cpu_ptr(cache->cpu_cache, cpu)->bytes = quarry_cache_shadowed(cache);
#endif
		if (want_init_on_free())
			per_cpu_ptr(cache->cpu_cache, cpu)->disabled = QUARRY_DISABLED_WIPE;
	}
	return 0;
}

/* What nobody has out goes to the pool; some of it after a grace period. */
static void cache_empty(struct quarry_cache *cache)
{
	unsigned int i;
	LIST_HEAD(gone);

	for (i = 0; cache->nodes && i < cache->nr_nodes; i++)
		if (cache->nodes[i]) {
			quarry_depot_drain(cache->nodes[i], 0);
			quarry_node_isolate(cache->nodes[i], 0, &gone);
		}
	/* Magazines have been disabled for good, and are empty. */
	quarry_page_slabs_discard(&gone);
}

/* From now on nobody new finds a node through a tag. */
static void cache_untag(struct quarry_cache *cache)
{
	unsigned int i;

	for (i = 0; cache->nodes && i < cache->nr_nodes; i++)
		if (cache->nodes[i])
			quarry_tag_hide(cache->nodes[i]);
}

/* Who gave back the last object of a dead cache may have brought a magazine for it. */
static void cpu_caches_free(struct quarry_cache *cache)
{
	struct quarry_cpu_cache *m;
	unsigned int i;
	int cpu;

	if (!cache->cpu_cache)
		return;
	for_each_possible_cpu(cpu) {
		m = per_cpu_ptr(cache->cpu_cache, cpu);
		struct quarry_magazine *mag[] = {
			m->loaded, m->previous, m->cold ? m->cold->remote.mag : NULL,
		};

		for (i = 0; i < ARRAY_SIZE(mag); i++)
			if (mag[i])
				quarry_magazine_free(cache, mag[i]);
		kfree(m->cold);
	}
	free_percpu(cache->cpu_cache);
}

/* Drop a reference; with the last one the cache goes. Context: any but NMI. */
void quarry_cache_put(struct quarry_cache *cache)
{
	unsigned int i;

	if (!refcount_dec_and_test(&cache->refs))
		return;
	for (i = 0; cache->nodes && i < cache->nr_nodes; i++)
		if (cache->nodes[i]) {
			quarry_tag_put(cache->nodes[i]);
			kfree(cache->nodes[i]->quarantine);
			kfree(cache->nodes[i]);
		}
	kfree(cache->nodes);
	quarry_cache_free_texts(cache);
	cpu_caches_free(cache);
	kfree(cache);
}

static void cache_put_rcu(struct rcu_head *rcu)
{
	quarry_cache_put(container_of(rcu, struct quarry_cache, rcu));
}

/* All pages are in the pool: what is left goes when nobody can be looking at it. */
static void cache_forget(struct quarry_cache *cache)
{
	quarry_slab_list_settle();
	cache_untag(cache);
	quarry_pool_put(cache->pool);
	call_rcu(&cache->rcu, cache_put_rcu);
}

/* Give back everything a cache has; nothing is out and nobody knows it. */
static void cache_free(struct quarry_cache *cache)
{
	cache_empty(cache);
	/* Here pages too are on their way. */
	if (cache->flags & SLAB_TYPESAFE_BY_RCU)
		rcu_barrier();
	cache_forget(cache);
}

static u32 modes_of(slab_flags_t flags)
{
	return (flags & SLAB_POISON ? QUARRY_MODE_POISON : 0) |
	       (flags & SLAB_RED_ZONE ? QUARRY_MODE_REDZONE : 0) |
	       (flags & SLAB_STORE_USER ? QUARRY_MODE_OWNER : 0) |
	       (flags & SLAB_CONSISTENCY_CHECKS ? QUARRY_MODE_CHECK : 0);
}

/* Shapes of both kinds of slab; a guarded one may not be possible. */
static int cache_shapes(struct quarry_cache *cache, unsigned int size, unsigned int align,
			slab_flags_t flags)
{
	u32 line = cache_line_size();
	int err;

	/* A line must not hide what is wrong. */
	if (align & (align - 1))
		return -EINVAL;
	if (flags & SLAB_HWCACHE_ALIGN)
		align = quarry_shape_line_align(size, align, line);
	err = quarry_shape_init(&cache->shape[0], size, align, line);
	if (err)
		return err;
	cache->red = max_t(u32, cache->shape[0].align, sizeof(u64));
	if (quarry_shape_init(&cache->shape[1], cache->red + size + sizeof(u64),
			      cache->shape[0].align, line))
		cache->shape[1].nr = 0;
	else
		quarry_shape_least(&cache->least[1], &cache->shape[1]);
	quarry_shape_least(&cache->least[0], &cache->shape[0]);
	return 0;
}

static int check_flags(slab_flags_t flags, unsigned int size, unsigned int useroffset,
		       unsigned int usersize, void (*ctor)(void *))
{
	if (flags & ~QUARRY_CACHE_FLAGS)
		return -EINVAL;
	/* Filling would destroy what these promise to keep. */
	if (flags & SLAB_POISON && (ctor || flags & SLAB_TYPESAFE_BY_RCU))
		return -EINVAL;
	if (useroffset > size || usersize > size - useroffset)
		return -EINVAL;
	return 0;
}

static struct quarry_cache *cache_alloc(struct quarry_pool *pool, const char *name,
					unsigned int size, unsigned int align,
					slab_flags_t flags)
{
	struct quarry_cache *cache;
	int err;

	cache = quarry_inject() ? NULL : kzalloc(sizeof(*cache), GFP_KERNEL);
	if (!cache)
		return ERR_PTR(-ENOMEM);
	init_rwsem(&cache->changing);
	INIT_LIST_HEAD(&cache->holding);
	INIT_LIST_HEAD(&cache->parting);
	INIT_LIST_HEAD(&cache->gone);
	refcount_set(&cache->refs, 1);
	strscpy(cache->name, name, sizeof(cache->name));
	cache->flags = flags;
	err = cache_shapes(cache, size, align, flags);
	if (err) {
		kfree(cache);
		return ERR_PTR(err);
	}
	refcount_inc(&pool->refs);
	cache->pool = pool;
	err = nodes_create(cache);
	if (!err)
		err = cpu_caches_create(cache);
	if (!err && modes_of(flags))
		err = quarry_cache_set_modes(cache, modes_of(flags));
	if (err) {
		cache_free(cache);
		return ERR_PTR(err);
	}
	return cache;
}

/* In the registry, if the name is free. */
static int cache_publish(struct quarry_cache *cache)
{
	struct quarry_cache_watcher *w;
	int err;

	mutex_lock(&watching);
	err = quarry_registry_add(&caches, &cache->registered, cache->name);
	if (!err)
		list_for_each_entry(w, &watchers, link)
			w->created(cache);
	mutex_unlock(&watching);
	if (!err)
		quarry_cache_note_slabs(cache);
	return err;
}

/* The mirror of that. */
static void withdraw(struct quarry_cache *cache)
{
	struct quarry_cache_watcher *w;

	mutex_lock(&watching);
	list_for_each_entry_reverse(w, &watchers, link)
		w->destroyed(cache);
	cache_delist(cache);
	mutex_unlock(&watching);
}

/* quarry_cache_create_in() with everything, and a kind. */
struct quarry_cache *quarry_cache_make(struct quarry_pool *pool, const char *name,
				       unsigned int size, unsigned int align,
				       slab_flags_t flags, unsigned int useroffset,
				       unsigned int usersize, void (*ctor)(void *), u32 kind)
{
	struct quarry_cache *cache;
	int err;

	err = !name || !pool ? -EINVAL : quarry_pool_check_name(name);
	if (!err)
		err = check_flags(flags, size, useroffset, usersize, ctor);
	cache = err ? ERR_PTR(err) : cache_alloc(pool, name, size, align, flags);
	if (!IS_ERR(cache)) {
		cache->ctor = ctor;
		cache->user_offset = useroffset;
		cache->user_size = usersize;
		cache->kind = kind;
		err = cache_publish(cache);
		if (err) {
			cache_free(cache);
			cache = ERR_PTR(err);
		}
	}
	if (IS_ERR(cache) && flags & SLAB_PANIC)
		panic("quarry: cache %s cannot be made, and SLAB_PANIC was asked for: error %ld\n",
		      name, PTR_ERR(cache));
	return cache;
}

/**
 * quarry_cache_create() - make a cache in the default pool
 * @name:	1 to QUARRY_NAME_MAX - 1 of [A-Za-z0-9_.-], not in use
 * @size:	bytes of an object, 1 to QUARRY_CACHE_SIZE_MAX
 * @align:	of its address: a power of two up to QUARRY_CACHE_ALIGN_MAX, or 0 for that
 *		of a pointer
 * @flags:	of QUARRY_CACHE_FLAGS, with the meaning they have in the kernel
 * @ctor:	called for each object when its slab is made, or NULL
 *
 * Context: sleeps.
 *
 * Return: the cache; ERR_PTR(-EINVAL) for a bad name, size or alignment, an unknown
 * flag, or SLAB_POISON where a constructor or SLAB_TYPESAFE_BY_RCU forbids it; -E2BIG
 * for a size that no block holds (with redzones, if these are asked for); -EEXIST for a
 * name in use; -ENOSPC when there are 65,534 caches and nodes; -ENOMEM. With SLAB_PANIC
 * the kernel panics instead.
 */
struct quarry_cache *quarry_cache_create(const char *name, unsigned int size,
					 unsigned int align, slab_flags_t flags,
					 void (*ctor)(void *))
{
	return quarry_cache_make(quarry_pool_default(), name, size, align, flags, 0, 0, ctor,
				 QUARRY_CACHE_TYPED);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_create, QUARRY_NS);

/**
 * quarry_cache_create_usercopy() - make a cache whose objects are copied to user space
 * @name:	as for quarry_cache_create()
 * @size:	the same
 * @align:	the same
 * @flags:	the same
 * @useroffset:	where the bytes that may be copied begin in an object
 * @usersize:	how many they are
 * @ctor:	as for quarry_cache_create()
 *
 * Context: sleeps. Return: as quarry_cache_create(); ERR_PTR(-EINVAL) also for bytes
 * that are not all in the object.
 */
struct quarry_cache *
quarry_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
			     slab_flags_t flags, unsigned int useroffset,
			     unsigned int usersize, void (*ctor)(void *))
{
	return quarry_cache_make(quarry_pool_default(), name, size, align, flags, useroffset,
				 usersize, ctor, QUARRY_CACHE_TYPED);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_create_usercopy, QUARRY_NS);

/**
 * quarry_cache_create_usercopy_in() - the same in a pool of one's own
 * @pool:	as for quarry_cache_create_in()
 * @name:	as for quarry_cache_create_usercopy()
 * @size:	the same
 * @align:	the same
 * @flags:	the same
 * @useroffset:	the same
 * @usersize:	the same
 * @ctor:	the same
 *
 * Context: sleeps. Return: as quarry_cache_create_usercopy().
 */
struct quarry_cache *
quarry_cache_create_usercopy_in(struct quarry_pool *pool, const char *name,
				unsigned int size, unsigned int align, slab_flags_t flags,
				unsigned int useroffset, unsigned int usersize,
				void (*ctor)(void *))
{
	return quarry_cache_make(pool, name, size, align, flags, useroffset, usersize, ctor,
				 QUARRY_CACHE_TYPED);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_create_usercopy_in, QUARRY_NS);

/**
 * quarry_cache_create_in() - make a cache in a pool of one's own
 * @pool:	the pool; it cannot be destroyed before the cache
 * @name:	as for quarry_cache_create()
 * @size:	the same
 * @align:	the same
 * @flags:	the same
 * @ctor:	the same
 *
 * Context: sleeps. Return: as quarry_cache_create().
 */
struct quarry_cache *quarry_cache_create_in(struct quarry_pool *pool, const char *name,
					    unsigned int size, unsigned int align,
					    slab_flags_t flags, void (*ctor)(void *))
{
	return quarry_cache_make(pool, name, size, align, flags, 0, 0, ctor,
				 QUARRY_CACHE_TYPED);
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_create_in, QUARRY_NS);

/* Objects that are not in slabs: with clients, in magazines or in quarantine. */
u64 quarry_cache_objects_out(struct quarry_cache *cache)
{
	struct quarry_cache_node *n = NULL;
	unsigned long flags;
	u64 out = 0;

	while ((n = quarry_cache_node_next(cache, n))) {
		quarry_node_settle(n);
		quarry_node_lock(n, &flags, false);
		out += quarry_slab_list_objects(&n->plain) - n->plain.nr_free +
		       quarry_slab_list_objects(&n->guarded) - n->guarded.nr_free;
		quarry_node_unlock(n, flags);
	}
	return out;
}

/* Magazines are disabled for good: what else no client has goes to the slabs as well. */
static void drain_all(struct quarry_cache *cache)
{
	struct quarry_cache_node *n = NULL;

	while ((n = quarry_cache_node_next(cache, n))) {
		quarry_depot_drain(n, 0);
		quarry_guard_release(n);
		quarry_guard_free_poisoned(n);
	}
}

/*
 * A dead cache whose last object has come: it can go, unless a CPU does not answer that may have
 * what slabs of it have lost. Then it stays, for another time.
 */
void quarry_cache_destroy_deferred(struct quarry_cache *cache)
{
	cache_delist(cache);
	if (quarry_cache_try_leave(cache)) {
		cache_free(cache);
		return;
	}
	cache_stay(cache);
}

/**
 * quarry_cache_destroy() - give a cache's memory back and forget it
 * @cache:	of quarry_cache_create(); NULL and error pointers do nothing
 *
 * Waits for objects that are on their way by quarry_free_rcu(). Nobody may be
 * allocating from it any more. Context: sleeps.
 *
 * Return: 0; -EBUSY if objects are out: it is reported whose they are, and the cache
 * takes back what is freed until the last has come. Its name is free in either case.
 * Also -EBUSY, and nothing done, for a cache of malloc's or one destroyed before.
 */
int quarry_cache_destroy(struct quarry_cache *cache)
{
	u64 out;

	if (IS_ERR_OR_NULL(cache))
		return 0;
	if (cache->kind != QUARRY_CACHE_TYPED)
		return -EBUSY;
	withdraw(cache);
	/* Whoever changes it is the last. */
	down_write(&cache->changing);
	up_write(&cache->changing);
	/* What is pending calls quarry_free(), which needs the tags, not the list. */
	quarry_free_rcu_wait();
	WRITE_ONCE(cache->kind, QUARRY_CACHE_DEAD);
	quarry_cache_disable_dead(cache);
	quarry_cache_leave(cache);
	drain_all(cache);
	out = quarry_cache_objects_out(cache);
	if (!out) {
		cache_free(cache);
		return 0;
	}
	quarry_cache_report_leaks(cache, out);
	cache_stay(cache);
	quarry_reaper_wake();
	return -EBUSY;
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_destroy, QUARRY_NS);

/**
 * quarry_cache_shrink() - give back what a cache does not use
 * @cache:	the cache
 *
 * Context: sleeps. Return: 0 if no slab is left, else 1, as kmem_cache_shrink().
 */
int quarry_cache_shrink(struct quarry_cache *cache)
{
	struct quarry_cache_node *n = NULL;
	u64 slabs = 0;

	quarry_cache_reap(cache, true);
	while ((n = quarry_cache_node_next(cache, n)))
		slabs += READ_ONCE(n->plain.nr_slabs) + READ_ONCE(n->guarded.nr_slabs);
	return slabs > 0;
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_shrink, QUARRY_NS);

/**
 * quarry_cache_size() - bytes of an object
 * @cache:	the cache
 *
 * Context: any.
 */
unsigned int quarry_cache_size(const struct quarry_cache *cache)
{
	return cache->shape[0].size;
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_size, QUARRY_NS);

/**
 * quarry_cache_name() - what a cache is called
 * @cache:	the cache
 *
 * Context: any; as long as the cache is there.
 */
const char *quarry_cache_name(const struct quarry_cache *cache)
{
	return cache->name;
}
EXPORT_SYMBOL_NS_GPL(quarry_cache_name, QUARRY_NS);

/*
 * At unload: whoever still has objects has lost them, and nobody is left who could look
 * at a tag. What goes by RCU has gone when quarry_page_arenas_exit() returns.
 */
void quarry_caches_exit(void)
{
	struct quarry_cache *cache, *next;
	bool typesafe = false;
	LIST_HEAD(gone);

	quarry_free_rcu_wait();
	/* The interfaces have gone: nobody watches, and nobody else is about. */
	while ((cache = cache_of(quarry_registry_from(&caches, 0)))) {
		cache_delist(cache);
		quarry_cache_leave(cache);
		list_add_tail(&cache->link, &gone);
	}
	list_for_each_entry(cache, &gone, link) {
		quarry_cache_disable_all(cache);
		drain_all(cache);
		cache_empty(cache);
		if (cache->flags & SLAB_TYPESAFE_BY_RCU)
			typesafe = true;
	}
	/* As in cache_free(), once for all. */
	if (typesafe)
		rcu_barrier();
	list_for_each_entry_safe(cache, next, &gone, link) {
		struct quarry_cache_node *n = NULL;

		quarry_slab_list_settle();
		while ((n = quarry_cache_node_next(cache, n)))
			quarry_node_lose(n);
		cache_forget(cache);
	}
}
