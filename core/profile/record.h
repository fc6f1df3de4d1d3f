/* The record of a person: compact, versioned, bounded. Two parts: the necessary one (ids, the current session and cart, cap
 * rings, message history, orders, dedupe) and the behaviour part (all else), which is neither written nor kept without
 * consent to it. Pure: bytes in, bytes out. The layout and the rule of what is forgotten first are in profile/README.md. */
#ifndef FW_PROFILE_RECORD_H
#define FW_PROFILE_RECORD_H

#include "base/buf.h"
#include "fact/facts.h"
#include "profile/event.h"

struct fw_record; /* in an arena */

enum { FW_SPILL_MOST = 16 }; /* messages that have to make room at once */

/* A person nobody has seen: `id` is the one under which it is first seen, by which rollouts draw. NULL: out of memory. */
struct fw_record *fw_record_new(struct fw_arena *a, struct fw_str id);
/* Reads any version there ever was. 0; FW_EINVAL (these bytes are no record: err says what is wrong); FW_ENOMEM. */
int fw_record_read(struct fw_arena *a, struct fw_str bytes, struct fw_record **ret, struct fw_error *err);
/* Writes the current version, at most FW_LIMIT_RECORD_BYTES: what is forgotten first is left out until it fits. */
void fw_record_write(const struct fw_record *r, struct fw_buf *out);
/* The same bytes in an arena. 0 or FW_ENOMEM. */
int fw_record_bytes(const struct fw_record *r, struct fw_arena *a, struct fw_str *ret);

/* What it says of itself. */
struct fw_str fw_record_first_id(const struct fw_record *r);
int64_t fw_record_last_seen_us(const struct fw_record *r); /* the latest event's time; 0: none */
bool fw_record_is_known(const struct fw_record *r);        /* a userId belongs to it: `retain.known` applies */
struct fw_str fw_record_user(const struct fw_record *r);   /* that userId; n 0: none */

/* The ids that belong to it: none by itself, whoever stores it adds them. */
struct fw_id {
	enum fw_id_kind kind;
	struct fw_str text;
	bool shared; /* several known users go by it: it is evidence for nothing */
};
bool fw_record_id(const struct fw_record *r, unsigned i, struct fw_id *ret); /* the i-th; false: there are no more */
bool fw_record_has_id(const struct fw_record *r, enum fw_id_kind kind, struct fw_str text);
/* 0 (also when it has it already); FW_ELIMIT: it has one userId, FW_LIMIT_IDS_OF_A_KIND of that kind or system, FW_LIMIT_MERGES
 * anonymous ids, or FW_LIMIT_RECORD_IDS in all, or more than FW_LIMIT_IDS_BYTES of them; FW_ENOMEM. */
int fw_record_add_id(struct fw_record *r, enum fw_id_kind kind, struct fw_str text);
/* False: it has none such. */
bool fw_record_find_id(const struct fw_record *r, enum fw_id_kind kind, struct fw_str text, struct fw_id *ret);
void fw_record_remove_id(struct fw_record *r, enum fw_id_kind kind, struct fw_str text);
void fw_record_share_id(struct fw_record *r, enum fw_id_kind kind, struct fw_str text);

/* Where a channel reaches the person, as far as that is proven: for "email" and "sms" the trait of that name, else the latest address or
 * number that belongs to the person; for any other channel the userId, else the id of first sight. n 0: nowhere. */
int fw_record_address(const struct fw_record *r, struct fw_str channel, struct fw_str *ret); /* 0 or FW_ENOMEM */

/* Another person's record that became part of this one. */
struct fw_merge {
	enum fw_id_kind kind;   /* the id whose row it was */
	struct fw_str id;
	uint64_t number;        /* of the outbox entry that brought it */
	int64_t at_us;          /* kept in whole milliseconds */
	unsigned char seal[32]; /* the key of what is kept of it */
	int32_t spilled_day;    /* fw_record_spilled of it: its messages that are rows beside that id */
	uint32_t spilled_days;
};
/* They come by time. What `id` says stays the record's. */
bool fw_record_merge_at(const struct fw_record *r, unsigned i, struct fw_merge *ret); /* the i-th; false: there are no more */
/* 0 (also when it has this kind, id and number already); FW_ELIMIT: it has FW_LIMIT_MERGES; FW_ENOMEM. */
int fw_record_note_merge(struct fw_record *r, const struct fw_merge *m);
bool fw_record_forget_merge(struct fw_record *r, enum fw_id_kind kind, struct fw_str id, uint64_t number); /* false: it was not there */

/* Why two people may not become one, in a word ("two_users", "too_many_merges", "too_many_ids"); NULL: they may. A merge that
 * is noted with it is counted. */
const char *fw_record_may_not_merge(const struct fw_record *a, const struct fw_record *b);
/* What `from` is becomes part of `into`; which of two records is merged into which makes no difference but for what lies beside
 * their rows. If either said no to `analytics` there is no behaviour part; where nobody said anything of it, it is the caller's
 * to know whether it may be kept. The merge itself is noted by the caller. Messages that
 * the record has no room to remember are put into `ret_spilled` (room for FW_SPILL_MOST), to be kept as rows of their days.
 * `from` is unchanged, and nothing of it is referred to afterwards. 0 or FW_ENOMEM (`into` is good for nothing then). */
struct fw_spilled {
	uint64_t hash;
	int32_t day;
};
int fw_record_merge(struct fw_record *into, const struct fw_record *from, struct fw_spilled *ret_spilled, unsigned *ret_n);
/* What `absorbed` brought into a person who was `before` then is taken out again; what came since stays. What has become of the
 * messages of `absorbed` since is written into it. 0 or FW_ENOMEM. */
int fw_record_split(struct fw_record *from, const struct fw_record *before, struct fw_record *absorbed);

/* When somebody who went by one of these ids was erased: what happened until then is not this person's. 0: nobody was. */
int64_t fw_record_erased_us(const struct fw_record *r);
void fw_record_set_erased(struct fw_record *r, int64_t at_us); /* the later of two holds */
/* The person is kept, and used for nothing. */
bool fw_record_is_restricted(const struct fw_record *r);
void fw_record_restrict(struct fw_record *r, bool restricted);

/* What applying needs to know besides the event. */
struct fw_profile_options {
	const char *currency;
	bool behaviour;                 /* the behaviour part may be kept of one who said nothing of `analytics` */
	const struct fw_str *own_hosts; /* as fw_source_input */
	size_t n_own_hosts;
};

/* What follows from an event beyond the record, for whom it triggers something. */
struct fw_effects {
	bool new_session;
	bool confirmed;    /* a reservation under a cap was */
	struct fw_str asked; /* the product that the person is to be told of when it is back; n 0: none. The record's */
};

/* Applies one event. Order and grouping of events do not matter where they should not. `ret` may be NULL.
 * What it says of consent comes first. Who says no to `analytics` has the behaviour part dropped with it, and what happened
 * before a grant is not added to it later.
 * 0 or FW_ENOMEM. */
int fw_profile_apply(struct fw_record *r, const struct fw_event *e, const struct fw_profile_options *o, struct fw_effects *ret);

/* Drops the behaviour part: consent to it was withdrawn. */
void fw_record_forget_behaviour(struct fw_record *r);

/* What the person of a record (n 0: nobody has seen him yet) has granted, purposes and channels, as an array of names in their
 * order. 0, FW_EINVAL, FW_ENOMEM. */
int fw_profile_granted(struct fw_arena *a, struct fw_str bytes, struct fw_json_out *out);

/* Exactly once. Whether the message was applied: FW_SEEN_ASK when hashes have moved out of the record into day-rows, which
 * then must be asked for this hash on each day of `fw_record_spilled_days`, and beside the id of each merge on those of
 * `fw_merge_spilled_days`. */
enum fw_message_seen { FW_SEEN_NO, FW_SEEN_YES, FW_SEEN_ASK };
enum fw_message_seen fw_record_seen(const struct fw_record *r, uint64_t message_hash);
/* Days (since 1970) of which the record has day-rows that may still matter at now_us; at most 4. */
unsigned fw_record_spilled_days(const struct fw_record *r, int64_t now_us, int32_t days[4]);
unsigned fw_merge_spilled_days(const struct fw_merge *m, int64_t now_us, int32_t days[4]);
/* Those days as a merge has them. */
void fw_record_spilled(const struct fw_record *r, int32_t *ret_day, uint32_t *ret_days);
/* Remembers a message. Those that have to make room for it (oldest first, several at once) are put into `ret_spilled` (room for
 * FW_SPILL_MOST), to be kept as rows of the day `ret_day`; the return value is their number. A hash of 0 is nothing. */
unsigned fw_record_remember(struct fw_record *r, uint64_t message_hash, int64_t received_us, uint64_t *ret_spilled, int32_t *ret_day);

/* `import`: the highest offset of that file that was applied, or -1; and setting it. Only the last few files are kept. */
int64_t fw_record_import_offset(const struct fw_record *r, uint64_t file);
void fw_record_set_import_offset(struct fw_record *r, uint64_t file, int64_t offset);

/* Caps: reserves a place (a winner is about to be shown). `cap` and `rule` are fw_hash of their ids. It counts until it has
 * lapsed (FW_LIMIT_RESERVATION_MS) unless a Promotion Viewed of that rule confirms it before. 0 or FW_ENOMEM. */
struct fw_reservation {
	uint64_t cap, rule;
	int64_t at_us, per_s;
	uint32_t limit;
};
int fw_record_reserve(struct fw_record *r, const struct fw_reservation *reservation);

/* Fills the facts that come from the person, each only where it is absent: session, then consent (what the request tells, else
 * what the person said, else the place's defaults; channels from the person alone), then behaviour if it may be read, orders,
 * traits, the uses of caps, the key of rollouts. `f` was initialized with the profile in reach and has its clock; `bytes` (of a
 * record, n 0: nobody has seen this person yet) must outlive it. Cheap: what no rule asks for is not unpacked. Of a restricted
 * person nothing is filled: f->restricted says so, and the profile is out of reach. 0, FW_EINVAL, FW_ENOMEM. */
int fw_profile_fill(struct fw_str bytes, struct fw_facts *f);

/* Whose a record is, for one who has an anonymousId and proves to be a user. */
struct fw_whose {
	bool is_user;   /* that user's */
	bool has_user;  /* a userId belongs to it */
	bool is_shared; /* several known users go by that anonymousId */
	bool is_open;   /* what was told of the person may be read: it is nobody known yet, or that user */
};
/* Either id may be n 0: none. Cheap: only the ids are unpacked. Where there is no record (n 0) it is just open; where the bytes cannot
 * be read it is nothing. */
struct fw_whose fw_profile_whose(struct fw_arena *a, struct fw_str bytes, struct fw_str anonymous_id, struct fw_str user);

/* Whether the id is one of a record's: 1 or 0, as cheap as that; FW_EINVAL: the bytes cannot be read. */
int fw_profile_has_id(struct fw_arena *a, struct fw_str bytes, enum fw_id_kind kind, struct fw_str text);

/* The person as JSON members of an open object, for /v1/visitors and `profile show`: consent and its log, traits, facts with
 * their values, cart, orders; and the timeline: an array, newest first. */
int fw_profile_describe(struct fw_arena *a, struct fw_str bytes, int64_t now_us, struct fw_json_out *out, struct fw_error *err);
int fw_profile_timeline(struct fw_arena *a, struct fw_str bytes, struct fw_json_out *out, struct fw_error *err);
/* Everything that is kept of the person, as members of an open object: what fw_profile_describe has, and with it visits, every
 * cart change, order, count and cap, merges, both timelines. `unverified`: what was claimed of a userId. Either may be n 0. */
int fw_profile_export(struct fw_arena *a, struct fw_str bytes, struct fw_str unverified, int64_t now_us, struct fw_json_out *out,
	struct fw_error *err);
/* The member "merges" alone. */
int fw_profile_merges(struct fw_arena *a, struct fw_str bytes, struct fw_json_out *out, struct fw_error *err);

#endif
