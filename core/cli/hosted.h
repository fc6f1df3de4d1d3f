/* A keeper of a command's own: for data that no daemon keeps at the time. */
#ifndef FW_CLI_HOSTED_H
#define FW_CLI_HOSTED_H

#include <sys/types.h>

#include "store/store.h"

struct fw_hosted {
	pid_t pid;          /* 0: none */
	int host, listener, beat; /* the right to keep the data, and the keeper's ends; -1: none */
};

#define FW_HOSTED_NONE { 0, -1, -1, -1 }

/* Takes the data into a child process of this one, making folder and file as needed. Before any store is opened. 0, or the error: somebody
 * else keeps it (FW_EBUSY), or what fw_keeper_bind says. To be ended either way. */
int fw_hosted_begin(struct fw_hosted *h, const struct fw_store_options *options, struct fw_error *err);
/* After the stores that were opened on it are closed; waits until all is written. Also of none. */
void fw_hosted_end(struct fw_hosted *h);

#endif
