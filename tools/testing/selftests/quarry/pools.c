// SPDX-License-Identifier: GPL-2.0
/*
 * Pools as user space makes them: what was promised at creation holds, what
 * cannot be promised is refused at creation, nothing is lost on any way out.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quarry_test.h"

#define POOL	QT_PREFIX "pool"
#define OTHER	QT_PREFIX "other"
#define MANY	64
#define ROUNDS	64
/* Looks at the numbers while the pool grows by itself; a bound, not a wait. */
#define LOOKS	200000
#define TRIES	10

static int fd;

static void setup(void)
{
	fd = qt_open(O_RDWR);
}

static __u64 page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static __u64 ram(void)
{
	struct sysinfo si;

	REQUIRE(!sysinfo(&si), "sysinfo: %s", strerror(errno));
	return (__u64)si.totalram * si.mem_unit;
}

static void create_full(struct quarry_pool_create *c, int want, const char *what)
{
	struct quarry_pool_stats s;
	int ret;

	c->size = sizeof(*c);
	qt_set_name(c->name, POOL);
	ret = qt_ioctl(fd, QUARRY_IOC_POOL_CREATE, c);
	CHECK(ret == want, "%s: got %s, not %s", what, strerror(-ret), strerror(-want));
	if (!ret && want)
		CHECK(!qt_destroy(fd, POOL), "%s: destroy failed", what);
	if (ret)
		CHECK(qt_stats(fd, POOL, &s) == -ENOENT, "%s: a pool is there", what);
}

static void get(const char *name, struct quarry_pool_stats *s)
{
	int ret = qt_stats(fd, name, s);

	REQUIRE(!ret, "%s: stats: %s", name, strerror(-ret));
	qt_check_sums(fd, s);
}

static void new_pool_is_as_ordered(void)
{
	struct quarry_pool_create c = {
		.min_bytes = MIB(8), .max_bytes = MIB(32), .reserve_bytes = MIB(1),
		.node = QUARRY_ANY_NODE,
	};
	struct quarry_pool_stats s;

	setup();
	create_full(&c, 0, "create");
	get(POOL, &s);
	CHECK(s.id == c.id, "id is %u, was %u", s.id, c.id);
	CHECK(s.node == QUARRY_ANY_NODE, "node is %d", s.node);
	CHECK(s.min_bytes == MIB(8) && s.max_bytes == MIB(32) && s.reserve_bytes == MIB(1) &&
	      !s.low_bytes, "min %llu max %llu reserve %llu low %llu", s.min_bytes,
	      s.max_bytes, s.reserve_bytes, s.low_bytes);
	CHECK(s.managed_bytes >= MIB(8) && s.managed_bytes <= MIB(32), "managed is %llu",
	      s.managed_bytes);
	CHECK(!s.allocated_bytes && !s.pcp_bytes && !s.retired_bytes &&
	      s.free_bytes == s.managed_bytes, "a new pool is not wholly free");
	CHECK(s.arenas && s.arenas == s.arenas_empty && s.areas == s.areas_free,
	      "%llu of %llu arenas, %llu of %llu areas", s.arenas_empty, s.arenas, s.areas_free,
	      s.areas);
	CHECK(s.largest_order >= 9, "largest order is %d", s.largest_order);
	CHECK(!s.allocs && !s.frees && !s.fail_limit && !s.fail_kernel, "counters have begun");
	/* 0.05% is what the metadata of large pools is held to; a page is the least. */
	CHECK(s.metadata_bytes && s.metadata_bytes <= s.managed_bytes / 2000 +
	      s.arenas * page_size(), "metadata of %llu is %llu", s.managed_bytes,
	      s.metadata_bytes);
	qt_check_valid(fd, POOL);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
	CHECK(qt_stats(fd, POOL, &s) == -ENOENT, "it is still there");
}

static void sizes_from_a_page_up(void)
{
	const __u64 pages[] = { 1, 2, 3, 7, 64, 511, 512, 513, 1023, 1024, 1025, 3000, 4097 };
	struct quarry_pool_stats s;
	unsigned int i;
	int ret;

	setup();
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		__u64 bytes = pages[i] * page_size();

		/* min = max leaves exactly one answer. */
		ret = qt_create(fd, POOL, bytes, bytes, NULL);
		if (!CHECK(!ret, "%llu pages: %s", pages[i], strerror(-ret)))
			continue;
		get(POOL, &s);
		CHECK(s.managed_bytes == bytes, "%llu pages: managed %llu", pages[i],
		      s.managed_bytes);
		qt_check_valid(fd, POOL);
		CHECK(!qt_destroy(fd, POOL), "destroy failed");
	}
}

static void empty_pool_is_a_pool(void)
{
	struct quarry_pool_validate v;
	struct quarry_pool_orders o;
	struct quarry_pool_stats s;
	__u64 n, total;
	__u32 nr;

	setup();
	REQUIRE(!qt_create(fd, POOL, 0, 0, NULL), "create failed");
	get(POOL, &s);
	CHECK(!s.managed_bytes && !s.arenas && s.largest_order == -1, "it is not empty");
	/* No cap but the machine's memory. */
	CHECK(s.max_bytes >= ram() / 2, "max is %llu of %llu", s.max_bytes, ram());
	CHECK(!qt_validate(fd, POOL, &v) && !v.frames && !v.violations, "validate");
	CHECK(!qt_orders(fd, POOL, QUARRY_ANY_NODE, &o), "orders");
	CHECK(!qt_map(fd, POOL, 0, NULL, 0, &nr, &total) && !total, "map");
	CHECK(!qt_shrink(fd, POOL, ALL_BYTES, &n) && !n, "shrink");
	CHECK(!qt_drain(fd, POOL, &n) && !n, "drain");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void shrink_keeps_min(void)
{
	struct quarry_pool_stats was, is;
	__u64 given;

	setup();
	REQUIRE(!qt_create(fd, POOL, MIB(8), MIB(32), NULL), "create failed");
	get(POOL, &was);
	CHECK(!qt_shrink(fd, POOL, ALL_BYTES, &given), "shrink failed");
	get(POOL, &is);
	CHECK(was.managed_bytes - is.managed_bytes == given, "%llu went to %llu, given %llu",
	      was.managed_bytes, is.managed_bytes, given);
	CHECK(is.managed_bytes >= MIB(8), "managed is %llu", is.managed_bytes);
	CHECK(!qt_shrink(fd, POOL, ALL_BYTES, &given) && !given, "shrunk twice: %llu", given);
	CHECK(!qt_shrink(fd, POOL, 0, &given) && !given, "shrunk by nothing: %llu", given);
	qt_check_valid(fd, POOL);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void nonsense_is_refused(void)
{
	static const __u64 crooked[] = { 1, 4095, 4097, (4 << 20) + 1, (4 << 20) + 512 };
	struct quarry_pool_create c;
	struct qt_health h;
	unsigned int i;

	setup();
	REQUIRE(!qt_create(fd, OTHER, MIB(4), MIB(8), NULL), "create failed");
	qt_check_valid(fd, OTHER);
	qt_health_begin(&h, fd, OTHER);
#define TRY(want, what, ...)							\
	do {									\
		c = (struct quarry_pool_create) {				\
			.max_bytes = MIB(16), .node = QUARRY_ANY_NODE,		\
		};								\
		__VA_ARGS__;							\
		create_full(&c, want, what);					\
	} while (0)
	TRY(-EINVAL, "min above max", c.min_bytes = MIB(32));
	TRY(-EINVAL, "min a page above max", c.min_bytes = MIB(16) + page_size());
	TRY(-EINVAL, "reserve above max", c.reserve_bytes = MIB(32));
	TRY(-EINVAL, "low above max", c.low_bytes = MIB(32));
	for (i = 0; i < ARRAY_SIZE(crooked); i++) {
		TRY(-EINVAL, "min is no multiple of the page size", c.min_bytes = crooked[i]);
		TRY(-EINVAL, "max is no multiple of the page size", c.max_bytes = crooked[i]);
		TRY(-EINVAL, "reserve is no multiple of the page size",
		    c.reserve_bytes = crooked[i]);
		TRY(-EINVAL, "low is no multiple of the page size", c.low_bytes = crooked[i]);
	}
	TRY(-EINVAL, "min of all ones", c.min_bytes = ~0ULL);
	TRY(-EINVAL, "max of all ones", c.max_bytes = ~0ULL);
	/* What no node can be called, and what none is called here. */
	TRY(-EINVAL, "node -2", c.node = -2);
	TRY(-EINVAL, "lowest node", c.node = -0x7fffffff - 1);
	TRY(-ENODEV, "node 63", c.node = 63);
	TRY(-ENODEV, "node 1023", c.node = 1023);
	TRY(-ENODEV, "node 1024", c.node = 1024);
	TRY(-ENODEV, "highest node", c.node = 0x7fffffff);
#undef TRY
	qt_health_end(&h);
	CHECK(!qt_destroy(fd, OTHER), "destroy failed");
}

static void node_is_kept(void)
{
	struct quarry_pool_create c = {
		.min_bytes = MIB(4), .max_bytes = MIB(8), .node = 0,
	};
	struct quarry_pool_stats s;
	struct quarry_pool_orders any, zero;
	struct quarry_map_area a[64];
	__u64 total;
	__u32 nr, i;

	setup();
	create_full(&c, 0, "create on node 0");
	get(POOL, &s);
	CHECK(!s.node, "node is %d", s.node);
	CHECK(!qt_map(fd, POOL, 0, a, 64, &nr, &total), "map failed");
	for (i = 0; i < nr; i++)
		CHECK(!a[i].node, "area %u is on node %u", i, a[i].node);
	CHECK(!qt_orders(fd, POOL, QUARRY_ANY_NODE, &any) && !qt_orders(fd, POOL, 0, &zero),
	      "orders failed");
	CHECK(!memcmp(any.orders, zero.orders, sizeof(any.orders)),
	      "node 0 is not the whole of it");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void second_node_has_its_own(void)
{
	struct quarry_pool_create c = {
		.min_bytes = MIB(4), .max_bytes = MIB(8), .node = 1,
	};
	struct quarry_map_area a[64];
	__u64 total;
	__u32 nr, i;

	setup();
	if (access("/sys/devices/system/node/node1", F_OK))
		ktap_skip("one node");
	create_full(&c, 0, "create on node 1");
	CHECK(!qt_map(fd, POOL, 0, a, 64, &nr, &total), "map failed");
	for (i = 0; i < nr; i++)
		CHECK(a[i].node == 1, "area %u is on node %u", i, a[i].node);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

/*
 * Leaks are told from noise by their number: a page lost in each round is
 * twice this bound, and what wanders does not grow with the rounds.
 */
static __u64 noise(unsigned int rounds)
{
	return rounds * page_size() / 2;
}

static void check_no_drift(__u64 before, __u64 bound, const char *what)
{
	__u64 after = qt_free_memory();

	ktap_note("%s: %lld bytes fewer, %llu allowed", what, (long long)(before - after), bound);
	CHECK(after + bound >= before, "%s: %llu bytes are missing", what, before - after);
}

static void what_does_not_exist_cannot_be_had(void)
{
	struct quarry_pool_create c;
	__u64 before = 0, huge;
	unsigned int i;

	setup();
	huge = (ram() + MIB(64)) & ~(MIB(4) - 1);
	for (i = 0; i < 2 + ROUNDS; i++) {
		/* The first rounds fill caches and the log's last lines. */
		if (i == 2)
			before = qt_free_memory();
		c = (struct quarry_pool_create) {
			.min_bytes = huge, .max_bytes = huge << (i % 3), .node = QUARRY_ANY_NODE,
		};
		create_full(&c, -ENOMEM, "more than the machine has");
		c = (struct quarry_pool_create) {
			.min_bytes = 1ULL << 50, .max_bytes = 1ULL << 50, .node = QUARRY_ANY_NODE,
		};
		create_full(&c, -ENOMEM, "a pebibyte");
	}
	check_no_drift(before, noise(ROUNDS), "refused creations");
	CHECK(!qt_create(fd, POOL, MIB(4), MIB(4), NULL), "create failed afterwards");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

/* Taken to the last page it is refused as well, and nobody is killed for it. */
static void all_there_is_cannot_be_had(void)
{
	struct quarry_pool_create c;
	__u64 before = 0;
	unsigned int i;

	setup();
	for (i = 0; i < 4; i++) {
		if (i == 1)
			before = qt_free_memory();
		c = (struct quarry_pool_create) {
			.min_bytes = ram(), .max_bytes = ram(), .node = QUARRY_ANY_NODE,
		};
		create_full(&c, -ENOMEM, "all of the machine");
	}
	/* The kernel's own caches were driven out too; an arena lost is 4 MiB. */
	check_no_drift(before, MIB(1), "refused after all was taken");
	CHECK(!qt_create(fd, POOL, MIB(4), MIB(4), NULL), "create failed afterwards");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

/* Wants a few pages again and again, as any program does. */
static pid_t neighbour(void)
{
	const size_t bytes = 64 * page_size();
	pid_t child = fork();
	char *p;

	REQUIRE(child >= 0, "fork: %s", strerror(errno));
	if (child)
		return child;
	for (;;) {
		p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(1);
		memset(p, 1, bytes);
		munmap(p, bytes);
	}
}

/*
 * Nobody is killed for a floor that the machine does not have. Those who need a page while the
 * last ones are here keep the CPUs from who has them.
 */
static void who_needs_a_page_meanwhile_is_not_killed(void)
{
	struct quarry_pool_create c;
	pid_t children[3];
	unsigned int i;
	int status;
	long kills;

	setup();
	kills = qt_vmstat("oom_kill");
	for (i = 0; i < ARRAY_SIZE(children); i++)
		children[i] = neighbour();
	REQUIRE(!setpriority(PRIO_PROCESS, 0, 10), "setpriority: %s", strerror(errno));
	c = (struct quarry_pool_create) {
		.min_bytes = ram(), .max_bytes = ram(), .node = QUARRY_ANY_NODE,
	};
	create_full(&c, -ENOMEM, "all of the machine");
	setpriority(PRIO_PROCESS, 0, 0);
	CHECK(qt_vmstat("oom_kill") == kills, "%ld were killed", qt_vmstat("oom_kill") - kills);
	for (i = 0; i < ARRAY_SIZE(children); i++) {
		CHECK(!waitpid(children[i], &status, WNOHANG), "a neighbour has ended");
		if (!kill(children[i], SIGKILL))
			waitpid(children[i], &status, 0);
	}
	CHECK(!qt_create(fd, POOL, MIB(4), MIB(4), NULL), "create failed afterwards");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void memory_comes_back(void)
{
	__u64 before, during;
	unsigned int i;

	setup();
	for (i = 0; i < ROUNDS / 4; i++) {
		REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(4), NULL), "create failed");
		REQUIRE(!qt_destroy(fd, POOL), "destroy failed");
	}
	before = qt_free_memory();
	for (i = 0; i < ROUNDS * 4; i++) {
		REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(4), NULL), "create failed");
		REQUIRE(!qt_destroy(fd, POOL), "destroy failed");
	}
	check_no_drift(before, noise(ROUNDS * 4), "created and destroyed");
	/* That the measure sees memory at all: 16 MiB taken are 16 MiB fewer. */
	REQUIRE(!qt_create(fd, POOL, MIB(16), MIB(16), NULL), "create failed");
	during = qt_free_memory();
	CHECK(before - during >= MIB(15) && before - during <= MIB(18),
	      "a pool of 16 MiB costs %lld", (long long)(before - during));
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void many_pools(void)
{
	struct quarry_pool_entry e[QT_MAX_POOLS];
	struct quarry_pool_stats s;
	char name[QUARRY_NAME_MAX];
	__u32 before, nr, i, id, last = 0;

	setup();
	REQUIRE(!qt_list(fd, NULL, 0, &before), "list failed");
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), QT_PREFIX "many.%u", i);
		/* Sizes differ, so that numbers of another pool would show. */
		REQUIRE(!qt_create(fd, name, (i + 1) * page_size(), MIB(4) + i * page_size(), &id),
			"create %u failed", i);
		CHECK(id > last, "id %u after %u", id, last);
		last = id;
	}
	REQUIRE(!qt_list(fd, e, QT_MAX_POOLS, &nr), "list failed");
	CHECK(nr == before + MANY, "%u pools after %u and %u", nr, before, MANY);
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), QT_PREFIX "many.%u", i);
		get(name, &s);
		CHECK(!strcmp(s.name, name) && s.max_bytes == MIB(4) + i * page_size(),
		      "%s answers as %.32s with max %llu", name, s.name, s.max_bytes);
		CHECK(s.managed_bytes >= (i + 1) * page_size(), "%s manages %llu", name,
		      s.managed_bytes);
		qt_check_valid(fd, name);
	}
	/* Every other one first: the rest stay whole. */
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), QT_PREFIX "many.%u", (2 * i + i / (MANY / 2)) % MANY);
		CHECK(!qt_destroy(fd, name), "destroy %s failed", name);
	}
	REQUIRE(!qt_list(fd, e, QT_MAX_POOLS, &nr), "list failed");
	CHECK(nr == before, "%u pools are left of %u", nr, before);
}

static void pools_do_not_touch_each_other(void)
{
	struct quarry_pool_stats was, is;
	unsigned int i;
	__u64 n;

	setup();
	REQUIRE(!qt_create(fd, OTHER, MIB(8), MIB(16), NULL), "create failed");
	qt_check_valid(fd, OTHER);
	get(OTHER, &was);
	for (i = 0; i < ROUNDS / 4; i++) {
		REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(4), NULL), "create failed");
		CHECK(qt_create(fd, QT_PREFIX "x", ram() * 2, ram() * 2, NULL) == -ENOMEM,
		      "twice the memory was had");
		CHECK(!qt_drain(fd, POOL, &n) && !qt_shrink(fd, POOL, ALL_BYTES, &n), "ops failed");
		CHECK(!qt_destroy(fd, POOL), "destroy failed");
	}
	get(OTHER, &is);
	qt_check_same(&was, &is);
	qt_check_valid(fd, OTHER);
	CHECK(!qt_destroy(fd, OTHER), "destroy failed");
}

static void default_pool_stays(void)
{
	struct quarry_pool_stats was, is;
	int ret;

	setup();
	get(QT_DEFAULT_POOL, &was);
	ret = qt_destroy(fd, QT_DEFAULT_POOL);
	CHECK(ret == -EBUSY, "destroy: %s", strerror(-ret));
	get(QT_DEFAULT_POOL, &is);
	CHECK(was.id == is.id && was.managed_bytes == is.managed_bytes, "it is another now");
	qt_check_valid(fd, QT_DEFAULT_POOL);
}

static void destroyed_is_gone(void)
{
	struct quarry_pool_validate v;
	struct quarry_pool_stats s;

	setup();
	CHECK(qt_destroy(fd, QT_PREFIX "never") == -ENOENT, "destroyed what never was");
	REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(4), NULL), "create failed");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
	CHECK(qt_destroy(fd, POOL) == -ENOENT, "destroyed twice");
	CHECK(qt_stats(fd, POOL, &s) == -ENOENT, "stats");
	CHECK(qt_validate(fd, POOL, &v) == -ENOENT, "validate");
	CHECK(qt_shrink(fd, POOL, ALL_BYTES, NULL) == -ENOENT, "shrink");
	CHECK(qt_drain(fd, POOL, NULL) == -ENOENT, "drain");
	/* The name is free again, and what is made under it begins at zero. */
	REQUIRE(!qt_create(fd, POOL, 0, MIB(4), NULL), "create again failed");
	get(POOL, &s);
	CHECK(!s.managed_bytes && !s.grows, "it remembers its predecessor");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

/* From here on with a client in the kernel, since user space has no pages. */

/* Waits, by looking, for background growth to bring @want bytes. */
static bool grown(const char *name, __u64 want)
{
	struct quarry_pool_stats s;
	unsigned int i;

	for (i = 0; i < LOOKS; i++) {
		REQUIRE(!qt_stats(fd, name, &s), "stats failed");
		if (s.managed_bytes >= want)
			return true;
		sched_yield();
	}
	return false;
}

static void low_watermark_grows_up_to_max(void)
{
	struct quarry_pool_create c = {
		.max_bytes = MIB(8), .low_bytes = MIB(6), .node = QUARRY_ANY_NODE,
	};
	struct quarry_pool_stats s;
	unsigned int i;
	__u64 given;

	setup();
	create_full(&c, 0, "create");
	/* The watermark is looked at when memory is taken. */
	qt_load_module("pool=" POOL " hold=1");
	/* To hold 6 MiB free it takes what its arenas round that up to. */
	CHECK(grown(POOL, MIB(6)), "it did not grow");
	/* It is counted as such when it is done, a moment later. */
	for (i = 0, get(POOL, &s); i < LOOKS && !s.grows_background; i++) {
		sched_yield();
		get(POOL, &s);
	}
	CHECK(s.grows_background && s.grows_background <= s.grows, "%llu of %llu in background",
	      s.grows_background, s.grows);
	CHECK(s.low_bytes == MIB(6), "low is %llu", s.low_bytes);
	qt_unload_module();
	/* Above min, so it can be had back, and stays away while nobody asks. */
	CHECK(!qt_shrink(fd, POOL, ALL_BYTES, &given) && given == s.managed_bytes,
	      "shrink gave %llu of %llu", given, s.managed_bytes);
	get(POOL, &s);
	CHECK(!s.managed_bytes, "managed is %llu", s.managed_bytes);
	qt_check_valid(fd, POOL);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void pages_out_are_counted(void)
{
	struct quarry_pool_stats s;
	struct quarry_pool_orders o;
	__u64 moved;

	/* A CPU's lists hold memory of its own node alone. */
	qt_pin(0);
	setup();
	REQUIRE(!qt_create(fd, POOL, MIB(8), MIB(16), NULL), "create failed");
	qt_load_module("pool=" POOL " hold=100 order=2");
	CHECK(qt_load_value("hold") == 100, "it holds %lu", qt_load_value("hold"));
	get(POOL, &s);
	CHECK(s.allocated_bytes == 400 * page_size(), "allocated is %llu", s.allocated_bytes);
	CHECK(s.allocs == 100 && !s.frees && s.alloc_frames == 400, "%llu out, %llu back, %llu",
	      s.allocs, s.frees, s.alloc_frames);
	CHECK(!qt_orders(fd, POOL, QUARRY_ANY_NODE, &o), "orders failed");
	CHECK(o.orders[2].allocs == 100 && !o.orders[2].frees, "order 2: %llu out, %llu back",
	      o.orders[2].allocs, o.orders[2].frees);
	qt_check_valid(fd, POOL);
	qt_load_drop();
	get(POOL, &s);
	CHECK(s.pcp_bytes, "nothing is on a list");
	CHECK(!s.allocated_bytes && s.frees == 100 && s.free_frames == 400,
	      "%llu bytes out, %llu back, %llu frames", s.allocated_bytes, s.frees,
	      s.free_frames);
	CHECK(!qt_drain(fd, POOL, &moved) && moved == s.pcp_bytes, "drained %llu of %llu",
	      moved, s.pcp_bytes);
	get(POOL, &s);
	CHECK(!s.pcp_bytes && s.free_bytes == s.managed_bytes, "%llu of %llu are free",
	      s.free_bytes, s.managed_bytes);
	qt_unload_module();
	/* All merged again: splits are not for ever. */
	CHECK(s.areas_free == s.areas, "%llu of %llu areas are free", s.areas_free, s.areas);
	qt_check_valid(fd, POOL);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void destroy_waits_for_its_pages(void)
{
	struct quarry_pool_stats s;
	int ret;

	setup();
	REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(4), NULL), "create failed");
	qt_load_module("pool=" POOL " hold=1");
	ret = qt_destroy(fd, POOL);
	CHECK(ret == -EBUSY, "destroy with a page out: %s", strerror(-ret));
	get(POOL, &s);
	CHECK(s.errors[QUARRY_ERR_DESTROY_BUSY] == 1 && s.allocated_bytes == page_size(),
	      "%llu refusals, %llu bytes out", s.errors[QUARRY_ERR_DESTROY_BUSY],
	      s.allocated_bytes);
	qt_check_valid(fd, POOL);
	CHECK(qt_create(fd, POOL, 0, MIB(4), NULL) == -EEXIST, "the name was given up");
	qt_unload_module();
	/* Or only a reference is out; threads keep one. */
	qt_load_module("pool=" POOL " threads=1");
	ret = qt_destroy(fd, POOL);
	CHECK(ret == -EBUSY, "destroy with a reference out: %s", strerror(-ret));
	qt_unload_module();
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void max_is_a_cap(void)
{
	struct quarry_pool_stats s, other;

	setup();
	REQUIRE(!qt_create(fd, POOL, 0, MIB(6), NULL), "create failed");
	REQUIRE(!qt_create(fd, OTHER, MIB(4), MIB(8), NULL), "create failed");
	get(OTHER, &other);
	qt_load_module("pool=" POOL " hold=4096");
	get(POOL, &s);
	CHECK(qt_load_value("hold") == MIB(6) / page_size() && s.managed_bytes == MIB(6) &&
	      s.allocated_bytes == MIB(6) && !s.free_bytes,
	      "%lu pages held, managed %llu, allocated %llu", qt_load_value("hold"),
	      s.managed_bytes, s.allocated_bytes);
	CHECK(s.fail_limit && s.grows && !s.fail_kernel, "limit %llu kernel %llu grows %llu",
	      s.fail_limit, s.fail_kernel, s.grows);
	qt_check_valid(fd, POOL);
	get(OTHER, &s);
	qt_check_same(&other, &s);
	qt_unload_module();
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
	CHECK(!qt_destroy(fd, OTHER), "destroy failed");
}

static void grown_pool_shrinks_to_min(void)
{
	struct quarry_pool_stats was, is;
	__u64 given, most;

	setup();
	REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(24), NULL), "create failed");
	/* 16 MiB out: it has to grow, and what is out cannot be given back. */
	qt_load_module("pool=" POOL " hold=4096");
	get(POOL, &was);
	CHECK(was.managed_bytes >= MIB(16), "managed is %llu", was.managed_bytes);
	CHECK(!qt_shrink(fd, POOL, ALL_BYTES, &given), "shrink failed");
	get(POOL, &is);
	CHECK(is.allocated_bytes == MIB(16) && was.managed_bytes - is.managed_bytes == given,
	      "allocated %llu, managed went from %llu to %llu, given %llu", is.allocated_bytes,
	      was.managed_bytes, is.managed_bytes, given);
	qt_unload_module();
	get(POOL, &was);
	/* At most what is asked for; then all, which leaves min and no more. */
	for (most = page_size(); most <= MIB(8); most *= 8)
		CHECK(!qt_shrink(fd, POOL, most, &given) && given <= most,
		      "asked for %llu, given %llu", most, given);
	CHECK(!qt_shrink(fd, POOL, ALL_BYTES, &given), "shrink failed");
	get(POOL, &is);
	CHECK(is.managed_bytes >= MIB(4) && is.managed_bytes < MIB(8), "managed is %llu",
	      is.managed_bytes);
	CHECK(is.shrinks > was.shrinks, "%llu arenas given back, were %llu", is.shrinks,
	      was.shrinks);
	qt_check_valid(fd, POOL);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void load_leaves_the_sums_right(void)
{
	struct quarry_pool_stats s;
	unsigned int i;

	setup();
	REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(24), NULL), "create failed");
	qt_load_module("pool=" POOL " threads=4 hold=64 order=1");
	for (i = 0; i < ROUNDS || qt_load_value("steps") < 1000; i++) {
		REQUIRE(i < LOOKS, "the load stands still");
		CHECK(!qt_drain(fd, POOL, NULL), "drain failed");
		CHECK(!qt_shrink(fd, POOL, ALL_BYTES, NULL), "shrink failed");
		CHECK(!qt_stats(fd, POOL, &s) && s.managed_bytes <= MIB(24), "above max");
	}
	CHECK(!qt_load_value("damage"), "%lu pages were damaged", qt_load_value("damage"));
	qt_unload_module();
	get(POOL, &s);
	CHECK(!s.allocated_bytes && s.allocs == s.frees, "%llu out, %llu back", s.allocs, s.frees);
	for (i = 0; i < QUARRY_ERRORS_MAX; i++)
		CHECK(!s.errors[i], "error %u was counted %llu times", i, s.errors[i]);
	qt_check_valid(fd, POOL);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

/*
 * A pool grows by 1000 pages while the kernel's memory is in pieces of 32 KiB. How small they are
 * hangs on what the kernel has put together again meanwhile, or got back from somebody else:
 * returns false if they were not in pieces at all, for whole these pages would be one block of
 * 4 MiB.
 */
static bool grow_in_pieces(void)
{
	long stalls, fails, scanned;
	struct quarry_pool_stats s;
	bool in_pieces;

	REQUIRE(!qt_create(fd, POOL, 0, MIB(64), NULL), "create failed");
	/* By itself, to see what it costs to get there. */
	qt_load_module("pool=" POOL " pieces=3");
	stalls = qt_vmstat("compact_stall");
	fails = qt_vmstat("compact_fail");
	scanned = qt_vmstat("pgscan_direct");
	qt_unload_module();
	qt_load_module("pool=" POOL " pieces=3 hold=1000");
	stalls = qt_vmstat("compact_stall") - stalls;
	fails = qt_vmstat("compact_fail") - fails;
	scanned = qt_vmstat("pgscan_direct") - scanned;
	get(POOL, &s);
	ktap_note("%llu times grown: compact_stall %ld, compact_fail %ld, pgscan_direct %ld",
		  s.grows, stalls, fails, scanned);
	CHECK(qt_load_value("hold") == 1000, "%lu pages were had", qt_load_value("hold"));
	in_pieces = s.grows > 10;
	CHECK(!in_pieces || (!stalls && !fails), "%ld stalls, %ld of them for nothing", stalls,
	      fails);
	qt_unload_module();
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
	return in_pieces;
}

/*
 * The kernel has pieces of 32 KiB and nothing larger, and a pool grows by one for each few
 * pages: the larger ones that it would rather have are not worth work to who waits.
 */
static void growing_for_a_page_compacts_nothing(void)
{
	unsigned int tries = 0;

	/* Skips where the kernel does not count that. */
	qt_vmstat("compact_stall");
	setup();
	while (!grow_in_pieces())
		REQUIRE(++tries < TRIES, "the kernel's memory was never in pieces");
}

static bool after(void)
{
	qt_unload_module();
	return qt_after();
}

/*
 * A module goes, and one that is not ours, and who has the pages stays: nothing is moved or
 * said, no reference taken.
 */
static void a_client_of_several_goes(void)
{
	struct quarry_pool_stats before, after;
	char refs[2][32];

	fd = qt_open(O_RDWR);
	REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(8), NULL), "create failed");
	qt_load_module("pool=" POOL " hold=64");
	/* If it stays for these pages once, it says so once. */
	REQUIRE(qt_read_file("/sys/module/quarry/refcnt", refs[0], sizeof(refs[0])) > 0, "no refs");
	qt_log_begin();
	qt_objects_load("pool=" POOL);
	qt_objects_unload();
	REQUIRE(!qt_stats(fd, POOL, &before) && before.allocated_bytes, "nothing is out");
	qt_objects_load("");
	qt_stranger_load();
	qt_objects_unload();
	qt_stranger_unload();
	CHECK(!qt_log_has("pages are out", "staying loaded"), "it stays without a reason");
	REQUIRE(qt_read_file("/sys/module/quarry/refcnt", refs[1], sizeof(refs[1])) > 0 &&
		!qt_stats(fd, POOL, &after), "no figures");
	CHECK(!strcmp(refs[0], refs[1]), "references: %s, then %s", refs[0], refs[1]);
	CHECK(after.drains == before.drains, "%llu drains", after.drains - before.drains);
	qt_unload_module();
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static int modes(__u32 set, __u32 clear, __u32 *now)
{
	struct quarry_pool_modes m = { .size = sizeof(m), .set = set, .clear = clear };
	int ret;

	qt_set_name(m.name, POOL);
	ret = qt_ioctl(fd, QUARRY_IOC_POOL_MODES, &m);
	if (now)
		*now = m.modes;
	return ret;
}

/* Pages of @t, of which a function is the owner; and those without one. */
static __u64 traced(const char *function, __u64 *untraced)
{
	static struct quarry_trace trace[64];
	struct quarry_pool_traces t = { .size = sizeof(t), .capacity = ARRAY_SIZE(trace) };
	__u64 pages = 0;
	__u32 i;
	int ret;

	qt_set_name(t.name, POOL);
	t.traces = (uintptr_t)trace;
	ret = qt_ioctl(fd, QUARRY_IOC_POOL_TRACES, &t);
	REQUIRE(!ret, "traces: %s", strerror(-ret));
	for (i = 0; i < t.count && i < ARRAY_SIZE(trace); i++)
		if (strstr(trace[i].text, function))
			pages += trace[i].objects;
	*untraced = t.untraced;
	return pages;
}

static void modes_are_switched_and_owners_told(void)
{
	struct quarry_pool_stats s;
	__u64 untraced, pages;
	__u32 now;

	setup();
	REQUIRE(!qt_create(fd, POOL, 0, MIB(16), NULL), "create failed");
	CHECK(modes(QUARRY_MODE_POISON, 0, NULL) == -EINVAL, "pools have no poison");
	CHECK(modes(0, 1U << 31, NULL) == -EINVAL, "an unknown mode");
	CHECK(modes(QUARRY_MODE_CHECK, QUARRY_MODE_CHECK, NULL) == -EINVAL, "on and off");
	CHECK(!modes(0, 0, &now) && !now, "modes are %#x", now);
	CHECK(!traced("", &untraced) && !untraced, "traces without owners");
	CHECK(!modes(QUARRY_POOL_MODES, 0, &now) && now == QUARRY_POOL_MODES, "modes are %#x",
	      now);
	get(POOL, &s);
	CHECK(s.modes == now, "stats say %#x", s.modes);
	qt_load_module("pool=" POOL " hold=100 order=1");
	/* What the module allocates in its init function has no name afterwards. */
	pages = traced("do_one_initcall", &untraced);
	CHECK(pages == 200 && !untraced, "%llu pages, %llu of nobody", pages, untraced);
	CHECK(!modes(0, QUARRY_POOL_MODES & ~QUARRY_MODE_OWNER, &now) && now == QUARRY_MODE_OWNER,
	      "modes are %#x", now);
	CHECK(traced("do_one_initcall", &untraced) == 200, "owners went with another mode");
	/* Who took pages while owners were not kept has none. */
	CHECK(!modes(0, QUARRY_MODE_OWNER, &now) && !now, "modes are %#x", now);
	CHECK(!modes(QUARRY_MODE_OWNER, 0, &now), "on again");
	CHECK(!traced("do_one_initcall", &untraced) && untraced == 200, "%llu of nobody", untraced);
	qt_unload_module();
	get(POOL, &s);
	CHECK(!s.errors[QUARRY_ERR_USE_AFTER_FREE], "writes to free pages were seen");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

#define LEAK	QT_PREFIX "leak"	/* what quarry_leak.ko calls its pool and its cache */

/* Who has the objects of the cache that it destroyed last, as one who looks for a leak asks. */
static void check_leak_is_known(const char *when)
{
	static struct quarry_cache_entry e[QT_MAX_CACHES];
	struct quarry_cache_traces t = { .size = sizeof(t), .flags = QUARRY_TRACES_ID };
	struct quarry_trace trace;
	__u32 i, nr;
	int ret;

	REQUIRE(!qt_cache_list(fd, e, QT_MAX_CACHES, &nr), "no list");
	for (i = nr; i-- && strcmp(e[i].name, LEAK);)
		;
	REQUIRE(i < nr && e[i].kind == QUARRY_CACHE_DEAD, "%s: no dead cache", when);
	memset(&trace, 0, sizeof(trace));
	qt_set_name(t.name, LEAK);
	t.count = e[i].id;
	t.capacity = 1;
	t.traces = (uintptr_t)&trace;
	ret = qt_ioctl(fd, QUARRY_IOC_CACHE_TRACES, &t);
	CHECK(!ret && t.count == 1 && !t.untraced, "%s: %s, %u stacks, %llu untraced", when,
	      strerror(-ret), t.count, t.untraced);
	CHECK(trace.objects == 3, "%s: %llu objects", when, trace.objects);
	/* In words, though the module that has them has gone. */
	CHECK(strstr(trace.text, "quarry_leak_take") && strstr(trace.text, "[quarry_leak]"),
	      "%s: stack is %s", when, trace.text);
}

static void check_leak(__u64 had)
{
	struct quarry_forgotten before, after;
	struct quarry_pool_stats s;
	__u64 lost = 0;
	int ret;

	qt_leak_unload();
	/* What a module says is the kernel's word for one that is loaded: 7.2 says the other. */
	ret = qt_leak_load("");
	CHECK(ret == -EEXIST || ret == -EBUSY, "loaded twice: %s", strerror(-ret));
	check_leak_is_known("destroyed");
	get(LEAK, &s);
	/* Two pages, and a slab of three objects at least. */
	CHECK(s.allocated_bytes >= 3 * page_size(), "%llu bytes are out", s.allocated_bytes);
	CHECK(qt_destroy(fd, LEAK) == -EBUSY, "destroyed with memory out");
	REQUIRE(!qt_forgotten(fd, &before), "no figures");
	CHECK(before.lost_bytes >= had, "%llu bytes are lost", before.lost_bytes);
	CHECK(!qt_forget(fd, LEAK, &lost), "not forgotten");
	CHECK(lost == s.allocated_bytes, "%llu bytes were out, %llu are lost", s.allocated_bytes,
	      lost);
	REQUIRE(!qt_forgotten(fd, &after), "no figures");
	CHECK(after.pools == before.pools + 1 && after.lost_bytes == before.lost_bytes + lost,
	      "%llu pools and %llu bytes, then %llu and %llu", before.pools, before.lost_bytes,
	      after.pools, after.lost_bytes);
	CHECK(qt_stats(fd, LEAK, &s) == -ENOENT, "it is there");
	CHECK(qt_forget(fd, LEAK, &lost) == -ENOENT, "forgotten twice");
	check_leak_is_known("forgotten");
}

static unsigned long quarry_refs(void)
{
	char text[32];

	REQUIRE(qt_read_file("/sys/module/quarry/refcnt", text, sizeof(text)) > 0, "no refcnt");
	return strtoul(text, NULL, 10);
}

/* A module leaked and went. Its names can be had again, and what it leaked is told. */
static void a_leak_is_forgotten(void)
{
	struct quarry_forgotten f;
	unsigned long refs;
	__u64 lost;

	fd = qt_open(O_RDWR);
	REQUIRE(!qt_leak_load(""), "it does not load");
	/* While it is loaded it may yet free what it has. */
	CHECK(qt_forget(fd, LEAK, &lost) == -EBUSY, "forgotten under its owner");
	check_leak(0);
	refs = quarry_refs();
	REQUIRE(!qt_forgotten(fd, &f), "no figures");
	CHECK(!qt_leak_load(""), "the name is not free");
	check_leak(f.lost_bytes);
	/* What is lost keeps quarry from being unloaded no longer. */
	CHECK(quarry_refs() == refs, "%lu references, then %lu", refs, quarry_refs());
	CHECK(qt_forget(fd, QT_DEFAULT_POOL, &lost) == -EBUSY, "the default pool was forgotten");
}

static const struct ktap_case cases[] = {
	{ "new_pool_is_as_ordered", new_pool_is_as_ordered },
	{ "sizes_from_a_page_up", sizes_from_a_page_up },
	{ "empty_pool_is_a_pool", empty_pool_is_a_pool },
	{ "shrink_keeps_min", shrink_keeps_min },
	{ "nonsense_is_refused", nonsense_is_refused },
	{ "node_is_kept", node_is_kept },
	{ "second_node_has_its_own", second_node_has_its_own },
	{ "what_does_not_exist_cannot_be_had", what_does_not_exist_cannot_be_had },
	{ "all_there_is_cannot_be_had", all_there_is_cannot_be_had },
	{ "who_needs_a_page_meanwhile_is_not_killed",
	  who_needs_a_page_meanwhile_is_not_killed },
	{ "memory_comes_back", memory_comes_back },
	{ "many_pools", many_pools },
	{ "pools_do_not_touch_each_other", pools_do_not_touch_each_other },
	{ "default_pool_stays", default_pool_stays },
	{ "destroyed_is_gone", destroyed_is_gone },
	{ "low_watermark_grows_up_to_max", low_watermark_grows_up_to_max },
	{ "pages_out_are_counted", pages_out_are_counted },
	{ "destroy_waits_for_its_pages", destroy_waits_for_its_pages },
	{ "max_is_a_cap", max_is_a_cap },
	{ "grown_pool_shrinks_to_min", grown_pool_shrinks_to_min },
	{ "load_leaves_the_sums_right", load_leaves_the_sums_right },
	{ "growing_for_a_page_compacts_nothing", growing_for_a_page_compacts_nothing },
	{ "a_client_of_several_goes", a_client_of_several_goes },
	{ "modes_are_switched_and_owners_told", modes_are_switched_and_owners_told },
	{ "a_leak_is_forgotten", a_leak_is_forgotten },
};

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = qt_before,
	.after = after,
};
