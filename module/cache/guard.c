// SPDX-License-Identifier: GPL-2.0
/*
 * Safety modes, one object at a time.
 *
 * A write beyond an object, or to one that was freed, mostly hits another's and shows there,
 * later. Modes that can be switched on while a cache is in use find it where it happened, at a
 * cost that nobody pays who has none of them on.
 *
 * A guarded slab has room around each object, and beside the slab a record of it:
 *
 *	| redzone | object | redzone || redzone | object | redzone | ...
 *	   red      size     the rest of the stride
 *
 *	record: out?  poisoned?  redzones filled?  pid, stack and time of the last
 *	allocation and of the last free
 *
 * What a mode does is noted in the record, so modes can be switched while objects
 * are out: a check is made if and only if what it looks at was written.
 *
 *	        going out                       coming in
 *	CHECK   (always, of guarded objects)    out? else a double free
 *	POISON  is the filling whole?           fill: 6b ... 6b a5
 *	REDZONE fill both with cc               whole?
 *	OWNER   note who                        note who
 *	QUARANTINE                              wait while 64 others are freed, or memory is out
 *	RANDOM  any of the magazine
 *
 * An object that was written to while it was free is never handed out again: it
 * stays as it is, for who looks for the writer, until the cache is destroyed.
 *
 * KASAN is told of redzones and of free objects whatever the mode is (base/shadow.c). What
 * looks at redzones here does it behind its back.
 *
 * Contexts: any. Who waits for no lock leaves no stack: the kernel's depot of stacks has
 * one, and may allocate.
 */
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/poison.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "../base/random.h"
#include "../base/report.h"
#include "cache.h"

/* The record of an object of a guarded slab. */
struct quarry_record *quarry_guard_record(struct quarry_page_slab *s, const void *object)
{
	u32 i = ((unsigned long)object - s->slab.first) / quarry_slab_shape(&s->slab)->stride;

	return &s->records[i];
}

static void cache_guard_note(struct quarry_record *r, unsigned int which,
			     depot_stack_handle_t stack)
{
	r->stack[which] = stack;
	r->pid[which] = task_pid_nr(current);
	r->when[which] = jiffies;
}

static bool cache_guard_fills(const struct quarry_cache *cache)
{
	return READ_ONCE(cache->modes) & QUARRY_MODE_POISON && !cache->ctor &&
	       !(cache->flags & SLAB_TYPESAFE_BY_RCU);
}

static void misuse_at(struct quarry_cache *cache, enum quarry_cache_error kind,
		      const void *object, const char *what, const u8 *at, u8 want)
{
	struct quarry_report *r = quarry_cache_misuse_begin(cache, kind, object);

	quarry_report_say(r, "%s: byte %ld is 0x%02x, not 0x%02x", what,
			  (long)(at - (const u8 *)object), *at, want);
	quarry_report_end(r);
}

static bool poison_ok(struct quarry_cache *cache, void *object)
{
	u32 size = cache->shape[0].size;
	const u8 *bad = memchr_inv(object, POISON_FREE, size - 1);
	u8 want = POISON_FREE;

	if (!bad && ((u8 *)object)[size - 1] != POISON_END) {
		bad = (u8 *)object + size - 1;
		want = POISON_END;
	}
	if (bad)
		misuse_at(cache, QUARRY_CACHE_ERR_USE_AFTER_FREE, object,
			  "written after it was freed", bad, want);
	return !bad;
}

static void fill_red(const struct quarry_cache *cache, void *object)
{
	u32 rest = cache->shape[1].stride - cache->red - cache->shape[0].size;

	kasan_disable_current();
	memset(object - cache->red, SLUB_RED_ACTIVE, cache->red);
	memset(object + cache->shape[0].size, SLUB_RED_ACTIVE, rest);
	kasan_enable_current();
}

static void check_red(struct quarry_cache *cache, void *object)
{
	u32 size = cache->shape[0].size;
	u32 rest = cache->shape[1].stride - cache->red - size;
	const u8 *bad;

	kasan_disable_current();
	bad = memchr_inv(object - cache->red, SLUB_RED_ACTIVE, cache->red) ?:
	      memchr_inv(object + size, SLUB_RED_ACTIVE, rest);
	if (bad)
		misuse_at(cache, QUARRY_CACHE_ERR_OVERFLOW, object,
			  "written beside the object", bad, SLUB_RED_ACTIVE);
	kasan_enable_current();
}

/**
 * quarry_guard_out() - an object goes to a client
 * @object:	of a guarded slab, in nobody's hands
 * @try:	do not wait for locks
 *
 * Return: false if it was written to while it was free: it must not be handed out.
 */
bool quarry_guard_out(void *object, bool try)
{
	struct quarry_record *r;
	struct quarry_cache *cache;
	struct quarry_page_slab *s;
	u32 modes;

	preempt_disable();
	s = quarry_page_slab_of(object);
	preempt_enable();
	cache = s->node->cache;
	modes = READ_ONCE(cache->modes);
	r = quarry_guard_record(s, object);
	if (test_and_clear_bit(QUARRY_RECORD_POISONED, &r->flags) && !poison_ok(cache, object)) {
		/* Counted as taken, it is counted as back: no client has it. */
		set_bit(QUARRY_RECORD_LOST, &r->flags);
		atomic_inc(&s->node->lost);
		if (!test_and_set_bit(QUARRY_RECORD_LISTED, &s->records[0].flags))
			llist_add(&s->lost_link, &s->node->lost_slabs);
		quarry_cache_count(cache, QUARRY_CPU_CACHE_DIRECT_FREES);
		quarry_shadow_free(object, quarry_cache_shadowed(cache));
		return false;
	}
	assign_bit(QUARRY_RECORD_RED, &r->flags, modes & QUARRY_MODE_REDZONE);
	if (modes & QUARRY_MODE_REDZONE)
		fill_red(cache, object);
	if (modes & QUARRY_MODE_OWNER)
		cache_guard_note(r, QUARRY_RECORD_ALLOC, quarry_stack_here(3, try));
	else
		r->stack[QUARRY_RECORD_ALLOC] = 0;
	set_bit(QUARRY_RECORD_OUT, &r->flags);
	return true;
}

/**
 * quarry_guard_in() - an object comes back
 * @s:		its slab, a guarded one
 * @object:	an object of it
 * @stack:	whose call it is, or 0
 *
 * Return: false if it was not out: it must not be taken.
 */
bool quarry_guard_in(struct quarry_page_slab *s, void *object, depot_stack_handle_t stack)
{
	struct quarry_record *r = quarry_guard_record(s, object);
	struct quarry_cache *cache = s->node->cache;
	u32 size = cache->shape[0].size;

	if (!test_and_clear_bit(QUARRY_RECORD_OUT, &r->flags)) {
		quarry_cache_misuse(cache, QUARRY_CACHE_ERR_DOUBLE_FREE, object);
		return false;
	}
	/* Malloc's callers were given less than all of it. */
	quarry_shadow_open(object, quarry_cache_shadowed(cache));
	if (test_and_clear_bit(QUARRY_RECORD_RED, &r->flags))
		check_red(cache, object);
	if (READ_ONCE(cache->modes) & QUARRY_MODE_OWNER)
		cache_guard_note(r, QUARRY_RECORD_FREE, stack);
	if (cache_guard_fills(cache)) {
		memset(object, POISON_FREE, size - 1);
		((u8 *)object)[size - 1] = POISON_END;
		set_bit(QUARRY_RECORD_POISONED, &r->flags);
	} else if (want_init_on_free() && !cache->ctor &&
		   !(cache->flags & SLAB_TYPESAFE_BY_RCU)) {
		memset(object, 0, size);
	}
	return true;
}

/* Do free objects wait? Not those of a dead cache: it waits for them. */
static bool cache_guard_waits(const struct quarry_cache *cache)
{
	return READ_ONCE(cache->modes) & QUARRY_MODE_QUARANTINE &&
	       READ_ONCE(cache->kind) != QUARRY_CACHE_DEAD;
}

/**
 * quarry_guard_quarantine() - let an object wait
 * @n:		its node
 * @object:	one that has just come in
 * @try:	do not wait for the lock
 *
 * Return: the object whose turn it is to be reused, or NULL.
 */
void *quarry_guard_quarantine(struct quarry_cache_node *n, void *object, bool try)
{
	unsigned long flags;
	void *oldest = NULL;

	if (!cache_guard_waits(n->cache) || !quarry_node_lock(n, &flags, try))
		return object;
	/* Once more: who ends it says so first, and then takes out what is in here. */
	if (!cache_guard_waits(n->cache) || !n->quarantine) {
		oldest = object;
	} else if (n->quarantine_n == QUARRY_QUARANTINE) {
		oldest = n->quarantine[n->quarantine_at];
		n->quarantine[n->quarantine_at] = object;
		n->quarantine_at = (n->quarantine_at + 1) % QUARRY_QUARANTINE;
	} else {
		n->quarantine[(n->quarantine_at + n->quarantine_n++) % QUARRY_QUARANTINE] =
			object;
	}
	quarry_node_unlock(n, flags);
	return oldest;
}

/* Any object of a magazine to where the next one is taken from. */
void quarry_guard_pick(struct quarry_magazine *mag)
{
	u32 i;

	i = quarry_random_below(mag->n);
	swap(mag->slot[i], mag->slot[mag->n - 1]);
}

/**
 * quarry_guard_release() - objects from quarantine to their slabs
 * @n:		the node
 *
 * Context: any but NMI. Return: how many they were.
 */
unsigned int quarry_guard_release(struct quarry_cache_node *n)
{
	unsigned long flags;
	unsigned int nr;
	void *object;

	for (nr = 0;; nr++) {
		object = NULL;
		quarry_node_lock(n, &flags, false);
		if (n->quarantine_n) {
			object = n->quarantine[n->quarantine_at];
			n->quarantine_at = (n->quarantine_at + 1) % QUARRY_QUARANTINE;
			n->quarantine_n--;
		}
		quarry_node_unlock(n, flags);
		if (!object)
			return nr;
		preempt_disable();
		quarry_node_put(n, &object, 1, false);
		preempt_enable();
	}
}

/**
 * quarry_guard_relent() - reuse what waits in quarantine before its time
 * @cache:	the cache
 * @only:	on this node, or NULL for all
 *
 * For who is refused otherwise: nobody is for what finds mistakes. Context: any but NMI.
 * Return: false if nothing waits.
 */
bool quarry_guard_relent(struct quarry_cache *cache, struct quarry_cache_node *only)
{
	struct quarry_cache_node *n = NULL;
	unsigned int nr = 0;

	while ((n = quarry_cache_node_next(cache, n)))
		if (READ_ONCE(n->quarantine_n) && (!only || n == only))
			nr += quarry_guard_release(n);
	return nr;
}

/* The objects of a slab that were kept from being reused go back. Under the lock. */
static void put_lost(struct quarry_page_slab *s)
{
	const struct quarry_shape *shape = quarry_slab_shape(&s->slab);
	u32 i;

	/*
	 * Who finds another one from here on puts the slab on the list again, and writes its
	 * link: that was read before. A full barrier on either side; pairs with that of
	 * quarry_guard_out().
	 */
	test_and_clear_bit(QUARRY_RECORD_LISTED, &s->records[0].flags);
	for (i = 0; i < shape->nr; i++)
		if (test_and_clear_bit(QUARRY_RECORD_LOST, &s->records[i].flags)) {
			atomic_dec(&s->node->lost);
			quarry_slab_put(&s->slab, (void *)(s->slab.first +
							   (unsigned long)i * shape->stride));
		}
}

/* Objects that were written to while free go back: the cache is to be destroyed. */
void quarry_guard_free_poisoned(struct quarry_cache_node *n)
{
	struct llist_node *at = llist_del_all(&n->lost_slabs);
	struct quarry_page_slab *s;
	unsigned long flags;

	while (at) {
		s = llist_entry(at, struct quarry_page_slab, lost_link);
		at = at->next;
		/* A slab at a time: with all its objects back it may go. */
		quarry_node_lock(n, &flags, false);
		put_lost(s);
		quarry_node_unlock(n, flags);
	}
}
