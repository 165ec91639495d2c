/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs share: /dev/quarry, and the proof of good health that
 * every case has to leave behind.
 *
 * Calls return 0 or -errno, as they do inside the kernel.
 */
#ifndef QUARRY_SELFTEST_H
#define QUARRY_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/quarry.h>

#include "ktap.h"

#define QT_DEVICE	"/dev/quarry"
#define QT_DEBUGFS	"/sys/kernel/debug/quarry"
#define QT_DEFAULT_POOL	"default"
/* Every pool that a test makes begins so: what is left over can be found. */
#define QT_PREFIX	"qt."
#define QT_MAX_POOLS	256
#define QT_MAX_CACHES	256
/* A size class of malloc: a cache that is always there, and not in use. */
#define QT_CLASS	"malloc-64"

#define MIB(n)		((__u64)(n) << 20)
#define ALL_BYTES	(~0ULL)

int qt_open(int oflag);
int qt_ioctl(int fd, unsigned long cmd, void *arg);
void qt_set_name(char *field, const char *name);

int qt_version(int fd, struct quarry_version *v);
int qt_list(int fd, struct quarry_pool_entry *entries, __u32 capacity, __u32 *count);
int qt_stats(int fd, const char *name, struct quarry_pool_stats *s);
int qt_orders(int fd, const char *name, __s32 node, struct quarry_pool_orders *o);
int qt_map(int fd, const char *name, __u64 start, struct quarry_map_area *areas,
	   __u32 capacity, __u32 *count, __u64 *total);
int qt_create(int fd, const char *name, __u64 min, __u64 max, __u32 *id);
int qt_destroy(int fd, const char *name);
int qt_forget(int fd, const char *name, __u64 *lost);
int qt_forgotten(int fd, struct quarry_forgotten *f);
int qt_shrink(int fd, const char *name, __u64 bytes, __u64 *given);
int qt_drain(int fd, const char *name, __u64 *moved);
int qt_validate(int fd, const char *name, struct quarry_pool_validate *v);

int qt_cache_list(int fd, struct quarry_cache_entry *entries, __u32 capacity, __u32 *count);
int qt_cache_stats(int fd, const char *name, struct quarry_cache_stats *s);
int qt_cache_shrink(int fd, const char *name, __u64 *given);
int qt_cache_validate(int fd, const char *name, __u64 *violations, char what[64]);
int qt_cache_modes(int fd, const char *name, __u32 set, __u32 clear, __u32 *modes);
int qt_cache_inject(int fd, const char *name, __u64 nth, __u32 per_million);
int qt_cache_traces(int fd, const char *name, __u32 flags, struct quarry_trace *traces,
		    __u32 capacity, struct quarry_cache_traces *t);

/* A figure of a struct; those of struct quarry_pool_stats, all of 64 bits. */
struct qt_figure {
	const char *name;
	size_t offset;
	enum quarry_figure_kind kind;
};

extern const struct qt_figure qt_pool_figures[];
extern const size_t qt_nr_pool_figures;
__u64 qt_figure(const struct qt_figure *f, const void *stats);

/*
 * Checks that fail the running case in words. The sums are of a pool at rest: one whose figures
 * do not agree is asked again, for ten seconds, and @s is what it said last.
 */
void qt_check_sums(int fd, struct quarry_pool_stats *s);
void qt_check_same(const struct quarry_pool_stats *was, const struct quarry_pool_stats *is);
void qt_check_valid(int fd, const char *name);

/**
 * struct qt_health - what bad input must leave as it was
 * @fd:		file to ask through
 * @pools:	pools that exist
 * @stats:	numbers of the watched pool and of the default pool
 */
struct qt_health {
	int fd;
	__u32 pools;
	const char *name;
	struct quarry_pool_stats stats[2];
};

void qt_health_begin(struct qt_health *h, int fd, const char *name);
void qt_health_end(const struct qt_health *h);

/* A page followed by one that cannot be touched; returns the border. */
char *qt_guarded_page(int prot);

ssize_t qt_read_file(const char *path, char *buf, size_t size);
int qt_write_file(const char *path, const char *text);

/* A number of /proc/vmstat, folded from all CPUs; skips the case where there is none. */
long qt_vmstat(const char *name);

/* Bytes that nobody but the slab and the page cache holds, see quarry_test.c. */
__u64 qt_free_memory(void);

/*
 * quarry_load.ko, a client inside the kernel: QUARRY_LOAD_KO says where, else
 * beside quarry.ko. Loading skips the case where there is none.
 */
#define QT_KO		"/lib/quarry/quarry.ko"
#define QT_LOAD_KO	"/lib/quarry/quarry_load.ko"
void qt_load_module(const char *params);
void qt_unload_module(void);
/* Free what it holds, on the caller's CPU. */
void qt_load_drop(void);
unsigned long qt_load_value(const char *name);

/* The same for quarry_objects.ko, a client with a cache. Writing returns 0 or -errno. */
#define QT_OBJECTS_KO	"/lib/quarry/quarry_objects.ko"
void qt_objects_load(const char *params);
void qt_objects_unload(void);
int qt_objects_write(const char *param, const char *text);
unsigned long qt_objects_value(const char *param);

/* And for quarry_leak.ko, which goes with memory out. Loading returns 0 or -errno. */
#define QT_LEAK_KO	"/lib/quarry/quarry_leak.ko"
int qt_leak_load(const char *params);
void qt_leak_unload(void);

/* quarry_stranger.ko, which does not use quarry: QUARRY_STRANGER_KO. */
#define QT_STRANGER_KO	"/lib/quarry/quarry_stranger.ko"
void qt_stranger_load(void);
void qt_stranger_unload(void);

/* Stay on a CPU; without effect while it is away. */
void qt_pin(unsigned int cpu);

/* Gives up root for good: no capability, uid and gid of nobody. */
void qt_drop_root(void);

/* Read the kernel log from here on, or all that the kernel still has of it. */
void qt_log_begin(void);
void qt_log_rewind(void);

/* Does one line of it contain both words? */
bool qt_log_has(const char *word, const char *other);

/* For struct ktap_suite: log and taint clean, no pool left, all pools valid. */
void qt_before(void);
bool qt_after(void);

#endif /* QUARRY_SELFTEST_H */
