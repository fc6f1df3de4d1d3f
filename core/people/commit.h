/* Handing batches to the store, which takes only so many at once: what finds no room waits for those before it. */
#ifndef FW_PEOPLE_COMMIT_H
#define FW_PEOPLE_COMMIT_H

#include "store/store.h"

struct fw_people;

/* One batch, in memory of whoever hands it in. */
struct fw_commit {
	struct fw_people *people;
	struct fw_batch batch;
	fw_store_committed done;
	void *ctx;
	struct fw_commit *next;
};

/* `batch`, its changes and their bytes stay until `done`, which comes once, and not before this returns: with the outcome, or with
 * what the store said when there was room. 0; else `done` is not called: what fw_store_commit says, FW_EBUSY only if nothing of
 * this worker is on its way that could make room. */
int fw_commit(struct fw_commit *c, struct fw_people *p, const struct fw_batch *batch, fw_store_committed done, void *ctx);

#endif
