/* A visitor that somebody wrote down, with a history: fact/given.h's facts by name, and `events`, which run through the same
 * code as in production. */
#ifndef FW_PROFILE_GIVEN_H
#define FW_PROFILE_GIVEN_H

#include "base/zone.h"
#include "fact/facts.h"
#include "profile/event.h"
#include "profile/record.h"

/* fw_facts_given, and beside it `events`: [ { "event": "Product Viewed", "properties": {…}, "ago": "2d" }, … ], oldest first; in
 * Lua's shape { "Product Viewed", category = "boots", ago = "2d" } too. A fact given by name wins over one derived. `currency` is the
 * store's. 0, FW_ENOMEM or FW_EINVAL with the message. */
int fw_profile_given(struct fw_facts *f, struct fw_arena *a, const struct fw_json *visitor, const struct fw_zone *zone,
	const char *currency, struct fw_error *err);

/* The same, event by event, for whoever plays what happens in between. */
struct fw_given {
	struct fw_arena *arena;
	struct fw_record *record;         /* with the events before */
	int64_t base_us;                  /* `at`, or some midnight: from which ages count */
	int64_t end_us;                   /* when the answer is read: after `wait` and the events */
	struct fw_event event;            /* the one in hand */
	struct fw_profile_options options;
	const struct fw_json *next;
	unsigned number;
	struct fw_error *err;
};
/* `f` is as fw_facts_given made it of the visitor. 0, FW_EINVAL with the message, FW_ENOMEM. */
int fw_given_begin(struct fw_given *g, struct fw_arena *a, const struct fw_facts *f, const struct fw_json *visitor, const char *currency,
	struct fw_error *err);
/* 1: there is one more event, in `event`; 0: there is none; else as above. */
int fw_given_next(struct fw_given *g);
/* Applies it. 0 or FW_ENOMEM. */
int fw_given_apply(struct fw_given *g);

#endif
