/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/quarry: the ioctl interface of the quarry allocator.
 *
 * Rules that every call here obeys:
 *
 * - Each struct begins with @size, set by the caller to sizeof() of the struct
 *   it was compiled with. A larger struct than the module knows is taken if
 *   the unknown tail is zero (-E2BIG otherwise); a shorter one, down to the
 *   first published size, is completed with zeros. The same size stands in
 *   the ioctl number.
 * - Unknown bits in @flags and non-zero padding are -EINVAL.
 * - Pools and caches are named, not numbered: a name is 1 to QUARRY_NAME_MAX - 1 bytes of
 *   [A-Za-z0-9_.-] and not of dots alone, ends with a zero byte, and the rest of
 *   the field is zero (else -EINVAL). No such pool is -ENOENT.
 * - Reading works on any open file. Whatever changes a pool needs
 *   a file opened for writing (-EBADF) and CAP_SYS_ADMIN (-EPERM). Validating
 *   holds locks for long, so it needs CAP_SYS_ADMIN as well.
 * - Sizes are bytes, always a multiple of the page size in what is returned.
 *
 * What has a name has it in a list here, beside the struct or the bits that it is of: figures,
 * modes, calls. A list is an initializer in braces, LIST(X, ...): what the dots stand for, then
 * X() of each line, which brings the comma with it:
 *
 *	#define FIELD(kind, field, NAME, text)	#field,
 *	static const char *const fields[] = QUARRY_POOL_FIGURES(FIELD);
 *
 * The module, quarryctl and the tests are made of these lists, so that a line there is in all of
 * them. They are for programs to be built with, and no part of the ABI.
 */
#ifndef _UAPI_LINUX_QUARRY_H
#define _UAPI_LINUX_QUARRY_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Raised by one when a struct grows or a call is added; never for a repair. Programs need not
 * look at it: they are answered with as much as they know of. quarryctl does, and refuses a
 * module of another number, so that both are built of one source.
 */
#define QUARRY_ABI_VERSION	3

#define QUARRY_NAME_MAX		32
/* Orders 0 to 10 come from the kernel; ranges added by hand reach order 18. */
#define QUARRY_NR_ORDERS	19
#define QUARRY_ANY_NODE		(-1)

/* struct quarry_version.features */
#define QUARRY_FEATURE_PAGES	(1ULL << 0)	/* pools of pages */
#define QUARRY_FEATURE_INJECT	(1ULL << 1)	/* fault injection is built in */
#define QUARRY_FEATURE_CACHES	(1ULL << 2)	/* caches of objects, and malloc */

/**
 * struct quarry_version - who answers
 * @size:	in: sizeof(struct quarry_version)
 * @flags:	in: 0
 * @abi:	out: QUARRY_ABI_VERSION of the module
 * @page_size:	out: bytes in a frame
 * @features:	out: QUARRY_FEATURE_* bits
 * @nr_pools:	out: pools that exist now
 * @max_order:	out: largest order served from kernel memory
 * @version:	out: version of the module, as modinfo shows it
 */
struct quarry_version {
	__u32 size;
	__u32 flags;
	__u32 abi;
	__u32 page_size;
	__u64 features;
	__u32 nr_pools;
	__u32 max_order;
	char version[32];
};

/**
 * struct quarry_pool_entry - one line of the list of pools
 * @id:		number of the pool, never used twice while the module is loaded
 * @pad:	0
 * @name:	its name
 */
struct quarry_pool_entry {
	__u32 id;
	__u32 pad;
	char name[QUARRY_NAME_MAX];
};

/**
 * struct quarry_pool_list - the pools that exist
 * @size:	in: sizeof(struct quarry_pool_list)
 * @flags:	in: 0
 * @capacity:	in: room at @entries, in entries
 * @count:	out: pools that exist; min(@count, @capacity) entries are written
 * @entries:	in: user address of an array of struct quarry_pool_entry
 */
struct quarry_pool_list {
	__u32 size;
	__u32 flags;
	__u32 capacity;
	__u32 count;
	__u64 entries;
};

/* Kinds of misuse and damage, indices into quarry_pool_stats.errors. */
enum quarry_error {
	QUARRY_ERR_DOUBLE_FREE,		/* the block is free already */
	QUARRY_ERR_WRONG_ORDER,		/* freed with another order or length */
	QUARRY_ERR_INTERIOR,		/* points inside a block, not at its head */
	QUARRY_ERR_FOREIGN,		/* not memory of any pool */
	QUARRY_ERR_WRONG_POOL,		/* memory of another pool */
	QUARRY_ERR_BAD_ARGUMENT,	/* order, gfp or length out of range */
	QUARRY_ERR_DESTROY_BUSY,	/* destroy refused: pages are out */
	QUARRY_ERR_STRAY_REF,		/* page references other than ours and the client's */
	QUARRY_ERR_CORRUPT,		/* the validator found a broken invariant */
	QUARRY_ERR_USE_AFTER_FREE,	/* a free page was written to, seen in mode CHECK */
	QUARRY_NR_ERRORS
};

#define QUARRY_ERRORS_MAX	16	/* room in the struct for later kinds */

/**
 * struct quarry_pool_stats - everything about one pool in numbers
 * @size:		in: sizeof(struct quarry_pool_stats)
 * @flags:		in: 0
 * @name:		in: which pool
 * @id:			out: its number
 * @node:		out: node that its memory is bound to, or QUARRY_ANY_NODE
 *
 * Gauges, in bytes unless said otherwise. managed = allocated + pcp + free
 * + retired holds at rest; per-CPU parts may lag while CPUs work.
 * @min_bytes:		taken at creation, never given back
 * @max_bytes:		hard cap on managed memory
 * @reserve_bytes:	kept for callers that must not fail (GFP_ATOMIC)
 * @low_bytes:		free memory under which the pool grows in the background
 * @managed_bytes:	in arenas now
 * @allocated_bytes:	in the hands of clients
 * @pcp_bytes:	on per-CPU lists, or about to go back from them
 * @free_bytes:		free in the buddy
 * @retired_bytes:	taken out of service because damage was found, or because the hardware
 *			has failed
 * @zero_bytes:		free in the buddy and known to be zero
 * @metadata_bytes:	what describing @managed_bytes costs
 * @percpu_bytes:	what the per-CPU lists cost, all CPUs
 * @cache_limit_bytes:	most that one CPU's lists may grow to; what they got before more
 *			CPUs came may be more
 * @arenas:		count of arenas
 * @arenas_empty:	count of arenas with no page out
 * @areas:		count of 2 MiB areas, begun ones included
 * @areas_free:		count of 2 MiB areas that are wholly free
 * @largest_order:	largest order that is free now, or -1 if none
 * @modes:		in: 0; out: QUARRY_MODE_* that are on
 *
 * Counters; they only grow.
 * @allocs:		blocks handed out
 * @frees:		blocks taken back
 * @alloc_frames:	frames handed out
 * @free_frames:	frames taken back
 * @slow_allocs:	allocations that the per-CPU list could not serve
 * @slow_frees:		frees that the per-CPU list could not take
 * @refills:		batches from the buddy to a per-CPU list
 * @flushes:		batches from a per-CPU list to the buddy
 * @drains:		per-CPU lists emptied, on request or before -ENOMEM
 * @splits:		buddy blocks halved
 * @merges:		buddy blocks joined
 * @grows:		arenas taken from the kernel
 * @grows_background:	those of @grows taken by the low watermark
 * @grow_failures:	times the kernel refused
 * @shrinks:		arenas given back
 * @fail_limit:		allocations refused: max_bytes reached, too little free
 * @fail_fragmented:	refused: enough free, but no block of that order
 * @fail_nowait:	refused: the pool might have grown, the caller may not wait
 * @fail_kernel:	refused: the kernel had no memory to grow with
 * @fail_injected:	refused by fault injection
 * @zeroed_frames:	frames cleared for __GFP_ZERO or init_on_alloc
 * @zero_skipped_frames: frames that were known to be zero already
 * @account_ignored:	allocations that asked for __GFP_ACCOUNT, which no module can honour
 * @errors:		misuse, by enum quarry_error
 */
struct quarry_pool_stats {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	__u32 id;
	__s32 node;

	__u64 min_bytes;
	__u64 max_bytes;
	__u64 reserve_bytes;
	__u64 low_bytes;
	__u64 managed_bytes;
	__u64 allocated_bytes;
	__u64 pcp_bytes;
	__u64 free_bytes;
	__u64 retired_bytes;
	__u64 zero_bytes;
	__u64 metadata_bytes;
	__u64 percpu_bytes;
	__u64 cache_limit_bytes;
	__u64 arenas;
	__u64 arenas_empty;
	__u64 areas;
	__u64 areas_free;
	__s32 largest_order;
	__u32 modes;

	__u64 allocs;
	__u64 frees;
	__u64 alloc_frames;
	__u64 free_frames;
	__u64 slow_allocs;
	__u64 slow_frees;
	__u64 refills;
	__u64 flushes;
	__u64 drains;
	__u64 splits;
	__u64 merges;
	__u64 grows;
	__u64 grows_background;
	__u64 grow_failures;
	__u64 shrinks;
	__u64 fail_limit;
	__u64 fail_fragmented;
	__u64 fail_nowait;
	__u64 fail_kernel;
	__u64 fail_injected;
	__u64 zeroed_frames;
	__u64 zero_skipped_frames;
	__u64 account_ignored;
	__u64 errors[QUARRY_ERRORS_MAX];
};

/*
 * Kinds of figures, in the lists of all that a struct has: X(kind, field, NAME, text), in the
 * order in which they are shown. Where nothing else is said they have 64 bits.
 */
enum quarry_figure_kind {
	QUARRY_FIGURE_BYTES,	/* a gauge in bytes */
	QUARRY_FIGURE_NUMBER,	/* a gauge of something else */
	QUARRY_FIGURE_SHORT,	/* the same, of 32 bits */
	QUARRY_FIGURE_SUM,	/* a counter that is put together of others */
	QUARRY_FIGURE_EVENT,	/* a counter that is counted where it happens */
	QUARRY_FIGURE_FAULT,	/* the same, which is 0 where all is well */
	QUARRY_FIGURE_ERROR,	/* an element of errors; 0 where all is well */
};

/* What follows @kind and a comma, if that is counted where it happens; else nothing. */
#define QUARRY_IF_COUNTED(kind, ...)		__QUARRY_IF_##kind(__VA_ARGS__)
#define __QUARRY_IF_BYTES(...)
#define __QUARRY_IF_NUMBER(...)
#define __QUARRY_IF_SHORT(...)
#define __QUARRY_IF_SUM(...)
#define __QUARRY_IF_EVENT(...)			__VA_ARGS__,
#define __QUARRY_IF_FAULT(...)			__VA_ARGS__,
#define __QUARRY_IF_ERROR(...)

/* The figures of struct quarry_pool_stats. */
#define QUARRY_POOL_FIGURES(X, ...) { __VA_ARGS__						\
	X(BYTES, min_bytes, MIN, "the floor: never given back")					\
	X(BYTES, max_bytes, MAX, "the cap")							\
	X(BYTES, reserve_bytes, RESERVE, "kept for callers that must not fail")			\
	X(BYTES, low_bytes, LOW, "grows in the background when less is free")			\
	X(BYTES, managed_bytes, MANAGED, "what it has from the kernel")				\
	X(BYTES, allocated_bytes, ALLOCATED, "of that, with clients")				\
	X(BYTES, pcp_bytes, PCP, "of MANAGED, on per-CPU lists")				\
	X(BYTES, free_bytes, FREE, "of MANAGED, in the buddy")					\
	X(BYTES, retired_bytes, RETIRED,						\
	  "of MANAGED: damaged, failed, or referred to by others")				\
	X(BYTES, zero_bytes, ZERO, "of FREE, known to be zero")					\
	X(BYTES, metadata_bytes, METADATA, "beside MANAGED, what describes it")			\
	X(BYTES, percpu_bytes, PERCPU, "what the lists of all CPUs cost")			\
	X(BYTES, cache_limit_bytes, CACHE_LIMIT, "most that one CPU's lists may hold")		\
	X(NUMBER, arenas, ARENAS, "blocks that it has from the kernel")				\
	X(NUMBER, arenas_empty, ARENAS_EMPTY, "of these, with no page out")			\
	X(NUMBER, areas, AREAS, "parts of 2 MiB")						\
	X(NUMBER, areas_free, AREAS_FREE, "of these, wholly free")				\
	X(SUM, allocs, ALLOCS, "blocks handed out")						\
	X(SUM, frees, FREES, "blocks taken back")						\
	X(SUM, alloc_frames, ALLOC_FRAMES, "frames handed out")					\
	X(SUM, free_frames, FREE_FRAMES, "frames taken back")					\
	X(EVENT, slow_allocs, SLOW_ALLOCS, "allocations that the lists could not serve")	\
	X(EVENT, slow_frees, SLOW_FREES, "frees that the lists could not take")			\
	X(EVENT, refills, REFILLS, "batches from the buddy to a list")				\
	X(EVENT, flushes, FLUSHES, "batches from a list to the buddy")				\
	X(EVENT, drains, DRAINS, "lists emptied")						\
	X(SUM, splits, SPLITS, "blocks halved")							\
	X(SUM, merges, MERGES, "blocks joined")							\
	X(EVENT, grows, GROWS, "arenas taken from the kernel")					\
	X(EVENT, grows_background, GROWS_BACKGROUND, "of these, by the low watermark")		\
	X(FAULT, grow_failures, GROW_FAILURES, "times that the kernel refused")			\
	X(EVENT, shrinks, SHRINKS, "arenas given back")						\
	X(FAULT, fail_limit, FAIL_LIMIT, "refused: the cap is reached")				\
	X(FAULT, fail_fragmented, FAIL_FRAGMENTED,						\
	  "refused: enough free, but no block so large")					\
	X(FAULT, fail_nowait, FAIL_NOWAIT, "refused: the caller may not wait for more")		\
	X(FAULT, fail_kernel, FAIL_KERNEL, "refused: the kernel has no memory")			\
	X(FAULT, fail_injected, FAIL_INJECTED, "refused by fault injection")			\
	X(EVENT, zeroed_frames, ZEROED_FRAMES, "frames cleared for the caller")			\
	X(EVENT, zero_skipped_frames, ZERO_SKIPPED_FRAMES, "frames that were known to be zero")	\
	X(EVENT, account_ignored, ACCOUNT_IGNORED,						\
	  "asked for __GFP_ACCOUNT, which is not done")						\
	X(ERROR, errors[QUARRY_ERR_DOUBLE_FREE], ERR_DOUBLE_FREE, "a block was freed twice")	\
	X(ERROR, errors[QUARRY_ERR_WRONG_ORDER], ERR_WRONG_ORDER, "freed with another order")	\
	X(ERROR, errors[QUARRY_ERR_INTERIOR], ERR_INTERIOR, "the inside of a block was freed")	\
	X(ERROR, errors[QUARRY_ERR_FOREIGN], ERR_FOREIGN, "no memory of quarry's")		\
	X(ERROR, errors[QUARRY_ERR_WRONG_POOL], ERR_WRONG_POOL, "freed to another pool")	\
	X(ERROR, errors[QUARRY_ERR_BAD_ARGUMENT], ERR_BAD_ARGUMENT,				\
	  "what no call can be asked for")							\
	X(ERROR, errors[QUARRY_ERR_DESTROY_BUSY], ERR_DESTROY_BUSY,				\
	  "pools destroyed with memory out")							\
	X(ERROR, errors[QUARRY_ERR_STRAY_REF], ERR_STRAY_REF,					\
	  "references that nobody may have")							\
	X(ERROR, errors[QUARRY_ERR_CORRUPT], ERR_CORRUPT, "what describes memory is damaged")	\
	X(ERROR, errors[QUARRY_ERR_USE_AFTER_FREE], ERR_USE_AFTER_FREE,				\
	  "writes to free pages (mode check)")							\
}

/**
 * struct quarry_order_stats - one order of one pool
 * @free_blocks:	maximal free blocks of exactly this order
 * @pcp_blocks:	blocks on per-CPU lists, or about to go back, all CPUs
 * @allocs:		blocks handed out, ever
 * @frees:		blocks taken back, ever
 * @unusable_milli:	unusable free space index, 0 to 1000: the share of free
 *			memory that cannot serve this order
 * @extfrag_milli:	external fragmentation index, 0 to 1000, or -1000 where a
 *			block of this order is free: towards 0 a failure would
 *			be for lack of memory, towards 1000 for fragmentation
 */
struct quarry_order_stats {
	__u64 free_blocks;
	__u64 pcp_blocks;
	__u64 allocs;
	__u64 frees;
	__s32 unusable_milli;
	__s32 extfrag_milli;
};

/**
 * struct quarry_pool_orders - free memory of a pool by order
 * @size:	in: sizeof(struct quarry_pool_orders)
 * @flags:	in: 0
 * @name:	in: which pool
 * @node:	in: one node's memory, or QUARRY_ANY_NODE for the whole pool
 *		(allocs, frees and pcp_blocks are always the whole pool's)
 * @nr_orders:	out: QUARRY_NR_ORDERS of the module
 * @orders:	out: by order
 */
struct quarry_pool_orders {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	__s32 node;
	__u32 nr_orders;
	struct quarry_order_stats orders[QUARRY_NR_ORDERS];
};

/* struct quarry_map_area.state */
#define QUARRY_AREA_FREE	0	/* every frame is free */
#define QUARRY_AREA_PARTIAL	1	/* some frames are free */
#define QUARRY_AREA_FULL	2	/* no frame is free */

/**
 * struct quarry_map_area - one 2 MiB area
 * @arena:	number of its arena in the pool's order of age
 * @frames:	frames of the area that the pool manages, 1 to 512
 * @free:	of these, how many are free in the buddy
 * @state:	QUARRY_AREA_*
 * @largest:	largest free order inside the area (9 if wholly free), 255 if none
 * @node:	NUMA node, 65535 for device memory, which is of none
 * @flags:	0
 * @pad:	0
 */
struct quarry_map_area {
	__u32 arena;
	__u16 frames;
	__u16 free;
	__u8 state;
	__u8 largest;
	__u16 node;
	__u16 flags;
	__u16 pad;
};

/**
 * struct quarry_pool_map - the state of every 2 MiB area of a pool
 * @size:	in: sizeof(struct quarry_pool_map)
 * @flags:	in: 0
 * @name:	in: which pool
 * @start:	in: first area wanted, by running number
 * @capacity:	in: room at @areas, in entries
 * @count:	out: entries written
 * @total:	out: areas in the pool
 * @areas:	in: user address of an array of struct quarry_map_area
 */
struct quarry_pool_map {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	__u64 start;
	__u32 capacity;
	__u32 count;
	__u64 total;
	__u64 areas;
};

/**
 * struct quarry_pool_create - make a pool
 * @size:	in: sizeof(struct quarry_pool_create)
 * @flags:	in: 0
 * @name:	in: its name, unused so far
 * @min_bytes:	in: taken now and never given back, a multiple of the page size
 * @max_bytes:	in: hard cap; 0 means no cap but the machine's memory, which is what
 *		the pool's statistics then show
 * @reserve_bytes: in: kept for callers that must not fail (GFP_ATOMIC)
 * @low_bytes:	in: grow in the background when less is free; 0 means never
 * @node:	in: bind to this NUMA node (-ENODEV if it has no memory), or
 *		QUARRY_ANY_NODE; less is -EINVAL
 * @id:		out: its number
 */
struct quarry_pool_create {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	__u64 min_bytes;
	__u64 max_bytes;
	__u64 reserve_bytes;
	__u64 low_bytes;
	__s32 node;
	__u32 id;
};

#define QUARRY_POOL_FORGET	(1U << 0)	/* DESTROY: even if memory of it is out */

/**
 * struct quarry_pool_op - destroy, shrink or drain a pool
 * @size:	in: sizeof(struct quarry_pool_op)
 * @flags:	in: 0; for DESTROY, 0 or QUARRY_POOL_FORGET
 * @name:	in: which pool
 * @bytes:	DESTROY: in: 0; out: what was out of a pool that is forgotten. SHRINK: in:
 *		give back at most this much (~0 for all that is above min_bytes); out: given
 *		back. DRAIN: in: 0; out: moved from per-CPU lists to the buddy.
 */
struct quarry_pool_op {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	__u64 bytes;
};

/**
 * struct quarry_pool_modes - switch the modes of a pool
 * @size:	in: sizeof(struct quarry_pool_modes)
 * @flags:	in: 0
 * @name:	in: which pool
 * @set:	in: QUARRY_MODE_* to switch on, of QUARRY_POOL_MODES
 * @clear:	in: QUARRY_MODE_* to switch off; none of @set
 * @modes:	out: those that are on now
 * @pad:	0
 */
struct quarry_pool_modes {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	__u32 set;
	__u32 clear;
	__u32 modes;
	__u32 pad;
};

/**
 * struct quarry_pool_traces - who has a pool's pages
 * @size:	in: sizeof(struct quarry_pool_traces)
 * @flags:	in: 0
 * @name:	in: which pool
 * @capacity:	in: room at @traces, in entries
 * @count:	out: stacks there are; min(@count, @capacity) entries are written, those with
 *		most pages first; 0 while the mode OWNER is off
 * @traces:	in: user address of an array of struct quarry_trace, whose @objects are pages
 * @untraced:	out: pages out whose owner was not recorded; 0 while the mode OWNER is off
 */
struct quarry_pool_traces {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	__u32 capacity;
	__u32 count;
	__u64 traces;
	__u64 untraced;
};

/**
 * struct quarry_forgotten - what pools have taken with them, until the next boot
 * @size:	in: sizeof(struct quarry_forgotten)
 * @flags:	in: 0
 * @pools:	out: pools that were forgotten since the module was loaded
 * @lost_bytes:	out: memory that was out of these, and arenas with pages that somebody
 *		referred to when their pool was destroyed
 */
struct quarry_forgotten {
	__u32 size;
	__u32 flags;
	__u64 pools;
	__u64 lost_bytes;
};

/**
 * struct quarry_pool_validate - walk a pool and check every invariant
 * @size:	in: sizeof(struct quarry_pool_validate)
 * @flags:	in: 0
 * @name:	in: which pool
 * @frames:	out: frames looked at
 * @violations:	out: broken invariants found; 0 is good health
 * @stray_refs:	out: of @violations, pages with references that nobody may hold
 * @what:	out: the first violation in words, "" if none
 */
struct quarry_pool_validate {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	__u64 frames;
	__u64 violations;
	__u64 stray_refs;
	char what[64];
};

/* Modes, bits of struct quarry_cache_modes, quarry_pool_modes and both _stats. */
#define QUARRY_MODE_POISON	(1U << 0)	/* fill free objects, look at the filling */
#define QUARRY_MODE_REDZONE	(1U << 1)	/* guard bytes on both sides of an object */
#define QUARRY_MODE_OWNER	(1U << 2)	/* stacks of the last allocation and free */
#define QUARRY_MODE_QUARANTINE	(1U << 3)	/* free objects wait before they are reused */
#define QUARRY_MODE_CHECK	(1U << 4)	/* a double free is seen at once */
#define QUARRY_MODE_RANDOM	(1U << 5)	/* objects go out in no order */

/* Those of caches, and those of pools. */
#define QUARRY_MODES		((1U << 6) - 1)
#define QUARRY_POOL_MODES	(QUARRY_MODE_OWNER | QUARRY_MODE_CHECK)

/* The same as lists, by bit: X(NAME, word, text). People know a mode by the word. */
#define QUARRY_CACHE_MODE_LIST(X, ...) { __VA_ARGS__					\
	X(POISON, poison, "fills free objects and looks at the filling")		\
	X(REDZONE, redzone, "guards the bytes beside an object")			\
	X(OWNER, owner, "keeps the stacks of the last allocation and free")		\
	X(QUARANTINE, quarantine, "lets free objects wait before they are used again")	\
	X(CHECK, check, "sees a double free at once")					\
	X(RANDOM, random, "hands objects out in no order")				\
}

#define QUARRY_POOL_MODE_LIST(X, ...) { __VA_ARGS__					\
	X(OWNER, owner, "keeps the stacks of the last allocation and free")		\
	X(CHECK, check, "fills free pages and looks at the filling")			\
}

/* Kinds of misuse of caches and of malloc, indices into quarry_cache_stats.errors. */
enum quarry_cache_error {
	QUARRY_CACHE_ERR_DOUBLE_FREE,	/* the object is free already */
	QUARRY_CACHE_ERR_WRONG_CACHE,	/* an object of another cache */
	QUARRY_CACHE_ERR_INTERIOR,	/* points inside an object, or between two */
	QUARRY_CACHE_ERR_FOREIGN,	/* not memory of any cache */
	QUARRY_CACHE_ERR_BAD_ARGUMENT,	/* gfp flags that cannot be honoured */
	QUARRY_CACHE_ERR_OVERFLOW,	/* bytes beside an object were written */
	QUARRY_CACHE_ERR_USE_AFTER_FREE,	/* a free object was written */
	QUARRY_CACHE_ERR_LEAK,		/* destroyed with objects out */
	QUARRY_CACHE_ERR_DEAD,		/* allocation from a cache that was destroyed */
	QUARRY_CACHE_ERR_CORRUPT,	/* the validator found a broken invariant */
	QUARRY_CACHE_ERR_KFREE,		/* freed by the kernel's own functions */
	QUARRY_NR_CACHE_ERRORS
};

/* struct quarry_cache_stats.kind */
#define QUARRY_CACHE_TYPED	0	/* of quarry_cache_create() */
#define QUARRY_CACHE_CLASS	1	/* a size class of malloc */
#define QUARRY_CACHE_DEAD	2	/* destroyed, but objects are still out */

/**
 * struct quarry_cache_entry - one line of the list of caches
 * @id:		number of the cache, never used twice while the module is loaded
 * @kind:	QUARRY_CACHE_*
 * @name:	its name
 */
struct quarry_cache_entry {
	__u32 id;
	__u32 kind;
	char name[QUARRY_NAME_MAX];
};

/**
 * struct quarry_cache_list - the caches that exist
 * @size:	in: sizeof(struct quarry_cache_list)
 * @flags:	in: 0
 * @capacity:	in: room at @entries, in entries
 * @count:	out: caches that exist; min(@count, @capacity) entries are written
 * @entries:	in: user address of an array of struct quarry_cache_entry
 */
struct quarry_cache_list {
	__u32 size;
	__u32 flags;
	__u32 capacity;
	__u32 count;
	__u64 entries;
};

/**
 * struct quarry_cache_stats - everything about one cache in numbers
 * @size:		in: sizeof(struct quarry_cache_stats)
 * @flags:		in: 0
 * @name:		in: which cache
 * @pool:		out: name of the pool it lives in
 * @id:			out: its number
 * @kind:		out: QUARRY_CACHE_*
 * @modes:		out: QUARRY_MODE_* that are on
 * @object_size:	out: bytes of an object that its owner may use
 * @stride:		out: bytes from one object to the next
 * @align:		out: what an object's address is a multiple of
 * @order:		out: pages of a slab, as a power of two
 * @objects_per_slab:	out: objects in a slab
 *
 * Gauges, in bytes unless said otherwise. slab = object + magazine + partial + waste
 * holds at rest; per-CPU parts may lag while CPUs work.
 * @slab_bytes:		pages in slabs
 * @object_bytes:	objects in the hands of clients, whole strides
 * @magazine_bytes:	objects in magazines, depots and quarantine, and those that are not
 *			reused because they were written to while they were free
 * @partial_bytes:	objects in slabs
 * @waste_bytes:	what no object covers
 * @metadata_bytes:	descriptions of slabs, and the magazines themselves
 * @percpu_bytes:	what the per-CPU parts cost, all CPUs
 * @slabs:		count of slabs
 * @slabs_empty:	count of slabs with no object out
 * @objects_out:	count of objects in the hands of clients
 * @magazines:		count of magazines
 * @magazine_capacity:	largest capacity of a magazine to come, in objects
 * @pad:		0
 *
 * Counters; they only grow.
 * @allocs:		objects handed out
 * @frees:		objects taken back
 * @slow_allocs:	allocations that the loaded magazine could not serve
 * @slow_frees:		frees that it could not take
 * @direct_allocs:	objects handed out past the magazines
 * @direct_frees:	objects taken back past the magazines
 * @exchanges:		magazines exchanged with a depot
 * @refills:		batches from slabs to magazines
 * @flushes:		batches from magazines to slabs
 * @grows:		slabs taken from the pool
 * @shrinks:		slabs given back to the pool
 * @constructed:	objects that a constructor has made
 * @failures:		allocations that got nothing
 * @fail_injected:	of these, by fault injection
 * @errors:		misuse, by enum quarry_cache_error
 */
struct quarry_cache_stats {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	char pool[QUARRY_NAME_MAX];
	__u32 id;
	__u32 kind;
	__u32 modes;
	__u32 object_size;
	__u32 stride;
	__u32 align;
	__u32 order;
	__u32 objects_per_slab;

	__u64 slab_bytes;
	__u64 object_bytes;
	__u64 magazine_bytes;
	__u64 partial_bytes;
	__u64 waste_bytes;
	__u64 metadata_bytes;
	__u64 percpu_bytes;
	__u64 slabs;
	__u64 slabs_empty;
	__u64 objects_out;
	__u64 magazines;
	__u32 magazine_capacity;
	__u32 pad;

	__u64 allocs;
	__u64 frees;
	__u64 slow_allocs;
	__u64 slow_frees;
	__u64 direct_allocs;
	__u64 direct_frees;
	__u64 exchanges;
	__u64 refills;
	__u64 flushes;
	__u64 grows;
	__u64 shrinks;
	__u64 constructed;
	__u64 failures;
	__u64 fail_injected;
	__u64 errors[QUARRY_ERRORS_MAX];
};

/* The figures of struct quarry_cache_stats. */
#define QUARRY_CACHE_FIGURES(X, ...) { __VA_ARGS__						\
	X(BYTES, slab_bytes, SLAB_MEMORY, "bytes in slabs")					\
	X(BYTES, object_bytes, OBJECTS, "of that, with clients")				\
	X(BYTES, magazine_bytes, MAGAZINE, "of SLAB_MEMORY, in magazines")			\
	X(BYTES, partial_bytes, PARTIAL, "of SLAB_MEMORY, free in slabs")			\
	X(BYTES, waste_bytes, WASTE, "of SLAB_MEMORY, what no object covers")			\
	X(BYTES, metadata_bytes, METADATA, "beside SLAB_MEMORY, what describes it")		\
	X(BYTES, percpu_bytes, PERCPU, "what its part of all CPUs costs")			\
	X(NUMBER, slabs, SLABS, "blocks of pages that it has")					\
	X(NUMBER, slabs_empty, SLABS_EMPTY, "of these, with no object out")			\
	X(NUMBER, objects_out, OBJECTS_OUT, "objects with clients")				\
	X(NUMBER, magazines, MAGAZINES, "magazines that there are")				\
	X(SHORT, magazine_capacity, MAGAZINE_CAPACITY, "objects in a full one")			\
	X(SUM, allocs, ALLOCS, "objects handed out")						\
	X(SUM, frees, FREES, "objects taken back")						\
	X(EVENT, slow_allocs, SLOW_ALLOCS, "allocations that no magazine could serve")		\
	X(EVENT, slow_frees, SLOW_FREES, "frees that no magazine could take")			\
	X(EVENT, direct_allocs, DIRECT_ALLOCS, "allocations from a slab itself")		\
	X(EVENT, direct_frees, DIRECT_FREES, "frees to a slab itself")				\
	X(EVENT, exchanges, EXCHANGES, "full magazines for empty ones, or back")		\
	X(EVENT, refills, REFILLS, "batches from slabs to a magazine")				\
	X(EVENT, flushes, FLUSHES, "batches from a magazine to slabs")				\
	X(SUM, grows, GROWS, "slabs taken from the pool")					\
	X(SUM, shrinks, SHRINKS, "slabs given back")						\
	X(SUM, constructed, CONSTRUCTED, "objects that the constructor has made")		\
	X(FAULT, failures, FAILURES, "allocations that were refused")				\
	X(FAULT, fail_injected, FAIL_INJECTED, "of these, by fault injection")			\
	X(ERROR, errors[QUARRY_CACHE_ERR_DOUBLE_FREE], ERR_DOUBLE_FREE,				\
	  "an object was freed twice")								\
	X(ERROR, errors[QUARRY_CACHE_ERR_WRONG_CACHE], ERR_WRONG_CACHE,				\
	  "freed to another cache")								\
	X(ERROR, errors[QUARRY_CACHE_ERR_INTERIOR], ERR_INTERIOR,				\
	  "the inside of an object was freed")							\
	X(ERROR, errors[QUARRY_CACHE_ERR_FOREIGN], ERR_FOREIGN, "no object of quarry's")	\
	X(ERROR, errors[QUARRY_CACHE_ERR_BAD_ARGUMENT], ERR_BAD_ARGUMENT,			\
	  "what no call can be asked for")							\
	X(ERROR, errors[QUARRY_CACHE_ERR_OVERFLOW], ERR_OVERFLOW,				\
	  "bytes beside an object were written (mode redzone)")					\
	X(ERROR, errors[QUARRY_CACHE_ERR_USE_AFTER_FREE], ERR_USE_AFTER_FREE,			\
	  "free objects were written to (mode poison)")						\
	X(ERROR, errors[QUARRY_CACHE_ERR_LEAK], ERR_LEAK, "destroyed with objects out")		\
	X(ERROR, errors[QUARRY_CACHE_ERR_DEAD], ERR_DEAD, "used after it was destroyed")	\
	X(ERROR, errors[QUARRY_CACHE_ERR_CORRUPT], ERR_CORRUPT,					\
	  "what describes objects is damaged")							\
	X(ERROR, errors[QUARRY_CACHE_ERR_KFREE], ERR_KFREE, "freed by the kernel's kfree()")	\
}

/**
 * struct quarry_cache_op - shrink or validate a cache
 * @size:	in: sizeof(struct quarry_cache_op)
 * @flags:	in: 0
 * @name:	in: which cache
 * @bytes:	in: 0. SHRINK: out: given back to the pool. VALIDATE: out: violations found
 * @what:	VALIDATE: out: the first violation in words, "" if none
 */
struct quarry_cache_op {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	__u64 bytes;
	char what[64];
};

/**
 * struct quarry_cache_modes - switch safety modes and fault injection of a cache
 * @size:		in: sizeof(struct quarry_cache_modes)
 * @flags:		in: 0
 * @name:		in: which cache
 * @set:		in: QUARRY_MODE_* to switch on
 * @clear:		in: QUARRY_MODE_* to switch off; none of @set
 * @modes:		out: those that are on now
 * @fail_per_million:	in: fail so many allocations of a million, ~0: as it was
 * @fail_nth:		in: fail the n-th allocation from now, once; 0: none, ~0: as it was
 */
struct quarry_cache_modes {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	__u32 set;
	__u32 clear;
	__u32 modes;
	__u32 fail_per_million;
	__u64 fail_nth;
};

#define QUARRY_TRACE_DEPTH	16

/**
 * struct quarry_trace - objects whose last allocation or free came from one place
 * @objects:	how many
 * @age_min_ms:	since the youngest of these calls
 * @age_max_ms:	since the oldest
 * @pid:	of the youngest
 * @depth:	lines of @text
 * @text:	the stack, a line a frame as "function+offset/length [module]"
 */
struct quarry_trace {
	__u64 objects;
	__u64 age_min_ms;
	__u64 age_max_ms;
	__u32 pid;
	__u32 depth;
	char text[1024];
};

#define QUARRY_TRACES_FREES	(1U << 0)	/* flags: by the last free, not allocation */
#define QUARRY_TRACES_ID	(1U << 1)	/* flags: of a cache by number, dead or not */

/**
 * struct quarry_cache_traces - who has a cache's objects, or freed them last
 * @size:	in: sizeof(struct quarry_cache_traces)
 * @flags:	in: QUARRY_TRACES_*
 * @name:	in: which cache; with QUARRY_TRACES_ID any name
 * @capacity:	in: room at @traces, in entries
 * @count:	in: with QUARRY_TRACES_ID, the number of the cache; out: stacks there are;
 *		min(@count, @capacity) entries are written, those with most objects first
 * @traces:	in: user address of an array of struct quarry_trace
 * @untraced:	out: objects out whose owner was not recorded
 */
struct quarry_cache_traces {
	__u32 size;
	__u32 flags;
	char name[QUARRY_NAME_MAX];
	__u32 capacity;
	__u32 count;
	__u64 traces;
	__u64 untraced;
};

#define QUARRY_IOC_MAGIC	0xbd
#define QUARRY_IOC_VERSION	_IOWR(QUARRY_IOC_MAGIC, 0x00, struct quarry_version)
#define QUARRY_IOC_POOL_LIST	_IOWR(QUARRY_IOC_MAGIC, 0x01, struct quarry_pool_list)
#define QUARRY_IOC_POOL_STATS	_IOWR(QUARRY_IOC_MAGIC, 0x02, struct quarry_pool_stats)
#define QUARRY_IOC_POOL_ORDERS	_IOWR(QUARRY_IOC_MAGIC, 0x03, struct quarry_pool_orders)
#define QUARRY_IOC_POOL_MAP	_IOWR(QUARRY_IOC_MAGIC, 0x04, struct quarry_pool_map)
#define QUARRY_IOC_POOL_CREATE	_IOWR(QUARRY_IOC_MAGIC, 0x05, struct quarry_pool_create)
#define QUARRY_IOC_POOL_DESTROY	_IOWR(QUARRY_IOC_MAGIC, 0x06, struct quarry_pool_op)
#define QUARRY_IOC_POOL_SHRINK	_IOWR(QUARRY_IOC_MAGIC, 0x07, struct quarry_pool_op)
#define QUARRY_IOC_POOL_DRAIN	_IOWR(QUARRY_IOC_MAGIC, 0x08, struct quarry_pool_op)
#define QUARRY_IOC_POOL_VALIDATE _IOWR(QUARRY_IOC_MAGIC, 0x09, struct quarry_pool_validate)
#define QUARRY_IOC_FORGOTTEN	_IOWR(QUARRY_IOC_MAGIC, 0x0a, struct quarry_forgotten)
#define QUARRY_IOC_POOL_MODES	_IOWR(QUARRY_IOC_MAGIC, 0x0b, struct quarry_pool_modes)
#define QUARRY_IOC_POOL_TRACES	_IOWR(QUARRY_IOC_MAGIC, 0x0c, struct quarry_pool_traces)

#define QUARRY_IOC_CACHE_LIST	_IOWR(QUARRY_IOC_MAGIC, 0x10, struct quarry_cache_list)
#define QUARRY_IOC_CACHE_STATS	_IOWR(QUARRY_IOC_MAGIC, 0x11, struct quarry_cache_stats)
#define QUARRY_IOC_CACHE_SHRINK	_IOWR(QUARRY_IOC_MAGIC, 0x12, struct quarry_cache_op)
#define QUARRY_IOC_CACHE_VALIDATE _IOWR(QUARRY_IOC_MAGIC, 0x13, struct quarry_cache_op)
#define QUARRY_IOC_CACHE_MODES	_IOWR(QUARRY_IOC_MAGIC, 0x14, struct quarry_cache_modes)
#define QUARRY_IOC_CACHE_TRACES	_IOWR(QUARRY_IOC_MAGIC, 0x15, struct quarry_cache_traces)

/* Who may make a call. */
enum quarry_call_right {
	QUARRY_CALL_READS,	/* whoever could open the device */
	QUARRY_CALL_ADMIN,	/* the same with CAP_SYS_ADMIN */
	QUARRY_CALL_CHANGES,	/* the same with a file that is open for writing */
};

/*
 * The calls, of pools and all else, and of caches: X(NAME, function, struct, first, right,
 * flags, text). @first is the size that the struct had when the call was published, @flags are
 * those that it knows, and @text is what the caller wanted, after "cannot".
 */
#define QUARRY_POOL_CALLS(X, ...) { __VA_ARGS__							\
	X(VERSION, version, quarry_version, 64, READS, 0, "ask for the version")		\
	X(POOL_LIST, pool_list, quarry_pool_list, 24, READS, 0, "list the pools")		\
	X(POOL_STATS, pool_stats, quarry_pool_stats, 504, READS, 0, "read")			\
	X(POOL_ORDERS, pool_orders, quarry_pool_orders, 808, READS, 0, "read")			\
	X(POOL_MAP, pool_map, quarry_pool_map, 72, READS, 0, "read")				\
	X(POOL_CREATE, pool_create, quarry_pool_create, 80, CHANGES, 0, "create")		\
	X(POOL_DESTROY, pool_destroy, quarry_pool_op, 48, CHANGES, QUARRY_POOL_FORGET,		\
	  "destroy")										\
	X(POOL_SHRINK, pool_shrink, quarry_pool_op, 48, CHANGES, 0, "shrink")			\
	X(POOL_DRAIN, pool_drain, quarry_pool_op, 48, CHANGES, 0, "drain")			\
	X(POOL_VALIDATE, pool_validate, quarry_pool_validate, 128, ADMIN, 0, "validate")	\
	X(FORGOTTEN, forgotten, quarry_forgotten, 24, READS, 0, "read")				\
	X(POOL_MODES, pool_modes, quarry_pool_modes, 56, CHANGES, 0, "switch modes of")		\
	X(POOL_TRACES, pool_traces, quarry_pool_traces, 64, ADMIN, 0, "read the traces of")	\
}

#define QUARRY_CACHE_CALLS(X, ...) { __VA_ARGS__						\
	X(CACHE_LIST, cache_list, quarry_cache_list, 24, READS, 0, "list the caches")		\
	X(CACHE_STATS, cache_stats, quarry_cache_stats, 440, READS, 0, "read")			\
	X(CACHE_SHRINK, cache_shrink, quarry_cache_op, 112, CHANGES, 0, "shrink")		\
	X(CACHE_VALIDATE, cache_validate, quarry_cache_op, 112, ADMIN, 0, "validate")		\
	X(CACHE_MODES, cache_modes, quarry_cache_modes, 64, CHANGES, 0, "switch modes of")	\
	X(CACHE_TRACES, cache_traces, quarry_cache_traces, 64, ADMIN,				\
	  QUARRY_TRACES_FREES | QUARRY_TRACES_ID, "read the traces of")				\
}

#endif /* _UAPI_LINUX_QUARRY_H */
