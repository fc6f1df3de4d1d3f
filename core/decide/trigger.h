/* What events set off: messages that are to come, and those that are not to come any more. Pure: an event and a record in, the
 * record's messages out. Conditions, guards and caps are judged when a message is due (due.h), never here. */
#ifndef FW_DECIDE_TRIGGER_H
#define FW_DECIDE_TRIGGER_H

#include "decide/due.h"

struct fw_triggers;

/* Which rules of the set an event of which name concerns. NULL: out of memory. */
struct fw_triggers *fw_triggers_create(const struct fw_ruleset *set);
void fw_triggers_destroy(struct fw_triggers *t);
/* Whether an event of that name (n 0: of none) may set off or cancel a message; by a change of who is in a segment any may. */
bool fw_triggers_concern(const struct fw_triggers *t, struct fw_str event);
/* Whether a message of each rule that such an event sets off finds room: none of them has one that waits, which would make way for it.
 * False also where there is no such rule. */
bool fw_triggers_has_room(const struct fw_triggers *t, struct fw_str event, const struct fw_record *r);
/* Whether there is such a rule. */
bool fw_triggers_sets_off(const struct fw_triggers *t, struct fw_str event);
/* Whether fw_trigger needs to know the record as it was before. */
bool fw_triggers_segments(const struct fw_triggers *t);

/* An event that was applied to a record. */
struct fw_trigger_event {
	struct fw_str name;    /* of a track event; n 0: of none */
	int64_t at_us, received_us;
	uint64_t hash;         /* tells events apart, and stays when it is handed in again */
	struct fw_str facts;   /* what fw_due_pack made of it; n 0: nothing */
	bool imported;
};

/* Puts what is triggered among the messages of `r`, which has the event already, and takes out what is cancelled. `before` is the
 * record as it was (n 0: there was none): who was in a segment before is not entering it. What finds no room is refused and
 * noted. 0 or FW_ENOMEM. */
int fw_trigger(const struct fw_triggers *t, struct fw_decider *d, const struct fw_due_config *config, const struct fw_trigger_event *e,
	struct fw_str before, struct fw_record *r);
/* The same of time alone: who has come to be in a segment meanwhile, and what comes at intervals. `ret_changed`: the record was.
 * 0, FW_EINVAL or FW_ENOMEM. */
int fw_trigger_sweep(const struct fw_triggers *t, struct fw_decider *d, const struct fw_due_config *config, int64_t now_us,
	struct fw_record *r, bool *ret_changed);
/* Whether any rule needs the sweep. */
bool fw_triggers_sweep(const struct fw_triggers *t);

#endif
