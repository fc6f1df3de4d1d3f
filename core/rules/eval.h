/* Evaluating conditions for one visitor: the plain way, literal by literal, function by function. The index answers the
 * same for table conditions; a property test holds one against the other. */
#ifndef FW_RULES_EVAL_H
#define FW_RULES_EVAL_H

#include "rules/ruleset.h"
#include "rules/sandbox.h"

/* What became of a function's call, remembered for the decision: functions are pure. */
struct fw_called {
	uint64_t epoch;
	enum fw_truth truth;
	bool failed, over_budget;
	int height;                   /* calls one in the other, this one the outermost; of a segment: of the highest in it */
	unsigned reads;               /* of enum fw_uses */
	const struct fw_error *error; /* when failed; in the decision's arena */
	struct fw_str json;           /* of `show` */
};

/* One visitor's evaluation; belongs to a worker and is begun anew for each decision. */
struct fw_eval {
	const struct fw_ruleset *set;
	const struct fw_facts *facts;
	struct fw_arena *arena;
	uint64_t epoch;               /* even; odd while only what is proven counts */
	struct fw_called *called;     /* by function */
	struct fw_called *segments;   /* by segment; `truth`, `reads`, `failed` */
	struct fw_frame *frame;       /* of the function running now */
	const struct fw_facts *told;  /* while nothing but what is proven counts: the facts as they were told */
	struct fw_facts *proven;      /* the facts without what is only claimed; made when they are asked for */
	struct fw_buf json;
};

/* What a running function has read. */
struct fw_frame {
	unsigned reads;
	bool unknown; /* a fact without a value was read */
	int height;   /* of the calls that its reading of segments led to */
	bool compliance; /* the function is the compliance folder's */
};

/* What evaluating a condition brought up beside its truth. */
struct fw_seen {
	unsigned reads;               /* by functions */
	const struct fw_called *failure; /* the first function that failed, or NULL */
	int height;                   /* of the highest call, see struct fw_called */
};

int fw_eval_init(struct fw_eval *e, const struct fw_ruleset *set);
void fw_eval_finish(struct fw_eval *e);

/* The facts must not change until fw_eval_end. */
void fw_eval_begin(struct fw_eval *e, const struct fw_facts *facts, struct fw_arena *arena);
void fw_eval_end(struct fw_eval *e);

/* From here to fw_eval_trust each trait that is only claimed is out of reach, in conditions, segments and functions: what
 * anybody may write with a public key opens no guard. 0, or FW_ENOMEM: nothing has changed, and fw_eval_trust is not due. */
int fw_eval_distrust(struct fw_eval *e);
void fw_eval_trust(struct fw_eval *e);

/* The truth of a node (FW_NONE is true). `seen` is added to. */
enum fw_truth fw_eval_condition(struct fw_eval *e, uint32_t node, struct fw_seen *seen);
enum fw_truth fw_eval_literal(struct fw_eval *e, const struct fw_literal *l, struct fw_seen *seen);
enum fw_truth fw_eval_segment(struct fw_eval *e, uint32_t segment, struct fw_seen *seen);

/* Calls a `show` function: content in ->json, or ->failed. */
const struct fw_called *fw_eval_show(struct fw_eval *e, uint32_t function);

#endif
