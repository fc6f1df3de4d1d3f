/* What would have to change so that a rule wins which does not: the fewest things that, changed together, make it win.
 *
 * A thing is one fact of the visitor's, or one line of the rule's: that it is enabled, its dates, its rollout, its priority, a cap. Each
 * answer was tried out: with the facts that it asks for, and as if the rule were as it says, the rule wins. */
#ifndef FW_CHECK_NEEDS_H
#define FW_CHECK_NEEDS_H

#include "decide/decide.h"

/* The closed list; names as in the JSON. */
enum fw_need_kind {
	FW_NEED_FACT,     /* a fact has another value */
	FW_NEED_PROOF,    /* a trait that a browser told is told by who may */
	FW_NEED_CONSENT,  /* of a message: its channel's */
	FW_NEED_ADDRESS,  /* of a message: one that its channel reaches */
	FW_NEED_ENABLED,
	FW_NEED_DATES,
	FW_NEED_ROLLOUT,
	FW_NEED_HOLDOUT,  /* the visitor is not in it */
	FW_NEED_PRIORITY,
	FW_NEED_CAP,      /* a place under it */
	FW_NEEDS,
};
/* "priority". */
const char *fw_need_name(enum fw_need_kind kind);

struct fw_need {
	enum fw_need_kind kind;
	uint32_t ref;            /* FW_NEED_FACT, FW_NEED_PROOF */
	double number;           /* FW_NEED_PRIORITY: the least; FW_NEED_ROLLOUT: the visitor's point, which it has to be above */
	const char *text;        /* for people: "1 more view of \"boots\"" */
};

struct fw_needs {
	struct fw_need *items;
	uint32_t n;
	bool determined; /* false: a function decides, or there are too many cases; `n` is 0 then */
	bool smallest;   /* false: it would win with these, but what could not be tried may take fewer */
	bool never;      /* whoever the visitor is, its condition and its guards do not let it win; `n` is 0 then */
};

/* Adds to each candidate of the explanation that did not win what it needs; `facts` and `slots` as the explanation had them. Everything
 * lies in the arena. 0 or FW_ENOMEM. */
int fw_needs_find(struct fw_decider *d, const struct fw_facts *facts, const uint32_t *slots, uint32_t n_slots, struct fw_arena *arena,
	struct fw_explanation *e);

#endif
