// SPDX-License-Identifier: GPL-2.0
/* Every option of every command; a command lists those that it takes. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "quarryctl.h"

struct request req = {
	.device = DEVICE_DEFAULT,
	.delay = 1,
	.node = QUARRY_ANY_NODE,
	/* all ones: as it was */
	.fail_nth = U64_MAX,
	.fail_per_million = UINT32_MAX,
};

static const struct argp_option common_options[] = {
	{ NULL, 0, NULL, 0, "Output:", 8 },
	{ "json", OPT_JSON, NULL, 0, "JSON; numbers are always exact", 8 },
	{ "raw", OPT_RAW, NULL, 0, "Columns parted by one space, for scripts", 8 },
	{ "bytes", OPT_BYTES, NULL, 0, "Exact numbers in place of 1.5M", 8 },
	{ "noheadings", OPT_NOHEADINGS, NULL, 0, "No line of column names", 8 },
	{ "output", OPT_OUTPUT, "COLUMNS", 0,
	  "Show these columns, names parted by commas", 8 },
	{ "sort", OPT_SORT, "COLUMN", 0,
	  "Sort by COLUMN: numbers from the largest, texts from A; -COLUMN the other way", 8 },
	{ "noempty", OPT_NOEMPTY, NULL, 0, "No lines of what has no memory", 8 },
	{ "color", OPT_COLOR, "WHEN", OPTION_ARG_OPTIONAL,
	  "Colour: auto (default), always or never; NO_COLOR is honoured", 8 },
	{ "device", OPT_DEVICE, "PATH", 0,
	  "Talk to PATH, not " DEVICE_DEFAULT, 8 },
	{ "help", OPT_HELP, NULL, 0, "This help", 8 },
	{ NULL, '?', NULL, OPTION_HIDDEN, NULL, 8 },
	{ "usage", OPT_USAGE, NULL, OPTION_HIDDEN, NULL, 8 },
	{ "version", 'V', NULL, OPTION_HIDDEN, NULL, 8 },
	{ 0 }
};

/* The input is the command, or none before there is one. */
static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case OPT_JSON:
		req.json = true;
		break;
	case OPT_RAW:
		req.raw = true;
		break;
	case OPT_BYTES:
		req.bytes = true;
		break;
	case OPT_NOHEADINGS:
		req.noheadings = true;
		break;
	case OPT_OUTPUT:
		req.columns = arg;
		break;
	case OPT_SORT:
		req.sort = arg;
		break;
	case OPT_NOEMPTY:
		req.noempty = true;
		break;
	case OPT_HELP:
	case OPT_USAGE:
	case '?':
		if (state->input)
			help_command(state->input);
		help_all(stdout);
		exit(EXIT_OK);
	case 'V':
		puts("quarryctl " QUARRYCTL_VERSION);
		exit(EXIT_OK);
	case OPT_COLOR:
		if (!arg || !strcmp(arg, "always"))
			req.color = WHEN_ALWAYS;
		else if (!strcmp(arg, "never"))
			req.color = WHEN_NEVER;
		else if (!strcmp(arg, "auto"))
			req.color = WHEN_AUTO;
		else
			argp_error(state, "--color: \"%s\" is not auto, always or never", arg);
		break;
	case OPT_DEVICE:
		req.device = arg;
		break;
	case ARGP_KEY_END:
		if (req.json && req.raw)
			argp_error(state, "--json and --raw exclude each other");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp common_argp = {
	.options = common_options,
	.parser = parse_common,
};

static u64 size_option(struct argp_state *state, const char *option, const char *arg)
{
	char why[128];
	u64 bytes;

	if (!size_parse(arg, &bytes, why, sizeof(why)))
		argp_error(state, "--%s: the size \"%s\" %s", option, arg, why);
	return bytes;
}

static error_t parse_specific(int key, char *arg, struct argp_state *state)
{
	const struct command *cmd = state->input;
	char why[128];
	u64 n;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = (void *)cmd;
		break;
	case OPT_DELAY:
		if (!seconds_parse(arg, &req.delay, why, sizeof(why)))
			argp_error(state, "--delay: \"%s\" %s", arg, why);
		req.live = true;
		break;
	case OPT_COUNT:
		if (!count_parse(arg, UINT32_MAX, &req.count, why, sizeof(why)))
			argp_error(state, "--count: \"%s\" %s", arg, why);
		if (!req.count)
			argp_error(state, "--count: 0 times shows nothing");
		req.live = true;
		break;
	case OPT_NODE:
		if (!strcmp(arg, "any") || !strcmp(arg, "-1")) {
			req.node = QUARRY_ANY_NODE;
			break;
		}
		if (!count_parse(arg, INT32_MAX, &n, why, sizeof(why)))
			argp_error(state, "--node: \"%s\" %s; a node is a number or \"any\"",
				   arg, why);
		req.node = n;
		break;
	case OPT_MIN:
		req.min = size_option(state, "min", arg);
		break;
	case OPT_MAX:
		req.max = size_option(state, "max", arg);
		break;
	case OPT_RESERVE:
		req.reserve = size_option(state, "reserve", arg);
		break;
	case OPT_LOW:
		req.low = size_option(state, "low", arg);
		break;
	case OPT_NONZERO:
		req.nonzero = true;
		break;
	case OPT_ALL:
		req.all = true;
		break;
	case OPT_FORGET:
		req.forget = true;
		break;
	case OPT_SHRINK:
		req.shrink = true;
		break;
	case OPT_MODES:
		if (!modes_parse(arg, &req.modes_set, &req.modes_clear, why, sizeof(why)))
			argp_error(state, "--modes: \"%s\" %s", arg, why);
		req.switches = true;
		break;
	case OPT_FAIL_NTH:
		if (!count_parse(arg, INT64_MAX, &req.fail_nth, why, sizeof(why)))
			argp_error(state, "--fail-nth: \"%s\" %s", arg, why);
		req.switches = true;
		break;
	case OPT_FAIL_PER_MILLION:
		if (!count_parse(arg, 1000000, &n, why, sizeof(why)))
			argp_error(state, "--fail-per-million: \"%s\" %s", arg, why);
		req.fail_per_million = n;
		req.switches = true;
		break;
	case ARGP_KEY_ARG:
		if (req.nr_args == cmd->max_args)
			argp_error(state, "\"%s\" is one argument too many", arg);
		req.args[req.nr_args++] = arg;
		break;
	case ARGP_KEY_END:
		if (req.nr_args < cmd->min_args)
			argp_error(state, "%s is missing", cmd->args_doc);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/*
 * getopt would take "-5" for an unknown option and say so; the truth is that
 * nothing here may be negative, save the node that means any.
 */
void refuse_negative_words(const char *who, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (argv[i][0] != '-' || !isdigit((unsigned char)argv[i][1]))
			continue;
		if (!strcmp(argv[i], "-1") &&
		    (!strcmp(argv[i - 1], "--node") || !strcmp(argv[i - 1], "-N")))
			continue;
		die(EXIT_USAGE, "%s: \"%s\" is negative; sizes, counts and seconds are not",
		    who, argv[i]);
	}
}

static const struct argp_child children[] = {
	{ &common_argp, 0, NULL, 0 },
	{ 0 }
};

static struct argp argp_of(const struct command *cmd)
{
	return (struct argp){
		.options = cmd->options,
		.parser = parse_specific,
		.args_doc = cmd->args_doc,
		.doc = cmd->doc,
		.children = children,
	};
}

/* argp wraps what it prints, by bytes: columns and examples are not for it. */
void help_command(const struct command *cmd)
{
	struct argp argp = argp_of(cmd);
	char name[64];

	snprintf(name, sizeof(name), "quarryctl %s", cmd->name);
	argp_help(&argp, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC, name);
	help_rest(cmd);
	exit(EXIT_OK);
}

void parse_command(const struct command *cmd, int argc, char **argv)
{
	struct argp argp = argp_of(cmd);

	refuse_negative_words(cmd->name, argc, argv);
	argp_parse(&argp, argc, argv, ARGP_NO_HELP, NULL, (void *)cmd);
}

/* Edit distance with neighbours swapped counted once: "pirnt" is a slip. */
static size_t distance(const char *a, const char *b)
{
	enum { MOST = 24 };
	size_t d[MOST + 1][MOST + 1];
	size_t la = strlen(a), lb = strlen(b), i, j, best;

	if (la > MOST || lb > MOST)
		return SIZE_MAX;
	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[la][lb];
}

const char *nearest(const char *word, const char *const *words, size_t nr)
{
	size_t best = strlen(word) / 2 + 1, d, i;
	const char *found = NULL;

	for (i = 0; i < nr; i++) {
		d = distance(word, words[i]);
		if (d < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
