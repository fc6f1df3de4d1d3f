/* The running daemon, asked from the command line: reload, rollback and status. */
#ifndef FW_CLI_RUNNING_H
#define FW_CLI_RUNNING_H

#include "base/buf.h"
#include "base/json.h"

struct fw_running {
	struct fw_buf text;      /* the answer as it came, a line */
	struct fw_arena arena;
	struct fw_json *answer;  /* an object */
};

/* Asks the master whose run folder the configuration names (`config` NULL: the one that is found). Returns an exit
 * status; complaints were written to stderr. Finish it in any case. */
int fw_running_ask(struct fw_running *r, const char *config, const char *command);
void fw_running_finish(struct fw_running *r);

#endif
