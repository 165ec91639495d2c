/* SPDX-License-Identifier: GPL-2.0 */
/*
 * quarry_redirect_slab: give an unmodified module objects from quarry.
 *
 * Compile the module with "-include linux/quarry_redirect_slab.h". Its calls of
 * kmem_cache_*(), kmalloc() and relatives then go to quarry: caches to the default
 * pool, or -DQUARRY_REDIRECT_POOL=expression, and malloc to the default one. So
 * "struct kmem_cache" is quarry's in that module, and nothing else is.
 * Documentation/redirect.md says by call what becomes of it.
 *
 * As linux/quarry_redirect.h does for pages: the core headers come first, and memory
 * that the core has allocated for the module is freed by the core. With both, the pages'
 * header comes first.
 *
 * Names are replaced, not calls: so kfree that is passed as a function is ours too, and so
 * is what headers that are included later do with these names. Headers by which a cache is
 * handed to the core are included here, before the type has its new name: to hand ours over
 * is then a compile error (incompatible pointer types), not a crash.
 *
 * A module that defines pr_fmt needs -DQUARRY_REDIRECT_PR_FMT too: it comes too late to
 * be the first to do so.
 *
 * Not for modules whose objects the core frees for them, by a kfree() of its own: no memory
 * is lost to the kernel by that, but the object is out for good (module/cache/strays.c).
 */
#ifndef _LINUX_QUARRY_REDIRECT_SLAB_H
#define _LINUX_QUARRY_REDIRECT_SLAB_H

#include <linux/bio.h>
#include <linux/ctype.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/lru_cache.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <net/dst_ops.h>

#include <linux/quarry_malloc.h>

#ifndef QUARRY_REDIRECT_POOL
#define QUARRY_REDIRECT_POOL	quarry_pool_default()
#endif

#ifndef _LINUX_QUARRY_REDIRECT_H
/* What MODULE_IMPORT_NS() makes, whose argument became a string in 6.13. */
MODULE_INFO(import_ns, "QUARRY");
#endif

/* --- caches --------------------------------------------------------------- */

/* The kernel takes any name: what ours must not have becomes "_". */
static inline void quarry_redirect_name(char *to, const char *name, unsigned int copy)
{
	unsigned int i;

	for (i = 0; name[i] && i < QUARRY_NAME_MAX - 5; i++)
		to[i] = isalnum(name[i]) || strchr("_.-", name[i]) ? name[i] : '_';
	to[i] = '\0';
	if (copy)
		snprintf(to + i, QUARRY_NAME_MAX - i, "-%u", copy);
}

/*
 * As the kernel's: NULL, not an error, and a name may be in use. Flags that quarry has no use
 * for are left out, but memory for DMA it has not.
 */
static inline struct quarry_cache *
quarry_redirect_create_usercopy(const char *name, unsigned int size, unsigned int align,
				slab_flags_t flags, unsigned int useroffset,
				unsigned int usersize, void (*ctor)(void *))
{
	struct quarry_cache *cache = ERR_PTR(-EEXIST);
	char ours[QUARRY_NAME_MAX];
	unsigned int i;

	if (flags & (SLAB_CACHE_DMA | SLAB_CACHE_DMA32)) {
		pr_err("quarry: cache %s: no memory for DMA is to be had in a cache\n", name);
		return NULL;
	}
	for (i = 0; cache == ERR_PTR(-EEXIST) && i < 1000; i++) {
		quarry_redirect_name(ours, name, i);
		/* Whether the name is in use is no reason to panic. */
		cache = quarry_cache_create_usercopy_in(QUARRY_REDIRECT_POOL, ours, size, align,
							flags & QUARRY_CACHE_FLAGS & ~SLAB_PANIC,
							useroffset, usersize, ctor);
	}
	if (IS_ERR(cache) && flags & SLAB_PANIC)
		panic("quarry: cache %s cannot be made, and SLAB_PANIC was asked for: error %ld\n",
		      name, PTR_ERR(cache));
	return IS_ERR(cache) ? NULL : cache;
}

static inline struct quarry_cache *
quarry_redirect_create(const char *name, unsigned int size, unsigned int align,
		       slab_flags_t flags, void (*ctor)(void *))
{
	return quarry_redirect_create_usercopy(name, size, align, flags, 0, 0, ctor);
}

/* Since 6.12 kmem_cache_create() is a macro that takes a struct in place of an alignment. */
#ifdef kmem_cache_create
static inline struct quarry_cache *
quarry_redirect_create_args(const char *name, unsigned int size,
			    const struct kmem_cache_args *args, slab_flags_t flags)
{
	static const struct kmem_cache_args none;

	if (!args)
		args = &none;
	/* Nothing of quarry's is in an object: where the kernel may put its own is no matter. */
	return quarry_redirect_create_usercopy(name, size, args->align, flags, args->useroffset,
					       args->usersize, args->ctor);
}

#undef kmem_cache_create
#define quarry_redirect_create_4	quarry_redirect_create_args
#define quarry_redirect_create_5	quarry_redirect_create
#define kmem_cache_create(...) \
	CONCATENATE(quarry_redirect_create_, COUNT_ARGS(__VA_ARGS__))(__VA_ARGS__)
#else
#define kmem_cache_create		quarry_redirect_create
#endif

static inline void quarry_redirect_destroy(struct quarry_cache *cache)
{
	quarry_cache_destroy(cache);
}

/*
 * Ours have no memory cgroups to make a list for. What is on such a list stays until somebody
 * writes it back, and what he needs for that is not for more of the same.
 */
static inline void *quarry_redirect_alloc_lru(struct quarry_cache *cache, struct list_lru *lru,
					      gfp_t gfp)
{
	return quarry_cache_alloc(cache, gfp | __GFP_NOMEMALLOC);
}

static inline void *quarry_redirect_alloc_inode(struct super_block *sb,
						struct quarry_cache *cache, gfp_t gfp)
{
	return quarry_redirect_alloc_lru(cache, NULL, gfp);
}

/*
 * What is freed by shrinkers has to be when the pool is full, too. Where there is no memory to note
 * them only the kernel calls them.
 */
static inline int quarry_redirect_register_filesystem(struct file_system_type *type)
{
	int err = register_filesystem(type);

	if (!err)
		quarry_guest_add_filesystem(type);
	return err;
}

static inline int quarry_redirect_unregister_filesystem(struct file_system_type *type)
{
	quarry_guest_remove(type);
	return unregister_filesystem(type);
}

#ifdef SHRINKER_ALLOCATED
static inline void quarry_redirect_shrinker_register(struct shrinker *s)
{
	shrinker_register(s);
	quarry_guest_add_shrinker(s);
}

static inline void quarry_redirect_shrinker_free(struct shrinker *s)
{
	quarry_guest_remove(s);
	shrinker_free(s);
}
#else
static inline int quarry_redirect_shrinker_added(struct shrinker *s, int err)
{
	if (!err)
		quarry_guest_add_shrinker(s);
	return err;
}

static inline void quarry_redirect_unregister_shrinker(struct shrinker *s)
{
	quarry_guest_remove(s);
	unregister_shrinker(s);
}
#endif

static inline bool quarry_redirect_charge(void *object, gfp_t gfp)
{
	return true;
}

static inline void *quarry_redirect_mempool_alloc(gfp_t gfp, void *cache)
{
	return quarry_cache_alloc(cache, gfp);
}

static inline void quarry_redirect_mempool_free(void *object, void *cache)
{
	quarry_cache_free(cache, object);
}

static inline mempool_t *quarry_redirect_mempool_create(int nr, struct quarry_cache *cache)
{
	return mempool_create(nr, quarry_redirect_mempool_alloc, quarry_redirect_mempool_free,
			      cache);
}

static inline int quarry_redirect_mempool_init(mempool_t *pool, int nr,
					       struct quarry_cache *cache)
{
	return mempool_init(pool, nr, quarry_redirect_mempool_alloc, quarry_redirect_mempool_free,
			    cache);
}

/* --- malloc --------------------------------------------------------------- */

/*
 * With FORTIFY_SOURCE a call that the compiler knows the size of, as the kernel's; else the
 * one that is inline.
 */
static __always_inline __alloc_size(1) void *quarry_redirect_malloc(size_t size, gfp_t gfp)
{
	return IS_ENABLED(CONFIG_FORTIFY_SOURCE) ? __quarry_malloc(size, gfp) :
						   quarry_malloc(size, gfp);
}

static __always_inline __alloc_size(1) void *quarry_redirect_zalloc(size_t size, gfp_t gfp)
{
	return quarry_redirect_malloc(size, gfp | __GFP_ZERO);
}

static __always_inline __alloc_size(1) void *
quarry_redirect_zalloc_node(size_t size, gfp_t gfp, int node)
{
	return quarry_malloc_node(size, gfp | __GFP_ZERO, node);
}

static __always_inline __alloc_size(1, 2) void *
quarry_redirect_malloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return check_mul_overflow(n, size, &bytes) ? NULL : quarry_redirect_malloc(bytes, gfp);
}

static __always_inline __alloc_size(1, 2) void *
quarry_redirect_calloc(size_t n, size_t size, gfp_t gfp)
{
	return quarry_redirect_malloc_array(n, size, gfp | __GFP_ZERO);
}

static __always_inline __alloc_size(1, 2) void *
quarry_redirect_malloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
	size_t bytes;

	return check_mul_overflow(n, size, &bytes) ? NULL : quarry_malloc_node(bytes, gfp, node);
}

static __always_inline __alloc_size(1, 2) void *
quarry_redirect_calloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
	return quarry_redirect_malloc_array_node(n, size, gfp | __GFP_ZERO, node);
}

static __always_inline __alloc_size(1) void *
quarry_redirect_kvzalloc_node(size_t size, gfp_t gfp, int node)
{
	return quarry_kvmalloc_node(size, gfp | __GFP_ZERO, node);
}

static __always_inline __alloc_size(1, 2) void *
quarry_redirect_kvmalloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
	size_t bytes;

	return check_mul_overflow(n, size, &bytes) ? NULL : quarry_kvmalloc_node(bytes, gfp, node);
}

static __always_inline __alloc_size(1, 2) void *
quarry_redirect_kvcalloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
	return quarry_redirect_kvmalloc_array_node(n, size, gfp | __GFP_ZERO, node);
}

/* What is not ours is the kernel's, always: so is what no allocator has, which it tells. */
static inline void quarry_redirect_free(const void *object)
{
	if (quarry_owns(object))
		quarry_free(object);
	else
		kfree(object);
}

static inline void quarry_redirect_free_sensitive(const void *object)
{
	if (quarry_owns(object))
		quarry_free_sensitive(object);
	else
		kfree_sensitive(object);
}

static inline void quarry_redirect_free_const(const void *object)
{
	if (quarry_owns(object))
		quarry_free(object);
	else
		kfree_const(object);
}

static inline void quarry_redirect_free_bulk(size_t nr, void **p)
{
	size_t i;

	for (i = 0; i < nr; i++)
		quarry_redirect_free(p[i]);
}

/* The kernel looks whether there is a cache, and refuses: so must we. */
static inline void quarry_redirect_cache_free(struct quarry_cache *cache, void *object)
{
	if (unlikely(!cache))
		quarry_cache_free_slow(NULL, object);
	else
		quarry_cache_free(cache, object);
}

/* Without a cache it is the kernel's kfree_bulk(). */
static inline void quarry_redirect_cache_free_bulk(struct quarry_cache *cache, size_t nr,
						   void **p)
{
	if (cache)
		quarry_cache_free_bulk(cache, nr, p);
	else
		quarry_redirect_free_bulk(nr, p);
}

/* The kernel's kfree_link(), which the core calls when it has followed a symbolic link. */
static inline void quarry_redirect_free_link(void *object)
{
	quarry_redirect_free(object);
}

static inline bool quarry_redirect_owns(const void *object)
{
	return quarry_owns(object) || quarry_owns_mapped(object);
}

static inline void quarry_redirect_kvfree(const void *object)
{
	if (quarry_redirect_owns(object))
		quarry_kvfree(object);
	else
		kvfree(object);
}

static inline void quarry_redirect_kvfree_sensitive(const void *object, size_t len)
{
	if (quarry_redirect_owns(object))
		quarry_kvfree_sensitive(object, len);
	else
		kvfree_sensitive(object, len);
}

/* __free(kfree) and __free(kvfree), which paste their argument before it is replaced. */
static inline void quarry_redirect_cleanup_free(void *at)
{
	void *object = *(void **)at;

	if (!IS_ERR_OR_NULL(object))
		quarry_redirect_free(object);
}

static inline void quarry_redirect_cleanup_free_sensitive(void *at)
{
	void *object = *(void **)at;

	if (!IS_ERR_OR_NULL(object))
		quarry_redirect_free_sensitive(object);
}

static inline void quarry_redirect_cleanup_kvfree(void *at)
{
	void *object = *(void **)at;

	if (!IS_ERR_OR_NULL(object))
		quarry_redirect_kvfree(object);
}

#define quarry_redirect_free_rcu_2(ptr, member)					\
do {										\
	typeof(ptr) __redirect_ptr = (ptr);					\
										\
	if (quarry_redirect_owns(__redirect_ptr))				\
		quarry_kvfree_rcu(__redirect_ptr, member);			\
	else									\
		kvfree_rcu_arg_2(__redirect_ptr, member);			\
} while (0)

static inline void quarry_redirect_free_mightsleep(const void *object)
{
	void *foreign = (void *)object;

	if (quarry_redirect_owns(object)) {
		synchronize_rcu();
		quarry_kvfree(object);
	} else {
		kvfree_rcu_arg_1(foreign);
	}
}

#define quarry_redirect_free_rcu_1(ptr)	quarry_redirect_free_mightsleep(ptr)
#define quarry_redirect_free_rcu(...) \
	CONCATENATE(quarry_redirect_free_rcu_, COUNT_ARGS(__VA_ARGS__))(__VA_ARGS__)

static inline size_t quarry_redirect_ksize(const void *object)
{
	return quarry_owns(object) ? quarry_usable_size(object) : ksize(object);
}

static inline __realloc_size(2) void *
quarry_redirect_realloc(const void *object, size_t size, gfp_t gfp)
{
	return ZERO_OR_NULL_PTR(object) || quarry_owns(object) ?
		       quarry_realloc(object, size, gfp) : krealloc(object, size, gfp);
}

static inline __realloc_size(2, 3) void *
quarry_redirect_realloc_array(void *object, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return check_mul_overflow(n, size, &bytes) ? NULL :
						     quarry_redirect_realloc(object, bytes, gfp);
}

/* Until 6.11 it is told how large the memory is, which for ours is known. */
static inline __realloc_size(3) void *
quarry_redirect_kvrealloc_4(const void *object, size_t old, size_t size, gfp_t gfp)
{
	void *new;

	if (ZERO_OR_NULL_PTR(object) || quarry_redirect_owns(object))
		return quarry_kvrealloc(object, size, gfp);
	if (old >= size)
		return (void *)object;
	new = quarry_kvmalloc(size, gfp);
	if (new) {
		memcpy(new, object, old);
		quarry_redirect_kvfree(object);
	}
	return new;
}

#ifdef kvrealloc
static inline __realloc_size(2) void *
quarry_redirect_kvrealloc_3(const void *object, size_t size, gfp_t gfp)
{
	if (ZERO_OR_NULL_PTR(object) || quarry_redirect_owns(object))
		return quarry_kvrealloc(object, size, gfp);
	return kvrealloc(object, size, gfp);
}
#endif

/* --- user space ----------------------------------------------------------- */

/*
 * The kernel's check of an object's bounds knows its own objects alone; it too is for lengths
 * that are not constant.
 */
static __always_inline __must_check unsigned long
quarry_redirect_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	if (!__builtin_constant_p(n) && quarry_usercopy_check(from, n))
		return n;
	return copy_to_user(to, from, n);
}

static __always_inline __must_check unsigned long
quarry_redirect_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	if (!__builtin_constant_p(n) && quarry_usercopy_check(to, n))
		return n;
	return copy_from_user(to, from, n);
}

/* --- the names ------------------------------------------------------------ */

/* Functions in one kernel, macros in the next: forget either. */
#undef kmem_cache_create_usercopy
#undef kmem_cache_destroy
#undef kmem_cache_shrink
#undef kmem_cache_size
#undef kmem_cache_alloc
#undef kmem_cache_alloc_lru
#undef kmem_cache_zalloc
#undef kmem_cache_alloc_node
#undef kmem_cache_free
#undef kmem_cache_alloc_bulk
#undef kmem_cache_free_bulk
#undef kmem_cache_charge
#undef KMEM_CACHE
#undef KMEM_CACHE_USERCOPY
#undef alloc_inode_sb
#undef mempool_create_slab_pool
#undef mempool_init_slab_pool
#undef mempool_alloc_slab
#undef mempool_free_slab
#undef kmalloc
#undef kmalloc_node
#undef kmalloc_track_caller
#undef kmalloc_node_track_caller
#undef kzalloc
#undef kzalloc_node
#undef kcalloc
#undef kcalloc_node
#undef kmalloc_array
#undef kmalloc_array_node
#undef krealloc
#undef krealloc_array
#undef kfree
#undef kfree_sensitive
#undef kfree_const
#undef kfree_bulk
#undef kfree_link
#undef kfree_rcu
#undef kvfree_rcu
#undef kfree_rcu_mightsleep
#undef kvfree_rcu_mightsleep
#undef ksize
#undef kmalloc_size_roundup
#undef kmemdup
#undef kmemdup_nul
#undef kstrdup
#undef kstrndup
#undef kasprintf
#undef kvasprintf
#undef kvmalloc
#undef kvmalloc_node
#undef kvzalloc
#undef kvzalloc_node
#undef kvmalloc_array
#undef kvmalloc_array_node
#undef kvcalloc
#undef kvcalloc_node
#undef kvrealloc
#undef kvfree
#undef kvfree_sensitive
#undef copy_to_user
#undef copy_from_user

#define kmem_cache			quarry_cache
#define kmem_cache_create_usercopy	quarry_redirect_create_usercopy
#define KMEM_CACHE(type, flags) \
	quarry_redirect_create(#type, sizeof(struct type), __alignof__(struct type), \
			       flags, NULL)
#define KMEM_CACHE_USERCOPY(type, flags, field) \
	quarry_redirect_create_usercopy(#type, sizeof(struct type), \
					__alignof__(struct type), flags, \
					offsetof(struct type, field), \
					sizeof_field(struct type, field), NULL)
#define kmem_cache_destroy		quarry_redirect_destroy
#define kmem_cache_shrink		quarry_cache_shrink
#define kmem_cache_size			quarry_cache_size
#define kmem_cache_alloc		quarry_cache_alloc
#define kmem_cache_alloc_lru		quarry_redirect_alloc_lru
#define kmem_cache_zalloc		quarry_cache_zalloc
#define kmem_cache_alloc_node		quarry_cache_alloc_node
#define kmem_cache_free			quarry_redirect_cache_free
#define kmem_cache_alloc_bulk		quarry_cache_alloc_bulk
#define kmem_cache_free_bulk		quarry_redirect_cache_free_bulk
#define kmem_cache_charge		quarry_redirect_charge
#define register_filesystem		quarry_redirect_register_filesystem
#define unregister_filesystem		quarry_redirect_unregister_filesystem
#ifdef SHRINKER_ALLOCATED
#define shrinker_register		quarry_redirect_shrinker_register
#define shrinker_free			quarry_redirect_shrinker_free
#else
/* The name of the shrinker is a format with arguments. */
#define register_shrinker(s, ...)						\
({										\
	struct shrinker *__s = (s);						\
										\
	quarry_redirect_shrinker_added(__s, register_shrinker(__s, __VA_ARGS__));	\
})
#define unregister_shrinker		quarry_redirect_unregister_shrinker
#endif
#define alloc_inode_sb			quarry_redirect_alloc_inode
#define mempool_create_slab_pool	quarry_redirect_mempool_create
#define mempool_init_slab_pool		quarry_redirect_mempool_init
#define mempool_alloc_slab		quarry_redirect_mempool_alloc
#define mempool_free_slab		quarry_redirect_mempool_free

#define kmalloc				quarry_redirect_malloc
#define kmalloc_node			quarry_malloc_node
#define kmalloc_track_caller		quarry_redirect_malloc
#define kmalloc_node_track_caller	quarry_malloc_node
#define kzalloc				quarry_redirect_zalloc
#define kzalloc_node			quarry_redirect_zalloc_node
#define kcalloc				quarry_redirect_calloc
#define kcalloc_node			quarry_redirect_calloc_node
#define kmalloc_array			quarry_redirect_malloc_array
#define kmalloc_array_node		quarry_redirect_malloc_array_node
#define krealloc			quarry_redirect_realloc
#define krealloc_array			quarry_redirect_realloc_array
#define kfree				quarry_redirect_free
#define kfree_sensitive			quarry_redirect_free_sensitive
#define kfree_const			quarry_redirect_free_const
#define kfree_bulk			quarry_redirect_free_bulk
#define kfree_link			quarry_redirect_free_link
#define kfree_rcu			quarry_redirect_free_rcu
#define kvfree_rcu			quarry_redirect_free_rcu
#define kfree_rcu_mightsleep		quarry_redirect_free_mightsleep
#define kvfree_rcu_mightsleep		quarry_redirect_free_mightsleep
#define __free_kfree			quarry_redirect_cleanup_free
#define __free_kfree_sensitive		quarry_redirect_cleanup_free_sensitive
#define __free_kvfree			quarry_redirect_cleanup_kvfree
#define ksize				quarry_redirect_ksize
#define kmalloc_size_roundup		quarry_size_roundup
#define kmemdup				quarry_memdup
#define kmemdup_nul			quarry_memdup_nul
#define kstrdup				quarry_strdup
#define kstrndup			quarry_strndup
#define kasprintf			quarry_asprintf
#define kvasprintf			quarry_vasprintf
#define kvmalloc			quarry_kvmalloc
#define kvmalloc_node			quarry_kvmalloc_node
#define kvzalloc			quarry_kvzalloc
#define kvzalloc_node			quarry_redirect_kvzalloc_node
#define kvmalloc_array			quarry_kvmalloc_array
#define kvmalloc_array_node		quarry_redirect_kvmalloc_array_node
#define kvcalloc			quarry_kvcalloc
#define kvcalloc_node			quarry_redirect_kvcalloc_node
#define kvrealloc(...) \
	CONCATENATE(quarry_redirect_kvrealloc_, COUNT_ARGS(__VA_ARGS__))(__VA_ARGS__)
#define kvfree				quarry_redirect_kvfree
#define kvfree_sensitive		quarry_redirect_kvfree_sensitive

#define copy_to_user			quarry_redirect_copy_to_user
#define copy_from_user			quarry_redirect_copy_from_user

/* What cannot be: the core would free our memory by kfree(). */
#define slab_build_skb			quarry_cannot_redirect_slab_build_skb

#ifdef QUARRY_REDIRECT_PR_FMT
#undef pr_fmt
#endif

#endif /* _LINUX_QUARRY_REDIRECT_SLAB_H */
