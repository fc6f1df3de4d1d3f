/* --watch: doing something anew whenever a file of the rules has been saved. */
#ifndef FW_CLI_WATCH_H
#define FW_CLI_WATCH_H

#include "cli/open.h"

enum { FW_WATCH_PATH = 4096 };

/* What was read: folders with all below them, and the configuration's file; empty: none. */
struct fw_watched {
	char rules[FW_WATCH_PATH], compliance[FW_WATCH_PATH], config[FW_WATCH_PATH];
};

/* Fills it in: what `o` was opened with, and what it has of a configuration. */
void fw_watched_note(struct fw_watched *w, const struct fw_opened *o, const char *config, const char *rules);

/* Does it, and says what it has read. Answers an exit status. */
typedef int (*fw_watch_each)(void *ctx, struct fw_watched *ret);

/* Once; or, if `watches`, after every change, too, until a signal ends the process, with a line each time that says that it waits: then it
 * returns only where files cannot be watched, with FW_EXIT_NO, and why is said on stderr. */
int fw_watch(bool watches, fw_watch_each each, void *ctx);

#endif
