/* The options of commands that need no others: --config FILE and --json. */
#ifndef FW_CLI_OPTIONS_H
#define FW_CLI_OPTIONS_H

#include <stdbool.h>

#include "cli/command.h"

struct fw_plain_options {
	const char *config; /* as given, or NULL */
	bool json;
};

/* Reads them; what follows is argv[optind] and on. FW_EXIT_DONE, or FW_EXIT_USAGE, which has been said. */
int fw_plain_options_read(const struct fw_command *command, int argc, char **argv, struct fw_plain_options *ret);

#endif
