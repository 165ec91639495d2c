// SPDX-License-Identifier: GPL-2.0
/*
 * The page layer with an interrupt at every single instruction.
 *
 * Lists of a CPU are guarded by a mark, with interrupts on: what is looked at before the mark
 * is a moment old inside. Such windows are a few instructions long, and no random signal
 * (crowd.c) hits them. So here a call is executed instruction by instruction, by the trap flag
 * of x86, and in each of its instants the process forks. The child is interrupted there, goes
 * on, is interrupted once more a few instructions later, and finishes the call at full speed;
 * then all that must hold of the pool is looked at. The parent takes the next instruction.
 *
 *	call	|--o--o--o--o--o--o--o--o--o--o--o----->	looked at as well
 *		   |  |  |  `- interrupt -o-o- interrupt ->	looked at, ends
 *		   |  |  `---- interrupt -o-o- ...
 *
 * So each instant has a fresh state, and a call costs as many forks as it has instructions.
 * What comes is one of three:
 *
 *	interrupt	a crowd of calls with GFP_ATOMIC: it opens lists, has them refilled,
 *			flushed and looked at, and keeps some blocks for the next one. Not
 *			where interrupts are off: there it comes as soon as they are on again
 *	NMI		the same, anywhere; the zone's lock is only tried
 *	decay		it comes by until this CPU is not watched any more (drain.c), unless
 *			its lists are marked: visits, which are interrupts, and what another
 *			CPU writes from outside. The second one is an interrupt as above
 *
 * What is looked at is said in hands.c. Beside that no list is forgotten: the decay, which
 * comes by as long as it is due, finds all there is on lists that are used no more.
 *
 * Not seen: what the compiler of the kernel makes of the same code, other CPUs, and weak
 * memory. Instructions of the C library are passed over (machine.c).
 *
 *	STRIDE= (1)	every so many instructions
 *	SPARSE= (4)	and of these, where one is much like another
 */
/* For the names of registers. */
#define _GNU_SOURCE

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hands.h"
#include "../tap.h"

#if MACHINE_STEPS
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

#define POOL_MIB	8u
#define MANY		12u

/* Blocks that an interrupt takes, and of these keeps. */
#define BURST		36u
#define KEPT		3u

/* The second one comes so many instructions later, at most. */
#define GAP		8u

/* Instants that are told of one by one when they fail, and in which a scene is given up. */
#define TOLD		3u
#define ENOUGH		16u

/* Seconds of CPU that are left to an instant. */
#define PATIENCE	2u

#define GFP_IRQ		(GFP_ATOMIC | __GFP_NOWARN)

/* What lands. */
enum lands { AN_INTERRUPT, AN_NMI, THE_DECAY, NR_LANDS };

/* Lists of this CPU are closed before; preemption is off; a call may get nothing, or is long. */
#define CLOSED	1u
#define ATOMIC	2u
#define FAILS	4u
#define LONG	8u

/**
 * struct scene - a call, and what it is made in
 * @name:	what is told
 * @prepare:	makes it ready
 * @call:	the call; what it has got is in @got
 * @after:	takes note of that, or NULL
 * @counts:	what the pool counts more of if nothing lands, or QUARRY_NR_COUNTS
 * @how:	what else is so
 */
struct scene {
	const char *name;
	void (*prepare)(void);
	void (*call)(void);
	void (*after)(void);
	unsigned int counts;
	unsigned int how;
};

static const char *const lands_names[] = { "an interrupt", "an NMI", "the decay" };

static struct quarry_pool *pool;
static const struct scene *scene;
static enum lands lands;
static u64 stride, sparse, misuses;

/* Blocks of the call's side, and of interrupts. */
static struct hand mine, late;

/* What the call is about. */
static struct held block;
static struct page *many[MANY];
static unsigned int got_many;

/* The instants of a call: how many there were, could be used, and went wrong. */
static struct {
	u64 nr;
	u64 used;
	u64 inside;
	u64 bad;
} instants;

/* In a child: instructions until the second one comes. */
static bool is_child;
static unsigned int gap;

static struct quarry_pcp *lists_here(void)
{
	return this_cpu_ptr(pool->pcp);
}

/* --- what lands ------------------------------------------------------------------------ */

static void take_late(unsigned int order)
{
	struct held *h = &late.held[late.nr];

	h->order = order;
	h->page = quarry_alloc_pages(pool, GFP_IRQ, order);
	if (!h->page)
		return;
	own(&late, h);
	late.nr++;
}

/* What the last one has kept goes, last first; then a burst, of which every second goes first. */
static void work(void)
{
	static const u8 orders[] = { 0, 0, 1, 0, 0, 3, 0, 0, 1 };
	unsigned int i;

	while (late.nr)
		drop(&late, late.nr - 1);
	for (i = 0; i < BURST; i++)
		take_late(orders[i % ARRAY_SIZE(orders)]);
	for (i = 0; i < late.nr; i++)
		drop(&late, i);
	while (late.nr > KEPT)
		drop(&late, 0);
}

/*
 * It comes by until the lists are at rest; not longer, for to whoever is interrupted no more
 * than a moment has passed since.
 */
static void let_decay(void)
{
	unsigned int i;

	for (i = 0; i < 4 && quarry_pcp_is_watched(lists_here()); i++)
		machine_chore(pool);
}

/* What lands is on this CPU, with preemption off. */
static void interrupt(bool again)
{
	if (lands == AN_NMI)
		machine_nmi(true);
	else
		preempt_disable();
	if (lands == THE_DECAY && !again)
		let_decay();
	else
		work();
	if (lands == AN_NMI)
		machine_nmi(false);
	else
		preempt_enable();
}

static void stop_stepping(ucontext_t *context)
{
	context->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)MACHINE_TF;
}

static bool may_land(void)
{
	return lands == AN_NMI || !lists_irqs_off;
}

/*
 * Of how many instants is one enough? What lands where lists are marked, or where the zone is
 * locked, goes another way in all of the section; so if a mark comes too late or goes too early
 * that shows outside. What is not guarded by it, as the counters, is there too. And an NMI is but
 * an interrupt where these are allowed.
 */
static u64 thin_out(void)
{
	bool marked = lists_here()->lists.busy;

	if (machine_zone(pool)->lock.locked)
		return stride * sparse * 8;
	if (lands == AN_NMI && lists_irqs_off)
		return stride;
	if (lands == AN_NMI || (lands == THE_DECAY && marked) || scene->how & LONG)
		return stride * sparse * 4;
	return marked ? stride * sparse : stride;
}

static void note_failure(unsigned long at, int status)
{
	if (instants.bad++ < TOLD)
		printf("# %s: %s at instruction %llu, 0x%lx: status 0x%x\n", scene->name,
		       lands_names[lands], instants.nr,
		       at - (unsigned long)__executable_start, status);
	fflush(stdout);
}

/* The next instruction is about to be executed. */
static void instant(int nr, siginfo_t *info, void *context)
{
	unsigned long at = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	int status = -1;
	pid_t pid;

	if (is_child) {
		if (--gap)
			return;
		if (may_land())
			interrupt(true);
		stop_stepping(context);
		return;
	}
	instants.nr++;
	if (!may_land() || instants.bad >= ENOUGH || instants.nr % thin_out())
		return;
	instants.used++;
	instants.inside += lists_here()->lists.busy;
	/* As an interrupted libc knows nothing of it. */
	pid = syscall(SYS_fork);
	if (!pid) {
		const struct rlimit limit = { PATIENCE, PATIENCE };

		setrlimit(RLIMIT_CPU, &limit);
		is_child = true;
		gap = 1 + instants.used % GAP;
		interrupt(false);
		return;
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (status)
		note_failure(at, status);
}

/* --- what must hold -------------------------------------------------------------------- */

static void check_all(void)
{
	struct tally all = { .misuses = misuses };

	quarry_zone_settle(machine_zone(pool));
	check_sound();
	tally_hand(&all, &mine);
	tally_hand(&all, &late);
	check_figures(&all);
}

/* Two seconds later, and later, until it is not due any more. */
static void forget_nothing(void)
{
	unsigned int n = 0;

	while (machine_chore(pool))
		tap_require(++n < 16, "the decay never ends");
	tap_require(!machine_on_lists(pool), "what is on lists is forgotten");
}

static void check_after(void)
{
	tap_require(preempt_count() == !!(scene->how & ATOMIC), "preemption was left off, or on");
	tap_require(!lists_irqs_off, "interrupts were left off");
	if (scene->after)
		scene->after();
	check_all();
	forget_nothing();
	while (late.nr)
		drop(&late, 0);
	while (mine.nr)
		drop(&mine, 0);
	machine_settle(pool);
	check_whole();
}

/* --- scenes ---------------------------------------------------------------------------- */

/* A block of the call's side, which is none of what the call is about. */
static struct held *take(unsigned int order)
{
	struct held *h = &mine.held[mine.nr];

	h->order = order;
	h->page = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_NOWARN, order);
	tap_require(h->page, "a scene lacks a block");
	own(&mine, h);
	mine.nr++;
	return h;
}

/* And one that it will be about. */
static void have(unsigned int order)
{
	block = *take(order);
}

static void have_page(void)
{
	have(0);
}

/* It is not the call's side's any more. */
static void part(struct page *page, unsigned int order)
{
	unsigned int i;

	for (i = 0; mine.held[i].page != page; i++)
		;
	mine.held[i] = mine.held[--mine.nr];
	disown(&mine, &(struct held){ page, order });
}

static void part_with_block(void)
{
	part(block.page, block.order);
}

static void got(void)
{
	tap_require(block.page || scene->how & FAILS, "a block was refused");
	if (!block.page)
		return;
	own(&mine, &block);
	mine.held[mine.nr++] = block;
}

static void nothing(void)
{
}

static void alloc_page(void)
{
	block.page = quarry_alloc_pages(pool, GFP_NOWAIT, 0);
}

static void alloc_page_by_number(void)
{
	block.page = __quarry_alloc_pages(pool, GFP_NOWAIT, 0);
}

static void alloc_page_sleeping(void)
{
	block.page = quarry_alloc_pages(pool, GFP_KERNEL, 0);
}

static void free_page_const(void)
{
	quarry_free_pages(pool, block.page, 0);
}

static void free_block(void)
{
	__quarry_free_pages(pool, block.page, block.order);
}

/* As leave_in() of open.c does. */
static void bring_gift(void)
{
	lists_here()->gift = lists_zalloc(sizeof(struct quarry_cold));
}

/* A page that is out, of a CPU whose lists are open; those of this one are not. */
static void from_elsewhere(void)
{
	machine_cpu(1);
	have(0);
	machine_cpu(0);
	part_with_block();
}

static void from_elsewhere_with_gift(void)
{
	from_elsewhere();
	bring_gift();
}

/* So many blocks are on the list. */
static void fill(unsigned int order, unsigned int nr)
{
	unsigned int before;

	while (quarry_list_n(lists_here(), order))
		take(order);
	before = mine.nr;
	while (mine.nr < before + nr)
		take(order);
	while (quarry_list_n(lists_here(), order))
		take(order);
	while (quarry_list_n(lists_here(), order) < nr)
		drop(&mine, mine.nr - 1);
}

static void a_list_with_some(void)
{
	fill(0, 4);
}

static void an_empty_list(void)
{
	fill(0, 0);
}

static void an_empty_list_of_order_1(void)
{
	fill(1, 0);
}

static void alloc_order_1(void)
{
	block.order = 1;
	block.page = quarry_alloc_pages(pool, GFP_NOWAIT, 1);
}

static void alloc_movable(void)
{
	block.page = quarry_alloc_pages(pool, GFP_KERNEL | __GFP_MOVABLE, 0);
}

static void alloc_zeros(void)
{
	block.order = 5;
	block.page = quarry_alloc_pages(pool, GFP_NOWAIT | __GFP_ZERO, 5);
}

/* The zone has nothing, one list has two blocks, and another order is asked for. */
static void used_up(void)
{
	unsigned int order;
	struct held *h;

	have(0);
	have(0);
	for (order = QUARRY_PCP_ORDERS; order--;)
		for (h = &mine.held[mine.nr]; mine.nr < HELD; own(&mine, h++), mine.nr++) {
			h->order = order;
			h->page = quarry_alloc_pages(pool, GFP_NOWAIT | __GFP_MOVABLE, order);
			if (!h->page)
				break;
		}
	tap_require(!quarry_pool_nfree(pool), "a scene has too much");
	drop(&mine, 0);
	drop(&mine, 1);
}

static void page_and_room(void)
{
	fill(0, 4);
	have(0);
	part_with_block();
}

/* A look is due with the next free. */
static void page_and_look(void)
{
	struct quarry_list *list = &lists_here()->lists.list[0];

	fill(0, 4);
	have(0);
	while (list->left) {
		drop(&mine, mine.nr - 1);
		have(0);
	}
	part_with_block();
}

static bool is_full(unsigned int order)
{
	const struct quarry_list *list = &lists_here()->lists.list[order];

	return quarry_list_at(list->top) == list->end;
}

/* As much as may ever be is on a list. */
static void stuff(unsigned int order)
{
	const struct quarry_list_part *part = &lists_here()->cold->part[order];
	u32 most = (pool->list_limit >> order) / 4;
	unsigned int i;

	for (i = 0; i < 2 * most; i++)
		take(order);
	while (part->cap < most || !is_full(order))
		drop(&mine, mine.nr - 1);
}

static void page_and_full_list(void)
{
	have(0);
	stuff(0);
	part_with_block();
}

/* The same with a look due. */
static void page_and_full_list_and_look(void)
{
	page_and_full_list();
	lists_here()->cold->part[0].granted -= lists_here()->lists.list[0].left;
	lists_here()->lists.list[0].left = 0;
}

/* A list that had but one block has that again. */
static void block_and_narrow_list(void)
{
	have(2);
	take(2);
	drop(&mine, mine.nr - 1);
	tap_require(is_full(2) && lists_here()->cold->part[2].cap == 1, "a scene has a long list");
	part_with_block();
}

/* Others have all there is of the limit, which one wants some of. */
static void block_and_fat_neighbours(void)
{
	unsigned int k;

	have(4);
	for (k = 4; k--;)
		stuff(k);
	tap_require(lists_here()->cold->capacity == pool->list_limit, "a scene has thin lists");
	part_with_block();
}

static u64 place_of(const struct page *page)
{
	return quarry_directory_entry_of(page_to_pfn(page))->key - machine_zone(pool)->buddy.key;
}

/* A page of a place that is to empty, as the list sees it, and @nr that wait to go to the zone. */
static void strays(unsigned int nr)
{
	struct quarry_pcp *pcp = lists_here();
	u32 limit = pool->list_limit;
	unsigned int order, i;

	/* The first 4 MiB are used up. */
	for (order = QUARRY_PCP_ORDERS - 1; order--; drop(&mine, mine.nr - 1))
		while (!place_of(take(order)->page))
			;
	for (i = 0; i < nr; i++)
		take(0);
	do
		have(0);
	while (!place_of(mine.held[mine.nr - 1 - nr].page));
	/* Nothing is on lists, nor is room kept for it. */
	pool->list_limit = 0;
	while (!quarry_pcp_fit(pool, pcp))
		;
	pool->list_limit = limit;
	for (i = 0; i < nr; i++) {
		pcp->lists.list[0].rank = 0;
		drop(&mine, mine.nr - 2);
	}
	pcp->lists.list[0].rank = 0;
	tap_require(place_of(block.page) && pcp->cold->nr_strays == nr,
		    "a scene has too few of them");
	part_with_block();
}

static void one_stray(void)
{
	strays(0);
}

static void last_stray(void)
{
	strays(QUARRY_PCP_STRAYS - 1);
}

static void order_above_limit(void)
{
	have(7);
	part_with_block();
}

/* Half of what will be asked for is there. */
static void some_of_many(void)
{
	fill(0, MANY / 2);
}

static void alloc_many(void)
{
	got_many = quarry_alloc_pages_bulk(pool, GFP_NOWAIT, 0, MANY, many);
}

static void got_all(void)
{
	unsigned int i;

	tap_require(got_many == MANY, "blocks were refused");
	for (i = 0; i < got_many; i++) {
		block.page = many[i];
		got();
	}
}

static void have_many(void)
{
	unsigned int i;

	fill(0, 4);
	for (i = 0; i < MANY; i++) {
		have(0);
		many[i] = block.page;
	}
	for (i = 0; i < MANY; i++)
		part(many[i], 0);
}

static void free_many(void)
{
	quarry_free_pages_bulk(pool, 0, MANY, many);
}

static void many_on_lists(void)
{
	fill(1, 2);
	fill(0, 6);
}

static void drain_this(void)
{
	quarry_pcp_drain_this(pool, QUARRY_DRAIN_ALL);
}

/* The lists are used no more, and not looked after. */
static void page_and_rest(void)
{
	have(0);
	part_with_block();
	forget_nothing();
	tap_require(!quarry_pcp_is_watched(lists_here()), "a scene has lists that are watched");
}

static void many_and_rest(void)
{
	have_many();
	forget_nothing();
}

/* A block that was freed without the lock waits for who takes it next. */
static void one_deferred(void)
{
	struct quarry_zone *z = machine_zone(pool);
	unsigned long flags;

	fill(0, 0);
	have(7);
	quarry_zone_lock(z, &flags);
	machine_nmi(true);
	drop(&mine, mine.nr - 1);
	machine_nmi(false);
	quarry_zone_unlock(z, flags);
	block.order = 0;
}

/* It was freed before, and is on a list of a CPU that is at rest. */
static void freed_elsewhere(void)
{
	machine_cpu(1);
	have(0);
	have(0);
	drop(&mine, mine.nr - 1);
	machine_cpu(0);
	quarry_lists_open(pool, true);
}

static void is_misuse(void)
{
	misuses++;
}

static void have_order_3(void)
{
	have(3);
}

static void free_as_page(void)
{
	quarry_free_pages(pool, block.page, 0);
}

static void free_inner(void)
{
	quarry_free_pages(pool, block.page + 1, 0);
}

static void free_as_no_order(void)
{
	quarry_free_pages(pool, block.page, 64);
}

#define ANY	QUARRY_NR_COUNTS

static const struct scene scenes[] = {
	{ "first alloc, which brings its memory",
	  nothing, alloc_page, got, QUARRY_COUNT_REFILLS, CLOSED },
	{ "first alloc, for which no memory is there",
	  nothing, alloc_page, got, QUARRY_COUNT_SLOW_ALLOCS, CLOSED | ATOMIC },
	{ "first alloc, whose memory was brought",
	  bring_gift, alloc_page, got, QUARRY_COUNT_REFILLS, CLOSED | ATOMIC },
	{ "first alloc, which brings memory beside what was",
	  bring_gift, alloc_page_sleeping, got, QUARRY_COUNT_REFILLS, CLOSED },
	{ "first free, which brings its memory",
	  from_elsewhere, free_page_const, NULL, ANY, CLOSED },
	{ "first free, which brings memory beside what was",
	  from_elsewhere_with_gift, free_block, NULL, ANY, CLOSED },
	{ "alloc from a list",
	  a_list_with_some, alloc_page, got, ANY, 0 },
	{ "alloc from a list, inline nowhere",
	  a_list_with_some, alloc_page_by_number, got, ANY, 0 },
	{ "alloc that refills",
	  an_empty_list, alloc_page, got, QUARRY_COUNT_REFILLS, 0 },
	{ "alloc that refills, of order 1",
	  an_empty_list_of_order_1, alloc_order_1, got, QUARRY_COUNT_REFILLS, 0 },
	{ "alloc past the lists",
	  a_list_with_some, alloc_movable, got, QUARRY_COUNT_DIRECT_ALLOCS, 0 },
	{ "alloc of zeros",
	  a_list_with_some, alloc_zeros, got, QUARRY_COUNT_DIRECT_ALLOCS + 5, LONG },
	{ "alloc that finds nothing but on lists",
	  used_up, alloc_order_1, got, ANY, FAILS },
	{ "alloc where a block is deferred",
	  one_deferred, alloc_page, got, QUARRY_COUNT_REFILLS, 0 },
	{ "free to a list",
	  page_and_room, free_page_const, NULL, ANY, 0 },
	{ "free with a look due",
	  page_and_look, free_page_const, NULL, QUARRY_COUNT_SLOW_FREES, 0 },
	{ "free to a list that grows",
	  block_and_narrow_list, free_block, NULL, ANY, 0 },
	{ "free to a list that wants what another has",
	  block_and_fat_neighbours, free_block, NULL, QUARRY_COUNT_FLUSHES, 0 },
	{ "free to a full list",
	  page_and_full_list, free_page_const, NULL, QUARRY_COUNT_FLUSHES, 0 },
	{ "free to a full list with a look due",
	  page_and_full_list_and_look, free_page_const, NULL, QUARRY_COUNT_FLUSHES, 0 },
	{ "free of a stray",
	  one_stray, free_page_const, NULL, QUARRY_COUNT_DIRECT_FREES, 0 },
	{ "free of a stray, with which others go",
	  last_stray, free_page_const, NULL, QUARRY_COUNT_FLUSHES, 0 },
	{ "free of more than a list may hold",
	  order_above_limit, free_block, NULL, QUARRY_COUNT_DIRECT_FREES + 7, 0 },
	{ "free to lists that are not watched",
	  page_and_rest, free_page_const, NULL, ANY, 0 },
	{ "alloc of many",
	  some_of_many, alloc_many, got_all, QUARRY_COUNT_REFILLS, 0 },
	{ "free of many",
	  have_many, free_many, NULL, ANY, 0 },
	{ "free of many to lists that are not watched",
	  many_and_rest, free_many, NULL, ANY, 0 },
	{ "drain of this CPU",
	  many_on_lists, drain_this, NULL, QUARRY_COUNT_DRAINS, 0 },
	{ "free for the second time",
	  freed_elsewhere, free_page_const, is_misuse,
	  QUARRY_COUNT_ERRORS + QUARRY_ERR_DOUBLE_FREE, CLOSED },
	{ "free with another order",
	  have_order_3, free_as_page, is_misuse, QUARRY_COUNT_ERRORS + QUARRY_ERR_WRONG_ORDER, 0 },
	{ "free of a page inside",
	  have_order_3, free_inner, is_misuse, QUARRY_COUNT_ERRORS + QUARRY_ERR_INTERIOR, 0 },
	{ "free with no order",
	  have_page, free_as_no_order, is_misuse,
	  QUARRY_COUNT_ERRORS + QUARRY_ERR_BAD_ARGUMENT, 0 },
};

static void get_ready(void)
{
	memset(&mine, 0, sizeof(mine));
	memset(&late, 0, sizeof(late));
	memset(&block, 0, sizeof(block));
	memset(&instants, 0, sizeof(instants));
	misuses = 0;
	pool = machine_pool(POOL_MIB, 4, 0);
	hands_begin(pool);
	machine_cpu(0);
	if (!(scene->how & CLOSED)) {
		quarry_lists_open(pool, true);
		/* From the one before this one has blocks to free. */
		preempt_disable();
		work();
		preempt_enable();
	}
	scene->prepare();
	/* Whatever is to be done once comes before. */
	fflush(stdout);
}

/* The call, with all that may land in it; then, as in each child, what must hold. */
static void play(void)
{
	u64 before;

	get_ready();
	before = scene->counts < ANY ? machine_count(pool, scene->counts) : 0;
	if (scene->how & ATOMIC)
		preempt_disable();
	machine_step(true);
	scene->call();
	machine_step(false);
	if (!is_child && scene->counts < ANY)
		tap_require(machine_count(pool, scene->counts) > before,
			    "the call does not do what it is here for");
	check_after();
	if (is_child)
		_exit(0);
	if (scene->how & ATOMIC)
		preempt_enable();
	machine_pool_free(pool);
	hands_end();
	printf("# %s: %llu instructions, in %llu of them, %llu inside; %llu bad\n",
	       lands_names[lands], instants.nr, instants.used, instants.inside, instants.bad);
	tap_require(instants.nr, "nothing lands anywhere");
}

static void all_that_lands(const void *arg)
{
	const struct sigaction action = { .sa_sigaction = instant, .sa_flags = SA_SIGINFO };
	const struct rlimit no_core = {};
	u64 bad = 0;

	scene = arg;
	setrlimit(RLIMIT_CORE, &no_core);
	sigaction(SIGTRAP, &action, NULL);
	machine_init(POOL_MIB);
	for (lands = 0; lands < NR_LANDS; lands++) {
		/* Of lists that are closed the decay knows nothing. */
		if (lands == THE_DECAY && scene->how & CLOSED)
			break;
		play();
		bad += instants.bad;
	}
	tap_require(!bad, "what must hold does not");
}

static atomic_int nr_seen;

static void see(int nr)
{
	nr_seen++;
}

/* Where programs run under something that knows no trap flag there is nothing to do. */
static bool can_step(void)
{
	signal(SIGTRAP, see);
	machine_step(true);
	machine_step(false);
	signal(SIGTRAP, SIG_DFL);
	return nr_seen;
}

static int run(void)
{
	unsigned int i;

	tap_plan(ARRAY_SIZE(scenes));
	for (i = 0; i < ARRAY_SIZE(scenes); i++)
		tap_run(scenes[i].name, all_that_lands, &scenes[i]);
	return tap_end();
}
#else
static u64 stride, sparse;

static bool can_step(void)
{
	return false;
}

static int run(void)
{
	return 0;
}
#endif

int main(void)
{
	stride = env_number("STRIDE", 1);
	sparse = env_number("SPARSE", 4);
	if (can_step())
		return run();
	printf("no stepping through instructions here\n");
	return 4;
}
