// SPDX-License-Identifier: GPL-2.0
/*
 * The page layer under a crowd: every CPU allocates, frees, and passes blocks on.
 *
 * THREADS threads, each a CPU, walk at random over one pool that is too small for them:
 * blocks of all orders, one by one and many in a call, with flags that go to the lists, past
 * them and to the reserve; frees on other CPUs than the block came from; frees that are wrong;
 * calls as from NMI, which only try the zone's lock; drains. Another thread reads statistics
 * all the time. In the last test signals land anywhere, as interrupts do, and allocate and
 * free as well; where the kernel has interrupts off they find nothing to do.
 *
 * What must hold when all have stopped is in hands.c; and when all is given back the pool is
 * as it was.
 *
 *	SEED= STEPS= (20000) THREADS= (4)
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "hands.h"
#include "../bench/frag.h"
#include "../tap.h"

#define POOL_MIB	64u
#define RESERVE		256u
#define PASSED		64u
#define ROUNDS		4u

/**
 * struct cpu - a thread
 * @hand:	what it has itself
 * @late:	what its interrupts have
 * @misuses:	wrong frees
 * @interrupts:	that came and could work; of these
 * @inside:	that landed while lists were being changed
 * @id:		its number
 * @thread:	it
 */
struct cpu {
	struct hand hand;
	struct hand late;
	u64 misuses;
	u64 interrupts;
	u64 inside;
	unsigned int id;
	pthread_t thread;
};

static struct quarry_pool *pool;
static struct cpu cpus[LISTS_CPUS - 1];
static u64 nr_cpus, nr_steps, seed;
static atomic_bool stop;
static atomic_uint running;
static __thread struct cpu *here;

/* Blocks on their way from one thread to another. */
static struct held passed[PASSED];
static unsigned int nr_passed;
static pthread_mutex_t passed_lock = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what)
{
	printf("# seed %llu: %s\n", seed, what);
	fflush(stdout);
	abort();
}

static void require(bool holds, const char *what)
{
	if (!holds)
		fail(what);
}

/* Small ones are more frequent, as there is room for more. */
static unsigned int draw_order(struct dice *d)
{
	unsigned int order = dice(d, QUARRY_PCP_ORDERS);

	return dice(d, 8) ? order * dice(d, 5) / 8 : order;
}

static gfp_t draw_gfp(struct dice *d)
{
	static const gfp_t flags[] = {
		GFP_NOWAIT, GFP_NOWAIT, GFP_NOWAIT, GFP_NOWAIT, GFP_KERNEL, GFP_KERNEL,
		GFP_ATOMIC, GFP_KERNEL | __GFP_MOVABLE, GFP_KERNEL | __GFP_NORETRY,
	};

	return flags[dice(d, ARRAY_SIZE(flags))];
}

/* Cleared pages are zeros, whoever had them. */
static void soil(const struct held *h, bool zero)
{
	u64 *words = page_address(h->page);
	u64 i;

	for (i = 0; i < PAGE_SIZE / sizeof(*words) << h->order; i += 64) {
		require(!zero || !words[i], "a page that was to be cleared is not");
		words[i] = 1;
	}
}

static void take(struct hand *hand)
{
	struct held *h = &hand->held[hand->nr];
	bool zero;
	gfp_t gfp;

	if (hand->nr == HELD)
		return;
	h->order = draw_order(&hand->dice);
	gfp = draw_gfp(&hand->dice);
	zero = h->order < 4 && !dice(&hand->dice, 16);
	h->page = quarry_alloc_pages(pool, gfp | (zero ? __GFP_ZERO : 0), h->order);
	if (!h->page)
		return;
	own(hand, h);
	hand->nr++;
	if (zero)
		soil(h, true);
}

static void take_many(struct hand *hand)
{
	struct page *pages[HELD];
	unsigned int order = dice(&hand->dice, 3), nr, i;

	nr = 1 + dice(&hand->dice, 64);
	if (hand->nr + nr > HELD)
		return;
	nr = quarry_alloc_pages_bulk(pool, GFP_NOWAIT, order, nr, pages);
	for (i = 0; i < nr; i++) {
		hand->held[hand->nr] = (struct held){ pages[i], order };
		own(hand, &hand->held[hand->nr++]);
	}
}

static void drop_many(struct hand *hand)
{
	unsigned int order = dice(&hand->dice, 3), nr = 0, i;
	struct page *pages[HELD];

	for (i = 0; i < hand->nr;) {
		if (hand->held[i].order != order || nr == 64) {
			i++;
			continue;
		}
		pages[nr++] = hand->held[i].page;
		disown(hand, &hand->held[i]);
		hand->held[i] = hand->held[--hand->nr];
	}
	if (nr)
		quarry_free_pages_bulk(pool, order, nr, pages);
}

/* To another CPU, or from one. */
static void pass(struct hand *hand)
{
	pthread_mutex_lock(&passed_lock);
	if (hand->nr && nr_passed < PASSED && dice(&hand->dice, 2))
		passed[nr_passed++] = hand->held[--hand->nr];
	else if (nr_passed && hand->nr < HELD)
		hand->held[hand->nr++] = passed[--nr_passed];
	pthread_mutex_unlock(&passed_lock);
}

/* Another order, a page inside, no order at all: of a block that stays out. */
static void misuse(struct cpu *cpu)
{
	const struct held *h;

	if (!cpu->hand.nr)
		return;
	h = &cpu->hand.held[dice(&cpu->hand.dice, cpu->hand.nr)];
	switch (dice(&cpu->hand.dice, 3)) {
	case 0:
		quarry_free_pages(pool, h->page, h->order ? h->order - 1 : 1);
		break;
	case 1:
		if (!h->order)
			return;
		quarry_free_pages(pool, h->page + 1, 0);
		break;
	default:
		quarry_free_pages(pool, h->page, 64 + h->order);
	}
	cpu->misuses++;
}

static void *walk(void *arg)
{
	struct cpu *cpu = arg;
	u64 step;

	machine_cpu(cpu->id);
	here = cpu;
	for (step = 0; step < nr_steps; step++) {
		unsigned int what = dice(&cpu->hand.dice, 64);
		bool nmi = !dice(&cpu->hand.dice, 32);

		if (nmi)
			machine_nmi(true);
		if (what < 26)
			take(&cpu->hand);
		else if (what < 52 && cpu->hand.nr)
			drop(&cpu->hand, dice(&cpu->hand.dice, cpu->hand.nr));
		else if (what < 55)
			take_many(&cpu->hand);
		else if (what < 58)
			drop_many(&cpu->hand);
		else if (what < 62)
			pass(&cpu->hand);
		else if (what < 63)
			misuse(cpu);
		else if (!dice(&cpu->hand.dice, 8))
			quarry_pcp_drain_this(pool, dice(&cpu->hand.dice, QUARRY_PCP_ORDERS));
		if (nmi)
			machine_nmi(false);
		require(!preempt_count(), "preemption was left off");
	}
	here = NULL;
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* What reads statistics sees what may be a moment old, and never nonsense. */
static noinline void look_from_outside(void)
{
	unsigned int k;
	u64 a, f;
	int cpu;

	for (k = 0; k < QUARRY_PCP_ORDERS; k++)
		machine_calls(pool, k, &a, &f);
	for_each_possible_cpu(cpu)
		require(quarry_pcp_frames(per_cpu_ptr(pool->pcp, cpu)) <= pool->max,
			"lists have more than there is");
	require(quarry_pool_nfree(pool) <= pool->max, "more is free than there is");
}

static void *observe(void *arg)
{
	(void)arg;
	machine_cpu(LISTS_CPUS - 1);
	while (!atomic_load(&stop))
		look_from_outside();
	return NULL;
}

/* --- what must hold when all have stopped ------------------------------------------------ */

static void check_all(void)
{
	struct tally all = {};
	unsigned int i;

	check_sound();
	tally_blocks(&all, passed, nr_passed);
	for (i = 0; i < nr_cpus; i++) {
		tally_hand(&all, &cpus[i].hand);
		tally_hand(&all, &cpus[i].late);
		all.misuses += cpus[i].misuses;
	}
	check_figures(&all);
}

/* Deferred blocks are put away, some at a time, by whoever takes the lock next. */
static void put_away(void)
{
	quarry_zone_settle(machine_zone(pool));
}

static void begin(u64 threads)
{
	unsigned int i;

	nr_cpus = threads;
	if (!nr_cpus || nr_cpus > ARRAY_SIZE(cpus))
		fail("THREADS: 1 to 7");
	machine_init(POOL_MIB);
	pool = machine_pool(POOL_MIB, 4, RESERVE);
	hands_begin(pool);
	for (i = 0; i < nr_cpus; i++) {
		dice_seed(&cpus[i].hand.dice, seed + i);
		dice_seed(&cpus[i].late.dice, seed + i + 1000);
		cpus[i].id = i;
		/* The limit of a CPU follows from how many there are: from here on it stays. */
		machine_cpu(i);
		quarry_lists_open(pool, true);
	}
	machine_cpu(0);
}

/* One round of all threads; @interrupts: with signals until they end. */
static void run_all(bool interrupts)
{
	pthread_t observer;
	unsigned int i;

	atomic_store(&stop, false);
	if (pthread_create(&observer, NULL, observe, NULL))
		fail("no thread");
	atomic_store(&running, nr_cpus);
	for (i = 0; i < nr_cpus; i++)
		if (pthread_create(&cpus[i].thread, NULL, walk, &cpus[i]))
			fail("no thread");
	for (i = 0; interrupts && atomic_load(&running); i++) {
		pthread_kill(cpus[i % nr_cpus].thread, SIGUSR1);
		usleep(20);
	}
	for (i = 0; i < nr_cpus; i++)
		pthread_join(cpus[i].thread, NULL);
	atomic_store(&stop, true);
	pthread_join(observer, NULL);
	put_away();
	check_all();
}

/* Give all back, from the first CPU, and see that the pool is as it was. */
static void end(void)
{
	unsigned int i;

	for (i = 0; i < nr_cpus; i++) {
		while (cpus[i].hand.nr)
			drop(&cpus[i].hand, cpus[i].hand.nr - 1);
		while (cpus[i].late.nr)
			drop(&cpus[i].late, cpus[i].late.nr - 1);
	}
	while (nr_passed) {
		cpus[0].hand.held[cpus[0].hand.nr++] = passed[--nr_passed];
		drop(&cpus[0].hand, 0);
	}
	put_away();
	check_all();
	machine_settle(pool);
	check_whole();
	machine_pool_free(pool);
	hands_end();
}

static void tell(void)
{
	printf("# %llu at once, %u times %llu steps each\n", nr_cpus, ROUNDS, nr_steps);
	printf("# %llu refills, %llu flushes, %llu refused\n",
	       machine_count(pool, QUARRY_COUNT_REFILLS),
	       machine_count(pool, QUARRY_COUNT_FLUSHES),
	       machine_count(pool, QUARRY_COUNT_FAIL_LIMIT) +
	       machine_count(pool, QUARRY_COUNT_FAIL_FRAGMENTED));
}

static void crowd(const void *arg)
{
	unsigned int i;

	begin(*(const u64 *)arg);
	for (i = 0; i < ROUNDS; i++)
		run_all(false);
	tell();
	end();
}

/* The zone is locked: an NMI gets nothing from it, and what it frees waits. */
static void nmi(const void *arg)
{
	struct quarry_zone *z;
	struct hand *hand = &cpus[0].hand;
	unsigned long flags;
	unsigned int i;

	begin(*(const u64 *)arg);
	z = machine_zone(pool);
	for (i = 0; i < 2; i++) {
		hand->held[i].order = 8;
		hand->held[i].page = quarry_alloc_pages(pool, GFP_ATOMIC | __GFP_MOVABLE, 8);
		own(hand, &hand->held[hand->nr++]);
	}
	quarry_zone_lock(z, &flags);
	machine_nmi(true);
	require(!quarry_alloc_pages(pool, GFP_ATOMIC | __GFP_MOVABLE, 9),
		"who has no lock has a block");
	drop(hand, 1);
	drop(hand, 0);
	machine_nmi(false);
	require(atomic_long_read(&z->nr_deferred) == 512, "a free without the lock is not put off");
	quarry_zone_unlock(z, flags);
	put_away();
	require(!atomic_long_read(&z->nr_deferred), "a free that was put off is not made up for");
	end();
}

/* An interrupt where lists are being changed goes to the zone. */
static void inside(const void *arg)
{
	struct hand *hand = &cpus[0].hand;
	struct quarry_pcp *pcp;
	unsigned int i;
	u32 n;

	begin(*(const u64 *)arg);
	pcp = this_cpu_ptr(pool->pcp);
	for (i = 0; i < 64; i++)
		take(hand);
	for (i = 0; i < 32; i++)
		drop(hand, 0);
	hand->held[hand->nr].order = 0;
	n = quarry_list_n(pcp, 0);
	require(quarry_pcp_enter(pcp) && !quarry_pcp_enter(pcp), "lists are entered twice");
	hand->held[hand->nr].page = quarry_alloc_pages(pool, GFP_ATOMIC, 0);
	own(hand, &hand->held[hand->nr++]);
	require(quarry_list_n(pcp, 0) == n, "a marked list gave a block");
	drop(hand, hand->nr - 1);
	require(quarry_list_n(pcp, 0) == n, "a marked list took a block");
	quarry_pcp_leave(pcp);
	end();
}

static void interrupt(int nr)
{
	struct cpu *cpu = here;
	struct hand *hand;

	(void)nr;
	if (!cpu || lists_irqs_off)
		return;
	hand = &cpu->late;
	cpu->interrupts++;
	cpu->inside += this_cpu_ptr(pool->pcp)->lists.busy;
	if (hand->nr < 8 && dice(&hand->dice, 2))
		take(hand);
	else if (hand->nr)
		drop(hand, dice(&hand->dice, hand->nr));
}

static void signals(const void *arg)
{
	const struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESTART };
	u64 all = 0, inside = 0;
	unsigned int i;

	begin(*(const u64 *)arg);
	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < ROUNDS; i++)
		run_all(true);
	for (i = 0; i < nr_cpus; i++) {
		all += cpus[i].interrupts;
		inside += cpus[i].inside;
	}
	tell();
	printf("# %llu interrupts, of which %llu landed inside\n", all, inside);
	end();
}

/*
 * One page freed, one taken, over and over, at random: without the rule that a free may go
 * past its list (pcp.c) memory stays as the first random frees left it.
 */
static void packs(const void *arg)
{
	struct frag_result r;

	machine_cpu(0);
	drive_arm(frag_workload("one"), arg, 128 * 256, seed, 100, &r);
	printf("# 2 MiB %u, 4 MiB %u; %llu refused\n", frag_share_milli(&r, FRAG_2M),
	       frag_share_milli(&r, FRAG_4M), r.refused);
	require(frag_share_milli(&r, FRAG_2M) >= 950, "less stays whole than must");
	require(!r.refused, "a page was refused");
}

/* Calls for many know single pages, in struct arm. */
static u64 claim_in_bulk(unsigned int order)
{
	u64 handle;

	if (order)
		return arm_lists.claim(order);
	return arm_lists.claim_bulk(&handle, 1) ? handle : ~0ull;
}

static void release_in_bulk(u64 handle, unsigned int order)
{
	if (order)
		arm_lists.release(handle, order);
	else
		arm_lists.release_bulk(&handle, 1);
}

static u64 place_of(const struct page *page)
{
	return quarry_directory_entry_of(page_to_pfn(page))->key - machine_zone(pool)->buddy.key;
}

/* A pool, and CPU 0 with its lists open. */
static void one_pool(void)
{
	machine_init(POOL_MIB);
	pool = machine_pool(POOL_MIB, 4, 0);
	machine_cpu(0);
	quarry_lists_open(pool, true);
}

/* All pages of it. Returns which is in the first place. */
static unsigned int take_all(struct page **pages, unsigned int nr)
{
	unsigned int i, first = 0;

	for (i = 0; i < nr; i++) {
		pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
		require(pages[i], "a page was refused");
		if (place_of(pages[i]) < place_of(pages[first]))
			first = i;
	}
	return first;
}

static struct page *free_and_take(struct page *page, unsigned int pairs)
{
	while (pairs--) {
		quarry_free_pages(pool, page, 0);
		page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	}
	return page;
}

/* But who uses one page over and over has it from the list in the end, wherever it lies. */
static void same_page(const void *arg)
{
	struct page *pages[POOL_MIB * 256];
	const unsigned int nr = ARRAY_SIZE(pages);
	unsigned int i, first, last = 0;
	u64 refills;

	(void)arg;
	one_pool();
	first = take_all(pages, nr);
	for (i = 0; i < nr; i++)
		if (place_of(pages[i]) > place_of(pages[last]))
			last = i;
	pages[first] = free_and_take(pages[first], 64 * QUARRY_LOOK);
	pages[last] = free_and_take(pages[last], 64 * QUARRY_LOOK);
	refills = machine_count(pool, QUARRY_COUNT_REFILLS);
	pages[last] = free_and_take(pages[last], QUARRY_LOOK);
	require(machine_count(pool, QUARRY_COUNT_REFILLS) == refills, "the list keeps nothing");
	for (i = 0; i < nr; i++)
		quarry_free_pages(pool, pages[i], 0);
	machine_settle(pool);
	machine_pool_free(pool);
}

/* What two CPUs that free one block in the same instant would do: it is on a list twice. */
static void put_on_the_list_twice(struct page *page)
{
	struct quarry_list *list = &this_cpu_ptr(pool->pcp)->lists.list[0];

	quarry_free_pages(pool, page, 0);
	require(list->top[-1].page == page && list->left > 0 &&
		quarry_list_at(list->top) != list->end, "the list has no room");
	list->top[0] = list->top[-1];
	list->top++;
	list->left--;
}

/* The second one was no free, and is none of the calls; nor is anything got for it. */
static void must_be(u64 allocs, u64 frees, u64 misuses)
{
	u64 a, f;

	machine_calls(pool, 0, &a, &f);
	require(a == allocs, "blocks handed out are miscounted");
	require(f == frees, "blocks taken back are miscounted");
	require(machine_misuses(pool) == misuses, "misuse is miscounted");
}

static void doubled(const void *arg)
{
	struct page *page[8];
	unsigned int i;

	(void)arg;
	one_pool();
	for (i = 0; i < 8; i++)
		page[i] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	for (i = 2; i < 8; i++)
		quarry_free_pages(pool, page[i], 0);
	must_be(8, 6, 0);
	put_on_the_list_twice(page[0]);
	require(quarry_alloc_pages(pool, GFP_KERNEL, 0) == page[0], "another block is newer");
	require(quarry_alloc_pages(pool, GFP_KERNEL, 0) != page[0], "handed out twice");
	must_be(10, 7, 1);
	put_on_the_list_twice(page[1]);
	machine_settle(pool);
	must_be(10, 8, 2);
	require(quarry_pool_nfree(pool) == pool->max - 2, "frames were lost");
	machine_pool_free(pool);
}

/* A list that was long is no longer than a refill once blocks come from all over. */
static void shortens(const void *arg)
{
	struct page *pages[POOL_MIB * 256];
	struct dice d;
	const unsigned int nr = ARRAY_SIZE(pages);
	struct quarry_pcp *pcp;
	unsigned int i, at;

	(void)arg;
	dice_seed(&d, seed);
	one_pool();
	pcp = per_cpu_ptr(pool->pcp, 0);
	take_all(pages, nr);
	for (i = 0; i < 2 * QUARRY_REFILL; i++)
		quarry_free_pages(pool, pages[i], 0);
	require(pcp->cold->part[0].cap > QUARRY_REFILL, "a list is not long");
	for (i = 0; i < 2 * QUARRY_REFILL; i++)
		pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	for (i = 0; i < 64 * QUARRY_LOOK; i++) {
		at = dice(&d, nr);
		quarry_free_pages(pool, pages[at], 0);
		pages[at] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	}
	require(pcp->cold->part[0].cap <= QUARRY_REFILL, "a list is long");
	for (i = 0; i < nr; i++)
		quarry_free_pages(pool, pages[i], 0);
	machine_settle(pool);
	machine_pool_free(pool);
}

/* Capacities grow to what all lists may hold together, and never beyond. */
static void shares(const void *arg)
{
	struct page *pages[2 * QUARRY_REFILL];
	struct quarry_pcp *pcp;
	unsigned int k, i, round;
	u32 most = 0;

	(void)arg;
	one_pool();
	pcp = per_cpu_ptr(pool->pcp, 0);
	for (round = 0; round < 8; round++)
		for (k = 0; k < 7; k++) {
			for (i = 0; i < ARRAY_SIZE(pages); i++)
				pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, k);
			for (i = 0; i < ARRAY_SIZE(pages); i++) {
				quarry_free_pages(pool, pages[i], k);
				most = max(most, pcp->cold->capacity);
			}
		}
	require(most <= pool->list_limit, "capacities add up to more than the limit");
	require(most > pool->list_limit / 2, "capacities do not grow");
	machine_settle(pool);
	machine_pool_free(pool);
}

/*
 * A free gives no more than a batch, whatever the list is in need of: blocks of all orders
 * that lie wide, and a limit that goes up and down.
 */
static void one_batch(const void *arg)
{
	struct held held[HELD] = {};
	u64 flushes, before, most = 0;
	struct dice d;
	unsigned int i;
	struct held *h;

	(void)arg;
	dice_seed(&d, seed);
	one_pool();
	before = pool->list_limit;
	for (i = 0; i < 200000; i++) {
		h = &held[dice(&d, HELD)];
		if (!dice(&d, 64))
			pool->list_limit = 1 + dice(&d, before);
		if (h->page) {
			flushes = machine_count(pool, QUARRY_COUNT_FLUSHES);
			quarry_free_pages(pool, h->page, h->order);
			flushes = machine_count(pool, QUARRY_COUNT_FLUSHES) - flushes;
			most = max(most, flushes);
			h->page = NULL;
		} else {
			h->order = dice(&d, dice(&d, 4) ? 3 : 7);
			h->page = quarry_alloc_pages(pool, GFP_NOWAIT, h->order);
		}
	}
	require(most == 1, "a free gives more than a batch");
	for (i = 0; i < HELD; i++)
		if (held[i].page)
			quarry_free_pages(pool, held[i].page, held[i].order);
	machine_settle(pool);
	require(quarry_pool_nfree(pool) == pool->max, "frames were lost");
	machine_pool_free(pool);
}

/* As many blocks as CPU @cpu may have on its lists, of some orders, taken and freed. */
static void use_whole_lists(unsigned int cpu)
{
	struct page *pages[POOL_MIB * 256 / 32];
	unsigned int k, i, nr;

	machine_cpu(cpu);
	quarry_lists_open(pool, true);
	for (k = 0; k < 5; k++) {
		nr = ARRAY_SIZE(pages) >> k;
		for (i = 0; i < nr; i++)
			pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, k);
		while (i--)
			quarry_free_pages(pool, pages[i], k);
	}
}

/* CPUs come one after another, and all use what they have: the first have too much then. */
static void gives_way(const void *arg)
{
	struct quarry_pcp *pcp;
	unsigned int i, cpu;
	u64 before;

	(void)arg;
	one_pool();
	for (cpu = 0; cpu < LISTS_CPUS; cpu++)
		use_whole_lists(cpu);
	before = machine_on_lists(pool);
	require(before > pool->list_limit * LISTS_CPUS, "the first have no more than the last");
	for (i = 0; i < 2; i++) {
		require(machine_chore(pool), "the decay is not due");
		for (cpu = 0; cpu < LISTS_CPUS; cpu++) {
			pcp = per_cpu_ptr(pool->pcp, cpu);
			require(pcp->cold->capacity <= pool->list_limit, "the first keep more");
			require(quarry_pcp_frames(pcp), "lists that are used were emptied");
			use_whole_lists(cpu);
		}
	}
	require(machine_on_lists(pool) <= pool->list_limit * LISTS_CPUS,
		"lists grow beyond the limit");
	machine_cpu(0);
	machine_settle(pool);
	machine_pool_free(pool);
}

/* The decay, until there is nothing for it to do. Returns how often it came by. */
static unsigned int let_decay(void)
{
	unsigned int n = 0;

	while (machine_chore(pool))
		require(++n < 16, "the decay never ends");
	return n;
}

/*
 * Blocks that come to a list after a long time are found by the decay, however few they are
 * and whichever way they come; and it does not come by for ever.
 */
static void is_found(const void *arg)
{
	struct page *pages[100];
	unsigned int i, some;

	(void)arg;
	one_pool();
	for (some = 1; some < ARRAY_SIZE(pages); some += 11) {
		for (i = 0; i < ARRAY_SIZE(pages); i++)
			pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
		require(let_decay(), "a refill is not found");
		require(!machine_on_lists(pool), "a refill is forgotten");
		/* All else goes elsewhere: no list sees it. */
		for (i = 0; i < some; i++)
			quarry_free_pages(pool, pages[i], 0);
		require(machine_on_lists(pool), "nothing is on the lists");
		require(quarry_pcp_is_watched(per_cpu_ptr(pool->pcp, 0)), "each free is slow");
		require(let_decay(), "a free is not found");
		require(!machine_on_lists(pool), "frees are forgotten");
		machine_cpu(1);
		quarry_free_pages_bulk(pool, 0, ARRAY_SIZE(pages) - some, pages + some);
		require(let_decay(), "a free in bulk is not found");
		require(!machine_on_lists(pool), "frees in bulk are forgotten");
		machine_cpu(0);
	}
	require(!machine_chore(pool), "the decay comes by for nothing");
	/* Who has nothing at this moment, but uses the lists, is no idler. */
	for (i = 0; !i || machine_on_lists(pool); i++)
		pages[i] = quarry_alloc_pages(pool, GFP_KERNEL, 0);
	require(machine_chore(pool), "a refill is not found");
	require(quarry_pcp_is_watched(per_cpu_ptr(pool->pcp, 0)), "who is at work is idle");
	while (i--)
		quarry_free_pages(pool, pages[i], 0);
	machine_pool_free(pool);
}

/* Strays that an NMI could not give to the zone go when the next one comes. */
static void stays(const void *arg)
{
	struct page *pages[POOL_MIB * 256], *last[QUARRY_PCP_STRAYS + 1];
	const unsigned int nr = ARRAY_SIZE(pages);
	unsigned int i, n, first;
	struct quarry_pcp *pcp;
	unsigned long flags;

	(void)arg;
	one_pool();
	pcp = per_cpu_ptr(pool->pcp, 0);
	first = take_all(pages, nr);
	pages[first] = free_and_take(pages[first], 64 * QUARRY_LOOK);
	for (i = 0, n = 0; n < ARRAY_SIZE(last); i++)
		if (place_of(pages[i]) > place_of(pages[first]) + 1) {
			last[n++] = pages[i];
			pages[i] = NULL;
		}
	quarry_zone_lock(machine_zone(pool), &flags);
	machine_nmi(true);
	for (i = 0; i < QUARRY_PCP_STRAYS; i++)
		quarry_free_pages(pool, last[i], 0);
	machine_nmi(false);
	quarry_zone_unlock(machine_zone(pool), flags);
	require(pcp->cold->nr_strays == QUARRY_PCP_STRAYS, "an NMI does not leave its strays");
	quarry_free_pages(pool, last[i], 0);
	require(pcp->cold->nr_strays == 1, "strays stay for ever");
	for (i = 0; i < nr; i++)
		if (pages[i])
			quarry_free_pages(pool, pages[i], 0);
	machine_settle(pool);
	require(quarry_pool_nfree(pool) == pool->max, "frames were lost");
	machine_pool_free(pool);
}

/* A block that is most of what lists may hold, in turn with a page, leaves the page its list. */
static void in_turn(const void *arg)
{
	const unsigned int rounds = 1000;
	struct page *page;
	unsigned int i;
	u64 slow = 0;

	(void)arg;
	one_pool();
	for (i = 0; i < 2 * rounds; i++) {
		if (i == rounds)
			slow = machine_count(pool, QUARRY_COUNT_SLOW_ALLOCS);
		page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
		quarry_free_pages(pool, page, 0);
		page = quarry_alloc_pages(pool, GFP_KERNEL, 9);
		quarry_free_pages(pool, page, 9);
	}
	slow = machine_count(pool, QUARRY_COUNT_SLOW_ALLOCS) - slow;
	require(slow <= rounds, "pages come from the zone");
	machine_settle(pool);
	machine_pool_free(pool);
}

int main(void)
{
	u64 threads = env_number("THREADS", 4);
	struct arm in_bulk = arm_lists;
	static const u64 alone = 1;

	nr_steps = env_number("STEPS", 20000);
	seed = env_number("SEED", 1);
	tap_plan(16);
	printf("# seed %llu\n", seed);
	tap_run("one CPU", crowd, &alone);
	tap_run("many CPUs", crowd, &threads);
	tap_run("an NMI under the lock", nmi, &alone);
	tap_run("inside a marked section", inside, &alone);
	tap_run("signals", signals, &threads);
	tap_run("what is freed one by one is packed", packs, &arm_lists);
	tap_run("what is used over and over is kept", same_page, NULL);
	tap_run("what is on a list twice is there once", doubled, NULL);
	tap_run("a list whose blocks lie wide is short", shortens, NULL);
	tap_run("all lists together are bounded", shares, NULL);
	tap_run("a free gives one batch", one_batch, NULL);
	tap_run("who came first gives way", gives_way, NULL);
	tap_run("what comes after long is found", is_found, NULL);
	tap_run("what an NMI leaves goes with the next", stays, NULL);
	tap_run("a large order leaves a small one its list", in_turn, NULL);
	in_bulk.claim = claim_in_bulk;
	in_bulk.release = release_in_bulk;
	tap_run("what is freed by calls for many is packed", packs, &in_bulk);
	return tap_end();
}
