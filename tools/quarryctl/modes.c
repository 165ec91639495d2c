// SPDX-License-Identifier: GPL-2.0
/* Safety modes of a cache, from and to text. */
#include <string.h>

#include "quarryctl.h"

/* By bit of QUARRY_MODE_*. */
static const char *const names[] = {
	"poison", "redzone", "owner", "quarantine", "check", "random",
};

void modes_format(char *buf, size_t room, unsigned int modes)
{
	size_t i, used = 0;

	buf[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(modes & 1U << i))
			continue;
		used += snprintf(buf + used, room - used, "%s%s", used ? "," : "", names[i]);
		modes &= ~(1U << i);
	}
	/* a newer module may have what this tool has no word for */
	if (modes)
		snprintf(buf + used, room - used, "%s%#x", used ? "," : "", modes);
	else if (!used)
		snprintf(buf, room, "none");
}

static bool mode_parse(const char *word, size_t len, unsigned int *mode, char *why, size_t room)
{
	char text[32];
	const char *guess;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == len && !strncmp(names[i], word, len)) {
			*mode = 1U << i;
			return true;
		}
	snprintf(text, sizeof(text), "%.*s", (int)len, word);
	guess = nearest(text, names, ARRAY_SIZE(names));
	if (guess)
		snprintf(why, room, "has no mode \"%.24s\"; did you mean \"%s\"?", text, guess);
	else
		snprintf(why, room,
			 "has no mode \"%.24s\"; there are poison, redzone, owner, quarantine, check and random",
			 text);
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
	*clear = relative ? 0 : QUARRY_MODES;
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
