/* What became of each rule of a set in decisions of the log, and what its upkeep wants. Only for cli/report.c. */
#ifndef FW_CLI_UPKEEP_H
#define FW_CLI_UPKEEP_H

#include "base/map.h"
#include "decide/decide.h"

/* Who stood in a rule's way, and how often. */
struct fw_upkeep_by {
	const char *id;
	uint64_t times;
};

enum { FW_UPKEEP_BY = 3 }; /* so many are named, the most frequent first */

struct fw_upkeep_rule {
	uint64_t asked;            /* decisions that asked its slot, or of its message that was due */
	uint64_t reasons[FW_REASONS];
	int64_t last_won_us;       /* 0: never */
	struct fw_upkeep_by beaten[FW_UPKEEP_BY], vetoed[FW_UPKEEP_BY]; /* by rules, by guards; id NULL: no more */
	bool tested;               /* a test expects it */
};

struct fw_upkeep {
	const struct fw_ruleset *set;
	struct fw_upkeep_rule *rules;
	struct fw_arena arena;
	struct fw_map ways;        /* (what, rule, by) to the number in … */
	uint64_t *times;
	uint32_t n_times, times_size;
	bool failed;               /* out of memory: something was not counted */

	/* What was counted. `has_log`: there was something to count. */
	bool has_log;
	uint64_t decisions, gaps, explanations;
	int64_t from_us, to_us, now_us, since_us;
};

/* 0 or FW_ENOMEM; to be finished in any case. */
int fw_upkeep_init(struct fw_upkeep *r, const struct fw_ruleset *set);
void fw_upkeep_finish(struct fw_upkeep *r);

/* One decision, explained by the set. */
void fw_upkeep_count(struct fw_upkeep *r, const struct fw_explanation *e);
/* Finds out who stood in whose way most. 0 or FW_ENOMEM. */
int fw_upkeep_sum(struct fw_upkeep *r);

/* Whether its condition was met: what then became of it is about others. */
uint64_t fw_upkeep_matched(const struct fw_upkeep_rule *rule);

/* What was found, as one JSON object, or as lists for people. */
void fw_upkeep_json(const struct fw_upkeep *r, struct fw_buf *out);
void fw_upkeep_text(const struct fw_upkeep *r, struct fw_buf *out);

#endif
