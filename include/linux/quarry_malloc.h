/* SPDX-License-Identifier: GPL-2.0 */
/*
 * quarry: memory of any size, over the caches of <linux/quarry_cache.h>.
 *
 * The calls are kmalloc's and its relatives' with quarry_ in front: the same order of
 * arguments, the same meaning. A wrong free is refused, counted and reported instead of
 * corrupting anything. All memory is of the default pool.
 *
 *	buf = quarry_malloc(len, GFP_KERNEL);
 *	if (!buf)
 *		return -ENOMEM;
 *	...
 *	quarry_free(buf);
 *
 * quarry_free() and its relatives take objects of caches by their address as well, so they
 * stand in <linux/quarry_cache.h>.
 *
 * Contexts. As caches: any but NMI; what may sleep is decided by the gfp flags alone. The
 * quarry_kv calls may map pages, and then sleep.
 *
 * Symbols are GPL, in the namespace QUARRY. Documentation/slab.md has the theory.
 */
#ifndef _LINUX_QUARRY_MALLOC_H
#define _LINUX_QUARRY_MALLOC_H

#include <linux/overflow.h>
#include <linux/quarry_cache.h>
#include <linux/string.h>

#include <linux/quarry/malloc_fast.h>

/*
 * The malloc family: like kmalloc() and its relatives. The compiler is told of sizes, so that
 * FORTIFY_SOURCE knows them; but of an inline call it forgets them, so quarry_malloc() with a
 * constant size has none for it, and __quarry_malloc() has.
 */
void *__quarry_malloc(size_t size, gfp_t gfp) __alloc_size(1);
void *quarry_malloc_node(size_t size, gfp_t gfp, int node) __alloc_size(1);
void *quarry_realloc(const void *object, size_t size, gfp_t gfp) __realloc_size(2);
void quarry_free_sensitive(const void *object);
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

#endif /* _LINUX_QUARRY_MALLOC_H */
