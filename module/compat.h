/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernels differ, and nothing else. Each entry says since when and why.
 * QUARRY_HAVE_* come from Kbuild, which looks into the kernel's headers.
 */
#ifndef QUARRY_COMPAT_H
#define QUARRY_COMPAT_H

#include <linux/log2.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/swap.h>

/*
 * The largest order of the page allocator, inclusive. 6.4 made MAX_ORDER inclusive
 * and 6.8 renamed it; the size it stands for kept its name.
 */
#define QUARRY_KERNEL_ORDER	const_ilog2(MAX_ORDER_NR_PAGES)

/* 6.18 gave the flags of a page a structure of their own. */
#ifdef QUARRY_HAVE_MEMDESC_FLAGS
#define quarry_page_flags(page)	((page)->flags.f)
#else
#define quarry_page_flags(page)	((page)->flags)
#endif

/* 6.17 renamed the queue of work that any CPU may do; the old name draws a warning later. */
#ifdef QUARRY_HAVE_DFL_WQ
#define quarry_any_cpu_wq	system_dfl_wq
#else
#define quarry_any_cpu_wq	system_unbound_wq
#endif

/*
 * After 6.12 it went from <linux/module.h> into a header of the kernel's own. It is as it was
 * in 7.2 (by its BTF); pages/pin.c looks whether it still is.
 */
#ifndef QUARRY_HAVE_MODULE_USE
struct module_use {
	struct list_head source_list;
	struct list_head target_list;
	struct module *source, *target;
};
#endif

/* Until 6.12 the namespace is a word, from 6.13 on a string. */
#ifdef QUARRY_HAVE_NS_WORDS
#define QUARRY_NS		QUARRY
#define QUARRY_TEST_NS		QUARRY_TEST
#else
#define QUARRY_NS		"QUARRY"
#define QUARRY_TEST_NS		"QUARRY_TEST"
#endif

/* 6.7 made that of a mount a pointer; which needs <linux/fs.h>. */
#ifdef QUARRY_HAVE_SHRINKER_ALLOC
#define quarry_super_shrinker(sb)	((sb)->s_shrink)
#else
#define quarry_super_shrinker(sb)	(&(sb)->s_shrink)
#endif

/* 6.19 gave the state of an inode a structure of its own. Needs <linux/fs.h>, too. */
#ifdef QUARRY_HAVE_INODE_STATE
#define quarry_inode_state(inode)	inode_state_read_once(inode)
#else
#define quarry_inode_state(inode)	READ_ONCE((inode)->i_state)
#endif

/* 6.7 made shrinkers allocated, not embedded. */
static inline struct shrinker *
quarry_shrinker_register(unsigned long (*count)(struct shrinker *,
						struct shrink_control *),
			 unsigned long (*scan)(struct shrinker *,
					       struct shrink_control *))
{
	struct shrinker *s;

#ifdef QUARRY_HAVE_SHRINKER_ALLOC
	s = shrinker_alloc(SHRINKER_NUMA_AWARE, "quarry");
	if (!s)
		return NULL;
#else
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return NULL;
	s->flags = SHRINKER_NUMA_AWARE;
#endif
	s->count_objects = count;
	s->scan_objects = scan;
	s->seeks = DEFAULT_SEEKS;
#ifdef QUARRY_HAVE_SHRINKER_ALLOC
	shrinker_register(s);
#else
	if (register_shrinker(s, "quarry")) {
		kfree(s);
		return NULL;
	}
#endif
	return s;
}

static inline void quarry_shrinker_unregister(struct shrinker *s)
{
	if (!s)
		return;
#ifdef QUARRY_HAVE_SHRINKER_ALLOC
	shrinker_free(s);
#else
	unregister_shrinker(s);
	kfree(s);
#endif
}

/* 6.2 made the device const that is asked for its node. */
#ifdef QUARRY_HAVE_CONST_DEVNODE
#define QUARRY_DEVNODE_CONST	const
#else
#define QUARRY_DEVNODE_CONST
#endif

/* Pages that a shrinker gave back count as reclaimed; 6.4 made this a function. */
static inline void quarry_account_reclaimed(unsigned long pages)
{
#ifdef QUARRY_HAVE_ACCOUNT_RECLAIMED
	mm_account_reclaimed_pages(pages);
#else
	if (current->reclaim_state)
		current->reclaim_state->reclaimed_slab += pages;
#endif
}

#endif /* QUARRY_COMPAT_H */
