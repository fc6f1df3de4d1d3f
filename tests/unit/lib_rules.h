/* Rule sets from text, and what they decide, for unit tests. */
#ifndef FW_TEST_LIB_RULES_H
#define FW_TEST_LIB_RULES_H

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "decide/decide.h"
#include "profile/given.h"
#include "rules/ruleset.h"
#include "rules/sandbox.h"
#include "signal/signal.h"

struct rules {
	struct fw_zone_set *zones;
	struct fw_ruleset *set;
	struct fw_errors errors;
	bool began;             /* to load: what goes wrong has an error from then on */
	struct fw_decider decider;
	void *counts, *set_aside;
	struct fw_arena arena; /* of the last decision */
	struct fw_facts facts;
	struct fw_decision decision;
	struct fw_explanation explanation;
};

/* Loads one rule file, and one of the compliance folder unless it is NULL. */
static inline int rules_load(struct rules *r, const char *text, const char *compliance)
{
	struct fw_files files = { 0 };
	struct fw_ruleset_options options = { .texts = &files, .compliance = "compliance", .timezone = "Europe/Berlin" };
	*r = (struct rules){ .set = NULL };
	fw_errors_init(&r->errors);
	fw_arena_init(&r->arena, NULL, 0, 0);
	r->zones = options.zones = fw_zone_set_create();
	int ret = r->zones ? fw_files_add(&files, "a.lua", text, strlen(text), false) : FW_ENOMEM;
	if (ret == 0 && compliance)
		ret = fw_files_add(&files, "law.lua", compliance, strlen(compliance), true);
	r->began = ret == 0;
	if (ret == 0)
		ret = fw_ruleset_load(&options, &r->set, &r->errors);
	fw_files_finish(&files);
	if (ret < 0)
		return ret;
	r->counts = calloc(1, fw_counts_bytes(r->set));
	r->set_aside = calloc(1, fw_set_aside_bytes(r->set->n_rules));
	return r->counts && r->set_aside ? fw_decider_init(&r->decider, r->set, r->counts, r->set_aside) : FW_ENOMEM;
}

static inline void rules_finish(struct rules *r)
{
	if (r->decider.set)
		fw_decider_finish(&r->decider);
	free(r->counts);
	free(r->set_aside);
	fw_arena_finish(&r->arena);
	fw_ruleset_destroy(r->set);
	fw_zone_set_destroy(r->zones);
	fw_errors_finish(&r->errors);
}

/* Loads, or ends the test with what was wrong. */
static inline void rules_open(struct rules *r, const char *text, const char *compliance)
{
	char said[1200];
	if (rules_load(r, text, compliance) == 0)
		return;
	fprintf(stderr, "%s\n%s\n", text, r->errors.n ? fw_error_text(&r->errors.items[0], said, sizeof said) : "no error");
	abort();
}

/* Reads a visitor, JSON as in a rule test's `given`, into r->facts. */
static inline int rules_visit(struct rules *r, const char *visitor)
{
	struct fw_json *json;
	struct fw_error err;
	fw_arena_reset(&r->arena);
	int ret = fw_json_parse(&r->arena, visitor, strlen(visitor), &json, &err);
	if (ret == 0)
		ret = fw_profile_given(&r->facts, &r->arena, json, r->set->zone, r->set->currency, &err);
	return ret == 0 ? fw_signal_derive(r->zones, &r->facts) : ret;
}

/* Decides all slots for r->facts. */
static inline int rules_run(struct rules *r)
{
	uint32_t slots[64];
	for (uint32_t i = 0; i < r->set->n_slots; i++)
		slots[i] = i;
	int ret = fw_decide(&r->decider, &r->facts, slots, r->set->n_slots, &r->arena, &r->decision);
	fw_sandbox_collect(r->set->sandbox);
	return ret;
}

/* The winners and contents of all slots of the last decision, as "slot: rule{…} rule{…}; …", in its memory. */
static inline const char *rules_winners(struct rules *r)
{
	struct fw_buf text;
	fw_buf_init(&text, 0);
	for (uint32_t i = 0; i < r->decision.n_slots; i++) {
		const struct fw_slot_answer *a = &r->decision.slots[i];
		fw_buf_printf(&text, "%s%s:", i ? "; " : "", r->set->slots[a->slot].id);
		for (uint32_t k = 0; k < a->n; k++)
			fw_buf_printf(&text, " %s%.*s", r->set->rules[a->winners[k].rule].id, (int)a->winners[k].content.n,
				a->winners[k].content.p);
	}
	const char *kept = fw_arena_strdup(&r->arena, fw_buf_text(&text));
	fw_buf_finish(&text);
	return kept;
}

/* Decides for a visitor, and says the winners. */
static inline const char *rules_decide(struct rules *r, const char *visitor)
{
	return rules_visit(r, visitor) < 0 || rules_run(r) < 0 ? NULL : rules_winners(r);
}

/* What became of a rule for r->facts; `why` (of 600) has the error's text, the guard, the cap or the other rule. */
static inline const char *rules_reason(struct rules *r, const char *rule, char *why)
{
	uint32_t slots[64];
	why[0] = '\0';
	for (uint32_t i = 0; i < r->set->n_slots; i++)
		slots[i] = i;
	if (fw_explain(&r->decider, &r->facts, slots, r->set->n_slots, &r->arena, &r->explanation) < 0)
		return NULL;
	for (uint32_t s = 0; s < r->explanation.n_slots; s++)
		for (uint32_t i = 0; i < r->explanation.slots[s].n; i++) {
			const struct fw_candidate *c = &r->explanation.slots[s].candidates[i];
			if (strcmp(r->set->rules[c->rule].id, rule) != 0)
				continue;
			if (c->verdict.error)
				fw_error_text(c->verdict.error, why, 600);
			else if (c->verdict.reason == FW_REASON_VETOED)
				snprintf(why, 600, "%s", r->set->guards[c->verdict.guard].id);
			else if (c->verdict.reason == FW_REASON_CAPPED)
				snprintf(why, 600, "%s", r->set->caps[c->verdict.cap].id);
			else if (c->by != FW_NONE)
				snprintf(why, 600, "%s", r->set->rules[c->by].id);
			else
				snprintf(why, 600, "%.*s", (int)c->verdict.content.n, c->verdict.content.p ? c->verdict.content.p : "");
			return fw_reason_name(c->verdict.reason);
		}
	return "no such rule";
}

/* The same for a visitor as in rules_visit. */
static inline const char *rules_explain(struct rules *r, const char *rule, const char *visitor, char *why)
{
	return rules_visit(r, visitor) < 0 ? NULL : rules_reason(r, rule, why);
}

#endif
