/* The executable: finds the subcommand and hands over. */
#include <getopt.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/commands.h"

/* In the order of `floorwalker --help`. */
static const struct fw_command *const commands[] = {
	&fw_command_serve, &fw_command_check, &fw_command_test, &fw_command_catalog, &fw_command_decide, &fw_command_explain,
	&fw_command_replay, &fw_command_report, &fw_command_definitions, &fw_command_reload, &fw_command_rollback, &fw_command_status,
	&fw_command_store, &fw_command_import, &fw_command_profile, &fw_command_letters, &fw_command_messages,
	NULL,
};

enum { MOST_COMMANDS = 64 };

static void help(FILE *out)
{
	fputs("usage: floorwalker COMMAND [OPTION…]\n\nDecides, per visitor, what each slot of a store shows.\n\n", out);
	for (const struct fw_command *const *c = commands; *c; c++)
		fprintf(out, "  %-12s %s\n", (*c)->name, (*c)->summary);
	fputs("\n`floorwalker COMMAND --help` tells more. Exit status: 0 done, 1 the answer is no, 2 used wrongly.\n", out);
}

static const struct fw_command *find(const char *name)
{
	for (const struct fw_command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static int unknown(const char *name)
{
	const char *names[MOST_COMMANDS] = { NULL };
	size_t n = 0;
	while (n < MOST_COMMANDS && commands[n]) {
		names[n] = commands[n]->name;
		n++;
	}
	const char *nearest = fw_nearest(name, names, n);
	fprintf(stderr, "floorwalker: there is no command \"%s\"", name);
	if (nearest)
		fprintf(stderr, "; did you mean \"%s\"?", nearest);
	fputs("\nTry: floorwalker --help\n", stderr);
	return FW_EXIT_USAGE;
}

int fw_command_misused(const struct fw_command *command, const char *cause)
{
	if (cause)
		fprintf(stderr, "floorwalker %s: %s\n", command->name, cause);
	fprintf(stderr, "Try: floorwalker %s --help\n", command->name);
	return FW_EXIT_USAGE;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	if (argc < 2) {
		help(stderr);
		return FW_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		help(stdout);
		return FW_EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("floorwalker " FW_VERSION);
		return FW_EXIT_DONE;
	}
	const struct fw_command *command = find(argv[1]);
	if (!command)
		return unknown(argv[1]);
	if (asks_for_help(argc - 1, argv + 1)) {
		fputs(command->usage, stdout);
		return FW_EXIT_DONE;
	}
	opterr = 1;
	optind = 1;
	return command->run(argc - 1, argv + 1);
}
