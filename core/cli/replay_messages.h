/* What a replay counts of messages, by channel and by rule; in memory that its processes share. Only for cli/replay.c and its tally. */
#ifndef FW_CLI_REPLAY_MESSAGES_H
#define FW_CLI_REPLAY_MESSAGES_H

#include <stdatomic.h>

#include "base/map.h"
#include "trace/rejudge.h"

struct fw_replay_message_counts {
	_Atomic uint64_t judged, went, goes; /* of those that were due: that went or were put off, then, and by the other rules */
	_Atomic uint64_t changes[FW_REJUDGED_CHANGED + 1];
};

struct fw_replay_messages {
	const struct fw_map *rules, *channels; /* by what numbers ids are known */
	const char *const *rule_texts, *const *rule_channels, *const *channel_texts;
	uint32_t n_rules, n_channels;
	struct fw_replay_message_counts *all, *by_rule, *by_channel; /* shared: one; one each */
};

/* How much shared memory it takes, and its parts in such memory, all zeros. */
size_t fw_replay_messages_bytes(const struct fw_replay_messages *m);
void fw_replay_messages_in(struct fw_replay_messages *m, void *memory);

/* One decision that was made again. */
void fw_replay_messages_add(struct fw_replay_messages *m, const struct fw_replayed_messages *r);
/* "email reminder: won → vetoed by quiet-hours", one a line, of those that change. */
void fw_replay_messages_sample(const struct fw_replayed_messages *r, struct fw_buf *out);
/* The member "messages" of an open object; and a table, if any changes. */
void fw_replay_messages_json(const struct fw_replay_messages *m, struct fw_json_out *o);
void fw_replay_messages_text(const struct fw_replay_messages *m, struct fw_buf *out);

#endif
