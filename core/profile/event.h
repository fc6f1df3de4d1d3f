/* An event as the Segment tracking API has it, read and put in order: ids, name, the corrected time. Pure. */
#ifndef FW_PROFILE_EVENT_H
#define FW_PROFILE_EVENT_H

#include <stdint.h>

#include "base/json.h"

/* What people go by. */
enum fw_id_kind {
	FW_ID_ANONYMOUS, /* an anonymousId */
	FW_ID_USER,      /* a userId */
	FW_ID_EMAIL,     /* an address, normalised */
	FW_ID_PHONE,     /* a number, E.164 */
	FW_ID_OTHER,     /* of another system: "loyalty:1234" */
	FW_ID_KINDS
};

enum fw_event_type { FW_EVENT_IDENTIFY, FW_EVENT_TRACK, FW_EVENT_PAGE, FW_EVENT_SCREEN, FW_EVENT_GROUP, FW_EVENT_ALIAS, FW_EVENT_TYPES };
/* "track" and the like. */
const char *fw_event_type_name(enum fw_event_type type);
int fw_event_type_find(struct fw_str name); /* -1: none */

/* Of a purpose (what data is used for) or a channel (where messages go). Not told is not granted. */
enum fw_consent_state { FW_CONSENT_GRANTED, FW_CONSENT_DENIED, FW_CONSENT_WITHDRAWN, FW_CONSENT_STATES };

/* What a person says of purposes and channels, at the time of the event that brings it. */
struct fw_consent_said {
	struct fw_str what; /* folded, at most FW_LIMIT_CONSENT_NAME_BYTES */
	enum fw_consent_state state;
};
struct fw_consent_change {
	const struct fw_consent_said *said;
	unsigned n;
	bool categories;         /* it came with an event, of which it tells all: a purpose it does not name is not granted for it */
	bool nothing;            /* it names none: every purpose that was granted is denied */
	struct fw_str source;    /* where it was told: "event", "api", "preference-centre" …; at most FW_LIMIT_CONSENT_SOURCE_BYTES */
	struct fw_str text;      /* the version of the words that were agreed to; n 0: not told */
};

/* What an event gets from around it. */
struct fw_event_frame {
	const struct fw_json *context; /* of the batch, under each event's own; or NULL */
	struct fw_str sent_at;   /* of the batch, where the event has none of its own; n 0: none */
	int type;                /* that the path says, or -1: the event's "type" */
	int64_t received_us;     /* wall clock */
	bool imported;           /* history: `timestamp` is believed as it stands, however old */
};

struct fw_event {
	enum fw_event_type type;
	struct fw_str name;      /* track: the event; page, screen: the name, or n 0 */
	struct fw_str message_id;/* n 0: none */
	uint64_t message_hash;   /* fw_hash of message_id; 0: none */
	struct fw_str anonymous_id, user_id, previous_id, group_id; /* as told; n 0: none */
	struct fw_str user_hash; /* found at the top, in context or in traits, and kept nowhere */
	int64_t at_us;           /* when it happened: received - (sentAt - timestamp), never later than received */
	int64_t received_us;
	bool imported;
	bool trusted;            /* a server told it, with a secret key: so are its traits; whoever takes it in says so */
	const struct fw_json *properties, *traits; /* objects, or NULL */
	const struct fw_json *context; /* an object, its own members before the batch's; or NULL */
	const struct fw_consent_change *consent; /* what it changes, or NULL: fw_event_read_consent */
	bool only_consent;       /* nothing else happened */
};

/* Why an event is refused; a closed list, documented in core/README.md. */
struct fw_refusal {
	const char *code;     /* "no_user_anon_id", "no_type", "no_event", "bad_timestamp", "too_large", "too_late" … */
	char message[200];    /* for a person */
};

/* Where a userHash is looked for, in this order: `told` itself, its context, its traits, the context's traits. */
enum { FW_HASH_PLACES = 4 };
void fw_event_hash_places(const struct fw_json *told, const struct fw_json *context, const struct fw_json *ret[FW_HASH_PLACES]);
/* n 0: none. */
struct fw_str fw_event_user_hash(const struct fw_json *told, const struct fw_json *context);

/* Reads one element. Ids that are numbers are their shortest text. 0; FW_EINVAL with the refusal; FW_ENOMEM. Texts stay
 * those of the tree, which must outlive the event. */
int fw_event_read(struct fw_arena *a, const struct fw_json *element, const struct fw_event_frame *frame, struct fw_event *ret,
	struct fw_refusal *ret_refusal);

/* Reads what the context tells (fw_consent_read) into `consent`: true is granted, false denied; where there are none in it, all purposes
 * that `config` has defaults of (may be NULL) and those that the person granted before. `channels`: whoever sends it may speak of
 * them; else they are passed over. 0 or FW_ENOMEM. */
struct fw_consent_config;
int fw_event_read_consent(struct fw_arena *a, const struct fw_consent_config *config, bool channels, struct fw_event *e);

/* A time: ISO 8601 (without an offset: UTC), or seconds or milliseconds since 1970 as a number or its text; false when it is none. */
bool fw_event_time(const struct fw_json *v, int64_t *ret_us);

/* A number that may have arrived as text ("19.90"); false when it is none. */
bool fw_event_number(const struct fw_json *v, double *ret);

#endif
