/* SPDX-License-Identifier: GPL-2.0 */
/*
 * quarry_redirect_slab: give an unmodified module objects from quarry.
 *
 * Compile the module with "-include linux/quarry_redirect_slab.h". Its calls of
 * kmem_cache_*(), kmalloc() and relatives then go to quarry: caches to the default
 * pool, or -DQUARRY_REDIRECT_POOL=expression, and malloc to the default one. So
 * "struct kmem_cache" is quarry's in that module, and nothing else is.
 *
 * As linux/quarry_redirect.h does for pages: the core headers come first, and memory
 * that the core has allocated for the module is freed by the core. With both, the pages'
 * header comes first.
 *
 * A module that defines pr_fmt needs -DQUARRY_REDIRECT_PR_FMT too: it comes too late to
 * be the first to do so.
 *
 * Not for modules whose objects the core frees for them: a kfree() of quarry's memory is
 * refused by the kernel with a warning. Nor for those that hand a cache to the core, or
 * kvfree() what the core has mapped: that is refused and counted as foreign.
 */
#ifndef _LINUX_QUARRY_REDIRECT_SLAB_H
#define _LINUX_QUARRY_REDIRECT_SLAB_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <linux/quarry_cache.h>

#ifndef QUARRY_REDIRECT_POOL
#define QUARRY_REDIRECT_POOL	quarry_pool_default()
#endif

#ifndef _LINUX_QUARRY_REDIRECT_H
/* What MODULE_IMPORT_NS() makes, whose argument became a string in 6.13. */
MODULE_INFO(import_ns, "QUARRY");
#endif

/* As the kernel's: NULL, not an error. Flags that quarry has no use for are left out. */
static inline struct quarry_cache *
quarry_redirect_create(const char *name, unsigned int size, unsigned int align,
		       slab_flags_t flags, void (*ctor)(void *))
{
	struct quarry_cache *cache;

	cache = quarry_cache_create_in(QUARRY_REDIRECT_POOL, name, size, align,
				       flags & QUARRY_CACHE_FLAGS, ctor);
	return IS_ERR(cache) ? NULL : cache;
}

static inline void quarry_redirect_destroy(struct quarry_cache *cache)
{
	quarry_cache_destroy(cache);
}

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

/* Mapped memory of quarry's is not in the linear map: it says itself what is its own. */
static inline void quarry_redirect_kvfree(const void *object)
{
	if (quarry_owns(object) || is_vmalloc_addr(object))
		quarry_kvfree(object);
	else
		kfree(object);
}

static inline size_t quarry_redirect_ksize(const void *object)
{
	return quarry_owns(object) ? quarry_usable_size(object) : ksize(object);
}

static inline void *quarry_redirect_realloc(const void *object, size_t size, gfp_t gfp)
{
	return !object || quarry_owns(object) ? quarry_realloc(object, size, gfp) :
						krealloc(object, size, gfp);
}

/* Functions in one kernel, macros in the next: forget either. */
#undef kmem_cache_create
#undef kmem_cache_create_usercopy
#undef kmem_cache_destroy
#undef kmem_cache_shrink
#undef kmem_cache_size
#undef kmem_cache_alloc
#undef kmem_cache_zalloc
#undef kmem_cache_alloc_node
#undef kmem_cache_free
#undef kmem_cache_alloc_bulk
#undef kmem_cache_free_bulk
#undef KMEM_CACHE
#undef kmalloc
#undef kmalloc_node
#undef kzalloc
#undef kzalloc_node
#undef kcalloc
#undef kmalloc_array
#undef krealloc
#undef kfree
#undef kfree_sensitive
#undef ksize
#undef kmemdup
#undef kstrdup
#undef kstrndup
#undef kasprintf
#undef kvmalloc
#undef kvzalloc
#undef kvmalloc_array
#undef kvcalloc
#undef kvfree

#define kmem_cache			quarry_cache
#define kmem_cache_create(name, size, align, flags, ctor) \
	quarry_redirect_create(name, size, align, flags, ctor)
#define KMEM_CACHE(type, flags) \
	quarry_redirect_create(#type, sizeof(struct type), __alignof__(struct type), \
			       flags, NULL)
#define kmem_cache_destroy(cache)	quarry_redirect_destroy(cache)
#define kmem_cache_shrink(cache)	quarry_cache_shrink(cache)
#define kmem_cache_size(cache)		quarry_cache_size(cache)
#define kmem_cache_alloc(cache, gfp)	quarry_cache_alloc(cache, gfp)
#define kmem_cache_zalloc(cache, gfp)	quarry_cache_zalloc(cache, gfp)
#define kmem_cache_alloc_node(cache, gfp, node) \
	quarry_cache_alloc_node(cache, gfp, node)
#define kmem_cache_free(cache, object)	quarry_cache_free(cache, object)
#define kmem_cache_alloc_bulk(cache, gfp, nr, p) \
	quarry_cache_alloc_bulk(cache, gfp, nr, p)
#define kmem_cache_free_bulk(cache, nr, p) \
	quarry_cache_free_bulk(cache, nr, p)

#define kmalloc(size, gfp)		quarry_malloc(size, gfp)
#define kmalloc_node(size, gfp, node)	quarry_malloc_node(size, gfp, node)
#define kzalloc(size, gfp)		quarry_zalloc(size, gfp)
#define kzalloc_node(size, gfp, node) \
	quarry_malloc_node(size, (gfp) | __GFP_ZERO, node)
#define kcalloc(n, size, gfp)		quarry_calloc(n, size, gfp)
#define kmalloc_array(n, size, gfp)	quarry_malloc_array(n, size, gfp)
#define krealloc(p, size, gfp)		quarry_redirect_realloc(p, size, gfp)
#define kfree(p)			quarry_redirect_free(p)
#define kfree_sensitive(p)		quarry_redirect_free_sensitive(p)
#define ksize(p)			quarry_redirect_ksize(p)
#define kmemdup(src, len, gfp)		quarry_memdup(src, len, gfp)
#define kstrdup(s, gfp)			quarry_strdup(s, gfp)
#define kstrndup(s, max, gfp)		quarry_strndup(s, max, gfp)
#define kasprintf(gfp, ...)		quarry_asprintf(gfp, __VA_ARGS__)
#define kvmalloc(size, gfp)		quarry_kvmalloc(size, gfp)
#define kvzalloc(size, gfp)		quarry_kvzalloc(size, gfp)
#define kvmalloc_array(n, size, gfp)	quarry_kvmalloc_array(n, size, gfp)
#define kvcalloc(n, size, gfp)		quarry_kvcalloc(n, size, gfp)
#define kvfree(p)			quarry_redirect_kvfree(p)

#ifdef QUARRY_REDIRECT_PR_FMT
#undef pr_fmt
#endif

#endif /* _LINUX_QUARRY_REDIRECT_SLAB_H */
