// SPDX-License-Identifier: GPL-2.0
/* quarryctl buddy: free blocks by order, and how fragmented the rest is. */
#include <stdlib.h>
#include <string.h>

#include "quarryctl.h"

enum { POOL, ORDER, BLOCK, FREE_BLOCKS, FREE, PCP_BLOCKS, ALLOCS, FREES, UNUSABLE, EXTFRAG };

static const struct column columns[] = {
	[POOL]		= { .name = "POOL", .help = "its name" },
	[ORDER]		= { .name = "ORDER", .kind = K_NUMBER, .help = "log2 of a block's pages" },
	[BLOCK]		= { .name = "BLOCK", .kind = K_SIZE, .rank = 1,
			    .help = "bytes of a block" },
	[FREE_BLOCKS]	= { .name = "FREE_BLOCKS", .kind = K_COUNT,
			    .help = "free in the buddy, of exactly this order" },
	[FREE]		= { .name = "FREE", .kind = K_SIZE, .rank = 4, .help = "bytes in these" },
	[PCP_BLOCKS]	= { .name = "PCP_BLOCKS", .kind = K_COUNT, .rank = 7,
			    .help = "on per-CPU lists" },
	[ALLOCS]	= { .name = "ALLOCS", .kind = K_COUNT, .rank = 5,
			    .help = "blocks handed out, ever" },
	[FREES]		= { .name = "FREES", .kind = K_COUNT, .rank = 6,
			    .help = "blocks taken back, ever" },
	[UNUSABLE]	= { .name = "UNUSABLE", .kind = K_MILLI, .rank = 2,
			    .help = "share of free memory that cannot serve it" },
	[EXTFRAG]	= { .name = "EXTFRAG", .kind = K_MILLI, .rank = 3,
			    .help = "0 for lack of memory, 1 for fragmentation" },
};

/* Orders above what the kernel gives are shown only if an added range has them. */
static unsigned int orders_worth_showing(const struct quarry_pool_orders *o)
{
	unsigned int nr = o->nr_orders, least = module.max_order + 1;
	const struct quarry_order_stats *s;

	if (nr > QUARRY_NR_ORDERS)
		nr = QUARRY_NR_ORDERS;
	for (; nr > least; nr--) {
		s = &o->orders[nr - 1];
		if (s->free_blocks || s->pcp_blocks || s->allocs || s->frees)
			break;
	}
	return nr;
}

static void fill(struct table *t, const struct quarry_pool_orders *o)
{
	unsigned int order, nr = orders_worth_showing(o);
	const struct quarry_order_stats *s;
	u64 block;

	for (order = 0; order < nr; order++) {
		s = &o->orders[order];
		block = (u64)module.page_size << order;
		table_row(t);
		if (!s->free_blocks && !s->pcp_blocks)
			table_row_is_empty(t);
		table_text(t, POOL, o->name);
		table_number(t, ORDER, order);
		table_count(t, BLOCK, block);
		table_count(t, FREE_BLOCKS, s->free_blocks);
		table_count(t, FREE, s->free_blocks * block);
		table_count(t, PCP_BLOCKS, s->pcp_blocks);
		table_count(t, ALLOCS, s->allocs);
		table_count(t, FREES, s->frees);
		table_number(t, UNUSABLE, s->unusable_milli);
		table_number(t, EXTFRAG, s->extfrag_milli);
	}
}

static int run(void)
{
	struct table *t = table_new("buddy", columns, ARRAY_SIZE(columns));
	struct quarry_pool_orders orders;
	struct pools pools;
	int status;
	size_t i;

	device_open(false);
	pools_select(&pools, req.args[0]);
	for (i = 0; i < pools.nr; i++) {
		memset(&orders, 0, sizeof(orders));
		orders.size = sizeof(orders);
		orders.node = req.node;
		name_set(orders.name, pools.entry[i].name);
		if (req.args[0])
			status = device_call(QUARRY_IOC_POOL_ORDERS, &orders, req.args[0]);
		else
			status = device_call_quiet(QUARRY_IOC_POOL_ORDERS, &orders,
						   pools.entry[i].name);
		if (status > 0)
			exit(status);
		if (!status)
			fill(t, &orders);
	}
	table_print(t, stdout);
	table_free(t);
	pools_free(&pools);
	return EXIT_OK;
}

static const struct argp_option options[] = {
	{ "node", OPT_NODE, "NODE", 0, "Count free blocks of this NUMA node only", 1 },
	{ 0 }
};

const struct command cmd_buddy = {
	.name = "buddy",
	.args_doc = "[POOL]",
	.summary = "free blocks and fragmentation by order",
	.doc = "Show free blocks, traffic and fragmentation for every order.\n"
	       "\vEXTFRAG says why an allocation would fail: towards 0 for lack of memory,\n"
	       "towards 1 for fragmentation; -1.000 where it would not fail.\n",
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl buddy default -s order -o order,block,free_blocks,extfrag\n"
	"ORDER BLOCK FREE_BLOCKS EXTFRAG\n"
	"   10    4M          10   0.512\n"
	"    9    2M          11  -1.000\n"
	"    8    1M          12  -1.000\n"
	"    7  512K          13  -1.000\n"
	"    6  256K          14  -1.000\n"
	"    5  128K          15  -1.000\n"
	"    4   64K          16  -1.000\n"
	"    3   32K          17  -1.000\n"
	"    2   16K          18  -1.000\n"
	"    1    8K          19  -1.000\n"
	"    0    4K          20  -1.000\n",
	.options = options,
	.max_args = 1,
	.run = run,
};
