/* A decision: which rules win which slots for one visitor, inside priority order, guards and caps. */
#ifndef FW_DECIDE_DECIDE_H
#define FW_DECIDE_DECIDE_H

#include "decide/counts.h"
#include "decide/set_aside.h"
#include "profile/record.h"
#include "rules/eval.h"
#include "rules/index.h"

/* What became of a candidate; the closed list of the HTTP interface. The decision log has their numbers, so another comes last. */
enum fw_reason {
	FW_REASON_WON,
	FW_REASON_NOT_MATCHED,
	FW_REASON_UNKNOWN,
	FW_REASON_DISABLED,
	FW_REASON_NOT_STARTED,
	FW_REASON_ENDED,
	FW_REASON_NOT_IN_ROLLOUT,
	FW_REASON_HOLDOUT,
	FW_REASON_VETOED,
	FW_REASON_CAPPED,
	FW_REASON_BEATEN,
	FW_REASON_EXCLUDED,
	FW_REASON_FAILED,
	FW_REASON_SET_ASIDE,
	FW_REASON_DEFERRED, /* from here on of messages alone */
	FW_REASON_SUPPRESSED,
	FW_REASON_NO_ADDRESS,
	FW_REASON_CANCELLED,
	FW_REASON_EXPIRED,
	FW_REASON_OUT_OF_STOCK, /* of both: a product that its content names */
	FW_REASONS,
};
const char *fw_reason_name(enum fw_reason reason);

/* Why a slot shows what it shows. */
enum fw_slot_reason { FW_SLOT_RULE, FW_SLOT_DEFAULT, FW_SLOT_NONE, FW_SLOT_HOLDOUT };
const char *fw_slot_reason_name(enum fw_slot_reason reason);

struct fw_winner {
	uint32_t rule;
	unsigned uses;         /* what it declares and what was read for it: caps on `uses` go by it */
	struct fw_str content; /* JSON */
};

struct fw_slot_answer {
	uint32_t slot;
	enum fw_slot_reason reason;
	struct fw_winner *winners; /* in the order taken */
	uint32_t n;
	struct fw_str content;     /* JSON of the first winner or the default; n == 0: none */
};

/* A candidate that was refused, for the counts. */
struct fw_refused {
	uint32_t rule;
	enum fw_reason reason; /* FW_REASON_VETOED, FW_REASON_CAPPED or FW_REASON_FAILED */
	uint32_t by;           /* the guard or the cap */
};

struct fw_decision {
	char id[37];               /* a UUID, version 7 (RFC 9562) */
	int64_t at_us;
	struct fw_slot_answer *slots; /* as asked */
	uint32_t n_slots;
	bool degraded;             /* the profile was lost (struct fw_facts) */
	bool holdout;
	/* What winners under caps take. Where there is any, the decision may be shown only once all of it is reserved, and
	 * whoever shows it then calls fw_decide_count. */
	struct fw_reservation *reservations;
	uint32_t n_reservations;
	const struct fw_refused *refused;
	uint32_t n_refused;
};

/* What judging one candidate found out. */
struct fw_verdict {
	enum fw_reason reason;
	union {
		uint32_t guard;        /* FW_REASON_VETOED */
		uint32_t cap;          /* FW_REASON_CAPPED: the first that is full */
	};
	const struct fw_error *error;  /* FW_REASON_FAILED */
	struct fw_str content;         /* FW_REASON_WON, once `show` was made: JSON; FW_REASON_OUT_OF_STOCK: the product's id */
	unsigned uses;                 /* what it declares and what was read for it */
	const struct fw_lineup *lineups; /* of a `show` with lists that are put in order (order.h), once it was made; else NULL */
};

/* What a worker decides with; one rule set, one thread. */
struct fw_decider {
	const struct fw_ruleset *set;
	struct fw_eval eval;
	struct fw_probe probe;
	struct fw_counts counts;
	struct fw_set_aside *set_aside; /* shared between workers; not owned */
	struct fw_guard_memo *guards;
	struct fw_cap_memo *caps;
	uint64_t *group_epoch;          /* by only_one_of: taken in this decision … */
	uint32_t *group_winner;         /* … and by whom */
	struct fw_refused *refused;     /* in this decision, in a set with caps on slots: it may not come to be shown */
	uint32_t n_refused, refused_size;
	uint64_t random[2];
	double holdout;                 /* per cent */
	uint32_t as_if;                 /* FW_NONE; or a rule to be explained as if it were enabled, in its time and in its rollout */
};

/* `counts` and `set_aside` are memory of fw_counts_bytes() and fw_set_aside_bytes(), zeroed once, that outlives the
 * decider: shared mappings in a daemon. */
int fw_decider_init(struct fw_decider *d, const struct fw_ruleset *set, void *counts, void *set_aside);
void fw_decider_finish(struct fw_decider *d);

/* Decides for all slots asked, together. Everything in `ret` lives in the arena. 0 or FW_ENOMEM. It is counted, unless it
 * has reservations. */
int fw_decide(struct fw_decider *d, const struct fw_facts *facts, const uint32_t *slots, uint32_t n_slots, struct fw_arena *arena,
	struct fw_decision *ret);
/* The same, with the facts looked up before: `probe` was set from them (fw_probe_set) for the decider's rule set. */
int fw_decide_probed(struct fw_decider *d, const struct fw_facts *facts, const struct fw_probe *probe, const uint32_t *slots,
	uint32_t n_slots, struct fw_arena *arena, struct fw_decision *ret);

/* Counts what became of one candidate that stood alone, as messages do; `by`: the guard or the cap. */
void fw_decide_count_one(struct fw_decider *d, uint32_t rule, enum fw_reason reason, uint32_t by, int64_t at_us);
/* Whether all that the decision shows, made from these facts, can still be bought: it waited before it is shown. */
bool fw_decide_still_fine(const struct fw_facts *facts, const struct fw_decision *decision, struct fw_arena *arena);
/* Counts a decision with reservations, once they are made and it is shown. */
void fw_decide_count(struct fw_decider *d, const struct fw_decision *decision);

/* A place under a cap: when it was taken, and for which rule (fw_hash of its id; 0: not known). */
struct fw_cap_place {
	int64_t at_ms;
	uint64_t rule;
};
/* The places that are whose the decision is shown to: those that it takes, those of his own that its winners keep, and those of his own
 * that nobody has seen yet, for as long as they are reserved. At most `most`, in no order. Returns how many. */
unsigned fw_decide_places(const struct fw_ruleset *set, const struct fw_facts *facts, const struct fw_decision *decision,
	struct fw_cap_place *to, unsigned most);

struct fw_needs; /* check/needs.h */
struct fw_due_item; /* due.h */

/* Every candidate of the slots asked with what became of it; the winners are those that fw_decide finds. Costs an
 * evaluation of every rule. */
struct fw_candidate {
	uint32_t rule;                /* FW_NONE: `due` has the name of one that the set has no more */
	struct fw_verdict verdict;
	int64_t until_us;             /* FW_REASON_CAPPED: until when; 0: not known */
	uint32_t by;                  /* FW_REASON_BEATEN, FW_REASON_EXCLUDED: the rule that stood in the way */
	const char *built_in;         /* FW_REASON_VETOED by no declared guard: FW_CHANNEL_CONSENT or FW_PERSON_RESTRICTED */
	uint32_t literal;             /* FW_REASON_NOT_MATCHED, FW_REASON_UNKNOWN: what decided it, or FW_NONE */
	bool literal_negated;
	const struct fw_due_item *due; /* a message that was due, and what became of it; NULL: it is explained as if it were now */
	const struct fw_needs *needs; /* the smallest change that would make it win, where that was asked; else NULL */
};
struct fw_explained_slot {
	uint32_t slot;                   /* FW_NONE: it is the messages of … */
	const char *channel;             /* … this channel */
	enum fw_reason unreached;        /* of a channel: what keeps all of them from the person; FW_REASON_WON: nothing that is known */
	enum fw_slot_reason reason;
	struct fw_candidate *candidates; /* strongest first */
	uint32_t n;
	struct fw_winner *winners;
	uint32_t n_winners;
};
struct fw_explanation {
	char id[37];
	int64_t at_us;
	struct fw_explained_slot *slots;
	uint32_t n_slots;
	bool orders;                     /* to be told with where items of lists stand: set afterwards, by whoever was asked for it */
};
int fw_explain(struct fw_decider *d, const struct fw_facts *facts, const uint32_t *slots, uint32_t n_slots, struct fw_arena *arena,
	struct fw_explanation *ret);

/* What would become of every message of a channel if it were due now: the same reasons, and where the channel's consent is missing
 * FW_REASON_VETOED by FW_NONE. `unreached`: fw_due_unreached of the person's address; FW_REASON_WON also of a visitor of whom none is
 * known. Adds to an explanation of the same facts, whose slots are in the arena. 0 or FW_ENOMEM. */
int fw_explain_channel(struct fw_decider *d, const struct fw_facts *facts, const char *channel, enum fw_reason unreached,
	struct fw_arena *arena, struct fw_explanation *e);
/* The vetoes that no rule file declares, by their names. */
#define FW_CHANNEL_CONSENT "channel consent"
#define FW_PERSON_RESTRICTED "the person is restricted"

/* After an answer, for one decision in FW_SAMPLE_EVERY: counts what matched and what was beaten. `decision` is what
 * fw_decide found for these facts. */
enum { FW_SAMPLE_EVERY = 256 };
void fw_decide_sample(struct fw_decider *d, const struct fw_facts *facts, const struct fw_decision *decision, struct fw_arena *arena);

/* The visitor's point in a rollout, 0–100: the upper 53 bits of XXH64 (seed 0) of the rule's id, a zero byte and the
 * visitor's key. An empty id gives the point of the holdout. */
double fw_rollout_point(const char *rule, struct fw_str key);
/* Whether the visitor is in the rule's rollout; nobody is without an id, unless it is for all. */
bool fw_rollout_has(const struct fw_rule *r, const struct fw_facts *f);
/* A new decision id; ids of one worker ascend by time. */
void fw_decide_make_id(struct fw_decider *d, int64_t at_us, char id[37]);
/* Whether the visitor is one of those who get defaults only. */
bool fw_decide_in_holdout(const struct fw_decider *d, const struct fw_facts *f);

#endif
