// SPDX-License-Identifier: GPL-2.0
/*
 * pressure - more memory in use than the machine has: whatever is swapped out must come back.
 *
 * usage: pressure MiB
 *
 * Each page has numbers of its own in its first half, which do not compress; the rest is zero.
 * All are written, then read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Words of a page. */
#define WORDS	512

/* splitmix64 */
static unsigned long mix(unsigned long x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static int in_first_half(unsigned long i)
{
	return i % WORDS < WORDS / 2;
}

int main(int argc, char **argv)
{
	unsigned long words, i, wrong = 0, *at;

	if (argc != 2) {
		fprintf(stderr, "usage: pressure MiB\n");
		return 2;
	}
	words = (strtoul(argv[1], NULL, 10) << 20) / sizeof(*at);
	at = mmap(NULL, words * sizeof(*at), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		  -1, 0);
	if (at == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	for (i = 0; i < words; i++)
		if (in_first_half(i))
			at[i] = mix(i);
	for (i = 0; i < words; i++)
		wrong += at[i] != (in_first_half(i) ? mix(i) : 0);
	if (wrong)
		printf("%lu words are wrong\n", wrong);
	return !!wrong;
}
