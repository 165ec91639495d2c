// SPDX-License-Identifier: GPL-2.0
/*
 * Native nanoseconds of the page layer, per-CPU lists and all, on one CPU and on two.
 *
 * A case is a workload at an order:
 *
 *	repeat		free a block, take one
 *	bulk16, bulk128	take so many, one by one; then free them, oldest first
 *	rand		free a block of a working set at random, take one in its place
 *
 * A figure is the nanoseconds that a free and an allocation take together, of the thread's
 * own CPU time, for others may share the machine; whoever spins for a lock pays for it. Two
 * threads tell something only while both run: a run in which one had to wait for its CPU is
 * tried again, TRIES times; how many were taken all the same is said.
 * Three runs take turns, ROUNDS times, and the medians are told:
 *
 *	one	one thread
 *	own	two threads, each on a pool of its own: the control
 *	two	two threads on one pool
 *
 * Beside them, serving blocks of the same size: the bare core under a lock, which is what
 * the lists are there to spare; the C library's malloc, and mimalloc and jemalloc where they
 * are installed. These have no pools, so their control is one thread. Nobody touches a block's
 * memory.
 *
 * Goals are printed and nothing fails by them: repeat and bulk at most a fifth of the core, rand
 * no slower than it; two threads at most 1.3 times their control.
 *
 * The lists are called as clients do, with orders that are constant.
 *
 *	POOL_MIB=	memory of a pool (4096)
 *	ROUNDS=		(9)
 *	PEERS=		of the five how many are measured (5); 2: the lists and the core
 *
 *	COUNTS=1	of each run, how often the zone was asked
 *
 * Usage: lists [FILE [CASE...]]	FILE gets the figures as JSON, one object a line
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "../bench/arm.h"
#include "../dice.h"
#include "../tap.h"

#define MAX_ROUNDS	101
#define THREADS		2
#define MOST		4096u		/* blocks that a thread holds */
#define ARENA_MIB	4u

/* What a run should take: clocks do not count, and the scheduler seldom comes. */
#define ROUND_NS	1500000.0

/* Runs that were disturbed, before one is taken; it was if it took so much more by the clock. */
#define TRIES		8
#define DISTURBED	1.1

enum run { ONE, OWN, TWO, RUNS };

static u32 pool_mib;
static u64 rounds;
static u64 nr_peers;

/* --- who is measured ------------------------------------------------------------------- */

/**
 * struct peer - an allocator
 * @name:	as it is printed
 * @init:	make @nr pools; false: it is not there
 * @fini:	free them
 * @get:	a block of pool number @pool, never NULL
 * @put:	take it back
 */
struct peer {
	const char *name;
	bool (*init)(unsigned int nr);
	void (*fini)(unsigned int nr);
	void *(*get)(unsigned int pool, unsigned int order);
	void (*put)(unsigned int pool, void *block, unsigned int order);
};

static void none_left(void)
{
	fprintf(stderr, "an allocator has no block left\n");
	abort();
}

static struct quarry_pool *pools[THREADS];

static bool lists_init(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		pools[i] = machine_pool(pool_mib, ARENA_MIB, 0);
	return true;
}

/* Of a pool whose blocks are all back: where they came from and went. */
static void tell_counts(struct quarry_pool *pool)
{
	unsigned int k;
	u64 a, f;

	for (k = 0; k < QUARRY_PCP_ORDERS; k++) {
		machine_calls(pool, k, &a, &f);
		if (!a)
			continue;
		printf("  o%u: %llu calls, %llu refills, %llu flushes; ", k, a,
		       machine_count(pool, QUARRY_COUNT_REFILLS),
		       machine_count(pool, QUARRY_COUNT_FLUSHES));
		printf("past the lists %llu allocations, %llu frees\n",
		       machine_count(pool, QUARRY_COUNT_DIRECT_ALLOCS + k),
		       machine_count(pool, QUARRY_COUNT_DIRECT_FREES + k));
	}
}

static void lists_fini(unsigned int nr)
{
	struct quarry_check c = {};
	unsigned int i;
	u64 violations;

	for (i = 0; i < nr; i++) {
		if (env_number("COUNTS", 0))
			tell_counts(pools[i]);
		machine_settle(pools[i]);
		violations = machine_misuses(pools[i]);
		quarry_buddy_check(&machine_zone(pools[i])->buddy, &c);
		if (violations || c.violations || quarry_pool_nfree(pools[i]) != pools[i]->max) {
			fprintf(stderr, "the lists are broken: %s\n", c.what);
			abort();
		}
		machine_pool_free(pools[i]);
	}
}

static __always_inline void *lists_get(unsigned int pool, unsigned int order)
{
	struct page *page = quarry_alloc_pages(pools[pool], GFP_NOWAIT, order);

	if (unlikely(!page))
		none_left();
	return page;
}

static __always_inline void lists_put(unsigned int pool, void *block, unsigned int order)
{
	quarry_free_pages(pools[pool], block, order);
}

/* A block is known by its state byte, as arenas lie in one array. */
struct core {
	u32 lock ____cacheline_aligned_in_smp;
	struct quarry_buddy buddy ____cacheline_aligned_in_smp;
	struct quarry_arena *arenas;
	u8 *metadata;
	size_t bytes;
};

static struct core cores[THREADS];

static bool core_init(unsigned int nr)
{
	u32 arenas = pool_mib / ARENA_MIB, frames = ARENA_MIB * 256, i;
	struct core *c;

	for (c = cores; c < cores + nr; c++) {
		quarry_buddy_init(&c->buddy);
		c->bytes = quarry_arena_metadata_bytes(0, frames);
		c->arenas = lists_zalloc(arenas * sizeof(*c->arenas));
		c->metadata = lists_zalloc(arenas * c->bytes);
		for (i = 0; i < arenas; i++) {
			quarry_arena_init(&c->arenas[i], c->metadata + i * c->bytes, i * frames,
					  frames);
			quarry_buddy_add(&c->buddy, &c->arenas[i], false);
		}
	}
	return true;
}

static void core_fini(unsigned int nr)
{
	struct core *c;

	for (c = cores; c < cores + nr; c++) {
		free(c->arenas);
		free(c->metadata);
	}
}

static __always_inline void *core_get(unsigned int pool, unsigned int order)
{
	const struct quarry_want want = { .order = order, .kind = QUARRY_STATE_ALLOC };
	struct core *c = &cores[pool];
	struct quarry_block block;
	int err;

	arm_lock(&c->lock);
	err = quarry_buddy_claim(&c->buddy, &want, &block);
	arm_unlock(&c->lock);
	if (unlikely(err))
		none_left();
	return &block.arena->state[block.frame.i];
}

static __always_inline void core_put(unsigned int pool, void *block, unsigned int order)
{
	struct core *c = &cores[pool];
	struct quarry_arena *a = &c->arenas[((u8 *)block - c->metadata) / c->bytes];
	struct quarry_frame f = { (u8 *)block - a->state };

	arm_lock(&c->lock);
	if (READ_ONCE(*(u8 *)block) != (QUARRY_STATE_ALLOC | order))
		none_left();
	quarry_buddy_free(&c->buddy, a, f, order, false);
	arm_unlock(&c->lock);
}

static void *(*malloc_of)(size_t size);
static void (*free_of)(void *p);

static bool library(const char *file, const char *alloc, const char *release)
{
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return false;
	malloc_of = (void *(*)(size_t))dlsym(handle, alloc);
	free_of = (void (*)(void *))dlsym(handle, release);
	return malloc_of && free_of;
}

static bool glibc_init(unsigned int nr)
{
	(void)nr;
	malloc_of = malloc;
	free_of = free;
	return true;
}

static bool mimalloc_init(unsigned int nr)
{
	(void)nr;
	return library("libmimalloc.so.2", "mi_malloc", "mi_free");
}

static bool jemalloc_init(unsigned int nr)
{
	(void)nr;
	return library("libjemalloc.so.2", "malloc", "free");
}

static void malloc_fini(unsigned int nr)
{
	(void)nr;
}

static __always_inline void *malloc_get(unsigned int pool, unsigned int order)
{
	void *p = malloc_of(PAGE_SIZE << order);

	(void)pool;
	if (unlikely(!p))
		none_left();
	return p;
}

static __always_inline void malloc_put(unsigned int pool, void *block, unsigned int order)
{
	(void)pool;
	(void)order;
	free_of(block);
}

/* --- what is done ----------------------------------------------------------------------- */

/**
 * struct job - what a thread does
 * @pool:	on which pool
 * @cpu:	on which CPU
 * @steps:	how often
 * @blocks:	what it holds
 * @nr:		of these
 * @ns:		set to how long a step took
 * @disturbed:	set if it had to wait for its CPU
 */
struct job {
	unsigned int pool;
	unsigned int cpu;
	u64 steps;
	void *blocks[MOST];
	u32 nr;
	double ns;
	bool disturbed;
} ____cacheline_aligned_in_smp;

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* By these the compiler knows in each function below who is called, and the order. */
#define ALLOCATOR(who)							\
	static const struct peer who##_peer = {				\
		#who, who##_init, who##_fini, who##_get, who##_put	\
	}

ALLOCATOR(lists);
ALLOCATOR(core);

static const struct peer glibc_peer = { "glibc", glibc_init, malloc_fini, malloc_get, malloc_put };
static const struct peer mimalloc_peer = { "mimalloc", mimalloc_init, malloc_fini, malloc_get,
					   malloc_put };
static const struct peer jemalloc_peer = { "jemalloc", jemalloc_init, malloc_fini, malloc_get,
					   malloc_put };

static __always_inline void do_repeat(const struct peer *p, struct job *j, unsigned int order)
{
	void *block = p->get(j->pool, order);
	u64 i;

	for (i = 0; i < j->steps; i++) {
		p->put(j->pool, block, order);
		block = p->get(j->pool, order);
	}
	p->put(j->pool, block, order);
}

static __always_inline void do_bulk(const struct peer *p, struct job *j, unsigned int order,
				    u32 nr)
{
	u64 i;
	u32 k;

	for (i = 0; i < j->steps; i += nr) {
		for (k = 0; k < nr; k++)
			j->blocks[k] = p->get(j->pool, order);
		for (k = 0; k < nr; k++)
			p->put(j->pool, j->blocks[k], order);
	}
}

static __always_inline void do_bulk16(const struct peer *p, struct job *j, unsigned int order)
{
	do_bulk(p, j, order, 16);
}

static __always_inline void do_bulk128(const struct peer *p, struct job *j, unsigned int order)
{
	do_bulk(p, j, order, 128);
}

/* The working set is there before, and stays; see hold(). */
static __always_inline void do_rand(const struct peer *p, struct job *j, unsigned int order)
{
	u64 x = 88172645463325252ULL + j->cpu, i;
	void **block;

	for (i = 0; i < j->steps; i++) {
		/* xorshift64 (Marsaglia 2003): a few cycles. */
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		block = &j->blocks[(x >> 32) % MOST * j->nr / MOST];
		p->put(j->pool, *block, order);
		*block = p->get(j->pool, order);
	}
}

enum work { REPEAT, BULK16, BULK128, RAND, WORKS };

static const char *const work_names[WORKS] = { "repeat", "bulk16", "bulk128", "rand" };

/* Orders that are measured, and how many blocks of them are a working set. */
static const struct {
	unsigned int order;
	u32 held;
} sizes[] = { { 0, 4096 }, { 3, 2048 }, { 9, 512 } };

typedef void (*doer)(struct job *j);

#define DOER(who, work, k)						\
	static void who##_##work##_##k(struct job *j)			\
	{									\
		do_##work(&who##_peer, j, k);				\
	}
#define DOERS_OF_WORK(who, work)						\
	DOER(who, work, 0) DOER(who, work, 3) DOER(who, work, 9)
#define DOERS_OF(who)								\
	DOERS_OF_WORK(who, repeat) DOERS_OF_WORK(who, bulk16)		\
	DOERS_OF_WORK(who, bulk128) DOERS_OF_WORK(who, rand)

DOERS_OF(lists)
DOERS_OF(core)
DOERS_OF(glibc)

#define NAMES_OF_WORK(who, work)						\
	{ who##_##work##_0, who##_##work##_3, who##_##work##_9 }
#define NAMES_OF(who) {							\
	NAMES_OF_WORK(who, repeat), NAMES_OF_WORK(who, bulk16),		\
	NAMES_OF_WORK(who, bulk128), NAMES_OF_WORK(who, rand) }

/* The mallocs differ in where two pointers lead. */
static const struct {
	const struct peer *peer;
	bool pools;
	doer doers[WORKS][ARRAY_SIZE(sizes)];
} peers[] = {
	{ &lists_peer, true, NAMES_OF(lists) },
	{ &core_peer, true, NAMES_OF(core) },
	{ &glibc_peer, false, NAMES_OF(glibc) },
	{ &mimalloc_peer, false, NAMES_OF(glibc) },
	{ &jemalloc_peer, false, NAMES_OF(glibc) },
};

#define PEERS	ARRAY_SIZE(peers)

/* --- how it is measured ----------------------------------------------------------------- */

static struct job jobs[THREADS];
static const struct peer *peer;
static doer does;
static unsigned int order;
static u32 held;
static pthread_barrier_t start;
static u64 nr_runs;
static u64 nr_disturbed;

/* Take the working set, in an order that is not that of memory; or give it back. */
static void hold(struct job *j, u32 nr)
{
	struct dice d;
	u32 i, k;

	for (; j->nr < nr; j->nr++)
		j->blocks[j->nr] = peer->get(j->pool, order);
	dice_seed(&d, 1 + j->cpu);
	for (i = j->nr; i > 1; i--) {
		void *block = j->blocks[i - 1];

		k = dice(&d, i);
		j->blocks[i - 1] = j->blocks[k];
		j->blocks[k] = block;
	}
	while (j->nr > nr)
		peer->put(j->pool, j->blocks[--j->nr], order);
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	/* Where there is one CPU alone both threads are on it, and the figures say little. */
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	machine_cpu(cpu);
}

static void *thread(void *arg)
{
	struct job *j = arg;
	double begin, wall, ns;

	pin(j->cpu);
	hold(j, held);
	pthread_barrier_wait(&start);
	wall = now(CLOCK_MONOTONIC);
	begin = now(CLOCK_THREAD_CPUTIME_ID);
	does(j);
	ns = now(CLOCK_THREAD_CPUTIME_ID) - begin;
	j->disturbed = now(CLOCK_MONOTONIC) - wall > DISTURBED * ns;
	j->ns = ns / j->steps;
	pthread_barrier_wait(&start);
	hold(j, 0);
	return NULL;
}

/* Nanoseconds of a step, the mean of the threads; *@disturbed: one of them had to wait. */
static double run_once(enum run run, u64 steps, bool *disturbed)
{
	unsigned int nr = run == ONE ? 1 : THREADS, nr_pools = run == OWN ? THREADS : 1, i;
	pthread_t threads[THREADS];
	double sum = 0;

	*disturbed = false;
	peer->init(nr_pools);
	pthread_barrier_init(&start, NULL, nr);
	for (i = 0; i < nr; i++) {
		jobs[i].pool = i % nr_pools;
		jobs[i].cpu = i;
		jobs[i].steps = steps;
		if (pthread_create(&threads[i], NULL, thread, &jobs[i]))
			abort();
	}
	for (i = 0; i < nr; i++) {
		pthread_join(threads[i], NULL);
		sum += jobs[i].ns;
		*disturbed |= jobs[i].disturbed;
	}
	pthread_barrier_destroy(&start);
	peer->fini(nr_pools);
	return sum / nr;
}

static double measure(enum run run, u64 steps)
{
	bool disturbed = true;
	unsigned int tries;
	double ns = 0;

	for (tries = 0; disturbed && tries < TRIES; tries++)
		ns = run_once(run, steps, &disturbed);
	nr_runs++;
	nr_disturbed += disturbed;
	return ns;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *figures, unsigned int nr)
{
	qsort(figures, nr, sizeof(*figures), compare);
	return figures[nr / 2];
}

struct figures {
	double one;
	double ratio;	/* of two threads over their control */
	double own;
	double two;
	bool there;
};

static struct figures of_peer(unsigned int i, enum work work, unsigned int size)
{
	double ns[RUNS][MAX_ROUNDS], ratio[MAX_ROUNDS];
	bool own = peers[i].pools;
	struct figures f = {};
	u64 steps, r;

	peer = peers[i].peer;
	does = peers[i].doers[work][size];
	order = sizes[size].order;
	held = work == RAND ? sizes[size].held : 0;
	if (!peer->init(0))
		return f;
	steps = ROUND_NS / clamp(measure(ONE, 20000), 5.0, 10000.0);
	for (r = 0; r < rounds; r++) {
		ns[ONE][r] = measure(ONE, steps);
		ns[OWN][r] = own ? measure(OWN, steps) : ns[ONE][r];
		ns[TWO][r] = measure(TWO, steps);
		ratio[r] = ns[TWO][r] / ns[OWN][r];
	}
	f.one = median(ns[ONE], rounds);
	f.own = median(ns[OWN], rounds);
	f.two = median(ns[TWO], rounds);
	f.ratio = median(ratio, rounds);
	f.there = true;
	return f;
}

static const char *verdict(double value, double limit)
{
	return value <= limit ? "met" : "missed";
}

static void tell(FILE *json, const char *name, const char *unit, const struct figures *f,
		 double (*value)(const struct figures *f))
{
	const char *comma = "";
	unsigned int i;

	fprintf(json, "{\"workload\": \"%s\", \"unit\": \"%s\", \"quarry\": %.4f, \"peers\": {",
		name, unit, value(&f[0]));
	for (i = 1; i < PEERS; i++) {
		if (!f[i].there)
			continue;
		fprintf(json, "%s\"%s\": %.4f", comma, peers[i].peer->name, value(&f[i]));
		comma = ", ";
	}
	fprintf(json, "}}\n");
}

static double one_of(const struct figures *f)
{
	return f->one;
}

static double ratio_of(const struct figures *f)
{
	return f->ratio;
}

static void show(FILE *json, const char *name, enum work work, unsigned int size)
{
	double limit = work == RAND ? 1 : 0.2;
	struct figures f[PEERS] = {};
	char full[64];
	unsigned int i;

	for (i = 0; i < nr_peers; i++)
		f[i] = of_peer(i, work, size);
	printf("%-10s %7.1f %7.1f %6.2f <= %.1f %-6s %7.1f %7.1f %6.2f <= 1.3 %-6s %6.2f", name,
	       f[0].one, f[1].one, f[0].one / f[1].one, limit,
	       verdict(f[0].one, limit * f[1].one), f[0].own, f[0].two, f[0].ratio,
	       verdict(f[0].ratio, 1.3), f[1].ratio);
	for (i = 2; i < PEERS; i++) {
		if (f[i].there)
			printf(" %8.1f %5.2f", f[i].one, f[i].ratio);
		else
			printf(" %8s %5s", "-", "-");
	}
	printf("\n");
	fflush(stdout);
	if (!json)
		return;
	snprintf(full, sizeof(full), "lists.%s", name);
	tell(json, full, "ns", f, one_of);
	snprintf(full, sizeof(full), "lists.%s.two", name);
	tell(json, full, "ratio", f, ratio_of);
}

static bool is_wanted(const char *name, char **words, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		if (!strncmp(words[i], name, strlen(words[i])))
			return true;
	return nr <= 0;
}

/* Thread-local memory of libraries that come late has no room otherwise: begin again. */
static void make_room(char **argv)
{
	if (!setenv("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=65536", 0) &&
	    !getenv("LISTS_ROOM") && !setenv("LISTS_ROOM", "1", 1))
		execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	FILE *json = NULL;
	unsigned int work, size, i;
	char name[32];
	int err = 0;

	make_room(argv);
	pool_mib = env_number("POOL_MIB", 4096);
	rounds = env_number("ROUNDS", 9);
	nr_peers = env_number("PEERS", PEERS);
	if (pool_mib < 4096 || pool_mib > 65536 || pool_mib % 16 || !rounds ||
	    rounds > MAX_ROUNDS || nr_peers < 2 || nr_peers > PEERS) {
		fprintf(stderr, "POOL_MIB: 4096 to 65536, by 16; ROUNDS: 1 to %u; PEERS: 2 to 5\n",
			MAX_ROUNDS);
		return 2;
	}
	if (argc > 1 && *argv[1]) {
		json = fopen(argv[1], "w");
		if (!json) {
			perror(argv[1]);
			return 2;
		}
	}
	machine_init(2 * pool_mib);
	printf("lists in user space, pools of %u MiB, medians of %llu\n", pool_mib, rounds);
	printf("nanoseconds of a free and an allocation\n\n");
	printf("%-10s %7s %7s %6s %6s %-6s %7s %7s %6s %6s %-6s %6s", "", "one", "core", "/core",
	       "goal", "", "own", "two", "/own", "goal", "", "core");
	for (i = 2; i < PEERS; i++)
		printf(" %8s %5s", peers[i].peer->name, "two");
	printf("\n");
	for (work = 0; work < WORKS; work++) {
		for (size = 0; size < ARRAY_SIZE(sizes); size++) {
			snprintf(name, sizeof(name), "%s.o%u", work_names[work],
				 sizes[size].order);
			if (is_wanted(name, argv + 2, argc - 2))
				show(json, name, work, size);
		}
	}
	printf("\nnote user.lists: %llu of %llu runs were disturbed\n", nr_disturbed, nr_runs);
	if (json && fclose(json)) {
		perror(argv[1]);
		err = 2;
	}
	return err;
}
