/* Who is asking: joins the store, the records and the events. A person is found by its id, events are applied to it exactly
 * once, in batches, and what a decision reserves under a cap is written before the answer leaves.
 *
 * One handle a worker. Of one person at most one batch is on its way from a worker; what comes meanwhile waits and is
 * computed on top of it, so that a hot visitor costs one row a batch. */
#ifndef FW_PEOPLE_PEOPLE_H
#define FW_PEOPLE_PEOPLE_H

#include "profile/identify.h"
#include "base/limits.h"
#include "decide/trigger.h"
#include "profile/ask.h"
#include "profile/record.h"
#include "store/store.h"

struct fw_people;

struct fw_people_options {
	const char *currency;
	const struct fw_str *own_hosts;
	size_t n_own_hosts;
	struct fw_store *spool; /* where this node holds events (held.h), for an erasure to look through; NULL: nowhere */
};

/* `store` and what the options point to must outlive it. NULL: out of memory. */
struct fw_people *fw_people_create(struct fw_store *store, const struct fw_people_options *options);
/* Everything that waits must have been answered before: close the store first. NULL is fine. */
void fw_people_destroy(struct fw_people *p);
/* What events trigger from now on, which must outlive it. */
void fw_people_trigger(struct fw_people *p, const struct fw_triggers *triggers, struct fw_decider *decider,
	const struct fw_due_config *due);
struct fw_store *fw_people_store(struct fw_people *p);

/* Has the store's secret read, or made where there is none, unless it is known or being read. */
void fw_people_learn(struct fw_people *p);
/* HMAC-SHA256 of `what` with a key of its own for each name, the same in every process that works on this store. 0, or FW_EAWAY: the
 * secret is not known yet. */
int fw_people_sign(const struct fw_people *p, struct fw_str name, struct fw_str what, unsigned char ret_mac[32]);

/* Whose row it is; the first are kinds of ids (enum fw_id_kind). */
enum fw_person_kind {
	FW_PERSON_ANONYMOUS = FW_ID_ANONYMOUS, /* an anonymousId */
	FW_PERSON_USER = FW_ID_USER,           /* a userId that was proven */
	FW_PERSON_EMAIL = FW_ID_EMAIL,         /* an address, normalised; as the id of a row its keyed hash, as with the next two */
	FW_PERSON_PHONE = FW_ID_PHONE,
	FW_PERSON_OTHER = FW_ID_OTHER,
	FW_PERSON_UNVERIFIED = FW_ID_KINDS,    /* what was claimed of a userId: shown in its timeline, read by no rule */
	FW_PERSON_GUEST,                       /* who uses a device that several known users have used, and does not say who it is */
	FW_PERSON_KINDS,
};

struct fw_person_id {
	enum fw_person_kind kind;
	struct fw_str id;
};

/* As /v1/visitors has it: "u-7", "user:u-7", "anonymous:a-1", "email:ann@shop.example", "phone:+4930123456",
 * "external:loyalty:123". Addresses and numbers are normalised, into `arena`. 0, FW_ENOMEM, or FW_EINVAL with the error: no such
 * kind, or nothing behind it. */
int fw_person_id_parse(struct fw_arena *arena, struct fw_str text, struct fw_person_id *ret, struct fw_error *err);

/* A person as it is in the store. */
struct fw_person {
	struct fw_person_id row; /* where the record is, or would be; a row's id */
	struct fw_str record;    /* n 0: there is none yet */
	uint64_t version;
	struct fw_whose whose;   /* for whom was asked for */
	struct fw_person_id moved; /* its record is becoming part of this one at this moment, and is in it already; id.n 0: none */
};

/* Who goes by `id`, wherever the record is by now; with a proven `user` (n 0: none) the person of that user, and not the first
 * of several who use the device. The person is valid during the call, its bytes lie in the arena. rc: 0, FW_EAWAY, FW_EIO,
 * FW_ENOMEM. May complete before it returns. With `settled` it waits first for what this worker has on its way for the person. */
typedef void (*fw_people_loaded)(void *ctx, int rc, const struct fw_person *person);
void fw_people_load(struct fw_people *p, const struct fw_person_id *id, struct fw_str user, bool settled, struct fw_arena *arena,
	fw_people_loaded done, void *ctx);

/* rc: 0; FW_ECONFLICT (reserve only); FW_EBUSY: too much waits; FW_EAWAY, FW_EFULL, FW_EIO: the store; FW_ENOMEM. */
typedef void (*fw_people_done)(void *ctx, int rc);

/* Reserves under caps what a decision made from `person` is about to show. FW_ECONFLICT: load the person again (settled) and
 * decide again; any other failure: not reserved, so nothing under a cap may be shown. `person` and `reservations` are used
 * during the call only. May complete before it returns. */
void fw_people_reserve(struct fw_people *p, const struct fw_person *person, const struct fw_reservation *reservations, unsigned n,
	fw_people_done done, void *ctx);

/* The person whose row that is, and nobody whom it leads to because several use the device; otherwise as fw_people_load, settled. */
void fw_people_load_row(struct fw_people *p, const struct fw_person_id *row, struct fw_arena *arena, fw_people_loaded done, void *ctx);
/* The same by the hash in the key of the row, which is all that wake rows and ids of messages tell. rc: FW_ENOENT, too: no row has it.
 * Where the row leads on, `person->row` has another hash. */
void fw_people_load_hash(struct fw_people *p, uint64_t hash, struct fw_arena *arena, fw_people_loaded done, void *ctx);
uint64_t fw_people_row_hash(const struct fw_person_id *row);
/* That hash, of a key that a change notice tells. False: it is no row of an id. */
bool fw_people_row_changed(struct fw_str key, uint64_t *ret_hash);
/* Writes a record that was made from `person`, with changes of further rows of its bucket beside it. rc as of fw_people_reserve;
 * FW_ECONFLICT: load the person again and begin anew. The record, the changes and what they point to must stay until then. */
void fw_people_replace(struct fw_people *p, const struct fw_person *person, struct fw_record *record, const struct fw_change *beside,
	unsigned n, fw_people_done done, void *ctx);

/* An event on its way to a person. */
struct fw_people_event {
	struct fw_event event;
	struct fw_person_id id;
	struct fw_str facts;    /* fw_due_pack of its request, where it may trigger a message; n 0: none */
	bool behaviour;         /* behaviour may be kept of one who said nothing of it */
	uint64_t import_file;   /* with event.imported: where it stands */
	int64_t import_offset;
	const struct fw_ask *restocked; /* not NULL: the host tells that what the person asked for then is back */
	bool repeated;          /* answer: it had been applied before */
	bool erased;            /* answer: it was refused, for it is of somebody who was erased since */
	bool restricted;        /* answer: it was not added, for the person is restricted */
	bool waits;             /* answer: it was not, for a message of a rule that it sets off still waits */

	/* The ids it proves; none where all it has is a userId that it does not prove. */
	const struct fw_claim *claims;
	unsigned n_claims;      /* at most FW_CLAIMS_MOST */
	bool proven;            /* whose event it is was proven by more than an anonymousId: a secret key, or the userId's hash */

	/* People's own. */
	struct fw_people_event *next;
	struct fw_people_group *group;
	struct fw_person_id row; /* where it is going; its text is that of `id`, or the next */
	char *row_text;          /* owned */
	unsigned hops;
	bool pointed;           /* the row that it came by points to that one */
	bool told;              /* what the rows of its ids had not been told yet they were told, for this event */
	bool other_device_user;  /* the device's anonymousId is somebody else's: no claim of this event */
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
	uint64_t delivered, merged, refused; /* entries of outboxes; people who became one; ids and people who did not */
	uint64_t restocked;                  /* requests that were answered, as the product is back */
};
const struct fw_people_counters *fw_people_counters(const struct fw_people *p);

#endif
