/* A command's way to the store: through the keeper of the running daemon, or, where none runs, through one of its own. */
#ifndef FW_CLI_STORED_H
#define FW_CLI_STORED_H

#include "cli/hosted.h"
#include "people/people.h"
#include "server/config.h"

struct event_base;

struct fw_stored {
	struct fw_config *config;
	struct event_base *base;
	struct fw_store *store, *spool; /* spool NULL: there is none */
	struct fw_people *people;
	struct fw_arena arena; /* of what is opened */
	struct fw_hosted hosted; /* its own keeper; none: the daemon's */
};

/* `config` as given with --config, or NULL. What goes wrong is said on stderr. FW_EXIT_DONE or FW_EXIT_NO; to be closed either
 * way. */
int fw_stored_open(struct fw_stored *s, const char *config);
void fw_stored_close(struct fw_stored *s);
/* Turns the loop until `*done`. */
void fw_stored_wait(struct fw_stored *s, const bool *done);

/* Before a store that is busy or out of reach is asked again: a moment, in which it may come back. */
void fw_stored_pause(struct fw_stored *s, unsigned ms);

/* One answer, waited for: of a commit, to which `fw_stored_committed` is handed with a pointer to this, or of people, to which
 * `fw_stored_done` is. */
struct fw_stored_wait {
	bool done;
	int rc;
};
void fw_stored_committed(void *ctx, int rc, uint64_t version);
void fw_stored_done(void *ctx, int rc);
/* Turns the loop until it is there, and returns it; FW_EAWAY when it does not come. */
int fw_stored_answer(struct fw_stored *s, const struct fw_stored_wait *wait);

#endif
