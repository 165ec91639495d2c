// SPDX-License-Identifier: GPL-2.0
/* quarryctl: looks into the pools and caches of the quarry module, and changes them. */
#include <errno.h>
#include <locale.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quarryctl.h"

const char *argp_program_version = "quarryctl " QUARRYCTL_VERSION;

static const struct command *const commands[] = {
	&cmd_info, &cmd_pools, &cmd_buddy, &cmd_map, &cmd_stat,
	&cmd_validate, &cmd_shrink, &cmd_drain,
	&cmd_caches, &cmd_cache, &cmd_sizes, &cmd_leaks,
	&cmd_pool_create, &cmd_pool_destroy, &cmd_pool_modes,
};

static const char doc[] =
	"Look into the pools and caches of the quarry allocator, and change them.\n"
	"\v\n"
	"Commands:\n"
	"  info                    versions, features, limits\n"
	"  pools                   a line for each pool\n"
	"  buddy [POOL]            free blocks and fragmentation by order\n"
	"  map [POOL]              a picture of every 2 MiB area; -d for live\n"
	"  stat [POOL]             gauges and counters; -d for rates, live\n"
	"  validate [POOL]         check every invariant of pools and their caches\n"
	"  shrink [POOL [SIZE]]    give empty arenas back to the kernel\n"
	"  drain [POOL]            move per-CPU lists back to the buddy\n"
	"  caches                  a line for each cache; -a for malloc's too\n"
	"  cache NAME              a cache's figures; --modes, --shrink, --fail-nth\n"
	"  sizes                   the size classes of malloc\n"
	"  leaks [CACHE]           who has objects, by stack\n"
	"  pool create NAME        make a pool: --min, --max, --reserve, --low, --node\n"
	"  pool destroy NAME       give a pool's memory back and forget it\n"
	"  pool modes NAME         find writes to free pages, keep owners: --modes\n"
	"\n"
	"Without POOL a command is about all pools. SIZE is in bytes or takes one of\n"
	"K, M, G, T (powers of 1024). 'quarryctl COMMAND --help' says more.\n"
	"\n"
	"Exit status:\n"
	"  0  done                          5  tool and module differ in version\n"
	"  1  it failed                     6  validate found faults\n"
	"  2  bad command line              7  no such pool or cache\n"
	"  3  module not loaded             8  a pool of that name exists\n"
	"  4  permission denied             9  the pool is busy\n";

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
		argp_state_help(state, stderr, ARGP_HELP_SHORT_USAGE | ARGP_HELP_SEE);
		exit(EXIT_USAGE);
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static noreturn void unknown_command(const char *prefix, const char *word)
{
	const char *names[ARRAY_SIZE(commands) + 1];
	size_t i, nr = 0, len = strlen(prefix);
	const char *guess;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strncmp(commands[i]->name, prefix, len) &&
		    !strchr(commands[i]->name + len, ' '))
			names[nr++] = commands[i]->name + len;
	if (!len)
		names[nr++] = "pool";
	guess = nearest(word, names, nr);
	if (guess)
		die(EXIT_USAGE, "there is no command \"%s%s\"; did you mean \"%s%s\"?",
		    prefix, word, prefix, guess);
	die(EXIT_USAGE, "there is no command \"%s%s\"; \"quarryctl --help\" lists them",
	    prefix, word);
}

/* The command's own words are folded into argv[0], where argp takes its name from. */
static const struct command *find_command(int *argc, char ***argv)
{
	static char title[64];
	const char *word = (*argv)[0];
	char full[32];
	size_t i;

	if (!strcmp(word, "pool")) {
		if (*argc < 2)
			die(EXIT_USAGE,
			    "\"pool\" wants \"create NAME\", \"destroy NAME\" or \"modes NAME\" after it");
		word = (*argv)[1];
		if (!strcmp(word, "--help") || !strcmp(word, "-?")) {
			puts("Usage: quarryctl pool create NAME [OPTION...]\n"
			     "  or:  quarryctl pool destroy NAME\n"
			     "  or:  quarryctl pool modes NAME [OPTION...]");
			exit(EXIT_OK);
		}
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
		.doc = doc,
		.children = children,
	};
	const struct command *cmd;
	int first = 0;

	/* The first to be registered is the last to run. */
	if (atexit(end_output))
		die(EXIT_FAILED, "out of memory");
	/* Numbers keep the point: JSON and scripts rely on it. */
	setlocale(LC_CTYPE, "");
	setlocale(LC_MESSAGES, "");
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&global, argc, argv, ARGP_IN_ORDER, NULL, &first);
	argc -= first;
	argv += first;
	cmd = find_command(&argc, &argv);
	parse_command(cmd, argc, argv);
	return cmd->run();
}
