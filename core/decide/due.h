/* Messages that are due: what is to become of them, judged on the person as he is then. Pure: a record and the time in, a record
 * out; message/ does what follows. */
#ifndef FW_DECIDE_DUE_H
#define FW_DECIDE_DUE_H

#include "decide/decide.h"
#include "fact/facts_pack.h"
#include "profile/due.h"
#include "signal/consent.h"

struct fw_products;

/* What facts of a person are made with, besides the record. */
struct fw_due_config {
	struct fw_zone_set *zones;
	const struct fw_consent_config *consent; /* the defaults of places */
	int64_t delivery_ms, again_ms; /* FW_LIMIT_DELIVERY_MS and FW_LIMIT_MESSAGE_AGAIN_MS, or what the configuration says */
	/* Of a visitor that somebody wrote down. */
	const struct fw_json *given; /* facts by name, which win; NULL: nobody did */
	bool clockless;              /* no `at`: ages and windows are as told, but there is no hour and no date */
};

/* What a triggering event tells, as JSON in the shape of `given`, at most FW_LIMIT_DUE_FACTS_BYTES: traffic, device, page and
 * geography from `f` (of the event's request), and its properties, the largest left out until the rest fits. 0 or FW_ENOMEM. */
int fw_due_pack(const struct fw_facts *f, const struct fw_json *properties, struct fw_arena *a, struct fw_str *ret);

/* What is known before the record is read: what `facts` tells as below, and the consent that its place takes for given. 0 or FW_ENOMEM. */
int fw_due_facts_told(const struct fw_ruleset *set, const struct fw_due_config *config, struct fw_str facts, struct fw_arena *a,
	struct fw_facts *ret);

/* Of such facts what tells where somebody was, and in which language: what a message is judged with that comes long after. At most
 * FW_LIMIT_ASK_PLACE_BYTES; n 0: nothing is known. 0 or FW_ENOMEM. */
int fw_due_place(struct fw_str facts, struct fw_arena *a, struct fw_str *ret);
/* What the host tells of a product that is back, as fw_due_pack has it: the properties of FW_ASK_RESTOCKED, which was asked for at that
 * time, and the place of whoever asked. 0 or FW_ENOMEM. */
int fw_due_restocked(const struct fw_products *p, uint32_t product, struct fw_str place, int64_t asked_us, int64_t now_us,
	struct fw_arena *a, struct fw_str *ret);

/* The facts of a person at a time: what `facts` (fw_due_pack; n 0: nothing) tells, then the record's, then what follows from them.
 * 0, FW_EINVAL (the record is damaged), FW_ENOMEM. */
int fw_due_facts(const struct fw_ruleset *set, const struct fw_due_config *config, struct fw_str facts, struct fw_str record,
	int64_t now_us, struct fw_arena *a, struct fw_facts *ret);

/* What stands against a message of that rule whatever it says, of a person of these facts: restricted, no consent to the channel, the
 * holdout. FW_REASON_WON: nothing. `ret_by`: the name of a veto, static, or NULL. */
enum fw_reason fw_due_refusal(const struct fw_decider *d, const struct fw_rule *r, const struct fw_facts *f, const char **ret_by);

/* What stands against any message to that address (n 0: there is none), before anybody asks for facts: FW_REASON_NO_ADDRESS,
 * FW_REASON_SUPPRESSED, or FW_REASON_WON: nothing. */
enum fw_reason fw_due_unreached(struct fw_str address, bool suppressed);

/* Of a judging that is logged, or made again from the log. */
struct fw_due_log {
	struct fw_str id;             /* of the decision, which is noted with what becomes of each; n 0: nowhere */
	struct fw_products_then *then; /* what is asked of products; NULL: there is no catalogue */
	const struct fw_facts_names *names; /* of the items' `told`; NULL: they have none */
};

/* One message that is due. */
struct fw_due_item {
	struct fw_due due;
	uint32_t rule, rank;     /* FW_NONE: the set has it no more; its place among the rules, the strongest first */
	/* For whom judges: where the channel reaches the person, and whether nothing may go there. */
	struct fw_str address;   /* n 0: nowhere */
	bool suppressed;
	struct fw_str told;      /* made again: the bytes of what fw_due_facts_told made (facts_pack.h) */
	/* What became of it. FW_REASON_WON: it is to be sent now. */
	enum fw_reason reason;
	uint32_t guard, cap;     /* FW_REASON_VETOED, FW_REASON_CAPPED and of FW_REASON_DEFERRED one of them; else FW_NONE */
	struct fw_str by;        /* what stood in its way, for a person */
	int64_t until_us;        /* FW_REASON_DEFERRED; of FW_REASON_CAPPED 0 where it is not known */
	unsigned uses;           /* FW_REASON_WON: what it declares and what was read for it */
	struct fw_str content;   /* FW_REASON_WON: JSON, in the arena */
	struct fw_facts facts;   /* FW_REASON_WON: for its template; of others where any were needed, `has_facts` */
	bool has_facts;
	bool lost, poison;       /* of its last attempt nothing was heard; so often that it is dead */
};

/* Those of the record that somebody has to look at by `now_us`, strongest rule first, in the arena. 0 or FW_ENOMEM. */
int fw_due_list(const struct fw_ruleset *set, const struct fw_record *r, int64_t now_us, struct fw_arena *a, struct fw_due_item **ret,
	uint32_t *ret_n);

/* The facts of one of them, as `log` says (NULL: as they are). 0, FW_EINVAL, FW_ENOMEM. */
int fw_due_item_facts(const struct fw_ruleset *set, const struct fw_due_config *config, const struct fw_due_log *log,
	const struct fw_due_item *x, struct fw_str record, int64_t now_us, struct fw_arena *a, struct fw_facts *ret);

/* Judges them, one after the other, and writes into the record what follows: sent ones are FW_DUE_SENDING, with their places under caps;
 * put-off ones wait until then; all others are gone and noted. Marketing wants the channel's consent and room: one of a channel at once;
 * caps do not hold back the other classes, but count them. `log` NULL: nobody keeps it. All of these:
 * 0, FW_EINVAL, FW_ENOMEM; what they make lies in the arena. */
struct fw_due_judging;
int fw_due_judge_begin(struct fw_decider *d, const struct fw_due_config *config, struct fw_record *r, struct fw_due_item *items, uint32_t n,
	int64_t now_us, const struct fw_due_log *log, struct fw_arena *a, struct fw_due_judging **ret);
/* The next one that may go; NULL: all are judged. Before the next, whoever asked says whether it goes, because others go by it: what
 * is sent takes its place, its group and its channel, and what cannot be written takes nothing, and is dead. */
int fw_due_judge_next(struct fw_due_judging *j, struct fw_due_item **ret);
int fw_due_judge_send(struct fw_due_judging *j, struct fw_due_item *x);
int fw_due_judge_fail(struct fw_due_judging *j, struct fw_due_item *x, struct fw_str why);

/* What became of one, for an explanation, with what its condition lacks. Points to the item; the rest lies in the arena. */
void fw_explain_due(struct fw_decider *d, const struct fw_due_item *x, struct fw_arena *arena, struct fw_candidate *ret);

/* Counts what became of them, once it is written. */
void fw_due_count(struct fw_decider *d, const struct fw_due_item *items, uint32_t n, int64_t now_us);

/* What a channel said of an attempt; PUT_OFF: it never had it, so what was lost before it stays lost in a row. */
enum fw_due_told { FW_DUE_TOLD_SENT, FW_DUE_TOLD_AGAIN, FW_DUE_TOLD_FAILED, FW_DUE_TOLD_PUT_OFF };
/* Writes that into the record: sent ones are gone and noted, their places count; what is to be tried again waits, longer each time (at
 * least `after_ms`; -1: as it comes), its places free; what failed, was tried too often or would be too late is dead. `chance`: any number,
 * so that not all come at once. False: the record has no such message that is being sent. FW_ENOMEM through `ret_rc`. */
bool fw_due_settle(struct fw_record *r, const struct fw_due_config *config, uint64_t number, enum fw_due_told told, int64_t after_ms,
	struct fw_str reason, uint64_t chance, int64_t now_us, int *ret_rc);

#endif
