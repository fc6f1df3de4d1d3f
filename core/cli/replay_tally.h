/* What a replay counts: in memory that its processes share, by ids that are known before they begin. Only for cli/replay.c. */
#ifndef FW_CLI_REPLAY_TALLY_H
#define FW_CLI_REPLAY_TALLY_H

#include <stdatomic.h>

#include "base/map.h"
#include "cli/replay_messages.h"
#include "trace/replay.h"

/* Why a decision says nothing of other rules. */
enum fw_replay_gap {
	FW_REPLAY_ERASED,     /* the person was, since */
	FW_REPLAY_NO_RULES,   /* the rule set that made it is not kept any more */
	FW_REPLAY_DIFFERENT,  /* made again it does not come out as it did */
	FW_REPLAY_NO_PRODUCTS, /* the other rules ask of the catalogue what was not asked then */
	FW_REPLAY_DAMAGED,
	FW_REPLAY_GAPS,
};

enum { FW_REPLAY_SAMPLES_MOST = 1000 };

/* Ids in the order in which they were met. */
struct fw_replay_ids {
	struct fw_map map;
	const char **texts, **channels; /* channels: of slots and of rules that send messages; NULL: none */
	uint32_t n, size;
};
int fw_replay_id(struct fw_replay_ids *ids, struct fw_arena *a, const char *text, uint32_t *ret); /* 0 or FW_ENOMEM */

struct fw_replay_counts {
	_Atomic uint64_t a, b, c, d; /* slots: decided, changed; rules: won before, win now, lost, gained; segments: changed */
};

struct fw_replay_sample {
	char id[37];
	char text[600]; /* "slot: a → b", one a line */
};

struct fw_replay_totals {
	_Atomic uint64_t decisions, changed, gaps[FW_REPLAY_GAPS];
	_Atomic uint64_t explanations;            /* that were passed over: nothing was shown */
	_Atomic uint32_t samples;
};

struct fw_replay_tally {
	struct fw_replay_ids slots, rules, segments, channels;
	struct fw_replay_messages messages;
	struct fw_replay_totals *totals;          /* shared, as are the next four */
	struct fw_replay_counts *by_slot, *by_rule, *by_segment;
	struct fw_replay_sample *samples;
	uint32_t n_samples;
	int64_t first_us, last_us;
	size_t bytes;
};

/* The shared memory, once all ids are known. 0 or FW_ENOMEM. */
int fw_replay_tally_share(struct fw_replay_tally *t);
void fw_replay_tally_finish(struct fw_replay_tally *t);

/* One decision that was made again. `numbers`: of a set's slots and rules among the ids. */
struct fw_replay_numbers {
	uint32_t *slots, *rules;
};
void fw_replay_tally_add(struct fw_replay_tally *t, const char *id, const struct fw_replayed *r, const struct fw_ruleset *before,
	const struct fw_replay_numbers *before_numbers, const struct fw_ruleset *after, const struct fw_replay_numbers *after_numbers);
/* One of messages. */
void fw_replay_tally_add_messages(struct fw_replay_tally *t, const char *id, const struct fw_replayed_messages *r);
/* The visitor of a decision that changed is in that segment. */
void fw_replay_tally_segment(struct fw_replay_tally *t, uint32_t segment);
/* It was an explanation. */
void fw_replay_tally_pass_over(struct fw_replay_tally *t);
/* Nothing can be said of it. */
void fw_replay_tally_gap(struct fw_replay_tally *t, enum fw_replay_gap gap);

/* Per cent of what could be determined. */
double fw_replay_tally_changed(const struct fw_replay_tally *t);
void fw_replay_tally_print(const struct fw_replay_tally *t, bool json, struct fw_buf *out);

#endif
