/* A visitor that somebody wrote down: `given` of a rule test, a line that `floorwalker decide` reads. */
#ifndef FW_FACT_GIVEN_H
#define FW_FACT_GIVEN_H

#include "base/zone.h"
#include "fact/facts.h"

/* Reads an object of facts by name, in the shape rules see them: { country = "CA", cart = { total = 80 },
 * consent = { "email" }, traits = { plan = "pro" }, viewed = { category = "boots", total = 3 } }, with `at`, `wait` and
 * `rollout` beside them. Initializes `f` (profile in reach: what is not given has no value; no cap is used up). Without `rollout` the
 * visitor is inside every rollout; `events` are left to profile/given.h; without `at` there is no clock. A time without an
 * offset is in `zone`.
 * Returns 0, FW_ENOMEM or FW_EINVAL with the message ("given.countri: there is no such fact", hint) in `err`. */
int fw_facts_given(struct fw_facts *f, struct fw_arena *a, const struct fw_json *visitor, const struct fw_zone *zone,
	struct fw_error *err);

/* A query's key kind by its word ("category", "product", "brand", "term"), or FW_KEY_NONE; and back. */
enum fw_key_kind fw_key_kind_find(struct fw_str word);
const char *fw_key_kind_name(enum fw_key_kind kind);

/* Whether history is kept for a window of so many seconds: 1h to 400d, in whole hours up to 3d, then in whole days. */
bool fw_within_fits(int64_t seconds);

#endif
