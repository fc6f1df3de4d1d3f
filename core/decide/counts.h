/* What is counted of rules and guards, by each worker in memory of its own that others may read and add up. */
#ifndef FW_DECIDE_COUNTS_H
#define FW_DECIDE_COUNTS_H

#include <stddef.h>
#include <stdint.h>

struct fw_ruleset;

struct fw_rule_counts {
	uint64_t won, vetoed, capped, failed; /* exact */
	uint64_t matched, beaten;             /* of sampled decisions */
	int64_t last_us;                      /* when it last won */
};

struct fw_decision_counts {
	uint64_t decisions, slots_by_reason[4], sampled, degraded, failed, over_budget, set_aside, out_of_stock;
};

struct fw_counts {
	struct fw_decision_counts *all;
	struct fw_rule_counts *rules;
	uint64_t *vetoes;   /* by guard */
	uint64_t *refusals; /* by cap */
};

size_t fw_counts_bytes(const struct fw_ruleset *set);
/* The parts of such memory. */
struct fw_counts fw_counts_in(const struct fw_ruleset *set, void *memory);
/* Adds another worker's counts to `sum`. */
void fw_counts_add(const struct fw_ruleset *set, struct fw_counts *sum, const struct fw_counts *more);

#endif
