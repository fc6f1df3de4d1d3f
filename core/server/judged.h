/* Decisions of messages on their way into the decision log, all of them, whoever the visitors are. Nothing waits for them. */
#ifndef FW_SERVER_JUDGED_H
#define FW_SERVER_JUDGED_H

#include "message/messages.h"

struct fw_engine_worker;

struct fw_judged_log {
	struct fw_engine_worker *worker; /* which has a log, and outlives this */
	const struct fw_due_config *due;
	unsigned under_way;              /* whose key is looked up */
};

/* Copies what was decided; it is written once the key is there by which it is sealed. What cannot be is dropped, and counted. `ctx` is a
 * struct fw_judged_log. */
void fw_judged_keep(void *ctx, const struct fw_judged *decision);

#endif
