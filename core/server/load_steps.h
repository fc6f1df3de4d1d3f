/* The steps of a load, each with its outcome: written by the loader into the shared page, so that the master knows them also when the
 * loader dies; told by `reload`, /readyz?verbose, log and /metrics. */
#ifndef FW_SERVER_LOAD_STEPS_H
#define FW_SERVER_LOAD_STEPS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"

/* In their order. */
enum fw_load_step {
	FW_STEP_CONFIGURATION, /* floorwalker.lua is read */
	FW_STEP_RULES,         /* rules, compliance folder and templates are parsed */
	FW_STEP_TESTS,         /* the rule set's own */
	FW_STEP_CHECK,         /* floorwalker check */
	FW_STEP_CATALOG,       /* the feed of the products is read */
	FW_STEP_REPLAY,        /* what was decided lately is decided again */
	FW_STEP_PLUGINS,       /* they are loaded and configured */
	FW_LOAD_STEPS
};
const char *fw_load_step_name(enum fw_load_step step);

enum fw_step_outcome { FW_STEP_NOT_REACHED, FW_STEP_RUNS, FW_STEP_OK, FW_STEP_SKIPPED, FW_STEP_FAILED };

struct fw_load_steps {
	struct {
		_Atomic int32_t outcome; /* enum fw_step_outcome; one that still runs when the load is over has failed */
		int64_t us;              /* it took, or since when it runs (monotonic) */
		char note[200];          /* what came of it; "": nothing worth telling */
	} items[FW_LOAD_STEPS];
};

void fw_steps_begin(struct fw_load_steps *steps, enum fw_load_step step);
/* `rc` as the step returned it. */
void fw_steps_end(struct fw_load_steps *steps, enum fw_load_step step, int rc);
void fw_steps_skip(struct fw_load_steps *steps, enum fw_load_step step, const char *why);
void fw_steps_note(struct fw_load_steps *steps, enum fw_load_step step, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The one that failed of a load that is over, or FW_LOAD_STEPS. */
enum fw_load_step fw_steps_failed(const struct fw_load_steps *steps);
/* [{"step","outcome","ms","note"}], of those that were reached. */
void fw_steps_write(const struct fw_load_steps *steps, struct fw_json_out *o);

#endif
