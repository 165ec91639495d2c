// SPDX-License-Identifier: GPL-2.0
/*
 * A client for the selftests: user space has no call that takes pages.
 *
 * Holds @hold blocks of order @order of @pool from load to unload, and has
 * @threads threads allocate and free at random meanwhile. Each page carries a
 * mark of its owner while it is out; a mark that changed was a page that two
 * had, and counts as damage.
 *
 * With @burst the blocks are taken so many at a time by a caller who cannot wait, and between
 * the bursts he does, for as long as the pool needs to have as much again, but not for ever.
 *
 * With @block it has a block of malloc of so many bytes, which keeps a slab from going.
 *
 * With @pester a thread sends interrupts to that CPU whenever it takes any, which allocate and
 * free as well.
 *
 * With @pieces the kernel's own memory is in pieces of that order meanwhile: all of it was
 * taken in blocks of that order, and every other one given back.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/quarry.h>
#include <linux/quarry_malloc.h>
#include <linux/slab.h>
#include <linux/smp.h>

#define MAX_HOLD	0x100000
#define MAX_THREADS	64
#define OUT		48	/* blocks that one thread has at a time */
#define MAX_ORDER_USED	6

static char *pool_name = "default";
module_param_named(pool, pool_name, charp, 0444);
MODULE_PARM_DESC(pool, "name of the pool to load");

static unsigned int hold;
module_param(hold, uint, 0444);
MODULE_PARM_DESC(hold, "blocks to hold; reads back as what was had");

static unsigned int order;
module_param(order, uint, 0444);
MODULE_PARM_DESC(order, "order of the blocks to hold");

static unsigned int burst;
module_param(burst, uint, 0444);
MODULE_PARM_DESC(burst, "blocks that are taken at a time, with GFP_NOWAIT; 0: all, with GFP_KERNEL");

static unsigned int block;
module_param(block, uint, 0444);
MODULE_PARM_DESC(block, "bytes of a block of malloc to hold; 0: none");

static unsigned int threads;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "threads that allocate and free");

static unsigned int pieces;
module_param(pieces, uint, 0444);
MODULE_PARM_DESC(pieces, "order of the largest pieces that the kernel is to have");

static int pester = -1;
module_param(pester, int, 0444);
MODULE_PARM_DESC(pester, "CPU whose interrupts allocate and free; -1: none");

static unsigned long seed = 42;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "of what the threads do");

static atomic_long_t nr_steps, nr_damage, nr_interrupts;

static int get_counter(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%ld\n", atomic_long_read(kp->arg));
}

static const struct kernel_param_ops counter_ops = { .get = get_counter };

module_param_cb(steps, &counter_ops, &nr_steps, 0444);
MODULE_PARM_DESC(steps, "allocations that succeeded");
module_param_cb(damage, &counter_ops, &nr_damage, 0444);
MODULE_PARM_DESC(damage, "pages whose mark had changed");
module_param_cb(interrupts, &counter_ops, &nr_interrupts, 0444);
MODULE_PARM_DESC(interrupts, "those of the CPU that is pestered");

static struct quarry_pool *pool;
static struct page **held;
static void *held_block;
static struct task_struct *thread[MAX_THREADS];
static struct task_struct *pesterer;

static struct block {
	struct page *page;
	unsigned int order;
	unsigned long mark;
} blocks[MAX_THREADS][OUT];

static void mark(const struct block *b)
{
	unsigned long i;

	for (i = 0; i < 1UL << b->order; i++)
		*(unsigned long *)page_address(b->page + i) = b->mark + i;
}

static void give_back(struct block *b)
{
	unsigned long i;

	if (!b->page)
		return;
	for (i = 0; i < 1UL << b->order; i++)
		if (*(unsigned long *)page_address(b->page + i) != b->mark + i)
			atomic_long_inc(&nr_damage);
	quarry_free_pages(pool, b->page, b->order);
	b->page = NULL;
}

static int load(void *arg)
{
	static const gfp_t how[] = { GFP_KERNEL, GFP_NOWAIT, GFP_ATOMIC };
	const unsigned long me = (unsigned long)arg;
	struct block *out = blocks[me];
	struct rnd_state rnd;
	unsigned long nr = 0;
	unsigned int i;

	prandom_seed_state(&rnd, seed + me);
	while (!kthread_should_stop()) {
		u32 r = prandom_u32_state(&rnd);
		struct block *b = &out[r % OUT];

		give_back(b);
		b->order = r / OUT % (MAX_ORDER_USED + 1);
		b->mark = (me + 1) << 56 | nr << 16;
		b->page = quarry_alloc_pages(pool, how[r >> 16 & 1] | __GFP_NOWARN, b->order);
		if (!b->page) {
			b->order = 0;
			b->page = quarry_alloc_pages(pool, how[2] | __GFP_NOWARN, b->order);
		}
		if (b->page) {
			mark(b);
			atomic_long_inc(&nr_steps);
		}
		nr++;
		cond_resched();
	}
	for (i = 0; i < OUT; i++)
		give_back(&out[i]);
	return 0;
}

/* More than one list takes at once, so that some are left on it. */
static void allocate_and_free(void *arg)
{
	struct page *page[24];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(page); i++)
		page[i] = quarry_alloc_pages(pool, GFP_ATOMIC | __GFP_NOWARN, 0);
	for (i = 0; i < ARRAY_SIZE(page); i++)
		if (page[i])
			quarry_free_pages(pool, page[i], 0);
	quarry_free(quarry_malloc(64, GFP_ATOMIC | __GFP_NOWARN));
	atomic_long_inc(&nr_interrupts);
}

static int send_interrupts(void *arg)
{
	while (!kthread_should_stop()) {
		/* It fails while the CPU is off line, and must not miss it when it comes. */
		smp_call_function_single(pester, allocate_and_free, NULL, 1);
		cond_resched();
	}
	return 0;
}

static void put_held(void)
{
	unsigned int i;

	for (i = 0; i < hold; i++)
		quarry_free_pages(pool, held[i], order);
	hold = 0;
}

/* A pause, for at most ten seconds, until the next burst finds as much as this one has. */
static void await_burst(void)
{
	struct quarry_pool_stats s = {};
	unsigned int tries = 500;
	u64 bytes = (u64)burst << (order + PAGE_SHIFT);

	do {
		msleep(20);
		quarry_pool_snapshot(pool, &s);
	} while (s.free_bytes < s.reserve_bytes + bytes && --tries);
}

static void take_held(void)
{
	gfp_t gfp = (burst ? GFP_NOWAIT : GFP_KERNEL) | __GFP_NOWARN;
	unsigned int i;

	for (i = 0; i < hold; i++) {
		if (burst && i && !(i % burst))
			await_burst();
		held[i] = quarry_alloc_pages(pool, gfp, order);
		if (!held[i])
			break;
	}
	hold = i;
}

/* Blocks of the kernel's that keep its memory in pieces, through page->lru. */
static LIST_HEAD(between);

/* And larger ones, of what the kernel would rather keep for itself: order in page->private. */
static LIST_HEAD(beyond);

static void break_up(void)
{
	/* Without any work that the kernel would do for it. */
	gfp_t gfp = (GFP_KERNEL & ~__GFP_RECLAIM) | __GFP_NOWARN;
	struct page *page, *next;
	bool keep = false;
	unsigned int k;

	while (pieces && (page = alloc_pages(gfp, pieces)))
		list_add(&page->lru, &between);
	for (k = quarry_max_order(); pieces && k > pieces; k--)
		while ((page = alloc_pages(gfp | __GFP_MEMALLOC, k))) {
			set_page_private(page, k);
			list_add(&page->lru, &beyond);
		}
	list_for_each_entry_safe(page, next, &between, lru) {
		keep = !keep;
		if (keep)
			continue;
		list_del(&page->lru);
		__free_pages(page, pieces);
	}
}

static void make_whole(void)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &between, lru)
		__free_pages(page, pieces);
	INIT_LIST_HEAD(&between);
	list_for_each_entry_safe(page, next, &beyond, lru) {
		unsigned int k = page_private(page);

		set_page_private(page, 0);
		__free_pages(page, k);
	}
	INIT_LIST_HEAD(&beyond);
}

/* Unloading would do, but quarry drains its lists when a module goes. */
static int set_drop(const char *text, const struct kernel_param *kp)
{
	if (held)
		put_held();
	return 0;
}

static const struct kernel_param_ops drop_ops = { .set = set_drop };

module_param_cb(drop, &drop_ops, NULL, 0200);
MODULE_PARM_DESC(drop, "written: frees the blocks that are held");

static void put_all(void)
{
	unsigned int i;

	if (!IS_ERR_OR_NULL(pesterer))
		kthread_stop(pesterer);
	for (i = 0; i < threads; i++)
		if (thread[i])
			kthread_stop(thread[i]);
	put_held();
	kvfree(held);
	quarry_free(held_block);
	if (threads || pester >= 0)
		quarry_pool_put(pool);
	make_whole();
}

static int __init quarry_load_init(void)
{
	unsigned int i;

	if (hold > MAX_HOLD || threads > MAX_THREADS || order > quarry_max_order() ||
	    pieces > quarry_max_order() || (pester >= 0 && pester >= nr_cpu_ids))
		return -EINVAL;
	held = kvcalloc(hold + 1, sizeof(*held), GFP_KERNEL);
	if (!held)
		return -ENOMEM;
	pool = quarry_pool_find(pool_name);
	if (!pool) {
		kvfree(held);
		return -ENOENT;
	}
	held_block = block ? quarry_malloc(block, GFP_KERNEL) : NULL;
	break_up();
	take_held();
	/* Pages keep a pool by themselves, and tests want to see that. */
	if (!threads && pester < 0)
		quarry_pool_put(pool);
	for (i = 0; i < threads; i++) {
		struct task_struct *t = kthread_run(load, (void *)(unsigned long)i,
						    "quarry_load/%u", i);

		if (IS_ERR(t)) {
			put_all();
			return PTR_ERR(t);
		}
		thread[i] = t;
	}
	if (pester >= 0)
		pesterer = kthread_run(send_interrupts, NULL, "quarry_pester");
	if (IS_ERR(pesterer)) {
		put_all();
		return PTR_ERR(pesterer);
	}
	return 0;
}

static void __exit quarry_load_exit(void)
{
	put_all();
	if (atomic_long_read(&nr_damage))
		pr_err("quarry_load: %ld pages were damaged\n", atomic_long_read(&nr_damage));
}

module_init(quarry_load_init);
module_exit(quarry_load_exit);

MODULE_DESCRIPTION("Client for the selftests of quarry");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "QUARRY");
