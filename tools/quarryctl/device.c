// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/quarry: opening it, calling it, and turning each way it may fail into a
 * sentence that says what to do, with an exit status of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quarryctl.h"

struct quarry_version module;

static int fd = -1;

void text_clean(char *text, size_t room)
{
	size_t i;

	text[room - 1] = '\0';
	for (i = 0; text[i]; i++)
		if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
			text[i] = '?';
}

/* A sentence may quote what the user typed, or what is in a path: of any bytes. */
static void say(const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof(text), fmt, ap);
	text_clean(text, sizeof(text));
	fflush(stdout);
	fprintf(stderr, "quarryctl: %s\n", text);
}

int complain(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return status;
}

void die(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(status);
}

static noreturn void die_no_device(int err)
{
	if (strcmp(req.device, DEVICE_DEFAULT))
		die(EXIT_NO_MODULE,
		    "no quarry device at %s (%s); is the module loaded, and the path right?",
		    req.device, strerror(err));
	if (!access("/sys/module/quarry", F_OK))
		die(EXIT_NO_MODULE,
		    "the module is loaded, but %s is missing; start udev, or mknod it with the numbers in /sys/class/quarry/quarry/dev",
		    req.device);
	die(EXIT_NO_MODULE, "module not loaded (%s: %s); " REMEDY_LOAD,
	    req.device, strerror(err));
}

static noreturn void die_denied(const char *what)
{
	die(EXIT_DENIED,
	    "permission denied to open %s for %s; " REMEDY_ROOT ", or be given access",
	    req.device, what);
}

static void open_file(bool write)
{
	struct stat st;

	/* Whatever the path is of, opening it does not wait: a FIFO would, for ever. */
	fd = open(req.device, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		switch (errno) {
		case ENOENT:
		case ENXIO:
		case ENODEV:
			die_no_device(errno);
		case EACCES:
		case EPERM:
			die_denied(write ? "writing" : "reading");
		default:
			die(EXIT_FAILED, "cannot open %s: %s", req.device, strerror(errno));
		}
	}
	if (fstat(fd, &st) || !S_ISCHR(st.st_mode))
		die(EXIT_FAILED,
		    "%s is not a character device; the module's is usually " DEVICE_DEFAULT,
		    req.device);
}

static noreturn void die_skew(const char *how)
{
	die(EXIT_SKEW, "tool and module differ in version: %s; " REMEDY_SKEW, how);
}

static bool read_version(void)
{
	memset(&module, 0, sizeof(module));
	module.size = sizeof(module);
	if (ioctl(fd, QUARRY_IOC_VERSION, &module)) {
		switch (errno) {
		case ENOTTY:
		case E2BIG:
			die_skew(strcmp(req.device, DEVICE_DEFAULT) ?
				 "the device does not know the version call (if it is quarry's)" :
				 "the module does not know the tool's version call");
		default:
			die(EXIT_FAILED, "%s did not say its version: %s", req.device,
			    strerror(errno));
		}
	}
	text_clean(module.version, sizeof(module.version));
	return module.abi == QUARRY_ABI_VERSION;
}

/* For info alone, which has to show both versions where they differ. */
bool device_open_any_abi(void)
{
	open_file(false);
	return read_version();
}

void device_open(bool write)
{
	char how[96];

	open_file(write);
	if (read_version())
		return;
	snprintf(how, sizeof(how), "tool %s speaks ABI %u, module %s ABI %u", QUARRYCTL_VERSION,
		 QUARRY_ABI_VERSION, module.version, module.abi);
	die_skew(how);
}

static int no_such(const char *what, const char *name, const char *guess, const char *lists)
{
	if (guess)
		return complain(EXIT_NO_POOL,
				"no %s is named \"%s\"; did you mean \"%s\"? \"quarryctl %s\" lists them",
				what, name, guess, lists);
	return complain(EXIT_NO_POOL, "no %s is named \"%s\"; \"quarryctl %s\" lists them", what,
			name, lists);
}

static const char **names_alloc(size_t nr)
{
	const char **names = calloc(nr + 1, sizeof(*names));

	if (!names)
		die(EXIT_FAILED, "out of memory");
	return names;
}

static int no_pool(const char *pool)
{
	struct pools all;
	const char **names;
	size_t i;

	pools_list(&all);
	names = names_alloc(all.nr);
	for (i = 0; i < all.nr; i++)
		names[i] = all.entry[i].name;
	no_such("pool", pool, nearest(pool, names, all.nr), "pools");
	free(names);
	pools_free(&all);
	return EXIT_NO_POOL;
}

static int no_cache(const char *cache)
{
	struct caches all;
	const char **names;
	size_t i, nr = 0;

	caches_list(&all);
	names = names_alloc(all.nr);
	for (i = 0; i < all.nr; i++)
		if (all.entry[i].kind != QUARRY_CACHE_DEAD)
			names[nr++] = all.entry[i].name;
	no_such("cache", cache, nearest(cache, names, nr), "caches --all");
	free(names);
	caches_free(&all);
	return EXIT_NO_POOL;
}

/* What each call wants, by its number. */
#define TEXT(NAME, function, type, first, right, flags, text)	\
	[_IOC_NR(QUARRY_IOC_##NAME)] = text,
static const char *const of_pools[] = QUARRY_POOL_CALLS(TEXT);
static const char *const of_caches[] = QUARRY_CACHE_CALLS(TEXT);

static bool about_cache(unsigned long request)
{
	unsigned int nr = _IOC_NR(request);

	return nr < ARRAY_SIZE(of_caches) && of_caches[nr];
}

static const char *call_name(unsigned long request)
{
	return (about_cache(request) ? of_caches : of_pools)[_IOC_NR(request)];
}

static int explain_busy(const char *pool)
{
	struct quarry_pool_stats stats;
	char out[32];

	if (!strcmp(pool, POOL_DEFAULT))
		return complain(EXIT_BUSY,
				"pool \"%s\" is quarry's own, and goes with the module; what is empty of it goes with: quarryctl shrink %s",
				pool, pool);
	if (req.forget)
		return complain(EXIT_BUSY,
				"pool \"%s\" cannot be forgotten: a module that is loaded made it or holds it, or a cache in it is in use; unload that first",
				pool);

	if (!pool_stats(pool, &stats) || !stats.allocated_bytes)
		return complain(EXIT_BUSY,
				"pool \"%s\" is busy: a module holds it; unload that first",
				pool);
	size_format(out, sizeof(out), stats.allocated_bytes);
	return complain(EXIT_BUSY,
			"pool \"%s\" is busy: %s of it is in the hands of clients; stop or unload them, then try again; what a module has leaked that is gone: --forget",
			pool, out);
}

static int explain_no_memory(unsigned long request, const char *call, const char *pool)
{
	if (_IOC_NR(request) == _IOC_NR(QUARRY_IOC_POOL_CREATE))
		return complain(EXIT_FAILED,
				"not enough memory to %s%s; ask for a smaller --min, or free some first",
				call, pool);
	return complain(EXIT_FAILED, "the kernel had no memory to %s%s; free some and try again",
			call, pool);
}

/* What only switching modes has; 0 if it is a failure like another. */
static int explain_modes(const char *cache, int err)
{
	switch (err) {
	case EINVAL:
		return complain(EXIT_FAILED,
				"the modes of%s cannot be switched so: poison is not for objects that a constructor made, or that are read under RCU after they are freed",
				cache);
	case E2BIG:
		return complain(EXIT_FAILED,
				"the modes of%s cannot be switched on: no block holds an object and what guards it",
				cache);
	case ENOSPC:
		return complain(EXIT_FAILED,
				"the modes of%s cannot be switched on: there are as many caches as the module keeps",
				cache);
	}
	return 0;
}

static int explain(unsigned long request, const char *pool, int err)
{
	const char *call = call_name(request);
	char name[QUARRY_NAME_MAX + 16] = "";
	int status;

	if (pool)
		snprintf(name, sizeof(name), " %s \"%s\"", about_cache(request) ? "cache" : "pool",
			 pool);
	if (_IOC_NR(request) == _IOC_NR(QUARRY_IOC_CACHE_MODES)) {
		status = explain_modes(name, err);
		if (status)
			return status;
	}
	/* of what is asked there, only the node can be wrong: names are checked before */
	if (err == EINVAL && _IOC_NR(request) == _IOC_NR(QUARRY_IOC_POOL_ORDERS))
		err = ENODEV;
	switch (err) {
	case ENOENT:
		if (pool)
			return about_cache(request) ? no_cache(pool) : no_pool(pool);
		break;
	case EEXIST:
		return complain(EXIT_EXISTS,
				"a%s exists already; choose another name, or destroy it first",
				name);
	case EBUSY:
		if (pool)
			return explain_busy(pool);
		break;
	case EOPNOTSUPP:
		return complain(EXIT_BUSY,
				"the%s cannot be forgotten: memory is out of a range that a module has lent it; whoever has that must free it",
				name);
	case EPERM:
	case EACCES:
		return complain(EXIT_DENIED,
				"permission denied to %s%s: it needs CAP_SYS_ADMIN; " REMEDY_ROOT,
				call, name);
	case ENOTTY:
	case E2BIG:
		return complain(EXIT_SKEW,
				"tool and module differ in version: %s cannot %s%s as %s asks; "
				REMEDY_SKEW, module.version, call, name, QUARRYCTL_VERSION);
	case ENODEV:
		/* the file that is open keeps the module loaded: a node is meant */
		return complain(EXIT_FAILED,
				"cannot %s%s: there is no NUMA node %d with memory; those that have some are in /sys/devices/system/node/has_memory",
				call, name, req.node);
	case EINVAL:
		return complain(EXIT_FAILED,
				"the module refused to %s%s: a value is out of range (limits: man 4 quarry); dmesg may say which",
				call, name);
	case ENOMEM:
		return explain_no_memory(request, call, name);
	case ENOSPC:
		return complain(EXIT_FAILED,
				"cannot %s%s: there are as many pools as the module keeps; destroy one first",
				call, name);
	}
	return complain(EXIT_FAILED, "cannot %s%s: %s", call, name, strerror(err));
}

static int call(unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR && !live_ended());
	return ret < 0 ? -errno : 0;
}

int device_call(unsigned long request, void *arg, const char *name)
{
	int err = call(request, arg);

	return err ? explain(request, name, -err) : 0;
}

int device_call_quiet(unsigned long request, void *arg, const char *name)
{
	int err = call(request, arg);

	if (!err || err == -ENOENT)
		return err;
	return explain(request, name, -err);
}

void forgotten_read(struct quarry_forgotten *f)
{
	int status;

	memset(f, 0, sizeof(*f));
	f->size = sizeof(*f);
	status = device_call(QUARRY_IOC_FORGOTTEN, f, NULL);
	if (status)
		exit(status);
}

void name_set(char name[QUARRY_NAME_MAX], const char *text)
{
	size_t len = strnlen(text, QUARRY_NAME_MAX - 1);

	memset(name, 0, QUARRY_NAME_MAX);
	memcpy(name, text, len);
}

/* Said here and not left to the module's EINVAL, which cannot say what is bad. */
void name_check(const char *what, const char *text)
{
	static const char good[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t span = strspn(text, good);

	if (!*text)
		die(EXIT_USAGE, "the name of a %s cannot be empty", what);
	if (text[span])
		die(EXIT_USAGE,
		    "\"%s\" is no name for a %s: character %zu is not a letter, digit, '_', '.' or '-'",
		    text, what, span + 1);
	if (strspn(text, ".") == span)
		die(EXIT_USAGE, "\"%s\" is no name for a %s: it has dots only", text, what);
	if (strlen(text) >= QUARRY_NAME_MAX)
		die(EXIT_USAGE,
		    "\"%s\" is no name for a %s: it has %zu characters, at most %d are taken",
		    text, what, strlen(text), QUARRY_NAME_MAX - 1);
}
