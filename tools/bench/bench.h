/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of quarry_bench.ko share.
 *
 * An arm is one allocator under test, a workload is what is asked of it. A
 * workload is run with every arm in turn, many times over, so that a drift would
 * show in all of them; each arm gets fresh memory of a fixed size before.
 *
 * Times are differences of ktime_get_ns(). Under QEMU's -icount shift=0 they are
 * guest instructions, and repeat to the digit.
 */
#ifndef QUARRY_BENCH_H
#define QUARRY_BENCH_H

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/types.h>

#define BENCH_ORDERS	11
#define BENCH_MALLOC	64		/* the constant size that arms of malloc ask for */
#define BENCH_FAILED	(~0ULL)

/* A step of a mix: which slot, and the bytes of what comes into it. */
struct bench_draw {
	u16 slot;
	u16 size;
};

/**
 * struct bench_arm - one allocator
 * @name:	how results call it
 * @open:	give it memory of a fixed size (whole MiB), for objects of @size bytes
 * @close:	take that back
 * @pair:	time of @n times: allocate, free
 * @batch:	time of @rounds times: @n out, then @n back in the same order
 * @bulk:	the same with the bulk calls; NULL if it has none
 * @fill:	time of @n out
 * @empty:	time of @n back
 * @get:	allocate one, untimed
 * @put:	free one, untimed
 * @timed_get:	allocate one and tell the time of that call
 * @timed_put:	free one and tell the time of that call
 * @frame:	number of a block's first frame
 * @mixed:	time of @n steps: free what is in a slot, allocate into it; or NULL
 * @get_size:	allocate so many bytes, untimed; or NULL
 * @usable:	bytes that may be used of an object; or NULL
 * @settle:	give back to the whole what lists of CPUs hold; or NULL
 * @whole:	2 MiB areas that are wholly free, by its own account; or NULL
 * @shared:	its memory is not its own: open() reserves nothing
 *
 * Times are in ns, or BENCH_FAILED. What is allocated is a handle to the caller. Arms
 * of objects have one size for each time they are open, and take the order 0.
 */
struct bench_arm {
	const char *name;
	int (*open)(u64 bytes, unsigned int size);
	void (*close)(void);
	u64 (*pair)(unsigned int order, unsigned int n);
	u64 (*batch)(unsigned int order, void **slots, unsigned int n, unsigned int rounds);
	u64 (*bulk)(unsigned int order, void **slots, unsigned int n, unsigned int rounds);
	u64 (*fill)(unsigned int order, void **slots, unsigned int n);
	u64 (*empty)(unsigned int order, void **slots, unsigned int n);
	void *(*get)(unsigned int order, gfp_t gfp);
	void (*put)(void *block, unsigned int order);
	void *(*timed_get)(unsigned int order, gfp_t gfp, u64 *time);
	void (*timed_put)(void *block, unsigned int order, u64 *time);
	u64 (*mixed)(const struct bench_draw *draws, void **slots, unsigned int n);
	void *(*get_size)(size_t size);
	size_t (*usable)(const void *object);
	unsigned long (*frame)(const void *block);
	void (*settle)(void);
	u64 (*whole)(void);
	bool shared;
};

extern const struct bench_arm bench_quarry;
extern const struct bench_arm bench_kernel;
extern const struct bench_arm bench_genpool;
extern const struct bench_arm bench_list;
extern const struct bench_arm bench_control;
extern const struct bench_arm bench_cache;
extern const struct bench_arm bench_kmem;
extern const struct bench_arm bench_sheaves;
extern const struct bench_arm bench_malloc;
extern const struct bench_arm bench_kmalloc;

/* All arms the kernel has, quarry first; ends with NULL. */
extern const struct bench_arm *const bench_arms[];
/* The same and those that only show how whole they keep memory. */
extern const struct bench_arm *const bench_whole_arms[];
extern const struct bench_arm *const bench_cache_arms[];
extern const struct bench_arm *const bench_malloc_arms[];

struct quarry_cache_stats;

/* Of the cache that arm bench_cache has open. */
int bench_cache_modes(unsigned int modes);
void bench_cache_stats(struct quarry_cache_stats *stats);

/* Caches in the pool that arm bench_quarry has open. */
int bench_caches_open(unsigned int nr);
void bench_caches_use(void);
void bench_caches_close(void);

/* Is a workload of this name wanted? */
bool bench_wanted(const char *workload);

__printf(1, 2) void bench_say(const char *format, ...);
void bench_value(const char *workload, const char *unit, const char *arm, u64 milli);

void bench_harness(void);
int bench_pages(void);
int bench_objects(void);
int bench_density(void);
int bench_waste(void);
int bench_remote(void);
int bench_frag(void);
int bench_fail(void);
int bench_fifo(void);
int bench_longest(void);
int bench_smp(void);

#endif /* QUARRY_BENCH_H */
