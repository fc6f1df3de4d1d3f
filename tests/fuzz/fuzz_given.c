/* Any bytes as a visitor: an error with a message, or facts for which the index and the plain evaluation agree. */
#include "../unit/lib_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char rules_text[] =
	"slot \"a\" { channel = \"web\", show_up_to = 40 }\n"
	"segment \"s\" { when = { visits = at_least(2), country = { \"CA\", \"NO\" } } }\n"
	"rule \"r1\" { slot = \"a\", when = { segment = \"s\" }, show = { a = 1 } }\n"
	"rule \"r2\" { slot = \"a\", when = { city = starts_with \"Mon\", language = \"en\" }, show = { a = 1 } }\n"
	"rule \"r3\" { slot = \"a\", when = { none { traits = { plan = \"pro\" } } }, show = { a = 1 } }\n"
	"rule \"r4\" { slot = \"a\", when = { traits = { age = at_least(18), tags = { \"x\", \"y\" }, vip = true } }, show = { a = 1 } }\n"
	"rule \"r5\" { slot = \"a\", when = { hour = between(22, 6), weekday = between(\"fri\", \"mon\") }, show = { a = 1 } }\n"
	"rule \"r6\" { slot = \"a\", when = { viewed = { category = \"boots\", within = \"7d\", at_most = 2 } }, show = { a = 1 } }\n"
	"rule \"r7\" { slot = \"a\", when = { cart = { total = at_least(50), age = at_most(\"1h\"), contains = { brand = all_of { \"a\", "
		"\"b\" } } } }, show = { a = 1 } }\n"
	"rule \"r8\" { slot = \"a\", when = { consent = is_not \"email\", date = at_least(\"2026-01-01\") }, rollout = 50, show = { a = 1 "
		"} }\n"
	"rule \"r9\" { slot = \"a\", when = function(v) return v.country == \"CA\" or v.traits.age and v.traits.age > 3 end, show = "
		"function(v) return { c = v.city, t = v.traits.tags } end }\n"
	"rule \"r10\" { slot = \"a\", when = { in_eu = unknown(), os = known(), traits = { zip = contains \"1\" }, engagement = { email = "
		"more_than(0.1) } }, show = { a = 1 } }\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct rules r;
	if (!r.set)
		rules_open(&r, rules_text, NULL);
	struct fw_json *visitor;
	struct fw_error err = { .message = "" };
	fw_arena_reset(&r.arena);
	int ret = fw_json_parse(&r.arena, (const char *)data, n, &visitor, &err);
	if (ret == 0)
		ret = fw_profile_given(&r.facts, &r.arena, visitor, r.set->zone, r.set->currency, &err);
	if (ret < 0) {
		if (!err.message[0])
			abort();
		return 0;
	}
	if (fw_signal_derive(r.zones, &r.facts) < 0 || rules_run(&r) < 0)
		abort();
	const struct fw_slot *slot = &r.set->slots[0];
	const struct fw_slot_answer *a = &r.decision.slots[0];
	uint32_t won = 0;
	fw_eval_begin(&r.decider.eval, &r.facts, &r.arena);
	for (uint32_t i = 0; i < slot->n_ranked; i++) {
		struct fw_seen seen = { 0 };
		uint32_t rule = slot->first_ranked + i;
		bool is = fw_eval_condition(&r.decider.eval, r.set->rules[r.set->ranked[rule]].when, &seen) == FW_TRUE;
		bool inside = r.facts.point < 50 || r.set->rules[r.set->ranked[rule]].rollout >= 100;
		if (is && inside && won < a->n && a->winners[won].rule == r.set->ranked[rule])
			won++;
		else if (is && inside && r.set->rules[r.set->ranked[rule]].show.function == FW_NONE)
			abort();
	}
	fw_eval_end(&r.decider.eval);
	if (won != a->n)
		abort();
	fw_sandbox_collect(r.set->sandbox);
	return 0;
}
