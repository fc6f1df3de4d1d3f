/* The checker's inside. Not for other rooms. */
#ifndef FW_CHECK_OWN_H
#define FW_CHECK_OWN_H

#include "check/check.h"
#include "check/cover.h"
#include "decide/trigger.h"

/* A rule as the checker sees it. */
struct fw_checked {
	struct fw_boxes when;      /* where its condition is true, from now on and within its dates */
	struct fw_boxes effective; /* … and its guards let it through, as far as that is known before a decision */
	bool alive;                /* it can win something, as far as anything found so far says */
	bool hangs;                /* a function, or what is not told apart, decides whether it wins */
	bool sure;                 /* it wins wherever `effective` is and there is room: no rollout, cap or group stands in the way */
	bool unsure_group;         /* it would be sure, but for its group */
	bool tied;                 /* a tie of it was found */
};

/* What sets messages off, and when they are due then. */
struct fw_occasion {
	const char *event;         /* as one of the rules has it */
	int64_t after_s;
	const char *channels[2];   /* whose consent they need, or NULL */
};

/* Rules that stand against one another: those of a slot, or messages that one event sets off and of which one can be sent. */
struct fw_contest {
	const uint32_t *rules;     /* strongest first */
	uint32_t n, room;
	uint32_t slot;             /* FW_NONE: messages, on … */
	struct fw_occasion occasion;
};

struct fw_checker {
	const struct fw_ruleset *set;
	struct fw_decider *decider;
	struct fw_zone_set *zones;
	int64_t now_us;
	struct fw_arena *arena;    /* of what is found, and of all boxes that are kept */
	struct fw_arena scratch;   /* of searches */
	struct fw_domain domain;
	struct fw_domain *ever;    /* the same with the days that are past; made when it is needed */
	struct fw_maker maker, searcher;
	struct fw_checked *rules;
	struct fw_boxes *guards;   /* where each opens */
	struct fw_triggers *triggers; /* made when it is needed */
	uint64_t budget;
	struct fw_findings *found;
};

/* A finding to be filled in; NULL: no memory. */
struct fw_finding *fw_check_add(struct fw_checker *c, enum fw_finding_code code, const char *kind, const char *id, struct fw_place place);
const char *fw_check_text(struct fw_checker *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A finding of a rule that the budget was not enough for; `what` as in "whether it can win". */
void fw_check_undetermined(struct fw_checker *c, enum fw_finding_code code, const struct fw_rule *r, const char *what);
/* The names of what stands beside a finding. */
void fw_check_with(struct fw_checker *c, struct fw_finding *f, const uint32_t *rules, uint32_t n);

/* Whether a rule's list of guards or caps, which ascend, has one. */
bool fw_check_has(const uint32_t *list, uint32_t n, uint32_t x);
/* What contradicts what, for people: "country is both \"CA\" and \"NO\"". */
const char *fw_check_conflict(struct fw_checker *c, uint32_t node, uint32_t dim);
/* "\"a\", \"b\" and \"c\"". */
const char *fw_check_names(struct fw_checker *c, const uint32_t *rules, uint32_t n);

/* Whether stronger rules hold all that is in `boxes`, of the rule; then it is reported, as possible if that is `hanging`. */
enum fw_covered fw_check_beaten(struct fw_checker *c, uint32_t rule, const struct fw_boxes *boxes, struct fw_coverer *s, uint32_t n,
	uint32_t room, bool hanging);
/* Ties of rules that stand against one another. 0 or FW_ENOMEM. */
int fw_check_contest(struct fw_checker *c, const struct fw_contest *x);

int fw_check_prepare(struct fw_checker *c);    /* prepare.c: boxes; contradictions, dates, vetoes */
int fw_check_rules(struct fw_checker *c);      /* find_beaten.c */
int fw_check_ties(struct fw_checker *c);       /* find_ties.c */
int fw_check_messages(struct fw_checker *c);   /* find_messages.c: both, of messages */
int fw_check_slots(struct fw_checker *c);      /* find_slots.c */
int fw_check_guards(struct fw_checker *c);     /* find_guards.c */
int fw_check_unused(struct fw_checker *c);     /* find_unused.c */
int fw_check_values(struct fw_checker *c);     /* find_values.c */

#endif
