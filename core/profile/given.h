/* A visitor that somebody wrote down, with a history: fact/given.h's facts by name, and `events`, which run through the same
 * code as in production. */
#ifndef FW_PROFILE_GIVEN_H
#define FW_PROFILE_GIVEN_H

#include "base/zone.h"
#include "fact/facts.h"

/* fw_facts_given, and beside it `events`: [ { "event": "Product Viewed", "properties": {…}, "ago": "2d" }, … ], oldest first; in
 * Lua's shape { "Product Viewed", category = "boots", ago = "2d" } too. A fact given by name wins over one derived. `currency` is the
 * store's. 0, FW_ENOMEM or FW_EINVAL with the message. */
int fw_profile_given(struct fw_facts *f, struct fw_arena *a, const struct fw_json *visitor, const struct fw_zone *zone,
	const char *currency, struct fw_error *err);

#endif
