// SPDX-License-Identifier: GPL-2.0
/*
 * churn - the same work on a file system each time, and what the machine's one CPU spent on it.
 *
 * usage: churn FOLDER
 *
 * Eight rounds of a hundred files, 0 to 14 KiB each (4.8 KiB in the mean), written by 4 KiB,
 * every eighth with fsync(). Then each is looked up, a third is read, and some are moved to
 * another folder, linked, pointed at, given an attribute, made shorter or longer; both folders are
 * listed. Of the round before every second file is deleted, in an order that is drawn. Each
 * round ends with sync() and a second of rest, in which what works in the background has its
 * turn. What is drawn is drawn from a fixed seed.
 *
 * Counted is what the scheduler says that tasks have run, threads of the kernel included
 * (rq_cpu_time in /proc/schedstat, nanoseconds): in a VM whose clock counts instructions these are
 * instructions, and waiting is none. A task's time is added when it leaves the CPU, so this one
 * sleeps before it looks.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ROUNDS	8
#define FILES	100

static char block[4096];
static unsigned int seed = 1;

static unsigned int draw(unsigned int below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % below;
}

static unsigned long long ran(void)
{
	unsigned long long time;
	char line[512];
	FILE *file;

	usleep(1000);
	file = fopen("/proc/schedstat", "r");
	if (!file)
		err(1, "/proc/schedstat");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "cpu0 %*u %*u %*u %*u %*u %*u %llu", &time) == 1) {
			fclose(file);
			return time;
		}
	errx(1, "/proc/schedstat does not tell of CPU 0");
}

static const char *at(const char *format, unsigned int round, unsigned int number)
{
	static char paths[2][256];
	static unsigned int turn;

	turn = !turn;
	snprintf(paths[turn], sizeof(paths[turn]), format, round, number);
	return paths[turn];
}

static const char *name(unsigned int round, unsigned int number)
{
	return at(number % 4 ? "%u/%03u.of a hundred files" : "%u/deeper/%03u.was moved", round,
		  number);
}

static void make(unsigned int round, unsigned int number)
{
	const char *path = at("%u/%03u.of a hundred files", round, number);
	unsigned int step = draw(16), left = step * step * 64;
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);

	if (fd < 0)
		err(1, "%s", path);
	while (left) {
		unsigned int some = left < sizeof(block) ? left : sizeof(block);

		if (write(fd, block, some) != (ssize_t)some)
			err(1, "write %s", path);
		left -= some;
	}
	if (number % 8 == 0 && fsync(fd))
		err(1, "fsync %s", path);
	close(fd);
}

static void look(unsigned int round, unsigned int number)
{
	const char *path = at("%u/%03u.of a hundred files", round, number);
	static char seen[sizeof(block)];
	struct stat st;
	ssize_t some;
	int fd;

	if (stat(path, &st))
		err(1, "stat %s", path);
	if (number % 3)
		return;
	fd = open(path, O_RDONLY);
	while (fd >= 0 && (some = read(fd, seen, sizeof(seen))) > 0) {
		if (memcmp(seen, block, some))
			errx(1, "%s has changed", path);
		st.st_size -= some;
	}
	if (fd < 0 || st.st_size)
		errx(1, "%s is not whole", path);
	close(fd);
}

static void change(unsigned int round, unsigned int number)
{
	const char *old = at("%u/%03u.of a hundred files", round, number), *new = old;

	if (number % 4 == 0) {
		new = name(round, number);
		if (rename(old, new))
			err(1, "rename %s", new);
	}
	if (number % 10 == 1 && link(new, at("%u/%03u.again", round, number)))
		err(1, "link to %s", new);
	if (number % 10 == 2 && symlink(block, at("%u/%03u.elsewhere", round, number)))
		err(1, "symlink beside %s", new);
	if (number % 9 == 3 && setxattr(name(round, number), "user.quarry", block, 100, 0))
		err(1, "setxattr %s", name(round, number));
	if (number % 7 == 4 && truncate(name(round, number), number * 100))
		err(1, "truncate %s", name(round, number));
}

static void list(const char *path)
{
	unsigned int found = 0;
	DIR *folder = opendir(path);

	while (folder && readdir(folder))
		found++;
	if (found < FILES / 4)
		errx(1, "%s has only %u entries", path, found);
	closedir(folder);
}

static void delete_half(unsigned int round)
{
	unsigned char order[FILES];
	unsigned int i, j;

	for (i = 0; i < FILES; i++) {
		j = draw(i + 1);
		order[i] = order[j];
		order[j] = i;
	}
	for (i = 0; i < FILES; i += 2)
		if (unlink(name(round, order[i])))
			err(1, "unlink %s", name(round, order[i]));
}

static void work(unsigned int round)
{
	unsigned int i;

	if (mkdir(at("%u", round, 0), 0755) || mkdir(at("%u/deeper", round, 0), 0755))
		err(1, "mkdir");
	for (i = 0; i < FILES; i++)
		make(round, i);
	for (i = 0; i < FILES; i++)
		look(round, i);
	for (i = 0; i < FILES; i++)
		change(round, i);
	list(at("%u", round, 0));
	list(at("%u/deeper", round, 0));
	if (round)
		delete_half(round - 1);
	sync();
	sleep(1);
}

int main(int argc, char **argv)
{
	unsigned long long before;
	unsigned int round;

	if (argc != 2 || chdir(argv[1]))
		err(1, "usage: churn FOLDER");
	/* A string at its beginning is what symbolic links point at. */
	memset(block, 'q', sizeof(block));
	memcpy(block, "/a/path", 8);
	before = ran();
	for (round = 0; round < ROUNDS; round++)
		work(round);
	printf("%llu\n", ran() - before);
	return 0;
}
