/* The checker: reads a loaded rule set without serving it, and finds what its author can hardly have meant.
 *
 * What it says for certain is so: of conditions in tables it is exact, each visitor that it shows was decided for, and each rule that
 * it calls beaten has the rules that beat it beside it. Where a function decides, or something that is not told apart exactly, the
 * verdict is `possible`; where the work would grow beyond all bounds, `not_determined`. */
#ifndef FW_CHECK_CHECK_H
#define FW_CHECK_CHECK_H

#include "decide/decide.h"

/* The closed list; names as in the JSON. */
enum fw_finding_code {
	FW_FINDING_CONTRADICTION,  /* a condition that no visitor meets */
	FW_FINDING_NEVER_WINS,     /* a rule that stronger ones beat wherever it matches */
	FW_FINDING_ALWAYS_VETOED,  /* a rule that guards remove wherever it matches */
	FW_FINDING_TIE,            /* two rules of which only the id says who is first */
	FW_FINDING_OVER,           /* a rule whose time is over */
	FW_FINDING_NEVER_COMES,    /* a rule whose dates and its condition never meet */
	FW_FINDING_NOBODY,         /* a rollout of 0 */
	FW_FINDING_GUARD_IDLE,     /* a guard that no candidate can trip */
	FW_FINDING_GUARD_CLOSED,   /* a guard that lets nobody through */
	FW_FINDING_EMPTY_SLOT,     /* a slot without a default that shows some visitors nothing */
	FW_FINDING_UNUSED_SLOT,
	FW_FINDING_UNUSED_SEGMENT,
	FW_FINDING_UNUSED_GUARD,   /* a guard or a cap that applies to no rule */
	FW_FINDING_UNUSED_TAG,     /* a tag that no guard and no cap names */
	FW_FINDING_NO_SUCH_TAG,    /* a tag, rule or slot that `applies` names and nothing has */
	FW_FINDING_ONE_IS_ENOUGH,  /* a list of purposes in `require` */
	FW_FINDING_NO_SUCH_VALUE,  /* a country that there is not */
	FW_FINDINGS,
};
/* "never_wins". */
const char *fw_finding_name(enum fw_finding_code code);

enum fw_verdict_of { FW_CERTAIN, FW_POSSIBLE, FW_NOT_DETERMINED };
/* "certain". */
const char *fw_verdict_name(enum fw_verdict_of verdict);

struct fw_finding {
	enum fw_finding_code code;
	enum fw_verdict_of verdict;
	const char *kind;        /* "rule", "slot", "segment", "guard", "cap", "tag" */
	const char *id;
	const char **with;       /* the other rules or guards that it takes */
	uint32_t n_with;
	const char *message, *hint;
	struct fw_str witness;   /* a visitor, JSON as `given` has it; n 0: none */
	struct fw_place place;
};

struct fw_findings {
	struct fw_finding *items; /* by file and line */
	uint32_t n, size;
	uint32_t certain, possible, not_determined;
};

/* {"code","rule","with","verdict","message","hint","witness","file","line"}; in place of "rule" what kind it is about. */
struct fw_json_out;
void fw_finding_write(struct fw_json_out *out, const struct fw_finding *f);

/* Everything found lies in the arena. `decider` is of this set: visitors that are shown were decided for with it, without a
 * holdout, and are counted in its counts. `now_us`: dates before it are over. 0 or FW_ENOMEM. */
int fw_check(struct fw_decider *decider, struct fw_zone_set *zones, int64_t now_us, struct fw_arena *arena, struct fw_findings *ret);

#endif
