/* The step of a load in which what was decided lately is decided again by the new rules, and too much that would be another refuses
 * them. */
#ifndef FW_SERVER_REHEARSAL_H
#define FW_SERVER_REHEARSAL_H

#include "server/config.h"
#include "server/load_steps.h"
#include "server/report.h"

struct fw_config_reload {
	uint64_t replay;   /* so many of the last decisions; 0: the step is left out */
	double fail_above; /* per cent of them that may be others */
};

/* What the configuration says: { replay = 10000, fail_above = 5 }. 0, or FW_EINVAL with the error. */
int fw_config_reload(const struct fw_config *config, struct fw_config_reload *ret, struct fw_error *err);

/* Asks `floorwalker replay`, this very program, in a process of its own. 0; FW_EFAILED with the error in the report: more would change than
 * may. That nothing could be replayed refuses nothing, and is noted. A process that is killed takes its replay with it. */
int fw_rehearse_load(const struct fw_config *config, struct fw_load_steps *steps, struct fw_report *report);

#endif
