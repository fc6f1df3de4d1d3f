/* Who is asking: joins the store, the records and the events. A person is found by its id, events are applied to it exactly
 * once, in batches, and what a decision reserves under a cap is written before the answer leaves.
 *
 * One handle a worker. Of one person at most one batch is on its way from a worker; what comes meanwhile waits and is
 * computed on top of it, so that a hot visitor costs one row a batch. */
#ifndef FW_PEOPLE_PEOPLE_H
#define FW_PEOPLE_PEOPLE_H

#include "profile/identify.h"
#include "profile/record.h"
#include "store/store.h"

struct fw_people;

struct fw_people_options {
	const char *currency;
	const struct fw_str *own_hosts;
	size_t n_own_hosts;
};

/* `store` and what the options point to must outlive it. NULL: out of memory. */
struct fw_people *fw_people_create(struct fw_store *store, const struct fw_people_options *options);
/* Everything that waits must have been answered before: close the store first. NULL is fine. */
void fw_people_destroy(struct fw_people *p);
struct fw_store *fw_people_store(struct fw_people *p);

/* Whose record it is. */
enum fw_person_kind {
	FW_PERSON_ANONYMOUS,  /* an anonymousId */
	FW_PERSON_USER,       /* a userId that was proven */
	FW_PERSON_UNVERIFIED, /* what was claimed of a userId: shown in its timeline, read by no rule */
	FW_PERSON_KINDS,
};

struct fw_person_id {
	enum fw_person_kind kind;
	struct fw_str id;
};

/* As /v1/visitors has it: "u-7", "user:u-7" or "anonymous:a-1". 0, or FW_EINVAL with the error: no such kind, or nothing
 * behind it. */
int fw_person_id_parse(struct fw_str text, struct fw_person_id *ret, struct fw_error *err);

/* The person's record as it is: bytes in the arena, n 0 when there is none yet. rc: 0, FW_EAWAY, FW_EIO, FW_ENOMEM.
 * May complete before it returns. With `settled` it waits first for what this worker has on its way for the person. */
typedef void (*fw_people_loaded)(void *ctx, int rc, struct fw_str record, uint64_t version);
void fw_people_load(struct fw_people *p, const struct fw_person_id *id, bool settled, struct fw_arena *arena,
	fw_people_loaded done, void *ctx);

/* rc: 0; FW_ECONFLICT (reserve only); FW_EBUSY: too much waits; FW_EAWAY, FW_EFULL, FW_EIO: the store; FW_ENOMEM. */
typedef void (*fw_people_done)(void *ctx, int rc);

/* Reserves under caps what a decision made from (record, version) is about to show. FW_ECONFLICT: load the person again
 * (settled) and decide again; any other failure: not reserved, so nothing under a cap may be shown. `record` and
 * `reservations` are used during the call only. May complete before it returns. */
void fw_people_reserve(struct fw_people *p, const struct fw_person_id *id, struct fw_str record, uint64_t version,
	const struct fw_reservation *reservations, unsigned n, fw_people_done done, void *ctx);

/* An event on its way to a person. */
struct fw_people_event {
	struct fw_event event;
	struct fw_person_id id;
	bool behaviour;         /* behaviour may be kept of one who said nothing of it */
	uint64_t import_file;   /* with event.imported: where it stands */
	int64_t import_offset;
	bool repeated;          /* answer: it had been applied before */

	struct fw_people_event *next; /* people's own */
	struct fw_people_group *group;

	/* The ids it proves; none where all it has is a userId that it does not prove. */
	const struct fw_claim *claims;
	unsigned n_claims;      /* at most FW_CLAIMS_MOST */
	bool proven;            /* whose event it is was proven by more than an anonymousId: a secret key, or the userId's hash */
};

/* Events that are answered together; zero it, set `done`, `ctx`. */
struct fw_people_group {
	fw_people_done done;
	void *ctx;
	unsigned left; /* people's own, as is rc */
	int rc;
};

/* Applies events in their order, each once. done: 0 when all of them are stored; else some may be, and handing all in once more
 * does the rest. The events and all they point to must stay until then. May complete before it returns. */
void fw_people_apply(struct fw_people *p, struct fw_people_event *events, unsigned n, struct fw_people_group *group);

/* Counted since the handle was made. */
struct fw_people_counters {
	uint64_t applied, repeated, batches, recomputed, reserved;
};
const struct fw_people_counters *fw_people_counters(const struct fw_people *p);

#endif
