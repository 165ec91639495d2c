// SPDX-License-Identifier: GPL-2.0
/*
 * What --help says.
 *
 * quarryctl --help has all commands and fits a screen of 24 lines. That of a command has what
 * its columns mean, which is written where they are, and an example with its output.
 */
#include "quarryctl.h"

void help_all(FILE *out)
{
	char line[64];
	size_t i;

	fputs("Usage: quarryctl [OPTION...] [COMMAND [ARG...]]\n", out);
	for (i = 0; i < nr_commands; i++) {
		snprintf(line, sizeof(line), "%s%s%s", commands[i]->name,
			 commands[i]->args_doc ? " " : "", commands[i]->args_doc ?: "");
		fprintf(out, "  %-22s %s\n", line, commands[i]->summary);
	}
	fputs("  help [COMMAND]         its columns, its options, an example\n"
	      "Alone it shows the pools. Without POOL a command is about all of them.\n"
	      "SIZE is in bytes, or with K, M, G or T behind it (powers of 1024).\n"
	      "Every command takes --json --raw --bytes --noheadings --output COLUMNS\n"
	      "--sort COLUMN --noempty --color WHEN --device PATH; alone: --version.\n"
	      "Exit statuses: quarryctl help status\n", out);
}

void help_statuses(void)
{
	puts("Exit statuses:\n"
	     "  0  done                          5  tool and module differ in version\n"
	     "  1  it failed                     6  validate found violations\n"
	     "  2  bad command line              7  no such pool or cache\n"
	     "  3  module not loaded             8  a pool of that name exists\n"
	     "  4  permission denied             9  the pool is busy");
}

static void list_columns(const struct command *cmd)
{
	size_t i;

	puts("\nColumns (* in JSON, or if -o names it):");
	for (i = 0; i < cmd->nr_columns; i++)
		printf("%c %-20s %s\n", cmd->columns[i].extra ? '*' : ' ', cmd->columns[i].name,
		       cmd->columns[i].help);
}

void help_rest(const struct command *cmd)
{
	if (cmd->nr_columns)
		list_columns(cmd);
	if (cmd->example)
		printf("\nExample:\n%s", cmd->example);
}
