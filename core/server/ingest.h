/* Events in, inside a worker: what a request carries is read, each event is judged, those that stand go to people, those
 * that do not to the dead letters. */
#ifndef FW_SERVER_INGEST_H
#define FW_SERVER_INGEST_H

#include "people/dead.h"
#include "server/engine_own.h"
#include "server/engine_people.h"
#include "server/spool.h"

/* A worker's part. */
struct fw_ingester {
	uint64_t waiting_bytes;     /* of requests that are not answered yet */
	int64_t letters_second;     /* the second in which … */
	unsigned letters;           /* … so many letters were written */
	struct fw_arena scratch;    /* of one event's facts */
	uint64_t chance[2];         /* a random number, and how many events without a messageId it has served */
};

struct fw_rejected {
	unsigned index;
	struct fw_refusal refusal;
};

/* How elements are read. */
struct fw_ingest_reader {
	struct fw_arena *arena;   /* what the events need */
	struct fw_arena *scratch; /* reset with each */
	struct fw_signal *signals;
	const struct fw_consent_config *consent;
	struct fw_str identity_key;
	struct fw_plugin_request *request; /* or NULL */
	bool secret;
	struct fw_event_frame frame;
	const struct fw_triggers *triggers;
	struct fw_slot_page *page; /* where placeholders of ids are counted, or NULL */
	bool vouched;              /* its userId was proven when it came */
	bool again;                /* it was let in when it came, and `behaviour` was found out then */
	bool behaviour;
};

/* A request on its way. */
struct fw_ingest {
	struct fw_engine_worker *worker;
	size_t json_bytes;
	struct fw_arena arena;
	struct fw_ingest_reader reader;
	struct fw_people_event *events; /* those that are applied now, then those that are held */
	const struct fw_json **elements; /* of events */
	struct fw_rejected *rejected;
	unsigned *indexes;      /* of events, in the request */
	unsigned n_events, n_rejected;
	unsigned n_direct;      /* of events, that are applied now, and … */
	bool direct_held;       /* … had to be held, too */
	unsigned n_held;        /* that are held, and on disk */
	struct fw_spool_waiter waiter;
	struct fw_people_group group;
	unsigned left; /* the events, and each letter on its way */
	int rc;
	fw_engine_done done;
	void *data;
};

/* One element becomes an event for a person. 0; FW_EINVAL with the refusal; FW_ENOMEM. */
int fw_ingest_read(const struct fw_ingest_reader *in, const struct fw_json *element, struct fw_people_event *ret,
	struct fw_refusal *refusal);

/* Whether people did not add an event, and why. */
bool fw_ingest_refused(const struct fw_people_event *e, struct fw_refusal *ret);

/* ingest_spool.c: which of the events are to be behind others that are held, or wait until the store is back: they go behind those in
 * in->n_direct. 0; 1: there are so few before them that in->waiter is woken soon, to ask again; FW_ENOMEM. */
int fw_ingest_part(struct fw_ingest *in);
/* Holds `n` events from `from` on; what comes of it is one of in->left. */
void fw_ingest_hold(struct fw_ingest *in, unsigned from, unsigned n);
/* The same of a letter that could not be written. */
void fw_ingest_hold_letter(struct fw_ingest *in, const struct fw_dead *letter, const struct fw_json *element);
/* ingest_letter.c: an element that was refused becomes a dead letter; what comes of it is one of in->left. */
void fw_ingest_keep_letter(struct fw_ingest *in, const struct fw_json *element, const struct fw_refusal *why);
/* Takes the signatures from an element and its batch's context (or NULL): kept, they would be good for ever. */
void fw_ingest_unsign(const struct fw_json *element, const struct fw_json *context);
/* One of in->left has ended. */
void fw_ingest_leave(struct fw_ingest *in, int rc);

/* Answers with an error; the second one says what a failure of the store means. */
void fw_engine_fail(fw_engine_done done, void *data, int status, const char *code, const char *message, const char *path,
	const char *hint);
void fw_engine_fail_store(fw_engine_done done, void *data, int rc);
/* 429: too many people whom nobody has seen. */
void fw_engine_fail_new(fw_engine_done done, void *data);

#endif
