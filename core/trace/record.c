#include "base/clock.h"
#include "trace/trace.h"

static void put_text(struct fw_json_out *o, const char *key, const char *text)
{
	fw_json_key(o, key);
	fw_json_text_value(o, text);
}

/* The outcome of each function that ran, since a function's answer may hang on more than the facts say (its budget). */
static void put_functions(struct fw_json_out *o, const struct fw_decider *d)
{
	static const char *const truths[] = { "false", "unknown", "true" };
	fw_json_key(o, "functions");
	fw_json_open_array(o);
	for (uint32_t i = 0; i < d->set->n_functions; i++) {
		const struct fw_called *c = &d->eval.called[i];
		const struct fw_function *f = &d->set->functions[i];
		if ((c->epoch | 1) != (d->eval.epoch | 1))
			continue;
		fw_json_open_object(o);
		put_text(o, "file", f->place.file);
		fw_json_key(o, "line");
		fw_json_number(o, f->place.line);
		put_text(o, "outcome", c->failed ? c->over_budget ? "over_budget" : "failed" : c->json.n ? "content" : truths[c->truth]);
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
}

static void put_set_aside(struct fw_json_out *o, const struct fw_decider *d, int64_t now_us)
{
	fw_json_key(o, "setAside");
	fw_json_open_array(o);
	for (uint32_t i = 0; d->set_aside && i < d->set->n_rules; i++)
		if (fw_set_aside_is(d->set_aside, i, now_us))
			fw_json_text_value(o, d->set->rules[i].id);
	fw_json_close_array(o);
}

static void put_slot(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_slot_answer *a)
{
	fw_json_key(o, set->slots[a->slot].id);
	fw_json_open_object(o);
	put_text(o, "reason", fw_slot_reason_name(a->reason));
	fw_json_key(o, "winners");
	fw_json_open_array(o);
	for (uint32_t i = 0; i < a->n; i++)
		fw_json_text_value(o, set->rules[a->winners[i].rule].id);
	fw_json_close_array(o);
	fw_json_close_object(o);
}

void fw_trace_record(struct fw_json_out *o, const struct fw_decider *decider, const struct fw_facts *facts, const struct fw_decision *d)
{
	char at[32];
	fw_json_open_object(o);
	put_text(o, "id", d->id);
	put_text(o, "at", fw_time_text(d->at_us, at));
	put_text(o, "ruleSet", decider->set->hash);
	fw_json_key(o, "clock");
	fw_json_bool(o, facts->has_clock);
	fw_json_key(o, "facts");
	fw_facts_write(o, facts);
	fw_json_key(o, "profile");
	fw_json_text_value(o, facts->profile_in_reach ? "in_reach" : "out_of_reach");
	put_text(o, "behaviour", facts->profile_in_reach && facts->behaviour_in_reach ? "in_reach" : "out_of_reach");
	put_text(o, "caps", facts->caps_in_reach ? "in_reach" : "out_of_reach");
	fw_json_key(o, "seeds");
	fw_json_open_object(o);
	fw_json_key(o, "rollout");
	fw_json_number(o, 0);
	fw_json_close_object(o);
	fw_json_key(o, "key");
	if (facts->key.n)
		fw_json_string(o, facts->key);
	else
		fw_json_null(o);
	if (facts->has_point && facts->point >= 0) {
		fw_json_key(o, "rolloutPoint");
		fw_json_number(o, facts->point);
	}
	fw_json_key(o, "slots");
	fw_json_open_object(o);
	for (uint32_t i = 0; i < d->n_slots; i++)
		put_slot(o, decider->set, &d->slots[i]);
	fw_json_close_object(o);
	put_functions(o, decider);
	put_set_aside(o, decider, fw_now_us());
	fw_json_key(o, "holdout");
	fw_json_bool(o, d->holdout);
	fw_json_key(o, "arm");
	fw_json_null(o);
	fw_json_key(o, "propensity");
	fw_json_null(o);
	fw_json_close_object(o);
}
