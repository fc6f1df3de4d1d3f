/* Plays a visitor that somebody wrote down through time: his events trigger, cancel and put off messages as in production, and each is
 * judged when it is due. For rule tests and the command line. */
#ifndef FW_DECIDE_REHEARSE_H
#define FW_DECIDE_REHEARSE_H

#include "decide/trigger.h"

/* A message that was sent. */
struct fw_rehearsed {
	uint32_t rule;
	int64_t at_us;
	struct fw_str content; /* JSON */
	struct fw_facts facts;
};

struct fw_rehearsal {
	struct fw_rehearsed *sent; /* from `at` on, until `wait` is over; in the order of time */
	uint32_t n;
	struct fw_record *record;  /* as it is then: with what waits, and what became of the others */
};

/* `visitor` as fw_profile_given reads it. Whoever is given has an address on every channel. Everything lies in the arena.
 * 0, FW_EINVAL with the message, FW_ENOMEM. */
int fw_rehearse(struct fw_decider *d, const struct fw_triggers *t, struct fw_zone_set *zones, const struct fw_json *visitor,
	struct fw_arena *a, struct fw_rehearsal *ret, struct fw_error *err);

#endif
