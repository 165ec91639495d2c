// SPDX-License-Identifier: GPL-2.0
/*
 * The slabs of a node: where they come from, where they go, and their lock.
 *
 * The life of a slab
 *
 *	pool --grow--> empty <--> partial <--> full        (slab/slab.c)
 *	  ^              |
 *	  `----reap------'
 *
 *	Growing: description, pages, construction, private words, labels, and then the
 *	lists. The pages are a block of the order that suits the objects; where the pool has
 *	none at hand, of the lowest order that holds one (slab/shape.c). Reaping is the
 *	mirror, in two steps: quarry_node_cut() takes a slab off the lists and its labels
 *	away, quarry_slabs_let_go() gives it back. Between them whoever reaps empties the
 *	magazines (reap.c). The block is marked SLAB in the page layer meanwhile, so that a
 *	free of its pages is refused there.
 *
 * Frees without the lock
 *	In NMI, or where a caller may hold the lock himself, it can only be tried. An
 *	allocation then gives up. A free sets the object's bit in @late, a set of bits
 *	beside those of the slab, and the slab on a list; who takes the lock next
 *	puts these objects back. Nothing is allocated and no object is written to.
 *
 * Contexts: any, unless a function says otherwise.
 */
#include <linux/kmemleak.h>
#include <linux/mm.h>

#include "../arena/directory.h"
#include "../debug/inject.h"
#include "../pages/alloc.h"
#include "cache.h"
#include "labels.h"

/* Most objects or slabs that are moved under one hold of the lock. */
#define HOLD	32U

/* Most objects that were freed without the lock and are put back under one hold of it. */
#define LATE	128U

/* Objects after which a walk over slabs lets go of the lock. */
#define WALK	512U

/* What a slab's pages cannot be asked for, or needs not be. */
#define GFP_OURS	(__GFP_ZERO | __GFP_ACCOUNT | __GFP_HIGHMEM | __GFP_MOVABLE |	\
			 __GFP_RECLAIMABLE | __GFP_COMP | __GFP_DMA | __GFP_DMA32)

/* A slab has objects that were freed without the lock. */
static void note_late(struct quarry_cache_node *n, struct quarry_pslab *s)
{
	if (!test_and_set_bit(quarry_slab_shape(&s->slab)->nr, s->late))
		llist_add(&s->late_link, &n->late);
}

/* Put back up to @most objects of a slab. Under the lock. Returns how many. */
static unsigned int take_late_of(struct quarry_cache_node *n, struct quarry_pslab *s,
				 unsigned int most)
{
	const struct quarry_shape *shape = quarry_slab_shape(&s->slab);
	unsigned int nr = 0;
	unsigned long i;

	/* From here on the slab can be put on the list again. */
	clear_bit(shape->nr, s->late);
	/* Pairs with the atomics of put_late(): now or next time, its bit is seen. */
	smp_mb__after_atomic();
	for_each_set_bit(i, s->late, shape->nr) {
		if (nr == most) {
			note_late(n, s);
			break;
		}
		clear_bit(i, s->late);
		quarry_slab_put(&s->slab, (void *)(s->slab.first + i * shape->stride));
		nr++;
	}
	return nr;
}

/*
 * Put back what was freed without the lock, or a part of it, so that nobody waits for long;
 * the next one who takes the lock goes on. Under it.
 */
static void take_late(struct quarry_cache_node *n)
{
	unsigned int left = LATE, slabs = LATE;
	struct quarry_pslab *s;

	while (left && slabs--) {
		if (!n->coming)
			WRITE_ONCE(n->coming, llist_del_all(&n->late));
		if (!n->coming)
			break;
		s = llist_entry(n->coming, struct quarry_pslab, late_link);
		WRITE_ONCE(n->coming, n->coming->next);
		left -= take_late_of(n, s, left);
	}
}

static void locked(struct quarry_cache_node *n)
{
	n->holds++;
	if (unlikely(quarry_node_has_late(n))) {
		/* For a walk, that is as if another had been here. */
		n->holds++;
		take_late(n);
	}
}

/**
 * quarry_node_lock() - take a node's lock
 * @n:		the node
 * @flags:	for quarry_node_unlock()
 * @try:	do not wait for it
 *
 * Return: false if somebody has it, and @try or in NMI; else true.
 */
bool quarry_node_lock(struct quarry_cache_node *n, unsigned long *flags, bool try)
{
	if (unlikely(try || in_nmi())) {
		if (!raw_spin_trylock_irqsave(&n->lock, *flags))
			return false;
	} else {
		raw_spin_lock_irqsave(&n->lock, *flags);
	}
	locked(n);
	/* Sparse cannot follow a lock that is taken on a condition. */
	__release(&n->lock);
	return true;
}

void quarry_node_unlock(struct quarry_cache_node *n, unsigned long flags)
{
	u64 empty = n->plain.nr_empty + n->guarded.nr_empty;
	bool more;

	__acquire(&n->lock);
	n->low_empty = min(n->low_empty, empty);
	more = empty > n->low_empty;
	raw_spin_unlock_irqrestore(&n->lock, flags);
	/* While none was empty the reaper had no reason to come by. */
	if (more)
		quarry_reaper_kick();
}

/*
 * Have put back all that was freed without the lock before. It is taken once at least: who
 * has it now may be at a slab that is in no list any more. Context: any but NMI.
 */
void quarry_node_settle(struct quarry_cache_node *n)
{
	unsigned long flags;

	do {
		quarry_node_lock(n, &flags, false);
		quarry_node_unlock(n, flags);
	} while (quarry_node_has_late(n));
}

/**
 * quarry_node_walk() - look at each slab of a node
 * @n:		the node
 * @records:	at guarded ones alone
 * @fn:		called under the lock
 * @data:	for @fn
 *
 * The lock is let go after every few slabs, where a mark keeps the place. Slabs that come
 * meanwhile are not seen. Context: sleeps.
 *
 * Return: true if nobody else had the lock meanwhile.
 */
bool quarry_node_walk(struct quarry_cache_node *n, bool records,
		      void (*fn)(struct quarry_pslab *s, void *data), void *data)
{
	struct quarry_pslab mark = {}, *s;
	unsigned long flags;
	unsigned int steps;
	u64 start, bites = 0;
	bool more, alone;

	quarry_node_lock(n, &flags, false);
	start = n->holds;
	list_add(&mark.all, &n->slabs);
	do {
		for (steps = 0; steps < WALK && mark.all.next != &n->slabs;) {
			s = list_next_entry(&mark, all);
			list_move(&mark.all, &s->all);
			steps++;
			if (!s->node || (records && !s->records))
				continue;
			fn(s, data);
			steps += quarry_slab_shape(&s->slab)->nr;
		}
		more = mark.all.next != &n->slabs;
		if (more) {
			quarry_node_unlock(n, flags);
			cond_resched();
			quarry_node_lock(n, &flags, false);
			bites++;
		}
	} while (more);
	alone = n->holds == start + bites;
	list_del(&mark.all);
	quarry_node_unlock(n, flags);
	return alone;
}

/* Free an object without the lock. False if it is free already. */
static bool put_late(struct quarry_cache_node *n, struct quarry_pslab *s, u32 i)
{
	if (READ_ONCE(s->slab.free[i / 64]) >> (i % 64) & 1 || test_and_set_bit(i, s->late))
		return false;
	note_late(n, s);
	return true;
}

/* One object back to its slab, whoever claims that it is one of @n's. Locked or not. */
static enum quarry_cache_error put_one(struct quarry_cache_node *n, void *object, bool has_lock)
{
	struct quarry_pslab *s = quarry_pslab_of(object);
	enum quarry_slab_fault fault;
	u32 i;

	if (!s || s->node != n)
		return QUARRY_CACHE_ERR_DOUBLE_FREE;
	fault = quarry_slab_look(&s->slab, object, &i);
	if (!fault && has_lock)
		fault = quarry_slab_put(&s->slab, object);
	else if (!fault && !put_late(n, s, i))
		fault = QUARRY_SLAB_FREE;
	return fault ? quarry_cache_fault_kind(fault) : QUARRY_NR_CACHE_ERRORS;
}

/**
 * quarry_node_put() - take objects back into their slabs
 * @n:		the node that their tags name
 * @objects:	which; best sorted by address
 * @nr:		how many
 * @try:	do not wait for the lock
 *
 * What is no object that is out is refused, counted and reported: here every wrong
 * free is seen that nothing has seen before. Context: any; preemption off.
 *
 * Return: objects taken.
 */
unsigned int quarry_node_put(struct quarry_cache_node *n, void **objects, unsigned int nr,
			     bool try)
{
	enum quarry_cache_error error, wrong[HOLD];
	unsigned int i, end, done = 0;
	unsigned long flags;
	bool has_lock;

	for (i = 0; i < nr; i = end) {
		unsigned int start = i, bad = 0;

		end = min(i + HOLD, nr);
		has_lock = quarry_node_lock(n, &flags, try);
		for (; i < end; i++) {
			error = put_one(n, objects[i], has_lock);
			wrong[i - start] = error;
			bad += error != QUARRY_NR_CACHE_ERRORS;
		}
		if (has_lock)
			quarry_node_unlock(n, flags);
		done += end - start - bad;
		for (i = start; bad && i < end; i++)
			if (wrong[i - start] != QUARRY_NR_CACHE_ERRORS)
				quarry_cache_misuse(n->cache, wrong[i - start], objects[i]);
	}
	return done;
}

static struct quarry_pslab *pslab_alloc(const struct quarry_shape *shape, bool guarded,
					gfp_t gfp, int node)
{
	size_t slab = sizeof(struct quarry_pslab) - sizeof(struct quarry_slab) +
		      quarry_slab_metadata_bytes(shape);
	size_t late = BITS_TO_LONGS(shape->nr + 1) * sizeof(long);
	struct quarry_pslab *s;

	s = quarry_inject() ? NULL : kzalloc_node(slab + late, gfp, node);
	if (!s)
		return NULL;
	s->late = (unsigned long *)((char *)s + slab);
	s->bytes = slab + late;
	if (!guarded)
		return s;
	s->records = quarry_inject() ? NULL :
		     kcalloc_node(shape->nr, sizeof(*s->records), gfp, node);
	if (!s->records) {
		kfree(s);
		return NULL;
	}
	s->bytes += shape->nr * sizeof(*s->records);
	return s;
}

static void pslab_free(struct quarry_pslab *s)
{
	kfree(s->records);
	kfree(s);
}

/* Nobody looks at the slab any more; but a wrong free may have put it on the list. */
static void pslab_free_rcu(struct rcu_head *rcu)
{
	struct quarry_pslab *s = container_of(rcu, struct quarry_pslab, rcu);
	struct quarry_cache *cache = s->node->cache;

	quarry_node_settle(s->node);
	pslab_free(s);
	quarry_cache_put(cache);
}

static void set_private(struct quarry_pslab *s, unsigned int nr, unsigned long private)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		WRITE_ONCE(s->page[i].private, private);
}

/* The pages of a slab that nobody can find any more, back to the pool. */
static void give_pages(struct quarry_pslab *s)
{
	unsigned int order = quarry_slab_shape(&s->slab)->order;
	struct quarry_cache *cache = s->node->cache;

	if (s->slab.is_least && !s->records)
		atomic_dec(&cache->nr_least);
	kmemleak_free(page_address(s->page));
	set_private(s, 1U << order, 0);
	quarry_block_mark(cache->pool, s->page, order, QUARRY_STATE_SLAB, QUARRY_STATE_ALLOC);
	__quarry_free_pages(cache->pool, s->page, order);
}

/* A slab of one shape. */
static struct quarry_cache_node *grow(struct quarry_cache *cache, gfp_t gfp, int node,
				      bool guarded, bool least)
{
	const struct quarry_shape *shape = least ? &cache->least[guarded] :
						   &cache->shape[guarded];
	unsigned int nr = 1U << shape->order;
	struct quarry_cache_node *n;
	struct quarry_slabs *slabs;
	struct quarry_pslab *s;
	unsigned long first, i, flags;
	u64 label;

	/* For what describes it nobody waits for ever, as little as for its pages. */
	s = pslab_alloc(shape, guarded, gfp & ~(__GFP_THISNODE | __GFP_NOFAIL), node);
	if (!s)
		return NULL;
	s->page = quarry_alloc_slab(cache->pool, gfp | (cache->flags & SLAB_RECLAIM_ACCOUNT ?
							__GFP_RECLAIMABLE : 0),
				    shape->order, node);
	if (!s->page)
		goto description;
	n = cache->nodes[page_to_nid(s->page)];
	if (WARN_ON_ONCE(!n) ||
	    !quarry_block_mark(cache->pool, s->page, shape->order, QUARRY_STATE_ALLOC,
			       QUARRY_STATE_SLAB))
		goto pages;
	s->node = n;
	slabs = guarded ? &n->guarded : &n->plain;

	quarry_node_lock(n, &flags, false);
	first = quarry_slabs_first(slabs, least, (unsigned long)page_address(s->page));
	quarry_node_unlock(n, flags);
	s->slab.first = first;
	s->slab.owner = slabs;
	s->slab.is_least = least;
	if (cache->ctor)
		for (i = 0; i < shape->nr; i++)
			cache->ctor((void *)(first + i * shape->stride));
	/* What objects point to is in use. */
	kmemleak_alloc((void *)page_address(s->page), PAGE_SIZE << shape->order, 0, gfp);
	set_private(s, nr, (unsigned long)s);
	if (least && !guarded)
		atomic_inc(&cache->nr_least);
	/* Who finds a tag must find the private word. */
	smp_wmb();
	label = quarry_shape_label(shape, first, READ_ONCE(n->tag[guarded]));
	if (!quarry_label_frames(page_to_pfn(s->page), nr, label,
				 quarry_gfp_meta(gfp & ~__GFP_NOFAIL))) {
		give_pages(s);
		goto description;
	}
	quarry_node_lock(n, &flags, false);
	quarry_slabs_add(slabs, least, &s->slab, first);
	list_add(&s->all, &n->slabs);
	n->grows++;
	n->metadata += s->bytes;
	if (cache->ctor)
		n->constructed += shape->nr;
	quarry_node_unlock(n, flags);
	quarry_cache_note_slabs(cache);
	return n;

pages:
	__quarry_free_pages(cache->pool, s->page, shape->order);
description:
	pslab_free(s);
	return NULL;
}

/**
 * quarry_node_grow() - a slab more
 * @cache:	the cache
 * @gfp:	what may be done for it
 * @node:	where it should be; with __GFP_THISNODE where it must be
 * @guarded:	of which kind
 *
 * A block of the order that holds objects best is worth a light try; then the smallest
 * that holds one will do, for which is done what @gfp says. But with __GFP_NOFAIL too it
 * may come to nothing: an object can be freed as well as a block, so who asks for one waits for
 * either, by quarry_node_wait().
 *
 * Context: as @gfp says; not NMI. Return: the node that has a slab more, or NULL.
 */
struct quarry_cache_node *quarry_node_grow(struct quarry_cache *cache, gfp_t gfp, int node,
					   bool guarded)
{
	struct quarry_cache_node *n;

	gfp &= ~GFP_OURS;
	if (!cache->least[guarded].nr)
		return grow(cache, gfp, node, guarded, false);
	n = grow(cache, (gfp & ~__GFP_NOFAIL) | __GFP_NORETRY | __GFP_NOWARN, node, guarded,
		 false);
	return n ?: grow(cache, gfp, node, guarded, true);
}

/**
 * quarry_node_wait() - wait for a moment, after nothing came of quarry_node_grow()
 * @cache:	as there
 * @gfp:	the same
 * @node:	the same
 * @guarded:	the same
 * @looked:	as for quarry_wait_for_slab()
 *
 * Context: sleeps. Return: false if there must be no waiting, or it would be for ever.
 */
bool quarry_node_wait(struct quarry_cache *cache, gfp_t gfp, int node, bool guarded,
		      int *looked)
{
	const struct quarry_shape *least = &cache->least[guarded];

	return quarry_wait_for_slab(cache->pool, gfp & ~GFP_OURS,
				    (least->nr ? least : &cache->shape[guarded])->order, node,
				    looked);
}

static void typesafe_release(struct rcu_head *rcu)
{
	struct quarry_pslab *s = container_of(rcu, struct quarry_pslab, rcu);
	struct quarry_pool *pool = s->node->cache->pool;

	give_pages(s);
	/* See await_arrivals(), reap.c. */
	atomic_inc(&pool->slabs_came);
	quarry_wake_waiters(pool);
	pslab_free_rcu(rcu);
}

/* A slab that is in no list and has no labels. */
static void release(struct quarry_cache_node *n, struct quarry_pslab *s)
{
	refcount_inc(&n->cache->refs);
	if (n->cache->flags & SLAB_TYPESAFE_BY_RCU) {
		atomic_inc(&n->cache->pool->slabs_left);
		call_rcu(&s->rcu, typesafe_release);
		return;
	}
	give_pages(s);
	call_rcu(&s->rcu, pslab_free_rcu);
}

/**
 * quarry_node_cut() - take empty slabs off the lists
 * @n:		the node
 * @keep:	so many may stay
 * @gone:	list that they are added to
 *
 * Nothing of them can get into a magazine any more: they have no labels. Context: any
 * but NMI. Return: how many they are.
 */
u64 quarry_node_cut(struct quarry_cache_node *n, u64 keep, struct list_head *gone)
{
	struct quarry_pslab *s[HOLD];
	unsigned long flags;
	unsigned int nr, i;
	u64 all = 0;

	do {
		nr = 0;
		quarry_node_lock(n, &flags, false);
		while (nr < HOLD && n->plain.nr_empty + n->guarded.nr_empty > keep) {
			struct quarry_slab *slab = quarry_slabs_remove_empty(&n->guarded) ?:
						   quarry_slabs_remove_empty(&n->plain);

			s[nr] = quarry_pslab(slab);
			list_del(&s[nr]->all);
			n->metadata -= s[nr]->bytes;
			n->shrinks++;
			nr++;
		}
		quarry_node_unlock(n, flags);
		for (i = 0; i < nr; i++) {
			quarry_label_frames(page_to_pfn(s[i]->page),
					    1UL << quarry_slab_shape(&s[i]->slab)->order,
					    0, 0);
			list_add(&s[i]->slab.link, gone);
		}
		all += nr;
	} while (nr == HOLD);
	/* Pairs with that in quarry_pslab_of(). */
	smp_wmb();
	return all;
}

/**
 * quarry_slabs_let_go() - give slabs back to the pool
 * @gone:	of quarry_node_cut(), of any nodes; no magazine holds any of them
 *
 * Context: any but NMI. Return: bytes given back.
 */
u64 quarry_slabs_let_go(struct list_head *gone)
{
	struct quarry_slab *slab, *next;
	u64 bytes = 0;

	list_for_each_entry_safe(slab, next, gone, link) {
		bytes += quarry_shape_bytes(quarry_slab_shape(slab));
		release(quarry_pslab(slab)->node, quarry_pslab(slab));
	}
	return bytes;
}
