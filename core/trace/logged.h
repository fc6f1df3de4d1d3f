/* What the log says of one decision, beside its id and its time: all that is needed to make it again, bit for bit, and what came of it.
 * Numbers are those of the rule set in whose hash the decision was made. As bytes:
 *
 *   flags         a byte: explanation, changes, degraded, holdout, caps_lost, withhold, messages, unreached; then a byte of enum
 *                 fw_profile_read
 *   id, facts     each its length and its bytes: the id that was asked with, and facts_pack.h
 *   slots         how many, then of each its number, its reason, how many winners, and their numbers
 *   channels      how many, then their names; flagged `unreached`, then of each the reason for which none reaches the person
 *   set aside     how many, then the numbers of the rules
 *   functions     how many were called, then of each its number and its outcome
 *   seeds, arm, propensity   a number each: 0 until there are any
 *   own           how many of the places under caps that the record has whoever asked showed already, then of each its number among
 *                 them, and for which rule (8 bytes)
 *   products      a byte, 1 if there was a catalogue; then what it said (fact/products_then.h)
 *
 * A decision of messages has a flag of its own, no id, facts and slots, and at the end: how many, then of each its number in the record
 * (8 bytes), its rule and 1 (0: the set had it no more), its reason, 1 if its address was suppressed, until when it was put off (in
 * microseconds), what stood in its way, and the facts that were known before the record was read (facts_pack.h). */
#ifndef FW_TRACE_LOGGED_H
#define FW_TRACE_LOGGED_H

#include "decide/decide.h"
#include "fact/facts_pack.h"
#include "fact/products_then.h"
#include "profile/complete.h"

struct fw_logged_slot {
	uint32_t slot;
	enum fw_slot_reason reason;
	uint32_t *winners, n;
};

/* What came of a function that was called. */
enum fw_outcome_logged { FW_LOGGED_FALSE, FW_LOGGED_UNKNOWN, FW_LOGGED_TRUE, FW_LOGGED_CONTENT, FW_LOGGED_FAILED, FW_LOGGED_OVER_BUDGET,
	FW_LOGGED_OUTCOMES };
struct fw_logged_call {
	uint32_t function;
	enum fw_outcome_logged outcome;
};

/* A place under a cap that whoever asked showed already: among the facts' cap_uses, and for which rule. */
struct fw_logged_own {
	uint32_t use;
	uint64_t rule;
};

/* A message that was due, and judged. */
struct fw_logged_message {
	uint64_t number;        /* among those of the record */
	uint32_t rule;          /* FW_NONE: the set had it no more */
	enum fw_reason reason;
	bool suppressed;
	int64_t until_us;       /* FW_REASON_DEFERRED; else 0 */
	struct fw_str by, told; /* what stood in its way; the facts before the record was read, packed */
};

struct fw_logged {
	bool is_messages;       /* it is of `messages`, which were due; else there are none */
	bool explanation;       /* /v1/explain was asked, and nothing was shown … */
	bool changes;           /* … and what other rules would need, too */
	bool degraded, holdout;
	bool caps_lost;         /* what is under caps could not be reserved, and was done without */
	struct fw_profile_reading reading; /* its record is kept apart */
	struct fw_str facts;    /* of the request, packed */
	struct fw_logged_slot *slots; /* as asked */
	uint32_t n_slots;
	const char **channels;
	enum fw_reason *unreached; /* of each; NULL: nothing was known to keep any from the person */
	uint32_t n_channels;
	uint32_t *set_aside, n_set_aside;
	struct fw_logged_own *own;
	uint32_t n_own;
	struct fw_products_then *then; /* NULL: there was no catalogue */
	struct fw_logged_call *calls;
	uint32_t n_calls;
	struct fw_logged_message *messages;
	uint32_t n_messages;
};

void fw_logged_write(const struct fw_logged *l, struct fw_buf *out);
/* Texts are slices of the bytes but for channels; lists lie in the arena. 0; FW_EINVAL: these bytes are no such thing; FW_ENOMEM. */
int fw_logged_read(struct fw_arena *a, struct fw_str bytes, struct fw_logged *ret);

/* What the decider's last decision was told and found: `slots` of what was answered, `calls`. In the arena; 0 or FW_ENOMEM. */
int fw_logged_take(struct fw_logged *l, const struct fw_decider *d, const struct fw_decision *decision, struct fw_arena *a);
int fw_logged_take_explained(struct fw_logged *l, const struct fw_decider *d, const struct fw_explanation *e, struct fw_arena *a);
/* The places that are marked as whoever asks's own. 0 or FW_ENOMEM. */
int fw_logged_take_own(struct fw_logged *l, const struct fw_facts *f, struct fw_arena *a);
/* The rules that are set aside at that time, of a set of so many. 0 or FW_ENOMEM. */
int fw_logged_take_set_aside(struct fw_logged *l, const struct fw_decider *d, int64_t now_us, struct fw_arena *a);
/* Made again: has the decider, whose memory of it is its own, set aside what was then, by the ids that the rules of `before` have; and
 * afterwards nothing, whatever failed meanwhile. */
void fw_logged_set_aside(const struct fw_logged *l, const struct fw_ruleset *before, struct fw_decider *d);
void fw_logged_clear_aside(struct fw_decider *d);

/* The facts that the decision was made from, again, with the catalogue's answers of then: whether others were asked for, `lost` of
 * ret->then tells. `record` of the person as it was read. `names` go with the packed facts. 0, FW_EINVAL, FW_ENOMEM. */
int fw_logged_facts(const struct fw_logged *l, const struct fw_facts_names *names, struct fw_str record, struct fw_arena *a,
	struct fw_facts *ret);

#endif
