// SPDX-License-Identifier: GPL-2.0
/* quarryctl info: who answers, and what it can do. */
#include "quarryctl.h"

enum {
	TOOL_VERSION, MODULE_VERSION, TOOL_ABI, MODULE_ABI, FEATURES, POOLS, FORGOTTEN, LOST,
	PAGE_SIZE, MAX_ORDER, DEVICE
};

static const struct column columns[] = {
	[TOOL_VERSION]	 = { .name = "TOOL_VERSION", .help = "of quarryctl" },
	[MODULE_VERSION] = { .name = "MODULE_VERSION", .help = "of quarry.ko" },
	[TOOL_ABI]	 = { .name = "TOOL_ABI", .kind = K_NUMBER,
			    .help = "that quarryctl speaks" },
	[MODULE_ABI]	 = { .name = "MODULE_ABI", .kind = K_NUMBER,
			    .help = "that quarry.ko speaks" },
	[FEATURES]	 = { .name = "FEATURES", .help = "what the module can do" },
	[POOLS]		 = { .name = "POOLS", .kind = K_NUMBER, .help = "that there are" },
	[FORGOTTEN]	 = { .name = "FORGOTTEN", .kind = K_NUMBER, .bad = "",
			     .help = "pools destroyed with memory out" },
	[LOST]		 = { .name = "LOST", .kind = K_SIZE, .bad = "",
			     .help = "memory that was out of these" },
	[PAGE_SIZE]	 = { .name = "PAGE_SIZE", .kind = K_SIZE, .help = "bytes of a frame" },
	[MAX_ORDER]	 = { .name = "MAX_ORDER", .kind = K_NUMBER,
			     .help = "of the largest block of the kernel's memory" },
	[DEVICE]	 = { .name = "DEVICE", .help = "that was asked" },
};

static const struct {
	u64 bit;
	const char *name;
} features[] = {
	{ QUARRY_FEATURE_PAGES, "pages" },
	{ QUARRY_FEATURE_INJECT, "inject" },
	{ QUARRY_FEATURE_CACHES, "caches" },
};

static void features_text(char *buf, size_t room, u64 bits)
{
	size_t i, used = 0;

	buf[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		if (!(bits & features[i].bit))
			continue;
		used += snprintf(buf + used, room - used, "%s%s", used ? "," : "",
				 features[i].name);
		bits &= ~features[i].bit;
	}
	/* a newer module may have what this tool has no word for */
	if (bits)
		snprintf(buf + used, room - used, "%s%#llx", used ? "," : "",
			 bits);
}

static int run(void)
{
	bool same = device_open_any_abi();
	struct table *t = table_new("info", columns, ARRAY_SIZE(columns));
	struct quarry_forgotten lost;
	char text[96];

	table_row(t);
	table_text(t, TOOL_VERSION, QUARRYCTL_VERSION);
	table_text(t, MODULE_VERSION, module.version);
	table_number(t, TOOL_ABI, QUARRY_ABI_VERSION);
	table_number(t, MODULE_ABI, module.abi);
	features_text(text, sizeof(text), module.features);
	table_text(t, FEATURES, text);
	table_count(t, POOLS, module.nr_pools);
	/* Of a module that is another's, only what all versions say. */
	if (same) {
		forgotten_read(&lost);
		table_count(t, FORGOTTEN, lost.pools);
		table_count(t, LOST, lost.lost_bytes);
	} else {
		table_none(t, FORGOTTEN, NULL);
		table_none(t, LOST, NULL);
	}
	table_count(t, PAGE_SIZE, module.page_size);
	table_count(t, MAX_ORDER, module.max_order);
	table_text(t, DEVICE, req.device);
	table_print_upright(t, stdout);
	table_free(t);
	if (same)
		return EXIT_OK;
	return complain(EXIT_SKEW,
			"tool and module differ in version: ABI %u here, %u there; " REMEDY_SKEW,
			QUARRY_ABI_VERSION, module.abi);
}

const struct command cmd_info = {
	.name = "info",
	.summary = "versions, features and limits of tool and module",
	.doc = "Show the versions of tool and module, and what the module can do.",
	.columns = columns,
	.nr_columns = ARRAY_SIZE(columns),
	.example =
	"$ quarryctl info --output module_version,features,max_order\n"
	"FIELD          VALUE\n"
	"MODULE_VERSION 9.8.7\n"
	"FEATURES       pages,inject,caches,0x10000000000\n"
	"MAX_ORDER      10\n",
	.run = run,
};
