// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that are freed on a CPU of another node.
 *
 *	CPU of node 1			node 0
 *
 *	free --> remote magazine --> depot	the whole magazine, for an empty one
 *	              |
 *	              `------------> slabs	where the depot has no empty one, or the
 *						magazine has objects of several nodes:
 *						sorted, a lock for every node and 32 objects
 *
 *	What a CPU may hand out is of its own node alone, so objects of others do not go into
 *	its magazines. Each by itself they cost a lock of another node, whose line is
 *	somewhere else. Gathered they cost one a magazine, and are looked at as closely as
 *	those of the own node: the label says whose an object is, and that it begins there
 *	(slab/shape.c); that it was out is seen by its slab, or here if it came twice running.
 *
 *	An allocation that would take any node's takes it from there again.
 *
 *	The magazine hangs on the cold part of a CPU's magazines (struct quarry_cpu_cache_cold), has
 *	their mark, is brought as they are, counts in the same budget, and is emptied by
 *	whoever empties them. While they are disabled it is passed by.
 *
 * Contexts: any, unless a function says otherwise.
 */
#include <linux/mm.h>

#include "cache.h"

static struct quarry_remote *remote_of(const struct quarry_cpu_cache *m)
{
	struct quarry_cpu_cache_cold *cold = READ_ONCE(m->cold);

	return cold ? &cold->remote : NULL;
}

/* A CPU's magazine for objects of other nodes, or NULL. Of another CPU a moment old. */
const struct quarry_magazine *quarry_remote_magazine(const struct quarry_cpu_cache *m)
{
	const struct quarry_remote *r = remote_of(m);

	return r ? READ_ONCE(r->mag) : NULL;
}

/* Has the CPU one? */
bool quarry_remote_has_any(const struct quarry_cpu_cache *m)
{
	return quarry_remote_magazine(m);
}

/* Might it have an object of a node whose depot is disabled? A moment old. */
bool quarry_remote_beside_disabled(const struct quarry_cpu_cache *m)
{
	struct quarry_cache *cache = quarry_cpu_cache_node(m)->cache;
	struct quarry_cache_node *n = NULL;

	if (!quarry_remote_has_any(m))
		return false;
	while ((n = quarry_cache_node_next(cache, n)))
		if (READ_ONCE(n->depot.disabled))
			return true;
	return false;
}

/* Is this the object of another node that was freed last on this CPU? Preemption off. */
bool quarry_remote_is_last_here(struct quarry_cache *cache, const void *object)
{
	const struct quarry_remote *r = remote_of(this_cpu_ptr(cache->cpu_cache));

	return r && quarry_remote_is_last(r, object);
}

static struct quarry_cache_node *node_of(struct quarry_cache *cache, const void *object)
{
	return cache->nodes[page_to_nid(virt_to_page(object))];
}

/**
 * quarry_remote_flush() - objects of other nodes back to their slabs
 * @cache:	the cache
 * @r:		in nobody else's hands; has a magazine
 * @try:	do not wait for locks
 *
 * A node is a stretch of addresses, so those of one node come one after the other when they
 * are sorted. Context: any; preemption off.
 */
void quarry_remote_flush(struct quarry_cache *cache, struct quarry_remote *r, bool try)
{
	struct quarry_magazine *mag = r->mag;
	struct quarry_cache_node *n;
	u32 i, end;

	quarry_objects_sort(mag->slot, mag->n);
	for (i = 0; i < mag->n; i = end) {
		n = node_of(cache, mag->slot[i]);
		end = r->tag ? mag->n : i + 1;
		while (end < mag->n && node_of(cache, mag->slot[end]) == n)
			end++;
		quarry_node_put(n, mag->slot + i, end - i, try);
	}
	WRITE_ONCE(mag->n, 0);
}

/* The magazine is full: an empty one, or empty it. Marked. */
static void remote_make_room(struct quarry_cache *cache, struct quarry_cpu_cache *m,
			     struct quarry_remote *r, bool try)
{
	struct quarry_cache_node *n;
	unsigned long flags;
	bool done = false;

	quarry_cpu_cache_event(cache, m);
	n = r->tag ? quarry_tag_get_node(r->tag) : NULL;
	if (n && quarry_node_lock(n, &flags, try)) {
		done = quarry_remote_put_full(r, &n->depot);
		quarry_node_unlock(n, flags);
	}
	if (done) {
		quarry_cache_count(cache, QUARRY_CPU_CACHE_EXCHANGES);
		return;
	}
	m->wants |= QUARRY_WANTS_REMOTE;
	quarry_cache_count(cache, QUARRY_CPU_CACHE_FLUSHES);
	quarry_remote_flush(cache, r, try);
}

/* The tag of an object of another node of @cache; 0 for anything else. Preemption off. */
static u32 remote_tag_of(struct quarry_cache *cache, const struct quarry_cpu_cache *m, u32 known,
			 const void *object)
{
	struct quarry_cache_node *n;
	u64 label;

	if (!quarry_label_look(quarry_object_pfn(object), &label) || (u32)label == m->tag ||
	    !quarry_starts_at(&m->starts, label, object))
		return 0;
	if ((u32)label == known)
		return known;
	n = quarry_tag_get_node(label);
	return n && n->cache == cache && n->tag[0] == (u32)label ? (u32)label : 0;
}

/**
 * quarry_remote_put() - take objects of other nodes, many under one lock
 * @cache:	the cache that they should be of
 * @nr:		how many
 * @p:		any addresses
 * @try:	do not wait for locks
 *
 * Ends before the first one that is not the start of an object of another node, and where
 * no magazine is at hand. Context: any; preemption off.
 *
 * Return: how many were taken.
 */
size_t quarry_remote_put(struct quarry_cache *cache, size_t nr, void **p, bool try)
{
	struct quarry_cpu_cache *m = this_cpu_ptr(cache->cpu_cache);
	struct quarry_remote *r = remote_of(m);
	size_t done = 0;
	u32 tag;

	if (m->disabled || !quarry_cpu_cache_try_busy(m))
		return 0;
	tag = r && quarry_remote_n(r) ? r->tag : 0;
	while (done < nr) {
		tag = remote_tag_of(cache, m, tag, p[done]);
		if (!tag)
			break;
		if (!r || !r->mag) {
			m->wants |= QUARRY_WANTS_REMOTE;
			break;
		}
		if (quarry_remote_is_last(r, p[done]))
			break;
		quarry_shadow_free(p[done], quarry_cache_shadowed(cache));
		if (!quarry_remote_push(r, tag, p[done])) {
			remote_make_room(cache, m, r, try);
			quarry_remote_push(r, tag, p[done]);
		}
		done++;
	}
	m->frees += done;
	quarry_cpu_cache_clear_busy(m);
	if (done)
		quarry_cache_count_add(cache, QUARRY_CPU_CACHE_SLOW_FREES, done);
	return done;
}

/**
 * quarry_remote_take() - an object of another node that was freed here
 * @cache:	the cache
 * @n:		of this node; NULL: of any
 *
 * Context: any; preemption off. Return: an object, or NULL if the last one is not of @n.
 */
void *quarry_remote_take(struct quarry_cache *cache, const struct quarry_cache_node *n)
{
	struct quarry_cpu_cache *m = this_cpu_ptr(cache->cpu_cache);
	struct quarry_remote *r = remote_of(m);
	void *object = NULL;

	if (!r || m->disabled || !quarry_cpu_cache_try_busy(m))
		return NULL;
	if (!n || (quarry_remote_n(r) &&
		   node_of(cache, r->mag->slot[quarry_remote_n(r) - 1]) == n))
		object = quarry_remote_pop(r);
	m->allocs += !!object;
	quarry_cpu_cache_clear_busy(m);
	if (object)
		quarry_cache_count(cache, QUARRY_CPU_CACHE_SLOW_ALLOCS);
	return object;
}
