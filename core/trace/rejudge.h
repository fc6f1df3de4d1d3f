/* Logged decisions of messages, made again: by the rules that made them, or by others. */
#ifndef FW_TRACE_REJUDGE_H
#define FW_TRACE_REJUDGE_H

#include "decide/due.h"
#include "message/template.h"
#include "trace/logged.h"

/* By what they are judged. */
struct fw_rejudge_rules {
	struct fw_decider *decider;            /* with set_aside memory of its own */
	const struct fw_templates *templates;  /* of its rule set */
	struct fw_zone_set *zones;
};

struct fw_rejudged {
	struct fw_due_item *items; /* all that were due, the strongest rule first; of those that go, `content` is as it is written */
	uint32_t n;
};

/* `record` of the person as it was read, `at_us` the decision's time, `names` go with its facts. Rules are set aside as then, those of
 * `before` (the set that made it) by their ids. Everything lies in the arena. 0; FW_ENOENT: these rules ask of products what was not asked
 * then; FW_EINVAL: damaged; FW_ENOMEM. */
int fw_rejudge(const struct fw_logged *l, const struct fw_facts_names *names, struct fw_str record, int64_t at_us,
	const struct fw_ruleset *before, const struct fw_rejudge_rules *rules, struct fw_arena *a, struct fw_rejudged *ret);

/* The one of that number; NULL: there is none. */
const struct fw_due_item *fw_rejudged_find(const struct fw_rejudged *r, uint64_t number);
/* Whether it came out as it is logged. */
bool fw_rejudged_is(const struct fw_logged *l, const struct fw_rejudged *r);

/* As an explanation: what was due of each channel, with what became of it. In the arena. 0 or FW_ENOMEM. */
int fw_rejudged_explain(struct fw_decider *d, const struct fw_rejudged *r, struct fw_arena *a, struct fw_explanation *ret);

/* What becomes of a message by other rules. */
enum fw_rejudged_change {
	FW_REJUDGED_SAME,
	FW_REJUDGED_ADDED,   /* it goes now, or is put off, and was refused */
	FW_REJUDGED_DROPPED, /* it is refused now */
	FW_REJUDGED_CHANGED, /* what it says is another, or when it goes */
};
enum fw_rejudged_change fw_rejudged_change(const struct fw_due_item *before, const struct fw_due_item *after);
/* Whether it goes, now or later. */
bool fw_rejudged_goes(const struct fw_due_item *x);

struct fw_replayed_message {
	const struct fw_due_item *before, *after;
	enum fw_rejudged_change change;
};
struct fw_replayed_messages {
	struct fw_replayed_message *items; /* as they were taken then */
	uint32_t n;
	bool changed;                      /* one of them */
};

/* Makes it again by the rules that made it, and by others. As fw_rejudge; FW_ECONFLICT: by its own rules it does not come out as it did,
 * so nothing can be said of others. */
int fw_replay_messages(const struct fw_logged *l, const struct fw_facts_names *names, struct fw_str record, int64_t at_us,
	const struct fw_rejudge_rules *before, const struct fw_rejudge_rules *after, struct fw_arena *a, struct fw_replayed_messages *ret);

#endif
