/* A logged decision, made again by other rules: what they would have shown to the visitor of then, at that time. */
#ifndef FW_TRACE_REPLAY_H
#define FW_TRACE_REPLAY_H

#include "trace/logged.h"

struct fw_replayed_slot {
	const struct fw_slot_answer *before, *after; /* after NULL: the other rules have no such slot */
	bool changed; /* other winners, or what one of them shows is another */
};

struct fw_replayed {
	struct fw_facts facts;
	struct fw_replayed_slot *slots; /* as asked then */
	uint32_t n;
	bool changed; /* one of them */
};

/* `before` has the rules that decided, `after` the others; both with set_aside memory of their own. What changes is made again by both;
 * what does not, only if `verify`. Everything lies in the arena. 0; FW_ECONFLICT: made again by its own rules it does not come out as it
 * did, so nothing can be said of others; FW_ENOENT: the others ask of products what was not asked then; FW_EINVAL: damaged, or not of these
 * rules; FW_ENOMEM. */
int fw_replay(const struct fw_logged *l, const struct fw_facts_names *names, struct fw_str record, struct fw_decider *before,
	struct fw_decider *after, bool verify, struct fw_arena *a, struct fw_replayed *ret);

/* Whether a slot shows something else by other rules: other winners, or what one of them shows is another. b NULL: there is no such
 * slot. */
bool fw_replay_differs(const struct fw_ruleset *before, const struct fw_slot_answer *a, const struct fw_ruleset *after,
	const struct fw_slot_answer *b);
/* Whether a rule of that id is among the winners. NULL: there are none. */
bool fw_replay_wins(const struct fw_ruleset *set, const struct fw_slot_answer *a, const char *id);

#endif
