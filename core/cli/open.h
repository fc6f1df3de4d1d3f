/* What the commands that work on rules share: finding the configuration, the rule folder and the compliance folder, and
 * loading them. */
#ifndef FW_CLI_OPEN_H
#define FW_CLI_OPEN_H

#include "decide/decide.h"
#include "message/template.h"
#include "server/config.h"

struct fw_opened {
	struct fw_config *config; /* or NULL: none was found */
	struct fw_zone_set *zones;
	struct fw_ruleset *set;
	struct fw_templates *templates; /* in the set's arena */
	struct fw_errors errors;
	void *counts;
	struct fw_decider decider;
	bool decides;
};

/* Loads the rules of `rules` (NULL: the configuration's), with the compliance folder of the configuration; says on
 * stderr when there is none. `config` is what --config said, or NULL. Returns 0, or FW_E… with `errors` filled (print them
 * with fw_opened_report). Close in either case. */
int fw_opened_open(struct fw_opened *o, const char *config, const char *rules);
void fw_opened_close(struct fw_opened *o);

/* The errors, one a line, on stderr, with how many there were. */
void fw_opened_report(const struct fw_opened *o);
void fw_opened_print(const struct fw_error *err);
/* As {"file","line","message","hint"}. */
void fw_opened_error_json(struct fw_json_out *out, const struct fw_error *err);

/* "a,b" into the numbers of slots; an unknown one is an error on stderr with the nearest name. NULL: all slots. 0 or
 * FW_EINVAL. `ret_slots` is to be freed. */
int fw_opened_slots(const struct fw_opened *o, const char *list, uint32_t **ret_slots, uint32_t *ret_n);

#endif
