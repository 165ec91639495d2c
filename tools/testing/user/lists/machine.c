// SPDX-License-Identifier: GPL-2.0
/*
 * A machine for the page layer in user space; ../machine.c is another, for visits between CPUs.
 *
 * module/pages/{alloc,pcp,open,zone,bulk,gfp,drain}.c, module/buddy and what is inline in
 * include/linux are compiled unchanged over stub headers. Here is what they stand on:
 *
 *	frames		one stretch of memory from number 0 on, touched by nobody but who
 *			clears pages, with an array of struct pages of 64 bytes
 *	CPUs		a thread is one; its parts of per-CPU memory lie at a fixed distance,
 *			found through a variable of the thread's as in the kernel through gs.
 *			Threads that name the same CPU must not run at the same time
 *	directory	entries of 4 MiB as in module/arena/directory.c, of arenas that fill
 *			them. They come before a pool is used and go after
 *	pools		of a fixed size and one node, their floor and their cap the same. The
 *			kernel has nothing to grow them with
 *	misuse		is counted, by kind, and not reported
 *	visits		nobody is interrupted. Who visits sees his own CPU alone, as if all
 *			others took no interrupts; but all of them while they are said to be
 *			at rest (machine_rest())
 *	later work	comes never: no time passes; but the decay when it is said
 *			(machine_chore())
 *
 *	interrupts	signals, of whoever wants them; off is a mark for their handler. Who has
 *			every instruction end in one (machine_step()) is not shown those of the
 *			C library, which stands in for the kernel's allocator
 *
 * Not modelled: what interrupts off and on cost (here two stores), the scheduler, NUMA.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/sched.h>

#include "../../../../module/arena/directory.h"
#include "../../../../module/base/inject.h"
#include "../../../../module/buddy/place.h"
#include "../../../../module/pages/guard.h"
#include "../../../../module/pages/keeper.h"
#include "../../../../module/pages/misuse.h"
#include "machine.h"

#define MIB_FRAMES	256u

/* Keys of a zone, as in pool.c. */
#define ZONE_KEYS	256

__thread unsigned int lists_preempt_count;
__thread unsigned long lists_cpu_offset;
__thread bool lists_irqs_off;
__thread struct task_struct lists_task;

struct page *vmemmap;
char *lists_memory;
unsigned long lists_frames;

struct quarry_directory_entry *quarry_directory_entries;

static u64 next_key = ZONE_KEYS;
static bool rest;

/* The decay, which is begun first, and for which pool it is at work; and the last one begun. */
static struct quarry_chore *chore;
static struct quarry_chore *last_chore;
static struct quarry_pool *chore_pool;

static void *reserve_memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		abort();
	}
	return p;
}

/* On lines of its own, as what the kernel gives of such sizes. */
void *lists_zalloc(size_t bytes)
{
	bool stepped = machine_step(false);
	void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);

	if (!p)
		abort();
	memset(p, 0, bytes);
	machine_step(stepped);
	return p;
}

void lists_free(void *p)
{
	bool stepped = machine_step(false);

	free(p);
	machine_step(stepped);
}

void lists_clear(void *page)
{
	bool stepped = machine_step(false);

	memset(page, 0, PAGE_SIZE);
	machine_step(stepped);
}

/**
 * machine_init() - a machine with so much memory
 * @mib:	a multiple of 4
 *
 * Once, before all else.
 */
void machine_init(u32 mib)
{
	struct quarry_directory *head;
	unsigned long slots = mib / 4;

	lists_frames = mib * (unsigned long)MIB_FRAMES;
	lists_memory = reserve_memory(lists_frames << PAGE_SHIFT);
	vmemmap = reserve_memory(lists_frames * sizeof(struct page));
	head = reserve_memory((slots + 1) * sizeof(*quarry_directory_entries));
	head->bytes = slots * sizeof(*quarry_directory_entries);
	quarry_directory_entries = (struct quarry_directory_entry *)(head + 1);
	quarry_decay_begin();
}

/* The calling thread is CPU number @cpu from here on. */
void machine_cpu(unsigned int cpu)
{
	lists_cpu_offset = cpu * LISTS_UNIT;
}

/* The calling thread is inside an NMI, or no longer. */
void machine_nmi(bool inside)
{
	lists_preempt_count ^= (lists_preempt_count & NMI_MASK) ^ (inside ? NMI_MASK : 0);
}

/* All CPUs but the caller's are at rest: their lists may be visited. Or no longer. */
void machine_rest(bool at_rest)
{
	rest = at_rest;
}

/* The first of @nr entries in a row that no pool has. */
static unsigned long find_slots(unsigned long nr)
{
	unsigned long i, run = 0;

	for (i = 0; i < lists_frames >> QUARRY_DIRECTORY_SHIFT; i++) {
		run = quarry_directory_entries[i].arena ? 0 : run + 1;
		if (run == nr)
			return i + 1 - nr;
	}
	fprintf(stderr, "the machine has no room for another pool\n");
	abort();
}

static void add_arena(struct quarry_zone *z, unsigned long pfn, u32 nr)
{
	struct quarry_page_arena *c = lists_zalloc(sizeof(*c));
	unsigned long i;
	u64 place;

	c->metadata_bytes = quarry_arena_metadata_bytes(pfn, nr);
	c->pfn = pfn;
	c->nr = nr;
	c->span = nr;
	c->page = pfn_to_page(pfn);
	c->kind = QUARRY_ARENA_KERNEL;
	c->buddy = &z->buddy;
	quarry_arena_init(&c->arena, lists_zalloc(c->metadata_bytes), pfn, nr);
	c->state = c->arena.state + c->arena.lo;
	quarry_buddy_choose_place(&z->buddy, &c->arena);
	for (i = pfn >> QUARRY_DIRECTORY_SHIFT; i < (pfn + nr) >> QUARRY_DIRECTORY_SHIFT; i++) {
		place = quarry_area_place(&c->arena,
					  ((i << QUARRY_DIRECTORY_SHIFT) - c->arena.base) /
						     QUARRY_AREA_FRAMES);
		quarry_directory_entries[i] = (struct quarry_directory_entry){
			.state = c->state - pfn, .arena = c, .key = z->buddy.key + place,
		};
	}
	quarry_buddy_add(&z->buddy, &c->arena, false);
}

/**
 * machine_pool() - a pool
 * @mib:	its size, a multiple of @arena_mib
 * @arena_mib:	of its arenas; 4 as from the kernel, or more as of a range
 * @reserve:	frames kept for GFP_ATOMIC
 */
struct quarry_pool *machine_pool(u32 mib, u32 arena_mib, u64 reserve)
{
	struct quarry_pool *pool = lists_zalloc(sizeof(*pool));
	struct quarry_zone *z = lists_zalloc(sizeof(*z));
	unsigned long pfn = find_slots(mib / 4) << QUARRY_DIRECTORY_SHIFT;
	int cpu;

	pool->registered.id = pfn;
	pool->max = mib * (u64)MIB_FRAMES;
	pool->min = pool->max;
	pool->reserve = reserve;
	pool->nr_zones = 2;
	pool->zone = lists_zalloc(2 * sizeof(*pool->zone));
	pool->zone[0] = z;
	pool->node = NUMA_NO_NODE;
	atomic64_set(&pool->managed, pool->max);
	quarry_buddy_init(&z->buddy);
	z->buddy.key = next_key;
	z->buddy.expected = pool->min / QUARRY_AREA_FRAMES;
	next_key += ZONE_KEYS;
	z->pool = pool;
	for (; mib; mib -= arena_mib, pfn += arena_mib * MIB_FRAMES)
		add_arena(z, pfn, arena_mib * MIB_FRAMES);
	pool->pcp = reserve_memory(LISTS_CPUS * LISTS_UNIT);
	for_each_possible_cpu(cpu)
		quarry_pcp_init(per_cpu_ptr(pool->pcp, cpu), &z->buddy,
				1 + cpu % (QUARRY_HOMES - 1));
	quarry_lists_limit(pool);
	return pool;
}

/**
 * machine_settle() - empty all lists of a pool
 * @pool:	the pool; all CPUs are at rest
 *
 * Return: frames that were on lists.
 */
u64 machine_settle(struct quarry_pool *pool)
{
	u64 frames;

	machine_rest(true);
	frames = quarry_pcp_drain_all(pool, QUARRY_FOREVER);
	machine_rest(false);
	quarry_zone_settle(machine_zone(pool));
	return frames;
}

/**
 * machine_chore() - two seconds later: the decay, if it is due
 * @pool:	the pool; all CPUs are at rest
 *
 * Return: whether it was.
 */
bool machine_chore(struct quarry_pool *pool)
{
	if (!READ_ONCE(chore->due))
		return false;
	machine_rest(true);
	chore_pool = pool;
	chore->work.func(NULL);
	chore_pool = NULL;
	machine_rest(false);
	return true;
}

/* That of whoever stands on this machine and has one (objects/machine.c). */
struct quarry_chore *machine_last_chore(void)
{
	return last_chore;
}

/* All CPUs are at rest, and no block of it is out. */
void machine_pool_free(struct quarry_pool *pool)
{
	struct quarry_zone *z = machine_zone(pool);
	unsigned long i;
	int cpu;

	machine_settle(pool);
	for (i = pool->registered.id >> QUARRY_DIRECTORY_SHIFT;
	     i < (pool->registered.id + pool->max) >> QUARRY_DIRECTORY_SHIFT; i++) {
		struct quarry_page_arena *c = quarry_directory_entries[i].arena;

		quarry_directory_entries[i].arena = NULL;
		quarry_directory_entries[i].key = 0;
		/* An arena goes with its last entry. */
		if (i + 1 != (c->pfn + c->nr) >> QUARRY_DIRECTORY_SHIFT)
			continue;
		free(c->arena.areas);
		free(c);
	}
	for_each_possible_cpu(cpu) {
		free(per_cpu_ptr(pool->pcp, cpu)->cold);
		free(per_cpu_ptr(pool->pcp, cpu)->gift);
	}
	munmap(pool->pcp, LISTS_CPUS * LISTS_UNIT);
	free(pool->zone);
	free(z);
	free(pool);
}

/* What slow paths counted, of all CPUs. */
u64 machine_count(struct quarry_pool *pool, unsigned int which)
{
	u64 sum = atomic64_read(&pool->stray[which]);
	int cpu;

	for_each_possible_cpu(cpu) {
		/* Pairs with quarry_pcp_open(). */
		struct quarry_cold *cold = smp_load_acquire(&per_cpu_ptr(pool->pcp, cpu)->cold);

		sum += cold ? local64_read(&cold->count[which]) : 0;
	}
	return sum;
}

u64 machine_misuses(struct quarry_pool *pool)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < QUARRY_NR_ERRORS; i++)
		sum += machine_count(pool, QUARRY_COUNT_ERRORS + i);
	return sum;
}

/* Frames on the lists of all CPUs. */
u64 machine_on_lists(struct quarry_pool *pool)
{
	u64 frames = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		frames += quarry_pcp_frames(per_cpu_ptr(pool->pcp, cpu));
	return frames;
}

/* Blocks of an order that were handed out and taken back, ever; see stats/snapshot.c. */
void machine_calls(struct quarry_pool *pool, unsigned int order, u64 *allocs, u64 *frees)
{
	u64 a, f;
	int cpu;

	*allocs = machine_count(pool, QUARRY_COUNT_DIRECT_ALLOCS + order);
	*frees = machine_count(pool, QUARRY_COUNT_DIRECT_FREES + order);
	for_each_possible_cpu(cpu) {
		quarry_list_calls(per_cpu_ptr(pool->pcp, cpu), order, &a, &f);
		*allocs += a;
		*frees += f;
	}
}

/* --- what the files above call beside each other -------------------------------------- */

bool quarry_visit_cpu(const struct quarry_visitor *v, void *data, int cpu,
		      enum quarry_patience patience, u64 *sum)
{
	enum quarry_answer answer;

	(void)patience;
	if (!rest && cpu != raw_smp_processor_id())
		return false;
	do {
		if (!v->wanted(data, cpu))
			return true;
		lists_preempt_count++;
		answer = v->visit(data, cpu, sum);
		lists_preempt_count--;
	} while (answer == QUARRY_VISIT_MORE);
	return answer == QUARRY_VISIT_DONE;
}

bool quarry_visit(const struct quarry_visitor *v, void *data, enum quarry_patience patience,
		  u64 *sum)
{
	bool all = true;
	int cpu;

	for_each_possible_cpu(cpu)
		all &= quarry_visit_cpu(v, data, cpu, patience, sum);
	return all;
}

void quarry_misuse(struct quarry_pool *pool, enum quarry_error kind,
		   const struct quarry_page_arena *c, struct quarry_frame f, u64 length)
{
	(void)c;
	(void)f;
	(void)length;
	quarry_count(pool, QUARRY_COUNT_ERRORS + kind);
}

void quarry_misuse_deferred(struct quarry_pool *pool)
{
	quarry_count(pool, QUARRY_COUNT_ERRORS + QUARRY_ERR_DOUBLE_FREE);
}

enum quarry_error quarry_misuse_kind(const struct quarry_page_arena *c, struct quarry_frame f)
{
	struct quarry_frame head;

	if (!quarry_arena_head(&c->arena, f, &head))
		return QUARRY_ERR_DOUBLE_FREE;
	if ((READ_ONCE(c->arena.state[head.i]) & QUARRY_STATE_KIND) != QUARRY_STATE_ALLOC)
		return QUARRY_ERR_DOUBLE_FREE;
	return head.i == f.i ? QUARRY_ERR_WRONG_ORDER : QUARRY_ERR_INTERIOR;
}

/* No pool here has modes. */
void quarry_guard_pages_out(struct quarry_pool *pool, struct page *page, unsigned long nr,
			    gfp_t gfp)
{
}

bool quarry_guard_pages_in(struct quarry_pool *pool, struct quarry_page_arena *c,
			   struct quarry_frame f, unsigned long nr, unsigned long keep)
{
	(void)pool;
	(void)c;
	(void)f;
	(void)nr;
	(void)keep;
	return false;
}

/* Nothing is printed. */
void quarry_report_message(bool warning, const char *fmt, ...)
{
	(void)warning;
	(void)fmt;
}

bool quarry_pool_grow(struct quarry_pool *pool, const struct quarry_wish *w, bool near,
		      unsigned int order)
{
	(void)pool;
	(void)w;
	(void)near;
	(void)order;
	return false;
}

bool quarry_pool_await_growth(struct quarry_pool *pool, const struct quarry_wish *w, int seen,
			      bool *waited)
{
	(void)pool;
	(void)w;
	(void)seen;
	(void)waited;
	return false;
}

bool quarry_pool_make_room(struct quarry_pool *pool, const struct quarry_wish *w,
			   unsigned int order)
{
	(void)pool;
	(void)w;
	(void)order;
	return false;
}

bool quarry_range_could_serve(struct quarry_pool *pool, const struct quarry_wish *w,
			      unsigned int order, int *looked)
{
	(void)pool;
	(void)w;
	(void)order;
	(void)looked;
	return true;
}

/* As grow.c where the pool is at its cap; its first look is what a refill pays for. */
void quarry_pool_wake(struct quarry_pool *pool, const struct quarry_zone *z)
{
	if (READ_ONCE(z->buddy.nfree) >= pool->low)
		return;
}

void quarry_pool_tell_available(struct quarry_pool *pool)
{
	(void)pool;
}

/* Where there are caches they are asked (objects/machine.c). */
__attribute__((__weak__))
u64 quarry_pool_reclaim_block(struct quarry_pool *pool, unsigned int order)
{
	(void)pool;
	(void)order;
	return 0;
}

u64 quarry_pool_reclaim_guests(struct quarry_pool *pool)
{
	(void)pool;
	return 0;
}

/* No frame fails here. */
void quarry_zone_keep_poisoned(struct quarry_zone *z)
{
	(void)z;
}

void quarry_chore_set_timer(struct irq_work *wake)
{
	(void)wake;
}

void quarry_chore_begin(struct quarry_chore *c)
{
	if (!chore)
		chore = c;
	last_chore = c;
	WRITE_ONCE(c->due, false);
}

/* As keeper.c, without what comes of it: see machine_chore(). */
void quarry_chore_wake(struct quarry_chore *c)
{
	/* What there is to do first. */
	smp_mb();
	if (!READ_ONCE(c->due))
		WRITE_ONCE(c->due, true);
}

void quarry_chore_at_work(struct quarry_chore *c)
{
	WRITE_ONCE(c->due, false);
	/* Then look. */
	smp_mb();
}

void quarry_chore_end(struct quarry_chore *c)
{
	WRITE_ONCE(c->due, true);
}

void quarry_keeper_rest(void)
{
}

struct quarry_pool *quarry_pool_look_next(struct quarry_pool *pool)
{
	return pool ? NULL : chore_pool;
}

void quarry_pool_look_away(struct quarry_pool *pool)
{
	(void)pool;
}

bool quarry_injection_fires(struct quarry_injection *injection)
{
	(void)injection;
	return false;
}

bool quarry_inject_fires(void)
{
	return false;
}
