/* The tests that a rule set brings along: run before it serves, and by `floorwalker test`. */
#ifndef FW_DECIDE_SELFTEST_H
#define FW_DECIDE_SELFTEST_H

#include "decide/decide.h"

/* Runs every test of the set, or those whose id contains `only` (NULL: all). Each failure adds an error with the test's
 * place, what won instead, and why. Returns how many failed, or FW_ENOMEM; `ret_run` says how many ran. */
int fw_selftest_run(struct fw_decider *d, struct fw_zone_set *zones, const char *only, struct fw_errors *errors, uint32_t *ret_run);

#endif
