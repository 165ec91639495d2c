/* SPDX-License-Identifier: GPL-2.0 */
/*
 * quarry: caches of objects, and malloc, over the pools of <linux/quarry.h>.
 *
 * The calls are kmem_cache's and kmalloc's with quarry_ in front: the same order of
 * arguments, the same meaning. What differs: creating returns an error pointer that
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
#include <linux/overflow.h>
#include <linux/quarry.h>
#include <linux/slab.h>
#include <linux/string.h>

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

struct quarry_magazine *quarry_cache_reserve(struct quarry_cache *cache, gfp_t gfp,
					     unsigned int nr);
void *quarry_cache_alloc_reserved(struct quarry_cache *cache, gfp_t gfp,
				  struct quarry_magazine *magazine);
void quarry_cache_release(struct quarry_cache *cache, struct quarry_magazine *magazine);

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

/* quarry_free_rcu() of what quarry_kvmalloc() gave; @member begins in its first page. */
#define quarry_kvfree_rcu(ptr, member)						\
do {										\
	typeof(ptr) __quarry_ptr = (ptr);					\
										\
	BUILD_BUG_ON(offsetof(typeof(*__quarry_ptr), member) >= 4096);		\
	if (__quarry_ptr)							\
		quarry_kvfree_rcu_head((void *)__quarry_ptr +			\
				       offsetof(typeof(*__quarry_ptr), member)); \
} while (0)

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
 * The malloc family: like kmalloc() and its relatives. The compiler is told of sizes, so that
 * FORTIFY_SOURCE knows them; but of an inline call it forgets them, so quarry_malloc() with a
 * constant size has none for it, and __quarry_malloc() has.
 */
void *__quarry_malloc(size_t size, gfp_t gfp) __alloc_size(1);
void *quarry_malloc_node(size_t size, gfp_t gfp, int node) __alloc_size(1);
void *quarry_realloc(const void *object, size_t size, gfp_t gfp) __realloc_size(2);
void quarry_free(const void *object);
void quarry_free_sensitive(const void *object);
void quarry_free_bulk(size_t nr, void **p);
size_t quarry_usable_size(const void *object);
size_t quarry_size_roundup(size_t size);
void *quarry_memdup(const void *src, size_t len, gfp_t gfp) __alloc_size(2);
char *quarry_memdup_nul(const char *s, size_t len, gfp_t gfp) __malloc;
char *quarry_strdup(const char *s, gfp_t gfp) __malloc;
char *quarry_strndup(const char *s, size_t max, gfp_t gfp) __malloc;
__printf(2, 3) char *quarry_asprintf(gfp_t gfp, const char *fmt, ...);
__printf(2, 0) char *quarry_vasprintf(gfp_t gfp, const char *fmt, va_list args);

void *quarry_kvmalloc_node(size_t size, gfp_t gfp, int node) __alloc_size(1);
void *quarry_kvrealloc(const void *object, size_t size, gfp_t gfp) __realloc_size(2);
bool quarry_owns_mapped(const void *object);
void quarry_kvfree_rcu_head(struct rcu_head *head);
void quarry_kvfree(const void *object);
void quarry_kvfree_sensitive(const void *object, size_t len);

/* An object of the class of @size, which is 1 to QUARRY_CLASS_MAX. */
static __always_inline void *quarry_class_alloc(size_t size, gfp_t gfp)
{
	void *object = quarry_cache_alloc(quarry_classes[quarry_class(size)], gfp);

#ifdef CONFIG_KASAN_GENERIC
	if (object)
		quarry_shadow_narrow(object, size, quarry_class_size(quarry_class(size)));
#endif
	return object;
}

/**
 * quarry_malloc() - allocate memory
 * @size:	bytes, 1 up to the largest block of a pool; 0 gives ZERO_SIZE_PTR
 * @gfp:	as for kmalloc()
 *
 * The memory is physically contiguous and aligned to 8 bytes, and to the largest power of two
 * that divides @size.
 *
 * Context: any but NMI. Return: the memory, to be freed with quarry_free(); or NULL.
 */
static __always_inline __alloc_size(1) void *quarry_malloc(size_t size, gfp_t gfp)
{
	if (__builtin_constant_p(size) && size && size <= QUARRY_CLASS_MAX)
		return quarry_class_alloc(size, gfp);
	return __quarry_malloc(size, gfp);
}

/* quarry_malloc() of zeros. */
static __always_inline __alloc_size(1) void *quarry_zalloc(size_t size, gfp_t gfp)
{
	return quarry_malloc(size, gfp | __GFP_ZERO);
}

/* quarry_malloc() of @n times @size bytes; NULL if that is more than a size_t holds. */
static __always_inline void *quarry_malloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return quarry_malloc(bytes, gfp);
}

/* quarry_malloc_array() of zeros. */
static __always_inline void *quarry_calloc(size_t n, size_t size, gfp_t gfp)
{
	return quarry_malloc_array(n, size, gfp | __GFP_ZERO);
}

/* quarry_realloc() to @n times @size bytes; NULL, and nothing done, on overflow. */
static __always_inline void *quarry_realloc_array(void *object, size_t n, size_t size,
						  gfp_t gfp)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return quarry_realloc(object, bytes, gfp);
}

/* quarry_malloc() that turns to mapped pages for what no block holds. May sleep. */
static inline void *quarry_kvmalloc(size_t size, gfp_t gfp)
{
	return quarry_kvmalloc_node(size, gfp, NUMA_NO_NODE);
}

static inline void *quarry_kvzalloc(size_t size, gfp_t gfp)
{
	return quarry_kvmalloc(size, gfp | __GFP_ZERO);
}

static inline void *quarry_kvmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return quarry_kvmalloc(bytes, gfp);
}

static inline void *quarry_kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	return quarry_kvmalloc_array(n, size, gfp | __GFP_ZERO);
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
