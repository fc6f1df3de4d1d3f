/* What commands that read the decision log share: its rule sets, and the store's key. */
#ifndef FW_CLI_LOGGED_H
#define FW_CLI_LOGGED_H

#include "cli/stored.h"
#include "message/template.h"
#include "trace/log_find.h"

/* The rule set that the log of that folder keeps of one that decided, and its templates, which lie in its arena. 0, or FW_E… with what is
 * missing. */
int fw_logged_set_load(const char *folder, const struct fw_log_set *set, struct fw_zone_set *zones, struct fw_ruleset **ret,
	struct fw_templates **ret_templates, struct fw_error *err);

/* The key that the store's secret makes for the log, waited for. 0 or FW_EAWAY. */
int fw_logged_store_key(struct fw_stored *s, unsigned char ret[FW_SEAL_KEY], struct fw_error *err);
/* The key of a person, waited for. 0; FW_ENOENT: it is gone; or what the store says. */
int fw_logged_person_key(struct fw_stored *s, uint64_t hash, uint32_t period, struct fw_arena *a, unsigned char ret[FW_SEAL_KEY]);

/* Whether what was decided speaks of slots and rules that the set has. */
bool fw_logged_fits(const struct fw_logged *l, const struct fw_ruleset *set);

#endif
