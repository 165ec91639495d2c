// SPDX-License-Identifier: GPL-2.0
/*
 * A machine for the object layer in user space, on that of the page layer (lists/machine.c).
 *
 * module/cache/{alloc,bulk,magazines,slabs,tags,labels,misuse,guard,modes,remote,reserve,check,
 * cache,reap,visits,spare,leak_pool}.c are compiled unchanged, over module/slab, module/pages and
 * module/buddy. Here is what else they stand on:
 *
 *	labels		the table they hang in is an array, all of it there
 *	registry	a list
 *	tags		the smallest number that is free
 *	RCU		what is due after a grace period waits for machine_grace_period()
 *	reaper		comes when it is said (machine_reap())
 *	reports		are counted and written into nothing: who is told what is for KUnit
 *	KASAN		with AddressSanitizer its shadow is ours: it sees objects that are free,
 *			and bytes beside them, as the kernel's does (base/shadow.c)
 *
 * Not modelled: more than one node, so remote magazines stay empty; stray frees by the kernel;
 * file systems that give objects back; who leaked.
 */
#include <stdarg.h>

#include <linux/mm.h>

#include "../../../../module/arena/directory.h"
#include "../../../../module/arena/table.h"
#include "../../../../module/base/random.h"
#include "../../../../module/base/report.h"
#include "../../../../module/cache/cache.h"
#include "../../../../module/cache/labels.h"
#include "../../../../module/pages/keeper.h"
#include "../lists/machine.h"
#include "machine.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

unsigned long objects_jiffies = HZ;
u64 machine_reports;

#ifdef __SANITIZE_THREAD__
int objects_fence;
#endif

/* --- interrupts that a CPU sends itself --------------------------------------------------- */

static __thread struct irq_work *waiting;

void objects_irq_work(struct irq_work *work)
{
	/* Those of a pool have nothing to do here (lists/machine.c), nor have timers. */
	if (work->func && work->func != quarry_chore_set_timer)
		waiting = work;
	machine_interrupts();
}

/* They come where interrupts are on. */
void machine_interrupts(void)
{
	struct irq_work *work = waiting;

	if (lists_irqs_off || in_nmi() || !work)
		return;
	waiting = NULL;
	work->func(work);
}

/* --- time ------------------------------------------------------------------------------- */

/* Without a lock: one thread at a time frees what others may read. */
static struct rcu_head *due;

static void push(struct rcu_head *head, void *fn)
{
	head->func = fn;
	head->next = READ_ONCE(due);
	while (!try_cmpxchg(&due, (struct rcu_head **)&head->next, head))
		;
}

void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	push(head, (void *)fn);
}

/* As the kernel does: a small number stands for a place, not for a function. */
void objects_free_rcu(struct rcu_head *head, size_t offset)
{
	push(head, (void *)offset);
}

void rcu_barrier(void)
{
	struct rcu_head *all, *next;

	while ((all = xchg(&due, NULL)))
		for (; all; all = next) {
			size_t offset = (size_t)all->func;

			next = all->next;
			if (offset < 4096)
				kfree((char *)all - offset);
			else
				((void (*)(struct rcu_head *))all->func)(all);
		}
}

void objects_sleep(unsigned long jiffies_)
{
	objects_jiffies += jiffies_;
	rcu_barrier();
}

/* Nobody is inside anything. */
void machine_grace_period(void)
{
	rcu_barrier();
}

/* --- the kernel's memory ---------------------------------------------------------------- */

void *objects_percpu(void)
{
	return lists_zalloc(LISTS_CPUS * LISTS_UNIT);
}

void objects_percpu_free(void *p)
{
	lists_free(p);
}

int ida_alloc_range(struct ida *ida, unsigned int min, unsigned int max, gfp_t gfp)
{
	unsigned int id;

	for (id = min; id <= max; id++)
		if (!(ida->given[id / 64] >> id % 64 & 1)) {
			ida->given[id / 64] |= 1ULL << id % 64;
			return id;
		}
	return -ENOSPC;
}

void ida_free(struct ida *ida, unsigned int id)
{
	if (!(ida->given[id / 64] >> id % 64 & 1)) {
		fprintf(stderr, "number %u was not given away\n", id);
		abort();
	}
	ida->given[id / 64] &= ~(1ULL << id % 64);
}

/* --- module/arena/table.c: no holes ------------------------------------------------------ */

int quarry_table_init(struct quarry_table *t, unsigned long entry,
		      void (*publish)(const struct quarry_table *t))
{
	unsigned long *all = aligned_alloc(PAGE_SIZE, 2 * PAGE_SIZE), i;

	if (!all)
		abort();
	memset(all, 0, PAGE_SIZE);
	for (i = PAGE_SIZE / sizeof(*all); i < 2 * PAGE_SIZE / sizeof(*all); i++)
		all[i] = entry;
	t->base = (char *)all + PAGE_SIZE;
	t->pages = 1;
	publish(t);
	return 0;
}

void quarry_table_exit(struct quarry_table *t)
{
	free((char *)t->base - PAGE_SIZE);
	t->pages = 0;
}

int quarry_table_reach(struct quarry_table *t, unsigned long pfn, unsigned long nr)
{
	return 0;
}

void *quarry_table_page(const struct quarry_table *t, unsigned long i)
{
	return t->base;
}

u64 quarry_table_bytes(const struct quarry_table *t)
{
	return 2 * PAGE_SIZE;
}

void quarry_directory_ask_first(int (*reach)(unsigned long pfn, unsigned long nr))
{
}

/* --- module/base/registry.c -------------------------------------------------------------- */

#define THINGS	64U

static struct quarry_registered *things[THINGS];

static void put_in(struct quarry_registry *reg, struct quarry_registered *e)
{
	unsigned int i;

	for (i = 0; i < THINGS; i++)
		if (!things[i]) {
			things[i] = e;
			/* As registry.c. */
			smp_store_release(&e->here, true);
			reg->nr++;
			return;
		}
	abort();
}

struct quarry_registered *quarry_registry_named(struct quarry_registry *reg, const char *name)
{
	unsigned int i;

	for (i = 0; i < THINGS; i++)
		if (things[i] && things[i]->named && !strcmp(things[i]->name, name))
			return things[i];
	return NULL;
}

int quarry_registry_add(struct quarry_registry *reg, struct quarry_registered *e,
			const char *name)
{
	if (quarry_registry_named(reg, name))
		return -EEXIST;
	e->name = name;
	e->named = true;
	e->id = reg->next_id++;
	put_in(reg, e);
	return 0;
}

void quarry_registry_add_again(struct quarry_registry *reg, struct quarry_registered *e)
{
	e->named = false;
	put_in(reg, e);
}

void quarry_registry_remove(struct quarry_registry *reg, struct quarry_registered *e)
{
	unsigned int i;

	for (i = 0; i < THINGS; i++)
		if (things[i] == e) {
			things[i] = NULL;
			reg->nr--;
		}
	/* As registry.c. */
	smp_store_release(&e->here, false);
}

struct quarry_registered *quarry_registry_from(struct quarry_registry *reg, u64 id)
{
	struct quarry_registered *best = NULL;
	unsigned int i;

	for (i = 0; i < THINGS; i++)
		if (things[i] && things[i]->id >= id && (!best || things[i]->id < best->id))
			best = things[i];
	return best;
}

static struct quarry_registered *looked_at(struct quarry_registry *reg,
					   struct quarry_registered *e)
{
	if (e)
		reg->look(e);
	return e;
}

struct quarry_registered *quarry_registry_look(struct quarry_registry *reg, const char *name)
{
	return looked_at(reg, quarry_registry_named(reg, name));
}

struct quarry_registered *quarry_registry_look_id(struct quarry_registry *reg, u32 id)
{
	struct quarry_registered *e = quarry_registry_from(reg, id);

	return looked_at(reg, e && e->id == id ? e : NULL);
}

struct quarry_registered *quarry_registry_look_next(struct quarry_registry *reg,
						    const struct quarry_registered *e)
{
	return looked_at(reg, quarry_registry_from(reg, e ? e->id + 1ULL : 0));
}

unsigned int quarry_registry_list(struct quarry_registry *reg, u64 *from, void *to, size_t size,
				  unsigned int room,
				  void (*show)(const struct quarry_registered *e, void *to))
{
	return 0;
}

/* --- module/base ------------------------------------------------------------------------- */

static __thread u64 random_state = 1;

u32 quarry_random_below(u32 limit)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (random_state >> 33) % limit;
}

int quarry_injection_set(struct quarry_injection *injection, u64 nth, u32 per_million)
{
	return 0;
}

depot_stack_handle_t quarry_stack_here(unsigned int skip, bool try)
{
	return 1;
}

struct quarry_report {
	char line[256];
};

static __thread struct quarry_report report;

struct quarry_report *quarry_report_begin(u32 kind)
{
	__atomic_fetch_add(&machine_reports, 1, __ATOMIC_RELAXED);
	return &report;
}

void quarry_report_say(struct quarry_report *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->line, sizeof(r->line), fmt, args);
	va_end(args);
}

void quarry_report_who(struct quarry_report *r, const char *what, depot_stack_handle_t stack,
		       u32 pid, unsigned long when)
{
}

void quarry_report_end(struct quarry_report *r)
{
}

/* --- module/base/shadow.c over AddressSanitizer's ----------------------------------------- */

#if defined(CONFIG_KASAN_GENERIC)
void quarry_shadow_pages_open(const struct page *page, unsigned long nr)
{
	ASAN_UNPOISON_MEMORY_REGION(page_address(page), nr * PAGE_SIZE);
}

void quarry_shadow_pages_free(const struct page *page, unsigned long nr)
{
	ASAN_POISON_MEMORY_REGION(page_address(page), nr * PAGE_SIZE);
}

void quarry_shadow_open(const void *at, size_t size)
{
	ASAN_UNPOISON_MEMORY_REGION(at, size);
}

void quarry_shadow_free(const void *at, size_t size)
{
	ASAN_POISON_MEMORY_REGION(at, size);
}

/* Nobody can be told to look away for a moment, as who looks at redzones does with KASAN. */
void quarry_shadow_redzone(const void *at, size_t size)
{
}
#endif

/* --- module/pages and the rest of module/cache -------------------------------------------- */

void quarry_free_rcu_wait(void)
{
	rcu_barrier();
}

void quarry_free_bulk(size_t nr, void **p)
{
	quarry_cache_free_bulk(NULL, nr, p);
}

u64 machine_leaks;

void quarry_cache_report_leaks(struct quarry_cache *cache, u64 out)
{
	machine_leaks += out;
}

void quarry_cache_free_texts(struct quarry_cache *cache)
{
}

void quarry_strays_find_in(struct quarry_pool *pool)
{
}

void quarry_strays_mend(struct quarry_page_slab *s)
{
}

void quarry_guests_exit(void)
{
}

u64 quarry_guests_shrink(struct quarry_pool *pool)
{
	return 0;
}

int quarry_pool_check_name(const char *name)
{
	return 0;
}

static struct quarry_pool *pool;

struct quarry_pool *quarry_pool_default(void)
{
	return pool;
}

void quarry_pool_put(struct quarry_pool *p)
{
	refcount_dec_and_test(&p->refs);
}

static const struct quarry_reclaim *reclaim;

void quarry_reclaim_add(struct quarry_reclaim *r)
{
	reclaim = r;
}

void quarry_reclaim_remove(struct quarry_reclaim *r)
{
	reclaim = NULL;
}

u64 quarry_pool_reclaim_block(struct quarry_pool *p, unsigned int order)
{
	return reclaim ? reclaim->block(p, order) : 0;
}

bool quarry_pool_has_block(struct quarry_pool *p, unsigned int order)
{
	return quarry_buddy_has(&p->zone[0]->buddy, order);
}

unsigned long quarry_pools_yield(int node, unsigned long frames)
{
	return frames;
}

u64 quarry_visits_until(void)
{
	return ktime_get_mono_fast_ns() + 1;
}

void quarry_visits_stopped(unsigned int cpu)
{
}

/* --- those that wake up later -------------------------------------------------------------- */

static struct quarry_chore *reaper;

/**
 * machine_objects_init() - a pool, and what caches in it need
 * @mib:	of the pool
 */
struct quarry_pool *machine_objects_init(u32 mib)
{
	machine_init(mib);
	pool = machine_pool(mib, 4, 0);
	INIT_LIST_HEAD(&pool->holders);
	refcount_set(&pool->refs, 1);
	refcount_set(&pool->looks, 1);
	quarry_magazine_set_budget(1 << 20);
	if (quarry_labels_init() || quarry_reaper_init())
		abort();
	reaper = machine_last_chore();
	return pool;
}

/* All of it goes; no cache is left. */
void machine_objects_exit(void)
{
	quarry_reaper_exit();
	rcu_barrier();
	quarry_tags_exit();
	quarry_labels_exit();
	machine_pool_free(pool);
}

/* Two seconds later: the reaper, if it is due. All CPUs are at rest, and said to be. */
void machine_reap(void)
{
	objects_jiffies += 2 * HZ;
	if (!READ_ONCE(reaper->due))
		return;
	reaper->work.func(NULL);
}
