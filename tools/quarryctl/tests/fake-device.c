// SPDX-License-Identifier: GPL-2.0
/*
 * A quarry module made of canned answers, preloaded under quarryctl, so that
 * all of the tool is tested where no kernel module can be loaded. It refuses
 * what the real one refuses: a wrong size, flags, padding, a bad name.
 *
 * Environment:
 *   FAKE_OPEN=ERRNO      opening /dev/quarry fails so (a number)
 *   FAKE_OPEN_WRITE=ERRNO  only opening for writing does
 *   FAKE_ABI=N           ABI number that the module claims
 *   FAKE_ERR=NR:ERRNO    ioctl number NR fails with ERRNO
 *   FAKE_POOLS=N         how many pools there are (default 2)
 *   FAKE_AREAS=N         areas of the first pool (default 40)
 *   FAKE_NODES=N         NUMA nodes that the areas lie on (default 1)
 *   FAKE_VIOLATIONS=N        violations that the validator finds in the second pool
 *   FAKE_GONE=1          the second pool is listed, but gone when asked for
 *   FAKE_BUSY=1          pools are busy when they are to be destroyed
 *   FAKE_CACHES=N        caches beside those of malloc (default 2): reqs and bios in
 *                        the second pool, then more in the first
 *   FAKE_CACHE_VIOLATIONS=N  violations that the validator finds in the cache bios
 *   FAKE_CACHE_GONE=1    the cache bios is listed, but gone when asked for
 *   FAKE_DEAD=1          a cache was destroyed with objects out
 *   FAKE_TRACES=N        stacks that are known of the cache reqs (default 2)
 *   FAKE_OUT=N           objects out of each cache (default 3)
 *   FAKE_LONG=1          the second pool and the first two caches have names of 31 letters
 *   FAKE_EMPTY=1         the first pool and the first cache have no memory
 *   FAKE_HOSTILE=1       every text has an escape sequence, a quote and a byte that is
 *                        no UTF-8, and lacks its end; numbers are out of their range
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/quarry.h>

static int fake_fd = -1;
static int fake_mode;
static unsigned int nr_stats;

static char created[QUARRY_NAME_MAX];

static void hostile_text(char *text, size_t room)
{
	static const char bad[] = "\033[31m\"\\\xff\t\b";
	size_t i;

	for (i = 0; i < room; i++)
		text[i] = bad[i % (sizeof(bad) - 1)];
}

static long setting(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : otherwise;
}

static int fail(int err)
{
	errno = err;
	return -1;
}

static int fake_open(int flags)
{
	static int (*real)(const char *path, int flags, ...);
	long err = setting("FAKE_OPEN", 0);

	if (!err && (flags & O_ACCMODE) != O_RDONLY)
		err = setting("FAKE_OPEN_WRITE", 0);
	if (err)
		return fail(err);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "open");
	/* any character device does as a descriptor */
	fake_fd = real("/dev/null", flags & O_ACCMODE);
	fake_mode = flags & O_ACCMODE;
	return fake_fd;
}

static int open_either(const char *symbol, const char *path, int flags, int mode)
{
	int (*real)(const char *path, int flags, ...);

	if (!strcmp(path, "/dev/quarry"))
		return fake_open(flags);
	*(void **)&real = dlsym(RTLD_NEXT, symbol);
	return real(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, int) : 0;
	va_end(ap);
	return open_either("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, int) : 0;
	va_end(ap);
	return open_either("open64", path, flags, mode);
}

static void pool_name(char name[QUARRY_NAME_MAX], long i)
{
	memset(name, 0, QUARRY_NAME_MAX);
	if (i == 0)
		strcpy(name, "default");
	else if (i == 1 && setting("FAKE_LONG", 0))
		strcpy(name, "pool-with-a-name-of-31-letters.");
	else if (i == 1)
		strcpy(name, "brd");
	else
		snprintf(name, QUARRY_NAME_MAX, "pool-%ld", i);
}

static int find(const char *name)
{
	char known[QUARRY_NAME_MAX];
	long i;

	if (setting("FAKE_HOSTILE", 0))
		return 0;
	if (created[0] && !strcmp(created, name))
		return 2;
	for (i = 0; i < setting("FAKE_POOLS", 2); i++) {
		pool_name(known, i);
		if (!memcmp(known, name, QUARRY_NAME_MAX))
			return i == 1 && setting("FAKE_GONE", 0) ? -1 : i;
	}
	return -1;
}

static bool name_ok(const char *name)
{
	size_t len = strnlen(name, QUARRY_NAME_MAX), i;

	if (!len || len == QUARRY_NAME_MAX)
		return false;
	for (i = len; i < QUARRY_NAME_MAX; i++)
		if (name[i])
			return false;
	return true;
}

static int do_version(void *arg)
{
	struct quarry_version *v = arg;

	v->abi = setting("FAKE_ABI", QUARRY_ABI_VERSION);
	v->page_size = 4096;
	v->features = QUARRY_FEATURE_PAGES | QUARRY_FEATURE_INJECT | QUARRY_FEATURE_CACHES |
		      1ULL << 40;
	v->nr_pools = setting("FAKE_POOLS", 2);
	v->max_order = 10;
	strcpy(v->version, "9.8.7");
	return 0;
}

static int do_pool_list(void *arg)
{
	struct quarry_pool_list *l = arg;
	struct quarry_pool_entry *e = (void *)(uintptr_t)l->entries;
	uint32_t i;

	l->count = setting("FAKE_POOLS", 2);
	for (i = 0; i < l->count && i < l->capacity; i++) {
		e[i].id = i + 1;
		e[i].pad = 0;
		pool_name(e[i].name, i);
	}
	return 0;
}

static int do_pool_stats(void *arg)
{
	struct quarry_pool_stats *s = arg;
	int i = find(s->name);
	uint64_t n = ++nr_stats;

	if (i < 0)
		return fail(ENOENT);
	s->id = i + 1;
	s->node = i == 1 ? 0 : QUARRY_ANY_NODE;
	s->min_bytes = 16ULL << 20;
	s->max_bytes = i == 1 ? 0 : 256ULL << 20;
	s->reserve_bytes = 1ULL << 20;
	s->low_bytes = 4ULL << 20;
	s->managed_bytes = 80ULL << 20;
	s->allocated_bytes = i == 1 ? (12ULL << 20) + 4096 : 0;
	s->pcp_bytes = 1153434 / 4096 * 4096;
	if (!i && setting("FAKE_EMPTY", 0)) {
		s->min_bytes = 0;
		s->managed_bytes = 0;
		s->pcp_bytes = 0;
	}
	s->free_bytes = s->managed_bytes - s->allocated_bytes - s->pcp_bytes;
	s->zero_bytes = 8192;
	s->metadata_bytes = 40960;
	s->percpu_bytes = 16384;
	s->cache_limit_bytes = 1 << 20;
	s->arenas = 20;
	s->arenas_empty = 3;
	s->areas = 40;
	s->areas_free = 30;
	s->largest_order = i == 1 ? -1 : 10;
	s->allocs = 123456789 + n * 1000;
	s->frees = 123000000 + n * 900;
	s->alloc_frames = UINT64_MAX;
	s->splits = 1000 + n * 10;
	s->merges = 900 + n * 9;
	s->fail_limit = n;
	s->errors[QUARRY_ERR_DOUBLE_FREE] = 1;
	s->errors[QUARRY_ERR_CORRUPT] = 7;
	return 0;
}

static int do_pool_orders(void *arg)
{
	struct quarry_pool_orders *o = arg;
	int i, pool = find(o->name);

	if (pool < 0)
		return fail(ENOENT);
	if (o->node < -1 || o->node > 3)
		return fail(EINVAL);
	o->nr_orders = QUARRY_NR_ORDERS;
	for (i = 0; i < (pool == 1 ? 13 : 11); i++) {
		o->orders[i].free_blocks = 20 - i;
		o->orders[i].pcp_blocks = i < 4 ? 7 : 0;
		o->orders[i].allocs = 1500000 >> i;
		o->orders[i].frees = 1400000 >> i;
		o->orders[i].unusable_milli = i * 12;
		o->orders[i].extfrag_milli = i == 10 ? 512 : -1000;
	}
	return 0;
}

static int do_pool_map(void *arg)
{
	struct quarry_pool_map *m = arg;
	struct quarry_map_area *a = (void *)(uintptr_t)m->areas;
	int pool = find(m->name);
	uint64_t i;

	if (pool < 0)
		return fail(ENOENT);
	m->total = pool ? 5 : setting("FAKE_AREAS", 40);
	m->count = 0;
	for (i = m->start; i < m->total && m->count < m->capacity; i++, m->count++, a++) {
		memset(a, 0, sizeof(*a));
		a->arena = i / 2;
		a->frames = i == 4 ? 100 : 512;
		a->free = i % 9 * a->frames / 8;
		a->state = !a->free ? QUARRY_AREA_FULL :
			   a->free == a->frames ? QUARRY_AREA_FREE : QUARRY_AREA_PARTIAL;
		a->largest = a->free ? 9 : 255;
		a->node = i % setting("FAKE_NODES", 1);
	}
	return 0;
}

static int do_pool_create(void *arg)
{
	struct quarry_pool_create *c = arg;

	if (!name_ok(c->name) || c->min_bytes % 4096 || c->node < -1 || c->node > 3)
		return fail(EINVAL);
	if (find(c->name) >= 0)
		return fail(EEXIST);
	if (c->min_bytes > 1ULL << 40)
		return fail(ENOMEM);
	strcpy(created, c->name);
	c->id = 77;
	return 0;
}

/* What the calls about a pool in struct quarry_pool_op have in common. */
static int op_ok(const struct quarry_pool_op *o, bool bytes)
{
	if (find(o->name) < 0)
		return fail(ENOENT);
	return o->bytes && !bytes ? fail(EINVAL) : 0;
}

static int do_pool_destroy(void *arg)
{
	struct quarry_pool_op *o = arg;
	int ret = op_ok(o, false);

	if (ret)
		return ret;
	if (o->flags & QUARRY_POOL_FORGET) {
		o->bytes = setting("FAKE_LOST", 0);
		return setting("FAKE_OWNED", 0) ? fail(EBUSY) : 0;
	}
	return setting("FAKE_BUSY", 0) ? fail(EBUSY) : 0;
}

static int do_pool_shrink(void *arg)
{
	struct quarry_pool_op *o = arg;
	int ret = op_ok(o, true);

	if (!ret && o->bytes > 8 << 20)
		o->bytes = 8 << 20;
	return ret;
}

static int do_pool_drain(void *arg)
{
	struct quarry_pool_op *o = arg;
	int ret = op_ok(o, false);

	if (!ret)
		o->bytes = 1536 << 10;
	return ret;
}

static uint32_t pool_modes_now = QUARRY_MODE_OWNER;

static int do_pool_modes(void *arg)
{
	struct quarry_pool_modes *m = arg;

	if (find(m->name) < 0)
		return fail(ENOENT);
	if ((m->set | m->clear) & ~QUARRY_POOL_MODES || m->set & m->clear || m->pad)
		return fail(EINVAL);
	pool_modes_now = (pool_modes_now & ~m->clear) | m->set;
	m->modes = pool_modes_now;
	return 0;
}

static int do_pool_traces(void *arg)
{
	struct quarry_pool_traces *t = arg;
	struct quarry_trace *e = (void *)(uintptr_t)t->traces;

	if (find(t->name) < 0)
		return fail(ENOENT);
	/* one keeps owners */
	if (find(t->name) != 1 || !setting("FAKE_PAGES", 0))
		return 0;
	t->count = 1;
	t->untraced = 8;
	memset(e, 0, sizeof(*e));
	e->objects = setting("FAKE_PAGES", 0);
	e->age_min_ms = 1500;
	e->age_max_ms = 61000;
	e->pid = 7;
	e->depth = 1;
	strcpy(e->text, " page_taker+0x1/0x2 [mod]\n");
	return 0;
}

static int do_forgotten(void *arg)
{
	struct quarry_forgotten *f = arg;

	f->pools = setting("FAKE_LOST", 0) ? 2 : 0;
	f->lost_bytes = setting("FAKE_LOST", 0);
	return 0;
}

static int do_pool_validate(void *arg)
{
	struct quarry_pool_validate *v = arg;
	int i = find(v->name);

	if (i < 0)
		return fail(ENOENT);
	v->frames = 20480;
	v->violations = i == 1 ? setting("FAKE_VIOLATIONS", 0) : 0;
	if (v->violations)
		strcpy(v->what, "frame 17: \"free\" twice");
	return 0;
}

/* malloc's classes come first, as in the module, where they are made at load. */
#define NR_CLASSES	3L
static const uint32_t classes[NR_CLASSES] = { 8, 64, 4096 };

static uint32_t modes_now = QUARRY_MODE_REDZONE;

static long nr_live_caches(void)
{
	return NR_CLASSES + setting("FAKE_CACHES", 2);
}

static void cache_name(char name[QUARRY_NAME_MAX], long i)
{
	memset(name, 0, QUARRY_NAME_MAX);
	if (i < NR_CLASSES)
		snprintf(name, QUARRY_NAME_MAX, "malloc-%u", classes[i]);
	else if (i <= NR_CLASSES + 1 && setting("FAKE_LONG", 0))
		snprintf(name, QUARRY_NAME_MAX, "cache-%ld-has-a-name-of-31-lett.", i);
	else if (i == NR_CLASSES)
		strcpy(name, "reqs");
	else if (i == NR_CLASSES + 1)
		strcpy(name, "bios");
	else
		snprintf(name, QUARRY_NAME_MAX, "cache-%ld", i - NR_CLASSES);
}

static long find_cache(const char *name)
{
	char known[QUARRY_NAME_MAX];
	long i;

	if (setting("FAKE_HOSTILE", 0))
		return NR_CLASSES;
	for (i = 0; i < nr_live_caches(); i++) {
		cache_name(known, i);
		if (!memcmp(known, name, QUARRY_NAME_MAX))
			return i == NR_CLASSES + 1 && setting("FAKE_CACHE_GONE", 0) ? -1 : i;
	}
	return -1;
}

static int do_cache_list(void *arg)
{
	struct quarry_cache_list *l = arg;
	struct quarry_cache_entry *e = (void *)(uintptr_t)l->entries;
	uint32_t i, live = nr_live_caches();

	l->count = live + setting("FAKE_DEAD", 0);
	for (i = 0; i < l->count && i < l->capacity; i++) {
		e[i].id = i;
		e[i].kind = i < NR_CLASSES ? QUARRY_CACHE_CLASS :
			    i < live ? QUARRY_CACHE_TYPED : QUARRY_CACHE_DEAD;
		memset(e[i].name, 0, sizeof(e[i].name));
		if (i < live)
			cache_name(e[i].name, i);
		else
			strcpy(e[i].name, "lost");
	}
	return 0;
}

static int do_cache_stats(void *arg)
{
	struct quarry_cache_stats *s = arg;
	long i = find_cache(s->name);
	uint64_t out = setting("FAKE_OUT", 3);

	if (i < 0)
		return fail(ENOENT);
	if (s->pad)
		return fail(EINVAL);
	pool_name(s->pool, i == NR_CLASSES || i == NR_CLASSES + 1);
	s->id = i;
	s->kind = i < NR_CLASSES ? QUARRY_CACHE_CLASS : QUARRY_CACHE_TYPED;
	s->modes = i == NR_CLASSES ? modes_now : 0;
	s->object_size = i < NR_CLASSES ? classes[i] : 200;
	s->stride = i < NR_CLASSES ? classes[i] : 256;
	s->align = 8;
	s->order = 1;
	s->objects_per_slab = 8192 / s->stride;
	s->slabs = i == NR_CLASSES && setting("FAKE_EMPTY", 0) ? 0 : 5;
	s->slabs_empty = 1;
	s->slab_bytes = s->slabs * 8192;
	s->objects_out = out;
	s->object_bytes = out * s->stride;
	s->magazine_bytes = 2 * s->stride;
	s->waste_bytes = 100;
	s->partial_bytes = s->slab_bytes - s->object_bytes - s->magazine_bytes - 100;
	s->metadata_bytes = 640;
	s->percpu_bytes = 560;
	s->magazines = 2;
	s->magazine_capacity = 28;
	s->allocs = UINT64_MAX;
	s->frees = UINT64_MAX - out;
	s->failures = 4;
	s->errors[QUARRY_CACHE_ERR_OVERFLOW] = 9;
	return 0;
}

static int cache_op_ok(const struct quarry_cache_op *o)
{
	if (find_cache(o->name) < 0)
		return fail(ENOENT);
	return o->bytes ? fail(EINVAL) : 0;
}

static int do_cache_shrink(void *arg)
{
	struct quarry_cache_op *o = arg;
	int ret = cache_op_ok(o);

	if (!ret)
		o->bytes = 16384;
	return ret;
}

static int do_cache_validate(void *arg)
{
	struct quarry_cache_op *o = arg;
	int ret = cache_op_ok(o);

	if (ret)
		return ret;
	if (find_cache(o->name) == NR_CLASSES + 1)
		o->bytes = setting("FAKE_CACHE_VIOLATIONS", 0);
	if (o->bytes)
		strcpy(o->what, "an object is in a magazine and in its slab");
	return 0;
}

static int do_cache_modes(void *arg)
{
	struct quarry_cache_modes *m = arg;
	long i = find_cache(m->name);

	if (i < 0)
		return fail(ENOENT);
	if ((m->set | m->clear) & ~QUARRY_MODES || m->set & m->clear)
		return fail(EINVAL);
	if (m->fail_per_million != UINT32_MAX && m->fail_per_million > 1000000)
		return fail(EINVAL);
	/* bios have a constructor */
	if (i == NR_CLASSES + 1 && m->set & QUARRY_MODE_POISON)
		return fail(EINVAL);
	modes_now = (modes_now & ~m->clear) | m->set;
	m->modes = modes_now;
	return 0;
}

static int do_cache_traces(void *arg)
{
	struct quarry_cache_traces *t = arg;
	struct quarry_trace *e = (void *)(uintptr_t)t->traces;
	/* numbers are those of the list; the dead come last, and have stacks */
	long i = t->flags & QUARRY_TRACES_ID ? (long)t->count : find_cache(t->name);
	long known = i == NR_CLASSES || i >= nr_live_caches() ? setting("FAKE_TRACES", 2) : 0;
	uint32_t k;

	if (i < 0)
		return fail(ENOENT);
	t->count = known;
	t->untraced = known ? 0 : setting("FAKE_OUT", 3);
	for (k = 0; k < t->count && k < t->capacity; k++) {
		memset(&e[k], 0, sizeof(e[k]));
		e[k].objects = t->count - k;
		e[k].age_min_ms = 1500;
		e[k].age_max_ms = 61000;
		e[k].pid = 100 + k;
		e[k].depth = 2;
		snprintf(e[k].text, sizeof(e[k].text),
			 " taker_%u+0x12/0x40 [mod]\n do_one_initcall+0x56/0x230\n", k);
	}
	return 0;
}

/* The calls, as the module has them; a call that has no answer here does not compile. */
#define CALL(NAME, function, type, first, right, flags, text)	\
	{ QUARRY_IOC_##NAME, QUARRY_CALL_##right, flags, do_##function },
static const struct call {
	unsigned long request;
	enum quarry_call_right right;
	uint32_t flags;
	int (*fn)(void *arg);
} of_pools[] = QUARRY_POOL_CALLS(CALL), of_caches[] = QUARRY_CACHE_CALLS(CALL);

static const struct call *find_call(unsigned long request)
{
	size_t i;

	for (i = 0; i < sizeof(of_pools) / sizeof(*of_pools); i++)
		if (of_pools[i].request == request)
			return &of_pools[i];
	for (i = 0; i < sizeof(of_caches) / sizeof(*of_caches); i++)
		if (of_caches[i].request == request)
			return &of_caches[i];
	return NULL;
}

/* Turns an answer into one that no module gives. */
static void lie(unsigned long request, void *arg)
{
	struct quarry_cache_traces *traces = arg;
	struct quarry_cache_stats *cache = arg;
	struct quarry_pool_stats *pool = arg;
	struct quarry_cache_list *caches = arg;
	struct quarry_pool_orders *orders = arg;
	struct quarry_pool_list *pools = arg;
	struct quarry_cache_entry *cache_at;
	struct quarry_pool_entry *pool_at;
	struct quarry_version *v = arg;
	struct quarry_trace *trace_at;
	struct quarry_pool_map *map = arg;
	uint32_t i;

	switch (request) {
	case QUARRY_IOC_VERSION:
		hostile_text(v->version, sizeof(v->version));
		v->max_order = 4000;
		break;
	case QUARRY_IOC_POOL_LIST:
		pool_at = (void *)(uintptr_t)pools->entries;
		for (i = 0; i < pools->count && i < pools->capacity; i++)
			hostile_text(pool_at[i].name, QUARRY_NAME_MAX);
		break;
	case QUARRY_IOC_POOL_STATS:
		hostile_text(pool->name, sizeof(pool->name));
		pool->largest_order = 1000;
		pool->node = -7;
		break;
	case QUARRY_IOC_POOL_ORDERS:
		orders->nr_orders = 4000;
		orders->orders[0].extfrag_milli = INT32_MIN;
		break;
	case QUARRY_IOC_POOL_MAP:
		for (i = 0; i < map->count; i++) {
			struct quarry_map_area *a =
				(struct quarry_map_area *)(uintptr_t)map->areas + i;

			a->frames = i % 3 ? 0 : 1000;
			a->free = i % 2 ? 0xffff : 0;
			a->state = 200;
			a->largest = 200;
		}
		break;
	case QUARRY_IOC_POOL_VALIDATE:
		((struct quarry_pool_validate *)arg)->violations = 1;
		hostile_text(((struct quarry_pool_validate *)arg)->what,
			     sizeof(((struct quarry_pool_validate *)arg)->what));
		break;
	case QUARRY_IOC_CACHE_LIST:
		cache_at = (void *)(uintptr_t)caches->entries;
		for (i = 0; i < caches->count && i < caches->capacity; i++)
			hostile_text(cache_at[i].name, QUARRY_NAME_MAX);
		break;
	case QUARRY_IOC_CACHE_STATS:
		hostile_text(cache->name, sizeof(cache->name));
		hostile_text(cache->pool, sizeof(cache->pool));
		cache->kind = 77;
		break;
	case QUARRY_IOC_POOL_SHRINK:
	case QUARRY_IOC_POOL_DRAIN:
		hostile_text(((struct quarry_pool_op *)arg)->name, QUARRY_NAME_MAX);
		break;
	case QUARRY_IOC_CACHE_SHRINK:
	case QUARRY_IOC_CACHE_VALIDATE:
		((struct quarry_cache_op *)arg)->bytes = 1;
		hostile_text(((struct quarry_cache_op *)arg)->what,
			     sizeof(((struct quarry_cache_op *)arg)->what));
		break;
	case QUARRY_IOC_CACHE_TRACES:
		trace_at = (void *)(uintptr_t)traces->traces;
		for (i = 0; i < traces->count && i < traces->capacity; i++)
			hostile_text(trace_at[i].text, sizeof(trace_at[i].text));
		break;
	}
}

static int answer(unsigned long request, void *arg)
{
	const struct call *call = find_call(request);
	const char *err = getenv("FAKE_ERR");
	const uint32_t *head = arg;	/* of all structs: size, then flags */
	char *rest;

	if (!call)
		return fail(ENOTTY);
	if (err && strtoul(err, &rest, 10) == _IOC_NR(request) && *rest == ':')
		return fail(atoi(rest + 1));
	if (head[0] != _IOC_SIZE(request) || head[1] & ~call->flags)
		return fail(EINVAL);
	if (call->right == QUARRY_CALL_CHANGES && fake_mode == O_RDONLY)
		return fail(EBADF);
	return call->fn(arg);
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int fd, unsigned long request, ...);
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (fd == fake_fd && fd >= 0) {
		int ret = answer(request, arg);

		if (!ret && setting("FAKE_HOSTILE", 0))
			lie(request, arg);
		return ret;
	}
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, arg);
}
