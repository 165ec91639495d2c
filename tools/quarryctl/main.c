// SPDX-License-Identifier: GPL-2.0
/* quarryctl: looks into the pools and caches of the quarry module, and changes them. */
#include <errno.h>
#include <locale.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quarryctl.h"

const struct command *const commands[] = {
	&cmd_pools, &cmd_caches, &cmd_sizes, &cmd_stat, &cmd_cache, &cmd_buddy, &cmd_map,
	&cmd_leaks, &cmd_validate, &cmd_shrink, &cmd_drain,
	&cmd_pool_create, &cmd_pool_destroy, &cmd_pool_modes, &cmd_info,
};

const size_t nr_commands = ARRAY_SIZE(commands);

static error_t parse_global(int key, char *arg, struct argp_state *state)
{
	int *first = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = NULL;
		break;
	case ARGP_KEY_ARG:
		/* The command and all that follows is for another parser. */
		*first = state->next - 1;
		state->next = state->argc;
		break;
	case ARGP_KEY_NO_ARGS:
		*first = state->argc;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static noreturn void unknown_command(const char *prefix, const char *word)
{
	const char *names[ARRAY_SIZE(commands) + 2];
	size_t i, nr = 0, len = strlen(prefix);
	const char *guess;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strncmp(commands[i]->name, prefix, len) &&
		    !strchr(commands[i]->name + len, ' '))
			names[nr++] = commands[i]->name + len;
	if (!len) {
		names[nr++] = "pool";
		names[nr++] = "help";
	}
	guess = nearest(word, names, nr);
	if (guess)
		die(EXIT_USAGE, "there is no command \"%s%s\"; did you mean \"%s%s\"?",
		    prefix, word, prefix, guess);
	die(EXIT_USAGE, "there is no command \"%s%s\"; \"quarryctl --help\" lists them",
	    prefix, word);
}

static noreturn void pool_usage(void)
{
	puts("Usage: quarryctl pool create NAME [OPTION...]\n"
	     "  or:  quarryctl pool destroy NAME\n"
	     "  or:  quarryctl pool modes NAME [OPTION...]");
	exit(EXIT_OK);
}

/* The command's own words are folded into argv[0], where argp takes its name from. */
static const struct command *find_command(int *argc, char ***argv)
{
	static char title[64], *none[] = { title, NULL };
	const char *word;
	char full[32];
	size_t i;

	/* quarryctl alone shows what there is, as lsblk and free do. */
	if (!*argc) {
		snprintf(title, sizeof(title), "quarryctl");
		*argc = 1;
		*argv = none;
		return &cmd_pools;
	}
	word = (*argv)[0];
	if (!strcmp(word, "pool")) {
		if (*argc < 2)
			die(EXIT_USAGE,
			    "\"pool\" wants \"create NAME\", \"destroy NAME\" or \"modes NAME\" after it");
		word = (*argv)[1];
		if (!strcmp(word, "--help") || !strcmp(word, "-?") || !strcmp(word, "-h"))
			pool_usage();
		snprintf(full, sizeof(full), "pool %.20s", word);
		(*argc)--;
		(*argv)++;
	} else {
		snprintf(full, sizeof(full), "%.20s", word);
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i]->name, full))
			continue;
		snprintf(title, sizeof(title), "quarryctl %s", full);
		(*argv)[0] = title;
		return commands[i];
	}
	if (strncmp(full, "pool ", 5))
		unknown_command("", word);
	unknown_command("pool ", word);
}

/* help [COMMAND]: as --help of it. */
static int help(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "status")) {
		help_statuses();
		return EXIT_OK;
	}
	if (argc < 2 || !strcmp(argv[1], "help")) {
		help_all(stdout);
		return EXIT_OK;
	}
	argc--;
	argv++;
	if (argc < 2 && !strcmp(argv[0], "pool"))
		pool_usage();
	help_command(find_command(&argc, &argv));
}

static int lost_output;

bool flush(void)
{
	if (!lost_output && fflush(stdout))
		lost_output = errno;
	if (!lost_output && ferror(stdout))
		lost_output = EIO;
	return !lost_output;
}

/*
 * Output that was lost on the way (a full disk) is a failure like another, whoever ends the
 * program: argp does after --help. Who closed the output and is told nothing has lost nothing.
 */
static void end_output(void)
{
	bool some = __fpending(stdout);

	if (flush() && fclose(stdout) && (some || errno != EBADF))
		lost_output = errno;
	if (!lost_output)
		return;
	complain(EXIT_FAILED, "the output could not be written: %s", strerror(lost_output));
	_exit(EXIT_FAILED);
}

int main(int argc, char **argv)
{
	const struct argp_child children[] = {
		{ &common_argp, 0, NULL, 0 },
		{ 0 }
	};
	const struct argp global = {
		.parser = parse_global,
		.args_doc = "COMMAND [ARG...]",
		.children = children,
	};
	const struct command *cmd;
	static char room[1 << 16];
	static char name[sizeof("quarryctl")] = "quarryctl";
	int first = 0;

	/* However it was called: argp takes its name from there. */
	argv[0] = name;
	/* The first to be registered is the last to run. */
	if (atexit(end_output))
		die(EXIT_FAILED, "out of memory");
	/* Help is long: what becomes of it is seen when it is sent out, not in argp. */
	if (!screen_is_terminal())
		setvbuf(stdout, room, _IOFBF, sizeof(room));
	/* Numbers keep the point: JSON and scripts rely on it. */
	setlocale(LC_CTYPE, "");
	setlocale(LC_MESSAGES, "");
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&global, argc, argv, ARGP_IN_ORDER | ARGP_NO_HELP, NULL, &first);
	argc -= first;
	argv += first;
	if (argc && !strcmp(argv[0], "help"))
		return help(argc, argv);
	cmd = find_command(&argc, &argv);
	parse_command(cmd, argc, argv);
	return cmd->run();
}
