/* Who is asking: joins the store, the records and the events. A person is found by its id, events are applied to it exactly
 * once, in batches, and what a decision reserves under a cap is written before the answer leaves.
 *
 * One handle a worker. Of one person at most one batch is on its way from a worker; what comes meanwhile waits and is
 * computed on top of it, so that a hot visitor costs one row a batch. */
#ifndef FW_PEOPLE_PEOPLE_H
#define FW_PEOPLE_PEOPLE_H

#include "profile/record.h"
#include "store/store.h"

struct fw_people;

struct fw_people_options {
	const char *currency;
	const struct fw_str *own_hosts;
	size_t n_own_hosts;
};

/* `store` must outlive it. NULL: out of memory. */
struct fw_people *fw_people_create(struct fw_store *store, const struct fw_people_options *options);
/* Everything that waits is answered with FW_EAWAY before it returns. */
void fw_people_destroy(struct fw_people *p);

/* An id with its kind, as /v1/visitors has it: a userId stands for itself ("u-7"), others have their kind ("anonymous:…"). */
struct fw_person_id {
	struct fw_str kind; /* "user" or "anonymous" */
	struct fw_str id;
};
/* 0 or FW_EINVAL: no such kind, or nothing behind it. */
int fw_person_id_parse(struct fw_str text, struct fw_person_id *ret);

/* The person's record as it is: bytes in the arena, n 0 when there is none yet. rc: 0, FW_EAWAY, FW_EIO, FW_ENOMEM.
 * May complete before it returns. With `settled` it waits for what this worker has on its way for the person. */
typedef void (*fw_people_loaded)(void *ctx, int rc, struct fw_str record, uint64_t version);
void fw_people_load(struct fw_people *p, const struct fw_person_id *id, bool settled, struct fw_arena *arena,
	fw_people_loaded done, void *ctx);

/* Reserves under caps what a decision made from (record, version) is about to show. done: 0; FW_ECONFLICT: load the person
 * again (settled) and decide again; FW_EAWAY, FW_EFULL, FW_EBUSY: not reserved, so nothing under a cap may be shown. `record`
 * is used during the call only. */
typedef void (*fw_people_done)(void *ctx, int rc);
void fw_people_reserve(struct fw_people *p, const struct fw_person_id *id, struct fw_str record, uint64_t version,
	const struct fw_reservation *reservations, unsigned n, fw_people_done done, void *ctx);

#endif
