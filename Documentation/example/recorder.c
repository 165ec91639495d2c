// SPDX-License-Identifier: GPL-2.0
/*
 * A frame recorder: how a driver uses a quarry pool of its own.
 *
 * The device it records from is imagined: an irq_work stands in for its interrupt,
 * so that the handler runs where a driver's would. The rest is as in a driver:
 *
 *	the pool	a floor, a cap, a reserve and a low watermark
 *	frames		blocks of several orders, taken in the interrupt; the last
 *			RING of them are kept
 *	key frames	must not be lost, so their blocks come from a reserve
 *	headers		one page each, all taken at once
 *	the window	contiguous, aligned memory for DMA below 4 GiB, as high as
 *			possible, cut to what the device turns out to need
 *
 * See Documentation/using.md.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/quarry.h>
#include <linux/sizes.h>

#define RING		32	/* frames kept */
#define KEY_EVERY	8	/* one frame of so many is a key frame */
#define KEY_FRAMES	(RING / KEY_EVERY)
#define KEY_ORDER	5	/* 128 KiB */

static unsigned int frames = 1000;
module_param(frames, uint, 0444);
MODULE_PARM_DESC(frames, "frames to record at load (1000)");

/**
 * struct frame - one recorded frame
 * @body:	its pixels, or NULL if the frame was lost
 * @order:	of @body
 * @key:	@body belongs to the reserve
 */
struct frame {
	struct page *body;
	unsigned int order;
	bool key;
};

static struct quarry_pool *pool;
static struct quarry_mempool *key_blocks;
static struct page *headers[RING];
static phys_addr_t window;
static u64 window_bytes = SZ_2M + SZ_1M;

static struct frame ring[RING];
static unsigned int recorded, lost;

/* Give a frame's block back to where it came from. Context: any but NMI. */
static void drop_frame(struct frame *f)
{
	if (!f->body)
		return;
	if (f->key)
		quarry_mempool_free(key_blocks, f->body);
	else
		quarry_free_pages(pool, f->body, f->order);
	f->body = NULL;
}

/*
 * The interrupt: a frame has come. Nothing here sleeps, and a failure costs one
 * frame. The block is ours until drop_frame(): its pages may be mapped, given to
 * DMA, or referenced one by one.
 */
static void frame_arrived(struct irq_work *work)
{
	unsigned int slot = recorded % RING;
	struct frame *f = &ring[slot];

	drop_frame(f);
	f->key = !(recorded % KEY_EVERY);
	if (f->key) {
		f->order = KEY_ORDER;
		f->body = quarry_mempool_alloc(key_blocks, GFP_ATOMIC);
	} else {
		f->order = recorded % KEY_ORDER;
		f->body = quarry_alloc_pages(pool, GFP_ATOMIC | __GFP_NOWARN, f->order);
	}
	if (f->body) {
		*(u32 *)page_address(f->body) = recorded;
		*(u32 *)page_address(headers[slot]) = f->order;
	} else {
		lost++;
	}
	recorded++;
}

static DEFINE_IRQ_WORK(device_irq, frame_arrived);

static int take_pool(void)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;

	cfg.min_bytes = SZ_8M;		/* taken now, never given back */
	cfg.max_bytes = SZ_16M;		/* never more than this */
	cfg.reserve_bytes = SZ_256K;	/* for GFP_ATOMIC when little is left */
	cfg.low_bytes = SZ_1M;		/* then grow in the background */
	pool = quarry_pool_create("recorder", &cfg);
	return PTR_ERR_OR_ZERO(pool);
}

static int take_headers(void)
{
	unsigned int got;

	got = quarry_alloc_pages_bulk(pool, GFP_KERNEL | __GFP_ZERO, 0, RING, headers);
	if (got == RING)
		return 0;
	/* The array is filled from the front: what is there goes back. */
	quarry_free_pages_bulk(pool, 0, got, headers);
	return -ENOMEM;
}

static int take_window(void)
{
	struct quarry_range range = {
		.bytes	= window_bytes,
		.align	= SZ_64K,
		.end	= SZ_4G,
		.gfp	= GFP_KERNEL,
		.flags	= QUARRY_RANGE_TOP_DOWN,
	};
	int err;

	err = quarry_alloc_range(pool, &range, &window);
	if (err)
		return err;
	/* The device says that half is enough; from here on that is its length. */
	err = quarry_trim(pool, window, window_bytes, window_bytes / 2);
	if (!err)
		window_bytes /= 2;
	return 0;
}

/* Counters only grow; gauges are of this moment. */
static void report(void)
{
	struct quarry_pool_stats st;

	quarry_pool_snapshot(pool, &st);
	pr_info("%u frames, %u lost; pool: %llu KiB managed, %llu KiB out, %llu allocations, %llu past the lists, %llu grows (%llu in the background)\n",
		recorded, lost, st.managed_bytes >> 10, st.allocated_bytes >> 10,
		st.allocs, st.slow_allocs, st.grows, st.grows_background);
}

static int __init recorder_init(void)
{
	int err;

	err = take_pool();
	if (err)
		return err;
	key_blocks = quarry_mempool_create(pool, KEY_ORDER, KEY_FRAMES);
	if (IS_ERR(key_blocks)) {
		err = PTR_ERR(key_blocks);
		goto destroy;
	}
	err = take_headers();
	if (err)
		goto unreserve;
	err = take_window();
	if (err)
		goto headers;

	while (recorded < frames) {
		irq_work_queue(&device_irq);
		irq_work_sync(&device_irq);
	}
	report();
	return 0;

headers:
	quarry_free_pages_bulk(pool, 0, RING, headers);
unreserve:
	quarry_mempool_destroy(key_blocks);
destroy:
	quarry_pool_destroy(pool);
	return err;
}
module_init(recorder_init);

static void __exit recorder_exit(void)
{
	unsigned int i;

	for (i = 0; i < RING; i++)
		drop_frame(&ring[i]);
	quarry_free_range(pool, window, window_bytes);
	quarry_free_pages_bulk(pool, 0, RING, headers);
	WARN_ON(quarry_mempool_destroy(key_blocks));
	report();
	/* -EBUSY here means that something above was forgotten. */
	WARN_ON(quarry_pool_destroy(pool));
}
module_exit(recorder_exit);

MODULE_DESCRIPTION("Example: a frame recorder on a quarry pool");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "QUARRY");
