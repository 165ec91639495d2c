// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctl interface call by call: what is right is answered, what is wrong
 * gets its errno, and afterwards no number of any pool has moved.
 *
 * The calls are those of the lists in linux/quarry.h; one table says of some what no list
 * does. The bad inputs are made from both, so that a new call is a new line there, and not a
 * new set of tests.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "quarry_test.h"

#define POOL	QT_PREFIX "abi"		/* exists in every case */
#define NEW	QT_PREFIX "new"		/* made and destroyed by the calls */
#define ABSENT	QT_PREFIX "absent"	/* never made */

/*
 * What is published is frozen: a program built today runs with any later module. Entries of
 * arrays stay as they are; structs that a call takes may grow, at their end, and whoever knows
 * of the first part alone is answered as ever.
 */
#define FROZEN(type, bytes) \
	static_assert(sizeof(struct type) == (bytes), #type " has changed")
FROZEN(quarry_pool_entry, 40);
FROZEN(quarry_order_stats, 40);
FROZEN(quarry_map_area, 16);
FROZEN(quarry_cache_entry, 40);
FROZEN(quarry_trace, 1056);

/* What the fields of some calls are for. */
struct quirk {
	unsigned int nr;
	bool unnamed;
	/* Offset and width of what must be zero on the way in. */
	size_t zero_at;
	size_t zero_len;
	/* Offset of the user address of an array, of its capacity, and entry size. */
	size_t array_at;
	size_t capacity_at;
	size_t entry;
};

#define ZERO(type, field)							\
	.zero_at = offsetof(struct type, field), .zero_len = sizeof(((struct type *)0)->field)
#define ARRAY(type, field, of)							\
	.array_at = offsetof(struct type, field),				\
	.capacity_at = offsetof(struct type, capacity), .entry = sizeof(struct of)

static const struct quirk quirks[] = {
	{ 0x00, .unnamed = true },
	{ 0x01, .unnamed = true, ARRAY(quarry_pool_list, entries, quarry_pool_entry) },
	{ 0x02, ZERO(quarry_pool_stats, modes) },
	{ 0x04, ARRAY(quarry_pool_map, areas, quarry_map_area) },
	{ 0x06, ZERO(quarry_pool_op, bytes) },
	{ 0x08, ZERO(quarry_pool_op, bytes) },
	{ 0x0a, .unnamed = true },
	{ 0x0b, ZERO(quarry_pool_modes, pad) },
	{ 0x0c, ARRAY(quarry_pool_traces, traces, quarry_trace) },
	{ 0x10, .unnamed = true, ARRAY(quarry_cache_list, entries, quarry_cache_entry) },
	{ 0x11, ZERO(quarry_cache_stats, pad) },
	{ 0x12, ZERO(quarry_cache_op, bytes) },
	{ 0x13, ZERO(quarry_cache_op, bytes) },
	{ 0x15, ARRAY(quarry_cache_traces, traces, quarry_trace) },
};

/*
 * The numbers that were published: with the size that the struct had then. No list is asked
 * here, since this is what they must not change. In the order of numbers.
 */
static const unsigned int published[] = {
	0xc040bd00, 0xc018bd01, 0xc1f8bd02, 0xc328bd03, 0xc048bd04,
	0xc050bd05, 0xc030bd06, 0xc030bd07, 0xc030bd08, 0xc080bd09, 0xc018bd0a, 0xc038bd0b,
	0xc040bd0c,
	0xc018bd10, 0xc1b8bd11, 0xc070bd12, 0xc070bd13, 0xc040bd14, 0xc040bd15,
};

/* What the lists say. @size: now, @first: when it was published. */
struct listed {
	const char *name;
	unsigned long cmd;
	size_t size;
	size_t first;
	__u32 flags;
};

#define LISTED(NAME, function, type, first, right, flags, text)			\
	{ #function, QUARRY_IOC_##NAME, sizeof(struct type), first, flags },
static const struct listed of_pools[] = QUARRY_POOL_CALLS(LISTED);
static const struct listed of_caches[] = QUARRY_CACHE_CALLS(LISTED);

#define NR_CALLS	(ARRAY_SIZE(of_pools) + ARRAY_SIZE(of_caches))

/* Both; the last has no name. */
static struct call {
	const char *name;
	unsigned int nr;
	unsigned long cmd;
	size_t size;
	size_t first;
	bool named;
	size_t zero_at;
	size_t zero_len;
	size_t array_at;
	size_t capacity_at;
	size_t entry;
	__u32 flags;
} calls[NR_CALLS + 1];

static void put_together(void)
{
	const struct listed *l;
	const struct quirk *q;
	struct call *c;
	size_t i, k;

	for (i = 0; i < NR_CALLS; i++) {
		c = &calls[i];
		l = i < ARRAY_SIZE(of_pools) ? &of_pools[i] : &of_caches[i - ARRAY_SIZE(of_pools)];
		*c = (struct call){
			.name = l->name, .nr = _IOC_NR(l->cmd), .cmd = l->cmd, .size = l->size,
			.first = l->first, .named = true, .flags = l->flags,
		};
		for (k = 0; k < ARRAY_SIZE(quirks); k++) {
			q = &quirks[k];
			if (q->nr != c->nr)
				continue;
			c->named = !q->unnamed;
			c->zero_at = q->zero_at;
			c->zero_len = q->zero_len;
			c->array_at = q->array_at;
			c->capacity_at = q->capacity_at;
			c->entry = q->entry;
		}
	}
}

enum {
	NR_CREATE = 0x05, NR_DESTROY = 0x06, NR_PAGE_TRACES = 0x0c, NR_CACHES = 0x10,
	NR_TRACES = 0x15,
};

#define NAME_AT		8		/* size and flags come first, in all of them */
#define FLAGS_AT	4
#define ROOM		_IOC_SIZEMASK	/* the largest size an ioctl number can carry */

static int fd;
static struct qt_health health;
static unsigned char buf[ROOM + 1] __aligned(8);
/* Room for what a good list or map call writes. */
static unsigned char array[1 << 16] __aligned(8);

static unsigned long number(const struct call *c, size_t size)
{
	return _IOC(_IOC_READ | _IOC_WRITE, QUARRY_IOC_MAGIC, c->nr, size);
}

static void put32(void *p, size_t at, __u32 v)
{
	memcpy((char *)p + at, &v, sizeof(v));
}

static void put64(void *p, size_t at, __u64 v)
{
	memcpy((char *)p + at, &v, sizeof(v));
}

/* A good argument for @c, and the state in which it is good. */
static void *good(const struct call *c)
{
	struct quarry_pool_create *create = (void *)buf;

	memset(buf, 0, sizeof(buf));
	put32(buf, 0, c->size);
	if (c->array_at) {
		put64(buf, c->array_at, (uintptr_t)array);
		put32(buf, c->capacity_at, sizeof(array) / c->entry);
	}
	if (!c->named)
		return buf;
	qt_set_name((char *)buf + NAME_AT, c->nr < NR_CACHES ? POOL : QT_CLASS);
	switch (c->nr) {
	case NR_CREATE:
		create->max_bytes = MIB(4);
		create->node = QUARRY_ANY_NODE;
		qt_set_name(create->name, NEW);
		qt_destroy(fd, NEW);
		break;
	case NR_DESTROY:
		qt_set_name((char *)buf + NAME_AT, NEW);
		REQUIRE(qt_create(fd, NEW, 0, MIB(4), NULL) != -EPERM, "not root");
		break;
	}
	return buf;
}

static void expect(const struct call *c, unsigned long cmd, void *arg, int want,
		   const char *what)
{
	int ret = qt_ioctl(fd, cmd, arg);

	CHECK(ret == want, "%s, %s: got %d (%s), not %d (%s)", c->name, what, ret,
	      strerror(-ret), want, strerror(-want));
}

static void setup(void)
{
	fd = qt_open(O_RDWR);
	REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(8), NULL), "create " POOL " failed");
}

static void begin_bad(void)
{
	setup();
	/* Whatever is allocated once on first use happens here, not in between. */
	qt_check_valid(fd, POOL);
	qt_check_valid(fd, QT_DEFAULT_POOL);
	qt_health_begin(&health, fd, POOL);
}

static void end_bad(void)
{
	qt_destroy(fd, NEW);
	qt_health_end(&health);
	CHECK(!qt_destroy(fd, POOL), "destroy " POOL " failed");
}

static void calls_answer(void)
{
	const struct call *c;

	setup();
	for (c = calls; c->name; c++)
		expect(c, number(c, c->size), good(c), 0, "good input");
	qt_destroy(fd, NEW);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void numbers_are_the_published_ones(void)
{
	const struct call *c;
	size_t i;

	CHECK(NR_CALLS == ARRAY_SIZE(published), "%zu calls, %zu were published", NR_CALLS,
	      ARRAY_SIZE(published));
	for (i = 0; i < NR_CALLS && i < ARRAY_SIZE(published); i++) {
		c = &calls[i];
		CHECK(number(c, c->first) == published[i], "%s is %#lx", c->name,
		      number(c, c->first));
		CHECK(number(c, c->size) == c->cmd && c->size >= c->first,
		      "%s: the header has %#lx, and %zu bytes", c->name, c->cmd, c->size);
	}
}

static void version_answers(void)
{
	struct quarry_version v;
	__u32 nr;

	setup();
	REQUIRE(!qt_version(fd, &v), "version failed");
	CHECK(v.size == sizeof(v), "size is %u", v.size);
	CHECK(v.abi == QUARRY_ABI_VERSION, "abi is %u", v.abi);
	CHECK(v.page_size == (__u32)sysconf(_SC_PAGESIZE), "page size is %u", v.page_size);
	CHECK(v.features == (QUARRY_FEATURE_PAGES | QUARRY_FEATURE_INJECT | QUARRY_FEATURE_CACHES),
	      "features are %#llx", v.features);
	CHECK(v.max_order < QUARRY_NR_ORDERS, "max order is %u", v.max_order);
	CHECK(!qt_list(fd, NULL, 0, &nr) && v.nr_pools == nr, "%u pools, the list says %u",
	      v.nr_pools, nr);
	CHECK(v.version[0] && memchr(v.version, 0, sizeof(v.version)), "no version text");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void list_writes_what_fits(void)
{
	struct quarry_pool_entry e[QT_MAX_POOLS];
	__u32 nr, count, i, j;

	setup();
	REQUIRE(!qt_list(fd, NULL, 0, &nr), "without room, to count");
	REQUIRE(nr >= 2 && nr < QT_MAX_POOLS, "%u pools", nr);
	for (i = 0; i <= nr + 1; i++) {
		memset(e, 0xa5, sizeof(e));
		CHECK(!qt_list(fd, e, i, &count), "capacity %u", i);
		CHECK(count == nr, "capacity %u: count %u of %u", i, count, nr);
		for (j = 0; j < i && j < nr; j++) {
			CHECK(memchr(e[j].name, 0, QUARRY_NAME_MAX) && e[j].name[0],
			      "entry %u has no name", j);
			CHECK(!e[j].pad, "entry %u: pad is %u", j, e[j].pad);
		}
		for (j *= sizeof(*e); j < sizeof(e); j++)
			if (!CHECK(((unsigned char *)e)[j] == 0xa5, "written behind %u", i))
				break;
	}
	/* Room is a promise of the caller, not a size to allocate. */
	CHECK(!qt_list(fd, e, ~0U, &count) && count == nr, "capacity of all ones");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void list_tells_name_from_id(void)
{
	struct quarry_pool_entry e[QT_MAX_POOLS];
	struct quarry_pool_stats s;
	__u32 nr, i, j, id, again;

	setup();
	REQUIRE(!qt_list(fd, e, QT_MAX_POOLS, &nr), "list failed");
	for (i = 0; i < nr; i++) {
		CHECK(!qt_stats(fd, e[i].name, &s) && s.id == e[i].id,
		      "%s: id %u in the list, %u in the statistics", e[i].name, e[i].id, s.id);
		for (j = 0; j < i; j++)
			CHECK(e[i].id != e[j].id && strcmp(e[i].name, e[j].name),
			      "%s is there twice", e[i].name);
	}
	REQUIRE(!qt_create(fd, NEW, 0, MIB(4), &id), "create failed");
	REQUIRE(!qt_destroy(fd, NEW), "destroy failed");
	REQUIRE(!qt_create(fd, NEW, 0, MIB(4), &again), "create again failed");
	CHECK(id != again, "id %u was used twice", id);
	CHECK(!qt_destroy(fd, NEW) && !qt_destroy(fd, POOL), "destroy failed");
}

static void orders_add_up(void)
{
	__u64 page = sysconf(_SC_PAGESIZE), bytes = 0, on_lists = 0, allocs = 0, frees = 0;
	struct quarry_pool_orders o;
	struct quarry_pool_stats s;
	__s32 largest = -1;
	unsigned int i;

	setup();
	REQUIRE(!qt_orders(fd, POOL, QUARRY_ANY_NODE, &o), "orders failed");
	REQUIRE(!qt_stats(fd, POOL, &s), "stats failed");
	CHECK(o.nr_orders == QUARRY_NR_ORDERS, "%u orders", o.nr_orders);
	for (i = 0; i < QUARRY_NR_ORDERS; i++) {
		const struct quarry_order_stats *q = &o.orders[i];

		bytes += (q->free_blocks << i) * page;
		on_lists += (q->pcp_blocks << i) * page;
		allocs += q->allocs;
		frees += q->frees;
		if (q->free_blocks)
			largest = i;
		CHECK(q->unusable_milli >= 0 && q->unusable_milli <= 1000,
		      "order %u: unusable %d", i, q->unusable_milli);
		CHECK(q->extfrag_milli == -1000 ||
		      (q->extfrag_milli >= 0 && q->extfrag_milli <= 1000),
		      "order %u: extfrag %d", i, q->extfrag_milli);
	}
	for (i = 0; i < QUARRY_NR_ORDERS; i++)
		CHECK((o.orders[i].extfrag_milli == -1000) == ((__s32)i <= largest),
		      "order %u: extfrag %d with largest free order %d", i,
		      o.orders[i].extfrag_milli, largest);
	CHECK(bytes == s.free_bytes, "orders hold %llu, free are %llu", bytes, s.free_bytes);
	CHECK(on_lists == s.pcp_bytes, "orders have %llu on lists, the pool %llu", on_lists,
	      s.pcp_bytes);
	CHECK(allocs == s.allocs && frees == s.frees, "orders: %llu out %llu back, pool: %llu %llu",
	      allocs, frees, s.allocs, s.frees);
	CHECK(largest == s.largest_order, "largest is %d, said to be %d", largest,
	      s.largest_order);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void orders_refuse_unknown_nodes(void)
{
	static const __s32 bad[] = { -2, 1023, 1024, 65536, INT32_MAX, INT32_MIN };
	struct quarry_pool_orders o;
	unsigned int i;
	int ret;

	begin_bad();
	CHECK(!qt_orders(fd, POOL, 0, &o), "node 0");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ret = qt_orders(fd, POOL, bad[i], &o);
		CHECK(ret == -EINVAL, "node %d: %s", bad[i], strerror(-ret));
	}
	end_bad();
}

static void map_can_be_paged_through(void)
{
	struct quarry_map_area whole[64], one;
	__u64 page = sysconf(_SC_PAGESIZE), total, frames = 0, free = 0;
	struct quarry_pool_stats s;
	__u32 count, i;

	setup();
	REQUIRE(!qt_stats(fd, POOL, &s), "stats failed");
	REQUIRE(!qt_map(fd, POOL, 0, whole, ARRAY_SIZE(whole), &count, &total), "map failed");
	REQUIRE(total == s.areas && count == total, "%u of %llu entries, %llu areas", count,
		total, s.areas);
	for (i = 0; i < count; i++) {
		const struct quarry_map_area *a = &whole[i];

		frames += a->frames;
		free += a->free;
		CHECK(a->frames >= 1 && a->frames <= 512 && a->free <= a->frames,
		      "area %u: %u of %u frames", i, a->free, a->frames);
		CHECK(a->state == (a->free == a->frames ? QUARRY_AREA_FREE :
				   a->free ? QUARRY_AREA_PARTIAL : QUARRY_AREA_FULL),
		      "area %u: state %u with %u of %u free", i, a->state, a->free, a->frames);
		CHECK(a->free ? a->largest <= 9 : a->largest == 255, "area %u: largest %u", i,
		      a->largest);
		CHECK(!a->flags && !a->pad, "area %u: flags %u pad %u", i, a->flags, a->pad);
		CHECK(!qt_map(fd, POOL, i, &one, 1, &count, &total) && count == 1 &&
		      !memcmp(&one, a, sizeof(one)), "area %u alone is another", i);
		count = total;
	}
	CHECK(frames * page == s.managed_bytes, "%llu frames in the map, %llu bytes managed",
	      frames, s.managed_bytes);
	CHECK(free * page == s.free_bytes, "%llu free in the map, %llu bytes free", free,
	      s.free_bytes);
	CHECK(!qt_map(fd, POOL, total, &one, 1, &count, &total) && !count, "at the end");
	CHECK(!qt_map(fd, POOL, ~0ULL, &one, 1, &count, &total) && !count, "far behind it");
	CHECK(!qt_map(fd, POOL, 0, NULL, 0, &count, &total) && !count && total == s.areas,
	      "without room, to count");
	CHECK(!qt_map(fd, POOL, 0, whole, ~0U, &count, &total) && count == s.areas,
	      "capacity of all ones");
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void wrong_sizes_are_refused(void)
{
	const struct call *c;
	size_t i;

	begin_bad();
	for (c = calls; c->name; c++) {
		const size_t shorter[] = { 0, 1, 4, 8, c->first / 2, c->first - 8, c->first - 1 };

		for (i = 0; i < ARRAY_SIZE(shorter); i++) {
			/* Both sizes too small; then only the one in the struct. */
			put32(good(c), 0, shorter[i]);
			expect(c, number(c, shorter[i]), buf, -EINVAL, "short in both places");
			put32(good(c), 0, shorter[i]);
			expect(c, number(c, c->size), buf, -EINVAL, "short in the struct");
			good(c);
			expect(c, number(c, shorter[i]), buf, -EINVAL, "short in the number");
		}
		put32(good(c), 0, c->size + 8);
		expect(c, number(c, c->size), buf, -EINVAL, "longer in the struct");
		put32(good(c), 0, ~0U);
		expect(c, number(c, c->size), buf, -EINVAL, "size of all ones");
		good(c);
		expect(c, number(c, c->size + 8), buf, -EINVAL, "longer in the number");
	}
	end_bad();
}

static void a_program_of_today_is_answered(void)
{
	const struct call *c;
	size_t i;

	begin_bad();
	for (c = calls; c->name; c++) {
		put32(good(c), 0, c->first);
		memset(buf + c->first, 0xa5, sizeof(buf) - c->first);
		expect(c, number(c, c->first), buf, 0, "as it was published");
		for (i = c->first; i < sizeof(buf) && buf[i] == 0xa5; i++)
			;
		CHECK(i == sizeof(buf), "%s: byte %zu is not the program's, and was written",
		      c->name, i);
	}
	end_bad();
}

static void longer_structs_need_a_zero_tail(void)
{
	const struct call *c;
	size_t i, j;

	begin_bad();
	for (c = calls; c->name; c++) {
		const size_t longer[] = { c->size + 1, c->size + 8, 4096, ROOM };

		for (i = 0; i < ARRAY_SIZE(longer); i++) {
			const size_t tail[] = { c->size, (c->size + longer[i]) / 2, longer[i] - 1 };

			if (c->nr != NR_CREATE && c->nr != NR_DESTROY) {
				put32(good(c), 0, longer[i]);
				expect(c, number(c, longer[i]), buf, 0, "zero tail");
				for (j = c->size; j < longer[i]; j++)
					if (!CHECK(!buf[j], "%s: tail was written", c->name))
						break;
			}
			for (j = 0; j < ARRAY_SIZE(tail); j++) {
				put32(good(c), 0, longer[i]);
				buf[tail[j]] = 1;
				expect(c, number(c, longer[i]), buf, -E2BIG, "tail not zero");
			}
		}
	}
	end_bad();
}

static void longer_changes_are_taken(void)
{
	const struct call *c;

	setup();
	for (c = calls; c->name; c++) {
		if (c->nr != NR_CREATE && c->nr != NR_DESTROY)
			continue;
		put32(good(c), 0, c->size + 64);
		expect(c, number(c, c->size + 64), buf, 0, "zero tail");
	}
	qt_destroy(fd, NEW);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}

static void unknown_flags_are_refused(void)
{
	const struct call *c;
	unsigned int bit;

	begin_bad();
	for (c = calls; c->name; c++)
		for (bit = 0; bit < 32; bit++) {
			put32(good(c), FLAGS_AT, 1U << bit);
			expect(c, number(c, c->size), buf, c->flags & 1U << bit ? 0 : -EINVAL,
			       "a flag");
		}
	end_bad();
}

static void padding_must_be_zero(void)
{
	const struct call *c;
	size_t i;

	begin_bad();
	for (c = calls; c->name; c++) {
		for (i = 0; i < c->zero_len; i++) {
			good(c);
			buf[c->zero_at + i] = 0x80;
			expect(c, number(c, c->size), buf, -EINVAL, "padding");
		}
		if (!c->named)
			continue;
		i = NAME_AT + strlen((char *)good(c) + NAME_AT) + 1;
		for (; i < NAME_AT + QUARRY_NAME_MAX; i++) {
			good(c);
			buf[i] = 'x';
			expect(c, number(c, c->size), buf, -EINVAL, "behind the name's end");
		}
	}
	end_bad();
}

static void names_are_checked(void)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	const struct call *c;
	struct quarry_pool_stats s;
	char name[QUARRY_NAME_MAX];
	unsigned int i;
	int ret;

	begin_bad();
	for (c = calls; c->name; c++) {
		static const char * const bad[] = {
			"", " ", "a b", "a/b", "/", "../x", "a%s", "a\n", "\x7f", "\xff", "a:b",
		};

		if (!c->named)
			continue;
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			qt_set_name((char *)good(c) + NAME_AT, bad[i]);
			expect(c, number(c, c->size), buf, -EINVAL, "a bad name");
		}
		memset((char *)good(c) + NAME_AT, 'a', QUARRY_NAME_MAX);
		expect(c, number(c, c->size), buf, -EINVAL, "a name without end");
	}
	/* Each byte on its own, where a good one is told by another errno. */
	for (i = 1; i < 256; i++) {
		bool fine = strchr(alphabet, (char)i);

		memset(name, 0, sizeof(name));
		memcpy(name, "q_", 2);
		name[2] = i;
		ret = qt_stats(fd, name, &s);
		CHECK(ret == (fine ? -ENOENT : -EINVAL), "byte %#x: %s", i, strerror(-ret));
	}
	/* The longest name is a name. */
	memset(name, 'z', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	ret = qt_stats(fd, name, &s);
	CHECK(ret == -ENOENT, "31 bytes: %s", strerror(-ret));
	end_bad();
}

/* They pass for names, but a folder of debugfs cannot be called so. */
static void dots_are_no_names(void)
{
	static const char * const dots[] = { ".", ".." };
	unsigned int i;
	int ret;

	begin_bad();
	for (i = 0; i < ARRAY_SIZE(dots); i++) {
		ret = qt_create(fd, dots[i], 0, MIB(4), NULL);
		CHECK(ret == -EINVAL, "create \"%s\": %s", dots[i], strerror(-ret));
		if (!ret)
			qt_destroy(fd, dots[i]);
	}
	end_bad();
}

static void unknown_names_are_not_found(void)
{
	const struct call *c;

	begin_bad();
	for (c = calls; c->name; c++) {
		if (!c->named || c->nr == NR_CREATE)
			continue;
		qt_set_name((char *)good(c) + NAME_AT, ABSENT);
		expect(c, number(c, c->size), buf, -ENOENT, "unknown name");
		/* A name is whole: neither its beginning nor its continuation. */
		qt_set_name((char *)good(c) + NAME_AT,
			    c->nr < NR_CACHES ? QT_PREFIX "ab" : "malloc-");
		expect(c, number(c, c->size), buf, -ENOENT, "beginning of a name");
		qt_set_name((char *)good(c) + NAME_AT,
			    c->nr < NR_CACHES ? POOL "x" : QT_CLASS "x");
		expect(c, number(c, c->size), buf, -ENOENT, "longer than a name");
		/* Pools are not caches, nor the other way round. */
		qt_set_name((char *)good(c) + NAME_AT, c->nr < NR_CACHES ? QT_CLASS : POOL);
		expect(c, number(c, c->size), buf, -ENOENT, "a name of the other kind");
	}
	end_bad();
}

static void create_refuses_what_exists(void)
{
	begin_bad();
	CHECK(qt_create(fd, POOL, 0, MIB(4), NULL) == -EEXIST, "created twice");
	CHECK(qt_create(fd, QT_DEFAULT_POOL, 0, MIB(4), NULL) == -EEXIST, "created the default");
	end_bad();
}

static void bad_pointers_fault(void)
{
	char *border = qt_guarded_page(PROT_READ | PROT_WRITE);
	char *none = border;
	const struct call *c;
	size_t i;

	begin_bad();
	for (c = calls; c->name; c++) {
		const uintptr_t bad[] = {
			0, 1, 8, (uintptr_t)none, ~(uintptr_t)0, ~(uintptr_t)0 - c->size + 1,
			1UL << 47, 1UL << 63, 0xffff888000000000, 0xffffffff81000000,
		};
		const size_t cut[] = { 1, 4, 8, c->size / 2, c->size - 8, c->size - 1 };

		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			good(c);
			expect(c, number(c, c->size), (void *)bad[i], -EFAULT, "bad pointer");
		}
		for (i = 0; i < ARRAY_SIZE(cut); i++) {
			memcpy(border - cut[i], good(c), cut[i]);
			expect(c, number(c, c->size), border - cut[i], -EFAULT, "partly mapped");
		}
		/* Right up to the border nothing is wrong. */
		if (c->nr == NR_CREATE || c->nr == NR_DESTROY)
			continue;
		memcpy(border - c->size, good(c), c->size);
		expect(c, number(c, c->size), border - c->size, 0, "up to the border");
	}
	end_bad();
}

static void answers_to_read_only_memory_fault(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *p = qt_guarded_page(PROT_READ | PROT_WRITE) - page;
	const struct call *c;

	begin_bad();
	for (c = calls; c->name; c++) {
		memcpy(p, good(c), c->size);
		REQUIRE(!mprotect(p, page, PROT_READ), "mprotect: %s", strerror(errno));
		/* Destroy has no answer to write. */
		if (c->nr == NR_DESTROY)
			qt_ioctl(fd, number(c, c->size), p);
		else
			expect(c, number(c, c->size), p, -EFAULT, "read-only");
		if (c->nr == NR_CREATE)
			CHECK(qt_destroy(fd, NEW) == -ENOENT,
			      "create failed with EFAULT and left the pool");
		REQUIRE(!mprotect(p, page, PROT_READ | PROT_WRITE), "mprotect: %s",
			strerror(errno));
	}
	end_bad();
}

static void bad_arrays_fault(void)
{
	char *border = qt_guarded_page(PROT_READ | PROT_WRITE);
	size_t page = sysconf(_SC_PAGESIZE);
	char *rdonly = qt_guarded_page(PROT_READ) - page;
	const struct call *c;
	size_t i;

	begin_bad();
	for (c = calls; c->name; c++) {
		const __u64 bad[] = {
			0, 1, (uintptr_t)border, (uintptr_t)rdonly, ~0ULL, 1ULL << 47, 1ULL << 63,
			0xffff888000000000, (uintptr_t)border - 1, (uintptr_t)border - c->entry + 1,
			(uintptr_t)border - c->entry - 1 - 8,
		};

		/* There are no traces where nothing was allocated: caches.c has some. */
		if (!c->array_at || c->nr == NR_TRACES || c->nr == NR_PAGE_TRACES)
			continue;
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			put64(good(c), c->array_at, bad[i]);
			expect(c, number(c, c->size), buf, -EFAULT, "bad array");
		}
		/* With no room said to be there, nobody looks where it would be. */
		put64(good(c), c->array_at, 0xffff888000000000);
		put32(buf, c->capacity_at, 0);
		expect(c, number(c, c->size), buf, 0, "no array");
		/* One entry, unaligned, right up to the border. */
		put64(good(c), c->array_at, (uintptr_t)border - c->entry);
		put32(buf, c->capacity_at, 1);
		expect(c, number(c, c->size), buf, 0, "array up to the border");
		put64(good(c), c->array_at, (uintptr_t)border - c->entry - 3);
		put32(buf, c->capacity_at, 1);
		expect(c, number(c, c->size), buf, 0, "unaligned array");
	}
	end_bad();
}

static void unknown_calls_are_not_taken(void)
{
	const struct call *c;
	unsigned int nr;
	int ret;

	begin_bad();
	memset(buf, 0, sizeof(buf));
	for (nr = 0; nr < 256; nr++) {
		for (c = calls; c->name && c->nr != nr; c++)
			;
		if (c->name)
			continue;
		ret = qt_ioctl(fd, _IOWR(QUARRY_IOC_MAGIC, nr, struct quarry_version), buf);
		CHECK(ret == -ENOTTY, "nr %#x: %s", nr, strerror(-ret));
	}
	for (c = calls; c->name; c++) {
		unsigned int magic;

		for (magic = 0; magic < 256; magic += 3) {
			if (magic == QUARRY_IOC_MAGIC || magic == 'T' || magic == 'f')
				continue;
			expect(c, _IOC(_IOC_READ | _IOC_WRITE, magic, c->nr, c->size), good(c),
			       -ENOTTY, "wrong magic");
		}
		expect(c, _IOC(_IOC_READ, QUARRY_IOC_MAGIC, c->nr, c->size), good(c),
		       -ENOTTY, "read only direction");
		expect(c, _IOC(_IOC_WRITE, QUARRY_IOC_MAGIC, c->nr, c->size), good(c),
		       -ENOTTY, "write only direction");
		expect(c, _IOC(_IOC_NONE, QUARRY_IOC_MAGIC, c->nr, c->size), good(c),
		       -ENOTTY, "no direction");
		expect(c, _IO(QUARRY_IOC_MAGIC, c->nr), good(c), -ENOTTY, "no argument");
	}
	end_bad();
}

static void other_file_calls_fail(void)
{
	char c = 0;

	begin_bad();
	CHECK(read(fd, &c, 1) < 0, "read worked");
	CHECK(write(fd, &c, 1) < 0, "write worked");
	CHECK(pread(fd, &c, 1, 0) < 0, "pread worked");
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED, "mmap worked");
	CHECK(ftruncate(fd, 0) < 0, "ftruncate worked");
	end_bad();
}

#ifdef __x86_64__
static void no_ia32(int sig)
{
	(void)sig;
	ktap_skip("the kernel runs no 32-bit programs");
}

/* A 32-bit program's call: int 0x80 takes the compat path from here as well. */
static int ioctl32(unsigned long cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a" (ret)
		     : "0" (54L), "b" ((long)fd), "c" (cmd), "d" (arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static void compat_calls_answer(void)
{
	const struct call *c;
	char *low = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	char *arr = low + (1 << 15);
	int ret;

	REQUIRE(low != MAP_FAILED, "mmap: %s", strerror(errno));
	signal(SIGSEGV, no_ia32);
	ioctl32(0, NULL);
	signal(SIGSEGV, SIG_DFL);
	setup();
	for (c = calls; c->name; c++) {
		memcpy(low, good(c), c->size);
		if (c->array_at) {
			put64(low, c->array_at, (uintptr_t)arr);
			put32(low, c->capacity_at, 64);
		}
		ret = ioctl32(number(c, c->size), low);
		CHECK(!ret, "%s from a 32-bit program: %s", c->name, strerror(-ret));
		ret = ioctl32(number(c, c->size), (void *)0xfffff000UL);
		CHECK(ret == -EFAULT, "%s with a bad pointer: %s", c->name, strerror(-ret));
	}
	qt_destroy(fd, NEW);
	CHECK(!qt_destroy(fd, POOL), "destroy failed");
}
#else
static void compat_calls_answer(void)
{
	ktap_skip("written for x86-64");
}
#endif

static const struct ktap_case cases[] = {
	{ "calls_answer", calls_answer },
	{ "numbers_are_the_published_ones", numbers_are_the_published_ones },
	{ "version_answers", version_answers },
	{ "list_writes_what_fits", list_writes_what_fits },
	{ "list_tells_name_from_id", list_tells_name_from_id },
	{ "orders_add_up", orders_add_up },
	{ "orders_refuse_unknown_nodes", orders_refuse_unknown_nodes },
	{ "map_can_be_paged_through", map_can_be_paged_through },
	{ "a_program_of_today_is_answered", a_program_of_today_is_answered },
	{ "wrong_sizes_are_refused", wrong_sizes_are_refused },
	{ "longer_structs_need_a_zero_tail", longer_structs_need_a_zero_tail },
	{ "longer_changes_are_taken", longer_changes_are_taken },
	{ "unknown_flags_are_refused", unknown_flags_are_refused },
	{ "padding_must_be_zero", padding_must_be_zero },
	{ "names_are_checked", names_are_checked },
	{ "dots_are_no_names", dots_are_no_names },
	{ "unknown_names_are_not_found", unknown_names_are_not_found },
	{ "create_refuses_what_exists", create_refuses_what_exists },
	{ "bad_pointers_fault", bad_pointers_fault },
	{ "answers_to_read_only_memory_fault", answers_to_read_only_memory_fault },
	{ "bad_arrays_fault", bad_arrays_fault },
	{ "unknown_calls_are_not_taken", unknown_calls_are_not_taken },
	{ "other_file_calls_fail", other_file_calls_fail },
	{ "compat_calls_answer", compat_calls_answer },
};

const struct ktap_suite ktap_suite = {
	.begin = put_together,
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = qt_before,
	.after = qt_after,
};
