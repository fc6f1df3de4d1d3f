/* Asking the running daemon for another rule set, and waiting for the outcome: reload, rollback. */
#ifndef FW_CLI_RELOAD_H
#define FW_CLI_RELOAD_H

#include "cli/command.h"

struct fw_reload_words {
	const char *done, *stays; /* "reloaded"; what goes on when it is refused */
};

/* The whole command: reads its options, asks under its name, prints what came of it. An exit status. */
int fw_reload_ask(const struct fw_command *command, const struct fw_reload_words *words, int argc, char **argv);

#endif
