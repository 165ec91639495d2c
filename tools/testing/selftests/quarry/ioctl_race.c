// SPDX-License-Identifier: GPL-2.0
/*
 * The argument changes while the kernel reads it, and callers meet.
 *
 * One thread flips a field between two values for as long as another makes a
 * bounded number of calls. Whatever the kernel sees, the answer is one that
 * the ABI names; a value read twice would show as another errno, as numbers of
 * one pool under the id of the other, or in the log.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "quarry_test.h"

#define POOL_A	QT_PREFIX "race-a"
#define POOL_B	QT_PREFIX "race-b"
#define NEW	QT_PREFIX "new"

#define CALLS	4000	/* per race, enough for the flips to meet every read */
#define ROUNDS	400	/* of creating and destroying */
#define THREADS	4

/* Tries of waiting for the other thread; it is only somewhere else if it fails. */
#define TRIES	10000

static int fd;
static bool stop;
/* Rounds of the other thread, which says that it runs at the same time. */
static unsigned long turns;

/* Answers by errno, to see that a race was one and not a row of equal calls. */
static unsigned int seen[256];

static void setup(void)
{
	fd = qt_open(O_RDWR);
	REQUIRE(!qt_create(fd, POOL_A, MIB(4), MIB(8), NULL), "create failed");
	REQUIRE(!qt_create(fd, POOL_B, MIB(2), MIB(16), NULL), "create failed");
}

static void finish(void)
{
	qt_check_valid(fd, POOL_A);
	qt_check_valid(fd, POOL_B);
	CHECK(!qt_destroy(fd, POOL_A), "destroy failed");
	CHECK(!qt_destroy(fd, POOL_B), "destroy failed");
}

/**
 * struct flip - a field that changes under the caller
 * @at:		where
 * @len:	how many bytes, at most QUARRY_NAME_MAX
 * @value:	what stands there in turn
 */
struct flip {
	char *at;
	size_t len;
	char value[2][QUARRY_NAME_MAX];
};

/* Until the other thread has gone round, so that the call meets it at work. */
static void meet(void)
{
	unsigned long was = __atomic_load_n(&turns, __ATOMIC_RELAXED);
	unsigned int i;

	for (i = 0; i < TRIES && __atomic_load_n(&turns, __ATOMIC_RELAXED) == was; i++)
		if (i % 100 == 99)
			sched_yield();
}

static void *flipper(void *arg)
{
	struct flip *f = arg;
	unsigned int turn = 0;
	size_t i;

	qt_pin(1);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		turn ^= 1;
		/* Words where possible: a size must not be seen half written. */
		if (f->len == 8) {
			__u64 v;

			memcpy(&v, f->value[turn], sizeof(v));
			__atomic_store_n((__u64 *)f->at, v, __ATOMIC_RELAXED);
		} else if (f->len == 4) {
			__u32 v;

			memcpy(&v, f->value[turn], sizeof(v));
			__atomic_store_n((__u32 *)f->at, v, __ATOMIC_RELAXED);
		} else {
			for (i = 0; i < f->len; i++)
				__atomic_store_n(&f->at[i], f->value[turn][i], __ATOMIC_RELAXED);
		}
		__atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	qt_pin(0);
	__atomic_store_n(&stop, false, __ATOMIC_RELAXED);
	REQUIRE(!pthread_create(&t, NULL, fn, arg), "pthread_create failed");
	return t;
}

static void end(pthread_t t)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
}

static bool allowed(int ret, const int *list)
{
	int e = -ret;

	if (e >= 0 && e < (int)ARRAY_SIZE(seen))
		seen[e]++;
	if (!ret)
		return true;
	for (; *list; list++)
		if (e == *list)
			return true;
	return false;
}

static void say(const char *what)
{
	char line[200];
	size_t len = 0;
	unsigned int e;

	for (e = 0; e < ARRAY_SIZE(seen); e++)
		if (seen[e])
			len += snprintf(line + len, sizeof(line) - len, "%s%s %u",
					len ? ", " : "", e ? strerrorname_np(e) : "done",
					seen[e]);
	ktap_note("%s: %s", what, len ? line : "nothing");
	memset(seen, 0, sizeof(seen));
}

/*
 * Calls @cmd on a struct at @arg that is rebuilt from @model each time, while
 * the field of @f flips. A list of allowed errnos ends with 0.
 */
static void race(const char *what, unsigned long cmd, void *arg, const void *model,
		 size_t size, struct flip *f, const int *errnos)
{
	pthread_t t = start(flipper, f);
	unsigned int i;
	int ret;

	for (i = 0; i < CALLS; i++) {
		memcpy(arg, model, size);
		meet();
		ret = qt_ioctl(fd, cmd, arg);
		if (!CHECK(allowed(ret, errnos), "%s: %s", what, strerror(-ret)))
			break;
	}
	end(t);
	say(what);
}

#define FLIP32(field, a, b)							\
	({									\
		struct flip __f = { .at = (void *)&(field), .len = 4 };		\
		__u32 __a = (a), __b = (b);					\
										\
		memcpy(__f.value[0], &__a, 4);					\
		memcpy(__f.value[1], &__b, 4);					\
		__f;								\
	})

#define FLIP64(field, a, b)							\
	({									\
		struct flip __f = { .at = (void *)&(field), .len = 8 };		\
		__u64 __a = (a), __b = (b);					\
										\
		memcpy(__f.value[0], &__a, 8);					\
		memcpy(__f.value[1], &__b, 8);					\
		__f;								\
	})

static void size_changes(void)
{
	static const int errnos[] = { EINVAL, 0 };
	struct quarry_pool_stats model = { .size = sizeof(model), .name = POOL_A }, arg = model;
	struct flip f;

	setup();
	f = FLIP32(arg.size, sizeof(arg), 0);
	race("size or 0", QUARRY_IOC_POOL_STATS, &arg, &model, sizeof(arg), &f, errnos);
	f = FLIP32(arg.size, sizeof(arg), ~0U);
	race("size or all ones", QUARRY_IOC_POOL_STATS, &arg, &model, sizeof(arg), &f, errnos);
	f = FLIP32(arg.size, sizeof(arg), 16383);
	race("size or more", QUARRY_IOC_POOL_STATS, &arg, &model, sizeof(arg), &f, errnos);
	finish();
}

static void flags_change(void)
{
	static const int errnos[] = { EINVAL, 0 };
	struct quarry_pool_stats model = { .size = sizeof(model), .name = POOL_A }, arg = model;
	struct flip f;

	setup();
	f = FLIP32(arg.flags, 0, 1);
	race("flags", QUARRY_IOC_POOL_STATS, &arg, &model, sizeof(arg), &f, errnos);
	f = FLIP32(arg.modes, 0, 1);
	race("what must be zero", QUARRY_IOC_POOL_STATS, &arg, &model, sizeof(arg), &f, errnos);
	finish();
}

/* The tail is looked at once: what was zero then is not looked at again. */
static void tail_changes(void)
{
	static const int errnos[] = { E2BIG, 0 };
	static struct {
		struct quarry_pool_stats s;
		__u32 tail[64];
	} model, arg;
	const unsigned long cmd = _IOC(_IOC_READ | _IOC_WRITE, QUARRY_IOC_MAGIC, 0x02,
				       sizeof(arg));
	struct flip f = FLIP32(arg.tail[63], 0, 1);

	setup();
	model.s.size = sizeof(model);
	qt_set_name(model.s.name, POOL_A);
	race("tail", cmd, &arg, &model, sizeof(arg), &f, errnos);
	finish();
}

static void name_changes(void)
{
	struct quarry_pool_stats a, b, arg, model = { .size = sizeof(model), .name = POOL_A };
	struct flip f = {
		.at = arg.name, .len = QUARRY_NAME_MAX, .value = { POOL_A, POOL_B },
	};
	unsigned int i, got_a = 0, got_b = 0;
	pthread_t t;
	int ret;

	setup();
	arg = model;
	REQUIRE(!qt_stats(fd, POOL_A, &a) && !qt_stats(fd, POOL_B, &b), "stats failed");
	t = start(flipper, &f);
	for (i = 0; i < CALLS; i++) {
		arg = model;
		meet();
		ret = qt_ioctl(fd, QUARRY_IOC_POOL_STATS, &arg);
		if (!CHECK(!ret, "%s", strerror(-ret)))
			break;
		got_a += arg.id == a.id;
		got_b += arg.id == b.id;
		/* One pool's numbers as a whole, whichever it was. */
		CHECK(arg.id == a.id || arg.id == b.id, "id is %u", arg.id);
		CHECK(arg.max_bytes == (arg.id == a.id ? a.max_bytes : b.max_bytes) &&
		      arg.min_bytes == (arg.id == a.id ? a.min_bytes : b.min_bytes) &&
		      arg.managed_bytes == (arg.id == a.id ? a.managed_bytes : b.managed_bytes),
		      "id %u with the numbers of the other pool", arg.id);
	}
	end(t);
	ktap_note("name: %u times the one, %u times the other", got_a, got_b);
	finish();
}

static void name_goes_bad(void)
{
	static const int errnos[] = { EINVAL, ENOENT, 0 };
	struct quarry_pool_op arg = { .size = sizeof(arg), .name = POOL_A }, model = arg;
	struct flip f = {
		.at = arg.name, .len = QUARRY_NAME_MAX,
		.value = { POOL_A, "################################" },
	};

	setup();
	race("name of a drain", QUARRY_IOC_POOL_DRAIN, &arg, &model, sizeof(arg), &f, errnos);
	race("name of a shrink", QUARRY_IOC_POOL_SHRINK, &arg, &model, sizeof(arg), &f, errnos);
	finish();
}

static void array_moves(void)
{
	static const int errnos[] = { EFAULT, 0 };
	static struct quarry_pool_entry e[QT_MAX_POOLS];
	static struct quarry_map_area areas[64];
	struct quarry_pool_list list = {
		.size = sizeof(list), .capacity = QT_MAX_POOLS, .entries = (uintptr_t)e,
	}, list_model = list;
	struct quarry_pool_map map = {
		.size = sizeof(map), .name = POOL_A, .capacity = 64, .areas = (uintptr_t)areas,
	}, map_model = map;
	struct flip f;

	setup();
	f = FLIP64(list.entries, (uintptr_t)e, 0xffff888000000000);
	race("entries", QUARRY_IOC_POOL_LIST, &list, &list_model, sizeof(list), &f, errnos);
	f = FLIP64(map.areas, (uintptr_t)areas, 0xffff888000000000);
	race("areas", QUARRY_IOC_POOL_MAP, &map, &map_model, sizeof(map), &f, errnos);
	finish();
}

/* However large the capacity is seen, nothing is written behind the pools. */
static void capacity_changes(void)
{
	static const int errnos[] = { 0 };
	static unsigned char room[QT_MAX_POOLS * sizeof(struct quarry_pool_entry)];
	struct quarry_pool_list arg = {
		.size = sizeof(arg), .capacity = 1, .entries = (uintptr_t)room,
	}, model = arg;
	struct flip f = FLIP32(arg.capacity, 1, ~0U);
	__u32 nr;
	size_t i;

	setup();
	REQUIRE(!qt_list(fd, NULL, 0, &nr), "list failed");
	memset(room, 0xa5, sizeof(room));
	race("capacity", QUARRY_IOC_POOL_LIST, &arg, &model, sizeof(arg), &f, errnos);
	for (i = nr * sizeof(struct quarry_pool_entry); i < sizeof(room); i++)
		if (!CHECK(room[i] == 0xa5, "written behind %u entries", nr))
			break;
	finish();
}

static void *protector(void *page)
{
	int prot = PROT_NONE;

	qt_pin(1);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		mprotect(page, sysconf(_SC_PAGESIZE), prot);
		prot ^= PROT_READ | PROT_WRITE;
		__atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void memory_comes_and_goes(void)
{
	static const int errnos[] = { EFAULT, 0 };
	size_t page = sysconf(_SC_PAGESIZE);
	struct quarry_pool_stats *arg;
	struct quarry_pool_list list;
	unsigned int i;
	pthread_t t;
	char *p;
	int ret;

	setup();
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(p != MAP_FAILED, "mmap: %s", strerror(errno));
	arg = (void *)p;
	arg->size = sizeof(*arg);
	qt_set_name(arg->name, POOL_A);
	t = start(protector, p);
	for (i = 0; i < CALLS; i++) {
		meet();
		ret = qt_ioctl(fd, QUARRY_IOC_POOL_STATS, arg);
		if (!CHECK(allowed(ret, errnos), "stats: %s", strerror(-ret)))
			break;
		list = (struct quarry_pool_list) {
			.size = sizeof(list), .capacity = 8,
			.entries = (uintptr_t)p + page / 2,
		};
		ret = qt_ioctl(fd, QUARRY_IOC_POOL_LIST, &list);
		if (!CHECK(allowed(ret, errnos), "list: %s", strerror(-ret)))
			break;
	}
	end(t);
	say("memory");
	finish();
}

/* Limits are read once: what was checked is what is used. */
static void limits_change_while_created(void)
{
	struct quarry_pool_create arg, model = {
		.size = sizeof(model), .name = NEW, .max_bytes = MIB(4), .node = QUARRY_ANY_NODE,
	};
	static const int errnos[] = { EINVAL, 0 };
	struct flip f = FLIP64(arg.min_bytes, 0, MIB(8));
	struct quarry_pool_stats s;
	unsigned int i;
	pthread_t t;
	int ret;

	setup();
	arg = model;
	t = start(flipper, &f);
	for (i = 0; i < ROUNDS; i++) {
		arg = model;
		meet();
		ret = qt_ioctl(fd, QUARRY_IOC_POOL_CREATE, &arg);
		if (!CHECK(allowed(ret, errnos), "create: %s", strerror(-ret)))
			break;
		if (ret)
			continue;
		CHECK(!qt_stats(fd, NEW, &s), "stats failed");
		CHECK(!s.min_bytes && s.max_bytes == MIB(4), "made with min %llu max %llu",
		      s.min_bytes, s.max_bytes);
		CHECK(!qt_destroy(fd, NEW), "destroy failed");
	}
	end(t);
	say("create");
	finish();
}

static void names_change_while_created(void)
{
	struct quarry_pool_create arg, model = {
		.size = sizeof(model), .name = NEW, .max_bytes = MIB(4), .node = QUARRY_ANY_NODE,
	};
	static const int errnos[] = { EINVAL, EEXIST, 0 };
	struct flip f = {
		.at = arg.name, .len = QUARRY_NAME_MAX, .value = { NEW, POOL_A },
	};
	unsigned int i;
	pthread_t t;
	int ret;

	setup();
	arg = model;
	t = start(flipper, &f);
	for (i = 0; i < ROUNDS; i++) {
		struct quarry_pool_entry e[QT_MAX_POOLS];
		__u32 nr, j;

		arg = model;
		meet();
		ret = qt_ioctl(fd, QUARRY_IOC_POOL_CREATE, &arg);
		if (!CHECK(allowed(ret, errnos), "create: %s", strerror(-ret)))
			break;
		/* A name seen between the two may be whole too: find it by its id. */
		REQUIRE(!qt_list(fd, e, QT_MAX_POOLS, &nr), "list failed");
		for (j = 0; j < nr; j++)
			if (!ret && e[j].id == arg.id)
				CHECK(!qt_destroy(fd, e[j].name), "destroy %s failed", e[j].name);
	}
	end(t);
	say("create");
	finish();
}

struct meeting {
	pthread_barrier_t barrier;
	unsigned int made[ROUNDS];
	unsigned int gone[ROUNDS];
	unsigned int started;
};

static void *make_and_destroy(void *arg)
{
	struct meeting *m = arg;
	unsigned int i;
	int ret;

	qt_pin(__atomic_add_fetch(&m->started, 1, __ATOMIC_RELAXED) % 2);
	for (i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&m->barrier);
		ret = qt_create(fd, NEW, i % 2 ? MIB(4) : 0, MIB(4), NULL);
		if (!ret)
			__atomic_add_fetch(&m->made[i], 1, __ATOMIC_RELAXED);
		else
			CHECK(ret == -EEXIST, "create: %s", strerror(-ret));
		pthread_barrier_wait(&m->barrier);
		ret = qt_destroy(fd, NEW);
		if (!ret)
			__atomic_add_fetch(&m->gone[i], 1, __ATOMIC_RELAXED);
		else
			CHECK(ret == -ENOENT, "destroy: %s", strerror(-ret));
	}
	return NULL;
}

static void one_creator_wins(void)
{
	static struct meeting m;
	pthread_t t[THREADS];
	unsigned int i;

	setup();
	pthread_barrier_init(&m.barrier, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		t[i] = start(make_and_destroy, &m);
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (i = 0; i < ROUNDS; i++)
		CHECK(m.made[i] == 1 && m.gone[i] == 1,
		      "round %u: made %u times, destroyed %u times", i, m.made[i], m.gone[i]);
	finish();
}

static void *come_and_go(void *unused)
{
	unsigned int i, tries;
	int ret;

	(void)unused;
	qt_pin(1);
	for (i = 0; i < ROUNDS; i++) {
		ret = qt_create(fd, NEW, MIB(4), MIB(8), NULL);
		CHECK(!ret, "create: %s", strerror(-ret));
		/* From a call to a few on, the readers are at work on it. */
		for (tries = 0; tries <= i % 4; tries++)
			meet();
		/* Readers may hold it up, but not off. */
		ret = qt_destroy(fd, NEW);
		CHECK(!ret, "destroy: %s", strerror(-ret));
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	return NULL;
}

/* A pool that is going is there as a whole or not at all. */
static void readers_meet_a_pool_that_goes(void)
{
	static const int errnos[] = { ENOENT, 0 };
	static struct quarry_pool_entry e[QT_MAX_POOLS];
	static struct quarry_map_area areas[64];
	struct quarry_pool_validate v;
	struct quarry_pool_orders o;
	struct quarry_pool_stats s;
	pthread_t t;
	__u64 total;
	__u32 nr;
	int ret;

	setup();
	t = start(come_and_go, NULL);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		ret = qt_stats(fd, NEW, &s);
		CHECK(allowed(ret, errnos), "stats: %s", strerror(-ret));
		if (!ret)
			qt_check_sums(fd, &s);
		__atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
		ret = qt_validate(fd, NEW, &v);
		CHECK(allowed(ret, errnos), "validate: %s", strerror(-ret));
		__atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
		CHECK(ret || !v.violations, "%llu violations: %.64s", v.violations, v.what);
		ret = qt_orders(fd, NEW, QUARRY_ANY_NODE, &o);
		CHECK(allowed(ret, errnos), "orders: %s", strerror(-ret));
		__atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
		ret = qt_map(fd, NEW, 0, areas, 64, &nr, &total);
		CHECK(allowed(ret, errnos), "map: %s", strerror(-ret));
		__atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
		ret = qt_shrink(fd, NEW, ALL_BYTES, NULL);
		CHECK(allowed(ret, errnos), "shrink: %s", strerror(-ret));
		__atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
		ret = qt_drain(fd, NEW, NULL);
		CHECK(allowed(ret, errnos), "drain: %s", strerror(-ret));
		__atomic_add_fetch(&turns, 1, __ATOMIC_RELAXED);
		ret = qt_list(fd, e, QT_MAX_POOLS, &nr);
		CHECK(!ret && nr >= 3 && nr <= 4, "list: %s, %u pools", strerror(-ret), nr);
	}
	pthread_join(t, NULL);
	say("readers");
	finish();
}

static void *all_changes(void *arg)
{
	unsigned int i;
	int ret;

	qt_pin((unsigned long)arg % 2);
	for (i = 0; i < ROUNDS; i++) {
		ret = qt_shrink(fd, POOL_B, ALL_BYTES, NULL);
		CHECK(!ret, "shrink: %s", strerror(-ret));
		ret = qt_drain(fd, POOL_B, NULL);
		CHECK(!ret, "drain: %s", strerror(-ret));
		qt_check_valid(fd, POOL_B);
	}
	return NULL;
}

static void changes_meet_each_other(void)
{
	struct quarry_pool_stats was, is;
	pthread_t t[THREADS];
	unsigned int i;

	setup();
	REQUIRE(!qt_stats(fd, POOL_A, &was), "stats failed");
	for (i = 0; i < THREADS; i++)
		t[i] = start(all_changes, (void *)(unsigned long)i);
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	/* The pool beside it never noticed. */
	REQUIRE(!qt_stats(fd, POOL_A, &is), "stats failed");
	qt_check_same(&was, &is);
	finish();
}

static const struct ktap_case cases[] = {
	{ "size_changes", size_changes },
	{ "flags_change", flags_change },
	{ "tail_changes", tail_changes },
	{ "name_changes", name_changes },
	{ "name_goes_bad", name_goes_bad },
	{ "array_moves", array_moves },
	{ "capacity_changes", capacity_changes },
	{ "memory_comes_and_goes", memory_comes_and_goes },
	{ "limits_change_while_created", limits_change_while_created },
	{ "names_change_while_created", names_change_while_created },
	{ "one_creator_wins", one_creator_wins },
	{ "readers_meet_a_pool_that_goes", readers_meet_a_pool_that_goes },
	{ "changes_meet_each_other", changes_meet_each_other },
};

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = qt_before,
	.after = qt_after,
};
