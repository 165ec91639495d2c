// SPDX-License-Identifier: GPL-2.0
/*
 * kv: memory that need not be physically contiguous.
 *
 * What malloc cannot give, or not without waiting for a large block, is pieced
 * together from single pages of the default pool and mapped. The pages are found
 * again by the address, in an xarray.
 *
 * What is allocated along with the pages (the array of them, the mapping's page tables,
 * the xarray's nodes) is allocated as the caller may: with GFP_NOFS nothing enters a file
 * system.
 *
 * With __GFP_NOFAIL all of it is tried again and again, but from the beginning: who waits
 * holds nothing, or two would wait for each other with all of the pool in their hands, and
 * everybody else for them. Nor do two at a time take pages from each other: one has the turn.
 *
 *	malloc, without waiting --> pieces --> [wait for a free, holding none] --> pieces ...
 *	                                          `--> NULL, as soon as it can never be
 *
 * Contexts: allocating and freeing mapped memory sleeps.
 */
#include <linux/kmemleak.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "../base/inject.h"
#include "../pages/alloc.h"
#include "../pages/misuse.h"
#include "malloc.h"

/**
 * struct mapped - one allocation
 * @bytes:	asked for
 * @nr:		pages
 * @pages:	which
 */
struct mapped {
	size_t bytes;
	unsigned int nr;
	struct page *pages[];
};

static DEFINE_XARRAY(all);

/* More does not fit into an array of kvmalloc(). */
#define MOST_PAGES	((INT_MAX - sizeof(struct mapped)) / sizeof(struct page *))

/* Of so many looks one tries though it seems too little: lists and caches may have it. */
#define LOOKS		8

/* Whose turn it is to insist: bit 0 is set while it is somebody's. */
static unsigned long turn;
static DECLARE_WAIT_QUEUE_HEAD(turn_over);

static unsigned long kv_key_of(const void *at)
{
	return (unsigned long)at >> PAGE_SHIFT;
}

static void kv_give_pages(struct mapped *m)
{
	quarry_free_pages_bulk(quarry_pool_default(), 0, m->nr, m->pages);
	kvfree(m);
}

static struct mapped *take_pages(unsigned long nr, size_t bytes, gfp_t gfp, int node)
{
	struct quarry_pool *pool = quarry_pool_default();
	struct mapped *m;

	/* The array may be long: nobody is to be killed for it, nor waited for here. */
	m = quarry_inject() ? NULL :
	    kvmalloc(struct_size(m, pages, nr),
		     (quarry_gfp_meta(gfp) & ~__GFP_NOFAIL) | __GFP_RETRY_MAYFAIL);
	if (!m)
		return NULL;
	m->bytes = bytes;
	for (m->nr = 0; m->nr < nr; m->nr++) {
		m->pages[m->nr] = gfp & __GFP_NOFAIL ?
				  quarry_alloc_once(pool, gfp, 0, node) :
				  quarry_alloc_pages_node(pool, node, gfp, 0);
		if (!m->pages[m->nr]) {
			kv_give_pages(m);
			return NULL;
		}
	}
	return m;
}

/*
 * The mapping stands, and is its client's. One who points to it is the kernel, which knows of each
 * mapping, so it takes two that kmemleak says that it is not lost.
 */
static void hand_out(const struct mapped *m, void *at, gfp_t gfp)
{
	quarry_shadow_narrow(at, m->bytes, m->nr * PAGE_SIZE);
	kmemleak_alloc(at, m->nr * PAGE_SIZE, 2, gfp);
}

static void kv_take_back(struct mapped *m, const void *at)
{
	kmemleak_free(at);
	vunmap(at);
	kv_give_pages(m);
}

static void *map_once(unsigned long nr, size_t bytes, gfp_t gfp, int node)
{
	gfp_t meta = quarry_gfp_meta(gfp) & ~__GFP_NOFAIL;
	struct mapped *m;
	void *at = NULL;

	m = take_pages(nr, bytes, gfp, node);
	if (!m)
		return NULL;
	if (!quarry_inject())
		at = vmap(m->pages, m->nr, VM_MAP, PAGE_KERNEL);
	if (at && (quarry_inject() || xa_is_err(xa_store(&all, kv_key_of(at), m, meta)))) {
		vunmap(at);
		at = NULL;
	}
	if (at)
		hand_out(m, at, meta);
	else
		kv_give_pages(m);
	return at;
}

/*
 * One at a time insists. For a while only: who has the turn may wait for what others hold
 * who wait for it.
 */
static bool take_turn(void)
{
	return wait_event_timeout(turn_over, !test_and_set_bit_lock(0, &turn), HZ / 10);
}

static void end_turn(void)
{
	clear_bit_unlock(0, &turn);
	wake_up(&turn_over);
}

/* Does it look as if that much could be had now? */
static bool is_at_hand(struct quarry_pool *pool, u64 nr)
{
	s64 room = (s64)pool->max - atomic64_read(&pool->managed);

	return quarry_pool_nfree(pool) + max_t(s64, room, 0) >= nr;
}

/* As map_once(), again and again, as long as something can come of it. */
static void *kv_insist(unsigned long nr, size_t bytes, const struct quarry_wish *w, int node)
{
	struct quarry_pool *pool = quarry_pool_default();
	bool my_turn = false;
	unsigned int looks = 0;
	void *at = NULL;
	int looked = -1;

	while (!at && quarry_range_could_hold(pool, w, nr, &looked)) {
		if (!my_turn)
			my_turn = take_turn();
		quarry_wait_for_free(pool);
		if (is_at_hand(pool, nr + w->keep) || ++looks % LOOKS == 0)
			at = map_once(nr, bytes, w->gfp, node);
	}
	if (my_turn)
		end_turn();
	return at;
}

static void *kv_map(size_t bytes, gfp_t gfp, int node)
{
	struct quarry_pool *pool = quarry_pool_default();
	unsigned long nr = bytes / PAGE_SIZE + !PAGE_ALIGNED(bytes);
	struct quarry_wish w;
	unsigned int scope;
	void *at;

	might_sleep();
	/* Single pages are not compound. */
	gfp &= ~__GFP_COMP;
	/* Nothing to wait for, then; and what vmap() and kvmalloc() never do. */
	if (nr > min_t(u64, quarry_gfp_frames(pool, gfp), MOST_PAGES) || nr > totalram_pages())
		return NULL;
	if (!quarry_wish_parse(pool, gfp, node, nr, &w) || w.nowhere)
		return NULL;
	/* vmap() has no flags to be told of. */
	scope = quarry_gfp_scope(gfp);
	at = map_once(nr, bytes, gfp, node);
	if (!at && w.nofail)
		at = kv_insist(nr, bytes, &w, node);
	quarry_gfp_unscope(gfp, scope);
	return at;
}

/**
 * quarry_kvmalloc_node() - allocate memory of any size
 * @size:	bytes; 0 gives ZERO_SIZE_PTR
 * @gfp:	as for kvmalloc(): GFP_KERNEL, with __GFP_ZERO and the like
 * @node:	preferred node, or NUMA_NO_NODE
 *
 * Contiguous if malloc has it at hand, else mapped from single pages. Context: sleeps;
 * with flags that forbid it nothing is mapped.
 *
 * Return: the memory, to be freed with quarry_kvfree(); or NULL. With __GFP_NOFAIL that
 * is for more than the default pool could ever have, for the node that is asked for, and
 * for flags that quarry_alloc_pages() refuses.
 */
void *quarry_kvmalloc_node(size_t size, gfp_t gfp, int node)
{
	gfp_t first;

	if (size <= PAGE_SIZE || !gfpflags_allow_blocking(gfp))
		return quarry_malloc_node(size, gfp, node);
	/* What can be pieced together need not be waited for, and if large not worked for. */
	first = (gfp & ~__GFP_NOFAIL) | __GFP_NOWARN;
	if (size > QUARRY_CLASS_MAX)
		first |= __GFP_NORETRY;
	return quarry_malloc_node(size, first, node) ?: kv_map(size, gfp, node);
}
EXPORT_SYMBOL_NS_GPL(quarry_kvmalloc_node, QUARRY_NS);

/**
 * quarry_kvfree() - free what quarry_kvmalloc() or quarry_malloc() gave
 * @object:	the memory, or NULL
 *
 * Context: sleeps for mapped memory, else any but NMI.
 */
void quarry_kvfree(const void *object)
{
	struct mapped *m;

	if (!is_vmalloc_addr(object)) {
		quarry_free(object);
		return;
	}
	might_sleep();
	m = PAGE_ALIGNED(object) ? xa_erase(&all, kv_key_of(object)) : NULL;
	if (!m) {
		quarry_misuse(quarry_pool_default(), QUARRY_ERR_FOREIGN, NULL,
			      (struct quarry_frame){}, 0);
		return;
	}
	kv_take_back(m, object);
}
EXPORT_SYMBOL_NS_GPL(quarry_kvfree, QUARRY_NS);

/**
 * quarry_owns_mapped() - does memory come from quarry_kvmalloc(), mapped?
 * @object:	any address
 *
 * Context: any. Return: true for where it begins; see quarry_owns() for what is not mapped.
 */
bool quarry_owns_mapped(const void *object)
{
	return is_vmalloc_addr(object) && PAGE_ALIGNED(object) && xa_load(&all, kv_key_of(object));
}
EXPORT_SYMBOL_NS_GPL(quarry_owns_mapped, QUARRY_NS);

static void free_parted(struct work_struct *work);

/* Mapped memory whose grace period is over; unmapping it sleeps. */
static LLIST_HEAD(parted);
static DECLARE_WORK(parted_work, free_parted);

static void *mapped_start(void *head)
{
	return (void *)((unsigned long)head & PAGE_MASK);
}

static void free_parted(struct work_struct *work)
{
	struct llist_node *node, *next;

	llist_for_each_safe(node, next, llist_del_all(&parted))
		quarry_kvfree(mapped_start(node));
}

static void kv_part(struct rcu_head *head)
{
	/* Nobody needs it as a head any more, and it is large enough. */
	static_assert(sizeof(struct llist_node) <= sizeof(*head));
	if (llist_add((struct llist_node *)head, &parted))
		queue_work(quarry_any_cpu_wq, &parted_work);
}

/**
 * quarry_kvfree_rcu_head() - free memory of any kind after a grace period
 * @head:	in an object of a cache, of quarry_malloc(), or in the first page of mapped
 *		memory of quarry_kvmalloc()
 *
 * Use quarry_kvfree_rcu(). Context: any but NMI.
 */
void quarry_kvfree_rcu_head(struct rcu_head *head)
{
	if (is_vmalloc_addr(head))
		call_rcu(head, kv_part);
	else
		quarry_free_rcu_head(head);
}
EXPORT_SYMBOL_NS_GPL(quarry_kvfree_rcu_head, QUARRY_NS);

static size_t size_of(const void *object)
{
	struct mapped *m;

	if (!is_vmalloc_addr(object))
		return quarry_malloc_bytes(object);
	m = PAGE_ALIGNED(object) ? xa_load(&all, kv_key_of(object)) : NULL;
	return m ? PAGE_ALIGN(m->bytes) : 0;
}

/**
 * quarry_kvfree_sensitive() - wipe memory and free it
 * @object:	the memory, or NULL
 * @len:	bytes to wipe
 *
 * Context: as quarry_kvfree().
 */
void quarry_kvfree_sensitive(const void *object, size_t len)
{
	size_t size;

	if (!ZERO_OR_NULL_PTR(object)) {
		size = size_of(object);
		quarry_malloc_resized(object, size, size);
		memzero_explicit((void *)object, min(len, size));
	}
	quarry_kvfree(object);
}
EXPORT_SYMBOL_NS_GPL(quarry_kvfree_sensitive, QUARRY_NS);

/**
 * quarry_kvrealloc() - change the size of an allocation of any kind
 * @object:	of quarry_kvmalloc(), or NULL
 * @size:	bytes; 0 frees
 * @gfp:	as for kvmalloc()
 *
 * Context: sleeps. Return: as quarry_realloc().
 */
void *quarry_kvrealloc(const void *object, size_t size, gfp_t gfp)
{
	size_t old;
	void *new;

	if (!size) {
		quarry_kvfree(object);
		return ZERO_SIZE_PTR;
	}
	old = ZERO_OR_NULL_PTR(object) ? 0 : size_of(object);
	if (!old && !ZERO_OR_NULL_PTR(object)) {
		/* Not ours: as a free of it. */
		quarry_kvfree(object);
		return NULL;
	}
	if (old >= size) {
		quarry_malloc_resized(object, size, old);
		return (void *)object;
	}
	new = quarry_kvmalloc_node(size, gfp, NUMA_NO_NODE);
	if (new && old) {
		quarry_malloc_resized(object, old, old);
		memcpy(new, object, old);
		quarry_kvfree(object);
	}
	return new;
}
EXPORT_SYMBOL_NS_GPL(quarry_kvrealloc, QUARRY_NS);

/* What was to be freed after a grace period is, of any kind. Context: sleeps. */
void quarry_kv_settle(void)
{
	rcu_barrier();
	flush_work(&parted_work);
}

/* At unload: nobody can have a mapping any more. */
void quarry_kv_exit(void)
{
	unsigned long key;
	struct mapped *m;

	quarry_kv_settle();
	xa_for_each(&all, key, m)
		kv_take_back(m, (void *)(key << PAGE_SHIFT));
	xa_destroy(&all);
}
