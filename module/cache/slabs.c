// SPDX-License-Identifier: GPL-2.0
/*
 * The slabs of a node: where they come from, where they go, and their lock.
 *
 * Empty slabs are memory that the pool could use elsewhere, but a cache that gives up its last
 * one each time asks the pool for another a moment later.
 *
 * The life of a slab
 *
 *	pool --grow--> empty <--> partial <--> full        (slab/slab.c)
 *	  ^              |
 *	  `----reap------'
 *
 *	Growing: description, pages, construction, private words, labels, and then the
 *	lists. From its labels on a slab can be found, by a wrong free too: so it is whole
 *	before it has them, and says that none of its objects is out. The pages are a block
 *	of the order that suits the objects; where the pool has none at hand, of the lowest
 *	order that holds one (slab/shape.c). Reaping is the
 *	mirror, in two steps: quarry_node_isolate() takes a slab off the lists and its labels
 *	away, quarry_page_slabs_discard() gives it back. Between them whoever reaps empties the
 *	magazines (reap.c). The block is marked SLAB in the page layer meanwhile, so that a
 *	free of its pages is refused there.
 *
 * Lent slabs
 *	The pool's reserve is for callers that must not fail (pages/gfp.c). If a slab were
 *	made of it for one of them and his objects went into magazines, whoever came by would
 *	have them, and slab by slab the reserve would be gone. So such a slab is lent:
 *
 *	- its label has a bit that is in no tag: the fast path of a free, bulk calls and
 *	  remote magazines all refuse the object, and it goes straight to its slab
 *	- an object of it is had only while as much of the reserve is free as its taker has to
 *	  leave (quarry_node_may_borrow()), by itself and past the magazines
 *	- when its last object has come back it goes to the pool at once: by an interrupt
 *	  that the CPU sends itself, since a free may be called where nothing else may.
 *	  No magazine has anything of it, so nobody need be visited
 *
 *	With init_on_free, and in a cache of type SLAB_TYPESAFE_BY_RCU, its pages follow
 *	after a grace period. One that was made and then not needed is left to the reaper.
 *
 * Frees without the lock
 *	In NMI, or where a caller may hold the lock himself, it can only be tried. An
 *	allocation then gives up. A free sets the object's bit in @deferred, a set of bits
 *	beside those of the slab, and the slab on a list; who takes the lock next
 *	puts these objects back. Nothing is allocated and no object is written to. One that
 *	has been returned by then was freed twice: he counts and reports that, when he has let go
 *	of the lock.
 *
 * Contexts: any, unless a function says otherwise.
 */
#include <linux/irq_work.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>

#include "../arena/directory.h"
#include "../base/inject.h"
#include "../pages/alloc.h"
#include "../pages/gfp.h"
#include "cache.h"
#include "labels.h"

static void slabs_sweep(struct irq_work *work);

/* Nodes with lent slabs that have got their last object back, and who gives these back. */
static LLIST_HEAD(to_sweep);
static struct irq_work sweeper = IRQ_WORK_INIT_HARD(slabs_sweep);

/* Most objects or slabs that are moved under one hold of the lock. */
#define HOLD	32U

/* Most objects that were freed without the lock and are put back under one hold of it. */
#define DEFERRED	128U

/* Objects after which a walk over slabs lets go of the lock. */
#define WALK	512U

/* What a slab's pages cannot be asked for, or needs not be. */
#define GFP_OURS	(__GFP_ZERO | __GFP_ACCOUNT | __GFP_HIGHMEM | __GFP_MOVABLE |	\
			 __GFP_RECLAIMABLE | __GFP_COMP | __GFP_DMA | __GFP_DMA32)

/* An object back to its slab. Under the lock. */
static enum quarry_slab_verdict put_back(struct quarry_cache_node *n, struct quarry_page_slab *s,
					 void *object)
{
	enum quarry_slab_verdict verdict = quarry_slab_put(&s->slab, object);

	n->spent |= s->slab.is_lent && s->slab.place == QUARRY_SLAB_EMPTY;
	return verdict;
}

/* A slab has objects that were freed without the lock. */
static void note_deferred(struct quarry_cache_node *n, struct quarry_page_slab *s)
{
	if (!test_and_set_bit(quarry_slab_shape(&s->slab)->nr, s->deferred))
		llist_add(&s->deferred_link, &n->deferred);
}

/* Put back up to @most objects of a slab. Under the lock. Returns how many. */
static unsigned int take_deferred_of(struct quarry_cache_node *n, struct quarry_page_slab *s,
				     unsigned int most)
{
	const struct quarry_shape *shape = quarry_slab_shape(&s->slab);
	unsigned int nr = 0;
	unsigned long i;
	void *object;

	/*
	 * From here on the slab can be put on the list again, and its link be written: it was
	 * read before. And now or next time, the bit of an object is seen. A full barrier on
	 * either side; pairs with that of note_deferred().
	 */
	test_and_clear_bit(shape->nr, s->deferred);
	for_each_set_bit(i, s->deferred, shape->nr) {
		if (nr == most) {
			note_deferred(n, s);
			break;
		}
		object = (void *)(s->slab.first + i * shape->stride);
		/* Who frees it so again has it from somebody who held this lock after us. */
		clear_bit(i, s->deferred);
		if (put_back(n, s, object)) {
			n->nr_wrong++;
			n->wrong = object;
		}
		nr++;
	}
	return nr;
}

/*
 * Put back what was freed without the lock, or a part of it, so that nobody waits for long;
 * the next one who takes the lock goes on. Under it.
 */
static void slabs_take_deferred(struct quarry_cache_node *n)
{
	unsigned int left = DEFERRED, slabs = DEFERRED;
	struct quarry_page_slab *s;

	while (left && slabs--) {
		if (!n->coming)
			WRITE_ONCE(n->coming, llist_del_all(&n->deferred));
		if (!n->coming)
			break;
		s = llist_entry(n->coming, struct quarry_page_slab, deferred_link);
		WRITE_ONCE(n->coming, n->coming->next);
		left -= take_deferred_of(n, s, left);
	}
}

static void slabs_locked(struct quarry_cache_node *n)
{
	n->holds++;
	if (unlikely(quarry_node_has_deferred(n))) {
		/* For a walk, that is as if another had been here. */
		n->holds++;
		slabs_take_deferred(n);
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
	slabs_locked(n);
	/* Sparse cannot follow a lock that is taken on a condition. */
	__release(&n->lock);
	return true;
}

void quarry_node_unlock(struct quarry_cache_node *n, unsigned long flags)
{
	u64 empty = n->plain.nr_empty + n->guarded.nr_empty;
	bool more, spent = n->spent && !n->sweeping;
	u32 nr_wrong = n->nr_wrong;
	void *wrong = n->wrong;

	__acquire(&n->lock);
	n->nr_wrong = 0;
	n->low_empty = min(n->low_empty, empty);
	more = empty > n->low_empty;
	n->spent = false;
	n->sweeping |= spent;
	raw_spin_unlock_irqrestore(&n->lock, flags);
	while (unlikely(nr_wrong)) {
		quarry_cache_misuse(n->cache, QUARRY_CACHE_ERR_DOUBLE_FREE, wrong);
		nr_wrong--;
	}
	/* Whoever waits for the node to go waits for this: quarry_slab_list_settle(). */
	if (unlikely(spent)) {
		llist_add(&n->sweep_link, &to_sweep);
		irq_work_queue(&sweeper);
	}
	/* While none was empty the reaper had no reason to come by. */
	if (more)
		quarry_reaper_wake();
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
	} while (quarry_node_has_deferred(n));
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
		      void (*fn)(struct quarry_page_slab *s, void *data), void *data)
{
	struct quarry_page_slab mark = {}, *s;
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
static bool put_deferred(struct quarry_cache_node *n, struct quarry_page_slab *s, u32 i)
{
	if (READ_ONCE(s->slab.free[i / 64]) >> (i % 64) & 1 || test_and_set_bit(i, s->deferred))
		return false;
	note_deferred(n, s);
	return true;
}

/* One object back to its slab, whoever claims that it is one of @n's. Locked or not. */
static enum quarry_cache_error put_one(struct quarry_cache_node *n, void *object, bool has_lock)
{
	struct quarry_page_slab *s = quarry_page_slab_of(object);
	enum quarry_slab_verdict verdict;
	u32 i;

	if (!s || s->node != n)
		return QUARRY_CACHE_ERR_DOUBLE_FREE;
	verdict = quarry_slab_look(&s->slab, object, &i);
	if (!verdict && has_lock)
		verdict = put_back(n, s, object);
	else if (!verdict && !put_deferred(n, s, i))
		verdict = QUARRY_SLAB_FREE;
	return verdict ? quarry_cache_verdict_kind(verdict) : QUARRY_NR_CACHE_ERRORS;
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

static struct quarry_page_slab *page_slab_alloc(const struct quarry_shape *shape, bool guarded,
						gfp_t gfp, int node)
{
	size_t slab = sizeof(struct quarry_page_slab) - sizeof(struct quarry_slab) +
		      quarry_slab_metadata_bytes(shape);
	size_t deferred = BITS_TO_LONGS(shape->nr + 1) * sizeof(long);
	struct quarry_page_slab *s;

	s = quarry_inject() ? NULL : kzalloc_node(slab + deferred, gfp, node);
	if (!s)
		return NULL;
	s->deferred = (unsigned long *)((char *)s + slab);
	s->bytes = slab + deferred;
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

static void page_slab_free(struct quarry_page_slab *s)
{
	kfree(s->records);
	kfree(s);
}

/* Nobody looks at the slab any more; but a wrong free may have put it on the list. */
static void page_slab_free_rcu(struct rcu_head *rcu)
{
	struct quarry_page_slab *s = container_of(rcu, struct quarry_page_slab, rcu);
	struct quarry_cache *cache = s->node->cache;

	quarry_node_settle(s->node);
	page_slab_free(s);
	quarry_cache_put(cache);
}

static void set_private(struct quarry_page_slab *s, unsigned int nr, unsigned long private)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		WRITE_ONCE(s->page[i].private, private);
}

/* The pages of a slab that nobody can find any more, back to the pool. */
static void slabs_give_pages(struct quarry_page_slab *s)
{
	unsigned int order = quarry_slab_shape(&s->slab)->order;
	struct quarry_cache *cache = s->node->cache;

	if (s->slab.is_least && !s->records)
		atomic_dec(&cache->nr_least);
	kmemleak_free(page_address(s->page));
	quarry_strays_mend(s);
	set_private(s, 1U << order, 0);
	quarry_block_change(cache->pool, s->page, order, QUARRY_STATE_SLAB, QUARRY_STATE_ALLOC);
	__quarry_free_pages(cache->pool, s->page, order);
}

/* What of the pool's reserve must a caller leave? All of it if his flags make no sense. */
static u64 slabs_kept_from(struct quarry_pool *pool, gfp_t gfp)
{
	struct quarry_wish w;

	return quarry_wish_parse(pool, gfp & ~GFP_OURS, NUMA_NO_NODE, 1, &w) ? w.keep :
									      pool->reserve;
}

/**
 * quarry_node_is_lending() - is a slab for this caller made of the pool's reserve now?
 * @cache:	the cache
 * @gfp:	whose it is
 *
 * Context: any. Return: true if the reserve is touched, and he may touch it.
 */
bool quarry_node_is_lending(struct quarry_cache *cache, gfp_t gfp)
{
	struct quarry_pool *pool = cache->pool;

	return pool->reserve && quarry_pool_nfree(pool) < pool->reserve &&
	       slabs_kept_from(pool, gfp) < pool->reserve;
}

/**
 * quarry_node_may_borrow() - may a caller have objects of lent slabs?
 * @cache:	the cache
 * @gfp:	what he has said
 *
 * Context: any. Return: true if what he must leave of the reserve is free. So who had a slab
 * made has an object of it, unless others were quicker.
 */
bool quarry_node_may_borrow(struct quarry_cache *cache, gfp_t gfp)
{
	u64 keep = slabs_kept_from(cache->pool, gfp);

	return !keep || quarry_pool_nfree(cache->pool) >= keep;
}

/* A slab of one shape. */
static struct quarry_cache_node *slabs_grow(struct quarry_cache *cache, gfp_t gfp, int node,
					    bool guarded, bool least)
{
	const struct quarry_shape *shape = least ? &cache->least[guarded] :
						   &cache->shape[guarded];
	unsigned int nr = 1U << shape->order;
	struct quarry_cache_node *n;
	struct quarry_slab_list *slabs;
	struct quarry_page_slab *s;
	unsigned long first, i, flags;
	bool lent;
	u64 label;

	/* For what describes it nobody waits for ever, as little as for its pages. */
	s = page_slab_alloc(shape, guarded, gfp & ~(__GFP_THISNODE | __GFP_NOFAIL), node);
	if (!s)
		return NULL;
	s->page = quarry_alloc_slab(cache->pool, gfp | (cache->flags & SLAB_RECLAIM_ACCOUNT ?
							__GFP_RECLAIMABLE : 0),
				    shape->order, node);
	if (!s->page)
		goto description;
	n = cache->nodes[page_to_nid(s->page)];
	if (WARN_ON_ONCE(!n)) {
		__quarry_free_pages(cache->pool, s->page, shape->order);
		goto description;
	}
	/* Until here a wrong free could free it: then it is another's by now. */
	if (!quarry_block_change(cache->pool, s->page, shape->order, QUARRY_STATE_ALLOC,
				 QUARRY_STATE_SLAB))
		goto description;
	s->node = n;
	slabs = guarded ? &n->guarded : &n->plain;

	quarry_node_lock(n, &flags, false);
	first = quarry_slab_list_first(slabs, least, (unsigned long)page_address(s->page));
	quarry_node_unlock(n, flags);
	lent = quarry_node_is_lending(cache, gfp);
	quarry_slab_init(&s->slab, slabs, least, lent, first);
	if (cache->ctor)
		for (i = 0; i < shape->nr; i++)
			cache->ctor((void *)(first + i * shape->stride));
	if (quarry_cache_shadowed(cache))
		quarry_shadow_redzone(page_address(s->page), PAGE_SIZE << shape->order);
	/* What objects point to is in use. */
	kmemleak_alloc((void *)page_address(s->page), PAGE_SIZE << shape->order, 0, gfp);
	set_private(s, nr, (unsigned long)s);
	if (least && !guarded)
		atomic_inc(&cache->nr_least);
	/*
	 * Who finds the label must find the private word, and behind it a slab that is whole: a
	 * wrong free may look at it before it is on a list. Pairs with quarry_page_slab_of().
	 */
	smp_wmb();
	label = quarry_shape_label(shape, first, READ_ONCE(n->tag[guarded])) |
		(lent ? QUARRY_LABEL_LENT : 0);
	if (!quarry_label_frames(page_to_pfn(s->page), nr, label,
				 quarry_gfp_meta(gfp & ~__GFP_NOFAIL))) {
		slabs_give_pages(s);
		goto description;
	}
	quarry_node_lock(n, &flags, false);
	quarry_slab_list_add(&s->slab);
	list_add(&s->all, &n->slabs);
	n->grows++;
	n->metadata += s->bytes;
	if (cache->ctor)
		n->constructed += shape->nr;
	quarry_node_unlock(n, flags);
	quarry_cache_note_slabs(cache);
	return n;

description:
	page_slab_free(s);
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
		return slabs_grow(cache, gfp, node, guarded, false);
	n = slabs_grow(cache, (gfp & ~__GFP_NOFAIL) | __GFP_NORETRY | __GFP_NOWARN, node, guarded,
		       false);
	return n ?: slabs_grow(cache, gfp, node, guarded, true);
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
	struct quarry_page_slab *s = container_of(rcu, struct quarry_page_slab, rcu);
	struct quarry_pool *pool = s->node->cache->pool;

	slabs_give_pages(s);
	/* See await_arrivals(), reap.c. */
	atomic_inc(&pool->slabs_came);
	quarry_wake_waiters(pool);
	page_slab_free_rcu(rcu);
}

/* A slab that is in no list and has no labels. */
static void slabs_release(struct quarry_cache_node *n, struct quarry_page_slab *s)
{
	refcount_inc(&n->cache->refs);
	/* Who frees an object a second time may wipe it, before he finds out what he has done. */
	if (n->cache->flags & SLAB_TYPESAFE_BY_RCU || (s->slab.is_lent && want_init_on_free())) {
		atomic_inc(&n->cache->pool->slabs_left);
		call_rcu(&s->rcu, typesafe_release);
		return;
	}
	slabs_give_pages(s);
	call_rcu(&s->rcu, page_slab_free_rcu);
}

/* A slab goes, which was taken off its list. Under the lock. */
static struct quarry_page_slab *slabs_forget(struct quarry_cache_node *n, struct quarry_slab *slab)
{
	struct quarry_page_slab *s = quarry_page_slab(slab);

	list_del(&s->all);
	n->metadata -= s->bytes;
	n->shrinks++;
	return s;
}

static void unlabel(struct quarry_page_slab *s)
{
	quarry_label_frames(page_to_pfn(s->page), 1UL << quarry_slab_shape(&s->slab)->order,
			    0, 0);
}

/**
 * quarry_node_isolate() - take empty slabs off the lists
 * @n:		the node
 * @keep:	so many may stay
 * @gone:	list that they are added to
 *
 * Nothing of them can get into a magazine any more: they have no labels. Context: any
 * but NMI. Return: how many they are.
 */
u64 quarry_node_isolate(struct quarry_cache_node *n, u64 keep, struct list_head *gone)
{
	struct quarry_page_slab *s[HOLD];
	unsigned long flags;
	unsigned int nr, i;
	u64 all = 0;

	do {
		nr = 0;
		quarry_node_lock(n, &flags, false);
		while (nr < HOLD && n->plain.nr_empty + n->guarded.nr_empty > keep) {
			struct quarry_slab *slab = quarry_slab_list_remove_empty(&n->guarded) ?:
						   quarry_slab_list_remove_empty(&n->plain);

			s[nr++] = slabs_forget(n, slab);
		}
		quarry_node_unlock(n, flags);
		for (i = 0; i < nr; i++) {
			unlabel(s[i]);
			list_add(&s[i]->slab.link, gone);
		}
		all += nr;
	} while (nr == HOLD);
	/* Pairs with that in quarry_page_slab_of(). */
	smp_wmb();
	return all;
}

/**
 * quarry_page_slabs_discard() - give slabs back to the pool
 * @gone:	of quarry_node_isolate(), of any nodes; no magazine holds any of them
 *
 * Context: any but NMI. Return: bytes given back.
 */
u64 quarry_page_slabs_discard(struct list_head *gone)
{
	struct quarry_slab *slab, *next;
	u64 bytes = 0;

	list_for_each_entry_safe(slab, next, gone, link) {
		bytes += quarry_shape_bytes(quarry_slab_shape(slab));
		slabs_release(quarry_page_slab(slab)->node, quarry_page_slab(slab));
	}
	return bytes;
}

/**
 * quarry_node_lose() - what describes slabs goes without their pages
 * @n:	the node; objects of these slabs are out, and are lost
 *
 * Context: at unload, when nobody is left who could find a slab.
 */
void quarry_node_lose(struct quarry_cache_node *n)
{
	struct quarry_page_slab *s, *next;

	list_for_each_entry_safe(s, next, &n->slabs, all) {
		list_del(&s->all);
		page_slab_free(s);
	}
}

/*
 * Lent slabs of a node that have got their last object back go to the pool: some, and if there
 * are more another interrupt comes for these. They could have had a wrong free in no magazine, so
 * there is no need for anything between.
 */
static void sweep_node(struct quarry_cache_node *n)
{
	struct quarry_slab *slab;
	unsigned long flags;
	LIST_HEAD(gone);
	unsigned int nr;

	quarry_node_lock(n, &flags, false);
	n->sweeping = false;
	for (nr = 0; nr < HOLD; nr++) {
		slab = quarry_slab_list_remove_spent(&n->guarded) ?:
		       quarry_slab_list_remove_spent(&n->plain);
		if (!slab)
			break;
		list_add(&slabs_forget(n, slab)->slab.link, &gone);
	}
	/* What was freed without the lock and returned with this hold was among them. */
	n->spent = nr == HOLD;
	quarry_node_unlock(n, flags);
	list_for_each_entry(slab, &gone, link)
		unlabel(quarry_page_slab(slab));
	/* Pairs with that in quarry_page_slab_of(). */
	smp_wmb();
	quarry_page_slabs_discard(&gone);
}

static void slabs_sweep(struct irq_work *work)
{
	struct quarry_cache_node *n, *next;

	llist_for_each_entry_safe(n, next, llist_del_all(&to_sweep), sweep_link)
		sweep_node(n);
}

/* Nothing of a cache is out: wait until nobody looks at its nodes for what is. */
void quarry_slab_list_settle(void)
{
	irq_work_sync(&sweeper);
}
