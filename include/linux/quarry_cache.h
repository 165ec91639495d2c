/* SPDX-License-Identifier: GPL-2.0 */
/*
 * quarry: caches of objects, over the pools of <linux/quarry.h>. Memory of any size is
 * had by <linux/quarry_malloc.h>.
 *
 * The calls are kmem_cache's with quarry_ in front: the same order of arguments, the
 * same meaning. What differs: creating returns an error pointer that
 * says why, destroying says whether objects were out, and a wrong free is refused,
 * counted and reported instead of corrupting anything.
 *
 *	cache = quarry_cache_create("mydrv-req", sizeof(struct req), 0,
 *				    SLAB_HWCACHE_ALIGN, NULL);
 *	if (IS_ERR(cache))
 *		return PTR_ERR(cache);
 *	req = quarry_cache_alloc(cache, GFP_KERNEL);
 *	...
 *	quarry_cache_free(cache, req);
 *	quarry_cache_destroy(cache);
 *
 * Contexts. Allocating and freeing work in process, softirq and hardirq context and
 * under raw spinlocks, also on PREEMPT_RT; what may sleep is decided by the gfp
 * flags alone. The _nolock calls work in NMI as well. Creating, destroying and
 * shrinking caches sleeps.
 *
 * Objects. Nothing of quarry's is in an object, free or not. What a constructor has
 * made stays until the slab goes back to the pool.
 *
 * Symbols are GPL, in the namespace QUARRY. Documentation/slab.md has the theory and
 * a table "if you know kmem_cache".
 */
#ifndef _LINUX_QUARRY_CACHE_H
#define _LINUX_QUARRY_CACHE_H

#include <linux/err.h>
#include <linux/quarry.h>
#include <linux/slab.h>

struct quarry_cache;
struct quarry_magazine;

#include <linux/quarry/cache_fast.h>

/* Flags that quarry_cache_create() knows; they are the kernel's own. */
#define QUARRY_CACHE_FLAGS							\
	(SLAB_HWCACHE_ALIGN | SLAB_PANIC | SLAB_TYPESAFE_BY_RCU |		\
	 SLAB_RECLAIM_ACCOUNT | SLAB_POISON | SLAB_RED_ZONE | SLAB_STORE_USER |	\
	 SLAB_CONSISTENCY_CHECKS)

/* Largest object of a cache, and largest alignment. */
#define QUARRY_CACHE_SIZE_MAX	0x400000U
#define QUARRY_CACHE_ALIGN_MAX	32768U

struct quarry_cache *quarry_cache_create(const char *name, unsigned int size,
					 unsigned int align, slab_flags_t flags,
					 void (*ctor)(void *));
struct quarry_cache *
quarry_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
			     slab_flags_t flags, unsigned int useroffset,
			     unsigned int usersize, void (*ctor)(void *));
struct quarry_cache *quarry_cache_create_in(struct quarry_pool *pool, const char *name,
					    unsigned int size, unsigned int align,
					    slab_flags_t flags, void (*ctor)(void *));
struct quarry_cache *
quarry_cache_create_usercopy_in(struct quarry_pool *pool, const char *name,
				unsigned int size, unsigned int align, slab_flags_t flags,
				unsigned int useroffset, unsigned int usersize,
				void (*ctor)(void *));
int quarry_cache_destroy(struct quarry_cache *cache);
int quarry_cache_shrink(struct quarry_cache *cache);
unsigned int quarry_cache_size(const struct quarry_cache *cache);
const char *quarry_cache_name(const struct quarry_cache *cache);

void *quarry_cache_alloc_node(struct quarry_cache *cache, gfp_t gfp, int node);
int quarry_cache_alloc_bulk(struct quarry_cache *cache, gfp_t gfp, size_t nr, void **p);
void quarry_cache_free_bulk(struct quarry_cache *cache, size_t nr, void **p);
void *quarry_cache_alloc_nolock(struct quarry_cache *cache, gfp_t gfp);
void quarry_cache_free_nolock(struct quarry_cache *cache, void *object);

struct quarry_magazine *quarry_cache_prefill(struct quarry_cache *cache, gfp_t gfp,
					     unsigned int nr);
void *quarry_cache_alloc_prefilled(struct quarry_cache *cache, gfp_t gfp,
				   struct quarry_magazine *magazine);
void quarry_cache_release(struct quarry_cache *cache, struct quarry_magazine *magazine);

/* Objects of any cache and of malloc, by their address. */
void quarry_free(const void *object);
void quarry_free_bulk(size_t nr, void **p);
void quarry_free_rcu_head(struct rcu_head *head);
void quarry_free_mightsleep(const void *object);

/**
 * quarry_free_rcu() - free an object after a grace period
 * @ptr:	of quarry_malloc() or of any cache, or NULL
 * @member:	the struct rcu_head in what @ptr points to
 *
 * Evaluates @ptr once. Context: any but NMI.
 */
#define quarry_free_rcu(ptr, member)						\
do {										\
	typeof(ptr) __quarry_ptr = (ptr);					\
										\
	if (__quarry_ptr)							\
		quarry_free_rcu_head((void *)__quarry_ptr +			\
				     offsetof(typeof(*__quarry_ptr), member));	\
} while (0)

/**
 * quarry_free_rcu_mightsleep() - free an object that has no room for a head
 * @ptr:	of quarry_malloc() or of any cache, or NULL
 *
 * Context: waits for a grace period.
 */
#define quarry_free_rcu_mightsleep(ptr)	quarry_free_mightsleep(ptr)

/* Safety modes of a cache: see quarry_cache_set_modes(). */
int quarry_cache_set_modes(struct quarry_cache *cache, unsigned int modes);
unsigned int quarry_cache_modes(const struct quarry_cache *cache);

/* Fault injection: see quarry_cache_inject(). */
int quarry_cache_inject(struct quarry_cache *cache, u64 nth, u32 per_million);

/* Usercopy: may @n bytes at @ptr be copied from or to user space? */
int quarry_usercopy_check(const void *ptr, size_t n);
unsigned long quarry_copy_to_user(void __user *to, const void *from, unsigned long n);
unsigned long quarry_copy_from_user(void *to, const void __user *from, unsigned long n);

void quarry_cache_snapshot(struct quarry_cache *cache, struct quarry_cache_stats *stats);

/**
 * quarry_cache_alloc() - take an object
 * @cache:	the cache
 * @gfp:	as for kmem_cache_alloc()
 *
 * Context: any but NMI. Sleeps only if @gfp allows it.
 *
 * Return: an object as its last owner or the constructor left it (after a constructor
 * has been given: as that left it at the latest); NULL if there is no memory.
 */
static __always_inline void *quarry_cache_alloc(struct quarry_cache *cache, gfp_t gfp)
{
	void *object;

	quarry_might_alloc(gfp);
	if (gfp & __GFP_ZERO)
		return quarry_cache_alloc_zero(cache, gfp);
	if (likely(!(gfp & QUARRY_GFP_OBJECT_SLOW))) {
		object = quarry_object_pop(cache);
		if (likely(object)) {
			if (want_init_on_alloc(0))
				quarry_object_wipe(cache, object);
			return object;
		}
	}
	return quarry_cache_alloc_slow(cache, gfp, NUMA_NO_NODE);
}

/**
 * quarry_cache_zalloc() - take an object of zeros
 * @cache:	a cache without a constructor
 * @gfp:	as for kmem_cache_alloc()
 *
 * Context: as quarry_cache_alloc().
 */
static __always_inline void *quarry_cache_zalloc(struct quarry_cache *cache, gfp_t gfp)
{
	return quarry_cache_alloc(cache, gfp | __GFP_ZERO);
}

/**
 * quarry_cache_free() - give an object back
 * @cache:	the cache it came from. NULL is a mistake that nobody asks for, as with
 *		kmem_cache_free(): an oops, with the object still out and nothing changed. Who
 *		does not know the cache calls quarry_free()
 * @object:	the object; NULL does nothing, whatever @cache is
 *
 * What is not an object of @cache is refused, counted and reported: at once, but for a
 * second free that is not the last one running, which is seen when its magazine is
 * emptied (Documentation/slab.md).
 *
 * Context: any but NMI. Never sleeps, never fails.
 */
static __always_inline void quarry_cache_free(struct quarry_cache *cache, void *object)
{
	if (unlikely(!quarry_object_push(cache, object)))
		quarry_cache_free_slow(cache, object);
}

/*
 * Who has objects of the default pool that a shrinker frees says so, and is asked for them when
 * that pool is full, for of that the kernel knows nothing.
 */
struct file_system_type;
struct shrinker;

int quarry_guest_add_shrinker(struct shrinker *s);
int quarry_guest_add_filesystem(struct file_system_type *type);
void quarry_guest_remove(void *what);

#endif /* _LINUX_QUARRY_CACHE_H */
