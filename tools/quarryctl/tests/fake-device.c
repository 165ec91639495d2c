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
 *   FAKE_FAULTS=N        faults that the validator finds in the second pool
 *   FAKE_GONE=1          the second pool is listed, but gone when asked for
 *   FAKE_BUSY=1          pools are busy when they are to be destroyed
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
	else if (i == 1)
		strcpy(name, "brd");
	else
		snprintf(name, QUARRY_NAME_MAX, "pool-%ld", i);
}

static int find(const char *name)
{
	char known[QUARRY_NAME_MAX];
	long i;

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

static int version(struct quarry_version *v)
{
	v->abi = setting("FAKE_ABI", QUARRY_ABI_VERSION);
	v->page_size = 4096;
	v->features = QUARRY_FEATURE_PAGES | QUARRY_FEATURE_INJECT | 1ULL << 40;
	v->nr_pools = setting("FAKE_POOLS", 2);
	v->max_order = 10;
	strcpy(v->version, "9.8.7");
	return 0;
}

static int list(struct quarry_pool_list *l)
{
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

static int stats(struct quarry_pool_stats *s)
{
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
	s->cached_bytes = 1153434 / 4096 * 4096;
	s->free_bytes = s->managed_bytes - s->allocated_bytes - s->cached_bytes;
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

static int orders(struct quarry_pool_orders *o)
{
	int i, pool = find(o->name);

	if (pool < 0)
		return fail(ENOENT);
	if (o->node < -1 || o->node > 3)
		return fail(EINVAL);
	o->nr_orders = QUARRY_NR_ORDERS;
	for (i = 0; i < (pool == 1 ? 13 : 11); i++) {
		o->orders[i].free_blocks = 20 - i;
		o->orders[i].cached_blocks = i < 4 ? 7 : 0;
		o->orders[i].allocs = 1500000 >> i;
		o->orders[i].frees = 1400000 >> i;
		o->orders[i].unusable_milli = i * 12;
		o->orders[i].extfrag_milli = i == 10 ? 512 : -1000;
	}
	return 0;
}

static int map(struct quarry_pool_map *m)
{
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

static int create(struct quarry_pool_create *c)
{
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

static int op(unsigned int nr, struct quarry_pool_op *o)
{
	if (find(o->name) < 0)
		return fail(ENOENT);
	if (nr != _IOC_NR(QUARRY_IOC_POOL_SHRINK) && o->bytes)
		return fail(EINVAL);
	if (nr == _IOC_NR(QUARRY_IOC_POOL_DESTROY))
		return setting("FAKE_BUSY", 0) ? fail(EBUSY) : 0;
	o->bytes = o->bytes > 8 << 20 ? 8 << 20 : o->bytes;
	if (nr == _IOC_NR(QUARRY_IOC_POOL_DRAIN))
		o->bytes = 1536 << 10;
	return 0;
}

static int validate(struct quarry_pool_validate *v)
{
	int i = find(v->name);

	if (i < 0)
		return fail(ENOENT);
	v->frames = 20480;
	v->faults = i == 1 ? setting("FAKE_FAULTS", 0) : 0;
	if (v->faults)
		strcpy(v->what, "frame 17: \"free\" twice");
	return 0;
}

/* The head that all structs share: size, then flags. */
static bool head_ok(unsigned long request, const uint32_t *head)
{
	return head[0] == _IOC_SIZE(request) && !head[1];
}

static bool changes(unsigned int nr)
{
	return nr >= _IOC_NR(QUARRY_IOC_POOL_CREATE) && nr <= _IOC_NR(QUARRY_IOC_POOL_DRAIN);
}

static int answer(unsigned long request, void *arg)
{
	unsigned int nr = _IOC_NR(request);
	const char *err = getenv("FAKE_ERR");
	char *rest;

	if (_IOC_TYPE(request) != QUARRY_IOC_MAGIC)
		return fail(ENOTTY);
	if (err && strtoul(err, &rest, 10) == nr && *rest == ':')
		return fail(atoi(rest + 1));
	if (!head_ok(request, arg))
		return fail(EINVAL);
	if (changes(nr) && fake_mode == O_RDONLY)
		return fail(EBADF);
	switch (request) {
	case QUARRY_IOC_VERSION:
		return version(arg);
	case QUARRY_IOC_POOL_LIST:
		return list(arg);
	case QUARRY_IOC_POOL_STATS:
		return stats(arg);
	case QUARRY_IOC_POOL_ORDERS:
		return orders(arg);
	case QUARRY_IOC_POOL_MAP:
		return map(arg);
	case QUARRY_IOC_POOL_CREATE:
		return create(arg);
	case QUARRY_IOC_POOL_DESTROY:
	case QUARRY_IOC_POOL_SHRINK:
	case QUARRY_IOC_POOL_DRAIN:
		return op(nr, arg);
	case QUARRY_IOC_POOL_VALIDATE:
		return validate(arg);
	}
	return fail(ENOTTY);
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int fd, unsigned long request, ...);
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (fd == fake_fd && fd >= 0)
		return answer(request, arg);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, arg);
}
