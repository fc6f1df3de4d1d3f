/* A shadow: a second rule set that decides again, with no effect, what the one in service has decided for a sample of requests, once
 * they are answered. */
#ifndef FW_SERVER_SHADOW_H
#define FW_SERVER_SHADOW_H

#include "decide/decide.h"
#include "base/zone.h"
#include "server/config.h"
#include "server/shadow_page.h"

struct fw_shadow;        /* what the workers of a generation share */
struct fw_shadow_worker; /* one worker's part */

struct fw_config_shadow {
	const char *rules; /* the folder, in the arena; NULL: there is no shadow */
	double sample;     /* of the decisions, 0 to 1 */
};

/* What the configuration says of it: "folder", or { rules = "folder", sample = 0.1 }. 0, FW_EINVAL with the error, or FW_ENOMEM. */
int fw_config_shadow(const struct fw_config *config, struct fw_arena *a, struct fw_config_shadow *ret, struct fw_error *err);

/* In the loader: NULL where there is none, or where its rules do not load, which hinders nobody: the page says why, and the log does. The
 * page is cleared. */
struct fw_shadow *fw_shadow_load(const struct fw_config *config, struct fw_zone_set *zones, struct fw_shadow_page *page);
void fw_shadow_destroy(struct fw_shadow *shadow);

/* In a worker. NULL: out of memory. */
struct fw_shadow_worker *fw_shadow_worker_create(struct fw_shadow *shadow, const struct fw_ruleset *live, double holdout);
void fw_shadow_worker_destroy(struct fw_shadow_worker *w);

/* Whether the next decision is of the sample. */
bool fw_shadow_draw(struct fw_shadow_worker *w);
/* Decides again, and counts what is different. `facts` are those that it was made from. */
void fw_shadow_compare(struct fw_shadow_worker *w, const struct fw_facts *facts, const struct fw_decision *decision,
	struct fw_arena *arena);
/* Between requests: what functions have left behind. */
void fw_shadow_turned(struct fw_shadow_worker *w);

#endif
