/* Conditions, compiled: a tree over literals, each literal a question to one fact. */
#ifndef FW_RULES_CONDITION_H
#define FW_RULES_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "fact/facts.h"
#include "fact/truth.h"

#define FW_NONE UINT32_MAX

/* What a literal asks: a fact, or one member, query or segment of it. Interned: one number an asked thing. */
struct fw_ref {
	enum fw_fact fact;
	struct fw_str member;   /* traits.NAME, event.NAME, engagement.NAME */
	struct fw_query query;  /* viewed … affinity */
	uint32_t segment;       /* FW_FACT_SEGMENT */
};

enum fw_op {
	FW_OP_ONE_OF,   /* equals one of the values; a set holds one of them */
	FW_OP_ALL_OF,   /* the set holds each of them */
	FW_OP_RANGE,
	FW_OP_STARTS, FW_OP_ENDS, FW_OP_CONTAINS,
	FW_OP_KNOWN, FW_OP_UNKNOWN,
	FW_OP_TRUE,     /* a segment */
};

/* How a value is read before it is compared. */
enum fw_as { FW_AS_TEXT, FW_AS_LANGUAGE, FW_AS_NUMBER, FW_AS_BOOL };

struct fw_literal {
	uint32_t ref;
	enum fw_op op;
	enum fw_as as;
	bool negated;            /* is_not: known, and does not match */
	struct fw_str *written;  /* texts as the rule has them, for messages */
	struct fw_str *texts;    /* folded; FW_AS_TEXT, FW_AS_LANGUAGE */
	double *numbers;         /* FW_AS_NUMBER; FW_AS_BOOL: 0 or 1 */
	uint32_t n;
	double low, high;        /* FW_OP_RANGE; infinities for a missing bound */
	bool low_open, high_open, wraps;
};

enum fw_node_kind { FW_NODE_ALL, FW_NODE_ANY, FW_NODE_NOT, FW_NODE_LITERAL, FW_NODE_FUNCTION };

struct fw_node {
	enum fw_node_kind kind;
	uint32_t first, n; /* ALL, ANY, NOT (one): children, in set->children; LITERAL, FUNCTION: first is its index */
};

struct fw_ruleset;
struct fw_eval;

/* A literal against a value, without segments. */
enum fw_truth fw_literal_test(const struct fw_literal *l, const struct fw_value *v);
/* The value a reference has for this visitor (not for segments). Copies are cheap: texts are shared. */
struct fw_value fw_ref_value(const struct fw_ref *ref, const struct fw_facts *facts);

/* For people: "cart.total", "traits.plan", "viewed{category=\"boots\",within=\"7d\"}"; "at_least(150)"; a value. */
void fw_duration_text(int64_t s, struct fw_buf *out); /* "7d", "90m" */
void fw_ref_text(const struct fw_ruleset *set, const struct fw_ref *ref, struct fw_buf *out);
void fw_literal_text(const struct fw_ruleset *set, const struct fw_literal *l, struct fw_buf *out);
void fw_value_text_for(const struct fw_ref *ref, const struct fw_value *v, struct fw_buf *out);

#endif
