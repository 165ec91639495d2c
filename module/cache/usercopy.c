// SPDX-License-Identifier: GPL-2.0
/*
 * Usercopy: copies from and to user space stay inside an object.
 *
 * The kernel's hardened usercopy knows its own slabs alone; to it our objects are bytes
 * of plain pages. So the bounds are checked here: of a cache made by
 * quarry_cache_create_usercopy() the bytes that were named may be copied, of any other
 * typed cache none, of malloc's all that the size class has.
 *
 * Contexts: checking, any; copying as copy_to_user().
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "../arena/directory.h"
#include "../base/report.h"
#include "cache.h"

/*
 * The large allocation of malloc that an address lies in: only its first frame has a tag, which
 * is found by the states of the frames. False if there is none. Preemption off.
 */
static bool find_large(const void *ptr, const void **start, u64 *bytes)
{
	unsigned long pfn = quarry_object_pfn(ptr);
	struct quarry_frame f, head;
	struct quarry_page_arena *c;

	c = pfn_valid(pfn) ? quarry_directory_find(pfn_to_page(pfn)) : NULL;
	if (!c)
		return false;
	f.i = c->arena.lo + quarry_page_arena_index(c, pfn_to_page(pfn));
	/* A run is of several pieces. */
	for (;;) {
		if (!quarry_arena_head(&c->arena, f, &head))
			return false;
		if ((READ_ONCE(c->arena.state[head.i]) & QUARRY_STATE_KIND) !=
		    QUARRY_STATE_RUN_MORE || head.i == c->arena.lo)
			break;
		f.i = head.i - 1;
	}
	pfn = c->arena.base + head.i;
	if (quarry_tag_of(pfn) != QUARRY_TAG_LARGE)
		return false;
	/* Written before the tag: see quarry_large_alloc(). */
	smp_rmb();
	*start = page_address(pfn_to_page(pfn));
	*bytes = (u64)(page_private(pfn_to_page(pfn)) & ~QUARRY_LARGE_RUN) << PAGE_SHIFT;
	return true;
}

/* Say it, once for each place; @whose: a cache's name. */
static void usercopy_refuse(const char *whose, size_t n)
{
	struct quarry_report *r = quarry_report_begin(QUARRY_NR_ERRORS + QUARRY_NR_CACHE_ERRORS);

	quarry_report_say(r, "cache %s: %zu bytes of an object would be copied that may not be; "
			  "refused", whose, n);
	quarry_report_end(r);
}

/**
 * quarry_usercopy_check() - may these bytes be copied from or to user space?
 * @ptr:	the first of them, in an object of any cache or in a large allocation of malloc
 * @n:		how many
 *
 * What is no object of quarry's is the kernel's to judge, and allowed here.
 *
 * Context: any. Return: 0; -EFAULT if not, which is reported with a stack once for each
 * place.
 */
int quarry_usercopy_check(const void *ptr, size_t n)
{
	struct quarry_cache *cache = NULL;
	u32 i, from, size;
	const void *start;
	u64 at, bytes;
	struct quarry_page_slab *s;
	int err = 0;

	preempt_disable();
	s = quarry_page_slab_of(ptr);
	if (s && n) {
		cache = s->node->cache;
		from = cache->kind == QUARRY_CACHE_CLASS ? 0 : cache->user_offset;
		size = cache->kind == QUARRY_CACHE_CLASS ? cache->shape[0].size :
							   cache->user_size;
		err = -EFAULT;
		if (quarry_slab_look(&s->slab, ptr, &i) != QUARRY_SLAB_OUTSIDE) {
			at = (unsigned long)ptr - s->slab.first -
			     (u64)i * quarry_slab_shape(&s->slab)->stride;
			if (at >= from && n <= size && at - from <= size - n)
				err = 0;
		}
	} else if (n && find_large(ptr, &start, &bytes)) {
		at = ptr - start;
		if (at > bytes || n > bytes - at)
			err = -EFAULT;
	}
	if (unlikely(err))
		usercopy_refuse(cache ? cache->name : "of malloc's large blocks", n);
	preempt_enable();
	return err;
}
EXPORT_SYMBOL_NS_GPL(quarry_usercopy_check, QUARRY_NS);

/**
 * quarry_copy_to_user() - copy_to_user() with our bounds checked
 * @to:		in user space
 * @from:	in an object
 * @n:		bytes
 *
 * Context: as copy_to_user(). Return: bytes that were not copied.
 */
unsigned long quarry_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	return quarry_usercopy_check(from, n) ? n : copy_to_user(to, from, n);
}
EXPORT_SYMBOL_NS_GPL(quarry_copy_to_user, QUARRY_NS);

/**
 * quarry_copy_from_user() - copy_from_user() with our bounds checked
 * @to:		in an object
 * @from:	in user space
 * @n:		bytes
 *
 * Context: as copy_from_user(). Return: bytes that were not copied; @to is then filled
 * up with zeros, but never beyond the bounds.
 */
unsigned long quarry_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	return quarry_usercopy_check(to, n) ? n : copy_from_user(to, from, n);
}
EXPORT_SYMBOL_NS_GPL(quarry_copy_from_user, QUARRY_NS);
