/* Rules taken apart for the index: each alternative of a rule is a row, a conjunction of literals. What a row leaves out
 * (functions, alternatives past the limit) is looked at again in full when the row comes up. */
#ifndef FW_RULES_ROWS_H
#define FW_RULES_ROWS_H

#include "rules/ruleset.h"

struct fw_term {
	uint32_t literal;
	bool negated; /* the literal must be false, not unknown */
};

struct fw_row {
	uint32_t rule;
	uint32_t first, n; /* terms */
	bool verify;       /* the row is necessary for the rule's condition, not sufficient */
};

struct fw_rows {
	struct fw_row *rows; /* by slot, strongest rule first */
	struct fw_term *terms;
	uint32_t n_rows, rows_size, n_terms, terms_size;
	uint32_t *slot_first; /* n_slots + 1 */
};

int fw_rows_make(const struct fw_ruleset *set, struct fw_rows *ret);
void fw_rows_finish(struct fw_rows *r);

/* The literal as the term means it: negation worked in. */
struct fw_literal fw_term_literal(const struct fw_ruleset *set, struct fw_term t);

#endif
