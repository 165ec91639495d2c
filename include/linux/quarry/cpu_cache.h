/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Magazines: what stands in memory, and what is done to it without a lock. Private; theory
 * in module/slab/magazine.c.
 *
 * Apart from quarry/cache_fast.h because the core is compiled in user space too.
 */
#ifndef _LINUX_QUARRY_CPU_CACHE_H
#define _LINUX_QUARRY_CPU_CACHE_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/quarry/shadow.h>
#include <linux/types.h>
#include <uapi/linux/quarry.h>

#ifdef CONFIG_X86
#include <asm/rmwcc.h>
#endif

/**
 * struct quarry_magazine - objects that are ready to go out
 * @link:	in a depot
 * @rcu:	to let those go who count its objects from another CPU
 * @n:		objects in it, while nobody has it open
 * @cap:	objects that fit
 * @guard:	NULL: what is below the first object, so that a pop need not count
 * @slot:	the objects; the last in is the first out
 */
struct quarry_magazine {
	union {
		struct list_head link;
		struct rcu_head rcu;
	};
	u32 n;
	u32 cap;
	void *guard;
	void *slot[];
};

/**
 * struct quarry_starts - tells where objects begin; see module/slab/shape.c
 * @scale:	by which an address is multiplied
 * @bound:	most that is left of it for the start of an object
 */
struct quarry_starts {
	u64 scale;
	u64 bound;
};

/*
 * Bits of a slab's label that are its tag; the others say where its objects begin. Tags
 * have 16 bits, but a half of a label is compared in one instruction.
 */
#define QUARRY_TAG_BITS		32

/*
 * One of them, which is in no tag: objects of the slab may be in no magazine, for anybody
 * takes from those. With it a label is never that of a CPU's magazines.
 */
#define QUARRY_LABEL_LENT	0x10000U

/* Does an object begin at @object? @label: of its slab. */
static __always_inline bool quarry_starts_at(const struct quarry_starts *starts, u64 label,
					     const void *object)
{
	return (unsigned long)object * starts->scale - label <= starts->bound;
}

/*
 * Counters that only slow paths move; they stand apart, in struct quarry_cpu_cache_cold. They are
 * those that QUARRY_CACHE_FIGURES has as counted where it happens.
 */
#define QUARRY_CPU_CACHE_COUNT_OF(kind, field, NAME, text)	\
	QUARRY_IF_COUNTED(kind, QUARRY_CPU_CACHE_##NAME)
enum quarry_cpu_cache_count QUARRY_CACHE_FIGURES(QUARRY_CPU_CACHE_COUNT_OF);

#define QUARRY_CPU_CACHE_ZERO_OF(kind, field, NAME, text)	QUARRY_IF_COUNTED(kind, 0)
#define QUARRY_CPU_CACHE_COUNTS	sizeof((const u8 [])QUARRY_CACHE_FIGURES(QUARRY_CPU_CACHE_ZERO_OF))

/* Of struct quarry_cpu_cache.idle_tag: in no tag. */
#define QUARRY_CPU_CACHE_BUSY_BIT	31
#define QUARRY_CPU_CACHE_BUSY	0x80000000U

/**
 * struct quarry_cpu_cache - one CPU's part of a cache
 * @top:	after the newest object of the loaded magazine, while it is open
 * @end:	where @top may go
 * @allocs:	objects handed out from magazines, ever
 * @frees:	objects taken back to magazines, ever
 * @starts:	of the slabs with @tag
 * @idle_tag:	@tag; while all of this is being changed QUARRY_CPU_CACHE_BUSY, with or without it
 * @tag:	of the slabs of this CPU's node
 * @disabled:	reasons to keep the fast path out: then @top is @end, below it NULL
 * @wants:	a magazine was missed
 * @cap:	of magazines to come
 * @seen:	exchanges since @cap was last looked at
 * @bytes:	of an object, for KASAN; 0 where it is not told of any
 * @last_ops:	allocs and frees when the reaper last came by
 * @loaded:	the magazine that is open, or NULL
 * @previous:	the one before, or NULL
 * @stub:	what @top points behind while nothing is open
 * @cold:	what this CPU has counted, once it has come by the slow way; else NULL
 */
struct quarry_cpu_cache {
	void **top;
	void **end;
	u64 allocs;
	u64 frees;
	struct quarry_starts starts;
	u32 idle_tag;
	u32 tag;
	u8 disabled;
	u8 wants;
	u32 cap;
	u32 seen;
#ifdef CONFIG_KASAN_GENERIC
	u32 bytes;
#endif
	u64 last_ops;
	struct quarry_magazine *loaded;
	struct quarry_magazine *previous;
	void *stub[1];
	struct quarry_cpu_cache_cold *cold;
};

/*
 * Mark and unmark. All that the fast path does to @idle_tag is done to the whole of it: a
 * CPU cannot forward a byte's store to a word's load, and the next call comes soon.
 */
static __always_inline void quarry_cpu_cache_set_busy(struct quarry_cpu_cache *m)
{
	m->idle_tag |= QUARRY_CPU_CACHE_BUSY;
	barrier();
}

static __always_inline void quarry_cpu_cache_clear_busy(struct quarry_cpu_cache *m)
{
	barrier();
	m->idle_tag &= ~QUARRY_CPU_CACHE_BUSY;
}

static __always_inline bool quarry_cpu_cache_is_busy(const struct quarry_cpu_cache *m)
{
	return m->idle_tag & QUARRY_CPU_CACHE_BUSY;
}

/*
 * Mark, or false if somebody is inside already. Only interrupts can come between, so this
 * need not be atomic.
 */
static __always_inline bool quarry_cpu_cache_try_busy(struct quarry_cpu_cache *m)
{
#ifdef CONFIG_X86
	/* As __test_and_set_bit(), which takes a long. */
	return !GEN_BINARY_RMWcc("btsl", m->idle_tag, c, "I", QUARRY_CPU_CACHE_BUSY_BIT);
#else
	if (quarry_cpu_cache_is_busy(m))
		return false;
	quarry_cpu_cache_set_busy(m);
	return true;
#endif
}

/* KASAN is told that an object has gone out of a magazine, or comes into one. */
#ifdef CONFIG_KASAN_GENERIC
static __always_inline void quarry_cpu_cache_shadow_out(const struct quarry_cpu_cache *m,
							void *object)
{
	quarry_shadow_open(object, m->bytes);
}

static __always_inline void quarry_cpu_cache_shadow_in(const struct quarry_cpu_cache *m,
						       void *object)
{
	quarry_shadow_free(object, m->bytes);
}
#else
#define quarry_cpu_cache_shadow_out(m, object)	do { } while (0)
#define quarry_cpu_cache_shadow_in(m, object)	do { } while (0)
#endif

/* Pop an object if that is all there is to do, else NULL. Preemption is off. */
static __always_inline void *quarry_cpu_cache_pop(struct quarry_cpu_cache *m)
{
	void *object;

	if (unlikely(!quarry_cpu_cache_try_busy(m)))
		return NULL;
	object = m->top[-1];
	if (likely(object)) {
		/* In memory this is an instruction less than in a register. */
		barrier();
		m->top--;
		m->allocs++;
		quarry_cpu_cache_shadow_out(m, object);
	}
	quarry_cpu_cache_clear_busy(m);
	return object;
}

/*
 * Push an object whose frame has @label, if it belongs to these magazines and that is all
 * there is to do; else false. Preemption is off.
 */
static __always_inline bool quarry_cpu_cache_push(struct quarry_cpu_cache *m, u64 label,
						  void *object)
{
	u32 tag = label;
	void **top;

	/* Of this cache and node, and nobody is inside: one comparison. */
	if (unlikely(tag != m->idle_tag || !quarry_starts_at(&m->starts, label, object)))
		return false;
	/* As quarry_cpu_cache_set_busy(), but nothing is read that was just written. */
	m->idle_tag = QUARRY_CPU_CACHE_BUSY;
	barrier();
	top = m->top;
	/* The same object twice running is the commonest double free of all. */
	if (likely(top != m->end && top[-1] != object)) {
		quarry_cpu_cache_shadow_in(m, object);
		*top = object;
		/* In memory, as above. */
		barrier();
		m->top++;
		m->frees++;
		barrier();
		m->idle_tag = tag;
		return true;
	}
	barrier();
	m->idle_tag = tag;
	return false;
}

#endif /* _LINUX_QUARRY_CPU_CACHE_H */
