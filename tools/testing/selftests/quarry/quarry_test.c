// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "quarry_test.h"

int qt_open(int oflag)
{
	int fd = open(QT_DEVICE, oflag | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		ktap_skip("no %s: the module is not loaded", QT_DEVICE);
	REQUIRE(fd >= 0, "open %s: %s", QT_DEVICE, strerror(errno));
	return fd;
}

int qt_ioctl(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	/* A positive value would be an answer that the ABI does not know. */
	return ret < 0 ? -errno : ret;
}

void qt_set_name(char *field, const char *name)
{
	size_t len = strnlen(name, QUARRY_NAME_MAX);

	memset(field, 0, QUARRY_NAME_MAX);
	memcpy(field, name, len);
}

int qt_version(int fd, struct quarry_version *v)
{
	memset(v, 0, sizeof(*v));
	v->size = sizeof(*v);
	return qt_ioctl(fd, QUARRY_IOC_VERSION, v);
}

int qt_list(int fd, struct quarry_pool_entry *entries, __u32 capacity, __u32 *count)
{
	struct quarry_pool_list l = {
		.size = sizeof(l),
		.capacity = capacity,
		.entries = (uintptr_t)entries,
	};
	int ret = qt_ioctl(fd, QUARRY_IOC_POOL_LIST, &l);

	*count = l.count;
	return ret;
}

int qt_stats(int fd, const char *name, struct quarry_pool_stats *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	qt_set_name(s->name, name);
	return qt_ioctl(fd, QUARRY_IOC_POOL_STATS, s);
}

int qt_orders(int fd, const char *name, __s32 node, struct quarry_pool_orders *o)
{
	memset(o, 0, sizeof(*o));
	o->size = sizeof(*o);
	o->node = node;
	qt_set_name(o->name, name);
	return qt_ioctl(fd, QUARRY_IOC_POOL_ORDERS, o);
}

int qt_map(int fd, const char *name, __u64 start, struct quarry_map_area *areas,
	   __u32 capacity, __u32 *count, __u64 *total)
{
	struct quarry_pool_map m = {
		.size = sizeof(m),
		.start = start,
		.capacity = capacity,
		.areas = (uintptr_t)areas,
	};
	int ret;

	qt_set_name(m.name, name);
	ret = qt_ioctl(fd, QUARRY_IOC_POOL_MAP, &m);
	*count = m.count;
	*total = m.total;
	return ret;
}

int qt_create(int fd, const char *name, __u64 min, __u64 max, __u32 *id)
{
	struct quarry_pool_create c = {
		.size = sizeof(c),
		.min_bytes = min,
		.max_bytes = max,
		.node = QUARRY_ANY_NODE,
	};
	int ret;

	qt_set_name(c.name, name);
	ret = qt_ioctl(fd, QUARRY_IOC_POOL_CREATE, &c);
	if (id)
		*id = c.id;
	return ret;
}

static int pool_op(int fd, unsigned long cmd, const char *name, __u64 in, __u64 *out)
{
	struct quarry_pool_op op = { .size = sizeof(op), .bytes = in };
	int ret;

	qt_set_name(op.name, name);
	ret = qt_ioctl(fd, cmd, &op);
	if (out)
		*out = op.bytes;
	return ret;
}

int qt_destroy(int fd, const char *name)
{
	return pool_op(fd, QUARRY_IOC_POOL_DESTROY, name, 0, NULL);
}

int qt_forget(int fd, const char *name, __u64 *lost)
{
	struct quarry_pool_op op = { .size = sizeof(op), .flags = QUARRY_POOL_FORGET };
	int ret;

	qt_set_name(op.name, name);
	ret = qt_ioctl(fd, QUARRY_IOC_POOL_DESTROY, &op);
	*lost = op.bytes;
	return ret;
}

int qt_forgotten(int fd, struct quarry_forgotten *f)
{
	memset(f, 0, sizeof(*f));
	f->size = sizeof(*f);
	return qt_ioctl(fd, QUARRY_IOC_FORGOTTEN, f);
}

int qt_shrink(int fd, const char *name, __u64 bytes, __u64 *given)
{
	return pool_op(fd, QUARRY_IOC_POOL_SHRINK, name, bytes, given);
}

int qt_drain(int fd, const char *name, __u64 *moved)
{
	return pool_op(fd, QUARRY_IOC_POOL_DRAIN, name, 0, moved);
}

int qt_validate(int fd, const char *name, struct quarry_pool_validate *v)
{
	memset(v, 0, sizeof(*v));
	v->size = sizeof(*v);
	qt_set_name(v->name, name);
	return qt_ioctl(fd, QUARRY_IOC_POOL_VALIDATE, v);
}

int qt_cache_list(int fd, struct quarry_cache_entry *entries, __u32 capacity, __u32 *count)
{
	struct quarry_cache_list l = {
		.size = sizeof(l),
		.capacity = capacity,
		.entries = (uintptr_t)entries,
	};
	int ret = qt_ioctl(fd, QUARRY_IOC_CACHE_LIST, &l);

	*count = l.count;
	return ret;
}

int qt_cache_stats(int fd, const char *name, struct quarry_cache_stats *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	qt_set_name(s->name, name);
	return qt_ioctl(fd, QUARRY_IOC_CACHE_STATS, s);
}

static int cache_op(int fd, unsigned long cmd, const char *name, struct quarry_cache_op *op)
{
	memset(op, 0, sizeof(*op));
	op->size = sizeof(*op);
	qt_set_name(op->name, name);
	return qt_ioctl(fd, cmd, op);
}

int qt_cache_shrink(int fd, const char *name, __u64 *given)
{
	struct quarry_cache_op op;
	int ret = cache_op(fd, QUARRY_IOC_CACHE_SHRINK, name, &op);

	if (given)
		*given = op.bytes;
	return ret;
}

int qt_cache_validate(int fd, const char *name, __u64 *violations, char what[64])
{
	struct quarry_cache_op op;
	int ret = cache_op(fd, QUARRY_IOC_CACHE_VALIDATE, name, &op);

	*violations = op.bytes;
	memcpy(what, op.what, sizeof(op.what));
	return ret;
}

static int cache_modes(int fd, const char *name, struct quarry_cache_modes *m)
{
	m->size = sizeof(*m);
	qt_set_name(m->name, name);
	return qt_ioctl(fd, QUARRY_IOC_CACHE_MODES, m);
}

int qt_cache_modes(int fd, const char *name, __u32 set, __u32 clear, __u32 *modes)
{
	struct quarry_cache_modes m = {
		.set = set,
		.clear = clear,
		.fail_per_million = ~0U,
		.fail_nth = ~0ULL,
	};
	int ret = cache_modes(fd, name, &m);

	if (modes)
		*modes = m.modes;
	return ret;
}

int qt_cache_inject(int fd, const char *name, __u64 nth, __u32 per_million)
{
	struct quarry_cache_modes m = { .fail_per_million = per_million, .fail_nth = nth };

	return cache_modes(fd, name, &m);
}

int qt_cache_traces(int fd, const char *name, __u32 flags, struct quarry_trace *traces,
		    __u32 capacity, struct quarry_cache_traces *t)
{
	memset(t, 0, sizeof(*t));
	t->size = sizeof(*t);
	t->flags = flags;
	t->capacity = capacity;
	t->traces = (uintptr_t)traces;
	qt_set_name(t->name, name);
	return qt_ioctl(fd, QUARRY_IOC_CACHE_TRACES, t);
}

/*
 * Do the figures that are read at different moments agree? An arena that comes or goes in the
 * background meanwhile, which takes no longer than a round of that, is in some and not in others.
 */
static bool sums_agree(const struct quarry_pool_stats *s)
{
	return s->alloc_frames - s->free_frames == s->allocated_bytes / sysconf(_SC_PAGESIZE) &&
	       s->grows - s->shrinks == s->arenas;
}

void qt_check_sums(int fd, struct quarry_pool_stats *s)
{
	__u64 page = sysconf(_SC_PAGESIZE);
	struct quarry_pool_stats is;
	unsigned int tries = 1000;
	__u64 sum;

	while (!sums_agree(s) && --tries && !usleep(10000) && !qt_stats(fd, s->name, &is))
		*s = is;
	sum = s->allocated_bytes + s->pcp_bytes + s->free_bytes + s->retired_bytes;
	CHECK(sum == s->managed_bytes,
	      "%s: allocated %llu + pcp %llu + free %llu + retired %llu is not managed %llu",
	      s->name, s->allocated_bytes, s->pcp_bytes, s->free_bytes,
	      s->retired_bytes, s->managed_bytes);
	CHECK(s->managed_bytes >= s->min_bytes, "%s: managed %llu is below min %llu",
	      s->name, s->managed_bytes, s->min_bytes);
	CHECK(s->managed_bytes <= s->max_bytes, "%s: managed %llu is above max %llu",
	      s->name, s->managed_bytes, s->max_bytes);
	CHECK(s->zero_bytes <= s->free_bytes, "%s: zero %llu is above free %llu",
	      s->name, s->zero_bytes, s->free_bytes);
	CHECK(!((s->managed_bytes | s->allocated_bytes | s->pcp_bytes | s->free_bytes |
		 s->min_bytes | s->max_bytes) % page),
	      "%s: a gauge is no multiple of the page size", s->name);
	CHECK(s->alloc_frames - s->free_frames == s->allocated_bytes / page,
	      "%s: %llu frames out, %llu back, but %llu allocated", s->name,
	      s->alloc_frames, s->free_frames, s->allocated_bytes / page);
	CHECK(s->arenas_empty <= s->arenas, "%s: %llu of %llu arenas are empty",
	      s->name, s->arenas_empty, s->arenas);
	CHECK(s->areas_free <= s->areas, "%s: %llu of %llu areas are free",
	      s->name, s->areas_free, s->areas);
	CHECK(s->grows - s->shrinks == s->arenas, "%s: %llu grown, %llu given back, %llu arenas",
	      s->name, s->grows, s->shrinks, s->arenas);
	CHECK(!(s->modes & ~QUARRY_POOL_MODES), "%s: modes %#x", s->name, s->modes);
}

#define FIGURE(kind, field, NAME, text)	\
	{ #field, offsetof(struct quarry_pool_stats, field), QUARRY_FIGURE_##kind },
const struct qt_figure qt_pool_figures[] = QUARRY_POOL_FIGURES(FIGURE);

const size_t qt_nr_pool_figures = ARRAY_SIZE(qt_pool_figures);

__u64 qt_figure(const struct qt_figure *f, const void *stats)
{
	__u64 v;

	memcpy(&v, (const char *)stats + f->offset, sizeof(v));
	return v;
}

void qt_check_same(const struct quarry_pool_stats *was, const struct quarry_pool_stats *is)
{
	const struct qt_figure *f = qt_pool_figures;

	for (; f < qt_pool_figures + qt_nr_pool_figures; f++)
		CHECK(qt_figure(f, was) == qt_figure(f, is), "%s: %s went from %llu to %llu",
		      was->name, f->name, qt_figure(f, was), qt_figure(f, is));
	/* What is no figure, padding and reserved room. */
	CHECK(!memcmp(was, is, sizeof(*was)), "%s: the two answers differ", was->name);
}

void qt_check_valid(int fd, const char *name)
{
	const __u64 page = sysconf(_SC_PAGESIZE);
	struct quarry_pool_validate v;
	struct quarry_pool_stats s;
	unsigned int tries = 100;
	int ret;

	/* A pool that grows in the background may be about to: what it wants is counted first. */
	do {
		ret = qt_validate(fd, name, &v);
		if (!CHECK(!ret, "%s: validate: %s", name, strerror(-ret)))
			return;
		CHECK(!v.violations && !v.stray_refs && !v.what[0],
		      "%s: %llu violations, %llu stray references: %.64s", name, v.violations,
		      v.stray_refs, v.what);
		if (!CHECK(!qt_stats(fd, name, &s), "%s: no statistics", name))
			return;
	} while (v.frames != s.managed_bytes / page && --tries && !usleep(10000));
	CHECK(v.frames == s.managed_bytes / page,
	      "%s: %llu frames looked at, %llu bytes managed", name, v.frames,
	      s.managed_bytes);
	CHECK(!s.errors[QUARRY_ERR_CORRUPT], "%s: damage was counted before", name);
}

void qt_health_begin(struct qt_health *h, int fd, const char *name)
{
	h->fd = fd;
	h->name = name;
	REQUIRE(!qt_list(fd, NULL, 0, &h->pools), "the list does not answer");
	REQUIRE(!qt_stats(fd, name, &h->stats[0]), "%s: no statistics", name);
	REQUIRE(!qt_stats(fd, QT_DEFAULT_POOL, &h->stats[1]), "no default pool");
}

void qt_health_end(const struct qt_health *h)
{
	struct quarry_pool_stats now;
	__u32 pools;
	int i;

	REQUIRE(!qt_list(h->fd, NULL, 0, &pools), "the list does not answer");
	CHECK(pools == h->pools, "there were %u pools, there are %u", h->pools, pools);
	for (i = 0; i < 2; i++) {
		const char *name = h->stats[i].name;

		REQUIRE(!qt_stats(h->fd, name, &now), "%s: no statistics", name);
		qt_check_same(&h->stats[i], &now);
		qt_check_valid(h->fd, name);
	}
}

char *qt_guarded_page(int prot)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED, "mmap: %s", strerror(errno));
	REQUIRE(!mprotect(p + page, page, PROT_NONE), "mprotect: %s", strerror(errno));
	memset(p, 0, page);
	REQUIRE(!mprotect(p, page, prot), "mprotect: %s", strerror(errno));
	return p + page;
}

ssize_t qt_read_file(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	if (n < 0)
		n = -errno;
	close(fd);
	buf[len] = 0;
	return n < 0 ? n : (ssize_t)len;
}

int qt_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

long qt_vmstat(const char *name)
{
	static char text[16384];
	size_t len = strlen(name);
	const char *at;

	qt_write_file("/proc/sys/vm/stat_refresh", "1");
	REQUIRE(qt_read_file("/proc/vmstat", text, sizeof(text)) > 0, "no /proc/vmstat");
	for (at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (!strncmp(at, name, len) && at[len] == ' ')
			return atol(at + len);
	ktap_skip("the kernel does not count %s", name);
}

static __u64 meminfo_bytes(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	if (!at)
		return 0;
	return strtoull(at + strlen(key), NULL, 10) << 10;
}

/* What the kernel has in caches, and every shrinker's, ours among them. Where there is none, no. */
static void empty_caches(void)
{
	static const char path[] = "/proc/sys/vm/drop_caches";
	static bool quiet;

	/* By itself, for 6.1 takes from 1 to 4: no line in the log each time from then on. */
	if (!quiet)
		REQUIRE(!qt_write_file(path, "4"), "%s does not take 4", path);
	quiet = true;
	REQUIRE(!qt_write_file(path, "3"), "%s does not take 3", path);
}

/*
 * MemFree alone wanders by what the kernel keeps on its own per-CPU lists and
 * in its caches. With those added, and its counters folded, what is missing
 * was taken by somebody: arenas, vmalloc and per-CPU areas all show. Slab is
 * counted as free since freed objects stay there for a while (for very long
 * under KASAN); leaks of objects are for kmemleak to find. Each load of a
 * module may split 2 MiB of the kernel's direct map for its text, for good,
 * and that takes a page table.
 */
static __u64 free_memory_now(void)
{
	static char text[1 << 16];
	__u64 bytes = 0, page = sysconf(_SC_PAGESIZE);
	char *at;

	/* A fault in between would move a batch to a list that was counted. */
	memset(text, 1, sizeof(text));
	sync();
	empty_caches();
	qt_write_file("/proc/sys/vm/stat_refresh", "1");
	REQUIRE(qt_read_file("/proc/zoneinfo", text, sizeof(text)) > 0, "no /proc/zoneinfo");
	for (at = text; (at = strstr(at, " count:")); at++)
		bytes += strtoull(at + strlen(" count:"), NULL, 10) * page;
	for (at = text; (at = strstr(at, " pages free ")); at++)
		bytes += strtoull(at + strlen(" pages free "), NULL, 10) * page;
	REQUIRE(qt_read_file("/proc/meminfo", text, sizeof(text)) > 0, "no /proc/meminfo");
	return bytes + meminfo_bytes(text, "Buffers:") + meminfo_bytes(text, "\nCached:") +
	       meminfo_bytes(text, "Slab:") + meminfo_bytes(text, "DirectMap4k:") / MIB(2) * page;
}

/*
 * What was freed comes back by and by, from RCU callbacks and works: it is all
 * there when a few looks in a row find the same.
 */
__u64 qt_free_memory(void)
{
	__u64 was = 0, now = 0;
	unsigned int i, same = 0;

	for (i = 0; i < 100 && same < 4; i++) {
		was = now;
		now = free_memory_now();
		same = now == was ? same + 1 : 0;
		/* A grace period of RCU. */
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	}
	return now;
}

/* No call destroys a cache: its module does. All must be sound. */
static bool caches_are_sound(int fd)
{
	static struct quarry_cache_entry e[QT_MAX_CACHES];
	bool clean = true;
	char what[64];
	__u64 violations;
	__u32 i, nr;
	int ret;

	if (qt_cache_list(fd, e, QT_MAX_CACHES, &nr)) {
		ktap_note("the list of caches does not answer");
		return false;
	}
	for (i = 0; i < nr && i < QT_MAX_CACHES; i++) {
		if (e[i].kind == QUARRY_CACHE_DEAD)
			continue;
		ret = qt_cache_validate(fd, e[i].name, &violations, what);
		if (!ret && !violations)
			continue;
		ktap_note("cache %s afterwards: %s, %llu violations, %.64s", e[i].name,
			  strerror(-ret), violations, what);
		clean = false;
	}
	return clean;
}

/* Destroys what a case left, so that the next one does not fail for it. */
static bool sweep(int fd, bool quietly)
{
	static struct quarry_pool_entry e[QT_MAX_POOLS];
	struct quarry_pool_validate v;
	bool clean = true;
	__u32 i, nr;

	if (qt_list(fd, e, QT_MAX_POOLS, &nr)) {
		ktap_note("the list of pools does not answer");
		return false;
	}
	for (i = 0; i < nr && i < QT_MAX_POOLS; i++) {
		int ret = qt_validate(fd, e[i].name, &v);

		if (ret || v.violations) {
			ktap_note("pool %s afterwards: %s, %llu violations, %.64s", e[i].name,
				  strerror(-ret), v.violations, v.what);
			clean = false;
		}
		if (strncmp(e[i].name, QT_PREFIX, strlen(QT_PREFIX)))
			continue;
		ret = qt_destroy(fd, e[i].name);
		if (quietly)
			continue;
		ktap_note("pool %s was left behind, destroy: %s", e[i].name, strerror(-ret));
		clean = false;
	}
	return clean;
}

/* Loads it, if that goes. Skips the case where there is no such file. */
static int try_load_client(const char *ko, const char *params)
{
	int fd = open(ko, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0) {
		/* What the case has made so far is not its fault. */
		fd = open(QT_DEVICE, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			sweep(fd, true);
		ktap_skip("no %s", ko);
	}
	ret = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return ret;
}

static void load_client(const char *ko, const char *params)
{
	int ret = try_load_client(ko, params);

	REQUIRE(!ret, "%s %s: %s", ko, params, strerror(-ret));
}

static void unload_client(const char *name)
{
	int ret = syscall(SYS_delete_module, name, O_NONBLOCK);

	CHECK(!ret || errno == ENOENT, "unload %s: %s", name, strerror(errno));
}

static unsigned long client_value(const char *module, const char *param)
{
	char path[100], text[32];

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, param);
	REQUIRE(qt_read_file(path, text, sizeof(text)) > 0, "cannot read %s", path);
	return strtoul(text, NULL, 10);
}

void qt_load_module(const char *params)
{
	load_client(getenv("QUARRY_LOAD_KO") ?: QT_LOAD_KO, params);
}

void qt_unload_module(void)
{
	unload_client("quarry_load");
}

void qt_stranger_load(void)
{
	load_client(getenv("QUARRY_STRANGER_KO") ?: QT_STRANGER_KO, "");
}

void qt_stranger_unload(void)
{
	unload_client("quarry_stranger");
}

int qt_leak_load(const char *params)
{
	return try_load_client(getenv("QUARRY_LEAK_KO") ?: QT_LEAK_KO, params);
}

void qt_leak_unload(void)
{
	unload_client("quarry_leak");
}

void qt_load_drop(void)
{
	int ret = qt_write_file("/sys/module/quarry_load/parameters/drop", "1");

	REQUIRE(!ret, "quarry_load does not drop: %s", strerror(-ret));
}

unsigned long qt_load_value(const char *name)
{
	return client_value("quarry_load", name);
}

void qt_objects_load(const char *params)
{
	load_client(getenv("QUARRY_OBJECTS_KO") ?: QT_OBJECTS_KO, params);
}

void qt_objects_unload(void)
{
	unload_client("quarry_objects");
}

int qt_objects_write(const char *param, const char *text)
{
	char path[100];

	snprintf(path, sizeof(path), "/sys/module/quarry_objects/parameters/%s", param);
	return qt_write_file(path, text);
}

unsigned long qt_objects_value(const char *param)
{
	return client_value("quarry_objects", param);
}

void qt_pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

void qt_drop_root(void)
{
	const gid_t nobody = 65534;

	REQUIRE(!setgroups(0, NULL), "setgroups: %s", strerror(errno));
	REQUIRE(!setresgid(nobody, nobody, nobody), "setresgid: %s", strerror(errno));
	REQUIRE(!setresuid(nobody, nobody, nobody), "setresuid: %s", strerror(errno));
	/* Else /proc/self would belong to root, and user namespaces be refused. */
	prctl(PR_SET_DUMPABLE, 1);
}

static int log_fd = -1;

void qt_log_rewind(void)
{
	if (log_fd >= 0)
		close(log_fd);
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

void qt_log_begin(void)
{
	qt_log_rewind();
	if (log_fd >= 0)
		lseek(log_fd, 0, SEEK_END);
}

/* One record of the log; false at its end. */
static bool log_next(char *line, size_t size)
{
	ssize_t n;

	if (log_fd < 0)
		return false;
	do {
		n = read(log_fd, line, size - 1);
		/* EPIPE: the ring went round; what is left is still there. */
	} while (n < 0 && (errno == EPIPE || errno == EINTR));
	if (n < 0)
		return false;
	line[n] = 0;
	return true;
}

/*
 * Warnings of the kernel's own, which no quarry is in the stack of: told, and not held against it.
 * deadline.c: 6.12 counts the bandwidth of a CPU's deadline server wrong, now and then, when the
 * CPU goes (sched_cpu_dying() -> dl_server_stop()), and says so once.
 */
static bool is_of_the_kernel(const char *text)
{
	return strstr(text, "WARNING:") && strstr(text, " at kernel/sched/deadline.c:");
}

/* Is the log free of reports since qt_log_begin()? @own: the kernel has warned of itself. */
static bool log_is_clean(bool *own)
{
	/* A stack alone is none of them: quarry prints one with a misuse. */
	static const char * const bad[] = {
		"WARNING:", "BUG:", "BUG ", "Oops", "KASAN:", "UBSAN:", "KCSAN:",
		"general protection fault", "INFO: possible", "INFO: trying to register",
		"INFO: task", "rcu: INFO", "soft lockup",
		"Bad page state", "refcount_t:", "unreferenced object",
	};
	bool clean = true, cut = false;
	char line[8192];
	unsigned int i;

	while (log_next(line, sizeof(line))) {
		char *text = strchr(line, ';');

		text = text ? text + 1 : line;
		if (is_of_the_kernel(text)) {
			text[strcspn(text, "\n")] = 0;
			ktap_note("the kernel's own: %s", text);
			*own = true;
			cut = false;
			continue;
		}
		/* What begins so is told with what it begins. */
		if (strstr(text, "cut here")) {
			cut = true;
			continue;
		}
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			if (!strstr(text, bad[i]))
				continue;
			text[strcspn(text, "\n")] = 0;
			ktap_note("kernel log: %s", text);
			clean = false;
			cut = false;
			break;
		}
	}
	if (cut) {
		ktap_note("kernel log: something was cut here");
		clean = false;
	}
	return clean;
}

bool qt_log_has(const char *word, const char *other)
{
	char line[8192];
	bool found = false;

	while (log_next(line, sizeof(line)))
		if (strstr(line, word) && strstr(line, other))
			found = true;
	return found;
}

static unsigned long taint_was;

static unsigned long taint(void)
{
	char text[32];

	if (qt_read_file("/proc/sys/kernel/tainted", text, sizeof(text)) <= 0)
		return 0;
	return strtoul(text, NULL, 10);
}

void qt_before(void)
{
	taint_was = taint();
	qt_log_begin();
}

bool qt_after(void)
{
	/* Loading a module that is not signed and not in the tree sets these. */
	const unsigned long fine = 1UL << 12 | 1UL << 13;
	const unsigned long warned = 1UL << 9;
	unsigned long gained = taint() & ~taint_was & ~fine;
	int fd = open(QT_DEVICE, O_RDWR | O_CLOEXEC);
	bool clean = true, own = false;

	if (fd >= 0) {
		clean = caches_are_sound(fd);
		clean = sweep(fd, false) && clean;
		close(fd);
	}
	clean = log_is_clean(&own) && clean;
	if (own)
		gained &= ~warned;
	if (gained) {
		ktap_note("the kernel is tainted: %#lx", gained);
		clean = false;
	}
	return clean;
}
