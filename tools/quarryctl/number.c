// SPDX-License-Identifier: GPL-2.0
/* Numbers from and to text: sizes with binary suffixes, counts, seconds. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "quarryctl.h"

static const char suffixes[] = "KMGTPE";

static bool digits_parse(const char *text, const char **end, u64 *n,
			 char *why, size_t room)
{
	char *stop;

	if (!*text) {
		snprintf(why, room, "is empty");
		return false;
	}
	if (*text == '-') {
		snprintf(why, room, "is negative");
		return false;
	}
	if (!isdigit((unsigned char)*text)) {
		snprintf(why, room, "does not begin with a digit");
		return false;
	}
	errno = 0;
	*n = strtoull(text, &stop, 10);
	if (errno == ERANGE) {
		snprintf(why, room, "is more than 64 bits can hold");
		return false;
	}
	*end = stop;
	return true;
}

bool size_parse(const char *text, u64 *bytes, char *why, size_t room)
{
	const char *end, *suffix;
	int shift = 0;
	u64 n;

	if (!digits_parse(text, &end, &n, why, room))
		return false;
	if (*end == '.' || *end == ',') {
		snprintf(why, room,
			 "has a fraction; write a whole number, 1536M in place of 1.5G");
		return false;
	}
	if (*end) {
		/* P and E are output only: no machine has so much to give. */
		suffix = memchr("KMGT", toupper((unsigned char)*end), 4);
		if (!suffix || end[1]) {
			snprintf(why, room,
				 "ends in \"%.16s\"; after the digits one of K, M, G, T may stand (powers of 1024)",
				 end);
			return false;
		}
		shift = 10 * (strchr(suffixes, *suffix) - suffixes + 1);
	}
	if (shift && n > U64_MAX >> shift) {
		snprintf(why, room, "is more than 64 bits can hold");
		return false;
	}
	*bytes = n << shift;
	return true;
}

bool count_parse(const char *text, u64 max, u64 *n, char *why, size_t room)
{
	const char *end;

	if (!digits_parse(text, &end, n, why, room))
		return false;
	if (*end) {
		snprintf(why, room, "is not a whole number");
		return false;
	}
	if (*n > max) {
		snprintf(why, room, "is more than %llu", max);
		return false;
	}
	return true;
}

bool seconds_parse(const char *text, double *seconds, char *why, size_t room)
{
	char *end;

	*seconds = strtod(text, &end);
	if (end == text || *end || !isfinite(*seconds)) {
		snprintf(why, room, "is not a number of seconds");
		return false;
	}
	if (*seconds < 0.1 || *seconds > 86400) {
		snprintf(why, room, "is not between 0.1 and 86400 seconds");
		return false;
	}
	return true;
}

/* Three or four digits and a suffix; never "1024K" where "1M" is meant. */
static void scaled_format(char *buf, size_t room, u64 n, unsigned int base)
{
	double value = n;
	int step = -1;

	while (value >= base && step < (int)sizeof(suffixes) - 2) {
		value /= base;
		step++;
	}
	if (step >= 0 && value >= base - 0.05 && step < (int)sizeof(suffixes) - 2) {
		value = 1;
		step++;
	}
	if (step < 0) {
		snprintf(buf, room, "%llu", n);
		return;
	}
	value = floor(value * 10 + 0.5) / 10;
	if (value == floor(value))
		snprintf(buf, room, "%.0f%c", value, suffixes[step]);
	else
		snprintf(buf, room, "%.1f%c", value, suffixes[step]);
}

void size_format(char *buf, size_t room, u64 bytes)
{
	scaled_format(buf, room, bytes, 1024);
}

/* Counts stay exact while they are short enough to read. */
void count_format(char *buf, size_t room, u64 n)
{
	if (n < 100000)
		snprintf(buf, room, "%llu", n);
	else
		scaled_format(buf, room, n, 1000);
}
