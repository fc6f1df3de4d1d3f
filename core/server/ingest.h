/* Events in, inside a worker: what a request carries is read, each event is judged, those that stand go to people, those
 * that do not to the dead letters. */
#ifndef FW_SERVER_INGEST_H
#define FW_SERVER_INGEST_H

#include "people/dead.h"
#include "server/engine_own.h"
#include "server/engine_people.h"

/* A worker's part. */
struct fw_ingester {
	uint64_t waiting_bytes;     /* of requests that are not answered yet */
	int64_t letters_second;     /* the second in which … */
	unsigned letters;           /* … so many letters were written */
	struct fw_arena scratch;    /* of one event's facts */
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
	struct fw_slot_page *page; /* where placeholders of ids are counted, or NULL */
	bool vouched;              /* its userId was proven when it came */
};

/* A request on its way. */
struct fw_ingest {
	struct fw_engine_worker *worker;
	size_t json_bytes;
	struct fw_arena arena;
	struct fw_ingest_reader reader;
	struct fw_people_event *events;
	struct fw_rejected *rejected;
	unsigned *indexes;      /* of events, in the request */
	unsigned n_events, n_rejected;
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

/* Answers with an error; the second one says what a failure of the store means. */
void fw_engine_fail(fw_engine_done done, void *data, int status, const char *code, const char *message, const char *path,
	const char *hint);
void fw_engine_fail_store(fw_engine_done done, void *data, int rc);
/* 429: too many people whom nobody has seen. */
void fw_engine_fail_new(fw_engine_done done, void *data);

#endif
