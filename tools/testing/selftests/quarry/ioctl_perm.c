// SPDX-License-Identifier: GPL-2.0
/*
 * Who may do what. Reading works on any open file; changing needs a file that
 * is open for writing (-EBADF) and then CAP_SYS_ADMIN (-EPERM) in the initial
 * user namespace. Both come before anything of the argument is looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quarry_test.h"

#define POOL	QT_PREFIX "perm"
#define NEW	QT_PREFIX "new"

static struct qt_health health;

/* Traces show stacks of the kernel: not for everybody either. */
static void check_reading_caches(int fd, bool admin, const char *who)
{
	static struct quarry_cache_entry e[QT_MAX_CACHES];
	struct quarry_cache_traces t;
	struct quarry_cache_stats s;
	__u64 violations = 0;
	char what[64];
	__u32 nr;
	int ret;

	CHECK(!qt_cache_list(fd, e, QT_MAX_CACHES, &nr) && nr >= 1, "%s: cache list", who);
	CHECK(!qt_cache_stats(fd, QT_CLASS, &s) && s.object_size, "%s: cache stats", who);
	ret = qt_cache_validate(fd, QT_CLASS, &violations, what);
	CHECK(ret == (admin ? 0 : -EPERM), "%s: cache validate: %s", who, strerror(-ret));
	CHECK(ret || !violations, "%s: %llu violations", who, violations);
	ret = qt_cache_traces(fd, QT_CLASS, 0, NULL, 0, &t);
	CHECK(ret == (admin ? 0 : -EPERM), "%s: cache traces: %s", who, strerror(-ret));
}

/*
 * Everything that only reads answers on @fd. Validating changes nothing, but
 * holds locks while it walks the pool: that is not for everybody.
 */
static void check_reading(int fd, bool admin, const char *who)
{
	static struct quarry_map_area areas[64];
	static struct quarry_pool_entry e[QT_MAX_POOLS];
	struct quarry_pool_validate v;
	struct quarry_pool_orders o;
	struct quarry_pool_stats s;
	struct quarry_version ver;
	__u64 total;
	__u32 nr;
	int ret;

	CHECK(!qt_version(fd, &ver), "%s: version", who);
	CHECK(!qt_list(fd, e, QT_MAX_POOLS, &nr) && nr >= 2, "%s: list", who);
	CHECK(!qt_stats(fd, POOL, &s) && s.managed_bytes, "%s: stats", who);
	CHECK(!qt_orders(fd, POOL, QUARRY_ANY_NODE, &o), "%s: orders", who);
	CHECK(!qt_map(fd, POOL, 0, areas, ARRAY_SIZE(areas), &nr, &total) && nr, "%s: map", who);
	ret = qt_validate(fd, POOL, &v);
	CHECK(ret == (admin ? 0 : -EPERM), "%s: validate: %s", who, strerror(-ret));
	CHECK(ret || !v.violations, "%s: %llu violations", who, v.violations);
	check_reading_caches(fd, admin, who);
}

static void check_changing(int fd, int want, const char *who)
{
	struct quarry_pool_modes m = { .size = sizeof(m) };
	__u64 lost;
	int ret;

	ret = qt_create(fd, NEW, 0, MIB(4), NULL);
	CHECK(ret == want, "%s: create: %s", who, strerror(-ret));
	ret = qt_destroy(fd, POOL);
	CHECK(ret == want, "%s: destroy: %s", who, strerror(-ret));
	ret = qt_forget(fd, POOL, &lost);
	CHECK(ret == want, "%s: forget: %s", who, strerror(-ret));
	qt_set_name(m.name, QT_DEFAULT_POOL);
	ret = qt_ioctl(fd, QUARRY_IOC_POOL_MODES, &m);
	CHECK(ret == want, "%s: modes: %s", who, strerror(-ret));
	ret = qt_shrink(fd, POOL, ALL_BYTES, NULL);
	CHECK(ret == want, "%s: shrink: %s", who, strerror(-ret));
	ret = qt_drain(fd, POOL, NULL);
	CHECK(ret == want, "%s: drain: %s", who, strerror(-ret));
	ret = qt_cache_shrink(fd, QT_CLASS, NULL);
	CHECK(ret == want, "%s: cache shrink: %s", who, strerror(-ret));
	ret = qt_cache_modes(fd, QT_CLASS, QUARRY_MODE_POISON, 0, NULL);
	CHECK(ret == want, "%s: cache modes: %s", who, strerror(-ret));
	ret = qt_cache_inject(fd, QT_CLASS, 1, 0);
	CHECK(ret == want, "%s: cache inject: %s", who, strerror(-ret));
}

/* Which calls are for whom, as the lists of linux/quarry.h say. */
#define CALL(NAME, function, type, first, right, flags, text)	\
	{ #function, QUARRY_IOC_##NAME, QUARRY_CALL_##right },
static const struct call {
	const char *name;
	unsigned long cmd;
	enum quarry_call_right right;
} of_pools[] = QUARRY_POOL_CALLS(CALL), of_caches[] = QUARRY_CACHE_CALLS(CALL);

static void check_blind_call(int fd, const struct call *c, int want, const char *who)
{
	static char zero[_IOC_SIZEMASK] __aligned(8);
	int ret;

	/* What only reads is kept from whoever has not the right, whatever the file. */
	if (c->right == QUARRY_CALL_READS || (c->right == QUARRY_CALL_ADMIN && want != -EPERM))
		return;
	ret = qt_ioctl(fd, c->cmd, NULL);
	CHECK(ret == want, "%s: %s, no argument: %s", who, c->name, strerror(-ret));
	ret = qt_ioctl(fd, c->cmd, zero);
	CHECK(ret == want, "%s: %s, zeros: %s", who, c->name, strerror(-ret));
}

/* The same errno whatever the argument: who may not ask learns nothing. */
static void check_blind(int fd, int want, const char *who)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(of_pools); i++)
		check_blind_call(fd, &of_pools[i], want, who);
	for (i = 0; i < ARRAY_SIZE(of_caches); i++)
		check_blind_call(fd, &of_caches[i], want, who);
	ret = qt_destroy(fd, QT_PREFIX "absent");
	CHECK(ret == want, "%s: destroy what is not there: %s", who, strerror(-ret));
	ret = qt_create(fd, QT_DEFAULT_POOL, 0, MIB(4), NULL);
	CHECK(ret == want, "%s: create what is there: %s", who, strerror(-ret));
}

static int setup(void)
{
	int fd = qt_open(O_RDWR);

	REQUIRE(!qt_create(fd, POOL, MIB(4), MIB(8), NULL), "create failed");
	qt_check_valid(fd, POOL);
	qt_health_begin(&health, fd, POOL);
	return fd;
}

static void finish(void)
{
	qt_health_end(&health);
	CHECK(!qt_destroy(health.fd, POOL), "destroy failed");
}

/* Runs @fn in a child, so that what it gives up can be had again. */
static int apart(void (*fn)(int fd), int fd)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		fn(fd);
		fflush(stdout);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %s", strerror(errno));
	CHECK(WIFEXITED(status) && (!WEXITSTATUS(status) || WEXITSTATUS(status) == KTAP_SKIP),
	      "the child ended with %#x", status);
	return WEXITSTATUS(status);
}

static void drop_one_capability(unsigned int cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	REQUIRE(!syscall(SYS_capget, &head, data), "capget: %s", strerror(errno));
	data[CAP_TO_INDEX(cap)].effective &= ~CAP_TO_MASK(cap);
	data[CAP_TO_INDEX(cap)].permitted &= ~CAP_TO_MASK(cap);
	REQUIRE(!syscall(SYS_capset, &head, data), "capset: %s", strerror(errno));
}

static void root_may_all(void)
{
	int fd = setup();

	check_reading(fd, true, "root");
	finish();
	CHECK(!qt_create(fd, NEW, MIB(4), MIB(4), NULL), "create failed");
	CHECK(!qt_drain(fd, NEW, NULL), "drain failed");
	CHECK(!qt_shrink(fd, NEW, ALL_BYTES, NULL), "shrink failed");
	CHECK(!qt_destroy(fd, NEW), "destroy failed");
	CHECK(!qt_cache_shrink(fd, QT_CLASS, NULL), "cache shrink failed");
	CHECK(!qt_cache_modes(fd, QT_CLASS, QUARRY_MODE_CHECK, 0, NULL), "modes failed");
	CHECK(!qt_cache_modes(fd, QT_CLASS, 0, QUARRY_MODE_CHECK, NULL), "modes failed");
	CHECK(!qt_cache_inject(fd, QT_CLASS, 0, 0), "inject failed");
}

static void uid_without_admin(int fd)
{
	drop_one_capability(CAP_SYS_ADMIN);
	check_reading(fd, false, "root without CAP_SYS_ADMIN");
	check_changing(fd, -EPERM, "root without CAP_SYS_ADMIN");
	check_blind(fd, -EPERM, "root without CAP_SYS_ADMIN");
}

static void without_admin_only_reading(void)
{
	apart(uid_without_admin, setup());
	finish();
}

static void as_nobody(int fd)
{
	qt_drop_root();
	check_reading(fd, false, "nobody with root's file");
	check_changing(fd, -EPERM, "nobody with root's file");
	check_blind(fd, -EPERM, "nobody with root's file");
}

static void nobody_with_roots_file_only_reading(void)
{
	apart(as_nobody, setup());
	finish();
}

/* CAP_SYS_ADMIN alone is enough, whoever has it. */
static void all_but_admin(int fd)
{
	unsigned int cap;

	for (cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap != CAP_SYS_ADMIN)
			drop_one_capability(cap);
	CHECK(!qt_create(fd, NEW, 0, MIB(4), NULL), "create failed");
	CHECK(!qt_destroy(fd, NEW), "destroy failed");
}

static void admin_alone_is_enough(void)
{
	apart(all_but_admin, setup());
	finish();
}

static void in_own_namespace(int fd)
{
	qt_drop_root();
	if (unshare(CLONE_NEWUSER))
		ktap_skip("no user namespaces: %s", strerror(errno));
	check_reading(fd, false, "root of a namespace");
	check_changing(fd, -EPERM, "root of a namespace");
}

static void root_of_a_namespace_is_nobody(void)
{
	int ret = apart(in_own_namespace, setup());

	finish();
	if (ret == KTAP_SKIP)
		_exit(KTAP_SKIP);
}

static void read_only_file_changes_nothing(void)
{
	int fd;

	setup();
	fd = qt_open(O_RDONLY);
	check_reading(fd, true, "read-only file");
	check_changing(fd, -EBADF, "read-only file");
	check_blind(fd, -EBADF, "read-only file");
	finish();
}

/* -EBADF comes before -EPERM. */
static void as_nobody_read_only(int fd)
{
	qt_drop_root();
	check_reading(fd, false, "nobody, read-only file");
	check_changing(fd, -EBADF, "nobody, read-only file");
	check_blind(fd, -EBADF, "nobody, read-only file");
}

static void read_only_is_told_before_rights(void)
{
	setup();
	apart(as_nobody_read_only, qt_open(O_RDONLY));
	finish();
}

static void write_only_file_reads(void)
{
	int fd;

	setup();
	fd = qt_open(O_WRONLY);
	check_reading(fd, true, "write-only file");
	finish();
	CHECK(!qt_create(fd, NEW, 0, MIB(4), NULL), "create failed");
	CHECK(!qt_destroy(fd, NEW), "destroy failed");
}

static void path_file_does_nothing(void)
{
	int fd, ret;

	setup();
	fd = qt_open(O_PATH);
	ret = qt_ioctl(fd, QUARRY_IOC_POOL_LIST, NULL);
	CHECK(ret == -EBADF, "list: %s", strerror(-ret));
	check_changing(fd, -EBADF, "O_PATH file");
	finish();
}

/* If somebody has made the node anybody's, that is still not for changes. */
static void opened_by_nobody(int unused)
{
	static const int how[] = { O_RDONLY, O_WRONLY, O_RDWR };
	unsigned int i;

	(void)unused;
	qt_drop_root();
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		int fd = open(QT_DEVICE, how[i] | O_CLOEXEC);

		if (fd < 0) {
			CHECK(errno == EACCES || errno == EPERM, "open: %s", strerror(errno));
			continue;
		}
		check_reading(fd, false, "nobody");
		check_changing(fd, how[i] == O_RDONLY ? -EBADF : -EPERM, "nobody");
		close(fd);
	}
}

static void nobody_changes_nothing(void)
{
	struct stat st;
	int fd = setup();

	REQUIRE(!stat(QT_DEVICE, &st), "stat: %s", strerror(errno));
	CHECK(S_ISCHR(st.st_mode), "mode is %o", st.st_mode);
	CHECK(!(st.st_mode & 0007), "mode is %o: others may open it", st.st_mode & 0777);
	apart(opened_by_nobody, fd);
	REQUIRE(!chmod(QT_DEVICE, 0666), "chmod: %s", strerror(errno));
	apart(opened_by_nobody, fd);
	REQUIRE(!chmod(QT_DEVICE, st.st_mode & 07777), "chmod: %s", strerror(errno));
	finish();
}

static void two_openers_see_the_same(void)
{
	struct quarry_pool_stats a, b;
	int one = setup(), two = qt_open(O_RDWR);

	check_reading(two, true, "second opener");
	/* What one makes, the other sees and may destroy; it outlives its maker. */
	CHECK(!qt_create(one, NEW, MIB(4), MIB(4), NULL), "create failed");
	CHECK(qt_create(two, NEW, MIB(4), MIB(4), NULL) == -EEXIST, "created twice");
	CHECK(!qt_stats(one, NEW, &a) && !qt_stats(two, NEW, &b), "stats failed");
	qt_check_same(&a, &b);
	CHECK(!qt_destroy(two, NEW), "destroy failed");
	CHECK(qt_stats(one, NEW, &a) == -ENOENT, "the first opener still has it");
	CHECK(!qt_create(two, NEW, 0, MIB(4), NULL), "create failed");
	close(two);
	CHECK(!qt_stats(one, NEW, &a), "the pool went with its maker's file");
	CHECK(!qt_destroy(one, NEW), "destroy failed");
	finish();
}

static void child_of_fork(int fd)
{
	check_reading(fd, true, "child");
	CHECK(!qt_create(fd, NEW, 0, MIB(4), NULL), "create in the child failed");
	close(fd);
}

static void file_passes_over_fork(void)
{
	struct quarry_pool_stats s;
	int fd = setup();

	apart(child_of_fork, fd);
	CHECK(!qt_stats(fd, NEW, &s), "the pool went with the child");
	CHECK(!qt_destroy(fd, NEW), "destroy failed");
	finish();
}

/* The right to change is looked at per call, not once at open. */
static void rights_are_those_of_the_caller(void)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int pair[2], fd, status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		ktap_skip("no sockets: %s", strerror(errno));
	fd = setup();
	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		int got;

		close(fd);
		qt_drop_root();
		REQUIRE(recvmsg(pair[1], &msg, 0) == 1, "recvmsg: %s", strerror(errno));
		memcpy(&got, CMSG_DATA(&control.head), sizeof(got));
		check_reading(got, false, "nobody with a file sent by root");
		check_changing(got, -EPERM, "nobody with a file sent by root");
		fflush(stdout);
		_exit(0);
	}
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	REQUIRE(sendmsg(pair[0], &msg, 0) == 1, "sendmsg: %s", strerror(errno));
	REQUIRE(waitpid(pid, &status, 0) == pid, "waitpid: %s", strerror(errno));
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "the child ended with %#x", status);
	finish();
}

static const struct ktap_case cases[] = {
	{ "root_may_all", root_may_all },
	{ "without_admin_only_reading", without_admin_only_reading },
	{ "nobody_with_roots_file_only_reading", nobody_with_roots_file_only_reading },
	{ "admin_alone_is_enough", admin_alone_is_enough },
	{ "root_of_a_namespace_is_nobody", root_of_a_namespace_is_nobody },
	{ "read_only_file_changes_nothing", read_only_file_changes_nothing },
	{ "read_only_is_told_before_rights", read_only_is_told_before_rights },
	{ "write_only_file_reads", write_only_file_reads },
	{ "path_file_does_nothing", path_file_does_nothing },
	{ "nobody_changes_nothing", nobody_changes_nothing },
	{ "two_openers_see_the_same", two_openers_see_the_same },
	{ "file_passes_over_fork", file_passes_over_fork },
	{ "rights_are_those_of_the_caller", rights_are_those_of_the_caller },
};

const struct ktap_suite ktap_suite = {
	.cases = cases,
	.nr_cases = ARRAY_SIZE(cases),
	.before = qt_before,
	.after = qt_after,
};
