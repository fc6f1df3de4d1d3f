#include "server/load_steps.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

const char *fw_load_step_name(enum fw_load_step step)
{
	static const char *const names[FW_LOAD_STEPS] = { "configuration", "rules", "tests", "check", "catalog", "replay", "plugins" };
	return names[step];
}

void fw_steps_begin(struct fw_load_steps *s, enum fw_load_step step)
{
	s->items[step].us = fw_monotonic_us();
	s->items[step].note[0] = 0;
	atomic_store(&s->items[step].outcome, FW_STEP_RUNS);
}

void fw_steps_end(struct fw_load_steps *s, enum fw_load_step step, int rc)
{
	s->items[step].us = fw_monotonic_us() - s->items[step].us;
	atomic_store(&s->items[step].outcome, rc < 0 ? FW_STEP_FAILED : FW_STEP_OK);
}

void fw_steps_skip(struct fw_load_steps *s, enum fw_load_step step, const char *why)
{
	s->items[step].us = 0;
	snprintf(s->items[step].note, sizeof s->items[step].note, "%s", why);
	atomic_store(&s->items[step].outcome, FW_STEP_SKIPPED);
}

void fw_steps_note(struct fw_load_steps *s, enum fw_load_step step, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s->items[step].note, sizeof s->items[step].note, fmt, ap);
	va_end(ap);
}

static enum fw_step_outcome outcome_of(const struct fw_load_steps *s, unsigned i)
{
	enum fw_step_outcome outcome = (enum fw_step_outcome)atomic_load(&s->items[i].outcome);
	return outcome == FW_STEP_RUNS ? FW_STEP_FAILED : outcome;
}

enum fw_load_step fw_steps_failed(const struct fw_load_steps *s)
{
	unsigned i = 0;
	while (i < FW_LOAD_STEPS && outcome_of(s, i) != FW_STEP_FAILED)
		i++;
	return (enum fw_load_step)i;
}

void fw_steps_write(const struct fw_load_steps *s, struct fw_json_out *o)
{
	static const char *const names[] = { [FW_STEP_OK] = "ok", [FW_STEP_SKIPPED] = "skipped", [FW_STEP_FAILED] = "failed" };
	fw_json_open_array(o);
	for (unsigned i = 0; i < FW_LOAD_STEPS; i++) {
		enum fw_step_outcome outcome = outcome_of(s, i);
		bool runs = atomic_load(&s->items[i].outcome) == FW_STEP_RUNS;
		if (outcome == FW_STEP_NOT_REACHED)
			continue;
		fw_json_open_object(o);
		fw_json_key(o, "step");
		fw_json_text_value(o, fw_load_step_name((enum fw_load_step)i));
		fw_json_key(o, "outcome");
		fw_json_text_value(o, names[outcome]);
		fw_json_key(o, "ms");
		fw_json_number(o, (double)((runs ? fw_monotonic_us() - s->items[i].us : s->items[i].us) / 1000));
		fw_json_key(o, "note");
		fw_json_text_value(o, s->items[i].note[0] ? s->items[i].note : NULL);
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
}
