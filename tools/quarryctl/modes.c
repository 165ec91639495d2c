// SPDX-License-Identifier: GPL-2.0
/* Modes of caches and of pools, from and to text. */
#include <string.h>

#include "quarryctl.h"

/* Those of caches first; some are modes of pools as well. */
#define MODE(NAME, word, text)	{ #word, QUARRY_MODE_##NAME },
static const struct mode {
	const char *word;
	unsigned int bit;
} of_caches[] = QUARRY_CACHE_MODE_LIST(MODE), of_pools[] = QUARRY_POOL_MODE_LIST(MODE);

#define NR_MODES	(ARRAY_SIZE(of_caches) + ARRAY_SIZE(of_pools))

static const struct mode *mode_get(size_t i)
{
	return i < ARRAY_SIZE(of_caches) ? &of_caches[i] : &of_pools[i - ARRAY_SIZE(of_caches)];
}

void modes_format(char *buf, size_t room, unsigned int modes)
{
	const struct mode *m;
	size_t i, used = 0;

	buf[0] = '\0';
	for (i = 0; i < NR_MODES; i++) {
		m = mode_get(i);
		if (!(modes & m->bit))
			continue;
		used += snprintf(buf + used, room - used, "%s%s", used ? "," : "", m->word);
		modes &= ~m->bit;
	}
	/* a newer module may have what this tool has no word for */
	if (modes)
		snprintf(buf + used, room - used, "%s%#x", used ? "," : "", modes);
	else if (!used)
		snprintf(buf, room, "none");
}

/* The same for a sentence. */
void modes_say(char *buf, size_t room, unsigned int modes)
{
	const struct mode *m;
	size_t i, used = 0;

	buf[0] = '\0';
	for (i = 0; i < NR_MODES; i++) {
		m = mode_get(i);
		if (!(modes & m->bit))
			continue;
		modes &= ~m->bit;
		used += snprintf(buf + used, room - used, "%s%s",
				 !used ? "" : modes ? ", " : " and ", m->word);
	}
}

static bool mode_parse(const char *word, size_t len, unsigned int *mode, char *why, size_t room)
{
	const char *words[NR_MODES], *guess;
	char text[32], all[96];
	size_t i;

	for (i = 0; i < NR_MODES; i++) {
		words[i] = mode_get(i)->word;
		if (strlen(words[i]) == len && !strncmp(words[i], word, len)) {
			*mode = mode_get(i)->bit;
			return true;
		}
	}
	snprintf(text, sizeof(text), "%.*s", (int)len, word);
	guess = nearest(text, words, NR_MODES);
	if (guess) {
		snprintf(why, room, "has no mode \"%.24s\"; did you mean \"%s\"?", text, guess);
	} else {
		modes_say(all, sizeof(all), QUARRY_MODES | QUARRY_POOL_MODES);
		snprintf(why, room, "has no mode \"%.24s\"; there are %s", text, all);
	}
	return false;
}

/*
 * "+poison,-owner" changes these; "poison,check" switches all others off; "none" all.
 */
bool modes_parse(const char *text, unsigned int *set, unsigned int *clear, char *why, size_t room)
{
	const char *word = text;
	bool relative = *text == '+' || *text == '-', plus;
	unsigned int mode;
	size_t len;

	*set = 0;
	*clear = relative ? 0 : QUARRY_MODES | QUARRY_POOL_MODES;
	if (!strcmp(text, "none"))
		return true;
	for (;; word += len + 1) {
		plus = *word != '-';
		if ((*word == '+' || *word == '-') != relative) {
			snprintf(why, room,
				 "mixes words with and without a sign; either all have one or none");
			return false;
		}
		word += relative;
		len = strcspn(word, ",");
		if (!mode_parse(word, len, &mode, why, room))
			return false;
		if (relative && (*set | *clear) & mode) {
			snprintf(why, room, "names \"%.*s\" twice", (int)len, word);
			return false;
		}
		if (plus)
			*set |= mode;
		else
			*clear |= mode;
		if (!word[len])
			break;
	}
	if (!relative)
		*clear &= ~*set;
	return true;
}

void modes_check(const char *who, unsigned int known)
{
	char lacks[96], has[96];

	if (!(req.modes_set & ~known))
		return;
	modes_format(lacks, sizeof(lacks), req.modes_set & ~known);
	modes_say(has, sizeof(has), known);
	die(EXIT_USAGE, "a %s has no mode %s; it has %s", who, lacks, has);
}
